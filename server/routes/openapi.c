/* SPDX-License-Identifier: Apache-2.0 */
/* GET /openapi.yaml: the description of this interface. The document is written by hand; the ids and codes of checks are those of the
 * plugins that are loaded. */
#include "core/engine.h"
#include "server/embedded.h"
#include "server/replies.h"
#include "server/routes.h"
#include <string.h>

static void write_ids(const struct attestd_engine *engine, struct attestd_text *out)
{
    for (size_t i = 0; i < attestd_engine_check_count(engine); i++)
        attestd_text_printf(out, "%s%s", i != 0 ? ", " : "", attestd_engine_check_at(engine, i)->id);
}

static void write_codes(const struct attestd_engine *engine, struct attestd_text *out)
{
    bool first = true;
    for (size_t i = 0; i < attestd_engine_check_count(engine); i++)
        for (const struct attestd_reason *r = attestd_engine_check_at(engine, i)->reasons; r != NULL && r->code != NULL; r++) {
            attestd_text_printf(out, "%s%s", first ? "" : ", ", r->code);
            first = false;
        }
}

static const struct {
    const char *mark;
    void (*write)(const struct attestd_engine *, struct attestd_text *);
} lists[] = {{"[] # check ids of the loaded plugins", write_ids}, {"[] # check codes of the loaded plugins", write_codes}};

static void get_openapi(struct service *s, struct exchange *e)
{
    const char *at = (const char *)embedded_openapi; /* a NUL stands behind it */
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        const char *mark = strstr(at, lists[i].mark);
        if (mark == NULL)
            continue;
        attestd_text_add(&e->answer, at, (size_t)(mark - at));
        attestd_text_puts(&e->answer, "[");
        lists[i].write(s->engine, &e->answer);
        attestd_text_puts(&e->answer, "]");
        at = mark + strlen(lists[i].mark);
    }
    attestd_text_puts(&e->answer, at);
    exchange_header(e, "cache-control", "public, max-age=300");
    reply(s, e, 200, "application/yaml");
}

const struct route route_openapi = {"/openapi.yaml", true, {{"GET", get_openapi, ACCESS_PUBLIC}}};
