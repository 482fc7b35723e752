/* SPDX-License-Identifier: Apache-2.0 */
/* GET /livez: the process serves. Nothing is looked at: it answers also while verification is saturated. */
#include "server/replies.h"
#include "server/routes.h"

static void get_livez(struct service *s, struct exchange *e)
{
    attestd_text_puts(&e->answer, "{\"live\":true}");
    reply_json(s, e);
}

const struct route route_livez = {"/livez", true, {{"GET", get_livez, ACCESS_PUBLIC}}};
