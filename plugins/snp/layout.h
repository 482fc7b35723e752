/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of an SEV-SNP attestation report (AMD 56860, ATTESTATION_REPORT) and of the certificate table beside it (AMD 56421,
 * MSG_REPORT_REQ), read into structs. No judgement here: what a field must be is in verify.c.
 */
#ifndef SNP_LAYOUT_H
#define SNP_LAYOUT_H

#include <attestd/plugin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SNP_REPORT_SIZE 1184u
#define SNP_SIGNED_SIZE 0x2a0u    /* what the signature covers */
#define SNP_SIGNATURE_END 0x330u  /* end of s: behind it only reserved bytes */
#define SNP_COMPONENT_SIZE 48u    /* of r and s */
#define SNP_HOST_VMPL 0xffffffffu /* VMPL of a report that the host asked for */
#define SNP_CHIP_ID_SIZE 64u
#define SNP_TURIN_HWID_SIZE 8u /* a Turin chip id is 8 bytes, then zeros */

/* POLICY (AMD 56860, GUEST_POLICY). */
#define SNP_POLICY_SMT (UINT64_C(1) << 16)
#define SNP_POLICY_RESERVED_ONE (UINT64_C(1) << 17)
#define SNP_POLICY_MIGRATE_MA (UINT64_C(1) << 18)
#define SNP_POLICY_DEBUG (UINT64_C(1) << 19)
#define SNP_POLICY_SINGLE_SOCKET (UINT64_C(1) << 20)
#define SNP_POLICY_CXL_ALLOW (UINT64_C(1) << 21)
#define SNP_POLICY_MEM_AES_256_XTS (UINT64_C(1) << 22)
#define SNP_POLICY_RAPL_DIS (UINT64_C(1) << 23)
#define SNP_POLICY_CIPHERTEXT_HIDING (UINT64_C(1) << 24)
#define SNP_POLICY_PAGE_SWAP_DISABLE (UINT64_C(1) << 25)
#define SNP_POLICY_RESERVED (~UINT64_C(0) << 26)

/* PLATFORM_INFO (AMD 56860). */
#define SNP_PLATFORM_SMT_EN (UINT64_C(1) << 0)
#define SNP_PLATFORM_TSME_EN (UINT64_C(1) << 1)
#define SNP_PLATFORM_ECC_EN (UINT64_C(1) << 2)
#define SNP_PLATFORM_RAPL_DIS (UINT64_C(1) << 3)
#define SNP_PLATFORM_CIPHERTEXT_HIDING (UINT64_C(1) << 4)
#define SNP_PLATFORM_ALIAS_CHECK (UINT64_C(1) << 5)
#define SNP_PLATFORM_IOMMU_WRITE_SAFE (UINT64_C(1) << 6)
#define SNP_PLATFORM_TIO_EN (UINT64_C(1) << 7)
#define SNP_PLATFORM_KNOWN UINT64_C(0xff)

/* Key information at 0x48. */
#define SNP_AUTHOR_KEY_EN 1u
#define SNP_MASK_CHIP_KEY 2u
#define SNP_KEY_INFO_RESERVED 0xffffffe0u
enum snp_signing_key { SNP_SIGNED_BY_VCEK = 0, SNP_SIGNED_BY_VLEK = 1, SNP_SIGNED_BY_NONE = 7 };

/* The lines of processors that differ in roots or in the layout of a TCB. Bergamo, Siena and Genoa-X are Genoa to the KDS. */
enum snp_product { SNP_NO_PRODUCT = 0, SNP_MILAN, SNP_GENOA, SNP_TURIN, SNP_VENICE };

/* "Milan", as in names of certificates and KDS addresses; "" for none. */
const char *snp_product_name(enum snp_product product);
/* From such a name of len characters; SNP_NO_PRODUCT for any other. */
enum snp_product snp_product_named(const char *name, size_t len);
/* From CPUID family, model (both combined with their extended parts). */
enum snp_product snp_product_of_cpuid(unsigned family, unsigned model);
/* Venice and what comes after it have a TCB that this build cannot read. */
bool snp_product_supported(enum snp_product product);

/* The eight bytes of a TCB_VERSION; what each means depends on the product. Never compare them as one number. */
struct snp_tcb {
    uint8_t raw[8];
};

enum snp_component {
    SNP_SPL_FMC,
    SNP_SPL_BOOTLOADER,
    SNP_SPL_TEE,
    SNP_SPL_SNP,
    SNP_SPL_MICROCODE,
    SNP_SPL_4, /* reserved components: zero so far, but the certificate names them too */
    SNP_SPL_5,
    SNP_SPL_6,
    SNP_SPL_7,
    SNP_SPL_COUNT
};
#define SNP_SPL_NAMED SNP_SPL_4 /* components before this one have a meaning */

struct snp_component_place {
    const char *name; /* in claims and policies; "spl4" ... for reserved ones */
    const char *kds;  /* parameter of a KDS address; NULL: none */
    const char *oid;  /* extension of a VCEK or VLEK (AMD 57230) */
    int8_t classic;   /* byte of the TCB on Milan and Genoa; -1: it has none */
    int8_t turin;     /* byte of the TCB on Turin */
};
extern const struct snp_component_place snp_components[SNP_SPL_COUNT];

/* The component's place in a TCB of this product, or -1. */
int snp_component_at(enum snp_product product, enum snp_component component);
/* Value of a component; 0 where the product has none. */
uint8_t snp_tcb_component(const struct snp_tcb *tcb, enum snp_product product, enum snp_component component);
/* The first component of a that is above b's, or SNP_SPL_COUNT: a is equal or below. */
enum snp_component snp_tcb_above(const struct snp_tcb *a, const struct snp_tcb *b, enum snp_product product);

struct snp_version {
    uint8_t major, minor, build;
};
/* Negative, zero, positive: a is before, equal to, after b. */
int snp_version_compare(struct snp_version a, struct snp_version b);

/* One report. Pointers are into the evidence. */
struct snp_report {
    struct attestd_bytes raw; /* SNP_REPORT_SIZE of them */
    uint32_t version, guest_svn, vmpl, signature_algo, key_info;
    uint64_t policy, platform_info, launch_mit_vector, current_mit_vector;
    const uint8_t *family_id, *image_id;                            /* 16 */
    const uint8_t *report_data;                                     /* 64 */
    const uint8_t *measurement, *id_key_digest, *author_key_digest; /* 48 */
    const uint8_t *host_data, *report_id, *report_id_ma;            /* 32 */
    const uint8_t *chip_id;                                         /* 64 */
    struct snp_tcb current_tcb, reported_tcb, committed_tcb, launch_tcb;
    struct snp_version current_version, committed_version;
    bool has_cpuid; /* version 3 and later */
    uint8_t family, model, stepping;
    bool has_mitigations;  /* version 5 and later */
    uint8_t signature[96]; /* r then s, big-endian, as libcrypto wants them */

    bool reserved_zero; /* reserved bytes of the signed part; else: */
    size_t reserved_at; /* the first one that is not zero */
    bool padding_zero;  /* of the signature and behind it, which nobody signed; else: */
    size_t padding_at;  /* the first one that is not zero */
};

/* Reads bytes of exactly SNP_REPORT_SIZE and version 2 to 5. NULL, or the code of what is wrong. */
const char *snp_report_read(const uint8_t *bytes, size_t len, struct snp_report *report);
unsigned snp_report_signing_key(const struct snp_report *report);
bool snp_report_chip_id_masked(const struct snp_report *report);
/* "FF-MM-SS" in hex, as floors are keyed. */
void snp_report_cpuid_text(const struct snp_report *report, char out[9]);

/* What a certificate of the table is for. */
enum snp_slot { SNP_SLOT_ANY = 0, SNP_SLOT_VCEK, SNP_SLOT_VLEK, SNP_SLOT_INTERMEDIATE, SNP_SLOT_ROOT, SNP_SLOT_CRL };

struct snp_table_entry {
    enum snp_slot slot;
    struct attestd_bytes bytes; /* DER or PEM */
};
#define SNP_TABLE_MAX 32u

struct snp_table {
    struct snp_table_entry entries[SNP_TABLE_MAX]; /* those of known purpose */
    size_t count;
};

/* True if the bytes begin as a certificate table does: a known GUID in either byte order, or the entry that ends it. */
bool snp_table_begins(const uint8_t *bytes, size_t len);
/* NULL, or a code; *at is then the offset of the entry. GUIDs in text order (as the AWS and Google hosts write them) or with the first
 * three fields little-endian. Entries of unknown purpose are bounded, and passed over. */
const char *snp_table_read(const uint8_t *bytes, size_t len, struct snp_table *table, size_t *at);

#endif
