/* SPDX-License-Identifier: Apache-2.0 */
#include "server/policy_edit.h"
#include "policy/document.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define POLICY_MAX ((size_t)32 << 20)
#define PATH_SIZE 1024

static bool failed(char *error, size_t error_size, const char *path)
{
    snprintf(error, error_size, "%s: %s", path, strerror(errno));
    return false;
}

static bool write_file(const char *path, struct attestd_bytes text, char *error, size_t error_size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    size_t at = 0;
    while (fd != -1 && at < text.len) {
        ssize_t written = write(fd, text.data + at, text.len - at);
        if (written <= 0 && errno != EINTR)
            break;
        at += written > 0 ? (size_t)written : 0;
    }
    bool good = fd != -1 && at == text.len && fsync(fd) == 0;
    if (!good)
        failed(error, error_size, path);
    if (fd != -1)
        close(fd);
    return good;
}

/* Links every entry of the directory into the stage, but for the file that is replaced. */
static bool link_entries(const char *directory, const char *stage, const char *replaced, char *error, size_t error_size)
{
    char absolute[PATH_MAX], from[PATH_MAX + PATH_SIZE], to[2 * PATH_SIZE]; /* realpath(3) wants PATH_MAX */
    DIR *dir = opendir(directory);
    if (dir == NULL || realpath(directory, absolute) == NULL) {
        if (dir != NULL)
            closedir(dir);
        return failed(error, error_size, directory);
    }
    bool good = true;
    for (struct dirent *entry; good && (entry = readdir(dir)) != NULL;) {
        if (entry->d_name[0] == '.' || strcmp(entry->d_name, replaced) == 0)
            continue;
        snprintf(from, sizeof from, "%s/%s", absolute, entry->d_name);
        snprintf(to, sizeof to, "%s/%s", stage, entry->d_name);
        good = symlink(from, to) == 0 || failed(error, error_size, to);
    }
    closedir(dir);
    return good;
}

static void remove_stage(const char *stage)
{
    char path[2 * PATH_SIZE];
    DIR *dir = opendir(stage);
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;) {
        snprintf(path, sizeof path, "%s/%s", stage, entry->d_name);
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            unlink(path);
    }
    if (dir != NULL)
        closedir(dir);
    rmdir(stage);
}

struct attestd_policy_set *policy_edit_try(struct service *s, const char *name, struct attestd_bytes text,
                                           struct attestd_policy_fault faults[POLICIES_FAULTS], size_t *count, char *error,
                                           size_t error_size)
{
    char stage[PATH_SIZE], file[160], path[2 * PATH_SIZE];
    struct attestd_policy_set *set = NULL;
    *count = 0;
    snprintf(stage, sizeof stage, "%s/policy-stage-XXXXXX", s->config->state_directory);
    snprintf(file, sizeof file, "%s.yaml", name);
    if (mkdtemp(stage) == NULL) {
        failed(error, error_size, stage);
        return NULL;
    }
    snprintf(path, sizeof path, "%s/%s", stage, file);
    if (link_entries(policies_directory(s->policies), stage, file, error, error_size) && write_file(path, text, error, error_size))
        set = attestd_policy_compile_directory(s->engine, s->anchors, stage, true, faults, POLICIES_FAULTS, count);
    remove_stage(stage);
    if (*count > POLICIES_FAULTS)
        *count = POLICIES_FAULTS;
    /* the stage's path says nothing to the caller */
    size_t stage_len = strlen(stage);
    for (size_t i = 0; set == NULL && i < *count; i++)
        if (strncmp(faults[i].file, stage, stage_len) == 0 && faults[i].file[stage_len] == '/')
            memmove(faults[i].file, faults[i].file + stage_len + 1, strlen(faults[i].file + stage_len + 1) + 1);
    return set;
}

bool policy_edit_write(struct service *s, const char *name, struct attestd_bytes text, char *error, size_t error_size)
{
    char path[PATH_SIZE], temporary[PATH_SIZE];
    snprintf(path, sizeof path, "%s/%s.yaml", policies_directory(s->policies), name);
    snprintf(temporary, sizeof temporary, "%s/.%s.yaml.new", policies_directory(s->policies), name);
    if (!write_file(temporary, text, error, error_size))
        return false;
    return rename(temporary, path) == 0 || failed(error, error_size, path);
}

bool policy_edit_read(struct service *s, const char *name, struct attestd_arena *arena, struct attestd_bytes *text)
{
    char path[PATH_SIZE], error[256];
    if (policies_directory(s->policies) == NULL)
        return false;
    snprintf(path, sizeof path, "%s/%s.yaml", policies_directory(s->policies), name);
    return attestd_file_read(arena, path, POLICY_MAX, text, error, sizeof error);
}
