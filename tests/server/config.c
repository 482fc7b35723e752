/* SPDX-License-Identifier: Apache-2.0 */
#include "server/config.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* cmocka's header wants the above */
#include <cmocka.h>

static char path[] = "/tmp/attestd-config-XXXXXX";
static char *const no_environment[] = {NULL};

static bool read_text(struct attestd_arena *arena, const char *text, char *const *environment, struct config *config,
                      struct attestd_policy_fault *fault)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    return config_read(arena, path, environment, config, fault);
}

static void defaults_are_those_of_the_documentation(void **state)
{
    (void)state;
    struct attestd_arena *arena = attestd_arena_new();
    struct config c;
    struct attestd_policy_fault fault;
    assert_true(config_read(arena, NULL, no_environment, &c, &fault));
    assert_int_equal(c.listen_count, 1);
    assert_string_equal(c.listen[0].address, "127.0.0.1");
    assert_int_equal(c.listen[0].port, 8443);
    assert_true(c.listen[0].tls);
    assert_false(c.tls.allow_1_2);
    assert_int_equal(c.http.body_limit, 4 << 20);
    assert_int_equal(c.http.bodies_in_all, 256 << 20);
    assert_int_equal(c.challenge.ttl, 120);
    assert_int_equal(c.deadline, 5);
    assert_int_equal(c.records.keep, KEEP_DENIED);
    assert_int_equal(c.records.seconds, 7 * 86400);
    assert_int_equal(c.records.max, 512u << 20);
    assert_int_equal(c.operator_count, 0);
    assert_string_equal(c.operator_socket, "/var/lib/attestd/operator.sock");
    assert_false(c.key_tables);
    attestd_arena_free(arena);
}

static void environment_stands_above_the_file(void **state)
{
    (void)state;
    struct attestd_arena *arena = attestd_arena_new();
    struct config c;
    struct attestd_policy_fault fault;
    char *const environment[] = {(char *)"ATTESTD_CHALLENGE_TTL=30s",       (char *)"ATTESTD_LISTEN=[{address: 127.0.0.2, port: 1}]",
                                 (char *)"ATTESTD_PLUGINS_LOAD=[snp, tdx]", (char *)"ATTESTD_BUILD=/elsewhere",
                                 (char *)"ATTESTD_CRYPTO_KEY_TABLES=true",  NULL};
    assert_true(read_text(arena, "challenge: {ttl: 60s, capacity: 1000}\nstate: {directory: /x}\n", environment, &c, &fault));
    assert_int_equal(c.challenge.ttl, 30);
    assert_int_equal(c.challenge.capacity, 1000);
    assert_string_equal(c.listen[0].address, "127.0.0.2");
    assert_int_equal(c.listen[0].port, 1);
    assert_int_equal(c.plugin_count, 2);
    assert_string_equal(c.plugins[1], "tdx");
    assert_true(c.key_tables);
    assert_string_equal(c.audit_file, "/x/audit.jsonl");
    attestd_arena_free(arena);
}

static void faults_are_told_with_line_column_and_expectation(void **state)
{
    static const struct {
        const char *text;
        unsigned line, column;
        const char *words;
    } table[] = {
        {"challenge:\n  tll: 60s\n", 2, 3, "did you mean `ttl`"},
        {"challenge:\n  ttl: soon\n", 2, 8, "duration"},
        {"challenge:\n  ttl: 0s\n", 2, 8, "at least 1"},
        {"http: {body_limit: 4 MB}\n", 1, 20, "size"},
        {"tls: {minimum: 1.1}\n", 1, 16, "1.3"},
        {"tls: {certificate: a.pem}\n", 1, 6, "come together"},
        {"listen: [{address: 0.0.0.0}]\n", 1, 10, "tls.certificate"},
        {"listen: [{address: 0.0.0.0, tls: false}]\n", 1, 10, "plain_outside_loopback"},
        {"listen: [{address: localhost}]\n", 1, 10, "not a name"},
        {"listen: []\n", 1, 9, "at least 1"},
        {"challenge: {key_files: [/k]}\n", 1, 12, "shared set of spent challenges"},
        {"challenge: {redis: {}}\n", 1, 12, "key_files"},
        {"operators:\n  keys:\n    - {name: a, sha256: abcd, role: read}\n", 3, 7, "64 hexadecimal"},
        {"operators: {keys: [{name: a, role: read}]}\n", 1, 20, "`sha256` is missing"},
        {"token: {key_file: a, key_directory: b}\n", 1, 8, "not both"},
        {"nonsense: 1\n", 1, 1, "not known"},
        {"state: {directory: /a}\nstate: {directory: /b}\n", 2, 1, "second time"},
        {"log: {level: &x info}\n", 1, 14, "anchors"},
        {"a: [\n", 2, 1, ""},
        {"log: {level: info}\n---\nlog: {level: info}\n", 3, 1, "one document"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct attestd_arena *arena = attestd_arena_new();
        struct config c;
        struct attestd_policy_fault fault;
        if (read_text(arena, table[i].text, no_environment, &c, &fault) || fault.line != table[i].line || fault.column != table[i].column ||
            strstr(fault.message, table[i].words) == NULL || strcmp(fault.file, path) != 0)
            fail_msg("%s: %s:%u:%u: %s", table[i].text, fault.file, fault.line, fault.column, fault.message);
        attestd_arena_free(arena);
    }
}

static void fault_in_a_variable_names_the_variable(void **state)
{
    (void)state;
    struct attestd_arena *arena = attestd_arena_new();
    struct config c;
    struct attestd_policy_fault fault;
    char *const environment[] = {(char *)"ATTESTD_LISTEN=[", NULL};
    assert_false(config_read(arena, NULL, environment, &c, &fault));
    assert_non_null(strstr(fault.file, "ATTESTD_LISTEN"));
    attestd_arena_free(arena);
}

static void absent_file_is_a_fault(void **state)
{
    (void)state;
    struct attestd_arena *arena = attestd_arena_new();
    struct config c;
    struct attestd_policy_fault fault;
    assert_false(config_read(arena, "/nonexistent/attestd.yaml", no_environment, &c, &fault));
    assert_string_equal(fault.file, "/nonexistent/attestd.yaml");
    attestd_arena_free(arena);
}

static void plain_http_is_for_loopback_unless_said_otherwise(void **state)
{
    (void)state;
    struct attestd_arena *arena = attestd_arena_new();
    struct config c;
    struct attestd_policy_fault fault;
    assert_true(read_text(arena, "listen: [{address: '::1', tls: false}]\n", no_environment, &c, &fault));
    assert_true(c.listen[0].loopback);
    assert_true(
        read_text(arena, "listen: [{address: 0.0.0.0, tls: false}]\nhttp: {plain_outside_loopback: true}\n", no_environment, &c, &fault));
    assert_false(c.listen[0].loopback);
    attestd_arena_free(arena);
}

/* Who uncomments nothing gets what the code would have done. */
static void packaged_file_says_the_defaults(void **state)
{
    (void)state;
    struct attestd_arena *arena = attestd_arena_new();
    struct config file, c;
    struct attestd_policy_fault fault;
    const char *source = getenv("ATTESTD_SOURCE");
    const char *packaged = attestd_arena_format(arena, "%s/packaging/attestd.yaml", source != NULL ? source : ".");
    if (!config_read(arena, packaged, no_environment, &file, &fault))
        fail_msg("%s:%u:%u: %s", fault.file, fault.line, fault.column, fault.message);
    assert_true(config_read(arena, NULL, no_environment, &c, &fault));
    const struct {
        const char *what;
        long long file, standard;
    } numbers[] = {
#define SAME(member) {#member, (long long)file.member, (long long)c.member}
        SAME(listen_count),
        SAME(listen[0].port),
        SAME(listen[0].tls),
        SAME(tls.allow_1_2),
        SAME(http.http2_only),
        SAME(http.plain_outside_loopback),
        SAME(http.body_limit),
        SAME(http.bodies_in_all),
        SAME(http.connections),
        SAME(http.connections_per_address),
        SAME(http.request_timeout),
        SAME(http.requests_per_second),
        SAME(http.requests_burst),
        SAME(http.drain),
        SAME(loops),
        SAME(workers),
        SAME(queue_length),
        SAME(deadline),
        SAME(cache_limit),
        SAME(state_limit),
        SAME(plugin_count),
        SAME(memo_limit),
        SAME(own_anchor_count),
        SAME(development_anchor_count),
        SAME(has_development),
        SAME(endorsements.vendor_count),
        SAME(endorsements.offline),
        SAME(endorsements.connect_ms),
        SAME(endorsements.total_ms),
        SAME(endorsements.vendor_rate),
        SAME(endorsements.max_age),
        SAME(endorsements.unseen_per_minute),
        SAME(challenge.ttl),
        SAME(challenge.capacity),
        SAME(challenge.key_file_count),
        SAME(challenge.redis),
        SAME(operator_count),
        SAME(records.keep),
        SAME(records.seconds),
        SAME(records.max),
        SAME(log_level),
        SAME(key_tables),
#undef SAME
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (numbers[i].file != numbers[i].standard)
            fail_msg("%s is %lld in the file and %lld without one", numbers[i].what, numbers[i].file, numbers[i].standard);
    assert_string_equal(file.state_directory, c.state_directory);
    assert_string_equal(file.issuer, c.issuer);
    assert_string_equal(file.audit_file, c.audit_file);
    assert_string_equal(file.operator_socket, c.operator_socket);
    assert_string_equal(file.plugins[0], c.plugins[0]);
    attestd_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_those_of_the_documentation),
        cmocka_unit_test(environment_stands_above_the_file),
        cmocka_unit_test(faults_are_told_with_line_column_and_expectation),
        cmocka_unit_test(fault_in_a_variable_names_the_variable),
        cmocka_unit_test(absent_file_is_a_fault),
        cmocka_unit_test(packaged_file_says_the_defaults),
        cmocka_unit_test(plain_http_is_for_loopback_unless_said_otherwise),
    };
    int fd = mkstemp(path);
    close(fd);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return failed;
}
