/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/core/cmocka_includes.h"

#include "core/json.h"
#include <string.h>

static void assert_refused(const char *text, size_t len, const char *phrase)
{
    char error[200] = "";
    json_t *json = attestd_json_read(text, len, 16, error, sizeof error);
    if (json)
        fail_msg("accepted %s", text);
    if (!strstr(error, phrase))
        fail_msg("%s: said \"%s\", not \"%s\"", text, error, phrase);
}

static void good_texts_are_read(void **state)
{
    (void)state;
    static const char *const good[] = {"{}",
                                       "[]",
                                       "1",
                                       "\"x\"",
                                       "null",
                                       " {\"a\": [1, 2.5, true, null, \"\\u00e9\"]}\n",
                                       "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]",
                                       "\"[[[[[[[[[[[[[[[[[[[[[[[[\"",
                                       "[\"\\\"[[[[[[[[[[[[[[[[[[[[\"]",
                                       "[\"\\\\\",[]]"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        char error[200] = "";
        json_t *json = attestd_json_read(good[i], strlen(good[i]), 16, error, sizeof error);
        if (!json)
            fail_msg("%s: %s", good[i], error);
        json_decref(json);
    }
}

static void bad_texts_are_refused_with_line_and_column(void **state)
{
    (void)state;
    static const char *const refused[][2] = {
        {"{\"a\":1,\"a\":2}", "duplicate"},
        {"{\"a\":{\"b\":1,\"b\":1}}", "duplicate"},
        {"[1] x", "line 1"},
        {"[1]]", "line 1"},
        {"", "line 1"},
        {"[1,]", "line 1"},
        {"\n\n  {\"a\" 1}", "line 3, column 8"},
        {"[01]", "line 1"},
        {"[NaN]", "line 1"},
        {"[1e999]", "overflow"},
        {"[99999999999999999999]", "big"},
        {"9223372036854775808", "big"},
        {"-9223372036854775809", "big"},
        {"-", "not a number"},
        {"+1", "not a number"},
        {".5", "not a number"},
        {"1.", "not a number"},
        {"1.e5", "not a number"},
        {"1e", "not a number"},
        {"1e+", "not a number"},
        {"-a", "not a number"},
        {"00", "not a number"},
        {"0x10", "behind"},
        {"tru", "value expected"},
        {"nulL", "value expected"},
        {"truex", "behind"},
        {"True", "line 1"},
        {"[", "value expected"},
        {"[1", "',' or ']' expected"},
        {"[1}", "',' or ']' expected"},
        {"[,1]", "line 1"},
        {"{", "name in quotes"},
        {"{1:2}", "name in quotes"},
        {"{\"a\"}", "':' expected"},
        {"{\"a\":}", "line 1"},
        {"{\"a\":1,}", "name in quotes"},
        {"{\"a\":1]", "',' or '}' expected"},
        {"{\"a\":1,\"\\u0061\":1}", "duplicate"},
        {"\"abc", "ends inside"},
        {"\"abc\\", "escape"},
        {"\"\\x41\"", "escape"},
        {"\"\\u12\"", "escape"},
        {"\"\\u12g4\"", "escape"},
        {"\"\\udc00\"", "escape"},
        {"\"\\ud83d\\u0041\"", "escape"},
        {"\"\\ud83d\"", "escape"},
        {"\"\\ud83dx\"", "escape"},
        {"\"a\\nb\xff\"", "UTF-8"},
        {"\"a\\nb\x01\"", "control"},
        {"\"\xc3\"", "UTF-8"},
        {"\"\xff\"", "line 1"},
        {"\"\xed\xa0\x80\"", "line 1"},
        {"\"\\ud800\"", "line 1"},
        {"\"\\u0000\"", "line 1"},
        {"{\"a\\u0000b\": 1}", "line 1"},
        {"\"tab\there\"", "line 1"},
        {"// x\n1", "line 1"},
        {"\xef\xbb\xbf{}", "line 1"},
        {"[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]", "line 1, column 17: nested too deeply"},
        {"{\"a\":\n[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]}", "line 2, column 16: nested too deeply"},
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        assert_refused(refused[i][0], strlen(refused[i][0]), refused[i][1]);
    assert_refused("1\0", 2, "line 1");
    assert_refused("{\"a\0b\":1}", 9, "line 1");
}

static void an_error_shows_printable_characters_only(void **state)
{
    (void)state;
    static const char text[] = "{\"\x1b[31mred\x1b[0m\xc3\xa9";
    char error[200];
    assert_null(attestd_json_read(text, sizeof text - 1, 16, error, sizeof error));
    for (const char *c = error; *c; c++)
        assert_true(*c >= 0x20 && *c < 0x7f);
    char tiny[4];
    assert_null(attestd_json_read("[", 1, 16, tiny, sizeof tiny));
    assert_int_equal(strlen(tiny), 3);
    assert_null(attestd_json_read("[", 1, 16, NULL, 0));
}

static void every_escape_is_read(void **state)
{
    (void)state;
    static const char text[] =
        "[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\",\"\\u0041\\u00e9\\u20ac\\ud83d\\ude00\\uFFFF\",\"plain\\u0020plain plain\"]";
    json_t *json = attestd_json_read(text, sizeof text - 1, 2, NULL, 0);
    assert_non_null(json);
    assert_string_equal(json_string_value(json_array_get(json, 0)), "\"\\/\b\f\n\r\t");
    assert_string_equal(json_string_value(json_array_get(json, 1)), "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xef\xbf\xbf");
    assert_string_equal(json_string_value(json_array_get(json, 2)), "plain plain plain");
    json_decref(json);
}

static void numbers_keep_their_value(void **state)
{
    (void)state;
    static const char text[] = "[-9223372036854775808,9223372036854775807,-0,0,1e2,-2.5E-1]";
    json_t *json = attestd_json_read(text, sizeof text - 1, 1, NULL, 0);
    assert_non_null(json);
    assert_true(json_integer_value(json_array_get(json, 0)) == INT64_MIN);
    assert_true(json_integer_value(json_array_get(json, 1)) == INT64_MAX);
    assert_true(json_is_integer(json_array_get(json, 2)) && json_integer_value(json_array_get(json, 2)) == 0);
    assert_true(json_is_integer(json_array_get(json, 3)));
    assert_true(json_real_value(json_array_get(json, 4)) == 100.0);
    assert_true(json_real_value(json_array_get(json, 5)) == -0.25);
    json_decref(json);
}

/* Each value of two bytes would take a hundred. */
static void a_text_of_too_many_values_is_refused(void **state)
{
    (void)state;
    enum { LEN = 400001 };
    char *text = test_malloc(LEN);
    for (size_t i = 0; i < LEN; i++)
        text[i] = i % 2 ? '0' : ',';
    text[0] = '[';
    text[LEN - 1] = ']';
    assert_refused(text, LEN, "too many values");
    text[200000] = ']';
    assert_refused(text, 200001, "too many values");
    text[100000] = ']';
    json_t *json = attestd_json_read(text, 100001, 1, NULL, 0);
    assert_int_equal(json_array_size(json), 50000);
    json_decref(json);
    test_free(text);
}

static void a_very_deep_text_is_refused_before_it_is_parsed(void **state)
{
    (void)state;
    enum { DEPTH = 1000000 };
    char *text = test_malloc(DEPTH);
    memset(text, '[', DEPTH);
    assert_refused(text, DEPTH, "nested too deeply");
    test_free(text);
}

static void the_writer_has_one_form(void **state)
{
    (void)state;
    struct attestd_text text = {0};
    struct attestd_json_writer w = attestd_json_writer_to(&text);
    attestd_json_open_map(&w, NULL);
    attestd_json_text(&w, "text", "a\"\\/\b\f\n\r\t\x01\x1f\x7f\xc3\xa9\xf0\x9f\x98\x80");
    attestd_json_text(&w, "broken",
                      "\xff"
                      "a\xc3"
                      "b\xed\xa0\x80");
    attestd_json_text(&w, "none", NULL);
    attestd_json_text_n(&w, "part", "abc", 2);
    attestd_json_text_n(&w, "nul", "a\0b", 3);
    attestd_json_number(&w, "least", INT64_MIN);
    attestd_json_number(&w, "most", INT64_MAX);
    attestd_json_flag(&w, "yes", true);
    attestd_json_flag(&w, "no", false);
    attestd_json_null(&w, "null");
    attestd_json_open_list(&w, "bytes");
    attestd_json_hex(&w, NULL, (const uint8_t *)"\x00\xff", 2);
    attestd_json_hex(&w, NULL, NULL, 0);
    attestd_json_base64(&w, NULL, (const uint8_t *)"\xfb\xff", 2);
    attestd_json_base64url(&w, NULL, (const uint8_t *)"\xfb\xff", 2);
    attestd_json_time(&w, NULL, 1795176000);
    attestd_json_close_list(&w);
    attestd_json_open_map(&w, "na\"me");
    attestd_json_close_map(&w);
    attestd_json_open_list(&w, "l");
    attestd_json_open_list(&w, NULL);
    attestd_json_close_list(&w);
    attestd_json_raw(&w, NULL, "{\"x\":1}", 7);
    attestd_json_close_list(&w);
    attestd_json_close_map(&w);
    assert_string_equal(text.data,
                        "{\"text\":\"a\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\xc3\xa9\xf0\x9f\x98\x80\","
                        "\"broken\":\"\xef\xbf\xbd"
                        "a\xef\xbf\xbd"
                        "b\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\",\"none\":null,\"part\":\"ab\","
                        "\"nul\":\"a\\u0000b\",\"least\":-9223372036854775808,\"most\":9223372036854775807,\"yes\":true,\"no\":false,"
                        "\"null\":null,\"bytes\":[\"00ff\",\"\",\"+/8=\",\"-_8\",\"2026-11-20T12:00:00Z\"],\"na\\\"me\":{},"
                        "\"l\":[[],{\"x\":1}]}");
    assert_int_equal(text.len, strlen(text.data));
    attestd_text_free(&text);
}

static void values_are_written_by_kind(void **state)
{
    (void)state;
    const struct attestd_value items[] = {
        {.name = "n", .kind = ATTESTD_VALUE_NUMBER, .number = -5},
        {.name = "f", .kind = ATTESTD_VALUE_FLAG, .number = 1},
        {.name = "t", .kind = ATTESTD_VALUE_TEXT, .text = {(const uint8_t *)"x\n", 2}},
        {.name = "b", .kind = ATTESTD_VALUE_BYTES, .text = {(const uint8_t *)"\xca\xfe", 2}},
        {.name = "z", .kind = ATTESTD_VALUE_NULL},
        {.name = "l", .kind = ATTESTD_VALUE_LIST},
    };
    const struct attestd_value map = {.kind = ATTESTD_VALUE_MAP, .items = items, .count = 6};
    struct attestd_text text = {0};
    struct attestd_json_writer w = attestd_json_writer_to(&text);
    attestd_json_value(&w, NULL, &map);
    assert_string_equal(text.data, "{\"n\":-5,\"f\":true,\"t\":\"x\\n\",\"b\":\"cafe\",\"z\":null,\"l\":[]}");
    attestd_text_free(&text);
}

static void equal_jansson_values_give_equal_texts(void **state)
{
    (void)state;
    static const char *const texts[] = {"{\"b\":[1,2.5,{\"y\":null,\"x\":\"\\u00e9\"}],\"a\":-3,\"A\":true,\"\":false}",
                                        "{\"\":false,\"A\":true,\"a\":-3,\"b\":[1,2.5,{\"x\":\"\xc3\xa9\",\"y\":null}]}"};
    for (size_t i = 0; i < 2; i++) {
        json_t *json = attestd_json_read(texts[i], strlen(texts[i]), 16, NULL, 0);
        assert_non_null(json);
        struct attestd_text text = {0};
        struct attestd_json_writer w = attestd_json_writer_to(&text);
        attestd_json_jansson(&w, NULL, json);
        assert_string_equal(text.data, texts[1]);
        attestd_text_free(&text);
        json_decref(json);
    }
}

static void values_nested_too_deeply_are_cut_off_and_stay_json(void **state)
{
    (void)state;
    json_t *deep = json_array();
    for (int i = 0; i < 200; i++) {
        json_t *outer = json_array();
        json_array_append_new(outer, deep);
        json_array_append_new(outer, json_integer(1));
        deep = outer;
    }
    struct attestd_text text = {0};
    struct attestd_json_writer w = attestd_json_writer_to(&text);
    attestd_json_jansson(&w, NULL, deep);
    json_decref(deep);
    json_t *back = attestd_json_read(text.data, text.len, 64, NULL, 0);
    assert_non_null(back);
    json_decref(back);
    attestd_text_free(&text);
}

static void a_text_grows_as_it_is_printed_to(void **state)
{
    (void)state;
    struct attestd_text text = {0};
    for (int i = 0; i < 100; i++)
        attestd_text_printf(&text, "%0*d|", i * 10, i);
    attestd_text_puts(&text, "end");
    attestd_text_add(&text, "xyz", 0);
    assert_int_equal(text.len, strlen(text.data));
    assert_string_equal(text.data + text.len - 6, "99|end");
    attestd_text_free(&text);
    assert_null(text.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_texts_are_read),
        cmocka_unit_test(bad_texts_are_refused_with_line_and_column),
        cmocka_unit_test(an_error_shows_printable_characters_only),
        cmocka_unit_test(every_escape_is_read),
        cmocka_unit_test(numbers_keep_their_value),
        cmocka_unit_test(a_text_of_too_many_values_is_refused),
        cmocka_unit_test(a_very_deep_text_is_refused_before_it_is_parsed),
        cmocka_unit_test(the_writer_has_one_form),
        cmocka_unit_test(values_are_written_by_kind),
        cmocka_unit_test(equal_jansson_values_give_equal_texts),
        cmocka_unit_test(values_nested_too_deeply_are_cut_off_and_stay_json),
        cmocka_unit_test(a_text_grows_as_it_is_printed_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
