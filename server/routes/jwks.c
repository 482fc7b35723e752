/* SPDX-License-Identifier: Apache-2.0 */
/* GET /.well-known/jwks.json: the published token keys (RFC 7517). */
#include "core/digest.h"
#include "core/encoding.h"
#include "server/replies.h"
#include "server/routes.h"
#include "server/signer.h"
#include <string.h>

static void get_jwks(struct service *s, struct exchange *e)
{
    uint8_t digest[32];
    char tag[67] = "\"";
    signer_jwks(s->signer, &e->answer);
    attestd_sha256(e->answer.data, e->answer.len, digest);
    attestd_hex_encode(digest, sizeof digest, tag + 1);
    strcat(tag, "\"");
    exchange_header(e, "cache-control", "public, max-age=300");
    exchange_header(e, "etag", tag);
    if (strstr(e->if_none_match, tag) != NULL) {
        e->answer.len = 0;
        reply(s, e, 304, NULL);
        return;
    }
    reply(s, e, 200, "application/json");
}

const struct route route_jwks = {"/.well-known/jwks.json", true, {{"GET", get_jwks, ACCESS_PUBLIC}}};
