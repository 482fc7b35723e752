/* SPDX-License-Identifier: Apache-2.0 */
/* JSON in, strictly and within bounds, as jansson values; JSON out, through one writer with a fixed form. */
#ifndef ATTESTD_CORE_JSON_H
#define ATTESTD_CORE_JSON_H

#include <attestd/plugin.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Strict reading (RFC 8259): one value, UTF-8, no duplicate names, no trailing bytes, nesting at most max_depth, no NUL in strings or
 * names, no lone surrogates, integers within 64 bits, at most 65,536 values and one more for each 8 bytes. Returns NULL and writes a phrase
 * with line and column (in bytes, from 1) to error (when not NULL); nothing of the text is quoted in it. The caller calls json_decref().
 */
json_t *attestd_json_read(const char *text, size_t len, unsigned max_depth, char *error, size_t error_size);

/* How many bytes at text stand for themselves inside a JSON string: UTF-8 without quotes, backslashes and control characters. */
size_t attestd_json_plain_run(const char *text, size_t len);

/* A growing text. Zero-initialise; free with attestd_text_free. Always NUL-terminated once written to. */
struct attestd_text {
    char *data;
    size_t len, size;
};
void attestd_text_add(struct attestd_text *, const char *bytes, size_t len);
void attestd_text_puts(struct attestd_text *, const char *text);
void attestd_text_printf(struct attestd_text *, const char *format, ...) __attribute__((format(printf, 2, 3)));
void attestd_text_free(struct attestd_text *);

/* The writer: members in the order they are written, no white space, UTF-8 kept, only the escapes JSON demands. */
struct attestd_json_writer {
    struct attestd_text *out;
    uint64_t first; /* bit per depth: nothing written there yet */
    unsigned depth;
};
struct attestd_json_writer attestd_json_writer_to(struct attestd_text *out);
/* name is NULL inside lists and at the top. */
void attestd_json_open_map(struct attestd_json_writer *, const char *name);
void attestd_json_close_map(struct attestd_json_writer *);
void attestd_json_open_list(struct attestd_json_writer *, const char *name);
void attestd_json_close_list(struct attestd_json_writer *);
/* NULL text writes null. Invalid UTF-8 is replaced by U+FFFD. */
void attestd_json_text(struct attestd_json_writer *, const char *name, const char *text);
void attestd_json_text_n(struct attestd_json_writer *, const char *name, const char *text, size_t len);
void attestd_json_number(struct attestd_json_writer *, const char *name, int64_t number);
void attestd_json_flag(struct attestd_json_writer *, const char *name, bool flag);
void attestd_json_null(struct attestd_json_writer *, const char *name);
void attestd_json_hex(struct attestd_json_writer *, const char *name, const uint8_t *bytes, size_t len);
void attestd_json_base64(struct attestd_json_writer *, const char *name, const uint8_t *bytes, size_t len);
void attestd_json_base64url(struct attestd_json_writer *, const char *name, const uint8_t *bytes, size_t len);
void attestd_json_time(struct attestd_json_writer *, const char *name, int64_t seconds);
/* Already JSON; written as it is. */
void attestd_json_raw(struct attestd_json_writer *, const char *name, const char *json, size_t len);
void attestd_json_value(struct attestd_json_writer *, const char *name, const struct attestd_value *value);
/* A jansson value with its members in bytewise order of their names (so equal values give equal text). */
void attestd_json_jansson(struct attestd_json_writer *, const char *name, const json_t *value);

#endif
