/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that are not asked for again for a while: the vendor does not have them, or what it gave was of no use (DESIGN 7). */
#ifndef ATTESTD_CACHE_HOLD_BACK_H
#define ATTESTD_CACHE_HOLD_BACK_H

#include "cache/fetcher.h"
#include "cache/recent.h"

#define HOLD_BACK_KEYS 4096u
#define HOLD_BACK_FIRST_MS (30u * 1000u)
#define HOLD_BACK_LONGEST_MS (3600u * 1000u)

struct hold_back;

struct held {
    enum fetch_outcome outcome;
    const char *detail; /* static */
    unsigned seconds;   /* left, at least 1 */
};

struct hold_back *hold_back_new(void);
void hold_back_free(struct hold_back *);
/* For 30 s, twice as long each time it happens again within an hour of the last end, at most an hour. While it is held, nothing changes.
 * Returns the seconds. now in monotonic milliseconds. */
unsigned hold_back_add(struct hold_back *, const uint8_t digest[RECENT_DIGEST], enum fetch_outcome, const char *detail, uint64_t now);
bool hold_back_find(struct hold_back *, const uint8_t digest[RECENT_DIGEST], uint64_t now, struct held *held);

#endif
