/* SPDX-License-Identifier: Apache-2.0 */
#include "token.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* 0..63, or 64 for a character that is not of the alphabet. */
static uint32_t value_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (uint32_t)(c - 'A');
    if (c >= 'a' && c <= 'z')
        return (uint32_t)(c - 'a') + 26;
    if (c >= '0' && c <= '9')
        return (uint32_t)(c - '0') + 52;
    return c == '-' ? 62 : c == '_' ? 63 : 64;
}

bool rp_base64url_decode(const char *text, size_t len, uint8_t *out, size_t *out_len)
{
    uint32_t bits = 0;
    unsigned held = 0;
    size_t written = 0;
    if (len % 4 == 1)
        return false;
    for (size_t i = 0; i < len; i++) {
        uint32_t value = value_of(text[i]);
        if (value == 64)
            return false;
        bits = (bits << 6 | value) & 0xfff;
        held += 6;
        if (held < 8)
            continue;
        held -= 8;
        out[written++] = (uint8_t)(bits >> held);
    }
    *out_len = written;
    return (bits & ((1u << held) - 1)) == 0; /* else two texts would mean the same bytes */
}

void rp_base64url_encode(const uint8_t *bytes, size_t len, char *out)
{
    uint32_t bits = 0;
    unsigned held = 0;
    for (size_t i = 0; i < len; i++) {
        bits = (bits << 8 | bytes[i]) & 0xffff;
        for (held += 8; held >= 6; held -= 6)
            *out++ = alphabet[bits >> (held - 6) & 63];
    }
    if (held > 0)
        *out++ = alphabet[bits << (6 - held) & 63];
    *out = '\0';
}
