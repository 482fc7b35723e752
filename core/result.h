/* SPDX-License-Identifier: Apache-2.0 */
/* The outcome of an appraisal, as data. All of it is the job's arena's. */
#ifndef ATTESTD_CORE_RESULT_H
#define ATTESTD_CORE_RESULT_H

#include "core/json.h"
#include "core/request.h"
#include <attestd/plugin.h>
#include <stdbool.h>

/* In order of badness, so that the worst is the maximum. There is no "none": a verdict is one of these. */
enum attestd_verdict { ATTESTD_AFFIRMING = 2, ATTESTD_WARNING = 32, ATTESTD_CONTRAINDICATED = 96 };
const char *attestd_verdict_name(enum attestd_verdict verdict);
const char *attestd_outcome_name(int outcome);
const char *attestd_mode_name(int mode);
const char *attestd_trust_claim_name(int claim); /* "instance-identity" ... */

struct attestd_check_result {
    const struct attestd_check *check;
    int32_t outcome; /* enum attestd_outcome */
    int32_t mode;    /* enum attestd_mode; set when the verdict is made */
    const char *code, *observed, *expected;
    const char *remedy;
    const char *policy_line; /* "prod.yaml:14", or NULL */
};

struct attestd_check_list {
    struct attestd_check_result *items;
    size_t count, size;
};

struct attestd_binding_slot {
    int32_t form; /* enum attestd_binding_form */
    struct attestd_bytes bytes;
};

/* One piece of evidence, verified. */
struct attestd_piece {
    const char *label, *type;
    const struct attestd_plugin *plugin;
    bool authentic; /* every fixed check passed: claims count */
    enum attestd_verdict verdict;
    int8_t vector[ATTESTD_TRUST_CLAIMS]; /* AR4SI values; 0 no claim */
    const struct attestd_value *claims;  /* map; under "claims" or "unverified" as authentic says */
    struct attestd_check_list checks;
    struct attestd_binding_slot slots[4];
    size_t slot_count;
    bool has_signed_bytes;
    uint8_t signed_digest[32]; /* SHA-256 of the signed bytes; made only when the set has more than one piece */
    /* MALFORMED: */
    const char *malformed_code, *malformed_part, *malformed_detail;
    size_t malformed_offset;
};

enum attestd_endorsement_state { ATTESTD_ENDORSEMENT_UNDECIDED = 0, ATTESTD_ENDORSEMENT_ACCEPTED, ATTESTD_ENDORSEMENT_REJECTED };

/* One endorsement that took part. */
struct attestd_endorsement_use {
    const char *kind, *key;
    const char *source; /* "evidence", "cache", "directory", "vendor", "anchors" */
    struct attestd_bytes bytes;
    uint8_t sha256[32];
    int64_t fetched;     /* seconds since 1970; 0 unknown */
    int64_t next_update; /* 0: does not age */
    uint64_t number;
    bool stale; /* served beyond its refresh time because the vendor is out of reach */
    enum attestd_endorsement_state state;
    const char *reject_code;
};

struct attestd_result {
    enum attestd_verdict verdict;
    struct attestd_piece *pieces;
    size_t piece_count;
    struct attestd_check_list checks;                   /* binding, freshness, require, across devices */
    const struct attestd_endorsement_use *endorsements; /* accepted ones first use first */
    size_t endorsement_count;

    const char *policy_name;
    int64_t policy_version;
    uint8_t policy_digest[32];
    int32_t score; /* 100 minus the costs of failed warn checks */
    uint8_t anchors_digest[32];
    uint8_t evidence_digest[32];
    enum attestd_freshness freshness;
    bool simulated;
    bool unavailable;                          /* no strict check failed but one is unavailable: no verdict, 424 */
    int64_t time;                              /* verification time */
    int64_t not_after;                         /* earliest date at which something it rests on ends; INT64_MAX: none */
    bool nonce_matched;                        /* evidence authentic and carries the nonce: the challenge is to be spent */
    struct attestd_bytes bound_field;          /* what the binder signed */
    const struct attestd_plugin *delegates[8]; /* plugins that others delegated to */
    size_t delegate_count;
    const char *binder;             /* label of the binder; NULL: none */
    bool audience_bound, key_bound; /* the binder's field covers the request's audience, the key of cnf */
};

/* Plugins that took part, for `engine`. */
void attestd_result_engine_json(struct attestd_json_writer *, const struct attestd_result *);
/* Members of the answer that do not depend on this run of the server (verdict ... engine), into an open map. Leaves out id, token,
 * expires and timings: what a bundle keeps. Endorsements' source and fetched are in it. */
void attestd_result_members(struct attestd_json_writer *, const struct attestd_result *);
/* The explained verdict for a person; colour uses ANSI sequences. */
void attestd_result_print(struct attestd_text *out, const struct attestd_result *, bool colour, bool verbose);
/* Ids of disabled checks that took part, unique, in order; count returned, at most max written. */
size_t attestd_result_disabled(const struct attestd_result *, const char **ids, size_t max);
/* First failed strict check's code over the whole result, for audit and metrics; else the first unavailable one's; NULL: none. */
const char *attestd_result_first_code(const struct attestd_result *);

#endif
