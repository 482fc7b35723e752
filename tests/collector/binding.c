/* SPDX-License-Identifier: Apache-2.0 */
/* The guest's reading of layout attestd-v1 against the verifier's. */
#include "core/binding.h"
#include "sdk/collector/collector.h"

#include <openssl/pem.h>
#include <openssl/rand.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

static size_t random_below(size_t bound)
{
    uint32_t number;
    assert_int_equal(RAND_bytes((unsigned char *)&number, sizeof number), 1);
    return number % bound;
}

static void random_name(char name[33])
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789._-";
    size_t len = 1 + random_below(32);
    name[0] = letters[random_below(26)];
    for (size_t i = 1; i < len; i++) {
        name[i] = letters[random_below(sizeof letters - 1)];
    }
    name[len] = '\0';
}

/* What was set, as the verifier would have read it from the request; in order, because core's function is given it in order. */
struct expected {
    struct attestd_datum data[COLLECTOR_MAX_DATA];
    size_t count;
};

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct attestd_datum *)a)->name, ((const struct attestd_datum *)b)->name);
}

static void add_random_data(struct attest *attest, struct attestd_arena *arena, struct expected *expected)
{
    size_t wanted = random_below(COLLECTOR_MAX_DATA + 1);
    for (size_t i = 0; i < wanted; i++) {
        char name[33];
        uint8_t value[200];
        size_t len = random_below(sizeof value);
        random_name(name);
        RAND_bytes(value, sizeof value);
        if (attest_add_data(attest, name, value, len) == ATTEST_OK) {
            expected->data[expected->count++] = (struct attestd_datum){
                (const char *)attestd_arena_bytes(arena, name, strlen(name) + 1).data, attestd_arena_bytes(arena, value, len)};
        }
    }
    qsort(expected->data, expected->count, sizeof expected->data[0], by_name);
}

static void d_equals_the_verifiers_for_random_requests(void **state)
{
    (void)state;
    for (int round = 0; round < 300; round++) {
        struct attestd_arena *arena = attestd_arena_new();
        struct attest *attest = attest_new();
        struct expected expected = {.count = 0};
        uint8_t nonce[64], ours[64], theirs[64];
        size_t nonce_len = 8 + random_below(57);
        RAND_bytes(nonce, sizeof nonce);
        const char *audience = random_below(3) ? "https://kms.example/\xc3\xa9" : NULL;
        attest_set_audience(attest, audience);
        add_random_data(attest, arena, &expected);

        const struct attestd_jwk *key = NULL;
        if (random_below(4)) {
            assert_true(collector_have_key(attest));
            char *text = collector_key_jwk(attest);
            json_t *jwk = json_loads(text, 0, NULL);
            const char *error = NULL;
            key = attestd_jwk_read(arena, jwk, &error);
            assert_non_null(key);
            assert_string_equal(key->json, text); /* already what RFC 7638 hashes */
            json_decref(jwk);
            free(text);
        }
        assert_true(collector_binding(attest, nonce, nonce_len, ours));
        attestd_binding_d((struct attestd_bytes){nonce, nonce_len}, audience, key, expected.data, expected.count, NULL, 0, theirs);
        assert_memory_equal(ours, theirs, sizeof ours);
        attest_free(attest);
        attestd_arena_free(arena);
    }
}

static void names_that_the_verifier_refuses_are_refused_here(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "Image", "1st", "a b", "attestd.x", "a123456789012345678901234567890123", "\xc3\xa9"};
    struct attest *attest = attest_new();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(attest_add_data(attest, bad[i], (const uint8_t *)"x", 1), ATTEST_USAGE);
    }
    assert_int_equal(attest_add_data(attest, "image", (const uint8_t *)"x", 1), ATTEST_OK);
    assert_int_equal(attest_add_data(attest, "image", (const uint8_t *)"y", 1), ATTEST_USAGE);
    assert_non_null(strstr(attest_detail(attest), "already"));
    attest_free(attest);
}

static void a_key_of_another_kind_is_refused_and_the_old_one_stays(void **state)
{
    (void)state;
    struct attest *attest = attest_new();
    char *before = attest_key_pem(attest);
    EVP_PKEY *other = EVP_EC_gen("P-384");
    BIO *memory = BIO_new(BIO_s_mem());
    char *text = NULL;
    assert_int_equal(PEM_write_bio_PrivateKey(memory, other, NULL, NULL, 0, NULL, NULL), 1);
    BIO_write(memory, "", 1);
    BIO_get_mem_data(memory, &text);
    assert_int_equal(attest_set_key_pem(attest, text), ATTEST_USAGE);
    assert_int_equal(attest_set_key_pem(attest, "not a key"), ATTEST_USAGE);
    char *after = attest_key_pem(attest);
    assert_string_equal(before, after);
    assert_int_equal(attest_set_key_pem(attest, after), ATTEST_OK);
    free(before);
    free(after);
    BIO_free(memory);
    EVP_PKEY_free(other);
    attest_free(attest);
}

static void base64_of_both_alphabets_is_read(void **state)
{
    (void)state;
    for (int round = 0; round < 200; round++) {
        uint8_t bytes[64], back[64];
        size_t len = random_below(sizeof bytes) + 1, got = 0;
        RAND_bytes(bytes, sizeof bytes);
        char *plain = collector_base64(bytes, len), *url = collector_base64url(bytes, len);
        assert_true(collector_base64_read(plain, back, sizeof back, &got));
        assert_int_equal(got, len);
        assert_memory_equal(back, bytes, len);
        assert_true(collector_base64_read(url, back, sizeof back, &got));
        assert_int_equal(got, len);
        assert_memory_equal(back, bytes, len);
        assert_false(collector_base64_read(plain, back, len - 1, &got));
        free(plain);
        free(url);
    }
    uint8_t back[64];
    size_t got = 0;
    assert_false(collector_base64_read("A", back, sizeof back, &got));
    assert_false(collector_base64_read("AA=A", back, sizeof back, &got));
    assert_false(collector_base64_read("A!AA", back, sizeof back, &got));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(d_equals_the_verifiers_for_random_requests),
        cmocka_unit_test(names_that_the_verifier_refuses_are_refused_here),
        cmocka_unit_test(a_key_of_another_kind_is_refused_and_the_old_one_stays),
        cmocka_unit_test(base64_of_both_alphabets_is_read),
    };
    return cmocka_run_group_tests_name("collector.binding", tests, NULL, NULL);
}
