/* SPDX-License-Identifier: Apache-2.0 */
#include "endorsements.h"

#include "core/bytes.h"
#include "core/digest.h"
#include "core/encoding.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- steps --- */

static void set(struct dcap_run *run, enum dcap_check check, struct dcap_step step)
{
    step.set = true;
    run->steps[check] = step;
}

void dcap_pass(struct dcap_run *run, enum dcap_check check, const char *observed)
{
    set(run, check, (struct dcap_step){.outcome = ATTESTD_PASS, .observed = observed});
}

void dcap_fail(struct dcap_run *run, enum dcap_check check, const char *code, const char *observed, const char *expected)
{
    set(run, check, (struct dcap_step){.outcome = ATTESTD_FAIL, .code = code, .observed = observed, .expected = expected});
}

void dcap_unavailable(struct dcap_run *run, enum dcap_check check, const char *code, const char *observed, const char *expected)
{
    set(run, check, (struct dcap_step){.outcome = ATTESTD_UNAVAILABLE, .code = code, .observed = observed, .expected = expected});
}

void dcap_skip(struct dcap_run *run, enum dcap_check check, const char *cause)
{
    set(run, check, (struct dcap_step){.outcome = ATTESTD_SKIPPED, .observed = dcap_say(run, "not reached, because of %s", cause)});
}

const char *dcap_first_fault(const struct dcap_run *run)
{
    for (size_t i = 0; i < DCAP_CHECK_COUNT; i++) {
        if (dcap_checks[i].fixed && run->steps[i].set && run->steps[i].code)
            return run->steps[i].code;
    }
    return NULL;
}

const char *dcap_say(struct dcap_run *run, const char *format, ...)
{
    char *text = run->host->alloc(run->appraisal, 256);
    va_list args;
    va_start(args, format);
    vsnprintf(text, 256, format, args);
    va_end(args);
    return text;
}

const char *dcap_say_hex(struct dcap_run *run, const uint8_t *bytes, size_t len)
{
    char *text = run->host->alloc(run->appraisal, 2 * len + 1);
    attestd_hex_encode(bytes, len, text);
    return text;
}

static const char *say_time(struct dcap_run *run, const char *what, int64_t time)
{
    char text[ATTESTD_TIME_SIZE];
    attestd_time_format(time, text);
    return dcap_say(run, "%s%s", what, text);
}

/* --- memos --- */

#define CERTIFICATE_COST 4096u /* what a memo counts for a parsed certificate */

void dcap_memo_key(const char *what, const uint8_t *a, const uint8_t *b, const uint8_t *c, uint8_t key[32])
{
    uint8_t bytes[16 + 96] = {0};
    snprintf((char *)bytes, 16, "%s", what);
    if (a)
        memcpy(bytes + 16, a, 32);
    if (b)
        memcpy(bytes + 48, b, 32);
    if (c)
        memcpy(bytes + 80, c, 32);
    attestd_sha256(bytes, sizeof bytes, key);
}

void dcap_keep(struct dcap_run *run, const uint8_t key[32], void *object, size_t size, int64_t not_after, void (*release)(void *))
{
    struct dcap_made *made = run->host->alloc(run->appraisal, sizeof *made);
    made->next = run->made;
    run->made = made;
    memcpy(made->key, key, 32);
    made->object = object;
    made->size = size;
    made->not_after = not_after;
    made->release = release;
}

/* Made by this run, before it is a memo. */
static void *made_under(const struct dcap_run *run, const uint8_t key[32])
{
    for (const struct dcap_made *made = run->made; made; made = made->next) {
        if (memcmp(made->key, key, 32) == 0)
            return made->object;
    }
    return NULL;
}

static void chain_release(void *object)
{
    struct dcap_chain *chain = object;
    for (size_t i = 0; i < 3; i++)
        attestd_certificate_free(chain->certificates[i]);
    free(chain);
}

static void signed_release(void *object)
{
    struct dcap_signed *sealed = object;
    dcap_tcb_info_free(sealed->info);
    dcap_identity_free(sealed->identity);
    attestd_certificate_free(sealed->signer);
    free(sealed);
}

static void documents_release(void *object)
{
    dcap_documents_free(object);
}

/* Documents are kept only when they proved of use: an attester may enclose what it likes. */
void dcap_run_end(struct dcap_run *run)
{
    bool of_use = run->tcb_info && run->identity;
    for (struct dcap_made *made = run->made; made; made = made->next) {
        if (made->release == documents_release && !of_use)
            made->release(made->object);
        else
            run->host->memo_put(run->appraisal, made->key, made->object, made->size, made->not_after, made->release);
    }
    run->made = NULL;
}

static void *must(void *memory)
{
    if (!memory)
        abort();
    return memory;
}

/* --- documents --- */

/* Taken apart once; a document is a function of its bytes alone. */
static const struct dcap_documents *documents_of(struct dcap_run *run, struct attestd_bytes bytes, const uint8_t sha256[32])
{
    uint8_t key[32];
    dcap_memo_key("dcap documents", sha256, NULL, NULL, key);
    const struct dcap_documents *known = run->host->memo_get(run->appraisal, key);
    if (!known)
        known = made_under(run, key);
    if (known)
        return known;
    struct dcap_documents *documents = dcap_documents_read(bytes.data, bytes.len);
    dcap_keep(run, key, documents, 4 * bytes.len + 4096, INT64_MAX, documents_release);
    return documents;
}

static const struct dcap_documents *enclosed_documents(struct dcap_run *run)
{
    uint8_t sha256[32];
    attestd_sha256(run->collateral.data, run->collateral.len, sha256);
    return documents_of(run, run->collateral, sha256);
}

/* A certificate of a document by its subject, to be freed; NULL: none. */
static struct attestd_certificate *certificate_named(const struct dcap_documents *documents, const char *name)
{
    for (size_t i = 0; i < documents->count; i++) {
        const struct dcap_item *item = &documents->items[i];
        if (item->type != DCAP_ITEM_CERTIFICATE)
            continue;
        struct attestd_certificate *certificate = attestd_certificate_parse(item->bytes.data, item->bytes.len);
        if (certificate && strcmp(attestd_certificate_subject_cn(certificate), name) == 0)
            return certificate;
        attestd_certificate_free(certificate);
    }
    return NULL;
}

/* --- the PCK chain --- */

/* What is to be made into a chain. */
struct bench {
    struct attestd_certificate *at[3]; /* PCK, its CA, root; owned */
    const char *code;                  /* what is wrong, for the check of the chain */
    bool misplaced;
    size_t count;
};

static void bench_put(void *context, const uint8_t *der, size_t len)
{
    struct bench *bench = context;
    if (bench->count < 3) {
        bench->at[bench->count] = attestd_certificate_parse(der, len);
        if (!bench->at[bench->count])
            bench->code = CODE("PCK_CERTIFICATE_MALFORMED");
    }
    bench->count++;
}

static void bench_clear(struct bench *bench)
{
    for (size_t i = 0; i < 3; i++)
        attestd_certificate_free(bench->at[i]);
    memset(bench->at, 0, sizeof bench->at);
}

/* A PEM text may end with NUL bytes, which are its buffer's. */
static struct attestd_bytes without_nul(struct attestd_bytes text)
{
    while (text.len > 0 && text.data[text.len - 1] == 0)
        text.len--;
    return text;
}

static void bench_from_quote(struct dcap_run *run, struct bench *bench)
{
    bool whole = run->quote.certification_type == DCAP_PCK_CHAIN;
    struct attestd_bytes text = without_nul(run->quote.certification);
    int count = attestd_pem_or_der_split(text.data, text.len, bench_put, bench);
    if (count != (whole ? 3 : 1) && !bench->code)
        bench->code = CODE("PCK_CHAIN_FORMAT");
    if (!bench->code && strcmp(attestd_certificate_subject_cn(bench->at[0]), DCAP_CN_PCK) != 0)
        bench->code = CODE("PCK_CHAIN_ORDER");
}

static void bench_from_documents(struct bench *bench, const struct dcap_documents *documents)
{
    bench->at[0] = certificate_named(documents, DCAP_CN_PCK);
    if (!bench->at[0])
        return;
    bench->at[1] = certificate_named(documents, attestd_certificate_issuer_cn(bench->at[0]));
    bench->at[2] = certificate_named(documents, DCAP_CN_ROOT);
}

/* The key by which a caching service is asked for the PCK of a quote that carries none. */
static void pck_key(const struct dcap_run *run, char key[DCAP_KEY_SIZE])
{
    struct dcap_ppid ppid;
    char qe_id[33], cpusvn[33];
    key[0] = '\0';
    if (!dcap_ppid_read(&run->quote, &ppid))
        return;
    attestd_hex_encode(run->quote.user_data, 16, qe_id);
    attestd_hex_encode(ppid.cpusvn, 16, cpusvn);
    snprintf(key, DCAP_KEY_SIZE, "qeid=%s&cpusvn=%s&pcesvn=%02x%02x&pceid=%02x%02x", qe_id, cpusvn, ppid.pcesvn & 0xffu,
             (unsigned)ppid.pcesvn >> 8, ppid.pceid & 0xffu, (unsigned)ppid.pceid >> 8);
}

static int32_t need_documents(struct dcap_run *run, const char *kind, const char *key, const struct dcap_documents **documents)
{
    struct attestd_endorsement endorsement;
    int32_t state = run->host->need(run->appraisal, kind, key, &endorsement);
    *documents = NULL;
    if (state == ATTESTD_NEED_READY)
        *documents = documents_of(run, endorsement.bytes, endorsement.sha256);
    run->pending |= state == ATTESTD_NEED_WAITING;
    return state;
}

/* What neither quote nor enclosure brought. */
static bool bench_ask(struct dcap_run *run, struct bench *bench)
{
    const struct dcap_documents *documents;
    char key[DCAP_KEY_SIZE];
    if (!bench->at[0]) {
        pck_key(run, key);
        if (need_documents(run, DCAP_KIND_PCK, key, &documents) == ATTESTD_NEED_READY)
            bench_from_documents(bench, documents);
    }
    if (!bench->at[0])
        return false;
    const char *ca = dcap_ca_key(attestd_certificate_issuer_cn(bench->at[0]));
    if (!bench->at[1] && ca && need_documents(run, DCAP_KIND_PCK_CA, ca, &documents) == ATTESTD_NEED_READY)
        bench->at[1] = certificate_named(documents, attestd_certificate_issuer_cn(bench->at[0]));
    if (!bench->at[2] && need_documents(run, DCAP_KIND_ROOT_CA, "root", &documents) == ATTESTD_NEED_READY)
        bench->at[2] = certificate_named(documents, DCAP_CN_ROOT);
    return bench->at[1] && bench->at[2];
}

static const char *chain_fault(struct bench *bench, struct dcap_pck *pck)
{
    size_t where;
    if (strcmp(attestd_certificate_subject_cn(bench->at[2]), DCAP_CN_ROOT) != 0 ||
        !dcap_ca_key(attestd_certificate_subject_cn(bench->at[1])))
        return CODE("PCK_CHAIN_ORDER");
    switch (attestd_chain_verify(bench->at, 3, ATTESTD_CERT_ECDSA_SHA256, ATTESTD_CHAIN_ANY_TIME, true, &where)) {
    case ATTESTD_CHAIN_GOOD:
        break;
    case ATTESTD_CHAIN_BROKEN:
        return where == 0 ? CODE("PCK_SIGNATURE") : CODE("PCK_CA_SIGNATURE");
    default:
        return CODE("PCK_CHAIN_NOT_CA");
    }
    if (attestd_certificate_is_ca(bench->at[0]) || !attestd_certificate_key(bench->at[0]))
        return CODE("PCK_CHAIN_NOT_CA");
    return dcap_pck_read(bench->at[0], pck) ? NULL : CODE("PCK_EXTENSION");
}

static bool anchored(struct dcap_run *run, const struct attestd_certificate *root)
{
    struct attestd_bytes der = attestd_certificate_der(root);
    int32_t pin = run->host->anchor(run->appraisal, DCAP_NAME, der.data, der.len);
    if (pin == ATTESTD_ANCHOR_PINNED) {
        dcap_pass(run, DCAP_CHECK_ANCHOR, NULL);
        return true;
    }
    dcap_fail(run, DCAP_CHECK_ANCHOR, pin == ATTESTD_ANCHOR_REISSUED ? CODE("ANCHOR_REISSUED") : CODE("ANCHOR_UNKNOWN"),
              dcap_say(run, "SHA-256 %s", dcap_say_hex(run, attestd_certificate_digest(root), 32)), "a root pinned for " DCAP_NAME);
    return false;
}

static void bench_take(struct dcap_run *run, struct bench *bench, const uint8_t key[32])
{
    struct dcap_pck pck;
    const char *code = chain_fault(bench, &pck);
    if (code) {
        dcap_fail(run, DCAP_CHECK_PCK_CHAIN, code, NULL, NULL);
        return;
    }
    dcap_pass(run, DCAP_CHECK_PCK_CHAIN, NULL);
    if (!anchored(run, bench->at[2]))
        return;
    struct dcap_chain *chain = must(calloc(1, sizeof *chain));
    chain->pck = pck;
    for (size_t i = 0; i < 3; i++)
        chain->certificates[i] = attestd_certificate_retain(bench->at[i]);
    run->chain = chain;
    int64_t not_after = INT64_MAX;
    for (size_t i = 0; i < 3; i++) {
        int64_t end = attestd_certificate_not_after(bench->at[i]);
        not_after = end < not_after ? end : not_after;
    }
    dcap_keep(run, key, chain, sizeof *chain + 3 * CERTIFICATE_COST, not_after, chain_release);
}

static void chain_make(struct dcap_run *run, const uint8_t key[32], bool from_quote)
{
    struct bench bench = {.code = NULL};
    if (from_quote)
        bench_from_quote(run, &bench);
    else if (run->collateral.len > 0)
        bench_from_documents(&bench, enclosed_documents(run));
    if (bench.code) {
        dcap_pass(run, DCAP_CHECK_PCK, NULL);
        dcap_fail(run, DCAP_CHECK_PCK_CHAIN, bench.code, NULL, "PCK certificate, its CA, root");
    } else if (bench_ask(run, &bench)) {
        dcap_pass(run, DCAP_CHECK_PCK, NULL);
        bench_take(run, &bench, key);
    } else if (!run->pending) {
        dcap_unavailable(run, DCAP_CHECK_PCK, bench.at[0] ? CODE("PCK_CA_UNAVAILABLE") : CODE("PCK_UNAVAILABLE"), NULL, NULL);
    }
    bench_clear(&bench);
}

static void check_validity(struct dcap_run *run)
{
    static const char *const names[3] = {"PCK certificate", "PCK CA", "root"};
    for (size_t i = 0; i < 3; i++) {
        const struct attestd_certificate *certificate = run->chain->certificates[i];
        if (run->time < attestd_certificate_not_before(certificate)) {
            dcap_fail(run, DCAP_CHECK_VALIDITY, CODE("CERTIFICATE_NOT_YET_VALID"), names[i],
                      say_time(run, "not before ", attestd_certificate_not_before(certificate)));
            return;
        }
        if (run->time > attestd_certificate_not_after(certificate)) {
            dcap_fail(run, DCAP_CHECK_VALIDITY, CODE("CERTIFICATE_EXPIRED"), names[i],
                      say_time(run, "not after ", attestd_certificate_not_after(certificate)));
            return;
        }
    }
    dcap_pass(run, DCAP_CHECK_VALIDITY, NULL);
}

void dcap_authenticate_chain(struct dcap_run *run)
{
    bool from_quote = run->quote.certification_type >= DCAP_PCK_LEAF;
    uint8_t data[32], key[32];
    attestd_sha256(run->quote.certification.data, run->quote.certification.len, data);
    dcap_memo_key("dcap chain", data, NULL, NULL, key);
    /* Only a chain that is whole in the quote is a function of the quote's bytes. */
    if (run->quote.certification_type == DCAP_PCK_CHAIN)
        run->chain = run->host->memo_get(run->appraisal, key);
    if (run->chain) {
        dcap_pass(run, DCAP_CHECK_PCK, NULL);
        dcap_pass(run, DCAP_CHECK_PCK_CHAIN, NULL);
        dcap_pass(run, DCAP_CHECK_ANCHOR, NULL);
    } else {
        chain_make(run, key, from_quote);
    }
    if (run->chain)
        check_validity(run);
}

/* --- collateral: candidates --- */

/* One kind of endorsement that is looked for. judge() says NULL when a candidate holds, else the code of what is wrong with it. */
struct search {
    const char *kind, *key;
    const char *(*judge)(struct dcap_run *, struct search *, struct attestd_bytes bytes, const uint8_t sha256[32]);
    int64_t stale_for;
    const struct attestd_certificate *subject; /* lists: whose revocation */
    size_t issuer;                             /* lists: index in the chain */

    const char *fault; /* of the last that did not hold */
    const char *observed, *expected;
    bool found, waiting;
    const struct dcap_signed *sealed;
    const struct dcap_revocation *list;
    int64_t next_update;
    uint64_t number;
};

#define CANDIDATES_MAX 8u

static void search_run(struct dcap_run *run, struct search *search)
{
    struct attestd_endorsement candidate;
    for (size_t i = 0; i < CANDIDATES_MAX; i++) {
        int32_t state = run->host->need(run->appraisal, search->kind, search->key, &candidate);
        search->waiting = state == ATTESTD_NEED_WAITING;
        if (state != ATTESTD_NEED_READY)
            break;
        const char *fault = search->judge(run, search, candidate.bytes, candidate.sha256);
        if (run->pending)
            return;
        if (!fault) {
            search->found = true;
            run->host->accept(run->appraisal, candidate.handle, search->next_update, search->number);
            return;
        }
        search->fault = fault;
        run->host->reject(run->appraisal, candidate.handle, fault);
    }
    if (search->waiting) {
        run->pending = true;
        return;
    }
    if (run->collateral.len == 0)
        return;
    /* What ages and comes from the attester itself counts last (DESIGN 7): it may not outlive a TCB recovery by enclosing an old list. */
    run->host->offer(run->appraisal, search->kind, search->key, run->collateral.data, run->collateral.len, &candidate);
    const char *fault = search->judge(run, search, candidate.bytes, candidate.sha256);
    if (run->pending)
        return;
    search->found = !fault;
    if (search->found) {
        run->host->accept(run->appraisal, candidate.handle, search->next_update, search->number);
    } else {
        search->fault = fault;
        run->host->reject(run->appraisal, candidate.handle, fault);
    }
}

/* --- signed JSON --- */

static const struct dcap_signed *memo_signed(struct dcap_run *run, const uint8_t key[32])
{
    const struct dcap_signed *known = run->host->memo_get(run->appraisal, key);
    return known ? known : made_under(run, key);
}

static const struct dcap_signed *seal(struct dcap_run *run, const struct dcap_item *item, struct attestd_certificate *signer,
                                      const uint8_t key[32])
{
    const struct attestd_key *public = attestd_certificate_key(signer);
    if (!public || !attestd_key_verify(public, ATTESTD_ECDSA_P256_SHA256, item->bytes.data, item->bytes.len, item->signature, 64))
        return NULL;
    struct dcap_signed *sealed = must(calloc(1, sizeof *sealed));
    if (item->type == DCAP_ITEM_TCB_INFO)
        sealed->info = dcap_tcb_info_read(item->bytes);
    else
        sealed->identity = dcap_identity_read(item->bytes);
    sealed->signer = attestd_certificate_retain(signer);
    int64_t not_after = sealed->info ? sealed->info->next_update : sealed->identity ? sealed->identity->next_update : INT64_MAX;
    dcap_keep(run, key, sealed, 4 * item->bytes.len + CERTIFICATE_COST, not_after, signed_release);
    return sealed;
}

static bool signer_of_root(const struct dcap_run *run, struct attestd_certificate *signer)
{
    struct attestd_certificate *chain[2] = {signer, run->chain->certificates[2]};
    size_t where;
    return signer && !attestd_certificate_is_ca(signer) &&
           attestd_chain_verify(chain, 2, ATTESTD_CERT_ECDSA_SHA256, ATTESTD_CHAIN_ANY_TIME, true, &where) == ATTESTD_CHAIN_GOOD;
}

/* The item of a type in a document; the signer may stand beside it, or be asked for. NULL and a code, or pending. */
static const struct dcap_signed *open_signed(struct dcap_run *run, struct attestd_bytes bytes, const uint8_t sha256[32],
                                             enum dcap_item_type type, const char **code)
{
    const struct dcap_documents *documents = documents_of(run, bytes, sha256), *others = NULL;
    const struct dcap_item *item = NULL;
    uint8_t key[32];
    for (size_t i = 0; i < documents->count && !item; i++)
        item = documents->items[i].type == type ? &documents->items[i] : NULL;
    *code = type == DCAP_ITEM_TCB_INFO ? CODE("TCB_INFO_FORMAT") : CODE("QE_IDENTITY_FORMAT");
    if (!item)
        return NULL;
    struct attestd_certificate *signer = certificate_named(documents, DCAP_CN_TCB_SIGNING);
    if (!signer && need_documents(run, DCAP_KIND_TCB_SIGNING, "tcb_signing", &others) == ATTESTD_NEED_READY)
        signer = certificate_named(others, DCAP_CN_TCB_SIGNING);
    const struct dcap_signed *sealed = NULL;
    *code = type == DCAP_ITEM_TCB_INFO ? CODE("TCB_INFO_SIGNER") : CODE("QE_IDENTITY_SIGNER");
    if (signer_of_root(run, signer)) {
        dcap_memo_key(type == DCAP_ITEM_TCB_INFO ? "dcap tcb info" : "dcap identity", sha256,
                      attestd_certificate_digest(run->chain->certificates[2]), others ? attestd_certificate_digest(signer) : NULL, key);
        sealed = memo_signed(run, key);
        if (!sealed)
            sealed = seal(run, item, signer, key);
        *code = type == DCAP_ITEM_TCB_INFO ? CODE("TCB_INFO_SIGNATURE") : CODE("QE_IDENTITY_SIGNATURE");
    }
    attestd_certificate_free(signer);
    return sealed;
}

/* Once verified, a document with its own signer is known by its bytes: nothing is parsed. */
static const struct dcap_signed *signed_of(struct dcap_run *run, struct attestd_bytes bytes, const uint8_t sha256[32],
                                           enum dcap_item_type type, const char **code)
{
    uint8_t key[32];
    dcap_memo_key(type == DCAP_ITEM_TCB_INFO ? "dcap tcb info" : "dcap identity", sha256,
                  attestd_certificate_digest(run->chain->certificates[2]), NULL, key);
    const struct dcap_signed *known = memo_signed(run, key);
    return known ? known : open_signed(run, bytes, sha256, type, code);
}

static bool signer_valid(const struct dcap_run *run, const struct dcap_signed *sealed)
{
    return run->time >= attestd_certificate_not_before(sealed->signer) && run->time <= attestd_certificate_not_after(sealed->signer);
}

/* Dates of a list: NULL when it may be used. */
static const char *dates_fault(struct dcap_run *run, struct search *search, int64_t issued, int64_t next_update, const char *future,
                               const char *expired)
{
    search->next_update = next_update;
    if (run->time < issued) {
        search->observed = say_time(run, "issued ", issued);
        return future;
    }
    if (run->time <= next_update)
        return NULL;
    if (run->time - next_update <= search->stale_for) {
        run->stale = true;
        return NULL;
    }
    search->observed = say_time(run, "next update ", next_update);
    search->expected = say_time(run, "in force at ", run->time);
    return expired;
}

static const char *judge_tcb_info(struct dcap_run *run, struct search *search, struct attestd_bytes bytes, const uint8_t sha256[32])
{
    const char *code = NULL;
    const struct dcap_pck *pck = &run->chain->pck;
    const struct dcap_signed *sealed = signed_of(run, bytes, sha256, DCAP_ITEM_TCB_INFO, &code);
    if (!sealed)
        return code;
    const struct dcap_tcb_info *info = sealed->info;
    if (!info)
        return CODE("TCB_INFO_FORMAT");
    if (info->tee != DCAP_TEE)
        return CODE("TCB_INFO_TEE");
    if (memcmp(info->fmspc, pck->fmspc, 6) != 0) {
        search->observed = dcap_say_hex(run, info->fmspc, 6);
        search->expected = dcap_say_hex(run, pck->fmspc, 6);
        return CODE("TCB_INFO_FMSPC");
    }
    if (memcmp(info->pceid, pck->pceid, 2) != 0)
        return CODE("TCB_INFO_PCEID");
    if (!signer_valid(run, sealed))
        return CODE("TCB_INFO_SIGNER_VALIDITY");
    search->sealed = sealed;
    search->number = (uint64_t)info->evaluation_number;
    return dates_fault(run, search, info->issue_date, info->next_update, CODE("TCB_INFO_FUTURE"), CODE("TCB_INFO_EXPIRED"));
}

static const char *judge_identity(struct dcap_run *run, struct search *search, struct attestd_bytes bytes, const uint8_t sha256[32])
{
    const char *code = NULL;
    const struct dcap_signed *sealed = signed_of(run, bytes, sha256, DCAP_ITEM_IDENTITY, &code);
    if (!sealed)
        return code;
    const struct dcap_identity *identity = sealed->identity;
    if (!identity)
        return CODE("QE_IDENTITY_FORMAT");
    if (strcmp(identity->id, search->key) != 0) {
        search->observed = dcap_say(run, "%s", identity->id);
        search->expected = search->key;
        return CODE("QE_IDENTITY_ID");
    }
    if (!signer_valid(run, sealed))
        return CODE("QE_IDENTITY_SIGNER_VALIDITY");
    search->sealed = sealed;
    search->number = (uint64_t)identity->evaluation_number;
    return dates_fault(run, search, identity->issue_date, identity->next_update, CODE("QE_IDENTITY_FUTURE"), CODE("QE_IDENTITY_EXPIRED"));
}

/* --- lists of revoked certificates --- */

static const struct dcap_revocation *list_of(struct dcap_run *run, const struct search *search, struct attestd_bytes bytes,
                                             const uint8_t sha256[32])
{
    struct attestd_certificate *issuer = run->chain->certificates[search->issuer];
    uint8_t key[32];
    dcap_memo_key("dcap list", sha256, attestd_certificate_digest(issuer), attestd_certificate_digest(search->subject), key);
    const struct dcap_revocation *known = run->host->memo_get(run->appraisal, key);
    if (!known)
        known = made_under(run, key);
    if (known)
        return known;
    const struct dcap_documents *documents = documents_of(run, bytes, sha256);
    for (size_t i = 0; i < documents->count; i++) {
        const struct dcap_item *item = &documents->items[i];
        struct attestd_crl *crl = item->type == DCAP_ITEM_CRL ? attestd_crl_parse(item->bytes.data, item->bytes.len) : NULL;
        if (!crl || !attestd_crl_issued_by(crl, issuer, ATTESTD_CERT_ECDSA_SHA256)) {
            attestd_crl_free(crl);
            continue;
        }
        struct dcap_revocation *list = must(calloc(1, sizeof *list));
        *list = (struct dcap_revocation){attestd_crl_this_update(crl), attestd_crl_next_update(crl), attestd_crl_number(crl),
                                         attestd_crl_revokes(crl, search->subject)};
        attestd_crl_free(crl);
        dcap_keep(run, key, list, sizeof *list, list->next_update ? list->next_update : INT64_MAX, free);
        return list;
    }
    return NULL;
}

static const char *judge_list(struct dcap_run *run, struct search *search, struct attestd_bytes bytes, const uint8_t sha256[32])
{
    const struct dcap_revocation *list = list_of(run, search, bytes, sha256);
    if (!list)
        return CODE("CRL_SIGNATURE");
    /* A list that revokes is believed whatever its age: nothing revoked comes back. */
    if (!search->list || list->revoked || !search->list->revoked)
        search->list = list;
    search->number = list->number;
    if (list->next_update == 0)
        return CODE("CRL_NO_NEXT_UPDATE");
    return dates_fault(run, search, list->this_update, list->next_update, CODE("CRL_FUTURE"), CODE("CRL_EXPIRED"));
}

/* --- all of it --- */

static void conclude_signed(struct dcap_run *run, enum dcap_check check, const struct search *search, const char *unavailable,
                            const struct dcap_signed **out)
{
    if (search->found) {
        *out = search->sealed;
        dcap_pass(run, check, NULL);
    } else {
        dcap_unavailable(run, check, search->fault ? search->fault : unavailable, search->observed, search->expected);
    }
}

static void conclude_lists(struct dcap_run *run, const struct search *pck, const struct search *root, bool signer_revoked)
{
    run->pck_list = pck->list;
    run->root_list = root->list;
    if (pck->list && pck->list->revoked)
        dcap_fail(run, DCAP_CHECK_NOT_REVOKED, CODE("PCK_REVOKED"), NULL, NULL);
    else if (root->list && root->list->revoked)
        dcap_fail(run, DCAP_CHECK_NOT_REVOKED, CODE("PCK_CA_REVOKED"), NULL, NULL);
    else if (signer_revoked)
        dcap_fail(run, DCAP_CHECK_NOT_REVOKED, CODE("TCB_SIGNING_REVOKED"), NULL, NULL);
    else
        dcap_pass(run, DCAP_CHECK_NOT_REVOKED, NULL);
    const struct search *missing = !pck->found ? pck : !root->found ? root : NULL;
    if (missing)
        dcap_unavailable(run, DCAP_CHECK_REVOCATION, missing->fault ? missing->fault : CODE("CRL_UNAVAILABLE"),
                         missing->observed ? missing->observed
                         : missing == pck  ? "list of the PCK CA"
                                           : "list of the root",
                         missing->expected);
    else
        dcap_pass(run, DCAP_CHECK_REVOCATION, NULL);
}

/* The same list of the root speaks of the certificates that sign TCB info and identity. */
static bool signer_revoked(struct dcap_run *run, const struct search *root, const struct search *sealed)
{
    struct search again = *root;
    if (!root->found || !sealed->found)
        return false;
    again.subject = sealed->sealed->signer;
    again.found = false;
    again.list = NULL;
    search_run(run, &again);
    return again.list && again.list->revoked;
}

void dcap_authenticate_collateral(struct dcap_run *run, int64_t stale_for, bool want_lists)
{
    char info_key[DCAP_KEY_SIZE];
    const struct dcap_chain *chain = run->chain;
    struct search info = {.kind = DCAP_KIND_TCB_INFO, .key = info_key, .judge = judge_tcb_info, .stale_for = stale_for};
    struct search identity = {.kind = DCAP_KIND_QE_IDENTITY, .key = DCAP_QE, .judge = judge_identity, .stale_for = stale_for};
    struct search pck = {
        .kind = DCAP_KIND_PCK_CRL, .judge = judge_list, .stale_for = stale_for, .subject = chain->certificates[0], .issuer = 1};
    struct search root = {.kind = DCAP_KIND_ROOT_CRL,
                          .key = "root",
                          .judge = judge_list,
                          .stale_for = stale_for,
                          .subject = chain->certificates[1],
                          .issuer = 2};
    struct search *const all[] = {&info, &identity, &pck, &root};
    bool pending = false;
    pck.key = chain->pck.of_platform_ca ? "platform" : "processor";
    dcap_tcb_info_key(info_key, DCAP_TEE, chain->pck.fmspc);
    for (size_t i = 0; i < (want_lists ? 4u : 2u); i++) {
        run->pending = false;
        search_run(run, all[i]);
        pending |= run->pending;
    }
    run->pending = pending;
    if (pending)
        return;
    conclude_signed(run, DCAP_CHECK_TCB_INFO, &info, CODE("TCB_INFO_UNAVAILABLE"), &run->tcb_info);
    conclude_signed(run, DCAP_CHECK_QE_IDENTITY, &identity, CODE("QE_IDENTITY_UNAVAILABLE"), &run->identity);
    if (want_lists) {
        conclude_lists(run, &pck, &root, signer_revoked(run, &root, &info) || signer_revoked(run, &root, &identity));
    } else {
        dcap_pass(run, DCAP_CHECK_NOT_REVOKED, "no list was asked for");
        dcap_unavailable(run, DCAP_CHECK_REVOCATION, CODE("CRL_UNAVAILABLE"), "not asked for", NULL);
    }
}
