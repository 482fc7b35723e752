/* SPDX-License-Identifier: Apache-2.0 */
/* Reading bundles and running them again. */
#include "core/bundle.h"

#include "core/bytes.h"
#include "core/digest.h"
#include "core/encoding.h"
#include "core/job.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MAX_DEPTH 32
#define MAX_ITEMS 4096

struct bundle_reader {
    struct attestd_arena *arena;
    const struct attestd_engine *engine;
    struct attestd_bundle *bundle;
    char *error;
    size_t error_size;
};

__attribute__((format(printf, 2, 3))) static bool refuse(struct bundle_reader *reader, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(reader->error, reader->error_size, format, args);
    va_end(args);
    return false;
}

bool attestd_bundle_is(const char *text, size_t len)
{
    static const char first[] = "\"bundle\"";
    size_t at = 0;
    bool opened = false;

    while (at < len && (strchr(" \t\r\n", text[at]) != NULL || (!opened && text[at] == '{')))
        opened |= text[at++] == '{';
    return opened && len - at >= sizeof first - 1 && memcmp(text + at, first, sizeof first - 1) == 0;
}

/* Typed access: each refuses with the member's name. A text that may be absent is NULL then. */

static const char *text_of(struct bundle_reader *reader, const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);

    return json_is_string(value) ? attestd_arena_text(reader->arena, json_string_value(value)) : NULL;
}

static bool demand_text(struct bundle_reader *reader, const json_t *object, const char *name, const char **text)
{
    *text = text_of(reader, object, name);
    return *text != NULL || refuse(reader, "%s is not a text", name);
}

static bool read_bytes(struct bundle_reader *reader, const char *name, const json_t *object, struct attestd_bytes *bytes)
{
    const json_t *base64 = json_object_get(object, "base64"), *sha256 = json_object_get(object, "sha256");
    uint8_t recorded[32], digest[32];
    size_t len = 0, digest_len = 0;

    if (!json_is_string(base64) || !json_is_string(sha256))
        return refuse(reader, "%s has no base64 or no sha256", name);
    size_t room = json_string_length(base64) / 4 * 3 + 3;
    uint8_t *data = attestd_arena_alloc(reader->arena, room + 1);
    if (!attestd_base64_decode(json_string_value(base64), json_string_length(base64), data, room, &len))
        return refuse(reader, "%s is not base64", name);
    if (!attestd_hex_decode(json_string_value(sha256), json_string_length(sha256), recorded, sizeof recorded, &digest_len) ||
        digest_len != 32)
        return refuse(reader, "the sha256 of %s is not one", name);
    attestd_sha256(data, len, digest);
    if (memcmp(digest, recorded, sizeof digest) != 0)
        return refuse(reader, "%s does not have the recorded SHA-256", name);
    *bytes = (struct attestd_bytes){data, len};
    return true;
}

static bool read_digest(struct bundle_reader *reader, const json_t *object, const char *name, uint8_t digest[32])
{
    const json_t *hex = json_object_get(object, name);
    size_t len = 0;

    if (json_is_string(hex) && attestd_hex_decode(json_string_value(hex), json_string_length(hex), digest, 32, &len) && len == 32)
        return true;
    return refuse(reader, "%s is not the hex of a SHA-256", name);
}

static bool flag_of(const json_t *object, const char *name)
{
    return json_is_true(json_object_get(object, name));
}

/* The request. */

static bool read_parts(struct bundle_reader *reader, const json_t *object, struct attestd_piece_request *piece)
{
    const char *name;
    json_t *value;
    struct attestd_part *parts = attestd_arena_array(reader->arena, json_object_size(object), sizeof *parts);

    if (json_object_size(object) > ATTESTD_MAX_PARTS)
        return refuse(reader, "%s has too many parts", piece->label);
    json_object_foreach((json_t *)(uintptr_t)object, name, value)
    {
        struct attestd_part *part = &parts[piece->part_count++];
        part->name = attestd_arena_text(reader->arena, name);
        if (!read_bytes(reader, part->name, value, &part->bytes))
            return false;
    }
    piece->parts = parts;
    return piece->part_count > 0 || refuse(reader, "%s has no parts", piece->label);
}

static bool read_evidence(struct bundle_reader *reader, const json_t *object)
{
    const char *label, *type;
    json_t *value;
    struct attestd_piece_request *pieces = attestd_arena_array(reader->arena, ATTESTD_MAX_PIECES, sizeof *pieces);
    struct attestd_request *request = &reader->bundle->request;

    if (json_object_size(object) == 0 || json_object_size(object) > ATTESTD_MAX_PIECES)
        return refuse(reader, "evidence is not a map of 1 to %d pieces", ATTESTD_MAX_PIECES);
    json_object_foreach((json_t *)(uintptr_t)object, label, value)
    {
        struct attestd_piece_request *piece = &pieces[request->piece_count++];
        piece->label = attestd_arena_text(reader->arena, label);
        if (!attestd_label_valid(label, strlen(label)))
            return refuse(reader, "%.40s is not a label", label);
        if (!demand_text(reader, value, "type", &type))
            return false;
        const struct attestd_plugin *plugin = attestd_engine_plugin(reader->engine, type);
        if (plugin == NULL)
            return refuse(reader, "no loaded plugin reads %.40s", type);
        piece->type = plugin->name;
        if (!read_parts(reader, json_object_get(value, "parts"), piece))
            return false;
    }
    request->pieces = pieces;
    return true;
}

static bool read_data(struct bundle_reader *reader, const json_t *object)
{
    const char *name;
    json_t *value;
    struct attestd_request *request = &reader->bundle->request;
    struct attestd_datum *data = attestd_arena_array(reader->arena, ATTESTD_MAX_DATA, sizeof *data);

    if (json_object_size(object) > ATTESTD_MAX_DATA)
        return refuse(reader, "more than %d data", ATTESTD_MAX_DATA);
    json_object_foreach((json_t *)(uintptr_t)object, name, value)
    {
        struct attestd_datum *datum = &data[request->data_count++];
        datum->name = attestd_arena_text(reader->arena, name);
        if (!read_bytes(reader, datum->name, value, &datum->value))
            return false;
    }
    request->data = data;
    return true;
}

static bool read_key(struct bundle_reader *reader, const json_t *jwk)
{
    struct attestd_request *request = &reader->bundle->request;
    const char *error = NULL;

    if (jwk == NULL)
        return true;
    request->key = attestd_jwk_read(reader->arena, jwk, &error);
    if (request->key == NULL)
        return refuse(reader, "jwk: %s", error != NULL ? error : "not a public key");
    struct attestd_text text = {0};
    struct attestd_json_writer writer = attestd_json_writer_to(&text);
    attestd_json_jansson(&writer, NULL, jwk);
    request->key_json = attestd_arena_text(reader->arena, text.data);
    attestd_text_free(&text);
    return true;
}

static bool read_freshness(struct bundle_reader *reader, const json_t *object)
{
    static const char *const names[] = {"none", "challenge", "external"};
    const char *freshness;

    if (!demand_text(reader, object, "freshness", &freshness))
        return false;
    for (int i = 0; i < 3; i++)
        if (strcmp(freshness, names[i]) == 0) {
            reader->bundle->request.freshness = (enum attestd_freshness)i;
            return true;
        }
    return refuse(reader, "there is no freshness %.20s", freshness);
}

static bool read_request(struct bundle_reader *reader, const json_t *object)
{
    struct attestd_request *request = &reader->bundle->request;

    if (!json_is_object(object))
        return refuse(reader, "there is no request");
    request->nonce_age = json_integer_value(json_object_get(object, "nonce_age"));
    request->nonce_text = text_of(reader, object, "nonce_text");
    request->policy = text_of(reader, object, "policy");
    request->audience = text_of(reader, object, "audience");
    request->token = text_of(reader, object, "token");
    request->layout = text_of(reader, object, "layout");
    request->no_binding = flag_of(object, "no_binding");
    return read_freshness(reader, object) && read_bytes(reader, "nonce", json_object_get(object, "nonce"), &request->nonce) &&
           read_bytes(reader, "expected_field", json_object_get(object, "expected_field"), &request->expected_field) &&
           read_key(reader, json_object_get(object, "jwk")) && read_data(reader, json_object_get(object, "data")) &&
           read_evidence(reader, json_object_get(object, "evidence"));
}

/* The rest. */

static void free_anchors(void *anchors)
{
    attestd_anchor_set_free(anchors);
}

static bool read_anchors(struct bundle_reader *reader, const json_t *list)
{
    size_t i;
    json_t *item;

    reader->bundle->anchors = attestd_anchor_set_new();
    attestd_arena_defer(reader->arena, free_anchors, reader->bundle->anchors);
    if (!json_is_array(list) || json_array_size(list) > MAX_ITEMS)
        return refuse(reader, "anchors is not a list of at most %d", MAX_ITEMS);
    json_array_foreach((json_t *)(uintptr_t)list, i, item)
    {
        struct attestd_anchor anchor = {.simulated = flag_of(item, "simulated"), .operator_given = flag_of(item, "operator")};
        if (!demand_text(reader, item, "name", &anchor.name) || !demand_text(reader, item, "purpose", &anchor.purpose) ||
            !read_digest(reader, item, "sha256", anchor.sha256) || !read_digest(reader, item, "spki_sha256", anchor.spki_sha256))
            return false;
        attestd_anchor_set_add(reader->bundle->anchors, &anchor);
    }
    attestd_anchor_set_seal(reader->bundle->anchors);
    return true;
}

static bool read_endorsements(struct bundle_reader *reader, const json_t *list)
{
    size_t i;
    json_t *item;

    if (!json_is_array(list) || json_array_size(list) > MAX_ITEMS)
        return refuse(reader, "endorsements is not a list of at most %d", MAX_ITEMS);
    struct attestd_endorsement_use *uses = attestd_arena_array(reader->arena, json_array_size(list), sizeof *uses);
    json_array_foreach((json_t *)(uintptr_t)list, i, item)
    {
        struct attestd_endorsement_use *use = &uses[i];
        use->fetched = json_integer_value(json_object_get(item, "fetched"));
        use->stale = flag_of(item, "stale");
        if (!demand_text(reader, item, "kind", &use->kind) || !demand_text(reader, item, "key", &use->key) ||
            !demand_text(reader, item, "source", &use->source) ||
            !read_bytes(reader, use->kind, json_object_get(item, "bytes"), &use->bytes))
            return false;
        attestd_sha256(use->bytes.data, use->bytes.len, use->sha256);
    }
    reader->bundle->endorsements = uses;
    reader->bundle->endorsement_count = json_array_size(list);
    return true;
}

static bool read_absent(struct bundle_reader *reader, const json_t *list)
{
    size_t i;
    json_t *item;

    if (!json_is_array(list) || json_array_size(list) > MAX_ITEMS)
        return refuse(reader, "absent is not a list of at most %d", MAX_ITEMS);
    struct attestd_bundle_absence *absent = attestd_arena_array(reader->arena, json_array_size(list), sizeof *absent);
    json_array_foreach((json_t *)(uintptr_t)list, i, item)
    {
        absent[i].reason = text_of(reader, item, "reason");
        if (!demand_text(reader, item, "kind", &absent[i].kind) || !demand_text(reader, item, "key", &absent[i].key))
            return false;
    }
    reader->bundle->absent = absent;
    reader->bundle->absent_count = json_array_size(list);
    return true;
}

static bool read_state(struct bundle_reader *reader, const json_t *list)
{
    size_t i;
    json_t *item;

    if (!json_is_array(list) || json_array_size(list) > MAX_ITEMS)
        return refuse(reader, "state is not a list of at most %d", MAX_ITEMS);
    struct attestd_proposal *state = attestd_arena_array(reader->arena, json_array_size(list), sizeof *state);
    json_array_foreach((json_t *)(uintptr_t)list, i, item)
    {
        if (!demand_text(reader, item, "plugin", &state[i].plugin) ||
            !read_bytes(reader, "state.key", json_object_get(item, "key"), &state[i].key) ||
            !read_bytes(reader, "state.before", json_object_get(item, "before"), &state[i].before))
            return false;
    }
    reader->bundle->state = state;
    reader->bundle->state_count = json_array_size(list);
    return true;
}

static bool read_result(struct bundle_reader *reader, const json_t *object)
{
    struct attestd_text text = {0};
    struct attestd_json_writer writer = attestd_json_writer_to(&text);

    if (!json_is_object(object))
        return refuse(reader, "there is no result");
    attestd_json_jansson(&writer, NULL, object);
    reader->bundle->result = attestd_arena_bytes(reader->arena, text.data, text.len);
    attestd_text_free(&text);
    return true;
}

static bool read_policy(struct bundle_reader *reader, const json_t *object)
{
    reader->bundle->policy_name = text_of(reader, object, "name");
    return read_bytes(reader, "policy.text", json_object_get(object, "text"), &reader->bundle->policy_text);
}

static bool read_document(struct bundle_reader *reader, const json_t *json)
{
    const json_t *version = json_object_get(json, "bundle");
    const char *time;

    if (!json_is_integer(version))
        return refuse(reader, "not a bundle");
    if (json_integer_value(version) != ATTESTD_BUNDLE_VERSION)
        return refuse(reader, "bundle version %lld; this build reads version %d", (long long)json_integer_value(version),
                      ATTESTD_BUNDLE_VERSION);
    if (!demand_text(reader, json, "time", &time) ||
        !demand_text(reader, json_object_get(json, "engine"), "version", &reader->bundle->engine_version))
        return false;
    if (!attestd_time_parse(time, &reader->bundle->time))
        return refuse(reader, "time is not RFC 3339");
    return read_request(reader, json_object_get(json, "request")) && read_policy(reader, json_object_get(json, "policy")) &&
           read_anchors(reader, json_object_get(json, "anchors")) && read_endorsements(reader, json_object_get(json, "endorsements")) &&
           read_absent(reader, json_object_get(json, "absent")) && read_state(reader, json_object_get(json, "state")) &&
           read_result(reader, json_object_get(json, "result"));
}

bool attestd_bundle_read(struct attestd_arena *arena, const struct attestd_engine *engine, const char *text, size_t len,
                         struct attestd_bundle *bundle, char *error, size_t error_size)
{
    struct bundle_reader reader = {arena, engine, bundle, error, error_size};

    memset(bundle, 0, sizeof *bundle);
    json_t *json = attestd_json_read(text, len, MAX_DEPTH, error, error_size);
    if (json == NULL)
        return false;
    bool good = read_document(&reader, json);
    json_decref(json);
    return good;
}

/* Running a bundle. */

static struct attestd_bytes recall(void *context, struct attestd_arena *arena, const char *plugin, const uint8_t *key, size_t key_len)
{
    const struct attestd_bundle *bundle = context;

    for (size_t i = 0; i < bundle->state_count; i++)
        if (strcmp(bundle->state[i].plugin, plugin) == 0 && attestd_bytes_are(bundle->state[i].key, key, key_len))
            return attestd_arena_bytes(arena, bundle->state[i].before.data, bundle->state[i].before.len);
    return (struct attestd_bytes){NULL, 0};
}

static const char *reason_of(const struct attestd_bundle *bundle, const struct attestd_need *need)
{
    for (size_t i = 0; i < bundle->absent_count; i++)
        if (strcmp(bundle->absent[i].kind, need->kind) == 0 && strcmp(bundle->absent[i].key, need->key) == 0)
            return bundle->absent[i].reason;
    return "not in the bundle";
}

/* Everything the bundle has for a need, at its first asking; nothing after that. */
static void answer(struct attestd_job *job, const struct attestd_bundle *bundle, const struct attestd_need *need)
{
    size_t supplied = 0;

    for (size_t i = 0; i < bundle->endorsement_count && job_find_source(job, need->kind, need->key) == NULL; i++) {
        const struct attestd_endorsement_use *first = &bundle->endorsements[i];
        if (strcmp(first->kind, need->kind) != 0 || strcmp(first->key, need->key) != 0)
            continue;
        for (size_t k = i; k < bundle->endorsement_count; k++) {
            const struct attestd_endorsement_use *use = &bundle->endorsements[k];
            if (strcmp(use->kind, need->kind) != 0 || strcmp(use->key, need->key) != 0)
                continue;
            struct attestd_supply supply = {.bytes = use->bytes, .source = use->source, .fetched = use->fetched, .stale = use->stale};
            attestd_job_supply(job, use->kind, use->key, &supply);
            supplied++;
        }
    }
    if (supplied == 0)
        attestd_job_absent(job, need->kind, need->key, reason_of(bundle, need));
}

struct attestd_job *attestd_bundle_run(struct attestd_engine *engine, const struct attestd_bundle *bundle,
                                       const struct attestd_policy_view *policy, int64_t time)
{
    struct attestd_job *job = attestd_job_new(engine, &bundle->request, policy, bundle->anchors, NULL);
    struct attestd_state_lookup *state = attestd_arena_alloc(attestd_job_arena(job), sizeof *state);

    *state = (struct attestd_state_lookup){(void *)(uintptr_t)bundle, recall};
    job->state = state;
    while (attestd_job_run(job, time) == ATTESTD_PENDING) {
        const struct attestd_need *needs;
        size_t count = attestd_job_needs(job, &needs);
        for (size_t i = 0; i < count; i++)
            answer(job, bundle, &needs[i]);
    }
    return job;
}
