/* SPDX-License-Identifier: Apache-2.0 */
#include "server/verification.h"
#include "core/bundle.h"
#include "core/encoding.h"
#include "core/identifier.h"
#include "server/answer.h"
#include "server/audit.h"
#include "server/log.h"
#include "server/query.h"
#include "server/records.h"
#include "server/replies.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define NS 1000000000u
#define VENDOR_MARGIN_MS 500 /* of the deadline, kept for what follows the vendor's answer */
#define RETRY_AFTER_VENDOR 10

/* A fetch may end before the worker knows that it has begun: whoever comes second queues the verification again. */
enum { FETCH_BEGUN = 1, FETCH_ENDED = 2 };

struct verification {
    struct queued queued; /* first */
    struct service *service;
    struct exchange *exchange;
    struct attestd_arena *arena;
    struct attestd_request request;
    enum answer_form form;
    struct policy_snapshot *policies;
    struct attestd_policy *policy;
    struct attestd_job *job;
    struct attestd_fetch *fetch;
    atomic_int fetching;
    unsigned retry_after;
    uint64_t deadline_ns, fetch_began_ns;
    char client[46];
};

static uint64_t monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS + (uint64_t)now.tv_nsec;
}

static const char *type_of(const struct verification *v)
{
    return v->request.piece_count == 1 ? v->request.pieces[0].type : NULL;
}

static void end(struct verification *v)
{
    attestd_job_free(v->job);
    policy_snapshot_release(v->policies);
    attestd_arena_free(v->arena);
    job_queue_done(v->service->queue);
    free(v);
}

/* Answers with a problem; the verification goes on to its end. */
static void refuse(struct verification *v, const char *code, const char *detail, unsigned retry_after)
{
    reply_problem_later(v->service, v->exchange, code, detail, retry_after);
    v->exchange = NULL;
}

/* --- the request --- */

static bool is_type(const char *content_type, const char *type)
{
    size_t len = strlen(type);
    return strncasecmp(content_type, type, len) == 0 && (content_type[len] == '\0' || strchr("; \t", content_type[len]) != NULL);
}

static bool set_parameter(struct verification *v, const struct query_pair *pair)
{
    static const char *const kinds[] = {"ear", "oidc", "none"};
    struct attestd_request *r = &v->request;
    if (strcmp(pair->name, "challenge") == 0)
        r->challenge = pair->value;
    else if (strcmp(pair->name, "nonce") == 0)
        return attestd_request_set_nonce(v->arena, r, pair->value, strlen(pair->value));
    else if (strcmp(pair->name, "policy") == 0)
        r->policy = pair->value;
    else if (strcmp(pair->name, "audience") == 0)
        r->audience = pair->value;
    else if (strcmp(pair->name, "layout") == 0)
        r->layout = pair->value;
    else {
        for (size_t i = 0; i < 3; i++)
            if (strcmp(pair->value, kinds[i]) == 0) {
                r->token = kinds[i];
                return true;
            }
        return false;
    }
    return *pair->value != '\0';
}

static bool known_parameter(const char *name)
{
    static const char *const known[] = {"challenge", "nonce", "policy", "audience", "layout", "token"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i], name) == 0)
            return true;
    return false;
}

/* What the JSON envelope says in its body, other media types say in the query. */
static bool read_parameters(struct verification *v, bool allowed)
{
    struct query_pair pairs[QUERY_MAX];
    size_t count;
    char detail[96];
    if (!query_read(v->arena, v->exchange->query, pairs, &count)) {
        refuse(v, "PARAMETER_INVALID", "the query is not name=value pairs, each name once, percent-encoded UTF-8", 0);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        snprintf(detail, sizeof detail, "parameter %.40s", pairs[i].name);
        const char *code = !allowed || !known_parameter(pairs[i].name) ? "PARAMETER_UNKNOWN"
                           : !set_parameter(v, &pairs[i]) ? (strcmp(pairs[i].name, "nonce") == 0 ? "NONCE_MALFORMED" : "PARAMETER_INVALID")
                                                          : NULL;
        if (code == NULL)
            continue;
        refuse(v, code, attestd_utf8_valid(detail, strlen(detail)) ? detail : NULL, 0);
        return false;
    }
    return true;
}

static void refuse_fault(struct verification *v, const struct attestd_request_fault *fault)
{
    char detail[400];
    snprintf(detail, sizeof detail, "%s%s%s", fault->pointer, *fault->pointer != '\0' ? ": " : "", fault->detail);
    refuse(v, fault->code, detail, 0);
}

static bool read_request(struct verification *v)
{
    const struct exchange *e = v->exchange;
    const struct attestd_engine *engine = v->service->engine;
    struct attestd_request_fault fault = {0};
    bool json = *e->content_type == '\0' || is_type(e->content_type, "application/json"), read;
    char media_type[128];
    snprintf(media_type, sizeof media_type, "%.*s", (int)strcspn(e->content_type, "; \t"), e->content_type);
    const struct attestd_plugin *plugin = json ? NULL : attestd_engine_plugin_for_media_type(engine, media_type);
    bool raw = plugin != NULL || is_type(e->content_type, "application/octet-stream");
    const char *text = (const char *)e->body.data;
    /* raw bytes are borrowed by the job, which outlives the exchange */
    struct attestd_bytes body = raw ? attestd_arena_bytes(v->arena, e->body.data, e->body.len) : e->body;
    if (json)
        read = attestd_request_read_json(v->arena, engine, text, e->body.len, &v->request, &fault);
    else if (is_type(e->content_type, "application/cmw+json"))
        read = attestd_request_read_cmw(v->arena, engine, text, e->body.len, &v->request, &fault);
    else if (raw)
        read = attestd_request_read_raw(v->arena, engine, plugin != NULL ? plugin->name : NULL, body.data, body.len, &v->request, &fault);
    else {
        refuse(v, "MEDIA_TYPE_UNKNOWN", NULL, 0);
        return false;
    }
    if (!read) {
        refuse_fault(v, &fault);
        return false;
    }
    return read_parameters(v, !json);
}

/* --- who may ask for what --- */

static bool choose_policy(struct verification *v)
{
    const struct attestd_request *r = &v->request;
    const char *standard = v->service->config->default_policy;
    v->policies = policies_take(v->service->policies);
    if (r->policy != NULL) {
        v->policy = policy_snapshot_find(v->policies, r->policy);
    } else {
        if (r->audience != NULL)
            v->policy = policy_snapshot_for_audience(v->policies, r->audience);
        if (v->policy == NULL && standard == NULL && policy_snapshot_built_in_only(v->policies))
            standard = "hardware-only";
        if (v->policy == NULL && standard != NULL)
            v->policy = policy_snapshot_find(v->policies, standard);
    }
    if (v->policy == NULL) {
        refuse(v, r->policy != NULL || standard != NULL ? "POLICY_UNKNOWN" : "POLICY_NOT_NAMED", NULL, 0);
        return false;
    }
    if (r->audience != NULL && !attestd_policy_allows_audience(v->policy, r->audience)) {
        refuse(v, "AUDIENCE_NOT_OF_POLICY", NULL, 0);
        return false;
    }
    return true;
}

/* Authentic, unexpired, not yet spent; or a nonce of the relying party's; or a policy that wants neither. */
static bool check_freshness(struct verification *v)
{
    struct attestd_request *r = &v->request;
    uint8_t nonce[CHALLENGE_NONCE];
    if (r->challenge != NULL && r->freshness == ATTESTD_FRESH_EXTERNAL) {
        refuse(v, "FRESHNESS_AMBIGUOUS", NULL, 0);
        return false;
    }
    if (r->challenge == NULL) {
        if (r->freshness == ATTESTD_FRESH_EXTERNAL || attestd_policy_freshness(v->policy) == ATTESTD_DEMAND_NONE)
            return true;
        refuse(v, "FRESHNESS_MISSING", NULL, 0);
        return false;
    }
    static const char *const codes[] = {[CHALLENGE_MALFORMED] = "CHALLENGE_MALFORMED",
                                        [CHALLENGE_FOREIGN] = "CHALLENGE_FOREIGN",
                                        [CHALLENGE_EXPIRED] = "CHALLENGE_EXPIRED"};
    enum challenge_state state = challenge_read(v->service->challenges, r->challenge, nonce, &r->nonce_age);
    if (state != CHALLENGE_GOOD) {
        refuse(v, codes[state], NULL, 0);
        return false;
    }
    if (spent_seen(v->service->spent, nonce)) {
        refuse(v, "CHALLENGE_SPENT", NULL, 0);
        return false;
    }
    char *text = attestd_arena_alloc(v->arena, ATTESTD_BASE64_SIZE(CHALLENGE_NONCE));
    attestd_base64url_encode(nonce, sizeof nonce, text);
    r->nonce = attestd_arena_bytes(v->arena, nonce, sizeof nonce);
    r->nonce_text = text;
    r->freshness = ATTESTD_FRESH_CHALLENGE;
    return true;
}

/* --- the job --- */

#define DEVICE_TABLE "devices"

/* plugin name, NUL, key */
static struct attestd_bytes device_key(struct attestd_arena *arena, const char *plugin, const uint8_t *key, size_t key_len)
{
    size_t name_len = strlen(plugin) + 1;
    uint8_t *whole = attestd_arena_alloc(arena, name_len + key_len);
    memcpy(whole, plugin, name_len);
    if (key_len != 0)
        memcpy(whole + name_len, key, key_len);
    return (struct attestd_bytes){whole, name_len + key_len};
}

static struct attestd_bytes recall(void *context, struct attestd_arena *arena, const char *plugin, const uint8_t *key, size_t key_len)
{
    struct attestd_bytes value = {0}, whole = device_key(arena, plugin, key, key_len);
    if (!attestd_store_get(context, DEVICE_TABLE, whole.data, whole.len, arena, &value))
        return (struct attestd_bytes){0};
    return value;
}

/* The request as a whole, now that its nonce is known. */
static bool check_request(struct verification *v)
{
    struct attestd_request_fault fault = {0};
    if (attestd_request_check(&v->request, attestd_policy_audience_optional(v->policy), &fault))
        return true;
    refuse_fault(v, &fault);
    return false;
}

static bool begin(struct verification *v)
{
    if (!read_request(v) || !choose_policy(v) || !check_freshness(v) || !check_request(v))
        return false;
    struct attestd_state_lookup *state = attestd_arena_alloc(v->arena, sizeof *state);
    *state = (struct attestd_state_lookup){v->service->state, recall};
    v->job = attestd_job_new(v->service->engine, &v->request, attestd_policy_view(v->policy), v->service->anchors, state);
    return true;
}

static void on_fetched(void *context)
{
    struct verification *v = context;
    if (atomic_fetch_or(&v->fetching, FETCH_ENDED) == FETCH_BEGUN)
        job_queue_resume(v->service->queue, &v->queued);
}

static void mark_absent(struct attestd_job *job)
{
    const struct attestd_need *needs;
    size_t count = attestd_job_needs(job, &needs);
    while (count != 0) { /* the list is valid until the next change */
        attestd_job_absent(job, needs[0].kind, needs[0].key, "no source has it");
        size_t left = attestd_job_needs(job, &needs);
        if (left >= count)
            return;
        count = left;
    }
}

/* True: the verification waits and this worker is done with it. */
static bool wait_for_vendor(struct verification *v)
{
    struct service *s = v->service;
    char caller[20] = ""; /* operators have no budget */
    if (operators_role(s->operators, v->exchange, NULL) == ROLE_NONE)
        attestd_hex_encode(v->exchange->peer.key, sizeof v->exchange->peer.key, caller);
    v->fetch_began_ns = monotonic_ns();
    atomic_store(&v->fetching, 0);
    v->fetch = attestd_endorsements_fetch(s->endorsements, v->job, caller, v->deadline_ns / 1000000 - VENDOR_MARGIN_MS, on_fetched, v);
    if (v->fetch == NULL)
        return false;
    return atomic_fetch_or(&v->fetching, FETCH_BEGUN) != FETCH_ENDED;
}

static void collect(struct verification *v)
{
    unsigned retry_after = 0;
    attestd_endorsements_collect(v->fetch, v->job, &retry_after);
    v->fetch = NULL;
    v->retry_after = retry_after > v->retry_after ? retry_after : v->retry_after;
    metrics_stage(v->service->metrics, type_of(v), STAGE_FETCH, monotonic_ns() - v->fetch_began_ns);
}

/* --- the end --- */

static void write_checks(struct attestd_json_writer *w, const void *context)
{
    const struct verification *v = context;
    struct attestd_result result = *attestd_job_result(v->job);
    result.simulated |= v->service->simulated;
    attestd_json_open_map(w, "appraisal");
    attestd_result_members(w, &result);
    attestd_json_close_map(w);
}

static void refuse_malformed(struct verification *v)
{
    const struct attestd_result *result = attestd_job_result(v->job);
    char detail[400] = "";
    const char *remedy = NULL;
    for (size_t i = 0; i < result->piece_count; i++) {
        const struct attestd_piece *p = &result->pieces[i];
        if (p->malformed_code == NULL)
            continue;
        remedy = attestd_engine_remedy(v->service->engine, p->malformed_code);
        snprintf(detail, sizeof detail, "%s: %s in %s at byte %zu: %s%s%s", p->label, p->malformed_code,
                 p->malformed_part != NULL ? p->malformed_part : "the evidence", p->malformed_offset,
                 p->malformed_detail != NULL ? p->malformed_detail : "", remedy != NULL ? ". " : "", remedy != NULL ? remedy : "");
        break;
    }
    refuse(v, "EVIDENCE_MALFORMED", detail, 0);
}

/* DESIGN's order: the challenge is spent before anything is said about the verdict. */
static bool spend(struct verification *v)
{
    static const char *const codes[] = {
        [SPENT_BEFORE] = "CHALLENGE_SPENT", [SPENT_FULL] = "SPENT_SET_FULL", [SPENT_NOWHERE] = "SPENT_SET_UNREACHABLE"};
    const struct attestd_result *result = attestd_job_result(v->job);
    if (!audit_ready(v->service->audit)) { /* known before anything is spent */
        refuse(v, "AUDIT_UNAVAILABLE", NULL, 5);
        return false;
    }
    if (v->request.freshness != ATTESTD_FRESH_CHALLENGE || !result->nonce_matched)
        return true;
    enum spent_outcome outcome = spent_insert(v->service->spent, v->request.nonce.data);
    if (outcome == SPENT_NOW)
        return true;
    refuse(v, codes[outcome], NULL, outcome == SPENT_BEFORE ? 0 : 5);
    return false;
}

static bool apply_state(struct verification *v)
{
    const struct attestd_proposal *proposals;
    if (attestd_job_result(v->job)->verdict == ATTESTD_CONTRAINDICATED)
        return true;
    size_t count = attestd_job_proposals(v->job, &proposals);
    for (size_t i = 0; i < count; i++) {
        struct attestd_bytes key = device_key(v->arena, proposals[i].plugin, proposals[i].key.data, proposals[i].key.len);
        if (attestd_store_swap(v->service->state, DEVICE_TABLE, key.data, key.len, proposals[i].before, proposals[i].after))
            continue;
        refuse(v, "STATE_CHANGED", NULL, 0);
        return false;
    }
    return true;
}

static void keep_record(struct verification *v, const struct answer_context *context)
{
    struct attestd_text record = {0}, bundle = {0};
    struct attestd_bytes policy = attestd_policy_canonical(v->policy);
    if (!records_wanted(v->service->records, attestd_job_result(v->job)->verdict))
        return;
    answer_record(context, &record);
    attestd_bundle_write(&bundle, v->job, v->service->anchors, (const char *)policy.data, policy.len);
    records_put(v->service->records, context->id, &record, &bundle);
    attestd_text_free(&record);
    attestd_text_free(&bundle);
}

static void decide(struct verification *v)
{
    struct service *s = v->service;
    char id[ATTESTD_ID_SIZE];
    if (attestd_job_result(v->job)->unavailable) {
        unsigned retry_after = v->retry_after != 0 ? v->retry_after : RETRY_AFTER_VENDOR;
        reply_problem_with(s, v->exchange, "ENDORSEMENT_UNOBTAINABLE", NULL, retry_after, write_checks, v);
        v->exchange = NULL;
        return;
    }
    if (!spend(v) || !apply_state(v))
        return;
    attestd_appraisal_id(id);
    /* --development marks everything, also what rests on no simulated root */
    struct attestd_result result = *attestd_job_result(v->job);
    result.simulated |= s->simulated;
    const struct answer_context context = {.service = s,
                                           .result = &result,
                                           .exchange = v->exchange,
                                           .job = v->job,
                                           .policy = v->policy,
                                           .form = v->form,
                                           .id = id,
                                           .client = v->client,
                                           .now = result.time};
    answer_submit(&context);
    v->exchange = NULL;
    keep_record(v, &context);
}

/* Runs the job as far as it goes. False: it waits for a vendor. */
static bool run(struct verification *v)
{
    for (;;) {
        if (monotonic_ns() >= v->deadline_ns) {
            refuse(v, "DEADLINE", NULL, 1);
            return true;
        }
        int64_t now = (int64_t)time(NULL);
        int state = attestd_job_run(v->job, now);
        if (state == ATTESTD_PENDING) {
            if (attestd_endorsements_local(v->service->endorsements, v->job, now) != 0 && wait_for_vendor(v))
                return false;
            if (v->fetch != NULL)
                collect(v);
            mark_absent(v->job); /* what nobody answered: a run that waits for it would not go on */
            continue;
        }
        struct attestd_job_timing timing = attestd_job_timing(v->job);
        metrics_stage(v->service->metrics, type_of(v), STAGE_VERIFY, timing.verify_ns);
        metrics_stage(v->service->metrics, type_of(v), STAGE_POLICY, timing.policy_ns);
        if (state == ATTESTD_MALFORMED)
            refuse_malformed(v);
        else
            decide(v);
        attestd_endorsements_keep(v->service->endorsements, v->job, now);
        return true;
    }
}

void verification_work(struct queued *queued)
{
    struct verification *v = (struct verification *)queued;
    if (v->fetch != NULL) {
        collect(v);
        mark_absent(v->job);
        if (run(v))
            end(v);
        return;
    }
    metrics_stage(v->service->metrics, NULL, STAGE_QUEUE, monotonic_ns() - v->exchange->arrived_ns);
    if (exchange_abandoned(v->exchange)) {
        refuse(v, "DEADLINE", NULL, 0); /* nobody reads it; the exchange is given back */
        end(v);
        return;
    }
    if (!begin(v) || run(v))
        end(v);
}

void verification_begin(struct service *s, struct exchange *e)
{
    enum answer_form form = answer_form_of(e->accept);
    if (form == ANSWER_NONE) {
        reply_problem(s, e, "NOT_ACCEPTABLE", NULL);
        return;
    }
    struct verification *v = calloc(1, sizeof *v);
    if (v == NULL)
        abort();
    v->service = s;
    v->exchange = e;
    v->form = form;
    v->arena = attestd_arena_new();
    v->deadline_ns = e->arrived_ns + (uint64_t)s->config->deadline * NS;
    memcpy(v->client, e->peer.text, sizeof v->client);
    if (!atomic_load(&s->stopping) && job_queue_add(s->queue, &v->queued))
        return;
    attestd_arena_free(v->arena);
    free(v);
    reply_problem_later(s, e, atomic_load(&s->stopping) ? "SHUTTING_DOWN" : "OVERLOADED", NULL, 1);
}
