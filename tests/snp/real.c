/* SPDX-License-Identifier: Apache-2.0 */
/* Real reports, under AMD's real roots, with a folder of real certificates and lists: nothing is made for the test. */
#include "tests/snp/appraisal.h"
#include "tests/snp/vectors.h"

#include "core/certificate.h"
#include "core/encoding.h"
#include "core/value.h"
#include "policy/trust_anchors.h"
#include "sdk/simulator/simulator.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

#define DAY INT64_C(86400)

static struct {
    struct attestd_arena *arena;
    struct attestd_engine *engine;
    struct attestd_anchor_set *pins; /* trust-anchors/amd.yaml */
    struct attestd_policy *hardware_only;
    const struct attestd_node *files; /* NULL: no vectors here */
    struct shelf shelf;               /* every certificate and list of the folder */
} world;

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text), end_len = strlen(end);
    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

static int begin(void **state)
{
    (void)state;
    const char *source = getenv("ATTESTD_SOURCE");
    char folder[4096];
    struct attestd_policy_fault fault = {0};
    world.arena = attestd_arena_new();
    world.engine = appraisal_engine();
    world.pins = attestd_anchor_set_new();
    snprintf(folder, sizeof folder, "%s/trust-anchors", source ? source : ".");
    if (!attestd_trust_anchors_load(world.pins, folder, &fault))
        fail_msg("%s:%u: %s", fault.file, fault.line, fault.message);
    attestd_anchor_set_seal(world.pins);
    world.hardware_only = attestd_policy_hardware_only(world.engine);
    assert_non_null(world.hardware_only);
    world.shelf = (struct shelf){.arena = world.arena, .engine = world.engine};
    world.files = vectors_open(world.arena);
    for (size_t i = 0; world.files && i < world.files->count; i++) {
        const char *file = vectors_text(&world.files->items[i], "file");
        if (ends_with(file, ".pem") || ends_with(file, ".der")) {
            struct attestd_bytes bytes = vectors_read(world.arena, file);
            shelf_put(&world.shelf, bytes.data, bytes.len);
        }
    }
    return 0;
}

static int end(void **state)
{
    (void)state;
    attestd_policy_free(world.hardware_only);
    attestd_anchor_set_free(world.pins);
    attestd_engine_free(world.engine);
    attestd_arena_free(world.arena);
    return 0;
}

/* Thirty days after the certificate was issued: inside the validity of everything. */
static int64_t time_of(const struct attestd_node *entry)
{
    const char *file = vectors_text(entry, "expect.verified_by");
    const struct attestd_node *certificate = file ? vectors_entry(world.files, file) : NULL;
    const char *text = certificate ? vectors_text(certificate, "cert.not_before") : NULL;
    int64_t time = INT64_C(1795219200);
    if (text)
        assert_true(attestd_time_parse(text, &time));
    return time + 30 * DAY;
}

static struct appraisal appraise(const struct attestd_node *entry, struct attestd_anchor_set *anchors, struct shelf *shelf)
{
    return (struct appraisal){.engine = world.engine,
                              .anchors = anchors,
                              .shelf = shelf,
                              .report = vectors_report(world.arena, entry),
                              .view = attestd_policy_view(world.hardware_only),
                              .time = time_of(entry),
                              .arena = world.arena};
}

static struct attestd_bytes read_der(const char *file)
{
    struct attestd_bytes bytes = vectors_read(world.arena, file);
    struct shelf one = {.arena = world.arena, .engine = world.engine};
    shelf_put(&one, bytes.data, bytes.len);
    return one.count ? one.items[0].der : bytes;
}

static bool verifies(const struct attestd_node *entry)
{
    const char *valid = vectors_text(entry, "expect.signature_valid");
    return valid && strcmp(valid, "true") == 0;
}

static bool is_synthetic(const struct attestd_node *entry)
{
    return strncmp(vectors_text(entry, "file"), "synth-", 6) == 0;
}

/* --- claims against the MANIFEST --- */

static void expect_number(const struct appraisal *a, const char *claim, const struct attestd_node *entry, const char *path)
{
    const char *text = vectors_text(entry, path);
    const struct attestd_value *value = appraisal_claim(a, claim);
    assert_non_null(text);
    if (!value)
        fail_msg("no claim %s", claim);
    assert_int_equal(value->number, strtoll(text, NULL, 0));
}

static void expect_hex(const struct appraisal *a, const char *claim, const struct attestd_node *entry, const char *path, size_t len)
{
    const char *text = vectors_text(entry, path);
    const struct attestd_value *value = appraisal_claim(a, claim);
    char hex[129];
    assert_non_null(text);
    if (!value || value->text.len != len)
        fail_msg("no claim %s of %zu bytes", claim, len);
    attestd_hex_encode(value->text.data, len, hex);
    if (strcmp(text, "all zero") == 0)
        assert_int_equal(strspn(hex, "0"), 2 * len);
    else
        assert_string_equal(hex, text);
}

static void expect_text(const struct appraisal *a, const char *claim, const char *text)
{
    const struct attestd_value *value = appraisal_claim(a, claim);
    if (!value || !text)
        fail_msg("no claim %s", claim);
    assert_string_equal((const char *)value->text.data, text);
}

static void expect_flags(const struct appraisal *a, const struct attestd_node *entry)
{
    static const char *const flags[][2] = {
        {"policy.smt_allowed", "policy_bits.smt"},
        {"policy.migration_agent_allowed", "policy_bits.migrate_ma"},
        {"policy.debug_allowed", "policy_bits.debug"},
        {"policy.single_socket_required", "policy_bits.single_socket"},
        {"policy.cxl_allowed", "policy_bits.cxl_allow"},
        {"policy.memory_aes_256_xts_required", "policy_bits.mem_aes_256_xts"},
        {"policy.rapl_disabled_required", "policy_bits.rapl_dis"},
        {"policy.ciphertext_hiding_required", "policy_bits.ciphertext_hiding"},
        {"policy.page_swap_disabled", "policy_bits.page_swap_disabled"},
        {"policy.abi_major", "policy_bits.abi_major"},
        {"policy.abi_minor", "policy_bits.abi_minor"},
        {"platform.smt_enabled", "platform_bits.smt"},
        {"platform.tsme_enabled", "platform_bits.tsme"},
        {"platform.ecc_enabled", "platform_bits.ecc"},
        {"platform.rapl_disabled", "platform_bits.rapl_dis"},
        {"platform.ciphertext_hiding_enabled", "platform_bits.ciphertext_hiding"},
        {"platform.alias_check_complete", "platform_bits.alias_check"},
        {"platform.iommu_write_safe", "platform_bits.bit6"},
        {"platform.tio_enabled", "platform_bits.tio"},
        {"author_key_enabled", "author_key_en"},
    };
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        char path[64];
        snprintf(path, sizeof path, "expect.%s", flags[i][1]);
        expect_number(a, flags[i][0], entry, path);
    }
}

static void expect_tcb(const struct appraisal *a, const struct attestd_node *entry, const char *name)
{
    static const char *const names[][2] = {{"bootloader", "bl"}, {"tee", "tee"}, {"snp", "snp"}, {"microcode", "ucode"}, {"fmc", "fmc"}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char claim[64], path[64];
        snprintf(claim, sizeof claim, "%s.%s", name, names[i][0]);
        snprintf(path, sizeof path, "expect.%s.%s", name, names[i][1]);
        if (vectors_text(entry, path))
            expect_number(a, claim, entry, path);
        else
            assert_null(appraisal_claim(a, claim)); /* the claim is left out where the product has none */
    }
}

static void expect_cpuid(const struct appraisal *a, const struct attestd_node *entry)
{
    const struct attestd_value *family = appraisal_claim(a, "cpuid.family");
    char text[12];
    const char *expected = vectors_text(entry, "expect.cpuid_fam_mod_step");
    if (!family) {
        assert_true(!expected || strcmp(expected, "null") == 0);
        return;
    }
    snprintf(text, sizeof text, "%02x/%02x/%02x", (unsigned)family->number, (unsigned)appraisal_claim(a, "cpuid.model")->number,
             (unsigned)appraisal_claim(a, "cpuid.stepping")->number);
    assert_string_equal(text, expected);
}

static void expect_claims(const struct appraisal *a, const struct attestd_node *entry)
{
    expect_number(a, "report_version", entry, "expect.version");
    expect_text(a, "product", vectors_text(entry, "expect.product"));
    expect_text(a, "signing_key", strcmp(vectors_text(entry, "expect.signing_key"), "VLEK") == 0 ? "vlek" : "vcek");
    expect_number(a, "vmpl", entry, "expect.vmpl");
    expect_number(a, "guest_svn", entry, "expect.guest_svn");
    expect_hex(a, "measurement", entry, "expect.measurement", 48);
    expect_hex(a, "report_data", entry, "expect.report_data", 64);
    expect_hex(a, "host_data", entry, "expect.host_data", 32);
    expect_hex(a, "family_id", entry, "expect.family_id", 16);
    expect_hex(a, "image_id", entry, "expect.image_id", 16);
    expect_hex(a, "report_id", entry, "expect.report_id", 32);
    expect_hex(a, "report_id_ma", entry, "expect.report_id_ma", 32);
    expect_hex(a, "id_key_digest", entry, "expect.id_key_digest", 48);
    if (strcmp(vectors_text(entry, "expect.author_key_en"), "1") == 0)
        expect_hex(a, "author_key_digest", entry, "expect.author_key_digest", 48);
    else
        assert_null(appraisal_claim(a, "author_key_digest"));
    if (strcmp(vectors_text(entry, "expect.chip_id_masked"), "true") == 0)
        assert_null(appraisal_claim(a, "chip_id"));
    else
        expect_hex(a, "chip_id", entry, "expect.chip_id", 64);
    expect_flags(a, entry);
    expect_cpuid(a, entry);
    expect_tcb(a, entry, "reported_tcb");
    expect_tcb(a, entry, "current_tcb");
    expect_tcb(a, entry, "committed_tcb");
    expect_tcb(a, entry, "launch_tcb");
    expect_text(a, "current_version", vectors_text(entry, "expect.current_version"));
    expect_text(a, "committed_version", vectors_text(entry, "expect.committed_version"));
}

/* --- tests --- */

static void every_real_report_is_authentic_and_says_what_its_manifest_says(void **state)
{
    (void)state;
    size_t authentic = 0;
    for (size_t i = 0; world.files && i < world.files->count; i++) {
        const struct attestd_node *entry = &world.files->items[i];
        if (!verifies(entry) || is_synthetic(entry) || vectors_report(world.arena, entry).len == 0)
            continue;
        struct appraisal a = appraise(entry, world.pins, &world.shelf);
        appraisal_run(&a);
        expect_authentic(&a);
        expect_claims(&a, entry);
        bool debug = strcmp(vectors_text(entry, "expect.policy_bits.debug"), "1") == 0;
        assert_int_equal(a.result->verdict, debug ? ATTESTD_CONTRAINDICATED : ATTESTD_WARNING);
        if (debug)
            assert_recorded(&a, "snp.debug", ATTESTD_FAIL, "SNP_DEBUG_ALLOWED");
        assert_false(a.result->simulated);
        appraisal_end(&a);
        authentic++;
    }
    if (world.files)
        assert_true(authentic >= 14);
}

static void run_entry(struct appraisal *a, const char *file, struct attestd_anchor_set *anchors)
{
    const struct attestd_node *entry = vectors_entry(world.files, file);
    assert_non_null(entry);
    *a = appraise(entry, anchors, &world.shelf);
}

static void what_is_peculiar_about_a_real_report_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *file, *check, *code;
    } peculiar[] = {
        {"milan-v2-debug.report.bin", "snp.report_version", "SNP_REPORT_VERSION_BELOW_MINIMUM"},
        {"milan-v2-provisional.report.bin", "snp.provisional_firmware", "SNP_PROVISIONAL_FIRMWARE"},
        {"milan-v3-vlek-vmpl1.report.bin", "snp.vmpl", "SNP_VMPL_NOT_ALLOWED"},
        {"milan-v5-vlek-vmpl1.report.bin", "snp.vmpl", "SNP_VMPL_NOT_ALLOWED"},
    };
    for (size_t i = 0; world.files && i < sizeof peculiar / sizeof peculiar[0]; i++) {
        struct appraisal a;
        run_entry(&a, peculiar[i].file, world.pins);
        appraisal_run(&a);
        expect_authentic(&a);
        assert_recorded(&a, peculiar[i].check, ATTESTD_FAIL, peculiar[i].code);
        appraisal_end(&a);
    }
}

static void an_expired_vlek_is_refused_today(void **state)
{
    (void)state;
    struct appraisal a;
    if (!world.files)
        return;
    run_entry(&a, "milan-v3-vlek-vmpl1.report.bin", world.pins);
    a.time = INT64_C(1795219200);
    appraisal_run(&a);
    assert_recorded(&a, "snp.validity", ATTESTD_FAIL, "SNP_VEK_EXPIRED");
    appraisal_end(&a);
    run_entry(&a, "milan-v5-vlek-vmpl1.report.bin", world.pins);
    a.time = INT64_C(1795219200);
    appraisal_run(&a);
    expect_authentic(&a);
    appraisal_end(&a);
}

static void reports_without_a_certificate_say_which_is_missing(void **state)
{
    (void)state;
    struct appraisal a;
    if (!world.files)
        return;
    run_entry(&a, "milan-v4-gce-nocert.report.bin", world.pins);
    appraisal_run(&a);
    assert_recorded(&a, "snp.vek", ATTESTD_UNAVAILABLE, "SNP_VEK_UNAVAILABLE");
    assert_true(a.result->unavailable);
    appraisal_end(&a);
    run_entry(&a, "genoa-v3-maskedid-nocert.report.bin", world.pins);
    appraisal_run(&a);
    assert_recorded(&a, "snp.vek", ATTESTD_FAIL, "SNP_VEK_OF_MASKED_CHIP");
    assert_recorded(&a, "snp.masked_chip_id", ATTESTD_FAIL, "SNP_CHIP_ID_MASKED");
    appraisal_end(&a);
}

static void a_real_certificate_table_serves_alone(void **state)
{
    (void)state;
    struct appraisal a;
    struct shelf empty = {.arena = world.arena, .engine = world.engine};
    if (!world.files)
        return;
    run_entry(&a, "genoa-v3-certtable.report.bin", world.pins);
    a.certs = vectors_read(world.arena, "genoa-v3-certtable.certs.bin");
    a.shelf = &empty;
    appraisal_run(&a);
    expect_authentic(&a);
    expect_claims(&a, vectors_entry(world.files, "genoa-v3-certtable.report.bin"));
    appraisal_end(&a);
}

static void real_lists_are_fresh_in_their_time_only(void **state)
{
    (void)state;
    static const struct {
        const char *file, *time, *code;
    } times[] = {
        /* The Milan list of 2025-05-06 .. 2026-05-12; the Genoa lists of 2022 and of 2024-10-23 .. 2025-11-03. */
        {"milan-v3-aci.report.bin", "2026-03-01T00:00:00Z", NULL},
        {"milan-v3-aci.report.bin", "2026-06-01T00:00:00Z", "SNP_CRL_STALE"},
        {"genoa-v5-oak.report.bin", "2025-10-01T00:00:00Z", NULL},
        {"genoa-v5-oak.report.bin", "2025-12-01T00:00:00Z", "SNP_CRL_STALE"},
        {"turin-v5-aci.report.bin", "2026-03-01T00:00:00Z", "SNP_CRL_UNAVAILABLE"},
    };
    for (size_t i = 0; world.files && i < sizeof times / sizeof times[0]; i++) {
        struct appraisal a;
        run_entry(&a, times[i].file, world.pins);
        assert_true(attestd_time_parse(times[i].time, &a.time));
        a.view = NULL; /* strict */
        a.settings = "vmpl: {allow: [0]}";
        appraisal_run(&a);
        expect_authentic(&a);
        assert_recorded(&a, "snp.revocation", times[i].code ? ATTESTD_UNAVAILABLE : ATTESTD_PASS, times[i].code);
        assert_int_equal(a.result->unavailable, times[i].code != NULL);
        appraisal_end(&a);
    }
}

static void the_revoked_ask_is_refused_whatever_the_age_of_the_list(void **state)
{
    (void)state;
    if (!world.files)
        return;
    /* No report under the revoked ASK is at hand: its own certificate is judged against both lists. */
    struct attestd_bytes der = read_der("ask-genoa-revoked.der"), good = read_der("ask-genoa.pem");
    struct attestd_certificate *revoked = attestd_certificate_parse(der.data, der.len);
    struct attestd_certificate *current = attestd_certificate_parse(good.data, good.len);
    static const char *const lists[] = {"crl-genoa-2022.der", "crl-genoa-2024.der"};
    for (size_t i = 0; i < 2; i++) {
        struct attestd_bytes bytes = read_der(lists[i]);
        struct attestd_crl *crl = attestd_crl_parse(bytes.data, bytes.len);
        assert_true(attestd_crl_revokes(crl, revoked));
        assert_false(attestd_crl_revokes(crl, current));
        attestd_crl_free(crl);
    }
    attestd_certificate_free(revoked);
    attestd_certificate_free(current);
}

/* --- synthetic look-alikes --- */

static struct attestd_anchor_set *with_anchor(const char *file)
{
    struct attestd_anchor_set *set = attestd_anchor_set_new();
    struct attestd_bytes bytes = vectors_read(world.arena, file);
    for (size_t i = 0; i < attestd_anchor_set_count(world.pins); i++)
        attestd_anchor_set_add(set, attestd_anchor_set_at(world.pins, i));
    assert_true(attestd_anchor_set_add_certificate(set, "snp/Genoa", bytes.data, bytes.len, false));
    attestd_anchor_set_seal(set);
    return set;
}

static void look_alikes_are_refused_and_show_their_own_fault_under_their_own_root(void **state)
{
    (void)state;
    static const struct {
        const char *name, *root, *intermediate, *check, *code;
    } synthetic[] = {
        {"synth-good", "synth-ark.pem", "synth-ask.pem", NULL, NULL},
        {"synth-debug", "synth-ark.pem", "synth-ask.pem", "snp.debug", "SNP_DEBUG_ALLOWED"},
        {"synth-policy-mbz", "synth-ark.pem", "synth-ask.pem", "snp.reserved", "SNP_POLICY_RESERVED_BITS"},
        {"synth-hwid-mismatch", "synth-ark.pem", "synth-ask.pem", "snp.hwid", "SNP_HWID_MISMATCH"},
        {"synth-no-hwid", "synth-ark-2.pem", "synth-ask-2.pem", "snp.hwid", "SNP_HWID_MISSING"},
    };
    for (size_t i = 0; world.files && i < sizeof synthetic / sizeof synthetic[0]; i++) {
        char report[64], vcek[64];
        struct appraisal a;
        snprintf(report, sizeof report, "%s.report.bin", synthetic[i].name);
        snprintf(vcek, sizeof vcek, "%s.vcek.der", synthetic[i].name);
        run_entry(&a, report, world.pins);
        a.certs = vectors_read(world.arena, vcek);
        appraisal_run(&a);
        assert_false(a.piece->authentic);
        assert_int_equal(a.result->verdict, ATTESTD_CONTRAINDICATED);
        if (strcmp(synthetic[i].name, "synth-policy-mbz") != 0)
            assert_recorded(&a, "snp.anchor", ATTESTD_FAIL, "SNP_ANCHOR_UNKNOWN");
        appraisal_end(&a);

        struct attestd_anchor_set *anchors = with_anchor(synthetic[i].root);
        run_entry(&a, report, anchors);
        a.certs = vectors_read(world.arena, vcek);
        appraisal_run(&a);
        if (synthetic[i].code)
            assert_recorded(&a, synthetic[i].check, ATTESTD_FAIL, synthetic[i].code);
        else
            expect_authentic(&a);
        assert_int_equal(a.result->verdict, synthetic[i].code ? ATTESTD_CONTRAINDICATED : ATTESTD_WARNING);
        appraisal_end(&a);
        attestd_anchor_set_free(anchors);
    }
}

/* From a folder alone, with AMD's own certificates of the same names beside them. */
static void look_alikes_in_a_folder_are_refused_for_their_root(void **state)
{
    (void)state;
    struct appraisal a;
    if (!world.files)
        return;
    run_entry(&a, "synth-good.report.bin", world.pins);
    appraisal_run(&a);
    assert_recorded(&a, "snp.anchor", ATTESTD_FAIL, "SNP_ANCHOR_UNKNOWN");
    appraisal_end(&a);
    struct attestd_anchor_set *anchors = with_anchor("synth-ark.pem");
    run_entry(&a, "synth-good.report.bin", anchors);
    appraisal_run(&a);
    expect_authentic(&a);
    appraisal_end(&a);
    attestd_anchor_set_free(anchors);
}

/* --- mutations --- */

static struct sim_bytes borrowed(struct attestd_bytes bytes)
{
    return (struct sim_bytes){(uint8_t *)(uintptr_t)bytes.data, bytes.len};
}

static struct attestd_bytes table(const char *vek, bool vlek_slot, const char *intermediate, const char *root)
{
    struct sim_bytes none = {NULL, 0};
    struct sim_bytes made = sim_snp_table(borrowed(read_der(vek)), vlek_slot, intermediate ? borrowed(read_der(intermediate)) : none,
                                          root ? borrowed(read_der(root)) : none, none, true, false);
    struct attestd_bytes kept = attestd_arena_bytes(world.arena, made.data, made.len);
    free(made.data);
    return kept;
}

static void certificates_that_do_not_belong_to_a_report_never_serve(void **state)
{
    (void)state;
    static const struct {
        const char *report, *vek;
        bool vlek_slot;
        const char *intermediate, *root, *check, *code;
    } wrong[] = {
        {"milan-v3-aci.report.bin", "milan-v3-aci.vcek.pem", false, "ask-genoa.pem", "ark-genoa.pem", "snp.chain", "SNP_LEAF_SIGNATURE"},
        {"milan-v5-vlek-vmpl1.report.bin", "milan-v5-vlek-vmpl1.vlek.pem", true, "ask-milan.pem", "ark-milan.pem", "snp.chain",
         "SNP_LEAF_SIGNATURE"},
        {"milan-v5-vlek-vmpl1.report.bin", "milan-v5-vlek-vmpl1.vlek.pem", false, "asvk-milan.pem", "ark-milan.pem", "snp.key_kind",
         "SNP_KEY_KIND_MISMATCH"},
        {"milan-v3-aci.report.bin", "milan-v3-azure.vcek.pem", false, "ask-milan.pem", "ark-milan.pem", "snp.hwid", "SNP_HWID_MISMATCH"},
        {"milan-v2-provisional.report.bin", "vcek-bad-hwid-raw.der", false, "ask-milan.pem", "ark-milan.pem", "snp.chain",
         "SNP_LEAF_SIGNATURE"},
        {"milan-v2-provisional.report.bin", "vcek-bad-hwid-octet.der", false, "ask-milan.pem", "ark-milan.pem", "snp.chain",
         "SNP_LEAF_SIGNATURE"},
    };
    for (size_t i = 0; world.files && i < sizeof wrong / sizeof wrong[0]; i++) {
        struct shelf empty = {.arena = world.arena, .engine = world.engine};
        struct appraisal a;
        run_entry(&a, wrong[i].report, world.pins);
        a.certs = table(wrong[i].vek, wrong[i].vlek_slot, wrong[i].intermediate, wrong[i].root);
        a.shelf = &empty;
        appraisal_run(&a);
        assert_recorded(&a, wrong[i].check, ATTESTD_FAIL, wrong[i].code);
        assert_false(a.piece->authentic);
        appraisal_end(&a);
        /* The right ones are in the folder: what is wrong in the table does no harm. */
        run_entry(&a, wrong[i].report, world.pins);
        a.certs = table(wrong[i].vek, wrong[i].vlek_slot, wrong[i].intermediate, wrong[i].root);
        appraisal_run(&a);
        expect_authentic(&a);
        appraisal_end(&a);
    }
}

static void a_reissued_vcek_serves_as_well(void **state)
{
    (void)state;
    struct appraisal a;
    if (!world.files)
        return;
    run_entry(&a, "milan-v3-aci.report.bin", world.pins);
    a.certs = vectors_read(world.arena, "milan-v3-aci.vcek-reissue.pem");
    appraisal_run(&a);
    expect_authentic(&a);
    appraisal_end(&a);
}

static void no_altered_byte_of_a_real_report_passes(void **state)
{
    (void)state;
    static const char *const files[] = {"milan-v3-aci.report.bin", "turin-v5-aci.report.bin"};
    for (size_t f = 0; world.files && f < 2; f++) {
        struct attestd_bytes original = vectors_read(world.arena, files[f]);
        for (size_t at = 0; at < original.len; at++) {
            struct appraisal a;
            run_entry(&a, files[f], world.pins);
            uint8_t *bytes = (uint8_t *)(uintptr_t)attestd_arena_bytes(world.arena, original.data, original.len).data;
            bytes[at] ^= (uint8_t)(1u << (at + f) % 8);
            a.report.data = bytes;
            appraisal_run(&a);
            if (a.answer == ATTESTD_DONE && a.piece->authentic)
                fail_msg("%s: byte 0x%zx altered, and still authentic", files[f], at);
            appraisal_end(&a);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_real_report_is_authentic_and_says_what_its_manifest_says),
        cmocka_unit_test(what_is_peculiar_about_a_real_report_is_named),
        cmocka_unit_test(an_expired_vlek_is_refused_today),
        cmocka_unit_test(reports_without_a_certificate_say_which_is_missing),
        cmocka_unit_test(a_real_certificate_table_serves_alone),
        cmocka_unit_test(real_lists_are_fresh_in_their_time_only),
        cmocka_unit_test(the_revoked_ask_is_refused_whatever_the_age_of_the_list),
        cmocka_unit_test(look_alikes_are_refused_and_show_their_own_fault_under_their_own_root),
        cmocka_unit_test(look_alikes_in_a_folder_are_refused_for_their_root),
        cmocka_unit_test(certificates_that_do_not_belong_to_a_report_never_serve),
        cmocka_unit_test(a_reissued_vcek_serves_as_well),
        cmocka_unit_test(no_altered_byte_of_a_real_report_passes),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
