/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of a store: the LMDB environment, its tables and readers (store.c), and its one writer (store_writer.c). */
#ifndef ATTESTD_CACHE_STORE_ENVIRONMENT_H
#define ATTESTD_CACHE_STORE_ENVIRONMENT_H

#include "cache/store.h"
#include <lmdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

#define STORE_MAX_TABLES 32u
#define STORE_TABLE_NAME 32u /* bytes, NUL included */
#define STORE_MAX_KEY 511u   /* LMDB's own bound */
#define STORE_READERS 64u    /* read transactions at a time */

struct store_table {
    char name[STORE_TABLE_NAME];
    MDB_dbi dbi;
};

struct store_write; /* one queued change; store_writer.c */

struct attestd_store {
    struct attestd_store *next; /* in the registry of this process: LMDB forbids opening one file twice */
    dev_t device;
    ino_t inode;
    unsigned references;

    char *path;
    bool read_only, memory_only;
    size_t max_size, map_size;
    MDB_env *env;

    /* Held for reading while a transaction is open, for writing while the map is resized or the environment reopened. */
    pthread_rwlock_t resize;
    pthread_mutex_t tables_lock; /* mdb_dbi_open must not run twice at a time */
    struct store_table tables[STORE_MAX_TABLES];
    size_t table_count;

    pthread_mutex_t readers_lock;
    pthread_cond_t reader_free;
    MDB_txn *idle[STORE_READERS]; /* reset transactions, to be renewed */
    unsigned idle_count, readers_out;

    pthread_t writer;
    bool writer_runs;
    pthread_mutex_t queue_lock;
    pthread_cond_t queue_filled, write_done;
    struct store_write *first, *last;
    size_t queued, queued_bytes, queued_waiting;
    bool closing;

    atomic_uint_fast64_t reads, writes, commits, dropped, failed;
};

/* The table's handle; makes it when `create` (writer only). 0 or LMDB's error. No transaction of this thread may be open. */
int store_table(struct attestd_store *, const char *name, bool create, MDB_dbi *dbi);
/* Takes the map to its full size. False when it has it already. */
bool store_grow(struct attestd_store *);
/* Another process made the map larger: follow. */
void store_follow_size(struct attestd_store *);
/* After MDB_PANIC: close and open the environment again. */
bool store_reopen(struct attestd_store *);

bool store_writer_start(struct attestd_store *);
void store_writer_stop(struct attestd_store *);

#endif
