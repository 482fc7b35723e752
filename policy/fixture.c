/* SPDX-License-Identifier: Apache-2.0 */
/* The tests inside a policy: evidence, a time and what is expected of it. They run before the policy is activated, without a network: a
 * bundle brings its endorsements, a request has what it encloses. */
#include "core/bundle.h"
#include "policy/compiled.h"

#include <stdio.h>
#include <string.h>

/* Directory of the policy's file, then the name; names that leave it are refused. */
static const char *fixture_path(struct attestd_arena *arena, const char *file, const char *name)
{
    const char *slash = file == NULL ? NULL : strrchr(file, '/');
    if (name[0] == '/' || strcmp(name, "..") == 0 || strncmp(name, "../", 3) == 0 || strstr(name, "/../") != NULL)
        return NULL;
    if (slash == NULL)
        return name;
    return attestd_arena_format(arena, "%.*s/%s", (int)(slash - file), file, name);
}

static void run_offline(struct attestd_job *job, int64_t time)
{
    while (attestd_job_run(job, time) == ATTESTD_PENDING) {
        const struct attestd_need *needs;
        size_t count = attestd_job_needs(job, &needs);
        struct attestd_arena *scratch = attestd_arena_new();
        struct attestd_need *open = attestd_arena_array(scratch, count, sizeof *open);
        for (size_t i = 0; i < count; i++) { /* absent() ends the list's life */
            open[i].kind = attestd_arena_text(scratch, needs[i].kind);
            open[i].key = attestd_arena_text(scratch, needs[i].key);
        }
        for (size_t i = 0; i < count; i++)
            attestd_job_absent(job, open[i].kind, open[i].key, "a policy test has no network");
        attestd_arena_free(scratch);
    }
}

static const char *verdict_words(const struct attestd_result *result, bool malformed)
{
    if (malformed)
        return "malformed";
    return result->unavailable ? "unavailable" : attestd_verdict_name(result->verdict);
}

static bool list_has_code(const struct attestd_check_list *list, const char *code)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].code != NULL && strcmp(list->items[i].code, code) == 0)
            return true;
    }
    return false;
}

static bool has_code(const struct attestd_result *result, const char *code)
{
    if (list_has_code(&result->checks, code))
        return true;
    for (size_t i = 0; i < result->piece_count; i++) {
        const struct attestd_piece *piece = &result->pieces[i];
        if (list_has_code(&piece->checks, code) || (piece->malformed_code != NULL && strcmp(piece->malformed_code, code) == 0))
            return true;
    }
    return false;
}

static void add_failures(struct attestd_text *out, const struct attestd_check_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].code != NULL && list->items[i].mode != ATTESTD_DISABLED)
            attestd_text_printf(out, "%s%s", out->len > 0 ? ", " : "", list->items[i].code);
    }
}

static bool judge_test(const struct policy_test *test, const struct attestd_result *result, bool malformed,
                       struct attestd_policy_fault *fault)
{
    const char *verdict = verdict_words(result, malformed);
    struct attestd_text failures = {0};
    if (strcmp(verdict, test->expect) != 0) {
        add_failures(&failures, &result->checks);
        for (size_t i = 0; i < result->piece_count; i++)
            add_failures(&failures, &result->pieces[i].checks);
        attestd_policy_fault_set(fault, test->line, test->column, "POLICY_TEST_FAILED", "test `%s`: expected %s, got %s (%s)", test->name,
                                 test->expect, verdict, failures.len > 0 ? failures.data : "nothing failed");
        attestd_text_free(&failures);
        return false;
    }
    for (size_t i = 0; i < test->code_count; i++) {
        if (!has_code(result, test->codes[i]))
            return attestd_policy_fault_set(fault, test->line, test->column, "POLICY_TEST_FAILED", "test `%s`: no check failed with %s",
                                            test->name, test->codes[i]);
    }
    return true;
}

struct test_run {
    struct attestd_engine *engine;
    struct attestd_anchor_set *anchors;
    const struct attestd_policy *policy;
    const struct policy_test *test;
    struct attestd_arena *arena;
    struct attestd_policy_fault *fault;
};

static bool finish(struct test_run *run, struct attestd_job *job)
{
    const struct attestd_result *result = attestd_job_result(job);
    bool malformed = false, ok;
    for (size_t i = 0; i < result->piece_count; i++)
        malformed |= result->pieces[i].malformed_code != NULL;
    ok = judge_test(run->test, result, malformed, run->fault);
    attestd_job_free(job);
    return ok;
}

static bool bad_fixture(struct test_run *run, const char *why)
{
    return attestd_policy_fault_set(run->fault, run->test->line, run->test->column, "POLICY_TEST_FIXTURE", "test `%s`: %s: %s",
                                    run->test->name, run->test->evidence, why);
}

static bool test_bundle(struct test_run *run, const char *text, size_t len)
{
    struct attestd_bundle bundle;
    char error[256];
    int64_t time;
    if (!attestd_bundle_read(run->arena, run->engine, text, len, &bundle, error, sizeof error))
        return bad_fixture(run, error);
    time = run->test->at_given ? run->test->at : bundle.time;
    return finish(run, attestd_bundle_run(run->engine, &bundle, &run->policy->view, time));
}

static bool test_request(struct test_run *run, const uint8_t *bytes, size_t len)
{
    struct attestd_request request;
    struct attestd_request_fault refused = {0};
    const char *text = (const char *)bytes;
    bool json = len > 0 && (text[0] == '{' || text[0] == ' ' || text[0] == '\n');
    bool read = json ? attestd_request_read_json(run->arena, run->engine, text, len, &request, &refused)
                     : attestd_request_read_raw(run->arena, run->engine, NULL, bytes, len, &request, &refused);
    struct attestd_job *job;
    if (!read)
        return bad_fixture(run, refused.detail[0] != '\0' ? refused.detail : refused.code);
    if (!run->test->at_given)
        return bad_fixture(run, "evidence that is no bundle needs `at`, the time of verification");
    if (request.nonce.len == 0)
        request.no_binding = true; /* a challenge cannot be opened here: freshness and binding are skipped */
    job = attestd_job_new(run->engine, &request, &run->policy->view, run->anchors, NULL);
    run_offline(job, run->test->at);
    return finish(run, job);
}

static bool run_test(struct test_run *run, attestd_read_fixture *read_fixture, void *context)
{
    const char *path = fixture_path(run->arena, run->policy->file, run->test->evidence);
    struct attestd_bytes bytes;
    if (path == NULL)
        return bad_fixture(run, "the name must be relative to the policy's file and stay below it");
    if (read_fixture == NULL || !read_fixture(context, path, run->arena, &bytes))
        return bad_fixture(run, "the file cannot be read");
    if (attestd_bundle_is((const char *)bytes.data, bytes.len))
        return test_bundle(run, (const char *)bytes.data, bytes.len);
    return test_request(run, bytes.data, bytes.len);
}

bool policy_run_tests(struct attestd_engine *engine, struct attestd_anchor_set *anchors, const struct attestd_policy *policy,
                      attestd_read_fixture *read_fixture, void *context, struct attestd_policy_fault *fault)
{
    for (size_t i = 0; i < policy->test_count; i++) {
        struct test_run run = {.engine = engine,
                               .anchors = anchors,
                               .policy = policy,
                               .test = &policy->tests[i],
                               .arena = attestd_arena_new(),
                               .fault = fault};
        bool ok = run_test(&run, read_fixture, context);
        attestd_arena_free(run.arena);
        if (!ok)
            return false;
    }
    return true;
}
