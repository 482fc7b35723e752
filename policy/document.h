/* SPDX-License-Identifier: Apache-2.0 */
/* YAML as the project reads it: events of libyaml to a tree of texts with places. Aliases, anchors, tags, directives, duplicate keys and
 * nesting beyond 32 are errors. */
#ifndef ATTESTD_POLICY_DOCUMENT_H
#define ATTESTD_POLICY_DOCUMENT_H

#include "core/arena.h"
#include "policy/policy.h"

enum attestd_node_kind { ATTESTD_NODE_TEXT, ATTESTD_NODE_LIST, ATTESTD_NODE_MAP };

struct attestd_node {
    enum attestd_node_kind kind;
    const char *name;      /* key, in a map */
    const char *text;      /* TEXT: always text; the schema gives it a type */
    bool quoted;           /* TEXT: was quoted or a block: never a number or a flag */
    unsigned line, column; /* of the value; from 1 */
    unsigned key_line, key_column;
    struct attestd_node *items; /* LIST and MAP, in order */
    size_t count;
};

/* Every document of the text, each a node; empty documents are left out. max_size in bytes. False fills *fault (its file is set by the
 * caller). */
bool attestd_document_read(struct attestd_arena *arena, const char *text, size_t len, size_t max_size,
                           const struct attestd_node **documents, size_t *count, struct attestd_policy_fault *fault);
const struct attestd_node *attestd_node_find(const struct attestd_node *map, const char *name);
/* A JSON value as a node, every part of it at this place. JSON's null becomes an empty text. */
const struct attestd_node *attestd_node_from_json(struct attestd_arena *arena, const json_t *json, unsigned line, unsigned column);

/*
 * A node typed and checked by a JSON Schema (the subset: type, properties, patternProperties, additionalProperties, required, enum, const,
 * pattern, minimum, maximum, items, minItems, maxItems, oneOf by type, $ref to #/$defs, default; and the formats "hex", "time", "duration",
 * "size", "version"). NULL and a fault with line, column, what was expected and the nearest known name when it does not fit.
 * What the formats give: hex: BYTES; time: NUMBER, seconds since 1970; duration: NUMBER, seconds; size: NUMBER, bytes; version: TEXT.
 * Times, durations and sizes may be written as such a number too. Unlike plain JSON Schema, an object that names properties takes no others
 * unless additionalProperties says so.
 */
const struct attestd_value *attestd_node_typed(struct attestd_arena *arena, const struct attestd_node *node, const json_t *schema,
                                               struct attestd_policy_fault *fault);
/* The same, with $ref resolved in another schema than the one given. */
const struct attestd_value *attestd_node_typed_within(struct attestd_arena *arena, const struct attestd_node *node, const json_t *schema,
                                                      const json_t *root, struct attestd_policy_fault *fault);
/* The schema of a map's member: by properties, patternProperties, additionalProperties. NULL: not known, or anything goes. */
const json_t *attestd_schema_member(const json_t *schema, const char *name);
/* Seconds since 1970: RFC 3339, a bare date (its first second, UTC), or such a number itself; from 1973 on. */
bool attestd_moment_parse(const char *text, int64_t *seconds);
/* The schema that $ref names, or the schema itself; NULL when it does not resolve. */
const json_t *attestd_schema_resolve(const json_t *schema, const json_t *root);

/* Fills a fault; always false. */
bool attestd_policy_fault_set(struct attestd_policy_fault *fault, unsigned line, unsigned column, const char *code, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
/* Collects the nearest of several names to what was written (edit distance, exchanges of neighbours counted as one). */
struct attestd_nearest {
    const char *wanted, *best;
    size_t distance;
};
struct attestd_nearest attestd_nearest_to(const char *wanted);
void attestd_nearest_try(struct attestd_nearest *, const char *name);
/* NULL when nothing tried is near enough to be meant. */
const char *attestd_nearest_name(const struct attestd_nearest *);

/* A file read whole, at most max_size. */
bool attestd_file_read(struct attestd_arena *arena, const char *path, size_t max_size, struct attestd_bytes *bytes, char *error,
                       size_t error_size);

#endif
