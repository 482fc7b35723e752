/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Quotes, PCK chains, TCB info, QE identities and lists of a made-up Intel, in which every fault that a test wants is a field of one
 * struct. Written for the tests of the plugins alone; sdk/simulator/tdx.h mints for everybody else, and this is a second reading of Intel's
 * formats beside it. It shares no layout and no parser with the plugins.
 */
#ifndef TESTS_TDX_MINT_H
#define TESTS_TDX_MINT_H

#include "sdk/simulator/simulator.h"

/* Keys: root, PCK CA, TCB signing, PCK, attestation key. */
struct sim_dcap_vendor;
struct sim_dcap_vendor *sim_dcap_vendor_new(void); /* NULL when libcrypto fails */
void sim_dcap_vendor_free(struct sim_dcap_vendor *);

/* Everything about one quote and what Intel says of its platform. sim_dcap_default() fills a good one. Texts are borrowed. */
struct sim_dcap {
    bool td;          /* a trust domain; else an enclave */
    uint16_t version; /* 3 (enclave), 4, 5 */
    bool td15;        /* TD report 1.5 (version 5) */
    int64_t time;     /* "now": certificates begin a year before it, lists a day before it */

    /* The header and body. */
    uint32_t header_word;
    uint8_t qe_vendor_id[16], report_data[64];
    uint8_t tee_tcb_svn[16], tee_tcb_svn2[16], mrsignerseam[48], seam_attributes[8], td_attributes[8], xfam[8], mrservicetd[48];
    uint8_t mrtd[48], rtmr[4][48];
    uint8_t mrenclave[32], mrsigner[32], attributes[16];
    uint16_t prod_id, svn;
    uint8_t body_reserved; /* a reserved byte of an enclave's body */

    /* The quoting enclave. */
    uint8_t qe_mrsigner[32], qe_attributes[16];
    uint32_t qe_miscselect;
    uint16_t qe_prod_id, qe_svn;
    uint16_t certification; /* 5: chain; 3: encrypted PPID */

    /* The PCK certificate. */
    uint16_t components[16], pcesvn;
    uint8_t fmspc[6], pceid[2], ppid[16], piid[16];
    bool processor_ca, no_extension, leaf_is_ca, reversed_chain;
    int64_t pck_not_before, pck_not_after; /* 0: as usual */
    const char *revoke;                    /* "pck", "ca", "signer", or NULL */

    /* TCB info: one level at what the platform has, with these words. level_above: what the platform has not is demanded. */
    const char *status, *module_status, *qe_status; /* "UpToDate" */
    const char *advisory;                           /* of the level, or NULL */
    const char *date;                               /* of the level: "2026-01-01T00:00:00Z" */
    const char *info_id, *identity_id;              /* NULL: the right one */
    uint8_t info_fmspc[6], info_pceid[2];
    bool level_above, module_above, qe_above, module_missing;
    uint8_t module_svn_current; /* the least SVN of the module that is UpToDate; what is below has module_status. 0: no such level */
    uint8_t tdx_current;        /* the same for TDX component 2 of the platform */
    int64_t evaluation_number;
    int64_t info_issue, info_next, identity_issue, identity_next, crl_this, crl_next; /* relative to time, seconds; crl_next 0: none */
    bool info_no_chain, identity_no_chain, info_version_4, identity_version_3;
    int64_t signer_not_before, signer_not_after; /* 0: as usual */
};
void sim_dcap_default(struct sim_dcap *, bool td, int64_t time);

struct sim_bytes sim_dcap_quote(const struct sim_dcap_vendor *, const struct sim_dcap *);
/* Answers as PCS gives them, with the issuer chain of the header as a further member. */
struct sim_bytes sim_dcap_tcb_info(const struct sim_dcap_vendor *, const struct sim_dcap *);
struct sim_bytes sim_dcap_identity(const struct sim_dcap_vendor *, const struct sim_dcap *);
/* DER. */
struct sim_bytes sim_dcap_pck_crl(const struct sim_dcap_vendor *, const struct sim_dcap *);
struct sim_bytes sim_dcap_root_crl(const struct sim_dcap_vendor *, const struct sim_dcap *);
struct sim_bytes sim_dcap_root(const struct sim_dcap_vendor *);          /* valid 2020 to 2048 */
struct sim_bytes sim_dcap_root_reissued(const struct sim_dcap_vendor *); /* another certificate over the same key */
struct sim_bytes sim_dcap_pck_ca(const struct sim_dcap_vendor *, const struct sim_dcap *);
struct sim_bytes sim_dcap_pck(const struct sim_dcap_vendor *, const struct sim_dcap *);

#endif
