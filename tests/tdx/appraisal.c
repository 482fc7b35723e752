/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/tdx/appraisal.h"

#include "core/digest.h"
#include "core/encoding.h"
#include "core/json.h"
#include "core/value.h"
#include "policy/trust_anchors.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

struct world world;

static void path_of(char path[4096], const char *folder, const char *file)
{
    const char *vectors = getenv("ATTESTD_VECTORS");
    snprintf(path, 4096, "%s/%s/%s", vectors ? vectors : ".", folder, file);
}

struct attestd_bytes vector(const char *folder, const char *file)
{
    char path[4096], error[256] = "";
    struct attestd_bytes bytes = {NULL, 0};
    path_of(path, folder, file);
    if (!attestd_file_read(world.arena, path, 1 << 20, &bytes, error, sizeof error))
        fail_msg("%s", error);
    return bytes;
}

static const struct attestd_node *manifest(const char *folder)
{
    char path[4096];
    const struct attestd_node *documents;
    struct attestd_policy_fault fault;
    size_t count;
    path_of(path, folder, "MANIFEST.yaml");
    if (access(path, R_OK) != 0) {
        fprintf(stderr, "\n*** NOT TESTED: the vectors are not at %s; set ATTESTD_VECTORS ***\n\n", path);
        return NULL;
    }
    struct attestd_bytes text = vector(folder, "MANIFEST.yaml");
    if (!attestd_document_read(world.arena, (const char *)text.data, text.len, 1 << 20, &documents, &count, &fault))
        fail_msg("MANIFEST.yaml:%u:%u: %s", fault.line, fault.column, fault.message);
    return attestd_node_find(&documents[0], "files");
}

static void load(const char *name)
{
    const char *build = getenv("ATTESTD_BUILD");
    char directory[4096], error[512] = "";
    snprintf(directory, sizeof directory, "%s/plugins", build ? build : ".");
    if (!attestd_engine_load(world.engine, directory, name, error, sizeof error))
        fail_msg("%s", error);
}

int world_begin(void **state)
{
    const char *source = getenv("ATTESTD_SOURCE");
    char folder[4096];
    struct attestd_policy_fault fault = {0};
    (void)state;
    world.arena = attestd_arena_new();
    world.engine = attestd_engine_new();
    load("tdx");
    load("sgx");
    world.pins = attestd_anchor_set_new();
    snprintf(folder, sizeof folder, "%s/trust-anchors", source ? source : ".");
    if (!attestd_trust_anchors_load(world.pins, folder, &fault))
        fail_msg("%s:%u: %s", fault.file, fault.line, fault.message);
    attestd_anchor_set_seal(world.pins);
    world.tdx = manifest("tdx");
    world.sgx = manifest("sgx");
    return 0;
}

int world_end(void **state)
{
    (void)state;
    attestd_anchor_set_free(world.pins);
    attestd_engine_free(world.engine);
    attestd_arena_free(world.arena);
    return 0;
}

const char *node_text(const struct attestd_node *node, const char *path)
{
    char name[64];
    while (node) {
        const char *dot = strchr(path, '.');
        size_t len = dot ? (size_t)(dot - path) : strlen(path);
        assert_true(len < sizeof name);
        memcpy(name, path, len);
        name[len] = '\0';
        node = node->kind == ATTESTD_NODE_MAP ? attestd_node_find(node, name) : NULL;
        if (!dot)
            break;
        path = dot + 1;
    }
    return node && node->kind == ATTESTD_NODE_TEXT ? node->text : NULL;
}

int64_t time_at(const char *text)
{
    int64_t time = 0;
    if (!text || !attestd_time_parse(text, &time))
        fail_msg("no time: %s", text ? text : "NULL");
    return time;
}

/* --- shelf --- */

void shelf_put_as(struct shelf *shelf, const char *kind, const char *key, struct attestd_bytes document)
{
    assert_true(shelf->count < sizeof shelf->items / sizeof shelf->items[0]);
    struct shelf_item *item = &shelf->items[shelf->count++];
    *item =
        (struct shelf_item){.kind = attestd_arena_text(world.arena, kind), .key = attestd_arena_text(world.arena, key), .bytes = document};
    attestd_sha256(document.data, document.len, item->sha256);
}

struct placing {
    struct shelf *shelf;
    struct attestd_bytes bytes;
};

static void place(void *context, const char *kind, const char *key)
{
    struct placing *placing = context;
    shelf_put_as(placing->shelf, kind, key, placing->bytes);
}

void shelf_put(struct shelf *shelf, struct attestd_bytes document)
{
    struct placing placing = {shelf, document};
    size_t before = shelf->count;
    attestd_engine_identify(world.engine, document.data, document.len, place, &placing);
    assert_true(shelf->count > before);
}

static void answer(const struct shelf *shelf, struct attestd_job *job)
{
    const struct attestd_need *needs;
    size_t count = attestd_job_needs(job, &needs);
    for (size_t i = 0; i < count; i++) {
        struct attestd_need need = needs[i];
        bool found = false;
        for (size_t k = 0; shelf && k < shelf->count && !need.after_reject; k++) {
            const struct shelf_item *item = &shelf->items[k];
            if (strcmp(item->kind, need.kind) != 0 || strcmp(item->key, need.key) != 0)
                continue;
            struct attestd_supply supply = {.bytes = item->bytes, .source = "directory", .sha256 = item->sha256};
            attestd_job_supply(job, need.kind, need.key, &supply);
            found = true;
        }
        if (!found)
            attestd_job_absent(job, need.kind, need.key, "not on the shelf");
    }
}

/* --- a policy of the settings alone --- */

struct test_policy {
    const char *type, *disabled;
    const struct attestd_value *section;
};

static const struct attestd_value *test_setting(const void *policy, const char *type, const char *path)
{
    const struct test_policy *test = policy;
    return strcmp(type, test->type) == 0 && test->section ? attestd_value_find(test->section, path) : NULL;
}

static int32_t test_mode(const void *policy, const struct attestd_check *check, int64_t time, const char **line)
{
    const struct test_policy *test = policy;
    (void)time;
    if (line)
        *line = NULL;
    return test->disabled && strcmp(test->disabled, check->id) == 0 ? ATTESTD_DISABLED : check->default_mode;
}

static void test_decide(const void *policy, struct attestd_job *job, const struct attestd_request *request, struct attestd_result *result,
                        int64_t time)
{
    (void)policy, (void)job, (void)request, (void)time;
    result->verdict = ATTESTD_AFFIRMING;
}

/* YAML to settings by the plugin's own schema, as the policy compiler does. */
static const struct attestd_value *typed(const char *type, const char *yaml)
{
    const struct attestd_node *documents;
    struct attestd_policy_fault fault = {0};
    size_t count;
    char error[256];
    const char *text = attestd_engine_plugin(world.engine, type)->policy_schema;
    json_t *schema = attestd_json_read(text, strlen(text), 32, error, sizeof error);
    if (!schema)
        fail_msg("%s", error);
    if (!attestd_document_read(world.arena, yaml, strlen(yaml), 65536, &documents, &count, &fault) || count != 1)
        fail_msg("%s: %s", yaml, fault.message);
    const struct attestd_value *value = attestd_node_typed(world.arena, &documents[0], schema, &fault);
    json_decref(schema);
    if (!value)
        fail_msg("%s: %s", yaml, fault.message);
    return value;
}

/* --- the run --- */

static struct attestd_request *request_of(const struct appraisal *a)
{
    struct attestd_piece_request *piece = attestd_arena_alloc(world.arena, sizeof *piece);
    struct attestd_request *request = attestd_arena_alloc(world.arena, sizeof *request);
    struct attestd_part *parts = attestd_arena_array(world.arena, 5, sizeof *parts);
    memcpy(parts, a->parts, sizeof a->parts);
    *piece = (struct attestd_piece_request){"cpu0", a->type, parts, a->part_count};
    *request = (struct attestd_request){.nonce_age = -1, .layout = "attestd-v1", .no_binding = true, .pieces = piece, .piece_count = 1};
    return request;
}

void appraisal_run(struct appraisal *a)
{
    static const uint8_t digest[32];
    struct test_policy *policy = attestd_arena_alloc(world.arena, sizeof *policy);
    struct attestd_policy_view *view = attestd_arena_alloc(world.arena, sizeof *view);
    unsigned runs = 0;
    *policy = (struct test_policy){a->type, a->disabled, a->settings ? typed(a->type, a->settings) : NULL};
    *view = (struct attestd_policy_view){policy, "test", 1, digest, test_setting, test_mode, test_decide};
    a->job = attestd_job_new(world.engine, request_of(a), a->view ? a->view : view, a->anchors ? a->anchors : world.pins, NULL);
    do {
        a->answer = attestd_job_run(a->job, a->time);
        if (a->answer == ATTESTD_PENDING)
            answer(a->shelf, a->job);
    } while (a->answer == ATTESTD_PENDING && runs++ < 20);
    assert_int_not_equal(a->answer, ATTESTD_PENDING);
    a->result = attestd_job_result(a->job);
    a->piece = &a->result->pieces[0];
    for (size_t i = 0; i < a->piece->checks.count; i++) {
        const struct attestd_check_result *check = &a->piece->checks.items[i];
        if (strncmp(check->check->id, "plugin.", 7) == 0)
            fail_msg("%s %s: %s", check->check->id, check->code, check->observed);
    }
}

void appraisal_end(struct appraisal *a)
{
    attestd_job_free(a->job);
    a->job = NULL;
}

const struct attestd_check_result *check_of(const struct appraisal *a, const char *id)
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
    const struct attestd_check_result *check = check_of(a, id);
    bool same = check && (int)check->outcome == outcome && (code ? check->code && strcmp(check->code, code) == 0 : !check->code);
    if (same)
        return;
    print_checks(a);
    fail_msg("%s: %s %s, not %s %s", id, check ? attestd_outcome_name(check->outcome) : "not recorded",
             check && check->code ? check->code : "-", attestd_outcome_name(outcome), code ? code : "-");
}

const char *first_code(const struct appraisal *a)
{
    if (a->answer == ATTESTD_MALFORMED)
        return a->piece->malformed_code;
    for (size_t i = 0; i < a->piece->checks.count; i++) {
        const struct attestd_check_result *check = &a->piece->checks.items[i];
        if (check->outcome == ATTESTD_FAIL || check->outcome == ATTESTD_UNAVAILABLE)
            return check->code;
    }
    return "";
}

const struct attestd_value *claim_of(const struct appraisal *a, const char *path)
{
    char whole[128];
    snprintf(whole, sizeof whole, "%s.%s", a->type, path);
    return a->piece->claims ? attestd_value_find(a->piece->claims, whole) : NULL;
}

void assert_claim_text(const struct appraisal *a, const char *path, const char *text)
{
    const struct attestd_value *value = claim_of(a, path);
    if (!value) {
        print_checks(a);
        fail_msg("no claim %s", path);
    }
    assert_string_equal((const char *)value->text.data, text);
}
