/* SPDX-License-Identifier: Apache-2.0 */
/* One quote through appraise(), with the collateral that a test has at hand and nothing else; and the real quotes beside the project
 * ($ATTESTD_VECTORS/tdx and sgx), read in place with the facts of their MANIFEST. */
#ifndef TESTS_TDX_APPRAISAL_H
#define TESTS_TDX_APPRAISAL_H

#include "core/appraise.h"
#include "policy/document.h"

/* What answers the needs of a job, as a directory of files would: by what identify() says they are. */
struct shelf_item {
    const char *kind, *key;
    struct attestd_bytes bytes;
    uint8_t sha256[32]; /* of bytes, made once, as a cache does */
};
struct shelf {
    struct shelf_item items[64];
    size_t count;
};

struct world {
    struct attestd_arena *arena;
    struct attestd_engine *engine;
    struct attestd_anchor_set *pins;      /* trust-anchors/ */
    const struct attestd_node *tdx, *sgx; /* `files` of the MANIFESTs; NULL: the vectors are not here */
};
extern struct world world;
int world_begin(void **state);
int world_end(void **state);

struct attestd_bytes vector(const char *folder, const char *file);
/* Text at a dotted path below a node, or NULL. */
const char *node_text(const struct attestd_node *node, const char *path);
int64_t time_at(const char *text);

/* A document, put where identify() says it belongs; and anywhere else. */
void shelf_put(struct shelf *, struct attestd_bytes document);
void shelf_put_as(struct shelf *, const char *kind, const char *key, struct attestd_bytes document);

struct appraisal {
    const char *type; /* "tdx", "sgx" */
    struct attestd_part parts[5];
    size_t part_count;
    const struct shelf *shelf;
    struct attestd_anchor_set *anchors;     /* NULL: the pins */
    const char *settings;                   /* YAML of the section; NULL: none */
    const char *disabled;                   /* id of a disabled check, or NULL */
    const struct attestd_policy_view *view; /* instead of the settings, or NULL */
    int64_t time;

    /* Filled: */
    struct attestd_job *job;
    int answer;
    const struct attestd_result *result;
    const struct attestd_piece *piece;
};
void appraisal_run(struct appraisal *);
void appraisal_end(struct appraisal *);
const struct attestd_check_result *check_of(const struct appraisal *, const char *id);
void assert_recorded(const struct appraisal *, const char *id, int outcome, const char *code);
/* The code of the first check that failed or was unavailable, or of malformed evidence; "" when there is none. */
const char *first_code(const struct appraisal *);
const struct attestd_value *claim_of(const struct appraisal *, const char *path);
void assert_claim_text(const struct appraisal *, const char *path, const char *text);

#endif
