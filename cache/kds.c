/* SPDX-License-Identifier: Apache-2.0 */
/* AMD's Key Distribution System (AMD 57230): paths of VCEK certificates, chains and CRLs. */
#include "cache/source.h"

#include <stdio.h>
#include <string.h>

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

static const char malformed_key[] = "the key is not one the vendor's service knows";

/* "Genoa": letters and digits, as AMD names products (case counts). */
static bool is_product(const char *text, size_t len)
{
    return len > 0 && len <= 16 && strspn(text, LETTERS DIGITS) >= len;
}

/* 64 bytes of chip id in hex; 8 bytes on Turin (AMD 57230 section 4). */
static bool is_hwid(const char *text, size_t len)
{
    return (len == 128 || len == 16) && strspn(text, DIGITS "abcdef") >= len;
}

static bool is_query(const char *text)
{
    size_t len = strlen(text);
    return len > 0 && len <= 128 && strspn(text, LETTERS DIGITS "=&") == len;
}

/* Key: <Product>/<hwid>/<query>, query being "blSPL=3&teeSPL=0&...". */
static const char *vcek_path(const char *key, char *out, size_t size)
{
    const char *hwid = strchr(key, '/');
    const char *query = hwid != NULL ? strchr(hwid + 1, '/') : NULL;
    if (query == NULL)
        return malformed_key;
    size_t product_len = (size_t)(hwid - key), hwid_len = (size_t)(query - hwid) - 1;
    hwid++;
    query++;
    if (!is_product(key, product_len) || !is_hwid(hwid, hwid_len) || !is_query(query))
        return malformed_key;
    if (strspn(hwid, "0") >= hwid_len)
        return "the chip id is masked: the vendor cannot find its certificate"; /* KDS answers 404 */
    int written = snprintf(out, size, "/vcek/v1/%.*s/%.*s?%s", (int)product_len, key, (int)hwid_len, hwid, query);
    return written > 0 && (size_t)written < size ? NULL : malformed_key;
}

static const char *product_path(const char *family, const char *leaf, const char *product, char *out, size_t size)
{
    if (!is_product(product, strlen(product)))
        return malformed_key;
    int written = snprintf(out, size, "/%s/v1/%s/%s", family, product, leaf);
    return written > 0 && (size_t)written < size ? NULL : malformed_key;
}

static const char *vcek_chain_path(const char *key, char *out, size_t size)
{
    return product_path("vcek", "cert_chain", key, out, size);
}

static const char *vlek_chain_path(const char *key, char *out, size_t size)
{
    return product_path("vlek", "cert_chain", key, out, size);
}

static const char *crl_path(const char *key, char *out, size_t size)
{
    return product_path("vcek", "crl", key, out, size);
}

const struct endorsement_source attestd_kds_sources[] = {
    {.kind = "snp.vcek", .vendor = "amd-kds", .path = vcek_path},
    {.kind = "snp.ask", .vendor = "amd-kds", .path = vcek_chain_path},
    {.kind = "snp.ark", .vendor = "amd-kds", .path = vcek_chain_path},
    {.kind = "snp.asvk", .vendor = "amd-kds", .path = vlek_chain_path},
    {.kind = "snp.crl", .vendor = "amd-kds", .path = crl_path},
    {.kind = "snp.vlek",
     .absent = "a VLEK certificate comes from the cloud provider, with the evidence: the vendor gives it to nobody else"},
};
const size_t attestd_kds_source_count = sizeof attestd_kds_sources / sizeof *attestd_kds_sources;
