/* SPDX-License-Identifier: Apache-2.0 */
/* A compiled policy from the inside: what compile.c makes, canonical.c writes and decide.c reads. */
#ifndef ATTESTD_POLICY_COMPILED_H
#define ATTESTD_POLICY_COMPILED_H

#include "policy/reference_set.h"

#include <stdatomic.h>

#define ATTESTD_POLICY_TEXT_MAX ((size_t)256 << 10) /* bytes of one file that holds policies */

/* The mode one check gets from the policy. Of several, the one with the highest rank counts. */
struct policy_mode {
    const char *check;
    int32_t mode;  /* enum attestd_mode */
    int64_t until; /* INT64_MAX: no end */
    const char *reason, *owner;
    const char *line; /* "file:line", or NULL */
    unsigned rank;    /* depth of the group that sets it; of `checks` beyond all groups */
};

struct policy_weight {
    const char *check;
    int32_t cost;
};

/* A claim, or a bound datum, that is compared with a list or a set. */
struct policy_comparison {
    const struct attestd_check *check;
    const char *type;      /* evidence type; NULL: a datum */
    const char *claim;     /* path below the type, or the datum's name */
    const char *field;     /* its name in reference sets: "snp.measurement", "image" */
    bool reference;        /* counts as a comparison of software with reference values */
    const char *set_name;  /* NULL: a list */
    unsigned line, column; /* of the set's name, while compiling */
    struct attestd_reference_set *set;
    const struct attestd_reference_index *index;
    const char *const *values;
    size_t count;
};

struct policy_required {
    const char *kind;         /* "cpu" */
    const char *const *types; /* any of them */
    size_t type_count;
    int64_t at_least, at_most;
    const char *bound_to; /* NULL, a kind, or "none" */
};

struct policy_test {
    const char *name, *evidence, *expect;
    bool at_given;
    int64_t at;
    const char *const *codes;
    size_t code_count;
    unsigned line, column;
};

struct attestd_policy {
    atomic_size_t references;
    struct attestd_arena *arena;
    struct attestd_policy_view view;
    uint8_t digest[32];
    struct attestd_text canonical;
    const struct attestd_value *root; /* the typed document */
    const char *file;                 /* NULL when loaded from its canonical form */

    struct policy_mode *modes; /* sorted by check, one each */
    size_t mode_count;
    int32_t default_mode; /* -1: the descriptors' own */
    const char *default_line;
    struct policy_weight *weights;
    size_t weight_count;
    int32_t score_bound; /* -1: none */

    struct policy_comparison *comparisons;
    size_t comparison_count;
    const struct attestd_check **comparers; /* plugins' own checks that compare software with reference values */
    size_t comparer_count;

    struct policy_required *required;
    size_t required_count;
    bool requires_kinds; /* a `require` section is there */

    int64_t valid_from, valid_until;
    enum attestd_freshness_demand freshness;
    int64_t max_age; /* -1: any */
    bool key_required, audience_optional;
    const char **layouts; /* none: attestd-v1 alone */
    size_t layout_count;
    const char **audiences; /* NULL-terminated */
    size_t audience_count;
    unsigned issue_on; /* bit 0 affirming, bit 1 warning */
    int64_t ttl;
    const char *subject;

    struct policy_test *tests;
    size_t test_count;
    struct attestd_reference_set **sets; /* those the policy names, by name; each retained */
    size_t set_count;
};

/* What one compilation shares. */
struct policy_compilation {
    const struct attestd_engine *engine;
    struct attestd_settings *settings;
    struct attestd_reference_set **sets;
    size_t set_count;
};

/* One document with `policy`. file may be NULL. lines: the canonical form's line table, or NULL. NULL and a fault. */
struct attestd_policy *policy_compile_document(const struct policy_compilation *, const struct attestd_node *document, const char *file,
                                               const json_t *lines, struct attestd_policy_fault *fault);
/* Fills canonical and digest. */
void policy_make_canonical(struct attestd_policy *);
/* The view's functions (decide.c). */
int32_t policy_mode_of(const struct attestd_policy *, const struct attestd_check *check, int64_t time, const struct policy_mode **rule);
void policy_make_view(struct attestd_policy *);
/* Runs the embedded tests; false and a fault at the first that is red. */
bool policy_run_tests(struct attestd_engine *, struct attestd_anchor_set *, const struct attestd_policy *,
                      attestd_read_fixture *read_fixture, void *context, struct attestd_policy_fault *fault);

#endif
