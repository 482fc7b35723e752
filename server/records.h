/* SPDX-License-Identifier: Apache-2.0 */
/* Records of appraisals and their bundles in records.mdb, kept by configuration (records: keep, for, max); the oldest go first. */
#ifndef ATTESTD_SERVER_RECORDS_H
#define ATTESTD_SERVER_RECORDS_H

#include "cache/store.h"
#include "core/result.h"
#include "server/config.h"

struct records;

/* store is borrowed. */
struct records *records_new(struct attestd_store *store, enum config_keep keep, int64_t seconds, size_t max);
void records_free(struct records *);
bool records_wanted(const struct records *, enum attestd_verdict verdict);
/* Queued: never waits. id: "ap_..." (its UUID is the key). */
void records_put(struct records *, const char *id, const struct attestd_text *record, const struct attestd_text *bundle);
bool records_get(struct records *, const char *id, bool bundle, struct attestd_arena *arena, struct attestd_bytes *text);
/* Calls found with each record's JSON, oldest first, behind `after` ("" for the first); stops when it answers false. */
void records_walk(struct records *, const char *after, bool (*found)(void *context, struct attestd_bytes record), void *context);
/* Drops what is too old or too much. */
void records_prune(struct records *, int64_t now);
size_t records_bytes(const struct records *);

#endif
