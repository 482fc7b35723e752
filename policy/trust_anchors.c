/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/trust_anchors.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FILE ((size_t)256 << 10)
#define MAX_FILES 64

static const char anchors_schema[] =
    "{\"type\":\"object\",\"required\":[\"vendor\",\"anchors\"],\"$defs\":{"
    "\"digest\":{\"type\":\"string\",\"format\":\"hex\",\"pattern\":\"^[0-9a-fA-F]{64}$\"},"
    "\"purpose\":{\"type\":\"string\",\"pattern\":\"^[a-z0-9]+(/[A-Za-z0-9_-]+)*$\"}},"
    "\"properties\":{\"vendor\":{\"type\":\"string\",\"pattern\":\".\"},\"description\":{\"type\":\"string\"},"
    "\"anchors\":{\"type\":\"array\",\"minItems\":1,\"items\":{\"type\":\"object\","
    "\"required\":[\"name\",\"purpose\",\"sha256\",\"spki_sha256\"],\"properties\":{"
    "\"name\":{\"type\":\"string\",\"pattern\":\".\"},"
    "\"purpose\":{\"oneOf\":[{\"$ref\":\"#/$defs/purpose\"},{\"type\":\"array\",\"minItems\":1,\"items\":{\"$ref\":\"#/$defs/purpose\"}}]},"
    "\"sha256\":{\"$ref\":\"#/$defs/digest\"},\"spki_sha256\":{\"$ref\":\"#/$defs/digest\"},"
    "\"not_before\":{\"type\":\"string\",\"format\":\"time\"},\"not_after\":{\"type\":\"string\",\"format\":\"time\"},"
    "\"published\":{\"type\":\"string\"},\"check\":{\"type\":\"string\"},\"note\":{\"type\":\"string\"}}}}}}";

static const struct attestd_value *member(const struct attestd_value *map, const char *name)
{
    for (size_t i = 0; i < map->count; i++) {
        if (strcmp(map->items[i].name, name) == 0)
            return &map->items[i];
    }
    return NULL;
}

/* A vendor pin for each purpose; every member is typed by the schema. */
static void add_anchor(struct attestd_anchor_set *set, const struct attestd_value *item)
{
    const struct attestd_value *purpose = member(item, "purpose"), *one = purpose->kind == ATTESTD_VALUE_LIST ? purpose->items : purpose;
    size_t count = purpose->kind == ATTESTD_VALUE_LIST ? purpose->count : 1;
    struct attestd_anchor anchor = {.name = (const char *)member(item, "name")->text.data};
    memcpy(anchor.sha256, member(item, "sha256")->text.data, sizeof anchor.sha256);
    memcpy(anchor.spki_sha256, member(item, "spki_sha256")->text.data, sizeof anchor.spki_sha256);
    for (size_t i = 0; i < count; i++) {
        anchor.purpose = (const char *)one[i].text.data;
        attestd_anchor_set_add(set, &anchor);
    }
}

static bool add_document(struct attestd_arena *arena, struct attestd_anchor_set *set, const struct attestd_node *document,
                         const json_t *schema, struct attestd_policy_fault *fault)
{
    const struct attestd_value *root = attestd_node_typed(arena, document, schema, fault);
    const struct attestd_value *anchors;
    if (root == NULL)
        return false;
    anchors = member(root, "anchors");
    for (size_t i = 0; i < anchors->count; i++)
        add_anchor(set, &anchors->items[i]);
    return true;
}

bool attestd_trust_anchors_add(struct attestd_anchor_set *set, const char *file, const char *text, size_t len,
                               struct attestd_policy_fault *fault)
{
    struct attestd_arena *arena = attestd_arena_new();
    json_t *schema = attestd_json_read(anchors_schema, sizeof anchors_schema - 1, 16, NULL, 0);
    const struct attestd_node *documents;
    size_t count;
    bool ok = attestd_document_read(arena, text, len, MAX_FILE, &documents, &count, fault);
    for (size_t i = 0; ok && i < count; i++)
        ok = add_document(arena, set, &documents[i], schema, fault);
    if (!ok)
        snprintf(fault->file, sizeof fault->file, "%s", file);
    json_decref(schema);
    attestd_arena_free(arena);
    return ok;
}

static bool add_file(struct attestd_anchor_set *set, const char *path, struct attestd_policy_fault *fault)
{
    struct attestd_arena *arena = attestd_arena_new();
    struct attestd_bytes bytes;
    char error[256];
    bool ok = attestd_file_read(arena, path, MAX_FILE, &bytes, error, sizeof error);
    if (ok)
        ok = attestd_trust_anchors_add(set, path, (const char *)bytes.data, bytes.len, fault);
    else
        attestd_policy_fault_set(fault, 0, 0, "POLICY_UNREADABLE", "%s", error);
    attestd_arena_free(arena);
    return ok;
}

static bool is_anchor_file(const char *name)
{
    size_t len = strlen(name);
    return name[0] != '.' && len > 5 && strcmp(name + len - 5, ".yaml") == 0;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

bool attestd_trust_anchors_load(struct attestd_anchor_set *set, const char *directory, struct attestd_policy_fault *fault)
{
    struct attestd_arena *arena = attestd_arena_new();
    const char *paths[MAX_FILES];
    size_t count = 0;
    struct dirent *entry;
    bool ok = true;
    DIR *handle = opendir(directory);
    if (handle == NULL) {
        snprintf(fault->file, sizeof fault->file, "%s", directory);
        attestd_arena_free(arena);
        return attestd_policy_fault_set(fault, 0, 0, "POLICY_UNREADABLE", "%s", strerror(errno));
    }
    while ((entry = readdir(handle)) != NULL) {
        if (!is_anchor_file(entry->d_name))
            continue;
        if (count == MAX_FILES) {
            ok = attestd_policy_fault_set(fault, 0, 0, "POLICY_TOO_LARGE", "more than %d files in %s", MAX_FILES, directory);
            break;
        }
        paths[count++] = attestd_arena_format(arena, "%s/%s", directory, entry->d_name);
    }
    closedir(handle);
    if (count > 1)
        qsort(paths, count, sizeof paths[0], by_text);
    for (size_t i = 0; ok && i < count; i++)
        ok = add_file(set, paths[i], fault);
    attestd_arena_free(arena);
    return ok;
}
