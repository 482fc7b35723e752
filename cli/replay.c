/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/appraise.h"
#include "cli/attestctl.h"
#include "cli/session.h"
#include "core/bundle.h"
#include "core/bytes.h"
#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const char help[] =
    "usage: attestctl replay [--json] BUNDLE\n\n"
    "Runs a bundle again with nothing but what is in it, and compares with the result it carries. The same build must reproduce it byte\n"
    "for byte; of another build the differences are printed.\n\n"
    "Exit: 0 reproduced, 1 it differs, 64 usage, 70 internal.\n";

static int compare(const struct attestd_bundle *bundle, const struct attestd_job *job, bool json)
{
    struct attestd_text again = {0};
    attestd_bundle_result(&again, job);
    bool same = attestd_bytes_are(bundle->result, again.data, again.len);
    if (json) {
        puts(again.data);
    } else if (same) {
        printf("reproduced byte for byte: %s, by attestd %s\n", attestd_verdict_name(attestd_job_result(job)->verdict),
               ATTESTD_VERSION_TEXT);
    } else {
        struct attestd_text differences = {0};
        printf("differs (recorded by attestd %s, replayed by %s):\n", bundle->engine_version, ATTESTD_VERSION_TEXT);
        attestd_bundle_diff((const char *)bundle->result.data, bundle->result.len, again.data, again.len, &differences);
        fputs(differences.data ? differences.data : "", stdout);
        attestd_text_free(&differences);
    }
    attestd_text_free(&again);
    return same ? EXIT_OK : EXIT_FAILED;
}

static int replay(struct cli_session *session, const char *path, bool json)
{
    struct attestd_bytes text;
    if (!cli_read_file(session, path, (size_t)64 << 20, &text))
        return EXIT_FAILED;
    struct attestd_bundle bundle;
    char error[512];
    if (!attestd_bundle_read(session->arena, session->engine, (const char *)text.data, text.len, &bundle, error, sizeof error)) {
        fprintf(stderr, "attestctl: %s: %s\n", path, error);
        return EXIT_FAILED;
    }
    struct attestd_policy_fault fault = {0};
    struct attestd_policy *policy =
        attestd_policy_from_canonical(session->engine, (const char *)bundle.policy_text.data, bundle.policy_text.len, &fault);
    if (!policy) {
        cli_print_faults(&fault, 1);
        return EXIT_FAILED;
    }
    struct attestd_job *job = attestd_bundle_run(session->engine, &bundle, attestd_policy_view(policy), bundle.time);
    int code = compare(&bundle, job, json);
    attestd_job_free(job);
    attestd_policy_free(policy);
    return code;
}

int attestctl_replay(int argc, char **argv)
{
    static const struct option options[] = {{"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    bool json = false;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'h') {
            fputs(help, stdout);
            return EXIT_OK;
        }
        if (option == '?')
            return EXIT_USAGE_ERROR;
        json = true;
    }
    if (argc - optind != 1)
        return cli_usage_error("replay", "wants one BUNDLE");
    struct cli_session session;
    int code = cli_session_open(&session) ? replay(&session, argv[optind], json) : EXIT_INTERNAL;
    cli_session_close(&session);
    return code;
}
