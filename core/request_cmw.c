/* SPDX-License-Identifier: Apache-2.0 */
/* Conceptual message wrappers in JSON (RFC 9999, sections 3.1 and 3.2): one record, or a collection of records. */
#include "core/encoding.h"
#include "core/request_fault.h"

#include <stdio.h>
#include <string.h>

#define MAX_DEPTH 4
#define INDICATES_EVIDENCE 4

/* The type of evidence a media type names; octet-stream is recognised. False: refused. */
static const struct attestd_plugin *plugin_of(struct request_reader *reader, const char *pointer, const char *media_type,
                                              struct attestd_bytes bytes)
{
    if (strcmp(media_type, "application/octet-stream") == 0)
        return request_plugin(reader, NULL, bytes, pointer);
    const struct attestd_plugin *plugin = attestd_engine_plugin_for_media_type(reader->engine, media_type);
    if (plugin == NULL)
        request_refuse(reader->fault, "EVIDENCE_TYPE_UNKNOWN", pointer, "no loaded plugin reads %.80s", media_type);
    return plugin;
}

static bool read_record(struct request_reader *reader, const char *pointer, const char *label, const json_t *record,
                        struct attestd_piece_request *piece)
{
    const json_t *type = json_array_get(record, 0), *value = json_array_get(record, 1), *indicator = json_array_get(record, 2);
    size_t size = json_array_size(record), len = 0;

    if (!json_is_array(record) || size < 2 || size > 3 || !json_is_string(type) || !json_is_string(value))
        return request_refuse(reader->fault, "CMW_MALFORMED", pointer, "a record is [media type, base64url, indicator]");
    if (indicator != NULL && (!json_is_integer(indicator) || json_integer_value(indicator) < 1 || json_integer_value(indicator) > 31))
        return request_refuse(reader->fault, "CMW_MALFORMED", pointer, "the indicator is a number from 1 to 31");
    if (indicator != NULL && (json_integer_value(indicator) & INDICATES_EVIDENCE) == 0)
        return request_refuse(reader->fault, "CMW_MALFORMED", pointer, "the indicator says that this is not evidence");
    /* A conceptual message wrapper knows base64url alone. */
    if (strpbrk(json_string_value(value), "+/=") != NULL)
        return request_refuse(reader->fault, "BASE64_MALFORMED", pointer, "base64url without padding is expected");
    size_t room = json_string_length(value) / 4 * 3 + 3;
    uint8_t *bytes = attestd_arena_alloc(reader->arena, room);
    if (!attestd_base64_decode(json_string_value(value), json_string_length(value), bytes, room, &len) || len == 0)
        return request_refuse(reader->fault, "BASE64_MALFORMED", pointer, "base64url without padding is expected");

    struct attestd_bytes body = {bytes, len};
    const struct attestd_plugin *plugin = plugin_of(reader, pointer, json_string_value(type), body);
    if (plugin == NULL)
        return false;
    struct attestd_part *part = attestd_arena_alloc(reader->arena, sizeof *part);
    *part = (struct attestd_part){plugin->raw_part != NULL ? plugin->raw_part : "report", body};
    *piece = (struct attestd_piece_request){attestd_arena_text(reader->arena, label), plugin->name, part, 1};
    return true;
}

static bool read_collection(struct request_reader *reader, const json_t *collection)
{
    const char *label;
    json_t *record;
    char place[96];
    size_t size = json_object_size(collection), count = 0;

    if (size > ATTESTD_MAX_PIECES)
        return request_refuse(reader->fault, "EVIDENCE_TOO_MANY", "", "at most %d records are expected", ATTESTD_MAX_PIECES);
    struct attestd_piece_request *pieces = attestd_arena_array(reader->arena, size, sizeof *pieces);
    json_object_foreach((json_t *)(uintptr_t)collection, label, record)
    {
        snprintf(place, sizeof place, "/%.40s", label);
        if (strcmp(label, "__cmwc_t") == 0) {
            if (!json_is_string(record))
                return request_refuse(reader->fault, "CMW_MALFORMED", place, "the collection type is a text");
            continue;
        }
        if (!attestd_label_valid(label, strlen(label)))
            return request_refuse(reader->fault, "LABEL_INVALID", place, "%.40s cannot be a label", label);
        if (!read_record(reader, place, label, record, &pieces[count++]))
            return false;
    }
    if (count == 0)
        return request_refuse(reader->fault, "EVIDENCE_MISSING", "", "the collection holds no record");
    request_sort_pieces(pieces, count);
    reader->request->pieces = pieces;
    reader->request->piece_count = count;
    return true;
}

static bool read_single(struct request_reader *reader, const json_t *record)
{
    struct attestd_piece_request *piece = attestd_arena_alloc(reader->arena, sizeof *piece);

    if (!read_record(reader, "", "cpu0", record, piece))
        return false;
    reader->request->pieces = piece;
    reader->request->piece_count = 1;
    return true;
}

bool attestd_request_read_cmw(struct attestd_arena *arena, const struct attestd_engine *engine, const char *text, size_t len,
                              struct attestd_request *request, struct attestd_request_fault *fault)
{
    struct request_reader reader = {arena, engine, request, fault};
    char error[160];

    request_begin(request);
    json_t *json = attestd_json_read(text, len, MAX_DEPTH, error, sizeof error);
    if (json == NULL)
        return request_refuse(fault, "JSON_MALFORMED", NULL, "%s", error);
    bool good = json_is_object(json) ? read_collection(&reader, json) : read_single(&reader, json);
    json_decref(json);
    return good;
}
