/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only place that calls vendors: one thread, libcurl's multi interface, and the manners of a good guest. Single flight per URL, a token
 * bucket, a breaker and fair queues per vendor, a hold-back of keys that a vendor does not have, a budget of unseen keys per caller.
 */
#ifndef ATTESTD_CACHE_FETCHER_H
#define ATTESTD_CACHE_FETCHER_H

#include "cache/endorsements.h"
#include "cache/source.h"

struct fetcher;

/*
 * A vendor answered 200 with these bytes (never more than the kind's bound). Called on the fetcher's thread. True: they can serve as what
 * was asked for; false: a rejected answer, whose key is held back.
 */
typedef bool fetcher_arrived(void *context, const char *kind, const char *key, const uint8_t *bytes, size_t len, int64_t now);
/* Called about once a second on the fetcher's thread, for background refresh. */
typedef void fetcher_tick(void *context, int64_t now);

struct fetcher_options {
    const struct attestd_engine *engine;
    const struct attestd_vendor_base *vendors; /* copied; none given: every vendor's own address; else nobody but these */
    size_t vendor_count;
    unsigned connect_ms, total_ms; /* 0: 2000, 8000 */
    double rate;                   /* requests a second and vendor, 0: 5 */
    unsigned burst;                /* 0: 10 */
    unsigned unseen_per_minute;    /* 0: 4 */
    fetcher_arrived *arrived;
    fetcher_tick *tick; /* may be NULL */
    void *context;
};

enum fetch_outcome {
    FETCH_ARRIVED = 0,
    FETCH_NOT_FOUND,   /* the vendor says there is none, now or within the hold-back */
    FETCH_REJECTED,    /* the answer was not what was asked for, now or within the hold-back */
    FETCH_THROTTLED,   /* 429, or the vendor's Retry-After has not passed */
    FETCH_FAILED,      /* out of reach, timed out, 5xx, oversized; or the breaker is open */
    FETCH_OVER_BUDGET, /* the caller asked for too many unseen keys */
    FETCH_QUEUE_FULL,
    FETCH_DEADLINE, /* the caller's deadline passed first; the flight goes on */
    FETCH_NO_SOURCE /* nobody publishes it, or its vendor is not configured */
};

struct fetcher *fetcher_new(const struct fetcher_options *options, char *error, size_t error_size);
/* Ends the flights; each waiting done() is called with FETCH_FAILED before it returns. */
void fetcher_free(struct fetcher *);

/*
 * Ask for an endorsement. done() is called exactly once, on the fetcher's thread, at the latest at the deadline (monotonic milliseconds);
 * retry_after in seconds, 0: none; detail is a static phrase for the operator, NULL with FETCH_ARRIVED. caller "" has no budget. budgeted:
 * this key counts against the caller's budget of unseen keys. Never NULL (aborts when memory is out). A failed or throttled flight is tried
 * up to three times; whoever can wait that long hears of the last. What came stays for two seconds more, for those who ask just too late.
 */
struct fetcher_wait;
typedef void fetcher_done(void *context, enum fetch_outcome outcome, unsigned retry_after, const char *detail);
struct fetcher_wait *fetcher_ask(struct fetcher *, const char *kind, const char *key, const char *caller, bool budgeted,
                                 uint64_t deadline_ms, fetcher_done *done, void *context);
/* done() is not called any more once it returns (it waits for a done() that is running, unless called from within done()). Frees the wait.
 * To be called exactly once for every wait, also after done(). */
void fetcher_forget(struct fetcher *, struct fetcher_wait *);
/* A plugin rejected what the vendor gave for this key: hold it back. */
void fetcher_hold_back(struct fetcher *, const char *kind, const char *key);
/* Asked in the background: no wait, no budget. */
void fetcher_refresh(struct fetcher *, const char *kind, const char *key);

size_t fetcher_vendors(struct fetcher *, struct attestd_vendor_state *out, size_t max);
struct fetcher_counts {
    uint64_t vendor_calls, held_back, over_budget;
};
struct fetcher_counts fetcher_counts(struct fetcher *);
/* Monotonic milliseconds, the clock of deadlines. */
uint64_t fetcher_clock_ms(void);

#endif
