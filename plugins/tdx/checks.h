/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The catalogue: every decision this plugin takes, and every way in which one can fail. Data only.
 *
 * The folder is built twice: as tdx.so for quotes of trust domains, and with DCAP_SGX as sgx.so for quotes of enclaves. Ids, codes and
 * kinds carry the name of the type, so that a policy can speak of each.
 */
#ifndef TDX_CHECKS_H
#define TDX_CHECKS_H

#include <attestd/plugin.h>

#ifdef DCAP_SGX
#define DCAP_NAME "sgx"
#define CODE(name) "SGX_" name
#define DCAP_TEE DCAP_TEE_SGX
#define DCAP_QE "qe" /* key of the identity of the enclave that signs */
#else
#define DCAP_NAME "tdx"
#define CODE(name) "TDX_" name
#define DCAP_TEE DCAP_TEE_TDX
#define DCAP_QE "td_qe"
#endif

/* In the order in which they are recorded. */
enum dcap_check {
    DCAP_CHECK_QE_VENDOR,
    DCAP_CHECK_RESERVED,
    DCAP_CHECK_ATTESTATION_KEY,
    DCAP_CHECK_PCK,
    DCAP_CHECK_PCK_CHAIN,
    DCAP_CHECK_ANCHOR,
    DCAP_CHECK_VALIDITY,
    DCAP_CHECK_QE_REPORT_SIGNATURE,
    DCAP_CHECK_QE_BINDING,
    DCAP_CHECK_SIGNATURE,
    DCAP_CHECK_NOT_REVOKED,
    DCAP_CHECK_TCB_INFO,
    DCAP_CHECK_QE_IDENTITY,
    DCAP_CHECK_QE,
#ifndef DCAP_SGX
    DCAP_CHECK_MODULE,
#endif
    DCAP_CHECK_REVOCATION,
    DCAP_CHECK_PLATFORM_TCB,
#ifndef DCAP_SGX
    DCAP_CHECK_MODULE_TCB,
#endif
    DCAP_CHECK_QE_TCB,
    DCAP_CHECK_TCB_STATUS,
    DCAP_CHECK_TCB_TOLERATED,
    DCAP_CHECK_TCB_DATE,
    DCAP_CHECK_ADVISORIES,
    DCAP_CHECK_EVALUATION_NUMBER,
    DCAP_CHECK_DEBUG,
    DCAP_CHECK_ATTRIBUTES,
#ifndef DCAP_SGX
    DCAP_CHECK_XFAM,
    DCAP_CHECK_SEPT_VE_DISABLE,
    DCAP_CHECK_MIGRATABLE,
    DCAP_CHECK_SERVICE_TD,
    DCAP_CHECK_PERFMON,
#endif
#ifdef DCAP_SGX
    DCAP_CHECK_PRODUCT,
    DCAP_CHECK_SVN,
#endif
#ifndef DCAP_SGX
    DCAP_CHECK_EVENT_LOG,
    DCAP_CHECK_REPLAY_0,
    DCAP_CHECK_REPLAY_1,
    DCAP_CHECK_REPLAY_2,
    DCAP_CHECK_REPLAY_3,
    DCAP_CHECK_MRTD,
    DCAP_CHECK_RTMR0,
    DCAP_CHECK_RTMR1,
    DCAP_CHECK_RTMR2,
    DCAP_CHECK_RTMR3,
    DCAP_CHECK_MRSEAM,
    DCAP_CHECK_MRCONFIGID,
    DCAP_CHECK_MROWNER,
    DCAP_CHECK_MROWNERCONFIG,
    DCAP_CHECK_MRSERVICETD,
#endif
#ifdef DCAP_SGX
    DCAP_CHECK_MRENCLAVE,
    DCAP_CHECK_MRSIGNER,
#endif
    DCAP_CHECK_FMSPC,
    DCAP_CHECK_PPID,
    DCAP_CHECK_PIID,
    DCAP_CHECK_COUNT
};

extern const struct attestd_check dcap_checks[DCAP_CHECK_COUNT];
/* The same, NULL-terminated, as the descriptor wants it. */
extern const struct attestd_check *const dcap_check_list[DCAP_CHECK_COUNT + 1];
/* Codes of bytes that do not parse. */
extern const struct attestd_reason dcap_malformed[];

#endif
