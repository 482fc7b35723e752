/* SPDX-License-Identifier: Apache-2.0 */
/* Endorsements as one JSON document, to carry them to a site without a network. */
#ifndef ATTESTD_CACHE_ARCHIVE_H
#define ATTESTD_CACHE_ARCHIVE_H

#include "cache/endorsement.h"
#include "core/json.h"

/*
 * {"attestd_endorsements": 1, "entries": [{kind, key, source, fetched, sha256, bytes}]}: dates and numbers are not written, they are in the
 * bytes. fetched is RFC 3339, sha256 hex, bytes base64.
 */
struct archive_writer {
    struct attestd_json_writer json;
};
void archive_begin(struct archive_writer *, struct attestd_text *out);
void archive_entry(struct archive_writer *, const char *kind, const char *key, const struct endorsement *);
void archive_end(struct archive_writer *);

/* False when the bytes are no such document: nothing was reported. Entries whose digest does not fit, or which no plugin recognises as what
 * they are said to be, are passed over. Their `fetched` is never later than now. */
bool archive_read(const struct attestd_engine *, const uint8_t *bytes, size_t len,
                  void (*found)(void *context, const char *kind, const char *key, struct endorsement *), void *context);

#endif
