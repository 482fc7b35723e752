/* SPDX-License-Identifier: Apache-2.0 */
/* What a subcommand starts from: an arena, the plugins, the pinned roots; and the options they share. */
#ifndef ATTESTD_CLI_SESSION_H
#define ATTESTD_CLI_SESSION_H

#include "core/appraise.h"
#include "core/arena.h"
#include "core/engine.h"
#include "policy/policy.h"
#include <stdbool.h>

#define CLI_MAX_LIST 64

struct cli_session {
    struct attestd_arena *arena;
    struct attestd_engine *engine;
    struct attestd_anchor_set *anchors; /* sealed by cli_session_anchors() */
};

/* Loads every plugin of the plugin directory: $ATTESTD_PLUGIN_DIR, else beside the program's own build, else the installed one. Prints why
 * and answers false when that fails. */
bool cli_session_open(struct cli_session *session);
void cli_session_close(struct cli_session *session);

/* The vendor pins ($ATTESTD_TRUST_ANCHORS, else the installed or source folder) and the operator's own, "PURPOSE=FILE" each. */
bool cli_session_anchors(struct cli_session *session, const char *const *own, size_t own_count, bool simulated);

/* A whole file ("-": standard input), at most 4 MiB unless max says else. Prints why when it fails. */
bool cli_read_file(struct cli_session *session, const char *path, size_t max, struct attestd_bytes *bytes);
/* --policy FILE and --reference FILE...; no file: hardware-only. Prints faults with their places. Owned by the caller. */
struct attestd_policy *cli_read_policy(struct cli_session *session, const char *file, const char *const *references,
                                       size_t reference_count);
void cli_print_faults(const struct attestd_policy_fault *faults, size_t count);

/* Standard output is a terminal that wants colour (NO_COLOR and TERM=dumb are heard). */
bool cli_colour(void);
/* "attestctl <command>: " and the message, to standard error. Returns EXIT_USAGE_ERROR. */
int cli_usage_error(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));
int cli_write_file(const char *path, const void *bytes, size_t len);

#endif
