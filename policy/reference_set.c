/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/reference_set.h"

#include "core/encoding.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FIELDS 32 /* an entry */

struct attestd_reference_index {
    const char *field;
    struct attestd_reference_index *next;
    uint32_t *buckets; /* 1 + slot, 0 empty */
    size_t mask;
    struct slot {
        const char *value;
        uint32_t entry, next;
    } * slots;
    size_t count;
};

struct owned_set {
    struct attestd_reference_set set; /* first: the two are one pointer */
    atomic_size_t count;
    struct attestd_arena *arena;
    struct attestd_reference_index *indexes;
};

static struct owned_set *owner(struct attestd_reference_set *set)
{
    return (struct owned_set *)set;
}

static struct owned_set *set_new(void)
{
    struct attestd_arena *arena = attestd_arena_new();
    struct owned_set *owned = attestd_arena_alloc(arena, sizeof *owned);
    owned->arena = arena;
    atomic_init(&owned->count, 1);
    owned->set.expires = INT64_MAX;
    return owned;
}

struct attestd_reference_set *attestd_reference_set_retain(struct attestd_reference_set *set)
{
    atomic_fetch_add(&owner(set)->count, 1);
    return set;
}

void attestd_reference_set_free(struct attestd_reference_set *set)
{
    if (set != NULL && atomic_fetch_sub(&owner(set)->count, 1) == 1)
        attestd_arena_free(owner(set)->arena);
}

/* --- values --- */

static bool hex_like(const char *text, bool *upper)
{
    size_t len = 0;
    *upper = false;
    for (; text[len] != '\0'; len++) {
        bool digit = text[len] >= '0' && text[len] <= '9', low = text[len] >= 'a' && text[len] <= 'f',
             high = text[len] >= 'A' && text[len] <= 'F';
        if (!digit && !low && !high)
            return false;
        *upper |= high;
    }
    return len > 0 && len % 2 == 0;
}

const char *attestd_reference_text(struct attestd_arena *arena, const char *text)
{
    bool upper;
    char *lower;
    if (!hex_like(text, &upper) || !upper)
        return text;
    lower = attestd_arena_text(arena, text);
    for (char *at = lower; *at != '\0'; at++)
        *at = *at >= 'A' && *at <= 'F' ? (char)(*at - 'A' + 'a') : *at;
    return lower;
}

const char *attestd_reference_claim(struct attestd_arena *arena, const struct attestd_value *claim)
{
    if (claim == NULL)
        return NULL;
    switch (claim->kind) {
    case ATTESTD_VALUE_TEXT:
        return attestd_reference_text(arena, (const char *)claim->text.data);
    case ATTESTD_VALUE_BYTES:
        return attestd_arena_hex(arena, claim->text.data, claim->text.len);
    case ATTESTD_VALUE_NUMBER:
        return attestd_arena_format(arena, "%lld", (long long)claim->number);
    case ATTESTD_VALUE_FLAG:
        return claim->number != 0 ? "true" : "false";
    default:
        return NULL;
    }
}

/* --- reading --- */

struct set_reader {
    const struct attestd_settings *settings;
    struct owned_set *owned;
    struct attestd_policy_fault *fault;
    struct attestd_reference_entry *entries;
    size_t size;
};

static bool value_of(struct set_reader *reader, const struct attestd_node *node, const char **value)
{
    if (node->kind != ATTESTD_NODE_TEXT || node->text[0] == '\0')
        return attestd_policy_fault_set(reader->fault, node->line, node->column, "POLICY_TYPE", "expected a value, as text or number");
    if (node->text[0] == '0' && (node->text[1] == 'x' || node->text[1] == 'X'))
        return attestd_policy_fault_set(reader->fault, node->line, node->column, "POLICY_TYPE", "write hexadecimal digits without 0x");
    *value = attestd_reference_text(reader->owned->arena, attestd_arena_text(reader->owned->arena, node->text));
    return true;
}

/* A claim that no plugin compares is taken, but not one that looks like a slip of the pen. */
static bool field_known(struct set_reader *reader, const struct attestd_node *node)
{
    const char *near = attestd_settings_near_claim(reader->settings, node->name);
    if (near == NULL)
        return true;
    return attestd_policy_fault_set(reader->fault, node->key_line, node->key_column, "POLICY_UNKNOWN_KEY",
                                    "`%.80s` is not a claim; did you mean `%s`?", node->name, near);
}

static bool read_field(struct set_reader *reader, const struct attestd_node *node, struct attestd_reference_field *field)
{
    const struct attestd_node *values = node->kind == ATTESTD_NODE_LIST ? node->items : node;
    size_t count = node->kind == ATTESTD_NODE_LIST ? node->count : 1;
    const char **texts = attestd_arena_array(reader->owned->arena, count, sizeof *texts);
    if (!field_known(reader, node))
        return false;
    if (count == 0)
        return attestd_policy_fault_set(reader->fault, node->line, node->column, "POLICY_COUNT", "expected at least one value");
    for (size_t i = 0; i < count; i++) {
        if (!value_of(reader, &values[i], &texts[i]))
            return false;
    }
    field->name = attestd_arena_text(reader->owned->arena, node->name);
    field->values = texts;
    field->count = count;
    return true;
}

static bool read_moment(struct set_reader *reader, const struct attestd_node *node, int64_t *seconds)
{
    if (node->kind == ATTESTD_NODE_TEXT && attestd_moment_parse(node->text, seconds))
        return true;
    return attestd_policy_fault_set(reader->fault, node->line, node->column, "POLICY_TYPE",
                                    "expected a date or time such as 2026-11-20 or 2026-11-20T12:00:00Z");
}

static bool read_head_text(struct set_reader *reader, const struct attestd_node *item, const char *schema, const char **text)
{
    const json_t *root = attestd_settings_schema(reader->settings);
    const struct attestd_value *value =
        attestd_node_typed_within(reader->owned->arena, item, attestd_settings_definition(reader->settings, schema), root, reader->fault);
    if (value == NULL)
        return false;
    *text = attestd_arena_text(reader->owned->arena, item->text);
    return true;
}

static bool read_entry(struct set_reader *reader, const struct attestd_node *node)
{
    struct attestd_reference_entry *entry = &reader->entries[reader->owned->set.count];
    struct attestd_reference_field *fields;
    if (node->kind != ATTESTD_NODE_MAP)
        return attestd_policy_fault_set(reader->fault, node->line, node->column, "POLICY_TYPE", "expected an entry, as a map");
    if (node->count > MAX_FIELDS)
        return attestd_policy_fault_set(reader->fault, node->line, node->column, "POLICY_COUNT", "more than %d fields in one entry",
                                        MAX_FIELDS);
    *entry = (struct attestd_reference_entry){.from = INT64_MIN, .until = INT64_MAX};
    fields = attestd_arena_array(reader->owned->arena, node->count, sizeof *fields);
    entry->fields = fields;
    for (size_t i = 0; i < node->count; i++) {
        const struct attestd_node *item = &node->items[i];
        bool ok = true;
        if (strcmp(item->name, "label") == 0)
            ok = read_head_text(reader, item, "words", &entry->label);
        else if (strcmp(item->name, "from") == 0)
            ok = read_moment(reader, item, &entry->from);
        else if (strcmp(item->name, "until") == 0)
            ok = read_moment(reader, item, &entry->until);
        else
            ok = read_field(reader, item, &fields[entry->field_count++]);
        if (!ok)
            return false;
    }
    if (entry->field_count == 0)
        return attestd_policy_fault_set(reader->fault, node->line, node->column, "POLICY_MISSING_KEY",
                                        "the entry gives no value: it would match anything");
    reader->owned->set.count++;
    return true;
}

static bool read_head_member(struct set_reader *reader, const struct attestd_node *item)
{
    static const char *const known[] = {"reference_set", "description", "source", "expires", "values"};
    struct attestd_reference_set *set = &reader->owned->set;
    struct attestd_nearest nearest = attestd_nearest_to(item->name);
    const char *ignored, *near;
    if (strcmp(item->name, "reference_set") == 0)
        return read_head_text(reader, item, "set_name", &set->name);
    if (strcmp(item->name, "source") == 0)
        return read_head_text(reader, item, "words", &set->source);
    if (strcmp(item->name, "description") == 0)
        return read_head_text(reader, item, "words", &ignored);
    if (strcmp(item->name, "expires") == 0)
        return read_moment(reader, item, &set->expires);
    if (strcmp(item->name, "values") == 0)
        return true;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        attestd_nearest_try(&nearest, known[i]);
    near = attestd_nearest_name(&nearest);
    return attestd_policy_fault_set(reader->fault, item->key_line, item->key_column, "POLICY_UNKNOWN_KEY",
                                    "`%.80s` is not known in a reference set%s%s%s", item->name, near != NULL ? "; did you mean `" : "",
                                    near != NULL ? near : "", near != NULL ? "`?" : "");
}

static bool read_head(struct set_reader *reader, const struct attestd_node *document, bool values_follow)
{
    for (size_t i = 0; i < document->count; i++) {
        if (!read_head_member(reader, &document->items[i]))
            return false;
    }
    if (reader->owned->set.name == NULL)
        return attestd_policy_fault_set(reader->fault, document->line, document->column, "POLICY_MISSING_KEY",
                                        "`reference_set`, the set's name, is missing here");
    if (attestd_node_find(document, "values") == NULL && !values_follow)
        return attestd_policy_fault_set(reader->fault, document->line, document->column, "POLICY_MISSING_KEY", "`values` is missing here");
    return true;
}

static bool read_values(struct set_reader *reader, const struct attestd_node *values)
{
    if (values == NULL)
        return true;
    if (values->kind != ATTESTD_NODE_LIST)
        return attestd_policy_fault_set(reader->fault, values->line, values->column, "POLICY_TYPE", "expected a list of entries");
    reader->size = values->count;
    reader->entries = attestd_arena_array(reader->owned->arena, reader->size, sizeof *reader->entries);
    for (size_t i = 0; i < values->count; i++) {
        if (!read_entry(reader, &values->items[i]))
            return false;
    }
    return true;
}

static struct attestd_reference_set *finish(struct set_reader *reader, bool ok)
{
    reader->owned->set.entries = reader->entries;
    if (ok)
        return &reader->owned->set;
    attestd_reference_set_free(&reader->owned->set);
    return NULL;
}

struct attestd_reference_set *attestd_reference_set_read(const struct attestd_settings *settings, const struct attestd_node *document,
                                                         struct attestd_policy_fault *fault)
{
    struct set_reader reader = {.settings = settings, .owned = set_new(), .fault = fault};
    bool ok = read_head(&reader, document, false) && read_values(&reader, attestd_node_find(document, "values"));
    return finish(&reader, ok);
}

static bool room_for_one(struct set_reader *reader)
{
    size_t size = reader->size == 0 ? 256 : reader->size * 2;
    struct attestd_reference_entry *grown;
    if (reader->owned->set.count < reader->size)
        return true;
    grown = attestd_arena_array(reader->owned->arena, size, sizeof *grown);
    if (reader->size > 0)
        memcpy(grown, reader->entries, reader->size * sizeof *grown);
    reader->entries = grown;
    reader->size = size;
    return true;
}

/* One line of JSON Lines, as a node whose memory is scratch. */
static bool read_line(struct set_reader *reader, struct attestd_arena *scratch, const char *line, size_t len, unsigned number)
{
    char error[256];
    json_t *json = attestd_json_read(line, len, 8, error, sizeof error);
    const struct attestd_node *node;
    if (json == NULL)
        return attestd_policy_fault_set(reader->fault, number, 1, "POLICY_JSON", "%s", error);
    node = attestd_node_from_json(scratch, json, number, 1);
    json_decref(json);
    if (node->kind != ATTESTD_NODE_MAP)
        return attestd_policy_fault_set(reader->fault, number, 1, "POLICY_TYPE", "expected one JSON object a line");
    if (reader->owned->set.name == NULL)
        return read_head(reader, node, true) && read_values(reader, attestd_node_find(node, "values"));
    return room_for_one(reader) && read_entry(reader, node);
}

struct attestd_reference_set *attestd_reference_set_read_lines(const struct attestd_settings *settings, const char *text, size_t len,
                                                               struct attestd_policy_fault *fault)
{
    struct set_reader reader = {.settings = settings, .owned = set_new(), .fault = fault};
    bool ok = true;
    unsigned number = 1;
    for (size_t at = 0; ok && at < len; number++) {
        const char *end = memchr(text + at, '\n', len - at);
        size_t line_len = end == NULL ? len - at : (size_t)(end - (text + at));
        size_t used = line_len > 0 && text[at + line_len - 1] == '\r' ? line_len - 1 : line_len;
        if (used > 0) {
            struct attestd_arena *scratch = attestd_arena_new();
            ok = read_line(&reader, scratch, text + at, used, number);
            attestd_arena_free(scratch);
        }
        at += line_len + 1;
    }
    if (ok && reader.owned->set.name == NULL)
        ok = attestd_policy_fault_set(fault, 1, 1, "POLICY_MISSING_KEY", "`reference_set`, the set's name, is missing in the first line");
    return finish(&reader, ok);
}

/* --- index --- */

static uint64_t hash(const char *text)
{
    uint64_t state = 14695981039346656037u; /* FNV-1a */
    for (; *text != '\0'; text++)
        state = (state ^ (uint8_t)*text) * 1099511628211u;
    return state ^ (state >> 32);
}

const struct attestd_reference_field *attestd_reference_entry_field(const struct attestd_reference_entry *entry, const char *name)
{
    for (size_t i = 0; i < entry->field_count; i++) {
        if (strcmp(entry->fields[i].name, name) == 0)
            return &entry->fields[i];
    }
    return NULL;
}

bool attestd_reference_field_has(const struct attestd_reference_field *field, const char *value)
{
    for (size_t i = 0; field != NULL && i < field->count; i++) {
        if (strcmp(field->values[i], value) == 0)
            return true;
    }
    return false;
}

static size_t values_of_field(const struct attestd_reference_set *set, const char *field)
{
    size_t count = 0;
    for (size_t i = 0; i < set->count; i++) {
        const struct attestd_reference_field *found = attestd_reference_entry_field(&set->entries[i], field);
        count += found != NULL ? found->count : 0;
    }
    return count;
}

static void index_entry(struct attestd_reference_index *index, uint32_t entry, const struct attestd_reference_field *field)
{
    for (size_t i = field->count; i-- > 0;) {
        size_t bucket = hash(field->values[i]) & index->mask;
        struct slot *slot = &index->slots[index->count++];
        *slot = (struct slot){field->values[i], entry, index->buckets[bucket]};
        index->buckets[bucket] = (uint32_t)index->count;
    }
}

const struct attestd_reference_index *attestd_reference_set_index(struct attestd_reference_set *set, const char *field)
{
    struct owned_set *owned = owner(set);
    struct attestd_reference_index *index;
    size_t values, buckets = 16;
    for (index = owned->indexes; index != NULL; index = index->next) {
        if (strcmp(index->field, field) == 0)
            return index;
    }
    values = values_of_field(set, field);
    while (buckets < values * 2)
        buckets *= 2;
    index = attestd_arena_alloc(owned->arena, sizeof *index);
    index->field = attestd_arena_text(owned->arena, field);
    index->mask = buckets - 1;
    index->buckets = attestd_arena_array(owned->arena, buckets, sizeof *index->buckets);
    index->slots = attestd_arena_array(owned->arena, values, sizeof *index->slots);
    for (size_t i = set->count; i-- > 0;) { /* backwards, so that each chain runs in the order of the set */
        const struct attestd_reference_field *found = attestd_reference_entry_field(&set->entries[i], field);
        if (found != NULL)
            index_entry(index, (uint32_t)i, found);
    }
    index->next = owned->indexes;
    owned->indexes = index;
    return index;
}

size_t attestd_reference_index_next(const struct attestd_reference_index *index, const char *value, size_t *cursor)
{
    size_t slot = *cursor == 0 ? index->buckets[hash(value) & index->mask] : index->slots[*cursor - 1].next;
    while (slot != 0 && strcmp(index->slots[slot - 1].value, value) != 0)
        slot = index->slots[slot - 1].next;
    *cursor = slot;
    return slot == 0 ? SIZE_MAX : index->slots[slot - 1].entry;
}

/* --- canonical form --- */

struct member {
    const char *name;
    const struct attestd_reference_field *field; /* NULL: label, from or until */
};

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct member *)a)->name, ((const struct member *)b)->name);
}

static void write_field(struct attestd_json_writer *writer, const struct attestd_reference_field *field)
{
    attestd_json_open_list(writer, field->name);
    for (size_t i = 0; i < field->count; i++)
        attestd_json_text(writer, NULL, field->values[i]);
    attestd_json_close_list(writer);
}

static void write_entry(struct attestd_json_writer *writer, const struct attestd_reference_entry *entry)
{
    struct member members[MAX_FIELDS + 3];
    size_t count = 0;
    for (size_t i = 0; i < entry->field_count; i++)
        members[count++] = (struct member){entry->fields[i].name, &entry->fields[i]};
    if (entry->label != NULL)
        members[count++] = (struct member){"label", NULL};
    if (entry->from != INT64_MIN)
        members[count++] = (struct member){"from", NULL};
    if (entry->until != INT64_MAX)
        members[count++] = (struct member){"until", NULL};
    qsort(members, count, sizeof members[0], by_name);
    attestd_json_open_map(writer, NULL);
    for (size_t i = 0; i < count; i++) {
        if (members[i].field != NULL)
            write_field(writer, members[i].field);
        else if (members[i].name[0] == 'l')
            attestd_json_text(writer, "label", entry->label);
        else
            attestd_json_number(writer, members[i].name, members[i].name[0] == 'f' ? entry->from : entry->until);
    }
    attestd_json_close_map(writer);
}

void attestd_reference_set_write(struct attestd_json_writer *writer, const struct attestd_reference_set *set)
{
    attestd_json_open_map(writer, NULL);
    if (set->expires != INT64_MAX)
        attestd_json_number(writer, "expires", set->expires);
    attestd_json_text(writer, "reference_set", set->name);
    if (set->source != NULL)
        attestd_json_text(writer, "source", set->source);
    attestd_json_open_list(writer, "values");
    for (size_t i = 0; i < set->count; i++)
        write_entry(writer, &set->entries[i]);
    attestd_json_close_list(writer);
    attestd_json_close_map(writer);
}
