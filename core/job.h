/* SPDX-License-Identifier: Apache-2.0 */
/* Inside core: a job while it runs. Shared by job.c (the loop), host.c (what plugins call), bind.c (binding) and conclude.c (verdict). */
#ifndef ATTESTD_CORE_JOB_H
#define ATTESTD_CORE_JOB_H

#include "core/appraise.h"
#include "core/memo.h"
#include "core/registry.h"

#define JOB_MAX_RUNS 8
#define JOB_MAX_NEEDS 64      /* a piece; hostile evidence must not make a plugin ask without end */
#define JOB_MAX_CANDIDATES 16 /* a need */
#define JOB_MAX_HANDLES 256   /* a piece */
#define JOB_MAX_FRAMES 4      /* plugins under one label */
#define JOB_MAX_DEPTH 2       /* plugins on top of each other: the piece's own and a delegate */
#define JOB_MAX_SIGNATURES 32 /* remembered for a piece */
#define JOB_MAX_STATES 16     /* recalled or proposed for a piece */

/* One answer of the host to a need. Does not change once supplied. */
struct job_candidate {
    struct attestd_bytes bytes;
    uint8_t sha256[32];
    const char *source;
    int64_t fetched;
    bool stale;
};

/* Everything known about one (kind, key). Changes only while no piece runs. */
struct job_source {
    const char *kind, *key;
    struct job_candidate *candidates[JOB_MAX_CANDIDATES];
    size_t count;
    bool absent;
    const char *reason;
    unsigned answers; /* supplies and absences so far */
    struct job_source *next;
};

/* A question of one piece. */
struct job_question {
    const char *kind, *key;
    bool waiting;     /* in the last run the answer was WAITING */
    unsigned answers; /* of the source at that time */
    unsigned rejected;
    bool authenticated;
};

/* An endorsement a piece has in hand; its index is the handle. */
struct job_handle {
    const char *kind, *key;
    int32_t life;
    const struct job_candidate *candidate; /* NULL: the attester enclosed it */
    struct attestd_bytes bytes;
    uint8_t sha256[32];
    bool rejected; /* stays from run to run */
    const char *reject_code;
    bool accepted;  /* in this run */
    unsigned order; /* of its first showing in this run; 0: not shown */
    int64_t next_update;
    uint64_t number;
};

/* A signature found good; evidence bytes do not move, so a message inside them is known by its place. */
struct job_signature {
    uint8_t key[32];
    int algorithm;
    const uint8_t *message; /* NULL: by digest */
    size_t message_len;
    uint8_t digest[32];
    struct attestd_bytes signature;
};

struct job_frame {
    const struct attestd_plugin *owner;
    const char *plugin; /* its name */
    struct attestd_tree *claims;
};

struct job_segment {
    struct attestd_bytes bytes;
    struct job_segment *next;
};

enum job_piece_state { JOB_PIECE_OPEN = 0, JOB_PIECE_DONE, JOB_PIECE_MALFORMED };

struct job_piece {
    struct attestd_job *job;
    const struct attestd_piece_request *request;
    struct attestd_piece *piece; /* in the result */
    struct attestd_arena *arena;
    enum job_piece_state state;
    unsigned runs;
    int64_t time; /* of its last run */
    bool progress;

    /* From run to run: */
    struct job_question questions[JOB_MAX_NEEDS];
    size_t question_count;
    struct job_handle *handles[JOB_MAX_HANDLES];
    size_t handle_count;
    struct job_signature signatures[JOB_MAX_SIGNATURES];
    size_t signature_count;
    struct attestd_proposal recalled[JOB_MAX_STATES];
    size_t recalled_count;
    uint64_t verify_ns;

    /* Of this run: */
    uint64_t *recorded; /* bit per check of the catalogue */
    struct job_frame frames[JOB_MAX_FRAMES];
    size_t frame_count;
    struct job_segment *segments, **last_segment;
    struct attestd_proposal proposed[JOB_MAX_STATES];
    size_t proposed_count;
    unsigned shown;
    struct memo_facts facts;
    bool signature_good;
    int64_t not_after;
    const char *absent_reason;
};

struct attestd_job {
    struct attestd_engine *engine;
    const struct attestd_request *request;
    const struct attestd_policy_view *view;
    struct attestd_anchor_set *anchors;
    const struct attestd_state_lookup *state;
    struct attestd_arena *arena;
    bool inspecting;

    struct job_piece *pieces;
    size_t piece_count;
    struct job_source *sources, **last_source;
    struct attestd_need *needs;
    struct attestd_endorsement_use *uses;
    size_t use_count;
    struct attestd_proposal *proposals;
    size_t proposal_count;
    int64_t time; /* of the last run */
    uint64_t policy_ns;
    struct attestd_result result;
    bool concluded;
};

/* What a plugin holds: one frame of a piece's run. */
struct attestd_appraisal {
    struct job_piece *piece;
    const struct attestd_plugin *plugin;
    struct job_frame *frame;
    unsigned depth; /* 1: the piece's own plugin */
};

/* host.c */
struct job_frame *job_frame_of(struct job_piece *, const struct attestd_plugin *plugin);
void job_defect(struct job_piece *, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* job.c */
struct job_source *job_find_source(const struct attestd_job *, const char *kind, const char *key);
uint64_t job_nanoseconds(void);

/* A check at the end of a list, with the remedy of its code; texts are borrowed. The mode is STRICT until conclude sets it. */
struct attestd_check_result *job_append_check(struct attestd_arena *, struct attestd_check_list *, const struct attestd_check *,
                                              int outcome, const char *code, const char *observed, const char *expected);

/* bind.c: the binding checks of a job whose pieces are done. */
void job_bind(struct attestd_job *);
/* conclude.c: everything after the last piece's end. */
void job_conclude(struct attestd_job *);
void job_conclude_malformed(struct attestd_job *);

#endif
