/* SPDX-License-Identifier: Apache-2.0 */
/* GET /metrics: Prometheus text exposition, version 0.0.4. */
#include "server/audit.h"
#include "server/job_queue.h"
#include "server/records.h"
#include "server/replies.h"
#include "server/routes.h"
#include <stdio.h>
#include <time.h>

#define VENDORS_MAX 32
#define EXPIRING_SOON (14 * 86400)

static void write_transport(struct service *s, struct attestd_text *out)
{
    struct transport_counts c = transport_counts(s->transport);
    metrics_sample(out, "attestd_connections", "gauge", "", c.connections);
    metrics_sample(out, "attestd_connections_accepted_total", "counter", "", (double)c.accepted);
    metrics_sample(out, "attestd_connections_refused_total", "counter", "", (double)c.refused);
    metrics_sample(out, "attestd_connections_reaped_total", "counter", "", (double)c.reaped);
    metrics_sample(out, "attestd_requests_aborted_total", "counter", "", (double)c.aborted);
    metrics_sample(out, "attestd_body_bytes", "gauge", "", (double)c.body_bytes);
    metrics_sample(out, "attestd_queue_length", "gauge", "", (double)job_queue_length(s->queue));
    metrics_sample(out, "attestd_verifications_open", "gauge", "", (double)job_queue_open(s->queue));
    metrics_sample(out, "attestd_challenges_spent", "gauge", "", (double)spent_count(s->spent));
}

static void write_vendor(struct attestd_text *out, const struct attestd_vendor_state *v)
{
    char vendor[64], host[128], labels[256];
    const struct {
        const char *result;
        uint64_t count;
    } results[] = {{"ok", v->ok}, {"failed", v->failed}, {"throttled", v->throttled}, {"not_found", v->not_found}};
    metrics_label(vendor, sizeof vendor, v->vendor);
    metrics_label(host, sizeof host, v->host);
    for (size_t i = 0; i < sizeof results / sizeof *results; i++) {
        snprintf(labels, sizeof labels, "vendor=\"%s\",host=\"%s\",result=\"%s\"", vendor, host, results[i].result);
        metrics_sample(out, "attestd_vendor_requests_total", NULL, labels, (double)results[i].count);
    }
    snprintf(labels, sizeof labels, "vendor=\"%s\",host=\"%s\"", vendor, host);
    metrics_sample(out, "attestd_vendor_breaker_open", NULL, labels, v->breaker_open);
    metrics_sample(out, "attestd_vendor_queue", NULL, labels, v->queued);
    metrics_sample(out, "attestd_vendor_last_success_seconds", NULL, labels, (double)v->last_success);
}

static void write_endorsements(struct service *s, struct attestd_text *out)
{
    struct attestd_vendor_state vendors[VENDORS_MAX];
    struct attestd_endorsements_counts c = attestd_endorsements_counts(s->endorsements);
    struct attestd_memo_counts m = attestd_engine_memo_counts(s->engine);
    attestd_text_puts(out, "# TYPE attestd_vendor_requests_total counter\n# TYPE attestd_vendor_breaker_open gauge\n"
                           "# TYPE attestd_vendor_queue gauge\n# TYPE attestd_vendor_last_success_seconds gauge\n");
    size_t count = attestd_endorsements_vendors(s->endorsements, vendors, VENDORS_MAX);
    for (size_t i = 0; i < count && i < VENDORS_MAX; i++)
        write_vendor(out, &vendors[i]);
    attestd_text_puts(out, "# TYPE attestd_endorsements_total counter\n");
    metrics_sample(out, "attestd_endorsements_total", NULL, "from=\"cache\"", (double)c.cache_hits);
    metrics_sample(out, "attestd_endorsements_total", NULL, "from=\"cache_stale\"", (double)c.cache_stale);
    metrics_sample(out, "attestd_endorsements_total", NULL, "from=\"directory\"", (double)c.directory_hits);
    metrics_sample(out, "attestd_endorsements_total", NULL, "from=\"vendor\"", (double)c.vendor_calls);
    metrics_sample(out, "attestd_endorsements_total", NULL, "from=\"held_back\"", (double)c.held_back);
    metrics_sample(out, "attestd_endorsements_total", NULL, "from=\"over_budget\"", (double)c.over_budget);
    metrics_sample(out, "attestd_endorsement_cache_misses_total", "counter", "", (double)c.cache_misses);
    metrics_sample(out, "attestd_memo_hits_total", "counter", "", (double)m.hits);
    metrics_sample(out, "attestd_memo_misses_total", "counter", "", (double)m.misses);
    metrics_sample(out, "attestd_memo_dropped_total", "counter", "", (double)m.dropped);
    metrics_sample(out, "attestd_memo_entries", "gauge", "", (double)m.entries);
    metrics_sample(out, "attestd_memo_bytes", "gauge", "", (double)m.bytes);
}

static void on_expiring(void *context, const char *policy, const char *what, int64_t until, const char *owner, const char *reason)
{
    (void)policy;
    (void)what;
    (void)until;
    (void)owner;
    (void)reason;
    ++*(size_t *)context;
}

static void write_policies(struct service *s, struct attestd_text *out)
{
    struct attestd_policy_fault faults[POLICIES_FAULTS];
    char name[96], labels[128];
    struct policy_snapshot *snapshot = policies_take(s->policies);
    attestd_text_puts(out, "# TYPE attestd_policy_version gauge\n# TYPE attestd_policy_exceptions_expiring gauge\n");
    for (size_t i = 0; i < policy_snapshot_count(snapshot) && i < 256; i++) {
        const struct attestd_policy *policy = policy_snapshot_at(snapshot, i);
        size_t expiring = 0;
        attestd_policy_expiring(policy, (int64_t)time(NULL), EXPIRING_SOON, on_expiring, &expiring);
        snprintf(labels, sizeof labels, "policy=\"%s\"", metrics_label(name, sizeof name, attestd_policy_name(policy)));
        metrics_sample(out, "attestd_policy_version", NULL, labels, (double)attestd_policy_version(policy));
        metrics_sample(out, "attestd_policy_exceptions_expiring", NULL, labels, (double)expiring);
    }
    policy_snapshot_release(snapshot);
    metrics_sample(out, "attestd_policy_faults", "gauge", "", (double)policies_faults(s->policies, faults));
}

static void write_stores(struct service *s, struct attestd_text *out)
{
    const struct {
        const char *labels;
        struct attestd_store *store;
    } stores[] = {{"store=\"cache\"", s->cache}, {"store=\"state\"", s->state}, {"store=\"records\"", s->record_store}};
    attestd_text_puts(out, "# TYPE attestd_store_bytes gauge\n# TYPE attestd_store_failed_total counter\n# TYPE "
                           "attestd_store_dropped_total counter\n");
    for (size_t i = 0; i < sizeof stores / sizeof *stores; i++) {
        struct attestd_store_counts c = attestd_store_counts(stores[i].store);
        metrics_sample(out, "attestd_store_bytes", NULL, stores[i].labels, (double)c.used_bytes);
        metrics_sample(out, "attestd_store_failed_total", NULL, stores[i].labels, (double)c.failed);
        metrics_sample(out, "attestd_store_dropped_total", NULL, stores[i].labels, (double)c.dropped);
    }
    bool failing;
    metrics_sample(out, "attestd_audit_failures_total", "counter", "", (double)audit_failures(s->audit, &failing));
    metrics_sample(out, "attestd_audit_failing", "gauge", "", failing);
    metrics_sample(out, "attestd_simulated", "gauge", "", s->simulated);
}

static void get_metrics(struct service *s, struct exchange *e)
{
    metrics_sample(&e->answer, "attestd_build_info", "gauge", "version=\"" ATTESTD_VERSION_TEXT "\"", 1);
    metrics_write(s->metrics, &e->answer);
    write_transport(s, &e->answer);
    write_endorsements(s, &e->answer);
    write_policies(s, &e->answer);
    write_stores(s, &e->answer);
    exchange_header(e, "cache-control", "no-store");
    reply(s, e, 200, "text/plain; version=0.0.4; charset=utf-8");
}

const struct route route_metrics = {"/metrics", true, {{"GET", get_metrics, ACCESS_PUBLIC}}};
