/* SPDX-License-Identifier: Apache-2.0 */
/* GET /.well-known/openid-configuration: OpenID Connect discovery, as far as relying parties of tokens need it. */
#include "server/replies.h"
#include "server/routes.h"
#include "token/token.h"

static void get_configuration(struct service *s, struct exchange *e)
{
    attestd_discovery_json(&e->answer, s->issuer, s->base_url);
    exchange_header(e, "cache-control", "public, max-age=300");
    reply(s, e, 200, "application/json");
}

const struct route route_openid_configuration = {"/.well-known/openid-configuration", true, {{"GET", get_configuration, ACCESS_PUBLIC}}};
