/* SPDX-License-Identifier: Apache-2.0 */
/* What a policy demands, in words: for whoever has to answer for it. */
#include "core/encoding.h"
#include "core/value.h"
#include "policy/compiled.h"

#include <string.h>

struct explanation {
    const struct attestd_policy *policy;
    const struct attestd_engine *engine;
    struct attestd_arena *arena;
    struct attestd_text *out;
    int64_t time;
};

static void list_words(struct attestd_text *out, const char *const *words, size_t count, const char *between)
{
    for (size_t i = 0; i < count; i++)
        attestd_text_printf(out, "%s%s", i == 0 ? "" : between, words[i]);
}

static void explain_dates(struct explanation *e)
{
    char from[ATTESTD_TIME_SIZE], until[ATTESTD_TIME_SIZE];
    if (e->policy->valid_from != INT64_MIN) {
        attestd_time_format(e->policy->valid_from, from);
        attestd_text_printf(e->out, "  It is valid from %s.\n", from);
    }
    if (e->policy->valid_until != INT64_MAX) {
        attestd_time_format(e->policy->valid_until, until);
        attestd_text_printf(e->out, "  It is valid until %s.\n", until);
    }
}

static void explain_kind(struct explanation *e, const struct policy_required *required)
{
    if (required->at_least == required->at_most)
        attestd_text_printf(e->out, "  %s: %lld of ", required->kind, (long long)required->at_least);
    else
        attestd_text_printf(e->out, "  %s: %lld to %lld of ", required->kind, (long long)required->at_least, (long long)required->at_most);
    list_words(e->out, required->types, required->type_count, " or ");
    if (required->bound_to != NULL && strcmp(required->bound_to, "none") == 0)
        attestd_text_puts(e->out, ", which may stand unbound (then the verdict is at most warning)");
    else if (required->bound_to != NULL)
        attestd_text_printf(e->out, ", bound to %s", required->bound_to);
    attestd_text_puts(e->out, "\n");
}

static void explain_evidence(struct explanation *e)
{
    attestd_text_puts(e->out, "\nEvidence\n");
    if (!e->policy->requires_kinds)
        attestd_text_puts(e->out, "  Any kind, any number: there is no `require` section.\n");
    for (size_t i = 0; i < e->policy->required_count; i++)
        explain_kind(e, &e->policy->required[i]);
    if (e->policy->requires_kinds)
        attestd_text_puts(e->out, "  Other kinds fail require.unexpected.\n");
}

static void explain_binding(struct explanation *e)
{
    static const char *const freshness[] = {"a challenge of this verifier", "a challenge of this verifier or the relying party's own nonce",
                                            "nothing: old evidence is as good as new"};
    attestd_text_printf(e->out, "\nFreshness and binding\n  Freshness comes from %s.\n", freshness[e->policy->freshness]);
    if (e->policy->max_age >= 0)
        attestd_text_printf(e->out, "  A challenge may be %lld seconds old when the evidence arrives.\n", (long long)e->policy->max_age);
    attestd_text_puts(e->out, "  Layouts: ");
    if (e->policy->layout_count == 0)
        attestd_text_puts(e->out, "attestd-v1");
    list_words(e->out, e->policy->layouts, e->policy->layout_count, ", ");
    attestd_text_printf(e->out, ".\n  A bound key is %s.\n", e->policy->key_required ? "required" : "not required");
    if (e->policy->audience_optional)
        attestd_text_puts(e->out, "  The audience need not be bound.\n");
}

static void explain_comparisons(struct explanation *e)
{
    attestd_text_puts(e->out, "\nCompared with\n");
    if (e->policy->comparison_count == 0)
        attestd_text_puts(e->out, "  Nothing (NOTHING_COMPARED).\n");
    for (size_t i = 0; i < e->policy->comparison_count; i++) {
        const struct policy_comparison *comparison = &e->policy->comparisons[i];
        if (comparison->set != NULL)
            attestd_text_printf(e->out, "  %s: set %s, %zu entries\n", comparison->field, comparison->set_name, comparison->set->count);
        else
            attestd_text_printf(e->out, "  %s: %zu listed value%s\n", comparison->field, comparison->count,
                                comparison->count == 1 ? "" : "s");
    }
    for (size_t i = 0; i < e->policy->set_count; i++) {
        char expires[ATTESTD_TIME_SIZE];
        if (e->policy->sets[i]->expires == INT64_MAX)
            continue;
        attestd_time_format(e->policy->sets[i]->expires, expires);
        attestd_text_printf(e->out, "  Set %s expires %s.\n", e->policy->sets[i]->name, expires);
    }
}

static void explain_section(struct explanation *e, const char *type)
{
    const struct attestd_value *section = e->policy->view.setting(e->policy, type, NULL);
    if (section == NULL)
        return;
    attestd_text_printf(e->out, "\nSettings of %s\n", type);
    for (size_t i = 0; i < section->count; i++)
        attestd_text_printf(e->out, "  %s: %s\n", section->items[i].name, attestd_value_show(e->arena, &section->items[i]));
}

static bool concerns(const struct explanation *e, const struct attestd_check *check)
{
    const char *dot = strchr(check->id, '.');
    const char *type = attestd_arena_format(e->arena, "%.*s", (int)(dot - check->id), check->id);
    bool of_plugin = attestd_engine_plugin(e->engine, type) != NULL, wanted = !e->policy->requires_kinds;
    for (size_t i = 0; i < e->policy->required_count; i++) {
        for (size_t k = 0; k < e->policy->required[i].type_count; k++)
            wanted |= strcmp(e->policy->required[i].types[k], type) == 0;
    }
    return !of_plugin || wanted;
}

static void explain_check(struct explanation *e, const struct attestd_check *check)
{
    const struct policy_mode *rule;
    int32_t mode = policy_mode_of(e->policy, check, e->time, &rule);
    attestd_text_printf(e->out, "  %-8s %-28s %s", attestd_mode_name(mode), check->id, check->title);
    if (rule != NULL && rule->until != INT64_MAX) {
        char until[ATTESTD_TIME_SIZE];
        attestd_time_format(rule->until, until);
        attestd_text_printf(e->out, " (strict %s %s: %s, %s)", e->time < rule->until ? "from" : "since", until, rule->reason, rule->owner);
    }
    attestd_text_puts(e->out, "\n");
}

static void explain_checks(struct explanation *e)
{
    attestd_text_puts(e->out, "\nModes of the checks that are not fixed\n");
    for (size_t i = 0; i < attestd_engine_check_count(e->engine); i++) {
        const struct attestd_check *check = attestd_engine_check_at(e->engine, i);
        if (!check->fixed && concerns(e, check))
            explain_check(e, check);
    }
    if (e->policy->score_bound >= 0)
        attestd_text_printf(e->out,
                            "  Failed warn-mode checks cost 10 each unless `weights` says else; below %d of 100: contraindicated.\n",
                            e->policy->score_bound);
}

static void explain_token(struct explanation *e)
{
    attestd_text_puts(e->out, "\nTokens\n");
    if (e->policy->audience_count == 0) {
        attestd_text_puts(e->out, "  None: the policy lists no audience.\n");
        return;
    }
    attestd_text_puts(e->out, "  For ");
    list_words(e->out, e->policy->audiences, e->policy->audience_count, ", ");
    attestd_text_printf(e->out, "; on %s; valid %lld seconds; sub %s.\n",
                        e->policy->issue_on == 1   ? "affirming"
                        : e->policy->issue_on == 2 ? "warning"
                        : e->policy->issue_on == 3 ? "affirming or warning"
                                                   : "no verdict",
                        (long long)e->policy->ttl, e->policy->subject);
}

void attestd_policy_explain(const struct attestd_engine *engine, const struct attestd_policy *policy, int64_t time,
                            struct attestd_text *out)
{
    struct explanation e = {.policy = policy, .engine = engine, .arena = attestd_arena_new(), .out = out, .time = time};
    const struct attestd_value *description = attestd_value_find(policy->root, "description");
    attestd_text_printf(out, "%s, version %lld, sha256:%s\n", policy->view.name, (long long)policy->view.version,
                        attestd_arena_hex(e.arena, policy->digest, 32));
    if (description != NULL)
        attestd_text_printf(out, "  %s\n", (const char *)description->text.data);
    explain_dates(&e);
    explain_evidence(&e);
    explain_binding(&e);
    explain_comparisons(&e);
    for (size_t i = 0; i < attestd_engine_plugin_count(engine); i++)
        explain_section(&e, attestd_engine_plugin_at(engine, i)->name);
    explain_checks(&e);
    explain_token(&e);
    attestd_arena_free(e.arena);
}
