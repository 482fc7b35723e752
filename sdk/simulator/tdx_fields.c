/* SPDX-License-Identifier: Apache-2.0 */
#include "sdk/simulator/tdx_fields.h"

#include "sdk/simulator/fields.h"

#include <string.h>
#include <time.h>

#define DAY INT64_C(86400)

#define SPOT(member) offsetof(struct sim_tdx_scene, member), sizeof(((struct sim_tdx_scene *)0)->member)
#define NUMBER(name, member)                                                                                                               \
    {                                                                                                                                      \
        name, SIM_FIELD_NUMBER, SPOT(member)                                                                                               \
    }
#define SIGNED(name, member)                                                                                                               \
    {                                                                                                                                      \
        name, SIM_FIELD_SIGNED, SPOT(member)                                                                                               \
    }
#define FLAG(name, member)                                                                                                                 \
    {                                                                                                                                      \
        name, SIM_FIELD_FLAG, SPOT(member)                                                                                                 \
    }
#define BYTES(name, member)                                                                                                                \
    {                                                                                                                                      \
        name, SIM_FIELD_BYTES, SPOT(member)                                                                                                \
    }
#define TEXT(name, member)                                                                                                                 \
    {                                                                                                                                      \
        name, SIM_FIELD_TEXT, SPOT(member)                                                                                                 \
    }

#define ENCLAVE(prefix, member)                                                                                                            \
    BYTES(prefix "cpusvn", member.cpusvn), NUMBER(prefix "miscselect", member.miscselect),                                                 \
        BYTES(prefix "ext_prod_id", member.ext_prod_id), BYTES(prefix "attributes", member.attributes),                                    \
        BYTES(prefix "mrenclave", member.mrenclave), BYTES(prefix "mrsigner", member.mrsigner),                                            \
        BYTES(prefix "config_id", member.config_id), NUMBER(prefix "prod_id", member.prod_id), NUMBER(prefix "svn", member.svn),           \
        NUMBER(prefix "config_svn", member.config_svn), BYTES(prefix "family_id", member.family_id)
#define PLATFORM_LEVEL(prefix, member)                                                                                                     \
    BYTES(prefix "sgx", member.sgx), BYTES(prefix "tdx", member.tdx), NUMBER(prefix "pcesvn", member.pcesvn), ISV_DATED(prefix, member)
#define ISV_LEVEL(prefix, member) NUMBER(prefix "isvsvn", member.isvsvn), ISV_DATED(prefix, member)
#define ISV_DATED(prefix, member)                                                                                                          \
    SIGNED(prefix "date", member.date), TEXT(prefix "status", member.status), TEXT(prefix "advisories", member.advisories)

static const struct sim_field fields[] = {
    /* the quote */
    NUMBER("version", guest.version),
    NUMBER("key_type", guest.key_type),
    NUMBER("tee_type", guest.tee_type),
    NUMBER("header_qe_svn", guest.header_qe_svn),
    NUMBER("header_pce_svn", guest.header_pce_svn),
    BYTES("qe_vendor_id", guest.qe_vendor_id),
    BYTES("user_data", guest.user_data),
    NUMBER("body_type", guest.body_type),
    NUMBER("body_size", guest.body_size),
    BYTES("tee_tcb_svn", guest.tee_tcb_svn),
    BYTES("tee_tcb_svn2", guest.tee_tcb_svn2),
    BYTES("mrseam", guest.mrseam),
    BYTES("mrsignerseam", guest.mrsignerseam),
    BYTES("seam_attributes", guest.seam_attributes),
    BYTES("td_attributes", guest.td_attributes),
    BYTES("xfam", guest.xfam),
    BYTES("mrtd", guest.mrtd),
    BYTES("mrconfigid", guest.mrconfigid),
    BYTES("mrowner", guest.mrowner),
    BYTES("mrownerconfig", guest.mrownerconfig),
    BYTES("rtmr0", guest.rtmr[0]),
    BYTES("rtmr1", guest.rtmr[1]),
    BYTES("rtmr2", guest.rtmr[2]),
    BYTES("rtmr3", guest.rtmr[3]),
    BYTES("mrservicetd", guest.mrservicetd),
    BYTES("report_data", guest.report_data),
    ENCLAVE("", guest.enclave),
    ENCLAVE("qe.", guest.qe),
    BYTES("qe.report_data", guest.qe.report_data),
    FLAG("qe.report_data_given", guest.qe_report_data_given),
    BYTES("qe.auth", guest.qe_auth),
    NUMBER("qe.auth_len", guest.qe_auth_len),
    NUMBER("outer_type", guest.outer_type),
    NUMBER("certification_type", guest.certification_type),
    FLAG("certification_nul", guest.certification_nul),
    FLAG("root_first", guest.root_first),
    NUMBER("padding", guest.padding),
    NUMBER("key_seed", guest.key_seed),
    /* the platform and its certificate */
    BYTES("fmspc", pck.fmspc),
    BYTES("fmspc", tcb_info.fmspc),
    BYTES("pceid", pck.pceid),
    BYTES("pceid", tcb_info.pceid),
    BYTES("pck.ppid", pck.ppid),
    BYTES("pck.components", pck.components),
    BYTES("pck.cpusvn", pck.cpusvn),
    NUMBER("pck.pcesvn", pck.pcesvn),
    BYTES("pck.pceid", pck.pceid),
    BYTES("pck.fmspc", pck.fmspc),
    NUMBER("pck.sgx_type", pck.sgx_type),
    FLAG("pck.processor", pck.processor),
    BYTES("pck.platform_instance", pck.platform_instance),
    FLAG("pck.dynamic_platform", pck.dynamic_platform),
    FLAG("pck.cached_keys", pck.cached_keys),
    FLAG("pck.smt", pck.smt),
    NUMBER("pck.without", pck.without),
    SIGNED("pck.not_before", pck.not_before),
    SIGNED("pck.not_after", pck.not_after),
    NUMBER("pck.key_seed", pck.key_seed),
    /* what Intel says */
    NUMBER("evaluation_number", tcb_info.evaluation_number),
    NUMBER("evaluation_number", identity.evaluation_number),
    SIGNED("issue_date", tcb_info.issue_date),
    SIGNED("issue_date", identity.issue_date),
    SIGNED("next_update", tcb_info.next_update),
    SIGNED("next_update", identity.next_update),
    TEXT("tcb_info.id", tcb_info.id),
    NUMBER("tcb_info.version", tcb_info.version),
    NUMBER("tcb_info.evaluation_number", tcb_info.evaluation_number),
    NUMBER("tcb_info.tcb_type", tcb_info.tcb_type),
    SIGNED("tcb_info.issue_date", tcb_info.issue_date),
    SIGNED("tcb_info.next_update", tcb_info.next_update),
    BYTES("tcb_info.fmspc", tcb_info.fmspc),
    BYTES("tcb_info.pceid", tcb_info.pceid),
    NUMBER("levels", tcb_info.levels.count),
    PLATFORM_LEVEL("level0.", tcb_info.levels.items[0]),
    PLATFORM_LEVEL("level1.", tcb_info.levels.items[1]),
    PLATFORM_LEVEL("level2.", tcb_info.levels.items[2]),
    PLATFORM_LEVEL("level3.", tcb_info.levels.items[3]),
    BYTES("module.mrsigner", tcb_info.module_mrsigner),
    BYTES("module.attributes", tcb_info.module_attributes),
    BYTES("module.attributes_mask", tcb_info.module_mask),
    NUMBER("module.major", tcb_info.module_major),
    NUMBER("module.levels", tcb_info.module_levels.count),
    ISV_LEVEL("module.level0.", tcb_info.module_levels.items[0]),
    ISV_LEVEL("module.level1.", tcb_info.module_levels.items[1]),
    TEXT("identity.id", identity.id),
    NUMBER("identity.version", identity.version),
    NUMBER("identity.evaluation_number", identity.evaluation_number),
    SIGNED("identity.issue_date", identity.issue_date),
    SIGNED("identity.next_update", identity.next_update),
    NUMBER("identity.miscselect", identity.miscselect),
    NUMBER("identity.miscselect_mask", identity.miscselect_mask),
    BYTES("identity.attributes", identity.attributes),
    BYTES("identity.attributes_mask", identity.attributes_mask),
    BYTES("identity.mrsigner", identity.mrsigner),
    NUMBER("identity.prod_id", identity.prod_id),
    NUMBER("identity.levels", identity.levels.count),
    ISV_LEVEL("identity.level0.", identity.levels.items[0]),
    ISV_LEVEL("identity.level1.", identity.levels.items[1]),
    SIGNED("pck_crl.this_update", pck_crl.this_update),
    SIGNED("pck_crl.next_update", pck_crl.next_update),
    NUMBER("pck_crl.number", pck_crl.number),
    SIGNED("root_crl.this_update", root_crl.this_update),
    SIGNED("root_crl.next_update", root_crl.next_update),
    NUMBER("root_crl.number", root_crl.number),
};
#define FIELDS (sizeof fields / sizeof *fields)

bool sim_tdx_set(struct sim_tdx_scene *scene, const char *assignment)
{
    const char *value = strchr(assignment, '=');
    if (value && strncmp(assignment, "status=", 7) == 0) {
        return sim_tdx_set_status(scene, value + 1, NULL, NULL);
    }
    if (value && strncmp(assignment, "module.status=", 14) == 0) {
        return sim_tdx_set_status(scene, NULL, value + 1, NULL);
    }
    if (value && strncmp(assignment, "qe.status=", 10) == 0) {
        return sim_tdx_set_status(scene, NULL, NULL, value + 1);
    }
    return sim_field_set(fields, FIELDS, scene, assignment);
}

void sim_tdx_list_fields(FILE *file)
{
    fputs("  status, module.status, qe.status Intel's word for the guest's level of each\n", file);
    sim_field_list(fields, FIELDS, file);
}

/* --- Faults: each makes one thing wrong and leaves all else good. --- */

static void debug(struct sim_tdx_scene *s)
{
    if (s->guest.sgx) {
        s->guest.enclave.attributes[0] |= 0x02;
    } else {
        s->guest.td_attributes[0] |= 0x01;
    }
}
static void qe_binding(struct sim_tdx_scene *s)
{
    s->guest.qe_report_data_given = 1;
    memset(s->guest.qe.report_data, 0x5a, 32);
}
static void other_module(struct sim_tdx_scene *s)
{
    s->tcb_info.module_major = 3;
}
static void sgx_identity(struct sim_tdx_scene *s)
{
    strcpy(s->identity.id, strcmp(s->identity.id, "QE") == 0 ? "TD_QE" : "QE");
}
static void old_pck(struct sim_tdx_scene *s)
{
    s->pck.not_after = (int64_t)time(NULL) - DAY;
    s->pck.not_before = s->pck.not_after - 365 * DAY;
}
static void future_pck(struct sim_tdx_scene *s)
{
    s->pck.not_before = (int64_t)time(NULL) + DAY;
    s->pck.not_after = s->pck.not_before + 365 * DAY;
}
static void past(int64_t *issued, int64_t *next)
{
    int64_t span = *next - *issued;
    *next = (int64_t)time(NULL) - DAY;
    *issued = *next - span;
}
static void expired_tcb_info(struct sim_tdx_scene *s)
{
    past(&s->tcb_info.issue_date, &s->tcb_info.next_update);
}
static void expired_identity(struct sim_tdx_scene *s)
{
    past(&s->identity.issue_date, &s->identity.next_update);
}
static void future_tcb_info(struct sim_tdx_scene *s)
{
    s->tcb_info.issue_date += 2 * DAY;
}
static void stale_pck_crl(struct sim_tdx_scene *s)
{
    past(&s->pck_crl.this_update, &s->pck_crl.next_update);
}
static void stale_root_crl(struct sim_tdx_scene *s)
{
    past(&s->root_crl.this_update, &s->root_crl.next_update);
}

/* What XORs or sets one byte of the scene stands in the table alone. */
static const struct {
    const char *name, *what;
    void (*apply)(struct sim_tdx_scene *);
    size_t offset;
    uint8_t flip;
} faults[] = {
#define FLIP(member, bits) NULL, offsetof(struct sim_tdx_scene, member), bits
    {"truncated", "the last byte of the quote is missing", FLIP(truncate, 1)},
    {"junk", "a byte that is not zero stands behind the quote", FLIP(junk, 1)},
    {"signature-length", "the length of the signature data is one too large", FLIP(signature_len_change, 1)},
    {"unknown-version", "a quote of a version there is none of", FLIP(guest.version, 0x08)},
    {"key-type", "attestation key type 3", FLIP(guest.key_type, 1)},
    {"tee-type", "a TD's quote says SGX, or the reverse", FLIP(guest.tee_type, 0x81)},
    {"qe-vendor", "the quoting enclave's vendor is not Intel", FLIP(guest.qe_vendor_id[0], 0xff)},
    {"outer-type", "certification data of versions 4 and 5 that are not type 6", FLIP(guest.outer_type, 3)},
    {"nested-type", "certification data of type 6 inside those of type 6", FLIP(guest.certification_type, 3)},
    {"body-type", "version 5: the type of the other body", FLIP(guest.body_type, 2)},
    {"body-size", "version 5: a size that is not the type's", FLIP(guest.body_size, 1)},
    {"quote-signature", "one bit of the quote's signature is flipped", FLIP(flip_quote, 1)},
    {"qe-signature", "one bit of the QE report's signature is flipped", FLIP(flip_qe, 1)},
    {"attestation-key", "one bit of the attestation key is flipped", FLIP(flip_key, 1)},
    {"qe-binding", "the QE report is over another attestation key", qe_binding, 0, 0},
    {"wrong-pck", "the PCK certificate is for another key than signed the QE report", FLIP(foreign_pck_key, 1)},
    {"wrong-root", "all by a look-alike vendor with the same names", FLIP(foreign_root, 1)},
    {"root-first", "the PCK chain in the wrong order", FLIP(guest.root_first, 1)},
    {"no-sgx-extension", "the PCK certificate does not say what platform it is for", FLIP(pck.without, 1)},
    {"no-fmspc", "the PCK certificate has no FMSPC", FLIP(pck.without, 1U << 4)},
    {"fmspc-mismatch", "TCB info is another platform's", FLIP(tcb_info.fmspc[0], 0x20)},
    {"pceid-mismatch", "TCB info is for another PCE", FLIP(tcb_info.pceid[0], 1)},
    {"expired-pck", "the PCK certificate expired yesterday", old_pck, 0, 0},
    {"future-pck", "the PCK certificate is valid from tomorrow", future_pck, 0, 0},
    {"revoked-pck", "the PCK is in its CA's list", FLIP(revoke_pck, 1)},
    {"revoked-ca", "the PCK's CA is in the root's list", FLIP(revoke_ca, 1)},
    {"revoked-signing", "TCB Signing is in the root's list", FLIP(revoke_signing, 1)},
    {"other-crl", "the PCK list is the other CA's", FLIP(crl_of_other_ca, 1)},
    {"stale-pck-crl", "the PCK list should have been replaced yesterday", stale_pck_crl, 0, 0},
    {"stale-root-crl", "the root's list should have been replaced yesterday", stale_root_crl, 0, 0},
    {"tcb-info-signature", "one bit of the signature of TCB info is flipped", FLIP(flip_tcb_info, 1)},
    {"identity-signature", "one bit of the signature of the QE identity is flipped", FLIP(flip_identity, 1)},
    {"expired-tcb-info", "TCB info should have been replaced yesterday", expired_tcb_info, 0, 0},
    {"future-tcb-info", "TCB info was issued tomorrow", future_tcb_info, 0, 0},
    {"expired-identity", "the QE identity should have been replaced yesterday", expired_identity, 0, 0},
    {"sgx-identity", "the identity of the quoting enclave of the other technology", sgx_identity, 0, 0},
    {"qe-mrsigner", "the quoting enclave is signed by somebody else", FLIP(guest.qe.mrsigner[0], 0xff)},
    {"qe-prod-id", "the quoting enclave is another product", FLIP(guest.qe.prod_id, 0x10)},
    {"qe-miscselect", "the quoting enclave's MISCSELECT is not the identity's", FLIP(guest.qe.miscselect, 1)},
    {"qe-debug", "the quoting enclave can be debugged", FLIP(guest.qe.attributes[0], 2)},
    {"module-signer", "the TDX module is signed by somebody else", FLIP(guest.mrsignerseam[0], 0xff)},
    {"module-unknown", "TCB info knows no module of this major version", other_module, 0, 0},
    {"seam-attributes", "SEAM attributes are not zero", FLIP(guest.seam_attributes[0], 1)},
    {"debug", "the TD or enclave can be debugged", debug, 0, 0},
    {"td-reserved", "a reserved bit of the TD's attributes is set", FLIP(guest.td_attributes[1], 1)},
    {"no-sept-ve-disable", "SEPT_VE_DISABLE is not set", FLIP(guest.td_attributes[3], 0x10)},
    {"service-td", "a service TD is bound to the TD", FLIP(guest.mrservicetd[0], 0xff)},
#undef FLIP
};
#define FAULTS (sizeof faults / sizeof *faults)

bool sim_tdx_apply_fault(struct sim_tdx_scene *scene, const char *name)
{
    for (size_t i = 0; i < FAULTS; i++) {
        if (strcmp(faults[i].name, name) != 0) {
            continue;
        }
        if (faults[i].apply) {
            faults[i].apply(scene);
        } else {
            ((uint8_t *)scene)[faults[i].offset] ^= faults[i].flip;
        }
        return true;
    }
    return false;
}

void sim_tdx_list_faults(FILE *file)
{
    for (size_t i = 0; i < FAULTS; i++) {
        fprintf(file, "  %-24s %s\n", faults[i].name, faults[i].what);
    }
}
