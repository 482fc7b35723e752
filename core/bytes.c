/* SPDX-License-Identifier: Apache-2.0 */
#include "core/bytes.h"

#include <openssl/crypto.h>
#include <string.h>

struct attestd_reader attestd_reader_of(const void *bytes, size_t len)
{
    return (struct attestd_reader){.base = bytes, .len = len};
}

/* The one place where a length meets the bounds. NULL when there is less than len. */
static const uint8_t *advance(struct attestd_reader *r, size_t len)
{
    static const uint8_t nothing[1];
    if (r->failed || len > r->len - r->at) {
        r->failed = true;
        return NULL;
    }
    const uint8_t *p = len ? r->base + r->at : nothing;
    r->at += len;
    return p;
}

static uint64_t read_le(struct attestd_reader *r, size_t len)
{
    const uint8_t *p = advance(r, len);
    uint64_t n = 0;
    for (size_t i = len; p && i-- > 0;)
        n = n << 8 | p[i];
    return n;
}

static uint64_t read_be(struct attestd_reader *r, size_t len)
{
    const uint8_t *p = advance(r, len);
    uint64_t n = 0;
    for (size_t i = 0; p && i < len; i++)
        n = n << 8 | p[i];
    return n;
}

uint8_t attestd_read_u8(struct attestd_reader *r)
{
    return (uint8_t)read_le(r, 1);
}

uint16_t attestd_read_u16le(struct attestd_reader *r)
{
    return (uint16_t)read_le(r, 2);
}

uint32_t attestd_read_u32le(struct attestd_reader *r)
{
    return (uint32_t)read_le(r, 4);
}

uint64_t attestd_read_u64le(struct attestd_reader *r)
{
    return read_le(r, 8);
}

uint16_t attestd_read_u16be(struct attestd_reader *r)
{
    return (uint16_t)read_be(r, 2);
}

uint32_t attestd_read_u32be(struct attestd_reader *r)
{
    return (uint32_t)read_be(r, 4);
}

uint64_t attestd_read_u64be(struct attestd_reader *r)
{
    return read_be(r, 8);
}

struct attestd_bytes attestd_read_bytes(struct attestd_reader *r, size_t len)
{
    const uint8_t *p = advance(r, len);
    return p ? (struct attestd_bytes){p, len} : (struct attestd_bytes){NULL, 0};
}

void attestd_read_copy(struct attestd_reader *r, void *out, size_t len)
{
    const uint8_t *p = advance(r, len);
    if (p)
        memcpy(out, p, len);
    else if (len)
        memset(out, 0, len);
}

void attestd_read_skip(struct attestd_reader *r, size_t len)
{
    (void)advance(r, len);
}

bool attestd_read_zeros(struct attestd_reader *r, size_t len)
{
    const uint8_t *p = advance(r, len);
    return p && attestd_bytes_zero(p, len);
}

size_t attestd_reader_left(const struct attestd_reader *r)
{
    return r->failed ? 0 : r->len - r->at;
}

struct attestd_reader attestd_reader_window(const struct attestd_reader *r, size_t offset, size_t len)
{
    if (r->failed || offset > r->len || len > r->len - offset)
        return (struct attestd_reader){.failed = true};
    return attestd_reader_of(len ? r->base + offset : NULL, len);
}

bool attestd_reader_done(const struct attestd_reader *r)
{
    return !r->failed && r->at == r->len;
}

bool attestd_bytes_equal(struct attestd_bytes a, struct attestd_bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

bool attestd_bytes_are(struct attestd_bytes a, const void *bytes, size_t len)
{
    return attestd_bytes_equal(a, (struct attestd_bytes){bytes, len});
}

bool attestd_bytes_zero(const uint8_t *bytes, size_t len)
{
    uint64_t any = 0, eight;
    size_t i = 0;
    for (; len - i >= sizeof eight; i += sizeof eight) {
        memcpy(&eight, bytes + i, sizeof eight);
        any |= eight;
    }
    for (; i < len; i++)
        any |= bytes[i];
    return any == 0;
}

bool attestd_bytes_equal_secret(const void *a, const void *b, size_t len)
{
    return CRYPTO_memcmp(a, b, len) == 0;
}
