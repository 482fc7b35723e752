/* SPDX-License-Identifier: Apache-2.0 */
#include "certificates.h"

#include "core/bytes.h"
#include "core/encoding.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OID_STRUCT_VERSION "1.3.6.1.4.1.3704.1.1"
#define OID_PRODUCT_NAME "1.3.6.1.4.1.3704.1.2"
#define OID_HWID "1.3.6.1.4.1.3704.1.4"
#define OID_CSP_ID "1.3.6.1.4.1.3704.1.5"

enum { DER_INTEGER = 0x02, DER_OCTETS = 0x04, DER_UTF8 = 0x0c, DER_IA5 = 0x16, DER_SEQUENCE = 0x30 };

/* The part of a name behind a prefix, as a product. */
static enum snp_product product_behind(const char *name, const char *prefix)
{
    size_t len = strlen(prefix);
    return strncmp(name, prefix, len) == 0 ? snp_product_named(name + len, strlen(name + len)) : SNP_NO_PRODUCT;
}

/* One DER element with a length below 128 and nothing behind it. */
static struct attestd_bytes short_element(struct attestd_bytes der, uint8_t tag)
{
    struct attestd_reader reader = attestd_reader_of(der.data, der.len);
    bool right = attestd_read_u8(&reader) == tag;
    size_t len = attestd_read_u8(&reader);
    struct attestd_bytes contents = attestd_read_bytes(&reader, len);
    if (!right || len > 127 || !attestd_reader_done(&reader))
        return (struct attestd_bytes){NULL, 0};
    return contents;
}

/* An INTEGER of 0 to 255, in its shortest form; else SNP_NO_SPL. */
static uint16_t small_integer(struct attestd_bytes der)
{
    struct attestd_bytes value = short_element(der, DER_INTEGER);
    if (value.len == 1 && value.data[0] < 0x80)
        return value.data[0];
    if (value.len == 2 && value.data[0] == 0 && value.data[1] >= 0x80)
        return value.data[1];
    return SNP_NO_SPL;
}

static void text_extension(const struct attestd_certificate *certificate, const char *oid, char *out, size_t size)
{
    struct attestd_bytes der = attestd_certificate_extension(certificate, oid);
    struct attestd_bytes text = short_element(der, DER_IA5);
    if (text.len == 0)
        text = short_element(der, DER_UTF8);
    out[0] = '\0';
    if (text.len == 0 || text.len >= size)
        return;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < 0x20 || text.data[i] > 0x7e)
            return;
    }
    memcpy(out, text.data, text.len);
    out[text.len] = '\0';
}

/* hwID is raw bytes on every certificate of AMD; some tools wrap it into an OCTET STRING. Its length tells which, never its first byte:
 * that of a chip may be 0x04 as well. */
static void read_hwid(const struct attestd_certificate *certificate, struct snp_vek *vek)
{
    struct attestd_bytes hwid = attestd_certificate_extension(certificate, OID_HWID);
    vek->has_hwid = hwid.data != NULL;
    if (hwid.len == SNP_CHIP_ID_SIZE + 2 || hwid.len == SNP_TURIN_HWID_SIZE + 2)
        hwid = short_element(hwid, DER_OCTETS);
    if (hwid.len != SNP_CHIP_ID_SIZE && hwid.len != SNP_TURIN_HWID_SIZE)
        return;
    memcpy(vek->hwid, hwid.data, hwid.len);
    vek->hwid_len = hwid.len;
}

bool snp_vek_read(const struct attestd_certificate *certificate, struct snp_vek *vek)
{
    const char *subject = attestd_certificate_subject_cn(certificate), *issuer = attestd_certificate_issuer_cn(certificate);
    memset(vek, 0, sizeof *vek);
    vek->vlek = strcmp(subject, "SEV-VLEK") == 0;
    if (!vek->vlek && strcmp(subject, "SEV-VCEK") != 0)
        return false;
    vek->product = product_behind(issuer, vek->vlek ? "SEV-VLEK-" : "SEV-");
    if (vek->product == SNP_NO_PRODUCT)
        return false;
    uint16_t version = small_integer(attestd_certificate_extension(certificate, OID_STRUCT_VERSION));
    vek->struct_version = version == SNP_NO_SPL ? -1 : version;
    text_extension(certificate, OID_PRODUCT_NAME, vek->product_name, sizeof vek->product_name);
    text_extension(certificate, OID_CSP_ID, vek->csp_id, sizeof vek->csp_id);
    vek->has_csp_id = attestd_certificate_extension(certificate, OID_CSP_ID).data != NULL;
    read_hwid(certificate, vek);
    for (size_t i = 0; i < SNP_SPL_COUNT; i++)
        vek->spl[i] = small_integer(attestd_certificate_extension(certificate, snp_components[i].oid));
    return true;
}

/* Decimal, without the cost of a format string: this runs once a verification. */
static char *put_number(char *out, unsigned number)
{
    if (number >= 100)
        *out++ = (char)('0' + number / 100 % 10);
    if (number >= 10)
        *out++ = (char)('0' + number / 10 % 10);
    *out++ = (char)('0' + number % 10);
    return out;
}

static char *put_text(char *out, const char *text)
{
    size_t len = strlen(text);
    memcpy(out, text, len);
    return out + len;
}

void snp_vek_key(char out[SNP_KEY_SIZE], enum snp_product product, const uint8_t *hwid, size_t hwid_len, const uint16_t *spl)
{
    bool first = true;
    out = put_text(out, snp_product_name(product));
    *out++ = '/';
    if (hwid_len > 0) {
        attestd_hex_encode(hwid, hwid_len, out);
        out += 2 * hwid_len;
        *out++ = '/';
    }
    for (int i = 0; i < SNP_SPL_NAMED; i++) {
        if (snp_component_at(product, (enum snp_component)i) < 0)
            continue;
        if (!first)
            *out++ = '&';
        first = false;
        out = put_text(out, snp_components[i].kds);
        *out++ = '=';
        out = put_number(out, spl[i] & 0xffu);
    }
    *out = '\0';
}

/* The key of a VCEK or VLEK by its own extensions; false when they do not make one. */
static bool key_of_vek(const struct snp_vek *vek, char key[SNP_KEY_SIZE])
{
    if (!snp_product_supported(vek->product) || (!vek->vlek && vek->hwid_len == 0))
        return false;
    for (int i = 0; i < SNP_SPL_NAMED; i++) {
        if (snp_component_at(vek->product, (enum snp_component)i) >= 0 && vek->spl[i] == SNP_NO_SPL)
            return false;
    }
    snp_vek_key(key, vek->product, vek->hwid, vek->vlek ? 0 : vek->hwid_len, vek->spl);
    return true;
}

static enum snp_slot slot_of_certificate(const struct attestd_certificate *certificate, enum snp_product *product)
{
    const char *subject = attestd_certificate_subject_cn(certificate);
    struct snp_vek vek;
    if (snp_vek_read(certificate, &vek)) {
        *product = vek.product;
        return vek.vlek ? SNP_SLOT_VLEK : SNP_SLOT_VCEK;
    }
    *product = product_behind(subject, "ARK-");
    if (*product != SNP_NO_PRODUCT)
        return SNP_SLOT_ROOT;
    *product = product_behind(subject, "SEV-VLEK-");
    if (*product == SNP_NO_PRODUCT)
        *product = product_behind(subject, "SEV-");
    return *product == SNP_NO_PRODUCT ? SNP_SLOT_ANY : SNP_SLOT_INTERMEDIATE;
}

static enum snp_slot slot_of_list(const uint8_t *der, size_t len, enum snp_product *product)
{
    struct attestd_crl *crl = attestd_crl_parse(der, len);
    if (!crl)
        return SNP_SLOT_ANY;
    *product = product_behind(attestd_crl_issuer_cn(crl), "ARK-");
    attestd_crl_free(crl);
    return *product == SNP_NO_PRODUCT ? SNP_SLOT_ANY : SNP_SLOT_CRL;
}

enum snp_slot snp_slot_of_der(const uint8_t *der, size_t len, enum snp_product *product)
{
    struct attestd_certificate *certificate = attestd_certificate_parse(der, len);
    if (!certificate)
        return slot_of_list(der, len, product);
    enum snp_slot slot = slot_of_certificate(certificate, product);
    attestd_certificate_free(certificate);
    return slot;
}

void snp_identify(const uint8_t *bytes, size_t len, attestd_identified *found, void *context)
{
    struct attestd_certificate *certificate = attestd_certificate_parse(bytes, len);
    enum snp_product product = SNP_NO_PRODUCT;
    struct snp_vek vek;
    char key[SNP_KEY_SIZE];
    if (!certificate) {
        if (slot_of_list(bytes, len, &product) == SNP_SLOT_CRL)
            found(context, SNP_KIND_CRL, snp_product_name(product));
        return;
    }
    switch (slot_of_certificate(certificate, &product)) {
    case SNP_SLOT_ROOT:
        found(context, SNP_KIND_ARK, snp_product_name(product));
        break;
    case SNP_SLOT_INTERMEDIATE:
        found(context, strncmp(attestd_certificate_subject_cn(certificate), "SEV-VLEK-", 9) == 0 ? SNP_KIND_ASVK : SNP_KIND_ASK,
              snp_product_name(product));
        break;
    case SNP_SLOT_VCEK:
    case SNP_SLOT_VLEK:
        if (snp_vek_read(certificate, &vek) && key_of_vek(&vek, key))
            found(context, vek.vlek ? SNP_KIND_VLEK : SNP_KIND_VCEK, key);
        break;
    default:
        break;
    }
    attestd_certificate_free(certificate);
}

/* --- enclosed certificates --- */

struct gathering {
    struct snp_enclosed *out;
    size_t size;        /* of out->der */
    enum snp_slot slot; /* the table's word; SNP_SLOT_ANY: by the names */
    size_t seen;        /* objects, AMD's or not: each costs a parse */
};

static void gather(void *context, const uint8_t *der, size_t len)
{
    struct gathering *gathering = context;
    struct snp_enclosed *out = gathering->out;
    enum snp_product product = SNP_NO_PRODUCT;
    if (gathering->seen++ >= SNP_ENCLOSED_MAX || len > gathering->size - out->der_len)
        return;
    enum snp_slot slot = snp_slot_of_der(der, len, &product);
    if (slot == SNP_SLOT_ANY)
        return;
    if (gathering->slot != SNP_SLOT_ANY)
        slot = gathering->slot;
    memcpy(out->der + out->der_len, der, len);
    out->items[out->count++] = (struct snp_enclosed_item){slot, product, out->der_len, len};
    out->der_len += len;
}

/* Length of the DER SEQUENCE at the start of the bytes; 0: there is none. */
static size_t sequence_size(const uint8_t *bytes, size_t len)
{
    struct attestd_reader reader = attestd_reader_of(bytes, len);
    bool sequence = attestd_read_u8(&reader) == DER_SEQUENCE;
    size_t size = attestd_read_u8(&reader);
    if (size > 0x80 && size <= 0x83) {
        size_t octets = size - 0x80;
        for (size = 0; octets > 0; octets--)
            size = size << 8 | attestd_read_u8(&reader);
    } else if (size >= 0x80) {
        return 0;
    }
    if (!sequence || reader.failed || size > attestd_reader_left(&reader))
        return 0;
    return reader.at + size;
}

static bool gather_der(struct gathering *gathering, const uint8_t *bytes, size_t len)
{
    while (len > 0) {
        size_t size = sequence_size(bytes, len);
        if (size == 0)
            return false;
        gather(gathering, bytes, size);
        bytes += size;
        len -= size;
    }
    return true;
}

static bool begins_pem(const uint8_t *bytes, size_t len)
{
    while (len > 0 && (*bytes == ' ' || *bytes == '\t' || *bytes == '\r' || *bytes == '\n')) {
        bytes++;
        len--;
    }
    return len > 11 && memcmp(bytes, "-----BEGIN ", 11) == 0;
}

static const char *gather_table(struct gathering *gathering, const uint8_t *bytes, size_t len, size_t *at)
{
    struct snp_table table;
    const char *code = snp_table_read(bytes, len, &table, at);
    if (code)
        return snp_table_begins(bytes, len) ? code : "SNP_CERTS_FORMAT";
    for (size_t i = 0; i < table.count; i++) {
        gathering->slot = table.entries[i].slot;
        attestd_pem_or_der_split(table.entries[i].bytes.data, table.entries[i].bytes.len, gather, gathering);
    }
    return NULL;
}

bool snp_enclosed_recognise(const uint8_t *bytes, size_t len)
{
    return snp_table_begins(bytes, len) || begins_pem(bytes, len) || sequence_size(bytes, len) > 0;
}

const char *snp_enclosed_read(const uint8_t *bytes, size_t len, struct snp_enclosed **out, size_t *at)
{
    struct gathering gathering = {.out = NULL, .size = len, .slot = SNP_SLOT_ANY};
    const char *code = NULL;
    *at = 0;
    *out = NULL;
    if (len > SNP_CERTS_MAX)
        return "SNP_CERTS_TOO_LARGE";
    gathering.out = calloc(1, sizeof **out + len);
    if (!gathering.out)
        return NULL;
    if (begins_pem(bytes, len))
        code = attestd_pem_or_der_split(bytes, len, gather, &gathering) < 0 ? "SNP_CERTS_FORMAT" : NULL;
    else if (sequence_size(bytes, len) > 0)
        code = gather_der(&gathering, bytes, len) ? NULL : "SNP_CERTS_FORMAT";
    else
        code = gather_table(&gathering, bytes, len, at);
    if (code) {
        free(gathering.out);
        return code;
    }
    *out = gathering.out;
    return NULL;
}

void snp_enclosed_free(void *enclosed)
{
    free(enclosed);
}

size_t snp_enclosed_size(const struct snp_enclosed *enclosed)
{
    return sizeof *enclosed + enclosed->der_len;
}
