/* SPDX-License-Identifier: Apache-2.0 */
#include "server/addresses.h"
#include <openssl/rand.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define NOBODY UINT32_MAX

struct address {
    uint8_t key[9];
    unsigned connections;
    double tokens;
    uint64_t filled_ns;      /* when tokens was true; 0: never asked */
    uint32_t chain;          /* next in the bucket */
    uint32_t younger, older; /* order of use */
};

struct addresses {
    pthread_mutex_t lock;
    uint64_t seed[2]; /* drawn, so that nobody can choose addresses that collide */
    size_t capacity, used;
    size_t buckets; /* a power of two */
    uint32_t *heads;
    struct address *items;
    uint32_t youngest, oldest;
};

struct addresses *addresses_new(size_t capacity)
{
    struct addresses *all = calloc(1, sizeof *all);
    if (all == NULL || capacity == 0 || capacity >= NOBODY / 2)
        abort();
    all->capacity = capacity;
    for (all->buckets = 16; all->buckets < capacity; all->buckets *= 2)
        ;
    all->heads = malloc(all->buckets * sizeof *all->heads);
    all->items = calloc(capacity, sizeof *all->items);
    if (all->heads == NULL || all->items == NULL || RAND_bytes((unsigned char *)all->seed, sizeof all->seed) != 1)
        abort();
    memset(all->heads, 0xff, all->buckets * sizeof *all->heads);
    all->youngest = all->oldest = NOBODY;
    pthread_mutex_init(&all->lock, NULL);
    return all;
}

void addresses_free(struct addresses *all)
{
    if (all == NULL)
        return;
    pthread_mutex_destroy(&all->lock);
    free(all->heads);
    free(all->items);
    free(all);
}

static size_t bucket_of(const struct addresses *all, const uint8_t key[9])
{
    uint64_t word;
    memcpy(&word, key + 1, sizeof word);
    uint64_t h = (word ^ all->seed[0]) * 0x9e3779b97f4a7c15u;
    h ^= h >> 32;
    h = (h + key[0] + all->seed[1]) * 0xd6e8feb86659fd93u;
    h ^= h >> 29;
    return (size_t)h & (all->buckets - 1);
}

static void unlink_use(struct addresses *all, uint32_t at)
{
    struct address *a = &all->items[at];
    if (a->younger != NOBODY)
        all->items[a->younger].older = a->older;
    else
        all->youngest = a->older;
    if (a->older != NOBODY)
        all->items[a->older].younger = a->younger;
    else
        all->oldest = a->younger;
}

static void link_youngest(struct addresses *all, uint32_t at)
{
    struct address *a = &all->items[at];
    a->younger = NOBODY;
    a->older = all->youngest;
    if (all->youngest != NOBODY)
        all->items[all->youngest].younger = at;
    all->youngest = at;
    if (all->oldest == NOBODY)
        all->oldest = at;
}

static void unlink_bucket(struct addresses *all, uint32_t at)
{
    uint32_t *link = &all->heads[bucket_of(all, all->items[at].key)];
    while (*link != at)
        link = &all->items[*link].chain;
    *link = all->items[at].chain;
}

/* A place for a new address: a fresh one, else that of the idlest without connections among the oldest few. */
static uint32_t take_place(struct addresses *all)
{
    if (all->used < all->capacity)
        return (uint32_t)all->used++;
    uint32_t at = all->oldest;
    for (int tries = 0; tries < 64 && at != NOBODY; tries++, at = all->items[at].younger) {
        if (all->items[at].connections != 0)
            continue;
        unlink_bucket(all, at);
        unlink_use(all, at);
        return at;
    }
    return NOBODY;
}

static struct address *find(struct addresses *all, const uint8_t key[9], bool make)
{
    size_t bucket = bucket_of(all, key);
    for (uint32_t at = all->heads[bucket]; at != NOBODY; at = all->items[at].chain) {
        if (memcmp(all->items[at].key, key, sizeof all->items[at].key) != 0)
            continue;
        unlink_use(all, at);
        link_youngest(all, at);
        return &all->items[at];
    }
    uint32_t at = make ? take_place(all) : NOBODY;
    if (at == NOBODY)
        return NULL;
    struct address *a = &all->items[at];
    memset(a, 0, sizeof *a);
    memcpy(a->key, key, sizeof a->key);
    a->chain = all->heads[bucket];
    all->heads[bucket] = at;
    link_youngest(all, at);
    return a;
}

bool addresses_connect(struct addresses *all, const uint8_t key[9], unsigned limit)
{
    pthread_mutex_lock(&all->lock);
    struct address *a = find(all, key, true);
    bool granted = a != NULL && a->connections < limit;
    if (granted)
        a->connections++;
    pthread_mutex_unlock(&all->lock);
    return granted;
}

void addresses_disconnect(struct addresses *all, const uint8_t key[9])
{
    pthread_mutex_lock(&all->lock);
    struct address *a = find(all, key, false);
    if (a != NULL && a->connections > 0)
        a->connections--;
    pthread_mutex_unlock(&all->lock);
}

bool addresses_take(struct addresses *all, const uint8_t key[9], double per_second, double burst, uint64_t now_ns, unsigned *retry_after)
{
    *retry_after = 1;
    pthread_mutex_lock(&all->lock);
    struct address *a = find(all, key, true);
    bool granted = false;
    if (a != NULL) {
        if (a->filled_ns == 0)
            a->tokens = burst;
        else if (now_ns > a->filled_ns)
            a->tokens += (double)(now_ns - a->filled_ns) * 1e-9 * per_second;
        if (a->tokens > burst)
            a->tokens = burst;
        a->filled_ns = now_ns;
        granted = a->tokens >= 1;
        if (granted)
            a->tokens -= 1;
        else if (per_second > 0)
            *retry_after = (unsigned)((1 - a->tokens) / per_second) + 1;
    }
    pthread_mutex_unlock(&all->lock);
    return granted;
}
