/* SPDX-License-Identifier: Apache-2.0 */
/* The signature of a token, checked here with libcrypto alone. */
#include "token/token.h"

#include "core/encoding.h"
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static struct attestd_keyring *ring;

static int open_ring(void **state)
{
    char error[256];
    (void)state;
    ring = attestd_keyring_open(NULL, error, sizeof(error));
    return ring == NULL ? -1 : 0;
}

static int close_ring(void **state)
{
    (void)state;
    attestd_keyring_free(ring);
    return 0;
}

static size_t decode(const char *text, size_t len, uint8_t *out, size_t size)
{
    size_t got = 0;
    assert_true(attestd_base64_decode(text, len, out, size, &got));
    return got;
}

static EVP_PKEY *published_key(void)
{
    struct attestd_text text = {0};
    uint8_t point[80] = {4};
    EVP_PKEY *key = NULL;
    attestd_keyring_jwks(ring, &text);
    json_t *jwks = json_loads(text.data, 0, NULL);
    json_t *jwk = json_array_get(json_object_get(jwks, "keys"), 0);
    assert_int_equal(decode(json_string_value(json_object_get(jwk, "x")), 43, point + 1, 40), 32);
    assert_int_equal(decode(json_string_value(json_object_get(jwk, "y")), 43, point + 33, 40), 32);
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char[]){"P-256"}, 0),
                           OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, 65), OSSL_PARAM_construct_end()};
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
    assert_int_equal(EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params), 1);
    EVP_PKEY_CTX_free(ctx);
    json_decref(jwks);
    attestd_text_free(&text);
    return key;
}

static bool signature_holds(const char *input, size_t input_len, const uint8_t raw[64])
{
    unsigned char *der = NULL;
    EVP_PKEY *key = published_key();
    ECDSA_SIG *signature = ECDSA_SIG_new();
    ECDSA_SIG_set0(signature, BN_bin2bn(raw, 32, NULL), BN_bin2bn(raw + 32, 32, NULL));
    int der_len = i2d_ECDSA_SIG(signature, &der);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key), 1);
    bool holds = EVP_DigestVerify(ctx, der, (size_t)der_len, (const unsigned char *)input, input_len) == 1;
    EVP_MD_CTX_free(ctx);
    ECDSA_SIG_free(signature);
    OPENSSL_free(der);
    EVP_PKEY_free(key);
    return holds;
}

static void header_is_exactly_alg_typ_kid(void **state)
{
    struct attestd_text token = {0};
    uint8_t header[256];
    char expected[256];
    static const char *const types[] = {ATTESTD_TOKEN_TYPE_EAR, ATTESTD_TOKEN_TYPE_JWT};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        token.len = 0;
        assert_true(attestd_jws_sign(ring, types[i], "{}", 2, &token));
        size_t len = decode(token.data, strcspn(token.data, "."), header, sizeof(header) - 1);
        header[len] = '\0';
        snprintf(expected, sizeof(expected), "{\"alg\":\"ES256\",\"typ\":\"%s\",\"kid\":\"%s\"}", types[i], attestd_keyring_kid(ring));
        assert_string_equal((const char *)header, expected);
    }
    attestd_text_free(&token);
}

static void a_type_that_is_not_ours_is_not_signed(void **state)
{
    struct attestd_text token = {0};
    (void)state;
    attestd_text_puts(&token, "kept");
    assert_false(attestd_jws_sign(ring, "at+jwt", "{}", 2, &token));
    assert_string_equal(token.data, "kept");
    attestd_text_free(&token);
}

/* 64 bytes always, whatever leading zeros r and s have: 300 signatures show about two of each. */
static void signatures_are_raw_and_verify_for_payloads_of_every_length(void **state)
{
    uint8_t raw[100], payload_back[1200];
    char payload[1000];
    (void)state;
    memset(payload, 'a', sizeof(payload));
    for (size_t len = 0; len < 900; len += 3 + len % 2) {
        struct attestd_text token = {0};
        assert_true(attestd_jws_sign(ring, ATTESTD_TOKEN_TYPE_EAR, payload, len, &token));
        const char *first = strchr(token.data, '.'), *last = strrchr(token.data, '.');
        assert_int_equal(decode(last + 1, strlen(last + 1), raw, sizeof(raw)), 64);
        assert_int_equal(strlen(last + 1), 86);
        assert_int_equal(decode(first + 1, (size_t)(last - first - 1), payload_back, sizeof(payload_back)), len);
        assert_memory_equal(payload_back, payload, len);
        assert_true(signature_holds(token.data, (size_t)(last - token.data), raw));
        raw[40] ^= 1;
        assert_false(signature_holds(token.data, (size_t)(last - token.data), raw));
        attestd_text_free(&token);
    }
}

static void a_token_is_appended_to_what_is_there(void **state)
{
    struct attestd_text token = {0};
    (void)state;
    attestd_text_puts(&token, "Bearer ");
    assert_true(attestd_jws_sign(ring, ATTESTD_TOKEN_TYPE_JWT, "{}", 2, &token));
    assert_memory_equal(token.data, "Bearer eyJ", 10);
    const char *last = strrchr(token.data, '.');
    uint8_t raw[100];
    decode(last + 1, strlen(last + 1), raw, sizeof(raw));
    assert_true(signature_holds(token.data + 7, (size_t)(last - token.data) - 7, raw));
    attestd_text_free(&token);
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Not a bench: it fails only when something is looked up again for each token, which costs several times a signature. */
static void signing_costs_little_more_than_the_signature(void **state)
{
    char payload[2500];
    uint8_t digest[32] = {1}, der[80];
    size_t der_len;
    struct attestd_text token = {0};
    EVP_PKEY *key = EVP_EC_gen("P-256");
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    (void)state;
    memset(payload, 'a', sizeof(payload));
    assert_int_equal(EVP_PKEY_sign_init(ctx), 1);
    double start = seconds();
    for (int i = 0; i < 2000; i++) {
        der_len = sizeof(der);
        assert_int_equal(EVP_PKEY_sign(ctx, der, &der_len, digest, 32), 1);
    }
    double bare = seconds() - start;
    start = seconds();
    for (int i = 0; i < 2000; i++) {
        token.len = 0;
        assert_true(attestd_jws_sign(ring, ATTESTD_TOKEN_TYPE_EAR, payload, sizeof(payload), &token));
    }
    double whole = seconds() - start;
    print_message("libcrypto signs %.0f/s, tokens of %zu characters %.0f/s\n", 2000 / bare, token.len, 2000 / whole);
#ifndef ATTESTD_SANITIZED
    assert_true(whole < 4 * bare);
#endif
    attestd_text_free(&token);
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(header_is_exactly_alg_typ_kid),
        cmocka_unit_test(a_type_that_is_not_ours_is_not_signed),
        cmocka_unit_test(signatures_are_raw_and_verify_for_payloads_of_every_length),
        cmocka_unit_test(a_token_is_appended_to_what_is_there),
        cmocka_unit_test(signing_costs_little_more_than_the_signature),
    };
    return cmocka_run_group_tests(tests, open_ring, close_ring);
}
