/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/attestctl.h"
#include "cli/session.h"
#include <stdio.h>
#include <string.h>

int attestctl_dispatch(const char *command, const struct attestctl_subcommand *table, int argc, char **argv)
{
    if (argc >= 2 && strcmp(argv[1], "--help") == 0) {
        printf("usage: attestctl %s SUBCOMMAND [OPTION]...\n\n", command);
        for (; table->name; table++)
            printf("  %-10s %s\n", table->name, table->summary);
        printf("\nattestctl %s SUBCOMMAND --help tells its options.\n", command);
        return EXIT_OK;
    }
    for (; argc >= 2 && table->name; table++)
        if (strcmp(argv[1], table->name) == 0)
            return table->run(argc - 1, argv + 1);
    return cli_usage_error(command, argc >= 2 ? "there is no such subcommand" : "wants a subcommand");
}
