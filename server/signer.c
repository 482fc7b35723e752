/* SPDX-License-Identifier: Apache-2.0 */
#include "server/signer.h"
#include "server/log.h"
#include "token/token.h"
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define TICK_SECONDS 30

struct signer {
    struct attestd_keyring *keys; /* the thread's once it runs */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct sign_request *first, **last;
    bool stop;
    struct attestd_text jwks;
};

static void publish(struct signer *s)
{
    struct attestd_text jwks = {0};
    attestd_keyring_jwks(s->keys, &jwks);
    pthread_mutex_lock(&s->lock);
    struct attestd_text before = s->jwks;
    s->jwks = jwks;
    pthread_mutex_unlock(&s->lock);
    attestd_text_free(&before);
}

/* What has gathered, or NULL after a while or at the end. */
static struct sign_request *take(struct signer *s, bool *stop)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += TICK_SECONDS;
    pthread_mutex_lock(&s->lock);
    while (s->first == NULL && !s->stop)
        if (pthread_cond_timedwait(&s->work, &s->lock, &until) == ETIMEDOUT)
            break;
    struct sign_request *batch = s->first;
    *stop = s->stop;
    s->first = NULL;
    s->last = &s->first;
    pthread_mutex_unlock(&s->lock);
    return batch;
}

/* The keys read before stay in use; somebody should look all the same. */
static void report_fault(const struct signer *s, bool *reported)
{
    const char *fault = attestd_keyring_fault(s->keys);
    if (fault != NULL && !*reported)
        log_line(LOG_AT_ERROR, "token_keys_unreadable", "%s", fault);
    *reported = fault != NULL;
}

static void *signing(void *data)
{
    struct signer *s = data;
    bool fault_reported = false;
    for (;;) {
        bool stop;
        struct sign_request *batch = take(s, &stop);
        if (batch == NULL && stop)
            return NULL;
        if (attestd_keyring_tick(s->keys, (int64_t)time(NULL)))
            publish(s);
        report_fault(s, &fault_reported);
        for (struct sign_request *r = batch, *next; r != NULL; r = next) {
            next = r->next; /* done() may free the request */
            bool good = attestd_jws_sign(s->keys, r->typ, r->payload.data, r->payload.len, &r->token);
            if (!good)
                log_line(LOG_AT_ERROR, "signer_unavailable", "libcrypto could not sign a token");
            r->done(r, good);
        }
    }
}

struct signer *signer_open(const char *file, const char *directory, char *error, size_t error_size)
{
    if (file == NULL && directory != NULL && mkdir(directory, 0700) != 0 && errno != EEXIST) {
        snprintf(error, error_size, "token keys %s: %s", directory, strerror(errno));
        return NULL;
    }
    struct attestd_keyring *keys =
        file != NULL ? attestd_keyring_from_file(file, error, error_size) : attestd_keyring_open(directory, error, error_size);
    if (keys == NULL)
        return NULL;
    struct signer *s = calloc(1, sizeof *s);
    pthread_condattr_t monotonic;
    if (s == NULL || pthread_condattr_init(&monotonic) != 0)
        abort();
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&s->work, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&s->lock, NULL);
    s->keys = keys;
    s->last = &s->first;
    attestd_keyring_tick(keys, (int64_t)time(NULL));
    publish(s);
    if (pthread_create(&s->thread, NULL, signing, s) != 0)
        abort();
    return s;
}

void signer_close(struct signer *s)
{
    if (s == NULL)
        return;
    pthread_mutex_lock(&s->lock);
    s->stop = true;
    pthread_cond_signal(&s->work);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->thread, NULL);
    attestd_keyring_free(s->keys);
    attestd_text_free(&s->jwks);
    pthread_cond_destroy(&s->work);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

void signer_submit(struct signer *s, struct sign_request *request)
{
    request->next = NULL;
    pthread_mutex_lock(&s->lock);
    *s->last = request;
    s->last = &request->next;
    pthread_cond_signal(&s->work);
    pthread_mutex_unlock(&s->lock);
}

void signer_jwks(struct signer *s, struct attestd_text *out)
{
    pthread_mutex_lock(&s->lock);
    attestd_text_add(out, s->jwks.data, s->jwks.len);
    pthread_mutex_unlock(&s->lock);
}
