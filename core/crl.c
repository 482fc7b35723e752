/* SPDX-License-Identifier: Apache-2.0 */
#include "core/certificate_parts.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST_CRL = 1024 * 1024 };

struct attestd_crl {
    X509_CRL *crl;
    int64_t this_update, next_update;
    uint64_t number;
    char *issuer_cn;
};

/* A list for some certificates, some reasons, other issuers or a part of the time says "not revoked" of what it does not cover. */
static bool covers_everything(X509_CRL *crl)
{
    int state = -1;
    ISSUING_DIST_POINT *point = X509_CRL_get_ext_d2i(crl, NID_issuing_distribution_point, &state, NULL);
    bool whole =
        point ? !point->onlyuser && !point->onlyCA && !point->onlyattr && !point->indirectCRL && !point->onlysomereasons : state == -1;
    ISSUING_DIST_POINT_free(point);
    return whole && X509_CRL_get_ext_by_NID(crl, NID_delta_crl, -1) < 0;
}

static bool critical_known(const STACK_OF(X509_EXTENSION) * extensions, int known)
{
    int count = extensions ? sk_X509_EXTENSION_num(extensions) : 0;
    for (int i = 0; i < count; i++) {
        X509_EXTENSION *extension = sk_X509_EXTENSION_value(extensions, i);
        if (X509_EXTENSION_get_critical(extension) && OBJ_obj2nid(X509_EXTENSION_get_object(extension)) != known)
            return false;
    }
    return true;
}

static bool entries_sound(X509_CRL *crl)
{
    STACK_OF(X509_REVOKED) *revoked = X509_CRL_get_REVOKED(crl);
    int count = revoked ? sk_X509_REVOKED_num(revoked) : 0;
    for (int i = 0; i < count; i++) {
        const X509_REVOKED *entry = sk_X509_REVOKED_value(revoked, i);
        const STACK_OF(X509_EXTENSION) *extensions = X509_REVOKED_get0_extensions(entry);
        if (ASN1_STRING_type(X509_REVOKED_get0_serialNumber(entry)) != V_ASN1_INTEGER || !extensions_sound(extensions) ||
            !critical_known(extensions, NID_undef))
            return false;
    }
    return true;
}

static bool read_number(X509_CRL *crl, uint64_t *number)
{
    int state = -1;
    ASN1_INTEGER *value = X509_CRL_get_ext_d2i(crl, NID_crl_number, &state, NULL);
    if (!value)
        return state == -1;
    if (ASN1_INTEGER_get_uint64(number, value) != 1)
        *number = 0;
    ASN1_INTEGER_free(value);
    return true;
}

static bool fill(struct attestd_crl *c, const uint8_t *der, size_t len)
{
    const uint8_t *at = der;
    c->crl = d2i_X509_CRL(NULL, &at, (long)len);
    if (!c->crl || at != der + len)
        return false;
    const STACK_OF(X509_EXTENSION) *extensions = X509_CRL_get0_extensions(c->crl);
    if (!extensions_sound(extensions) || !critical_known(extensions, NID_issuing_distribution_point) || !covers_everything(c->crl) ||
        !entries_sound(c->crl) || !read_number(c->crl, &c->number))
        return false;
    const ASN1_TIME *next = X509_CRL_get0_nextUpdate(c->crl);
    if (!time_seconds(X509_CRL_get0_lastUpdate(c->crl), &c->this_update) || (next && !time_seconds(next, &c->next_update)))
        return false;
    c->issuer_cn = name_cn(X509_CRL_get_issuer(c->crl));
    return true;
}

struct attestd_crl *attestd_crl_parse(const uint8_t *der, size_t len)
{
    if (!der || len > LARGEST_CRL || !der_is_strict(der, len))
        return NULL;
    struct attestd_crl *c = calloc(1, sizeof *c);
    if (!c)
        abort();
    bool good = fill(c, der, len);
    ERR_clear_error();
    if (good)
        return c;
    attestd_crl_free(c);
    return NULL;
}

void attestd_crl_free(struct attestd_crl *c)
{
    if (!c)
        return;
    X509_CRL_free(c->crl);
    free(c->issuer_cn);
    free(c);
}

bool attestd_crl_issued_by(const struct attestd_crl *c, const struct attestd_certificate *issuer, enum attestd_certificate_signature how)
{
    const X509 *parent = attestd_certificate_x509(issuer);
    const X509_ALGOR *algorithm = NULL;
    X509_CRL_get0_signature(c->crl, NULL, &algorithm);
    if (!attestd_certificate_key(issuer) || !certificate_constraints_of(issuer)->may_sign_crls ||
        X509_NAME_cmp(X509_CRL_get_issuer(c->crl), X509_get_subject_name(parent)) != 0 || !signature_algorithm_is(algorithm, how))
        return false;
    /* Also compares the algorithm with the one inside the signed part. */
    bool good = X509_CRL_verify(c->crl, X509_get0_pubkey(parent)) == 1;
    ERR_clear_error();
    return good;
}

int64_t attestd_crl_this_update(const struct attestd_crl *c)
{
    return c->this_update;
}

int64_t attestd_crl_next_update(const struct attestd_crl *c)
{
    return c->next_update;
}

uint64_t attestd_crl_number(const struct attestd_crl *c)
{
    return c->number;
}

const char *attestd_crl_issuer_cn(const struct attestd_crl *c)
{
    return c->issuer_cn;
}

bool attestd_crl_revokes(const struct attestd_crl *c, const struct attestd_certificate *certificate)
{
    const X509 *x509 = attestd_certificate_x509(certificate);
    X509_REVOKED *entry = NULL;
    if (X509_NAME_cmp(X509_CRL_get_issuer(c->crl), X509_get_issuer_name(x509)) != 0)
        return false;
    return X509_CRL_get0_by_serial(c->crl, &entry, X509_get0_serialNumber(x509)) != 0;
}
