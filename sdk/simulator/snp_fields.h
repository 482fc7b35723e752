/* SPDX-License-Identifier: Apache-2.0 */
/* Fields and faults of a simulated guest by name, for command lines and environment variables. */
#ifndef ATTESTD_SIMULATOR_SNP_FIELDS_H
#define ATTESTD_SIMULATOR_SNP_FIELDS_H

#include "sdk/simulator/simulator.h"

#include <stdio.h>

/* A guest and what surrounds it; a fault changes any of these. */
struct sim_snp_scene {
    struct sim_snp_guest guest;
    struct sim_snp_crl crl;
    uint8_t flip_signature;    /* XORed into the first byte of R after signing */
    uint8_t signature_padding; /* written after S, which nothing signs */
    size_t report_len;         /* 1184, or how much of it is given out */
    bool foreign_key;          /* the certificate is for another key than the one that signs */
    bool foreign_vendor;       /* certificates by a look-alike vendor with the same names */
};

/* milan, genoa, zen4c, turin. */
bool sim_snp_product_named(const char *name, enum sim_snp_product *product);
/* A good scene; a list of this day, valid for a year. */
void sim_snp_scene_default(struct sim_snp_scene *, enum sim_snp_product product, bool vlek);
/* "field=value": numbers as in C, bytes in hex at their exact length, booleans 0 or 1. False: no such field, or no such value. */
bool sim_snp_set(struct sim_snp_guest *, const char *assignment);
bool sim_snp_set_hex(uint8_t *out, size_t len, const char *hex);
/* False: no fault of that name. */
bool sim_snp_apply_fault(struct sim_snp_scene *, const char *name);
/* The report as the scene has it. */
struct sim_bytes sim_snp_scene_report(const struct sim_snp_vendor *, const struct sim_snp_scene *);
/* The certificate as the scene has it; vendor is the foreign one where the scene says so. */
struct sim_bytes sim_snp_scene_vek(const struct sim_snp_vendor *, const struct sim_snp_scene *);

void sim_snp_list_fields(FILE *);
void sim_snp_list_faults(FILE *);

#endif
