/* SPDX-License-Identifier: Apache-2.0 */
/* How many keys that nobody asked for before a caller may ask for: so many a minute, one bucket a caller. */
#ifndef ATTESTD_CACHE_BUDGET_H
#define ATTESTD_CACHE_BUDGET_H

#include "cache/recent.h"

#define BUDGET_CALLERS 4096u /* remembered; one that was forgotten starts with a full bucket */

struct budget;

struct budget *budget_new(unsigned per_minute);
void budget_free(struct budget *);
/* Takes one. 0: it was there; else the seconds until there is one. now in monotonic milliseconds. */
unsigned budget_take(struct budget *, const uint8_t caller[RECENT_DIGEST], uint64_t now);

#endif
