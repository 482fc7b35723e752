/* SPDX-License-Identifier: Apache-2.0 */
/* Compact JWS (RFC 7515 section 3.1) with ES256 (RFC 7518 section 3.4). */
#include "token/keyring.h"

#include "core/digest.h"
#include "core/encoding.h"
#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

/* libcrypto writes DER; JWS wants r and s, 32 bytes each, big-endian. */
static bool raw_signature(const uint8_t *der, size_t len, uint8_t raw[64])
{
    ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &der, (long)len);
    if (signature == NULL)
        return false;
    bool ok = BN_bn2binpad(ECDSA_SIG_get0_r(signature), raw, 32) == 32 && BN_bn2binpad(ECDSA_SIG_get0_s(signature), raw + 32, 32) == 32;
    ECDSA_SIG_free(signature);
    return ok;
}

static bool sign(const struct signing_key *key, const char *input, size_t len, uint8_t raw[64])
{
    uint8_t digest[32], der[80];
    size_t der_len = sizeof(der);
    attestd_sha256(input, len, digest);
    bool ok = EVP_PKEY_sign(key->sign, der, &der_len, digest, sizeof(digest)) == 1 && raw_signature(der, der_len, raw);
    if (!ok)
        ERR_clear_error();
    return ok;
}

static void add_base64url(struct attestd_text *out, const uint8_t *bytes, size_t len)
{
    char chunk[1025];
    for (size_t at = 0; at < len; at += 768) {
        size_t take = len - at < 768 ? len - at : 768; /* a multiple of 3, so that pieces join */
        attestd_text_add(out, chunk, attestd_base64url_encode(bytes + at, take, chunk));
    }
}

bool attestd_jws_sign(const struct attestd_keyring *ring, const char *typ, const char *payload, size_t len, struct attestd_text *out)
{
    const struct signing_key *key = &ring->keys[ring->in_use];
    uint8_t raw[64];
    bool eat = strcmp(typ, "eat+jwt") == 0;
    if (!eat && strcmp(typ, "JWT") != 0)
        return false;
    size_t start = out->len;
    attestd_text_puts(out, eat ? key->eat_header : key->jwt_header);
    attestd_text_add(out, ".", 1);
    add_base64url(out, (const uint8_t *)payload, len);
    bool ok = sign(key, out->data + start, out->len - start, raw);
    if (!ok) {
        out->len = start;
        out->data[start] = '\0';
        return false;
    }
    attestd_text_add(out, ".", 1);
    add_base64url(out, raw, sizeof(raw));
    return true;
}
