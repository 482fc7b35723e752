/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens: EAR and the flat OIDC token as ES256 JWT, the keys that sign them, JWKS and discovery (docs/token.md). */
#ifndef ATTESTD_TOKEN_TOKEN_H
#define ATTESTD_TOKEN_TOKEN_H

#include "core/json.h"
#include "core/result.h"
#include <stdbool.h>

#define ATTESTD_TOKEN_LIFE_MAX 3600 /* seconds; no token lives longer */
#define ATTESTD_TOKEN_SKEW 60       /* seconds by which the clocks of relying parties may differ */
#define ATTESTD_TOKEN_TYPE_EAR "eat+jwt"
#define ATTESTD_TOKEN_TYPE_JWT "JWT"

/* The signing keys: the one in use, and those published before and after it. Owned by the signer thread. */
struct attestd_keyring;

/* A directory (0700, made if absent) of PEM keys (P-256, mode 0600), each named by the time from which it signs
 * ("20261121T033745Z.pem"); an empty one gets its first key. directory NULL: a key in memory only (development). NULL and one clear line in
 * error when the directory or a key in it is not sound, or can be read or replaced by others. */
struct attestd_keyring *attestd_keyring_open(const char *directory, char *error, size_t error_size);
/* One given PEM file: 0600, or root's and group-readable as orchestrators mount secrets. It cannot be rotated. */
struct attestd_keyring *attestd_keyring_from_file(const char *file, char *error, size_t error_size);
void attestd_keyring_free(struct attestd_keyring *);
/* Make and publish the next key: it signs from now + overlap on; the old one stays published for overlap + the longest token life (and
 * skew), then its file is removed. Refused while a next key is waiting. */
bool attestd_keyring_rotate(struct attestd_keyring *, int64_t now, int64_t overlap, char *error, size_t error_size);
/* Does what is due at `now`: reads the directory if it has changed (a key put there by attestctl token rotate, one taken away), begins to
 * sign with the next, stops publishing the old. True when the JWKS changed. Cheap when nothing is due. */
bool attestd_keyring_tick(struct attestd_keyring *, int64_t now);
/* Why the directory as it is now could not be read (the keys read before stay in use), or NULL. Valid until the next tick. */
const char *attestd_keyring_fault(const struct attestd_keyring *);
/* When the key in use began to sign, and when the next one will (0: there is none). Seconds since 1970. */
int64_t attestd_keyring_since(const struct attestd_keyring *);
int64_t attestd_keyring_next(const struct attestd_keyring *);
/* The public half: {"keys":[{kty,crv,x,y,alg,use,kid}]}. */
void attestd_keyring_jwks(const struct attestd_keyring *, struct attestd_text *out);
/* RFC 7638 thumbprint, base64url, of the key in use. */
const char *attestd_keyring_kid(const struct attestd_keyring *);

/* Compact JWS, appended to out: ES256, header {"alg","typ","kid"}; typ is one of the two above. False only when libcrypto fails. */
bool attestd_jws_sign(const struct attestd_keyring *, const char *typ, const char *payload, size_t len, struct attestd_text *out);

struct attestd_token_claims {
    const char *issuer, *subject, *audience; /* audience NULL: no aud */
    const char *id;                          /* jti: "ap_..." */
    int64_t issued, expires;
    const char *nonce;             /* eat_nonce: 8..88 characters, or NULL */
    const struct attestd_jwk *key; /* cnf, or NULL */
    const char *developer;         /* ear.verifier-id */
};
/* When a token for this result ends: after ttl, at most ATTESTD_TOKEN_LIFE_MAX, and not after anything the result rests on. */
int64_t attestd_token_expires(int64_t issued, int64_t ttl, const struct attestd_result *);
/* Payload of an EAR (profile tag:github.com,2023:veraison/ear), appended. exp is never later than the result's not_after. Beyond 6 kB of
 * token passed checks are folded, beyond 7.5 kB annotated evidence is left out step by step (docs/token.md). */
void attestd_ear_payload(struct attestd_text *out, const struct attestd_token_claims *, const struct attestd_result *);
/* Flat claims for cloud federation, under 2 kB as a token, appended. Writes nothing for a result that is not affirming: who reads it cannot
 * see a status. */
void attestd_oidc_payload(struct attestd_text *out, const struct attestd_token_claims *, const struct attestd_result *);
/* /.well-known/openid-configuration. base: where jwks.json is served. */
void attestd_discovery_json(struct attestd_text *out, const char *issuer, const char *base);

#endif
