/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Problems: every way in which a request ends without a verdict (RFC 9457), and every reason for which a verdict comes without a
 * token. One table for server, command line and catalogue.
 */
#ifndef ATTESTD_CORE_PROBLEM_H
#define ATTESTD_CORE_PROBLEM_H

#include <stdbool.h>
#include <stddef.h>

struct attestd_problem {
    const char *code;   /* UPPER_SNAKE; `type` is "urn:attestd:problem:" and this in lower case with hyphens */
    int status;         /* HTTP; 200: only in token_withheld */
    const char *title;  /* a phrase, the same for every occurrence */
    const char *remedy; /* one sentence */
    bool retryable;     /* the same request may succeed later */
};

/* NULL: no such code. */
const struct attestd_problem *attestd_problem(const char *code);
size_t attestd_problem_count(void);
const struct attestd_problem *attestd_problem_at(size_t index);

/* Writes the URN to out of at least 96 bytes. */
void attestd_problem_type(const char *code, char out[96]);

#endif
