/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/core/cmocka_includes.h"

#include "core/encoding.h"
#include <stdlib.h>
#include <string.h>

static void hex_reads_both_cases_and_writes_lower(void **state)
{
    (void)state;
    uint8_t bytes[4];
    char text[9];
    size_t len;
    assert_true(attestd_hex_decode("00aBFf", 6, bytes, sizeof bytes, &len));
    assert_int_equal(len, 3);
    attestd_hex_encode(bytes, len, text);
    assert_string_equal(text, "00abff");
    assert_true(attestd_hex_decode("", 0, bytes, 0, &len));
    assert_int_equal(len, 0);
}

static void hex_refuses_odd_length_other_characters_and_too_little_room(void **state)
{
    (void)state;
    uint8_t bytes[4];
    size_t len;
    assert_false(attestd_hex_decode("abc", 3, bytes, sizeof bytes, &len));
    assert_false(attestd_hex_decode("0g", 2, bytes, sizeof bytes, &len));
    assert_false(attestd_hex_decode("0x", 2, bytes, sizeof bytes, &len));
    assert_false(attestd_hex_decode(" 0", 2, bytes, sizeof bytes, &len));
    assert_false(attestd_hex_decode("0011223344", 10, bytes, sizeof bytes, &len));
}

/* RFC 4648 section 10, and the two alphabets. */
static void base64_gives_the_published_examples(void **state)
{
    (void)state;
    static const char *const cases[][3] = {{"", "", ""},
                                           {"f", "Zg==", "Zg"},
                                           {"fo", "Zm8=", "Zm8"},
                                           {"foo", "Zm9v", "Zm9v"},
                                           {"foob", "Zm9vYg==", "Zm9vYg"},
                                           {"fooba", "Zm9vYmE=", "Zm9vYmE"},
                                           {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
                                           {"\xfb\xff\xfe", "+//+", "-__-"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[16];
        uint8_t back[16];
        size_t bytes_len = strlen(cases[i][0]), len;
        assert_int_equal(attestd_base64_encode((const uint8_t *)cases[i][0], bytes_len, text), strlen(cases[i][1]));
        assert_string_equal(text, cases[i][1]);
        assert_int_equal(attestd_base64url_encode((const uint8_t *)cases[i][0], bytes_len, text), strlen(cases[i][2]));
        assert_string_equal(text, cases[i][2]);
        for (size_t form = 1; form < 3; form++) {
            assert_true(attestd_base64_decode(cases[i][form], strlen(cases[i][form]), back, sizeof back, &len));
            assert_int_equal(len, bytes_len);
            assert_memory_equal(back, cases[i][0], len);
        }
    }
}

static void base64_refuses_every_second_text_of_a_value(void **state)
{
    (void)state;
    static const char *const refused[] = {"Zg=",   "Zg===",    "Z",     "=",          "==",
                                          "====",  "Z===",     "Zh==",  "Zg=a",       "Zm9=",
                                          "Zm9",   "Zh",       "Zm8==", " Zm9v",      "Zm9v\n",
                                          "Zm 9v", "+_+_",     "-/-/",  "+//_",       "Zm9vYg==Zg",
                                          "Zm9$",  "Zm8=Zm8=", "Zm9v=", "Zm\xc3\xa9", "\xff\xff\xff\xff"};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        uint8_t bytes[16];
        size_t len = 99;
        if (attestd_base64_decode(refused[i], strlen(refused[i]), bytes, sizeof bytes, &len))
            fail_msg("accepted %s", refused[i]);
        assert_int_equal(len, 0);
    }
    uint8_t bytes[16];
    size_t len;
    assert_false(attestd_base64_decode("Zm9\0", 4, bytes, sizeof bytes, &len));
}

static void base64_round_trips_and_keeps_inside_its_room(void **state)
{
    (void)state;
    for (size_t len = 0; len < 200; len++) {
        uint8_t bytes[200] = {0}, back[200] = {0};
        char text[ATTESTD_BASE64_SIZE(200)];
        size_t back_len;
        for (size_t i = 0; i < len; i++)
            bytes[i] = (uint8_t)(i * 151 + len * 7);
        size_t chars = attestd_base64_encode(bytes, len, text);
        assert_true(chars + 1 == ATTESTD_BASE64_SIZE(len));
        assert_true(attestd_base64_decode(text, chars, back, len, &back_len));
        assert_memory_equal(back, bytes, len);
        if (len > 0)
            assert_false(attestd_base64_decode(text, chars, back, len - 1, &back_len));
    }
}

static void times_are_read_with_fractions_and_offsets(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t seconds;
    } cases[] = {{"1970-01-01T00:00:00Z", 0},
                 {"2000-02-29T12:00:00Z", 951825600},
                 {"2026-11-20T12:00:00Z", 1795176000},
                 {"2026-11-20T12:00:00.123456789Z", 1795176000},
                 {"2026-11-20T13:30:00+01:30", 1795176000},
                 {"2026-11-20T04:00:00-08:00", 1795176000},
                 {"9999-12-31T23:59:59Z", INT64_C(253402300799)}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t seconds;
        assert_true(attestd_time_parse(cases[i].text, &seconds));
        assert_int_equal(seconds, cases[i].seconds);
    }
}

static void times_that_do_not_exist_are_refused(void **state)
{
    (void)state;
    static const char *const refused[] = {"",
                                          "2026-11-20",
                                          "2026-11-20T12:00:00",
                                          "2026-11-20 12:00:00Z",
                                          "2026-13-01T00:00:00Z",
                                          "2026-00-01T00:00:00Z",
                                          "2026-02-29T00:00:00Z",
                                          "1900-02-29T00:00:00Z",
                                          "2026-04-31T00:00:00Z",
                                          "2026-11-20T24:00:00Z",
                                          "2026-11-20T12:60:00Z",
                                          "2016-12-31T23:59:60Z",
                                          "2026-11-20T12:00:00.Z",
                                          "2026-11-20T12:00:00Z ",
                                          "2026-11-20T12:00:00+24:00",
                                          "2026-11-20T12:00:00+0100",
                                          "1969-12-31T23:59:59Z",
                                          "1970-01-01T00:00:00+00:01",
                                          "9999-12-31T23:59:59-00:01",
                                          "+026-11-20T12:00:00Z",
                                          "02026-11-20T12:00:00Z"};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        int64_t seconds;
        if (attestd_time_parse(refused[i], &seconds))
            fail_msg("accepted %s", refused[i]);
    }
}

static void every_day_formats_to_a_time_that_reads_back(void **state)
{
    (void)state;
    for (int64_t time = 0; time <= INT64_C(253402300799); time += 86400 * 3 + 86399) {
        char text[ATTESTD_TIME_SIZE];
        int64_t back;
        attestd_time_format(time, text);
        assert_true(attestd_time_parse(text, &back));
        assert_int_equal(back, time);
    }
}

static void durations_have_a_unit_and_a_bound(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t seconds; /* -1: refused */
    } cases[] = {{"90", 90},
                 {"90s", 90},
                 {"15m", 900},
                 {"24h", 86400},
                 {"7d", 604800},
                 {"0", 0},
                 {"36525d", INT64_C(3155760000)},
                 {"", -1},
                 {"s", -1},
                 {"-1s", -1},
                 {"+1s", -1},
                 {"1.5h", -1},
                 {"1 h", -1},
                 {"1w", -1},
                 {"1hh", -1},
                 {"36526d", -1},
                 {"99999999999999999999", -1},
                 {"0x10", -1},
                 {" 1", -1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t seconds;
        bool read = attestd_duration_parse(cases[i].text, &seconds);
        assert_int_equal(read, cases[i].seconds >= 0);
        if (read)
            assert_int_equal(seconds, cases[i].seconds);
    }
}

static void utf8_is_well_formed_or_refused(void **state)
{
    (void)state;
    static const char *const good[] = {
        "", "ascii", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"};
    static const char *const bad[] = {"\x80",
                                      "\xc0\x80",
                                      "\xc1\xbf",
                                      "\xc2",
                                      "\xe0\x9f\xbf",
                                      "\xed\xa0\x80",
                                      "\xed\xbf\xbf",
                                      "\xf0\x8f\xbf\xbf",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "\xe2\x82",
                                      "a\xc3",
                                      "\xff",
                                      "\xc3\xc3\xa9"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(attestd_utf8_valid(good[i], strlen(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(attestd_utf8_valid(bad[i], strlen(bad[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hex_reads_both_cases_and_writes_lower),
        cmocka_unit_test(hex_refuses_odd_length_other_characters_and_too_little_room),
        cmocka_unit_test(base64_gives_the_published_examples),
        cmocka_unit_test(base64_refuses_every_second_text_of_a_value),
        cmocka_unit_test(base64_round_trips_and_keeps_inside_its_room),
        cmocka_unit_test(times_are_read_with_fractions_and_offsets),
        cmocka_unit_test(times_that_do_not_exist_are_refused),
        cmocka_unit_test(every_day_formats_to_a_time_that_reads_back),
        cmocka_unit_test(durations_have_a_unit_and_a_bound),
        cmocka_unit_test(utf8_is_well_formed_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
