/* SPDX-License-Identifier: Apache-2.0 */
#include "core/certificate.h"

#include "core/certificate_parts.h"
#include "core/digest.h"
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LARGEST_CERTIFICATE = 16 * 1024, MOST_EXTENSIONS = 64, DEEPEST_DER = 32 };

struct attestd_certificate {
    atomic_uint references;
    X509 *x509;
    uint8_t *der;
    size_t der_len;
    uint8_t digest[32];
    struct attestd_key *key;
    char *subject_cn, *issuer_cn;
    int64_t not_before, not_after;
    struct certificate_constraints constraints;
};

/* DER (X.690 section 10): OpenSSL reads BER, in which one certificate has many encodings and so many digests. */

struct der_head {
    uint8_t tag;
    const uint8_t *contents;
    size_t len;
};

/* The head of the value at the start of len bytes; false unless tag is low, the length shortest, and all of it there. */
static bool der_head(const uint8_t *der, size_t len, struct der_head *head)
{
    if (len < 2 || (der[0] & 0x1f) == 0x1f)
        return false;
    size_t size = der[1], more = 0;
    if (size == 0x80 || size > 0x83)
        return false;
    if (size > 0x80) {
        more = size - 0x80;
        if (len < 2 + more || der[2] == 0)
            return false;
        size = 0;
        for (size_t i = 0; i < more; i++)
            size = size << 8 | der[2 + i];
        if (size < 0x80)
            return false;
    }
    if (size > len - 2 - more)
        return false;
    *head = (struct der_head){der[0], der + 2 + more, size};
    return true;
}

static bool primitive_sound(const struct der_head *head)
{
    const uint8_t *c = head->contents;
    switch (head->tag) {
    case V_ASN1_BOOLEAN:
        return head->len == 1 && (c[0] == 0 || c[0] == 0xff);
    case V_ASN1_INTEGER:
    case V_ASN1_ENUMERATED:
        return head->len == 1 || (head->len > 1 && !(c[0] == 0 && !(c[1] & 0x80)) && !(c[0] == 0xff && c[1] & 0x80));
    case V_ASN1_NULL:
        return head->len == 0;
    default:
        return head->tag != 0;
    }
}

/* Every value down to the primitives; inside OCTET and BIT STRINGs nothing is known. */
static bool der_values_strict(const uint8_t *der, size_t len, unsigned depth)
{
    while (len > 0) {
        struct der_head head;
        if (depth == 0 || !der_head(der, len, &head))
            return false;
        bool constructed = head.tag & V_ASN1_CONSTRUCTED;
        /* Universal types: SEQUENCE and SET are constructed, all others are not (strings in pieces are BER). */
        if (constructed && !(head.tag & 0xc0) && head.tag != 0x30 && head.tag != 0x31)
            return false;
        if (constructed ? !der_values_strict(head.contents, head.len, depth - 1) : !primitive_sound(&head))
            return false;
        size_t whole = (size_t)(head.contents - der) + head.len;
        der += whole;
        len -= whole;
    }
    return true;
}

bool der_is_one_sequence(const uint8_t *der, size_t len)
{
    struct der_head head;
    return der_head(der, len, &head) && head.tag == 0x30 && (size_t)(head.contents - der) + head.len == len;
}

bool der_is_strict(const uint8_t *der, size_t len)
{
    return der_is_one_sequence(der, len) && der_values_strict(der, len, DEEPEST_DER);
}

/* Parts that certificates and CRLs share */

bool extensions_sound(const STACK_OF(X509_EXTENSION) * extensions)
{
    int count = extensions ? sk_X509_EXTENSION_num(extensions) : 0;
    if (count > MOST_EXTENSIONS)
        return false;
    for (int i = 0; i < count; i++) {
        const ASN1_OBJECT *oid = X509_EXTENSION_get_object(sk_X509_EXTENSION_value(extensions, i));
        /* RFC 5280 section 4.2: no extension twice. */
        if (X509v3_get_ext_by_OBJ(extensions, oid, i) >= 0)
            return false;
    }
    return true;
}

bool time_seconds(const ASN1_TIME *time, int64_t *seconds)
{
    struct tm tm;
    if (!time || ASN1_TIME_to_tm(time, &tm) != 1)
        return false;
    *seconds = (int64_t)timegm(&tm);
    return true;
}

static char *empty_text(void)
{
    char *text = calloc(1, 1);
    if (!text)
        abort();
    return text;
}

char *name_cn(const X509_NAME *name)
{
    int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
    if (at < 0 || X509_NAME_get_index_by_NID(name, NID_commonName, at) >= 0)
        return empty_text();
    unsigned char *utf8 = NULL;
    int len = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
    char *text = empty_text();
    /* A name with a NUL or another control character in it is somebody's trick: "". */
    bool printable = len > 0;
    for (int i = 0; i < len && printable; i++)
        printable = utf8[i] >= 0x20 && utf8[i] != 0x7f;
    if (printable) {
        free(text);
        text = strndup((const char *)utf8, (size_t)len);
        if (!text)
            abort();
    }
    OPENSSL_free(utf8);
    ERR_clear_error();
    return text;
}

/* Parsing */

/* An extension that is absent gives NULL and true; one that does not decode, false. */
static bool decode_extension(const X509 *x509, int nid, void **decoded, bool *present)
{
    int state = -1;
    *decoded = X509_get_ext_d2i(x509, nid, &state, NULL);
    *present = state != -1;
    return *decoded != NULL || state == -1;
}

static bool read_constraints(const X509 *x509, struct certificate_constraints *c)
{
    void *basic, *usage;
    bool present;
    *c = (struct certificate_constraints){.path_length = -1};
    if (!decode_extension(x509, NID_basic_constraints, &basic, &c->has_basic))
        return false;
    bool sound = true;
    if (basic) {
        const BASIC_CONSTRAINTS *b = basic;
        c->is_ca = b->ca != 0;
        if (b->pathlen) {
            c->path_length = ASN1_INTEGER_get(b->pathlen);
            sound = c->path_length >= 0 && c->is_ca;
        }
        BASIC_CONSTRAINTS_free(basic);
    }
    if (!sound || !decode_extension(x509, NID_key_usage, &usage, &present))
        return false;
    c->may_sign_certificates = c->may_sign_crls = true;
    if (usage) {
        c->may_sign_certificates = ASN1_BIT_STRING_get_bit(usage, 5) == 1; /* RFC 5280 section 4.2.1.3 */
        c->may_sign_crls = ASN1_BIT_STRING_get_bit(usage, 6) == 1;
        ASN1_BIT_STRING_free(usage);
    }
    return true;
}

static void read_unknown_critical(const X509 *x509, struct certificate_constraints *c)
{
    /* What the chain check honours, and what does not limit a chain. Name and policy constraints do, and are not honoured. */
    static const int known[] = {NID_basic_constraints,       NID_key_usage,       NID_ext_key_usage,
                                NID_subject_alt_name,        NID_issuer_alt_name, NID_certificate_policies,
                                NID_crl_distribution_points, NID_info_access,     NID_authority_key_identifier,
                                NID_subject_key_identifier};
    for (int i = 0; i < X509_get_ext_count(x509); i++) {
        X509_EXTENSION *extension = X509_get_ext(x509, i);
        if (!X509_EXTENSION_get_critical(extension))
            continue;
        int nid = OBJ_obj2nid(X509_EXTENSION_get_object(extension));
        bool found = false;
        for (size_t k = 0; k < sizeof known / sizeof *known; k++)
            found = found || nid == known[k];
        c->unknown_critical = c->unknown_critical || !found;
    }
}

static struct attestd_key *key_of(const X509 *x509)
{
    uint8_t *spki = NULL;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x509), &spki);
    struct attestd_key *key = len > 0 ? attestd_key_from_spki(spki, (size_t)len) : NULL;
    OPENSSL_free(spki);
    return key;
}

static bool fill(struct attestd_certificate *c, const uint8_t *der, size_t len)
{
    const uint8_t *at = der;
    c->x509 = d2i_X509(NULL, &at, (long)len);
    if (!c->x509 || at != der + len)
        return false;
    /* A negative serial number would be taken for its magnitude (RFC 5280 section 4.1.2.2 forbids it). */
    if (ASN1_STRING_type(X509_get0_serialNumber(c->x509)) != V_ASN1_INTEGER)
        return false;
    if (!extensions_sound(X509_get0_extensions(c->x509)) || !read_constraints(c->x509, &c->constraints))
        return false;
    if (!time_seconds(X509_get0_notBefore(c->x509), &c->not_before) || !time_seconds(X509_get0_notAfter(c->x509), &c->not_after))
        return false;
    read_unknown_critical(c->x509, &c->constraints);
    c->key = key_of(c->x509);
    c->subject_cn = name_cn(X509_get_subject_name(c->x509));
    c->issuer_cn = name_cn(X509_get_issuer_name(c->x509));
    return true;
}

struct attestd_certificate *attestd_certificate_parse(const uint8_t *der, size_t len)
{
    if (!der || len > LARGEST_CERTIFICATE || !der_is_strict(der, len))
        return NULL;
    struct attestd_certificate *c = calloc(1, sizeof *c);
    if (!c)
        abort();
    atomic_init(&c->references, 1);
    if (!fill(c, der, len)) {
        attestd_certificate_free(c);
        ERR_clear_error();
        return NULL;
    }
    ERR_clear_error();
    c->der = malloc(len);
    if (!c->der)
        abort();
    memcpy(c->der, der, len);
    c->der_len = len;
    attestd_sha256(der, len, c->digest);
    return c;
}

struct attestd_certificate *attestd_certificate_retain(struct attestd_certificate *c)
{
    atomic_fetch_add_explicit(&c->references, 1, memory_order_relaxed);
    return c;
}

void attestd_certificate_free(struct attestd_certificate *c)
{
    if (!c || atomic_fetch_sub_explicit(&c->references, 1, memory_order_acq_rel) != 1)
        return;
    X509_free(c->x509);
    attestd_key_free(c->key);
    free(c->der);
    free(c->subject_cn);
    free(c->issuer_cn);
    free(c);
}

/* What it says */

struct attestd_bytes attestd_certificate_der(const struct attestd_certificate *c)
{
    return (struct attestd_bytes){c->der, c->der_len};
}

const uint8_t *attestd_certificate_digest(const struct attestd_certificate *c)
{
    return c->digest;
}

const X509 *attestd_certificate_x509(const struct attestd_certificate *c)
{
    return c->x509;
}

struct attestd_key *attestd_certificate_key(const struct attestd_certificate *c)
{
    return c->key;
}

const char *attestd_certificate_subject_cn(const struct attestd_certificate *c)
{
    return c->subject_cn;
}

const char *attestd_certificate_issuer_cn(const struct attestd_certificate *c)
{
    return c->issuer_cn;
}

int64_t attestd_certificate_not_before(const struct attestd_certificate *c)
{
    return c->not_before;
}

int64_t attestd_certificate_not_after(const struct attestd_certificate *c)
{
    return c->not_after;
}

struct attestd_bytes attestd_certificate_serial(const struct attestd_certificate *c)
{
    static const uint8_t zero[1];
    const ASN1_INTEGER *serial = X509_get0_serialNumber(c->x509);
    const uint8_t *bytes = ASN1_STRING_get0_data(serial);
    size_t len = (size_t)ASN1_STRING_length(serial);
    for (; len > 1 && bytes[0] == 0; len--)
        bytes++;
    return len ? (struct attestd_bytes){bytes, len} : (struct attestd_bytes){zero, 1};
}

struct attestd_bytes attestd_certificate_extension(const struct attestd_certificate *c, const char *oid)
{
    struct attestd_bytes contents = {NULL, 0};
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    int at = object ? X509_get_ext_by_OBJ(c->x509, object, -1) : -1;
    if (at >= 0) {
        const ASN1_OCTET_STRING *string = X509_EXTENSION_get_data(X509_get_ext(c->x509, at));
        contents.data = ASN1_STRING_get0_data(string);
        contents.len = (size_t)ASN1_STRING_length(string);
    }
    ASN1_OBJECT_free(object);
    return contents;
}

bool attestd_certificate_is_ca(const struct attestd_certificate *c)
{
    return c->constraints.is_ca;
}

const struct certificate_constraints *certificate_constraints_of(const struct attestd_certificate *c)
{
    return &c->constraints;
}
