/* SPDX-License-Identifier: Apache-2.0 */
/* Where endorsements stand: shelves over a store, operators' folders recognised by content, archives; real ones from the vectors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cache/archive.h"
#include "cache/directory.h"
#include "cache/shelves.h"
#include "core/encoding.h"
#include "sdk/simulator/simulator.h"
#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define NOW INT64_C(1795219200) /* 2026-11-21T00:00:00Z */
#define DAY INT64_C(86400)

static struct attestd_engine *engine;
static struct sim_snp_vendor *vendor;
static char folder[64];

static int begin(void **state)
{
    (void)state;
    const char *build = getenv("ATTESTD_BUILD");
    char path[4096], error[512] = "";
    snprintf(path, sizeof path, "%s/plugins", build);
    engine = attestd_engine_new();
    if (!attestd_engine_load(engine, path, "snp", error, sizeof error)) {
        print_error("%s\n", error);
        return -1;
    }
    snprintf(path, sizeof path, "%s/simulated-shelves", build);
    vendor = sim_snp_vendor_open(path, SIM_SNP_GENOA);
    return vendor != NULL ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    sim_snp_vendor_free(vendor);
    attestd_engine_free(engine);
    return 0;
}

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/attestd-shelves-XXXXXX");
    return mkdtemp(folder) != NULL ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *where)
{
    (void)info, (void)type, (void)where;
    return remove(path);
}

static int drop_folder(void **state)
{
    (void)state;
    return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void write_file(const char *name, const void *bytes, size_t len)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    fclose(file);
}

static void make_directory(const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(mkdir(path, 0755), 0);
}

static struct endorsement *of_bytes(struct sim_bytes bytes, int32_t life)
{
    assert_non_null(bytes.data);
    struct endorsement *endorsement = endorsement_new(bytes.data, bytes.len, "vendor", NOW, life);
    free(bytes.data);
    assert_non_null(endorsement);
    return endorsement;
}

static struct endorsement *list_of(uint64_t number, int64_t issued)
{
    const struct sim_snp_crl list = {.this_update = issued, .next_update = issued + 30 * DAY, .number = number};
    struct endorsement *read = of_bytes(sim_snp_crl(vendor, &list), ATTESTD_AGEING);
    assert_int_equal(read->number, number);
    assert_int_equal(read->this_update, issued);
    assert_int_equal(read->next_update, issued + 30 * DAY);
    struct endorsement *authentic = endorsement_copy(read, NOW, read->next_update, number);
    endorsement_free(read);
    return authentic;
}

/* Shelves */

static struct attestd_store *open_store(const char *name)
{
    char path[256], error[256] = "";
    snprintf(path, sizeof path, "%s/%s/%s.mdb", folder, name, name);
    const struct attestd_store_options options = {.path = path, .max_size = 4 << 20};
    struct attestd_store *store = attestd_store_open(&options, error, sizeof error);
    if (store == NULL)
        fail_msg("%s", error);
    return store;
}

static void assert_stands(struct shelves *shelves, const char *kind, const char *key, const struct endorsement *expected)
{
    struct shelf_view view;
    shelves_find(shelves, kind, key, NOW, &view);
    if (expected == NULL) {
        assert_null(view.authentic);
    } else {
        assert_non_null(view.authentic);
        assert_true(endorsement_same(view.authentic, expected->sha256));
        assert_int_equal(view.authentic->number, expected->number);
        assert_true(view.authentic->authentic);
    }
    shelf_view_clear(&view);
}

static void a_list_never_goes_back(void **state)
{
    (void)state;
    struct attestd_store *store = open_store("cache");
    struct shelves *shelves = shelves_new(engine, NULL, store, NULL);
    struct endorsement *older = list_of(7, NOW - 3 * DAY), *newer = list_of(8, NOW - 5 * DAY), *newest = list_of(9, NOW - DAY);
    assert_true(shelves_store(shelves, "snp.crl", "Genoa", newer, false));
    assert_false(shelves_store(shelves, "snp.crl", "Genoa", older, false)); /* the number decides, not the date */
    assert_false(shelves_store(shelves, "snp.crl", "Genoa", older, true));
    assert_stands(shelves, "snp.crl", "Genoa", newer);
    assert_stands(shelves, "snp.crl", "Milan", NULL);
    shelves_free(shelves);
    assert_true(attestd_store_flush(store));

    shelves = shelves_new(engine, NULL, store, NULL);
    assert_stands(shelves, "snp.crl", "Genoa", newer);
    assert_false(shelves_store(shelves, "snp.crl", "Genoa", older, false));
    assert_true(shelves_store(shelves, "snp.crl", "Genoa", newest, false));
    shelves_free(shelves);
    attestd_store_close(store);
    store = open_store("cache");
    shelves = shelves_new(engine, NULL, store, NULL);
    assert_stands(shelves, "snp.crl", "Genoa", newest);
    shelves_free(shelves);
    attestd_store_close(store);
    endorsement_free(older);
    endorsement_free(newer);
    endorsement_free(newest);
}

static void an_arrival_lasts_until_its_end_or_doubt(void **state)
{
    (void)state;
    struct shelves *shelves = shelves_new(engine, NULL, NULL, NULL);
    struct endorsement *ask = of_bytes(sim_snp_ask(vendor), ATTESTD_IMMUTABLE);
    struct shelf_view view;
    shelves_arrive(shelves, "snp.ask", "Genoa", ask, NOW + 60);
    shelves_find(shelves, "snp.ask", "Genoa", NOW + 59, &view);
    assert_non_null(view.arrived);
    assert_null(view.authentic);
    assert_null(view.imported);
    shelf_view_clear(&view);
    shelves_doubt(shelves, "snp.ask", "Genoa", ask->sha256, NOW + 10);
    shelves_find(shelves, "snp.ask", "Genoa", NOW + 10, &view);
    assert_null(view.arrived);
    shelf_view_clear(&view);

    shelves_arrive(shelves, "snp.ask", "Genoa", ask, NOW + 60);
    struct endorsement *accepted = endorsement_copy(ask, NOW, 0, 0);
    assert_true(shelves_store(shelves, "snp.ask", "Genoa", accepted, false));
    shelves_find(shelves, "snp.ask", "Genoa", NOW, &view);
    assert_null(view.arrived); /* it was accepted */
    assert_non_null(view.authentic);
    shelf_view_clear(&view);
    shelves_free(shelves);
    endorsement_free(accepted);
    endorsement_free(ask);
}

static void renewal_moves_the_date_and_nothing_else(void **state)
{
    (void)state;
    struct attestd_store *store = open_store("cache");
    struct shelves *shelves = shelves_new(engine, NULL, store, NULL);
    struct endorsement *list = list_of(8, NOW - DAY), *other = list_of(9, NOW);
    assert_true(shelves_store(shelves, "snp.crl", "Genoa", list, false));
    shelves_renew(shelves, "snp.crl", "Genoa", other->sha256, NOW + DAY);
    struct shelf_view view;
    shelves_find(shelves, "snp.crl", "Genoa", NOW, &view);
    assert_int_equal(view.authentic->fetched, NOW);
    shelf_view_clear(&view);
    shelves_renew(shelves, "snp.crl", "Genoa", list->sha256, NOW + DAY);
    shelves_free(shelves);
    attestd_store_close(store);
    store = open_store("cache");
    shelves = shelves_new(engine, NULL, store, NULL);
    shelves_find(shelves, "snp.crl", "Genoa", NOW, &view);
    assert_int_equal(view.authentic->fetched, NOW + DAY);
    assert_int_equal(view.authentic->number, 8);
    assert_int_equal(view.authentic->next_update, list->next_update);
    assert_string_equal(view.authentic->source, "vendor");
    shelf_view_clear(&view);
    shelves_free(shelves);
    attestd_store_close(store);
    endorsement_free(list);
    endorsement_free(other);
}

static void imports_stand_apart_from_what_is_authentic(void **state)
{
    (void)state;
    struct attestd_store *store = open_store("cache");
    struct shelves *shelves = shelves_new(engine, NULL, store, NULL);
    struct endorsement *ask = of_bytes(sim_snp_ask(vendor), ATTESTD_IMMUTABLE);
    assert_true(shelves_import(shelves, "snp.ask", "Genoa", ask));
    shelves_free(shelves);
    attestd_store_close(store);
    store = open_store("cache");
    shelves = shelves_new(engine, NULL, store, NULL);
    struct shelf_view view;
    shelves_find(shelves, "snp.ask", "Genoa", NOW, &view);
    assert_null(view.authentic);
    assert_non_null(view.imported);
    assert_false(view.imported->authentic);
    assert_true(endorsement_same(view.imported, ask->sha256));
    shelf_view_clear(&view);
    shelves_free(shelves);
    attestd_store_close(store);
    endorsement_free(ask);
}

static void only_pinned_roots_are_kept_and_outlive_the_cache(void **state)
{
    (void)state;
    struct attestd_store *cache = open_store("cache"), *state_store = open_store("state");
    struct attestd_anchor_set *pins = attestd_anchor_set_new();
    struct endorsement *ark = of_bytes(sim_snp_ark(vendor), ATTESTD_ANCHOR), *ask = of_bytes(sim_snp_ask(vendor), ATTESTD_ANCHOR);
    assert_true(attestd_anchor_set_add_certificate(pins, "snp/Genoa", ark->bytes, ark->len, true));
    attestd_anchor_set_seal(pins);
    struct shelves *shelves = shelves_new(engine, pins, cache, state_store);
    assert_true(shelves_add_anchor(shelves, "snp.ark", "Genoa", ark));
    assert_false(shelves_add_anchor(shelves, "snp.ark", "Genoa", ask));
    shelves_free(shelves);
    attestd_store_close(cache);
    attestd_store_close(state_store);
    state_store = open_store("state");
    shelves = shelves_new(engine, pins, NULL, state_store);
    struct candidates candidates = {.count = 0};
    shelves_find_anchors(shelves, "snp.ark", "Genoa", &candidates);
    assert_int_equal(candidates.count, 1);
    assert_true(endorsement_same(candidates.items[0], ark->sha256));
    candidates_clear(&candidates);
    struct endorsement *found = shelves_anchor(shelves, ark->sha256);
    assert_non_null(found);
    endorsement_free(found);
    assert_null(shelves_anchor(shelves, ask->sha256));
    shelves_free(shelves);
    attestd_store_close(state_store);
    attestd_anchor_set_free(pins);
    endorsement_free(ark);
    endorsement_free(ask);
}

static void candidates_come_in_the_order_of_their_use(void **state)
{
    (void)state;
    struct endorsement *over = list_of(9, NOW - 60 * DAY), *old = list_of(5, NOW - 20 * DAY), *current = list_of(6, NOW - DAY),
                       *coming = list_of(10, NOW + DAY);
    struct candidates candidates = {.count = 0};
    struct endorsement *const given[] = {coming, over, old, current, old};
    for (size_t i = 0; i < sizeof given / sizeof *given; i++)
        candidates_add(&candidates, given[i]);
    candidates_add(&candidates, NULL);
    assert_int_equal(candidates.count, 4); /* repeats are left out */
    candidates_sort(&candidates, NOW);
    struct endorsement *const expected[] = {current, old, over, coming};
    for (size_t i = 0; i < 4; i++)
        assert_ptr_equal(candidates.items[i], expected[i]);
    assert_true(endorsement_fresh(current, NOW + 3600, DAY));
    assert_false(endorsement_fresh(current, NOW + 2 * DAY, DAY));
    assert_false(endorsement_fresh(over, NOW, DAY));
    candidates_clear(&candidates);
    endorsement_free(over);
    endorsement_free(old);
    endorsement_free(current);
    endorsement_free(coming);
}

/* Folders */

static struct directory *open_directory(const char *name)
{
    char path[256], error[256] = "";
    snprintf(path, sizeof path, "%s/%s", folder, name);
    const char *const paths[] = {path, NULL};
    struct directory *directory = directory_new(engine, paths, error, sizeof error);
    if (directory == NULL)
        fail_msg("%s", error);
    return directory;
}

static size_t count_in(struct directory *directory, const char *kind, const char *key)
{
    struct candidates candidates = {.count = 0};
    directory_find(directory, kind, key, &candidates);
    size_t count = candidates.count;
    for (size_t i = 0; i < count; i++)
        assert_string_equal(candidates.items[i]->source, "directory");
    candidates_clear(&candidates);
    return count;
}

static void files_are_recognised_by_content_whatever_their_names(void **state)
{
    (void)state;
    struct sim_bytes ark = sim_snp_ark(vendor), ask = sim_snp_ask(vendor), asvk = sim_snp_asvk(vendor);
    struct sim_bytes pem = sim_pem(ask, "CERTIFICATE"), second = sim_pem(asvk, "CERTIFICATE");
    char *both = malloc(pem.len + second.len);
    memcpy(both, pem.data, pem.len);
    memcpy(both + pem.len, second.data, second.len);
    make_directory("e");
    make_directory("e/deeper");
    write_file("e/holiday.jpg", ark.data, ark.len);
    write_file("e/deeper/chain.txt", both, pem.len + second.len);
    write_file("e/README", "nothing to see", 14);
    write_file("e/cut.der", ark.data, ark.len - 1);
    write_file("e/empty", "", 0);
    write_file("e/.hidden", ask.data, ask.len);
    char fifo[128];
    snprintf(fifo, sizeof fifo, "%s/e/pipe", folder);
    assert_int_equal(mkfifo(fifo, 0600), 0); /* must not block */
    struct directory *directory = open_directory("e");
    assert_int_equal(count_in(directory, "snp.ark", "Genoa"), 1);
    assert_int_equal(count_in(directory, "snp.ask", "Genoa"), 1);
    assert_int_equal(count_in(directory, "snp.asvk", "Genoa"), 1);
    assert_int_equal(count_in(directory, "snp.ark", "Milan"), 0);
    directory_free(directory);
    free(ark.data);
    free(ask.data);
    free(asvk.data);
    free(pem.data);
    free(second.data);
    free(both);
}

static void a_changed_folder_is_read_again(void **state)
{
    (void)state;
    struct sim_bytes ark = sim_snp_ark(vendor), ask = sim_snp_ask(vendor);
    char link[128], next[128];
    /* as a ConfigMap is mounted: files are links into ..data, which is a link that is swapped */
    make_directory("m");
    make_directory("m/..2026_1");
    make_directory("m/..2026_2");
    write_file("m/..2026_1/a", ark.data, ark.len);
    write_file("m/..2026_2/a", ask.data, ask.len);
    snprintf(link, sizeof link, "%s/m/..data", folder);
    snprintf(next, sizeof next, "%s/m/..data_tmp", folder);
    assert_int_equal(symlink("..2026_1", link), 0);
    char file[128];
    snprintf(file, sizeof file, "%s/m/a", folder);
    assert_int_equal(symlink("..data/a", file), 0);
    struct directory *directory = open_directory("m");
    assert_int_equal(count_in(directory, "snp.ark", "Genoa"), 1);
    assert_int_equal(count_in(directory, "snp.ask", "Genoa"), 0);
    assert_int_equal(symlink("..2026_2", next), 0);
    assert_int_equal(rename(next, link), 0);
    usleep(2100000);
    assert_int_equal(count_in(directory, "snp.ark", "Genoa"), 0);
    assert_int_equal(count_in(directory, "snp.ask", "Genoa"), 1);
    directory_free(directory);
    free(ark.data);
    free(ask.data);
}

static void a_path_that_is_no_folder_is_refused(void **state)
{
    (void)state;
    char error[256] = "", path[128];
    write_file("file", "x", 1);
    snprintf(path, sizeof path, "%s/file", folder);
    const char *const paths[] = {folder, path, NULL};
    assert_null(directory_new(engine, paths, error, sizeof error));
    assert_non_null(strstr(error, path));
}

/* Archives */

struct collected {
    size_t count;
    char kinds[8][ENDORSEMENT_KIND_MAX + 1];
    struct endorsement *items[8];
};

static void collect(void *context, const char *kind, const char *key, struct endorsement *endorsement)
{
    struct collected *collected = context;
    assert_string_equal(key, "Genoa");
    assert_true(collected->count < 8);
    snprintf(collected->kinds[collected->count], sizeof collected->kinds[0], "%s", kind);
    collected->items[collected->count++] = endorsement_retain(endorsement);
}

static void clear_collected(struct collected *collected)
{
    for (size_t i = 0; i < collected->count; i++)
        endorsement_free(collected->items[i]);
    collected->count = 0;
}

static void an_archive_reads_back_what_was_written(void **state)
{
    (void)state;
    int64_t now = (int64_t)time(NULL);
    struct endorsement *ask = of_bytes(sim_snp_ask(vendor), ATTESTD_IMMUTABLE), *list = list_of(8, NOW - DAY);
    struct endorsement *tomorrow = endorsement_copy(ask, now + DAY, 0, 0);
    struct attestd_text text = {0};
    struct archive_writer writer;
    archive_begin(&writer, &text);
    archive_entry(&writer, "snp.ask", "Genoa", ask);
    archive_entry(&writer, "snp.crl", "Genoa", list);
    archive_entry(&writer, "snp.ark", "Genoa", ask); /* which it is not */
    archive_entry(&writer, "snp.ask", "Genoa", tomorrow);
    archive_end(&writer);
    struct collected collected = {0};
    assert_true(archive_read(engine, (const uint8_t *)text.data, text.len, collect, &collected));
    assert_int_equal(collected.count, 3);
    assert_string_equal(collected.kinds[0], "snp.ask");
    assert_true(endorsement_same(collected.items[0], ask->sha256));
    assert_int_equal(collected.items[0]->fetched, NOW < now ? NOW : now);
    assert_string_equal(collected.items[0]->source, "import");
    assert_false(collected.items[1]->authentic); /* whatever the site where it was written thought of it */
    assert_int_equal(collected.items[1]->number, 8);
    assert_int_equal(collected.items[1]->next_update, list->next_update);
    assert_in_range(collected.items[2]->fetched, now, now + 5); /* not in the future */
    clear_collected(&collected);
    attestd_text_free(&text);
    endorsement_free(ask);
    endorsement_free(tomorrow);
    endorsement_free(list);
}

static void altered_entries_of_an_archive_are_passed_over(void **state)
{
    (void)state;
    struct endorsement *ask = of_bytes(sim_snp_ask(vendor), ATTESTD_IMMUTABLE);
    struct attestd_text text = {0};
    struct archive_writer writer;
    archive_begin(&writer, &text);
    archive_entry(&writer, "snp.ask", "Genoa", ask);
    archive_end(&writer);
    struct collected collected = {0};
    char *bytes = strstr(text.data, "\"bytes\"");
    assert_non_null(bytes);
    for (size_t i = 0; i < 200; i += 7) {
        char *at = bytes + 10 + i, before = *at;
        *at = before == 'A' ? 'B' : 'A';
        assert_true(archive_read(engine, (const uint8_t *)text.data, text.len, collect, &collected));
        assert_int_equal(collected.count, 0);
        *at = before;
    }
    assert_false(archive_read(engine, (const uint8_t *)text.data, text.len - 3, collect, &collected));
    assert_false(archive_read(engine, (const uint8_t *)"{\"attestd_endorsements\": 2, \"entries\": []}", 42, collect, &collected));
    assert_false(archive_read(engine, (const uint8_t *)"{}", 2, collect, &collected));
    assert_false(archive_read(engine, NULL, 0, collect, &collected));
    assert_int_equal(collected.count, 0);
    assert_true(archive_read(engine, (const uint8_t *)text.data, text.len, collect, &collected));
    assert_int_equal(collected.count, 1);
    clear_collected(&collected);
    attestd_text_free(&text);
    endorsement_free(ask);
}

/* AMD's own, in place */

struct expectation {
    struct directory *directory;
    size_t objects, of_kind[6];
};

static const char *const kinds[6] = {"snp.ark", "snp.ask", "snp.asvk", "snp.vcek", "snp.vlek", "snp.crl"};

static void expect_found(void *context, const char *kind, const char *key, const uint8_t *bytes, size_t len)
{
    struct expectation *expectation = context;
    struct endorsement *object = endorsement_new(bytes, len, "directory", 0, ATTESTD_IMMUTABLE);
    struct candidates candidates = {.count = 0};
    bool found = false;
    directory_find(expectation->directory, kind, key, &candidates);
    for (size_t i = 0; i < candidates.count; i++)
        found |= endorsement_same(candidates.items[i], object->sha256);
    if (!found)
        fail_msg("%s %s is not found", kind, key);
    candidates_clear(&candidates);
    endorsement_free(object);
    expectation->objects++;
    for (size_t i = 0; i < 6; i++)
        expectation->of_kind[i] += strcmp(kinds[i], kind) == 0;
}

static void expect_file(struct expectation *expectation, const char *directory, const char *name)
{
    static uint8_t bytes[1 << 20];
    char path[4096];
    const char *end_of = strrchr(name, '.');
    if (end_of == NULL || (strcmp(end_of, ".pem") != 0 && strcmp(end_of, ".der") != 0))
        return;
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t len = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    (void)endorsement_identify(engine, bytes, len, expect_found, expectation);
}

static void assert_pinned(struct directory *directory, const char *product, const char *sha256)
{
    struct candidates candidates = {.count = 0};
    uint8_t expected[32];
    size_t len;
    bool found = false;
    assert_true(attestd_hex_decode(sha256, 64, expected, sizeof expected, &len));
    directory_find(directory, "snp.ark", product, &candidates);
    for (size_t i = 0; i < candidates.count; i++)
        found |= endorsement_same(candidates.items[i], expected);
    assert_true(found);
    candidates_clear(&candidates);
}

static void real_endorsements_are_recognised_in_place(void **state)
{
    (void)state;
    const char *vectors = getenv("ATTESTD_VECTORS");
    char path[4096], error[256] = "";
    snprintf(path, sizeof path, "%s/snp", vectors != NULL ? vectors : "");
    if (access(path, R_OK) != 0) {
        print_message("SKIPPED: no vectors at %s: nothing of AMD's own was tried\n", path);
        skip();
    }
    const char *const paths[] = {path, NULL};
    struct expectation expectation = {.directory = directory_new(engine, paths, error, sizeof error)};
    assert_non_null(expectation.directory);
    DIR *listing = opendir(path);
    assert_non_null(listing);
    for (const struct dirent *entry; (entry = readdir(listing)) != NULL;)
        expect_file(&expectation, path, entry->d_name);
    closedir(listing);
    for (size_t i = 0; i < 6; i++)
        if (expectation.of_kind[i] == 0)
            fail_msg("no %s among %zu objects", kinds[i], expectation.objects);
    assert_true(expectation.of_kind[3] >= 10);
    assert_pinned(expectation.directory, "Genoa", "4c6598d19c18719c5dfd4a7d335f674e5bfe1d8f800cea2cf270c10d103db2f1");
    directory_free(expectation.directory);
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, drop_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_FOLDER(a_list_never_goes_back),
        cmocka_unit_test(an_arrival_lasts_until_its_end_or_doubt),
        IN_A_FOLDER(renewal_moves_the_date_and_nothing_else),
        IN_A_FOLDER(imports_stand_apart_from_what_is_authentic),
        IN_A_FOLDER(only_pinned_roots_are_kept_and_outlive_the_cache),
        cmocka_unit_test(candidates_come_in_the_order_of_their_use),
        IN_A_FOLDER(files_are_recognised_by_content_whatever_their_names),
        IN_A_FOLDER(a_changed_folder_is_read_again),
        IN_A_FOLDER(a_path_that_is_no_folder_is_refused),
        cmocka_unit_test(an_archive_reads_back_what_was_written),
        cmocka_unit_test(altered_entries_of_an_archive_are_passed_over),
        cmocka_unit_test(real_endorsements_are_recognised_in_place),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
