/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libattest-collector: inside the guest, collect evidence, bind a key to it, and get a token.
 * Small on purpose: libcrypto, libcurl, jansson, nothing of the server.
 */
#ifndef ATTEST_COLLECTOR_H
#define ATTEST_COLLECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum attest_status {
    ATTEST_OK = 0,
    ATTEST_NO_TEE,     /* this machine offers no TEE; detail says what was looked for */
    ATTEST_TEE_FAILED, /* there is one, and it refused */
    ATTEST_NO_SERVICE, /* the verifier cannot be reached */
    ATTEST_REFUSED,    /* the verifier answered with a problem; detail has its code */
    ATTEST_DENIED,     /* there is a verdict and it is not affirming: no token */
    ATTEST_USAGE,
    ATTEST_INTERNAL
};

struct attest; /* one use; not for two threads at once */

struct attest *attest_new(void);
void attest_free(struct attest *);
/* Why the last call failed, one sentence; borrowed until the next call. */
const char *attest_detail(const struct attest *);

/* Prefix of /sys, /dev and /run (tests); default "". */
void attest_set_root(struct attest *, const char *prefix);
void attest_set_url(struct attest *, const char *url);           /* https://verifier:8443 */
void attest_set_ca_file(struct attest *, const char *pem);       /* else the system's */
void attest_set_policy(struct attest *, const char *name);       /* optional */
void attest_set_audience(struct attest *, const char *audience); /* optional; without it there is no token */
void attest_set_token_kind(struct attest *, const char *kind);   /* "ear" or "oidc" */
/* How long attest_get_token() may go on asking a verifier that says "later" (424, 429, 503); default 60 seconds. */
void attest_set_patience(struct attest *, unsigned seconds);
/* A value to bind (docs/binding.md); name [a-z][a-z0-9._-]{0,31}. */
enum attest_status attest_add_data(struct attest *, const char *name, const uint8_t *value, size_t len);
/* Use this P-256 private key (PEM) instead of making one. */
enum attest_status attest_set_key_pem(struct attest *, const char *pem);
/* The private key that is bound, PKCS#8 in PEM; made now if there is none yet. Wipe it, then free() it. NULL: libcrypto failed. */
char *attest_key_pem(struct attest *);

/* Collect over a nonce of 8 to 64 bytes: the JSON envelope for POST /verify (free() it). challenge NULL: the nonce is the relying party's.
 */
enum attest_status attest_collect(struct attest *, const uint8_t *nonce, size_t nonce_len, const char *challenge, char **request);
/*
 * Challenge, collect, verify. *token: compact JWT, set only when the answer is OK and an audience was set. *answer: the whole JSON answer
 * of the verifier, or its problem document, or NULL; also set when the token was denied, for it says why. free() both; either may be NULL.
 */
enum attest_status attest_get_token(struct attest *, char **token, char **answer);

#ifdef __cplusplus
}
#endif
#endif
