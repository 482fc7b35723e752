/* SPDX-License-Identifier: Apache-2.0 */
/* What is counted per client address: open connections, and requests by a token bucket. Bounded tables. */
#ifndef ATTESTD_SERVER_ADDRESSES_H
#define ATTESTD_SERVER_ADDRESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct addresses;

/* capacity: addresses remembered at a time. */
struct addresses *addresses_new(size_t capacity);
void addresses_free(struct addresses *);

/* One connection more for the address; false when it has `limit` already, or when the table is full. */
bool addresses_connect(struct addresses *, const uint8_t key[9], unsigned limit);
void addresses_disconnect(struct addresses *, const uint8_t key[9]);

/*
 * Take a token: buckets fill with `per_second` to at most `burst`. False: *retry_after is the number of seconds until there is one.
 * An address that is not remembered starts with a full bucket; when the table is full, the address idle for longest is forgotten, but
 * never one with open connections.
 */
bool addresses_take(struct addresses *, const uint8_t key[9], double per_second, double burst, uint64_t now_ns, unsigned *retry_after);

#endif
