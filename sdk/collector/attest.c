/* SPDX-License-Identifier: Apache-2.0 */
#include "sdk/collector/collector.h"

#include <ctype.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { DEFAULT_PATIENCE = 60, DEFAULT_RETRY = 2, MOST_CHALLENGES = 3 };

enum attest_status collector_fail(struct attest *attest, enum attest_status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(attest->detail, sizeof attest->detail, format, arguments);
    va_end(arguments);
    return status;
}

void collector_evidence_free(struct collector_evidence *evidence)
{
    free(evidence->report);
    free(evidence->certificates);
    free(evidence->ccel);
    free(evidence->ccel_table);
    *evidence = (struct collector_evidence){0};
}

struct attest *attest_new(void)
{
    struct attest *attest = calloc(1, sizeof *attest);
    if (attest) {
        attest->root = strdup("");
        attest->patience = DEFAULT_PATIENCE;
    }
    if (attest && !attest->root) {
        free(attest);
        return NULL;
    }
    return attest;
}

void attest_free(struct attest *attest)
{
    if (!attest) {
        return;
    }
    free(attest->root);
    free(attest->url);
    free(attest->ca_file);
    free(attest->policy);
    free(attest->audience);
    free(attest->token_kind);
    for (size_t i = 0; i < attest->data_count; i++) {
        free(attest->data[i].value);
    }
    EVP_PKEY_free(attest->key); /* libcrypto clears a private number before it frees it */
    free(attest);
}

const char *attest_detail(const struct attest *attest)
{
    return attest->detail;
}

/* A failed copy keeps the old value; NULL sets none. */
static void set_text(char **member, const char *text)
{
    char *copy = text ? strdup(text) : NULL;
    if (text && !copy) {
        return;
    }
    free(*member);
    *member = copy;
}

void attest_set_root(struct attest *attest, const char *prefix)
{
    set_text(&attest->root, prefix ? prefix : "");
}

void attest_set_url(struct attest *attest, const char *url)
{
    set_text(&attest->url, url);
}

void attest_set_ca_file(struct attest *attest, const char *pem)
{
    set_text(&attest->ca_file, pem);
}

void attest_set_policy(struct attest *attest, const char *name)
{
    set_text(&attest->policy, name);
}

void attest_set_audience(struct attest *attest, const char *audience)
{
    set_text(&attest->audience, audience);
}

void attest_set_token_kind(struct attest *attest, const char *kind)
{
    set_text(&attest->token_kind, kind);
}

void attest_set_patience(struct attest *attest, unsigned seconds)
{
    attest->patience = seconds;
}

static bool name_is_valid(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz", others[] = "0123456789._-";
    size_t len = strlen(name);
    if (len == 0 || len > COLLECTOR_NAME_MAX || !strchr(letters, name[0]) || strncmp(name, "attestd.", 8) == 0) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (!strchr(letters, name[i]) && !strchr(others, name[i])) {
            return false;
        }
    }
    return true;
}

enum attest_status attest_add_data(struct attest *attest, const char *name, const uint8_t *value, size_t len)
{
    if (!name_is_valid(name)) {
        return collector_fail(attest, ATTEST_USAGE, "a name to bind is [a-z][a-z0-9._-]{0,31} and does not begin with attestd.");
    }
    size_t at = 0;
    while (at < attest->data_count && strcmp(attest->data[at].name, name) < 0) {
        at++;
    }
    if (at < attest->data_count && strcmp(attest->data[at].name, name) == 0) {
        return collector_fail(attest, ATTEST_USAGE, "%s is already bound", name);
    }
    if (attest->data_count == COLLECTOR_MAX_DATA) {
        return collector_fail(attest, ATTEST_USAGE, "more than %d values to bind", COLLECTOR_MAX_DATA);
    }
    uint8_t *copy = malloc(len ? len : 1);
    if (!copy) {
        return collector_fail(attest, ATTEST_INTERNAL, "out of memory");
    }
    if (len) {
        memcpy(copy, value, len);
    }
    memmove(&attest->data[at + 1], &attest->data[at], (attest->data_count - at) * sizeof attest->data[0]);
    attest->data[at] = (struct collector_datum){.value = copy, .len = len};
    strcpy(attest->data[at].name, name);
    attest->data_count++;
    return ATTEST_OK;
}

/* --- Collecting --- */

/* Where REPORT_DATA stands, by type and version: AMD 56860 table 23; Intel TDX DCAP Quoting Library API, appendix A.3. */
const uint8_t *collector_report_data(const struct collector_evidence *evidence)
{
    static const struct {
        const char *type;
        uint16_t version; /* in the first two bytes; 0: any */
        size_t offset;
    } places[] = {{"snp", 0, 0x50}, {"tdx", 4, 48 + 520}, {"tdx", 5, 54 + 520}};
    unsigned version = evidence->report_len < 2 ? 0U : evidence->report[0] | (unsigned)evidence->report[1] << 8;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        if (strcmp(places[i].type, evidence->type) == 0 && (places[i].version == 0 || places[i].version == version) &&
            evidence->report_len >= places[i].offset + COLLECTOR_FIELD_SIZE) {
            return evidence->report + places[i].offset;
        }
    }
    return NULL;
}

static enum attest_status evidence_over(struct attest *attest, const uint8_t d[COLLECTOR_FIELD_SIZE], struct collector_evidence *evidence)
{
    static collector_interface *const interfaces[] = {collector_tsm_report, collector_sev_guest, collector_tdx_guest};
    char missing[3][256] = {"", "", ""};
    for (size_t i = 0; i < sizeof interfaces / sizeof *interfaces; i++) {
        enum attest_status status = interfaces[i](attest, d, evidence, missing[i]);
        if (status == ATTEST_NO_TEE) {
            continue;
        }
        if (status != ATTEST_OK) {
            return status;
        }
        /* The verifier would refuse it too, but here we know why. */
        const uint8_t *field = collector_report_data(evidence);
        if (!field || memcmp(field, d, COLLECTOR_FIELD_SIZE) != 0) {
            collector_evidence_free(evidence);
            return collector_fail(attest, ATTEST_TEE_FAILED, "the report is not over the bytes that were asked for");
        }
        collector_add_event_log(attest, evidence);
        return ATTEST_OK;
    }
    return collector_fail(attest, ATTEST_NO_TEE, "no TEE on this machine: looked for %s, %s and %s", missing[0], missing[1], missing[2]);
}

/* Takes ownership of text, which may be NULL. */
static json_t *text_member(char *text)
{
    json_t *value = text ? json_string(text) : NULL;
    free(text);
    return value;
}

static bool add_part(json_t *piece, const char *name, const uint8_t *bytes, size_t len)
{
    return !bytes || len == 0 || json_object_set_new(piece, name, text_member(collector_base64(bytes, len))) == 0;
}

static json_t *evidence_member(const struct collector_evidence *evidence)
{
    json_t *piece = json_pack("{s:s}", "type", evidence->type);
    bool td = strcmp(evidence->type, "tdx") == 0;
    bool good = piece && add_part(piece, td ? "quote" : "report", evidence->report, evidence->report_len) &&
                add_part(piece, "certs", evidence->certificates, evidence->certificates_len) &&
                add_part(piece, "ccel", evidence->ccel, evidence->ccel_len) &&
                add_part(piece, "ccel_table", evidence->ccel_table, evidence->ccel_table_len);
    if (!good) {
        json_decref(piece);
        return NULL;
    }
    return json_pack("{s:o}", "cpu0", piece);
}

static json_t *binding_member(const struct attest *attest)
{
    char *jwk_text = collector_key_jwk(attest);
    json_t *jwk = jwk_text ? json_loads(jwk_text, 0, NULL) : NULL;
    json_t *binding = jwk ? json_pack("{s:s,s:{s:o}}", "layout", "attestd-v1", "cnf", "jwk", jwk) : NULL;
    free(jwk_text);
    json_t *data = json_object();
    bool good = binding && data;
    for (size_t i = 0; good && i < attest->data_count; i++) {
        const struct collector_datum *datum = &attest->data[i];
        good = json_object_set_new(data, datum->name, text_member(collector_hex(datum->value, datum->len))) == 0;
    }
    if (good && attest->data_count) {
        good = json_object_set(binding, "data", data) == 0;
    }
    json_decref(data);
    if (!good) {
        json_decref(binding);
        return NULL;
    }
    return binding;
}

static bool set_optional(json_t *object, const char *name, const char *text)
{
    return !text || json_object_set_new(object, name, json_string(text)) == 0;
}

/* The body of POST /verify; NULL when memory ran out or a text is no UTF-8. */
static char *envelope(const struct attest *attest, const struct collector_evidence *evidence, const uint8_t *nonce, size_t nonce_len,
                      const char *challenge)
{
    json_t *request = json_object();
    char *text = NULL;
    bool good = request && (challenge ? set_optional(request, "challenge", challenge)
                                      : json_object_set_new(request, "nonce", text_member(collector_base64url(nonce, nonce_len))) == 0);
    good = good && set_optional(request, "policy", attest->policy) && set_optional(request, "audience", attest->audience) &&
           set_optional(request, "token", attest->token_kind) && json_object_set_new(request, "evidence", evidence_member(evidence)) == 0 &&
           json_object_set_new(request, "binding", binding_member(attest)) == 0;
    if (good) {
        text = json_dumps(request, JSON_COMPACT);
    }
    json_decref(request);
    return text;
}

enum attest_status attest_collect(struct attest *attest, const uint8_t *nonce, size_t nonce_len, const char *challenge, char **request)
{
    attest->detail[0] = '\0';
    if (nonce_len < 8 || nonce_len > 64) {
        return collector_fail(attest, ATTEST_USAGE, "a nonce has 8 to 64 bytes");
    }
    uint8_t d[COLLECTOR_FIELD_SIZE];
    if (!collector_have_key(attest) || !collector_binding(attest, nonce, nonce_len, d)) {
        return collector_fail(attest, ATTEST_INTERNAL, "libcrypto cannot make a key or a digest");
    }
    struct collector_evidence evidence = {0};
    enum attest_status status = evidence_over(attest, d, &evidence);
    if (status != ATTEST_OK) {
        return status;
    }
    *request = envelope(attest, &evidence, nonce, nonce_len, challenge);
    collector_evidence_free(&evidence);
    return *request ? ATTEST_OK : collector_fail(attest, ATTEST_INTERNAL, "the request cannot be written as JSON");
}

/* --- Getting a token --- */

static int64_t seconds_now(void)
{
    struct timespec now = {0};
    clock_gettime(CLOCK_BOOTTIME, &now);
    return now.tv_sec;
}

/* Fit for a terminal: what the service says is not ours. */
static const char *printable(char *text)
{
    for (char *c = text; *c; c++) {
        if (iscntrl((unsigned char)*c)) {
            *c = ' ';
        }
    }
    return text;
}

static const char *member_text(const json_t *object, const char *name, const char *otherwise)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : otherwise;
}

/* A problem document (RFC 9457) as one sentence. */
static enum attest_status refused(struct attest *attest, const struct collector_answer *answer)
{
    json_t *problem = answer->body ? json_loadb(answer->body, answer->len, 0, NULL) : NULL;
    collector_fail(attest, ATTEST_REFUSED, "the verifier answers %ld %s: %s", answer->status,
                   member_text(problem, "code", "without a code"), member_text(problem, "detail", "no detail"));
    printable(attest->detail);
    json_decref(problem);
    return ATTEST_REFUSED;
}

static bool answer_has_code(const struct collector_answer *answer, const char *code)
{
    json_t *problem = answer->body ? json_loadb(answer->body, answer->len, 0, NULL) : NULL;
    bool same = strcmp(member_text(problem, "code", ""), code) == 0;
    json_decref(problem);
    return same;
}

/*
 * Posts until there is an answer other than "later" (424, 429, 503), as long as patience lasts. The body stays the same: a challenge is
 * not spent by any of these.
 */
static enum attest_status post_patiently(struct attest *attest, const char *path, const char *json, int64_t deadline,
                                         struct collector_answer *answer)
{
    for (;;) {
        enum attest_status status = collector_post(attest, path, json, answer);
        bool later = status == ATTEST_OK && (answer->status == 424 || answer->status == 429 || answer->status == 503);
        if (!later) {
            return status;
        }
        long wait = answer->retry_after > 0 ? answer->retry_after : DEFAULT_RETRY;
        if (seconds_now() + wait > deadline) {
            return ATTEST_OK;
        }
        free(answer->body);
        nanosleep(&(struct timespec){.tv_sec = wait}, NULL);
    }
}

static enum attest_status get_challenge(struct attest *attest, int64_t deadline, char **challenge, uint8_t nonce[64], size_t *nonce_len)
{
    struct collector_answer answer;
    enum attest_status status = post_patiently(attest, "/challenge", "{}", deadline, &answer);
    if (status != ATTEST_OK) {
        return status;
    }
    if (answer.status != 200) {
        status = refused(attest, &answer);
        free(answer.body);
        return status;
    }
    json_t *body = answer.body ? json_loadb(answer.body, answer.len, 0, NULL) : NULL;
    const char *text = member_text(body, "challenge", NULL), *nonce_text = member_text(body, "nonce", "");
    *challenge = text && collector_base64_read(nonce_text, nonce, 64, nonce_len) && *nonce_len >= 8 ? strdup(text) : NULL;
    json_decref(body);
    free(answer.body);
    return *challenge ? ATTEST_OK : collector_fail(attest, ATTEST_REFUSED, "what the verifier gives is no challenge: is it attestd?");
}

/* Adds the codes of failed checks to detail, as far as there is room. */
static void add_failed_checks(struct attest *attest, const json_t *checks)
{
    size_t i;
    const json_t *check;
    json_array_foreach(checks, i, check)
    {
        size_t at = strlen(attest->detail);
        if (strcmp(member_text(check, "outcome", ""), "fail") == 0 || strcmp(member_text(check, "outcome", ""), "unavailable") == 0) {
            snprintf(attest->detail + at, sizeof attest->detail - at, " %s", member_text(check, "code", member_text(check, "id", "?")));
        }
    }
}

static void explain_denial(struct attest *attest, json_t *body)
{
    const char *code = member_text(json_object_get(body, "token_withheld"), "code", NULL);
    collector_fail(attest, ATTEST_DENIED, "verdict %s%s%s:", member_text(body, "verdict", "unknown"), code ? ", token withheld " : "",
                   code ? code : "");
    add_failed_checks(attest, json_object_get(body, "checks"));
    const char *label;
    json_t *piece;
    json_object_foreach(json_object_get(body, "evidence"), label, piece)
    {
        add_failed_checks(attest, json_object_get(piece, "checks"));
    }
    printable(attest->detail);
}

static enum attest_status read_verdict(struct attest *attest, const struct collector_answer *answer, char **token)
{
    json_t *body = answer->body ? json_loadb(answer->body, answer->len, 0, NULL) : NULL;
    const char *verdict = member_text(body, "verdict", NULL), *text = member_text(body, "token", NULL);
    enum attest_status status = ATTEST_OK;
    if (!verdict) {
        status = collector_fail(attest, ATTEST_REFUSED, "the verifier's answer has no verdict: is it attestd?");
    } else if (attest->audience ? !text : strcmp(verdict, "affirming") != 0) {
        explain_denial(attest, body);
        status = ATTEST_DENIED;
    } else if (token && text) {
        *token = strdup(text);
        status = *token ? ATTEST_OK : collector_fail(attest, ATTEST_INTERNAL, "out of memory");
    }
    json_decref(body);
    return status;
}

/* One challenge, one collection, one verdict. *again: the challenge was void, and another one may do. */
static enum attest_status try_once(struct attest *attest, int64_t deadline, struct collector_answer *answer, bool *again)
{
    uint8_t nonce[64];
    size_t nonce_len = 0;
    char *challenge = NULL, *request = NULL;
    *again = false;
    enum attest_status status = get_challenge(attest, deadline, &challenge, nonce, &nonce_len);
    if (status != ATTEST_OK) {
        return status;
    }
    status = attest_collect(attest, nonce, nonce_len, challenge, &request);
    free(challenge);
    if (status != ATTEST_OK) {
        return status;
    }
    status = post_patiently(attest, "/verify", request, deadline, answer);
    free(request);
    if (status == ATTEST_OK && answer->status != 200) {
        /* Late, or the verifier was started again meanwhile. */
        *again = answer->status == 410 || answer_has_code(answer, "CHALLENGE_FOREIGN");
        status = refused(attest, answer);
    }
    return status;
}

enum attest_status attest_get_token(struct attest *attest, char **token, char **answer_text)
{
    struct collector_answer answer = {0};
    int64_t deadline = seconds_now() + attest->patience;
    enum attest_status status = ATTEST_INTERNAL;
    bool again = true;
    attest->detail[0] = '\0';
    for (int i = 0; again && i < MOST_CHALLENGES && (i == 0 || seconds_now() < deadline); i++) {
        free(answer.body);
        answer = (struct collector_answer){0};
        status = try_once(attest, deadline, &answer, &again);
    }
    if (status == ATTEST_OK) {
        status = read_verdict(attest, &answer, token);
    }
    if (answer_text) {
        *answer_text = answer.body;
    } else {
        free(answer.body);
    }
    return status;
}
