/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/attestctl.h"
#include "cli/state.h"
#include "core/certificate.h"
#include "core/encoding.h"
#include <stdio.h>
#include <string.h>

static const char help[] =
    "usage: attestctl anchors list   [--state DIR] [--json]\n"
    "       attestctl anchors fetch  [--state DIR] [--vendor NAME=URL] KIND KEY\n"
    "       attestctl anchors import [--state DIR] FILE...\n\n"
    "attestd pins roots by SHA-256 and ships no certificates. list shows each pin and whether its bytes are at hand; fetch asks the\n"
    "vendor (snp.ark Genoa); import takes certificates in PEM or DER. Bytes that match no pin are refused.\n";

static void list_json_entry(struct attestd_json_writer *writer, const struct attestd_anchor *anchor, bool known)
{
    attestd_json_open_map(writer, NULL);
    attestd_json_text(writer, "name", anchor->name);
    attestd_json_text(writer, "purpose", anchor->purpose);
    attestd_json_hex(writer, "sha256", anchor->sha256, 32);
    attestd_json_hex(writer, "spki_sha256", anchor->spki_sha256, 32);
    attestd_json_flag(writer, "bytes_known", known);
    attestd_json_close_map(writer);
}

static int list(struct cli_session *session, struct cli_state *state, bool json)
{
    struct attestd_text text = {0};
    struct attestd_json_writer writer = attestd_json_writer_to(&text);
    attestd_json_open_map(&writer, NULL);
    attestd_json_hex(&writer, "digest", attestd_anchor_set_digest(session->anchors), 32);
    attestd_json_open_list(&writer, "anchors");
    for (size_t i = 0; i < attestd_anchor_set_count(session->anchors); i++) {
        const struct attestd_anchor *anchor = attestd_anchor_set_at(session->anchors, i);
        struct attestd_bytes der;
        bool known = state->endorsements && attestd_endorsements_anchor_bytes(state->endorsements, anchor->sha256, session->arena, &der);
        if (json)
            list_json_entry(&writer, anchor, known);
        else
            printf("%-14s %-18s sha256 %s  bytes %s\n", anchor->name, anchor->purpose,
                   attestd_arena_hex(session->arena, anchor->sha256, 32), known ? "known" : "not yet");
    }
    attestd_json_close_list(&writer);
    attestd_json_close_map(&writer);
    if (json)
        puts(text.data);
    attestd_text_free(&text);
    return EXIT_OK;
}

struct import {
    struct cli_session *session;
    struct cli_state *state;
    size_t known, unknown;
};

static void import_one(void *context, const uint8_t *der, size_t len)
{
    struct import *import = context;
    const struct attestd_anchor_set *anchors = import->session->anchors;
    for (size_t i = 0; i < attestd_anchor_set_count(anchors); i++) {
        if (attestd_anchor_set_match(anchors, attestd_anchor_set_at(anchors, i)->purpose, der, len, NULL) != ATTESTD_ANCHOR_PINNED)
            continue;
        char error[256];
        import->known += attestd_endorsements_import(import->state->endorsements, der, len, error, sizeof error) > 0;
        return;
    }
    import->unknown++;
}

static int import_files(struct cli_session *session, struct cli_state *state, char **paths, int count)
{
    struct import import = {.session = session, .state = state};
    for (int i = 0; i < count; i++) {
        struct attestd_bytes bytes;
        if (!cli_read_file(session, paths[i], 64 << 10, &bytes))
            return EXIT_FAILED;
        if (attestd_pem_or_der_split(bytes.data, bytes.len, import_one, &import) <= 0)
            fprintf(stderr, "attestctl: %s: no certificate in PEM or DER\n", paths[i]);
    }
    fprintf(stderr, "%zu imported, %zu match no pin\n", import.known, import.unknown);
    return import.known && !import.unknown ? EXIT_OK : EXIT_FAILED;
}

static int run(struct cli_session *session, const struct cli_state_arguments *arguments)
{
    const char *verb = arguments->verb;
    struct cli_state state = {0};
    int code = EXIT_FAILED, count = arguments->rest_count;
    /* The pins can be listed where no server has run yet. */
    bool open = cli_state_open(&state, session, &arguments->options);
    if (strcmp(verb, "list") == 0 && count == 0)
        code = list(session, &state, arguments->json);
    else if (open && strcmp(verb, "import") == 0 && count >= 1)
        code = import_files(session, &state, arguments->rest, count);
    else if (open && strcmp(verb, "fetch") == 0 && count == 2)
        code = cli_state_prefetch(&state, arguments->rest[0], arguments->rest[1]);
    else if (open)
        code = cli_usage_error("anchors", "wants list, fetch KIND KEY or import FILE...");
    cli_state_close(&state);
    return code;
}

int attestctl_anchors(int argc, char **argv)
{
    struct cli_state_arguments arguments;
    int code = cli_state_arguments("anchors", help, argc, argv, &arguments);
    if (code >= 0)
        return code;
    arguments.options.read_only = strcmp(arguments.verb, "list") == 0;
    arguments.options.offline = strcmp(arguments.verb, "fetch") != 0;
    return cli_state_run(&arguments, run);
}
