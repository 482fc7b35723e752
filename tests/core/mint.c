/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/core/mint.h"

#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void must(int good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "cannot mint: %s\n", what);
    abort();
}

EVP_PKEY *mint_key(const char *type, unsigned bits)
{
    EVP_PKEY *key;
    if (strcmp(type, "RSA") == 0)
        key = EVP_RSA_gen(bits);
    else if (strcmp(type, "ED25519") == 0 || strcmp(type, "X25519") == 0)
        key = EVP_PKEY_Q_keygen(NULL, NULL, type);
    else
        key = EVP_EC_gen(type);
    must(key != NULL, type);
    return key;
}

struct attestd_key *mint_public(EVP_PKEY *pkey)
{
    uint8_t *der = NULL;
    int len = i2d_PUBKEY(pkey, &der);
    must(len > 0, "public key");
    struct attestd_key *key = attestd_key_from_spki(der, (size_t)len);
    OPENSSL_free(der);
    return key;
}

static EVP_MD_CTX *signing(EVP_PKEY *pkey, const char *md, int salt_len, const char *mgf1)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pctx;
    must(EVP_DigestSignInit_ex(context, &pctx, md, NULL, NULL, pkey, NULL) == 1, "signature");
    if (salt_len > 0) {
        must(EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) == 1, "padding");
        must(EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, salt_len) == 1, "salt");
        must(!mgf1 || EVP_PKEY_CTX_set_rsa_mgf1_md_name(pctx, mgf1, NULL) == 1, "mask");
    }
    return context;
}

size_t mint_signature(EVP_PKEY *pkey, const char *md, int salt_len, const void *message, size_t len, uint8_t *out, size_t size)
{
    EVP_MD_CTX *context = signing(pkey, md, salt_len, NULL);
    must(EVP_DigestSign(context, out, &size, message, len) == 1, "signing");
    EVP_MD_CTX_free(context);
    return size;
}

void mint_raw(const uint8_t *der, size_t len, size_t width, uint8_t *out)
{
    ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &der, (long)len);
    must(signature != NULL, "ECDSA signature");
    BN_bn2binpad(ECDSA_SIG_get0_r(signature), out, (int)width);
    BN_bn2binpad(ECDSA_SIG_get0_s(signature), out + width, (int)width);
    ECDSA_SIG_free(signature);
}

static X509_NAME *name_of(const char *cn)
{
    X509_NAME *name = X509_NAME_new();
    must(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)cn, -1, -1, 0) == 1, "name");
    return name;
}

static X509_EXTENSION *null_extension(const char *oid)
{
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    ASN1_OCTET_STRING *contents = ASN1_OCTET_STRING_new();
    ASN1_OCTET_STRING_set(contents, (const unsigned char *)"\x05\x00", 2);
    X509_EXTENSION *extension = X509_EXTENSION_create_by_OBJ(NULL, object, 1, contents);
    ASN1_OBJECT_free(object);
    ASN1_OCTET_STRING_free(contents);
    must(extension != NULL, oid);
    return extension;
}

static void add(X509 *x509, X509_EXTENSION *extension)
{
    must(extension && X509_add_ext(x509, extension, -1) == 1, "extension");
    X509_EXTENSION_free(extension);
}

static void set_name(X509 *x509, const char *cn, int set(X509 *, const X509_NAME *))
{
    X509_NAME *name = name_of(cn);
    set(x509, name);
    X509_NAME_free(name);
}

uint8_t *mint_der(const struct mint_certificate *m, size_t *len)
{
    X509 *x509 = X509_new();
    X509_set_version(x509, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), m->serial);
    set_name(x509, m->subject, X509_set_subject_name);
    set_name(x509, m->issuer, X509_set_issuer_name);
    ASN1_TIME_set(X509_getm_notBefore(x509), m->from ? m->from : 1000);
    ASN1_TIME_set(X509_getm_notAfter(x509), m->to ? m->to : 2000000000);
    X509_set_pubkey(x509, m->key);
    if (m->basic)
        add(x509, X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, m->basic));
    if (m->usage)
        add(x509, X509V3_EXT_conf_nid(NULL, NULL, NID_key_usage, m->usage));
    for (int i = 0; m->other_oid && i <= m->repeat_other; i++)
        add(x509, null_extension(m->other_oid));
    EVP_MD_CTX *context = signing(m->signer, m->md ? m->md : "SHA384", m->pss_salt, m->mgf1);
    must(X509_sign_ctx(x509, context) > 0, "certificate");
    EVP_MD_CTX_free(context);
    uint8_t *der = NULL;
    int size = i2d_X509(x509, &der);
    must(size > 0, "certificate");
    X509_free(x509);
    *len = (size_t)size;
    return der;
}

struct attestd_certificate *mint_parsed(const struct mint_certificate *m)
{
    size_t len;
    uint8_t *der = mint_der(m, &len);
    struct attestd_certificate *certificate = attestd_certificate_parse(der, len);
    OPENSSL_free(der);
    return certificate;
}

static void add_revoked(X509_CRL *crl, long serial)
{
    X509_REVOKED *entry = X509_REVOKED_new();
    ASN1_INTEGER *number = ASN1_INTEGER_new();
    ASN1_TIME *time = ASN1_TIME_set(NULL, 1500);
    ASN1_INTEGER_set(number, serial);
    X509_REVOKED_set_serialNumber(entry, number);
    X509_REVOKED_set_revocationDate(entry, time);
    must(X509_CRL_add0_revoked(crl, entry) == 1, "entry");
    ASN1_INTEGER_free(number);
    ASN1_TIME_free(time);
}

static void add_crl_extensions(X509_CRL *crl, const struct mint_crl *m)
{
    ASN1_INTEGER *number = ASN1_INTEGER_new();
    ASN1_INTEGER_set(number, m->number);
    if (m->number)
        X509_CRL_add1_ext_i2d(crl, NID_crl_number, number, 0, 0);
    if (m->delta)
        X509_CRL_add1_ext_i2d(crl, NID_delta_crl, number, 1, 0);
    ASN1_INTEGER_free(number);
    if (!m->idp)
        return;
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, NID_issuing_distribution_point, m->idp);
    must(extension && X509_CRL_add_ext(crl, extension, -1) == 1, m->idp);
    X509_EXTENSION_free(extension);
}

uint8_t *mint_crl_der(const struct mint_crl *m, size_t *len)
{
    X509_CRL *crl = X509_CRL_new();
    X509_CRL_set_version(crl, 1);
    X509_NAME *issuer = name_of(m->issuer);
    X509_CRL_set_issuer_name(crl, issuer);
    X509_NAME_free(issuer);
    ASN1_TIME *time = ASN1_TIME_set(NULL, m->from);
    X509_CRL_set1_lastUpdate(crl, time);
    ASN1_TIME_set(time, m->to);
    if (m->to)
        X509_CRL_set1_nextUpdate(crl, time);
    ASN1_TIME_free(time);
    for (size_t i = 0; i < m->serial_count; i++)
        add_revoked(crl, m->serials[i]);
    add_crl_extensions(crl, m);
    EVP_MD_CTX *context = signing(m->signer, m->md ? m->md : "SHA384", m->pss_salt, NULL);
    must(X509_CRL_sign_ctx(crl, context) > 0, "CRL");
    EVP_MD_CTX_free(context);
    uint8_t *der = NULL;
    int size = i2d_X509_CRL(crl, &der);
    must(size > 0, "CRL");
    X509_CRL_free(crl);
    *len = (size_t)size;
    return der;
}
