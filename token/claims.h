/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of the room: claims that both kinds of token carry. */
#ifndef ATTESTD_TOKEN_CLAIMS_H
#define ATTESTD_TOKEN_CLAIMS_H

#include "token/token.h"

#define DIGEST_TEXT_SIZE sizeof("sha256:0123456789012345678901234567890123456789012345678901234567890123")

/* iss, sub, aud, iat, nbf, exp, jti: the registered claims, into an open map. */
void token_registered_claims(struct attestd_json_writer *, const struct attestd_token_claims *, const struct attestd_result *);
/* attestd_freshness, attestd_disabled, attestd_anchors, attestd_endorsements, attestd_evidence_digest; simulated if so. */
void token_provenance_claims(struct attestd_json_writer *, const struct attestd_result *);
/* "sha256:<hex>" */
void token_digest_text(const uint8_t digest[32], char text[DIGEST_TEXT_SIZE]);
const char *token_freshness_name(enum attestd_freshness freshness);
/* The result's verdict, or the worst of its pieces should that be worse. */
enum attestd_verdict token_verdict(const struct attestd_result *);
/* A piece's verdict, but no better than the worst value of its vector (EAR: a status is never of higher trust). */
enum attestd_verdict token_piece_verdict(const struct attestd_piece *);
/* Characters of a compact JWS with one of our headers over a payload of this length. */
size_t token_size(size_t payload_len);

#endif
