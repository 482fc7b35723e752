/* SPDX-License-Identifier: Apache-2.0 */
#include "core/arena.h"

#include "core/encoding.h"
#include <stdalign.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The largest block stays below malloc's mmap threshold, so that a finished request's memory is reused, not unmapped. */
enum { FIRST_BLOCK = 8 * 1024, LARGEST_BLOCK = 64 * 1024 };

struct block {
    struct block *next;
    size_t size, used;
    alignas(max_align_t) uint8_t bytes[];
};

struct release {
    struct release *next;
    void (*release)(void *);
    void *object;
};

struct attestd_arena {
    struct block *blocks; /* the first is the one in use */
    struct release *releases;
    size_t next_size;
    size_t used;
};

static void out_of_memory(void)
{
    fputs("attestd: out of memory\n", stderr);
    abort();
}

struct attestd_arena *attestd_arena_new(void)
{
    struct attestd_arena *arena = calloc(1, sizeof *arena);
    if (!arena)
        out_of_memory();
    arena->next_size = FIRST_BLOCK;
    return arena;
}

void attestd_arena_free(struct attestd_arena *arena)
{
    if (!arena)
        return;
    /* Latest first: what was made last may use what was made before. */
    for (struct release *r = arena->releases; r; r = r->next)
        r->release(r->object);
    for (struct block *b = arena->blocks, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    free(arena);
}

static struct block *block_new(size_t size)
{
    if (size > SIZE_MAX - sizeof(struct block))
        out_of_memory();
    struct block *b = malloc(sizeof *b + size);
    if (!b)
        out_of_memory();
    b->next = NULL;
    b->size = size;
    b->used = 0;
    return b;
}

/* A block for this allocation alone, kept behind the one in use. */
static void *lone_block(struct attestd_arena *arena, size_t size)
{
    struct block *b = block_new(size);
    b->used = size;
    if (arena->blocks) {
        b->next = arena->blocks->next;
        arena->blocks->next = b;
    } else {
        arena->blocks = b;
    }
    return b->bytes;
}

static void *take(struct attestd_arena *arena, size_t size)
{
    const size_t unit = alignof(max_align_t);
    if (size > SIZE_MAX - unit)
        out_of_memory();
    arena->used += size;
#ifdef ATTESTD_SANITIZED
    return lone_block(arena, size); /* so that the sanitizer sees every overrun */
#endif
    size_t rounded = (size + unit - 1) / unit * unit;
    struct block *b = arena->blocks;
    if (b && b->size - b->used >= rounded) {
        void *p = b->bytes + b->used;
        b->used += rounded;
        return p;
    }
    if (rounded > arena->next_size / 4)
        return lone_block(arena, rounded);
    b = block_new(arena->next_size);
    if (arena->next_size < LARGEST_BLOCK)
        arena->next_size *= 2;
    b->next = arena->blocks;
    arena->blocks = b;
    b->used = rounded;
    return b->bytes;
}

void *attestd_arena_alloc(struct attestd_arena *arena, size_t size)
{
    void *p = take(arena, size);
    memset(p, 0, size);
    return p;
}

void *attestd_arena_array(struct attestd_arena *arena, size_t count, size_t size)
{
    if (size && count > SIZE_MAX / size)
        out_of_memory();
    return attestd_arena_alloc(arena, count * size);
}

struct attestd_bytes attestd_arena_bytes(struct attestd_arena *arena, const void *bytes, size_t len)
{
    if (len == SIZE_MAX)
        out_of_memory();
    uint8_t *p = take(arena, len + 1);
    if (len)
        memcpy(p, bytes, len);
    p[len] = 0;
    return (struct attestd_bytes){p, len};
}

char *attestd_arena_text(struct attestd_arena *arena, const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(take(arena, size), text, size);
}

char *attestd_arena_format(struct attestd_arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = attestd_arena_vformat(arena, format, args);
    va_end(args);
    return text;
}

char *attestd_arena_vformat(struct attestd_arena *arena, const char *format, va_list args)
{
    char small[256];
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(small, sizeof small, format, args);
    if (len < 0)
        out_of_memory();
    char *text = take(arena, (size_t)len + 1);
    if ((size_t)len < sizeof small)
        memcpy(text, small, (size_t)len + 1);
    else
        vsnprintf(text, (size_t)len + 1, format, again);
    va_end(again);
    return text;
}

char *attestd_arena_hex(struct attestd_arena *arena, const uint8_t *bytes, size_t len)
{
    if (len > (SIZE_MAX - 1) / 2)
        out_of_memory();
    char *text = take(arena, 2 * len + 1);
    attestd_hex_encode(bytes, len, text);
    return text;
}

void attestd_arena_defer(struct attestd_arena *arena, void (*release)(void *), void *object)
{
    struct release *r = attestd_arena_alloc(arena, sizeof *r);
    *r = (struct release){arena->releases, release, object};
    arena->releases = r;
}

size_t attestd_arena_used(const struct attestd_arena *arena)
{
    return arena->used;
}
