/* SPDX-License-Identifier: Apache-2.0 */
#include "verify.h"

#include "claims.h"
#include "core/appraise.h"
#include "core/bytes.h"
#include "core/digest.h"
#include "core/encoding.h"
#ifndef DCAP_SGX
#include "event_log.h"
#endif
#include "settings.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLLATERAL_MAX 1048576u

/* --- the parts --- */

struct parts {
    struct attestd_bytes quote, collateral, ccel, ccel_table, event_log;
};

static bool refuse(const struct dcap_run *run, const char *code, const char *part, size_t at, const char *detail)
{
    run->host->malformed(run->appraisal, code, part, at, detail);
    return false;
}

static bool find_parts(const struct dcap_run *run, const struct attestd_evidence *evidence, struct parts *parts)
{
    const struct {
        const char *name;
        struct attestd_bytes *bytes;
    } known[] = {
        {"quote", &parts->quote}, {"collateral", &parts->collateral},
#ifndef DCAP_SGX
        {"ccel", &parts->ccel},   {"ccel_table", &parts->ccel_table}, {"event_log", &parts->event_log},
#endif
    };
    for (size_t i = 0; i < evidence->part_count; i++) {
        const struct attestd_part *part = &evidence->parts[i];
        bool found = false;
        for (size_t k = 0; k < sizeof known / sizeof known[0]; k++) {
            if (strcmp(part->name, known[k].name) != 0)
                continue;
            *known[k].bytes = part->bytes;
            found = true;
        }
        if (!found)
            return refuse(run, CODE("PART_UNKNOWN"), part->name, 0, "no such part in this type of evidence");
    }
    if (parts->quote.len == 0)
        return refuse(run, CODE("QUOTE_MISSING"), "quote", 0, "no quote");
    if (parts->collateral.len > COLLATERAL_MAX)
        return refuse(run, CODE("COLLATERAL_TOO_LARGE"), "collateral", COLLATERAL_MAX, "enclosed collateral");
    return true;
}

static bool read_quote(struct dcap_run *run, const struct parts *parts)
{
    size_t at;
    char detail[96];
    const char *code = dcap_quote_read(parts->quote.data, parts->quote.len, &run->quote, &at);
    if (!code)
        return true;
    snprintf(detail, sizeof detail, "version %u, TEE type 0x%" PRIx32 ", %zu bytes", run->quote.version, run->quote.tee, parts->quote.len);
    return refuse(run, code, "quote", at, detail);
}

/* --- what the bytes say about themselves --- */

static void check_form(struct dcap_run *run)
{
    static const uint8_t intel[16] = {0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9, 0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07};
    const struct dcap_quote *quote = &run->quote;
    if (memcmp(quote->qe_vendor_id, intel, sizeof intel) == 0)
        dcap_pass(run, DCAP_CHECK_QE_VENDOR, NULL);
    else
        dcap_fail(run, DCAP_CHECK_QE_VENDOR, CODE("QE_VENDOR"), dcap_say_hex(run, quote->qe_vendor_id, 16), dcap_say_hex(run, intel, 16));
    /* Version 3 has QE SVN and PCE SVN where later ones have reserved bytes. */
    if (quote->version > 3 && quote->header_word != 0)
        dcap_fail(run, DCAP_CHECK_RESERVED, CODE("HEADER_RESERVED_BYTES"), dcap_say(run, "0x%08" PRIx32, quote->header_word), "0");
    else if (!quote->qe.reserved_zero || (quote->tee == DCAP_TEE_SGX && !quote->enclave.reserved_zero))
        dcap_fail(run, DCAP_CHECK_RESERVED, CODE("BODY_RESERVED_BYTES"), NULL, NULL);
    else
        dcap_pass(run, DCAP_CHECK_RESERVED, NULL);
}

/* --- signatures --- */

static void key_release(void *object)
{
    attestd_key_free(object);
}

/* REPORT_DATA of the QE: SHA-256 of attestation key and authentication data, and 32 zeros. */
static bool qe_vouches(const struct dcap_quote *quote)
{
    uint8_t digest[32];
    struct attestd_digest *running = attestd_digest_new(256);
    attestd_digest_add(running, quote->attestation_key, 64);
    attestd_digest_add(running, quote->qe_auth.data, quote->qe_auth.len);
    attestd_digest_finish(running, digest);
    return memcmp(digest, quote->qe.report_data, 32) == 0 && attestd_bytes_zero(quote->qe.report_data + 32, 32);
}

static void qe_memo_key(const struct dcap_run *run, const struct attestd_key *pck, uint8_t key[32])
{
    const struct dcap_quote *quote = &run->quote;
    uint8_t digest[32];
    struct attestd_digest *running = attestd_digest_new(256);
    attestd_digest_add(running, quote->qe_report, DCAP_ENCLAVE_SIZE);
    attestd_digest_add(running, quote->qe_signature, 64);
    attestd_digest_add(running, quote->attestation_key, 64);
    attestd_digest_add(running, quote->qe_auth.data, quote->qe_auth.len);
    attestd_digest_finish(running, digest);
    dcap_memo_key("dcap qe", digest, attestd_key_digest(pck), NULL, key);
}

/* The attestation key that the QE vouches for; NULL and failed checks. One QE serves many quotes of a platform, so it is remembered. */
static const struct attestd_key *check_qe(struct dcap_run *run)
{
    const struct dcap_quote *quote = &run->quote;
    const struct attestd_key *pck = attestd_certificate_key(run->chain->certificates[0]);
    uint8_t memo[32];
    qe_memo_key(run, pck, memo);
    const struct attestd_key *known = run->host->memo_get(run->appraisal, memo);
    bool signed_by_pck = known || attestd_appraisal_signature(run->appraisal, pck, ATTESTD_ECDSA_P256_SHA256, quote->qe_report,
                                                              DCAP_ENCLAVE_SIZE, quote->qe_signature, 64);
    if (!signed_by_pck) {
        dcap_fail(run, DCAP_CHECK_QE_REPORT_SIGNATURE, CODE("QE_REPORT_SIGNATURE"), NULL, NULL);
        return NULL;
    }
    dcap_pass(run, DCAP_CHECK_QE_REPORT_SIGNATURE, NULL);
    if (!known && !qe_vouches(quote)) {
        dcap_fail(run, DCAP_CHECK_QE_BINDING, CODE("QE_BINDING"), NULL, NULL);
        return NULL;
    }
    dcap_pass(run, DCAP_CHECK_QE_BINDING, NULL);
    if (known)
        return known;
    struct attestd_key *key = attestd_key_from_point(quote->attestation_key, quote->attestation_key + 32, 32);
    if (key)
        dcap_keep(run, memo, key, 2048, INT64_MAX, key_release);
    return key;
}

/* Cheap, and tells an altered key from an altered QE report. */
static bool check_point(struct dcap_run *run)
{
    struct attestd_key *key = attestd_key_from_point(run->quote.attestation_key, run->quote.attestation_key + 32, 32);
    bool good = key != NULL;
    attestd_key_free(key);
    return good;
}

static void check_signatures(struct dcap_run *run)
{
    const struct dcap_quote *quote = &run->quote;
    const struct attestd_key *key = check_qe(run);
    if (!key) {
        if (!check_point(run))
            dcap_fail(run, DCAP_CHECK_ATTESTATION_KEY, CODE("ATTESTATION_KEY_POINT"), NULL, NULL);
        else
            dcap_pass(run, DCAP_CHECK_ATTESTATION_KEY, NULL);
        return;
    }
    dcap_pass(run, DCAP_CHECK_ATTESTATION_KEY, NULL);
    if (attestd_appraisal_signature(run->appraisal, key, ATTESTD_ECDSA_P256_SHA256, quote->signed_bytes.data, quote->signed_bytes.len,
                                    quote->signature, 64))
        dcap_pass(run, DCAP_CHECK_SIGNATURE, NULL);
    else
        dcap_fail(run, DCAP_CHECK_SIGNATURE, CODE("SIGNATURE_INVALID"), NULL, NULL);
}

/* --- the quoting enclave and the module against Intel's lists --- */

static bool masked_equal(const uint8_t *a, const uint8_t *b, const uint8_t *mask, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if ((a[i] & mask[i]) != (b[i] & mask[i]))
            return false;
    }
    return true;
}

static void check_qe_identity(struct dcap_run *run)
{
    const struct dcap_identity *identity = run->identity->identity;
    const struct dcap_enclave *qe = &run->quote.qe;
    if (memcmp(qe->mrsigner, identity->mrsigner, 32) != 0)
        dcap_fail(run, DCAP_CHECK_QE, CODE("QE_MRSIGNER"), dcap_say_hex(run, qe->mrsigner, 32), dcap_say_hex(run, identity->mrsigner, 32));
    else if (qe->prod_id != identity->prod_id)
        dcap_fail(run, DCAP_CHECK_QE, CODE("QE_PRODUCT"), dcap_say(run, "%u", qe->prod_id), dcap_say(run, "%" PRId64, identity->prod_id));
    else if ((qe->miscselect & identity->miscselect_mask) != (identity->miscselect & identity->miscselect_mask))
        dcap_fail(run, DCAP_CHECK_QE, CODE("QE_MISCSELECT"), dcap_say(run, "0x%08" PRIx32, qe->miscselect),
                  dcap_say(run, "0x%08" PRIx32, identity->miscselect));
    else if (!masked_equal(qe->attributes, identity->attributes, identity->attributes_mask, 16))
        dcap_fail(run, DCAP_CHECK_QE, CODE("QE_ATTRIBUTES"), dcap_say_hex(run, qe->attributes, 16),
                  dcap_say_hex(run, identity->attributes, 16));
    else
        dcap_pass(run, DCAP_CHECK_QE, NULL);
}

#ifndef DCAP_SGX
/* Bits outside the mask must be zero as well: Intel's modules have none set, and nothing speaks for one that has. */
static bool module_attributes_sound(const struct dcap_module *module, const uint8_t *attributes)
{
    for (size_t i = 0; i < 8; i++) {
        if ((attributes[i] & module->attributes_mask[i]) != module->attributes[i] || (attributes[i] & ~module->attributes_mask[i]))
            return false;
    }
    return true;
}

static void check_module(struct dcap_run *run)
{
    const struct dcap_td *td = &run->quote.td;
    const struct dcap_module *module = dcap_module_of(run->tcb_info->info, td->tee_tcb_svn);
    if (!module)
        dcap_fail(run, DCAP_CHECK_MODULE, CODE("MODULE_UNKNOWN"), dcap_say(run, "TDX_%02X", td->tee_tcb_svn[1]),
                  "a module of the TCB info");
    else if (memcmp(td->mrsignerseam, module->mrsigner, 48) != 0)
        dcap_fail(run, DCAP_CHECK_MODULE, CODE("MODULE_SIGNER"), dcap_say_hex(run, td->mrsignerseam, 48),
                  dcap_say_hex(run, module->mrsigner, 48));
    else if (!module_attributes_sound(module, td->seam_attributes))
        dcap_fail(run, DCAP_CHECK_MODULE, CODE("MODULE_ATTRIBUTES"), dcap_say_hex(run, td->seam_attributes, 8),
                  dcap_say_hex(run, module->attributes, 8));
    else
        dcap_pass(run, DCAP_CHECK_MODULE, dcap_say(run, "TDX_%02X", td->tee_tcb_svn[1]));
}
#endif

/* --- Intel's verdict --- */

static void take_level(struct dcap_run *run, struct dcap_verdict *verdict, const struct dcap_level *level)
{
    struct dcap_advisories *all = &verdict->advisories;
    if (!level)
        return;
    if (verdict->date == 0 || level->date < verdict->date)
        verdict->date = level->date;
    if (!all->names)
        all->names = run->host->alloc(run->appraisal, 4 * DCAP_ADVISORIES_MAX * sizeof *all->names);
    for (size_t i = 0; i < level->advisories.count; i++) {
        bool known = false;
        for (size_t k = 0; k < all->count && !known; k++)
            known = strcmp(all->names[k], level->advisories.names[i]) == 0;
        if (!known && all->count < 4 * DCAP_ADVISORIES_MAX)
            all->names[all->count++] = level->advisories.names[i];
    }
}

static enum dcap_status status_of(const struct dcap_level *level)
{
    return level ? level->status : DCAP_NOT_SUPPORTED;
}

/* One evaluation: platform, module and QE, for the SVNs of the launch or of now. */
static enum dcap_status evaluate(struct dcap_run *run, const uint8_t *tee_tcb_svn, struct dcap_verdict *verdict)
{
    const struct dcap_tcb_info *info = run->tcb_info->info;
    verdict->platform_level = dcap_platform_level(info, &run->chain->pck, tee_tcb_svn);
    verdict->platform = status_of(verdict->platform_level);
    verdict->module = DCAP_UP_TO_DATE;
    const struct dcap_module *module = tee_tcb_svn ? dcap_module_of(info, tee_tcb_svn) : NULL;
    if (tee_tcb_svn && !module)
        verdict->module = DCAP_NOT_SUPPORTED;
    verdict->has_module = module && module->levels.count > 0;
    if (verdict->has_module) {
        verdict->module_level = dcap_svn_level(&module->levels, tee_tcb_svn[0]);
        verdict->module = status_of(verdict->module_level);
    }
    verdict->qe_level = dcap_svn_level(&run->identity->identity->levels, run->quote.qe.svn);
    verdict->qe = status_of(verdict->qe_level);
    return dcap_converge(dcap_converge(verdict->platform, verdict->module), verdict->qe);
}

static void judge(struct dcap_run *run, struct dcap_verdict *verdict)
{
    const uint8_t *launch = run->quote.tee == DCAP_TEE_TDX ? run->quote.td.tee_tcb_svn : NULL, *present = run->quote.td.tee_tcb_svn2;
    struct dcap_verdict now = {.known = false};
    verdict->known = true;
    verdict->status = verdict->current = evaluate(run, launch, verdict);
    take_level(run, verdict, verdict->platform_level);
    take_level(run, verdict, verdict->module_level);
    take_level(run, verdict, verdict->qe_level);
    if (!present)
        return;
    verdict->current = evaluate(run, present, &now);
    verdict->status = dcap_relaunch(verdict->status, verdict->current);
    take_level(run, verdict, now.platform_level);
    take_level(run, verdict, now.module_level);
}

/* --- the verdict against policy --- */

static const struct attestd_value *section(const struct dcap_run *run, const char *name)
{
    return run->host->setting(run->appraisal, name);
}

struct status_codes {
    const char *out_of_date, *configuration, *hardening, *revoked, *none;
};

static const char *code_of(const struct status_codes *codes, enum dcap_status status)
{
    switch (status) {
    case DCAP_SW_HARDENING_NEEDED:
        return codes->hardening;
    case DCAP_CONFIGURATION_NEEDED:
    case DCAP_CONFIGURATION_AND_SW_HARDENING_NEEDED:
        return codes->configuration;
    case DCAP_REVOKED:
        return codes->revoked;
    case DCAP_NOT_SUPPORTED:
        return codes->none;
    default:
        return codes->out_of_date;
    }
}

/* A part fails when policy refuses its status, unless all that it needs is a relaunch. */
static void check_part(struct dcap_run *run, const struct dcap_verdict *verdict, enum dcap_check check, enum dcap_status status,
                       const struct status_codes *codes, const char *expected)
{
    bool relaunch = verdict->status == DCAP_RELAUNCH_ADVISED || verdict->status == DCAP_RELAUNCH_ADVISED_CONFIGURATION_NEEDED;
    bool refused = dcap_treatment_of(section(run, "tcb"), status, run->time) == DCAP_REFUSE;
    if (!refused || (relaunch && status < DCAP_REVOKED))
        dcap_pass(run, check, dcap_status_name(status));
    else
        dcap_fail(run, check, code_of(codes, status), dcap_status_name(status), expected);
}

/* Which components are short of the newest level: what an operator must update. */
static const char *say_short(struct dcap_run *run)
{
    const struct dcap_level *top = &run->tcb_info->info->levels.items[0];
    const struct dcap_pck *pck = &run->chain->pck;
    const uint8_t *svn = run->quote.tee == DCAP_TEE_TDX ? run->quote.td.tee_tcb_svn : NULL;
    char *text = run->host->alloc(run->appraisal, 512);
    size_t at = 0;
    for (size_t i = 0; i < 16 && at < 400; i++) {
        if (pck->components[i] < top->sgx[i])
            at += (size_t)snprintf(text + at, 512 - at, "%sSGX component %zu is %u, needs %u", at ? "; " : "", i, pck->components[i],
                                   top->sgx[i]);
        if (svn && !(svn[1] > 0 && i < 2) && svn[i] < top->tdx[i])
            at += (size_t)snprintf(text + at, 512 - at, "%sTDX component %zu is %u, needs %u", at ? "; " : "", i, svn[i], top->tdx[i]);
    }
    if (pck->pcesvn < top->pcesvn)
        at += (size_t)snprintf(text + at, 512 - at, "%sPCE SVN is %u, needs %u", at ? "; " : "", pck->pcesvn, top->pcesvn);
    return at ? text : NULL;
}

static const struct status_codes platform_codes = {CODE("PLATFORM_OUT_OF_DATE"), CODE("PLATFORM_CONFIGURATION_NEEDED"),
                                                   CODE("PLATFORM_SW_HARDENING_NEEDED"), CODE("PLATFORM_TCB_REVOKED"),
                                                   CODE("PLATFORM_NOT_SUPPORTED")};
static const struct status_codes qe_codes = {CODE("QE_OUT_OF_DATE"), CODE("QE_OUT_OF_DATE"), CODE("QE_OUT_OF_DATE"), CODE("QE_TCB_REVOKED"),
                                             CODE("QE_NOT_SUPPORTED")};

static void check_parts(struct dcap_run *run, const struct dcap_verdict *verdict)
{
    const struct dcap_level *qe = &run->identity->identity->levels.items[0];
    check_part(run, verdict, DCAP_CHECK_PLATFORM_TCB, verdict->platform, &platform_codes, say_short(run));
#ifndef DCAP_SGX
    static const struct status_codes codes = {CODE("MODULE_OUT_OF_DATE"), CODE("MODULE_OUT_OF_DATE"), CODE("MODULE_OUT_OF_DATE"),
                                              CODE("MODULE_TCB_REVOKED"), CODE("MODULE_NOT_SUPPORTED")};
    const uint8_t *svn = run->quote.td.tee_tcb_svn;
    const struct dcap_module *module = dcap_module_of(run->tcb_info->info, svn);
    const char *needs = module && module->levels.count
                            ? dcap_say(run, "module TDX_%02X has SVN %u, needs %" PRIu32, svn[1], svn[0], module->levels.items[0].isvsvn)
                            : NULL;
    check_part(run, verdict, DCAP_CHECK_MODULE_TCB, verdict->module, &codes, needs);
#endif
    check_part(run, verdict, DCAP_CHECK_QE_TCB, verdict->qe, &qe_codes,
               dcap_say(run, "the QE has SVN %u, needs %" PRIu32, run->quote.qe.svn, qe->isvsvn));
}

static const char *status_code(enum dcap_status status)
{
    static const char *const codes[DCAP_STATUS_COUNT] = {
        [DCAP_SW_HARDENING_NEEDED] = CODE("TCB_SW_HARDENING_NEEDED"),
        [DCAP_CONFIGURATION_NEEDED] = CODE("TCB_CONFIGURATION_NEEDED"),
        [DCAP_CONFIGURATION_AND_SW_HARDENING_NEEDED] = CODE("TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED"),
#ifndef DCAP_SGX
        [DCAP_RELAUNCH_ADVISED] = CODE("TCB_RELAUNCH_ADVISED"),
        [DCAP_RELAUNCH_ADVISED_CONFIGURATION_NEEDED] = CODE("TCB_RELAUNCH_ADVISED_CONFIGURATION_NEEDED"),
#endif
        [DCAP_OUT_OF_DATE] = CODE("TCB_OUT_OF_DATE"),
        [DCAP_OUT_OF_DATE_CONFIGURATION_NEEDED] = CODE("TCB_OUT_OF_DATE_CONFIGURATION_NEEDED"),
        [DCAP_REVOKED] = CODE("TCB_REVOKED"),
        [DCAP_NOT_SUPPORTED] = CODE("TCB_NOT_SUPPORTED"),
    };
    return codes[status] ? codes[status] : CODE("TCB_NOT_SUPPORTED");
}

static void check_status(struct dcap_run *run, const struct dcap_verdict *verdict, const struct attestd_value *tcb)
{
    enum dcap_treatment treatment = dcap_treatment_of(tcb, verdict->status, run->time);
    const char *name = dcap_status_name(verdict->status);
    if (treatment == DCAP_REFUSE)
        dcap_fail(run, DCAP_CHECK_TCB_STATUS, status_code(verdict->status), name, "UpToDate, or what tcb.status accepts");
    else
        dcap_pass(run, DCAP_CHECK_TCB_STATUS, name);
    if (treatment == DCAP_TOLERATE)
        dcap_fail(run, DCAP_CHECK_TCB_TOLERATED, CODE("TCB_TOLERATED"), name, "UpToDate");
    else if (treatment == DCAP_ACCEPT)
        dcap_pass(run, DCAP_CHECK_TCB_TOLERATED, NULL);
}

static void check_advisories(struct dcap_run *run, const struct dcap_verdict *verdict, const struct attestd_value *advisories)
{
    const struct attestd_value *allow = dcap_member(advisories, "allow"), *deny = dcap_member(advisories, "deny");
    for (size_t i = 0; i < verdict->advisories.count; i++) {
        const char *name = verdict->advisories.names[i];
        if (deny && dcap_list_has_text(deny, name)) {
            dcap_fail(run, DCAP_CHECK_ADVISORIES, CODE("ADVISORY_DENIED"), name, NULL);
            return;
        }
        if (allow && !dcap_list_has_text(allow, name)) {
            dcap_fail(run, DCAP_CHECK_ADVISORIES, CODE("ADVISORY_NOT_ALLOWED"), name, NULL);
            return;
        }
    }
    if (allow || deny)
        dcap_pass(run, DCAP_CHECK_ADVISORIES, NULL);
}

static const char *say_day(struct dcap_run *run, int64_t time)
{
    char text[ATTESTD_TIME_SIZE];
    attestd_time_format(time, text);
    return dcap_say(run, "%s", text);
}

static void check_tcb(struct dcap_run *run, const struct dcap_verdict *verdict)
{
    const struct attestd_value *tcb = section(run, "tcb"), *least = dcap_member(tcb, "date_at_least"),
                               *number = dcap_member(tcb, "evaluation_number_at_least");
    int64_t info = run->tcb_info->info->evaluation_number, identity = run->identity->identity->evaluation_number;
    int64_t lowest = info < identity ? info : identity;
    check_parts(run, verdict);
    check_status(run, verdict, tcb);
    check_advisories(run, verdict, dcap_member(tcb, "advisories"));
    if (least && verdict->date < least->number)
        dcap_fail(run, DCAP_CHECK_TCB_DATE, CODE("TCB_DATE_BELOW_MINIMUM"), say_day(run, verdict->date), say_day(run, least->number));
    else if (least)
        dcap_pass(run, DCAP_CHECK_TCB_DATE, NULL);
    if (number && lowest < number->number)
        dcap_fail(run, DCAP_CHECK_EVALUATION_NUMBER, CODE("EVALUATION_NUMBER_BELOW_MINIMUM"), dcap_say(run, "%" PRId64, lowest),
                  dcap_say(run, "at least %" PRId64, number->number));
    else if (number)
        dcap_pass(run, DCAP_CHECK_EVALUATION_NUMBER, NULL);
}

static void skip_tcb(struct dcap_run *run, const char *cause)
{
    static const enum dcap_check checks[] = {DCAP_CHECK_PLATFORM_TCB, DCAP_CHECK_QE_TCB,
#ifndef DCAP_SGX
                                             DCAP_CHECK_MODULE_TCB,
#endif
                                             DCAP_CHECK_TCB_STATUS};
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++)
        dcap_skip(run, checks[i], cause);
}

/* --- the body against policy --- */

#ifdef DCAP_SGX
#define SGX_KNOWN_FLAGS UINT64_C(0x4f7) /* INIT DEBUG MODE64 PROVISIONKEY EINITTOKENKEY CET KSS AEXNOTIFY (Intel SDM 3D, table 38-3) */

static uint64_t little_endian(const uint8_t *bytes)
{
    struct attestd_reader reader = attestd_reader_of(bytes, 8);
    return attestd_read_u64le(&reader);
}

static void check_body(struct dcap_run *run, const struct parts *parts)
{
    const struct dcap_enclave *enclave = &run->quote.enclave;
    const struct attestd_value *products = dcap_member(section(run, "isv_prod_id"), "allow"),
                               *svn = dcap_member(section(run, "isv_svn"), "at_least");
    uint64_t flags = little_endian(enclave->attributes);
    (void)parts;
    if ((flags & 2) && dcap_wish(section(run, "debug"), DCAP_NO) == DCAP_NO)
        dcap_fail(run, DCAP_CHECK_DEBUG, CODE("DEBUG_ENABLED"), dcap_say(run, "attributes 0x%" PRIx64, flags), "DEBUG clear");
    else
        dcap_pass(run, DCAP_CHECK_DEBUG, NULL);
    if (flags & ~SGX_KNOWN_FLAGS)
        dcap_fail(run, DCAP_CHECK_ATTRIBUTES, CODE("ATTRIBUTES_RESERVED_BITS"), dcap_say(run, "attributes 0x%" PRIx64, flags), NULL);
    else
        dcap_pass(run, DCAP_CHECK_ATTRIBUTES, NULL);
    if (products && !dcap_list_has_number(products, enclave->prod_id))
        dcap_fail(run, DCAP_CHECK_PRODUCT, CODE("ISV_PROD_ID_NOT_ALLOWED"), dcap_say(run, "%u", enclave->prod_id), "one of isv_prod_id");
    else if (products)
        dcap_pass(run, DCAP_CHECK_PRODUCT, NULL);
    if (svn && enclave->svn < svn->number)
        dcap_fail(run, DCAP_CHECK_SVN, CODE("ISV_SVN_BELOW_MINIMUM"), dcap_say(run, "%u", enclave->svn),
                  dcap_say(run, "at least %" PRId64, svn->number));
    else if (svn)
        dcap_pass(run, DCAP_CHECK_SVN, NULL);
}
#else
/* Intel TDX module ABI specification, ATTRIBUTES: 0 DEBUG; 16 ICSSD; 27 LASS; 28 SEPT_VE_DISABLE; 29 MIGRATABLE; 30 PKS; 31 KL; 63 PERFMON.
 * Any bit of the first byte means a guest under debug; those but 0 are profiling. */
#define TD_UNDER_DEBUG UINT64_C(0xff)
#define TD_KNOWN (TD_UNDER_DEBUG | UINT64_C(1) << 16 | UINT64_C(1) << 24 | UINT64_C(0x1f) << 27 | UINT64_C(1) << 63)
#define TD_BIT(n) (UINT64_C(1) << (n))
#define XFAM_FIXED_ONE UINT64_C(3)
#define XFAM_KNOWN UINT64_C(0xedbe7) /* state components up to AMX, and APX */

static uint64_t little_endian(const uint8_t *bytes)
{
    struct attestd_reader reader = attestd_reader_of(bytes, 8);
    return attestd_read_u64le(&reader);
}

static void check_attribute(struct dcap_run *run, enum dcap_check check, const char *name, enum dcap_wish otherwise, enum dcap_wish demand,
                            bool met, const char *code, const char *observed)
{
    if (dcap_wish(dcap_member(section(run, "attributes"), name), otherwise) != demand)
        return;
    if (met)
        dcap_pass(run, check, NULL);
    else
        dcap_fail(run, check, code, observed, demand == DCAP_YES ? "the bit set" : "the bit clear");
}

static void check_attributes(struct dcap_run *run)
{
    const struct dcap_td *td = &run->quote.td;
    uint64_t attributes = little_endian(td->td_attributes), xfam = little_endian(td->xfam);
    const char *observed = dcap_say(run, "attributes 0x%" PRIx64, attributes);
    bool bound = td->mrservicetd && !attestd_bytes_zero(td->mrservicetd, 48);
    check_attribute(run, DCAP_CHECK_DEBUG, "debug", DCAP_NO, DCAP_NO, !(attributes & TD_UNDER_DEBUG), CODE("DEBUG_ENABLED"), observed);
    if (attributes & ~TD_KNOWN)
        dcap_fail(run, DCAP_CHECK_ATTRIBUTES, CODE("ATTRIBUTES_RESERVED_BITS"), observed, NULL);
    else
        dcap_pass(run, DCAP_CHECK_ATTRIBUTES, NULL);
    if ((xfam & XFAM_FIXED_ONE) != XFAM_FIXED_ONE)
        dcap_fail(run, DCAP_CHECK_XFAM, CODE("XFAM_FIXED_BITS"), dcap_say(run, "0x%" PRIx64, xfam), NULL);
    else if (xfam & ~XFAM_KNOWN)
        dcap_fail(run, DCAP_CHECK_XFAM, CODE("XFAM_RESERVED_BITS"), dcap_say(run, "0x%" PRIx64, xfam), NULL);
    else
        dcap_pass(run, DCAP_CHECK_XFAM, NULL);
    check_attribute(run, DCAP_CHECK_SEPT_VE_DISABLE, "sept_ve_disable", DCAP_ANY, DCAP_YES, attributes & TD_BIT(28),
                    CODE("SEPT_VE_ENABLED"), observed);
    check_attribute(run, DCAP_CHECK_MIGRATABLE, "migratable", DCAP_NO, DCAP_NO, !(attributes & TD_BIT(29)), CODE("MIGRATABLE"), observed);
    check_attribute(run, DCAP_CHECK_PERFMON, "perfmon", DCAP_ANY, DCAP_NO, !(attributes & TD_BIT(63)), CODE("PERFMON_ENABLED"), observed);
    /* A policy that lists MRSERVICETD has said which service TDs may be bound. */
    if (!section(run, "mrservicetd"))
        check_attribute(run, DCAP_CHECK_SERVICE_TD, "service_td", DCAP_NO, DCAP_NO, !bound, CODE("SERVICE_TD_BOUND"),
                        bound ? dcap_say_hex(run, td->mrservicetd, 48) : NULL);
}

/* --- event logs --- */

static const char *const mismatch_codes[4] = {CODE("EVENT_LOG_RTMR0_MISMATCH"), CODE("EVENT_LOG_RTMR1_MISMATCH"),
                                              CODE("EVENT_LOG_RTMR2_MISMATCH"), CODE("EVENT_LOG_RTMR3_MISMATCH")};

static unsigned compare_registers(struct dcap_run *run, const struct dcap_replay *replay)
{
    unsigned matching = 0;
    for (unsigned i = 0; i < 4; i++) {
        enum dcap_check check = (enum dcap_check)(DCAP_CHECK_REPLAY_0 + i);
        const uint8_t *rtmr = run->quote.td.rtmr[i];
        if (memcmp(replay->rtmr[i], rtmr, 48) == 0) {
            matching |= 1u << i;
            dcap_pass(run, check, NULL);
        } else if (i == 3 && replay->events[3] == 0) {
            dcap_fail(run, check, CODE("EVENT_LOG_RTMR3_UNLOGGED"), dcap_say_hex(run, rtmr, 48), NULL);
        } else {
            dcap_fail(run, check, mismatch_codes[i], dcap_say_hex(run, replay->rtmr[i], 48), dcap_say_hex(run, rtmr, 48));
        }
    }
    return matching;
}

/* A JSON log that speaks of all registers repeats the firmware's part of the CCEL; one beside a CCEL adds what the guest extended. */
static void check_event_log(struct dcap_run *run, const struct parts *parts)
{
    const struct attestd_value *required = dcap_member(section(run, "event_log"), "required");
    struct dcap_replay replay = {.events = {0}};
    size_t at = 0;
    if (parts->ccel.len == 0 && parts->event_log.len == 0) {
        if (required && required->kind == ATTESTD_VALUE_FLAG && required->number)
            dcap_fail(run, DCAP_CHECK_EVENT_LOG, CODE("EVENT_LOG_MISSING"), NULL, "part `ccel` or `event_log`");
        return;
    }
    bool good = parts->ccel.len == 0 || dcap_ccel_replay(parts->ccel.data, parts->ccel.len, &replay, &at);
    if (good && parts->ccel_table.len > 0)
        good = dcap_ccel_table_fits(parts->ccel_table.data, parts->ccel_table.len, parts->ccel.len);
    struct dcap_replay whole = replay;
    if (good && parts->event_log.len > 0) {
        struct dcap_replay alone = {.events = {0}};
        good = dcap_json_log_replay(parts->event_log.data, parts->event_log.len, &alone, &at);
        for (size_t i = 0; i < 4 && good; i++) {
            bool of_json = alone.events[i] > 0 && (replay.events[i] == 0 || memcmp(replay.rtmr[i], run->quote.td.rtmr[i], 48) != 0);
            if (!of_json)
                continue;
            memcpy(whole.rtmr[i], alone.rtmr[i], 48);
            whole.events[i] = alone.events[i];
        }
    }
    if (!good) {
        dcap_fail(run, DCAP_CHECK_EVENT_LOG, CODE("EVENT_LOG_FORMAT"), dcap_say(run, "at %zu", at), NULL);
        return;
    }
    dcap_pass(run, DCAP_CHECK_EVENT_LOG, NULL);
    unsigned matching = compare_registers(run, &whole);
    for (unsigned i = 0; i < 4; i++)
        run->host->claim_number(run->appraisal, "event_log.events[]", whole.events[i]);
    unsigned by_ccel = 0;
    for (unsigned i = 0; i < 4; i++)
        by_ccel |= (unsigned)(replay.events[i] > 0 && memcmp(replay.rtmr[i], run->quote.td.rtmr[i], 48) == 0) << i;
    if (parts->ccel.len > 0)
        dcap_ccel_claim(run->host, run->appraisal, parts->ccel.data, parts->ccel.len, by_ccel);
    if (parts->event_log.len > 0)
        dcap_json_log_claim(run->host, run->appraisal, parts->event_log.data, parts->event_log.len, matching & ~by_ccel);
}

static void check_body(struct dcap_run *run, const struct parts *parts)
{
    check_attributes(run);
    check_event_log(run, parts);
}
#endif

/* --- the run --- */

static void record_all(struct dcap_run *run)
{
    const char *cause = dcap_first_fault(run);
    for (size_t i = 0; i < DCAP_CHECK_COUNT; i++) {
        if (!run->steps[i].set && (dcap_checks[i].fixed || i == DCAP_CHECK_REVOCATION) && cause)
            dcap_skip(run, (enum dcap_check)i, cause);
        const struct dcap_step *step = &run->steps[i];
        if (step->set)
            run->host->check(run->appraisal, &dcap_checks[i], step->outcome, step->code, step->observed, step->expected);
    }
}

static void authenticate(struct dcap_run *run)
{
    int64_t stale_for = dcap_number(dcap_member(section(run, "collateral"), "stale_for"), 0);
    bool want_lists = run->host->mode(run->appraisal, &dcap_checks[DCAP_CHECK_REVOCATION]) != ATTESTD_DISABLED;
    check_form(run);
    if (dcap_first_fault(run))
        return; /* nobody is asked for anything on behalf of a quote that cannot pass */
    dcap_authenticate_chain(run);
    if (run->pending || !run->chain)
        return;
    check_signatures(run);
    if (dcap_first_fault(run))
        return;
    dcap_authenticate_collateral(run, stale_for, want_lists);
    if (run->pending || !run->tcb_info || !run->identity)
        return;
    check_qe_identity(run);
#ifndef DCAP_SGX
    check_module(run);
#endif
}

static int32_t verify_read(struct dcap_run *run, const struct parts *parts)
{
    struct dcap_verdict verdict = {.known = false};
    authenticate(run);
    if (run->pending) {
        dcap_run_end(run);
        return ATTESTD_PENDING;
    }
    if (run->tcb_info && run->identity) {
        judge(run, &verdict);
        check_tcb(run, &verdict);
    } else {
        skip_tcb(run, dcap_first_fault(run));
    }
    check_body(run, parts);
    record_all(run);
    dcap_claim_quote(run->host, run->appraisal, &run->quote);
    dcap_claim_platform(run, &verdict);
    run->host->binding_field(run->appraisal, ATTESTD_BINDS_D,
                             run->quote.tee == DCAP_TEE_SGX ? run->quote.enclave.report_data : run->quote.td.report_data, 64);
    run->host->signed_bytes(run->appraisal, run->quote.signed_bytes.data, run->quote.signed_bytes.len);
    dcap_run_end(run);
    return ATTESTD_DONE;
}

int32_t dcap_verify(const struct attestd_host *host, const struct attestd_evidence *evidence, struct attestd_appraisal *appraisal)
{
    struct dcap_run run = {.host = host, .appraisal = appraisal, .time = evidence->time};
    struct parts parts = {.quote = {NULL, 0}};
    if (!find_parts(&run, evidence, &parts) || !read_quote(&run, &parts))
        return ATTESTD_MALFORMED;
    run.collateral = parts.collateral;
    return verify_read(&run, &parts);
}

int32_t dcap_inspect(const struct attestd_host *host, const struct attestd_evidence *evidence, struct attestd_appraisal *appraisal)
{
    struct dcap_run run = {.host = host, .appraisal = appraisal, .time = evidence->time};
    struct parts parts = {.quote = {NULL, 0}};
    if (!find_parts(&run, evidence, &parts) || !read_quote(&run, &parts))
        return ATTESTD_MALFORMED;
    dcap_claim_quote(host, appraisal, &run.quote);
    return 0;
}
