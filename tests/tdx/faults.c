/* SPDX-License-Identifier: Apache-2.0 */
/* Every way to fail: simulated quotes and collateral with one thing wrong, beside the same with nothing wrong. */
#include "tests/tdx/appraisal.h"

#include "core/encoding.h"
#include "policy/policy.h"
#include "tests/tdx/mint.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

#define NOW INT64_C(1780272000) /* 2026-06-01 */

static struct sim_dcap_vendor *vendor;

/* One quote with all that is needed for it. */
struct scene {
    bool td;
    struct sim_dcap d;
    struct sim_bytes quote, info, identity, pck_crl, root_crl;
    size_t qe_at;          /* of the QE report in the quote */
    const char *event_log; /* NULL: none */
    bool strange, big_collateral;
    struct attestd_anchor_set *anchors, *own;
    struct shelf shelf;
    struct appraisal a;
};

static const char log_of_rtmr3[] = "[{\"imr\":3,\"event_type\":1,\"digest\":\"000000000000000000000000000000000000000000000000000000000000"
                                   "000000000000000000000000000000000000\"}]";

static struct attestd_anchor_set *anchors_of(struct sim_bytes root)
{
    struct attestd_anchor_set *set = attestd_anchor_set_new();
    if (root.len) {
        assert_true(attestd_anchor_set_add_certificate(set, "tdx", root.data, root.len, true));
        assert_true(attestd_anchor_set_add_certificate(set, "sgx", root.data, root.len, true));
    }
    attestd_anchor_set_seal(set);
    free(root.data);
    return set;
}

static struct attestd_anchor_set *anchors_none(void)
{
    return anchors_of((struct sim_bytes){NULL, 0});
}

/* Another certificate over the same key. */
static struct attestd_anchor_set *anchors_other(void)
{
    return anchors_of(sim_dcap_root_reissued(vendor));
}

static void flip(struct sim_bytes *bytes, size_t at)
{
    assert_true(at < bytes->len);
    bytes->data[at] ^= 1;
}

static void grow(struct sim_bytes *bytes, size_t len)
{
    bytes->data = realloc(bytes->data, len);
    assert_non_null(bytes->data);
    memset(bytes->data + bytes->len, 0, len - bytes->len);
    bytes->len = len;
}

/* The n-th place of a text in bytes. */
static uint8_t *at_text(const struct sim_bytes *bytes, const char *text, unsigned n)
{
    size_t len = strlen(text);
    for (size_t i = 0; i + len <= bytes->len; i++) {
        if (memcmp(bytes->data + i, text, len) == 0 && --n == 0)
            return bytes->data + i;
    }
    fail_msg("no %s", text);
    return NULL;
}

/* Another character of base64, unless it is the end of a line. */
static void turn(uint8_t *character)
{
    character -= *character == '\n';
    *character = *character == 'A' ? 'B' : 'A';
}

/* The host was updated while the guest ran. */
static void updated(struct sim_dcap *d, const char *status)
{
    d->version = 5;
    d->td15 = true;
    d->status = status;
    d->tdx_current = (uint8_t)(d->tee_tcb_svn[2] + 2);
    d->tee_tcb_svn2[2] = d->tdx_current;
}

static void edit_qe_vendor(struct sim_dcap *d)
{
    d->qe_vendor_id[0] ^= 1;
}

static void edit_header_reserved_bytes(struct sim_dcap *d)
{
    d->header_word = 1;
    d->version = 4;
}

static void edit_body_reserved_bytes(struct sim_dcap *d)
{
    d->body_reserved = 1;
}

static void alter_body_reserved_bytes(struct scene *s)
{
    flip(&s->quote, s->qe_at + 20);
}

static void alter_attestation_key_point(struct scene *s)
{
    memset(s->quote.data + s->qe_at - (s->td ? 70 : 64), 0xff, 32);
}

static void edit_pck_unavailable(struct sim_dcap *d)
{
    d->certification = 3;
}

static void edit_pck_ca_unavailable(struct sim_dcap *d)
{
    d->certification = 4;
}

static void alter_pck_chain_format(struct scene *s)
{
    at_text(&s->quote, "-----BEGIN", 1)[0] = 'x';
}

static void alter_pck_certificate_malformed(struct scene *s)
{
    turn(at_text(&s->quote, "MII", 1) + 6);
}

static void edit_pck_chain_order(struct sim_dcap *d)
{
    d->reversed_chain = true;
}

static void alter_pck_signature(struct scene *s)
{
    turn(at_text(&s->quote, "-----END", 1) - 20);
}

static void alter_pck_ca_signature(struct scene *s)
{
    turn(at_text(&s->quote, "-----END", 2) - 20);
}

static void edit_pck_chain_not_ca(struct sim_dcap *d)
{
    d->leaf_is_ca = true;
}

static void edit_pck_extension(struct sim_dcap *d)
{
    d->no_extension = true;
}

static void alter_anchor_unknown(struct scene *s)
{
    s->anchors = anchors_none();
}

static void alter_anchor_reissued(struct scene *s)
{
    s->anchors = anchors_other();
}

static void edit_certificate_expired(struct sim_dcap *d)
{
    d->pck_not_after = d->time - 1;
}

static void edit_certificate_not_yet_valid(struct sim_dcap *d)
{
    d->pck_not_before = d->time + 1;
}

static void alter_qe_report_signature(struct scene *s)
{
    flip(&s->quote, s->qe_at + 387);
}

static void alter_qe_binding(struct scene *s)
{
    flip(&s->quote, s->qe_at + 450);
}

static void alter_signature_invalid(struct scene *s)
{
    flip(&s->quote, 60);
}

static void alter_signature_invalid_2(struct scene *s)
{
    flip(&s->quote, 120);
}

static void edit_pck_revoked(struct sim_dcap *d)
{
    d->revoke = "pck";
}

static void edit_pck_ca_revoked(struct sim_dcap *d)
{
    d->revoke = "ca";
}

static void edit_tcb_signing_revoked(struct sim_dcap *d)
{
    d->revoke = "signer";
}

static void edit_tcb_info_format(struct sim_dcap *d)
{
    d->info_version_4 = true;
}

static void edit_tcb_info_signer(struct sim_dcap *d)
{
    d->info_no_chain = true;
}

static void alter_tcb_info_signature(struct scene *s)
{
    at_text(&s->info, "2026-01-01", 1)[9] = '2';
}

static void edit_tcb_info_tee(struct sim_dcap *d)
{
    d->info_id = d->td ? "SGX" : "TDX";
}

static void edit_tcb_info_fmspc(struct sim_dcap *d)
{
    d->info_fmspc[0] ^= 1;
}

static void edit_tcb_info_pceid(struct sim_dcap *d)
{
    d->info_pceid[0] = 1;
}

static void edit_tcb_info_signer_validity(struct sim_dcap *d)
{
    d->signer_not_after = d->time - 1;
}

static void edit_tcb_info_future(struct sim_dcap *d)
{
    d->info_issue = 10;
}

static void edit_tcb_info_expired(struct sim_dcap *d)
{
    d->info_next = -1;
}

static void edit_qe_identity_format(struct sim_dcap *d)
{
    d->identity_version_3 = true;
}

static void edit_qe_identity_signer(struct sim_dcap *d)
{
    d->identity_no_chain = true;
}

static void alter_qe_identity_signature(struct scene *s)
{
    at_text(&s->identity, "2026-01-01", 1)[9] = '2';
}

static void edit_qe_identity_id(struct sim_dcap *d)
{
    d->identity_id = "QVE";
}

static void edit_qe_identity_signer_validity(struct sim_dcap *d)
{
    d->signer_not_before = d->time + 1;
}

static void edit_qe_identity_future(struct sim_dcap *d)
{
    d->identity_issue = 10;
}

static void edit_qe_identity_expired(struct sim_dcap *d)
{
    d->identity_next = -1;
}

static void edit_qe_mrsigner(struct sim_dcap *d)
{
    d->qe_mrsigner[0] ^= 1;
}

static void edit_qe_product(struct sim_dcap *d)
{
    d->qe_prod_id = 9;
}

static void edit_qe_miscselect(struct sim_dcap *d)
{
    d->qe_miscselect = 1;
}

static void edit_qe_attributes(struct sim_dcap *d)
{
    d->qe_attributes[0] |= 2;
}

static void edit_module_unknown(struct sim_dcap *d)
{
    d->module_missing = true;
}

static void edit_module_signer(struct sim_dcap *d)
{
    d->mrsignerseam[0] = 1;
}

static void edit_module_attributes(struct sim_dcap *d)
{
    d->seam_attributes[0] = 1;
}

static void alter_crl_signature(struct scene *s)
{
    flip(&s->pck_crl, s->pck_crl.len - 4);
}

static void edit_crl_future(struct sim_dcap *d)
{
    d->crl_this = 10;
}

static void edit_crl_no_next_update(struct sim_dcap *d)
{
    d->crl_next = 0;
}

static void edit_crl_expired(struct sim_dcap *d)
{
    d->crl_next = -1;
}

static void edit_platform_out_of_date(struct sim_dcap *d)
{
    d->status = "OutOfDate";
}

static void edit_platform_configuration_needed(struct sim_dcap *d)
{
    d->status = "ConfigurationNeeded";
}

static void edit_platform_sw_hardening_needed(struct sim_dcap *d)
{
    d->status = "SWHardeningNeeded";
}

static void edit_platform_tcb_revoked(struct sim_dcap *d)
{
    d->status = "Revoked";
}

static void edit_platform_not_supported(struct sim_dcap *d)
{
    d->level_above = true;
}

static void edit_module_out_of_date(struct sim_dcap *d)
{
    d->module_status = "OutOfDate";
}

static void edit_module_tcb_revoked(struct sim_dcap *d)
{
    d->module_status = "Revoked";
}

static void edit_module_not_supported(struct sim_dcap *d)
{
    d->module_above = true;
}

static void edit_qe_out_of_date(struct sim_dcap *d)
{
    d->qe_status = "OutOfDate";
}

static void edit_qe_tcb_revoked(struct sim_dcap *d)
{
    d->qe_status = "Revoked";
}

static void edit_qe_not_supported(struct sim_dcap *d)
{
    d->qe_above = true;
}

static void edit_tcb_sw_hardening_needed(struct sim_dcap *d)
{
    d->status = "SWHardeningNeeded";
}

static void edit_tcb_configuration_needed(struct sim_dcap *d)
{
    d->status = "ConfigurationNeeded";
}

static void edit_tcb_configuration_and_sw_hardening_needed(struct sim_dcap *d)
{
    d->status = "ConfigurationAndSWHardeningNeeded";
}

static void edit_tcb_out_of_date(struct sim_dcap *d)
{
    d->status = "OutOfDate";
}

static void edit_tcb_out_of_date_configuration_needed(struct sim_dcap *d)
{
    d->status = "OutOfDateConfigurationNeeded";
}

static void edit_tcb_revoked(struct sim_dcap *d)
{
    d->status = "Revoked";
}

static void edit_tcb_out_of_date_configuration_needed_2(struct sim_dcap *d)
{
    d->status = "ConfigurationNeeded";
    d->qe_status = "OutOfDate";
}

static void edit_tcb_out_of_date_2(struct sim_dcap *d)
{
    d->status = "SWHardeningNeeded";
    d->qe_status = "OutOfDate";
}

static void edit_tcb_not_supported(struct sim_dcap *d)
{
    d->level_above = true;
}

static void edit_tcb_relaunch_advised(struct sim_dcap *d)
{
    updated(d, "OutOfDate");
}

static void edit_tcb_relaunch_advised_configuration_needed(struct sim_dcap *d)
{
    updated(d, "OutOfDateConfigurationNeeded");
}

static void edit_tcb_tolerated(struct sim_dcap *d)
{
    d->status = "OutOfDate";
}

static void edit_tcb_out_of_date_3(struct sim_dcap *d)
{
    d->status = "OutOfDate";
}

static void edit_advisory_denied(struct sim_dcap *d)
{
    d->advisory = "INTEL-SA-00001";
}

static void edit_advisory_not_allowed(struct sim_dcap *d)
{
    d->advisory = "INTEL-SA-00001";
}

static void edit_debug_enabled(struct sim_dcap *d)
{
    d->td_attributes[0] = 1;
}

static void edit_debug_enabled_2(struct sim_dcap *d)
{
    d->attributes[0] |= 2;
}

static void edit_attributes_reserved_bits(struct sim_dcap *d)
{
    d->td_attributes[1] = 1;
}

static void edit_attributes_reserved_bits_2(struct sim_dcap *d)
{
    d->attributes[1] = 0x80;
}

static void edit_xfam_fixed_bits(struct sim_dcap *d)
{
    d->xfam[0] = 0xe4;
}

static void edit_xfam_reserved_bits(struct sim_dcap *d)
{
    d->xfam[7] = 1;
}

static void edit_sept_ve_enabled(struct sim_dcap *d)
{
    d->td_attributes[3] = 0;
}

static void edit_migratable(struct sim_dcap *d)
{
    d->td_attributes[3] |= 0x20;
}

static void edit_service_td_bound(struct sim_dcap *d)
{
    d->version = 5;
    d->td15 = true;
    d->mrservicetd[0] = 1;
}

static void edit_perfmon_enabled(struct sim_dcap *d)
{
    d->td_attributes[7] = 0x80;
}

static void alter_event_log_format(struct scene *s)
{
    s->event_log = "[{}]";
}

static void edit_event_log_rtmr0_mismatch(struct sim_dcap *d)
{
    d->rtmr[0][0] = 1;
}

static void alter_event_log_rtmr0_mismatch(struct scene *s)
{
    s->event_log = "[]";
}

static void edit_event_log_rtmr1_mismatch(struct sim_dcap *d)
{
    d->rtmr[1][0] = 1;
}

static void alter_event_log_rtmr1_mismatch(struct scene *s)
{
    s->event_log = "[]";
}

static void edit_event_log_rtmr2_mismatch(struct sim_dcap *d)
{
    d->rtmr[2][0] = 1;
}

static void alter_event_log_rtmr2_mismatch(struct scene *s)
{
    s->event_log = "[]";
}

static void edit_event_log_rtmr3_unlogged(struct sim_dcap *d)
{
    d->rtmr[3][0] = 1;
}

static void alter_event_log_rtmr3_unlogged(struct scene *s)
{
    s->event_log = "[]";
}

static void edit_event_log_rtmr3_mismatch(struct sim_dcap *d)
{
    d->rtmr[3][0] = 1;
}

static void alter_event_log_rtmr3_mismatch(struct scene *s)
{
    s->event_log = log_of_rtmr3;
}

static void alter_quote_missing(struct scene *s)
{
    s->quote.len = 0;
}

static void alter_part_unknown(struct scene *s)
{
    s->strange = true;
}

static void alter_quote_too_large(struct scene *s)
{
    grow(&s->quote, 65537);
}

static void alter_quote_truncated(struct scene *s)
{
    s->quote.len--;
}

static void alter_quote_version(struct scene *s)
{
    s->quote.data[0] = 9;
}

static void alter_tee_type(struct scene *s)
{
    s->quote.data[4] = 0x42;
}

static void alter_attestation_key_type(struct scene *s)
{
    s->quote.data[2] = 3;
}

static void alter_signature_length(struct scene *s)
{
    s->quote.data[s->qe_at - (s->td ? 138 : 132)]++;
}

static void alter_certification_outer_type(struct scene *s)
{
    s->quote.data[s->qe_at - 6] = 5;
}

static void alter_certification_length(struct scene *s)
{
    s->quote.data[s->qe_at - 4]++;
}

static void alter_certification_type(struct scene *s)
{
    s->quote.data[s->qe_at + 482] = 7;
}

static void alter_certification_size(struct scene *s)
{
    s->quote.data[s->qe_at + 482] = 3;
}

static void alter_trailing_bytes(struct scene *s)
{
    grow(&s->quote, s->quote.len + 1);
    s->quote.data[s->quote.len - 1] = 1;
}

static void alter_collateral_too_large(struct scene *s)
{
    s->big_collateral = true;
}

static void alter_body_type(struct scene *s)
{
    s->quote.data[48] = 4;
}

static void alter_body_too_short(struct scene *s)
{
    s->quote.data[50]--;
}

static void alter_body_too_long(struct scene *s)
{
    s->quote.data[50]++;
}

/* --- the run --- */

static void scene_begin(struct scene *s, bool td)
{
    memset(s, 0, sizeof *s);
    s->td = td;
    sim_dcap_default(&s->d, td, NOW);
}

static void scene_mint(struct scene *s)
{
    s->quote = sim_dcap_quote(vendor, &s->d);
    s->info = sim_dcap_tcb_info(vendor, &s->d);
    s->identity = sim_dcap_identity(vendor, &s->d);
    s->pck_crl = sim_dcap_pck_crl(vendor, &s->d);
    s->root_crl = sim_dcap_root_crl(vendor, &s->d);
    assert_true(s->quote.len && s->info.len && s->identity.len && s->pck_crl.len && s->root_crl.len);
    size_t body = s->td ? (s->d.td15 ? 648u : 584u) : 384u, wrapped = s->d.version == 3 ? 0u : 6u;
    s->qe_at = 48 + (s->d.version == 5 ? 6u : 0u) + body + 4 + 128 + wrapped;
}

static void put(struct scene *s, const char *name, const char *key, struct sim_bytes bytes, const char *drop)
{
    char kind[32];
    if (drop && strcmp(drop, name) == 0)
        return;
    snprintf(kind, sizeof kind, "%s.%s", s->td ? "tdx" : "sgx",
             strcmp(name, "info") == 0       ? "tcb_info"
             : strcmp(name, "identity") == 0 ? "qe_identity"
                                             : name);
    shelf_put_as(&s->shelf, kind, key, (struct attestd_bytes){bytes.data, bytes.len});
}

static void scene_run(struct scene *s, const char *settings, const char *drop)
{
    static uint8_t big[1048577];
    char key[32];
    s->own = anchors_of(sim_dcap_root(vendor));
    snprintf(key, sizeof key, "%s/514d55000000", s->td ? "tdx" : "sgx");
    put(s, "info", key, s->info, drop);
    put(s, "identity", s->td ? "td_qe" : "qe", s->identity, drop);
    put(s, "pck_crl", s->d.processor_ca ? "processor" : "platform", s->pck_crl, drop);
    put(s, "root_crl", "root", s->root_crl, drop);
    s->a = (struct appraisal){.type = s->td ? "tdx" : "sgx", .shelf = &s->shelf, .settings = settings, .time = NOW, .view = s->a.view};
    s->a.anchors = s->anchors ? s->anchors : s->own;
    s->a.parts[s->a.part_count++] = (struct attestd_part){"quote", {s->quote.data, s->quote.len}};
    if (s->event_log)
        s->a.parts[s->a.part_count++] = (struct attestd_part){"event_log", {(const uint8_t *)s->event_log, strlen(s->event_log)}};
    if (s->strange)
        s->a.parts[s->a.part_count++] = (struct attestd_part){"strange", {s->quote.data, 1}};
    if (s->big_collateral)
        s->a.parts[s->a.part_count++] = (struct attestd_part){"collateral", {big, sizeof big}};
    appraisal_run(&s->a);
}

static void scene_end(struct scene *s)
{
    appraisal_end(&s->a);
    attestd_anchor_set_free(s->own);
    if (s->anchors)
        attestd_anchor_set_free(s->anchors);
    free(s->quote.data);
    free(s->info.data);
    free(s->identity.data);
    free(s->pck_crl.data);
    free(s->root_crl.data);
}

static const struct fault {
    const char *tdx, *sgx, *check;
    int outcome;
    void (*edit)(struct sim_dcap *);
    void (*alter)(struct scene *);
    const char *settings, *drop;
} faults[] = {
    {"TDX_QE_VENDOR", "SGX_QE_VENDOR", "qe_vendor", ATTESTD_FAIL, edit_qe_vendor, NULL, NULL, NULL},
    {"TDX_HEADER_RESERVED_BYTES", "SGX_HEADER_RESERVED_BYTES", "reserved", ATTESTD_FAIL, edit_header_reserved_bytes, NULL, NULL, NULL},
    {NULL, "SGX_BODY_RESERVED_BYTES", "reserved", ATTESTD_FAIL, edit_body_reserved_bytes, NULL, NULL, NULL},
    {"TDX_BODY_RESERVED_BYTES", NULL, "reserved", ATTESTD_FAIL, NULL, alter_body_reserved_bytes, NULL, NULL},
    {"TDX_ATTESTATION_KEY_POINT", "SGX_ATTESTATION_KEY_POINT", "attestation_key", ATTESTD_FAIL, NULL, alter_attestation_key_point, NULL,
     NULL},
    {"TDX_PCK_UNAVAILABLE", "SGX_PCK_UNAVAILABLE", "pck", ATTESTD_UNAVAILABLE, edit_pck_unavailable, NULL, NULL, NULL},
    {"TDX_PCK_CA_UNAVAILABLE", "SGX_PCK_CA_UNAVAILABLE", "pck", ATTESTD_UNAVAILABLE, edit_pck_ca_unavailable, NULL, NULL, "chain"},
    {"TDX_PCK_CHAIN_FORMAT", "SGX_PCK_CHAIN_FORMAT", "pck_chain", ATTESTD_FAIL, NULL, alter_pck_chain_format, NULL, NULL},
    {"TDX_PCK_CERTIFICATE_MALFORMED", "SGX_PCK_CERTIFICATE_MALFORMED", "pck_chain", ATTESTD_FAIL, NULL, alter_pck_certificate_malformed,
     NULL, NULL},
    {"TDX_PCK_CHAIN_ORDER", "SGX_PCK_CHAIN_ORDER", "pck_chain", ATTESTD_FAIL, edit_pck_chain_order, NULL, NULL, NULL},
    {"TDX_PCK_SIGNATURE", "SGX_PCK_SIGNATURE", "pck_chain", ATTESTD_FAIL, NULL, alter_pck_signature, NULL, NULL},
    {"TDX_PCK_CA_SIGNATURE", "SGX_PCK_CA_SIGNATURE", "pck_chain", ATTESTD_FAIL, NULL, alter_pck_ca_signature, NULL, NULL},
    {"TDX_PCK_CHAIN_NOT_CA", "SGX_PCK_CHAIN_NOT_CA", "pck_chain", ATTESTD_FAIL, edit_pck_chain_not_ca, NULL, NULL, NULL},
    {"TDX_PCK_EXTENSION", "SGX_PCK_EXTENSION", "pck_chain", ATTESTD_FAIL, edit_pck_extension, NULL, NULL, NULL},
    {"TDX_ANCHOR_UNKNOWN", "SGX_ANCHOR_UNKNOWN", "anchor", ATTESTD_FAIL, NULL, alter_anchor_unknown, NULL, NULL},
    {"TDX_ANCHOR_REISSUED", "SGX_ANCHOR_REISSUED", "anchor", ATTESTD_FAIL, NULL, alter_anchor_reissued, NULL, NULL},
    {"TDX_CERTIFICATE_EXPIRED", "SGX_CERTIFICATE_EXPIRED", "validity", ATTESTD_FAIL, edit_certificate_expired, NULL, NULL, NULL},
    {"TDX_CERTIFICATE_NOT_YET_VALID", "SGX_CERTIFICATE_NOT_YET_VALID", "validity", ATTESTD_FAIL, edit_certificate_not_yet_valid, NULL, NULL,
     NULL},
    {"TDX_QE_REPORT_SIGNATURE", "SGX_QE_REPORT_SIGNATURE", "qe_report_signature", ATTESTD_FAIL, NULL, alter_qe_report_signature, NULL,
     NULL},
    {"TDX_QE_BINDING", "SGX_QE_BINDING", "qe_binding", ATTESTD_FAIL, NULL, alter_qe_binding, NULL, NULL},
    {"TDX_SIGNATURE_INVALID", NULL, "signature", ATTESTD_FAIL, NULL, alter_signature_invalid, NULL, NULL},
    {NULL, "SGX_SIGNATURE_INVALID", "signature", ATTESTD_FAIL, NULL, alter_signature_invalid_2, NULL, NULL},
    {"TDX_PCK_REVOKED", "SGX_PCK_REVOKED", "not_revoked", ATTESTD_FAIL, edit_pck_revoked, NULL, NULL, NULL},
    {"TDX_PCK_CA_REVOKED", "SGX_PCK_CA_REVOKED", "not_revoked", ATTESTD_FAIL, edit_pck_ca_revoked, NULL, NULL, NULL},
    {"TDX_TCB_SIGNING_REVOKED", "SGX_TCB_SIGNING_REVOKED", "not_revoked", ATTESTD_FAIL, edit_tcb_signing_revoked, NULL, NULL, NULL},
    {"TDX_TCB_INFO_UNAVAILABLE", "SGX_TCB_INFO_UNAVAILABLE", "tcb_info", ATTESTD_UNAVAILABLE, NULL, NULL, NULL, "info"},
    {"TDX_TCB_INFO_FORMAT", "SGX_TCB_INFO_FORMAT", "tcb_info", ATTESTD_UNAVAILABLE, edit_tcb_info_format, NULL, NULL, NULL},
    {"TDX_TCB_INFO_SIGNER", "SGX_TCB_INFO_SIGNER", "tcb_info", ATTESTD_UNAVAILABLE, edit_tcb_info_signer, NULL, NULL, NULL},
    {"TDX_TCB_INFO_SIGNATURE", "SGX_TCB_INFO_SIGNATURE", "tcb_info", ATTESTD_UNAVAILABLE, NULL, alter_tcb_info_signature, NULL, NULL},
    {"TDX_TCB_INFO_TEE", "SGX_TCB_INFO_TEE", "tcb_info", ATTESTD_UNAVAILABLE, edit_tcb_info_tee, NULL, NULL, NULL},
    {"TDX_TCB_INFO_FMSPC", "SGX_TCB_INFO_FMSPC", "tcb_info", ATTESTD_UNAVAILABLE, edit_tcb_info_fmspc, NULL, NULL, NULL},
    {"TDX_TCB_INFO_PCEID", "SGX_TCB_INFO_PCEID", "tcb_info", ATTESTD_UNAVAILABLE, edit_tcb_info_pceid, NULL, NULL, NULL},
    {"TDX_TCB_INFO_SIGNER_VALIDITY", "SGX_TCB_INFO_SIGNER_VALIDITY", "tcb_info", ATTESTD_UNAVAILABLE, edit_tcb_info_signer_validity, NULL,
     NULL, NULL},
    {"TDX_TCB_INFO_FUTURE", "SGX_TCB_INFO_FUTURE", "tcb_info", ATTESTD_UNAVAILABLE, edit_tcb_info_future, NULL, NULL, NULL},
    {"TDX_TCB_INFO_EXPIRED", "SGX_TCB_INFO_EXPIRED", "tcb_info", ATTESTD_UNAVAILABLE, edit_tcb_info_expired, NULL, NULL, NULL},
    {"TDX_QE_IDENTITY_UNAVAILABLE", "SGX_QE_IDENTITY_UNAVAILABLE", "qe_identity", ATTESTD_UNAVAILABLE, NULL, NULL, NULL, "identity"},
    {"TDX_QE_IDENTITY_FORMAT", "SGX_QE_IDENTITY_FORMAT", "qe_identity", ATTESTD_UNAVAILABLE, edit_qe_identity_format, NULL, NULL, NULL},
    {"TDX_QE_IDENTITY_SIGNER", "SGX_QE_IDENTITY_SIGNER", "qe_identity", ATTESTD_UNAVAILABLE, edit_qe_identity_signer, NULL, NULL, NULL},
    {"TDX_QE_IDENTITY_SIGNATURE", "SGX_QE_IDENTITY_SIGNATURE", "qe_identity", ATTESTD_UNAVAILABLE, NULL, alter_qe_identity_signature, NULL,
     NULL},
    {"TDX_QE_IDENTITY_ID", "SGX_QE_IDENTITY_ID", "qe_identity", ATTESTD_UNAVAILABLE, edit_qe_identity_id, NULL, NULL, NULL},
    {"TDX_QE_IDENTITY_SIGNER_VALIDITY", "SGX_QE_IDENTITY_SIGNER_VALIDITY", "qe_identity", ATTESTD_UNAVAILABLE,
     edit_qe_identity_signer_validity, NULL, NULL, NULL},
    {"TDX_QE_IDENTITY_FUTURE", "SGX_QE_IDENTITY_FUTURE", "qe_identity", ATTESTD_UNAVAILABLE, edit_qe_identity_future, NULL, NULL, NULL},
    {"TDX_QE_IDENTITY_EXPIRED", "SGX_QE_IDENTITY_EXPIRED", "qe_identity", ATTESTD_UNAVAILABLE, edit_qe_identity_expired, NULL, NULL, NULL},
    {"TDX_QE_MRSIGNER", "SGX_QE_MRSIGNER", "qe", ATTESTD_FAIL, edit_qe_mrsigner, NULL, NULL, NULL},
    {"TDX_QE_PRODUCT", "SGX_QE_PRODUCT", "qe", ATTESTD_FAIL, edit_qe_product, NULL, NULL, NULL},
    {"TDX_QE_MISCSELECT", "SGX_QE_MISCSELECT", "qe", ATTESTD_FAIL, edit_qe_miscselect, NULL, NULL, NULL},
    {"TDX_QE_ATTRIBUTES", "SGX_QE_ATTRIBUTES", "qe", ATTESTD_FAIL, edit_qe_attributes, NULL, NULL, NULL},
    {"TDX_MODULE_UNKNOWN", NULL, "module", ATTESTD_FAIL, edit_module_unknown, NULL, NULL, NULL},
    {"TDX_MODULE_SIGNER", NULL, "module", ATTESTD_FAIL, edit_module_signer, NULL, NULL, NULL},
    {"TDX_MODULE_ATTRIBUTES", NULL, "module", ATTESTD_FAIL, edit_module_attributes, NULL, NULL, NULL},
    {"TDX_CRL_UNAVAILABLE", "SGX_CRL_UNAVAILABLE", "revocation", ATTESTD_UNAVAILABLE, NULL, NULL, NULL, "pck_crl"},
    {"TDX_CRL_SIGNATURE", "SGX_CRL_SIGNATURE", "revocation", ATTESTD_UNAVAILABLE, NULL, alter_crl_signature, NULL, NULL},
    {"TDX_CRL_FUTURE", "SGX_CRL_FUTURE", "revocation", ATTESTD_UNAVAILABLE, edit_crl_future, NULL, NULL, NULL},
    {"TDX_CRL_NO_NEXT_UPDATE", "SGX_CRL_NO_NEXT_UPDATE", "revocation", ATTESTD_UNAVAILABLE, edit_crl_no_next_update, NULL, NULL, NULL},
    {"TDX_CRL_EXPIRED", "SGX_CRL_EXPIRED", "revocation", ATTESTD_UNAVAILABLE, edit_crl_expired, NULL, NULL, NULL},
    {"TDX_PLATFORM_OUT_OF_DATE", "SGX_PLATFORM_OUT_OF_DATE", "platform.tcb", ATTESTD_FAIL, edit_platform_out_of_date, NULL, NULL, NULL},
    {"TDX_PLATFORM_CONFIGURATION_NEEDED", "SGX_PLATFORM_CONFIGURATION_NEEDED", "platform.tcb", ATTESTD_FAIL,
     edit_platform_configuration_needed, NULL, NULL, NULL},
    {"TDX_PLATFORM_SW_HARDENING_NEEDED", "SGX_PLATFORM_SW_HARDENING_NEEDED", "platform.tcb", ATTESTD_FAIL,
     edit_platform_sw_hardening_needed, NULL, NULL, NULL},
    {"TDX_PLATFORM_TCB_REVOKED", "SGX_PLATFORM_TCB_REVOKED", "platform.tcb", ATTESTD_FAIL, edit_platform_tcb_revoked, NULL, NULL, NULL},
    {"TDX_PLATFORM_NOT_SUPPORTED", "SGX_PLATFORM_NOT_SUPPORTED", "platform.tcb", ATTESTD_FAIL, edit_platform_not_supported, NULL, NULL,
     NULL},
    {"TDX_MODULE_OUT_OF_DATE", NULL, "module.tcb", ATTESTD_FAIL, edit_module_out_of_date, NULL, NULL, NULL},
    {"TDX_MODULE_TCB_REVOKED", NULL, "module.tcb", ATTESTD_FAIL, edit_module_tcb_revoked, NULL, NULL, NULL},
    {"TDX_MODULE_NOT_SUPPORTED", NULL, "module.tcb", ATTESTD_FAIL, edit_module_not_supported, NULL, NULL, NULL},
    {"TDX_QE_OUT_OF_DATE", "SGX_QE_OUT_OF_DATE", "qe_identity.tcb", ATTESTD_FAIL, edit_qe_out_of_date, NULL, NULL, NULL},
    {"TDX_QE_TCB_REVOKED", "SGX_QE_TCB_REVOKED", "qe_identity.tcb", ATTESTD_FAIL, edit_qe_tcb_revoked, NULL, NULL, NULL},
    {"TDX_QE_NOT_SUPPORTED", "SGX_QE_NOT_SUPPORTED", "qe_identity.tcb", ATTESTD_FAIL, edit_qe_not_supported, NULL, NULL, NULL},
    {"TDX_TCB_SW_HARDENING_NEEDED", "SGX_TCB_SW_HARDENING_NEEDED", "tcb.status", ATTESTD_FAIL, edit_tcb_sw_hardening_needed, NULL, NULL,
     NULL},
    {"TDX_TCB_CONFIGURATION_NEEDED", "SGX_TCB_CONFIGURATION_NEEDED", "tcb.status", ATTESTD_FAIL, edit_tcb_configuration_needed, NULL, NULL,
     NULL},
    {"TDX_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED", "SGX_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED", "tcb.status", ATTESTD_FAIL,
     edit_tcb_configuration_and_sw_hardening_needed, NULL, NULL, NULL},
    {"TDX_TCB_OUT_OF_DATE", "SGX_TCB_OUT_OF_DATE", "tcb.status", ATTESTD_FAIL, edit_tcb_out_of_date, NULL, NULL, NULL},
    {"TDX_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED", "SGX_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED", "tcb.status", ATTESTD_FAIL,
     edit_tcb_out_of_date_configuration_needed, NULL, NULL, NULL},
    {"TDX_TCB_REVOKED", "SGX_TCB_REVOKED", "tcb.status", ATTESTD_FAIL, edit_tcb_revoked, NULL, NULL, NULL},
    {"TDX_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED", "SGX_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED", "tcb.status", ATTESTD_FAIL,
     edit_tcb_out_of_date_configuration_needed_2, NULL, NULL, NULL},
    {"TDX_TCB_OUT_OF_DATE", "SGX_TCB_OUT_OF_DATE", "tcb.status", ATTESTD_FAIL, edit_tcb_out_of_date_2, NULL, NULL, NULL},
    {"TDX_TCB_NOT_SUPPORTED", "SGX_TCB_NOT_SUPPORTED", "tcb.status", ATTESTD_FAIL, edit_tcb_not_supported, NULL, NULL, NULL},
    {"TDX_TCB_RELAUNCH_ADVISED", NULL, "tcb.status", ATTESTD_FAIL, edit_tcb_relaunch_advised, NULL, NULL, NULL},
    {"TDX_TCB_RELAUNCH_ADVISED_CONFIGURATION_NEEDED", NULL, "tcb.status", ATTESTD_FAIL, edit_tcb_relaunch_advised_configuration_needed,
     NULL, NULL, NULL},
    {"TDX_TCB_TOLERATED", "SGX_TCB_TOLERATED", "tcb.tolerated", ATTESTD_FAIL, edit_tcb_tolerated, NULL, "tcb: {status: {OutOfDate: warn}}",
     NULL},
    {"TDX_TCB_OUT_OF_DATE", "SGX_TCB_OUT_OF_DATE", "tcb.status", ATTESTD_FAIL, edit_tcb_out_of_date_3, NULL,
     "tcb: {status: {OutOfDate: {warn_until: 2026-05-31}}}", NULL},
    {"TDX_TCB_DATE_BELOW_MINIMUM", "SGX_TCB_DATE_BELOW_MINIMUM", "tcb.date", ATTESTD_FAIL, NULL, NULL, "tcb: {date_at_least: 2026-02-01}",
     NULL},
    {"TDX_ADVISORY_DENIED", "SGX_ADVISORY_DENIED", "tcb.advisories", ATTESTD_FAIL, edit_advisory_denied, NULL,
     "tcb: {advisories: {deny: [INTEL-SA-00001]}}", NULL},
    {"TDX_ADVISORY_NOT_ALLOWED", "SGX_ADVISORY_NOT_ALLOWED", "tcb.advisories", ATTESTD_FAIL, edit_advisory_not_allowed, NULL,
     "tcb: {advisories: {allow: [INTEL-SA-00002]}}", NULL},
    {"TDX_EVALUATION_NUMBER_BELOW_MINIMUM", "SGX_EVALUATION_NUMBER_BELOW_MINIMUM", "tcb.evaluation_number", ATTESTD_FAIL, NULL, NULL,
     "tcb: {evaluation_number_at_least: 21}", NULL},
    {"TDX_DEBUG_ENABLED", NULL, "debug", ATTESTD_FAIL, edit_debug_enabled, NULL, NULL, NULL},
    {NULL, "SGX_DEBUG_ENABLED", "debug", ATTESTD_FAIL, edit_debug_enabled_2, NULL, NULL, NULL},
    {"TDX_ATTRIBUTES_RESERVED_BITS", NULL, "attributes", ATTESTD_FAIL, edit_attributes_reserved_bits, NULL, NULL, NULL},
    {NULL, "SGX_ATTRIBUTES_RESERVED_BITS", "attributes", ATTESTD_FAIL, edit_attributes_reserved_bits_2, NULL, NULL, NULL},
    {"TDX_XFAM_FIXED_BITS", NULL, "xfam", ATTESTD_FAIL, edit_xfam_fixed_bits, NULL, NULL, NULL},
    {"TDX_XFAM_RESERVED_BITS", NULL, "xfam", ATTESTD_FAIL, edit_xfam_reserved_bits, NULL, NULL, NULL},
    {"TDX_SEPT_VE_ENABLED", NULL, "sept_ve_disable", ATTESTD_FAIL, edit_sept_ve_enabled, NULL, "attributes: {sept_ve_disable: true}", NULL},
    {"TDX_MIGRATABLE", NULL, "migratable", ATTESTD_FAIL, edit_migratable, NULL, NULL, NULL},
    {"TDX_SERVICE_TD_BOUND", NULL, "service_td", ATTESTD_FAIL, edit_service_td_bound, NULL, NULL, NULL},
    {"TDX_PERFMON_ENABLED", NULL, "perfmon", ATTESTD_FAIL, edit_perfmon_enabled, NULL, "attributes: {perfmon: false}", NULL},
    {NULL, "SGX_ISV_PROD_ID_NOT_ALLOWED", "isv_prod_id", ATTESTD_FAIL, NULL, NULL, "isv_prod_id: {allow: [7]}", NULL},
    {NULL, "SGX_ISV_SVN_BELOW_MINIMUM", "isv_svn", ATTESTD_FAIL, NULL, NULL, "isv_svn: {at_least: 2}", NULL},
    {"TDX_EVENT_LOG_MISSING", NULL, "event_log", ATTESTD_FAIL, NULL, NULL, "event_log: {required: true}", NULL},
    {"TDX_EVENT_LOG_FORMAT", NULL, "event_log", ATTESTD_FAIL, NULL, alter_event_log_format, NULL, NULL},
    {"TDX_EVENT_LOG_RTMR0_MISMATCH", NULL, "event_log.rtmr0", ATTESTD_FAIL, edit_event_log_rtmr0_mismatch, alter_event_log_rtmr0_mismatch,
     NULL, NULL},
    {"TDX_EVENT_LOG_RTMR1_MISMATCH", NULL, "event_log.rtmr1", ATTESTD_FAIL, edit_event_log_rtmr1_mismatch, alter_event_log_rtmr1_mismatch,
     NULL, NULL},
    {"TDX_EVENT_LOG_RTMR2_MISMATCH", NULL, "event_log.rtmr2", ATTESTD_FAIL, edit_event_log_rtmr2_mismatch, alter_event_log_rtmr2_mismatch,
     NULL, NULL},
    {"TDX_EVENT_LOG_RTMR3_UNLOGGED", NULL, "event_log.rtmr3", ATTESTD_FAIL, edit_event_log_rtmr3_unlogged, alter_event_log_rtmr3_unlogged,
     NULL, NULL},
    {"TDX_EVENT_LOG_RTMR3_MISMATCH", NULL, "event_log.rtmr3", ATTESTD_FAIL, edit_event_log_rtmr3_mismatch, alter_event_log_rtmr3_mismatch,
     NULL, NULL},
};

static void expect_good(const struct scene *s)
{
    assert_int_equal(s->a.answer, ATTESTD_DONE);
    assert_string_equal(first_code(&s->a), "");
    assert_true(s->a.piece->authentic);
    assert_claim_text(&s->a, "tcb_status", "UpToDate");
}

static void a_sound_quote_of_each_form_passes_every_check(void **state)
{
    static const struct {
        bool td, td15, processor;
        uint16_t version;
    } forms[] = {{true, false, false, 4}, {true, false, false, 5},  {true, true, false, 5}, {false, false, false, 3},
                 {false, false, true, 3}, {false, false, false, 4}, {false, false, true, 5}};
    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        struct scene s;
        scene_begin(&s, forms[i].td);
        s.d.td15 = forms[i].td15;
        s.d.version = forms[i].version;
        s.d.processor_ca = forms[i].processor;
        scene_mint(&s);
        scene_run(&s, NULL, NULL);
        expect_good(&s);
        scene_end(&s);
    }
}

static void run_fault(const struct fault *fault, bool td)
{
    const char *code = td ? fault->tdx : fault->sgx;
    struct scene s;
    char id[64];
    if (!code)
        return;
    scene_begin(&s, td);
    if (fault->edit)
        fault->edit(&s.d);
    scene_mint(&s);
    if (fault->alter)
        fault->alter(&s);
    scene_run(&s, fault->settings, fault->drop);
    snprintf(id, sizeof id, "%s.%s", td ? "tdx" : "sgx", fault->check);
    if (s.a.answer != ATTESTD_DONE)
        fail_msg("%s: %s", code, first_code(&s.a));
    assert_recorded(&s.a, id, fault->outcome, code);
    if (check_of(&s.a, id)->mode == ATTESTD_STRICT)
        assert_int_equal(s.a.result->verdict, ATTESTD_CONTRAINDICATED);
    assert_int_not_equal(s.a.result->verdict, ATTESTD_AFFIRMING);
    scene_end(&s);
}

static void each_fault_of_a_trust_domain_gives_its_code(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        run_fault(&faults[i], true);
}

static void each_fault_of_an_enclave_gives_its_code(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        run_fault(&faults[i], false);
}

static const struct {
    const char *tdx, *sgx;
    uint16_t version; /* 0: as usual */
    void (*alter)(struct scene *);
} malformed[] = {
    {"TDX_QUOTE_MISSING", "SGX_QUOTE_MISSING", 0, alter_quote_missing},
    {"TDX_PART_UNKNOWN", "SGX_PART_UNKNOWN", 0, alter_part_unknown},
    {"TDX_QUOTE_TOO_LARGE", "SGX_QUOTE_TOO_LARGE", 0, alter_quote_too_large},
    {"TDX_QUOTE_TRUNCATED", "SGX_QUOTE_TRUNCATED", 0, alter_quote_truncated},
    {"TDX_QUOTE_VERSION", "SGX_QUOTE_VERSION", 0, alter_quote_version},
    {"TDX_TEE_TYPE", "SGX_TEE_TYPE", 0, alter_tee_type},
    {"TDX_ATTESTATION_KEY_TYPE", "SGX_ATTESTATION_KEY_TYPE", 0, alter_attestation_key_type},
    {"TDX_SIGNATURE_LENGTH", "SGX_SIGNATURE_LENGTH", 0, alter_signature_length},
    {"TDX_CERTIFICATION_OUTER_TYPE", NULL, 0, alter_certification_outer_type},
    {"TDX_CERTIFICATION_LENGTH", NULL, 0, alter_certification_length},
    {"TDX_CERTIFICATION_TYPE", "SGX_CERTIFICATION_TYPE", 0, alter_certification_type},
    {"TDX_CERTIFICATION_SIZE", "SGX_CERTIFICATION_SIZE", 0, alter_certification_size},
    {"TDX_TRAILING_BYTES", "SGX_TRAILING_BYTES", 0, alter_trailing_bytes},
    {"TDX_COLLATERAL_TOO_LARGE", "SGX_COLLATERAL_TOO_LARGE", 0, alter_collateral_too_large},
    {NULL, "SGX_CERTIFICATION_OUTER_TYPE", 4, alter_certification_outer_type},
    {NULL, "SGX_CERTIFICATION_LENGTH", 4, alter_certification_length},
    {"TDX_BODY_TYPE", "SGX_BODY_TYPE", 5, alter_body_type},
    {"TDX_BODY_TOO_SHORT", "SGX_BODY_TOO_SHORT", 5, alter_body_too_short},
    {"TDX_BODY_TOO_LONG", "SGX_BODY_TOO_LONG", 5, alter_body_too_long},
};

static void bytes_that_are_no_quote_are_malformed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof malformed / sizeof malformed[0] * 2; i++) {
        bool td = i % 2 == 0;
        const char *code = td ? malformed[i / 2].tdx : malformed[i / 2].sgx;
        struct scene s;
        if (!code)
            continue;
        scene_begin(&s, td != 0);
        if (malformed[i / 2].version)
            s.d.version = malformed[i / 2].version;
        scene_mint(&s);
        malformed[i / 2].alter(&s);
        scene_run(&s, NULL, NULL);
        assert_int_equal(s.a.answer, ATTESTD_MALFORMED);
        assert_string_equal(s.a.piece->malformed_code, code);
        scene_end(&s);
    }
}

/* --- claims against lists of a real policy --- */

static const struct {
    const char *type, *name, *code;
    size_t len;
} listed[] = {
    {"tdx", "mrtd", "TDX_MRTD_NOT_ALLOWED", 48},
    {"tdx", "rtmr0", "TDX_RTMR0_NOT_ALLOWED", 48},
    {"tdx", "rtmr1", "TDX_RTMR1_NOT_ALLOWED", 48},
    {"tdx", "rtmr2", "TDX_RTMR2_NOT_ALLOWED", 48},
    {"tdx", "rtmr3", "TDX_RTMR3_NOT_ALLOWED", 48},
    {"tdx", "mrseam", "TDX_MRSEAM_NOT_ALLOWED", 48},
    {"tdx", "mrconfigid", "TDX_MRCONFIGID_NOT_ALLOWED", 48},
    {"tdx", "mrowner", "TDX_MROWNER_NOT_ALLOWED", 48},
    {"tdx", "mrownerconfig", "TDX_MROWNERCONFIG_NOT_ALLOWED", 48},
    {"tdx", "mrservicetd", "TDX_MRSERVICETD_NOT_ALLOWED", 48},
    {"tdx", "fmspc", "TDX_FMSPC_NOT_ALLOWED", 6},
    {"tdx", "ppid", "TDX_PPID_NOT_ALLOWED", 16},
    {"tdx", "piid", "TDX_PIID_NOT_ALLOWED", 16},
    {"sgx", "mrenclave", "SGX_MRENCLAVE_NOT_ALLOWED", 32},
    {"sgx", "mrsigner", "SGX_MRSIGNER_NOT_ALLOWED", 32},
    {"sgx", "fmspc", "SGX_FMSPC_NOT_ALLOWED", 6},
    {"sgx", "ppid", "SGX_PPID_NOT_ALLOWED", 16},
    {"sgx", "piid", "SGX_PIID_NOT_ALLOWED", 16},
};

/* Runs a scene under a policy whose section lists one value for one name. */
static void run_listed(struct scene *s, const char *type, const char *name, const char *hex)
{
    char text[2048];
    struct attestd_policy_fault fault[2];
    size_t count = 0;
    snprintf(text, sizeof text,
             "policy: test\nversion: 1\nfreshness: {challenge: none}\nbinding: {key: optional}\n%s:\n  %s: {in: own}\n"
             "---\nreference_set: own\nvalues:\n  - {label: one, %s.%s: [%s]}\n",
             type, name, type, name, hex);
    const struct attestd_policy_file file = {"test.yaml", text, strlen(text)};
    struct attestd_policy_set *set = attestd_policy_compile(world.engine, world.pins, &file, 1, false, NULL, NULL, fault, 2, &count);
    if (!set)
        fail_msg("%u: %s\n%s", fault[0].line, fault[0].message, text);
    s->a.view = attestd_policy_view(attestd_policy_set_find(set, "test"));
    scene_mint(s);
    scene_run(s, NULL, NULL);
    attestd_policy_set_free(set);
}

static void a_claim_outside_its_reference_set_gives_its_code(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof listed / sizeof listed[0]; i++) {
        char id[64], hex[128];
        struct scene s;
        uint8_t value[48];
        for (int good = 0; good < 2; good++) {
            memset(value, 0xab, sizeof value);
            scene_begin(&s, strcmp(listed[i].type, "tdx") == 0);
            s.d.version = s.td ? 5 : 3;
            s.d.td15 = s.td;
            if (good) {
                struct scene probe = s;
                probe.a.view = NULL;
                scene_mint(&probe);
                scene_run(&probe, NULL, NULL);
                const struct attestd_value *claim = claim_of(&probe.a, listed[i].name);
                assert_int_equal(claim->text.len, listed[i].len);
                memcpy(value, claim->text.data, listed[i].len);
                scene_end(&probe);
            }
            attestd_hex_encode(value, listed[i].len, hex);
            snprintf(id, sizeof id, "%s.%s", listed[i].type, listed[i].name);
            run_listed(&s, listed[i].type, listed[i].name, hex);
            assert_recorded(&s.a, id, good ? ATTESTD_PASS : ATTESTD_FAIL, good ? NULL : listed[i].code);
            scene_end(&s);
        }
    }
}

/* --- what may be altered: nothing --- */

static void no_flipped_byte_of_a_quote_is_believed(void **state)
{
    (void)state;
    for (size_t td = 0; td < 2; td++) {
        struct scene s;
        scene_begin(&s, td != 0);
        scene_mint(&s);
        for (size_t at = 0; at < s.quote.len; at++) {
            s.quote.data[at] ^= 0x10;
            s.shelf.count = 0;
            scene_run(&s, NULL, NULL);
            bool believed = s.a.answer == ATTESTD_DONE && s.a.piece->authentic;
            /* The user data of a PEM text (between its blocks, and the case of nothing) is no part of what is signed. */
            if (believed && at < s.qe_at + 484)
                fail_msg("byte %zu", at);
            appraisal_end(&s.a);
            attestd_anchor_set_free(s.own);
            s.own = NULL;
            s.quote.data[at] ^= 0x10;
        }
        scene_run(&s, NULL, NULL);
        expect_good(&s);
        scene_end(&s);
    }
}

static void no_flipped_byte_of_collateral_is_believed(void **state)
{
    (void)state;
    struct scene s;
    scene_begin(&s, true);
    scene_mint(&s);
    struct sim_bytes *const documents[] = {&s.info, &s.identity};
    for (size_t k = 0; k < 2; k++) {
        size_t end = (size_t)(at_text(documents[k], "\"issuer_chain\"", 1) - documents[k]->data) - 1;
        for (size_t at = 0; at < end; at++) {
            documents[k]->data[at] ^= 1;
            s.shelf.count = 0;
            scene_run(&s, NULL, NULL);
            if (s.a.piece->authentic)
                fail_msg("document %zu, byte %zu", k, at);
            appraisal_end(&s.a);
            attestd_anchor_set_free(s.own);
            s.own = NULL;
            documents[k]->data[at] ^= 1;
        }
    }
    scene_end(&s);
}

static void a_stale_list_serves_as_long_as_policy_allows(void **state)
{
    (void)state;
    struct scene s;
    scene_begin(&s, true);
    s.d.info_next = -86400;
    scene_mint(&s);
    scene_run(&s, "collateral: {stale_for: 2d}", NULL);
    expect_good(&s);
    assert_int_equal(claim_of(&s.a, "collateral.stale")->number, 1);
    scene_end(&s);
    scene_begin(&s, true);
    s.d.info_next = -3 * INT64_C(86400);
    scene_mint(&s);
    scene_run(&s, "collateral: {stale_for: 2d}", NULL);
    assert_recorded(&s.a, "tdx.tcb_info", ATTESTD_UNAVAILABLE, "TDX_TCB_INFO_EXPIRED");
    scene_end(&s);
}

/* A guest that encloses an older, still unexpired list does not outlive a TCB recovery. */
static void enclosed_collateral_counts_only_when_nobody_else_has_any(void **state)
{
    (void)state;
    for (int known = 0; known < 2; known++) {
        struct scene s, older;
        scene_begin(&older, true);
        scene_mint(&older);
        scene_begin(&s, true);
        s.d.status = "OutOfDate";
        scene_mint(&s);
        s.a.part_count = 0;
        s.own = anchors_of(sim_dcap_root(vendor));
        put(&s, "info", "tdx/514d55000000", s.info, known ? NULL : "info");
        put(&s, "identity", "td_qe", s.identity, NULL);
        put(&s, "pck_crl", "platform", s.pck_crl, NULL);
        put(&s, "root_crl", "root", s.root_crl, NULL);
        s.a = (struct appraisal){.type = "tdx", .shelf = &s.shelf, .time = NOW, .part_count = 2, .anchors = s.own};
        s.a.parts[0] = (struct attestd_part){"quote", {s.quote.data, s.quote.len}};
        s.a.parts[1] = (struct attestd_part){"collateral", {older.info.data, older.info.len}};
        appraisal_run(&s.a);
        assert_claim_text(&s.a, "tcb_status", known ? "OutOfDate" : "UpToDate");
        scene_end(&s);
        free(older.quote.data);
        free(older.info.data);
        free(older.identity.data);
        free(older.pck_crl.data);
        free(older.root_crl.data);
    }
}

static int begin(void **state)
{
    vendor = sim_dcap_vendor_new();
    return vendor ? world_begin(state) : -1;
}

static int end(void **state)
{
    sim_dcap_vendor_free(vendor);
    return world_end(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sound_quote_of_each_form_passes_every_check),
        cmocka_unit_test(each_fault_of_a_trust_domain_gives_its_code),
        cmocka_unit_test(each_fault_of_an_enclave_gives_its_code),
        cmocka_unit_test(bytes_that_are_no_quote_are_malformed),
        cmocka_unit_test(a_claim_outside_its_reference_set_gives_its_code),
        cmocka_unit_test(a_stale_list_serves_as_long_as_policy_allows),
        cmocka_unit_test(enclosed_collateral_counts_only_when_nobody_else_has_any),
        cmocka_unit_test(no_flipped_byte_of_a_quote_is_believed),
        cmocka_unit_test(no_flipped_byte_of_collateral_is_believed),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
