/* SPDX-License-Identifier: Apache-2.0 */
/* LMDB environments: opening, tables, readers. The writer is in store_writer.c. */
#include "cache/store_environment.h"

#include "core/bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define STORE_FIRST_MAP ((size_t)16 << 20)
#define STORE_SMALLEST_MAP ((size_t)256 << 10)
#define WALK_CHUNK_ENTRIES 256u
#define WALK_CHUNK_BYTES ((size_t)4 << 20)

static pthread_mutex_t registry_lock = PTHREAD_MUTEX_INITIALIZER;
static struct attestd_store *registry;

/* File systems on which mmap and fcntl locks do not hold what LMDB needs of them (lmdb.h, "Caveats"). statfs(2) lists the numbers. */
static const struct {
    uint32_t magic;
    const char *name;
} network_file_systems[] = {
    {0x6969u, "NFS"},        {0x517Bu, "SMB"},        {0xFF534D42u, "CIFS"},   {0xFE534D42u, "SMB2"}, {0x65735546u, "FUSE"},
    {0x01021997u, "9p"},     {0x5346414Fu, "AFS"},    {0x6B414653u, "AFS"},    {0x73757245u, "Coda"}, {0x00C36400u, "Ceph"},
    {0x01161970u, "GFS2"},   {0x7461636Fu, "OCFS2"},  {0x0BD00BD0u, "Lustre"}, {0x564Cu, "NCP"},      {0x47504653u, "GPFS"},
    {0x786F4256u, "vboxsf"}, {0xBACBACBCu, "vmhgfs"},
};

static bool is_network_file_system(const char *directory, const char **name)
{
    struct statfs info;
    if (statfs(directory, &info) != 0)
        return false;
    for (size_t i = 0; i < sizeof network_file_systems / sizeof *network_file_systems; i++) {
        if ((uint32_t)info.f_type == network_file_systems[i].magic) {
            *name = network_file_systems[i].name;
            return true;
        }
    }
    return false;
}

/* The directory is made when absent (0700); one that everybody can write to is refused: others could swap the file. */
static bool directory_ready(const char *path, bool read_only, char *error, size_t error_size)
{
    char copy[PATH_MAX];
    if ((size_t)snprintf(copy, sizeof copy, "%s", path) >= sizeof copy) {
        snprintf(error, error_size, "store path is too long");
        return false;
    }
    const char *directory = dirname(copy);
    if (!read_only && mkdir(directory, 0700) != 0 && errno != EEXIST) {
        snprintf(error, error_size, "cannot make %s: %s", directory, strerror(errno));
        return false;
    }
    struct stat info;
    if (stat(directory, &info) != 0 || !S_ISDIR(info.st_mode)) {
        snprintf(error, error_size, "%s is not a directory", directory);
        return false;
    }
    if (info.st_mode & S_IWOTH) {
        snprintf(error, error_size, "%s can be written by everybody (mode %04o): expected 0700", directory,
                 (unsigned)(info.st_mode & 07777));
        return false;
    }
    const char *name = NULL;
    if (is_network_file_system(directory, &name)) {
        snprintf(error, error_size, "%s lies on a network file system (%s), which LMDB cannot use: choose a local one", directory, name);
        return false;
    }
    return true;
}

/* Makes sure of a regular file of ours with mode 0600 and tells its identity. */
static bool file_ready(const char *path, bool read_only, struct stat *info, char *error, size_t error_size)
{
    int fd = open(path, (read_only ? O_RDONLY : O_RDWR | O_CREAT) | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        snprintf(error, error_size, "cannot open %s: %s", path, strerror(errno));
        return false;
    }
    bool good = fstat(fd, info) == 0 && S_ISREG(info->st_mode);
    if (good && !read_only)
        good = info->st_uid == geteuid() && fchmod(fd, 0600) == 0;
    close(fd);
    if (!good)
        snprintf(error, error_size, "%s is not a regular file of this user", path);
    return good;
}

static int environment_open(struct attestd_store *store)
{
    int rc = mdb_env_create(&store->env);
    if (rc != 0) {
        store->env = NULL;
        return rc;
    }
    unsigned flags = MDB_NOSUBDIR | MDB_NOTLS | (store->read_only ? MDB_RDONLY : 0) | (store->memory_only ? MDB_NOSYNC : 0);
    rc = mdb_env_set_maxdbs(store->env, STORE_MAX_TABLES);
    if (rc == 0)
        rc = mdb_env_set_maxreaders(store->env, 4 * STORE_READERS);
    if (rc == 0)
        rc = mdb_env_set_mapsize(store->env, store->map_size);
    if (rc == 0)
        rc = mdb_env_open(store->env, store->path, flags, 0600);
    if (rc != 0) {
        mdb_env_close(store->env);
        store->env = NULL;
        return rc;
    }
    int dead = 0;
    (void)mdb_reader_check(store->env, &dead); /* readers that were killed would pin old pages */
    return 0;
}

static void environment_close(struct attestd_store *store)
{
    for (unsigned i = 0; i < store->idle_count; i++)
        mdb_txn_abort(store->idle[i]);
    store->idle_count = 0;
    store->table_count = 0;
    if (store->env != NULL)
        mdb_env_close(store->env);
    store->env = NULL;
}

static size_t round_up(size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    return (size + page - 1) / page * page;
}

static struct attestd_store *store_allocate(const struct attestd_store_options *options, const char *path, const struct stat *info)
{
    struct attestd_store *store = calloc(1, sizeof *store);
    if (store == NULL)
        return NULL;
    store->path = strdup(path);
    if (store->path == NULL) {
        free(store);
        return NULL;
    }
    store->references = 1;
    store->device = info->st_dev;
    store->inode = info->st_ino;
    store->read_only = options->read_only;
    store->memory_only = options->memory_only;
    store->max_size = round_up(options->max_size > STORE_SMALLEST_MAP ? options->max_size : STORE_SMALLEST_MAP);
    store->map_size = store->max_size < STORE_FIRST_MAP ? store->max_size / 2 : STORE_FIRST_MAP;
    if (store->map_size < (size_t)info->st_size)
        store->map_size = (size_t)info->st_size < store->max_size ? store->max_size : round_up((size_t)info->st_size);
    store->map_size = round_up(store->map_size);
    pthread_rwlock_init(&store->resize, NULL);
    pthread_mutex_init(&store->tables_lock, NULL);
    pthread_mutex_init(&store->readers_lock, NULL);
    pthread_cond_init(&store->reader_free, NULL);
    pthread_mutex_init(&store->queue_lock, NULL);
    pthread_condattr_t clock;
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&store->queue_filled, &clock);
    pthread_cond_init(&store->write_done, &clock);
    pthread_condattr_destroy(&clock);
    return store;
}

static void store_release(struct attestd_store *store)
{
    environment_close(store);
    pthread_rwlock_destroy(&store->resize);
    pthread_mutex_destroy(&store->tables_lock);
    pthread_mutex_destroy(&store->readers_lock);
    pthread_cond_destroy(&store->reader_free);
    pthread_mutex_destroy(&store->queue_lock);
    pthread_cond_destroy(&store->queue_filled);
    pthread_cond_destroy(&store->write_done);
    free(store->path);
    free(store);
}

static struct attestd_store *registry_find(const struct stat *info)
{
    for (struct attestd_store *store = registry; store != NULL; store = store->next)
        if (store->device == info->st_dev && store->inode == info->st_ino)
            return store;
    return NULL;
}

/* With the registry locked. */
static struct attestd_store *store_open_file(const struct attestd_store_options *options, const char *path, char *error, size_t error_size)
{
    struct stat info;
    if (!file_ready(path, options->read_only, &info, error, error_size))
        return NULL;
    struct attestd_store *store = registry_find(&info);
    if (store != NULL && store->read_only && !options->read_only) {
        snprintf(error, error_size, "%s is already open in this process for reading only", path);
        return NULL;
    }
    if (store != NULL) {
        store->references++;
        return store;
    }
    store = store_allocate(options, path, &info);
    if (store == NULL) {
        snprintf(error, error_size, "out of memory");
        return NULL;
    }
    int rc = environment_open(store);
    if (options->memory_only) {
        char lock[PATH_MAX + 8];
        snprintf(lock, sizeof lock, "%s-lock", path);
        unlink(lock);
    }
    if (rc != 0) {
        snprintf(error, error_size, "cannot open %s: %s", path, mdb_strerror(rc));
        store_release(store);
        return NULL;
    }
    if (!store->read_only && !store_writer_start(store)) {
        snprintf(error, error_size, "cannot start the writer of %s", path);
        store_release(store);
        return NULL;
    }
    store->next = registry;
    registry = store;
    return store;
}

static struct attestd_store *store_open_private(const struct attestd_store_options *options, char *error, size_t error_size)
{
    const char *directory = getenv("TMPDIR");
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/attestd-XXXXXX", directory != NULL && *directory != 0 ? directory : "/tmp");
    int fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0) {
        snprintf(error, error_size, "cannot make %s: %s", path, strerror(errno));
        return NULL;
    }
    close(fd);
    pthread_mutex_lock(&registry_lock);
    struct attestd_store *store = store_open_file(options, path, error, error_size);
    pthread_mutex_unlock(&registry_lock);
    unlink(path);
    return store;
}

struct attestd_store *attestd_store_open(const struct attestd_store_options *options, char *error, size_t error_size)
{
    if (options->memory_only)
        return store_open_private(options, error, error_size);
    if (!directory_ready(options->path, options->read_only, error, error_size))
        return NULL;
    pthread_mutex_lock(&registry_lock);
    struct attestd_store *store = store_open_file(options, options->path, error, error_size);
    pthread_mutex_unlock(&registry_lock);
    return store;
}

void attestd_store_close(struct attestd_store *store)
{
    if (store == NULL)
        return;
    pthread_mutex_lock(&registry_lock);
    if (--store->references > 0) {
        pthread_mutex_unlock(&registry_lock);
        (void)attestd_store_flush(store);
        return;
    }
    store_writer_stop(store); /* inside the lock: nobody may open the file again before it is closed */
    struct attestd_store **link = &registry;
    while (*link != store)
        link = &(*link)->next;
    *link = store->next;
    store_release(store);
    pthread_mutex_unlock(&registry_lock);
}

bool store_grow(struct attestd_store *store)
{
    if (store->map_size >= store->max_size)
        return false;
    pthread_rwlock_wrlock(&store->resize);
    int rc = mdb_env_set_mapsize(store->env, store->max_size);
    if (rc == 0)
        store->map_size = store->max_size;
    pthread_rwlock_unlock(&store->resize);
    return rc == 0;
}

void store_follow_size(struct attestd_store *store)
{
    pthread_rwlock_wrlock(&store->resize);
    (void)mdb_env_set_mapsize(store->env, 0);
    pthread_rwlock_unlock(&store->resize);
}

bool store_reopen(struct attestd_store *store)
{
    if (store->memory_only)
        return false; /* its file has no name any more */
    pthread_rwlock_wrlock(&store->resize);
    environment_close(store);
    bool good = environment_open(store) == 0;
    pthread_rwlock_unlock(&store->resize);
    return good;
}

static bool table_known(struct attestd_store *store, const char *name, MDB_dbi *dbi)
{
    for (size_t i = 0; i < store->table_count; i++) {
        if (strcmp(store->tables[i].name, name) == 0) {
            *dbi = store->tables[i].dbi;
            return true;
        }
    }
    return false;
}

static int table_open(struct attestd_store *store, const char *name, bool create, MDB_dbi *dbi)
{
    MDB_txn *txn;
    if (store->env == NULL || strlen(name) >= STORE_TABLE_NAME)
        return EINVAL;
    if (store->table_count == STORE_MAX_TABLES)
        return MDB_DBS_FULL;
    int rc = mdb_txn_begin(store->env, NULL, create ? 0 : MDB_RDONLY, &txn);
    if (rc != 0)
        return rc;
    rc = mdb_dbi_open(txn, name, create ? MDB_CREATE : 0, dbi);
    if (rc != 0) {
        mdb_txn_abort(txn);
        return rc;
    }
    rc = mdb_txn_commit(txn);
    if (rc != 0)
        return rc;
    struct store_table *table = &store->tables[store->table_count++];
    snprintf(table->name, sizeof table->name, "%s", name);
    table->dbi = *dbi;
    return 0;
}

int store_table(struct attestd_store *store, const char *name, bool create, MDB_dbi *dbi)
{
    pthread_mutex_lock(&store->tables_lock);
    int rc = table_known(store, name, dbi) ? 0 : table_open(store, name, create, dbi);
    pthread_mutex_unlock(&store->tables_lock);
    return rc;
}

static int reader_txn(struct attestd_store *store, const char *table, MDB_dbi *dbi, MDB_txn **txn)
{
    int rc = store_table(store, table, false, dbi);
    if (rc != 0)
        return rc;
    pthread_mutex_lock(&store->readers_lock);
    if (store->idle_count > 0)
        *txn = store->idle[--store->idle_count];
    pthread_mutex_unlock(&store->readers_lock);
    return *txn != NULL ? mdb_txn_renew(*txn) : mdb_txn_begin(store->env, NULL, MDB_RDONLY, txn);
}

/* A read transaction on a known table; always ends with reader_end. False: no such table, or the environment is out of order. */
static bool reader_begin(struct attestd_store *store, const char *table, MDB_dbi *dbi, MDB_txn **txn)
{
    pthread_mutex_lock(&store->readers_lock);
    while (store->readers_out == STORE_READERS)
        pthread_cond_wait(&store->reader_free, &store->readers_lock);
    store->readers_out++;
    pthread_mutex_unlock(&store->readers_lock);

    *txn = NULL;
    pthread_rwlock_rdlock(&store->resize);
    int rc = reader_txn(store, table, dbi, txn);
    if (rc != MDB_MAP_RESIZED)
        return rc == 0;
    pthread_rwlock_unlock(&store->resize);
    if (*txn != NULL)
        mdb_txn_abort(*txn);
    *txn = NULL;
    store_follow_size(store);
    pthread_rwlock_rdlock(&store->resize);
    return reader_txn(store, table, dbi, txn) == 0;
}

static void reader_end(struct attestd_store *store, MDB_txn *txn, bool good)
{
    if (txn != NULL && good)
        mdb_txn_reset(txn);
    else if (txn != NULL)
        mdb_txn_abort(txn);
    pthread_mutex_lock(&store->readers_lock);
    if (txn != NULL && good)
        store->idle[store->idle_count++] = txn;
    store->readers_out--;
    pthread_cond_signal(&store->reader_free);
    pthread_mutex_unlock(&store->readers_lock);
    pthread_rwlock_unlock(&store->resize);
}

bool attestd_store_get(struct attestd_store *store, const char *table, const void *key, size_t key_len, struct attestd_arena *arena,
                       struct attestd_bytes *value)
{
    if (key_len == 0 || key_len > STORE_MAX_KEY)
        return false;
    MDB_txn *txn;
    MDB_dbi dbi;
    bool good = reader_begin(store, table, &dbi, &txn);
    MDB_val name = {key_len, (void *)(uintptr_t)key}, found;
    bool hit = good && mdb_get(txn, dbi, &name, &found) == 0;
    if (hit)
        *value = attestd_arena_bytes(arena, found.mv_data, found.mv_size);
    reader_end(store, txn, good);
    atomic_fetch_add_explicit(&store->reads, 1, memory_order_relaxed);
    return hit;
}

struct walk_chunk {
    struct attestd_bytes keys[WALK_CHUNK_ENTRIES], values[WALK_CHUNK_ENTRIES];
    size_t count;
    bool more;
};

/* Copies the next entries, so that the callback runs with no transaction open. */
static void walk_read(struct attestd_store *store, const char *table, struct attestd_bytes from, bool after, struct attestd_arena *arena,
                      struct walk_chunk *chunk)
{
    MDB_txn *txn;
    MDB_dbi dbi;
    MDB_cursor *cursor = NULL;
    chunk->count = 0;
    chunk->more = false;
    bool good = reader_begin(store, table, &dbi, &txn);
    if (good && mdb_cursor_open(txn, dbi, &cursor) == 0) {
        MDB_val key = {from.len, (void *)(uintptr_t)from.data}, value;
        int rc = mdb_cursor_get(cursor, &key, &value, from.len > 0 ? MDB_SET_RANGE : MDB_FIRST);
        if (rc == 0 && after && attestd_bytes_are(from, key.mv_data, key.mv_size))
            rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
        for (size_t bytes = 0; rc == 0; rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) {
            if (chunk->count == WALK_CHUNK_ENTRIES || bytes > WALK_CHUNK_BYTES) {
                chunk->more = true;
                break;
            }
            chunk->keys[chunk->count] = attestd_arena_bytes(arena, key.mv_data, key.mv_size);
            chunk->values[chunk->count++] = attestd_arena_bytes(arena, value.mv_data, value.mv_size);
            bytes += value.mv_size;
        }
        mdb_cursor_close(cursor);
    }
    reader_end(store, txn, good);
}

void attestd_store_walk(struct attestd_store *store, const char *table, const void *from, size_t from_len,
                        bool (*found)(void *context, struct attestd_bytes key, struct attestd_bytes value), void *context)
{
    uint8_t last[STORE_MAX_KEY];
    if (from_len > sizeof last)
        return;
    if (from_len > 0)
        memcpy(last, from, from_len);
    struct attestd_bytes start = {last, from_len};
    struct walk_chunk chunk;
    bool after = false;
    do {
        struct attestd_arena *arena = attestd_arena_new();
        walk_read(store, table, start, after, arena, &chunk);
        for (size_t i = 0; i < chunk.count; i++) {
            if (!found(context, chunk.keys[i], chunk.values[i])) {
                chunk.more = false;
                break;
            }
        }
        if (chunk.more) {
            start.len = chunk.keys[chunk.count - 1].len;
            memcpy(last, chunk.keys[chunk.count - 1].data, start.len);
            after = true;
        }
        attestd_arena_free(arena);
    } while (chunk.more);
}

static size_t stat_bytes(const MDB_stat *stat)
{
    return (stat->ms_branch_pages + stat->ms_leaf_pages + stat->ms_overflow_pages) * stat->ms_psize;
}

/* Pages in use by tables: free pages within the file do not count. */
static size_t used_bytes(struct attestd_store *store)
{
    MDB_txn *txn;
    MDB_stat stat;
    size_t used = 0;
    pthread_rwlock_rdlock(&store->resize);
    if (store->env != NULL && mdb_txn_begin(store->env, NULL, MDB_RDONLY, &txn) == 0) {
        pthread_mutex_lock(&store->tables_lock);
        for (size_t i = 0; i < store->table_count; i++)
            if (mdb_stat(txn, store->tables[i].dbi, &stat) == 0)
                used += stat_bytes(&stat);
        pthread_mutex_unlock(&store->tables_lock);
        if (mdb_env_stat(store->env, &stat) == 0)
            used += stat_bytes(&stat);
        mdb_txn_abort(txn);
    }
    pthread_rwlock_unlock(&store->resize);
    return used;
}

struct attestd_store_counts attestd_store_counts(struct attestd_store *store)
{
    return (struct attestd_store_counts){
        .reads = atomic_load_explicit(&store->reads, memory_order_relaxed),
        .writes = atomic_load_explicit(&store->writes, memory_order_relaxed),
        .commits = atomic_load_explicit(&store->commits, memory_order_relaxed),
        .dropped = atomic_load_explicit(&store->dropped, memory_order_relaxed),
        .failed = atomic_load_explicit(&store->failed, memory_order_relaxed),
        .used_bytes = used_bytes(store),
        .max_bytes = store->max_size,
    };
}
