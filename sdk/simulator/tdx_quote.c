/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Quotes (Intel SGX ECDSA Quote Library API, appendix A.4 for version 3; Intel TDX DCAP Quoting Library API, appendix A.3 for versions 4
 * and 5). Numbers are little-endian, keys and signatures big-endian.
 */
#include "sdk/simulator/derived_key.h"
#include "sdk/simulator/tdx_vendor.h"

#include <stdlib.h>
#include <string.h>

enum { BODY_ENCLAVE = 1, BODY_TD_15 = 3, CERTIFICATION_LEAF = 4, CERTIFICATION_CHAIN = 5 };

static void put_u16(struct sim_buffer *b, uint16_t value)
{
    sim_put(b, (const uint8_t[]){(uint8_t)value, (uint8_t)(value >> 8)}, 2);
}

static void put_u32(struct sim_buffer *b, uint32_t value)
{
    put_u16(b, (uint16_t)value);
    put_u16(b, (uint16_t)(value >> 16));
}

static void put_zeros(struct sim_buffer *b, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        sim_put(b, "", 1);
    }
}

static void put_part(struct sim_buffer *b, struct sim_buffer *part)
{
    b->failed |= part->failed;
    sim_put(b, part->data, part->len);
    free(part->data);
}

/* REPORT body, 384 bytes (Intel SDM volume 3D, REPORT). */
static void put_enclave(struct sim_buffer *b, const struct sim_tdx_enclave *enclave, const uint8_t report_data[64])
{
    sim_put(b, enclave->cpusvn, 16);
    put_u32(b, enclave->miscselect);
    put_zeros(b, 12);
    sim_put(b, enclave->ext_prod_id, 16);
    sim_put(b, enclave->attributes, 16);
    sim_put(b, enclave->mrenclave, 32);
    put_zeros(b, 32);
    sim_put(b, enclave->mrsigner, 32);
    put_zeros(b, 32);
    sim_put(b, enclave->config_id, 64);
    put_u16(b, enclave->prod_id);
    put_u16(b, enclave->svn);
    put_u16(b, enclave->config_svn);
    put_zeros(b, 42);
    sim_put(b, enclave->family_id, 16);
    sim_put(b, report_data, 64);
}

/* 584 bytes, 648 for 1.5. */
static void put_td(struct sim_buffer *b, const struct sim_tdx_guest *guest, bool td_15)
{
    sim_put(b, guest->tee_tcb_svn, 16);
    sim_put(b, guest->mrseam, 48);
    sim_put(b, guest->mrsignerseam, 48);
    sim_put(b, guest->seam_attributes, 8);
    sim_put(b, guest->td_attributes, 8);
    sim_put(b, guest->xfam, 8);
    sim_put(b, guest->mrtd, 48);
    sim_put(b, guest->mrconfigid, 48);
    sim_put(b, guest->mrowner, 48);
    sim_put(b, guest->mrownerconfig, 48);
    sim_put(b, guest->rtmr, sizeof guest->rtmr);
    sim_put(b, guest->report_data, 64);
    if (td_15) {
        sim_put(b, guest->tee_tcb_svn2, 16);
        sim_put(b, guest->mrservicetd, 48);
    }
}

static void put_header(struct sim_buffer *b, const struct sim_tdx_guest *guest)
{
    put_u16(b, guest->version);
    put_u16(b, guest->key_type);
    put_u32(b, guest->tee_type);
    put_u16(b, guest->header_qe_svn);
    put_u16(b, guest->header_pce_svn);
    sim_put(b, guest->qe_vendor_id, 16);
    sim_put(b, guest->user_data, 20);
}

static void put_body(struct sim_buffer *b, const struct sim_tdx_guest *guest)
{
    struct sim_buffer body = {0};
    if (guest->sgx) {
        put_enclave(&body, &guest->enclave, guest->report_data);
    } else {
        put_td(&body, guest, guest->version >= 5 && guest->body_type >= BODY_TD_15);
    }
    if (guest->version >= 5) {
        put_u16(b, guest->body_type);
        put_u32(b, guest->body_size ? guest->body_size : (uint32_t)body.len);
    }
    put_part(b, &body);
}

static void put_signature(struct sim_buffer *b, EVP_PKEY *key, const uint8_t *bytes, size_t len)
{
    uint8_t signature[64] = {0};
    b->failed |= !key || !sim_tdx_sign(key, bytes, len, signature);
    sim_put(b, signature, sizeof signature);
}

/* The QE's report over SHA-256(attestation key | authentication data), and its signature by the PCK. */
static void put_qe_report(struct sim_buffer *b, const struct sim_tdx_scene *scene, const uint8_t point[64])
{
    const struct sim_tdx_guest *guest = &scene->guest;
    uint8_t report_data[64] = {0}, bound[64 + sizeof guest->qe_auth];
    size_t auth_len = guest->qe_auth_len < sizeof guest->qe_auth ? guest->qe_auth_len : sizeof guest->qe_auth;
    memcpy(bound, point, 64);
    memcpy(bound + 64, guest->qe_auth, auth_len);
    b->failed |= EVP_Digest(bound, 64 + auth_len, report_data, NULL, EVP_sha256(), NULL) != 1;

    size_t begin = b->len;
    put_enclave(b, &guest->qe, guest->qe_report_data_given ? guest->qe.report_data : report_data);
    struct sim_tdx_pck pck = scene->pck;
    pck.key_seed += scene->foreign_pck_key;
    EVP_PKEY *key = sim_tdx_pck_key(&pck);
    size_t signature_at = b->len;
    if (!b->failed) {
        put_signature(b, key, b->data + begin, b->len - begin);
    }
    if (!b->failed) {
        b->data[signature_at] ^= scene->flip_qe;
    }
    EVP_PKEY_free(key);
    put_u16(b, (uint16_t)auth_len);
    sim_put(b, guest->qe_auth, auth_len);
}

/* Types 1 to 3: PPID, plain or as long as the RSA modulus that encrypts it, then what names the PCK. */
static void put_ppid(struct sim_buffer *b, const struct sim_tdx_scene *scene)
{
    static const size_t encrypted_len[] = {[2] = 256, [3] = 384};
    const struct sim_tdx_pck *pck = &scene->pck;
    if (scene->guest.certification_type == 1) {
        sim_put(b, pck->ppid, sizeof pck->ppid);
    } else {
        for (size_t i = 0; i < encrypted_len[scene->guest.certification_type]; i++) {
            sim_put(b, &(uint8_t){(uint8_t)(pck->ppid[i % sizeof pck->ppid] ^ i)}, 1);
        }
    }
    sim_put(b, pck->cpusvn, sizeof pck->cpusvn);
    put_u16(b, pck->pcesvn);
    sim_put(b, pck->pceid, sizeof pck->pceid);
}

static void put_certification(struct sim_buffer *b, const struct sim_tdx_vendor *vendor, const struct sim_tdx_scene *scene)
{
    struct sim_buffer data = {0};
    uint16_t type = scene->guest.certification_type;
    if (type >= 1 && type <= 3) {
        put_ppid(&data, scene);
    } else {
        struct sim_bytes certificates =
            type == CERTIFICATION_LEAF ? sim_tdx_pck_certificate(vendor, scene) : sim_tdx_pck_chain(vendor, scene);
        data.failed |= !certificates.data;
        sim_put(&data, certificates.data, certificates.len);
        put_zeros(&data, type == CERTIFICATION_CHAIN && scene->guest.certification_nul);
        free(certificates.data);
    }
    put_u16(b, type);
    put_u32(b, (uint32_t)data.len);
    put_part(b, &data);
}

static void put_signature_data(struct sim_buffer *b, const struct sim_tdx_vendor *vendor, const struct sim_tdx_scene *scene,
                               const struct sim_buffer *quote)
{
    const struct sim_tdx_guest *guest = &scene->guest;
    uint8_t seed[sizeof guest->user_data + 4], point[64] = {0};
    memcpy(seed, guest->user_data, sizeof guest->user_data);
    memcpy(seed + sizeof guest->user_data, &guest->key_seed, 4);
    EVP_PKEY *key = sim_key_p256("attestation key", seed, sizeof seed);
    b->failed |= quote->failed || !key || !sim_tdx_point(key, point);
    if (b->failed) {
        EVP_PKEY_free(key);
        return;
    }
    put_signature(b, key, quote->data, quote->len);
    EVP_PKEY_free(key);
    sim_put(b, point, sizeof point);

    struct sim_buffer certified = {0};
    put_qe_report(&certified, scene, point);
    put_certification(&certified, vendor, scene);
    if (guest->version >= 4) {
        put_u16(b, guest->outer_type);
        put_u32(b, (uint32_t)certified.len);
    }
    put_part(b, &certified);
    if (!b->failed) {
        b->data[0] ^= scene->flip_quote;
        b->data[64] ^= scene->flip_key;
    }
}

struct sim_bytes sim_tdx_quote(const struct sim_tdx_vendor *vendor, const struct sim_tdx_scene *scene)
{
    struct sim_buffer quote = {0}, signature_data = {0};
    put_header(&quote, &scene->guest);
    put_body(&quote, &scene->guest);
    put_signature_data(&signature_data, vendor, scene, &quote);
    put_u32(&quote, (uint32_t)(signature_data.len + (size_t)scene->signature_len_change));
    put_part(&quote, &signature_data);
    if (!quote.failed && scene->truncate < quote.len) {
        quote.len -= scene->truncate;
    }
    for (size_t i = 0; i < scene->junk; i++) {
        sim_put(&quote, "\xa5", 1);
    }
    put_zeros(&quote, scene->guest.padding);
    return sim_buffer_take(&quote);
}
