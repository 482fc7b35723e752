/* SPDX-License-Identifier: Apache-2.0 */
/* GET /v1/checks: the catalogue of checks, malformed codes and problems. */
#include "server/replies.h"
#include "server/routes.h"

static void get_checks(struct service *s, struct exchange *e)
{
    attestd_engine_catalogue_json(s->engine, &e->answer);
    reply_json(s, e);
}

const struct route route_checks = {"/v1/checks", false, {{"GET", get_checks, ACCESS_READ}}};
