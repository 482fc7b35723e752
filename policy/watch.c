/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/watch.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SETTLE_MS 80   /* quiet after a change before it is reported */
#define LONGEST_MS 300 /* after the first change, quiet or not */
#define LOOK_MS 500    /* between looks where the kernel tells nothing */
#define MAX_DEPTH 8
#define EVENTS                                                                                                                             \
    (IN_CLOSE_WRITE | IN_MODIFY | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF)

struct attestd_policy_watch {
    char *directory;
    void (*changed)(void *context);
    void *context;
    int inotify, stop; /* stop: eventfd */
    pthread_t thread;
    uint64_t seen; /* fingerprint of what was last reported */
};

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* --- the look: names, inodes, sizes and times of all files, links followed --- */

static uint64_t mix(uint64_t state, const void *bytes, size_t len)
{
    const uint8_t *at = bytes;
    for (size_t i = 0; i < len; i++)
        state = (state ^ at[i]) * 1099511628211u;
    return state;
}

static uint64_t look_at(struct attestd_policy_watch *watch, const char *folder, unsigned depth);

/* readdir's order is not stable, so what is found is summed. */
static uint64_t look_at_entry(struct attestd_policy_watch *watch, const char *folder, const char *name, unsigned depth)
{
    char path[4096];
    struct stat status;
    uint64_t state = mix(14695981039346656037u, name, strlen(name));
    int len = snprintf(path, sizeof path, "%s/%s", folder, name);
    if (len < 0 || (size_t)len >= sizeof path || stat(path, &status) != 0)
        return state;
    if (S_ISDIR(status.st_mode))
        return name[0] == '.' || depth >= MAX_DEPTH ? state : state + 31 * look_at(watch, path, depth + 1);
    state = mix(state, &status.st_ino, sizeof status.st_ino);
    state = mix(state, &status.st_size, sizeof status.st_size);
    state = mix(state, &status.st_mtim, sizeof status.st_mtim);
    return mix(state, &status.st_ctim, sizeof status.st_ctim);
}

static uint64_t look_at(struct attestd_policy_watch *watch, const char *folder, unsigned depth)
{
    DIR *directory = opendir(folder);
    struct dirent *entry;
    uint64_t sum = 1;
    if (directory == NULL)
        return 0;
    /* adding a watch that is there changes nothing, so folders that come are watched from the next look on */
    (void)inotify_add_watch(watch->inotify, folder, EVENTS);
    while ((entry = readdir(directory)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            sum += look_at_entry(watch, folder, entry->d_name, depth);
    }
    closedir(directory);
    return sum;
}

/* --- the thread --- */

static void drain(int file)
{
    char events[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
    while (read(file, events, sizeof events) > 0)
        continue;
}

/* 1 an event, 0 nothing in time, -1 stop. */
static int wait_for_event(struct attestd_policy_watch *watch, int timeout_ms)
{
    struct pollfd files[2] = {{.fd = watch->inotify, .events = POLLIN}, {.fd = watch->stop, .events = POLLIN}};
    int ready = poll(files, 2, timeout_ms);
    if (files[1].revents != 0)
        return -1;
    if (ready <= 0)
        return 0;
    drain(watch->inotify);
    return 1;
}

/* Until it is quiet, or for as long as is allowed. False: stop. */
static bool settle(struct attestd_policy_watch *watch)
{
    int64_t last = now_ms() + LONGEST_MS - SETTLE_MS;
    int event;
    do {
        event = wait_for_event(watch, SETTLE_MS);
    } while (event == 1 && now_ms() < last);
    return event != -1;
}

static void *watch_thread(void *argument)
{
    struct attestd_policy_watch *watch = argument;
    for (;;) {
        uint64_t seen;
        int event = wait_for_event(watch, LOOK_MS);
        if (event == -1 || (event == 1 && !settle(watch)))
            return NULL;
        seen = look_at(watch, watch->directory, 0);
        if (seen == watch->seen)
            continue;
        watch->seen = seen;
        watch->changed(watch->context);
    }
}

static void free_watch(struct attestd_policy_watch *watch)
{
    if (watch->inotify >= 0)
        close(watch->inotify);
    if (watch->stop >= 0)
        close(watch->stop);
    free(watch->directory);
    free(watch);
}

/* Signals are for other threads. */
static int start_thread(struct attestd_policy_watch *watch)
{
    sigset_t all, before;
    int failed;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    failed = pthread_create(&watch->thread, NULL, watch_thread, watch);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed;
}

struct attestd_policy_watch *attestd_policy_watch_start(const char *directory, void (*changed)(void *context), void *context, char *error,
                                                        size_t error_size)
{
    struct attestd_policy_watch *watch = calloc(1, sizeof *watch);
    int failed;
    if (watch == NULL)
        abort();
    watch->directory = strdup(directory);
    watch->changed = changed;
    watch->context = context;
    watch->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    watch->stop = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (watch->directory == NULL || watch->inotify < 0 || watch->stop < 0) {
        snprintf(error, error_size, "cannot watch %s: %s", directory, strerror(errno));
        free_watch(watch);
        return NULL;
    }
    watch->seen = look_at(watch, directory, 0);
    if (watch->seen == 0) {
        snprintf(error, error_size, "cannot watch %s: not a directory that can be read", directory);
        free_watch(watch);
        return NULL;
    }
    failed = start_thread(watch);
    if (failed == 0)
        return watch;
    snprintf(error, error_size, "cannot watch %s: %s", directory, strerror(failed));
    free_watch(watch);
    return NULL;
}

void attestd_policy_watch_stop(struct attestd_policy_watch *watch)
{
    static const uint64_t one = 1;
    if (watch == NULL)
        return;
    if (write(watch->stop, &one, sizeof one) != (ssize_t)sizeof one)
        abort(); /* an eventfd at zero takes a one */
    pthread_join(watch->thread, NULL);
    free_watch(watch);
}
