/* SPDX-License-Identifier: Apache-2.0 */
/* PCK certificates (Intel SGX PCK Certificate and CRL Profile, section 3.5 on the SGX extension). */
#include "sdk/simulator/derived_key.h"
#include "sdk/simulator/files.h"
#include "sdk/simulator/tdx_vendor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SGX_ARC "1.2.840.113741.1.13.1"
enum { DER_ENUMERATED = 0x0a, WHOLE_EXTENSION = 0 };

EVP_PKEY *sim_tdx_pck_key(const struct sim_tdx_pck *pck)
{
    struct sim_buffer seed = {0};
    sim_put(&seed, &pck->key_seed, sizeof pck->key_seed);
    sim_put(&seed, pck->ppid, sizeof pck->ppid);
    sim_put(&seed, pck->cpusvn, sizeof pck->cpusvn);
    sim_put(&seed, &pck->pcesvn, sizeof pck->pcesvn);
    sim_put(&seed, pck->pceid, sizeof pck->pceid);
    EVP_PKEY *key = seed.failed ? NULL : sim_key_p256("PCK", seed.data, seed.len);
    free(seed.data);
    return key;
}

/* SEQUENCE { OID arc.number, value }; what is written before close() is the value. */
static size_t open_member(struct sim_buffer *b, const char *group, unsigned number)
{
    char oid[64];
    snprintf(oid, sizeof oid, SGX_ARC "%s.%u", group, number);
    size_t mark = sim_der_open(b, SIM_DER_SEQUENCE);
    sim_der_oid(b, oid);
    return mark;
}

static void put_octets(struct sim_buffer *b, const char *group, unsigned number, const uint8_t *bytes, size_t len)
{
    size_t mark = open_member(b, group, number);
    sim_der_put(b, SIM_DER_OCTET_STRING, bytes, len);
    sim_der_close(b, mark);
}

static void put_number(struct sim_buffer *b, const char *group, unsigned number, uint64_t value)
{
    size_t mark = open_member(b, group, number);
    sim_der_unsigned(b, value);
    sim_der_close(b, mark);
}

static void put_tcb(struct sim_buffer *b, const struct sim_tdx_pck *pck)
{
    size_t mark = open_member(b, "", 2);
    size_t tcb = sim_der_open(b, SIM_DER_SEQUENCE);
    for (unsigned i = 0; i < sizeof pck->components; i++) {
        put_number(b, ".2", i + 1, pck->components[i]);
    }
    put_number(b, ".2", 17, pck->pcesvn);
    put_octets(b, ".2", 18, pck->cpusvn, sizeof pck->cpusvn);
    sim_der_close(b, tcb);
    sim_der_close(b, mark);
}

static void put_configuration(struct sim_buffer *b, const struct sim_tdx_pck *pck)
{
    const uint8_t flags[] = {pck->dynamic_platform, pck->cached_keys, pck->smt};
    size_t mark = open_member(b, "", 7);
    size_t configuration = sim_der_open(b, SIM_DER_SEQUENCE);
    for (unsigned i = 0; i < sizeof flags; i++) {
        size_t member = open_member(b, ".7", i + 1);
        sim_der_put(b, SIM_DER_BOOLEAN, flags[i] ? "\xff" : "\0", 1);
        sim_der_close(b, member);
    }
    sim_der_close(b, configuration);
    sim_der_close(b, mark);
}

static bool has(const struct sim_tdx_pck *pck, unsigned number)
{
    return !(pck->without & 1U << number);
}

static struct sim_bytes sgx_part(const struct sim_tdx_pck *pck)
{
    struct sim_buffer b = {0};
    if (!has(pck, WHOLE_EXTENSION)) {
        return (struct sim_bytes){NULL, 0};
    }
    size_t whole = sim_der_open(&b, SIM_DER_SEQUENCE);
    if (has(pck, 1)) {
        put_octets(&b, "", 1, pck->ppid, sizeof pck->ppid);
    }
    if (has(pck, 2)) {
        put_tcb(&b, pck);
    }
    if (has(pck, 3)) {
        put_octets(&b, "", 3, pck->pceid, sizeof pck->pceid);
    }
    if (has(pck, 4)) {
        put_octets(&b, "", 4, pck->fmspc, sizeof pck->fmspc);
    }
    if (has(pck, 5)) {
        size_t mark = open_member(&b, "", 5);
        sim_der_put(&b, DER_ENUMERATED, &pck->sgx_type, 1);
        sim_der_close(&b, mark);
    }
    if (!pck->processor && has(pck, 6)) {
        put_octets(&b, "", 6, pck->platform_instance, sizeof pck->platform_instance);
    }
    if (!pck->processor && has(pck, 7)) {
        put_configuration(&b, pck);
    }
    sim_der_close(&b, whole);
    return sim_buffer_take(&b);
}

struct sim_bytes sim_tdx_pck_certificate(const struct sim_tdx_vendor *vendor, const struct sim_tdx_scene *scene)
{
    const struct sim_tdx_pck *pck = &scene->pck;
    EVP_PKEY *key = sim_tdx_pck_key(pck);
    struct sim_tdx_certificate certificate = {
        .subject = "Intel SGX PCK Certificate",
        .issuer = pck->processor ? "Intel SGX PCK Processor CA" : "Intel SGX PCK Platform CA",
        .crl_address = pck->processor ? SIM_TDX_PCS "/pckcrl?ca=processor&encoding=der" : SIM_TDX_PCS "/pckcrl?ca=platform&encoding=der",
        .not_before = pck->not_before,
        .not_after = pck->not_after,
        .key = key,
        .issuer_key = vendor->keys[sim_tdx_pck_ca(scene)],
        .path_len = -1,
        .sgx_part = sgx_part(pck),
    };
    struct sim_bytes der = {NULL, 0};
    if (key) {
        der = sim_tdx_certificate_sign(&certificate);
    }
    EVP_PKEY_free(key);
    free(certificate.sgx_part.data);
    return der;
}

struct sim_bytes sim_tdx_pck_chain(const struct sim_tdx_vendor *vendor, const struct sim_tdx_scene *scene)
{
    struct sim_bytes leaf = sim_tdx_pck_certificate(vendor, scene), chain = {NULL, 0};
    struct sim_bytes ca = vendor->certificates[sim_tdx_pck_ca(scene)], root = vendor->certificates[SIM_TDX_ROOT];
    if (leaf.data) {
        chain = scene->guest.root_first ? sim_pem_chain((struct sim_bytes[]){root, ca, leaf}, 3)
                                        : sim_pem_chain((struct sim_bytes[]){leaf, ca, root}, 3);
    }
    free(leaf.data);
    return chain;
}
