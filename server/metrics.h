/* SPDX-License-Identifier: Apache-2.0 */
/* What is counted, and its Prometheus text. Every label has a fixed or bounded set of values. All functions may be called from any thread.
 */
#ifndef ATTESTD_SERVER_METRICS_H
#define ATTESTD_SERVER_METRICS_H

#include "core/json.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct metrics;

enum metrics_stage { STAGE_QUEUE, STAGE_VERIFY, STAGE_POLICY, STAGE_FETCH, STAGE_AUDIT, STAGE_SIGN, STAGE_ALL, STAGE_COUNT };

/* route_paths: their names, borrowed; an index beyond them is "none". types: names of the loaded plugins; "several" is added. */
struct metrics *metrics_new(const char *const *route_paths, size_t route_count, const char *const *types, size_t type_count);
void metrics_free(struct metrics *);

void metrics_request(struct metrics *, unsigned route, int status, uint64_t nanoseconds);
void metrics_problem(struct metrics *, const char *code);
/* type: the plugin's name, or NULL for several or none. */
void metrics_stage(struct metrics *, const char *type, enum metrics_stage stage, uint64_t nanoseconds);
/* code: of the first failed strict check, or "" */
void metrics_verdict(struct metrics *, const char *verdict, const char *code);
void metrics_challenge_issued(struct metrics *);
void metrics_token(struct metrics *, const char *kind); /* "ear", "oidc", "withheld" */

/* Writes what is counted here; the rest (gauges of other parts) is written by the route. */
void metrics_write(struct metrics *, struct attestd_text *out);

/* One sample: "# TYPE" is written when `type` is not NULL. labels: "" or `a="b"`. */
void metrics_sample(struct attestd_text *out, const char *name, const char *type, const char *labels, double value);
/* Text as a label's value: quotes, backslashes and line ends escaped, cut to out's size. */
const char *metrics_label(char *out, size_t size, const char *text);

#endif
