/* SPDX-License-Identifier: Apache-2.0 */
/* Binding through whole appraisals: what passes, and what each way of not binding is called. docs/binding-vectors.json is recomputed by
 * tests/binding/recompute.mjs from the docs alone; here core must give the same bytes. */
#include "tests/core/appraisal.h"

#include "core/digest.h"
#include "core/encoding.h"
#include "tests/core/script.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NONCE "0123456789abcdef0123456789abcdef"
#define GOOD "check parse pass\ncheck signature pass\n"

static const char JWK[] = "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\","
                          "\"y\":\"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\",\"alg\":\"ECDSA\"}";

static const struct attestd_datum DATA[] = {{"image", {(const uint8_t *)"\xab\xcd", 2}}};

/* A request that carries everything. */
static struct appraisal *rich(void)
{
    struct appraisal *t = appraisal_new();
    const char *error = NULL;
    json_t *jwk = json_loads(JWK, 0, NULL);

    appraisal_nonce(t, NONCE);
    t->request.audience = "https://kms.example";
    t->request.key = attestd_jwk_read(t->arena, jwk, &error);
    assert_non_null(t->request.key);
    t->request.data = DATA;
    t->request.data_count = 1;
    json_decref(jwk);
    return t;
}

/* Evidence whose field is what `bound` demands, appraised under t's request. */
static void appraise(struct appraisal *t, const struct attestd_request *bound)
{
    char script[1024] = GOOD;
    struct attestd_request alone = *bound;

    alone.piece_count = 1;
    bind_line(&alone, NULL, 0, script, sizeof script);
    appraisal_add(t, "cpu0", "script", script);
    assert_int_equal(appraisal_run(t, TEST_TIME), ATTESTD_DONE);
}

static void field_of_everything_is_affirming(void **state)
{
    (void)state;
    struct appraisal *t = rich();
    appraise(t, &t->request);
    assert_check(&t->result->checks, "binding.nonce", ATTESTD_PASS, NULL);
    assert_check(&t->result->checks, "binding.layout", ATTESTD_PASS, NULL);
    assert_check(&t->result->checks, "binding.binder", ATTESTD_PASS, NULL);
    assert_int_equal(t->result->verdict, ATTESTD_AFFIRMING);
    assert_true(t->result->nonce_matched && t->result->audience_bound && t->result->key_bound);
    assert_string_equal(t->result->binder, "cpu0");
    assert_int_equal(t->result->bound_field.len, 64);
    appraisal_free(t);
}

static void what_the_guest_left_out_is_named(void **state)
{
    (void)state;
    for (int i = 0; i < 7; i++) {
        struct appraisal *t = rich();
        struct attestd_request bound = t->request;
        static const char *const codes[] = {
            "BINDING_AUDIENCE_NOT_BOUND", "BINDING_KEY_NOT_BOUND", "BINDING_DATA_NOT_BOUND",  "NONCE_NOT_BOUND",
            "BINDING_AUDIENCE_NOT_BOUND", "BINDING_MISMATCH",      "BINDING_LAYOUT_MISMATCH",
        };
        if (i == 0 || i == 4)
            bound.audience = NULL;
        if (i == 1 || i == 4)
            bound.key = NULL;
        if (i == 2)
            bound.data_count = 0;
        if (i == 3)
            bound.nonce.len = 0;
        if (i == 5)
            bound.audience = "https://other.example"; /* another one: cannot be told from another nonce */
        if (i == 6)
            bound = (struct attestd_request){.nonce = t->request.nonce, .layout = "raw", .token = "ear"};
        appraise(t, &bound);
        assert_check(&t->result->checks, "binding.nonce", ATTESTD_FAIL, codes[i]);
        assert_int_equal(t->result->verdict, ATTESTD_CONTRAINDICATED);
        assert_false(t->result->nonce_matched);
        assert_non_null(check_in(&t->result->checks, "binding.nonce")->observed);
        assert_non_null(check_in(&t->result->checks, "binding.nonce")->expected);
        appraisal_free(t);
    }
}

static void another_nonce_is_a_mismatch(void **state)
{
    (void)state;
    struct appraisal *t = appraisal_new();
    appraisal_nonce(t, NONCE);
    struct attestd_request bound = t->request;
    bound.nonce = (struct attestd_bytes){(const uint8_t *)"another nonce", 13};
    appraise(t, &bound);
    assert_check(&t->result->checks, "binding.nonce", ATTESTD_FAIL, "NONCE_MISMATCH");
    assert_int_equal(t->result->verdict, ATTESTD_CONTRAINDICATED);
    appraisal_free(t);
}

static void an_empty_field_is_named_so(void **state)
{
    (void)state;
    char script[512] = GOOD "bind 0 ";
    struct appraisal *t = appraisal_new();
    appraisal_nonce(t, NONCE);
    for (int i = 0; i < 64; i++)
        strcat(script, "00");
    appraisal_add(t, "cpu0", "script", script);
    assert_int_equal(appraisal_run(t, TEST_TIME), ATTESTD_DONE);
    assert_check(&t->result->checks, "binding.nonce", ATTESTD_FAIL, "BINDING_FIELD_EMPTY");
    appraisal_free(t);
}

static void evidence_without_a_field_binds_nothing(void **state)
{
    (void)state;
    struct appraisal *t = appraisal_new();
    appraisal_nonce(t, NONCE);
    appraisal_add(t, "cpu0", "script", GOOD);
    assert_int_equal(appraisal_run(t, TEST_TIME), ATTESTD_DONE);
    assert_check(&t->result->checks, "binding.nonce", ATTESTD_FAIL, "BINDING_FIELD_MISSING");
    appraisal_free(t);
}

static void an_optional_audience_may_be_unbound_and_the_result_says_so(void **state)
{
    (void)state;
    struct appraisal *t = rich();
    struct attestd_request bound = t->request;
    bound.audience = NULL;
    t->policy.binding_audience = "optional";
    appraise(t, &bound);
    assert_check(&t->result->checks, "binding.nonce", ATTESTD_PASS, NULL);
    assert_int_equal(t->result->verdict, ATTESTD_AFFIRMING);
    assert_false(t->result->audience_bound);
    assert_true(t->result->key_bound);
    appraisal_free(t);
}

static void each_layout_passes_with_what_it_can_bind_alone(void **state)
{
    (void)state;
    static const char *const layouts[] = {"raw", "sha512", "trustee", "ita"};
    static const struct attestd_datum ita[] = {{"iat", {(const uint8_t *)"2026", 4}}, {"user_data", {(const uint8_t *)"u", 1}}};

    for (size_t i = 0; i < 4; i++) {
        struct appraisal *t = rich();
        t->request.layout = layouts[i];
        t->request.audience = NULL;
        t->request.nonce_text = "MDEyMw";
        t->request.data_count = 0;
        if (i == 2)
            t->request.key_json = JWK;
        else
            t->request.key = NULL;
        if (i == 3) {
            t->request.data = ita;
            t->request.data_count = 2;
        }
        appraise(t, &t->request);
        assert_check(&t->result->checks, "binding.nonce", ATTESTD_PASS, NULL);
        assert_int_equal(t->result->verdict, ATTESTD_AFFIRMING);
        appraisal_free(t);
    }
}

static void a_layout_that_cannot_bind_the_request_fails(void **state)
{
    (void)state;
    struct appraisal *t = rich();
    struct attestd_request bound = {.nonce = t->request.nonce, .layout = "raw", .token = "ear"};
    t->request.layout = "raw";
    appraise(t, &bound);
    assert_check(&t->result->checks, "binding.layout", ATTESTD_FAIL, "BINDING_LAYOUT_CANNOT_BIND");
    assert_check(&t->result->checks, "binding.nonce", ATTESTD_SKIPPED, NULL);
    assert_int_equal(t->result->verdict, ATTESTD_CONTRAINDICATED);
    appraisal_free(t);

    t = rich();
    bound.nonce = t->request.nonce;
    t->request.layout = "mine";
    appraise(t, &bound);
    assert_check(&t->result->checks, "binding.layout", ATTESTD_FAIL, "BINDING_LAYOUT_UNKNOWN");
    appraisal_free(t);
}

static void without_a_nonce_binding_is_skipped_and_the_verdict_at_best_warning(void **state)
{
    (void)state;
    struct appraisal *t = appraisal_new();
    t->request.no_binding = true;
    appraisal_add(t, "cpu0", "script", GOOD);
    assert_int_equal(appraisal_run(t, TEST_TIME), ATTESTD_DONE);
    assert_check(&t->result->checks, "binding.nonce", ATTESTD_SKIPPED, NULL);
    assert_check(&t->result->checks, "freshness.source", ATTESTD_SKIPPED, NULL);
    assert_int_equal(t->result->verdict, ATTESTD_WARNING);
    assert_false(t->result->nonce_matched);
    appraisal_free(t);
}

static void a_request_that_binds_nothing_is_at_best_a_warning(void **state)
{
    (void)state;
    struct appraisal *t = appraisal_new();
    appraisal_add(t, "cpu0", "script", GOOD "bind 0 00\n");
    assert_int_equal(appraisal_run(t, TEST_TIME), ATTESTD_DONE);
    assert_check(&t->result->checks, "binding.nonce", ATTESTD_SKIPPED, NULL);
    assert_int_equal(t->result->verdict, ATTESTD_WARNING);
    appraisal_free(t);
}

static void a_given_field_is_compared_directly(void **state)
{
    (void)state;
    static const uint8_t given[] = {0xaa, 0xbb};
    static const struct {
        const char *script;
        int outcome;
        const char *code;
    } cases[] = {{GOOD "bind 0 aabb\n", ATTESTD_PASS, NULL},
                 {GOOD "bind 0 aabb0000\n", ATTESTD_PASS, NULL},
                 {GOOD "bind 0 aabb0001\n", ATTESTD_FAIL, "BINDING_MISMATCH"},
                 {GOOD "bind 0 aa\n", ATTESTD_FAIL, "BINDING_MISMATCH"},
                 {"check parse fail SCRIPT_RESERVED\nbind 0 aabb\n", ATTESTD_SKIPPED, NULL}};
    for (size_t i = 0; i < 5; i++) {
        struct appraisal *t = appraisal_new();
        t->request.expected_field = (struct attestd_bytes){given, sizeof given};
        appraisal_add(t, "cpu0", "script", cases[i].script);
        assert_int_equal(appraisal_run(t, TEST_TIME), ATTESTD_DONE);
        assert_check(&t->result->checks, "binding.nonce", cases[i].outcome, cases[i].code);
        appraisal_free(t);
    }
}

/* Devices. */

enum fault { SOUND, WRONG_NONCE, NOT_COVERED, NO_DIGEST, CHANGED };

/* cpu0 and two gadgets; gpu1 as the fault says. */
static struct appraisal *fleet(enum fault fault)
{
    struct appraisal *t = appraisal_new();
    char script[1024] = GOOD;
    char line[512];
    struct attestd_device_digest devices[2] = {{.label = "gpu0"}, {.label = "gpu1"}};
    static const char *const labels[] = {"gpu0", "gpu1"};

    appraisal_nonce(t, NONCE);
    attestd_sha256("\x01", 1, devices[0].sha256);
    attestd_sha256("\x02", 1, devices[1].sha256);
    bind_line(&t->request, devices, fault == NOT_COVERED || fault == NO_DIGEST ? 1 : 2, script, sizeof script);
    appraisal_add(t, "cpu0", "script", script);
    for (int i = 0; i < 2; i++) {
        uint8_t nonce[32];
        char hex[65];
        attestd_binding_device_nonce(t->request.nonce, labels[i], nonce);
        nonce[0] ^= i == 1 && fault == WRONG_NONCE;
        attestd_hex_encode(nonce, 32, hex);
        snprintf(line, sizeof line, "%sbind 1 %s\n", GOOD, hex);
        if (i == 0 || fault != NO_DIGEST)
            strcat(line, i == 0 ? "sign 01\n" : fault == CHANGED ? "sign 03\n" : "sign 02\n");
        appraisal_add(t, labels[i], "gadget", line);
    }
    assert_int_equal(appraisal_run(t, TEST_TIME), ATTESTD_DONE);
    return t;
}

static void devices_in_the_field_are_bound(void **state)
{
    (void)state;
    struct appraisal *t = fleet(SOUND);
    assert_int_equal(t->result->verdict, ATTESTD_AFFIRMING);
    for (int i = 1; i < 3; i++) {
        assert_check(&t->result->pieces[i].checks, "binding.device_nonce", ATTESTD_PASS, NULL);
        assert_check(&t->result->pieces[i].checks, "binding.unbound", ATTESTD_PASS, NULL);
    }
    appraisal_free(t);
}

static void a_device_with_another_nonce_is_refused(void **state)
{
    (void)state;
    struct appraisal *t = fleet(WRONG_NONCE);
    assert_check(&t->result->pieces[2].checks, "binding.device_nonce", ATTESTD_FAIL, "DEVICE_NONCE_MISMATCH");
    assert_check(&t->result->pieces[1].checks, "binding.device_nonce", ATTESTD_PASS, NULL);
    assert_check(&t->result->checks, "binding.nonce", ATTESTD_PASS, NULL);
    assert_int_equal(t->result->verdict, ATTESTD_CONTRAINDICATED);
    appraisal_free(t);
}

static void a_device_the_binder_does_not_cover_is_unbound(void **state)
{
    (void)state;
    static const enum fault faults[] = {NOT_COVERED, NO_DIGEST, CHANGED};
    for (size_t i = 0; i < 3; i++) {
        struct appraisal *t = fleet(faults[i]);
        if (faults[i] == CHANGED) { /* the field holds a digest nobody has */
            assert_check(&t->result->checks, "binding.nonce", ATTESTD_FAIL, "BINDING_MISMATCH");
            assert_check(&t->result->pieces[2].checks, "binding.unbound", ATTESTD_SKIPPED, NULL);
        } else {
            assert_check(&t->result->checks, "binding.nonce", ATTESTD_PASS, NULL);
            assert_check(&t->result->pieces[2].checks, "binding.unbound", ATTESTD_FAIL, "EVIDENCE_UNBOUND");
            assert_check(&t->result->pieces[1].checks, "binding.unbound", ATTESTD_PASS, NULL);
        }
        assert_int_equal(t->result->verdict, ATTESTD_CONTRAINDICATED);
        appraisal_free(t);
    }
}

static void let_unbound_stand(struct attestd_job *job, struct attestd_result *result)
{
    struct attestd_check_result *item = (struct attestd_check_result *)(uintptr_t)check_in(&result->pieces[2].checks, "binding.unbound");

    (void)job;
    item->mode = ATTESTD_DISABLED; /* core makes it a warning */
}

static void an_unbound_device_is_at_most_a_warning_whatever_the_policy(void **state)
{
    (void)state;
    struct appraisal *t = appraisal_new();
    char script[1024] = GOOD;
    appraisal_nonce(t, NONCE);
    bind_line(&t->request, NULL, 0, script, sizeof script);
    appraisal_add(t, "cpu0", "script", script);
    appraisal_add(t, "cpu1x", "gadget", GOOD "bind 1 00\nsign 01\n");
    t->request.piece_count--; /* a second device stands at index 2 */
    appraisal_add(t, "gpu0", "gadget", GOOD "sign 05\n");
    appraisal_add(t, "gpu1", "gadget", GOOD "bind 1 00\nsign 01\n");
    t->policy.decide = let_unbound_stand;
    assert_int_equal(appraisal_run(t, TEST_TIME), ATTESTD_DONE);
    assert_int_equal(check_in(&t->result->pieces[2].checks, "binding.unbound")->mode, ATTESTD_WARN);
    assert_int_equal(t->result->pieces[2].verdict, ATTESTD_WARNING);
    assert_int_equal(t->result->pieces[1].verdict, ATTESTD_CONTRAINDICATED);
    appraisal_free(t);
}

static void the_binder_is_found_or_named(void **state)
{
    (void)state;
    static const struct {
        const char *types[2];
        const char *by;
        int outcome;
        const char *code;
    } cases[] = {
        {{"script", "gadget"}, NULL, ATTESTD_PASS, NULL},
        {{"script", "script"}, NULL, ATTESTD_FAIL, "BINDER_AMBIGUOUS"},
        {{"script", "script"}, "b", ATTESTD_PASS, NULL},
        {{"script", "script"}, "c", ATTESTD_FAIL, "BINDER_AMBIGUOUS"},
        {{"gadget", "gadget"}, NULL, ATTESTD_FAIL, "BINDER_MISSING"},
        {{"gadget", "gadget"}, "a", ATTESTD_PASS, NULL},
        {{"gadget", NULL}, NULL, ATTESTD_PASS, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct appraisal *t = appraisal_new();
        appraisal_nonce(t, NONCE);
        t->policy.binding_by = cases[i].by;
        appraisal_add(t, "a", cases[i].types[0], GOOD);
        if (cases[i].types[1] != NULL)
            appraisal_add(t, "b", cases[i].types[1], GOOD);
        assert_int_equal(appraisal_run(t, TEST_TIME), ATTESTD_DONE);
        assert_check(&t->result->checks, "binding.binder", cases[i].outcome, cases[i].code);
        assert_int_equal(t->result->verdict, ATTESTD_CONTRAINDICATED); /* none of them has a field */
        appraisal_free(t);
    }
}

/* Forms of fields. */

static void fields_of_every_form_must_hold(void **state)
{
    (void)state;
    char d_hex[129], digest_hex[65], nonce_hex[129];
    uint8_t d[64], digest[32];
    struct appraisal *probe = appraisal_new();
    appraisal_nonce(probe, NONCE);
    attestd_binding_expected(&probe->request, NULL, 0, d, NULL);
    attestd_sha256(d, 64, digest);
    attestd_hex_encode(d, 64, d_hex);
    attestd_hex_encode(digest, 32, digest_hex);
    attestd_hex_encode((const uint8_t *)NONCE, strlen(NONCE), nonce_hex);
    appraisal_run(probe, TEST_TIME);
    appraisal_free(probe);
    const struct {
        const char *a, *b;
        bool holds;
    } cases[] = {
        {"bind 1 ", digest_hex, true},        {"bind 1 ", d_hex, false},
        {"bind 0 ", digest_hex, false},       {"bind 2 ", nonce_hex, false}, /* a nonce beside nothing is no D */
        {"bind 2 00\nbind 0 ", d_hex, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char script[512];
        struct appraisal *t = appraisal_new();
        appraisal_nonce(t, NONCE);
        snprintf(script, sizeof script, GOOD "%s%s\n", cases[i].a, cases[i].b);
        appraisal_add(t, "cpu0", "script", script);
        assert_int_equal(appraisal_run(t, TEST_TIME), ATTESTD_DONE);
        assert_int_equal(check_in(&t->result->checks, "binding.nonce")->outcome, cases[i].holds ? ATTESTD_PASS : ATTESTD_FAIL);
        appraisal_free(t);
    }
    char script[1024];
    struct appraisal *t = appraisal_new();
    appraisal_nonce(t, NONCE);
    snprintf(script, sizeof script, GOOD "bind 0 %s\nbind 2 %s\nbind 2 \nbind 3 \n", d_hex, nonce_hex);
    appraisal_add(t, "cpu0", "script", script);
    assert_int_equal(appraisal_run(t, TEST_TIME), ATTESTD_DONE);
    assert_check(&t->result->checks, "binding.nonce", ATTESTD_PASS, NULL);
    appraisal_free(t);
}

/* The published vectors. */

static struct attestd_bytes hex_of(struct attestd_arena *arena, const json_t *value)
{
    size_t len = 0, text_len = json_string_length(value);
    uint8_t *bytes = attestd_arena_alloc(arena, text_len / 2 + 1);

    assert_true(attestd_hex_decode(json_string_value(value), text_len, bytes, text_len / 2, &len));
    return (struct attestd_bytes){bytes, len};
}

static size_t devices_of(struct attestd_arena *arena, const json_t *object, struct attestd_device_digest *devices)
{
    const char *label;
    json_t *value;
    size_t count = 0;

    json_object_foreach((json_t *)(uintptr_t)object, label, value)
    {
        devices[count].label = label;
        memcpy(devices[count++].sha256, hex_of(arena, value).data, 32);
    }
    return count;
}

static void request_of(struct attestd_arena *arena, const json_t *vector, struct attestd_request *request, struct attestd_datum *data)
{
    const char *name, *error = NULL;
    json_t *value;
    const json_t *jwk = json_object_get(vector, "jwk");

    *request = (struct attestd_request){.layout = json_string_value(json_object_get(vector, "layout")), .token = "ear"};
    request->nonce = hex_of(arena, json_object_get(vector, "nonce"));
    request->nonce_text = json_string_value(json_object_get(vector, "nonce_text"));
    request->audience = json_string_value(json_object_get(vector, "audience"));
    request->data = data;
    json_object_foreach(json_object_get(vector, "data"), name, value) data[request->data_count++] =
        (struct attestd_datum){name, hex_of(arena, value)};
    if (jwk == NULL)
        return;
    struct attestd_text text = {0};
    struct attestd_json_writer writer = attestd_json_writer_to(&text);
    request->key = attestd_jwk_read(arena, jwk, &error);
    assert_non_null(request->key);
    attestd_json_jansson(&writer, NULL, jwk);
    request->key_json = attestd_arena_text(arena, text.data);
    attestd_text_free(&text);
}

static void core_gives_the_published_vectors(void **state)
{
    (void)state;
    char path[1024];
    snprintf(path, sizeof path, "%s/docs/binding-vectors.json", getenv("ATTESTD_SOURCE"));
    json_t *file = json_load_file(path, 0, NULL), *vector;
    size_t i;
    assert_non_null(file);
    assert_true(json_array_size(json_object_get(file, "vectors")) >= 10);
    json_array_foreach(json_object_get(file, "vectors"), i, vector)
    {
        struct attestd_arena *arena = attestd_arena_new();
        struct attestd_request request;
        struct attestd_datum data[ATTESTD_MAX_DATA];
        struct attestd_device_digest devices[ATTESTD_MAX_PIECES];
        uint8_t d[64], digest[32];
        request_of(arena, vector, &request, data);
        size_t count = devices_of(arena, json_object_get(vector, "devices"), devices);
        assert_true(attestd_binding_expected(&request, devices, count, d, NULL));
        assert_string_equal(attestd_arena_hex(arena, d, 64), json_string_value(json_object_get(vector, "field")));
        attestd_sha256(d, 64, digest);
        if (strcmp(request.layout, "attestd-v1") == 0)
            assert_string_equal(attestd_arena_hex(arena, digest, 32), json_string_value(json_object_get(vector, "sha256_of_field")));
        attestd_arena_free(arena);
    }
    json_array_foreach(json_object_get(file, "device_nonces"), i, vector)
    {
        struct attestd_arena *arena = attestd_arena_new();
        uint8_t nonce[32];
        attestd_binding_device_nonce(hex_of(arena, json_object_get(vector, "nonce")), json_string_value(json_object_get(vector, "label")),
                                     nonce);
        assert_string_equal(attestd_arena_hex(arena, nonce, 32), json_string_value(json_object_get(vector, "device_nonce")));
        attestd_arena_free(arena);
    }
    json_decref(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(field_of_everything_is_affirming),
        cmocka_unit_test(what_the_guest_left_out_is_named),
        cmocka_unit_test(another_nonce_is_a_mismatch),
        cmocka_unit_test(an_empty_field_is_named_so),
        cmocka_unit_test(evidence_without_a_field_binds_nothing),
        cmocka_unit_test(an_optional_audience_may_be_unbound_and_the_result_says_so),
        cmocka_unit_test(each_layout_passes_with_what_it_can_bind_alone),
        cmocka_unit_test(a_layout_that_cannot_bind_the_request_fails),
        cmocka_unit_test(without_a_nonce_binding_is_skipped_and_the_verdict_at_best_warning),
        cmocka_unit_test(a_request_that_binds_nothing_is_at_best_a_warning),
        cmocka_unit_test(a_given_field_is_compared_directly),
        cmocka_unit_test(devices_in_the_field_are_bound),
        cmocka_unit_test(a_device_with_another_nonce_is_refused),
        cmocka_unit_test(a_device_the_binder_does_not_cover_is_unbound),
        cmocka_unit_test(an_unbound_device_is_at_most_a_warning_whatever_the_policy),
        cmocka_unit_test(the_binder_is_found_or_named),
        cmocka_unit_test(fields_of_every_form_must_hold),
        cmocka_unit_test(core_gives_the_published_vectors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
