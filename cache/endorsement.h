/* SPDX-License-Identifier: Apache-2.0 */
/* One endorsement's bytes and what is known of them: immutable, shared by reference count. */
#ifndef ATTESTD_CACHE_ENDORSEMENT_H
#define ATTESTD_CACHE_ENDORSEMENT_H

#include "core/engine.h"
#include <attestd/plugin.h>
#include <stdatomic.h>
#include <stdbool.h>

#define ENDORSEMENT_KEY_MAX 512u
#define ENDORSEMENT_KIND_MAX 64u
#define ENDORSEMENT_ANSWER_MAX ((size_t)1 << 20) /* bytes of one answer of a vendor */
#define ENDORSEMENT_RIM_MAX ((size_t)4 << 20)    /* reference integrity manifests are larger */

struct endorsement {
    atomic_uint references;
    const char *source; /* static: where the bytes came from at first: "vendor", "directory", "evidence", "import", "anchors" */
    uint8_t sha256[32];
    int64_t fetched;                  /* seconds since 1970 */
    int64_t this_update, next_update; /* 0: unknown, or does not age */
    uint64_t number;                  /* 0: none */
    bool authentic;                   /* a plugin accepted it; else dates and number are only what the bytes say */
    size_t len;
    uint8_t bytes[];
};

/* NULL when memory is out. The dates are read from the bytes when the kind ages. */
struct endorsement *endorsement_new(const uint8_t *bytes, size_t len, const char *source, int64_t fetched, int32_t life);
/* The same bytes under other facts. */
struct endorsement *endorsement_copy(const struct endorsement *from, int64_t fetched, int64_t next_update, uint64_t number);
struct endorsement *endorsement_retain(struct endorsement *);
void endorsement_free(struct endorsement *);
bool endorsement_same(const struct endorsement *, const uint8_t sha256[32]);
/* By number where both have one, else by date of issue, else by end: is `a` newer than `b`? */
bool endorsement_newer(const struct endorsement *a, const struct endorsement *b);
/* Neither over at `now`, nor older than max_age seconds since it was fetched. */
bool endorsement_fresh(const struct endorsement *, int64_t now, int64_t max_age);
/* The static text equal to a stored one, "import" for others. */
const char *endorsement_source_name(const char *text, size_t len);

/* A few of them, in the order in which they are to be tried. */
#define CANDIDATES_MAX 16u
struct candidates {
    struct endorsement *items[CANDIDATES_MAX];
    size_t count;
};
/* Takes a reference of its own; repeats, and what is over the bound, are left out. NULL is allowed. */
void candidates_add(struct candidates *, struct endorsement *);
/* For what ages: first those that hold at `now`, the newest first; then those that are over; then those to come. */
void candidates_sort(struct candidates *, int64_t now);
void candidates_clear(struct candidates *);

/*
 * Cut bytes from anywhere into objects (PEM and DER; a JSON or XML document is one) and ask the plugins what each can serve as. found()
 * gets every pair of kind and key. False when the bytes are not well-formed to their end; what came before was reported.
 */
typedef void endorsement_found(void *context, const char *kind, const char *key, const uint8_t *bytes, size_t len);
bool endorsement_identify(const struct attestd_engine *, const uint8_t *bytes, size_t len, endorsement_found *found, void *context);

int32_t endorsement_life(const struct attestd_engine *, const char *kind);
/* Largest answer for the kind, in bytes: the kind's own bound, and never over the bounds above. */
size_t endorsement_max_size(const struct attestd_engine *, const char *kind);

#endif
