/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/attestctl.h"
#include "cli/policy_files.h"
#include "core/encoding.h"
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const char help[] =
    "usage: attestctl policy explain [--at TIME] [--name NAME] DIRECTORY | FILE...\n\n"
    "Says in words what policies demand: evidence, freshness, comparisons, the mode of every check at that time, and\n"
    "tokens. `hardware-only` as FILE: the built-in policy.\n";

static void explain_one(const struct cli_session *session, const struct attestd_policy *policy, int64_t at)
{
    struct attestd_text text = {0};
    attestd_policy_explain(session->engine, policy, at, &text);
    fputs(text.data, stdout);
    attestd_text_free(&text);
}

static int explain_files(struct cli_session *session, char **paths, int count, const char *name, int64_t at)
{
    struct attestd_policy_set *set = cli_compile_policies(session, paths, count, false);
    const struct attestd_policy *named;
    if (set == NULL)
        return EXIT_FAILED;
    named = name == NULL ? NULL : attestd_policy_set_find(set, name);
    if (named != NULL)
        explain_one(session, named, at);
    else if (name != NULL)
        fprintf(stderr, "attestctl: there is no policy %s\n", name);
    for (size_t i = 0; name == NULL && i < attestd_policy_set_count(set); i++) {
        fputs(i == 0 ? "" : "\n", stdout);
        explain_one(session, attestd_policy_set_at(set, i), at);
    }
    attestd_policy_set_free(set);
    return name != NULL && named == NULL ? EXIT_FAILED : EXIT_OK;
}

static int explain(struct cli_session *session, char **paths, int count, const char *name, int64_t at)
{
    struct attestd_policy *built_in;
    if (count != 1 || strcmp(paths[0], "hardware-only") != 0)
        return explain_files(session, paths, count, name, at);
    built_in = attestd_policy_hardware_only(session->engine);
    if (built_in == NULL)
        return EXIT_INTERNAL;
    explain_one(session, built_in, at);
    attestd_policy_free(built_in);
    return EXIT_OK;
}

int attestctl_policy_explain(int argc, char **argv)
{
    static const struct option options[] = {
        {"at", required_argument, NULL, 't'}, {"name", required_argument, NULL, 'n'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    const char *name = NULL;
    int64_t at = (int64_t)time(NULL);
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'n') {
            name = optarg;
        } else if (option == 't') {
            if (!attestd_time_parse(optarg, &at))
                return cli_usage_error("policy explain", "--at wants a time such as 2026-11-20T12:00:00Z");
        } else if (option == 'h') {
            fputs(help, stdout);
            return EXIT_OK;
        } else {
            return EXIT_USAGE_ERROR;
        }
    }
    if (optind >= argc)
        return cli_usage_error("policy explain", "wants a DIRECTORY or FILE...");
    struct cli_session session;
    int code = cli_session_open(&session) ? explain(&session, argv + optind, argc - optind, name, at) : EXIT_INTERNAL;
    cli_session_close(&session);
    return code;
}
