/* SPDX-License-Identifier: Apache-2.0 */
/* Claims of a report against lists and reference sets of a real policy: the codes that the policy, not the plugin, decides. */
#include "tests/snp/simulated.h"

#include "core/encoding.h"
#include "policy/document.h"
#include "policy/policy.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

static struct attestd_policy_set *compile(const char *text)
{
    const struct attestd_policy_file file = {"test.yaml", text, strlen(text)};
    struct attestd_policy_fault faults[4];
    size_t count = 0;
    struct attestd_policy_set *set = attestd_policy_compile(world.engine, world.anchors, &file, 1, false, NULL, NULL, faults, 4, &count);
    if (!set)
        fail_msg("%u:%u: %s\n%s", faults[0].line, faults[0].column, faults[0].message, text);
    return set;
}

static void run_under(struct scene *scene, const char *section, const char *sets)
{
    char text[4096];
    snprintf(text, sizeof text, "policy: test\nversion: 1\nfreshness: {challenge: none}\nbinding: {key: optional}\nsnp:\n  %s\n%s", section,
             sets);
    struct attestd_policy_set *set = compile(text);
    scene->appraisal.view = attestd_policy_view(attestd_policy_set_find(set, "test"));
    scene_run(scene);
    attestd_policy_set_free(set);
}

static void fill(struct sim_snp_guest *guest)
{
    memset(guest->host_data, 1, sizeof guest->host_data);
    memset(guest->id_key_digest, 2, sizeof guest->id_key_digest);
    memset(guest->author_key_digest, 3, sizeof guest->author_key_digest);
    memset(guest->family_id, 4, sizeof guest->family_id);
    memset(guest->image_id, 5, sizeof guest->image_id);
    guest->key_info |= 1;
}

static const struct {
    const char *name, *code;
    size_t offset, len;
} listed[] = {
    {"measurement", "SNP_MEASUREMENT_NOT_LISTED", offsetof(struct sim_snp_guest, measurement), 48},
    {"host_data", "SNP_HOST_DATA_NOT_LISTED", offsetof(struct sim_snp_guest, host_data), 32},
    {"id_key_digest", "SNP_ID_KEY_DIGEST_NOT_LISTED", offsetof(struct sim_snp_guest, id_key_digest), 48},
    {"author_key_digest", "SNP_AUTHOR_KEY_DIGEST_NOT_LISTED", offsetof(struct sim_snp_guest, author_key_digest), 48},
    {"report_id", "SNP_REPORT_ID_NOT_LISTED", offsetof(struct sim_snp_guest, report_id), 32},
    {"family_id", "SNP_FAMILY_ID_NOT_LISTED", offsetof(struct sim_snp_guest, family_id), 16},
    {"image_id", "SNP_IMAGE_ID_NOT_LISTED", offsetof(struct sim_snp_guest, image_id), 16},
    {"chip_id", "SNP_CHIP_ID_NOT_LISTED", offsetof(struct sim_snp_guest, chip_id), 64},
};

static void a_claim_outside_its_list_or_set_gives_its_code(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof listed / sizeof listed[0]; i++) {
        for (int form = 0; form < 4; form++) { /* list or set; good or bad */
            struct scene scene;
            char id[32], hex[129], section[256], sets[512] = "";
            scene_begin(&scene, SIM_SNP_GENOA);
            fill(&scene.guest);
            uint8_t *field = (uint8_t *)&scene.guest + listed[i].offset;
            attestd_hex_encode(field, listed[i].len, hex);
            if (form & 1) /* policy and guest differ in one bit */
                hex[2 * listed[i].len - 1] = hex[2 * listed[i].len - 1] == '0' ? '1' : '0';
            if (form & 2) {
                snprintf(section, sizeof section, "%s: {in: own}", listed[i].name);
                snprintf(sets, sizeof sets, "---\nreference_set: own\nvalues:\n  - {label: one, snp.%s: [%s]}\n", listed[i].name, hex);
            } else {
                snprintf(section, sizeof section, "%s: [%s]", listed[i].name, hex);
            }
            scene_mint(&scene);
            run_under(&scene, section, sets);
            snprintf(id, sizeof id, "snp.%s", listed[i].name);
            expect_authentic(&scene.appraisal);
            assert_recorded(&scene.appraisal, id, form & 1 ? ATTESTD_FAIL : ATTESTD_PASS, form & 1 ? listed[i].code : NULL);
            scene_end(&scene);
        }
    }
}

static void a_masked_chip_or_a_disabled_author_key_matches_no_list(void **state)
{
    (void)state;
    struct scene scene;
    char zeros[129], section[256];
    memset(zeros, '0', 128);
    zeros[128] = '\0';
    scene_begin(&scene, SIM_SNP_GENOA);
    memset(scene.guest.chip_id, 0, sizeof scene.guest.chip_id);
    snprintf(section, sizeof section, "chip_id: [%s]", zeros);
    scene_mint(&scene);
    run_under(&scene, section, "");
    assert_recorded(&scene.appraisal, "snp.chip_id", ATTESTD_FAIL, "SNP_CHIP_ID_NOT_LISTED");
    scene_end(&scene);

    scene_begin(&scene, SIM_SNP_GENOA);
    zeros[96] = '\0';
    snprintf(section, sizeof section, "author_key_digest: [%s]", zeros);
    scene_mint(&scene);
    run_under(&scene, section, "");
    assert_recorded(&scene.appraisal, "snp.author_key_digest", ATTESTD_FAIL, "SNP_AUTHOR_KEY_DIGEST_NOT_LISTED");
    scene_end(&scene);
}

/* The section of the design's example, as it stands there. */
static void a_whole_section_compiles_and_its_exceptions_end(void **state)
{
    (void)state;
    static const char section[] =
        "products: [Genoa, Turin]\n"
        "  tcb: {floor: {Genoa: {snp: 23, microcode: 84}, 19-a0-02: {snp: 23, microcode: 22}, Turin: {snp: 4, microcode: 81}}, "
        "of: [reported, committed, launch]}\n"
        "  guest_policy: {debug: false, migration_agent: false, smt: any}\n"
        "  vmpl: {allow: [0]}\n"
        "  revocation: {mode: warn, until: 2026-12-15, reason: KDS mirror moves, owner: ops@example.org}\n";
    static const int64_t until = NOW + 24 * DAY; /* 2026-12-15 */
    for (int late = 0; late < 2; late++) {
        struct scene scene;
        scene_begin(&scene, SIM_SNP_ZEN4C);
        scene.appraisal.time = late ? until + 1 : until - 1;
        scene_mint(&scene);
        scene.list_der = (struct attestd_bytes){NULL, 0};
        run_under(&scene, section, "");
        expect_authentic(&scene.appraisal);
        assert_recorded(&scene.appraisal, "snp.revocation", ATTESTD_UNAVAILABLE, "SNP_CRL_UNAVAILABLE");
        assert_recorded(&scene.appraisal, "snp.launch_tcb_floor", ATTESTD_PASS, NULL);
        assert_int_equal(appraisal_check(&scene.appraisal, "snp.revocation")->mode, late ? ATTESTD_STRICT : ATTESTD_WARN);
        assert_int_equal(scene.appraisal.result->unavailable, late);
        scene_end(&scene);
    }
}

static void a_mode_of_one_flag_does_not_touch_the_others_of_its_group(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene, SIM_SNP_GENOA);
    scene.guest.policy |= 1u << 19 | 1u << 18;
    scene_mint(&scene);
    run_under(&scene, "guest_policy: {debug: {mode: warn, until: 2027-01-01, reason: bring-up, owner: ops@example.org}}", "");
    assert_recorded(&scene.appraisal, "snp.debug", ATTESTD_FAIL, "SNP_DEBUG_ALLOWED");
    assert_int_equal(appraisal_check(&scene.appraisal, "snp.debug")->mode, ATTESTD_WARN);
    assert_int_equal(appraisal_check(&scene.appraisal, "snp.migration_agent")->mode, ATTESTD_STRICT);
    scene_end(&scene);
}

/* What the documentation shows must be what the compiler takes. */
static void the_section_in_the_documentation_compiles(void **state)
{
    (void)state;
    const char *source = getenv("ATTESTD_SOURCE");
    char path[4096], error[256], sets[512], hex[129];
    struct attestd_arena *arena = attestd_arena_new();
    struct attestd_bytes page;
    snprintf(path, sizeof path, "%s/docs/evidence/snp.md", source ? source : ".");
    if (!attestd_file_read(arena, path, 1 << 20, &page, error, sizeof error))
        fail_msg("%s", error);
    const char *begin = strstr((const char *)page.data, "```yaml\n"), *end = begin ? strstr(begin + 8, "\n```") : NULL;
    assert_non_null(end);
    memset(hex, 'a', 128);
    hex[128] = '\0';
    snprintf(sets, sizeof sets,
             "\n---\nreference_set: images/inference\nvalues:\n  - {snp.measurement: [%.96s]}\n"
             "---\nreference_set: fleet/chips\nvalues:\n  - {snp.chip_id: [%s]}\n",
             hex, hex);
    const char *text = attestd_arena_format(arena, "policy: test\nversion: 1\nfreshness: {challenge: none}\n%.*s%s", (int)(end - begin - 8),
                                            begin + 8, sets);
    attestd_policy_set_free(compile(text));
    attestd_arena_free(arena);
}

static void fixed_checks_cannot_be_named_in_a_policy(void **state)
{
    (void)state;
    static const char text[] = "policy: test\nversion: 1\nchecks: {snp.signature: warn}\n";
    const struct attestd_policy_file file = {"test.yaml", text, sizeof text - 1};
    struct attestd_policy_fault faults[4];
    size_t count = 0;
    assert_null(attestd_policy_compile(world.engine, world.anchors, &file, 1, false, NULL, NULL, faults, 4, &count));
    assert_int_equal(faults[0].line, 3);
}

static void every_listing_code_was_produced(void **state)
{
    (void)state;
    const struct attestd_plugin *plugin = attestd_engine_plugin(world.engine, "snp");
    for (size_t i = 0; plugin->checks[i]; i++) {
        const char *code = plugin->checks[i]->reasons[0].code;
        if (strstr(code, "_NOT_LISTED"))
            assert_true(seen(code));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_claim_outside_its_list_or_set_gives_its_code),
        cmocka_unit_test(a_masked_chip_or_a_disabled_author_key_matches_no_list),
        cmocka_unit_test(a_whole_section_compiles_and_its_exceptions_end),
        cmocka_unit_test(a_mode_of_one_flag_does_not_touch_the_others_of_its_group),
        cmocka_unit_test(the_section_in_the_documentation_compiles),
        cmocka_unit_test(fixed_checks_cannot_be_named_in_a_policy),
        cmocka_unit_test(every_listing_code_was_produced),
    };
    return cmocka_run_group_tests(tests, world_begin, world_end);
}
