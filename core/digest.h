/* SPDX-License-Identifier: Apache-2.0 */
/* Digests over libcrypto, with the algorithms fetched once. */
#ifndef ATTESTD_CORE_DIGEST_H
#define ATTESTD_CORE_DIGEST_H

#include <attestd/plugin.h>
#include <stddef.h>
#include <stdint.h>

void attestd_sha256(const void *bytes, size_t len, uint8_t digest[32]);
void attestd_sha384(const void *bytes, size_t len, uint8_t digest[48]);
void attestd_sha512(const void *bytes, size_t len, uint8_t digest[64]);
void attestd_sha1(const void *bytes, size_t len, uint8_t digest[20]);
void attestd_hmac_sha256(const void *key, size_t key_len, const void *bytes, size_t len, uint8_t mac[32]);

/* A digest over several pieces. bits: 256, 384 or 512 (SHA-2). */
struct attestd_digest;
struct attestd_digest *attestd_digest_new(int bits);
void attestd_digest_add(struct attestd_digest *, const void *bytes, size_t len);
/* L(x) of docs/binding.md: big-endian u32 length, then the bytes. */
void attestd_digest_add_framed(struct attestd_digest *, const void *bytes, size_t len);
void attestd_digest_add_u32be(struct attestd_digest *, uint32_t number);
/* Writes bits/8 bytes and frees. */
void attestd_digest_finish(struct attestd_digest *, uint8_t *out);

#endif
