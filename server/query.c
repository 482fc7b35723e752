/* SPDX-License-Identifier: Apache-2.0 */
#include "server/query.h"
#include "core/encoding.h"
#include <string.h>

static const char *decode(struct attestd_arena *arena, const char *text, size_t len)
{
    char *out = attestd_arena_alloc(arena, len + 1);
    size_t at = 0;
    for (size_t i = 0; i < len; i++) {
        uint8_t byte = (uint8_t)text[i];
        size_t one;
        if (text[i] == '%') {
            if (len - i < 3 || !attestd_hex_decode(text + i + 1, 2, &byte, 1, &one) || byte == 0)
                return NULL;
            i += 2;
        }
        out[at++] = (char)byte;
    }
    return attestd_utf8_valid(out, at) ? out : NULL;
}

bool query_read(struct attestd_arena *arena, const char *query, struct query_pair pairs[QUERY_MAX], size_t *count)
{
    *count = 0;
    while (*query != '\0') {
        size_t len = strcspn(query, "&"), name_len = strcspn(query, "=&");
        if (*count == QUERY_MAX)
            return false;
        const char *name = decode(arena, query, name_len);
        const char *value = name_len < len ? decode(arena, query + name_len + 1, len - name_len - 1) : "";
        if (name == NULL || value == NULL || query_find(pairs, *count, name) != NULL)
            return false;
        pairs[(*count)++] = (struct query_pair){name, value};
        query += len + (query[len] == '&');
    }
    return true;
}

const char *query_find(const struct query_pair *pairs, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(pairs[i].name, name) == 0)
            return pairs[i].value;
    return NULL;
}
