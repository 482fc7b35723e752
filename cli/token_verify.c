/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/attestctl.h"
#include "cli/issuer_keys.h"
#include "cli/session.h"
#include "core/encoding.h"
#include "core/json.h"
#include "sdk/relying-party/attestd_rp.h"
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "usage: attestctl token verify --issuer URL --audience TEXT [OPTION]... FILE\n\n"
    "Verifies a token as a relying party must (FILE -: standard input).\n\n"
    "  --jwks PLACE           the keys: a file or an https URL; without it the issuer's discovery document is asked\n"
    "  --ca FILE              PEM of the CA for https\n"
    "  --nonce TEXT           eat_nonce must be this text\n"
    "  --policy-digest D      sha256:<hex> of a policy that is accepted; may be repeated\n"
    "  --key FILE             JWK of the key that must be bound\n"
    "  --at RFC3339           verify as of this time\n"
    "  --skew SECONDS         how far the clocks may differ (60)\n"
    "  --allow-warning        accept warning beside affirming\n"
    "  --allow-simulated      accept simulated evidence\n"
    "  --json                 one JSON object: {valid, status, reason, claims}\n\n"
    "Exit: 0 the token is good, 1 it is not, or its keys cannot be had.\n";

#define MAX_TOKEN ((size_t)64 << 10)
#define MAX_DIGESTS 32

struct order {
    struct attestd_rp_expect expect;
    const char *digests[MAX_DIGESTS + 1];
    size_t digest_count;
    char thumbprint[44];
    const char *jwks, *ca, *key, *file;
    bool json;
};

/* The numbers of enum attestd_rp_status, as words that scripts can match. */
static const char *const status_words[] = {"OK",        "MALFORMED",     "ALGORITHM", "TYPE",        "CRITICAL",   "KEY_UNKNOWN",
                                           "SIGNATURE", "ISSUER",        "AUDIENCE",  "EXPIRED",     "NOT_YET",    "NONCE",
                                           "POLICY",    "NOT_AFFIRMING", "SIMULATED", "KEY_BINDING", "UNAVAILABLE"};

static void report_json(enum attestd_rp_status status, const char *claims)
{
    struct attestd_text text = {0};
    struct attestd_json_writer writer = attestd_json_writer_to(&text);
    attestd_json_open_map(&writer, NULL);
    attestd_json_flag(&writer, "valid", status == ATTESTD_RP_OK);
    attestd_json_text(&writer, "status", status_words[status]);
    attestd_json_text(&writer, "reason", attestd_rp_status_text(status));
    if (claims)
        attestd_json_raw(&writer, "claims", claims, strlen(claims));
    attestd_json_close_map(&writer);
    puts(text.data);
    attestd_text_free(&text);
}

static void report_plain(enum attestd_rp_status status, const char *claims)
{
    printf("%s: %s\n", status == ATTESTD_RP_OK ? "good" : status_words[status], attestd_rp_status_text(status));
    if (!claims)
        return;
    char until[ATTESTD_TIME_SIZE];
    json_t *json = json_loads(claims, 0, NULL);
    const json_t *policy = json_object_get(json, "attestd_policy");
    const char *name = json_string_value(json_object_get(policy ? policy : json, policy ? "name" : "attestd_policy_name"));
    attestd_time_format(json_integer_value(json_object_get(json, "exp")), until);
    printf("verdict %s under policy %s, valid until %s\n", json_string_value(json_object_get(json, "attestd_verdict")), name ? name : "?",
           until);
    json_decref(json);
}

static bool bound_key(struct cli_session *session, struct order *order)
{
    struct attestd_bytes bytes;
    if (!order->key)
        return true;
    if (!cli_read_file(session, order->key, 16 << 10, &bytes))
        return false;
    order->expect.key_thumbprint = order->thumbprint;
    if (attestd_rp_thumbprint((const char *)bytes.data, order->thumbprint))
        return true;
    fprintf(stderr, "attestctl: %s: not a public EC, OKP or RSA key as JWK\n", order->key);
    return false;
}

static int verify(struct cli_session *session, struct order *order)
{
    struct attestd_bytes bytes;
    if (!bound_key(session, order) || !cli_read_file(session, order->file, MAX_TOKEN, &bytes))
        return EXIT_FAILED;
    const char *jwks = cli_issuer_keys(session, order->expect.issuer, order->jwks, order->ca);
    struct attestd_rp *rp = attestd_rp_from_jwks(jwks);
    if (jwks && !rp)
        fprintf(stderr, "attestctl: what was read is not a set of keys (JWKS)\n");
    const char *text = (const char *)bytes.data;
    const char *token = attestd_arena_format(session->arena, "%.*s", (int)strcspn(text, "\r\n"), text);
    char *claims = NULL;
    enum attestd_rp_status status = rp ? attestd_rp_verify(rp, token, &order->expect, &claims) : ATTESTD_RP_UNAVAILABLE;
    (order->json ? report_json : report_plain)(status, claims);
    free(claims);
    attestd_rp_free(rp);
    return status == ATTESTD_RP_OK ? EXIT_OK : EXIT_FAILED;
}

static const struct option options[] = {
    {"issuer", required_argument, NULL, 'i'},
    {"audience", required_argument, NULL, 'a'},
    {"jwks", required_argument, NULL, 'k'},
    {"ca", required_argument, NULL, 'c'},
    {"nonce", required_argument, NULL, 'n'},
    {"policy-digest", required_argument, NULL, 'p'},
    {"key", required_argument, NULL, 'b'},
    {"at", required_argument, NULL, 't'},
    {"skew", required_argument, NULL, 's'},
    {"allow-warning", no_argument, NULL, 'w'},
    {"allow-simulated", no_argument, NULL, 'm'},
    {"json", no_argument, NULL, 'j'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

/* EXIT_OK, or why not. */
static int take_value(struct order *order, int option)
{
    switch (option) {
    case 'p':
        if (order->digest_count == MAX_DIGESTS)
            return cli_usage_error("token verify", "at most %d policy digests", MAX_DIGESTS);
        order->digests[order->digest_count++] = optarg;
        order->expect.policy_digests = order->digests;
        return EXIT_OK;
    case 't':
        if (!attestd_time_parse(optarg, &order->expect.now))
            return cli_usage_error("token verify", "--at: not a time as in 2026-11-20T12:00:00Z");
        return EXIT_OK;
    case 's':
        if (!attestd_duration_parse(optarg, &order->expect.skew))
            return cli_usage_error("token verify", "--skew: not a number of seconds");
        order->expect.skew = order->expect.skew == 0 ? -1 : order->expect.skew;
        return EXIT_OK;
    default:
        return EXIT_USAGE_ERROR;
    }
}

static int take_option(struct order *order, int option)
{
    const char **text = option == 'i'   ? &order->expect.issuer
                        : option == 'a' ? &order->expect.audience
                        : option == 'n' ? &order->expect.nonce
                        : option == 'k' ? &order->jwks
                        : option == 'c' ? &order->ca
                        : option == 'b' ? &order->key
                                        : NULL;
    bool *flag = option == 'w'   ? &order->expect.allow_warning
                 : option == 'm' ? &order->expect.allow_simulated
                 : option == 'j' ? &order->json
                                 : NULL;
    if (text)
        *text = optarg;
    else if (flag)
        *flag = true;
    else
        return take_value(order, option);
    return EXIT_OK;
}

int attestctl_token_verify(int argc, char **argv)
{
    struct order order = {0};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'h') {
            fputs(help, stdout);
            return EXIT_OK;
        }
        int code = take_option(&order, option);
        if (code != EXIT_OK)
            return code;
    }
    if (optind + 1 != argc)
        return cli_usage_error("token verify", "wants one FILE");
    if (!order.expect.issuer || !order.expect.audience)
        return cli_usage_error("token verify", "wants --issuer and --audience: a token for anybody proves nothing to you");
    order.file = argv[optind];
    struct cli_session session = {.arena = attestd_arena_new()};
    int code = verify(&session, &order);
    attestd_arena_free(session.arena);
    return code;
}
