/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From verified pieces to a verdict: dates and audience, freshness, required kinds, bound data, comparisons with reference values; then the
 * mode of every check, the trustworthiness vector, the score and the verdict. Nothing here can make a failed check affirming.
 */
#include "policy/comparison.h"

#include "core/encoding.h"
#include "core/value.h"

#include <stdlib.h>
#include <string.h>

/* --- modes --- */

static int mode_compare(const void *key, const void *element)
{
    return strcmp(key, ((const struct policy_mode *)element)->check);
}

int32_t policy_mode_of(const struct attestd_policy *policy, const struct attestd_check *check, int64_t time,
                       const struct policy_mode **rule)
{
    const struct policy_mode *found = NULL;
    *rule = NULL;
    if (check->fixed)
        return ATTESTD_STRICT;
    if (policy->mode_count > 0)
        found = bsearch(check->id, policy->modes, policy->mode_count, sizeof *policy->modes, mode_compare);
    if (found == NULL)
        return policy->default_mode >= 0 ? policy->default_mode : check->default_mode;
    *rule = found;
    return time >= found->until ? ATTESTD_STRICT : found->mode;
}

static int32_t view_mode(const void *context, const struct attestd_check *check, int64_t time, const char **line)
{
    const struct attestd_policy *policy = context;
    const struct policy_mode *rule;
    int32_t mode = policy_mode_of(policy, check, time, &rule);
    if (line != NULL)
        *line = rule != NULL ? rule->line : check->fixed || policy->default_mode < 0 ? NULL : policy->default_line;
    return mode;
}

static const struct attestd_value *view_setting(const void *context, const char *type, const char *path)
{
    const struct attestd_policy *policy = context;
    for (size_t i = 0; i < policy->root->count; i++) {
        const struct attestd_value *section = &policy->root->items[i];
        if (strcmp(section->name, type) == 0)
            return path == NULL || path[0] == '\0' ? section : attestd_value_find(section, path);
    }
    return NULL;
}

/* --- checks of the policy itself --- */

static const char *joined(struct attestd_arena *arena, const char *list, const char *more)
{
    return list == NULL ? more : attestd_arena_format(arena, "%s, %s", list, more);
}

static void check_validity(struct decision *decision)
{
    const struct attestd_policy *policy = decision->policy;
    char from[ATTESTD_TIME_SIZE] = "", until[ATTESTD_TIME_SIZE] = "", now[ATTESTD_TIME_SIZE];
    const char *expected;
    if (policy->valid_from == INT64_MIN && policy->valid_until == INT64_MAX)
        return;
    attestd_time_format(decision->time, now);
    if (policy->valid_from != INT64_MIN)
        attestd_time_format(policy->valid_from, from);
    if (policy->valid_until != INT64_MAX)
        attestd_time_format(policy->valid_until, until);
    expected =
        attestd_arena_format(decision->arena, "%s to %s", from[0] != '\0' ? from : "any time", until[0] != '\0' ? until : "any time");
    if (decision->time < policy->valid_from)
        attestd_job_check(decision->job, NULL, "policy.valid", ATTESTD_FAIL, "POLICY_NOT_YET_VALID", now, expected);
    else if (decision->time >= policy->valid_until)
        attestd_job_check(decision->job, NULL, "policy.valid", ATTESTD_FAIL, "POLICY_EXPIRED", now, expected);
    else
        attestd_job_check(decision->job, NULL, "policy.valid", ATTESTD_PASS, NULL, now, expected);
    decision_ends(decision, policy->valid_until);
}

static void check_audience(struct decision *decision)
{
    const char *audience = decision->request->audience;
    if (audience == NULL || decision->policy->audience_count == 0)
        return;
    if (attestd_policy_allows_audience(decision->policy, audience))
        attestd_job_check(decision->job, NULL, "policy.audience", ATTESTD_PASS, NULL, audience, NULL);
    else
        attestd_job_check(decision->job, NULL, "policy.audience", ATTESTD_FAIL, "POLICY_AUDIENCE_NOT_LISTED", audience,
                          "one of the policy's token.audiences");
}

static void check_freshness_source(struct decision *decision)
{
    static const char *const observed[] = {"no nonce", "a challenge of this verifier", "the relying party's nonce"};
    static const char *const demanded[] = {"a challenge of this verifier", "a challenge or the relying party's nonce", "nothing"};
    enum attestd_freshness source = decision->request->freshness;
    enum attestd_freshness_demand demand = decision->policy->freshness;
    const char *code = NULL;
    if (decision->request->no_binding) {
        attestd_job_check(decision->job, NULL, "freshness.source", ATTESTD_SKIPPED, NULL, "no nonce was given", demanded[demand]);
        return;
    }
    if (demand == ATTESTD_DEMAND_CHALLENGE && source != ATTESTD_FRESH_CHALLENGE)
        code = "FRESHNESS_CHALLENGE_REQUIRED";
    else if (demand == ATTESTD_DEMAND_EXTERNAL && source == ATTESTD_FRESH_NONE)
        code = "FRESHNESS_NONCE_REQUIRED";
    attestd_job_check(decision->job, NULL, "freshness.source", code == NULL ? ATTESTD_PASS : ATTESTD_FAIL, code, observed[source],
                      demanded[demand]);
}

static void check_freshness_age(struct decision *decision)
{
    int64_t age = decision->request->nonce_age, most = decision->policy->max_age;
    const char *observed = attestd_arena_format(decision->arena, "%lld s", (long long)age),
               *expected = attestd_arena_format(decision->arena, "at most %lld s", (long long)most);
    if (most < 0)
        return;
    if (decision->request->no_binding)
        attestd_job_check(decision->job, NULL, "freshness.age", ATTESTD_SKIPPED, NULL, "no nonce was given", expected);
    else if (age < 0)
        attestd_job_check(decision->job, NULL, "freshness.age", ATTESTD_FAIL, "NONCE_AGE_UNKNOWN", "unknown", expected);
    else if (age > most)
        attestd_job_check(decision->job, NULL, "freshness.age", ATTESTD_FAIL, "NONCE_TOO_OLD", observed, expected);
    else
        attestd_job_check(decision->job, NULL, "freshness.age", ATTESTD_PASS, NULL, observed, expected);
}

static bool allows_layout(const struct attestd_policy *policy, const char *layout)
{
    if (policy->layout_count == 0)
        return strcmp(layout, "attestd-v1") == 0;
    for (size_t i = 0; i < policy->layout_count; i++) {
        if (strcmp(policy->layouts[i], layout) == 0)
            return true;
    }
    return false;
}

/* Core has recorded whether the layout can bind what the request carries; here only whether the policy takes it. */
static void check_layout(struct decision *decision)
{
    const struct attestd_request *request = decision->request;
    const char *allowed = "attestd-v1";
    if (request->no_binding || request->expected_field.len > 0 || request->layout == NULL ||
        allows_layout(decision->policy, request->layout))
        return;
    for (size_t i = 0; i < decision->policy->layout_count; i++)
        allowed = joined(decision->arena, i == 0 ? NULL : allowed, decision->policy->layouts[i]);
    attestd_job_check(decision->job, NULL, "binding.layout", ATTESTD_FAIL, "BINDING_LAYOUT_NOT_ALLOWED", request->layout, allowed);
}

static void check_key(struct decision *decision)
{
    if (!decision->policy->key_required)
        return;
    if (decision->request->no_binding)
        attestd_job_check(decision->job, NULL, "binding.key", ATTESTD_SKIPPED, NULL, "nothing is bound", "a key");
    else if (decision->request->key == NULL)
        attestd_job_check(decision->job, NULL, "binding.key", ATTESTD_FAIL, "BINDING_KEY_MISSING", "no key", "a key");
    else
        attestd_job_check(decision->job, NULL, "binding.key", ATTESTD_PASS, NULL,
                          attestd_arena_hex(decision->arena, decision->request->key->thumbprint, 32), NULL);
}

/* --- required kinds --- */

static bool is_of_kind(const struct attestd_piece *piece, const struct policy_required *required)
{
    for (size_t i = 0; i < required->type_count; i++) {
        if (strcmp(required->types[i], piece->type) == 0)
            return true;
    }
    return false;
}

static int64_t count_of_kind(const struct decision *decision, const struct policy_required *required)
{
    int64_t count = 0;
    for (size_t i = 0; i < decision->result->piece_count; i++)
        count += is_of_kind(&decision->result->pieces[i], required);
    return count;
}

static const struct policy_required *kind_named(const struct attestd_policy *policy, const char *kind)
{
    for (size_t i = 0; i < policy->required_count; i++) {
        if (strcmp(policy->required[i].kind, kind) == 0)
            return &policy->required[i];
    }
    return NULL;
}

/* Are the pieces of this kind bound by another kind than the policy says? */
static bool bound_by_another(const struct decision *decision, const struct policy_required *required)
{
    const struct policy_required *by = required->bound_to == NULL ? NULL : kind_named(decision->policy, required->bound_to);
    return by != NULL && decision->binder != NULL && !is_of_kind(decision->binder, by);
}

static void check_kinds(struct decision *decision)
{
    struct attestd_arena *arena = decision->arena;
    const char *missing = NULL, *counts = NULL, *wanted = NULL, *wanted_counts = NULL;
    for (size_t i = 0; i < decision->policy->required_count; i++) {
        const struct policy_required *required = &decision->policy->required[i];
        int64_t count = count_of_kind(decision, required);
        const char *range = required->at_least == required->at_most
                                ? attestd_arena_format(arena, "%lld %s", (long long)required->at_least, required->kind)
                                : attestd_arena_format(arena, "%lld to %lld %s", (long long)required->at_least,
                                                       (long long)required->at_most, required->kind);
        wanted = joined(arena, wanted, required->kind);
        wanted_counts = joined(arena, wanted_counts, range);
        if (count == 0 && required->at_least > 0)
            missing = joined(arena, missing, attestd_arena_format(arena, "no %s", required->kind));
        else if (count > 0 && bound_by_another(decision, required))
            missing = joined(arena, missing, attestd_arena_format(arena, "no %s that binds %s", required->bound_to, required->kind));
        else if (count < required->at_least || count > required->at_most)
            counts = joined(arena, counts, attestd_arena_format(arena, "%lld %s", (long long)count, required->kind));
    }
    attestd_job_check(decision->job, NULL, "require.missing", missing == NULL ? ATTESTD_PASS : ATTESTD_FAIL,
                      missing == NULL ? NULL : "REQUIRED_EVIDENCE_MISSING", missing, wanted);
    attestd_job_check(decision->job, NULL, "require.count", counts == NULL ? ATTESTD_PASS : ATTESTD_FAIL,
                      counts == NULL ? NULL : "REQUIRED_COUNT_MISMATCH", counts, wanted_counts);
}

static void check_unexpected(struct decision *decision)
{
    const char *extra = NULL;
    for (size_t i = 0; i < decision->result->piece_count; i++) {
        const struct attestd_piece *piece = &decision->result->pieces[i];
        bool wanted = false;
        for (size_t k = 0; k < decision->policy->required_count; k++)
            wanted |= is_of_kind(piece, &decision->policy->required[k]);
        if (!wanted)
            extra = joined(decision->arena, extra, attestd_arena_format(decision->arena, "%s (%s)", piece->label, piece->type));
    }
    attestd_job_check(decision->job, NULL, "require.unexpected", extra == NULL ? ATTESTD_PASS : ATTESTD_FAIL,
                      extra == NULL ? NULL : "EVIDENCE_NOT_ASKED_FOR", extra, NULL);
}

/* The piece that binds all others, as core found it; NULL when it found none (binding.binder fails then). */
static struct attestd_piece *find_binder(const struct attestd_result *result)
{
    for (size_t i = 0; result->binder != NULL && i < result->piece_count; i++) {
        if (strcmp(result->pieces[i].label, result->binder) == 0)
            return &result->pieces[i];
    }
    return NULL;
}

/* --- was anything compared? --- */

static bool plugin_compared(const struct decision *decision, const struct attestd_piece *piece)
{
    for (size_t i = 0; i < piece->checks.count; i++) {
        const struct attestd_check_result *item = &piece->checks.items[i];
        const struct policy_mode *rule;
        if (item->outcome != ATTESTD_PASS && item->outcome != ATTESTD_FAIL)
            continue;
        for (size_t k = 0; k < decision->policy->comparer_count; k++) {
            if (item->check == decision->policy->comparers[k] &&
                policy_mode_of(decision->policy, item->check, decision->time, &rule) != ATTESTD_DISABLED)
                return true;
        }
    }
    return false;
}

static void check_reference_values(struct decision *decision, struct attestd_piece *piece, bool compared)
{
    if (!piece->authentic)
        attestd_job_check(decision->job, piece, "policy.reference_values", ATTESTD_SKIPPED, NULL, NULL, NULL);
    else if (compared || plugin_compared(decision, piece))
        attestd_job_check(decision->job, piece, "policy.reference_values", ATTESTD_PASS, NULL, NULL, NULL);
    else
        attestd_job_check(decision->job, piece, "policy.reference_values", ATTESTD_FAIL, "NOTHING_COMPARED", "no reference value",
                          "a measurement that the policy lists");
}

/* --- verdict --- */

struct tally {
    bool failed, unavailable, warned;
    int64_t cost;
    int8_t worst[ATTESTD_TRUST_CLAIMS];
    bool withheld[ATTESTD_TRUST_CLAIMS]; /* something that speaks for the claim was not shown: no affirming value */
};

/* AR4SI, section 2.3.1: tier of a value: 0 none, 1 affirming, 2 warning, 3 contraindicated */
static int tier(int value)
{
    if (value >= -1 && value <= 1)
        return 0;
    if (value < 0)
        value = -value - 1;
    return value < 32 ? 1 : value < 96 ? 2 : 3;
}

static void take_value(struct tally *tally, int32_t claim, int8_t value)
{
    if (claim < 0 || claim >= ATTESTD_TRUST_CLAIMS)
        return;
    if (tier(value) == 0)
        return;
    if (tier(value) > tier(tally->worst[claim]) || (tier(value) == tier(tally->worst[claim]) && value > tally->worst[claim]))
        tally->worst[claim] = value;
}

static void withhold(struct tally *tally, int32_t claim)
{
    if (claim >= 0 && claim < ATTESTD_TRUST_CLAIMS)
        tally->withheld[claim] = true;
}

static int32_t cost_of(const struct attestd_policy *policy, const char *check)
{
    for (size_t i = 0; i < policy->weight_count; i++) {
        if (strcmp(policy->weights[i].check, check) == 0)
            return policy->weights[i].cost;
    }
    return 10;
}

static void judge_failed(struct decision *decision, const struct attestd_check_result *item, struct tally *tally)
{
    const struct attestd_check *check = item->check;
    if (item->mode == ATTESTD_WARN) {
        tally->warned = true;
        tally->cost += cost_of(decision->policy, check->id);
        take_value(tally, check->claim, check->warning);
        withhold(tally, check->claim);
        return;
    }
    if (item->outcome == ATTESTD_UNAVAILABLE)
        tally->unavailable = true;
    else
        tally->failed = true;
    take_value(tally, check->claim, check->contraindicated);
    withhold(tally, check->claim);
}

static bool may_stand_unbound(const struct decision *decision, const struct attestd_piece *piece)
{
    for (size_t i = 0; piece != NULL && i < decision->policy->required_count; i++) {
        const struct policy_required *required = &decision->policy->required[i];
        if (required->bound_to != NULL && strcmp(required->bound_to, "none") == 0 && is_of_kind(piece, required))
            return true;
    }
    return false;
}

static void judge_one(struct decision *decision, const struct attestd_piece *piece, struct attestd_check_result *item, struct tally *tally)
{
    const struct attestd_check *check = item->check;
    const struct policy_mode *rule;
    item->mode = policy_mode_of(decision->policy, check, decision->time, &rule);
    item->policy_line = NULL;
    view_mode(decision->policy, check, decision->time, &item->policy_line);
    if (item->mode == ATTESTD_STRICT && strcmp(check->id, "binding.unbound") == 0 && may_stand_unbound(decision, piece))
        item->mode = ATTESTD_WARN;
    if (rule != NULL && item->outcome != ATTESTD_PASS && item->mode != ATTESTD_STRICT)
        decision_ends(decision, rule->until);
    if (item->mode == ATTESTD_DISABLED)
        return;
    if (item->outcome == ATTESTD_PASS) {
        take_value(tally, check->claim, check->affirming);
    } else if (item->outcome == ATTESTD_SKIPPED) { /* never a pass */
        tally->warned = true;
        withhold(tally, check->claim);
    } else {
        judge_failed(decision, item, tally);
    }
}

static void judge(struct decision *decision, const struct attestd_piece *piece, struct attestd_check_list *list, struct tally *tally)
{
    for (size_t i = 0; i < list->count; i++)
        judge_one(decision, piece, &list->items[i], tally);
}

static enum attestd_verdict worse(enum attestd_verdict a, enum attestd_verdict b)
{
    return a > b ? a : b;
}

static enum attestd_verdict verdict_of(const struct tally *tally, bool authentic)
{
    if (tally->failed || tally->unavailable || !authentic)
        return ATTESTD_CONTRAINDICATED;
    return tally->warned ? ATTESTD_WARNING : ATTESTD_AFFIRMING;
}

static void fill_vector(struct attestd_piece *piece, const struct tally *own, const struct tally *across)
{
    for (size_t i = 0; i < ATTESTD_TRUST_CLAIMS; i++) {
        struct tally both = *own;
        take_value(&both, (int32_t)i, across->worst[i]);
        piece->vector[i] = both.worst[i];
        /* unverified claims affirm nothing; where cryptography failed, core writes 99 over all */
        if (tier(piece->vector[i]) == 1 && (own->withheld[i] || across->withheld[i] || !piece->authentic))
            piece->vector[i] = 0;
        if (tier(piece->vector[i]) == 3)
            piece->verdict = ATTESTD_CONTRAINDICATED;
        else if (tier(piece->vector[i]) == 2)
            piece->verdict = worse(piece->verdict, ATTESTD_WARNING);
    }
}

static void check_score(struct decision *decision, int64_t cost, struct tally *across)
{
    int32_t bound = decision->policy->score_bound;
    struct attestd_check_list *list = &decision->result->checks;
    bool low;
    decision->result->score = cost > 100 ? 0 : (int32_t)(100 - cost);
    if (bound < 0)
        return;
    low = decision->result->score < bound;
    attestd_job_check(decision->job, NULL, "policy.score", low ? ATTESTD_FAIL : ATTESTD_PASS, low ? "SCORE_TOO_LOW" : NULL,
                      attestd_arena_format(decision->arena, "%d", decision->result->score),
                      attestd_arena_format(decision->arena, "at least %d", bound));
    if (list->count > 0)
        judge_one(decision, NULL, &list->items[list->count - 1], across);
}

static void make_verdict(struct decision *decision)
{
    struct attestd_result *result = decision->result;
    struct tally across = {0}, *own = attestd_arena_array(decision->arena, result->piece_count, sizeof *own);
    int64_t cost;
    bool failed, unavailable;
    judge(decision, NULL, &result->checks, &across);
    cost = across.cost;
    for (size_t i = 0; i < result->piece_count; i++) {
        judge(decision, &result->pieces[i], &result->pieces[i].checks, &own[i]);
        cost += own[i].cost;
    }
    check_score(decision, cost, &across);
    failed = across.failed;
    unavailable = across.unavailable;
    result->verdict = result->piece_count == 0 ? ATTESTD_CONTRAINDICATED : verdict_of(&across, true);
    for (size_t i = 0; i < result->piece_count; i++) {
        struct attestd_piece *piece = &result->pieces[i];
        piece->verdict = worse(verdict_of(&own[i], piece->authentic), verdict_of(&across, true));
        fill_vector(piece, &own[i], &across);
        result->verdict = worse(result->verdict, piece->verdict);
        failed |= own[i].failed;
        unavailable |= own[i].unavailable;
    }
    result->unavailable = unavailable && !failed;
}

static void view_decide(const void *context, struct attestd_job *job, const struct attestd_request *request, struct attestd_result *result,
                        int64_t time)
{
    struct decision decision = {
        .policy = context, .job = job, .request = request, .result = result, .arena = attestd_job_arena(job), .time = time};
    decision.binder = find_binder(result);
    check_validity(&decision);
    check_audience(&decision);
    check_freshness_source(&decision);
    check_freshness_age(&decision);
    if (decision.policy->requires_kinds) {
        check_kinds(&decision);
        check_unexpected(&decision);
    }
    check_layout(&decision);
    check_key(&decision);
    for (size_t i = 0; i < result->piece_count; i++) {
        bool compared = policy_compare_piece(&decision, &result->pieces[i]);
        check_reference_values(&decision, &result->pieces[i], compared);
    }
    policy_compare_data(&decision);
    make_verdict(&decision);
}

void policy_make_view(struct attestd_policy *policy)
{
    policy->view.policy = policy;
    policy->view.digest = policy->digest;
    policy->view.setting = view_setting;
    policy->view.mode = view_mode;
    policy->view.decide = view_decide;
}
