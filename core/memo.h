/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside core: memos, the immutable objects plugins keep between appraisals. Bounded in bytes, in shards of least recent use,
 * safe for all threads. No clock: the verification time is passed in and checked on every hit.
 */
#ifndef ATTESTD_CORE_MEMO_H
#define ATTESTD_CORE_MEMO_H

#include "core/engine.h"

struct memo_cache;
struct memo_entry;

/* What else a run that made the object found out, so that a warm run knows it too. */
struct memo_facts {
    bool simulated; /* a simulated anchor was met */
    bool anchored;  /* a pinned anchor was met */
};

struct memo_cache *memo_cache_new(size_t limit);
void memo_cache_free(struct memo_cache *);
void memo_cache_limit(struct memo_cache *, size_t limit);
void memo_cache_drop(struct memo_cache *);
struct attestd_memo_counts memo_cache_counts(struct memo_cache *);

/* A reference the caller gives back with memo_entry_release(); NULL: none that holds at `time`. */
struct memo_entry *memo_cache_get(struct memo_cache *, const uint8_t key[32], int64_t time);
/* Takes ownership of object. The entry holds from `time` (when it was made; an older entry's earlier time is kept) to not_after. The
 * caller gets a reference, too, also when the cache does not keep it. */
struct memo_entry *memo_cache_put(struct memo_cache *, const uint8_t key[32], void *object, size_t size, int64_t time, int64_t not_after,
                                  void (*release)(void *), struct memo_facts facts);
const void *memo_entry_object(const struct memo_entry *);
int64_t memo_entry_not_after(const struct memo_entry *);
struct memo_facts memo_entry_facts(const struct memo_entry *);
/* void * so that an arena can call it. */
void memo_entry_release(void *entry);

#endif
