/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/policy_files.h"
#include "policy/document.h"
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_FAULTS 64
#define MAX_POLICY_FILE ((size_t)32 << 20)

static bool read_fixture(void *context, const char *name, struct attestd_arena *arena, struct attestd_bytes *bytes)
{
    char error[512];
    (void)context;
    return attestd_file_read(arena, name, MAX_POLICY_FILE, bytes, error, sizeof error);
}

static bool is_directory(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static bool read_files(struct cli_session *session, char **paths, int count, struct attestd_policy_file *files)
{
    for (int i = 0; i < count; i++) {
        struct attestd_bytes text;
        if (!cli_read_file(session, paths[i], MAX_POLICY_FILE, &text))
            return false;
        files[i] = (struct attestd_policy_file){.name = paths[i], .text = (const char *)text.data, .len = text.len};
    }
    return true;
}

struct attestd_policy_set *cli_compile_policies(struct cli_session *session, char **paths, int count, bool run_tests)
{
    struct attestd_policy_fault faults[MAX_FAULTS];
    size_t fault_count = 0;
    struct attestd_policy_set *set = NULL;
    if (count == 1 && is_directory(paths[0])) {
        set = attestd_policy_compile_directory(session->engine, session->anchors, paths[0], run_tests, faults, MAX_FAULTS, &fault_count);
    } else {
        struct attestd_policy_file *files = attestd_arena_array(session->arena, (size_t)count, sizeof *files);
        if (!read_files(session, paths, count, files))
            return NULL;
        set = attestd_policy_compile(session->engine, session->anchors, files, (size_t)count, run_tests, read_fixture, NULL, faults,
                                     MAX_FAULTS, &fault_count);
    }
    if (set == NULL)
        cli_print_faults(faults, fault_count < MAX_FAULTS ? fault_count : MAX_FAULTS);
    return set;
}

struct attestd_policy *cli_one_policy(struct cli_session *session, const char *path, const char *const *references, size_t reference_count,
                                      const char *name)
{
    char *paths[1 + CLI_MAX_LIST];
    struct attestd_policy_set *set;
    struct attestd_policy *policy = NULL;
    paths[0] = (char *)(uintptr_t)path;
    for (size_t i = 0; i < reference_count; i++)
        paths[1 + i] = (char *)(uintptr_t)references[i];
    if (strcmp(path, "hardware-only") == 0)
        return attestd_policy_hardware_only(session->engine);
    set = cli_compile_policies(session, paths, 1 + (int)reference_count, false);
    if (set == NULL)
        return NULL;
    if (name != NULL)
        policy = attestd_policy_set_find(set, name);
    else if (attestd_policy_set_count(set) == 1)
        policy = attestd_policy_set_at(set, 0);
    if (policy != NULL)
        policy = attestd_policy_retain(policy);
    else if (name != NULL)
        fprintf(stderr, "attestctl: %s: there is no policy %s\n", path, name);
    else
        fprintf(stderr, "attestctl: %s holds %zu policies; --name says which\n", path, attestd_policy_set_count(set));
    attestd_policy_set_free(set);
    return policy;
}
