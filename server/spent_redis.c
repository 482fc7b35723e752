/* SPDX-License-Identifier: Apache-2.0 */
/* The spent set of several replicas. Workers call it, so it may wait, but briefly: a set that does not answer in time is no set. */
#include "core/encoding.h"
#include "server/spent.h"
#include <hiredis/hiredis.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IDLE_MAX 16
#define TIMEOUT_MS 500

struct redis_set {
    struct spent_set set;
    struct spent_redis_options options;
    char password[256];
    pthread_mutex_t lock;
    redisContext *idle[IDLE_MAX];
    size_t idle_count;
};

static redisContext *authenticated(struct redis_set *set, redisContext *context)
{
    if (context == NULL || context->err != 0 || redisSetTimeout(context, (struct timeval){0, TIMEOUT_MS * 1000}) != REDIS_OK) {
        redisFree(context);
        return NULL;
    }
    if (set->password[0] == '\0')
        return context;
    redisReply *reply = redisCommand(context, "AUTH %s", set->password);
    bool accepted = reply != NULL && reply->type == REDIS_REPLY_STATUS;
    freeReplyObject(reply);
    if (accepted)
        return context;
    redisFree(context);
    return NULL;
}

static redisContext *take(struct redis_set *set)
{
    redisContext *context = NULL;
    struct timeval timeout = {0, TIMEOUT_MS * 1000};
    pthread_mutex_lock(&set->lock);
    if (set->idle_count != 0)
        context = set->idle[--set->idle_count];
    pthread_mutex_unlock(&set->lock);
    if (context != NULL)
        return context;
    const struct spent_redis_options *o = &set->options;
    return authenticated(set, o->socket != NULL ? redisConnectUnixWithTimeout(o->socket, timeout)
                                                : redisConnectWithTimeout(o->host, o->port, timeout));
}

static void give_back(struct redis_set *set, redisContext *context)
{
    pthread_mutex_lock(&set->lock);
    bool kept = context->err == 0 && set->idle_count < IDLE_MAX;
    if (kept)
        set->idle[set->idle_count++] = context;
    pthread_mutex_unlock(&set->lock);
    if (!kept)
        redisFree(context);
}

static enum spent_outcome ask(redisContext *context, const struct redis_set *set, const char *hex)
{
    redisReply *reply =
        redisCommand(context, "SET %s%s 1 NX PX %llu", set->options.prefix, hex, (unsigned long long)set->options.seconds * 1000);
    enum spent_outcome outcome = SPENT_NOWHERE;
    if (reply != NULL && reply->type == REDIS_REPLY_STATUS && strcmp(reply->str, "OK") == 0)
        outcome = SPENT_NOW;
    else if (reply != NULL && reply->type == REDIS_REPLY_NIL)
        outcome = SPENT_BEFORE;
    else if (reply != NULL && reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, "OOM", 3) == 0)
        outcome = SPENT_FULL;
    freeReplyObject(reply);
    return outcome;
}

static enum spent_outcome redis_insert(struct spent_set *base, const uint8_t nonce[32])
{
    struct redis_set *set = (struct redis_set *)base;
    char hex[65];
    attestd_hex_encode(nonce, 32, hex);
    /* A kept connection may have been closed by the other side: such a failure is tried once more on a new one. Whether the first try
     * was carried out is then not known, so a "before" of the second may be our own: it is refused, which costs the caller a retry. */
    for (int tries = 0; tries < 2; tries++) {
        redisContext *context = take(set);
        if (context == NULL)
            return SPENT_NOWHERE;
        enum spent_outcome outcome = ask(context, set, hex);
        bool broken = context->err != 0;
        give_back(set, context);
        if (!broken)
            return outcome;
    }
    return SPENT_NOWHERE;
}

static bool redis_seen(struct spent_set *base, const uint8_t nonce[32])
{
    (void)base;
    (void)nonce;
    return false;
}

static size_t redis_count(struct spent_set *base)
{
    (void)base;
    return 0;
}

static void redis_free(struct spent_set *base)
{
    struct redis_set *set = (struct redis_set *)base;
    while (set->idle_count != 0)
        redisFree(set->idle[--set->idle_count]);
    OPENSSL_cleanse(set->password, sizeof set->password);
    pthread_mutex_destroy(&set->lock);
    free(set);
}

static bool read_password(struct redis_set *set, const char *file)
{
    FILE *f = fopen(file, "re");
    bool read = f != NULL && fgets(set->password, sizeof set->password, f) != NULL;
    set->password[strcspn(set->password, "\r\n")] = '\0';
    if (f != NULL)
        fclose(f);
    return read;
}

struct spent_set *spent_redis(const struct spent_redis_options *options, char *error, size_t error_size)
{
    struct redis_set *set = calloc(1, sizeof *set);
    if (set == NULL)
        abort();
    set->set = (struct spent_set){redis_insert, redis_seen, redis_count, redis_free};
    set->options = *options;
    pthread_mutex_init(&set->lock, NULL);
    if (options->password_file != NULL && !read_password(set, options->password_file)) {
        snprintf(error, error_size, "%s: no password can be read from it", options->password_file);
        redis_free(&set->set);
        return NULL;
    }
    redisContext *first = take(set);
    if (first == NULL) {
        snprintf(error, error_size, "the shared set of spent challenges (Redis at %s) does not answer",
                 options->socket != NULL ? options->socket : options->host);
        redis_free(&set->set);
        return NULL;
    }
    give_back(set, first);
    return &set->set;
}
