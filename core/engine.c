/* SPDX-License-Identifier: Apache-2.0 */
#include "core/engine.h"

#include "core/checks.h"
#include "core/digest.h"
#include "core/problem.h"
#include "core/registry.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_PLUGINS 32
#define MEMO_BYTES ((size_t)64 << 20)
#define MAX_ENDORSEMENT_SIZE (4u << 20)

/* A plugin as the engine keeps it: the descriptor's fields up to the struct_size it came with, the rest zero. */
struct loaded {
    struct attestd_plugin plugin;
    void *handle;
    uint8_t digest[32];
    size_t first_check, check_count;
};

/* Open addressing over texts or addresses; filled before threads. */
struct slot {
    const void *key;
    const void *value;
    size_t number;
};

struct table {
    struct slot *slots;
    size_t size, used;
};

struct attestd_engine {
    struct loaded *plugins[MAX_PLUGINS];
    size_t plugin_count;
    const struct attestd_check **checks;
    size_t check_count, check_size;
    struct table ids;       /* text of id: check, index */
    struct table codes;     /* text of code: reason; number is the owner */
    struct table addresses; /* check: index */
    struct memo_cache *memos;
};

#define OWNER_CORE SIZE_MAX

static void *must(void *memory)
{
    if (memory == NULL)
        abort();
    return memory;
}

__attribute__((format(printf, 3, 4))) static bool refuse(char *error, size_t error_size, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    if (error != NULL && error_size > 0)
        vsnprintf(error, error_size, format, args);
    va_end(args);
    return false;
}

/* The tables. */

static size_t hash_text(const char *text)
{
    uint64_t hash = 14695981039346656037u;

    for (; *text != '\0'; text++)
        hash = (hash ^ (uint8_t)*text) * 1099511628211u;
    return (size_t)(hash ^ hash >> 32);
}

static size_t hash_address(const void *address)
{
    uint64_t bits = (uint64_t)(uintptr_t)address >> 3;

    return (size_t)(bits * 0x9e3779b97f4a7c15u >> 20);
}

static struct slot *find_slot(const struct table *table, const void *key, bool text)
{
    size_t at = (text ? hash_text(key) : hash_address(key)) & (table->size - 1);

    while (table->slots[at].key != NULL) {
        if (text ? strcmp(table->slots[at].key, key) == 0 : table->slots[at].key == key)
            break;
        at = (at + 1) & (table->size - 1);
    }
    return &table->slots[at];
}

static const struct slot *table_get(const struct table *table, const void *key, bool text)
{
    if (table->size == 0)
        return NULL;
    const struct slot *slot = find_slot(table, key, text);
    return slot->key != NULL ? slot : NULL;
}

static void table_put(struct table *table, const void *key, bool text, const void *value, size_t number)
{
    if (table->used * 2 >= table->size) {
        struct table bigger = {must(calloc(table->size == 0 ? 256 : table->size * 2, sizeof(struct slot))),
                               table->size == 0 ? 256 : table->size * 2, table->used};
        for (size_t i = 0; i < table->size; i++)
            if (table->slots[i].key != NULL)
                *find_slot(&bigger, table->slots[i].key, text) = table->slots[i];
        free(table->slots);
        *table = bigger;
    }
    *find_slot(table, key, text) = (struct slot){key, value, number};
    table->used++;
}

static void add_check(struct attestd_engine *engine, const struct attestd_check *check, size_t owner)
{
    if (engine->check_count == engine->check_size) {
        engine->check_size = engine->check_size == 0 ? 64 : engine->check_size * 2;
        engine->checks = must(reallocarray(engine->checks, engine->check_size, sizeof(const struct attestd_check *)));
    }
    engine->checks[engine->check_count] = check;
    table_put(&engine->ids, check->id, true, check, engine->check_count);
    table_put(&engine->addresses, check, false, check, engine->check_count);
    engine->check_count++;
    for (const struct attestd_reason *reason = check->reasons; reason->code != NULL; reason++)
        if (table_get(&engine->codes, reason->code, true) == NULL)
            table_put(&engine->codes, reason->code, true, reason, owner);
}

struct attestd_engine *attestd_engine_new(void)
{
    struct attestd_engine *engine = must(calloc(1, sizeof *engine));

    engine->memos = memo_cache_new(MEMO_BYTES);
    for (size_t i = 0; attestd_core_checks[i] != NULL; i++)
        add_check(engine, attestd_core_checks[i], OWNER_CORE);
    return engine;
}

void attestd_engine_free(struct attestd_engine *engine)
{
    if (engine == NULL)
        return;
    memo_cache_free(engine->memos); /* releases objects by the plugins' functions */
    for (size_t i = 0; i < engine->plugin_count; i++) {
        struct loaded *loaded = engine->plugins[i];
        if (loaded->plugin.fini != NULL)
            loaded->plugin.fini();
#ifndef ATTESTD_SANITIZED /* a leak report needs the plugin's symbols */
        if (loaded->handle != NULL)
            dlclose(loaded->handle);
#endif
        free(loaded);
    }
    free(engine->checks);
    free(engine->ids.slots);
    free(engine->codes.slots);
    free(engine->addresses.slots);
    free(engine);
}

/* Is this descriptor sound, and free of collisions? */

static bool characters(const char *text, const char *allowed, size_t max)
{
    size_t len = text != NULL ? strlen(text) : 0;

    return len > 0 && len <= max && strspn(text, allowed) == len;
}

static bool sound_code(const char *code)
{
    return characters(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_", 64);
}

static bool below_name(const char *text, const char *name)
{
    size_t len = strlen(name);

    return characters(text, "abcdefghijklmnopqrstuvwxyz0123456789_.", 64) && strncmp(text, name, len) == 0 && text[len] == '.';
}

static bool sound_reasons(const struct attestd_engine *engine, const struct attestd_plugin *plugin, const struct attestd_reason *reasons,
                          const char *where, char *error, size_t error_size)
{
    for (const struct attestd_reason *reason = reasons; reason->code != NULL; reason++) {
        if (!sound_code(reason->code))
            return refuse(error, error_size, "plugin %s: %s: a code is not UPPER_SNAKE", plugin->name, where);
        if (reason->remedy == NULL || reason->remedy[0] == '\0')
            return refuse(error, error_size, "plugin %s: %s: code %s has no remedy", plugin->name, where, reason->code);
        if (table_get(&engine->codes, reason->code, true) != NULL)
            return refuse(error, error_size, "plugin %s: %s: code %s is already taken", plugin->name, where, reason->code);
    }
    return true;
}

/* AR4SI section 2.3: the values a check may give its claim in each of its outcomes. */
static bool sound_values(const struct attestd_check *check)
{
    if (check->claim == ATTESTD_NO_CLAIM)
        return true;
    if (check->claim < 0 || check->claim >= ATTESTD_TRUST_CLAIMS)
        return false;
    bool affirming = check->affirming == 0 || (check->affirming >= 2 && check->affirming <= 31);
    bool warning = check->warning == 0 || (check->warning >= 32 && check->warning <= 95);
    return affirming && warning && check->contraindicated >= 32;
}

static bool sound_check(const struct attestd_engine *engine, const struct attestd_plugin *plugin, const struct attestd_check *check,
                        char *error, size_t error_size)
{
    if (!below_name(check->id, plugin->name))
        return refuse(error, error_size, "plugin %s: check id %s does not begin with %s.", plugin->name,
                      check->id != NULL ? check->id : "(none)", plugin->name);
    if (table_get(&engine->ids, check->id, true) != NULL)
        return refuse(error, error_size, "plugin %s: check id %s is already taken", plugin->name, check->id);
    if (check->title == NULL || check->title[0] == '\0' || check->reference == NULL || check->reference[0] == '\0')
        return refuse(error, error_size, "plugin %s: check %s has no title or no reference", plugin->name, check->id);
    if (check->reasons == NULL || check->reasons[0].code == NULL)
        return refuse(error, error_size, "plugin %s: check %s has no reasons", plugin->name, check->id);
    if (check->default_mode < ATTESTD_STRICT || check->default_mode > ATTESTD_DISABLED ||
        (check->fixed && check->default_mode != ATTESTD_STRICT))
        return refuse(error, error_size, "plugin %s: check %s has a wrong default mode", plugin->name, check->id);
    if (!sound_values(check))
        return refuse(error, error_size, "plugin %s: check %s has trust values outside AR4SI's tiers", plugin->name, check->id);
    return sound_reasons(engine, plugin, check->reasons, check->id, error, error_size);
}

/* Ids and codes twice within the plugin's own catalogue. */
static bool no_repeats(const struct attestd_plugin *plugin, char *error, size_t error_size)
{
    struct table seen = {0};
    const char *repeated = NULL;

    for (size_t i = 0; plugin->checks[i] != NULL && repeated == NULL; i++) {
        const struct attestd_check *check = plugin->checks[i];
        if (table_get(&seen, check->id, true) != NULL)
            repeated = check->id;
        else
            table_put(&seen, check->id, true, check, 0);
        for (const struct attestd_reason *reason = check->reasons; reason->code != NULL; reason++) {
            const struct slot *slot = table_get(&seen, reason->code, true);
            if (slot == NULL)
                table_put(&seen, reason->code, true, reason, 0);
            else if (strcmp(((const struct attestd_reason *)slot->value)->remedy, reason->remedy) != 0)
                repeated = reason->code;
        }
    }
    free(seen.slots);
    if (repeated != NULL)
        return refuse(error, error_size, "plugin %s: %s is in its catalogue twice", plugin->name, repeated);
    return true;
}

static bool sound_checks(const struct attestd_engine *engine, const struct attestd_plugin *plugin, char *error, size_t error_size)
{
    if (plugin->checks == NULL || plugin->checks[0] == NULL)
        return refuse(error, error_size, "plugin %s has no checks", plugin->name);
    for (size_t i = 0; plugin->checks[i] != NULL; i++)
        if (!sound_check(engine, plugin, plugin->checks[i], error, error_size))
            return false;
    if (plugin->malformed != NULL && !sound_reasons(engine, plugin, plugin->malformed, "malformed", error, error_size))
        return false;
    return no_repeats(plugin, error, error_size);
}

static bool sound_media_types(const struct attestd_engine *engine, const struct attestd_plugin *plugin, char *error, size_t error_size)
{
    for (size_t i = 0; plugin->media_types != NULL && plugin->media_types[i] != NULL; i++) {
        const char *type = plugin->media_types[i];
        const struct attestd_plugin *owner = attestd_engine_plugin_for_media_type(engine, type);
        if (owner != NULL)
            return refuse(error, error_size, "plugin %s: media type %s is already taken by %s", plugin->name, type, owner->name);
        if (strchr(type, '/') == NULL)
            return refuse(error, error_size, "plugin %s: %s is not a media type", plugin->name, type);
    }
    return true;
}

static bool sound_kinds(const struct attestd_plugin *plugin, char *error, size_t error_size)
{
    for (const struct attestd_endorsement_kind *kind = plugin->endorsements; kind != NULL && kind->kind != NULL; kind++) {
        if (!below_name(kind->kind, plugin->name))
            return refuse(error, error_size, "plugin %s: endorsement kind %s does not begin with %s.", plugin->name, kind->kind,
                          plugin->name);
        if (kind->title == NULL || kind->life < ATTESTD_IMMUTABLE || kind->life > ATTESTD_ANCHOR || kind->max_size == 0 ||
            kind->max_size > MAX_ENDORSEMENT_SIZE)
            return refuse(error, error_size, "plugin %s: endorsement kind %s has no title, or a wrong life or size", plugin->name,
                          kind->kind);
    }
    return true;
}

static bool sound(const struct attestd_engine *engine, const struct attestd_plugin *plugin, char *error, size_t error_size)
{
    if (!characters(plugin->name, "abcdefghijklmnopqrstuvwxyz0123456789", 32))
        return refuse(error, error_size, "a plugin's name is not [a-z0-9]+");
    for (size_t i = 0; attestd_core_checks[i] != NULL; i++)
        if (strncmp(attestd_core_checks[i]->id, plugin->name, strlen(plugin->name)) == 0 &&
            attestd_core_checks[i]->id[strlen(plugin->name)] == '.')
            return refuse(error, error_size, "plugin %s: the name is core's", plugin->name);
    if (attestd_engine_plugin(engine, plugin->name) != NULL)
        return refuse(error, error_size, "plugin %s: the type is already taken", plugin->name);
    if (plugin->version == NULL || plugin->version[0] == '\0' || plugin->verify == NULL)
        return refuse(error, error_size, "plugin %s has no version or no verify()", plugin->name);
    if (plugin->evidence_class < ATTESTD_CLASS_CPU || plugin->evidence_class > ATTESTD_CLASS_TPM)
        return refuse(error, error_size, "plugin %s has an unknown evidence class %d", plugin->name, plugin->evidence_class);
    return sound_media_types(engine, plugin, error, error_size) && sound_kinds(plugin, error, error_size) &&
           sound_checks(engine, plugin, error, error_size);
}

static void plugin_digest(struct loaded *loaded)
{
    struct attestd_digest *digest = attestd_digest_new(256);

    attestd_digest_add_framed(digest, loaded->plugin.name, strlen(loaded->plugin.name));
    attestd_digest_add_framed(digest, loaded->plugin.version, strlen(loaded->plugin.version));
    attestd_digest_finish(digest, loaded->digest);
}

static void enter(struct attestd_engine *engine, struct loaded *loaded)
{
    size_t owner = engine->plugin_count;

    loaded->first_check = engine->check_count;
    for (size_t i = 0; loaded->plugin.checks[i] != NULL; i++)
        add_check(engine, loaded->plugin.checks[i], owner);
    loaded->check_count = engine->check_count - loaded->first_check;
    for (const struct attestd_reason *reason = loaded->plugin.malformed; reason != NULL && reason->code != NULL; reason++)
        table_put(&engine->codes, reason->code, true, reason, owner);
    plugin_digest(loaded);
    engine->plugins[engine->plugin_count++] = loaded;
}

static bool add(struct attestd_engine *engine, const struct attestd_plugin *plugin, void *handle, char *error, size_t error_size)
{
    const size_t least = offsetof(struct attestd_plugin, verify) + sizeof plugin->verify;

    if (plugin == NULL)
        return refuse(error, error_size, "a plugin has no descriptor");
    if (plugin->abi_version != ATTESTD_PLUGIN_ABI)
        return refuse(error, error_size, "a plugin is built for ABI version %u, this is %u", plugin->abi_version, ATTESTD_PLUGIN_ABI);
    if (plugin->struct_size < least)
        return refuse(error, error_size, "a plugin's descriptor is too short");
    if (engine->plugin_count == MAX_PLUGINS)
        return refuse(error, error_size, "more than %d plugins", MAX_PLUGINS);

    struct loaded *loaded = must(calloc(1, sizeof *loaded));
    size_t size = plugin->struct_size < sizeof loaded->plugin ? plugin->struct_size : sizeof loaded->plugin;
    memcpy(&loaded->plugin, plugin, size);
    loaded->handle = handle;
    if (!sound(engine, &loaded->plugin, error, error_size)) {
        free(loaded);
        return false;
    }
    int32_t begun = loaded->plugin.init != NULL ? loaded->plugin.init() : 0;
    if (begun != 0) {
        refuse(error, error_size, "plugin %s: init() failed with %d", loaded->plugin.name, begun);
        free(loaded);
        return false;
    }
    enter(engine, loaded);
    return true;
}

bool attestd_engine_add(struct attestd_engine *engine, const struct attestd_plugin *plugin, char *error, size_t error_size)
{
    return add(engine, plugin, NULL, error, error_size);
}

/* Only root or this user may own it, and nobody else may write to it. A group of one's own (its id is the user's, as distributions with
 * private groups make it) is not somebody else. */
static bool trusted_file(const char *path, mode_t kind, char *error, size_t error_size)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return refuse(error, error_size, "%s: %s", path, strerror(errno));
    if ((st.st_mode & S_IFMT) != kind)
        return refuse(error, error_size, "%s: not a %s", path, kind == S_IFDIR ? "directory" : "regular file");
    if (st.st_uid != 0 && st.st_uid != geteuid())
        return refuse(error, error_size, "%s: belongs to another user (%u); plugins are loaded from files of root or of this user", path,
                      st.st_uid);
    bool private_group = st.st_gid == st.st_uid;
    if ((st.st_mode & S_IWOTH) != 0 || ((st.st_mode & S_IWGRP) != 0 && !private_group))
        return refuse(error, error_size, "%s: others can write to it (mode %04o); chmod go-w", path, st.st_mode & 07777);
    return true;
}

bool attestd_engine_load(struct attestd_engine *engine, const char *directory, const char *name, char *error, size_t error_size)
{
    char path[4096];
    const struct attestd_plugin *(*entry)(void);

    if (!characters(name, "abcdefghijklmnopqrstuvwxyz0123456789", 32))
        return refuse(error, error_size, "plugin name %.40s is not [a-z0-9]+", name);
    int len = snprintf(path, sizeof path, "%s/%s.so", directory, name);
    if (len < 0 || (size_t)len >= sizeof path)
        return refuse(error, error_size, "plugin directory's name is too long");
    if (!trusted_file(directory, S_IFDIR, error, error_size) || !trusted_file(path, S_IFREG, error, error_size))
        return false;

    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL)
        return refuse(error, error_size, "%s", dlerror());
    *(void **)&entry = dlsym(handle, "attestd_plugin");
    const struct attestd_plugin *plugin = entry != NULL ? entry() : NULL;
    bool good = false;
    if (plugin == NULL)
        refuse(error, error_size, "%s: has no attestd_plugin()", path);
    else if (plugin->abi_version == ATTESTD_PLUGIN_ABI && (plugin->name == NULL || strcmp(plugin->name, name) != 0))
        refuse(error, error_size, "%s: calls itself %.40s", path, plugin->name != NULL ? plugin->name : "nothing");
    else
        good = add(engine, plugin, handle, error, error_size);
    if (!good)
        dlclose(handle);
    return good;
}

/* Looking things up. */

size_t attestd_engine_plugin_count(const struct attestd_engine *engine)
{
    return engine->plugin_count;
}

const struct attestd_plugin *attestd_engine_plugin_at(const struct attestd_engine *engine, size_t index)
{
    return index < engine->plugin_count ? &engine->plugins[index]->plugin : NULL;
}

const struct attestd_plugin *attestd_engine_plugin(const struct attestd_engine *engine, const char *type)
{
    for (size_t i = 0; i < engine->plugin_count; i++)
        if (strcmp(engine->plugins[i]->plugin.name, type) == 0)
            return &engine->plugins[i]->plugin;
    return NULL;
}

static bool has_media_type(const struct attestd_plugin *plugin, const char *media_type, size_t len)
{
    for (size_t i = 0; plugin->media_types != NULL && plugin->media_types[i] != NULL; i++)
        if (strlen(plugin->media_types[i]) == len && strncasecmp(plugin->media_types[i], media_type, len) == 0)
            return true;
    return false;
}

const struct attestd_plugin *attestd_engine_plugin_for_media_type(const struct attestd_engine *engine, const char *media_type)
{
    size_t whole = strlen(media_type), bare = strcspn(media_type, "; \t");

    for (size_t i = 0; i < engine->plugin_count; i++)
        if (has_media_type(&engine->plugins[i]->plugin, media_type, whole))
            return &engine->plugins[i]->plugin;
    for (size_t i = 0; i < engine->plugin_count; i++)
        if (has_media_type(&engine->plugins[i]->plugin, media_type, bare))
            return &engine->plugins[i]->plugin;
    return NULL;
}

const struct attestd_plugin *attestd_engine_recognise(const struct attestd_engine *engine, const uint8_t *bytes, size_t len)
{
    const struct attestd_plugin *best = NULL;
    int32_t best_score = 0;
    bool tie = false;

    for (size_t i = 0; i < engine->plugin_count; i++) {
        const struct attestd_plugin *plugin = &engine->plugins[i]->plugin;
        int32_t score = plugin->recognise != NULL ? plugin->recognise(bytes, len) : 0;
        if (score <= 0 || score < best_score)
            continue;
        tie = score == best_score;
        best_score = score;
        best = plugin;
    }
    return tie ? NULL : best;
}

const struct attestd_endorsement_kind *attestd_engine_endorsement_kind(const struct attestd_engine *engine, const char *kind)
{
    for (size_t i = 0; i < engine->plugin_count; i++) {
        const struct attestd_endorsement_kind *known = engine->plugins[i]->plugin.endorsements;
        for (; known != NULL && known->kind != NULL; known++)
            if (strcmp(known->kind, kind) == 0)
                return known;
    }
    return NULL;
}

void attestd_engine_identify(const struct attestd_engine *engine, const uint8_t *bytes, size_t len, attestd_identified *found,
                             void *context)
{
    for (size_t i = 0; i < engine->plugin_count; i++)
        if (engine->plugins[i]->plugin.identify != NULL)
            engine->plugins[i]->plugin.identify(bytes, len, found, context);
}

const struct attestd_check *attestd_engine_check(const struct attestd_engine *engine, const char *id)
{
    const struct slot *slot = table_get(&engine->ids, id, true);

    return slot != NULL ? slot->value : NULL;
}

size_t attestd_engine_check_count(const struct attestd_engine *engine)
{
    return engine->check_count;
}

const struct attestd_check *attestd_engine_check_at(const struct attestd_engine *engine, size_t index)
{
    return index < engine->check_count ? engine->checks[index] : NULL;
}

const char *attestd_engine_remedy(const struct attestd_engine *engine, const char *code)
{
    const struct slot *slot = table_get(&engine->codes, code, true);

    return slot != NULL ? ((const struct attestd_reason *)slot->value)->remedy : NULL;
}

size_t registry_check_index(const struct attestd_engine *engine, const struct attestd_check *check)
{
    const struct slot *slot = table_get(&engine->addresses, check, false);

    return slot != NULL ? slot->number : REGISTRY_UNKNOWN;
}

static const struct loaded *loaded_of(const struct attestd_plugin *plugin)
{
    /* Descriptors in use are the first member of the engine's own record. */
    return (const struct loaded *)(const void *)plugin;
}

bool registry_check_of(const struct attestd_engine *engine, const struct attestd_plugin *plugin, size_t index)
{
    const struct loaded *loaded = loaded_of(plugin);

    (void)engine;
    return index >= loaded->first_check && index - loaded->first_check < loaded->check_count;
}

const uint8_t *registry_plugin_digest(const struct attestd_engine *engine, const struct attestd_plugin *plugin)
{
    (void)engine;
    return loaded_of(plugin)->digest;
}

const struct attestd_reason *registry_reason(const struct attestd_reason *reasons, const char *code)
{
    for (; reasons != NULL && reasons->code != NULL; reasons++)
        if (strcmp(reasons->code, code) == 0)
            return reasons;
    return NULL;
}

struct memo_cache *registry_memos(const struct attestd_engine *engine)
{
    return engine->memos;
}

void attestd_engine_memo_limit(struct attestd_engine *engine, size_t bytes)
{
    memo_cache_limit(engine->memos, bytes);
}

void attestd_engine_memo_drop(struct attestd_engine *engine)
{
    memo_cache_drop(engine->memos);
}

struct attestd_memo_counts attestd_engine_memo_counts(struct attestd_engine *engine)
{
    return memo_cache_counts(engine->memos);
}
