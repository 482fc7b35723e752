/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TCB info and enclave identities: what Intel says of platforms, TDX modules and quoting enclaves (PCS API version 4), as structs, and
 * Intel's algorithm that finds the level of a platform in them.
 */
#ifndef TDX_TCB_INFO_H
#define TDX_TCB_INFO_H

#include "certificates.h"
#include "layout.h"

/* Intel's words. TD_RELAUNCH are of the verifier, never of a list. */
enum dcap_status {
    DCAP_UP_TO_DATE,
    DCAP_SW_HARDENING_NEEDED,
    DCAP_CONFIGURATION_NEEDED,
    DCAP_CONFIGURATION_AND_SW_HARDENING_NEEDED,
    DCAP_RELAUNCH_ADVISED,
    DCAP_RELAUNCH_ADVISED_CONFIGURATION_NEEDED,
    DCAP_OUT_OF_DATE,
    DCAP_OUT_OF_DATE_CONFIGURATION_NEEDED,
    DCAP_REVOKED,
    DCAP_NOT_SUPPORTED,
    DCAP_STATUS_COUNT
};
const char *dcap_status_name(enum dcap_status status);

#define DCAP_ADVISORIES_MAX 64u /* of one level, and of a result */

struct dcap_advisories {
    const char **names;
    size_t count;
};

struct dcap_level {
    uint16_t sgx[16], tdx[16], pcesvn;
    uint32_t isvsvn; /* of module and enclave levels */
    enum dcap_status status;
    int64_t date;
    struct dcap_advisories advisories;
};

struct dcap_levels {
    struct dcap_level *items; /* highest first, whatever the order of the JSON */
    size_t count;
};

/* tdxModule (major 0) and each of tdxModuleIdentities ("TDX_03": major 3). */
struct dcap_module {
    int major;
    uint8_t mrsigner[48], attributes[8], attributes_mask[8];
    struct dcap_levels levels;
};

struct dcap_tcb_info {
    struct attestd_arena *arena;
    int64_t version, evaluation_number, issue_date, next_update;
    uint32_t tee; /* enum dcap_tee; UINT32_MAX: another word */
    uint8_t fmspc[6], pceid[2];
    struct dcap_levels levels;
    struct dcap_module *modules;
    size_t module_count;
};

struct dcap_identity {
    struct attestd_arena *arena;
    int64_t version, evaluation_number, issue_date, next_update;
    char id[8]; /* "td_qe", "qe", "qve", "qae" */
    uint32_t miscselect, miscselect_mask;
    uint8_t attributes[16], attributes_mask[16], mrsigner[32];
    int64_t prod_id;
    struct dcap_levels levels;
};

/* Strict and bounded: nesting at most 8, 1 MiB, at most 512 levels. NULL when it is none. */
struct dcap_tcb_info *dcap_tcb_info_read(struct attestd_bytes json);
void dcap_tcb_info_free(struct dcap_tcb_info *);
struct dcap_identity *dcap_identity_read(struct attestd_bytes json);
void dcap_identity_free(struct dcap_identity *);

/* "tdx/b0c06f000000" */
void dcap_tcb_info_key(char key[DCAP_KEY_SIZE], uint32_t tee, const uint8_t fmspc[6]);

/* The level of a platform; NULL: none, the platform is not supported. tee_tcb_svn is NULL for SGX. */
const struct dcap_level *dcap_platform_level(const struct dcap_tcb_info *, const struct dcap_pck *, const uint8_t *tee_tcb_svn);
/* The first level at or below an SVN; NULL: none. */
const struct dcap_level *dcap_svn_level(const struct dcap_levels *, uint32_t svn);
/* The module that the SVNs name; NULL: this list knows none. */
const struct dcap_module *dcap_module_of(const struct dcap_tcb_info *, const uint8_t *tee_tcb_svn);
/* A platform's status, made worse by that of a module or QE. */
enum dcap_status dcap_converge(enum dcap_status platform, enum dcap_status component);
/* Launch and current status to one (TDX 1.5 alone). */
enum dcap_status dcap_relaunch(enum dcap_status launch, enum dcap_status current);

#endif
