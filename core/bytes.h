/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bounded reader: the only way to read bytes from outside.
 *
 * A reader is a cursor over borrowed bytes. A read beyond the end sets `failed`, leaves the cursor where it was, and gives
 * zeros; all later reads fail too. So a parser reads field after field and asks once, at the end.
 */
#ifndef ATTESTD_CORE_BYTES_H
#define ATTESTD_CORE_BYTES_H

#include <attestd/plugin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct attestd_reader {
    const uint8_t *base;
    size_t len, at;
    bool failed;
};

struct attestd_reader attestd_reader_of(const void *bytes, size_t len);

uint8_t attestd_read_u8(struct attestd_reader *);
uint16_t attestd_read_u16le(struct attestd_reader *);
uint32_t attestd_read_u32le(struct attestd_reader *);
uint64_t attestd_read_u64le(struct attestd_reader *);
uint16_t attestd_read_u16be(struct attestd_reader *);
uint32_t attestd_read_u32be(struct attestd_reader *);
uint64_t attestd_read_u64be(struct attestd_reader *);
/* Borrowed view of the next len bytes; {NULL, 0} on failure. */
struct attestd_bytes attestd_read_bytes(struct attestd_reader *, size_t len);
/* Copies exactly len bytes to out; zeros on failure. */
void attestd_read_copy(struct attestd_reader *, void *out, size_t len);
void attestd_read_skip(struct attestd_reader *, size_t len);
/* True when all of the next len bytes are zero (they are consumed). False on failure too. */
bool attestd_read_zeros(struct attestd_reader *, size_t len);
size_t attestd_reader_left(const struct attestd_reader *);
/* A reader over len bytes at offset of the whole (not of the cursor); failed if they are not inside. */
struct attestd_reader attestd_reader_window(const struct attestd_reader *, size_t offset, size_t len);
/* Everything read, nothing failed. */
bool attestd_reader_done(const struct attestd_reader *);

bool attestd_bytes_equal(struct attestd_bytes a, struct attestd_bytes b);
bool attestd_bytes_are(struct attestd_bytes a, const void *bytes, size_t len);
bool attestd_bytes_zero(const uint8_t *bytes, size_t len);
/* In time that does not depend on the contents. */
bool attestd_bytes_equal_secret(const void *a, const void *b, size_t len);

#endif
