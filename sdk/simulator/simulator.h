/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The simulator: evidence and endorsements in the vendors' real formats, under roots made on this machine. It shares no layout
 * and no parser with the plugins, so that a test compares two readings of the specification.
 */
#ifndef ATTESTD_SIMULATOR_H
#define ATTESTD_SIMULATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes the caller frees with free(). Functions that give bytes give {NULL, 0} when memory or libcrypto fail. */
struct sim_bytes {
    uint8_t *data;
    size_t len;
};

enum sim_snp_product { SIM_SNP_MILAN, SIM_SNP_GENOA, SIM_SNP_ZEN4C, SIM_SNP_TURIN };

/* The keys and certificates of a simulated AMD: ARK, ASK, ASVK of one product. RSA-4096 takes a second or two to make: keep it in a folder.
 */
struct sim_snp_vendor;
struct sim_snp_vendor *sim_snp_vendor_new(enum sim_snp_product product);
/* Loads from the folder, or makes and saves there (keys 0600). */
struct sim_snp_vendor *sim_snp_vendor_open(const char *directory, enum sim_snp_product product);
void sim_snp_vendor_free(struct sim_snp_vendor *);
struct sim_bytes sim_snp_ark(const struct sim_snp_vendor *); /* DER */
struct sim_bytes sim_snp_ask(const struct sim_snp_vendor *);
struct sim_bytes sim_snp_asvk(const struct sim_snp_vendor *);
struct sim_snp_crl {
    int64_t this_update, next_update; /* next_update 0: none */
    uint64_t number;
    bool revoke_ask, revoke_asvk;
};
struct sim_bytes sim_snp_crl(const struct sim_snp_vendor *, const struct sim_snp_crl *);

struct sim_snp_tcb {
    uint8_t fmc, bootloader, tee, snp, microcode;
};

/* Everything about one report and the certificate of its key. sim_snp_guest_default() fills a good one. */
struct sim_snp_guest {
    enum sim_snp_product product;
    uint32_t version, guest_svn, vmpl, signature_algo;
    uint64_t policy, platform_info, launch_mit_vector, current_mit_vector;
    uint32_t key_info; /* AUTHOR_KEY_EN, MASK_CHIP_KEY, SIGNING_KEY bits as in the report */
    uint8_t family_id[16], image_id[16], report_data[64], measurement[48], host_data[32], id_key_digest[48], author_key_digest[48],
        report_id[32], report_id_ma[32], chip_id[64];
    uint8_t family, model, stepping;
    struct sim_snp_tcb current_tcb, reported_tcb, committed_tcb, launch_tcb;
    uint8_t current_version[3], committed_version[3]; /* major, minor, build */
    bool vlek; /* the certificate is a VLEK's; key_info says what the report claims: see sim_snp_guest_vlek() */

    /* The certificate: */
    int64_t not_before, not_after;
    struct sim_snp_tcb cert_tcb;
    uint8_t cert_hwid[64];
    size_t cert_hwid_len;          /* 0: no hwID extension */
    bool cert_hwid_octet_string;   /* wrapped in 04 40 as some tools write it */
    const char *cert_product_name; /* NULL: the product's */
    int cert_struct_version;       /* -1: the product's */
    const char *cert_csp_id;       /* VLEK; NULL: none */
    uint32_t cert_missing_spl;     /* bit per SPL extension number left out: 1 << 1 .. 1 << 9 */
    uint64_t cert_serial;
    /* Another seed, another VEK key. The key is derived from seed, product, vlek, cert_hwid (all 64 bytes, whatever the length in the
     * certificate) and cert_tcb, as a chip derives it: two guests that agree in these have the same key, and a certificate for another
     * chip or TCB is one for another key. */
    uint32_t cert_key_seed;
};
/* A good guest with a VCEK: current firmware, no debug, certificate valid 2026 to 2032. Milan reports version 3, the others 5. */
void sim_snp_guest_default(struct sim_snp_guest *, enum sim_snp_product product);
/* Makes it a guest with a VLEK: SIGNING_KEY 1, chip_id zero, csp_id, no hwID, certificate valid from 30 days ago for one year. */
void sim_snp_guest_vlek(struct sim_snp_guest *);
/* The 1184 bytes, signed; with MASK_CHIP_KEY or SIGNING_KEY 7 in key_info the signature is zero, as firmware leaves it. */
struct sim_bytes sim_snp_report(const struct sim_snp_vendor *, const struct sim_snp_guest *);
/* The VCEK or VLEK certificate, DER. */
struct sim_bytes sim_snp_vek(const struct sim_snp_vendor *, const struct sim_snp_guest *);
/* Certificate table of the GHCB: any of the certificates may be {NULL,0}. text_order: GUID bytes in text order; else mixed-endian. pem:
 * blobs are PEM. */
struct sim_bytes sim_snp_table(struct sim_bytes vek, bool vlek, struct sim_bytes ask, struct sim_bytes ark, struct sim_bytes crl,
                               bool text_order, bool pem);
/* Signs bytes 0..0x29f of the report again (after a test changed them). */
void sim_snp_resign(const struct sim_snp_vendor *, const struct sim_snp_guest *, uint8_t report[1184]);
/* PEM of a DER certificate or CRL ("CERTIFICATE", "X509 CRL"). */
struct sim_bytes sim_pem(struct sim_bytes der, const char *name);
/* Files below a folder as KDS serves them: vcek/v1/{product}/{hwid}, {vcek,vlek}/v1/{product}/cert_chain and crl (crl NULL: none). The
 * query string is not part of the file name, so one chip has the certificate of one TCB. False when something could not be written. */
bool sim_snp_write_kds(const struct sim_snp_vendor *, const struct sim_snp_guest *guests, size_t count, const struct sim_snp_crl *crl,
                       const char *directory);

#endif
