/* SPDX-License-Identifier: Apache-2.0 */
/* The ATTESTATION_REPORT, 1184 bytes, little-endian (AMD 56860 rev 1.58, table 23). */
#include "sdk/simulator/der.h"
#include "sdk/simulator/snp_vendor.h"

#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

enum {
    REPORT_SIZE = 0x4a0,
    SIGNED_SIZE = 0x2a0,
    SIGNATURE_R = 0x2a0,
    SIGNATURE_S = 0x2e8,
    COMPONENT_SIZE = 72, /* 48 bytes of number and 24 of zeros */
    SIGNING_KEY_NONE = 7,
    MASK_CHIP_KEY = 1 << 1,
};

static void put_number(uint8_t *at, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        at[i] = (uint8_t)(value >> (8 * i));
    }
}

/* In the report the order is build, minor, major. */
static void put_version(uint8_t *at, const uint8_t version[3])
{
    at[0] = version[2];
    at[1] = version[1];
    at[2] = version[0];
}

static void put_fixed(uint8_t *report, const struct sim_snp_guest *guest)
{
    put_number(report + 0x000, guest->version, 4);
    put_number(report + 0x004, guest->guest_svn, 4);
    put_number(report + 0x008, guest->policy, 8);
    memcpy(report + 0x010, guest->family_id, 16);
    memcpy(report + 0x020, guest->image_id, 16);
    put_number(report + 0x030, guest->vmpl, 4);
    put_number(report + 0x034, guest->signature_algo, 4);
    put_number(report + 0x040, guest->platform_info, 8);
    put_number(report + 0x048, guest->key_info, 4);
    memcpy(report + 0x050, guest->report_data, 64);
    memcpy(report + 0x090, guest->measurement, 48);
    memcpy(report + 0x0c0, guest->host_data, 32);
    memcpy(report + 0x0e0, guest->id_key_digest, 48);
    memcpy(report + 0x110, guest->author_key_digest, 48);
    memcpy(report + 0x140, guest->report_id, 32);
    memcpy(report + 0x160, guest->report_id_ma, 32);
    memcpy(report + 0x1a0, guest->chip_id, 64);
    put_version(report + 0x1e8, guest->current_version);
    put_version(report + 0x1ec, guest->committed_version);
}

static void put_versioned(uint8_t *report, const struct sim_snp_guest *guest)
{
    if (guest->version >= 3) {
        report[0x188] = guest->family;
        report[0x189] = guest->model;
        report[0x18a] = guest->stepping;
    }
    if (guest->version >= 5) {
        put_number(report + 0x1f8, guest->launch_mit_vector, 8);
        put_number(report + 0x200, guest->current_mit_vector, 8);
    }
}

static void put_tcbs(uint8_t *report, const struct sim_snp_line *line, const struct sim_snp_guest *guest)
{
    sim_snp_encode_tcb(line, &guest->current_tcb, report + 0x038);
    sim_snp_encode_tcb(line, &guest->reported_tcb, report + 0x180);
    sim_snp_encode_tcb(line, &guest->committed_tcb, report + 0x1e0);
    sim_snp_encode_tcb(line, &guest->launch_tcb, report + 0x1f0);
}

static bool sign(const struct sim_snp_guest *guest, uint8_t report[REPORT_SIZE])
{
    uint8_t der[160];
    size_t len = sizeof der;
    EVP_PKEY *key = sim_snp_vek_key(guest);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    const unsigned char *at = der;
    ECDSA_SIG *pair = NULL;
    if (key && context && EVP_DigestSignInit(context, NULL, EVP_sha384(), NULL, key) == 1 &&
        EVP_DigestSign(context, der, &len, report, SIGNED_SIZE) == 1) {
        pair = d2i_ECDSA_SIG(NULL, &at, (long)len);
    }
    bool good = pair && BN_bn2lebinpad(ECDSA_SIG_get0_r(pair), report + SIGNATURE_R, COMPONENT_SIZE) == COMPONENT_SIZE &&
                BN_bn2lebinpad(ECDSA_SIG_get0_s(pair), report + SIGNATURE_S, COMPONENT_SIZE) == COMPONENT_SIZE;
    ECDSA_SIG_free(pair);
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    if (!good) {
        ERR_clear_error();
        memset(report + SIGNATURE_R, 0, REPORT_SIZE - SIGNATURE_R);
    }
    return good;
}

struct sim_bytes sim_snp_report(const struct sim_snp_vendor *vendor, const struct sim_snp_guest *guest)
{
    uint8_t report[REPORT_SIZE] = {0};
    put_fixed(report, guest);
    put_versioned(report, guest);
    put_tcbs(report, vendor->line, guest);
    /* Firmware that may not use the chip's key, or was told to use none, leaves the signature zero. */
    bool unsigned_report = (guest->key_info & MASK_CHIP_KEY) || (guest->key_info >> 2 & 7) == SIGNING_KEY_NONE;
    if (!unsigned_report && !sign(guest, report)) {
        return (struct sim_bytes){NULL, 0};
    }
    return sim_bytes_copy(report, sizeof report);
}

void sim_snp_resign(const struct sim_snp_vendor *vendor, const struct sim_snp_guest *guest, uint8_t report[1184])
{
    (void)vendor; /* the guest's seed and chip make the key; the vendor only certifies it */
    sign(guest, report);
}
