/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks with key tables against plain checks. Each signature is tried both ways through the public interface; tables must answer what
 * libcrypto's own ECDSA answers. 5,000 signatures; ATTESTD_LONG=1: 100,000.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "tests/core/cmocka_includes.h"

#include "core/key_tables.h"
#include "core/signature.h"
#include "tests/core/mint.h"
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 48, KEYS = 6 };

static EC_GROUP *group;
static BN_CTX *context;
static const BIGNUM *order;

/* A key pair whose private number is known, since adversarial signatures are computed from it. */
struct pair {
    BIGNUM *secret;
    struct attestd_key *key;
};
static struct pair pairs[KEYS];

static void random_number(BIGNUM *number)
{
    do
        assert_int_equal(BN_rand_range(number, order), 1);
    while (BN_is_zero(number));
}

static struct attestd_key *key_of(const BIGNUM *secret)
{
    EC_POINT *point = EC_POINT_new(group);
    uint8_t octets[97];
    assert_int_equal(EC_POINT_mul(group, point, secret, NULL, NULL, context), 1);
    assert_int_equal(EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, octets, sizeof octets, context), 97);
    EC_POINT_free(point);
    return attestd_key_from_point(octets + 1, octets + 49, WIDTH);
}

/* Three keys at random, then G, -G and 2 G. */
static int make_pairs(void **state)
{
    (void)state;
    group = EC_GROUP_new_by_curve_name(NID_secp384r1);
    context = BN_CTX_new();
    order = EC_GROUP_get0_order(group);
    for (size_t i = 0; i < KEYS; i++) {
        pairs[i].secret = BN_new();
        random_number(pairs[i].secret);
        if (i == 3 || i == 4)
            BN_one(pairs[i].secret);
        if (i == 4)
            BN_sub(pairs[i].secret, order, BN_value_one());
        if (i == 5)
            BN_set_word(pairs[i].secret, 2);
        pairs[i].key = key_of(pairs[i].secret);
        assert_non_null(pairs[i].key);
    }
    attestd_key_tables_enable(true, 64);
    assert_true(key_tables_on());
    return 0;
}

static int free_pairs(void **state)
{
    (void)state;
    attestd_key_tables_enable(false, 0);
    for (size_t i = 0; i < KEYS; i++) {
        BN_free(pairs[i].secret);
        attestd_key_free(pairs[i].key);
    }
    BN_CTX_free(context);
    EC_GROUP_free(group);
    return 0;
}

static void put(uint8_t *out, const BIGNUM *number)
{
    assert_int_equal(BN_bn2binpad(number, out, WIDTH), WIDTH);
}

/* r = (k G).x, s = (e + r d) / k */
static void sign(const BIGNUM *secret, const BIGNUM *nonce, const uint8_t digest[48], uint8_t signature[96])
{
    EC_POINT *point = EC_POINT_new(group);
    BIGNUM *r = BN_new(), *s = BN_new(), *e = BN_bin2bn(digest, WIDTH, NULL);
    EC_POINT_mul(group, point, nonce, NULL, NULL, context);
    EC_POINT_get_affine_coordinates(group, point, r, NULL, context);
    BN_nnmod(r, r, order, context);
    BN_mod_mul(s, r, secret, order, context);
    BN_mod_add(s, s, e, order, context);
    BN_mod_inverse(e, nonce, order, context);
    BN_mod_mul(s, s, e, order, context);
    put(signature, r);
    put(signature + WIDTH, s);
    BN_free(r);
    BN_free(s);
    BN_free(e);
    EC_POINT_free(point);
}

static const uint8_t *point_of(const struct attestd_key *key)
{
    struct attestd_bytes spki = attestd_key_spki(key);
    return spki.data + spki.len - 96;
}

struct tally {
    unsigned good, bad, fallen_back;
};

/* Both ways; they must agree, and with `expected` when it is 0 or 1. */
static void compare(const struct attestd_key *key, const uint8_t digest[48], const uint8_t signature[96], int expected, struct tally *tally)
{
    key_tables_pause(true);
    bool plain = attestd_key_verify_digest(key, ATTESTD_ECDSA_P384_SHA384, digest, WIDTH, signature, 2 * WIDTH);
    key_tables_pause(false);
    bool with = attestd_key_verify_digest(key, ATTESTD_ECDSA_P384_SHA384, digest, WIDTH, signature, 2 * WIDTH);
    assert_int_equal(plain, with);
    if (expected >= 0)
        assert_int_equal(plain, expected);
    *(plain ? &tally->good : &tally->bad) += 1;
    /* Ask the table itself too, for all values that may reach it. */
    BIGNUM *r = BN_bin2bn(signature, WIDTH, NULL), *s = BN_bin2bn(signature + WIDTH, WIDTH, NULL);
    if (!BN_is_zero(r) && !BN_is_zero(s) && BN_cmp(r, order) < 0 && BN_cmp(s, order) < 0) {
        key_table_make(attestd_key_digest(key), point_of(key));
        int table = key_table_verify(attestd_key_digest(key), digest, signature);
        assert_true(table == -1 || table == plain);
        tally->fallen_back += table == -1;
    }
    BN_free(r);
    BN_free(s);
}

static void random_bytes(uint8_t *bytes, size_t len)
{
    BIGNUM *number = BN_new();
    BN_rand(number, (int)len * 8, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY);
    BN_bn2binpad(number, bytes, (int)len);
    BN_free(number);
}

static void tables_agree_with_the_plain_check_on_thousands(void **state)
{
    (void)state;
    const char *asked = getenv("ATTESTD_LONG");
    unsigned count = asked && strcmp(asked, "1") == 0 ? 100000 : 5000;
    struct tally tally = {0};
    BIGNUM *nonce = BN_new();
    for (unsigned i = 0; i < count; i++) {
        uint8_t digest[48], signature[96];
        const struct pair *pair = &pairs[i % KEYS];
        random_bytes(digest, sizeof digest);
        random_number(nonce);
        sign(pair->secret, nonce, digest, signature);
        int expected = 1;
        if (i % 2) { /* every second one altered: a bit of r, of s, or of the digest */
            unsigned bit = i / 2 % (8 * 144);
            uint8_t *byte = bit < 768 ? &signature[bit / 8] : &digest[bit / 8 - 96];
            *byte ^= (uint8_t)(1 << bit % 8);
            expected = 0;
        }
        compare(pair->key, digest, signature, expected, &tally);
    }
    assert_int_equal(tally.good + tally.bad, count);
    assert_true(tally.good == (count + 1) / 2);
    assert_true(tally.fallen_back < count / 100);
    BN_free(nonce);
}

/* Small and large r and s, alone and together, with digests that are 0, 1, n - 1, n, n + 1 and all ones. */
static void tables_agree_on_values_at_the_edges(void **state)
{
    (void)state;
    uint8_t edges[9][48] = {{0}};
    BIGNUM *number = BN_new();
    for (size_t i = 1; i < 4; i++)
        edges[i][47] = (uint8_t)i;
    for (int i = -2; i < 2; i++) { /* n - 2 .. n + 1 */
        BN_copy(number, order);
        BN_add_word(number, 10);
        BN_sub_word(number, (BN_ULONG)(10 - i));
        put(edges[6 + i], number);
    }
    memset(edges[8], 0xff, 48);
    struct tally tally = {0};
    for (size_t k = 0; k < KEYS; k++)
        for (size_t r = 0; r < 9; r++)
            for (size_t s = 0; s < 9; s++)
                for (size_t e = 0; e < 9; e += k < 3 ? 3 : 1) {
                    uint8_t signature[96];
                    memcpy(signature, edges[r], 48);
                    memcpy(signature + 48, edges[s], 48);
                    compare(pairs[k].key, edges[e], signature, -1, &tally);
                }
    assert_true(tally.bad > 1000);
    BN_free(number);
}

/* Good signatures whose arithmetic meets every exceptional case there is. */
static void good_signatures_over_exceptional_values_pass(void **state)
{
    (void)state;
    struct tally tally = {0};
    BIGNUM *nonce = BN_new();
    uint8_t digests[5][48] = {{0}}, signature[96];
    put(digests[1], order); /* e = 0 modulo n: u1 = 0 */
    digests[2][47] = 1;
    memset(digests[3], 0xff, 48);
    random_bytes(digests[4], 48);
    for (size_t k = 0; k < KEYS; k++)
        for (size_t e = 0; e < 5; e++)
            for (unsigned small = 1; small < 9; small++) { /* R = G, 2 G, ..., then -G, -2 G, ... */
                BN_set_word(nonce, small);
                sign(pairs[k].secret, nonce, digests[e], signature);
                BIGNUM *s = BN_bin2bn(signature + 48, 48, NULL);
                int expected = !BN_is_zero(s); /* s = 0 is no signature */
                BN_free(s);
                compare(pairs[k].key, digests[e], signature, expected, &tally);
                BN_sub(nonce, order, nonce);
                sign(pairs[k].secret, nonce, digests[e], signature);
                s = BN_bin2bn(signature + 48, 48, NULL);
                compare(pairs[k].key, digests[e], signature, !BN_is_zero(s), &tally);
                BN_free(s);
            }
    assert_true(tally.good > 400);
    assert_true(tally.fallen_back >= 2 * KEYS * 8); /* all with e = 0 */
    BN_free(nonce);
}

/* Chooses u1 and u2 and derives r, s and e that give them: u1 = 1, u1 G = u2 Q (a doubling) and u1 G = -u2 Q (R at infinity). */
static void chosen_multiples_agree(void **state)
{
    (void)state;
    struct tally tally = {0};
    BIGNUM *r = BN_new(), *s = BN_new(), *e = BN_new(), *u1 = BN_new(), *u2 = BN_new();
    EC_POINT *point = EC_POINT_new(group);
    for (size_t k = 0; k < KEYS; k++)
        for (int variant = 0; variant < 40; variant++) {
            random_number(u2);
            if (variant % 4 == 0) {
                BN_one(u1);
            } else {
                BN_mod_mul(u1, u2, pairs[k].secret, order, context);
                if (variant % 4 == 2) /* R at infinity: any r will do, none may pass */
                    BN_sub(u1, order, u1);
                if (variant % 4 == 3) /* u1 = u2 */
                    BN_copy(u1, u2);
            }
            BN_mod_mul(r, u2, pairs[k].secret, order, context);
            BN_mod_add(r, r, u1, order, context);
            bool infinite = BN_is_zero(r);
            if (infinite) {
                random_number(r);
            } else {
                EC_POINT_mul(group, point, r, NULL, NULL, context);
                EC_POINT_get_affine_coordinates(group, point, r, NULL, context);
                BN_nnmod(r, r, order, context);
            }
            BN_mod_inverse(s, u2, order, context); /* s = r / u2, e = u1 s */
            BN_mod_mul(s, s, r, order, context);
            BN_mod_mul(e, u1, s, order, context);
            uint8_t digest[48], signature[96];
            put(digest, e);
            put(signature, r);
            put(signature + 48, s);
            compare(pairs[k].key, digest, signature, !infinite, &tally);
        }
    assert_true(tally.bad >= KEYS * 10);
    assert_true(tally.good >= KEYS * 25);
    assert_true(tally.fallen_back >= KEYS * 10);
    BN_free(r);
    BN_free(s);
    BN_free(e);
    BN_free(u1);
    BN_free(u2);
    EC_POINT_free(point);
}

static void a_key_earns_its_table_by_good_signatures(void **state)
{
    (void)state;
    attestd_key_tables_enable(true, 8);
    BIGNUM *nonce = BN_new(), *secret = BN_new();
    uint8_t digest[48] = {1}, signature[96];
    random_number(nonce);
    random_number(secret);
    struct attestd_key *key = key_of(secret);
    sign(secret, nonce, digest, signature);
    uint8_t wrong[96];
    memcpy(wrong, signature, 96);
    wrong[95] ^= 1;
    for (int i = 0; i < 50; i++)
        assert_false(attestd_key_verify_digest(key, ATTESTD_ECDSA_P384_SHA384, digest, 48, wrong, 96));
    assert_int_equal(key_table_verify(attestd_key_digest(key), digest, signature), -1);
    for (int i = 0; i < 3; i++)
        assert_true(attestd_key_verify_digest(key, ATTESTD_ECDSA_P384_SHA384, digest, 48, signature, 96));
    assert_int_equal(key_table_verify(attestd_key_digest(key), digest, signature), 1);
    assert_int_equal(key_table_verify(attestd_key_digest(key), digest, wrong), 0);
    attestd_key_tables_enable(false, 0);
    assert_int_equal(key_table_verify(attestd_key_digest(key), digest, signature), -1);
    assert_true(attestd_key_verify_digest(key, ATTESTD_ECDSA_P384_SHA384, digest, 48, signature, 96));
    attestd_key_tables_enable(true, 64);
    attestd_key_free(key);
    BN_free(nonce);
    BN_free(secret);
}

static void no_more_tables_than_asked_for_are_kept(void **state)
{
    (void)state;
    attestd_key_tables_enable(true, 3);
    BIGNUM *nonce = BN_new();
    uint8_t digest[48] = {1}, signature[96];
    random_number(nonce);
    unsigned kept = 0;
    for (size_t i = 0; i < KEYS; i++)
        key_table_make(attestd_key_digest(pairs[i].key), point_of(pairs[i].key));
    for (size_t i = 0; i < KEYS; i++) {
        sign(pairs[i].secret, nonce, digest, signature);
        kept += key_table_verify(attestd_key_digest(pairs[i].key), digest, signature) == 1;
    }
    assert_int_equal(kept, 3);
    attestd_key_tables_enable(true, 64);
    BN_free(nonce);
}

static uint8_t shared_digest[48] = {7}, shared_signatures[KEYS][96];

static void *check_often(void *failed)
{
    for (unsigned i = 0; i < 300; i++) {
        size_t k = i % KEYS;
        if (!attestd_key_verify_digest(pairs[k].key, ATTESTD_ECDSA_P384_SHA384, shared_digest, 48, shared_signatures[k], 96) ||
            attestd_key_verify_digest(pairs[k].key, ATTESTD_ECDSA_P384_SHA384, shared_digest, 48, shared_signatures[(k + 1) % KEYS], 96))
            return failed;
    }
    return NULL;
}

static void threads_share_tables_that_come_and_go(void **state)
{
    (void)state;
    pthread_t threads[6];
    BIGNUM *nonce = BN_new();
    for (size_t i = 0; i < KEYS; i++) {
        random_number(nonce);
        sign(pairs[i].secret, nonce, shared_digest, shared_signatures[i]);
    }
    attestd_key_tables_enable(true, 4); /* fewer than there are keys: they push each other out */
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, check_often, &shared_digest), 0);
    for (size_t i = 0; i < 6; i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    attestd_key_tables_enable(true, 64);
    BN_free(nonce);
}

static void measuring_gives_a_ratio_and_keeps_what_pays(void **state)
{
    (void)state;
    unsigned percent = attestd_key_tables_measure();
    print_message("with tables: %u %% of the plain rate\n", percent);
    assert_true(percent > 0);
    assert_int_equal(key_tables_on(), percent > 100);
    attestd_key_tables_enable(false, 0);
    assert_int_equal(attestd_key_tables_measure(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_agree_with_the_plain_check_on_thousands), cmocka_unit_test(tables_agree_on_values_at_the_edges),
        cmocka_unit_test(good_signatures_over_exceptional_values_pass),   cmocka_unit_test(chosen_multiples_agree),
        cmocka_unit_test(a_key_earns_its_table_by_good_signatures),       cmocka_unit_test(no_more_tables_than_asked_for_are_kept),
        cmocka_unit_test(threads_share_tables_that_come_and_go),          cmocka_unit_test(measuring_gives_a_ratio_and_keeps_what_pays),
    };
    return cmocka_run_group_tests(tests, make_pairs, free_pairs);
}
