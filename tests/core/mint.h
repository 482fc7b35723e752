/* SPDX-License-Identifier: Apache-2.0 */
/* Keys, signatures, certificates and CRLs made on the spot, with libcrypto alone. */
#ifndef TESTS_CORE_MINT_H
#define TESTS_CORE_MINT_H

#include "core/certificate.h"
#include <openssl/evp.h>
#include <openssl/x509v3.h>

/* "P-256", "P-384", "secp521r1", "ED25519", "X25519", or "RSA" with bits. The caller frees. */
EVP_PKEY *mint_key(const char *type, unsigned bits);
struct attestd_key *mint_public(EVP_PKEY *pkey);

/* Signs a message. md NULL: Ed25519. salt_len >= 0: PSS. */
size_t mint_signature(EVP_PKEY *pkey, const char *md, int salt_len, const void *message, size_t len, uint8_t *out, size_t size);
/* DER of ECDSA to r then s, each of width bytes. */
void mint_raw(const uint8_t *der, size_t len, size_t width, uint8_t *out);

/* What a certificate is to be. Zero values give a plain leaf without extensions, valid from 1000 to 2000000000. */
struct mint_certificate {
    const char *subject, *issuer; /* CN */
    EVP_PKEY *key, *signer;
    const char *md;   /* "SHA384" by default */
    int pss_salt;     /* > 0: RSASSA-PSS */
    const char *mgf1; /* another digest for the mask */
    long serial;
    int64_t from, to;
    const char *basic;     /* extension texts as in openssl's x509v3.cnf: "critical,CA:TRUE,pathlen:0" */
    const char *usage;     /* "keyCertSign,cRLSign" */
    const char *other_oid; /* an extension of one NULL, critical */
    int repeat_other;      /* how many more of it */
};
/* DER; the caller frees with OPENSSL_free. */
uint8_t *mint_der(const struct mint_certificate *, size_t *len);
struct attestd_certificate *mint_parsed(const struct mint_certificate *);

struct mint_crl {
    const char *issuer;
    EVP_PKEY *signer;
    const char *md;
    int pss_salt;
    int64_t from, to; /* to 0: no nextUpdate */
    const long *serials;
    size_t serial_count;
    long number;     /* 0: none */
    const char *idp; /* issuingDistributionPoint text */
    int delta;
};
uint8_t *mint_crl_der(const struct mint_crl *, size_t *len);

#endif
