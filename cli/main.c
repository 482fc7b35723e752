/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/attestctl.h"
#include "core/engine.h"
#include <stdio.h>
#include <string.h>

const struct attestctl_command attestctl_commands[] = {
    {"appraise", "verify evidence on this machine, without a server",
     "--type --endorsements --anchor --development --offline --at --policy --reference --nonce --binding-field --layout --bundle --json "
     "--verbose --help",
     attestctl_appraise},
    {"inspect", "print what the bytes of evidence say, without judging them", "--type --json --help", attestctl_inspect},
    {"replay", "run a bundle again and compare with the result it carries", "--json --help", attestctl_replay},
    {"policy", "write, check, test and compare policies", "init lint test diff explain expiring schema --help", attestctl_policy},
    {"endorsements", "look into and fill the cache of endorsements", "list import export prefetch --state --json --help",
     attestctl_endorsements},
    {"anchors", "list the pinned roots, fetch or import their bytes", "list fetch import --state --json --help", attestctl_anchors},
    {"token", "read or verify an attestation result token", "inspect verify rotate --help", attestctl_token},
    {"checks", "print the catalogue of checks, codes and remedies", "--json --markdown --help", attestctl_checks},
    {"simulate", "mint evidence in real formats under simulated roots", "snp tdx --help", attestctl_simulate},
    {"health", "ask a running attestd how it is", "--url --ca --unix --json --help", attestctl_health},
    {"completion", "print a completion script for a shell", "bash zsh fish", attestctl_completion},
    {NULL, NULL, NULL, NULL},
};

static void usage(FILE *out)
{
    fputs("usage: attestctl COMMAND [OPTION]...\n\n", out);
    for (const struct attestctl_command *command = attestctl_commands; command->name; command++)
        fprintf(out, "  %-13s %s\n", command->name, command->summary);
    fputs("\nattestctl COMMAND --help tells the options of one; attestctl --version the version.\n", out);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        usage(stderr);
        return EXIT_USAGE_ERROR;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        usage(stdout);
        return EXIT_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("attestctl " ATTESTD_VERSION_TEXT);
        return EXIT_OK;
    }
    for (const struct attestctl_command *command = attestctl_commands; command->name; command++)
        if (strcmp(argv[1], command->name) == 0)
            return command->run(argc - 1, argv + 1);
    fprintf(stderr, "attestctl: there is no command \"%s\"\n", argv[1]);
    usage(stderr);
    return EXIT_USAGE_ERROR;
}
