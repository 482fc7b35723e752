/* SPDX-License-Identifier: Apache-2.0 */
#include "claims.h"

#include "core/bytes.h"
#include "core/encoding.h"
#include <stdio.h>

struct bit_claim {
    uint64_t bit;
    const char *path;
};

static const struct bit_claim policy_bits[] = {
    {SNP_POLICY_SMT, "policy.smt_allowed"},
    {SNP_POLICY_MIGRATE_MA, "policy.migration_agent_allowed"},
    {SNP_POLICY_DEBUG, "policy.debug_allowed"},
    {SNP_POLICY_SINGLE_SOCKET, "policy.single_socket_required"},
    {SNP_POLICY_CXL_ALLOW, "policy.cxl_allowed"},
    {SNP_POLICY_MEM_AES_256_XTS, "policy.memory_aes_256_xts_required"},
    {SNP_POLICY_RAPL_DIS, "policy.rapl_disabled_required"},
    {SNP_POLICY_CIPHERTEXT_HIDING, "policy.ciphertext_hiding_required"},
    {SNP_POLICY_PAGE_SWAP_DISABLE, "policy.page_swap_disabled"},
};

static const struct bit_claim platform_bits[] = {
    {SNP_PLATFORM_SMT_EN, "platform.smt_enabled"},
    {SNP_PLATFORM_TSME_EN, "platform.tsme_enabled"},
    {SNP_PLATFORM_ECC_EN, "platform.ecc_enabled"},
    {SNP_PLATFORM_RAPL_DIS, "platform.rapl_disabled"},
    {SNP_PLATFORM_CIPHERTEXT_HIDING, "platform.ciphertext_hiding_enabled"},
    {SNP_PLATFORM_ALIAS_CHECK, "platform.alias_check_complete"},
    {SNP_PLATFORM_IOMMU_WRITE_SAFE, "platform.iommu_write_safe"},
    {SNP_PLATFORM_TIO_EN, "platform.tio_enabled"},
};

/* For each TCB the paths of its components, in the order of enum snp_component. */
#define TCB_PATHS(name)                                                                                                                    \
    {                                                                                                                                      \
        name ".fmc", name ".bootloader", name ".tee", name ".snp", name ".microcode"                                                       \
    }
static const char *const reported_paths[SNP_SPL_NAMED] = TCB_PATHS("reported_tcb");
static const char *const committed_paths[SNP_SPL_NAMED] = TCB_PATHS("committed_tcb");
static const char *const current_paths[SNP_SPL_NAMED] = TCB_PATHS("current_tcb");
static const char *const launch_paths[SNP_SPL_NAMED] = TCB_PATHS("launch_tcb");

struct claimer {
    const struct attestd_host *host;
    struct attestd_appraisal *appraisal;
};

static void number(const struct claimer *c, const char *path, int64_t value)
{
    c->host->claim_number(c->appraisal, path, value);
}

static void bytes(const struct claimer *c, const char *path, const uint8_t *data, size_t len)
{
    c->host->claim_bytes(c->appraisal, path, data, len);
}

static void bits(const struct claimer *c, const struct bit_claim *table, size_t count, uint64_t value)
{
    for (size_t i = 0; i < count; i++)
        c->host->claim_flag(c->appraisal, table[i].path, (value & table[i].bit) != 0);
}

/* 64 bits as 16 hex digits, the highest first: JSON numbers would lose some. */
static void hex64(const struct claimer *c, const char *path, uint64_t value)
{
    uint8_t be[8];
    for (int i = 0; i < 8; i++)
        be[i] = (uint8_t)(value >> (56 - 8 * i));
    bytes(c, path, be, sizeof be);
}

static void tcb(const struct claimer *c, const char *const paths[SNP_SPL_NAMED], const struct snp_tcb *value, enum snp_product product)
{
    for (int i = 0; i < SNP_SPL_NAMED; i++) {
        int at = snp_component_at(product, (enum snp_component)i);
        if (at >= 0)
            number(c, paths[i], value->raw[at]);
    }
}

static void version(const struct claimer *c, const char *path, struct snp_version value)
{
    char text[12];
    snprintf(text, sizeof text, "%u.%u.%u", value.major, value.minor, value.build);
    c->host->claim_text(c->appraisal, path, text);
}

static const char *signing_key(const struct snp_report *report)
{
    switch (snp_report_signing_key(report)) {
    case SNP_SIGNED_BY_VCEK:
        return "vcek";
    case SNP_SIGNED_BY_VLEK:
        return "vlek";
    case SNP_SIGNED_BY_NONE:
        return "none";
    default:
        return "reserved";
    }
}

static void identity(const struct claimer *c, const struct snp_report *report)
{
    bytes(c, "measurement", report->measurement, 48);
    bytes(c, "report_data", report->report_data, 64);
    bytes(c, "host_data", report->host_data, 32);
    /* Absent rather than zero, so that no list can match a chip that nobody named; and absent where no certificate confirms it, since a
     * VLEK is the same on all machines of a cloud. */
    if (!snp_report_chip_id_masked(report) && snp_report_signing_key(report) == SNP_SIGNED_BY_VCEK)
        bytes(c, "chip_id", report->chip_id, SNP_CHIP_ID_SIZE);
    c->host->claim_flag(c->appraisal, "chip_id_masked", snp_report_chip_id_masked(report));
    bytes(c, "family_id", report->family_id, 16);
    bytes(c, "image_id", report->image_id, 16);
    bytes(c, "report_id", report->report_id, 32);
    bytes(c, "report_id_ma", report->report_id_ma, 32);
    bytes(c, "id_key_digest", report->id_key_digest, 48);
    bool author = (report->key_info & SNP_AUTHOR_KEY_EN) != 0;
    c->host->claim_flag(c->appraisal, "author_key_enabled", author);
    if (author) /* the field means nothing otherwise */
        bytes(c, "author_key_digest", report->author_key_digest, 48);
}

static void platform(const struct claimer *c, const struct snp_report *report)
{
    number(c, "policy.abi_major", report->policy >> 8 & 0xff);
    number(c, "policy.abi_minor", report->policy & 0xff);
    bits(c, policy_bits, sizeof policy_bits / sizeof policy_bits[0], report->policy);
    hex64(c, "policy.raw", report->policy);
    bits(c, platform_bits, sizeof platform_bits / sizeof platform_bits[0], report->platform_info);
    hex64(c, "platform.raw", report->platform_info);
    if (report->platform_info & ~SNP_PLATFORM_KNOWN)
        hex64(c, "platform.unknown", report->platform_info & ~SNP_PLATFORM_KNOWN);
}

void snp_claim_report(const struct attestd_host *host, struct attestd_appraisal *appraisal, const struct snp_report *report,
                      enum snp_product product)
{
    const struct claimer c = {host, appraisal};
    number(&c, "report_version", report->version);
    if (product != SNP_NO_PRODUCT)
        host->claim_text(appraisal, "product", snp_product_name(product));
    if (report->has_cpuid) {
        number(&c, "cpuid.family", report->family);
        number(&c, "cpuid.model", report->model);
        number(&c, "cpuid.stepping", report->stepping);
    }
    identity(&c, report);
    number(&c, "vmpl", report->vmpl);
    number(&c, "guest_svn", report->guest_svn);
    host->claim_text(appraisal, "signing_key", signing_key(report));
    platform(&c, report);
    if (snp_product_supported(product)) {
        tcb(&c, reported_paths, &report->reported_tcb, product);
        tcb(&c, committed_paths, &report->committed_tcb, product);
        tcb(&c, current_paths, &report->current_tcb, product);
        tcb(&c, launch_paths, &report->launch_tcb, product);
    }
    version(&c, "current_version", report->current_version);
    version(&c, "committed_version", report->committed_version);
    if (report->has_mitigations) {
        hex64(&c, "launch_mit_vector", report->launch_mit_vector);
        hex64(&c, "current_mit_vector", report->current_mit_vector);
    }
}

static void moment(const struct claimer *c, const char *path, int64_t time)
{
    char text[ATTESTD_TIME_SIZE];
    attestd_time_format(time, text);
    c->host->claim_text(c->appraisal, path, text);
}

void snp_claim_endorsements(const struct attestd_host *host, struct attestd_appraisal *appraisal,
                            const struct snp_authenticity *authenticity)
{
    static const char *const statuses[] = {
        [SNP_LIST_NONE] = "not checked",
        [SNP_LIST_FRESH] = "fresh",
        [SNP_LIST_STALE] = "stale",
        [SNP_LIST_FUTURE] = "future",
        [SNP_LIST_NO_NEXT_UPDATE] = "no next update",
    };
    const struct claimer c = {host, appraisal};
    const struct snp_chain *chain = authenticity->chain;
    if (chain) {
        moment(&c, "certificate.not_before", chain->not_before[0]);
        moment(&c, "certificate.not_after", chain->not_after[0]);
        if (chain->vek.csp_id[0])
            host->claim_text(appraisal, "csp_id", chain->vek.csp_id);
    }
    host->claim_text(appraisal, "crl.status", statuses[authenticity->list_status]);
    if (authenticity->list_status == SNP_LIST_NONE)
        return;
    moment(&c, "crl.this_update", authenticity->list.this_update);
    if (authenticity->list.next_update)
        moment(&c, "crl.next_update", authenticity->list.next_update);
    number(&c, "crl.number", (int64_t)(authenticity->list.number & INT64_MAX));
}
