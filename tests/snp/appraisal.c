/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/snp/appraisal.h"

#include "core/certificate.h"
#include "core/value.h"
#include "policy/document.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

/* --- shelf --- */

struct placing {
    struct shelf *shelf;
    struct attestd_bytes der;
};

static void place(void *context, const char *kind, const char *key)
{
    struct placing *placing = context;
    struct shelf *shelf = placing->shelf;
    assert_true(shelf->count < sizeof shelf->items / sizeof shelf->items[0]);
    shelf->items[shelf->count++] =
        (struct shelf_item){attestd_arena_text(shelf->arena, kind), attestd_arena_text(shelf->arena, key), placing->der};
}

static void put_der(void *context, const uint8_t *der, size_t len)
{
    struct shelf *shelf = context;
    struct placing placing = {shelf, attestd_arena_bytes(shelf->arena, der, len)};
    attestd_engine_identify(shelf->engine, placing.der.data, placing.der.len, place, &placing);
}

void shelf_put(struct shelf *shelf, const void *bytes, size_t len)
{
    assert_true(attestd_pem_or_der_split(bytes, len, put_der, shelf) > 0);
}

static bool answer_one(const struct shelf *shelf, struct attestd_job *job, const struct attestd_need *need)
{
    bool found = false;
    for (size_t i = 0; i < shelf->count && !need->after_reject; i++) {
        const struct shelf_item *item = &shelf->items[i];
        if (strcmp(item->kind, need->kind) != 0 || strcmp(item->key, need->key) != 0)
            continue;
        struct attestd_supply supply = {.bytes = item->der, .source = "directory"};
        attestd_job_supply(job, need->kind, need->key, &supply);
        found = true;
    }
    return found;
}

static void answer(struct shelf *shelf, struct attestd_job *job)
{
    const struct attestd_need *needs;
    size_t count = attestd_job_needs(job, &needs);
    for (size_t i = 0; i < count; i++) {
        struct attestd_need need = needs[i];
        shelf->asked++;
        if (!answer_one(shelf, job, &need))
            attestd_job_absent(job, need.kind, need.key, "not on the shelf");
    }
}

/* --- a policy of the settings alone --- */

struct test_policy {
    const struct attestd_value *section;
    const char *warn, *disabled;
};

static const struct attestd_value *test_setting(const void *policy, const char *type, const char *path)
{
    const struct test_policy *test = policy;
    return strcmp(type, "snp") == 0 && test->section ? attestd_value_find(test->section, path) : NULL;
}

static int32_t test_mode(const void *policy, const struct attestd_check *check, int64_t time, const char **line)
{
    const struct test_policy *test = policy;
    (void)time;
    if (line)
        *line = NULL;
    if (test->warn && strcmp(test->warn, check->id) == 0)
        return ATTESTD_WARN;
    if (test->disabled && strcmp(test->disabled, check->id) == 0)
        return ATTESTD_DISABLED;
    return check->default_mode;
}

static void test_decide(const void *policy, struct attestd_job *job, const struct attestd_request *request, struct attestd_result *result,
                        int64_t time)
{
    (void)policy, (void)job, (void)request, (void)time;
    result->verdict = ATTESTD_AFFIRMING;
}

/* YAML to settings by the plugin's own schema, as the policy compiler does. */
static const struct attestd_value *typed(struct attestd_arena *arena, const struct attestd_engine *engine, const char *yaml)
{
    const struct attestd_node *documents;
    struct attestd_policy_fault fault = {0};
    size_t count;
    char error[256];
    const char *text = attestd_engine_plugin(engine, "snp")->policy_schema;
    json_t *schema = attestd_json_read(text, strlen(text), 32, error, sizeof error);
    assert_non_null(schema);
    if (!attestd_document_read(arena, yaml, strlen(yaml), 65536, &documents, &count, &fault) || count != 1)
        fail_msg("%s: %s", yaml, fault.message);
    const struct attestd_value *value = attestd_node_typed(arena, &documents[0], schema, &fault);
    json_decref(schema);
    if (!value)
        fail_msg("%s: %s", yaml, fault.message);
    return value;
}

/* --- the run --- */

struct attestd_engine *appraisal_engine(void)
{
    struct attestd_engine *engine = attestd_engine_new();
    const char *build = getenv("ATTESTD_BUILD");
    char directory[4096], error[512] = "";
    snprintf(directory, sizeof directory, "%s/plugins", build ? build : ".");
    if (!attestd_engine_load(engine, directory, "snp", error, sizeof error))
        fail_msg("%s", error);
    return engine;
}

static struct attestd_request *request_of(struct appraisal *a)
{
    struct attestd_part *parts = attestd_arena_array(a->arena, 2, sizeof *parts);
    struct attestd_piece_request *piece = attestd_arena_alloc(a->arena, sizeof *piece);
    struct attestd_request *request = attestd_arena_alloc(a->arena, sizeof *request);
    parts[0] = (struct attestd_part){"report", a->report};
    parts[1] = (struct attestd_part){"certs", a->certs};
    *piece = (struct attestd_piece_request){"cpu0", "snp", parts, a->certs.len ? 2 : 1};
    *request = (struct attestd_request){.nonce_age = -1, .layout = "attestd-v1", .no_binding = true, .pieces = piece, .piece_count = 1};
    return request;
}

static const struct attestd_policy_view *view_of(struct appraisal *a)
{
    static const uint8_t digest[32];
    if (a->view)
        return a->view;
    struct test_policy *policy = attestd_arena_alloc(a->arena, sizeof *policy);
    struct attestd_policy_view *view = attestd_arena_alloc(a->arena, sizeof *view);
    policy->section = a->settings ? typed(a->arena, a->engine, a->settings) : NULL;
    policy->warn = a->warn;
    policy->disabled = a->disabled;
    *view = (struct attestd_policy_view){policy, "test", 1, digest, test_setting, test_mode, test_decide};
    return view;
}

void appraisal_run(struct appraisal *a)
{
    a->job = attestd_job_new(a->engine, request_of(a), view_of(a), a->anchors, NULL);
    a->runs = 0;
    do {
        a->answer = attestd_job_run(a->job, a->time);
        a->runs++;
        if (a->answer == ATTESTD_PENDING)
            answer(a->shelf, a->job);
    } while (a->answer == ATTESTD_PENDING && a->runs < 20);
    assert_int_not_equal(a->answer, ATTESTD_PENDING);
    a->result = attestd_job_result(a->job);
    a->piece = &a->result->pieces[0];
    for (size_t i = 0; i < a->piece->checks.count; i++) {
        const struct attestd_check_result *check = &a->piece->checks.items[i];
        if (strncmp(check->check->id, "plugin.", 7) == 0)
            fail_msg("%s %s: %s", check->check->id, check->code, check->observed);
    }
    seen_note(a);
}

void appraisal_end(struct appraisal *a)
{
    attestd_job_free(a->job);
    a->job = NULL;
}

const struct attestd_check_result *appraisal_check(const struct appraisal *a, const char *id)
{
    for (size_t i = 0; i < a->piece->checks.count; i++) {
        if (strcmp(a->piece->checks.items[i].check->id, id) == 0)
            return &a->piece->checks.items[i];
    }
    return NULL;
}

static void print_checks(const struct appraisal *a)
{
    if (a->answer == ATTESTD_MALFORMED)
        print_error("malformed: %s in %s at %zu: %s\n", a->piece->malformed_code, a->piece->malformed_part, a->piece->malformed_offset,
                    a->piece->malformed_detail);
    for (size_t i = 0; i < a->piece->checks.count; i++) {
        const struct attestd_check_result *check = &a->piece->checks.items[i];
        if (check->outcome != ATTESTD_PASS)
            print_error("%s %s %s observed: %s expected: %s\n", check->check->id, attestd_outcome_name(check->outcome),
                        check->code ? check->code : "-", check->observed ? check->observed : "-", check->expected ? check->expected : "-");
    }
}

void assert_recorded(const struct appraisal *a, const char *id, int outcome, const char *code)
{
    const struct attestd_check_result *check = appraisal_check(a, id);
    bool same = check && check->outcome == outcome && (code ? check->code && strcmp(check->code, code) == 0 : !check->code);
    if (same)
        return;
    print_checks(a);
    fail_msg("%s: %s %s, not %s %s", id, check ? attestd_outcome_name(check->outcome) : "not recorded",
             check && check->code ? check->code : "-", attestd_outcome_name(outcome), code ? code : "-");
}

void expect_all_pass(const struct appraisal *a)
{
    assert_int_equal(a->answer, ATTESTD_DONE);
    assert_true(a->piece->checks.count > 15);
    for (size_t i = 0; i < a->piece->checks.count; i++) {
        if (a->piece->checks.items[i].outcome == ATTESTD_PASS)
            continue;
        print_checks(a);
        fail_msg("%s did not pass", a->piece->checks.items[i].check->id);
    }
    assert_true(a->piece->authentic);
}

void expect_authentic(const struct appraisal *a)
{
    if (!a->piece->authentic)
        print_checks(a);
    assert_int_equal(a->answer, ATTESTD_DONE);
    assert_true(a->piece->authentic);
}

const char *appraisal_json(struct appraisal *a)
{
    struct attestd_text text = {0};
    struct attestd_json_writer writer = attestd_json_writer_to(&text);
    attestd_json_open_map(&writer, NULL);
    attestd_result_members(&writer, a->result);
    attestd_json_close_map(&writer);
    const char *kept = attestd_arena_text(a->arena, text.data);
    attestd_text_free(&text);
    return kept;
}

const struct attestd_value *appraisal_claim(const struct appraisal *a, const char *path)
{
    char whole[128];
    snprintf(whole, sizeof whole, "snp.%s", path);
    return a->piece->claims ? attestd_value_find(a->piece->claims, whole) : NULL;
}

/* --- codes seen --- */

static const char *codes[256];
static size_t code_count;

static void note(const char *code)
{
    if (!code || seen(code))
        return;
    assert_true(code_count < sizeof codes / sizeof codes[0]);
    codes[code_count++] = code;
}

void seen_note(const struct appraisal *a)
{
    for (size_t i = 0; i < a->piece->checks.count; i++) {
        const struct attestd_check_result *check = &a->piece->checks.items[i];
        if (check->outcome == ATTESTD_FAIL || check->outcome == ATTESTD_UNAVAILABLE)
            note(check->code);
    }
    if (a->answer == ATTESTD_MALFORMED)
        note(a->piece->malformed_code);
}

bool seen(const char *code)
{
    for (size_t i = 0; i < code_count; i++) {
        if (strcmp(codes[i], code) == 0)
            return true;
    }
    return false;
}
