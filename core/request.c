/* SPDX-License-Identifier: Apache-2.0 */
#include "core/request.h"

#include "core/binding.h"
#include "core/digest.h"
#include "core/encoding.h"
#include "core/problem.h"
#include "core/request_fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool request_refuse(struct attestd_request_fault *fault, const char *code, const char *pointer, const char *format, ...)
{
    const struct attestd_problem *problem = attestd_problem(code);
    va_list args;

    fault->status = problem != NULL ? problem->status : 400;
    fault->code = code;
    snprintf(fault->pointer, sizeof fault->pointer, "%s", pointer != NULL ? pointer : "");
    va_start(args, format);
    vsnprintf(fault->detail, sizeof fault->detail, format, args);
    va_end(args);
    return false;
}

void request_begin(struct attestd_request *request)
{
    *request = (struct attestd_request){.nonce_age = -1, .token = "ear", .layout = "attestd-v1"};
}

static bool name_character(char c, bool first)
{
    if (c >= 'a' && c <= 'z')
        return true;
    return !first && ((c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-');
}

bool attestd_label_valid(const char *text, size_t len)
{
    static const char reserved[] = "attestd.";

    if (len == 0 || len > ATTESTD_LABEL_MAX)
        return false;
    for (size_t i = 0; i < len; i++)
        if (!name_character(text[i], i == 0))
            return false;
    return len < sizeof reserved - 1 || memcmp(text, reserved, sizeof reserved - 1) != 0;
}

bool attestd_request_set_nonce(struct attestd_arena *arena, struct attestd_request *request, const char *text, size_t len)
{
    uint8_t nonce[67];
    size_t nonce_len = 0;

    if (len > 88 || !attestd_base64_decode(text, len, nonce, sizeof nonce, &nonce_len))
        return false;
    if (nonce_len < 8 || nonce_len > 64)
        return false;
    request->nonce = attestd_arena_bytes(arena, nonce, nonce_len);
    request->nonce_text = (const char *)attestd_arena_bytes(arena, text, len).data;
    request->freshness = ATTESTD_FRESH_EXTERNAL;
    return true;
}

bool attestd_request_check(const struct attestd_request *request, bool audience_optional, struct attestd_request_fault *fault)
{
    struct attestd_request probe = *request;
    uint8_t expected[64];
    const char *why = NULL;

    if (request->challenge != NULL && request->freshness == ATTESTD_FRESH_EXTERNAL)
        return request_refuse(fault, "FRESHNESS_AMBIGUOUS", NULL, "challenge and nonce are both given");
    if (!attestd_binding_layout_known(request->layout))
        return request_refuse(fault, "LAYOUT_UNKNOWN", "/binding/layout", "there is no layout %.40s", request->layout);
    if (request->no_binding || request->expected_field.len > 0)
        return true;
    if (audience_optional && strcmp(request->layout, "attestd-v1") != 0)
        probe.audience = NULL;
    if (!attestd_binding_expected(&probe, NULL, 0, expected, &why))
        return request_refuse(fault, "LAYOUT_CANNOT_BIND", "/binding/layout", "%s", why);
    return true;
}

const struct attestd_plugin *request_plugin(struct request_reader *reader, const char *type, struct attestd_bytes bytes,
                                            const char *pointer)
{
    const struct attestd_plugin *plugin;

    if (type != NULL) {
        plugin = attestd_engine_plugin(reader->engine, type);
        if (plugin == NULL)
            request_refuse(reader->fault, "EVIDENCE_TYPE_UNKNOWN", pointer, "no loaded plugin reads %.40s", type);
        return plugin;
    }
    plugin = bytes.len > 0 ? attestd_engine_recognise(reader->engine, bytes.data, bytes.len) : NULL;
    if (plugin == NULL)
        request_refuse(reader->fault, "EVIDENCE_UNIDENTIFIED", pointer, "no loaded plugin recognises these %zu bytes", bytes.len);
    return plugin;
}

static int by_label(const void *a, const void *b)
{
    return strcmp(((const struct attestd_piece_request *)a)->label, ((const struct attestd_piece_request *)b)->label);
}

static int by_part(const void *a, const void *b)
{
    return strcmp(((const struct attestd_part *)a)->name, ((const struct attestd_part *)b)->name);
}

static int by_datum(const void *a, const void *b)
{
    return strcmp(((const struct attestd_datum *)a)->name, ((const struct attestd_datum *)b)->name);
}

void request_sort_pieces(struct attestd_piece_request *pieces, size_t count)
{
    if (count > 1)
        qsort(pieces, count, sizeof *pieces, by_label);
}

void request_sort_parts(struct attestd_part *parts, size_t count)
{
    if (count > 1)
        qsort(parts, count, sizeof *parts, by_part);
}

void request_sort_data(struct attestd_datum *data, size_t count)
{
    if (count > 1)
        qsort(data, count, sizeof *data, by_datum);
}

bool attestd_request_read_raw(struct attestd_arena *arena, const struct attestd_engine *engine, const char *type, const uint8_t *bytes,
                              size_t len, struct attestd_request *request, struct attestd_request_fault *fault)
{
    struct request_reader reader = {arena, engine, request, fault};

    request_begin(request);
    if (len == 0)
        return request_refuse(fault, "EVIDENCE_MISSING", NULL, "the body is empty");
    const struct attestd_plugin *plugin = request_plugin(&reader, type, (struct attestd_bytes){bytes, len}, NULL);
    if (plugin == NULL)
        return false;
    struct attestd_part *part = attestd_arena_alloc(arena, sizeof *part);
    *part = (struct attestd_part){plugin->raw_part != NULL ? plugin->raw_part : "report", {bytes, len}};
    struct attestd_piece_request *piece = attestd_arena_alloc(arena, sizeof *piece);
    *piece = (struct attestd_piece_request){"cpu0", plugin->name, part, 1};
    request->pieces = piece;
    request->piece_count = 1;
    return true;
}

void attestd_request_evidence_digest(const struct attestd_request *request, uint8_t out[32])
{
    static const char prefix[] = "attestd-evidence-v1\n";
    struct attestd_digest *digest = attestd_digest_new(256);

    attestd_digest_add(digest, prefix, sizeof prefix - 1);
    attestd_digest_add_u32be(digest, (uint32_t)request->piece_count);
    for (size_t i = 0; i < request->piece_count; i++) {
        const struct attestd_piece_request *piece = &request->pieces[i];
        attestd_digest_add_framed(digest, piece->label, strlen(piece->label));
        attestd_digest_add_framed(digest, piece->type, strlen(piece->type));
        attestd_digest_add_u32be(digest, (uint32_t)piece->part_count);
        for (size_t p = 0; p < piece->part_count; p++) {
            attestd_digest_add_framed(digest, piece->parts[p].name, strlen(piece->parts[p].name));
            attestd_digest_add_framed(digest, piece->parts[p].bytes.data, piece->parts[p].bytes.len);
        }
    }
    attestd_digest_finish(digest, out);
}
