/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /v1/policies: what is in force, and what is wrong with the directory.
 * GET /v1/policies/{name}: one policy, with the ETag that PUT wants in If-Match.
 * PUT /v1/policies/{name}: YAML into <directory>/<name>.yaml, when all of the directory compiles with it and its tests pass.
 * POST /v1/policies/{name}/test: the same without writing.
 * Compiling may take longer than an event loop can wait: it has a thread of its own, one change at a time.
 */
#include "core/digest.h"
#include "core/encoding.h"
#include "server/log.h"
#include "server/policy_edit.h"
#include "server/replies.h"
#include "server/routes.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define TAG_SIZE 67 /* two quotes, 64 digits, NUL */

static void tag_of(const uint8_t digest[32], char tag[TAG_SIZE])
{
    tag[0] = '"';
    attestd_hex_encode(digest, 32, tag + 1);
    strcat(tag, "\"");
}

static void write_identity(struct attestd_json_writer *w, const struct attestd_policy *policy)
{
    const char *const *audiences;
    size_t count = attestd_policy_audiences(policy, &audiences);
    attestd_json_text(w, "name", attestd_policy_name(policy));
    attestd_json_number(w, "version", attestd_policy_version(policy));
    attestd_json_hex(w, "sha256", attestd_policy_digest(policy), 32);
    attestd_json_open_list(w, "audiences");
    for (size_t i = 0; i < count; i++)
        attestd_json_text(w, NULL, audiences[i]);
    attestd_json_close_list(w);
}

static void write_faults(struct attestd_json_writer *w, const struct attestd_policy_fault *faults, size_t count)
{
    attestd_json_open_list(w, "faults");
    for (size_t i = 0; i < count; i++) {
        attestd_json_open_map(w, NULL);
        attestd_json_text(w, "file", faults[i].file);
        attestd_json_number(w, "line", faults[i].line);
        attestd_json_number(w, "column", faults[i].column);
        attestd_json_text(w, "code", faults[i].code);
        attestd_json_text(w, "message", faults[i].message);
        attestd_json_close_map(w);
    }
    attestd_json_close_list(w);
}

static void get_policies(struct service *s, struct exchange *e)
{
    struct attestd_policy_fault faults[POLICIES_FAULTS];
    struct policy_snapshot *snapshot = policies_take(s->policies);
    struct attestd_json_writer w = attestd_json_writer_to(&e->answer);
    attestd_json_open_map(&w, NULL);
    attestd_json_open_list(&w, "policies");
    for (size_t i = 0; i < policy_snapshot_count(snapshot); i++) {
        attestd_json_open_map(&w, NULL);
        write_identity(&w, policy_snapshot_at(snapshot, i));
        attestd_json_close_map(&w);
    }
    attestd_json_close_list(&w);
    write_faults(&w, faults, policies_faults(s->policies, faults));
    attestd_json_flag(&w, "recovered", policies_recovered(s->policies));
    attestd_json_close_map(&w);
    policy_snapshot_release(snapshot);
    reply_json(s, e);
}

/* The tag of what stands under a name now: the file's digest, else the policy's; "" when there is neither. */
static void current_tag(struct service *s, const struct attestd_policy *policy, const char *name, char tag[TAG_SIZE])
{
    struct attestd_arena *arena = attestd_arena_new();
    struct attestd_bytes text;
    uint8_t digest[32];
    tag[0] = '\0';
    if (policy_edit_read(s, name, arena, &text)) {
        attestd_sha256(text.data, text.len, digest);
        tag_of(digest, tag);
    } else if (policy != NULL) {
        tag_of(attestd_policy_digest(policy), tag);
    }
    attestd_arena_free(arena);
}

static void get_policy(struct service *s, struct exchange *e)
{
    struct policy_snapshot *snapshot = policies_take(s->policies);
    const struct attestd_policy *policy = policy_snapshot_find(snapshot, e->param);
    if (policy == NULL) {
        reply_problem(s, e, "POLICY_UNKNOWN", NULL);
        policy_snapshot_release(snapshot);
        return;
    }
    struct attestd_arena *arena = attestd_arena_new();
    struct attestd_bytes text, canonical = attestd_policy_canonical(policy);
    char tag[TAG_SIZE];
    current_tag(s, policy, e->param, tag);
    struct attestd_json_writer w = attestd_json_writer_to(&e->answer);
    attestd_json_open_map(&w, NULL);
    write_identity(&w, policy);
    if (policy_edit_read(s, e->param, arena, &text))
        attestd_json_text_n(&w, "source", (const char *)text.data, text.len);
    attestd_json_raw(&w, "compiled", (const char *)canonical.data, canonical.len);
    attestd_json_close_map(&w);
    exchange_header(e, "etag", tag);
    attestd_arena_free(arena);
    policy_snapshot_release(snapshot);
    reply_json(s, e);
}

/* --- changes --- */

struct change {
    struct service *service;
    struct exchange *exchange;
    bool write;
};

struct refusal {
    const struct attestd_policy_fault *faults;
    size_t count;
};

static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;

static void write_refusal(struct attestd_json_writer *w, const void *context)
{
    const struct refusal *refusal = context;
    write_faults(w, refusal->faults, refusal->count);
}

/* Is what stands under the name what the caller saw? Answers when not. */
static bool precondition_holds(struct service *s, struct exchange *e)
{
    char tag[TAG_SIZE];
    struct policy_snapshot *snapshot = policies_take(s->policies);
    current_tag(s, policy_snapshot_find(snapshot, e->param), e->param, tag);
    policy_snapshot_release(snapshot);
    bool for_new = strcmp(e->if_match, "*") == 0 || strcmp(e->if_none_match, "*") == 0;
    if (*e->if_match == '\0' && !for_new) {
        reply_problem(s, e, "PRECONDITION_REQUIRED", NULL);
        return false;
    }
    if (for_new ? tag[0] == '\0' : strcmp(e->if_match, tag) == 0)
        return true;
    reply_problem(s, e, "POLICY_CHANGED", for_new ? "there is a policy of this name" : NULL);
    return false;
}

static void put_in_directory(struct service *s, struct exchange *e)
{
    char error[512];
    if (!policy_edit_write(s, e->param, e->body, error, sizeof error)) {
        log_line(LOG_AT_ERROR, "policy_write", "%s", error);
        reply_problem_later(s, e, "STATE_UNAVAILABLE", "the policy directory cannot be written", 5);
        return;
    }
    bool in_force = policies_reload(s->policies);
    log_line(LOG_AT_INFO, "policy_written", "%s was written by an operator", e->param);
    struct policy_snapshot *snapshot = policies_take(s->policies);
    const struct attestd_policy *policy = policy_snapshot_find(snapshot, e->param);
    char tag[TAG_SIZE];
    current_tag(s, policy, e->param, tag);
    exchange_header(e, "etag", tag);
    struct attestd_json_writer w = attestd_json_writer_to(&e->answer);
    attestd_json_open_map(&w, NULL);
    attestd_json_flag(&w, "in_force", in_force && policy != NULL);
    if (policy != NULL)
        write_identity(&w, policy);
    attestd_json_close_map(&w);
    policy_snapshot_release(snapshot);
    reply_json(s, e);
}

static void make_change(struct change *c)
{
    struct service *s = c->service;
    struct exchange *e = c->exchange;
    struct attestd_policy_fault faults[POLICIES_FAULTS];
    size_t count = 0;
    char error[512] = "";
    if (policies_directory(s->policies) == NULL) {
        reply_problem(s, e, "POLICY_REFUSED", "no policy directory is configured");
        return;
    }
    if (c->write && !precondition_holds(s, e))
        return;
    struct attestd_policy_set *set = policy_edit_try(s, e->param, e->body, faults, &count, error, sizeof error);
    if (set == NULL && count == 0) {
        log_line(LOG_AT_ERROR, "policy_stage", "%s", error);
        reply_problem_later(s, e, "STATE_UNAVAILABLE", NULL, 5);
        return;
    }
    if (set == NULL) {
        const struct refusal refusal = {faults, count};
        reply_problem_with(s, e, "POLICY_REFUSED", NULL, 0, write_refusal, &refusal);
        return;
    }
    const struct attestd_policy *named = attestd_policy_set_find(set, e->param);
    bool has_it = named != NULL && strcmp(e->param, "hardware-only") != 0;
    attestd_policy_set_free(set);
    if (!has_it) {
        reply_problem(s, e, "POLICY_REFUSED", "the text has no policy of the name in the path");
        return;
    }
    if (c->write) {
        put_in_directory(s, e);
        return;
    }
    attestd_text_puts(&e->answer, "{\"good\":true,\"faults\":[]}");
    reply_json(s, e);
}

static void *change_main(void *data)
{
    struct change *c = data;
    pthread_mutex_lock(&one_at_a_time);
    make_change(c);
    pthread_mutex_unlock(&one_at_a_time);
    atomic_fetch_sub(&c->service->changes, 1);
    free(c);
    return NULL;
}

static void begin_change(struct service *s, struct exchange *e, bool write)
{
    pthread_t thread;
    struct change *c = malloc(sizeof *c);
    if (c == NULL)
        abort();
    *c = (struct change){s, e, write};
    atomic_fetch_add(&s->changes, 1);
    if (pthread_create(&thread, NULL, change_main, c) == 0) {
        pthread_detach(thread);
        return;
    }
    atomic_fetch_sub(&s->changes, 1);
    free(c);
    reply_problem_later(s, e, "OVERLOADED", NULL, 1);
}

static void put_policy(struct service *s, struct exchange *e)
{
    begin_change(s, e, true);
}

static void post_test(struct service *s, struct exchange *e)
{
    begin_change(s, e, false);
}

const struct route route_policies = {"/v1/policies", false, {{"GET", get_policies, ACCESS_READ}}};
const struct route route_policy = {"/v1/policies/{}", false, {{"GET", get_policy, ACCESS_READ}, {"PUT", put_policy, ACCESS_WRITE}}};
const struct route route_policy_test = {"/v1/policies/{}/test", false, {{"POST", post_test, ACCESS_READ}}};
