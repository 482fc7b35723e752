/* SPDX-License-Identifier: Apache-2.0 */
/* A simulated AMD and chips that send evidence with good signatures, as requests and as JSON bodies. */
#ifndef BENCH_SIMULATED_H
#define BENCH_SIMULATED_H

#include "core/request.h"
#include "sdk/simulator/simulator.h"
#include <stdbool.h>
#include <stdint.h>

/* Says what failed and ends the program. */
void bench_must(bool good, const char *what);

struct bench_endorsement {
    struct sim_bytes der;
    uint8_t sha256[32]; /* as the cache holds it */
};

struct bench_vendor {
    struct sim_snp_vendor *vendor;
    struct bench_endorsement ark, ask, crl;
};
/* Genoa; folder keeps its keys between runs, since RSA-4096 takes a second to make. */
void bench_vendor_open(struct bench_vendor *, const char *folder);
void bench_vendor_close(struct bench_vendor *);

struct bench_chip {
    struct sim_bytes report;
    struct bench_endorsement vek;
    struct attestd_part part;
    struct attestd_piece_request piece;
    struct attestd_request request; /* points into this struct: do not move it */
    uint8_t nonce[32];
    char *body; /* the same request as JSON */
};
/* A chip of its own for each number. The nonce is the relying party's own, so that a request can be sent again and again. policy and
 * audience may be NULL; token: "none", "ear". */
void bench_chip_make(struct bench_chip *, const struct bench_vendor *, unsigned number, const char *policy, const char *audience,
                     const char *token);
void bench_chip_free(struct bench_chip *);

#endif
