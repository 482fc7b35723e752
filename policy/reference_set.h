/* SPDX-License-Identifier: Apache-2.0 */
/* Reference sets: values that claims and bound data are compared with, and the index that keeps a set of any size cheap. Immutable once
 * read; shared by count. */
#ifndef ATTESTD_POLICY_REFERENCE_SET_H
#define ATTESTD_POLICY_REFERENCE_SET_H

#include "policy/settings.h"

#define ATTESTD_REFERENCE_SET_MAX ((size_t)32 << 20) /* bytes of one file that holds reference sets */

/* One field of an entry: a claim ("snp.measurement") or a datum ("image"), and the values of which any will do. */
struct attestd_reference_field {
    const char *name;
    const char *const *values; /* as attestd_reference_text() writes them */
    size_t count;
};

struct attestd_reference_entry {
    const char *label;   /* or NULL */
    int64_t from, until; /* [from, until); INT64_MIN and INT64_MAX when not given */
    const struct attestd_reference_field *fields;
    size_t field_count;
};

struct attestd_reference_index;

struct attestd_reference_set {
    const char *name, *source;
    int64_t expires; /* INT64_MAX: never */
    const struct attestd_reference_entry *entries;
    size_t count;
};

/* From a document with `reference_set`. NULL and a fault. */
struct attestd_reference_set *attestd_reference_set_read(const struct attestd_settings *settings, const struct attestd_node *document,
                                                         struct attestd_policy_fault *fault);
/* From JSON Lines: the first line holds the set's name, source and expires, each further line one entry. */
struct attestd_reference_set *attestd_reference_set_read_lines(const struct attestd_settings *settings, const char *text, size_t len,
                                                               struct attestd_policy_fault *fault);
struct attestd_reference_set *attestd_reference_set_retain(struct attestd_reference_set *);
void attestd_reference_set_free(struct attestd_reference_set *);

/* The index over one field, made on first call; not for threads: call it while compiling. */
const struct attestd_reference_index *attestd_reference_set_index(struct attestd_reference_set *, const char *field);
/* Entries that give this value in the indexed field, one a call, in the order of the set: start with *cursor 0; SIZE_MAX after the last. */
size_t attestd_reference_index_next(const struct attestd_reference_index *, const char *value, size_t *cursor);

const struct attestd_reference_field *attestd_reference_entry_field(const struct attestd_reference_entry *, const char *name);
bool attestd_reference_field_has(const struct attestd_reference_field *, const char *value);
/* What a value is compared as: hexadecimal digits in lower case, all else as it is. */
const char *attestd_reference_text(struct attestd_arena *arena, const char *text);
/* The same for a claim; NULL for lists, maps and NULL. */
const char *attestd_reference_claim(struct attestd_arena *arena, const struct attestd_value *claim);

/* The set as the canonical form has it. */
void attestd_reference_set_write(struct attestd_json_writer *, const struct attestd_reference_set *);

#endif
