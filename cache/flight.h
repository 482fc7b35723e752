/* SPDX-License-Identifier: Apache-2.0 */
/* What one URL is asked for, by whom, and for how many: queued, in the air, or landed a moment ago. */
#ifndef ATTESTD_CACHE_FLIGHT_H
#define ATTESTD_CACHE_FLIGHT_H

#include "cache/endorsement.h"
#include "cache/fetcher.h"
#include "cache/recent.h"
#include "cache/transfer.h"
#include "cache/vendor.h"
#include <sys/queue.h>

struct caller_line;

/* Several kinds may share one URL (a chain holds ASK and ARK; a header holds the chain of the body): each is a want. */
enum want_state { WANT_OPEN, WANT_ARRIVED, WANT_REJECTED };
struct want {
    TAILQ_ENTRY(want) in_flight;
    enum want_state state;
    uint8_t digest[RECENT_DIGEST]; /* of kind and URL: what is held back when the answer is rejected */
    const struct endorsement_source *source;
    char kind[ENDORSEMENT_KIND_MAX + 1], key[ENDORSEMENT_KEY_MAX + 1];
};

enum wait_state { WAIT_OPEN, WAIT_DECIDED, WAIT_DONE };
struct fetcher_wait {
    TAILQ_ENTRY(fetcher_wait) in_flight; /* while open */
    TAILQ_ENTRY(fetcher_wait) in_time;   /* open: by deadline; decided: in order */
    enum wait_state state;
    struct flight *flight;
    struct want *want;
    uint64_t deadline;
    enum fetch_outcome outcome;
    unsigned retry_after;
    const char *detail;
    fetcher_done *done;
    void *context;
};
TAILQ_HEAD(want_list, want);
TAILQ_HEAD(wait_list, fetcher_wait);

enum flight_state { FLIGHT_QUEUED, FLIGHT_FLYING, FLIGHT_LANDED };
struct flight {
    TAILQ_ENTRY(flight) in_table, in_line, in_landed;
    enum flight_state state;
    struct vendor *vendor;
    struct caller_line *line; /* while queued */
    uint8_t caller[RECENT_DIGEST];
    bool stranger;
    bool counted; /* as a success or failure of the vendor */
    unsigned attempts;
    uint64_t born, landed; /* monotonic milliseconds */
    struct want_list wants;
    struct wait_list waits;
    struct transfer transfer;
    uint8_t digest[RECENT_DIGEST]; /* of the URL */
    char url[];
};

/* NULL when memory is out. */
struct flight *flight_new(struct vendor *, const char *url, const uint8_t digest[RECENT_DIGEST], uint64_t now);
/* Nobody may wait on it any more, and it stands in no list. */
void flight_free(struct flight *, CURLM *);
/* The want for this kind, added when there is none; NULL when memory is out. */
struct want *flight_want(struct flight *, const struct endorsement_source *, const char *key, const uint8_t digest[RECENT_DIGEST]);

#endif
