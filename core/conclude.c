/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From finished pieces to a verdict. The policy view adds its checks; what they mean is computed here, so that no view can make a
 * failed check count for less than it does (docs/checks.md, how checks make a verdict).
 */
#include "core/checks.h"
#include "core/job.h"

#include <string.h>

/* Pieces. */

static void check_sources(struct job_piece *piece)
{
    const struct job_handle *enclosed = NULL;
    size_t ageing = 0;

    for (size_t i = 0; i < piece->handle_count; i++) {
        const struct job_handle *handle = piece->handles[i];
        if (!handle->accepted || handle->life != ATTESTD_AGEING)
            continue;
        ageing++;
        if (handle->candidate == NULL)
            enclosed = handle;
    }
    if (enclosed != NULL)
        job_append_check(piece->arena, &piece->piece->checks, &attestd_check_endorsements_source, ATTESTD_FAIL, "ENDORSEMENT_FROM_EVIDENCE",
                         attestd_arena_format(piece->arena, "%s from the evidence", enclosed->kind), "from cache, directory or vendor");
    else if (ageing > 0)
        job_append_check(piece->arena, &piece->piece->checks, &attestd_check_endorsements_source, ATTESTD_PASS, NULL, NULL, NULL);
}

/* Authentic: every fixed check that was recorded passed, and there was one. */
static void judge_authenticity(struct job_piece *piece)
{
    struct attestd_check_list *checks = &piece->piece->checks;
    size_t passed = 0, other = 0;

    for (size_t i = 0; i < checks->count; i++) {
        if (!checks->items[i].check->fixed)
            continue;
        passed += checks->items[i].outcome == ATTESTD_PASS;
        other += checks->items[i].outcome != ATTESTD_PASS;
    }
    if (passed + other == 0)
        job_append_check(piece->arena, checks, &attestd_check_plugin_record, ATTESTD_FAIL, "PLUGIN_NOTHING_CHECKED", "no fixed check",
                         "at least one");
    piece->piece->authentic = passed > 0 && other == 0;
}

/* Modes. */

static void set_mode(const struct attestd_job *job, struct attestd_check_result *item)
{
    const struct attestd_policy_view *view = job->view;
    const char *line = NULL;

    if (item->check->fixed) {
        item->mode = ATTESTD_STRICT;
        return;
    }
    bool asked = view != NULL && view->mode != NULL;
    item->mode = asked ? view->mode(view->policy, item->check, job->time, &line) : item->check->default_mode;
    item->policy_line = line;
}

static void set_modes(const struct attestd_job *job, struct attestd_check_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        set_mode(job, &list->items[i]);
}

/* What no view may do: a fixed check is strict, an unbound piece is never merely listed. */
static int32_t rightful_mode(const struct attestd_check_result *item)
{
    if (item->check->fixed || item->mode < ATTESTD_STRICT || item->mode > ATTESTD_DISABLED)
        return ATTESTD_STRICT;
    if (item->check == &attestd_check_binding_unbound && item->mode == ATTESTD_DISABLED)
        return ATTESTD_WARN;
    return item->mode;
}

/* Verdict and vector. */

static enum attestd_verdict worse_verdict(enum attestd_verdict a, enum attestd_verdict b)
{
    return a > b ? a : b;
}

static enum attestd_verdict floor_of(const struct attestd_check_result *item)
{
    if (item->outcome == ATTESTD_PASS || item->mode == ATTESTD_DISABLED)
        return ATTESTD_AFFIRMING;
    if (item->mode == ATTESTD_WARN)
        return item->outcome == ATTESTD_SKIPPED ? ATTESTD_AFFIRMING : ATTESTD_WARNING;
    return item->outcome == ATTESTD_SKIPPED ? ATTESTD_WARNING : ATTESTD_CONTRAINDICATED;
}

static enum attestd_verdict floor_of_list(const struct attestd_check_list *list)
{
    enum attestd_verdict floor = ATTESTD_AFFIRMING;

    for (size_t i = 0; i < list->count; i++)
        floor = worse_verdict(floor, floor_of(&list->items[i]));
    return floor;
}

/* Order of badness of AR4SI's tiers (section 2.3.2): affirming, none (nothing is known), warning, contraindicated. */
static int badness(int8_t value)
{
    if (value >= 96 || value < -96)
        return 3;
    if (value >= 32 || value <= -33)
        return 2;
    return value >= 2 || value <= -2 ? 0 : 1;
}

static void lower(int8_t *claim, int8_t value)
{
    if (badness(value) > badness(*claim) || (badness(value) == badness(*claim) && value > *claim))
        *claim = value;
}

/* The value a check gives its claim; false: it says nothing. One that was skipped takes away what others affirm. */
static bool speaks(const struct attestd_check_result *item, int8_t *value)
{
    const struct attestd_check *check = item->check;

    if (check->claim == ATTESTD_NO_CLAIM || item->mode == ATTESTD_DISABLED)
        return false;
    if (item->outcome == ATTESTD_SKIPPED)
        *value = 0;
    else if (item->outcome == ATTESTD_PASS)
        *value = check->affirming;
    else
        *value = item->mode == ATTESTD_WARN ? check->warning : check->contraindicated;
    return item->outcome != ATTESTD_PASS || check->affirming != 0;
}

/* Cryptographic validation failed (AR4SI value 99): nothing the piece says about itself holds. */
static bool broken(const struct attestd_check_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].outcome == ATTESTD_FAIL && list->items[i].check->fixed && list->items[i].check->contraindicated == 99)
            return true;
    return false;
}

static void make_vector(struct attestd_piece *piece)
{
    int8_t vector[ATTESTD_TRUST_CLAIMS] = {0};
    bool spoken[ATTESTD_TRUST_CLAIMS] = {false};

    for (size_t i = 0; i < piece->checks.count; i++) {
        const struct attestd_check_result *item = &piece->checks.items[i];
        int8_t value;
        if (!speaks(item, &value))
            continue;
        int8_t *claim = &vector[item->check->claim];
        if (!spoken[item->check->claim])
            *claim = value;
        else
            lower(claim, value);
        spoken[item->check->claim] = true;
    }
    for (size_t i = 0; i < ATTESTD_TRUST_CLAIMS; i++) {
        if (piece->vector[i] != 0) /* a view's word */
            lower(&vector[i], piece->vector[i]);
        if (!piece->authentic && badness(vector[i]) == 0)
            vector[i] = 0;
        if (broken(&piece->checks))
            vector[i] = 99;
    }
    memcpy(piece->vector, vector, sizeof piece->vector);
}

static void settle_modes(struct attestd_check_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        list->items[i].mode = rightful_mode(&list->items[i]);
}

static enum attestd_verdict lawful(enum attestd_verdict verdict)
{
    return verdict == ATTESTD_AFFIRMING || verdict == ATTESTD_WARNING ? verdict : ATTESTD_CONTRAINDICATED;
}

/* Strict checks over all lists: did one fail, is one unavailable? */
static void count_strict(const struct attestd_check_list *list, size_t *failed, size_t *unavailable)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].mode != ATTESTD_STRICT)
            continue;
        *failed += list->items[i].outcome == ATTESTD_FAIL;
        *unavailable += list->items[i].outcome == ATTESTD_UNAVAILABLE;
    }
}

static void judge(struct attestd_job *job, bool decided)
{
    struct attestd_result *result = &job->result;
    size_t failed = 0, unavailable = 0;

    settle_modes(&result->checks);
    enum attestd_verdict across = floor_of_list(&result->checks);
    if (job->request->no_binding)
        across = worse_verdict(across, ATTESTD_WARNING);
    if (!decided || result->piece_count == 0)
        across = ATTESTD_CONTRAINDICATED;
    enum attestd_verdict worst = worse_verdict(across, lawful(result->verdict));
    count_strict(&result->checks, &failed, &unavailable);
    for (size_t i = 0; i < result->piece_count; i++) {
        struct attestd_piece *piece = &result->pieces[i];
        settle_modes(&piece->checks);
        make_vector(piece);
        piece->verdict = worse_verdict(worse_verdict(lawful(piece->verdict), across), floor_of_list(&piece->checks));
        if (!piece->authentic)
            piece->verdict = ATTESTD_CONTRAINDICATED;
        worst = worse_verdict(worst, piece->verdict);
        count_strict(&piece->checks, &failed, &unavailable);
    }
    result->verdict = worst;
    result->unavailable = unavailable > 0 && failed == 0;
}

/* Endorsements and states. */

static struct attestd_endorsement_use *same_use(struct attestd_job *job, const struct job_handle *handle, const char *source)
{
    for (size_t i = 0; i < job->use_count; i++) {
        struct attestd_endorsement_use *use = &job->uses[i];
        if (memcmp(use->sha256, handle->sha256, 32) == 0 && strcmp(use->kind, handle->kind) == 0 && strcmp(use->key, handle->key) == 0 &&
            strcmp(use->source, source) == 0)
            return use;
    }
    return NULL;
}

static void add_use(struct attestd_job *job, const struct job_handle *handle, enum attestd_endorsement_state state)
{
    const struct job_candidate *candidate = handle->candidate;
    const char *source = candidate != NULL ? candidate->source : "evidence";
    struct attestd_endorsement_use *use = same_use(job, handle, source);

    if (use != NULL)
        return; /* accepted ones come first: what one piece accepts stands */
    use = &job->uses[job->use_count++];
    *use = (struct attestd_endorsement_use){
        .kind = handle->kind,
        .key = handle->key,
        .source = source,
        .bytes = handle->bytes,
        .fetched = candidate != NULL ? candidate->fetched : 0,
        .next_update = state == ATTESTD_ENDORSEMENT_ACCEPTED ? handle->next_update : 0,
        .number = state == ATTESTD_ENDORSEMENT_ACCEPTED ? handle->number : 0,
        .stale = candidate != NULL && candidate->stale,
        .state = state,
        .reject_code = handle->reject_code,
    };
    memcpy(use->sha256, handle->sha256, sizeof use->sha256);
}

/* Handles of a piece that were accepted, in the order in which its last run first saw them. */
static void add_accepted(struct attestd_job *job, const struct job_piece *piece)
{
    for (unsigned order = 1; order <= piece->shown; order++)
        for (size_t i = 0; i < piece->handle_count; i++)
            if (piece->handles[i]->order == order && piece->handles[i]->accepted)
                add_use(job, piece->handles[i], ATTESTD_ENDORSEMENT_ACCEPTED);
}

static void list_uses(struct attestd_job *job)
{
    size_t most = 0;

    for (size_t i = 0; i < job->piece_count; i++)
        most += job->pieces[i].handle_count;
    job->uses = attestd_arena_array(job->arena, most, sizeof *job->uses);
    job->use_count = 0;
    for (size_t i = 0; i < job->piece_count; i++)
        add_accepted(job, &job->pieces[i]);
    job->result.endorsements = job->uses;
    job->result.endorsement_count = job->use_count;
    for (size_t i = 0; i < job->piece_count; i++)
        for (size_t h = 0; h < job->pieces[i].handle_count; h++) {
            const struct job_handle *handle = job->pieces[i].handles[h];
            if (!handle->accepted)
                add_use(job, handle, handle->rejected ? ATTESTD_ENDORSEMENT_REJECTED : ATTESTD_ENDORSEMENT_UNDECIDED);
        }
}

static void list_proposals(struct attestd_job *job)
{
    size_t most = 0;

    for (size_t i = 0; i < job->piece_count; i++)
        most += job->pieces[i].proposed_count;
    job->proposals = attestd_arena_array(job->arena, most, sizeof *job->proposals);
    job->proposal_count = 0;
    if (job->result.verdict == ATTESTD_CONTRAINDICATED || job->result.unavailable)
        return;
    for (size_t i = 0; i < job->piece_count; i++)
        for (size_t p = 0; p < job->pieces[i].proposed_count; p++)
            job->proposals[job->proposal_count++] = job->pieces[i].proposed[p];
}

static void add_delegate(struct attestd_result *result, const struct attestd_plugin *plugin)
{
    for (size_t i = 0; i < result->delegate_count; i++)
        if (result->delegates[i] == plugin)
            return;
    if (result->delegate_count < sizeof result->delegates / sizeof result->delegates[0])
        result->delegates[result->delegate_count++] = plugin;
}

/* What a result says about its own making. */
static void describe(struct attestd_job *job)
{
    struct attestd_result *result = &job->result;
    const struct attestd_policy_view *view = job->view;

    result->time = job->time;
    result->freshness = job->request->freshness;
    result->score = 100;
    result->policy_name = view != NULL ? view->name : NULL;
    result->policy_version = view != NULL ? view->version : 0;
    if (view != NULL && view->digest != NULL)
        memcpy(result->policy_digest, view->digest, sizeof result->policy_digest);
    memcpy(result->anchors_digest, attestd_anchor_set_digest(job->anchors), sizeof result->anchors_digest);
    attestd_request_evidence_digest(job->request, result->evidence_digest);
    for (size_t i = 0; i < job->piece_count; i++) {
        result->simulated |= job->pieces[i].facts.simulated;
        for (size_t f = 1; f < job->pieces[i].frame_count; f++)
            add_delegate(result, job->pieces[i].frames[f].owner);
        if (job->pieces[i].not_after < result->not_after)
            result->not_after = job->pieces[i].not_after;
    }
}

/* Accepted lists age; one that policy let pass although it is over says nothing about when this result ends. */
static void limit_by_endorsements(struct attestd_result *result)
{
    for (size_t i = 0; i < result->endorsement_count; i++) {
        int64_t next = result->endorsements[i].next_update;
        if (next >= result->time && next != 0 && next < result->not_after)
            result->not_after = next;
    }
}

void job_conclude(struct attestd_job *job)
{
    struct attestd_result *result = &job->result;
    const struct attestd_policy_view *view = job->view;
    bool decided = view != NULL && view->decide != NULL;

    for (size_t i = 0; i < job->piece_count; i++) {
        check_sources(&job->pieces[i]);
        judge_authenticity(&job->pieces[i]);
    }
    describe(job);
    job_bind(job);
    set_modes(job, &result->checks);
    for (size_t i = 0; i < result->piece_count; i++) {
        set_modes(job, &result->pieces[i].checks);
        result->pieces[i].verdict = ATTESTD_AFFIRMING; /* of these two the worse stands */
    }
    list_uses(job);
    limit_by_endorsements(result);
    result->verdict = ATTESTD_AFFIRMING;
    if (decided) {
        uint64_t begun = job_nanoseconds();
        view->decide(view->policy, job, job->request, result, job->time);
        job->policy_ns = job_nanoseconds() - begun;
    }
    judge(job, decided);
    list_proposals(job);
}

void job_conclude_malformed(struct attestd_job *job)
{
    describe(job);
    list_uses(job);
    job->result.verdict = ATTESTD_CONTRAINDICATED;
}

/* What a policy view adds. */

static int severity(int outcome)
{
    static const int of[] = {[ATTESTD_PASS] = 0, [ATTESTD_FAIL] = 3, [ATTESTD_SKIPPED] = 1, [ATTESTD_UNAVAILABLE] = 2};

    return outcome >= ATTESTD_PASS && outcome <= ATTESTD_UNAVAILABLE ? of[outcome] : 3;
}

static const char *kept(struct attestd_job *job, const char *text)
{
    return text != NULL ? attestd_arena_text(job->arena, text) : NULL;
}

static bool about_freshness(const struct attestd_check *check)
{
    return strncmp(check->id, "binding.", 8) == 0 || strncmp(check->id, "freshness.", 10) == 0;
}

void attestd_job_record(struct attestd_job *job, struct attestd_piece *piece, const struct attestd_check *check, int outcome,
                        const char *code, const char *observed, const char *expected)
{
    struct attestd_check_list *list = piece != NULL ? &piece->checks : &job->result.checks;
    struct attestd_check_result *item = NULL;

    if (job->request->no_binding && about_freshness(check)) {
        outcome = ATTESTD_SKIPPED;
        code = NULL;
        observed = "no nonce was given";
    }
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].check == check)
            item = &list->items[i];
    if (item != NULL && severity(item->outcome) >= severity(outcome))
        return;
    struct attestd_check_list one = {0};
    struct attestd_check_result *made =
        job_append_check(job->arena, item != NULL ? &one : list, check, outcome, code, kept(job, observed), kept(job, expected));
    if (made->code != NULL && made->remedy == NULL)
        made->code = kept(job, code);
    set_mode(job, made);
    if (item != NULL)
        *item = *made;
}

void attestd_job_check(struct attestd_job *job, struct attestd_piece *piece, const char *check_id, int outcome, const char *code,
                       const char *observed, const char *expected)
{
    const struct attestd_check *check = attestd_engine_check(job->engine, check_id);

    if (check != NULL)
        attestd_job_record(job, piece, check, outcome, code, observed, expected);
    else
        attestd_job_record(job, piece, &attestd_check_plugin_record, ATTESTD_FAIL, "PLUGIN_DEFECT", check_id, "a check of the catalogue");
}
