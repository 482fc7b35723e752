/* SPDX-License-Identifier: Apache-2.0 */
/* YAML as the project reads it: events of libyaml to a tree of texts with places. Aliases, anchors, tags, duplicate keys and nesting beyond
 * 32 are errors. */
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

/* Every document of the text, each a node. max_size in bytes. False fills *fault (its file is set by the caller). */
bool attestd_document_read(struct attestd_arena *arena, const char *text, size_t len, size_t max_size,
                           const struct attestd_node **documents, size_t *count, struct attestd_policy_fault *fault);
const struct attestd_node *attestd_node_find(const struct attestd_node *map, const char *name);

/*
 * A node typed and checked by a JSON Schema (the subset: type, properties, patternProperties, additionalProperties, required, enum,
 * pattern, minimum, maximum, items, minItems, maxItems, oneOf by type, $ref to #/$defs, default; and the formats "hex", "time", "duration",
 * "size", "version"). NULL and a fault with line, column, what was expected and the nearest known name when it does not fit.
 */
const struct attestd_value *attestd_node_typed(struct attestd_arena *arena, const struct attestd_node *node, const json_t *schema,
                                               struct attestd_policy_fault *fault);
/* A file read whole, at most max_size. */
bool attestd_file_read(struct attestd_arena *arena, const char *path, size_t max_size, struct attestd_bytes *bytes, char *error,
                       size_t error_size);

#endif
