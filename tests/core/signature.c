/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/core/cmocka_includes.h"

#include "core/digest.h"
#include "core/encoding.h"
#include "core/signature.h"
#include "tests/core/mint.h"
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <pthread.h>
#include <string.h>

static const char MESSAGE[] = "what the attester signed";

struct curve {
    const char *name, *md;
    int raw, der;
    size_t width;
    const char *order; /* hex */
};
static const struct curve CURVES[] = {
    {"P-256", "SHA256", ATTESTD_ECDSA_P256_SHA256, ATTESTD_ECDSA_P256_SHA256_DER, 32,
     "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"},
    {"P-384", "SHA384", ATTESTD_ECDSA_P384_SHA384, ATTESTD_ECDSA_P384_SHA384_DER, 48,
     "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973"},
};

static bool verify(const struct attestd_key *key, int algorithm, const uint8_t *signature, size_t len)
{
    return attestd_key_verify(key, algorithm, MESSAGE, sizeof MESSAGE, signature, len);
}

static void the_orders_are_libcrypto_s(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        EC_GROUP *group = EC_GROUP_new_by_curve_name(OBJ_txt2nid(i ? "secp384r1" : "prime256v1"));
        uint8_t order[48], expected[48];
        size_t len;
        assert_true(attestd_hex_decode(CURVES[i].order, strlen(CURVES[i].order), expected, sizeof expected, &len));
        assert_int_equal(BN_bn2binpad(EC_GROUP_get0_order(group), order, (int)len), len);
        assert_memory_equal(order, expected, len);
        EC_GROUP_free(group);
    }
}

static void a_good_ecdsa_signature_passes_in_both_forms(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const struct curve *c = &CURVES[i];
        EVP_PKEY *pkey = mint_key(c->name, 0);
        struct attestd_key *key = mint_public(pkey);
        for (int round = 0; round < 64; round++) { /* enough for short r and s */
            uint8_t der[128], raw[96], digest[48];
            size_t len = mint_signature(pkey, c->md, -1, MESSAGE, sizeof MESSAGE, der, sizeof der);
            mint_raw(der, len, c->width, raw);
            assert_true(verify(key, c->raw, raw, 2 * c->width));
            assert_true(verify(key, c->der, der, len));
            (c->width == 32 ? attestd_sha256 : attestd_sha384)(MESSAGE, sizeof MESSAGE, digest);
            assert_true(attestd_key_verify_digest(key, c->raw, digest, c->width, raw, 2 * c->width));
            assert_false(attestd_key_verify_digest(key, c->raw, digest, c->width - 1, raw, 2 * c->width));
            digest[0] ^= 1;
            assert_false(attestd_key_verify_digest(key, c->raw, digest, c->width, raw, 2 * c->width));
        }
        attestd_key_free(key);
        EVP_PKEY_free(pkey);
    }
}

static void every_flipped_bit_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const struct curve *c = &CURVES[i];
        EVP_PKEY *pkey = mint_key(c->name, 0);
        struct attestd_key *key = mint_public(pkey);
        uint8_t der[128], raw[96];
        size_t len = mint_signature(pkey, c->md, -1, MESSAGE, sizeof MESSAGE, der, sizeof der);
        mint_raw(der, len, c->width, raw);
        for (size_t bit = 0; bit < 16 * c->width; bit += 5) {
            raw[bit / 8] ^= (uint8_t)(1 << bit % 8);
            assert_false(verify(key, c->raw, raw, 2 * c->width));
            raw[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        for (size_t at = 0; at < len; at++) {
            der[at] ^= 0x81;
            assert_false(verify(key, c->der, der, len));
            der[at] ^= 0x81;
        }
        assert_true(verify(key, c->raw, raw, 2 * c->width));
        attestd_key_free(key);
        EVP_PKEY_free(pkey);
    }
}

static void values_out_of_range_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const struct curve *c = &CURVES[i];
        EVP_PKEY *pkey = mint_key(c->name, 0);
        struct attestd_key *key = mint_public(pkey);
        uint8_t values[6][48] = {{0}}, raw[96];
        size_t len;
        values[1][c->width - 1] = 1;
        memset(values[2], 0xff, c->width);
        assert_true(attestd_hex_decode(c->order, strlen(c->order), values[3], 48, &len)); /* n */
        memcpy(values[4], values[3], c->width);
        values[4][c->width - 1]--; /* n - 1: in range, and yet no signature */
        memcpy(values[5], values[3], c->width);
        values[5][c->width - 1]++; /* n + 1 */
        for (size_t r = 0; r < 6; r++)
            for (size_t s = 0; s < 6; s++) {
                memcpy(raw, values[r], c->width);
                memcpy(raw + c->width, values[s], c->width);
                assert_false(verify(key, c->raw, raw, 2 * c->width));
            }
        attestd_key_free(key);
        EVP_PKEY_free(pkey);
    }
}

static void r_plus_n_is_not_taken_for_r(void **state)
{
    (void)state;
    /* The second encoding of one number: only a value below 2^width - n has it, so the test looks for a small s by trying. */
    const struct curve *c = &CURVES[0];
    EVP_PKEY *pkey = mint_key(c->name, 0);
    struct attestd_key *key = mint_public(pkey);
    BIGNUM *order = NULL, *sum = BN_new();
    BN_hex2bn(&order, c->order);
    uint8_t der[128], raw[64], wide[33];
    size_t len = mint_signature(pkey, c->md, -1, MESSAGE, sizeof MESSAGE, der, sizeof der);
    mint_raw(der, len, 32, raw);
    BN_bin2bn(raw, 32, sum);
    BN_add(sum, sum, order);
    BN_bn2binpad(sum, wide, 33);
    assert_true(verify(key, c->raw, raw, 64));
    memcpy(raw, wide + 1, 32); /* r + n cut to 32 bytes */
    assert_false(verify(key, c->raw, raw, 64));
    BN_free(order);
    BN_free(sum);
    attestd_key_free(key);
    EVP_PKEY_free(pkey);
}

static void other_lengths_and_forms_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const struct curve *c = &CURVES[i];
        EVP_PKEY *pkey = mint_key(c->name, 0);
        struct attestd_key *key = mint_public(pkey);
        uint8_t der[128], raw[98] = {0};
        size_t len = mint_signature(pkey, c->md, -1, MESSAGE, sizeof MESSAGE, der, sizeof der);
        mint_raw(der, len, c->width, raw);
        for (size_t wrong = 0; wrong < 2 * c->width + 2; wrong++)
            if (wrong != 2 * c->width)
                assert_false(verify(key, c->raw, raw, wrong));
        for (size_t wrong = 0; wrong < len; wrong++)
            assert_false(verify(key, c->der, der, wrong));
        der[len] = 0;
        assert_false(verify(key, c->der, der, len + 1));
        assert_false(verify(key, c->raw, der, len));
        assert_false(verify(key, c->der, raw, 2 * c->width));
        assert_false(verify(key, CURVES[1 - i].raw, raw, 2 * c->width));
        assert_false(verify(key, ATTESTD_RSA_PSS_SHA384, raw, 2 * c->width));
        assert_false(verify(key, 0, raw, 2 * c->width));
        assert_false(verify(key, 99, raw, 2 * c->width));
        assert_false(verify(key, -1, raw, 2 * c->width));
        assert_false(verify(key, c->raw, NULL, 2 * c->width));
        assert_false(attestd_key_verify(NULL, c->raw, MESSAGE, 1, raw, 2 * c->width));
        attestd_key_free(key);
        EVP_PKEY_free(pkey);
    }
}

/* The DER forms that BER and careless decoders let pass (X.690 sections 8.3.2 and 10.1). */
static void a_der_signature_has_one_form(void **state)
{
    (void)state;
    EVP_PKEY *pkey = mint_key("P-256", 0);
    struct attestd_key *key = mint_public(pkey);
    uint8_t der[128], raw[64], other[128];
    size_t len;
    do { /* r and s of full length and positive, so that the variants below mean what they say */
        len = mint_signature(pkey, "SHA256", -1, MESSAGE, sizeof MESSAGE, der, sizeof der);
        mint_raw(der, len, 32, raw);
    } while (len != 70);
    assert_true(verify(key, ATTESTD_ECDSA_P256_SHA256_DER, der, len));
    /* a leading zero that nothing demands */
    memcpy(other, (const uint8_t[]){0x30, 0x45, 0x02, 0x21, 0x00}, 5);
    memcpy(other + 5, der + 4, 66);
    assert_false(verify(key, ATTESTD_ECDSA_P256_SHA256_DER, other, 71));
    /* the length in two bytes */
    memcpy(other, (const uint8_t[]){0x30, 0x81, 0x44}, 3);
    memcpy(other + 3, der + 2, 68);
    assert_false(verify(key, ATTESTD_ECDSA_P256_SHA256_DER, other, 71));
    /* indefinite length */
    memcpy(other, (const uint8_t[]){0x30, 0x80}, 2);
    memcpy(other + 2, der + 2, 68);
    memset(other + 70, 0, 2);
    assert_false(verify(key, ATTESTD_ECDSA_P256_SHA256_DER, other, 72));
    /* a third INTEGER */
    memcpy(other, der, 70);
    other[1] = 0x47;
    memcpy(other + 70, (const uint8_t[]){0x02, 0x01, 0x00}, 3);
    assert_false(verify(key, ATTESTD_ECDSA_P256_SHA256_DER, other, 73));
    /* r = s = 0, empty and negative INTEGERs */
    assert_false(verify(key, ATTESTD_ECDSA_P256_SHA256_DER, (const uint8_t *)"\x30\x06\x02\x01\x00\x02\x01\x00", 8));
    assert_false(verify(key, ATTESTD_ECDSA_P256_SHA256_DER, (const uint8_t *)"\x30\x06\x02\x00\x02\x02\x00\x81", 8));
    assert_false(verify(key, ATTESTD_ECDSA_P256_SHA256_DER, (const uint8_t *)"\x30\x06\x02\x01\xff\x02\x01\xff", 8));
    attestd_key_free(key);
    EVP_PKEY_free(pkey);
}

static void rsa_signatures_pass_in_their_own_scheme_only(void **state)
{
    (void)state;
    static const struct {
        int algorithm, salt;
        const char *md;
    } schemes[] = {
        {ATTESTD_RSA_PKCS1_SHA256, -1, "SHA256"}, {ATTESTD_RSA_PSS_SHA256, 32, "SHA256"}, {ATTESTD_RSA_PSS_SHA384, 48, "SHA384"}};
    EVP_PKEY *pkey = mint_key("RSA", 2048);
    struct attestd_key *key = mint_public(pkey);
    for (size_t i = 0; i < 3; i++) {
        uint8_t signature[256];
        assert_int_equal(mint_signature(pkey, schemes[i].md, schemes[i].salt, MESSAGE, sizeof MESSAGE, signature, sizeof signature), 256);
        for (size_t k = 0; k < 3; k++)
            assert_int_equal(verify(key, schemes[k].algorithm, signature, 256), i == k);
        assert_false(verify(key, schemes[i].algorithm, signature, 255));
        signature[100] ^= 1;
        assert_false(verify(key, schemes[i].algorithm, signature, 256));
        signature[100] ^= 1;
        assert_true(verify(key, schemes[i].algorithm, signature, 256));
    }
    uint8_t signature[256];
    mint_signature(pkey, "SHA384", 32, MESSAGE, sizeof MESSAGE, signature, sizeof signature);
    assert_false(verify(key, ATTESTD_RSA_PSS_SHA384, signature, 256)); /* salt of another length */
    attestd_key_free(key);
    EVP_PKEY_free(pkey);
}

static void ed25519_signatures_pass(void **state)
{
    (void)state;
    EVP_PKEY *pkey = mint_key("ED25519", 0);
    struct attestd_key *key = mint_public(pkey);
    uint8_t signature[64], digest[32] = {0};
    assert_int_equal(mint_signature(pkey, NULL, -1, MESSAGE, sizeof MESSAGE, signature, 64), 64);
    assert_true(verify(key, ATTESTD_ED25519, signature, 64));
    assert_false(verify(key, ATTESTD_ED25519, signature, 63));
    assert_false(attestd_key_verify_digest(key, ATTESTD_ED25519, digest, 32, signature, 64));
    signature[63] ^= 1;
    assert_false(verify(key, ATTESTD_ED25519, signature, 64));
    attestd_key_free(key);
    EVP_PKEY_free(pkey);
}

static void x25519_is_a_key_that_verifies_nothing(void **state)
{
    (void)state;
    EVP_PKEY *pkey = mint_key("X25519", 0);
    struct attestd_key *key = mint_public(pkey);
    uint8_t signature[64] = {1};
    assert_non_null(key);
    for (int algorithm = 0; algorithm < 10; algorithm++)
        assert_false(verify(key, algorithm, signature, 64));
    attestd_key_free(key);
    EVP_PKEY_free(pkey);
}

static struct attestd_key *rsa_with_exponent(unsigned long e, unsigned bits)
{
    BIGNUM *exponent = BN_new();
    BN_set_word(exponent, e);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_keygen_init(context);
    EVP_PKEY_CTX_set_rsa_keygen_bits(context, (int)bits);
    EVP_PKEY_CTX_set1_rsa_keygen_pubexp(context, exponent);
    assert_int_equal(EVP_PKEY_generate(context, &pkey), 1);
    struct attestd_key *key = mint_public(pkey);
    EVP_PKEY_free(pkey);
    EVP_PKEY_CTX_free(context);
    BN_free(exponent);
    return key;
}

static void keys_of_other_kinds_and_sizes_are_refused(void **state)
{
    (void)state;
    static const char *const curves[] = {"secp521r1", "secp224r1", "secp256k1", "brainpoolP384r1"};
    for (size_t i = 0; i < sizeof curves / sizeof *curves; i++) {
        EVP_PKEY *pkey = mint_key(curves[i], 0);
        assert_null(mint_public(pkey));
        EVP_PKEY_free(pkey);
    }
    assert_null(rsa_with_exponent(65537, 1024));
    assert_null(rsa_with_exponent(3, 2048));
    struct attestd_key *good = rsa_with_exponent(65537, 2048);
    assert_non_null(good);
    attestd_key_free(good);
    assert_null(attestd_key_from_spki(NULL, 0));
    assert_null(attestd_key_from_spki((const uint8_t *)"0", 1));
}

static void points_off_the_curve_and_other_encodings_are_refused(void **state)
{
    (void)state;
    EVP_PKEY *pkey = mint_key("P-384", 0);
    struct attestd_key *key = mint_public(pkey);
    struct attestd_bytes spki = attestd_key_spki(key);
    uint8_t der[200], x[48] = {0}, y[48] = {0};
    assert_int_equal(spki.len, 120);
    memcpy(der, spki.data, spki.len);
    der[119] ^= 1;
    assert_null(attestd_key_from_spki(der, 120));
    memcpy(der, spki.data, spki.len);
    assert_null(attestd_key_from_spki(der, 119));
    der[120] = 0;
    assert_null(attestd_key_from_spki(der, 121));
    assert_null(attestd_key_from_point(x, y, 48));
    assert_null(attestd_key_from_point(x, y, 32));
    assert_null(attestd_key_from_point(x, y, 66));
    memset(x, 0xff, 48);
    assert_null(attestd_key_from_point(x, x, 48)); /* coordinates beyond the prime */
    assert_int_equal(EVP_PKEY_set_utf8_string_param(pkey, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, "compressed"), 1);
    assert_null(mint_public(pkey));
    attestd_key_free(key);
    EVP_PKEY_free(pkey);
}

static void a_key_from_its_point_is_the_key_from_its_spki(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        EVP_PKEY *pkey = mint_key(CURVES[i].name, 0);
        struct attestd_key *key = mint_public(pkey);
        struct attestd_bytes spki = attestd_key_spki(key);
        const uint8_t *point = spki.data + spki.len - 2 * CURVES[i].width;
        struct attestd_key *again = attestd_key_from_point(point, point + CURVES[i].width, CURVES[i].width);
        assert_ptr_equal(key, again); /* out of the cache */
        uint8_t digest[32];
        attestd_sha256(spki.data, spki.len, digest);
        assert_memory_equal(attestd_key_digest(again), digest, 32);
        attestd_key_free(again);
        attestd_key_free(key);
        EVP_PKEY_free(pkey);
    }
}

static void the_cache_is_bounded_and_keys_outlive_it(void **state)
{
    (void)state;
    EVP_PKEY *pkey = mint_key("P-256", 0);
    struct attestd_key *kept = mint_public(pkey);
    uint8_t spki[44] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x6e, 0x03, 0x21, 0x00}, der[128];
    for (unsigned i = 0; i < 20000; i++) { /* ten times what the cache holds */
        memcpy(spki + 12, &i, sizeof i);
        struct attestd_key *key = attestd_key_from_spki(spki, sizeof spki);
        assert_non_null(key);
        attestd_key_free(key);
    }
    struct attestd_key *again = mint_public(pkey);
    assert_ptr_not_equal(again, kept);
    size_t len = mint_signature(pkey, "SHA256", -1, MESSAGE, sizeof MESSAGE, der, sizeof der);
    assert_true(verify(kept, ATTESTD_ECDSA_P256_SHA256_DER, der, len));
    attestd_key_free(again);
    attestd_key_free(kept);
    EVP_PKEY_free(pkey);
}

struct shared_work {
    EVP_PKEY *pkeys[8];
    uint8_t signatures[8][128];
    size_t lens[8];
};

static void *verify_often(void *context)
{
    struct shared_work *work = context;
    for (size_t round = 0; round < 400; round++) {
        size_t i = round % 8;
        struct attestd_key *key = mint_public(work->pkeys[i]);
        bool good = verify(key, ATTESTD_ECDSA_P256_SHA256_DER, work->signatures[i], work->lens[i]) &&
                    !verify(key, ATTESTD_ECDSA_P256_SHA256_DER, work->signatures[(i + 1) % 8], work->lens[(i + 1) % 8]);
        attestd_key_free(key);
        if (!good)
            return context;
    }
    return NULL;
}

static void many_threads_share_keys(void **state)
{
    (void)state;
    struct shared_work work;
    pthread_t threads[8];
    for (size_t i = 0; i < 8; i++) {
        work.pkeys[i] = mint_key("P-256", 0);
        work.lens[i] = mint_signature(work.pkeys[i], "SHA256", -1, MESSAGE, sizeof MESSAGE, work.signatures[i], 128);
    }
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, verify_often, &work), 0);
    for (size_t i = 0; i < 8; i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    for (size_t i = 0; i < 8; i++)
        EVP_PKEY_free(work.pkeys[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_orders_are_libcrypto_s),
        cmocka_unit_test(a_good_ecdsa_signature_passes_in_both_forms),
        cmocka_unit_test(every_flipped_bit_is_refused),
        cmocka_unit_test(values_out_of_range_are_refused),
        cmocka_unit_test(r_plus_n_is_not_taken_for_r),
        cmocka_unit_test(other_lengths_and_forms_are_refused),
        cmocka_unit_test(a_der_signature_has_one_form),
        cmocka_unit_test(rsa_signatures_pass_in_their_own_scheme_only),
        cmocka_unit_test(ed25519_signatures_pass),
        cmocka_unit_test(x25519_is_a_key_that_verifies_nothing),
        cmocka_unit_test(keys_of_other_kinds_and_sizes_are_refused),
        cmocka_unit_test(points_off_the_curve_and_other_encodings_are_refused),
        cmocka_unit_test(a_key_from_its_point_is_the_key_from_its_spki),
        cmocka_unit_test(the_cache_is_bounded_and_keys_outlive_it),
        cmocka_unit_test(many_threads_share_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
