/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the simulator: the simulated Intel's keys, and what they sign. */
#ifndef ATTESTD_SIMULATOR_TDX_VENDOR_H
#define ATTESTD_SIMULATOR_TDX_VENDOR_H

#include "sdk/simulator/der.h"
#include "sdk/simulator/tdx.h"

#include <openssl/evp.h>

#define SIM_TDX_PCS "https://api.trustedservices.intel.com/sgx/certification/v4"

struct sim_tdx_vendor {
    EVP_PKEY *keys[SIM_TDX_AUTHORITIES];
    struct sim_bytes certificates[SIM_TDX_AUTHORITIES]; /* DER */
};

/* What a certificate under the root or a PCK CA says; the serial number is the key's identifier. */
struct sim_tdx_certificate {
    const char *subject, *issuer; /* common names */
    const char *crl_address;
    int64_t not_before, not_after;
    EVP_PKEY *key, *issuer_key;
    int path_len;              /* -1: no CA */
    struct sim_bytes sgx_part; /* the value of 1.2.840.113741.1.13.1; {NULL, 0}: none */
};
struct sim_bytes sim_tdx_certificate_sign(const struct sim_tdx_certificate *);
/* The key's own number; what lists revoke. */
bool sim_tdx_serial(EVP_PKEY *key, uint8_t serial[20]);

/* r and s, 32 bytes each, big-endian, of ECDSA with SHA-256. */
bool sim_tdx_sign(EVP_PKEY *key, const uint8_t *bytes, size_t len, uint8_t signature[64]);
/* x and y, 32 bytes each. */
bool sim_tdx_point(EVP_PKEY *key, uint8_t point[64]);
/* The caller frees it. */
EVP_PKEY *sim_tdx_pck_key(const struct sim_tdx_pck *);
enum sim_tdx_authority sim_tdx_pck_ca(const struct sim_tdx_scene *);

#endif
