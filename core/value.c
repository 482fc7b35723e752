/* SPDX-License-Identifier: Apache-2.0 */
#include "core/value.h"

#include "core/bytes.h"
#include "core/encoding.h"

#include <string.h>

/* A node of a tree under construction. Dead nodes were replaced; they stay in the index and wake up when set again. */
struct node {
    struct node *parent, *next, *first, *last;
    const char *name;
    size_t name_len;
    uint32_t hash;
    bool alive;
    int32_t kind;
    int64_t number;
    struct attestd_bytes text;
};

/* Named nodes are found through one open-addressing index over (parent, name): a report has some eighty claims. */
struct attestd_tree {
    struct attestd_arena *arena;
    struct node root;
    struct node **index;
    size_t slots, used;
};

#define FIRST_SLOTS 256

struct attestd_tree *attestd_tree_new(struct attestd_arena *arena)
{
    struct attestd_tree *tree = attestd_arena_alloc(arena, sizeof *tree);

    tree->arena = arena;
    tree->slots = FIRST_SLOTS;
    tree->index = attestd_arena_array(arena, tree->slots, sizeof(struct node *));
    tree->root.kind = ATTESTD_VALUE_MAP;
    tree->root.alive = true;
    return tree;
}

static uint32_t name_hash(const struct node *parent, const char *name, size_t len)
{
    uint32_t hash = 2166136261u ^ (uint32_t)((uintptr_t)parent >> 4);

    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (uint8_t)name[i]) * 16777619u;
    return hash;
}

static struct node **slot_of(struct node **index, size_t slots, const struct node *parent, const char *name, size_t len, uint32_t hash)
{
    size_t at = hash & (slots - 1);

    while (index[at] != NULL) {
        const struct node *node = index[at];
        if (node->hash == hash && node->parent == parent && node->name_len == len && memcmp(node->name, name, len) == 0)
            break;
        at = (at + 1) & (slots - 1);
    }
    return &index[at];
}

static void grow(struct attestd_tree *tree)
{
    size_t slots = tree->slots * 2;
    struct node **index = attestd_arena_array(tree->arena, slots, sizeof(struct node *));

    for (size_t i = 0; i < tree->slots; i++) {
        struct node *node = tree->index[i];
        if (node != NULL)
            *slot_of(index, slots, node->parent, node->name, node->name_len, node->hash) = node;
    }
    tree->index = index;
    tree->slots = slots;
}

static struct node *append(struct attestd_tree *tree, struct node *parent)
{
    struct node *node = attestd_arena_alloc(tree->arena, sizeof *node);

    node->parent = parent;
    if (parent->last != NULL)
        parent->last->next = node;
    else
        parent->first = node;
    parent->last = node;
    return node;
}

static struct node *child(struct attestd_tree *tree, struct node *parent, const char *name, size_t len)
{
    if (tree->used * 4 >= tree->slots * 3)
        grow(tree);
    uint32_t hash = name_hash(parent, name, len);
    struct node **slot = slot_of(tree->index, tree->slots, parent, name, len, hash);
    if (*slot != NULL)
        return *slot;

    struct node *node = append(tree, parent);
    node->name = (const char *)attestd_arena_bytes(tree->arena, name, len).data;
    node->name_len = len;
    node->hash = hash;
    tree->used++;
    *slot = node;
    return node;
}

static void kill_children(struct node *node)
{
    for (struct node *item = node->first; item != NULL; item = item->next) {
        item->alive = false;
        kill_children(item);
    }
}

static void become(struct node *node, int32_t kind)
{
    bool container = kind == ATTESTD_VALUE_MAP || kind == ATTESTD_VALUE_LIST;

    if (!node->alive || node->kind != kind || !container)
        kill_children(node);
    node->alive = true;
    node->kind = kind;
}

/* The node a path names, made alive on the way. */
static struct node *place(struct attestd_tree *tree, const char *path)
{
    struct node *node = &tree->root;
    size_t len = strlen(path);
    bool list = len > 2 && memcmp(path + len - 2, "[]", 2) == 0;
    const char *end = path + len - (list ? 2 : 0);

    for (;;) {
        const char *dot = memchr(path, '.', (size_t)(end - path));
        const char *stop = dot != NULL ? dot : end;
        node = child(tree, node, path, (size_t)(stop - path));
        if (dot == NULL)
            break;
        become(node, ATTESTD_VALUE_MAP);
        path = dot + 1;
    }
    if (!list)
        return node;
    become(node, ATTESTD_VALUE_LIST);
    return append(tree, node);
}

void attestd_tree_text(struct attestd_tree *tree, const char *path, const char *text)
{
    struct node *node = place(tree, path);

    become(node, ATTESTD_VALUE_TEXT);
    node->text = attestd_arena_bytes(tree->arena, text, strlen(text));
}

void attestd_tree_bytes(struct attestd_tree *tree, const char *path, const uint8_t *bytes, size_t len)
{
    struct node *node = place(tree, path);

    become(node, ATTESTD_VALUE_BYTES);
    node->text = attestd_arena_bytes(tree->arena, bytes, len);
}

void attestd_tree_number(struct attestd_tree *tree, const char *path, int64_t number)
{
    struct node *node = place(tree, path);

    become(node, ATTESTD_VALUE_NUMBER);
    node->number = number;
}

void attestd_tree_flag(struct attestd_tree *tree, const char *path, bool flag)
{
    struct node *node = place(tree, path);

    become(node, ATTESTD_VALUE_FLAG);
    node->number = flag;
}

static void to_value(struct attestd_arena *arena, const struct node *node, struct attestd_value *value)
{
    value->name = node->name;
    value->kind = node->kind;
    if (node->kind != ATTESTD_VALUE_MAP && node->kind != ATTESTD_VALUE_LIST) {
        value->number = node->number;
        value->text = node->text;
        return;
    }
    size_t count = 0;
    for (const struct node *item = node->first; item != NULL; item = item->next)
        count += item->alive;
    struct attestd_value *items = attestd_arena_array(arena, count, sizeof *items);
    value->items = items;
    for (const struct node *item = node->first; item != NULL; item = item->next)
        if (item->alive)
            to_value(arena, item, &items[value->count++]);
}

const struct attestd_value *attestd_tree_value(struct attestd_tree *tree)
{
    struct attestd_value *value = attestd_arena_alloc(tree->arena, sizeof *value);

    to_value(tree->arena, &tree->root, value);
    return value;
}

static const struct attestd_value *member(const struct attestd_value *map, const char *name, size_t len)
{
    if (map->kind != ATTESTD_VALUE_MAP)
        return NULL;
    for (size_t i = 0; i < map->count; i++) {
        const char *candidate = map->items[i].name;
        if (strncmp(candidate, name, len) == 0 && candidate[len] == '\0')
            return &map->items[i];
    }
    return NULL;
}

const struct attestd_value *attestd_value_find(const struct attestd_value *value, const char *path)
{
    while (value != NULL) {
        const char *dot = strchr(path, '.');
        size_t len = dot != NULL ? (size_t)(dot - path) : strlen(path);
        value = member(value, path, len);
        if (dot == NULL)
            break;
        path = dot + 1;
    }
    return value;
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool bytes_equal_hex(struct attestd_bytes bytes, struct attestd_bytes hex)
{
    if (hex.len != bytes.len * 2)
        return false;
    for (size_t i = 0; i < bytes.len; i++) {
        int high = hex_digit(hex.data[2 * i]), low = hex_digit(hex.data[2 * i + 1]);
        if (high < 0 || low < 0 || bytes.data[i] != (high << 4 | low))
            return false;
    }
    return true;
}

static bool items_equal(const struct attestd_value *a, const struct attestd_value *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        const struct attestd_value *x = &a->items[i];
        const struct attestd_value *y = a->kind == ATTESTD_VALUE_MAP ? member(b, x->name, strlen(x->name)) : &b->items[i];
        if (y == NULL || !attestd_value_equal(x, y))
            return false;
    }
    return true;
}

bool attestd_value_equal(const struct attestd_value *a, const struct attestd_value *b)
{
    if (a->kind == ATTESTD_VALUE_BYTES && b->kind == ATTESTD_VALUE_TEXT)
        return bytes_equal_hex(a->text, b->text);
    if (a->kind == ATTESTD_VALUE_TEXT && b->kind == ATTESTD_VALUE_BYTES)
        return bytes_equal_hex(b->text, a->text);
    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case ATTESTD_VALUE_NULL:
        return true;
    case ATTESTD_VALUE_FLAG:
    case ATTESTD_VALUE_NUMBER:
        return a->number == b->number;
    case ATTESTD_VALUE_TEXT:
    case ATTESTD_VALUE_BYTES:
        return attestd_bytes_equal(a->text, b->text);
    default:
        return items_equal(a, b);
    }
}

static void from_json(struct attestd_arena *arena, const json_t *json, struct attestd_value *value)
{
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        value->kind = ATTESTD_VALUE_MAP;
        break;
    case JSON_ARRAY:
        value->kind = ATTESTD_VALUE_LIST;
        break;
    case JSON_STRING:
        value->kind = ATTESTD_VALUE_TEXT;
        value->text = attestd_arena_bytes(arena, json_string_value(json), json_string_length(json));
        return;
    case JSON_INTEGER:
        value->kind = ATTESTD_VALUE_NUMBER;
        value->number = json_integer_value(json);
        return;
    case JSON_TRUE:
    case JSON_FALSE:
        value->kind = ATTESTD_VALUE_FLAG;
        value->number = json_is_true(json);
        return;
    default: /* null; and reals, which no setting or claim is */
        value->kind = ATTESTD_VALUE_NULL;
        return;
    }

    size_t count = json_is_object(json) ? json_object_size(json) : json_array_size(json);
    struct attestd_value *items = attestd_arena_array(arena, count, sizeof *items);
    value->items = items;
    if (json_is_array(json)) {
        for (size_t i = 0; i < count; i++)
            from_json(arena, json_array_get(json, i), &items[value->count++]);
        return;
    }
    const char *name;
    json_t *item;
    json_object_foreach((json_t *)(uintptr_t)json, name, item)
    {
        items[value->count].name = attestd_arena_text(arena, name);
        from_json(arena, item, &items[value->count++]);
    }
}

const struct attestd_value *attestd_value_from_json(struct attestd_arena *arena, const json_t *json)
{
    struct attestd_value *value = attestd_arena_alloc(arena, sizeof *value);

    from_json(arena, json, value);
    return value;
}

const char *attestd_value_show(struct attestd_arena *arena, const struct attestd_value *value)
{
    switch (value->kind) {
    case ATTESTD_VALUE_FLAG:
        return value->number ? "true" : "false";
    case ATTESTD_VALUE_NUMBER:
        return attestd_arena_format(arena, "%lld", (long long)value->number);
    case ATTESTD_VALUE_BYTES:
        return attestd_arena_hex(arena, value->text.data, value->text.len);
    case ATTESTD_VALUE_TEXT:
        return (const char *)attestd_arena_bytes(arena, value->text.data, value->text.len).data;
    default:
        break;
    }
    struct attestd_text text = {0};
    struct attestd_json_writer writer = attestd_json_writer_to(&text);
    attestd_json_value(&writer, NULL, value);
    const char *shown = attestd_arena_text(arena, text.data != NULL ? text.data : "");
    attestd_text_free(&text);
    return shown;
}
