/* SPDX-License-Identifier: Apache-2.0 */
/* What a caller wants verified: the evidence set, its freshness and its binding. The same for server, command line and bundles. */
#ifndef ATTESTD_CORE_REQUEST_H
#define ATTESTD_CORE_REQUEST_H

#include "core/arena.h"
#include "core/jwk.h"
#include <attestd/plugin.h>
#include <stdbool.h>

#define ATTESTD_MAX_PIECES 32
#define ATTESTD_MAX_PARTS 16
#define ATTESTD_MAX_DATA 32
#define ATTESTD_LABEL_MAX 32 /* characters */

struct attestd_engine;

enum attestd_freshness {
    ATTESTD_FRESH_NONE = 0,      /* no nonce at all */
    ATTESTD_FRESH_CHALLENGE = 1, /* a challenge of this verifier */
    ATTESTD_FRESH_EXTERNAL = 2   /* the relying party's own nonce */
};

struct attestd_piece_request {
    const char *label;
    const char *type; /* name of the plugin */
    const struct attestd_part *parts;
    size_t part_count;
};

struct attestd_datum {
    const char *name;
    struct attestd_bytes value;
};

struct attestd_request {
    const char *challenge;      /* text as sent, or NULL */
    const char *nonce_text;     /* nonce as sent (echoed in eat_nonce), or NULL */
    struct attestd_bytes nonce; /* bytes that were bound; filled from the challenge by the host */
    enum attestd_freshness freshness;
    int64_t nonce_age; /* seconds between issue and arrival; -1 unknown */

    const char *policy;   /* name, or NULL */
    const char *audience; /* or NULL */
    const char *token;    /* "ear" (default), "oidc", "none"; never NULL once read */

    const char *layout;               /* "attestd-v1" by default */
    const struct attestd_jwk *key;    /* cnf, or NULL */
    const char *key_json;             /* cnf.jwk as sent, compact, members in bytewise order; layout trustee binds this text */
    const struct attestd_datum *data; /* bytewise order of names */
    size_t data_count;
    /* attestctl --binding-field: the field's expected bytes, instead of nonce and layout. */
    struct attestd_bytes expected_field;
    bool no_binding; /* attestctl without --nonce: freshness and binding are skipped */

    const struct attestd_piece_request *pieces; /* bytewise order of labels */
    size_t piece_count;
};

/* Why a request could not be read. */
struct attestd_request_fault {
    int status;       /* HTTP: 400, 413, 415, 422 */
    const char *code; /* from the catalogue of problems (docs/api.md) */
    char detail[256]; /* a phrase */
    char pointer[96]; /* JSON pointer of the place; "" when there is none */
};

/* [a-z][a-z0-9._-]{0,31}, not beginning with "attestd." */
bool attestd_label_valid(const char *text, size_t len);

/*
 * The nonce of a relying party: base64 or base64url text of 8 to 64 bytes. The bytes are what the evidence must carry; the text is echoed
 * as sent. Sets nonce, nonce_text and freshness.
 */
bool attestd_request_set_nonce(struct attestd_arena *arena, struct attestd_request *request, const char *text, size_t len);

/*
 * Checks a request as a whole, once everything in it is set (the server calls it after the query parameters): layout known, layout able to
 * bind what is carried (an audience is let pass when audience_optional), one of challenge and nonce.
 */
bool attestd_request_check(const struct attestd_request *request, bool audience_optional, struct attestd_request_fault *fault);

/*
 * Reads the JSON envelope of DESIGN 11 (application/json). base64 and base64url are both read; unknown members are refused by
 * name; every evidence type must be a loaded plugin, or is recognised from the part "report"/raw when "type" is absent.
 * Everything in *request is the arena's. False fills *fault.
 */
bool attestd_request_read_json(struct attestd_arena *arena, const struct attestd_engine *engine, const char *text, size_t len,
                               struct attestd_request *request, struct attestd_request_fault *fault);
/* application/cmw+json (RFC 9999): a record (label cpu0) or a collection (labels are names). */
bool attestd_request_read_cmw(struct attestd_arena *arena, const struct attestd_engine *engine, const char *text, size_t len,
                              struct attestd_request *request, struct attestd_request_fault *fault);
/* Raw vendor bytes under label cpu0. type may be NULL: recognised. Bytes are borrowed. */
bool attestd_request_read_raw(struct attestd_arena *arena, const struct attestd_engine *engine, const char *type, const uint8_t *bytes,
                              size_t len, struct attestd_request *request, struct attestd_request_fault *fault);

/*
 * SHA-256("attestd-evidence-v1\n" | u32 n, n times (L(label) L(type) u32 m, m times (L(part) L(bytes)))): the `evidence_digest` of answer,
 * audit and token. Pieces in bytewise order of labels, parts of names.
 */
void attestd_request_evidence_digest(const struct attestd_request *request, uint8_t digest[32]);

#endif
