/* SPDX-License-Identifier: Apache-2.0 */
/* What AMD's certificates say (AMD 57230): the extensions of a VCEK or VLEK, which endorsement a certificate or list is, and the
 * certificates that come enclosed in evidence. No judgement of authenticity. */
#ifndef SNP_CERTIFICATES_H
#define SNP_CERTIFICATES_H

#include "core/certificate.h"
#include "layout.h"

#define SNP_NO_SPL 0xffffu
#define SNP_KEY_SIZE 224u /* of the key of an endorsement, NUL included */

/* Kinds of endorsements, as the host knows them. */
#define SNP_KIND_VCEK "snp.vcek"
#define SNP_KIND_VLEK "snp.vlek"
#define SNP_KIND_ASK "snp.ask"
#define SNP_KIND_ASVK "snp.asvk"
#define SNP_KIND_ARK "snp.ark"
#define SNP_KIND_CRL "snp.crl"

/* A VCEK or VLEK. Plain data. */
struct snp_vek {
    enum snp_product product; /* by the issuer's name */
    bool vlek;                /* by the issuer's name */
    bool has_hwid, has_csp_id;
    uint8_t hwid[SNP_CHIP_ID_SIZE];
    size_t hwid_len; /* 64 or 8; 0: of no such length */
    char csp_id[128];
    int struct_version;          /* -1: missing */
    char product_name[32];       /* "" : missing */
    uint16_t spl[SNP_SPL_COUNT]; /* SNP_NO_SPL: missing or malformed */
};

/* False when its names are not those of a VCEK or VLEK. */
bool snp_vek_read(const struct attestd_certificate *certificate, struct snp_vek *vek);

/* The key under which a VCEK (hwid_len bytes of hwid) or VLEK (hwid_len 0) is asked for. spl: SNP_SPL_COUNT values. */
void snp_vek_key(char out[SNP_KEY_SIZE], enum snp_product product, const uint8_t *hwid, size_t hwid_len, const uint16_t *spl);

/* What one DER object is, by its names alone; SNP_SLOT_ANY: none of AMD's. */
enum snp_slot snp_slot_of_der(const uint8_t *der, size_t len, enum snp_product *product);
/* The plugin's identify(). */
void snp_identify(const uint8_t *bytes, size_t len, attestd_identified *found, void *context);

/* Certificates that the attester enclosed, as DER. One block of memory. */
#define SNP_ENCLOSED_MAX 8u
#define SNP_CERTS_MAX 131072u /* bytes; a host's table has 16 KiB to 128 KiB of room */
struct snp_enclosed_item {
    enum snp_slot slot;       /* the table's word, or what the names say */
    enum snp_product product; /* by the names */
    size_t offset, len;       /* of the DER in `der` */
};
struct snp_enclosed {
    struct snp_enclosed_item items[SNP_ENCLOSED_MAX];
    size_t count, der_len;
    uint8_t der[];
};

/*
 * A certificate table, PEM text, or DER objects one after the other. Blobs of a table that are no certificate are left out. NULL and a
 * code (*at: the place) when it is none of these. Free with snp_enclosed_free(). *out is NULL as well when there is no memory.
 */
const char *snp_enclosed_read(const uint8_t *bytes, size_t len, struct snp_enclosed **out, size_t *at);
void snp_enclosed_free(void *enclosed);
size_t snp_enclosed_size(const struct snp_enclosed *enclosed);
/* Certificates that may stand behind the report in one body: as above. */
bool snp_enclosed_recognise(const uint8_t *bytes, size_t len);

#endif
