/* SPDX-License-Identifier: Apache-2.0 */
#include "server/records.h"
#include "core/bytes.h"
#include "core/encoding.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define RECORDS "appraisals"
#define BUNDLES "bundles"
#define KEY_LEN 16     /* the UUID: version 7 begins with 48 bits of milliseconds, so the order of keys is that of time */
#define PRUNE_STEP 512 /* records dropped in one go */

struct records {
    struct attestd_store *store;
    enum config_keep keep;
    int64_t seconds;
    size_t max;
    atomic_size_t bytes;
    atomic_bool counted; /* what was there at start has been added up */
};

struct records *records_new(struct attestd_store *store, enum config_keep keep, int64_t seconds, size_t max)
{
    struct records *r = calloc(1, sizeof *r);
    if (r == NULL)
        abort();
    r->store = store;
    r->keep = keep;
    r->seconds = seconds;
    r->max = max;
    return r;
}

void records_free(struct records *r)
{
    free(r);
}

bool records_wanted(const struct records *r, enum attestd_verdict verdict)
{
    return r->keep == KEEP_ALL || (r->keep == KEEP_DENIED && verdict == ATTESTD_CONTRAINDICATED);
}

/* "ap_" and a UUID in text to its 16 bytes. */
static bool key_of(const char *id, uint8_t key[KEY_LEN])
{
    char hex[2 * KEY_LEN];
    size_t digits = 0, len = 0;
    if (strncmp(id, "ap_", 3) != 0 || strlen(id) != 39)
        return false;
    for (const char *c = id + 3; *c != '\0'; c++) {
        if (*c == '-')
            continue;
        if (digits == sizeof hex)
            return false;
        hex[digits++] = *c;
    }
    return digits == sizeof hex && attestd_hex_decode(hex, digits, key, KEY_LEN, &len) && len == KEY_LEN;
}

void records_put(struct records *r, const char *id, const struct attestd_text *record, const struct attestd_text *bundle)
{
    uint8_t key[KEY_LEN];
    if (!key_of(id, key))
        return;
    if (!attestd_store_put(r->store, RECORDS, key, KEY_LEN, record->data, record->len))
        return;
    atomic_fetch_add(&r->bytes, record->len);
    if (attestd_store_put(r->store, BUNDLES, key, KEY_LEN, bundle->data, bundle->len))
        atomic_fetch_add(&r->bytes, bundle->len);
}

bool records_get(struct records *r, const char *id, bool bundle, struct attestd_arena *arena, struct attestd_bytes *text)
{
    uint8_t key[KEY_LEN];
    return key_of(id, key) && attestd_store_get(r->store, bundle ? BUNDLES : RECORDS, key, KEY_LEN, arena, text);
}

struct walking {
    uint8_t after[KEY_LEN];
    bool has_after;
    bool (*found)(void *context, struct attestd_bytes record);
    void *context;
};

static bool on_record(void *context, struct attestd_bytes key, struct attestd_bytes value)
{
    struct walking *walking = context;
    if (walking->has_after && attestd_bytes_are(key, walking->after, KEY_LEN))
        return true;
    return walking->found(walking->context, value);
}

void records_walk(struct records *r, const char *after, bool (*found)(void *context, struct attestd_bytes record), void *context)
{
    struct walking walking = {.found = found, .context = context};
    walking.has_after = key_of(after, walking.after);
    attestd_store_walk(r->store, RECORDS, walking.after, walking.has_after ? KEY_LEN : 0, on_record, &walking);
}

static bool add_size(void *context, struct attestd_bytes key, struct attestd_bytes value)
{
    (void)key;
    *(size_t *)context += value.len;
    return true;
}

struct pruning {
    struct records *records;
    uint8_t keys[PRUNE_STEP][KEY_LEN];
    size_t sizes[PRUNE_STEP];
    size_t count, over; /* bytes still to go */
    uint64_t oldest_ms; /* older ones go */
};

static bool choose(void *context, struct attestd_bytes key, struct attestd_bytes value)
{
    struct pruning *p = context;
    if (key.len != KEY_LEN || p->count == PRUNE_STEP)
        return false;
    struct attestd_reader reader = attestd_reader_of(key.data, key.len);
    uint64_t high = attestd_read_u32be(&reader), ms = (high << 16) | attestd_read_u16be(&reader);
    if (ms >= p->oldest_ms && p->over == 0)
        return false;
    memcpy(p->keys[p->count], key.data, KEY_LEN);
    p->sizes[p->count++] = value.len;
    p->over = p->over > value.len ? p->over - value.len : 0;
    return true;
}

static size_t prune_table(struct records *r, const char *table, struct pruning *p)
{
    p->count = 0;
    attestd_store_walk(r->store, table, "", 0, choose, p);
    for (size_t i = 0; i < p->count; i++) {
        attestd_store_delete(r->store, table, p->keys[i], KEY_LEN);
        size_t bytes = atomic_load(&r->bytes);
        atomic_fetch_sub(&r->bytes, p->sizes[i] < bytes ? p->sizes[i] : bytes);
    }
    return p->count;
}

void records_prune(struct records *r, int64_t now)
{
    if (!atomic_exchange(&r->counted, true)) {
        size_t there = 0;
        attestd_store_walk(r->store, RECORDS, "", 0, add_size, &there);
        attestd_store_walk(r->store, BUNDLES, "", 0, add_size, &there);
        atomic_store(&r->bytes, there);
    }
    struct pruning *p = calloc(1, sizeof *p);
    if (p == NULL)
        abort();
    p->records = r;
    p->oldest_ms = now > r->seconds ? (uint64_t)(now - r->seconds) * 1000 : 0;
    size_t bytes = atomic_load(&r->bytes);
    p->over = bytes > r->max ? bytes - r->max : 0;
    /* bundles first: they are the larger part, and a record without its bundle still tells what was decided */
    prune_table(r, BUNDLES, p);
    prune_table(r, RECORDS, p);
    free(p);
}

size_t records_bytes(const struct records *r)
{
    return atomic_load(&r->bytes);
}
