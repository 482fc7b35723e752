/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/evidence.h"
#include "cli/attestctl.h"
#include "core/bundle.h"
#include "core/certificate.h"
#include "core/encoding.h"
#include <stdio.h>
#include <string.h>

#define MAX_DOCUMENT ((size_t)64 << 20) /* a bundle holds every input in base64 */

static bool add_to_list(const char **list, size_t *count, const char *item)
{
    if (*count >= CLI_MAX_LIST)
        return false;
    list[(*count)++] = item;
    return true;
}

/* NAME=URL; the option's text is cut at the equals sign. */
static bool add_vendor(struct cli_evidence_options *options, char *text)
{
    char *equals = strchr(text, '=');
    if (!equals || equals == text || options->vendor_count >= sizeof options->vendors / sizeof *options->vendors)
        return false;
    *equals = 0;
    options->vendors[options->vendor_count++] = (struct attestd_vendor_base){.vendor = text, .url = equals + 1};
    return true;
}

int cli_evidence_option(const char *command, struct cli_evidence_options *options, int option)
{
    switch (option) {
    case CLI_TYPE:
        options->type = optarg;
        return EXIT_OK;
    case CLI_ENDORSEMENTS:
        return add_to_list(options->endorsements, &options->endorsement_count, optarg)
                   ? EXIT_OK
                   : cli_usage_error(command, "too many --endorsements");
    case CLI_ANCHOR:
        return add_to_list(options->anchors, &options->anchor_count, optarg) ? EXIT_OK : cli_usage_error(command, "too many --anchor");
    case CLI_DEVELOPMENT:
        options->development = true;
        return EXIT_OK;
    case CLI_OFFLINE:
        options->offline = true;
        return EXIT_OK;
    case CLI_AT:
        options->at_given = attestd_time_parse(optarg, &options->at);
        return options->at_given ? EXIT_OK : cli_usage_error(command, "--at wants a time such as 2026-11-20T12:00:00Z");
    case CLI_VENDOR:
        return add_vendor(options, optarg) ? EXIT_OK : cli_usage_error(command, "--vendor wants NAME=URL");
    default:
        return EXIT_USAGE_ERROR;
    }
}

/* The first byte that is not white space, to tell JSON from vendor bytes. */
static char first_mark(struct attestd_bytes bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        if (!strchr(" \t\r\n", bytes.data[i]))
            return (char)bytes.data[i];
    return 0;
}

static bool is_json(const struct cli_evidence_options *options, struct attestd_bytes bytes)
{
    char mark = first_mark(bytes);
    return options->type == NULL && (mark == '{' || mark == '[') && attestd_utf8_valid((const char *)bytes.data, bytes.len);
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

static int read_raw_request(struct cli_session *session, const struct cli_evidence_options *options, struct attestd_bytes first,
                            char **paths, int count, struct attestd_request *request)
{
    struct attestd_piece_request *pieces = attestd_arena_array(session->arena, (size_t)count, sizeof *pieces);
    unsigned numbers[ATTESTD_CLASS_TPM + 1] = {0};
    size_t piece_count = 0;
    static const char *const prefixes[] = {"piece", "cpu", "device", "tpm"};
    for (int i = 0; i < count; i++) {
        struct attestd_bytes bytes;
        struct attestd_request one = {0};
        struct attestd_request_fault fault = {0};
        if (i == 0)
            bytes = first;
        else if (!cli_read_file(session, paths[i], 0, &bytes))
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

int cli_evidence_read(struct cli_session *session, const struct cli_evidence_options *options, char **paths, int count,
                      struct attestd_request *request, struct attestd_bytes *bundle)
{
    struct attestd_bytes bytes;
    struct attestd_request_fault fault = {0};
    if (!cli_read_file(session, paths[0], MAX_DOCUMENT, &bytes))
        return EXIT_MALFORMED;
    if (count > 1 || !is_json(options, bytes))
        return read_raw_request(session, options, bytes, paths, count, request);
    if (bundle != NULL && attestd_bundle_is((const char *)bytes.data, bytes.len)) {
        *bundle = bytes;
        return EXIT_OK;
    }
    return read_json_request(session, bytes, request, &fault) ? EXIT_OK : print_fault(paths[0], &fault);
}

struct attestd_endorsements *cli_evidence_endorsements(struct cli_session *session, const struct cli_evidence_options *options)
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
