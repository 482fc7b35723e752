/* SPDX-License-Identifier: Apache-2.0 */
/* Reference sets: one entry for all compared values, dates, the nearest entry in a failure, and speed with 100,000 values. */
#include "tests/policy/toy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static struct attestd_engine *engine;

static int set_up(void **state)
{
    (void)state;
    engine = toy_engine();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    attestd_engine_free(engine);
    return 0;
}

static struct toy_run appraise(const char *text, const struct toy_case *c)
{
    struct attestd_policy_set *set = toy_compile(engine, text);
    struct toy_run run = toy_appraise(engine, attestd_policy_set_at(set, 0), c);
    run.policy = attestd_policy_retain(attestd_policy_set_at(set, 0));
    attestd_policy_set_free(set);
    return run;
}

static void check_is(const struct toy_run *run, const char *label, const char *id, int outcome, const char *code, const char *says)
{
    const struct attestd_check_result *check = toy_check(run, label, id);
    if (check == NULL)
        fail_msg("%s was not recorded", id);
    if (check->outcome != outcome || (code == NULL) != (check->code == NULL) || (code != NULL && strcmp(code, check->code) != 0) ||
        (says != NULL && (check->expected == NULL || strstr(check->expected, says) == NULL)))
        fail_msg("%s: outcome %d, code %s, observed %s, expected %s", id, check->outcome, check->code, check->observed, check->expected);
}

#define POLICY "policy: p\nbinding: {layouts: [attestd-v1], data: {image: {in: images}}}\ntoy: {measurement: {in: images}}\n---\n"
#define SET                                                                                                                                \
    POLICY "reference_set: images\nvalues:\n"                                                                                              \
           "  - {label: new, toy.measurement: [aa01, aa11], image: [b1]}\n"                                                                \
           "  - {label: old, toy.measurement: [aa02], image: [b2], until: 1800000100}\n"                                                   \
           "  - {label: next, toy.measurement: [aa03], image: [b3], from: 1800000200}\n"                                                   \
           "  - {label: picky, toy.measurement: [aa04], image: [b4], toy.chip: [c4], toy.svn: [7]}\n"                                      \
           "  - {label: bare, image: [b5]}\n"

struct row {
    const char *measurement;
    uint8_t image;
    const char *more;
    int64_t time;
    const char *check, *code, *says; /* the check that fails; NULL: all match */
};

static void one_entry_must_meet_all_values_of_a_piece(void **state)
{
    static const struct row table[] = {
        {"aa01", 0xb1, "", TOY_TIME, NULL, NULL, "images: new"},
        {"aa11", 0xb1, "", TOY_TIME, NULL, NULL, "images: new"},
        {"AA01", 0xb1, "", TOY_TIME, NULL, NULL, "images: new"},
        {"aa02", 0xb2, "", TOY_TIME, NULL, NULL, "images: old"},
        {"aa01", 0xb2, "", TOY_TIME, "policy.reference_entry", "REFERENCE_ENTRY_MISMATCH", "differs in"},
        {"aa02", 0xb2, "", 1800000100, "toy.measurement", "TOY_MEASUREMENT_NOT_LISTED", "old ended 2027-01-15T08:01:40Z"},
        {"aa03", 0xb3, "", TOY_TIME, "toy.measurement", "TOY_MEASUREMENT_NOT_LISTED", "next begins"},
        {"aa03", 0xb3, "", 1800000200, NULL, NULL, "images: next"},
        {"ffff", 0xb1, "", TOY_TIME, "toy.measurement", "TOY_MEASUREMENT_NOT_LISTED", "nearest, new, differs in toy.measurement"},
        {"ffff", 0xff, "", TOY_TIME, "toy.measurement", "TOY_MEASUREMENT_NOT_LISTED", "(5 entries); none has this one"},
        {"aa04", 0xb4, "\nchip=c4\nsvn=7", TOY_TIME, NULL, NULL, "images: picky"},
        {"aa04", 0xb4, "\nchip=c5\nsvn=7", TOY_TIME, "policy.reference_entry", "REFERENCE_ENTRY_MISMATCH", "picky, differs in toy.chip"},
        {"aa04", 0xb4, "\nchip=c4", TOY_TIME, "policy.reference_entry", "REFERENCE_ENTRY_MISMATCH", "picky, differs in toy.svn"},
        {"aa01", 0xb5, "", TOY_TIME, "policy.reference_entry", "REFERENCE_ENTRY_MISMATCH", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        char lines[256];
        struct toy_case c = {.pieces = {{"cpu0", "toy", lines}},
                             .layout = "attestd-v1",
                             .data = {{"image", {&table[i].image, 1}}},
                             .data_count = 1,
                             .time = table[i].time};
        struct toy_run run;
        snprintf(lines, sizeof lines, "signature=good\nmeasurement=%s%s", table[i].measurement, table[i].more);
        run = appraise(SET, &c);
        if (table[i].check == NULL) {
            check_is(&run, "cpu0", "toy.measurement", ATTESTD_PASS, NULL, table[i].says);
            check_is(&run, NULL, "binding.data", ATTESTD_PASS, NULL, table[i].says);
            assert_int_equal(run.result->verdict, ATTESTD_AFFIRMING);
        } else {
            check_is(&run, "cpu0", table[i].check, ATTESTD_FAIL, table[i].code, table[i].says);
            assert_int_equal(run.result->verdict, ATTESTD_CONTRAINDICATED);
        }
        toy_free(&run);
    }
}

static void an_entry_that_does_not_give_the_compared_field_is_no_match(void **state)
{
    struct toy_run run = appraise("policy: p\nbinding: {layouts: [raw]}\ntoy: {measurement: {in: s}}\n---\n"
                                  "reference_set: s\nvalues: [{image: [aa]}, {toy.chip: [c1]}]\n",
                                  &(struct toy_case){.pieces = {{"cpu0", "toy", "signature=good\nmeasurement=aa01\nchip=c1"}}});
    (void)state;
    check_is(&run, "cpu0", "toy.measurement", ATTESTD_FAIL, "TOY_MEASUREMENT_NOT_LISTED", NULL);
    toy_free(&run);
}

static void a_missing_claim_is_no_match(void **state)
{
    struct toy_run run = appraise("policy: p\nbinding: {layouts: [raw]}\ntoy: {measurement: {in: s}, chip: {in: s}}\n---\n"
                                  "reference_set: s\nvalues: [{toy.measurement: aa01, toy.chip: [c1]}]\n",
                                  &(struct toy_case){.pieces = {{"cpu0", "toy", "signature=good\nmeasurement=aa01"}}});
    (void)state;
    check_is(&run, "cpu0", "toy.chip", ATTESTD_FAIL, "TOY_CHIP_NOT_LISTED", "differs in toy.chip");
    assert_string_equal(toy_check(&run, "cpu0", "toy.chip")->observed, "absent");
    toy_free(&run);
}

static void an_expired_set_has_its_own_code(void **state)
{
    static const char text[] = "policy: p\nbinding: {layouts: [raw]}\ntoy: {measurement: {in: s}}\n---\n"
                               "reference_set: s\nexpires: 1800000100\nvalues: [{toy.measurement: aa01}]\n";
    struct toy_case c = {.pieces = {{"cpu0", "toy", "signature=good\nmeasurement=aa01"}}, .time = 1800000099};
    struct toy_run run = appraise(text, &c);
    (void)state;
    assert_int_equal(run.result->verdict, ATTESTD_AFFIRMING);
    assert_int_equal(run.result->not_after, 1800000100);
    toy_free(&run);
    c.time = 1800000100;
    run = appraise(text, &c);
    check_is(&run, "cpu0", "policy.reference_entry", ATTESTD_FAIL, "REFERENCE_SET_EXPIRED", NULL);
    assert_int_equal(run.result->verdict, ATTESTD_CONTRAINDICATED);
    toy_free(&run);
}

/* A policy over a set of `count` chips and measurements, as JSON Lines. */
static struct attestd_policy_set *big_policy(size_t count)
{
    static const char policy[] = "policy: p\nbinding: {layouts: [raw]}\ntoy: {measurement: {in: fleet}, chip: {in: fleet}}\n";
    size_t size = count * 256 + 64, len = 0;
    char *lines = malloc(size);
    struct attestd_policy_fault faults[2];
    struct attestd_policy_set *set;
    size_t faulty;
    len += (size_t)snprintf(lines, size, "{\"reference_set\": \"fleet\"}\n");
    for (size_t i = 0; i < count; i++)
        len += (size_t)snprintf(lines + len, size - len, "{\"label\":\"n%zu\",\"toy.chip\":[\"%0128zx\"],\"toy.measurement\":\"%08zx\"}\n",
                                i, i, i % 50);
    struct attestd_policy_file files[] = {{"p.yaml", policy, sizeof policy - 1}, {"fleet.jsonl", lines, len}};
    set = attestd_policy_compile(engine, NULL, files, 2, false, NULL, NULL, faults, 2, &faulty);
    free(lines);
    if (set == NULL)
        fail_msg("%s:%u %s", faults[0].file, faults[0].line, faults[0].message);
    return set;
}

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* The policy's own share of an appraisal, as the job measures it: the least of many, since the machine has other work. */
static double least_policy_seconds(const struct attestd_policy *policy, const char *lines, enum attestd_verdict verdict)
{
    double least = 1;
    for (int i = 0; i < 50; i++) {
        struct toy_run run = toy_appraise(engine, policy, &(struct toy_case){.pieces = {{"cpu0", "toy", lines}}});
        double spent = (double)attestd_job_timing(run.job).policy_ns / 1e9;
        assert_int_equal(run.result->verdict, verdict);
        least = spent < least ? spent : least;
        toy_free(&run);
    }
    return least;
}

static void a_hundred_thousand_values_do_not_slow_a_policy_down(void **state)
{
    double start = seconds_now(), compiled, small_pass, big_pass, big_fail;
    struct attestd_policy_set *small = big_policy(100), *big;
    char good[512], bad[512];
    (void)state;
    big = big_policy(100000);
    compiled = seconds_now() - start;
    /* number 99 is in both sets; its measurement stands in a fiftieth of all entries */
    snprintf(good, sizeof good, "signature=good\nchip=%0128x\nmeasurement=%08x", 99, 99 % 50);
    snprintf(bad, sizeof bad, "signature=good\nchip=%0128x\nmeasurement=%08x", 0xffffff, 99 % 50);
    small_pass = least_policy_seconds(attestd_policy_set_at(small, 0), good, ATTESTD_AFFIRMING);
    big_pass = least_policy_seconds(attestd_policy_set_at(big, 0), good, ATTESTD_AFFIRMING);
    big_fail = least_policy_seconds(attestd_policy_set_at(big, 0), bad, ATTESTD_CONTRAINDICATED);
    print_message("compiled 100,000 entries in %.2f s; decide: 100 entries %.1f us, 100,000 entries %.1f us, no match %.1f us\n", compiled,
                  small_pass * 1e6, big_pass * 1e6, big_fail * 1e6);
#ifndef ATTESTD_SANITIZED
    assert_true(big_pass < 20e-6);
    assert_true(big_fail < 20e-6);
#endif
    attestd_policy_set_free(small);
    attestd_policy_set_free(big);
}

static void a_large_set_keeps_its_digest_through_the_canonical_form(void **state)
{
    struct attestd_policy_set *set = big_policy(2000);
    struct attestd_policy *policy = attestd_policy_set_at(set, 0), *again;
    struct attestd_bytes canonical = attestd_policy_canonical(policy);
    struct attestd_policy_fault fault = {0};
    (void)state;
    again = attestd_policy_from_canonical(engine, (const char *)canonical.data, canonical.len, &fault);
    assert_non_null(again);
    assert_memory_equal(attestd_policy_digest(again), attestd_policy_digest(policy), 32);
    attestd_policy_free(again);
    attestd_policy_set_free(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_entry_must_meet_all_values_of_a_piece),
        cmocka_unit_test(an_entry_that_does_not_give_the_compared_field_is_no_match),
        cmocka_unit_test(a_missing_claim_is_no_match),
        cmocka_unit_test(an_expired_set_has_its_own_code),
        cmocka_unit_test(a_hundred_thousand_values_do_not_slow_a_policy_down),
        cmocka_unit_test(a_large_set_keeps_its_digest_through_the_canonical_form),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
