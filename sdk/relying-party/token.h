/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of libattest-rp: the steps of a verification, in their order. */
#ifndef ATTEST_RP_TOKEN_H
#define ATTEST_RP_TOKEN_H

#include "attestd_rp.h"
#include <jansson.h>
#include <openssl/evp.h>

/* Caps, checked before anything is decoded. A token for a header line has 8 kB at most; this leaves room for many submodules. */
#define RP_TOKEN_MAX 16384
#define RP_HEADER_MAX 1024
#define RP_KID_MAX 256
#define RP_JWKS_MAX (256 * 1024)
#define RP_KEYS_MAX 64

/* --- base64url.c --- */

/* Strict (RFC 7515 section 2): no padding, no other characters, no bits left over. Writes len * 3 / 4 bytes; false if it is not that. */
bool rp_base64url_decode(const char *text, size_t len, uint8_t *out, size_t *out_len);
void rp_base64url_encode(const uint8_t *bytes, size_t len, char *out);

/* --- compact.c: header.payload.signature --- */

struct rp_compact {
    char kid[RP_KID_MAX + 1];
    bool eat;              /* typ eat+jwt, else JWT */
    const char *signed_at; /* header.payload, borrowed from the token */
    size_t signed_len;
    uint8_t signature[64];
    char *payload; /* NUL-terminated; rp_compact_clear() frees */
    size_t payload_len;
};

/* Splits, decodes and looks at the header. need_type false: typ may be absent (tests of the signature layer). */
enum attestd_rp_status rp_compact_read(const char *token, bool need_type, struct rp_compact *compact);
void rp_compact_clear(struct rp_compact *compact);

/* --- jwks.c --- */

struct rp_key {
    char kid[RP_KID_MAX + 1];
    EVP_PKEY *key;
};

/* Immutable once read; counted by reference under the owner's lock. */
struct rp_jwks {
    struct rp_key keys[RP_KEYS_MAX];
    size_t count, references;
};

/* Keys that are not for ES256 signatures are passed over; NULL when the text is no JWKS, or two keys have one kid. */
struct rp_jwks *rp_jwks_read(const char *text);
void rp_jwks_free(struct rp_jwks *jwks);
/* NULL: there is none such. */
EVP_PKEY *rp_jwks_find(const struct rp_jwks *jwks, const char *kid);
/* ES256 over bytes; signature is r then s, 32 bytes each. */
bool rp_verify_es256(EVP_PKEY *key, const char *bytes, size_t len, const uint8_t signature[64]);

/* --- claims.c --- */

enum attestd_rp_status rp_claims_check(const char *payload, size_t len, bool eat, const struct attestd_rp_expect *expect);

#endif
