/* SPDX-License-Identifier: Apache-2.0 */
#include "site.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cache/fetcher.h"
#include "core/encoding.h"
#include <ftw.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct site site;

static const char *build_folder(void)
{
    const char *build = getenv("ATTESTD_BUILD");
    return build != NULL ? build : "build/debug";
}

int site_begin(void **state)
{
    char path[512], error[512] = "";
    (void)state;
    site.engine = attestd_engine_new();
    snprintf(path, sizeof path, "%s/plugins", build_folder());
    if (!attestd_engine_load(site.engine, path, "snp", error, sizeof error)) {
        print_error("%s\n", error);
        return -1;
    }
    snprintf(path, sizeof path, "%s/simulated-vendor-of-cache", build_folder());
    site.vendor = sim_snp_vendor_open(path, SIM_SNP_GENOA);
    if (site.vendor == NULL)
        return -1;
    site.anchors = attestd_anchor_set_new();
    struct sim_bytes ark = sim_snp_ark(site.vendor);
    bool pinned = attestd_anchor_set_add_certificate(site.anchors, "snp/Genoa", ark.data, ark.len, true);
    free(ark.data);
    attestd_anchor_set_seal(site.anchors);
    return pinned ? 0 : -1;
}

int site_end(void **state)
{
    (void)state;
    sim_snp_vendor_free(site.vendor);
    attestd_anchor_set_free(site.anchors);
    attestd_engine_free(site.engine);
    return 0;
}

int site_folder(void **state)
{
    (void)state;
    snprintf(site.folder, sizeof site.folder, "/tmp/attestd-cache-XXXXXX");
    return mkdtemp(site.folder) != NULL ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *place)
{
    (void)info, (void)kind, (void)place;
    return remove(path);
}

int site_clean(void **state)
{
    (void)state;
    return nftw(site.folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void site_guest(struct sim_snp_guest *guest, unsigned chip)
{
    sim_snp_guest_default(guest, SIM_SNP_GENOA);
    for (size_t i = 0; i < sizeof chip; i++)
        guest->chip_id[i] = (uint8_t)(chip >> (8 * i));
    guest->chip_id[63] = 0xc4;
    memcpy(guest->cert_hwid, guest->chip_id, sizeof guest->cert_hwid);
    guest->cert_hwid_len = sizeof guest->cert_hwid;
}

void site_write(struct sim_bytes bytes, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", site.folder, name);
    for (char *slash = strchr(path + strlen(site.folder) + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        (void)mkdir(path, 0700);
        *slash = '/';
    }
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes.data, 1, bytes.len, file), bytes.len);
    assert_int_equal(fclose(file), 0);
    free(bytes.data);
}

struct sim_snp_crl site_list(uint64_t number, int64_t valid_for)
{
    int64_t now = (int64_t)time(NULL);
    return (struct sim_snp_crl){.this_update = now - 3600, .next_update = now + valid_for, .number = number};
}

const char *site_hwid(const struct sim_snp_guest *guest, char out[129])
{
    attestd_hex_encode(guest->chip_id, sizeof guest->chip_id, out);
    return out;
}

struct attestd_store *site_store(const char *name)
{
    char path[512], error[512] = "";
    snprintf(path, sizeof path, "%s/state/%s", site.folder, name);
    struct attestd_store *store =
        attestd_store_open(&(struct attestd_store_options){.path = path, .max_size = (size_t)64 << 20}, error, sizeof error);
    if (store == NULL)
        fail_msg("%s", error);
    return store;
}

struct desk site_desk(const char *base, const char *const *directories, const struct attestd_endorsements_options *more)
{
    struct attestd_endorsements_options options = {0};
    struct attestd_vendor_base vendor = {.vendor = "amd-kds", .url = base};
    struct desk desk = {.cache = site_store("cache.mdb"), .state = site_store("state.mdb")};
    char error[512] = "";
    if (more != NULL)
        options = *more;
    options.engine = site.engine;
    options.anchors = site.anchors;
    options.cache = desk.cache;
    options.state = desk.state;
    options.directories = directories;
    options.offline = base == NULL;
    options.vendors = &vendor;
    options.vendor_count = base != NULL;
    desk.endorsements = attestd_endorsements_new(&options, error, sizeof error);
    if (desk.endorsements == NULL)
        fail_msg("%s", error);
    return desk;
}

void site_desk_close(struct desk *desk)
{
    attestd_endorsements_free(desk->endorsements);
    attestd_store_close(desk->cache);
    attestd_store_close(desk->state);
}

/* A policy that asks for nothing but what the checks say by themselves. */
static const struct attestd_value *no_setting(const void *policy, const char *type, const char *path)
{
    (void)policy, (void)type, (void)path;
    return NULL;
}

static int32_t default_mode(const void *policy, const struct attestd_check *check, int64_t time, const char **line)
{
    (void)policy, (void)time;
    if (line != NULL)
        *line = NULL;
    return check->default_mode;
}

static void decide_nothing(const void *policy, struct attestd_job *job, const struct attestd_request *request,
                           struct attestd_result *result, int64_t time)
{
    (void)policy, (void)job, (void)request, (void)result, (void)time;
}

static const uint8_t no_digest[32];
static const struct attestd_policy_view view = {
    .name = "site", .version = 1, .digest = no_digest, .setting = no_setting, .mode = default_mode, .decide = decide_nothing};

static struct attestd_bytes take(struct attestd_arena *arena, struct sim_bytes bytes)
{
    struct attestd_bytes kept = attestd_arena_bytes(arena, bytes.data, bytes.len);
    free(bytes.data);
    return kept;
}

static void make_job(struct visit *visit)
{
    struct attestd_part *parts = attestd_arena_array(visit->arena, 2, sizeof *parts);
    struct attestd_piece_request *piece = attestd_arena_alloc(visit->arena, sizeof *piece);
    struct attestd_request *request = attestd_arena_alloc(visit->arena, sizeof *request);
    parts[0] = (struct attestd_part){"report", take(visit->arena, sim_snp_report(site.vendor, visit->guest))};
    *piece = (struct attestd_piece_request){"cpu0", "snp", parts, 1};
    if (visit->enclose) {
        struct sim_snp_crl list = site_list(3, 86400);
        struct sim_bytes none = {NULL, 0}, vek = sim_snp_vek(site.vendor, visit->guest), crl = sim_snp_crl(site.vendor, &list);
        parts[1] = (struct attestd_part){"certs", take(visit->arena, sim_snp_table(vek, false, none, none, crl, true, false))};
        piece->part_count = 2;
        free(vek.data);
        free(crl.data);
    }
    *request = (struct attestd_request){.nonce_age = -1, .layout = "attestd-v1", .no_binding = true, .pieces = piece, .piece_count = 1};
    visit->job = attestd_job_new(site.engine, request, &view, site.anchors, NULL);
}

struct bell {
    pthread_mutex_t lock;
    pthread_cond_t rung;
    bool is_rung;
};

static void ring(void *context)
{
    struct bell *bell = context;
    pthread_mutex_lock(&bell->lock);
    bell->is_rung = true;
    pthread_cond_signal(&bell->rung);
    pthread_mutex_unlock(&bell->lock);
}

static void ask_vendor(struct desk *desk, struct visit *visit, uint64_t deadline)
{
    struct bell bell = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false};
    unsigned retry_after = 0;
    struct attestd_fetch *fetch = attestd_endorsements_fetch(desk->endorsements, visit->job, visit->caller, deadline, ring, &bell);
    assert_non_null(fetch);
    pthread_mutex_lock(&bell.lock);
    while (!bell.is_rung)
        pthread_cond_wait(&bell.rung, &bell.lock);
    pthread_mutex_unlock(&bell.lock);
    attestd_endorsements_collect(fetch, visit->job, &retry_after);
    if (retry_after > visit->retry_after)
        visit->retry_after = retry_after;
}

void visit_run(struct desk *desk, struct visit *visit)
{
    uint64_t deadline = fetcher_clock_ms() + (visit->patience_ms ? visit->patience_ms : 5000);
    int answer;
    visit->arena = attestd_arena_new();
    visit->retry_after = 0;
    if (visit->caller == NULL)
        visit->caller = "";
    make_job(visit);
    do {
        int64_t now = (int64_t)time(NULL);
        answer = attestd_job_run(visit->job, now);
        if (answer == ATTESTD_PENDING && attestd_endorsements_local(desk->endorsements, visit->job, now) > 0)
            ask_vendor(desk, visit, deadline);
    } while (answer == ATTESTD_PENDING);
    attestd_endorsements_keep(desk->endorsements, visit->job, (int64_t)time(NULL));
    assert_int_equal(answer, ATTESTD_DONE);
    visit->result = attestd_job_result(visit->job);
    visit->authentic = visit->result->pieces[0].authentic;
}

void visit_end(struct visit *visit)
{
    attestd_job_free(visit->job);
    attestd_arena_free(visit->arena);
}

static const struct attestd_endorsement_use *accepted(const struct visit *visit, const char *kind)
{
    const struct attestd_endorsement_use *uses;
    size_t count = attestd_job_endorsements(visit->job, &uses);
    for (size_t i = 0; i < count; i++)
        if (uses[i].state == ATTESTD_ENDORSEMENT_ACCEPTED && strcmp(uses[i].kind, kind) == 0)
            return &uses[i];
    return NULL;
}

const char *visit_source(const struct visit *visit, const char *kind)
{
    const struct attestd_endorsement_use *use = accepted(visit, kind);
    return use != NULL ? use->source : NULL;
}

bool visit_stale(const struct visit *visit, const char *kind)
{
    const struct attestd_endorsement_use *use = accepted(visit, kind);
    return use != NULL && use->stale;
}

int visit_outcome(const struct visit *visit, const char *id)
{
    const struct attestd_check_list *checks = &visit->result->pieces[0].checks;
    for (size_t i = 0; i < checks->count; i++)
        if (strcmp(checks->items[i].check->id, id) == 0)
            return checks->items[i].outcome;
    return -1;
}

struct counting {
    const char *kind;
    size_t count;
    uint64_t number;
};

static bool count_entry(void *context, const struct attestd_endorsement_entry *entry)
{
    struct counting *counting = context;
    if (strcmp(entry->kind, counting->kind) == 0) {
        counting->count++;
        counting->number = entry->number;
    }
    return true;
}

size_t site_count(struct desk *desk, const char *kind, uint64_t *number)
{
    struct counting counting = {kind, 0, 0};
    attestd_endorsements_list(desk->endorsements, count_entry, &counting);
    if (number != NULL)
        *number = counting.number;
    return counting.count;
}
