/* SPDX-License-Identifier: Apache-2.0 */
/* A site without a network: reports verified from folders and imports alone, and what is kept of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cache/directory.h"
#include "cache/shelf_record.h"
#include "cache/shelves.h"
#include "core/bytes.h"
#include "site.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define DAY INT64_C(86400)

static void pause_ms(unsigned ms)
{
    const struct timespec moment = {ms / 1000, (long)(ms % 1000) * 1000000};
    nanosleep(&moment, NULL);
}

static const char *in_folder(const char *name)
{
    static char path[160];
    snprintf(path, sizeof path, "%s/%s", site.folder, name);
    return path;
}

static struct candidates find(struct directory *directory, const char *kind, const char *key)
{
    struct candidates candidates = {.count = 0};
    directory_find(directory, kind, key, &candidates);
    return candidates;
}

static size_t count(struct directory *directory, const char *kind, const char *key)
{
    struct candidates candidates = find(directory, kind, key);
    size_t found = candidates.count;
    candidates_clear(&candidates);
    return found;
}

static struct directory *open_directory(const char *path)
{
    const char *const paths[] = {path, NULL};
    char error[256] = "";
    struct directory *directory = directory_new(site.engine, paths, error, sizeof error);
    if (directory == NULL)
        fail_msg("%s", error);
    return directory;
}

/* The chain, list and VCEK of a guest, as a vendor's service would be downloaded. */
static void write_downloads(const struct sim_snp_guest *guest, uint64_t number)
{
    struct sim_snp_crl list = site_list(number, 30 * DAY);
    struct sim_bytes ask = sim_snp_ask(site.vendor), ark = sim_snp_ark(site.vendor);
    struct sim_bytes ask_pem = sim_pem(ask, "CERTIFICATE"), ark_pem = sim_pem(ark, "CERTIFICATE");
    struct sim_bytes chain = {malloc(ask_pem.len + ark_pem.len), ask_pem.len + ark_pem.len};
    assert_non_null(chain.data);
    memcpy(chain.data, ask_pem.data, ask_pem.len);
    memcpy(chain.data + ask_pem.len, ark_pem.data, ark_pem.len);
    site_write(chain, "down/cert_chain.txt");
    site_write(sim_snp_crl(site.vendor, &list), "down/lists/anything");
    site_write(sim_snp_vek(site.vendor, guest), "down/a/b/c/chip.bin");
    free(ask.data);
    free(ark.data);
    free(ask_pem.data);
    free(ark_pem.data);
}

static void rubbish_hidden_and_deep_files_are_passed_over(void **state)
{
    (void)state;
    struct sim_bytes rubbish = {calloc(1, 5000), 5000};
    assert_non_null(rubbish.data);
    site_write(rubbish, "down/rubbish.der");
    site_write((struct sim_bytes){calloc(1, 1), 0}, "down/empty");
    struct sim_bytes whole = sim_snp_ask(site.vendor);
    site_write((struct sim_bytes){whole.data, whole.len - 1}, "down/cut.der");
    site_write(sim_snp_ask(site.vendor), "down/.hidden.der");
    site_write(sim_snp_ask(site.vendor), "down/..data/ask.der");
    site_write(sim_snp_ask(site.vendor), "down/1/2/3/4/5/6/ask.der");
    struct directory *directory = open_directory(in_folder("down"));
    assert_int_equal(count(directory, "snp.ask", "Genoa"), 0);
    site_write(sim_snp_ark(site.vendor), "down/ark.der");
    pause_ms(2200);
    assert_int_equal(count(directory, "snp.ark", "Genoa"), 1);
    directory_free(directory);
}

static void folders_alone_verify_a_report_offline(void **state)
{
    struct sim_snp_guest guest;
    (void)state;
    site_guest(&guest, 7);
    write_downloads(&guest, 3);
    const char *const paths[] = {in_folder("down"), NULL};
    struct desk desk = site_desk(NULL, paths, NULL);
    struct visit visit = {.guest = &guest};
    visit_run(&desk, &visit);
    assert_true(visit.authentic);
    assert_int_equal(visit_outcome(&visit, "snp.revocation"), ATTESTD_PASS);
    assert_string_equal(visit_source(&visit, "snp.vcek"), "directory");
    assert_string_equal(visit_source(&visit, "snp.crl"), "directory");
    assert_string_equal(visit_source(&visit, "snp.ark"), "directory");
    visit_end(&visit);
    assert_true(attestd_endorsements_counts(desk.endorsements).directory_hits >= 4);
    assert_int_equal(site_count(&desk, "snp.vcek", NULL), 0); /* it is in the folder the next time, too */
    visit = (struct visit){.guest = &guest};
    visit_run(&desk, &visit);
    assert_string_equal(visit_source(&visit, "snp.ark"), "anchors"); /* whose bytes are kept */
    visit_end(&visit);
    site_desk_close(&desk);
}

static void what_nobody_has_is_absent_offline(void **state)
{
    struct sim_snp_guest guest;
    (void)state;
    site_guest(&guest, 7);
    struct desk desk = site_desk(NULL, NULL, NULL);
    struct visit visit = {.guest = &guest};
    visit_run(&desk, &visit);
    assert_false(visit.authentic);
    assert_int_equal(visit_outcome(&visit, "snp.vek"), ATTESTD_UNAVAILABLE);
    visit_end(&visit);
    site_desk_close(&desk);
}

/* A list that the attester encloses must not come back as the cache's own. */
static void a_list_out_of_the_evidence_is_not_stored_but_its_certificate_is(void **state)
{
    struct sim_snp_guest guest;
    (void)state;
    site_guest(&guest, 7);
    write_downloads(&guest, 3);
    assert_int_equal(unlink(in_folder("down/lists/anything")), 0);
    const char *const paths[] = {in_folder("down"), NULL};
    struct desk desk = site_desk(NULL, paths, NULL);
    struct visit visit = {.guest = &guest, .enclose = true};
    visit_run(&desk, &visit);
    assert_true(visit.authentic);
    assert_string_equal(visit_source(&visit, "snp.crl"), "evidence");
    visit_end(&visit);
    assert_int_equal(site_count(&desk, "snp.crl", NULL), 0);
    assert_int_equal(site_count(&desk, "snp.vcek", NULL), 1);
    site_desk_close(&desk);
}

static void import_file(struct desk *desk, struct sim_bytes bytes, size_t expected)
{
    char error[256] = "";
    size_t imported = attestd_endorsements_import(desk->endorsements, bytes.data, bytes.len, error, sizeof error);
    if (imported != expected)
        fail_msg("%zu imported: %s", imported, error);
    free(bytes.data);
}

static void what_is_exported_here_serves_there(void **state)
{
    struct sim_snp_guest guest;
    char error[256] = "";
    struct attestd_text text = {0};
    struct sim_snp_crl list = site_list(8, 20 * DAY);
    (void)state;
    site_guest(&guest, 9);
    struct desk desk = site_desk(NULL, NULL, NULL);
    import_file(&desk, sim_snp_ask(site.vendor), 1);
    import_file(&desk, sim_snp_crl(site.vendor, &list), 1);
    import_file(&desk, sim_snp_vek(site.vendor, &guest), 1);
    attestd_endorsements_export(desk.endorsements, &text);
    site_desk_close(&desk);
    char old[160];
    snprintf(old, sizeof old, "%s", in_folder("old"));
    assert_int_equal(rename(in_folder("state"), old), 0);

    desk = site_desk(NULL, NULL, NULL);
    assert_int_equal(attestd_endorsements_import(desk.endorsements, (const uint8_t *)text.data, text.len, error, sizeof error), 3);
    import_file(&desk, sim_snp_ark(site.vendor), 1);
    struct visit visit = {.guest = &guest};
    visit_run(&desk, &visit);
    assert_true(visit.authentic);
    assert_string_equal(visit_source(&visit, "snp.vcek"), "cache");
    assert_string_equal(visit_source(&visit, "snp.ark"), "anchors");
    visit_end(&visit);
    site_desk_close(&desk);
    attestd_text_free(&text);
}

static void altered_records_of_the_cache_are_not_read(void **state)
{
    struct shelf_view view;
    uint8_t name[SHELF_RECORD_KEY];
    struct attestd_bytes value;
    (void)state;
    struct desk desk = site_desk(NULL, NULL, NULL);
    import_file(&desk, sim_snp_ask(site.vendor), 1);
    site_desk_close(&desk);

    struct attestd_arena *arena = attestd_arena_new();
    struct attestd_store *cache = site_store("cache.mdb");
    shelf_record_key("snp.ask", "Genoa", SHELF_IMPORTED, name);
    assert_true(attestd_store_get(cache, "endorsements", name, sizeof name, arena, &value));
    for (size_t at = 0; at < value.len; at += 97) {
        uint8_t *altered = attestd_arena_alloc(arena, value.len);
        memcpy(altered, value.data, value.len);
        altered[at] ^= 0x40;
        char kind[ENDORSEMENT_KIND_MAX + 1], key[ENDORSEMENT_KEY_MAX + 1];
        struct endorsement *endorsement = shelf_record_read((struct attestd_bytes){altered, value.len}, kind, key);
        assert_true(endorsement == NULL || attestd_bytes_are((struct attestd_bytes){endorsement->bytes, endorsement->len},
                                                             value.data + value.len - endorsement->len, endorsement->len));
        endorsement_free(endorsement);
        endorsement = shelf_record_read((struct attestd_bytes){value.data, at}, kind, key);
        assert_null(endorsement);
    }
    assert_true(attestd_store_put_now(cache, "endorsements", name, sizeof name, value.data, value.len - 1));
    struct shelves *shelves = shelves_new(site.engine, site.anchors, cache, NULL);
    shelves_find(shelves, "snp.ask", "Genoa", 0, &view);
    assert_null(view.imported);
    assert_null(view.authentic);
    shelf_view_clear(&view);
    shelves_free(shelves);
    attestd_store_close(cache);
    attestd_arena_free(arena);
}

static void answers_nobody_judged_are_few_and_forgotten_in_time(void **state)
{
    struct shelf_view view;
    (void)state;
    struct shelves *shelves = shelves_new(site.engine, site.anchors, NULL, NULL);
    for (unsigned i = 0; i < 200; i++) {
        char key[32];
        uint8_t bytes[64] = {(uint8_t)i};
        struct endorsement *endorsement = endorsement_new(bytes, sizeof bytes, "vendor", 100, ATTESTD_IMMUTABLE);
        snprintf(key, sizeof key, "chip-%u", i);
        shelves_arrive(shelves, "snp.vcek", key, endorsement, 700);
        endorsement_free(endorsement);
    }
    size_t kept = 0;
    for (unsigned i = 0; i < 200; i++) {
        char key[32];
        snprintf(key, sizeof key, "chip-%u", i);
        shelves_find(shelves, "snp.vcek", key, 699, &view);
        kept += view.arrived != NULL;
        shelf_view_clear(&view);
    }
    assert_int_equal(kept, 64);
    shelves_find(shelves, "snp.vcek", "chip-199", 700, &view);
    assert_null(view.arrived);
    shelf_view_clear(&view);
    shelves_free(shelves);
}

#define in_site(test) cmocka_unit_test_setup_teardown(test, site_folder, site_clean)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_site(rubbish_hidden_and_deep_files_are_passed_over),
        in_site(folders_alone_verify_a_report_offline),
        in_site(what_nobody_has_is_absent_offline),
        in_site(a_list_out_of_the_evidence_is_not_stored_but_its_certificate_is),
        in_site(what_is_exported_here_serves_there),
        in_site(altered_records_of_the_cache_are_not_read),
        in_site(answers_nobody_judged_are_few_and_forgotten_in_time),
    };
    return cmocka_run_group_tests(tests, site_begin, site_end);
}
