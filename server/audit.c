/* SPDX-License-Identifier: Apache-2.0 */
#include "server/audit.h"
#include "server/log.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define WRITER_NICE 5 /* the workers' */

struct audit {
    char *file;
    int fd;
    bool torn; /* the file may end in a part of a line */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct audit_entry *first, **last;
    bool stop, reopen, failing;
    time_t tried; /* CLOCK_MONOTONIC, when failing */
    uint64_t failures;
};

static int open_file(const char *file)
{
    if (strcmp(file, "-") == 0)
        return dup(STDOUT_FILENO);
    return open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
}

/* How many of the bytes were written. */
static size_t write_all(int fd, const char *bytes, size_t len)
{
    size_t at = 0;
    while (at < len) {
        ssize_t written = write(fd, bytes + at, len - at);
        if (written > 0)
            at += (size_t)written;
        else if (written == 0 || errno != EINTR)
            break;
    }
    return at;
}

/* Takes back a line that was written in part, so that the log stays lines. */
static bool cut(int fd, size_t bytes)
{
    struct stat status;
    return fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size >= (off_t)bytes &&
           ftruncate(fd, status.st_size - (off_t)bytes) == 0;
}

static time_t monotonic_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

static void note(struct audit *a, bool failing, uint64_t lost)
{
    pthread_mutex_lock(&a->lock);
    bool changed = a->failing != failing;
    a->failing = failing;
    a->tried = monotonic_seconds();
    a->failures += lost;
    pthread_mutex_unlock(&a->lock);
    if (changed && failing)
        log_line(LOG_AT_ERROR, "audit_unavailable", "the audit log cannot be written (%s): no verdict is given", strerror(errno));
    else if (changed)
        log_line(LOG_AT_INFO, "audit_available", "the audit log is written again");
}

static void write_batch(struct audit *a, struct audit_entry *batch)
{
    struct attestd_text all = {0};
    if (a->torn)
        attestd_text_puts(&all, "\n");
    size_t lead = all.len;
    for (struct audit_entry *e = batch; e != NULL; e = e->next)
        attestd_text_add(&all, e->line.data, e->line.len);
    size_t written = a->fd == -1 ? 0 : write_all(a->fd, all.data, all.len);
    int reason = errno;
    size_t whole = 0; /* bytes up to the end of the last line that is there in full */
    size_t at = lead;
    if (written >= lead)
        a->torn = false;
    for (struct audit_entry *e = batch; e != NULL; e = e->next) {
        at += e->line.len;
        whole = at <= written ? at : whole;
    }
    whole = whole > lead || written < lead ? whole : lead;
    if (written > whole && !cut(a->fd, written - whole))
        a->torn = true;
    uint64_t lost = 0;
    at = lead;
    for (struct audit_entry *e = batch, *next; e != NULL; e = next) {
        next = e->next; /* done() may free the entry */
        at += e->line.len;
        lost += at > whole;
        e->done(e, at <= whole);
    }
    errno = reason;
    note(a, lost != 0, lost);
    attestd_text_free(&all);
}

static void reopen(struct audit *a)
{
    int fd = open_file(a->file);
    if (fd == -1) {
        log_line(LOG_AT_ERROR, "audit_reopen", "%s: %s; the old file stays in use", a->file, strerror(errno));
        return;
    }
    if (a->fd != -1)
        close(a->fd);
    a->fd = fd;
    a->torn = false;
    pthread_mutex_lock(&a->lock);
    a->tried = 0; /* the next line shows */
    pthread_mutex_unlock(&a->lock);
}

/* As nice as the workers, and pushing none of them aside on waking: while they are busy the records of several verdicts gather and are
 * written at once, and the loops are woken once for all of them. An idle core takes it up at once all the same. */
static void wait_for_a_gap(void)
{
    const struct sched_param none = {0};
    setpriority(PRIO_PROCESS, (id_t)gettid(), WRITER_NICE);
    sched_setscheduler(0, SCHED_BATCH, &none);
}

static void *writer(void *data)
{
    struct audit *a = data;
    wait_for_a_gap();
    for (;;) {
        pthread_mutex_lock(&a->lock);
        while (a->first == NULL && !a->stop && !a->reopen)
            pthread_cond_wait(&a->work, &a->lock);
        struct audit_entry *batch = a->first;
        bool renew = a->reopen, stop = a->stop;
        a->first = NULL;
        a->last = &a->first;
        a->reopen = false;
        pthread_mutex_unlock(&a->lock);
        if (renew)
            reopen(a);
        if (batch != NULL)
            write_batch(a, batch);
        else if (stop)
            return NULL;
    }
}

struct audit *audit_open(const char *file, char *error, size_t error_size)
{
    struct audit *a = calloc(1, sizeof *a);
    if (a == NULL || (a->file = strdup(file)) == NULL)
        abort();
    a->last = &a->first;
    a->fd = open_file(file);
    if (a->fd == -1) {
        snprintf(error, error_size, "audit log %s: %s", file, strerror(errno));
        free(a->file);
        free(a);
        return NULL;
    }
    pthread_mutex_init(&a->lock, NULL);
    pthread_cond_init(&a->work, NULL);
    if (pthread_create(&a->thread, NULL, writer, a) != 0)
        abort();
    return a;
}

void audit_close(struct audit *a)
{
    if (a == NULL)
        return;
    pthread_mutex_lock(&a->lock);
    a->stop = true;
    pthread_cond_signal(&a->work);
    pthread_mutex_unlock(&a->lock);
    pthread_join(a->thread, NULL);
    if (a->fd != -1)
        close(a->fd);
    pthread_cond_destroy(&a->work);
    pthread_mutex_destroy(&a->lock);
    free(a->file);
    free(a);
}

void audit_submit(struct audit *a, struct audit_entry *entry)
{
    entry->next = NULL;
    pthread_mutex_lock(&a->lock);
    bool first = a->first == NULL; /* behind another entry the writer has been woken already */
    *a->last = entry;
    a->last = &entry->next;
    pthread_mutex_unlock(&a->lock);
    if (first)
        pthread_cond_signal(&a->work);
}

bool audit_ready(struct audit *a)
{
    pthread_mutex_lock(&a->lock);
    time_t now = a->failing ? monotonic_seconds() : 0;
    bool ready = !a->failing || now > a->tried + 1;
    if (a->failing && ready)
        a->tried = now;
    pthread_mutex_unlock(&a->lock);
    return ready;
}

void audit_reopen(struct audit *a)
{
    pthread_mutex_lock(&a->lock);
    a->reopen = true;
    pthread_cond_signal(&a->work);
    pthread_mutex_unlock(&a->lock);
}

uint64_t audit_failures(struct audit *a, bool *failing)
{
    pthread_mutex_lock(&a->lock);
    uint64_t failures = a->failures;
    *failing = a->failing;
    pthread_mutex_unlock(&a->lock);
    return failures;
}
