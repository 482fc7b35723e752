/* SPDX-License-Identifier: Apache-2.0 */
/* attestctl policy init: evidence of a machine one trusts becomes the first policy for others like it. */
#include "cache/endorsements.h"
#include "cli/attestctl.h"
#include "cli/session.h"
#include "core/encoding.h"
#include "core/request.h"
#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const char help[] =
    "usage: attestctl policy init [OPTION]... EVIDENCE\n\n"
    "Verifies evidence as genuine hardware and prints a commented policy that demands what it showed: its measurement,\n"
    "product, security versions and launch settings.\n\n"
    "  --name NAME            the policy's name; starter when not given\n"
    "  --type TYPE            type of raw evidence, instead of recognising it\n"
    "  --endorsements DIR     certificates, lists and bundles of an operator (repeat)\n"
    "  --anchor PURPOSE=FILE  trust this root as well (repeat)\n"
    "  --development          mark the roots of --anchor as simulated\n"
    "  --offline              ask no vendor\n"
    "  --at TIME              verify at this time\n";

struct init_options {
    const char *name, *type, *endorsements[CLI_MAX_LIST + 1], *anchors[CLI_MAX_LIST];
    size_t endorsement_count, anchor_count;
    bool development, offline, at_given;
    int64_t at;
};

static bool read_evidence(struct cli_session *session, const char *type, const char *path, struct attestd_request *request)
{
    struct attestd_bytes bytes;
    struct attestd_request_fault fault = {0};
    if (!cli_read_file(session, path, 0, &bytes))
        return false;
    bool json = type == NULL && bytes.len > 0 && bytes.data[0] == '{';
    bool read = json ? attestd_request_read_json(session->arena, session->engine, (const char *)bytes.data, bytes.len, request, &fault)
                     : attestd_request_read_raw(session->arena, session->engine, type, bytes.data, bytes.len, request, &fault);
    if (!read)
        fprintf(stderr, "attestctl: %s: %s: %s\n", path, fault.code, fault.detail);
    return read;
}

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

static int init(struct cli_session *session, const struct init_options *options, const char *path)
{
    struct attestd_request request = {0};
    char error[512];
    if (!read_evidence(session, options->type, path, &request))
        return EXIT_FAILED;
    request.no_binding = true;
    const struct attestd_endorsements_options settings = {
        .engine = session->engine, .anchors = session->anchors, .directories = options->endorsements, .offline = options->offline};
    struct attestd_endorsements *endorsements = attestd_endorsements_new(&settings, error, sizeof error);
    if (endorsements == NULL) {
        fprintf(stderr, "attestctl: %s\n", error);
        return EXIT_FAILED;
    }
    struct attestd_policy *policy = attestd_policy_hardware_only(session->engine);
    struct attestd_job *job = attestd_job_new(session->engine, &request, attestd_policy_view(policy), session->anchors, NULL);
    int state = attestd_endorsements_run(endorsements, job, options->at, options->at_given);
    int code = write_starter(session, options, job, state);
    attestd_job_free(job);
    attestd_policy_free(policy);
    attestd_endorsements_free(endorsements);
    return code;
}

static int read_option(struct init_options *options, int option)
{
    switch (option) {
    case 'n':
        options->name = optarg;
        return EXIT_OK;
    case 'y':
        options->type = optarg;
        return EXIT_OK;
    case 'e':
        if (options->endorsement_count >= CLI_MAX_LIST)
            return cli_usage_error("policy init", "too many --endorsements");
        options->endorsements[options->endorsement_count++] = optarg;
        return EXIT_OK;
    case 'a':
        if (options->anchor_count >= CLI_MAX_LIST)
            return cli_usage_error("policy init", "too many --anchor");
        options->anchors[options->anchor_count++] = optarg;
        return EXIT_OK;
    case 'd':
        options->development = true;
        return EXIT_OK;
    case 'o':
        options->offline = true;
        return EXIT_OK;
    case 't':
        options->at_given = attestd_time_parse(optarg, &options->at);
        return options->at_given ? EXIT_OK : cli_usage_error("policy init", "--at wants a time such as 2026-11-20T12:00:00Z");
    default:
        return EXIT_USAGE_ERROR;
    }
}

int attestctl_policy_init(int argc, char **argv)
{
    static const struct option names[] = {
        {"name", required_argument, NULL, 'n'},   {"type", required_argument, NULL, 'y'},  {"endorsements", required_argument, NULL, 'e'},
        {"anchor", required_argument, NULL, 'a'}, {"development", no_argument, NULL, 'd'}, {"offline", no_argument, NULL, 'o'},
        {"at", required_argument, NULL, 't'},     {"help", no_argument, NULL, 'h'},        {NULL, 0, NULL, 0}};
    struct init_options options = {.name = "starter"};
    for (int option; (option = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        if (option == 'h') {
            fputs(help, stdout);
            return EXIT_OK;
        }
        int code = read_option(&options, option);
        if (code != EXIT_OK)
            return code;
    }
    if (argc - optind != 1)
        return cli_usage_error("policy init", "wants one EVIDENCE file");
    struct cli_session session;
    int code = EXIT_INTERNAL;
    if (cli_session_open(&session)) {
        code = EXIT_USAGE_ERROR;
        if (cli_session_anchors(&session, options.anchors, options.anchor_count, options.development))
            code = init(&session, &options, argv[optind]);
    }
    cli_session_close(&session);
    return code;
}
