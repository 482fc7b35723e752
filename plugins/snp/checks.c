/* SPDX-License-Identifier: Apache-2.0 */
#include "checks.h"

#include <stddef.h>

/* AR4SI values: draft-ietf-rats-ar4si, section 2.3. A signature or chain that fails makes every claim 99, which is core's doing. */
static const struct attestd_reason reserved_reasons[] = {
    {"SNP_POLICY_RESERVED_BITS", "The guest policy sets bits that this version of the report reserves: take the report again, unaltered, "
                                 "or update attestd if the firmware is newer than it."},
    {"SNP_POLICY_BIT_17", "Bit 17 of a guest policy must be one: launch the guest with a valid policy."},
    {"SNP_KEY_INFO_RESERVED_BITS",
     "Reserved bits beside SIGNING_KEY are set: take the report again, unaltered, or update attestd if the firmware is newer than it."},
    {"SNP_SIGNATURE_PADDING", "The unsigned bytes around the signature must be zero: send the report as the firmware wrote it."},
    {"SNP_REPORT_RESERVED_BYTES", "Reserved bytes of the report are not zero: send the report as the firmware wrote it, or update attestd "
                                  "if the firmware is newer than it."},
    {NULL, NULL},
};

static const struct attestd_reason signature_algorithm_reasons[] = {
    {"SNP_SIGNATURE_ALGORITHM", "SIGNATURE_ALGO must be 1 (ECDSA P-384 with SHA-384): take the report from SEV-SNP firmware."},
    {NULL, NULL},
};

static const struct attestd_reason signing_key_reasons[] = {
    {"SNP_SIGNING_KEY_NONE", "The report is not signed (SIGNING_KEY is NONE): have the host allow the firmware to sign guest reports."},
    {"SNP_SIGNING_KEY_RESERVED", "SIGNING_KEY has a value that this version of the report reserves: take the report again, unaltered."},
    {"SNP_CHIP_KEY_MASKED",
     "The host masks the chip key (MASK_CHIP_KEY), so the signature is zero: clear MASK_CHIP_KEY in SNP_CONFIG on the host."},
    {NULL, NULL},
};

static const struct attestd_reason requester_reasons[] = {
    {"SNP_REQUESTED_BY_HOST",
     "The host asked for this report (VMPL 0xffffffff), so its REPORT_DATA is the host's word: ask for it inside the guest."},
    {"SNP_VMPL_INVALID", "VMPL must be 0 to 3: take the report again, unaltered."},
    {NULL, NULL},
};

static const struct attestd_reason product_reasons[] = {
    {"SNP_CPUID_UNKNOWN", "No product is known for this CPUID family and model: update attestd."},
    {"SNP_PRODUCT_UNSUPPORTED", "The TCB layout of this product is not known to this build: update attestd."},
    {"SNP_PRODUCT_UNDETERMINED", "A version 2 report does not name its product and no certificate tells it: enclose the VCEK and its chain "
                                 "(certs), or update the firmware so that it writes version 3 reports."},
    {NULL, NULL},
};

static const struct attestd_reason vek_reasons[] = {
    {"SNP_VEK_UNAVAILABLE", "Enclose the certificates that the host gives (certs), put the VCEK into an endorsement directory, or let "
                            "attestd reach the AMD key distribution service."},
    {"SNP_VLEK_UNAVAILABLE", "A VLEK is had from the cloud's host alone: enclose the certificate table of the extended report (certs)."},
    {"SNP_VEK_OF_MASKED_CHIP", "The host masks CHIP_ID, so AMD cannot be asked for the VCEK: enclose the certificates that the host gives "
                               "(certs), or clear MASK_CHIP_ID on the host."},
    {"SNP_INTERMEDIATE_UNAVAILABLE", "The ASK or ASVK is missing: enclose it, put it into an endorsement directory, or let attestd reach "
                                     "the AMD key distribution service."},
    {"SNP_ROOT_UNAVAILABLE", "The bytes of the pinned ARK are missing: run `attestctl anchors fetch`, or enclose the ARK."},
    {NULL, NULL},
};

static const struct attestd_reason chain_reasons[] = {
    {"SNP_CERTIFICATE_MALFORMED",
     "The certificate of the signing key does not parse as a VCEK or VLEK: fetch it again from AMD or from the host."},
    {"SNP_LEAF_SIGNATURE", "No known ASK or ASVK of this product signed the VCEK or VLEK: fetch it again from AMD or from the host."},
    {"SNP_INTERMEDIATE_SIGNATURE", "The ASK or ASVK that signed this key is not signed by the ARK: fetch the chain again from AMD."},
    {"SNP_INTERMEDIATE_NOT_CA", "The certificate that signed the VCEK or VLEK is no CA certificate, or has extensions that forbid this "
                                "use: fetch the chain again from AMD."},
    {"SNP_LEAF_KEY", "The VCEK or VLEK holds no P-384 key: fetch it again from AMD or from the host."},
    {NULL, NULL},
};

static const struct attestd_reason anchor_reasons[] = {
    {"SNP_ANCHOR_UNKNOWN", "The root is not a pinned ARK of this product: this chain was not made by AMD; an own root is added with a "
                           "purpose in the configuration, or with `attestctl appraise --anchor`."},
    {"SNP_ANCHOR_REISSUED",
     "The root is another certificate over a pinned key: if AMD published it, add its pin to trust-anchors/amd.yaml."},
    {NULL, NULL},
};

static const struct attestd_reason validity_reasons[] = {
    {"SNP_VEK_EXPIRED", "The VCEK or VLEK has expired: fetch it anew (a VLEK lasts one year), and send the new one."},
    {"SNP_VEK_NOT_YET_VALID", "The VCEK or VLEK is not valid yet: check the clock of this machine, or the time given with --at."},
    {"SNP_CA_EXPIRED", "The ASK, ASVK or ARK has expired: fetch the chain anew."},
    {"SNP_CA_NOT_YET_VALID", "The ASK, ASVK or ARK is not valid yet: check the clock of this machine, or the time given with --at."},
    {NULL, NULL},
};

static const struct attestd_reason key_kind_reasons[] = {
    {"SNP_KEY_KIND_MISMATCH", "The report is signed by one kind of key and the certificate is of the other (VCEK, VLEK): enclose the "
                              "certificate that belongs to SIGNING_KEY, in its own slot of the table."},
    {"SNP_KEY_KIND_UNCLEAR", "A VCEK carries hwID and no cspID, a VLEK cspID and no hwID; this certificate does neither: fetch it again."},
    {NULL, NULL},
};

static const struct attestd_reason certificate_product_reasons[] = {
    {"SNP_PRODUCT_MISMATCH", "The CPUID in the report and the issuer of the certificate name different products: enclose the certificates "
                             "of the machine that made the report."},
    {"SNP_PRODUCT_NAME_MISMATCH", "productName of the certificate does not fit its issuer: fetch it again."},
    {"SNP_STRUCT_VERSION",
     "structVersion of the certificate does not fit its product (0 for Milan and Genoa, 1 for Turin): fetch it again."},
    {NULL, NULL},
};

static const struct attestd_reason hwid_reasons[] = {
    {"SNP_HWID_MISMATCH", "The certificate belongs to another chip: enclose the certificates of the machine that made the report."},
    {"SNP_HWID_MISSING", "A VCEK carries hwID, and this one does not: fetch the certificate again."},
    {"SNP_HWID_LENGTH", "hwID has 64 bytes, on Turin 8: fetch the certificate again."},
    {"SNP_HWID_TAIL", "A Turin CHIP_ID is 8 bytes and 56 zeros: take the report again, unaltered."},
    {NULL, NULL},
};

static const struct attestd_reason tcb_binding_reasons[] = {
    {"SNP_CERTIFICATE_TCB_MISMATCH", "The certificate is for another TCB than REPORTED_TCB: have the host renew its certificate table "
                                     "after a firmware update, or leave certs out so that attestd asks AMD."},
    {"SNP_CERTIFICATE_TCB_MISSING", "An extension with a component of the TCB is missing or malformed: fetch the certificate again."},
    {NULL, NULL},
};

static const struct attestd_reason signature_reasons[] = {
    {"SNP_SIGNATURE_VALUES",
     "r and s must be above zero and below the order of P-384, little-endian: send the report as the firmware wrote it."},
    {"SNP_SIGNATURE_INVALID",
     "The report was altered, or another key signed it: take it again, and enclose the certificates of the machine that made it."},
    {NULL, NULL},
};

static const struct attestd_reason not_revoked_reasons[] = {
    {"SNP_ASK_REVOKED", "AMD revoked this ASK: fetch VCEK and chain anew, which AMD signs with the ASK that replaced it."},
    {"SNP_ASVK_REVOKED", "AMD revoked this ASVK: have the cloud provider renew its VLEK."},
    {NULL, NULL},
};

static const struct attestd_reason revocation_reasons[] = {
    {"SNP_CRL_UNAVAILABLE", "Let attestd reach the AMD key distribution service, or put the list "
                            "(https://kdsintf.amd.com/vcek/v1/<product>/crl) into an endorsement directory."},
    {"SNP_CRL_STALE", "The newest list at hand has passed its nextUpdate: fetch it anew, or allow its age with snp.revocation.stale_for."},
    {"SNP_CRL_FUTURE", "The list is dated after the time of verification: check the clock of this machine, or the time given with --at."},
    {"SNP_CRL_NO_NEXT_UPDATE", "The list has no nextUpdate, so nobody can say whether it is fresh: fetch it anew."},
    {"SNP_CRL_SIGNATURE", "The list is not signed by the ARK of this chain: fetch it anew."},
    {NULL, NULL},
};

static const struct attestd_reason report_version_reasons[] = {
    {"SNP_REPORT_VERSION_BELOW_MINIMUM",
     "Update the SEV firmware (version 2 reports tell neither stepping nor mitigations), or lower snp.report_version.at_least."},
    {NULL, NULL},
};

static const struct attestd_reason products_reasons[] = {
    {"SNP_PRODUCT_NOT_ALLOWED", "Run the guest on an allowed product, or add this one to snp.products."},
    {NULL, NULL},
};

static const struct attestd_reason masked_chip_id_reasons[] = {
    {"SNP_CHIP_ID_MASKED", "The host masks CHIP_ID, so the certificate cannot be tied to the chip: clear MASK_CHIP_ID on the host, or set "
                           "snp.allow_masked_chip_id."},
    {NULL, NULL},
};

static const struct attestd_reason debug_reasons[] = {
    {"SNP_DEBUG_ALLOWED", "The guest policy allows debugging, so the host can read all its memory: launch the guest with DEBUG clear."},
    {NULL, NULL},
};

static const struct attestd_reason migration_agent_reasons[] = {
    {"SNP_MIGRATION_AGENT_ALLOWED",
     "The guest policy allows a migration agent: launch the guest with MIGRATE_MA clear, or allow it in snp.guest_policy.migration_agent."},
    {"SNP_MIGRATION_AGENT_PRESENT", "A migration agent is associated with the guest (REPORT_ID_MA): launch it without one, or allow it in "
                                    "snp.guest_policy.migration_agent."},
    {NULL, NULL},
};

static const struct attestd_reason smt_reasons[] = {
    {"SNP_SMT_ALLOWED", "The guest policy allows SMT: launch the guest with SMT clear, on a host with SMT off."},
    {NULL, NULL},
};

static const struct attestd_reason cxl_reasons[] = {
    {"SNP_CXL_ALLOWED", "The guest policy allows CXL: launch the guest with CXL_ALLOW clear."},
    {NULL, NULL},
};

static const struct attestd_reason single_socket_reasons[] = {
    {"SNP_SINGLE_SOCKET_NOT_REQUIRED", "Launch the guest with SINGLE_SOCKET set in its policy."},
    {NULL, NULL},
};

static const struct attestd_reason memory_aes_256_xts_reasons[] = {
    {"SNP_AES_256_XTS_NOT_REQUIRED", "Launch the guest with MEM_AES_256_XTS set in its policy."},
    {NULL, NULL},
};

static const struct attestd_reason rapl_reasons[] = {
    {"SNP_RAPL_NOT_DISABLED", "Launch the guest with RAPL_DIS set in its policy, on a host with RAPL disabled."},
    {NULL, NULL},
};

static const struct attestd_reason ciphertext_hiding_reasons[] = {
    {"SNP_CIPHERTEXT_HIDING_NOT_REQUIRED", "Launch the guest with CIPHERTEXT_HIDING_DRAM set in its policy (Genoa and later)."},
    {NULL, NULL},
};

static const struct attestd_reason page_swap_reasons[] = {
    {"SNP_PAGE_SWAP_NOT_DISABLED", "Launch the guest with PAGE_SWAP_DISABLE set in its policy (firmware 1.58 and later)."},
    {NULL, NULL},
};

static const struct attestd_reason abi_reasons[] = {
    {"SNP_ABI_BELOW_MINIMUM", "Launch the guest with a higher minimum ABI in its policy, or lower snp.guest_policy.abi."},
    {NULL, NULL},
};

static const struct attestd_reason vmpl_reasons[] = {
    {"SNP_VMPL_NOT_ALLOWED", "Ask for the report from an allowed VMPL, or add this one to snp.vmpl.allow."},
    {NULL, NULL},
};

static const struct attestd_reason tcb_order_reasons[] = {
    {"SNP_COMMITTED_TCB_ABOVE_CURRENT",
     "COMMITTED_TCB cannot be above CURRENT_TCB: take the report again, and have the vendor look at the firmware if it stays so."},
    {"SNP_REPORTED_TCB_ABOVE_CURRENT",
     "REPORTED_TCB cannot be above CURRENT_TCB: take the report again, and have the vendor look at the firmware if it stays so."},
    {"SNP_COMMITTED_FIRMWARE_ABOVE_CURRENT", "The committed firmware version cannot be above the current one: take the report again, and "
                                             "have the vendor look at the firmware if it stays so."},
    {NULL, NULL},
};

static const struct attestd_reason provisional_reasons[] = {
    {"SNP_PROVISIONAL_FIRMWARE",
     "The host runs firmware that it can still roll back: have it commit the firmware (SNP_COMMIT), or set snp.tcb.provisional to true."},
    {NULL, NULL},
};

static const struct attestd_reason tcb_floor_reasons[] = {
    {"SNP_REPORTED_TCB_BELOW_FLOOR",
     "Update firmware and microcode of the host, and have it report the new TCB; or lower the floor in snp.tcb."},
    {"SNP_TCB_FLOOR_MISSING", "The policy sets floors, but none for this product or CPUID: add one to snp.tcb.floor."},
    {NULL, NULL},
};

static const struct attestd_reason committed_tcb_floor_reasons[] = {
    {"SNP_COMMITTED_TCB_BELOW_FLOOR",
     "Update firmware and microcode of the host, and have it report the new TCB; or lower the floor in snp.tcb."},
    {"SNP_COMMITTED_TCB_FLOOR_MISSING",
     "The policy sets floors, but none for this product or CPUID: add one to snp.tcb.floor or snp.tcb.committed_floor."},
    {NULL, NULL},
};

static const struct attestd_reason launch_tcb_floor_reasons[] = {
    {"SNP_LAUNCH_TCB_BELOW_FLOOR",
     "Update firmware and microcode of the host, and have it report the new TCB; or lower the floor in snp.tcb."},
    {"SNP_LAUNCH_TCB_FLOOR_MISSING",
     "The policy sets floors, but none for this product or CPUID: add one to snp.tcb.floor or snp.tcb.launch_floor."},
    {NULL, NULL},
};

static const struct attestd_reason current_tcb_floor_reasons[] = {
    {"SNP_CURRENT_TCB_BELOW_FLOOR",
     "Update firmware and microcode of the host, and have it report the new TCB; or lower the floor in snp.tcb."},
    {"SNP_CURRENT_TCB_FLOOR_MISSING", "The policy sets floors, but none for this product or CPUID: add one to snp.tcb.floor."},
    {NULL, NULL},
};

static const struct attestd_reason firmware_reasons[] = {
    {"SNP_FIRMWARE_BELOW_MINIMUM", "Update the SEV firmware of the host, or lower snp.firmware.at_least."},
    {NULL, NULL},
};

static const struct attestd_reason committed_firmware_reasons[] = {
    {"SNP_COMMITTED_FIRMWARE_BELOW_MINIMUM", "Have the host commit its firmware (SNP_COMMIT), or lower snp.firmware.committed_at_least."},
    {NULL, NULL},
};

static const struct attestd_reason launch_mitigations_reasons[] = {
    {"SNP_LAUNCH_MITIGATION_MISSING",
     "Update firmware and microcode of the host, and start the guest anew; or leave the missing bits out of snp.mitigations."},
    {"SNP_LAUNCH_MITIGATIONS_UNREPORTED",
     "Reports before version 5 do not tell mitigations: update the SEV firmware, or leave snp.mitigations out."},
    {NULL, NULL},
};

static const struct attestd_reason current_mitigations_reasons[] = {
    {"SNP_CURRENT_MITIGATION_MISSING",
     "Update firmware and microcode of the host, and start the guest anew; or leave the missing bits out of snp.mitigations."},
    {"SNP_CURRENT_MITIGATIONS_UNREPORTED",
     "Reports before version 5 do not tell mitigations: update the SEV firmware, or leave snp.mitigations out."},
    {NULL, NULL},
};

static const struct attestd_reason platform_smt_reasons[] = {
    {"SNP_PLATFORM_SMT_DISABLED",
     "Change the setting in the firmware setup of the host, or update its firmware; or change snp.platform.smt."},
    {"SNP_PLATFORM_SMT_ENABLED", "Change the setting in the firmware setup of the host; or change snp.platform.smt."},
    {NULL, NULL},
};

static const struct attestd_reason platform_tsme_reasons[] = {
    {"SNP_PLATFORM_TSME_DISABLED",
     "Change the setting in the firmware setup of the host, or update its firmware; or change snp.platform.tsme."},
    {"SNP_PLATFORM_TSME_ENABLED", "Change the setting in the firmware setup of the host; or change snp.platform.tsme."},
    {NULL, NULL},
};

static const struct attestd_reason platform_ecc_reasons[] = {
    {"SNP_PLATFORM_ECC_DISABLED",
     "Change the setting in the firmware setup of the host, or update its firmware; or change snp.platform.ecc."},
    {"SNP_PLATFORM_ECC_ENABLED", "Change the setting in the firmware setup of the host; or change snp.platform.ecc."},
    {NULL, NULL},
};

static const struct attestd_reason platform_rapl_reasons[] = {
    {"SNP_PLATFORM_RAPL_ENABLED",
     "Change the setting in the firmware setup of the host, or update its firmware; or change snp.platform.rapl_disabled."},
    {"SNP_PLATFORM_RAPL_DISABLED", "Change the setting in the firmware setup of the host; or change snp.platform.rapl_disabled."},
    {NULL, NULL},
};

static const struct attestd_reason platform_ciphertext_hiding_reasons[] = {
    {"SNP_PLATFORM_CIPHERTEXT_HIDING_DISABLED",
     "Change the setting in the firmware setup of the host, or update its firmware; or change snp.platform.ciphertext_hiding."},
    {"SNP_PLATFORM_CIPHERTEXT_HIDING_ENABLED",
     "Change the setting in the firmware setup of the host; or change snp.platform.ciphertext_hiding."},
    {NULL, NULL},
};

static const struct attestd_reason platform_alias_check_reasons[] = {
    {"SNP_PLATFORM_ALIAS_CHECK_INCOMPLETE",
     "Change the setting in the firmware setup of the host, or update its firmware; or change snp.platform.alias_check."},
    {"SNP_PLATFORM_ALIAS_CHECK_COMPLETE", "Change the setting in the firmware setup of the host; or change snp.platform.alias_check."},
    {NULL, NULL},
};

static const struct attestd_reason platform_iommu_write_safe_reasons[] = {
    {"SNP_PLATFORM_IOMMU_WRITE_SAFE_CLEAR",
     "Change the setting in the firmware setup of the host, or update its firmware; or change snp.platform.iommu_write_safe."},
    {"SNP_PLATFORM_IOMMU_WRITE_SAFE_SET", "Change the setting in the firmware setup of the host; or change snp.platform.iommu_write_safe."},
    {NULL, NULL},
};

static const struct attestd_reason platform_tio_reasons[] = {
    {"SNP_PLATFORM_TIO_DISABLED",
     "Change the setting in the firmware setup of the host, or update its firmware; or change snp.platform.tio."},
    {"SNP_PLATFORM_TIO_ENABLED", "Change the setting in the firmware setup of the host; or change snp.platform.tio."},
    {NULL, NULL},
};

static const struct attestd_reason id_block_reasons[] = {
    {"SNP_ID_BLOCK_MISSING", "Launch the guest with a signed ID block, or set snp.require_id_block to false."},
    {NULL, NULL},
};

static const struct attestd_reason author_key_reasons[] = {
    {"SNP_AUTHOR_KEY_MISSING",
     "Launch the guest with an author key in its ID authentication information, or set snp.require_author_key to false."},
    {NULL, NULL},
};

static const struct attestd_reason guest_svn_reasons[] = {
    {"SNP_GUEST_SVN_BELOW_MINIMUM", "Run a newer build of the guest, or lower snp.guest_svn.at_least."},
    {NULL, NULL},
};

static const struct attestd_reason measurement_reasons[] = {
    {"SNP_MEASUREMENT_NOT_LISTED", "Add the observed value to the list or set that snp.measurement names, if it is one of yours."},
    {NULL, NULL},
};

static const struct attestd_reason host_data_reasons[] = {
    {"SNP_HOST_DATA_NOT_LISTED", "Add the observed value to the list or set that snp.host_data names, if it is one of yours."},
    {NULL, NULL},
};

static const struct attestd_reason id_key_digest_reasons[] = {
    {"SNP_ID_KEY_DIGEST_NOT_LISTED", "Add the observed value to the list or set that snp.id_key_digest names, if it is one of yours."},
    {NULL, NULL},
};

static const struct attestd_reason author_key_digest_reasons[] = {
    {"SNP_AUTHOR_KEY_DIGEST_NOT_LISTED",
     "Add the observed value to the list or set that snp.author_key_digest names, if it is one of yours."},
    {NULL, NULL},
};

static const struct attestd_reason report_id_reasons[] = {
    {"SNP_REPORT_ID_NOT_LISTED", "Add the observed value to the list or set that snp.report_id names, if it is one of yours."},
    {NULL, NULL},
};

static const struct attestd_reason family_id_reasons[] = {
    {"SNP_FAMILY_ID_NOT_LISTED", "Add the observed value to the list or set that snp.family_id names, if it is one of yours."},
    {NULL, NULL},
};

static const struct attestd_reason image_id_reasons[] = {
    {"SNP_IMAGE_ID_NOT_LISTED", "Add the observed value to the list or set that snp.image_id names, if it is one of yours."},
    {NULL, NULL},
};

static const struct attestd_reason chip_id_reasons[] = {
    {"SNP_CHIP_ID_NOT_LISTED", "Add the observed value to the list or set that snp.chip_id names, if it is one of yours."},
    {NULL, NULL},
};

const struct attestd_check snp_checks[SNP_CHECK_COUNT] = {
    [SNP_CHECK_RESERVED] = {"snp.reserved", "reserved bits and bytes hold what the specification demands", 1, ATTESTD_STRICT,
                            ATTESTD_HARDWARE, 2, 32, 97, "AMD 56860, ATTESTATION_REPORT", reserved_reasons},
    [SNP_CHECK_SIGNATURE_ALGORITHM] = {"snp.signature_algorithm", "the report is signed with ECDSA P-384 and SHA-384", 1, ATTESTD_STRICT,
                                       ATTESTD_HARDWARE, 2, 32, 97, "AMD 56860, ATTESTATION_REPORT", signature_algorithm_reasons},
    [SNP_CHECK_SIGNING_KEY] = {"snp.signing_key", "the report names a VCEK or a VLEK as its signing key", 1, ATTESTD_STRICT,
                               ATTESTD_HARDWARE, 2, 32, 97, "AMD 56860, ATTESTATION_REPORT", signing_key_reasons},
    [SNP_CHECK_REQUESTER] = {"snp.requester", "the guest itself asked for the report", 1, ATTESTD_STRICT, ATTESTD_RUNTIME_OPAQUE, 2, 32, 96,
                             "AMD 56860, ATTESTATION_REPORT", requester_reasons},
    [SNP_CHECK_PRODUCT] = {"snp.product", "the processor is one whose roots and TCB layout are known", 1, ATTESTD_STRICT, ATTESTD_HARDWARE,
                           2, 32, 97, "AMD 56860, ATTESTATION_REPORT", product_reasons},
    [SNP_CHECK_VEK] = {"snp.vek", "the certificate of the signing key could be had", 1, ATTESTD_STRICT, ATTESTD_HARDWARE, 2, 32, 97,
                       "AMD 57230, VCEK and VLEK certificates", vek_reasons},
    [SNP_CHECK_CHAIN] = {"snp.chain", "the signing key is certified by ASK or ASVK and ARK", 1, ATTESTD_STRICT, ATTESTD_HARDWARE, 2, 32, 99,
                         "RFC 5280, section 6", chain_reasons},
    [SNP_CHECK_ANCHOR] = {"snp.anchor", "the root of the chain is pinned for this product", 1, ATTESTD_STRICT, ATTESTD_HARDWARE, 2, 32, 99,
                          "docs/endorsements.md, trust anchors", anchor_reasons},
    [SNP_CHECK_VALIDITY] = {"snp.validity", "all certificates of the chain are within their dates", 1, ATTESTD_STRICT, ATTESTD_HARDWARE, 2,
                            32, 97, "RFC 5280, section 6", validity_reasons},
    [SNP_CHECK_KEY_KIND] = {"snp.key_kind", "the certificate is of the kind that SIGNING_KEY names", 1, ATTESTD_STRICT, ATTESTD_HARDWARE, 2,
                            32, 97, "AMD 56860, ATTESTATION_REPORT", key_kind_reasons},
    [SNP_CHECK_CERTIFICATE_PRODUCT] = {"snp.certificate_product", "certificate and report speak of the same product", 1, ATTESTD_STRICT,
                                       ATTESTD_HARDWARE, 2, 32, 97, "AMD 57230, VCEK and VLEK certificates", certificate_product_reasons},
    [SNP_CHECK_HWID] = {"snp.hwid", "hwID of the VCEK is CHIP_ID of the report, where the report carries one", 1, ATTESTD_STRICT,
                        ATTESTD_HARDWARE, 2, 32, 97, "AMD 57230, VCEK and VLEK certificates", hwid_reasons},
    [SNP_CHECK_TCB_BINDING] = {"snp.tcb_binding", "each component of REPORTED_TCB is the one the key was derived for", 1, ATTESTD_STRICT,
                               ATTESTD_HARDWARE, 2, 32, 97, "AMD 57230, VCEK and VLEK certificates", tcb_binding_reasons},
    [SNP_CHECK_SIGNATURE] = {"snp.signature", "the report is signed by the VCEK or VLEK", 1, ATTESTD_STRICT, ATTESTD_HARDWARE, 2, 32, 99,
                             "AMD 56860, ATTESTATION_REPORT", signature_reasons},
    [SNP_CHECK_NOT_REVOKED] = {"snp.not_revoked", "no authentic list at hand revokes the ASK or ASVK", 1, ATTESTD_STRICT, ATTESTD_HARDWARE,
                               2, 32, 96, "RFC 5280, section 6", not_revoked_reasons},
    [SNP_CHECK_REVOCATION] = {"snp.revocation", "a fresh list of revoked certificates was looked at", 0, ATTESTD_STRICT, ATTESTD_HARDWARE,
                              2, 32, 96, "RFC 5280, section 6", revocation_reasons},
    [SNP_CHECK_REPORT_VERSION] = {"snp.report_version", "the report has at least the version that policy asks for", 0, ATTESTD_STRICT,
                                  ATTESTD_HARDWARE, 2, 32, 96, "AMD 56860, ATTESTATION_REPORT", report_version_reasons},
    [SNP_CHECK_PRODUCTS] = {"snp.products", "the product is one that policy allows", 0, ATTESTD_STRICT, ATTESTD_HARDWARE, 2, 32, 96,
                            "AMD 56860, ATTESTATION_REPORT", products_reasons},
    [SNP_CHECK_MASKED_CHIP_ID] = {"snp.masked_chip_id", "the report says which chip made it, or a VLEK signed it", 0, ATTESTD_STRICT,
                                  ATTESTD_INSTANCE_IDENTITY, 0, 32, 97, "AMD 56860, ATTESTATION_REPORT", masked_chip_id_reasons},
    [SNP_CHECK_DEBUG] = {"snp.debug", "the host may not debug the guest", 0, ATTESTD_STRICT, ATTESTD_CONFIGURATION, 3, 32, 96,
                         "AMD 56860, GUEST_POLICY", debug_reasons},
    [SNP_CHECK_MIGRATION_AGENT] = {"snp.migration_agent", "no migration agent holds the guest's keys", 0, ATTESTD_STRICT,
                                   ATTESTD_RUNTIME_OPAQUE, 2, 32, 96, "AMD 56860, GUEST_POLICY", migration_agent_reasons},
    [SNP_CHECK_SMT] = {"snp.smt", "the guest may not run beside a sibling thread", 0, ATTESTD_STRICT, ATTESTD_CONFIGURATION, 3, 32, 96,
                       "AMD 56860, GUEST_POLICY", smt_reasons},
    [SNP_CHECK_CXL] = {"snp.cxl", "the guest may not use CXL memory or devices", 0, ATTESTD_STRICT, ATTESTD_CONFIGURATION, 3, 32, 96,
                       "AMD 56860, GUEST_POLICY", cxl_reasons},
    [SNP_CHECK_SINGLE_SOCKET] = {"snp.single_socket", "the guest is bound to one socket", 0, ATTESTD_STRICT, ATTESTD_CONFIGURATION, 3, 32,
                                 96, "AMD 56860, GUEST_POLICY", single_socket_reasons},
    [SNP_CHECK_MEMORY_AES_256_XTS] = {"snp.memory_aes_256_xts", "the guest demands AES-256-XTS for its memory", 0, ATTESTD_STRICT,
                                      ATTESTD_CONFIGURATION, 3, 32, 96, "AMD 56860, GUEST_POLICY", memory_aes_256_xts_reasons},
    [SNP_CHECK_RAPL] = {"snp.rapl", "the guest demands that power metering is off", 0, ATTESTD_STRICT, ATTESTD_CONFIGURATION, 3, 32, 96,
                        "AMD 56860, GUEST_POLICY", rapl_reasons},
    [SNP_CHECK_CIPHERTEXT_HIDING] = {"snp.ciphertext_hiding", "the guest demands that its ciphertext is hidden from the host", 0,
                                     ATTESTD_STRICT, ATTESTD_CONFIGURATION, 3, 32, 96, "AMD 56860, GUEST_POLICY",
                                     ciphertext_hiding_reasons},
    [SNP_CHECK_PAGE_SWAP] = {"snp.page_swap", "the guest forbids that the host moves or swaps its pages", 0, ATTESTD_STRICT,
                             ATTESTD_CONFIGURATION, 3, 32, 96, "AMD 56860, GUEST_POLICY", page_swap_reasons},
    [SNP_CHECK_ABI] = {"snp.abi", "the guest demands at least the firmware ABI that policy asks for", 0, ATTESTD_STRICT,
                       ATTESTD_CONFIGURATION, 3, 32, 96, "AMD 56860, GUEST_POLICY", abi_reasons},
    [SNP_CHECK_VMPL] = {"snp.vmpl", "the privilege level that asked is one that policy allows", 0, ATTESTD_STRICT, ATTESTD_CONFIGURATION, 3,
                        32, 96, "AMD 56860, ATTESTATION_REPORT", vmpl_reasons},
    [SNP_CHECK_TCB_ORDER] = {"snp.tcb_order", "committed and reported TCB are not above the current one", 0, ATTESTD_STRICT,
                             ATTESTD_HARDWARE, 2, 32, 96, "AMD 56860, TCB_VERSION", tcb_order_reasons},
    [SNP_CHECK_PROVISIONAL] = {"snp.provisional_firmware", "the running firmware is committed", 0, ATTESTD_STRICT, ATTESTD_HARDWARE, 2, 32,
                               96, "AMD 56860, SNP_COMMIT", provisional_reasons},
    [SNP_CHECK_TCB_FLOOR] = {"snp.tcb_floor", "REPORTED_TCB is at or above the floor of the policy", 0, ATTESTD_STRICT, ATTESTD_HARDWARE, 2,
                             32, 96, "AMD 56860, TCB_VERSION", tcb_floor_reasons},
    [SNP_CHECK_COMMITTED_TCB_FLOOR] = {"snp.committed_tcb_floor", "COMMITTED_TCB is at or above the floor of the policy", 0, ATTESTD_STRICT,
                                       ATTESTD_HARDWARE, 2, 32, 96, "AMD 56860, TCB_VERSION", committed_tcb_floor_reasons},
    [SNP_CHECK_LAUNCH_TCB_FLOOR] = {"snp.launch_tcb_floor", "LAUNCH_TCB is at or above the floor of the policy", 0, ATTESTD_STRICT,
                                    ATTESTD_HARDWARE, 2, 32, 96, "AMD 56860, TCB_VERSION", launch_tcb_floor_reasons},
    [SNP_CHECK_CURRENT_TCB_FLOOR] = {"snp.current_tcb_floor", "CURRENT_TCB is at or above the floor of the policy", 0, ATTESTD_STRICT,
                                     ATTESTD_HARDWARE, 2, 32, 96, "AMD 56860, TCB_VERSION", current_tcb_floor_reasons},
    [SNP_CHECK_FIRMWARE] = {"snp.firmware", "the running SEV firmware is at least the version of the policy", 0, ATTESTD_STRICT,
                            ATTESTD_HARDWARE, 2, 32, 96, "AMD 56860, ATTESTATION_REPORT", firmware_reasons},
    [SNP_CHECK_COMMITTED_FIRMWARE] = {"snp.committed_firmware", "the committed SEV firmware is at least the version of the policy", 0,
                                      ATTESTD_STRICT, ATTESTD_HARDWARE, 2, 32, 96, "AMD 56860, ATTESTATION_REPORT",
                                      committed_firmware_reasons},
    [SNP_CHECK_LAUNCH_MITIGATIONS] = {"snp.launch_mitigations",
                                      "the mitigations that policy asks for were in force when the guest was launched", 0, ATTESTD_STRICT,
                                      ATTESTD_HARDWARE, 2, 32, 96, "AMD 56860, ATTESTATION_REPORT", launch_mitigations_reasons},
    [SNP_CHECK_CURRENT_MITIGATIONS] = {"snp.current_mitigations",
                                       "the mitigations that policy asks for were in force when the report was made", 0, ATTESTD_STRICT,
                                       ATTESTD_HARDWARE, 2, 32, 96, "AMD 56860, ATTESTATION_REPORT", current_mitigations_reasons},
    [SNP_CHECK_PLATFORM_SMT] = {"snp.platform_smt", "the state of SMT on the platform is the one that policy asks for", 0, ATTESTD_STRICT,
                                ATTESTD_CONFIGURATION, 3, 32, 96, "AMD 56860, PLATFORM_INFO", platform_smt_reasons},
    [SNP_CHECK_PLATFORM_TSME] = {"snp.platform_tsme",
                                 "the state of transparent memory encryption on the platform is the one that policy asks for", 0,
                                 ATTESTD_STRICT, ATTESTD_CONFIGURATION, 3, 32, 96, "AMD 56860, PLATFORM_INFO", platform_tsme_reasons},
    [SNP_CHECK_PLATFORM_ECC] = {"snp.platform_ecc", "the state of ECC memory on the platform is the one that policy asks for", 0,
                                ATTESTD_STRICT, ATTESTD_CONFIGURATION, 3, 32, 96, "AMD 56860, PLATFORM_INFO", platform_ecc_reasons},
    [SNP_CHECK_PLATFORM_RAPL] = {"snp.platform_rapl", "the state of disabling of RAPL on the platform is the one that policy asks for", 0,
                                 ATTESTD_STRICT, ATTESTD_CONFIGURATION, 3, 32, 96, "AMD 56860, PLATFORM_INFO", platform_rapl_reasons},
    [SNP_CHECK_PLATFORM_CIPHERTEXT_HIDING] = {"snp.platform_ciphertext_hiding",
                                              "the state of hiding of ciphertext in DRAM on the platform is the one that policy asks for",
                                              0, ATTESTD_STRICT, ATTESTD_CONFIGURATION, 3, 32, 96, "AMD 56860, PLATFORM_INFO",
                                              platform_ciphertext_hiding_reasons},
    [SNP_CHECK_PLATFORM_ALIAS_CHECK] = {"snp.platform_alias_check",
                                        "the state of the memory alias check on the platform is the one that policy asks for", 0,
                                        ATTESTD_STRICT, ATTESTD_CONFIGURATION, 3, 32, 96, "AMD 56860, PLATFORM_INFO",
                                        platform_alias_check_reasons},
    [SNP_CHECK_PLATFORM_IOMMU_WRITE_SAFE] = {"snp.platform_iommu_write_safe",
                                             "the state of IOMMU write safety on the platform is the one that policy asks for", 0,
                                             ATTESTD_STRICT, ATTESTD_CONFIGURATION, 3, 32, 96, "AMD 56860, PLATFORM_INFO",
                                             platform_iommu_write_safe_reasons},
    [SNP_CHECK_PLATFORM_TIO] = {"snp.platform_tio", "the state of SEV-TIO on the platform is the one that policy asks for", 0,
                                ATTESTD_STRICT, ATTESTD_CONFIGURATION, 3, 32, 96, "AMD 56860, PLATFORM_INFO", platform_tio_reasons},
    [SNP_CHECK_ID_BLOCK] = {"snp.id_block", "the guest was launched with an ID block", 0, ATTESTD_STRICT, ATTESTD_EXECUTABLES, 0, 33, 96,
                            "AMD 56860, ID_BLOCK", id_block_reasons},
    [SNP_CHECK_AUTHOR_KEY] = {"snp.author_key", "the ID key is certified by an author key", 0, ATTESTD_STRICT, ATTESTD_EXECUTABLES, 0, 33,
                              96, "AMD 56860, ID_AUTH", author_key_reasons},
    [SNP_CHECK_GUEST_SVN] = {"snp.guest_svn", "the guest's security version is at least that of the policy", 0, ATTESTD_STRICT,
                             ATTESTD_EXECUTABLES, 0, 33, 96, "AMD 56860, ID_BLOCK", guest_svn_reasons},
    [SNP_CHECK_MEASUREMENT] = {"snp.measurement", "the launch measurement is one that policy lists", 0, ATTESTD_STRICT, ATTESTD_EXECUTABLES,
                               3, 33, 96, "AMD 56860, ATTESTATION_REPORT", measurement_reasons},
    [SNP_CHECK_HOST_DATA] = {"snp.host_data", "the HOST_DATA is one that policy lists", 0, ATTESTD_STRICT, ATTESTD_CONFIGURATION, 3, 32, 96,
                             "AMD 56860, ATTESTATION_REPORT", host_data_reasons},
    [SNP_CHECK_ID_KEY_DIGEST] = {"snp.id_key_digest", "the digest of the ID key is one that policy lists", 0, ATTESTD_STRICT,
                                 ATTESTD_EXECUTABLES, 3, 33, 96, "AMD 56860, ATTESTATION_REPORT", id_key_digest_reasons},
    [SNP_CHECK_AUTHOR_KEY_DIGEST] = {"snp.author_key_digest", "the digest of the author key is one that policy lists", 0, ATTESTD_STRICT,
                                     ATTESTD_EXECUTABLES, 3, 33, 96, "AMD 56860, ATTESTATION_REPORT", author_key_digest_reasons},
    [SNP_CHECK_REPORT_ID] = {"snp.report_id", "the REPORT_ID is one that policy lists", 0, ATTESTD_STRICT, ATTESTD_INSTANCE_IDENTITY, 2, 32,
                             97, "AMD 56860, ATTESTATION_REPORT", report_id_reasons},
    [SNP_CHECK_FAMILY_ID] = {"snp.family_id", "the FAMILY_ID is one that policy lists", 0, ATTESTD_STRICT, ATTESTD_CONFIGURATION, 3, 32, 96,
                             "AMD 56860, ATTESTATION_REPORT", family_id_reasons},
    [SNP_CHECK_IMAGE_ID] = {"snp.image_id", "the IMAGE_ID is one that policy lists", 0, ATTESTD_STRICT, ATTESTD_CONFIGURATION, 3, 32, 96,
                            "AMD 56860, ATTESTATION_REPORT", image_id_reasons},
    [SNP_CHECK_CHIP_ID] = {"snp.chip_id", "the chip is one that policy lists", 0, ATTESTD_STRICT, ATTESTD_INSTANCE_IDENTITY, 2, 32, 97,
                           "AMD 56860, ATTESTATION_REPORT", chip_id_reasons},
};

const struct attestd_check *const snp_check_list[SNP_CHECK_COUNT + 1] = {
    &snp_checks[SNP_CHECK_RESERVED],
    &snp_checks[SNP_CHECK_SIGNATURE_ALGORITHM],
    &snp_checks[SNP_CHECK_SIGNING_KEY],
    &snp_checks[SNP_CHECK_REQUESTER],
    &snp_checks[SNP_CHECK_PRODUCT],
    &snp_checks[SNP_CHECK_VEK],
    &snp_checks[SNP_CHECK_CHAIN],
    &snp_checks[SNP_CHECK_ANCHOR],
    &snp_checks[SNP_CHECK_VALIDITY],
    &snp_checks[SNP_CHECK_KEY_KIND],
    &snp_checks[SNP_CHECK_CERTIFICATE_PRODUCT],
    &snp_checks[SNP_CHECK_HWID],
    &snp_checks[SNP_CHECK_TCB_BINDING],
    &snp_checks[SNP_CHECK_SIGNATURE],
    &snp_checks[SNP_CHECK_NOT_REVOKED],
    &snp_checks[SNP_CHECK_REVOCATION],
    &snp_checks[SNP_CHECK_REPORT_VERSION],
    &snp_checks[SNP_CHECK_PRODUCTS],
    &snp_checks[SNP_CHECK_MASKED_CHIP_ID],
    &snp_checks[SNP_CHECK_DEBUG],
    &snp_checks[SNP_CHECK_MIGRATION_AGENT],
    &snp_checks[SNP_CHECK_SMT],
    &snp_checks[SNP_CHECK_CXL],
    &snp_checks[SNP_CHECK_SINGLE_SOCKET],
    &snp_checks[SNP_CHECK_MEMORY_AES_256_XTS],
    &snp_checks[SNP_CHECK_RAPL],
    &snp_checks[SNP_CHECK_CIPHERTEXT_HIDING],
    &snp_checks[SNP_CHECK_PAGE_SWAP],
    &snp_checks[SNP_CHECK_ABI],
    &snp_checks[SNP_CHECK_VMPL],
    &snp_checks[SNP_CHECK_TCB_ORDER],
    &snp_checks[SNP_CHECK_PROVISIONAL],
    &snp_checks[SNP_CHECK_TCB_FLOOR],
    &snp_checks[SNP_CHECK_COMMITTED_TCB_FLOOR],
    &snp_checks[SNP_CHECK_LAUNCH_TCB_FLOOR],
    &snp_checks[SNP_CHECK_CURRENT_TCB_FLOOR],
    &snp_checks[SNP_CHECK_FIRMWARE],
    &snp_checks[SNP_CHECK_COMMITTED_FIRMWARE],
    &snp_checks[SNP_CHECK_LAUNCH_MITIGATIONS],
    &snp_checks[SNP_CHECK_CURRENT_MITIGATIONS],
    &snp_checks[SNP_CHECK_PLATFORM_SMT],
    &snp_checks[SNP_CHECK_PLATFORM_TSME],
    &snp_checks[SNP_CHECK_PLATFORM_ECC],
    &snp_checks[SNP_CHECK_PLATFORM_RAPL],
    &snp_checks[SNP_CHECK_PLATFORM_CIPHERTEXT_HIDING],
    &snp_checks[SNP_CHECK_PLATFORM_ALIAS_CHECK],
    &snp_checks[SNP_CHECK_PLATFORM_IOMMU_WRITE_SAFE],
    &snp_checks[SNP_CHECK_PLATFORM_TIO],
    &snp_checks[SNP_CHECK_ID_BLOCK],
    &snp_checks[SNP_CHECK_AUTHOR_KEY],
    &snp_checks[SNP_CHECK_GUEST_SVN],
    &snp_checks[SNP_CHECK_MEASUREMENT],
    &snp_checks[SNP_CHECK_HOST_DATA],
    &snp_checks[SNP_CHECK_ID_KEY_DIGEST],
    &snp_checks[SNP_CHECK_AUTHOR_KEY_DIGEST],
    &snp_checks[SNP_CHECK_REPORT_ID],
    &snp_checks[SNP_CHECK_FAMILY_ID],
    &snp_checks[SNP_CHECK_IMAGE_ID],
    &snp_checks[SNP_CHECK_CHIP_ID],
    NULL,
};

const struct attestd_reason snp_malformed[] = {
    {"SNP_REPORT_MISSING", "Send the part `report`: the 1184 bytes that the firmware wrote."},
    {"SNP_REPORT_LENGTH", "A report has 1184 bytes: send what the firmware wrote, without the header of the device's answer, and behind it "
                          "nothing but certificates."},
    {"SNP_REPORT_VERSION", "Versions 2 to 5 of the report are known: update attestd if the firmware is newer than it."},
    {"SNP_PART_UNKNOWN", "Evidence of this type has the parts `report` and `certs`."},
    {"SNP_CERTS_FORMAT", "`certs` is the certificate table of the extended report, or certificates as PEM or DER."},
    {"SNP_CERTS_TOO_LARGE", "`certs` may have 128 KiB: send the certificates of this machine and no others."},
    {"SNP_CERT_TABLE_UNTERMINATED", "A certificate table ends with an entry of zeros: send all of it."},
    {"SNP_CERT_TABLE_TOO_LONG", "A certificate table has at most 32 entries."},
    {"SNP_CERT_TABLE_BOUNDS", "An entry of the certificate table points outside of it: send all of the table, as the host gave it."},
    {"SNP_CERT_TABLE_OVERLAP", "Entries of the certificate table overlap: send it as the host gave it."},
    {"SNP_CERT_TABLE_DUPLICATE", "The certificate table has two entries of one purpose: send it as the host gave it."},
    {NULL, NULL},
};
