/* SPDX-License-Identifier: Apache-2.0 */
/* A directory of policy files, read whole and compiled whole. */
#include "policy/compiled.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_FOLDER_DEPTH 8
#define MAX_FILES 4096
#define MAX_TOTAL ((size_t)256 << 20) /* bytes of all files together */

struct directory_reader {
    struct attestd_arena *arena;
    const char *root;
    const char **names; /* relative to root */
    size_t count, size, total;
    struct attestd_policy_fault *fault;
};

static bool has_policy_suffix(const char *name)
{
    static const char *const suffixes[] = {".yaml", ".yml", ".jsonl"};
    size_t len = strlen(name);
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        size_t suffix = strlen(suffixes[i]);
        if (len > suffix && strcmp(name + len - suffix, suffixes[i]) == 0)
            return true;
    }
    return false;
}

static bool unreadable(struct directory_reader *reader, const char *path)
{
    snprintf(reader->fault->file, sizeof reader->fault->file, "%s", path);
    return attestd_policy_fault_set(reader->fault, 0, 0, "POLICY_UNREADABLE", "%s", strerror(errno));
}

static bool too_many(struct directory_reader *reader)
{
    return attestd_policy_fault_set(reader->fault, 0, 0, "POLICY_TOO_LARGE", "more than %d files below %s", MAX_FILES, reader->root);
}

static void add_name(struct directory_reader *reader, const char *name)
{
    if (reader->count == reader->size) {
        size_t size = reader->size == 0 ? 32 : reader->size * 2;
        const char **grown = attestd_arena_array(reader->arena, size, sizeof *grown);
        if (reader->count > 0)
            memcpy(grown, reader->names, reader->count * sizeof *grown);
        reader->names = grown;
        reader->size = size;
    }
    reader->names[reader->count++] = name;
}

static bool list_folder(struct directory_reader *reader, const char *folder, unsigned depth);

/* Hidden names are left out: a ConfigMap's ..data and its dated folders, and what editors and PUT leave while they write. Visible links are
 * followed, for so a ConfigMap shows its files. */
static bool list_entry(struct directory_reader *reader, const char *folder, const char *name, unsigned depth)
{
    const char *relative =
        folder[0] == '\0' ? attestd_arena_text(reader->arena, name) : attestd_arena_format(reader->arena, "%s/%s", folder, name);
    const char *path = attestd_arena_format(reader->arena, "%s/%s", reader->root, relative);
    struct stat status;
    if (name[0] == '.')
        return true;
    if (stat(path, &status) != 0)
        return has_policy_suffix(name) ? unreadable(reader, relative) : true;
    if (S_ISDIR(status.st_mode))
        return depth < MAX_FOLDER_DEPTH ? list_folder(reader, relative, depth + 1) : true;
    if (!S_ISREG(status.st_mode) || !has_policy_suffix(name))
        return true;
    if (reader->count == MAX_FILES)
        return too_many(reader);
    add_name(reader, relative);
    return true;
}

static bool list_folder(struct directory_reader *reader, const char *folder, unsigned depth)
{
    const char *path = folder[0] == '\0' ? reader->root : attestd_arena_format(reader->arena, "%s/%s", reader->root, folder);
    DIR *directory = opendir(path);
    struct dirent *entry;
    bool ok = true;
    if (directory == NULL)
        return unreadable(reader, path);
    while (ok && (entry = readdir(directory)) != NULL)
        ok = list_entry(reader, folder, entry->d_name, depth);
    closedir(directory);
    return ok;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool read_files(struct directory_reader *reader, struct attestd_policy_file *files)
{
    for (size_t i = 0; i < reader->count; i++) {
        struct attestd_bytes bytes;
        char error[200];
        const char *path = attestd_arena_format(reader->arena, "%s/%s", reader->root, reader->names[i]);
        if (!attestd_file_read(reader->arena, path, ATTESTD_REFERENCE_SET_MAX, &bytes, error, sizeof error)) {
            snprintf(reader->fault->file, sizeof reader->fault->file, "%s", reader->names[i]);
            return attestd_policy_fault_set(reader->fault, 0, 0, "POLICY_UNREADABLE", "%s", error);
        }
        reader->total += bytes.len;
        if (reader->total > MAX_TOTAL)
            return attestd_policy_fault_set(reader->fault, 0, 0, "POLICY_TOO_LARGE", "more than 256 MiB of policies and reference sets");
        files[i] = (struct attestd_policy_file){reader->names[i], (const char *)bytes.data, bytes.len};
    }
    return true;
}

static bool read_fixture(void *context, const char *name, struct attestd_arena *arena, struct attestd_bytes *bytes)
{
    char error[200];
    const char *path = attestd_arena_format(arena, "%s/%s", (const char *)context, name);
    return attestd_file_read(arena, path, ATTESTD_REFERENCE_SET_MAX, bytes, error, sizeof error);
}

static struct attestd_policy_set *refuse(const struct attestd_policy_fault *fault, struct attestd_policy_fault *faults, size_t fault_size,
                                         size_t *fault_count)
{
    if (fault_size > 0)
        faults[0] = *fault;
    *fault_count = 1;
    return NULL;
}

/* A directory that has lost its policies must not be taken for the wish to have none. */
static bool has_policies(const struct attestd_policy_set *set, const char *directory, struct attestd_policy_fault *fault)
{
    if (attestd_policy_set_count(set) > 0)
        return true;
    return attestd_policy_fault_set(fault, 0, 0, "POLICY_DIRECTORY_EMPTY", "no policy below %s", directory);
}

static struct attestd_policy_set *compile_listed(struct directory_reader *reader, struct attestd_engine *engine,
                                                 struct attestd_anchor_set *anchors, bool run_tests, struct attestd_policy_fault *faults,
                                                 size_t fault_size, size_t *fault_count)
{
    struct attestd_policy_file *files = attestd_arena_array(reader->arena, reader->count, sizeof *files);
    struct attestd_policy_set *set;
    if (reader->count > 1)
        qsort(reader->names, reader->count, sizeof *reader->names, by_text);
    if (!read_files(reader, files))
        return refuse(reader->fault, faults, fault_size, fault_count);
    set = attestd_policy_compile(engine, anchors, files, reader->count, run_tests, read_fixture, (void *)(uintptr_t)reader->root, faults,
                                 fault_size, fault_count);
    if (set == NULL || has_policies(set, reader->root, reader->fault))
        return set;
    attestd_policy_set_free(set);
    return refuse(reader->fault, faults, fault_size, fault_count);
}

struct attestd_policy_set *attestd_policy_compile_directory(struct attestd_engine *engine, struct attestd_anchor_set *anchors,
                                                            const char *directory, bool run_tests, struct attestd_policy_fault *faults,
                                                            size_t fault_size, size_t *fault_count)
{
    struct attestd_policy_fault fault = {0};
    struct directory_reader reader = {.arena = attestd_arena_new(), .root = directory, .fault = &fault};
    struct attestd_policy_set *set;
    if (list_folder(&reader, "", 0))
        set = compile_listed(&reader, engine, anchors, run_tests, faults, fault_size, fault_count);
    else
        set = refuse(&fault, faults, fault_size, fault_count);
    attestd_arena_free(reader.arena);
    return set;
}
