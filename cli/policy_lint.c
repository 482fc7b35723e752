/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/attestctl.h"
#include "cli/policy_files.h"
#include "core/encoding.h"
#include <getopt.h>
#include <stdio.h>

static const char help[] = "usage: attestctl policy lint DIRECTORY | FILE...\n\n"
                           "Checks policies and their reference sets, and prints what is wrong with file, line and column. Files given\n"
                           "together find each other's sets. Embedded tests are not run: `attestctl policy test` does.\n";

static void print_policy(const struct attestd_policy *policy)
{
    char digest[65];
    attestd_hex_encode(attestd_policy_digest(policy), 32, digest);
    printf("%s, version %lld, sha256:%s, %zu tests\n", attestd_policy_name(policy), (long long)attestd_policy_version(policy), digest,
           attestd_policy_test_count(policy));
}

static int lint(struct cli_session *session, char **paths, int count)
{
    struct attestd_policy_set *set = cli_compile_policies(session, paths, count, false);
    if (set == NULL)
        return EXIT_FAILED;
    for (size_t i = 0; i < attestd_policy_set_count(set); i++)
        print_policy(attestd_policy_set_at(set, i));
    attestd_policy_set_free(set);
    return EXIT_OK;
}

int attestctl_policy_lint(int argc, char **argv)
{
    static const struct option options[] = {{"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option != 'h')
            return EXIT_USAGE_ERROR;
        fputs(help, stdout);
        return EXIT_OK;
    }
    if (optind >= argc)
        return cli_usage_error("policy lint", "wants a DIRECTORY or FILE...");
    struct cli_session session;
    int code = cli_session_open(&session) ? lint(&session, argv + optind, argc - optind) : EXIT_INTERNAL;
    cli_session_close(&session);
    return code;
}
