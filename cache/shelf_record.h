/* SPDX-License-Identifier: Apache-2.0 */
/* An endorsement as a value in LMDB. */
#ifndef ATTESTD_CACHE_SHELF_RECORD_H
#define ATTESTD_CACHE_SHELF_RECORD_H

#include "cache/endorsement.h"
#include "core/json.h"

#define SHELF_RECORD_KEY 33u /* SHA-256 of kind, NUL, key; then the place */
enum shelf_place { SHELF_AUTHENTIC = 0, SHELF_IMPORTED = 1 };

void shelf_record_key(const char *kind, const char *key, enum shelf_place place, uint8_t out[SHELF_RECORD_KEY]);
/* Into an empty text; the caller frees it. */
void shelf_record_write(struct attestd_text *out, const char *kind, const char *key, const struct endorsement *);
/* NULL when the bytes are not a whole record, or its digest does not fit. kind and key: buffers of these sizes. */
struct endorsement *shelf_record_read(struct attestd_bytes value, char kind[ENDORSEMENT_KIND_MAX + 1], char key[ENDORSEMENT_KEY_MAX + 1]);

#endif
