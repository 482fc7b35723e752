/* SPDX-License-Identifier: Apache-2.0 */
#include "sdk/simulator/snp_vendor.h"

#include "sdk/simulator/certificate.h"
#include "sdk/simulator/vendor_folder.h"

#include <openssl/err.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TWENTY_FIVE_YEARS (25 * INT64_C(31557600))

/* AMD 56860 table 2 and the chips' CPUID; Zen 4c parts are of the Genoa line and differ in CPUID alone. */
static const struct sim_snp_line lines[] = {
    [SIM_SNP_MILAN] = {"Milan", 0x19, 0x01, 0x01, 0x10000, 1603389860, 0, 64, {-1, 0, 1, 6, 7}},
    [SIM_SNP_GENOA] = {"Genoa", 0x19, 0x11, 0x01, 0x20000, 1643211277, 0, 64, {-1, 0, 1, 6, 7}},
    [SIM_SNP_ZEN4C] = {"Genoa", 0x19, 0xa0, 0x02, 0x20000, 1643211277, 0, 64, {-1, 0, 1, 6, 7}},
    [SIM_SNP_TURIN] = {"Turin", 0x1a, 0x02, 0x01, 0x30000, 1684190400, 1, 8, {0, 1, 2, 3, 7}},
};

const struct sim_snp_line *sim_snp_line(enum sim_snp_product product)
{
    return (size_t)product < sizeof lines / sizeof *lines ? &lines[product] : NULL;
}

static void set_component(uint8_t out[SIM_SNP_TCB_SIZE], int at, uint8_t value)
{
    if (at >= 0) {
        out[at] = value;
    }
}

void sim_snp_encode_tcb(const struct sim_snp_line *line, const struct sim_snp_tcb *tcb, uint8_t out[SIM_SNP_TCB_SIZE])
{
    memset(out, 0, SIM_SNP_TCB_SIZE);
    set_component(out, line->layout.fmc, tcb->fmc);
    set_component(out, line->layout.bootloader, tcb->bootloader);
    set_component(out, line->layout.tee, tcb->tee);
    set_component(out, line->layout.snp, tcb->snp);
    set_component(out, line->layout.microcode, tcb->microcode);
}

/* The three CA certificates: what is different between them. */
struct authority {
    const char *prefix;  /* of the product in its common name */
    const char *service; /* the KDS path its list is at */
    uint64_t serial_offset;
    bool root;
};
static const struct authority ark_kind = {"ARK", "vcek", 0x000, true};
static const struct authority ask_kind = {"SEV", "vcek", 0x002, false};
static const struct authority asvk_kind = {"SEV-VLEK", "vlek", 0x101, false};

static void common_name(char out[32], const struct authority *kind, const struct sim_snp_line *line)
{
    snprintf(out, 32, "%s-%s", kind->prefix, line->name);
}

static struct sim_bytes mint_authority(const struct sim_snp_line *line, const struct authority *kind, EVP_PKEY *key, EVP_PKEY *ark_key)
{
    char issuer[32], subject[32], url[96];
    common_name(issuer, &ark_kind, line);
    common_name(subject, kind, line);
    snprintf(url, sizeof url, "https://kdsintf.amd.com/%s/v1/%s/crl", kind->service, line->name);

    struct sim_buffer extensions = {0};
    if (kind->root) {
        sim_extension_key_usage(&extensions, 0x06, 1); /* keyCertSign, cRLSign */
        sim_extension_subject_key(&extensions, key);
        sim_extension_ca(&extensions, -1);
    } else {
        sim_extension_subject_key(&extensions, key);
        sim_extension_authority_key(&extensions, ark_key);
        sim_extension_ca(&extensions, 0);
        sim_extension_key_usage(&extensions, 0x04, 1); /* keyCertSign; with the spare zero bit of the real ones */
    }
    sim_extension_crl_address(&extensions, url);
    struct sim_bytes encoded = sim_buffer_take(&extensions);
    if (!encoded.data) {
        return encoded;
    }
    struct sim_certificate certificate = {
        .serial = line->serial_base + kind->serial_offset,
        .issuer = issuer,
        .subject = subject,
        .not_before = line->born,
        .not_after = line->born + TWENTY_FIVE_YEARS,
        .key = key,
        .extensions = encoded,
        .explicit_trailer = true,
    };
    struct sim_bytes der = sim_certificate_sign(&certificate, ark_key);
    free(encoded.data);
    return der;
}

void sim_snp_vendor_free(struct sim_snp_vendor *vendor)
{
    if (!vendor) {
        return;
    }
    EVP_PKEY_free(vendor->ark_key);
    EVP_PKEY_free(vendor->ask_key);
    EVP_PKEY_free(vendor->asvk_key);
    free(vendor->ark.data);
    free(vendor->ask.data);
    free(vendor->asvk.data);
    free(vendor);
}

struct sim_bytes sim_snp_ark(const struct sim_snp_vendor *vendor)
{
    return sim_bytes_copy(vendor->ark.data, vendor->ark.len);
}

struct sim_bytes sim_snp_ask(const struct sim_snp_vendor *vendor)
{
    return sim_bytes_copy(vendor->ask.data, vendor->ask.len);
}

struct sim_bytes sim_snp_asvk(const struct sim_snp_vendor *vendor)
{
    return sim_bytes_copy(vendor->asvk.data, vendor->asvk.len);
}

struct sim_bytes sim_snp_crl(const struct sim_snp_vendor *vendor, const struct sim_snp_crl *crl)
{
    char issuer[32];
    common_name(issuer, &ark_kind, vendor->line);
    struct sim_revocation_list list = {
        .issuer = issuer, .this_update = crl->this_update, .next_update = crl->next_update, .number = crl->number};
    if (crl->revoke_ask) {
        list.serials[list.count++] = vendor->line->serial_base + ask_kind.serial_offset;
    }
    if (crl->revoke_asvk) {
        list.serials[list.count++] = vendor->line->serial_base + asvk_kind.serial_offset;
    }
    return sim_revocation_list_sign(&list, vendor->ark_key);
}

/* --- The folder: one file a product. --- */

static bool make(void *context)
{
    struct sim_snp_vendor *vendor = context;
    const struct sim_snp_line *line = vendor->line;
    vendor->ark_key = EVP_RSA_gen(4096);
    vendor->ask_key = vendor->ark_key ? EVP_RSA_gen(4096) : NULL;
    vendor->asvk_key = vendor->ask_key ? EVP_RSA_gen(4096) : NULL;
    if (vendor->asvk_key) {
        vendor->ark = mint_authority(line, &ark_kind, vendor->ark_key, vendor->ark_key);
        vendor->ask = mint_authority(line, &ask_kind, vendor->ask_key, vendor->ark_key);
        vendor->asvk = mint_authority(line, &asvk_kind, vendor->asvk_key, vendor->ark_key);
    }
    ERR_clear_error();
    return vendor->ark.data && vendor->ask.data && vendor->asvk.data;
}

struct sim_snp_vendor *sim_snp_vendor_open(const char *directory, enum sim_snp_product product)
{
    const struct sim_snp_line *line = sim_snp_line(product);
    struct sim_snp_vendor *vendor = line ? calloc(1, sizeof *vendor) : NULL;
    if (!vendor) {
        return NULL;
    }
    vendor->line = line;
    const struct sim_vendor_part parts[] = {
        {&vendor->ark_key, &vendor->ark}, {&vendor->ask_key, &vendor->ask}, {&vendor->asvk_key, &vendor->asvk}};
    char name[32];
    snprintf(name, sizeof name, "snp-%s", line->name);
    bool good = directory ? sim_vendor_folder(directory, name, parts, 3, make, vendor) : make(vendor);
    if (!good) {
        sim_snp_vendor_free(vendor);
        return NULL;
    }
    return vendor;
}

struct sim_snp_vendor *sim_snp_vendor_new(enum sim_snp_product product)
{
    return sim_snp_vendor_open(NULL, product);
}
