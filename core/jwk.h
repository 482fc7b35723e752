/* SPDX-License-Identifier: Apache-2.0 */
/* Public JSON Web Keys (RFC 7517) and their thumbprints (RFC 7638). */
#ifndef ATTESTD_CORE_JWK_H
#define ATTESTD_CORE_JWK_H

#include "core/arena.h"
#include "core/signature.h"
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct attestd_jwk {
    uint8_t thumbprint[32];  /* RFC 7638, SHA-256 */
    const char *json;        /* rebuilt from the members of the thumbprint only, in their order, no white space */
    struct attestd_key *key; /* freed with the arena */
};

/* A public EC P-256/P-384, Ed25519, X25519 or RSA (2048..8192) JWK; private members, wrong lengths, points off the curve and
 * non-canonical base64url are refused with a phrase. Unknown members are dropped. */
const struct attestd_jwk *attestd_jwk_read(struct attestd_arena *arena, const json_t *jwk, const char **error);

#endif
