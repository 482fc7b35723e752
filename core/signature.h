/* SPDX-License-Identifier: Apache-2.0 */
/* Public keys and signature checks. A key is parsed once and shared; nothing is looked up by name on the way of a check. */
#ifndef ATTESTD_CORE_SIGNATURE_H
#define ATTESTD_CORE_SIGNATURE_H

#include <attestd/plugin.h>
#include <stdbool.h>

/* An immutable public key, counted by reference, safe for all threads. */
struct attestd_key;

/* From DER SubjectPublicKeyInfo: EC P-256 or P-384 (named curve, point checked), RSA 2048..8192 with an odd exponent of at
 * least 65537, Ed25519, X25519. NULL for all else. Bounded cache by SHA-256 inside. */
struct attestd_key *attestd_key_from_spki(const uint8_t *der, size_t len);
/* From affine coordinates, big-endian: coordinate_len 32 (P-256) or 48 (P-384). */
struct attestd_key *attestd_key_from_point(const uint8_t *x, const uint8_t *y, size_t coordinate_len);
struct attestd_key *attestd_key_retain(struct attestd_key *key);
void attestd_key_free(struct attestd_key *key);
/* SHA-256 of the DER SubjectPublicKeyInfo. */
const uint8_t *attestd_key_digest(const struct attestd_key *key);
/* DER SubjectPublicKeyInfo; borrowed from the key. */
struct attestd_bytes attestd_key_spki(const struct attestd_key *key);

/* algorithm: enum attestd_algorithm. ECDSA values out of 0 < r,s < n are refused before libcrypto sees them. */
bool attestd_key_verify(const struct attestd_key *key, int algorithm, const void *message, size_t message_len, const uint8_t *signature,
                        size_t signature_len);
/* The same over a digest already made (its length fits the algorithm; not for Ed25519). */
bool attestd_key_verify_digest(const struct attestd_key *key, int algorithm, const uint8_t *digest, size_t digest_len,
                               const uint8_t *signature, size_t signature_len);

/*
 * crypto.key_tables: per-key precomputed tables for P-384 (docs/performance.md). Off unless switched on; whether they
 * pay on this libcrypto is measured once, by attestd_key_tables_measure(). Exceptional values fall back to the plain check.
 * max_keys bounds the memory (about 125 KiB a key); 0 switches off. Each call drops the tables made so far.
 */
void attestd_key_tables_enable(bool on, size_t max_keys);
/* Times both ways for about 50 ms of this thread's time; switches the tables off when they are slower. Returns the rate with tables in
 * percent of the plain one; 0 when they are not on. Other threads may go on checking. */
unsigned attestd_key_tables_measure(void);

#endif
