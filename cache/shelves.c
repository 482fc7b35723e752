/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/shelves.h"

#include "cache/shelf_record.h"
#include "core/bytes.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define BUCKETS 8192u
#define SHELVES_MAX 16384u
#define SHELVES_MAX_BYTES ((size_t)32 << 20)
#define ARRIVALS_MAX 64u
#define ARRIVALS_MAX_BYTES ((size_t)8 << 20)
#define ANCHORS_MAX 256u
#define IMPORT_LOOK_AGAIN 60      /* seconds: another process may have imported something newer */
#define USE_GRAIN ((int64_t)3600) /* seconds by which a written last_used may lag */

#define TABLE_IMMUTABLE "endorsements"
#define TABLE_AGEING "lists"
#define TABLE_USES "uses"
#define TABLE_ANCHORS "anchors"

struct shelf {
    struct shelf *chain;         /* same bucket */
    struct shelf *newer, *older; /* by use */
    uint64_t hash;
    int32_t life;
    struct endorsement *authentic, *imported;
    int64_t looked_up, last_used, use_written;
    char *key; /* behind kind, in names */
    char names[];
};

struct arrival {
    uint64_t hash;
    int64_t until;
    struct endorsement *endorsement; /* NULL: free */
    char kind[ENDORSEMENT_KIND_MAX + 1], key[ENDORSEMENT_KEY_MAX + 1];
};

struct anchor_entry {
    struct endorsement *endorsement;
    char kind[ENDORSEMENT_KIND_MAX + 1], key[ENDORSEMENT_KEY_MAX + 1];
};

struct shelves {
    const struct attestd_engine *engine;
    struct attestd_anchor_set *pins;
    struct attestd_store *cache, *state;
    uint64_t seed;

    pthread_mutex_t lock;
    struct shelf *buckets[BUCKETS];
    struct shelf *newest, *oldest;
    size_t count, bytes;
    struct arrival arrivals[ARRIVALS_MAX];
    size_t next_arrival, arrival_bytes;
    struct anchor_entry anchors[ANCHORS_MAX];
    size_t anchor_count;
};

static const char *table_of(int32_t life)
{
    return life == ATTESTD_AGEING ? TABLE_AGEING : TABLE_IMMUTABLE;
}

/* FNV-1a under a seed of this process. Only keys for which somebody had authentic or vendor's bytes get in. */
static uint64_t hash_of(const struct shelves *shelves, const char *kind, const char *key)
{
    uint64_t hash = shelves->seed;
    for (const char *at = kind; *at != 0; at++)
        hash = (hash ^ (uint8_t)*at) * 0x100000001b3u;
    hash = (hash ^ 0xff) * 0x100000001b3u;
    for (const char *at = key; *at != 0; at++)
        hash = (hash ^ (uint8_t)*at) * 0x100000001b3u;
    return hash ^ (hash >> 29);
}

/* All below with the lock held, unless they say otherwise. */

static struct shelf *shelf_find(struct shelves *shelves, uint64_t hash, const char *kind, const char *key)
{
    for (struct shelf *shelf = shelves->buckets[hash % BUCKETS]; shelf != NULL; shelf = shelf->chain)
        if (shelf->hash == hash && strcmp(shelf->key, key) == 0 && strcmp(shelf->names, kind) == 0)
            return shelf;
    return NULL;
}

static void unlink_use(struct shelves *shelves, struct shelf *shelf)
{
    *(shelf->newer != NULL ? &shelf->newer->older : &shelves->newest) = shelf->older;
    *(shelf->older != NULL ? &shelf->older->newer : &shelves->oldest) = shelf->newer;
}

static void link_newest(struct shelves *shelves, struct shelf *shelf)
{
    shelf->newer = NULL;
    shelf->older = shelves->newest;
    *(shelves->newest != NULL ? &shelves->newest->newer : &shelves->oldest) = shelf;
    shelves->newest = shelf;
}

static void shelf_touch(struct shelves *shelves, struct shelf *shelf, int64_t now)
{
    shelf->last_used = now;
    if (shelves->newest == shelf)
        return;
    unlink_use(shelves, shelf);
    link_newest(shelves, shelf);
}

static void place_set(struct shelves *shelves, struct endorsement **place, struct endorsement *endorsement)
{
    if (*place != NULL)
        shelves->bytes -= (*place)->len;
    endorsement_free(*place);
    *place = endorsement != NULL ? endorsement_retain(endorsement) : NULL;
    if (*place != NULL)
        shelves->bytes += (*place)->len;
}

static void shelf_drop(struct shelves *shelves, struct shelf *shelf)
{
    struct shelf **link = &shelves->buckets[shelf->hash % BUCKETS];
    while (*link != shelf)
        link = &(*link)->chain;
    *link = shelf->chain;
    unlink_use(shelves, shelf);
    place_set(shelves, &shelf->authentic, NULL);
    place_set(shelves, &shelf->imported, NULL);
    shelves->count--;
    free(shelf);
}

/* What is on disk can be dropped from memory. */
static void make_room(struct shelves *shelves, const struct shelf *spare)
{
    struct shelf *shelf = shelves->oldest;
    while (shelf != NULL && (shelves->count > SHELVES_MAX || shelves->bytes > SHELVES_MAX_BYTES)) {
        struct shelf *next = shelf->newer;
        bool only_here = shelves->cache == NULL && shelf->imported != NULL;
        if (shelf != spare && !only_here)
            shelf_drop(shelves, shelf);
        shelf = next;
    }
}

static struct shelf *shelf_make(struct shelves *shelves, uint64_t hash, const char *kind, const char *key)
{
    struct shelf *shelf = shelf_find(shelves, hash, kind, key);
    if (shelf != NULL)
        return shelf;
    size_t kind_size = strlen(kind) + 1, key_size = strlen(key) + 1;
    shelf = calloc(1, sizeof *shelf + kind_size + key_size);
    if (shelf == NULL)
        return NULL;
    memcpy(shelf->names, kind, kind_size);
    shelf->key = shelf->names + kind_size;
    memcpy(shelf->key, key, key_size);
    shelf->hash = hash;
    shelf->life = endorsement_life(shelves->engine, kind);
    shelf->chain = shelves->buckets[hash % BUCKETS];
    shelves->buckets[hash % BUCKETS] = shelf;
    link_newest(shelves, shelf);
    shelves->count++;
    return shelf;
}

static struct arrival *arrival_find(struct shelves *shelves, uint64_t hash, const char *kind, const char *key)
{
    for (size_t i = 0; i < ARRIVALS_MAX; i++) {
        struct arrival *arrival = &shelves->arrivals[i];
        if (arrival->endorsement != NULL && arrival->hash == hash && strcmp(arrival->key, key) == 0 && strcmp(arrival->kind, kind) == 0)
            return arrival;
    }
    return NULL;
}

static void arrival_drop(struct shelves *shelves, struct arrival *arrival)
{
    if (arrival->endorsement == NULL)
        return;
    shelves->arrival_bytes -= arrival->endorsement->len;
    endorsement_free(arrival->endorsement);
    arrival->endorsement = NULL;
}

/* Without the lock: reads one place of a key from disk. */
static struct endorsement *load_place(struct shelves *shelves, const char *kind, const char *key, int32_t life, enum shelf_place place)
{
    if (shelves->cache == NULL)
        return NULL;
    uint8_t name[SHELF_RECORD_KEY];
    shelf_record_key(kind, key, place, name);
    struct attestd_arena *arena = attestd_arena_new();
    struct attestd_bytes value;
    struct endorsement *endorsement = NULL;
    if (attestd_store_get(shelves->cache, table_of(life), name, sizeof name, arena, &value)) {
        char stored_kind[ENDORSEMENT_KIND_MAX + 1], stored_key[ENDORSEMENT_KEY_MAX + 1];
        endorsement = shelf_record_read(value, stored_kind, stored_key);
        if (endorsement != NULL && (strcmp(stored_kind, kind) != 0 || strcmp(stored_key, key) != 0)) {
            endorsement_free(endorsement);
            endorsement = NULL;
        }
    }
    attestd_arena_free(arena);
    return endorsement;
}

/* Without the lock. */
static void save_place(struct shelves *shelves, const char *kind, const char *key, int32_t life, enum shelf_place place,
                       const struct endorsement *endorsement)
{
    if (shelves->cache == NULL)
        return;
    uint8_t name[SHELF_RECORD_KEY];
    struct attestd_text value = {0};
    shelf_record_key(kind, key, place, name);
    shelf_record_write(&value, kind, key, endorsement);
    (void)attestd_store_put(shelves->cache, table_of(life), name, sizeof name, value.data, value.len);
    attestd_text_free(&value);
}

static struct endorsement *retain_or_null(struct endorsement *endorsement)
{
    return endorsement != NULL ? endorsement_retain(endorsement) : NULL;
}

/* Without the lock: brings a key's places from disk to memory, where they are not yet. */
static void load_shelf(struct shelves *shelves, uint64_t hash, const char *kind, const char *key, int64_t now)
{
    int32_t life = endorsement_life(shelves->engine, kind);
    struct endorsement *authentic = load_place(shelves, kind, key, life, SHELF_AUTHENTIC);
    struct endorsement *imported = load_place(shelves, kind, key, life, SHELF_IMPORTED);
    if (authentic == NULL && imported == NULL)
        return;
    pthread_mutex_lock(&shelves->lock);
    struct shelf *shelf = shelf_make(shelves, hash, kind, key);
    if (shelf != NULL) {
        if (shelf->authentic == NULL && authentic != NULL)
            place_set(shelves, &shelf->authentic, authentic);
        if (imported != NULL)
            place_set(shelves, &shelf->imported, imported);
        shelf->looked_up = now;
        make_room(shelves, shelf);
    }
    pthread_mutex_unlock(&shelves->lock);
    endorsement_free(authentic);
    endorsement_free(imported);
}

static bool view_shelf(struct shelves *shelves, uint64_t hash, const char *kind, const char *key, int64_t now, struct shelf_view *view)
{
    struct shelf *shelf = shelf_find(shelves, hash, kind, key);
    if (shelf == NULL)
        return false;
    if (shelf->life == ATTESTD_AGEING && shelves->cache != NULL && now - shelf->looked_up >= IMPORT_LOOK_AGAIN) {
        shelf->looked_up = now;
        return false;
    }
    shelf_touch(shelves, shelf, now);
    view->authentic = retain_or_null(shelf->authentic);
    view->imported = retain_or_null(shelf->imported);
    return true;
}

void shelves_find(struct shelves *shelves, const char *kind, const char *key, int64_t now, struct shelf_view *view)
{
    *view = (struct shelf_view){NULL, NULL, NULL};
    uint64_t hash = hash_of(shelves, kind, key);
    pthread_mutex_lock(&shelves->lock);
    bool known = view_shelf(shelves, hash, kind, key, now, view);
    if (!known && shelves->cache != NULL) {
        pthread_mutex_unlock(&shelves->lock);
        load_shelf(shelves, hash, kind, key, now);
        pthread_mutex_lock(&shelves->lock);
        (void)view_shelf(shelves, hash, kind, key, now, view);
    }
    struct arrival *arrival = arrival_find(shelves, hash, kind, key);
    if (arrival != NULL && now >= arrival->until)
        arrival_drop(shelves, arrival);
    else if (arrival != NULL)
        view->arrived = endorsement_retain(arrival->endorsement);
    pthread_mutex_unlock(&shelves->lock);
}

void shelf_view_clear(struct shelf_view *view)
{
    endorsement_free(view->authentic);
    endorsement_free(view->imported);
    endorsement_free(view->arrived);
    *view = (struct shelf_view){NULL, NULL, NULL};
}

void shelves_arrive(struct shelves *shelves, const char *kind, const char *key, struct endorsement *endorsement, int64_t until)
{
    uint64_t hash = hash_of(shelves, kind, key);
    pthread_mutex_lock(&shelves->lock);
    struct arrival *arrival = arrival_find(shelves, hash, kind, key);
    if (arrival != NULL)
        arrival_drop(shelves, arrival);
    for (size_t tries = 0; tries < ARRIVALS_MAX && shelves->arrival_bytes + endorsement->len > ARRIVALS_MAX_BYTES; tries++) {
        arrival_drop(shelves, &shelves->arrivals[shelves->next_arrival]);
        shelves->next_arrival = (shelves->next_arrival + 1) % ARRIVALS_MAX;
    }
    arrival = &shelves->arrivals[shelves->next_arrival];
    shelves->next_arrival = (shelves->next_arrival + 1) % ARRIVALS_MAX;
    arrival_drop(shelves, arrival);
    arrival->hash = hash;
    arrival->until = until;
    memcpy(arrival->kind, kind, strlen(kind) + 1);
    memcpy(arrival->key, key, strlen(key) + 1);
    arrival->endorsement = endorsement_retain(endorsement);
    shelves->arrival_bytes += endorsement->len;
    pthread_mutex_unlock(&shelves->lock);
}

void shelves_doubt(struct shelves *shelves, const char *kind, const char *key, const uint8_t sha256[32], int64_t until)
{
    uint64_t hash = hash_of(shelves, kind, key);
    pthread_mutex_lock(&shelves->lock);
    struct arrival *arrival = arrival_find(shelves, hash, kind, key);
    if (arrival != NULL && endorsement_same(arrival->endorsement, sha256) && arrival->until > until)
        arrival->until = until;
    pthread_mutex_unlock(&shelves->lock);
}

/* An arrival is settled once its bytes, or newer ones, stand under the key. */
static void settle_arrival(struct shelves *shelves, uint64_t hash, const char *kind, const char *key, const struct endorsement *standing)
{
    struct arrival *arrival = arrival_find(shelves, hash, kind, key);
    if (arrival != NULL && endorsement_same(arrival->endorsement, standing->sha256))
        arrival_drop(shelves, arrival);
}

static bool may_replace(const struct shelf *shelf, const struct endorsement *endorsement, bool replace)
{
    if (shelf->authentic == NULL || !shelf->authentic->authentic)
        return true;
    if (shelf->life == ATTESTD_AGEING)
        return endorsement_newer(endorsement, shelf->authentic);
    return replace;
}

bool shelves_store(struct shelves *shelves, const char *kind, const char *key, struct endorsement *endorsement, bool replace)
{
    uint64_t hash = hash_of(shelves, kind, key);
    pthread_mutex_lock(&shelves->lock);
    struct shelf *shelf = shelf_make(shelves, hash, kind, key);
    bool stands = shelf != NULL && may_replace(shelf, endorsement, replace);
    int32_t life = ATTESTD_IMMUTABLE;
    if (stands) {
        life = shelf->life;
        place_set(shelves, &shelf->authentic, endorsement);
        settle_arrival(shelves, hash, kind, key, endorsement);
        make_room(shelves, shelf);
    }
    pthread_mutex_unlock(&shelves->lock);
    if (stands)
        save_place(shelves, kind, key, life, SHELF_AUTHENTIC, endorsement);
    return stands;
}

void shelves_renew(struct shelves *shelves, const char *kind, const char *key, const uint8_t sha256[32], int64_t fetched)
{
    uint64_t hash = hash_of(shelves, kind, key);
    struct endorsement *renewed = NULL;
    int32_t life = ATTESTD_AGEING;
    pthread_mutex_lock(&shelves->lock);
    struct shelf *shelf = shelf_find(shelves, hash, kind, key);
    struct endorsement *old = shelf != NULL ? shelf->authentic : NULL;
    if (old != NULL && endorsement_same(old, sha256) && old->fetched < fetched)
        renewed = endorsement_copy(old, fetched, old->next_update, old->number);
    if (renewed != NULL) {
        life = shelf->life;
        place_set(shelves, &shelf->authentic, renewed);
        settle_arrival(shelves, hash, kind, key, renewed);
    }
    pthread_mutex_unlock(&shelves->lock);
    if (renewed != NULL)
        save_place(shelves, kind, key, life, SHELF_AUTHENTIC, renewed);
    endorsement_free(renewed);
}

bool shelves_import(struct shelves *shelves, const char *kind, const char *key, struct endorsement *endorsement)
{
    pthread_mutex_lock(&shelves->lock);
    struct shelf *shelf = shelf_make(shelves, hash_of(shelves, kind, key), kind, key);
    if (shelf != NULL) {
        place_set(shelves, &shelf->imported, endorsement);
        make_room(shelves, shelf);
    }
    pthread_mutex_unlock(&shelves->lock);
    if (shelf != NULL)
        save_place(shelves, kind, key, endorsement_life(shelves->engine, kind), SHELF_IMPORTED, endorsement);
    return shelf != NULL;
}

/* Anchors: few, never evicted. */

static bool is_pinned(const struct shelves *shelves, const uint8_t sha256[32])
{
    for (size_t i = 0; shelves->pins != NULL && i < attestd_anchor_set_count(shelves->pins); i++)
        if (memcmp(attestd_anchor_set_at(shelves->pins, i)->sha256, sha256, 32) == 0)
            return true;
    return false;
}

/* True when it was not there. */
static bool anchor_insert(struct shelves *shelves, const char *kind, const char *key, struct endorsement *endorsement)
{
    for (size_t i = 0; i < shelves->anchor_count; i++) {
        struct anchor_entry *entry = &shelves->anchors[i];
        if (endorsement_same(entry->endorsement, endorsement->sha256) && strcmp(entry->kind, kind) == 0 && strcmp(entry->key, key) == 0)
            return false;
    }
    if (shelves->anchor_count == ANCHORS_MAX)
        return false;
    struct anchor_entry *entry = &shelves->anchors[shelves->anchor_count++];
    memcpy(entry->kind, kind, strlen(kind) + 1);
    memcpy(entry->key, key, strlen(key) + 1);
    entry->endorsement = endorsement_retain(endorsement);
    return true;
}

bool shelves_add_anchor(struct shelves *shelves, const char *kind, const char *key, struct endorsement *endorsement)
{
    if (!is_pinned(shelves, endorsement->sha256))
        return false;
    struct endorsement *anchor = endorsement_copy(endorsement, endorsement->fetched, 0, 0);
    if (anchor == NULL)
        return false;
    anchor->source = "anchors"; /* wherever it came from first */
    pthread_mutex_lock(&shelves->lock);
    bool added = anchor_insert(shelves, kind, key, anchor);
    pthread_mutex_unlock(&shelves->lock);
    endorsement_free(anchor);
    if (added && shelves->state != NULL)
        (void)attestd_store_put(shelves->state, TABLE_ANCHORS, endorsement->sha256, 32, endorsement->bytes, endorsement->len);
    return true;
}

void shelves_find_anchors(struct shelves *shelves, const char *kind, const char *key, struct candidates *candidates)
{
    pthread_mutex_lock(&shelves->lock);
    for (size_t i = 0; i < shelves->anchor_count; i++)
        if (strcmp(shelves->anchors[i].key, key) == 0 && strcmp(shelves->anchors[i].kind, kind) == 0)
            candidates_add(candidates, shelves->anchors[i].endorsement);
    pthread_mutex_unlock(&shelves->lock);
}

struct endorsement *shelves_anchor(struct shelves *shelves, const uint8_t sha256[32])
{
    struct endorsement *found = NULL;
    pthread_mutex_lock(&shelves->lock);
    for (size_t i = 0; i < shelves->anchor_count && found == NULL; i++)
        if (endorsement_same(shelves->anchors[i].endorsement, sha256))
            found = endorsement_retain(shelves->anchors[i].endorsement);
    pthread_mutex_unlock(&shelves->lock);
    return found;
}

static void stored_anchor_identified(void *context, const char *kind, const char *key, const uint8_t *bytes, size_t len)
{
    struct shelves *shelves = context;
    if (endorsement_life(shelves->engine, kind) != ATTESTD_ANCHOR)
        return;
    struct endorsement *endorsement = endorsement_new(bytes, len, "anchors", 0, ATTESTD_ANCHOR);
    if (endorsement != NULL)
        (void)anchor_insert(shelves, kind, key, endorsement);
    endorsement_free(endorsement);
}

static bool load_anchor(void *context, struct attestd_bytes key, struct attestd_bytes value)
{
    struct shelves *shelves = context;
    (void)key;
    (void)endorsement_identify(shelves->engine, value.data, value.len, stored_anchor_identified, shelves);
    return true;
}

struct shelves *shelves_new(const struct attestd_engine *engine, struct attestd_anchor_set *pins, struct attestd_store *cache,
                            struct attestd_store *state)
{
    struct shelves *shelves = calloc(1, sizeof *shelves);
    if (shelves == NULL)
        return NULL;
    shelves->engine = engine;
    shelves->pins = pins != NULL ? attestd_anchor_set_retain(pins) : NULL;
    shelves->cache = cache;
    shelves->state = state;
    if (getrandom(&shelves->seed, sizeof shelves->seed, 0) != (ssize_t)sizeof shelves->seed)
        shelves->seed = 0xcbf29ce484222325u;
    pthread_mutex_init(&shelves->lock, NULL);
    if (state != NULL)
        attestd_store_walk(state, TABLE_ANCHORS, NULL, 0, load_anchor, shelves);
    return shelves;
}

static void write_uses(struct shelves *shelves);

void shelves_free(struct shelves *shelves)
{
    if (shelves == NULL)
        return;
    write_uses(shelves);
    while (shelves->newest != NULL)
        shelf_drop(shelves, shelves->newest);
    for (size_t i = 0; i < ARRIVALS_MAX; i++)
        arrival_drop(shelves, &shelves->arrivals[i]);
    for (size_t i = 0; i < shelves->anchor_count; i++)
        endorsement_free(shelves->anchors[i].endorsement);
    attestd_anchor_set_free(shelves->pins);
    pthread_mutex_destroy(&shelves->lock);
    free(shelves);
}

/* Walking: what is on disk, with the use as far as it is known; without a store what is in memory. */

struct walk {
    struct shelves *shelves;
    shelf_entry_found *found;
    void *context;
    bool stopped;
};

static int64_t last_use(struct shelves *shelves, const char *kind, const char *key)
{
    int64_t used = 0;
    pthread_mutex_lock(&shelves->lock);
    struct shelf *shelf = shelf_find(shelves, hash_of(shelves, kind, key), kind, key);
    if (shelf != NULL)
        used = shelf->last_used;
    pthread_mutex_unlock(&shelves->lock);
    uint8_t name[SHELF_RECORD_KEY];
    struct attestd_bytes value;
    if (used != 0 || shelves->cache == NULL)
        return used;
    struct attestd_arena *arena = attestd_arena_new();
    shelf_record_key(kind, key, SHELF_AUTHENTIC, name);
    if (attestd_store_get(shelves->cache, TABLE_USES, name, 32, arena, &value)) {
        struct attestd_reader reader = attestd_reader_of(value.data, value.len);
        used = (int64_t)attestd_read_u64be(&reader);
    }
    attestd_arena_free(arena);
    return used;
}

static bool walk_record(void *context, struct attestd_bytes name, struct attestd_bytes value)
{
    struct walk *walk = context;
    char kind[ENDORSEMENT_KIND_MAX + 1], key[ENDORSEMENT_KEY_MAX + 1];
    struct endorsement *endorsement = shelf_record_read(value, kind, key);
    (void)name;
    if (endorsement == NULL)
        return true;
    bool more = walk->found(walk->context, kind, key, endorsement, last_use(walk->shelves, kind, key));
    endorsement_free(endorsement);
    walk->stopped = !more;
    return more;
}

/* Without a store: copies the references first, so that found() runs without the lock. */
static void walk_memory(struct walk *walk, bool ageing_only)
{
    struct shelves *shelves = walk->shelves;
    struct attestd_arena *arena = attestd_arena_new();
    pthread_mutex_lock(&shelves->lock);
    size_t count = 0, size = 2 * shelves->count;
    struct {
        const char *kind, *key;
        struct endorsement *endorsement;
        int64_t last_used;
    } *entries = attestd_arena_array(arena, size, sizeof *entries);
    for (struct shelf *shelf = shelves->newest; shelf != NULL; shelf = shelf->older) {
        struct endorsement *places[2] = {shelf->authentic, shelf->imported};
        for (size_t i = 0; i < 2; i++) {
            if (places[i] == NULL || (ageing_only && shelf->life != ATTESTD_AGEING))
                continue;
            entries[count].kind = attestd_arena_text(arena, shelf->names);
            entries[count].key = attestd_arena_text(arena, shelf->key);
            entries[count].endorsement = endorsement_retain(places[i]);
            entries[count++].last_used = shelf->last_used;
        }
    }
    pthread_mutex_unlock(&shelves->lock);
    for (size_t i = 0; i < count; i++) {
        if (!walk->stopped)
            walk->stopped = !walk->found(walk->context, entries[i].kind, entries[i].key, entries[i].endorsement, entries[i].last_used);
        endorsement_free(entries[i].endorsement);
    }
    attestd_arena_free(arena);
}

void shelves_walk(struct shelves *shelves, shelf_entry_found *found, void *context)
{
    struct walk walk = {.shelves = shelves, .found = found, .context = context};
    if (shelves->cache == NULL) {
        walk_memory(&walk, false);
        return;
    }
    (void)attestd_store_flush(shelves->cache);
    attestd_store_walk(shelves->cache, TABLE_AGEING, NULL, 0, walk_record, &walk);
    if (!walk.stopped)
        attestd_store_walk(shelves->cache, TABLE_IMMUTABLE, NULL, 0, walk_record, &walk);
}

void shelves_walk_ageing(struct shelves *shelves, shelf_entry_found *found, void *context)
{
    struct walk walk = {.shelves = shelves, .found = found, .context = context};
    if (shelves->cache == NULL)
        walk_memory(&walk, true);
    else
        attestd_store_walk(shelves->cache, TABLE_AGEING, NULL, 0, walk_record, &walk);
}

/* Takes the next shelf whose use is not written down; false: none. */
static bool next_use(struct shelves *shelves, uint8_t name[SHELF_RECORD_KEY], int64_t *used)
{
    bool found = false;
    pthread_mutex_lock(&shelves->lock);
    for (struct shelf *shelf = shelves->newest; shelf != NULL && !found; shelf = shelf->older) {
        if (shelf->last_used - shelf->use_written < USE_GRAIN)
            continue;
        shelf->use_written = shelf->last_used;
        shelf_record_key(shelf->names, shelf->key, SHELF_AUTHENTIC, name);
        *used = shelf->last_used;
        found = true;
    }
    pthread_mutex_unlock(&shelves->lock);
    return found;
}

static void write_uses(struct shelves *shelves)
{
    uint8_t name[SHELF_RECORD_KEY];
    int64_t used;
    if (shelves->cache == NULL)
        return;
    for (unsigned written = 0; written < 1024 && next_use(shelves, name, &used); written++) {
        uint8_t value[8];
        for (unsigned i = 0; i < 8; i++)
            value[i] = (uint8_t)((uint64_t)used >> (56 - 8 * i));
        if (!attestd_store_put(shelves->cache, TABLE_USES, name, 32, value, sizeof value))
            return;
    }
}

struct prune {
    struct shelves *shelves;
    int64_t before;
};

static bool prune_record(void *context, const char *kind, const char *key, const struct endorsement *endorsement, int64_t last_used)
{
    const struct prune *prune = context;
    if (last_used >= prune->before || endorsement->fetched >= prune->before)
        return true;
    uint8_t name[SHELF_RECORD_KEY];
    shelf_record_key(kind, key, SHELF_AUTHENTIC, name);
    (void)attestd_store_delete(prune->shelves->cache, TABLE_USES, name, 32);
    (void)attestd_store_delete(prune->shelves->cache, TABLE_IMMUTABLE, name, sizeof name);
    name[32] = SHELF_IMPORTED;
    (void)attestd_store_delete(prune->shelves->cache, TABLE_IMMUTABLE, name, sizeof name);
    return true;
}

/* When the map is four fifths full, what was not used for longest goes, until three fifths. Lists are few and stay. */
static void prune(struct shelves *shelves, int64_t now)
{
    static const int64_t ages[] = {90 * 86400, 30 * 86400, 7 * 86400, 86400, 3600};
    for (size_t i = 0; i < sizeof ages / sizeof *ages; i++) {
        struct attestd_store_counts counts = attestd_store_counts(shelves->cache);
        if (counts.used_bytes / 3 <= counts.max_bytes / 5 || (i == 0 && counts.used_bytes / 4 <= counts.max_bytes / 5))
            return;
        struct prune pruning = {shelves, now - ages[i]};
        struct walk walk = {.shelves = shelves, .found = prune_record, .context = &pruning};
        attestd_store_walk(shelves->cache, TABLE_IMMUTABLE, NULL, 0, walk_record, &walk);
        (void)attestd_store_flush(shelves->cache);
    }
}

void shelves_tend(struct shelves *shelves, int64_t now)
{
    write_uses(shelves);
    if (shelves->cache != NULL)
        prune(shelves, now);
}
