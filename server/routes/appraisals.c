/* SPDX-License-Identifier: Apache-2.0 */
/* GET /v1/appraisals?after=ID&limit=N, /v1/appraisals/{id}, /v1/appraisals/{id}/bundle: what records.mdb keeps. */
#include "core/bundle.h"
#include "server/query.h"
#include "server/records.h"
#include "server/replies.h"
#include "server/routes.h"
#include <stdlib.h>
#include <string.h>

#define LIST_USUAL 50
#define LIST_MAX 500

struct listing {
    struct attestd_json_writer w;
    size_t left;
    bool more;
};

static bool on_record(void *context, struct attestd_bytes record)
{
    struct listing *listing = context;
    if (listing->left == 0) {
        listing->more = true;
        return false;
    }
    listing->left--;
    attestd_json_raw(&listing->w, NULL, (const char *)record.data, record.len);
    return true;
}

static size_t limit_of(const char *text)
{
    char *end;
    if (text == NULL)
        return LIST_USUAL;
    unsigned long limit = strtoul(text, &end, 10);
    return *end != '\0' || limit == 0 || limit > LIST_MAX ? 0 : (size_t)limit;
}

static void get_appraisals(struct service *s, struct exchange *e)
{
    struct attestd_arena *arena = attestd_arena_new();
    struct query_pair pairs[QUERY_MAX];
    size_t count = 0;
    bool good = query_read(arena, e->query, pairs, &count);
    const char *after = good ? query_find(pairs, count, "after") : NULL;
    struct listing listing = {.left = good ? limit_of(query_find(pairs, count, "limit")) : 0};
    if (listing.left == 0) {
        reply_problem(s, e, "PARAMETER_INVALID", "after is an id, limit 1 to 500");
    } else {
        listing.w = attestd_json_writer_to(&e->answer);
        attestd_json_open_map(&listing.w, NULL);
        attestd_json_open_list(&listing.w, "appraisals");
        records_walk(s->records, after != NULL ? after : "", on_record, &listing);
        attestd_json_close_list(&listing.w);
        attestd_json_flag(&listing.w, "more", listing.more);
        attestd_json_close_map(&listing.w);
        reply_json(s, e);
    }
    attestd_arena_free(arena);
}

static void send_record(struct service *s, struct exchange *e, bool bundle)
{
    struct attestd_arena *arena = attestd_arena_new();
    struct attestd_bytes text;
    if (records_get(s->records, e->param, bundle, arena, &text)) {
        exchange_header(e, "cache-control", "no-store");
        reply_text(s, e, 200, bundle ? ATTESTD_BUNDLE_MEDIA_TYPE : "application/json", (const char *)text.data, text.len);
    } else {
        reply_problem(s, e, "APPRAISAL_UNKNOWN", NULL);
    }
    attestd_arena_free(arena);
}

static void get_appraisal(struct service *s, struct exchange *e)
{
    send_record(s, e, false);
}

static void get_bundle(struct service *s, struct exchange *e)
{
    send_record(s, e, true);
}

const struct route route_appraisals = {"/v1/appraisals", false, {{"GET", get_appraisals, ACCESS_READ}}};
const struct route route_appraisal = {"/v1/appraisals/{}", false, {{"GET", get_appraisal, ACCESS_READ}}};
const struct route route_appraisal_bundle = {"/v1/appraisals/{}/bundle", false, {{"GET", get_bundle, ACCESS_READ}}};
