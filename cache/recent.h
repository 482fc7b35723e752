/* SPDX-License-Identifier: Apache-2.0 */
/* A bounded set of digests, the longest unused forgotten first. Each lives in a slot, by whose number the owner keeps what it knows of it.
 */
#ifndef ATTESTD_CACHE_RECENT_H
#define ATTESTD_CACHE_RECENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECENT_DIGEST 16u
#define RECENT_NONE UINT32_MAX

struct recent;

/* NULL when memory is out. capacity: at least 1. Not for two threads at once. */
struct recent *recent_new(uint32_t capacity);
void recent_free(struct recent *);
/* The slot, which counts as used now, or RECENT_NONE. */
uint32_t recent_find(struct recent *, const uint8_t digest[RECENT_DIGEST]);
/* The slot, a new one when need be; *fresh: what the owner kept there belongs to another digest, now forgotten, or to none. */
uint32_t recent_take(struct recent *, const uint8_t digest[RECENT_DIGEST], bool *fresh);

#endif
