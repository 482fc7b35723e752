/* SPDX-License-Identifier: Apache-2.0 */
/* What certificate.c, crl.c and chain.c share; not exported. */
#ifndef ATTESTD_CORE_CERTIFICATE_PARTS_H
#define ATTESTD_CORE_CERTIFICATE_PARTS_H

#include "core/certificate.h"

/* What a certificate says about its use in a chain (RFC 5280 sections 4.2.1.3 and 4.2.1.9). */
struct certificate_constraints {
    bool has_basic, is_ca;
    long path_length;                          /* -1: unlimited */
    bool may_sign_certificates, may_sign_crls; /* true when there is no keyUsage */
    bool unknown_critical;
};
const struct certificate_constraints *certificate_constraints_of(const struct attestd_certificate *);

/* One SEQUENCE with a definite, shortest length, and nothing behind it. */
bool der_is_one_sequence(const uint8_t *der, size_t len);
/* The same, and DER, not merely BER, all the way down. */
bool der_is_strict(const uint8_t *der, size_t len);
/* Not too many, none twice. */
bool extensions_sound(const STACK_OF(X509_EXTENSION) * extensions);
bool time_seconds(const ASN1_TIME *time, int64_t *seconds);
/* The single CN, or "". The caller frees. */
char *name_cn(const X509_NAME *name);
/* True when the algorithm, with its parameters, is what `how` demands. */
bool signature_algorithm_is(const X509_ALGOR *algorithm, enum attestd_certificate_signature how);

#endif
