/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prints one token, made by token/ over an appraisal filled by hand, for the relying parties that are tried here.
 *
 *   mint_token --keys DIR [--audience TEXT] [--issuer URL] [--expires-in SECONDS] [--nonce TEXT] [--gpus N] [--kind ear|oidc]
 *              [--warning] [--simulated] [--jwks FILE]
 *
 * The same DIR signs with the same key; --jwks writes the published keys.
 */
#include "tests/token/sample.h"
#include "token/token.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct order {
    const char *keys, *jwks, *kind;
    struct attestd_token_claims claims;
    size_t gpus;
    bool warning, simulated;
};

static bool take_option(struct order *order, int option)
{
    switch (option) {
    case 'k':
        order->keys = optarg;
        return true;
    case 'a':
        order->claims.audience = optarg;
        return true;
    case 'i':
        order->claims.issuer = optarg;
        return true;
    case 'e':
        order->claims.expires = strtoll(optarg, NULL, 10);
        return true;
    case 'n':
        order->claims.nonce = optarg;
        return true;
    case 'g':
        order->gpus = strtoul(optarg, NULL, 10) % 31;
        return true;
    case 't':
        order->kind = optarg;
        return true;
    case 'w':
        return order->warning = true;
    case 's':
        return order->simulated = true;
    case 'j':
        order->jwks = optarg;
        return true;
    default:
        return false;
    }
}

static bool write_jwks(const struct attestd_keyring *ring, const char *path)
{
    struct attestd_text text = {0};
    FILE *file = fopen(path, "w");
    if (file == NULL) {
        perror(path);
        return false;
    }
    attestd_keyring_jwks(ring, &text);
    fputs(text.data, file);
    attestd_text_free(&text);
    return fclose(file) == 0;
}

static bool mint(const struct order *order, struct attestd_arena *arena, const struct attestd_keyring *ring)
{
    struct attestd_text payload = {0}, token = {0};
    struct attestd_result *result = sample_result(arena, order->gpus);
    bool oidc = strcmp(order->kind, "oidc") == 0;
    result->verdict = order->warning ? ATTESTD_WARNING : ATTESTD_AFFIRMING;
    result->simulated = order->simulated;
    (oidc ? attestd_oidc_payload : attestd_ear_payload)(&payload, &order->claims, result);
    bool ok = payload.len > 0 &&
              attestd_jws_sign(ring, oidc ? ATTESTD_TOKEN_TYPE_JWT : ATTESTD_TOKEN_TYPE_EAR, payload.data, payload.len, &token);
    if (ok)
        puts(token.data);
    attestd_text_free(&payload);
    attestd_text_free(&token);
    return ok;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"keys", required_argument, NULL, 'k'},
                                            {"audience", required_argument, NULL, 'a'},
                                            {"issuer", required_argument, NULL, 'i'},
                                            {"expires-in", required_argument, NULL, 'e'},
                                            {"nonce", required_argument, NULL, 'n'},
                                            {"gpus", required_argument, NULL, 'g'},
                                            {"kind", required_argument, NULL, 't'},
                                            {"warning", no_argument, NULL, 'w'},
                                            {"simulated", no_argument, NULL, 's'},
                                            {"jwks", required_argument, NULL, 'j'},
                                            {NULL, 0, NULL, 0}};
    char error[512];
    int64_t now = (int64_t)time(NULL);
    struct attestd_arena *arena = attestd_arena_new();
    struct order order = {.kind = "ear",
                          .claims = {.issuer = "https://attestd.example",
                                     .subject = "attestd:policy/prod-inference",
                                     .id = "ap_0199f000-0000-7000-8000-000000000000",
                                     .expires = 300,
                                     .nonce = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
                                     .key = sample_key(arena)}};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (!take_option(&order, option))
            return 64;
    }
    order.claims.issued = order.claims.expires > 0 ? now : now + order.claims.expires - 300;
    order.claims.expires += now;
    struct attestd_keyring *ring = attestd_keyring_open(order.keys, error, sizeof(error));
    if (ring == NULL) {
        fprintf(stderr, "mint_token: %s\n", error);
        return 1;
    }
    bool ok = (order.jwks == NULL || write_jwks(ring, order.jwks)) && mint(&order, arena, ring);
    attestd_keyring_free(ring);
    attestd_arena_free(arena);
    return ok ? 0 : 1;
}
