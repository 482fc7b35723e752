/* SPDX-License-Identifier: Apache-2.0 */
/* The fetcher against a vendor that misbehaves on purpose. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cache/fetcher.h"
#include "vendor_server.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct attestd_engine *engine;

static int make_engine(void **state)
{
    (void)state;
    setenv("http_proxy", "http://127.0.0.1:1", 1); /* the environment must not matter */
    setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
    engine = attestd_engine_new();
    return engine != NULL ? 0 : -1;
}

static int drop_engine(void **state)
{
    (void)state;
    attestd_engine_free(engine);
    return 0;
}

static void pause_ms(unsigned ms)
{
    const struct timespec time = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
    nanosleep(&time, NULL);
}

/* One waiter */

struct answer {
    pthread_mutex_t lock;
    pthread_cond_t came;
    unsigned times;
    enum fetch_outcome outcome;
    unsigned retry_after;
    const char *detail;
    uint64_t at;
    struct fetcher_wait *wait;
};

static void take_answer(void *context, enum fetch_outcome outcome, unsigned retry_after, const char *detail)
{
    struct answer *answer = context;
    pthread_mutex_lock(&answer->lock);
    answer->times++;
    answer->outcome = outcome;
    answer->retry_after = retry_after;
    answer->detail = detail;
    answer->at = fetcher_clock_ms();
    pthread_cond_broadcast(&answer->came);
    pthread_mutex_unlock(&answer->lock);
}

static void ask(struct fetcher *fetcher, struct answer *answer, const char *kind, const char *key, const char *caller, unsigned patience_ms)
{
    *answer = (struct answer){.lock = PTHREAD_MUTEX_INITIALIZER, .came = PTHREAD_COND_INITIALIZER};
    answer->wait = fetcher_ask(fetcher, kind, key, caller, true, fetcher_clock_ms() + patience_ms, take_answer, answer);
}

static void await(struct fetcher *fetcher, struct answer *answer)
{
    pthread_mutex_lock(&answer->lock);
    while (answer->times == 0)
        pthread_cond_wait(&answer->came, &answer->lock);
    pthread_mutex_unlock(&answer->lock);
    fetcher_forget(fetcher, answer->wait);
    assert_int_equal(answer->times, 1);
}

static struct answer ask_and_wait(struct fetcher *fetcher, const char *kind, const char *key, const char *caller, unsigned patience_ms)
{
    struct answer answer;
    ask(fetcher, &answer, kind, key, caller, patience_ms);
    await(fetcher, &answer);
    return answer;
}

/* Keys of chips that nobody has. */
static const char *chip(unsigned number)
{
    static char keys[8][256];
    static unsigned next;
    char *key = keys[next++ % 8];
    snprintf(key, sizeof keys[0], "Milan/%0128x/blSPL=3&teeSPL=0&snpSPL=8&ucodeSPL=115", number + 1);
    return key;
}

/* What arrives */

struct scene {
    struct vendor_server *server;
    struct fetcher *fetcher;
    atomic_uint arrivals, ticks;
    struct vendor_reply reply;
    unsigned good_from; /* from this request on the answer is good */
    pthread_mutex_t lock;
    char last_path[512], last_request[8192], kinds[256];
};

static bool take_arrival(void *context, const char *kind, const char *key, const uint8_t *bytes, size_t len, int64_t now)
{
    struct scene *scene = context;
    (void)key;
    assert_true(now > 1700000000);
    atomic_fetch_add(&scene->arrivals, 1);
    pthread_mutex_lock(&scene->lock);
    size_t used = strlen(scene->kinds);
    snprintf(scene->kinds + used, sizeof scene->kinds - used, "%s ", kind);
    pthread_mutex_unlock(&scene->lock);
    return len >= 4 && memcmp(bytes, "good", 4) == 0;
}

static void take_tick(void *context, int64_t now)
{
    struct scene *scene = context;
    (void)now;
    atomic_fetch_add(&scene->ticks, 1);
}

static struct vendor_reply handle(void *context, const char *path, const char *request, unsigned number)
{
    struct scene *scene = context;
    pthread_mutex_lock(&scene->lock);
    snprintf(scene->last_path, sizeof scene->last_path, "%s", path);
    snprintf(scene->last_request, sizeof scene->last_request, "%s", request);
    pthread_mutex_unlock(&scene->lock);
    if (scene->good_from != 0 && number >= scene->good_from)
        return (struct vendor_reply){.status = 200, .body = "good"};
    return scene->reply;
}

struct manner {
    double rate;
    unsigned burst, total_ms, unseen;
};

static struct scene *open_scene(struct vendor_reply reply, struct manner manner)
{
    struct scene *scene = calloc(1, sizeof *scene);
    char error[256] = "";
    scene->reply = reply;
    pthread_mutex_init(&scene->lock, NULL);
    scene->server = vendor_server_new(handle, scene);
    const struct attestd_vendor_base base = {.vendor = "amd-kds", .url = vendor_server_base(scene->server)};
    const struct fetcher_options options = {.engine = engine,
                                            .vendors = &base,
                                            .vendor_count = 1,
                                            .connect_ms = 1000,
                                            .total_ms = manner.total_ms ? manner.total_ms : 3000,
                                            .rate = manner.rate > 0 ? manner.rate : 1000,
                                            .burst = manner.burst ? manner.burst : 1000,
                                            .unseen_per_minute = manner.unseen ? manner.unseen : 1000,
                                            .arrived = take_arrival,
                                            .tick = take_tick,
                                            .context = scene};
    scene->fetcher = fetcher_new(&options, error, sizeof error);
    if (scene->fetcher == NULL)
        fail_msg("%s", error);
    return scene;
}

static void close_scene(struct scene *scene)
{
    fetcher_free(scene->fetcher);
    vendor_server_free(scene->server);
    pthread_mutex_destroy(&scene->lock);
    free(scene);
}

static const struct vendor_reply good = {.status = 200, .body = "good"};
static const struct manner quick = {0};

static struct attestd_vendor_state vendor_state(struct scene *scene)
{
    struct attestd_vendor_state state;
    assert_int_equal(fetcher_vendors(scene->fetcher, &state, 1), 1);
    return state;
}

/* One flight a URL */

struct crowd {
    struct scene *scene;
    const char *key;
    pthread_barrier_t start;
    atomic_uint arrived;
};

static void *ask_in_crowd(void *context)
{
    struct crowd *crowd = context;
    pthread_barrier_wait(&crowd->start);
    struct answer answer = ask_and_wait(crowd->scene->fetcher, "snp.vcek", crowd->key, "crowd", 5000);
    atomic_fetch_add(&crowd->arrived, answer.outcome == FETCH_ARRIVED);
    return NULL;
}

static void sixty_four_simultaneous_asks_make_one_request(void **state)
{
    (void)state;
    struct crowd crowd = {.key = chip(1),
                          .scene = open_scene((struct vendor_reply){.status = 200, .body = "good", .delay_ms = 100}, quick)};
    pthread_t threads[64];
    pthread_barrier_init(&crowd.start, NULL, 64);
    for (unsigned i = 0; i < 64; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_in_crowd, &crowd), 0);
    for (unsigned i = 0; i < 64; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&crowd.arrived), 64);
    assert_int_equal(vendor_server_requests(crowd.scene->server), 1);
    assert_int_equal(atomic_load(&crowd.scene->arrivals), 1);
    assert_int_equal(fetcher_counts(crowd.scene->fetcher).vendor_calls, 1);
    pthread_barrier_destroy(&crowd.start);
    close_scene(crowd.scene);
}

static void two_kinds_at_one_url_share_a_flight_and_each_is_offered(void **state)
{
    (void)state;
    struct scene *scene = open_scene((struct vendor_reply){.status = 200, .body = "good", .delay_ms = 100}, quick);
    struct answer ask_answer, ark_answer;
    ask(scene->fetcher, &ask_answer, "snp.ask", "Milan", "", 3000);
    ask(scene->fetcher, &ark_answer, "snp.ark", "Milan", "", 3000);
    await(scene->fetcher, &ask_answer);
    await(scene->fetcher, &ark_answer);
    assert_int_equal(ask_answer.outcome, FETCH_ARRIVED);
    assert_int_equal(ark_answer.outcome, FETCH_ARRIVED);
    assert_int_equal(vendor_server_requests(scene->server), 1);
    assert_string_equal(scene->kinds, "snp.ask snp.ark ");
    assert_string_equal(scene->last_path, "/vcek/v1/Milan/cert_chain");
    close_scene(scene);
}

static void who_asks_just_too_late_causes_no_second_request(void **state)
{
    (void)state;
    struct scene *scene = open_scene(good, quick);
    assert_int_equal(ask_and_wait(scene->fetcher, "snp.ask", "Milan", "", 3000).outcome, FETCH_ARRIVED);
    assert_int_equal(ask_and_wait(scene->fetcher, "snp.ask", "Milan", "", 3000).outcome, FETCH_ARRIVED);
    assert_int_equal(atomic_load(&scene->arrivals), 1);
    assert_int_equal(ask_and_wait(scene->fetcher, "snp.ark", "Milan", "", 3000).outcome, FETCH_ARRIVED);
    assert_int_equal(atomic_load(&scene->arrivals), 2); /* another kind out of the same answer */
    assert_int_equal(vendor_server_requests(scene->server), 1);
    pause_ms(3100);
    assert_int_equal(ask_and_wait(scene->fetcher, "snp.ask", "Milan", "", 3000).outcome, FETCH_ARRIVED);
    assert_int_equal(vendor_server_requests(scene->server), 2);
    assert_in_range(atomic_load(&scene->ticks), 2, 6);
    close_scene(scene);
}

static void a_flight_goes_on_when_its_waiters_are_gone(void **state)
{
    (void)state;
    struct scene *scene = open_scene((struct vendor_reply){.status = 200, .body = "good", .delay_ms = 600}, quick);
    uint64_t before = fetcher_clock_ms();
    struct answer first = ask_and_wait(scene->fetcher, "snp.vcek", chip(1), "", 150);
    assert_int_equal(first.outcome, FETCH_DEADLINE);
    assert_in_range(first.at - before, 149, 500);
    assert_true(first.retry_after >= 1);
    struct answer second = ask_and_wait(scene->fetcher, "snp.vcek", chip(1), "", 3000);
    assert_int_equal(second.outcome, FETCH_ARRIVED);
    assert_int_equal(vendor_server_requests(scene->server), 1);
    close_scene(scene);
}

/* Waits */

static void a_forgotten_wait_is_never_called(void **state)
{
    (void)state;
    struct scene *scene = open_scene((struct vendor_reply){.status = 200, .body = "good", .delay_ms = 200}, quick);
    struct answer forgotten, other;
    ask(scene->fetcher, &forgotten, "snp.vcek", chip(1), "", 3000);
    ask(scene->fetcher, &other, "snp.vcek", chip(1), "", 3000);
    fetcher_forget(scene->fetcher, forgotten.wait);
    await(scene->fetcher, &other);
    assert_int_equal(forgotten.times, 0);
    assert_int_equal(other.outcome, FETCH_ARRIVED);
    close_scene(scene);
}

static atomic_bool slow_begun, slow_ended;

static void be_slow(void *context, enum fetch_outcome outcome, unsigned retry_after, const char *detail)
{
    (void)context, (void)outcome, (void)retry_after, (void)detail;
    atomic_store(&slow_begun, true);
    pause_ms(300);
    atomic_store(&slow_ended, true);
}

static void forget_waits_for_a_running_callback(void **state)
{
    (void)state;
    struct scene *scene = open_scene(good, quick);
    struct fetcher_wait *wait = fetcher_ask(scene->fetcher, "snp.vcek", chip(1), "", false, fetcher_clock_ms() + 3000, be_slow, NULL);
    while (!atomic_load(&slow_begun))
        pause_ms(5);
    fetcher_forget(scene->fetcher, wait);
    assert_true(atomic_load(&slow_ended));
    close_scene(scene);
}

struct self {
    struct scene *scene;
    pthread_mutex_t lock;
    struct fetcher_wait *wait;
    atomic_bool done;
};

static void forget_itself(void *context, enum fetch_outcome outcome, unsigned retry_after, const char *detail)
{
    struct self *self = context;
    (void)outcome, (void)retry_after, (void)detail;
    pthread_mutex_lock(&self->lock);
    fetcher_forget(self->scene->fetcher, self->wait);
    pthread_mutex_unlock(&self->lock);
    atomic_store(&self->done, true);
}

static void a_callback_may_forget_its_own_wait(void **state)
{
    (void)state;
    struct self self = {open_scene(good, quick), PTHREAD_MUTEX_INITIALIZER, NULL, false};
    pthread_mutex_lock(&self.lock);
    self.wait = fetcher_ask(self.scene->fetcher, "snp.vcek", chip(1), "", false, fetcher_clock_ms() + 3000, forget_itself, &self);
    pthread_mutex_unlock(&self.lock);
    while (!atomic_load(&self.done))
        pause_ms(5);
    close_scene(self.scene);
}

static void stopping_answers_everybody(void **state)
{
    (void)state;
    struct scene *scene = open_scene((struct vendor_reply){.status = 200, .body = "good", .delay_ms = 1000}, quick);
    struct self selves[4];
    for (unsigned i = 0; i < 4; i++) {
        selves[i] = (struct self){scene, PTHREAD_MUTEX_INITIALIZER, NULL, false};
        pthread_mutex_lock(&selves[i].lock);
        selves[i].wait =
            fetcher_ask(scene->fetcher, "snp.vcek", chip(i / 2), "", false, fetcher_clock_ms() + 9000, forget_itself, &selves[i]);
        pthread_mutex_unlock(&selves[i].lock);
    }
    pause_ms(100);
    uint64_t before = fetcher_clock_ms();
    struct vendor_server *server = scene->server;
    fetcher_free(scene->fetcher);
    assert_true(fetcher_clock_ms() - before < 800);
    for (unsigned i = 0; i < 4; i++)
        assert_true(atomic_load(&selves[i].done));
    vendor_server_free(server);
    pthread_mutex_destroy(&scene->lock);
    free(scene);
}

/* Answers of no use */

static void a_missing_key_is_held_back(void **state)
{
    (void)state;
    struct scene *scene = open_scene((struct vendor_reply){.status = 404, .body = "no"}, quick);
    struct answer answer = ask_and_wait(scene->fetcher, "snp.vcek", chip(1), "", 3000);
    assert_int_equal(answer.outcome, FETCH_NOT_FOUND);
    assert_in_range(answer.retry_after, 29, 30);
    answer = ask_and_wait(scene->fetcher, "snp.vcek", chip(1), "", 3000);
    assert_int_equal(answer.outcome, FETCH_NOT_FOUND);
    assert_in_range(answer.retry_after, 28, 30);
    assert_int_equal(vendor_server_requests(scene->server), 1);
    assert_int_equal(fetcher_counts(scene->fetcher).held_back, 1);
    assert_int_equal(ask_and_wait(scene->fetcher, "snp.vcek", chip(2), "", 3000).outcome, FETCH_NOT_FOUND);
    assert_int_equal(vendor_server_requests(scene->server), 2);
    assert_int_equal(vendor_state(scene).not_found, 2);
    assert_int_equal(atomic_load(&scene->arrivals), 0);
    close_scene(scene);
}

static void a_rejected_answer_is_held_back(void **state)
{
    (void)state;
    struct scene *scene = open_scene((struct vendor_reply){.status = 200, .body = "<html>welcome</html>"}, quick);
    struct answer answer = ask_and_wait(scene->fetcher, "snp.ask", "Milan", "", 3000);
    assert_int_equal(answer.outcome, FETCH_REJECTED);
    assert_in_range(answer.retry_after, 29, 30);
    assert_int_equal(ask_and_wait(scene->fetcher, "snp.ask", "Milan", "", 3000).outcome, FETCH_REJECTED);
    assert_int_equal(vendor_server_requests(scene->server), 1);
    assert_int_equal(atomic_load(&scene->arrivals), 1);
    assert_int_equal(vendor_state(scene).failed, 1);
    assert_int_equal(vendor_state(scene).ok, 0);
    close_scene(scene);
}

static void an_empty_answer_is_rejected_unseen(void **state)
{
    (void)state;
    struct scene *scene = open_scene((struct vendor_reply){.status = 200, .body = ""}, quick);
    assert_int_equal(ask_and_wait(scene->fetcher, "snp.ask", "Milan", "", 3000).outcome, FETCH_REJECTED);
    assert_int_equal(atomic_load(&scene->arrivals), 0);
    close_scene(scene);
}

static void what_a_plugin_refused_is_held_back(void **state)
{
    (void)state;
    struct scene *scene = open_scene(good, quick);
    assert_int_equal(ask_and_wait(scene->fetcher, "snp.ask", "Milan", "", 3000).outcome, FETCH_ARRIVED);
    fetcher_hold_back(scene->fetcher, "snp.ask", "Milan");
    fetcher_hold_back(scene->fetcher, "snp.ask", "Milan");
    struct answer answer = ask_and_wait(scene->fetcher, "snp.ask", "Milan", "", 3000);
    assert_int_equal(answer.outcome, FETCH_REJECTED);
    assert_in_range(answer.retry_after, 29, 30);
    assert_int_equal(ask_and_wait(scene->fetcher, "snp.ask", "Genoa", "", 3000).outcome, FETCH_ARRIVED);
    assert_int_equal(vendor_server_requests(scene->server), 2);
    close_scene(scene);
}

static void redirects_are_not_followed(void **state)
{
    (void)state;
    struct scene *elsewhere = open_scene(good, quick);
    char headers[256];
    snprintf(headers, sizeof headers, "Location: %s/vcek/v1/Milan/cert_chain\r\n", vendor_server_base(elsewhere->server));
    struct scene *scene = open_scene((struct vendor_reply){.status = 302, .headers = headers, .body = "good"}, quick);
    struct answer answer = ask_and_wait(scene->fetcher, "snp.ask", "Milan", "", 3000);
    assert_int_equal(answer.outcome, FETCH_REJECTED);
    assert_non_null(strstr(answer.detail, "redirect"));
    assert_int_equal(vendor_server_requests(elsewhere->server), 0);
    assert_int_equal(vendor_server_requests(scene->server), 1);
    assert_int_equal(atomic_load(&scene->arrivals), 0);
    close_scene(scene);
    close_scene(elsewhere);
}

static void answers_and_headers_over_the_bound_are_cut(void **state)
{
    (void)state;
    static const struct vendor_reply replies[] = {
        {.status = 200, .fill = ((size_t)1 << 20) + 1},
        {.status = 200, .fill = (size_t)1 << 30},
        {.status = 200, .body = "good", .endless_lines = 100},
    };
    for (size_t i = 0; i < sizeof replies / sizeof *replies; i++) {
        struct scene *scene = open_scene(replies[i], quick);
        struct answer answer = ask_and_wait(scene->fetcher, "snp.ask", "Milan", "", 3000);
        assert_int_equal(answer.outcome, FETCH_FAILED);
        assert_non_null(strstr(answer.detail, "larger"));
        assert_int_equal(atomic_load(&scene->arrivals), 0);
        assert_int_equal(vendor_server_requests(scene->server), 1);
        close_scene(scene);
    }
}

static void the_largest_allowed_answer_arrives(void **state)
{
    (void)state;
    struct scene *scene = open_scene((struct vendor_reply){.status = 200, .fill = (size_t)1 << 20}, quick);
    assert_int_equal(ask_and_wait(scene->fetcher, "snp.ask", "Milan", "", 3000).outcome, FETCH_REJECTED);
    assert_int_equal(atomic_load(&scene->arrivals), 1);
    close_scene(scene);
}

static void slow_answers_are_cut_at_the_total_time(void **state)
{
    (void)state;
    struct scene *scene =
        open_scene((struct vendor_reply){.status = 200, .body = "good, but slowly", .drip_ms = 100}, (struct manner){.total_ms = 500});
    uint64_t before = fetcher_clock_ms();
    struct answer answer = ask_and_wait(scene->fetcher, "snp.ask", "Milan", "", 900);
    assert_int_equal(answer.outcome, FETCH_FAILED);
    assert_non_null(strstr(answer.detail, "in time"));
    assert_in_range(answer.at - before, 450, 900);
    assert_int_equal(atomic_load(&scene->arrivals), 0);
    close_scene(scene);
}

static void answers_that_break_off_are_not_offered(void **state)
{
    (void)state;
    struct scene *scene = open_scene((struct vendor_reply){.status = 200, .fill = 5000, .cut = 4000}, quick);
    assert_int_equal(ask_and_wait(scene->fetcher, "snp.ask", "Milan", "", 600).outcome, FETCH_FAILED);
    assert_int_equal(atomic_load(&scene->arrivals), 0);
    close_scene(scene);
}

/* Failure and patience */

static void a_single_server_error_is_overcome_within_the_deadline(void **state)
{
    (void)state;
    struct scene *scene = open_scene((struct vendor_reply){.status = 500, .body = "oops"}, quick);
    scene->good_from = 3;
    assert_int_equal(ask_and_wait(scene->fetcher, "snp.ask", "Milan", "", 5000).outcome, FETCH_ARRIVED);
    assert_int_equal(vendor_server_requests(scene->server), 3);
    assert_int_equal(vendor_state(scene).failed, 2);
    assert_int_equal(vendor_state(scene).ok, 1);
    close_scene(scene);
}

static void five_failures_open_the_breaker(void **state)
{
    (void)state;
    struct scene *scene = open_scene((struct vendor_reply){.status = 500, .body = "oops"}, quick);
    uint64_t before = fetcher_clock_ms();
    struct answer answer = ask_and_wait(scene->fetcher, "snp.vcek", chip(1), "", 5000);
    assert_int_equal(answer.outcome, FETCH_FAILED);
    assert_int_equal(vendor_server_requests(scene->server), 3);
    assert_false(vendor_state(scene).breaker_open);
    answer = ask_and_wait(scene->fetcher, "snp.vcek", chip(2), "", 9000);
    assert_int_equal(answer.outcome, FETCH_FAILED);
    assert_in_range(answer.retry_after, 29, 30);
    assert_true(fetcher_clock_ms() - before < 6000);
    assert_true(vendor_state(scene).breaker_open);
    assert_int_equal(vendor_server_requests(scene->server), 5);
    before = fetcher_clock_ms();
    answer = ask_and_wait(scene->fetcher, "snp.vcek", chip(3), "", 9000);
    assert_int_equal(answer.outcome, FETCH_FAILED);
    assert_in_range(answer.retry_after, 20, 30);
    assert_true(answer.at - before < 500);
    assert_int_equal(vendor_server_requests(scene->server), 5);
    close_scene(scene);
}

static void an_unreachable_vendor_fails_at_once(void **state)
{
    (void)state;
    struct scene *scene = open_scene(good, quick);
    vendor_server_free(scene->server);
    uint64_t before = fetcher_clock_ms();
    struct answer answer = ask_and_wait(scene->fetcher, "snp.ask", "Milan", "", 5000);
    assert_int_equal(answer.outcome, FETCH_FAILED);
    assert_non_null(strstr(answer.detail, "cannot be reached"));
    assert_true(answer.at - before < 2500);
    fetcher_free(scene->fetcher);
    pthread_mutex_destroy(&scene->lock);
    free(scene);
}

static void retry_after_in_seconds_is_honoured(void **state)
{
    (void)state;
    struct scene *scene = open_scene((struct vendor_reply){.status = 429, .headers = "Retry-After: 2\r\n", .body = "slow down"}, quick);
    scene->good_from = 2;
    uint64_t before = fetcher_clock_ms();
    struct answer hasty, patient, later;
    ask(scene->fetcher, &patient, "snp.vcek", chip(1), "", 6000);
    ask(scene->fetcher, &hasty, "snp.vcek", chip(1), "", 1500);
    await(scene->fetcher, &hasty);
    assert_int_equal(hasty.outcome, FETCH_THROTTLED);
    assert_in_range(hasty.retry_after, 1, 2);
    assert_true(hasty.at - before < 1000);
    later = ask_and_wait(scene->fetcher, "snp.vcek", chip(2), "", 1000);
    assert_int_equal(later.outcome, FETCH_THROTTLED);
    assert_true(later.at - before < 1000);
    assert_int_equal(vendor_server_requests(scene->server), 1);
    await(scene->fetcher, &patient);
    assert_int_equal(patient.outcome, FETCH_ARRIVED);
    assert_in_range(patient.at - before, 1990, 3500);
    /* Who was sent away finds it fetched meanwhile. */
    assert_int_equal(ask_and_wait(scene->fetcher, "snp.vcek", chip(2), "", 1000).outcome, FETCH_ARRIVED);
    assert_int_equal(vendor_server_requests(scene->server), 3);
    assert_int_equal(vendor_state(scene).throttled, 1);
    close_scene(scene);
}

static void retry_after_as_a_date_is_honoured(void **state)
{
    (void)state;
    char headers[128];
    time_t then = time(NULL) + 100;
    struct tm parts;
    strftime(headers, sizeof headers, "Retry-After: %a, %d %b %Y %H:%M:%S GMT\r\n", gmtime_r(&then, &parts));
    struct scene *scene = open_scene((struct vendor_reply){.status = 503, .headers = headers, .body = "later"}, quick);
    struct answer answer = ask_and_wait(scene->fetcher, "snp.ask", "Milan", "", 5000);
    assert_int_equal(answer.outcome, FETCH_THROTTLED);
    assert_in_range(answer.retry_after, 97, 101);
    assert_false(vendor_state(scene).breaker_open);
    close_scene(scene);
}

static void retry_after_of_a_year_counts_as_an_hour(void **state)
{
    (void)state;
    struct scene *scene = open_scene((struct vendor_reply){.status = 429, .headers = "Retry-After: 31536000\r\n", .body = "no"}, quick);
    struct answer answer = ask_and_wait(scene->fetcher, "snp.ask", "Milan", "", 5000);
    assert_int_equal(answer.outcome, FETCH_THROTTLED);
    assert_in_range(answer.retry_after, 3599, 3600);
    close_scene(scene);
}

/* Budgets and queues */

static void a_caller_has_a_budget_of_unseen_keys(void **state)
{
    (void)state;
    struct scene *scene = open_scene((struct vendor_reply){.status = 404, .body = "no"}, (struct manner){.unseen = 4});
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(ask_and_wait(scene->fetcher, "snp.vcek", chip(i), "198.51.100.7", 3000).outcome, FETCH_NOT_FOUND);
    struct answer answer = ask_and_wait(scene->fetcher, "snp.vcek", chip(4), "198.51.100.7", 3000);
    assert_int_equal(answer.outcome, FETCH_OVER_BUDGET);
    assert_in_range(answer.retry_after, 10, 16);
    /* What somebody asked for already costs nothing; others have their own budget; trusted callers none. */
    assert_int_equal(ask_and_wait(scene->fetcher, "snp.vcek", chip(0), "198.51.100.7", 3000).outcome, FETCH_NOT_FOUND);
    assert_int_equal(ask_and_wait(scene->fetcher, "snp.vcek", chip(4), "198.51.100.8", 3000).outcome, FETCH_NOT_FOUND);
    for (unsigned i = 10; i < 20; i++)
        assert_int_equal(ask_and_wait(scene->fetcher, "snp.vcek", chip(i), "", 3000).outcome, FETCH_NOT_FOUND);
    assert_int_equal(fetcher_counts(scene->fetcher).over_budget, 1);
    assert_int_equal(vendor_server_requests(scene->server), 15);
    close_scene(scene);
}

static void a_caller_s_queue_is_bounded(void **state)
{
    (void)state;
    struct scene *scene = open_scene(good, (struct manner){.rate = 0.01, .burst = 1});
    struct answer answers[20], other;
    assert_int_equal(ask_and_wait(scene->fetcher, "snp.ask", "Milan", "", 3000).outcome, FETCH_ARRIVED); /* the bucket is empty now */
    for (unsigned i = 0; i < 20; i++)
        ask(scene->fetcher, &answers[i], "snp.vcek", chip(i), "greedy", 400);
    ask(scene->fetcher, &other, "snp.vcek", chip(100), "modest", 400);
    for (unsigned i = 0; i < 20; i++) {
        await(scene->fetcher, &answers[i]);
        assert_int_equal(answers[i].outcome, i < 16 ? FETCH_DEADLINE : FETCH_QUEUE_FULL);
        assert_true(answers[i].retry_after > 0);
    }
    await(scene->fetcher, &other);
    assert_int_equal(other.outcome, FETCH_DEADLINE);
    assert_int_equal(vendor_state(scene).queued, 17);
    assert_int_equal(vendor_server_requests(scene->server), 1);
    close_scene(scene);
}

static void a_flood_of_strangers_does_not_stop_a_known_caller(void **state)
{
    (void)state;
    struct scene *scene = open_scene(good, (struct manner){.rate = 5, .burst = 1, .unseen = 4});
    enum { STRANGERS = 400, EACH = 3 };
    static struct answer flood[STRANGERS * EACH];
    for (unsigned i = 0; i < STRANGERS * EACH; i++) {
        char name[32];
        snprintf(name, sizeof name, "stranger %u", i / EACH);
        ask(scene->fetcher, &flood[i], "snp.vcek", chip(1000 + i), name, 2500);
    }
    uint64_t before = fetcher_clock_ms();
    struct answer known = ask_and_wait(scene->fetcher, "snp.vcek", chip(1), "", 2500);
    assert_int_equal(known.outcome, FETCH_ARRIVED);
    assert_true(known.at - before < 1500);
    /* What a stranger asked for first and a known caller needs leaves the strangers' ring. */
    struct answer shared = ask_and_wait(scene->fetcher, "snp.vcek", chip(1000 + 700), "", 2500);
    assert_int_equal(shared.outcome, FETCH_ARRIVED);
    unsigned full = 0, late = 0;
    for (unsigned i = 0; i < STRANGERS * EACH; i++) {
        await(scene->fetcher, &flood[i]);
        full += flood[i].outcome == FETCH_QUEUE_FULL;
        late += flood[i].outcome == FETCH_DEADLINE;
    }
    assert_true(full >= STRANGERS * EACH - 800);
    assert_true(late > 500);
    assert_true(vendor_server_requests(scene->server) < 30);
    close_scene(scene);
}

static void no_more_than_eight_are_in_the_air(void **state)
{
    (void)state;
    struct scene *scene = open_scene((struct vendor_reply){.status = 200, .body = "good", .delay_ms = 100}, quick);
    struct answer answers[40];
    for (unsigned i = 0; i < 40; i++)
        ask(scene->fetcher, &answers[i], "snp.vcek", chip(i), "", 5000);
    for (unsigned i = 0; i < 40; i++) {
        await(scene->fetcher, &answers[i]);
        assert_int_equal(answers[i].outcome, FETCH_ARRIVED);
    }
    assert_int_equal(vendor_server_most_at_once(scene->server), 8);
    assert_true(vendor_server_connections(scene->server) <= 9);
    close_scene(scene);
}

static void connections_are_used_again(void **state)
{
    (void)state;
    struct scene *scene = open_scene(good, quick);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(ask_and_wait(scene->fetcher, "snp.vcek", chip(i), "", 3000).outcome, FETCH_ARRIVED);
    assert_int_equal(vendor_server_requests(scene->server), 10);
    assert_int_equal(vendor_server_connections(scene->server), 1);
    close_scene(scene);
}

static void a_request_says_who_asks_and_nothing_else(void **state)
{
    (void)state;
    struct scene *scene = open_scene(good, quick);
    assert_int_equal(ask_and_wait(scene->fetcher, "snp.crl", "Genoa", "", 3000).outcome, FETCH_ARRIVED);
    assert_non_null(strstr(scene->last_request, "GET /vcek/v1/Genoa/crl HTTP/1.1\r\n"));
    assert_non_null(strstr(scene->last_request, "User-Agent: attestd/"));
    assert_null(strstr(scene->last_request, "Accept-Encoding"));
    assert_null(strstr(scene->last_request, "Cookie"));
    assert_null(strstr(scene->last_request, "Authorization"));
    close_scene(scene);
}

static void refresh_asks_again_without_a_wait(void **state)
{
    (void)state;
    struct scene *scene = open_scene(good, quick);
    fetcher_refresh(scene->fetcher, "snp.crl", "Genoa");
    fetcher_refresh(scene->fetcher, "snp.crl", "Genoa");
    for (unsigned i = 0; i < 100 && atomic_load(&scene->arrivals) == 0; i++)
        pause_ms(20);
    assert_int_equal(atomic_load(&scene->arrivals), 1);
    assert_int_equal(vendor_server_requests(scene->server), 1);
    assert_true(vendor_state(scene).last_success > 1700000000);
    close_scene(scene);
}

static void what_nobody_publishes_is_not_asked_for(void **state)
{
    (void)state;
    struct scene *scene = open_scene(good, quick);
    static const struct {
        const char *kind, *key, *says;
    } cases[] = {
        {"snp.vlek", "x", "cloud provider"},
        {"snp.nothing", "x", "nobody"},
        {"snp.ask", "../../secret", "not one the vendor"},
        {"snp.vcek",
         "Milan/"
         "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
         "/blSPL=3",
         "masked"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct answer answer = ask_and_wait(scene->fetcher, cases[i].kind, cases[i].key, "", 3000);
        assert_int_equal(answer.outcome, FETCH_NO_SOURCE);
        assert_non_null(strstr(answer.detail, cases[i].says));
    }
    char key[1000];
    memset(key, 'A', sizeof key - 1);
    key[sizeof key - 1] = 0;
    assert_int_equal(ask_and_wait(scene->fetcher, "snp.ask", key, "", 3000).outcome, FETCH_NO_SOURCE);
    fetcher_hold_back(scene->fetcher, "snp.vlek", "x");
    fetcher_refresh(scene->fetcher, "snp.vlek", "x");
    assert_int_equal(vendor_server_requests(scene->server), 0);
    close_scene(scene);
}

static void a_vendor_given_twice_is_refused(void **state)
{
    (void)state;
    char error[256] = "";
    const struct attestd_vendor_base bases[] = {{.vendor = "amd-kds"}, {.vendor = "amd-kds", .url = "https://kds.example"}};
    struct fetcher_options options = {.engine = engine, .vendors = bases, .vendor_count = 2, .arrived = take_arrival};
    assert_null(fetcher_new(&options, error, sizeof error));
    assert_non_null(strstr(error, "twice"));
    const struct attestd_vendor_base plain = {.vendor = "amd-kds", .url = "http://kds.example"};
    options.vendors = &plain;
    options.vendor_count = 1;
    assert_null(fetcher_new(&options, error, sizeof error));
    assert_non_null(strstr(error, "loopback only"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sixty_four_simultaneous_asks_make_one_request),
        cmocka_unit_test(two_kinds_at_one_url_share_a_flight_and_each_is_offered),
        cmocka_unit_test(who_asks_just_too_late_causes_no_second_request),
        cmocka_unit_test(a_flight_goes_on_when_its_waiters_are_gone),
        cmocka_unit_test(a_forgotten_wait_is_never_called),
        cmocka_unit_test(forget_waits_for_a_running_callback),
        cmocka_unit_test(a_callback_may_forget_its_own_wait),
        cmocka_unit_test(stopping_answers_everybody),
        cmocka_unit_test(a_missing_key_is_held_back),
        cmocka_unit_test(a_rejected_answer_is_held_back),
        cmocka_unit_test(an_empty_answer_is_rejected_unseen),
        cmocka_unit_test(what_a_plugin_refused_is_held_back),
        cmocka_unit_test(redirects_are_not_followed),
        cmocka_unit_test(answers_and_headers_over_the_bound_are_cut),
        cmocka_unit_test(the_largest_allowed_answer_arrives),
        cmocka_unit_test(slow_answers_are_cut_at_the_total_time),
        cmocka_unit_test(answers_that_break_off_are_not_offered),
        cmocka_unit_test(a_single_server_error_is_overcome_within_the_deadline),
        cmocka_unit_test(five_failures_open_the_breaker),
        cmocka_unit_test(an_unreachable_vendor_fails_at_once),
        cmocka_unit_test(retry_after_in_seconds_is_honoured),
        cmocka_unit_test(retry_after_as_a_date_is_honoured),
        cmocka_unit_test(retry_after_of_a_year_counts_as_an_hour),
        cmocka_unit_test(a_caller_has_a_budget_of_unseen_keys),
        cmocka_unit_test(a_caller_s_queue_is_bounded),
        cmocka_unit_test(a_flood_of_strangers_does_not_stop_a_known_caller),
        cmocka_unit_test(no_more_than_eight_are_in_the_air),
        cmocka_unit_test(connections_are_used_again),
        cmocka_unit_test(a_request_says_who_asks_and_nothing_else),
        cmocka_unit_test(refresh_asks_again_without_a_wait),
        cmocka_unit_test(what_nobody_publishes_is_not_asked_for),
        cmocka_unit_test(a_vendor_given_twice_is_refused),
    };
    return cmocka_run_group_tests(tests, make_engine, drop_engine);
}
