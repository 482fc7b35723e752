/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The challenges that have bought their verdict: a set of 32-byte nonces with one atomic insert. Nothing is ever taken out before its
 * time; when there is no place, nothing is accepted.
 */
#ifndef ATTESTD_SERVER_SPENT_H
#define ATTESTD_SERVER_SPENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum spent_outcome {
    SPENT_NOW,     /* this call spent it */
    SPENT_BEFORE,  /* somebody else did */
    SPENT_FULL,    /* no place */
    SPENT_NOWHERE, /* the shared set does not answer */
};

struct spent_set;

/* In this process: at most `capacity` nonces, each remembered for `seconds` of CLOCK_MONOTONIC. Memory is taken as it is used: 44 bytes a
 * nonce. */
struct spent_set *spent_local(size_t capacity, unsigned seconds);

struct spent_redis_options {
    const char *host, *socket, *password_file, *prefix; /* socket: instead of host and port; NULL */
    int port;
    unsigned seconds; /* PX */
};
/* In Redis, by SET key 1 NX PX: shared by replicas. NULL fills error. Only with ATTESTD_WITH_HIREDIS. */
struct spent_set *spent_redis(const struct spent_redis_options *options, char *error, size_t error_size);

enum spent_outcome spent_insert(struct spent_set *, const uint8_t nonce[32]);
/* A look before the work is done; only insert decides. False when it is not known, or not known here. */
bool spent_seen(struct spent_set *, const uint8_t nonce[32]);
/* Nonces in the set now; 0 for a shared one. */
size_t spent_count(struct spent_set *);
void spent_free(struct spent_set *);

/* For tests: the clock of a local set, in seconds. */
void spent_set_clock(struct spent_set *, uint32_t (*clock)(void));

/* What the two kinds are made of. */
struct spent_set {
    enum spent_outcome (*insert)(struct spent_set *, const uint8_t nonce[32]);
    bool (*seen)(struct spent_set *, const uint8_t nonce[32]);
    size_t (*count)(struct spent_set *);
    void (*free)(struct spent_set *);
};

#endif
