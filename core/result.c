/* SPDX-License-Identifier: Apache-2.0 */
/* A result as JSON: the members of the answer (schemas/answer.schema.json) that replay reproduces. */
#include "core/result.h"

#include "core/engine.h"

#include <string.h>

static void write_check(struct attestd_json_writer *writer, const struct attestd_check_result *item)
{
    attestd_json_open_map(writer, NULL);
    attestd_json_text(writer, "id", item->check->id);
    attestd_json_text(writer, "outcome", attestd_outcome_name(item->outcome));
    attestd_json_text(writer, "mode", attestd_mode_name(item->mode));
    if (item->code != NULL)
        attestd_json_text(writer, "code", item->code);
    if (item->observed != NULL)
        attestd_json_text(writer, "observed", item->observed);
    if (item->expected != NULL)
        attestd_json_text(writer, "expected", item->expected);
    if (item->remedy != NULL)
        attestd_json_text(writer, "remedy", item->remedy);
    attestd_json_text(writer, "reference", item->check->reference);
    if (item->policy_line != NULL)
        attestd_json_text(writer, "policy_line", item->policy_line);
    attestd_json_close_map(writer);
}

static void write_checks(struct attestd_json_writer *writer, const struct attestd_check_list *list)
{
    attestd_json_open_list(writer, "checks");
    for (size_t i = 0; i < list->count; i++)
        write_check(writer, &list->items[i]);
    attestd_json_close_list(writer);
}

static void write_vector(struct attestd_json_writer *writer, const int8_t vector[ATTESTD_TRUST_CLAIMS])
{
    attestd_json_open_map(writer, "vector");
    for (int i = 0; i < ATTESTD_TRUST_CLAIMS; i++)
        if (vector[i] != 0)
            attestd_json_number(writer, attestd_trust_claim_name(i), vector[i]);
    attestd_json_close_map(writer);
}

static void write_piece(struct attestd_json_writer *writer, const struct attestd_piece *piece)
{
    attestd_json_open_map(writer, piece->label);
    attestd_json_text(writer, "type", piece->type);
    attestd_json_text(writer, "verdict", attestd_verdict_name(piece->verdict));
    write_vector(writer, piece->vector);
    if (piece->claims != NULL)
        attestd_json_value(writer, piece->authentic ? "claims" : "unverified", piece->claims);
    write_checks(writer, &piece->checks);
    attestd_json_close_map(writer);
}

static void write_policy(struct attestd_json_writer *writer, const struct attestd_result *result)
{
    attestd_json_open_map(writer, "policy");
    attestd_json_text(writer, "name", result->policy_name);
    attestd_json_number(writer, "version", result->policy_version);
    attestd_json_hex(writer, "digest", result->policy_digest, sizeof result->policy_digest);
    attestd_json_number(writer, "score", result->score);
    attestd_json_close_map(writer);
}

static void write_endorsements(struct attestd_json_writer *writer, const struct attestd_result *result)
{
    attestd_json_open_list(writer, "endorsements");
    for (size_t i = 0; i < result->endorsement_count; i++) {
        const struct attestd_endorsement_use *use = &result->endorsements[i];
        attestd_json_open_map(writer, NULL);
        attestd_json_text(writer, "kind", use->kind);
        attestd_json_hex(writer, "sha256", use->sha256, sizeof use->sha256);
        attestd_json_text(writer, "source", use->source);
        if (use->fetched != 0)
            attestd_json_time(writer, "fetched", use->fetched);
        if (use->next_update != 0)
            attestd_json_time(writer, "next_update", use->next_update);
        if (use->stale)
            attestd_json_flag(writer, "stale", true);
        attestd_json_close_map(writer);
    }
    attestd_json_close_list(writer);
}

static const char *freshness_name(enum attestd_freshness freshness)
{
    switch (freshness) {
    case ATTESTD_FRESH_CHALLENGE:
        return "challenge";
    case ATTESTD_FRESH_EXTERNAL:
        return "external";
    default:
        return "none";
    }
}

static void write_disabled(struct attestd_json_writer *writer, const struct attestd_result *result)
{
    const char *ids[256];
    size_t count = attestd_result_disabled(result, ids, sizeof ids / sizeof ids[0]);

    attestd_json_open_list(writer, "disabled");
    for (size_t i = 0; i < count && i < sizeof ids / sizeof ids[0]; i++)
        attestd_json_text(writer, NULL, ids[i]);
    attestd_json_close_list(writer);
}

/* A plugin's name stands in the claims of every piece it took part in, also where it was delegated to. */
static bool took_part(const struct attestd_result *result, const char *name, size_t before_piece, size_t before_item)
{
    for (size_t i = 0; i <= before_piece && i < result->piece_count; i++) {
        const struct attestd_value *claims = result->pieces[i].claims;
        size_t count = claims == NULL ? 0 : i == before_piece ? before_item : claims->count;
        for (size_t c = 0; c < count; c++)
            if (strcmp(claims->items[c].name, name) == 0)
                return true;
    }
    return false;
}

static const char *version_of(const struct attestd_result *result, const char *name)
{
    for (size_t i = 0; i < result->piece_count; i++)
        if (result->pieces[i].plugin != NULL && strcmp(result->pieces[i].plugin->name, name) == 0)
            return result->pieces[i].plugin->version;
    for (size_t i = 0; i < result->delegate_count; i++)
        if (strcmp(result->delegates[i]->name, name) == 0)
            return result->delegates[i]->version;
    return NULL;
}

void attestd_result_engine_json(struct attestd_json_writer *writer, const struct attestd_result *result)
{
    attestd_json_open_map(writer, "engine");
    attestd_json_text(writer, "version", ATTESTD_VERSION_TEXT);
    attestd_json_open_map(writer, "plugins");
    for (size_t i = 0; i < result->piece_count; i++) {
        const struct attestd_value *claims = result->pieces[i].claims;
        for (size_t c = 0; claims != NULL && c < claims->count; c++)
            if (!took_part(result, claims->items[c].name, i, c))
                attestd_json_text(writer, claims->items[c].name, version_of(result, claims->items[c].name));
    }
    attestd_json_close_map(writer);
    attestd_json_close_map(writer);
}

void attestd_result_members(struct attestd_json_writer *writer, const struct attestd_result *result)
{
    attestd_json_text(writer, "verdict", attestd_verdict_name(result->verdict));
    write_policy(writer, result);
    attestd_json_open_map(writer, "evidence");
    for (size_t i = 0; i < result->piece_count; i++)
        write_piece(writer, &result->pieces[i]);
    attestd_json_close_map(writer);
    write_checks(writer, &result->checks);
    write_endorsements(writer, result);
    attestd_json_hex(writer, "anchors", result->anchors_digest, sizeof result->anchors_digest);
    attestd_json_hex(writer, "evidence_digest", result->evidence_digest, sizeof result->evidence_digest);
    attestd_json_time(writer, "time", result->time);
    attestd_json_text(writer, "freshness", freshness_name(result->freshness));
    write_disabled(writer, result);
    attestd_json_flag(writer, "simulated", result->simulated);
    attestd_result_engine_json(writer, result);
}

static void collect_disabled(const struct attestd_check_list *list, const char **ids, size_t max, size_t *count)
{
    for (size_t i = 0; i < list->count; i++) {
        const char *id = list->items[i].check->id;
        bool seen = list->items[i].mode != ATTESTD_DISABLED;
        for (size_t k = 0; k < *count && !seen; k++)
            seen = strcmp(ids[k], id) == 0;
        if (!seen && *count < max)
            ids[(*count)++] = id;
    }
}

size_t attestd_result_disabled(const struct attestd_result *result, const char **ids, size_t max)
{
    size_t count = 0;

    for (size_t i = 0; i < result->piece_count; i++)
        collect_disabled(&result->pieces[i].checks, ids, max, &count);
    collect_disabled(&result->checks, ids, max, &count);
    return count;
}

static const char *first_in(const struct attestd_check_list *list, int outcome)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].mode == ATTESTD_STRICT && list->items[i].outcome == outcome)
            return list->items[i].code;
    return NULL;
}

const char *attestd_result_first_code(const struct attestd_result *result)
{
    static const int outcomes[] = {ATTESTD_FAIL, ATTESTD_UNAVAILABLE};
    const char *code = NULL;

    for (size_t o = 0; o < 2 && code == NULL; o++) {
        for (size_t i = 0; i < result->piece_count && code == NULL; i++)
            code = first_in(&result->pieces[i].checks, outcomes[o]);
        if (code == NULL)
            code = first_in(&result->checks, outcomes[o]);
    }
    return code;
}
