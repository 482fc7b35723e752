/* SPDX-License-Identifier: Apache-2.0 */
/* The report reader against what is known of real reports, and against bytes that are none. */
#include "plugins/snp/layout.h"

#include "core/encoding.h"
#include "tests/snp/vectors.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

static void expect_number(const struct attestd_node *entry, const char *path, uint64_t found)
{
    const char *text = vectors_text(entry, path);
    if (text && strcmp(text, "null") != 0)
        assert_int_equal(strtoull(text, NULL, 0), found);
}

static void expect_bytes(const struct attestd_node *entry, const char *path, const uint8_t *found, size_t len)
{
    const char *text = vectors_text(entry, path);
    char hex[129];
    assert_non_null(text);
    attestd_hex_encode(found, len, hex);
    if (strcmp(text, "all zero") == 0)
        assert_int_equal(strspn(hex, "0"), 2 * len);
    else
        assert_string_equal(text, hex);
}

static void expect_tcb(const struct attestd_node *entry, const char *name, const struct snp_tcb *tcb, enum snp_product product)
{
    static const char *const names[SNP_SPL_NAMED] = {"fmc", "bl", "tee", "snp", "ucode"};
    char path[64];
    snprintf(path, sizeof path, "expect.%s.raw", name);
    expect_bytes(entry, path, tcb->raw, sizeof tcb->raw);
    for (int i = 0; i < SNP_SPL_NAMED; i++) {
        snprintf(path, sizeof path, "expect.%s.%s", name, names[i]);
        assert_int_equal(vectors_text(entry, path) != NULL, snp_component_at(product, (enum snp_component)i) >= 0);
        expect_number(entry, path, snp_tcb_component(tcb, product, (enum snp_component)i));
    }
}

static void expect_version(const struct attestd_node *entry, const char *path, struct snp_version version)
{
    char text[16];
    snprintf(text, sizeof text, "%u.%u.%u", version.major, version.minor, version.build);
    assert_string_equal(text, vectors_text(entry, path));
}

static void expect_cpuid(const struct attestd_node *entry, const struct snp_report *report)
{
    const char *text = vectors_text(entry, "expect.cpuid_fam_mod_step");
    char found[12];
    assert_int_equal(report->has_cpuid, report->version >= 3);
    if (!report->has_cpuid)
        return;
    snprintf(found, sizeof found, "%02x/%02x/%02x", report->family, report->model, report->stepping);
    assert_string_equal(found, text);
    assert_string_equal(snp_product_name(snp_product_of_cpuid(report->family, report->model)),
                        vectors_text(entry, "expect.product_from_report"));
}

static void compare(const struct attestd_node *entry, const struct snp_report *report)
{
    const char *name = vectors_text(entry, "expect.product");
    enum snp_product product = snp_product_named(name, strlen(name));
    expect_number(entry, "expect.version", report->version);
    expect_cpuid(entry, report);
    expect_number(entry, "expect.vmpl", report->vmpl);
    expect_number(entry, "expect.guest_svn", report->guest_svn);
    expect_number(entry, "expect.policy", report->policy);
    expect_number(entry, "expect.platform_info", report->platform_info);
    expect_number(entry, "expect.sig_algo", report->signature_algo);
    expect_number(entry, "expect.author_key_en", report->key_info & SNP_AUTHOR_KEY_EN);
    expect_number(entry, "expect.mask_chip_key", report->key_info >> 1 & 1);
    assert_string_equal(snp_report_signing_key(report) == SNP_SIGNED_BY_VLEK ? "VLEK" : "VCEK", vectors_text(entry, "expect.signing_key"));
    expect_tcb(entry, "reported_tcb", &report->reported_tcb, product);
    expect_tcb(entry, "current_tcb", &report->current_tcb, product);
    expect_tcb(entry, "committed_tcb", &report->committed_tcb, product);
    expect_tcb(entry, "launch_tcb", &report->launch_tcb, product);
    expect_version(entry, "expect.current_version", report->current_version);
    expect_version(entry, "expect.committed_version", report->committed_version);
    expect_number(entry, "expect.launch_mit_vector", report->launch_mit_vector);
    expect_number(entry, "expect.current_mit_vector", report->current_mit_vector);
    expect_bytes(entry, "expect.family_id", report->family_id, 16);
    expect_bytes(entry, "expect.image_id", report->image_id, 16);
    expect_bytes(entry, "expect.report_data", report->report_data, 64);
    expect_bytes(entry, "expect.measurement", report->measurement, 48);
    expect_bytes(entry, "expect.host_data", report->host_data, 32);
    expect_bytes(entry, "expect.id_key_digest", report->id_key_digest, 48);
    expect_bytes(entry, "expect.author_key_digest", report->author_key_digest, 48);
    expect_bytes(entry, "expect.report_id", report->report_id, 32);
    expect_bytes(entry, "expect.report_id_ma", report->report_id_ma, 32);
    expect_bytes(entry, "expect.chip_id", report->chip_id, 64);
    assert_string_equal(snp_report_chip_id_masked(report) ? "true" : "false", vectors_text(entry, "expect.chip_id_masked"));
    assert_string_equal(report->reserved_zero && report->padding_zero ? "true" : "false",
                        vectors_text(entry, "expect.reserved_and_padding_zero"));
}

static void every_real_report_reads_as_its_manifest_says(void **state)
{
    (void)state;
    struct attestd_arena *arena = attestd_arena_new();
    const struct attestd_node *files = vectors_open(arena);
    size_t compared = 0;
    for (size_t i = 0; files && i < files->count; i++) {
        struct attestd_bytes bytes = vectors_report(arena, &files->items[i]);
        struct snp_report report;
        if (bytes.len == 0)
            continue;
        assert_null(snp_report_read(bytes.data, bytes.len, &report));
        compare(&files->items[i], &report);
        compared++;
    }
    if (files)
        assert_true(compared >= 20);
    attestd_arena_free(arena);
}

static void other_lengths_and_versions_are_refused(void **state)
{
    (void)state;
    static uint8_t bytes[SNP_REPORT_SIZE + 1];
    struct snp_report report;
    for (unsigned version = 0; version < 256; version++) {
        bytes[0] = (uint8_t)version;
        const char *code = snp_report_read(bytes, SNP_REPORT_SIZE, &report);
        if (version >= 2 && version <= 5)
            assert_null(code);
        else
            assert_string_equal(code, "SNP_REPORT_VERSION");
    }
    bytes[0] = 3;
    for (size_t len = 0; len <= sizeof bytes; len++) {
        if (len != SNP_REPORT_SIZE)
            assert_string_equal(snp_report_read(bytes, len, &report), "SNP_REPORT_LENGTH");
    }
}

static void reserved_bytes_are_found_wherever_they_stand(void **state)
{
    (void)state;
    /* first, length, earliest and latest version in which they are reserved */
    static const struct {
        size_t at, len;
        uint8_t from, to;
        bool padding;
    } holes[] = {
        {0x04c, 4, 2, 5, false},  {0x188, 3, 2, 2, false},   {0x18b, 21, 2, 5, false}, {0x1eb, 1, 2, 5, false}, {0x1ef, 1, 2, 5, false},
        {0x1f8, 16, 2, 4, false}, {0x208, 152, 2, 5, false}, {0x2d0, 24, 2, 5, true},  {0x318, 24, 2, 5, true}, {0x330, 368, 2, 5, true},
    };
    uint8_t reserved[SNP_REPORT_SIZE];
    for (uint8_t version = 2; version <= 5; version++) {
        memset(reserved, 0, sizeof reserved);
        for (size_t h = 0; h < sizeof holes / sizeof holes[0]; h++) {
            if (version >= holes[h].from && version <= holes[h].to)
                memset(reserved + holes[h].at, holes[h].padding ? 2 : 1, holes[h].len);
        }
        for (size_t at = 4; at < SNP_REPORT_SIZE; at++) {
            uint8_t bytes[SNP_REPORT_SIZE] = {version};
            struct snp_report report;
            bytes[at] = 1;
            assert_null(snp_report_read(bytes, sizeof bytes, &report));
            assert_int_equal(report.reserved_zero, reserved[at] != 1);
            assert_int_equal(report.padding_zero, reserved[at] != 2);
            if (reserved[at])
                assert_int_equal(reserved[at] == 1 ? report.reserved_at : report.padding_at, at);
        }
    }
}

static void cpuid_models_map_to_products_to_the_edge(void **state)
{
    (void)state;
    assert_int_equal(snp_product_of_cpuid(0x19, 0x00), SNP_MILAN);
    assert_int_equal(snp_product_of_cpuid(0x19, 0x0f), SNP_MILAN);
    assert_int_equal(snp_product_of_cpuid(0x19, 0x10), SNP_GENOA);
    assert_int_equal(snp_product_of_cpuid(0x19, 0x1f), SNP_GENOA);
    assert_int_equal(snp_product_of_cpuid(0x19, 0x20), SNP_NO_PRODUCT);
    assert_int_equal(snp_product_of_cpuid(0x19, 0x9f), SNP_NO_PRODUCT);
    assert_int_equal(snp_product_of_cpuid(0x19, 0xa0), SNP_GENOA);
    assert_int_equal(snp_product_of_cpuid(0x19, 0xaf), SNP_GENOA);
    assert_int_equal(snp_product_of_cpuid(0x19, 0xb0), SNP_NO_PRODUCT);
    assert_int_equal(snp_product_of_cpuid(0x1a, 0x00), SNP_TURIN);
    assert_int_equal(snp_product_of_cpuid(0x1a, 0x11), SNP_TURIN);
    assert_int_equal(snp_product_of_cpuid(0x1a, 0x12), SNP_NO_PRODUCT);
    assert_int_equal(snp_product_of_cpuid(0x1a, 0x50), SNP_VENICE);
    assert_false(snp_product_supported(SNP_VENICE));
    assert_int_equal(snp_product_of_cpuid(0x17, 0x31), SNP_NO_PRODUCT);
}

/* --- certificate tables --- */

static void put_entry(uint8_t *at, uint8_t first, uint32_t offset, uint32_t len)
{
    static const uint8_t vcek[16] = {0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64, 0x45, 0x64, 0xad, 0xc5, 0xf4, 0xb9, 0x3b, 0xe8, 0xac, 0xcd};
    memcpy(at, vcek, 16);
    at[0] = first; /* another first byte: a purpose nobody knows */
    for (int i = 0; i < 4; i++) {
        at[16 + i] = (uint8_t)(offset >> (8 * i));
        at[20 + i] = (uint8_t)(len >> (8 * i));
    }
}

static void tables_are_bounded(void **state)
{
    (void)state;
    uint8_t bytes[128] = {0};
    struct snp_table table;
    size_t at;
    put_entry(bytes, 0x63, 48, 80);
    assert_null(snp_table_read(bytes, sizeof bytes, &table, &at));
    assert_int_equal(table.count, 1);
    assert_int_equal(table.entries[0].slot, SNP_SLOT_VCEK);
    assert_ptr_equal(table.entries[0].bytes.data, bytes + 48);

    put_entry(bytes, 0x63, 48, 81);
    assert_string_equal(snp_table_read(bytes, sizeof bytes, &table, &at), "SNP_CERT_TABLE_BOUNDS");
    put_entry(bytes, 0x63, UINT32_MAX, 2);
    assert_string_equal(snp_table_read(bytes, sizeof bytes, &table, &at), "SNP_CERT_TABLE_BOUNDS");
    put_entry(bytes, 0x63, 48, UINT32_MAX);
    assert_string_equal(snp_table_read(bytes, sizeof bytes, &table, &at), "SNP_CERT_TABLE_BOUNDS");
    put_entry(bytes, 0x63, 48, 0);
    assert_string_equal(snp_table_read(bytes, sizeof bytes, &table, &at), "SNP_CERT_TABLE_BOUNDS");
    put_entry(bytes, 0x63, 47, 8);
    assert_string_equal(snp_table_read(bytes, sizeof bytes, &table, &at), "SNP_CERT_TABLE_OVERLAP");
}

static void table_entries_may_not_overlap_nor_repeat(void **state)
{
    (void)state;
    uint8_t bytes[160] = {0};
    struct snp_table table;
    size_t at;
    put_entry(bytes, 0x63, 72, 40);
    put_entry(bytes + 24, 0x01, 112, 48);
    assert_null(snp_table_read(bytes, sizeof bytes, &table, &at));
    assert_int_equal(table.count, 1);
    put_entry(bytes + 24, 0x01, 111, 48);
    assert_string_equal(snp_table_read(bytes, sizeof bytes, &table, &at), "SNP_CERT_TABLE_OVERLAP");
    assert_int_equal(at, 24);
    put_entry(bytes + 24, 0x63, 112, 48);
    assert_string_equal(snp_table_read(bytes, sizeof bytes, &table, &at), "SNP_CERT_TABLE_DUPLICATE");
}

static void tables_must_end(void **state)
{
    (void)state;
    static uint8_t bytes[24 * 40];
    struct snp_table table;
    size_t at;
    put_entry(bytes, 0x63, 24, 8);
    assert_string_equal(snp_table_read(bytes, 24, &table, &at), "SNP_CERT_TABLE_BOUNDS");
    put_entry(bytes, 0x63, 0, 8);
    assert_string_equal(snp_table_read(bytes, 24, &table, &at), "SNP_CERT_TABLE_UNTERMINATED");
    assert_string_equal(snp_table_read(bytes, 0, &table, &at), "SNP_CERT_TABLE_UNTERMINATED");
    for (uint32_t i = 0; i < 40; i++)
        put_entry(bytes + 24 * i, 0x01, i, 1);
    assert_string_equal(snp_table_read(bytes, sizeof bytes, &table, &at), "SNP_CERT_TABLE_TOO_LONG");
}

static void a_real_table_reads_in_text_order(void **state)
{
    (void)state;
    struct attestd_arena *arena = attestd_arena_new();
    if (vectors_open(arena)) {
        struct attestd_bytes bytes = vectors_read(arena, "genoa-v3-certtable.certs.bin");
        struct snp_table table;
        size_t at;
        assert_true(snp_table_begins(bytes.data, bytes.len));
        assert_null(snp_table_read(bytes.data, bytes.len, &table, &at));
        assert_int_equal(table.count, 3);
        assert_int_equal(table.entries[0].slot, SNP_SLOT_ROOT);
        assert_int_equal(table.entries[1].slot, SNP_SLOT_INTERMEDIATE);
        assert_int_equal(table.entries[2].slot, SNP_SLOT_VCEK);
        assert_int_equal(table.entries[2].bytes.len, 1879);
    }
    attestd_arena_free(arena);
}

static void tcbs_compare_by_component(void **state)
{
    (void)state;
    const struct snp_tcb low = {{4, 0, 0, 0, 0, 0, 23, 255}}, high = {{4, 0, 0, 0, 0, 0, 24, 1}};
    assert_int_equal(snp_tcb_above(&low, &high, SNP_GENOA), SNP_SPL_MICROCODE);
    assert_int_equal(snp_tcb_above(&high, &low, SNP_GENOA), SNP_SPL_SNP);
    assert_int_equal(snp_tcb_above(&low, &low, SNP_GENOA), SNP_SPL_COUNT);
    assert_int_equal(snp_tcb_component(&low, SNP_TURIN, SNP_SPL_FMC), 4);
    assert_int_equal(snp_tcb_component(&low, SNP_GENOA, SNP_SPL_BOOTLOADER), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_real_report_reads_as_its_manifest_says),
        cmocka_unit_test(other_lengths_and_versions_are_refused),
        cmocka_unit_test(reserved_bytes_are_found_wherever_they_stand),
        cmocka_unit_test(cpuid_models_map_to_products_to_the_edge),
        cmocka_unit_test(tables_are_bounded),
        cmocka_unit_test(table_entries_may_not_overlap_nor_repeat),
        cmocka_unit_test(tables_must_end),
        cmocka_unit_test(a_real_table_reads_in_text_order),
        cmocka_unit_test(tcbs_compare_by_component),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
