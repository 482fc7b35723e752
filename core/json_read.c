/* SPDX-License-Identifier: Apache-2.0 */
/* A reader of its own: jansson's looks at every character through a function pointer, which made a request's text the dearest part of a
 * warm verification after its signature. */
#include "core/json.h"

#include "core/encoding.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MANY_VALUES = 65536, DEEPEST = 64 };

struct json_reader {
    const char *text, *at, *end;
    char *scratch; /* as long as the text: a string without its escapes is shorter */
    unsigned depth, max_depth;
    size_t values_left; /* a value of two bytes takes a hundred as jansson's: what is short must stay small */
    const char *error;
};

static json_t *read_value(struct json_reader *r);

static json_t *refuse(struct json_reader *r, const char *phrase)
{
    if (!r->error)
        r->error = phrase;
    return NULL;
}

static void skip_space(struct json_reader *r)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\n' || *r->at == '\r' || *r->at == '\t'))
        r->at++;
}

static bool take(struct json_reader *r, char c)
{
    if (r->at == r->end || *r->at != c)
        return false;
    r->at++;
    return true;
}

/* Strings */

static bool hex4(struct json_reader *r, uint32_t *code)
{
    uint8_t bytes[2];
    size_t len;
    if (r->end - r->at < 4 || !attestd_hex_decode(r->at, 4, bytes, sizeof bytes, &len))
        return false;
    *code = (uint32_t)bytes[0] << 8 | bytes[1];
    r->at += 4;
    return true;
}

/* The character behind "\u", two of them for one beyond the basic plane (RFC 8259 section 7). */
static bool escaped_code(struct json_reader *r, uint32_t *code)
{
    uint32_t low;
    if (!hex4(r, code) || *code == 0 || (*code >= 0xdc00 && *code < 0xe000))
        return false;
    if (*code < 0xd800 || *code >= 0xdc00)
        return true;
    if (!take(r, '\\') || !take(r, 'u') || !hex4(r, &low) || low < 0xdc00 || low >= 0xe000)
        return false;
    *code = 0x10000 + ((*code - 0xd800) << 10) + (low - 0xdc00);
    return true;
}

static char *put_utf8(char *out, uint32_t code)
{
    if (code < 0x80) {
        *out++ = (char)code;
        return out;
    }
    unsigned more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static const uint8_t leads[] = {0, 0xc0, 0xe0, 0xf0};
    *out++ = (char)(leads[more] | code >> 6 * more);
    while (more-- > 0)
        *out++ = (char)(0x80 | (code >> 6 * more & 0x3f));
    return out;
}

static char *take_escape(struct json_reader *r, char *out)
{
    static const char letters[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    uint32_t code;
    if (r->at == r->end)
        return NULL;
    char c = *r->at++;
    const char *letter = c ? strchr(letters, c) : NULL;
    if (letter) {
        *out++ = meant[letter - letters];
        return out;
    }
    return c == 'u' && escaped_code(r, &code) ? put_utf8(out, code) : NULL;
}

/* To the closing quote of a string whose first escape is at the cursor; start is where the string began. */
static bool take_escaped(struct json_reader *r, const char *start, size_t *len)
{
    char *out = r->scratch + (r->at - start);
    memcpy(r->scratch, start, (size_t)(r->at - start));
    while (r->at < r->end && *r->at != '"') {
        if (*r->at == '\\') {
            r->at++;
            out = take_escape(r, out);
            if (!out)
                return refuse(r, "not an escape of a character");
            continue;
        }
        size_t run = attestd_json_plain_run(r->at, (size_t)(r->end - r->at));
        if (run == 0)
            return refuse(r, "control character in a string, or not UTF-8");
        memcpy(out, r->at, run);
        out += run;
        r->at += run;
    }
    *len = (size_t)(out - r->scratch);
    return true;
}

/* Behind the opening quote. The contents are borrowed from the text or from scratch until the next string. */
static bool take_string(struct json_reader *r, const char **contents, size_t *len)
{
    const char *start = r->at;
    r->at += attestd_json_plain_run(start, (size_t)(r->end - start));
    *contents = start;
    *len = (size_t)(r->at - start);
    if (r->at < r->end && *r->at == '\\') {
        *contents = r->scratch;
        if (!take_escaped(r, start, len))
            return false;
    }
    if (take(r, '"'))
        return true;
    return refuse(r, r->at == r->end ? "ends inside a string" : "control character in a string, or not UTF-8");
}

static json_t *read_string(struct json_reader *r)
{
    const char *contents;
    size_t len;
    if (!take_string(r, &contents, &len))
        return NULL;
    json_t *value = json_stringn_nocheck(contents, len);
    return value ? value : refuse(r, "out of memory");
}

/* Numbers */

static size_t digits(struct json_reader *r)
{
    const char *start = r->at;
    while (r->at < r->end && *r->at >= '0' && *r->at <= '9')
        r->at++;
    return (size_t)(r->at - start);
}

static json_t *integer_of(struct json_reader *r, const char *start)
{
    bool negative = *start == '-';
    uint64_t number = 0, limit = (uint64_t)INT64_MAX + negative;
    for (const char *c = start + negative; c < r->at; c++) {
        uint64_t digit = (uint64_t)(*c - '0');
        if (number > (limit - digit) / 10)
            return refuse(r, "integer too big");
        number = number * 10 + digit;
    }
    json_t *value = json_integer(negative ? (json_int_t)(0 - number) : (json_int_t)number);
    return value ? value : refuse(r, "out of memory");
}

static json_t *read_number(struct json_reader *r)
{
    const char *start = r->at;
    bool real = false;
    (void)take(r, '-');
    bool zero = r->at < r->end && *r->at == '0';
    size_t whole = digits(r);
    if (whole == 0 || (zero && whole > 1))
        return refuse(r, "not a number");
    if (take(r, '.')) {
        real = true;
        if (digits(r) == 0)
            return refuse(r, "not a number");
    }
    if (take(r, 'e') || take(r, 'E')) {
        real = true;
        if (!take(r, '+'))
            (void)take(r, '-');
        if (digits(r) == 0)
            return refuse(r, "not a number");
    }
    if (!real)
        return integer_of(r, start);
    json_t *value = json_loadb(start, (size_t)(r->at - start), JSON_DECODE_ANY, NULL); /* knows how to leave the locale out of it */
    return value ? value : refuse(r, "real number overflow");
}

/* Containers */

/* The caller frees the name. */
static bool take_name(struct json_reader *r, char **name)
{
    const char *contents;
    size_t len;
    skip_space(r);
    if (!take(r, '"'))
        return refuse(r, "a name in quotes expected");
    if (!take_string(r, &contents, &len))
        return false;
    *name = malloc(len + 1);
    if (!*name)
        return refuse(r, "out of memory");
    memcpy(*name, contents, len);
    (*name)[len] = 0;
    return true;
}

static bool read_member(struct json_reader *r, json_t *object)
{
    char *name = NULL;
    if (!take_name(r, &name))
        return false;
    bool good = !json_object_get(object, name) || refuse(r, "duplicate name");
    skip_space(r);
    good = good && (take(r, ':') || refuse(r, "':' expected"));
    json_t *value = good ? read_value(r) : NULL;
    good = value && (json_object_set_new_nocheck(object, name, value) == 0 || refuse(r, "out of memory"));
    free(name);
    return good;
}

static bool read_element(struct json_reader *r, json_t *array)
{
    json_t *value = read_value(r);
    return value && (json_array_append_new(array, value) == 0 || refuse(r, "out of memory"));
}

/* Behind the opening bracket. */
static bool read_items(struct json_reader *r, json_t *container, char close, bool item(struct json_reader *, json_t *))
{
    skip_space(r);
    if (take(r, close))
        return true;
    do {
        if (!item(r, container))
            return false;
        skip_space(r);
    } while (take(r, ','));
    return take(r, close) || refuse(r, close == '}' ? "',' or '}' expected" : "',' or ']' expected");
}

static json_t *read_container(struct json_reader *r, bool object)
{
    if (r->depth == r->max_depth) {
        r->at--; /* to the bracket */
        return refuse(r, "nested too deeply");
    }
    json_t *container = object ? json_object() : json_array();
    r->depth++;
    bool good = container && (object ? read_items(r, container, '}', read_member) : read_items(r, container, ']', read_element));
    r->depth--;
    if (good)
        return container;
    json_decref(container);
    return refuse(r, "out of memory");
}

static json_t *read_word(struct json_reader *r, const char *word, json_t *value)
{
    size_t len = strlen(word);
    if ((size_t)(r->end - r->at) < len || memcmp(r->at, word, len) != 0)
        return refuse(r, "a value expected");
    r->at += len;
    return value;
}

static json_t *read_value(struct json_reader *r)
{
    skip_space(r);
    if (r->at == r->end)
        return refuse(r, "a value expected");
    if (r->values_left-- == 0)
        return refuse(r, "too many values");
    switch (*r->at) {
    case '{':
        r->at++;
        return read_container(r, true);
    case '[':
        r->at++;
        return read_container(r, false);
    case '"':
        r->at++;
        return read_string(r);
    case 't':
        return read_word(r, "true", json_true());
    case 'f':
        return read_word(r, "false", json_false());
    case 'n':
        return read_word(r, "null", json_null());
    default:
        return read_number(r);
    }
}

static void say(const struct json_reader *r, char *error, size_t size)
{
    size_t line = 1;
    const char *line_start = r->text;
    for (const char *c = r->text; c < r->at; c++)
        if (*c == '\n') {
            line++;
            line_start = c + 1;
        }
    if (error && size > 0)
        snprintf(error, size, "line %zu, column %zu: %s", line, (size_t)(r->at - line_start) + 1, r->error);
}

json_t *attestd_json_read(const char *text, size_t len, unsigned max_depth, char *error, size_t error_size)
{
    if (len == 0)
        text = "";
    struct json_reader r = {.text = text,
                            .at = text,
                            .end = text + len,
                            .max_depth = max_depth < DEEPEST ? max_depth : DEEPEST,
                            .values_left = MANY_VALUES + len / 8};
    r.scratch = malloc(len + 1);
    json_t *value = r.scratch ? read_value(&r) : refuse(&r, "out of memory");
    free(r.scratch);
    skip_space(&r);
    if (value && r.at < r.end) {
        json_decref(value);
        value = refuse(&r, "something behind the value");
    }
    if (!value)
        say(&r, error, error_size);
    return value;
}
