/* SPDX-License-Identifier: Apache-2.0 */
#include "core/json.h"

#include "core/encoding.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Text */

static char *grow(struct attestd_text *t, size_t more)
{
    size_t size = t->size ? t->size : 256;
    while (size - t->len <= more) {
        if (size > SIZE_MAX / 2)
            abort();
        size *= 2;
    }
    char *data = realloc(t->data, size);
    if (!data) {
        fputs("attestd: out of memory\n", stderr);
        abort();
    }
    t->data = data;
    t->size = size;
    return data + t->len;
}

/* Room for `more` characters and the NUL. */
static inline char *reserve(struct attestd_text *t, size_t more)
{
    return more < t->size - t->len ? t->data + t->len : grow(t, more);
}

static void commit(struct attestd_text *t, size_t len)
{
    t->len += len;
    t->data[t->len] = 0;
}

void attestd_text_add(struct attestd_text *t, const char *bytes, size_t len)
{
    char *out = reserve(t, len);
    if (len)
        memcpy(out, bytes, len);
    commit(t, len);
}

void attestd_text_puts(struct attestd_text *t, const char *text)
{
    attestd_text_add(t, text, strlen(text));
}

void attestd_text_printf(struct attestd_text *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    reserve(t, 128);
    int len = vsnprintf(t->data + t->len, t->size - t->len, format, args);
    if (len > 0 && (size_t)len >= t->size - t->len) {
        reserve(t, (size_t)len);
        vsnprintf(t->data + t->len, t->size - t->len, format, again);
    }
    commit(t, len > 0 ? (size_t)len : 0);
    va_end(again);
    va_end(args);
}

void attestd_text_free(struct attestd_text *t)
{
    free(t->data);
    *t = (struct attestd_text){0};
}

/* Writing */

/* Deeper containers are written as null: the bits of `first` end there, and nothing that was read is as deep. */
enum { DEEPEST = 60 };

struct attestd_json_writer attestd_json_writer_to(struct attestd_text *out)
{
    return (struct attestd_json_writer){.out = out, .first = 1};
}

/* 'u': written as \u00XX; '8': no UTF-8; else the letter behind the backslash. */
static char escape_of(unsigned char c)
{
    switch (c) {
    case '"':
        return '"';
    case '\\':
        return '\\';
    case '\b':
        return 'b';
    case '\f':
        return 'f';
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    default:
        return c < 0x20 ? 'u' : c >= 0x80 ? '8' : 0;
    }
}

/* Eight at a time while there are eight: most of an answer, and of a request, is such text. */
static size_t ascii_run(const char *text, size_t len)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
    size_t i = 0;
    for (; i + 8 <= len; i += 8) {
        uint64_t eight;
        memcpy(&eight, text + i, 8);
        uint64_t quote = eight ^ (ones * '"'), backslash = eight ^ (ones * '\\');
        /* a top bit appears where a byte is below 0x20, a quote, a backslash, or above 0x7f already */
        if ((eight | (eight - ones * 0x20) | (quote - ones) | (backslash - ones)) & tops)
            break;
    }
    while (i < len && (unsigned char)text[i] >= 0x20 && (unsigned char)text[i] < 0x80 && text[i] != '"' && text[i] != '\\')
        i++;
    return i;
}

size_t attestd_json_plain_run(const char *text, size_t len)
{
    size_t i = 0;
    for (size_t step = 1; step > 0 && i < len; i += step) {
        i += ascii_run(text + i, len - i);
        step = i < len && (unsigned char)text[i] >= 0x80 ? attestd_utf8_sequence(text + i, len - i) : 0;
    }
    return i;
}

static void put_escaped(struct attestd_text *t, unsigned char c, char letter)
{
    static const char digits[] = "0123456789abcdef";
    const char code[] = {'\\', letter, '0', '0', digits[c >> 4], digits[c & 15]};
    attestd_text_add(t, code, letter == 'u' ? 6 : 2);
}

/* From a character that does not stand for itself. */
static void put_rest(struct attestd_text *t, const char *text, size_t len)
{
    for (size_t i = 0; i < len;) {
        char escape = escape_of((unsigned char)text[i]);
        if (escape == '8')
            attestd_text_add(t, "\xef\xbf\xbd", 3);
        else
            put_escaped(t, (unsigned char)text[i], escape);
        i++;
        size_t run = attestd_json_plain_run(text + i, len - i);
        attestd_text_add(t, text + i, run);
        i += run;
    }
}

static void put_string(struct attestd_text *t, const char *text, size_t len)
{
    char *out = reserve(t, len + 2);
    size_t run = attestd_json_plain_run(text, len);
    out[0] = '"';
    memcpy(out + 1, text, run);
    if (run == len) {
        out[run + 1] = '"';
        commit(t, run + 2);
        return;
    }
    commit(t, run + 1);
    put_rest(t, text + run, len - run);
    attestd_text_add(t, "\"", 1);
}

/* The comma and the name before a value. */
static void begin(struct attestd_json_writer *w, const char *name)
{
    uint64_t bit = UINT64_C(1) << (w->depth & 63);
    if (!(w->first & bit))
        attestd_text_add(w->out, ",", 1);
    w->first &= ~bit;
    if (!name)
        return;
    put_string(w->out, name, strlen(name));
    attestd_text_add(w->out, ":", 1);
}

static void open_container(struct attestd_json_writer *w, const char *name, const char *bracket)
{
    begin(w, name);
    attestd_text_add(w->out, bracket, 1);
    w->depth++;
    w->first |= UINT64_C(1) << (w->depth & 63);
}

static void close_container(struct attestd_json_writer *w, const char *bracket)
{
    if (w->depth > 0)
        w->depth--;
    attestd_text_add(w->out, bracket, 1);
}

void attestd_json_open_map(struct attestd_json_writer *w, const char *name)
{
    open_container(w, name, "{");
}

void attestd_json_close_map(struct attestd_json_writer *w)
{
    close_container(w, "}");
}

void attestd_json_open_list(struct attestd_json_writer *w, const char *name)
{
    open_container(w, name, "[");
}

void attestd_json_close_list(struct attestd_json_writer *w)
{
    close_container(w, "]");
}

void attestd_json_text(struct attestd_json_writer *w, const char *name, const char *text)
{
    attestd_json_text_n(w, name, text, text ? strlen(text) : 0);
}

void attestd_json_text_n(struct attestd_json_writer *w, const char *name, const char *text, size_t len)
{
    if (!text) {
        attestd_json_null(w, name);
        return;
    }
    begin(w, name);
    put_string(w->out, text, len);
}

void attestd_json_number(struct attestd_json_writer *w, const char *name, int64_t number)
{
    char digits[24], *d = digits + sizeof digits;
    uint64_t n = number < 0 ? -(uint64_t)number : (uint64_t)number;
    do
        *--d = (char)('0' + n % 10);
    while (n /= 10);
    if (number < 0)
        *--d = '-';
    attestd_json_raw(w, name, d, (size_t)(digits + sizeof digits - d));
}

void attestd_json_flag(struct attestd_json_writer *w, const char *name, bool flag)
{
    attestd_json_raw(w, name, flag ? "true" : "false", flag ? 4 : 5);
}

void attestd_json_null(struct attestd_json_writer *w, const char *name)
{
    attestd_json_raw(w, name, "null", 4);
}

void attestd_json_hex(struct attestd_json_writer *w, const char *name, const uint8_t *bytes, size_t len)
{
    begin(w, name);
    char *out = reserve(w->out, 2 * len + 2);
    out[0] = '"';
    attestd_hex_encode(bytes, len, out + 1);
    out[2 * len + 1] = '"';
    commit(w->out, 2 * len + 2);
}

static void put_base64(struct attestd_json_writer *w, const char *name, const uint8_t *bytes, size_t len,
                       size_t encode(const uint8_t *, size_t, char *))
{
    begin(w, name);
    char *out = reserve(w->out, ATTESTD_BASE64_SIZE(len) + 2);
    out[0] = '"';
    size_t chars = encode(bytes, len, out + 1);
    out[chars + 1] = '"';
    commit(w->out, chars + 2);
}

void attestd_json_base64(struct attestd_json_writer *w, const char *name, const uint8_t *bytes, size_t len)
{
    put_base64(w, name, bytes, len, attestd_base64_encode);
}

void attestd_json_base64url(struct attestd_json_writer *w, const char *name, const uint8_t *bytes, size_t len)
{
    put_base64(w, name, bytes, len, attestd_base64url_encode);
}

void attestd_json_time(struct attestd_json_writer *w, const char *name, int64_t seconds)
{
    char text[ATTESTD_TIME_SIZE];
    attestd_time_format(seconds, text);
    attestd_json_text_n(w, name, text, ATTESTD_TIME_SIZE - 1);
}

void attestd_json_raw(struct attestd_json_writer *w, const char *name, const char *json, size_t len)
{
    begin(w, name);
    attestd_text_add(w->out, json, len);
}

static void put_items(struct attestd_json_writer *w, const struct attestd_value *value)
{
    for (size_t i = 0; i < value->count; i++)
        attestd_json_value(w, value->kind == ATTESTD_VALUE_MAP ? value->items[i].name : NULL, &value->items[i]);
}

void attestd_json_value(struct attestd_json_writer *w, const char *name, const struct attestd_value *value)
{
    bool container = value && (value->kind == ATTESTD_VALUE_LIST || value->kind == ATTESTD_VALUE_MAP);
    if (!value || value->kind == ATTESTD_VALUE_NULL || (container && w->depth >= DEEPEST)) {
        attestd_json_null(w, name);
        return;
    }
    switch (value->kind) {
    case ATTESTD_VALUE_FLAG:
        attestd_json_flag(w, name, value->number != 0);
        return;
    case ATTESTD_VALUE_NUMBER:
        attestd_json_number(w, name, value->number);
        return;
    case ATTESTD_VALUE_TEXT:
        attestd_json_text_n(w, name, value->text.data ? (const char *)value->text.data : "", value->text.len);
        return;
    case ATTESTD_VALUE_BYTES:
        attestd_json_hex(w, name, value->text.data, value->text.len);
        return;
    case ATTESTD_VALUE_LIST:
        attestd_json_open_list(w, name);
        put_items(w, value);
        attestd_json_close_list(w);
        return;
    case ATTESTD_VALUE_MAP:
        attestd_json_open_map(w, name);
        put_items(w, value);
        attestd_json_close_map(w);
        return;
    default:
        attestd_json_null(w, name);
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void put_object(struct attestd_json_writer *w, const char *name, const json_t *object)
{
    size_t count = json_object_size(object), i = 0;
    const char **names = calloc(count + 1, sizeof *names);
    if (!names)
        abort();
    json_t *map = (json_t *)(uintptr_t)object; /* the iterator takes no const, and changes nothing */
    for (void *at = json_object_iter(map); at && i < count; at = json_object_iter_next(map, at))
        names[i++] = json_object_iter_key(at);
    qsort(names, i, sizeof *names, by_name);
    attestd_json_open_map(w, name);
    for (size_t n = 0; n < i; n++)
        attestd_json_jansson(w, names[n], json_object_get(object, names[n]));
    attestd_json_close_map(w);
    free(names);
}

static void put_real(struct attestd_json_writer *w, const char *name, const json_t *value)
{
    char text[64];
    size_t len = json_dumpb(value, text, sizeof text, JSON_ENCODE_ANY);
    attestd_json_raw(w, name, len && len <= sizeof text ? text : "null", len && len <= sizeof text ? len : 4);
}

void attestd_json_jansson(struct attestd_json_writer *w, const char *name, const json_t *value)
{
    if (!value || json_is_null(value) || ((json_is_object(value) || json_is_array(value)) && w->depth >= DEEPEST)) {
        attestd_json_null(w, name);
        return;
    }
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        put_object(w, name, value);
        return;
    case JSON_ARRAY:
        attestd_json_open_list(w, name);
        for (size_t i = 0; i < json_array_size(value); i++)
            attestd_json_jansson(w, NULL, json_array_get(value, i));
        attestd_json_close_list(w);
        return;
    case JSON_STRING:
        attestd_json_text_n(w, name, json_string_value(value), json_string_length(value));
        return;
    case JSON_INTEGER:
        attestd_json_number(w, name, json_integer_value(value));
        return;
    case JSON_REAL:
        put_real(w, name, value);
        return;
    default:
        attestd_json_flag(w, name, json_is_true(value));
    }
}
