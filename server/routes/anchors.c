/* SPDX-License-Identifier: Apache-2.0 */
/* GET /v1/anchors: the pinned roots. */
#include "server/replies.h"
#include "server/routes.h"

static void get_anchors(struct service *s, struct exchange *e)
{
    struct attestd_arena *arena = attestd_arena_new();
    struct attestd_bytes der;
    struct attestd_json_writer w = attestd_json_writer_to(&e->answer);
    attestd_json_open_map(&w, NULL);
    attestd_json_hex(&w, "digest", attestd_anchor_set_digest(s->anchors), 32);
    attestd_json_open_list(&w, "anchors");
    for (size_t i = 0; i < attestd_anchor_set_count(s->anchors); i++) {
        const struct attestd_anchor *anchor = attestd_anchor_set_at(s->anchors, i);
        attestd_json_open_map(&w, NULL);
        attestd_json_text(&w, "name", anchor->name);
        attestd_json_text(&w, "purpose", anchor->purpose);
        attestd_json_hex(&w, "sha256", anchor->sha256, 32);
        attestd_json_hex(&w, "spki_sha256", anchor->spki_sha256, 32);
        attestd_json_flag(&w, "simulated", anchor->simulated);
        attestd_json_flag(&w, "operator_given", anchor->operator_given);
        attestd_json_flag(&w, "has_bytes", attestd_endorsements_anchor_bytes(s->endorsements, anchor->sha256, arena, &der));
        attestd_json_close_map(&w);
    }
    attestd_json_close_list(&w);
    attestd_json_close_map(&w);
    attestd_arena_free(arena);
    reply_json(s, e);
}

const struct route route_anchors = {"/v1/anchors", false, {{"GET", get_anchors, ACCESS_READ}}};
