/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/harness.h"

#include "core/encoding.h"
#include "core/json.h"
#include <string.h>

static void write(struct attestd_text *text, const json_t *json)
{
    struct attestd_json_writer w = attestd_json_writer_to(text);
    attestd_json_jansson(&w, NULL, json);
}

/* What was read is written as a text that reads back, and is then written the same. */
static void round_trip(const json_t *json)
{
    char error[200];
    struct attestd_text once = {0}, twice = {0};
    write(&once, json);
    json_t *back = attestd_json_read(once.data, once.len, 16, error, sizeof error);
    PROMISE(back);
    write(&twice, back);
    PROMISE(once.len == twice.len && memcmp(once.data, twice.data, once.len) == 0);
    PROMISE(attestd_utf8_valid(once.data, once.len));
    json_decref(back);
    attestd_text_free(&once);
    attestd_text_free(&twice);
}

/* jansson agrees, but for what is bounded here and for NUL bytes, which it takes for the end. */
static void compare(const char *text, size_t len, const json_t *ours, const char *error)
{
    if (len && memchr(text, 0, len))
        return;
    json_t *theirs = json_loadb(text, len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
    if (ours)
        PROMISE(theirs && json_equal(ours, theirs));
    else
        PROMISE(!theirs || strstr(error, "nested too deeply") || strstr(error, "too many values"));
    json_decref(theirs);
}

/* Any bytes at all become a JSON string that reads back. */
static void write_any(const char *bytes, size_t len)
{
    struct attestd_text text = {0};
    struct attestd_json_writer w = attestd_json_writer_to(&text);
    attestd_json_text_n(&w, NULL, bytes ? bytes : "", len);
    PROMISE(attestd_utf8_valid(text.data, text.len));
    json_t *back = json_loadb(text.data, text.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    PROMISE(json_is_string(back));
    if (attestd_utf8_valid(bytes ? bytes : "", len))
        PROMISE(json_string_length(back) == len);
    json_decref(back);
    attestd_text_free(&text);
}

/* One text for one value: what decodes encodes to itself. */
static void decode_any(const char *text, size_t len)
{
    size_t made = 0, chars = 0;
    uint8_t *bytes = malloc(len + 3);
    char *again = malloc(ATTESTD_BASE64_SIZE(len + 3));
    PROMISE(bytes && again);
    if (attestd_base64_decode(text, len, bytes, len + 3, &made)) {
        bool url = len && (memchr(text, '-', len) || memchr(text, '_', len));
        bool padded = len && text[len - 1] == '=';
        chars = url && !padded ? attestd_base64url_encode(bytes, made, again) : attestd_base64_encode(bytes, made, again);
        PROMISE(url || !len || memcmp(again, text, len < chars ? len : chars) == 0);
        PROMISE(chars >= len && chars - len < 3);
    }
    free(bytes);
    free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    char error[64] = "";
    const char *text = bytes ? (const char *)bytes : "";
    json_t *json = attestd_json_read(text, len, 16, error, sizeof error);
    PROMISE(json || error[0]);
    compare(text, len, json, error);
    if (json)
        round_trip(json);
    json_decref(json);
    write_any(text, len);
    decode_any(text, len);
    return 0;
}
