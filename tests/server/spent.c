/* SPDX-License-Identifier: Apache-2.0 */
#include "server/spent.h"
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
/* cmocka's header wants the above */
#include <cmocka.h>

static _Atomic uint32_t now_s;

static uint32_t test_clock(void)
{
    return now_s;
}

/* A nonce whose bytes are well spread, as those of challenges are. */
static void nonce_of(uint64_t number, uint8_t nonce[32])
{
    for (size_t i = 0; i < 4; i++) {
        uint64_t x = (number + 1) * 0x9e3779b97f4a7c15u + i;
        x ^= x >> 31;
        x *= 0xbf58476d1ce4e5b9u;
        x ^= x >> 29;
        memcpy(nonce + 8 * i, &x, 8);
    }
}

struct race {
    struct spent_set *set;
    pthread_barrier_t start;
    atomic_int won[64], lost[64];
};

static void *racer(void *data)
{
    struct race *race = data;
    for (int i = 0; i < 64; i++) {
        uint8_t nonce[32];
        nonce_of((uint64_t)i, nonce);
        pthread_barrier_wait(&race->start);
        enum spent_outcome outcome = spent_insert(race->set, nonce);
        atomic_fetch_add(outcome == SPENT_NOW ? &race->won[i] : &race->lost[i], outcome == SPENT_NOW || outcome == SPENT_BEFORE);
    }
    return NULL;
}

static void thirty_two_race(struct spent_set *set)
{
    static struct race race;
    memset(&race, 0, sizeof race);
    race.set = set;
    pthread_barrier_init(&race.start, NULL, 32);
    pthread_t threads[32];
    for (int i = 0; i < 32; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, racer, &race), 0);
    for (int i = 0; i < 32; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < 64; i++) {
        assert_int_equal(race.won[i], 1);
        assert_int_equal(race.lost[i], 31);
    }
}

static void of_thirty_two_threads_one_spends(void **state)
{
    (void)state;
    struct spent_set *set = spent_local(4096, 180);
    thirty_two_race(set);
    assert_int_equal(spent_count(set), 64);
    spent_free(set);
}

static void spent_nonce_is_seen_and_another_is_not(void **state)
{
    (void)state;
    struct spent_set *set = spent_local(4096, 180);
    uint8_t a[32], b[32];
    nonce_of(1, a);
    nonce_of(2, b);
    assert_false(spent_seen(set, a));
    assert_int_equal(spent_insert(set, a), SPENT_NOW);
    assert_true(spent_seen(set, a));
    assert_false(spent_seen(set, b));
    b[0] = a[0];
    memcpy(b, a, 31); /* all but the last byte */
    b[31] = (uint8_t)(a[31] ^ 1);
    assert_int_equal(spent_insert(set, b), SPENT_NOW);
    spent_free(set);
}

static void nothing_is_forgotten_before_its_time_and_all_of_it_after(void **state)
{
    (void)state;
    struct spent_set *set = spent_local(4096, 180);
    spent_set_clock(set, test_clock);
    now_s = UINT32_MAX - 100; /* the clock may wrap */
    uint8_t nonce[32];
    for (uint64_t i = 0; i < 1000; i++) {
        nonce_of(i, nonce);
        assert_int_equal(spent_insert(set, nonce), SPENT_NOW);
    }
    now_s += 179;
    for (uint64_t i = 0; i < 1000; i++) {
        nonce_of(i, nonce);
        assert_int_equal(spent_insert(set, nonce), SPENT_BEFORE);
    }
    now_s += 1;
    assert_int_equal(spent_count(set), 0);
    nonce_of(5, nonce);
    assert_int_equal(spent_insert(set, nonce), SPENT_NOW);
    spent_free(set);
}

static void full_set_takes_nothing_and_forgets_nothing(void **state)
{
    (void)state;
    struct spent_set *set = spent_local(1024, 180);
    spent_set_clock(set, test_clock);
    now_s = 50;
    uint8_t nonce[32];
    uint64_t spent = 0, full = 0;
    for (uint64_t i = 0; i < 4096; i++) {
        nonce_of(i, nonce);
        enum spent_outcome outcome = spent_insert(set, nonce);
        spent += outcome == SPENT_NOW;
        full += outcome == SPENT_FULL;
    }
    assert_int_equal(spent, 1024);
    assert_int_equal(full, 4096 - 1024);
    uint64_t before = 0;
    for (uint64_t i = 0; i < 4096; i++) {
        nonce_of(i, nonce);
        before += spent_insert(set, nonce) == SPENT_BEFORE;
    }
    assert_int_equal(before, 1024);
    now_s += 180;
    nonce_of(4095, nonce);
    assert_int_equal(spent_insert(set, nonce), SPENT_NOW);
    spent_free(set);
}

/* Rings that wrap keep their hash chains whole. */
static void long_use_keeps_the_set_exact(void **state)
{
    (void)state;
    struct spent_set *set = spent_local(1024, 10);
    spent_set_clock(set, test_clock);
    now_s = 0;
    uint8_t nonce[32];
    for (uint64_t i = 0; i < 20000; i++) {
        if (i % 50 == 0)
            now_s++;
        nonce_of(i, nonce);
        assert_int_equal(spent_insert(set, nonce), SPENT_NOW);
        if (i >= 400) { /* 8 seconds ago at most */
            nonce_of(i - 400, nonce);
            assert_int_equal(spent_insert(set, nonce), SPENT_BEFORE);
        }
    }
    spent_free(set);
}

#ifdef ATTESTD_WITH_HIREDIS
struct redis {
    char folder[64], socket[80];
    pid_t pid;
};

static bool redis_start(struct redis *redis)
{
    strcpy(redis->folder, "/tmp/attestd-redis-XXXXXX");
    assert_non_null(mkdtemp(redis->folder));
    snprintf(redis->socket, sizeof redis->socket, "%s/s", redis->folder);
    redis->pid = fork();
    if (redis->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGTERM); /* a test that ends early leaves nothing running */
        execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", redis->socket, "--save", "", "--dir", redis->folder,
               "--logfile", "log", (char *)NULL);
        _exit(127);
    }
    for (int i = 0; i < 100; i++) {
        if (access(redis->socket, F_OK) == 0)
            return true;
        if (waitpid(redis->pid, NULL, WNOHANG) == redis->pid)
            return false;
        usleep(50000);
    }
    return false;
}

static void redis_stop(struct redis *redis)
{
    char path[96];
    kill(redis->pid, SIGTERM);
    waitpid(redis->pid, NULL, 0);
    snprintf(path, sizeof path, "%s/log", redis->folder);
    unlink(path);
    unlink(redis->socket);
    rmdir(redis->folder);
}

static void shared_set_has_one_winner_among_replicas_and_none_when_it_is_gone(void **state)
{
    (void)state;
    struct redis redis;
    if (!redis_start(&redis)) {
        print_message("*** redis-server is not installed: the shared set is NOT tested\n");
        rmdir(redis.folder);
        skip();
    }
    char error[256];
    const struct spent_redis_options options = {.socket = redis.socket, .prefix = "t:", .seconds = 180};
    struct spent_set *one = spent_redis(&options, error, sizeof error), *other = spent_redis(&options, error, sizeof error);
    assert_non_null(one);
    assert_non_null(other);
    uint8_t nonce[32];
    nonce_of(77, nonce);
    assert_int_equal(spent_insert(one, nonce), SPENT_NOW);
    assert_int_equal(spent_insert(other, nonce), SPENT_BEFORE);
    nonce_of(100, nonce);
    thirty_two_race(one);
    redis_stop(&redis);
    assert_int_equal(spent_insert(one, nonce), SPENT_NOWHERE);
    spent_free(one);
    spent_free(other);
    assert_null(spent_redis(&options, error, sizeof error));
    assert_non_null(strstr(error, "does not answer"));
}
#endif

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_thirty_two_threads_one_spends),
        cmocka_unit_test(spent_nonce_is_seen_and_another_is_not),
        cmocka_unit_test(nothing_is_forgotten_before_its_time_and_all_of_it_after),
        cmocka_unit_test(full_set_takes_nothing_and_forgets_nothing),
        cmocka_unit_test(long_use_keeps_the_set_exact),
#ifdef ATTESTD_WITH_HIREDIS
        cmocka_unit_test(shared_set_has_one_winner_among_replicas_and_none_when_it_is_gone),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
