/* SPDX-License-Identifier: Apache-2.0 */
/* attestctl appraise: the server's appraise, without a server. */
#include "cli/appraise.h"
#include "cache/endorsements.h"
#include "cli/attestctl.h"
#include "cli/session.h"
#include "core/binding.h"
#include "core/bundle.h"
#include "core/certificate.h"
#include "core/encoding.h"
#include "core/identifier.h"
#include "core/request.h"
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const char help[] =
    "usage: attestctl appraise [OPTION]... FILE...\n\n"
    "Verifies evidence on this machine. FILE: raw vendor bytes (the type is recognised), a /verify request, or a bundle. Several raw "
    "files\n"
    "are one request; certificates and lists among them go along with the evidence named before them.\n\n"
    "  --type TYPE            type of raw evidence, instead of recognising it\n"
    "  --endorsements DIR     certificates, lists and bundles of an operator (repeat)\n"
    "  --anchor PURPOSE=FILE  trust this root as well: snp/Genoa=ark.pem (repeat)\n"
    "  --development          mark the roots of --anchor, and the result, as simulated\n"
    "  --offline              ask no vendor\n"
    "  --at TIME              verify at this time (RFC 3339), instead of now\n"
    "  --policy FILE          policy to weigh by, instead of hardware-only\n"
    "  --reference FILE       reference set the policy names (repeat)\n"
    "  --nonce HEX            nonce the evidence must be bound to\n"
    "  --layout NAME          binding layout: attestd-v1 (default), raw, sha512, trustee, ita\n"
    "  --binding-field HEX    exact contents of the signed field, instead of --nonce\n"
    "  --bundle FILE          write everything that went in and came out, for replay\n"
    "  --vendor NAME=URL      base address of a vendor's service, instead of the vendor's own: amd-kds=https://mirror.example\n"
    "  --json                 print the server's answer\n"
    "  --verbose              list passed checks too\n\n"
    "Without --nonce or --binding-field, freshness and binding are skipped and the verdict is at best a warning.\n"
    "Exit: 0 affirming, 10 warning, 20 contraindicated, 30 malformed, 40 an endorsement cannot be had, 64 usage, 70 internal.\n";

struct appraise_options {
    const char *type, *policy, *layout, *bundle;
    const char *endorsements[CLI_MAX_LIST + 1], *anchors[CLI_MAX_LIST], *references[CLI_MAX_LIST];
    size_t endorsement_count, anchor_count, reference_count;
    struct attestd_vendor_base vendors[8];
    size_t vendor_count;
    struct attestd_bytes nonce, field;
    bool development, offline, json, verbose, at_given;
    int64_t at;
    uint8_t nonce_bytes[64], field_bytes[128];
};

enum { OPTION_AT = 256, OPTION_FIELD, OPTION_BUNDLE, OPTION_LAYOUT, OPTION_VENDOR };

static bool add_to_list(const char **list, size_t *count, const char *item)
{
    if (*count >= CLI_MAX_LIST)
        return false;
    list[(*count)++] = item;
    return true;
}

static bool read_hex(const char *text, uint8_t *out, size_t size, struct attestd_bytes *bytes)
{
    size_t len = 0;
    if (!attestd_hex_decode(text, strlen(text), out, size, &len) || len == 0)
        return false;
    *bytes = (struct attestd_bytes){out, len};
    return true;
}

/* NAME=URL; the option's text is cut at the equals sign. */
static bool add_vendor(struct appraise_options *options, char *text)
{
    char *equals = strchr(text, '=');
    if (!equals || equals == text || options->vendor_count >= sizeof options->vendors / sizeof *options->vendors)
        return false;
    *equals = 0;
    options->vendors[options->vendor_count++] = (struct attestd_vendor_base){.vendor = text, .url = equals + 1};
    return true;
}

/* EXIT_OK, or what to exit with. */
static int read_option(struct appraise_options *options, int option)
{
    switch (option) {
    case 't':
        options->type = optarg;
        return EXIT_OK;
    case 'e':
        return add_to_list(options->endorsements, &options->endorsement_count, optarg)
                   ? EXIT_OK
                   : cli_usage_error("appraise", "too many --endorsements");
    case 'a':
        return add_to_list(options->anchors, &options->anchor_count, optarg) ? EXIT_OK : cli_usage_error("appraise", "too many --anchor");
    case 'r':
        return add_to_list(options->references, &options->reference_count, optarg) ? EXIT_OK
                                                                                   : cli_usage_error("appraise", "too many --reference");
    case 'd':
        options->development = true;
        return EXIT_OK;
    case 'o':
        options->offline = true;
        return EXIT_OK;
    case OPTION_AT:
        options->at_given = attestd_time_parse(optarg, &options->at);
        return options->at_given ? EXIT_OK : cli_usage_error("appraise", "--at wants a time such as 2026-11-20T12:00:00Z");
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
    case OPTION_VENDOR:
        return add_vendor(options, optarg) ? EXIT_OK : cli_usage_error("appraise", "--vendor wants NAME=URL");
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
        return EXIT_USAGE_ERROR;
    }
}

static int read_options(int argc, char **argv, struct appraise_options *options, bool *helped)
{
    static const struct option names[] = {{"type", required_argument, NULL, 't'},
                                          {"endorsements", required_argument, NULL, 'e'},
                                          {"anchor", required_argument, NULL, 'a'},
                                          {"development", no_argument, NULL, 'd'},
                                          {"offline", no_argument, NULL, 'o'},
                                          {"at", required_argument, NULL, OPTION_AT},
                                          {"policy", required_argument, NULL, 'p'},
                                          {"reference", required_argument, NULL, 'r'},
                                          {"nonce", required_argument, NULL, 'n'},
                                          {"binding-field", required_argument, NULL, OPTION_FIELD},
                                          {"layout", required_argument, NULL, OPTION_LAYOUT},
                                          {"bundle", required_argument, NULL, OPTION_BUNDLE},
                                          {"vendor", required_argument, NULL, OPTION_VENDOR},
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

/* The first byte that is not white space, to tell JSON from vendor bytes. */
static char first_mark(struct attestd_bytes bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        if (!strchr(" \t\r\n", bytes.data[i]))
            return (char)bytes.data[i];
    return 0;
}

static int print_fault(const char *path, const struct attestd_request_fault *fault)
{
    fprintf(stderr, "attestctl: %s: %s: %s\n", path, fault->code, fault->detail);
    return EXIT_MALFORMED;
}

/* A JSON file: a request, or a CMW. */
static bool read_json_request(struct cli_session *session, struct attestd_bytes bytes, struct attestd_request *request,
                              struct attestd_request_fault *fault)
{
    if (first_mark(bytes) == '{' &&
        attestd_request_read_json(session->arena, session->engine, (const char *)bytes.data, bytes.len, request, fault))
        return true;
    struct attestd_request_fault cmw_fault = {0};
    if (attestd_request_read_cmw(session->arena, session->engine, (const char *)bytes.data, bytes.len, request, &cmw_fault))
        return true;
    if (!fault->code)
        *fault = cmw_fault;
    return false;
}

/* Certificates and lists given as files of their own: one PEM text, which the evidence's `certs` part may be. */
struct enclosure {
    struct cli_session *session;
    struct attestd_text pem;
    bool recognised;
};

static void note_recognised(void *context, const char *kind, const char *key)
{
    (void)kind;
    (void)key;
    ((struct enclosure *)context)->recognised = true;
}

static void enclose_object(void *context, const uint8_t *der, size_t len)
{
    struct enclosure *enclosure = context;
    attestd_engine_identify(enclosure->session->engine, der, len, note_recognised, enclosure);
    struct attestd_crl *crl = attestd_crl_parse(der, len);
    struct attestd_certificate *certificate = crl ? NULL : attestd_certificate_parse(der, len);
    const char *name = crl ? "X509 CRL" : "CERTIFICATE";
    /* A certificate that no plugin can place (a VCEK without a chip id) is no evidence either: the checks say what is wrong with it. */
    enclosure->recognised = enclosure->recognised || crl || certificate;
    attestd_certificate_free(certificate);
    attestd_crl_free(crl);
    char *base64 = attestd_arena_alloc(enclosure->session->arena, ATTESTD_BASE64_SIZE(len));
    size_t size = attestd_base64_encode(der, len, base64);
    attestd_text_printf(&enclosure->pem, "-----BEGIN %s-----\n", name);
    for (size_t at = 0; at < size; at += 64)
        attestd_text_printf(&enclosure->pem, "%.64s\n", base64 + at);
    attestd_text_printf(&enclosure->pem, "-----END %s-----\n", name);
}

/* True when the file is no evidence but certificates or lists: they go along with the evidence named before it. */
static bool enclose(struct cli_session *session, struct attestd_bytes bytes, struct attestd_piece_request *piece)
{
    struct enclosure enclosure = {.session = session};
    bool taken = piece != NULL && attestd_pem_or_der_split(bytes.data, bytes.len, enclose_object, &enclosure) > 0 && enclosure.recognised;
    if (taken) {
        struct attestd_part *parts = attestd_arena_array(session->arena, piece->part_count + 1, sizeof *parts);
        size_t count = 0;
        for (size_t i = 0; i < piece->part_count; i++) {
            if (strcmp(piece->parts[i].name, "certs") != 0)
                parts[count++] = piece->parts[i];
            else
                attestd_text_add(&enclosure.pem, (const char *)piece->parts[i].bytes.data, piece->parts[i].bytes.len);
        }
        parts[count++] = (struct attestd_part){"certs", attestd_arena_bytes(session->arena, enclosure.pem.data, enclosure.pem.len)};
        piece->parts = parts;
        piece->part_count = count;
    }
    attestd_text_free(&enclosure.pem);
    return taken;
}

/* Several raw files become one request: labels by class and order, "cpu0", "device0"... */
static int read_raw_request(struct cli_session *session, const struct appraise_options *options, char **paths, int count,
                            struct attestd_request *request)
{
    struct attestd_piece_request *pieces = attestd_arena_array(session->arena, (size_t)count, sizeof *pieces);
    unsigned numbers[ATTESTD_CLASS_TPM + 1] = {0};
    size_t piece_count = 0;
    static const char *const prefixes[] = {"piece", "cpu", "device", "tpm"};
    for (int i = 0; i < count; i++) {
        struct attestd_bytes bytes;
        struct attestd_request one = {0};
        struct attestd_request_fault fault = {0};
        if (!cli_read_file(session, paths[i], 0, &bytes))
            return EXIT_MALFORMED;
        if (enclose(session, bytes, piece_count ? &pieces[piece_count - 1] : NULL))
            continue;
        if (!attestd_request_read_raw(session->arena, session->engine, options->type, bytes.data, bytes.len, &one, &fault))
            return print_fault(paths[i], &fault);
        if (piece_count == 0)
            *request = one;
        int32_t class = attestd_engine_plugin(session->engine, one.pieces[0].type)->evidence_class;
        pieces[piece_count] = one.pieces[0];
        pieces[piece_count++].label = attestd_arena_format(session->arena, "%s%u", prefixes[class], numbers[class]++);
    }
    request->pieces = pieces;
    request->piece_count = piece_count;
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

static struct attestd_endorsements *open_endorsements(struct cli_session *session, const struct appraise_options *options)
{
    const struct attestd_endorsements_options settings = {.engine = session->engine,
                                                          .anchors = session->anchors,
                                                          .directories = options->endorsements,
                                                          .vendors = options->vendor_count ? options->vendors : NULL,
                                                          .vendor_count = options->vendor_count,
                                                          .offline = options->offline};
    char error[512];
    struct attestd_endorsements *endorsements = attestd_endorsements_new(&settings, error, sizeof error);
    if (!endorsements)
        fprintf(stderr, "attestctl: %s\n", error);
    return endorsements;
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
    struct attestd_endorsements *endorsements = open_endorsements(session, options);
    if (!endorsements) {
        attestd_policy_free(policy);
        return EXIT_USAGE_ERROR;
    }
    struct attestd_job *job = attestd_job_new(session->engine, request, attestd_policy_view(policy), session->anchors, NULL);
    int state = attestd_endorsements_run(endorsements, job, options->at, options->at_given);
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
    struct attestd_job *job =
        attestd_bundle_run(session->engine, &bundle, attestd_policy_view(policy), options->at_given ? options->at : bundle.time);
    int state =
        attestd_job_result(job)->piece_count && attestd_job_result(job)->pieces[0].malformed_code ? ATTESTD_MALFORMED : ATTESTD_DONE;
    int code = report(session, options, job, state, policy);
    attestd_job_free(job);
    attestd_policy_free(policy);
    return code;
}

static int appraise_files(struct cli_session *session, const struct appraise_options *options, char **paths, int count)
{
    struct attestd_bytes bytes;
    if (!cli_read_file(session, paths[0], (size_t)64 << 20, &bytes))
        return EXIT_MALFORMED;
    bool json =
        !options->type && (first_mark(bytes) == '{' || first_mark(bytes) == '[') && attestd_utf8_valid((const char *)bytes.data, bytes.len);
    if (json && count == 1 && attestd_bundle_is((const char *)bytes.data, bytes.len))
        return appraise_bundle(session, options, bytes);
    struct attestd_request request = {0};
    if (json && count == 1) {
        struct attestd_request_fault fault = {0};
        if (!read_json_request(session, bytes, &request, &fault))
            return print_fault(paths[0], &fault);
    } else {
        int code = read_raw_request(session, options, paths, count, &request);
        if (code != EXIT_OK)
            return code;
    }
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
        if (cli_session_anchors(&session, options.anchors, options.anchor_count, options.development))
            code = appraise_files(&session, &options, argv + optind, argc - optind);
    }
    cli_session_close(&session);
    return code;
}
