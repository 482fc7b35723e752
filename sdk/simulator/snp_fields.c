/* SPDX-License-Identifier: Apache-2.0 */
#include "sdk/simulator/snp_fields.h"

#include "sdk/simulator/fields.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DAY INT64_C(86400)

#define SPOT(member) offsetof(struct sim_snp_guest, member), sizeof((struct sim_snp_guest *)0)->member
#define NUMBER_FIELD(member)                                                                                                               \
    {                                                                                                                                      \
#member, SIM_FIELD_NUMBER, SPOT(member)                                                                                            \
    }
#define BYTES_FIELD(member)                                                                                                                \
    {                                                                                                                                      \
#member, SIM_FIELD_BYTES, SPOT(member)                                                                                             \
    }
#define TCB_FIELDS(member)                                                                                                                 \
    NUMBER_FIELD(member.fmc), NUMBER_FIELD(member.bootloader), NUMBER_FIELD(member.tee), NUMBER_FIELD(member.snp),                         \
        NUMBER_FIELD(member.microcode)

static const struct sim_field fields[] = {
    NUMBER_FIELD(version),
    NUMBER_FIELD(guest_svn),
    NUMBER_FIELD(vmpl),
    NUMBER_FIELD(signature_algo),
    NUMBER_FIELD(policy),
    NUMBER_FIELD(platform_info),
    NUMBER_FIELD(launch_mit_vector),
    NUMBER_FIELD(current_mit_vector),
    NUMBER_FIELD(key_info),
    BYTES_FIELD(family_id),
    BYTES_FIELD(image_id),
    BYTES_FIELD(report_data),
    BYTES_FIELD(measurement),
    BYTES_FIELD(host_data),
    BYTES_FIELD(id_key_digest),
    BYTES_FIELD(author_key_digest),
    BYTES_FIELD(report_id),
    BYTES_FIELD(report_id_ma),
    BYTES_FIELD(chip_id),
    NUMBER_FIELD(family),
    NUMBER_FIELD(model),
    NUMBER_FIELD(stepping),
    TCB_FIELDS(current_tcb),
    TCB_FIELDS(reported_tcb),
    TCB_FIELDS(committed_tcb),
    TCB_FIELDS(launch_tcb),
    BYTES_FIELD(current_version),
    BYTES_FIELD(committed_version),
    TCB_FIELDS(cert_tcb),
    BYTES_FIELD(cert_hwid),
    {"cert_hwid_len", SIM_FIELD_NUMBER, SPOT(cert_hwid_len)},
    {"cert_hwid_octet_string", SIM_FIELD_FLAG, SPOT(cert_hwid_octet_string)},
    {"cert_struct_version", SIM_FIELD_SIGNED, SPOT(cert_struct_version)},
    NUMBER_FIELD(cert_missing_spl),
    NUMBER_FIELD(cert_serial),
    NUMBER_FIELD(cert_key_seed),
    {"not_before", SIM_FIELD_SIGNED, SPOT(not_before)},
    {"not_after", SIM_FIELD_SIGNED, SPOT(not_after)},
};
#define FIELDS (sizeof fields / sizeof *fields)

bool sim_snp_set_hex(uint8_t *out, size_t len, const char *hex)
{
    return sim_read_hex(out, len, hex);
}

bool sim_snp_set(struct sim_snp_guest *guest, const char *assignment)
{
    return sim_field_set(fields, FIELDS, guest, assignment);
}

void sim_snp_list_fields(FILE *file)
{
    sim_field_list(fields, FIELDS, file);
}

bool sim_snp_product_named(const char *name, enum sim_snp_product *product)
{
    static const char *const names[] = {
        [SIM_SNP_MILAN] = "milan", [SIM_SNP_GENOA] = "genoa", [SIM_SNP_ZEN4C] = "zen4c", [SIM_SNP_TURIN] = "turin"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(names[i], name) == 0) {
            *product = (enum sim_snp_product)i;
            return true;
        }
    }
    return false;
}

void sim_snp_scene_default(struct sim_snp_scene *scene, enum sim_snp_product product, bool vlek)
{
    *scene = (struct sim_snp_scene){.report_len = 1184};
    sim_snp_guest_default(&scene->guest, product);
    if (vlek) {
        sim_snp_guest_vlek(&scene->guest);
    }
    int64_t today = (int64_t)time(NULL) / DAY * DAY;
    scene->crl = (struct sim_snp_crl){.this_update = today, .next_update = today + 365 * DAY, .number = 1};
}

/* --- Faults: each makes one thing wrong and leaves all else good. --- */

static void wrong_signature(struct sim_snp_scene *s)
{
    s->flip_signature = 1;
}
static void wrong_key(struct sim_snp_scene *s)
{
    s->foreign_key = true;
}
static void wrong_root(struct sim_snp_scene *s)
{
    s->foreign_vendor = true;
}
static void signature_padding(struct sim_snp_scene *s)
{
    s->signature_padding = 1;
}
static void truncated(struct sim_snp_scene *s)
{
    s->report_len = 1183;
}
static void unknown_version(struct sim_snp_scene *s)
{
    s->guest.version = 6;
}
static void signature_algorithm(struct sim_snp_scene *s)
{
    s->guest.signature_algo = 2;
}
static void key_info_mbz(struct sim_snp_scene *s)
{
    s->guest.key_info |= UINT32_C(1) << 31;
}
static void policy_mbz(struct sim_snp_scene *s)
{
    s->guest.policy |= UINT64_C(1) << 63;
}
static void policy_reserved_one(struct sim_snp_scene *s)
{
    s->guest.policy &= ~(UINT64_C(1) << 17);
}
static void masked_key(struct sim_snp_scene *s)
{
    s->guest.key_info |= 1U << 1;
}
static void no_signing_key(struct sim_snp_scene *s)
{
    s->guest.key_info |= 7U << 2;
}
static void signing_key_mismatch(struct sim_snp_scene *s)
{
    s->guest.key_info ^= 1U << 2;
}
static void host_requested(struct sim_snp_scene *s)
{
    s->guest.vmpl = UINT32_MAX;
}
static void masked_chip(struct sim_snp_scene *s)
{
    memset(s->guest.chip_id, 0, sizeof s->guest.chip_id);
}
static void hwid_mismatch(struct sim_snp_scene *s)
{
    s->guest.cert_hwid[0] ^= 0xff;
}
static void no_hwid(struct sim_snp_scene *s)
{
    s->guest.cert_hwid_len = 0;
}
static void tcb_mismatch(struct sim_snp_scene *s)
{
    s->guest.cert_tcb.snp--;
}
static void missing_spl(struct sim_snp_scene *s)
{
    s->guest.cert_missing_spl |= 1U << 3;
}
static void struct_version(struct sim_snp_scene *s)
{
    s->guest.cert_struct_version = s->guest.product == SIM_SNP_TURIN ? 0 : 1;
}
static void product_name(struct sim_snp_scene *s)
{
    s->guest.cert_product_name = s->guest.product == SIM_SNP_TURIN ? "Milan" : "Turin";
}
static void cpuid_mismatch(struct sim_snp_scene *s)
{
    bool turin = s->guest.product == SIM_SNP_TURIN;
    s->guest.family = turin ? 0x19 : 0x1a;
    s->guest.model = turin ? 0x11 : 0x02;
}
static void expired_vek(struct sim_snp_scene *s)
{
    s->guest.not_after = (int64_t)time(NULL) - DAY;
    s->guest.not_before = s->guest.not_after - 365 * DAY;
}
static void future_vek(struct sim_snp_scene *s)
{
    s->guest.not_before = (int64_t)time(NULL) + DAY;
    s->guest.not_after = s->guest.not_before + 365 * DAY;
}
static void revoked_ask(struct sim_snp_scene *s)
{
    s->crl.revoke_ask = true;
}
static void revoked_asvk(struct sim_snp_scene *s)
{
    s->crl.revoke_asvk = true;
}
static void stale_crl(struct sim_snp_scene *s)
{
    s->crl.this_update -= 400 * DAY;
    s->crl.next_update -= 400 * DAY;
}
static void debug(struct sim_snp_scene *s)
{
    s->guest.policy |= UINT64_C(1) << 19;
}
static void migration_agent(struct sim_snp_scene *s)
{
    s->guest.policy |= UINT64_C(1) << 18;
    memset(s->guest.report_id_ma, 0xa5, sizeof s->guest.report_id_ma);
}
static void provisional(struct sim_snp_scene *s)
{
    s->guest.current_version[2]++;
    s->guest.current_tcb.snp++;
}
static void old_firmware(struct sim_snp_scene *s)
{
    struct sim_snp_guest *g = &s->guest;
    g->reported_tcb.snp = g->cert_tcb.snp = g->committed_tcb.snp = g->launch_tcb.snp = g->current_tcb.snp = 1;
}

static const struct {
    const char *name, *what;
    void (*apply)(struct sim_snp_scene *);
} faults[] = {
    {"truncated", "the last byte of the report is missing", truncated},
    {"unknown-version", "report version 6", unknown_version},
    {"wrong-signature", "one bit of the signature is flipped", wrong_signature},
    {"wrong-key", "the certificate is for another key", wrong_key},
    {"wrong-root", "certificates by a look-alike vendor with the same names", wrong_root},
    {"signature-padding", "a byte that nothing signs is not zero", signature_padding},
    {"signature-algorithm", "SIGNATURE_ALGO 2", signature_algorithm},
    {"key-info-mbz", "a reserved bit of the key information is set", key_info_mbz},
    {"policy-mbz", "a reserved bit of POLICY is set", policy_mbz},
    {"policy-reserved-one", "POLICY bit 17, always one, is zero", policy_reserved_one},
    {"masked-key", "MASK_CHIP_KEY: the signature is zeros", masked_key},
    {"no-signing-key", "SIGNING_KEY NONE: the signature is zeros", no_signing_key},
    {"signing-key-mismatch", "a VCEK's report says VLEK, or the reverse", signing_key_mismatch},
    {"host-requested", "VMPL 0xffffffff: the host asked for the report", host_requested},
    {"masked-chip", "CHIP_ID is zeros", masked_chip},
    {"hwid-mismatch", "the certificate names another chip", hwid_mismatch},
    {"no-hwid", "the certificate names no chip", no_hwid},
    {"tcb-mismatch", "the certificate is for an older SNP firmware", tcb_mismatch},
    {"missing-spl", "the certificate has no snpSPL", missing_spl},
    {"struct-version", "the certificate has another product's structVersion", struct_version},
    {"product-name", "the certificate has another product's name", product_name},
    {"cpuid-mismatch", "the report's CPUID is another product's", cpuid_mismatch},
    {"expired-vek", "the VCEK or VLEK expired yesterday", expired_vek},
    {"future-vek", "the VCEK or VLEK is valid from tomorrow", future_vek},
    {"revoked-ask", "the list revokes the ASK", revoked_ask},
    {"revoked-asvk", "the list revokes the ASVK", revoked_asvk},
    {"stale-crl", "the list is a year too old", stale_crl},
    {"debug", "POLICY allows debugging", debug},
    {"migration-agent", "a migration agent holds the guest's keys", migration_agent},
    {"provisional", "firmware is loaded but not committed", provisional},
    {"old-firmware", "every TCB is at SNP firmware 1", old_firmware},
};
#define FAULTS (sizeof faults / sizeof *faults)

bool sim_snp_apply_fault(struct sim_snp_scene *scene, const char *name)
{
    for (size_t i = 0; i < FAULTS; i++) {
        if (strcmp(faults[i].name, name) == 0) {
            faults[i].apply(scene);
            return true;
        }
    }
    return false;
}

void sim_snp_list_faults(FILE *file)
{
    for (size_t i = 0; i < FAULTS; i++) {
        fprintf(file, "  %-24s %s\n", faults[i].name, faults[i].what);
    }
}

struct sim_bytes sim_snp_scene_report(const struct sim_snp_vendor *vendor, const struct sim_snp_scene *scene)
{
    struct sim_bytes report = sim_snp_report(vendor, &scene->guest);
    if (!report.data) {
        return report;
    }
    report.data[0x2a0] ^= scene->flip_signature;
    report.data[0x330] |= scene->signature_padding;
    report.len = scene->report_len;
    return report;
}

struct sim_bytes sim_snp_scene_vek(const struct sim_snp_vendor *vendor, const struct sim_snp_scene *scene)
{
    struct sim_snp_guest guest = scene->guest;
    guest.cert_key_seed += scene->foreign_key;
    return sim_snp_vek(vendor, &guest);
}
