/* SPDX-License-Identifier: Apache-2.0 */
/* Members of a struct by name, for command lines and environment variables. */
#ifndef ATTESTD_SIMULATOR_FIELDS_H
#define ATTESTD_SIMULATOR_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum sim_field_kind {
    SIM_FIELD_NUMBER, /* unsigned, of 1, 2, 4 or 8 bytes */
    SIM_FIELD_SIGNED, /* of 1, 4 or 8 bytes */
    SIM_FIELD_FLAG,   /* 0 or 1 */
    SIM_FIELD_BYTES,  /* in hex, at their exact length */
    SIM_FIELD_TEXT    /* NUL-terminated, shorter than size */
};

struct sim_field {
    const char *name; /* may stand more than once: one assignment then sets all of that name */
    enum sim_field_kind kind;
    size_t offset, size;
};

/* "name=value". False: no such field, or not a value for it. */
bool sim_field_set(const struct sim_field *fields, size_t count, void *base, const char *assignment);
void sim_field_list(const struct sim_field *fields, size_t count, FILE *);
/* Exactly 2 * len hex digits. */
bool sim_read_hex(uint8_t *out, size_t len, const char *hex);

#endif
