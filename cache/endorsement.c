/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/endorsement.h"

#include "core/bytes.h"
#include "core/certificate.h"
#include "core/digest.h"
#include "core/encoding.h"
#include "core/json.h"
#include <stdlib.h>
#include <string.h>

static const char *const sources[] = {"vendor", "directory", "evidence", "import", "anchors", "cache"};

const char *endorsement_source_name(const char *text, size_t len)
{
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++)
        if (strlen(sources[i]) == len && memcmp(sources[i], text, len) == 0)
            return sources[i];
    return "import";
}

static bool is_document(const uint8_t *bytes, size_t len)
{
    size_t at = 0;
    while (at < len && (bytes[at] == ' ' || bytes[at] == '\t' || bytes[at] == '\r' || bytes[at] == '\n'))
        at++;
    return at < len && (bytes[at] == '{' || bytes[at] == '[' || bytes[at] == '<');
}

static bool read_crl_dates(struct endorsement *endorsement)
{
    struct attestd_crl *crl = attestd_crl_parse(endorsement->bytes, endorsement->len);
    if (crl == NULL)
        return false;
    endorsement->this_update = attestd_crl_this_update(crl);
    endorsement->next_update = attestd_crl_next_update(crl);
    endorsement->number = attestd_crl_number(crl);
    attestd_crl_free(crl);
    return true;
}

static int64_t json_date(const json_t *body, const char *name)
{
    const char *text = json_string_value(json_object_get(body, name));
    int64_t seconds = 0;
    return text != NULL && attestd_time_parse(text, &seconds) ? seconds : 0;
}

/* Signed lists in JSON name their dates in their only object member: {"tcbInfo": {"issueDate": ..., "nextUpdate": ...}, "signature": ...}.
 */
static void read_json_dates(struct endorsement *endorsement)
{
    json_t *document = attestd_json_read((const char *)endorsement->bytes, endorsement->len, 32, NULL, 0);
    const char *name;
    json_t *member;
    json_object_foreach(document, name, member)
    {
        if (!json_is_object(member) || json_object_get(member, "nextUpdate") == NULL)
            continue;
        endorsement->this_update = json_date(member, "issueDate");
        endorsement->next_update = json_date(member, "nextUpdate");
        json_int_t number = json_integer_value(json_object_get(member, "tcbEvaluationDataNumber"));
        endorsement->number = number > 0 ? (uint64_t)number : 0;
    }
    json_decref(document);
}

static struct endorsement *allocate(const uint8_t *bytes, size_t len)
{
    if (len > ENDORSEMENT_RIM_MAX)
        return NULL;
    struct endorsement *endorsement = malloc(sizeof *endorsement + len);
    if (endorsement == NULL)
        return NULL;
    *endorsement = (struct endorsement){.len = len};
    atomic_init(&endorsement->references, 1);
    if (len > 0)
        memcpy(endorsement->bytes, bytes, len);
    return endorsement;
}

struct endorsement *endorsement_new(const uint8_t *bytes, size_t len, const char *source, int64_t fetched, int32_t life)
{
    struct endorsement *endorsement = allocate(bytes, len);
    if (endorsement == NULL)
        return NULL;
    endorsement->source = source;
    endorsement->fetched = fetched;
    attestd_sha256(bytes, len, endorsement->sha256);
    if (life != ATTESTD_AGEING)
        return endorsement;
    if (is_document(bytes, len))
        read_json_dates(endorsement);
    else
        (void)read_crl_dates(endorsement);
    return endorsement;
}

struct endorsement *endorsement_copy(const struct endorsement *from, int64_t fetched, int64_t next_update, uint64_t number)
{
    struct endorsement *endorsement = allocate(from->bytes, from->len);
    if (endorsement == NULL)
        return NULL;
    endorsement->source = from->source;
    memcpy(endorsement->sha256, from->sha256, sizeof endorsement->sha256);
    endorsement->fetched = fetched;
    endorsement->this_update = from->this_update;
    endorsement->next_update = next_update;
    endorsement->number = number;
    endorsement->authentic = true;
    return endorsement;
}

struct endorsement *endorsement_retain(struct endorsement *endorsement)
{
    atomic_fetch_add_explicit(&endorsement->references, 1, memory_order_relaxed);
    return endorsement;
}

void endorsement_free(struct endorsement *endorsement)
{
    if (endorsement != NULL && atomic_fetch_sub_explicit(&endorsement->references, 1, memory_order_acq_rel) == 1)
        free(endorsement);
}

bool endorsement_same(const struct endorsement *endorsement, const uint8_t sha256[32])
{
    return memcmp(endorsement->sha256, sha256, 32) == 0;
}

bool endorsement_newer(const struct endorsement *a, const struct endorsement *b)
{
    if (a->number != 0 && b->number != 0 && a->number != b->number)
        return a->number > b->number;
    if (a->this_update != 0 && b->this_update != 0 && a->this_update != b->this_update)
        return a->this_update > b->this_update;
    return a->next_update > b->next_update;
}

bool endorsement_fresh(const struct endorsement *endorsement, int64_t now, int64_t max_age)
{
    bool over = endorsement->next_update != 0 && now >= endorsement->next_update;
    return !over && now - endorsement->fetched < max_age;
}

void candidates_add(struct candidates *candidates, struct endorsement *endorsement)
{
    if (endorsement == NULL || candidates->count == CANDIDATES_MAX)
        return;
    for (size_t i = 0; i < candidates->count; i++)
        if (endorsement_same(candidates->items[i], endorsement->sha256))
            return;
    candidates->items[candidates->count++] = endorsement_retain(endorsement);
}

static int fitness(const struct endorsement *endorsement, int64_t now)
{
    if (endorsement->this_update > now)
        return 2;
    return endorsement->next_update != 0 && now >= endorsement->next_update ? 1 : 0;
}

static bool better(const struct endorsement *a, const struct endorsement *b, int64_t now)
{
    int a_fitness = fitness(a, now), b_fitness = fitness(b, now);
    return a_fitness != b_fitness ? a_fitness < b_fitness : endorsement_newer(a, b);
}

void candidates_sort(struct candidates *candidates, int64_t now)
{
    for (size_t i = 1; i < candidates->count; i++) {
        struct endorsement *moving = candidates->items[i];
        size_t at = i;
        for (; at > 0 && better(moving, candidates->items[at - 1], now); at--)
            candidates->items[at] = candidates->items[at - 1];
        candidates->items[at] = moving;
    }
}

void candidates_clear(struct candidates *candidates)
{
    for (size_t i = 0; i < candidates->count; i++)
        endorsement_free(candidates->items[i]);
    candidates->count = 0;
}

/* From an object's bytes to the plugins' answers about it. */
struct identification {
    const struct attestd_engine *engine;
    endorsement_found *found;
    void *context;
    struct attestd_bytes object;
};

static bool key_valid(const char *key)
{
    size_t len = strnlen(key, ENDORSEMENT_KEY_MAX + 1);
    return len > 0 && len <= ENDORSEMENT_KEY_MAX &&
           strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._=&/-") == len;
}

static void identified(void *context, const char *kind, const char *key)
{
    struct identification *identification = context;
    if (strnlen(kind, ENDORSEMENT_KIND_MAX + 1) <= ENDORSEMENT_KIND_MAX && key_valid(key))
        identification->found(identification->context, kind, key, identification->object.data, identification->object.len);
}

static void identify_object(void *context, const uint8_t *bytes, size_t len)
{
    struct identification *identification = context;
    identification->object = (struct attestd_bytes){bytes, len};
    attestd_engine_identify(identification->engine, bytes, len, identified, identification);
}

bool endorsement_identify(const struct attestd_engine *engine, const uint8_t *bytes, size_t len, endorsement_found *found, void *context)
{
    struct identification identification = {.engine = engine, .found = found, .context = context};
    if (is_document(bytes, len)) {
        identify_object(&identification, bytes, len);
        return true;
    }
    return attestd_pem_or_der_split(bytes, len, identify_object, &identification) > 0;
}

int32_t endorsement_life(const struct attestd_engine *engine, const char *kind)
{
    const struct attestd_endorsement_kind *entry = attestd_engine_endorsement_kind(engine, kind);
    return entry != NULL ? entry->life : ATTESTD_IMMUTABLE;
}

size_t endorsement_max_size(const struct attestd_engine *engine, const char *kind)
{
    const char *dot = strrchr(kind, '.');
    bool manifest = dot != NULL && strncmp(dot, ".rim", 4) == 0;
    size_t bound = manifest ? ENDORSEMENT_RIM_MAX : ENDORSEMENT_ANSWER_MAX;
    const struct attestd_endorsement_kind *entry = attestd_engine_endorsement_kind(engine, kind);
    return entry != NULL && entry->max_size != 0 && entry->max_size < bound ? entry->max_size : bound;
}
