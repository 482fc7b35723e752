/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/core/cmocka_includes.h"

#include "core/arena.h"
#include "core/bytes.h"
#include <string.h>

static void numbers_are_read_in_both_orders(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8};
    struct attestd_reader r = attestd_reader_of(bytes, sizeof bytes);
    assert_int_equal(attestd_read_u64le(&r), UINT64_C(0x0807060504030201));
    assert_true(attestd_reader_done(&r));
    r = attestd_reader_of(bytes, sizeof bytes);
    assert_int_equal(attestd_read_u64be(&r), UINT64_C(0x0102030405060708));
    r = attestd_reader_of(bytes, sizeof bytes);
    assert_int_equal(attestd_read_u8(&r), 1);
    assert_int_equal(attestd_read_u16le(&r), 0x0302);
    assert_int_equal(attestd_read_u32le(&r), 0x07060504);
    assert_int_equal(attestd_reader_left(&r), 1);
    r = attestd_reader_of(bytes, sizeof bytes);
    assert_int_equal(attestd_read_u16be(&r), 0x0102);
    assert_int_equal(attestd_read_u32be(&r), 0x03040506);
}

static void a_read_beyond_the_end_fails_for_good_and_gives_zeros(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0xff, 0xff, 0xff};
    struct attestd_reader r = attestd_reader_of(bytes, sizeof bytes);
    attestd_read_u8(&r);
    assert_int_equal(attestd_read_u32le(&r), 0);
    assert_true(r.failed);
    assert_int_equal(r.at, 1);
    assert_int_equal(attestd_read_u8(&r), 0);
    assert_int_equal(attestd_reader_left(&r), 0);
    assert_false(attestd_reader_done(&r));
    uint8_t copy[2] = {7, 7};
    attestd_read_copy(&r, copy, sizeof copy);
    assert_int_equal(copy[0] | copy[1], 0);
    assert_null(attestd_read_bytes(&r, 1).data);
}

static void a_length_near_the_largest_number_does_not_wrap(void **state)
{
    (void)state;
    static const uint8_t bytes[4];
    struct attestd_reader r = attestd_reader_of(bytes, sizeof bytes);
    attestd_read_u8(&r);
    attestd_read_skip(&r, SIZE_MAX);
    assert_true(r.failed);
    r = attestd_reader_of(bytes, sizeof bytes);
    assert_true(attestd_reader_window(&r, 2, SIZE_MAX).failed);
    assert_true(attestd_reader_window(&r, SIZE_MAX, 2).failed);
    assert_true(attestd_reader_window(&r, 5, 0).failed);
    assert_true(attestd_reader_window(&r, 3, 2).failed);
}

static void a_window_is_cut_from_the_whole(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {1, 2, 3, 4};
    struct attestd_reader r = attestd_reader_of(bytes, sizeof bytes);
    attestd_read_skip(&r, 3);
    struct attestd_reader w = attestd_reader_window(&r, 1, 2);
    assert_int_equal(attestd_read_u16be(&w), 0x0203);
    assert_true(attestd_reader_done(&w));
    w = attestd_reader_window(&r, 4, 0);
    assert_true(attestd_reader_done(&w));
}

static void zeros_are_told_from_other_bytes(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0, 0, 0, 1};
    struct attestd_reader r = attestd_reader_of(bytes, sizeof bytes);
    assert_true(attestd_read_zeros(&r, 3));
    assert_false(attestd_read_zeros(&r, 1));
    assert_true(attestd_reader_done(&r));
    assert_false(attestd_read_zeros(&r, 1));
    assert_true(r.failed);
}

static void one_bit_anywhere_is_not_zero(void **state)
{
    (void)state;
    uint8_t bytes[40] = {0};
    for (size_t len = 0; len <= sizeof bytes; len++) {
        assert_true(attestd_bytes_zero(bytes, len));
        for (size_t at = 0; at < len; at++) {
            bytes[at] = (uint8_t)(1 << at % 8);
            assert_false(attestd_bytes_zero(bytes, len));
            bytes[at] = 0;
        }
    }
}

static void nothing_can_be_read_from_nothing(void **state)
{
    (void)state;
    struct attestd_reader r = attestd_reader_of(NULL, 0);
    assert_true(attestd_reader_done(&r));
    struct attestd_bytes empty = attestd_read_bytes(&r, 0);
    assert_int_equal(empty.len, 0);
    assert_true(attestd_bytes_equal(empty, (struct attestd_bytes){NULL, 0}));
    assert_int_equal(attestd_read_u8(&r), 0);
    assert_true(r.failed);
}

static void comparisons_look_at_length_and_contents(void **state)
{
    (void)state;
    struct attestd_bytes abc = {(const uint8_t *)"abc", 3};
    assert_true(attestd_bytes_are(abc, "abc", 3));
    assert_false(attestd_bytes_are(abc, "abcd", 4));
    assert_false(attestd_bytes_are(abc, "abd", 3));
    assert_true(attestd_bytes_equal_secret("abc", "abc", 3));
    assert_false(attestd_bytes_equal_secret("abc", "abd", 3));
}

static void count_release(void *counter)
{
    ++*(int *)counter;
}

static void an_arena_gives_zeroed_aligned_memory_of_any_size(void **state)
{
    (void)state;
    struct attestd_arena *arena = attestd_arena_new();
    for (size_t size = 0; size < 70000; size = size * 2 + 1) {
        uint8_t *p = attestd_arena_alloc(arena, size);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
        assert_true(attestd_bytes_zero(p, size));
        memset(p, 0xff, size);
    }
    assert_true(attestd_arena_used(arena) > 65535);
    attestd_arena_free(arena);
    attestd_arena_free(NULL);
}

static void an_arena_copies_formats_and_releases(void **state)
{
    (void)state;
    int released = 0;
    struct attestd_arena *arena = attestd_arena_new();
    struct attestd_bytes copy = attestd_arena_bytes(arena, "a\0b", 3);
    assert_true(attestd_bytes_are(copy, "a\0b", 4 - 1));
    assert_int_equal(copy.data[3], 0);
    assert_string_equal(attestd_arena_text(arena, "text"), "text");
    assert_string_equal(attestd_arena_hex(arena, (const uint8_t *)"\x01\xab", 2), "01ab");
    assert_string_equal(attestd_arena_format(arena, "%d %s", 7, "x"), "7 x");
    char *longer = attestd_arena_format(arena, "%01000d", 5);
    assert_int_equal(strlen(longer), 1000);
    assert_int_equal(longer[999], '5');
    attestd_arena_defer(arena, count_release, &released);
    attestd_arena_defer(arena, count_release, &released);
    attestd_arena_free(arena);
    assert_int_equal(released, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_read_in_both_orders),
        cmocka_unit_test(a_read_beyond_the_end_fails_for_good_and_gives_zeros),
        cmocka_unit_test(a_length_near_the_largest_number_does_not_wrap),
        cmocka_unit_test(a_window_is_cut_from_the_whole),
        cmocka_unit_test(zeros_are_told_from_other_bytes),
        cmocka_unit_test(one_bit_anywhere_is_not_zero),
        cmocka_unit_test(nothing_can_be_read_from_nothing),
        cmocka_unit_test(comparisons_look_at_length_and_contents),
        cmocka_unit_test(an_arena_gives_zeroed_aligned_memory_of_any_size),
        cmocka_unit_test(an_arena_copies_formats_and_releases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
