/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one writer of a store. Changes are queued and committed in batches: one fsync for all that came while the last one ran. A batch that
 * fails (map or disk full) is halved until the change that does not fit is alone; only that one is lost, and counted.
 */
#include "cache/store_environment.h"

#include "core/bytes.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define QUEUE_MAX_WRITES 16384u
#define QUEUE_MAX_BYTES ((size_t)64 << 20)
#define BATCH_MAX 1024u
#define LINGER_NS 20000000L /* what nobody waits for is gathered this long */

enum write_kind { WRITE_PUT, WRITE_DELETE, WRITE_SWAP, WRITE_FLUSH };

/* On the stack of the thread that waits. */
struct write_result {
    bool done, good;
};

struct store_write {
    struct store_write *next;
    enum write_kind kind;
    struct write_result *result; /* NULL: nobody waits */
    char table[STORE_TABLE_NAME];
    size_t size; /* of the whole allocation */
    struct attestd_bytes key, value, before;
    MDB_dbi dbi;
    bool mismatch; /* a swap that found another value */
    bool committed;
    uint8_t bytes[];
};

static struct attestd_bytes write_append(struct store_write *write, size_t *at, struct attestd_bytes from)
{
    struct attestd_bytes copy = {write->bytes + *at, from.len};
    if (from.len > 0)
        memcpy(write->bytes + *at, from.data, from.len);
    *at += from.len;
    return copy;
}

static struct store_write *write_new(enum write_kind kind, const char *table, struct attestd_bytes key, struct attestd_bytes value,
                                     struct attestd_bytes before)
{
    if (strlen(table) >= STORE_TABLE_NAME || key.len > STORE_MAX_KEY || (key.len == 0 && kind != WRITE_FLUSH))
        return NULL;
    if (value.len > QUEUE_MAX_BYTES || before.len > QUEUE_MAX_BYTES)
        return NULL;
    size_t size = sizeof(struct store_write) + key.len + value.len + before.len;
    struct store_write *write = malloc(size);
    if (write == NULL)
        return NULL;
    *write = (struct store_write){.kind = kind, .size = size};
    memcpy(write->table, table, strlen(table) + 1);
    size_t at = 0;
    write->key = write_append(write, &at, key);
    write->value = write_append(write, &at, value);
    write->before = write_append(write, &at, before);
    return write;
}

/* Takes the write over. With a result to fill it waits; a full queue refuses only what nobody waits for. */
static bool enqueue(struct attestd_store *store, struct store_write *write, struct write_result *result)
{
    if (write == NULL || store->read_only) {
        free(write);
        atomic_fetch_add_explicit(&store->dropped, 1, memory_order_relaxed);
        return false;
    }
    write->result = result;
    pthread_mutex_lock(&store->queue_lock);
    bool full = store->queued >= QUEUE_MAX_WRITES || store->queued_bytes + write->size > QUEUE_MAX_BYTES;
    if (full && result == NULL) {
        pthread_mutex_unlock(&store->queue_lock);
        free(write);
        atomic_fetch_add_explicit(&store->dropped, 1, memory_order_relaxed);
        return false;
    }
    if (store->last != NULL)
        store->last->next = write;
    else
        store->first = write;
    store->last = write;
    store->queued++;
    store->queued_bytes += write->size;
    store->queued_waiting += result != NULL;
    if (store->queued == 1 || result != NULL)
        pthread_cond_signal(&store->queue_filled);
    while (result != NULL && !result->done)
        pthread_cond_wait(&store->write_done, &store->queue_lock);
    pthread_mutex_unlock(&store->queue_lock);
    return result == NULL || result->good;
}

bool attestd_store_put(struct attestd_store *store, const char *table, const void *key, size_t key_len, const void *value, size_t value_len)
{
    struct attestd_bytes none = {NULL, 0}, name = {key, key_len}, bytes = {value, value_len};
    return enqueue(store, write_new(WRITE_PUT, table, name, bytes, none), NULL);
}

bool attestd_store_delete(struct attestd_store *store, const char *table, const void *key, size_t key_len)
{
    struct attestd_bytes none = {NULL, 0}, name = {key, key_len};
    return enqueue(store, write_new(WRITE_DELETE, table, name, none, none), NULL);
}

bool attestd_store_put_now(struct attestd_store *store, const char *table, const void *key, size_t key_len, const void *value,
                           size_t value_len)
{
    struct attestd_bytes none = {NULL, 0}, name = {key, key_len}, bytes = {value, value_len};
    struct write_result result = {false, false};
    return enqueue(store, write_new(WRITE_PUT, table, name, bytes, none), &result);
}

bool attestd_store_swap(struct attestd_store *store, const char *table, const void *key, size_t key_len, struct attestd_bytes before,
                        struct attestd_bytes after)
{
    struct attestd_bytes name = {key, key_len};
    struct write_result result = {false, false};
    return enqueue(store, write_new(WRITE_SWAP, table, name, after, before), &result);
}

bool attestd_store_flush(struct attestd_store *store)
{
    struct attestd_bytes none = {NULL, 0};
    struct write_result result = {false, false};
    if (store->read_only)
        return true;
    return enqueue(store, write_new(WRITE_FLUSH, "", none, none, none), &result);
}

static int apply_value(MDB_txn *txn, struct store_write *write, MDB_val *key)
{
    MDB_val value = {write->value.len, (void *)(uintptr_t)write->value.data};
    if (write->kind == WRITE_DELETE || (write->kind == WRITE_SWAP && write->value.len == 0)) {
        int rc = mdb_del(txn, write->dbi, key, NULL);
        return rc == MDB_NOTFOUND ? 0 : rc;
    }
    return mdb_put(txn, write->dbi, key, &value, 0);
}

static int apply_swap(MDB_txn *txn, struct store_write *write, MDB_val *key)
{
    MDB_val stored;
    int rc = mdb_get(txn, write->dbi, key, &stored);
    if (rc != 0 && rc != MDB_NOTFOUND)
        return rc;
    struct attestd_bytes now = {NULL, 0};
    if (rc == 0)
        now = (struct attestd_bytes){stored.mv_data, stored.mv_size};
    if (!attestd_bytes_equal(now, write->before)) {
        write->mismatch = true;
        return 0;
    }
    return apply_value(txn, write, key);
}

static int apply_one(MDB_txn *txn, struct store_write *write)
{
    MDB_val key = {write->key.len, (void *)(uintptr_t)write->key.data};
    write->mismatch = false;
    if (write->kind == WRITE_FLUSH)
        return 0;
    return write->kind == WRITE_SWAP ? apply_swap(txn, write, &key) : apply_value(txn, write, &key);
}

/* All of them in one transaction, or none. */
static int commit_range(struct attestd_store *store, struct store_write **writes, size_t count)
{
    MDB_txn *txn;
    for (size_t i = 0; i < count; i++) {
        int rc = writes[i]->kind == WRITE_FLUSH ? 0 : store_table(store, writes[i]->table, true, &writes[i]->dbi);
        if (rc != 0)
            return rc;
    }
    if (store->env == NULL)
        return MDB_PANIC;
    int rc = mdb_txn_begin(store->env, NULL, 0, &txn);
    if (rc != 0)
        return rc;
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = apply_one(txn, writes[i]);
    if (rc != 0) {
        mdb_txn_abort(txn);
        return rc;
    }
    return mdb_txn_commit(txn);
}

static int commit_repaired(struct attestd_store *store, struct store_write **writes, size_t count)
{
    int rc = commit_range(store, writes, count);
    if (rc == MDB_MAP_FULL && store_grow(store))
        rc = commit_range(store, writes, count);
    if (rc == MDB_MAP_RESIZED) {
        store_follow_size(store);
        rc = commit_range(store, writes, count);
    }
    if (rc == MDB_PANIC && store_reopen(store))
        rc = commit_range(store, writes, count);
    return rc;
}

static void commit_halving(struct attestd_store *store, struct store_write **writes, size_t count)
{
    if (commit_repaired(store, writes, count) == 0) {
        for (size_t i = 0; i < count; i++)
            writes[i]->committed = true;
        atomic_fetch_add_explicit(&store->commits, 1, memory_order_relaxed);
        return;
    }
    if (count == 1) {
        atomic_fetch_add_explicit(&store->failed, 1, memory_order_relaxed);
        return;
    }
    commit_halving(store, writes, count / 2);
    commit_halving(store, writes + count / 2, count - count / 2);
}

/* With the queue locked: takes up to BATCH_MAX writes. */
static size_t take_batch(struct attestd_store *store, struct store_write **writes)
{
    size_t count = 0;
    while (store->first != NULL && count < BATCH_MAX) {
        struct store_write *write = store->first;
        store->first = write->next;
        store->queued--;
        store->queued_bytes -= write->size;
        store->queued_waiting -= write->result != NULL;
        writes[count++] = write;
    }
    if (store->first == NULL)
        store->last = NULL;
    return count;
}

/* With the queue locked. */
static void finish_batch(struct attestd_store *store, struct store_write **writes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (writes[i]->kind != WRITE_FLUSH && writes[i]->committed)
            atomic_fetch_add_explicit(&store->writes, 1, memory_order_relaxed);
        if (writes[i]->result != NULL) {
            writes[i]->result->good = writes[i]->committed && !writes[i]->mismatch;
            writes[i]->result->done = true;
        }
        free(writes[i]);
    }
    pthread_cond_broadcast(&store->write_done);
}

/* With the queue locked: until there is something to write, and a moment longer when nobody waits for it. */
static void wait_for_work(struct attestd_store *store)
{
    while (store->first == NULL && !store->closing)
        pthread_cond_wait(&store->queue_filled, &store->queue_lock);
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += LINGER_NS;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_nsec -= 1000000000L;
        until.tv_sec++;
    }
    while (store->queued_waiting == 0 && !store->closing && store->queued < BATCH_MAX)
        if (pthread_cond_timedwait(&store->queue_filled, &store->queue_lock, &until) != 0)
            break;
}

static void *writer_main(void *context)
{
    struct attestd_store *store = context;
    struct store_write *writes[BATCH_MAX];
    pthread_mutex_lock(&store->queue_lock);
    for (;;) {
        wait_for_work(store);
        size_t count = take_batch(store, writes);
        if (count == 0 && store->closing)
            break;
        pthread_mutex_unlock(&store->queue_lock);
        if (count > 0)
            commit_halving(store, writes, count);
        pthread_mutex_lock(&store->queue_lock);
        finish_batch(store, writes, count);
    }
    pthread_mutex_unlock(&store->queue_lock);
    return NULL;
}

bool store_writer_start(struct attestd_store *store)
{
    store->writer_runs = pthread_create(&store->writer, NULL, writer_main, store) == 0;
    return store->writer_runs;
}

void store_writer_stop(struct attestd_store *store)
{
    if (!store->writer_runs)
        return;
    pthread_mutex_lock(&store->queue_lock);
    store->closing = true;
    pthread_cond_signal(&store->queue_filled);
    pthread_mutex_unlock(&store->queue_lock);
    pthread_join(store->writer, NULL);
    store->writer_runs = false;
}
