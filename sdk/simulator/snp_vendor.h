/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the simulator: what differs between products, and the vendor's keys. */
#ifndef ATTESTD_SIMULATOR_SNP_VENDOR_H
#define ATTESTD_SIMULATOR_SNP_VENDOR_H

#include "sdk/simulator/simulator.h"

#include <openssl/evp.h>

enum { SIM_SNP_TCB_SIZE = 8 };

/* Where the components of a TCB_VERSION stand; -1: the product has none. */
struct sim_snp_tcb_layout {
    int fmc, bootloader, tee, snp, microcode;
};

struct sim_snp_line {
    const char *name; /* in certificates and KDS paths */
    uint8_t family, model, stepping;
    uint64_t serial_base; /* of its ARK */
    int64_t born;         /* its CA certificates' first day */
    int struct_version;
    size_t hwid_len;
    struct sim_snp_tcb_layout layout;
};
/* NULL for a number that is no product. */
const struct sim_snp_line *sim_snp_line(enum sim_snp_product product);

struct sim_snp_vendor {
    const struct sim_snp_line *line;
    EVP_PKEY *ark_key, *ask_key, *asvk_key;
    struct sim_bytes ark, ask, asvk; /* DER */
};

void sim_snp_encode_tcb(const struct sim_snp_line *, const struct sim_snp_tcb *, uint8_t out[SIM_SNP_TCB_SIZE]);
/* The P-384 key of the guest's VCEK or VLEK; the caller frees it. NULL on failure. */
EVP_PKEY *sim_snp_vek_key(const struct sim_snp_guest *);

#endif
