/* SPDX-License-Identifier: Apache-2.0 */
/* The catalogue: every decision this plugin takes, and every way in which one can fail. Data only. */
#ifndef SNP_CHECKS_H
#define SNP_CHECKS_H

#include <attestd/plugin.h>

/* In the order in which they are recorded. */
enum snp_check {
    /* Fixed: what the bytes say about themselves. */
    SNP_CHECK_RESERVED,
    SNP_CHECK_SIGNATURE_ALGORITHM,
    SNP_CHECK_SIGNING_KEY,
    SNP_CHECK_REQUESTER,
    SNP_CHECK_PRODUCT,
    /* Fixed: certificates and signature. */
    SNP_CHECK_VEK,
    SNP_CHECK_CHAIN,
    SNP_CHECK_ANCHOR,
    SNP_CHECK_VALIDITY,
    SNP_CHECK_KEY_KIND,
    SNP_CHECK_CERTIFICATE_PRODUCT,
    SNP_CHECK_HWID,
    SNP_CHECK_TCB_BINDING,
    SNP_CHECK_SIGNATURE,
    SNP_CHECK_NOT_REVOKED,
    SNP_CHECK_REVOCATION,
    /* The report against policy. */
    SNP_CHECK_REPORT_VERSION,
    SNP_CHECK_PRODUCTS,
    SNP_CHECK_MASKED_CHIP_ID,
    SNP_CHECK_DEBUG,
    SNP_CHECK_MIGRATION_AGENT,
    SNP_CHECK_SMT,
    SNP_CHECK_CXL,
    SNP_CHECK_SINGLE_SOCKET,
    SNP_CHECK_MEMORY_AES_256_XTS,
    SNP_CHECK_RAPL,
    SNP_CHECK_CIPHERTEXT_HIDING,
    SNP_CHECK_PAGE_SWAP,
    SNP_CHECK_ABI,
    SNP_CHECK_VMPL,
    SNP_CHECK_TCB_ORDER,
    SNP_CHECK_PROVISIONAL,
    SNP_CHECK_TCB_FLOOR,
    SNP_CHECK_COMMITTED_TCB_FLOOR,
    SNP_CHECK_LAUNCH_TCB_FLOOR,
    SNP_CHECK_CURRENT_TCB_FLOOR,
    SNP_CHECK_FIRMWARE,
    SNP_CHECK_COMMITTED_FIRMWARE,
    SNP_CHECK_LAUNCH_MITIGATIONS,
    SNP_CHECK_CURRENT_MITIGATIONS,
    SNP_CHECK_PLATFORM_SMT,
    SNP_CHECK_PLATFORM_TSME,
    SNP_CHECK_PLATFORM_ECC,
    SNP_CHECK_PLATFORM_RAPL,
    SNP_CHECK_PLATFORM_CIPHERTEXT_HIDING,
    SNP_CHECK_PLATFORM_ALIAS_CHECK,
    SNP_CHECK_PLATFORM_IOMMU_WRITE_SAFE,
    SNP_CHECK_PLATFORM_TIO,
    SNP_CHECK_ID_BLOCK,
    SNP_CHECK_AUTHOR_KEY,
    SNP_CHECK_GUEST_SVN,
    /* Compared with sets and lists by the policy, once the claims are there. */
    SNP_CHECK_MEASUREMENT,
    SNP_CHECK_HOST_DATA,
    SNP_CHECK_ID_KEY_DIGEST,
    SNP_CHECK_AUTHOR_KEY_DIGEST,
    SNP_CHECK_REPORT_ID,
    SNP_CHECK_FAMILY_ID,
    SNP_CHECK_IMAGE_ID,
    SNP_CHECK_CHIP_ID,
    SNP_CHECK_COUNT
};

extern const struct attestd_check snp_checks[SNP_CHECK_COUNT];
/* The same, NULL-terminated, as the descriptor wants it. */
extern const struct attestd_check *const snp_check_list[SNP_CHECK_COUNT + 1];
/* Codes of bytes that do not parse. */
extern const struct attestd_reason snp_malformed[];

#endif
