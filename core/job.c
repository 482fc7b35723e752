/* SPDX-License-Identifier: Apache-2.0 */
/* A job: runs the pieces, collects what they ask for, hands them what the host found. */
#include "core/job.h"

#include "core/checks.h"
#include "core/digest.h"
#include "core/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

uint64_t job_nanoseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now); /* for metrics only; no decision sees it */
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void begin_pieces(struct attestd_job *job)
{
    size_t words = attestd_engine_check_count(job->engine) / 64 + 1;

    job->pieces = attestd_arena_array(job->arena, job->piece_count, sizeof *job->pieces);
    job->result.pieces = attestd_arena_array(job->arena, job->piece_count, sizeof *job->result.pieces);
    job->result.piece_count = job->piece_count;
    for (size_t i = 0; i < job->piece_count; i++) {
        struct job_piece *piece = &job->pieces[i];
        const struct attestd_piece_request *request = &job->request->pieces[i];
        piece->job = job;
        piece->request = request;
        piece->arena = attestd_arena_new();
        piece->recorded = attestd_arena_array(piece->arena, words, sizeof *piece->recorded);
        piece->piece = &job->result.pieces[i];
        piece->piece->label = request->label;
        piece->piece->type = request->type;
        piece->piece->plugin = attestd_engine_plugin(job->engine, request->type);
        piece->piece->verdict = ATTESTD_CONTRAINDICATED;
    }
}

struct attestd_job *attestd_job_new(struct attestd_engine *engine, const struct attestd_request *request,
                                    const struct attestd_policy_view *policy, struct attestd_anchor_set *anchors,
                                    const struct attestd_state_lookup *state)
{
    struct attestd_arena *arena = attestd_arena_new();
    struct attestd_job *job = attestd_arena_alloc(arena, sizeof *job);

    job->arena = arena;
    job->engine = engine;
    job->request = request;
    job->view = policy;
    job->anchors = attestd_anchor_set_retain(anchors);
    job->state = state;
    job->last_source = &job->sources;
    job->piece_count = request->piece_count;
    job->result.verdict = ATTESTD_CONTRAINDICATED;
    job->result.not_after = INT64_MAX;
    begin_pieces(job);
    return job;
}

void attestd_job_free(struct attestd_job *job)
{
    if (job == NULL)
        return;
    for (size_t i = 0; i < job->piece_count; i++)
        attestd_arena_free(job->pieces[i].arena);
    attestd_anchor_set_free(job->anchors);
    attestd_arena_free(job->arena);
}

struct attestd_arena *attestd_job_arena(struct attestd_job *job)
{
    return job->arena;
}

size_t attestd_job_piece_count(const struct attestd_job *job)
{
    return job->piece_count;
}

struct attestd_check_result *job_append_check(struct attestd_arena *arena, struct attestd_check_list *list,
                                              const struct attestd_check *check, int outcome, const char *code, const char *observed,
                                              const char *expected)
{
    if (list->count == list->size) {
        size_t size = list->size == 0 ? 48 : list->size * 2;
        struct attestd_check_result *items = attestd_arena_array(arena, size, sizeof *items);
        if (list->count > 0)
            memcpy(items, list->items, list->count * sizeof *items);
        list->items = items;
        list->size = size;
    }
    struct attestd_check_result *result = &list->items[list->count++];
    const struct attestd_reason *reason = code != NULL ? registry_reason(check->reasons, code) : NULL;
    *result = (struct attestd_check_result){
        check, outcome, ATTESTD_STRICT, reason != NULL ? reason->code : code, observed, expected, reason != NULL ? reason->remedy : NULL,
        NULL};
    return result;
}

/* One run of one piece. */

static void begin_run(struct job_piece *piece, int64_t time)
{
    struct attestd_piece *public = piece->piece;
    size_t words = attestd_engine_check_count(piece->job->engine) / 64 + 1;

    piece->time = time;
    piece->progress = false;
    memset(piece->recorded, 0, words * sizeof *piece->recorded);
    piece->frame_count = 0;
    piece->segments = NULL;
    piece->last_segment = &piece->segments;
    piece->proposed_count = 0;
    piece->shown = 0;
    piece->facts = (struct memo_facts){false, false};
    piece->signature_good = false;
    piece->not_after = INT64_MAX;
    piece->absent_reason = NULL;
    for (size_t i = 0; i < piece->question_count; i++)
        piece->questions[i].waiting = false;
    for (size_t i = 0; i < piece->handle_count; i++) {
        /* Judged anew: what this run rejects depends on what came since, and a rejected one may be what a new one needs. */
        piece->handles[i]->accepted = piece->handles[i]->rejected = false;
        piece->handles[i]->order = 0;
    }
    public->checks.count = 0;
    public->slot_count = 0;
    public->claims = NULL;
    public->malformed_code = NULL;
}

static const struct attestd_value *all_claims(struct job_piece *piece)
{
    struct attestd_value *claims = attestd_arena_alloc(piece->arena, sizeof *claims);
    struct attestd_value *items = attestd_arena_array(piece->arena, piece->frame_count, sizeof *items);

    claims->kind = ATTESTD_VALUE_MAP;
    claims->items = items;
    for (size_t i = 0; i < piece->frame_count; i++) {
        items[i] = *attestd_tree_value(piece->frames[i].claims);
        items[i].name = piece->frames[i].plugin;
    }
    claims->count = piece->frame_count;
    return claims;
}

static void digest_signed_bytes(struct job_piece *piece)
{
    piece->piece->has_signed_bytes = piece->segments != NULL;
    if (piece->segments == NULL || piece->job->piece_count < 2)
        return; /* nobody binds a piece that stands alone */
    struct attestd_digest *digest = attestd_digest_new(256);
    for (const struct job_segment *segment = piece->segments; segment != NULL; segment = segment->next)
        attestd_digest_add(digest, segment->bytes.data, segment->bytes.len);
    attestd_digest_finish(digest, piece->piece->signed_digest);
}

static bool waiting(const struct job_piece *piece)
{
    for (size_t i = 0; i < piece->question_count; i++)
        if (piece->questions[i].waiting)
            return true;
    return false;
}

static int finish(struct job_piece *piece)
{
    piece->state = JOB_PIECE_DONE;
    piece->piece->claims = all_claims(piece);
    piece->piece->malformed_code = NULL;
    for (size_t i = 0; i < piece->question_count; i++)
        piece->questions[i].waiting = false;
    digest_signed_bytes(piece);
    return ATTESTD_DONE;
}

static int no_progress(struct job_piece *piece)
{
    const char *observed =
        attestd_arena_format(piece->arena, "pending after run %u%s", piece->runs, waiting(piece) ? "" : " without asking for anything");
    const char *expected = attestd_arena_format(piece->arena, "an end after at most %d runs", JOB_MAX_RUNS);

    job_append_check(piece->arena, &piece->piece->checks, &attestd_check_plugin_progress, ATTESTD_FAIL, "PLUGIN_NO_PROGRESS", observed,
                     expected);
    return finish(piece);
}

static int malformed(struct job_piece *piece)
{
    struct attestd_piece *public = piece->piece;

    if (public->malformed_code == NULL) {
        public->malformed_code = "EVIDENCE_MALFORMED";
        public->malformed_part = "";
        public->malformed_detail = "";
        public->malformed_offset = 0;
    }
    public->checks.count = 0;
    public->slot_count = 0;
    piece->state = JOB_PIECE_MALFORMED;
    return ATTESTD_MALFORMED;
}

static int run_piece(struct job_piece *piece, int64_t time)
{
    const struct attestd_plugin *plugin = piece->piece->plugin;
    struct attestd_evidence evidence = {sizeof evidence, piece->request->label, piece->request->parts, piece->request->part_count, time};

    begin_run(piece, time);
    if (plugin == NULL) { /* a request made by hand */
        piece->piece->malformed_code = "EVIDENCE_TYPE_UNKNOWN";
        piece->piece->malformed_part = piece->piece->malformed_detail = "";
        return malformed(piece);
    }
    struct attestd_appraisal appraisal = {piece, plugin, job_frame_of(piece, plugin), 1};
    uint64_t begun = job_nanoseconds();
    int32_t answer = plugin->verify(attestd_host_table(), &evidence, &appraisal);
    piece->verify_ns += job_nanoseconds() - begun;

    piece->runs++;
    if (answer == ATTESTD_MALFORMED)
        return malformed(piece);
    if (answer == ATTESTD_DONE)
        return finish(piece);
    if (answer != ATTESTD_PENDING) {
        job_defect(piece, "verify() answers %d", answer);
        return finish(piece);
    }
    if (!piece->progress || piece->runs >= JOB_MAX_RUNS)
        return no_progress(piece);
    piece->state = JOB_PIECE_OPEN;
    return ATTESTD_PENDING;
}

/* A question the host has not answered since it was asked. */
static bool unanswered(const struct attestd_job *job, const struct job_question *question)
{
    if (!question->waiting)
        return false;
    const struct job_source *source = job_find_source(job, question->kind, question->key);
    return source == NULL || source->answers == question->answers;
}

static bool blocked(const struct job_piece *piece)
{
    for (size_t i = 0; i < piece->question_count; i++)
        if (unanswered(piece->job, &piece->questions[i]))
            return true;
    return false;
}

int attestd_job_run_piece(struct attestd_job *job, size_t index, int64_t time)
{
    struct job_piece *piece = &job->pieces[index];

    if (piece->state == JOB_PIECE_MALFORMED)
        return ATTESTD_MALFORMED;
    if (piece->state == JOB_PIECE_DONE)
        return ATTESTD_DONE;
    return blocked(piece) ? ATTESTD_PENDING : run_piece(piece, time);
}

/* All at one time: a piece that ended earlier runs once more; what it asked for is there, and its signatures are remembered. */
static int settle(struct attestd_job *job, int64_t time)
{
    int answer = ATTESTD_DONE;

    for (size_t i = 0; i < job->piece_count; i++) {
        struct job_piece *piece = &job->pieces[i];
        if (piece->state == JOB_PIECE_OPEN)
            return ATTESTD_PENDING;
    }
    for (size_t i = 0; i < job->piece_count; i++) {
        struct job_piece *piece = &job->pieces[i];
        if (piece->time == time)
            continue;
        int again = run_piece(piece, time);
        if (again != ATTESTD_DONE)
            answer = again;
        if (again == ATTESTD_MALFORMED)
            break;
    }
    return answer;
}

int attestd_job_conclude(struct attestd_job *job, int64_t time)
{
    job->time = time;
    for (size_t i = 0; i < job->piece_count; i++)
        if (job->pieces[i].state == JOB_PIECE_MALFORMED) {
            job_conclude_malformed(job);
            return ATTESTD_MALFORMED;
        }
    if (job->concluded)
        return ATTESTD_DONE;
    int answer = settle(job, time);
    if (answer == ATTESTD_MALFORMED)
        job_conclude_malformed(job);
    if (answer != ATTESTD_DONE)
        return answer;
    job_conclude(job);
    job->concluded = true;
    return ATTESTD_DONE;
}

int attestd_job_run(struct attestd_job *job, int64_t time)
{
    for (size_t i = 0; i < job->piece_count; i++)
        if (attestd_job_run_piece(job, i, time) == ATTESTD_MALFORMED)
            break;
    return attestd_job_conclude(job, time);
}

/* Needs and their answers. */

struct job_source *job_find_source(const struct attestd_job *job, const char *kind, const char *key)
{
    struct job_source *source = job->sources;

    while (source != NULL && (strcmp(source->key, key) != 0 || strcmp(source->kind, kind) != 0))
        source = source->next;
    return source;
}

static struct job_source *source_of(struct attestd_job *job, const char *kind, const char *key)
{
    struct job_source *source = job_find_source(job, kind, key);

    if (source != NULL)
        return source;
    source = attestd_arena_alloc(job->arena, sizeof *source);
    source->kind = attestd_arena_text(job->arena, kind);
    source->key = attestd_arena_text(job->arena, key);
    *job->last_source = source;
    job->last_source = &source->next;
    return source;
}

static void add_need(struct attestd_job *job, size_t *count, const struct job_question *question)
{
    struct attestd_need *need = NULL;

    for (size_t i = 0; i < *count && need == NULL; i++)
        if (strcmp(job->needs[i].kind, question->kind) == 0 && strcmp(job->needs[i].key, question->key) == 0)
            need = &job->needs[i];
    if (need == NULL) {
        need = &job->needs[(*count)++];
        *need = (struct attestd_need){question->kind, question->key, false, 0, false};
    }
    if (question->rejected > need->rejected)
        need->rejected = question->rejected;
    need->after_reject = need->rejected > 0;
    need->authenticated |= question->authenticated;
}

size_t attestd_job_needs(const struct attestd_job *constant, const struct attestd_need **needs)
{
    struct attestd_job *job = (struct attestd_job *)(uintptr_t)constant; /* the list is scratch of the job */
    size_t most = 0, count = 0;

    for (size_t i = 0; i < job->piece_count; i++)
        most += job->pieces[i].question_count;
    job->needs = attestd_arena_array(job->arena, most, sizeof *job->needs);
    for (size_t i = 0; i < job->piece_count; i++)
        for (size_t q = 0; q < job->pieces[i].question_count; q++)
            if (unanswered(job, &job->pieces[i].questions[q]))
                add_need(job, &count, &job->pieces[i].questions[q]);
    if (needs != NULL)
        *needs = job->needs;
    return count;
}

void attestd_job_supply(struct attestd_job *job, const char *kind, const char *key, const struct attestd_supply *supply)
{
    const struct attestd_endorsement_kind *known = attestd_engine_endorsement_kind(job->engine, kind);
    struct job_source *source = source_of(job, kind, key);
    uint8_t sha256[32];

    source->answers++;
    if (known == NULL || supply->bytes.len > known->max_size || source->count == JOB_MAX_CANDIDATES) {
        source->absent = true;
        source->reason = source->count == JOB_MAX_CANDIDATES ? "too many candidates" : "larger than its kind may be";
        return;
    }
    if (supply->sha256)
        memcpy(sha256, supply->sha256, sizeof sha256);
    else
        attestd_sha256(supply->bytes.data, supply->bytes.len, sha256);
    for (size_t i = 0; i < source->count; i++)
        if (memcmp(source->candidates[i]->sha256, sha256, sizeof sha256) == 0)
            return; /* the same bytes again */
    struct job_candidate *candidate = attestd_arena_alloc(job->arena, sizeof *candidate);
    candidate->bytes = attestd_arena_bytes(job->arena, supply->bytes.data, supply->bytes.len);
    memcpy(candidate->sha256, sha256, sizeof sha256);
    candidate->source = supply->source;
    candidate->fetched = supply->fetched;
    candidate->stale = supply->stale;
    source->candidates[source->count++] = candidate;
}

void attestd_job_absent(struct attestd_job *job, const char *kind, const char *key, const char *reason)
{
    struct job_source *source = source_of(job, kind, key);

    source->answers++;
    source->absent = true;
    source->reason = reason;
}

/* What a finished job tells. */

const struct attestd_result *attestd_job_result(const struct attestd_job *job)
{
    return &job->result;
}

const struct attestd_request *attestd_job_request(const struct attestd_job *job)
{
    return job->request;
}

const struct attestd_policy_view *attestd_job_policy(const struct attestd_job *job)
{
    return job->view;
}

size_t attestd_job_endorsements(const struct attestd_job *job, const struct attestd_endorsement_use **uses)
{
    *uses = job->uses;
    return job->use_count;
}

size_t attestd_job_proposals(const struct attestd_job *job, const struct attestd_proposal **proposals)
{
    *proposals = job->proposals;
    return job->proposal_count;
}

struct attestd_job_timing attestd_job_timing(const struct attestd_job *job)
{
    struct attestd_job_timing timing = {0, 0, job->policy_ns};

    for (size_t i = 0; i < job->piece_count; i++) {
        timing.runs += job->pieces[i].runs;
        timing.verify_ns += job->pieces[i].verify_ns;
    }
    return timing;
}

static void free_job(void *job)
{
    attestd_job_free(job);
}

const struct attestd_value *attestd_inspect(struct attestd_engine *engine, struct attestd_arena *arena,
                                            const struct attestd_piece_request *request, char *error, size_t error_size)
{
    const struct attestd_plugin *plugin = attestd_engine_plugin(engine, request->type);
    struct attestd_request *alone = attestd_arena_alloc(arena, sizeof *alone);
    struct attestd_anchor_set *anchors = attestd_anchor_set_new();
    const struct attestd_value *claims = NULL;

    if (plugin == NULL || plugin->inspect == NULL) {
        snprintf(error, error_size, "%s evidence cannot be inspected", request->type);
        attestd_anchor_set_free(anchors);
        return NULL;
    }
    attestd_anchor_set_seal(anchors);
    *alone = (struct attestd_request){.pieces = request, .piece_count = 1, .no_binding = true};
    struct attestd_job *job = attestd_job_new(engine, alone, NULL, anchors, NULL);
    attestd_anchor_set_free(anchors);
    attestd_arena_defer(arena, free_job, job);
    job->inspecting = true;
    struct job_piece *piece = &job->pieces[0];
    begin_run(piece, 0);
    struct attestd_appraisal appraisal = {piece, plugin, job_frame_of(piece, plugin), 1};
    struct attestd_evidence evidence = {sizeof evidence, request->label, request->parts, request->part_count, 0};
    if (plugin->inspect(attestd_host_table(), &evidence, &appraisal) == 0)
        claims = all_claims(piece);
    else
        snprintf(error, error_size, "%s at byte %zu of %s: %s",
                 piece->piece->malformed_code != NULL ? piece->piece->malformed_code : "malformed", piece->piece->malformed_offset,
                 piece->piece->malformed_part != NULL ? piece->piece->malformed_part : request->type,
                 piece->piece->malformed_detail != NULL ? piece->piece->malformed_detail : "not this kind of evidence");
    return claims;
}
