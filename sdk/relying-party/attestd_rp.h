/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libattest-rp: strict verification of attestd's tokens for relying parties written in C (docs/relying-party.md). libcrypto and jansson
 * only.
 *
 * A token is accepted when it is a compact JWS (RFC 7515) signed with ES256 by a key of the JWKS that its kid names, its issuer and
 * audience are the expected ones as single strings, its time has come and has not passed, and its verdict is affirming, in every submodule
 * too. Anything that is not understood is refused.
 */
#ifndef ATTESTD_RP_H
#define ATTESTD_RP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum attestd_rp_status {
    ATTESTD_RP_OK = 0,
    ATTESTD_RP_MALFORMED, /* not a compact JWS over a JSON object, larger than 16384 characters, duplicate names, times that are no integers
                           */
    ATTESTD_RP_ALGORITHM, /* not on the allow-list (ES256) */
    ATTESTD_RP_TYPE,      /* typ is neither eat+jwt nor JWT, or eat+jwt over another profile than EAR's of 2023 */
    ATTESTD_RP_CRITICAL,  /* a crit header */
    ATTESTD_RP_KEY_UNKNOWN, /* kid not in the JWKS, also after one refetch */
    ATTESTD_RP_SIGNATURE,
    ATTESTD_RP_ISSUER,
    ATTESTD_RP_AUDIENCE,
    ATTESTD_RP_EXPIRED,
    ATTESTD_RP_NOT_YET,
    ATTESTD_RP_NONCE,
    ATTESTD_RP_POLICY, /* policy digest is not one of the expected */
    ATTESTD_RP_NOT_AFFIRMING,
    ATTESTD_RP_SIMULATED,   /* simulated evidence and not allowed */
    ATTESTD_RP_KEY_BINDING, /* cnf is not the expected key */
    ATTESTD_RP_UNAVAILABLE  /* no JWKS to be had */
};
/* One phrase, static. */
const char *attestd_rp_status_text(enum attestd_rp_status status);

struct attestd_rp; /* one issuer and its keys; safe for all threads */

struct attestd_rp_expect {
    const char *issuer;                /* required, compared exactly */
    const char *audience;              /* required */
    const char *nonce;                 /* text of eat_nonce, or NULL: not looked at */
    const char *const *policy_digests; /* NULL-terminated "sha256:<hex>", or NULL: any */
    const char *key_thumbprint;        /* RFC 7638 base64url of the key that must be bound, or NULL */
    int64_t now;                       /* 0: the clock */
    int64_t skew;                      /* seconds the clocks may differ; 0: 60; negative: none; at most 600 count */
    bool allow_warning;                /* else only affirming */
    bool allow_simulated;
};

/* How keys are got: returns a JWKS as text (malloc) or NULL. Called at first use, when the set has grown old, and when a kid is unknown;
 * never twice within a cool-down, and never by two threads at once. */
typedef char *attestd_rp_fetch(void *context);
/* cool_down_seconds below 1 count as 1. The set is asked for again after an hour, so that a withdrawn key ends, and no longer used a day
 * after the last fetch that succeeded. NULL: out of memory. */
struct attestd_rp *attestd_rp_new(attestd_rp_fetch *fetch, void *context, int64_t cool_down_seconds);
/* Other times than an hour and a day; refresh <= drop, in seconds. Before first use. */
void attestd_rp_set_ages(struct attestd_rp *, int64_t refresh, int64_t drop);
/* With a fixed JWKS. NULL when it is malformed. */
struct attestd_rp *attestd_rp_from_jwks(const char *jwks);
void attestd_rp_free(struct attestd_rp *);

/* The RFC 7638 thumbprint (base64url) of a public EC, OKP or RSA key given as JWK text, for key_thumbprint. False: not such a key. */
bool attestd_rp_thumbprint(const char *jwk, char thumbprint[44]);

/* Verifies; *claims (may be NULL) gets the payload as JSON text, to free(). Nothing is written unless the answer is OK. */
enum attestd_rp_status attestd_rp_verify(struct attestd_rp *, const char *token, const struct attestd_rp_expect *expect, char **claims);

#ifdef __cplusplus
}
#endif
#endif
