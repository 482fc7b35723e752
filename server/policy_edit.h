/* SPDX-License-Identifier: Apache-2.0 */
/* Changing one file of the policy directory: tried in a staged copy first, so that what is written is known to be good. */
#ifndef ATTESTD_SERVER_POLICY_EDIT_H
#define ATTESTD_SERVER_POLICY_EDIT_H

#include "server/service.h"

/*
 * Compile the policy directory, tests included, with the text in place of <name>.yaml. Nothing is changed. NULL: the faults say why
 * (count 0: the staging itself failed, error says how). The caller frees the set.
 */
struct attestd_policy_set *policy_edit_try(struct service *, const char *name, struct attestd_bytes text,
                                           struct attestd_policy_fault faults[POLICIES_FAULTS], size_t *count, char *error,
                                           size_t error_size);
/* Write <name>.yaml: a temporary file, then a rename. */
bool policy_edit_write(struct service *, const char *name, struct attestd_bytes text, char *error, size_t error_size);
/* The text of <name>.yaml; false when there is no such file. */
bool policy_edit_read(struct service *, const char *name, struct attestd_arena *arena, struct attestd_bytes *text);

#endif
