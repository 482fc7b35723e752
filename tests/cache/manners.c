/* SPDX-License-Identifier: Apache-2.0 */
/* What the fetcher is built from, under a clock of the test's own: bucket, breaker, back-off, hold-back, budget, fair queue, bases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cache/budget.h"
#include "cache/fair_queue.h"
#include "cache/hold_back.h"
#include "cache/vendor.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void digest_of(unsigned number, uint8_t digest[RECENT_DIGEST])
{
    memset(digest, 0, RECENT_DIGEST);
    memcpy(digest, &number, sizeof number);
    memcpy(digest + 8, &number, sizeof number);
}

static void the_longest_unused_is_forgotten_first(void **state)
{
    (void)state;
    struct recent *recent = recent_new(3);
    uint8_t digests[5][RECENT_DIGEST];
    bool fresh;
    for (unsigned i = 0; i < 5; i++)
        digest_of(i * 16, digests[i]); /* some share a bucket */
    uint32_t first = recent_take(recent, digests[0], &fresh);
    assert_true(fresh);
    recent_take(recent, digests[1], &fresh);
    recent_take(recent, digests[2], &fresh);
    assert_int_equal(recent_find(recent, digests[0]), first);
    recent_take(recent, digests[3], &fresh);
    assert_true(fresh);
    assert_int_equal(recent_find(recent, digests[1]), RECENT_NONE);
    assert_int_equal(recent_take(recent, digests[0], &fresh), first);
    assert_false(fresh);
    recent_take(recent, digests[4], &fresh);
    assert_int_equal(recent_find(recent, digests[2]), RECENT_NONE);
    assert_int_not_equal(recent_find(recent, digests[3]), RECENT_NONE);
    recent_free(recent);
}

static void recent_set_stays_sound_over_many_turns(void **state)
{
    (void)state;
    struct recent *recent = recent_new(100);
    uint32_t slots[100];
    uint8_t digest[RECENT_DIGEST];
    bool fresh;
    for (unsigned i = 0; i < 10000; i++) {
        digest_of(i * 7919, digest);
        slots[i % 100] = recent_take(recent, digest, &fresh);
        assert_true(fresh);
        assert_true(slots[i % 100] < 100);
    }
    for (unsigned i = 9900; i < 10000; i++) {
        digest_of(i * 7919, digest);
        assert_int_equal(recent_find(recent, digest), slots[i % 100]);
    }
    recent_free(recent);
}

static void budget_is_so_many_a_minute_for_each_caller(void **state)
{
    (void)state;
    struct budget *budget = budget_new(4);
    uint8_t one[RECENT_DIGEST], other[RECENT_DIGEST];
    digest_of(1, one);
    digest_of(2, other);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(budget_take(budget, one, 1000), 0);
    assert_in_range(budget_take(budget, one, 1000), 15, 16);
    assert_int_equal(budget_take(budget, other, 1000), 0);
    assert_int_not_equal(budget_take(budget, one, 1000 + 14000), 0);
    assert_int_equal(budget_take(budget, one, 1000 + 15001), 0);
    assert_int_not_equal(budget_take(budget, one, 1000 + 15001), 0);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(budget_take(budget, one, 10000000), 0);
    assert_int_not_equal(budget_take(budget, one, 10000000), 0); /* an idle hour saves up no more than one minute */
    budget_free(budget);
}

static void hold_back_doubles_from_half_a_minute_to_an_hour(void **state)
{
    (void)state;
    struct hold_back *hold_back = hold_back_new();
    uint8_t digest[RECENT_DIGEST];
    struct held held;
    uint64_t now = 5000;
    unsigned expected = 30;
    digest_of(9, digest);
    assert_false(hold_back_find(hold_back, digest, now, &held));
    for (unsigned i = 0; i < 10; i++) {
        assert_int_equal(hold_back_add(hold_back, digest, FETCH_NOT_FOUND, "none", now), expected);
        assert_true(hold_back_find(hold_back, digest, now, &held));
        assert_int_equal(held.outcome, FETCH_NOT_FOUND);
        assert_int_equal(held.seconds, expected);
        assert_true(hold_back_find(hold_back, digest, now + expected * 1000 - 1, &held));
        assert_int_equal(held.seconds, 1);
        now += expected * 1000;
        assert_false(hold_back_find(hold_back, digest, now, &held));
        expected = expected * 2 > 3600 ? 3600 : expected * 2;
    }
    /* an hour without trouble: it starts anew */
    assert_int_equal(hold_back_add(hold_back, digest, FETCH_NOT_FOUND, "none", now + 3600 * 1000), 30);
    hold_back_free(hold_back);
}

static void one_answer_judged_by_many_jobs_holds_back_once(void **state)
{
    (void)state;
    struct hold_back *hold_back = hold_back_new();
    uint8_t digest[RECENT_DIGEST];
    struct held held;
    digest_of(9, digest);
    for (unsigned i = 0; i < 64; i++)
        hold_back_add(hold_back, digest, FETCH_REJECTED, "wrong", 1000 + i);
    assert_true(hold_back_find(hold_back, digest, 1064, &held));
    assert_int_equal(held.seconds, 30);
    assert_int_equal(held.outcome, FETCH_REJECTED);
    hold_back_free(hold_back);
}

static struct vendor make_vendor(double rate, unsigned burst)
{
    struct vendor vendor;
    char error[256] = "";
    const struct attestd_vendor_base base = {.vendor = "amd-kds", .url = "https://kds.example"};
    if (!vendor_init(&vendor, &base, rate, burst, 1000, error, sizeof error))
        fail_msg("%s", error);
    return vendor;
}

static void bucket_gives_a_burst_and_then_its_rate(void **state)
{
    (void)state;
    struct vendor vendor = make_vendor(2, 3);
    for (unsigned i = 0; i < 3; i++) {
        assert_true(vendor_may_start(&vendor, 1000));
        vendor_start(&vendor, 1000);
        vendor_end(&vendor, VENDOR_ANSWERED, 0, 1000);
    }
    assert_false(vendor_may_start(&vendor, 1000));
    assert_in_range(vendor_ready_at(&vendor, 1000), 1500, 1502);
    assert_true(vendor_may_start(&vendor, vendor_ready_at(&vendor, 1000)));
    assert_int_equal(vendor.requests, 3);
    vendor_clear(&vendor);
}

static void breaker_opens_after_five_failures_and_lets_one_probe_through(void **state)
{
    (void)state;
    struct vendor vendor = make_vendor(1000, 100);
    uint64_t now = 1000;
    for (unsigned i = 0; i < VENDOR_BREAKER_FAILURES; i++) {
        assert_false(vendor_open(&vendor, now));
        now = vendor_ready_at(&vendor, now);
        vendor_start(&vendor, now);
        vendor_end(&vendor, VENDOR_FAILED, 0, now);
        assert_true(vendor_ready_at(&vendor, now) > now); /* back-off */
    }
    assert_true(vendor_open(&vendor, now));
    assert_int_equal(vendor_ready_at(&vendor, now), now + VENDOR_BREAKER_MS);
    now += VENDOR_BREAKER_MS;
    assert_true(vendor_may_start(&vendor, now));
    vendor_start(&vendor, now);
    assert_false(vendor_may_start(&vendor, now));
    vendor_end(&vendor, VENDOR_FAILED, 0, now);
    assert_true(vendor_open(&vendor, now)); /* one failed probe is enough */
    now += VENDOR_BREAKER_MS;
    vendor_start(&vendor, now);
    vendor_end(&vendor, VENDOR_ANSWERED, 0, now);
    assert_false(vendor_open(&vendor, now));
    vendor_start(&vendor, now);
    assert_true(vendor_may_start(&vendor, now));
    vendor_clear(&vendor);
}

static void a_success_between_failures_keeps_the_breaker_closed(void **state)
{
    (void)state;
    struct vendor vendor = make_vendor(1000, 100);
    for (unsigned i = 0; i < 20; i++) {
        vendor_start(&vendor, 1000);
        vendor_end(&vendor, i % 5 == 4 ? VENDOR_ANSWERED : VENDOR_FAILED, 0, 1000);
        assert_false(vendor_open(&vendor, 1000));
    }
    vendor_clear(&vendor);
}

static void retry_after_is_kept_to_the_second_and_capped_at_an_hour(void **state)
{
    (void)state;
    struct vendor vendor = make_vendor(1000, 100);
    vendor_start(&vendor, 1000);
    vendor_end(&vendor, VENDOR_THROTTLED, 7, 1000);
    assert_int_equal(vendor_ready_at(&vendor, 1000), 8000);
    vendor_start(&vendor, 8000);
    assert_false(vendor_may_start(&vendor, 8000)); /* one at a time, until the vendor is content again */
    vendor_end(&vendor, VENDOR_THROTTLED, 4000000, 8000);
    assert_int_equal(vendor_ready_at(&vendor, 8000), 8000 + 3600 * 1000);
    assert_false(vendor_open(&vendor, 8000));
    vendor_clear(&vendor);
}

static void without_retry_after_patience_grows(void **state)
{
    (void)state;
    struct vendor vendor = make_vendor(1000, 100);
    uint64_t now = 1000;
    for (unsigned i = 0; i < 8; i++) {
        vendor_start(&vendor, now);
        vendor_end(&vendor, VENDOR_THROTTLED, 0, now);
        uint64_t least = 10000u << (i < 5 ? i : 5);
        least = least > 300000 ? 300000 : least;
        assert_in_range(vendor_ready_at(&vendor, now), now + least, now + least + least / 2 + 1);
        now = vendor_ready_at(&vendor, now);
    }
    vendor_clear(&vendor);
}

static void bases_that_are_not_safe_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *url, *says; /* NULL: accepted */
        const char *host;
    } cases[] = {
        {"https://kdsintf.amd.com", NULL, "kdsintf.amd.com"},
        {"https://proxy.example:8443/amd/", NULL, "proxy.example:8443"},
        {"http://127.0.0.1:8080", NULL, "127.0.0.1:8080"},
        {"http://127.8.9.1", NULL, "127.8.9.1"},
        {"http://[::1]:80/kds", NULL, "[::1]:80"},
        {"http://localhost:8080", NULL, "localhost:8080"},
        {"http://kdsintf.amd.com", "http is for loopback only", NULL},
        {"http://localhost.example", "http is for loopback only", NULL},
        {"http://127.0.0.1.example", "http is for loopback only", NULL},
        {"http://10.0.0.1", "http is for loopback only", NULL},
        {"http://[::ffff:10.0.0.1]", "http is for loopback only", NULL},
        {"file:///etc/passwd", "amd-kds: file:///etc/passwd", NULL},
        {"ftp://127.0.0.1", "https://", NULL},
        {"https://user:secret@host.example", "neither user", NULL},
        {"https://host.example/?a=b", "neither user", NULL},
        {"https://host.example/#x", "neither user", NULL},
        {"https://host.example/a b", "no blanks", NULL},
        {"https://host.example\r\nX: y", "no blanks", NULL},
        {"kdsintf.amd.com", "not an https:// URL", NULL},
        {"", "1 to 512", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct vendor vendor;
        char error[512] = "";
        const struct attestd_vendor_base base = {.vendor = "amd-kds", .url = cases[i].url};
        bool good = vendor_init(&vendor, &base, 5, 10, 0, error, sizeof error);
        if (good != (cases[i].says == NULL) || (!good && strstr(error, cases[i].says) == NULL))
            fail_msg("%s: %s", cases[i].url, error);
        if (!good)
            continue;
        assert_string_equal(vendor.host, cases[i].host);
        assert_int_not_equal(vendor.base[strlen(vendor.base) - 1], '/');
        vendor_clear(&vendor);
    }
}

static void unknown_vendors_and_unreadable_ca_files_are_refused(void **state)
{
    (void)state;
    struct vendor vendor;
    char error[256] = "";
    struct attestd_vendor_base base = {.vendor = "amd-kdz", .url = "https://kds.example"};
    assert_false(vendor_init(&vendor, &base, 5, 10, 0, error, sizeof error));
    assert_non_null(strstr(error, "amd-kdz"));
    base = (struct attestd_vendor_base){.vendor = "amd-kds", .url = "https://kds.example", .ca_file = "/nowhere/ca.pem"};
    assert_false(vendor_init(&vendor, &base, 5, 10, 0, error, sizeof error));
    assert_non_null(strstr(error, "/nowhere/ca.pem"));
    base = (struct attestd_vendor_base){.vendor = "amd-kds"};
    assert_true(vendor_init(&vendor, &base, 5, 10, 0, error, sizeof error));
    assert_string_equal(vendor.base, "https://kdsintf.amd.com");
    vendor_clear(&vendor);
}

static struct flight *queue_flight(struct fair_queue *queue, unsigned caller, bool stranger, unsigned number)
{
    char url[32];
    uint8_t digest[RECENT_DIGEST];
    snprintf(url, sizeof url, "%u.%u", caller, number);
    digest_of(caller * 1000 + number, digest);
    struct flight *flight = flight_new(NULL, url, digest, 0);
    digest_of(caller, flight->caller);
    flight->stranger = stranger;
    assert_true(fair_queue_push(queue, flight, false));
    return flight;
}

static void assert_next(struct fair_queue *queue, const char *url)
{
    struct flight *flight = fair_queue_pop(queue);
    if (url == NULL) {
        assert_null(flight);
        return;
    }
    assert_non_null(flight);
    assert_string_equal(flight->url, url);
    flight_free(flight, NULL);
}

static void callers_take_turns(void **state)
{
    (void)state;
    struct fair_queue queue;
    fair_queue_init(&queue);
    for (unsigned i = 0; i < 3; i++)
        queue_flight(&queue, 1, true, i);
    queue_flight(&queue, 2, true, 0);
    for (unsigned i = 0; i < 2; i++)
        queue_flight(&queue, 3, true, i);
    static const char *const order[] = {"1.0", "2.0", "3.0", "1.1", "3.1", "1.2", NULL};
    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        assert_next(&queue, order[i]);
}

static void a_known_caller_waits_for_one_stranger_at_most(void **state)
{
    (void)state;
    struct fair_queue queue;
    fair_queue_init(&queue);
    for (unsigned caller = 10; caller < 110; caller++)
        queue_flight(&queue, caller, true, 0);
    assert_next(&queue, "10.0");
    queue_flight(&queue, 1, false, 0);
    queue_flight(&queue, 1, false, 1);
    struct flight *gone = queue_flight(&queue, 2, false, 0);
    assert_int_equal(fair_queue_line_length(&queue, gone->caller, false), 1);
    fair_queue_remove(&queue, gone);
    assert_int_equal(fair_queue_line_length(&queue, gone->caller, false), 0);
    flight_free(gone, NULL);
    assert_next(&queue, "1.0");
    assert_next(&queue, "11.0");
    assert_next(&queue, "1.1");
    for (unsigned caller = 12; caller < 110; caller++) {
        char url[16];
        snprintf(url, sizeof url, "%u.0", caller);
        assert_next(&queue, url);
    }
    assert_next(&queue, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_longest_unused_is_forgotten_first),
        cmocka_unit_test(recent_set_stays_sound_over_many_turns),
        cmocka_unit_test(budget_is_so_many_a_minute_for_each_caller),
        cmocka_unit_test(hold_back_doubles_from_half_a_minute_to_an_hour),
        cmocka_unit_test(one_answer_judged_by_many_jobs_holds_back_once),
        cmocka_unit_test(bucket_gives_a_burst_and_then_its_rate),
        cmocka_unit_test(breaker_opens_after_five_failures_and_lets_one_probe_through),
        cmocka_unit_test(a_success_between_failures_keeps_the_breaker_closed),
        cmocka_unit_test(retry_after_is_kept_to_the_second_and_capped_at_an_hour),
        cmocka_unit_test(without_retry_after_patience_grows),
        cmocka_unit_test(bases_that_are_not_safe_are_refused),
        cmocka_unit_test(unknown_vendors_and_unreadable_ca_files_are_refused),
        cmocka_unit_test(callers_take_turns),
        cmocka_unit_test(a_known_caller_waits_for_one_stranger_at_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
