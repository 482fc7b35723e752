/* SPDX-License-Identifier: Apache-2.0 */
/*
 * appraise() alone, on one thread, for simulated SNP evidence, beside what libcrypto alone does in the same rounds. One JSON document:
 * for each measure its median per second, its share of libcrypto's P-384 rate, and all rounds.
 *
 *   bench-appraise [--rounds N] [--milliseconds N] [--yardstick] [--wall] FOLDER
 *
 * FOLDER keeps the simulated vendor between runs. --yardstick measures libcrypto only. --wall: by the clock on the wall, for comparison
 * with what is measured from outside; otherwise by the CPU time of the thread. $ATTESTD_BUILD is the build folder whose plugins are loaded.
 */
#include "core/appraise.h"
#include "bench/simulated.h"
#include "bench/yardstick.h"
#include "policy/policy.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WARM_CHIPS = 16, COLD_CHIPS = 96, ROUNDS_MAX = 32, SLICES = 8 };

struct bench {
    struct attestd_engine *engine;
    struct attestd_anchor_set *anchors;
    struct attestd_policy *policy;
    struct bench_vendor vendor;
    struct bench_chip *chips; /* WARM_CHIPS, then COLD_CHIPS a round */
    unsigned chip_count;
    int64_t time;
    struct attestd_text answer;
};

static void bench_make(struct bench *b, const char *folder, unsigned rounds)
{
    char plugins[4096], error[512];
    const char *build = getenv("ATTESTD_BUILD");
    snprintf(plugins, sizeof plugins, "%s/plugins", build ? build : ".");
    b->time = (int64_t)time(NULL);
    b->engine = attestd_engine_new();
    if (!attestd_engine_load(b->engine, plugins, "snp", error, sizeof error)) {
        fprintf(stderr, "bench: %s\n", error);
        exit(70);
    }
    b->policy = attestd_policy_hardware_only(b->engine);
    bench_vendor_open(&b->vendor, folder);
    b->anchors = attestd_anchor_set_new();
    bench_must(attestd_anchor_set_add_certificate(b->anchors, "snp/Genoa", b->vendor.ark.der.data, b->vendor.ark.der.len, true),
               "pinning the simulated root");
    attestd_anchor_set_seal(b->anchors);
    b->chip_count = WARM_CHIPS + rounds * COLD_CHIPS;
    b->chips = calloc(b->chip_count, sizeof *b->chips);
    bench_must(b->chips != NULL, "memory");
    for (unsigned i = 0; i < b->chip_count; i++)
        bench_chip_make(&b->chips[i], &b->vendor, i, NULL, NULL, "none");
}

static void bench_free(struct bench *b)
{
    for (unsigned i = 0; i < b->chip_count; i++)
        bench_chip_free(&b->chips[i]);
    free(b->chips);
    attestd_text_free(&b->answer);
    bench_vendor_close(&b->vendor);
    attestd_policy_free(b->policy);
    attestd_anchor_set_free(b->anchors);
    attestd_engine_free(b->engine);
}

/* One appraisal, its endorsements supplied out of memory as a full cache would */

static struct bench_endorsement endorsement(const struct bench *b, const struct bench_chip *chip, const char *kind)
{
    const struct {
        const char *kind;
        const struct bench_endorsement *one;
    } known[] = {{"snp.vcek", &chip->vek}, {"snp.ask", &b->vendor.ask}, {"snp.ark", &b->vendor.ark}, {"snp.crl", &b->vendor.crl}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i].kind, kind) == 0)
            return *known[i].one;
    return (struct bench_endorsement){0};
}

static void supply(const struct bench *b, const struct bench_chip *chip, struct attestd_job *job)
{
    const struct attestd_need *open;
    struct attestd_need needs[16];
    size_t count = attestd_job_needs(job, &open);
    bench_must(count <= 16, "counting needs");
    memcpy(needs, open, count * sizeof *needs);
    for (size_t i = 0; i < count; i++) {
        const struct bench_endorsement found = endorsement(b, chip, needs[i].kind);
        const struct attestd_supply one = {
            .bytes = {found.der.data, found.der.len}, .source = "cache", .fetched = b->time, .sha256 = found.sha256};
        if (one.bytes.len && !needs[i].after_reject)
            attestd_job_supply(job, needs[i].kind, needs[i].key, &one);
        else
            attestd_job_absent(job, needs[i].kind, needs[i].key, "not simulated");
    }
}

static struct attestd_job *appraise(const struct bench *b, const struct bench_chip *chip, const struct attestd_request *request)
{
    struct attestd_job *job = attestd_job_new(b->engine, request, attestd_policy_view(b->policy), b->anchors, NULL);
    int state;
    while ((state = attestd_job_run(job, b->time)) == ATTESTD_PENDING)
        supply(b, chip, job);
    const struct attestd_result *result = attestd_job_result(job);
    if (state != ATTESTD_DONE || !result->pieces[0].authentic || result->verdict != ATTESTD_WARNING) {
        struct attestd_text text = {0};
        attestd_result_print(&text, result, false, true);
        fputs(text.data, stderr);
        bench_must(false, "appraisal");
    }
    return job;
}

static void warm_once(void *context, unsigned turn)
{
    const struct bench *b = context;
    const struct bench_chip *chip = &b->chips[turn % WARM_CHIPS];
    attestd_job_free(appraise(b, chip, &chip->request));
}

/* The same from the request's text to the answer's. */
static void texts_once(void *context, unsigned turn)
{
    struct bench *b = context;
    const struct bench_chip *chip = &b->chips[turn % WARM_CHIPS];
    struct attestd_arena *arena = attestd_arena_new();
    struct attestd_request request = {0};
    struct attestd_request_fault fault;
    bench_must(attestd_request_read_json(arena, b->engine, chip->body, strlen(chip->body), &request, &fault), "reading the request");
    struct attestd_job *job = appraise(b, chip, &request);
    b->answer.len = 0;
    struct attestd_json_writer w = attestd_json_writer_to(&b->answer);
    attestd_json_open_map(&w, NULL);
    attestd_result_members(&w, attestd_job_result(job));
    attestd_json_close_map(&w);
    attestd_job_free(job);
    attestd_arena_free(arena);
}

/* Measures */

/* Each chip for the first time, and nothing remembered of its vendor: five certificates and lists parsed, three RSA-4096 and one P-384
 * signature checked. */
static double cold_rate(struct bench *b, unsigned round)
{
    int64_t spent = 0;
    for (unsigned i = 0; i < COLD_CHIPS; i++) {
        const struct bench_chip *chip = &b->chips[WARM_CHIPS + round * COLD_CHIPS + i];
        attestd_engine_memo_drop(b->engine);
        int64_t start = bench_clock();
        attestd_job_free(appraise(b, chip, &chip->request));
        spent += bench_clock() - start;
    }
    return COLD_CHIPS * 1e9 / (double)spent;
}

static double tables_rate(struct bench *b, unsigned milliseconds)
{
    attestd_key_tables_enable(true, 64);
    for (unsigned i = 0; i < 17 * WARM_CHIPS; i++) /* so that each key has earned its table, whatever it has counted so far */
        warm_once(b, i);
    double rate = bench_rate(warm_once, b, milliseconds);
    attestd_key_tables_enable(false, 0);
    return rate;
}

enum measure { P384, P256, WARM, TEXTS, COLD, TABLES, MEASURES };
static const char *const NAMES[MEASURES] = {"libcrypto_p384",           "libcrypto_p256", "appraise_warm",
                                            "appraise_warm_with_texts", "appraise_cold",  "appraise_warm_key_tables"};

static double measure_once(struct bench *b, enum measure which, unsigned round, unsigned milliseconds)
{
    switch (which) {
    case P384:
        return bench_libcrypto_rate("P-384", milliseconds);
    case P256:
        return bench_libcrypto_rate("P-256", milliseconds);
    case WARM:
        return bench_rate(warm_once, b, milliseconds);
    case TEXTS:
        return bench_rate(texts_once, b, milliseconds);
    case COLD:
        return cold_rate(b, round);
    default:
        return tables_rate(b, milliseconds);
    }
}

struct figure {
    double rate, share;
};

/* In short slices, in turn with libcrypto's, so that what else the machine does meets both alike. */
static struct figure measure(struct bench *b, enum measure which, unsigned round, unsigned milliseconds)
{
    unsigned slices = which == COLD ? 1 : SLICES;
    double rate = 0, yardstick = 0;
    for (unsigned i = 0; i < slices; i++) {
        yardstick += bench_libcrypto_rate("P-384", milliseconds / slices);
        rate += measure_once(b, which, round, milliseconds / slices);
    }
    return (struct figure){rate / slices, rate / yardstick};
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(const double *values, unsigned rounds)
{
    double sorted[ROUNDS_MAX];
    memcpy(sorted, values, rounds * sizeof *sorted);
    qsort(sorted, rounds, sizeof *sorted, by_size);
    return rounds % 2 ? sorted[rounds / 2] : (sorted[rounds / 2 - 1] + sorted[rounds / 2]) / 2;
}

static void print(double rates[MEASURES][ROUNDS_MAX], double shares[MEASURES][ROUNDS_MAX], unsigned measures, unsigned rounds)
{
    printf("{\"clock\":\"%s\",\"rounds\":%u", bench_clock_name(), rounds);
    for (unsigned m = 0; m < measures; m++) {
        printf(",\"%s\":{\"per_second\":%.1f,\"share_of_p384\":%.4f,\"rounds\":[", NAMES[m], median(rates[m], rounds),
               median(shares[m], rounds));
        for (unsigned r = 0; r < rounds; r++)
            printf("%s[%.1f,%.4f]", r ? "," : "", rates[m][r], shares[m][r]);
        printf("]}");
    }
    printf("}\n");
}

int main(int argc, char **argv)
{
    unsigned rounds = 5, milliseconds = 400, measures = MEASURES;
    const char *folder = NULL;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--rounds") == 0 && i + 1 < argc)
            rounds = (unsigned)strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--milliseconds") == 0 && i + 1 < argc)
            milliseconds = (unsigned)strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--yardstick") == 0)
            measures = P256 + 1;
        else if (strcmp(argv[i], "--wall") == 0)
            bench_use_wall_clock();
        else
            folder = argv[i];
    }
    if (rounds == 0 || rounds > ROUNDS_MAX || (!folder && measures == MEASURES)) {
        fprintf(stderr, "usage: bench-appraise [--rounds 1..%d] [--milliseconds N] [--yardstick] [--wall] FOLDER\n", ROUNDS_MAX);
        return 64;
    }
    struct bench b = {0};
    double rates[MEASURES][ROUNDS_MAX], shares[MEASURES][ROUNDS_MAX];
    if (measures == MEASURES)
        bench_make(&b, folder, rounds);
    for (unsigned round = 0; round < rounds; round++)
        for (unsigned m = 0; m < measures; m++) {
            const struct figure figure = measure(&b, (enum measure)m, round, milliseconds);
            rates[m][round] = figure.rate;
            shares[m][round] = figure.share;
        }
    print(rates, shares, measures, rounds);
    if (measures == MEASURES)
        bench_free(&b);
    return 0;
}
