/* SPDX-License-Identifier: Apache-2.0 */
/* Policies and sets of policies: their life, what others ask them, and the compilation of files into a set. */
#include "policy/compiled.h"

#include "policy/embedded.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct attestd_policy *attestd_policy_retain(struct attestd_policy *policy)
{
    atomic_fetch_add(&policy->references, 1);
    return policy;
}

void attestd_policy_free(struct attestd_policy *policy)
{
    if (policy == NULL || atomic_fetch_sub(&policy->references, 1) != 1)
        return;
    for (size_t i = 0; i < policy->set_count; i++)
        attestd_reference_set_free(policy->sets[i]);
    attestd_text_free(&policy->canonical);
    attestd_arena_free(policy->arena);
}

const struct attestd_policy_view *attestd_policy_view(const struct attestd_policy *policy)
{
    return &policy->view;
}

const char *attestd_policy_name(const struct attestd_policy *policy)
{
    return policy->view.name;
}

int64_t attestd_policy_version(const struct attestd_policy *policy)
{
    return policy->view.version;
}

const uint8_t *attestd_policy_digest(const struct attestd_policy *policy)
{
    return policy->digest;
}

bool attestd_policy_allows_audience(const struct attestd_policy *policy, const char *audience)
{
    for (size_t i = 0; audience != NULL && i < policy->audience_count; i++) {
        if (strcmp(policy->audiences[i], audience) == 0)
            return true;
    }
    return false;
}

size_t attestd_policy_audiences(const struct attestd_policy *policy, const char *const **audiences)
{
    *audiences = policy->audiences;
    return policy->audience_count;
}

bool attestd_policy_issues_on(const struct attestd_policy *policy, enum attestd_verdict verdict)
{
    unsigned bit = verdict == ATTESTD_AFFIRMING ? 1u : verdict == ATTESTD_WARNING ? 2u : 0u;
    return (policy->issue_on & bit) != 0;
}

int64_t attestd_policy_token_ttl(const struct attestd_policy *policy)
{
    return policy->ttl;
}

bool attestd_policy_audience_optional(const struct attestd_policy *policy)
{
    return policy->audience_optional;
}

enum attestd_freshness_demand attestd_policy_freshness(const struct attestd_policy *policy)
{
    return policy->freshness;
}

const char *attestd_policy_subject(const struct attestd_policy *policy)
{
    return policy->subject;
}

size_t attestd_policy_test_count(const struct attestd_policy *policy)
{
    return policy->test_count;
}

void attestd_policy_expiring(const struct attestd_policy *policy, int64_t time, int64_t within,
                             void (*found)(void *context, const char *policy, const char *what, int64_t until, const char *owner,
                                           const char *reason),
                             void *context)
{
    int64_t last = within > INT64_MAX - time ? INT64_MAX - 1 : time + within;
    for (size_t i = 0; i < policy->mode_count; i++) {
        const struct policy_mode *mode = &policy->modes[i];
        if (mode->until <= last)
            found(context, policy->view.name, mode->check, mode->until, mode->owner, mode->reason);
    }
    for (size_t i = 0; i < policy->set_count; i++) {
        if (policy->sets[i]->expires <= last)
            found(context, policy->view.name, policy->sets[i]->name, policy->sets[i]->expires, policy->sets[i]->source, "reference set");
    }
    if (policy->valid_until <= last)
        found(context, policy->view.name, "the policy itself", policy->valid_until, NULL, "valid.until");
}

/* --- hardware-only --- */

static bool keeps_section(const struct attestd_settings *settings, const char *name)
{
    const json_t *properties = json_object_get(attestd_settings_definition(settings, "policy"), "properties");
    return json_object_get(properties, name) != NULL;
}

static bool keeps_check(const struct attestd_engine *engine, const char *id)
{
    const struct attestd_check *check = attestd_engine_check(engine, id);
    return check != NULL && !check->fixed;
}

/* The built-in text speaks of every kind of evidence; what no loaded plugin knows is left out. */
static struct attestd_node known_part(struct attestd_arena *arena, const struct attestd_node *map, const struct attestd_engine *engine,
                                      const struct attestd_settings *settings, bool checks)
{
    struct attestd_node part = *map;
    part.items = attestd_arena_array(arena, map->count, sizeof *part.items);
    part.count = 0;
    for (size_t i = 0; i < map->count; i++) {
        const struct attestd_node *item = &map->items[i];
        bool keep = checks ? keeps_check(engine, item->name) : keeps_section(settings, item->name);
        if (!keep)
            continue;
        part.items[part.count++] = !checks && strcmp(item->name, "checks") == 0 ? known_part(arena, item, engine, settings, true) : *item;
    }
    return part;
}

struct attestd_policy *attestd_policy_hardware_only(const struct attestd_engine *engine)
{
    struct attestd_policy_fault fault = {0};
    struct policy_compilation shared = {.engine = engine, .settings = attestd_settings_new(engine, &fault)};
    struct attestd_arena *arena = attestd_arena_new();
    const struct attestd_node *documents;
    struct attestd_policy *policy = NULL;
    size_t count;
    if (shared.settings != NULL && attestd_document_read(arena, attestd_hardware_only_yaml, strlen(attestd_hardware_only_yaml),
                                                         ATTESTD_POLICY_TEXT_MAX, &documents, &count, &fault)) {
        struct attestd_node part = known_part(arena, documents, engine, shared.settings, false);
        policy = policy_compile_document(&shared, &part, NULL, NULL, &fault);
    }
    if (policy == NULL) /* a plugin's schema does not fit the built-in text: nothing to go on with */
        fprintf(stderr, "hardware-only: %u:%u %s: %s\n", fault.line, fault.column, fault.code, fault.message);
    attestd_arena_free(arena);
    attestd_settings_free(shared.settings);
    return policy;
}

/* --- sets of policies --- */

struct attestd_policy_set {
    atomic_size_t references;
    struct attestd_policy **policies;
    size_t count;
    struct attestd_policy *hardware_only;
};

struct attestd_policy_set *attestd_policy_set_retain(struct attestd_policy_set *set)
{
    atomic_fetch_add(&set->references, 1);
    return set;
}

void attestd_policy_set_free(struct attestd_policy_set *set)
{
    if (set == NULL || atomic_fetch_sub(&set->references, 1) != 1)
        return;
    for (size_t i = 0; i < set->count; i++)
        attestd_policy_free(set->policies[i]);
    attestd_policy_free(set->hardware_only);
    free(set->policies);
    free(set);
}

size_t attestd_policy_set_count(const struct attestd_policy_set *set)
{
    return set->count;
}

struct attestd_policy *attestd_policy_set_at(const struct attestd_policy_set *set, size_t index)
{
    return index < set->count ? set->policies[index] : NULL;
}

struct attestd_policy *attestd_policy_set_find(const struct attestd_policy_set *set, const char *name)
{
    for (size_t i = 0; i < set->count; i++) {
        if (strcmp(set->policies[i]->view.name, name) == 0)
            return set->policies[i];
    }
    return strcmp(name, "hardware-only") == 0 ? set->hardware_only : NULL;
}

struct attestd_policy *attestd_policy_set_for_audience(const struct attestd_policy_set *set, const char *audience)
{
    struct attestd_policy *found = NULL;
    for (size_t i = 0; i < set->count; i++) {
        if (!attestd_policy_allows_audience(set->policies[i], audience))
            continue;
        if (found != NULL)
            return NULL;
        found = set->policies[i];
    }
    return found;
}

/* --- compilation of files --- */

/* A document, and the file it stands in. */
struct source {
    const struct attestd_policy_file *file;
    const struct attestd_node *node;
};

struct compilation {
    struct policy_compilation shared;
    struct attestd_arena *arena;
    struct source *sources; /* documents with `policy` */
    size_t source_count, source_size, set_size;
    struct attestd_policy_set *result;
    struct attestd_policy_fault *faults;
    size_t fault_size, fault_count;
};

static void report(struct compilation *compilation, const char *file, const struct attestd_policy_fault *fault)
{
    if (compilation->fault_count < compilation->fault_size) {
        struct attestd_policy_fault *slot = &compilation->faults[compilation->fault_count];
        *slot = *fault;
        snprintf(slot->file, sizeof slot->file, "%s", file);
    }
    compilation->fault_count++;
}

static void report_at(struct compilation *compilation, const char *file, const struct attestd_node *node, const char *code,
                      const char *message, const char *name)
{
    struct attestd_policy_fault fault = {0};
    attestd_policy_fault_set(&fault, node->line, node->column, code, "%s%s", message, name);
    report(compilation, file, &fault);
}

static void *room(struct attestd_arena *arena, void *array, size_t count, size_t *size, size_t element)
{
    void *larger;
    if (count < *size)
        return array;
    *size = *size == 0 ? 16 : *size * 2;
    larger = attestd_arena_array(arena, *size, element);
    if (count > 0)
        memcpy(larger, array, count * element);
    return larger;
}

static void take_set(struct compilation *compilation, const struct attestd_policy_file *file, const struct attestd_node *node,
                     struct attestd_reference_set *set)
{
    struct policy_compilation *shared = &compilation->shared;
    static const struct attestd_node start = {.line = 1, .column = 1};
    for (size_t i = 0; i < shared->set_count; i++) {
        if (strcmp(shared->sets[i]->name, set->name) != 0)
            continue;
        report_at(compilation, file->name, node == NULL ? &start : node, "POLICY_DUPLICATE_SET", "there is another reference set named ",
                  set->name);
        attestd_reference_set_free(set);
        return;
    }
    shared->sets =
        room(compilation->arena, shared->sets, shared->set_count, &compilation->set_size, sizeof(struct attestd_reference_set *));
    shared->sets[shared->set_count++] = set;
}

static void take_document(struct compilation *compilation, const struct attestd_policy_file *file, const struct attestd_node *node)
{
    const struct attestd_node *policy = attestd_node_find(node, "policy"), *set_name = attestd_node_find(node, "reference_set");
    struct attestd_policy_fault fault = {0};
    struct attestd_reference_set *set;
    if (policy != NULL && file->len > ATTESTD_POLICY_TEXT_MAX) {
        report_at(compilation, file->name, node, "POLICY_TOO_LARGE",
                  "a file with policies has 256 KiB at most; move its reference sets out", "");
        return;
    }
    if (policy != NULL) {
        compilation->sources =
            room(compilation->arena, compilation->sources, compilation->source_count, &compilation->source_size, sizeof(struct source));
        compilation->sources[compilation->source_count++] = (struct source){file, node};
        return;
    }
    if (set_name == NULL) {
        report_at(compilation, file->name, node, "POLICY_KIND",
                  "neither a policy nor a reference set: `policy` or `reference_set` is missing", "");
        return;
    }
    set = attestd_reference_set_read(compilation->shared.settings, node, &fault);
    if (set == NULL)
        report(compilation, file->name, &fault);
    else
        take_set(compilation, file, node, set);
}

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text), end_len = strlen(end);
    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

static void take_file(struct compilation *compilation, const struct attestd_policy_file *file)
{
    struct attestd_policy_fault fault = {0};
    const struct attestd_node *documents;
    size_t count;
    if (ends_with(file->name, ".jsonl")) {
        struct attestd_reference_set *set = NULL;
        if (file->len > ATTESTD_REFERENCE_SET_MAX)
            attestd_policy_fault_set(&fault, 0, 0, "POLICY_TOO_LARGE", "a reference set has 32 MiB at most");
        else
            set = attestd_reference_set_read_lines(compilation->shared.settings, file->text, file->len, &fault);
        if (set == NULL)
            report(compilation, file->name, &fault);
        else
            take_set(compilation, file, NULL, set);
        return;
    }
    if (!attestd_document_read(compilation->arena, file->text, file->len, ATTESTD_REFERENCE_SET_MAX, &documents, &count, &fault)) {
        report(compilation, file->name, &fault);
        return;
    }
    for (size_t i = 0; i < count; i++)
        take_document(compilation, file, &documents[i]);
}

static bool name_is_free(struct compilation *compilation, const struct source *source, const struct attestd_policy *policy)
{
    const char *name = policy->view.name;
    const struct attestd_node *at = attestd_node_find(source->node, "policy");
    if (strcmp(name, "hardware-only") == 0) {
        report_at(compilation, source->file->name, at, "POLICY_RESERVED_NAME", "this name belongs to the built-in policy ", name);
        return false;
    }
    for (size_t i = 0; i < compilation->result->count; i++) {
        if (strcmp(compilation->result->policies[i]->view.name, name) != 0)
            continue;
        report_at(compilation, source->file->name, at, "POLICY_DUPLICATE_POLICY", "there is another policy named ", name);
        return false;
    }
    return true;
}

static void compile_sources(struct compilation *compilation)
{
    compilation->result->policies = calloc(compilation->source_count + 1, sizeof(struct attestd_policy *));
    if (compilation->result->policies == NULL)
        abort();
    for (size_t i = 0; i < compilation->source_count; i++) {
        const struct source *source = &compilation->sources[i];
        struct attestd_policy_fault fault = {0};
        struct attestd_policy *policy = policy_compile_document(&compilation->shared, source->node, source->file->name, NULL, &fault);
        if (policy == NULL) {
            report(compilation, source->file->name, &fault);
            continue;
        }
        if (name_is_free(compilation, source, policy))
            compilation->result->policies[compilation->result->count++] = policy;
        else
            attestd_policy_free(policy);
    }
}

static void test_policies(struct compilation *compilation, struct attestd_engine *engine, struct attestd_anchor_set *anchors,
                          attestd_read_fixture *read_fixture, void *context)
{
    for (size_t i = 0; i < compilation->result->count; i++) {
        const struct attestd_policy *policy = compilation->result->policies[i];
        struct attestd_policy_fault fault = {0};
        if (!policy_run_tests(engine, anchors, policy, read_fixture, context, &fault))
            report(compilation, policy->file, &fault);
    }
}

struct attestd_policy_set *attestd_policy_compile(struct attestd_engine *engine, struct attestd_anchor_set *anchors,
                                                  const struct attestd_policy_file *files, size_t count, bool run_tests,
                                                  attestd_read_fixture *read_fixture, void *context, struct attestd_policy_fault *faults,
                                                  size_t fault_size, size_t *fault_count)
{
    struct compilation compilation = {
        .shared = {.engine = engine}, .arena = attestd_arena_new(), .faults = faults, .fault_size = fault_size};
    struct attestd_policy_fault fault = {0};
    compilation.result = calloc(1, sizeof *compilation.result);
    if (compilation.result == NULL)
        abort();
    atomic_init(&compilation.result->references, 1);
    compilation.shared.settings = attestd_settings_new(engine, &fault);
    compilation.result->hardware_only = compilation.shared.settings == NULL ? NULL : attestd_policy_hardware_only(engine);
    if (compilation.result->hardware_only == NULL)
        report(&compilation, "", &fault);
    for (size_t i = 0; compilation.fault_count == 0 && i < count; i++)
        take_file(&compilation, &files[i]);
    if (compilation.shared.settings != NULL)
        compile_sources(&compilation);
    if (compilation.fault_count == 0 && run_tests)
        test_policies(&compilation, engine, anchors, read_fixture, context);
    for (size_t i = 0; i < compilation.shared.set_count; i++)
        attestd_reference_set_free(compilation.shared.sets[i]);
    attestd_settings_free(compilation.shared.settings);
    attestd_arena_free(compilation.arena);
    *fault_count = compilation.fault_count;
    if (compilation.fault_count == 0)
        return compilation.result;
    attestd_policy_set_free(compilation.result);
    return NULL;
}
