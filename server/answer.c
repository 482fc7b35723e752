/* SPDX-License-Identifier: Apache-2.0 */
#include "server/answer.h"
#include "server/audit.h"
#include "server/replies.h"
#include "server/signer.h"
#include "token/token.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define EAT_TYPE "application/eat+jwt; eat_profile=\"tag:github.com,2023:veraison/ear\""

struct answer {
    struct audit_entry audit;
    struct sign_request sign;
    struct service *service;
    struct exchange *exchange;
    enum answer_form form;
    const char *withheld; /* static code; NULL: a token is made */
    const char *kind;     /* static: "ear", "oidc" */
    const char *type;     /* of evidence, for metrics; of the plugin */
    char id[40];
    int64_t expires;
    struct attestd_text members; /* of the answer, behind the token's; without the braces */
    uint64_t submitted_ns;
};

static uint64_t monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* --- Accept --- */

/* The weight of one media range in thousandths; 1000 without q. */
static int weight_of(const char *range, size_t len)
{
    for (size_t i = 0; i + 2 < len; i++) {
        if (range[i] != ';')
            continue;
        size_t at = i + 1;
        while (at < len && range[at] == ' ')
            at++;
        if (at + 1 >= len || (range[at] != 'q' && range[at] != 'Q') || range[at + 1] != '=')
            continue;
        int weight = 0, scale = 1000;
        for (at += 2; at < len && (range[at] == '.' || (range[at] >= '0' && range[at] <= '9')); at++) {
            if (range[at] == '.')
                continue;
            weight += (range[at] - '0') * scale;
            scale /= 10;
        }
        return weight > 1000 ? 1000 : weight;
    }
    return 1000;
}

static bool names(const char *range, size_t len, const char *type)
{
    size_t type_len = strlen(type);
    return len >= type_len && strncasecmp(range, type, type_len) == 0 && (len == type_len || strchr("; \t", range[type_len]) != NULL);
}

enum answer_form answer_form_of(const char *accept)
{
    int json = 0, token = 0;
    bool json_named = false, token_named = false;
    if (*accept == '\0')
        return ANSWER_JSON;
    while (*accept != '\0') {
        accept += strspn(accept, " \t,");
        size_t len = strcspn(accept, ",");
        int weight = weight_of(accept, len);
        bool any = names(accept, len, "*/*") || names(accept, len, "application/*");
        if (names(accept, len, "application/json")) {
            json = weight;
            json_named = true;
        } else if (names(accept, len, "application/eat+jwt")) {
            token = weight;
            token_named = true;
        } else if (any && !json_named) {
            json = weight > json ? weight : json;
        }
        accept += len;
    }
    if (token_named && token > json)
        return ANSWER_TOKEN;
    return json > 0 ? ANSWER_JSON : token > 0 ? ANSWER_TOKEN : ANSWER_NONE;
}

/* --- what the token says, or why there is none --- */

static const char *withheld_code(const struct answer_context *c)
{
    const struct attestd_request *request = attestd_job_request(c->job);
    const struct attestd_result *result = c->result;
    bool oidc = request->token != NULL && strcmp(request->token, "oidc") == 0;
    if (request->token != NULL && strcmp(request->token, "none") == 0)
        return "TOKEN_NOT_ASKED";
    if (!attestd_policy_issues_on(c->policy, result->verdict) || result->not_after <= c->now)
        return "TOKEN_VERDICT";
    if (request->audience == NULL)
        return "TOKEN_NO_AUDIENCE";
    if (!result->audience_bound && !attestd_policy_audience_optional(c->policy))
        return "TOKEN_AUDIENCE_NOT_BOUND";
    if (oidc && result->verdict != ATTESTD_AFFIRMING)
        return "TOKEN_OIDC_NEEDS_AFFIRMING";
    if (oidc && result->simulated)
        return "TOKEN_SIMULATED";
    return NULL;
}

static void write_payload(struct answer *a, const struct answer_context *c)
{
    const struct attestd_request *request = attestd_job_request(c->job);
    const struct attestd_token_claims claims = {
        .issuer = c->service->issuer,
        .subject = attestd_policy_subject(c->policy),
        .audience = request->audience,
        .id = c->id,
        .issued = c->now,
        .expires = a->expires,
        .nonce = request->nonce_text,
        .key = c->result->key_bound ? request->key : NULL,
        .developer = "attestd",
    };
    if (strcmp(a->kind, "oidc") == 0)
        attestd_oidc_payload(&a->sign.payload, &claims, c->result);
    else
        attestd_ear_payload(&a->sign.payload, &claims, c->result);
}

/* --- the audit line --- */

static void write_codes(struct attestd_json_writer *w, const char *label, const struct attestd_check_list *checks)
{
    for (size_t i = 0; i < checks->count; i++) {
        const struct attestd_check_result *c = &checks->items[i];
        if (c->outcome == ATTESTD_PASS || c->outcome == ATTESTD_SKIPPED || c->code == NULL)
            continue;
        attestd_json_open_map(w, NULL);
        if (label != NULL)
            attestd_json_text(w, "evidence", label);
        attestd_json_text(w, "check", c->check->id);
        attestd_json_text(w, "code", c->code);
        attestd_json_text(w, "mode", attestd_mode_name(c->mode));
        attestd_json_close_map(w);
    }
}

static void write_policy(struct attestd_json_writer *w, const struct attestd_result *result)
{
    attestd_json_open_map(w, "policy");
    attestd_json_text(w, "name", result->policy_name);
    attestd_json_number(w, "version", result->policy_version);
    attestd_json_hex(w, "sha256", result->policy_digest, 32);
    attestd_json_close_map(w);
}

static void write_audit(struct answer *a, const struct answer_context *c)
{
    static const char *const freshness[] = {"none", "challenge", "external"};
    const struct attestd_request *request = attestd_job_request(c->job);
    const struct attestd_result *result = c->result;
    const char *disabled[64];
    struct attestd_json_writer w = attestd_json_writer_to(&a->audit.line);
    attestd_json_open_map(&w, NULL);
    attestd_json_time(&w, "time", c->now);
    attestd_json_text(&w, "id", c->id);
    attestd_json_text(&w, "request_id", c->exchange->id);
    attestd_json_text(&w, "client", c->client);
    attestd_json_text(&w, "verdict", attestd_verdict_name(result->verdict));
    attestd_json_open_list(&w, "codes");
    for (size_t i = 0; i < result->piece_count; i++)
        write_codes(&w, result->pieces[i].label, &result->pieces[i].checks);
    write_codes(&w, NULL, &result->checks);
    attestd_json_close_list(&w);
    write_policy(&w, result);
    attestd_json_open_map(&w, "evidence");
    for (size_t i = 0; i < result->piece_count; i++)
        attestd_json_text(&w, result->pieces[i].label, result->pieces[i].type);
    attestd_json_close_map(&w);
    attestd_json_hex(&w, "evidence_digest", result->evidence_digest, 32);
    attestd_json_text(&w, "audience", request->audience);
    attestd_json_text(&w, "freshness", freshness[result->freshness]);
    attestd_json_text(&w, "token", a->withheld == NULL ? a->kind : "withheld");
    if (a->withheld != NULL)
        attestd_json_text(&w, "withheld", a->withheld);
    size_t count = attestd_result_disabled(result, disabled, 64);
    attestd_json_open_list(&w, "disabled");
    for (size_t i = 0; i < count && i < 64; i++)
        attestd_json_text(&w, NULL, disabled[i]);
    attestd_json_close_list(&w);
    attestd_json_flag(&w, "simulated", result->simulated);
    attestd_json_close_map(&w);
    attestd_text_puts(&a->audit.line, "\n");
}

/* --- the stages --- */

static void answer_free(struct answer *a)
{
    attestd_text_free(&a->audit.line);
    attestd_text_free(&a->sign.payload);
    attestd_text_free(&a->sign.token);
    attestd_text_free(&a->members);
    free(a);
}

static void write_withheld(struct attestd_json_writer *w, const void *context)
{
    const struct answer *a = context;
    attestd_json_open_map(w, "token_withheld");
    attestd_json_text(w, "code", a->withheld);
    attestd_json_close_map(w);
    attestd_json_text(w, "id", a->id);
}

static void send_json(struct answer *a)
{
    struct attestd_text *out = &a->exchange->answer;
    struct attestd_json_writer w = attestd_json_writer_to(out);
    attestd_json_open_map(&w, NULL);
    attestd_json_text(&w, "id", a->id);
    if (a->withheld == NULL) {
        attestd_json_text_n(&w, "token", a->sign.token.data, a->sign.token.len);
    } else {
        attestd_json_open_map(&w, "token_withheld");
        attestd_json_text(&w, "code", a->withheld);
        attestd_json_close_map(&w);
    }
    attestd_json_time(&w, "expires", a->expires);
    attestd_text_puts(out, ",");
    attestd_text_add(out, a->members.data + 1, a->members.len - 1); /* the members' own brace closes */
    reply_json(a->service, a->exchange);
}

static void finish(struct answer *a)
{
    struct service *s = a->service;
    metrics_token(s->metrics, a->withheld == NULL ? a->kind : "withheld");
    metrics_stage(s->metrics, a->type, STAGE_ALL, monotonic_ns() - a->exchange->arrived_ns);
    if (a->form == ANSWER_TOKEN && a->withheld != NULL) {
        reply_problem_with(s, a->exchange, "TOKEN_WITHHELD", a->withheld, 0, write_withheld, a);
    } else if (a->form == ANSWER_TOKEN) {
        exchange_header(a->exchange, "cache-control", "no-store");
        reply_text(s, a->exchange, 200, EAT_TYPE, a->sign.token.data, a->sign.token.len);
    } else {
        send_json(a);
    }
    answer_free(a);
}

static void on_signed(struct sign_request *request, bool good)
{
    struct answer *a = (struct answer *)(void *)((char *)request - offsetof(struct answer, sign));
    metrics_stage(a->service->metrics, a->type, STAGE_SIGN, monotonic_ns() - a->submitted_ns);
    if (good) {
        finish(a);
        return;
    }
    reply_problem_later(a->service, a->exchange, "SIGNER_UNAVAILABLE", NULL, 1);
    answer_free(a);
}

static void on_audited(struct audit_entry *entry, bool written)
{
    struct answer *a = (struct answer *)(void *)((char *)entry - offsetof(struct answer, audit));
    uint64_t now = monotonic_ns();
    metrics_stage(a->service->metrics, a->type, STAGE_AUDIT, now - a->submitted_ns);
    a->submitted_ns = now;
    if (!written) {
        reply_problem_later(a->service, a->exchange, "AUDIT_UNAVAILABLE", NULL, 5);
        answer_free(a);
    } else if (a->withheld == NULL) {
        signer_submit(a->service->signer, &a->sign);
    } else {
        finish(a);
    }
}

static void write_members(struct attestd_text *out, const struct attestd_result *result)
{
    struct attestd_json_writer w = attestd_json_writer_to(out);
    attestd_json_open_map(&w, NULL);
    attestd_result_members(&w, result);
    attestd_json_close_map(&w);
}

void answer_submit(const struct answer_context *c)
{
    struct answer *a = calloc(1, sizeof *a);
    if (a == NULL)
        abort();
    const struct attestd_request *request = attestd_job_request(c->job);
    const struct attestd_result *result = c->result;
    a->service = c->service;
    a->exchange = c->exchange;
    a->form = c->form;
    a->kind = request->token != NULL && strcmp(request->token, "oidc") == 0 ? "oidc" : "ear";
    a->type = result->piece_count == 1 ? result->pieces[0].plugin->name : NULL;
    strcpy(a->id, c->id);
    a->expires = attestd_token_expires(c->now, attestd_policy_token_ttl(c->policy), result);
    a->withheld = withheld_code(c);
    a->audit.done = on_audited;
    a->sign.done = on_signed;
    a->sign.typ = strcmp(a->kind, "oidc") == 0 ? ATTESTD_TOKEN_TYPE_JWT : ATTESTD_TOKEN_TYPE_EAR;
    if (a->withheld == NULL)
        write_payload(a, c);
    write_members(&a->members, result);
    write_audit(a, c);
    const char *code = attestd_result_first_code(result);
    metrics_verdict(c->service->metrics, attestd_verdict_name(result->verdict), code != NULL ? code : "");
    a->submitted_ns = monotonic_ns();
    audit_submit(c->service->audit, &a->audit);
}

void answer_record(const struct answer_context *c, struct attestd_text *out)
{
    struct attestd_json_writer w = attestd_json_writer_to(out);
    attestd_json_open_map(&w, NULL);
    attestd_json_text(&w, "id", c->id);
    attestd_json_time(&w, "time", c->now);
    attestd_json_text(&w, "client", c->client);
    attestd_result_members(&w, c->result);
    attestd_json_close_map(&w);
}
