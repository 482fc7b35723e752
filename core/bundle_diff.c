/* SPDX-License-Identifier: Apache-2.0 */
/* What differs between two results, for a person: attestctl replay with another build, attestctl policy diff. */
#include "core/bundle.h"

#include <stdio.h>
#include <string.h>

#define MAX_DEPTH 32
#define PATH_SIZE 512

struct comparison {
    struct attestd_text *out;
    size_t differences;
};

static void show(struct attestd_text *out, const json_t *value)
{
    struct attestd_json_writer writer = attestd_json_writer_to(out);

    if (value == NULL)
        attestd_text_puts(out, "(nothing)");
    else
        attestd_json_jansson(&writer, NULL, value);
}

static void tell(struct comparison *comparison, const char *path, const json_t *before, const json_t *after)
{
    comparison->differences++;
    attestd_text_printf(comparison->out, "%s: ", path[0] == '.' ? path + 1 : path);
    show(comparison->out, before);
    attestd_text_puts(comparison->out, " -> ");
    show(comparison->out, after);
    attestd_text_puts(comparison->out, "\n");
}

static void compare(struct comparison *comparison, const char *path, const json_t *before, const json_t *after);

static void compare_maps(struct comparison *comparison, const char *path, const json_t *before, const json_t *after)
{
    char place[PATH_SIZE];
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)before, name, value)
    {
        snprintf(place, sizeof place, "%s.%s", path, name);
        compare(comparison, place, value, json_object_get(after, name));
    }
    json_object_foreach((json_t *)(uintptr_t)after, name, value)
    {
        snprintf(place, sizeof place, "%s.%s", path, name);
        if (json_object_get(before, name) == NULL)
            compare(comparison, place, NULL, value);
    }
}

/* An item's own name: the id of a check. */
static const char *id_of(const json_t *item)
{
    return json_string_value(json_object_get(item, "id"));
}

static const json_t *by_id(const json_t *list, const char *id)
{
    size_t i;
    json_t *item;

    json_array_foreach((json_t *)(uintptr_t)list, i, item)
    {
        const char *own = id_of(item);
        if (own != NULL && strcmp(own, id) == 0)
            return item;
    }
    return NULL;
}

static void compare_checks(struct comparison *comparison, const char *path, const json_t *before, const json_t *after)
{
    char place[PATH_SIZE];
    size_t i;
    json_t *item;

    json_array_foreach((json_t *)(uintptr_t)before, i, item)
    {
        snprintf(place, sizeof place, "%s[%s]", path, id_of(item) != NULL ? id_of(item) : "?");
        compare(comparison, place, item, by_id(after, id_of(item) != NULL ? id_of(item) : ""));
    }
    json_array_foreach((json_t *)(uintptr_t)after, i, item)
    {
        snprintf(place, sizeof place, "%s[%s]", path, id_of(item) != NULL ? id_of(item) : "?");
        if (id_of(item) == NULL || by_id(before, id_of(item)) == NULL)
            compare(comparison, place, NULL, item);
    }
}

static void compare_lists(struct comparison *comparison, const char *path, const json_t *before, const json_t *after)
{
    char place[PATH_SIZE];
    size_t size = json_array_size(before) > json_array_size(after) ? json_array_size(before) : json_array_size(after);

    if (id_of(json_array_get(before, 0)) != NULL || id_of(json_array_get(after, 0)) != NULL) {
        compare_checks(comparison, path, before, after);
        return;
    }
    for (size_t i = 0; i < size; i++) {
        snprintf(place, sizeof place, "%s[%zu]", path, i);
        compare(comparison, place, json_array_get(before, i), json_array_get(after, i));
    }
}

static void compare(struct comparison *comparison, const char *path, const json_t *before, const json_t *after)
{
    if (json_is_object(before) && json_is_object(after))
        compare_maps(comparison, path, before, after);
    else if (json_is_array(before) && json_is_array(after))
        compare_lists(comparison, path, before, after);
    else if (before == NULL || after == NULL || !json_equal(before, after))
        tell(comparison, path, before, after);
}

size_t attestd_bundle_diff(const char *before, size_t before_len, const char *after, size_t after_len, struct attestd_text *out)
{
    struct comparison comparison = {out, 0};
    json_t *one = attestd_json_read(before, before_len, MAX_DEPTH, NULL, 0);
    json_t *two = attestd_json_read(after, after_len, MAX_DEPTH, NULL, 0);

    if (one != NULL && two != NULL) {
        compare(&comparison, "", one, two);
    } else {
        attestd_text_puts(out, "one of the two is not JSON\n");
        comparison.differences = 1;
    }
    json_decref(one);
    json_decref(two);
    return comparison.differences;
}
