/* SPDX-License-Identifier: Apache-2.0 */
#include "sdk/simulator/snp_vendor.h"

#include "sdk/simulator/certificate.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

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

static bool complete(const struct sim_snp_vendor *vendor)
{
    return vendor->ark.data && vendor->ask.data && vendor->asvk.data;
}

struct sim_snp_vendor *sim_snp_vendor_new(enum sim_snp_product product)
{
    struct sim_snp_vendor *vendor = calloc(1, sizeof *vendor);
    if (!vendor) {
        return NULL;
    }
    vendor->line = sim_snp_line(product);
    vendor->ark_key = vendor->line ? EVP_RSA_gen(4096) : NULL;
    vendor->ask_key = vendor->ark_key ? EVP_RSA_gen(4096) : NULL;
    vendor->asvk_key = vendor->ask_key ? EVP_RSA_gen(4096) : NULL;
    if (vendor->asvk_key) {
        vendor->ark = mint_authority(vendor->line, &ark_kind, vendor->ark_key, vendor->ark_key);
        vendor->ask = mint_authority(vendor->line, &ask_kind, vendor->ask_key, vendor->ark_key);
        vendor->asvk = mint_authority(vendor->line, &asvk_kind, vendor->asvk_key, vendor->ark_key);
    }
    if (!complete(vendor)) {
        ERR_clear_error();
        sim_snp_vendor_free(vendor);
        return NULL;
    }
    return vendor;
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

/* --- The folder: one file a product, three keys and three certificates in PEM, written once and read ever after. --- */

static struct sim_bytes der_of(X509 *certificate)
{
    unsigned char *der = NULL;
    int len = certificate ? i2d_X509(certificate, &der) : -1;
    if (len <= 0) {
        return (struct sim_bytes){NULL, 0};
    }
    struct sim_bytes copy = sim_bytes_copy(der, (size_t)len);
    OPENSSL_free(der);
    return copy;
}

static struct sim_bytes read_certificate(FILE *file)
{
    X509 *certificate = PEM_read_X509(file, NULL, NULL, NULL);
    struct sim_bytes der = der_of(certificate);
    X509_free(certificate);
    return der;
}

static struct sim_snp_vendor *load(const char *path, const struct sim_snp_line *line)
{
    FILE *file = fopen(path, "re");
    if (!file) {
        return NULL;
    }
    struct sim_snp_vendor *vendor = calloc(1, sizeof *vendor);
    if (vendor) {
        vendor->line = line;
        vendor->ark_key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
        vendor->ask_key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
        vendor->asvk_key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
        vendor->ark = read_certificate(file);
        vendor->ask = read_certificate(file);
        vendor->asvk = read_certificate(file);
    }
    fclose(file);
    if (vendor && (!complete(vendor) || !vendor->ark_key || !vendor->ask_key || !vendor->asvk_key)) {
        ERR_clear_error();
        sim_snp_vendor_free(vendor);
        vendor = NULL;
    }
    return vendor;
}

static bool write_pem(FILE *file, struct sim_bytes der)
{
    return PEM_write(file, "CERTIFICATE", "", der.data, (long)der.len) > 0;
}

static bool save(const char *path, const struct sim_snp_vendor *vendor)
{
    char unfinished[4200];
    snprintf(unfinished, sizeof unfinished, "%s.new", path);
    int fd = open(unfinished, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    if (!file) {
        if (fd >= 0) {
            close(fd);
        }
        return false;
    }
    bool good = PEM_write_PrivateKey(file, vendor->ark_key, NULL, NULL, 0, NULL, NULL) == 1 &&
                PEM_write_PrivateKey(file, vendor->ask_key, NULL, NULL, 0, NULL, NULL) == 1 &&
                PEM_write_PrivateKey(file, vendor->asvk_key, NULL, NULL, 0, NULL, NULL) == 1 && write_pem(file, vendor->ark) &&
                write_pem(file, vendor->ask) && write_pem(file, vendor->asvk);
    good = fclose(file) == 0 && good;
    return good && rename(unfinished, path) == 0;
}

struct sim_snp_vendor *sim_snp_vendor_open(const char *directory, enum sim_snp_product product)
{
    const struct sim_snp_line *line = sim_snp_line(product);
    char path[4096], lock_path[4096];
    if (!line || (size_t)snprintf(path, sizeof path, "%s/snp-%s.pem", directory, line->name) >= sizeof path ||
        (size_t)snprintf(lock_path, sizeof lock_path, "%s/snp-%s.lock", directory, line->name) >= sizeof lock_path) {
        return NULL;
    }
    if (mkdir(directory, 0700) != 0 && errno != EEXIST) {
        return NULL;
    }
    struct sim_snp_vendor *vendor = load(path, line);
    if (vendor) {
        return vendor;
    }
    /* Programs that start together make the vendor once and share it. */
    int lock = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock < 0 || flock(lock, LOCK_EX) != 0) {
        if (lock >= 0) {
            close(lock);
        }
        return NULL;
    }
    vendor = load(path, line);
    if (!vendor) {
        vendor = sim_snp_vendor_new(product);
        if (vendor && !save(path, vendor)) {
            sim_snp_vendor_free(vendor);
            vendor = NULL;
        }
    }
    close(lock);
    return vendor;
}
