/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a verification: audit line, token, answer. It owns all its memory, so that the job's can go. */
#ifndef ATTESTD_SERVER_ANSWER_H
#define ATTESTD_SERVER_ANSWER_H

#include "core/appraise.h"
#include "server/service.h"

/* What the caller accepts. */
enum answer_form { ANSWER_JSON, ANSWER_TOKEN, ANSWER_NONE };
enum answer_form answer_form_of(const char *accept);

struct answer_context {
    struct service *service;
    struct exchange *exchange; /* answer_submit() gives it up */
    const struct attestd_job *job;
    const struct attestd_result *result; /* the job's, or a marked copy */
    struct attestd_policy *policy;
    enum answer_form form;
    const char *id;     /* "ap_..." */
    const char *client; /* address, for audit and record */
    int64_t now;
};

/* Copies what it needs of the job, hands itself and the exchange to the audit writer, and returns. */
void answer_submit(const struct answer_context *);
/* The record that is kept of an appraisal: the answer without its token. Does not touch the exchange. */
void answer_record(const struct answer_context *, struct attestd_text *out);

#endif
