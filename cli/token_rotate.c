/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/attestctl.h"
#include "cli/session.h"
#include "core/encoding.h"
#include "token/token.h"
#include <getopt.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

static const char help[] =
    "usage: attestctl token rotate [--overlap DURATION] DIRECTORY\n\n"
    "Makes the next signing key in a key directory. A running attestd publishes it within a minute, signs with it when DURATION\n"
    "(24h unless given) is over, and withdraws the old one when its last token has ended. Run it as the user of the service.\n";

static int rotate(const char *directory, int64_t overlap)
{
    char error[512], when[ATTESTD_TIME_SIZE];
    struct stat st;
    if (stat(directory, &st) != 0 || !S_ISDIR(st.st_mode)) {
        fprintf(stderr, "attestctl: %s is no directory\n", directory);
        return EXIT_FAILED;
    }
    struct attestd_keyring *ring = attestd_keyring_open(directory, error, sizeof error);
    bool ok = ring && attestd_keyring_rotate(ring, (int64_t)time(NULL), overlap, error, sizeof error);
    if (ok) {
        int64_t next = attestd_keyring_next(ring);
        attestd_time_format(next ? next : attestd_keyring_since(ring), when);
        printf("the next key signs from %s\n", when);
    } else {
        fprintf(stderr, "attestctl: %s\n", error);
    }
    attestd_keyring_free(ring);
    return ok ? EXIT_OK : EXIT_FAILED;
}

int attestctl_token_rotate(int argc, char **argv)
{
    static const struct option options[] = {
        {"overlap", required_argument, NULL, 'o'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    int64_t overlap = 86400;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (option) {
        case 'o':
            if (!attestd_duration_parse(optarg, &overlap))
                return cli_usage_error("token rotate", "--overlap: not a duration as in 24h");
            break;
        case 'h':
            fputs(help, stdout);
            return EXIT_OK;
        default:
            return EXIT_USAGE_ERROR;
        }
    }
    if (optind + 1 != argc)
        return cli_usage_error("token rotate", "wants one DIRECTORY");
    return rotate(argv[optind], overlap);
}
