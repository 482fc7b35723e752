/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which endorsements a report needs, and whether they are what they claim: from the certificate of its signing key (VEK: a VCEK or VLEK)
 * over ASK or ASVK to a pinned ARK, and the ARK's list of revoked certificates.
 *
 * Candidates come from the evidence first, then from the host. A candidate is judged by everything the report and the chain say about it;
 * the first that is right in all is taken. If none is, the one that comes nearest is reported: before all the one whose key did sign the
 * report, because then the fault is the report's own and not that of whoever answered for the vendor.
 */
#ifndef SNP_ENDORSEMENTS_H
#define SNP_ENDORSEMENTS_H

#include "certificates.h"
#include "checks.h"

/* One run of verify(). */
struct snp_run {
    const struct attestd_host *host;
    struct attestd_appraisal *appraisal;
    int64_t time;
    struct snp_report report;
    const struct snp_enclosed *enclosed; /* NULL: nothing is */
};

/* One check's outcome, before it is recorded. */
struct snp_step {
    int32_t outcome;
    const char *code;
    char observed[192], expected[192];
};

/* Steps from SNP_CHECK_VEK to SNP_CHECK_REVOCATION. */
#define SNP_STEP_COUNT ((size_t)SNP_CHECK_REVOCATION - SNP_CHECK_VEK + 1)
struct snp_steps {
    struct snp_step at[SNP_STEP_COUNT];
};

/* The VEK and its chain, once their signatures were found good: what a memo keeps. Dates are judged anew each time. */
struct snp_chain {
    struct snp_vek vek;
    struct attestd_key *key;
    int64_t not_before[3], not_after[3]; /* VEK, ASK or ASVK, ARK */
};

/* A certificate or list that might serve. */
struct snp_link {
    struct attestd_endorsement endorsement;
    enum snp_slot slot; /* of enclosed ones */
    bool enclosed;
    bool parsed;
    struct attestd_certificate *certificate; /* when it was parsed, and is one */
    struct snp_chain *chain;                 /* VEK: made by this run; for a memo, or to be freed */
    uint8_t chain_key[32];
    const char *fault; /* why it does not serve */
};

#define SNP_LINKS_MAX 12u
struct snp_pool {
    const char *kind;
    char key[SNP_KEY_SIZE];
    struct snp_link links[SNP_LINKS_MAX];
    size_t count;
    int32_t state; /* of the last need(); READY before the first */
};

enum snp_list_status { SNP_LIST_NONE, SNP_LIST_FRESH, SNP_LIST_STALE, SNP_LIST_FUTURE, SNP_LIST_NO_NEXT_UPDATE };

struct snp_list {
    int64_t this_update, next_update;
    uint64_t number;
    bool revokes;
};

/* What came of it. */
struct snp_authenticity {
    bool pending;             /* needs are open: nothing below is final */
    enum snp_product product; /* SNP_NO_PRODUCT: not known */
    struct snp_steps steps;
    const struct snp_chain *chain; /* NULL: none holds */
    enum snp_list_status list_status;
    struct snp_list list; /* when list_status is not NONE */

    /* The candidates. */
    struct snp_pool vek, intermediate, root, lists;
    struct snp_link *vek_link, *intermediate_link, *root_link;
};

/* Fills a->steps, or sets a->pending. stale_for: seconds; want_list: false when the check of revocation is disabled. */
void snp_authenticate(struct snp_run *run, struct snp_authenticity *a, int64_t stale_for, bool want_list);
/* Hands what was verified to the host's memos, and frees the rest. Call once, at the end; a->chain is gone after it. */
void snp_authenticity_end(struct snp_run *run, struct snp_authenticity *a);

struct snp_step *snp_step(struct snp_steps *steps, enum snp_check check);

#endif
