/* SPDX-License-Identifier: Apache-2.0 */
/* Requests in each of their forms, and each refusal by its code and place. */
#include "tests/core/cmocka_includes.h"

#include "core/encoding.h"
#include "core/engine.h"
#include "core/problem.h"
#include "core/request.h"
#include "tests/core/script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reading {
    struct attestd_arena *arena;
    struct attestd_engine *engine;
    struct attestd_request request;
    struct attestd_request_fault fault;
};

static int begin(void **state)
{
    struct reading *r = calloc(1, sizeof *r);
    r->arena = attestd_arena_new();
    r->engine = attestd_engine_new();
    assert_true(attestd_engine_add(r->engine, &script_plugin, NULL, 0));
    assert_true(attestd_engine_add(r->engine, &gadget_plugin, NULL, 0));
    *state = r;
    return 0;
}

static int end(void **state)
{
    struct reading *r = *state;
    attestd_arena_free(r->arena);
    attestd_engine_free(r->engine);
    free(r);
    return 0;
}

static bool json(struct reading *r, const char *text)
{
    memset(&r->fault, 0, sizeof r->fault);
    return attestd_request_read_json(r->arena, r->engine, text, strlen(text), &r->request, &r->fault);
}

#define EVIDENCE "\"evidence\":{\"cpu0\":{\"type\":\"script\",\"script\":\"Y2hlY2sg\"}}"

static void a_full_envelope_is_read(void **state)
{
    struct reading *r = *state;
    assert_true(json(r, "{\"nonce\":\"AAECAwQFBgc\",\"policy\":\"prod\",\"audience\":\"https://kms.example\",\"token\":\"oidc\","
                        "\"evidence\":{\"gpu0\":{\"type\":\"gadget\",\"z\":\"AQ==\",\"a\":\"Ag\"},"
                        "\"cpu0\":{\"type\":\"script\",\"script\":\"Y2hlY2sg\"}},"
                        "\"binding\":{\"layout\":\"attestd-v1\",\"data\":{\"b\":\"00FF\",\"a\":\"01\"},"
                        "\"cnf\":{\"jwk\":{\"kty\":\"OKP\",\"use\":\"sig\",\"crv\":\"Ed25519\","
                        "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}}}}"));
    const struct attestd_request *q = &r->request;
    assert_int_equal(q->freshness, ATTESTD_FRESH_EXTERNAL);
    assert_string_equal(q->nonce_text, "AAECAwQFBgc");
    assert_int_equal(q->nonce.len, 8);
    assert_int_equal(q->nonce.data[7], 7);
    assert_int_equal(q->nonce_age, -1);
    assert_string_equal(q->policy, "prod");
    assert_string_equal(q->audience, "https://kms.example");
    assert_string_equal(q->token, "oidc");
    assert_int_equal(q->piece_count, 2);
    assert_string_equal(q->pieces[0].label, "cpu0");
    assert_string_equal(q->pieces[1].label, "gpu0");
    assert_string_equal(q->pieces[1].parts[0].name, "a");
    assert_string_equal(q->pieces[1].parts[1].name, "z");
    assert_memory_equal(q->pieces[0].parts[0].bytes.data, "check ", 6);
    assert_string_equal(q->data[0].name, "a");
    assert_memory_equal(q->data[1].value.data, "\x00\xff", 2);
    assert_non_null(q->key);
    assert_string_equal(q->key_json, "{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"use\":\"sig\","
                                     "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}");
    assert_true(attestd_request_check(q, false, &r->fault));
}

static void a_bare_request_has_defaults(void **state)
{
    struct reading *r = *state;
    assert_true(json(r, "{\"challenge\":\"c1.abc\",\"evidence\":{\"cpu0\":{\"report\":\"Y2hlY2sg\"}}}"));
    assert_int_equal(r->request.freshness, ATTESTD_FRESH_CHALLENGE);
    assert_string_equal(r->request.token, "ear");
    assert_string_equal(r->request.layout, "attestd-v1");
    assert_string_equal(r->request.pieces[0].type, "script"); /* recognised */
    assert_null(r->request.policy);
}

static void raw_stands_for_the_plugin_s_own_part(void **state)
{
    struct reading *r = *state;
    assert_true(json(r, "{\"evidence\":{\"cpu0\":{\"raw\":\"Y2hlY2sg\"}}}"));
    assert_string_equal(r->request.pieces[0].parts[0].name, "script");
    assert_int_equal(r->request.freshness, ATTESTD_FRESH_NONE);
}

static void each_refusal_has_its_code_and_place(void **state)
{
    struct reading *r = *state;
    static const struct {
        const char *text, *code, *pointer;
        int status;
    } cases[] = {
        {"{", "JSON_MALFORMED", "", 400},
        {"{\"token\":\"ear\",\"token\":\"ear\"," EVIDENCE "}", "JSON_MALFORMED", "", 400},
        {"[1]", "MEMBER_INVALID", "", 400},
        {"{}", "EVIDENCE_MISSING", "/evidence", 400},
        {"{\"evidence\":{}}", "EVIDENCE_MISSING", "/evidence", 400},
        {"{\"evidence\":[]}", "MEMBER_INVALID", "/evidence", 400},
        {"{\"evidence\":{\"cpu0\":7}}", "MEMBER_INVALID", "/evidence/cpu0", 400},
        {"{\"evidence\":{\"cpu0\":{}}}", "EVIDENCE_MISSING", "/evidence/cpu0", 400},
        {"{\"evidence\":{\"cpu0\":{\"type\":\"script\"}}}", "EVIDENCE_MISSING", "/evidence/cpu0", 400},
        {"{\"evidence\":{\"CPU0\":{\"raw\":\"AA\"}}}", "LABEL_INVALID", "/evidence/CPU0", 400},
        {"{\"evidence\":{\"attestd.x\":{\"raw\":\"AA\"}}}", "LABEL_INVALID", "/evidence/attestd.x", 400},
        {"{\"evidence\":{\"cpu0\":{\"Raw\":\"AA\"}}}", "LABEL_INVALID", "/evidence/cpu0/Raw", 400},
        {"{\"evidence\":{\"cpu0\":{\"raw\":7}}}", "MEMBER_INVALID", "/evidence/cpu0/raw", 400},
        {"{\"evidence\":{\"cpu0\":{\"raw\":\"A A\"}}}", "BASE64_MALFORMED", "/evidence/cpu0/raw", 400},
        {"{\"evidence\":{\"cpu0\":{\"raw\":\"+_AA\"}}}", "BASE64_MALFORMED", "/evidence/cpu0/raw", 400},
        {"{\"evidence\":{\"cpu0\":{\"raw\":\"AAAA\"}}}", "EVIDENCE_UNIDENTIFIED", "/evidence/cpu0", 422},
        {"{\"evidence\":{\"cpu0\":{\"type\":\"sgx\",\"raw\":\"AA\"}}}", "EVIDENCE_TYPE_UNKNOWN", "/evidence/cpu0", 422},
        {"{\"evidence\":{\"cpu0\":{\"type\":\"script\",\"raw\":\"AA\",\"script\":\"AA\"}}}", "MEMBER_INVALID", "/evidence/cpu0", 400},
        {"{\"policies\":\"x\"," EVIDENCE "}", "MEMBER_UNKNOWN", "/policies", 400},
        {"{\"policy\":7," EVIDENCE "}", "MEMBER_INVALID", "/policy", 400},
        {"{\"policy\":\"\"," EVIDENCE "}", "MEMBER_INVALID", "/policy", 400},
        {"{\"audience\":\"a\\u0007\"," EVIDENCE "}", "MEMBER_INVALID", "/audience", 400},
        {"{\"token\":\"jwt\"," EVIDENCE "}", "MEMBER_INVALID", "/token", 400},
        {"{\"challenge\":null," EVIDENCE "}", "MEMBER_INVALID", "/challenge", 400},
        {"{\"nonce\":\"AAECAwQFBg\"," EVIDENCE "}", "NONCE_MALFORMED", "/nonce", 400}, /* 7 bytes */
        {"{\"nonce\":\"not base64\"," EVIDENCE "}", "NONCE_MALFORMED", "/nonce", 400},
        {"{\"nonce\":12345678," EVIDENCE "}", "NONCE_MALFORMED", "/nonce", 400},
        {"{\"nonce\":\"AAECAwQFBgc\",\"challenge\":\"c1.x\"," EVIDENCE "}", "FRESHNESS_AMBIGUOUS", "/nonce", 400},
        {"{\"binding\":{\"lay\":\"raw\"}," EVIDENCE "}", "MEMBER_UNKNOWN", "/binding/lay", 400},
        {"{\"binding\":{\"cnf\":{}}," EVIDENCE "}", "MEMBER_MISSING", "/binding/cnf", 400},
        {"{\"binding\":{\"cnf\":{\"jkt\":\"x\"}}," EVIDENCE "}", "MEMBER_UNKNOWN", "/binding/cnf/jkt", 400},
        {"{\"binding\":{\"cnf\":{\"jwk\":{\"kty\":\"oct\",\"k\":\"AA\"}}}," EVIDENCE "}", "KEY_REFUSED", "/binding/cnf/jwk", 400},
        {"{\"binding\":{\"data\":[]}," EVIDENCE "}", "MEMBER_INVALID", "/binding/data", 400},
        {"{\"binding\":{\"data\":{\"a\":\"0\"}}," EVIDENCE "}", "DATA_MALFORMED", "/binding/data/a", 400},
        {"{\"binding\":{\"data\":{\"a\":\"\"}}," EVIDENCE "}", "DATA_MALFORMED", "/binding/data/a", 400},
        {"{\"binding\":{\"data\":{\"attestd.a\":\"00\"}}," EVIDENCE "}", "LABEL_INVALID", "/binding/data/attestd.a", 400},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (json(r, cases[i].text))
            fail_msg("read: %s", cases[i].text);
        if (strcmp(r->fault.code, cases[i].code) != 0 || strcmp(r->fault.pointer, cases[i].pointer) != 0 ||
            r->fault.status != cases[i].status)
            fail_msg("%s: %d %s at %s", cases[i].text, r->fault.status, r->fault.code, r->fault.pointer);
        assert_non_null(attestd_problem(r->fault.code));
        assert_true(r->fault.detail[0] != '\0');
    }
    assert_true(json(r, "{" EVIDENCE "}"));
}

static void too_many_pieces_or_parts_are_413(void **state)
{
    struct reading *r = *state;
    for (int parts = 0; parts < 2; parts++) {
        struct attestd_text text = {0};
        attestd_text_puts(&text, parts ? "{\"evidence\":{\"a\":{" : "{\"evidence\":{");
        for (int i = 0; i < 33; i++)
            attestd_text_printf(&text, parts ? "%s\"p%d\":\"AA\"" : "%s\"p%d\":{\"type\":\"script\",\"raw\":\"AA\"}", i ? "," : "", i);
        attestd_text_puts(&text, parts ? "}}}" : "}}");
        assert_false(json(r, text.data));
        assert_string_equal(r->fault.code, "EVIDENCE_TOO_MANY");
        assert_int_equal(r->fault.status, 413);
        attestd_text_free(&text);
    }
}

static void the_whole_is_checked_once_all_is_set(void **state)
{
    struct reading *r = *state;
    assert_true(json(r, "{\"binding\":{\"layout\":\"raw\"},\"nonce\":\"AAECAwQFBgc\"," EVIDENCE "}"));
    assert_true(attestd_request_check(&r->request, false, &r->fault));
    r->request.audience = "https://kms.example"; /* by a query parameter */
    assert_false(attestd_request_check(&r->request, false, &r->fault));
    assert_string_equal(r->fault.code, "LAYOUT_CANNOT_BIND");
    assert_true(attestd_request_check(&r->request, true, &r->fault));
    r->request.layout = "mine";
    assert_false(attestd_request_check(&r->request, true, &r->fault));
    assert_string_equal(r->fault.code, "LAYOUT_UNKNOWN");
    r->request.layout = "raw";
    r->request.challenge = "c1.x";
    assert_false(attestd_request_check(&r->request, true, &r->fault));
    assert_string_equal(r->fault.code, "FRESHNESS_AMBIGUOUS");
}

static bool cmw(struct reading *r, const char *text)
{
    memset(&r->fault, 0, sizeof r->fault);
    return attestd_request_read_cmw(r->arena, r->engine, text, strlen(text), &r->request, &r->fault);
}

static void message_wrappers_are_read(void **state)
{
    struct reading *r = *state;
    assert_true(cmw(r, "[\"Application/vnd.attestd.Script\",\"Y2hlY2sg\",4]"));
    assert_string_equal(r->request.pieces[0].label, "cpu0");
    assert_string_equal(r->request.pieces[0].type, "script");
    assert_string_equal(r->request.pieces[0].parts[0].name, "script");
    assert_true(cmw(r, "[\"application/octet-stream\",\"Y2hlY2sg\"]"));
    assert_true(cmw(r, "{\"__cmwc_t\":\"tag:x,2026:y\",\"gpu0\":[\"application/vnd.attestd.gadget; v=1\",\"AQ\"],"
                       "\"cpu0\":[\"application/vnd.attestd.script\",\"AQ\",12]}"));
    assert_int_equal(r->request.piece_count, 2);
    assert_string_equal(r->request.pieces[1].type, "gadget");
}

static void wrappers_that_are_not_evidence_are_refused(void **state)
{
    struct reading *r = *state;
    static const struct {
        const char *text, *code;
    } cases[] = {
        {"7", "CMW_MALFORMED"},
        {"[]", "CMW_MALFORMED"},
        {"[\"application/vnd.attestd.script\"]", "CMW_MALFORMED"},
        {"[\"application/vnd.attestd.script\",\"AQ\",0]", "CMW_MALFORMED"},
        {"[\"application/vnd.attestd.script\",\"AQ\",2]", "CMW_MALFORMED"}, /* endorsements */
        {"[\"application/vnd.attestd.script\",\"AQ\",32]", "CMW_MALFORMED"},
        {"[\"application/vnd.attestd.script\",\"AQ\",4,5]", "CMW_MALFORMED"},
        {"[\"application/vnd.attestd.script\",\"AQ==\"]", "BASE64_MALFORMED"},
        {"[\"application/vnd.attestd.script\",\"\"]", "BASE64_MALFORMED"},
        {"[\"text/plain\",\"AQ\"]", "EVIDENCE_TYPE_UNKNOWN"},
        {"[\"application/octet-stream\",\"AQ\"]", "EVIDENCE_UNIDENTIFIED"},
        {"{}", "EVIDENCE_MISSING"},
        {"{\"__cmwc_t\":7}", "CMW_MALFORMED"},
        {"{\"Cpu\":[\"application/vnd.attestd.script\",\"AQ\"]}", "LABEL_INVALID"},
        {"{\"cpu0\":{\"a\":[\"application/vnd.attestd.script\",\"AQ\"]}}", "CMW_MALFORMED"},
        {"[", "JSON_MALFORMED"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_false(cmw(r, cases[i].text));
        if (strcmp(r->fault.code, cases[i].code) != 0)
            fail_msg("%s: %s", cases[i].text, r->fault.code);
    }
}

static void raw_bytes_are_recognised_or_refused(void **state)
{
    struct reading *r = *state;
    const uint8_t *known = (const uint8_t *)"check ";
    assert_true(attestd_request_read_raw(r->arena, r->engine, NULL, known, 6, &r->request, &r->fault));
    assert_string_equal(r->request.pieces[0].type, "script");
    assert_string_equal(r->request.pieces[0].label, "cpu0");
    assert_true(attestd_request_read_raw(r->arena, r->engine, "gadget", known, 6, &r->request, &r->fault));
    assert_string_equal(r->request.pieces[0].type, "gadget");
    assert_false(attestd_request_read_raw(r->arena, r->engine, NULL, known + 1, 5, &r->request, &r->fault));
    assert_string_equal(r->fault.code, "EVIDENCE_UNIDENTIFIED");
    assert_false(attestd_request_read_raw(r->arena, r->engine, NULL, known, 0, &r->request, &r->fault));
    assert_string_equal(r->fault.code, "EVIDENCE_MISSING");
}

static void the_evidence_digest_covers_labels_types_and_parts(void **state)
{
    struct reading *r = *state;
    static const char *const texts[] = {
        "{\"evidence\":{\"a\":{\"type\":\"script\",\"x\":\"AQ\",\"y\":\"Ag\"}}}",
        "{\"evidence\":{\"b\":{\"type\":\"script\",\"x\":\"AQ\",\"y\":\"Ag\"}}}",
        "{\"evidence\":{\"a\":{\"type\":\"gadget\",\"x\":\"AQ\",\"y\":\"Ag\"}}}",
        "{\"evidence\":{\"a\":{\"type\":\"script\",\"x\":\"AQ\",\"y\":\"Aw\"}}}",
        "{\"evidence\":{\"a\":{\"type\":\"script\",\"x\":\"AQ\",\"z\":\"Ag\"}}}",
    };
    uint8_t digests[6][32];
    for (size_t i = 0; i < 5; i++) {
        assert_true(json(r, texts[i]));
        attestd_request_evidence_digest(&r->request, digests[i]);
        for (size_t k = 0; k < i; k++)
            assert_memory_not_equal(digests[i], digests[k], 32);
    }
    assert_true(json(r, "{\"evidence\":{\"a\":{\"y\":\"Ag==\",\"type\":\"script\",\"x\":\"AQ\"}},\"token\":\"none\"}"));
    attestd_request_evidence_digest(&r->request, digests[5]);
    assert_memory_equal(digests[5], digests[0], 32);
}

static void labels_follow_their_grammar(void **state)
{
    (void)state;
    static const char *const good[] = {"a", "cpu0", "a.b_c-d", "attestd", "abcdefghijklmnopqrstuvwxyz012345"};
    static const char *const bad[] = {"", "0a", "A", "a b", "attestd.", "attestd.x", "abcdefghijklmnopqrstuvwxyz0123456", "\xc3\xa4"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(attestd_label_valid(good[i], strlen(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(attestd_label_valid(bad[i], strlen(bad[i])));
}

static void problems_have_one_row_each(void **state)
{
    (void)state;
    char type[96];
    for (size_t i = 0; i < attestd_problem_count(); i++) {
        const struct attestd_problem *problem = attestd_problem_at(i);
        assert_ptr_equal(attestd_problem(problem->code), problem); /* no code twice */
        assert_true(problem->status == 200 || (problem->status >= 400 && problem->status < 600));
        assert_true(problem->title[0] != '\0' && problem->remedy[0] != '\0');
        assert_int_equal(problem->retryable && problem->status < 424, 0);
    }
    assert_null(attestd_problem("NO_SUCH_PROBLEM"));
    attestd_problem_type("CHALLENGE_SPENT", type);
    assert_string_equal(type, "urn:attestd:problem:challenge-spent");
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, begin, end)
    const struct CMUnitTest tests[] = {
        WITH(a_full_envelope_is_read),
        WITH(a_bare_request_has_defaults),
        WITH(raw_stands_for_the_plugin_s_own_part),
        WITH(each_refusal_has_its_code_and_place),
        WITH(too_many_pieces_or_parts_are_413),
        WITH(the_whole_is_checked_once_all_is_set),
        WITH(message_wrappers_are_read),
        WITH(wrappers_that_are_not_evidence_are_refused),
        WITH(raw_bytes_are_recognised_or_refused),
        WITH(the_evidence_digest_covers_labels_types_and_parts),
        WITH(labels_follow_their_grammar),
        WITH(problems_have_one_row_each),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
