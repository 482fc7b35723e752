/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/settings.h"

#include "policy/embedded.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCHEMA_DEPTH 32

struct attestd_settings {
    struct attestd_arena *arena;
    json_t *root;
    struct attestd_comparable *comparables;
    size_t count, size;
};

/* --- from a plugin's fragment to plain schema --- */

static json_t *rewrite(const json_t *schema, const char *plugin);

static json_t *reference_to(const char *name)
{
    return json_pack("{s:s+}", "$ref", "#/$defs/", name);
}

/* mode, until, reason and owner beside what the group has itself. */
static void add_meta(json_t *object)
{
    static const char *const meta[] = {"mode", "until", "reason", "owner"};
    json_t *properties = json_object_get(object, "properties");
    if (properties == NULL) {
        properties = json_object();
        json_object_set_new(object, "properties", properties);
    }
    for (size_t i = 0; i < sizeof meta / sizeof meta[0]; i++) {
        if (json_object_get(properties, meta[i]) == NULL)
            json_object_set_new(properties, meta[i], reference_to(meta[i]));
    }
}

static bool is_annotation(const char *name)
{
    return strncmp(name, "x-attestd-", 10) == 0 || strcmp(name, "description") == 0 || strcmp(name, "title") == 0;
}

/* Moves annotations from one schema to another. */
static void move_annotations(json_t *from, json_t *to)
{
    const char *name;
    json_t *value;
    void *next;
    json_object_foreach_safe(from, next, name, value)
    {
        if (!is_annotation(name))
            continue;
        json_object_set(to, name, value);
        json_object_del(from, name);
    }
}

/* The schema of one value that a claim is compared with: of the property itself, or of the list form among its choices. */
static json_t *value_schema(json_t *schema)
{
    json_t *choices = json_object_get(schema, "oneOf"), *items = json_object_get(schema, "items");
    for (size_t i = 0; items == NULL && i < json_array_size(choices); i++)
        items = json_object_get(json_array_get(choices, i), "items");
    if (items != NULL)
        return json_incref(items);
    if (json_object_get(schema, "type") != NULL || json_object_get(schema, "enum") != NULL || json_object_get(schema, "format") != NULL)
        return json_incref(schema);
    return json_pack("{s:[s,s,s]}", "type", "string", "integer", "boolean");
}

/* {in: SET}, {allow: [values]}, {mode: ...} or a bare list. */
static json_t *comparison_schema(json_t *schema)
{
    json_t *outer = json_object(), *list, *group = json_object();
    move_annotations(schema, outer);
    list = json_pack("{s:s,s:i,s:o}", "type", "array", "minItems", 1, "items", value_schema(schema));
    json_object_set_new(group, "type", json_string("object"));
    json_object_set_new(group, "properties", json_pack("{s:o,s:O}", "in", reference_to("set_name"), "allow", list));
    json_object_set_new(group, "additionalProperties", json_false());
    add_meta(group);
    json_object_set_new(outer, "oneOf", json_pack("[o,o]", list, group));
    json_decref(schema);
    return outer;
}

static bool is_object_schema(const json_t *schema)
{
    const char *type = json_string_value(json_object_get(schema, "type"));
    return (type != NULL && strcmp(type, "object") == 0) || json_object_get(schema, "properties") != NULL;
}

/* A group takes a bare mode word, and the four keys in each of its map forms. */
static json_t *group_schema(json_t *schema)
{
    json_t *choices = json_object_get(schema, "oneOf"), *outer = json_object(), *list = json_array();
    move_annotations(schema, outer);
    json_array_append_new(list, reference_to("mode"));
    if (choices == NULL) {
        if (is_object_schema(schema))
            add_meta(schema);
        json_array_append(list, schema);
    }
    for (size_t i = 0; i < json_array_size(choices); i++) {
        json_t *choice = json_array_get(choices, i);
        if (is_object_schema(choice))
            add_meta(choice);
        json_array_append(list, choice);
    }
    json_object_set_new(outer, "oneOf", list);
    json_decref(schema);
    return outer;
}

static json_t *rewrite_map(const json_t *map, const char *plugin)
{
    json_t *result = json_object(), *value;
    const char *name;
    json_object_foreach((json_t *)(uintptr_t)map, name, value) json_object_set_new(result, name, rewrite(value, plugin));
    return result;
}

static json_t *rewrite_list(const json_t *list, const char *plugin)
{
    json_t *result = json_array();
    for (size_t i = 0; i < json_array_size(list); i++)
        json_array_append_new(result, rewrite(json_array_get(list, i), plugin));
    return result;
}

/* $defs of the fragment become <plugin>.<name> in the whole. */
static json_t *rewrite_reference(const json_t *reference, const char *plugin)
{
    static const char prefix[] = "#/$defs/";
    const char *text = json_string_value(reference);
    if (text == NULL || strncmp(text, prefix, sizeof prefix - 1) != 0)
        return json_deep_copy(reference);
    return json_sprintf("%s%s.%s", prefix, plugin, text + sizeof prefix - 1);
}

static json_t *rewrite_member(const char *name, const json_t *value, const char *plugin)
{
    if (strcmp(name, "$ref") == 0)
        return rewrite_reference(value, plugin);
    if (strcmp(name, "properties") == 0 || strcmp(name, "patternProperties") == 0)
        return rewrite_map(value, plugin);
    if (strcmp(name, "oneOf") == 0 || strcmp(name, "anyOf") == 0)
        return rewrite_list(value, plugin);
    if (strcmp(name, "items") == 0 || strcmp(name, "additionalProperties") == 0)
        return rewrite(value, plugin);
    return json_deep_copy(value);
}

static json_t *rewrite(const json_t *schema, const char *plugin)
{
    json_t *result, *value;
    const char *name;
    if (!json_is_object(schema))
        return json_deep_copy(schema);
    result = json_object();
    json_object_foreach((json_t *)(uintptr_t)schema, name, value)
    {
        if (strcmp(name, "$defs") == 0 || strcmp(name, "$schema") == 0 || strcmp(name, "$id") == 0)
            continue;
        json_object_set_new(result, strcmp(name, "anyOf") == 0 ? "oneOf" : name, rewrite_member(name, value, plugin));
    }
    if (json_object_get(result, "x-attestd-claim") != NULL)
        return comparison_schema(result);
    if (json_object_get(result, "x-attestd-checks") != NULL)
        return group_schema(result);
    return result;
}

/* --- the whole --- */

static json_t *definitions(const struct attestd_settings *settings)
{
    return json_object_get(settings->root, "$defs");
}

static void add_comparable(struct attestd_settings *settings, const char *type, const char *path, const json_t *schema)
{
    const char *claim = json_string_value(json_object_get(schema, "x-attestd-claim")),
               *check = json_string_value(json_object_get(schema, "x-attestd-check"));
    if (claim == NULL || check == NULL)
        return;
    if (settings->count == settings->size) {
        size_t size = settings->size == 0 ? 32 : settings->size * 2;
        struct attestd_comparable *grown = attestd_arena_array(settings->arena, size, sizeof *grown);
        if (settings->count > 0)
            memcpy(grown, settings->comparables, settings->count * sizeof *grown);
        settings->comparables = grown;
        settings->size = size;
    }
    settings->comparables[settings->count++] =
        (struct attestd_comparable){.type = attestd_arena_text(settings->arena, type),
                                    .claim = attestd_arena_text(settings->arena, claim),
                                    .check = attestd_arena_text(settings->arena, check),
                                    .path = attestd_arena_text(settings->arena, path),
                                    .field = attestd_arena_format(settings->arena, "%s.%s", type, claim)};
}

static void find_comparables(struct attestd_settings *settings, const char *type, const char *path, const json_t *schema, unsigned depth)
{
    const json_t *choices;
    const char *name;
    json_t *property;
    schema = attestd_schema_resolve(schema, settings->root);
    if (schema == NULL || depth > SCHEMA_DEPTH)
        return;
    if (json_object_get(schema, "x-attestd-claim") != NULL) {
        add_comparable(settings, type, path, schema);
        return;
    }
    choices = json_object_get(schema, "oneOf");
    for (size_t i = 0; i < json_array_size(choices); i++)
        find_comparables(settings, type, path, json_array_get(choices, i), depth + 1);
    json_object_foreach((json_t *)(uintptr_t)json_object_get(schema, "properties"), name, property)
    {
        const char *below = path[0] == '\0' ? name : attestd_arena_format(settings->arena, "%s.%s", path, name);
        find_comparables(settings, type, below, property, depth + 1);
    }
}

static bool add_plugin(struct attestd_settings *settings, const struct attestd_plugin *plugin, struct attestd_policy_fault *fault)
{
    json_t *fragment, *section, *properties, *definition;
    char error[200];
    const char *name;
    if (plugin->policy_schema == NULL)
        return true;
    fragment = attestd_json_read(plugin->policy_schema, strlen(plugin->policy_schema), SCHEMA_DEPTH, error, sizeof error);
    if (!json_is_object(fragment)) {
        json_decref(fragment);
        return attestd_policy_fault_set(fault, 0, 0, "POLICY_SCHEMA", "the policy schema of plugin %s is none: %s", plugin->name, error);
    }
    json_object_foreach(json_object_get(fragment, "$defs"), name, definition)
    {
        char whole[128];
        snprintf(whole, sizeof whole, "%s.%s", plugin->name, name);
        json_object_set_new(definitions(settings), whole, rewrite(definition, plugin->name));
    }
    properties = json_object_get(json_object_get(definitions(settings), "policy"), "properties");
    if (json_object_get(properties, plugin->name) != NULL) {
        json_decref(fragment);
        return attestd_policy_fault_set(fault, 0, 0, "POLICY_SCHEMA", "a plugin cannot be named %s: policies have a member of that name",
                                        plugin->name);
    }
    section = rewrite(fragment, plugin->name);
    json_decref(fragment);
    json_object_set_new(properties, plugin->name, section);
    find_comparables(settings, plugin->name, "", section, 0);
    return true;
}

struct attestd_settings *attestd_settings_new(const struct attestd_engine *engine, struct attestd_policy_fault *fault)
{
    struct attestd_arena *arena = attestd_arena_new();
    struct attestd_settings *settings = attestd_arena_alloc(arena, sizeof *settings);
    settings->arena = arena;
    settings->root = attestd_json_read(attestd_policy_schema_json, strlen(attestd_policy_schema_json), SCHEMA_DEPTH, NULL, 0);
    if (settings->root == NULL)
        abort(); /* the build's own text */
    for (size_t i = 0; i < attestd_engine_plugin_count(engine); i++) {
        if (add_plugin(settings, attestd_engine_plugin_at(engine, i), fault))
            continue;
        attestd_settings_free(settings);
        return NULL;
    }
    return settings;
}

void attestd_settings_free(struct attestd_settings *settings)
{
    if (settings == NULL)
        return;
    json_decref(settings->root);
    attestd_arena_free(settings->arena);
}

const json_t *attestd_settings_schema(const struct attestd_settings *settings)
{
    return settings->root;
}

const json_t *attestd_settings_definition(const struct attestd_settings *settings, const char *name)
{
    return json_object_get(definitions(settings), name);
}

size_t attestd_settings_comparables(const struct attestd_settings *settings, const struct attestd_comparable **comparables)
{
    *comparables = settings->comparables;
    return settings->count;
}

const char *attestd_settings_near_claim(const struct attestd_settings *settings, const char *name)
{
    struct attestd_nearest nearest = attestd_nearest_to(name);
    for (size_t i = 0; i < settings->count; i++) {
        if (strcmp(settings->comparables[i].field, name) == 0)
            return NULL;
    }
    for (size_t i = 0; i < settings->count; i++)
        attestd_nearest_try(&nearest, settings->comparables[i].field);
    return attestd_nearest_name(&nearest);
}

/* --- for editors --- */

/* What this project's formats are in the patterns that any validator knows. YAML readers see digits alone as numbers. */
static const struct {
    const char *format, *pattern;
    bool or_number;
} plain_formats[] = {
    {"hex", "^([0-9a-fA-F]{2})+$", true},
    {"time", "^[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2}))?$", true},
    {"duration", "^[0-9]+[smhd]?$", true},
    {"size", "^[0-9]+(B|KiB|MiB|GiB|TiB|kB|MB|GB)?$", true},
    {"version", "^[0-9]+([.][0-9]+)*$", true},
};

static void plain_format(json_t *schema)
{
    const char *format = json_string_value(json_object_get(schema, "format"));
    for (size_t i = 0; format != NULL && i < sizeof plain_formats / sizeof plain_formats[0]; i++) {
        if (strcmp(format, plain_formats[i].format) != 0)
            continue;
        if (json_object_get(schema, "pattern") == NULL)
            json_object_set_new(schema, "pattern", json_string(plain_formats[i].pattern));
        if (plain_formats[i].or_number)
            json_object_set_new(schema, "type", json_pack("[s,s]", "string", "number"));
        json_object_del(schema, "format");
        return;
    }
}

static void plain_schema(json_t *schema);

static void plain_members(json_t *map)
{
    const char *name;
    json_t *value;
    json_object_foreach(map, name, value) plain_schema(value);
}

/* In place: formats to patterns, oneOf to anyOf (choices may overlap), and the closedness that this project takes for granted said aloud.
 */
static void plain_schema(json_t *schema)
{
    static const char *const maps[] = {"properties", "patternProperties", "$defs"}, *const singles[] = {"items", "additionalProperties"},
                             *const lists[] = {"oneOf", "anyOf"};
    if (!json_is_object(schema))
        return;
    plain_format(schema);
    for (size_t i = 0; i < sizeof maps / sizeof maps[0]; i++)
        plain_members(json_object_get(schema, maps[i]));
    for (size_t i = 0; i < sizeof singles / sizeof singles[0]; i++)
        plain_schema(json_object_get(schema, singles[i]));
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        json_t *list = json_object_get(schema, lists[i]);
        for (size_t k = 0; k < json_array_size(list); k++)
            plain_schema(json_array_get(list, k));
    }
    if (json_object_get(schema, "oneOf") != NULL) {
        json_object_set(schema, "anyOf", json_object_get(schema, "oneOf"));
        json_object_del(schema, "oneOf");
    }
    if ((json_object_get(schema, "properties") != NULL || json_object_get(schema, "patternProperties") != NULL) &&
        json_object_get(schema, "additionalProperties") == NULL)
        json_object_set_new(schema, "additionalProperties", json_false());
}

void attestd_policy_schema(const struct attestd_engine *engine, struct attestd_text *out)
{
    struct attestd_policy_fault fault = {0};
    struct attestd_settings *settings = attestd_settings_new(engine, &fault);
    char *text;
    if (settings == NULL) {
        attestd_text_printf(out, "{\"$comment\":\"%s\"}\n", fault.code);
        return;
    }
    plain_schema(settings->root);
    text = json_dumps(settings->root, JSON_INDENT(2));
    if (text != NULL)
        attestd_text_printf(out, "%s\n", text);
    free(text);
    attestd_settings_free(settings);
}
