/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/recent.h"

#include <stdlib.h>
#include <string.h>

struct slot {
    uint8_t digest[RECENT_DIGEST];
    uint32_t chain;        /* next in the bucket */
    uint32_t older, newer; /* by use */
};

struct recent {
    uint32_t capacity, used, oldest, newest, bucket_mask;
    uint32_t *buckets;
    struct slot *slots;
};

struct recent *recent_new(uint32_t capacity)
{
    struct recent *recent = calloc(1, sizeof *recent);
    if (recent == NULL)
        return NULL;
    uint32_t buckets = 16;
    while (buckets < capacity && buckets < (1u << 24))
        buckets *= 2;
    *recent = (struct recent){.capacity = capacity, .oldest = RECENT_NONE, .newest = RECENT_NONE, .bucket_mask = buckets - 1};
    recent->buckets = malloc(buckets * sizeof *recent->buckets);
    recent->slots = calloc(capacity, sizeof *recent->slots);
    if (recent->buckets == NULL || recent->slots == NULL) {
        recent_free(recent);
        return NULL;
    }
    memset(recent->buckets, 0xff, buckets * sizeof *recent->buckets);
    return recent;
}

void recent_free(struct recent *recent)
{
    if (recent == NULL)
        return;
    free(recent->buckets);
    free(recent->slots);
    free(recent);
}

/* The digests are keyed, so nobody outside can aim at a bucket. */
static uint32_t *bucket_of(struct recent *recent, const uint8_t digest[RECENT_DIGEST])
{
    uint32_t hash;
    memcpy(&hash, digest, sizeof hash);
    return &recent->buckets[hash & recent->bucket_mask];
}

static void unlink_use(struct recent *recent, uint32_t at)
{
    struct slot *slot = &recent->slots[at];
    if (slot->older != RECENT_NONE)
        recent->slots[slot->older].newer = slot->newer;
    else
        recent->oldest = slot->newer;
    if (slot->newer != RECENT_NONE)
        recent->slots[slot->newer].older = slot->older;
    else
        recent->newest = slot->older;
}

static void link_newest(struct recent *recent, uint32_t at)
{
    struct slot *slot = &recent->slots[at];
    slot->older = recent->newest;
    slot->newer = RECENT_NONE;
    if (recent->newest != RECENT_NONE)
        recent->slots[recent->newest].newer = at;
    else
        recent->oldest = at;
    recent->newest = at;
}

uint32_t recent_find(struct recent *recent, const uint8_t digest[RECENT_DIGEST])
{
    for (uint32_t at = *bucket_of(recent, digest); at != RECENT_NONE; at = recent->slots[at].chain) {
        if (memcmp(recent->slots[at].digest, digest, RECENT_DIGEST) != 0)
            continue;
        unlink_use(recent, at);
        link_newest(recent, at);
        return at;
    }
    return RECENT_NONE;
}

static uint32_t forget_oldest(struct recent *recent)
{
    uint32_t at = recent->oldest;
    unlink_use(recent, at);
    uint32_t *chain = bucket_of(recent, recent->slots[at].digest);
    while (*chain != at)
        chain = &recent->slots[*chain].chain;
    *chain = recent->slots[at].chain;
    return at;
}

uint32_t recent_take(struct recent *recent, const uint8_t digest[RECENT_DIGEST], bool *fresh)
{
    uint32_t at = recent_find(recent, digest);
    *fresh = at == RECENT_NONE;
    if (at != RECENT_NONE)
        return at;
    at = recent->used < recent->capacity ? recent->used++ : forget_oldest(recent);
    uint32_t *bucket = bucket_of(recent, digest);
    memcpy(recent->slots[at].digest, digest, RECENT_DIGEST);
    recent->slots[at].chain = *bucket;
    *bucket = at;
    link_newest(recent, at);
    return at;
}
