/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/directory.h"

#include "cache/archive.h"
#include "core/arena.h"
#include "core/bytes.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DEPTH_MAX 4u
#define FILES_MAX 20000u
#define FILE_MAX ((size_t)64 << 20)   /* an export can be large */
#define TOTAL_MAX ((size_t)256 << 20) /* bytes of all files */
#define LOOK_AGAIN_MS 2000
#define BUCKETS 4096u

struct directory_entry {
    struct directory_entry *chain;
    struct endorsement *endorsement;
    char kind[ENDORSEMENT_KIND_MAX + 1];
    char key[]; /* NUL-terminated */
};

/* All that one reading found. */
struct directory {
    const struct attestd_engine *engine;
    char **paths;
    size_t path_count;
    pthread_mutex_t lock;
    uint64_t stamp; /* over names, sizes and dates of all files and folders */
    bool read;
    int64_t looked_ms;
    struct directory_entry *buckets[BUCKETS];
    size_t files, bytes;
    int64_t file_time; /* of the file that is being read */
};

static size_t bucket_of(const char *kind, const char *key)
{
    uint32_t hash = 2166136261u;
    for (const char *at = kind; *at != 0; at++)
        hash = (hash ^ (uint8_t)*at) * 16777619u;
    for (const char *at = key; *at != 0; at++)
        hash = (hash ^ (uint8_t)*at) * 16777619u;
    return hash % BUCKETS;
}

static void clear_entries(struct directory *directory)
{
    for (size_t i = 0; i < BUCKETS; i++) {
        while (directory->buckets[i] != NULL) {
            struct directory_entry *entry = directory->buckets[i];
            directory->buckets[i] = entry->chain;
            endorsement_free(entry->endorsement);
            free(entry);
        }
    }
    directory->files = directory->bytes = 0;
}

/* Every file and folder below, without what is hidden ("..data" of a ConfigMap is reached through the links beside it). */
struct visit {
    struct directory *directory;
    void (*file)(struct directory *, int fd, const struct stat *info);
    uint64_t stamp;
    size_t files;
};

static uint64_t mix(uint64_t stamp, uint64_t number)
{
    stamp = (stamp ^ number) * 0x9e3779b97f4a7c15u;
    return stamp ^ (stamp >> 32);
}

static void visit_folder(struct visit *visit, int fd, unsigned depth);

static void visit_one(struct visit *visit, int folder, const char *name, unsigned depth)
{
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat info;
    if (fd < 0)
        return;
    if (fstat(fd, &info) != 0 || visit->files >= FILES_MAX) {
        close(fd);
        return;
    }
    if (S_ISDIR(info.st_mode) && depth < DEPTH_MAX) {
        visit_folder(visit, fd, depth + 1);
        return;
    }
    if (S_ISREG(info.st_mode)) {
        visit->files++;
        uint64_t stamp = mix((uint64_t)info.st_ino, (uint64_t)info.st_size);
        stamp = mix(stamp, (uint64_t)info.st_mtim.tv_sec);
        visit->stamp += mix(stamp, (uint64_t)info.st_mtim.tv_nsec); /* a sum: the order of entries means nothing */
        if (visit->file != NULL)
            visit->file(visit->directory, fd, &info);
    }
    close(fd);
}

/* Closes fd. */
static void visit_folder(struct visit *visit, int fd, unsigned depth)
{
    DIR *folder = fdopendir(fd);
    if (folder == NULL) {
        close(fd);
        return;
    }
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;)
        if (entry->d_name[0] != '.')
            visit_one(visit, dirfd(folder), entry->d_name, depth);
    closedir(folder);
}

static uint64_t visit_all(struct directory *directory, void (*file)(struct directory *, int fd, const struct stat *info))
{
    struct visit visit = {.directory = directory, .file = file};
    for (size_t i = 0; i < directory->path_count; i++) {
        int fd = open(directory->paths[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd >= 0)
            visit_folder(&visit, fd, 0);
    }
    return visit.stamp;
}

static void insert(struct directory *directory, const char *kind, const char *key, struct endorsement *endorsement)
{
    size_t key_size = strlen(key) + 1;
    struct directory_entry *entry = malloc(sizeof *entry + key_size);
    if (entry == NULL)
        return;
    struct directory_entry **bucket = &directory->buckets[bucket_of(kind, key)];
    entry->endorsement = endorsement_retain(endorsement);
    memcpy(entry->kind, kind, strlen(kind) + 1);
    memcpy(entry->key, key, key_size);
    entry->chain = *bucket;
    *bucket = entry;
}

static void recognised(void *context, const char *kind, const char *key, const uint8_t *bytes, size_t len)
{
    struct directory *directory = context;
    if (len > endorsement_max_size(directory->engine, kind))
        return;
    struct endorsement *endorsement =
        endorsement_new(bytes, len, "directory", directory->file_time, endorsement_life(directory->engine, kind));
    if (endorsement != NULL)
        insert(directory, kind, key, endorsement);
    endorsement_free(endorsement);
}

static void from_archive(void *context, const char *kind, const char *key, struct endorsement *endorsement)
{
    endorsement->source = "directory";
    insert(context, kind, key, endorsement);
}

static void read_file(struct directory *directory, int fd, const struct stat *info)
{
    size_t size = (size_t)info->st_size, at = 0;
    if (size == 0 || size > FILE_MAX || directory->bytes + size > TOTAL_MAX)
        return;
    uint8_t *bytes = malloc(size);
    while (bytes != NULL && at < size) {
        ssize_t got = read(fd, bytes + at, size - at);
        if (got <= 0)
            break;
        at += (size_t)got;
    }
    directory->bytes += at;
    directory->file_time = info->st_mtim.tv_sec;
    if (bytes != NULL && at == size && !archive_read(directory->engine, bytes, size, from_archive, directory))
        (void)endorsement_identify(directory->engine, bytes, size, recognised, directory);
    free(bytes);
}

static int64_t monotonic_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* With the lock: reads the folders if they changed since they were read. */
static void look(struct directory *directory)
{
    int64_t now = monotonic_ms();
    if (directory->read && now - directory->looked_ms < LOOK_AGAIN_MS)
        return;
    directory->looked_ms = now;
    uint64_t stamp = visit_all(directory, NULL);
    if (directory->read && stamp == directory->stamp)
        return;
    clear_entries(directory);
    directory->stamp = visit_all(directory, read_file);
    directory->read = true;
}

void directory_find(struct directory *directory, const char *kind, const char *key, struct candidates *candidates)
{
    if (directory == NULL || directory->path_count == 0)
        return;
    pthread_mutex_lock(&directory->lock);
    look(directory);
    for (struct directory_entry *entry = directory->buckets[bucket_of(kind, key)]; entry != NULL; entry = entry->chain)
        if (strcmp(entry->key, key) == 0 && strcmp(entry->kind, kind) == 0)
            candidates_add(candidates, entry->endorsement);
    pthread_mutex_unlock(&directory->lock);
}

static bool copy_paths(struct directory *directory, const char *const *paths, char *error, size_t error_size)
{
    size_t count = 0;
    while (paths != NULL && paths[count] != NULL)
        count++;
    directory->paths = calloc(count + 1, sizeof *directory->paths);
    for (size_t i = 0; directory->paths != NULL && i < count; i++) {
        struct stat info;
        if (stat(paths[i], &info) != 0 || !S_ISDIR(info.st_mode)) {
            snprintf(error, error_size, "%s is not a directory of endorsements", paths[i]);
            return false;
        }
        directory->paths[i] = strdup(paths[i]);
        if (directory->paths[i] == NULL)
            break;
        directory->path_count++;
    }
    if (directory->path_count == count && directory->paths != NULL)
        return true;
    snprintf(error, error_size, "out of memory");
    return false;
}

struct directory *directory_new(const struct attestd_engine *engine, const char *const *paths, char *error, size_t error_size)
{
    struct directory *directory = calloc(1, sizeof *directory);
    if (directory == NULL) {
        snprintf(error, error_size, "out of memory");
        return NULL;
    }
    directory->engine = engine;
    pthread_mutex_init(&directory->lock, NULL);
    if (copy_paths(directory, paths, error, error_size))
        return directory;
    directory_free(directory);
    return NULL;
}

void directory_free(struct directory *directory)
{
    if (directory == NULL)
        return;
    clear_entries(directory);
    for (size_t i = 0; i < directory->path_count; i++)
        free(directory->paths[i]);
    free(directory->paths);
    pthread_mutex_destroy(&directory->lock);
    free(directory);
}
