/* SPDX-License-Identifier: Apache-2.0 */
/* Simulated reports through appraise(): good ones of every kind, and one for each way to fail, beside its good twin. */
#include "tests/snp/simulated.h"

#include "core/value.h"
#include "policy/document.h"
#include "sdk/simulator/certificate.h"
#include "sdk/simulator/snp_vendor.h"

#include <openssl/ec.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

static void make_vlek(struct sim_snp_guest *guest)
{
    sim_snp_guest_vlek(guest);
    guest->not_before = NOW - 30 * DAY;
    guest->not_after = NOW + 300 * DAY;
}

/* --- good reports --- */

static const char any_version[] = "report_version: {at_least: 2}";

static void expect_good(enum sim_snp_product product, uint32_t version, bool vlek, bool table)
{
    struct scene scene;
    scene_begin(&scene, product);
    scene.guest.version = version;
    if (vlek)
        make_vlek(&scene.guest);
    scene.no_table = !table;
    scene.appraisal.settings = any_version;
    scene_mint(&scene);
    scene_run(&scene);
    expect_all_pass(&scene.appraisal);
    const struct attestd_value *name = appraisal_claim(&scene.appraisal, "product");
    assert_non_null(name);
    assert_string_equal((const char *)name->text.data, product_name(product));
    assert_true(scene.appraisal.result->simulated);
    assert_int_equal(scene.appraisal.piece->vector[ATTESTD_HARDWARE], 2);
    assert_int_equal(scene.appraisal.piece->vector[ATTESTD_RUNTIME_OPAQUE], 2);
    scene_end(&scene);
}

static void good_reports_of_every_product_version_and_key_pass(void **state)
{
    (void)state;
    for (int product = 0; product < PRODUCTS; product++) {
        for (uint32_t version = 2; version <= 5; version++) {
            for (int kind = 0; kind < 4; kind++)
                expect_good((enum sim_snp_product)product, version, (kind & 1) != 0, (kind & 2) != 0);
        }
    }
}

static void every_form_of_enclosed_certificates_is_read(void **state)
{
    (void)state;
    for (int form = 0; form < 8; form++) {
        struct scene scene;
        scene_begin(&scene, SIM_SNP_TURIN);
        scene_mint(&scene);
        const struct sim_snp_vendor *vendor = world.vendors[SIM_SNP_TURIN];
        struct sim_bytes vek = sim_snp_vek(vendor, &scene.guest), ask = sim_snp_ask(vendor), ark = sim_snp_ark(vendor);
        struct sim_bytes none = {NULL, 0};
        struct attestd_bytes blob;
        if (form < 4) {
            blob = scene_take(&scene, sim_snp_table(vek, false, ask, ark, none, (form & 1) != 0, (form & 2) != 0));
        } else {
            /* PEM or DER, one after the other, in an order nobody asked for */
            struct attestd_text text = {0};
            struct sim_bytes parts[3] = {ark, vek, ask};
            for (int i = 0; i < 3; i++) {
                struct sim_bytes pem = form & 1 ? sim_pem(parts[i], "CERTIFICATE") : parts[i];
                attestd_text_add(&text, (const char *)pem.data, pem.len);
                if (form & 1)
                    free(pem.data);
            }
            blob = attestd_arena_bytes(scene.arena, text.data, text.len);
            attestd_text_free(&text);
        }
        free(vek.data);
        free(ask.data);
        free(ark.data);
        scene.shelf.count = 0; /* nothing but the list comes from elsewhere */
        shelf_put(&scene.shelf, scene.list_der.data, scene.list_der.len);
        scene.appraisal.report = (struct attestd_bytes){scene.report, sizeof scene.report};
        scene.appraisal.certs = blob;
        if (form >= 6) { /* behind the report in one body */
            uint8_t *body = attestd_arena_alloc(scene.arena, sizeof scene.report + blob.len);
            memcpy(body, scene.report, sizeof scene.report);
            memcpy(body + sizeof scene.report, blob.data, blob.len);
            scene.appraisal.report = (struct attestd_bytes){body, sizeof scene.report + blob.len};
            scene.appraisal.certs = (struct attestd_bytes){NULL, 0};
        }
        appraisal_run(&scene.appraisal);
        expect_all_pass(&scene.appraisal);
        scene_end(&scene);
    }
}

static void hwid_as_an_octet_string_is_read_as_well(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene, SIM_SNP_MILAN);
    scene.guest.cert_hwid_octet_string = true;
    scene_mint(&scene);
    scene_run(&scene);
    expect_all_pass(&scene.appraisal);
    scene_end(&scene);
}

static void a_first_byte_of_hwid_is_never_a_tag(void **state)
{
    (void)state;
    static const uint8_t firsts[][2] = {{0x04, 0x40}, {0x04, 0x08}, {0x02, 0x01}, {0x30, 0x3e}};
    for (int product = SIM_SNP_GENOA; product <= SIM_SNP_TURIN; product += 2) {
        for (size_t i = 0; i < sizeof firsts / sizeof firsts[0]; i++) {
            struct scene scene;
            scene_begin(&scene, (enum sim_snp_product)product);
            memcpy(scene.guest.chip_id, firsts[i], 2);
            memcpy(scene.guest.cert_hwid, firsts[i], 2);
            scene_mint(&scene);
            scene_run(&scene);
            expect_all_pass(&scene.appraisal);
            scene_end(&scene);
        }
    }
}

static void unknown_platform_bits_are_a_claim_and_no_failure(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene, SIM_SNP_TURIN);
    scene.guest.platform_info |= UINT64_C(1) << 40;
    scene_mint(&scene);
    scene_run(&scene);
    expect_all_pass(&scene.appraisal);
    const struct attestd_value *unknown = appraisal_claim(&scene.appraisal, "platform.unknown");
    assert_non_null(unknown);
    assert_int_equal(unknown->text.len, 8);
    assert_int_equal(unknown->text.data[2], 1);
    scene_end(&scene);
}

/* --- one for each way to fail --- */

typedef struct sim_snp_guest guest_t;
struct fault_case {
    const char *check, *code;
    int outcome;
    enum sim_snp_product product;
    const char *settings;
    void (*prepare)(guest_t *);   /* for the good twin, too */
    void (*spoil)(guest_t *);     /* before the report is signed and the certificate made */
    void (*edit)(struct scene *); /* afterwards */
    const char *bad_settings;     /* NULL: settings */
};

static void spoil_policy_30(guest_t *g)
{
    g->policy |= 1u << 30;
}
static void spoil_policy_17(guest_t *g)
{
    g->policy &= ~(UINT64_C(1) << 17);
}
static void spoil_key_info(guest_t *g)
{
    g->key_info |= 1u << 5;
}
static void edit_padding(struct scene *s)
{
    s->report[0x2d0] = 1;
}
static void edit_tail(struct scene *s)
{
    s->report[0x49f] = 1;
}
static void edit_reserved(struct scene *s)
{
    s->report[0x04c] = 1;
    sim_snp_resign(NULL, &s->guest, s->report);
}
static void spoil_algorithm(guest_t *g)
{
    g->signature_algo = 2;
}
static void spoil_key_none(guest_t *g)
{
    g->key_info |= 7u << 2;
}
static void spoil_key_reserved(guest_t *g)
{
    g->key_info |= 2u << 2;
}
static void spoil_key_masked(guest_t *g)
{
    g->key_info |= 2u;
}
static void spoil_host(guest_t *g)
{
    g->vmpl = UINT32_MAX;
}
static void spoil_vmpl_4(guest_t *g)
{
    g->vmpl = 4;
}
static void spoil_vmpl_1(guest_t *g)
{
    g->vmpl = 1;
}
static void spoil_cpuid(guest_t *g)
{
    g->model = 0x7f;
}
static void spoil_venice(guest_t *g)
{
    g->family = 0x1a;
    g->model = 0x50;
}
static void spoil_milan_cpuid(guest_t *g)
{
    g->model = 0x01;
}
static void prepare_v2(guest_t *g)
{
    g->version = 2;
}
static void spoil_chip_masked(guest_t *g)
{
    memset(g->chip_id, 0, sizeof g->chip_id);
}
static void edit_no_vek(struct scene *s)
{
    s->vek = (struct attestd_bytes){NULL, 0};
}
static void edit_no_vek_masked(struct scene *s)
{
    edit_no_vek(s);
    memset(s->report + 0x1a0, 0, 64);
}
static void prepare_vlek(guest_t *g)
{
    make_vlek(g);
}
static void edit_drop(struct scene *s, const char *kind)
{
    size_t kept = 0;
    for (size_t i = 0; i < s->shelf.count; i++) {
        if (strcmp(s->shelf.items[i].kind, kind) != 0)
            s->shelf.items[kept++] = s->shelf.items[i];
    }
    assert_true(kept < s->shelf.count);
    s->shelf.count = kept;
}
static void edit_no_ask(struct scene *s)
{
    edit_drop(s, "snp.ask");
}
static void edit_no_ark(struct scene *s)
{
    edit_drop(s, "snp.ark");
}
static void edit_ask_for_vek(struct scene *s)
{
    s->vek = scene_take(s, sim_snp_ask(world.vendors[SIM_SNP_GENOA]));
}
static void put_stranger(struct scene *s, struct sim_bytes der)
{
    struct attestd_bytes kept = scene_take(s, der);
    shelf_put(&s->shelf, kept.data, kept.len);
}
static void edit_strange_ask(struct scene *s)
{
    edit_no_ask(s);
    put_stranger(s, sim_snp_ask(world.stranger));
}
/* A whole chain of the same names, made by nobody known. */
static void edit_strange_chain(struct scene *s)
{
    s->vek = scene_take(s, sim_snp_vek(world.stranger, &s->guest));
    s->intermediate = scene_take(s, sim_snp_ask(world.stranger));
    s->root = scene_take(s, sim_snp_ark(world.stranger));
}
static void edit_strange_root(struct scene *s)
{
    s->vek = scene_take(s, sim_snp_vek(world.stranger, &s->guest));
    s->intermediate = scene_take(s, sim_snp_ask(world.stranger));
}

/* Certificates that the simulator does not make by itself. */
static struct attestd_bytes certify(struct scene *s, const char *subject, const char *issuer, EVP_PKEY *key, EVP_PKEY *issuer_key, bool ca)
{
    struct sim_buffer extensions = {0};
    if (ca)
        sim_extension_ca(&extensions, -1);
    struct sim_certificate certificate = {.serial = 4711,
                                          .issuer = issuer,
                                          .subject = subject,
                                          .not_before = NOW - 100 * DAY,
                                          .not_after = NOW + 100 * DAY,
                                          .key = key,
                                          .extensions = {extensions.data, extensions.len}};
    struct attestd_bytes der = scene_take(s, sim_certificate_sign(&certificate, issuer_key));
    free(extensions.data);
    return der;
}
static void edit_no_ca(struct scene *s)
{
    const struct sim_snp_vendor *vendor = world.vendors[SIM_SNP_GENOA];
    edit_no_ask(s);
    s->intermediate = certify(s, "SEV-Genoa", "ARK-Genoa", vendor->ask_key, vendor->ark_key, false);
}
static void edit_reissued_root(struct scene *s)
{
    const struct sim_snp_vendor *vendor = world.vendors[SIM_SNP_GENOA];
    edit_no_ark(s);
    s->root = certify(s, "ARK-Genoa", "ARK-Genoa", vendor->ark_key, vendor->ark_key, true);
}
static void edit_p256_leaf(struct scene *s)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    s->vek = certify(s, "SEV-VCEK", "SEV-Genoa", key, world.vendors[SIM_SNP_GENOA]->ask_key, false);
    EVP_PKEY_free(key);
}
static void spoil_expired(guest_t *g)
{
    g->not_after = NOW - 1;
}
static void spoil_early(guest_t *g)
{
    g->not_before = NOW + 1;
}
static void prepare_long(guest_t *g)
{
    g->not_before = 0;
    g->not_after = NOW + 60 * 366 * DAY;
}
static void edit_far_future(struct scene *s)
{
    s->appraisal.time = NOW + 50 * 366 * DAY;
}
static void edit_far_past(struct scene *s)
{
    s->appraisal.time = 86400;
}
static void edit_wrong_slot(struct scene *s)
{
    s->wrong_slot = true;
}
static void spoil_csp(guest_t *g)
{
    g->cert_csp_id = "CN=cloud.invalid";
}
static void spoil_vlek_hwid(guest_t *g)
{
    g->cert_hwid_len = 64;
}
static void spoil_product_name(guest_t *g)
{
    g->cert_product_name = "Genoese";
}
static void prepare_stepping_name(guest_t *g)
{
    g->cert_product_name = "Genoa-B0";
}
static void spoil_struct_version(guest_t *g)
{
    g->cert_struct_version = 1;
}
static void spoil_hwid(guest_t *g)
{
    g->cert_hwid[63] ^= 1;
}
static void spoil_no_hwid(guest_t *g)
{
    g->cert_hwid_len = 0;
}
static void spoil_short_hwid(guest_t *g)
{
    g->cert_hwid_len = 8;
}
static void spoil_turin_tail(guest_t *g)
{
    g->chip_id[20] = 1;
}
static void spoil_cert_tcb(guest_t *g)
{
    g->cert_tcb.snp--;
}
static void spoil_cert_fmc(guest_t *g)
{
    g->cert_tcb.fmc++;
}
static void spoil_missing_snp(guest_t *g)
{
    g->cert_missing_spl = 1u << 3;
}
static void spoil_missing_spl5(guest_t *g)
{
    g->cert_missing_spl = 1u << 5;
}
static void edit_measurement(struct scene *s)
{
    s->report[0x90] ^= 1;
}
static void edit_zero_r(struct scene *s)
{
    memset(s->report + 0x2a0, 0, 48);
}
static void edit_zero_s(struct scene *s)
{
    memset(s->report + 0x2e8, 0, 48);
}
static void edit_large_r(struct scene *s)
{
    memset(s->report + 0x2a0, 0xff, 48);
}
static void edit_large_s(struct scene *s)
{
    memset(s->report + 0x2e8, 0xff, 48);
}
static void edit_big_endian(struct scene *s)
{
    for (int part = 0; part < 2; part++) {
        uint8_t *at = s->report + (part ? 0x2e8 : 0x2a0);
        for (int i = 0; i < 24; i++) {
            uint8_t kept = at[i];
            at[i] = at[47 - i];
            at[47 - i] = kept;
        }
    }
}
static void remint_list(struct scene *s)
{
    s->list_der = scene_take(s, sim_snp_crl(world.vendors[s->guest.product], &s->list));
}
static void edit_revoke_ask(struct scene *s)
{
    s->list.revoke_ask = true;
    remint_list(s);
}
static void edit_revoke_asvk(struct scene *s)
{
    s->list.revoke_asvk = true;
    remint_list(s);
}
static void edit_no_list(struct scene *s)
{
    s->list_der = (struct attestd_bytes){NULL, 0};
}
static void edit_stale_list(struct scene *s)
{
    s->list.this_update = NOW - 60 * DAY;
    s->list.next_update = NOW - 10 * DAY;
    remint_list(s);
}
static void edit_future_list(struct scene *s)
{
    s->list.this_update = NOW + DAY;
    remint_list(s);
}
static void edit_endless_list(struct scene *s)
{
    s->list.next_update = 0;
    remint_list(s);
}
static void edit_forged_list(struct scene *s)
{
    s->list_der = scene_take(s, sim_snp_crl(world.stranger, &s->list));
}
static void edit_stale_revoking_list(struct scene *s)
{
    s->list.revoke_ask = true;
    edit_stale_list(s);
}
static void spoil_debug(guest_t *g)
{
    g->policy |= 1u << 19;
}
static void spoil_migration(guest_t *g)
{
    g->policy |= 1u << 18;
}
static void spoil_agent(guest_t *g)
{
    g->report_id_ma[31] = 0;
}
static void prepare_no_smt(guest_t *g)
{
    g->policy &= ~(UINT64_C(1) << 16);
}
static void spoil_smt(guest_t *g)
{
    g->policy |= 1u << 16;
}
static void spoil_cxl(guest_t *g)
{
    g->policy |= 1u << 21;
}
static void prepare_demands(guest_t *g)
{
    g->policy |= 1u << 20 | 1u << 22 | 1u << 23 | 1u << 24 | 1u << 25;
}
static void spoil_socket(guest_t *g)
{
    g->policy &= ~(UINT64_C(1) << 20);
}
static void spoil_xts(guest_t *g)
{
    g->policy &= ~(UINT64_C(1) << 22);
}
static void spoil_rapl(guest_t *g)
{
    g->policy &= ~(UINT64_C(1) << 23);
}
static void spoil_hiding(guest_t *g)
{
    g->policy &= ~(UINT64_C(1) << 24);
}
static void spoil_swap(guest_t *g)
{
    g->policy &= ~(UINT64_C(1) << 25);
}
static void prepare_abi(guest_t *g)
{
    g->policy |= 1u << 8 | 51;
}
static void spoil_abi(guest_t *g)
{
    g->policy &= ~UINT64_C(1);
}
static void spoil_committed(guest_t *g)
{
    g->committed_tcb.microcode++;
}
static void spoil_reported(guest_t *g)
{
    g->reported_tcb.microcode++;
    g->cert_tcb.microcode++;
}
static void spoil_committed_version(guest_t *g)
{
    g->committed_version[2]++;
}
static void spoil_provisional_tcb(guest_t *g)
{
    g->current_tcb.microcode++;
}
static void spoil_provisional_version(guest_t *g)
{
    g->current_version[1]++;
}
static void prepare_provisional(guest_t *g)
{
    g->current_tcb.microcode++;
}
static void spoil_low_reported(guest_t *g)
{
    g->reported_tcb.snp--;
    g->cert_tcb.snp--;
}
static void spoil_low_committed(guest_t *g)
{
    g->committed_tcb.microcode--;
}
static void spoil_low_launch(guest_t *g)
{
    g->launch_tcb.microcode--;
}
static void spoil_low_current(guest_t *g)
{
    g->current_tcb.microcode--;
    g->committed_tcb.microcode--;
    g->reported_tcb.microcode--;
    g->cert_tcb.microcode--;
}
static void spoil_low_fmc(guest_t *g)
{
    g->reported_tcb.fmc--;
    g->cert_tcb.fmc--;
}
static void spoil_old_firmware(guest_t *g)
{
    g->current_version[2] = 0;
    g->committed_version[2] = 0;
}
static void spoil_old_committed(guest_t *g)
{
    g->committed_version[2] = 0;
}
static void spoil_launch_vector(guest_t *g)
{
    g->launch_mit_vector &= ~UINT64_C(2);
}
static void spoil_current_vector(guest_t *g)
{
    g->current_mit_vector &= ~UINT64_C(16);
}
static void prepare_platform(guest_t *g)
{
    g->platform_info = 0xff;
}
static void spoil_platform(guest_t *g)
{
    g->platform_info = 0;
}
static void prepare_no_platform(guest_t *g)
{
    g->platform_info = 0;
}
static void spoil_all_platform(guest_t *g)
{
    g->platform_info = 0xff;
}
static void prepare_id_block(guest_t *g)
{
    memset(g->id_key_digest, 7, sizeof g->id_key_digest);
    memset(g->author_key_digest, 8, sizeof g->author_key_digest);
    g->key_info |= 1;
    g->guest_svn = 9;
}
static void spoil_id_block(guest_t *g)
{
    memset(g->id_key_digest, 0, sizeof g->id_key_digest);
}
static void spoil_author(guest_t *g)
{
    g->key_info &= ~1u;
}
static void spoil_svn(guest_t *g)
{
    g->guest_svn = 8;
}
static void spoil_version_2(guest_t *g)
{
    g->version = 2;
}
static void spoil_version_4(guest_t *g)
{
    g->version = 4;
}

#define FAIL ATTESTD_FAIL
#define GONE ATTESTD_UNAVAILABLE
#define GENOA SIM_SNP_GENOA
#define DEMANDS                                                                                                                            \
    "guest_policy: {smt: any, single_socket: true, memory_aes_256_xts: true, rapl_disabled: true, ciphertext_hiding: true, "               \
    "page_swap_disabled: true}"
#define FLOORS "tcb: {floor: {Genoa: {snp: 27, microcode: 88}}, of: [reported, committed, launch, current], provisional: true}"
#define ON                                                                                                                                 \
    "platform: {smt: true, tsme: true, ecc: true, rapl_disabled: true, ciphertext_hiding: true, alias_check: true, "                       \
    "iommu_write_safe: true, tio: true}"
#define OFF                                                                                                                                \
    "platform: {smt: false, tsme: false, ecc: false, rapl_disabled: false, ciphertext_hiding: false, alias_check: false, "                 \
    "iommu_write_safe: false, tio: false}"

static const struct fault_case cases[] = {
    {"snp.reserved", "SNP_POLICY_RESERVED_BITS", FAIL, GENOA, NULL, NULL, spoil_policy_30, NULL, NULL},
    {"snp.reserved", "SNP_POLICY_BIT_17", FAIL, GENOA, NULL, NULL, spoil_policy_17, NULL, NULL},
    {"snp.reserved", "SNP_KEY_INFO_RESERVED_BITS", FAIL, GENOA, NULL, NULL, spoil_key_info, NULL, NULL},
    {"snp.reserved", "SNP_SIGNATURE_PADDING", FAIL, GENOA, NULL, NULL, NULL, edit_padding, NULL},
    {"snp.reserved", "SNP_SIGNATURE_PADDING", FAIL, GENOA, NULL, NULL, NULL, edit_tail, NULL},
    {"snp.reserved", "SNP_REPORT_RESERVED_BYTES", FAIL, GENOA, NULL, NULL, NULL, edit_reserved, NULL},
    {"snp.signature_algorithm", "SNP_SIGNATURE_ALGORITHM", FAIL, GENOA, NULL, NULL, spoil_algorithm, NULL, NULL},
    {"snp.signing_key", "SNP_SIGNING_KEY_NONE", FAIL, GENOA, NULL, NULL, spoil_key_none, NULL, NULL},
    {"snp.signing_key", "SNP_SIGNING_KEY_RESERVED", FAIL, GENOA, NULL, NULL, spoil_key_reserved, NULL, NULL},
    {"snp.signing_key", "SNP_CHIP_KEY_MASKED", FAIL, GENOA, NULL, NULL, spoil_key_masked, NULL, NULL},
    {"snp.requester", "SNP_REQUESTED_BY_HOST", FAIL, GENOA, NULL, NULL, spoil_host, NULL, NULL},
    {"snp.requester", "SNP_VMPL_INVALID", FAIL, GENOA, NULL, NULL, spoil_vmpl_4, NULL, NULL},
    {"snp.product", "SNP_CPUID_UNKNOWN", FAIL, GENOA, NULL, NULL, spoil_cpuid, NULL, NULL},
    {"snp.product", "SNP_PRODUCT_UNSUPPORTED", FAIL, GENOA, NULL, NULL, spoil_venice, NULL, NULL},
    {"snp.product", "SNP_PRODUCT_UNDETERMINED", GONE, GENOA, any_version, prepare_v2, NULL, edit_no_vek, NULL},
    {"snp.product", "SNP_PRODUCT_UNDETERMINED", FAIL, GENOA, any_version, prepare_v2, NULL, edit_no_vek_masked, NULL},

    {"snp.vek", "SNP_VEK_UNAVAILABLE", GONE, GENOA, NULL, NULL, NULL, edit_no_vek, NULL},
    {"snp.vek", "SNP_VLEK_UNAVAILABLE", GONE, GENOA, NULL, prepare_vlek, NULL, edit_no_vek, NULL},
    {"snp.vek", "SNP_VEK_OF_MASKED_CHIP", FAIL, GENOA, NULL, NULL, NULL, edit_no_vek_masked, NULL},
    {"snp.vek", "SNP_INTERMEDIATE_UNAVAILABLE", GONE, GENOA, NULL, NULL, NULL, edit_no_ask, NULL},
    {"snp.vek", "SNP_ROOT_UNAVAILABLE", GONE, GENOA, NULL, NULL, NULL, edit_no_ark, NULL},
    {"snp.chain", "SNP_CERTIFICATE_MALFORMED", FAIL, GENOA, NULL, NULL, NULL, edit_ask_for_vek, NULL},
    {"snp.chain", "SNP_LEAF_SIGNATURE", FAIL, GENOA, NULL, NULL, NULL, edit_strange_ask, NULL},
    {"snp.chain", "SNP_INTERMEDIATE_SIGNATURE", FAIL, GENOA, NULL, NULL, NULL, edit_strange_root, NULL},
    {"snp.chain", "SNP_INTERMEDIATE_NOT_CA", FAIL, GENOA, NULL, NULL, NULL, edit_no_ca, NULL},
    {"snp.chain", "SNP_LEAF_KEY", FAIL, GENOA, NULL, NULL, NULL, edit_p256_leaf, NULL},
    {"snp.anchor", "SNP_ANCHOR_UNKNOWN", FAIL, GENOA, NULL, NULL, NULL, edit_strange_chain, NULL},
    {"snp.anchor", "SNP_ANCHOR_REISSUED", FAIL, GENOA, NULL, NULL, NULL, edit_reissued_root, NULL},
    {"snp.validity", "SNP_VEK_EXPIRED", FAIL, GENOA, NULL, NULL, spoil_expired, NULL, NULL},
    {"snp.validity", "SNP_VEK_NOT_YET_VALID", FAIL, GENOA, NULL, NULL, spoil_early, NULL, NULL},
    {"snp.validity", "SNP_CA_EXPIRED", FAIL, GENOA, NULL, prepare_long, NULL, edit_far_future, NULL},
    {"snp.validity", "SNP_CA_NOT_YET_VALID", FAIL, GENOA, NULL, prepare_long, NULL, edit_far_past, NULL},
    {"snp.key_kind", "SNP_KEY_KIND_MISMATCH", FAIL, GENOA, NULL, NULL, NULL, edit_wrong_slot, NULL},
    {"snp.key_kind", "SNP_KEY_KIND_MISMATCH", FAIL, GENOA, NULL, prepare_vlek, NULL, edit_wrong_slot, NULL},
    {"snp.key_kind", "SNP_KEY_KIND_UNCLEAR", FAIL, GENOA, NULL, NULL, spoil_csp, NULL, NULL},
    {"snp.key_kind", "SNP_KEY_KIND_UNCLEAR", FAIL, GENOA, NULL, prepare_vlek, spoil_vlek_hwid, NULL, NULL},
    {"snp.certificate_product", "SNP_PRODUCT_MISMATCH", FAIL, GENOA, NULL, NULL, spoil_milan_cpuid, NULL, NULL},
    {"snp.certificate_product", "SNP_PRODUCT_NAME_MISMATCH", FAIL, GENOA, NULL, prepare_stepping_name, spoil_product_name, NULL, NULL},
    {"snp.certificate_product", "SNP_STRUCT_VERSION", FAIL, GENOA, NULL, NULL, spoil_struct_version, NULL, NULL},
    {"snp.hwid", "SNP_HWID_MISMATCH", FAIL, GENOA, NULL, NULL, spoil_hwid, NULL, NULL},
    {"snp.hwid", "SNP_HWID_MISSING", FAIL, GENOA, NULL, NULL, spoil_no_hwid, NULL, NULL},
    {"snp.hwid", "SNP_HWID_LENGTH", FAIL, GENOA, NULL, NULL, spoil_short_hwid, NULL, NULL},
    {"snp.hwid", "SNP_HWID_TAIL", FAIL, SIM_SNP_TURIN, NULL, NULL, spoil_turin_tail, NULL, NULL},
    {"snp.tcb_binding", "SNP_CERTIFICATE_TCB_MISMATCH", FAIL, GENOA, NULL, NULL, spoil_cert_tcb, NULL, NULL},
    {"snp.tcb_binding", "SNP_CERTIFICATE_TCB_MISMATCH", FAIL, SIM_SNP_TURIN, NULL, NULL, spoil_cert_fmc, NULL, NULL},
    {"snp.tcb_binding", "SNP_CERTIFICATE_TCB_MISSING", FAIL, GENOA, NULL, NULL, spoil_missing_snp, NULL, NULL},
    {"snp.tcb_binding", "SNP_CERTIFICATE_TCB_MISSING", FAIL, GENOA, NULL, NULL, spoil_missing_spl5, NULL, NULL},
    {"snp.signature", "SNP_SIGNATURE_INVALID", FAIL, GENOA, NULL, NULL, NULL, edit_measurement, NULL},
    {"snp.signature", "SNP_SIGNATURE_INVALID", FAIL, GENOA, NULL, NULL, NULL, edit_big_endian, NULL},
    {"snp.signature", "SNP_SIGNATURE_VALUES", FAIL, GENOA, NULL, NULL, NULL, edit_zero_r, NULL},
    {"snp.signature", "SNP_SIGNATURE_VALUES", FAIL, GENOA, NULL, NULL, NULL, edit_zero_s, NULL},
    {"snp.signature", "SNP_SIGNATURE_VALUES", FAIL, GENOA, NULL, NULL, NULL, edit_large_r, NULL},
    {"snp.signature", "SNP_SIGNATURE_VALUES", FAIL, GENOA, NULL, NULL, NULL, edit_large_s, NULL},

    {"snp.not_revoked", "SNP_ASK_REVOKED", FAIL, GENOA, NULL, NULL, NULL, edit_revoke_ask, NULL},
    {"snp.not_revoked", "SNP_ASK_REVOKED", FAIL, GENOA, NULL, NULL, NULL, edit_stale_revoking_list, NULL},
    {"snp.not_revoked", "SNP_ASVK_REVOKED", FAIL, GENOA, NULL, prepare_vlek, NULL, edit_revoke_asvk, NULL},
    {"snp.revocation", "SNP_CRL_UNAVAILABLE", GONE, GENOA, NULL, NULL, NULL, edit_no_list, NULL},
    {"snp.revocation", "SNP_CRL_STALE", GONE, GENOA, NULL, NULL, NULL, edit_stale_list, NULL},
    {"snp.revocation", "SNP_CRL_STALE", GONE, GENOA, "revocation: {stale_for: 9d}", NULL, NULL, edit_stale_list, NULL},
    {"snp.revocation", "SNP_CRL_FUTURE", GONE, GENOA, NULL, NULL, NULL, edit_future_list, NULL},
    {"snp.revocation", "SNP_CRL_NO_NEXT_UPDATE", GONE, GENOA, NULL, NULL, NULL, edit_endless_list, NULL},
    {"snp.revocation", "SNP_CRL_SIGNATURE", GONE, GENOA, NULL, NULL, NULL, edit_forged_list, NULL},

    {"snp.report_version", "SNP_REPORT_VERSION_BELOW_MINIMUM", FAIL, GENOA, NULL, NULL, spoil_version_2, NULL, NULL},
    {"snp.report_version", "SNP_REPORT_VERSION_BELOW_MINIMUM", FAIL, GENOA, "report_version: {at_least: 5}", NULL, spoil_version_4, NULL,
     NULL},
    {"snp.products", "SNP_PRODUCT_NOT_ALLOWED", FAIL, GENOA, "products: [Genoa]", NULL, NULL, NULL, "products: {allow: [Milan, Turin]}"},
    {"snp.masked_chip_id", "SNP_CHIP_ID_MASKED", FAIL, GENOA, NULL, NULL, spoil_chip_masked, NULL, NULL},
    {"snp.debug", "SNP_DEBUG_ALLOWED", FAIL, GENOA, NULL, NULL, spoil_debug, NULL, NULL},
    {"snp.debug", "SNP_DEBUG_ALLOWED", FAIL, GENOA, "guest_policy: {debug: {mode: warn}}", NULL, spoil_debug, NULL, NULL},
    {"snp.migration_agent", "SNP_MIGRATION_AGENT_ALLOWED", FAIL, GENOA, NULL, NULL, spoil_migration, NULL, NULL},
    {"snp.migration_agent", "SNP_MIGRATION_AGENT_PRESENT", FAIL, GENOA, NULL, NULL, spoil_agent, NULL, NULL},
    {"snp.smt", "SNP_SMT_ALLOWED", FAIL, GENOA, "guest_policy: {smt: false}", prepare_no_smt, spoil_smt, NULL, NULL},
    {"snp.cxl", "SNP_CXL_ALLOWED", FAIL, GENOA, "guest_policy: {cxl: {value: false}}", NULL, spoil_cxl, NULL, NULL},
    {"snp.single_socket", "SNP_SINGLE_SOCKET_NOT_REQUIRED", FAIL, GENOA, DEMANDS, prepare_demands, spoil_socket, NULL, NULL},
    {"snp.memory_aes_256_xts", "SNP_AES_256_XTS_NOT_REQUIRED", FAIL, GENOA, DEMANDS, prepare_demands, spoil_xts, NULL, NULL},
    {"snp.rapl", "SNP_RAPL_NOT_DISABLED", FAIL, GENOA, DEMANDS, prepare_demands, spoil_rapl, NULL, NULL},
    {"snp.ciphertext_hiding", "SNP_CIPHERTEXT_HIDING_NOT_REQUIRED", FAIL, GENOA, DEMANDS, prepare_demands, spoil_hiding, NULL, NULL},
    {"snp.page_swap", "SNP_PAGE_SWAP_NOT_DISABLED", FAIL, GENOA, DEMANDS, prepare_demands, spoil_swap, NULL, NULL},
    {"snp.abi", "SNP_ABI_BELOW_MINIMUM", FAIL, GENOA, "guest_policy: {abi: \"1.51\"}", prepare_abi, spoil_abi, NULL, NULL},
    {"snp.vmpl", "SNP_VMPL_NOT_ALLOWED", FAIL, GENOA, NULL, NULL, spoil_vmpl_1, NULL, NULL},
    {"snp.vmpl", "SNP_VMPL_NOT_ALLOWED", FAIL, GENOA, "vmpl: {allow: [0, 2]}", NULL, spoil_vmpl_1, NULL, NULL},
    {"snp.tcb_order", "SNP_COMMITTED_TCB_ABOVE_CURRENT", FAIL, GENOA, NULL, NULL, spoil_committed, NULL, NULL},
    {"snp.tcb_order", "SNP_REPORTED_TCB_ABOVE_CURRENT", FAIL, GENOA, NULL, NULL, spoil_reported, NULL, NULL},
    {"snp.tcb_order", "SNP_COMMITTED_FIRMWARE_ABOVE_CURRENT", FAIL, GENOA, NULL, NULL, spoil_committed_version, NULL, NULL},
    {"snp.provisional_firmware", "SNP_PROVISIONAL_FIRMWARE", FAIL, GENOA, NULL, NULL, spoil_provisional_tcb, NULL, NULL},
    {"snp.provisional_firmware", "SNP_PROVISIONAL_FIRMWARE", FAIL, GENOA, NULL, NULL, spoil_provisional_version, NULL, NULL},
    {"snp.provisional_firmware", "SNP_PROVISIONAL_FIRMWARE", FAIL, GENOA, "tcb: {provisional: true}", prepare_provisional, NULL, NULL,
     "tcb: {provisional: false}"},
    {"snp.tcb_floor", "SNP_REPORTED_TCB_BELOW_FLOOR", FAIL, GENOA, FLOORS, NULL, spoil_low_reported, NULL, NULL},
    {"snp.tcb_floor", "SNP_REPORTED_TCB_BELOW_FLOOR", FAIL, GENOA, "tcb: {floor: {Genoa: {snp: 99}, 19-11-01: {snp: 27}}}", NULL,
     spoil_low_reported, NULL, NULL},
    {"snp.tcb_floor", "SNP_REPORTED_TCB_BELOW_FLOOR", FAIL, SIM_SNP_TURIN, "tcb: {floor: {Turin: {fmc: 1}}}", NULL, spoil_low_fmc, NULL,
     NULL},
    {"snp.tcb_floor", "SNP_TCB_FLOOR_MISSING", FAIL, GENOA, FLOORS, NULL, NULL, NULL, "tcb: {floor: {Milan: {snp: 1}}}"},
    {"snp.committed_tcb_floor", "SNP_COMMITTED_TCB_BELOW_FLOOR", FAIL, GENOA, FLOORS, NULL, spoil_low_committed, NULL, NULL},
    {"snp.committed_tcb_floor", "SNP_COMMITTED_TCB_FLOOR_MISSING", FAIL, GENOA, "tcb: {committed_floor: {Genoa: {snp: 27}}}", NULL, NULL,
     NULL, "tcb: {committed_floor: {19-11-02: {snp: 27}}}"},
    {"snp.launch_tcb_floor", "SNP_LAUNCH_TCB_BELOW_FLOOR", FAIL, GENOA, FLOORS, NULL, spoil_low_launch, NULL, NULL},
    {"snp.launch_tcb_floor", "SNP_LAUNCH_TCB_FLOOR_MISSING", FAIL, GENOA, "tcb: {launch_floor: {Genoa: {snp: 27}}}", NULL, NULL, NULL,
     "tcb: {launch_floor: {Turin: {snp: 1}}}"},
    {"snp.current_tcb_floor", "SNP_CURRENT_TCB_BELOW_FLOOR", FAIL, GENOA, FLOORS, NULL, spoil_low_current, NULL, NULL},
    {"snp.current_tcb_floor", "SNP_CURRENT_TCB_FLOOR_MISSING", FAIL, GENOA, "tcb: {floor: {Genoa: {snp: 27}}, of: [current]}", NULL, NULL,
     NULL, "tcb: {floor: {Turin: {snp: 1}}, of: [current]}"},
    {"snp.firmware", "SNP_FIRMWARE_BELOW_MINIMUM", FAIL, GENOA, "firmware: {at_least: 1.58.1}", NULL, spoil_old_firmware, NULL, NULL},
    {"snp.committed_firmware", "SNP_COMMITTED_FIRMWARE_BELOW_MINIMUM", FAIL, GENOA,
     "{firmware: {committed_at_least: 1.58.1}, tcb: {provisional: true}}", NULL, spoil_old_committed, NULL, NULL},
    {"snp.launch_mitigations", "SNP_LAUNCH_MITIGATION_MISSING", FAIL, GENOA, "mitigations: {launch: [1, 2, 4]}", NULL, spoil_launch_vector,
     NULL, NULL},
    {"snp.launch_mitigations", "SNP_LAUNCH_MITIGATIONS_UNREPORTED", FAIL, GENOA, "mitigations: {launch: [1]}", NULL, spoil_version_4, NULL,
     NULL},
    {"snp.current_mitigations", "SNP_CURRENT_MITIGATION_MISSING", FAIL, GENOA, "mitigations: {current: [1, 2, 4]}", NULL,
     spoil_current_vector, NULL, NULL},
    {"snp.current_mitigations", "SNP_CURRENT_MITIGATIONS_UNREPORTED", FAIL, GENOA, "mitigations: {current: [4]}", NULL, spoil_version_4,
     NULL, NULL},
    {"snp.platform_smt", "SNP_PLATFORM_SMT_DISABLED", FAIL, GENOA, ON, prepare_platform, spoil_platform, NULL, NULL},
    {"snp.platform_tsme", "SNP_PLATFORM_TSME_DISABLED", FAIL, GENOA, ON, prepare_platform, spoil_platform, NULL, NULL},
    {"snp.platform_ecc", "SNP_PLATFORM_ECC_DISABLED", FAIL, GENOA, ON, prepare_platform, spoil_platform, NULL, NULL},
    {"snp.platform_rapl", "SNP_PLATFORM_RAPL_ENABLED", FAIL, GENOA, ON, prepare_platform, spoil_platform, NULL, NULL},
    {"snp.platform_ciphertext_hiding", "SNP_PLATFORM_CIPHERTEXT_HIDING_DISABLED", FAIL, GENOA, ON, prepare_platform, spoil_platform, NULL,
     NULL},
    {"snp.platform_alias_check", "SNP_PLATFORM_ALIAS_CHECK_INCOMPLETE", FAIL, GENOA, ON, prepare_platform, spoil_platform, NULL, NULL},
    {"snp.platform_iommu_write_safe", "SNP_PLATFORM_IOMMU_WRITE_SAFE_CLEAR", FAIL, GENOA, ON, prepare_platform, spoil_platform, NULL, NULL},
    {"snp.platform_tio", "SNP_PLATFORM_TIO_DISABLED", FAIL, GENOA, ON, prepare_platform, spoil_platform, NULL, NULL},
    {"snp.platform_smt", "SNP_PLATFORM_SMT_ENABLED", FAIL, GENOA, OFF, prepare_no_platform, spoil_all_platform, NULL, NULL},
    {"snp.platform_tsme", "SNP_PLATFORM_TSME_ENABLED", FAIL, GENOA, OFF, prepare_no_platform, spoil_all_platform, NULL, NULL},
    {"snp.platform_ecc", "SNP_PLATFORM_ECC_ENABLED", FAIL, GENOA, OFF, prepare_no_platform, spoil_all_platform, NULL, NULL},
    {"snp.platform_rapl", "SNP_PLATFORM_RAPL_DISABLED", FAIL, GENOA, OFF, prepare_no_platform, spoil_all_platform, NULL, NULL},
    {"snp.platform_ciphertext_hiding", "SNP_PLATFORM_CIPHERTEXT_HIDING_ENABLED", FAIL, GENOA, OFF, prepare_no_platform, spoil_all_platform,
     NULL, NULL},
    {"snp.platform_alias_check", "SNP_PLATFORM_ALIAS_CHECK_COMPLETE", FAIL, GENOA, OFF, prepare_no_platform, spoil_all_platform, NULL,
     NULL},
    {"snp.platform_iommu_write_safe", "SNP_PLATFORM_IOMMU_WRITE_SAFE_SET", FAIL, GENOA, OFF, prepare_no_platform, spoil_all_platform, NULL,
     NULL},
    {"snp.platform_tio", "SNP_PLATFORM_TIO_ENABLED", FAIL, GENOA, OFF, prepare_no_platform, spoil_all_platform, NULL, NULL},
    {"snp.id_block", "SNP_ID_BLOCK_MISSING", FAIL, GENOA, "require_id_block: true", prepare_id_block, spoil_id_block, NULL, NULL},
    {"snp.author_key", "SNP_AUTHOR_KEY_MISSING", FAIL, GENOA, "require_author_key: true", prepare_id_block, spoil_author, NULL, NULL},
    {"snp.guest_svn", "SNP_GUEST_SVN_BELOW_MINIMUM", FAIL, GENOA, "guest_svn: {at_least: 9}", prepare_id_block, spoil_svn, NULL, NULL},
};

static void appraise_case(const struct fault_case *c, bool good, struct scene *scene)
{
    scene_begin(scene, c->product);
    scene->appraisal.settings = good || !c->bad_settings ? c->settings : c->bad_settings;
    if (c->prepare)
        c->prepare(&scene->guest);
    if (!good && c->spoil)
        c->spoil(&scene->guest);
    scene_mint(scene);
    if (!good && c->edit)
        c->edit(scene);
    scene_run(scene);
}

static void each_fault_gives_its_code_and_its_good_twin_passes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct scene scene;
        appraise_case(&cases[i], true, &scene);
        expect_all_pass(&scene.appraisal);
        scene_end(&scene);
        appraise_case(&cases[i], false, &scene);
        assert_recorded(&scene.appraisal, cases[i].check, cases[i].outcome, cases[i].code);
        /* A failed fixed check leaves nothing for a token. */
        if (attestd_engine_check(world.engine, cases[i].check)->fixed)
            assert_false(scene.appraisal.piece->authentic);
        scene_end(&scene);
    }
}

/* --- malformed --- */

static void expect_malformed(struct scene *scene, struct attestd_bytes report, struct attestd_bytes certs, const char *code)
{
    scene->appraisal.report = report;
    scene->appraisal.certs = certs;
    appraisal_run(&scene->appraisal);
    assert_int_equal(scene->appraisal.answer, ATTESTD_MALFORMED);
    assert_string_equal(scene->appraisal.piece->malformed_code, code);
    appraisal_end(&scene->appraisal);
}

static void put_entry(uint8_t *at, uint8_t first, uint32_t offset, uint32_t len)
{
    static const uint8_t vcek[16] = {0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64, 0x45, 0x64, 0xad, 0xc5, 0xf4, 0xb9, 0x3b, 0xe8, 0xac, 0xcd};
    memcpy(at, vcek, sizeof vcek);
    at[0] = first;
    for (int i = 0; i < 4; i++) {
        at[16 + i] = (uint8_t)(offset >> (8 * i));
        at[20 + i] = (uint8_t)(len >> (8 * i));
    }
}

static void what_does_not_parse_is_malformed(void **state)
{
    (void)state;
    struct scene scene;
    uint8_t body[1184 + 40], table[24 * 40] = {0};
    const struct attestd_bytes none = {NULL, 0};
    scene_begin(&scene, SIM_SNP_GENOA);
    scene_mint(&scene);
    memset(body, 0xa5, sizeof body);
    memcpy(body, scene.report, sizeof scene.report);
    const struct attestd_bytes good = {scene.report, sizeof scene.report};

    expect_malformed(&scene, (struct attestd_bytes){NULL, 0}, none, "SNP_REPORT_MISSING");
    expect_malformed(&scene, (struct attestd_bytes){body, 1183}, none, "SNP_REPORT_LENGTH");
    expect_malformed(&scene, (struct attestd_bytes){body, 1185}, none, "SNP_REPORT_LENGTH");
    expect_malformed(&scene, (struct attestd_bytes){body, sizeof body}, none, "SNP_REPORT_LENGTH");
    body[0] = 6;
    expect_malformed(&scene, (struct attestd_bytes){body, 1184}, none, "SNP_REPORT_VERSION");
    body[0] = 1;
    expect_malformed(&scene, (struct attestd_bytes){body, 1184}, none, "SNP_REPORT_VERSION");

    expect_malformed(&scene, good, (struct attestd_bytes){(const uint8_t *)"404 - Not Found", 15}, "SNP_CERTS_FORMAT");
    expect_malformed(&scene, good, (struct attestd_bytes){(const uint8_t *)"-----BEGIN CERTIFICATE-----\n!\n", 30}, "SNP_CERTS_FORMAT");
    static uint8_t large[131073];
    expect_malformed(&scene, good, (struct attestd_bytes){large, sizeof large}, "SNP_CERTS_TOO_LARGE");
    put_entry(table, 0x63, 900, 100);
    expect_malformed(&scene, good, (struct attestd_bytes){table, sizeof table}, "SNP_CERT_TABLE_BOUNDS");
    put_entry(table, 0x63, 8, 100);
    expect_malformed(&scene, good, (struct attestd_bytes){table, sizeof table}, "SNP_CERT_TABLE_OVERLAP");
    put_entry(table, 0x63, 0, 1);
    expect_malformed(&scene, good, (struct attestd_bytes){table, 24}, "SNP_CERT_TABLE_UNTERMINATED");
    put_entry(table, 0x63, 100, 8);
    put_entry(table + 24, 0x63, 200, 8);
    expect_malformed(&scene, good, (struct attestd_bytes){table, sizeof table}, "SNP_CERT_TABLE_DUPLICATE");
    put_entry(table, 0x63, 0, 1);
    for (uint32_t i = 1; i < 40; i++)
        put_entry(table + 24 * i, 0x01, i, 1);
    expect_malformed(&scene, good, (struct attestd_bytes){table, sizeof table}, "SNP_CERT_TABLE_TOO_LONG");

    scene_run(&scene); /* the twin */
    expect_all_pass(&scene.appraisal);
    scene_end(&scene);
}

static void a_part_that_nobody_knows_is_malformed(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene, SIM_SNP_GENOA);
    scene_mint(&scene);
    const struct attestd_part parts[] = {{"report", {scene.report, sizeof scene.report}}, {"quote", {scene.report, 4}}};
    const struct attestd_piece_request piece = {"cpu0", "snp", parts, 2};
    const struct attestd_request request = {.layout = "attestd-v1", .no_binding = true, .pieces = &piece, .piece_count = 1};
    struct attestd_job *job = attestd_job_new(world.engine, &request, NULL, world.anchors, NULL);
    assert_int_equal(attestd_job_run(job, NOW), ATTESTD_MALFORMED);
    scene.appraisal.job = job;
    scene.appraisal.answer = ATTESTD_MALFORMED;
    scene.appraisal.piece = &attestd_job_result(job)->pieces[0];
    assert_string_equal(scene.appraisal.piece->malformed_code, "SNP_PART_UNKNOWN");
    seen_note(&scene.appraisal);
    scene_end(&scene);
}

/* --- where endorsements come from --- */

static void a_table_that_lags_behind_the_firmware_is_passed_over(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene, SIM_SNP_GENOA);
    scene_mint(&scene);
    struct sim_snp_guest before = scene.guest;
    before.cert_tcb.microcode--;
    struct attestd_bytes right = scene.vek;
    scene.vek = scene_take(&scene, sim_snp_vek(world.vendors[SIM_SNP_GENOA], &before));
    scene_run(&scene);
    assert_recorded(&scene.appraisal, "snp.vek", ATTESTD_UNAVAILABLE, "SNP_VEK_UNAVAILABLE");
    appraisal_end(&scene.appraisal);
    shelf_put(&scene.shelf, right.data, right.len);
    appraisal_run(&scene.appraisal);
    expect_all_pass(&scene.appraisal);
    scene_end(&scene);
}

static void another_chips_certificate_from_the_vendor_is_no_fault_of_the_guest(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene, SIM_SNP_GENOA);
    scene_mint(&scene);
    struct sim_snp_guest other = scene.guest;
    other.cert_hwid[0] ^= 1;
    struct attestd_bytes wrong = scene_take(&scene, sim_snp_vek(world.vendors[SIM_SNP_GENOA], &other));
    shelf_put(&scene.shelf, wrong.data, wrong.len);
    scene.no_table = true;
    struct attestd_bytes right = scene.vek;
    scene_run(&scene); /* the right one is on the shelf, too */
    expect_all_pass(&scene.appraisal);
    appraisal_end(&scene.appraisal);

    /* Now the shelf answers the right key with the wrong certificate. */
    for (size_t i = 0; i < scene.shelf.count; i++) {
        if (scene.shelf.items[i].der.len == right.len && memcmp(scene.shelf.items[i].der.data, right.data, right.len) == 0)
            scene.shelf.items[i].der = wrong;
    }
    appraisal_run(&scene.appraisal);
    assert_recorded(&scene.appraisal, "snp.vek", ATTESTD_UNAVAILABLE, "SNP_VEK_UNAVAILABLE");
    const struct attestd_endorsement_use *uses;
    size_t count = attestd_job_endorsements(scene.appraisal.job, &uses), rejected = 0;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(uses[i].kind, "snp.vcek") == 0) {
            assert_int_equal(uses[i].state, ATTESTD_ENDORSEMENT_REJECTED);
            rejected++;
        }
    }
    assert_int_equal(rejected, 1);
    scene_end(&scene);
}

static void an_expired_enclosed_vcek_gives_way_to_its_reissue(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene, SIM_SNP_GENOA);
    scene_mint(&scene);
    shelf_put(&scene.shelf, scene.vek.data, scene.vek.len);
    scene.guest.not_after = NOW - 1;
    scene.vek = scene_take(&scene, sim_snp_vek(world.vendors[SIM_SNP_GENOA], &scene.guest));
    scene_run(&scene);
    expect_all_pass(&scene.appraisal);
    scene_end(&scene);
}

static void the_right_one_of_several_issuers_and_roots_is_found(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene, SIM_SNP_GENOA);
    scene_mint(&scene);
    /* Strangers of the same names come first. */
    struct shelf_item own[8];
    size_t count = scene.shelf.count;
    memcpy(own, scene.shelf.items, count * sizeof own[0]);
    scene.shelf.count = 0;
    put_stranger(&scene, sim_snp_ark(world.stranger));
    put_stranger(&scene, sim_snp_ask(world.stranger));
    memcpy(scene.shelf.items + scene.shelf.count, own, count * sizeof own[0]);
    scene.shelf.count += count;
    scene.no_table = true;
    scene_run(&scene);
    expect_all_pass(&scene.appraisal);
    scene_end(&scene);
}

static void nobody_is_asked_for_a_report_that_cannot_pass(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene, SIM_SNP_GENOA);
    scene.no_table = true;
    scene_mint(&scene);
    scene_run(&scene);
    expect_all_pass(&scene.appraisal);
    assert_true(scene.shelf.asked >= 4);
    assert_int_equal(scene.appraisal.runs, 2); /* all needs at once */
    appraisal_end(&scene.appraisal);
    scene.shelf.asked = 0;
    scene.report[0x2d0] = 1;
    appraisal_run(&scene.appraisal);
    assert_recorded(&scene.appraisal, "snp.reserved", ATTESTD_FAIL, "SNP_SIGNATURE_PADDING");
    assert_recorded(&scene.appraisal, "snp.vek", ATTESTD_SKIPPED, NULL);
    assert_recorded(&scene.appraisal, "snp.signature", ATTESTD_SKIPPED, NULL);
    assert_int_equal(scene.shelf.asked, 0);
    scene_end(&scene);
}

static void a_bare_version_2_report_finds_its_product(void **state)
{
    (void)state;
    for (int product = 0; product < PRODUCTS; product++) {
        struct scene scene;
        scene_begin(&scene, (enum sim_snp_product)product);
        scene.guest.version = 2;
        scene.no_table = true;
        scene.appraisal.settings = any_version;
        scene_mint(&scene);
        scene_run(&scene);
        expect_all_pass(&scene.appraisal);
        assert_string_equal((const char *)appraisal_claim(&scene.appraisal, "product")->text.data,
                            product_name((enum sim_snp_product)product));
        scene_end(&scene);
    }
}

/* --- lists of revoked certificates --- */

static void a_stale_list_passes_as_long_as_policy_says(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene, SIM_SNP_GENOA);
    scene.appraisal.settings = "revocation: {stale_for: 11d}";
    scene_mint(&scene);
    edit_stale_list(&scene);
    scene_run(&scene);
    expect_all_pass(&scene.appraisal);
    assert_string_equal((const char *)appraisal_claim(&scene.appraisal, "crl.status")->text.data, "stale");
    scene_end(&scene);
}

static void an_enclosed_list_does_not_displace_one_that_policy_still_takes(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene, SIM_SNP_GENOA);
    scene.appraisal.settings = "revocation: {stale_for: 11d}";
    scene_mint(&scene);
    struct attestd_bytes fresh = scene.list_der;
    edit_stale_list(&scene);
    shelf_put(&scene.shelf, scene.list_der.data, scene.list_der.len);
    scene.list_der = fresh;
    scene.enclose_list = true;
    scene_run(&scene);
    expect_all_pass(&scene.appraisal);
    assert_string_equal((const char *)appraisal_claim(&scene.appraisal, "crl.status")->text.data, "stale");
    scene_end(&scene);
}

static void a_vlek_confirms_no_chip(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene, SIM_SNP_GENOA);
    make_vlek(&scene.guest);
    memset(scene.guest.chip_id, 0x11, sizeof scene.guest.chip_id);
    scene_mint(&scene);
    scene_run(&scene);
    expect_all_pass(&scene.appraisal);
    assert_null(appraisal_claim(&scene.appraisal, "chip_id"));
    scene_end(&scene);
}

static void the_newest_of_several_lists_stands(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene, SIM_SNP_GENOA);
    scene_mint(&scene);
    struct attestd_bytes fresh = scene.list_der;
    edit_stale_list(&scene);
    shelf_put(&scene.shelf, scene.list_der.data, scene.list_der.len);
    scene.list_der = fresh;
    scene_run(&scene);
    expect_all_pass(&scene.appraisal);
    assert_string_equal((const char *)appraisal_claim(&scene.appraisal, "crl.status")->text.data, "fresh");
    scene_end(&scene);
}

static void a_stale_list_that_revokes_outweighs_a_fresh_one_that_does_not(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene, SIM_SNP_GENOA);
    scene_mint(&scene);
    struct attestd_bytes fresh = scene.list_der;
    edit_stale_revoking_list(&scene);
    shelf_put(&scene.shelf, scene.list_der.data, scene.list_der.len);
    scene.list_der = fresh;
    scene_run(&scene);
    assert_recorded(&scene.appraisal, "snp.not_revoked", ATTESTD_FAIL, "SNP_ASK_REVOKED");
    scene_end(&scene);
}

static void a_revoked_asvk_does_not_revoke_the_ask(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene, SIM_SNP_GENOA);
    scene.list.revoke_asvk = true;
    scene_mint(&scene);
    scene_run(&scene);
    expect_all_pass(&scene.appraisal);
    scene_end(&scene);
}

static void an_enclosed_list_counts_only_when_nobody_else_has_one(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene, SIM_SNP_GENOA);
    scene.enclose_list = true;
    scene_mint(&scene);
    scene_run(&scene);
    expect_authentic(&scene.appraisal);
    assert_recorded(&scene.appraisal, "snp.revocation", ATTESTD_PASS, NULL);
    assert_recorded(&scene.appraisal, "endorsements.source", ATTESTD_FAIL, "ENDORSEMENT_FROM_EVIDENCE");
    appraisal_end(&scene.appraisal);
    shelf_put(&scene.shelf, scene.list_der.data, scene.list_der.len);
    appraisal_run(&scene.appraisal);
    assert_recorded(&scene.appraisal, "endorsements.source", ATTESTD_PASS, NULL);
    scene_end(&scene);
}

static void with_revocation_disabled_no_list_is_asked_for(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene, SIM_SNP_GENOA);
    scene.appraisal.disabled = "snp.revocation";
    scene_mint(&scene);
    scene.list_der = (struct attestd_bytes){NULL, 0};
    scene_run(&scene);
    expect_authentic(&scene.appraisal);
    assert_recorded(&scene.appraisal, "snp.revocation", ATTESTD_UNAVAILABLE, "SNP_CRL_UNAVAILABLE");
    assert_int_equal(scene.shelf.asked, 2); /* ASK and ARK */
    scene_end(&scene);
}

/* --- settings --- */

static void what_policy_permits_is_not_recorded(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene, SIM_SNP_GENOA);
    scene.guest.policy |= 1u << 19 | 1u << 18;
    memset(scene.guest.chip_id, 0, sizeof scene.guest.chip_id);
    scene.appraisal.settings = "{guest_policy: {debug: any, migration_agent: true}, allow_masked_chip_id: true}";
    scene_mint(&scene);
    scene_run(&scene);
    expect_all_pass(&scene.appraisal);
    assert_null(appraisal_check(&scene.appraisal, "snp.debug"));
    assert_null(appraisal_check(&scene.appraisal, "snp.migration_agent"));
    assert_null(appraisal_check(&scene.appraisal, "snp.masked_chip_id"));
    assert_null(appraisal_claim(&scene.appraisal, "chip_id"));
    scene_end(&scene);
}

static void a_missing_mitigation_is_named_by_its_bit(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene, SIM_SNP_MILAN);
    scene.guest.version = 5;
    scene.guest.launch_mit_vector = scene.guest.current_mit_vector = 0xf;
    scene.appraisal.settings = "mitigations: {current: [1, 2, 4]}";
    scene_mint(&scene);
    scene_run(&scene);
    assert_recorded(&scene.appraisal, "snp.current_mitigations", ATTESTD_FAIL, "SNP_CURRENT_MITIGATION_MISSING");
    assert_string_equal(appraisal_check(&scene.appraisal, "snp.current_mitigations")->observed, "0xf, without bit 4");
    scene_end(&scene);
}

static void a_version_2_report_meets_a_floor_by_product_alone(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene, SIM_SNP_GENOA);
    scene.guest.version = 2;
    scene.appraisal.settings = "{report_version: {at_least: 2}, tcb: {floor: {Genoa: {snp: 27}, 19-11-01: {snp: 99}}}}";
    scene_mint(&scene);
    scene_run(&scene);
    expect_all_pass(&scene.appraisal);
    scene_end(&scene);
}

static void the_author_key_digest_is_a_claim_only_when_enabled(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene, SIM_SNP_GENOA);
    prepare_id_block(&scene.guest);
    scene_mint(&scene);
    scene_run(&scene);
    assert_non_null(appraisal_claim(&scene.appraisal, "author_key_digest"));
    appraisal_end(&scene.appraisal);
    scene.guest.key_info &= ~1u;
    scene_mint(&scene);
    appraisal_run(&scene.appraisal);
    assert_null(appraisal_claim(&scene.appraisal, "author_key_digest"));
    scene_end(&scene);
}

/* --- warm and cold --- */

static void warm_and_cold_runs_say_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (int good = 0; good < 2; good++) {
            struct scene scene;
            attestd_engine_memo_drop(world.engine);
            appraise_case(&cases[i], good, &scene);
            const char *cold = appraisal_json(&scene.appraisal);
            for (int again = 0; again < 2; again++) {
                appraisal_end(&scene.appraisal);
                appraisal_run(&scene.appraisal);
                assert_string_equal(cold, appraisal_json(&scene.appraisal));
            }
            scene_end(&scene);
        }
    }
}

static void a_memo_of_one_report_does_not_serve_another_product_or_key(void **state)
{
    (void)state;
    struct scene scene;
    attestd_engine_memo_drop(world.engine);
    scene_begin(&scene, SIM_SNP_GENOA);
    scene.intermediate = scene_take(&scene, sim_snp_ask(world.vendors[SIM_SNP_GENOA]));
    scene.root = scene_take(&scene, sim_snp_ark(world.vendors[SIM_SNP_GENOA]));
    scene_mint(&scene);
    scene_run(&scene);
    expect_all_pass(&scene.appraisal);
    appraisal_end(&scene.appraisal);
    scene.guest.model = 0x01; /* Milan, signed by the same key, with the same certificates */
    struct attestd_bytes report = scene_take(&scene, sim_snp_report(world.vendors[SIM_SNP_GENOA], &scene.guest));
    scene.appraisal.report = report;
    appraisal_run(&scene.appraisal);
    assert_recorded(&scene.appraisal, "snp.certificate_product", ATTESTD_FAIL, "SNP_PRODUCT_MISMATCH");
    scene_end(&scene);
}

/* --- altered bytes --- */

static void no_altered_byte_ever_passes(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene, SIM_SNP_GENOA);
    scene_mint(&scene);
    scene_run(&scene);
    expect_all_pass(&scene.appraisal);
    appraisal_end(&scene.appraisal);
    for (size_t at = 0; at < sizeof scene.report; at++) {
        uint8_t kept = scene.report[at];
        scene.report[at] = (uint8_t)(kept ^ (1u << (at % 8)));
        appraisal_run(&scene.appraisal);
        if (scene.appraisal.answer == ATTESTD_DONE && scene.appraisal.piece->authentic)
            fail_msg("byte 0x%zx altered, and still authentic", at);
        scene.report[at] = kept;
        appraisal_end(&scene.appraisal);
        if (scene.arena && at % 64 == 63) { /* what the runs allocated */
            attestd_engine_memo_drop(world.engine);
        }
    }
    appraisal_run(&scene.appraisal);
    expect_all_pass(&scene.appraisal);
    scene_end(&scene);
}

static void altered_certificate_tables_never_pass_by_accident(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene, SIM_SNP_GENOA);
    scene.intermediate = scene_take(&scene, sim_snp_ask(world.vendors[SIM_SNP_GENOA]));
    scene.root = scene_take(&scene, sim_snp_ark(world.vendors[SIM_SNP_GENOA]));
    scene_mint(&scene);
    scene.shelf.count = 0; /* the table or nothing */
    scene_run(&scene);
    expect_all_pass(&scene.appraisal);
    appraisal_end(&scene.appraisal);
    uint8_t *table = (uint8_t *)(uintptr_t)scene.appraisal.certs.data;
    for (size_t at = 0; at < scene.appraisal.certs.len; at += at < 120 ? 1 : 13) {
        table[at] ^= 0x10;
        appraisal_run(&scene.appraisal);
        /* bytes between the entries and the blobs carry nothing */
        bool passes = scene.appraisal.answer == ATTESTD_DONE && scene.appraisal.piece->authentic;
        if (passes && at < 72)
            fail_msg("entry byte %zu altered, and still authentic", at);
        table[at] ^= 0x10;
        appraisal_end(&scene.appraisal);
    }
    appraisal_run(&scene.appraisal);
    expect_all_pass(&scene.appraisal);
    scene_end(&scene);
}

/* --- the catalogue --- */

static void every_code_of_the_catalogue_was_produced(void **state)
{
    (void)state;
    const struct attestd_plugin *plugin = attestd_engine_plugin(world.engine, "snp");
    size_t missing = 0;
    for (size_t i = 0; plugin->checks[i]; i++) {
        for (const struct attestd_reason *reason = plugin->checks[i]->reasons; reason->code; reason++) {
            assert_true(strlen(reason->remedy) > 20);
            if (strstr(reason->code, "_NOT_LISTED"))
                continue; /* decided by the policy: tests/snp/listed.c */
            if (!seen(reason->code)) {
                print_error("%s of %s: no test produces it\n", reason->code, plugin->checks[i]->id);
                missing++;
            }
        }
    }
    for (const struct attestd_reason *reason = plugin->malformed; reason->code; reason++) {
        if (!seen(reason->code)) {
            print_error("%s: no test produces it\n", reason->code);
            missing++;
        }
    }
    assert_int_equal(missing, 0);
}

static void the_documentation_names_every_check_and_code(void **state)
{
    (void)state;
    const struct attestd_plugin *plugin = attestd_engine_plugin(world.engine, "snp");
    const char *source = getenv("ATTESTD_SOURCE");
    char path[4096], error[256], quoted[64];
    struct attestd_arena *arena = attestd_arena_new();
    struct attestd_bytes page;
    snprintf(path, sizeof path, "%s/docs/evidence/snp.md", source ? source : ".");
    if (!attestd_file_read(arena, path, 1 << 20, &page, error, sizeof error))
        fail_msg("%s", error);
    const char *text = (const char *)attestd_arena_bytes(arena, page.data, page.len).data;
    for (size_t i = 0; plugin->checks[i]; i++) {
        for (const struct attestd_reason *reason = plugin->checks[i]->reasons; reason->code; reason++) {
            snprintf(quoted, sizeof quoted, "`%s`", reason->code);
            if (!strstr(text, quoted))
                fail_msg("%s is not in docs/evidence/snp.md", reason->code);
        }
        snprintf(quoted, sizeof quoted, "| `%s` | ", plugin->checks[i]->id);
        if (!strstr(text, quoted))
            fail_msg("%s is not in docs/evidence/snp.md", plugin->checks[i]->id);
    }
    for (const struct attestd_reason *reason = plugin->malformed; reason->code; reason++) {
        if (!strstr(text, reason->code))
            fail_msg("%s is not in docs/evidence/snp.md", reason->code);
    }
    attestd_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_reports_of_every_product_version_and_key_pass),
        cmocka_unit_test(every_form_of_enclosed_certificates_is_read),
        cmocka_unit_test(hwid_as_an_octet_string_is_read_as_well),
        cmocka_unit_test(a_first_byte_of_hwid_is_never_a_tag),
        cmocka_unit_test(unknown_platform_bits_are_a_claim_and_no_failure),
        cmocka_unit_test(each_fault_gives_its_code_and_its_good_twin_passes),
        cmocka_unit_test(what_does_not_parse_is_malformed),
        cmocka_unit_test(a_part_that_nobody_knows_is_malformed),
        cmocka_unit_test(a_table_that_lags_behind_the_firmware_is_passed_over),
        cmocka_unit_test(another_chips_certificate_from_the_vendor_is_no_fault_of_the_guest),
        cmocka_unit_test(an_expired_enclosed_vcek_gives_way_to_its_reissue),
        cmocka_unit_test(the_right_one_of_several_issuers_and_roots_is_found),
        cmocka_unit_test(nobody_is_asked_for_a_report_that_cannot_pass),
        cmocka_unit_test(a_bare_version_2_report_finds_its_product),
        cmocka_unit_test(a_stale_list_passes_as_long_as_policy_says),
        cmocka_unit_test(an_enclosed_list_does_not_displace_one_that_policy_still_takes),
        cmocka_unit_test(a_vlek_confirms_no_chip),
        cmocka_unit_test(the_newest_of_several_lists_stands),
        cmocka_unit_test(a_stale_list_that_revokes_outweighs_a_fresh_one_that_does_not),
        cmocka_unit_test(a_revoked_asvk_does_not_revoke_the_ask),
        cmocka_unit_test(an_enclosed_list_counts_only_when_nobody_else_has_one),
        cmocka_unit_test(with_revocation_disabled_no_list_is_asked_for),
        cmocka_unit_test(what_policy_permits_is_not_recorded),
        cmocka_unit_test(a_missing_mitigation_is_named_by_its_bit),
        cmocka_unit_test(a_version_2_report_meets_a_floor_by_product_alone),
        cmocka_unit_test(the_author_key_digest_is_a_claim_only_when_enabled),
        cmocka_unit_test(warm_and_cold_runs_say_the_same),
        cmocka_unit_test(a_memo_of_one_report_does_not_serve_another_product_or_key),
        cmocka_unit_test(no_altered_byte_ever_passes),
        cmocka_unit_test(altered_certificate_tables_never_pass_by_accident),
        cmocka_unit_test(every_code_of_the_catalogue_was_produced),
        cmocka_unit_test(the_documentation_names_every_check_and_code),
    };
    return cmocka_run_group_tests(tests, world_begin, world_end);
}
