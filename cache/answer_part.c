/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/answer_part.h"

#include "core/encoding.h"
#include <stdlib.h>
#include <string.h>

/* What PEM is made of. */
static bool is_text(uint8_t c)
{
    return (c >= ' ' && c <= '~') || c == '\n' || c == '\r' || c == '\t';
}

/* RFC 3986 section 2.1. '+' stands for itself: base64 has it. A half escape, a blank, a control character: nothing is decoded. */
static bool percent_decode(const char *text, size_t len, struct answer_part *out)
{
    size_t size = 1;
    out->made = malloc(len);
    if (out->made == NULL)
        return false;
    for (size_t i = 0; i < len; i++) {
        uint8_t *byte = &out->made[out->len++];
        *byte = (uint8_t)text[i];
        if (text[i] != '%') {
            if (text[i] <= ' ' || text[i] > '~')
                return false;
            continue;
        }
        if (len - i < 3 || !attestd_hex_decode(text + i + 1, 2, byte, 1, &size) || !is_text(*byte))
            return false;
        i += 2;
    }
    out->bytes = out->made;
    return true;
}

static bool header_part(const char *name, const struct transfer *transfer, struct answer_part *out)
{
    size_t len = 0;
    const char *value = transfer_header(transfer, name, &len);
    return value != NULL && len > 0 && len <= ANSWER_HEADER_MAX && percent_decode(value, len, out);
}

/* A PCCS answers revocation lists so, with or without a line's end. What is not hex throughout stays as it is. */
static bool hex_part(const struct transfer *transfer, struct answer_part *out)
{
    const char *text = (const char *)transfer->body;
    size_t len = transfer->len;
    while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
        len--;
    if (len < 2 || len % 2 != 0 || (out->made = malloc(len / 2)) == NULL)
        return false;
    out->bytes = out->made;
    return attestd_hex_decode(text, len, out->made, len / 2, &out->len);
}

bool answer_part(const struct endorsement_source *source, const struct transfer *transfer, struct answer_part *out)
{
    *out = (struct answer_part){.len = 0};
    if (source->header != NULL)
        return header_part(source->header, transfer, out);
    if (transfer->len == 0)
        return false;
    if (source->may_be_hex && hex_part(transfer, out))
        return true;
    out->bytes = transfer->body;
    out->len = transfer->len;
    return true;
}
