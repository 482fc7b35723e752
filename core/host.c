/* SPDX-License-Identifier: Apache-2.0 */
/* The table of functions a plugin gets (plugins/include/attestd/plugin.h). Each call works on the run of one piece. */
#include "core/bytes.h"
#include "core/checks.h"
#include "core/digest.h"
#include "core/job.h"
#include "core/problem.h"
#include "core/value.h"

#include <stdarg.h>
#include <string.h>

struct job_frame *job_frame_of(struct job_piece *piece, const struct attestd_plugin *plugin)
{
    for (size_t i = 0; i < piece->frame_count; i++)
        if (piece->frames[i].owner == plugin)
            return &piece->frames[i];
    if (piece->frame_count == JOB_MAX_FRAMES)
        return NULL;
    struct job_frame *frame = &piece->frames[piece->frame_count++];
    frame->owner = plugin;
    frame->plugin = plugin->name;
    frame->claims = attestd_tree_new(piece->arena);
    return frame;
}

static bool record_once(struct job_piece *piece, size_t index)
{
    uint64_t bit = (uint64_t)1 << (index % 64);

    if (piece->recorded[index / 64] & bit)
        return false;
    piece->recorded[index / 64] |= bit;
    return true;
}

void job_defect(struct job_piece *piece, const char *format, ...)
{
    size_t index = registry_check_index(piece->job->engine, &attestd_check_plugin_record);
    va_list args;

    if (!record_once(piece, index))
        return; /* the first defect is told */
    va_start(args, format);
    const char *what = attestd_arena_vformat(piece->arena, format, args);
    va_end(args);
    job_append_check(piece->arena, &piece->piece->checks, &attestd_check_plugin_record, ATTESTD_FAIL, "PLUGIN_DEFECT", what, NULL);
}

static void *host_alloc(struct attestd_appraisal *a, size_t size)
{
    return attestd_arena_alloc(a->piece->arena, size);
}

static void host_malformed(struct attestd_appraisal *a, const char *code, const char *part, size_t offset, const char *detail)
{
    struct attestd_piece *piece = a->piece->piece;
    const struct attestd_reason *reason = code != NULL ? registry_reason(a->plugin->malformed, code) : NULL;

    if (piece->malformed_code != NULL)
        return; /* the innermost tells it best */
    piece->malformed_code = reason != NULL ? reason->code : "EVIDENCE_MALFORMED";
    piece->malformed_part = attestd_arena_text(a->piece->arena, part != NULL ? part : "");
    piece->malformed_detail = attestd_arena_text(a->piece->arena, detail != NULL ? detail : "");
    piece->malformed_offset = offset;
}

static const char *copy(struct attestd_appraisal *a, const char *text)
{
    return text != NULL ? attestd_arena_text(a->piece->arena, text) : NULL;
}

static void host_check(struct attestd_appraisal *a, const struct attestd_check *check, int32_t outcome, const char *code,
                       const char *observed, const char *expected)
{
    struct job_piece *piece = a->piece;
    size_t index = registry_check_index(piece->job->engine, check);

    if (index == REGISTRY_UNKNOWN || !registry_check_of(piece->job->engine, a->plugin, index)) {
        job_defect(piece, "a check that is not in the catalogue of %s", a->plugin->name);
        return;
    }
    if (!record_once(piece, index)) {
        job_defect(piece, "%s recorded twice", check->id);
        return;
    }
    if (outcome < ATTESTD_PASS || outcome > ATTESTD_UNAVAILABLE) {
        job_defect(piece, "%s with outcome %d", check->id, outcome);
        return;
    }
    const struct attestd_reason *reason = code != NULL ? registry_reason(check->reasons, code) : NULL;
    bool needs_code = outcome == ATTESTD_FAIL || outcome == ATTESTD_UNAVAILABLE;
    if ((code != NULL && reason == NULL) || (needs_code && reason == NULL) || (outcome == ATTESTD_PASS && code != NULL)) {
        job_defect(piece, "%s with code %.64s and outcome %s", check->id, code != NULL ? code : "none", attestd_outcome_name(outcome));
        return;
    }
    if (outcome == ATTESTD_UNAVAILABLE && observed == NULL)
        observed = piece->absent_reason;
    job_append_check(piece->arena, &piece->piece->checks, check, outcome, reason != NULL ? reason->code : NULL, copy(a, observed),
                     copy(a, expected));
}

static int32_t host_mode(struct attestd_appraisal *a, const struct attestd_check *check)
{
    const struct attestd_policy_view *view = a->piece->job->view;

    if (check->fixed)
        return ATTESTD_STRICT;
    if (view == NULL || view->mode == NULL)
        return check->default_mode;
    return view->mode(view->policy, check, a->piece->time, NULL);
}

static const struct attestd_value *host_setting(struct attestd_appraisal *a, const char *path)
{
    const struct attestd_policy_view *view = a->piece->job->view;

    return view != NULL && view->setting != NULL ? view->setting(view->policy, a->plugin->name, path) : NULL;
}

static void host_claim_text(struct attestd_appraisal *a, const char *path, const char *text)
{
    attestd_tree_text(a->frame->claims, path, text != NULL ? text : "");
}

static void host_claim_bytes(struct attestd_appraisal *a, const char *path, const uint8_t *bytes, size_t len)
{
    attestd_tree_bytes(a->frame->claims, path, bytes, len);
}

static void host_claim_number(struct attestd_appraisal *a, const char *path, int64_t number)
{
    attestd_tree_number(a->frame->claims, path, number);
}

static void host_claim_flag(struct attestd_appraisal *a, const char *path, int32_t flag)
{
    attestd_tree_flag(a->frame->claims, path, flag != 0);
}

static void host_binding_field(struct attestd_appraisal *a, int32_t form, const uint8_t *bytes, size_t len)
{
    struct attestd_piece *piece = a->piece->piece;
    struct attestd_binding_slot *slots = piece->slots;
    size_t max = sizeof piece->slots / sizeof piece->slots[0];

    if (form < ATTESTD_BINDS_D || form > ATTESTD_BINDS_KEY || piece->slot_count == max) {
        job_defect(a->piece, "binding field of form %d, number %zu", form, piece->slot_count + 1);
        return;
    }
    slots[piece->slot_count].form = form;
    slots[piece->slot_count++].bytes = attestd_arena_bytes(a->piece->arena, bytes, len);
}

static void host_signed_bytes(struct attestd_appraisal *a, const uint8_t *bytes, size_t len)
{
    struct job_piece *piece = a->piece;

    if (a->depth > 1)
        return; /* the delegating plugin says what a digest of its piece covers */
    struct job_segment *segment = attestd_arena_alloc(piece->arena, sizeof *segment);
    segment->bytes = attestd_arena_bytes(piece->arena, bytes, len);
    *piece->last_segment = segment;
    piece->last_segment = &segment->next;
}

/* Endorsements. */

static const struct attestd_endorsement_kind *declared(struct attestd_appraisal *a, const char *kind)
{
    const struct attestd_endorsement_kind *known = a->plugin->endorsements;

    for (; known != NULL && known->kind != NULL; known++)
        if (strcmp(known->kind, kind) == 0)
            return known;
    return NULL;
}

static bool key_valid(const char *key)
{
    size_t len = strlen(key);

    return len >= 1 && len <= 512 && strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._=&/-") == len;
}

static struct job_question *question_of(struct job_piece *piece, const char *kind, const char *key)
{
    for (size_t i = 0; i < piece->question_count; i++)
        if (strcmp(piece->questions[i].kind, kind) == 0 && strcmp(piece->questions[i].key, key) == 0)
            return &piece->questions[i];
    if (piece->question_count == JOB_MAX_NEEDS)
        return NULL;
    struct job_question *question = &piece->questions[piece->question_count++];
    *question = (struct job_question){attestd_arena_text(piece->arena, kind), attestd_arena_text(piece->arena, key), false, 0, 0, false};
    return question;
}

static struct job_handle *new_handle(struct job_piece *piece, const char *kind, const char *key, int32_t life)
{
    if (piece->handle_count == JOB_MAX_HANDLES)
        return NULL;
    struct job_handle *handle = attestd_arena_alloc(piece->arena, sizeof *handle);
    handle->kind = kind;
    handle->key = key;
    handle->life = life;
    piece->handles[piece->handle_count++] = handle;
    return handle;
}

static void show(struct job_piece *piece, size_t number, struct attestd_endorsement *out)
{
    struct job_handle *handle = piece->handles[number];

    if (handle->order == 0)
        handle->order = ++piece->shown;
    out->bytes = handle->bytes;
    memcpy(out->sha256, handle->sha256, sizeof out->sha256);
    out->handle = (uint32_t)number;
    out->from_evidence = handle->candidate == NULL;
}

static bool rejected_before(const struct job_piece *piece, const struct job_question *question, const uint8_t sha256[32])
{
    for (size_t i = 0; i < piece->handle_count; i++) {
        const struct job_handle *handle = piece->handles[i];
        if (handle->rejected && memcmp(handle->sha256, sha256, 32) == 0 && strcmp(handle->kind, question->kind) == 0 &&
            strcmp(handle->key, question->key) == 0)
            return true;
    }
    return false;
}

/* The handle of a supplied candidate, made at its first showing; handle_count when there are too many. */
static size_t handle_of(struct job_piece *piece, const struct job_question *question, int32_t life, const struct job_candidate *candidate)
{
    for (size_t i = 0; i < piece->handle_count; i++)
        if (piece->handles[i]->candidate == candidate)
            return i;
    struct job_handle *handle = new_handle(piece, question->kind, question->key, life);
    if (handle == NULL)
        return piece->handle_count;
    handle->candidate = candidate;
    handle->bytes = candidate->bytes;
    memcpy(handle->sha256, candidate->sha256, sizeof handle->sha256);
    return piece->handle_count - 1;
}

static bool show_candidate(struct job_piece *piece, const struct job_question *question, int32_t life, const struct job_source *source,
                           struct attestd_endorsement *out)
{
    for (size_t i = 0; i < source->count; i++) {
        const struct job_candidate *candidate = source->candidates[i];
        if (rejected_before(piece, question, candidate->sha256))
            continue;
        size_t number = handle_of(piece, question, life, candidate);
        if (number == piece->handle_count)
            return false;
        show(piece, number, out);
        return true;
    }
    return false;
}

static int32_t wait_for(struct job_piece *piece, struct job_question *question, const struct job_source *source)
{
    unsigned rejected = 0;

    for (size_t i = 0; i < piece->handle_count; i++) {
        const struct job_handle *handle = piece->handles[i];
        rejected += handle->rejected && handle->kind == question->kind && handle->key == question->key;
    }
    piece->progress = true; /* a question it had not asked, or that the answers so far did not settle */
    question->waiting = true;
    question->answers = source != NULL ? source->answers : 0;
    question->rejected = rejected;
    question->authenticated = piece->signature_good && piece->facts.anchored;
    return ATTESTD_NEED_WAITING;
}

static int32_t host_need(struct attestd_appraisal *a, const char *kind, const char *key, struct attestd_endorsement *out)
{
    struct job_piece *piece = a->piece;
    const struct attestd_endorsement_kind *known = declared(a, kind);

    memset(out, 0, sizeof *out);
    if (piece->job->inspecting)
        return ATTESTD_NEED_ABSENT;
    if (known == NULL || !key_valid(key)) {
        job_defect(piece, "asks for %.64s with key %.64s", kind, key);
        return ATTESTD_NEED_ABSENT;
    }
    struct job_question *question = question_of(piece, kind, key);
    if (question == NULL) {
        job_defect(piece, "asks for more than %d endorsements", JOB_MAX_NEEDS);
        return ATTESTD_NEED_ABSENT;
    }

    const struct job_source *source = job_find_source(piece->job, kind, key);
    if (source != NULL && show_candidate(piece, question, known->life, source, out))
        return ATTESTD_NEED_READY;
    if (source == NULL || !source->absent)
        return wait_for(piece, question, source);
    piece->absent_reason = source->reason;
    return ATTESTD_NEED_ABSENT;
}

static bool offered(const struct job_handle *handle, const char *kind, const char *key, const uint8_t *bytes, size_t len)
{
    return handle->candidate == NULL && attestd_bytes_are(handle->bytes, bytes, len) && strcmp(handle->kind, kind) == 0 &&
           strcmp(handle->key, key) == 0;
}

static void host_offer(struct attestd_appraisal *a, const char *kind, const char *key, const uint8_t *bytes, size_t len,
                       struct attestd_endorsement *out)
{
    struct job_piece *piece = a->piece;
    const struct attestd_endorsement_kind *known = declared(a, kind);

    memset(out, 0, sizeof *out);
    out->handle = UINT32_MAX;
    if (known == NULL || !key_valid(key)) {
        job_defect(piece, "offers %.64s with key %.64s", kind, key);
        return;
    }
    for (size_t i = 0; i < piece->handle_count; i++)
        if (offered(piece->handles[i], kind, key, bytes, len)) {
            show(piece, i, out);
            return;
        }
    struct job_handle *handle =
        new_handle(piece, attestd_arena_text(piece->arena, kind), attestd_arena_text(piece->arena, key), known->life);
    if (handle == NULL) {
        job_defect(piece, "offers more than %d endorsements", JOB_MAX_HANDLES);
        return;
    }
    handle->bytes = (struct attestd_bytes){bytes, len};
    attestd_sha256(bytes, len, handle->sha256);
    show(piece, piece->handle_count - 1, out);
}

static struct job_handle *in_hand(struct attestd_appraisal *a, uint32_t number)
{
    if (number < a->piece->handle_count && a->piece->handles[number]->order != 0)
        return a->piece->handles[number];
    job_defect(a->piece, "judges endorsement %u that it was not shown", number);
    return NULL;
}

static void host_accept(struct attestd_appraisal *a, uint32_t number, int64_t next_update, uint64_t sequence)
{
    struct job_handle *handle = in_hand(a, number);

    if (handle == NULL)
        return;
    handle->accepted = true;
    handle->rejected = false;
    handle->next_update = next_update;
    handle->number = sequence;
}

static void host_reject(struct attestd_appraisal *a, uint32_t number, const char *code)
{
    struct job_handle *handle = in_hand(a, number);

    if (handle == NULL)
        return;
    a->piece->progress |= !handle->rejected;
    handle->rejected = true;
    handle->accepted = false;
    handle->reject_code = copy(a, code);
}

static int32_t host_anchor(struct attestd_appraisal *a, const char *purpose, const uint8_t *der, size_t len)
{
    const struct attestd_anchor *anchor = NULL;
    int32_t answer = attestd_anchor_set_match(a->piece->job->anchors, purpose, der, len, &anchor);

    if (answer == ATTESTD_ANCHOR_PINNED) {
        a->piece->facts.anchored = true;
        a->piece->facts.simulated |= anchor->simulated;
    }
    return answer;
}

/* Memos. */

static void memo_key(struct attestd_appraisal *a, const uint8_t key[32], uint8_t out[32])
{
    uint8_t all[96];

    memcpy(all, registry_plugin_digest(a->piece->job->engine, a->plugin), 32);
    memcpy(all + 32, attestd_anchor_set_digest(a->piece->job->anchors), 32);
    memcpy(all + 64, key, 32);
    attestd_sha256(all, sizeof all, out);
}

static void rests_on(struct job_piece *piece, int64_t not_after)
{
    if (not_after >= piece->time && not_after < piece->not_after)
        piece->not_after = not_after;
}

static const void *host_memo_get(struct attestd_appraisal *a, const uint8_t key[32])
{
    struct job_piece *piece = a->piece;
    uint8_t whole[32];

    memo_key(a, key, whole);
    struct memo_entry *entry = memo_cache_get(registry_memos(piece->job->engine), whole, piece->time);
    if (entry == NULL)
        return NULL;
    struct memo_facts facts = memo_entry_facts(entry);
    attestd_arena_defer(piece->arena, memo_entry_release, entry);
    rests_on(piece, memo_entry_not_after(entry));
    piece->facts.simulated |= facts.simulated;
    piece->facts.anchored |= facts.anchored;
    return memo_entry_object(entry);
}

static void host_memo_put(struct attestd_appraisal *a, const uint8_t key[32], void *object, size_t size, int64_t not_after,
                          void (*release)(void *))
{
    struct job_piece *piece = a->piece;
    uint8_t whole[32];

    memo_key(a, key, whole);
    struct memo_entry *entry =
        memo_cache_put(registry_memos(piece->job->engine), whole, object, size, piece->time, not_after, release, piece->facts);
    attestd_arena_defer(piece->arena, memo_entry_release, entry);
    rests_on(piece, not_after);
}

/* Device state. */

static struct attestd_bytes host_recall(struct attestd_appraisal *a, const uint8_t *key, size_t key_len)
{
    struct job_piece *piece = a->piece;
    const struct attestd_state_lookup *state = piece->job->state;

    for (size_t i = 0; i < piece->recalled_count; i++)
        if (piece->recalled[i].plugin == a->plugin->name && attestd_bytes_are(piece->recalled[i].key, key, key_len))
            return piece->recalled[i].before;
    if (state == NULL || piece->recalled_count == JOB_MAX_STATES)
        return (struct attestd_bytes){NULL, 0};
    struct attestd_proposal *recalled = &piece->recalled[piece->recalled_count++];
    recalled->plugin = a->plugin->name;
    recalled->key = attestd_arena_bytes(piece->arena, key, key_len);
    recalled->before = state->recall(state->context, piece->arena, a->plugin->name, key, key_len);
    return recalled->before;
}

static void host_propose(struct attestd_appraisal *a, const uint8_t *key, size_t key_len, const uint8_t *state, size_t len)
{
    struct job_piece *piece = a->piece;

    struct attestd_bytes before = host_recall(a, key, key_len);
    struct attestd_bytes after = attestd_arena_bytes(piece->arena, state, len);
    for (size_t i = 0; i < piece->proposed_count; i++)
        if (piece->proposed[i].plugin == a->plugin->name && attestd_bytes_are(piece->proposed[i].key, key, key_len)) {
            piece->proposed[i].after = after;
            return;
        }
    if (piece->proposed_count == JOB_MAX_STATES) {
        job_defect(piece, "proposes more than %d states", JOB_MAX_STATES);
        return;
    }
    piece->proposed[piece->proposed_count++] =
        (struct attestd_proposal){a->plugin->name, attestd_arena_bytes(piece->arena, key, key_len), before, after};
}

/* Delegation. */

/* What a run that answers MALFORMED recorded is forgotten. */
static void forget(struct job_piece *piece, struct job_frame *frame, size_t checks)
{
    for (size_t i = checks; i < piece->piece->checks.count; i++) {
        size_t index = registry_check_index(piece->job->engine, piece->piece->checks.items[i].check);
        piece->recorded[index / 64] &= ~((uint64_t)1 << (index % 64));
    }
    piece->piece->checks.count = checks;
    frame->claims = attestd_tree_new(piece->arena);
}

static int32_t run_delegate(struct attestd_appraisal *a, const struct attestd_plugin *plugin, struct job_frame *frame,
                            const struct attestd_part *parts, size_t part_count, struct attestd_bytes *field)
{
    struct job_piece *piece = a->piece;
    struct attestd_appraisal inner = {piece, plugin, frame, a->depth + 1};
    struct attestd_evidence evidence = {sizeof evidence, piece->piece->label, parts, part_count, piece->time};
    size_t outer_slots = piece->piece->slot_count, outer_checks = piece->piece->checks.count;

    int32_t answer = plugin->verify(attestd_host_table(), &evidence, &inner);
    if (answer == ATTESTD_MALFORMED)
        forget(piece, frame, outer_checks);
    if (piece->piece->slot_count > outer_slots)
        *field = piece->piece->slots[outer_slots].bytes;
    piece->piece->slot_count = outer_slots;
    return answer;
}

static int32_t host_delegate(struct attestd_appraisal *a, const char *type, const struct attestd_part *parts, size_t part_count,
                             struct attestd_bytes *field)
{
    struct job_piece *piece = a->piece;
    const struct attestd_plugin *plugin = attestd_engine_plugin(piece->job->engine, type);

    *field = (struct attestd_bytes){NULL, 0};
    if (a->depth >= JOB_MAX_DEPTH) {
        job_defect(piece, "%s delegates to %.32s below another delegation", a->plugin->name, type);
        return ATTESTD_DONE; /* the defect has failed the piece */
    }
    if (plugin == NULL) {
        piece->piece->malformed_code = "EVIDENCE_TYPE_UNKNOWN";
        piece->piece->malformed_part = "";
        piece->piece->malformed_detail =
            attestd_arena_format(piece->arena, "%s needs the plugin %.32s, which is not loaded", a->plugin->name, type);
        return ATTESTD_MALFORMED;
    }
    struct job_frame *frame = job_frame_of(piece, plugin);
    if (frame == NULL) {
        job_defect(piece, "%s delegates to more than %d plugins", a->plugin->name, JOB_MAX_FRAMES - 1);
        return ATTESTD_DONE;
    }
    return run_delegate(a, plugin, frame, parts, part_count, field);
}

/* Cryptography. */

static bool inside_evidence(const struct job_piece *piece, const void *bytes, size_t len)
{
    uintptr_t at = (uintptr_t)bytes;

    for (size_t i = 0; i < piece->request->part_count; i++) {
        struct attestd_bytes part = piece->request->parts[i].bytes;
        uintptr_t begin = (uintptr_t)part.data;
        if (at >= begin && at - begin <= part.len && len <= part.len - (at - begin))
            return true;
    }
    return false;
}

static bool remembered(const struct job_piece *piece, const struct job_signature *asked)
{
    for (size_t i = 0; i < piece->signature_count; i++) {
        const struct job_signature *known = &piece->signatures[i];
        if (known->algorithm == asked->algorithm && known->message == asked->message && known->message_len == asked->message_len &&
            memcmp(known->key, asked->key, 32) == 0 && attestd_bytes_equal(known->signature, asked->signature) &&
            (known->message != NULL || memcmp(known->digest, asked->digest, 32) == 0))
            return true;
    }
    return false;
}

bool attestd_appraisal_signature(struct attestd_appraisal *a, const struct attestd_key *key, int algorithm, const void *message,
                                 size_t message_len, const uint8_t *signature, size_t signature_len)
{
    struct job_piece *piece = a->piece;
    struct job_signature asked = {.algorithm = algorithm, .message_len = message_len, .signature = {signature, signature_len}};

    if (key == NULL)
        return false;
    memcpy(asked.key, attestd_key_digest(key), 32);
    if (inside_evidence(piece, message, message_len))
        asked.message = message;
    else
        attestd_sha256(message, message_len, asked.digest);
    if (!remembered(piece, &asked)) {
        if (!attestd_key_verify(key, algorithm, message, message_len, signature, signature_len))
            return false;
        if (piece->signature_count < JOB_MAX_SIGNATURES) {
            asked.signature = attestd_arena_bytes(piece->arena, signature, signature_len);
            piece->signatures[piece->signature_count++] = asked;
        }
    }
    piece->signature_good = true;
    return true;
}

static int32_t host_signature(struct attestd_appraisal *a, int32_t algorithm, const uint8_t *spki, size_t spki_len, const uint8_t *message,
                              size_t message_len, const uint8_t *signature, size_t signature_len)
{
    struct attestd_key *key = attestd_key_from_spki(spki, spki_len);

    if (key == NULL)
        return 0;
    bool good = attestd_appraisal_signature(a, key, algorithm, message, message_len, signature, signature_len);
    attestd_key_free(key);
    return good;
}

static void host_sha256(const uint8_t *bytes, size_t len, uint8_t digest[32])
{
    attestd_sha256(bytes, len, digest);
}

static void host_sha384(const uint8_t *bytes, size_t len, uint8_t digest[48])
{
    attestd_sha384(bytes, len, digest);
}

const struct attestd_host *attestd_host_table(void)
{
    static const struct attestd_host table = {
        .struct_size = sizeof table,
        .alloc = host_alloc,
        .malformed = host_malformed,
        .check = host_check,
        .mode = host_mode,
        .setting = host_setting,
        .claim_text = host_claim_text,
        .claim_bytes = host_claim_bytes,
        .claim_number = host_claim_number,
        .claim_flag = host_claim_flag,
        .binding_field = host_binding_field,
        .signed_bytes = host_signed_bytes,
        .need = host_need,
        .offer = host_offer,
        .accept = host_accept,
        .reject = host_reject,
        .anchor = host_anchor,
        .memo_get = host_memo_get,
        .memo_put = host_memo_put,
        .recall = host_recall,
        .propose = host_propose,
        .delegate = host_delegate,
        .signature = host_signature,
        .sha256 = host_sha256,
        .sha384 = host_sha384,
    };

    return &table;
}
