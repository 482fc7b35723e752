/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/core/cmocka_includes.h"

#include "core/bytes.h"
#include "core/cbor.h"
#include "core/encoding.h"
#include <stdlib.h>
#include <string.h>

enum { U = ATTESTD_CBOR_UNSIGNED, N = ATTESTD_CBOR_NEGATIVE, B = ATTESTD_CBOR_BYTES, T = ATTESTD_CBOR_TEXT, L = ATTESTD_CBOR_LIST };
enum { M = ATTESTD_CBOR_MAP, G = ATTESTD_CBOR_TAG, S = ATTESTD_CBOR_SIMPLE, F = ATTESTD_CBOR_FLOAT };

static uint8_t bytes[4096];

static size_t unhex(const char *hex)
{
    size_t len;
    assert_true(attestd_hex_decode(hex, strlen(hex), bytes, sizeof bytes, &len));
    return len;
}

/* RFC 8949 appendix A, all of it: encoding, type, number (count for lists and maps, length for definite strings). */
#define INDEFINITE UINT64_MAX
static const struct {
    const char *hex;
    int type;
    uint64_t number;
} appendix_a[] = {
    {"00", U, 0},
    {"01", U, 1},
    {"0a", U, 10},
    {"17", U, 23},
    {"1818", U, 24},
    {"1819", U, 25},
    {"1864", U, 100},
    {"1903e8", U, 1000},
    {"1a000f4240", U, 1000000},
    {"1b000000e8d4a51000", U, UINT64_C(1000000000000)},
    {"1bffffffffffffffff", U, UINT64_MAX},
    {"c249010000000000000000", G, 2},
    {"3bffffffffffffffff", N, UINT64_MAX},
    {"c349010000000000000000", G, 3},
    {"20", N, 0},
    {"29", N, 9},
    {"3863", N, 99},
    {"3903e7", N, 999},
    {"f90000", F, 0},
    {"f98000", F, 0},
    {"f93c00", F, 0},
    {"fb3ff199999999999a", F, 0},
    {"f93e00", F, 0},
    {"f97bff", F, 0},
    {"fa47c35000", F, 0},
    {"fa7f7fffff", F, 0},
    {"fb7e37e43c8800759c", F, 0},
    {"f90001", F, 0},
    {"f90400", F, 0},
    {"f9c400", F, 0},
    {"fbc010666666666666", F, 0},
    {"f97c00", F, 0},
    {"f97e00", F, 0},
    {"f9fc00", F, 0},
    {"fa7f800000", F, 0},
    {"fa7fc00000", F, 0},
    {"faff800000", F, 0},
    {"fb7ff0000000000000", F, 0},
    {"fb7ff8000000000000", F, 0},
    {"fbfff0000000000000", F, 0},
    {"f4", S, 20},
    {"f5", S, 21},
    {"f6", S, 22},
    {"f7", S, 23},
    {"f0", S, 16},
    {"f8ff", S, 255},
    {"c074323031332d30332d32315432303a30343a30305a", G, 0},
    {"c11a514b67b0", G, 1},
    {"c1fb41d452d9ec200000", G, 1},
    {"d74401020304", G, 23},
    {"d818456449455446", G, 24},
    {"d82076687474703a2f2f7777772e6578616d706c652e636f6d", G, 32},
    {"40", B, 0},
    {"4401020304", B, 4},
    {"60", T, 0},
    {"6161", T, 1},
    {"6449455446", T, 4},
    {"62225c", T, 2},
    {"62c3bc", T, 2},
    {"63e6b0b4", T, 3},
    {"64f0908591", T, 4},
    {"80", L, 0},
    {"83010203", L, 3},
    {"8301820203820405", L, 3},
    {"98190102030405060708090a0b0c0d0e0f101112131415161718181819", L, 25},
    {"a0", M, 0},
    {"a201020304", M, 2},
    {"a26161016162820203", M, 2},
    {"826161a161626163", L, 2},
    {"a56161614161626142616361436164614461656145", M, 5},
    {"5f42010243030405ff", B, INDEFINITE},
    {"7f657374726561646d696e67ff", T, INDEFINITE},
    {"9fff", L, INDEFINITE},
    {"9f018202039f0405ffff", L, INDEFINITE},
    {"9f01820203820405ff", L, INDEFINITE},
    {"83018202039f0405ff", L, 3},
    {"83019f0203ff820405", L, 3},
    {"9f0102030405060708090a0b0c0d0e0f101112131415161718181819ff", L, INDEFINITE},
    {"bf61610161629f0203ffff", M, INDEFINITE},
    {"826161bf61626163ff", L, 2},
    {"bf6346756ef563416d7421ff", M, INDEFINITE},
};

static void the_rfc_s_examples_decode(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof appendix_a / sizeof *appendix_a; i++) {
        size_t len = unhex(appendix_a[i].hex), offset;
        const char *error = NULL;
        struct attestd_cbor item;
        if (!attestd_cbor_read(bytes, len, ATTESTD_CBOR_ALLOW_INDEFINITE | ATTESTD_CBOR_SHORTEST, &item, &error, &offset))
            fail_msg("%s: %s at %zu", appendix_a[i].hex, error, offset);
        assert_int_equal(item.type, appendix_a[i].type);
        assert_true(item.number == appendix_a[i].number);
        assert_int_equal(item.whole.len, len);
        /* Every one of them cut short is refused, whatever is missing. */
        for (size_t cut = 0; cut < len; cut++)
            assert_false(attestd_cbor_read(bytes, cut, ATTESTD_CBOR_ALLOW_INDEFINITE, &item, NULL, NULL));
    }
}

static const struct {
    const char *hex, *error;
    unsigned flags;
} refusals[] = {
    {"", "ends inside an item", 0},
    {"0000", "bytes behind the item", 0},
    {"18", "ends inside an item", 0},
    {"19ff", "ends inside an item", 0},
    {"1b00000000000000", "ends inside an item", 0},
    {"1c", "reserved additional information", 0},
    {"1d", "reserved additional information", 0},
    {"1e", "reserved additional information", 0},
    {"1f", "reserved additional information", ATTESTD_CBOR_ALLOW_INDEFINITE},
    {"3f", "reserved additional information", ATTESTD_CBOR_ALLOW_INDEFINITE},
    {"df00", "reserved additional information", ATTESTD_CBOR_ALLOW_INDEFINITE},
    {"fc", "reserved additional information", 0},
    {"ff", "break out of place", ATTESTD_CBOR_ALLOW_INDEFINITE},
    {"81ff", "break out of place", ATTESTD_CBOR_ALLOW_INDEFINITE},
    {"a101ff", "break out of place", ATTESTD_CBOR_ALLOW_INDEFINITE},
    {"bf01ff", "break out of place", ATTESTD_CBOR_ALLOW_INDEFINITE},
    {"c0ff", "break out of place", ATTESTD_CBOR_ALLOW_INDEFINITE},
    {"41", "length beyond the end", 0},
    {"5bffffffffffffffff00", "length beyond the end", 0},
    {"9bffffffffffffffff00", "length beyond the end", 0},
    {"bb800000000000000000", "length beyond the end", 0},
    {"a101", "length beyond the end", 0},
    {"8201", "length beyond the end", 0},
    {"61ff", "text is not UTF-8", 0},
    {"62c080", "text is not UTF-8", 0},
    {"63eda080", "text is not UTF-8", 0},
    {"7f61c361bcff", "text is not UTF-8", ATTESTD_CBOR_ALLOW_INDEFINITE},
    {"f800", "simple value in a reserved form", 0},
    {"f81f", "simple value in a reserved form", 0},
    {"9fff", "indefinite length", 0},
    {"5fff", "indefinite length", 0},
    {"819fff", "indefinite length", 0},
    {"5f6161ff", "chunk of another type", ATTESTD_CBOR_ALLOW_INDEFINITE},
    {"7f4161ff", "chunk of another type", ATTESTD_CBOR_ALLOW_INDEFINITE},
    {"5f5f4161ffff", "chunk of another type", ATTESTD_CBOR_ALLOW_INDEFINITE},
    {"5f00ff", "chunk of another type", ATTESTD_CBOR_ALLOW_INDEFINITE},
    {"a201000100", "duplicate map key", 0},
    {"a20100010000", "duplicate map key", 0},
    {"a3616101616202616103", "duplicate map key", 0},
    {"a28101008101f6", "duplicate map key", 0},
    {"bf01000100ff", "duplicate map key", ATTESTD_CBOR_ALLOW_INDEFINITE},
    {"81a1a20100010000", "duplicate map key", 0},
    {"a20100180100", "number not in its shortest form", 0},
    {"a15f4101ff00", "indefinite length", ATTESTD_CBOR_ALLOW_INDEFINITE},
    {"1817", "number not in its shortest form", ATTESTD_CBOR_SHORTEST},
    {"1900ff", "number not in its shortest form", ATTESTD_CBOR_SHORTEST},
    {"1a0000ffff", "number not in its shortest form", ATTESTD_CBOR_SHORTEST},
    {"1b00000000ffffffff", "number not in its shortest form", ATTESTD_CBOR_SHORTEST},
    {"580100", "number not in its shortest form", ATTESTD_CBOR_SHORTEST},
    {"980100", "number not in its shortest form", ATTESTD_CBOR_SHORTEST},
    {"d80100", "number not in its shortest form", ATTESTD_CBOR_SHORTEST},
    {"a202000100", "map keys out of order", ATTESTD_CBOR_SORTED},
    {"a26161002000", "map keys out of order", ATTESTD_CBOR_SORTED},
    {"a201000100", "duplicate map key", ATTESTD_CBOR_SORTED},
    {"818181818181818181818181818181818100", "nested too deeply", 0},
    {"c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c100", "nested too deeply", 0},
};

static void what_is_not_strict_is_refused_with_its_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        size_t len = unhex(refusals[i].hex), offset = 0;
        const char *error = NULL;
        struct attestd_cbor item;
        if (attestd_cbor_read(bytes, len, refusals[i].flags, &item, &error, &offset))
            fail_msg("accepted %s", refusals[i].hex);
        if (strcmp(error, refusals[i].error) != 0)
            fail_msg("%s: said \"%s\"", refusals[i].hex, error);
        assert_true(offset <= len);
        assert_int_equal(item.type, ATTESTD_CBOR_INVALID);
    }
}

static void sixteen_levels_are_read(void **state)
{
    (void)state;
    struct attestd_cbor item;
    assert_true(attestd_cbor_read(bytes, unhex("8181818181818181818181818181818100"), 0, &item, NULL, NULL));
}

static void longer_forms_are_read_unless_the_shortest_is_asked_for(void **state)
{
    (void)state;
    struct attestd_cbor item;
    assert_true(attestd_cbor_read(bytes, unhex("1b0000000000000005"), 0, &item, NULL, NULL));
    assert_int_equal(item.number, 5);
    assert_true(attestd_cbor_read(bytes, unhex("a2f900000020f5"), 0, &item, NULL, NULL));
}

static void bytes_may_follow_the_first_item(void **state)
{
    (void)state;
    size_t used, len = unhex("8201024141");
    struct attestd_cbor item;
    assert_true(attestd_cbor_read_first(bytes, len, 0, &item, &used, NULL, NULL));
    assert_int_equal(used, 3);
}

static void a_container_is_walked_item_by_item(void **state)
{
    (void)state;
    struct attestd_cbor root, item;
    size_t at = 0, len = unhex("9f01820203a1616109d81843010203ff");
    assert_true(attestd_cbor_read(bytes, len, ATTESTD_CBOR_ALLOW_INDEFINITE, &root, NULL, NULL));
    assert_int_equal(attestd_cbor_count(&root), 4);
    assert_true(attestd_cbor_next(&root, &at, &item));
    assert_int_equal(item.number, 1);
    assert_true(attestd_cbor_next(&root, &at, &item));
    assert_int_equal(item.type, ATTESTD_CBOR_LIST);
    assert_int_equal(attestd_cbor_count(&item), 2);
    assert_true(attestd_cbor_next(&root, &at, &item));
    assert_true(attestd_cbor_map_text(&item, "a", &item));
    assert_int_equal(item.number, 9);
    assert_true(attestd_cbor_next(&root, &at, &item));
    assert_int_equal(item.type, ATTESTD_CBOR_TAG);
    assert_int_equal(item.number, 24);
    struct attestd_cbor inside;
    size_t inside_at = 0;
    assert_true(attestd_cbor_next(&item, &inside_at, &inside));
    assert_true(attestd_bytes_are(inside.bytes, "\1\2\3", 3));
    assert_false(attestd_cbor_next(&item, &inside_at, &inside));
    assert_false(attestd_cbor_next(&root, &at, &item));
    assert_false(attestd_cbor_next(&inside, &inside_at, &item));
}

static void maps_are_searched_by_text_and_number(void **state)
{
    (void)state;
    struct attestd_cbor root, value;
    size_t len = unhex("a5010a200b63616263f539012b40410102");
    assert_true(attestd_cbor_read(bytes, len, 0, &root, NULL, NULL));
    assert_true(attestd_cbor_map_number(&root, 1, &value));
    assert_int_equal(value.number, 10);
    assert_true(attestd_cbor_map_number(&root, -1, &value));
    assert_int_equal(value.number, 11);
    assert_true(attestd_cbor_map_number(&root, -300, &value));
    assert_int_equal(value.type, ATTESTD_CBOR_BYTES);
    assert_true(attestd_cbor_map_text(&root, "abc", &value));
    assert_int_equal(value.number, 21);
    assert_false(attestd_cbor_map_text(&root, "abcd", &value));
    assert_false(attestd_cbor_map_number(&root, 2, &value));
    assert_int_equal(value.type, ATTESTD_CBOR_INVALID);
    assert_false(attestd_cbor_map_number(&root, INT64_MIN, &value));
}

static void chunks_are_put_together(void **state)
{
    (void)state;
    struct attestd_cbor item;
    uint8_t out[5];
    size_t len = unhex("5f42010240430304055f"), copied;
    bytes[len - 1] = 0xff;
    assert_true(attestd_cbor_read(bytes, len, ATTESTD_CBOR_ALLOW_INDEFINITE, &item, NULL, NULL));
    assert_true(attestd_cbor_copy(&item, out, sizeof out, &copied));
    assert_int_equal(copied, 5);
    assert_memory_equal(out, "\1\2\3\4\5", 5);
    assert_false(attestd_cbor_copy(&item, out, 4, &copied));
    assert_true(attestd_cbor_read(bytes, unhex("43616263"), 0, &item, NULL, NULL));
    assert_true(attestd_cbor_copy(&item, out, sizeof out, &copied));
    assert_int_equal(copied, 3);
    assert_false(attestd_cbor_copy(&item, out, 2, &copied));
    assert_true(attestd_cbor_read(bytes, unhex("01"), 0, &item, NULL, NULL));
    assert_false(attestd_cbor_copy(&item, out, sizeof out, &copied));
}

/* A map of count pairs of two-byte numbers to zero; the last key is that of `last`. */
static uint8_t *large_map(size_t count, size_t last, size_t *len)
{
    uint8_t *map = malloc(3 + count * 4);
    assert_non_null(map);
    map[0] = 0xb9;
    map[1] = (uint8_t)(count >> 8);
    map[2] = (uint8_t)count;
    for (size_t i = 0; i < count; i++) {
        size_t key = 1000 + (i == count - 1 ? last : i);
        memcpy(map + 3 + i * 4, (const uint8_t[]){0x19, (uint8_t)(key >> 8), (uint8_t)key, 0}, 4);
    }
    *len = 3 + count * 4;
    return map;
}

static void large_maps_are_bounded_and_their_duplicates_found(void **state)
{
    (void)state;
    static const struct {
        size_t count, last;
        const char *error;
    } cases[] = {{4096, 4095, NULL}, {4096, 7, "duplicate map key"}, {4097, 4096, "map of too many pairs"}, {33, 0, "duplicate map key"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t len;
        const char *error = NULL;
        struct attestd_cbor root;
        uint8_t *map = large_map(cases[i].count, cases[i].last, &len);
        assert_int_equal(attestd_cbor_read(map, len, 0, &root, &error, NULL), cases[i].error == NULL);
        if (cases[i].error)
            assert_string_equal(error, cases[i].error);
        free(map);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rfc_s_examples_decode),
        cmocka_unit_test(what_is_not_strict_is_refused_with_its_reason),
        cmocka_unit_test(sixteen_levels_are_read),
        cmocka_unit_test(longer_forms_are_read_unless_the_shortest_is_asked_for),
        cmocka_unit_test(bytes_may_follow_the_first_item),
        cmocka_unit_test(a_container_is_walked_item_by_item),
        cmocka_unit_test(maps_are_searched_by_text_and_number),
        cmocka_unit_test(chunks_are_put_together),
        cmocka_unit_test(large_maps_are_bounded_and_their_duplicates_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
