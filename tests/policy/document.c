/* SPDX-License-Identifier: Apache-2.0 */
/* YAML to nodes to typed values: every way to be wrong has its code, line and column. */
#include "policy/document.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static struct attestd_arena *arena;

static int new_arena(void **state)
{
    (void)state;
    arena = attestd_arena_new();
    return 0;
}

static int free_arena(void **state)
{
    (void)state;
    attestd_arena_free(arena);
    return 0;
}

static const struct attestd_node *read_one(const char *text)
{
    struct attestd_policy_fault fault = {0};
    const struct attestd_node *documents;
    size_t count;
    if (!attestd_document_read(arena, text, strlen(text), 1 << 20, &documents, &count, &fault))
        fail_msg("%u:%u %s %s", fault.line, fault.column, fault.code, fault.message);
    assert_int_equal(count, 1);
    return documents;
}

static void maps_and_lists_keep_order_text_and_place(void **state)
{
    const struct attestd_node *root = read_one("a: 1\nb:\n  - x\n  - \"no\"\n  - {c: no}\n");
    (void)state;
    assert_int_equal(root->kind, ATTESTD_NODE_MAP);
    assert_int_equal(root->count, 2);
    assert_string_equal(root->items[0].name, "a");
    assert_string_equal(root->items[0].text, "1");
    assert_int_equal(root->items[0].column, 4);
    const struct attestd_node *list = attestd_node_find(root, "b");
    assert_int_equal(list->key_line, 2);
    assert_int_equal(list->count, 3);
    assert_false(list->items[0].quoted);
    assert_true(list->items[1].quoted);
    assert_int_equal(list->items[1].line, 4);
    assert_int_equal(list->items[1].column, 5);
    assert_string_equal(list->items[2].items[0].text, "no");
    assert_null(attestd_node_find(root, "c"));
}

static void several_documents_are_read_and_empty_ones_left_out(void **state)
{
    static const char text[] = "# only a comment\n---\na: 1\n---\n---\nb: 2\n...\n";
    struct attestd_policy_fault fault = {0};
    const struct attestd_node *documents;
    size_t count;
    (void)state;
    assert_true(attestd_document_read(arena, text, sizeof text - 1, sizeof text, &documents, &count, &fault));
    assert_int_equal(count, 2);
    assert_string_equal(documents[1].items[0].name, "b");
    assert_int_equal(documents[1].items[0].key_line, 6);
}

static void refused_texts_name_code_line_and_column(void **state)
{
    static const struct {
        const char *text, *code;
        unsigned line, column;
    } table[] = {
        {"a: &x 1\nb: *x\n", "POLICY_ALIAS", 1, 4},
        {"a: 1\nb: *x\n", "POLICY_ALIAS", 2, 4},
        {"a: 1\n*x : 2\n", "POLICY_ALIAS", 2, 1},
        {"a: !!int 1\n", "POLICY_TAG", 1, 4},
        {"a: !mine {b: 1}\n", "POLICY_TAG", 1, 4},
        {"a: 1\nb: 2\na: 3\n", "POLICY_DUPLICATE_KEY", 3, 1},
        {"a: {b: 1, \"b\": 2}\n", "POLICY_DUPLICATE_KEY", 1, 11},
        {"[1]: 2\n", "POLICY_KEY", 1, 1},
        {"%YAML 1.1\n---\na: 1\n", "POLICY_DIRECTIVE", 1, 1},
        {"a: 1\n%TAG ! x\n", "POLICY_DIRECTIVE", 2, 1},
        {"a: 1\n  b: 2\n", "POLICY_YAML", 2, 4},
        {"a: [1, 2\n", "POLICY_YAML", 2, 1},
        {"a: 1\nb: \xff\n", "POLICY_NOT_UTF8", 2, 1},
        {"a: \"x\\0y\"\n", "POLICY_CHARACTER", 1, 4},
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct attestd_policy_fault fault = {0};
        const struct attestd_node *documents;
        size_t count;
        if (attestd_document_read(arena, table[i].text, strlen(table[i].text), 1 << 20, &documents, &count, &fault))
            fail_msg("accepted: %s", table[i].text);
        if (strcmp(fault.code, table[i].code) != 0 || fault.line != table[i].line || fault.column != table[i].column)
            fail_msg("%s -> %u:%u %s %s", table[i].text, fault.line, fault.column, fault.code, fault.message);
        assert_true(strlen(fault.message) > 0);
    }
}

static void a_text_beyond_its_size_is_refused(void **state)
{
    struct attestd_policy_fault fault = {0};
    const struct attestd_node *documents;
    size_t count;
    (void)state;
    assert_true(attestd_document_read(arena, "a: 1\n", 5, 5, &documents, &count, &fault));
    assert_false(attestd_document_read(arena, "a: 12\n", 6, 5, &documents, &count, &fault));
    assert_string_equal(fault.code, "POLICY_TOO_LARGE");
}

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* The texts that make libyaml quadratic: nesting, and one simple key after another. */
static void hostile_nesting_is_refused_at_32_levels_at_once(void **state)
{
    static const char *const units[] = {"[", "{a: ", "- ", "? ", "{", "[[a", "{? "};
    size_t size = 256 * 1024;
    char *text = malloc(size);
    (void)state;
    for (size_t u = 0; u < sizeof units / sizeof units[0]; u++) {
        size_t unit = strlen(units[u]), count;
        struct attestd_policy_fault fault = {0};
        const struct attestd_node *documents;
        double start = seconds_now(), spent;
        for (size_t i = 0; i < size; i++)
            text[i] = units[u][i % unit];
        assert_false(attestd_document_read(arena, text, size, size, &documents, &count, &fault));
        spent = seconds_now() - start;
        if (spent > 0.05)
            fail_msg("%s took %.3f s", units[u], spent);
        if (strcmp(fault.code, "POLICY_TOO_DEEP") != 0 && strcmp(fault.code, "POLICY_KEY") != 0 && strcmp(fault.code, "POLICY_YAML") != 0)
            fail_msg("%s: %s %s", units[u], fault.code, fault.message);
    }
    free(text);
}

static void exactly_32_levels_are_read(void **state)
{
    char text[128];
    struct attestd_policy_fault fault = {0};
    const struct attestd_node *documents;
    size_t count;
    (void)state;
    memset(text, '[', 33);
    memset(text + 33, ']', 33);
    assert_true(attestd_document_read(arena, text + 1, 64, 128, &documents, &count, &fault));
    assert_false(attestd_document_read(arena, text, 66, 128, &documents, &count, &fault));
    assert_string_equal(fault.code, "POLICY_TOO_DEEP");
    assert_int_equal(fault.column, 33);
}

static const char schema_text[] =
    "{\"type\":\"object\",\"required\":[\"name\"],\"$defs\":{\"word\":{\"type\":\"string\",\"enum\":[\"strict\",\"warn\",\"disabled\"]}},"
    "\"properties\":{"
    "\"name\":{\"type\":\"string\",\"pattern\":\"^[a-z][a-z0-9-]*$\"},"
    "\"count\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":32},"
    "\"flag\":{\"type\":\"boolean\"},"
    "\"text\":{\"type\":\"string\"},"
    "\"digest\":{\"type\":\"string\",\"format\":\"hex\"},"
    "\"from\":{\"type\":\"string\",\"format\":\"time\"},"
    "\"ttl\":{\"type\":\"string\",\"format\":\"duration\",\"default\":\"5m\"},"
    "\"size\":{\"type\":\"string\",\"format\":\"size\"},"
    "\"driver\":{\"type\":\"string\",\"format\":\"version\"},"
    "\"mode\":{\"$ref\":\"#/$defs/word\"},"
    "\"levels\":{\"type\":\"object\",\"patternProperties\":{\"^[0-3]$\":{\"type\":\"integer\"}},\"additionalProperties\":false},"
    "\"list\":{\"type\":\"array\",\"items\":{\"type\":\"integer\"},\"minItems\":1,\"maxItems\":3},"
    "\"choice\":{\"oneOf\":[{\"$ref\":\"#/$defs/word\"},{\"type\":\"object\",\"properties\":{\"mode\":{\"$ref\":\"#/$defs/word\"},"
    "\"until\":{\"type\":\"string\",\"format\":\"time\"}}},{\"type\":\"array\",\"items\":{\"type\":\"string\"}}]}}}";

static const struct attestd_value *type_text(const char *text, struct attestd_policy_fault *fault)
{
    json_t *schema = attestd_json_read(schema_text, sizeof schema_text - 1, 16, NULL, 0);
    const struct attestd_value *value;
    assert_non_null(schema);
    value = attestd_node_typed(arena, read_one(text), schema, fault);
    json_decref(schema);
    return value;
}

static const struct attestd_value *member(const struct attestd_value *map, const char *name)
{
    for (size_t i = 0; i < map->count; i++) {
        if (strcmp(map->items[i].name, name) == 0)
            return &map->items[i];
    }
    fail_msg("no %s", name);
    return NULL;
}

static void values_get_the_types_of_the_schema(void **state)
{
    struct attestd_policy_fault fault = {0};
    const struct attestd_value *map =
        type_text("name: a\ncount: 7\nflag: true\ntext: no\ndigest: 00FF\nfrom: 2026-11-01\nttl: 2m\nsize: 64KiB\n"
                  "driver: 550.90\nmode: warn\nlevels: {0: 5}\nlist: [1, 2]\nchoice: {mode: strict}\n",
                  &fault);
    (void)state;
    if (map == NULL)
        fail_msg("%u:%u %s", fault.line, fault.column, fault.message);
    assert_int_equal(member(map, "count")->kind, ATTESTD_VALUE_NUMBER);
    assert_int_equal(member(map, "count")->number, 7);
    assert_int_equal(member(map, "flag")->kind, ATTESTD_VALUE_FLAG);
    assert_string_equal((const char *)member(map, "text")->text.data, "no");
    assert_int_equal(member(map, "digest")->kind, ATTESTD_VALUE_BYTES);
    assert_int_equal(member(map, "digest")->text.data[1], 0xff);
    assert_int_equal(member(map, "from")->number, 1793491200);
    assert_int_equal(member(map, "ttl")->number, 120);
    assert_int_equal(member(map, "size")->number, 65536);
    assert_string_equal((const char *)member(map, "driver")->text.data, "550.90");
    assert_int_equal(member(map, "levels")->items[0].number, 5);
    assert_int_equal(member(map, "list")->count, 2);
    assert_int_equal(member(map, "choice")->kind, ATTESTD_VALUE_MAP);
}

static void a_missing_value_gets_its_default(void **state)
{
    struct attestd_policy_fault fault = {0};
    const struct attestd_value *map = type_text("name: a\n", &fault);
    (void)state;
    assert_non_null(map);
    assert_int_equal(member(map, "ttl")->number, 300);
}

static void values_that_do_not_fit_name_what_was_expected(void **state)
{
    static const struct {
        const char *text, *code, *says;
        unsigned line, column;
    } table[] = {
        {"count: 1\n", "POLICY_MISSING_KEY", "`name` is missing", 1, 1},
        {"name: a\ncuont: 1\n", "POLICY_UNKNOWN_KEY", "did you mean `count`", 2, 1},
        {"name: a\nzzzzzz: 1\n", "POLICY_UNKNOWN_KEY", "one of name, count", 2, 1},
        {"name: A\n", "POLICY_VALUE", "form expected", 1, 7},
        {"name: a\ncount: 0x10\n", "POLICY_TYPE", "without 0x", 2, 8},
        {"name: a\ncount: 010\n", "POLICY_TYPE", "leading zeros", 2, 8},
        {"name: a\ncount: 0o10\n", "POLICY_TYPE", "whole number", 2, 8},
        {"name: a\ncount: \"7\"\n", "POLICY_TYPE", "without quotes", 2, 8},
        {"name: a\ncount: 1e3\n", "POLICY_TYPE", "whole number", 2, 8},
        {"name: a\ncount: 99999999999999999999\n", "POLICY_TYPE", "whole number", 2, 8},
        {"name: a\ncount: 0\n", "POLICY_VALUE", "at least 1", 2, 8},
        {"name: a\ncount: 33\n", "POLICY_VALUE", "at most 32", 2, 8},
        {"name: a\ncount:\n", "POLICY_TYPE", "missing", 2, 7},
        {"name: a\nflag: no\n", "POLICY_TYPE", "write false", 2, 7},
        {"name: a\nflag: Yes\n", "POLICY_TYPE", "write true", 2, 7},
        {"name: a\nflag: \"true\"\n", "POLICY_TYPE", "true or false", 2, 7},
        {"name: a\ndigest: 0xff\n", "POLICY_TYPE", "without 0x", 2, 9},
        {"name: a\ndigest: fff\n", "POLICY_TYPE", "even number", 2, 9},
        {"name: a\ndigest: zz\n", "POLICY_TYPE", "hexadecimal", 2, 9},
        {"name: a\nfrom: tomorrow\n", "POLICY_TYPE", "a date or time", 2, 7},
        {"name: a\nfrom: 2026-13-01\n", "POLICY_TYPE", "a date or time", 2, 7},
        {"name: a\nttl: 5 minutes\n", "POLICY_TYPE", "duration", 2, 6},
        {"name: a\nsize: 5 apples\n", "POLICY_TYPE", "size", 2, 7},
        {"name: a\ndriver: v5\n", "POLICY_TYPE", "version", 2, 9},
        {"name: a\nmode: wran\n", "POLICY_VALUE", "did you mean `warn`", 2, 7},
        {"name: a\nlevels: {4: 1}\n", "POLICY_UNKNOWN_KEY", "not known", 2, 10},
        {"name: a\nlist: []\n", "POLICY_COUNT", "at least 1", 2, 7},
        {"name: a\nlist: [1, 2, 3, 4]\n", "POLICY_COUNT", "at most 3", 2, 7},
        {"name: a\nlist: 1\n", "POLICY_TYPE", "a list", 2, 7},
        {"name: a\nlist: [1, x]\n", "POLICY_TYPE", "whole number", 2, 11},
        {"name: a\nchoice: wrn\n", "POLICY_VALUE", "did you mean `warn`", 2, 9},
        {"name: a\nchoice: {mod: warn}\n", "POLICY_UNKNOWN_KEY", "did you mean `mode`", 2, 10},
        {"name: a\ncount: {a: 1}\n", "POLICY_TYPE", "found a map", 2, 8},
        {"- a\n", "POLICY_TYPE", "found a list", 1, 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct attestd_policy_fault fault = {0};
        if (type_text(table[i].text, &fault) != NULL)
            fail_msg("accepted: %s", table[i].text);
        if (strcmp(fault.code, table[i].code) != 0 || fault.line != table[i].line || fault.column != table[i].column ||
            strstr(fault.message, table[i].says) == NULL)
            fail_msg("%s -> %u:%u %s %s", table[i].text, fault.line, fault.column, fault.code, fault.message);
    }
}

static void a_file_is_read_up_to_its_limit(void **state)
{
    char path[] = "/tmp/attestd-document-XXXXXX", error[256];
    int file = mkstemp(path);
    FILE *stream = fdopen(file, "w");
    struct attestd_bytes bytes;
    (void)state;
    fputs("12345", stream);
    fclose(stream);
    assert_true(attestd_file_read(arena, path, 5, &bytes, error, sizeof error));
    assert_int_equal(bytes.len, 5);
    assert_memory_equal(bytes.data, "12345", 6);
    assert_false(attestd_file_read(arena, path, 4, &bytes, error, sizeof error));
    assert_non_null(strstr(error, "4 are allowed"));
    remove(path);
    assert_false(attestd_file_read(arena, path, 4, &bytes, error, sizeof error));
    assert_false(attestd_file_read(arena, "/tmp", 4, &bytes, error, sizeof error));
    assert_non_null(strstr(error, "not a regular file"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, new_arena, free_arena)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(maps_and_lists_keep_order_text_and_place),
        TEST(several_documents_are_read_and_empty_ones_left_out),
        TEST(refused_texts_name_code_line_and_column),
        TEST(a_text_beyond_its_size_is_refused),
        TEST(hostile_nesting_is_refused_at_32_levels_at_once),
        TEST(exactly_32_levels_are_read),
        TEST(values_get_the_types_of_the_schema),
        TEST(a_missing_value_gets_its_default),
        TEST(values_that_do_not_fit_name_what_was_expected),
        TEST(a_file_is_read_up_to_its_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
