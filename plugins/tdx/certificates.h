/* SPDX-License-Identifier: Apache-2.0 */
/* What Intel's certificates say (Intel SGX PCK Certificate and Certificate Revocation List Profile Specification). No judgement of
 * authenticity. */
#ifndef TDX_CERTIFICATES_H
#define TDX_CERTIFICATES_H

#include "checks.h"
#include "core/certificate.h"

#define DCAP_KEY_SIZE 192u /* of the key of an endorsement, NUL included */

#define DCAP_CN_PCK "Intel SGX PCK Certificate"
#define DCAP_CN_ROOT "Intel SGX Root CA"
#define DCAP_CN_TCB_SIGNING "Intel SGX TCB Signing"

/* Kinds of endorsements, as the host knows them. */
#define DCAP_KIND_TCB_INFO DCAP_NAME ".tcb_info"
#define DCAP_KIND_QE_IDENTITY DCAP_NAME ".qe_identity"
#define DCAP_KIND_PCK_CRL DCAP_NAME ".pck_crl"
#define DCAP_KIND_ROOT_CRL DCAP_NAME ".root_crl"
#define DCAP_KIND_PCK DCAP_NAME ".pck"
#define DCAP_KIND_PCK_CA DCAP_NAME ".pck_ca"
#define DCAP_KIND_TCB_SIGNING DCAP_NAME ".tcb_signing"
#define DCAP_KIND_ROOT_CA DCAP_NAME ".root_ca"

/* The SGX extension of a PCK certificate. Plain data. */
struct dcap_pck {
    uint8_t ppid[16], cpusvn[16], fmspc[6], pceid[2];
    uint16_t components[16], pcesvn;
    uint8_t sgx_type; /* 0 standard, 1 scalable, 2 scalable with integrity */
    bool of_platform_ca;
    bool has_piid, has_configuration; /* of platforms alone */
    uint8_t piid[16];
    bool dynamic_platform, cached_keys, smt_enabled;
};

/* False when the extension is missing or malformed, or when the names are not those of a PCK certificate. */
bool dcap_pck_read(const struct attestd_certificate *certificate, struct dcap_pck *pck);

/* "platform" or "processor" for the name of a PCK CA; NULL for any other. */
const char *dcap_ca_key(const char *common_name);

#endif
