/* SPDX-License-Identifier: Apache-2.0 */
#include "core/cbor.h"

#include "core/bytes.h"
#include "core/encoding.h"
#include <stdlib.h>
#include <string.h>

enum { DEEPEST = 16, MOST_PAIRS = 4096, FEW_KEYS = 32, BREAK = 0xff };

/* Keys of the maps that are open, innermost last; a map takes its own away at its end. */
struct key_stack {
    struct attestd_bytes few[FEW_KEYS];
    struct attestd_bytes *keys;
    size_t count, size;
};

struct decoder {
    struct attestd_reader in;
    unsigned flags;
    bool checked; /* a walk over what was checked before */
    const char *error;
    struct key_stack *stack;
};

struct head {
    uint8_t major, info;
    bool indefinite;
    uint64_t number;
};

static bool decode_item(struct decoder *d, unsigned depth, struct attestd_cbor *item);

static bool refuse(struct decoder *d, const char *phrase)
{
    if (!d->error)
        d->error = phrase;
    return false;
}

/* RFC 8949 section 3 */
static bool decode_head(struct decoder *d, struct head *head)
{
    uint8_t initial = attestd_read_u8(&d->in);
    *head = (struct head){.major = initial >> 5, .info = initial & 31, .number = initial & 31};
    static const uint64_t shortest_from[] = {24, UINT64_C(1) << 8, UINT64_C(1) << 16, UINT64_C(1) << 32};
    switch (head->info) {
    case 24:
        head->number = attestd_read_u8(&d->in);
        break;
    case 25:
        head->number = attestd_read_u16be(&d->in);
        break;
    case 26:
        head->number = attestd_read_u32be(&d->in);
        break;
    case 27:
        head->number = attestd_read_u64be(&d->in);
        break;
    case 31:
        head->indefinite = true;
        head->number = UINT64_MAX;
        break;
    default:
        if (head->info > 27)
            return refuse(d, "reserved additional information");
    }
    if (d->in.failed)
        return refuse(d, "ends inside an item");
    bool longer = head->info >= 24 && head->info <= 27 && head->major != 7;
    if (longer && d->flags & ATTESTD_CBOR_SHORTEST && head->number < shortest_from[head->info - 24])
        return refuse(d, "number not in its shortest form");
    if (!head->indefinite)
        return true;
    if (head->major == 7)
        return refuse(d, "break out of place");
    if (head->major < 2 || head->major == 6)
        return refuse(d, "reserved additional information");
    return d->flags & ATTESTD_CBOR_ALLOW_INDEFINITE || refuse(d, "indefinite length");
}

static bool take_break(struct decoder *d)
{
    struct attestd_reader ahead = d->in;
    if (attestd_read_u8(&ahead) != BREAK || ahead.failed)
        return false;
    d->in = ahead;
    return true;
}

/* The bytes between an offset and the cursor. */
static struct attestd_bytes since(const struct decoder *d, size_t start)
{
    return (struct attestd_bytes){d->in.base + start, d->in.at - start};
}

static bool string_contents(struct decoder *d, const struct head *head, struct attestd_bytes *contents)
{
    if (head->number > attestd_reader_left(&d->in))
        return refuse(d, "length beyond the end");
    *contents = attestd_read_bytes(&d->in, (size_t)head->number);
    if (head->major == 3 && !d->checked && !attestd_utf8_valid((const char *)contents->data, contents->len))
        return refuse(d, "text is not UTF-8");
    return true;
}

/* Section 3.2.3: chunks are strings of the same type and of definite length. */
static bool decode_chunks(struct decoder *d, uint8_t major, struct attestd_bytes *contents)
{
    size_t start = d->in.at;
    for (;;) {
        size_t end = d->in.at;
        if (take_break(d)) {
            *contents = (struct attestd_bytes){d->in.base + start, end - start};
            return true;
        }
        struct head chunk;
        struct attestd_bytes piece;
        if (!decode_head(d, &chunk))
            return false;
        if (chunk.major != major || chunk.indefinite)
            return refuse(d, "chunk of another type");
        if (!string_contents(d, &chunk, &piece))
            return false;
    }
}

static int compare_keys(const void *a, const void *b)
{
    const struct attestd_bytes *x = a, *y = b;
    int order = memcmp(x->data, y->data, x->len < y->len ? x->len : y->len);
    return order ? order : (x->len > y->len) - (x->len < y->len);
}

static void push_key(struct key_stack *stack, struct attestd_bytes key)
{
    if (stack->count == stack->size) {
        struct attestd_bytes *grown = malloc(2 * stack->size * sizeof *grown);
        if (!grown)
            abort();
        memcpy(grown, stack->keys, stack->count * sizeof *grown);
        if (stack->keys != stack->few)
            free(stack->keys);
        stack->keys = grown;
        stack->size *= 2;
    }
    stack->keys[stack->count++] = key;
}

/* Sorts the map's keys, so that a map of many keys costs no more than n log n. */
static bool keys_unique(struct key_stack *stack, size_t base)
{
    size_t count = stack->count - base;
    struct attestd_bytes *keys = stack->keys + base;
    stack->count = base;
    qsort(keys, count, sizeof *keys, compare_keys);
    for (size_t i = 1; i < count; i++)
        if (compare_keys(&keys[i - 1], &keys[i]) == 0)
            return false;
    return true;
}

/* A key is read in its one shortest form whatever was asked, so that equal keys have equal bytes. */
static bool decode_key(struct decoder *d, unsigned depth, size_t base)
{
    unsigned flags = d->flags;
    struct attestd_cbor key;
    if (!d->checked)
        d->flags = (flags | ATTESTD_CBOR_SHORTEST) & ~(unsigned)ATTESTD_CBOR_ALLOW_INDEFINITE;
    bool good = decode_item(d, depth, &key);
    d->flags = flags;
    if (!good || d->checked)
        return good;
    struct key_stack *stack = d->stack;
    if (stack->count - base == MOST_PAIRS)
        return refuse(d, "map of too many pairs");
    push_key(stack, key.whole);
    if (!(flags & ATTESTD_CBOR_SORTED) || stack->count - base < 2)
        return true;
    int order = compare_keys(&stack->keys[stack->count - 2], &stack->keys[stack->count - 1]);
    return order < 0 || refuse(d, order == 0 ? "duplicate map key" : "map keys out of order");
}

static bool decode_container(struct decoder *d, const struct head *head, unsigned depth, struct attestd_bytes *contents)
{
    if (depth == DEEPEST)
        return refuse(d, "nested too deeply");
    bool map = head->major == 5;
    if (!head->indefinite && head->number > attestd_reader_left(&d->in) / (map ? 2 : 1))
        return refuse(d, "length beyond the end");
    size_t start = d->in.at, base = d->stack ? d->stack->count : 0, end = start;
    struct attestd_cbor item;
    for (uint64_t i = 0; head->indefinite || i < head->number; i++) {
        if (head->indefinite && take_break(d))
            break;
        if ((map && !decode_key(d, depth + 1, base)) || !decode_item(d, depth + 1, &item))
            return false;
        end = d->in.at;
    }
    *contents = (struct attestd_bytes){d->in.base + start, end - start};
    return !map || d->checked || keys_unique(d->stack, base) || refuse(d, "duplicate map key");
}

static bool decode_tag(struct decoder *d, unsigned depth, struct attestd_bytes *contents)
{
    size_t start = d->in.at;
    struct attestd_cbor item;
    if (depth == DEEPEST)
        return refuse(d, "nested too deeply");
    if (!decode_item(d, depth + 1, &item))
        return false;
    *contents = since(d, start);
    return true;
}

/* Section 3.3 */
static bool decode_simple(struct decoder *d, const struct head *head, struct attestd_cbor *item)
{
    if (head->info == 24 && head->number < 32)
        return refuse(d, "simple value in a reserved form");
    item->type = ATTESTD_CBOR_SIMPLE;
    item->number = head->number;
    if (head->info < 25)
        return true;
    size_t size = (size_t)1 << (head->info - 24);
    item->type = ATTESTD_CBOR_FLOAT;
    item->number = 0;
    item->bytes = since(d, d->in.at - size);
    return true;
}

static bool decode_contents(struct decoder *d, const struct head *head, unsigned depth, struct attestd_cbor *item)
{
    static const enum attestd_cbor_type types[] = {ATTESTD_CBOR_UNSIGNED, ATTESTD_CBOR_NEGATIVE, ATTESTD_CBOR_BYTES, ATTESTD_CBOR_TEXT,
                                                   ATTESTD_CBOR_LIST,     ATTESTD_CBOR_MAP,      ATTESTD_CBOR_TAG};
    if (head->major == 7)
        return decode_simple(d, head, item);
    item->type = types[head->major];
    item->number = head->number;
    switch (head->major) {
    case 2:
    case 3:
        return head->indefinite ? decode_chunks(d, head->major, &item->bytes) : string_contents(d, head, &item->bytes);
    case 4:
    case 5:
        return decode_container(d, head, depth, &item->bytes);
    case 6:
        return decode_tag(d, depth, &item->bytes);
    default:
        return true;
    }
}

static bool decode_item(struct decoder *d, unsigned depth, struct attestd_cbor *item)
{
    struct head head;
    size_t start = d->in.at;
    *item = (struct attestd_cbor){.flags = d->flags};
    if (!decode_head(d, &head) || !decode_contents(d, &head, depth, item))
        return false;
    item->whole = since(d, start);
    return true;
}

bool attestd_cbor_read_first(const uint8_t *bytes, size_t len, unsigned flags, struct attestd_cbor *root, size_t *used, const char **error,
                             size_t *offset)
{
    struct key_stack stack = {.size = FEW_KEYS};
    stack.keys = stack.few;
    struct decoder d = {.in = attestd_reader_of(bytes, len), .flags = flags, .stack = &stack};
    bool good = decode_item(&d, 0, root);
    if (stack.keys != stack.few)
        free(stack.keys);
    *used = good ? d.in.at : 0;
    if (error)
        *error = d.error;
    if (offset)
        *offset = d.in.at;
    if (!good)
        *root = (struct attestd_cbor){.type = ATTESTD_CBOR_INVALID};
    return good;
}

bool attestd_cbor_read(const uint8_t *bytes, size_t len, unsigned flags, struct attestd_cbor *root, const char **error, size_t *offset)
{
    size_t used;
    if (!attestd_cbor_read_first(bytes, len, flags, root, &used, error, offset))
        return false;
    if (used == len)
        return true;
    if (error)
        *error = "bytes behind the item";
    *root = (struct attestd_cbor){.type = ATTESTD_CBOR_INVALID};
    return false;
}

/* Walking */

bool attestd_cbor_next(const struct attestd_cbor *container, size_t *at, struct attestd_cbor *item)
{
    const struct attestd_cbor from = *container; /* item may be the container itself */
    bool holds_items = from.type == ATTESTD_CBOR_LIST || from.type == ATTESTD_CBOR_MAP || from.type == ATTESTD_CBOR_TAG;
    *item = (struct attestd_cbor){.type = ATTESTD_CBOR_INVALID};
    if (!holds_items || *at >= from.bytes.len)
        return false;
    struct decoder d = {
        .in = attestd_reader_of(from.bytes.data, from.bytes.len), .flags = from.flags | ATTESTD_CBOR_ALLOW_INDEFINITE, .checked = true};
    d.in.at = *at;
    if (!decode_item(&d, 0, item))
        return false;
    item->flags = from.flags;
    *at = d.in.at;
    return true;
}

size_t attestd_cbor_count(const struct attestd_cbor *container)
{
    if (container->type != ATTESTD_CBOR_LIST && container->type != ATTESTD_CBOR_MAP)
        return 0;
    if (container->number != UINT64_MAX)
        return (size_t)container->number;
    size_t at = 0, count = 0;
    struct attestd_cbor item;
    while (attestd_cbor_next(container, &at, &item))
        count++;
    return container->type == ATTESTD_CBOR_MAP ? count / 2 : count;
}

static bool find(const struct attestd_cbor *map, const struct attestd_cbor *wanted, struct attestd_cbor *value)
{
    const struct attestd_cbor from = *map; /* value may be the map itself */
    size_t at = 0;
    struct attestd_cbor key;
    while (from.type == ATTESTD_CBOR_MAP && attestd_cbor_next(&from, &at, &key) && attestd_cbor_next(&from, &at, value)) {
        bool text = key.type == ATTESTD_CBOR_TEXT;
        if (key.type == wanted->type && (text ? attestd_bytes_equal(key.bytes, wanted->bytes) : key.number == wanted->number))
            return true;
    }
    *value = (struct attestd_cbor){.type = ATTESTD_CBOR_INVALID};
    return false;
}

bool attestd_cbor_map_text(const struct attestd_cbor *map, const char *key, struct attestd_cbor *value)
{
    struct attestd_cbor wanted = {.type = ATTESTD_CBOR_TEXT, .bytes = {(const uint8_t *)key, strlen(key)}};
    return find(map, &wanted, value);
}

bool attestd_cbor_map_number(const struct attestd_cbor *map, int64_t key, struct attestd_cbor *value)
{
    struct attestd_cbor wanted = {.type = ATTESTD_CBOR_UNSIGNED, .number = (uint64_t)key};
    if (key < 0)
        wanted = (struct attestd_cbor){.type = ATTESTD_CBOR_NEGATIVE, .number = (uint64_t)(-1 - key)};
    return find(map, &wanted, value);
}

bool attestd_cbor_copy(const struct attestd_cbor *item, uint8_t *out, size_t out_size, size_t *len)
{
    *len = 0;
    if (item->type != ATTESTD_CBOR_BYTES && item->type != ATTESTD_CBOR_TEXT)
        return false;
    bool chunked = item->number == UINT64_MAX;
    struct decoder d = {.in = attestd_reader_of(item->bytes.data, item->bytes.len), .checked = true};
    do {
        struct attestd_bytes piece = item->bytes;
        struct head head;
        if (chunked && attestd_reader_left(&d.in) == 0)
            return true;
        if (chunked && (!decode_head(&d, &head) || !string_contents(&d, &head, &piece)))
            return false;
        if (piece.len > out_size - *len)
            return false;
        if (piece.len)
            memcpy(out + *len, piece.data, piece.len);
        *len += piece.len;
    } while (chunked);
    return true;
}
