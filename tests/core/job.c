/* SPDX-License-Identifier: Apache-2.0 */
/* The run of a job: needs and their answers, defects of plugins, delegation, states, verdicts. */
#include "tests/core/appraisal.h"

#include "core/value.h"
#include "tests/core/mint.h"
#include "tests/core/script.h"

#include <openssl/crypto.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NONCE "0123456789abcdef"
#define GOOD "check parse pass\ncheck signature pass\ncheck soft pass\nclaim product Test\n"

static struct appraisal *one(const char *script)
{
    struct appraisal *t = appraisal_new();
    char whole[4096];

    appraisal_nonce(t, NONCE);
    t->request.piece_count = 1; /* D of one piece */
    snprintf(whole, sizeof whole, "%s", script);
    bind_line(&t->request, NULL, 0, whole, sizeof whole);
    t->request.piece_count = 0;
    appraisal_add(t, "cpu0", "script", whole);
    return t;
}

static const struct attestd_check_list *checks(const struct appraisal *t)
{
    return &t->result->pieces[0].checks;
}

static const char *claim(const struct appraisal *t, size_t piece, const char *path)
{
    const struct attestd_value *value = attestd_value_find(t->result->pieces[piece].claims, path);

    return value != NULL ? attestd_value_show(t->arena, value) : "";
}

static void good_evidence_is_affirming(void **state)
{
    (void)state;
    struct appraisal *t = one(GOOD);
    assert_int_equal(appraisal_run(t, TEST_TIME), ATTESTD_DONE);
    assert_int_equal(t->result->verdict, ATTESTD_AFFIRMING);
    assert_true(t->result->nonce_matched);
    assert_true(t->result->pieces[0].authentic);
    assert_int_equal(t->result->pieces[0].vector[ATTESTD_HARDWARE], 2);
    assert_int_equal(t->result->pieces[0].vector[ATTESTD_EXECUTABLES], 3);
    assert_string_equal(claim(t, 0, "script.product"), "Test");
    assert_check(&t->result->checks, "binding.nonce", ATTESTD_PASS, NULL);
    assert_null(attestd_result_first_code(t->result));
    appraisal_free(t);
}

static void a_failed_strict_check_contraindicates(void **state)
{
    (void)state;
    struct appraisal *t = one("check parse pass\ncheck signature pass\ncheck soft fail SCRIPT_SOFT\n");
    assert_int_equal(appraisal_run(t, TEST_TIME), ATTESTD_DONE);
    assert_int_equal(t->result->verdict, ATTESTD_CONTRAINDICATED);
    assert_true(t->result->pieces[0].authentic);
    assert_int_equal(t->result->pieces[0].vector[ATTESTD_EXECUTABLES], 33);
    assert_string_equal(attestd_result_first_code(t->result), "SCRIPT_SOFT");
    assert_string_equal(check_in(checks(t), "script.soft")->remedy, "Mend it.");
    appraisal_free(t);
}

static void a_failed_warn_check_warns_and_names_its_policy_line(void **state)
{
    (void)state;
    struct appraisal *t = one("check parse pass\ncheck signature pass\ncheck soft fail SCRIPT_SOFT\n");
    t->policy.modes[0].id = "script.soft";
    t->policy.modes[0].mode = ATTESTD_WARN;
    assert_int_equal(appraisal_run(t, TEST_TIME), ATTESTD_DONE);
    assert_int_equal(t->result->verdict, ATTESTD_WARNING);
    assert_string_equal(check_in(checks(t), "script.soft")->policy_line, "test.yaml:3");
    appraisal_free(t);
}

static void a_disabled_check_is_listed_and_named(void **state)
{
    (void)state;
    const char *ids[4];
    struct appraisal *t = one("check parse pass\ncheck signature pass\ncheck soft fail SCRIPT_SOFT\n");
    t->policy.modes[0].id = "script.soft";
    t->policy.modes[0].mode = ATTESTD_DISABLED;
    assert_int_equal(appraisal_run(t, TEST_TIME), ATTESTD_DONE);
    assert_int_equal(t->result->verdict, ATTESTD_AFFIRMING);
    assert_check(checks(t), "script.soft", ATTESTD_FAIL, "SCRIPT_SOFT");
    assert_int_equal(attestd_result_disabled(t->result, ids, 4), 1);
    assert_string_equal(ids[0], "script.soft");
    appraisal_free(t);
}

static void a_skipped_strict_check_is_never_a_pass(void **state)
{
    (void)state;
    struct appraisal *t = one("check parse pass\ncheck signature pass\ncheck soft skipped\n");
    assert_int_equal(appraisal_run(t, TEST_TIME), ATTESTD_DONE);
    assert_int_equal(t->result->verdict, ATTESTD_WARNING);
    assert_int_equal(t->result->pieces[0].vector[ATTESTD_EXECUTABLES], 0);
    appraisal_free(t);
}

static void a_broken_signature_makes_every_trust_claim_99_and_claims_unverified(void **state)
{
    (void)state;
    struct appraisal *t = one("check parse pass\ncheck signature fail SCRIPT_SIGNATURE_BAD\ncheck soft pass\nclaim product Test\n");
    assert_int_equal(appraisal_run(t, TEST_TIME), ATTESTD_DONE);
    assert_int_equal(t->result->verdict, ATTESTD_CONTRAINDICATED);
    assert_false(t->result->pieces[0].authentic);
    for (int i = 0; i < ATTESTD_TRUST_CLAIMS; i++)
        assert_int_equal(t->result->pieces[0].vector[i], 99);
    assert_check(&t->result->checks, "binding.nonce", ATTESTD_SKIPPED, NULL);
    assert_false(t->result->nonce_matched);
    struct attestd_text text = {0};
    struct attestd_json_writer writer = attestd_json_writer_to(&text);
    attestd_json_open_map(&writer, NULL);
    attestd_result_members(&writer, t->result);
    attestd_json_close_map(&writer);
    assert_non_null(strstr(text.data, "\"unverified\":{\"script\":{\"product\":\"Test\"}}"));
    assert_null(strstr(text.data, "\"claims\""));
    attestd_text_free(&text);
    appraisal_free(t);
}

static void a_failed_fixed_check_that_is_not_cryptographic_gives_no_affirming_claim(void **state)
{
    (void)state;
    struct appraisal *t = one("check parse fail SCRIPT_RESERVED\ncheck signature pass\ncheck soft pass\n");
    assert_int_equal(appraisal_run(t, TEST_TIME), ATTESTD_DONE);
    assert_int_equal(t->result->verdict, ATTESTD_CONTRAINDICATED);
    assert_int_equal(t->result->pieces[0].vector[ATTESTD_HARDWARE], 0);
    assert_int_equal(t->result->pieces[0].vector[ATTESTD_EXECUTABLES], 0);
    appraisal_free(t);
}

static void a_plugin_that_checks_nothing_is_not_believed(void **state)
{
    (void)state;
    struct appraisal *t = one("check soft pass\n");
    assert_int_equal(appraisal_run(t, TEST_TIME), ATTESTD_DONE);
    assert_check(checks(t), "plugin.record", ATTESTD_FAIL, "PLUGIN_NOTHING_CHECKED");
    assert_int_equal(t->result->verdict, ATTESTD_CONTRAINDICATED);
    appraisal_free(t);
}

static void defect(const char *script)
{
    struct appraisal *t = one(script);
    assert_int_equal(appraisal_run(t, TEST_TIME), ATTESTD_DONE);
    assert_check(checks(t), "plugin.record", ATTESTD_FAIL, "PLUGIN_DEFECT");
    assert_int_equal(t->result->verdict, ATTESTD_CONTRAINDICATED);
    appraisal_free(t);
}

static void defects_of_a_plugin_fail_plugin_record(void **state)
{
    (void)state;
    defect(GOOD "check soft pass\n");                                                /* twice */
    defect(GOOD "foreign\n");                                                        /* not in any catalogue */
    defect("check parse pass\ncheck signature pass\ncheck soft fail GADGET_SOFT\n"); /* another's code */
    defect("check parse pass\ncheck signature pass\ncheck soft fail\n");             /* no code */
    defect("check parse pass\ncheck signature pass\ncheck soft pass SCRIPT_SOFT\n"); /* a code for a pass */
    defect(GOOD "need vcek key\n");                                                  /* a kind it does not declare */
    defect(GOOD "need cert a:b\n");                                                  /* not a key */
    defect(GOOD "answer 7\n");
    defect(GOOD "bind 9 00\n");
}

static void malformed_evidence_is_named_with_its_place(void **state)
{
    (void)state;
    struct appraisal *t = one(GOOD "malformed SCRIPT_TRUNCATED\n");
    assert_int_equal(appraisal_run(t, TEST_TIME), ATTESTD_MALFORMED);
    assert_string_equal(t->result->pieces[0].malformed_code, "SCRIPT_TRUNCATED");
    assert_string_equal(t->result->pieces[0].malformed_part, "script");
    assert_int_equal(t->result->pieces[0].malformed_offset, 7);
    assert_int_equal(t->result->pieces[0].checks.count, 0);
    assert_int_equal(t->result->verdict, ATTESTD_CONTRAINDICATED);
    appraisal_free(t);
}

static void a_malformed_code_of_another_plugin_is_not_repeated(void **state)
{
    (void)state;
    struct appraisal *t = one(GOOD "malformed GADGET_TRUNCATED\n");
    assert_int_equal(appraisal_run(t, TEST_TIME), ATTESTD_MALFORMED);
    assert_string_equal(t->result->pieces[0].malformed_code, "EVIDENCE_MALFORMED");
    appraisal_free(t);
}

static void supply(struct appraisal *t, const char *kind, const char *key, const char *text, const char *source)
{
    struct attestd_supply candidate = {.bytes = {(const uint8_t *)text, strlen(text)}, .source = source, .fetched = 500};
    attestd_job_supply(t->job, kind, key, &candidate);
}

static void a_need_is_asked_once_and_its_answer_used(void **state)
{
    (void)state;
    const struct attestd_need *needs;
    struct appraisal *t = one(GOOD "need cert chip=1\nneed crl x\n");
    assert_int_equal(appraisal_run(t, TEST_TIME), ATTESTD_PENDING);
    assert_int_equal(attestd_job_needs(t->job, &needs), 2);
    assert_string_equal(needs[0].kind, "script.cert");
    assert_string_equal(needs[0].key, "chip=1");
    assert_false(needs[0].after_reject);
    supply(t, "script.cert", "chip=1", "fine", "vendor");
    assert_int_equal(attestd_job_needs(t->job, &needs), 1);
    assert_string_equal(needs[0].kind, "script.crl");
    assert_int_equal(appraisal_run(t, TEST_TIME), ATTESTD_PENDING); /* still waits for the list: not even run */
    assert_int_equal(script_runs, 1);
    supply(t, "script.crl", "x", "list", "cache");
    assert_int_equal(appraisal_run(t, TEST_TIME), ATTESTD_DONE);
    assert_int_equal(script_runs, 2);
    assert_int_equal(t->result->verdict, ATTESTD_AFFIRMING);
    assert_int_equal(t->result->endorsement_count, 2);
    assert_string_equal(t->result->endorsements[0].source, "vendor");
    assert_int_equal(t->result->endorsements[1].next_update, 5000);
    assert_int_equal(t->result->not_after, 5000);
    assert_check(checks(t), "endorsements.source", ATTESTD_PASS, NULL);
    appraisal_free(t);
}

static void a_rejected_candidate_asks_the_next_source(void **state)
{
    (void)state;
    const struct attestd_need *needs;
    const struct attestd_endorsement_use *uses;
    struct appraisal *t = one(GOOD "need cert k\n");
    assert_int_equal(appraisal_run(t, TEST_TIME), ATTESTD_PENDING);
    supply(t, "script.cert", "k", "bad one", "cache");
    assert_int_equal(appraisal_run(t, TEST_TIME), ATTESTD_PENDING);
    assert_int_equal(attestd_job_needs(t->job, &needs), 1);
    assert_true(needs[0].after_reject);
    assert_int_equal(needs[0].rejected, 1);
    supply(t, "script.cert", "k", "good one", "vendor");
    assert_int_equal(appraisal_run(t, TEST_TIME), ATTESTD_DONE);
    assert_int_equal(t->result->verdict, ATTESTD_AFFIRMING);
    assert_int_equal(attestd_job_endorsements(t->job, &uses), 2);
    assert_int_equal(uses[0].state, ATTESTD_ENDORSEMENT_ACCEPTED);
    assert_string_equal(uses[0].source, "vendor");
    assert_int_equal(uses[1].state, ATTESTD_ENDORSEMENT_REJECTED);
    assert_string_equal(uses[1].reject_code, "BAD");
    assert_int_equal(t->result->endorsement_count, 1);
    appraisal_free(t);
}

static void an_absent_endorsement_in_strict_mode_gives_no_verdict(void **state)
{
    (void)state;
    struct appraisal *t = one(GOOD "need crl k\n");
    assert_int_equal(appraisal_run(t, TEST_TIME), ATTESTD_PENDING);
    attestd_job_absent(t->job, "script.crl", "k", "the vendor does not answer");
    assert_int_equal(appraisal_run(t, TEST_TIME), ATTESTD_DONE);
    assert_true(t->result->unavailable);
    assert_int_equal(t->result->verdict, ATTESTD_CONTRAINDICATED);
    assert_check(checks(t), "script.list", ATTESTD_UNAVAILABLE, "SCRIPT_LIST_MISSING");
    assert_string_equal(check_in(checks(t), "script.list")->observed, "the vendor does not answer");
    appraisal_free(t);
}

static void an_absent_endorsement_beside_a_failed_strict_check_is_contraindicated(void **state)
{
    (void)state;
    struct appraisal *t = one("check parse pass\ncheck signature pass\ncheck soft fail SCRIPT_SOFT\nneed crl k\n");
    assert_int_equal(appraisal_run(t, TEST_TIME), ATTESTD_PENDING);
    attestd_job_absent(t->job, "script.crl", "k", "gone");
    assert_int_equal(appraisal_run(t, TEST_TIME), ATTESTD_DONE);
    assert_false(t->result->unavailable);
    assert_int_equal(t->result->verdict, ATTESTD_CONTRAINDICATED);
    appraisal_free(t);
}

static void an_absent_endorsement_in_warn_mode_counts_as_failed(void **state)
{
    (void)state;
    struct appraisal *t = one(GOOD "need crl k\n");
    t->policy.modes[0].id = "script.list";
    t->policy.modes[0].mode = ATTESTD_WARN;
    assert_int_equal(appraisal_run(t, TEST_TIME), ATTESTD_PENDING);
    attestd_job_absent(t->job, "script.crl", "k", "gone");
    assert_int_equal(appraisal_run(t, TEST_TIME), ATTESTD_DONE);
    assert_false(t->result->unavailable);
    assert_int_equal(t->result->verdict, ATTESTD_WARNING);
    appraisal_free(t);
}

static void a_list_enclosed_by_the_attester_warns(void **state)
{
    (void)state;
    struct appraisal *t = one(GOOD "offer crl k mine\n");
    assert_int_equal(appraisal_run(t, TEST_TIME), ATTESTD_DONE);
    assert_check(checks(t), "endorsements.source", ATTESTD_FAIL, "ENDORSEMENT_FROM_EVIDENCE");
    assert_int_equal(t->result->verdict, ATTESTD_WARNING);
    assert_string_equal(t->result->endorsements[0].source, "evidence");
    appraisal_free(t);
}

static void a_supply_larger_than_its_kind_is_refused(void **state)
{
    (void)state;
    char large[5000];
    struct appraisal *t = one(GOOD "need crl k\n");
    memset(large, 'x', sizeof large - 1);
    large[sizeof large - 1] = '\0';
    assert_int_equal(appraisal_run(t, TEST_TIME), ATTESTD_PENDING);
    supply(t, "script.crl", "k", large, "vendor");
    assert_int_equal(appraisal_run(t, TEST_TIME), ATTESTD_DONE);
    assert_true(t->result->unavailable);
    appraisal_free(t);
}

static void pending_without_a_need_is_no_progress(void **state)
{
    (void)state;
    struct appraisal *t = one(GOOD "pend\n");
    assert_int_equal(appraisal_run(t, TEST_TIME), ATTESTD_DONE);
    assert_check(checks(t), "plugin.progress", ATTESTD_FAIL, "PLUGIN_NO_PROGRESS");
    assert_int_equal(t->result->verdict, ATTESTD_CONTRAINDICATED);
    appraisal_free(t);
}

static void pending_again_after_its_answer_is_no_progress(void **state)
{
    (void)state;
    struct appraisal *t = one(GOOD "need cert k\npend\n");
    assert_int_equal(appraisal_run(t, TEST_TIME), ATTESTD_PENDING);
    supply(t, "script.cert", "k", "fine", "cache");
    assert_int_equal(appraisal_run(t, TEST_TIME), ATTESTD_DONE);
    assert_check(checks(t), "plugin.progress", ATTESTD_FAIL, "PLUGIN_NO_PROGRESS");
    appraisal_free(t);
}

static void eight_runs_are_the_end(void **state)
{
    (void)state;
    struct appraisal *t = one(GOOD "need cert k\n");
    char text[16];
    int answer = appraisal_run(t, TEST_TIME);
    for (int i = 0; answer == ATTESTD_PENDING; i++) {
        snprintf(text, sizeof text, "bad %d", i);
        supply(t, "script.cert", "k", text, "vendor");
        answer = appraisal_run(t, TEST_TIME);
    }
    assert_int_equal(answer, ATTESTD_DONE);
    assert_int_equal(script_runs, 8);
    assert_check(checks(t), "plugin.progress", ATTESTD_FAIL, "PLUGIN_NO_PROGRESS");
    appraisal_free(t);
}

static void the_same_bytes_again_do_not_loop(void **state)
{
    (void)state;
    struct appraisal *t = one(GOOD "need cert k\n");
    int answer = appraisal_run(t, TEST_TIME);
    for (int i = 0; i < 20 && answer == ATTESTD_PENDING; i++) {
        supply(t, "script.cert", "k", "bad", "vendor");
        answer = appraisal_run(t, TEST_TIME);
    }
    assert_int_equal(answer, ATTESTD_DONE);
    assert_true(script_runs <= 8);
    appraisal_free(t);
}

static void a_delegate_stands_under_the_same_label(void **state)
{
    (void)state;
    struct appraisal *t = appraisal_new();
    char script[1024] =
        "check parse pass\ncheck signature pass\ndelegate gadget check parse pass;check signature pass;claim kind inner;bind 0 ";
    char line[256] = "";
    appraisal_nonce(t, NONCE);
    bind_line(&t->request, NULL, 0, line, sizeof line);
    strcat(script, line + strlen("bind 0 "));
    appraisal_add(t, "cpu0", "script", script);
    assert_int_equal(appraisal_run(t, TEST_TIME), ATTESTD_DONE);
    assert_int_equal(t->result->verdict, ATTESTD_AFFIRMING);
    assert_check(checks(t), "gadget.signature", ATTESTD_PASS, NULL);
    assert_string_equal(claim(t, 0, "gadget.kind"), "inner");
    assert_int_equal(t->result->pieces[0].slot_count, 1);
    struct attestd_text text = {0};
    struct attestd_json_writer writer = attestd_json_writer_to(&text);
    attestd_json_open_map(&writer, NULL);
    attestd_result_engine_json(&writer, t->result);
    attestd_json_close_map(&writer);
    assert_string_equal(text.data,
                        "{\"engine\":{\"version\":\"" ATTESTD_VERSION_TEXT "\",\"plugins\":{\"script\":\"1\",\"gadget\":\"2\"}}}");
    attestd_text_free(&text);
    appraisal_free(t);
}

static void delegation_below_a_delegation_is_a_defect(void **state)
{
    (void)state;
    struct appraisal *t = one(GOOD "delegate gadget check parse pass;delegate script check-parse-pass\n");
    assert_int_equal(appraisal_run(t, TEST_TIME), ATTESTD_DONE);
    assert_check(checks(t), "plugin.record", ATTESTD_FAIL, "PLUGIN_DEFECT");
    appraisal_free(t);
}

static void delegation_to_a_plugin_that_is_not_loaded_is_malformed(void **state)
{
    (void)state;
    struct appraisal *t = one(GOOD "delegate tdx check parse pass\n");
    assert_int_equal(appraisal_run(t, TEST_TIME), ATTESTD_MALFORMED);
    assert_string_equal(t->result->pieces[0].malformed_code, "EVIDENCE_TYPE_UNKNOWN");
    appraisal_free(t);
}

static void a_malformed_delegate_is_named_by_its_own_code(void **state)
{
    (void)state;
    struct appraisal *t = one(GOOD "delegate gadget check parse pass;malformed GADGET_TRUNCATED\n");
    assert_int_equal(appraisal_run(t, TEST_TIME), ATTESTD_MALFORMED);
    assert_string_equal(t->result->pieces[0].malformed_code, "GADGET_TRUNCATED");
    appraisal_free(t);
}

static void a_memo_is_a_hit_until_it_ends_and_never_changes_the_result(void **state)
{
    (void)state;
    struct appraisal *t = one(GOOD "memo chain 2000\n");
    assert_int_equal(appraisal_run(t, TEST_TIME), ATTESTD_DONE);
    assert_string_equal(claim(t, 0, "script.memo"), "miss");
    assert_int_equal(t->result->not_after, 2000);
    static const struct {
        int64_t time, not_after;
        const char *memo;
    } cases[] = {{1001, 2000, "hit"}, {2000, 2000, "hit"}, {2001, INT64_MAX, "miss"}, {999, 2000, "miss"}};
    for (size_t i = 0; i < 4; i++) {
        struct attestd_job *job = attestd_job_new(t->engine, &t->request, &t->view, t->anchors, NULL);
        assert_int_equal(attestd_job_run(job, cases[i].time), ATTESTD_DONE);
        const struct attestd_result *result = attestd_job_result(job);
        const struct attestd_value *memo = attestd_value_find(result->pieces[0].claims, "script.memo");
        assert_string_equal((const char *)memo->text.data, cases[i].memo);
        assert_int_equal(result->not_after, cases[i].not_after);
        attestd_job_free(job);
    }
    appraisal_free(t);
}

static void an_anchor_is_pinned_for_its_purpose_alone_and_simulation_survives_a_memo(void **state)
{
    (void)state;
    EVP_PKEY *key = mint_key("P-256", 0);
    struct mint_certificate root = {.subject = "Root", .issuer = "Root", .key = key, .signer = key, .basic = "critical,CA:TRUE"};
    struct mint_certificate again = root;
    again.serial = 7;
    size_t len, again_len;
    uint8_t *der = mint_der(&root, &len), *other = mint_der(&again, &again_len);
    static const struct {
        bool reissued;
        const char *purpose;
        const char *answer;
        bool simulated;
    } cases[] = {{false, "script/Test", "1", true}, {false, "script/Else", "0", false}, {true, "script/Test", "2", false}};

    for (size_t i = 0; i < 3; i++) {
        char script[256];
        snprintf(script, sizeof script, GOOD "anchor %s\nmemo chain 2000\n", cases[i].purpose);
        struct appraisal *t = one(script);
        appraisal_add_part(t, "certificate", cases[i].reissued ? other : der, cases[i].reissued ? again_len : len);
        assert_true(attestd_anchor_set_add_certificate(t->anchors, "script/Test", der, len, true));
        assert_int_equal(appraisal_run(t, TEST_TIME), ATTESTD_DONE);
        assert_string_equal(claim(t, 0, "script.anchor"), cases[i].answer);
        assert_int_equal(t->result->simulated, cases[i].simulated);
        appraisal_free(t);
    }

    struct appraisal *t = one(GOOD "anchor script/Test\nmemo chain 2000\n");
    appraisal_add_part(t, "certificate", der, len);
    assert_true(attestd_anchor_set_add_certificate(t->anchors, "script/Test", der, len, true));
    assert_int_equal(appraisal_run(t, TEST_TIME), ATTESTD_DONE);
    struct attestd_request warm = t->request;
    struct attestd_piece_request piece = t->pieces[0];
    struct attestd_part part = {"script", {(const uint8_t *)(GOOD "memo chain 2000\n"), strlen(GOOD "memo chain 2000\n")}};
    piece.parts = &part;
    piece.part_count = 1;
    warm.pieces = &piece;
    struct attestd_job *job = attestd_job_new(t->engine, &warm, &t->view, t->anchors, NULL);
    assert_int_equal(attestd_job_run(job, TEST_TIME), ATTESTD_DONE);
    assert_true(attestd_job_result(job)->simulated); /* it rests on the simulated root by way of the memo */
    attestd_job_free(job);
    appraisal_free(t);
    OPENSSL_free(der);
    OPENSSL_free(other);
    EVP_PKEY_free(key);
}

static void a_signature_is_verified_by_the_host(void **state)
{
    (void)state;
    EVP_PKEY *pkey = mint_key("P-256", 0);
    struct attestd_key *key = mint_public(pkey);
    uint8_t der[128], raw[64];
    mint_raw(der, mint_signature(pkey, "SHA256", -1, "hello", 5, der, sizeof der), 32, raw);
    for (int flip = 0; flip < 2; flip++) {
        const struct attestd_need *needs;
        struct appraisal *t = one(GOOD "signature\nneed cert k\n");
        struct attestd_bytes spki = attestd_key_spki(key);
        raw[40] ^= (uint8_t)flip;
        appraisal_add_part(t, "spki", spki.data, spki.len);
        appraisal_add_part(t, "message", "hello", 5);
        appraisal_add_part(t, "signature", raw, sizeof raw);
        assert_int_equal(appraisal_run(t, TEST_TIME), ATTESTD_PENDING);
        assert_int_equal(attestd_job_needs(t->job, &needs), 1);
        assert_false(needs[0].authenticated); /* no anchor was met */
        supply(t, "script.cert", "k", "fine", "cache");
        assert_int_equal(appraisal_run(t, TEST_TIME), ATTESTD_DONE); /* remembered or refused again */
        assert_string_equal(claim(t, 0, "script.good"), flip ? "0" : "1");
        appraisal_free(t);
    }
    attestd_key_free(key);
    EVP_PKEY_free(pkey);
}

static struct attestd_bytes recall_seven(void *context, struct attestd_arena *arena, const char *plugin, const uint8_t *key, size_t len)
{
    unsigned *calls = context;

    ++*calls;
    assert_string_equal(plugin, "script");
    assert_memory_equal(key, "dev", len);
    return attestd_arena_bytes(arena, "\x07", 1);
}

static void states_are_recalled_once_and_proposed_when_not_contraindicated(void **state)
{
    (void)state;
    static const char *const scripts[] = {GOOD "recall dev\npropose dev new\n", "check parse fail SCRIPT_RESERVED\npropose dev new\n"};
    for (size_t i = 0; i < 2; i++) {
        struct appraisal *t = one(scripts[i]);
        unsigned calls = 0;
        struct attestd_state_lookup lookup = {&calls, recall_seven};
        const struct attestd_proposal *proposals;
        appraisal_run(t, TEST_TIME);
        struct attestd_job *job = attestd_job_new(t->engine, &t->request, &t->view, t->anchors, &lookup);
        assert_int_equal(attestd_job_run(job, TEST_TIME), ATTESTD_DONE);
        assert_int_equal(attestd_job_proposals(job, &proposals), i == 0 ? 1 : 0);
        assert_int_equal(calls, 1);
        if (i == 0) {
            assert_memory_equal(proposals[0].before.data, "\x07", 1);
            assert_memory_equal(proposals[0].after.data, "new", 3);
        }
        attestd_job_free(job);
        appraisal_free(t);
    }
}

static void without_a_policy_nothing_is_better_than_contraindicated(void **state)
{
    (void)state;
    struct appraisal *t = one(GOOD);
    t->policy.undecided = true;
    assert_int_equal(appraisal_run(t, TEST_TIME), ATTESTD_DONE);
    assert_int_equal(t->result->verdict, ATTESTD_CONTRAINDICATED);
    appraisal_free(t);
}

static void a_policy_view_cannot_raise_what_failed(struct attestd_job *job, struct attestd_result *result)
{
    (void)job;
    for (size_t i = 0; i < result->pieces[0].checks.count; i++)
        result->pieces[0].checks.items[i].mode = ATTESTD_DISABLED;
    result->verdict = ATTESTD_AFFIRMING;
    result->pieces[0].verdict = ATTESTD_AFFIRMING;
    result->pieces[0].vector[ATTESTD_HARDWARE] = 2;
}

static void a_view_that_disables_a_fixed_check_is_overruled(void **state)
{
    (void)state;
    struct appraisal *t = one("check parse fail SCRIPT_RESERVED\ncheck signature pass\n");
    t->policy.decide = a_policy_view_cannot_raise_what_failed;
    assert_int_equal(appraisal_run(t, TEST_TIME), ATTESTD_DONE);
    assert_int_equal(t->result->verdict, ATTESTD_CONTRAINDICATED);
    assert_int_equal(t->result->pieces[0].verdict, ATTESTD_CONTRAINDICATED);
    assert_int_equal(t->result->pieces[0].vector[ATTESTD_HARDWARE], 0);
    assert_int_equal(check_in(checks(t), "script.parse")->mode, ATTESTD_STRICT);
    appraisal_free(t);
}

static void records_two_ways(struct attestd_job *job, struct attestd_result *result)
{
    (void)result;
    attestd_job_check(job, NULL, "freshness.source", ATTESTD_PASS, NULL, NULL, NULL);
    attestd_job_check(job, NULL, "freshness.source", ATTESTD_FAIL, "FRESHNESS_CHALLENGE_REQUIRED", "external", "challenge");
    attestd_job_check(job, NULL, "freshness.source", ATTESTD_PASS, NULL, NULL, NULL);
}

static void the_worse_of_two_records_stands(void **state)
{
    (void)state;
    struct appraisal *t = one(GOOD);
    t->policy.decide = records_two_ways;
    assert_int_equal(appraisal_run(t, TEST_TIME), ATTESTD_DONE);
    assert_check(&t->result->checks, "freshness.source", ATTESTD_FAIL, "FRESHNESS_CHALLENGE_REQUIRED");
    assert_int_equal(t->result->verdict, ATTESTD_CONTRAINDICATED);
    appraisal_free(t);
}

static void records_an_unknown_check(struct attestd_job *job, struct attestd_result *result)
{
    (void)result;
    attestd_job_check(job, NULL, "freshness.sauce", ATTESTD_PASS, NULL, NULL, NULL);
}

static void a_view_that_records_an_unknown_check_fails_closed(void **state)
{
    (void)state;
    struct appraisal *t = one(GOOD);
    t->policy.decide = records_an_unknown_check;
    assert_int_equal(appraisal_run(t, TEST_TIME), ATTESTD_DONE);
    assert_check(&t->result->checks, "plugin.record", ATTESTD_FAIL, "PLUGIN_DEFECT");
    assert_int_equal(t->result->verdict, ATTESTD_CONTRAINDICATED);
    appraisal_free(t);
}

static void pieces_run_on_their_own_and_end_at_one_time(void **state)
{
    (void)state;
    struct appraisal *t = one(GOOD);
    appraisal_add(t, "gpu0", "gadget", "check parse pass\ncheck signature pass\nneed cert k\n");
    assert_int_equal(appraisal_run(t, TEST_TIME), ATTESTD_PENDING);
    assert_int_equal(script_runs, 2);
    supply(t, "gadget.cert", "k", "fine", "cache");
    assert_int_equal(appraisal_run(t, TEST_TIME + 5), ATTESTD_DONE);
    assert_int_equal(script_runs, 4); /* cpu0 once more, at the time of the record */
    assert_int_equal(t->result->time, TEST_TIME + 5);
    appraisal_free(t);
}

static void one_need_of_two_pieces_is_one_question(void **state)
{
    (void)state;
    const struct attestd_need *needs;
    struct appraisal *t = one(GOOD);
    appraisal_add(t, "gpu0", "gadget", "check parse pass\ncheck signature pass\nneed cert k\n");
    appraisal_add(t, "gpu1", "gadget", "check parse pass\ncheck signature pass\nneed cert k\n");
    assert_int_equal(appraisal_run(t, TEST_TIME), ATTESTD_PENDING);
    assert_int_equal(attestd_job_needs(t->job, &needs), 1);
    supply(t, "gadget.cert", "k", "fine", "cache");
    assert_int_equal(appraisal_run(t, TEST_TIME), ATTESTD_DONE);
    assert_int_equal(t->result->endorsement_count, 1);
    appraisal_free(t);
}

struct worker {
    struct attestd_job *job;
    size_t index;
    pthread_t thread;
};

static void *run_one(void *context)
{
    struct worker *worker = context;
    attestd_job_run_piece(worker->job, worker->index, TEST_TIME);
    return NULL;
}

static void run_threads(struct appraisal *t, size_t count)
{
    struct worker workers[8];
    for (size_t i = 0; i < count; i++) {
        workers[i] = (struct worker){.job = t->job, .index = i};
        assert_int_equal(pthread_create(&workers[i].thread, NULL, run_one, &workers[i]), 0);
    }
    for (size_t i = 0; i < count; i++)
        pthread_join(workers[i].thread, NULL);
}

static void pieces_may_run_on_threads_of_their_own(void **state)
{
    (void)state;
    static const char *const labels[] = {"g1", "g2", "g3", "g4", "g5"};
    const struct attestd_need *needs;
    struct appraisal *t = one(GOOD);
    for (size_t i = 0; i < 5; i++)
        appraisal_add(t, labels[i], "gadget",
                      "check parse pass\ncheck signature pass\nneed cert k\nneed crl l\nmemo shared 2000\nclaim a.b c\n");
    attestd_anchor_set_seal(t->anchors);
    t->job = attestd_job_new(t->engine, &t->request, NULL, t->anchors, NULL);
    assert_int_equal(attestd_job_piece_count(t->job), 6);
    run_threads(t, 6);
    assert_int_equal(attestd_job_conclude(t->job, TEST_TIME), ATTESTD_PENDING);
    assert_int_equal(attestd_job_needs(t->job, &needs), 2);
    supply(t, "gadget.cert", "k", "fine", "cache");
    supply(t, "gadget.crl", "l", "fine too", "cache");
    run_threads(t, 6);
    assert_int_equal(attestd_job_conclude(t->job, TEST_TIME), ATTESTD_DONE);
    t->result = attestd_job_result(t->job);
    assert_int_equal(t->result->endorsement_count, 2);
    for (size_t i = 1; i < 6; i++)
        assert_true(t->result->pieces[i].authentic);
    appraisal_free(t);
}

static void inspection_gives_claims_without_judgement(void **state)
{
    (void)state;
    struct appraisal *t = one(GOOD);
    char error[128];
    const struct attestd_value *claims = attestd_inspect(t->engine, t->arena, &t->pieces[0], error, sizeof error);
    assert_non_null(claims);
    assert_non_null(attestd_value_find(claims, "script.product"));
    struct attestd_piece_request broken = t->pieces[0];
    struct attestd_part part = {"script", {(const uint8_t *)"malformed SCRIPT_TRUNCATED", 26}};
    broken.parts = &part;
    assert_null(attestd_inspect(t->engine, t->arena, &broken, error, sizeof error));
    assert_string_equal(error, "SCRIPT_TRUNCATED at byte 7 of script: as told");
    appraisal_run(t, TEST_TIME);
    appraisal_free(t);
}

static void the_printed_verdict_says_what_would_have_made_it_pass(void **state)
{
    (void)state;
    struct attestd_text text = {0};
    struct appraisal *t = one("check parse pass\ncheck signature pass\ncheck soft fail SCRIPT_SOFT\n");
    assert_int_equal(appraisal_run(t, TEST_TIME), ATTESTD_DONE);
    attestd_result_print(&text, t->result, false, false);
    assert_non_null(strstr(text.data, "verdict: contraindicated\n"));
    assert_non_null(strstr(text.data, " FAIL script.soft                  SCRIPT_SOFT\n"));
    assert_non_null(strstr(text.data, "observed  seen\n"));
    assert_non_null(strstr(text.data, "what would have made it pass:\n  - cpu0 SCRIPT_SOFT: Mend it.\n"));
    assert_null(strchr(text.data, '\033'));
    attestd_text_free(&text);
    appraisal_free(t);
}

static void the_printed_verdict_passes_no_control_character_on(void **state)
{
    (void)state;
    struct attestd_text text = {0};
    struct appraisal *t = one(GOOD "claim x \033[2J\x07\n");
    assert_int_equal(appraisal_run(t, TEST_TIME), ATTESTD_DONE);
    attestd_result_print(&text, t->result, false, true);
    assert_null(strchr(text.data, '\033'));
    assert_null(strchr(text.data, '\x07'));
    attestd_text_free(&text);
    appraisal_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_evidence_is_affirming),
        cmocka_unit_test(a_failed_strict_check_contraindicates),
        cmocka_unit_test(a_failed_warn_check_warns_and_names_its_policy_line),
        cmocka_unit_test(a_disabled_check_is_listed_and_named),
        cmocka_unit_test(a_skipped_strict_check_is_never_a_pass),
        cmocka_unit_test(a_broken_signature_makes_every_trust_claim_99_and_claims_unverified),
        cmocka_unit_test(a_failed_fixed_check_that_is_not_cryptographic_gives_no_affirming_claim),
        cmocka_unit_test(a_plugin_that_checks_nothing_is_not_believed),
        cmocka_unit_test(defects_of_a_plugin_fail_plugin_record),
        cmocka_unit_test(malformed_evidence_is_named_with_its_place),
        cmocka_unit_test(a_malformed_code_of_another_plugin_is_not_repeated),
        cmocka_unit_test(a_need_is_asked_once_and_its_answer_used),
        cmocka_unit_test(a_rejected_candidate_asks_the_next_source),
        cmocka_unit_test(an_absent_endorsement_in_strict_mode_gives_no_verdict),
        cmocka_unit_test(an_absent_endorsement_beside_a_failed_strict_check_is_contraindicated),
        cmocka_unit_test(an_absent_endorsement_in_warn_mode_counts_as_failed),
        cmocka_unit_test(a_list_enclosed_by_the_attester_warns),
        cmocka_unit_test(a_supply_larger_than_its_kind_is_refused),
        cmocka_unit_test(pending_without_a_need_is_no_progress),
        cmocka_unit_test(pending_again_after_its_answer_is_no_progress),
        cmocka_unit_test(eight_runs_are_the_end),
        cmocka_unit_test(the_same_bytes_again_do_not_loop),
        cmocka_unit_test(a_delegate_stands_under_the_same_label),
        cmocka_unit_test(delegation_below_a_delegation_is_a_defect),
        cmocka_unit_test(delegation_to_a_plugin_that_is_not_loaded_is_malformed),
        cmocka_unit_test(a_malformed_delegate_is_named_by_its_own_code),
        cmocka_unit_test(a_memo_is_a_hit_until_it_ends_and_never_changes_the_result),
        cmocka_unit_test(an_anchor_is_pinned_for_its_purpose_alone_and_simulation_survives_a_memo),
        cmocka_unit_test(a_signature_is_verified_by_the_host),
        cmocka_unit_test(states_are_recalled_once_and_proposed_when_not_contraindicated),
        cmocka_unit_test(without_a_policy_nothing_is_better_than_contraindicated),
        cmocka_unit_test(a_view_that_disables_a_fixed_check_is_overruled),
        cmocka_unit_test(the_worse_of_two_records_stands),
        cmocka_unit_test(a_view_that_records_an_unknown_check_fails_closed),
        cmocka_unit_test(pieces_run_on_their_own_and_end_at_one_time),
        cmocka_unit_test(one_need_of_two_pieces_is_one_question),
        cmocka_unit_test(pieces_may_run_on_threads_of_their_own),
        cmocka_unit_test(inspection_gives_claims_without_judgement),
        cmocka_unit_test(the_printed_verdict_says_what_would_have_made_it_pass),
        cmocka_unit_test(the_printed_verdict_passes_no_control_character_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
