/* SPDX-License-Identifier: Apache-2.0 */
/* The embedded stores: durability, swaps, full maps and disks, kill -9, several openers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cache/store.h"
#include "core/bytes.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[64];
static char path[128];

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/attestd-store-XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/state/test.mdb", folder);
    return 0;
}

static int drop_folder(void **state)
{
    (void)state;
    char lock[160];
    snprintf(lock, sizeof lock, "%s-lock", path);
    unlink(lock);
    unlink(path);
    *strrchr(path, '/') = 0;
    rmdir(path);
    return rmdir(folder);
}

static struct attestd_store *open_store(size_t max_size)
{
    char error[256] = "";
    struct attestd_store_options options = {.path = path, .max_size = max_size};
    struct attestd_store *store = attestd_store_open(&options, error, sizeof error);
    if (store == NULL)
        print_error("%s\n", error);
    assert_non_null(store);
    return store;
}

static bool holds(struct attestd_store *store, const char *table, const char *key, const char *value)
{
    struct attestd_arena *arena = attestd_arena_new();
    struct attestd_bytes found;
    bool same = attestd_store_get(store, table, key, strlen(key), arena, &found) && attestd_bytes_are(found, value, strlen(value));
    attestd_arena_free(arena);
    return same;
}

static bool has(struct attestd_store *store, const char *table, const void *key, size_t len)
{
    struct attestd_arena *arena = attestd_arena_new();
    struct attestd_bytes found;
    bool there = attestd_store_get(store, table, key, len, arena, &found);
    attestd_arena_free(arena);
    return there;
}

static struct attestd_bytes text(const char *chars)
{
    return (struct attestd_bytes){(const uint8_t *)chars, strlen(chars)};
}

static void what_was_put_is_there_after_close_and_open(void **state)
{
    (void)state;
    struct attestd_store *store = open_store(1 << 20);
    assert_true(attestd_store_put(store, "a", "queued", 6, "1", 1));
    assert_true(attestd_store_put_now(store, "b", "now", 3, "2", 1));
    assert_true(holds(store, "b", "now", "2"));
    assert_false(has(store, "nothing", "x", 1));
    attestd_store_close(store);

    store = open_store(1 << 20);
    assert_true(holds(store, "a", "queued", "1"));
    assert_true(holds(store, "b", "now", "2"));
    assert_true(attestd_store_delete(store, "a", "queued", 6));
    assert_true(attestd_store_flush(store));
    assert_false(has(store, "a", "queued", 6));
    attestd_store_close(store);
}

static void file_is_0600_in_a_directory_of_0700(void **state)
{
    (void)state;
    attestd_store_close(open_store(1 << 20));
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    char directory[128];
    snprintf(directory, sizeof directory, "%s/state", folder);
    assert_int_equal(stat(directory, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0700);

    char error[256] = "";
    struct attestd_store_options options = {.path = path, .max_size = 1 << 20};
    assert_int_equal(chmod(directory, 0777), 0);
    assert_null(attestd_store_open(&options, error, sizeof error));
    assert_non_null(strstr(error, "written by everybody"));
    assert_int_equal(chmod(directory, 0700), 0);
}

static void a_symbolic_link_is_not_followed(void **state)
{
    (void)state;
    attestd_store_close(open_store(1 << 20));
    char link[160], error[256] = "";
    snprintf(link, sizeof link, "%s/state/link.mdb", folder);
    assert_int_equal(symlink(path, link), 0);
    struct attestd_store_options options = {.path = link, .max_size = 1 << 20};
    assert_null(attestd_store_open(&options, error, sizeof error));
    assert_int_equal(unlink(link), 0);
}

static void swap_replaces_only_the_value_it_names(void **state)
{
    (void)state;
    struct attestd_store *store = open_store(1 << 20);
    struct attestd_bytes none = {NULL, 0};
    assert_false(attestd_store_swap(store, "s", "k", 1, text("old"), text("new")));
    assert_true(attestd_store_swap(store, "s", "k", 1, none, text("one")));
    assert_false(attestd_store_swap(store, "s", "k", 1, none, text("two")));
    assert_true(holds(store, "s", "k", "one"));
    assert_true(attestd_store_swap(store, "s", "k", 1, text("one"), text("two")));
    assert_true(holds(store, "s", "k", "two"));
    assert_true(attestd_store_swap(store, "s", "k", 1, text("two"), none));
    assert_false(has(store, "s", "k", 1));
    attestd_store_close(store);
}

struct swapper {
    struct attestd_store *store;
    unsigned won;
};

static void *swap_once(void *context)
{
    struct swapper *swapper = context;
    struct attestd_bytes none = {NULL, 0};
    swapper->won += attestd_store_swap(swapper->store, "race", "k", 1, none, text("mine"));
    return NULL;
}

static void of_sixteen_simultaneous_swaps_one_wins(void **state)
{
    (void)state;
    struct attestd_store *store = open_store(1 << 20);
    pthread_t threads[16];
    struct swapper swappers[16];
    unsigned won = 0;
    for (size_t i = 0; i < 16; i++) {
        swappers[i] = (struct swapper){store, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, swap_once, &swappers[i]), 0);
    }
    for (size_t i = 0; i < 16; i++) {
        pthread_join(threads[i], NULL);
        won += swappers[i].won;
    }
    assert_int_equal(won, 1);
    attestd_store_close(store);
}

static void one_file_opened_twice_in_a_process_is_one_environment(void **state)
{
    (void)state;
    struct attestd_store *first = open_store(1 << 20), *second = open_store(1 << 20);
    assert_true(attestd_store_put_now(first, "t", "k", 1, "v", 1));
    assert_true(holds(second, "t", "k", "v"));
    attestd_store_close(first);
    assert_true(holds(second, "t", "k", "v"));
    attestd_store_close(second);
}

static void a_reader_only_store_takes_no_writes(void **state)
{
    (void)state;
    struct attestd_store *store = open_store(1 << 20);
    assert_true(attestd_store_put_now(store, "t", "k", 1, "v", 1));
    attestd_store_close(store);
    char error[256] = "";
    struct attestd_store_options options = {.path = path, .max_size = 1 << 20, .read_only = true};
    store = attestd_store_open(&options, error, sizeof error);
    assert_non_null(store);
    assert_true(holds(store, "t", "k", "v"));
    assert_false(attestd_store_put(store, "t", "k", 1, "w", 1));
    assert_false(attestd_store_put_now(store, "t", "k", 1, "w", 1));
    assert_true(holds(store, "t", "k", "v"));
    attestd_store_close(store);
}

static void a_memory_only_store_leaves_no_file(void **state)
{
    (void)state;
    char error[256] = "";
    assert_int_equal(setenv("TMPDIR", folder, 1), 0);
    struct attestd_store_options options = {.max_size = 1 << 20, .memory_only = true};
    struct attestd_store *store = attestd_store_open(&options, error, sizeof error);
    assert_int_equal(unsetenv("TMPDIR"), 0);
    assert_non_null(store);
    assert_true(attestd_store_put_now(store, "t", "k", 1, "v", 1));
    assert_true(holds(store, "t", "k", "v"));
    assert_int_equal(rmdir(folder), 0); /* empty */
    assert_int_equal(mkdir(folder, 0700), 0);
    attestd_store_close(store);
    attestd_store_close(open_store(1 << 20)); /* for the teardown */
}

static void the_map_grows_to_its_bound_and_then_refuses_and_counts(void **state)
{
    (void)state;
    struct attestd_store *store = open_store((size_t)2 << 20);
    static uint8_t page[64 << 10];
    unsigned kept = 0;
    for (uint32_t i = 0; i < 64; i++)
        kept += attestd_store_put_now(store, "t", &i, sizeof i, page, sizeof page);
    assert_in_range(kept, 20, 31); /* beyond half of 2 MiB, so it grew */
    struct attestd_store_counts counts = attestd_store_counts(store);
    assert_int_equal(counts.failed, 64 - kept);
    assert_int_equal(counts.writes, kept);
    assert_in_range(counts.used_bytes, kept * sizeof page, (size_t)2 << 20);

    uint32_t first = 0;
    assert_true(has(store, "t", &first, sizeof first));
    for (uint32_t i = 0; i < 8; i++)
        assert_true(attestd_store_delete(store, "t", &i, sizeof i));
    assert_true(attestd_store_flush(store));
    assert_true(attestd_store_put_now(store, "t", "small", 5, "1", 1)); /* LMDB reuses pages one commit later */
    assert_true(attestd_store_put_now(store, "t", "again", 5, page, sizeof page));
    attestd_store_close(store);
}

static void in_a_batch_that_does_not_fit_what_fits_is_kept(void **state)
{
    (void)state;
    struct attestd_store *store = open_store((size_t)1 << 20);
    static uint8_t large[(size_t)4 << 20];
    assert_true(attestd_store_put(store, "t", "before", 6, "1", 1));
    assert_true(attestd_store_put(store, "t", "large", 5, large, sizeof large));
    assert_true(attestd_store_put(store, "t", "after", 5, "2", 1));
    assert_true(attestd_store_flush(store));
    assert_true(holds(store, "t", "before", "1"));
    assert_true(holds(store, "t", "after", "2"));
    assert_false(has(store, "t", "large", 5));
    assert_int_equal(attestd_store_counts(store).failed, 1);
    attestd_store_close(store);
}

struct walked {
    uint32_t next, count, stop_at;
    struct attestd_store *store;
};

static bool walk_in_order(void *context, struct attestd_bytes key, struct attestd_bytes value)
{
    struct walked *walked = context;
    struct attestd_reader reader = attestd_reader_of(key.data, key.len);
    assert_int_equal(attestd_read_u32be(&reader), walked->next);
    assert_int_equal(value.len, 3);
    walked->next++;
    if (walked->count == 10) /* writing from within a walk must not lock up */
        assert_true(attestd_store_put_now(walked->store, "other", "k", 1, "v", 1));
    return ++walked->count < walked->stop_at;
}

static void a_walk_gives_all_keys_in_order_from_where_it_was_asked(void **state)
{
    (void)state;
    struct attestd_store *store = open_store((size_t)4 << 20);
    for (uint32_t i = 0; i < 1000; i++) {
        uint8_t key[4] = {0, 0, (uint8_t)(i >> 8), (uint8_t)i};
        assert_true(attestd_store_put(store, "w", key, sizeof key, "abc", 3));
    }
    assert_true(attestd_store_flush(store));
    struct walked walked = {.store = store, .stop_at = UINT32_MAX};
    attestd_store_walk(store, "w", NULL, 0, walk_in_order, &walked);
    assert_int_equal(walked.count, 1000);
    walked = (struct walked){.store = store, .stop_at = 5, .next = 0x100};
    attestd_store_walk(store, "w", "\0\0\1", 3, walk_in_order, &walked);
    assert_int_equal(walked.count, 5);
    attestd_store_close(store);
}

/* Value of key i: 100 bytes that tell i. */
static void fill(uint32_t i, uint8_t value[100])
{
    for (uint32_t at = 0; at < 100; at++)
        value[at] = (uint8_t)(i * 31 + at);
}

static void write_until_killed(int acknowledge)
{
    char error[256];
    struct attestd_store_options options = {.path = path, .max_size = (size_t)64 << 20};
    struct attestd_store *store = attestd_store_open(&options, error, sizeof error);
    uint8_t value[100];
    if (store == NULL)
        _exit(1);
    for (uint32_t i = 0;; i++) {
        fill(i, value);
        if (!attestd_store_put_now(store, "t", &i, sizeof i, value, sizeof value))
            _exit(1);
        if (write(acknowledge, &i, sizeof i) != (ssize_t)sizeof i)
            _exit(1);
    }
}

static bool value_is_whole(void *context, struct attestd_bytes key, struct attestd_bytes value)
{
    uint32_t i;
    uint8_t expected[100];
    assert_int_equal(key.len, sizeof i);
    memcpy(&i, key.data, sizeof i);
    fill(i, expected);
    assert_true(attestd_bytes_are(value, expected, sizeof expected));
    ++*(uint32_t *)context;
    return true;
}

static void a_writer_killed_at_work_leaves_all_it_acknowledged(void **state)
{
    (void)state;
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        write_until_killed(pipes[1]);
    close(pipes[1]);
    uint32_t last = 0;
    while (last < 50)
        assert_int_equal(read(pipes[0], &last, sizeof last), sizeof last);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    while (read(pipes[0], &last, sizeof last) == (ssize_t)sizeof last)
        continue;
    close(pipes[0]);

    struct attestd_store *store = open_store((size_t)64 << 20);
    uint32_t count = 0;
    attestd_store_walk(store, "t", NULL, 0, value_is_whole, &count);
    assert_true(count >= last + 1);
    assert_true(attestd_store_put_now(store, "t2", "k", 1, "v", 1));
    attestd_store_close(store);
}

/* RLIMIT_FSIZE makes write(2) fail as a full disk does. Returns the exit code of the child: 0 when all went as it should. */
static int write_on_a_full_disk(void)
{
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit limit = {(rlim_t)1 << 20, (rlim_t)1 << 20};
    char error[256];
    struct attestd_store_options options = {.path = path, .max_size = (size_t)64 << 20};
    struct attestd_store *store = attestd_store_open(&options, error, sizeof error);
    if (store == NULL || !attestd_store_put_now(store, "t", "early", 5, "1", 1))
        return 2;
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
        return 3;
    static uint8_t large[(size_t)4 << 20];
    if (attestd_store_put_now(store, "t", "large", 5, large, sizeof large))
        return 4;
    if (!attestd_store_put_now(store, "t", "small", 5, "2", 1))
        return 5;
    if (!holds(store, "t", "early", "1") || attestd_store_counts(store).failed != 1)
        return 6;
    attestd_store_close(store);
    return 0;
}

static void a_full_disk_fails_the_write_and_harms_nothing(void **state)
{
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(write_on_a_full_disk());
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    struct attestd_store *store = open_store((size_t)64 << 20);
    assert_true(holds(store, "t", "early", "1"));
    assert_true(holds(store, "t", "small", "2"));
    assert_false(has(store, "t", "large", 5));
    attestd_store_close(store);
}

static void *read_while_written(void *context)
{
    struct attestd_store *store = context;
    for (uint32_t i = 0; i < 2000; i++) {
        struct attestd_arena *arena = attestd_arena_new();
        struct attestd_bytes value;
        uint32_t key = i % 64;
        if (attestd_store_get(store, "t", &key, sizeof key, arena, &value))
            assert_int_equal(value.len, 32 << 10);
        attestd_arena_free(arena);
    }
    return NULL;
}

static void readers_go_on_while_the_map_grows(void **state)
{
    (void)state;
    struct attestd_store *store = open_store((size_t)8 << 20);
    static uint8_t page[32 << 10];
    pthread_t readers[4];
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, read_while_written, store), 0);
    for (uint32_t i = 0; i < 160; i++)
        assert_true(attestd_store_put(store, "t", &i, sizeof i, page, sizeof page));
    assert_true(attestd_store_flush(store));
    for (size_t i = 0; i < 4; i++)
        pthread_join(readers[i], NULL);
    assert_int_equal(attestd_store_counts(store).failed, 0);
    attestd_store_close(store);
}

static void oversized_keys_and_table_names_are_refused(void **state)
{
    (void)state;
    struct attestd_store *store = open_store(1 << 20);
    static uint8_t key[600];
    assert_false(attestd_store_put_now(store, "t", key, 512, "v", 1));
    assert_false(attestd_store_put_now(store, "t", key, 0, "v", 1));
    assert_true(attestd_store_put_now(store, "t", key, 511, "v", 1));
    assert_false(attestd_store_put_now(store, "a-table-name-that-is-longer-than-31", "k", 1, "v", 1));
    assert_false(has(store, "t", key, 512));
    attestd_store_close(store);
}

#define in_folder(test) cmocka_unit_test_setup_teardown(test, make_folder, drop_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_folder(what_was_put_is_there_after_close_and_open),
        in_folder(file_is_0600_in_a_directory_of_0700),
        in_folder(a_symbolic_link_is_not_followed),
        in_folder(swap_replaces_only_the_value_it_names),
        in_folder(of_sixteen_simultaneous_swaps_one_wins),
        in_folder(one_file_opened_twice_in_a_process_is_one_environment),
        in_folder(a_reader_only_store_takes_no_writes),
        in_folder(a_memory_only_store_leaves_no_file),
        in_folder(the_map_grows_to_its_bound_and_then_refuses_and_counts),
        in_folder(in_a_batch_that_does_not_fit_what_fits_is_kept),
        in_folder(a_walk_gives_all_keys_in_order_from_where_it_was_asked),
        in_folder(a_writer_killed_at_work_leaves_all_it_acknowledged),
        in_folder(a_full_disk_fails_the_write_and_harms_nothing),
        in_folder(readers_go_on_while_the_map_grows),
        in_folder(oversized_keys_and_table_names_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
