/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A relying party: verify a token and use what it says.
 *
 *   example-verify_token JWKS_FILE ISSUER AUDIENCE NONCE < token
 *
 * The keys are read from a file that something else keeps up to date (`curl -o jwks.json https://verifier/.well-known/jwks.json`); a
 * program with an HTTP client of its own does that in keys(). Outside this tree: cc verify_token.c $(pkg-config --cflags --libs attest-rp
 * jansson)
 */
#include <attestd_rp.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Called at first use, hourly, and when a token names a key that is not known: never more than once in 30 seconds. */
static char *keys(void *context)
{
    json_t *jwks = json_load_file(context, 0, NULL);
    char *text = json_dumps(jwks, JSON_COMPACT);
    json_decref(jwks);
    return text;
}

static char *read_token(char *line, int size)
{
    if (fgets(line, size, stdin) == NULL)
        return NULL;
    line[strcspn(line, "\r\n")] = '\0';
    return line;
}

/* Only now may the claims be believed. */
static void use(const char *claims)
{
    json_t *json = json_loads(claims, 0, NULL);
    printf("attested under policy %s until %lld\n", json_string_value(json_object_get(json_object_get(json, "attestd_policy"), "name")),
           (long long)json_integer_value(json_object_get(json, "exp")));
    json_decref(json);
}

int main(int argc, char **argv)
{
    char line[20000], *claims = NULL;
    if (argc != 5 || read_token(line, sizeof(line)) == NULL) {
        fprintf(stderr, "usage: %s JWKS_FILE ISSUER AUDIENCE NONCE < token\n", argv[0]);
        return 64;
    }
    struct attestd_rp *rp = attestd_rp_new(keys, argv[1], 30);
    if (rp == NULL)
        return 70;

    /* Who issued it, for whom, over which nonce. A service that knows its policies and its peer's key demands those too. */
    struct attestd_rp_expect expect = {.issuer = argv[2], .audience = argv[3], .nonce = argv[4]};
    enum attestd_rp_status status = attestd_rp_verify(rp, line, &expect, &claims);
    if (status == ATTESTD_RP_OK)
        use(claims);
    else
        printf("refused: %s\n", attestd_rp_status_text(status));
    free(claims);
    attestd_rp_free(rp);
    return status == ATTESTD_RP_OK ? 0 : 1;
}
