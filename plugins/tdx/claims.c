/* SPDX-License-Identifier: Apache-2.0 */
#include "claims.h"

#include "core/encoding.h"
#include <string.h>

struct claimer {
    const struct attestd_host *host;
    struct attestd_appraisal *appraisal;
};

static void bytes(const struct claimer *c, const char *path, const uint8_t *value, size_t len)
{
    c->host->claim_bytes(c->appraisal, path, value, len);
}

static void number(const struct claimer *c, const char *path, int64_t value)
{
    c->host->claim_number(c->appraisal, path, value);
}

static void flag(const struct claimer *c, const char *path, bool value)
{
    c->host->claim_flag(c->appraisal, path, value);
}

static void bits(const struct claimer *c, const uint8_t *field, const char *const names[][2], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        unsigned bit = (unsigned)((names[i][0][0] - '0') * 10 + (names[i][0][1] - '0'));
        flag(c, names[i][1], (field[bit / 8] >> bit % 8 & 1) != 0);
    }
}

#ifdef DCAP_SGX
static void claim_body(const struct claimer *c, const struct dcap_quote *quote)
{
    static const char *const attributes[][2] = {
        {"00", "attributes.initialized"},   {"01", "attributes.debug"},          {"02", "attributes.mode64bit"},
        {"04", "attributes.provision_key"}, {"05", "attributes.einittoken_key"}, {"07", "attributes.kss"},
    };
    const struct dcap_enclave *enclave = &quote->enclave;
    bytes(c, "mrenclave", enclave->mrenclave, 32);
    bytes(c, "mrsigner", enclave->mrsigner, 32);
    number(c, "isv_prod_id", enclave->prod_id);
    number(c, "isv_svn", enclave->svn);
    bytes(c, "report_data", enclave->report_data, 64);
    bits(c, enclave->attributes, attributes, sizeof attributes / sizeof attributes[0]);
    bytes(c, "attributes.raw", enclave->attributes, 16);
    number(c, "miscselect", enclave->miscselect);
    bytes(c, "cpusvn", enclave->cpusvn, 16);
    bytes(c, "config_id", enclave->config_id, 64);
    number(c, "config_svn", enclave->config_svn);
    bytes(c, "isv_ext_prod_id", enclave->ext_prod_id, 16);
    bytes(c, "isv_family_id", enclave->family_id, 16);
}
#else
static void claim_body(const struct claimer *c, const struct dcap_quote *quote)
{
    static const char *const attributes[][2] = {
        {"00", "td_attributes.debug"}, {"28", "td_attributes.sept_ve_disable"}, {"29", "td_attributes.migratable"},
        {"30", "td_attributes.pks"},   {"31", "td_attributes.key_locker"},      {"63", "td_attributes.perfmon"},
    };
    static const char *const rtmr[4] = {"rtmr0", "rtmr1", "rtmr2", "rtmr3"};
    const struct dcap_td *td = &quote->td;
    bytes(c, "mrtd", td->mrtd, 48);
    for (size_t i = 0; i < 4; i++)
        bytes(c, rtmr[i], td->rtmr[i], 48);
    bytes(c, "mrconfigid", td->mrconfigid, 48);
    bytes(c, "mrowner", td->mrowner, 48);
    bytes(c, "mrownerconfig", td->mrownerconfig, 48);
    bytes(c, "mrseam", td->mrseam, 48);
    bytes(c, "mrsignerseam", td->mrsignerseam, 48);
    bytes(c, "seam_attributes", td->seam_attributes, 8);
    bytes(c, "report_data", td->report_data, 64);
    bits(c, td->td_attributes, attributes, sizeof attributes / sizeof attributes[0]);
    bytes(c, "td_attributes.raw", td->td_attributes, 8);
    bytes(c, "xfam", td->xfam, 8);
    bytes(c, "tee_tcb_svn", td->tee_tcb_svn, 16);
    if (td->tee_tcb_svn2) {
        bytes(c, "tee_tcb_svn2", td->tee_tcb_svn2, 16);
        bytes(c, "mrservicetd", td->mrservicetd, 48);
    }
}
#endif

void dcap_claim_quote(const struct attestd_host *host, struct attestd_appraisal *appraisal, const struct dcap_quote *quote)
{
    const struct claimer c = {host, appraisal};
    number(&c, "quote_version", quote->version);
    claim_body(&c, quote);
    bytes(&c, "qe.mrenclave", quote->qe.mrenclave, 32);
    bytes(&c, "qe.mrsigner", quote->qe.mrsigner, 32);
    number(&c, "qe.isv_prod_id", quote->qe.prod_id);
    number(&c, "qe.isv_svn", quote->qe.svn);
    number(&c, "certification_type", quote->certification_type);
    if (quote->padding > 0)
        number(&c, "trailing_zeros", (int64_t)quote->padding);
}

static void claim_pck(const struct claimer *c, const struct dcap_pck *pck)
{
    static const char *const types[] = {"standard", "scalable", "scalable_with_integrity"};
    bytes(c, "fmspc", pck->fmspc, 6);
    bytes(c, "pceid", pck->pceid, 2);
    number(c, "pce_svn", pck->pcesvn);
    bytes(c, "ppid", pck->ppid, 16);
    bytes(c, "platform.cpusvn", pck->cpusvn, 16);
    c->host->claim_text(c->appraisal, "platform.ca", pck->of_platform_ca ? "platform" : "processor");
    if (pck->sgx_type < sizeof types / sizeof types[0])
        c->host->claim_text(c->appraisal, "platform.sgx_type", types[pck->sgx_type]);
    if (pck->has_piid)
        bytes(c, "piid", pck->piid, 16);
    if (!pck->has_configuration)
        return;
    flag(c, "platform.dynamic", pck->dynamic_platform);
    flag(c, "platform.cached_keys", pck->cached_keys);
    flag(c, "platform.smt_enabled", pck->smt_enabled);
}

static void claim_time(const struct claimer *c, const char *path, int64_t time)
{
    char text[ATTESTD_TIME_SIZE];
    attestd_time_format(time, text);
    c->host->claim_text(c->appraisal, path, text);
}

static void claim_verdict(const struct claimer *c, const struct dcap_run *run, const struct dcap_verdict *verdict)
{
    const struct dcap_tcb_info *info = run->tcb_info->info;
    const struct dcap_identity *identity = run->identity->identity;
    int64_t next = info->next_update < identity->next_update ? info->next_update : identity->next_update;
    c->host->claim_text(c->appraisal, "tcb_status", dcap_status_name(verdict->status));
    c->host->claim_text(c->appraisal, "platform_tcb_status", dcap_status_name(verdict->platform));
    if (verdict->has_module)
        c->host->claim_text(c->appraisal, "module_tcb_status", dcap_status_name(verdict->module));
    c->host->claim_text(c->appraisal, "qe_tcb_status", dcap_status_name(verdict->qe));
    if (run->quote.td.tee_tcb_svn2)
        c->host->claim_text(c->appraisal, "current_tcb_status", dcap_status_name(verdict->current));
    if (verdict->date)
        claim_time(c, "tcb_date", verdict->date);
    for (size_t i = 0; i < verdict->advisories.count; i++)
        c->host->claim_text(c->appraisal, "advisory_ids[]", verdict->advisories.names[i]);
    number(c, "evaluation_number", info->evaluation_number);
    number(c, "qe_evaluation_number", identity->evaluation_number);
    claim_time(c, "collateral.next_update", next);
    if (run->stale)
        flag(c, "collateral.stale", true);
}

void dcap_claim_platform(const struct dcap_run *run, const struct dcap_verdict *verdict)
{
    const struct claimer c = {run->host, run->appraisal};
    if (run->chain)
        claim_pck(&c, &run->chain->pck);
    if (verdict->known)
        claim_verdict(&c, run, verdict);
    if (run->pck_list)
        number(&c, "collateral.pck_crl_number", (int64_t)run->pck_list->number);
    if (run->root_list)
        number(&c, "collateral.root_crl_number", (int64_t)run->root_list->number);
}
