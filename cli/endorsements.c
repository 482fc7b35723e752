/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/attestctl.h"
#include "cli/state.h"
#include "core/encoding.h"
#include <stdio.h>
#include <string.h>

static const char help[] =
    "usage: attestctl endorsements list     [--state DIR] [--json]\n"
    "       attestctl endorsements export   [--state DIR] FILE\n"
    "       attestctl endorsements import   [--state DIR] FILE...\n"
    "       attestctl endorsements prefetch [--state DIR] [--vendor NAME=URL] KIND KEY\n\n"
    "The cache of certificates and lists in DIR (/var/lib/attestd). export writes one document that import reads at a site without a\n"
    "network; import also reads certificates and lists as downloaded. Nothing imported is trusted: it is authenticated when used.\n"
    "prefetch asks the vendor now: snp.crl Genoa; snp.ask Milan.\n";

static void print_digest_line(const struct attestd_endorsement_entry *entry)
{
    char fetched[ATTESTD_TIME_SIZE], next[ATTESTD_TIME_SIZE], digest[65];
    attestd_time_format(entry->fetched, fetched);
    attestd_time_format(entry->next_update, next);
    attestd_hex_encode(entry->sha256, 32, digest);
    printf("%-10s %-8.8s %7zu bytes  fetched %s  %s%s  %s\n", entry->kind, digest, entry->size, fetched,
           entry->next_update ? "until " : "does not age", entry->next_update ? next : "", entry->key);
}

static bool list_plain(void *context, const struct attestd_endorsement_entry *entry)
{
    (*(size_t *)context)++;
    print_digest_line(entry);
    return true;
}

static bool list_json(void *context, const struct attestd_endorsement_entry *entry)
{
    struct attestd_json_writer *writer = context;
    attestd_json_open_map(writer, NULL);
    attestd_json_text(writer, "kind", entry->kind);
    attestd_json_text(writer, "key", entry->key);
    attestd_json_text(writer, "source", entry->source);
    attestd_json_hex(writer, "sha256", entry->sha256, 32);
    attestd_json_number(writer, "size", (int64_t)entry->size);
    attestd_json_time(writer, "fetched", entry->fetched);
    if (entry->next_update)
        attestd_json_time(writer, "next_update", entry->next_update);
    attestd_json_close_map(writer);
    return true;
}

static int list(struct cli_state *state, bool json)
{
    if (!json) {
        size_t count = 0;
        attestd_endorsements_list(state->endorsements, list_plain, &count);
        fprintf(stderr, "%zu entries\n", count);
        return EXIT_OK;
    }
    struct attestd_text text = {0};
    struct attestd_json_writer writer = attestd_json_writer_to(&text);
    attestd_json_open_map(&writer, NULL);
    attestd_json_open_list(&writer, "endorsements");
    attestd_endorsements_list(state->endorsements, list_json, &writer);
    attestd_json_close_list(&writer);
    attestd_json_close_map(&writer);
    puts(text.data);
    attestd_text_free(&text);
    return EXIT_OK;
}

static int export_all(struct cli_state *state, const char *path)
{
    struct attestd_text text = {0};
    attestd_endorsements_export(state->endorsements, &text);
    int code = cli_write_file(path, text.data, text.len);
    attestd_text_free(&text);
    return code;
}

static int import_files(struct cli_session *session, struct cli_state *state, char **paths, int count)
{
    size_t total = 0;
    for (int i = 0; i < count; i++) {
        struct attestd_bytes bytes;
        char error[512];
        if (!cli_read_file(session, paths[i], (size_t)256 << 20, &bytes))
            return EXIT_FAILED;
        size_t imported = attestd_endorsements_import(state->endorsements, bytes.data, bytes.len, error, sizeof error);
        if (imported == 0) {
            fprintf(stderr, "attestctl: %s: %s\n", paths[i], error);
            return EXIT_FAILED;
        }
        total += imported;
    }
    fprintf(stderr, "%zu imported\n", total);
    return EXIT_OK;
}

static int run(struct cli_session *session, const struct cli_state_arguments *arguments)
{
    const char *verb = arguments->verb;
    struct cli_state state;
    int code = EXIT_FAILED, count = arguments->rest_count;
    if (cli_state_open(&state, session, &arguments->options)) {
        if (strcmp(verb, "list") == 0 && count == 0)
            code = list(&state, arguments->json);
        else if (strcmp(verb, "export") == 0 && count == 1)
            code = export_all(&state, arguments->rest[0]);
        else if (strcmp(verb, "import") == 0 && count >= 1)
            code = import_files(session, &state, arguments->rest, count);
        else if (strcmp(verb, "prefetch") == 0 && count == 2)
            code = cli_state_prefetch(&state, arguments->rest[0], arguments->rest[1]);
        else
            code = cli_usage_error("endorsements", "wants list, export FILE, import FILE... or prefetch KIND KEY");
    }
    cli_state_close(&state);
    return code;
}

int attestctl_endorsements(int argc, char **argv)
{
    struct cli_state_arguments arguments;
    int code = cli_state_arguments("endorsements", help, argc, argv, &arguments);
    if (code >= 0)
        return code;
    arguments.options.read_only = strcmp(arguments.verb, "list") == 0 || strcmp(arguments.verb, "export") == 0;
    arguments.options.offline = strcmp(arguments.verb, "prefetch") != 0;
    return cli_state_run(&arguments, run);
}
