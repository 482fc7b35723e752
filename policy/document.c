/* SPDX-License-Identifier: Apache-2.0 */
/* libyaml's events to nodes. The guards stand before and between libyaml's steps, because some of what it accepts costs it quadratic time
 * (nesting, %TAG lines) or memory without bound (aliases). */
#include "policy/document.h"

#include "core/encoding.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml.h>

#include <fcntl.h>

#define MAX_DEPTH 32
/* A node costs 80 bytes where its text may cost two ("- " in a list): bounds the memory of a 32 MiB text. */
#define MAX_NODES 2000000

struct document_reader {
    struct attestd_arena *arena;
    struct attestd_policy_fault *fault;
    yaml_parser_t parser;
    struct attestd_node *pending; /* nodes whose list or map is still open */
    size_t pending_count, pending_size;
    size_t nodes;
};

bool attestd_policy_fault_set(struct attestd_policy_fault *fault, unsigned line, unsigned column, const char *code, const char *format, ...)
{
    va_list args;
    fault->line = line;
    fault->column = column;
    snprintf(fault->code, sizeof fault->code, "%s", code);
    va_start(args, format);
    vsnprintf(fault->message, sizeof fault->message, format, args);
    va_end(args);
    return false;
}

static bool fault_at_mark(struct document_reader *reader, yaml_mark_t mark, const char *code, const char *message)
{
    return attestd_policy_fault_set(reader->fault, (unsigned)mark.line + 1, (unsigned)mark.column + 1, code, "%s", message);
}

static bool fault_of_parser(struct document_reader *reader)
{
    const yaml_parser_t *parser = &reader->parser;
    const char *problem = parser->problem != NULL ? parser->problem : "not YAML";
    if (parser->context == NULL)
        return fault_at_mark(reader, parser->problem_mark, "POLICY_YAML", problem);
    return attestd_policy_fault_set(reader->fault, (unsigned)parser->problem_mark.line + 1, (unsigned)parser->problem_mark.column + 1,
                                    "POLICY_YAML", "%s (%s from line %u)", problem, parser->context,
                                    (unsigned)parser->context_mark.line + 1);
}

static void push(struct document_reader *reader, const struct attestd_node *node)
{
    if (reader->pending_count == reader->pending_size) {
        size_t size = reader->pending_size == 0 ? 64 : reader->pending_size * 2;
        struct attestd_node *grown = attestd_arena_array(reader->arena, size, sizeof *grown);
        if (reader->pending_count > 0)
            memcpy(grown, reader->pending, reader->pending_count * sizeof *grown);
        reader->pending = grown;
        reader->pending_size = size;
    }
    reader->pending[reader->pending_count++] = *node;
}

/* The nodes pending since `from` become the items of a list or map. */
static void take_items(struct document_reader *reader, size_t from, struct attestd_node *node)
{
    node->count = reader->pending_count - from;
    node->items = attestd_arena_array(reader->arena, node->count, sizeof *node->items);
    if (node->count > 0)
        memcpy(node->items, reader->pending + from, node->count * sizeof *node->items);
    reader->pending_count = from;
}

static int by_name_then_place(const void *a, const void *b)
{
    const struct attestd_node *const *x = a, *const *y = b;
    int order = strcmp((*x)->name, (*y)->name);
    if (order != 0)
        return order;
    return *x < *y ? -1 : *x > *y;
}

static bool names_are_unique(struct document_reader *reader, const struct attestd_node *map)
{
    const struct attestd_node **sorted;
    if (map->count < 2)
        return true;
    sorted = attestd_arena_array(reader->arena, map->count, sizeof *sorted);
    for (size_t i = 0; i < map->count; i++)
        sorted[i] = &map->items[i];
    qsort(sorted, map->count, sizeof *sorted, by_name_then_place);
    for (size_t i = 1; i < map->count; i++) {
        if (strcmp(sorted[i - 1]->name, sorted[i]->name) != 0)
            continue;
        return attestd_policy_fault_set(reader->fault, sorted[i]->key_line, sorted[i]->key_column, "POLICY_DUPLICATE_KEY",
                                        "`%s` stands here a second time; the first is in line %u", sorted[i]->name,
                                        sorted[i - 1]->key_line);
    }
    return true;
}

static bool next_event(struct document_reader *reader, yaml_event_t *event)
{
    if (yaml_parser_parse(&reader->parser, event) == 1)
        return true;
    return fault_of_parser(reader);
}

static bool no_anchor_nor_tag(struct document_reader *reader, const yaml_event_t *event, const yaml_char_t *anchor, const yaml_char_t *tag)
{
    if (anchor != NULL)
        return fault_at_mark(reader, event->start_mark, "POLICY_ALIAS", "anchors (&name) are not allowed; write the value out");
    if (tag != NULL)
        return fault_at_mark(reader, event->start_mark, "POLICY_TAG", "tags (!name) are not allowed; the schema gives each value its type");
    return true;
}

static bool read_scalar(struct document_reader *reader, const yaml_event_t *event, const char **text)
{
    const char *value = (const char *)event->data.scalar.value;
    size_t len = event->data.scalar.length;
    if (!no_anchor_nor_tag(reader, event, event->data.scalar.anchor, event->data.scalar.tag))
        return false;
    if (memchr(value, 0, len) != NULL)
        return fault_at_mark(reader, event->start_mark, "POLICY_CHARACTER", "a text may not hold a NUL character");
    *text = (const char *)attestd_arena_bytes(reader->arena, value, len).data;
    return true;
}

static bool read_node(struct document_reader *reader, const yaml_event_t *event, unsigned depth, struct attestd_node *node);

static bool read_list(struct document_reader *reader, unsigned depth, struct attestd_node *node)
{
    size_t from = reader->pending_count;
    for (;;) {
        yaml_event_t event;
        struct attestd_node item = {0};
        bool ok;
        if (!next_event(reader, &event))
            return false;
        if (event.type == YAML_SEQUENCE_END_EVENT) {
            yaml_event_delete(&event);
            break;
        }
        ok = read_node(reader, &event, depth, &item);
        yaml_event_delete(&event);
        if (!ok)
            return false;
        push(reader, &item);
    }
    take_items(reader, from, node);
    return true;
}

static bool read_key(struct document_reader *reader, const yaml_event_t *event, struct attestd_node *item)
{
    if (event->type == YAML_ALIAS_EVENT)
        return fault_at_mark(reader, event->start_mark, "POLICY_ALIAS", "aliases (*name) are not allowed; write the value out");
    if (event->type != YAML_SCALAR_EVENT)
        return fault_at_mark(reader, event->start_mark, "POLICY_KEY", "a key must be a plain text, not a list or a map");
    item->key_line = (unsigned)event->start_mark.line + 1;
    item->key_column = (unsigned)event->start_mark.column + 1;
    return read_scalar(reader, event, &item->name);
}

static bool read_map(struct document_reader *reader, unsigned depth, struct attestd_node *node)
{
    size_t from = reader->pending_count;
    for (;;) {
        yaml_event_t event;
        struct attestd_node item = {0};
        bool ok;
        if (!next_event(reader, &event))
            return false;
        if (event.type == YAML_MAPPING_END_EVENT) {
            yaml_event_delete(&event);
            break;
        }
        ok = read_key(reader, &event, &item);
        yaml_event_delete(&event);
        if (!ok || !next_event(reader, &event))
            return false;
        ok = read_node(reader, &event, depth, &item);
        yaml_event_delete(&event);
        if (!ok)
            return false;
        push(reader, &item);
    }
    take_items(reader, from, node);
    return names_are_unique(reader, node);
}

/* One value, whose first event has been read. depth: lists and maps that are open around it. */
static bool read_node(struct document_reader *reader, const yaml_event_t *event, unsigned depth, struct attestd_node *node)
{
    node->line = (unsigned)event->start_mark.line + 1;
    node->column = (unsigned)event->start_mark.column + 1;
    if (++reader->nodes > MAX_NODES)
        return fault_at_mark(reader, event->start_mark, "POLICY_TOO_LARGE", "more than 2,000,000 values in one file");
    if (event->type == YAML_ALIAS_EVENT)
        return fault_at_mark(reader, event->start_mark, "POLICY_ALIAS", "aliases (*name) are not allowed; write the value out");
    if (event->type == YAML_SCALAR_EVENT) {
        node->kind = ATTESTD_NODE_TEXT;
        node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
        return read_scalar(reader, event, &node->text);
    }
    if (depth == MAX_DEPTH)
        return fault_at_mark(reader, event->start_mark, "POLICY_TOO_DEEP", "lists and maps are nested more than 32 deep");
    if (event->type == YAML_SEQUENCE_START_EVENT) {
        node->kind = ATTESTD_NODE_LIST;
        return no_anchor_nor_tag(reader, event, event->data.sequence_start.anchor, event->data.sequence_start.tag) &&
               read_list(reader, depth + 1, node);
    }
    node->kind = ATTESTD_NODE_MAP;
    return no_anchor_nor_tag(reader, event, event->data.mapping_start.anchor, event->data.mapping_start.tag) &&
           read_map(reader, depth + 1, node);
}

static bool empty_document(const struct attestd_node *node)
{
    return node->kind == ATTESTD_NODE_TEXT && !node->quoted && node->text[0] == '\0';
}

/* After DOCUMENT-START: the root and DOCUMENT-END. */
static bool read_document(struct document_reader *reader, struct attestd_node *root)
{
    yaml_event_t event;
    bool ok;
    if (!next_event(reader, &event))
        return false;
    ok = read_node(reader, &event, 0, root);
    yaml_event_delete(&event);
    if (!ok || !next_event(reader, &event))
        return false;
    yaml_event_delete(&event);
    return true;
}

static bool read_stream(struct document_reader *reader, const struct attestd_node **documents, size_t *count)
{
    struct attestd_node all = {0};
    for (;;) {
        yaml_event_t event;
        yaml_event_type_t type;
        struct attestd_node root = {0};
        if (!next_event(reader, &event))
            return false;
        type = event.type;
        yaml_event_delete(&event);
        if (type == YAML_STREAM_START_EVENT)
            continue;
        if (type != YAML_DOCUMENT_START_EVENT)
            break;
        if (!read_document(reader, &root))
            return false;
        if (!empty_document(&root))
            push(reader, &root);
    }
    take_items(reader, 0, &all);
    *documents = all.items;
    *count = all.count;
    return true;
}

/* Line and column (in bytes) of an offset. */
static bool fault_at_offset(struct attestd_policy_fault *fault, const char *text, size_t offset, const char *code, const char *message)
{
    unsigned line = 1, column = 1;
    for (size_t i = 0; i < offset; i++) {
        bool end = text[i] == '\n';
        line += end;
        column = end ? 1 : column + 1;
    }
    return attestd_policy_fault_set(fault, line, column, code, "%s", message);
}

/* Directives serve nothing here, and libyaml compares each %TAG with all before it. */
static bool no_directives(const char *text, size_t len, struct attestd_policy_fault *fault)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '%' && (i == 0 || text[i - 1] == '\n' || text[i - 1] == '\r'))
            return fault_at_offset(fault, text, i, "POLICY_DIRECTIVE", "a line may not begin with `%` (YAML directives are not allowed)");
    }
    return true;
}

static bool is_utf8(const char *text, size_t len, struct attestd_policy_fault *fault)
{
    size_t good = 0;
    const char *line = text;
    if (attestd_utf8_valid(text, len))
        return true;
    while (good < len) { /* the first line that is not */
        const char *end = memchr(line, '\n', len - good);
        size_t line_len = end == NULL ? len - good : (size_t)(end - line) + 1;
        if (!attestd_utf8_valid(line, line_len))
            break;
        good += line_len;
        line += line_len;
    }
    return fault_at_offset(fault, text, good, "POLICY_NOT_UTF8", "the text is not UTF-8 in this line");
}

bool attestd_document_read(struct attestd_arena *arena, const char *text, size_t len, size_t max_size,
                           const struct attestd_node **documents, size_t *count, struct attestd_policy_fault *fault)
{
    struct document_reader reader = {.arena = arena, .fault = fault};
    bool ok;
    if (len > max_size)
        return attestd_policy_fault_set(fault, 0, 0, "POLICY_TOO_LARGE", "%zu bytes, where %zu are allowed", len, max_size);
    if (!is_utf8(text, len, fault) || !no_directives(text, len, fault))
        return false;
    if (yaml_parser_initialize(&reader.parser) != 1)
        return attestd_policy_fault_set(fault, 0, 0, "POLICY_YAML", "out of memory");
    yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text, len);
    ok = read_stream(&reader, documents, count);
    yaml_parser_delete(&reader.parser);
    return ok;
}

const struct attestd_node *attestd_node_find(const struct attestd_node *map, const char *name)
{
    if (map == NULL || map->kind != ATTESTD_NODE_MAP)
        return NULL;
    for (size_t i = 0; i < map->count; i++) {
        if (strcmp(map->items[i].name, name) == 0)
            return &map->items[i];
    }
    return NULL;
}

static void node_of_json(struct attestd_arena *arena, const json_t *json, unsigned line, unsigned column, struct attestd_node *node)
{
    node->line = node->key_line = line;
    node->column = node->key_column = column;
    switch (json_typeof(json)) {
    case JSON_OBJECT: {
        const char *name;
        json_t *item;
        size_t at = 0;
        node->kind = ATTESTD_NODE_MAP;
        node->count = json_object_size(json);
        node->items = attestd_arena_array(arena, node->count, sizeof *node->items);
        /* jansson's iteration takes a mutable object, and changes nothing */
        json_object_foreach((json_t *)(uintptr_t)json, name, item)
        {
            node->items[at].name = attestd_arena_text(arena, name);
            node_of_json(arena, item, line, column, &node->items[at++]);
        }
        return;
    }
    case JSON_ARRAY:
        node->kind = ATTESTD_NODE_LIST;
        node->count = json_array_size(json);
        node->items = attestd_arena_array(arena, node->count, sizeof *node->items);
        for (size_t i = 0; i < node->count; i++)
            node_of_json(arena, json_array_get(json, i), line, column, &node->items[i]);
        return;
    case JSON_STRING:
        node->text = attestd_arena_text(arena, json_string_value(json));
        node->quoted = true;
        return;
    case JSON_INTEGER:
        node->text = attestd_arena_format(arena, "%" JSON_INTEGER_FORMAT, json_integer_value(json));
        return;
    case JSON_REAL:
        node->text = attestd_arena_format(arena, "%g", json_real_value(json));
        return;
    case JSON_TRUE:
        node->text = "true";
        return;
    case JSON_FALSE:
        node->text = "false";
        return;
    default:
        node->text = "";
    }
}

const struct attestd_node *attestd_node_from_json(struct attestd_arena *arena, const json_t *json, unsigned line, unsigned column)
{
    struct attestd_node *node = attestd_arena_alloc(arena, sizeof *node);
    node_of_json(arena, json, line, column, node);
    return node;
}

static bool read_all(int file, struct attestd_arena *arena, size_t size, struct attestd_bytes *bytes)
{
    uint8_t *data = attestd_arena_alloc(arena, size + 1);
    size_t at = 0;
    while (at < size) {
        ssize_t got = read(file, data + at, size - at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return false;
        if (got == 0)
            break;
        at += (size_t)got;
    }
    bytes->data = data;
    bytes->len = at;
    return true;
}

bool attestd_file_read(struct attestd_arena *arena, const char *path, size_t max_size, struct attestd_bytes *bytes, char *error,
                       size_t error_size)
{
    struct stat status;
    bool ok;
    /* O_NONBLOCK: a FIFO in the way must not hold the caller up */
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0 || fstat(file, &status) != 0) {
        snprintf(error, error_size, "%s: %s", path, strerror(errno));
        if (file >= 0)
            close(file);
        return false;
    }
    if (!S_ISREG(status.st_mode)) {
        snprintf(error, error_size, "%s: not a regular file", path);
        close(file);
        return false;
    }
    if ((uint64_t)status.st_size > max_size) {
        snprintf(error, error_size, "%s: %lld bytes, where %zu are allowed", path, (long long)status.st_size, max_size);
        close(file);
        return false;
    }
    ok = read_all(file, arena, (size_t)status.st_size, bytes);
    if (!ok)
        snprintf(error, error_size, "%s: %s", path, strerror(errno));
    close(file);
    return ok;
}
