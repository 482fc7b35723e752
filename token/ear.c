/* SPDX-License-Identifier: Apache-2.0 */
/* EAT Attestation Result (draft-ietf-rats-ear, the profile of 2023, which is the one that readers in the field accept). */
#include "token/claims.h"

#include "core/value.h"

#include <string.h>

#define EAR_PROFILE "tag:github.com,2023:veraison/ear"

/* Gateways refuse header lines over 8 kB; tokens of 6 kB pass everywhere. */
#define FOLD_BEYOND 6144
#define TRIM_BEYOND 7680

#define LONG_TEXT 128 /* characters */
#define LONG_MAP 16   /* members */

/* What is left out, each step with all before it. Failed checks and verdicts never are. */
enum trim {
    TRIM_NOTHING,
    TRIM_PASSED_CHECKS, /* measres: "folded:N" instead of each check that passed */
    TRIM_LONG_CLAIMS,   /* annotated evidence without lists, long texts and large maps */
    TRIM_DEVICE_CLAIMS, /* annotated evidence of the binder alone */
    TRIM_CLAIMS,        /* no annotated evidence */
    TRIM_POLICY_IDS     /* ear.appraisal-policy-id of the binder alone; attestd_policy says the same */
};
static const char *const trim_names[] = {NULL, "passed-checks", "long-claims", "device-claims", "claims", "policy-ids"};

struct ear {
    struct attestd_json_writer json;
    const struct attestd_token_claims *claims;
    const struct attestd_result *result;
    enum trim trim;
};

/* --- measres (RFC 9711 section 4.2.17): results of comparisons, a group for each system --- */

static const char *comparison(int32_t outcome)
{
    switch (outcome) {
    case ATTESTD_PASS:
        return "success";
    case ATTESTD_FAIL:
        return "fail";
    default:
        return "not-run"; /* skipped, or the endorsement to compare with could not be had */
    }
}

static size_t system_length(const char *id)
{
    return strcspn(id, ".");
}

static bool same_system(const char *a, const char *b)
{
    size_t len = system_length(a);
    return system_length(b) == len && memcmp(a, b, len) == 0;
}

static void comparison_entry(struct attestd_json_writer *json, const char *id, const char *result)
{
    attestd_json_open_list(json, NULL);
    attestd_json_text(json, NULL, id);
    attestd_json_text(json, NULL, result);
    attestd_json_close_list(json);
}

/* All checks of one system: "snp.signature" is ["signature","success"] under "attestd.snp". */
static void system_group(struct ear *ear, const struct attestd_check_list *list, const char *first)
{
    struct attestd_text name = {0};
    size_t folded = 0;
    attestd_text_printf(&name, "attestd.%.*s", (int)system_length(first), first);
    attestd_json_open_list(&ear->json, NULL);
    attestd_json_text(&ear->json, NULL, name.data);
    attestd_json_open_list(&ear->json, NULL);
    for (size_t i = 0; i < list->count; i++) {
        const struct attestd_check_result *item = &list->items[i];
        if (!same_system(item->check->id, first))
            continue;
        if (item->outcome == ATTESTD_PASS && ear->trim >= TRIM_PASSED_CHECKS) {
            folded++;
            continue;
        }
        const char *rest = item->check->id + system_length(first);
        comparison_entry(&ear->json, *rest == '.' ? rest + 1 : item->check->id, comparison(item->outcome));
    }
    if (folded > 0) {
        name.len = 0;
        attestd_text_printf(&name, "folded:%zu", folded);
        comparison_entry(&ear->json, name.data, "success");
    }
    attestd_json_close_list(&ear->json);
    attestd_json_close_list(&ear->json);
    attestd_text_free(&name);
}

static void measres(struct ear *ear, const struct attestd_check_list *list)
{
    if (list->count == 0)
        return;
    attestd_json_open_list(&ear->json, "measres");
    for (size_t i = 0; i < list->count; i++) {
        bool seen = false;
        for (size_t k = 0; k < i && !seen; k++)
            seen = same_system(list->items[k].check->id, list->items[i].check->id);
        if (!seen)
            system_group(ear, list, list->items[i].check->id);
    }
    attestd_json_close_list(&ear->json);
}

/* --- annotated evidence: the claims, and beside them the two fields under the names that Trustee's policies read --- */

static const struct {
    const char *name, *claim;
} portable_fields[] = {
    {"report_data", "snp.report_data"}, {"report_data", "tdx.report_data"}, {"report_data", "sgx.report_data"},
    {"init_data", "snp.host_data"},     {"init_data", "tdx.mrconfigid"},
};

static const struct attestd_value *claim_at(const struct attestd_value *claims, const char *path)
{
    return claims == NULL ? NULL : attestd_value_find(claims, path);
}

static bool is_long(const struct attestd_value *value)
{
    switch (value->kind) {
    case ATTESTD_VALUE_LIST:
        return value->count > 0;
    case ATTESTD_VALUE_MAP:
        return value->count > LONG_MAP;
    case ATTESTD_VALUE_TEXT:
        return value->text.len > LONG_TEXT;
    case ATTESTD_VALUE_BYTES:
        return value->text.len * 2 > LONG_TEXT;
    default:
        return false;
    }
}

static void short_claims(struct attestd_json_writer *json, const char *name, const struct attestd_value *map)
{
    attestd_json_open_map(json, name);
    for (size_t i = 0; i < map->count; i++) {
        const struct attestd_value *item = &map->items[i];
        if (is_long(item))
            continue;
        if (item->kind == ATTESTD_VALUE_MAP)
            short_claims(json, item->name, item);
        else
            attestd_json_value(json, item->name, item);
    }
    attestd_json_close_map(json);
}

/* Claims stand under the name of the plugin that made them; where it delegated, the other's stand beside. */
static void annotated_evidence(struct ear *ear, const struct attestd_piece *piece)
{
    attestd_json_open_map(&ear->json, "ear.veraison.annotated-evidence");
    for (size_t i = 0; i < piece->claims->count; i++) {
        const struct attestd_value *item = &piece->claims->items[i];
        if (ear->trim >= TRIM_LONG_CLAIMS && item->kind == ATTESTD_VALUE_MAP)
            short_claims(&ear->json, item->name, item);
        else
            attestd_json_value(&ear->json, item->name, item);
    }
    const char *written = "";
    for (size_t i = 0; i < sizeof(portable_fields) / sizeof(portable_fields[0]); i++) {
        const struct attestd_value *value = claim_at(piece->claims, portable_fields[i].claim);
        if (value == NULL || strcmp(written, portable_fields[i].name) == 0)
            continue;
        written = portable_fields[i].name;
        attestd_json_value(&ear->json, written, value);
    }
    attestd_json_close_map(&ear->json);
}

/* --- one submodule --- */

/* Where evidence says whether its memory can be read by a debugger. */
static const char *const debug_claims[] = {"snp.policy.debug_allowed", "tdx.td_attributes.debug", "sgx.attributes.debug", "nitro.debug"};

/* RFC 9711 section 4.2.9. These TEEs fix it at launch: "disabled-since-boot". Nothing is said where nothing is known. */
static void dbgstat(struct ear *ear, const struct attestd_piece *piece)
{
    for (size_t i = 0; i < sizeof(debug_claims) / sizeof(debug_claims[0]); i++) {
        const struct attestd_value *value = claim_at(piece->claims, debug_claims[i]);
        if (value == NULL || value->kind != ATTESTD_VALUE_FLAG)
            continue;
        attestd_json_text(&ear->json, "dbgstat", value->number != 0 ? "enabled" : "disabled-since-boot");
        return;
    }
}

/* Claims of value 0 say nothing and are left out; but the vector may not be empty. */
static void vector(struct ear *ear, const struct attestd_piece *piece)
{
    bool any = false;
    attestd_json_open_map(&ear->json, "ear.trustworthiness-vector");
    for (int i = 0; i < ATTESTD_TRUST_CLAIMS; i++) {
        if (piece->vector[i] == 0)
            continue;
        attestd_json_number(&ear->json, attestd_trust_claim_name(i), piece->vector[i]);
        any = true;
    }
    if (!any)
        attestd_json_number(&ear->json, attestd_trust_claim_name(ATTESTD_HARDWARE), 0);
    attestd_json_close_map(&ear->json);
}

/* The pieces whose signed field carries all others speak for the whole: readers that look at submods.cpu0 alone must not read better than
 * the truth. Where no piece is of class cpu, every piece does. */
static bool speaks_for_all(const struct attestd_result *result, const struct attestd_piece *piece)
{
    if (piece->plugin == NULL || piece->plugin->evidence_class == ATTESTD_CLASS_CPU)
        return true;
    for (size_t i = 0; i < result->piece_count; i++) {
        const struct attestd_plugin *plugin = result->pieces[i].plugin;
        if (plugin != NULL && plugin->evidence_class == ATTESTD_CLASS_CPU)
            return false;
    }
    return true;
}

static void policy_id(struct ear *ear)
{
    char digest[DIGEST_TEXT_SIZE];
    struct attestd_text text = {0};
    token_digest_text(ear->result->policy_digest, digest);
    attestd_text_printf(&text, "%s@%s", ear->result->policy_name != NULL ? ear->result->policy_name : "", digest);
    attestd_json_text(&ear->json, "ear.appraisal-policy-id", text.data);
    attestd_text_free(&text);
}

static void submodule(struct ear *ear, const struct attestd_piece *piece)
{
    bool whole = speaks_for_all(ear->result, piece);
    enum attestd_verdict status = whole ? token_verdict(ear->result) : token_piece_verdict(piece);
    attestd_json_open_map(&ear->json, piece->label);
    attestd_json_text(&ear->json, "ear.status", attestd_verdict_name(status));
    vector(ear, piece);
    if (whole || ear->trim < TRIM_POLICY_IDS)
        policy_id(ear);
    if (piece->authentic)
        dbgstat(ear, piece);
    measres(ear, &piece->checks);
    if (piece->authentic && piece->claims != NULL && (ear->trim < TRIM_DEVICE_CLAIMS || (whole && ear->trim < TRIM_CLAIMS)))
        annotated_evidence(ear, piece);
    attestd_json_close_map(&ear->json);
}

/* --- the whole --- */

static void verifier(struct ear *ear)
{
    attestd_json_open_map(&ear->json, "ear.verifier-id");
    attestd_json_text(&ear->json, "developer", ear->claims->developer != NULL ? ear->claims->developer : ear->claims->issuer);
    attestd_json_text(&ear->json, "build", "attestd " ATTESTD_VERSION);
    attestd_json_close_map(&ear->json);
}

static void confirmation(struct ear *ear)
{
    if (ear->claims->key == NULL)
        return;
    attestd_json_open_map(&ear->json, "cnf");
    attestd_json_raw(&ear->json, "jwk", ear->claims->key->json, strlen(ear->claims->key->json));
    attestd_json_close_map(&ear->json);
}

static void policy(struct ear *ear)
{
    char digest[DIGEST_TEXT_SIZE];
    token_digest_text(ear->result->policy_digest, digest);
    attestd_json_open_map(&ear->json, "attestd_policy");
    attestd_json_text(&ear->json, "name", ear->result->policy_name);
    attestd_json_number(&ear->json, "version", ear->result->policy_version);
    attestd_json_text(&ear->json, "digest", digest);
    attestd_json_close_map(&ear->json);
}

static void trimmed(struct ear *ear)
{
    if (ear->trim == TRIM_NOTHING)
        return;
    attestd_json_open_list(&ear->json, "attestd_trimmed");
    for (int step = TRIM_PASSED_CHECKS; step <= (int)ear->trim; step++)
        attestd_json_text(&ear->json, NULL, trim_names[step]);
    attestd_json_close_list(&ear->json);
}

static void write_payload(struct ear *ear, struct attestd_text *out)
{
    ear->json = attestd_json_writer_to(out);
    attestd_json_open_map(&ear->json, NULL);
    token_registered_claims(&ear->json, ear->claims, ear->result);
    attestd_json_text(&ear->json, "eat_profile", EAR_PROFILE);
    if (ear->claims->nonce != NULL)
        attestd_json_text(&ear->json, "eat_nonce", ear->claims->nonce);
    verifier(ear);
    confirmation(ear);
    attestd_json_text(&ear->json, "attestd_verdict", attestd_verdict_name(token_verdict(ear->result)));
    policy(ear);
    token_provenance_claims(&ear->json, ear->result);
    attestd_result_engine_json(&ear->json, ear->result);
    trimmed(ear);
    measres(ear, &ear->result->checks);
    attestd_json_open_map(&ear->json, "submods");
    for (size_t i = 0; i < ear->result->piece_count; i++)
        submodule(ear, &ear->result->pieces[i]);
    attestd_json_close_map(&ear->json);
    attestd_json_close_map(&ear->json);
}

void attestd_ear_payload(struct attestd_text *out, const struct attestd_token_claims *claims, const struct attestd_result *result)
{
    struct ear ear = {.claims = claims, .result = result, .trim = TRIM_NOTHING};
    size_t start = out->len;
    write_payload(&ear, out);
    if (token_size(out->len - start) <= FOLD_BEYOND)
        return;
    for (ear.trim = TRIM_PASSED_CHECKS;; ear.trim++) {
        out->len = start;
        write_payload(&ear, out);
        if (token_size(out->len - start) <= TRIM_BEYOND || ear.trim == TRIM_POLICY_IDS)
            return;
    }
}
