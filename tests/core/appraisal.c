/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/core/appraisal.h"

#include "core/encoding.h"
#include "tests/core/script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t policy_digest[32] = {0xd1};

static const struct attestd_value *setting(const void *context, const char *type, const char *path)
{
    static struct attestd_value value;
    const struct test_policy *policy = context;
    const char *text = strcmp(path, "by") == 0 ? policy->binding_by : strcmp(path, "audience") == 0 ? policy->binding_audience : NULL;

    if (strcmp(type, "binding") != 0 || text == NULL)
        return NULL;
    value = (struct attestd_value){.kind = ATTESTD_VALUE_TEXT, .text = {(const uint8_t *)text, strlen(text)}};
    return &value;
}

static int32_t mode(const void *context, const struct attestd_check *check, int64_t time, const char **line)
{
    const struct test_policy *policy = context;

    (void)time;
    assert_false(check->fixed);
    for (size_t i = 0; i < 4; i++)
        if (policy->modes[i].id != NULL && strcmp(policy->modes[i].id, check->id) == 0) {
            if (line != NULL)
                *line = "test.yaml:3";
            return policy->modes[i].mode;
        }
    return check->default_mode;
}

static void decide(const void *context, struct attestd_job *job, const struct attestd_request *request, struct attestd_result *result,
                   int64_t time)
{
    const struct test_policy *policy = context;

    (void)request;
    (void)time;
    if (policy->decide != NULL)
        policy->decide(job, result);
}

struct appraisal *appraisal_new(void)
{
    struct appraisal *t = calloc(1, sizeof *t);
    char error[256];

    t->arena = attestd_arena_new();
    t->engine = attestd_engine_new();
    assert_true(attestd_engine_add(t->engine, &script_plugin, error, sizeof error));
    assert_true(attestd_engine_add(t->engine, &gadget_plugin, error, sizeof error));
    t->anchors = attestd_anchor_set_new();
    t->request.layout = "attestd-v1";
    t->request.token = "ear";
    t->request.nonce_age = -1;
    t->request.pieces = t->pieces;
    script_runs = 0;
    return t;
}

void appraisal_free(struct appraisal *t)
{
    attestd_job_free(t->job);
    attestd_anchor_set_free(t->anchors);
    attestd_engine_free(t->engine);
    attestd_arena_free(t->arena);
    free(t);
}

void appraisal_add(struct appraisal *t, const char *label, const char *type, const char *script)
{
    struct attestd_piece_request *piece = &t->pieces[t->request.piece_count++];
    struct attestd_part *parts = attestd_arena_array(t->arena, ATTESTD_MAX_PARTS, sizeof *parts);

    parts[0].name = "script";
    parts[0].bytes = attestd_arena_bytes(t->arena, script, strlen(script));
    *piece = (struct attestd_piece_request){label, type, parts, 1};
}

void appraisal_add_part(struct appraisal *t, const char *name, const void *bytes, size_t len)
{
    struct attestd_piece_request *piece = &t->pieces[t->request.piece_count - 1];
    struct attestd_part *parts = (struct attestd_part *)(uintptr_t)piece->parts;

    parts[piece->part_count++] = (struct attestd_part){name, attestd_arena_bytes(t->arena, bytes, len)};
}

void appraisal_nonce(struct appraisal *t, const char *nonce)
{
    t->request.nonce = attestd_arena_bytes(t->arena, nonce, strlen(nonce));
    t->request.freshness = ATTESTD_FRESH_EXTERNAL;
}

int appraisal_run(struct appraisal *t, int64_t time)
{
    if (t->job == NULL) {
        attestd_anchor_set_seal(t->anchors);
        t->view = (struct attestd_policy_view){&t->policy, "test", 3, policy_digest, setting, mode, t->policy.undecided ? NULL : decide};
        t->job = attestd_job_new(t->engine, &t->request, &t->view, t->anchors, NULL);
    }
    int answer = attestd_job_run(t->job, time);
    t->result = attestd_job_result(t->job);
    return answer;
}

void bind_line(const struct attestd_request *request, const struct attestd_device_digest *devices, size_t count, char *out, size_t size)
{
    uint8_t field[64];
    char hex[129];
    size_t used = strlen(out);

    assert_true(attestd_binding_expected(request, devices, count, field, NULL));
    attestd_hex_encode(field, sizeof field, hex);
    assert_true((size_t)snprintf(out + used, size - used, "bind 0 %s\n", hex) < size - used);
}

const struct attestd_check_result *check_in(const struct attestd_check_list *list, const char *id)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i].check->id, id) == 0)
            return &list->items[i];
    return NULL;
}

void assert_check(const struct attestd_check_list *list, const char *id, int outcome, const char *code)
{
    const struct attestd_check_result *item = check_in(list, id);

    if (item == NULL)
        fail_msg("%s is not recorded", id);
    if (item->outcome != outcome || (code == NULL) != (item->code == NULL) || (code != NULL && strcmp(code, item->code) != 0))
        fail_msg("%s is %s %s (%s, not %s)", id, attestd_outcome_name(item->outcome), item->code != NULL ? item->code : "",
                 item->observed != NULL ? item->observed : "", item->expected != NULL ? item->expected : "");
    if (code != NULL)
        assert_non_null(item->remedy);
}

void assert_no_check(const struct attestd_check_list *list, const char *id)
{
    assert_null(check_in(list, id));
}
