/* SPDX-License-Identifier: Apache-2.0 */
/* server/openapi.yaml against the routes and the table of problems: neither may know what the other does not. */
#include "core/problem.h"
#include "policy/document.h"
#include "server/embedded.h"
#include "server/router.h"
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
/* cmocka's header wants the above */
#include <cmocka.h>

static struct attestd_arena *arena;
static const struct attestd_node *document;

static const struct attestd_node *at(const struct attestd_node *node, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        node = attestd_node_find(node, names[i]);
        if (node == NULL)
            fail_msg("openapi.yaml has no %s", names[i]);
    }
    return node;
}

/* "/v1/policies/{name}" is the route "/v1/policies/{}". */
static const struct attestd_node *path_of(const struct attestd_node *paths, const char *route)
{
    for (size_t i = 0; i < paths->count; i++) {
        const char *a = paths->items[i].name, *b = route;
        while (*a != '\0' && *a == *b) {
            if (*a == '{')
                a = strchr(a, '}') - 1;
            a++, b++;
        }
        if (*a == '\0' && *b == '\0')
            return &paths->items[i];
    }
    return NULL;
}

static void every_route_and_method_is_described_and_no_other(void **state)
{
    (void)state;
    static const char *const names[] = {"paths"};
    static const char *const known[] = {"get", "put", "post", "delete", "patch"};
    const struct attestd_node *paths = at(document, names, 1);
    assert_int_equal(paths->count, route_count());
    for (size_t i = 0; i < route_count(); i++) {
        const struct attestd_node *path = path_of(paths, routes[i]->path);
        if (path == NULL)
            fail_msg("%s is not described", routes[i]->path);
        size_t described = 0, methods = 0;
        for (size_t k = 0; k < sizeof known / sizeof *known; k++)
            described += attestd_node_find(path, known[k]) != NULL;
        for (const struct route_method *m = routes[i]->methods; m->method != NULL; m++, methods++) {
            char lower[16] = "";
            for (size_t c = 0; m->method[c] != '\0'; c++)
                lower[c] = (char)tolower((unsigned char)m->method[c]);
            const struct attestd_node *operation = attestd_node_find(path, lower);
            if (operation == NULL)
                fail_msg("%s %s is not described", m->method, routes[i]->path);
            bool for_operators = m->access == ACCESS_READ || m->access == ACCESS_WRITE;
            assert_int_equal(attestd_node_find(operation, "security") != NULL, for_operators);
        }
        assert_int_equal(described, methods);
    }
}

static bool listed(const struct attestd_node *list, const char *code)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i].text, code) == 0)
            return true;
    return false;
}

static void codes_are_those_of_the_table_of_problems(void **state)
{
    (void)state;
    static const char *const problem[] = {"components", "schemas", "ProblemCode", "enum"};
    static const char *const withheld[] = {"components", "schemas", "WithheldCode", "enum"};
    const struct attestd_node *problems = at(document, problem, 4), *reasons = at(document, withheld, 4);
    assert_int_equal(problems->count + reasons->count, attestd_problem_count());
    for (size_t i = 0; i < attestd_problem_count(); i++) {
        const struct attestd_problem *p = attestd_problem_at(i);
        if (!listed(p->status == 200 ? reasons : problems, p->code))
            fail_msg("%s (%d) is not listed", p->code, p->status);
    }
}

static void places_of_the_catalogue_are_there_to_be_filled(void **state)
{
    (void)state;
    assert_non_null(strstr((const char *)embedded_openapi, "enum: [] # check ids of the loaded plugins"));
    assert_non_null(strstr((const char *)embedded_openapi, "enum: [] # check codes of the loaded plugins"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_route_and_method_is_described_and_no_other),
        cmocka_unit_test(codes_are_those_of_the_table_of_problems),
        cmocka_unit_test(places_of_the_catalogue_are_there_to_be_filled),
    };
    struct attestd_policy_fault fault = {0};
    const struct attestd_node *documents;
    size_t count;
    arena = attestd_arena_new();
    if (!attestd_document_read(arena, (const char *)embedded_openapi, embedded_openapi_len, 1 << 20, &documents, &count, &fault)) {
        fprintf(stderr, "openapi.yaml:%u:%u: %s\n", fault.line, fault.column, fault.message);
        return 1;
    }
    document = &documents[0];
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    attestd_arena_free(arena);
    return failed;
}
