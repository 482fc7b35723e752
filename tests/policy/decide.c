/* SPDX-License-Identifier: Apache-2.0 */
/* From evidence through appraise() to verdict, vector and score, under policies of every kind. */
#include "core/jwk.h"
#include "tests/policy/toy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define GOOD "signature=good\ndebug=false\nrevocation=good\nmeasurement=aa01\nchip=c1"
#define COMPARED "toy: {measurement: [aa01]}\n"

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

/* Appraises under the policy `name` of the text. */
static struct toy_run appraise(const char *text, const struct toy_case *c)
{
    struct attestd_policy_set *set = toy_compile(engine, text);
    struct toy_run run = toy_appraise(engine, attestd_policy_set_at(set, 0), c);
    run.policy = attestd_policy_retain(attestd_policy_set_at(set, 0)); /* the result borrows its lines */
    attestd_policy_set_free(set);
    return run;
}

static void check_is(const struct toy_run *run, const char *label, const char *id, int outcome, const char *code)
{
    const struct attestd_check_result *check = toy_check(run, label, id);
    if (check == NULL)
        fail_msg("%s was not recorded", id);
    if (check->outcome != outcome || (code == NULL) != (check->code == NULL) || (code != NULL && strcmp(code, check->code) != 0))
        fail_msg("%s: outcome %d, code %s, observed %s, expected %s", id, check->outcome, check->code, check->observed, check->expected);
}

struct row {
    const char *what, *policy, *lines;
    enum attestd_verdict verdict;
    const char *check; /* of cpu0 */
    int outcome;
    const char *code;
    int32_t mode;
    int claim;
    int8_t value; /* of the vector */
};

static void verdict_and_vector_follow_outcome_and_mode(void **state)
{
    static const struct row table[] = {
        {"all is well", COMPARED, GOOD, ATTESTD_AFFIRMING, "toy.debug", ATTESTD_PASS, NULL, ATTESTD_STRICT, ATTESTD_CONFIGURATION, 3},
        {"executables are affirmed by the comparison", COMPARED, GOOD, ATTESTD_AFFIRMING, "toy.measurement", ATTESTD_PASS, NULL,
         ATTESTD_STRICT, ATTESTD_EXECUTABLES, 3},
        {"debug fails strictly", COMPARED, "signature=good\ndebug=true\nmeasurement=aa01", ATTESTD_CONTRAINDICATED, "toy.debug",
         ATTESTD_FAIL, "TOY_DEBUG_ALLOWED", ATTESTD_STRICT, ATTESTD_CONFIGURATION, 96},
        {"the same in warn mode", COMPARED "checks: {toy.debug: warn}\n", "signature=good\ndebug=true\nmeasurement=aa01", ATTESTD_WARNING,
         "toy.debug", ATTESTD_FAIL, "TOY_DEBUG_ALLOWED", ATTESTD_WARN, ATTESTD_CONFIGURATION, 32},
        {"the same disabled", COMPARED "checks: {toy.debug: disabled}\n", "signature=good\ndebug=true\nmeasurement=aa01", ATTESTD_AFFIRMING,
         "toy.debug", ATTESTD_FAIL, "TOY_DEBUG_ALLOWED", ATTESTD_DISABLED, ATTESTD_CONFIGURATION, 0},
        {"descriptor's own warn mode", COMPARED, GOOD "\nsmt=true", ATTESTD_WARNING, "toy.smt", ATTESTD_FAIL, "TOY_SMT_ALLOWED",
         ATTESTD_WARN, ATTESTD_CONFIGURATION, 32},
        {"defaults stand over the descriptor's mode", COMPARED "defaults: {mode: strict}\n", GOOD "\nsmt=true", ATTESTD_CONTRAINDICATED,
         "toy.smt", ATTESTD_FAIL, "TOY_SMT_ALLOWED", ATTESTD_STRICT, ATTESTD_CONFIGURATION, 96},
        {"the worst of two checks is the claim's value", COMPARED, "signature=good\ndebug=true\nsmt=true\nmeasurement=aa01",
         ATTESTD_CONTRAINDICATED, "toy.smt", ATTESTD_FAIL, "TOY_SMT_ALLOWED", ATTESTD_WARN, ATTESTD_CONFIGURATION, 96},
        {"unavailable in warn mode counts as failed", COMPARED "checks: {toy.revocation: warn}\n",
         "signature=good\nrevocation=unavailable\nmeasurement=aa01", ATTESTD_WARNING, "toy.revocation", ATTESTD_UNAVAILABLE,
         "TOY_REVOCATION_UNAVAILABLE", ATTESTD_WARN, ATTESTD_HARDWARE, 32},
        {"a skipped check is never a pass", COMPARED, "signature=good\ndebug=skipped\nmeasurement=aa01", ATTESTD_WARNING, "toy.debug",
         ATTESTD_SKIPPED, NULL, ATTESTD_STRICT, ATTESTD_CONFIGURATION, 0},
        {"a measurement that is not listed", COMPARED, "signature=good\nmeasurement=aa02", ATTESTD_CONTRAINDICATED, "toy.measurement",
         ATTESTD_FAIL, "TOY_MEASUREMENT_NOT_LISTED", ATTESTD_STRICT, ATTESTD_EXECUTABLES, 33},
        {"a measurement that is absent", COMPARED, "signature=good", ATTESTD_CONTRAINDICATED, "toy.measurement", ATTESTD_FAIL,
         "TOY_MEASUREMENT_NOT_LISTED", ATTESTD_STRICT, ATTESTD_EXECUTABLES, 33},
        {"hexadecimal is compared in either case", "toy: {measurement: [AA01]}\n", GOOD, ATTESTD_AFFIRMING, "toy.measurement", ATTESTD_PASS,
         NULL, ATTESTD_STRICT, ATTESTD_EXECUTABLES, 3},
        {"nothing was compared", "", GOOD, ATTESTD_WARNING, "policy.reference_values", ATTESTD_FAIL, "NOTHING_COMPARED", ATTESTD_WARN,
         ATTESTD_EXECUTABLES, 0},
        {"only what says nothing of software was compared", "toy: {chip: [c1]}\n", GOOD, ATTESTD_WARNING, "policy.reference_values",
         ATTESTD_FAIL, "NOTHING_COMPARED", ATTESTD_WARN, ATTESTD_INSTANCE_IDENTITY, 2},
        {"a claim that is no reference does not count", "toy: {host_data: [dd]}\n", GOOD "\nhost_data=dd", ATTESTD_WARNING,
         "policy.reference_values", ATTESTD_FAIL, "NOTHING_COMPARED", ATTESTD_WARN, ATTESTD_EXECUTABLES, 0},
        {"nothing compared, strictly", "checks: {policy.reference_values: strict}\n", GOOD, ATTESTD_CONTRAINDICATED,
         "policy.reference_values", ATTESTD_FAIL, "NOTHING_COMPARED", ATTESTD_STRICT, ATTESTD_EXECUTABLES, 33},
        {"a disabled comparison is none", COMPARED "checks: {toy.measurement: disabled}\n", GOOD, ATTESTD_WARNING,
         "policy.reference_values", ATTESTD_FAIL, "NOTHING_COMPARED", ATTESTD_WARN, ATTESTD_EXECUTABLES, 0},
        {"a plugin compares by itself", "", GOOD "\nrim=good", ATTESTD_AFFIRMING, "policy.reference_values", ATTESTD_PASS, NULL,
         ATTESTD_WARN, ATTESTD_EXECUTABLES, 3},
        {"several registers, one check", "toy: {rtmr: {0: [a0], 1: [a1]}}\n", GOOD "\nrtmr.0=a0\nrtmr.1=a1", ATTESTD_AFFIRMING, "toy.rtmr",
         ATTESTD_PASS, NULL, ATTESTD_STRICT, ATTESTD_EXECUTABLES, 3},
        {"several registers, one wrong", "toy: {rtmr: {0: [a0], 1: [a1]}}\n", GOOD "\nrtmr.0=a0\nrtmr.1=ff", ATTESTD_CONTRAINDICATED,
         "toy.rtmr", ATTESTD_FAIL, "TOY_RTMR_NOT_LISTED", ATTESTD_STRICT, ATTESTD_EXECUTABLES, 33},
        {"a bad signature", COMPARED, "signature=bad\ndebug=false\nmeasurement=aa01", ATTESTD_CONTRAINDICATED, "toy.signature",
         ATTESTD_FAIL, "TOY_SIGNATURE_INVALID", ATTESTD_STRICT, ATTESTD_CONFIGURATION, 99},
        {"claims of a bad signature are compared with nothing", COMPARED, "signature=bad\nmeasurement=aa01", ATTESTD_CONTRAINDICATED,
         "toy.measurement", ATTESTD_SKIPPED, NULL, ATTESTD_STRICT, ATTESTD_EXECUTABLES, 99},
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        const struct row *row = &table[i];
        char text[1024];
        struct toy_run run;
        const struct attestd_check_result *check;
        snprintf(text, sizeof text, "policy: p\nbinding: {layouts: [raw]}\n%s", row->policy);
        run = appraise(text, &(struct toy_case){.pieces = {{"cpu0", "toy", row->lines}}});
        check = toy_check(&run, "cpu0", row->check);
        if (run.result->verdict != row->verdict)
            fail_msg("%s: verdict %s", row->what, attestd_verdict_name(run.result->verdict));
        if (check == NULL || check->mode != row->mode)
            fail_msg("%s: mode of %s", row->what, row->check);
        check_is(&run, "cpu0", row->check, row->outcome, row->code);
        if (toy_piece(&run, "cpu0")->vector[row->claim] != row->value)
            fail_msg("%s: %d instead of %d", row->what, toy_piece(&run, "cpu0")->vector[row->claim], row->value);
        toy_free(&run);
    }
}

static void strict_and_unavailable_is_no_verdict_unless_something_failed(void **state)
{
    struct toy_run run =
        appraise("policy: p\nbinding: {layouts: [raw]}\n" COMPARED,
                 &(struct toy_case){.pieces = {{"cpu0", "toy", "signature=good\nrevocation=unavailable\nmeasurement=aa01"}}});
    (void)state;
    assert_true(run.result->unavailable);
    assert_int_equal(run.result->verdict, ATTESTD_CONTRAINDICATED);
    toy_free(&run);
    run = appraise("policy: p\nbinding: {layouts: [raw]}\n" COMPARED,
                   &(struct toy_case){.pieces = {{"cpu0", "toy", "signature=good\nrevocation=unavailable\nmeasurement=ffff"}}});
    assert_false(run.result->unavailable);
    assert_int_equal(run.result->verdict, ATTESTD_CONTRAINDICATED);
    toy_free(&run);
}

static void an_exception_warns_until_its_date_and_the_result_ends_with_it(void **state)
{
    static const char text[] =
        "policy: p\nbinding: {layouts: [raw]}\n" COMPARED "checks: {toy.debug: {mode: warn, until: 1800000100, reason: r, owner: o}}\n";
    struct toy_case c = {.pieces = {{"cpu0", "toy", "signature=good\ndebug=true\nmeasurement=aa01"}}, .time = 1800000099};
    struct toy_run run = appraise(text, &c);
    (void)state;
    assert_int_equal(run.result->verdict, ATTESTD_WARNING);
    assert_int_equal(run.result->not_after, 1800000100);
    assert_string_equal(toy_check(&run, "cpu0", "toy.debug")->policy_line, "test.yaml:4");
    toy_free(&run);
    c.time = 1800000100;
    run = appraise(text, &c);
    assert_int_equal(run.result->verdict, ATTESTD_CONTRAINDICATED);
    toy_free(&run);
}

static void the_score_counts_failed_warn_checks_by_weight(void **state)
{
    static const struct {
        const char *policy;
        int32_t score;
        enum attestd_verdict verdict;
    } table[] = {
        {"", 80, ATTESTD_WARNING},
        {"weights: {toy.smt: 5, toy.debug: 0}\n", 95, ATTESTD_WARNING},
        {"weights: {toy.smt: 100, toy.debug: 100}\n", 0, ATTESTD_WARNING},
        {"score: {contraindicated_below: 80}\n", 80, ATTESTD_WARNING},
        {"score: {contraindicated_below: 81}\n", 80, ATTESTD_CONTRAINDICATED},
        {"weights: {toy.smt: 0, toy.debug: 0}\nscore: {contraindicated_below: 100}\n", 100, ATTESTD_WARNING},
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        char text[1024];
        struct toy_run run;
        snprintf(text, sizeof text, "policy: p\nbinding: {layouts: [raw]}\n" COMPARED "checks: {toy.debug: warn}\n%s", table[i].policy);
        run = appraise(text, &(struct toy_case){.pieces = {{"cpu0", "toy", "signature=good\ndebug=true\nsmt=true\nmeasurement=aa01"}}});
        assert_int_equal(run.result->score, table[i].score);
        if (run.result->verdict != table[i].verdict)
            fail_msg("%s -> %s", table[i].policy, attestd_verdict_name(run.result->verdict));
        if (table[i].verdict == ATTESTD_CONTRAINDICATED) {
            check_is(&run, NULL, "policy.score", ATTESTD_FAIL, "SCORE_TOO_LOW");
            assert_int_equal(toy_piece(&run, "cpu0")->verdict, ATTESTD_CONTRAINDICATED);
        }
        toy_free(&run);
    }
}

static void dates_of_the_policy_bound_its_verdicts(void **state)
{
    static const char text[] = "policy: p\nbinding: {layouts: [raw]}\nvalid: {from: 1800000000, until: 1800000100}\n" COMPARED;
    static const struct {
        int64_t time;
        int outcome;
        const char *code;
    } table[] = {{1799999999, ATTESTD_FAIL, "POLICY_NOT_YET_VALID"},
                 {1800000000, ATTESTD_PASS, NULL},
                 {1800000099, ATTESTD_PASS, NULL},
                 {1800000100, ATTESTD_FAIL, "POLICY_EXPIRED"}};
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct toy_run run = appraise(text, &(struct toy_case){.pieces = {{"cpu0", "toy", GOOD}}, .time = table[i].time});
        check_is(&run, NULL, "policy.valid", table[i].outcome, table[i].code);
        assert_int_equal(run.result->verdict, table[i].code == NULL ? ATTESTD_AFFIRMING : ATTESTD_CONTRAINDICATED);
        toy_free(&run);
    }
}

static void freshness_is_what_the_policy_demands(void **state)
{
    static const struct {
        const char *demand;
        enum attestd_freshness source;
        int64_t age;
        const char *check;
        int outcome;
        const char *code;
    } table[] = {
        {"{challenge: required}", ATTESTD_FRESH_CHALLENGE, 1, "freshness.source", ATTESTD_PASS, NULL},
        {"{challenge: required}", ATTESTD_FRESH_EXTERNAL, 0, "freshness.source", ATTESTD_FAIL, "FRESHNESS_CHALLENGE_REQUIRED"},
        {"{challenge: external}", ATTESTD_FRESH_EXTERNAL, 0, "freshness.source", ATTESTD_PASS, NULL},
        {"{challenge: external}", ATTESTD_FRESH_CHALLENGE, 1, "freshness.source", ATTESTD_PASS, NULL},
        {"{}", ATTESTD_FRESH_NONE, 0, "freshness.source", ATTESTD_FAIL, "FRESHNESS_NONCE_REQUIRED"},
        {"{challenge: none}", ATTESTD_FRESH_NONE, 0, "freshness.source", ATTESTD_PASS, NULL},
        {"{max_age: 60s}", ATTESTD_FRESH_CHALLENGE, 60, "freshness.age", ATTESTD_PASS, NULL},
        {"{max_age: 60s}", ATTESTD_FRESH_CHALLENGE, 61, "freshness.age", ATTESTD_FAIL, "NONCE_TOO_OLD"},
        {"{max_age: 60s}", ATTESTD_FRESH_EXTERNAL, 0, "freshness.age", ATTESTD_FAIL, "NONCE_AGE_UNKNOWN"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        char text[512];
        struct toy_run run;
        snprintf(text, sizeof text, "policy: p\nbinding: {layouts: [raw]}\nfreshness: %s\n" COMPARED, table[i].demand);
        run = appraise(text, &(struct toy_case){.pieces = {{"cpu0", "toy", GOOD}},
                                                .freshness = table[i].source,
                                                .no_nonce = table[i].source == ATTESTD_FRESH_NONE,
                                                .nonce_age = table[i].age});
        check_is(&run, NULL, table[i].check, table[i].outcome, table[i].code);
        toy_free(&run);
    }
}

static void without_a_nonce_to_compare_the_verdict_is_at_most_warning(void **state)
{
    struct toy_run run =
        appraise("policy: p\nbinding: {layouts: [raw], data: {image: [bb]}, key: required}\nfreshness: {max_age: 60}\n" COMPARED,
                 &(struct toy_case){.pieces = {{"cpu0", "toy", GOOD}}, .no_binding = true});
    (void)state;
    check_is(&run, NULL, "freshness.source", ATTESTD_SKIPPED, NULL);
    check_is(&run, NULL, "freshness.age", ATTESTD_SKIPPED, NULL);
    check_is(&run, NULL, "binding.key", ATTESTD_SKIPPED, NULL);
    check_is(&run, NULL, "binding.data", ATTESTD_SKIPPED, NULL);
    assert_int_equal(run.result->verdict, ATTESTD_WARNING);
    toy_free(&run);
}

static void layouts_that_the_policy_does_not_list_are_refused(void **state)
{
    struct toy_run run = appraise("policy: p\n" COMPARED, &(struct toy_case){.pieces = {{"cpu0", "toy", GOOD}}, .layout = "raw"});
    (void)state;
    check_is(&run, NULL, "binding.layout", ATTESTD_FAIL, "BINDING_LAYOUT_NOT_ALLOWED");
    assert_int_equal(run.result->verdict, ATTESTD_CONTRAINDICATED);
    toy_free(&run);
    run = appraise("policy: p\n" COMPARED, &(struct toy_case){.pieces = {{"cpu0", "toy", GOOD}}, .layout = "attestd-v1"});
    check_is(&run, NULL, "binding.layout", ATTESTD_PASS, NULL);
    assert_int_equal(run.result->verdict, ATTESTD_AFFIRMING);
    toy_free(&run);
}

static const struct attestd_jwk *some_key(struct attestd_arena *arena)
{
    static const char text[] = "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
                               "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}";
    json_t *json = attestd_json_read(text, sizeof text - 1, 4, NULL, 0);
    const char *error = NULL;
    const struct attestd_jwk *key = attestd_jwk_read(arena, json, &error);
    json_decref(json);
    assert_non_null(key);
    return key;
}

static void audience_and_key_are_demanded_of_policies_with_audiences(void **state)
{
    static const char text[] = "policy: p\ntoken: {audiences: [\"https://a.example\"]}\n" COMPARED;
    struct attestd_arena *arena = attestd_arena_new();
    struct toy_case c = {
        .pieces = {{"cpu0", "toy", GOOD}}, .layout = "attestd-v1", .audience = "https://a.example", .key = some_key(arena)};
    struct toy_run run = appraise(text, &c);
    (void)state;
    check_is(&run, NULL, "policy.audience", ATTESTD_PASS, NULL);
    check_is(&run, NULL, "binding.key", ATTESTD_PASS, NULL);
    assert_int_equal(run.result->verdict, ATTESTD_AFFIRMING);
    toy_free(&run);
    c.key = NULL;
    run = appraise(text, &c);
    check_is(&run, NULL, "binding.key", ATTESTD_FAIL, "BINDING_KEY_MISSING");
    assert_int_equal(run.result->verdict, ATTESTD_CONTRAINDICATED);
    toy_free(&run);
    c.audience = "https://b.example";
    run = appraise(text, &c);
    check_is(&run, NULL, "policy.audience", ATTESTD_FAIL, "POLICY_AUDIENCE_NOT_LISTED");
    toy_free(&run);
    attestd_arena_free(arena);
}

#define KINDS "binding: {layouts: [attestd-v1]}\n" COMPARED "tdev: {measurement: [dd01]}\n"
#define DEV "signature=good\nmeasurement=dd01\n"

static void required_kinds_are_counted_and_others_refused(void **state)
{
    static const struct {
        const char *require;
        struct toy_piece pieces[4];
        const char *check, *code;
    } table[] = {
        {"{cpu: {type: toy}, gpu: {type: tdev, count: 2, bound_to: cpu}}",
         {{"cpu0", "toy", GOOD}, {"gpu0", "tdev", DEV "a=0"}, {"gpu1", "tdev", DEV "a=1"}},
         "require.count",
         NULL},
        {"{cpu: {type: toy}, gpu: {type: tdev, count: 2}}",
         {{"cpu0", "toy", GOOD}, {"gpu0", "tdev", DEV}},
         "require.count",
         "REQUIRED_COUNT_MISMATCH"},
        {"{cpu: {type: toy}, gpu: {type: tdev, count: {at_least: 1, at_most: 3}}}",
         {{"cpu0", "toy", GOOD}, {"gpu0", "tdev", DEV}},
         "require.count",
         NULL},
        {"{cpu: {type: toy}, gpu: {type: tdev}}", {{"cpu0", "toy", GOOD}}, "require.missing", "REQUIRED_EVIDENCE_MISSING"},
        {"{cpu: {type: toy}, gpu: {type: tdev, count: {at_least: 0}}}", {{"cpu0", "toy", GOOD}}, "require.missing", NULL},
        {"{cpu: {any_of: [tdev, toy]}}", {{"cpu0", "toy", GOOD}}, "require.missing", NULL},
        {"{cpu: {type: toy}}", {{"cpu0", "toy", GOOD}, {"gpu0", "tdev", DEV}}, "require.unexpected", "EVIDENCE_NOT_ASKED_FOR"},
        {"{cpu: {type: toy}}", {{"cpu0", "toy", GOOD}}, "require.unexpected", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        char text[512];
        struct toy_case c = {.layout = "attestd-v1"};
        struct toy_run run;
        memcpy(c.pieces, table[i].pieces, sizeof table[i].pieces);
        snprintf(text, sizeof text, "policy: p\nrequire: %s\n" KINDS, table[i].require);
        run = appraise(text, &c);
        check_is(&run, NULL, table[i].check, table[i].code == NULL ? ATTESTD_PASS : ATTESTD_FAIL, table[i].code);
        if ((run.result->verdict == ATTESTD_AFFIRMING) != (table[i].code == NULL))
            fail_msg("%s: %s, first %s", table[i].require, attestd_verdict_name(run.result->verdict),
                     attestd_result_first_code(run.result));
        toy_free(&run);
    }
}

static void a_cross_check_lowers_every_piece(void **state)
{
    struct toy_case c = {.pieces = {{"cpu0", "toy", GOOD}, {"gpu0", "tdev", DEV}}, .layout = "attestd-v1"};
    struct toy_run run = appraise("policy: p\nrequire: {cpu: {type: toy}}\nchecks: {require.unexpected: warn}\n" KINDS, &c);
    (void)state;
    assert_int_equal(run.result->verdict, ATTESTD_WARNING);
    assert_int_equal(toy_piece(&run, "cpu0")->verdict, ATTESTD_WARNING);
    assert_int_equal(toy_piece(&run, "gpu0")->verdict, ATTESTD_WARNING);
    toy_free(&run);
    run = appraise("policy: p\nrequire: {cpu: {type: toy}}\n" KINDS, &c);
    assert_int_equal(toy_piece(&run, "cpu0")->verdict, ATTESTD_CONTRAINDICATED);
    toy_free(&run);
}

static void the_whole_is_the_worst_of_its_pieces(void **state)
{
    struct toy_case c = {.pieces = {{"cpu0", "toy", GOOD}, {"gpu0", "tdev", "signature=good\nmeasurement=ffff"}}, .layout = "attestd-v1"};
    struct toy_run run = appraise("policy: p\n" KINDS, &c);
    (void)state;
    assert_int_equal(toy_piece(&run, "cpu0")->verdict, ATTESTD_AFFIRMING);
    assert_int_equal(toy_piece(&run, "gpu0")->verdict, ATTESTD_CONTRAINDICATED);
    assert_int_equal(run.result->verdict, ATTESTD_CONTRAINDICATED);
    toy_free(&run);
}

static void bound_data_must_be_what_the_policy_lists(void **state)
{
    static const uint8_t good[] = {0xbb, 0x01}, bad[] = {0xbb, 0x02};
    static const char text[] = "policy: p\nbinding: {data: {image: [BB01]}}\n" COMPARED;
    struct toy_case c = {.pieces = {{"cpu0", "toy", GOOD}}, .layout = "attestd-v1", .data = {{"image", {good, 2}}}, .data_count = 1};
    struct toy_run run = appraise(text, &c);
    (void)state;
    check_is(&run, NULL, "binding.data", ATTESTD_PASS, NULL);
    assert_int_equal(run.result->verdict, ATTESTD_AFFIRMING);
    toy_free(&run);
    c.data[0].value.data = bad;
    run = appraise(text, &c);
    check_is(&run, NULL, "binding.data", ATTESTD_FAIL, "BINDING_DATA_NOT_IN_SET");
    assert_int_equal(run.result->verdict, ATTESTD_CONTRAINDICATED);
    toy_free(&run);
    c.data_count = 0;
    run = appraise(text, &c);
    check_is(&run, NULL, "binding.data", ATTESTD_FAIL, "BINDING_DATA_MISSING");
    toy_free(&run);
}

static void hardware_only_warns_at_best_and_refuses_debugging(void **state)
{
    struct attestd_policy *policy = attestd_policy_hardware_only(engine);
    struct toy_run run = toy_appraise(engine, policy, &(struct toy_case){.pieces = {{"cpu0", "toy", GOOD}}});
    (void)state;
    assert_int_equal(run.result->verdict, ATTESTD_WARNING);
    check_is(&run, "cpu0", "policy.reference_values", ATTESTD_FAIL, "NOTHING_COMPARED");
    assert_int_equal(toy_piece(&run, "cpu0")->vector[ATTESTD_EXECUTABLES], 0);
    toy_free(&run);
    run = toy_appraise(engine, policy, &(struct toy_case){.pieces = {{"cpu0", "toy", "signature=good\ndebug=true"}}});
    assert_int_equal(run.result->verdict, ATTESTD_CONTRAINDICATED);
    toy_free(&run);
    attestd_policy_free(policy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verdict_and_vector_follow_outcome_and_mode),
        cmocka_unit_test(strict_and_unavailable_is_no_verdict_unless_something_failed),
        cmocka_unit_test(an_exception_warns_until_its_date_and_the_result_ends_with_it),
        cmocka_unit_test(the_score_counts_failed_warn_checks_by_weight),
        cmocka_unit_test(dates_of_the_policy_bound_its_verdicts),
        cmocka_unit_test(freshness_is_what_the_policy_demands),
        cmocka_unit_test(without_a_nonce_to_compare_the_verdict_is_at_most_warning),
        cmocka_unit_test(layouts_that_the_policy_does_not_list_are_refused),
        cmocka_unit_test(audience_and_key_are_demanded_of_policies_with_audiences),
        cmocka_unit_test(required_kinds_are_counted_and_others_refused),
        cmocka_unit_test(a_cross_check_lowers_every_piece),
        cmocka_unit_test(the_whole_is_the_worst_of_its_pieces),
        cmocka_unit_test(bound_data_must_be_what_the_policy_lists),
        cmocka_unit_test(hardware_only_warns_at_best_and_refuses_debugging),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
