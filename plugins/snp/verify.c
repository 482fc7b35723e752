/* SPDX-License-Identifier: Apache-2.0 */
#include "verify.h"

#include "claims.h"
#include "core/bytes.h"
#include "core/digest.h"
#include "settings.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- recording --- */

static void record(const struct snp_run *run, enum snp_check check, int32_t outcome, const char *code, const char *observed,
                   const char *expected)
{
    run->host->check(run->appraisal, &snp_checks[check], outcome, code, observed && observed[0] ? observed : NULL,
                     expected && expected[0] ? expected : NULL);
}

static void pass(const struct snp_run *run, enum snp_check check)
{
    record(run, check, ATTESTD_PASS, NULL, NULL, NULL);
}

static void fail(const struct snp_run *run, enum snp_check check, const char *code, const char *observed, const char *expected)
{
    record(run, check, ATTESTD_FAIL, code, observed, expected);
}

/* An earlier failure took the check's input away; cause is its code. */
static void skip(const struct snp_run *run, enum snp_check check, const char *cause)
{
    char observed[80];
    snprintf(observed, sizeof observed, "not reached, because of %s", cause);
    record(run, check, ATTESTD_SKIPPED, NULL, observed, NULL);
}

static void decide(const struct snp_run *run, enum snp_check check, bool good, const char *code, const char *observed, const char *expected)
{
    if (good)
        pass(run, check);
    else
        fail(run, check, code, observed, expected);
}

/* --- the parts --- */

struct parts {
    struct attestd_bytes report, certs;
    size_t certs_at; /* where certs begin in their part */
    const char *certs_part;
    bool behind; /* certificates stand behind the report in one body */
};

static bool refuse(const struct snp_run *run, const char *code, const char *part, size_t at, const char *detail)
{
    run->host->malformed(run->appraisal, code, part, at, detail);
    return false;
}

static bool find_parts(const struct snp_run *run, const struct attestd_evidence *evidence, struct parts *parts)
{
    for (size_t i = 0; i < evidence->part_count; i++) {
        const struct attestd_part *part = &evidence->parts[i];
        if (strcmp(part->name, "report") == 0)
            parts->report = part->bytes;
        else if (strcmp(part->name, "certs") == 0)
            parts->certs = part->bytes;
        else
            return refuse(run, "SNP_PART_UNKNOWN", part->name, 0, "no such part in this type of evidence");
    }
    parts->certs_part = "certs";
    if (parts->report.len == 0)
        return refuse(run, "SNP_REPORT_MISSING", "report", 0, "no report");
    if (parts->report.len <= SNP_REPORT_SIZE)
        return true;
    struct attestd_bytes behind = {parts->report.data + SNP_REPORT_SIZE, parts->report.len - SNP_REPORT_SIZE};
    if (parts->certs.len > 0 || !snp_enclosed_recognise(behind.data, behind.len))
        return refuse(run, "SNP_REPORT_LENGTH", "report", SNP_REPORT_SIZE, "bytes behind the report");
    parts->certs = behind;
    parts->certs_part = "report";
    parts->certs_at = parts->report.len = SNP_REPORT_SIZE;
    return true;
}

static bool read_report(struct snp_run *run, const struct parts *parts)
{
    char detail[64];
    const char *code = snp_report_read(parts->report.data, parts->report.len, &run->report);
    if (!code)
        return true;
    if (strcmp(code, "SNP_REPORT_VERSION") == 0)
        snprintf(detail, sizeof detail, "version %" PRIu32 "; 2 to 5 are known", run->report.version);
    else
        snprintf(detail, sizeof detail, "%zu bytes; a report has 1184", parts->report.len);
    return refuse(run, code, "report", 0, detail);
}

/* What a memo knows needs neither PEM nor parsing; what this run reads is kept at its end, if it proved good. */
struct enclosure {
    uint8_t key[32];
    struct snp_enclosed *made;
};

static bool read_enclosed(struct snp_run *run, const struct parts *parts, struct enclosure *enclosure)
{
    uint8_t tagged[32 + 16] = "snp enclosed";
    size_t at;
    if (parts->certs.len == 0)
        return true;
    attestd_sha256(parts->certs.data, parts->certs.len, tagged + 16);
    attestd_sha256(tagged, sizeof tagged, enclosure->key);
    run->enclosed = run->host->memo_get(run->appraisal, enclosure->key);
    if (run->enclosed)
        return true;
    const char *code = snp_enclosed_read(parts->certs.data, parts->certs.len, &enclosure->made, &at);
    if (code)
        return refuse(run, code, parts->certs_part, parts->certs_at + at, "enclosed certificates");
    if (!enclosure->made)
        abort();
    /* The host borrows what it is offered until the appraisal ends: longer than a memo may live. */
    size_t size = snp_enclosed_size(enclosure->made);
    struct snp_enclosed *lasting = run->host->alloc(run->appraisal, size);
    memcpy(lasting, enclosure->made, size);
    run->enclosed = lasting;
    return true;
}

static void end_enclosed(struct snp_run *run, struct enclosure *enclosure, bool good)
{
    if (!enclosure->made)
        return;
    if (good)
        run->host->memo_put(run->appraisal, enclosure->key, enclosure->made, snp_enclosed_size(enclosure->made), INT64_MAX,
                            snp_enclosed_free);
    else
        snp_enclosed_free(enclosure->made);
}

/* --- what the bytes say about themselves: fixed, and before anything is asked for --- */

static const char *reserved_fault(const struct snp_report *report, char observed[64])
{
    if (report->policy & SNP_POLICY_RESERVED) {
        snprintf(observed, 64, "guest policy 0x%" PRIx64, report->policy);
        return "SNP_POLICY_RESERVED_BITS";
    }
    if (!(report->policy & SNP_POLICY_RESERVED_ONE)) {
        snprintf(observed, 64, "guest policy 0x%" PRIx64, report->policy);
        return "SNP_POLICY_BIT_17";
    }
    if (report->key_info & SNP_KEY_INFO_RESERVED) {
        snprintf(observed, 64, "key information 0x%" PRIx32, report->key_info);
        return "SNP_KEY_INFO_RESERVED_BITS";
    }
    if (!report->padding_zero) {
        snprintf(observed, 64, "byte 0x%zx is not zero", report->padding_at);
        return "SNP_SIGNATURE_PADDING";
    }
    if (!report->reserved_zero) {
        snprintf(observed, 64, "byte 0x%zx is not zero", report->reserved_at);
        return "SNP_REPORT_RESERVED_BYTES";
    }
    return NULL;
}

static const char *signing_key_fault(const struct snp_report *report)
{
    unsigned key = snp_report_signing_key(report);
    if (key == SNP_SIGNED_BY_NONE)
        return "SNP_SIGNING_KEY_NONE";
    if (key != SNP_SIGNED_BY_VCEK && key != SNP_SIGNED_BY_VLEK)
        return "SNP_SIGNING_KEY_RESERVED";
    return report->key_info & SNP_MASK_CHIP_KEY ? "SNP_CHIP_KEY_MASKED" : NULL;
}

static const char *requester_fault(const struct snp_report *report)
{
    if (report->vmpl == SNP_HOST_VMPL)
        return "SNP_REQUESTED_BY_HOST";
    return report->vmpl > 3 ? "SNP_VMPL_INVALID" : NULL;
}

static const char *cpuid_fault(const struct snp_report *report)
{
    enum snp_product product = report->has_cpuid ? snp_product_of_cpuid(report->family, report->model) : SNP_NO_PRODUCT;
    if (!report->has_cpuid || snp_product_supported(product))
        return NULL;
    return product == SNP_NO_PRODUCT ? "SNP_CPUID_UNKNOWN" : "SNP_PRODUCT_UNSUPPORTED";
}

/* Records the checks; NULL when all passed, else the first code. The product of a version 2 report is checked later. */
static const char *check_form(const struct snp_run *run)
{
    const struct snp_report *report = &run->report;
    char reserved[64] = "", number[64];
    const char *codes[5] = {
        reserved_fault(report, reserved),
        report->signature_algo == 1 ? NULL : "SNP_SIGNATURE_ALGORITHM",
        signing_key_fault(report),
        requester_fault(report),
        cpuid_fault(report),
    };
    decide(run, SNP_CHECK_RESERVED, !codes[0], codes[0], reserved, "reserved bits as the specification has them");
    snprintf(number, sizeof number, "%" PRIu32, report->signature_algo);
    decide(run, SNP_CHECK_SIGNATURE_ALGORITHM, !codes[1], codes[1], number, "1");
    snprintf(number, sizeof number, "SIGNING_KEY %u, MASK_CHIP_KEY %u", snp_report_signing_key(report), report->key_info >> 1 & 1u);
    decide(run, SNP_CHECK_SIGNING_KEY, !codes[2], codes[2], number, "SIGNING_KEY 0 (VCEK) or 1 (VLEK), MASK_CHIP_KEY 0");
    snprintf(number, sizeof number, "VMPL 0x%" PRIx32, report->vmpl);
    decide(run, SNP_CHECK_REQUESTER, !codes[3], codes[3], number, "VMPL 0 to 3");
    if (report->has_cpuid) {
        snp_report_cpuid_text(report, number);
        decide(run, SNP_CHECK_PRODUCT, !codes[4], codes[4], number, "CPUID of Milan, Genoa or Turin");
    }
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        if (codes[i])
            return codes[i];
    }
    return NULL;
}

/* --- certificates and signature --- */

static void record_steps(const struct snp_run *run, const struct snp_steps *steps)
{
    for (size_t i = 0; i < SNP_STEP_COUNT; i++) {
        const struct snp_step *step = &steps->at[i];
        record(run, (enum snp_check)(SNP_CHECK_VEK + i), step->outcome, step->code, step->observed, step->expected);
    }
}

static void skip_steps(const struct snp_run *run, const char *cause)
{
    for (size_t i = 0; i < SNP_STEP_COUNT; i++)
        skip(run, (enum snp_check)(SNP_CHECK_VEK + i), cause);
}

static void record_v2_product(const struct snp_run *run, const struct snp_authenticity *a)
{
    bool unobtainable = a->steps.at[0].outcome == ATTESTD_UNAVAILABLE;
    if (a->product != SNP_NO_PRODUCT)
        pass(run, SNP_CHECK_PRODUCT);
    else
        record(run, SNP_CHECK_PRODUCT, unobtainable ? ATTESTD_UNAVAILABLE : ATTESTD_FAIL, "SNP_PRODUCT_UNDETERMINED", "version 2 report",
               "a certificate that names the product");
}

/* --- the report against policy --- */

static const struct attestd_value *section(const struct snp_run *run, const char *name)
{
    return run->host->setting(run->appraisal, name);
}

/* A flag's demand; `otherwise` when the policy does not speak of it. */
static enum snp_wish wish_or(const struct attestd_value *value, enum snp_wish otherwise)
{
    if (!value || (value->kind == ATTESTD_VALUE_MAP && !snp_member(value, "value")))
        return otherwise;
    return snp_wish(value);
}

struct bit_rule {
    enum snp_check check;
    const char *name;
    uint64_t bit;
    enum snp_wish demand;    /* the wish that demands something: NO, that the bit is clear; YES, that it is set */
    enum snp_wish otherwise; /* when the policy is silent */
    const char *code;
};

/* One-sided: a policy that allows SMT is met by a guest that forbids it. */
static const struct bit_rule policy_rules[] = {
    {SNP_CHECK_DEBUG, "debug", SNP_POLICY_DEBUG, SNP_NO, SNP_NO, "SNP_DEBUG_ALLOWED"},
    {SNP_CHECK_SMT, "smt", SNP_POLICY_SMT, SNP_NO, SNP_ANY, "SNP_SMT_ALLOWED"},
    {SNP_CHECK_CXL, "cxl", SNP_POLICY_CXL_ALLOW, SNP_NO, SNP_ANY, "SNP_CXL_ALLOWED"},
    {SNP_CHECK_SINGLE_SOCKET, "single_socket", SNP_POLICY_SINGLE_SOCKET, SNP_YES, SNP_ANY, "SNP_SINGLE_SOCKET_NOT_REQUIRED"},
    {SNP_CHECK_MEMORY_AES_256_XTS, "memory_aes_256_xts", SNP_POLICY_MEM_AES_256_XTS, SNP_YES, SNP_ANY, "SNP_AES_256_XTS_NOT_REQUIRED"},
    {SNP_CHECK_RAPL, "rapl_disabled", SNP_POLICY_RAPL_DIS, SNP_YES, SNP_ANY, "SNP_RAPL_NOT_DISABLED"},
    {SNP_CHECK_CIPHERTEXT_HIDING, "ciphertext_hiding", SNP_POLICY_CIPHERTEXT_HIDING, SNP_YES, SNP_ANY,
     "SNP_CIPHERTEXT_HIDING_NOT_REQUIRED"},
    {SNP_CHECK_PAGE_SWAP, "page_swap_disabled", SNP_POLICY_PAGE_SWAP_DISABLE, SNP_YES, SNP_ANY, "SNP_PAGE_SWAP_NOT_DISABLED"},
};

static void check_migration_agent(const struct snp_run *run, const struct attestd_value *settings)
{
    const struct snp_report *report = &run->report;
    bool none = true;
    if (wish_or(snp_member(settings, "migration_agent"), SNP_NO) != SNP_NO)
        return;
    for (size_t i = 0; i < 32; i++)
        none &= report->report_id_ma[i] == 0xff;
    if (report->policy & SNP_POLICY_MIGRATE_MA)
        fail(run, SNP_CHECK_MIGRATION_AGENT, "SNP_MIGRATION_AGENT_ALLOWED", "MIGRATE_MA is set", "MIGRATE_MA clear");
    else
        decide(run, SNP_CHECK_MIGRATION_AGENT, none, "SNP_MIGRATION_AGENT_PRESENT", "REPORT_ID_MA names one", "REPORT_ID_MA all 0xff");
}

static void check_abi(const struct snp_run *run, const struct attestd_value *settings)
{
    const struct attestd_value *least = snp_member(settings, "abi");
    struct snp_version wanted, found = {(uint8_t)(run->report.policy >> 8), (uint8_t)run->report.policy, 0};
    char observed[32];
    if (!least)
        return;
    bool good = snp_version_of(least, &wanted) && snp_version_compare(found, wanted) >= 0;
    snprintf(observed, sizeof observed, "at least %u.%u", found.major, found.minor);
    decide(run, SNP_CHECK_ABI, good, "SNP_ABI_BELOW_MINIMUM", observed, (const char *)least->text.data);
}

static void check_guest_policy(const struct snp_run *run)
{
    const struct attestd_value *settings = section(run, "guest_policy");
    char observed[40];
    for (size_t i = 0; i < sizeof policy_rules / sizeof policy_rules[0]; i++) {
        const struct bit_rule *rule = &policy_rules[i];
        bool set = (run->report.policy & rule->bit) != 0;
        if (wish_or(snp_member(settings, rule->name), rule->otherwise) != rule->demand)
            continue;
        if (set == (rule->demand == SNP_YES)) {
            pass(run, rule->check);
            continue;
        }
        snprintf(observed, sizeof observed, "guest policy 0x%" PRIx64, run->report.policy);
        fail(run, rule->check, rule->code, observed, rule->demand == SNP_YES ? "the bit set" : "the bit clear");
    }
    check_migration_agent(run, settings);
    check_abi(run, settings);
}

static const struct {
    enum snp_check check;
    const char *name;
    uint64_t bit;
    const char *clear, *set; /* codes */
} platform_rules[] = {
    {SNP_CHECK_PLATFORM_SMT, "smt", SNP_PLATFORM_SMT_EN, "SNP_PLATFORM_SMT_DISABLED", "SNP_PLATFORM_SMT_ENABLED"},
    {SNP_CHECK_PLATFORM_TSME, "tsme", SNP_PLATFORM_TSME_EN, "SNP_PLATFORM_TSME_DISABLED", "SNP_PLATFORM_TSME_ENABLED"},
    {SNP_CHECK_PLATFORM_ECC, "ecc", SNP_PLATFORM_ECC_EN, "SNP_PLATFORM_ECC_DISABLED", "SNP_PLATFORM_ECC_ENABLED"},
    {SNP_CHECK_PLATFORM_RAPL, "rapl_disabled", SNP_PLATFORM_RAPL_DIS, "SNP_PLATFORM_RAPL_ENABLED", "SNP_PLATFORM_RAPL_DISABLED"},
    {SNP_CHECK_PLATFORM_CIPHERTEXT_HIDING, "ciphertext_hiding", SNP_PLATFORM_CIPHERTEXT_HIDING, "SNP_PLATFORM_CIPHERTEXT_HIDING_DISABLED",
     "SNP_PLATFORM_CIPHERTEXT_HIDING_ENABLED"},
    {SNP_CHECK_PLATFORM_ALIAS_CHECK, "alias_check", SNP_PLATFORM_ALIAS_CHECK, "SNP_PLATFORM_ALIAS_CHECK_INCOMPLETE",
     "SNP_PLATFORM_ALIAS_CHECK_COMPLETE"},
    {SNP_CHECK_PLATFORM_IOMMU_WRITE_SAFE, "iommu_write_safe", SNP_PLATFORM_IOMMU_WRITE_SAFE, "SNP_PLATFORM_IOMMU_WRITE_SAFE_CLEAR",
     "SNP_PLATFORM_IOMMU_WRITE_SAFE_SET"},
    {SNP_CHECK_PLATFORM_TIO, "tio", SNP_PLATFORM_TIO_EN, "SNP_PLATFORM_TIO_DISABLED", "SNP_PLATFORM_TIO_ENABLED"},
};

static void check_platform(const struct snp_run *run)
{
    const struct attestd_value *settings = section(run, "platform");
    char observed[40];
    for (size_t i = 0; settings && i < sizeof platform_rules / sizeof platform_rules[0]; i++) {
        enum snp_wish wish = snp_wish(snp_member(settings, platform_rules[i].name));
        bool set = (run->report.platform_info & platform_rules[i].bit) != 0;
        if (wish == SNP_ANY)
            continue;
        snprintf(observed, sizeof observed, "PLATFORM_INFO 0x%" PRIx64, run->report.platform_info);
        decide(run, platform_rules[i].check, set == (wish == SNP_YES), set ? platform_rules[i].set : platform_rules[i].clear, observed,
               wish == SNP_YES ? "the bit set" : "the bit clear");
    }
}

static void check_vmpl(const struct snp_run *run)
{
    const struct attestd_value *allowed = snp_allowed(section(run, "vmpl"));
    char observed[16];
    bool good = allowed ? snp_list_has_number(allowed, run->report.vmpl) : run->report.vmpl == 0;
    snprintf(observed, sizeof observed, "%" PRIu32, run->report.vmpl);
    decide(run, SNP_CHECK_VMPL, good, "SNP_VMPL_NOT_ALLOWED", observed, allowed ? "one of snp.vmpl.allow" : "0");
}

/* --- versions of the platform --- */

static const struct snp_floor_rule {
    enum snp_check check;
    const char *name;  /* in `of` */
    const char *floor; /* setting of its own, or NULL */
    size_t tcb;        /* offset in struct snp_report */
    const char *missing, *below;
} floor_rules[] = {
    {SNP_CHECK_TCB_FLOOR, "reported", NULL, offsetof(struct snp_report, reported_tcb), "SNP_TCB_FLOOR_MISSING",
     "SNP_REPORTED_TCB_BELOW_FLOOR"},
    {SNP_CHECK_COMMITTED_TCB_FLOOR, "committed", "committed_floor", offsetof(struct snp_report, committed_tcb),
     "SNP_COMMITTED_TCB_FLOOR_MISSING", "SNP_COMMITTED_TCB_BELOW_FLOOR"},
    {SNP_CHECK_LAUNCH_TCB_FLOOR, "launch", "launch_floor", offsetof(struct snp_report, launch_tcb), "SNP_LAUNCH_TCB_FLOOR_MISSING",
     "SNP_LAUNCH_TCB_BELOW_FLOOR"},
    {SNP_CHECK_CURRENT_TCB_FLOOR, "current", NULL, offsetof(struct snp_report, current_tcb), "SNP_CURRENT_TCB_FLOOR_MISSING",
     "SNP_CURRENT_TCB_BELOW_FLOOR"},
};

static void check_floor(const struct snp_run *run, const struct snp_floor_rule *rule, enum snp_product product,
                        const struct attestd_value *floors)
{
    const struct snp_tcb *tcb = (const struct snp_tcb *)((const char *)&run->report + rule->tcb);
    const struct attestd_value *floor = snp_floor_of(floors, &run->report, product);
    char observed[128], expected[128], cpuid[9] = "?";
    size_t seen = 0, wanted = 0;
    if (!floor) {
        snp_report_cpuid_text(&run->report, cpuid);
        snprintf(observed, sizeof observed, "%s%s%s", snp_product_name(product), run->report.has_cpuid ? ", CPUID " : "",
                 run->report.has_cpuid ? cpuid : "");
        fail(run, rule->check, rule->missing, observed, "a floor for it");
        return;
    }
    for (int i = 0; i < SNP_SPL_NAMED; i++) {
        const char *name = snp_components[i].name;
        int64_t least = snp_number(snp_member(floor, name), 0);
        unsigned value = snp_tcb_component(tcb, product, (enum snp_component)i);
        if (value >= least)
            continue;
        seen += (size_t)snprintf(observed + seen, sizeof observed - seen, "%s%s %u", seen ? ", " : "", name, value);
        wanted += (size_t)snprintf(expected + wanted, sizeof expected - wanted, "%s%s %" PRId64, wanted ? ", " : "at least ", name, least);
    }
    decide(run, rule->check, seen == 0, rule->below, observed, expected);
}

static void check_floors(const struct snp_run *run, const struct attestd_value *settings, enum snp_product product, const char *cause)
{
    const struct attestd_value *of = snp_member(settings, "of"), *common = snp_member(settings, "floor");
    for (size_t i = 0; i < sizeof floor_rules / sizeof floor_rules[0]; i++) {
        const struct snp_floor_rule *rule = &floor_rules[i];
        const struct attestd_value *floors = rule->floor ? snp_member(settings, rule->floor) : NULL;
        bool listed = of ? snp_list_has_text(of, rule->name) : i == 0;
        if (!floors && listed)
            floors = common;
        if (!floors)
            continue;
        if (snp_product_supported(product))
            check_floor(run, rule, product, floors);
        else
            skip(run, rule->check, cause);
    }
}

static void check_tcb_order(const struct snp_run *run, enum snp_product product, const char *cause)
{
    const struct snp_report *report = &run->report;
    enum snp_component committed = snp_tcb_above(&report->committed_tcb, &report->current_tcb, product);
    enum snp_component reported = snp_tcb_above(&report->reported_tcb, &report->current_tcb, product);
    if (!snp_product_supported(product))
        skip(run, SNP_CHECK_TCB_ORDER, cause);
    else if (committed != SNP_SPL_COUNT)
        fail(run, SNP_CHECK_TCB_ORDER, "SNP_COMMITTED_TCB_ABOVE_CURRENT", snp_components[committed].name, NULL);
    else if (reported != SNP_SPL_COUNT)
        fail(run, SNP_CHECK_TCB_ORDER, "SNP_REPORTED_TCB_ABOVE_CURRENT", snp_components[reported].name, NULL);
    else
        decide(run, SNP_CHECK_TCB_ORDER, snp_version_compare(report->committed_version, report->current_version) <= 0,
               "SNP_COMMITTED_FIRMWARE_ABOVE_CURRENT", NULL, NULL);
}

static void check_provisional(const struct snp_run *run, const struct attestd_value *settings)
{
    const struct snp_report *report = &run->report;
    if (wish_or(snp_member(settings, "provisional"), SNP_NO) != SNP_NO)
        return;
    bool same_tcb = memcmp(report->committed_tcb.raw, report->current_tcb.raw, sizeof report->current_tcb.raw) == 0;
    bool same_version = snp_version_compare(report->committed_version, report->current_version) == 0;
    decide(run, SNP_CHECK_PROVISIONAL, same_tcb && same_version, "SNP_PROVISIONAL_FIRMWARE",
           same_tcb ? "committed and current version differ" : "COMMITTED_TCB and CURRENT_TCB differ", "committed firmware");
}

static void check_version(const struct snp_run *run, const struct attestd_value *least, enum snp_check check, const char *code,
                          struct snp_version found)
{
    struct snp_version wanted;
    char observed[16];
    if (!least)
        return;
    snprintf(observed, sizeof observed, "%u.%u.%u", found.major, found.minor, found.build);
    decide(run, check, snp_version_of(least, &wanted) && snp_version_compare(found, wanted) >= 0, code, observed,
           (const char *)least->text.data);
}

static void check_firmware(const struct snp_run *run)
{
    const struct attestd_value *settings = section(run, "firmware");
    check_version(run, snp_member(settings, "at_least"), SNP_CHECK_FIRMWARE, "SNP_FIRMWARE_BELOW_MINIMUM", run->report.current_version);
    check_version(run, snp_member(settings, "committed_at_least"), SNP_CHECK_COMMITTED_FIRMWARE, "SNP_COMMITTED_FIRMWARE_BELOW_MINIMUM",
                  run->report.committed_version);
}

static void check_mitigations(const struct snp_run *run, enum snp_check check, const struct attestd_value *list, uint64_t vector,
                              const char *missing_code, const char *unreported_code)
{
    uint64_t missing = snp_bits(list) & ~vector;
    char observed[160];
    if (snp_bits(list) == 0)
        return;
    if (!run->report.has_mitigations) {
        snprintf(observed, sizeof observed, "version %" PRIu32, run->report.version);
        fail(run, check, unreported_code, observed, "version 5");
        return;
    }
    int at = snprintf(observed, sizeof observed, "0x%" PRIx64 ", without bit", vector);
    for (int bit = 0; bit < 64 && at < (int)sizeof observed - 4; bit++) {
        if (missing >> bit & 1)
            at += snprintf(observed + at, sizeof observed - (size_t)at, " %d", bit);
    }
    decide(run, check, missing == 0, missing_code, observed, "every bit of snp.mitigations");
}

static void check_platform_versions(const struct snp_run *run, enum snp_product product, const char *cause)
{
    const struct attestd_value *tcb = section(run, "tcb"), *mitigations = section(run, "mitigations");
    check_tcb_order(run, product, cause);
    check_provisional(run, tcb);
    check_floors(run, tcb, product, cause);
    check_firmware(run);
    check_mitigations(run, SNP_CHECK_LAUNCH_MITIGATIONS, snp_member(mitigations, "launch"), run->report.launch_mit_vector,
                      "SNP_LAUNCH_MITIGATION_MISSING", "SNP_LAUNCH_MITIGATIONS_UNREPORTED");
    check_mitigations(run, SNP_CHECK_CURRENT_MITIGATIONS, snp_member(mitigations, "current"), run->report.current_mit_vector,
                      "SNP_CURRENT_MITIGATION_MISSING", "SNP_CURRENT_MITIGATIONS_UNREPORTED");
}

/* --- the report and the guest --- */

static void check_report_version(const struct snp_run *run)
{
    int64_t least = snp_number(snp_member(section(run, "report_version"), "at_least"), 3);
    char observed[16], expected[32];
    snprintf(observed, sizeof observed, "%" PRIu32, run->report.version);
    snprintf(expected, sizeof expected, "at least %" PRId64, least);
    decide(run, SNP_CHECK_REPORT_VERSION, run->report.version >= least, "SNP_REPORT_VERSION_BELOW_MINIMUM", observed, expected);
}

static void check_products(const struct snp_run *run, enum snp_product product, const char *cause)
{
    const struct attestd_value *allowed = snp_allowed(section(run, "products"));
    if (!allowed)
        return;
    if (product == SNP_NO_PRODUCT)
        skip(run, SNP_CHECK_PRODUCTS, cause);
    else
        decide(run, SNP_CHECK_PRODUCTS, snp_list_has_text(allowed, snp_product_name(product)), "SNP_PRODUCT_NOT_ALLOWED",
               snp_product_name(product), "one of snp.products");
}

static void check_masked_chip_id(const struct snp_run *run)
{
    bool named = !snp_report_chip_id_masked(&run->report) || snp_report_signing_key(&run->report) == SNP_SIGNED_BY_VLEK;
    if (wish_or(section(run, "allow_masked_chip_id"), SNP_NO) == SNP_NO)
        decide(run, SNP_CHECK_MASKED_CHIP_ID, named, "SNP_CHIP_ID_MASKED", "CHIP_ID is zero", "the chip's id");
}

static void check_guest(const struct snp_run *run)
{
    const struct snp_report *report = &run->report;
    const struct attestd_value *svn = snp_member(section(run, "guest_svn"), "at_least");
    char observed[16], expected[40];
    if (snp_wish(section(run, "require_id_block")) == SNP_YES)
        decide(run, SNP_CHECK_ID_BLOCK, !attestd_bytes_zero(report->id_key_digest, 48), "SNP_ID_BLOCK_MISSING", "ID_KEY_DIGEST is zero",
               "an ID block");
    if (snp_wish(section(run, "require_author_key")) == SNP_YES)
        decide(run, SNP_CHECK_AUTHOR_KEY, (report->key_info & SNP_AUTHOR_KEY_EN) != 0, "SNP_AUTHOR_KEY_MISSING", "AUTHOR_KEY_EN is clear",
               "AUTHOR_KEY_EN set");
    if (!svn)
        return;
    snprintf(observed, sizeof observed, "%" PRIu32, report->guest_svn);
    snprintf(expected, sizeof expected, "at least %" PRId64, svn->number);
    decide(run, SNP_CHECK_GUEST_SVN, report->guest_svn >= svn->number, "SNP_GUEST_SVN_BELOW_MINIMUM", observed, expected);
}

static void check_policy(const struct snp_run *run, enum snp_product product, const char *cause)
{
    check_report_version(run);
    check_products(run, product, cause);
    check_masked_chip_id(run);
    check_guest_policy(run);
    check_vmpl(run);
    check_platform_versions(run, product, cause);
    check_platform(run);
    check_guest(run);
}

/* --- the run --- */

static int32_t verify_read(struct snp_run *run, struct enclosure *enclosure)
{
    struct snp_authenticity authenticity;
    const char *cause = check_form(run);
    bool want_list = run->host->mode(run->appraisal, &snp_checks[SNP_CHECK_REVOCATION]) != ATTESTD_DISABLED;
    int64_t stale_for = snp_number(snp_member(section(run, "revocation"), "stale_for"), 0);
    memset(&authenticity, 0, sizeof authenticity);
    authenticity.product = run->report.has_cpuid ? snp_product_of_cpuid(run->report.family, run->report.model) : SNP_NO_PRODUCT;
    /* Nobody is asked for anything on behalf of a report that cannot pass. */
    if (cause)
        skip_steps(run, cause);
    else
        snp_authenticate(run, &authenticity, stale_for, want_list);
    if (authenticity.pending) {
        snp_authenticity_end(run, &authenticity);
        end_enclosed(run, enclosure, false);
        return ATTESTD_PENDING;
    }
    if (!cause)
        record_steps(run, &authenticity.steps);
    if (!run->report.has_cpuid) {
        if (cause)
            skip(run, SNP_CHECK_PRODUCT, cause);
        else
            record_v2_product(run, &authenticity);
    }
    check_policy(run, authenticity.product, cause ? cause : "SNP_PRODUCT_UNDETERMINED");
    snp_claim_report(run->host, run->appraisal, &run->report, authenticity.product);
    snp_claim_endorsements(run->host, run->appraisal, &authenticity);
    run->host->binding_field(run->appraisal, ATTESTD_BINDS_D, run->report.report_data, 64);
    run->host->signed_bytes(run->appraisal, run->report.raw.data, SNP_SIGNATURE_END);
    end_enclosed(run, enclosure, authenticity.chain != NULL);
    snp_authenticity_end(run, &authenticity);
    return ATTESTD_DONE;
}

int32_t snp_verify(const struct attestd_host *host, const struct attestd_evidence *evidence, struct attestd_appraisal *appraisal)
{
    struct snp_run run = {.host = host, .appraisal = appraisal, .time = evidence->time};
    struct parts parts = {.certs_at = 0};
    struct enclosure enclosure = {.made = NULL};
    if (!find_parts(&run, evidence, &parts) || !read_report(&run, &parts) || !read_enclosed(&run, &parts, &enclosure))
        return ATTESTD_MALFORMED;
    return verify_read(&run, &enclosure);
}

/* With no certificate judged, a version 2 report has its TCB read as its product would have it, if a certificate says which. */
int32_t snp_inspect(const struct attestd_host *host, const struct attestd_evidence *evidence, struct attestd_appraisal *appraisal)
{
    struct snp_run run = {.host = host, .appraisal = appraisal, .time = evidence->time};
    struct parts parts = {.certs_at = 0};
    struct snp_enclosed *enclosed = NULL;
    size_t at;
    if (!find_parts(&run, evidence, &parts) || !read_report(&run, &parts))
        return ATTESTD_MALFORMED;
    const char *code = parts.certs.len ? snp_enclosed_read(parts.certs.data, parts.certs.len, &enclosed, &at) : NULL;
    if (code) {
        refuse(&run, code, parts.certs_part, parts.certs_at + at, "enclosed certificates");
        return ATTESTD_MALFORMED;
    }
    enum snp_product product = run.report.has_cpuid ? snp_product_of_cpuid(run.report.family, run.report.model) : SNP_NO_PRODUCT;
    for (size_t i = 0; enclosed && product == SNP_NO_PRODUCT && i < enclosed->count; i++)
        product = enclosed->items[i].product;
    snp_claim_report(host, appraisal, &run.report, product);
    snp_enclosed_free(enclosed);
    return 0;
}
