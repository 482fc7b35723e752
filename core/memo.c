/* SPDX-License-Identifier: Apache-2.0 */
#include "core/memo.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define SHARDS 16
#define BUCKETS 256        /* a shard; keys are digests, so their bytes spread evenly */
#define ENTRY_OVERHEAD 256 /* counted beside what the plugin says an object takes */

struct memo_entry {
    atomic_uint references;
    uint8_t key[32];
    void *object;
    void (*release)(void *);
    size_t size;
    int64_t from, not_after;
    struct memo_facts facts;
    struct memo_entry *next;          /* in its bucket */
    struct memo_entry *newer, *older; /* by use */
};

struct shard {
    pthread_mutex_t lock;
    struct memo_entry *buckets[BUCKETS];
    struct memo_entry *newest, *oldest;
    size_t entries, bytes;
    uint64_t hits, misses, dropped;
};

struct memo_cache {
    atomic_size_t limit; /* of one shard */
    struct shard shards[SHARDS];
};

struct memo_cache *memo_cache_new(size_t limit)
{
    struct memo_cache *cache = calloc(1, sizeof *cache);

    if (cache == NULL)
        abort();
    atomic_init(&cache->limit, limit / SHARDS);
    for (size_t i = 0; i < SHARDS; i++)
        pthread_mutex_init(&cache->shards[i].lock, NULL);
    return cache;
}

void memo_entry_release(void *pointer)
{
    struct memo_entry *entry = pointer;

    if (entry == NULL || atomic_fetch_sub_explicit(&entry->references, 1, memory_order_acq_rel) != 1)
        return;
    if (entry->release != NULL)
        entry->release(entry->object);
    free(entry);
}

static struct shard *shard_of(struct memo_cache *cache, const uint8_t key[32])
{
    return &cache->shards[key[0] % SHARDS];
}

static struct memo_entry **bucket_of(struct shard *shard, const uint8_t key[32])
{
    return &shard->buckets[key[1] % BUCKETS];
}

static void unlink_use(struct shard *shard, struct memo_entry *entry)
{
    if (entry->newer != NULL)
        entry->newer->older = entry->older;
    else
        shard->newest = entry->older;
    if (entry->older != NULL)
        entry->older->newer = entry->newer;
    else
        shard->oldest = entry->newer;
}

static void link_newest(struct shard *shard, struct memo_entry *entry)
{
    entry->newer = NULL;
    entry->older = shard->newest;
    if (shard->newest != NULL)
        shard->newest->newer = entry;
    else
        shard->oldest = entry;
    shard->newest = entry;
}

/* Takes the entry out; the caller releases the shard's reference after unlocking. */
static void take_out(struct shard *shard, struct memo_entry *entry)
{
    struct memo_entry **link = bucket_of(shard, entry->key);

    while (*link != entry)
        link = &(*link)->next;
    *link = entry->next;
    unlink_use(shard, entry);
    shard->entries--;
    shard->bytes -= entry->size;
}

/* Moves the oldest entries to a list until the shard fits; objects are released outside the lock. */
static struct memo_entry *evict(struct shard *shard, size_t limit)
{
    struct memo_entry *evicted = NULL;

    while (shard->bytes > limit && shard->oldest != NULL) {
        struct memo_entry *entry = shard->oldest;
        take_out(shard, entry);
        shard->dropped++;
        entry->next = evicted;
        evicted = entry;
    }
    return evicted;
}

static void release_list(struct memo_entry *entry)
{
    while (entry != NULL) {
        struct memo_entry *next = entry->next;
        memo_entry_release(entry);
        entry = next;
    }
}

static struct memo_entry *lookup(struct shard *shard, const uint8_t key[32])
{
    struct memo_entry *entry = *bucket_of(shard, key);

    while (entry != NULL && memcmp(entry->key, key, 32) != 0)
        entry = entry->next;
    return entry;
}

struct memo_entry *memo_cache_get(struct memo_cache *cache, const uint8_t key[32], int64_t time)
{
    struct shard *shard = shard_of(cache, key);

    pthread_mutex_lock(&shard->lock);
    struct memo_entry *entry = lookup(shard, key);
    if (entry != NULL && (time < entry->from || time > entry->not_after))
        entry = NULL;
    if (entry != NULL) {
        atomic_fetch_add_explicit(&entry->references, 1, memory_order_relaxed);
        if (shard->newest != entry) {
            unlink_use(shard, entry);
            link_newest(shard, entry);
        }
        shard->hits++;
    } else {
        shard->misses++;
    }
    pthread_mutex_unlock(&shard->lock);
    return entry;
}

static void keep(struct memo_cache *cache, struct memo_entry *entry)
{
    struct shard *shard = shard_of(cache, entry->key);
    size_t limit = atomic_load_explicit(&cache->limit, memory_order_relaxed);

    pthread_mutex_lock(&shard->lock);
    struct memo_entry *old = lookup(shard, entry->key);
    if (old != NULL) {
        /* Both were made from the same things and hold in one interval: it reaches back to the earlier of the two. */
        if (old->not_after == entry->not_after && old->from < entry->from)
            entry->from = old->from;
        take_out(shard, old);
        old->next = NULL;
    }
    struct memo_entry **bucket = bucket_of(shard, entry->key);
    entry->next = *bucket;
    *bucket = entry;
    link_newest(shard, entry);
    shard->entries++;
    shard->bytes += entry->size;
    struct memo_entry *evicted = evict(shard, limit);
    pthread_mutex_unlock(&shard->lock);
    release_list(old);
    release_list(evicted);
}

struct memo_entry *memo_cache_put(struct memo_cache *cache, const uint8_t key[32], void *object, size_t size, int64_t time,
                                  int64_t not_after, void (*release)(void *), struct memo_facts facts)
{
    struct memo_entry *entry = calloc(1, sizeof *entry);

    if (entry == NULL)
        abort();
    bool fits = size <= atomic_load_explicit(&cache->limit, memory_order_relaxed) && time <= not_after;
    atomic_init(&entry->references, fits ? 2 : 1);
    memcpy(entry->key, key, 32);
    entry->object = object;
    entry->release = release;
    entry->size = fits ? size + ENTRY_OVERHEAD : 0;
    entry->from = time;
    entry->not_after = not_after;
    entry->facts = facts;
    if (fits)
        keep(cache, entry);
    return entry;
}

const void *memo_entry_object(const struct memo_entry *entry)
{
    return entry->object;
}

int64_t memo_entry_not_after(const struct memo_entry *entry)
{
    return entry->not_after;
}

struct memo_facts memo_entry_facts(const struct memo_entry *entry)
{
    return entry->facts;
}

static void shrink(struct memo_cache *cache, size_t limit)
{
    for (size_t i = 0; i < SHARDS; i++) {
        struct shard *shard = &cache->shards[i];
        pthread_mutex_lock(&shard->lock);
        struct memo_entry *evicted = evict(shard, limit);
        pthread_mutex_unlock(&shard->lock);
        release_list(evicted);
    }
}

void memo_cache_limit(struct memo_cache *cache, size_t limit)
{
    atomic_store_explicit(&cache->limit, limit / SHARDS, memory_order_relaxed);
    shrink(cache, limit / SHARDS);
}

void memo_cache_drop(struct memo_cache *cache)
{
    shrink(cache, 0);
}

struct attestd_memo_counts memo_cache_counts(struct memo_cache *cache)
{
    struct attestd_memo_counts counts = {0};

    for (size_t i = 0; i < SHARDS; i++) {
        struct shard *shard = &cache->shards[i];
        pthread_mutex_lock(&shard->lock);
        counts.hits += shard->hits;
        counts.misses += shard->misses;
        counts.dropped += shard->dropped;
        counts.entries += shard->entries;
        counts.bytes += shard->bytes;
        pthread_mutex_unlock(&shard->lock);
    }
    return counts;
}

void memo_cache_free(struct memo_cache *cache)
{
    if (cache == NULL)
        return;
    memo_cache_drop(cache);
    for (size_t i = 0; i < SHARDS; i++)
        pthread_mutex_destroy(&cache->shards[i].lock);
    free(cache);
}
