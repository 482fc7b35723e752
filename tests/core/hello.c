/* SPDX-License-Identifier: Apache-2.0 */
/* examples/plugin-hello, built with the plain compiler and loaded from a file. */
#include "tests/core/appraisal.h"

#include "core/digest.h"
#include "core/encoding.h"
#include "core/value.h"
#include "tests/core/mint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NONCE "0123456789abcdef"

static char directory[64];
static struct attestd_engine *engine;

struct device {
    EVP_PKEY *root, *key;
    struct attestd_key *root_public, *key_public;
    uint8_t endorsement[246], evidence[200];
};
static struct device device;

static void sign(EVP_PKEY *key, const void *message, size_t len, uint8_t raw[64])
{
    uint8_t der[128];
    mint_raw(der, mint_signature(key, "SHA256", -1, message, len, der, sizeof der), 32, raw);
}

/* Evidence that binds the nonce, with these flags. */
static void collect(uint8_t flags)
{
    uint8_t *e = device.evidence;
    struct attestd_bytes nonce = {(const uint8_t *)NONCE, strlen(NONCE)}, spki = attestd_key_spki(device.key_public);
    memset(e, 0, sizeof device.evidence);
    memcpy(e, "HELO\1", 5);
    e[5] = flags;
    attestd_binding_d(nonce, NULL, NULL, NULL, 0, NULL, 0, e + 8);
    memset(e + 72, 0xab, 32);
    attestd_sha256(spki.data, spki.len, e + 104);
    sign(device.key, e, 136, e + 136);
}

static int build(void **state)
{
    char command[1024], error[512];
    (void)state;
    strcpy(directory, "/tmp/attestd-hello-XXXXXX");
    assert_non_null(mkdtemp(directory));
    chmod(directory, 0755);
    snprintf(command, sizeof command, "umask 022 && make -s -C '%s/examples/plugin-hello' CC=cc OUT='%s'", getenv("ATTESTD_SOURCE"),
             directory);
    assert_int_equal(system(command), 0);
    engine = attestd_engine_new();
    if (!attestd_engine_load(engine, directory, "hello", error, sizeof error))
        fail_msg("%s", error);

    device.root = mint_key("P-256", 0);
    device.key = mint_key("P-256", 0);
    device.root_public = mint_public(device.root);
    device.key_public = mint_public(device.key);
    memcpy(device.endorsement, attestd_key_spki(device.root_public).data, 91);
    memcpy(device.endorsement + 91, attestd_key_spki(device.key_public).data, 91);
    sign(device.root, device.endorsement + 91, 91, device.endorsement + 182);
    return 0;
}

static int clean(void **state)
{
    char path[128];
    (void)state;
    attestd_engine_free(engine);
    attestd_key_free(device.root_public);
    attestd_key_free(device.key_public);
    EVP_PKEY_free(device.root);
    EVP_PKEY_free(device.key);
    snprintf(path, sizeof path, "%s/hello.so", directory);
    unlink(path);
    rmdir(directory);
    return 0;
}

static void decide(const void *policy, struct attestd_job *job, const struct attestd_request *request, struct attestd_result *result,
                   int64_t time)
{
    (void)policy;
    (void)job;
    (void)request;
    (void)result;
    (void)time;
}

static const struct attestd_value *setting(const void *policy, const char *type, const char *path)
{
    const struct attestd_value *value = policy;
    return strcmp(type, "hello") == 0 && strcmp(path, "measurement") == 0 && value->kind == ATTESTD_VALUE_TEXT ? value : NULL;
}

enum endorsing { GIVEN, ABSENT, FORGED, UNPINNED };

struct outcome {
    struct attestd_arena *arena;
    struct attestd_job *job;
    int answer;
    const struct attestd_result *result;
};

static struct outcome appraise(enum endorsing how, const char *measurement)
{
    static struct attestd_value wanted;
    static struct attestd_policy_view view;
    static struct attestd_request request;
    struct attestd_request_fault fault;
    struct outcome o = {.arena = attestd_arena_new()};
    struct attestd_anchor_set *anchors = attestd_anchor_set_new();
    struct attestd_anchor root = {.name = "toy root", .purpose = "hello/root"};
    uint8_t endorsement[246];

    wanted = (struct attestd_value){.kind = measurement != NULL ? ATTESTD_VALUE_TEXT : ATTESTD_VALUE_NULL};
    if (measurement != NULL)
        wanted.text = (struct attestd_bytes){(const uint8_t *)measurement, strlen(measurement)};
    view = (struct attestd_policy_view){&wanted, "toy", 1, (const uint8_t[32]){0}, setting, NULL, decide};
    attestd_sha256(device.endorsement, 91, root.sha256);
    if (how != UNPINNED)
        attestd_anchor_set_add(anchors, &root);
    attestd_anchor_set_seal(anchors);
    memcpy(endorsement, device.endorsement, sizeof endorsement);
    if (how == FORGED)
        endorsement[200] ^= 1;
    assert_true(attestd_request_read_raw(o.arena, engine, NULL, device.evidence, sizeof device.evidence, &request, &fault));
    request.nonce = (struct attestd_bytes){(const uint8_t *)NONCE, strlen(NONCE)};
    o.job = attestd_job_new(engine, &request, &view, anchors, NULL);
    attestd_anchor_set_free(anchors);
    o.answer = attestd_job_run(o.job, 1000);
    const struct attestd_need *needs;
    while (o.answer == ATTESTD_PENDING) {
        assert_int_equal(attestd_job_needs(o.job, &needs), 1);
        assert_string_equal(needs[0].kind, "hello.key");
        struct attestd_supply supply = {.bytes = {endorsement, sizeof endorsement}, .source = "directory", .fetched = 1};
        if (how == ABSENT || needs[0].after_reject)
            attestd_job_absent(o.job, needs[0].kind, needs[0].key, "not in the directory");
        else
            attestd_job_supply(o.job, needs[0].kind, needs[0].key, &supply);
        o.answer = attestd_job_run(o.job, 1000);
    }
    o.result = attestd_job_result(o.job);
    return o;
}

static void done(struct outcome *o)
{
    attestd_job_free(o->job);
    attestd_arena_free(o->arena);
}

static void good_toy_evidence_is_affirming(void **state)
{
    (void)state;
    collect(0);
    struct outcome o = appraise(GIVEN, "abababababababababababababababababababababababababababababababab");
    assert_int_equal(o.answer, ATTESTD_DONE);
    assert_int_equal(o.result->verdict, ATTESTD_AFFIRMING);
    assert_true(o.result->nonce_matched);
    assert_int_equal(o.result->pieces[0].vector[ATTESTD_EXECUTABLES], 3);
    assert_int_equal(attestd_value_find(o.result->pieces[0].claims, "hello.measurement")->text.len, 32);
    done(&o);
}

static void each_check_fails_by_its_code(void **state)
{
    static const struct {
        uint8_t flags;
        enum endorsing how;
        const char *measurement, *check;
        int outcome;
        const char *code;
    } cases[] = {
        {2, GIVEN, NULL, "hello.reserved", ATTESTD_FAIL, "HELLO_RESERVED_SET"},
        {1, GIVEN, NULL, "hello.debug", ATTESTD_FAIL, "HELLO_DEBUG_ENABLED"},
        {0, ABSENT, NULL, "hello.root", ATTESTD_UNAVAILABLE, "HELLO_ROOT_UNAVAILABLE"},
        {0, FORGED, NULL, "hello.key", ATTESTD_FAIL, "HELLO_KEY_NOT_ENDORSED"},
        {0, UNPINNED, NULL, "hello.root", ATTESTD_FAIL, "HELLO_ROOT_UNKNOWN"},
        {0, GIVEN, "00", "hello.measurement", ATTESTD_FAIL, "HELLO_MEASUREMENT_UNEXPECTED"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        collect(cases[i].flags);
        struct outcome o = appraise(cases[i].how, cases[i].measurement);
        assert_check(&o.result->pieces[0].checks, cases[i].check, cases[i].outcome, cases[i].code);
        assert_int_equal(o.result->verdict, ATTESTD_CONTRAINDICATED);
        assert_int_equal(o.result->unavailable, cases[i].how == ABSENT);
        done(&o);
    }
}

static void no_flipped_byte_passes(void **state)
{
    (void)state;
    collect(0);
    for (size_t i = 0; i < sizeof device.evidence; i++) {
        struct attestd_request request;
        struct attestd_request_fault fault;
        struct attestd_arena *arena = attestd_arena_new();
        device.evidence[i] ^= 0x10;
        if (attestd_request_read_raw(arena, engine, NULL, device.evidence, sizeof device.evidence, &request, &fault)) {
            struct outcome o = appraise(GIVEN, NULL);
            assert_true(o.answer == ATTESTD_MALFORMED || o.result->verdict == ATTESTD_CONTRAINDICATED);
            if (i >= 136)
                assert_check(&o.result->pieces[0].checks, "hello.signature", ATTESTD_FAIL, "HELLO_SIGNATURE_INVALID");
            if (i == 4)
                assert_string_equal(o.result->pieces[0].malformed_code, "HELLO_MAGIC");
            done(&o);
        } else {
            assert_true(i < 4);
        }
        device.evidence[i] ^= 0x10;
        attestd_arena_free(arena);
    }
    struct outcome o = appraise(GIVEN, NULL);
    assert_int_equal(o.result->verdict, ATTESTD_AFFIRMING);
    done(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_toy_evidence_is_affirming),
        cmocka_unit_test(each_check_fails_by_its_code),
        cmocka_unit_test(no_flipped_byte_passes),
    };

    return cmocka_run_group_tests(tests, build, clean);
}
