/* SPDX-License-Identifier: Apache-2.0 */
#include "server/query.h"
#include "server/answer.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
/* cmocka's header wants the above */
#include <cmocka.h>

static void pairs_are_decoded(void **state)
{
    (void)state;
    struct attestd_arena *arena = attestd_arena_new();
    struct query_pair pairs[QUERY_MAX];
    size_t count;
    assert_true(query_read(arena, "audience=https%3A%2F%2Fkms.example&nonce=a+b%2B%3D&empty=&flag", pairs, &count));
    assert_int_equal(count, 4);
    assert_string_equal(query_find(pairs, count, "audience"), "https://kms.example");
    assert_string_equal(query_find(pairs, count, "nonce"), "a+b+=");
    assert_string_equal(query_find(pairs, count, "empty"), "");
    assert_string_equal(query_find(pairs, count, "flag"), "");
    assert_null(query_find(pairs, count, "policy"));
    assert_true(query_read(arena, "", pairs, &count));
    assert_int_equal(count, 0);
    attestd_arena_free(arena);
}

static void broken_queries_are_refused(void **state)
{
    static const char *const bad[] = {"a=%",   "a=%4",    "a=%zz",     "a=%00",
                                      "a=%ff", "a=1&a=2", "%61=1&a=2", "a&b&c&d&e&f&g&h&i&j&k&l&m&n&o&p&q"};
    struct query_pair pairs[QUERY_MAX];
    size_t count;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct attestd_arena *arena = attestd_arena_new();
        assert_false(query_read(arena, bad[i], pairs, &count));
        attestd_arena_free(arena);
    }
}

static void accept_chooses_json_token_or_nothing(void **state)
{
    static const struct {
        const char *accept;
        enum answer_form form;
    } table[] = {
        {"", ANSWER_JSON},
        {"*/*", ANSWER_JSON},
        {"application/json", ANSWER_JSON},
        {"application/*", ANSWER_JSON},
        {"application/eat+jwt", ANSWER_TOKEN},
        {"application/eat+jwt; eat_profile=\"tag:github.com,2023:veraison/ear\"", ANSWER_TOKEN},
        {"Application/EAT+JWT", ANSWER_TOKEN},
        {"application/eat+jwt, application/json;q=0.5", ANSWER_TOKEN},
        {"application/eat+jwt;q=0.2, application/json", ANSWER_JSON},
        {"application/eat+jwt;q=0, application/json;q=0.001", ANSWER_JSON},
        {"application/eat+jwt, */*;q=0.1", ANSWER_TOKEN},
        {"text/html", ANSWER_NONE},
        {"application/json;q=0", ANSWER_NONE},
        {"application/jsonx", ANSWER_NONE},
        {",,,", ANSWER_NONE},
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (answer_form_of(table[i].accept) != table[i].form)
            fail_msg("%s", table[i].accept);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_are_decoded),
        cmocka_unit_test(broken_queries_are_refused),
        cmocka_unit_test(accept_chooses_json_token_or_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
