/* SPDX-License-Identifier: Apache-2.0 */
/* A good guest of each product, the key its firmware would derive, and that key's certificate. */
#include "sdk/simulator/certificate.h"
#include "sdk/simulator/derived_key.h"
#include "sdk/simulator/snp_vendor.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/obj_mac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DAY INT64_C(86400)
#define NEW_YEAR_2026 INT64_C(1767225600)

/* What a well-kept machine of the product reports. */
static const struct {
    uint32_t version;
    uint64_t platform_info, mitigations;
    struct sim_snp_tcb tcb;
    uint8_t firmware[3];
} habits[] = {
    [SIM_SNP_MILAN] = {3, 0x25, 0x1f, {0, 4, 0, 29, 222}, {1, 58, 1}},
    [SIM_SNP_GENOA] = {5, 0x25, 0x1f, {0, 10, 0, 27, 88}, {1, 58, 1}},
    [SIM_SNP_ZEN4C] = {5, 0x25, 0x1f, {0, 10, 0, 27, 27}, {1, 58, 1}},
    [SIM_SNP_TURIN] = {5, 0x65, 0x3f, {1, 1, 1, 4, 81}, {1, 58, 1}},
};

/* Recognisable bytes: the start of SHA-512 over the text, then zeros. */
static void fill(uint8_t *out, size_t len, const char *text)
{
    uint8_t digest[64];
    if (EVP_Digest(text, strlen(text), digest, NULL, EVP_sha512(), NULL) == 1) {
        memcpy(out, digest, len);
    }
}

void sim_snp_guest_default(struct sim_snp_guest *guest, enum sim_snp_product product)
{
    const struct sim_snp_line *line = sim_snp_line(product);
    *guest = (struct sim_snp_guest){.product = product, .signature_algo = 1, .policy = 0x30000, .cert_struct_version = -1};
    if (!line) {
        return;
    }
    guest->version = habits[product].version;
    guest->platform_info = habits[product].platform_info;
    if (guest->version >= 5) {
        guest->launch_mit_vector = guest->current_mit_vector = habits[product].mitigations;
    }
    guest->current_tcb = guest->reported_tcb = guest->committed_tcb = guest->launch_tcb = guest->cert_tcb = habits[product].tcb;
    memcpy(guest->current_version, habits[product].firmware, sizeof guest->current_version);
    memcpy(guest->committed_version, habits[product].firmware, sizeof guest->committed_version);
    guest->family = line->family;
    guest->model = line->model;
    guest->stepping = line->stepping;
    fill(guest->measurement, sizeof guest->measurement, "simulated measurement");
    fill(guest->report_id, sizeof guest->report_id, "simulated report id");
    memset(guest->report_id_ma, 0xff, sizeof guest->report_id_ma);
    char chip[32];
    snprintf(chip, sizeof chip, "simulated chip %d", (int)product);
    fill(guest->chip_id, line->hwid_len, chip);
    memcpy(guest->cert_hwid, guest->chip_id, sizeof guest->cert_hwid);
    guest->cert_hwid_len = line->hwid_len;
    guest->not_before = NEW_YEAR_2026;
    guest->not_after = NEW_YEAR_2026 + 7 * 365 * DAY;
}

void sim_snp_guest_vlek(struct sim_snp_guest *guest)
{
    int64_t today = (int64_t)time(NULL) / DAY * DAY;
    guest->vlek = true;
    guest->key_info = (guest->key_info & ~UINT32_C(0x1c)) | 1U << 2;
    memset(guest->chip_id, 0, sizeof guest->chip_id);
    guest->cert_hwid_len = 0;
    guest->cert_csp_id = "CN=cc-simulated.invalid";
    guest->not_before = today - 30 * DAY;
    guest->not_after = today + 335 * DAY;
}

/*
 * The private scalar: HKDF over all that the real derivation depends on (AMD 57230: chip secret, TCB), two blocks wide and reduced,
 * so that the certificate and the report of one guest agree without anything being stored.
 */
static bool vek_scalar(const struct sim_snp_guest *guest, BIGNUM *scalar, const BIGNUM *order)
{
    const struct sim_snp_line *line = sim_snp_line(guest->product);
    uint8_t input[4 + 1 + SIM_SNP_TCB_SIZE + sizeof guest->cert_hwid] = {
        (uint8_t)guest->cert_key_seed, (uint8_t)(guest->cert_key_seed >> 8), (uint8_t)(guest->cert_key_seed >> 16),
        (uint8_t)(guest->cert_key_seed >> 24), guest->vlek};
    sim_snp_encode_tcb(line, &guest->cert_tcb, input + 5);
    memcpy(input + 5 + SIM_SNP_TCB_SIZE, guest->cert_hwid, sizeof guest->cert_hwid);

    uint8_t wide[96];
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *context = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
    OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)"SHA384", 0),
                               OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, input, sizeof input),
                               OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)line->name, strlen(line->name)),
                               OSSL_PARAM_construct_end()};
    BN_CTX *numbers = BN_CTX_new();
    BIGNUM *bound = BN_dup(order);
    bool good = context && numbers && bound && EVP_KDF_derive(context, wide, sizeof wide, parameters) == 1 &&
                BN_bin2bn(wide, sizeof wide, scalar) && BN_sub_word(bound, 1) == 1 && BN_mod(scalar, scalar, bound, numbers) == 1 &&
                BN_add_word(scalar, 1) == 1;
    BN_free(bound);
    BN_CTX_free(numbers);
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
    return good;
}

EVP_PKEY *sim_snp_vek_key(const struct sim_snp_guest *guest)
{
    if (!sim_snp_line(guest->product)) {
        return NULL;
    }
    EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_secp384r1);
    BIGNUM *scalar = BN_new();
    EVP_PKEY *key = NULL;
    if (group && scalar && vek_scalar(guest, scalar, EC_GROUP_get0_order(group))) {
        key = sim_key_from_scalar(group, SN_secp384r1, scalar);
    }
    BN_clear_free(scalar);
    EC_GROUP_free(group);
    if (!key) {
        ERR_clear_error();
    }
    return key;
}

#define AMD_ARC "1.3.6.1.4.1.3704.1."

static void put_integer_extension(struct sim_buffer *b, const char *oid, uint64_t value)
{
    struct sim_buffer integer = {0};
    sim_der_unsigned(&integer, value);
    sim_extension(b, oid, false, integer.data, integer.len);
    b->failed |= integer.failed;
    free(integer.data);
}

static void put_text_extension(struct sim_buffer *b, const char *oid, const char *text)
{
    struct sim_buffer string = {0};
    sim_der_text(&string, SIM_DER_IA5_STRING, text);
    sim_extension(b, oid, false, string.data, string.len);
    b->failed |= string.failed;
    free(string.data);
}

/* AMD 57230 table 9. The order is that of the certificates KDS serves; zero ends the list. */
static const uint8_t spl_order_milan[] = {1, 2, 4, 5, 6, 7, 3, 8, 0};
static const uint8_t spl_order_turin[] = {9, 1, 2, 3, 5, 6, 7, 8, 0};

static uint8_t spl_value(const struct sim_snp_tcb *tcb, uint8_t number)
{
    switch (number) {
    case 1:
        return tcb->bootloader;
    case 2:
        return tcb->tee;
    case 3:
        return tcb->snp;
    case 8:
        return tcb->microcode;
    case 9:
        return tcb->fmc;
    default:
        return 0;
    }
}

static void put_spls(struct sim_buffer *b, const struct sim_snp_line *line, const struct sim_snp_guest *guest)
{
    for (const uint8_t *number = line->struct_version == 0 ? spl_order_milan : spl_order_turin; *number; number++) {
        if (guest->cert_missing_spl & UINT32_C(1) << *number) {
            continue;
        }
        char oid[32];
        snprintf(oid, sizeof oid, AMD_ARC "3.%u", *number);
        put_integer_extension(b, oid, spl_value(&guest->cert_tcb, *number));
    }
}

static void put_hwid(struct sim_buffer *b, const struct sim_snp_guest *guest)
{
    size_t len = guest->cert_hwid_len < sizeof guest->cert_hwid ? guest->cert_hwid_len : sizeof guest->cert_hwid;
    struct sim_buffer value = {0};
    if (guest->cert_hwid_octet_string) {
        sim_der_put(&value, SIM_DER_OCTET_STRING, guest->cert_hwid, len);
    } else {
        sim_put(&value, guest->cert_hwid, len);
    }
    sim_extension(b, AMD_ARC "4", false, value.data, value.len);
    b->failed |= value.failed;
    free(value.data);
}

struct sim_bytes sim_snp_vek(const struct sim_snp_vendor *vendor, const struct sim_snp_guest *guest)
{
    const struct sim_snp_line *line = vendor->line;
    struct sim_buffer extensions = {0};
    put_integer_extension(&extensions, AMD_ARC "1",
                          (uint64_t)(guest->cert_struct_version < 0 ? line->struct_version : guest->cert_struct_version));
    put_text_extension(&extensions, AMD_ARC "2", guest->cert_product_name ? guest->cert_product_name : line->name);
    put_spls(&extensions, line, guest);
    if (guest->cert_hwid_len) {
        put_hwid(&extensions, guest);
    }
    if (guest->cert_csp_id) {
        put_text_extension(&extensions, AMD_ARC "5", guest->cert_csp_id);
    }
    struct sim_bytes encoded = sim_buffer_take(&extensions);
    EVP_PKEY *key = sim_snp_vek_key(guest);
    struct sim_bytes der = {NULL, 0};
    if (encoded.data && key) {
        char issuer[32];
        snprintf(issuer, sizeof issuer, guest->vlek ? "SEV-VLEK-%s" : "SEV-%s", line->name);
        struct sim_certificate certificate = {.serial = guest->cert_serial,
                                              .issuer = issuer,
                                              .subject = guest->vlek ? "SEV-VLEK" : "SEV-VCEK",
                                              .not_before = guest->not_before,
                                              .not_after = guest->not_after,
                                              .key = key,
                                              .extensions = encoded};
        der = sim_certificate_sign(&certificate, guest->vlek ? vendor->asvk_key : vendor->ask_key);
    }
    EVP_PKEY_free(key);
    free(encoded.data);
    return der;
}
