/* SPDX-License-Identifier: Apache-2.0 */
/* GET /openapi.yaml: the description of this interface. */
#include "server/embedded.h"
#include "server/replies.h"
#include "server/routes.h"

static void get_openapi(struct service *s, struct exchange *e)
{
    exchange_header(e, "cache-control", "public, max-age=300");
    reply_text(s, e, 200, "application/yaml", (const char *)embedded_openapi, embedded_openapi_len);
}

const struct route route_openapi = {"/openapi.yaml", true, {{"GET", get_openapi, ACCESS_PUBLIC}}};
