/* SPDX-License-Identifier: Apache-2.0 */
#include "server/replies.h"
#include "core/problem.h"
#include <stdio.h>
#include <string.h>
#include <time.h>

void reply(struct service *s, struct exchange *e, int status, const char *type)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    uint64_t ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    metrics_request(s->metrics, e->route, status, ns - e->arrived_ns);
    e->status = status;
    e->answer_type = type;
    exchange_send(e);
}

void reply_text(struct service *s, struct exchange *e, int status, const char *type, const char *text, size_t len)
{
    attestd_text_add(&e->answer, text, len);
    reply(s, e, status, type);
}

void reply_json(struct service *s, struct exchange *e)
{
    exchange_header(e, "cache-control", "no-store");
    reply(s, e, 200, "application/json");
}

void reply_problem_with(struct service *s, struct exchange *e, const char *code, const char *detail, unsigned retry_after,
                        void (*more)(struct attestd_json_writer *, const void *context), const void *context)
{
    const struct attestd_problem *problem = attestd_problem(code);
    if (problem == NULL)
        problem = attestd_problem("INTERNAL");
    char type[96];
    attestd_problem_type(problem->code, type);
    e->answer.len = 0; /* a half-written answer is dropped */
    struct attestd_json_writer w = attestd_json_writer_to(&e->answer);
    attestd_json_open_map(&w, NULL);
    attestd_json_text(&w, "type", type);
    attestd_json_text(&w, "code", problem->code);
    attestd_json_text(&w, "title", problem->title);
    attestd_json_number(&w, "status", problem->status);
    if (detail != NULL && *detail != '\0')
        attestd_json_text(&w, "detail", detail);
    attestd_json_text(&w, "remedy", problem->remedy);
    attestd_json_text(&w, "request_id", e->id);
    attestd_json_flag(&w, "retryable", problem->retryable);
    if (more != NULL)
        more(&w, context);
    attestd_json_close_map(&w);
    if (retry_after != 0) {
        char seconds[16];
        snprintf(seconds, sizeof seconds, "%u", retry_after);
        exchange_header(e, "retry-after", seconds);
    }
    exchange_header(e, "cache-control", "no-store");
    metrics_problem(s->metrics, problem->code);
    reply(s, e, problem->status, "application/problem+json");
}

void reply_problem(struct service *s, struct exchange *e, const char *code, const char *detail)
{
    reply_problem_with(s, e, code, detail, 0, NULL, NULL);
}

void reply_problem_later(struct service *s, struct exchange *e, const char *code, const char *detail, unsigned retry_after)
{
    reply_problem_with(s, e, code, detail, retry_after, NULL, NULL);
}
