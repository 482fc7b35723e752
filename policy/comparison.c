/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Claims and bound data against lists and reference sets.
 *
 * Values that the policy compares with the same set, within one piece, must be met by one entry: measurement of one release with image of
 * another is no match. Each value that stands nowhere in the set fails its own check; values that stand there, but in no entry together,
 * fail policy.reference_entry.
 */
#include "policy/comparison.h"

#include "core/encoding.h"
#include "core/value.h"

#include <string.h>

#define NEAREST_TRIES 64 /* entries looked at, a field, to name the nearest */

/* One comparison under way. */
struct finding {
    const struct policy_comparison *comparison;
    const char *observed; /* NULL: the claim or datum is not there */
    int outcome;
    const char *code, *expected;
    bool done;
};

void decision_ends(struct decision *decision, int64_t moment)
{
    if (moment < decision->result->not_after)
        decision->result->not_after = moment;
}

/* --- what is there --- */

static const char *datum(const struct decision *decision, const char *name)
{
    for (size_t i = 0; i < decision->request->data_count; i++) {
        const struct attestd_datum *item = &decision->request->data[i];
        if (strcmp(item->name, name) == 0)
            return attestd_arena_hex(decision->arena, item->value.data, item->value.len);
    }
    return NULL;
}

static const char *observe(const struct decision *decision, const struct attestd_piece *piece, const struct policy_comparison *comparison)
{
    if (comparison->type == NULL)
        return datum(decision, comparison->claim);
    return attestd_reference_claim(decision->arena, attestd_value_find(piece->claims, comparison->field));
}

/* Claims stand under the name of the plugin that made them: the piece's own, and those it delegated to. */
static const struct attestd_value *claims_of(const struct attestd_piece *piece, const char *type, size_t len)
{
    for (size_t i = 0; piece->claims != NULL && i < piece->claims->count; i++) {
        const char *name = piece->claims->items[i].name;
        if (strlen(name) == len && memcmp(name, type, len) == 0)
            return &piece->claims->items[i];
    }
    return NULL;
}

static bool section_applies(const struct attestd_piece *piece, const char *type)
{
    return strcmp(piece->type, type) == 0 || claims_of(piece, type, strlen(type)) != NULL;
}

static bool data_count(const struct decision *decision)
{
    return !decision->request->no_binding && decision->binder != NULL && decision->binder->authentic;
}

/* What is compared for a piece: its own claims; for the binder also the bound data. */
static struct findings collect(const struct decision *decision, const struct attestd_piece *piece)
{
    const struct attestd_policy *policy = decision->policy;
    struct findings findings = {.items = attestd_arena_array(decision->arena, policy->comparison_count, sizeof *findings.items)};
    for (size_t i = 0; i < policy->comparison_count; i++) {
        const struct policy_comparison *comparison = &policy->comparisons[i];
        bool own = comparison->type != NULL && section_applies(piece, comparison->type);
        bool bound = comparison->type == NULL && piece == decision->binder && data_count(decision);
        if (own || bound)
            findings.items[findings.count++] = (struct finding){.comparison = comparison, .observed = observe(decision, piece, comparison)};
    }
    return findings;
}

/* --- outcomes --- */

static void pass(struct finding *finding, const char *expected)
{
    finding->outcome = ATTESTD_PASS;
    finding->expected = expected;
    finding->done = true;
}

/* The catalogue's first reason of a comparing check is "not listed"; binding.data has a second, "missing". */
static void fail(struct finding *finding, const char *expected)
{
    const struct attestd_reason *reasons = finding->comparison->check->reasons;
    bool missing = finding->observed == NULL && finding->comparison->type == NULL && reasons[1].code != NULL;
    finding->outcome = ATTESTD_FAIL;
    finding->code = missing ? reasons[1].code : reasons[0].code;
    finding->expected = expected;
    finding->done = true;
}

static void compare_list(const struct decision *decision, struct finding *finding)
{
    const struct policy_comparison *comparison = finding->comparison;
    for (size_t i = 0; finding->observed != NULL && i < comparison->count; i++) {
        if (strcmp(comparison->values[i], finding->observed) == 0) {
            pass(finding, NULL);
            return;
        }
    }
    fail(finding, comparison->count == 1 ? comparison->values[0]
                                         : attestd_arena_format(decision->arena, "one of the %zu values of the policy", comparison->count));
}

/* --- sets --- */

/* The findings of one piece that name one set. */
struct group {
    struct attestd_reference_set *set;
    struct finding **members;
    size_t count;
};

static bool in_dates(const struct attestd_reference_entry *entry, int64_t time)
{
    return time >= entry->from && time < entry->until;
}

static const char *entry_name(const struct decision *decision, const struct attestd_reference_set *set, size_t index)
{
    if (set->entries[index].label != NULL)
        return set->entries[index].label;
    return attestd_arena_format(decision->arena, "number %zu", index + 1);
}

static const struct finding *member_for(const struct group *group, const char *field)
{
    for (size_t i = 0; i < group->count; i++) {
        if (strcmp(group->members[i]->comparison->field, field) == 0)
            return group->members[i];
    }
    return NULL;
}

/* The first field in which an entry and the piece differ; NULL when the entry matches. */
static const char *difference(const struct decision *decision, const struct attestd_piece *piece, const struct group *group,
                              const struct attestd_reference_entry *entry)
{
    for (size_t i = 0; i < group->count; i++) {
        const struct finding *member = group->members[i];
        const struct attestd_reference_field *field = attestd_reference_entry_field(entry, member->comparison->field);
        if (member->observed == NULL || !attestd_reference_field_has(field, member->observed))
            return member->comparison->field;
    }
    for (size_t i = 0; i < entry->field_count; i++) {
        const struct attestd_reference_field *field = &entry->fields[i];
        const char *claim, *dot = strchr(field->name, '.');
        bool own = dot != NULL && claims_of(piece, field->name, (size_t)(dot - field->name)) != NULL;
        if (!own || member_for(group, field->name) != NULL)
            continue;
        claim = attestd_reference_claim(decision->arena, attestd_value_find(piece->claims, field->name));
        if (claim == NULL || !attestd_reference_field_has(field, claim))
            return field->name;
    }
    return NULL;
}

/* The member whose value the fewest entries give, so that a value shared by half the set costs nothing: all chains are walked abreast
 * until one ends. NULL when a value is absent. */
static const struct finding *rarest(const struct decision *decision, const struct group *group)
{
    size_t *cursors = attestd_arena_array(decision->arena, group->count, sizeof *cursors);
    for (size_t i = 0; i < group->count; i++) {
        if (group->members[i]->observed == NULL)
            return NULL;
    }
    if (group->count == 1)
        return group->members[0];
    for (;;) {
        for (size_t i = 0; i < group->count; i++) {
            const struct finding *member = group->members[i];
            if (attestd_reference_index_next(member->comparison->index, member->observed, &cursors[i]) == SIZE_MAX)
                return member;
        }
    }
}

/* The entry that all members meet; SIZE_MAX when there is none. */
static size_t matching_entry(const struct decision *decision, const struct attestd_piece *piece, const struct group *group)
{
    const struct finding *by = rarest(decision, group);
    size_t cursor = 0, entry;
    if (by == NULL)
        return SIZE_MAX;
    while ((entry = attestd_reference_index_next(by->comparison->index, by->observed, &cursor)) != SIZE_MAX) {
        const struct attestd_reference_entry *candidate = &group->set->entries[entry];
        if (in_dates(candidate, decision->time) && difference(decision, piece, group, candidate) == NULL)
            return entry;
    }
    return SIZE_MAX;
}

struct nearest_entry {
    size_t entry, equal; /* entry SIZE_MAX: none has any of the values */
    bool dated_out;
};

static size_t equal_fields(const struct group *group, const struct attestd_reference_entry *entry)
{
    size_t equal = 0;
    for (size_t i = 0; i < group->count; i++) {
        const struct finding *member = group->members[i];
        equal += member->observed != NULL &&
                 attestd_reference_field_has(attestd_reference_entry_field(entry, member->comparison->field), member->observed);
    }
    return equal;
}

static struct nearest_entry nearest_entry(const struct decision *decision, const struct group *group)
{
    struct nearest_entry nearest = {.entry = SIZE_MAX};
    for (size_t i = 0; i < group->count; i++) {
        const struct finding *member = group->members[i];
        size_t cursor = 0, entry;
        for (size_t tries = 0; member->observed != NULL && tries < NEAREST_TRIES; tries++) {
            entry = attestd_reference_index_next(member->comparison->index, member->observed, &cursor);
            if (entry == SIZE_MAX)
                break;
            if (equal_fields(group, &group->set->entries[entry]) <= nearest.equal)
                continue;
            nearest = (struct nearest_entry){entry, equal_fields(group, &group->set->entries[entry]),
                                             !in_dates(&group->set->entries[entry], decision->time)};
        }
    }
    return nearest;
}

/* Does any entry in its dates give the member's value? */
static bool occurs(const struct decision *decision, const struct group *group, const struct finding *member)
{
    size_t cursor = 0, entry;
    if (member->observed == NULL)
        return false;
    while ((entry = attestd_reference_index_next(member->comparison->index, member->observed, &cursor)) != SIZE_MAX) {
        if (in_dates(&group->set->entries[entry], decision->time))
            return true;
    }
    return false;
}

static const char *describe_nearest(const struct decision *decision, const struct attestd_piece *piece, const struct group *group)
{
    const struct attestd_reference_set *set = group->set;
    struct nearest_entry nearest = nearest_entry(decision, group);
    const struct attestd_reference_entry *entry;
    const char *name, *field;
    char ended[ATTESTD_TIME_SIZE];
    if (nearest.entry == SIZE_MAX)
        return attestd_arena_format(decision->arena, "a value of %s (%zu entries); none has this one", set->name, set->count);
    entry = &set->entries[nearest.entry];
    name = entry_name(decision, set, nearest.entry);
    field = difference(decision, piece, group, entry);
    if (field != NULL)
        return attestd_arena_format(decision->arena, "one entry of %s for all; the nearest, %s, differs in %s", set->name, name, field);
    attestd_time_format(decision->time < entry->from ? entry->from : entry->until, ended);
    return attestd_arena_format(decision->arena, "an entry of %s in its dates; %s %s %s", set->name, name,
                                decision->time < entry->from ? "begins" : "ended", ended);
}

static void record_entry(struct decision *decision, struct attestd_piece *piece, const char *code, const char *observed,
                         const char *expected)
{
    for (size_t i = 0; i < piece->checks.count; i++) { /* one record a piece: the first failure stands */
        if (strcmp(piece->checks.items[i].check->id, "policy.reference_entry") == 0)
            return;
    }
    attestd_job_check(decision->job, piece, "policy.reference_entry", code == NULL ? ATTESTD_PASS : ATTESTD_FAIL, code, observed, expected);
}

static void compare_set(struct decision *decision, struct attestd_piece *piece, const struct group *group)
{
    size_t entry = matching_entry(decision, piece, group), occurring = 0;
    const char *nearest;
    char moment[ATTESTD_TIME_SIZE];
    if (decision->time >= group->set->expires) {
        attestd_time_format(group->set->expires, moment);
        record_entry(decision, piece, "REFERENCE_SET_EXPIRED",
                     attestd_arena_format(decision->arena, "%s expired %s", group->set->name, moment), "a set within its dates");
    } else {
        decision_ends(decision, group->set->expires);
    }
    if (entry != SIZE_MAX) {
        const char *name = attestd_arena_format(decision->arena, "%s: %s", group->set->name, entry_name(decision, group->set, entry));
        for (size_t i = 0; i < group->count; i++)
            pass(group->members[i], name);
        decision_ends(decision, group->set->entries[entry].until);
        return;
    }
    nearest = describe_nearest(decision, piece, group);
    for (size_t i = 0; i < group->count; i++) {
        if (!occurs(decision, group, group->members[i])) {
            fail(group->members[i], nearest);
            continue;
        }
        pass(group->members[i], group->set->name);
        occurring++;
    }
    if (occurring == group->count)
        record_entry(decision, piece, "REFERENCE_ENTRY_MISMATCH", "each value is in the set, but no entry has them together", nearest);
}

static void compare_sets(struct decision *decision, struct attestd_piece *piece, struct findings *findings)
{
    struct group group = {.members = attestd_arena_array(decision->arena, findings->count, sizeof(struct finding *))};
    for (size_t i = 0; i < findings->count; i++) {
        if (findings->items[i].done)
            continue;
        group.set = findings->items[i].comparison->set;
        group.count = 0;
        for (size_t k = i; k < findings->count; k++) {
            if (!findings->items[k].done && findings->items[k].comparison->set == group.set)
                group.members[group.count++] = &findings->items[k];
        }
        compare_set(decision, piece, &group);
    }
}

/* --- recording --- */

static int badness(int outcome)
{
    return outcome == ATTESTD_FAIL ? 2 : outcome == ATTESTD_SKIPPED ? 1 : 0;
}

/* Several comparisons may speak through one check: the worst stands for all. */
static void record_worst(struct decision *decision, struct attestd_piece *piece, const struct findings *findings, size_t first)
{
    const struct attestd_check *check = findings->items[first].comparison->check;
    const struct finding *worst = &findings->items[first];
    const char *observed;
    size_t together = 0;
    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->items[i];
        if (finding->comparison->check != check)
            continue;
        if (i < first)
            return; /* recorded with that one */
        together++;
        if (badness(finding->outcome) > badness(worst->outcome))
            worst = finding;
    }
    observed = worst->observed == NULL ? "absent" : worst->observed;
    if (together > 1 || worst->comparison->type == NULL)
        observed = attestd_arena_format(decision->arena, "%s: %s", worst->comparison->claim, observed);
    attestd_job_check(decision->job, piece, check->id, worst->outcome, worst->code, observed, worst->expected);
}

static bool counts(const struct decision *decision, const struct finding *finding)
{
    const struct policy_mode *rule;
    return finding->comparison->reference && finding->outcome != ATTESTD_SKIPPED &&
           policy_mode_of(decision->policy, finding->comparison->check, decision->time, &rule) != ATTESTD_DISABLED;
}

static void skip_all(struct findings *findings, const char *why)
{
    for (size_t i = 0; i < findings->count; i++) {
        findings->items[i].outcome = ATTESTD_SKIPPED;
        findings->items[i].observed = why;
        findings->items[i].done = true;
    }
}

static void compare_all(struct decision *decision, struct attestd_piece *piece, struct findings *findings)
{
    for (size_t i = 0; i < findings->count; i++) {
        if (findings->items[i].comparison->set == NULL)
            compare_list(decision, &findings->items[i]);
    }
    compare_sets(decision, piece, findings);
}

/* binding.data stands across pieces and speaks for all data: the binder's findings wait for it here. */
static struct findings data_findings(struct decision *decision)
{
    const struct attestd_policy *policy = decision->policy;
    struct findings data = {.items = attestd_arena_array(decision->arena, policy->comparison_count, sizeof *data.items)};
    for (size_t i = 0; i < policy->comparison_count; i++) {
        if (policy->comparisons[i].type == NULL)
            data.items[data.count++] = (struct finding){.comparison = &policy->comparisons[i]};
    }
    return data;
}

bool policy_compare_piece(struct decision *decision, struct attestd_piece *piece)
{
    struct findings findings = collect(decision, piece);
    bool compared = false;
    if (findings.count == 0)
        return false;
    if (piece->authentic)
        compare_all(decision, piece, &findings);
    else
        skip_all(&findings, "unverified");
    for (size_t i = 0; i < findings.count; i++) {
        const struct finding *finding = &findings.items[i];
        if (finding->comparison->type == NULL)
            continue;
        compared |= counts(decision, finding);
        record_worst(decision, piece, &findings, i);
    }
    if (piece == decision->binder)
        decision->binder_findings = findings;
    return compared;
}

void policy_compare_data(struct decision *decision)
{
    struct findings data = data_findings(decision);
    if (data.count == 0)
        return;
    if (!data_count(decision))
        skip_all(&data, decision->request->no_binding ? "nothing is bound" : "the binder is not verified");
    for (size_t i = 0, at = 0; i < decision->binder_findings.count; i++) {
        if (decision->binder_findings.items[i].comparison->type == NULL && at < data.count)
            data.items[at++] = decision->binder_findings.items[i];
    }
    record_worst(decision, NULL, &data, 0);
}
