/* SPDX-License-Identifier: Apache-2.0 */
#include "sdk/simulator/certificate.h"

#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#define OID_SHA384 "2.16.840.1.101.3.4.2.2"
#define OID_MGF1 "1.2.840.113549.1.1.8"
#define OID_RSASSA_PSS "1.2.840.113549.1.1.10"

static void put_hash(struct sim_buffer *b)
{
    size_t hash = sim_der_open(b, SIM_DER_SEQUENCE);
    sim_der_oid(b, OID_SHA384);
    sim_der_put(b, SIM_DER_NULL, NULL, 0);
    sim_der_close(b, hash);
}

/* RFC 4055 section 3.1: SHA-384, MGF1 over SHA-384, salt of 48 bytes. */
static void put_algorithm(struct sim_buffer *b, bool explicit_trailer)
{
    size_t algorithm = sim_der_open(b, SIM_DER_SEQUENCE);
    sim_der_oid(b, OID_RSASSA_PSS);
    size_t parameters = sim_der_open(b, SIM_DER_SEQUENCE);

    size_t part = sim_der_open(b, SIM_DER_CONTEXT + 0);
    put_hash(b);
    sim_der_close(b, part);

    part = sim_der_open(b, SIM_DER_CONTEXT + 1);
    size_t mask = sim_der_open(b, SIM_DER_SEQUENCE);
    sim_der_oid(b, OID_MGF1);
    put_hash(b);
    sim_der_close(b, mask);
    sim_der_close(b, part);

    part = sim_der_open(b, SIM_DER_CONTEXT + 2);
    sim_der_unsigned(b, 48);
    sim_der_close(b, part);

    if (explicit_trailer) {
        part = sim_der_open(b, SIM_DER_CONTEXT + 3);
        sim_der_unsigned(b, 1);
        sim_der_close(b, part);
    }
    sim_der_close(b, parameters);
    sim_der_close(b, algorithm);
}

/* The attributes of AMD's names, in their order and with their string types. */
static void put_name(struct sim_buffer *b, const char *common_name)
{
    const struct {
        const char *oid;
        unsigned tag;
        const char *value;
    } attributes[] = {
        {"2.5.4.11", SIM_DER_UTF8_STRING, "Engineering"},
        {"2.5.4.6", SIM_DER_PRINTABLE_STRING, "US"},
        {"2.5.4.7", SIM_DER_UTF8_STRING, "Santa Clara"},
        {"2.5.4.8", SIM_DER_UTF8_STRING, "CA"},
        {"2.5.4.10", SIM_DER_UTF8_STRING, "Advanced Micro Devices"},
        {"2.5.4.3", SIM_DER_UTF8_STRING, common_name},
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

void sim_put_public_key(struct sim_buffer *b, EVP_PKEY *key)
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(key, &der);
    if (len <= 0) {
        b->failed = true;
        return;
    }
    sim_put(b, der, (size_t)len);
    OPENSSL_free(der);
}

/* Appends the BIT STRING of the signature over the first len bytes of the buffer. */
static void put_signature(struct sim_buffer *b, size_t from, EVP_PKEY *key)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *padding = NULL;
    uint8_t signature[1024];
    size_t len = sizeof signature;
    bool good = !b->failed && context && EVP_DigestSignInit(context, &padding, EVP_sha384(), NULL, key) == 1 &&
                EVP_PKEY_CTX_set_rsa_padding(padding, RSA_PKCS1_PSS_PADDING) == 1 && EVP_PKEY_CTX_set_rsa_pss_saltlen(padding, 48) == 1 &&
                EVP_PKEY_CTX_set_rsa_mgf1_md(padding, EVP_sha384()) == 1 &&
                EVP_DigestSign(context, signature, &len, b->data + from, b->len - from) == 1;
    EVP_MD_CTX_free(context);
    if (!good) {
        ERR_clear_error();
        b->failed = true;
        return;
    }
    sim_der_bits(b, signature, len);
}

/* SEQUENCE { what was signed, algorithm, signature }. */
static struct sim_bytes sign(struct sim_buffer *signed_part, EVP_PKEY *key, bool explicit_trailer)
{
    struct sim_buffer signature = {0};
    sim_put(&signature, signed_part->data, signed_part->len);
    signature.failed |= signed_part->failed;
    size_t before = signature.len;
    put_signature(&signature, 0, key);

    struct sim_buffer whole = {0};
    size_t outer = sim_der_open(&whole, SIM_DER_SEQUENCE);
    sim_put(&whole, signed_part->data, signed_part->len);
    put_algorithm(&whole, explicit_trailer);
    sim_put(&whole, signature.data + before, signature.len - before);
    whole.failed |= signature.failed;
    sim_der_close(&whole, outer);
    free(signature.data);
    free(signed_part->data);
    return sim_buffer_take(&whole);
}

struct sim_bytes sim_certificate_sign(const struct sim_certificate *certificate, EVP_PKEY *issuer_key)
{
    struct sim_buffer b = {0};
    size_t body = sim_der_open(&b, SIM_DER_SEQUENCE);
    size_t version = sim_der_open(&b, SIM_DER_CONTEXT + 0);
    sim_der_unsigned(&b, 2);
    sim_der_close(&b, version);
    sim_der_unsigned(&b, certificate->serial);
    put_algorithm(&b, certificate->explicit_trailer);
    put_name(&b, certificate->issuer);
    size_t validity = sim_der_open(&b, SIM_DER_SEQUENCE);
    sim_der_time(&b, certificate->not_before);
    sim_der_time(&b, certificate->not_after);
    sim_der_close(&b, validity);
    put_name(&b, certificate->subject);
    sim_put_public_key(&b, certificate->key);
    if (certificate->extensions.len) {
        size_t outer = sim_der_open(&b, SIM_DER_CONTEXT + 3);
        sim_der_put(&b, SIM_DER_SEQUENCE, certificate->extensions.data, certificate->extensions.len);
        sim_der_close(&b, outer);
    }
    sim_der_close(&b, body);
    return sign(&b, issuer_key, certificate->explicit_trailer);
}

static void put_revoked(struct sim_buffer *b, const struct sim_revocation_list *list)
{
    if (list->count == 0) {
        return;
    }
    size_t revoked = sim_der_open(b, SIM_DER_SEQUENCE);
    for (size_t i = 0; i < list->count; i++) {
        size_t entry = sim_der_open(b, SIM_DER_SEQUENCE);
        sim_der_unsigned(b, list->serials[i]);
        sim_der_time(b, list->this_update);
        sim_der_close(b, entry);
    }
    sim_der_close(b, revoked);
}

static void put_list_extensions(struct sim_buffer *b, const struct sim_revocation_list *list, EVP_PKEY *issuer_key)
{
    struct sim_buffer number = {0};
    sim_der_unsigned(&number, list->number);
    size_t outer = sim_der_open(b, SIM_DER_CONTEXT + 0);
    size_t extensions = sim_der_open(b, SIM_DER_SEQUENCE);
    sim_extension_authority_key(b, issuer_key);
    sim_extension(b, "2.5.29.20", false, number.data, number.len);
    sim_der_close(b, extensions);
    sim_der_close(b, outer);
    b->failed |= number.failed;
    free(number.data);
}

struct sim_bytes sim_revocation_list_sign(const struct sim_revocation_list *list, EVP_PKEY *issuer_key)
{
    struct sim_buffer b = {0};
    size_t body = sim_der_open(&b, SIM_DER_SEQUENCE);
    sim_der_unsigned(&b, 1);
    put_algorithm(&b, false);
    put_name(&b, list->issuer);
    sim_der_time(&b, list->this_update);
    if (list->next_update) {
        sim_der_time(&b, list->next_update);
    }
    put_revoked(&b, list);
    put_list_extensions(&b, list, issuer_key);
    sim_der_close(&b, body);
    return sign(&b, issuer_key, false);
}

void sim_extension(struct sim_buffer *b, const char *oid, bool critical, const void *value, size_t len)
{
    size_t extension = sim_der_open(b, SIM_DER_SEQUENCE);
    sim_der_oid(b, oid);
    if (critical) {
        sim_der_put(b, SIM_DER_BOOLEAN, "\xff", 1);
    }
    sim_der_put(b, SIM_DER_OCTET_STRING, value, len);
    sim_der_close(b, extension);
}

bool sim_key_identifier(EVP_PKEY *key, uint8_t identifier[20])
{
    unsigned char *der = NULL;
    int len = i2d_PublicKey(key, &der);
    if (len <= 0) {
        ERR_clear_error();
        return false;
    }
    bool good = EVP_Digest(der, (size_t)len, identifier, NULL, EVP_sha1(), NULL) == 1;
    OPENSSL_free(der);
    return good;
}

static void put_key_extension(struct sim_buffer *b, const char *oid, EVP_PKEY *key, bool authority)
{
    uint8_t identifier[20] = {0};
    b->failed |= !sim_key_identifier(key, identifier);
    struct sim_buffer value = {0};
    if (authority) {
        size_t outer = sim_der_open(&value, SIM_DER_SEQUENCE);
        sim_der_put(&value, 0x80, identifier, sizeof identifier);
        sim_der_close(&value, outer);
    } else {
        sim_der_put(&value, SIM_DER_OCTET_STRING, identifier, sizeof identifier);
    }
    sim_extension(b, oid, false, value.data, value.len);
    b->failed |= value.failed;
    free(value.data);
}

void sim_extension_subject_key(struct sim_buffer *b, EVP_PKEY *key)
{
    put_key_extension(b, "2.5.29.14", key, false);
}

void sim_extension_authority_key(struct sim_buffer *b, EVP_PKEY *issuer_key)
{
    put_key_extension(b, "2.5.29.35", issuer_key, true);
}

void sim_extension_ca(struct sim_buffer *b, int path_len)
{
    struct sim_buffer value = {0};
    size_t outer = sim_der_open(&value, SIM_DER_SEQUENCE);
    sim_der_put(&value, SIM_DER_BOOLEAN, "\xff", 1);
    if (path_len >= 0) {
        sim_der_unsigned(&value, (uint64_t)path_len);
    }
    sim_der_close(&value, outer);
    sim_extension(b, "2.5.29.19", true, value.data, value.len);
    b->failed |= value.failed;
    free(value.data);
}

void sim_extension_key_usage(struct sim_buffer *b, uint8_t bits, uint8_t unused)
{
    const uint8_t value[] = {SIM_DER_BIT_STRING, 2, unused, bits};
    sim_extension(b, "2.5.29.15", true, value, sizeof value);
}

void sim_extension_crl_address(struct sim_buffer *b, const char *url)
{
    struct sim_buffer value = {0};
    size_t points = sim_der_open(&value, SIM_DER_SEQUENCE);
    size_t point = sim_der_open(&value, SIM_DER_SEQUENCE);
    size_t name = sim_der_open(&value, SIM_DER_CONTEXT + 0);
    size_t full = sim_der_open(&value, SIM_DER_CONTEXT + 0);
    sim_der_text(&value, 0x86, url); /* uniformResourceIdentifier */
    sim_der_close(&value, full);
    sim_der_close(&value, name);
    sim_der_close(&value, point);
    sim_der_close(&value, points);
    sim_extension(b, "2.5.29.31", false, value.data, value.len);
    b->failed |= value.failed;
    free(value.data);
}
