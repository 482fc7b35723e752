/* SPDX-License-Identifier: Apache-2.0 */
/* OpenID Connect Discovery 1.0, section 3: enough of it for those who only look for the keys. */
#include "token/token.h"

#include <string.h>

static void list(struct attestd_json_writer *json, const char *name, const char *const *items)
{
    attestd_json_open_list(json, name);
    for (; *items != NULL; items++)
        attestd_json_text(json, NULL, *items);
    attestd_json_close_list(json);
}

static void url(struct attestd_json_writer *json, const char *name, const char *base, const char *path)
{
    struct attestd_text text = {0};
    size_t len = strlen(base);
    while (len > 0 && base[len - 1] == '/')
        len--;
    attestd_text_add(&text, base, len);
    attestd_text_puts(&text, path);
    attestd_json_text(json, name, text.data);
    attestd_text_free(&text);
}

void attestd_discovery_json(struct attestd_text *out, const char *issuer, const char *base)
{
    static const char *const response_types[] = {"id_token", NULL};
    static const char *const subject_types[] = {"public", NULL};
    static const char *const algorithms[] = {"ES256", NULL};
    static const char *const scopes[] = {"openid", NULL};
    static const char *const none[] = {NULL};
    static const char *const claims[] = {
        "iss", "sub", "aud", "exp", "nbf", "iat", "jti", "cnf", "eat_nonce", "eat_profile", "submods", "attestd_verdict", NULL};
    struct attestd_json_writer json = attestd_json_writer_to(out);
    attestd_json_open_map(&json, NULL);
    attestd_json_text(&json, "issuer", issuer);
    url(&json, "jwks_uri", base, "/.well-known/jwks.json");
    /* Discovery demands one; nobody logs in here, and the address answers 404. */
    url(&json, "authorization_endpoint", base, "/unsupported");
    list(&json, "response_types_supported", response_types);
    list(&json, "subject_types_supported", subject_types);
    list(&json, "id_token_signing_alg_values_supported", algorithms);
    list(&json, "scopes_supported", scopes);
    list(&json, "grant_types_supported", none);
    list(&json, "claims_supported", claims);
    attestd_json_close_map(&json);
}
