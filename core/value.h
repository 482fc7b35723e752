/* SPDX-License-Identifier: Apache-2.0 */
/* Typed trees: claims and policy settings. All memory is the arena's. */
#ifndef ATTESTD_CORE_VALUE_H
#define ATTESTD_CORE_VALUE_H

#include "core/arena.h"
#include "core/json.h"

/* A tree under construction: the root is a map. */
struct attestd_tree;
struct attestd_tree *attestd_tree_new(struct attestd_arena *arena);
/* Paths are dotted; "[]" at the end of a path appends to a list. Missing maps are made. Setting a path twice replaces. */
void attestd_tree_text(struct attestd_tree *, const char *path, const char *text);
void attestd_tree_bytes(struct attestd_tree *, const char *path, const uint8_t *bytes, size_t len);
void attestd_tree_number(struct attestd_tree *, const char *path, int64_t number);
void attestd_tree_flag(struct attestd_tree *, const char *path, bool flag);
/* The tree as a value (a map); valid until the next change. */
const struct attestd_value *attestd_tree_value(struct attestd_tree *);

/* The value at a dotted path, or NULL. */
const struct attestd_value *attestd_value_find(const struct attestd_value *value, const char *path);
/* True when both are the same kind and contents; bytes equal text that is their hex in either case. */
bool attestd_value_equal(const struct attestd_value *a, const struct attestd_value *b);
/* From JSON; texts stay texts. */
const struct attestd_value *attestd_value_from_json(struct attestd_arena *arena, const json_t *json);
/* Short text of a value for people: hex for bytes, JSON for the rest. */
const char *attestd_value_show(struct attestd_arena *arena, const struct attestd_value *value);

#endif
