/* SPDX-License-Identifier: Apache-2.0 */
/* GET /.well-known/attestd: what this verifier reads and how much of it. */
#include "core/request.h"
#include "server/replies.h"
#include "server/routes.h"

static void write_evidence(struct attestd_json_writer *w, const struct attestd_engine *engine)
{
    static const char *const classes[] = {"", "cpu", "device", "tpm"};
    attestd_json_open_list(w, "evidence");
    for (size_t i = 0; i < attestd_engine_plugin_count(engine); i++) {
        const struct attestd_plugin *plugin = attestd_engine_plugin_at(engine, i);
        attestd_json_open_map(w, NULL);
        attestd_json_text(w, "type", plugin->name);
        attestd_json_text(w, "version", plugin->version);
        attestd_json_text(w, "class", classes[plugin->evidence_class & 3]);
        attestd_json_open_list(w, "media_types");
        for (size_t t = 0; plugin->media_types != NULL && plugin->media_types[t] != NULL; t++)
            attestd_json_text(w, NULL, plugin->media_types[t]);
        attestd_json_close_list(w);
        attestd_json_close_map(w);
    }
    attestd_json_close_list(w);
}

static void get_discovery(struct service *s, struct exchange *e)
{
    static const char *const layouts[] = {"attestd-v1", "raw", "sha512", "trustee", "ita"};
    struct attestd_json_writer w = attestd_json_writer_to(&e->answer);
    attestd_json_open_map(&w, NULL);
    attestd_json_text(&w, "version", ATTESTD_VERSION_TEXT);
    attestd_json_text(&w, "issuer", s->issuer);
    attestd_json_flag(&w, "simulated", s->simulated);
    write_evidence(&w, s->engine);
    attestd_json_open_list(&w, "layouts");
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++)
        attestd_json_text(&w, NULL, layouts[i]);
    attestd_json_close_list(&w);
    attestd_json_open_list(&w, "tokens");
    attestd_json_text(&w, NULL, "ear");
    attestd_json_text(&w, NULL, "oidc");
    attestd_json_close_list(&w);
    attestd_json_open_map(&w, "limits");
    attestd_json_number(&w, "body", (int64_t)s->config->http.body_limit);
    attestd_json_number(&w, "evidence", ATTESTD_MAX_PIECES);
    attestd_json_number(&w, "deadline_seconds", s->config->deadline);
    attestd_json_number(&w, "challenge_seconds", challenges_ttl(s->challenges));
    attestd_json_close_map(&w);
    attestd_json_close_map(&w);
    reply_json(s, e);
}

const struct route route_attestd_discovery = {"/.well-known/attestd", true, {{"GET", get_discovery, ACCESS_PUBLIC}}};
