/* SPDX-License-Identifier: Apache-2.0 */
/* A verifier's site for the tests of the cache: the SNP plugin, a simulated AMD with its Genoa pinned, guests, and jobs over their bare
 * reports, so that everything else must come through the cache. */
#ifndef ATTESTD_TESTS_SITE_H
#define ATTESTD_TESTS_SITE_H

#include "cache/endorsements.h"
#include "sdk/simulator/simulator.h"

struct site {
    char folder[64]; /* of one test: removed at its end */
    struct attestd_engine *engine;
    struct attestd_anchor_set *anchors;
    struct sim_snp_vendor *vendor;
};
extern struct site site;

int site_begin(void **state); /* once */
int site_end(void **state);
int site_folder(void **state); /* around each test */
int site_clean(void **state);

/* A good Genoa guest on the chip with this number. */
void site_guest(struct sim_snp_guest *, unsigned chip);
/* Writes bytes (freed) to folder/name; folders on the way are made. */
void site_write(struct sim_bytes, const char *name);
/* A list that is valid from an hour ago for this many seconds from now. */
struct sim_snp_crl site_list(uint64_t number, int64_t valid_for);
/* hwid in hex, as it stands in the certificate's URL. */
const char *site_hwid(const struct sim_snp_guest *, char out[129]);

struct attestd_store *site_store(const char *name);
/* cache.mdb and state.mdb of the test's folder. base NULL: offline. */
struct desk {
    struct attestd_store *cache, *state;
    struct attestd_endorsements *endorsements;
};
struct desk site_desk(const char *base, const char *const *directories, const struct attestd_endorsements_options *more);
void site_desk_close(struct desk *);

/* One appraisal as the server runs it. */
struct visit {
    const struct sim_snp_guest *guest;
    const char *caller;
    unsigned patience_ms;
    bool enclose; /* VCEK and list come with the evidence */
    /* Filled: */
    struct attestd_job *job;
    struct attestd_arena *arena;
    const struct attestd_result *result;
    bool authentic;
    unsigned retry_after;
};
void visit_run(struct desk *, struct visit *);
void visit_end(struct visit *);
/* Source of the accepted endorsement of this kind; NULL: none was accepted. */
const char *visit_source(const struct visit *, const char *kind);
bool visit_stale(const struct visit *, const char *kind);
/* Outcome of a check of the piece; -1: not recorded. */
int visit_outcome(const struct visit *, const char *id);

/* How many entries of a kind the cache lists; number of the last in *number. */
size_t site_count(struct desk *, const char *kind, uint64_t *number);

#endif
