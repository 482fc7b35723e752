/* SPDX-License-Identifier: Apache-2.0 */
/*
 * appraise(): the pure function the service is built around (docs/architecture.md).
 *
 *   job = attestd_job_new(...)
 *   loop: attestd_job_run(job, now)
 *           PENDING    for each open need: attestd_job_supply() or attestd_job_absent(), then run again
 *           DONE       attestd_job_result()
 *           MALFORMED  attestd_job_result() names piece, code and place
 *
 * A job belongs to one thread at a time. It holds no pointer into the host: needs and endorsements are plain data.
 */
#ifndef ATTESTD_CORE_APPRAISE_H
#define ATTESTD_CORE_APPRAISE_H

#include "core/anchors.h"
#include "core/engine.h"
#include "core/request.h"
#include "core/result.h"

struct attestd_job;

/* How core looks at a policy: implemented by policy/, constant once made, shared by threads. */
struct attestd_policy_view {
    const void *policy;
    const char *name;
    int64_t version;
    const uint8_t *digest; /* 32 bytes */
    /* The compiled setting of an evidence type's section, or NULL. Core itself asks the section "binding" for "by" (text: label of the
     * binder) and "audience" (text: "optional"). */
    const struct attestd_value *(*setting)(const void *policy, const char *type, const char *path);
    /* Mode of a check at a time; fixed checks never get here. line may be NULL; *line gets "file:line" or NULL. */
    int32_t (*mode)(const void *policy, const struct attestd_check *check, int64_t time, const char **line);
    /*
     * Everything policy says once all pieces are verified and bound: sets, require, freshness, audience, weights. Adds checks with
     * attestd_job_check() and sets the score. Core has set every check's mode from mode() before, and computes vectors and verdicts from
     * checks and modes afterwards: what decide() sets in verdict and vector can only lower them. It may change the mode of binding.unbound
     * to WARN (bound_to: none). Claims of pieces that are not authentic must not be looked at: record such checks as SKIPPED, or an
     * endorsement that is merely unobtainable would be judged as a failure.
     */
    void (*decide)(const void *policy, struct attestd_job *job, const struct attestd_request *request, struct attestd_result *result,
                   int64_t time);
};

/* State of devices, recalled by key; the host fills it. */
struct attestd_state_lookup {
    void *context;
    /* Copies into the arena; length 0: nothing known. Called on the thread that runs the piece. */
    struct attestd_bytes (*recall)(void *context, struct attestd_arena *arena, const char *plugin, const uint8_t *key, size_t key_len);
};

/* request, view and anchors outlive the job (anchors are retained; they must be sealed). policy may be NULL: then no verdict is better
 * than contraindicated. state may be NULL. */
struct attestd_job *attestd_job_new(struct attestd_engine *engine, const struct attestd_request *request,
                                    const struct attestd_policy_view *policy, struct attestd_anchor_set *anchors,
                                    const struct attestd_state_lookup *state);
void attestd_job_free(struct attestd_job *);
struct attestd_arena *attestd_job_arena(struct attestd_job *);

/* Runs every piece that is not done, then binding and policy. ATTESTD_DONE, PENDING or MALFORMED. After 8 runs without an end
 * each waiting piece fails with PLUGIN_NO_PROGRESS. A piece that still waits for an answer (supply or absent) is not run. When the last
 * piece is done, pieces that ended at another time run once more, so that one time holds for all. */
int attestd_job_run(struct attestd_job *, int64_t time);
/* The same in steps, so that pieces can run on several threads: run_piece() for different indexes at once (each piece has its own arena);
 * then, with no piece running, conclude(). Both answer as run() does, run_piece() for its piece alone. */
size_t attestd_job_piece_count(const struct attestd_job *);
int attestd_job_run_piece(struct attestd_job *, size_t index, int64_t time);
int attestd_job_conclude(struct attestd_job *, int64_t time);

/* Needs that are open: named by the last run and neither supplied nor absent. Valid until the next run or supply. */
struct attestd_need {
    const char *kind, *key;
    bool after_reject;  /* the candidates so far were rejected: ask the next source */
    unsigned rejected;  /* how many */
    bool authenticated; /* the asking evidence's signature has already been checked */
};
size_t attestd_job_needs(const struct attestd_job *, const struct attestd_need **needs);

struct attestd_supply {
    struct attestd_bytes bytes; /* copied */
    const char *source;         /* static: "cache", "directory", "vendor", "anchors" */
    int64_t fetched;
    bool stale;
    const uint8_t *sha256; /* of bytes, when the source made it of these very bytes before; NULL: it is made here */
};
/* One candidate more for a need. Several may be given before the next run. */
void attestd_job_supply(struct attestd_job *, const char *kind, const char *key, const struct attestd_supply *supply);
/* It cannot be had now. reason: a static phrase for `observed`. */
void attestd_job_absent(struct attestd_job *, const char *kind, const char *key, const char *reason);

/* After DONE or MALFORMED. The job's. */
const struct attestd_result *attestd_job_result(const struct attestd_job *);
const struct attestd_request *attestd_job_request(const struct attestd_job *);
const struct attestd_policy_view *attestd_job_policy(const struct attestd_job *);

/* Endorsements by what became of them: to store (accepted, source vendor, directory or evidence), to hold back (rejected). Indexes run over
 * all. */
size_t attestd_job_endorsements(const struct attestd_job *, const struct attestd_endorsement_use **uses);
struct attestd_proposal {
    const char *plugin;
    struct attestd_bytes key, before, after;
};
size_t attestd_job_proposals(const struct attestd_job *, const struct attestd_proposal **proposals);

/* For policy views, inside decide(): record a check across pieces (piece NULL) or on one piece; its mode is set by the view's mode(). When
 * the check is there already, the worse outcome stands. An id that is not in the catalogue fails plugin.record. Without binding
 * (request.no_binding) checks of binding.* and freshness.* become skipped. */
void attestd_job_check(struct attestd_job *, struct attestd_piece *piece, const char *check_id, int outcome, const char *code,
                       const char *observed, const char *expected);

/* The same with a descriptor of the view's own (rules); it must live as long as the job. */
void attestd_job_record(struct attestd_job *, struct attestd_piece *piece, const struct attestd_check *check, int outcome, const char *code,
                        const char *observed, const char *expected);

/* How long the stages took, for metrics only: nanoseconds. */
struct attestd_job_timing {
    uint64_t runs, verify_ns, policy_ns;
};
struct attestd_job_timing attestd_job_timing(const struct attestd_job *);

/* Verify signatures through the job, so that a re-run does not repeat them (in-tree plugins). */
bool attestd_appraisal_signature(struct attestd_appraisal *, const struct attestd_key *key, int algorithm, const void *message,
                                 size_t message_len, const uint8_t *signature, size_t signature_len);
/* The host table that plugins get. */
const struct attestd_host *attestd_host_table(void);

/* attestctl inspect: the plugin's inspect() with no policy or endorsements. NULL and a phrase in error when malformed. */
const struct attestd_value *attestd_inspect(struct attestd_engine *, struct attestd_arena *, const struct attestd_piece_request *,
                                            char *error, size_t error_size);

#endif
