/* SPDX-License-Identifier: Apache-2.0 */
/* Trust anchors: pins, not certificates. Immutable once built; shared by reference count. */
#ifndef ATTESTD_CORE_ANCHORS_H
#define ATTESTD_CORE_ANCHORS_H

#include <attestd/plugin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct attestd_anchor {
    const char *name;    /* "ARK-Genoa" */
    const char *purpose; /* "snp/Genoa"; an anchor for several purposes is listed several times */
    uint8_t sha256[32];  /* of the certificate's DER */
    uint8_t spki_sha256[32];
    bool simulated;      /* made by the simulator or given for development */
    bool operator_given; /* added by the operator, not a vendor pin */
};

struct attestd_anchor_set;

struct attestd_anchor_set *attestd_anchor_set_new(void);
/* Before first use only. Copies. Exact repeats are dropped. */
void attestd_anchor_set_add(struct attestd_anchor_set *, const struct attestd_anchor *anchor);
/* A PEM or DER certificate given by an operator for a purpose. False if it is not one certificate. */
bool attestd_anchor_set_add_certificate(struct attestd_anchor_set *, const char *purpose, const uint8_t *bytes, size_t len, bool simulated);
/* Sorts, makes the digest; no add after it. */
void attestd_anchor_set_seal(struct attestd_anchor_set *);
struct attestd_anchor_set *attestd_anchor_set_retain(struct attestd_anchor_set *);
void attestd_anchor_set_free(struct attestd_anchor_set *);

/* SHA-256 over the sorted entries. */
const uint8_t *attestd_anchor_set_digest(const struct attestd_anchor_set *);
size_t attestd_anchor_set_count(const struct attestd_anchor_set *);
const struct attestd_anchor *attestd_anchor_set_at(const struct attestd_anchor_set *, size_t index);
/* ATTESTD_ANCHOR_*; *anchor (may be NULL) is the entry that matched. */
int attestd_anchor_set_match(const struct attestd_anchor_set *, const char *purpose, const uint8_t *der, size_t len,
                             const struct attestd_anchor **anchor);

#endif
