/* SPDX-License-Identifier: Apache-2.0 */
/* Layout attestd-v1 of docs/binding.md, as the guest computes it. */
#include "sdk/collector/collector.h"

#include <stdlib.h>
#include <string.h>

static bool add_u32(EVP_MD_CTX *hash, size_t number)
{
    const uint8_t bytes[4] = {(uint8_t)(number >> 24), (uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number};
    return number <= UINT32_MAX && EVP_DigestUpdate(hash, bytes, sizeof bytes) == 1;
}

/* L(x): the length, then the bytes. */
static bool add(EVP_MD_CTX *hash, const void *bytes, size_t len)
{
    return add_u32(hash, len) && EVP_DigestUpdate(hash, bytes, len) == 1;
}

static bool add_key(EVP_MD_CTX *hash, const struct attest *attest)
{
    if (!attest->key) {
        return add(hash, "", 0);
    }
    uint8_t thumbprint[32]; /* RFC 7638 */
    char *jwk = collector_key_jwk(attest);
    bool good = jwk && EVP_Digest(jwk, strlen(jwk), thumbprint, NULL, EVP_sha256(), NULL) == 1 && add(hash, thumbprint, sizeof thumbprint);
    free(jwk);
    return good;
}

static bool add_data(EVP_MD_CTX *hash, const struct attest *attest)
{
    bool good = add_u32(hash, attest->data_count);
    for (size_t i = 0; good && i < attest->data_count; i++) {
        const struct collector_datum *datum = &attest->data[i];
        good = add(hash, datum->name, strlen(datum->name)) && add(hash, datum->value, datum->len);
    }
    return good;
}

bool collector_binding(const struct attest *attest, const uint8_t *nonce, size_t nonce_len, uint8_t d[COLLECTOR_FIELD_SIZE])
{
    static const char prefix[] = "attestd-binding-v1\n";
    const char *audience = attest->audience ? attest->audience : "";
    EVP_MD_CTX *hash = EVP_MD_CTX_new();
    bool good = hash && EVP_DigestInit_ex(hash, EVP_sha512(), NULL) == 1 && EVP_DigestUpdate(hash, prefix, sizeof prefix - 1) == 1 &&
                add(hash, nonce, nonce_len) && add(hash, audience, strlen(audience)) && add_key(hash, attest) && add_data(hash, attest) &&
                add_u32(hash, 0) && EVP_DigestFinal_ex(hash, d, NULL) == 1;
    EVP_MD_CTX_free(hash);
    return good;
}
