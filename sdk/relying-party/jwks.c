/* SPDX-License-Identifier: Apache-2.0 */
/* A JWK Set (RFC 7517 section 5), and ES256 (RFC 7518 section 3.4). */
#include "token.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#define COORDINATE_CHARACTERS 43 /* 32 bytes */

static bool text_is_or_absent(const json_t *object, const char *name, const char *text)
{
    const json_t *value = json_object_get(object, name);
    return value == NULL || (json_is_string(value) && strcmp(json_string_value(value), text) == 0);
}

static bool text_is(const json_t *object, const char *name, const char *text)
{
    return json_object_get(object, name) != NULL && text_is_or_absent(object, name, text);
}

static bool may_verify(const json_t *jwk)
{
    const json_t *operations = json_object_get(jwk, "key_ops");
    if (operations == NULL)
        return true;
    for (size_t i = 0; i < json_array_size(operations); i++) {
        const char *operation = json_string_value(json_array_get(operations, i));
        if (operation != NULL && strcmp(operation, "verify") == 0)
            return true;
    }
    return false;
}

/* A public P-256 key for signatures with ES256. One that carries its private half is nobody's secret any more. */
static bool is_es256_key(const json_t *jwk)
{
    return text_is(jwk, "kty", "EC") && text_is(jwk, "crv", "P-256") && text_is_or_absent(jwk, "alg", "ES256") &&
           text_is_or_absent(jwk, "use", "sig") && may_verify(jwk) && json_object_get(jwk, "d") == NULL;
}

static bool coordinate(const json_t *jwk, const char *name, uint8_t out[32])
{
    size_t len = 0;
    const json_t *value = json_object_get(jwk, name);
    return json_is_string(value) && json_string_length(value) == COORDINATE_CHARACTERS &&
           rp_base64url_decode(json_string_value(value), COORDINATE_CHARACTERS, out, &len) && len == 32;
}

static EVP_PKEY *key_of_point(const uint8_t point[65])
{
    EVP_PKEY *key = NULL;
    char group[] = "P-256";
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
                           OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *)(uintptr_t)point, 65),
                           OSSL_PARAM_construct_end()};
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    bool ok = ctx != NULL && EVP_PKEY_fromdata_init(ctx) == 1 && EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) == 1;
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_CTX *check = ok ? EVP_PKEY_CTX_new(key, NULL) : NULL;
    ok = check != NULL && EVP_PKEY_public_check(check) == 1;
    EVP_PKEY_CTX_free(check);
    if (ok)
        return key;
    EVP_PKEY_free(key);
    ERR_clear_error();
    return NULL;
}

static EVP_PKEY *read_key(const json_t *jwk)
{
    uint8_t point[65] = {4}; /* SEC 1 section 2.3.3: uncompressed */
    if (!is_es256_key(jwk) || !coordinate(jwk, "x", point + 1) || !coordinate(jwk, "y", point + 33))
        return NULL;
    return key_of_point(point);
}

/* False when the set as a whole is not to be used. */
static bool add_key(struct rp_jwks *jwks, const json_t *jwk)
{
    const char *kid = json_string_value(json_object_get(jwk, "kid"));
    if (!json_is_object(jwk))
        return false;
    if (kid == NULL || kid[0] == '\0' || strlen(kid) > RP_KID_MAX || jwks->count == RP_KEYS_MAX)
        return true;
    EVP_PKEY *key = read_key(jwk);
    if (key == NULL)
        return true;
    struct rp_key *slot = &jwks->keys[jwks->count++];
    slot->key = key;
    memcpy(slot->kid, kid, strlen(kid) + 1);
    for (size_t i = 0; i + 1 < jwks->count; i++) {
        if (strcmp(jwks->keys[i].kid, kid) == 0)
            return false;
    }
    return true;
}

static struct rp_jwks *read_keys(const json_t *keys)
{
    struct rp_jwks *jwks = json_is_array(keys) ? calloc(1, sizeof(*jwks)) : NULL;
    if (jwks == NULL)
        return NULL;
    jwks->references = 1;
    for (size_t i = 0; i < json_array_size(keys); i++) {
        if (add_key(jwks, json_array_get(keys, i)))
            continue;
        rp_jwks_free(jwks);
        return NULL;
    }
    return jwks;
}

struct rp_jwks *rp_jwks_read(const char *text)
{
    size_t len = strnlen(text, RP_JWKS_MAX + 1);
    json_t *json = len > RP_JWKS_MAX ? NULL : json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
    struct rp_jwks *jwks = read_keys(json_object_get(json, "keys"));
    json_decref(json);
    return jwks;
}

void rp_jwks_free(struct rp_jwks *jwks)
{
    if (jwks == NULL)
        return;
    for (size_t i = 0; i < jwks->count; i++)
        EVP_PKEY_free(jwks->keys[i].key);
    free(jwks);
}

EVP_PKEY *rp_jwks_find(const struct rp_jwks *jwks, const char *kid)
{
    for (size_t i = 0; i < jwks->count; i++) {
        if (strcmp(jwks->keys[i].kid, kid) == 0)
            return jwks->keys[i].key;
    }
    return NULL;
}

/* libcrypto takes DER. It refuses r and s that are not in 1..n-1 itself. */
static int der_signature(const uint8_t raw[64], unsigned char **der)
{
    ECDSA_SIG *signature = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(raw, 32, NULL), *s = BN_bin2bn(raw + 32, 32, NULL);
    int len = -1;
    if (signature != NULL && r != NULL && s != NULL && ECDSA_SIG_set0(signature, r, s) == 1) {
        r = s = NULL;
        len = i2d_ECDSA_SIG(signature, der);
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(signature);
    return len;
}

bool rp_verify_es256(EVP_PKEY *key, const char *bytes, size_t len, const uint8_t signature[64])
{
    uint8_t digest[32];
    unsigned char *der = NULL;
    int der_len = der_signature(signature, &der);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    SHA256((const unsigned char *)bytes, len, digest);
    bool good = der_len > 0 && ctx != NULL && EVP_PKEY_verify_init(ctx) == 1 &&
                EVP_PKEY_verify(ctx, der, (size_t)der_len, digest, sizeof(digest)) == 1;
    EVP_PKEY_CTX_free(ctx);
    OPENSSL_free(der);
    if (!good)
        ERR_clear_error();
    return good;
}
