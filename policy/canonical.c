/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The canonical form of a compiled policy: {"lines":{...},"policy":{...},"reference_sets":[...]} with names in bytewise order, values typed
 * and sets included. The digest covers what decides, `policy` and `reference_sets`; `lines` only says where in the operator's files it
 * stood, so that a result names them on replay too.
 */
#include "core/digest.h"
#include "policy/compiled.h"

#include <stdlib.h>
#include <string.h>

static int by_name(const void *a, const void *b)
{
    return strcmp((*(const struct attestd_value *const *)a)->name, (*(const struct attestd_value *const *)b)->name);
}

static void write_value(struct attestd_arena *arena, struct attestd_json_writer *writer, const struct attestd_value *value, bool top);

static void write_map(struct attestd_arena *arena, struct attestd_json_writer *writer, const struct attestd_value *map, bool top)
{
    const struct attestd_value **sorted = attestd_arena_array(arena, map->count, sizeof *sorted);
    for (size_t i = 0; i < map->count; i++)
        sorted[i] = &map->items[i];
    if (map->count > 1)
        qsort(sorted, map->count, sizeof *sorted, by_name);
    attestd_json_open_map(writer, top ? "policy" : map->name);
    for (size_t i = 0; i < map->count; i++) {
        /* tests guard the way in; they decide nothing */
        if (!top || strcmp(sorted[i]->name, "tests") != 0)
            write_value(arena, writer, sorted[i], false);
    }
    attestd_json_close_map(writer);
}

static void write_value(struct attestd_arena *arena, struct attestd_json_writer *writer, const struct attestd_value *value, bool top)
{
    if (value->kind == ATTESTD_VALUE_MAP) {
        write_map(arena, writer, value, top);
        return;
    }
    if (value->kind != ATTESTD_VALUE_LIST) {
        attestd_json_value(writer, value->name, value);
        return;
    }
    attestd_json_open_list(writer, value->name);
    for (size_t i = 0; i < value->count; i++)
        write_value(arena, writer, &value->items[i], false);
    attestd_json_close_list(writer);
}

/* `"policy":{...},"reference_sets":[...]` into an open map. */
static void write_decisive(struct attestd_json_writer *writer, const struct attestd_policy *policy)
{
    struct attestd_arena *scratch = attestd_arena_new();
    write_value(scratch, writer, policy->root, true);
    attestd_arena_free(scratch);
    attestd_json_open_list(writer, "reference_sets");
    for (size_t i = 0; i < policy->set_count; i++)
        attestd_reference_set_write(writer, policy->sets[i]);
    attestd_json_close_list(writer);
}

static void write_lines(struct attestd_json_writer *writer, const struct attestd_policy *policy)
{
    bool written = policy->default_line == NULL;
    attestd_json_open_map(writer, "lines");
    for (size_t i = 0; i < policy->mode_count; i++) { /* sorted by check; "defaults" takes its place among them */
        if (!written && strcmp(policy->modes[i].check, "defaults") > 0) {
            attestd_json_text(writer, "defaults", policy->default_line);
            written = true;
        }
        if (policy->modes[i].line != NULL)
            attestd_json_text(writer, policy->modes[i].check, policy->modes[i].line);
    }
    if (!written)
        attestd_json_text(writer, "defaults", policy->default_line);
    attestd_json_close_map(writer);
}

void policy_make_canonical(struct attestd_policy *policy)
{
    struct attestd_text decisive = {0};
    struct attestd_json_writer writer = attestd_json_writer_to(&decisive);
    attestd_json_open_map(&writer, NULL);
    write_decisive(&writer, policy);
    attestd_json_close_map(&writer);
    attestd_sha256(decisive.data, decisive.len, policy->digest);

    writer = attestd_json_writer_to(&policy->canonical);
    attestd_json_open_map(&writer, NULL);
    write_lines(&writer, policy);
    attestd_text_puts(&policy->canonical, ",");
    attestd_text_add(&policy->canonical, decisive.data + 1, decisive.len - 1);
    attestd_text_free(&decisive);
}

struct attestd_bytes attestd_policy_canonical(const struct attestd_policy *policy)
{
    return (struct attestd_bytes){(const uint8_t *)policy->canonical.data, policy->canonical.len};
}

/* --- and back --- */

static bool read_sets(struct policy_compilation *shared, struct attestd_arena *arena, const json_t *list,
                      struct attestd_policy_fault *fault)
{
    shared->sets = attestd_arena_array(arena, json_array_size(list), sizeof(struct attestd_reference_set *));
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct attestd_arena *scratch = attestd_arena_new();
        const struct attestd_node *node = attestd_node_from_json(scratch, json_array_get(list, i), 0, 0);
        struct attestd_reference_set *set = NULL;
        if (node->kind == ATTESTD_NODE_MAP)
            set = attestd_reference_set_read(shared->settings, node, fault);
        else
            attestd_policy_fault_set(fault, 0, 0, "POLICY_CANONICAL", "a reference set is no map");
        attestd_arena_free(scratch);
        if (set == NULL)
            return false;
        shared->sets[shared->set_count++] = set;
    }
    return true;
}

static struct attestd_policy *read_canonical(struct policy_compilation *shared, const json_t *json, struct attestd_policy_fault *fault)
{
    struct attestd_arena *arena = attestd_arena_new();
    const json_t *body = json_object_get(json, "policy");
    struct attestd_policy *policy = NULL;
    if (!json_is_object(body))
        attestd_policy_fault_set(fault, 0, 0, "POLICY_CANONICAL", "not the canonical form of a policy");
    else if (read_sets(shared, arena, json_object_get(json, "reference_sets"), fault))
        policy = policy_compile_document(shared, attestd_node_from_json(arena, body, 0, 0), NULL, json_object_get(json, "lines"), fault);
    for (size_t i = 0; i < shared->set_count; i++)
        attestd_reference_set_free(shared->sets[i]);
    attestd_arena_free(arena);
    return policy;
}

struct attestd_policy *attestd_policy_from_canonical(const struct attestd_engine *engine, const char *text, size_t len,
                                                     struct attestd_policy_fault *fault)
{
    struct policy_compilation shared = {.engine = engine};
    char error[200];
    json_t *json = attestd_json_read(text, len, 40, error, sizeof error);
    struct attestd_policy *policy = NULL;
    if (json == NULL) {
        attestd_policy_fault_set(fault, 0, 0, "POLICY_CANONICAL", "%s", error);
        return NULL;
    }
    shared.settings = attestd_settings_new(engine, fault);
    if (shared.settings != NULL)
        policy = read_canonical(&shared, json, fault);
    attestd_settings_free(shared.settings);
    json_decref(json);
    return policy;
}
