/* SPDX-License-Identifier: Apache-2.0 */
/* Simulated machines for the tests: a vendor for each product, what its KDS would serve, and one guest in it. */
#ifndef TESTS_SNP_SIMULATED_H
#define TESTS_SNP_SIMULATED_H

#include "sdk/simulator/simulator.h"
#include "tests/snp/appraisal.h"

#define PRODUCTS 4
#define NOW INT64_C(1795219200) /* 2026-11-21T00:00:00Z */
#define DAY INT64_C(86400)

/* For the whole group: vendors, engine, pins. */
struct world {
    struct attestd_engine *engine;
    struct sim_snp_vendor *vendors[PRODUCTS];
    struct sim_snp_vendor *stranger; /* another Genoa, under the same names */
    struct attestd_anchor_set *anchors;
};
extern struct world world;
int world_begin(void **state);
int world_end(void **state);

/* One test's guest and what lies on the shelf for it. */
struct scene {
    struct attestd_arena *arena;
    struct sim_snp_guest guest;
    struct shelf shelf;
    struct sim_snp_crl list;
    struct appraisal appraisal;
    /* What goes into the table, before scene_run(); NULL bytes: left out. */
    struct attestd_bytes vek, intermediate, root, list_der;
    bool enclose_list; /* the list goes into the table rather than onto the shelf */
    bool no_table;     /* the VEK goes onto the shelf instead */
    bool wrong_slot;
    uint8_t report[1184]; /* as sent */
};

const char *product_name(enum sim_snp_product product);
/* A good guest: its VEK is enclosed, ASK, ASVK, ARK and list are on the shelf. */
void scene_begin(struct scene *, enum sim_snp_product product);
/* Makes VEK and report from the guest as it is now. */
void scene_mint(struct scene *);
/* Copies and frees. */
struct attestd_bytes scene_take(struct scene *, struct sim_bytes);
/* Lays out table and shelf, and appraises scene->report. */
void scene_run(struct scene *);
void scene_end(struct scene *);

#endif
