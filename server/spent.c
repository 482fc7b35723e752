/* SPDX-License-Identifier: Apache-2.0 */
#include "server/spent.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SHARDS 16
#define NONE UINT32_MAX

/* All nonces live equally long, so the order of insertion is the order of forgetting: a ring, with a hash over its places. */
struct spent_entry {
    uint8_t nonce[32];
    uint32_t forgotten_at; /* seconds */
    uint32_t next;         /* in the bucket */
};

struct shard {
    pthread_mutex_t lock;
    struct spent_entry *ring;
    uint32_t *buckets;
    uint32_t first, used; /* of the ring */
};

struct local_set {
    struct spent_set set;
    struct shard shards[SHARDS];
    uint32_t places, buckets; /* of one shard; buckets is a power of two */
    unsigned seconds;
    uint32_t (*clock)(void);
};

static uint32_t monotonic(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint32_t)now.tv_sec;
}

/* Nonces are random and carry our MAC: their own bytes are the hash. */
static uint32_t word_of(const uint8_t nonce[32], size_t at)
{
    uint32_t word;
    memcpy(&word, nonce + at, sizeof word);
    return word;
}

static void forget(struct local_set *set, struct shard *shard, uint32_t now)
{
    while (shard->used != 0 && (int32_t)(now - shard->ring[shard->first].forgotten_at) >= 0) {
        uint32_t *link = &shard->buckets[word_of(shard->ring[shard->first].nonce, 4) & (set->buckets - 1)];
        while (*link != shard->first)
            link = &shard->ring[*link].next;
        *link = shard->ring[shard->first].next;
        shard->first = shard->first + 1 == set->places ? 0 : shard->first + 1;
        shard->used--;
    }
}

static bool contains(const struct local_set *set, const struct shard *shard, const uint8_t nonce[32])
{
    for (uint32_t at = shard->buckets[word_of(nonce, 4) & (set->buckets - 1)]; at != NONE; at = shard->ring[at].next)
        if (memcmp(shard->ring[at].nonce, nonce, 32) == 0)
            return true;
    return false;
}

static void add(struct local_set *set, struct shard *shard, const uint8_t nonce[32], uint32_t now)
{
    uint32_t at = (uint32_t)(((uint64_t)shard->first + shard->used) % set->places);
    uint32_t *bucket = &shard->buckets[word_of(nonce, 4) & (set->buckets - 1)];
    memcpy(shard->ring[at].nonce, nonce, 32);
    shard->ring[at].forgotten_at = now + set->seconds;
    shard->ring[at].next = *bucket;
    *bucket = at;
    shard->used++;
}

static enum spent_outcome local_insert(struct spent_set *base, const uint8_t nonce[32])
{
    struct local_set *set = (struct local_set *)base;
    struct shard *shard = &set->shards[word_of(nonce, 0) % SHARDS];
    enum spent_outcome outcome = SPENT_NOW;
    pthread_mutex_lock(&shard->lock);
    uint32_t now = set->clock();
    forget(set, shard, now);
    if (contains(set, shard, nonce))
        outcome = SPENT_BEFORE;
    else if (shard->used == set->places)
        outcome = SPENT_FULL;
    else
        add(set, shard, nonce, now);
    pthread_mutex_unlock(&shard->lock);
    return outcome;
}

static bool local_seen(struct spent_set *base, const uint8_t nonce[32])
{
    struct local_set *set = (struct local_set *)base;
    struct shard *shard = &set->shards[word_of(nonce, 0) % SHARDS];
    pthread_mutex_lock(&shard->lock);
    bool seen = contains(set, shard, nonce);
    pthread_mutex_unlock(&shard->lock);
    return seen;
}

static size_t local_count(struct spent_set *base)
{
    struct local_set *set = (struct local_set *)base;
    size_t count = 0;
    for (size_t i = 0; i < SHARDS; i++) {
        pthread_mutex_lock(&set->shards[i].lock);
        forget(set, &set->shards[i], set->clock());
        count += set->shards[i].used;
        pthread_mutex_unlock(&set->shards[i].lock);
    }
    return count;
}

static void local_free(struct spent_set *base)
{
    struct local_set *set = (struct local_set *)base;
    for (size_t i = 0; i < SHARDS; i++) {
        pthread_mutex_destroy(&set->shards[i].lock);
        free(set->shards[i].ring);
        free(set->shards[i].buckets);
    }
    free(set);
}

struct spent_set *spent_local(size_t capacity, unsigned seconds)
{
    struct local_set *set = calloc(1, sizeof *set);
    if (set == NULL || capacity < SHARDS || capacity / SHARDS >= NONE / 2)
        abort();
    set->set = (struct spent_set){local_insert, local_seen, local_count, local_free};
    set->places = (uint32_t)(capacity / SHARDS);
    for (set->buckets = 4; set->buckets < set->places; set->buckets *= 2)
        ;
    set->seconds = seconds;
    set->clock = monotonic;
    for (size_t i = 0; i < SHARDS; i++) {
        struct shard *shard = &set->shards[i];
        pthread_mutex_init(&shard->lock, NULL);
        shard->ring = calloc(set->places, sizeof *shard->ring);
        shard->buckets = malloc(set->buckets * sizeof *shard->buckets);
        if (shard->ring == NULL || shard->buckets == NULL)
            abort();
        memset(shard->buckets, 0xff, set->buckets * sizeof *shard->buckets);
    }
    return &set->set;
}

void spent_set_clock(struct spent_set *base, uint32_t (*clock)(void))
{
    ((struct local_set *)base)->clock = clock;
}

enum spent_outcome spent_insert(struct spent_set *set, const uint8_t nonce[32])
{
    return set->insert(set, nonce);
}

bool spent_seen(struct spent_set *set, const uint8_t nonce[32])
{
    return set->seen(set, nonce);
}

size_t spent_count(struct spent_set *set)
{
    return set->count(set);
}

void spent_free(struct spent_set *set)
{
    if (set != NULL)
        set->free(set);
}
