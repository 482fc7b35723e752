/* SPDX-License-Identifier: Apache-2.0 */
/* X.509 certificates and CRLs (RFC 5280), and chains from a leaf to a pinned anchor at a given time. */
#ifndef ATTESTD_CORE_CERTIFICATE_H
#define ATTESTD_CORE_CERTIFICATE_H

#include "core/signature.h"
#include <attestd/plugin.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>

/* A parsed certificate: immutable, counted by reference. Owns a copy of its DER. */
struct attestd_certificate;

/* Strict DER: nothing behind it, at most 16 KiB. NULL if it is not one. A parse costs about 0.2 ms: keep the result in a memo. */
struct attestd_certificate *attestd_certificate_parse(const uint8_t *der, size_t len);
struct attestd_certificate *attestd_certificate_retain(struct attestd_certificate *);
void attestd_certificate_free(struct attestd_certificate *);

struct attestd_bytes attestd_certificate_der(const struct attestd_certificate *);
const uint8_t *attestd_certificate_digest(const struct attestd_certificate *); /* SHA-256 of the DER */
/* For what this header does not say. Borrowed; read only. */
const X509 *attestd_certificate_x509(const struct attestd_certificate *);
/* Its public key; borrowed; NULL for a kind of key that core/signature.h refuses. */
struct attestd_key *attestd_certificate_key(const struct attestd_certificate *);
/* The subject's or issuer's single CN as UTF-8, "" when absent or not single. Borrowed. */
const char *attestd_certificate_subject_cn(const struct attestd_certificate *);
const char *attestd_certificate_issuer_cn(const struct attestd_certificate *);
int64_t attestd_certificate_not_before(const struct attestd_certificate *); /* seconds since 1970 */
int64_t attestd_certificate_not_after(const struct attestd_certificate *);
/* Big-endian serial without leading zeros ("0" is the single byte 0). Borrowed. */
struct attestd_bytes attestd_certificate_serial(const struct attestd_certificate *);
/* The contents of the extension's OCTET STRING by dotted OID; {NULL,0} when absent; a duplicate makes parse() fail. */
struct attestd_bytes attestd_certificate_extension(const struct attestd_certificate *, const char *oid);
bool attestd_certificate_is_ca(const struct attestd_certificate *); /* basicConstraints cA true */

/* Cut a PEM text or a DER object into DER objects: certificates, and X509 CRL blocks. Calls found() for each with the DER; the
 * bytes are valid during the call. Returns the count; text between blocks is passed over; a broken block ends it with -1. At
 * most 64 objects. */
int attestd_pem_or_der_split(const uint8_t *bytes, size_t len, void (*found)(void *context, const uint8_t *der, size_t len), void *context);

/* How a certificate of a family must be signed. */
enum attestd_certificate_signature {
    ATTESTD_CERT_RSA_PSS_SHA384, /* salt 48, MGF1 SHA-384: AMD */
    ATTESTD_CERT_ECDSA_SHA256,
    ATTESTD_CERT_ECDSA_SHA384,
    ATTESTD_CERT_ANY_SOUND /* any of the above, RSA PKCS#1 v1.5 with SHA-256 or better */
};

/* issuer signed subject: names match (issuer name of subject is subject name of issuer), algorithm is the demanded one in both
 * places of the certificate, and the signature is good. */
bool attestd_certificate_issued_by(const struct attestd_certificate *subject, const struct attestd_certificate *issuer,
                                   enum attestd_certificate_signature how);

/* A parsed CRL. */
struct attestd_crl;
/* Strict DER, at most 1 MiB. Lists without revokedCertificates are empty lists. */
struct attestd_crl *attestd_crl_parse(const uint8_t *der, size_t len);
void attestd_crl_free(struct attestd_crl *);
bool attestd_crl_issued_by(const struct attestd_crl *, const struct attestd_certificate *issuer, enum attestd_certificate_signature how);
int64_t attestd_crl_this_update(const struct attestd_crl *);
int64_t attestd_crl_next_update(const struct attestd_crl *); /* 0: it has none */
/* CRL number if there is one that fits 64 bits, else 0. */
uint64_t attestd_crl_number(const struct attestd_crl *);
const char *attestd_crl_issuer_cn(const struct attestd_crl *);
/* By issuer name (must be the CRL's) and serial. */
bool attestd_crl_revokes(const struct attestd_crl *, const struct attestd_certificate *);

/*
 * A whole path for families with standard extensions: chain[0] is the leaf, chain[count-1] the root, whose pinning the caller has checked.
 * Checks each signature, dates at `time` (ATTESTD_CHAIN_ANY_TIME skips them), cA, keyCertSign and pathLenConstraint where the extensions
 * exist (and demands them of issuers when `demand_ca`), unknown critical extensions.
 */
#define ATTESTD_CHAIN_ANY_TIME INT64_MIN
enum attestd_chain_fault {
    ATTESTD_CHAIN_GOOD = 0,
    ATTESTD_CHAIN_BROKEN, /* names or signatures do not join */
    ATTESTD_CHAIN_NOT_YET_VALID,
    ATTESTD_CHAIN_EXPIRED,
    ATTESTD_CHAIN_NOT_CA,
    ATTESTD_CHAIN_PATH_LENGTH,
    ATTESTD_CHAIN_CRITICAL_EXTENSION
};
enum attestd_chain_fault attestd_chain_verify(struct attestd_certificate *const *chain, size_t count,
                                              enum attestd_certificate_signature how, int64_t time, bool demand_ca, size_t *where);

#endif
