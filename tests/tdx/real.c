/* SPDX-License-Identifier: Apache-2.0 */
/* Real quotes under Intel's real root, with the collateral of their day: final status, advisories and facts as the MANIFEST has them. */
#include "tests/tdx/appraisal.h"

#include "core/encoding.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

static const struct attestd_node *entry_of(const struct attestd_node *files, const char *file)
{
    for (size_t i = 0; files && i < files->count; i++) {
        const char *name = node_text(&files->items[i], "file");
        if (name && strcmp(name, file) == 0)
            return &files->items[i];
    }
    return NULL;
}

/* The quote of a collateral set: the part of the name before ".collateral". */
static const struct attestd_node *quote_of(const struct attestd_node *files, const char *collateral)
{
    char name[256];
    const char *end = strstr(collateral, ".collateral");
    if (!end)
        return NULL;
    snprintf(name, sizeof name, "%.*s.quote.bin", (int)(end - collateral), collateral);
    return entry_of(files, name);
}

static struct attestd_bytes quote_bytes(const char *type, const struct attestd_node *quote, bool cut)
{
    struct attestd_bytes bytes = vector(type, node_text(quote, "file"));
    if (cut)
        bytes.len = (size_t)atoi(node_text(quote, "expect.quote_len"));
    return bytes;
}

static struct appraisal appraise_with(const char *type, const struct attestd_node *quote, const struct attestd_node *collateral,
                                      struct shelf *shelf, const char *settings)
{
    const char *nonzero = node_text(quote, "expect.trailing_nonzero");
    struct appraisal a = {.type = type, .part_count = 1, .shelf = shelf, .settings = settings};
    a.parts[0] = (struct attestd_part){"quote", quote_bytes(type, quote, nonzero && strcmp(nonzero, "true") == 0)};
    a.time = time_at(node_text(collateral, "expect.evaluate_at"));
    if (shelf)
        shelf_put(shelf, vector(type, node_text(collateral, "file")));
    appraisal_run(&a);
    return a;
}

static void expect_hex(const struct appraisal *a, const char *claim, const struct attestd_node *quote, const char *path)
{
    const char *text = node_text(quote, path);
    const struct attestd_value *value = claim_of(a, claim);
    char hex[257];
    if (!text)
        return;
    if (!value || value->text.len > 128)
        fail_msg("%s: no claim %s", node_text(quote, "file"), claim);
    attestd_hex_encode(value->text.data, value->text.len, hex);
    assert_string_equal(hex, text);
}

static void expect_facts(const struct appraisal *a, const struct attestd_node *quote)
{
    static const char *const hex[] = {"mrtd",         "rtmr0",       "rtmr1",   "rtmr2",          "rtmr3",       "mrseam",
                                      "mrsignerseam", "mrconfigid",  "mrowner", "mrownerconfig",  "report_data", "tee_tcb_svn",
                                      "tee_tcb_svn2", "mrservicetd", "xfam",    "seam_attributes"};
    static const char *const sgx[] = {"mrenclave", "mrsigner", "report_data", "cpusvn"};
    char path[64];
    for (size_t i = 0; strcmp(a->type, "tdx") == 0 && i < sizeof hex / sizeof hex[0]; i++) {
        snprintf(path, sizeof path, "expect.%s", hex[i]);
        expect_hex(a, hex[i], quote, path);
    }
    for (size_t i = 0; strcmp(a->type, "sgx") == 0 && i < sizeof sgx / sizeof sgx[0]; i++) {
        snprintf(path, sizeof path, "expect.enclave_%s", sgx[i]);
        expect_hex(a, sgx[i], quote, path);
    }
    expect_hex(a, "fmspc", quote, "expect.pck.fmspc");
    expect_hex(a, "pceid", quote, "expect.pck.pceid");
    expect_hex(a, "platform.cpusvn", quote, "expect.pck.cpusvn");
    expect_hex(a, "qe.mrenclave", quote, "expect.qe.mrenclave");
    assert_int_equal(claim_of(a, "quote_version")->number, atoi(node_text(quote, "expect.version")));
    assert_int_equal(claim_of(a, "pce_svn")->number, atoi(node_text(quote, "expect.pck.pcesvn")));
    assert_int_equal(claim_of(a, "qe.isv_svn")->number, atoi(node_text(quote, "expect.qe.isvsvn")));
}

static void expect_advisories(const struct appraisal *a, const struct attestd_node *collateral)
{
    const char *level_name = strcmp(a->type, "tdx") == 0 ? "tdx_tcb_level" : "sgx_tcb_level";
    const struct attestd_node *expect = attestd_node_find(collateral, "expect"), *level = attestd_node_find(expect, level_name);
    const struct attestd_node *list = level && level->kind == ATTESTD_NODE_MAP ? attestd_node_find(level, "advisories") : NULL;
    const struct attestd_value *claim = claim_of(a, "advisory_ids");
    for (size_t i = 0; list && i < list->count; i++) {
        bool found = false;
        for (size_t k = 0; claim && k < claim->count; k++)
            found |= strcmp((const char *)claim->items[k].text.data, list->items[i].text) == 0;
        if (!found)
            fail_msg("%s is not among the advisories", list->items[i].text);
    }
}

/* Every set of collateral in a folder, with its quote. */
static unsigned for_each_set(const char *type, const struct attestd_node *files)
{
    unsigned count = 0;
    for (size_t i = 0; files && i < files->count; i++) {
        const struct attestd_node *collateral = &files->items[i];
        const char *file = node_text(collateral, "file"), *status = node_text(collateral, "expect.final_tcb_status");
        const struct attestd_node *quote = quote_of(files, file);
        struct shelf shelf = {.count = 0};
        if (!status || !quote)
            continue;
        struct appraisal a = appraise_with(type, quote, collateral, &shelf, NULL);
        if (a.answer != ATTESTD_DONE || !a.piece->authentic)
            fail_msg("%s: %s", file, first_code(&a));
        assert_claim_text(&a, "tcb_status", status);
        assert_claim_text(&a, "qe_tcb_status", node_text(collateral, "expect.qe_tcb_status"));
        assert_int_equal(claim_of(&a, "evaluation_number")->number, atoi(node_text(collateral, "expect.tcb_info.eval")));
        expect_facts(&a, quote);
        expect_advisories(&a, collateral);
        char id[32];
        snprintf(id, sizeof id, "%s.tcb.status", type);
        bool current = strcmp(status, "UpToDate") == 0;
        assert_int_equal(check_of(&a, id)->outcome, current ? ATTESTD_PASS : ATTESTD_FAIL);
        if (!current)
            assert_int_equal(a.piece->verdict, ATTESTD_CONTRAINDICATED);
        appraisal_end(&a);
        count++;
    }
    return count;
}

static void every_quote_has_the_status_advisories_and_facts_of_its_manifest(void **state)
{
    (void)state;
    if (!world.tdx || !world.sgx)
        skip();
    assert_true(for_each_set("tdx", world.tdx) >= 13);
    assert_true(for_each_set("sgx", world.sgx) >= 3);
}

/* The second time the same bytes come from the memos: nothing of the answer differs. */
static void a_warm_run_gives_what_a_cold_one_gave(void **state)
{
    (void)state;
    if (!world.tdx)
        skip();
    attestd_engine_memo_drop(world.engine);
    const char *texts[2];
    for (size_t i = 0; i < 2; i++) {
        struct shelf shelf = {.count = 0};
        struct appraisal a = appraise_with("tdx", entry_of(world.tdx, "tdx-v4-phala-a.quote.bin"),
                                           entry_of(world.tdx, "tdx-v4-phala-a.collateral.json"), &shelf, NULL);
        struct attestd_text text = {0};
        struct attestd_json_writer writer = attestd_json_writer_to(&text);
        attestd_json_open_map(&writer, NULL);
        attestd_result_members(&writer, a.result);
        attestd_json_close_map(&writer);
        texts[i] = attestd_arena_text(world.arena, text.data);
        attestd_text_free(&text);
        assert_int_equal(a.piece->verdict, ATTESTD_WARNING); /* no binding was asked for */
        appraisal_end(&a);
    }
    assert_string_equal(texts[0], texts[1]);
    assert_true(attestd_engine_memo_counts(world.engine).hits >= 5);
}

static void a_platform_out_of_date_is_refused_although_its_module_is_current(void **state)
{
    (void)state;
    if (!world.tdx)
        skip();
    struct shelf shelf = {.count = 0};
    struct appraisal a = appraise_with("tdx", entry_of(world.tdx, "tdx-v4-gnr-outofdate.quote.bin"),
                                       entry_of(world.tdx, "tdx-v4-gnr-outofdate.collateral.json"), &shelf, NULL);
    assert_recorded(&a, "tdx.platform.tcb", ATTESTD_FAIL, "TDX_PLATFORM_OUT_OF_DATE");
    assert_recorded(&a, "tdx.module.tcb", ATTESTD_PASS, NULL);
    assert_recorded(&a, "tdx.qe_identity.tcb", ATTESTD_PASS, NULL);
    assert_recorded(&a, "tdx.tcb.status", ATTESTD_FAIL, "TDX_TCB_OUT_OF_DATE");
    assert_claim_text(&a, "module_tcb_status", "UpToDate");
    appraisal_end(&a);
}

static void non_zero_bytes_behind_a_quote_are_refused_and_zero_ones_are_counted(void **state)
{
    (void)state;
    if (!world.tdx)
        skip();
    const struct attestd_node *quote = entry_of(world.tdx, "tdx-v4-google-spr-e4.quote.bin"),
                              *collateral = entry_of(world.tdx, "tdx-v4-google-spr-e4.collateral.json");
    struct appraisal a = {.type = "tdx", .part_count = 1, .time = time_at(node_text(collateral, "expect.evaluate_at"))};
    a.parts[0] = (struct attestd_part){"quote", quote_bytes("tdx", quote, false)};
    appraisal_run(&a);
    assert_int_equal(a.answer, ATTESTD_MALFORMED);
    assert_string_equal(a.piece->malformed_code, "TDX_TRAILING_BYTES");
    appraisal_end(&a);
    struct shelf shelf = {.count = 0};
    a = appraise_with("tdx", quote, collateral, &shelf, NULL);
    assert_recorded(&a, "tdx.tcb.status", ATTESTD_FAIL, "TDX_TCB_NOT_SUPPORTED");
    appraisal_end(&a);
    a = appraise_with("tdx", entry_of(world.tdx, "tdx-v4-phala-a.quote.bin"), entry_of(world.tdx, "tdx-v4-phala-a.collateral.json"), &shelf,
                      NULL);
    assert_int_equal(claim_of(&a, "trailing_zeros")->number, 70);
    appraisal_end(&a);
}

static void debug_guests_and_enclaves_are_refused(void **state)
{
    (void)state;
    if (!world.tdx || !world.sgx)
        skip();
    struct shelf shelf = {.count = 0};
    struct appraisal a = appraise_with("tdx", entry_of(world.tdx, "tdx-v4-debug.quote.bin"),
                                       entry_of(world.tdx, "tdx-v4-debug.collateral.json"), &shelf, NULL);
    assert_recorded(&a, "tdx.debug", ATTESTD_FAIL, "TDX_DEBUG_ENABLED");
    assert_recorded(&a, "tdx.tcb.status", ATTESTD_PASS, NULL);
    assert_int_equal(a.piece->verdict, ATTESTD_CONTRAINDICATED);
    appraisal_end(&a);
    a = appraise_with("sgx", entry_of(world.sgx, "sgx-v3-debug.quote.bin"), entry_of(world.sgx, "sgx-v3-debug.collateral.json"), &shelf,
                      NULL);
    assert_recorded(&a, "sgx.debug", ATTESTD_FAIL, "SGX_DEBUG_ENABLED");
    appraisal_end(&a);
}

static const struct {
    const char *file, *code;
} negatives[] = {
    {"neg-quote-signature.quote.bin", "TDX_SIGNATURE_INVALID"},
    {"neg-rtmr3.quote.bin", "TDX_SIGNATURE_INVALID"},
    {"neg-header-qe-vendor.quote.bin", "TDX_QE_VENDOR"},
    {"neg-header-att-key-type-3.quote.bin", "TDX_ATTESTATION_KEY_TYPE"},
    {"neg-header-tee-type-sgx.quote.bin", "TDX_TEE_TYPE"},
    {"neg-qe-report-signature.quote.bin", "TDX_QE_REPORT_SIGNATURE"},
    {"neg-qe-binding.quote.bin", "TDX_QE_BINDING"},
    {"neg-attest-key.quote.bin", "TDX_ATTESTATION_KEY_POINT"},
    {"neg-truncated.quote.bin", "TDX_QUOTE_TRUNCATED"},
    {"neg-siglen-plus-1.quote.bin", "TDX_SIGNATURE_LENGTH"},
    {"neg-trailing-junk.quote.bin", "TDX_TRAILING_BYTES"},
    {"neg-nested-cert-type.quote.bin", "TDX_CERTIFICATION_SIZE"},
    {"neg-outer-cert-type.quote.bin", "TDX_CERTIFICATION_OUTER_TYPE"},
    {"neg-v5-body-size.quote.bin", "TDX_BODY_TOO_SHORT"},
    {"neg-v5-body-type.quote.bin", "TDX_BODY_TOO_LONG"},
    {"neg-pck-leaf-byte.quote.bin", "TDX_PCK_SIGNATURE"},
    {"neg-sgx-quote-signature.quote.bin", "SGX_SIGNATURE_INVALID"},
    {"neg-sgx-mrenclave.quote.bin", "SGX_SIGNATURE_INVALID"},
    {"neg-sgx-cert-type-6.quote.bin", "SGX_CERTIFICATION_TYPE"},
};

static void every_derived_negative_is_refused_with_its_code(void **state)
{
    (void)state;
    if (!world.tdx || !world.sgx)
        skip();
    for (size_t i = 0; i < sizeof negatives / sizeof negatives[0]; i++) {
        const char *type = strncmp(negatives[i].code, "TDX", 3) == 0 ? "tdx" : "sgx";
        struct appraisal a = {.type = type, .part_count = 1, .time = time_at("2025-07-01T00:00:00Z")};
        a.parts[0] = (struct attestd_part){"quote", vector(type, negatives[i].file)};
        appraisal_run(&a);
        print_message("%-40s %s\n", negatives[i].file, first_code(&a));
        assert_string_equal(first_code(&a), negatives[i].code);
        assert_int_equal(a.result->verdict, ATTESTD_CONTRAINDICATED);
        appraisal_end(&a);
    }
}

static void a_chain_under_another_root_is_refused(void **state)
{
    (void)state;
    if (!world.tdx)
        skip();
    struct attestd_anchor_set *empty = attestd_anchor_set_new();
    attestd_anchor_set_seal(empty);
    struct appraisal a = {.type = "tdx", .part_count = 1, .anchors = empty, .time = time_at("2025-07-01T00:00:00Z")};
    a.parts[0] = (struct attestd_part){"quote", vector("tdx", "tdx-v4-phala-a.quote.bin")};
    appraisal_run(&a);
    assert_recorded(&a, "tdx.anchor", ATTESTD_FAIL, "TDX_ANCHOR_UNKNOWN");
    appraisal_end(&a);
    attestd_anchor_set_free(empty);
    struct appraisal sample = {.type = "tdx", .part_count = 1, .time = time_at("2025-07-01T00:00:00Z")};
    sample.parts[0] = (struct attestd_part){"quote", vector("tdx", "qvl-sample-tdx-quote.bin")};
    appraisal_run(&sample);
    assert_recorded(&sample, "tdx.pck_chain", ATTESTD_FAIL, "TDX_PCK_CHAIN_FORMAT"); /* DER, root first */
    appraisal_end(&sample);
}

static void a_quote_that_names_its_pck_by_ppid_asks_for_it(void **state)
{
    (void)state;
    if (!world.sgx)
        skip();
    static const char *const files[] = {"sgx-v3-eppid.quote.bin", "sgx-v3-ppid-plain.quote.bin"};
    for (size_t i = 0; i < 2; i++) {
        struct appraisal a = {.type = "sgx", .part_count = 1, .time = time_at("2025-07-01T00:00:00Z")};
        a.parts[0] = (struct attestd_part){"quote", vector("sgx", files[i])};
        appraisal_run(&a);
        if (i == 0)
            assert_recorded(&a, "sgx.pck", ATTESTD_UNAVAILABLE, "SGX_PCK_UNAVAILABLE");
        assert_int_equal(a.result->verdict, ATTESTD_CONTRAINDICATED);
        appraisal_end(&a);
    }
}

static void each_type_recognises_its_own_quotes_alone(void **state)
{
    (void)state;
    if (!world.tdx || !world.sgx)
        skip();
    struct attestd_bytes td = vector("tdx", "tdx-v5-td15-alibaba.quote.bin"), enclave = vector("sgx", "sgx-v3-platform-a.quote.bin");
    assert_string_equal(attestd_engine_recognise(world.engine, td.data, td.len)->name, "tdx");
    assert_string_equal(attestd_engine_recognise(world.engine, enclave.data, enclave.len)->name, "sgx");
    struct attestd_bytes other = vector("tdx", "neg-header-qe-vendor.quote.bin");
    assert_string_equal(attestd_engine_recognise(world.engine, other.data, other.len)->name, "tdx");
}

/* A log beside its quote: which registers match. */
static struct appraisal with_log(const char *quote, const char *part, struct attestd_bytes log, const char *table)
{
    struct appraisal a = {.type = "tdx", .part_count = 2, .time = time_at("2025-06-15T00:00:00Z")};
    a.parts[0] = (struct attestd_part){"quote", vector("tdx", quote)};
    a.parts[1] = (struct attestd_part){part, log};
    if (table)
        a.parts[a.part_count++] = (struct attestd_part){"ccel_table", vector("tdx", table)};
    appraisal_run(&a);
    return a;
}

static void expect_replay(const struct appraisal *a, unsigned matching)
{
    static const char *const codes[] = {"TDX_EVENT_LOG_RTMR0_MISMATCH", "TDX_EVENT_LOG_RTMR1_MISMATCH", "TDX_EVENT_LOG_RTMR2_MISMATCH",
                                        "TDX_EVENT_LOG_RTMR3_MISMATCH"};
    char id[32];
    assert_recorded(a, "tdx.event_log", ATTESTD_PASS, NULL);
    for (unsigned i = 0; i < 4; i++) {
        bool good = matching >> i & 1u;
        snprintf(id, sizeof id, "tdx.event_log.rtmr%u", i);
        assert_recorded(a, id, good ? ATTESTD_PASS : ATTESTD_FAIL, good ? NULL : codes[i]);
    }
}

static void event_logs_replay_to_their_registers_and_an_altered_event_fails_those_it_touches(void **state)
{
    (void)state;
    if (!world.tdx)
        skip();
    static const struct {
        const char *quote, *log, *part, *table;
    } logs[] = {
        {"tdx-v4-gcp-cos113.quote.bin", "tdx-v4-gcp-cos113.ccel-data.bin", "ccel", "tdx-v4-gcp-cos113.ccel-table.bin"},
        {"tdx-v4-live-ccel.quote.bin", "tdx-v4-live-ccel.ccel-data.bin", "ccel", NULL},
        {"tdx-v4-dstack-mpc.quote.bin", "tdx-v4-dstack-mpc.eventlog.json", "event_log", NULL},
    };
    for (size_t i = 0; i < sizeof logs / sizeof logs[0]; i++) {
        struct attestd_bytes log = vector("tdx", logs[i].log);
        struct appraisal a = with_log(logs[i].quote, logs[i].part, log, logs[i].table);
        unsigned matching = 0;
        for (unsigned r = 0; r < 4; r++) {
            char id[32];
            snprintf(id, sizeof id, "tdx.event_log.rtmr%u", r);
            matching |= (unsigned)(check_of(&a, id)->outcome == ATTESTD_PASS) << r;
        }
        assert_int_equal(matching & 7u, 7u); /* RTMR3 is the guest's own */
        appraisal_end(&a);
        if (strcmp(logs[i].part, "ccel") != 0)
            continue;
        /* The first event behind the one that names the digests is of RTMR0. */
        uint8_t *altered = attestd_arena_alloc(world.arena, log.len);
        memcpy(altered, log.data, log.len);
        size_t at = 32 + altered[28];
        assert_int_equal(altered[at], 1);
        altered[at + 14] ^= 1;
        a = with_log(logs[i].quote, logs[i].part, (struct attestd_bytes){altered, log.len}, NULL);
        expect_replay(&a, matching & ~1u);
        appraisal_end(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_quote_has_the_status_advisories_and_facts_of_its_manifest),
        cmocka_unit_test(a_warm_run_gives_what_a_cold_one_gave),
        cmocka_unit_test(a_platform_out_of_date_is_refused_although_its_module_is_current),
        cmocka_unit_test(non_zero_bytes_behind_a_quote_are_refused_and_zero_ones_are_counted),
        cmocka_unit_test(debug_guests_and_enclaves_are_refused),
        cmocka_unit_test(every_derived_negative_is_refused_with_its_code),
        cmocka_unit_test(a_chain_under_another_root_is_refused),
        cmocka_unit_test(a_quote_that_names_its_pck_by_ppid_asks_for_it),
        cmocka_unit_test(each_type_recognises_its_own_quotes_alone),
        cmocka_unit_test(event_logs_replay_to_their_registers_and_an_altered_event_fails_those_it_touches),
    };
    return cmocka_run_group_tests(tests, world_begin, world_end);
}
