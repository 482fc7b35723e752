/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Intel's Provisioning Certification Service (PCS API version 4), or a caching one (PCCS) in its place: paths of TCB info, identities,
 * lists and issuer chains. The root's certificate and list have a host of their own; who names only a PCCS gets them from there.
 */
#include "cache/source.h"

#include <stdio.h>
#include <string.h>

#define SGX_TREE "/sgx/certification/v4"

static const char malformed_key[] = "the key is not one the vendor's service knows";

static const char *write_path(char *out, size_t size, const char *first, const char *second, const char *third)
{
    int written = snprintf(out, size, "%s%s%s", first, second, third);
    return written > 0 && (size_t)written < size ? NULL : malformed_key;
}

/* Key: tdx/<FMSPC> or sgx/<FMSPC>, 6 bytes in lower-case hex. Without update= Intel gives the standard list. */
static const char *tcb_path(const char *key, char *out, size_t size)
{
    bool of_tdx = strncmp(key, "tdx/", 4) == 0;
    if (!of_tdx && strncmp(key, "sgx/", 4) != 0)
        return malformed_key;
    if (strlen(key) != 16 || strspn(key + 4, "0123456789abcdef") != 12)
        return malformed_key;
    return write_path(out, size, of_tdx ? "/tdx" : "/sgx", "/certification/v4/tcb?fmspc=", key + 4);
}

/* Key: the identity's id in lower case. */
static const char *identity_path(const char *key, char *out, size_t size)
{
    static const struct {
        const char *key, *path;
    } paths[] = {
        {"td_qe", "/tdx/certification/v4/qe/identity"},
        {"qe", SGX_TREE "/qe/identity"},
        {"qve", SGX_TREE "/qve/identity"},
        {"qae", SGX_TREE "/qae/identity"},
    };
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        if (strcmp(paths[i].key, key) == 0)
            return write_path(out, size, paths[i].path, "", "");
    return malformed_key;
}

/* Key: the CA. There is no /tdx/ variant. A PCCS answers hex all the same. */
static const char *pck_list_path(const char *key, char *out, size_t size)
{
    if (strcmp(key, "platform") != 0 && strcmp(key, "processor") != 0)
        return malformed_key;
    return write_path(out, size, SGX_TREE "/pckcrl?ca=", key, "&encoding=der");
}

/* The one key of a kind. */
static const char *only(const char *expected, const char *key, const char *path, char *out, size_t size)
{
    return strcmp(key, expected) == 0 ? write_path(out, size, path, "", "") : malformed_key;
}

static const char *td_signer_path(const char *key, char *out, size_t size)
{
    return only("tcb_signing", key, "/tdx/certification/v4/qe/identity", out, size);
}

static const char *sgx_signer_path(const char *key, char *out, size_t size)
{
    return only("tcb_signing", key, SGX_TREE "/qe/identity", out, size);
}

static const char *root_path(const char *key, char *out, size_t size)
{
    return only("root", key, "/Intel_SGX_Provisioning_Certification_RootCA.cer", out, size);
}

/* The distribution point that the root's own certificate names. */
static const char *root_list_path(const char *key, char *out, size_t size)
{
    return only("root", key, "/IntelSGXRootCA.der", out, size);
}

/* Only a PCCS has it; in hex. */
static const char *pccs_root_list_path(const char *key, char *out, size_t size)
{
    return only("root", key, SGX_TREE "/rootcacrl", out, size);
}

/* Every issuer chain ends in the root; this one is asked for in any case. */
static const char *td_chain_root_path(const char *key, char *out, size_t size)
{
    return only("root", key, "/tdx/certification/v4/qe/identity", out, size);
}

static const char *sgx_chain_root_path(const char *key, char *out, size_t size)
{
    return only("root", key, SGX_TREE "/qe/identity", out, size);
}

#define PCK_ABSENT "a PCK certificate is not asked for by its PPID: it comes with the quote (certification data of type 5)"
#define IDENTITY_CHAIN "SGX-Enclave-Identity-Issuer-Chain"
#define LIST_CHAIN "SGX-PCK-CRL-Issuer-Chain"

/* The same kinds for quotes of trust domains and of enclaves. */
#define ROWS(type, signer, chain_root)                                                                                                     \
    {.kind = type ".tcb_info", .vendor = "intel-pcs", .path = tcb_path},                                                                   \
        {.kind = type ".qe_identity", .vendor = "intel-pcs", .path = identity_path},                                                       \
        {.kind = type ".tcb_signing", .vendor = "intel-pcs", .path = signer, .header = IDENTITY_CHAIN},                                    \
        {.kind = type ".pck_crl", .vendor = "intel-pcs", .path = pck_list_path, .may_be_hex = true},                                       \
        {.kind = type ".pck_ca", .vendor = "intel-pcs", .path = pck_list_path, .header = LIST_CHAIN},                                      \
        {.kind = type ".pck", .absent = PCK_ABSENT}, {.kind = type ".root_ca", .vendor = "intel-certificates", .path = root_path},         \
        {.kind = type ".root_ca", .vendor = "intel-pcs", .path = chain_root, .header = IDENTITY_CHAIN},                                    \
        {.kind = type ".root_crl", .vendor = "intel-certificates", .path = root_list_path},                                                \
    {                                                                                                                                      \
        .kind = type ".root_crl", .vendor = "intel-pcs", .path = pccs_root_list_path, .may_be_hex = true                                   \
    }

const struct endorsement_source attestd_pcs_sources[] = {
    ROWS("tdx", td_signer_path, td_chain_root_path),
    ROWS("sgx", sgx_signer_path, sgx_chain_root_path),
};
const size_t attestd_pcs_source_count = sizeof attestd_pcs_sources / sizeof *attestd_pcs_sources;
