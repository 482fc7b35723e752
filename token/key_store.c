/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys as files. The name says from when a key signs ("20261121T033745Z.pem"), so a rotation under way survives a restart without
 * any file but the keys.
 */
#include "token/keyring.h"

#include "core/encoding.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/pem.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define KEY_FILE_MAX 16384
#define LINKS_MAX 16
#define NEW_KEY ".new.pem"

__attribute__((format(printf, 3, 4))) static bool refuse(char *error, size_t error_size, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(error, error_size, format, args);
    va_end(args);
    return false;
}

static bool ours(uid_t owner)
{
    return owner == 0 || owner == geteuid();
}

/* Puts a link's target before what is left of the path. */
static bool splice_link(int directory, const char *name, char *rest, size_t rest_size)
{
    char joined[PATH_MAX * 2];
    char target[PATH_MAX];
    ssize_t len = readlinkat(directory, name, target, sizeof(target) - 1);
    if (len <= 0)
        return false;
    target[len] = '\0';
    int whole = snprintf(joined, sizeof(joined), "%s/%s", target, rest);
    if (whole < 0 || (size_t)whole >= rest_size)
        return false;
    memcpy(rest, joined, (size_t)whole + 1);
    return true;
}

/* Takes the first component off the path; false at its end. */
static bool next_component(char *rest, char *name, size_t name_size)
{
    size_t skip = strspn(rest, "/");
    size_t len = strcspn(rest + skip, "/");
    if (len == 0 || len >= name_size)
        return false;
    memcpy(name, rest + skip, len);
    name[len] = '\0';
    memmove(rest, rest + skip + len, strlen(rest + skip + len) + 1);
    return true;
}

struct walk {
    int at;
    char rest[PATH_MAX];
    unsigned links;
};

static bool step_into_link(struct walk *walk, const char *name, const struct stat *link, char *error, size_t error_size)
{
    if (!ours(link->st_uid))
        return refuse(error, error_size, "\"%s\" is a link owned by uid %u", name, (unsigned)link->st_uid);
    if (++walk->links > LINKS_MAX || !splice_link(walk->at, name, walk->rest, sizeof(walk->rest)))
        return refuse(error, error_size, "\"%s\" is a link that cannot be followed", name);
    if (walk->rest[0] != '/')
        return true;
    int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        return refuse(error, error_size, "/: %s", strerror(errno));
    close(walk->at);
    walk->at = root;
    return true;
}

/* One component: a directory is entered, a link is put in its place. `make`: the last one may be made. */
static bool step(struct walk *walk, const char *name, bool make, char *error, size_t error_size)
{
    struct stat here, there;
    if (fstat(walk->at, &here) != 0 || !ours(here.st_uid))
        return refuse(error, error_size, "the directory above \"%s\" belongs to uid %u", name, (unsigned)here.st_uid);
    bool last = walk->rest[strspn(walk->rest, "/")] == '\0';
    if (make && last && mkdirat(walk->at, name, 0700) != 0 && errno != EEXIST)
        return refuse(error, error_size, "cannot make \"%s\": %s", name, strerror(errno));
    if (fstatat(walk->at, name, &there, AT_SYMLINK_NOFOLLOW) != 0)
        return refuse(error, error_size, "\"%s\": %s", name, strerror(errno));
    if (S_ISLNK(there.st_mode))
        return step_into_link(walk, name, &there, error, error_size);
    int next = openat(walk->at, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (next < 0)
        return refuse(error, error_size, "\"%s\": %s", name, strerror(errno));
    close(walk->at);
    walk->at = next;
    return true;
}

static bool walk_start(struct walk *walk, const char *path, char *error, size_t error_size)
{
    *walk = (struct walk){.at = -1};
    if (path[0] == '\0' || strlen(path) >= sizeof(walk->rest))
        return refuse(error, error_size, "not a path");
    memcpy(walk->rest, path, strlen(path) + 1);
    walk->at = open(path[0] == '/' ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    return walk->at >= 0 || refuse(error, error_size, "%s", strerror(errno));
}

/* Descriptor (O_PATH) of the directory at the end of the path, or -1. */
static int walk_to_directory(const char *path, bool make, char *error, size_t error_size)
{
    struct walk walk;
    char name[NAME_MAX + 1];
    if (!walk_start(&walk, path, error, error_size))
        return -1;
    while (next_component(walk.rest, name, sizeof(name))) {
        if (step(&walk, name, make, error, error_size))
            continue;
        close(walk.at);
        return -1;
    }
    return walk.at;
}

int key_store_open(const char *path, char *error, size_t error_size)
{
    char why[256] = "";
    struct stat st;
    int at = walk_to_directory(path, true, why, sizeof(why));
    if (at < 0) {
        refuse(error, error_size, "key directory %s: %s", path, why);
        return -1;
    }
    int directory = openat(at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    close(at);
    if (directory < 0) {
        refuse(error, error_size, "key directory %s: %s", path, strerror(errno));
        return -1;
    }
    if (fstat(directory, &st) == 0 && st.st_uid == geteuid() && (st.st_mode & 077) == 0)
        return directory;
    refuse(error, error_size, "key directory %s must belong to the user of the service, with mode 0700 (it is %04o, uid %u)", path,
           (unsigned)st.st_mode & 07777, (unsigned)st.st_uid);
    close(directory);
    return -1;
}

bool key_store_lock(int directory, char *error, size_t error_size)
{
    while (flock(directory, LOCK_EX) != 0) {
        if (errno != EINTR)
            return refuse(error, error_size, "key directory: cannot lock: %s", strerror(errno));
    }
    return true;
}

void key_store_unlock(int directory)
{
    flock(directory, LOCK_UN);
}

/* Who may read it. A file of root's may be readable by its group: that is how orchestrators mount secrets for a service without root. */
static bool readable_by_us_alone(int file, const char *name, bool group_of_root, char *error, size_t error_size)
{
    struct stat st;
    if (fstat(file, &st) != 0 || !S_ISREG(st.st_mode))
        return refuse(error, error_size, "%s: not a regular file", name);
    if (!ours(st.st_uid))
        return refuse(error, error_size, "%s belongs to uid %u", name, (unsigned)st.st_uid);
    mode_t barred = group_of_root && st.st_uid == 0 && geteuid() != 0 ? 037 : 077;
    if ((st.st_mode & barred) != 0)
        return refuse(error, error_size, "%s can be read or written by others (mode %04o): chmod 0600", name, (unsigned)st.st_mode & 07777);
    return true;
}

static char *read_whole(int file, const char *name, size_t *len, char *error, size_t error_size)
{
    char *text = malloc(KEY_FILE_MAX + 1);
    if (text == NULL) {
        refuse(error, error_size, "out of memory");
        return NULL;
    }
    for (*len = 0; *len <= KEY_FILE_MAX;) {
        ssize_t got = read(file, text + *len, KEY_FILE_MAX + 1 - *len);
        if (got == 0)
            return text;
        if (got > 0)
            *len += (size_t)got;
        else if (errno != EINTR)
            break;
    }
    refuse(error, error_size, "%s: %s", name, *len > KEY_FILE_MAX ? "too large for a key" : strerror(errno));
    OPENSSL_cleanse(text, *len);
    free(text);
    return NULL;
}

char *key_store_read_file(const char *path, size_t *len, char *error, size_t error_size)
{
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (file < 0) {
        refuse(error, error_size, "key file %s: %s", path, strerror(errno));
        return NULL;
    }
    char *text = NULL;
    if (readable_by_us_alone(file, path, true, error, error_size))
        text = read_whole(file, path, len, error, error_size);
    close(file);
    return text;
}

static bool time_of_name(const char *name, int64_t *from)
{
    char iso[32];
    int y, mo, d, h, mi, s, end = 0;
    if (strlen(name) != KEY_FILE_NAME_SIZE - 1)
        return false;
    if (sscanf(name, "%4d%2d%2dT%2d%2d%2dZ.pem%n", &y, &mo, &d, &h, &mi, &s, &end) != 6 || end != (int)KEY_FILE_NAME_SIZE - 1)
        return false;
    snprintf(iso, sizeof(iso), "%04d-%02d-%02dT%02d:%02d:%02dZ", y, mo, d, h, mi, s);
    return attestd_time_parse(iso, from);
}

static bool name_of_time(int64_t from, char name[KEY_FILE_NAME_SIZE])
{
    struct tm tm;
    time_t when = (time_t)from;
    return gmtime_r(&when, &tm) != NULL && strftime(name, KEY_FILE_NAME_SIZE, "%Y%m%dT%H%M%SZ.pem", &tm) == KEY_FILE_NAME_SIZE - 1;
}

static bool read_one(int directory, const char *name, key_store_add *add, void *context, char *error, size_t error_size)
{
    int64_t from;
    size_t len;
    if (!time_of_name(name, &from))
        return refuse(error, error_size, "key %s: the name must say from when it signs, as in 20261121T033745Z.pem", name);
    int file = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (file < 0)
        return refuse(error, error_size, "key %s: %s", name, strerror(errno));
    char *text = NULL;
    if (readable_by_us_alone(file, name, false, error, error_size))
        text = read_whole(file, name, &len, error, error_size);
    close(file);
    if (text == NULL)
        return false;
    bool ok = add(context, name, from, text, len, error, error_size);
    OPENSSL_cleanse(text, len);
    free(text);
    return ok;
}

static int is_key_file(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);
    return entry->d_name[0] != '.' && len > 4 && strcmp(entry->d_name + len - 4, ".pem") == 0;
}

bool key_store_each(int directory, key_store_add *add, void *context, char *error, size_t error_size)
{
    struct dirent **names = NULL;
    int count = scandirat(directory, ".", &names, is_key_file, alphasort);
    if (count < 0)
        return refuse(error, error_size, "key directory: %s", strerror(errno));
    bool ok = true;
    for (int i = 0; i < count; i++) {
        ok = ok && read_one(directory, names[i]->d_name, add, context, error, error_size);
        free(names[i]);
    }
    free(names);
    return ok;
}

struct timespec key_store_state(int directory)
{
    struct stat st;
    struct timespec now;
    if (fstat(directory, &st) != 0 || clock_gettime(CLOCK_REALTIME, &now) != 0 || now.tv_sec - st.st_mtim.tv_sec < 2)
        return (struct timespec){0};
    return st.st_mtim;
}

static bool write_pem(int file, const struct signing_key *key)
{
    FILE *stream = fdopen(file, "w");
    if (stream == NULL) {
        close(file);
        return false;
    }
    bool ok = PEM_write_PrivateKey(stream, key->key, NULL, NULL, 0, NULL, NULL) == 1;
    ok = fflush(stream) == 0 && ok && fsync(fileno(stream)) == 0;
    return fclose(stream) == 0 && ok;
}

bool key_store_write(int directory, struct signing_key *key, char *error, size_t error_size)
{
    char name[KEY_FILE_NAME_SIZE];
    if (!name_of_time(key->from, name))
        return refuse(error, error_size, "key: no such time");
    if (faccessat(directory, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        return refuse(error, error_size, "key %s is already there", name);
    unlinkat(directory, NEW_KEY, 0); /* of a start that was killed; the caller holds the lock */
    int file = openat(directory, NEW_KEY, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (file < 0)
        return refuse(error, error_size, "key %s: %s", name, strerror(errno));
    if (!write_pem(file, key) || renameat(directory, NEW_KEY, directory, name) != 0 || fsync(directory) != 0) {
        refuse(error, error_size, "key %s: cannot write: %s", name, strerror(errno));
        unlinkat(directory, NEW_KEY, 0);
        return false;
    }
    memcpy(key->file, name, sizeof(name));
    return true;
}

void key_store_remove(int directory, const char *name)
{
    if (unlinkat(directory, name, 0) == 0)
        fsync(directory);
}
