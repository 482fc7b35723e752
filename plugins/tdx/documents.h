/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Collateral as it is found: DER and PEM, Intel's PCS answers as downloaded, those of a PCCS (lists in hex, chains percent-encoded), and
 * the JSON bundles that hold a whole set. All are taken apart into objects. No judgement of authenticity.
 */
#ifndef TDX_DOCUMENTS_H
#define TDX_DOCUMENTS_H

#include "checks.h"
#include <stdbool.h>

#define DCAP_ITEMS_MAX 16u

enum dcap_item_type { DCAP_ITEM_CERTIFICATE, DCAP_ITEM_CRL, DCAP_ITEM_TCB_INFO, DCAP_ITEM_IDENTITY };

struct dcap_item {
    enum dcap_item_type type;
    struct attestd_bytes bytes; /* DER; or the exact JSON text of the signed object */
    uint8_t signature[64];      /* r, s over the JSON text */
};

struct dcap_documents {
    struct dcap_item items[DCAP_ITEMS_MAX];
    size_t count;
    struct attestd_arena *arena;
};

/* Never NULL; count is 0 when nothing in it is known. Free with dcap_documents_free(). */
struct dcap_documents *dcap_documents_read(const uint8_t *bytes, size_t len);
void dcap_documents_free(struct dcap_documents *);

/* The plugin's identify(): one document may serve as several endorsements. */
void dcap_identify(const uint8_t *bytes, size_t len, attestd_identified *found, void *context);

#endif
