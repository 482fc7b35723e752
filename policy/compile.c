/* SPDX-License-Identifier: Apache-2.0 */
/* One document to one compiled policy. The document is typed by the schema first; what follows here is what a schema cannot say. */
#include "policy/compiled.h"

#include "core/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RANK_OF_CHECKS 1000
#define MAX_KEYS 8 /* names of patternProperties on the way to a claim */

struct compiler {
    const struct policy_compilation *shared;
    struct attestd_policy *policy;
    const char *file;
    struct attestd_policy_fault *fault;
    size_t mode_size, comparison_size, comparer_size;
};

static bool fault_at(struct compiler *compiler, const struct attestd_node *node, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static bool fault_at(struct compiler *compiler, const struct attestd_node *node, const char *code, const char *format, ...)
{
    char message[sizeof compiler->fault->message];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    return attestd_policy_fault_set(compiler->fault, node->line, node->column, code, "%s", message);
}

/* Room for one element more in an array of the arena. */
static void *grown(struct attestd_arena *arena, void *array, size_t count, size_t *size, size_t element)
{
    void *larger;
    if (count < *size)
        return array;
    *size = *size == 0 ? 8 : *size * 2;
    larger = attestd_arena_array(arena, *size, element);
    if (count > 0)
        memcpy(larger, array, count * element);
    return larger;
}

static const char *text_in(struct compiler *compiler, const struct attestd_node *node)
{
    return attestd_arena_text(compiler->policy->arena, node->text);
}

/* The names of a list's items. */
static const char **texts_in(struct compiler *compiler, const struct attestd_node *list, size_t *count)
{
    const char **texts;
    *count = list == NULL ? 0 : list->count;
    texts = attestd_arena_array(compiler->policy->arena, *count + 1, sizeof *texts);
    for (size_t i = 0; i < *count; i++)
        texts[i] = text_in(compiler, &list->items[i]);
    return texts;
}

static const struct attestd_node *child(const struct attestd_node *document, const char *section, const char *name)
{
    return attestd_node_find(attestd_node_find(document, section), name);
}

static const struct attestd_value *number_at(const struct attestd_policy *policy, const char *path)
{
    const struct attestd_value *value = attestd_value_find(policy->root, path);
    return value != NULL && value->kind == ATTESTD_VALUE_NUMBER ? value : NULL;
}

static bool is_text(const struct attestd_node *node, const char *text)
{
    return node != NULL && node->kind == ATTESTD_NODE_TEXT && strcmp(node->text, text) == 0;
}

/* --- modes --- */

static int32_t mode_word(const char *text)
{
    return strcmp(text, "warn") == 0 ? ATTESTD_WARN : strcmp(text, "disabled") == 0 ? ATTESTD_DISABLED : ATTESTD_STRICT;
}

static bool is_mode_word(const struct attestd_node *node)
{
    return is_text(node, "strict") || is_text(node, "warn") || is_text(node, "disabled");
}

static const char *line_of(struct compiler *compiler, const struct attestd_node *node)
{
    if (compiler->file == NULL)
        return NULL;
    return attestd_arena_format(compiler->policy->arena, "%s:%u", compiler->file, node->line);
}

static void add_mode(struct compiler *compiler, const struct policy_mode *mode)
{
    struct attestd_policy *policy = compiler->policy;
    for (size_t i = 0; i < policy->mode_count; i++) {
        if (strcmp(policy->modes[i].check, mode->check) != 0)
            continue;
        if (mode->rank >= policy->modes[i].rank)
            policy->modes[i] = *mode;
        return;
    }
    policy->modes = grown(policy->arena, policy->modes, policy->mode_count, &compiler->mode_size, sizeof *policy->modes);
    policy->modes[policy->mode_count++] = *mode;
}

/* mode, until, reason, owner of a group or of an entry of `checks`. *found false: it sets no mode. */
static bool read_mode(struct compiler *compiler, const struct attestd_node *node, struct policy_mode *mode, bool *found)
{
    const struct attestd_node *word = node->kind == ATTESTD_NODE_MAP ? attestd_node_find(node, "mode") : node;
    const struct attestd_node *until = attestd_node_find(node, "until"), *reason = attestd_node_find(node, "reason"),
                              *owner = attestd_node_find(node, "owner");
    const struct attestd_node *any = until != NULL ? until : reason != NULL ? reason : owner;
    *found = word != NULL && is_mode_word(word);
    if (!*found)
        return any == NULL ||
               fault_at(compiler, any, "POLICY_EXCEPTION", "`%s` belongs to an exception; `mode` is missing beside it", any->name);
    *mode = (struct policy_mode){.mode = mode_word(word->text), .until = INT64_MAX, .line = line_of(compiler, word)};
    if (any == NULL)
        return true;
    if (mode->mode == ATTESTD_STRICT)
        return fault_at(compiler, any, "POLICY_EXCEPTION", "mode strict is no exception and takes no `%s`", any->name);
    if (until == NULL || reason == NULL || owner == NULL)
        return fault_at(compiler, any, "POLICY_EXCEPTION", "an exception has until, reason and owner, all three; `%s` is missing",
                        until == NULL    ? "until"
                        : reason == NULL ? "reason"
                                         : "owner");
    attestd_moment_parse(until->text, &mode->until); /* typed by the schema */
    mode->reason = text_in(compiler, reason);
    mode->owner = text_in(compiler, owner);
    return true;
}

static bool fixed_check(struct compiler *compiler, unsigned line, unsigned column, const char *id)
{
    return attestd_policy_fault_set(compiler->fault, line, column, "POLICY_FIXED_CHECK",
                                    "`%s` is a fixed check: it is always strict and has no weight; take it out", id);
}

/* The check that a key names; NULL and a fault. */
static const struct attestd_check *check_of_key(struct compiler *compiler, const struct attestd_node *item)
{
    const struct attestd_engine *engine = compiler->shared->engine;
    const struct attestd_check *check = attestd_engine_check(engine, item->name);
    struct attestd_nearest nearest = attestd_nearest_to(item->name);
    const char *near;
    if (check != NULL && check->fixed) {
        fixed_check(compiler, item->key_line, item->key_column, item->name);
        return NULL;
    }
    if (check != NULL)
        return check;
    for (size_t i = 0; i < attestd_engine_check_count(engine); i++)
        attestd_nearest_try(&nearest, attestd_engine_check_at(engine, i)->id);
    near = attestd_nearest_name(&nearest);
    attestd_policy_fault_set(compiler->fault, item->key_line, item->key_column, "POLICY_UNKNOWN_CHECK", "there is no check `%.80s`%s%s%s",
                             item->name, near != NULL ? "; did you mean `" : "", near != NULL ? near : "", near != NULL ? "`?" : "");
    return NULL;
}

/* Checks that hold up "at most warning": whoever could switch them off could make nothing look like something. */
static bool may_be_disabled(const char *id)
{
    return strcmp(id, "policy.reference_values") != 0 && strcmp(id, "binding.unbound") != 0;
}

static bool compile_checks(struct compiler *compiler, const struct attestd_node *checks)
{
    for (size_t i = 0; checks != NULL && i < checks->count; i++) {
        const struct attestd_check *check = check_of_key(compiler, &checks->items[i]);
        struct policy_mode mode;
        bool found;
        if (check == NULL || !read_mode(compiler, &checks->items[i], &mode, &found))
            return false;
        if (mode.mode == ATTESTD_DISABLED && !may_be_disabled(check->id))
            return fault_at(compiler, &checks->items[i], "POLICY_VALUE", "`%s` is strict or warn, never disabled", check->id);
        mode.check = check->id;
        mode.rank = RANK_OF_CHECKS;
        add_mode(compiler, &mode);
    }
    return true;
}

static bool compile_weights(struct compiler *compiler, const struct attestd_node *weights)
{
    struct attestd_policy *policy = compiler->policy;
    if (weights == NULL)
        return true;
    policy->weights = attestd_arena_array(policy->arena, weights->count, sizeof *policy->weights);
    for (size_t i = 0; i < weights->count; i++) {
        const struct attestd_check *check = check_of_key(compiler, &weights->items[i]);
        if (check == NULL)
            return false;
        policy->weights[policy->weight_count++] = (struct policy_weight){check->id, (int32_t)strtol(weights->items[i].text, NULL, 10)};
    }
    return true;
}

/* --- sections of plugins --- */

/* The mode of a group reaches all its checks that are not fixed; a group of fixed ones alone takes none. */
static bool group_mode(struct compiler *compiler, const struct attestd_node *node, const json_t *checks, unsigned depth)
{
    struct policy_mode mode;
    size_t reached = 0;
    bool found;
    if (!read_mode(compiler, node, &mode, &found))
        return false;
    if (!found)
        return true;
    mode.rank = depth;
    for (size_t i = 0; i < json_array_size(checks); i++) {
        const struct attestd_check *check = attestd_engine_check(compiler->shared->engine, json_string_value(json_array_get(checks, i)));
        if (check == NULL || check->fixed)
            continue;
        mode.check = check->id;
        add_mode(compiler, &mode);
        reached++;
    }
    return reached > 0 || fixed_check(compiler, node->line, node->column, node->name);
}

/* A claim path with each * replaced by the name that stood there. */
static const char *claim_path(struct compiler *compiler, const char *path, const char *const *keys, size_t key_count)
{
    const char *out = "";
    size_t key = 0;
    for (; *path != '\0'; path++) {
        if (*path == '*' && key < key_count)
            out = attestd_arena_format(compiler->policy->arena, "%s%s", out, keys[key++]);
        else
            out = attestd_arena_format(compiler->policy->arena, "%s%c", out, *path);
    }
    return out;
}

static void comparison_values(struct compiler *compiler, const struct attestd_node *list, struct policy_comparison *comparison)
{
    struct attestd_arena *arena = compiler->policy->arena;
    const char **values = attestd_arena_array(arena, list->count, sizeof *values);
    for (size_t i = 0; i < list->count; i++)
        values[i] = attestd_reference_text(arena, attestd_arena_text(arena, list->items[i].text));
    comparison->values = values;
    comparison->count = list->count;
}

/* A list of values, {allow: values} or {in: SET}. A map with a mode alone compares nothing. */
static bool add_comparison(struct compiler *compiler, const struct attestd_node *node, struct policy_comparison *comparison)
{
    struct attestd_policy *policy = compiler->policy;
    const struct attestd_node *set = attestd_node_find(node, "in"),
                              *list = node->kind == ATTESTD_NODE_LIST ? node : attestd_node_find(node, "allow");
    if (set != NULL && list != NULL)
        return fault_at(compiler, set, "POLICY_COMPARISON", "`in` and `allow` exclude each other");
    if (set == NULL && list == NULL)
        return true;
    if (list != NULL) {
        comparison_values(compiler, list, comparison);
    } else {
        comparison->set_name = text_in(compiler, set);
        comparison->line = set->line;
        comparison->column = set->column;
    }
    policy->comparisons =
        grown(policy->arena, policy->comparisons, policy->comparison_count, &compiler->comparison_size, sizeof *policy->comparisons);
    policy->comparisons[policy->comparison_count++] = *comparison;
    return true;
}

struct section_walk {
    const char *type;
    const char *keys[MAX_KEYS];
    size_t key_count;
};

static bool walk_claim(struct compiler *compiler, const struct section_walk *walk, const struct attestd_node *node, const json_t *schema,
                       unsigned depth)
{
    struct attestd_arena *arena = compiler->policy->arena;
    const char *id = json_string_value(json_object_get(schema, "x-attestd-check")),
               *path = json_string_value(json_object_get(schema, "x-attestd-claim"));
    struct policy_comparison comparison = {.type = walk->type};
    json_t *alone;
    bool ok;
    comparison.check = id == NULL ? NULL : attestd_engine_check(compiler->shared->engine, id);
    if (comparison.check == NULL)
        return fault_at(compiler, node, "POLICY_SCHEMA", "the schema of plugin %s names no known check for `%s`", walk->type, node->name);
    comparison.claim = claim_path(compiler, path, walk->keys, walk->key_count);
    comparison.field = attestd_arena_format(arena, "%s.%s", walk->type, comparison.claim);
    comparison.reference = comparison.check->claim == ATTESTD_EXECUTABLES && !json_is_false(json_object_get(schema, "x-attestd-reference"));
    alone = json_pack("[s]", id);
    ok = group_mode(compiler, node, alone, depth) && add_comparison(compiler, node, &comparison);
    json_decref(alone);
    return ok;
}

/* The map form of a schema that a map node was typed by. */
static const json_t *map_form(const json_t *schema, const json_t *root, const struct attestd_node *node)
{
    const json_t *choices = json_object_get(schema, "oneOf"), *best = NULL;
    size_t best_known = 0;
    if (choices == NULL)
        return schema;
    for (size_t i = 0; i < json_array_size(choices); i++) {
        const json_t *choice = attestd_schema_resolve(json_array_get(choices, i), root);
        size_t known = 0;
        if (choice == NULL || json_object_get(choice, "properties") == NULL)
            continue;
        for (size_t k = 0; k < node->count; k++)
            known += json_object_get(json_object_get(choice, "properties"), node->items[k].name) != NULL;
        if (best != NULL && known <= best_known)
            continue;
        best = choice;
        best_known = known;
    }
    return best;
}

static bool walk_section(struct compiler *compiler, struct section_walk *walk, const struct attestd_node *node, const json_t *schema,
                         unsigned depth)
{
    const json_t *root = attestd_settings_schema(compiler->shared->settings), *form;
    schema = attestd_schema_resolve(schema, root);
    if (schema == NULL)
        return true;
    if (json_object_get(schema, "x-attestd-claim") != NULL)
        return walk_claim(compiler, walk, node, schema, depth);
    if (json_object_get(schema, "x-attestd-checks") != NULL &&
        !group_mode(compiler, node, json_object_get(schema, "x-attestd-checks"), depth))
        return false;
    form = node->kind == ATTESTD_NODE_MAP ? map_form(schema, root, node) : NULL;
    for (size_t i = 0; form != NULL && i < node->count; i++) {
        const struct attestd_node *item = &node->items[i];
        bool by_pattern = json_object_get(json_object_get(form, "properties"), item->name) == NULL && walk->key_count < MAX_KEYS;
        const json_t *member = attestd_schema_member(form, item->name);
        bool ok;
        if (by_pattern)
            walk->keys[walk->key_count++] = attestd_arena_text(compiler->policy->arena, item->name);
        ok = member == NULL || walk_section(compiler, walk, item, member, depth + 1);
        walk->key_count -= by_pattern;
        if (!ok)
            return false;
    }
    return true;
}

/* Checks in which a plugin itself compares software with reference values (a GPU with its RIM). */
static void add_comparers(struct compiler *compiler, const json_t *section)
{
    const json_t *ids = json_object_get(section, "x-attestd-compares");
    struct attestd_policy *policy = compiler->policy;
    for (size_t i = 0; i < json_array_size(ids); i++) {
        const struct attestd_check *check = attestd_engine_check(compiler->shared->engine, json_string_value(json_array_get(ids, i)));
        if (check == NULL)
            continue;
        policy->comparers =
            grown(policy->arena, policy->comparers, policy->comparer_count, &compiler->comparer_size, sizeof *policy->comparers);
        policy->comparers[policy->comparer_count++] = check;
    }
}

static bool compile_sections(struct compiler *compiler, const struct attestd_node *document)
{
    const struct attestd_engine *engine = compiler->shared->engine;
    const json_t *properties = json_object_get(attestd_settings_definition(compiler->shared->settings, "policy"), "properties");
    for (size_t i = 0; i < attestd_engine_plugin_count(engine); i++) {
        const char *type = attestd_engine_plugin_at(engine, i)->name;
        const json_t *schema = json_object_get(properties, type);
        const struct attestd_node *section = attestd_node_find(document, type);
        struct section_walk walk = {.type = attestd_arena_text(compiler->policy->arena, type)};
        add_comparers(compiler, schema);
        if (section != NULL && !walk_section(compiler, &walk, section, schema, 1))
            return false;
    }
    return true;
}

/* --- core's own sections --- */

static bool compile_data(struct compiler *compiler, const struct attestd_node *data)
{
    for (size_t i = 0; data != NULL && i < data->count; i++) {
        const struct attestd_node *item = &data->items[i];
        struct policy_comparison comparison = {.claim = attestd_arena_text(compiler->policy->arena, item->name)};
        comparison.field = comparison.claim;
        comparison.check = attestd_engine_check(compiler->shared->engine, "binding.data");
        if (!add_comparison(compiler, item, &comparison))
            return false;
    }
    return true;
}

static bool known_types(struct compiler *compiler, const struct attestd_node *type)
{
    const struct attestd_engine *engine = compiler->shared->engine;
    struct attestd_nearest nearest = attestd_nearest_to(type->text);
    const char *near;
    if (attestd_engine_plugin(engine, type->text) != NULL)
        return true;
    for (size_t i = 0; i < attestd_engine_plugin_count(engine); i++)
        attestd_nearest_try(&nearest, attestd_engine_plugin_at(engine, i)->name);
    near = attestd_nearest_name(&nearest);
    return fault_at(compiler, type, "POLICY_UNKNOWN_TYPE", "no plugin for evidence of type `%.40s` is loaded%s%s%s", type->text,
                    near != NULL ? "; did you mean `" : "", near != NULL ? near : "", near != NULL ? "`?" : "");
}

static bool compile_count(struct compiler *compiler, const struct attestd_node *count, struct policy_required *required)
{
    const struct attestd_node *least = attestd_node_find(count, "at_least"), *most = attestd_node_find(count, "at_most");
    required->at_least = required->at_most = 1;
    if (count == NULL)
        return true;
    if (count->kind == ATTESTD_NODE_TEXT) {
        required->at_least = required->at_most = strtol(count->text, NULL, 10);
        return true;
    }
    required->at_least = least == NULL ? 1 : strtol(least->text, NULL, 10);
    required->at_most = most == NULL ? ATTESTD_MAX_PIECES : strtol(most->text, NULL, 10);
    if (required->at_least > required->at_most)
        return fault_at(compiler, count, "POLICY_VALUE", "at_least is more than at_most");
    return true;
}

static bool compile_kind(struct compiler *compiler, const struct attestd_node *item, struct policy_required *required)
{
    const struct attestd_node *type = attestd_node_find(item, "type"), *any_of = attestd_node_find(item, "any_of"),
                              *bound_to = attestd_node_find(item, "bound_to");
    if ((type == NULL) == (any_of == NULL))
        return fault_at(compiler, item, "POLICY_MISSING_KEY", "`%s` needs `type` or `any_of`, one of the two", item->name);
    required->kind = attestd_arena_text(compiler->policy->arena, item->name);
    required->bound_to = bound_to == NULL ? NULL : text_in(compiler, bound_to);
    if (type != NULL) {
        const char **one = attestd_arena_array(compiler->policy->arena, 1, sizeof *one);
        one[0] = text_in(compiler, type);
        required->types = one;
        required->type_count = 1;
        return known_types(compiler, type) && compile_count(compiler, attestd_node_find(item, "count"), required);
    }
    required->types = texts_in(compiler, any_of, &required->type_count);
    for (size_t i = 0; i < any_of->count; i++) {
        if (!known_types(compiler, &any_of->items[i]))
            return false;
    }
    return compile_count(compiler, attestd_node_find(item, "count"), required);
}

static bool compile_require(struct compiler *compiler, const struct attestd_node *require)
{
    struct attestd_policy *policy = compiler->policy;
    policy->requires_kinds = require != NULL;
    if (require == NULL)
        return true;
    policy->required = attestd_arena_array(policy->arena, require->count, sizeof *policy->required);
    for (size_t i = 0; i < require->count; i++) {
        const struct attestd_node *bound_to = attestd_node_find(&require->items[i], "bound_to");
        if (!compile_kind(compiler, &require->items[i], &policy->required[policy->required_count++]))
            return false;
        if (bound_to != NULL && !is_text(bound_to, "none") && attestd_node_find(require, bound_to->text) == NULL)
            return fault_at(compiler, bound_to, "POLICY_UNKNOWN_KIND", "`%s` is no kind of this require section, nor none", bound_to->text);
    }
    return true;
}

static void compile_dates(struct attestd_policy *policy)
{
    const struct attestd_value *from = number_at(policy, "valid.from"), *until = number_at(policy, "valid.until");
    policy->valid_from = from == NULL ? INT64_MIN : from->number;
    policy->valid_until = until == NULL ? INT64_MAX : until->number;
}

static void compile_freshness(struct attestd_policy *policy, const struct attestd_node *document)
{
    const struct attestd_node *challenge = child(document, "freshness", "challenge");
    const struct attestd_value *max_age = number_at(policy, "freshness.max_age");
    policy->freshness = is_text(challenge, "required") ? ATTESTD_DEMAND_CHALLENGE
                        : is_text(challenge, "none")   ? ATTESTD_DEMAND_NONE
                                                       : ATTESTD_DEMAND_EXTERNAL;
    policy->max_age = max_age == NULL ? -1 : max_age->number;
}

static bool compile_token(struct compiler *compiler, const struct attestd_node *document)
{
    struct attestd_policy *policy = compiler->policy;
    const struct attestd_value *ttl = number_at(policy, "token.ttl");
    const struct attestd_node *issue_on = child(document, "token", "issue_on"), *subject = child(document, "token", "subject"),
                              *key = child(document, "binding", "key");
    policy->audiences = texts_in(compiler, child(document, "token", "audiences"), &policy->audience_count);
    policy->issue_on = issue_on == NULL ? 1 : 0;
    for (size_t i = 0; issue_on != NULL && i < issue_on->count; i++)
        policy->issue_on |= is_text(&issue_on->items[i], "affirming") ? 1u : 2u;
    policy->ttl = ttl == NULL ? 300 : ttl->number;
    policy->subject =
        subject != NULL ? text_in(compiler, subject) : attestd_arena_format(policy->arena, "attestd:policy/%s", policy->view.name);
    policy->audience_optional = is_text(child(document, "binding", "audience"), "optional");
    policy->key_required = key != NULL ? is_text(key, "required") : policy->audience_count > 0;
    policy->layouts = texts_in(compiler, child(document, "binding", "layouts"), &policy->layout_count);
    if (policy->ttl < 10 || policy->ttl > 86400)
        return fault_at(compiler, child(document, "token", "ttl"), "POLICY_VALUE", "a token lives 10 seconds to 24 hours");
    return true;
}

static bool compile_defaults(struct compiler *compiler, const struct attestd_node *document)
{
    struct attestd_policy *policy = compiler->policy;
    const struct attestd_node *mode = child(document, "defaults", "mode"), *rules = attestd_node_find(document, "rules");
    const struct attestd_value *bound = number_at(policy, "score.contraindicated_below");
    policy->default_mode = mode == NULL ? -1 : mode_word(mode->text);
    policy->default_line = mode == NULL ? NULL : line_of(compiler, mode);
    policy->score_bound = bound == NULL ? -1 : (int32_t)bound->number;
    if (rules == NULL)
        return true;
    return attestd_policy_fault_set(compiler->fault, rules->key_line, rules->key_column, "POLICY_RULES_UNSUPPORTED",
                                    "`rules` cannot be evaluated by this version; a policy must not promise what is not checked");
}

static void compile_test(struct compiler *compiler, const struct attestd_node *item, struct policy_test *test)
{
    const struct attestd_node *at = attestd_node_find(item, "at");
    test->name = text_in(compiler, attestd_node_find(item, "name"));
    test->evidence = text_in(compiler, attestd_node_find(item, "evidence"));
    test->expect = text_in(compiler, attestd_node_find(item, "expect"));
    test->codes = texts_in(compiler, attestd_node_find(item, "codes"), &test->code_count);
    test->at_given = at != NULL && attestd_moment_parse(at->text, &test->at);
    test->line = item->line;
    test->column = item->column;
}

static void compile_tests(struct compiler *compiler, const struct attestd_node *tests)
{
    struct attestd_policy *policy = compiler->policy;
    if (tests == NULL)
        return;
    policy->tests = attestd_arena_array(policy->arena, tests->count, sizeof *policy->tests);
    for (size_t i = 0; i < tests->count; i++)
        compile_test(compiler, &tests->items[i], &policy->tests[policy->test_count++]);
}

/* --- sets --- */

static void keep_set(struct attestd_policy *policy, struct attestd_reference_set *set)
{
    for (size_t i = 0; i < policy->set_count; i++) {
        if (policy->sets[i] == set)
            return;
    }
    policy->sets[policy->set_count++] = attestd_reference_set_retain(set);
}

static bool bind_set(struct compiler *compiler, struct policy_comparison *comparison)
{
    const struct policy_compilation *shared = compiler->shared;
    struct attestd_nearest nearest = attestd_nearest_to(comparison->set_name);
    const char *near;
    for (size_t i = 0; i < shared->set_count; i++) {
        attestd_nearest_try(&nearest, shared->sets[i]->name);
        if (strcmp(shared->sets[i]->name, comparison->set_name) == 0)
            comparison->set = shared->sets[i];
    }
    if (comparison->set != NULL) {
        comparison->index = attestd_reference_set_index(comparison->set, comparison->field);
        keep_set(compiler->policy, comparison->set);
        return true;
    }
    near = attestd_nearest_name(&nearest);
    return attestd_policy_fault_set(compiler->fault, comparison->line, comparison->column, "POLICY_UNKNOWN_SET",
                                    "there is no reference set `%.80s`%s%s%s", comparison->set_name, near != NULL ? "; did you mean `" : "",
                                    near != NULL ? near : "", near != NULL ? "`?" : "");
}

static int by_set_name(const void *a, const void *b)
{
    return strcmp((*(struct attestd_reference_set *const *)a)->name, (*(struct attestd_reference_set *const *)b)->name);
}

static bool bind_sets(struct compiler *compiler)
{
    struct attestd_policy *policy = compiler->policy;
    policy->sets = attestd_arena_array(policy->arena, policy->comparison_count, sizeof(struct attestd_reference_set *));
    for (size_t i = 0; i < policy->comparison_count; i++) {
        if (policy->comparisons[i].set_name != NULL && !bind_set(compiler, &policy->comparisons[i]))
            return false;
    }
    if (policy->set_count > 1)
        qsort(policy->sets, policy->set_count, sizeof(struct attestd_reference_set *), by_set_name);
    return true;
}

/* --- the whole --- */

static int by_check(const void *a, const void *b)
{
    return strcmp(((const struct policy_mode *)a)->check, ((const struct policy_mode *)b)->check);
}

/* Lines of a canonical form: they are no part of the digest, but of every result. */
static void take_lines(struct attestd_policy *policy, const json_t *lines)
{
    const char *line = json_string_value(json_object_get(lines, "defaults"));
    if (line != NULL)
        policy->default_line = attestd_arena_text(policy->arena, line);
    for (size_t i = 0; i < policy->mode_count; i++) {
        line = json_string_value(json_object_get(lines, policy->modes[i].check));
        if (line != NULL)
            policy->modes[i].line = attestd_arena_text(policy->arena, line);
    }
}

static bool compile_all(struct compiler *compiler, const struct attestd_node *document)
{
    struct attestd_policy *policy = compiler->policy;
    const struct attestd_settings *settings = compiler->shared->settings;
    const struct attestd_value *version;
    policy->root = attestd_node_typed_within(policy->arena, document, attestd_settings_definition(settings, "policy"),
                                             attestd_settings_schema(settings), compiler->fault);
    if (policy->root == NULL)
        return false;
    version = number_at(policy, "version");
    policy->view.name = text_in(compiler, attestd_node_find(document, "policy"));
    policy->view.version = version == NULL ? 0 : version->number;
    compile_dates(policy);
    compile_freshness(policy, document);
    compile_tests(compiler, attestd_node_find(document, "tests"));
    return compile_defaults(compiler, document) && compile_token(compiler, document) &&
           compile_require(compiler, attestd_node_find(document, "require")) && compile_sections(compiler, document) &&
           compile_data(compiler, child(document, "binding", "data")) && compile_checks(compiler, attestd_node_find(document, "checks")) &&
           compile_weights(compiler, attestd_node_find(document, "weights")) && bind_sets(compiler);
}

struct attestd_policy *policy_compile_document(const struct policy_compilation *shared, const struct attestd_node *document,
                                               const char *file, const json_t *lines, struct attestd_policy_fault *fault)
{
    struct attestd_arena *arena = attestd_arena_new();
    struct attestd_policy *policy = attestd_arena_alloc(arena, sizeof *policy);
    struct compiler compiler = {.shared = shared, .policy = policy, .file = file, .fault = fault};
    policy->arena = arena;
    atomic_init(&policy->references, 1);
    policy->file = file == NULL ? NULL : attestd_arena_text(arena, file);
    *fault = (struct attestd_policy_fault){0};
    if (!compile_all(&compiler, document)) {
        attestd_policy_free(policy);
        return NULL;
    }
    if (policy->mode_count > 1)
        qsort(policy->modes, policy->mode_count, sizeof *policy->modes, by_check);
    if (lines != NULL)
        take_lines(policy, lines);
    policy_make_canonical(policy);
    policy_make_view(policy);
    return policy;
}
