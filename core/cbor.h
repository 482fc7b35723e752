/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A strict CBOR decoder (RFC 8949) that reads without allocating: an item is a view into the bytes.
 *
 * Refused: indefinite lengths unless allowed, nesting beyond 16, duplicate map keys, reserved additional information, lengths
 * beyond the end, invalid UTF-8 in text, break codes out of place, trailing bytes; and, when asked, integers and lengths that
 * are not in their shortest form, and map keys out of bytewise order. Map keys are always demanded in their shortest form and of
 * definite length (so that equal keys have equal bytes), and a map has at most 4,096 pairs.
 */
#ifndef ATTESTD_CORE_CBOR_H
#define ATTESTD_CORE_CBOR_H

#include <attestd/plugin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum attestd_cbor_type {
    ATTESTD_CBOR_INVALID = 0,
    ATTESTD_CBOR_UNSIGNED,
    ATTESTD_CBOR_NEGATIVE, /* value is -1 - number */
    ATTESTD_CBOR_BYTES,
    ATTESTD_CBOR_TEXT,
    ATTESTD_CBOR_LIST,
    ATTESTD_CBOR_MAP,
    ATTESTD_CBOR_TAG,
    ATTESTD_CBOR_SIMPLE, /* number 20 false, 21 true, 22 null, 23 undefined */
    ATTESTD_CBOR_FLOAT
};

enum { ATTESTD_CBOR_ALLOW_INDEFINITE = 1, ATTESTD_CBOR_SHORTEST = 2, ATTESTD_CBOR_SORTED = 4 };

struct attestd_cbor {
    enum attestd_cbor_type type;
    uint64_t number;            /* integer, tag number, simple value, count of items or pairs; UINT64_MAX: indefinite */
    struct attestd_bytes bytes; /* BYTES and TEXT of definite length: contents. Else: the encoded contents. FLOAT: the encoded number */
    struct attestd_bytes whole; /* this item, head and contents */
    unsigned flags;
};

/* Checks the whole document, to the last byte and at every depth; then *root can be walked without further failure.
 * error (may be NULL) gets a static phrase, offset the place. */
bool attestd_cbor_read(const uint8_t *bytes, size_t len, unsigned flags, struct attestd_cbor *root, const char **error, size_t *offset);
/* Like read, but bytes may follow the item; *used is its length. */
bool attestd_cbor_read_first(const uint8_t *bytes, size_t len, unsigned flags, struct attestd_cbor *root, size_t *used, const char **error,
                             size_t *offset);

/* Walking a LIST (items), MAP (key, value, key, ...), or TAG (one item). at starts at 0. False at the end. */
bool attestd_cbor_next(const struct attestd_cbor *container, size_t *at, struct attestd_cbor *item);
/* Number of items of a LIST or pairs of a MAP, also when indefinite. */
size_t attestd_cbor_count(const struct attestd_cbor *container);
bool attestd_cbor_map_text(const struct attestd_cbor *map, const char *key, struct attestd_cbor *value);
bool attestd_cbor_map_number(const struct attestd_cbor *map, int64_t key, struct attestd_cbor *value);
/* Contents of BYTES or TEXT also when in chunks (indefinite): copied to out of out_size. */
bool attestd_cbor_copy(const struct attestd_cbor *item, uint8_t *out, size_t out_size, size_t *len);

#endif
