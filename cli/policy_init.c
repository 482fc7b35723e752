/* SPDX-License-Identifier: Apache-2.0 */
/* attestctl policy init: evidence of a machine one trusts becomes the first policy for others like it. */
#include "cli/attestctl.h"
#include "cli/evidence.h"
#include <stdio.h>
#include <string.h>

static const char help[] =
    "usage: attestctl policy init [OPTION]... EVIDENCE [CERTIFICATE]...\n\n"
    "Verifies evidence as genuine hardware and prints a commented policy that demands what it showed: its measurement,\n"
    "product, security versions and launch settings.\n\n"
    "  --name NAME            the policy's name; starter when not given\n" CLI_EVIDENCE_HELP;

struct init_options {
    const char *name;
    struct cli_evidence_options evidence;
};

/* Only what was verified may become a demand on others. */
static bool all_authentic(const struct attestd_result *result)
{
    for (size_t i = 0; i < result->piece_count; i++)
        if (!result->pieces[i].authentic)
            return false;
    return result->piece_count > 0;
}

static int write_starter(const struct cli_session *session, const struct init_options *options, const struct attestd_job *job, int state)
{
    const struct attestd_result *result = attestd_job_result(job);
    struct attestd_text text = {0};
    if (state != ATTESTD_DONE || !all_authentic(result)) {
        if (state == ATTESTD_DONE)
            attestd_result_print(&text, result, false, false);
        fprintf(stderr, "%sattestctl: the evidence is not verified, so it is no pattern for others\n", text.data ? text.data : "");
        attestd_text_free(&text);
        return EXIT_FAILED;
    }
    attestd_policy_starter(session->engine, result, options->name, &text);
    fwrite(text.data, 1, text.len, stdout);
    attestd_text_free(&text);
    return EXIT_OK;
}

static int init(struct cli_session *session, const struct init_options *options, char **paths, int count)
{
    struct attestd_request request = {0};
    if (cli_evidence_read(session, &options->evidence, paths, count, &request, NULL) != EXIT_OK)
        return EXIT_FAILED;
    request.no_binding = true;
    struct attestd_endorsements *endorsements = cli_evidence_endorsements(session, &options->evidence);
    if (endorsements == NULL)
        return EXIT_FAILED;
    struct attestd_policy *policy = attestd_policy_hardware_only(session->engine);
    struct attestd_job *job = attestd_job_new(session->engine, &request, attestd_policy_view(policy), session->anchors, NULL);
    int state = attestd_endorsements_run(endorsements, job, options->evidence.at, options->evidence.at_given);
    int code = write_starter(session, options, job, state);
    attestd_job_free(job);
    attestd_policy_free(policy);
    attestd_endorsements_free(endorsements);
    return code;
}

int attestctl_policy_init(int argc, char **argv)
{
    static const struct option names[] = {
        CLI_EVIDENCE_OPTIONS, {"name", required_argument, NULL, 'n'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    struct init_options options = {.name = "starter"};
    for (int option; (option = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        if (option == 'h') {
            fputs(help, stdout);
            return EXIT_OK;
        }
        int code = EXIT_OK;
        if (option == 'n')
            options.name = optarg;
        else
            code = cli_evidence_option("policy init", &options.evidence, option);
        if (code != EXIT_OK)
            return code;
    }
    if (optind >= argc)
        return cli_usage_error("policy init", "wants an EVIDENCE file");
    struct cli_session session;
    int code = EXIT_INTERNAL;
    if (cli_session_open(&session)) {
        code = EXIT_USAGE_ERROR;
        if (cli_session_anchors(&session, options.evidence.anchors, options.evidence.anchor_count, options.evidence.development))
            code = init(&session, &options, argv + optind, argc - optind);
    }
    cli_session_close(&session);
    return code;
}
