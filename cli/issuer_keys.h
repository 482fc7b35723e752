/* SPDX-License-Identifier: Apache-2.0 */
/* The published keys of an issuer: from a file, from their URL, or by discovery. */
#ifndef ATTESTD_CLI_ISSUER_KEYS_H
#define ATTESTD_CLI_ISSUER_KEYS_H

#include "cli/session.h"

/* place: a file, the https URL of a JWKS, or NULL: what the issuer's discovery document names. ca: PEM file, or NULL. NULL on failure,
 * which is printed. The arena's. */
const char *cli_issuer_keys(struct cli_session *session, const char *issuer, const char *place, const char *ca);

#endif
