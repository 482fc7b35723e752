/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Challenges: 32 random bytes that this verifier recognises and that buy one verdict (docs/api.md).
 *
 * The text is "c1." and base64url of 76 bytes: nonce (32), time of issue (8, big-endian milliseconds), key id (4), HMAC-SHA256 over
 * "attestd-challenge-v1\n" and the 44 bytes before it (32). With a key drawn at start the time is that of CLOCK_BOOTTIME, which nobody can
 * set back; with a key shared by replicas it is that of day.
 */
#ifndef ATTESTD_SERVER_CHALLENGE_H
#define ATTESTD_SERVER_CHALLENGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHALLENGE_NONCE 32
#define CHALLENGE_TEXT_SIZE 106 /* "c1." and 102 characters, NUL */
#define CHALLENGE_KEYS 4

struct challenges;

/* A key drawn now; it dies with the process. ttl in seconds. NULL: no randomness. */
struct challenges *challenges_new(unsigned ttl);
/* Shared keys: files of 32 to 128 bytes that only the owner can read. The first issues, all are recognised. NULL fills error. */
struct challenges *challenges_shared(unsigned ttl, const char *const *key_files, size_t count, char *error, size_t error_size);
void challenges_free(struct challenges *);

/* False: no randomness. */
bool challenge_issue(const struct challenges *, char text[CHALLENGE_TEXT_SIZE], uint8_t nonce[CHALLENGE_NONCE]);

enum challenge_state { CHALLENGE_GOOD, CHALLENGE_MALFORMED, CHALLENGE_FOREIGN, CHALLENGE_EXPIRED };
/* *age (seconds since issue) and nonce are set when GOOD. base64 and base64url are both read: what counts is the bytes. */
enum challenge_state challenge_read(const struct challenges *, const char *text, uint8_t nonce[CHALLENGE_NONCE], int64_t *age);
unsigned challenges_ttl(const struct challenges *);

/* For tests: the clock all functions above read, in milliseconds. NULL: the real one. */
void challenges_set_clock(struct challenges *, int64_t (*clock)(void));

#endif
