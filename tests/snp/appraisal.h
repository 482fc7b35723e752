/* SPDX-License-Identifier: Apache-2.0 */
/* One SNP report through appraise(), with the endorsements that a test has at hand and nothing else. */
#ifndef TESTS_SNP_APPRAISAL_H
#define TESTS_SNP_APPRAISAL_H

#include "core/appraise.h"

/* What answers the needs of a job, as a directory of files would: by what the plugin's identify() says they are. */
struct shelf_item {
    const char *kind, *key;
    struct attestd_bytes der;
};
struct shelf {
    struct attestd_arena *arena;
    struct attestd_engine *engine;
    struct shelf_item items[128];
    size_t count;
    unsigned asked; /* needs that were named so far, met or not */
};

/* One DER object, or PEM text. */
void shelf_put(struct shelf *, const void *bytes, size_t len);

/* Engine with the plugin under test, loaded from $ATTESTD_BUILD/plugins. */
struct attestd_engine *appraisal_engine(void);

struct appraisal {
    struct attestd_engine *engine;
    struct attestd_anchor_set *anchors;
    struct shelf *shelf;
    struct attestd_bytes report, certs;     /* certs may be empty */
    const char *settings;                   /* YAML of the snp: section; NULL: none */
    const char *warn;                       /* id of a check in warn mode, or NULL */
    const char *disabled;                   /* id of a disabled check, or NULL */
    const struct attestd_policy_view *view; /* instead of the settings above, or NULL */
    int64_t time;

    /* Filled: */
    struct attestd_arena *arena; /* the caller's */
    struct attestd_job *job;
    int answer; /* of the last run */
    const struct attestd_result *result;
    const struct attestd_piece *piece;
    unsigned runs;
};
/* Runs to the end. Free with appraisal_end(). */
void appraisal_run(struct appraisal *);
void appraisal_end(struct appraisal *);

/* The check's result; NULL: not recorded. */
const struct attestd_check_result *appraisal_check(const struct appraisal *, const char *id);
/* Asserts outcome and code (NULL: none). */
void assert_recorded(const struct appraisal *, const char *id, int outcome, const char *code);
/* Every recorded check passed, none of them anything else. */
void expect_all_pass(const struct appraisal *);
/* Every fixed check passed. */
void expect_authentic(const struct appraisal *);
/* The answer's members as JSON text (the arena's). */
const char *appraisal_json(struct appraisal *);
/* Claim at a path below "snp". */
const struct attestd_value *appraisal_claim(const struct appraisal *, const char *path);

/* Codes that tests have seen in a check that did not pass, or in malformed evidence. */
void seen_note(const struct appraisal *);
bool seen(const char *code);

#endif
