/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which endorsements a quote needs, and whether they are what they claim: the PCK certificate and its chain to a pinned root, which proves
 * the quote by itself; then TCB info, QE identity and the lists of revoked certificates, which say what the platform is worth.
 */
#ifndef TDX_ENDORSEMENTS_H
#define TDX_ENDORSEMENTS_H

#include "documents.h"
#include "layout.h"
#include "tcb_info.h"

/* One check's outcome, before it is recorded. */
struct dcap_step {
    bool set;
    int32_t outcome;
    const char *code, *observed, *expected;
};

/* A PCK chain whose signatures, names and anchor were found good: what a memo keeps. Dates are judged anew each time. */
struct dcap_chain {
    struct attestd_certificate *certificates[3]; /* PCK, its CA, root */
    struct dcap_pck pck;
};

/* TCB info or identity, with the certificate that signed it. */
struct dcap_signed {
    struct dcap_tcb_info *info;
    struct dcap_identity *identity;
    struct attestd_certificate *signer;
};

/* What a list says of one certificate. */
struct dcap_revocation {
    int64_t this_update, next_update;
    uint64_t number;
    bool revoked;
};

/* Made by this run, and handed to the memos at its end. */
struct dcap_made {
    uint8_t key[32];
    void *object;
    size_t size;
    int64_t not_after;
    void (*release)(void *);
    struct dcap_made *next;
};

/* One run of verify(). */
struct dcap_run {
    const struct attestd_host *host;
    struct attestd_appraisal *appraisal;
    int64_t time;
    struct dcap_quote quote;
    struct attestd_bytes collateral; /* enclosed by the attester; may be empty */
    bool pending;                    /* needs are open: nothing below is final */
    struct dcap_step steps[DCAP_CHECK_COUNT];

    const struct dcap_chain *chain;     /* NULL: none holds */
    const struct dcap_signed *tcb_info; /* NULL: none holds */
    const struct dcap_signed *identity; /* NULL: none holds */
    const struct dcap_revocation *pck_list, *root_list;
    bool stale; /* something of it has passed its nextUpdate, and policy allows that */

    struct dcap_made *made;
};

void dcap_pass(struct dcap_run *, enum dcap_check, const char *observed);
void dcap_fail(struct dcap_run *, enum dcap_check, const char *code, const char *observed, const char *expected);
void dcap_unavailable(struct dcap_run *, enum dcap_check, const char *code, const char *observed, const char *expected);
/* An earlier failure took the check's input away; cause is its code. */
void dcap_skip(struct dcap_run *, enum dcap_check, const char *cause);
/* The code of the first fixed check that did not pass; NULL: all that were made passed. */
const char *dcap_first_fault(const struct dcap_run *);
/* A short text that lives as long as the appraisal. */
const char *dcap_say(struct dcap_run *, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *dcap_say_hex(struct dcap_run *, const uint8_t *bytes, size_t len);

/* Memos. object: as for memo_put(). */
void dcap_memo_key(const char *what, const uint8_t *a, const uint8_t *b, const uint8_t *c, uint8_t key[32]);
void dcap_keep(struct dcap_run *, const uint8_t key[32], void *object, size_t size, int64_t not_after, void (*release)(void *));
/* At the end of a run: what was made goes to the memos. Nothing of the run may be used after it. */
void dcap_run_end(struct dcap_run *);

/* The PCK chain: run->chain, or a failed step; or pending. */
void dcap_authenticate_chain(struct dcap_run *);
/* TCB info, identity and lists; stale_for in seconds. All needs are named before anything is waited for. */
void dcap_authenticate_collateral(struct dcap_run *, int64_t stale_for, bool want_lists);

#endif
