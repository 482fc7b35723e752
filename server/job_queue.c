/* SPDX-License-Identifier: Apache-2.0 */
#include "server/job_queue.h"
#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define WAITING_FACTOR 4 /* open verifications, most of them waiting for vendors, as a multiple of the queue's length */
#define WORKER_NICE 5

struct list {
    struct queued *first, **last;
};

struct job_queue {
    pthread_mutex_t lock;
    pthread_cond_t work_there;
    struct list fresh, resumed;
    size_t length, fresh_count, open;
    bool stop;
    void (*work)(struct queued *);
    pthread_t *threads;
    unsigned workers;
};

static void push(struct list *list, struct queued *item)
{
    item->next = NULL;
    *list->last = item;
    list->last = &item->next;
}

static struct queued *pop(struct list *list)
{
    struct queued *item = list->first;
    if (item == NULL)
        return NULL;
    list->first = item->next;
    if (list->first == NULL)
        list->last = &list->first;
    return item;
}

static void *worker(void *data)
{
    struct job_queue *q = data;
    /* On Linux the priority is the thread's own: event loops come first. */
    setpriority(PRIO_PROCESS, (id_t)gettid(), WORKER_NICE);
    for (;;) {
        pthread_mutex_lock(&q->lock);
        while (q->fresh.first == NULL && q->resumed.first == NULL && !(q->stop && q->open == 0))
            pthread_cond_wait(&q->work_there, &q->lock);
        struct queued *item = pop(&q->resumed);
        if (item == NULL && (item = pop(&q->fresh)) != NULL)
            q->fresh_count--;
        pthread_mutex_unlock(&q->lock);
        if (item == NULL)
            return NULL;
        q->work(item);
    }
}

struct job_queue *job_queue_start(unsigned workers, size_t length, void (*work)(struct queued *))
{
    struct job_queue *q = calloc(1, sizeof *q);
    if (q == NULL || (q->threads = calloc(workers, sizeof *q->threads)) == NULL)
        abort();
    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->work_there, NULL);
    q->fresh.last = &q->fresh.first;
    q->resumed.last = &q->resumed.first;
    q->length = length;
    q->work = work;
    q->workers = workers;
    for (unsigned i = 0; i < workers; i++)
        if (pthread_create(&q->threads[i], NULL, worker, q) != 0)
            abort();
    return q;
}

bool job_queue_add(struct job_queue *q, struct queued *item)
{
    pthread_mutex_lock(&q->lock);
    bool room = !q->stop && q->fresh_count < q->length && q->open < q->length * WAITING_FACTOR;
    if (room) {
        push(&q->fresh, item);
        q->fresh_count++;
        q->open++;
        pthread_cond_signal(&q->work_there);
    }
    pthread_mutex_unlock(&q->lock);
    return room;
}

void job_queue_resume(struct job_queue *q, struct queued *item)
{
    pthread_mutex_lock(&q->lock);
    push(&q->resumed, item);
    pthread_cond_signal(&q->work_there);
    pthread_mutex_unlock(&q->lock);
}

void job_queue_done(struct job_queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->open--;
    if (q->stop && q->open == 0)
        pthread_cond_broadcast(&q->work_there);
    pthread_mutex_unlock(&q->lock);
}

size_t job_queue_length(struct job_queue *q)
{
    pthread_mutex_lock(&q->lock);
    size_t length = q->fresh_count;
    pthread_mutex_unlock(&q->lock);
    return length;
}

size_t job_queue_open(struct job_queue *q)
{
    pthread_mutex_lock(&q->lock);
    size_t open = q->open;
    pthread_mutex_unlock(&q->lock);
    return open;
}

void job_queue_stop(struct job_queue *q)
{
    if (q == NULL)
        return;
    pthread_mutex_lock(&q->lock);
    q->stop = true;
    pthread_cond_broadcast(&q->work_there);
    pthread_mutex_unlock(&q->lock);
    for (unsigned i = 0; i < q->workers; i++)
        pthread_join(q->threads[i], NULL);
    pthread_cond_destroy(&q->work_there);
    pthread_mutex_destroy(&q->lock);
    free(q->threads);
    free(q);
}
