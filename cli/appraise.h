/* SPDX-License-Identifier: Apache-2.0 */
/* How a result ends a command: printed, and as an exit code. */
#ifndef ATTESTD_CLI_APPRAISE_H
#define ATTESTD_CLI_APPRAISE_H

#include "core/result.h"

int cli_exit_of_result(const struct attestd_result *result);
int cli_print_malformed(const struct attestd_result *result);
void cli_print_result(const struct attestd_result *result, bool json, bool verbose);

#endif
