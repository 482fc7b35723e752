/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flights that wait for one vendor. Two rings take turns, one of known callers and one of strangers (whose keys count against a budget);
 * within a ring callers take turns; a caller's own flights go first come, first served. So no number of strangers' keys makes a known
 * caller wait for more than one of them.
 */
#ifndef ATTESTD_CACHE_FAIR_QUEUE_H
#define ATTESTD_CACHE_FAIR_QUEUE_H

#include "cache/flight.h"

TAILQ_HEAD(flight_list, flight);
struct caller_line {
    TAILQ_ENTRY(caller_line) in_ring;
    uint8_t caller[RECENT_DIGEST];
    size_t count;
    struct flight_list flights;
};
TAILQ_HEAD(caller_ring, caller_line);

struct fair_queue {
    struct caller_ring rings[2]; /* known, strangers */
    size_t counts[2];
    unsigned turn;
};

void fair_queue_init(struct fair_queue *);
size_t fair_queue_line_length(const struct fair_queue *, const uint8_t caller[RECENT_DIGEST], bool stranger);
/* Into the line of its caller; first: before the others there. False when memory is out. */
bool fair_queue_push(struct fair_queue *, struct flight *, bool first);
void fair_queue_remove(struct fair_queue *, struct flight *);
/* NULL: empty. */
struct flight *fair_queue_pop(struct fair_queue *);

#endif
