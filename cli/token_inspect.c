/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/attestctl.h"
#include "cli/session.h"
#include "core/encoding.h"
#include "core/json.h"
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char help[] = "usage: attestctl token inspect [--json] FILE\n\n"
                           "Prints a token's header and claims (FILE -: standard input). Nothing is verified: every word may be a lie;\n"
                           "attestctl token verify does that.\n";

#define MAX_TOKEN ((size_t)64 << 10)

/* One part of a compact JWS, as JSON. */
static json_t *read_part(struct cli_session *session, const char *name, const char *text, size_t len)
{
    char error[160];
    size_t decoded_len;
    uint8_t *decoded = attestd_arena_alloc(session->arena, len / 4 * 3 + 3);
    if (!attestd_base64_decode(text, len, decoded, len / 4 * 3 + 3, &decoded_len)) {
        fprintf(stderr, "attestctl: the %s is not base64url\n", name);
        return NULL;
    }
    json_t *json = attestd_json_read((const char *)decoded, decoded_len, 32, error, sizeof error);
    if (!json)
        fprintf(stderr, "attestctl: the %s is not JSON: %s\n", name, error);
    return json;
}

static void print_time(const json_t *claims, const char *name)
{
    char text[ATTESTD_TIME_SIZE];
    const json_t *value = json_object_get(claims, name);
    if (!json_is_integer(value) || json_integer_value(value) < 0 || json_integer_value(value) > 253402300799)
        return;
    attestd_time_format(json_integer_value(value), text);
    int64_t away = json_integer_value(value) - (int64_t)time(NULL);
    printf("  %-4s %s (%lld s %s)\n", name, text, (long long)llabs(away), away < 0 ? "ago" : "from now");
}

static void print_plain(json_t *header, json_t *claims)
{
    static const char *const parts[] = {"header", "claims"};
    json_t *values[] = {header, claims};
    puts("a token, not verified");
    for (size_t i = 0; i < 2; i++) {
        char *text = json_dumps(values[i], JSON_INDENT(2));
        printf("%s %s\n", parts[i], text);
        free(text);
    }
    puts("times");
    print_time(claims, "iat");
    print_time(claims, "nbf");
    print_time(claims, "exp");
}

static void print_json(json_t *header, json_t *claims)
{
    json_t *whole = json_pack("{s:b,s:O,s:O}", "verified", 0, "header", header, "claims", claims);
    char *text = json_dumps(whole, JSON_COMPACT);
    puts(text);
    free(text);
    json_decref(whole);
}

static int inspect(struct cli_session *session, const char *path, bool json)
{
    struct attestd_bytes bytes;
    if (!cli_read_file(session, path, MAX_TOKEN, &bytes))
        return EXIT_FAILED;
    const char *token = (const char *)bytes.data;
    size_t len = strcspn(token, " \t\r\n");
    const char *first = memchr(token, '.', len);
    const char *second = first ? memchr(first + 1, '.', len - (size_t)(first + 1 - token)) : NULL;
    if (!second) {
        fprintf(stderr, "attestctl: %s: not a compact JWS (three parts with dots between)\n", path);
        return EXIT_FAILED;
    }
    json_t *header = read_part(session, "header", token, (size_t)(first - token));
    json_t *claims = header ? read_part(session, "payload", first + 1, (size_t)(second - first - 1)) : NULL;
    if (claims)
        (json ? print_json : print_plain)(header, claims);
    int code = claims ? EXIT_OK : EXIT_FAILED;
    json_decref(header);
    json_decref(claims);
    return code;
}

int attestctl_token_inspect(int argc, char **argv)
{
    static const struct option options[] = {{"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    bool json = false;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (option) {
        case 'j':
            json = true;
            break;
        case 'h':
            fputs(help, stdout);
            return EXIT_OK;
        default:
            return EXIT_USAGE_ERROR;
        }
    }
    if (optind + 1 != argc)
        return cli_usage_error("token inspect", "wants one FILE");
    struct cli_session session = {.arena = attestd_arena_new()};
    int code = inspect(&session, argv[optind], json);
    attestd_arena_free(session.arena);
    return code;
}
