/* SPDX-License-Identifier: Apache-2.0 */
/* An issuer of any token, good or bad, written on libcrypto alone: the tests of libattest-rp share no line with the side that signs. */
#ifndef TESTS_RELYING_PARTY_ISSUER_H
#define TESTS_RELYING_PARTY_ISSUER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct issuer; /* a P-256 key and its kid */

struct issuer *issuer_new(const char *kid);
void issuer_free(struct issuer *);
/* {"keys":[...]} of these issuers, with `extra` (JSON members of the array, or NULL) before them. free() */
char *issuer_jwks(struct issuer *const *issuers, size_t count, const char *extra);
/* base64url(header).base64url(payload).base64url(raw signature). free() */
char *issuer_sign(const struct issuer *, const char *header, const char *payload);
/* {"alg":"ES256","typ":typ,"kid":its own}. free() */
char *issuer_header(const struct issuer *, const char *typ);
/* free() */
char *issuer_base64url(const void *bytes, size_t len);

#endif
