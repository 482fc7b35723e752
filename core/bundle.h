/* SPDX-License-Identifier: Apache-2.0 */
/* Bundles: one JSON document with every input of an appraisal and its result; replayed years later, offline (docs/bundle.md). */
#ifndef ATTESTD_CORE_BUNDLE_H
#define ATTESTD_CORE_BUNDLE_H

#include "core/appraise.h"

#define ATTESTD_BUNDLE_MEDIA_TYPE "application/vnd.attestd.bundle+json"
#define ATTESTD_BUNDLE_VERSION 1

/* Write the bundle of a finished job. policy_text: the compiled policy in its canonical form (policy/policy.h). */
void attestd_bundle_write(struct attestd_text *out, const struct attestd_job *job, const struct attestd_anchor_set *anchors,
                          const char *policy_text, size_t policy_text_len);

/* A need that could not be met. */
struct attestd_bundle_absence {
    const char *kind, *key, *reason;
};

/* A bundle read back. */
struct attestd_bundle {
    struct attestd_request request;
    struct attestd_anchor_set *anchors; /* freed with the arena */
    int64_t time;
    const char *engine_version;
    const char *policy_name;
    struct attestd_bytes policy_text;
    struct attestd_bytes result;                        /* the recorded result as canonical text (attestd_bundle_result) */
    const struct attestd_endorsement_use *endorsements; /* every candidate that was supplied, in order */
    size_t endorsement_count;
    const struct attestd_bundle_absence *absent; /* in order */
    size_t absent_count;
    const struct attestd_proposal *state; /* plugin, key, before */
    size_t state_count;
};

/* Does this text begin as a bundle does? (Its first member is "bundle".) */
bool attestd_bundle_is(const char *text, size_t len);
/* Checks every SHA-256. All memory is the arena's. False: error says what and where. */
bool attestd_bundle_read(struct attestd_arena *arena, const struct attestd_engine *engine, const char *text, size_t len,
                         struct attestd_bundle *bundle, char *error, size_t error_size);
/* Runs the job of a bundle to its end with nothing but the bundle. The policy view is made by the caller from policy_text. The bundle
 * outlives the job. A policy may be tried on old evidence: then time or view are not the recorded ones. */
struct attestd_job *attestd_bundle_run(struct attestd_engine *engine, const struct attestd_bundle *bundle,
                                       const struct attestd_policy_view *policy, int64_t time);
/* The canonical text of a job's result: the members of attestd_result_members(), names in bytewise order. Equal to bundle.result when
 * the replay reproduces it. */
void attestd_bundle_result(struct attestd_text *out, const struct attestd_job *job);
/* One line "path: before -> after" for each difference between two results (or any JSON texts). Lists of checks are compared by id.
 * Returns the number of differences. */
size_t attestd_bundle_diff(const char *before, size_t before_len, const char *after, size_t after_len, struct attestd_text *out);

#endif
