/* SPDX-License-Identifier: Apache-2.0 */
/* Bundles: written, read back, run again to the same bytes; refused when any input was altered. */
#include "tests/core/appraisal.h"

#include "core/bundle.h"
#include "core/encoding.h"
#include "core/value.h"
#include "tests/core/mint.h"
#include "tests/core/script.h"

#include <jansson.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char POLICY[] = "{\"policy\":\"test\"}";
static const char JWK[] = "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}";
static const struct attestd_datum DATA[] = {{"image", {(const uint8_t *)"\xab\xcd", 2}}};

static struct attestd_bytes recall(void *context, struct attestd_arena *arena, const char *plugin, const uint8_t *key, size_t len)
{
    (void)context;
    (void)plugin;
    (void)key;
    (void)len;
    return attestd_arena_bytes(arena, "\x01\x02", 2);
}

/* An appraisal with everything in it, to its end. */
static struct appraisal *full(void)
{
    static const struct attestd_state_lookup lookup = {NULL, recall};
    char script[1024] =
        "check parse pass\ncheck signature pass\ncheck soft fail SCRIPT_SOFT\nclaim product Test\nneed cert chip\nneed crl list\n"
        "recall dev\npropose dev next\nmemo chain 3000\nanchor script/Test\n";
    struct appraisal *t = appraisal_new();
    const char *error = NULL;
    json_t *jwk = json_loads(JWK, 0, NULL);
    EVP_PKEY *key = mint_key("P-256", 0);
    struct mint_certificate root = {.subject = "Root", .issuer = "Root", .key = key, .signer = key, .basic = "critical,CA:TRUE"};
    size_t len;
    uint8_t *der = mint_der(&root, &len);

    appraisal_nonce(t, "0123456789abcdef");
    t->request.nonce_text = "MDEyMzQ1Njc4OWFiY2RlZg";
    t->request.audience = "https://kms.example";
    t->request.key = attestd_jwk_read(t->arena, jwk, &error);
    t->request.data = DATA;
    t->request.data_count = 1;
    t->request.nonce_age = 5;
    t->policy.modes[0].id = "script.soft";
    t->policy.modes[0].mode = ATTESTD_WARN;
    t->request.piece_count = 1;
    bind_line(&t->request, NULL, 0, script, sizeof script);
    t->request.piece_count = 0;
    appraisal_add(t, "cpu0", "script", script);
    appraisal_add_part(t, "certificate", der, len);
    assert_true(attestd_anchor_set_add_certificate(t->anchors, "script/Test", der, len, true));

    /* appraisal_run() knows no state: give the job one. */
    attestd_anchor_set_seal(t->anchors);
    appraisal_run(t, TEST_TIME);
    attestd_job_free(t->job);
    t->job = attestd_job_new(t->engine, &t->request, &t->view, t->anchors, &lookup);
    assert_int_equal(appraisal_run(t, TEST_TIME), ATTESTD_PENDING);
    struct attestd_supply bad = {.bytes = {(const uint8_t *)"bad", 3}, .source = "cache", .fetched = 10},
                          good = {.bytes = {(const uint8_t *)"fine", 4}, .source = "vendor", .fetched = 20, .stale = true};
    attestd_job_supply(t->job, "script.cert", "chip", &bad);
    attestd_job_supply(t->job, "script.crl", "list", &good);
    assert_int_equal(appraisal_run(t, TEST_TIME + 1), ATTESTD_PENDING);
    attestd_job_supply(t->job, "script.cert", "chip", &good);
    assert_int_equal(appraisal_run(t, TEST_TIME + 2), ATTESTD_DONE);
    assert_int_equal(t->result->verdict, ATTESTD_WARNING);
    json_decref(jwk);
    OPENSSL_free(der);
    EVP_PKEY_free(key);
    return t;
}

static void write(struct appraisal *t, struct attestd_text *text)
{
    attestd_bundle_write(text, t->job, t->anchors, POLICY, strlen(POLICY));
}

static void save(const char *name, const struct attestd_text *text)
{
    char path[512];
    const char *build = getenv("ATTESTD_BUILD");
    if (build == NULL)
        return;
    snprintf(path, sizeof path, "%s/samples", build);
    mkdir(path, 0755);
    snprintf(path, sizeof path, "%s/samples/%s", build, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text->data, 1, text->len, file), text->len);
    fclose(file);
}

/* For tests/schemas. */
static void samples_of_answer_and_bundle_are_written(void **state)
{
    (void)state;
    struct attestd_text bundle = {0}, answer = {0};
    struct appraisal *t = full();
    struct attestd_json_writer writer = attestd_json_writer_to(&answer);
    write(t, &bundle);
    save("bundle.json", &bundle);
    attestd_json_open_map(&writer, NULL);
    attestd_json_text(&writer, "id", "ap_01936b5e-7a10-7c3f-8a51-0123456789ab");
    attestd_result_members(&writer, t->result);
    attestd_json_close_map(&writer);
    save("answer.json", &answer);
    attestd_text_free(&bundle);
    attestd_text_free(&answer);
    appraisal_free(t);
}

static void a_bundle_runs_again_to_the_same_bytes(void **state)
{
    (void)state;
    for (int warm = 0; warm < 2; warm++) {
        char error[256] = "";
        struct attestd_text text = {0}, again = {0}, second = {0};
        struct attestd_bundle bundle;
        struct appraisal *t = full();
        struct attestd_arena *arena = attestd_arena_new();
        write(t, &text);
        assert_true(attestd_bundle_is(text.data, text.len));
        if (!warm)
            attestd_engine_memo_drop(t->engine);
        if (!attestd_bundle_read(arena, t->engine, text.data, text.len, &bundle, error, sizeof error))
            fail_msg("%s", error);
        assert_int_equal(bundle.time, TEST_TIME + 2);
        assert_memory_equal(bundle.policy_text.data, POLICY, strlen(POLICY));
        assert_string_equal(bundle.engine_version, ATTESTD_VERSION_TEXT);
        assert_int_equal(bundle.endorsement_count, 3);
        struct attestd_job *job = attestd_bundle_run(t->engine, &bundle, &t->view, bundle.time);
        attestd_bundle_result(&again, job);
        assert_int_equal(attestd_bundle_diff((const char *)bundle.result.data, bundle.result.len, again.data, again.len, &second), 0);
        assert_int_equal(again.len, bundle.result.len);
        assert_memory_equal(bundle.result.data, again.data, again.len);
        attestd_job_free(job);
        attestd_arena_free(arena);
        attestd_text_free(&text);
        attestd_text_free(&again);
        attestd_text_free(&second);
        appraisal_free(t);
    }
}

static void a_bundle_of_a_bundle_is_the_same_bundle(void **state)
{
    (void)state;
    char error[256];
    struct attestd_text first = {0}, second = {0};
    struct attestd_bundle bundle;
    struct appraisal *t = full();
    struct attestd_arena *arena = attestd_arena_new();
    write(t, &first);
    assert_true(attestd_bundle_read(arena, t->engine, first.data, first.len, &bundle, error, sizeof error));
    struct attestd_job *job = attestd_bundle_run(t->engine, &bundle, &t->view, bundle.time);
    attestd_bundle_write(&second, job, bundle.anchors, (const char *)bundle.policy_text.data, bundle.policy_text.len);
    assert_string_equal(first.data, second.data);
    attestd_job_free(job);
    attestd_arena_free(arena);
    attestd_text_free(&first);
    attestd_text_free(&second);
    appraisal_free(t);
}

static void what_was_absent_stays_absent(void **state)
{
    (void)state;
    char error[256];
    struct attestd_text text = {0}, again = {0};
    struct attestd_bundle bundle;
    struct appraisal *t = appraisal_new();
    struct attestd_arena *arena = attestd_arena_new();
    t->request.no_binding = true;
    appraisal_add(t, "cpu0", "script", "check parse pass\ncheck signature pass\nneed crl list\n");
    assert_int_equal(appraisal_run(t, TEST_TIME), ATTESTD_PENDING);
    attestd_job_absent(t->job, "script.crl", "list", "the vendor's breaker is open");
    assert_int_equal(appraisal_run(t, TEST_TIME), ATTESTD_DONE);
    write(t, &text);
    assert_true(attestd_bundle_read(arena, t->engine, text.data, text.len, &bundle, error, sizeof error));
    struct attestd_job *job = attestd_bundle_run(t->engine, &bundle, &t->view, bundle.time);
    assert_true(attestd_job_result(job)->unavailable);
    attestd_bundle_result(&again, job);
    assert_int_equal(again.len, bundle.result.len);
    assert_memory_equal(again.data, bundle.result.data, again.len);
    assert_non_null(strstr(again.data, "the vendor's breaker is open"));
    attestd_job_free(job);
    attestd_arena_free(arena);
    attestd_text_free(&text);
    attestd_text_free(&again);
    appraisal_free(t);
}

static bool read_changed(struct appraisal *t, const struct attestd_text *text, const char *from, const char *to, char *error, size_t size)
{
    struct attestd_bundle bundle;
    struct attestd_arena *arena = attestd_arena_new();
    char *changed = strdup(text->data), *place = strstr(changed, from);

    assert_non_null(place);
    assert_int_equal(strlen(from), strlen(to));
    memcpy(place, to, strlen(to));
    bool good = attestd_bundle_read(arena, t->engine, changed, text->len, &bundle, error, size);
    free(changed);
    attestd_arena_free(arena);
    return good;
}

static void an_altered_bundle_is_refused_with_the_place(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to, *why;
    } cases[] = {
        {"\"bundle\":1", "\"bundle\":2", "bundle version 2; this build reads version 1"},
        {"\"base64\":\"Y2hlY2sg", "\"base64\":\"Y2hlY2sh", "script does not have the recorded SHA-256"},
        {"\"base64\":\"YmFk", "\"base64\":\"YmFl", "script.cert does not have the recorded SHA-256"},
        {"\"base64\":\"eyJwb2xp", "\"base64\":\"eyJwb2xq", "policy.text does not have the recorded SHA-256"},
        {"\"type\":\"script\"", "\"type\":\"scripd\"", "no loaded plugin reads scripd"},
        {"\"freshness\":\"external\"", "\"freshness\":\"internal\"", "there is no freshness internal"},
        {"\"anchors\":[{", "\"anchorz\":[{", "anchors is not a list of at most 4096"},
        {"\"time\":\"1970", "\"tyme\":\"1970", "time is not a text"},
        {"\"crv\":\"Ed25519\"", "\"crv\":\"Ed25518\"", "jwk: "},
    };
    char error[256];
    struct attestd_text text = {0};
    struct appraisal *t = full();
    write(t, &text);
    assert_true(read_changed(t, &text, "\"bundle\":1", "\"bundle\":1", error, sizeof error));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_false(read_changed(t, &text, cases[i].from, cases[i].to, error, sizeof error));
        if (strstr(error, cases[i].why) == NULL)
            fail_msg("%s: %s", cases[i].to, error);
    }
    attestd_text_free(&text);
    appraisal_free(t);
}

static void every_truncation_of_a_bundle_is_refused(void **state)
{
    (void)state;
    char error[256];
    struct attestd_bundle bundle;
    struct attestd_text text = {0};
    struct appraisal *t = full();
    write(t, &text);
    for (size_t len = 0; len < text.len; len += 61) {
        struct attestd_arena *arena = attestd_arena_new();
        assert_false(attestd_bundle_read(arena, t->engine, text.data, len, &bundle, error, sizeof error));
        attestd_arena_free(arena);
    }
    attestd_text_free(&text);
    appraisal_free(t);
}

static void bundles_are_told_by_their_first_member(void **state)
{
    (void)state;
    assert_true(attestd_bundle_is(" {\n\"bundle\": 1}", 15));
    assert_false(attestd_bundle_is("{\"evidence\":{\"bundle\":1}}", 25));
    assert_false(attestd_bundle_is("\"bundle\"", 8));
    assert_false(attestd_bundle_is("{{\"bund", 7));
    assert_false(attestd_bundle_is("", 0));
}

static void differences_are_told_by_path_and_check_id(void **state)
{
    (void)state;
    static const char before[] = "{\"checks\":[{\"id\":\"a\",\"outcome\":\"pass\"},{\"id\":\"b\"}],\"list\":[1,2],\"same\":{\"x\":1}}";
    static const char after[] =
        "{\"checks\":[{\"id\":\"c\"},{\"id\":\"a\",\"outcome\":\"fail\"}],\"list\":[1],\"same\":{\"x\":1},\"new\":true}";
    struct attestd_text out = {0};
    assert_int_equal(attestd_bundle_diff(before, strlen(before), after, strlen(after), &out), 5);
    assert_string_equal(out.data, "checks[a].outcome: \"pass\" -> \"fail\"\n"
                                  "checks[b]: {\"id\":\"b\"} -> (nothing)\n"
                                  "checks[c]: (nothing) -> {\"id\":\"c\"}\n"
                                  "list[1]: 2 -> (nothing)\n"
                                  "new: (nothing) -> true\n");
    attestd_text_free(&out);
    assert_int_equal(attestd_bundle_diff("{", 1, "{}", 2, &out), 1);
    attestd_text_free(&out);
}

/* Trees of values, on which claims and settings stand. */

static void trees_nest_append_and_replace(void **state)
{
    (void)state;
    struct attestd_arena *arena = attestd_arena_new();
    struct attestd_tree *tree = attestd_tree_new(arena);
    char path[32];
    attestd_tree_number(tree, "a.b.c", 1);
    attestd_tree_text(tree, "a.list[]", "x");
    attestd_tree_bytes(tree, "a.list[]", (const uint8_t *)"\xff", 1);
    attestd_tree_flag(tree, "a.b.c", true); /* another kind */
    attestd_tree_number(tree, "gone.deep", 1);
    attestd_tree_text(tree, "gone", "scalar"); /* replaces the map */
    attestd_tree_number(tree, "back", 2);
    attestd_tree_number(tree, "back.again", 3); /* replaces the scalar */
    const struct attestd_value *value = attestd_tree_value(tree);
    assert_string_equal(attestd_value_show(arena, value),
                        "{\"a\":{\"b\":{\"c\":true},\"list\":[\"x\",\"ff\"]},\"gone\":\"scalar\",\"back\":{\"again\":3}}");
    assert_int_equal(attestd_value_find(value, "a.b.c")->kind, ATTESTD_VALUE_FLAG);
    assert_null(attestd_value_find(value, "a.b"
                                          "c"));
    assert_null(attestd_value_find(value, "gone.deep"));
    assert_null(attestd_value_find(value, "a.b.c.d"));
    for (int i = 0; i < 2000; i++) { /* grows its index */
        snprintf(path, sizeof path, "n%d.v", i);
        attestd_tree_number(tree, path, i);
    }
    value = attestd_tree_value(tree);
    assert_int_equal(attestd_value_find(value, "n1999.v")->number, 1999);
    assert_int_equal(value->count, 2003);
    attestd_arena_free(arena);
}

static void values_are_equal_by_kind_and_contents(void **state)
{
    (void)state;
    struct attestd_arena *arena = attestd_arena_new();
    json_t *json = json_loads(
        "{\"m\":{\"a\":1,\"b\":[true,null]},\"n\":{\"b\":[true,null],\"a\":1},\"o\":{\"a\":1},\"h\":\"FfAa\",\"k\":\"ffa\"}", 0, NULL);
    const struct attestd_value *v = attestd_value_from_json(arena, json);
    struct attestd_value bytes = {.kind = ATTESTD_VALUE_BYTES, .text = {(const uint8_t *)"\xff\xaa", 2}};
    assert_true(attestd_value_equal(attestd_value_find(v, "m"), attestd_value_find(v, "n")));
    assert_false(attestd_value_equal(attestd_value_find(v, "m"), attestd_value_find(v, "o")));
    assert_false(attestd_value_equal(attestd_value_find(v, "o"), attestd_value_find(v, "m")));
    assert_true(attestd_value_equal(&bytes, attestd_value_find(v, "h")));
    assert_true(attestd_value_equal(attestd_value_find(v, "h"), &bytes));
    assert_false(attestd_value_equal(&bytes, attestd_value_find(v, "k")));
    assert_false(attestd_value_equal(attestd_value_find(v, "m.a"), attestd_value_find(v, "m.b")));
    json_decref(json);
    attestd_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_of_answer_and_bundle_are_written),
        cmocka_unit_test(a_bundle_runs_again_to_the_same_bytes),
        cmocka_unit_test(a_bundle_of_a_bundle_is_the_same_bundle),
        cmocka_unit_test(what_was_absent_stays_absent),
        cmocka_unit_test(an_altered_bundle_is_refused_with_the_place),
        cmocka_unit_test(every_truncation_of_a_bundle_is_refused),
        cmocka_unit_test(bundles_are_told_by_their_first_member),
        cmocka_unit_test(differences_are_told_by_path_and_check_id),
        cmocka_unit_test(trees_nest_append_and_replace),
        cmocka_unit_test(values_are_equal_by_kind_and_contents),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
