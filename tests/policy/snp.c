/* SPDX-License-Identifier: Apache-2.0 */
/* The built-in policy, the starter and the examples over simulated SEV-SNP guests. */
#include "tests/snp/simulated.h"

#include "policy/document.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct attestd_policy_set *compile(const char *text)
{
    const struct attestd_policy_file file = {"test.yaml", text, strlen(text)};
    struct attestd_policy_fault faults[4];
    size_t count;
    struct attestd_policy_set *set = attestd_policy_compile(world.engine, world.anchors, &file, 1, false, NULL, NULL, faults, 4, &count);
    if (set == NULL)
        fail_msg("%u:%u %s %s\n%s", faults[0].line, faults[0].column, faults[0].code, faults[0].message, text);
    return set;
}

/* A guest, changed by `change` (may be NULL), appraised under a policy. */
static void appraise(struct scene *scene, const struct attestd_policy *policy, enum sim_snp_product product, void (*change)(struct scene *))
{
    scene_begin(scene, product);
    if (change != NULL)
        change(scene);
    scene_mint(scene);
    scene->appraisal.view = attestd_policy_view(policy);
    scene_run(scene);
}

static void allow_debug(struct scene *scene)
{
    scene->guest.policy |= UINT64_C(1) << 19;
}

static void leave_out_list(struct scene *scene)
{
    scene->list.this_update = 0;
}

static void other_measurement(struct scene *scene)
{
    scene->guest.measurement[0] ^= 1;
}

static void older_firmware(struct scene *scene)
{
    struct sim_snp_guest *g = &scene->guest;
    g->reported_tcb.snp = g->cert_tcb.snp = g->committed_tcb.snp = g->launch_tcb.snp = 1;
}

static void hardware_only_takes_every_product_with_a_warning(void **state)
{
    struct attestd_policy *policy = attestd_policy_hardware_only(world.engine);
    (void)state;
    for (int i = 0; i < PRODUCTS; i++) {
        struct scene scene;
        appraise(&scene, policy, (enum sim_snp_product)i, NULL);
        assert_int_equal(scene.appraisal.result->verdict, ATTESTD_WARNING);
        assert_recorded(&scene.appraisal, "policy.reference_values", ATTESTD_FAIL, "NOTHING_COMPARED");
        assert_int_equal(scene.appraisal.piece->vector[ATTESTD_HARDWARE], 2);
        assert_int_equal(scene.appraisal.piece->vector[ATTESTD_EXECUTABLES], 0);
        scene_end(&scene);
    }
    attestd_policy_free(policy);
}

static void hardware_only_refuses_a_debug_guest(void **state)
{
    struct attestd_policy *policy = attestd_policy_hardware_only(world.engine);
    struct scene scene;
    (void)state;
    appraise(&scene, policy, SIM_SNP_GENOA, allow_debug);
    assert_recorded(&scene.appraisal, "snp.debug", ATTESTD_FAIL, "SNP_DEBUG_ALLOWED");
    assert_int_equal(scene.appraisal.result->verdict, ATTESTD_CONTRAINDICATED);
    scene_end(&scene);
    attestd_policy_free(policy);
}

static void hardware_only_does_without_a_list_of_revoked_certificates(void **state)
{
    struct attestd_policy *policy = attestd_policy_hardware_only(world.engine);
    struct scene scene;
    (void)state;
    appraise(&scene, policy, SIM_SNP_GENOA, leave_out_list);
    assert_int_equal(appraisal_check(&scene.appraisal, "snp.revocation")->outcome, ATTESTD_UNAVAILABLE);
    assert_int_equal(scene.appraisal.result->verdict, ATTESTD_WARNING);
    assert_false(scene.appraisal.result->unavailable);
    scene_end(&scene);
    attestd_policy_free(policy);
}

static bool strict_check_failed(const struct attestd_piece *piece)
{
    for (size_t i = 0; i < piece->checks.count; i++) {
        const struct attestd_check_result *check = &piece->checks.items[i];
        if (check->mode == ATTESTD_STRICT && check->outcome != ATTESTD_PASS) {
            print_error("%s %s\n", check->check->id, check->code);
            return true;
        }
    }
    return false;
}

static void a_starter_accepts_its_pattern_and_nothing_less(void **state)
{
    struct attestd_policy *built_in = attestd_policy_hardware_only(world.engine);
    (void)state;
    for (int i = 0; i < PRODUCTS; i++) {
        struct attestd_text text = {0};
        struct attestd_policy_set *set;
        const struct attestd_policy *starter;
        struct scene scene;
        appraise(&scene, built_in, (enum sim_snp_product)i, NULL);
        attestd_policy_starter(world.engine, scene.appraisal.result, "starter", &text);
        scene_end(&scene);
        set = compile(text.data);
        starter = attestd_policy_set_at(set, 0);
        appraise(&scene, starter, (enum sim_snp_product)i, NULL);
        assert_false(strict_check_failed(scene.appraisal.piece));
        assert_recorded(&scene.appraisal, "snp.measurement", ATTESTD_PASS, NULL);
        assert_recorded(&scene.appraisal, "snp.tcb_floor", ATTESTD_PASS, NULL);
        assert_recorded(&scene.appraisal, "snp.products", ATTESTD_PASS, NULL);
        assert_recorded(&scene.appraisal, "policy.reference_values", ATTESTD_PASS, NULL);
        scene_end(&scene);
        appraise(&scene, starter, (enum sim_snp_product)i, other_measurement);
        assert_recorded(&scene.appraisal, "snp.measurement", ATTESTD_FAIL, "SNP_MEASUREMENT_NOT_LISTED");
        assert_int_equal(scene.appraisal.result->verdict, ATTESTD_CONTRAINDICATED);
        scene_end(&scene);
        appraise(&scene, starter, (enum sim_snp_product)i, older_firmware);
        assert_recorded(&scene.appraisal, "snp.tcb_floor", ATTESTD_FAIL, "SNP_REPORTED_TCB_BELOW_FLOOR");
        scene_end(&scene);
        appraise(&scene, starter, (enum sim_snp_product)i, leave_out_list);
        assert_true(scene.appraisal.result->unavailable);
        scene_end(&scene);
        attestd_policy_set_free(set);
        attestd_text_free(&text);
    }
    attestd_policy_free(built_in);
}

static struct attestd_policy_set *examples(struct attestd_policy_fault *fault)
{
    char path[4096];
    const char *source = getenv("ATTESTD_SOURCE");
    struct attestd_policy_fault faults[4] = {{{0}, 0, 0, {0}, {0}}};
    size_t count;
    struct attestd_policy_set *set;
    snprintf(path, sizeof path, "%s/examples/policies", source != NULL ? source : ".");
    set = attestd_policy_compile_directory(world.engine, world.anchors, path, true, faults, 4, &count);
    *fault = faults[0];
    return set;
}

static void the_example_policies_compile(void **state)
{
    struct attestd_policy_fault fault;
    struct attestd_policy_set *set = examples(&fault);
    (void)state;
    if (set == NULL)
        fail_msg("%s:%u:%u %s %s", fault.file, fault.line, fault.column, fault.code, fault.message);
    assert_true(attestd_policy_set_count(set) >= 3);
    assert_non_null(attestd_policy_set_find(set, "demo"));
    assert_non_null(attestd_policy_set_for_audience(set, "https://kms.example"));
    attestd_policy_set_free(set);
}

static void the_demo_policy_takes_the_simulated_guest(void **state)
{
    struct attestd_policy_fault fault;
    struct attestd_policy_set *set = examples(&fault);
    struct scene scene;
    (void)state;
    assert_non_null(set);
    appraise(&scene, attestd_policy_set_find(set, "demo"), SIM_SNP_GENOA, NULL);
    assert_false(strict_check_failed(scene.appraisal.piece));
    assert_recorded(&scene.appraisal, "snp.measurement", ATTESTD_PASS, NULL);
    assert_int_equal(scene.appraisal.result->verdict, ATTESTD_WARNING); /* no nonce is bound in this test */
    scene_end(&scene);
    attestd_policy_set_free(set);
}

static void a_decision_costs_less_than_20_microseconds(void **state)
{
    struct attestd_policy_fault fault;
    struct attestd_policy_set *set = examples(&fault);
    double least = 1;
    (void)state;
    assert_non_null(set);
    for (int i = 0; i < 20; i++) {
        struct scene scene;
        double spent;
        appraise(&scene, attestd_policy_set_find(set, "demo"), SIM_SNP_GENOA, NULL);
        spent = (double)attestd_job_timing(scene.appraisal.job).policy_ns / 1e9;
        least = spent < least ? spent : least;
        scene_end(&scene);
    }
    print_message("a decision over an SNP report: %.1f us\n", least * 1e6);
#ifndef ATTESTD_SANITIZED
    assert_true(least < 20e-6);
#endif
    attestd_policy_set_free(set);
}

static void a_policy_is_explained_in_words(void **state)
{
    struct attestd_policy_fault fault;
    struct attestd_policy_set *set = examples(&fault);
    struct attestd_text text = {0};
    (void)state;
    assert_non_null(set);
    attestd_policy_explain(world.engine, attestd_policy_set_find(set, "prod-inference"), NOW, &text);
    assert_non_null(strstr(text.data, "prod-inference, version"));
    assert_non_null(strstr(text.data, "snp.measurement: set images/inference"));
    assert_non_null(strstr(text.data, "warn     snp.revocation"));
    assert_non_null(strstr(text.data, "ops@example.org"));
    assert_non_null(strstr(text.data, "https://inference-keys.example"));
    attestd_text_free(&text);
    attestd_policy_set_free(set);
}

/* Written for schema.mjs, which holds the examples against it with a validator of the field. */
static void the_schema_for_editors_is_json_with_a_section_for_each_plugin(void **state)
{
    struct attestd_text text = {0};
    char path[4096], error[200];
    const char *build = getenv("ATTESTD_BUILD");
    FILE *file;
    json_t *json;
    (void)state;
    attestd_policy_schema(world.engine, &text);
    json = attestd_json_read(text.data, text.len, 64, error, sizeof error);
    if (json == NULL)
        fail_msg("%s", error);
    assert_non_null(json_object_get(json_object_get(json_object_get(json_object_get(json, "$defs"), "policy"), "properties"), "snp"));
    json_decref(json);
    snprintf(path, sizeof path, "%s/policy.schema.json", build != NULL ? build : ".");
    file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text.data, 1, text.len, file), text.len);
    fclose(file);
    attestd_text_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hardware_only_takes_every_product_with_a_warning),
        cmocka_unit_test(hardware_only_refuses_a_debug_guest),
        cmocka_unit_test(hardware_only_does_without_a_list_of_revoked_certificates),
        cmocka_unit_test(a_starter_accepts_its_pattern_and_nothing_less),
        cmocka_unit_test(the_example_policies_compile),
        cmocka_unit_test(the_demo_policy_takes_the_simulated_guest),
        cmocka_unit_test(a_decision_costs_less_than_20_microseconds),
        cmocka_unit_test(a_policy_is_explained_in_words),
        cmocka_unit_test(the_schema_for_editors_is_json_with_a_section_for_each_plugin),
    };
    return cmocka_run_group_tests(tests, world_begin, world_end);
}
