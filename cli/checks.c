/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/attestctl.h"
#include "cli/session.h"
#include "core/result.h"
#include <getopt.h>
#include <stdio.h>

static const char help[] = "usage: attestctl checks [--json | --markdown]\n\n"
                           "Prints every check of the loaded plugins: its id, whether a policy may set it, each code and its remedy.\n";

static void print_plain(const struct attestd_engine *engine)
{
    for (size_t i = 0; i < attestd_engine_check_count(engine); i++) {
        const struct attestd_check *check = attestd_engine_check_at(engine, i);
        printf("%s  (%s)\n    %s\n", check->id, check->fixed ? "fixed" : attestd_mode_name(check->default_mode), check->title);
        for (const struct attestd_reason *reason = check->reasons; reason->code; reason++)
            printf("    %s: %s\n", reason->code, reason->remedy);
    }
}

static void print_markdown(const struct attestd_engine *engine)
{
    puts("| check | passes when | mode | codes | reference |\n|---|---|---|---|---|");
    for (size_t i = 0; i < attestd_engine_check_count(engine); i++) {
        const struct attestd_check *check = attestd_engine_check_at(engine, i);
        printf("| `%s` | %s | %s | ", check->id, check->title, check->fixed ? "fixed" : attestd_mode_name(check->default_mode));
        for (const struct attestd_reason *reason = check->reasons; reason->code; reason++)
            printf("%s`%s`: %s", reason == check->reasons ? "" : "<br>", reason->code, reason->remedy);
        printf(" | %s |\n", check->reference ? check->reference : "");
    }
}

int attestctl_checks(int argc, char **argv)
{
    static const struct option options[] = {
        {"json", no_argument, NULL, 'j'}, {"markdown", no_argument, NULL, 'm'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    int form = 0;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'h') {
            fputs(help, stdout);
            return EXIT_OK;
        }
        if (option == '?')
            return EXIT_USAGE_ERROR;
        form = option;
    }
    if (optind != argc)
        return cli_usage_error("checks", "takes no FILE");
    struct cli_session session;
    if (!cli_session_open(&session)) {
        cli_session_close(&session);
        return EXIT_INTERNAL;
    }
    if (form == 'j') {
        struct attestd_text text = {0};
        attestd_engine_catalogue_json(session.engine, &text);
        puts(text.data);
        attestd_text_free(&text);
    } else if (form == 'm') {
        print_markdown(session.engine);
    } else {
        print_plain(session.engine);
    }
    cli_session_close(&session);
    return EXIT_OK;
}
