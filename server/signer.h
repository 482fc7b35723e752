/* SPDX-License-Identifier: Apache-2.0 */
/* The signer: one thread that alone holds the token keys. */
#ifndef ATTESTD_SERVER_SIGNER_H
#define ATTESTD_SERVER_SIGNER_H

#include "core/json.h"
#include <stdbool.h>
#include <stddef.h>

struct signer;

/* Embedded in what waits for the token. */
struct sign_request {
    const char *typ;                                /* static: "eat+jwt", "JWT" */
    struct attestd_text payload;                    /* the submitter's, until done() */
    struct attestd_text token;                      /* filled by the signer */
    void (*done)(struct sign_request *, bool good); /* on the signer's thread */
    struct sign_request *next;
};

/* file: one PEM key; else directory, made when it is missing; neither: a key in memory (development). NULL fills error. */
struct signer *signer_open(const char *file, const char *directory, char *error, size_t error_size);
/* Signs what was submitted, wipes the keys. */
void signer_close(struct signer *);
void signer_submit(struct signer *, struct sign_request *);
/* The published keys, as JSON. */
void signer_jwks(struct signer *, struct attestd_text *out);

#endif
