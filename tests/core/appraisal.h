/* SPDX-License-Identifier: Apache-2.0 */
/* One appraisal of scripted evidence under a policy made in the test. */
#ifndef TESTS_CORE_APPRAISAL_H
#define TESTS_CORE_APPRAISAL_H

#include "core/appraise.h"
#include "core/binding.h"
#include "tests/core/cmocka_includes.h"

#define TEST_TIME 1000

/* A policy: modes of some checks, settings of the section "binding", and what decide() does. */
struct test_policy {
    struct {
        const char *id;
        int32_t mode;
    } modes[4];
    const char *binding_by, *binding_audience;
    void (*decide)(struct attestd_job *job, struct attestd_result *result);
    bool undecided; /* no decide() at all */
};

struct appraisal {
    struct attestd_arena *arena;
    struct attestd_engine *engine;
    struct attestd_anchor_set *anchors;
    struct test_policy policy;
    struct attestd_policy_view view;
    struct attestd_request request;
    struct attestd_piece_request pieces[8];
    struct attestd_job *job;
    const struct attestd_result *result;
};

struct appraisal *appraisal_new(void);
void appraisal_free(struct appraisal *);
/* Add a piece; more than one: in order of labels. */
void appraisal_add(struct appraisal *, const char *label, const char *type, const char *script);
void appraisal_add_part(struct appraisal *, const char *name, const void *bytes, size_t len);
void appraisal_nonce(struct appraisal *, const char *nonce);
/* Makes the job (once) and runs it; sets result. */
int appraisal_run(struct appraisal *, int64_t time);

/* "bind 0 <hex of D>\n" for the request, with these devices' digests; appended to text. */
void bind_line(const struct attestd_request *, const struct attestd_device_digest *, size_t count, char *out, size_t size);

const struct attestd_check_result *check_in(const struct attestd_check_list *, const char *id);
void assert_check(const struct attestd_check_list *, const char *id, int outcome, const char *code);
void assert_no_check(const struct attestd_check_list *, const char *id);

#endif
