/* SPDX-License-Identifier: Apache-2.0 */
/* The descriptor: all that the host knows of this plugin. */
#include "certificates.h"
#include "checks.h"
#include "core/bytes.h"
#include "settings.h"
#include "verify.h"

static const char *const media_types[] = {"application/vnd.attestd.snp-report", NULL};

static const struct attestd_endorsement_kind endorsements[] = {
    {SNP_KIND_VCEK, "VCEK certificate of one chip and TCB", ATTESTD_IMMUTABLE, 16384},
    {SNP_KIND_VLEK, "VLEK certificate of a cloud and TCB", ATTESTD_IMMUTABLE, 16384},
    {SNP_KIND_ASK, "ASK certificate, which signs VCEKs", ATTESTD_IMMUTABLE, 16384},
    {SNP_KIND_ASVK, "ASVK certificate, which signs VLEKs", ATTESTD_IMMUTABLE, 16384},
    {SNP_KIND_ARK, "ARK certificate, the root of a product", ATTESTD_ANCHOR, 16384},
    {SNP_KIND_CRL, "list of revoked certificates of a product", ATTESTD_AGEING, 1048576},
    {NULL, NULL, 0, 0},
};

/* Bytes 0 to 0x37 of a report have little freedom: version, zero bits of the policy, VMPL, algorithm. */
static int32_t recognise(const uint8_t *bytes, size_t len)
{
    struct attestd_reader reader = attestd_reader_of(bytes, len);
    uint32_t version = attestd_read_u32le(&reader);
    attestd_read_skip(&reader, 4);
    uint64_t policy = attestd_read_u64le(&reader);
    attestd_read_skip(&reader, 32);
    uint32_t vmpl = attestd_read_u32le(&reader), algorithm = attestd_read_u32le(&reader);
    if (reader.failed || version < 1 || version > 16 || algorithm != 1)
        return 0;
    if (vmpl > 3 && vmpl != SNP_HOST_VMPL)
        return 0;
    if (policy >> 32 != 0) /* reserved bits: of the right size it is a report still, and snp.reserved says what is wrong with it */
        return len == SNP_REPORT_SIZE ? 50 : 0;
    return len == SNP_REPORT_SIZE ? 90 : len > SNP_REPORT_SIZE ? 80 : 40;
}

static const struct attestd_plugin plugin = {
    .abi_version = ATTESTD_PLUGIN_ABI,
    .struct_size = sizeof plugin,
    .name = "snp",
    .version = "1",
    .media_types = media_types,
    .evidence_class = ATTESTD_CLASS_CPU,
    .checks = snp_check_list,
    .recognise = recognise,
    .verify = snp_verify,
    .malformed = snp_malformed,
    .raw_part = "report",
    .endorsements = endorsements,
    .identify = snp_identify,
    .policy_schema = snp_policy_schema,
    .inspect = snp_inspect,
};

const struct attestd_plugin *attestd_plugin(void)
{
    return &plugin;
}
