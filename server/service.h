/* SPDX-License-Identifier: Apache-2.0 */
/* The running service: what the routes and the workers share. Made by service_open() before any thread, taken down after all. */
#ifndef ATTESTD_SERVER_SERVICE_H
#define ATTESTD_SERVER_SERVICE_H

#include "cache/endorsements.h"
#include "cache/store.h"
#include "core/anchors.h"
#include "core/engine.h"
#include "server/addresses.h"
#include "server/challenge.h"
#include "server/config.h"
#include "server/metrics.h"
#include "server/operators.h"
#include "server/policies.h"
#include "server/spent.h"
#include "server/transport.h"
#include <stdatomic.h>

struct audit;
struct job_queue;
struct records;
struct signer;

struct service {
    const struct config *config;
    bool simulated; /* --development */
    const char *issuer, *base_url;
    struct attestd_engine *engine;
    struct attestd_anchor_set *anchors;
    struct attestd_store *cache, *state, *record_store;
    struct attestd_endorsements *endorsements;
    struct challenges *challenges;
    struct spent_set *spent;
    struct policies *policies;
    struct operators *operators;
    struct audit *audit;
    struct signer *signer;
    struct records *records;
    struct job_queue *queue;
    struct metrics *metrics;
    struct addresses *callers; /* rates of requests */
    struct transport *transport;
    atomic_bool stopping;
    atomic_uint changes; /* operators' changes that have a thread of their own */
};

/* Opens everything but the sockets, in the order of dependence; false fills error with one line (already logged parts stay open: the
 * process ends). */
bool service_open(struct service *service, const struct config *config, bool development, char *error, size_t error_size);
/* Opens the listeners and begins to serve. */
bool service_listen(struct service *service, char *error, size_t error_size);
/* SIGHUP: certificate, audit log, policies. What fails is logged and stays as it was. */
void service_reload(struct service *service);
/* SIGTERM: no new requests, open ones end, everything is written and closed. */
void service_close(struct service *service);
/* Housekeeping that is due, about once a second. */
void service_tick(struct service *service);

#endif
