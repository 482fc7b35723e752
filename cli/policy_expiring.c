/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/attestctl.h"
#include "cli/policy_files.h"
#include "core/encoding.h"
#include <getopt.h>
#include <stdio.h>
#include <time.h>

static const char help[] =
    "usage: attestctl policy expiring [--within 14d] [--at TIME] [--json] DIRECTORY | FILE...\n\n"
    "Lists exceptions, reference sets and policies that end within that time, or have ended. Exit: 0 none, 1 some.\n";

struct listing {
    struct attestd_text text;
    struct attestd_json_writer writer;
    bool json;
    int64_t now;
    size_t found;
};

static void print_one(void *context, const char *policy, const char *what, int64_t until, const char *owner, const char *reason)
{
    struct listing *listing = context;
    char moment[ATTESTD_TIME_SIZE];
    attestd_time_format(until, moment);
    listing->found++;
    if (!listing->json) {
        attestd_text_printf(&listing->text, "%s  %s  %s: %s%s%s%s%s\n", moment, until <= listing->now ? "ended" : "ends ", policy, what,
                            owner != NULL ? ", " : "", owner != NULL ? owner : "", reason != NULL ? ", " : "",
                            reason != NULL ? reason : "");
        return;
    }
    attestd_json_open_map(&listing->writer, NULL);
    attestd_json_text(&listing->writer, "policy", policy);
    attestd_json_text(&listing->writer, "what", what);
    attestd_json_text(&listing->writer, "until", moment);
    attestd_json_text(&listing->writer, "owner", owner);
    attestd_json_text(&listing->writer, "reason", reason);
    attestd_json_close_map(&listing->writer);
}

static int expiring(struct cli_session *session, char **paths, int count, int64_t within, int64_t now, bool json)
{
    struct attestd_policy_set *set = cli_compile_policies(session, paths, count, false);
    struct listing listing = {.json = json, .now = now};
    if (set == NULL)
        return EXIT_FAILED;
    listing.writer = attestd_json_writer_to(&listing.text);
    if (json)
        attestd_json_open_list(&listing.writer, NULL);
    for (size_t i = 0; i < attestd_policy_set_count(set); i++)
        attestd_policy_expiring(attestd_policy_set_at(set, i), now, within, print_one, &listing);
    if (json) {
        attestd_json_close_list(&listing.writer);
        attestd_text_puts(&listing.text, "\n");
    }
    fputs(listing.text.data != NULL ? listing.text.data : "", stdout);
    attestd_text_free(&listing.text);
    attestd_policy_set_free(set);
    return listing.found == 0 ? EXIT_OK : EXIT_FAILED;
}

int attestctl_policy_expiring(int argc, char **argv)
{
    static const struct option options[] = {{"within", required_argument, NULL, 'w'},
                                            {"at", required_argument, NULL, 't'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    int64_t within = 14 * 86400, now = (int64_t)time(NULL);
    bool json = false;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'w' && !attestd_duration_parse(optarg, &within))
            return cli_usage_error("policy expiring", "--within wants a duration such as 14d");
        if (option == 't' && !attestd_time_parse(optarg, &now))
            return cli_usage_error("policy expiring", "--at wants a time such as 2026-11-20T12:00:00Z");
        if (option == '?')
            return EXIT_USAGE_ERROR;
        json |= option == 'j';
        if (option != 'h')
            continue;
        fputs(help, stdout);
        return EXIT_OK;
    }
    if (optind >= argc)
        return cli_usage_error("policy expiring", "wants a DIRECTORY or FILE...");
    struct cli_session session;
    int code = cli_session_open(&session) ? expiring(&session, argv + optind, argc - optind, within, now, json) : EXIT_INTERNAL;
    cli_session_close(&session);
    return code;
}
