/* SPDX-License-Identifier: Apache-2.0 */
/* Answers as every route gives them: JSON that is not stored, and problems (RFC 9457). Each gives the exchange up. */
#ifndef ATTESTD_SERVER_REPLIES_H
#define ATTESTD_SERVER_REPLIES_H

#include "server/service.h"

/* Sends what stands in e->answer. type: static media type. */
void reply(struct service *, struct exchange *, int status, const char *type);
/* A text that is copied. */
void reply_text(struct service *, struct exchange *, int status, const char *type, const char *text, size_t len);
/* 200, application/json, no-store: what stands in e->answer. */
void reply_json(struct service *, struct exchange *);

/* The problem of core/problem.h with this code; detail NULL: the title says it all. The detail has no bytes of evidence and no paths. */
void reply_problem(struct service *, struct exchange *, const char *code, const char *detail);
/* With Retry-After. */
void reply_problem_later(struct service *, struct exchange *, const char *code, const char *detail, unsigned retry_after);
/* With further members: more writes them into the open map. */
void reply_problem_with(struct service *, struct exchange *, const char *code, const char *detail, unsigned retry_after,
                        void (*more)(struct attestd_json_writer *, const void *context), const void *context);

#endif
