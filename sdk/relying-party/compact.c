/* SPDX-License-Identifier: Apache-2.0 */
/* The compact serialisation (RFC 7515 section 7.1) and its header. The JSON serialisation is refused. */
#include "token.h"

#include <stdlib.h>
#include <string.h>

#define SIGNATURE_CHARACTERS 86 /* 64 bytes */

struct parts {
    const char *header, *payload, *signature;
    size_t header_len, payload_len, signature_len;
};

static bool split(const char *token, struct parts *parts)
{
    size_t len = strnlen(token, RP_TOKEN_MAX + 1);
    if (len > RP_TOKEN_MAX)
        return false;
    const char *first = memchr(token, '.', len);
    if (first == NULL)
        return false;
    const char *second = memchr(first + 1, '.', len - (size_t)(first + 1 - token));
    if (second == NULL || memchr(second + 1, '.', len - (size_t)(second + 1 - token)) != NULL)
        return false;
    *parts = (struct parts){.header = token,
                            .header_len = (size_t)(first - token),
                            .payload = first + 1,
                            .payload_len = (size_t)(second - first - 1),
                            .signature = second + 1,
                            .signature_len = len - (size_t)(second + 1 - token)};
    return parts->header_len > 0 && parts->header_len <= RP_HEADER_MAX && parts->payload_len > 0;
}

/* Members that would change how the rest is read, or bring a key along. `crit` has an answer of its own. */
static bool has_foreign_member(const json_t *header)
{
    static const char *const names[] = {"b64", "zip", "enc", "jwk", "jku", "x5c", "x5u"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (json_object_get(header, names[i]) != NULL)
            return true;
    }
    return false;
}

static bool text_is(const json_t *object, const char *name, const char *text)
{
    const char *value = json_string_value(json_object_get(object, name));
    return value != NULL && strcmp(value, text) == 0;
}

static enum attestd_rp_status read_header(const json_t *header, bool need_type, struct rp_compact *compact)
{
    if (!json_is_object(header))
        return ATTESTD_RP_MALFORMED;
    if (json_object_get(header, "crit") != NULL)
        return ATTESTD_RP_CRITICAL;
    if (!text_is(header, "alg", "ES256"))
        return ATTESTD_RP_ALGORITHM;
    if (has_foreign_member(header))
        return ATTESTD_RP_MALFORMED;
    compact->eat = text_is(header, "typ", "eat+jwt");
    bool absent = json_object_get(header, "typ") == NULL;
    if (!compact->eat && !text_is(header, "typ", "JWT") && (need_type || !absent))
        return ATTESTD_RP_TYPE;
    const char *kid = json_string_value(json_object_get(header, "kid"));
    if (kid == NULL || kid[0] == '\0' || strlen(kid) > RP_KID_MAX)
        return ATTESTD_RP_KEY_UNKNOWN;
    memcpy(compact->kid, kid, strlen(kid) + 1);
    return ATTESTD_RP_OK;
}

static enum attestd_rp_status decode_header(const struct parts *parts, bool need_type, struct rp_compact *compact)
{
    uint8_t text[RP_HEADER_MAX];
    size_t len;
    if (!rp_base64url_decode(parts->header, parts->header_len, text, &len))
        return ATTESTD_RP_MALFORMED;
    json_t *header = json_loadb((const char *)text, len, JSON_REJECT_DUPLICATES, NULL);
    enum attestd_rp_status status = read_header(header, need_type, compact);
    json_decref(header);
    return status;
}

static bool decode_payload(const struct parts *parts, struct rp_compact *compact)
{
    compact->payload = malloc(parts->payload_len + 1);
    if (compact->payload == NULL ||
        !rp_base64url_decode(parts->payload, parts->payload_len, (uint8_t *)compact->payload, &compact->payload_len))
        return false;
    compact->payload[compact->payload_len] = '\0';
    return strlen(compact->payload) == compact->payload_len;
}

enum attestd_rp_status rp_compact_read(const char *token, bool need_type, struct rp_compact *compact)
{
    struct parts parts;
    size_t signature_len = 0;
    *compact = (struct rp_compact){0};
    if (token == NULL || !split(token, &parts))
        return ATTESTD_RP_MALFORMED;
    enum attestd_rp_status status = decode_header(&parts, need_type, compact);
    if (status != ATTESTD_RP_OK)
        return status;
    if (parts.signature_len != SIGNATURE_CHARACTERS ||
        !rp_base64url_decode(parts.signature, parts.signature_len, compact->signature, &signature_len))
        return ATTESTD_RP_SIGNATURE;
    compact->signed_at = token;
    compact->signed_len = parts.header_len + 1 + parts.payload_len;
    if (decode_payload(&parts, compact))
        return ATTESTD_RP_OK;
    rp_compact_clear(compact);
    return ATTESTD_RP_MALFORMED;
}

void rp_compact_clear(struct rp_compact *compact)
{
    free(compact->payload);
    compact->payload = NULL;
}
