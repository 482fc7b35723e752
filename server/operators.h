/* SPDX-License-Identifier: Apache-2.0 */
/* Who is an operator: whoever holds a configured bearer key, and whoever can open the unix socket (role write). */
#ifndef ATTESTD_SERVER_OPERATORS_H
#define ATTESTD_SERVER_OPERATORS_H

#include "server/config.h"
#include "server/transport.h"

struct operators;

/* Borrows the configured keys. */
struct operators *operators_new(const struct config_operator *keys, size_t count);
void operators_free(struct operators *);
/*
 * The caller's role. ROLE_NONE sets *refusal (unless NULL) to a code of core/problem.h: OPERATOR_ONLY when no key is configured,
 * OPERATOR_KEY_MISSING, OPERATOR_KEY_UNKNOWN. The time it takes does not depend on how much of a key is right.
 */
enum config_role operators_role(const struct operators *, const struct exchange *, const char **refusal);

#endif
