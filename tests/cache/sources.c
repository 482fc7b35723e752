/* SPDX-License-Identifier: Apache-2.0 */
/* Which source answers, for how long, and what is kept: the real SNP plugin and simulated guests over the real cache, with a real nginx as
 * the vendor. What a vendor may do wrong is tested in kds.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "nginx.h"
#include "site.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct nginx *nginx;

static void pause_ms(unsigned ms)
{
    const struct timespec moment = {ms / 1000, (long)(ms % 1000) * 1000000};
    nanosleep(&moment, NULL);
}

/* What misbehaves here does so for certificates of chips only; chains and lists are served under all bases. */
static const char locations[] = "location ~ ^/tail/vcek/v1/Genoa/[0-9a-f]+$ { try_files /tail.der =404; }\n"
                                "location ~ ^/large/vcek/v1/Genoa/[0-9a-f]+$ { try_files /large.der =404; }\n"
                                "location ~ ^/redirect/vcek/v1/Genoa/([0-9a-f]+)$ { return 302 /vcek/v1/Genoa/$1; }\n"
                                "location ~ ^/slow/(vcek/v1/Genoa/[0-9a-f]+)$ { limit_rate 250; try_files /$1 =404; }\n"
                                "location ~ ^/[a-z]+/(v[cl]ek/.*/[a-z_]+)$ { try_files /$1 =404; }\n";

static const char *base_of(const char *manner)
{
    static char base[128];
    snprintf(base, sizeof base, "%s%s", nginx_base(nginx), manner);
    return base;
}

/* Chips 0 to 3 are known to the simulated KDS. */
static int kds_begin(void **state)
{
    struct sim_snp_guest guests[4];
    struct sim_snp_crl list = site_list(5, 30 * 86400);
    char path[128];
    if (site_folder(state) != 0)
        return -1;
    for (unsigned i = 0; i < 4; i++)
        site_guest(&guests[i], i);
    snprintf(path, sizeof path, "%s/kds", site.folder);
    if (!sim_snp_write_kds(site.vendor, guests, 4, &list, path))
        return -1;
    struct sim_bytes longer = sim_snp_vek(site.vendor, &guests[0]);
    longer.data = realloc(longer.data, longer.len + 1);
    assert_non_null(longer.data);
    longer.data[longer.len++] = 0;
    site_write(longer, "kds/tail.der");
    struct sim_bytes large = {calloc(1, (size_t)2 << 20), (size_t)2 << 20};
    assert_non_null(large.data);
    site_write(large, "kds/large.der");
    nginx = nginx_new(site.folder, false);
    if (nginx == NULL)
        fail_msg("nginx is not installed");
    nginx_start(nginx, "", locations);
    return 0;
}

static int kds_end(void **state)
{
    nginx_free(nginx);
    nginx = NULL;
    return site_clean(state);
}

static struct visit visit_of(struct desk *desk, const struct sim_snp_guest *guest)
{
    struct visit visit = {.guest = guest};
    visit_run(desk, &visit);
    return visit;
}

static void run_and_expect(struct desk *desk, const struct sim_snp_guest *guest, bool authentic)
{
    struct visit visit = visit_of(desk, guest);
    assert_int_equal(visit.authentic, authentic);
    visit_end(&visit);
}

static void assert_source(const struct visit *visit, const char *kind, const char *source)
{
    const char *seen = visit_source(visit, kind);
    assert_non_null(seen);
    assert_string_equal(seen, source);
}

static void first_use_asks_the_vendor_and_second_use_the_cache(void **state)
{
    struct sim_snp_guest guest;
    (void)state;
    site_guest(&guest, 0);
    struct desk desk = site_desk(base_of(""), NULL, NULL);
    struct visit visit = visit_of(&desk, &guest);
    assert_true(visit.authentic);
    assert_int_equal(visit_outcome(&visit, "snp.revocation"), ATTESTD_PASS);
    assert_source(&visit, "snp.vcek", "vendor");
    assert_source(&visit, "snp.crl", "vendor");
    visit_end(&visit);
    unsigned requests = nginx_requests(nginx, "/");
    assert_int_equal(requests, 3); /* VCEK, chain, list */

    visit = visit_of(&desk, &guest);
    assert_true(visit.authentic);
    assert_source(&visit, "snp.vcek", "cache");
    assert_source(&visit, "snp.ask", "cache");
    assert_source(&visit, "snp.ark", "anchors");
    assert_source(&visit, "snp.crl", "cache");
    assert_false(visit_stale(&visit, "snp.crl"));
    visit_end(&visit);
    assert_int_equal(nginx_requests(nginx, "/"), requests);
    site_desk_close(&desk);

    desk = site_desk(base_of(""), NULL, NULL); /* and after a restart */
    visit = visit_of(&desk, &guest);
    assert_true(visit.authentic);
    assert_source(&visit, "snp.vcek", "cache");
    assert_source(&visit, "snp.ark", "anchors");
    visit_end(&visit);
    assert_int_equal(nginx_requests(nginx, "/"), requests);
    site_desk_close(&desk);
}

static void a_flight_outlives_its_request(void **state)
{
    struct sim_snp_guest guest;
    char hwid[129];
    (void)state;
    site_guest(&guest, 0);
    /* 250 bytes a second: some 5 seconds, and no patience for them. */
    struct attestd_endorsements_options patient = {.total_ms = 60000};
    struct desk desk = site_desk(base_of("/slow"), NULL, &patient);
    struct visit visit = {.guest = &guest, .patience_ms = 1000};
    visit_run(&desk, &visit);
    assert_false(visit.authentic);
    assert_int_equal(visit_outcome(&visit, "snp.vek"), ATTESTD_UNAVAILABLE);
    assert_true(visit.retry_after > 0);
    visit_end(&visit);
    for (unsigned i = 0; i < 300 && nginx_requests(nginx, "200 /slow/vcek/v1/Genoa/0") == 0; i++)
        pause_ms(100);
    visit = visit_of(&desk, &guest);
    assert_true(visit.authentic);
    visit_end(&visit);
    assert_int_equal(nginx_requests(nginx, site_hwid(&guest, hwid)), 1);
    site_desk_close(&desk);
}

/* What a bad answer leaves: no certificate, nothing stored, and a key that is left alone for a while. */
static void expect_nothing_from(const char *manner, unsigned total_ms, bool definite)
{
    struct sim_snp_guest guest;
    struct attestd_endorsements_options options = {.total_ms = total_ms};
    site_guest(&guest, 0);
    char base[32], prefix[64];
    snprintf(base, sizeof base, "/%s", manner);
    struct desk desk = site_desk(base_of(base), NULL, &options);
    snprintf(prefix, sizeof prefix, "/%s/vcek/v1/Genoa/0", manner);
    struct visit visit = {.guest = &guest, .patience_ms = 2000};
    visit_run(&desk, &visit);
    assert_false(visit.authentic);
    assert_int_equal(site_count(&desk, "snp.vcek", NULL), 0);
    bool unavailable = visit_outcome(&visit, "snp.vek") == ATTESTD_UNAVAILABLE; /* else something came, and was refused */
    assert_int_equal(visit.retry_after > 0, unavailable);
    visit_end(&visit);
    unsigned requests = nginx_requests(nginx, prefix);
    assert_true(requests >= 1);
    if (definite)
        assert_int_equal(requests, 1);
    visit = (struct visit){.guest = &guest, .patience_ms = 500};
    visit_run(&desk, &visit);
    assert_false(visit.authentic);
    visit_end(&visit);
    if (definite) {
        assert_int_equal(nginx_requests(nginx, prefix), 1);
        assert_true(attestd_endorsements_counts(desk.endorsements).held_back >= 1);
    }
    site_desk_close(&desk);
}

static void bytes_behind_a_certificate_store_nothing(void **state)
{
    (void)state;
    expect_nothing_from("tail", 0, true);
}

static void a_redirect_is_not_followed(void **state)
{
    struct sim_snp_guest guest;
    char target[160], hwid[129];
    (void)state;
    expect_nothing_from("redirect", 0, true);
    site_guest(&guest, 0);
    snprintf(target, sizeof target, "/redirect/vcek/v1/Genoa/%s", site_hwid(&guest, hwid));
    assert_int_equal(nginx_requests(nginx, hwid), nginx_requests(nginx, target));
}

static void an_answer_over_the_bound_stores_nothing(void **state)
{
    (void)state;
    expect_nothing_from("large", 0, true);
}

static void an_answer_that_drips_is_cut_at_the_total_time(void **state)
{
    (void)state;
    expect_nothing_from("slow", 700, false);
}

static void write_list(uint64_t number, int64_t valid_for)
{
    struct sim_snp_crl list = site_list(number, valid_for);
    site_write(sim_snp_crl(site.vendor, &list), "kds/vcek/v1/Genoa/crl");
}

static void a_list_is_asked_for_again_after_max_age_and_never_goes_back(void **state)
{
    struct sim_snp_guest guest;
    struct attestd_endorsements_options hurried = {.max_age = 1};
    uint64_t number = 0;
    (void)state;
    site_guest(&guest, 0);
    struct desk desk = site_desk(base_of(""), NULL, &hurried);
    run_and_expect(&desk, &guest, true);
    assert_int_equal(site_count(&desk, "snp.crl", &number), 1);
    assert_int_equal(number, 5);
    write_list(6, 30 * 86400);
    pause_ms(3200); /* the fetcher keeps an answer for two seconds for those who ask just too late */
    run_and_expect(&desk, &guest, true);
    assert_int_equal(site_count(&desk, "snp.crl", &number), 1);
    assert_int_equal(number, 6);
    write_list(4, 60 * 86400);
    pause_ms(3200);
    struct visit visit = visit_of(&desk, &guest);
    assert_true(visit.authentic);
    assert_int_equal(visit_outcome(&visit, "snp.revocation"), ATTESTD_PASS);
    visit_end(&visit);
    assert_int_equal(site_count(&desk, "snp.crl", &number), 1);
    assert_int_equal(number, 6);
    assert_int_equal(nginx_requests(nginx, "/vcek/v1/Genoa/0"), 1); /* what does not age is not asked for again */
    site_desk_close(&desk);
}

static void a_list_whose_vendor_is_down_is_served_stale_and_says_so(void **state)
{
    struct sim_snp_guest guest;
    struct attestd_endorsements_options hurried = {.max_age = 1};
    (void)state;
    site_guest(&guest, 0);
    struct desk desk = site_desk(base_of(""), NULL, &hurried);
    run_and_expect(&desk, &guest, true);
    nginx_stop(nginx);
    pause_ms(3200);
    struct visit visit = {.guest = &guest, .patience_ms = 1000};
    visit_run(&desk, &visit);
    assert_true(visit.authentic);
    assert_source(&visit, "snp.crl", "cache");
    assert_true(visit_stale(&visit, "snp.crl"));
    assert_int_equal(visit_outcome(&visit, "snp.revocation"), ATTESTD_PASS); /* its own nextUpdate is far */
    assert_true(attestd_endorsements_counts(desk.endorsements).cache_stale >= 1);
    visit_end(&visit);
    site_desk_close(&desk);
}

static void prefetched_endorsements_serve_without_the_vendor(void **state)
{
    static const char *const lists[][2] = {{"snp.ark", "Genoa"}, {"snp.ask", "Genoa"}, {"snp.crl", "Genoa"}};
    struct sim_snp_guest guest;
    char error[256] = "";
    (void)state;
    site_guest(&guest, 0);
    struct desk desk = site_desk(base_of(""), NULL, NULL);
    for (size_t i = 0; i < 3; i++)
        if (!attestd_endorsements_prefetch(desk.endorsements, lists[i][0], lists[i][1], error, sizeof error))
            fail_msg("%s: %s", lists[i][0], error);
    assert_false(attestd_endorsements_prefetch(desk.endorsements, "snp.vlek", "Genoa", error, sizeof error));
    assert_non_null(strstr(error, "cloud provider"));
    assert_false(attestd_endorsements_prefetch(desk.endorsements, "snp.crl", "Nowhere", error, sizeof error));
    site_desk_close(&desk);
    nginx_stop(nginx);

    desk = site_desk(base_of(""), NULL, NULL);
    struct visit visit = {.guest = &guest, .enclose = true, .patience_ms = 1000};
    visit_run(&desk, &visit);
    assert_true(visit.authentic);
    assert_source(&visit, "snp.vcek", "evidence");
    assert_source(&visit, "snp.ark", "anchors");
    assert_source(&visit, "snp.ask", "cache");
    assert_source(&visit, "snp.crl", "cache");
    visit_end(&visit);
    site_desk_close(&desk);
}

static void refresh_asks_again_for_lists_in_the_background(void **state)
{
    struct sim_snp_guest guest;
    uint64_t number = 0;
    (void)state;
    site_guest(&guest, 0);
    struct desk desk = site_desk(base_of(""), NULL, NULL);
    run_and_expect(&desk, &guest, true);
    write_list(9, 30 * 86400);
    pause_ms(3200);
    attestd_endorsements_refresh(desk.endorsements);
    for (unsigned i = 0; i < 100 && nginx_requests(nginx, "200 /vcek/v1/Genoa/crl") < 2; i++)
        pause_ms(50);
    assert_int_equal(nginx_requests(nginx, "200 /vcek/v1/Genoa/crl"), 2);
    assert_int_equal(nginx_requests(nginx, "/"), 4);
    pause_ms(200);
    struct visit visit = visit_of(&desk, &guest);
    assert_source(&visit, "snp.crl", "vendor"); /* nobody had judged it yet */
    visit_end(&visit);
    assert_int_equal(site_count(&desk, "snp.crl", &number), 1);
    assert_int_equal(number, 9);
    visit = visit_of(&desk, &guest);
    assert_source(&visit, "snp.crl", "cache");
    visit_end(&visit);
    assert_int_equal(nginx_requests(nginx, "/"), 4);
    site_desk_close(&desk);
}

#define over_nginx(test) cmocka_unit_test_setup_teardown(test, kds_begin, kds_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        over_nginx(first_use_asks_the_vendor_and_second_use_the_cache),
        over_nginx(a_flight_outlives_its_request),
        over_nginx(bytes_behind_a_certificate_store_nothing),
        over_nginx(a_redirect_is_not_followed),
        over_nginx(an_answer_over_the_bound_stores_nothing),
        over_nginx(an_answer_that_drips_is_cut_at_the_total_time),
        over_nginx(a_list_is_asked_for_again_after_max_age_and_never_goes_back),
        over_nginx(a_list_whose_vendor_is_down_is_served_stale_and_says_so),
        over_nginx(prefetched_endorsements_serve_without_the_vendor),
        over_nginx(refresh_asks_again_for_lists_in_the_background),
    };
    return cmocka_run_group_tests(tests, site_begin, site_end);
}
