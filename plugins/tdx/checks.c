/* SPDX-License-Identifier: Apache-2.0 */
#include "checks.h"

#include <stddef.h>

/* AR4SI values: draft-ietf-rats-ar4si, section 2.3. A signature or chain that fails makes every claim 99, which is core's doing. */
/* clang-format off */
#define REASON(name, remedy) {CODE(name), remedy}
#define REASONS(...) (const struct attestd_reason[]){__VA_ARGS__, {NULL, NULL}}
#ifdef DCAP_SGX
#define RELAUNCH_REASONS
#else
#define RELAUNCH_REASONS \
    REASON("TCB_RELAUNCH_ADVISED", "The host was updated while the guest ran: launch the guest anew, so that its measurements are made by the new module."), \
    REASON("TCB_RELAUNCH_ADVISED_CONFIGURATION_NEEDED", "The host was updated while the guest ran and needs a change of configuration: then launch the guest anew."),
#endif
/* clang-format on */

const struct attestd_check dcap_checks[DCAP_CHECK_COUNT] = {
    [DCAP_CHECK_QE_VENDOR] =
        {DCAP_NAME ".qe_vendor", "the quoting enclave is Intel's", 1, ATTESTD_STRICT, ATTESTD_HARDWARE, 2, 32, 96,
         "Intel TDX DCAP quoting library API, appendix A",
         REASONS(REASON("QE_VENDOR",
                        "The quote names another vendor of its quoting enclave than Intel: take it with Intel's quoting enclave."))},
    [DCAP_CHECK_RESERVED] =
        {DCAP_NAME ".reserved", "reserved bytes of the quote are zero", 1, ATTESTD_STRICT, ATTESTD_HARDWARE, 2, 32, 96,
         "Intel TDX DCAP quoting library API, appendix A",
         REASONS(
             REASON("HEADER_RESERVED_BYTES",
                    "Reserved bytes of the header are set: send the quote as it was written, or update attestd if it is newer than it."),
             REASON("BODY_RESERVED_BYTES", "Reserved bytes of an enclave report are set: send the quote as it was written, or update "
                                           "attestd if it is newer than it."))},
    [DCAP_CHECK_ATTESTATION_KEY] = {DCAP_NAME ".attestation_key", "the attestation key is a point of P-256", 1, ATTESTD_STRICT,
                                    ATTESTD_INSTANCE_IDENTITY, 2, 32, 97, "Intel TDX DCAP quoting library API, appendix A",
                                    REASONS(REASON("ATTESTATION_KEY_POINT",
                                                   "The attestation key is no point of the curve: the quote was altered; take it again."))},
    [DCAP_CHECK_PCK] = {DCAP_NAME ".pck", "the PCK certificate of the platform is at hand", 1, ATTESTD_STRICT, ATTESTD_INSTANCE_IDENTITY, 2,
                        32, 97, "Intel PCK certificate profile",
                        REASONS(REASON("PCK_UNAVAILABLE",
                                       "The quote names its PCK certificate by PPID alone: enclose the certificate (`collateral`), let the "
                                       "guest's quote provider embed the chain, or let attestd reach a PCCS that knows this platform."),
                                REASON("PCK_CA_UNAVAILABLE", "CA or root of the PCK certificate is missing: enclose the chain, put it into "
                                                             "an endorsement directory, or let attestd reach Intel's PCS."))},
    [DCAP_CHECK_PCK_CHAIN] =
        {DCAP_NAME ".pck_chain", "the PCK certificate is signed by way of a PCK CA", 1, ATTESTD_STRICT, ATTESTD_INSTANCE_IDENTITY, 2, 32,
         97, "Intel PCK certificate profile",
         REASONS(
             REASON("PCK_CHAIN_FORMAT", "The certification data must be exactly three certificates in PEM: have the quote provider embed "
                                        "the chain as Intel's does."),
             REASON("PCK_CERTIFICATE_MALFORMED", "A certificate of the chain does not parse: take the quote again."),
             REASON("PCK_CHAIN_ORDER",
                    "The chain must be PCK certificate, PCK CA and root, in this order: have the quote provider embed it as Intel's does."),
             REASON("PCK_SIGNATURE", "The PCK certificate is not signed by the CA beside it: take the quote again."),
             REASON("PCK_CA_SIGNATURE", "The PCK CA is not signed by the root beside it: take the quote again."),
             REASON("PCK_CHAIN_NOT_CA", "A certificate of the chain is used as what it is not (CA or leaf): take the quote again."),
             REASON("PCK_EXTENSION", "The SGX extension of the PCK certificate is missing or malformed, or its names are not Intel's: "
                                     "fetch the certificate again."))},
    [DCAP_CHECK_ANCHOR] =
        {DCAP_NAME ".anchor", "the root of the chain is a pinned one", 1, ATTESTD_STRICT, ATTESTD_INSTANCE_IDENTITY, 2, 32, 97,
         "docs/evidence/tdx.md",
         REASONS(
             REASON(
                 "ANCHOR_UNKNOWN",
                 "The root is not the pinned Intel SGX Root CA: this chain was not made by Intel; an own root is "
                 "added with a purpose in the configuration, or with `attestctl appraise --anchor`."),
             REASON(
                 "ANCHOR_REISSUED",
                 "The root is another certificate over a pinned key: if Intel published it, add its pin to trust-anchors/intel.yaml."))},
    [DCAP_CHECK_VALIDITY] =
        {DCAP_NAME ".validity", "the certificates of the chain are valid at the time of verification", 1, ATTESTD_STRICT,
         ATTESTD_INSTANCE_IDENTITY, 2, 32, 97, "RFC 5280, section 6",
         REASONS(REASON("CERTIFICATE_EXPIRED", "A certificate of the chain has expired: have the platform provisioned anew."),
                 REASON("CERTIFICATE_NOT_YET_VALID",
                        "A certificate of the chain is not valid yet: check the clock of this machine, or the time given with --at."))},
    [DCAP_CHECK_QE_REPORT_SIGNATURE] =
        {DCAP_NAME ".qe_report_signature", "the report of the quoting enclave is signed by the PCK", 1, ATTESTD_STRICT,
         ATTESTD_INSTANCE_IDENTITY, 2, 32, 97, "Intel TDX DCAP quoting library API, appendix A",
         REASONS(REASON("QE_REPORT_SIGNATURE",
                        "The QE report was altered, or another platform's PCK chain stands beside it: take the quote again."))},
    [DCAP_CHECK_QE_BINDING] = {DCAP_NAME ".qe_binding", "the quoting enclave vouches for the attestation key", 1, ATTESTD_STRICT,
                               ATTESTD_INSTANCE_IDENTITY, 2, 32, 97, "Intel TDX DCAP quoting library API, appendix A",
                               REASONS(REASON("QE_BINDING", "REPORT_DATA of the QE report is not the digest of attestation key and "
                                                            "authentication data: the quote was put together from parts; take it again."))},
    [DCAP_CHECK_SIGNATURE] = {DCAP_NAME ".signature", "the quote is signed by the attestation key", 1, ATTESTD_STRICT,
                              ATTESTD_INSTANCE_IDENTITY, 2, 32, 97, "Intel TDX DCAP quoting library API, appendix A",
                              REASONS(REASON("SIGNATURE_INVALID", "The quote was altered after it was signed: take it again."))},
    [DCAP_CHECK_NOT_REVOKED] =
        {DCAP_NAME ".not_revoked", "no certificate of the platform is revoked", 1, ATTESTD_STRICT, ATTESTD_INSTANCE_IDENTITY, 2, 32, 97,
         "RFC 5280, section 6",
         REASONS(REASON("PCK_REVOKED", "Intel revoked this PCK certificate: the platform must not be trusted; have it provisioned anew."),
                 REASON("PCK_CA_REVOKED", "Intel revoked the CA of this PCK certificate: have the platform provisioned anew."),
                 REASON("TCB_SIGNING_REVOKED", "Intel revoked the certificate that signed TCB info or QE identity: fetch them anew."))},
    [DCAP_CHECK_TCB_INFO] =
        {DCAP_NAME ".tcb_info", "Intel's TCB info of this platform is at hand, authentic and in force", 1, ATTESTD_STRICT, ATTESTD_HARDWARE,
         2, 32, 96, "Intel PCS API 4",
         REASONS(
             REASON(
                 "TCB_INFO_UNAVAILABLE",
                 "Let attestd reach Intel's PCS or a PCCS, or put the TCB info of this FMSPC into an endorsement directory."),
             REASON("TCB_INFO_FORMAT", "The document does not parse as TCB info of version 3: fetch it anew from PCS API 4."),
             REASON(
                 "TCB_INFO_SIGNER", "No certificate `Intel SGX TCB Signing` of the same root is beside the TCB info: keep the issuer "
                                    "chain of the answer with it."),
             REASON(
                 "TCB_INFO_SIGNATURE",
                 "The TCB info is not signed as it stands: keep the bytes of the answer; they must not be written anew."),
             REASON("TCB_INFO_TEE", "This TCB info is of the other technology (SGX, TDX): fetch the one of this type."),
             REASON("TCB_INFO_FMSPC", "This TCB info is of another FMSPC: fetch the one of this platform."),
             REASON("TCB_INFO_PCEID", "This TCB info is of another PCE: fetch the one of this platform."),
             REASON(
                 "TCB_INFO_SIGNER_VALIDITY",
                 "The certificate that signed the TCB info is not valid at the time of verification: fetch it anew."),
             REASON(
                 "TCB_INFO_FUTURE",
                 "The TCB info was issued after the time of verification: check the clock of this machine, or the time given with --at."),
             REASON("TCB_INFO_EXPIRED",
                    "The TCB info has passed its nextUpdate: fetch it anew, or allow its age with collateral.stale_for."))},
    [DCAP_CHECK_QE_IDENTITY] =
        {DCAP_NAME ".qe_identity", "Intel's identity of the quoting enclave is at hand, authentic and in force", 1, ATTESTD_STRICT,
         ATTESTD_HARDWARE, 2, 32, 96, "Intel PCS API 4",
         REASONS(
             REASON(
                 "QE_IDENTITY_UNAVAILABLE",
                 "Let attestd reach Intel's PCS or a PCCS, or put the QE identity into an endorsement directory."),
             REASON("QE_IDENTITY_FORMAT", "The document does not parse as an enclave identity of version 2: fetch it anew from PCS API 4."),
             REASON(
                 "QE_IDENTITY_SIGNER", "No certificate `Intel SGX TCB Signing` of the same root is beside the identity: keep the issuer "
                                       "chain of the answer with it."),
             REASON(
                 "QE_IDENTITY_SIGNATURE",
                 "The identity is not signed as it stands: keep the bytes of the answer; they must not be written anew."),
             REASON("QE_IDENTITY_ID", "This identity is of another enclave: TDX quotes need TD_QE, SGX quotes QE."),
             REASON(
                 "QE_IDENTITY_SIGNER_VALIDITY",
                 "The certificate that signed the identity is not valid at the time of verification: fetch it anew."),
             REASON(
                 "QE_IDENTITY_FUTURE",
                 "The identity was issued after the time of verification: check the clock of this machine, or the time given with --at."),
             REASON("QE_IDENTITY_EXPIRED",
                    "The identity has passed its nextUpdate: fetch it anew, or allow its age with collateral.stale_for."))},
    [DCAP_CHECK_QE] = {DCAP_NAME ".qe", "the quoting enclave is the one that Intel names", 1, ATTESTD_STRICT, ATTESTD_HARDWARE, 2, 32, 96,
                       "Intel PCS API 4",
                       REASONS(REASON("QE_MRSIGNER", "Another party than Intel signed the quoting enclave: take the quote with Intel's."),
                               REASON("QE_PRODUCT", "ISVPRODID is not that of Intel's quoting enclave: take the quote with Intel's."),
                               REASON("QE_MISCSELECT",
                                      "MISCSELECT of the quoting enclave is not as Intel has it: take the quote with Intel's."),
                               REASON("QE_ATTRIBUTES", "The attributes of the quoting enclave are not as Intel has them (a debug "
                                                       "enclave?): take the quote with Intel's production enclave."))},
#ifndef DCAP_SGX
    [DCAP_CHECK_MODULE] =
        {DCAP_NAME ".module", "the TDX module is signed by Intel and known to it", 1, ATTESTD_STRICT, ATTESTD_HARDWARE, 2, 32, 96,
         "Intel PCS API 4",
         REASONS(
             REASON("MODULE_UNKNOWN", "The TCB info knows no TDX module of this major version: fetch a newer TCB info."),
             REASON("MODULE_SIGNER", "MRSIGNERSEAM is not the signer that Intel names: the host runs a module that is not Intel's."),
             REASON(
                 "MODULE_ATTRIBUTES",
                 "The attributes of the TDX module are not as Intel has them (a debug module?): the host must load a production module."))},
#endif
    [DCAP_CHECK_REVOCATION] =
        {DCAP_NAME ".revocation", "the current lists of revoked certificates were looked at", 0, ATTESTD_STRICT, ATTESTD_INSTANCE_IDENTITY,
         2, 32, 97, "RFC 5280, section 6",
         REASONS(REASON("CRL_UNAVAILABLE",
                        "Let attestd reach Intel's PCS or a PCCS, or put the lists of PCK CA and root into an endorsement directory."),
                 REASON("CRL_SIGNATURE",
                        "The list is not signed by the CA that issued the certificate: fetch the right one (platform or processor) anew."),
                 REASON("CRL_FUTURE",
                        "The list is dated after the time of verification: check the clock of this machine, or the time given with --at."),
                 REASON("CRL_NO_NEXT_UPDATE", "The list has no nextUpdate, so nobody can say whether it is fresh: fetch it anew."),
                 REASON("CRL_EXPIRED", "The list has passed its nextUpdate: fetch it anew, or allow its age with collateral.stale_for."))},
    [DCAP_CHECK_PLATFORM_TCB] =
        {DCAP_NAME ".platform.tcb", "the platform's own level is one that policy accepts", 0, ATTESTD_STRICT, ATTESTD_HARDWARE, 2, 32, 96,
         "Intel PCS API 4",
         REASONS(REASON("PLATFORM_OUT_OF_DATE",
                        "Update the BIOS and microcode of the host: `observed` names the components that are short of the newest level."),
                 REASON("PLATFORM_CONFIGURATION_NEEDED", "The host needs a change of configuration: see the advisories of this level."),
                 REASON("PLATFORM_SW_HARDENING_NEEDED",
                        "Software must mitigate the advisories of this level: accept the status in policy once it does."),
                 REASON("PLATFORM_TCB_REVOKED", "Intel revoked this level: the host must be updated before it is trusted again."),
                 REASON("PLATFORM_NOT_SUPPORTED",
                        "No level of the TCB info is at or below this platform: its firmware is older than all that Intel lists."))},
#ifndef DCAP_SGX
    [DCAP_CHECK_MODULE_TCB] =
        {DCAP_NAME ".module.tcb", "the level of the TDX module is one that policy accepts", 0, ATTESTD_STRICT, ATTESTD_HARDWARE, 2, 32, 96,
         "Intel PCS API 4",
         REASONS(REASON("MODULE_OUT_OF_DATE", "Have the host load a newer TDX module: `observed` says what is needed."),
                 REASON("MODULE_TCB_REVOKED", "Intel revoked this version of the TDX module: have the host load a newer one."),
                 REASON("MODULE_NOT_SUPPORTED", "The TDX module is older than all that Intel lists: have the host load a newer one."))},
#endif
    [DCAP_CHECK_QE_TCB] = {DCAP_NAME ".qe_identity.tcb", "the level of the quoting enclave is one that policy accepts", 0, ATTESTD_STRICT,
                           ATTESTD_HARDWARE, 2, 32, 96, "Intel PCS API 4",
                           REASONS(REASON("QE_OUT_OF_DATE", "Have the host update its quoting enclave (DCAP packages)."),
                                   REASON("QE_TCB_REVOKED", "Intel revoked this version of the quoting enclave: have the host update it."),
                                   REASON("QE_NOT_SUPPORTED",
                                          "The quoting enclave is older than all that Intel lists: have the host update it."))},
    [DCAP_CHECK_TCB_STATUS] =
        {DCAP_NAME ".tcb.status", "the TCB status is one that policy accepts", 0, ATTESTD_STRICT, ATTESTD_HARDWARE, 2, 32, 96,
         "Intel PCS API 4",
         REASONS(
             REASON("TCB_SW_HARDENING_NEEDED", "Software must mitigate the advisories: accept the status with tcb.status once it does."),
             REASON("TCB_CONFIGURATION_NEEDED", "The host needs a change of configuration, or policy an entry in tcb.status."),
             REASON(
                 "TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED",
                 "The host needs a change of configuration and software must mitigate the advisories, or policy an entry in tcb.status."),
             REASON("TCB_OUT_OF_DATE", "Update the host; the checks platform, module and QE say which part is short."),
             REASON("TCB_OUT_OF_DATE_CONFIGURATION_NEEDED",
                    "Update the host and change its configuration; the checks platform, module and QE say which part is short."),
             REASON("TCB_REVOKED", "Intel revoked this level: update the host before it is trusted again."),
             RELAUNCH_REASONS REASON(
                 "TCB_NOT_SUPPORTED",
                 "No level of the TCB info is at or below this platform: its firmware is older than all that Intel lists."))},
    [DCAP_CHECK_TCB_TOLERATED] =
        {DCAP_NAME ".tcb.tolerated", "the TCB status is not merely tolerated", 0, ATTESTD_WARN, ATTESTD_HARDWARE, 2, 32, 96,
         "Intel PCS API 4",
         REASONS(REASON("TCB_TOLERATED", "Policy lets this status pass with a warning (tcb.status): update the host before that ends."))},
    [DCAP_CHECK_TCB_DATE] = {DCAP_NAME ".tcb.date", "the TCB date is not before that of the policy", 0, ATTESTD_STRICT, ATTESTD_HARDWARE, 2,
                             32, 96, "Intel PCS API 4",
                             REASONS(REASON("TCB_DATE_BELOW_MINIMUM",
                                            "The level of this platform dates from before tcb.date_at_least: update the host."))},
    [DCAP_CHECK_ADVISORIES] = {DCAP_NAME ".tcb.advisories", "no advisory is open that policy does not accept", 0, ATTESTD_STRICT,
                               ATTESTD_HARDWARE, 2, 32, 96, "Intel PCS API 4",
                               REASONS(REASON("ADVISORY_DENIED",
                                              "An advisory of tcb.advisories.deny is open on this platform: update the host."),
                                       REASON("ADVISORY_NOT_ALLOWED",
                                              "An advisory is open that tcb.advisories.allow does not list: update the host, or add it."))},
    [DCAP_CHECK_EVALUATION_NUMBER] = {DCAP_NAME ".tcb.evaluation_number",
                                      "the evaluation numbers of the collateral are at least that of the policy", 0, ATTESTD_STRICT,
                                      ATTESTD_HARDWARE, 2, 32, 96, "Intel PCS API 4",
                                      REASONS(REASON("EVALUATION_NUMBER_BELOW_MINIMUM",
                                                     "The collateral is of an older TCB recovery than policy asks for: fetch it anew."))},
    [DCAP_CHECK_DEBUG] = {DCAP_NAME ".debug", "the guest is not open to debugging", 0, ATTESTD_STRICT, ATTESTD_CONFIGURATION, 3, 32, 96,
                          "Intel TDX module ABI specification",
                          REASONS(
                              REASON("DEBUG_ENABLED",
                                     "The host can read the memory of a debug guest or enclave: launch it without the debug attribute."))},
    [DCAP_CHECK_ATTRIBUTES] =
        {DCAP_NAME ".attributes", "no reserved attribute is set", 0, ATTESTD_STRICT, ATTESTD_CONFIGURATION, 3, 32, 96,
         "Intel TDX module ABI specification",
         REASONS(REASON("ATTRIBUTES_RESERVED_BITS",
                        "Attribute bits are set that this version reserves: update attestd if the module or processor is newer than it."))},
#ifndef DCAP_SGX
    [DCAP_CHECK_XFAM] = {DCAP_NAME ".xfam", "XFAM enables nothing that is reserved", 0, ATTESTD_STRICT, ATTESTD_CONFIGURATION, 3, 32, 96,
                         "Intel TDX module ABI specification",
                         REASONS(
                             REASON("XFAM_FIXED_BITS", "Bits 0 and 1 of XFAM are always set: take the quote again, unaltered."),
                             REASON("XFAM_RESERVED_BITS",
                                    "XFAM bits are set that this version reserves: update attestd if the processor is newer than it."))},
    [DCAP_CHECK_SEPT_VE_DISABLE] =
        {DCAP_NAME ".sept_ve_disable", "the host cannot inject EPT violations as exceptions", 0, ATTESTD_STRICT, ATTESTD_CONFIGURATION, 3,
         32, 96, "Intel TDX module ABI specification",
         REASONS(REASON("SEPT_VE_ENABLED",
                        "SEPT_VE_DISABLE is clear and attributes.sept_ve_disable demands it: launch the guest with it set."))},
    [DCAP_CHECK_MIGRATABLE] =
        {DCAP_NAME ".migratable", "the guest cannot be migrated", 0, ATTESTD_STRICT, ATTESTD_RUNTIME_OPAQUE, 2, 32, 96,
         "Intel TDX module ABI specification",
         REASONS(REASON(
             "MIGRATABLE",
             "The guest may be moved to another platform: launch it without the attribute, or allow it with attributes.migratable."))},
    [DCAP_CHECK_SERVICE_TD] = {DCAP_NAME ".service_td", "no service TD is bound to the guest", 0, ATTESTD_STRICT, ATTESTD_RUNTIME_OPAQUE, 2,
                               32, 96, "Intel TDX module ABI specification",
                               REASONS(REASON("SERVICE_TD_BOUND", "MRSERVICETD is not zero: a migration TD is bound to the guest; list it "
                                                                  "with mrservicetd, or allow any with attributes.service_td."))},
    [DCAP_CHECK_PERFMON] = {DCAP_NAME ".perfmon", "the guest cannot use performance counters", 0, ATTESTD_STRICT, ATTESTD_CONFIGURATION, 3,
                            32, 96, "Intel TDX module ABI specification",
                            REASONS(REASON("PERFMON_ENABLED",
                                           "PERFMON is set and attributes.perfmon forbids it: launch the guest without it."))},
#endif
#ifdef DCAP_SGX
    [DCAP_CHECK_PRODUCT] = {DCAP_NAME ".isv_prod_id", "the product of the enclave is one that policy lists", 0, ATTESTD_STRICT,
                            ATTESTD_EXECUTABLES, 3, 33, 96, "Intel SDM 3D, REPORT",
                            REASONS(REASON("ISV_PROD_ID_NOT_ALLOWED",
                                           "Run an enclave of a listed product, or add its ISVPRODID to isv_prod_id."))},
    [DCAP_CHECK_SVN] = {DCAP_NAME ".isv_svn", "the security version of the enclave is at least that of the policy", 0, ATTESTD_STRICT,
                        ATTESTD_EXECUTABLES, 3, 33, 96, "Intel SDM 3D, REPORT",
                        REASONS(REASON("ISV_SVN_BELOW_MINIMUM", "The enclave is older than isv_svn.at_least: update it."))},
#endif
#ifndef DCAP_SGX
    [DCAP_CHECK_EVENT_LOG] =
        {DCAP_NAME ".event_log", "the event log reads and is there when policy asks for it", 0, ATTESTD_STRICT, ATTESTD_CONFIGURATION, 3,
         32, 96, "TCG PC Client firmware profile 1.06, section 10",
         REASONS(REASON("EVENT_LOG_FORMAT",
                        "The event log does not read: send the data of the CCEL table, or the guest agent's JSON log, as they are."),
                 REASON("EVENT_LOG_MISSING", "Policy asks for the event log (event_log.required): send it with the quote."))},
    [DCAP_CHECK_REPLAY_0] = {DCAP_NAME ".event_log.rtmr0", "the event log reproduces RTMR0", 0, ATTESTD_STRICT, ATTESTD_CONFIGURATION, 3,
                             32, 96, "Intel TDX virtual firmware design guide, section 8",
                             REASONS(REASON(
                                 "EVENT_LOG_RTMR0_MISMATCH",
                                 "The log does not reproduce the register: it was altered, or events are missing; send all of it."))},
    [DCAP_CHECK_REPLAY_1] = {DCAP_NAME ".event_log.rtmr1", "the event log reproduces RTMR1", 0, ATTESTD_STRICT, ATTESTD_CONFIGURATION, 3,
                             32, 96, "Intel TDX virtual firmware design guide, section 8",
                             REASONS(REASON(
                                 "EVENT_LOG_RTMR1_MISMATCH",
                                 "The log does not reproduce the register: it was altered, or events are missing; send all of it."))},
    [DCAP_CHECK_REPLAY_2] = {DCAP_NAME ".event_log.rtmr2", "the event log reproduces RTMR2", 0, ATTESTD_STRICT, ATTESTD_CONFIGURATION, 3,
                             32, 96, "Intel TDX virtual firmware design guide, section 8",
                             REASONS(REASON(
                                 "EVENT_LOG_RTMR2_MISMATCH",
                                 "The log does not reproduce the register: it was altered, or events are missing; send all of it."))},
    [DCAP_CHECK_REPLAY_3] =
        {DCAP_NAME ".event_log.rtmr3", "the event log reproduces RTMR3", 0, ATTESTD_WARN, ATTESTD_CONFIGURATION, 3, 32, 96,
         "Intel TDX virtual firmware design guide, section 8",
         REASONS(REASON("EVENT_LOG_RTMR3_MISMATCH",
                        "The log does not reproduce the register: it was altered, or events are missing; send all of it."),
                 REASON("EVENT_LOG_RTMR3_UNLOGGED", "The guest extended RTMR3 and sent no log of it: send that log as well."))},
    [DCAP_CHECK_MRTD] = {DCAP_NAME ".mrtd", "the initial contents of the guest are ones that policy lists", 0, ATTESTD_STRICT,
                         ATTESTD_EXECUTABLES, 3, 33, 96, "Intel TDX module ABI specification, TDREPORT_STRUCT",
                         REASONS(REASON("MRTD_NOT_ALLOWED",
                                        "Launch what is listed, or add the value to mrtd of the policy or its reference set."))},
    [DCAP_CHECK_RTMR0] = {DCAP_NAME ".rtmr0", "RTMR0 is one that policy lists", 0, ATTESTD_STRICT, ATTESTD_EXECUTABLES, 3, 33, 96,
                          "Intel TDX module ABI specification, TDREPORT_STRUCT",
                          REASONS(REASON("RTMR0_NOT_ALLOWED",
                                         "Launch what is listed, or add the value to rtmr0 of the policy or its reference set."))},
    [DCAP_CHECK_RTMR1] = {DCAP_NAME ".rtmr1", "RTMR1 is one that policy lists", 0, ATTESTD_STRICT, ATTESTD_EXECUTABLES, 3, 33, 96,
                          "Intel TDX module ABI specification, TDREPORT_STRUCT",
                          REASONS(REASON("RTMR1_NOT_ALLOWED",
                                         "Launch what is listed, or add the value to rtmr1 of the policy or its reference set."))},
    [DCAP_CHECK_RTMR2] = {DCAP_NAME ".rtmr2", "RTMR2 is one that policy lists", 0, ATTESTD_STRICT, ATTESTD_EXECUTABLES, 3, 33, 96,
                          "Intel TDX module ABI specification, TDREPORT_STRUCT",
                          REASONS(REASON("RTMR2_NOT_ALLOWED",
                                         "Launch what is listed, or add the value to rtmr2 of the policy or its reference set."))},
    [DCAP_CHECK_RTMR3] = {DCAP_NAME ".rtmr3", "RTMR3 is one that policy lists", 0, ATTESTD_STRICT, ATTESTD_EXECUTABLES, 3, 33, 96,
                          "Intel TDX module ABI specification, TDREPORT_STRUCT",
                          REASONS(REASON("RTMR3_NOT_ALLOWED",
                                         "Launch what is listed, or add the value to rtmr3 of the policy or its reference set."))},
    [DCAP_CHECK_MRSEAM] = {DCAP_NAME ".mrseam", "the TDX module is one that policy lists", 0, ATTESTD_STRICT, ATTESTD_HARDWARE, 2, 32, 96,
                           "Intel TDX module ABI specification, TDREPORT_STRUCT",
                           REASONS(REASON("MRSEAM_NOT_ALLOWED",
                                          "Launch what is listed, or add the value to mrseam of the policy or its reference set."))},
    [DCAP_CHECK_MRCONFIGID] = {DCAP_NAME ".mrconfigid", "MRCONFIGID is one that policy lists", 0, ATTESTD_STRICT, ATTESTD_CONFIGURATION, 3,
                               32, 96, "Intel TDX module ABI specification, TDREPORT_STRUCT",
                               REASONS(
                                   REASON("MRCONFIGID_NOT_ALLOWED",
                                          "Launch what is listed, or add the value to mrconfigid of the policy or its reference set."))},
    [DCAP_CHECK_MROWNER] = {DCAP_NAME ".mrowner", "MROWNER is one that policy lists", 0, ATTESTD_STRICT, ATTESTD_CONFIGURATION, 3, 32, 96,
                            "Intel TDX module ABI specification, TDREPORT_STRUCT",
                            REASONS(REASON("MROWNER_NOT_ALLOWED",
                                           "Launch what is listed, or add the value to mrowner of the policy or its reference set."))},
    [DCAP_CHECK_MROWNERCONFIG] = {DCAP_NAME ".mrownerconfig", "MROWNERCONFIG is one that policy lists", 0, ATTESTD_STRICT,
                                  ATTESTD_CONFIGURATION, 3, 32, 96, "Intel TDX module ABI specification, TDREPORT_STRUCT",
                                  REASONS(REASON(
                                      "MROWNERCONFIG_NOT_ALLOWED",
                                      "Launch what is listed, or add the value to mrownerconfig of the policy or its reference set."))},
    [DCAP_CHECK_MRSERVICETD] = {DCAP_NAME ".mrservicetd", "MRSERVICETD is one that policy lists", 0, ATTESTD_STRICT, ATTESTD_CONFIGURATION,
                                3, 32, 96, "Intel TDX module ABI specification, TDREPORT_STRUCT",
                                REASONS(
                                    REASON("MRSERVICETD_NOT_ALLOWED",
                                           "Launch what is listed, or add the value to mrservicetd of the policy or its reference set."))},
#endif
#ifdef DCAP_SGX
    [DCAP_CHECK_MRENCLAVE] = {DCAP_NAME ".mrenclave", "the enclave is one that policy lists", 0, ATTESTD_STRICT, ATTESTD_EXECUTABLES, 3, 33,
                              96, "Intel SDM 3D, REPORT",
                              REASONS(REASON("MRENCLAVE_NOT_ALLOWED",
                                             "Run what is listed, or add the value to mrenclave of the policy or its reference set."))},
    [DCAP_CHECK_MRSIGNER] = {DCAP_NAME ".mrsigner", "the signer of the enclave is one that policy lists", 0, ATTESTD_STRICT,
                             ATTESTD_EXECUTABLES, 3, 33, 96, "Intel SDM 3D, REPORT",
                             REASONS(REASON("MRSIGNER_NOT_ALLOWED",
                                            "Run what is listed, or add the value to mrsigner of the policy or its reference set."))},
#endif
    [DCAP_CHECK_FMSPC] = {DCAP_NAME ".fmspc", "the platform's family is one that policy lists", 0, ATTESTD_STRICT,
                          ATTESTD_INSTANCE_IDENTITY, 2, 32, 97, "Intel PCK certificate profile",
                          REASONS(REASON("FMSPC_NOT_ALLOWED", "Use a listed platform, or add its value to fmspc of the policy."))},
    [DCAP_CHECK_PPID] = {DCAP_NAME ".ppid", "the processor is one that policy lists", 0, ATTESTD_STRICT, ATTESTD_INSTANCE_IDENTITY, 2, 32,
                         97, "Intel PCK certificate profile",
                         REASONS(REASON("PPID_NOT_ALLOWED", "Use a listed platform, or add its value to ppid of the policy."))},
    [DCAP_CHECK_PIID] = {DCAP_NAME ".piid", "the platform is one that policy lists", 0, ATTESTD_STRICT, ATTESTD_INSTANCE_IDENTITY, 2, 32,
                         97, "Intel PCK certificate profile",
                         REASONS(REASON("PIID_NOT_ALLOWED", "Use a listed platform, or add its value to piid of the policy."))},
};

const struct attestd_check *const dcap_check_list[DCAP_CHECK_COUNT + 1] = {
    &dcap_checks[DCAP_CHECK_QE_VENDOR],
    &dcap_checks[DCAP_CHECK_RESERVED],
    &dcap_checks[DCAP_CHECK_ATTESTATION_KEY],
    &dcap_checks[DCAP_CHECK_PCK],
    &dcap_checks[DCAP_CHECK_PCK_CHAIN],
    &dcap_checks[DCAP_CHECK_ANCHOR],
    &dcap_checks[DCAP_CHECK_VALIDITY],
    &dcap_checks[DCAP_CHECK_QE_REPORT_SIGNATURE],
    &dcap_checks[DCAP_CHECK_QE_BINDING],
    &dcap_checks[DCAP_CHECK_SIGNATURE],
    &dcap_checks[DCAP_CHECK_NOT_REVOKED],
    &dcap_checks[DCAP_CHECK_TCB_INFO],
    &dcap_checks[DCAP_CHECK_QE_IDENTITY],
    &dcap_checks[DCAP_CHECK_QE],
#ifndef DCAP_SGX
    &dcap_checks[DCAP_CHECK_MODULE],
#endif
    &dcap_checks[DCAP_CHECK_REVOCATION],
    &dcap_checks[DCAP_CHECK_PLATFORM_TCB],
#ifndef DCAP_SGX
    &dcap_checks[DCAP_CHECK_MODULE_TCB],
#endif
    &dcap_checks[DCAP_CHECK_QE_TCB],
    &dcap_checks[DCAP_CHECK_TCB_STATUS],
    &dcap_checks[DCAP_CHECK_TCB_TOLERATED],
    &dcap_checks[DCAP_CHECK_TCB_DATE],
    &dcap_checks[DCAP_CHECK_ADVISORIES],
    &dcap_checks[DCAP_CHECK_EVALUATION_NUMBER],
    &dcap_checks[DCAP_CHECK_DEBUG],
    &dcap_checks[DCAP_CHECK_ATTRIBUTES],
#ifndef DCAP_SGX
    &dcap_checks[DCAP_CHECK_XFAM],
    &dcap_checks[DCAP_CHECK_SEPT_VE_DISABLE],
    &dcap_checks[DCAP_CHECK_MIGRATABLE],
    &dcap_checks[DCAP_CHECK_SERVICE_TD],
    &dcap_checks[DCAP_CHECK_PERFMON],
#endif
#ifdef DCAP_SGX
    &dcap_checks[DCAP_CHECK_PRODUCT],
    &dcap_checks[DCAP_CHECK_SVN],
#endif
#ifndef DCAP_SGX
    &dcap_checks[DCAP_CHECK_EVENT_LOG],
    &dcap_checks[DCAP_CHECK_REPLAY_0],
    &dcap_checks[DCAP_CHECK_REPLAY_1],
    &dcap_checks[DCAP_CHECK_REPLAY_2],
    &dcap_checks[DCAP_CHECK_REPLAY_3],
    &dcap_checks[DCAP_CHECK_MRTD],
    &dcap_checks[DCAP_CHECK_RTMR0],
    &dcap_checks[DCAP_CHECK_RTMR1],
    &dcap_checks[DCAP_CHECK_RTMR2],
    &dcap_checks[DCAP_CHECK_RTMR3],
    &dcap_checks[DCAP_CHECK_MRSEAM],
    &dcap_checks[DCAP_CHECK_MRCONFIGID],
    &dcap_checks[DCAP_CHECK_MROWNER],
    &dcap_checks[DCAP_CHECK_MROWNERCONFIG],
    &dcap_checks[DCAP_CHECK_MRSERVICETD],
#endif
#ifdef DCAP_SGX
    &dcap_checks[DCAP_CHECK_MRENCLAVE],
    &dcap_checks[DCAP_CHECK_MRSIGNER],
#endif
    &dcap_checks[DCAP_CHECK_FMSPC],
    &dcap_checks[DCAP_CHECK_PPID],
    &dcap_checks[DCAP_CHECK_PIID],
    NULL,
};

const struct attestd_reason dcap_malformed[] = {
    REASON("QUOTE_MISSING", "Send the part `quote`: the bytes that the quoting enclave wrote."),
    REASON("PART_UNKNOWN", "Evidence of this type has the parts `quote`, `collateral`, and for TDX `ccel`, `ccel_table` and `event_log`."),
    REASON("QUOTE_TOO_LARGE", "A quote has at most 64 KiB, its buffer included."),
    REASON("QUOTE_TRUNCATED", "The quote ends before its lengths say: send all of it."),
    REASON("QUOTE_VERSION", "Versions 3 to 5 of the quote are known: update attestd if the quoting library is newer than it."),
    REASON("TEE_TYPE", "The quote is of the other technology: send a quote of a trust domain as type tdx, one of an enclave as type sgx."),
    REASON("ATTESTATION_KEY_TYPE", "Attestation keys are ECDSA P-256 (type 2): take the quote with Intel's quoting enclave."),
    REASON("BODY_TYPE", "A version 5 quote names its body: 1 enclave report, 2 TD report 1.0, 3 TD report 1.5; update attestd if the "
                        "quoting library is newer than it."),
    REASON("BODY_TOO_SHORT", "The body is shorter than its type has it: send the quote as it was written."),
    REASON("BODY_TOO_LONG", "The body is longer than its type has it: send the quote as it was written."),
    REASON("SIGNATURE_LENGTH", "The length of the signature data is not what it holds: send the quote as it was written."),
    REASON("CERTIFICATION_OUTER_TYPE", "Quotes of versions 4 and 5 hold certification data of type 6: send the quote as it was written."),
    REASON("CERTIFICATION_LENGTH", "The length of the certification data is not what it holds: send the quote as it was written."),
    REASON("CERTIFICATION_TYPE", "The certification data inside is of types 1 to 5: send the quote as it was written."),
    REASON("CERTIFICATION_SIZE", "The certification data has not the size of its type: send the quote as it was written."),
    REASON("TRAILING_BYTES", "Behind a quote stand only the zeros of its buffer: cut it to its length."),
    REASON("COLLATERAL_TOO_LARGE", "`collateral` may have 1 MiB."),
    {NULL, NULL},
};
