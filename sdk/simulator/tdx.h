/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The simulated Intel: roots, PCK certificates, quotes of TDX and SGX, TCB info, enclave identities, revocation lists, and the files of
 * a provisioning certification service. Byte fields are in the order of the quote; times are seconds since 1970. Values are written as
 * they are given: a simulator must be able to lie.
 */
#ifndef ATTESTD_SIMULATOR_TDX_H
#define ATTESTD_SIMULATOR_TDX_H

#include "sdk/simulator/simulator.h"

/* Root CA, PCK Platform CA, PCK Processor CA, TCB Signing, under Intel's subject names. */
struct sim_tdx_vendor;
struct sim_tdx_vendor *sim_tdx_vendor_new(void);
/* Loads from the folder, or makes and saves there (keys 0600). */
struct sim_tdx_vendor *sim_tdx_vendor_open(const char *directory);
void sim_tdx_vendor_free(struct sim_tdx_vendor *);
enum sim_tdx_authority { SIM_TDX_ROOT, SIM_TDX_PLATFORM_CA, SIM_TDX_PROCESSOR_CA, SIM_TDX_TCB_SIGNING, SIM_TDX_AUTHORITIES };
struct sim_bytes sim_tdx_authority(const struct sim_tdx_vendor *, enum sim_tdx_authority); /* DER */
/* "TCB signing" and root, or CA and root, in PEM as Intel's issuer chains are. */
struct sim_bytes sim_tdx_issuer_chain(const struct sim_tdx_vendor *, enum sim_tdx_authority);

struct sim_tdx_enclave { /* REPORT body */
    uint8_t cpusvn[16], ext_prod_id[16], attributes[16], mrenclave[32], mrsigner[32], config_id[64], family_id[16], report_data[64];
    uint32_t miscselect;
    uint16_t prod_id, svn, config_svn;
};

struct sim_tdx_pck {
    uint8_t ppid[16], components[16], cpusvn[16], pceid[2], fmspc[6], platform_instance[16];
    uint16_t pcesvn;
    uint8_t sgx_type;  /* 0 standard, 1 scalable, 2 scalable with integrity */
    uint8_t processor; /* 1: under the Processor CA, whose certificates have no platform instance and configuration */
    uint8_t dynamic_platform, cached_keys, smt;
    uint8_t without; /* bit n: member 1.2.840.113741.1.13.1.n is left out; bit 0: the whole extension */
    int64_t not_before, not_after;
    uint32_t key_seed; /* with PPID, CPUSVN, PCESVN and PCEID what the PCK's key is derived from */
};

struct sim_tdx_guest {
    uint16_t version, key_type; /* 3, 4 or 5; 2: ECDSA P-256 */
    uint8_t sgx;                /* 1: an enclave's quote, 0: a TD's */
    uint32_t tee_type;
    uint16_t header_qe_svn, header_pce_svn; /* of version 3; reserved later */
    uint8_t qe_vendor_id[16], user_data[20];
    uint16_t body_type; /* of version 5: 1 enclave, 2 TD 1.0, 3 TD 1.5 */
    uint32_t body_size; /* what version 5 says of it; 0: the truth */

    uint8_t tee_tcb_svn[16], mrseam[48], mrsignerseam[48], seam_attributes[8], td_attributes[8], xfam[8], mrtd[48], mrconfigid[48],
        mrowner[48], mrownerconfig[48], rtmr[4][48], report_data[64];
    uint8_t tee_tcb_svn2[16], mrservicetd[48]; /* TD 1.5 */
    struct sim_tdx_enclave enclave;            /* of an SGX quote; its report data are report_data above */

    struct sim_tdx_enclave qe; /* its report data are made, unless qe_report_data_given */
    uint8_t qe_report_data_given;
    uint8_t qe_auth[64];
    uint16_t qe_auth_len;
    uint16_t outer_type;         /* of versions 4 and 5: 6 */
    uint16_t certification_type; /* 1 plain PPID, 2 and 3 encrypted PPID, 4 PCK leaf, 5 PCK chain */
    uint8_t certification_nul;   /* 1: a NUL ends the PEM */
    uint8_t root_first;          /* the chain in the wrong order */
    uint32_t padding;            /* zero bytes behind the quote */
    uint32_t key_seed;           /* of the attestation key, with user_data */
};

enum { SIM_TDX_LEVELS = 4, SIM_TDX_WORD = 48, SIM_TDX_ADVISORIES = 128 };
struct sim_tdx_level {
    uint8_t sgx[16], tdx[16]; /* of platforms */
    uint16_t pcesvn;
    uint16_t isvsvn; /* of modules and enclaves */
    int64_t date;
    char status[SIM_TDX_WORD];
    char advisories[SIM_TDX_ADVISORIES]; /* separated by commas; "": none */
};
struct sim_tdx_levels {
    uint32_t count;
    struct sim_tdx_level items[SIM_TDX_LEVELS];
};

struct sim_tdx_tcb_info {
    char id[8]; /* "TDX" or "SGX" */
    uint32_t version, evaluation_number, tcb_type;
    int64_t issue_date, next_update;
    uint8_t fmspc[6], pceid[2];
    uint8_t module_mrsigner[48], module_attributes[8], module_mask[8]; /* of tdxModule and of the identity */
    uint8_t module_major;                                              /* the identity is "TDX_%02X"; 0: none */
    struct sim_tdx_levels levels, module_levels;
};

struct sim_tdx_identity {
    char id[8]; /* "TD_QE", "QE", "QVE" */
    uint32_t version, evaluation_number;
    int64_t issue_date, next_update;
    uint32_t miscselect, miscselect_mask;
    uint8_t attributes[16], attributes_mask[16], mrsigner[32];
    uint16_t prod_id;
    struct sim_tdx_levels levels;
};

struct sim_tdx_crl {
    int64_t this_update, next_update;
    uint32_t number;
};

/* A guest, its platform, and all that Intel says of it. A fault changes any of these. */
struct sim_tdx_scene {
    struct sim_tdx_guest guest;
    struct sim_tdx_pck pck;
    struct sim_tdx_tcb_info tcb_info;
    struct sim_tdx_identity identity;
    struct sim_tdx_crl pck_crl, root_crl;
    uint8_t revoke_pck, revoke_ca; /* in the list of the PCK's CA; both PCK CAs in the root's list */
    uint8_t revoke_signing;        /* the TCB signing certificate in the root's list */
    uint8_t crl_of_other_ca;       /* the PCK list is the other CA's */
    uint8_t flip_quote, flip_qe;   /* XORed into the first byte of the signature after signing */
    uint8_t flip_key;              /* into the attestation key after all is signed */
    uint8_t flip_tcb_info, flip_identity;
    uint8_t foreign_pck_key;     /* the QE report is signed by another key than the certificate's */
    uint8_t foreign_root;        /* everything by a look-alike vendor */
    uint8_t truncate;            /* bytes missing at the end of the quote */
    uint8_t junk;                /* bytes 0xa5 behind it */
    int8_t signature_len_change; /* added to the length of the signature data */
};

/* A good, up-to-date scene of today. version 3 is SGX whatever sgx says; body_type follows version (5: TD 1.5) and sgx. */
void sim_tdx_scene_default(struct sim_tdx_scene *, unsigned version, bool sgx);
/*
 * Intel's words; NULL leaves one as it is. The guest's level gets the word, and a level above it is up to date (where the word itself is
 * not UpToDate). "NotSupported": every level lies above the guest. "TDRelaunchAdvised" and "TDRelaunchAdvisedConfigurationNeeded", of
 * the platform of a TD 1.5: launched out of date, current now. False: no such word.
 */
bool sim_tdx_set_status(struct sim_tdx_scene *, const char *platform, const char *module, const char *qe);

/* Each with the scene's vendor: the one given, or for foreign_root the one the caller made for it. */
struct sim_bytes sim_tdx_quote(const struct sim_tdx_vendor *, const struct sim_tdx_scene *);
struct sim_bytes sim_tdx_pck_certificate(const struct sim_tdx_vendor *, const struct sim_tdx_scene *); /* DER */
struct sim_bytes sim_tdx_pck_chain(const struct sim_tdx_vendor *, const struct sim_tdx_scene *);       /* PEM, no NUL */
struct sim_bytes sim_tdx_pck_crl(const struct sim_tdx_vendor *, const struct sim_tdx_scene *);         /* DER */
struct sim_bytes sim_tdx_root_crl(const struct sim_tdx_vendor *, const struct sim_tdx_scene *);        /* DER */
/* PCS answers: the object, then its signature over the object's bytes. */
struct sim_bytes sim_tdx_tcb_info(const struct sim_tdx_vendor *, const struct sim_tdx_scene *);
struct sim_bytes sim_tdx_identity(const struct sim_tdx_vendor *, const struct sim_tdx_scene *);
struct sim_bytes sim_tdx_evaluation_numbers(const struct sim_tdx_vendor *, const struct sim_tdx_scene *);
/* All of them in one JSON object, as tools of the field keep a set of collateral: lists in hex, the signed texts as strings. */
struct sim_bytes sim_tdx_bundle(const struct sim_tdx_vendor *, const struct sim_tdx_scene *);
/*
 * The files of PCS and a PCCS below a folder, and beside them nginx.conf: locations with the headers (percent-encoded issuer chains), for
 * a server block that does `include`. early may be NULL: what `update=early` gets instead of scene's TCB info. False when something could
 * not be written.
 */
bool sim_tdx_write_pcs(const struct sim_tdx_vendor *, const struct sim_tdx_scene *, const struct sim_tdx_scene *early,
                       const char *directory);

#endif
