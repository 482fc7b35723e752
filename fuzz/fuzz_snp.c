/* SPDX-License-Identifier: Apache-2.0 */
/* A raw body through the SNP plugin, with nobody to ask: it may be malformed or refused, and never authentic. */
#include "fuzz/harness.h"

#include "core/appraise.h"
#include "plugins/snp/certificates.h"
#include "plugins/snp/verify.h"
#include <string.h>

#define NOW INT64_C(1795219200)

static void found(void *context, const char *kind, const char *key)
{
    (void)context;
    PROMISE(strncmp(kind, "snp.", 4) == 0);
    PROMISE(strlen(key) > 0 && strlen(key) < SNP_KEY_SIZE);
}

static struct attestd_engine *engine(void)
{
    static struct attestd_engine *made;
    char error[256];
    if (!made) {
        made = attestd_engine_new();
        PROMISE(attestd_engine_add(made, attestd_plugin(), error, sizeof error));
    }
    return made;
}

static int appraise(const uint8_t *bytes, size_t len, struct attestd_anchor_set *anchors)
{
    const struct attestd_part part = {"report", {bytes, len}};
    const struct attestd_piece_request piece = {"cpu0", "snp", &part, 1};
    const struct attestd_request request = {.layout = "attestd-v1", .no_binding = true, .pieces = &piece, .piece_count = 1};
    struct attestd_job *job = attestd_job_new(engine(), &request, NULL, anchors, NULL);
    int answer = attestd_job_run(job, NOW);
    while (answer == ATTESTD_PENDING) {
        const struct attestd_need *needs;
        size_t count = attestd_job_needs(job, &needs);
        PROMISE(count > 0);
        for (size_t i = 0; i < count; i++)
            attestd_job_absent(job, needs[i].kind, needs[i].key, "fuzzing");
        answer = attestd_job_run(job, NOW);
    }
    const struct attestd_result *result = attestd_job_result(job);
    PROMISE(!result->pieces[0].authentic);
    for (size_t i = 0; i < result->pieces[0].checks.count; i++)
        PROMISE(strncmp(result->pieces[0].checks.items[i].check->id, "plugin.", 7) != 0);
    attestd_job_free(job);
    return answer;
}

static void inspect(const uint8_t *bytes, size_t len, int answer)
{
    const struct attestd_part part = {"report", {bytes, len}};
    const struct attestd_piece_request piece = {"cpu0", "snp", &part, 1};
    struct attestd_arena *arena = attestd_arena_new();
    char error[512];
    const struct attestd_value *claims = attestd_inspect(engine(), arena, &piece, error, sizeof error);
    PROMISE((claims == NULL) == (answer == ATTESTD_MALFORMED));
    attestd_arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static struct attestd_anchor_set *none;
    if (!none) {
        none = attestd_anchor_set_new();
        attestd_anchor_set_seal(none);
    }
    PROMISE(attestd_plugin()->recognise(bytes, len) <= 100);
    snp_identify(bytes, len, found, NULL);
    inspect(bytes, len, appraise(bytes, len, none));
    return 0;
}
