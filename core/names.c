/* SPDX-License-Identifier: Apache-2.0 */
/* The words of results, as they stand in JSON and tokens. */
#include "core/result.h"

const char *attestd_verdict_name(enum attestd_verdict verdict)
{
    switch (verdict) {
    case ATTESTD_AFFIRMING:
        return "affirming";
    case ATTESTD_WARNING:
        return "warning";
    default:
        return "contraindicated";
    }
}

const char *attestd_outcome_name(int outcome)
{
    static const char *const names[] = {"pass", "fail", "skipped", "unavailable"};

    return outcome >= ATTESTD_PASS && outcome <= ATTESTD_UNAVAILABLE ? names[outcome] : "fail";
}

const char *attestd_mode_name(int mode)
{
    static const char *const names[] = {"strict", "warn", "disabled"};

    return mode >= ATTESTD_STRICT && mode <= ATTESTD_DISABLED ? names[mode] : "strict";
}

/* draft-ietf-rats-ar4si, section 2.3 */
const char *attestd_trust_claim_name(int claim)
{
    static const char *const names[ATTESTD_TRUST_CLAIMS] = {
        "instance-identity", "configuration", "executables", "file-system", "hardware", "runtime-opaque", "storage-opaque", "sourced-data",
    };

    return claim >= 0 && claim < ATTESTD_TRUST_CLAIMS ? names[claim] : "none";
}
