/* SPDX-License-Identifier: Apache-2.0 */
/* The process-wide part of core: loaded plugins, the catalogue of checks, the memos. Made before threads, then shared. */
#ifndef ATTESTD_CORE_ENGINE_H
#define ATTESTD_CORE_ENGINE_H

#include "core/anchors.h"
#include "core/json.h"
#include <attestd/plugin.h>
#include <stdbool.h>

#define ATTESTD_VERSION_TEXT "0.1.0"

struct attestd_engine;

struct attestd_engine *attestd_engine_new(void);
/* Calls fini() of the plugins; no thread may use it any more. */
void attestd_engine_free(struct attestd_engine *);

/*
 * Load <directory>/<name>.so with RTLD_NOW|RTLD_LOCAL. Refused: a name that is not [a-z0-9]+, a directory or file that others can
 * write or that another user owns, a wrong ABI version, a missing symbol, init() failing, a media type, type or check id or code that is
 * already taken, a check without reasons. error gets one clear line.
 */
bool attestd_engine_load(struct attestd_engine *, const char *directory, const char *name, char *error, size_t error_size);
/* The same for a descriptor already in memory (tests). */
bool attestd_engine_add(struct attestd_engine *, const struct attestd_plugin *plugin, char *error, size_t error_size);

size_t attestd_engine_plugin_count(const struct attestd_engine *);
const struct attestd_plugin *attestd_engine_plugin_at(const struct attestd_engine *, size_t index);
const struct attestd_plugin *attestd_engine_plugin(const struct attestd_engine *, const char *type);
const struct attestd_plugin *attestd_engine_plugin_for_media_type(const struct attestd_engine *, const char *media_type);
/* The plugin that recognises the bytes with the highest score (> 0), alone; NULL when none or a tie. */
const struct attestd_plugin *attestd_engine_recognise(const struct attestd_engine *, const uint8_t *bytes, size_t len);
const struct attestd_endorsement_kind *attestd_engine_endorsement_kind(const struct attestd_engine *, const char *kind);
/* Ask every plugin what these bytes (one DER object or document) can serve as. */
void attestd_engine_identify(const struct attestd_engine *, const uint8_t *bytes, size_t len, attestd_identified *found, void *context);

/* The catalogue: core's own checks (binding.*, freshness.*, require.*, policy.*) first, then each plugin's. */
const struct attestd_check *attestd_engine_check(const struct attestd_engine *, const char *id);
size_t attestd_engine_check_count(const struct attestd_engine *);
const struct attestd_check *attestd_engine_check_at(const struct attestd_engine *, size_t index);
/* Remedy for a code of any check or malformed list; NULL if there is none such. */
const char *attestd_engine_remedy(const struct attestd_engine *, const char *code);
/* The whole catalogue as one JSON document (attestctl checks --json, GET /v1/checks): {"checks":[{id,title,plugin,fixed,default_mode,
 * claim,values,reference,reasons:[{code,remedy}]}],"malformed":[{code,plugin,remedy}],"problems":[{code,status,remedy}]}. */
void attestd_engine_catalogue_json(const struct attestd_engine *, struct attestd_text *out);

/* Memos: bounded in bytes (default 64 MiB); oldest use is dropped first. */
void attestd_engine_memo_limit(struct attestd_engine *, size_t bytes);
void attestd_engine_memo_drop(struct attestd_engine *);
struct attestd_memo_counts {
    uint64_t hits, misses, dropped;
    size_t entries, bytes;
};
struct attestd_memo_counts attestd_engine_memo_counts(struct attestd_engine *);

#endif
