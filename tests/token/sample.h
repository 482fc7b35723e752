/* SPDX-License-Identifier: Apache-2.0 */
/* A finished appraisal as core would hand it over, filled by hand: what the room needs before it can be tried without a server. */
#ifndef TESTS_TOKEN_SAMPLE_H
#define TESTS_TOKEN_SAMPLE_H

#include "core/arena.h"
#include "core/result.h"

/* cpu0 (snp, class cpu) and `gpus` devices, all affirming, 24 passed checks a piece. Everything in it is the arena's and may be changed. */
struct attestd_result *sample_result(struct attestd_arena *arena, size_t gpus);
/* Appends a check to a list. */
void sample_check(struct attestd_arena *arena, struct attestd_check_list *list, const char *id, int outcome, int mode, const char *code);
/* A public P-256 key, the one that RFC 9449 section 6.1 prints. */
const struct attestd_jwk *sample_key(struct attestd_arena *arena);

#endif
