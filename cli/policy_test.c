/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/attestctl.h"
#include "cli/policy_files.h"
#include <getopt.h>
#include <stdio.h>

static const char help[] =
    "usage: attestctl policy test [--anchor PURPOSE=FILE]... [--development] DIRECTORY | FILE...\n\n"
    "Compiles policies and runs the tests inside them, as the server does before it activates a policy. Evidence is\n"
    "found relative to the policy's file. Nothing is fetched: bundles bring what they need.\n";

static int test(struct cli_session *session, char **paths, int count)
{
    struct attestd_policy_set *set = cli_compile_policies(session, paths, count, true);
    size_t tests = 0, policies;
    if (set == NULL)
        return EXIT_FAILED;
    policies = attestd_policy_set_count(set);
    for (size_t i = 0; i < policies; i++)
        tests += attestd_policy_test_count(attestd_policy_set_at(set, i));
    printf("%zu policies, %zu tests, all as expected\n", policies, tests);
    attestd_policy_set_free(set);
    return EXIT_OK;
}

int attestctl_policy_test(int argc, char **argv)
{
    static const struct option options[] = {{"anchor", required_argument, NULL, 'a'},
                                            {"development", no_argument, NULL, 'd'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    const char *anchors[CLI_MAX_LIST];
    size_t anchor_count = 0;
    bool development = false;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'a' && anchor_count < CLI_MAX_LIST) {
            anchors[anchor_count++] = optarg;
        } else if (option == 'd') {
            development = true;
        } else if (option == 'h') {
            fputs(help, stdout);
            return EXIT_OK;
        } else {
            return EXIT_USAGE_ERROR;
        }
    }
    if (optind >= argc)
        return cli_usage_error("policy test", "wants a DIRECTORY or FILE...");
    struct cli_session session;
    int code = EXIT_INTERNAL;
    if (cli_session_open(&session) && cli_session_anchors(&session, anchors, anchor_count, development))
        code = test(&session, argv + optind, argc - optind);
    cli_session_close(&session);
    return code;
}
