/* SPDX-License-Identifier: Apache-2.0 */
/* The front of the cache: which source answers which need, in which order, and what is kept of it (docs/endorsements.md). */
#include "cache/endorsements.h"

#include "cache/archive.h"
#include "cache/directory.h"
#include "cache/fetcher.h"
#include "cache/shelves.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ARRIVED_KEPT 600           /* seconds an unjudged answer is kept for the next request */
#define ARRIVED_LIST_KEPT 86400    /* the same for lists that were refreshed in the background */
#define REFRESH_EVERY 60           /* seconds between looks at what ages */
#define TEND_EVERY 3600            /* seconds between looks at the size of the cache */
#define REFRESH_AHEAD 3600         /* seconds before the end of a list at which it is asked for again, at the latest */
#define MOST_NEEDS 64u             /* of one job at a time; a plugin names a handful */
#define MOST_ROUNDS 16u            /* of a job on this thread; core ends it sooner */
#define WAIT_BEYOND_TOTAL_MS 4000u /* for answers that queue behind others */

struct attestd_endorsements {
    struct attestd_engine *engine;
    struct shelves *shelves;
    struct directory *directory;
    struct fetcher *fetcher; /* NULL: offline */
    int64_t max_age;
    unsigned total_ms;
    int64_t next_refresh, next_tend; /* the fetcher thread's */
    atomic_uint_fast64_t hits, misses, stale, directory_hits;
};

/* Offering what is at hand to a job */

static const char *source_of(const struct endorsement *endorsement, const struct shelf_view *view)
{
    if (endorsement == view->authentic || endorsement == view->imported)
        return "cache";
    if (endorsement == view->arrived)
        return "vendor";
    return strcmp(endorsement->source, "anchors") == 0 ? "anchors" : "directory";
}

static void supply(struct attestd_endorsements *all, struct attestd_job *job, const struct attestd_need *need,
                   const struct candidates *candidates, const struct shelf_view *view, int64_t now)
{
    bool ages = endorsement_life(all->engine, need->kind) == ATTESTD_AGEING;
    for (size_t i = 0; i < candidates->count; i++) {
        const struct endorsement *endorsement = candidates->items[i];
        const char *source = source_of(endorsement, view);
        bool stale = ages && strcmp(source, "cache") == 0 && !endorsement_fresh(endorsement, now, all->max_age);
        if (stale)
            atomic_fetch_add_explicit(&all->stale, 1, memory_order_relaxed);
        else if (strcmp(source, "cache") == 0)
            atomic_fetch_add_explicit(&all->hits, 1, memory_order_relaxed);
        else if (strcmp(source, "directory") == 0)
            atomic_fetch_add_explicit(&all->directory_hits, 1, memory_order_relaxed);
        attestd_job_supply(job, need->kind, need->key,
                           &(struct attestd_supply){.bytes = {endorsement->bytes, endorsement->len},
                                                    .source = source,
                                                    .fetched = endorsement->fetched,
                                                    .stale = stale,
                                                    .sha256 = endorsement->sha256});
    }
}

/* Everything that memory, disk and folders have, in the order in which it is to be tried. */
static void gather(struct attestd_endorsements *all, const struct attestd_need *need, int64_t now, struct shelf_view *view,
                   struct candidates *candidates)
{
    int32_t life = endorsement_life(all->engine, need->kind);
    shelves_find(all->shelves, need->kind, need->key, now, view);
    if (life == ATTESTD_ANCHOR)
        shelves_find_anchors(all->shelves, need->kind, need->key, candidates);
    candidates_add(candidates, view->authentic);
    candidates_add(candidates, view->imported);
    candidates_add(candidates, view->arrived);
    directory_find(all->directory, need->kind, need->key, candidates);
    if (life == ATTESTD_AGEING)
        candidates_sort(candidates, now);
}

/* A list may be used before the vendor is asked only while the cache's, or a refreshed one, is fresh. */
static bool enough_without_vendor(const struct attestd_endorsements *all, const struct attestd_need *need,
                                  const struct candidates *candidates, const struct shelf_view *view, int64_t now)
{
    if (need->after_reject)
        return false;
    if (endorsement_life(all->engine, need->kind) != ATTESTD_AGEING)
        return candidates->count > 0;
    return (view->authentic != NULL && endorsement_fresh(view->authentic, now, all->max_age)) ||
           (view->imported != NULL && endorsement_fresh(view->imported, now, all->max_age)) ||
           (view->arrived != NULL && endorsement_fresh(view->arrived, now, all->max_age));
}

static const char *no_vendor_reason(const struct attestd_endorsements *all, const struct attestd_need *need)
{
    const struct endorsement_source *source = endorsement_source_find(need->kind);
    if (source != NULL && source->vendor == NULL)
        return source->absent;
    if (all->fetcher == NULL)
        return "not in the cache or the folders, and no vendor may be asked (offline)";
    return source == NULL ? "not in the cache or the folders, and no vendor publishes it" : NULL;
}

static bool meet_locally(struct attestd_endorsements *all, struct attestd_job *job, const struct attestd_need *need, int64_t now)
{
    struct shelf_view view;
    struct candidates candidates = {.count = 0};
    const char *last_word = no_vendor_reason(all, need);
    gather(all, need, now, &view, &candidates);
    bool enough = enough_without_vendor(all, need, &candidates, &view, now);
    if (enough || last_word != NULL)
        supply(all, job, need, &candidates, &view, now);
    if (last_word != NULL)
        attestd_job_absent(job, need->kind, need->key, last_word); /* once the candidates are used up */
    if (!enough && last_word == NULL)
        atomic_fetch_add_explicit(&all->misses, 1, memory_order_relaxed);
    candidates_clear(&candidates);
    shelf_view_clear(&view);
    return enough || last_word != NULL;
}

/* The job's list of needs is scratch that supplying changes: a copy of it, in the job's arena. */
static size_t copy_needs(struct attestd_job *job, struct attestd_need out[MOST_NEEDS])
{
    const struct attestd_need *needs;
    size_t count = attestd_job_needs(job, &needs);
    if (count > MOST_NEEDS)
        count = MOST_NEEDS;
    if (count > 0)
        memcpy(out, needs, count * sizeof *out);
    return count;
}

size_t attestd_endorsements_local(struct attestd_endorsements *all, struct attestd_job *job, int64_t now)
{
    struct attestd_need needs[MOST_NEEDS];
    size_t count = copy_needs(job, needs), left = 0;
    for (size_t i = 0; i < count; i++)
        left += !meet_locally(all, job, &needs[i], now);
    return left;
}

/* Asking vendors for a job */

struct asked {
    struct attestd_fetch *fetch;
    struct fetcher_wait *wait;
    enum fetch_outcome outcome;
    unsigned retry_after;
    const char *detail;
    char kind[ENDORSEMENT_KIND_MAX + 1], key[ENDORSEMENT_KEY_MAX + 1];
};

struct attestd_fetch {
    struct attestd_endorsements *all;
    pthread_mutex_t lock;
    size_t open;
    void (*done)(void *context);
    void *context;
    size_t count;
    struct asked asked[];
};

static void answered(void *context, enum fetch_outcome outcome, unsigned retry_after, const char *detail)
{
    struct asked *asked = context;
    struct attestd_fetch *fetch = asked->fetch;
    pthread_mutex_lock(&fetch->lock); /* held by the asking thread until every need is asked for */
    asked->outcome = outcome;
    asked->retry_after = retry_after;
    asked->detail = detail;
    bool last = --fetch->open == 0;
    void (*done)(void *) = fetch->done;
    void *done_context = fetch->context;
    pthread_mutex_unlock(&fetch->lock);
    if (last)
        done(done_context); /* which may free the fetch */
}

struct attestd_fetch *attestd_endorsements_fetch(struct attestd_endorsements *all, struct attestd_job *job, const char *caller,
                                                 uint64_t deadline_ms, void (*done)(void *context), void *context)
{
    struct attestd_need needs[MOST_NEEDS];
    size_t count = copy_needs(job, needs);
    struct attestd_fetch *fetch = calloc(1, sizeof *fetch + count * sizeof fetch->asked[0]);
    if (fetch == NULL || all->fetcher == NULL || count == 0) {
        free(fetch);
        return NULL;
    }
    *fetch = (struct attestd_fetch){.all = all, .open = count, .done = done, .context = context, .count = count};
    pthread_mutex_init(&fetch->lock, NULL);
    pthread_mutex_lock(&fetch->lock);
    for (size_t i = 0; i < count; i++) {
        struct asked *asked = &fetch->asked[i];
        /* A key of a chip is anybody's to invent until a signature under it is seen; a product's lists are few. */
        bool budgeted = !needs[i].authenticated && endorsement_life(all->engine, needs[i].kind) == ATTESTD_IMMUTABLE;
        asked->fetch = fetch;
        snprintf(asked->kind, sizeof asked->kind, "%s", needs[i].kind);
        snprintf(asked->key, sizeof asked->key, "%s", needs[i].key);
        asked->wait = fetcher_ask(all->fetcher, asked->kind, asked->key, caller, budgeted, deadline_ms, answered, asked);
    }
    pthread_mutex_unlock(&fetch->lock);
    return fetch;
}

void attestd_endorsements_abandon(struct attestd_fetch *fetch)
{
    if (fetch == NULL)
        return;
    for (size_t i = 0; i < fetch->count; i++)
        fetcher_forget(fetch->all->fetcher, fetch->asked[i].wait);
    pthread_mutex_destroy(&fetch->lock);
    free(fetch);
}

/* After the vendor's word nothing more can come: whatever there is, then no more. */
static void settle(struct attestd_endorsements *all, struct attestd_job *job, const struct asked *asked, int64_t now)
{
    const struct attestd_need need = {.kind = asked->kind, .key = asked->key};
    struct shelf_view view;
    struct candidates candidates = {.count = 0};
    gather(all, &need, now, &view, &candidates);
    supply(all, job, &need, &candidates, &view, now);
    attestd_job_absent(job, need.kind, need.key, asked->detail != NULL ? asked->detail : "the vendor's answer does not prove itself");
    candidates_clear(&candidates);
    shelf_view_clear(&view);
}

void attestd_endorsements_collect(struct attestd_fetch *fetch, struct attestd_job *job, unsigned *retry_after)
{
    unsigned longest = 0;
    for (size_t i = 0; fetch != NULL && i < fetch->count; i++) {
        const struct asked *asked = &fetch->asked[i];
        settle(fetch->all, job, asked, (int64_t)time(NULL));
        if (asked->retry_after > longest)
            longest = asked->retry_after;
    }
    if (retry_after != NULL)
        *retry_after = longest;
    attestd_endorsements_abandon(fetch);
}

/* What vendors answer, on the fetcher's thread */

struct arrival_match {
    struct attestd_endorsements *all;
    const char *kind, *key;
    int64_t now;
    bool matched, store;
};

static void arrived_object(void *context, const char *kind, const char *key, const uint8_t *bytes, size_t len)
{
    struct arrival_match *match = context;
    if (strcmp(kind, match->kind) != 0 || strcmp(key, match->key) != 0)
        return; /* nobody asked for it: not stored, whatever it is */
    match->matched = true;
    if (!match->store)
        return;
    int32_t life = endorsement_life(match->all->engine, kind);
    struct endorsement *endorsement = endorsement_new(bytes, len, "vendor", match->now, life);
    if (endorsement == NULL)
        return;
    struct shelf_view view;
    shelves_find(match->all->shelves, kind, key, match->now, &view);
    if (view.authentic != NULL && endorsement_same(view.authentic, endorsement->sha256))
        shelves_renew(match->all->shelves, kind, key, endorsement->sha256, match->now);
    else
        shelves_arrive(match->all->shelves, kind, key, endorsement,
                       match->now + (life == ATTESTD_AGEING ? ARRIVED_LIST_KEPT : ARRIVED_KEPT));
    shelf_view_clear(&view);
    endorsement_free(endorsement);
}

static bool arrived(void *context, const char *kind, const char *key, const uint8_t *bytes, size_t len, int64_t now)
{
    struct arrival_match match = {.all = context, .kind = kind, .key = key, .now = now};
    /* Looked at whole before any of it is kept: an answer that is cut short is refused, although its first objects are sound. */
    if (!endorsement_identify(match.all->engine, bytes, len, arrived_object, &match) || !match.matched)
        return false;
    match.store = true;
    return endorsement_identify(match.all->engine, bytes, len, arrived_object, &match);
}

static bool refresh_entry(void *context, const char *kind, const char *key, const struct endorsement *endorsement, int64_t last_used)
{
    struct attestd_endorsements *all = context;
    int64_t now = (int64_t)time(NULL);
    bool ends = endorsement->next_update != 0 && endorsement->next_update - now < REFRESH_AHEAD;
    bool old = now - endorsement->fetched >= all->max_age - all->max_age / 4;
    (void)last_used;
    if (!ends && !old)
        return true;
    struct shelf_view view;
    shelves_find(all->shelves, kind, key, now, &view);
    bool there = view.arrived != NULL && endorsement_fresh(view.arrived, now, all->max_age - all->max_age / 4);
    shelf_view_clear(&view);
    if (!there)
        fetcher_refresh(all->fetcher, kind, key);
    return true;
}

static void tick(void *context, int64_t now)
{
    struct attestd_endorsements *all = context;
    if (now >= all->next_refresh) {
        all->next_refresh = now + REFRESH_EVERY;
        shelves_walk_ageing(all->shelves, refresh_entry, all);
    }
    if (now >= all->next_tend) {
        all->next_tend = now + TEND_EVERY;
        shelves_tend(all->shelves, now);
    }
}

/* After a job */

static void keep_accepted(struct attestd_endorsements *all, const struct attestd_endorsement_use *use, bool replace, int64_t now)
{
    int32_t life = endorsement_life(all->engine, use->kind);
    bool cached = strcmp(use->source, "cache") == 0;
    if (strcmp(use->source, "directory") == 0 && life != ATTESTD_ANCHOR)
        return; /* the folder is there the next time, too */
    if (strcmp(use->source, "evidence") == 0 && life == ATTESTD_AGEING)
        return; /* out of the cache it would come without the check that marks what an attester chose to enclose */
    struct shelf_view view;
    shelves_find(all->shelves, use->kind, use->key, now, &view);
    bool stands = view.authentic != NULL && endorsement_same(view.authentic, use->sha256);
    shelf_view_clear(&view);
    if (stands || (life == ATTESTD_ANCHOR && strcmp(use->source, "anchors") == 0))
        return;
    int64_t fetched = use->fetched ? use->fetched : now;
    const char *source = cached ? "import" : endorsement_source_name(use->source, strlen(use->source));
    struct endorsement *fresh = endorsement_new(use->bytes.data, use->bytes.len, source, fetched, life);
    struct endorsement *kept = fresh != NULL ? endorsement_copy(fresh, fetched, use->next_update, use->number) : NULL;
    if (kept != NULL && life == ATTESTD_ANCHOR)
        (void)shelves_add_anchor(all->shelves, use->kind, use->key, kept);
    else if (kept != NULL)
        (void)shelves_store(all->shelves, use->kind, use->key, kept, replace);
    endorsement_free(fresh);
    endorsement_free(kept);
}

static void keep_rejected(struct attestd_endorsements *all, const struct attestd_endorsement_use *use, int64_t now)
{
    if (strcmp(use->source, "vendor") != 0)
        return;
    /* The rejection may be the attester's doing (its own key under a sound issuer), so the bytes stay for others, but not for long; the
     * vendor is not asked again for them. */
    shelves_doubt(all->shelves, use->kind, use->key, use->sha256, now + ARRIVED_KEPT);
    if (all->fetcher != NULL)
        fetcher_hold_back(all->fetcher, use->kind, use->key);
}

void attestd_endorsements_keep(struct attestd_endorsements *all, const struct attestd_job *job, int64_t now)
{
    const struct attestd_endorsement_use *uses;
    size_t count = attestd_job_endorsements(job, &uses);
    for (size_t i = 0; i < count; i++) {
        bool replace = false; /* what stood under this key was refused, and this was not */
        for (size_t other = 0; other < count && uses[i].state == ATTESTD_ENDORSEMENT_ACCEPTED; other++)
            replace |= uses[other].state == ATTESTD_ENDORSEMENT_REJECTED && strcmp(uses[other].key, uses[i].key) == 0 &&
                       strcmp(uses[other].kind, uses[i].kind) == 0 && strcmp(uses[other].source, "cache") == 0;
        if (uses[i].state == ATTESTD_ENDORSEMENT_ACCEPTED)
            keep_accepted(all, &uses[i], replace, now);
        else if (uses[i].state == ATTESTD_ENDORSEMENT_REJECTED)
            keep_rejected(all, &uses[i], now);
    }
}

/* A job on this thread */

struct signal {
    pthread_mutex_t lock;
    pthread_cond_t raised;
    bool is_raised;
};

static void raise_signal(void *context)
{
    struct signal *signal = context;
    pthread_mutex_lock(&signal->lock);
    signal->is_raised = true;
    pthread_cond_signal(&signal->raised);
    pthread_mutex_unlock(&signal->lock);
}

static void await(struct signal *signal)
{
    pthread_mutex_lock(&signal->lock);
    while (!signal->is_raised)
        pthread_cond_wait(&signal->raised, &signal->lock);
    pthread_mutex_unlock(&signal->lock);
}

static void fetch_and_wait(struct attestd_endorsements *all, struct attestd_job *job)
{
    struct signal signal = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false};
    uint64_t deadline = fetcher_clock_ms() + all->total_ms + WAIT_BEYOND_TOTAL_MS;
    struct attestd_fetch *fetch = attestd_endorsements_fetch(all, job, "", deadline, raise_signal, &signal);
    if (fetch == NULL)
        return;
    await(&signal);
    attestd_endorsements_collect(fetch, job, NULL);
}

int attestd_endorsements_run(struct attestd_endorsements *all, struct attestd_job *job, int64_t at, bool at_given)
{
    int state = ATTESTD_PENDING;
    for (unsigned round = 0; state == ATTESTD_PENDING && round < MOST_ROUNDS; round++) {
        int64_t now = at_given ? at : (int64_t)time(NULL);
        state = attestd_job_run(job, now);
        if (state == ATTESTD_PENDING && attestd_endorsements_local(all, job, now) > 0)
            fetch_and_wait(all, job);
    }
    attestd_endorsements_keep(all, job, (int64_t)time(NULL));
    return state;
}

/* Operators */

struct list_context {
    const struct attestd_engine *engine;
    bool (*found)(void *, const struct attestd_endorsement_entry *);
    void *context;
};

static bool list_entry(void *context, const char *kind, const char *key, const struct endorsement *endorsement, int64_t last_used)
{
    const struct list_context *list = context;
    struct attestd_endorsement_entry entry = {.kind = kind,
                                              .key = key,
                                              .source = endorsement->source,
                                              .size = endorsement->len,
                                              .fetched = endorsement->fetched,
                                              .next_update = endorsement->next_update,
                                              .last_used = last_used,
                                              .number = endorsement->number};
    memcpy(entry.sha256, endorsement->sha256, sizeof entry.sha256);
    return list->found(list->context, &entry);
}

void attestd_endorsements_list(struct attestd_endorsements *all, bool (*found)(void *, const struct attestd_endorsement_entry *),
                               void *context)
{
    struct list_context list = {all->engine, found, context};
    shelves_walk(all->shelves, list_entry, &list);
}

static bool export_entry(void *context, const char *kind, const char *key, const struct endorsement *endorsement, int64_t last_used)
{
    (void)last_used;
    archive_entry(context, kind, key, endorsement);
    return true;
}

void attestd_endorsements_export(struct attestd_endorsements *all, struct attestd_text *out)
{
    struct archive_writer writer;
    archive_begin(&writer, out);
    shelves_walk(all->shelves, export_entry, &writer);
    archive_end(&writer);
}

struct import {
    struct attestd_endorsements *all;
    size_t count;
};

static void import_endorsement(void *context, const char *kind, const char *key, struct endorsement *endorsement)
{
    struct import *import = context;
    bool taken = endorsement_life(import->all->engine, kind) == ATTESTD_ANCHOR
                     ? shelves_add_anchor(import->all->shelves, kind, key, endorsement)
                     : shelves_import(import->all->shelves, kind, key, endorsement);
    import->count += taken;
}

static void import_object(void *context, const char *kind, const char *key, const uint8_t *bytes, size_t len)
{
    struct import *import = context;
    struct endorsement *endorsement =
        endorsement_new(bytes, len, "import", (int64_t)time(NULL), endorsement_life(import->all->engine, kind));
    if (endorsement != NULL)
        import_endorsement(import, kind, key, endorsement);
    endorsement_free(endorsement);
}

size_t attestd_endorsements_import(struct attestd_endorsements *all, const uint8_t *bytes, size_t len, char *error, size_t error_size)
{
    struct import import = {all, 0};
    if (!archive_read(all->engine, bytes, len, import_endorsement, &import))
        (void)endorsement_identify(all->engine, bytes, len, import_object, &import);
    if (import.count == 0)
        snprintf(error, error_size, "nothing in it that a loaded plugin recognises as an endorsement, or roots that match no pin");
    return import.count;
}

struct prefetch {
    struct signal signal;
    enum fetch_outcome outcome;
    const char *detail;
};

static void prefetched(void *context, enum fetch_outcome outcome, unsigned retry_after, const char *detail)
{
    struct prefetch *prefetch = context;
    (void)retry_after;
    prefetch->outcome = outcome;
    prefetch->detail = detail;
    raise_signal(&prefetch->signal);
}

/* What the vendor gave stays until somebody needs it: on the shelf of imports, to be authenticated then. */
static bool keep_prefetched(struct attestd_endorsements *all, const char *kind, const char *key)
{
    struct shelf_view view;
    struct import import = {all, 0};
    shelves_find(all->shelves, kind, key, (int64_t)time(NULL), &view);
    bool stands = view.authentic != NULL && view.arrived == NULL;
    if (view.arrived != NULL)
        import_endorsement(&import, kind, key, view.arrived);
    shelf_view_clear(&view);
    return stands || import.count > 0;
}

bool attestd_endorsements_prefetch(struct attestd_endorsements *all, const char *kind, const char *key, char *error, size_t error_size)
{
    struct prefetch prefetch = {.signal = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false}};
    const struct attestd_need need = {.kind = kind, .key = key};
    const char *reason = no_vendor_reason(all, &need);
    if (strlen(kind) > ENDORSEMENT_KIND_MAX || strlen(key) > ENDORSEMENT_KEY_MAX)
        reason = "there is no such kind or key";
    if (reason != NULL) {
        snprintf(error, error_size, "%s", reason);
        return false;
    }
    uint64_t deadline = fetcher_clock_ms() + all->total_ms + WAIT_BEYOND_TOTAL_MS;
    struct fetcher_wait *wait = fetcher_ask(all->fetcher, kind, key, "", false, deadline, prefetched, &prefetch);
    await(&prefetch.signal);
    fetcher_forget(all->fetcher, wait);
    if (prefetch.outcome == FETCH_ARRIVED && keep_prefetched(all, kind, key))
        return true;
    snprintf(error, error_size, "%s",
             prefetch.outcome == FETCH_ARRIVED ? "the answer matches no pin"
             : prefetch.detail                 ? prefetch.detail
                                               : "failed");
    return false;
}

static bool refresh_now(void *context, const char *kind, const char *key, const struct endorsement *endorsement, int64_t last_used)
{
    struct attestd_endorsements *all = context;
    (void)endorsement;
    (void)last_used;
    fetcher_refresh(all->fetcher, kind, key);
    return true;
}

void attestd_endorsements_refresh(struct attestd_endorsements *all)
{
    if (all->fetcher != NULL)
        shelves_walk_ageing(all->shelves, refresh_now, all);
}

bool attestd_endorsements_anchor_bytes(struct attestd_endorsements *all, const uint8_t sha256[32], struct attestd_arena *arena,
                                       struct attestd_bytes *der)
{
    struct endorsement *anchor = shelves_anchor(all->shelves, sha256);
    if (anchor == NULL)
        return false;
    *der = attestd_arena_bytes(arena, anchor->bytes, anchor->len);
    endorsement_free(anchor);
    return true;
}

size_t attestd_endorsements_vendors(struct attestd_endorsements *all, struct attestd_vendor_state *out, size_t max)
{
    return all->fetcher != NULL ? fetcher_vendors(all->fetcher, out, max) : 0;
}

struct attestd_endorsements_counts attestd_endorsements_counts(struct attestd_endorsements *all)
{
    struct fetcher_counts fetched = {0};
    if (all->fetcher != NULL)
        fetched = fetcher_counts(all->fetcher);
    return (struct attestd_endorsements_counts){.cache_hits = atomic_load(&all->hits),
                                                .cache_misses = atomic_load(&all->misses),
                                                .cache_stale = atomic_load(&all->stale),
                                                .directory_hits = atomic_load(&all->directory_hits),
                                                .vendor_calls = fetched.vendor_calls,
                                                .held_back = fetched.held_back,
                                                .over_budget = fetched.over_budget};
}

/* Making and ending */

static struct fetcher *make_fetcher(struct attestd_endorsements *all, const struct attestd_endorsements_options *options, char *error,
                                    size_t error_size)
{
    const struct fetcher_options settings = {.engine = options->engine,
                                             .vendors = options->vendors,
                                             .vendor_count = options->vendor_count,
                                             .connect_ms = options->connect_ms ? options->connect_ms : 2000,
                                             .total_ms = all->total_ms,
                                             .rate = options->vendor_rate > 0 ? options->vendor_rate : 5,
                                             .burst = 10,
                                             .unseen_per_minute = options->unseen_per_minute ? options->unseen_per_minute : 4,
                                             .arrived = arrived,
                                             .tick = tick,
                                             .context = all};
    return fetcher_new(&settings, error, error_size);
}

struct attestd_endorsements *attestd_endorsements_new(const struct attestd_endorsements_options *options, char *error, size_t error_size)
{
    struct attestd_endorsements *all = calloc(1, sizeof *all);
    if (all == NULL) {
        snprintf(error, error_size, "out of memory");
        return NULL;
    }
    all->engine = options->engine;
    all->max_age = options->max_age ? options->max_age : 86400;
    all->total_ms = options->total_ms ? options->total_ms : 8000;
    snprintf(error, error_size, "out of memory");
    all->shelves = shelves_new(options->engine, options->anchors, options->cache, options->state);
    all->directory = all->shelves != NULL ? directory_new(options->engine, options->directories, error, error_size) : NULL;
    bool good = all->directory != NULL;
    if (good && !options->offline) {
        all->fetcher = make_fetcher(all, options, error, error_size);
        good = all->fetcher != NULL;
    }
    if (good)
        return all;
    attestd_endorsements_free(all);
    return NULL;
}

void attestd_endorsements_free(struct attestd_endorsements *all)
{
    if (all == NULL)
        return;
    fetcher_free(all->fetcher);
    directory_free(all->directory);
    shelves_free(all->shelves);
    free(all);
}
