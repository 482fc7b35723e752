/* SPDX-License-Identifier: Apache-2.0 */
/* Memory of one request: allocated piece by piece, freed as one. Not for use by two threads at once. */
#ifndef ATTESTD_CORE_ARENA_H
#define ATTESTD_CORE_ARENA_H

#include <attestd/plugin.h>
#include <stdarg.h>
#include <stddef.h>

struct attestd_arena;

/* Aborts the process when memory is out: a verifier that cannot allocate must not go on half-way. */
struct attestd_arena *attestd_arena_new(void);
/* NULL is allowed. */
void attestd_arena_free(struct attestd_arena *arena);

/* Zeroed, aligned for any type. size 0 gives a valid pointer. */
void *attestd_arena_alloc(struct attestd_arena *arena, size_t size);
/* count * size, checked for overflow. */
void *attestd_arena_array(struct attestd_arena *arena, size_t count, size_t size);
/* Copies; the result has a NUL behind it that does not count. */
struct attestd_bytes attestd_arena_bytes(struct attestd_arena *arena, const void *bytes, size_t len);
char *attestd_arena_text(struct attestd_arena *arena, const char *text);
char *attestd_arena_format(struct attestd_arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
char *attestd_arena_vformat(struct attestd_arena *arena, const char *format, va_list args) __attribute__((format(printf, 2, 0)));
/* Lower-case hex of the bytes. */
char *attestd_arena_hex(struct attestd_arena *arena, const uint8_t *bytes, size_t len);
/* Run release(object) when the arena is freed. */
void attestd_arena_defer(struct attestd_arena *arena, void (*release)(void *), void *object);
/* Bytes handed out so far. */
size_t attestd_arena_used(const struct attestd_arena *arena);

#endif
