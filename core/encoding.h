/* SPDX-License-Identifier: Apache-2.0 */
/* Hex, base64 and RFC 3339 times: one of each in the whole project. */
#ifndef ATTESTD_CORE_ENCODING_H
#define ATTESTD_CORE_ENCODING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* out holds 2*len+1 characters, NUL included; lower case. */
void attestd_hex_encode(const uint8_t *bytes, size_t len, char *out);
/* Both cases accepted; text_len must be even and out_size at least text_len/2. Sets *len. */
bool attestd_hex_decode(const char *text, size_t text_len, uint8_t *out, size_t out_size, size_t *len);

#define ATTESTD_BASE64_SIZE(len) (((len) + 2) / 3 * 4 + 1)
/* Standard alphabet with padding. Returns the length without the NUL that it writes. */
size_t attestd_base64_encode(const uint8_t *bytes, size_t len, char *out);
/* URL alphabet without padding (RFC 4648 section 5; RFC 7515). */
size_t attestd_base64url_encode(const uint8_t *bytes, size_t len, char *out);
/* Reads both alphabets, but not mixed, padded fully or not at all, no white space, no non-zero trailing bits. out_size at least
 * text_len/4*3+3. */
bool attestd_base64_decode(const char *text, size_t text_len, uint8_t *out, size_t out_size, size_t *len);

/* "2026-11-20T12:00:00Z"; fractions are read and dropped, offsets are applied; leap seconds refused. Years 1970..9999. */
bool attestd_time_parse(const char *text, int64_t *seconds);
#define ATTESTD_TIME_SIZE 21
void attestd_time_format(int64_t seconds, char out[ATTESTD_TIME_SIZE]);
/* "90", "90s", "15m", "24h", "7d" to seconds; no sign, no fraction, at most 100 years. */
bool attestd_duration_parse(const char *text, int64_t *seconds);

bool attestd_utf8_valid(const char *text, size_t len);
/* Length (1..4) of the well-formed character at text, of which `left` bytes exist; 0 when it is none (RFC 3629). */
size_t attestd_utf8_sequence(const char *text, size_t left);

#endif
