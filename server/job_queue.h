/* SPDX-License-Identifier: Apache-2.0 */
/* The bounded queue of verifications and the workers that serve it. */
#ifndef ATTESTD_SERVER_JOB_QUEUE_H
#define ATTESTD_SERVER_JOB_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

struct job_queue;

/* Embedded in what is queued. */
struct queued {
    struct queued *next;
};

/* `work` is called on one of `workers` threads, which give way to the event loops. */
struct job_queue *job_queue_start(unsigned workers, size_t length, void (*work)(struct queued *));
/* False: the queue is full, or too many verifications wait for vendors. Counts one verification more. */
bool job_queue_add(struct job_queue *, struct queued *);
/* A verification that waited for a vendor goes on, before new ones; never refused. */
void job_queue_resume(struct job_queue *, struct queued *);
/* A verification has ended. */
void job_queue_done(struct job_queue *);
size_t job_queue_length(struct job_queue *);
/* Verifications begun and not ended, the queued ones included. */
size_t job_queue_open(struct job_queue *);
/* Refuses new verifications, serves the open ones to their end (those that wait for a vendor too: their deadline bounds it), then ends the
 * workers. */
void job_queue_stop(struct job_queue *);

#endif
