/* SPDX-License-Identifier: Apache-2.0 */
#include "server/addresses.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
/* cmocka's header wants the above */
#include <cmocka.h>

#define SECOND 1000000000u

static void key_of(uint32_t number, uint8_t key[9])
{
    memset(key, 0, 9);
    key[0] = 4;
    memcpy(key + 1, &number, sizeof number);
}

static void connections_of_an_address_are_limited_and_given_back(void **state)
{
    (void)state;
    struct addresses *all = addresses_new(16);
    uint8_t a[9], b[9];
    key_of(1, a);
    key_of(2, b);
    for (int i = 0; i < 3; i++)
        assert_true(addresses_connect(all, a, 3));
    assert_false(addresses_connect(all, a, 3));
    assert_true(addresses_connect(all, b, 3));
    addresses_disconnect(all, a);
    assert_true(addresses_connect(all, a, 3));
    addresses_free(all);
}

static void full_table_forgets_the_idle_and_never_the_connected(void **state)
{
    (void)state;
    struct addresses *all = addresses_new(16);
    uint8_t key[9];
    for (uint32_t i = 0; i < 16; i++) {
        key_of(i, key);
        assert_true(addresses_connect(all, key, 1));
    }
    key_of(99, key);
    assert_false(addresses_connect(all, key, 1)); /* no place */
    for (uint32_t i = 0; i < 16; i++) {
        key_of(i, key);
        assert_false(addresses_connect(all, key, 1)); /* each is still known */
    }
    key_of(7, key);
    addresses_disconnect(all, key);
    key_of(99, key);
    assert_true(addresses_connect(all, key, 1));
    addresses_free(all);
}

static void bucket_gives_its_burst_then_its_rate(void **state)
{
    (void)state;
    struct addresses *all = addresses_new(16);
    uint8_t key[9];
    unsigned retry_after = 0;
    uint64_t now = 5ull * SECOND;
    key_of(1, key);
    for (int i = 0; i < 10; i++)
        assert_true(addresses_take(all, key, 2, 10, now, &retry_after));
    assert_false(addresses_take(all, key, 2, 10, now, &retry_after));
    assert_int_equal(retry_after, 1);
    now += SECOND;
    assert_true(addresses_take(all, key, 2, 10, now, &retry_after));
    assert_true(addresses_take(all, key, 2, 10, now, &retry_after));
    assert_false(addresses_take(all, key, 2, 10, now, &retry_after));
    now += 3600ull * SECOND;
    for (int i = 0; i < 10; i++)
        assert_true(addresses_take(all, key, 2, 10, now, &retry_after));
    assert_false(addresses_take(all, key, 2, 10, now, &retry_after));
    addresses_free(all);
}

static void flood_of_addresses_does_not_grow_the_table(void **state)
{
    (void)state;
    struct addresses *all = addresses_new(64);
    uint8_t known[9], key[9];
    unsigned retry_after;
    key_of(UINT32_MAX, known);
    assert_true(addresses_connect(all, known, 1));
    for (uint32_t i = 0; i < 100000; i++) {
        key_of(i, key);
        assert_true(addresses_take(all, key, 1, 1, SECOND, &retry_after));
    }
    assert_false(addresses_connect(all, known, 1));
    addresses_free(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connections_of_an_address_are_limited_and_given_back),
        cmocka_unit_test(full_table_forgets_the_idle_and_never_the_connected),
        cmocka_unit_test(bucket_gives_its_burst_then_its_rate),
        cmocka_unit_test(flood_of_addresses_does_not_grow_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
