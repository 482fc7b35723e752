/* SPDX-License-Identifier: Apache-2.0 */
#include "server/policies.h"
#include "policy/watch.h"
#include "server/log.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERSIONS_TABLE "policies"      /* digest -> canonical form */
#define ACTIVE_TABLE "active-policies" /* "digests" -> the digests in force, 32 bytes each */
#define RECOVERED_MAX 256

struct policy_snapshot {
    atomic_uint references;
    struct attestd_policy_set *set;    /* NULL without a directory, and when recovered */
    struct attestd_policy **recovered; /* from state.mdb */
    size_t recovered_count;
    struct attestd_policy *hardware_only;
    bool built_in_only;
};

struct policies {
    struct attestd_engine *engine;
    struct attestd_anchor_set *anchors;
    const char *directory;
    struct attestd_store *state;
    pthread_mutex_t lock, reloading;
    struct policy_snapshot *now;
    struct attestd_policy_fault faults[POLICIES_FAULTS];
    size_t fault_count;
    struct attestd_policy_watch *watch;
};

static struct policy_snapshot *snapshot_new(struct policies *p)
{
    struct policy_snapshot *snapshot = calloc(1, sizeof *snapshot);
    if (snapshot == NULL)
        abort();
    atomic_init(&snapshot->references, 1);
    snapshot->hardware_only = attestd_policy_hardware_only(p->engine);
    return snapshot;
}

struct policy_snapshot *policies_take(struct policies *p)
{
    pthread_mutex_lock(&p->lock);
    struct policy_snapshot *snapshot = p->now;
    atomic_fetch_add(&snapshot->references, 1);
    pthread_mutex_unlock(&p->lock);
    return snapshot;
}

void policy_snapshot_release(struct policy_snapshot *snapshot)
{
    if (snapshot == NULL || atomic_fetch_sub(&snapshot->references, 1) != 1)
        return;
    attestd_policy_set_free(snapshot->set);
    for (size_t i = 0; i < snapshot->recovered_count; i++)
        attestd_policy_free(snapshot->recovered[i]);
    free(snapshot->recovered);
    attestd_policy_free(snapshot->hardware_only);
    free(snapshot);
}

size_t policy_snapshot_count(const struct policy_snapshot *snapshot)
{
    return snapshot->set != NULL ? attestd_policy_set_count(snapshot->set) : snapshot->recovered_count;
}

struct attestd_policy *policy_snapshot_at(const struct policy_snapshot *snapshot, size_t index)
{
    return snapshot->set != NULL ? attestd_policy_set_at(snapshot->set, index) : snapshot->recovered[index];
}

struct attestd_policy *policy_snapshot_find(const struct policy_snapshot *snapshot, const char *name)
{
    for (size_t i = 0; i < policy_snapshot_count(snapshot); i++)
        if (strcmp(attestd_policy_name(policy_snapshot_at(snapshot, i)), name) == 0)
            return policy_snapshot_at(snapshot, i);
    return strcmp(name, attestd_policy_name(snapshot->hardware_only)) == 0 ? snapshot->hardware_only : NULL;
}

struct attestd_policy *policy_snapshot_for_audience(const struct policy_snapshot *snapshot, const char *audience)
{
    struct attestd_policy *found = NULL;
    for (size_t i = 0; i < policy_snapshot_count(snapshot); i++) {
        struct attestd_policy *policy = policy_snapshot_at(snapshot, i);
        if (!attestd_policy_allows_audience(policy, audience))
            continue;
        if (found != NULL)
            return NULL;
        found = policy;
    }
    return found;
}

bool policy_snapshot_built_in_only(const struct policy_snapshot *snapshot)
{
    return snapshot->built_in_only;
}

static void put_in_force(struct policies *p, struct policy_snapshot *snapshot)
{
    pthread_mutex_lock(&p->lock);
    struct policy_snapshot *before = p->now;
    p->now = snapshot;
    pthread_mutex_unlock(&p->lock);
    policy_snapshot_release(before);
}

static bool are_remembered(struct policies *p, const uint8_t *digests, size_t len)
{
    struct attestd_arena *arena = attestd_arena_new();
    struct attestd_bytes before = {0};
    bool same = attestd_store_get(p->state, ACTIVE_TABLE, "digests", 7, arena, &before) && before.len == len &&
                memcmp(before.data, digests, len) == 0;
    attestd_arena_free(arena);
    return same;
}

/* Every accepted version stays; the list of those in force is what a start with a broken directory goes by. */
static void remember(struct policies *p, const struct policy_snapshot *snapshot)
{
    size_t count = policy_snapshot_count(snapshot);
    if (p->state == NULL || count > RECOVERED_MAX)
        return;
    uint8_t digests[RECOVERED_MAX * 32];
    for (size_t i = 0; i < count; i++)
        memcpy(digests + 32 * i, attestd_policy_digest(policy_snapshot_at(snapshot, i)), 32);
    if (are_remembered(p, digests, 32 * count))
        return;
    for (size_t i = 0; i < count; i++) {
        struct attestd_bytes canonical = attestd_policy_canonical(policy_snapshot_at(snapshot, i));
        attestd_store_put(p->state, VERSIONS_TABLE, digests + 32 * i, 32, canonical.data, canonical.len);
    }
    /* on the disk before it decides anything: what has answered once is what a start after a kill comes back to */
    if (!attestd_store_put(p->state, ACTIVE_TABLE, "digests", 7, digests, 32 * count) || !attestd_store_flush(p->state))
        log_line(LOG_AT_ERROR, "policy_state", "the policies in force could not be written to state.mdb");
}

static void report(const struct attestd_policy_fault *faults, size_t count)
{
    for (size_t i = 0; i < count; i++)
        log_line(LOG_AT_ERROR, "policy_refused", "%s:%u:%u: %s (%s)", faults[i].file, faults[i].line, faults[i].column, faults[i].message,
                 faults[i].code);
}

bool policies_reload(struct policies *p)
{
    if (p->directory == NULL)
        return true;
    struct attestd_policy_fault faults[POLICIES_FAULTS];
    size_t count = 0;
    pthread_mutex_lock(&p->reloading);
    struct attestd_policy_set *set =
        attestd_policy_compile_directory(p->engine, p->anchors, p->directory, true, faults, POLICIES_FAULTS, &count);
    count = set != NULL ? 0 : count > POLICIES_FAULTS ? POLICIES_FAULTS : count;
    pthread_mutex_lock(&p->lock);
    p->fault_count = count;
    memcpy(p->faults, faults, count * sizeof *faults);
    pthread_mutex_unlock(&p->lock);
    if (set != NULL) {
        struct policy_snapshot *snapshot = snapshot_new(p);
        snapshot->set = set;
        remember(p, snapshot);
        put_in_force(p, snapshot);
        log_line(LOG_AT_INFO, "policies_in_force", "%zu policies of %s are in force", attestd_policy_set_count(set), p->directory);
    }
    pthread_mutex_unlock(&p->reloading);
    report(faults, count);
    return set != NULL;
}

/* What was last in force, from state.mdb; false when there is nothing or any of it does not load. */
static bool recover(struct policies *p)
{
    struct attestd_arena *arena = attestd_arena_new();
    struct attestd_bytes digests = {0}, text;
    struct attestd_policy_fault fault;
    struct policy_snapshot *snapshot = snapshot_new(p);
    bool good = p->state != NULL && attestd_store_get(p->state, ACTIVE_TABLE, "digests", 7, arena, &digests) && digests.len != 0 &&
                digests.len % 32 == 0 && digests.len <= (size_t)RECOVERED_MAX * 32;
    snapshot->recovered = good ? calloc(digests.len / 32, sizeof *snapshot->recovered) : NULL;
    for (size_t at = 0; good && at < digests.len; at += 32) {
        good = attestd_store_get(p->state, VERSIONS_TABLE, digests.data + at, 32, arena, &text);
        struct attestd_policy *policy = good ? attestd_policy_from_canonical(p->engine, (const char *)text.data, text.len, &fault) : NULL;
        good = policy != NULL && memcmp(attestd_policy_digest(policy), digests.data + at, 32) == 0;
        if (policy != NULL)
            snapshot->recovered[snapshot->recovered_count++] = policy;
    }
    attestd_arena_free(arena);
    if (good)
        put_in_force(p, snapshot);
    else
        policy_snapshot_release(snapshot);
    return good;
}

static void on_change(void *context)
{
    policies_reload(context);
}

struct policies *policies_open(struct attestd_engine *engine, struct attestd_anchor_set *anchors, const char *directory,
                               struct attestd_store *state, char *error, size_t error_size)
{
    struct policies *p = calloc(1, sizeof *p);
    if (p == NULL)
        abort();
    *p = (struct policies){.engine = engine, .anchors = anchors, .directory = directory, .state = state};
    pthread_mutex_init(&p->lock, NULL);
    pthread_mutex_init(&p->reloading, NULL);
    if (directory == NULL) {
        struct policy_snapshot *snapshot = snapshot_new(p);
        snapshot->built_in_only = true;
        put_in_force(p, snapshot);
        return p;
    }
    p->watch = attestd_policy_watch_start(directory, on_change, p, error, error_size);
    if (p->watch == NULL) {
        policies_close(p);
        return NULL;
    }
    if (policies_reload(p))
        return p;
    if (recover(p)) {
        log_line(LOG_AT_WARNING, "policies_recovered", "%s is broken: the policies last in force are used", directory);
        return p;
    }
    const struct attestd_policy_fault *f = p->faults;
    if (p->fault_count == 0)
        snprintf(error, error_size, "%s: no policies can be read from it", directory);
    else if (f->file[0] == '\0') /* of the directory as a whole */
        snprintf(error, error_size, "%s", f->message);
    else
        snprintf(error, error_size, "%s:%u:%u: %s", f->file, f->line, f->column, f->message);
    policies_close(p);
    return NULL;
}

void policies_close(struct policies *p)
{
    if (p == NULL)
        return;
    attestd_policy_watch_stop(p->watch);
    policy_snapshot_release(p->now);
    pthread_mutex_destroy(&p->lock);
    pthread_mutex_destroy(&p->reloading);
    free(p);
}

size_t policies_faults(struct policies *p, struct attestd_policy_fault faults[POLICIES_FAULTS])
{
    pthread_mutex_lock(&p->lock);
    size_t count = p->fault_count;
    memcpy(faults, p->faults, count * sizeof *faults);
    pthread_mutex_unlock(&p->lock);
    return count;
}

bool policies_recovered(struct policies *p)
{
    pthread_mutex_lock(&p->lock);
    bool recovered = p->now->set == NULL && !p->now->built_in_only;
    pthread_mutex_unlock(&p->lock);
    return recovered;
}

const char *policies_directory(const struct policies *p)
{
    return p->directory;
}
