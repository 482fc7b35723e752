/* SPDX-License-Identifier: Apache-2.0 */
/* Policy files as the subcommands of `attestctl policy` take them: one directory, or files together. */
#ifndef ATTESTD_CLI_POLICY_FILES_H
#define ATTESTD_CLI_POLICY_FILES_H

#include "cli/session.h"

/* Compiles; prints the faults, with their places, and answers NULL when there are any. Embedded tests run when run_tests is set. */
struct attestd_policy_set *cli_compile_policies(struct cli_session *session, char **paths, int count, bool run_tests);
/* The one policy of a file, or the one of this name. Prints why when there is none. Owned by the caller. */
struct attestd_policy *cli_one_policy(struct cli_session *session, const char *path, const char *const *references, size_t reference_count,
                                      const char *name);

#endif
