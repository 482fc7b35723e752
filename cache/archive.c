/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/archive.h"

#include "core/bytes.h"
#include "core/encoding.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

void archive_begin(struct archive_writer *writer, struct attestd_text *out)
{
    writer->json = attestd_json_writer_to(out);
    attestd_json_open_map(&writer->json, NULL);
    attestd_json_number(&writer->json, "attestd_endorsements", 1);
    attestd_json_open_list(&writer->json, "entries");
}

void archive_entry(struct archive_writer *writer, const char *kind, const char *key, const struct endorsement *endorsement)
{
    attestd_json_open_map(&writer->json, NULL);
    attestd_json_text(&writer->json, "kind", kind);
    attestd_json_text(&writer->json, "key", key);
    attestd_json_text(&writer->json, "source", endorsement->source);
    attestd_json_time(&writer->json, "fetched", endorsement->fetched);
    attestd_json_hex(&writer->json, "sha256", endorsement->sha256, sizeof endorsement->sha256);
    attestd_json_base64(&writer->json, "bytes", endorsement->bytes, endorsement->len);
    attestd_json_close_map(&writer->json);
}

void archive_end(struct archive_writer *writer)
{
    attestd_json_close_list(&writer->json);
    attestd_json_close_map(&writer->json);
}

struct reading {
    const struct attestd_engine *engine;
    const char *kind, *key;
    bool confirmed;
};

static void confirm(void *context, const char *kind, const char *key, const uint8_t *bytes, size_t len)
{
    struct reading *reading = context;
    (void)bytes;
    (void)len;
    if (strcmp(kind, reading->kind) == 0 && strcmp(key, reading->key) == 0)
        reading->confirmed = true;
}

static struct endorsement *read_bytes(const struct attestd_engine *engine, const json_t *entry, const char *kind, const char *key)
{
    const char *text = json_string_value(json_object_get(entry, "bytes")), *digest = json_string_value(json_object_get(entry, "sha256"));
    const char *fetched_text = json_string_value(json_object_get(entry, "fetched"));
    int64_t fetched = 0, now = (int64_t)time(NULL);
    uint8_t sha256[32];
    size_t len = 0;
    if (text == NULL || digest == NULL || !attestd_hex_decode(digest, strlen(digest), sha256, sizeof sha256, &len) || len != 32)
        return NULL;
    if (fetched_text != NULL && !attestd_time_parse(fetched_text, &fetched))
        return NULL;
    size_t size = strlen(text) / 4 * 3 + 3;
    uint8_t *bytes = malloc(size);
    if (bytes == NULL)
        return NULL;
    struct reading reading = {engine, kind, key, false};
    struct endorsement *endorsement = NULL;
    if (attestd_base64_decode(text, strlen(text), bytes, size, &len) && endorsement_identify(engine, bytes, len, confirm, &reading) &&
        reading.confirmed && len <= endorsement_max_size(engine, kind))
        endorsement = endorsement_new(bytes, len, "import", fetched < now ? fetched : now, endorsement_life(engine, kind));
    free(bytes);
    if (endorsement != NULL && !endorsement_same(endorsement, sha256)) {
        endorsement_free(endorsement);
        endorsement = NULL;
    }
    return endorsement;
}

bool archive_read(const struct attestd_engine *engine, const uint8_t *bytes, size_t len,
                  void (*found)(void *context, const char *kind, const char *key, struct endorsement *), void *context)
{
    if (len == 0 || memmem(bytes, len < 256 ? len : 256, "attestd_endorsements", strlen("attestd_endorsements")) == NULL)
        return false;
    json_t *document = attestd_json_read((const char *)bytes, len, 8, NULL, 0);
    json_t *entries = json_object_get(document, "entries");
    bool good = json_integer_value(json_object_get(document, "attestd_endorsements")) == 1 && json_is_array(entries);
    for (size_t i = 0; good && i < json_array_size(entries); i++) {
        const json_t *entry = json_array_get(entries, i);
        const char *kind = json_string_value(json_object_get(entry, "kind")), *key = json_string_value(json_object_get(entry, "key"));
        struct endorsement *endorsement = kind != NULL && key != NULL ? read_bytes(engine, entry, kind, key) : NULL;
        if (endorsement != NULL)
            found(context, kind, key, endorsement);
        endorsement_free(endorsement);
    }
    json_decref(document);
    return good;
}
