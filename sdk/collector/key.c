/* SPDX-License-Identifier: Apache-2.0 */
/* The P-256 key that is bound to the evidence. */
#include "sdk/collector/collector.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

bool collector_have_key(struct attest *attest)
{
    if (!attest->key) {
        attest->key = EVP_EC_gen("P-256");
        ERR_clear_error();
    }
    return attest->key != NULL;
}

static bool is_p256(EVP_PKEY *key)
{
    char group[32];
    size_t len = 0;
    return EVP_PKEY_is_a(key, "EC") && EVP_PKEY_get_group_name(key, group, sizeof group, &len) == 1 &&
           (strcmp(group, "prime256v1") == 0 || strcmp(group, "P-256") == 0);
}

enum attest_status attest_set_key_pem(struct attest *attest, const char *pem)
{
    size_t len = strlen(pem);
    BIO *memory = len <= 65536 ? BIO_new_mem_buf(pem, (int)len) : NULL;
    EVP_PKEY *key = memory ? PEM_read_bio_PrivateKey(memory, NULL, NULL, (void *)"") : NULL;
    BIO_free(memory);
    ERR_clear_error();
    if (!key || !is_p256(key)) {
        EVP_PKEY_free(key);
        return collector_fail(attest, ATTEST_USAGE, "the key is not an unencrypted P-256 private key in PEM");
    }
    EVP_PKEY_free(attest->key);
    attest->key = key;
    return ATTEST_OK;
}

char *attest_key_pem(struct attest *attest)
{
    BIO *memory = collector_have_key(attest) ? BIO_new(BIO_s_secmem()) : NULL; /* wiped when freed */
    char *text = NULL, *copy = NULL;
    if (memory && PEM_write_bio_PrivateKey(memory, attest->key, NULL, NULL, 0, NULL, NULL) == 1) {
        long len = BIO_get_mem_data(memory, &text);
        copy = len > 0 ? calloc(1, (size_t)len + 1) : NULL;
        if (copy) {
            memcpy(copy, text, (size_t)len);
        }
    }
    BIO_free(memory);
    ERR_clear_error();
    return copy;
}

char *collector_key_jwk(const struct attest *attest)
{
    uint8_t point[65]; /* 04, x, y; the "pub" parameter is compressed before OpenSSL 3.0.8 */
    size_t len = 0;
    if (EVP_PKEY_get_octet_string_param(attest->key, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, point, sizeof point, &len) != 1 ||
        len != sizeof point || point[0] != POINT_CONVERSION_UNCOMPRESSED) {
        ERR_clear_error();
        return NULL;
    }
    char *x = collector_base64url(point + 1, 32), *y = collector_base64url(point + 33, 32), *jwk = NULL;
    if (x && y && asprintf(&jwk, "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"%s\",\"y\":\"%s\"}", x, y) < 0) {
        jwk = NULL;
    }
    free(x);
    free(y);
    return jwk;
}
