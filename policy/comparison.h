/* SPDX-License-Identifier: Apache-2.0 */
/* One decision as it is made, and its comparisons with lists and reference sets. */
#ifndef ATTESTD_POLICY_COMPARISON_H
#define ATTESTD_POLICY_COMPARISON_H

#include "policy/compiled.h"

struct finding; /* one comparison under way */
struct findings {
    struct finding *items;
    size_t count;
};

struct decision {
    const struct attestd_policy *policy;
    struct attestd_job *job;
    const struct attestd_request *request;
    struct attestd_result *result;
    struct attestd_arena *arena;
    int64_t time;
    struct attestd_piece *binder; /* or NULL */
    struct findings binder_findings;
};

/* What the result rests on ends at this moment. */
void decision_ends(struct decision *, int64_t moment);

/* Compares the claims of one piece, and for the binder the bound data that share a set with them; records the checks of the claims. True
 * when a claim that identifies software was compared, in a check that is not disabled. */
bool policy_compare_piece(struct decision *, struct attestd_piece *piece);
/* Records binding.data, after all pieces. */
void policy_compare_data(struct decision *);

#endif
