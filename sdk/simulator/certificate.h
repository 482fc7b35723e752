/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates and revocation lists as AMD's key distribution service issues them (RFC 5280; RSASSA-PSS with SHA-384). */
#ifndef ATTESTD_SIMULATOR_CERTIFICATE_H
#define ATTESTD_SIMULATOR_CERTIFICATE_H

#include "sdk/simulator/der.h"

#include <openssl/evp.h>

struct sim_certificate {
    uint64_t serial;
    const char *issuer, *subject; /* common names */
    int64_t not_before, not_after;
    EVP_PKEY *key;               /* of the subject; the public half is used */
    struct sim_bytes extensions; /* the encoded Extension sequences, one after the other */
    bool explicit_trailer;       /* the CA certificates spell out the default trailerField, the leafs omit it */
};

/* DER signed by the issuer's RSA key; {NULL, 0} on failure. */
struct sim_bytes sim_certificate_sign(const struct sim_certificate *, EVP_PKEY *issuer_key);

struct sim_revocation_list {
    const char *issuer;
    int64_t this_update, next_update; /* next_update 0: none */
    uint64_t number;
    uint64_t serials[4];
    size_t count; /* of serials; 0: no revokedCertificates at all, as an empty list must be (RFC 5280 5.1.2.6) */
};
struct sim_bytes sim_revocation_list_sign(const struct sim_revocation_list *, EVP_PKEY *issuer_key);

/* RFC 5280 4.2.1.2, method 1: SHA-1 of the subjectPublicKey bit string. */
bool sim_key_identifier(EVP_PKEY *key, uint8_t identifier[20]);
/* The SubjectPublicKeyInfo. */
void sim_put_public_key(struct sim_buffer *, EVP_PKEY *key);
/* One Extension: OID, critical, and the value that goes into its OCTET STRING. */
void sim_extension(struct sim_buffer *, const char *oid, bool critical, const void *value, size_t len);
void sim_extension_subject_key(struct sim_buffer *, EVP_PKEY *key);
void sim_extension_authority_key(struct sim_buffer *, EVP_PKEY *issuer_key);
/* path_len < 0: unlimited. */
void sim_extension_ca(struct sim_buffer *, int path_len);
/* The first byte of the KeyUsage bit string and the number of its unused bits. */
void sim_extension_key_usage(struct sim_buffer *, uint8_t bits, uint8_t unused);
void sim_extension_crl_address(struct sim_buffer *, const char *url);

#endif
