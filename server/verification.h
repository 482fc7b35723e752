/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One POST /verify from the queue to its answer:
 *
 *   worker    read the request, look at the challenge, choose the policy, run the job
 *   fetcher   what only a vendor has; back into the queue (no thread waits)
 *   worker    spend the challenge, write the answer but for the token
 *   audit     one line
 *   signer    the token
 *
 * The order of spend, audit, token is what makes a challenge buy at most one verdict, and no verdict go unrecorded.
 */
#ifndef ATTESTD_SERVER_VERIFICATION_H
#define ATTESTD_SERVER_VERIFICATION_H

#include "server/job_queue.h"
#include "server/service.h"

/* Takes the exchange; answers at once when the queue is full. On an event loop. */
void verification_begin(struct service *, struct exchange *);
/* The workers' function. */
void verification_work(struct queued *);

#endif
