/* SPDX-License-Identifier: Apache-2.0 */
#include "core/bundle.h"

#include "core/digest.h"
#include "core/job.h"

#include <stdlib.h>
#include <string.h>

#define RESULT_DEPTH 32

static void write_bytes(struct attestd_json_writer *writer, const char *name, struct attestd_bytes bytes)
{
    uint8_t sha256[32];

    attestd_sha256(bytes.data, bytes.len, sha256);
    attestd_json_open_map(writer, name);
    attestd_json_base64(writer, "base64", bytes.data, bytes.len);
    attestd_json_hex(writer, "sha256", sha256, sizeof sha256);
    attestd_json_close_map(writer);
}

static void write_optional(struct attestd_json_writer *writer, const char *name, const char *text)
{
    if (text != NULL)
        attestd_json_text(writer, name, text);
}

static void write_evidence(struct attestd_json_writer *writer, const struct attestd_request *request)
{
    attestd_json_open_map(writer, "evidence");
    for (size_t i = 0; i < request->piece_count; i++) {
        const struct attestd_piece_request *piece = &request->pieces[i];
        attestd_json_open_map(writer, piece->label);
        attestd_json_text(writer, "type", piece->type);
        attestd_json_open_map(writer, "parts");
        for (size_t p = 0; p < piece->part_count; p++)
            write_bytes(writer, piece->parts[p].name, piece->parts[p].bytes);
        attestd_json_close_map(writer);
        attestd_json_close_map(writer);
    }
    attestd_json_close_map(writer);
}

static void write_request(struct attestd_json_writer *writer, const struct attestd_request *request)
{
    static const char *const freshness[] = {"none", "challenge", "external"};

    attestd_json_open_map(writer, "request");
    attestd_json_text(writer, "freshness", freshness[request->freshness]);
    attestd_json_number(writer, "nonce_age", request->nonce_age);
    write_optional(writer, "nonce_text", request->nonce_text);
    write_bytes(writer, "nonce", request->nonce);
    write_optional(writer, "policy", request->policy);
    write_optional(writer, "audience", request->audience);
    write_optional(writer, "token", request->token);
    write_optional(writer, "layout", request->layout);
    if (request->key_json != NULL)
        attestd_json_raw(writer, "jwk", request->key_json, strlen(request->key_json));
    else if (request->key != NULL)
        attestd_json_raw(writer, "jwk", request->key->json, strlen(request->key->json));
    attestd_json_open_map(writer, "data");
    for (size_t i = 0; i < request->data_count; i++)
        write_bytes(writer, request->data[i].name, request->data[i].value);
    attestd_json_close_map(writer);
    write_bytes(writer, "expected_field", request->expected_field);
    attestd_json_flag(writer, "no_binding", request->no_binding);
    write_evidence(writer, request);
    attestd_json_close_map(writer);
}

static void write_anchors(struct attestd_json_writer *writer, const struct attestd_anchor_set *anchors)
{
    attestd_json_open_list(writer, "anchors");
    for (size_t i = 0; i < attestd_anchor_set_count(anchors); i++) {
        const struct attestd_anchor *anchor = attestd_anchor_set_at(anchors, i);
        attestd_json_open_map(writer, NULL);
        attestd_json_text(writer, "name", anchor->name);
        attestd_json_text(writer, "purpose", anchor->purpose);
        attestd_json_hex(writer, "sha256", anchor->sha256, sizeof anchor->sha256);
        attestd_json_hex(writer, "spki_sha256", anchor->spki_sha256, sizeof anchor->spki_sha256);
        attestd_json_flag(writer, "simulated", anchor->simulated);
        attestd_json_flag(writer, "operator", anchor->operator_given);
        attestd_json_close_map(writer);
    }
    attestd_json_close_list(writer);
}

static void write_candidate(struct attestd_json_writer *writer, const struct job_source *source, const struct job_candidate *candidate)
{
    attestd_json_open_map(writer, NULL);
    attestd_json_text(writer, "kind", source->kind);
    attestd_json_text(writer, "key", source->key);
    attestd_json_text(writer, "source", candidate->source);
    attestd_json_number(writer, "fetched", candidate->fetched);
    attestd_json_flag(writer, "stale", candidate->stale);
    write_bytes(writer, "bytes", candidate->bytes);
    attestd_json_close_map(writer);
}

static void write_sources(struct attestd_json_writer *writer, const struct attestd_job *job)
{
    attestd_json_open_list(writer, "endorsements");
    for (const struct job_source *source = job->sources; source != NULL; source = source->next)
        for (size_t i = 0; i < source->count; i++)
            write_candidate(writer, source, source->candidates[i]);
    attestd_json_close_list(writer);
    attestd_json_open_list(writer, "absent");
    for (const struct job_source *source = job->sources; source != NULL; source = source->next) {
        if (!source->absent)
            continue;
        attestd_json_open_map(writer, NULL);
        attestd_json_text(writer, "kind", source->kind);
        attestd_json_text(writer, "key", source->key);
        write_optional(writer, "reason", source->reason);
        attestd_json_close_map(writer);
    }
    attestd_json_close_list(writer);
}

static void write_state(struct attestd_json_writer *writer, const struct attestd_job *job)
{
    attestd_json_open_list(writer, "state");
    for (size_t i = 0; i < job->piece_count; i++)
        for (size_t k = 0; k < job->pieces[i].recalled_count; k++) {
            const struct attestd_proposal *recalled = &job->pieces[i].recalled[k];
            attestd_json_open_map(writer, NULL);
            attestd_json_text(writer, "plugin", recalled->plugin);
            write_bytes(writer, "key", recalled->key);
            write_bytes(writer, "before", recalled->before);
            attestd_json_close_map(writer);
        }
    attestd_json_close_list(writer);
}

static void write_policy(struct attestd_json_writer *writer, const struct attestd_job *job, const char *text, size_t len)
{
    attestd_json_open_map(writer, "policy");
    write_optional(writer, "name", job->result.policy_name);
    attestd_json_hex(writer, "digest", job->result.policy_digest, sizeof job->result.policy_digest);
    write_bytes(writer, "text", (struct attestd_bytes){(const uint8_t *)text, len});
    attestd_json_close_map(writer);
}

void attestd_bundle_write(struct attestd_text *out, const struct attestd_job *job, const struct attestd_anchor_set *anchors,
                          const char *policy_text, size_t policy_text_len)
{
    struct attestd_json_writer writer = attestd_json_writer_to(out);

    attestd_json_open_map(&writer, NULL);
    attestd_json_number(&writer, "bundle", ATTESTD_BUNDLE_VERSION);
    attestd_result_engine_json(&writer, &job->result);
    attestd_json_time(&writer, "time", job->result.time);
    write_request(&writer, job->request);
    write_policy(&writer, job, policy_text, policy_text_len);
    write_anchors(&writer, anchors);
    write_sources(&writer, job);
    write_state(&writer, job);
    attestd_json_open_map(&writer, "result");
    attestd_result_members(&writer, &job->result);
    attestd_json_close_map(&writer);
    attestd_json_close_map(&writer);
}

void attestd_bundle_result(struct attestd_text *out, const struct attestd_job *job)
{
    struct attestd_text text = {0};
    struct attestd_json_writer members = attestd_json_writer_to(&text), writer = attestd_json_writer_to(out);

    attestd_json_open_map(&members, NULL);
    attestd_result_members(&members, &job->result);
    attestd_json_close_map(&members);
    json_t *json = attestd_json_read(text.data, text.len, RESULT_DEPTH, NULL, 0);
    if (json == NULL)
        abort(); /* the writer writes JSON */
    attestd_json_jansson(&writer, NULL, json);
    json_decref(json);
    attestd_text_free(&text);
}
