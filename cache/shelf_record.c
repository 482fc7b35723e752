/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/shelf_record.h"

#include "core/bytes.h"
#include "core/digest.h"
#include <string.h>

#define RECORD_VERSION 1u

void shelf_record_key(const char *kind, const char *key, enum shelf_place place, uint8_t out[SHELF_RECORD_KEY])
{
    char both[ENDORSEMENT_KIND_MAX + ENDORSEMENT_KEY_MAX + 2];
    size_t kind_len = strlen(kind), key_len = strlen(key);
    memcpy(both, kind, kind_len + 1);
    memcpy(both + kind_len + 1, key, key_len);
    attestd_sha256(both, kind_len + 1 + key_len, out);
    out[32] = (uint8_t)place;
}

static void write_number(struct attestd_text *out, uint64_t number, unsigned size)
{
    char bytes[8];
    for (unsigned i = 0; i < size; i++)
        bytes[i] = (char)(uint8_t)(number >> (8 * (size - 1 - i)));
    attestd_text_add(out, bytes, size);
}

void shelf_record_write(struct attestd_text *out, const char *kind, const char *key, const struct endorsement *endorsement)
{
    size_t kind_len = strlen(kind), key_len = strlen(key), source_len = strlen(endorsement->source);
    write_number(out, RECORD_VERSION, 1);
    write_number(out, endorsement->authentic, 1);
    write_number(out, (uint64_t)endorsement->fetched, 8);
    write_number(out, (uint64_t)endorsement->this_update, 8);
    write_number(out, (uint64_t)endorsement->next_update, 8);
    write_number(out, endorsement->number, 8);
    attestd_text_add(out, (const char *)endorsement->sha256, 32);
    write_number(out, source_len, 1);
    attestd_text_add(out, endorsement->source, source_len);
    write_number(out, kind_len, 1);
    attestd_text_add(out, kind, kind_len);
    write_number(out, key_len, 2);
    attestd_text_add(out, key, key_len);
    attestd_text_add(out, (const char *)endorsement->bytes, endorsement->len);
}

static bool read_name(struct attestd_reader *reader, size_t len, size_t max, char *out)
{
    struct attestd_bytes name = attestd_read_bytes(reader, len);
    if (reader->failed || len > max || memchr(name.data, 0, len) != NULL)
        return false;
    memcpy(out, name.data, len);
    out[len] = 0;
    return true;
}

struct endorsement *shelf_record_read(struct attestd_bytes value, char kind[ENDORSEMENT_KIND_MAX + 1], char key[ENDORSEMENT_KEY_MAX + 1])
{
    struct attestd_reader reader = attestd_reader_of(value.data, value.len);
    bool version_good = attestd_read_u8(&reader) == RECORD_VERSION;
    bool authentic = attestd_read_u8(&reader) == 1;
    int64_t fetched = (int64_t)attestd_read_u64be(&reader);
    int64_t this_update = (int64_t)attestd_read_u64be(&reader);
    int64_t next_update = (int64_t)attestd_read_u64be(&reader);
    uint64_t number = attestd_read_u64be(&reader);
    uint8_t sha256[32];
    attestd_read_copy(&reader, sha256, sizeof sha256);
    struct attestd_bytes source = attestd_read_bytes(&reader, attestd_read_u8(&reader));
    if (!version_good || !read_name(&reader, attestd_read_u8(&reader), ENDORSEMENT_KIND_MAX, kind) ||
        !read_name(&reader, attestd_read_u16be(&reader), ENDORSEMENT_KEY_MAX, key))
        return NULL;
    struct attestd_bytes bytes = attestd_read_bytes(&reader, attestd_reader_left(&reader));
    if (!attestd_reader_done(&reader))
        return NULL;
    const char *name = endorsement_source_name((const char *)source.data, source.len);
    struct endorsement *endorsement = endorsement_new(bytes.data, bytes.len, name, fetched, ATTESTD_IMMUTABLE);
    if (endorsement == NULL || !endorsement_same(endorsement, sha256)) {
        endorsement_free(endorsement);
        return NULL;
    }
    endorsement->this_update = this_update;
    endorsement->next_update = next_update;
    endorsement->number = number;
    endorsement->authentic = authentic;
    return endorsement;
}
