/* SPDX-License-Identifier: Apache-2.0 */
/* Texts to policies: every fault with its code and place; the canonical form; what the token part asks. */
#include "core/encoding.h"
#include "tests/policy/toy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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

static void each_fault_names_code_line_and_column(void **state)
{
    static const struct {
        const char *text, *code, *says;
        unsigned line, column;
    } table[] = {
        {"name: x\n", "POLICY_KIND", "`policy` or `reference_set`", 1, 1},
        {"policy: X\n", "POLICY_VALUE", "form", 1, 9},
        {"policy: a\nversoin: 1\n", "POLICY_UNKNOWN_KEY", "did you mean `version`", 2, 1},
        {"policy: a\npolicy: b\n", "POLICY_DUPLICATE_KEY", "second time", 2, 1},
        {"policy: a\nversion: 0x10\n", "POLICY_TYPE", "decimal", 2, 10},
        {"policy: a\nversion: 010\n", "POLICY_TYPE", "leading zeros", 2, 10},
        {"policy: a\nversion: &v 1\n", "POLICY_ALIAS", "anchors", 2, 10},
        {"policy: a\nversion: !!int 1\n", "POLICY_TAG", "tags", 2, 10},
        {"policy: hardware-only\n", "POLICY_RESERVED_NAME", "built-in", 1, 9},
        {"policy: a\n---\npolicy: a\n", "POLICY_DUPLICATE_POLICY", "another policy", 3, 9},
        {"policy: a\nrules: []\n", "POLICY_RULES_UNSUPPORTED", "cannot be evaluated", 2, 1},
        {"policy: a\nchecks: {toy.signature: warn}\n", "POLICY_FIXED_CHECK", "always strict", 2, 10},
        {"policy: a\nchecks:\n  binding.nonce: disabled\n", "POLICY_FIXED_CHECK", "always strict", 3, 3},
        {"policy: a\nweights: {toy.signature: 5}\n", "POLICY_FIXED_CHECK", "no weight", 2, 11},
        {"policy: a\ntoy: {signature: warn}\n", "POLICY_FIXED_CHECK", "always strict", 2, 18},
        {"policy: a\nchecks: {toy.dbug: warn}\n", "POLICY_UNKNOWN_CHECK", "did you mean `toy.debug`", 2, 10},
        {"policy: a\nchecks: {toy.debug: wran}\n", "POLICY_VALUE", "did you mean `warn`", 2, 21},
        {"policy: a\nchecks: {toy.debug: {until: 2027-01-01}}\n", "POLICY_MISSING_KEY", "`mode` is missing", 2, 21},
        {"policy: a\nchecks: {toy.debug: {mode: warn, until: 2027-01-01}}\n", "POLICY_EXCEPTION", "`reason` is missing", 2, 41},
        {"policy: a\nchecks: {toy.debug: {mode: warn, owner: me, reason: so}}\n", "POLICY_EXCEPTION", "`until` is missing", 2, 53},
        {"policy: a\nchecks: {toy.debug: {mode: strict, until: 2027-01-01, reason: r, owner: o}}\n", "POLICY_EXCEPTION", "no exception", 2,
         43},
        {"policy: a\nchecks: {policy.reference_values: disabled}\n", "POLICY_VALUE", "never disabled", 2, 35},
        {"policy: a\nchecks: {binding.unbound: {mode: disabled}}\n", "POLICY_VALUE", "never disabled", 2, 27},
        {"policy: a\nvalid: {until: 2027}\n", "POLICY_TYPE", "date or time", 2, 16},
        {"policy: a\nvalid: {until: 20270101}\n", "POLICY_TYPE", "date or time", 2, 16},
        {"policy: a\ntoy: {revocation: {until: 2027-01-01}}\n", "POLICY_EXCEPTION", "`mode` is missing", 2, 27},
        {"policy: a\ntoy: {revocation: {mode: warn, until: soon, reason: r, owner: o}}\n", "POLICY_TYPE", "date or time", 2, 39},
        {"policy: a\ntoy: {mesurement: []}\n", "POLICY_UNKNOWN_KEY", "did you mean `measurement`", 2, 7},
        {"policy: a\ntoy: {measurement: [0xff]}\n", "POLICY_TYPE", "without 0x", 2, 21},
        {"policy: a\ntoy: {measurement: ff}\n", "POLICY_TYPE", "a list", 2, 20},
        {"policy: a\ntoy: {measurement: {in: images}}\n", "POLICY_UNKNOWN_SET", "no reference set `images`", 2, 25},
        {"policy: a\ntoy: {measurement: {in: imagse}}\n---\nreference_set: images\nvalues: [{image: ff}]\n", "POLICY_UNKNOWN_SET",
         "did you mean `images`", 2, 25},
        {"policy: a\ntoy: {measurement: {in: x, allow: [ff]}}\n---\nreference_set: x\nvalues: [{image: ff}]\n", "POLICY_COMPARISON",
         "exclude each other", 2, 25},
        {"policy: a\ntoi: {}\n", "POLICY_UNKNOWN_KEY", "did you mean `toy`", 2, 1},
        {"policy: a\nrequire: {cpu: {type: tyo}}\n", "POLICY_UNKNOWN_TYPE", "did you mean `toy`", 2, 23},
        {"policy: a\nrequire: {cpu: {count: 1}}\n", "POLICY_MISSING_KEY", "`type` or `any_of`", 2, 16},
        {"policy: a\nrequire: {cpu: {type: toy, bound_to: gpu}}\n", "POLICY_UNKNOWN_KIND", "no kind", 2, 38},
        {"policy: a\nrequire: {cpu: {type: toy, count: {at_least: 3, at_most: 2}}}\n", "POLICY_VALUE", "more than", 2, 35},
        {"policy: a\ntoken: {ttl: 2d}\n", "POLICY_VALUE", "24 hours", 2, 14},
        {"policy: a\ntoken: {issue_on: [contraindicated]}\n", "POLICY_VALUE", "affirming, warning", 2, 20},
        {"policy: a\nfreshness: {challenge: requird}\n", "POLICY_VALUE", "did you mean `required`", 2, 24},
        {"policy: a\ndefaults: {mode: disabled}\n", "POLICY_VALUE", "strict, warn", 2, 18},
        {"policy: a\nscore: {contraindicated_below: 101}\n", "POLICY_VALUE", "at most 100", 2, 32},
        {"policy: a\ntests: [{name: x, expect: affirming}]\n", "POLICY_MISSING_KEY", "`evidence`", 2, 9},
        {"reference_set: a\n", "POLICY_MISSING_KEY", "`values`", 1, 1},
        {"reference_set: a\nvalues: [{label: x}]\n", "POLICY_MISSING_KEY", "would match anything", 2, 10},
        {"reference_set: a\nvalues: [{image: []}]\n", "POLICY_COUNT", "at least one", 2, 18},
        {"reference_set: a\nvalues: [{image: [0xff]}]\n", "POLICY_TYPE", "without 0x", 2, 19},
        {"reference_set: a\nvalues: [{toy.mesurement: [ff]}]\n", "POLICY_UNKNOWN_KEY", "did you mean `toy.measurement`", 2, 11},
        {"reference_set: a\nvalues: [{image: ff, until: x}]\n", "POLICY_TYPE", "date or time", 2, 29},
        {"reference_set: a\nexpire: 2027-01-01\nvalues: [{image: ff}]\n", "POLICY_UNKNOWN_KEY", "did you mean `expires`", 2, 1},
        {"reference_set: a\nvalues: [{image: ff}]\n---\nreference_set: a\nvalues: [{image: ff}]\n", "POLICY_DUPLICATE_SET", "another", 4,
         1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct attestd_policy_fault fault = toy_fault(engine, table[i].text);
        if (strcmp(fault.code, table[i].code) != 0 || fault.line != table[i].line || fault.column != table[i].column ||
            strstr(fault.message, table[i].says) == NULL || strcmp(fault.file, "test.yaml") != 0)
            fail_msg("%s -> %s:%u:%u %s %s", table[i].text, fault.file, fault.line, fault.column, fault.code, fault.message);
    }
}

static void every_broken_document_is_reported_not_only_the_first(void **state)
{
    static const char text[] = "policy: a\nx: 1\n---\npolicy: b\ny: 1\n---\npolicy: c\n";
    struct attestd_policy_file file = {"many.yaml", text, sizeof text - 1};
    struct attestd_policy_fault faults[4];
    size_t count;
    (void)state;
    assert_null(attestd_policy_compile(engine, NULL, &file, 1, false, NULL, NULL, faults, 4, &count));
    assert_int_equal(count, 2);
    assert_int_equal(faults[0].line, 2);
    assert_int_equal(faults[1].line, 5);
}

static const char whole_policy[] =
    "policy: prod\nversion: 14\ndescription: all there is\nvalid: {from: 2026-11-01, until: 2027-02-01T00:00:00Z}\n"
    "require:\n  cpu: {any_of: [toy]}\n  dev: {type: tdev, count: {at_least: 0, at_most: 8}, bound_to: cpu}\n"
    "freshness: {challenge: required, max_age: 120s}\n"
    "binding: {layouts: [attestd-v1], key: required, data: {image: {in: images/inference}, model: [00FF]}}\n"
    "defaults: {mode: strict}\n"
    "toy:\n  measurement: {in: images/inference}\n  chip: [AABB, ccdd]\n  guest: {debug: {value: false, mode: strict}, level: 3, mode: "
    "warn}\n"
    "  revocation: {mode: warn, until: 2026-12-15, reason: mirror moves, owner: ops@example.org, stale_for: 24h}\n"
    "  rtmr: {0: {mode: warn}, 1: {in: images/inference}}\n"
    "checks: {toy.rim: disabled, require.unexpected: warn}\nweights: {toy.smt: 5}\nscore: {contraindicated_below: 60}\n"
    "token: {audiences: [\"https://kms.example\"], issue_on: [affirming, warning], ttl: 10m, subject: me}\n"
    "---\nreference_set: images/inference\nsource: ci@example.org\nexpires: 2027-03-01\nvalues:\n"
    "  - {label: \"2026.11\", toy.measurement: [AA01], image: [bb01], toy.rtmr.1: [cc01]}\n"
    "  - {label: \"2026.10\", toy.measurement: aa02, image: [bb02, bb03], until: 2026-12-01}\n";

static void the_token_part_learns_what_the_policy_says(void **state)
{
    struct attestd_policy_set *set = toy_compile(engine, whole_policy);
    const struct attestd_policy *policy = attestd_policy_set_find(set, "prod");
    const char *const *audiences;
    (void)state;
    assert_non_null(policy);
    assert_int_equal(attestd_policy_version(policy), 14);
    assert_true(attestd_policy_allows_audience(policy, "https://kms.example"));
    assert_false(attestd_policy_allows_audience(policy, "https://kms.example/"));
    assert_int_equal(attestd_policy_audiences(policy, &audiences), 1);
    assert_true(attestd_policy_issues_on(policy, ATTESTD_WARNING));
    assert_false(attestd_policy_issues_on(policy, ATTESTD_CONTRAINDICATED));
    assert_int_equal(attestd_policy_token_ttl(policy), 600);
    assert_string_equal(attestd_policy_subject(policy), "me");
    assert_int_equal(attestd_policy_freshness(policy), ATTESTD_DEMAND_CHALLENGE);
    assert_ptr_equal(attestd_policy_set_for_audience(set, "https://kms.example"), policy);
    assert_null(attestd_policy_set_for_audience(set, "https://other.example"));
    assert_non_null(attestd_policy_set_find(set, "hardware-only"));
    assert_null(attestd_policy_set_find(set, "nothing"));
    attestd_policy_set_free(set);
}

static void two_policies_of_one_audience_are_never_chosen_between(void **state)
{
    struct attestd_policy_set *set = toy_compile(engine, "policy: a\ntoken: {audiences: [x]}\n---\npolicy: b\ntoken: {audiences: [x]}\n");
    (void)state;
    assert_null(attestd_policy_set_for_audience(set, "x"));
    attestd_policy_set_free(set);
}

static void plugins_read_their_settings_typed(void **state)
{
    struct attestd_policy_set *set = toy_compile(engine, whole_policy);
    const struct attestd_policy_view *view = attestd_policy_view(attestd_policy_set_find(set, "prod"));
    const struct attestd_value *value;
    (void)state;
    value = view->setting(view->policy, "toy", "revocation.stale_for");
    assert_non_null(value);
    assert_int_equal(value->number, 86400);
    assert_int_equal(view->setting(view->policy, "toy", "guest.level")->number, 3);
    assert_int_equal(view->setting(view->policy, "toy", "guest.debug.value")->kind, ATTESTD_VALUE_FLAG);
    assert_int_equal(view->setting(view->policy, "toy", "")->kind, ATTESTD_VALUE_MAP);
    assert_null(view->setting(view->policy, "tdev", "guest"));
    assert_null(view->setting(view->policy, "toy", "guest.nothing"));
    attestd_policy_set_free(set);
}

static int32_t mode_at(const struct attestd_policy *policy, const char *check, const char *time, const char **line)
{
    const struct attestd_policy_view *view = attestd_policy_view(policy);
    int64_t seconds;
    assert_true(attestd_time_parse(time, &seconds));
    return view->mode(view->policy, attestd_engine_check(engine, check), seconds, line);
}

static void the_most_specific_mode_wins_and_names_its_line(void **state)
{
    struct attestd_policy_set *set = toy_compile(engine, whole_policy);
    const struct attestd_policy *policy = attestd_policy_set_find(set, "prod");
    const char *line, now[] = "2026-11-20T00:00:00Z";
    (void)state;
    assert_int_equal(mode_at(policy, "toy.smt", now, &line), ATTESTD_WARN); /* of the group */
    assert_string_equal(line, "test.yaml:14");
    assert_int_equal(mode_at(policy, "toy.debug", now, &line), ATTESTD_STRICT); /* of the group inside */
    assert_int_equal(mode_at(policy, "toy.rim", now, &line), ATTESTD_DISABLED); /* of checks */
    assert_string_equal(line, "test.yaml:17");
    assert_int_equal(mode_at(policy, "toy.rtmr", now, &line), ATTESTD_WARN);                  /* of the comparison */
    assert_int_equal(mode_at(policy, "policy.reference_values", now, &line), ATTESTD_STRICT); /* of defaults, over the descriptor's warn */
    assert_string_equal(line, "test.yaml:10");
    assert_int_equal(mode_at(policy, "toy.signature", now, &line), ATTESTD_STRICT);
    assert_null(line);
    attestd_policy_set_free(set);
}

static void an_exception_is_strict_again_after_its_date(void **state)
{
    struct attestd_policy_set *set = toy_compile(engine, whole_policy);
    const struct attestd_policy *policy = attestd_policy_set_find(set, "prod");
    (void)state;
    assert_int_equal(mode_at(policy, "toy.revocation", "2026-12-14T23:59:59Z", NULL), ATTESTD_WARN);
    assert_int_equal(mode_at(policy, "toy.revocation", "2026-12-15T00:00:00Z", NULL), ATTESTD_STRICT);
    attestd_policy_set_free(set);
}

static void count_expiring(void *context, const char *policy, const char *what, int64_t until, const char *owner, const char *reason)
{
    unsigned *found = context;
    assert_string_equal(policy, "prod");
    assert_true(until > 0);
    if (strcmp(what, "toy.revocation") == 0) {
        assert_string_equal(owner, "ops@example.org");
        assert_string_equal(reason, "mirror moves");
        *found |= 1;
    } else if (strcmp(what, "images/inference") == 0) {
        *found |= 2;
    } else {
        *found |= 4;
    }
}

static void what_ends_soon_is_listed_with_owner_and_reason(void **state)
{
    struct attestd_policy_set *set = toy_compile(engine, whole_policy);
    const struct attestd_policy *policy = attestd_policy_set_find(set, "prod");
    unsigned found = 0;
    int64_t now;
    (void)state;
    assert_true(attestd_time_parse("2026-12-10T00:00:00Z", &now));
    attestd_policy_expiring(policy, now, 86400, count_expiring, &found);
    assert_int_equal(found, 0);
    attestd_policy_expiring(policy, now, 14 * 86400, count_expiring, &found);
    assert_int_equal(found, 1);
    attestd_policy_expiring(policy, now, 365 * 86400, count_expiring, &found);
    assert_int_equal(found, 7);
    attestd_policy_set_free(set);
}

static void the_canonical_form_loads_to_the_same_digest_and_lines(void **state)
{
    struct attestd_policy_set *set = toy_compile(engine, whole_policy);
    const struct attestd_policy *policy = attestd_policy_set_find(set, "prod");
    struct attestd_bytes canonical = attestd_policy_canonical(policy), again;
    struct attestd_policy_fault fault = {0};
    struct attestd_policy *loaded = attestd_policy_from_canonical(engine, (const char *)canonical.data, canonical.len, &fault);
    const char *line;
    (void)state;
    if (loaded == NULL)
        fail_msg("%s %s", fault.code, fault.message);
    assert_memory_equal(attestd_policy_digest(loaded), attestd_policy_digest(policy), 32);
    again = attestd_policy_canonical(loaded);
    assert_int_equal(again.len, canonical.len);
    assert_memory_equal(again.data, canonical.data, canonical.len);
    assert_int_equal(mode_at(loaded, "toy.smt", "2026-11-20T00:00:00Z", &line), ATTESTD_WARN);
    assert_string_equal(line, "test.yaml:14");
    assert_int_equal(mode_at(loaded, "toy.revocation", "2026-12-15T00:00:00Z", &line), ATTESTD_STRICT);
    attestd_policy_free(loaded);
    attestd_policy_set_free(set);
}

static bool same_digest(const char *a, const char *b)
{
    struct attestd_policy_set *one = toy_compile(engine, a), *two = toy_compile(engine, b);
    bool same = memcmp(attestd_policy_digest(attestd_policy_set_at(one, 0)), attestd_policy_digest(attestd_policy_set_at(two, 0)), 32) == 0;
    attestd_policy_set_free(one);
    attestd_policy_set_free(two);
    return same;
}

static void the_digest_is_of_what_decides_and_nothing_else(void **state)
{
    (void)state;
    assert_true(same_digest("policy: a\nversion: 1\n", "# a comment\nversion: 1\n\npolicy: \"a\"\n"));
    assert_true(same_digest("policy: a\ntoken: {ttl: 60}\n", "policy: a\ntoken: {ttl: 1m}\n"));
    assert_true(same_digest("policy: a\ntests: [{name: t, evidence: f, expect: affirming}]\n", "policy: a\n"));
    assert_false(same_digest("policy: a\nversion: 1\n", "policy: a\nversion: 2\n"));
    assert_false(same_digest("policy: a\ntoy: {measurement: {in: s}}\n---\nreference_set: s\nvalues: [{toy.measurement: aa}]\n",
                             "policy: a\ntoy: {measurement: {in: s}}\n---\nreference_set: s\nvalues: [{toy.measurement: ab}]\n"));
    assert_true(same_digest("policy: a\ntoy: {measurement: {in: s}}\n---\nreference_set: s\nvalues: [{toy.measurement: aa}]\n",
                            "policy: a\ntoy: {measurement: {in: s}}\n---\nreference_set: s\nvalues: [{toy.measurement: [AA]}]\n---\n"
                            "reference_set: unused\nvalues: [{image: 00}]\n"));
}

static void a_broken_canonical_form_is_refused(void **state)
{
    static const char *const table[] = {"",
                                        "[]",
                                        "{}",
                                        "{\"policy\":3}",
                                        "{\"policy\":{\"policy\":\"a\",\"x\":1}}",
                                        "{\"policy\":{\"policy\":\"a\"},\"reference_sets\":[3]}"};
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct attestd_policy_fault fault = {0};
        assert_null(attestd_policy_from_canonical(engine, table[i], strlen(table[i]), &fault));
        assert_true(strncmp(fault.code, "POLICY_", 7) == 0);
    }
}

static void hardware_only_compiles_whatever_is_loaded(void **state)
{
    struct attestd_engine *empty = attestd_engine_new();
    struct attestd_policy *policy = attestd_policy_hardware_only(empty);
    (void)state;
    assert_non_null(policy);
    assert_string_equal(attestd_policy_name(policy), "hardware-only");
    assert_false(attestd_policy_allows_audience(policy, "https://any.example"));
    attestd_policy_free(policy);
    attestd_engine_free(empty);
}

static void json_lines_are_a_reference_set(void **state)
{
    static const char policy[] = "policy: a\ntoy: {measurement: {in: s}}\n",
                      lines[] =
                          "{\"reference_set\": \"s\", \"expires\": \"2027-01-01\"}\n\n{\"label\": \"1\", \"toy.measurement\": [\"AA\"]}\r\n"
                          "{\"label\": \"2\", \"toy.measurement\": \"bb\"}";
    struct attestd_policy_file files[] = {{"p.yaml", policy, sizeof policy - 1}, {"s.jsonl", lines, sizeof lines - 1}};
    struct attestd_policy_fault faults[2];
    size_t count;
    struct attestd_policy_set *set = attestd_policy_compile(engine, NULL, files, 2, false, NULL, NULL, faults, 2, &count);
    (void)state;
    if (set == NULL)
        fail_msg("%s:%u %s", faults[0].file, faults[0].line, faults[0].message);
    attestd_policy_set_free(set);
}

static void a_broken_line_of_json_is_named(void **state)
{
    static const struct {
        const char *text, *code;
        unsigned line;
    } table[] = {
        {"{\"reference_set\": \"s\"}\n{\"toy.measurement\": \n", "POLICY_JSON", 2},
        {"{\"reference_set\": \"s\"}\n{\"image\": \"aa\"}\n[1]\n", "POLICY_TYPE", 3},
        {"{\"reference_set\": \"s\"}\n{\"image\": \"aa\", \"image\": \"bb\"}\n", "POLICY_JSON", 2},
        {"{\"image\": \"aa\"}\n", "POLICY_UNKNOWN_KEY", 1},
        {"\n\n", "POLICY_MISSING_KEY", 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct attestd_policy_file file = {"s.jsonl", table[i].text, strlen(table[i].text)};
        struct attestd_policy_fault faults[2] = {{{0}, 0, 0, {0}, {0}}};
        size_t count;
        assert_null(attestd_policy_compile(engine, NULL, &file, 1, false, NULL, NULL, faults, 2, &count));
        if (strcmp(faults[0].code, table[i].code) != 0 || faults[0].line != table[i].line)
            fail_msg("%s -> %u %s %s", table[i].text, faults[0].line, faults[0].code, faults[0].message);
    }
}

static void a_policy_file_has_256_kib_and_a_set_more(void **state)
{
    size_t size = 300 * 1024;
    char *text = test_malloc(size + 64);
    struct attestd_policy_file file = {"big.yaml", text, 0};
    struct attestd_policy_fault faults[2];
    struct attestd_policy_set *set;
    size_t count;
    (void)state;
    file.len = (size_t)sprintf(text, "policy: a\ndescription: ");
    memset(text + file.len, 'x', size);
    file.len += size;
    assert_null(attestd_policy_compile(engine, NULL, &file, 1, false, NULL, NULL, faults, 2, &count));
    assert_string_equal(faults[0].code, "POLICY_TOO_LARGE");
    file.len = (size_t)sprintf(text, "reference_set: a\nvalues: [{image: ff}]\nsource: ");
    memset(text + file.len, 'x', size);
    file.len += size;
    set = attestd_policy_compile(engine, NULL, &file, 1, false, NULL, NULL, faults, 2, &count);
    assert_non_null(set);
    attestd_policy_set_free(set);
    test_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_fault_names_code_line_and_column),
        cmocka_unit_test(every_broken_document_is_reported_not_only_the_first),
        cmocka_unit_test(the_token_part_learns_what_the_policy_says),
        cmocka_unit_test(two_policies_of_one_audience_are_never_chosen_between),
        cmocka_unit_test(plugins_read_their_settings_typed),
        cmocka_unit_test(the_most_specific_mode_wins_and_names_its_line),
        cmocka_unit_test(an_exception_is_strict_again_after_its_date),
        cmocka_unit_test(what_ends_soon_is_listed_with_owner_and_reason),
        cmocka_unit_test(the_canonical_form_loads_to_the_same_digest_and_lines),
        cmocka_unit_test(the_digest_is_of_what_decides_and_nothing_else),
        cmocka_unit_test(a_broken_canonical_form_is_refused),
        cmocka_unit_test(hardware_only_compiles_whatever_is_loaded),
        cmocka_unit_test(json_lines_are_a_reference_set),
        cmocka_unit_test(a_broken_line_of_json_is_named),
        cmocka_unit_test(a_policy_file_has_256_kib_and_a_set_more),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
