/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/core/script.h"

#include "core/encoding.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

unsigned script_runs;

#define PLUGIN_DATA(name, NAME)                                                                                                            \
    static const struct attestd_reason name##_signature_reasons[] = {{NAME "_SIGNATURE_BAD", "Sign it."}, {NULL, NULL}};                   \
    static const struct attestd_reason name##_parse_reasons[] = {{NAME "_RESERVED", "Zero it."}, {NULL, NULL}};                            \
    static const struct attestd_reason name##_soft_reasons[] = {{NAME "_SOFT", "Mend it."}, {NULL, NULL}};                                 \
    static const struct attestd_reason name##_list_reasons[] = {{NAME "_LIST_MISSING", "Fetch it."}, {NULL, NULL}};                        \
    static const struct attestd_check name##_signature = {                                                                                 \
        #name ".signature", "it is signed", 1, ATTESTD_STRICT, ATTESTD_HARDWARE, 2, 0, 99, "nowhere", name##_signature_reasons};           \
    static const struct attestd_check name##_parse = {#name ".parse", "it is in form",     1, ATTESTD_STRICT, ATTESTD_NO_CLAIM, 0, 0, 0,   \
                                                      "nowhere",      name##_parse_reasons};                                               \
    static const struct attestd_check name##_soft = {#name ".soft", "it is soft",       0, ATTESTD_STRICT, ATTESTD_EXECUTABLES, 3, 33, 33, \
                                                     "nowhere",     name##_soft_reasons};                                                  \
    static const struct attestd_check name##_list = {#name ".list", "it is listed",     0, ATTESTD_STRICT, ATTESTD_NO_CLAIM, 0, 0, 0,      \
                                                     "nowhere",     name##_list_reasons};                                                  \
    static const struct attestd_check *const name##_checks[] = {&name##_signature, &name##_parse, &name##_soft, &name##_list, NULL};       \
    static const struct attestd_reason name##_malformed[] = {{NAME "_TRUNCATED", "Send all of it."}, {NULL, NULL}};                        \
    static const struct attestd_endorsement_kind name##_kinds[] = {                                                                        \
        {#name ".cert", "certificate", ATTESTD_IMMUTABLE, 4096}, {#name ".crl", "list", ATTESTD_AGEING, 4096}, {NULL, NULL, 0, 0}};        \
    static const char *const name##_media_types[] = {"application/vnd.attestd." #name, NULL}

PLUGIN_DATA(script, "SCRIPT");
PLUGIN_DATA(gadget, "GADGET");

static const struct attestd_check nobodys = {
    "nobody.check", "nobody", 0, ATTESTD_STRICT, ATTESTD_NO_CLAIM, 0, 0, 0, "nowhere", script_soft_reasons,
};

/* One run. */
struct run {
    const struct attestd_host *host;
    const struct attestd_evidence *evidence;
    struct attestd_appraisal *a;
    const char *name;
    const struct attestd_check *const *checks;
    int32_t answer;
};

static struct attestd_bytes part(const struct run *run, const char *name)
{
    for (size_t i = 0; i < run->evidence->part_count; i++)
        if (strcmp(run->evidence->parts[i].name, name) == 0)
            return run->evidence->parts[i].bytes;
    return (struct attestd_bytes){NULL, 0};
}

static const struct attestd_check *check_of(const struct run *run, const char *id)
{
    size_t skip = strlen(run->name) + 1;

    for (size_t i = 0; run->checks[i] != NULL; i++)
        if (strcmp(run->checks[i]->id + skip, id) == 0)
            return run->checks[i];
    return NULL;
}

static void step_check(struct run *run, const char *id, const char *outcome)
{
    static const char *const names[] = {"pass", "fail", "skipped", "unavailable"};
    char *code = strchr(outcome, ' ');

    if (code != NULL)
        *code++ = '\0';
    for (int32_t i = 0; i < 4; i++)
        if (strcmp(outcome, names[i]) == 0)
            run->host->check(run->a, check_of(run, id), i, code, "seen", "wanted");
}

static void step_need(struct run *run, const char *kind, const char *key)
{
    char whole[64];
    struct attestd_endorsement got;

    snprintf(whole, sizeof whole, "%s.%s", run->name, kind);
    for (;;) {
        int32_t answer = run->host->need(run->a, whole, key, &got);
        if (answer == ATTESTD_NEED_WAITING)
            run->answer = ATTESTD_PENDING;
        if (answer == ATTESTD_NEED_ABSENT)
            run->host->check(run->a, check_of(run, "list"), ATTESTD_UNAVAILABLE,
                             strcmp(run->name, "script") == 0 ? "SCRIPT_LIST_MISSING" : "GADGET_LIST_MISSING", NULL, "it");
        if (answer != ATTESTD_NEED_READY)
            return;
        if (got.bytes.len < 3 || memcmp(got.bytes.data, "bad", 3) != 0) {
            run->host->accept(run->a, got.handle, strcmp(kind, "crl") == 0 ? 5000 : 0, 1);
            return;
        }
        run->host->reject(run->a, got.handle, "BAD");
    }
}

static void step_offer(struct run *run, const char *kind, char *rest)
{
    char whole[64];
    struct attestd_endorsement got;
    char *text = strchr(rest, ' ');

    *text++ = '\0';
    snprintf(whole, sizeof whole, "%s.%s", run->name, kind);
    char *kept = run->host->alloc(run->a, strlen(text) + 1);
    strcpy(kept, text);
    run->host->offer(run->a, whole, rest, (const uint8_t *)kept, strlen(kept), &got);
    run->host->accept(run->a, got.handle, 5000, 1);
}

static void step_memo(struct run *run, const char *text, const char *not_after)
{
    uint8_t key[32];

    run->host->sha256((const uint8_t *)text, strlen(text), key);
    const char *object = run->host->memo_get(run->a, key);
    run->host->claim_text(run->a, "memo", object != NULL ? "hit" : "miss");
    if (object == NULL)
        run->host->memo_put(run->a, key, strdup(text), strlen(text), atoll(not_after), free);
}

static void steps(struct run *run, const char *text, size_t len, char end);

static void step_delegate(struct run *run, const char *type, const char *text)
{
    struct attestd_part inner = {"script", {NULL, strlen(text)}};
    char *lines = run->host->alloc(run->a, strlen(text) + 1);
    struct attestd_bytes field;

    for (size_t i = 0; text[i] != '\0'; i++)
        lines[i] = text[i] == ';' ? '\n' : text[i];
    inner.bytes.data = (const uint8_t *)lines;
    int32_t answer = run->host->delegate(run->a, type, &inner, 1, &field);
    if (answer != ATTESTD_DONE)
        run->answer = answer;
    if (field.len > 0)
        run->host->binding_field(run->a, ATTESTD_BINDS_D, field.data, field.len);
}

static void step_signature(struct run *run)
{
    struct attestd_bytes spki = part(run, "spki"), message = part(run, "message"), signature = part(run, "signature");
    int32_t good = run->host->signature(run->a, ATTESTD_ECDSA_P256_SHA256, spki.data, spki.len, message.data, message.len, signature.data,
                                        signature.len);

    run->host->claim_number(run->a, "good", good);
}

static void step(struct run *run, char *line)
{
    static char none[] = "";
    char *first = strchr(line, ' '), *rest = none;
    uint8_t bytes[256];
    size_t len = 0;

    if (first != NULL) {
        *first++ = '\0';
        rest = strchr(first, ' ');
        if (rest != NULL)
            *rest++ = '\0';
        else
            rest = none;
    } else {
        first = none;
    }
    if (strcmp(line, "check") == 0)
        step_check(run, first, rest);
    else if (strcmp(line, "foreign") == 0)
        run->host->check(run->a, &nobodys, ATTESTD_PASS, NULL, NULL, NULL);
    else if (strcmp(line, "bind") == 0 && attestd_hex_decode(rest, strlen(rest), bytes, sizeof bytes, &len))
        run->host->binding_field(run->a, atoi(first), bytes, len);
    else if (strcmp(line, "sign") == 0 && attestd_hex_decode(first, strlen(first), bytes, sizeof bytes, &len))
        run->host->signed_bytes(run->a, bytes, len);
    else if (strcmp(line, "claim") == 0)
        run->host->claim_text(run->a, first, rest);
    else if (strcmp(line, "need") == 0)
        step_need(run, first, rest);
    else if (strcmp(line, "offer") == 0)
        step_offer(run, first, rest);
    else if (strcmp(line, "pend") == 0)
        run->answer = ATTESTD_PENDING;
    else if (strcmp(line, "answer") == 0)
        run->answer = atoi(first);
    else if (strcmp(line, "malformed") == 0) {
        run->host->malformed(run->a, first, "script", 7, "as told");
        run->answer = ATTESTD_MALFORMED;
    } else if (strcmp(line, "delegate") == 0)
        step_delegate(run, first, rest);
    else if (strcmp(line, "memo") == 0)
        step_memo(run, first, rest);
    else if (strcmp(line, "anchor") == 0) {
        struct attestd_bytes der = part(run, "certificate");
        run->host->claim_number(run->a, "anchor", run->host->anchor(run->a, first, der.data, der.len));
    } else if (strcmp(line, "recall") == 0) {
        struct attestd_bytes known = run->host->recall(run->a, (const uint8_t *)first, strlen(first));
        run->host->claim_bytes(run->a, "recalled", known.data, known.len);
    } else if (strcmp(line, "propose") == 0)
        run->host->propose(run->a, (const uint8_t *)first, strlen(first), (const uint8_t *)rest, strlen(rest));
    else if (strcmp(line, "signature") == 0)
        step_signature(run);
    else
        abort();
}

static void steps(struct run *run, const char *text, size_t len, char end)
{
    char line[2048];

    while (len > 0) {
        const char *stop = memchr(text, end, len);
        size_t size = stop != NULL ? (size_t)(stop - text) : len;
        if (size >= sizeof line)
            abort();
        memcpy(line, text, size);
        line[size] = '\0';
        if (size > 0)
            step(run, line);
        size += stop != NULL;
        text += size;
        len -= size;
    }
}

static int32_t verify_as(const struct attestd_host *host, const struct attestd_evidence *evidence, struct attestd_appraisal *a,
                         const char *name, const struct attestd_check *const *checks)
{
    struct run run = {host, evidence, a, name, checks, ATTESTD_DONE};
    struct attestd_bytes script = part(&run, "script");

    __atomic_add_fetch(&script_runs, 1, __ATOMIC_RELAXED);
    steps(&run, (const char *)script.data, script.len, '\n');
    return run.answer;
}

static int32_t script_verify(const struct attestd_host *host, const struct attestd_evidence *evidence, struct attestd_appraisal *a)
{
    return verify_as(host, evidence, a, "script", script_checks);
}

static int32_t gadget_verify(const struct attestd_host *host, const struct attestd_evidence *evidence, struct attestd_appraisal *a)
{
    return verify_as(host, evidence, a, "gadget", gadget_checks);
}

static int32_t script_recognise(const uint8_t *bytes, size_t len)
{
    return len >= 6 && memcmp(bytes, "check ", 6) == 0 ? 80 : 0;
}

const struct attestd_plugin script_plugin = {
    .abi_version = ATTESTD_PLUGIN_ABI,
    .struct_size = sizeof(struct attestd_plugin),
    .name = "script",
    .version = "1",
    .media_types = script_media_types,
    .evidence_class = ATTESTD_CLASS_CPU,
    .checks = script_checks,
    .recognise = script_recognise,
    .verify = script_verify,
    .malformed = script_malformed,
    .raw_part = "script",
    .endorsements = script_kinds,
    .inspect = script_verify,
};

const struct attestd_plugin gadget_plugin = {
    .abi_version = ATTESTD_PLUGIN_ABI,
    .struct_size = sizeof(struct attestd_plugin),
    .name = "gadget",
    .version = "2",
    .media_types = gadget_media_types,
    .evidence_class = ATTESTD_CLASS_DEVICE,
    .checks = gadget_checks,
    .verify = gadget_verify,
    .malformed = gadget_malformed,
    .raw_part = "script",
    .endorsements = gadget_kinds,
};
