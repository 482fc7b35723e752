/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Endorsements from wherever they are: operator directories, the cache, the anchors' bytes, and the vendor through the fetcher
 * (docs/endorsements.md).
 *
 * Which source comes first is the kind's life: IMMUTABLE: cache, directories, vendor. AGEING: cache while fresh, vendor, directories, then
 * stale cache. ANCHOR: bytes kept in state, directories, vendor. (The evidence's own come before or after these, by the plugin.)
 */
#ifndef ATTESTD_CACHE_ENDORSEMENTS_H
#define ATTESTD_CACHE_ENDORSEMENTS_H

#include "cache/store.h"
#include "core/appraise.h"

struct attestd_endorsements;

struct attestd_vendor_base {
    const char *vendor;  /* "amd-kds", "intel-pcs", ... */
    const char *url;     /* https://kdsintf.amd.com; http only for loopback */
    const char *ca_file; /* PEM of extra CAs for this host, or NULL for the system's */
};

struct attestd_endorsements_options {
    struct attestd_engine *engine;
    struct attestd_anchor_set *anchors;
    struct attestd_store *cache;    /* may be NULL: nothing is kept */
    struct attestd_store *state;    /* may be NULL */
    const char *const *directories; /* NULL-terminated */
    const struct attestd_vendor_base *vendors;
    size_t vendor_count;
    bool offline;                  /* never ask a vendor */
    unsigned connect_ms, total_ms; /* 2000, 8000 */
    double vendor_rate;            /* requests a second and vendor host; default 5, burst 10 */
    unsigned max_age;              /* seconds after which an ageing entry is asked for again: 86400 */
    unsigned unseen_per_minute;    /* budget of unseen keys a caller and minute, where the request is not authenticated: 4 */
};

struct attestd_endorsements *attestd_endorsements_new(const struct attestd_endorsements_options *options, char *error, size_t error_size);
void attestd_endorsements_free(struct attestd_endorsements *);

/*
 * Meet the open needs of a job from local sources: supplies or marks absent what can be decided at once. Returns how many needs are left
 * that only a vendor can answer. No network.
 */
size_t attestd_endorsements_local(struct attestd_endorsements *, struct attestd_job *job, int64_t now);

/*
 * Ask vendors for the open needs; done(context) is called once, on the fetcher's thread, when all are answered or have failed; then call
 * attestd_endorsements_collect() on the job's own thread. One flight per URL however many wait. caller: who pays for unseen keys ("" for
 * trusted callers: no budget). deadline: monotonic milliseconds.
 */
struct attestd_fetch;
struct attestd_fetch *attestd_endorsements_fetch(struct attestd_endorsements *, struct attestd_job *job, const char *caller,
                                                 uint64_t deadline_ms, void (*done)(void *context), void *context);
/* Supplies what came and marks the rest absent. *retry_after: seconds to tell the caller, 0 none. Frees the fetch. */
void attestd_endorsements_collect(struct attestd_fetch *, struct attestd_job *job, unsigned *retry_after);
/* done() will not be called any more once it returns; frees. The flight itself goes on. */
void attestd_endorsements_abandon(struct attestd_fetch *);

/* After the end of a job: store what was accepted, hold back what was rejected, remember newer numbers. */
void attestd_endorsements_keep(struct attestd_endorsements *, const struct attestd_job *job, int64_t now);

/* Runs a job to its end on this thread, fetching as needed (command line, policy tests). Returns ATTESTD_DONE or ATTESTD_MALFORMED. */
int attestd_endorsements_run(struct attestd_endorsements *, struct attestd_job *job, int64_t at, bool at_given);

/* Operators. */
struct attestd_endorsement_entry {
    const char *kind, *key, *source;
    uint8_t sha256[32];
    size_t size;
    int64_t fetched, next_update, last_used;
    uint64_t number;
};
void attestd_endorsements_list(struct attestd_endorsements *, bool (*found)(void *, const struct attestd_endorsement_entry *),
                               void *context);
/* Everything in the cache as one JSON document that import reads back; import authenticates nothing: entries are authenticated when used.
 */
void attestd_endorsements_export(struct attestd_endorsements *, struct attestd_text *out);
size_t attestd_endorsements_import(struct attestd_endorsements *, const uint8_t *bytes, size_t len, char *error, size_t error_size);
/* Fetch by kind and key, whether or not it is cached; waits. */
bool attestd_endorsements_prefetch(struct attestd_endorsements *, const char *kind, const char *key, char *error, size_t error_size);
/* Ask again for all that ages, in the background. */
void attestd_endorsements_refresh(struct attestd_endorsements *);
/* Bytes of a pinned root, as far as they are known. */
bool attestd_endorsements_anchor_bytes(struct attestd_endorsements *, const uint8_t sha256[32], struct attestd_arena *arena,
                                       struct attestd_bytes *der);

struct attestd_vendor_state {
    const char *vendor, *host;
    bool breaker_open;
    unsigned queued;
    uint64_t requests, ok, failed, throttled, not_found;
    int64_t last_success, last_failure;
};
size_t attestd_endorsements_vendors(struct attestd_endorsements *, struct attestd_vendor_state *out, size_t max);
struct attestd_endorsements_counts {
    uint64_t cache_hits, cache_misses, cache_stale, directory_hits, vendor_calls, held_back, over_budget;
};
struct attestd_endorsements_counts attestd_endorsements_counts(struct attestd_endorsements *);

#endif
