/* SPDX-License-Identifier: Apache-2.0 */
/* One vendor's service and the manners towards it: token bucket, Retry-After, back-off, breaker. Times are monotonic milliseconds. */
#ifndef ATTESTD_CACHE_VENDOR_H
#define ATTESTD_CACHE_VENDOR_H

#include "cache/endorsements.h"

#define VENDOR_FLIGHTS 8u /* at once */
#define VENDOR_BREAKER_FAILURES 5u
#define VENDOR_BREAKER_MS (30u * 1000u)
#define VENDOR_RETRY_AFTER_MAX 3600u /* seconds that are believed */

struct vendor {
    const char *name;            /* static */
    char *base, *host, *ca_file; /* base has no slash at its end; ca_file may be NULL */
    bool plain;                  /* http, on loopback */

    double rate, burst, tokens; /* requests a second; at once; now */
    uint64_t filled;
    unsigned flying;
    unsigned failures;        /* one after another */
    uint64_t open_until;      /* breaker: 0 closed; past: half-open, one probe at a time */
    unsigned throttles;       /* 429 one after another; until a success one request at a time */
    uint64_t throttled_until; /* Retry-After */
    uint64_t back_off_until;

    uint64_t requests, ok, failed, throttled, not_found;
    int64_t last_success, last_failure; /* seconds since 1970 */
};

enum vendor_answer {
    VENDOR_ANSWERED, /* whatever it said, the service is there */
    VENDOR_THROTTLED,
    VENDOR_FAILED
};

/* url NULL: the vendor's own address. False: error has one line why this base is refused. */
bool vendor_init(struct vendor *, const struct attestd_vendor_base *, double rate, unsigned burst, uint64_t now, char *error,
                 size_t error_size);
void vendor_clear(struct vendor *);
bool vendor_open(const struct vendor *, uint64_t now);
/* Fewer in the air than may be. */
bool vendor_has_slot(const struct vendor *);
/* The earliest moment for the next request, as far as time decides. */
uint64_t vendor_ready_at(const struct vendor *, uint64_t now);
bool vendor_may_start(const struct vendor *, uint64_t now);
void vendor_start(struct vendor *, uint64_t now);
/* retry_after: seconds the vendor named, 0 none. */
void vendor_end(struct vendor *, enum vendor_answer, unsigned retry_after, uint64_t now);

#endif
