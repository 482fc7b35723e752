/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON envelope of POST /verify (docs/api.md). */
#include "core/encoding.h"
#include "core/request_fault.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DEPTH 16
#define MAX_DATUM 4096

typedef bool read_member(struct request_reader *reader, const char *pointer, const json_t *value);

struct member {
    const char *name;
    read_member *read;
};

/* Reads every member by the table; an unknown one is refused by name. */
static bool read_members(struct request_reader *reader, const char *pointer, const json_t *object, const struct member *members)
{
    const char *name;
    json_t *value;
    char place[96];

    if (!json_is_object(object))
        return request_refuse(reader->fault, "MEMBER_INVALID", pointer, "an object is expected");
    json_object_foreach((json_t *)(uintptr_t)object, name, value)
    {
        const struct member *member = members;
        while (member->name != NULL && strcmp(member->name, name) != 0)
            member++;
        snprintf(place, sizeof place, "%s/%.40s", pointer, name);
        if (member->name == NULL)
            return request_refuse(reader->fault, "MEMBER_UNKNOWN", place, "there is no member %.40s here", name);
        if (!member->read(reader, place, value))
            return false;
    }
    return true;
}

/* A text of 1 to max printable characters (any UTF-8 but controls). */
static const char *read_text(struct request_reader *reader, const char *pointer, const json_t *value, size_t max)
{
    if (!json_is_string(value)) {
        request_refuse(reader->fault, "MEMBER_INVALID", pointer, "a text is expected");
        return NULL;
    }
    const char *text = json_string_value(value);
    size_t len = json_string_length(value);
    bool good = len >= 1 && len <= max;
    for (size_t i = 0; good && i < len; i++)
        good = (uint8_t)text[i] >= 0x20 && text[i] != 0x7f;
    if (!good) {
        request_refuse(reader->fault, "MEMBER_INVALID", pointer, "1 to %zu characters without controls are expected", max);
        return NULL;
    }
    return attestd_arena_text(reader->arena, text);
}

static bool read_challenge(struct request_reader *reader, const char *pointer, const json_t *value)
{
    reader->request->challenge = read_text(reader, pointer, value, 512);
    return reader->request->challenge != NULL;
}

static bool read_nonce(struct request_reader *reader, const char *pointer, const json_t *value)
{
    if (json_is_string(value) &&
        attestd_request_set_nonce(reader->arena, reader->request, json_string_value(value), json_string_length(value)))
        return true;
    return request_refuse(reader->fault, "NONCE_MALFORMED", pointer, "8 to 64 bytes in base64 or base64url are expected");
}

static bool read_policy(struct request_reader *reader, const char *pointer, const json_t *value)
{
    reader->request->policy = read_text(reader, pointer, value, 128);
    return reader->request->policy != NULL;
}

static bool read_audience(struct request_reader *reader, const char *pointer, const json_t *value)
{
    reader->request->audience = read_text(reader, pointer, value, 512);
    return reader->request->audience != NULL;
}

static bool read_token(struct request_reader *reader, const char *pointer, const json_t *value)
{
    static const char *const kinds[] = {"ear", "oidc", "none"};

    for (size_t i = 0; json_is_string(value) && i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(json_string_value(value), kinds[i]) == 0) {
            reader->request->token = kinds[i];
            return true;
        }
    return request_refuse(reader->fault, "MEMBER_INVALID", pointer, "ear, oidc or none is expected");
}

static bool read_layout(struct request_reader *reader, const char *pointer, const json_t *value)
{
    reader->request->layout = read_text(reader, pointer, value, 32);
    return reader->request->layout != NULL;
}

static bool read_jwk(struct request_reader *reader, const char *pointer, const json_t *value)
{
    const char *error = NULL;
    struct attestd_text text = {0};
    struct attestd_json_writer writer = attestd_json_writer_to(&text);

    reader->request->key = attestd_jwk_read(reader->arena, value, &error);
    if (reader->request->key == NULL)
        return request_refuse(reader->fault, "KEY_REFUSED", pointer, "%s", error != NULL ? error : "not a public key");
    attestd_json_jansson(&writer, NULL, value);
    reader->request->key_json = attestd_arena_text(reader->arena, text.data);
    attestd_text_free(&text);
    return true;
}

static bool read_cnf(struct request_reader *reader, const char *pointer, const json_t *value)
{
    static const struct member members[] = {{"jwk", read_jwk}, {NULL, NULL}};

    if (!read_members(reader, pointer, value, members))
        return false;
    if (reader->request->key == NULL)
        return request_refuse(reader->fault, "MEMBER_MISSING", pointer, "cnf holds no jwk");
    return true;
}

static bool read_datum(struct request_reader *reader, const char *pointer, const char *name, const json_t *value,
                       struct attestd_datum *datum)
{
    size_t len = 0;

    if (!attestd_label_valid(name, strlen(name)))
        return request_refuse(reader->fault, "LABEL_INVALID", pointer, "%.40s cannot name a datum", name);
    size_t text_len = json_is_string(value) ? json_string_length(value) : 0;
    if (text_len == 0 || text_len > 2 * MAX_DATUM)
        return request_refuse(reader->fault, "DATA_MALFORMED", pointer, "hex of 1 to %d bytes is expected", MAX_DATUM);
    uint8_t *bytes = attestd_arena_alloc(reader->arena, text_len / 2 + 1);
    if (!attestd_hex_decode(json_string_value(value), text_len, bytes, text_len / 2, &len))
        return request_refuse(reader->fault, "DATA_MALFORMED", pointer, "hex of 1 to %d bytes is expected", MAX_DATUM);
    datum->name = attestd_arena_text(reader->arena, name);
    datum->value = (struct attestd_bytes){bytes, len};
    return true;
}

static bool read_data(struct request_reader *reader, const char *pointer, const json_t *object)
{
    const char *name;
    json_t *value;
    char place[96];

    if (!json_is_object(object))
        return request_refuse(reader->fault, "MEMBER_INVALID", pointer, "an object is expected");
    size_t count = json_object_size(object);
    if (count > ATTESTD_MAX_DATA)
        return request_refuse(reader->fault, "MEMBER_INVALID", pointer, "at most %d data are expected", ATTESTD_MAX_DATA);
    struct attestd_datum *data = attestd_arena_array(reader->arena, count, sizeof *data);
    struct attestd_datum *next = data;
    json_object_foreach((json_t *)(uintptr_t)object, name, value)
    {
        snprintf(place, sizeof place, "%s/%.40s", pointer, name);
        if (!read_datum(reader, place, name, value, next++))
            return false;
    }
    request_sort_data(data, count);
    reader->request->data = data;
    reader->request->data_count = count;
    return true;
}

static bool read_binding(struct request_reader *reader, const char *pointer, const json_t *value)
{
    static const struct member members[] = {{"layout", read_layout}, {"cnf", read_cnf}, {"data", read_data}, {NULL, NULL}};

    return read_members(reader, pointer, value, members);
}

static bool read_part(struct request_reader *reader, const char *pointer, const char *name, const json_t *value, struct attestd_part *part)
{
    if (!attestd_label_valid(name, strlen(name)))
        return request_refuse(reader->fault, "LABEL_INVALID", pointer, "%.40s cannot name a part", name);
    if (!json_is_string(value))
        return request_refuse(reader->fault, "MEMBER_INVALID", pointer, "base64 text is expected");
    size_t text_len = json_string_length(value), len = 0;
    size_t room = text_len / 4 * 3 + 3;
    uint8_t *bytes = attestd_arena_alloc(reader->arena, room);
    if (!attestd_base64_decode(json_string_value(value), text_len, bytes, room, &len))
        return request_refuse(reader->fault, "BASE64_MALFORMED", pointer, "base64 or base64url without white space is expected");
    part->name = attestd_arena_text(reader->arena, name);
    part->bytes = (struct attestd_bytes){bytes, len};
    return true;
}

/* What an untyped piece is recognised by: the part "report", "raw", or its only one. */
static struct attestd_bytes telling_part(const struct attestd_part *parts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(parts[i].name, "report") == 0 || strcmp(parts[i].name, "raw") == 0)
            return parts[i].bytes;
    return count == 1 ? parts[0].bytes : (struct attestd_bytes){NULL, 0};
}

/* "raw" stands for whatever the plugin calls a raw body. */
static bool rename_raw(struct request_reader *reader, const char *pointer, struct attestd_part *parts, size_t count,
                       const struct attestd_plugin *plugin)
{
    struct attestd_part *raw = NULL;
    bool named = false;

    if (plugin->raw_part == NULL || strcmp(plugin->raw_part, "raw") == 0)
        return true;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(parts[i].name, "raw") == 0)
            raw = &parts[i];
        named = named || strcmp(parts[i].name, plugin->raw_part) == 0;
    }
    if (raw != NULL && named)
        return request_refuse(reader->fault, "MEMBER_INVALID", pointer, "raw and %s are the same part", plugin->raw_part);
    if (raw != NULL)
        raw->name = plugin->raw_part;
    return true;
}

static bool read_piece(struct request_reader *reader, const char *pointer, const char *label, const json_t *object,
                       struct attestd_piece_request *piece)
{
    const char *name, *type = NULL;
    json_t *value;
    char place[96];

    if (!attestd_label_valid(label, strlen(label)))
        return request_refuse(reader->fault, "LABEL_INVALID", pointer, "%.40s cannot be a label", label);
    if (!json_is_object(object))
        return request_refuse(reader->fault, "MEMBER_INVALID", pointer, "an object is expected");
    size_t size = json_object_size(object), count = 0;
    if (size > ATTESTD_MAX_PARTS + 1)
        return request_refuse(reader->fault, "EVIDENCE_TOO_MANY", pointer, "at most %d parts are expected", ATTESTD_MAX_PARTS);
    struct attestd_part *parts = attestd_arena_array(reader->arena, size, sizeof *parts);
    json_object_foreach((json_t *)(uintptr_t)object, name, value)
    {
        snprintf(place, sizeof place, "%s/%.32s", pointer, name);
        if (strcmp(name, "type") != 0) {
            if (!read_part(reader, place, name, value, &parts[count++]))
                return false;
            continue;
        }
        type = read_text(reader, place, value, 32);
        if (type == NULL)
            return false;
    }
    if (count == 0)
        return request_refuse(reader->fault, "EVIDENCE_MISSING", pointer, "the piece has no part");
    const struct attestd_plugin *plugin = request_plugin(reader, type, telling_part(parts, count), pointer);
    if (plugin == NULL || !rename_raw(reader, pointer, parts, count, plugin))
        return false;
    request_sort_parts(parts, count);
    *piece = (struct attestd_piece_request){attestd_arena_text(reader->arena, label), plugin->name, parts, count};
    return true;
}

static bool read_evidence(struct request_reader *reader, const char *pointer, const json_t *object)
{
    const char *label;
    json_t *value;
    char place[96];

    if (!json_is_object(object))
        return request_refuse(reader->fault, "MEMBER_INVALID", pointer, "an object of labels is expected");
    size_t count = json_object_size(object);
    if (count > ATTESTD_MAX_PIECES)
        return request_refuse(reader->fault, "EVIDENCE_TOO_MANY", pointer, "at most %d pieces are expected", ATTESTD_MAX_PIECES);
    struct attestd_piece_request *pieces = attestd_arena_array(reader->arena, count, sizeof *pieces);
    struct attestd_piece_request *next = pieces;
    json_object_foreach((json_t *)(uintptr_t)object, label, value)
    {
        snprintf(place, sizeof place, "%s/%.40s", pointer, label);
        if (!read_piece(reader, place, label, value, next++))
            return false;
    }
    request_sort_pieces(pieces, count);
    reader->request->pieces = pieces;
    reader->request->piece_count = count;
    return true;
}

static bool read_envelope(struct request_reader *reader, const json_t *json)
{
    static const struct member members[] = {
        {"challenge", read_challenge}, {"nonce", read_nonce},     {"policy", read_policy},     {"audience", read_audience},
        {"token", read_token},         {"binding", read_binding}, {"evidence", read_evidence}, {NULL, NULL},
    };
    struct attestd_request *request = reader->request;

    if (!read_members(reader, "", json, members))
        return false;
    if (request->piece_count == 0)
        return request_refuse(reader->fault, "EVIDENCE_MISSING", "/evidence", "there is no evidence");
    if (request->challenge != NULL && request->nonce_text != NULL)
        return request_refuse(reader->fault, "FRESHNESS_AMBIGUOUS", "/nonce", "challenge and nonce are both given");
    if (request->challenge != NULL)
        request->freshness = ATTESTD_FRESH_CHALLENGE;
    return true;
}

bool attestd_request_read_json(struct attestd_arena *arena, const struct attestd_engine *engine, const char *text, size_t len,
                               struct attestd_request *request, struct attestd_request_fault *fault)
{
    struct request_reader reader = {arena, engine, request, fault};
    char error[160];

    request_begin(request);
    json_t *json = attestd_json_read(text, len, MAX_DEPTH, error, sizeof error);
    if (json == NULL)
        return request_refuse(fault, "JSON_MALFORMED", NULL, "%s", error);
    bool good = read_envelope(&reader, json);
    json_decref(json);
    return good;
}
