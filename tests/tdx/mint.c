/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/tdx/mint.h"

#include "sdk/simulator/certificate.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define YEAR INT64_C(31557600)
#define OID_ECDSA_SHA256 "1.2.840.10045.4.3.2"
#define ROOT_BEGIN INT64_C(1577836800) /* 2020 */
#define ROOT_END INT64_C(2493072000)   /* 2049 */
#define OID_SGX "1.2.840.113741.1.13.1"

enum { SERIAL_ROOT = 1, SERIAL_CA = 2, SERIAL_SIGNER = 3, SERIAL_PCK = 4 };

struct sim_dcap_vendor {
    EVP_PKEY *root, *ca, *signer, *pck, *attestation;
    struct sim_bytes root_der; /* signatures are random: one root, one certificate */
};

static struct sim_bytes mint_root(const struct sim_dcap_vendor *v);

struct sim_dcap_vendor *sim_dcap_vendor_new(void)
{
    struct sim_dcap_vendor *v = calloc(1, sizeof *v);
    if (!v)
        return NULL;
    EVP_PKEY **const keys[] = {&v->root, &v->ca, &v->signer, &v->pck, &v->attestation};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        *keys[i] = EVP_EC_gen("P-256");
        if (*keys[i])
            continue;
        ERR_clear_error();
        sim_dcap_vendor_free(v);
        return NULL;
    }
    v->root_der = mint_root(v);
    if (v->root_der.len)
        return v;
    sim_dcap_vendor_free(v);
    return NULL;
}

void sim_dcap_vendor_free(struct sim_dcap_vendor *v)
{
    if (!v)
        return;
    EVP_PKEY_free(v->root);
    EVP_PKEY_free(v->ca);
    EVP_PKEY_free(v->signer);
    EVP_PKEY_free(v->pck);
    EVP_PKEY_free(v->attestation);
    free(v->root_der.data);
    free(v);
}

static const uint8_t vendor_id[16] = {0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9, 0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07};

void sim_dcap_default(struct sim_dcap *d, bool td, int64_t time)
{
    static const uint8_t fmspc[6] = {0x51, 0x4d, 0x55, 0, 0, 0};
    *d = (struct sim_dcap){.td = td, .version = td ? 4 : 3, .time = time, .certification = 5, .pcesvn = 13, .qe_svn = 8, .svn = 1};
    memcpy(d->qe_vendor_id, vendor_id, 16);
    memcpy(d->fmspc, fmspc, 6);
    memcpy(d->info_fmspc, fmspc, 6);
    for (uint16_t i = 0; i < 8; i++)
        d->components[i] = (uint16_t)(2 + i);
    d->tee_tcb_svn[0] = d->tee_tcb_svn2[0] = 5;
    d->tee_tcb_svn[1] = d->tee_tcb_svn2[1] = 1;
    d->tee_tcb_svn[2] = d->tee_tcb_svn2[2] = 3;
    d->td_attributes[3] = 0x10; /* SEPT_VE_DISABLE */
    d->xfam[0] = 0xe7;
    d->attributes[0] = 5; /* INIT, MODE64BIT */
    d->qe_attributes[0] = 0x15;
    d->qe_prod_id = td ? 2 : 1;
    memset(d->mrtd, 0x11, 48);
    memset(d->mrenclave, 0x22, 32);
    memset(d->mrsigner, 0x33, 32);
    memset(d->qe_mrsigner, 0x44, 32);
    memset(d->ppid, 0x55, 16);
    memset(d->piid, 0x66, 16);
    d->status = d->module_status = d->qe_status = "UpToDate";
    d->date = "2026-01-01T00:00:00Z";
    d->evaluation_number = 20;
    d->info_issue = d->identity_issue = d->crl_this = -86400;
    d->info_next = d->identity_next = d->crl_next = 29 * INT64_C(86400);
}

/* --- signatures --- */

/* ECDSA over SHA-256: as DER, and as r, s. */
static bool sign_der(EVP_PKEY *key, const void *bytes, size_t len, uint8_t der[80], size_t *der_len)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    *der_len = 80;
    bool good = context && EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
                EVP_DigestSign(context, der, der_len, bytes, len) == 1;
    EVP_MD_CTX_free(context);
    if (!good)
        ERR_clear_error();
    return good;
}

static bool sign_raw(EVP_PKEY *key, const void *bytes, size_t len, uint8_t raw[64])
{
    uint8_t der[80];
    size_t der_len;
    const unsigned char *at = der;
    if (!sign_der(key, bytes, len, der, &der_len))
        return false;
    ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &at, (long)der_len);
    bool good = signature && BN_bn2binpad(ECDSA_SIG_get0_r(signature), raw, 32) == 32 &&
                BN_bn2binpad(ECDSA_SIG_get0_s(signature), raw + 32, 32) == 32;
    ECDSA_SIG_free(signature);
    return good;
}

/* --- certificates and lists --- */

static void put_algorithm(struct sim_buffer *b)
{
    size_t algorithm = sim_der_open(b, SIM_DER_SEQUENCE);
    sim_der_oid(b, OID_ECDSA_SHA256);
    sim_der_close(b, algorithm);
}

static void put_name(struct sim_buffer *b, const char *common_name)
{
    const char *const values[][2] = {{"2.5.4.3", common_name}, {"2.5.4.10", "Intel Corporation"}, {"2.5.4.7", "Santa Clara"}};
    size_t name = sim_der_open(b, SIM_DER_SEQUENCE);
    for (size_t i = 0; i < 3; i++) {
        size_t set = sim_der_open(b, SIM_DER_SET), pair = sim_der_open(b, SIM_DER_SEQUENCE);
        sim_der_oid(b, values[i][0]);
        sim_der_text(b, SIM_DER_UTF8_STRING, values[i][1]);
        sim_der_close(b, pair);
        sim_der_close(b, set);
    }
    sim_der_close(b, name);
}

static struct sim_bytes seal(struct sim_buffer *body, EVP_PKEY *key)
{
    uint8_t signature[80];
    size_t len = 0;
    struct sim_buffer whole = {0};
    whole.failed = body->failed || !sign_der(key, body->data, body->len, signature, &len);
    size_t outer = sim_der_open(&whole, SIM_DER_SEQUENCE);
    sim_put(&whole, body->data, body->len);
    put_algorithm(&whole);
    sim_der_bits(&whole, signature, len);
    sim_der_close(&whole, outer);
    free(body->data);
    return sim_buffer_take(&whole);
}

struct plan {
    uint64_t serial;
    const char *issuer, *subject;
    int64_t not_before, not_after;
    EVP_PKEY *key, *issuer_key;
    bool ca;
    struct sim_bytes sgx; /* value of the SGX extension, or none */
};

static struct sim_bytes certificate(const struct plan *plan)
{
    struct sim_buffer b = {0}, extensions = {0};
    unsigned char *spki = NULL;
    int spki_len = i2d_PUBKEY(plan->key, &spki);
    sim_extension_authority_key(&extensions, plan->issuer_key);
    sim_extension_subject_key(&extensions, plan->key);
    sim_extension_key_usage(&extensions, plan->ca ? 0x06 : 0xc0, plan->ca ? 1 : 6);
    if (plan->ca)
        sim_extension_ca(&extensions, plan->key == plan->issuer_key ? 1 : 0);
    if (plan->sgx.len)
        sim_extension(&extensions, OID_SGX, false, plan->sgx.data, plan->sgx.len);
    size_t body = sim_der_open(&b, SIM_DER_SEQUENCE), version = sim_der_open(&b, SIM_DER_CONTEXT + 0);
    sim_der_unsigned(&b, 2);
    sim_der_close(&b, version);
    sim_der_unsigned(&b, plan->serial);
    put_algorithm(&b);
    put_name(&b, plan->issuer);
    size_t validity = sim_der_open(&b, SIM_DER_SEQUENCE);
    sim_der_time(&b, plan->not_before);
    sim_der_time(&b, plan->not_after);
    sim_der_close(&b, validity);
    put_name(&b, plan->subject);
    sim_put(&b, spki, spki_len > 0 ? (size_t)spki_len : 0);
    size_t outer = sim_der_open(&b, SIM_DER_CONTEXT + 3);
    sim_der_put(&b, SIM_DER_SEQUENCE, extensions.data, extensions.len);
    sim_der_close(&b, outer);
    sim_der_close(&b, body);
    b.failed |= extensions.failed || spki_len <= 0;
    OPENSSL_free(spki);
    free(extensions.data);
    return seal(&b, plan->issuer_key);
}

static const char *const root_name = "Intel SGX Root CA";

static const char *ca_name(const struct sim_dcap *d)
{
    return d->processor_ca ? "Intel SGX PCK Processor CA" : "Intel SGX PCK Platform CA";
}

static struct sim_bytes mint_root(const struct sim_dcap_vendor *v)
{
    const struct plan plan = {SERIAL_ROOT, root_name, root_name, ROOT_BEGIN, ROOT_END, v->root, v->root, true, {NULL, 0}};
    return certificate(&plan);
}

struct sim_bytes sim_dcap_root(const struct sim_dcap_vendor *v)
{
    return sim_bytes_copy(v->root_der.data, v->root_der.len);
}

struct sim_bytes sim_dcap_root_reissued(const struct sim_dcap_vendor *v)
{
    return mint_root(v);
}

struct sim_bytes sim_dcap_pck_ca(const struct sim_dcap_vendor *v, const struct sim_dcap *d)
{
    const struct plan plan = {SERIAL_CA, root_name, ca_name(d), d->time - YEAR, d->time + 10 * YEAR, v->ca, v->root, true, {NULL, 0}};
    return certificate(&plan);
}

static struct sim_bytes signer_certificate(const struct sim_dcap_vendor *v, const struct sim_dcap *d)
{
    const struct plan plan = {SERIAL_SIGNER,
                              root_name,
                              "Intel SGX TCB Signing",
                              d->signer_not_before ? d->signer_not_before : d->time - YEAR,
                              d->signer_not_after ? d->signer_not_after : d->time + 7 * YEAR,
                              v->signer,
                              v->root,
                              false,
                              {NULL, 0}};
    return certificate(&plan);
}

static void field_open(struct sim_buffer *b, size_t *mark, const char *suffix)
{
    char oid[64];
    snprintf(oid, sizeof oid, "%s.%s", OID_SGX, suffix);
    *mark = sim_der_open(b, SIM_DER_SEQUENCE);
    sim_der_oid(b, oid);
}

static void octets_field(struct sim_buffer *b, const char *suffix, const void *bytes, size_t len)
{
    size_t mark;
    field_open(b, &mark, suffix);
    sim_der_put(b, SIM_DER_OCTET_STRING, bytes, len);
    sim_der_close(b, mark);
}

static void number_field(struct sim_buffer *b, unsigned index, unsigned value)
{
    char suffix[8];
    size_t mark;
    snprintf(suffix, sizeof suffix, "2.%u", index);
    field_open(b, &mark, suffix);
    sim_der_unsigned(b, value);
    sim_der_close(b, mark);
}

static struct sim_bytes sgx_extension(const struct sim_dcap *d)
{
    struct sim_buffer b = {0};
    uint8_t cpusvn[16];
    size_t mark, all = sim_der_open(&b, SIM_DER_SEQUENCE);
    octets_field(&b, "1", d->ppid, 16);
    field_open(&b, &mark, "2");
    size_t tcb = sim_der_open(&b, SIM_DER_SEQUENCE);
    for (unsigned i = 0; i < 16; i++) {
        cpusvn[i] = (uint8_t)d->components[i];
        number_field(&b, i + 1, d->components[i]);
    }
    number_field(&b, 17, d->pcesvn);
    octets_field(&b, "2.18", cpusvn, 16);
    sim_der_close(&b, tcb);
    sim_der_close(&b, mark);
    octets_field(&b, "3", d->pceid, 2);
    octets_field(&b, "4", d->fmspc, 6);
    field_open(&b, &mark, "5");
    sim_der_put(&b, 0x0a, "\x01", 1);
    sim_der_close(&b, mark);
    if (!d->processor_ca)
        octets_field(&b, "6", d->piid, 16);
    sim_der_close(&b, all);
    return sim_buffer_take(&b);
}

struct sim_bytes sim_dcap_pck(const struct sim_dcap_vendor *v, const struct sim_dcap *d)
{
    struct sim_bytes none = {NULL, 0}, extension = d->no_extension ? none : sgx_extension(d);
    const struct plan plan = {SERIAL_PCK,
                              ca_name(d),
                              "Intel SGX PCK Certificate",
                              d->pck_not_before ? d->pck_not_before : d->time - YEAR,
                              d->pck_not_after ? d->pck_not_after : d->time + 7 * YEAR,
                              v->pck,
                              v->ca,
                              d->leaf_is_ca,
                              extension};
    struct sim_bytes der = certificate(&plan);
    free(extension.data);
    return der;
}

static struct sim_bytes list(const struct sim_dcap *d, const char *issuer, EVP_PKEY *key, uint64_t revoked)
{
    struct sim_buffer b = {0}, number = {0};
    size_t body = sim_der_open(&b, SIM_DER_SEQUENCE);
    sim_der_unsigned(&b, 1);
    put_algorithm(&b);
    put_name(&b, issuer);
    sim_der_time(&b, d->time + d->crl_this);
    if (d->crl_next)
        sim_der_time(&b, d->time + d->crl_next);
    if (revoked) {
        size_t all = sim_der_open(&b, SIM_DER_SEQUENCE), entry = sim_der_open(&b, SIM_DER_SEQUENCE);
        sim_der_unsigned(&b, revoked);
        sim_der_time(&b, d->time + d->crl_this);
        sim_der_close(&b, entry);
        sim_der_close(&b, all);
    }
    sim_der_unsigned(&number, 1);
    size_t outer = sim_der_open(&b, SIM_DER_CONTEXT + 0), extensions = sim_der_open(&b, SIM_DER_SEQUENCE);
    sim_extension_authority_key(&b, key);
    sim_extension(&b, "2.5.29.20", false, number.data, number.len);
    sim_der_close(&b, extensions);
    sim_der_close(&b, outer);
    sim_der_close(&b, body);
    free(number.data);
    return seal(&b, key);
}

static bool revokes(const struct sim_dcap *d, const char *what)
{
    return d->revoke && strcmp(d->revoke, what) == 0;
}

struct sim_bytes sim_dcap_pck_crl(const struct sim_dcap_vendor *v, const struct sim_dcap *d)
{
    return list(d, ca_name(d), v->ca, revokes(d, "pck") ? SERIAL_PCK : 0);
}

struct sim_bytes sim_dcap_root_crl(const struct sim_dcap_vendor *v, const struct sim_dcap *d)
{
    return list(d, root_name, v->root, revokes(d, "ca") ? SERIAL_CA : revokes(d, "signer") ? SERIAL_SIGNER : 0);
}

/* --- signed JSON --- */

__attribute__((format(printf, 2, 3))) static void print(struct sim_buffer *b, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (len < 0 || (size_t)len >= sizeof text)
        b->failed = true;
    else
        sim_put(b, text, (size_t)len);
}

static void print_hex(struct sim_buffer *b, const char *name, const uint8_t *bytes, size_t len)
{
    print(b, "\"%s\":\"", name);
    for (size_t i = 0; i < len; i++)
        print(b, "%02X", bytes[i]);
    print(b, "\",");
}

static void print_time(struct sim_buffer *b, const char *name, int64_t seconds)
{
    time_t at = (time_t)seconds;
    struct tm tm;
    char text[32];
    gmtime_r(&at, &tm);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    print(b, "\"%s\":\"%s\",", name, text);
}

static void print_verdict(struct sim_buffer *b, const struct sim_dcap *d, const char *status)
{
    print(b, "\"tcbDate\":\"%s\",\"tcbStatus\":\"%s\"", d->date, status);
    if (d->advisory)
        print(b, ",\"advisoryIDs\":[\"%s\"]", d->advisory);
}

static void print_components(struct sim_buffer *b, const char *name, const uint16_t *svns)
{
    print(b, "\"%s\":[", name);
    for (size_t i = 0; i < 16; i++)
        print(b, "%s{\"svn\":%u}", i ? "," : "", svns[i]);
    print(b, "],");
}

static void print_level(struct sim_buffer *b, const struct sim_dcap *d, unsigned tdx_component, const char *status)
{
    uint16_t tdx[16] = {0};
    for (size_t i = 2; i < 16; i++)
        tdx[i] = d->tee_tcb_svn[i];
    tdx[2] = (uint16_t)tdx_component;
    print(b, "{\"tcb\":{");
    print_components(b, "sgxtcbcomponents", d->components);
    print_components(b, "tdxtcbcomponents", tdx); /* not looked at for enclaves */
    print(b, "\"pcesvn\":%u},", d->pcesvn + (d->level_above ? 1u : 0u));
    print_verdict(b, d, status);
    print(b, "}");
}

static void print_modules(struct sim_buffer *b, const struct sim_dcap *d)
{
    static const char zeros[] = "000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000";
    static const char form[] = "\"mrsigner\":\"%s\",\"attributes\":\"0000000000000000\",\"attributesMask\":\"FFFFFFFFFFFFFFFF\"";
    print(b, "\"tdxModule\":{");
    print(b, form, zeros);
    print(b, "},\"tdxModuleIdentities\":[{\"id\":\"TDX_%02X\",", d->tee_tcb_svn[1] + (d->module_missing ? 1 : 0));
    print(b, form, zeros);
    print(b, ",\"tcbLevels\":[");
    if (d->module_svn_current)
        print(b, "{\"tcb\":{\"isvsvn\":%u},\"tcbDate\":\"%s\",\"tcbStatus\":\"UpToDate\"},", d->module_svn_current, d->date);
    print(b, "{\"tcb\":{\"isvsvn\":%u},", d->tee_tcb_svn[0] + (d->module_above ? 1u : 0u));
    print_verdict(b, d, d->module_status);
    print(b, "}]}],");
}

/* {"<name>": <body>, "signature": "<hex>", "issuer_chain": "<PEM>"} */
static struct sim_bytes answer(const struct sim_dcap_vendor *v, const struct sim_dcap *d, const char *name, struct sim_buffer *body,
                               bool no_chain)
{
    struct sim_buffer b = {0};
    uint8_t signature[64] = {0};
    b.failed = body->failed || !sign_raw(v->signer, body->data, body->len, signature);
    print(&b, "{\"%s\":", name);
    sim_put(&b, body->data, body->len);
    free(body->data);
    print(&b, ",");
    if (!no_chain) {
        struct sim_bytes der = signer_certificate(v, d), pem = sim_pem(der, "CERTIFICATE");
        print(&b, "\"issuer_chain\":\"");
        for (size_t i = 0; i < pem.len; i++)
            print(&b, pem.data[i] == '\n' ? "\\n" : "%c", pem.data[i]);
        print(&b, "\",");
        free(der.data);
        free(pem.data);
    }
    print_hex(&b, "signature", signature, 64);
    b.len--; /* the comma behind the last member */
    print(&b, "}");
    return sim_buffer_take(&b);
}

struct sim_bytes sim_dcap_tcb_info(const struct sim_dcap_vendor *v, const struct sim_dcap *d)
{
    struct sim_buffer b = {0};
    bool tdx = d->info_id ? strcmp(d->info_id, "TDX") == 0 : d->td;
    print(&b, "{\"id\":\"%s\",\"version\":%d,", d->info_id ? d->info_id : d->td ? "TDX" : "SGX", d->info_version_4 ? 4 : 3);
    print_time(&b, "issueDate", d->time + d->info_issue);
    print_time(&b, "nextUpdate", d->time + d->info_next);
    print_hex(&b, "fmspc", d->info_fmspc, 6);
    print_hex(&b, "pceId", d->info_pceid, 2);
    print(&b, "\"tcbType\":0,\"tcbEvaluationDataNumber\":%lld,", (long long)d->evaluation_number);
    if (tdx)
        print_modules(&b, d);
    print(&b, "\"tcbLevels\":[");
    if (d->tdx_current) {
        print_level(&b, d, d->tdx_current, "UpToDate");
        print(&b, ",");
    }
    print_level(&b, d, d->tee_tcb_svn[2], d->status);
    print(&b, "]}");
    return answer(v, d, "tcbInfo", &b, d->info_no_chain);
}

struct sim_bytes sim_dcap_identity(const struct sim_dcap_vendor *v, const struct sim_dcap *d)
{
    static const uint8_t attributes[16] = {0x11}, mask[16] = {0xfb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    uint8_t mrsigner[32];
    struct sim_buffer b = {0};
    memset(mrsigner, 0x44, 32);
    print(&b, "{\"id\":\"%s\",\"version\":%d,", d->identity_id ? d->identity_id : d->td ? "TD_QE" : "QE", d->identity_version_3 ? 3 : 2);
    print_time(&b, "issueDate", d->time + d->identity_issue);
    print_time(&b, "nextUpdate", d->time + d->identity_next);
    print(&b, "\"tcbEvaluationDataNumber\":%lld,\"miscselect\":\"00000000\",\"miscselectMask\":\"FFFFFFFF\",",
          (long long)d->evaluation_number);
    print_hex(&b, "attributes", attributes, 16);
    print_hex(&b, "attributesMask", mask, 16);
    print_hex(&b, "mrsigner", mrsigner, 32);
    print(&b, "\"isvprodid\":%d,\"tcbLevels\":[{\"tcb\":{\"isvsvn\":%u},", d->td ? 2 : 1, d->qe_svn + (d->qe_above ? 1u : 0u));
    print_verdict(&b, d, d->qe_status);
    print(&b, "}]}");
    return answer(v, d, "enclaveIdentity", &b, d->identity_no_chain);
}

/* --- quotes --- */

static void put_le(struct sim_buffer *b, uint64_t value, size_t size)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(value >> 8 * i);
    sim_put(b, bytes, size);
}

static void put_zeros(struct sim_buffer *b, size_t len)
{
    static const uint8_t zeros[128];
    sim_put(b, zeros, len);
}

static void put_enclave(struct sim_buffer *b, const struct sim_dcap *d, const uint8_t report_data[64], bool qe)
{
    put_zeros(b, 16);
    put_le(b, qe ? d->qe_miscselect : 0, 4);
    put_le(b, qe ? 0 : d->body_reserved, 1);
    put_zeros(b, 27);
    sim_put(b, qe ? d->qe_attributes : d->attributes, 16);
    sim_put(b, d->mrenclave, 32);
    put_zeros(b, 32);
    sim_put(b, qe ? d->qe_mrsigner : d->mrsigner, 32);
    put_zeros(b, 96);
    put_le(b, qe ? d->qe_prod_id : d->prod_id, 2);
    put_le(b, qe ? d->qe_svn : d->svn, 2);
    put_zeros(b, 60);
    sim_put(b, report_data, 64);
}

static void put_td(struct sim_buffer *b, const struct sim_dcap *d)
{
    sim_put(b, d->tee_tcb_svn, 16);
    put_zeros(b, 48); /* mrseam */
    sim_put(b, d->mrsignerseam, 48);
    sim_put(b, d->seam_attributes, 8);
    sim_put(b, d->td_attributes, 8);
    sim_put(b, d->xfam, 8);
    sim_put(b, d->mrtd, 48);
    put_zeros(b, 48);
    put_zeros(b, 48);
    put_zeros(b, 48);
    for (size_t i = 0; i < 4; i++)
        sim_put(b, d->rtmr[i], 48);
    sim_put(b, d->report_data, 64);
    if (!d->td15)
        return;
    sim_put(b, d->tee_tcb_svn2, 16);
    sim_put(b, d->mrservicetd, 48);
}

static void put_pem(struct sim_buffer *b, struct sim_bytes der)
{
    struct sim_bytes pem = sim_pem(der, "CERTIFICATE");
    b->failed |= pem.len == 0;
    sim_put(b, pem.data, pem.len);
    free(pem.data);
    free(der.data);
}

static void put_certification(struct sim_buffer *b, const struct sim_dcap_vendor *v, const struct sim_dcap *d)
{
    struct sim_buffer data = {0};
    if (d->certification == 5) {
        if (d->reversed_chain)
            put_pem(&data, sim_dcap_root(v));
        put_pem(&data, d->reversed_chain ? sim_dcap_pck_ca(v, d) : sim_dcap_pck(v, d));
        put_pem(&data, d->reversed_chain ? sim_dcap_pck(v, d) : sim_dcap_pck_ca(v, d));
        if (!d->reversed_chain)
            put_pem(&data, sim_dcap_root(v));
    } else if (d->certification == 4) {
        put_pem(&data, sim_dcap_pck(v, d));
    } else {
        for (size_t i = 0; i < 3; i++)
            put_zeros(&data, 128);
        put_zeros(&data, 16);
        put_le(&data, d->pcesvn, 2);
        sim_put(&data, d->pceid, 2);
    }
    put_le(b, d->certification, 2);
    put_le(b, data.len, 4);
    sim_put(b, data.data, data.len);
    b->failed |= data.failed;
    free(data.data);
}

static bool point_of(EVP_PKEY *key, uint8_t xy[64])
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(key, &der);
    if (len >= 64)
        memcpy(xy, der + len - 64, 64);
    OPENSSL_free(der);
    return len >= 64;
}

static void put_qe(struct sim_buffer *b, const struct sim_dcap_vendor *v, const struct sim_dcap *d, const uint8_t xy[64])
{
    uint8_t bound[96], report_data[64] = {0}, signature[64];
    struct sim_buffer report = {0};
    memcpy(bound, xy, 64);
    for (uint8_t i = 0; i < 32; i++)
        bound[64 + i] = i;
    b->failed |= EVP_Digest(bound, sizeof bound, report_data, NULL, EVP_sha256(), NULL) != 1;
    put_enclave(&report, d, report_data, true);
    b->failed |= report.failed || !sign_raw(v->pck, report.data, report.len, signature);
    sim_put(b, report.data, report.len);
    sim_put(b, signature, 64);
    put_le(b, 32, 2);
    sim_put(b, bound + 64, 32);
    free(report.data);
    put_certification(b, v, d);
}

struct sim_bytes sim_dcap_quote(const struct sim_dcap_vendor *v, const struct sim_dcap *d)
{
    struct sim_buffer b = {0}, qe = {0};
    uint8_t user_data[20] = {1, 2, 3}, signature[64] = {0}, xy[64] = {0};
    put_le(&b, d->version, 2);
    put_le(&b, 2, 2);
    put_le(&b, d->td ? 0x81 : 0, 4);
    put_le(&b, d->header_word, 4);
    sim_put(&b, d->qe_vendor_id, 16);
    sim_put(&b, user_data, 20);
    if (d->version == 5) {
        put_le(&b, !d->td ? 1 : d->td15 ? 3 : 2, 2);
        put_le(&b, !d->td ? 384 : d->td15 ? 648 : 584, 4);
    }
    if (d->td)
        put_td(&b, d);
    else
        put_enclave(&b, d, d->report_data, false);
    b.failed |= !sign_raw(v->attestation, b.data, b.len, signature) || !point_of(v->attestation, xy);
    put_qe(&qe, v, d, xy);
    size_t wrapped = d->version == 3 ? 0 : 6;
    put_le(&b, 128 + wrapped + qe.len, 4);
    sim_put(&b, signature, 64);
    sim_put(&b, xy, 64);
    if (wrapped) {
        put_le(&b, 6, 2);
        put_le(&b, qe.len, 4);
    }
    sim_put(&b, qe.data, qe.len);
    b.failed |= qe.failed;
    free(qe.data);
    return sim_buffer_take(&b);
}
