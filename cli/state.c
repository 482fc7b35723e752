/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/state.h"
#include "cli/attestctl.h"
#include <getopt.h>
#include <stdio.h>
#include <string.h>

static struct attestd_store *open_store(struct attestd_arena *arena, const char *directory, const char *name, size_t max_size,
                                        bool read_only)
{
    const struct attestd_store_options options = {
        .path = attestd_arena_format(arena, "%s/%s", directory, name), .max_size = max_size, .read_only = read_only};
    char error[512];
    struct attestd_store *store = attestd_store_open(&options, error, sizeof error);
    if (!store)
        fprintf(stderr, "attestctl: %s\n", error);
    return store;
}

bool cli_state_open(struct cli_state *state, struct cli_session *session, const struct cli_state_options *options)
{
    const char *directory = options->directory ? options->directory : "/var/lib/attestd";
    *state = (struct cli_state){.cache = open_store(session->arena, directory, "cache.mdb", (size_t)1 << 30, options->read_only)};
    if (!state->cache)
        return false;
    state->state = open_store(session->arena, directory, "state.mdb", (size_t)1 << 30, options->read_only);
    if (!state->state)
        return false;
    const struct attestd_endorsements_options settings = {.engine = session->engine,
                                                          .anchors = session->anchors,
                                                          .cache = state->cache,
                                                          .state = state->state,
                                                          .vendors = options->vendor.vendor ? &options->vendor : NULL,
                                                          .vendor_count = options->vendor.vendor ? 1 : 0,
                                                          .offline = options->offline};
    char error[512];
    state->endorsements = attestd_endorsements_new(&settings, error, sizeof error);
    if (!state->endorsements)
        fprintf(stderr, "attestctl: %s\n", error);
    return state->endorsements != NULL;
}

void cli_state_close(struct cli_state *state)
{
    attestd_endorsements_free(state->endorsements);
    attestd_store_close(state->state);
    attestd_store_close(state->cache);
}

int cli_state_arguments(const char *command, const char *help, int argc, char **argv, struct cli_state_arguments *arguments)
{
    static const struct option names[] = {{"state", required_argument, NULL, 's'},
                                          {"vendor", required_argument, NULL, 'v'},
                                          {"json", no_argument, NULL, 'j'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    *arguments = (struct cli_state_arguments){0};
    for (int option; (option = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        char *equals = NULL;
        switch (option) {
        case 's':
            arguments->options.directory = optarg;
            break;
        case 'v':
            equals = strchr(optarg, '=');
            if (!equals)
                return cli_usage_error(command, "--vendor wants NAME=URL");
            *equals = 0;
            arguments->options.vendor = (struct attestd_vendor_base){.vendor = optarg, .url = equals + 1};
            break;
        case 'j':
            arguments->json = true;
            break;
        case 'h':
            fputs(help, stdout);
            return EXIT_OK;
        default:
            return EXIT_USAGE_ERROR;
        }
    }
    if (optind >= argc)
        return cli_usage_error(command, "wants a subcommand");
    arguments->verb = argv[optind];
    arguments->rest = argv + optind + 1;
    arguments->rest_count = argc - optind - 1;
    return -1;
}

int cli_state_run(const struct cli_state_arguments *arguments, int (*run)(struct cli_session *, const struct cli_state_arguments *))
{
    struct cli_session session;
    int code = EXIT_INTERNAL;
    if (cli_session_open(&session) && cli_session_anchors(&session, NULL, 0, false))
        code = run(&session, arguments);
    cli_session_close(&session);
    return code;
}

int cli_state_prefetch(struct cli_state *state, const char *kind, const char *key)
{
    char error[512];
    if (attestd_endorsements_prefetch(state->endorsements, kind, key, error, sizeof error))
        return EXIT_OK;
    fprintf(stderr, "attestctl: %s %s: %s\n", kind, key, error);
    return EXIT_FAILED;
}
