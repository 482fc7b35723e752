/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reports of simulated machines, verified by the real plugin over the real cache, which asks a real nginx that serves what AMD's KDS would:
 * one request however many wait, what happens when KDS is down, throttles or talks nonsense, and strangers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cache/endorsements.h"
#include "cache/fetcher.h"
#include "core/encoding.h"
#include "nginx.h"
#include "sdk/simulator/simulator.h"
#include <ftw.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DAY INT64_C(86400)
#define CHIPS 3u
#define PATIENCE_MS 9000u

/* For the whole group */

static struct {
    struct attestd_engine *engine;
    struct attestd_anchor_set *anchors;
    struct sim_snp_vendor *vendor, *stranger;
} world;

static int begin_world(void **state)
{
    (void)state;
    const char *build = getenv("ATTESTD_BUILD");
    char plugins[4096], kept[4096], other[4096], error[512] = "";
    snprintf(plugins, sizeof plugins, "%s/plugins", build);
    snprintf(kept, sizeof kept, "%s/simulated-kds", build);
    snprintf(other, sizeof other, "%s/simulated-kds-stranger", build);
    world.engine = attestd_engine_new();
    if (!attestd_engine_load(world.engine, plugins, "snp", error, sizeof error)) {
        print_error("%s\n", error);
        return -1;
    }
    world.vendor = sim_snp_vendor_open(kept, SIM_SNP_GENOA);
    world.stranger = sim_snp_vendor_open(other, SIM_SNP_GENOA);
    world.anchors = attestd_anchor_set_new();
    if (world.vendor == NULL || world.stranger == NULL)
        return -1;
    struct sim_bytes ark = sim_snp_ark(world.vendor);
    bool pinned = attestd_anchor_set_add_certificate(world.anchors, "snp/Genoa", ark.data, ark.len, true);
    free(ark.data);
    attestd_anchor_set_seal(world.anchors);
    return pinned ? 0 : -1;
}

static int end_world(void **state)
{
    (void)state;
    sim_snp_vendor_free(world.vendor);
    sim_snp_vendor_free(world.stranger);
    attestd_anchor_set_free(world.anchors);
    attestd_engine_free(world.engine);
    return 0;
}

/* One test's service */

struct manner {
    bool tls, without_ca;
    unsigned unseen;
};

struct site {
    char folder[64], kds[96], path[96], state_path[96], hwid[CHIPS][129];
    struct sim_snp_guest guests[CHIPS];
    struct sim_bytes reports[CHIPS];
    struct nginx *nginx;
    struct manner manner;
    struct attestd_store *cache, *state;
    struct attestd_endorsements *front;
};

static void make_guest(struct site *site, unsigned chip)
{
    struct sim_snp_guest *guest = &site->guests[chip];
    sim_snp_guest_default(guest, SIM_SNP_GENOA);
    memset(guest->chip_id, (int)(0x31 + chip), sizeof guest->chip_id);
    memcpy(guest->cert_hwid, guest->chip_id, sizeof guest->cert_hwid);
    guest->not_before = (int64_t)time(NULL) - 100 * DAY;
    guest->not_after = (int64_t)time(NULL) + 100 * DAY;
    site->reports[chip] = sim_snp_report(world.vendor, guest);
    assert_non_null(site->reports[chip].data);
    attestd_hex_encode(guest->chip_id, sizeof guest->chip_id, site->hwid[chip]);
}

static void open_front(struct site *site)
{
    char error[512] = "";
    const struct attestd_store_options store = {.path = site->path, .max_size = 16 << 20};
    const struct attestd_store_options state = {.path = site->state_path, .max_size = 16 << 20};
    site->cache = attestd_store_open(&store, error, sizeof error);
    site->state = site->cache != NULL ? attestd_store_open(&state, error, sizeof error) : NULL;
    if (site->state == NULL)
        fail_msg("%s", error);
    const struct attestd_vendor_base base = {.vendor = "amd-kds",
                                             .url = nginx_base(site->nginx),
                                             .ca_file =
                                                 site->manner.tls && !site->manner.without_ca ? nginx_certificate(site->nginx) : NULL};
    const struct attestd_endorsements_options options = {.engine = world.engine,
                                                         .anchors = world.anchors,
                                                         .cache = site->cache,
                                                         .state = site->state,
                                                         .vendors = &base,
                                                         .vendor_count = 1,
                                                         .vendor_rate = 1000,
                                                         .unseen_per_minute = site->manner.unseen};
    site->front = attestd_endorsements_new(&options, error, sizeof error);
    if (site->front == NULL)
        fail_msg("%s", error);
}

static void close_front(struct site *site)
{
    attestd_endorsements_free(site->front);
    attestd_store_close(site->cache);
    attestd_store_close(site->state);
}

static struct site *open_site(struct manner manner)
{
    struct site *site = calloc(1, sizeof *site);
    site->manner = manner;
    snprintf(site->folder, sizeof site->folder, "/tmp/attestd-kds-XXXXXX");
    assert_non_null(mkdtemp(site->folder));
    snprintf(site->kds, sizeof site->kds, "%s/kds", site->folder);
    snprintf(site->path, sizeof site->path, "%s/cache/cache.mdb", site->folder);
    snprintf(site->state_path, sizeof site->state_path, "%s/state/state.mdb", site->folder);
    assert_int_equal(mkdir(site->kds, 0755), 0);
    for (unsigned chip = 0; chip < CHIPS; chip++)
        make_guest(site, chip);
    const struct sim_snp_crl list = {.this_update = (int64_t)time(NULL) - DAY, .next_update = (int64_t)time(NULL) + 100 * DAY, .number = 3};
    assert_true(sim_snp_write_kds(world.vendor, site->guests, CHIPS, &list, site->kds));
    site->nginx = nginx_new(site->folder, manner.tls);
    if (site->nginx == NULL)
        fail_msg("nginx is not installed");
    open_front(site);
    return site;
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *where)
{
    (void)info, (void)type, (void)where;
    return remove(path);
}

static void close_site(struct site *site)
{
    close_front(site);
    nginx_free(site->nginx);
    for (unsigned chip = 0; chip < CHIPS; chip++)
        free(site->reports[chip].data);
    nftw(site->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(site);
}

static void vek_file(const struct site *site, unsigned chip, char *out, size_t size)
{
    snprintf(out, size, "%s/vcek/v1/Genoa/%s", site->kds, site->hwid[chip]);
}

static void write_file(const char *path, const uint8_t *bytes, size_t len)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    fclose(file);
}

/* One appraisal */

static const struct attestd_value *no_setting(const void *policy, const char *type, const char *path)
{
    (void)policy, (void)type, (void)path;
    return NULL;
}

static int32_t own_mode(const void *policy, const struct attestd_check *check, int64_t time_of, const char **line)
{
    (void)policy, (void)time_of;
    if (line != NULL)
        *line = NULL;
    return check->default_mode;
}

static void decide_nothing(const void *policy, struct attestd_job *job, const struct attestd_request *request,
                           struct attestd_result *result, int64_t time_of)
{
    (void)policy, (void)job, (void)request, (void)time_of;
    result->verdict = ATTESTD_AFFIRMING;
}

static const uint8_t no_digest[32];
static const struct attestd_policy_view view = {NULL, "test", 1, no_digest, no_setting, own_mode, decide_nothing};

struct appraised {
    bool authentic, unavailable;
    unsigned retry_after;
    char code[64], observed[256]; /* of snp.vek; "": passed */
    char vek_source[16], list_source[16];
    unsigned ms;
};

struct signal {
    pthread_mutex_t lock;
    pthread_cond_t raised;
    bool is_raised;
};

static void raise_signal(void *context)
{
    struct signal *signal = context;
    pthread_mutex_lock(&signal->lock);
    signal->is_raised = true;
    pthread_cond_signal(&signal->raised);
    pthread_mutex_unlock(&signal->lock);
}

static void fetch(struct site *site, struct attestd_job *job, const char *caller, struct appraised *appraised)
{
    struct signal signal = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false};
    struct attestd_fetch *fetch =
        attestd_endorsements_fetch(site->front, job, caller, fetcher_clock_ms() + PATIENCE_MS, raise_signal, &signal);
    assert_non_null(fetch);
    pthread_mutex_lock(&signal.lock);
    while (!signal.is_raised)
        pthread_cond_wait(&signal.raised, &signal.lock);
    pthread_mutex_unlock(&signal.lock);
    unsigned retry_after;
    attestd_endorsements_collect(fetch, job, &retry_after);
    if (retry_after > appraised->retry_after)
        appraised->retry_after = retry_after;
}

static void read_result(const struct attestd_result *result, struct appraised *appraised)
{
    const struct attestd_piece *piece = &result->pieces[0];
    appraised->authentic = piece->authentic;
    appraised->unavailable = result->unavailable;
    snprintf(appraised->code, sizeof appraised->code, "not recorded");
    for (size_t i = 0; i < piece->checks.count; i++) {
        const struct attestd_check_result *check = &piece->checks.items[i];
        if (strcmp(check->check->id, "snp.vek") != 0)
            continue;
        snprintf(appraised->code, sizeof appraised->code, "%s", check->outcome == ATTESTD_PASS ? "" : check->code);
        snprintf(appraised->observed, sizeof appraised->observed, "%s", check->observed != NULL ? check->observed : "");
    }
    for (size_t i = 0; i < result->endorsement_count; i++) {
        const struct attestd_endorsement_use *use = &result->endorsements[i];
        if (use->state != ATTESTD_ENDORSEMENT_ACCEPTED)
            continue;
        if (strcmp(use->kind, "snp.vcek") == 0)
            snprintf(appraised->vek_source, sizeof appraised->vek_source, "%s", use->source);
        if (strcmp(use->kind, "snp.crl") == 0)
            snprintf(appraised->list_source, sizeof appraised->list_source, "%s", use->source);
    }
}

static struct appraised appraise_report(struct site *site, const struct sim_bytes *report, const char *caller)
{
    struct appraised appraised = {0};
    struct attestd_part part = {"report", {report->data, report->len}};
    struct attestd_piece_request piece = {"cpu0", "snp", &part, 1};
    struct attestd_request request = {.nonce_age = -1, .layout = "attestd-v1", .no_binding = true, .pieces = &piece, .piece_count = 1};
    struct attestd_job *job = attestd_job_new(world.engine, &request, &view, world.anchors, NULL);
    uint64_t before = fetcher_clock_ms();
    int answer;
    while ((answer = attestd_job_run(job, (int64_t)time(NULL))) == ATTESTD_PENDING)
        if (attestd_endorsements_local(site->front, job, (int64_t)time(NULL)) > 0)
            fetch(site, job, caller, &appraised);
    assert_int_equal(answer, ATTESTD_DONE);
    attestd_endorsements_keep(site->front, job, (int64_t)time(NULL));
    read_result(attestd_job_result(job), &appraised);
    appraised.ms = (unsigned)(fetcher_clock_ms() - before);
    attestd_job_free(job);
    return appraised;
}

static struct appraised appraise(struct site *site, unsigned chip, const char *caller)
{
    return appraise_report(site, &site->reports[chip], caller);
}

static void assert_authentic(const struct appraised *appraised)
{
    if (!appraised->authentic)
        fail_msg("snp.vek %s: %s", appraised->code, appraised->observed);
    assert_string_equal(appraised->code, "");
}

static void assert_unavailable(const struct appraised *appraised)
{
    assert_false(appraised->authentic);
    assert_true(appraised->unavailable);
    assert_string_equal(appraised->code, "SNP_VEK_UNAVAILABLE");
    assert_true(appraised->retry_after > 0);
    assert_true(appraised->ms < PATIENCE_MS + 1000);
}

struct search {
    const char *kind, *part;
    unsigned found;
};

static bool search_one(void *context, const struct attestd_endorsement_entry *entry)
{
    struct search *search = context;
    search->found += strcmp(entry->kind, search->kind) == 0 && strstr(entry->key, search->part) != NULL;
    return true;
}

static unsigned stored(struct site *site, const char *kind, const char *part)
{
    struct search search = {kind, part, 0};
    attestd_endorsements_list(site->front, search_one, &search);
    return search.found;
}

/* What the issue shows */

struct crowd {
    struct site *site;
    pthread_barrier_t start;
    atomic_uint authentic;
};

static void *appraise_in_crowd(void *context)
{
    struct crowd *crowd = context;
    pthread_barrier_wait(&crowd->start);
    struct appraised appraised = appraise(crowd->site, 0, "");
    atomic_fetch_add(&crowd->authentic, appraised.authentic);
    return NULL;
}

static void sixty_four_requests_for_an_unseen_chip_make_one_upstream_request(void **state)
{
    (void)state;
    struct crowd crowd = {.site = open_site((struct manner){0})};
    pthread_t threads[64];
    nginx_start(crowd.site->nginx, "", "");
    pthread_barrier_init(&crowd.start, NULL, 64);
    for (unsigned i = 0; i < 64; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, appraise_in_crowd, &crowd), 0);
    for (unsigned i = 0; i < 64; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&crowd.start);
    assert_int_equal(atomic_load(&crowd.authentic), 64);
    assert_int_equal(nginx_requests(crowd.site->nginx, crowd.site->hwid[0]), 1);
    assert_int_equal(nginx_requests(crowd.site->nginx, "/vcek/v1/Genoa/cert_chain"), 1);
    assert_int_equal(nginx_requests(crowd.site->nginx, "/vcek/v1/Genoa/crl"), 1);
    assert_int_equal(nginx_requests(crowd.site->nginx, ""), 3);
    struct appraised warm = appraise(crowd.site, 0, "");
    assert_authentic(&warm);
    assert_string_equal(warm.vek_source, "cache");
    close_site(crowd.site);
}

static void with_kds_stopped_warm_chips_verify_and_unseen_ones_wait_for_its_return(void **state)
{
    (void)state;
    struct site *site = open_site((struct manner){0});
    nginx_start(site->nginx, "", "");
    struct appraised first = appraise(site, 0, "");
    assert_authentic(&first);
    assert_string_equal(first.vek_source, "vendor");
    nginx_stop(site->nginx);
    close_front(site);
    open_front(site); /* the cache outlives the process */

    struct appraised warm = appraise(site, 0, "");
    assert_authentic(&warm);
    assert_string_equal(warm.vek_source, "cache");
    assert_string_equal(warm.list_source, "cache");
    struct appraised unseen = appraise(site, 1, "");
    assert_unavailable(&unseen);
    unseen = appraise(site, 2, "");
    assert_unavailable(&unseen);
    struct attestd_vendor_state kds;
    assert_int_equal(attestd_endorsements_vendors(site->front, &kds, 1), 1);
    assert_true(kds.breaker_open);
    struct appraised refused = appraise(site, 1, "");
    assert_unavailable(&refused);
    assert_true(refused.ms < 1000); /* the breaker does not let anybody wait */

    nginx_start(site->nginx, "", "");
    sleep(refused.retry_after + 1);
    struct appraised later = appraise(site, 1, "");
    assert_authentic(&later);
    later = appraise(site, 2, "");
    assert_authentic(&later);
    assert_int_equal(nginx_requests(site->nginx, site->hwid[1]), 1);
    assert_int_equal(nginx_requests(site->nginx, site->hwid[2]), 1);
    assert_int_equal(attestd_endorsements_vendors(site->front, &kds, 1), 1);
    assert_false(kds.breaker_open);
    close_site(site);
}

/* Warms up with chip 0, so that only the certificate of chip 1 is missing. */
static struct site *open_warm_site(const char *http, const char *server)
{
    struct site *site = open_site((struct manner){0});
    nginx_start(site->nginx, "", "");
    struct appraised first = appraise(site, 0, "");
    assert_authentic(&first);
    nginx_stop(site->nginx);
    nginx_start(site->nginx, http, server);
    return site;
}

static void assert_nothing_stored(struct site *site)
{
    assert_int_equal(stored(site, "snp.vcek", site->hwid[1]), 0);
    assert_int_equal(stored(site, "snp.vcek", site->hwid[0]), 1);
    close_front(site);
    open_front(site);
    assert_int_equal(stored(site, "snp.vcek", site->hwid[1]), 0);
    assert_int_equal(stored(site, "snp.vcek", site->hwid[0]), 1);
    struct appraised warm = appraise(site, 0, "");
    assert_authentic(&warm);
}

static void throttled_answers_store_nothing(void **state)
{
    (void)state;
    struct site *site = open_warm_site("limit_req_zone $binary_remote_addr zone=chips:1m rate=1r/m;\nlimit_req_status 429;",
                                       "location /vcek/ { limit_req zone=chips; }");
    struct appraised other = appraise(site, 2, ""); /* the only one in this minute */
    assert_authentic(&other);
    struct appraised throttled = appraise(site, 1, "");
    assert_unavailable(&throttled);
    assert_in_range(throttled.retry_after, 5, 16);
    assert_int_equal(nginx_requests(site->nginx, "429 /vcek"), 1);
    throttled = appraise(site, 1, "");
    assert_unavailable(&throttled);
    assert_int_equal(nginx_requests(site->nginx, "429 /vcek"), 1); /* left in peace meanwhile */
    assert_nothing_stored(site);
    close_site(site);
}

static void server_errors_store_nothing(void **state)
{
    (void)state;
    struct site *site = open_warm_site("", "location /vcek/ { return 500; }");
    struct appraised failed = appraise(site, 1, "");
    assert_unavailable(&failed);
    assert_in_range(nginx_requests(site->nginx, "500 /vcek"), 1, 3);
    assert_nothing_stored(site);
    close_site(site);
}

/* Whatever stands in the file: it is refused, not stored, and not asked for again. */
static void assert_refused_once(struct site *site)
{
    struct appraised refused = appraise(site, 1, "");
    assert_unavailable(&refused);
    assert_in_range(refused.retry_after, 1, 30);
    assert_int_equal(nginx_requests(site->nginx, site->hwid[1]), 1);
    refused = appraise(site, 1, "");
    assert_false(refused.authentic);
    assert_true(refused.ms < 1000);
    assert_int_equal(nginx_requests(site->nginx, site->hwid[1]), 1);
    assert_nothing_stored(site);
}

static void html_stores_nothing_and_is_held_back(void **state)
{
    (void)state;
    struct site *site = open_warm_site("", "location /vcek/ { default_type text/html; return 200 '<html>Sign in, please</html>'; }");
    assert_refused_once(site);
    close_site(site);
}

static void a_missing_chip_is_held_back(void **state)
{
    (void)state;
    char path[512];
    struct site *site = open_warm_site("", "");
    vek_file(site, 1, path, sizeof path);
    assert_int_equal(remove(path), 0);
    assert_refused_once(site);
    close_site(site);
}

static void truncated_der_stores_nothing_and_is_held_back(void **state)
{
    (void)state;
    char path[512];
    struct site *site = open_warm_site("", "");
    struct sim_bytes vek = sim_snp_vek(world.vendor, &site->guests[1]);
    vek_file(site, 1, path, sizeof path);
    write_file(path, vek.data, vek.len - 1);
    free(vek.data);
    assert_refused_once(site);
    close_site(site);
}

static void another_chip_s_certificate_is_not_stored_and_held_back(void **state)
{
    (void)state;
    char path[512];
    struct site *site = open_warm_site("", "");
    struct sim_bytes vek = sim_snp_vek(world.vendor, &site->guests[2]);
    vek_file(site, 1, path, sizeof path);
    write_file(path, vek.data, vek.len);
    free(vek.data);
    assert_refused_once(site);
    assert_int_equal(stored(site, "snp.vcek", site->hwid[2]), 0); /* nobody asked for that one */
    close_site(site);
}

static void a_certificate_of_another_issuer_is_not_stored_and_held_back(void **state)
{
    (void)state;
    char path[512];
    struct site *site = open_warm_site("", "");
    struct sim_bytes vek = sim_snp_vek(world.stranger, &site->guests[1]);
    vek_file(site, 1, path, sizeof path);
    write_file(path, vek.data, vek.len);
    free(vek.data);
    struct appraised refused = appraise(site, 1, "");
    assert_false(refused.authentic);
    assert_string_not_equal(refused.vek_source, "vendor");
    refused = appraise(site, 1, "");
    assert_false(refused.authentic);
    assert_int_equal(nginx_requests(site->nginx, site->hwid[1]), 1);
    assert_nothing_stored(site);
    close_site(site);
}

static void a_stranger_s_flood_of_random_chips_does_not_stop_a_known_caller(void **state)
{
    (void)state;
    struct site *site = open_site((struct manner){.unseen = 4});
    nginx_start(site->nginx, "", "");
    for (unsigned i = 0; i < 40; i++) {
        struct sim_snp_guest guest = site->guests[0];
        memset(guest.chip_id, (int)(0x80 + i), sizeof guest.chip_id);
        struct sim_bytes report = sim_snp_report(world.vendor, &guest);
        struct appraised appraised = appraise_report(site, &report, "203.0.113.9");
        free(report.data);
        assert_unavailable(&appraised);
    }
    /* Four keys, of which the first is the chain's; and one more for every quarter of a minute that this took. */
    assert_in_range(nginx_requests(site->nginx, "404 /vcek"), 3, 5);
    assert_in_range(attestd_endorsements_counts(site->front).over_budget, 35, 37);
    struct appraised known = appraise(site, 0, "");
    assert_authentic(&known);
    known = appraise(site, 1, "203.0.113.10");
    assert_authentic(&known);
    known = appraise(site, 1, "203.0.113.9"); /* what is known by now is the stranger's, too */
    assert_authentic(&known);
    close_site(site);
}

static void tls_is_verified(void **state)
{
    (void)state;
    struct site *site = open_site((struct manner){.tls = true, .without_ca = true});
    nginx_start(site->nginx, "", "");
    struct appraised refused = appraise(site, 0, "");
    assert_unavailable(&refused);
    assert_int_equal(nginx_requests(site->nginx, ""), 0);
    char error[256] = "";
    assert_false(attestd_endorsements_prefetch(site->front, "snp.crl", "Genoa", error, sizeof error));
    close_front(site);
    site->manner.without_ca = false;
    open_front(site);
    struct appraised good = appraise(site, 0, "");
    assert_authentic(&good);
    assert_int_equal(nginx_requests(site->nginx, "200 "), 3);
    close_site(site);
}

static void prefetched_endorsements_serve_when_kds_is_gone(void **state)
{
    (void)state;
    char key[512], error[256] = "";
    struct site *site = open_site((struct manner){0});
    nginx_start(site->nginx, "", "");
    const struct sim_snp_tcb *tcb = &site->guests[0].reported_tcb;
    snprintf(key, sizeof key, "Genoa/%s/blSPL=%u&teeSPL=%u&snpSPL=%u&ucodeSPL=%u", site->hwid[0], tcb->bootloader, tcb->tee, tcb->snp,
             tcb->microcode);
    static const char *const kinds[] = {"snp.ask", "snp.ark", "snp.crl"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (!attestd_endorsements_prefetch(site->front, kinds[i], "Genoa", error, sizeof error))
            fail_msg("%s: %s", kinds[i], error);
    if (!attestd_endorsements_prefetch(site->front, "snp.vcek", key, error, sizeof error))
        fail_msg("%s: %s", key, error);
    assert_false(attestd_endorsements_prefetch(site->front, "snp.vlek", "x", error, sizeof error));
    assert_non_null(strstr(error, "cloud provider"));
    nginx_stop(site->nginx);
    struct appraised good = appraise(site, 0, "");
    assert_authentic(&good);
    assert_string_equal(good.vek_source, "cache");
    close_site(site);
}

static void an_export_carries_a_site_without_a_network(void **state)
{
    (void)state;
    struct site *site = open_site((struct manner){0}), *island = open_site((struct manner){0});
    struct attestd_text text = {0};
    char error[256] = "";
    nginx_start(site->nginx, "", "");
    struct appraised first = appraise(site, 0, "");
    assert_authentic(&first);
    attestd_endorsements_export(site->front, &text);
    assert_true(attestd_endorsements_import(island->front, (const uint8_t *)text.data, text.len, error, sizeof error) >= 3);
    struct sim_bytes ark = sim_snp_ark(world.vendor), other = sim_snp_ark(world.stranger);
    assert_int_equal(attestd_endorsements_import(island->front, ark.data, ark.len, error, sizeof error), 1);
    assert_int_equal(attestd_endorsements_import(island->front, other.data, other.len, error, sizeof error), 0);
    assert_non_null(strstr(error, "match no pin"));
    free(ark.data);
    free(other.data);
    struct appraised there = appraise(island, 0, ""); /* its nginx was never started */
    assert_authentic(&there);
    assert_string_equal(there.vek_source, "cache");
    attestd_text_free(&text);
    close_site(site);
    close_site(island);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sixty_four_requests_for_an_unseen_chip_make_one_upstream_request),
        cmocka_unit_test(throttled_answers_store_nothing),
        cmocka_unit_test(server_errors_store_nothing),
        cmocka_unit_test(html_stores_nothing_and_is_held_back),
        cmocka_unit_test(a_missing_chip_is_held_back),
        cmocka_unit_test(truncated_der_stores_nothing_and_is_held_back),
        cmocka_unit_test(another_chip_s_certificate_is_not_stored_and_held_back),
        cmocka_unit_test(a_certificate_of_another_issuer_is_not_stored_and_held_back),
        cmocka_unit_test(a_stranger_s_flood_of_random_chips_does_not_stop_a_known_caller),
        cmocka_unit_test(tls_is_verified),
        cmocka_unit_test(prefetched_endorsements_serve_when_kds_is_gone),
        cmocka_unit_test(an_export_carries_a_site_without_a_network),
        cmocka_unit_test(with_kds_stopped_warm_chips_verify_and_unseen_ones_wait_for_its_return),
    };
    return cmocka_run_group_tests(tests, begin_world, end_world);
}
