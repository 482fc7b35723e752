/* SPDX-License-Identifier: Apache-2.0 */
#include "sdk/collector/collector.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

char *collector_base64(const uint8_t *bytes, size_t len)
{
    if (len > INT_MAX / 2) {
        return NULL;
    }
    char *text = malloc((len + 2) / 3 * 4 + 1);
    if (text) {
        text[EVP_EncodeBlock((unsigned char *)text, bytes, (int)len)] = '\0';
    }
    return text;
}

char *collector_base64url(const uint8_t *bytes, size_t len)
{
    char *text = collector_base64(bytes, len);
    for (char *c = text; c && *c; c++) {
        *c = *c == '+' ? '-' : *c == '/' ? '_' : *c == '=' ? '\0' : *c;
    }
    return text;
}

char *collector_hex(const uint8_t *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    char *text = len < SIZE_MAX / 2 ? malloc(2 * len + 1) : NULL;
    if (!text) {
        return NULL;
    }
    for (size_t i = 0; i < len; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    text[2 * len] = '\0';
    return text;
}

bool collector_base64_read(const char *text, uint8_t *out, size_t room, size_t *len)
{
    char padded[512];
    unsigned char decoded[384];
    size_t digits = strcspn(text, "="), whole = (digits + 3) / 4 * 4;
    if (whole >= sizeof padded || digits % 4 == 1 || strspn(text + digits, "=") != strlen(text + digits)) {
        return false;
    }
    for (size_t i = 0; i < whole; i++) {
        char c = i < digits ? text[i] : '=';
        padded[i] = c == '-' ? '+' : c == '_' ? '/' : c;
    }
    int got = EVP_DecodeBlock(decoded, (const unsigned char *)padded, (int)whole);
    if (got < 0 || (size_t)got < whole - digits) {
        return false;
    }
    *len = (size_t)got - (whole - digits);
    if (*len > room) {
        return false;
    }
    memcpy(out, decoded, *len);
    return true;
}
