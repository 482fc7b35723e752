/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /readyz: 503 only when no verdict can be given (stopping, audit log not writable). All else that an operator should see is 200 with
 * `degraded` and the reasons: a broken policy, pinned roots without bytes, a vendor that does not answer.
 */
#include "server/audit.h"
#include "server/replies.h"
#include "server/routes.h"
#include <stdio.h>

#define VENDORS_MAX 32

struct readiness {
    struct service *service;
    struct attestd_json_writer w;
    bool degraded;
};

static void reason(struct readiness *r, const char *what, const char *detail)
{
    r->degraded = true;
    attestd_json_open_map(&r->w, NULL);
    attestd_json_text(&r->w, "what", what);
    attestd_json_text(&r->w, "detail", detail);
    attestd_json_close_map(&r->w);
}

static void look_at_policies(struct readiness *r)
{
    struct attestd_policy_fault faults[POLICIES_FAULTS];
    char detail[800];
    size_t count = policies_faults(r->service->policies, faults);
    for (size_t i = 0; i < count; i++) {
        snprintf(detail, sizeof detail, "%s:%u:%u: %s (%s)", faults[i].file, faults[i].line, faults[i].column, faults[i].message,
                 faults[i].code);
        reason(r, "policy", detail);
    }
    if (policies_recovered(r->service->policies))
        reason(r, "policy", "the policies in force are those of the last good start");
}

static void look_at_anchors(struct readiness *r)
{
    struct attestd_arena *arena = attestd_arena_new();
    struct attestd_bytes der;
    for (size_t i = 0; i < attestd_anchor_set_count(r->service->anchors); i++) {
        const struct attestd_anchor *anchor = attestd_anchor_set_at(r->service->anchors, i);
        if (attestd_endorsements_anchor_bytes(r->service->endorsements, anchor->sha256, arena, &der))
            continue;
        char detail[256];
        snprintf(detail, sizeof detail, "%s (%s): pinned, but its certificate is not known yet", anchor->name, anchor->purpose);
        reason(r, "anchor", detail);
    }
    attestd_arena_free(arena);
}

static void look_at_vendors(struct readiness *r)
{
    struct attestd_vendor_state vendors[VENDORS_MAX];
    char detail[256];
    size_t count = attestd_endorsements_vendors(r->service->endorsements, vendors, VENDORS_MAX);
    for (size_t i = 0; i < count && i < VENDORS_MAX; i++) {
        if (!vendors[i].breaker_open)
            continue;
        snprintf(detail, sizeof detail, "%s (%s) does not answer", vendors[i].vendor, vendors[i].host);
        reason(r, "vendor", detail);
    }
}

static void get_readyz(struct service *s, struct exchange *e)
{
    struct readiness r = {s, attestd_json_writer_to(&e->answer), false};
    bool failing;
    audit_failures(s->audit, &failing);
    bool ready = !failing && !atomic_load(&s->stopping);
    attestd_json_open_map(&r.w, NULL);
    attestd_json_flag(&r.w, "ready", ready);
    attestd_json_flag(&r.w, "simulated", s->simulated);
    attestd_json_open_list(&r.w, "reasons");
    if (failing)
        reason(&r, "audit", "the audit log cannot be written");
    if (atomic_load(&s->stopping))
        reason(&r, "stopping", "the server drains");
    look_at_policies(&r);
    look_at_anchors(&r);
    look_at_vendors(&r);
    attestd_json_close_list(&r.w);
    attestd_json_flag(&r.w, "degraded", r.degraded);
    attestd_json_close_map(&r.w);
    exchange_header(e, "cache-control", "no-store");
    reply(s, e, ready ? 200 : 503, "application/json");
}

const struct route route_readyz = {"/readyz", true, {{"GET", get_readyz, ACCESS_PUBLIC}}};
