/* SPDX-License-Identifier: Apache-2.0 */
#include "core/encoding.h"

#include <string.h>

/* Hex */

void attestd_hex_encode(const uint8_t *bytes, size_t len, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * len] = 0;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool attestd_hex_decode(const char *text, size_t text_len, uint8_t *out, size_t out_size, size_t *len)
{
    *len = 0;
    if (text_len % 2 || text_len / 2 > out_size)
        return false;
    for (size_t i = 0; i < text_len / 2; i++) {
        int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    *len = text_len / 2;
    return true;
}

/* Base64 (RFC 4648) */

static const char STANDARD[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char URL[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static size_t encode(const uint8_t *bytes, size_t len, const char *alphabet, bool pad, char *out)
{
    char *o = out;
    size_t i = 0;
    for (; len - i >= 3; i += 3, o += 4) {
        uint32_t n = (uint32_t)bytes[i] << 16 | (uint32_t)bytes[i + 1] << 8 | bytes[i + 2];
        o[0] = alphabet[n >> 18];
        o[1] = alphabet[n >> 12 & 63];
        o[2] = alphabet[n >> 6 & 63];
        o[3] = alphabet[n & 63];
    }
    if (i < len) {
        uint32_t n = (uint32_t)bytes[i] << 16 | (len - i == 2 ? (uint32_t)bytes[i + 1] << 8 : 0);
        *o++ = alphabet[n >> 18];
        *o++ = alphabet[n >> 12 & 63];
        if (len - i == 2)
            *o++ = alphabet[n >> 6 & 63];
        else if (pad)
            *o++ = '=';
        if (pad)
            *o++ = '=';
    }
    *o = 0;
    return (size_t)(o - out);
}

size_t attestd_base64_encode(const uint8_t *bytes, size_t len, char *out)
{
    return encode(bytes, len, STANDARD, true, out);
}

size_t attestd_base64url_encode(const uint8_t *bytes, size_t len, char *out)
{
    return encode(bytes, len, URL, false, out);
}

/* The value of a character; bit 6 set for the two of the standard alphabet alone, bit 7 for the two of the URL alphabet alone, both
 * for what is in neither. So the OR over a text says whether it is of one alphabet. */
enum { NEITHER = 0xc0 };
static const uint8_t SEXTET[128] = {
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7e,
    0xff, 0xbe, 0xff, 0x7f, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00,
    0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16,
    0x17, 0x18, 0x19, 0xff, 0xff, 0xff, 0xff, 0xbf, 0xff, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f, 0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26,
    0x27, 0x28, 0x29, 0x2a, 0x2b, 0x2c, 0x2d, 0x2e, 0x2f, 0x30, 0x31, 0x32, 0x33, 0xff, 0xff, 0xff, 0xff, 0xff,
};

static uint8_t sextet(char c)
{
    uint8_t u = (uint8_t)c;
    return u < 128 ? SEXTET[u] : 0xff;
}

/* The characters without their padding; SIZE_MAX when the padding is not what the length asks for. */
static size_t unpadded(const char *text, size_t len)
{
    if (len == 0 || text[len - 1] != '=')
        return len % 4 == 1 ? SIZE_MAX : len;
    if (len % 4)
        return SIZE_MAX;
    return text[len - 2] == '=' ? len - 2 : len - 1;
}

bool attestd_base64_decode(const char *text, size_t text_len, uint8_t *out, size_t out_size, size_t *len)
{
    *len = 0;
    size_t chars = unpadded(text, text_len);
    if (chars == SIZE_MAX || chars % 4 == 1)
        return false;
    size_t tail = chars % 4, made = chars / 4 * 3 + (tail ? tail - 1 : 0);
    if (made > out_size)
        return false;
    uint8_t seen = 0;
    uint8_t *o = out;
    const char *t = text, *end = text + (chars - tail);
    for (; t < end; t += 4, o += 3) {
        uint8_t a = sextet(t[0]), b = sextet(t[1]), c = sextet(t[2]), d = sextet(t[3]);
        seen |= a | b | c | d;
        uint32_t n = (uint32_t)(a & 63) << 18 | (uint32_t)(b & 63) << 12 | (uint32_t)(c & 63) << 6 | (d & 63);
        o[0] = (uint8_t)(n >> 16);
        o[1] = (uint8_t)(n >> 8);
        o[2] = (uint8_t)n;
    }
    if (tail) {
        uint8_t a = sextet(t[0]), b = sextet(t[1]), c = tail == 3 ? sextet(t[2]) : 0;
        seen |= a | b | c;
        /* RFC 4648 section 3.5: bits beyond the last byte must be zero, or one value has many texts. */
        if ((tail == 2 && (b & 15)) || (tail == 3 && (c & 3)))
            return false;
        *o++ = (uint8_t)((a & 63) << 2 | (b & 63) >> 4);
        if (tail == 3)
            *o++ = (uint8_t)((b & 15) << 4 | (c & 63) >> 2);
    }
    if ((seen & NEITHER) == NEITHER)
        return false;
    *len = made;
    return true;
}

/* Times (RFC 3339) */

/* Days from 1970-01-01 in the proleptic Gregorian calendar, with years that begin in March so that the leap day comes last. */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    int64_t y = month > 2 ? year : year - 1, m = month > 2 ? month - 3 : month + 9;
    return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

static bool digits(const char **text, unsigned count, int64_t *number)
{
    *number = 0;
    for (unsigned i = 0; i < count; i++, (*text)++) {
        if (**text < '0' || **text > '9')
            return false;
        *number = *number * 10 + (**text - '0');
    }
    return true;
}

static bool literal(const char **text, char c)
{
    if (**text != c)
        return false;
    (*text)++;
    return true;
}

static int64_t days_in(int64_t year, int64_t month)
{
    static const int64_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap);
}

static bool date_parse(const char **t, int64_t *days)
{
    int64_t year, month, day;
    if (!digits(t, 4, &year) || !literal(t, '-') || !digits(t, 2, &month) || !literal(t, '-') || !digits(t, 2, &day))
        return false;
    if (month < 1 || month > 12 || day < 1 || day > days_in(year, month))
        return false;
    *days = days_of(year, month, day);
    return true;
}

static bool clock_parse(const char **t, int64_t *seconds)
{
    int64_t hour, minute, second, fraction;
    if (!digits(t, 2, &hour) || !literal(t, ':') || !digits(t, 2, &minute) || !literal(t, ':') || !digits(t, 2, &second))
        return false;
    if (hour > 23 || minute > 59 || second > 59)
        return false;
    if (literal(t, '.')) {
        if (!digits(t, 1, &fraction))
            return false;
        while (digits(t, 1, &fraction))
            ;
    }
    *seconds = hour * 3600 + minute * 60 + second;
    return true;
}

static bool offset_parse(const char **t, int64_t *seconds)
{
    *seconds = 0;
    if (literal(t, 'Z') || literal(t, 'z'))
        return true;
    bool behind = **t == '-';
    int64_t hours, minutes;
    if (!literal(t, '+') && !literal(t, '-'))
        return false;
    if (!digits(t, 2, &hours) || !literal(t, ':') || !digits(t, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *seconds = (hours * 3600 + minutes * 60) * (behind ? -1 : 1);
    return true;
}

#define LATEST INT64_C(253402300799) /* 9999-12-31T23:59:59Z */

bool attestd_time_parse(const char *text, int64_t *seconds)
{
    const char *t = text;
    int64_t days, clock, offset;
    *seconds = 0;
    if (!date_parse(&t, &days) || (!literal(&t, 'T') && !literal(&t, 't')) || !clock_parse(&t, &clock) || !offset_parse(&t, &offset) || *t)
        return false;
    int64_t time = days * 86400 + clock - offset;
    if (time < 0 || time > LATEST)
        return false;
    *seconds = time;
    return true;
}

static void put_digits(char *out, int64_t number, unsigned count)
{
    while (count-- > 0) {
        out[count] = (char)('0' + number % 10);
        number /= 10;
    }
}

void attestd_time_format(int64_t seconds, char out[ATTESTD_TIME_SIZE])
{
    int64_t time = seconds < 0 ? 0 : seconds > LATEST ? LATEST : seconds;
    int64_t z = time / 86400 + 719468, era = z / 146097, of_era = z % 146097;
    int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t m = (5 * day_of_year + 2) / 153, day = day_of_year - (153 * m + 2) / 5 + 1;
    int64_t month = m < 10 ? m + 3 : m - 9, year = era * 400 + year_of_era + (month <= 2);
    memcpy(out, "0000-00-00T00:00:00Z", ATTESTD_TIME_SIZE);
    put_digits(out, year, 4);
    put_digits(out + 5, month, 2);
    put_digits(out + 8, day, 2);
    put_digits(out + 11, time / 3600 % 24, 2);
    put_digits(out + 14, time / 60 % 60, 2);
    put_digits(out + 17, time % 60, 2);
}

bool attestd_duration_parse(const char *text, int64_t *seconds)
{
    static const struct {
        const char *suffix;
        int64_t seconds;
    } units[] = {{"", 1}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}};
    const int64_t hundred_years = INT64_C(36525) * 86400;
    const char *t = text;
    int64_t number = 0, digit;
    *seconds = 0;
    while (digits(&t, 1, &digit))
        if ((number = number * 10 + digit) > hundred_years)
            return false;
    for (size_t i = 0; t != text && i < sizeof units / sizeof *units; i++) {
        if (strcmp(t, units[i].suffix) != 0)
            continue;
        if (number > hundred_years / units[i].seconds)
            return false;
        *seconds = number * units[i].seconds;
        return true;
    }
    return false;
}

/* UTF-8 (RFC 3629) */

/* Length of the well-formed sequence at u, of which left bytes exist; 0 when it is none. */
static size_t sequence(const uint8_t *u, size_t left)
{
    size_t len = u[0] < 0x80 ? 1 : u[0] >= 0xc2 && u[0] < 0xe0 ? 2 : u[0] >= 0xe0 && u[0] < 0xf0 ? 3 : u[0] >= 0xf0 && u[0] < 0xf5 ? 4 : 0;
    if (len == 0 || len > left)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((u[i] & 0xc0) != 0x80)
            return 0;
    /* Overlong forms, surrogates, beyond U+10FFFF. */
    if ((u[0] == 0xe0 && u[1] < 0xa0) || (u[0] == 0xed && u[1] > 0x9f) || (u[0] == 0xf0 && u[1] < 0x90) || (u[0] == 0xf4 && u[1] > 0x8f))
        return 0;
    return len;
}

bool attestd_utf8_valid(const char *text, size_t len)
{
    const uint8_t *u = (const uint8_t *)text;
    for (size_t i = 0, step; i < len; i += step) {
        step = sequence(u + i, len - i);
        if (step == 0)
            return false;
    }
    return true;
}

size_t attestd_utf8_sequence(const char *text, size_t left)
{
    return left ? sequence((const uint8_t *)text, left) : 0;
}
