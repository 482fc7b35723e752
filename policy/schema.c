/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes to typed values, by the subset of JSON Schema that document.h names. The schema decides the type of a value, never the look of its
 * text: so YAML's own guesses (no, 0x1F, 017, 1e3) cannot bite. */
#include "policy/document.h"

#include "core/encoding.h"

#include <errno.h>
#include <inttypes.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SCHEMA_DEPTH 64
/* 1973: so that a year, or a date without hyphens, is not taken for seconds since 1970. */
#define EARLIEST INT64_C(100000000)
#define MAX_NAME 64 /* characters of a name that are compared for suggestions */

struct typing {
    struct attestd_arena *arena;
    const json_t *root;
    struct attestd_policy_fault *fault;
    const char *pattern; /* the one compiled last: lists have the same for each of their items */
    regex_t regex;
    bool regex_good;
};

static bool type_node(struct typing *typing, const struct attestd_node *node, const json_t *schema, unsigned depth,
                      struct attestd_value *out);
static bool type_untyped(struct typing *typing, const struct attestd_node *node, unsigned depth, struct attestd_value *out);

/* --- suggestions --- */

struct attestd_nearest attestd_nearest_to(const char *wanted)
{
    return (struct attestd_nearest){.wanted = wanted, .distance = SIZE_MAX};
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Optimal string alignment distance, three rows at a time. */
static size_t edit_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    size_t rows[3][MAX_NAME + 1];
    for (size_t j = 0; j <= b_len; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        size_t *row = rows[i % 3], *above = rows[(i - 1) % 3], *above2 = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t cost = a[i - 1] == b[j - 1] ? 0 : 1;
            row[j] = least(least(above[j] + 1, row[j - 1] + 1), above[j - 1] + cost);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], above2[j - 2] + 1);
        }
    }
    return rows[a_len % 3][b_len];
}

void attestd_nearest_try(struct attestd_nearest *nearest, const char *name)
{
    size_t wanted_len = strlen(nearest->wanted), len = strlen(name), distance;
    if (wanted_len > MAX_NAME || len > MAX_NAME)
        return;
    distance = edit_distance(nearest->wanted, wanted_len, name, len);
    if (distance >= nearest->distance)
        return;
    nearest->distance = distance;
    nearest->best = name;
}

const char *attestd_nearest_name(const struct attestd_nearest *nearest)
{
    size_t allowed = 1 + strlen(nearest->wanted) / 4;
    return nearest->best != NULL && nearest->distance <= allowed ? nearest->best : NULL;
}

/* --- what a schema says --- */

const json_t *attestd_schema_resolve(const json_t *schema, const json_t *root)
{
    static const char prefix[] = "#/$defs/";
    for (unsigned hops = 0; hops < 16; hops++) {
        const char *reference = json_string_value(json_object_get(schema, "$ref"));
        if (reference == NULL)
            return schema;
        if (strncmp(reference, prefix, sizeof prefix - 1) != 0)
            return NULL;
        schema = json_object_get(json_object_get(root, "$defs"), reference + sizeof prefix - 1);
        if (schema == NULL)
            return NULL;
    }
    return NULL;
}

/* Does the schema name this type (or no type at all)? */
static bool has_type(const json_t *schema, const char *type)
{
    const json_t *types = json_object_get(schema, "type");
    if (types == NULL)
        return json_object_get(schema, "enum") == NULL && json_object_get(schema, "format") == NULL;
    if (json_is_string(types))
        return strcmp(json_string_value(types), type) == 0;
    for (size_t i = 0; i < json_array_size(types); i++) {
        if (strcmp(json_string_value(json_array_get(types, i)), type) == 0)
            return true;
    }
    return false;
}

static const char *kind_name(enum attestd_node_kind kind)
{
    return kind == ATTESTD_NODE_MAP ? "a map" : kind == ATTESTD_NODE_LIST ? "a list" : "a single value";
}

static bool takes_kind(const json_t *schema, enum attestd_node_kind kind)
{
    if (kind == ATTESTD_NODE_MAP)
        return has_type(schema, "object");
    if (kind == ATTESTD_NODE_LIST)
        return has_type(schema, "array");
    return json_object_get(schema, "enum") != NULL || json_object_get(schema, "const") != NULL ||
           json_object_get(schema, "format") != NULL || has_type(schema, "string") || has_type(schema, "integer") ||
           has_type(schema, "number") || has_type(schema, "boolean");
}

/* What the schema wants, in words. */
static const char *wanted_words(struct typing *typing, const json_t *schema)
{
    static const struct {
        const char *type, *words;
    } table[] = {{"object", "a map"},           {"array", "a list"},          {"string", "a text"},
                 {"integer", "a whole number"}, {"number", "a whole number"}, {"boolean", "true or false"}};
    const char *format = json_string_value(json_object_get(schema, "format")), *words = NULL;
    const json_t *choices = json_object_get(schema, "oneOf");
    for (size_t i = 0; i < json_array_size(choices); i++) {
        const json_t *choice = attestd_schema_resolve(json_array_get(choices, i), typing->root);
        const char *one = choice == NULL ? NULL : wanted_words(typing, choice);
        if (one != NULL)
            words = words == NULL ? one : attestd_arena_format(typing->arena, "%s or %s", words, one);
    }
    if (words != NULL)
        return words;
    if (json_object_get(schema, "enum") != NULL)
        return "one of the known words";
    if (format != NULL)
        return strcmp(format, "hex") == 0        ? "hexadecimal digits"
               : strcmp(format, "time") == 0     ? "a date or time such as 2026-11-20 or 2026-11-20T12:00:00Z"
               : strcmp(format, "duration") == 0 ? "a duration such as 90s, 15m, 24h or 7d"
               : strcmp(format, "size") == 0     ? "a size such as 64KiB or 512MiB"
               : strcmp(format, "version") == 0  ? "a version such as 550.90.07"
                                                 : "a text";
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (json_object_get(schema, "type") != NULL && has_type(schema, table[i].type))
            words = words == NULL ? table[i].words : attestd_arena_format(typing->arena, "%s or %s", words, table[i].words);
    }
    return words == NULL ? "another kind of value" : words;
}

/* --- scalars --- */

static bool whole_number(const char *text, int64_t *number)
{
    const char *digits = text[0] == '-' ? text + 1 : text;
    char *end;
    long long value;
    if (digits[0] < '0' || digits[0] > '9' || (digits[0] == '0' && digits[1] != '\0'))
        return false;
    errno = 0;
    value = strtoll(text, &end, 10);
    if (*end != '\0' || errno != 0)
        return false;
    *number = value;
    return true;
}

static bool size_parse(const char *text, int64_t *bytes)
{
    static const struct {
        const char *suffix;
        int64_t factor;
    } units[] = {{"", 1},      {"B", 1},        {"KiB", 1LL << 10}, {"MiB", 1LL << 20}, {"GiB", 1LL << 30}, {"TiB", 1LL << 40},
                 {"kB", 1000}, {"MB", 1000000}, {"GB", 1000000000}};
    char *end;
    long long value;
    if (text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    value = strtoll(text, &end, 10);
    if (errno != 0)
        return false;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(end, units[i].suffix) == 0)
            return !__builtin_mul_overflow((int64_t)value, units[i].factor, bytes);
    }
    return false;
}

bool attestd_moment_parse(const char *text, int64_t *seconds)
{
    char whole[32];
    bool read = whole_number(text, seconds);
    if (!read && strlen(text) == 10) {
        snprintf(whole, sizeof whole, "%sT00:00:00Z", text);
        read = attestd_time_parse(whole, seconds);
    } else if (!read) {
        read = attestd_time_parse(text, seconds);
    }
    return read && *seconds >= EARLIEST;
}

static bool version_valid(const char *text)
{
    bool digit = false;
    for (; *text != '\0'; text++) {
        bool is_digit = *text >= '0' && *text <= '9';
        if (!is_digit && (*text != '.' || !digit))
            return false;
        digit = is_digit;
    }
    return digit;
}

static void set_text(struct typing *typing, const char *text, struct attestd_value *out)
{
    out->kind = ATTESTD_VALUE_TEXT;
    out->text = attestd_arena_bytes(typing->arena, text, strlen(text));
}

static void set_number(int64_t number, struct attestd_value *out)
{
    out->kind = ATTESTD_VALUE_NUMBER;
    out->number = number;
}

static bool wrong_value(struct typing *typing, const struct attestd_node *node, const json_t *schema, const char *hint)
{
    return attestd_policy_fault_set(typing->fault, node->line, node->column, "POLICY_TYPE", "expected %s, found `%.80s`%s",
                                    wanted_words(typing, schema), node->text, hint);
}

static bool type_hex(struct typing *typing, const struct attestd_node *node, const json_t *schema, struct attestd_value *out)
{
    size_t len = strlen(node->text), size = len / 2;
    uint8_t *bytes = attestd_arena_alloc(typing->arena, size + 1);
    if (len > 1 && node->text[0] == '0' && (node->text[1] == 'x' || node->text[1] == 'X'))
        return wrong_value(typing, node, schema, "; write it without 0x");
    if (len == 0 || len % 2 != 0 || !attestd_hex_decode(node->text, len, bytes, size, &size))
        return wrong_value(typing, node, schema, ", which is not an even number of them");
    out->kind = ATTESTD_VALUE_BYTES;
    out->text = (struct attestd_bytes){bytes, size};
    return true;
}

static bool type_format(struct typing *typing, const struct attestd_node *node, const json_t *schema, const char *format,
                        struct attestd_value *out)
{
    static const struct {
        const char *format;
        bool (*parse)(const char *, int64_t *);
    } numbers[] = {{"time", attestd_moment_parse}, {"duration", attestd_duration_parse}, {"size", size_parse}};
    int64_t number;
    if (strcmp(format, "hex") == 0)
        return type_hex(typing, node, schema, out);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (strcmp(format, numbers[i].format) != 0)
            continue;
        if (!numbers[i].parse(node->text, &number))
            return wrong_value(typing, node, schema, "");
        set_number(number, out);
        return true;
    }
    if (strcmp(format, "version") == 0 && !version_valid(node->text))
        return wrong_value(typing, node, schema, "");
    set_text(typing, node->text, out);
    return true;
}

/* What to write instead of the usual surprises of YAML. */
static const char *scalar_hint(const struct attestd_node *node, const json_t *schema)
{
    static const char *const yes[] = {"yes", "Yes", "YES", "on", "On", "ON", "True", "TRUE", "y"};
    static const char *const no[] = {"no", "No", "NO", "off", "Off", "OFF", "False", "FALSE", "n"};
    int64_t number;
    if (node->text[0] == '\0' && !node->quoted)
        return "; the value is missing";
    if (has_type(schema, "boolean")) {
        for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
            if (strcmp(node->text, yes[i]) == 0)
                return "; write true";
            if (strcmp(node->text, no[i]) == 0)
                return "; write false";
        }
    }
    if (!has_type(schema, "integer") && !has_type(schema, "number"))
        return node->quoted ? "; write it without quotes" : "";
    if (node->quoted && whole_number(node->text, &number))
        return "; write it without quotes";
    if (node->text[0] == '0')
        return "; write decimal digits, without 0x, 0o or leading zeros";
    return "";
}

static bool type_scalar(struct typing *typing, const struct attestd_node *node, const json_t *schema, struct attestd_value *out)
{
    const char *format = json_string_value(json_object_get(schema, "format"));
    bool missing = node->text[0] == '\0' && !node->quoted;
    if (format != NULL && !missing)
        return type_format(typing, node, schema, format, out);
    if (!node->quoted && (has_type(schema, "integer") || has_type(schema, "number")) && whole_number(node->text, &out->number)) {
        out->kind = ATTESTD_VALUE_NUMBER;
        return true;
    }
    if (!node->quoted && has_type(schema, "boolean") && (strcmp(node->text, "true") == 0 || strcmp(node->text, "false") == 0)) {
        out->kind = ATTESTD_VALUE_FLAG;
        out->number = node->text[0] == 't';
        return true;
    }
    if (!missing && has_type(schema, "string")) {
        set_text(typing, node->text, out);
        return true;
    }
    if (!missing && json_object_get(schema, "type") == NULL)
        return type_untyped(typing, node, 0, out);
    return wrong_value(typing, node, schema, scalar_hint(node, schema));
}

static bool equals_json(const struct attestd_value *value, const json_t *json)
{
    if (value->kind == ATTESTD_VALUE_TEXT)
        return json_is_string(json) && strcmp((const char *)value->text.data, json_string_value(json)) == 0;
    if (value->kind == ATTESTD_VALUE_NUMBER)
        return json_is_integer(json) && json_integer_value(json) == value->number;
    if (value->kind == ATTESTD_VALUE_FLAG)
        return json_is_boolean(json) && json_is_true(json) == (value->number != 0);
    return false;
}

static const char *json_words(struct typing *typing, const json_t *json)
{
    if (json_is_string(json))
        return json_string_value(json);
    if (json_is_boolean(json))
        return json_is_true(json) ? "true" : "false";
    return attestd_arena_format(typing->arena, "%" JSON_INTEGER_FORMAT, json_integer_value(json));
}

static bool in_enum(struct typing *typing, const struct attestd_node *node, const json_t *schema, const struct attestd_value *value)
{
    const json_t *choices = json_object_get(schema, "enum"), *only = json_object_get(schema, "const");
    struct attestd_nearest nearest = attestd_nearest_to(node->text);
    const char *list = NULL, *near;
    if (only != NULL && !equals_json(value, only))
        return attestd_policy_fault_set(typing->fault, node->line, node->column, "POLICY_VALUE", "expected %s, found `%.80s`",
                                        json_words(typing, only), node->text);
    if (choices == NULL)
        return true;
    for (size_t i = 0; i < json_array_size(choices); i++) {
        const json_t *choice = json_array_get(choices, i);
        const char *words = json_words(typing, choice);
        if (equals_json(value, choice))
            return true;
        attestd_nearest_try(&nearest, words);
        list = list == NULL ? words : attestd_arena_format(typing->arena, "%s, %s", list, words);
    }
    near = attestd_nearest_name(&nearest);
    return attestd_policy_fault_set(typing->fault, node->line, node->column, "POLICY_VALUE", "expected one of %.200s; found `%.60s`%s%s%s",
                                    list, node->text, near != NULL ? "; did you mean `" : "", near != NULL ? near : "",
                                    near != NULL ? "`?" : "");
}

static void forget_pattern(struct typing *typing)
{
    if (typing->regex_good)
        regfree(&typing->regex);
    typing->regex_good = false;
    typing->pattern = NULL;
}

/* False also when the schema's pattern is no pattern. */
static bool matches(struct typing *typing, const char *text, const char *pattern)
{
    if (typing->pattern != pattern) {
        forget_pattern(typing);
        typing->pattern = pattern;
        typing->regex_good = regcomp(&typing->regex, pattern, REG_EXTENDED | REG_NOSUB) == 0;
    }
    return typing->regex_good && regexec(&typing->regex, text, 0, NULL, 0) == 0;
}

static bool in_bounds(struct typing *typing, const struct attestd_node *node, const json_t *schema, const struct attestd_value *value)
{
    const char *pattern = json_string_value(json_object_get(schema, "pattern"));
    const json_t *minimum = json_object_get(schema, "minimum"), *maximum = json_object_get(schema, "maximum");
    if (pattern != NULL && !matches(typing, node->text, pattern))
        return attestd_policy_fault_set(typing->fault, node->line, node->column, "POLICY_VALUE",
                                        "`%.80s` does not have the form expected here: %.160s", node->text, pattern);
    if (value->kind != ATTESTD_VALUE_NUMBER)
        return true;
    if (minimum != NULL && value->number < json_integer_value(minimum))
        return attestd_policy_fault_set(typing->fault, node->line, node->column, "POLICY_VALUE",
                                        "expected at least %" JSON_INTEGER_FORMAT ", found %" PRId64, json_integer_value(minimum),
                                        value->number);
    if (maximum != NULL && value->number > json_integer_value(maximum))
        return attestd_policy_fault_set(typing->fault, node->line, node->column, "POLICY_VALUE",
                                        "expected at most %" JSON_INTEGER_FORMAT ", found %" PRId64, json_integer_value(maximum),
                                        value->number);
    return true;
}

/* --- lists and maps --- */

static bool type_list(struct typing *typing, const struct attestd_node *node, const json_t *schema, unsigned depth,
                      struct attestd_value *out)
{
    const json_t *items = json_object_get(schema, "items"), *least_items = json_object_get(schema, "minItems"),
                 *most_items = json_object_get(schema, "maxItems");
    struct attestd_value *values = attestd_arena_array(typing->arena, node->count, sizeof *values);
    if (least_items != NULL && (json_int_t)node->count < json_integer_value(least_items))
        return attestd_policy_fault_set(typing->fault, node->line, node->column, "POLICY_COUNT",
                                        "expected at least %" JSON_INTEGER_FORMAT " entries, found %zu", json_integer_value(least_items),
                                        node->count);
    if (most_items != NULL && (json_int_t)node->count > json_integer_value(most_items))
        return attestd_policy_fault_set(typing->fault, node->line, node->column, "POLICY_COUNT",
                                        "expected at most %" JSON_INTEGER_FORMAT " entries, found %zu", json_integer_value(most_items),
                                        node->count);
    for (size_t i = 0; i < node->count; i++) {
        if (!type_node(typing, &node->items[i], items, depth + 1, &values[i]))
            return false;
    }
    out->kind = ATTESTD_VALUE_LIST;
    out->items = values;
    out->count = node->count;
    return true;
}

/* The schema of a member; *known false when the map takes no such name. NULL with *known: anything goes. */
static const json_t *member_schema(struct typing *typing, const json_t *schema, const char *name, bool *known)
{
    const json_t *properties = json_object_get(schema, "properties"), *patterns = json_object_get(schema, "patternProperties"),
                 *others = json_object_get(schema, "additionalProperties"), *found = json_object_get(properties, name);
    const char *pattern;
    json_t *candidate;
    *known = true;
    if (found != NULL)
        return found;
    json_object_foreach((json_t *)(uintptr_t)patterns, pattern, candidate)
    {
        if (matches(typing, name, pattern))
            return candidate;
    }
    if (json_is_object(others) || json_is_true(others))
        return others;
    *known = others == NULL && properties == NULL && patterns == NULL;
    return NULL;
}

const json_t *attestd_schema_member(const json_t *schema, const char *name)
{
    struct typing typing = {0};
    bool known;
    const json_t *member = member_schema(&typing, schema, name, &known);
    forget_pattern(&typing);
    return member;
}

static bool unknown_name(struct typing *typing, const struct attestd_node *item, const json_t *schema)
{
    struct attestd_nearest nearest = attestd_nearest_to(item->name);
    const json_t *properties = json_object_get(schema, "properties");
    const char *name, *near, *list = NULL;
    json_t *property;
    json_object_foreach((json_t *)(uintptr_t)properties, name, property)
    {
        attestd_nearest_try(&nearest, name);
        list = list == NULL ? name : attestd_arena_format(typing->arena, "%s, %s", list, name);
    }
    near = attestd_nearest_name(&nearest);
    if (near != NULL)
        return attestd_policy_fault_set(typing->fault, item->key_line, item->key_column, "POLICY_UNKNOWN_KEY",
                                        "`%.80s` is not known here; did you mean `%s`?", item->name, near);
    return attestd_policy_fault_set(typing->fault, item->key_line, item->key_column, "POLICY_UNKNOWN_KEY",
                                    "`%.80s` is not known here; expected %s%.240s", item->name, list != NULL ? "one of " : "another form",
                                    list != NULL ? list : "");
}

static bool all_required(struct typing *typing, const struct attestd_node *node, const json_t *schema)
{
    const json_t *required = json_object_get(schema, "required");
    for (size_t i = 0; i < json_array_size(required); i++) {
        const char *name = json_string_value(json_array_get(required, i));
        if (attestd_node_find(node, name) == NULL)
            return attestd_policy_fault_set(typing->fault, node->line, node->column, "POLICY_MISSING_KEY", "`%s` is missing here", name);
    }
    return true;
}

static bool add_defaults(struct typing *typing, const struct attestd_node *node, const json_t *schema, unsigned depth,
                         struct attestd_value *values, size_t *count)
{
    const char *name;
    json_t *property;
    json_object_foreach((json_t *)(uintptr_t)json_object_get(schema, "properties"), name, property)
    {
        const json_t *preset = json_object_get(property, "default");
        if (preset == NULL || attestd_node_find(node, name) != NULL)
            continue;
        if (!type_node(typing, attestd_node_from_json(typing->arena, preset, node->line, node->column), property, depth + 1,
                       &values[*count]))
            return false;
        values[(*count)++].name = attestd_arena_text(typing->arena, name);
    }
    return true;
}

static bool type_map(struct typing *typing, const struct attestd_node *node, const json_t *schema, unsigned depth,
                     struct attestd_value *out)
{
    size_t count = 0, size = node->count + json_object_size(json_object_get(schema, "properties"));
    struct attestd_value *values = attestd_arena_array(typing->arena, size, sizeof *values);
    for (; count < node->count; count++) {
        const struct attestd_node *item = &node->items[count];
        bool known;
        const json_t *member = member_schema(typing, schema, item->name, &known);
        if (!known)
            return unknown_name(typing, item, schema);
        if (!type_node(typing, item, member, depth + 1, &values[count]))
            return false;
        values[count].name = attestd_arena_text(typing->arena, item->name);
    }
    if (!all_required(typing, node, schema) || !add_defaults(typing, node, schema, depth, values, &count))
        return false;
    out->kind = ATTESTD_VALUE_MAP;
    out->items = values;
    out->count = count;
    return true;
}

/* --- choices --- */

/* How many of the map's names a choice knows: the one meant is the one that knows most. */
static size_t names_known(const struct attestd_node *node, const json_t *schema)
{
    size_t known_names = 0;
    for (size_t i = 0; node->kind == ATTESTD_NODE_MAP && i < node->count; i++)
        known_names += json_object_get(json_object_get(schema, "properties"), node->items[i].name) != NULL;
    return known_names;
}

/* The first choice of the node's kind that fits; else the fault of the one that was most likely meant. */
static bool type_choice(struct typing *typing, const struct attestd_node *node, const json_t *schema, const json_t *choices, unsigned depth,
                        struct attestd_value *out)
{
    struct attestd_policy_fault fault = *typing->fault, best = {0};
    size_t best_known = 0;
    bool tried = false;
    for (size_t i = 0; i < json_array_size(choices); i++) {
        const json_t *choice = attestd_schema_resolve(json_array_get(choices, i), typing->root);
        size_t known_names;
        if (choice == NULL || (json_object_get(choice, "oneOf") == NULL && !takes_kind(choice, node->kind)))
            continue;
        *out = (struct attestd_value){0};
        if (type_node(typing, node, choice, depth + 1, out))
            return true;
        known_names = names_known(node, choice);
        if (!tried || known_names > best_known) {
            best = *typing->fault;
            best_known = known_names;
        }
        tried = true;
    }
    *typing->fault = tried ? best : fault;
    if (tried)
        return false;
    return attestd_policy_fault_set(typing->fault, node->line, node->column, "POLICY_TYPE", "expected %s, found %s",
                                    wanted_words(typing, schema), kind_name(node->kind));
}

/* No schema: whole numbers, true and false by their look, all else text. */
static bool type_untyped(struct typing *typing, const struct attestd_node *node, unsigned depth, struct attestd_value *out)
{
    if (node->kind == ATTESTD_NODE_MAP)
        return type_map(typing, node, NULL, depth, out);
    if (node->kind == ATTESTD_NODE_LIST)
        return type_list(typing, node, NULL, depth, out);
    if (!node->quoted && whole_number(node->text, &out->number)) {
        out->kind = ATTESTD_VALUE_NUMBER;
    } else if (!node->quoted && (strcmp(node->text, "true") == 0 || strcmp(node->text, "false") == 0)) {
        out->kind = ATTESTD_VALUE_FLAG;
        out->number = node->text[0] == 't';
    } else {
        set_text(typing, node->text, out);
    }
    return true;
}

static bool type_node(struct typing *typing, const struct attestd_node *node, const json_t *schema, unsigned depth,
                      struct attestd_value *out)
{
    const json_t *choices;
    if (depth > MAX_SCHEMA_DEPTH)
        return attestd_policy_fault_set(typing->fault, node->line, node->column, "POLICY_TOO_DEEP", "nested deeper than any schema");
    if (schema == NULL || json_is_true(schema) || (json_is_object(schema) && json_object_size(schema) == 0))
        return type_untyped(typing, node, depth, out);
    schema = attestd_schema_resolve(schema, typing->root);
    if (schema == NULL)
        return attestd_policy_fault_set(typing->fault, node->line, node->column, "POLICY_SCHEMA",
                                        "the schema of this value refers to what does not exist");
    choices = json_object_get(schema, "oneOf");
    if (choices == NULL)
        choices = json_object_get(schema, "anyOf");
    if (choices != NULL)
        return type_choice(typing, node, schema, choices, depth, out);
    if (!takes_kind(schema, node->kind))
        return attestd_policy_fault_set(typing->fault, node->line, node->column, "POLICY_TYPE", "expected %s, found %s",
                                        wanted_words(typing, schema), kind_name(node->kind));
    if (node->kind == ATTESTD_NODE_MAP)
        return type_map(typing, node, schema, depth, out);
    if (node->kind == ATTESTD_NODE_LIST)
        return type_list(typing, node, schema, depth, out);
    return type_scalar(typing, node, schema, out) && in_enum(typing, node, schema, out) && in_bounds(typing, node, schema, out);
}

const struct attestd_value *attestd_node_typed_within(struct attestd_arena *arena, const struct attestd_node *node, const json_t *schema,
                                                      const json_t *root, struct attestd_policy_fault *fault)
{
    struct typing typing = {.arena = arena, .root = root, .fault = fault};
    struct attestd_value *value = attestd_arena_alloc(arena, sizeof *value);
    bool ok = type_node(&typing, node, schema, 0, value);
    forget_pattern(&typing);
    if (!ok)
        return NULL;
    value->name = node->name == NULL ? NULL : attestd_arena_text(arena, node->name);
    return value;
}

const struct attestd_value *attestd_node_typed(struct attestd_arena *arena, const struct attestd_node *node, const json_t *schema,
                                               struct attestd_policy_fault *fault)
{
    return attestd_node_typed_within(arena, node, schema, schema, fault);
}
