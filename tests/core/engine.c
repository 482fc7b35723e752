/* SPDX-License-Identifier: Apache-2.0 */
/* The loader's refusals, the catalogue, and the memos under threads. */
#include "tests/core/cmocka_includes.h"

#include "core/engine.h"
#include "core/memo.h"
#include "tests/core/script.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char error[512];

/* A sound descriptor that a test spoils. */
struct made {
    struct attestd_reason reasons[2], malformed[2];
    struct attestd_check check;
    const struct attestd_check *checks[3];
    const char *media_types[2];
    struct attestd_endorsement_kind kinds[2];
    struct attestd_plugin plugin;
};

static void make(struct made *m)
{
    memset(m, 0, sizeof *m);
    m->reasons[0] = (struct attestd_reason){"MADE_BAD", "Do better."};
    m->malformed[0] = (struct attestd_reason){"MADE_SHORT", "Send more."};
    m->check = (struct attestd_check){"made.check", "it is made", 1, ATTESTD_STRICT, ATTESTD_HARDWARE, 2, 32, 99, "here", m->reasons};
    m->checks[0] = &m->check;
    m->media_types[0] = "application/vnd.example.made";
    m->kinds[0] = (struct attestd_endorsement_kind){"made.cert", "certificate", ATTESTD_IMMUTABLE, 100};
    m->plugin = script_plugin;
    m->plugin.name = "made";
    m->plugin.media_types = m->media_types;
    m->plugin.checks = m->checks;
    m->plugin.malformed = m->malformed;
    m->plugin.endorsements = m->kinds;
}

static void expect_refusal(const struct made *m, const char *why)
{
    struct attestd_engine *engine = attestd_engine_new();
    assert_true(attestd_engine_add(engine, &script_plugin, error, sizeof error));
    error[0] = '\0';
    if (attestd_engine_add(engine, &m->plugin, error, sizeof error))
        fail_msg("accepted, where %s", why);
    if (strstr(error, why) == NULL)
        fail_msg("%s does not say %s", error, why);
    assert_null(strchr(error, '\n'));
    assert_int_equal(attestd_engine_plugin_count(engine), 1);
    attestd_engine_free(engine);
}

static void a_sound_descriptor_is_taken(void **state)
{
    (void)state;
    struct made m;
    make(&m);
    struct attestd_engine *engine = attestd_engine_new();
    assert_true(attestd_engine_add(engine, &m.plugin, error, sizeof error));
    assert_string_equal(attestd_engine_plugin(engine, "made")->version, "1");
    assert_non_null(attestd_engine_check(engine, "made.check"));
    assert_string_equal(attestd_engine_remedy(engine, "MADE_BAD"), "Do better.");
    assert_string_equal(attestd_engine_remedy(engine, "MADE_SHORT"), "Send more.");
    assert_string_equal(attestd_engine_remedy(engine, "NONCE_MISMATCH"),
                        "Collect new evidence with the nonce of this request; old evidence does not answer a new nonce.");
    assert_null(attestd_engine_remedy(engine, "NO_SUCH_CODE"));
    assert_string_equal(attestd_engine_endorsement_kind(engine, "made.cert")->title, "certificate");
    assert_ptr_equal(attestd_engine_plugin_for_media_type(engine, "Application/VND.example.made; x=y"),
                     attestd_engine_plugin(engine, "made"));
    attestd_engine_free(engine);
}

static int32_t init_fails(void)
{
    return 3;
}

static void unsound_descriptors_are_refused_with_one_line(void **state)
{
    (void)state;
    struct made m;
#define REFUSED(why, ...)                                                                                                                  \
    do {                                                                                                                                   \
        make(&m);                                                                                                                          \
        __VA_ARGS__;                                                                                                                       \
        expect_refusal(&m, why);                                                                                                           \
    } while (0)
    REFUSED("ABI version 2", m.plugin.abi_version = 2);
    REFUSED("too short", m.plugin.struct_size = 40);
    REFUSED("not [a-z0-9]+", m.plugin.name = "Made");
    REFUSED("not [a-z0-9]+", m.plugin.name = NULL);
    REFUSED("type is already taken", m.plugin.name = "script");
    REFUSED("name is core's", m.plugin.name = "policy");
    REFUSED("no version", m.plugin.version = "");
    REFUSED("no verify()", m.plugin.verify = NULL);
    REFUSED("unknown evidence class", m.plugin.evidence_class = 9);
    REFUSED("media type application/vnd.attestd.script is already taken", m.media_types[0] = "application/vnd.attestd.script");
    REFUSED("is not a media type", m.media_types[0] = "made");
    REFUSED("has no checks", m.plugin.checks = NULL);
    REFUSED("has no checks", m.checks[0] = NULL);
    REFUSED("does not begin with made.", m.check.id = "mode.check");
    REFUSED("does not begin with made.", m.check.id = NULL);
    REFUSED("is in its catalogue twice", m.checks[1] = &m.check);
    REFUSED("no title", m.check.title = NULL);
    REFUSED("no reference", m.check.reference = "");
    REFUSED("has no reasons", m.check.reasons = NULL);
    REFUSED("has no reasons", m.reasons[0].code = NULL);
    REFUSED("not UPPER_SNAKE", m.reasons[0].code = "made_bad");
    REFUSED("code MADE_BAD has no remedy", m.reasons[0].remedy = NULL);
    REFUSED("code SCRIPT_SOFT is already taken", m.reasons[0].code = "SCRIPT_SOFT");
    REFUSED("code NONCE_MISMATCH is already taken", m.malformed[0].code = "NONCE_MISMATCH");
    REFUSED("wrong default mode", m.check.default_mode = ATTESTD_WARN); /* fixed */
    REFUSED("wrong default mode", m.check.default_mode = 3; m.check.fixed = 0);
    REFUSED("outside AR4SI's tiers", m.check.affirming = 1);
    REFUSED("outside AR4SI's tiers", m.check.warning = 2);
    REFUSED("outside AR4SI's tiers", m.check.contraindicated = 0);
    REFUSED("outside AR4SI's tiers", m.check.claim = 8);
    REFUSED("endorsement kind cert does not begin", m.kinds[0].kind = "cert");
    REFUSED("wrong life or size", m.kinds[0].max_size = 0);
    REFUSED("wrong life or size", m.kinds[0].max_size = UINT32_MAX);
    REFUSED("init() failed with 3", m.plugin.init = init_fails);
}

/* Loading files. */

static char directory[256];

static void write_file(const char *name, const char *from)
{
    char path[512], buffer[65536];
    size_t len;
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *out = fopen(path, "wb"), *in = from != NULL ? fopen(from, "rb") : NULL;
    assert_non_null(out);
    while (in != NULL && (len = fread(buffer, 1, sizeof buffer, in)) > 0)
        fwrite(buffer, 1, len, out);
    if (in != NULL)
        fclose(in);
    fclose(out);
    assert_int_equal(chmod(path, 0644), 0);
}

static bool load(const char *name)
{
    struct attestd_engine *engine = attestd_engine_new();
    bool good = attestd_engine_load(engine, directory, name, error, sizeof error);
    if (good)
        assert_non_null(attestd_engine_plugin(engine, name));
    attestd_engine_free(engine);
    return good;
}

static int make_directory(void **state)
{
    (void)state;
    snprintf(directory, sizeof directory, "/tmp/attestd-engine-XXXXXX");
    assert_non_null(mkdtemp(directory));
    write_file("scripted.so", SCRIPTED);
    return 0;
}

static int remove_directory(void **state)
{
    static const char *const names[] = {"scripted.so", "other.so", "text.so", "empty.so"};
    char path[512];
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", directory, names[i]);
        unlink(path);
    }
    rmdir(directory);
    return 0;
}

static void a_plugin_is_loaded_from_a_trusted_directory(void **state)
{
    (void)state;
    if (!load("scripted"))
        fail_msg("%s", error);
}

static void untrusted_places_and_names_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        mode_t directory_mode, file_mode;
        const char *why;
    } cases[] = {
        {"scripted", 0757, 0644, "others can write"},
        {"scripted", 0755, 0646, "others can write"},
        {"../scripted", 0755, 0644, "not [a-z0-9]+"},
        {"Scripted", 0755, 0644, "not [a-z0-9]+"},
        {"", 0755, 0644, "not [a-z0-9]+"},
        {"absent", 0755, 0644, "No such file"},
    };
    char path[512];
    snprintf(path, sizeof path, "%s/scripted.so", directory);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        chmod(directory, cases[i].directory_mode);
        chmod(path, cases[i].file_mode);
        assert_false(load(cases[i].name));
        if (strstr(error, cases[i].why) == NULL)
            fail_msg("%s: %s", cases[i].name, error);
    }
    chmod(directory, 0755);
    chmod(path, 0644);
    if (geteuid() == 0) {
        assert_int_equal(chown(path, 65534, 0), 0);
        assert_true(!load("scripted") || geteuid() == 65534);
        assert_non_null(strstr(error, "belongs to another user"));
        assert_int_equal(chown(path, 0, 0), 0);
    }
    assert_true(load("scripted"));
}

static void files_that_are_no_plugins_are_refused(void **state)
{
    (void)state;
    write_file("text.so", __FILE__);
    assert_false(load("text"));
    write_file("empty.so", NULL);
    assert_false(load("empty"));
    write_file("other.so", SCRIPTED);
    assert_false(load("other"));
    assert_non_null(strstr(error, "calls itself scripted"));
}

/* Recognition. */

static int32_t always_80(const uint8_t *bytes, size_t len)
{
    (void)bytes;
    return len > 0 ? 80 : 0;
}

static int32_t always_90(const uint8_t *bytes, size_t len)
{
    (void)bytes;
    return len > 0 ? 90 : 0;
}

static void the_surest_plugin_alone_recognises(void **state)
{
    (void)state;
    struct made m;
    const uint8_t *bytes = (const uint8_t *)"check it";
    make(&m);
    for (int i = 0; i < 2; i++) {
        struct attestd_engine *engine = attestd_engine_new();
        m.plugin.recognise = i == 0 ? always_80 : always_90;
        assert_true(attestd_engine_add(engine, &script_plugin, error, sizeof error));
        assert_string_equal(attestd_engine_recognise(engine, bytes, 8)->name, "script");
        assert_null(attestd_engine_recognise(engine, bytes, 3));
        assert_true(attestd_engine_add(engine, &m.plugin, error, sizeof error));
        const struct attestd_plugin *plugin = attestd_engine_recognise(engine, bytes, 8);
        if (i == 0)
            assert_null(plugin); /* a tie */
        else
            assert_string_equal(plugin->name, "made");
        attestd_engine_free(engine);
    }
}

static void the_catalogue_is_json_with_every_check_and_code(void **state)
{
    (void)state;
    struct attestd_text text = {0};
    struct attestd_engine *engine = attestd_engine_new();
    assert_true(attestd_engine_add(engine, &script_plugin, error, sizeof error));
    attestd_engine_catalogue_json(engine, &text);
    json_t *json = attestd_json_read(text.data, text.len, 16, error, sizeof error);
    assert_non_null(json);
    const json_t *checks = json_object_get(json, "checks");
    assert_int_equal(json_array_size(checks), attestd_engine_check_count(engine));
    for (size_t i = 0; i < json_array_size(checks); i++) {
        const json_t *check = json_array_get(checks, i);
        const char *id = json_string_value(json_object_get(check, "id"));
        assert_ptr_equal(attestd_engine_check(engine, id), attestd_engine_check_at(engine, i));
        assert_true(json_array_size(json_object_get(check, "reasons")) > 0);
        const char *plugin = json_string_value(json_object_get(check, "plugin"));
        assert_string_equal(plugin, strncmp(id, "script.", 7) == 0 ? "script" : "core");
    }
    assert_int_equal(json_array_size(json_object_get(json, "malformed")), 1);
    assert_true(json_array_size(json_object_get(json, "problems")) > 40);
    json_decref(json);
    attestd_text_free(&text);
    attestd_engine_free(engine);
}

/* Memos. */

static atomic_int released;

static void release(void *object)
{
    atomic_fetch_add(&released, 1);
    free(object);
}

static struct memo_entry *put(struct memo_cache *cache, uint8_t number, size_t size, int64_t time, int64_t not_after)
{
    uint8_t key[32] = {number, (uint8_t)(number * 7), number};
    return memo_cache_put(cache, key, malloc(8), size, time, not_after, release, (struct memo_facts){false, false});
}

static bool there(struct memo_cache *cache, uint8_t number, int64_t time)
{
    uint8_t key[32] = {number, (uint8_t)(number * 7), number};
    struct memo_entry *entry = memo_cache_get(cache, key, time);
    memo_entry_release(entry);
    return entry != NULL;
}

static void a_memo_holds_from_its_making_to_its_end(void **state)
{
    (void)state;
    struct memo_cache *cache = memo_cache_new(1 << 20);
    memo_entry_release(put(cache, 1, 10, 100, 200));
    assert_true(there(cache, 1, 100) && there(cache, 1, 200));
    assert_false(there(cache, 1, 99) || there(cache, 1, 201) || there(cache, 2, 150));
    memo_entry_release(put(cache, 1, 10, 50, 200)); /* made again for an earlier time */
    assert_true(there(cache, 1, 50) && there(cache, 1, 200));
    memo_entry_release(put(cache, 1, 10, 150, 200));
    assert_true(there(cache, 1, 50));                /* one interval, it reaches back */
    memo_entry_release(put(cache, 3, 10, 300, 200)); /* over before it begins: not kept */
    assert_false(there(cache, 3, 300) || there(cache, 3, 200));
    struct attestd_memo_counts counts = memo_cache_counts(cache);
    assert_int_equal(counts.entries, 1);
    memo_cache_free(cache);
    assert_int_equal(atomic_exchange(&released, 0), 4);
}

static void memos_are_bounded_and_the_oldest_use_goes_first(void **state)
{
    (void)state;
    struct memo_cache *cache = memo_cache_new(16 * 4096); /* 4096 bytes a shard; keys 0, 16, 32, ... share one */
    for (int i = 0; i < 3; i++)
        memo_entry_release(put(cache, (uint8_t)(i * 16), 1000, 0, 100));
    assert_true(there(cache, 0, 1)); /* used last */
    memo_entry_release(put(cache, 48, 1000, 0, 100));
    assert_true(there(cache, 0, 1));
    assert_false(there(cache, 16, 1));
    assert_true(memo_cache_counts(cache).bytes <= 16 * 4096);
    struct memo_entry *large = put(cache, 64, 100000, 0, 100); /* too large to keep, yet the caller's until released */
    assert_non_null(memo_entry_object(large));
    assert_false(there(cache, 64, 1));
    int before = atomic_load(&released);
    memo_entry_release(large);
    assert_int_equal(atomic_load(&released), before + 1);
    memo_cache_drop(cache);
    assert_int_equal(memo_cache_counts(cache).entries, 0);
    memo_cache_free(cache);
    assert_int_equal(atomic_exchange(&released, 0), 5);
}

static void *hammer(void *context)
{
    struct memo_cache *cache = context;
    for (unsigned i = 0; i < 20000; i++) {
        uint8_t number = (uint8_t)(i * 37 % 97);
        uint8_t key[32] = {number, (uint8_t)(number * 7), number};
        struct memo_entry *entry = memo_cache_get(cache, key, 50);
        if (entry == NULL) {
            uint8_t *object = malloc(8);
            object[0] = number;
            entry = memo_cache_put(cache, key, object, 600, 50, 100, release, (struct memo_facts){false, false});
        }
        if (*(const uint8_t *)memo_entry_object(entry) != number)
            abort();
        memo_entry_release(entry);
        if (i % 5000 == 4999)
            memo_cache_drop(cache);
    }
    return NULL;
}

static void memos_are_safe_for_threads(void **state)
{
    (void)state;
    struct memo_cache *cache = memo_cache_new(16 * 2048);
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hammer, cache), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    struct attestd_memo_counts counts = memo_cache_counts(cache);
    assert_int_equal(counts.hits + counts.misses, 80000);
    memo_cache_free(cache);
    assert_int_equal(atomic_load(&released), counts.misses); /* every object made was released once */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sound_descriptor_is_taken),
        cmocka_unit_test(unsound_descriptors_are_refused_with_one_line),
        cmocka_unit_test(a_plugin_is_loaded_from_a_trusted_directory),
        cmocka_unit_test(untrusted_places_and_names_are_refused),
        cmocka_unit_test(files_that_are_no_plugins_are_refused),
        cmocka_unit_test(the_surest_plugin_alone_recognises),
        cmocka_unit_test(the_catalogue_is_json_with_every_check_and_code),
        cmocka_unit_test(a_memo_holds_from_its_making_to_its_end),
        cmocka_unit_test(memos_are_bounded_and_the_oldest_use_goes_first),
        cmocka_unit_test(memos_are_safe_for_threads),
    };

    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
