/* SPDX-License-Identifier: Apache-2.0 */
/* A good TDX or SGX guest on a well-kept platform, what Intel says of it, and the same platform at any other status. */
#include "sdk/simulator/tdx.h"

#include <openssl/evp.h>
#include <string.h>
#include <time.h>

#define DAY INT64_C(86400)
#define NEW_YEAR_2026 INT64_C(1767225600)
#define TCB_DATE INT64_C(1747180800)     /* 2025-05-14 */
#define OLD_TCB_DATE INT64_C(1710288000) /* 2024-03-13 */

/* What the quoting enclaves of Intel carry (facts of the field: 939a7233..., DC9E2A7C..., 8C4F5775...). */
static const uint8_t intel_qe_vendor[16] = {0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9, 0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07};
static const uint8_t td_qe_signer[32] = {0xdc, 0x9e, 0x2a, 0x7c, 0x6f, 0x94, 0x8f, 0x17, 0x47, 0x4e, 0x34, 0xa7, 0xfc, 0x43, 0xed, 0x03,
                                         0x0f, 0x7c, 0x15, 0x63, 0xf1, 0xba, 0xbd, 0xdf, 0x63, 0x40, 0xc8, 0x2e, 0x0e, 0x54, 0xa8, 0xc5};
static const uint8_t sgx_qe_signer[32] = {0x8c, 0x4f, 0x57, 0x75, 0xd7, 0x96, 0x50, 0x3e, 0x96, 0x13, 0x7f, 0x77, 0xc6, 0x8a, 0x82, 0x9a,
                                          0x00, 0x56, 0xac, 0x8d, 0xed, 0x70, 0x14, 0x0b, 0x08, 0x1b, 0x09, 0x44, 0x90, 0xc5, 0x7b, 0xff};
static const uint8_t platform_tcb[16] = {3, 3, 2, 2, 4, 1, 0, 5};
enum { PCESVN = 13, MODULE_MAJOR = 1, MODULE_SVN = 5, LATE_MICROCODE = 2, TD_QE_SVN = 4, SGX_QE_SVN = 8, EVALUATION_NUMBER = 19 };

/* Recognisable bytes: the start of SHA-512 over the text, then zeros. */
static void fill(uint8_t *out, size_t len, const char *text)
{
    uint8_t digest[64];
    if (EVP_Digest(text, strlen(text), digest, NULL, EVP_sha512(), NULL) == 1) {
        memcpy(out, digest, len < sizeof digest ? len : sizeof digest);
    }
}

static void good_td(struct sim_tdx_guest *guest)
{
    guest->tee_tcb_svn[0] = guest->tee_tcb_svn2[0] = MODULE_SVN;
    guest->tee_tcb_svn[1] = guest->tee_tcb_svn2[1] = MODULE_MAJOR;
    guest->tee_tcb_svn[2] = guest->tee_tcb_svn2[2] = LATE_MICROCODE;
    guest->td_attributes[3] = 0x10; /* SEPT_VE_DISABLE */
    guest->xfam[0] = 0xe7;
    guest->xfam[1] = 0x02;
    guest->xfam[2] = 0x06;
    fill(guest->mrseam, sizeof guest->mrseam, "simulated TDX module");
    fill(guest->mrtd, sizeof guest->mrtd, "simulated MRTD");
    for (size_t i = 0; i < 3; i++) {
        fill(guest->rtmr[i], sizeof guest->rtmr[i], (const char *[]){"simulated RTMR0", "simulated RTMR1", "simulated RTMR2"}[i]);
    }
}

static void good_enclave(struct sim_tdx_enclave *enclave)
{
    memcpy(enclave->cpusvn, platform_tcb, sizeof enclave->cpusvn);
    enclave->attributes[0] = 0x05; /* INIT, MODE64BIT */
    enclave->attributes[8] = 0xe7;
    fill(enclave->mrenclave, sizeof enclave->mrenclave, "simulated enclave");
    fill(enclave->mrsigner, sizeof enclave->mrsigner, "simulated signer");
    enclave->prod_id = 1;
    enclave->svn = 1;
}

static void good_qe(struct sim_tdx_guest *guest)
{
    struct sim_tdx_enclave *qe = &guest->qe;
    memcpy(qe->cpusvn, platform_tcb, sizeof qe->cpusvn);
    qe->attributes[0] = 0x15; /* INIT, MODE64BIT, PROVISIONKEY */
    qe->attributes[8] = 0xe7;
    fill(qe->mrenclave, sizeof qe->mrenclave, "simulated quoting enclave");
    memcpy(qe->mrsigner, guest->sgx ? sgx_qe_signer : td_qe_signer, sizeof qe->mrsigner);
    qe->prod_id = guest->sgx ? 1 : 2;
    qe->svn = guest->sgx ? SGX_QE_SVN : TD_QE_SVN;
    guest->qe_auth_len = 32;
    for (uint8_t i = 0; i < 32; i++) {
        guest->qe_auth[i] = i;
    }
}

static void good_guest(struct sim_tdx_guest *guest, unsigned version, bool sgx)
{
    *guest = (struct sim_tdx_guest){.version = (uint16_t)version,
                                    .key_type = 2,
                                    .sgx = sgx,
                                    .tee_type = sgx ? 0 : 0x81,
                                    .body_type = sgx ? 1 : 3,
                                    .outer_type = 6,
                                    .certification_type = 5,
                                    .certification_nul = 1};
    memcpy(guest->qe_vendor_id, intel_qe_vendor, sizeof guest->qe_vendor_id);
    fill(guest->user_data, 16, "simulated QE ID");
    if (version == 3) {
        guest->header_qe_svn = SGX_QE_SVN;
        guest->header_pce_svn = PCESVN;
    }
    good_td(guest);
    good_enclave(&guest->enclave);
    good_qe(guest);
}

static void good_pck(struct sim_tdx_pck *pck)
{
    *pck = (struct sim_tdx_pck){.fmspc = {0xb0, 0xc0, 0x6f},
                                .pcesvn = PCESVN,
                                .sgx_type = 1,
                                .dynamic_platform = 1,
                                .cached_keys = 1,
                                .smt = 1,
                                .not_before = NEW_YEAR_2026,
                                .not_after = NEW_YEAR_2026 + 7 * 365 * DAY};
    memcpy(pck->components, platform_tcb, sizeof pck->components);
    memcpy(pck->cpusvn, platform_tcb, sizeof pck->cpusvn);
    fill(pck->ppid, sizeof pck->ppid, "simulated PPID");
    fill(pck->platform_instance, sizeof pck->platform_instance, "simulated platform");
}

static struct sim_tdx_level platform_level(const struct sim_tdx_scene *scene, const uint8_t tdx[16])
{
    struct sim_tdx_level level = {.pcesvn = scene->pck.pcesvn, .date = TCB_DATE, .status = "UpToDate"};
    memcpy(level.sgx, scene->pck.components, sizeof level.sgx);
    memcpy(level.tdx, tdx, sizeof level.tdx);
    if (tdx[1]) { /* the module has an identity of its own: SVNs 0 and 1 are compared there (PCS API, tdxtcbcomponents) */
        level.tdx[0] = level.tdx[1] = 0;
    }
    return level;
}

static void make_old(struct sim_tdx_level *level)
{
    level->sgx[0] = (uint8_t)(level->sgx[0] ? level->sgx[0] - 1 : 0);
    level->date = OLD_TCB_DATE;
    strcpy(level->status, "OutOfDate");
    strcpy(level->advisories, "INTEL-SA-01036,INTEL-SA-01079");
}

static struct sim_tdx_levels isv_levels(uint16_t svn, const char *advisory)
{
    struct sim_tdx_levels levels = {.count = svn > 1 ? 2 : 1};
    levels.items[0] = (struct sim_tdx_level){.isvsvn = svn, .date = TCB_DATE, .status = "UpToDate"};
    levels.items[1] = (struct sim_tdx_level){.isvsvn = (uint16_t)(svn - (svn > 1)), .date = OLD_TCB_DATE, .status = "OutOfDate"};
    strcpy(levels.items[1].advisories, advisory);
    return levels;
}

static void good_tcb_info(struct sim_tdx_scene *scene, int64_t today)
{
    struct sim_tdx_tcb_info *info = &scene->tcb_info;
    *info = (struct sim_tdx_tcb_info){
        .version = 3, .evaluation_number = EVALUATION_NUMBER, .issue_date = today, .next_update = today + 30 * DAY};
    strcpy(info->id, scene->guest.sgx ? "SGX" : "TDX");
    memcpy(info->fmspc, scene->pck.fmspc, sizeof info->fmspc);
    memcpy(info->pceid, scene->pck.pceid, sizeof info->pceid);
    memset(info->module_mask, 0xff, sizeof info->module_mask);
    info->module_major = scene->guest.tee_tcb_svn[1];
    info->levels.count = 2;
    info->levels.items[0] = info->levels.items[1] = platform_level(scene, scene->guest.tee_tcb_svn);
    make_old(&info->levels.items[1]);
    info->module_levels = isv_levels(scene->guest.tee_tcb_svn[0], "INTEL-SA-01099");
}

static void good_identity(struct sim_tdx_scene *scene, int64_t today)
{
    struct sim_tdx_identity *identity = &scene->identity;
    *identity = (struct sim_tdx_identity){.version = 2,
                                          .evaluation_number = EVALUATION_NUMBER,
                                          .issue_date = today,
                                          .next_update = today + 30 * DAY,
                                          .miscselect_mask = UINT32_MAX,
                                          .attributes = {0x11},
                                          .attributes_mask = {0xfb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
                                          .prod_id = scene->guest.qe.prod_id};
    strcpy(identity->id, scene->guest.sgx ? "QE" : "TD_QE");
    memcpy(identity->mrsigner, scene->guest.qe.mrsigner, sizeof identity->mrsigner);
    identity->levels = isv_levels(scene->guest.qe.svn, "INTEL-SA-00615");
}

void sim_tdx_scene_default(struct sim_tdx_scene *scene, unsigned version, bool sgx)
{
    int64_t today = (int64_t)time(NULL) / DAY * DAY;
    memset(scene, 0, sizeof *scene); /* two scenes can be compared as bytes */
    good_guest(&scene->guest, version, sgx || version == 3);
    good_pck(&scene->pck);
    good_tcb_info(scene, today);
    good_identity(scene, today);
    scene->pck_crl = (struct sim_tdx_crl){.this_update = today, .next_update = today + 30 * DAY, .number = 1};
    scene->root_crl = (struct sim_tdx_crl){.this_update = today, .next_update = today + 365 * DAY, .number = 1};
}

/* --- Statuses --- */

static const char *const words[] = {"UpToDate",
                                    "SWHardeningNeeded",
                                    "ConfigurationNeeded",
                                    "ConfigurationAndSWHardeningNeeded",
                                    "OutOfDate",
                                    "OutOfDateConfigurationNeeded",
                                    "Revoked",
                                    "NotSupported"};

static bool is_word(const char *status)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(words[i], status) == 0) {
            return true;
        }
    }
    return false;
}

/* at is the level of the guest; newer is one above it. */
static void spread(struct sim_tdx_levels *levels, const struct sim_tdx_level *newer, struct sim_tdx_level at, const char *status)
{
    bool good = strcmp(status, "UpToDate") == 0, none = strcmp(status, "NotSupported") == 0;
    memset(levels, 0, sizeof *levels);
    if (!good) {
        levels->items[levels->count++] = *newer;
    }
    if (none) {
        return;
    }
    strcpy(at.status, status);
    if (!good) {
        at.date = OLD_TCB_DATE;
        strcpy(at.advisories, "INTEL-SA-01036,INTEL-SA-01079");
    }
    levels->items[levels->count++] = at;
}

static void spread_isv(struct sim_tdx_levels *levels, uint16_t svn, const char *status)
{
    struct sim_tdx_level at = {.isvsvn = svn, .date = TCB_DATE}, newer = at;
    newer.isvsvn++;
    strcpy(newer.status, "UpToDate");
    spread(levels, &newer, at, status);
}

/* Launched under an older SEAM loader than runs now: the level of the launch is out of date, the one of now is not. */
static bool relaunch(struct sim_tdx_scene *scene, const char *now)
{
    if (scene->guest.version < 5 || scene->guest.sgx || scene->guest.tee_tcb_svn2[2] == 0) {
        return false;
    }
    struct sim_tdx_levels *levels = &scene->tcb_info.levels;
    scene->guest.tee_tcb_svn[2] = (uint8_t)(scene->guest.tee_tcb_svn2[2] - 1);
    memset(levels, 0, sizeof *levels);
    levels->count = 2;
    levels->items[0] = platform_level(scene, scene->guest.tee_tcb_svn2);
    strcpy(levels->items[0].status, now);
    levels->items[1] = platform_level(scene, scene->guest.tee_tcb_svn);
    strcpy(levels->items[1].status, "OutOfDate");
    levels->items[1].date = OLD_TCB_DATE;
    strcpy(levels->items[1].advisories, "INTEL-SA-01036");
    return true;
}

static bool set_platform(struct sim_tdx_scene *scene, const char *status)
{
    if (strcmp(status, "TDRelaunchAdvised") == 0) {
        return relaunch(scene, "UpToDate");
    }
    if (strcmp(status, "TDRelaunchAdvisedConfigurationNeeded") == 0) {
        return relaunch(scene, "ConfigurationNeeded");
    }
    if (!is_word(status)) {
        return false;
    }
    struct sim_tdx_level at = platform_level(scene, scene->guest.tee_tcb_svn), newer = at;
    newer.sgx[0]++;
    spread(&scene->tcb_info.levels, &newer, at, status);
    return true;
}

bool sim_tdx_set_status(struct sim_tdx_scene *scene, const char *platform, const char *module, const char *qe)
{
    if ((module && !is_word(module)) || (qe && !is_word(qe)) || (platform && !set_platform(scene, platform))) {
        return false;
    }
    if (module) {
        spread_isv(&scene->tcb_info.module_levels, scene->guest.tee_tcb_svn[0], module);
    }
    if (qe) {
        spread_isv(&scene->identity.levels, scene->guest.qe.svn, qe);
    }
    return true;
}
