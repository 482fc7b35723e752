/* SPDX-License-Identifier: Apache-2.0 */
/* The four authorities, certificates and revocation lists as Intel issues them (Intel SGX PCK Certificate and CRL Profile). */
#include "sdk/simulator/tdx_vendor.h"

#include "sdk/simulator/certificate.h"
#include "sdk/simulator/derived_key.h"
#include "sdk/simulator/files.h"
#include "sdk/simulator/vendor_folder.h"

#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#define ROOT_CRL_ADDRESS "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der"
#define BORN INT64_C(1526899510) /* 2018-05-21 */
#define YEAR (365 * INT64_C(86400))

static const struct {
    const char *name;
    int64_t not_before, not_after;
    int path_len;
} authorities[SIM_TDX_AUTHORITIES] = {
    [SIM_TDX_ROOT] = {"Intel SGX Root CA", BORN, INT64_C(2524607999), 1},
    [SIM_TDX_PLATFORM_CA] = {"Intel SGX PCK Platform CA", BORN, BORN + 25 * YEAR, 0},
    [SIM_TDX_PROCESSOR_CA] = {"Intel SGX PCK Processor CA", BORN, BORN + 25 * YEAR, 0},
    [SIM_TDX_TCB_SIGNING] = {"Intel SGX TCB Signing", BORN, BORN + 25 * YEAR, -1},
};

bool sim_tdx_serial(EVP_PKEY *key, uint8_t serial[20])
{
    return sim_key_identifier(key, serial);
}

static void put_algorithm(struct sim_buffer *b)
{
    size_t algorithm = sim_der_open(b, SIM_DER_SEQUENCE);
    sim_der_oid(b, "1.2.840.10045.4.3.2"); /* ecdsa-with-SHA256 */
    sim_der_close(b, algorithm);
}

static void put_name(struct sim_buffer *b, const char *common_name)
{
    const struct {
        const char *oid;
        unsigned tag;
        const char *value;
    } attributes[] = {
        {"2.5.4.3", SIM_DER_UTF8_STRING, common_name},   {"2.5.4.10", SIM_DER_UTF8_STRING, "Intel Corporation"},
        {"2.5.4.7", SIM_DER_UTF8_STRING, "Santa Clara"}, {"2.5.4.8", SIM_DER_UTF8_STRING, "CA"},
        {"2.5.4.6", SIM_DER_PRINTABLE_STRING, "US"},
    };
    size_t name = sim_der_open(b, SIM_DER_SEQUENCE);
    for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++) {
        size_t set = sim_der_open(b, SIM_DER_SET);
        size_t pair = sim_der_open(b, SIM_DER_SEQUENCE);
        sim_der_oid(b, attributes[i].oid);
        sim_der_text(b, attributes[i].tag, attributes[i].value);
        sim_der_close(b, pair);
        sim_der_close(b, set);
    }
    sim_der_close(b, name);
}

/* The DER of an ECDSA signature with SHA-256; consumes body: SEQUENCE { body, algorithm, signature }. */
static struct sim_bytes sign(struct sim_buffer *body, EVP_PKEY *key)
{
    uint8_t signature[128];
    size_t len = sizeof signature;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good = !body->failed && context && EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
                EVP_DigestSign(context, signature, &len, body->data, body->len) == 1;
    EVP_MD_CTX_free(context);
    ERR_clear_error();

    struct sim_buffer whole = {.failed = !good};
    size_t outer = sim_der_open(&whole, SIM_DER_SEQUENCE);
    sim_put(&whole, body->data, body->len);
    put_algorithm(&whole);
    sim_der_bits(&whole, signature, good ? len : 0);
    sim_der_close(&whole, outer);
    free(body->data);
    return sim_buffer_take(&whole);
}

/* In the order of Intel's certificates. */
static void put_extensions(struct sim_buffer *b, const struct sim_tdx_certificate *certificate)
{
    size_t outer = sim_der_open(b, SIM_DER_CONTEXT + 3);
    size_t extensions = sim_der_open(b, SIM_DER_SEQUENCE);
    sim_extension_authority_key(b, certificate->issuer_key);
    sim_extension_crl_address(b, certificate->crl_address);
    sim_extension_subject_key(b, certificate->key);
    if (certificate->path_len >= 0) {
        sim_extension_key_usage(b, 0x06, 1); /* keyCertSign, cRLSign */
        sim_extension_ca(b, certificate->path_len);
    } else {
        sim_extension_key_usage(b, 0xc0, 6);                /* digitalSignature, nonRepudiation */
        sim_extension(b, "2.5.29.19", true, "\x30\x00", 2); /* no CA */
    }
    if (certificate->sgx_part.data) {
        sim_extension(b, "1.2.840.113741.1.13.1", false, certificate->sgx_part.data, certificate->sgx_part.len);
    }
    sim_der_close(b, extensions);
    sim_der_close(b, outer);
}

struct sim_bytes sim_tdx_certificate_sign(const struct sim_tdx_certificate *certificate)
{
    uint8_t serial[20] = {0};
    struct sim_buffer b = {.failed = !sim_tdx_serial(certificate->key, serial)};
    size_t body = sim_der_open(&b, SIM_DER_SEQUENCE);
    size_t version = sim_der_open(&b, SIM_DER_CONTEXT + 0);
    sim_der_unsigned(&b, 2);
    sim_der_close(&b, version);
    sim_der_number(&b, serial, sizeof serial);
    put_algorithm(&b);
    put_name(&b, certificate->issuer);
    size_t validity = sim_der_open(&b, SIM_DER_SEQUENCE);
    sim_der_time(&b, certificate->not_before);
    sim_der_time(&b, certificate->not_after);
    sim_der_close(&b, validity);
    put_name(&b, certificate->subject);
    sim_put_public_key(&b, certificate->key);
    put_extensions(&b, certificate);
    sim_der_close(&b, body);
    return sign(&b, certificate->issuer_key);
}

/* --- Vendor --- */

static bool make(void *context)
{
    struct sim_tdx_vendor *vendor = context;
    bool good = true;
    for (size_t i = 0; i < SIM_TDX_AUTHORITIES && good; i++) {
        vendor->keys[i] = EVP_EC_gen("P-256");
        if (!vendor->keys[i]) {
            break;
        }
        struct sim_tdx_certificate certificate = {.subject = authorities[i].name,
                                                  .issuer = authorities[SIM_TDX_ROOT].name,
                                                  .crl_address = ROOT_CRL_ADDRESS,
                                                  .not_before = authorities[i].not_before,
                                                  .not_after = authorities[i].not_after,
                                                  .key = vendor->keys[i],
                                                  .issuer_key = vendor->keys[SIM_TDX_ROOT],
                                                  .path_len = authorities[i].path_len};
        vendor->certificates[i] = sim_tdx_certificate_sign(&certificate);
        good = vendor->certificates[i].data != NULL;
    }
    ERR_clear_error();
    return good && vendor->certificates[SIM_TDX_AUTHORITIES - 1].data;
}

struct sim_tdx_vendor *sim_tdx_vendor_open(const char *directory)
{
    struct sim_tdx_vendor *vendor = calloc(1, sizeof *vendor);
    if (!vendor) {
        return NULL;
    }
    struct sim_vendor_part parts[SIM_TDX_AUTHORITIES];
    for (size_t i = 0; i < SIM_TDX_AUTHORITIES; i++) {
        parts[i] = (struct sim_vendor_part){&vendor->keys[i], &vendor->certificates[i]};
    }
    if (directory ? sim_vendor_folder(directory, "tdx", parts, SIM_TDX_AUTHORITIES, make, vendor) : make(vendor)) {
        return vendor;
    }
    sim_tdx_vendor_free(vendor);
    return NULL;
}

struct sim_tdx_vendor *sim_tdx_vendor_new(void)
{
    return sim_tdx_vendor_open(NULL);
}

void sim_tdx_vendor_free(struct sim_tdx_vendor *vendor)
{
    for (size_t i = 0; vendor && i < SIM_TDX_AUTHORITIES; i++) {
        EVP_PKEY_free(vendor->keys[i]);
        free(vendor->certificates[i].data);
    }
    free(vendor);
}

struct sim_bytes sim_tdx_authority(const struct sim_tdx_vendor *vendor, enum sim_tdx_authority authority)
{
    return sim_bytes_copy(vendor->certificates[authority].data, vendor->certificates[authority].len);
}

struct sim_bytes sim_tdx_issuer_chain(const struct sim_tdx_vendor *vendor, enum sim_tdx_authority authority)
{
    return sim_pem_chain((struct sim_bytes[]){vendor->certificates[authority], vendor->certificates[SIM_TDX_ROOT]}, 2);
}

enum sim_tdx_authority sim_tdx_pck_ca(const struct sim_tdx_scene *scene)
{
    return scene->pck.processor ? SIM_TDX_PROCESSOR_CA : SIM_TDX_PLATFORM_CA;
}

/* --- Revocation lists --- */

static void put_revoked(struct sim_buffer *b, EVP_PKEY *const *keys, size_t count, int64_t when)
{
    if (count == 0) {
        return;
    }
    size_t revoked = sim_der_open(b, SIM_DER_SEQUENCE);
    for (size_t i = 0; i < count; i++) {
        uint8_t serial[20] = {0};
        b->failed |= !keys[i] || !sim_tdx_serial(keys[i], serial);
        size_t entry = sim_der_open(b, SIM_DER_SEQUENCE);
        sim_der_number(b, serial, sizeof serial);
        sim_der_time(b, when);
        size_t extensions = sim_der_open(b, SIM_DER_SEQUENCE);
        sim_extension(b, "2.5.29.21", false, "\x0a\x01\x01", 3); /* reason: keyCompromise */
        sim_der_close(b, extensions);
        sim_der_close(b, entry);
    }
    sim_der_close(b, revoked);
}

static struct sim_bytes sign_list(const struct sim_tdx_vendor *vendor, enum sim_tdx_authority issuer, const struct sim_tdx_crl *crl,
                                  EVP_PKEY *const *revoked, size_t count)
{
    struct sim_buffer b = {0}, number = {0};
    size_t body = sim_der_open(&b, SIM_DER_SEQUENCE);
    sim_der_unsigned(&b, 1);
    put_algorithm(&b);
    put_name(&b, authorities[issuer].name);
    sim_der_time(&b, crl->this_update);
    if (crl->next_update) {
        sim_der_time(&b, crl->next_update);
    }
    put_revoked(&b, revoked, count, crl->this_update);
    size_t outer = sim_der_open(&b, SIM_DER_CONTEXT + 0);
    size_t extensions = sim_der_open(&b, SIM_DER_SEQUENCE);
    sim_der_unsigned(&number, crl->number);
    sim_extension(&b, "2.5.29.20", false, number.data, number.len);
    sim_extension_authority_key(&b, vendor->keys[issuer]);
    sim_der_close(&b, extensions);
    sim_der_close(&b, outer);
    sim_der_close(&b, body);
    b.failed |= number.failed;
    free(number.data);
    return sign(&b, vendor->keys[issuer]);
}

struct sim_bytes sim_tdx_pck_crl(const struct sim_tdx_vendor *vendor, const struct sim_tdx_scene *scene)
{
    enum sim_tdx_authority issuer = sim_tdx_pck_ca(scene);
    if (scene->crl_of_other_ca) {
        issuer = issuer == SIM_TDX_PLATFORM_CA ? SIM_TDX_PROCESSOR_CA : SIM_TDX_PLATFORM_CA;
    }
    EVP_PKEY *pck = sim_tdx_pck_key(&scene->pck);
    struct sim_bytes list = sign_list(vendor, issuer, &scene->pck_crl, &pck, scene->revoke_pck ? 1 : 0);
    EVP_PKEY_free(pck);
    return list;
}

struct sim_bytes sim_tdx_root_crl(const struct sim_tdx_vendor *vendor, const struct sim_tdx_scene *scene)
{
    EVP_PKEY *revoked[SIM_TDX_AUTHORITIES];
    size_t count = 0;
    if (scene->revoke_ca) {
        revoked[count++] = vendor->keys[SIM_TDX_PLATFORM_CA];
        revoked[count++] = vendor->keys[SIM_TDX_PROCESSOR_CA];
    }
    if (scene->revoke_signing) {
        revoked[count++] = vendor->keys[SIM_TDX_TCB_SIGNING];
    }
    return sign_list(vendor, SIM_TDX_ROOT, &scene->root_crl, revoked, count);
}

/* --- Raw keys and signatures --- */

bool sim_tdx_sign(EVP_PKEY *key, const uint8_t *bytes, size_t len, uint8_t signature[64])
{
    uint8_t der[128];
    size_t der_len = sizeof der;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good = context && EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
                EVP_DigestSign(context, der, &der_len, bytes, len) == 1;
    EVP_MD_CTX_free(context);
    const uint8_t *at = der;
    ECDSA_SIG *pair = good ? d2i_ECDSA_SIG(NULL, &at, (long)der_len) : NULL;
    good =
        pair && BN_bn2binpad(ECDSA_SIG_get0_r(pair), signature, 32) == 32 && BN_bn2binpad(ECDSA_SIG_get0_s(pair), signature + 32, 32) == 32;
    ECDSA_SIG_free(pair);
    if (!good) {
        ERR_clear_error();
    }
    return good;
}

bool sim_tdx_point(EVP_PKEY *key, uint8_t point[64])
{
    unsigned char *encoded = NULL;
    size_t len = EVP_PKEY_get1_encoded_public_key(key, &encoded);
    bool good = len == 65 && encoded[0] == 4;
    if (good) {
        memcpy(point, encoded + 1, 64);
    }
    OPENSSL_free(encoded);
    return good;
}
