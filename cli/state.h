/* SPDX-License-Identifier: Apache-2.0 */
/* The stores of a server, opened beside it: --state DIR. */
#ifndef ATTESTD_CLI_STATE_H
#define ATTESTD_CLI_STATE_H

#include "cache/endorsements.h"
#include "cli/session.h"

struct cli_state {
    struct attestd_store *cache, *state;
    struct attestd_endorsements *endorsements;
};

struct cli_state_options {
    const char *directory; /* NULL: /var/lib/attestd */
    bool read_only, offline;
    struct attestd_vendor_base vendor; /* .vendor NULL: the vendors' own addresses */
};

/* The options --state, --vendor and --json, and the verb that follows them with `rest` behind it. Answers -1 to go on, else the exit code.
 */
struct cli_state_arguments {
    struct cli_state_options options;
    const char *verb;
    char **rest;
    int rest_count;
    bool json;
};
int cli_state_arguments(const char *command, const char *help, int argc, char **argv, struct cli_state_arguments *arguments);
/* Opens a session with the vendors' anchors, runs, closes. */
int cli_state_run(const struct cli_state_arguments *arguments, int (*run)(struct cli_session *, const struct cli_state_arguments *));

/* Asks the vendor for one endorsement, and waits. An exit code. */
int cli_state_prefetch(struct cli_state *state, const char *kind, const char *key);

/* The session's anchors must be loaded. Prints why when it fails. */
bool cli_state_open(struct cli_state *state, struct cli_session *session, const struct cli_state_options *options);
void cli_state_close(struct cli_state *state);

#endif
