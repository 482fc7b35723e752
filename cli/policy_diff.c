/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/attestctl.h"
#include "cli/policy_files.h"
#include "core/bundle.h"
#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const char help[] = "usage: attestctl policy diff [--name NAME] [--reference FILE]... BEFORE AFTER\n\n"
                           "Shows where two policies decide differently: comments, order and spelling do not count, the contents of their\n"
                           "reference sets do. BEFORE and AFTER are files, or the built-in hardware-only. Exit: 0 the same, 1 different.\n";

/* The canonical form without its line table: what decides. */
static void decisive_text(const struct attestd_policy *policy, struct attestd_text *out)
{
    struct attestd_bytes canonical = attestd_policy_canonical(policy);
    json_t *json = attestd_json_read((const char *)canonical.data, canonical.len, 40, NULL, 0);
    struct attestd_json_writer writer = attestd_json_writer_to(out);
    json_object_del(json, "lines");
    attestd_json_jansson(&writer, NULL, json);
    json_decref(json);
}

static int compare(const struct attestd_policy *before, const struct attestd_policy *after)
{
    struct attestd_text a = {0}, b = {0}, difference = {0};
    bool same = memcmp(attestd_policy_digest(before), attestd_policy_digest(after), 32) == 0;
    if (!same) {
        decisive_text(before, &a);
        decisive_text(after, &b);
        attestd_bundle_diff(a.data, a.len, b.data, b.len, &difference);
        fputs(difference.len > 0 ? difference.data : "the digests differ\n", stdout);
    }
    attestd_text_free(&a);
    attestd_text_free(&b);
    attestd_text_free(&difference);
    return same ? EXIT_OK : EXIT_FAILED;
}

static int diff(struct cli_session *session, char **paths, const char *const *references, size_t reference_count, const char *name)
{
    struct attestd_policy *before = cli_one_policy(session, paths[0], references, reference_count, name);
    struct attestd_policy *after = before == NULL ? NULL : cli_one_policy(session, paths[1], references, reference_count, name);
    int code = after == NULL ? EXIT_USAGE_ERROR : compare(before, after);
    attestd_policy_free(before);
    attestd_policy_free(after);
    return code;
}

int attestctl_policy_diff(int argc, char **argv)
{
    static const struct option options[] = {{"name", required_argument, NULL, 'n'},
                                            {"reference", required_argument, NULL, 'r'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    const char *references[CLI_MAX_LIST], *name = NULL;
    size_t reference_count = 0;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'n') {
            name = optarg;
        } else if (option == 'r' && reference_count < CLI_MAX_LIST) {
            references[reference_count++] = optarg;
        } else if (option == 'h') {
            fputs(help, stdout);
            return EXIT_OK;
        } else {
            return EXIT_USAGE_ERROR;
        }
    }
    if (argc - optind != 2)
        return cli_usage_error("policy diff", "wants BEFORE and AFTER");
    struct cli_session session;
    int code = cli_session_open(&session) ? diff(&session, argv + optind, references, reference_count, name) : EXIT_INTERNAL;
    cli_session_close(&session);
    return code;
}
