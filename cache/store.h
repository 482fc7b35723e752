/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The embedded stores: LMDB environments below one state directory.
 *   cache.mdb   endorsements; may be deleted at any time
 *   state.mdb   what cannot be rebuilt: policy versions, device state, bytes of anchors
 *   records.mdb appraisal records and bundles, by retention
 * One batching writer thread an environment; no read transaction outlives a call; dead readers are cleared at open; MAP_FULL grows
 * the map once and then is an error of that write; network file systems are refused.
 */
#ifndef ATTESTD_CACHE_STORE_H
#define ATTESTD_CACHE_STORE_H

#include "core/arena.h"
#include <attestd/plugin.h>
#include <stdbool.h>

struct attestd_store;

struct attestd_store_options {
    const char *path; /* file of the environment, made with mode 0600 in a directory of mode 0700 */
    size_t max_size;  /* bytes the map may grow to */
    bool read_only;
    bool memory_only; /* a private temporary file, unlinked at once */
};

struct attestd_store *attestd_store_open(const struct attestd_store_options *options, char *error, size_t error_size);
/* Flushes what is queued. */
void attestd_store_close(struct attestd_store *);

/* Tables are named databases, made on first write. Values are copied to the arena. False: not there. */
bool attestd_store_get(struct attestd_store *, const char *table, const void *key, size_t key_len, struct attestd_arena *arena,
                       struct attestd_bytes *value);
/* Queued; returns at once; durable after the writer's next commit. False when the queue is full (the write is dropped and counted). */
bool attestd_store_put(struct attestd_store *, const char *table, const void *key, size_t key_len, const void *value, size_t value_len);
bool attestd_store_delete(struct attestd_store *, const char *table, const void *key, size_t key_len);
/* Waits until it is on disk. */
bool attestd_store_put_now(struct attestd_store *, const char *table, const void *key, size_t key_len, const void *value, size_t value_len);
/* Replace `before` (length 0: absent) by `after`, atomically and durably. False when the stored value is another. */
bool attestd_store_swap(struct attestd_store *, const char *table, const void *key, size_t key_len, struct attestd_bytes before,
                        struct attestd_bytes after);
/* Calls found in key order from the first key >= from; stops when found answers false. The bytes are valid during the call. */
void attestd_store_walk(struct attestd_store *, const char *table, const void *from, size_t from_len,
                        bool (*found)(void *context, struct attestd_bytes key, struct attestd_bytes value), void *context);
/* Waits until everything queued so far is on disk. */
bool attestd_store_flush(struct attestd_store *);
struct attestd_store_counts {
    uint64_t reads, writes, commits, dropped, failed;
    size_t used_bytes, max_bytes; /* of the tables' pages; what the map may grow to */
};
struct attestd_store_counts attestd_store_counts(struct attestd_store *);

#endif
