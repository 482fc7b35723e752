/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/policy/toy.h"

#include "core/binding.h"
#include "core/digest.h"
#include "core/encoding.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define REASON(code)                                                                                                                       \
    (const struct attestd_reason[])                                                                                                        \
    {                                                                                                                                      \
        {code, "do what the test says"},                                                                                                   \
        {                                                                                                                                  \
            NULL, NULL                                                                                                                     \
        }                                                                                                                                  \
    }
#define TOY_CHECKS(prefix, PREFIX)                                                                                                         \
    static const struct attestd_check prefix##_signature = {                                                                               \
        #prefix ".signature", "signed", 1, 0, ATTESTD_HARDWARE, 2, 0, 99, "test", REASON(PREFIX "_SIGNATURE_INVALID")};                    \
    static const struct attestd_check prefix##_debug = {                                                                                   \
        #prefix ".debug", "no debugging", 0, ATTESTD_STRICT, ATTESTD_CONFIGURATION, 3, 32, 96, "test", REASON(PREFIX "_DEBUG_ALLOWED")};   \
    static const struct attestd_check prefix##_smt = {                                                                                     \
        #prefix ".smt", "no sibling threads", 0, ATTESTD_WARN, ATTESTD_CONFIGURATION, 2, 32, 96, "test", REASON(PREFIX "_SMT_ALLOWED")};   \
    static const struct attestd_check prefix##_revocation = {#prefix ".revocation",                                                        \
                                                             "not revoked",                                                                \
                                                             0,                                                                            \
                                                             ATTESTD_STRICT,                                                               \
                                                             ATTESTD_HARDWARE,                                                             \
                                                             2,                                                                            \
                                                             32,                                                                           \
                                                             96,                                                                           \
                                                             "test",                                                                       \
                                                             REASON(PREFIX "_REVOCATION_UNAVAILABLE")};                                    \
    static const struct attestd_check prefix##_rim = {                                                                                     \
        #prefix ".rim", "as published", 0, ATTESTD_STRICT, ATTESTD_EXECUTABLES, 3, 33, 33, "test", REASON(PREFIX "_RIM_MISMATCH")};        \
    static const struct attestd_check prefix##_measurement = {#prefix ".measurement",                                                      \
                                                              "measurement is listed",                                                     \
                                                              0,                                                                           \
                                                              ATTESTD_STRICT,                                                              \
                                                              ATTESTD_EXECUTABLES,                                                         \
                                                              3,                                                                           \
                                                              33,                                                                          \
                                                              33,                                                                          \
                                                              "test",                                                                      \
                                                              REASON(PREFIX "_MEASUREMENT_NOT_LISTED")};                                   \
    static const struct attestd_check prefix##_host_data = {#prefix ".host_data",                                                          \
                                                            "host data is listed",                                                         \
                                                            0,                                                                             \
                                                            ATTESTD_STRICT,                                                                \
                                                            ATTESTD_EXECUTABLES,                                                           \
                                                            3,                                                                             \
                                                            33,                                                                            \
                                                            33,                                                                            \
                                                            "test",                                                                        \
                                                            REASON(PREFIX "_HOST_DATA_NOT_LISTED")};                                       \
    static const struct attestd_check prefix##_chip = {#prefix ".chip",                                                                    \
                                                       "chip is listed",                                                                   \
                                                       0,                                                                                  \
                                                       ATTESTD_STRICT,                                                                     \
                                                       ATTESTD_INSTANCE_IDENTITY,                                                          \
                                                       2,                                                                                  \
                                                       32,                                                                                 \
                                                       97,                                                                                 \
                                                       "test",                                                                             \
                                                       REASON(PREFIX "_CHIP_NOT_LISTED")};                                                 \
    static const struct attestd_check prefix##_rtmr = {                                                                                    \
        #prefix ".rtmr", "registers are listed",           0, ATTESTD_STRICT, ATTESTD_EXECUTABLES, 3, 33, 33,                              \
        "test",          REASON(PREFIX "_RTMR_NOT_LISTED")};                                                                               \
    static const struct attestd_check *const prefix##_checks[] = {                                                                         \
        &prefix##_signature,   &prefix##_debug,     &prefix##_smt,  &prefix##_revocation, &prefix##_rim,                                   \
        &prefix##_measurement, &prefix##_host_data, &prefix##_chip, &prefix##_rtmr,       NULL};

TOY_CHECKS(toy, "TOY")
TOY_CHECKS(tdev, "TDEV")

#define LISTED(prefix, name)                                                                                                               \
    "\"" name "\":{\"x-attestd-claim\":\"" name "\",\"x-attestd-check\":\"" prefix "." name "\",\"type\":\"string\",\"format\":\"hex\"}"
#define SCHEMA(prefix)                                                                                                                     \
    "{\"type\":\"object\",\"x-attestd-compares\":[\"" prefix ".rim\"],\"$defs\":{\"level\":{\"type\":\"integer\",\"minimum\":0}},"         \
    "\"properties\":{" LISTED(prefix, "measurement") "," LISTED(                                                                           \
        prefix, "chip") ","                                                                                                                \
                        "\"host_data\":{\"x-attestd-claim\":\"host_data\",\"x-attestd-check\":\"" prefix                                   \
                        ".host_data\",\"x-attestd-reference\":false,"                                                                      \
                        "\"type\":\"string\",\"format\":\"hex\"},"                                                                         \
                        "\"guest\":{\"type\":\"object\",\"x-attestd-checks\":[\"" prefix ".debug\",\"" prefix ".smt\"],\"properties\":{"   \
                        "\"debug\":{\"x-attestd-checks\":[\"" prefix                                                                       \
                        ".debug\"],\"oneOf\":[{\"type\":\"boolean\"},{\"type\":\"object\",\"properties\":{"                                \
                        "\"value\":{\"type\":\"boolean\"}}}]},\"level\":{\"$ref\":\"#/$defs/level\"}}},"                                   \
                        "\"revocation\":{\"type\":\"object\",\"x-attestd-checks\":[\"" prefix ".revocation\"],\"properties\":{"            \
                        "\"stale_for\":{\"type\":\"string\",\"format\":\"duration\"}}},"                                                   \
                        "\"signature\":{\"type\":\"object\",\"x-attestd-checks\":[\"" prefix ".signature\"],\"properties\":{}},"           \
                        "\"rtmr\":{\"type\":\"object\",\"patternProperties\":{\"^[0-3]$\":{\"x-attestd-claim\":\"rtmr.*\","                \
                        "\"x-attestd-check\":\"" prefix ".rtmr\",\"type\":\"string\",\"format\":\"hex\"}}}}}"

/* The value of a line "name=value"; NULL when there is none. */
static const char *line_value(const struct attestd_host *host, struct attestd_appraisal *a, const struct attestd_evidence *e,
                              const char *name)
{
    const char *text = (const char *)e->parts[0].bytes.data;
    size_t len = e->parts[0].bytes.len, name_len = strlen(name), at = 0;
    while (at < len) {
        const char *end = memchr(text + at, '\n', len - at);
        size_t line = end == NULL ? len - at : (size_t)(end - text) - at;
        if (line > name_len && strncmp(text + at, name, name_len) == 0 && text[at + name_len] == '=') {
            char *value = host->alloc(a, line - name_len);
            memcpy(value, text + at + name_len + 1, line - name_len - 1);
            return value;
        }
        at += line + 1;
    }
    return NULL;
}

static void simple_check(const struct attestd_host *host, struct attestd_appraisal *a, const struct attestd_check *check, const char *value,
                         const char *good)
{
    if (value == NULL)
        return;
    if (strcmp(value, "unavailable") == 0)
        host->check(a, check, ATTESTD_UNAVAILABLE, check->reasons[0].code, value, good);
    else if (strcmp(value, "skipped") == 0)
        host->check(a, check, ATTESTD_SKIPPED, NULL, value, good);
    else if (strcmp(value, good) == 0)
        host->check(a, check, ATTESTD_PASS, NULL, value, good);
    else
        host->check(a, check, ATTESTD_FAIL, check->reasons[0].code, value, good);
}

static int32_t verify(const struct attestd_host *host, const struct attestd_evidence *e, struct attestd_appraisal *a,
                      const struct attestd_check *const *checks)
{
    static const char *const claims[] = {"measurement", "chip", "host_data", "rtmr.0", "rtmr.1"};
    const char *field = line_value(host, a, e, "field"), *svn = line_value(host, a, e, "svn");
    uint8_t bytes[64];
    size_t len;
    simple_check(host, a, checks[0], line_value(host, a, e, "signature"), "good");
    simple_check(host, a, checks[1], line_value(host, a, e, "debug"), "false");
    simple_check(host, a, checks[2], line_value(host, a, e, "smt"), "false");
    simple_check(host, a, checks[3], line_value(host, a, e, "revocation"), "good");
    simple_check(host, a, checks[4], line_value(host, a, e, "rim"), "good");
    for (size_t i = 0; i < sizeof claims / sizeof claims[0]; i++) {
        const char *value = line_value(host, a, e, claims[i]);
        if (value != NULL)
            host->claim_text(a, claims[i], value);
    }
    if (svn != NULL)
        host->claim_number(a, "svn", atoi(svn));
    if (field != NULL && attestd_hex_decode(field, strlen(field), bytes, sizeof bytes, &len))
        host->binding_field(a, ATTESTD_BINDS_D, bytes, len);
    host->signed_bytes(a, e->parts[0].bytes.data, e->parts[0].bytes.len);
    return ATTESTD_DONE;
}

static int32_t toy_verify(const struct attestd_host *host, const struct attestd_evidence *e, struct attestd_appraisal *a)
{
    return verify(host, e, a, toy_checks);
}

static int32_t tdev_verify(const struct attestd_host *host, const struct attestd_evidence *e, struct attestd_appraisal *a)
{
    return verify(host, e, a, tdev_checks);
}

static int32_t toy_recognise(const uint8_t *bytes, size_t len)
{
    return len > 10 && memcmp(bytes, "signature=", 10) == 0 ? 60 : 0;
}

static int32_t never_recognise(const uint8_t *bytes, size_t len)
{
    (void)bytes;
    (void)len;
    return 0;
}

static const char *const toy_media[] = {"application/x-toy", NULL}, *const tdev_media[] = {"application/x-tdev", NULL};
static const struct attestd_reason toy_malformed[] = {{"TOY_MALFORMED", "mend it"}, {NULL, NULL}},
                                   tdev_malformed[] = {{"TDEV_MALFORMED", "mend it"}, {NULL, NULL}};

static const struct attestd_plugin toy_plugin = {.abi_version = ATTESTD_PLUGIN_ABI,
                                                 .struct_size = sizeof(struct attestd_plugin),
                                                 .name = "toy",
                                                 .version = "1",
                                                 .media_types = toy_media,
                                                 .evidence_class = ATTESTD_CLASS_CPU,
                                                 .checks = toy_checks,
                                                 .recognise = toy_recognise,
                                                 .verify = toy_verify,
                                                 .malformed = toy_malformed,
                                                 .raw_part = "report",
                                                 .policy_schema = SCHEMA("toy")};
static const struct attestd_plugin tdev_plugin = {.abi_version = ATTESTD_PLUGIN_ABI,
                                                  .struct_size = sizeof(struct attestd_plugin),
                                                  .name = "tdev",
                                                  .version = "1",
                                                  .media_types = tdev_media,
                                                  .evidence_class = ATTESTD_CLASS_DEVICE,
                                                  .checks = tdev_checks,
                                                  .recognise = never_recognise,
                                                  .verify = tdev_verify,
                                                  .malformed = tdev_malformed,
                                                  .raw_part = "report",
                                                  .policy_schema = SCHEMA("tdev")};

struct attestd_engine *toy_engine(void)
{
    struct attestd_engine *engine = attestd_engine_new();
    char error[256] = "";
    if (!attestd_engine_add(engine, &toy_plugin, error, sizeof error) || !attestd_engine_add(engine, &tdev_plugin, error, sizeof error))
        fail_msg("%s", error);
    return engine;
}

struct attestd_anchor_set *toy_anchors(void)
{
    struct attestd_anchor_set *anchors = attestd_anchor_set_new();
    attestd_anchor_set_seal(anchors);
    return anchors;
}

struct attestd_policy_set *toy_compile(struct attestd_engine *engine, const char *text)
{
    struct attestd_policy_file file = {"test.yaml", text, strlen(text)};
    struct attestd_policy_fault faults[4];
    size_t count;
    struct attestd_policy_set *set = attestd_policy_compile(engine, NULL, &file, 1, false, NULL, NULL, faults, 4, &count);
    if (set == NULL)
        fail_msg("%s:%u:%u %s %s", faults[0].file, faults[0].line, faults[0].column, faults[0].code, faults[0].message);
    return set;
}

struct attestd_policy_fault toy_fault(struct attestd_engine *engine, const char *text)
{
    struct attestd_policy_file file = {"test.yaml", text, strlen(text)};
    struct attestd_policy_fault faults[4] = {{{0}, 0, 0, {0}, {0}}};
    size_t count;
    struct attestd_policy_set *set = attestd_policy_compile(engine, NULL, &file, 1, false, NULL, NULL, faults, 4, &count);
    attestd_policy_set_free(set);
    return faults[0];
}

static size_t count_pieces(const struct toy_case *c)
{
    size_t count = 0;
    while (count < 8 && c->pieces[count].label != NULL)
        count++;
    return count;
}

/* The lines of a piece, and for the binder the field that binds the request; of a device its nonce. */
static struct attestd_bytes piece_bytes(struct attestd_arena *arena, const struct toy_piece *piece, const struct attestd_request *request,
                                        const struct attestd_device_digest *devices, size_t device_count)
{
    uint8_t field[64] = {0};
    const char *why, *text;
    if (strcmp(piece->type, "toy") == 0) {
        if (!attestd_binding_expected(request, devices, device_count, field, &why))
            memset(field, 0xee, sizeof field);
        text = attestd_arena_format(arena, "%s\nfield=%s\n", piece->lines, attestd_arena_hex(arena, field, 64));
    } else {
        attestd_binding_device_nonce(request->nonce, piece->label, field);
        text = attestd_arena_format(arena, "%s\nfield=%s\n", piece->lines, attestd_arena_hex(arena, field, 32));
    }
    return (struct attestd_bytes){(const uint8_t *)text, strlen(text)};
}

static void set_parts(struct attestd_arena *arena, struct attestd_piece_request *target, const struct toy_piece *piece,
                      struct attestd_bytes bytes)
{
    struct attestd_part *part = attestd_arena_alloc(arena, sizeof *part);
    *part = (struct attestd_part){"report", bytes};
    *target = (struct attestd_piece_request){piece->label, piece->type, part, 1};
}

static struct attestd_request *make_request(struct attestd_arena *arena, const struct toy_case *c)
{
    static const uint8_t nonce[32] = {1, 2, 3, 4};
    struct attestd_request *request = attestd_arena_alloc(arena, sizeof *request);
    *request = (struct attestd_request){.nonce = {nonce, c->no_nonce ? 0 : 32},
                                        .freshness = c->no_nonce         ? ATTESTD_FRESH_NONE
                                                     : c->freshness == 0 ? ATTESTD_FRESH_EXTERNAL
                                                                         : c->freshness,
                                        .nonce_age = c->nonce_age == 0 ? -1 : c->nonce_age,
                                        .audience = c->audience,
                                        .layout = c->layout == NULL ? "raw" : c->layout,
                                        .key = c->key,
                                        .data = c->data,
                                        .data_count = c->data_count,
                                        .no_binding = c->no_binding,
                                        .piece_count = count_pieces(c)};
    return request;
}

struct toy_run toy_appraise(struct attestd_engine *engine, const struct attestd_policy *policy, const struct toy_case *c)
{
    struct toy_run run = {.arena = attestd_arena_new()};
    struct attestd_request *request = make_request(run.arena, c);
    struct attestd_piece_request *pieces = attestd_arena_array(run.arena, 8, sizeof *pieces);
    struct attestd_device_digest devices[8];
    size_t device_count = 0;
    struct attestd_anchor_set *anchors = toy_anchors();
    request->pieces = pieces;
    for (size_t i = 0; i < request->piece_count; i++) { /* devices first: the binder covers them */
        struct attestd_bytes bytes;
        if (strcmp(c->pieces[i].type, "tdev") != 0)
            continue;
        bytes = piece_bytes(run.arena, &c->pieces[i], request, NULL, 0);
        set_parts(run.arena, &pieces[i], &c->pieces[i], bytes);
        devices[device_count].label = c->pieces[i].label;
        attestd_sha256(bytes.data, bytes.len, devices[device_count++].sha256);
    }
    for (size_t i = 0; i < request->piece_count; i++) {
        if (strcmp(c->pieces[i].type, "toy") == 0)
            set_parts(run.arena, &pieces[i], &c->pieces[i], piece_bytes(run.arena, &c->pieces[i], request, devices, device_count));
    }
    run.job = attestd_job_new(engine, request, attestd_policy_view(policy), anchors, NULL);
    attestd_anchor_set_free(anchors);
    assert_int_equal(attestd_job_run(run.job, c->time == 0 ? TOY_TIME : c->time), ATTESTD_DONE);
    run.result = attestd_job_result(run.job);
    return run;
}

void toy_free(struct toy_run *run)
{
    attestd_job_free(run->job);
    attestd_arena_free(run->arena);
    attestd_policy_free(run->policy);
}

const struct attestd_piece *toy_piece(const struct toy_run *run, const char *label)
{
    for (size_t i = 0; i < run->result->piece_count; i++) {
        if (strcmp(run->result->pieces[i].label, label) == 0)
            return &run->result->pieces[i];
    }
    fail_msg("no piece %s", label);
    return NULL;
}

const struct attestd_check_result *toy_check(const struct toy_run *run, const char *label, const char *id)
{
    const struct attestd_check_list *list = label == NULL ? &run->result->checks : &toy_piece(run, label)->checks;
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i].check->id, id) == 0)
            return &list->items[i];
    }
    return NULL;
}
