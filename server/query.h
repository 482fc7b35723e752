/* SPDX-License-Identifier: Apache-2.0 */
/* Query strings: name=value pairs, percent-encoded (RFC 3986; '+' stands for itself). */
#ifndef ATTESTD_SERVER_QUERY_H
#define ATTESTD_SERVER_QUERY_H

#include "core/arena.h"
#include <stdbool.h>

struct query_pair {
    const char *name, *value;
};

#define QUERY_MAX 16

/* False when an escape is broken, decodes to NUL or not to UTF-8, a name is repeated, or there are more than QUERY_MAX pairs. */
bool query_read(struct attestd_arena *arena, const char *query, struct query_pair pairs[QUERY_MAX], size_t *count);
/* NULL: not there. */
const char *query_find(const struct query_pair *pairs, size_t count, const char *name);

#endif
