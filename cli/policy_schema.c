/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/attestctl.h"
#include "cli/session.h"
#include <getopt.h>
#include <stdio.h>

static const char help[] = "usage: attestctl policy schema\n\n"
                           "Prints the JSON Schema (2020-12) of policies and reference sets, with a section for each loaded plugin. For\n"
                           "editors: # yaml-language-server: $schema=policy.schema.json\n";

int attestctl_policy_schema(int argc, char **argv)
{
    static const struct option options[] = {{"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option != 'h')
            return EXIT_USAGE_ERROR;
        fputs(help, stdout);
        return EXIT_OK;
    }
    struct cli_session session;
    int code = EXIT_INTERNAL;
    if (cli_session_open(&session)) {
        struct attestd_text text = {0};
        attestd_policy_schema(session.engine, &text);
        fwrite(text.data, 1, text.len, stdout);
        attestd_text_free(&text);
        code = EXIT_OK;
    }
    cli_session_close(&session);
    return code;
}
