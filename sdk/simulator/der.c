/* SPDX-License-Identifier: Apache-2.0 */
#include "sdk/simulator/der.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static bool reserve(struct sim_buffer *b, size_t more)
{
    if (b->failed || more > SIZE_MAX / 2 - b->len) {
        b->failed = true;
        return false;
    }
    if (b->room - b->len >= more) {
        return true;
    }
    size_t room = 2 * (b->len + more);
    uint8_t *data = realloc(b->data, room);
    if (!data) {
        b->failed = true;
        return false;
    }
    b->data = data;
    b->room = room;
    return true;
}

void sim_put(struct sim_buffer *b, const void *bytes, size_t len)
{
    if (len == 0 || !reserve(b, len)) {
        return;
    }
    memcpy(b->data + b->len, bytes, len);
    b->len += len;
}

void sim_print(struct sim_buffer *b, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    b->failed |= len < 0 || (size_t)len >= sizeof text;
    sim_put(b, text, b->failed ? 0 : (size_t)len);
}

struct sim_bytes sim_buffer_take(struct sim_buffer *b)
{
    struct sim_bytes taken = {b->data, b->len};
    if (b->failed) {
        free(b->data);
        taken = (struct sim_bytes){NULL, 0};
    }
    *b = (struct sim_buffer){0};
    return taken;
}

struct sim_bytes sim_bytes_copy(const void *bytes, size_t len)
{
    struct sim_buffer b = {0};
    sim_put(&b, bytes, len);
    return sim_buffer_take(&b);
}

size_t sim_der_open(struct sim_buffer *b, unsigned tag)
{
    sim_put(b, &(uint8_t){(uint8_t)tag}, 1);
    return b->len;
}

void sim_der_close(struct sim_buffer *b, size_t mark)
{
    if (b->failed) {
        return;
    }
    size_t len = b->len - mark;
    uint8_t head[1 + sizeof len];
    size_t used = 1;
    if (len < 0x80) {
        head[0] = (uint8_t)len;
    } else {
        size_t octets = 1;
        while (octets < sizeof len && len >> (8 * octets)) {
            octets++;
        }
        head[0] = (uint8_t)(0x80 | octets);
        for (size_t i = octets; i-- > 0;) {
            head[used++] = (uint8_t)(len >> (8 * i));
        }
    }
    if (!reserve(b, used)) {
        return;
    }
    memmove(b->data + mark + used, b->data + mark, len);
    memcpy(b->data + mark, head, used);
    b->len += used;
}

void sim_der_put(struct sim_buffer *b, unsigned tag, const void *contents, size_t len)
{
    size_t mark = sim_der_open(b, tag);
    sim_put(b, contents, len);
    sim_der_close(b, mark);
}

void sim_der_text(struct sim_buffer *b, unsigned tag, const char *text)
{
    sim_der_put(b, tag, text, strlen(text));
}

void sim_der_number(struct sim_buffer *b, const uint8_t *bytes, size_t len)
{
    while (len > 1 && bytes[0] == 0) {
        bytes++;
        len--;
    }
    size_t mark = sim_der_open(b, SIM_DER_INTEGER);
    if (len == 0 || bytes[0] >= 0x80) {
        sim_put(b, "", 1);
    }
    sim_put(b, bytes, len);
    sim_der_close(b, mark);
}

void sim_der_unsigned(struct sim_buffer *b, uint64_t value)
{
    uint8_t octets[8];
    for (size_t i = 0; i < sizeof octets; i++) {
        octets[i] = (uint8_t)(value >> (8 * (7 - i)));
    }
    sim_der_number(b, octets, sizeof octets);
}

static void put_arc(struct sim_buffer *b, unsigned long arc)
{
    uint8_t groups[10];
    size_t count = 0;
    do {
        groups[count++] = (uint8_t)(arc & 0x7f);
        arc >>= 7;
    } while (arc);
    while (count-- > 0) {
        sim_put(b, &(uint8_t){(uint8_t)(groups[count] | (count ? 0x80 : 0))}, 1);
    }
}

void sim_der_oid(struct sim_buffer *b, const char *dotted)
{
    char *rest = NULL;
    unsigned long first = strtoul(dotted, &rest, 10);
    unsigned long second = *rest == '.' ? strtoul(rest + 1, &rest, 10) : 0;
    size_t mark = sim_der_open(b, SIM_DER_OID);
    put_arc(b, 40 * first + second);
    while (*rest == '.') {
        put_arc(b, strtoul(rest + 1, &rest, 10));
    }
    sim_der_close(b, mark);
}

void sim_der_time(struct sim_buffer *b, int64_t seconds)
{
    time_t when = (time_t)seconds;
    struct tm tm;
    char text[32];
    if (!gmtime_r(&when, &tm) || strftime(text, sizeof text, "%Y%m%d%H%M%SZ", &tm) != 15) {
        b->failed = true; /* a year without four digits */
        return;
    }
    bool utc = tm.tm_year >= 50 && tm.tm_year < 150;
    sim_der_text(b, utc ? SIM_DER_UTC_TIME : SIM_DER_GENERALIZED_TIME, utc ? text + 2 : text);
}

void sim_der_bits(struct sim_buffer *b, const void *bytes, size_t len)
{
    size_t mark = sim_der_open(b, SIM_DER_BIT_STRING);
    sim_put(b, "", 1);
    sim_put(b, bytes, len);
    sim_der_close(b, mark);
}
