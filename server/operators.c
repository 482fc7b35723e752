/* SPDX-License-Identifier: Apache-2.0 */
#include "server/operators.h"
#include "core/bytes.h"
#include "core/digest.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct operators {
    const struct config_operator *keys;
    size_t count;
};

struct operators *operators_new(const struct config_operator *keys, size_t count)
{
    struct operators *o = calloc(1, sizeof *o);
    if (o == NULL)
        abort();
    o->keys = keys;
    o->count = count;
    return o;
}

void operators_free(struct operators *o)
{
    free(o);
}

static enum config_role refuse(const char **refusal, const char *code)
{
    if (refusal != NULL)
        *refusal = code;
    return ROLE_NONE;
}

enum config_role operators_role(const struct operators *o, const struct exchange *e, const char **refusal)
{
    if (e->peer.unix_socket)
        return ROLE_WRITE;
    if (o->count == 0)
        return refuse(refusal, "OPERATOR_ONLY");
    if (strncasecmp(e->authorization, "bearer ", 7) != 0)
        return refuse(refusal, "OPERATOR_KEY_MISSING");
    const char *key = e->authorization + 7;
    uint8_t digest[32];
    attestd_sha256(key, strlen(key), digest);
    enum config_role role = ROLE_NONE;
    for (size_t i = 0; i < o->count; i++) /* all of them, whichever fits */
        if (attestd_bytes_equal_secret(digest, o->keys[i].sha256, sizeof digest))
            role = o->keys[i].role;
    return role != ROLE_NONE ? role : refuse(refusal, "OPERATOR_KEY_UNKNOWN");
}
