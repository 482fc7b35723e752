/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/token/sample.h"

#include "core/json.h"
#include "core/value.h"
#include <stdint.h>
#include <string.h>

#define CHECKS 24

void sample_check(struct attestd_arena *arena, struct attestd_check_list *list, const char *id, int outcome, int mode, const char *code)
{
    struct attestd_check *check = attestd_arena_alloc(arena, sizeof(*check));
    check->id = id;
    check->title = id;
    check->claim = ATTESTD_HARDWARE;
    struct attestd_check_result *items = attestd_arena_array(arena, list->count + 1, sizeof(*items));
    if (list->count > 0)
        memcpy(items, list->items, list->count * sizeof(*items));
    items[list->count] = (struct attestd_check_result){.check = check, .outcome = outcome, .mode = mode, .code = code};
    list->items = items;
    list->size = ++list->count;
}

static const struct attestd_value *snp_claims(struct attestd_arena *arena)
{
    uint8_t bytes[64];
    struct attestd_tree *tree = attestd_tree_new(arena);
    memset(bytes, 0xa5, sizeof(bytes));
    attestd_tree_number(tree, "snp.report_version", 3);
    attestd_tree_text(tree, "snp.product", "Genoa");
    attestd_tree_bytes(tree, "snp.measurement", bytes, 48);
    attestd_tree_bytes(tree, "snp.report_data", bytes, 64);
    attestd_tree_bytes(tree, "snp.host_data", bytes, 32);
    attestd_tree_bytes(tree, "snp.chip_id", bytes, 64);
    attestd_tree_number(tree, "snp.vmpl", 0);
    attestd_tree_flag(tree, "snp.policy.debug_allowed", false);
    attestd_tree_flag(tree, "snp.policy.smt_allowed", true);
    attestd_tree_number(tree, "snp.reported_tcb.bootloader", 10);
    attestd_tree_number(tree, "snp.reported_tcb.snp", 23);
    attestd_tree_number(tree, "snp.reported_tcb.microcode", 84);
    return attestd_tree_value(tree);
}

static const struct attestd_value *gpu_claims(struct attestd_arena *arena, size_t index)
{
    struct attestd_tree *tree = attestd_tree_new(arena);
    attestd_tree_text(tree, "nvgpu.arch", "HOPPER");
    attestd_tree_text(tree, "nvgpu.ueid", attestd_arena_format(arena, "57822098395894317960439813063%05zu", index));
    attestd_tree_text(tree, "nvgpu.driver_version", "550.90.07");
    attestd_tree_text(tree, "nvgpu.vbios_version", "96.00.9F.00.01");
    attestd_tree_number(tree, "nvgpu.measurements.total", 64);
    attestd_tree_number(tree, "nvgpu.measurements.matched", 64);
    for (int i = 0; i < 6; i++)
        attestd_tree_number(tree, "nvgpu.measurements.compared[]", i);
    return attestd_tree_value(tree);
}

static void fill_piece(struct attestd_arena *arena, struct attestd_piece *piece, const char *label, const char *type, int evidence_class)
{
    struct attestd_plugin *plugin = attestd_arena_alloc(arena, sizeof(*plugin));
    plugin->name = type;
    plugin->version = "1";
    plugin->evidence_class = evidence_class;
    piece->label = label;
    piece->type = type;
    piece->plugin = plugin;
    piece->authentic = true;
    piece->verdict = ATTESTD_AFFIRMING;
    piece->vector[ATTESTD_CONFIGURATION] = 2;
    piece->vector[ATTESTD_EXECUTABLES] = 3;
    piece->vector[ATTESTD_HARDWARE] = 2;
    piece->vector[ATTESTD_RUNTIME_OPAQUE] = 2;
    for (int i = 0; i < CHECKS; i++)
        sample_check(arena, &piece->checks, attestd_arena_format(arena, "%s.check_number_%02d", type, i), ATTESTD_PASS, ATTESTD_STRICT,
                     NULL);
}

struct attestd_result *sample_result(struct attestd_arena *arena, size_t gpus)
{
    struct attestd_result *result = attestd_arena_alloc(arena, sizeof(*result));
    struct attestd_endorsement_use *uses = attestd_arena_array(arena, 3, sizeof(*uses));
    result->verdict = ATTESTD_AFFIRMING;
    result->pieces = attestd_arena_array(arena, 1 + gpus, sizeof(*result->pieces));
    result->piece_count = 1 + gpus;
    fill_piece(arena, &result->pieces[0], "cpu0", "snp", ATTESTD_CLASS_CPU);
    result->pieces[0].claims = snp_claims(arena);
    for (size_t i = 0; i < gpus; i++) {
        fill_piece(arena, &result->pieces[1 + i], attestd_arena_format(arena, "gpu%zu", i), "nvgpu", ATTESTD_CLASS_DEVICE);
        result->pieces[1 + i].claims = gpu_claims(arena, i);
    }
    sample_check(arena, &result->checks, "binding.nonce", ATTESTD_PASS, ATTESTD_STRICT, NULL);
    sample_check(arena, &result->checks, "require.count", ATTESTD_PASS, ATTESTD_STRICT, NULL);
    uses[0] = (struct attestd_endorsement_use){.kind = "snp.vcek", .sha256 = {2}, .state = ATTESTD_ENDORSEMENT_ACCEPTED};
    uses[1] = (struct attestd_endorsement_use){.kind = "snp.ask", .sha256 = {1}, .state = ATTESTD_ENDORSEMENT_ACCEPTED};
    uses[2] = (struct attestd_endorsement_use){.kind = "snp.crl", .sha256 = {3}, .state = ATTESTD_ENDORSEMENT_REJECTED};
    result->endorsements = uses;
    result->endorsement_count = 3;
    result->policy_name = "prod-inference";
    result->policy_version = 14;
    memset(result->policy_digest, 0x9f, 32);
    memset(result->anchors_digest, 0xaa, 32);
    memset(result->evidence_digest, 0xee, 32);
    result->freshness = ATTESTD_FRESH_CHALLENGE;
    result->score = 100;
    result->not_after = INT64_MAX;
    return result;
}

const struct attestd_jwk *sample_key(struct attestd_arena *arena)
{
    static const char text[] = "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs\","
                               "\"y\":\"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA\"}";
    const char *error;
    json_t *json = attestd_json_read(text, sizeof(text) - 1, 4, NULL, 0);
    const struct attestd_jwk *key = attestd_jwk_read(arena, json, &error);
    json_decref(json);
    return key;
}
