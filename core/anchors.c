/* SPDX-License-Identifier: Apache-2.0 */
#include "core/anchors.h"

#include "core/certificate.h"
#include "core/digest.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct attestd_anchor_set {
    atomic_uint references;
    bool sealed;
    struct attestd_anchor *anchors;
    size_t count, size;
    uint8_t digest[32];
};

/* A trust store that cannot be built must not be used half-built. */
static void *must(void *memory)
{
    if (memory == NULL)
        abort();
    return memory;
}

struct attestd_anchor_set *attestd_anchor_set_new(void)
{
    struct attestd_anchor_set *set = must(calloc(1, sizeof *set));

    atomic_init(&set->references, 1);
    return set;
}

static int compare(const void *left, const void *right)
{
    const struct attestd_anchor *a = left, *b = right;
    int order = strcmp(a->purpose, b->purpose);

    if (order == 0)
        order = memcmp(a->sha256, b->sha256, sizeof a->sha256);
    if (order == 0)
        order = memcmp(a->spki_sha256, b->spki_sha256, sizeof a->spki_sha256);
    if (order == 0)
        order = (a->simulated - b->simulated) * 2 + (a->operator_given - b->operator_given);
    return order;
}

void attestd_anchor_set_add(struct attestd_anchor_set *set, const struct attestd_anchor *anchor)
{
    if (set->sealed)
        abort();
    for (size_t i = 0; i < set->count; i++)
        if (compare(&set->anchors[i], anchor) == 0)
            return;
    if (set->count == set->size) {
        set->size = set->size == 0 ? 16 : set->size * 2;
        set->anchors = must(reallocarray(set->anchors, set->size, sizeof *set->anchors));
    }
    struct attestd_anchor *copy = &set->anchors[set->count++];
    *copy = *anchor;
    copy->name = must(strdup(anchor->name != NULL ? anchor->name : ""));
    copy->purpose = must(strdup(anchor->purpose));
}

struct single {
    struct attestd_certificate *certificate;
};

static void found_certificate(void *context, const uint8_t *der, size_t len)
{
    struct single *single = context;

    if (single->certificate == NULL)
        single->certificate = attestd_certificate_parse(der, len);
}

bool attestd_anchor_set_add_certificate(struct attestd_anchor_set *set, const char *purpose, const uint8_t *bytes, size_t len,
                                        bool simulated)
{
    struct single single = {NULL};
    int objects = attestd_pem_or_der_split(bytes, len, found_certificate, &single);
    struct attestd_key *key = single.certificate != NULL ? attestd_certificate_key(single.certificate) : NULL;
    bool good = objects == 1 && key != NULL;

    if (good) {
        struct attestd_anchor anchor = {
            .name = attestd_certificate_subject_cn(single.certificate),
            .purpose = purpose,
            .simulated = simulated,
            .operator_given = true,
        };
        memcpy(anchor.sha256, attestd_certificate_digest(single.certificate), 32);
        memcpy(anchor.spki_sha256, attestd_key_digest(key), 32);
        attestd_anchor_set_add(set, &anchor);
    }
    if (single.certificate != NULL)
        attestd_certificate_free(single.certificate);
    return good;
}

void attestd_anchor_set_seal(struct attestd_anchor_set *set)
{
    if (set->sealed)
        return;
    if (set->count > 0)
        qsort(set->anchors, set->count, sizeof *set->anchors, compare);

    static const char version[] = "attestd-anchors-v1\n";
    struct attestd_digest *digest = attestd_digest_new(256);
    attestd_digest_add(digest, version, sizeof version - 1);
    for (size_t i = 0; i < set->count; i++) {
        const struct attestd_anchor *anchor = &set->anchors[i];
        uint8_t marks = (uint8_t)(anchor->simulated | anchor->operator_given << 1);
        attestd_digest_add_framed(digest, anchor->purpose, strlen(anchor->purpose));
        attestd_digest_add(digest, anchor->sha256, sizeof anchor->sha256);
        attestd_digest_add(digest, anchor->spki_sha256, sizeof anchor->spki_sha256);
        attestd_digest_add(digest, &marks, 1);
    }
    attestd_digest_finish(digest, set->digest);
    set->sealed = true;
}

struct attestd_anchor_set *attestd_anchor_set_retain(struct attestd_anchor_set *set)
{
    atomic_fetch_add_explicit(&set->references, 1, memory_order_relaxed);
    return set;
}

void attestd_anchor_set_free(struct attestd_anchor_set *set)
{
    if (set == NULL || atomic_fetch_sub_explicit(&set->references, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < set->count; i++) {
        free((char *)(uintptr_t)set->anchors[i].name);
        free((char *)(uintptr_t)set->anchors[i].purpose);
    }
    free(set->anchors);
    free(set);
}

const uint8_t *attestd_anchor_set_digest(const struct attestd_anchor_set *set)
{
    return set->digest;
}

size_t attestd_anchor_set_count(const struct attestd_anchor_set *set)
{
    return set->count;
}

const struct attestd_anchor *attestd_anchor_set_at(const struct attestd_anchor_set *set, size_t index)
{
    return index < set->count ? &set->anchors[index] : NULL;
}

static const struct attestd_anchor *by_certificate(const struct attestd_anchor_set *set, const char *purpose, const uint8_t sha256[32])
{
    for (size_t i = 0; i < set->count; i++)
        if (memcmp(set->anchors[i].sha256, sha256, 32) == 0 && strcmp(set->anchors[i].purpose, purpose) == 0)
            return &set->anchors[i];
    return NULL;
}

static const struct attestd_anchor *by_key(const struct attestd_anchor_set *set, const char *purpose, const uint8_t *der, size_t len)
{
    struct attestd_certificate *certificate = attestd_certificate_parse(der, len);
    struct attestd_key *key = certificate != NULL ? attestd_certificate_key(certificate) : NULL;
    const struct attestd_anchor *match = NULL;

    for (size_t i = 0; key != NULL && match == NULL && i < set->count; i++)
        if (memcmp(set->anchors[i].spki_sha256, attestd_key_digest(key), 32) == 0 && strcmp(set->anchors[i].purpose, purpose) == 0)
            match = &set->anchors[i];
    if (certificate != NULL)
        attestd_certificate_free(certificate);
    return match;
}

int attestd_anchor_set_match(const struct attestd_anchor_set *set, const char *purpose, const uint8_t *der, size_t len,
                             const struct attestd_anchor **anchor)
{
    uint8_t sha256[32];
    int answer = ATTESTD_ANCHOR_PINNED;

    attestd_sha256(der, len, sha256);
    const struct attestd_anchor *match = by_certificate(set, purpose, sha256);
    if (match == NULL) {
        match = by_key(set, purpose, der, len);
        answer = match != NULL ? ATTESTD_ANCHOR_REISSUED : ATTESTD_ANCHOR_UNKNOWN;
    }
    if (anchor != NULL)
        *anchor = match;
    return answer;
}
