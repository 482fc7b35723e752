/* SPDX-License-Identifier: Apache-2.0 */
#include "core/certificate_parts.h"

#include <openssl/err.h>
#include <openssl/rsa.h>

/* Signature algorithms */

static int nid_of(const X509_ALGOR *algorithm, int *parameter_type, const void **parameter)
{
    const ASN1_OBJECT *oid = NULL;
    X509_ALGOR_get0(&oid, parameter_type, parameter, algorithm);
    return oid ? OBJ_obj2nid(oid) : NID_undef;
}

static bool is_sha384(const X509_ALGOR *algorithm)
{
    int type;
    const void *parameter;
    return nid_of(algorithm, &type, &parameter) == NID_sha384 && (type == V_ASN1_UNDEF || type == V_ASN1_NULL);
}

static bool is_mgf1_sha384(const X509_ALGOR *algorithm)
{
    int type;
    const void *parameter;
    if (!algorithm || nid_of(algorithm, &type, &parameter) != NID_mgf1 || type != V_ASN1_SEQUENCE)
        return false;
    X509_ALGOR *hash = ASN1_item_unpack(parameter, ASN1_ITEM_rptr(X509_ALGOR));
    bool good = hash && is_sha384(hash);
    X509_ALGOR_free(hash);
    return good;
}

/* RFC 4055 section 3.1. Each default of the structure is SHA-1's, so hash, mask and salt length must all be there. */
static bool is_pss_sha384(int type, const void *parameter)
{
    if (type != V_ASN1_SEQUENCE)
        return false;
    RSA_PSS_PARAMS *pss = ASN1_item_unpack(parameter, ASN1_ITEM_rptr(RSA_PSS_PARAMS));
    bool good = pss && pss->hashAlgorithm && is_sha384(pss->hashAlgorithm) && is_mgf1_sha384(pss->maskGenAlgorithm) && pss->saltLength &&
                ASN1_INTEGER_get(pss->saltLength) == 48 && (!pss->trailerField || ASN1_INTEGER_get(pss->trailerField) == 1);
    RSA_PSS_PARAMS_free(pss);
    return good;
}

bool signature_algorithm_is(const X509_ALGOR *algorithm, enum attestd_certificate_signature how)
{
    int type;
    const void *parameter;
    bool any = how == ATTESTD_CERT_ANY_SOUND;
    switch (nid_of(algorithm, &type, &parameter)) {
    case NID_rsassaPss:
        return (any || how == ATTESTD_CERT_RSA_PSS_SHA384) && is_pss_sha384(type, parameter);
    case NID_ecdsa_with_SHA256:
        return (any || how == ATTESTD_CERT_ECDSA_SHA256) && type == V_ASN1_UNDEF;
    case NID_ecdsa_with_SHA384:
        return (any || how == ATTESTD_CERT_ECDSA_SHA384) && type == V_ASN1_UNDEF;
    case NID_sha256WithRSAEncryption:
    case NID_sha384WithRSAEncryption:
    case NID_sha512WithRSAEncryption:
        return any && (type == V_ASN1_NULL || type == V_ASN1_UNDEF);
    default:
        return false;
    }
}

bool attestd_certificate_issued_by(const struct attestd_certificate *subject, const struct attestd_certificate *issuer,
                                   enum attestd_certificate_signature how)
{
    const X509 *child = attestd_certificate_x509(subject), *parent = attestd_certificate_x509(issuer);
    const X509_ALGOR *outer = NULL;
    X509_get0_signature(NULL, &outer, child);
    const X509_ALGOR *inner = X509_get0_tbs_sigalg(child);
    /* A key that core/signature.h refuses signs nothing here either. */
    if (!attestd_certificate_key(issuer) || X509_NAME_cmp(X509_get_issuer_name(child), X509_get_subject_name(parent)) != 0 ||
        X509_ALGOR_cmp(outer, inner) != 0 || !signature_algorithm_is(inner, how))
        return false;
    bool good = X509_verify((X509 *)(uintptr_t)child, X509_get0_pubkey(parent)) == 1; /* takes no const, changes nothing */
    ERR_clear_error();
    return good;
}

/* Chains */

static bool self_issued(const struct attestd_certificate *c)
{
    const X509 *x509 = attestd_certificate_x509(c);
    return X509_NAME_cmp(X509_get_issuer_name(x509), X509_get_subject_name(x509)) == 0;
}

static enum attestd_chain_fault own_fault(const struct attestd_certificate *c, int64_t time)
{
    if (certificate_constraints_of(c)->unknown_critical)
        return ATTESTD_CHAIN_CRITICAL_EXTENSION;
    if (time == ATTESTD_CHAIN_ANY_TIME)
        return ATTESTD_CHAIN_GOOD;
    if (time < attestd_certificate_not_before(c))
        return ATTESTD_CHAIN_NOT_YET_VALID;
    return time > attestd_certificate_not_after(c) ? ATTESTD_CHAIN_EXPIRED : ATTESTD_CHAIN_GOOD;
}

/* below: intermediates between it and the leaf that are not self-issued (RFC 5280 section 4.2.1.9). */
static enum attestd_chain_fault issuer_fault(const struct attestd_certificate *c, long below, bool demand_ca)
{
    const struct certificate_constraints *k = certificate_constraints_of(c);
    if ((k->has_basic || demand_ca) && !k->is_ca)
        return ATTESTD_CHAIN_NOT_CA;
    if (!k->may_sign_certificates)
        return ATTESTD_CHAIN_NOT_CA;
    return k->path_length >= 0 && below > k->path_length ? ATTESTD_CHAIN_PATH_LENGTH : ATTESTD_CHAIN_GOOD;
}

enum attestd_chain_fault attestd_chain_verify(struct attestd_certificate *const *chain, size_t count,
                                              enum attestd_certificate_signature how, int64_t time, bool demand_ca, size_t *where)
{
    size_t ignored;
    if (!where)
        where = &ignored;
    *where = 0;
    if (count == 0)
        return ATTESTD_CHAIN_BROKEN;
    long below = 0;
    for (size_t i = 0; i < count; i++) {
        *where = i;
        if (i + 1 < count && !attestd_certificate_issued_by(chain[i], chain[i + 1], how))
            return ATTESTD_CHAIN_BROKEN;
        enum attestd_chain_fault fault = own_fault(chain[i], time);
        if (fault == ATTESTD_CHAIN_GOOD && i > 0)
            fault = issuer_fault(chain[i], below, demand_ca);
        if (fault != ATTESTD_CHAIN_GOOD)
            return fault;
        if (i > 0 && !self_issued(chain[i]))
            below++;
    }
    return ATTESTD_CHAIN_GOOD;
}
