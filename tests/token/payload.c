/* SPDX-License-Identifier: Apache-2.0 */
/* What stands in a token: the EAR against the rules its readers apply, the flat token, and the discovery document. */
#include "core/encoding.h"
#include "core/value.h"
#include "sdk/relying-party/attestd_rp.h"
#include "tests/token/sample.h"
#include "token/token.h"

#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NONCE "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
#define ISSUED 1795222025

static struct attestd_arena *arena;
static struct attestd_keyring *ring;

static int set_up(void **state)
{
    char error[256];
    (void)state;
    arena = attestd_arena_new();
    ring = attestd_keyring_open(NULL, error, sizeof(error));
    return ring == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    attestd_keyring_free(ring);
    attestd_arena_free(arena);
    return 0;
}

static struct attestd_token_claims claims_for(const char *audience)
{
    return (struct attestd_token_claims){.issuer = "https://attestd.example",
                                         .subject = "attestd:policy/prod-inference",
                                         .audience = audience,
                                         .id = "ap_0199f000-0000-7000-8000-000000000000",
                                         .issued = ISSUED,
                                         .expires = ISSUED + 300,
                                         .nonce = NONCE,
                                         .key = sample_key(arena),
                                         .developer = "https://attestd.example/project"};
}

/* Parsed with duplicates refused; the length of the signed token in *size. */
static json_t *ear_of(const struct attestd_result *result, size_t *size)
{
    struct attestd_text payload = {0}, token = {0};
    struct attestd_token_claims claims = claims_for("https://kms.example");
    attestd_ear_payload(&payload, &claims, result);
    assert_true(attestd_jws_sign(ring, ATTESTD_TOKEN_TYPE_EAR, payload.data, payload.len, &token));
    if (size != NULL)
        *size = token.len;
    json_error_t error;
    json_t *json = json_loadb(payload.data, payload.len, JSON_REJECT_DUPLICATES, &error);
    if (json == NULL)
        fail_msg("%s at %d: %s", error.text, error.position, payload.data);
    attestd_text_free(&payload);
    attestd_text_free(&token);
    return json;
}

static const char *text_at(const json_t *json, const char *a, const char *b, const char *c)
{
    const json_t *at = json_object_get(json, a);
    at = b == NULL ? at : json_object_get(at, b);
    at = c == NULL ? at : json_object_get(at, c);
    return json_string_value(at);
}

/* --- the rules of the readers (docs/token.md), applied to any EAR of the 2023 profile --- */

static bool is_status(const char *word)
{
    static const char *const words[] = {"none", "affirming", "warning", "contraindicated"};
    for (size_t i = 0; word != NULL && i < 4; i++) {
        if (strcmp(word, words[i]) == 0)
            return true;
    }
    return false;
}

static bool is_vector(json_t *vector)
{
    static const char *const names[] = {"instance-identity", "configuration",  "executables",    "file-system",
                                        "hardware",          "runtime-opaque", "storage-opaque", "sourced-data"};
    const char *name;
    json_t *value;
    size_t known = 0;
    json_object_foreach(vector, name, value)
    {
        for (size_t i = 0; i < 8; i++)
            known += strcmp(name, names[i]) == 0;
        if (!json_is_integer(value) || json_integer_value(value) < -128 || json_integer_value(value) > 127)
            return false;
    }
    return json_object_size(vector) > 0 && known == json_object_size(vector);
}

/* NULL, or the rule that is broken. */
static const char *broken_rule(const json_t *ear)
{
    const char *label, *profile = text_at(ear, "eat_profile", NULL, NULL), *nonce = text_at(ear, "eat_nonce", NULL, NULL);
    json_t *submod, *submods = json_object_get(ear, "submods");
    if (profile == NULL || strcmp(profile, "tag:github.com,2023:veraison/ear") != 0)
        return "eat_profile";
    if (!json_is_number(json_object_get(ear, "iat")))
        return "iat";
    if (text_at(ear, "ear.verifier-id", "developer", NULL) == NULL || text_at(ear, "ear.verifier-id", "build", NULL) == NULL)
        return "ear.verifier-id";
    if (json_object_get(ear, "eat_nonce") != NULL && (nonce == NULL || strlen(nonce) < 8 || strlen(nonce) > 88))
        return "eat_nonce";
    if (json_object_size(submods) == 0)
        return "submods";
    json_object_foreach(submods, label, submod)
    {
        if (!is_status(text_at(submod, "ear.status", NULL, NULL)))
            return "ear.status";
        if (!is_vector(json_object_get(submod, "ear.trustworthiness-vector")))
            return "ear.trustworthiness-vector";
        if (text_at(submod, "ear.appraisal-policy-id", NULL, NULL) == NULL)
            return "ear.appraisal-policy-id";
    }
    return NULL;
}

static void assert_rules(const json_t *ear)
{
    const char *rule = broken_rule(ear);
    if (rule != NULL)
        fail_msg("broken: %s", rule);
}

static void the_published_ears_keep_the_rules_that_ours_is_held_to(void **state)
{
    static const char *const names[] = {"ear-claims-tv-ok.json", "ear-claims-key-attestation-ok.json", "rust-ear-claims.json",
                                        "ear-json-1.diag"};
    const char *root = getenv("ATTESTD_VECTORS");
    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char path[1024];
        snprintf(path, sizeof(path), "%s/tokens/ear-2023/%s", root == NULL ? "." : root, names[i]);
        json_t *ear = json_load_file(path, 0, NULL);
        if (ear == NULL) {
            print_message("VECTORS absent: %s; the published EARs were NOT read\n", path);
            skip();
        }
        assert_rules(ear);
        json_object_del(ear, "eat_profile");
        assert_string_equal(broken_rule(ear), "eat_profile");
        json_decref(ear);
    }
}

static void an_ear_keeps_the_rules_of_its_readers(void **state)
{
    (void)state;
    for (size_t gpus = 0; gpus <= 8; gpus += 4) {
        json_t *ear = ear_of(sample_result(arena, gpus), NULL);
        assert_rules(ear);
        assert_int_equal(json_object_size(json_object_get(ear, "submods")), 1 + gpus);
        json_decref(ear);
    }
}

/* Names without escapes: readers in Rust borrow them from the text. */
static bool names_are_plain(const json_t *json)
{
    const char *name;
    json_t *value;
    size_t index;
    json_object_foreach((json_t *)(uintptr_t)json, name, value)
    {
        for (const char *at = name; *at != '\0'; at++) {
            if (*at <= ' ' || *at > '~' || *at == '"' || *at == '\\')
                return false;
        }
        if (!names_are_plain(value))
            return false;
    }
    json_array_foreach(json, index, value)
    {
        if (!names_are_plain(value))
            return false;
    }
    return true;
}

static void registered_claims_are_single_strings_and_integers(void **state)
{
    json_t *ear = ear_of(sample_result(arena, 1), NULL);
    (void)state;
    assert_string_equal(text_at(ear, "iss", NULL, NULL), "https://attestd.example");
    assert_string_equal(text_at(ear, "sub", NULL, NULL), "attestd:policy/prod-inference");
    assert_string_equal(text_at(ear, "aud", NULL, NULL), "https://kms.example");
    assert_string_equal(text_at(ear, "eat_nonce", NULL, NULL), NONCE);
    assert_string_equal(text_at(ear, "jti", NULL, NULL), "ap_0199f000-0000-7000-8000-000000000000");
    assert_true(json_is_integer(json_object_get(ear, "iat")));
    assert_int_equal(json_integer_value(json_object_get(ear, "nbf")), ISSUED);
    assert_int_equal(json_integer_value(json_object_get(ear, "exp")), ISSUED + 300);
    assert_true(names_are_plain(ear));
    json_decref(ear);
}

static void the_top_says_what_the_answer_says(void **state)
{
    struct attestd_result *result = sample_result(arena, 1);
    (void)state;
    sample_check(arena, &result->pieces[0].checks, "snp.smt", ATTESTD_FAIL, ATTESTD_DISABLED, "SNP_SMT_ENABLED");
    json_t *ear = ear_of(result, NULL);
    assert_string_equal(text_at(ear, "attestd_verdict", NULL, NULL), "affirming");
    assert_string_equal(text_at(ear, "attestd_policy", "name", NULL), "prod-inference");
    assert_int_equal(json_integer_value(json_object_get(json_object_get(ear, "attestd_policy"), "version")), 14);
    assert_string_equal(text_at(ear, "attestd_policy", "digest", NULL),
                        "sha256:9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f");
    assert_string_equal(text_at(ear, "attestd_freshness", NULL, NULL), "challenge");
    assert_string_equal(text_at(ear, "attestd_anchors", NULL, NULL),
                        "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    assert_string_equal(text_at(ear, "attestd_evidence_digest", NULL, NULL),
                        "sha256:eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee");
    assert_string_equal(json_string_value(json_array_get(json_object_get(ear, "attestd_disabled"), 0)), "snp.smt");
    assert_non_null(json_object_get(json_object_get(ear, "engine"), "version"));
    assert_null(json_object_get(ear, "simulated"));
    assert_string_equal(text_at(ear, "submods", "cpu0", "ear.appraisal-policy-id"),
                        "prod-inference@sha256:9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f");
    json_decref(ear);
}

static void simulated_evidence_is_marked(void **state)
{
    struct attestd_result *result = sample_result(arena, 0);
    (void)state;
    result->simulated = true;
    json_t *ear = ear_of(result, NULL);
    assert_true(json_is_true(json_object_get(ear, "simulated")));
    json_decref(ear);
}

/* docs/token.md: sort the lines "<kind> <sha256>", digest them. Only accepted ones count. */
static void the_endorsements_digest_can_be_recomputed_from_the_answer(void **state)
{
    static const char lines[] = "snp.ask 0100000000000000000000000000000000000000000000000000000000000000\n"
                                "snp.vcek 0200000000000000000000000000000000000000000000000000000000000000\n";
    uint8_t digest[32];
    char expected[72] = "sha256:";
    (void)state;
    assert_int_equal(EVP_Digest(lines, sizeof(lines) - 1, digest, NULL, EVP_sha256(), NULL), 1);
    attestd_hex_encode(digest, 32, expected + 7);
    json_t *ear = ear_of(sample_result(arena, 0), NULL);
    assert_string_equal(text_at(ear, "attestd_endorsements", NULL, NULL), expected);
    json_decref(ear);
}

static void without_audience_nonce_or_key_their_claims_are_absent(void **state)
{
    struct attestd_text payload = {0};
    struct attestd_token_claims claims = claims_for(NULL);
    (void)state;
    claims.nonce = NULL;
    claims.key = NULL;
    attestd_ear_payload(&payload, &claims, sample_result(arena, 0));
    json_t *ear = json_loads(payload.data, JSON_REJECT_DUPLICATES, NULL);
    assert_null(json_object_get(ear, "aud"));
    assert_null(json_object_get(ear, "eat_nonce"));
    assert_null(json_object_get(ear, "cnf"));
    assert_rules(ear);
    json_decref(ear);
    attestd_text_free(&payload);
}

static void the_bound_key_is_rebuilt_from_the_members_of_its_thumbprint(void **state)
{
    char thumbprint[44];
    json_t *ear = ear_of(sample_result(arena, 0), NULL);
    json_t *jwk = json_object_get(json_object_get(ear, "cnf"), "jwk");
    (void)state;
    assert_int_equal(json_object_size(jwk), 4);
    char *text = json_dumps(jwk, 0);
    assert_true(attestd_rp_thumbprint(text, thumbprint));
    assert_string_equal(thumbprint, "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
    free(text);
    json_decref(ear);
}

/* --- statuses are never better than the truth --- */

static void a_status_is_never_better_than_the_worst_of_its_vector(void **state)
{
    static const struct {
        int8_t value;
        const char *status;
    } cases[] = {{32, "warning"},          {-33, "warning"},  {96, "contraindicated"},
                 {-97, "contraindicated"}, {31, "affirming"}, {-32, "affirming"}};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct attestd_result *result = sample_result(arena, 1);
        result->pieces[1].vector[ATTESTD_HARDWARE] = cases[i].value;
        json_t *ear = ear_of(result, NULL);
        assert_string_equal(text_at(ear, "submods", "gpu0", "ear.status"), cases[i].status);
        assert_string_equal(text_at(ear, "attestd_verdict", NULL, NULL), cases[i].status);
        json_decref(ear);
    }
}

static void the_cpu_speaks_for_the_whole(void **state)
{
    struct attestd_result *result = sample_result(arena, 2);
    (void)state;
    result->pieces[2].verdict = ATTESTD_CONTRAINDICATED;
    result->verdict = ATTESTD_CONTRAINDICATED;
    json_t *ear = ear_of(result, NULL);
    assert_string_equal(text_at(ear, "attestd_verdict", NULL, NULL), "contraindicated");
    assert_string_equal(text_at(ear, "submods", "cpu0", "ear.status"), "contraindicated");
    assert_string_equal(text_at(ear, "submods", "gpu0", "ear.status"), "affirming");
    assert_string_equal(text_at(ear, "submods", "gpu1", "ear.status"), "contraindicated");
    json_decref(ear);
}

static void evidence_that_is_not_authentic_is_contraindicated_and_its_claims_stay_out(void **state)
{
    struct attestd_result *result = sample_result(arena, 0);
    (void)state;
    result->pieces[0].authentic = false;
    json_t *ear = ear_of(result, NULL);
    json_t *cpu = json_object_get(json_object_get(ear, "submods"), "cpu0");
    assert_string_equal(text_at(cpu, "ear.status", NULL, NULL), "contraindicated");
    assert_null(json_object_get(cpu, "ear.veraison.annotated-evidence"));
    assert_null(json_object_get(cpu, "dbgstat"));
    json_decref(ear);
}

static void a_vector_without_claims_is_not_empty(void **state)
{
    struct attestd_result *result = sample_result(arena, 0);
    (void)state;
    memset(result->pieces[0].vector, 0, sizeof(result->pieces[0].vector));
    json_t *ear = ear_of(result, NULL);
    assert_rules(ear);
    json_decref(ear);
}

/* --- annotated evidence and measres --- */

static void annotated_evidence_stands_under_portable_names(void **state)
{
    json_t *ear = ear_of(sample_result(arena, 0), NULL);
    json_t *cpu = json_object_get(json_object_get(ear, "submods"), "cpu0");
    const json_t *evidence = json_object_get(cpu, "ear.veraison.annotated-evidence");
    (void)state;
    assert_string_equal(text_at(cpu, "dbgstat", NULL, NULL), "disabled-since-boot");
    assert_int_equal(strlen(text_at(evidence, "snp", "measurement", NULL)), 96);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(json_object_get(evidence, "snp"), "reported_tcb"), "snp")), 23);
    assert_string_equal(text_at(evidence, "report_data", NULL, NULL), text_at(evidence, "snp", "report_data", NULL));
    assert_string_equal(text_at(evidence, "init_data", NULL, NULL), text_at(evidence, "snp", "host_data", NULL));
    json_decref(ear);
}

static void a_debug_guest_says_so(void **state)
{
    struct attestd_result *result = sample_result(arena, 0);
    struct attestd_tree *tree = attestd_tree_new(arena);
    (void)state;
    attestd_tree_flag(tree, "snp.policy.debug_allowed", true);
    result->pieces[0].claims = attestd_tree_value(tree);
    json_t *ear = ear_of(result, NULL);
    assert_string_equal(text_at(ear, "submods", "cpu0", "dbgstat"), "enabled");
    json_decref(ear);
}

/* "fail", "success", "not-run" of one check; NULL when it is not listed. */
static const char *measured(const json_t *measres, const char *system, const char *id)
{
    size_t i, k;
    json_t *group, *entry;
    json_array_foreach(measres, i, group)
    {
        if (strcmp(json_string_value(json_array_get(group, 0)), system) != 0)
            continue;
        json_array_foreach(json_array_get(group, 1), k, entry)
        {
            if (strcmp(json_string_value(json_array_get(entry, 0)), id) == 0)
                return json_string_value(json_array_get(entry, 1));
        }
    }
    return NULL;
}

static void measres_lists_every_check_by_system(void **state)
{
    struct attestd_result *result = sample_result(arena, 0);
    (void)state;
    sample_check(arena, &result->pieces[0].checks, "snp.smt", ATTESTD_FAIL, ATTESTD_WARN, "SNP_SMT_ENABLED");
    sample_check(arena, &result->pieces[0].checks, "snp.tcb.floor", ATTESTD_SKIPPED, ATTESTD_WARN, "SKIPPED");
    sample_check(arena, &result->pieces[0].checks, "tpm.signature", ATTESTD_UNAVAILABLE, ATTESTD_WARN, "X");
    json_t *ear = ear_of(result, NULL);
    const json_t *measres = json_object_get(json_object_get(json_object_get(ear, "submods"), "cpu0"), "measres");
    assert_int_equal(json_array_size(measres), 2);
    assert_string_equal(measured(measres, "attestd.snp", "check_number_00"), "success");
    assert_string_equal(measured(measres, "attestd.snp", "smt"), "fail");
    assert_string_equal(measured(measres, "attestd.snp", "tcb.floor"), "not-run");
    assert_string_equal(measured(measres, "attestd.tpm", "signature"), "not-run");
    assert_string_equal(measured(json_object_get(ear, "measres"), "attestd.binding", "nonce"), "success");
    assert_null(json_object_get(ear, "attestd_trimmed"));
    json_decref(ear);
}

static void beyond_6_kb_passed_checks_are_folded_and_failed_ones_stay(void **state)
{
    struct attestd_result *result = sample_result(arena, 4);
    size_t size;
    (void)state;
    sample_check(arena, &result->pieces[2].checks, "nvgpu.ocsp", ATTESTD_FAIL, ATTESTD_WARN, "NVGPU_OCSP_STALE");
    sample_check(arena, &result->pieces[2].checks, "nvgpu.rim", ATTESTD_UNAVAILABLE, ATTESTD_WARN, "NVGPU_RIM_ABSENT");
    json_t *ear = ear_of(result, &size);
    const json_t *measres = json_object_get(json_object_get(json_object_get(ear, "submods"), "gpu1"), "measres");
    assert_string_equal(measured(measres, "attestd.nvgpu", "folded:24"), "success");
    assert_string_equal(measured(measres, "attestd.nvgpu", "ocsp"), "fail");
    assert_string_equal(measured(measres, "attestd.nvgpu", "rim"), "not-run");
    assert_string_equal(json_string_value(json_array_get(json_object_get(ear, "attestd_trimmed"), 0)), "passed-checks");
    assert_in_range(size, 1000, 7680);
    json_decref(ear);
}

static void beyond_7500_characters_annotated_evidence_is_trimmed_step_by_step(void **state)
{
    size_t size, steps = 0;
    (void)state;
    for (size_t gpus = 0; gpus <= 8; gpus++) {
        json_t *ear = ear_of(sample_result(arena, gpus), &size);
        size_t now = json_array_size(json_object_get(ear, "attestd_trimmed"));
        assert_in_range(size, 1000, 7680);
        assert_true(now >= steps);
        steps = now;
        assert_rules(ear);
        json_decref(ear);
    }
    assert_true(steps >= 2);
}

static void a_long_event_log_goes_before_the_measurement_does(void **state)
{
    struct attestd_result *result = sample_result(arena, 0);
    struct attestd_tree *tree = attestd_tree_new(arena);
    size_t size;
    (void)state;
    attestd_tree_text(tree, "snp.measurement", "kept");
    for (int i = 0; i < 200; i++)
        attestd_tree_text(tree, "snp.events[]", "one line of an event log of some length, repeated");
    result->pieces[0].claims = attestd_tree_value(tree);
    json_t *ear = ear_of(result, &size);
    const json_t *cpu = json_object_get(json_object_get(ear, "submods"), "cpu0");
    const json_t *claims = json_object_get(json_object_get(cpu, "ear.veraison.annotated-evidence"), "snp");
    assert_string_equal(text_at(claims, "measurement", NULL, NULL), "kept");
    assert_null(json_object_get(claims, "events"));
    assert_string_equal(json_string_value(json_array_get(json_object_get(ear, "attestd_trimmed"), 1)), "long-claims");
    assert_in_range(size, 1000, 7680);
    json_decref(ear);
}

/* --- expiry --- */

static void a_token_ends_with_what_it_rests_on(void **state)
{
    struct attestd_result *result = sample_result(arena, 0);
    (void)state;
    assert_int_equal(attestd_token_expires(ISSUED, 300, result), ISSUED + 300);
    assert_int_equal(attestd_token_expires(ISSUED, 86400, result), ISSUED + ATTESTD_TOKEN_LIFE_MAX);
    result->not_after = ISSUED + 10;
    assert_int_equal(attestd_token_expires(ISSUED, 300, result), ISSUED + 10);
    json_t *ear = ear_of(result, NULL);
    assert_int_equal(json_integer_value(json_object_get(ear, "exp")), ISSUED + 10);
    json_decref(ear);
}

/* --- the flat token --- */

static json_t *flat_of(const struct attestd_result *result, const char *audience, size_t *size)
{
    struct attestd_text payload = {0}, token = {0};
    struct attestd_token_claims claims = claims_for(audience);
    attestd_oidc_payload(&payload, &claims, result);
    if (payload.len == 0)
        return NULL;
    assert_true(attestd_jws_sign(ring, ATTESTD_TOKEN_TYPE_JWT, payload.data, payload.len, &token));
    *size = token.len;
    json_t *json = json_loads(payload.data, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(json);
    attestd_text_free(&payload);
    attestd_text_free(&token);
    return json;
}

static void the_flat_token_is_small_and_flat(void **state)
{
    size_t size;
    json_t *flat = flat_of(sample_result(arena, 8), "api://AzureADTokenExchange", &size);
    (void)state;
    assert_in_range(size, 500, 2047);
    assert_string_equal(text_at(flat, "attestd_verdict", NULL, NULL), "affirming");
    assert_string_equal(text_at(flat, "attestd_policy_name", NULL, NULL), "prod-inference");
    assert_string_equal(text_at(flat, "attestd_evidence", NULL, NULL), "snp+nvgpu");
    assert_string_equal(text_at(flat, "cnf", "jkt", NULL), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
    assert_null(json_object_get(flat, "submods"));
    assert_null(json_object_get(flat, "eat_profile"));
    assert_non_null(json_object_get(flat, "https://aws.amazon.com/tags"));
    json_decref(flat);
}

static void a_long_audience_takes_the_place_of_the_tags(void **state)
{
    char audience[640];
    size_t size;
    (void)state;
    memset(audience, 'a', sizeof(audience) - 1);
    audience[sizeof(audience) - 1] = '\0';
    json_t *flat = flat_of(sample_result(arena, 0), audience, &size);
    assert_in_range(size, 500, 2047);
    assert_null(json_object_get(flat, "https://aws.amazon.com/tags"));
    json_decref(flat);
}

static void there_is_no_flat_token_unless_affirming(void **state)
{
    struct attestd_result *result = sample_result(arena, 1);
    size_t size;
    (void)state;
    result->verdict = ATTESTD_WARNING;
    assert_null(flat_of(result, "a", &size));
    result = sample_result(arena, 1);
    result->pieces[1].vector[ATTESTD_HARDWARE] = 32;
    assert_null(flat_of(result, "a", &size));
    result = sample_result(arena, 1);
    result->unavailable = true;
    assert_null(flat_of(result, "a", &size));
}

/* --- what leaves here is what a relying party accepts --- */

static void our_own_relying_party_accepts_both_kinds(void **state)
{
    struct attestd_result *result = sample_result(arena, 2);
    struct attestd_token_claims claims = claims_for("https://kms.example");
    struct attestd_text jwks = {0};
    static const char *const digests[] = {"sha256:9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f", NULL};
    struct attestd_rp_expect expect = {.issuer = "https://attestd.example",
                                       .audience = "https://kms.example",
                                       .nonce = NONCE,
                                       .policy_digests = digests,
                                       .key_thumbprint = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I",
                                       .now = ISSUED + 10};
    (void)state;
    attestd_keyring_jwks(ring, &jwks);
    struct attestd_rp *rp = attestd_rp_from_jwks(jwks.data);
    assert_non_null(rp);
    for (int flat = 0; flat < 2; flat++) {
        struct attestd_text payload = {0}, token = {0};
        (flat ? attestd_oidc_payload : attestd_ear_payload)(&payload, &claims, result);
        assert_true(attestd_jws_sign(ring, flat ? ATTESTD_TOKEN_TYPE_JWT : ATTESTD_TOKEN_TYPE_EAR, payload.data, payload.len, &token));
        assert_int_equal(attestd_rp_verify(rp, token.data, &expect, NULL), ATTESTD_RP_OK);
        token.data[token.len - 40] ^= 1;
        assert_int_not_equal(attestd_rp_verify(rp, token.data, &expect, NULL), ATTESTD_RP_OK);
        attestd_text_free(&payload);
        attestd_text_free(&token);
    }
    attestd_rp_free(rp);
    attestd_text_free(&jwks);
}

/* --- docs/token.md --- */

/* The text of the page's JSON example, and a newline. */
static json_t *example_in_the_docs(void)
{
    char path[1024], *text = attestd_arena_alloc(arena, 65536);
    const char *source = getenv("ATTESTD_SOURCE");
    snprintf(path, sizeof(path), "%s/docs/token.md", source == NULL ? "." : source);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t len = fread(text, 1, 65535, file);
    fclose(file);
    text[len] = '\0';
    char *start = strstr(text, "```json\n"), *end = start == NULL ? NULL : strstr(start + 8, "```");
    assert_non_null(end);
    json_t *json = json_loadb(start + 8, (size_t)(end - start - 8), JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(json);
    return json;
}

static void assert_same_names(json_t *a, json_t *b)
{
    const char *name;
    json_t *value;
    json_object_foreach(a, name, value)
    {
        if (json_object_get(b, name) == NULL || json_typeof(json_object_get(b, name)) != json_typeof(value))
            fail_msg("%s is not alike in docs/token.md and in a token", name);
    }
    assert_int_equal(json_object_size(a), json_object_size(b));
}

static void the_example_in_the_docs_has_the_claims_of_a_token(void **state)
{
    json_t *example = example_in_the_docs(), *ear = ear_of(sample_result(arena, 0), NULL);
    (void)state;
    assert_rules(example);
    assert_same_names(ear, example);
    assert_same_names(json_object_get(json_object_get(ear, "submods"), "cpu0"),
                      json_object_get(json_object_get(example, "submods"), "cpu0"));
    json_decref(example);
    json_decref(ear);
}

/* --- discovery --- */

static void discovery_names_issuer_and_keys_apart(void **state)
{
    struct attestd_text text = {0};
    (void)state;
    attestd_discovery_json(&text, "https://attestd.example/t/acme", "https://api.example/");
    json_t *json = json_loads(text.data, JSON_REJECT_DUPLICATES, NULL);
    assert_string_equal(text_at(json, "issuer", NULL, NULL), "https://attestd.example/t/acme");
    assert_string_equal(text_at(json, "jwks_uri", NULL, NULL), "https://api.example/.well-known/jwks.json");
    assert_string_equal(text_at(json, "authorization_endpoint", NULL, NULL), "https://api.example/unsupported");
    const json_t *algorithms = json_object_get(json, "id_token_signing_alg_values_supported");
    assert_int_equal(json_array_size(algorithms), 1);
    assert_string_equal(json_string_value(json_array_get(algorithms, 0)), "ES256");
    json_decref(json);
    attestd_text_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_ears_keep_the_rules_that_ours_is_held_to),
        cmocka_unit_test(an_ear_keeps_the_rules_of_its_readers),
        cmocka_unit_test(registered_claims_are_single_strings_and_integers),
        cmocka_unit_test(the_top_says_what_the_answer_says),
        cmocka_unit_test(simulated_evidence_is_marked),
        cmocka_unit_test(the_endorsements_digest_can_be_recomputed_from_the_answer),
        cmocka_unit_test(without_audience_nonce_or_key_their_claims_are_absent),
        cmocka_unit_test(the_bound_key_is_rebuilt_from_the_members_of_its_thumbprint),
        cmocka_unit_test(a_status_is_never_better_than_the_worst_of_its_vector),
        cmocka_unit_test(the_cpu_speaks_for_the_whole),
        cmocka_unit_test(evidence_that_is_not_authentic_is_contraindicated_and_its_claims_stay_out),
        cmocka_unit_test(a_vector_without_claims_is_not_empty),
        cmocka_unit_test(annotated_evidence_stands_under_portable_names),
        cmocka_unit_test(a_debug_guest_says_so),
        cmocka_unit_test(measres_lists_every_check_by_system),
        cmocka_unit_test(beyond_6_kb_passed_checks_are_folded_and_failed_ones_stay),
        cmocka_unit_test(beyond_7500_characters_annotated_evidence_is_trimmed_step_by_step),
        cmocka_unit_test(a_long_event_log_goes_before_the_measurement_does),
        cmocka_unit_test(a_token_ends_with_what_it_rests_on),
        cmocka_unit_test(the_flat_token_is_small_and_flat),
        cmocka_unit_test(a_long_audience_takes_the_place_of_the_tags),
        cmocka_unit_test(there_is_no_flat_token_unless_affirming),
        cmocka_unit_test(our_own_relying_party_accepts_both_kinds),
        cmocka_unit_test(the_example_in_the_docs_has_the_claims_of_a_token),
        cmocka_unit_test(discovery_names_issuer_and_keys_apart),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
