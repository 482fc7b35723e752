/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence as commands take it: the options that say where it comes from and what vouches for it, and files read to a request. */
#ifndef ATTESTD_CLI_EVIDENCE_H
#define ATTESTD_CLI_EVIDENCE_H

#include "cache/endorsements.h"
#include "cli/session.h"
#include "core/request.h"
#include <getopt.h>

struct cli_evidence_options {
    const char *type;
    const char *endorsements[CLI_MAX_LIST + 1], *anchors[CLI_MAX_LIST];
    size_t endorsement_count, anchor_count;
    struct attestd_vendor_base vendors[8];
    size_t vendor_count;
    bool development, offline, at_given;
    int64_t at;
};

/* The entries of getopt_long's table for the options above, and their help. */
enum { CLI_TYPE = 1024, CLI_ENDORSEMENTS, CLI_ANCHOR, CLI_DEVELOPMENT, CLI_OFFLINE, CLI_AT, CLI_VENDOR };
#define CLI_EVIDENCE_OPTIONS                                                                                                               \
    {"type", required_argument, NULL, CLI_TYPE}, {"endorsements", required_argument, NULL, CLI_ENDORSEMENTS},                              \
        {"anchor", required_argument, NULL, CLI_ANCHOR}, {"development", no_argument, NULL, CLI_DEVELOPMENT},                              \
        {"offline", no_argument, NULL, CLI_OFFLINE}, {"at", required_argument, NULL, CLI_AT},                                              \
    {                                                                                                                                      \
        "vendor", required_argument, NULL, CLI_VENDOR                                                                                      \
    }
#define CLI_EVIDENCE_HELP                                                                                                                  \
    "  --type TYPE            type of raw evidence, instead of recognising it\n"                                                           \
    "  --endorsements DIR     certificates, lists and bundles of an operator (repeat)\n"                                                   \
    "  --anchor PURPOSE=FILE  trust this root as well: snp/Genoa=ark.pem (repeat)\n"                                                       \
    "  --development          mark the roots of --anchor, and the result, as simulated\n"                                                  \
    "  --offline              ask no vendor\n"                                                                                             \
    "  --at TIME              verify at this time (RFC 3339), instead of now\n"                                                            \
    "  --vendor NAME=URL      base address of a vendor's service instead of its own: amd-kds=https://mirror.example\n"

/* Takes one option of these (optarg is getopt's). EXIT_OK, or what to exit with. */
int cli_evidence_option(const char *command, struct cli_evidence_options *options, int option);

/*
 * A /verify request or a CMW; or raw files, which become one request: labels by class and order. Certificates and lists among them go
 * along with the evidence named before them. A bundle is handed back as text, and no request made of it; bundle NULL: none is taken.
 * EXIT_OK, or EXIT_MALFORMED with the reason printed.
 */
int cli_evidence_read(struct cli_session *session, const struct cli_evidence_options *options, char **paths, int count,
                      struct attestd_request *request, struct attestd_bytes *bundle);
/* The sources the options name; NULL with the reason printed. */
struct attestd_endorsements *cli_evidence_endorsements(struct cli_session *session, const struct cli_evidence_options *options);

#endif
