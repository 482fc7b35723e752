/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/attestctl.h"
#include "cli/session.h"
#include "core/value.h"
#include <getopt.h>
#include <stdio.h>

static const char help[] = "usage: attestctl inspect [--type TYPE] [--json] FILE\n\n"
                           "Prints what the bytes of evidence say, field by field. Nothing is verified: every word may be a lie.\n";

/* One line a leaf, nested by indentation. */
static void print_value(struct attestd_arena *arena, const struct attestd_value *value, int depth)
{
    for (size_t i = 0; i < value->count; i++) {
        const struct attestd_value *item = &value->items[i];
        const char *name = item->name ? item->name : "-";
        if (item->kind == ATTESTD_VALUE_MAP) {
            printf("%*s%s:\n", depth * 2, "", name);
            print_value(arena, item, depth + 1);
        } else {
            printf("%*s%-*s %s\n", depth * 2, "", 26 - depth * 2, name, attestd_value_show(arena, item));
        }
    }
}

static int inspect(struct cli_session *session, const char *type, const char *path, bool json)
{
    struct attestd_bytes bytes;
    if (!cli_read_file(session, path, 0, &bytes))
        return EXIT_FAILED;
    struct attestd_request request = {0};
    struct attestd_request_fault fault = {0};
    if (!attestd_request_read_raw(session->arena, session->engine, type, bytes.data, bytes.len, &request, &fault)) {
        fprintf(stderr, "attestctl: %s: %s: %s\n", path, fault.code, fault.detail);
        return EXIT_FAILED;
    }
    char error[256];
    const struct attestd_value *claims = attestd_inspect(session->engine, session->arena, &request.pieces[0], error, sizeof error);
    if (!claims) {
        fprintf(stderr, "attestctl: %s: %s\n", path, error);
        return EXIT_FAILED;
    }
    if (json) {
        struct attestd_text text = {0};
        struct attestd_json_writer writer = attestd_json_writer_to(&text);
        attestd_json_open_map(&writer, NULL);
        attestd_json_text(&writer, "type", request.pieces[0].type);
        attestd_json_flag(&writer, "verified", false);
        attestd_json_value(&writer, "says", claims);
        attestd_json_close_map(&writer);
        puts(text.data);
        attestd_text_free(&text);
        return EXIT_OK;
    }
    printf("%s evidence, not verified\n", request.pieces[0].type);
    print_value(session->arena, claims, 1);
    return EXIT_OK;
}

int attestctl_inspect(int argc, char **argv)
{
    static const struct option options[] = {
        {"type", required_argument, NULL, 't'}, {"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    const char *type = NULL;
    bool json = false;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (option) {
        case 't':
            type = optarg;
            break;
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
    if (argc - optind != 1)
        return cli_usage_error("inspect", "wants one FILE");
    struct cli_session session;
    int code = cli_session_open(&session) ? inspect(&session, type, argv[optind], json) : EXIT_INTERNAL;
    cli_session_close(&session);
    return code;
}
