/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where endorsements stand: in memory by kind and key, and behind that in the cache's LMDB tables. Three places a key:
 *   authentic  a plugin accepted it; what ages is replaced only by something newer
 *   imported   an operator brought or prefetched it; nothing is known of it until a plugin accepts it
 *   arrived    a vendor answered with it and no plugin has judged it yet: memory only, bounded, for minutes
 * Anchors (bytes of pinned roots) stand apart, in the state's table `anchors`.
 */
#ifndef ATTESTD_CACHE_SHELVES_H
#define ATTESTD_CACHE_SHELVES_H

#include "cache/endorsement.h"
#include "cache/store.h"

struct shelves;

/* cache and state may be NULL: then nothing outlives the process. */
struct shelves *shelves_new(const struct attestd_engine *, struct attestd_anchor_set *, struct attestd_store *cache,
                            struct attestd_store *state);
void shelves_free(struct shelves *);

/* What stands under a key; references to give back with shelf_view_clear. */
struct shelf_view {
    struct endorsement *authentic, *imported, *arrived;
};
void shelves_find(struct shelves *, const char *kind, const char *key, int64_t now, struct shelf_view *view);
void shelf_view_clear(struct shelf_view *);

/* A vendor's answer, until `until` (seconds since 1970). */
void shelves_arrive(struct shelves *, const char *kind, const char *key, struct endorsement *, int64_t until);
/* It was rejected: forget it at `until`. */
void shelves_doubt(struct shelves *, const char *kind, const char *key, const uint8_t sha256[32], int64_t until);
/* Memory and disk. Something that ages does not replace what is newer; anything else replaces only when `replace` says so. True: it now
 * stands there. */
bool shelves_store(struct shelves *, const char *kind, const char *key, struct endorsement *, bool replace);
/* The vendor still gives the same bytes: they are as good as fetched now. */
void shelves_renew(struct shelves *, const char *kind, const char *key, const uint8_t sha256[32], int64_t fetched);
bool shelves_import(struct shelves *, const char *kind, const char *key, struct endorsement *);

/* Bytes of a root. Kept when its digest is pinned; false when it is not. */
bool shelves_add_anchor(struct shelves *, const char *kind, const char *key, struct endorsement *);
void shelves_find_anchors(struct shelves *, const char *kind, const char *key, struct candidates *);
struct endorsement *shelves_anchor(struct shelves *, const uint8_t sha256[32]);

/* Everything on disk and in memory. Entries are valid during the call; stops when found answers false. */
typedef bool shelf_entry_found(void *context, const char *kind, const char *key, const struct endorsement *, int64_t last_used);
void shelves_walk(struct shelves *, shelf_entry_found *found, void *context);
/* Only what ages. */
void shelves_walk_ageing(struct shelves *, shelf_entry_found *found, void *context);

/* Now and then: write down what was used, drop what was not when the cache fills up. */
void shelves_tend(struct shelves *, int64_t now);

#endif
