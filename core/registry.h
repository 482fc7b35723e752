/* SPDX-License-Identifier: Apache-2.0 */
/* Inside core: what the run of a job asks of the engine. */
#ifndef ATTESTD_CORE_REGISTRY_H
#define ATTESTD_CORE_REGISTRY_H

#include "core/engine.h"
#include "core/memo.h"

#define REGISTRY_UNKNOWN SIZE_MAX

/* Position of a check in the whole catalogue, by address; REGISTRY_UNKNOWN: not of the catalogue. */
size_t registry_check_index(const struct attestd_engine *, const struct attestd_check *check);
/* True when the check with this index is the plugin's own. */
bool registry_check_of(const struct attestd_engine *, const struct attestd_plugin *plugin, size_t index);
/* SHA-256 over the plugin's name and version: the prefix of its memo keys. */
const uint8_t *registry_plugin_digest(const struct attestd_engine *, const struct attestd_plugin *plugin);
/* The reason of a check or malformed list with this code, or NULL. */
const struct attestd_reason *registry_reason(const struct attestd_reason *reasons, const char *code);
struct memo_cache *registry_memos(const struct attestd_engine *);

#endif
