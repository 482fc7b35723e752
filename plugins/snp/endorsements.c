/* SPDX-License-Identifier: Apache-2.0 */
#include "endorsements.h"

#include "core/appraise.h"
#include "core/bytes.h"
#include "core/digest.h"
#include "core/encoding.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- steps --- */

struct snp_step *snp_step(struct snp_steps *steps, enum snp_check check)
{
    return &steps->at[check - SNP_CHECK_VEK];
}

static void steps_clear(struct snp_steps *steps)
{
    for (size_t i = 0; i < SNP_STEP_COUNT; i++) {
        struct snp_step *step = &steps->at[i];
        step->outcome = ATTESTD_SKIPPED;
        step->code = NULL;
        step->observed[0] = step->expected[0] = '\0';
    }
}

static void pass(struct snp_steps *steps, enum snp_check check)
{
    snp_step(steps, check)->outcome = ATTESTD_PASS;
}

static struct snp_step *fail(struct snp_steps *steps, enum snp_check check, const char *code)
{
    struct snp_step *step = snp_step(steps, check);
    step->outcome = ATTESTD_FAIL;
    step->code = code;
    return step;
}

static struct snp_step *unavailable(struct snp_steps *steps, enum snp_check check, const char *code)
{
    struct snp_step *step = fail(steps, check, code);
    step->outcome = ATTESTD_UNAVAILABLE;
    return step;
}

__attribute__((format(printf, 2, 3))) static void say(char text[192], const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(text, 192, format, args);
    va_end(args);
}

/* Names inside certificates are the sender's: printable ASCII and no more of them reaches an answer. */
static void say_name(char text[192], const char *what, const char *name)
{
    size_t at = (size_t)snprintf(text, 192, "%s", what);
    for (; *name && at < 120; name++)
        text[at++] = *name >= 0x20 && *name < 0x7f ? *name : '?';
    text[at] = '\0';
}

/* The code of the first that failed; NULL: none did. */
static const char *first_code(const struct snp_steps *steps)
{
    for (size_t i = 0; i < SNP_STEP_COUNT; i++) {
        if (steps->at[i].code)
            return steps->at[i].code;
    }
    return NULL;
}

/* What did not pass and did not fail was skipped, for the sake of the first that failed. */
static void steps_explain_skipped(struct snp_steps *steps)
{
    const char *cause = first_code(steps);
    for (size_t i = 0; i < SNP_STEP_COUNT; i++) {
        if (steps->at[i].outcome == ATTESTD_SKIPPED && cause)
            say(steps->at[i].observed, "not reached, because of %s", cause);
    }
}

/* --- pools --- */

static struct snp_link *pool_add(struct snp_pool *pool, const struct attestd_endorsement *endorsement, enum snp_slot slot, bool enclosed)
{
    struct snp_link *link = &pool->links[pool->count++];
    *link = (struct snp_link){.endorsement = *endorsement, .slot = slot, .enclosed = enclosed};
    return link;
}

/* The same bytes; but what stood in the wrong slot of a table may well come again from a better place. */
static struct snp_link *pool_find(struct snp_pool *pool, const uint8_t sha256[32])
{
    for (size_t i = 0; i < pool->count; i++) {
        struct snp_link *link = &pool->links[i];
        bool misplaced = link->enclosed && link->fault && strcmp(link->fault, "SNP_KEY_KIND_MISMATCH") == 0;
        if (!misplaced && memcmp(link->endorsement.sha256, sha256, 32) == 0)
            return link;
    }
    return NULL;
}

/* One candidate more from the host; the one before it must be given up to get it. False when there is none (now). */
static bool pool_extend(struct snp_run *run, struct snp_pool *pool)
{
    while (pool->state == ATTESTD_NEED_READY && pool->key[0] && pool->count < SNP_LINKS_MAX) {
        struct snp_link *last = pool->count > 0 ? &pool->links[pool->count - 1] : NULL;
        struct attestd_endorsement next;
        if (last && !last->enclosed)
            run->host->reject(run->appraisal, last->endorsement.handle, last->fault ? last->fault : "SNP_LEAF_SIGNATURE");
        memset(&next, 0, sizeof next);
        pool->state = run->host->need(run->appraisal, pool->kind, pool->key, &next);
        if (pool->state != ATTESTD_NEED_READY)
            return false;
        struct snp_link *known = pool_find(pool, next.sha256);
        if (!known) {
            pool_add(pool, &next, SNP_SLOT_ANY, false);
            return true;
        }
        if (last && known->endorsement.handle == next.handle && !known->enclosed)
            break; /* the host has nothing new */
        run->host->reject(run->appraisal, next.handle, known->fault ? known->fault : "SNP_LEAF_SIGNATURE");
    }
    if (pool->state == ATTESTD_NEED_READY)
        pool->state = ATTESTD_NEED_ABSENT;
    return false;
}

static struct snp_link *pool_at(struct snp_run *run, struct snp_pool *pool, size_t index)
{
    if (index >= pool->count && !pool_extend(run, pool))
        return NULL;
    return &pool->links[index];
}

static struct attestd_certificate *link_certificate(struct snp_link *link)
{
    if (!link->parsed) {
        link->parsed = true;
        link->certificate = attestd_certificate_parse(link->endorsement.bytes.data, link->endorsement.bytes.len);
        if (!link->certificate)
            link->fault = "SNP_CERTIFICATE_MALFORMED";
    }
    return link->certificate;
}

static bool wants_vlek(const struct snp_run *run)
{
    return snp_report_signing_key(&run->report) == SNP_SIGNED_BY_VLEK;
}

static void pool_name(struct snp_pool *pool, const char *kind, const char *key)
{
    pool->kind = kind;
    snprintf(pool->key, sizeof pool->key, "%s", key);
    pool->count = 0;
    pool->state = ATTESTD_NEED_READY;
}

/* The key of the report's VEK; "" when nobody can be asked for it. */
static void vek_key(const struct snp_run *run, enum snp_product product, char key[SNP_KEY_SIZE])
{
    uint16_t spl[SNP_SPL_COUNT];
    size_t hwid_len = product == SNP_TURIN ? SNP_TURIN_HWID_SIZE : SNP_CHIP_ID_SIZE;
    key[0] = '\0';
    if (!wants_vlek(run) && snp_report_chip_id_masked(&run->report))
        return;
    for (int i = 0; i < SNP_SPL_COUNT; i++)
        spl[i] = snp_tcb_component(&run->report.reported_tcb, product, (enum snp_component)i);
    snp_vek_key(key, product, run->report.chip_id, wants_vlek(run) ? 0 : hwid_len, spl);
}

static void pools_name(struct snp_run *run, struct snp_authenticity *a, enum snp_product product)
{
    const char *name = snp_product_name(product);
    char key[SNP_KEY_SIZE];
    vek_key(run, product, key);
    pool_name(&a->vek, wants_vlek(run) ? SNP_KIND_VLEK : SNP_KIND_VCEK, key);
    pool_name(&a->intermediate, wants_vlek(run) ? SNP_KIND_ASVK : SNP_KIND_ASK, name);
    pool_name(&a->root, SNP_KIND_ARK, name);
    pool_name(&a->lists, SNP_KIND_CRL, name);
}

#define ENCLOSED_LINKS_MAX 3u /* of one pool: each costs signature checks, and is the sender's choice */

/* Enclosed certificates go to the host first, so that they are listed; enclosed lists only when nobody else has one. */
static void pools_offer(struct snp_run *run, struct snp_authenticity *a)
{
    for (size_t i = 0; run->enclosed && i < run->enclosed->count; i++) {
        const struct snp_enclosed_item *item = &run->enclosed->items[i];
        struct snp_pool *pool = item->slot == SNP_SLOT_INTERMEDIATE ? &a->intermediate : item->slot == SNP_SLOT_ROOT ? &a->root : &a->vek;
        struct attestd_endorsement offered;
        if (item->slot == SNP_SLOT_CRL || pool->count == ENCLOSED_LINKS_MAX)
            continue;
        memset(&offered, 0, sizeof offered);
        /* A masked chip has no key to be asked by; the kind and product still say what this is. */
        run->host->offer(run->appraisal, pool->kind, pool->key[0] ? pool->key : a->root.key, run->enclosed->der + item->offset, item->len,
                         &offered);
        if (!pool_find(pool, offered.sha256))
            pool_add(pool, &offered, item->slot, true);
    }
}

/* --- a chain from the VEK to a pinned root --- */

#define CHAIN_KEY_COST 1024u /* what a memo counts for the key that a chain holds on to */

static void chain_release(void *object)
{
    struct snp_chain *chain = object;
    if (!chain)
        return;
    attestd_key_free(chain->key);
    free(chain);
}

static void memo_key(const char *what, const struct snp_link *a, const struct snp_link *b, const struct snp_link *c, uint8_t key[32])
{
    uint8_t bytes[16 + 96] = {0};
    snprintf((char *)bytes, 16, "%s", what);
    memcpy(bytes + 16, a->endorsement.sha256, 32);
    memcpy(bytes + 48, b->endorsement.sha256, 32);
    memcpy(bytes + 80, c->endorsement.sha256, 32);
    attestd_sha256(bytes, sizeof bytes, key);
}

struct search {
    struct snp_link *intermediate, *root;
    const char *anchor_fault, *ca_fault; /* the nearest misses */
    struct snp_link *signing_intermediate, *signing_root;
};

static const char *anchor_fault(struct snp_run *run, const struct snp_authenticity *a, const struct snp_link *root)
{
    char purpose[16];
    snprintf(purpose, sizeof purpose, "snp/%.10s", a->root.key);
    int32_t pin = run->host->anchor(run->appraisal, purpose, root->endorsement.bytes.data, root->endorsement.bytes.len);
    if (pin == ATTESTD_ANCHOR_PINNED)
        return NULL;
    return pin == ATTESTD_ANCHOR_REISSUED ? "SNP_ANCHOR_REISSUED" : "SNP_ANCHOR_UNKNOWN";
}

/* Basic constraints, key usage and critical extensions of the whole path; its signatures are known to be good. */
static bool path_is_sound(struct snp_link *vek, struct snp_link *intermediate, struct snp_link *root)
{
    struct attestd_certificate *chain[3] = {vek->certificate, intermediate->certificate, root->certificate};
    size_t where;
    return attestd_chain_verify(chain, 3, ATTESTD_CERT_RSA_PSS_SHA384, ATTESTD_CHAIN_ANY_TIME, true, &where) == ATTESTD_CHAIN_GOOD;
}

static bool search_root(struct snp_run *run, struct snp_authenticity *a, struct snp_link *vek, struct snp_link *intermediate,
                        struct search *search)
{
    struct snp_link *root;
    for (size_t i = 0; (root = pool_at(run, &a->root, i)) != NULL; i++) {
        if (!link_certificate(root) ||
            !attestd_certificate_issued_by(intermediate->certificate, root->certificate, ATTESTD_CERT_RSA_PSS_SHA384))
            continue;
        search->signing_root = root;
        root->fault = anchor_fault(run, a, root);
        if (root->fault) {
            search->anchor_fault = root->fault;
            continue;
        }
        if (!path_is_sound(vek, intermediate, root)) {
            search->ca_fault = intermediate->fault = "SNP_INTERMEDIATE_NOT_CA";
            continue;
        }
        search->root = root;
        return true;
    }
    return false;
}

static bool search_chain(struct snp_run *run, struct snp_authenticity *a, struct snp_link *vek, struct search *search)
{
    struct snp_link *link;
    for (size_t i = 0; (link = pool_at(run, &a->intermediate, i)) != NULL; i++) {
        if (!link_certificate(link) || !link_certificate(vek) ||
            !attestd_certificate_issued_by(vek->certificate, link->certificate, ATTESTD_CERT_RSA_PSS_SHA384))
            continue;
        search->signing_intermediate = link;
        if (search_root(run, a, vek, link, search)) {
            search->intermediate = link;
            return true;
        }
    }
    return false;
}

static bool any_waiting(const struct snp_authenticity *a)
{
    return a->intermediate.state == ATTESTD_NEED_WAITING || a->root.state == ATTESTD_NEED_WAITING;
}

static void explain_search(const struct snp_authenticity *a, const struct search *search, struct snp_steps *steps)
{
    struct snp_step *step;
    if (!search->signing_intermediate) {
        if (a->intermediate.count == 0) {
            unavailable(steps, SNP_CHECK_VEK, "SNP_INTERMEDIATE_UNAVAILABLE");
            return;
        }
        fail(steps, SNP_CHECK_CHAIN, "SNP_LEAF_SIGNATURE");
        return;
    }
    if (search->ca_fault) {
        step = fail(steps, SNP_CHECK_CHAIN, search->ca_fault);
        say_name(step->observed, "", attestd_certificate_subject_cn(search->signing_intermediate->certificate));
        return;
    }
    if (search->anchor_fault) {
        pass(steps, SNP_CHECK_CHAIN);
        step = fail(steps, SNP_CHECK_ANCHOR, search->anchor_fault);
        memcpy(step->observed, "SHA-256 ", 8);
        attestd_hex_encode(search->signing_root->endorsement.sha256, 32, step->observed + 8);
        say(step->expected, "a root pinned for snp/%s", a->root.key);
        return;
    }
    if (a->root.count == 0)
        unavailable(steps, SNP_CHECK_VEK, "SNP_ROOT_UNAVAILABLE");
    else
        fail(steps, SNP_CHECK_CHAIN, "SNP_INTERMEDIATE_SIGNATURE");
}

static struct snp_chain *chain_make(struct snp_link *vek, const struct snp_vek *says, const struct search *search)
{
    struct attestd_certificate *path[3] = {vek->certificate, search->intermediate->certificate, search->root->certificate};
    struct snp_chain *chain = calloc(1, sizeof *chain);
    if (!chain)
        abort(); /* as core does: a verifier without memory must not go on half-way */
    chain->vek = *says;
    chain->key = attestd_key_retain(attestd_certificate_key(vek->certificate));
    for (size_t i = 0; i < 3; i++) {
        chain->not_before[i] = attestd_certificate_not_before(path[i]);
        chain->not_after[i] = attestd_certificate_not_after(path[i]);
    }
    return chain;
}

/* --- one candidate --- */

struct judgement {
    struct snp_steps steps;
    struct snp_link *vek, *intermediate, *root;
    const struct snp_chain *chain;
    bool signs; /* its key signed the report */
};

/* The group order n of P-384 (SEC 2, 2.5.1), big-endian. */
static const uint8_t p384_order[48] = {
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xc7, 0x63, 0x4d, 0x81, 0xf4, 0x37, 0x2d, 0xdf,
    0x58, 0x1a, 0x0d, 0xb2, 0x48, 0xb0, 0xa7, 0x7a, 0xec, 0xec, 0x19, 0x6a, 0xcc, 0xc5, 0x29, 0x73,
};

static bool in_range(const uint8_t *number)
{
    return !attestd_bytes_zero(number, SNP_COMPONENT_SIZE) && memcmp(number, p384_order, SNP_COMPONENT_SIZE) < 0;
}

static bool signature_in_range(const struct snp_report *report)
{
    return in_range(report->signature) && in_range(report->signature + SNP_COMPONENT_SIZE);
}

static bool key_signed(struct snp_run *run, const struct attestd_key *key)
{
    return signature_in_range(&run->report) &&
           attestd_appraisal_signature(run->appraisal, key, ATTESTD_ECDSA_P384_SHA384, run->report.raw.data, SNP_SIGNED_SIZE,
                                       run->report.signature, sizeof run->report.signature);
}

static void judge_validity(const struct snp_run *run, const struct snp_chain *chain, struct snp_steps *steps)
{
    for (size_t i = 0; i < 3; i++) {
        bool early = run->time < chain->not_before[i];
        if (!early && run->time <= chain->not_after[i])
            continue;
        struct snp_step *step =
            fail(steps, SNP_CHECK_VALIDITY,
                 i == 0 ? (early ? "SNP_VEK_NOT_YET_VALID" : "SNP_VEK_EXPIRED") : (early ? "SNP_CA_NOT_YET_VALID" : "SNP_CA_EXPIRED"));
        char from[ATTESTD_TIME_SIZE], to[ATTESTD_TIME_SIZE], now[ATTESTD_TIME_SIZE];
        attestd_time_format(chain->not_before[i], from);
        attestd_time_format(chain->not_after[i], to);
        attestd_time_format(run->time, now);
        say(step->observed, "valid %s to %s", from, to);
        say(step->expected, "valid at %s", now);
        return;
    }
    pass(steps, SNP_CHECK_VALIDITY);
}

static const char *kind_name(bool vlek)
{
    return vlek ? "VLEK" : "VCEK";
}

static bool judge_kind(const struct snp_run *run, const struct snp_link *link, const struct snp_vek *vek, struct snp_steps *steps)
{
    bool want = wants_vlek(run);
    bool in_wrong_slot = link->enclosed && link->slot != (vek->vlek ? SNP_SLOT_VLEK : SNP_SLOT_VCEK);
    if (vek->vlek != want || in_wrong_slot) {
        struct snp_step *step = fail(steps, SNP_CHECK_KEY_KIND, "SNP_KEY_KIND_MISMATCH");
        say(step->observed, "%s%s", kind_name(vek->vlek), in_wrong_slot ? " in the slot of the other kind" : "");
        say(step->expected, "%s", kind_name(want));
        return false;
    }
    if (vek->vlek ? vek->has_hwid || !vek->has_csp_id : vek->has_csp_id) {
        struct snp_step *step = fail(steps, SNP_CHECK_KEY_KIND, "SNP_KEY_KIND_UNCLEAR");
        say(step->observed, "%s with%s hwID and with%s cspID", kind_name(vek->vlek), vek->has_hwid ? "" : "out",
            vek->has_csp_id ? "" : "out");
        return false;
    }
    pass(steps, SNP_CHECK_KEY_KIND);
    return true;
}

static bool judge_report_product(const struct snp_run *run, enum snp_product product, const struct snp_vek *vek, struct snp_steps *steps)
{
    if (vek->product == product)
        return true;
    struct snp_step *step = fail(steps, SNP_CHECK_CERTIFICATE_PRODUCT, "SNP_PRODUCT_MISMATCH");
    say(step->observed, "certificate of %s", snp_product_name(vek->product));
    say(step->expected, "%s%s", snp_product_name(product), run->report.has_cpuid ? ", by the CPUID in the report" : "");
    return false;
}

static void judge_certificate_product(const struct snp_vek *vek, struct snp_steps *steps)
{
    const char *name = snp_product_name(vek->product);
    int version = vek->product == SNP_TURIN ? 1 : 0;
    struct snp_step *step;
    if (vek->struct_version != version) {
        step = fail(steps, SNP_CHECK_CERTIFICATE_PRODUCT, "SNP_STRUCT_VERSION");
        say(step->observed, vek->struct_version < 0 ? "no structVersion" : "%d", vek->struct_version);
        say(step->expected, "%d", version);
        return;
    }
    /* "Milan-B0" on a stepping B1 is AMD's own habit: the name before the stepping is all that can be relied on. */
    size_t len = strlen(name);
    if (strncmp(vek->product_name, name, len) != 0 || (vek->product_name[len] != '\0' && vek->product_name[len] != '-')) {
        step = fail(steps, SNP_CHECK_CERTIFICATE_PRODUCT, "SNP_PRODUCT_NAME_MISMATCH");
        say_name(step->observed, "", vek->product_name[0] ? vek->product_name : "no productName");
        say(step->expected, "%s", name);
        return;
    }
    pass(steps, SNP_CHECK_CERTIFICATE_PRODUCT);
}

static const char *hwid_fault(const struct snp_report *report, const struct snp_vek *vek)
{
    size_t len = vek->product == SNP_TURIN ? SNP_TURIN_HWID_SIZE : SNP_CHIP_ID_SIZE;
    if (vek->vlek)
        return NULL; /* a VLEK is the cloud's, of no chip */
    if (!vek->has_hwid)
        return "SNP_HWID_MISSING";
    if (vek->hwid_len != len)
        return "SNP_HWID_LENGTH";
    if (snp_report_chip_id_masked(report))
        return NULL; /* snp.masked_chip_id decides */
    if (memcmp(report->chip_id, vek->hwid, len) != 0)
        return "SNP_HWID_MISMATCH";
    return attestd_bytes_zero(report->chip_id + len, SNP_CHIP_ID_SIZE - len) ? NULL : "SNP_HWID_TAIL";
}

static void judge_hwid(const struct snp_run *run, const struct snp_vek *vek, struct snp_steps *steps)
{
    const char *code = hwid_fault(&run->report, vek);
    if (!code) {
        pass(steps, SNP_CHECK_HWID);
        return;
    }
    struct snp_step *step = fail(steps, SNP_CHECK_HWID, code);
    attestd_hex_encode(vek->hwid, vek->hwid_len, step->observed);
    attestd_hex_encode(run->report.chip_id, SNP_CHIP_ID_SIZE, step->expected);
}

static void judge_tcb(const struct snp_run *run, const struct snp_vek *vek, struct snp_steps *steps)
{
    for (int i = 0; i < SNP_SPL_COUNT; i++) {
        int at = snp_component_at(vek->product, (enum snp_component)i);
        if (at < 0 || vek->spl[i] == run->report.reported_tcb.raw[at])
            continue;
        bool missing = vek->spl[i] == SNP_NO_SPL;
        struct snp_step *step =
            fail(steps, SNP_CHECK_TCB_BINDING, missing ? "SNP_CERTIFICATE_TCB_MISSING" : "SNP_CERTIFICATE_TCB_MISMATCH");
        if (missing)
            say(step->observed, "no %s in the certificate", snp_components[i].name);
        else
            say(step->observed, "%s %u in the certificate", snp_components[i].name, vek->spl[i]);
        say(step->expected, "%s %u", snp_components[i].name, run->report.reported_tcb.raw[at]);
        return;
    }
    pass(steps, SNP_CHECK_TCB_BINDING);
}

static void judge_signature(const struct snp_run *run, const struct judgement *judgement, struct snp_steps *steps)
{
    if (judgement->signs)
        pass(steps, SNP_CHECK_SIGNATURE);
    else
        fail(steps, SNP_CHECK_SIGNATURE, signature_in_range(&run->report) ? "SNP_SIGNATURE_INVALID" : "SNP_SIGNATURE_VALUES");
}

static void judge_chain(struct snp_run *run, struct judgement *judgement)
{
    struct snp_steps *steps = &judgement->steps;
    const struct snp_chain *chain = judgement->chain;
    pass(steps, SNP_CHECK_CHAIN);
    pass(steps, SNP_CHECK_ANCHOR);
    judge_validity(run, chain, steps);
    judge_certificate_product(&chain->vek, steps);
    judge_hwid(run, &chain->vek, steps);
    judge_tcb(run, &chain->vek, steps);
    judge_signature(run, judgement, steps);
}

/* P-384 SubjectPublicKeyInfo with a named curve and an uncompressed point (RFC 5480): AMD's form, and the only one of this length. */
static bool is_p384(const struct attestd_key *key)
{
    static const uint8_t head[23] = {0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02,
                                     0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22, 0x03, 0x62, 0x00};
    struct attestd_bytes spki = attestd_key_spki(key);
    return spki.len == 120 && memcmp(spki.data, head, sizeof head) == 0;
}

/* What the certificate says; NULL with a failed step when it is no VEK. */
static const struct attestd_key *read_vek(struct snp_link *link, struct snp_vek *vek, struct snp_steps *steps)
{
    if (!link_certificate(link) || !snp_vek_read(link->certificate, vek)) {
        fail(steps, SNP_CHECK_CHAIN, "SNP_CERTIFICATE_MALFORMED");
        return NULL;
    }
    const struct attestd_key *key = attestd_certificate_key(link->certificate);
    if (!key || !is_p384(key)) {
        fail(steps, SNP_CHECK_CHAIN, "SNP_LEAF_KEY");
        return NULL;
    }
    return key;
}

/* A chain that no memo knows: only here are signatures of certificates checked. */
static void find_chain(struct snp_run *run, struct snp_authenticity *a, const struct snp_vek *vek, struct judgement *judgement)
{
    struct snp_link *link = judgement->vek;
    struct search search = {0};
    if (!search_chain(run, a, link, &search)) {
        explain_search(a, &search, &judgement->steps);
        return;
    }
    judgement->intermediate = search.intermediate;
    judgement->root = search.root;
    link->chain = chain_make(link, vek, &search);
    memo_key("snp chain", link, search.intermediate, search.root, link->chain_key);
    judgement->chain = link->chain;
}

/* The chain of the candidates that come first, if an earlier run found it good. Always the same as what find_chain() would find: it begins
 * with the same ones. */
static void recall_chain(struct snp_run *run, struct snp_authenticity *a, struct judgement *judgement)
{
    struct snp_link *intermediate = pool_at(run, &a->intermediate, 0), *root = pool_at(run, &a->root, 0);
    uint8_t key[32];
    if (!intermediate || !root)
        return;
    memo_key("snp chain", judgement->vek, intermediate, root, key);
    judgement->chain = run->host->memo_get(run->appraisal, key);
    judgement->intermediate = intermediate;
    judgement->root = root;
}

/* What an earlier run read in a certificate that proved good: enough to check the signature before its issuers are at hand. */
static const struct snp_chain *recall_leaf(struct snp_run *run, const struct snp_link *link)
{
    uint8_t key[32];
    memo_key("snp leaf", link, link, link, key);
    return run->host->memo_get(run->appraisal, key);
}

static void judge(struct snp_run *run, struct snp_authenticity *a, struct snp_link *link, struct judgement *judgement)
{
    const struct attestd_key *key;
    const struct snp_vek *vek;
    struct snp_vek read;
    judgement->vek = link;
    judgement->intermediate = judgement->root = NULL;
    judgement->chain = NULL;
    judgement->signs = false;
    steps_clear(&judgement->steps);
    pass(&judgement->steps, SNP_CHECK_VEK);
    recall_chain(run, a, judgement);
    const struct snp_chain *known = judgement->chain ? judgement->chain : recall_leaf(run, link);
    key = known ? known->key : read_vek(link, &read, &judgement->steps);
    if (!key)
        return;
    vek = known ? &known->vek : &read;
    judgement->signs = key_signed(run, key);
    if (!judge_kind(run, link, vek, &judgement->steps) || !judge_report_product(run, a->product, vek, &judgement->steps)) {
        judgement->chain = NULL;
        return;
    }
    if (!judgement->chain)
        find_chain(run, a, vek, judgement);
    if (judgement->chain)
        judge_chain(run, judgement);
}

/* The first step that did not pass, from VEK to SIGNATURE; the count of them when all passed. */
static size_t first_fault(const struct snp_steps *steps)
{
    size_t i = 0;
    while (i <= SNP_CHECK_SIGNATURE - SNP_CHECK_VEK && steps->at[i].outcome == ATTESTD_PASS)
        i++;
    return i;
}

static bool is_perfect(const struct judgement *judgement)
{
    return first_fault(&judgement->steps) > SNP_CHECK_SIGNATURE - SNP_CHECK_VEK;
}

/* An authentic certificate of this very chip and TCB, whose key did not sign the report: no other certificate can mend that. */
static bool is_final(const struct judgement *judgement)
{
    return first_fault(&judgement->steps) == SNP_CHECK_SIGNATURE - SNP_CHECK_VEK;
}

static size_t nearness(const struct judgement *judgement)
{
    return (judgement->signs ? 1000u : 0u) + (judgement->vek->enclosed ? 100u : 0u) + first_fault(&judgement->steps);
}

/* May the report be refused for what is wrong with this candidate? Not if it merely is another certificate than the one that was asked for,
 * nor if the host's table lags behind the firmware: then the right one may still come. */
static bool is_of_report(const struct judgement *judgement, bool obtainable)
{
    size_t fault = first_fault(&judgement->steps);
    if (judgement->signs || !obtainable || judgement->steps.at[fault].outcome == ATTESTD_UNAVAILABLE)
        return true;
    return judgement->vek->enclosed && fault != SNP_CHECK_TCB_BINDING - SNP_CHECK_VEK;
}

static void take(struct snp_authenticity *a, const struct judgement *judgement)
{
    a->steps = judgement->steps;
    a->chain = judgement->chain;
    a->vek_link = judgement->vek;
    a->intermediate_link = judgement->intermediate;
    a->root_link = judgement->root;
}

static void nothing_found(const struct snp_run *run, struct snp_authenticity *a)
{
    struct snp_step *step;
    steps_clear(&a->steps);
    if (!wants_vlek(run) && snp_report_chip_id_masked(&run->report)) {
        fail(&a->steps, SNP_CHECK_VEK, "SNP_VEK_OF_MASKED_CHIP");
        return;
    }
    step = unavailable(&a->steps, SNP_CHECK_VEK, wants_vlek(run) ? "SNP_VLEK_UNAVAILABLE" : "SNP_VEK_UNAVAILABLE");
    say(step->expected, "%.180s", a->vek.key);
}

/* Judges candidates of one product. True when that is the end of it (or pending). */
static bool choose(struct snp_run *run, struct snp_authenticity *a, struct judgement *best, struct judgement *next)
{
    struct snp_link *link;
    for (size_t i = 0; (link = pool_at(run, &a->vek, i)) != NULL; i++) {
        judge(run, a, link, next);
        if (is_perfect(next) || is_final(next)) {
            take(a, next);
            return true;
        }
        if (any_waiting(a)) {
            a->pending = true;
            return true;
        }
        link->fault = first_code(&next->steps);
        if (!best->vek || nearness(next) > nearness(best))
            *best = *next;
    }
    a->pending = a->vek.state == ATTESTD_NEED_WAITING;
    return a->pending;
}

/* All that can be named is named before anything is waited for. */
static void ask(struct snp_run *run, struct snp_authenticity *a, bool certain, bool want_list)
{
    bool vek = pool_at(run, &a->vek, 0) != NULL;
    if (!vek && !certain)
        return; /* the product is a guess until its certificate comes */
    pool_at(run, &a->intermediate, 0);
    pool_at(run, &a->root, 0);
    if (want_list)
        pool_at(run, &a->lists, 0);
}

/* Products that a report may be of: the one of its CPUID; for version 2, that of an enclosed certificate; else those whose KDS can be
 * asked, to be confirmed by the chain. */
static size_t products_of(const struct snp_run *run, enum snp_product products[3])
{
    const struct snp_report *report = &run->report;
    if (report->has_cpuid) {
        products[0] = snp_product_of_cpuid(report->family, report->model);
        return 1;
    }
    for (size_t i = 0; run->enclosed && i < run->enclosed->count; i++) {
        const struct snp_enclosed_item *item = &run->enclosed->items[i];
        if ((item->slot == SNP_SLOT_VCEK || item->slot == SNP_SLOT_VLEK) && snp_product_supported(item->product)) {
            products[0] = item->product;
            return 1;
        }
    }
    bool masked = snp_report_chip_id_masked(report);
    if (masked && !wants_vlek(run))
        return 0;
    if (!masked && attestd_bytes_zero(report->chip_id + SNP_TURIN_HWID_SIZE, SNP_CHIP_ID_SIZE - SNP_TURIN_HWID_SIZE)) {
        products[0] = SNP_TURIN;
        return 1;
    }
    products[0] = SNP_MILAN;
    products[1] = SNP_GENOA;
    products[2] = SNP_TURIN;
    return masked ? 3 : 2;
}

/* --- the list of revoked certificates --- */

static void list_release(void *object)
{
    free(object);
}

/* The list's contents for the chosen chain, if its ARK signed it. */
static bool list_read(struct snp_run *run, struct snp_authenticity *a, struct snp_link *link, struct snp_list *list)
{
    uint8_t key[32];
    memo_key("snp list", link, a->intermediate_link, a->root_link, key);
    const struct snp_list *known = run->host->memo_get(run->appraisal, key);
    if (known) {
        *list = *known;
        return true;
    }
    struct attestd_certificate *root = link_certificate(a->root_link), *intermediate = link_certificate(a->intermediate_link);
    struct attestd_crl *crl = attestd_crl_parse(link->endorsement.bytes.data, link->endorsement.bytes.len);
    bool good = crl && root && intermediate && attestd_crl_issued_by(crl, root, ATTESTD_CERT_RSA_PSS_SHA384);
    if (good) {
        list->this_update = attestd_crl_this_update(crl);
        list->next_update = attestd_crl_next_update(crl);
        list->number = attestd_crl_number(crl);
        list->revokes = attestd_crl_revokes(crl, intermediate);
        struct snp_list *kept = malloc(sizeof *kept);
        if (kept) {
            *kept = *list;
            run->host->memo_put(run->appraisal, key, kept, sizeof *kept, a->chain->not_after[2], list_release);
        }
    }
    attestd_crl_free(crl);
    return good;
}

static enum snp_list_status list_status(const struct snp_run *run, const struct snp_list *list)
{
    if (list->this_update > run->time)
        return SNP_LIST_FUTURE;
    if (list->next_update == 0)
        return SNP_LIST_NO_NEXT_UPDATE;
    return run->time > list->next_update ? SNP_LIST_STALE : SNP_LIST_FRESH;
}

static const char *list_code(enum snp_list_status status)
{
    return status == SNP_LIST_STALE ? "SNP_CRL_STALE" : status == SNP_LIST_FUTURE ? "SNP_CRL_FUTURE" : "SNP_CRL_NO_NEXT_UPDATE";
}

struct list_choice {
    struct snp_link *link;
    struct snp_list list;
    enum snp_list_status status;
    bool forged; /* one was not the ARK's */
    bool revoked;
};

/* Prefers fresh to stale, and newer to older. True when it is fresh. */
static bool list_consider(struct snp_run *run, struct snp_authenticity *a, struct snp_link *link, struct list_choice *choice)
{
    struct snp_list list;
    if (!list_read(run, a, link, &list)) {
        link->fault = "SNP_CRL_SIGNATURE";
        choice->forged = true;
        return false;
    }
    enum snp_list_status status = list_status(run, &list);
    /* A list that revokes is believed whatever its age: nothing revoked comes back. */
    choice->revoked |= list.revokes;
    if (status != SNP_LIST_FRESH)
        link->fault = list_code(status);
    if (!choice->link || status < choice->status || (status == choice->status && list.this_update > choice->list.this_update)) {
        choice->link = link;
        choice->list = list;
        choice->status = status;
    }
    return status == SNP_LIST_FRESH;
}

static void list_consider_enclosed(struct snp_run *run, struct snp_authenticity *a, struct list_choice *choice)
{
    for (size_t i = 0; run->enclosed && i < run->enclosed->count && a->lists.count < SNP_LINKS_MAX; i++) {
        const struct snp_enclosed_item *item = &run->enclosed->items[i];
        struct attestd_endorsement offered;
        if (item->slot != SNP_SLOT_CRL)
            continue;
        memset(&offered, 0, sizeof offered);
        run->host->offer(run->appraisal, SNP_KIND_CRL, a->lists.key, run->enclosed->der + item->offset, item->len, &offered);
        if (!pool_find(&a->lists, offered.sha256) && list_consider(run, a, pool_add(&a->lists, &offered, SNP_SLOT_CRL, true), choice))
            return;
    }
}

static void say_list(char text[192], const struct snp_list *list)
{
    char from[ATTESTD_TIME_SIZE], to[ATTESTD_TIME_SIZE] = "never";
    attestd_time_format(list->this_update, from);
    if (list->next_update)
        attestd_time_format(list->next_update, to);
    say(text, "list of %s, next %s", from, to);
}

static bool list_tolerated(const struct snp_run *run, const struct list_choice *choice, int64_t stale_for)
{
    return choice->link && choice->status == SNP_LIST_STALE && run->time - choice->list.next_update <= stale_for;
}

static void list_decide(struct snp_run *run, struct snp_authenticity *a, const struct list_choice *choice, int64_t stale_for)
{
    bool tolerated = list_tolerated(run, choice, stale_for);
    struct snp_step *step;
    a->list = choice->list;
    a->list_status = choice->link ? choice->status : SNP_LIST_NONE;
    if (!choice->link) {
        unavailable(&a->steps, SNP_CHECK_REVOCATION, choice->forged ? "SNP_CRL_SIGNATURE" : "SNP_CRL_UNAVAILABLE");
        return;
    }
    if (choice->status != SNP_LIST_FRESH && !tolerated) {
        step = unavailable(&a->steps, SNP_CHECK_REVOCATION, list_code(choice->status));
        say_list(step->observed, &choice->list);
        attestd_time_format(run->time, step->expected);
        return;
    }
    pass(&a->steps, SNP_CHECK_REVOCATION);
    run->host->accept(run->appraisal, choice->link->endorsement.handle, choice->list.next_update, choice->list.number);
}

static void judge_revocation(struct snp_run *run, struct snp_authenticity *a, int64_t stale_for, bool want_list)
{
    struct list_choice choice = {.link = NULL};
    struct snp_link *link;
    bool fresh = false;
    for (size_t i = 0; want_list && !fresh && (link = pool_at(run, &a->lists, i)) != NULL; i++)
        fresh = list_consider(run, a, link, &choice);
    if (want_list && !fresh && a->lists.state == ATTESTD_NEED_WAITING) {
        a->pending = true;
        return;
    }
    if (!fresh && !list_tolerated(run, &choice, stale_for))
        list_consider_enclosed(run, a, &choice);
    if (choice.revoked) {
        struct snp_step *step = fail(&a->steps, SNP_CHECK_NOT_REVOKED, wants_vlek(run) ? "SNP_ASVK_REVOKED" : "SNP_ASK_REVOKED");
        memcpy(step->observed, "SHA-256 ", 8);
        attestd_hex_encode(a->intermediate_link->endorsement.sha256, 32, step->observed + 8);
    } else {
        pass(&a->steps, SNP_CHECK_NOT_REVOKED);
    }
    list_decide(run, a, &choice, stale_for);
}

/* --- all of it --- */

static void accept_chain(struct snp_run *run, const struct snp_authenticity *a)
{
    const struct snp_link *links[3] = {a->vek_link, a->intermediate_link, a->root_link};
    const struct snp_step *revoked = &a->steps.at[SNP_CHECK_NOT_REVOKED - SNP_CHECK_VEK];
    if (revoked->outcome != ATTESTD_PASS) {
        run->host->reject(run->appraisal, a->intermediate_link->endorsement.handle, revoked->code);
        return;
    }
    for (size_t i = 0; i < 3; i++)
        run->host->accept(run->appraisal, links[i]->endorsement.handle, 0, 0);
}

static void conclude(struct snp_run *run, struct snp_authenticity *a, const struct judgement *best)
{
    bool obtainable = a->vek.key[0] != '\0';
    if (best->vek && is_of_report(best, obtainable))
        take(a, best);
    else
        nothing_found(run, a);
}

void snp_authenticate(struct snp_run *run, struct snp_authenticity *a, int64_t stale_for, bool want_list)
{
    struct judgement best, next;
    enum snp_product products[3] = {SNP_NO_PRODUCT};
    size_t count = products_of(run, products);
    bool decided = false;

    best.vek = best.intermediate = best.root = NULL;
    best.chain = NULL;
    best.signs = false;
    steps_clear(&a->steps);
    for (size_t i = 0; i < count && !decided; i++) {
        a->product = products[i];
        pools_name(run, a, a->product);
        pools_offer(run, a);
        ask(run, a, count == 1, want_list);
        decided = choose(run, a, &best, &next);
        if (best.vek)
            break; /* a certificate under this product's name: no guess any more */
    }
    if (a->pending)
        return;
    if (!decided)
        conclude(run, a, &best);
    if (!run->report.has_cpuid && !a->chain)
        a->product = SNP_NO_PRODUCT; /* only the chain confirms it */
    if (a->chain && first_fault(&a->steps) > SNP_CHECK_SIGNATURE - SNP_CHECK_VEK) {
        judge_revocation(run, a, stale_for, want_list);
        if (a->pending)
            return;
        accept_chain(run, a);
    }
    steps_explain_skipped(&a->steps);
}

/* The leaf's own part of a good chain, for runs whose other candidates are still on their way. */
static void keep_leaf(struct snp_run *run, const struct snp_link *link, int64_t not_after)
{
    uint8_t key[32];
    struct snp_chain *leaf = malloc(sizeof *leaf);
    if (!leaf)
        return;
    *leaf = *link->chain;
    leaf->key = attestd_key_retain(leaf->key);
    memo_key("snp leaf", link, link, link, key);
    run->host->memo_put(run->appraisal, key, leaf, sizeof *leaf + CHAIN_KEY_COST, not_after, chain_release);
}

/* Only the chain that was taken is kept: the result rests on no other. */
static void pool_end(struct snp_run *run, struct snp_pool *pool, const struct snp_chain *taken)
{
    for (size_t i = 0; i < pool->count; i++) {
        struct snp_link *link = &pool->links[i];
        attestd_certificate_free(link->certificate);
        if (!link->chain || link->chain != taken) {
            chain_release(link->chain);
            continue;
        }
        int64_t not_after = taken->not_after[0];
        for (size_t c = 1; c < 3; c++)
            not_after = taken->not_after[c] < not_after ? taken->not_after[c] : not_after;
        keep_leaf(run, link, not_after);
        run->host->memo_put(run->appraisal, link->chain_key, link->chain, sizeof *taken + CHAIN_KEY_COST, not_after, chain_release);
    }
    pool->count = 0;
}

void snp_authenticity_end(struct snp_run *run, struct snp_authenticity *a)
{
    pool_end(run, &a->vek, a->chain);
    pool_end(run, &a->intermediate, NULL);
    pool_end(run, &a->root, NULL);
    pool_end(run, &a->lists, NULL);
    a->chain = NULL;
}
