/* SPDX-License-Identifier: Apache-2.0 */
/* attestctl appraise: the server's appraise, without a server. */
#include "cli/appraise.h"
#include "cli/attestctl.h"
#include "cli/evidence.h"
#include "core/binding.h"
#include "core/bundle.h"
#include "core/encoding.h"
#include "core/identifier.h"
#include <stdio.h>
#include <string.h>

static const char help[] =
    "usage: attestctl appraise [OPTION]... FILE...\n\n"
    "Verifies evidence on this machine. FILE: raw vendor bytes (the type is recognised), a /verify request, or a bundle. Several raw "
    "files\n"
    "are one request; certificates and lists among them go along with the evidence named before them.\n\n" CLI_EVIDENCE_HELP
    "  --policy FILE          policy to weigh by, instead of hardware-only\n"
    "  --reference FILE       reference set the policy names (repeat)\n"
    "  --nonce HEX            nonce the evidence must be bound to\n"
    "  --layout NAME          binding layout: attestd-v1 (default), raw, sha512, trustee, ita\n"
    "  --binding-field HEX    exact contents of the signed field, instead of --nonce\n"
    "  --bundle FILE          write everything that went in and came out, for replay\n"
    "  --json                 print the server's answer\n"
    "  --verbose              list passed checks too\n\n"
    "Without --nonce or --binding-field, freshness and binding are skipped and the verdict is at best a warning.\n"
    "Exit: 0 affirming, 10 warning, 20 contraindicated, 30 malformed, 40 an endorsement cannot be had, 64 usage, 70 internal.\n";

struct appraise_options {
    struct cli_evidence_options evidence;
    const char *policy, *layout, *bundle, *references[CLI_MAX_LIST];
    size_t reference_count;
    struct attestd_bytes nonce, field;
    bool json, verbose;
    uint8_t nonce_bytes[64], field_bytes[128];
};

enum { OPTION_FIELD = 256, OPTION_BUNDLE, OPTION_LAYOUT };

static bool read_hex(const char *text, uint8_t *out, size_t size, struct attestd_bytes *bytes)
{
    size_t len = 0;
    if (!attestd_hex_decode(text, strlen(text), out, size, &len) || len == 0)
        return false;
    *bytes = (struct attestd_bytes){out, len};
    return true;
}

/* EXIT_OK, or what to exit with. */
static int read_option(struct appraise_options *options, int option)
{
    switch (option) {
    case 'r':
        if (options->reference_count >= CLI_MAX_LIST)
            return cli_usage_error("appraise", "too many --reference");
        options->references[options->reference_count++] = optarg;
        return EXIT_OK;
    case 'p':
        options->policy = optarg;
        return EXIT_OK;
    case 'n':
        return read_hex(optarg, options->nonce_bytes, sizeof options->nonce_bytes, &options->nonce) && options->nonce.len >= 8
                   ? EXIT_OK
                   : cli_usage_error("appraise", "--nonce wants 8 to 64 bytes in hex");
    case OPTION_FIELD:
        return read_hex(optarg, options->field_bytes, sizeof options->field_bytes, &options->field)
                   ? EXIT_OK
                   : cli_usage_error("appraise", "--binding-field wants up to 128 bytes in hex");
    case OPTION_LAYOUT:
        options->layout = optarg;
        return attestd_binding_layout_known(optarg) ? EXIT_OK : cli_usage_error("appraise", "there is no layout \"%s\"", optarg);
    case OPTION_BUNDLE:
        options->bundle = optarg;
        return EXIT_OK;
    case 'j':
        options->json = true;
        return EXIT_OK;
    case 'v':
        options->verbose = true;
        return EXIT_OK;
    default:
        return cli_evidence_option("appraise", &options->evidence, option);
    }
}

static int read_options(int argc, char **argv, struct appraise_options *options, bool *helped)
{
    static const struct option names[] = {CLI_EVIDENCE_OPTIONS,
                                          {"policy", required_argument, NULL, 'p'},
                                          {"reference", required_argument, NULL, 'r'},
                                          {"nonce", required_argument, NULL, 'n'},
                                          {"binding-field", required_argument, NULL, OPTION_FIELD},
                                          {"layout", required_argument, NULL, OPTION_LAYOUT},
                                          {"bundle", required_argument, NULL, OPTION_BUNDLE},
                                          {"json", no_argument, NULL, 'j'},
                                          {"verbose", no_argument, NULL, 'v'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    for (int option; (option = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        if (option == 'h') {
            *helped = true;
            fputs(help, stdout);
            return EXIT_OK;
        }
        int code = read_option(options, option);
        if (code != EXIT_OK)
            return code;
    }
    if (optind >= argc)
        return cli_usage_error("appraise", "wants a FILE");
    if (options->nonce.len && options->field.len)
        return cli_usage_error("appraise", "--nonce and --binding-field exclude each other");
    return EXIT_OK;
}

static void apply_freshness(const struct appraise_options *options, struct attestd_request *request)
{
    if (options->layout)
        request->layout = options->layout;
    if (options->field.len) {
        request->expected_field = options->field;
        request->freshness = ATTESTD_FRESH_EXTERNAL;
    } else if (options->nonce.len) {
        request->nonce = options->nonce;
        request->freshness = ATTESTD_FRESH_EXTERNAL;
    } else if (request->freshness != ATTESTD_FRESH_EXTERNAL) {
        /* A challenge is a server's to judge: here it is a nonce nobody vouches for. */
        request->no_binding = true;
        request->freshness = ATTESTD_FRESH_NONE;
    }
}

int cli_exit_of_result(const struct attestd_result *result)
{
    if (result->unavailable)
        return EXIT_UNOBTAINABLE;
    switch (result->verdict) {
    case ATTESTD_AFFIRMING:
        return EXIT_OK;
    case ATTESTD_WARNING:
        return EXIT_WARNING;
    case ATTESTD_CONTRAINDICATED:
        return EXIT_CONTRAINDICATED;
    }
    return EXIT_INTERNAL;
}

int cli_print_malformed(const struct attestd_result *result)
{
    for (size_t i = 0; i < result->piece_count; i++) {
        const struct attestd_piece *piece = &result->pieces[i];
        if (piece->malformed_code)
            fprintf(stderr, "attestctl: %s: %s in %s at byte %zu: %s\n", piece->label, piece->malformed_code,
                    piece->malformed_part ? piece->malformed_part : "evidence", piece->malformed_offset,
                    piece->malformed_detail ? piece->malformed_detail : "");
    }
    return EXIT_MALFORMED;
}

void cli_print_result(const struct attestd_result *result, bool json, bool verbose)
{
    struct attestd_text text = {0};
    if (json) {
        char id[ATTESTD_ID_SIZE];
        attestd_appraisal_id(id);
        struct attestd_json_writer writer = attestd_json_writer_to(&text);
        attestd_json_open_map(&writer, NULL);
        attestd_json_text(&writer, "id", id);
        attestd_json_open_map(&writer, "token_withheld");
        attestd_json_text(&writer, "code", "NO_SIGNER");
        attestd_json_close_map(&writer);
        attestd_result_members(&writer, result);
        attestd_json_close_map(&writer);
        attestd_text_puts(&text, "\n");
    } else {
        attestd_result_print(&text, result, cli_colour(), verbose);
    }
    fwrite(text.data, 1, text.len, stdout);
    attestd_text_free(&text);
}

static int write_bundle(const struct cli_session *session, const struct appraise_options *options, const struct attestd_job *job,
                        const struct attestd_policy *policy)
{
    struct attestd_text text = {0};
    struct attestd_bytes canonical = attestd_policy_canonical(policy);
    attestd_bundle_write(&text, job, session->anchors, (const char *)canonical.data, canonical.len);
    int code = cli_write_file(options->bundle, text.data, text.len);
    attestd_text_free(&text);
    return code;
}

static int report(const struct cli_session *session, const struct appraise_options *options, const struct attestd_job *job, int state,
                  const struct attestd_policy *policy)
{
    const struct attestd_result *result = attestd_job_result(job);
    if (state == ATTESTD_MALFORMED)
        return cli_print_malformed(result);
    if (options->bundle && write_bundle(session, options, job, policy) != EXIT_OK)
        return EXIT_INTERNAL;
    cli_print_result(result, options->json, options->verbose);
    return cli_exit_of_result(result);
}

static int appraise_request(struct cli_session *session, const struct appraise_options *options, const struct attestd_request *request)
{
    struct attestd_policy *policy = cli_read_policy(session, options->policy, options->references, options->reference_count);
    if (!policy)
        return EXIT_USAGE_ERROR;
    struct attestd_endorsements *endorsements = cli_evidence_endorsements(session, &options->evidence);
    if (!endorsements) {
        attestd_policy_free(policy);
        return EXIT_USAGE_ERROR;
    }
    struct attestd_job *job = attestd_job_new(session->engine, request, attestd_policy_view(policy), session->anchors, NULL);
    int state = attestd_endorsements_run(endorsements, job, options->evidence.at, options->evidence.at_given);
    int code = report(session, options, job, state, policy);
    attestd_job_free(job);
    attestd_endorsements_free(endorsements);
    attestd_policy_free(policy);
    return code;
}

/* A bundle brings its endorsements, anchors, policy and time; --policy and --at stand over its own. */
static int appraise_bundle(struct cli_session *session, const struct appraise_options *options, struct attestd_bytes text)
{
    struct attestd_bundle bundle;
    char error[512];
    if (!attestd_bundle_read(session->arena, session->engine, (const char *)text.data, text.len, &bundle, error, sizeof error)) {
        fprintf(stderr, "attestctl: %s\n", error);
        return EXIT_MALFORMED;
    }
    struct attestd_policy_fault fault = {0};
    struct attestd_policy *policy =
        options->policy
            ? cli_read_policy(session, options->policy, options->references, options->reference_count)
            : attestd_policy_from_canonical(session->engine, (const char *)bundle.policy_text.data, bundle.policy_text.len, &fault);
    if (!policy) {
        if (fault.code[0])
            cli_print_faults(&fault, 1);
        return EXIT_MALFORMED;
    }
    struct attestd_job *job = attestd_bundle_run(session->engine, &bundle, attestd_policy_view(policy),
                                                 options->evidence.at_given ? options->evidence.at : bundle.time);
    int state =
        attestd_job_result(job)->piece_count && attestd_job_result(job)->pieces[0].malformed_code ? ATTESTD_MALFORMED : ATTESTD_DONE;
    int code = report(session, options, job, state, policy);
    attestd_job_free(job);
    attestd_policy_free(policy);
    return code;
}

static int appraise_files(struct cli_session *session, const struct appraise_options *options, char **paths, int count)
{
    struct attestd_request request = {0};
    struct attestd_bytes bundle = {NULL, 0};
    int code = cli_evidence_read(session, &options->evidence, paths, count, &request, &bundle);
    if (code != EXIT_OK)
        return code;
    if (bundle.data != NULL)
        return appraise_bundle(session, options, bundle);
    apply_freshness(options, &request);
    return appraise_request(session, options, &request);
}

int attestctl_appraise(int argc, char **argv)
{
    struct appraise_options options = {0};
    bool helped = false;
    int code = read_options(argc, argv, &options, &helped);
    if (code != EXIT_OK || helped)
        return code;
    struct cli_session session;
    code = EXIT_INTERNAL;
    if (cli_session_open(&session)) {
        code = EXIT_USAGE_ERROR;
        if (cli_session_anchors(&session, options.evidence.anchors, options.evidence.anchor_count, options.evidence.development))
            code = appraise_files(&session, &options, argv + optind, argc - optind);
    }
    cli_session_close(&session);
    return code;
}
