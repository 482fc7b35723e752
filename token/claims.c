/* SPDX-License-Identifier: Apache-2.0 */
#include "token/claims.h"

#include "core/digest.h"
#include "core/encoding.h"
#include <stdlib.h>
#include <string.h>

#define DISABLED_MAX 256

/* base64url of the header (alg, typ, kid of 43 characters) and of the signature, and two dots. */
#define HEADER_CHARACTERS 115
#define SIGNATURE_CHARACTERS 86

size_t token_size(size_t payload_len)
{
    return HEADER_CHARACTERS + 1 + (payload_len * 4 + 2) / 3 + 1 + SIGNATURE_CHARACTERS;
}

void token_digest_text(const uint8_t digest[32], char text[DIGEST_TEXT_SIZE])
{
    memcpy(text, "sha256:", 7);
    attestd_hex_encode(digest, 32, text + 7);
}

const char *token_freshness_name(enum attestd_freshness freshness)
{
    switch (freshness) {
    case ATTESTD_FRESH_CHALLENGE:
        return "challenge";
    case ATTESTD_FRESH_EXTERNAL:
        return "external";
    case ATTESTD_FRESH_NONE:
        break;
    }
    return "none";
}

/* AR4SI 2.3.2: 96..127 and -97..-128 contraindicated, 32..95 and -33..-96 warning, 2..31 and -2..-32 affirming, -1..1 none. */
static enum attestd_verdict tier(int8_t value)
{
    if (value >= 96 || value < -96)
        return ATTESTD_CONTRAINDICATED;
    if (value >= 32 || value < -32)
        return ATTESTD_WARNING;
    return ATTESTD_AFFIRMING;
}

enum attestd_verdict token_piece_verdict(const struct attestd_piece *piece)
{
    enum attestd_verdict worst = piece->authentic ? piece->verdict : ATTESTD_CONTRAINDICATED;
    for (size_t i = 0; i < ATTESTD_TRUST_CLAIMS; i++) {
        if (tier(piece->vector[i]) > worst)
            worst = tier(piece->vector[i]);
    }
    return worst;
}

enum attestd_verdict token_verdict(const struct attestd_result *result)
{
    /* No evidence, or an endorsement out of reach: there is nothing to affirm. */
    enum attestd_verdict worst = result->piece_count == 0 || result->unavailable ? ATTESTD_CONTRAINDICATED : result->verdict;
    for (size_t i = 0; i < result->piece_count; i++) {
        enum attestd_verdict verdict = token_piece_verdict(&result->pieces[i]);
        if (verdict > worst)
            worst = verdict;
    }
    return worst;
}

int64_t attestd_token_expires(int64_t issued, int64_t ttl, const struct attestd_result *result)
{
    int64_t life = ttl < ATTESTD_TOKEN_LIFE_MAX ? ttl : ATTESTD_TOKEN_LIFE_MAX;
    return issued + life < result->not_after ? issued + life : result->not_after;
}

void token_registered_claims(struct attestd_json_writer *json, const struct attestd_token_claims *claims,
                             const struct attestd_result *result)
{
    attestd_json_text(json, "iss", claims->issuer);
    if (claims->subject != NULL)
        attestd_json_text(json, "sub", claims->subject);
    if (claims->audience != NULL)
        attestd_json_text(json, "aud", claims->audience);
    attestd_json_number(json, "iat", claims->issued);
    attestd_json_number(json, "nbf", claims->issued);
    attestd_json_number(json, "exp", claims->expires < result->not_after ? claims->expires : result->not_after);
    if (claims->id != NULL)
        attestd_json_text(json, "jti", claims->id);
}

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* SHA-256 over one line "<kind> <sha256 as hex>\n" for each endorsement that was accepted, sorted, each line once. */
static void endorsements_digest(const struct attestd_result *result, uint8_t digest[32])
{
    struct attestd_arena *arena = attestd_arena_new();
    const char **lines = attestd_arena_array(arena, result->endorsement_count + 1, sizeof(*lines));
    size_t count = 0;
    for (size_t i = 0; i < result->endorsement_count; i++) {
        const struct attestd_endorsement_use *use = &result->endorsements[i];
        if (use->state == ATTESTD_ENDORSEMENT_ACCEPTED)
            lines[count++] = attestd_arena_format(arena, "%s %s\n", use->kind, attestd_arena_hex(arena, use->sha256, sizeof(use->sha256)));
    }
    qsort(lines, count, sizeof(*lines), compare_lines);
    struct attestd_digest *sum = attestd_digest_new(256);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || strcmp(lines[i], lines[i - 1]) != 0)
            attestd_digest_add(sum, lines[i], strlen(lines[i]));
    }
    attestd_digest_finish(sum, digest);
    attestd_arena_free(arena);
}

static void disabled_claim(struct attestd_json_writer *json, const struct attestd_result *result)
{
    const char *ids[DISABLED_MAX];
    size_t count = attestd_result_disabled(result, ids, DISABLED_MAX);
    attestd_json_open_list(json, "attestd_disabled");
    for (size_t i = 0; i < count && i < DISABLED_MAX; i++)
        attestd_json_text(json, NULL, ids[i]);
    attestd_json_close_list(json);
}

void token_provenance_claims(struct attestd_json_writer *json, const struct attestd_result *result)
{
    char text[DIGEST_TEXT_SIZE];
    uint8_t digest[32];
    attestd_json_text(json, "attestd_freshness", token_freshness_name(result->freshness));
    disabled_claim(json, result);
    token_digest_text(result->anchors_digest, text);
    attestd_json_text(json, "attestd_anchors", text);
    endorsements_digest(result, digest);
    token_digest_text(digest, text);
    attestd_json_text(json, "attestd_endorsements", text);
    token_digest_text(result->evidence_digest, text);
    attestd_json_text(json, "attestd_evidence_digest", text);
    if (result->simulated)
        attestd_json_flag(json, "simulated", true);
}
