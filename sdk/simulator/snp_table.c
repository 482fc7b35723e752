/* SPDX-License-Identifier: Apache-2.0 */
/* The certificate table of the GHCB's extended request (AMD 56421 section 4.1.8.1). */
#include "sdk/simulator/der.h"

#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

enum { ENTRY_SIZE = 24, GUID_SIZE = 16, MOST_ENTRIES = 4 };

/* As text: the bytes in the order they are written down. */
static const uint8_t guid_vcek[GUID_SIZE] = {0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64, 0x45, 0x64,
                                             0xad, 0xc5, 0xf4, 0xb9, 0x3b, 0xe8, 0xac, 0xcd};
static const uint8_t guid_vlek[GUID_SIZE] = {0xa8, 0x07, 0x4b, 0xc2, 0xa2, 0x5a, 0x48, 0x3e,
                                             0xaa, 0xe6, 0x39, 0xc0, 0x45, 0xa0, 0xb8, 0xa1};
static const uint8_t guid_ask[GUID_SIZE] = {0x4a, 0xb7, 0xb3, 0x79, 0xbb, 0xac, 0x4f, 0xe4, 0xa0, 0x2f, 0x05, 0xae, 0xf3, 0x27, 0xc7, 0x82};
static const uint8_t guid_ark[GUID_SIZE] = {0xc0, 0xb4, 0x06, 0xa4, 0xa8, 0x03, 0x49, 0x52, 0x97, 0x43, 0x3f, 0xb6, 0x01, 0x4c, 0xd0, 0xae};
static const uint8_t guid_crl[GUID_SIZE] = {0x92, 0xf8, 0x1b, 0xc3, 0x58, 0x11, 0x4d, 0x3d, 0x97, 0xff, 0xd1, 0x9f, 0x88, 0xdc, 0x67, 0xea};

/* RFC 4122's fields in the machine's order: the first three are little-endian. */
static void put_guid(struct sim_buffer *b, const uint8_t guid[GUID_SIZE], bool text_order)
{
    static const uint8_t mixed[GUID_SIZE] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
    for (size_t i = 0; i < GUID_SIZE; i++) {
        sim_put(b, &guid[text_order ? i : mixed[i]], 1);
    }
}

static void put_u32(struct sim_buffer *b, size_t value)
{
    const uint8_t bytes[4] = {(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16), (uint8_t)(value >> 24)};
    sim_put(b, bytes, sizeof bytes);
}

struct sim_bytes sim_pem(struct sim_bytes der, const char *name)
{
    BIO *memory = BIO_new(BIO_s_mem());
    struct sim_bytes pem = {NULL, 0};
    if (memory && PEM_write_bio(memory, name, "", der.data, (long)der.len) > 0) {
        char *text = NULL;
        long len = BIO_get_mem_data(memory, &text);
        pem = sim_bytes_copy(text, (size_t)len);
    }
    BIO_free(memory);
    return pem;
}

struct sim_bytes sim_snp_table(struct sim_bytes vek, bool vlek, struct sim_bytes ask, struct sim_bytes ark, struct sim_bytes crl,
                               bool text_order, bool pem)
{
    const struct {
        const uint8_t *guid;
        struct sim_bytes der;
        const char *pem_name;
    } all[MOST_ENTRIES] = {{vlek ? guid_vlek : guid_vcek, vek, "CERTIFICATE"},
                           {guid_ask, ask, "CERTIFICATE"},
                           {guid_ark, ark, "CERTIFICATE"},
                           {guid_crl, crl, "X509 CRL"}};
    size_t count = 0;
    for (size_t i = 0; i < MOST_ENTRIES; i++) {
        count += all[i].der.data != NULL;
    }
    struct sim_buffer table = {0}, blobs = {0};
    size_t blobs_at = (count + 1) * ENTRY_SIZE;
    for (size_t i = 0; i < MOST_ENTRIES; i++) {
        if (!all[i].der.data) {
            continue;
        }
        struct sim_bytes blob = pem ? sim_pem(all[i].der, all[i].pem_name) : sim_bytes_copy(all[i].der.data, all[i].der.len);
        put_guid(&table, all[i].guid, text_order);
        put_u32(&table, blobs_at + blobs.len);
        put_u32(&table, blob.len);
        sim_put(&blobs, blob.data, blob.len);
        blobs.failed |= blob.data == NULL;
        free(blob.data);
    }
    sim_put(&table, (const uint8_t[ENTRY_SIZE]){0}, ENTRY_SIZE);
    sim_put(&table, blobs.data, blobs.len);
    table.failed |= blobs.failed;
    free(blobs.data);
    return sim_buffer_take(&table);
}
