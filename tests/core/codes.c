/* SPDX-License-Identifier: Apache-2.0 */
/* Every code of the catalogue is asserted by some test: a code that no test names is a code nobody has seen. */
#include "tests/core/cmocka_includes.h"

#include "core/engine.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static struct attestd_text sources;

static void add_file(const char *path)
{
    char buffer[65536];
    size_t len;
    FILE *file = fopen(path, "rb");

    assert_non_null(file);
    while ((len = fread(buffer, 1, sizeof buffer, file)) > 0)
        attestd_text_add(&sources, buffer, len);
    attestd_text_add(&sources, "\n", 1);
    fclose(file);
}

static bool is_test_source(const char *name)
{
    static const char *const endings[] = {".c", ".h", ".sh", ".py", ".mjs", ".yaml"};
    size_t len = strlen(name);

    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
        if (len > strlen(endings[i]) && strcmp(name + len - strlen(endings[i]), endings[i]) == 0)
            return true;
    return false;
}

static void add_tree(const char *path)
{
    char below[2048];
    struct dirent *entry;
    struct stat st;
    DIR *directory = opendir(path);

    assert_non_null(directory);
    while ((entry = readdir(directory)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(below, sizeof below, "%s/%s", path, entry->d_name);
        assert_int_equal(stat(below, &st), 0);
        if (S_ISDIR(st.st_mode))
            add_tree(below);
        else if (is_test_source(entry->d_name))
            add_file(below);
    }
    closedir(directory);
}

/* As a word: SNP_TCB is not seen because SNP_TCB_FLOOR is. */
static bool seen(const char *code)
{
    size_t len = strlen(code);

    for (const char *at = strstr(sources.data, code); at != NULL; at = strstr(at + 1, code)) {
        const char *word = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
        if ((at == sources.data || strchr(word, at[-1]) == NULL) && (at[len] == '\0' || strchr(word, at[len]) == NULL))
            return true;
    }
    return false;
}

static unsigned report(const char *where, const struct attestd_reason *reasons)
{
    unsigned missing = 0;

    for (; reasons != NULL && reasons->code != NULL; reasons++) {
        if (seen(reasons->code))
            continue;
        print_error("%s: no test names %s\n", where, reasons->code);
        missing++;
    }
    return missing;
}

static void every_code_is_named_by_a_test(void **state)
{
    char path[1024], error[512];
    struct attestd_engine *engine = attestd_engine_new();
    unsigned missing = 0;
    struct dirent *entry;

    (void)state;
    snprintf(path, sizeof path, "%s/tests", getenv("ATTESTD_SOURCE"));
    add_tree(path);
    snprintf(path, sizeof path, "%s/plugins", getenv("ATTESTD_BUILD"));
    DIR *directory = opendir(path);
    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        char name[64];
        if (sscanf(entry->d_name, "%32[a-z0-9].so", name) == 1 && strstr(entry->d_name, ".so") != NULL &&
            !attestd_engine_load(engine, path, name, error, sizeof error))
            fail_msg("%s", error);
    }
    if (directory != NULL)
        closedir(directory);
    for (size_t i = 0; i < attestd_engine_check_count(engine); i++)
        missing += report(attestd_engine_check_at(engine, i)->id, attestd_engine_check_at(engine, i)->reasons);
    for (size_t i = 0; i < attestd_engine_plugin_count(engine); i++)
        missing += report(attestd_engine_plugin_at(engine, i)->name, attestd_engine_plugin_at(engine, i)->malformed);
    assert_int_equal(missing, 0);
    assert_false(seen("NO"
                      "_SUCH"
                      "_CODE"
                      "_ANYWHERE"));
    attestd_engine_free(engine);
    attestd_text_free(&sources);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_code_is_named_by_a_test)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
