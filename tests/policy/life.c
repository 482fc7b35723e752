/* SPDX-License-Identifier: Apache-2.0 */
/* The life of policies on disk: directories and ConfigMaps, embedded tests, watching, trust anchors. */
#include "core/bundle.h"
#include "policy/trust_anchors.h"
#include "policy/watch.h"
#include "tests/policy/toy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static struct attestd_engine *engine;
static char folder[64];

static void run_shell(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A shell line in the test's folder. */
static void run_shell(const char *format, ...)
{
    char line[1024], command[1200];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    snprintf(command, sizeof command, "cd %s && %s", folder, line);
    assert_int_equal(system(command), 0);
}

static void write_file(const char *name, const char *text)
{
    char path[256];
    FILE *file;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    fclose(file);
}

static int set_up(void **state)
{
    (void)state;
    engine = toy_engine();
    snprintf(folder, sizeof folder, "/tmp/attestd-policies-XXXXXX");
    return mkdtemp(folder) == NULL;
}

static int tear_down(void **state)
{
    char command[128];
    (void)state;
    attestd_engine_free(engine);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

static struct attestd_policy_set *compile(struct attestd_policy_fault *fault)
{
    struct attestd_policy_fault faults[4] = {{{0}, 0, 0, {0}, {0}}};
    struct attestd_anchor_set *anchors = toy_anchors();
    size_t count;
    struct attestd_policy_set *set = attestd_policy_compile_directory(engine, anchors, folder, true, faults, 4, &count);
    attestd_anchor_set_free(anchors);
    *fault = faults[0];
    return set;
}

static void must_compile(size_t policies)
{
    struct attestd_policy_fault fault;
    struct attestd_policy_set *set = compile(&fault);
    if (set == NULL)
        fail_msg("%s:%u:%u %s %s", fault.file, fault.line, fault.column, fault.code, fault.message);
    assert_int_equal(attestd_policy_set_count(set), policies);
    attestd_policy_set_free(set);
}

static void must_fail(const char *code, const char *file, unsigned line, const char *says)
{
    struct attestd_policy_fault fault;
    struct attestd_policy_set *set = compile(&fault);
    attestd_policy_set_free(set);
    if (set != NULL || strcmp(fault.code, code) != 0 || strcmp(fault.file, file) != 0 || fault.line != line ||
        strstr(fault.message, says) == NULL)
        fail_msg("%s:%u:%u %s %s", fault.file, fault.line, fault.column, fault.code, fault.message);
}

static void an_empty_directory_is_an_error(void **state)
{
    (void)state;
    must_fail("POLICY_DIRECTORY_EMPTY", "", 0, "no policy");
    write_file("set.yaml", "reference_set: s\nvalues: [{image: aa}]\n");
    must_fail("POLICY_DIRECTORY_EMPTY", "", 0, "no policy");
    write_file("p.txt", "policy: p\n");
    must_fail("POLICY_DIRECTORY_EMPTY", "", 0, "no policy");
    write_file("p.yaml", "policy: p\n");
    must_compile(1);
}

static void an_absent_directory_is_an_error(void **state)
{
    (void)state;
    snprintf(folder + strlen(folder), 8, "/no");
    struct attestd_policy_fault fault;
    assert_null(compile(&fault));
    assert_string_equal(fault.code, "POLICY_UNREADABLE");
    folder[strlen(folder) - 3] = '\0';
}

static void policies_find_sets_of_other_files_and_folders(void **state)
{
    (void)state;
    run_shell("mkdir -p sets/deep .hidden");
    write_file("p.yml", "policy: p\ntoy: {measurement: {in: images}}\n---\npolicy: q\n");
    write_file("sets/deep/images.jsonl", "{\"reference_set\":\"images\"}\n{\"toy.measurement\":\"aa\"}\n");
    write_file(".hidden/broken.yaml", "policy: [\n");
    write_file(".p.yaml.swp", "policy: [\n");
    must_compile(2);
    run_shell("rm -r sets");
    must_fail("POLICY_UNKNOWN_SET", "p.yml", 2, "images");
}

static void a_configmap_is_read_through_its_links(void **state)
{
    (void)state;
    run_shell("mkdir ..2026_1 && echo 'policy: p' > ..2026_1/p.yaml && ln -s ..2026_1 ..data && ln -s ..data/p.yaml p.yaml");
    must_compile(1);
}

static void a_dangling_link_is_an_error_and_not_an_absent_policy(void **state)
{
    (void)state;
    write_file("q.yaml", "policy: q\n");
    run_shell("ln -s nowhere p.yaml");
    must_fail("POLICY_UNREADABLE", "p.yaml", 0, "No such file");
}

static void one_broken_file_refuses_all(void **state)
{
    (void)state;
    write_file("a.yaml", "policy: a\n");
    write_file("b.yaml", "policy: b\nvresion: 1\n");
    must_fail("POLICY_UNKNOWN_KEY", "b.yaml", 2, "did you mean `version`");
}

#define TESTED                                                                                                                             \
    "policy: p\nbinding: {layouts: [raw]}\ntoy: {measurement: [aa01]}\ntests:\n"                                                           \
    "  - {name: good, evidence: fixtures/good.toy, at: 2026-11-20, expect: warning}\n"
#define GOOD "signature=good\ndebug=false\nmeasurement=aa01\n"

static void embedded_tests_run_before_a_policy_is_accepted(void **state)
{
    (void)state;
    run_shell("mkdir fixtures");
    write_file("fixtures/good.toy", GOOD);
    write_file("fixtures/debug.toy", "signature=good\ndebug=true\nmeasurement=aa01\n");
    write_file("p.yaml", TESTED "  - {name: debug, evidence: fixtures/debug.toy, at: 2026-11-20, expect: contraindicated, codes: "
                                "[TOY_DEBUG_ALLOWED]}\n");
    must_compile(1);
    write_file("p.yaml", TESTED "  - {name: debug guest, evidence: fixtures/debug.toy, at: 2026-11-20, expect: warning}\n");
    must_fail("POLICY_TEST_FAILED", "p.yaml", 6, "`debug guest`: expected warning, got contraindicated (TOY_DEBUG_ALLOWED");
    write_file("p.yaml",
               TESTED "  - {name: c, evidence: fixtures/good.toy, at: 2026-11-20, expect: warning, codes: [TOY_DEBUG_ALLOWED]}\n");
    must_fail("POLICY_TEST_FAILED", "p.yaml", 6, "no check failed with TOY_DEBUG_ALLOWED");
}

static void fixtures_that_cannot_be_used_are_named(void **state)
{
    static const struct {
        const char *test, *says;
    } table[] = {
        {"{name: t, evidence: nothing.toy, at: 2026-11-20, expect: warning}", "cannot be read"},
        {"{name: t, evidence: ../../etc/passwd, at: 2026-11-20, expect: warning}", "stay below"},
        {"{name: t, evidence: a/../../x, at: 2026-11-20, expect: warning}", "stay below"},
        {"{name: t, evidence: /etc/passwd, at: 2026-11-20, expect: warning}", "stay below"},
        {"{name: t, evidence: good.toy, expect: warning}", "needs `at`"},
        {"{name: t, evidence: bad.toy, at: 2026-11-20, expect: warning}", "bad.toy"},
        {"{name: t, evidence: bad.json, at: 2026-11-20, expect: warning}", "bad.json"},
    };
    (void)state;
    write_file("good.toy", GOOD);
    write_file("bad.toy", "what is this?");
    write_file("bad.json", "{\"bundle\": 1");
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        char text[512];
        snprintf(text, sizeof text, "policy: p\ntests:\n  - %s\n", table[i].test);
        write_file("p.yaml", text);
        must_fail("POLICY_TEST_FIXTURE", "p.yaml", 3, table[i].says);
    }
}

static void a_bundle_is_a_fixture_with_its_own_time(void **state)
{
    struct attestd_policy_set *set = toy_compile(engine, "policy: old\nbinding: {layouts: [raw]}\n");
    struct toy_run run = toy_appraise(engine, attestd_policy_set_at(set, 0), &(struct toy_case){.pieces = {{"cpu0", "toy", GOOD}}});
    struct attestd_bytes canonical = attestd_policy_canonical(attestd_policy_set_at(set, 0));
    struct attestd_anchor_set *anchors = toy_anchors();
    struct attestd_text bundle = {0};
    (void)state;
    attestd_bundle_write(&bundle, run.job, anchors, (const char *)canonical.data, canonical.len);
    write_file("good.bundle", bundle.data);
    /* judged by the new policy, not by the one that the bundle was made under */
    write_file("p.yaml", "policy: p\nbinding: {layouts: [raw]}\ntoy: {measurement: [aa01]}\n"
                         "tests: [{name: t, evidence: good.bundle, expect: affirming}]\n");
    must_compile(1);
    write_file("p.yaml", "policy: p\nbinding: {layouts: [raw]}\ntoy: {measurement: [aa01]}\nvalid: {from: 1800000001}\n"
                         "tests: [{name: t, evidence: good.bundle, expect: affirming}]\n");
    must_fail("POLICY_TEST_FAILED", "p.yaml", 5, "POLICY_NOT_YET_VALID");
    write_file("p.yaml", "policy: p\nbinding: {layouts: [raw]}\ntoy: {measurement: [aa01]}\nvalid: {from: 1800000001}\n"
                         "tests: [{name: t, evidence: good.bundle, at: 1800000001, expect: affirming}]\n");
    must_compile(1);
    attestd_text_free(&bundle);
    attestd_anchor_set_free(anchors);
    toy_free(&run);
    attestd_policy_set_free(set);
}

/* --- watching --- */

static atomic_int changes;

static void count_change(void *context)
{
    (void)context;
    atomic_fetch_add(&changes, 1);
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void nap(int ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000L}, NULL);
}

/* Until the count of changes is above `from`; fails after a second. */
static void wait_for_change(const char *what, int from)
{
    int64_t start = now_ms();
    while (atomic_load(&changes) <= from) {
        if (now_ms() - start > 1000)
            fail_msg("%s: nothing within a second", what);
        nap(5);
    }
}

static void every_way_to_change_a_file_is_seen_within_a_second(void **state)
{
    static const char *const ways[] = {
        "echo '# x' >> p.yaml",                                                                /* in place */
        "echo 'policy: q' > .q.tmp && mv .q.tmp q.yaml",                                       /* renamed into place */
        "cp p.yaml p.yaml~ && mv p.yaml~ p.yaml",                                              /* as editors do */
        "rm q.yaml",                                                                           /* removed */
        "mkdir sub",                                                                           /* a folder */
        "echo 'policy: r' > sub/r.yaml",                                                       /* and a file in it */
        "mkdir ..2 && echo 'policy: n' > ..2/c.yaml && ln -s ..2 ..tmp && mv -T ..tmp ..data", /* a ConfigMap's swap */
    };
    char error[256];
    struct attestd_policy_watch *watch;
    (void)state;
    run_shell("echo 'policy: p' > p.yaml && mkdir ..1 && echo 'policy: c' > ..1/c.yaml && ln -s ..1 ..data && ln -s ..data/c.yaml c.yaml");
    atomic_store(&changes, 0);
    watch = attestd_policy_watch_start(folder, count_change, NULL, error, sizeof error);
    assert_non_null(watch);
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        int before = atomic_load(&changes);
        run_shell("%s", ways[i]);
        wait_for_change(ways[i], before);
    }
    attestd_policy_watch_stop(watch);
}

static void changes_close_together_are_one(void **state)
{
    char error[256];
    struct attestd_policy_watch *watch;
    (void)state;
    atomic_store(&changes, 0);
    watch = attestd_policy_watch_start(folder, count_change, NULL, error, sizeof error);
    assert_non_null(watch);
    run_shell("for i in 1 2 3 4 5 6 7 8; do echo \"policy: p$i\" > p$i.yaml; done");
    wait_for_change("eight files", 0);
    nap(700);
    assert_true(atomic_load(&changes) <= 2);
    int settled = atomic_load(&changes);
    nap(700); /* nothing happens, nothing is told */
    assert_int_equal(atomic_load(&changes), settled);
    attestd_policy_watch_stop(watch);
}

static void what_cannot_be_watched_is_said(void **state)
{
    char error[256];
    (void)state;
    assert_null(attestd_policy_watch_start("/nonexistent/policies", count_change, NULL, error, sizeof error));
    assert_non_null(strstr(error, "/nonexistent/policies"));
}

/* --- trust anchors --- */

#define DIGEST "0011223344556677889900112233445566778899001122334455667788990011"
static const char anchors_text[] = "vendor: test\nanchors:\n  - name: Root\n    purpose: [snp/Genoa, snp/Milan]\n    sha256: " DIGEST
                                   "\n    spki_sha256: " DIGEST "\n    not_before: 2020-01-01\n    not_after: 2045-01-01\n"
                                   "    published: https://vendor.example/root\n    check: fetch and compare\n";

static void anchors_are_pinned_for_each_purpose(void **state)
{
    struct attestd_anchor_set *set = attestd_anchor_set_new();
    struct attestd_policy_fault fault = {{0}, 0, 0, {0}, {0}};
    (void)state;
    write_file("test.yaml", anchors_text);
    write_file("notes.txt", "no anchors");
    if (!attestd_trust_anchors_load(set, folder, &fault))
        fail_msg("%s:%u %s", fault.file, fault.line, fault.message);
    attestd_anchor_set_seal(set);
    assert_int_equal(attestd_anchor_set_count(set), 2);
    assert_int_equal(attestd_anchor_set_at(set, 0)->sha256[1], 0x11);
    assert_false(attestd_anchor_set_at(set, 0)->simulated);
    assert_false(attestd_anchor_set_at(set, 0)->operator_given);
    attestd_anchor_set_free(set);
}

static void the_pins_of_the_project_load(void **state)
{
    char path[512];
    struct attestd_anchor_set *set = attestd_anchor_set_new();
    struct attestd_policy_fault fault = {{0}, 0, 0, {0}, {0}};
    (void)state;
    snprintf(path, sizeof path, "%s/trust-anchors", getenv("ATTESTD_SOURCE") == NULL ? "." : getenv("ATTESTD_SOURCE"));
    if (!attestd_trust_anchors_load(set, path, &fault))
        fail_msg("%s:%u %s", fault.file, fault.line, fault.message);
    attestd_anchor_set_seal(set);
    assert_true(attestd_anchor_set_count(set) >= 3);
    attestd_anchor_set_free(set);
}

static void broken_anchors_name_their_place(void **state)
{
    static const struct {
        const char *text, *code;
        unsigned line;
    } table[] = {
        {"vendor: x\n", "POLICY_MISSING_KEY", 1},
        {"vendor: x\nanchors: []\n", "POLICY_COUNT", 2},
        {"vendor: x\nanchors:\n  - {name: a, purpose: [snp/Genoa], sha256: 00, spki_sha256: " DIGEST "}\n", "POLICY_VALUE", 3},
        {"vendor: x\nanchors:\n  - {name: a, purpose: [], sha256: " DIGEST ", spki_sha256: " DIGEST "}\n", "POLICY_COUNT", 3},
        {"vendor: x\nanchors:\n  - {name: a, purpose: snp/Genoa, sha256: " DIGEST "}\n", "POLICY_MISSING_KEY", 3},
        {"vendor: x\nanchor: []\n", "POLICY_UNKNOWN_KEY", 2},
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct attestd_anchor_set *set = attestd_anchor_set_new();
        struct attestd_policy_fault fault = {{0}, 0, 0, {0}, {0}};
        assert_false(attestd_trust_anchors_add(set, "x.yaml", table[i].text, strlen(table[i].text), &fault));
        attestd_anchor_set_seal(set);
        attestd_anchor_set_free(set);
        if (strcmp(fault.code, table[i].code) != 0 || fault.line != table[i].line || strcmp(fault.file, "x.yaml") != 0)
            fail_msg("%s -> %s:%u %s %s", table[i].text, fault.file, fault.line, fault.code, fault.message);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_empty_directory_is_an_error),
        TEST(an_absent_directory_is_an_error),
        TEST(policies_find_sets_of_other_files_and_folders),
        TEST(a_configmap_is_read_through_its_links),
        TEST(a_dangling_link_is_an_error_and_not_an_absent_policy),
        TEST(one_broken_file_refuses_all),
        TEST(embedded_tests_run_before_a_policy_is_accepted),
        TEST(fixtures_that_cannot_be_used_are_named),
        TEST(a_bundle_is_a_fixture_with_its_own_time),
        TEST(every_way_to_change_a_file_is_seen_within_a_second),
        TEST(changes_close_together_are_one),
        TEST(what_cannot_be_watched_is_said),
        TEST(anchors_are_pinned_for_each_purpose),
        TEST(the_pins_of_the_project_load),
        TEST(broken_anchors_name_their_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
