/* SPDX-License-Identifier: Apache-2.0 */
/* A plugin for the tests of policies: evidence is lines of name=value, so that a test can say anything it likes and be verified by the real
 * appraise(). */
#ifndef ATTESTD_TESTS_POLICY_TOY_H
#define ATTESTD_TESTS_POLICY_TOY_H

#include "policy/policy.h"

/* Types "toy" (class CPU) and "tdev" (class DEVICE). */
struct attestd_engine *toy_engine(void);
struct attestd_anchor_set *toy_anchors(void);

struct toy_piece {
    const char *label, *type, *lines;
};

/* One appraisal to be made. Zero members mean: raw layout, an external nonce of 32 bytes that the first CPU piece binds, time 1800000000.
 */
struct toy_case {
    struct toy_piece pieces[8];
    const char *layout, *audience;
    const struct attestd_jwk *key;
    struct attestd_datum data[4];
    size_t data_count;
    enum attestd_freshness freshness; /* 0: external; none with no_nonce */
    bool no_nonce, no_binding;
    int64_t nonce_age; /* 0: unknown */
    int64_t time;
};
#define TOY_TIME 1800000000

/* The policies of one text; fails the test with the faults when it does not compile. */
struct attestd_policy_set *toy_compile(struct attestd_engine *engine, const char *text);
/* The first fault of a text that must not compile. */
struct attestd_policy_fault toy_fault(struct attestd_engine *engine, const char *text);

struct toy_run {
    struct attestd_arena *arena;
    struct attestd_job *job;
    const struct attestd_result *result;
    struct attestd_policy *policy; /* freed with the run; NULL: the caller's */
};
struct toy_run toy_appraise(struct attestd_engine *engine, const struct attestd_policy *policy, const struct toy_case *c);
void toy_free(struct toy_run *run);
/* The check of a piece, or across pieces (label NULL); NULL when it was not recorded. */
const struct attestd_check_result *toy_check(const struct toy_run *run, const char *label, const char *id);
const struct attestd_piece *toy_piece(const struct toy_run *run, const char *label);

#endif
