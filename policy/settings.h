/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The schema of policies: core's part with a section for each loaded plugin.
 *
 * What a plugin's policy_schema may say beyond JSON Schema (docs/policy.md, "for plugin writers"):
 *   x-attestd-claim, x-attestd-check   the property takes values, as a list or as {in: SET}; policy/ compares the claim and records the
 * check x-attestd-checks                   the checks that mode, until, reason and owner inside this group set, or a bare mode word in its
 * place The rewriting to plain JSON Schema happens here, so that typing, compiling and editors see one schema.
 */
#ifndef ATTESTD_POLICY_SETTINGS_H
#define ATTESTD_POLICY_SETTINGS_H

#include "core/engine.h"
#include "policy/document.h"

struct attestd_settings;

/* NULL and a fault (POLICY_SCHEMA) when a plugin's schema is none. */
struct attestd_settings *attestd_settings_new(const struct attestd_engine *engine, struct attestd_policy_fault *fault);
void attestd_settings_free(struct attestd_settings *);
const json_t *attestd_settings_schema(const struct attestd_settings *);
/* One of the schema's $defs: "policy", "set_name". */
const json_t *attestd_settings_definition(const struct attestd_settings *, const char *name);

/* A claim that some plugin compares. */
struct attestd_comparable {
    const char *type, *claim, *check; /* "snp", "measurement", "snp.measurement" */
    const char *path;                 /* of the setting below the plugin's section: "measurement" */
    const char *field;                /* "snp.measurement" */
};
size_t attestd_settings_comparables(const struct attestd_settings *, const struct attestd_comparable **comparables);
/* The known claim that a name is a misspelling of; NULL when it is known, or like none. */
const char *attestd_settings_near_claim(const struct attestd_settings *, const char *name);

#endif
