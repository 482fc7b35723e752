/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Quotes of Intel DCAP: bytes to struct, and nothing else (Intel TDX DCAP Quoting Library API, appendix A; Intel SGX ECDSA Quote Library
 * API, appendix A). All numbers are little-endian but keys and signatures, which are big-endian. Everything is borrowed from the bytes.
 */
#ifndef TDX_LAYOUT_H
#define TDX_LAYOUT_H

#include "checks.h"
#include <stdbool.h>

#define DCAP_ENCLAVE_SIZE 384u
#define DCAP_TD_10_SIZE 584u
#define DCAP_TD_15_SIZE 648u
#define DCAP_QUOTE_MAX 65536u /* bytes, padding included */

enum dcap_tee { DCAP_TEE_SGX = 0, DCAP_TEE_TDX = 0x81 };

/* REPORT body of an enclave, with the fields of Key Separation and Sharing (Intel SDM 3D, table 38-21). */
struct dcap_enclave {
    const uint8_t *cpusvn;                  /* 16 */
    const uint8_t *attributes;              /* 16: flags, then XFRM */
    const uint8_t *mrenclave;               /* 32 */
    const uint8_t *mrsigner;                /* 32 */
    const uint8_t *config_id;               /* 64 */
    const uint8_t *ext_prod_id, *family_id; /* 16 each */
    const uint8_t *report_data;             /* 64 */
    uint32_t miscselect;
    uint16_t prod_id, svn, config_svn;
    bool reserved_zero;
};

/* TD report body 1.0, and what 1.5 adds (Intel TDX module ABI specification, TDREPORT_STRUCT). */
struct dcap_td {
    const uint8_t *tee_tcb_svn;                                 /* 16 */
    const uint8_t *mrseam, *mrsignerseam;                       /* 48 each */
    const uint8_t *seam_attributes, *td_attributes, *xfam;      /* 8 each */
    const uint8_t *mrtd, *mrconfigid, *mrowner, *mrownerconfig; /* 48 each */
    const uint8_t *rtmr[4];                                     /* 48 each */
    const uint8_t *report_data;                                 /* 64 */
    const uint8_t *tee_tcb_svn2;                                /* 16; NULL in 1.0 */
    const uint8_t *mrservicetd;                                 /* 48; NULL in 1.0 */
};

/* What the certification data of a quote holds. */
enum dcap_certification {
    DCAP_PPID_PLAIN = 1,
    DCAP_PPID_RSA_2048 = 2,
    DCAP_PPID_RSA_3072 = 3,
    DCAP_PCK_LEAF = 4,
    DCAP_PCK_CHAIN = 5,
    DCAP_QE_CERTIFICATION = 6 /* the outer one of versions 4 and 5 */
};

struct dcap_quote {
    uint16_t version, key_type;
    uint32_t tee;
    uint32_t header_word;        /* bytes 8 to 11: QE SVN and PCE SVN in version 3, else reserved */
    const uint8_t *qe_vendor_id; /* 16 */
    const uint8_t *user_data;    /* 20; the first 16 identify the QE of this machine */
    struct dcap_td td;           /* when tee is TDX */
    struct dcap_enclave enclave; /* when tee is SGX */
    struct attestd_bytes signed_bytes;
    const uint8_t *signature;       /* 64: r, s */
    const uint8_t *attestation_key; /* 64: x, y */
    const uint8_t *qe_report;       /* 384 bytes as signed */
    struct dcap_enclave qe;
    const uint8_t *qe_signature; /* 64: r, s */
    struct attestd_bytes qe_auth;
    uint16_t certification_type; /* enum dcap_certification: 1 to 5 */
    struct attestd_bytes certification;
    size_t len, padding; /* of the quote; zero bytes behind it */
};

/* NULL, or the code of what is wrong and where. Zero bytes behind the quote are its buffer's and are counted; others are refused. */
const char *dcap_quote_read(const uint8_t *bytes, size_t len, struct dcap_quote *quote, size_t *at);
/* The TEE and the vendor of the QE that the first bytes name; false when they begin no quote. */
bool dcap_quote_begins(const uint8_t *bytes, size_t len, uint32_t *tee, bool *of_intel);

/* What certification data of types 1 to 3 names a PCK by. False when the length is not that of the type. */
struct dcap_ppid {
    struct attestd_bytes ppid; /* plain or encrypted */
    const uint8_t *cpusvn;     /* 16 */
    uint16_t pcesvn, pceid;
};
bool dcap_ppid_read(const struct dcap_quote *quote, struct dcap_ppid *ppid);

#endif
