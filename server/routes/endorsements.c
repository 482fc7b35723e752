/* SPDX-License-Identifier: Apache-2.0 */
/* GET /v1/endorsements: what the cache holds. POST /v1/endorsements/refresh: ask again for what ages, in the background. */
#include "server/replies.h"
#include "server/routes.h"

#define LISTED_MAX 10000

struct listing {
    struct attestd_json_writer w;
    size_t count;
};

static bool on_entry(void *context, const struct attestd_endorsement_entry *entry)
{
    struct listing *listing = context;
    struct attestd_json_writer *w = &listing->w;
    attestd_json_open_map(w, NULL);
    attestd_json_text(w, "kind", entry->kind);
    attestd_json_text(w, "key", entry->key);
    attestd_json_text(w, "source", entry->source);
    attestd_json_hex(w, "sha256", entry->sha256, 32);
    attestd_json_number(w, "size", (int64_t)entry->size);
    attestd_json_time(w, "fetched", entry->fetched);
    if (entry->next_update != 0)
        attestd_json_time(w, "next_update", entry->next_update);
    if (entry->number != 0)
        attestd_json_number(w, "number", (int64_t)entry->number);
    attestd_json_close_map(w);
    return ++listing->count < LISTED_MAX;
}

static void get_endorsements(struct service *s, struct exchange *e)
{
    struct listing listing = {attestd_json_writer_to(&e->answer), 0};
    attestd_json_open_map(&listing.w, NULL);
    attestd_json_open_list(&listing.w, "endorsements");
    attestd_endorsements_list(s->endorsements, on_entry, &listing);
    attestd_json_close_list(&listing.w);
    attestd_json_flag(&listing.w, "truncated", listing.count == LISTED_MAX);
    attestd_json_close_map(&listing.w);
    reply_json(s, e);
}

static void post_refresh(struct service *s, struct exchange *e)
{
    attestd_endorsements_refresh(s->endorsements);
    attestd_text_puts(&e->answer, "{\"refreshing\":true}");
    reply_json(s, e);
}

const struct route route_endorsements = {"/v1/endorsements", false, {{"GET", get_endorsements, ACCESS_READ}}};
const struct route route_endorsements_refresh = {"/v1/endorsements/refresh", false, {{"POST", post_refresh, ACCESS_WRITE}}};
