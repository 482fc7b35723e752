/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON Schema of the section. Hyphenated members are for the policy compiler: `x-attestd-checks`, the checks that a group configures;
 * `x-attestd-claim` and `x-attestd-check`, the claim that is compared with a list or set, and the check that says so. */
#include "settings.h"

/* clang-format off */
#define SAYS(text) "\"description\":\"" text "\""
#define BOOLEAN "{\"type\":\"boolean\"},{\"type\":\"string\",\"enum\":[\"any\"]}"
#define ID(check) "\"" DCAP_NAME "." check "\""

#define MODE \
    "\"mode\":{\"type\":\"string\",\"enum\":[\"strict\",\"warn\",\"disabled\"]," SAYS("How a failure counts.") "}," \
    "\"until\":{\"type\":\"string\",\"format\":\"time\"," SAYS("End of the exception: after it the mode is strict again.") "}," \
    "\"reason\":{\"type\":\"string\"," SAYS("Why the exception exists.") "}," \
    "\"owner\":{\"type\":\"string\"," SAYS("Who answers for the exception.") "}"
#define OBJECT(members) "\"type\":\"object\",\"additionalProperties\":false,\"properties\":{" members "}"
#define GROUP(name, checks, text, members) \
    "\"" name "\":{\"x-attestd-checks\":[" checks "]," SAYS(text) "," OBJECT(members MODE) "}"
#define FLAG(name, check, text) \
    "\"" name "\":{\"x-attestd-checks\":[" ID(check) "]," SAYS(text) ",\"oneOf\":[" BOOLEAN "," \
    "{" OBJECT("\"value\":{" SAYS(text) ",\"oneOf\":[" BOOLEAN "]}," MODE) "}]}"
#define LISTED_AT(name, claim, digits, text) \
    "\"" name "\":{\"x-attestd-claim\":\"" claim "\",\"x-attestd-check\":" ID(claim) "," SAYS(text) ",\"oneOf\":[" \
    "{\"type\":\"array\",\"minItems\":1,\"items\":{\"type\":\"string\",\"format\":\"hex\",\"pattern\":\"^[0-9A-Fa-f]{" digits "}$\"}}," \
    "{" OBJECT("\"in\":{\"type\":\"string\"," SAYS("Name of the reference set.") "}," MODE) "}]}"
#define LISTED(name, digits, text) LISTED_AT(name, name, digits, text)
#define ARRAY(name, items, text) "\"" name "\":{\"type\":\"array\"," SAYS(text) ",\"items\":{" items "}}"
#define NUMBER(name, least, most, text) "\"" name "\":{\"type\":\"integer\",\"minimum\":" least ",\"maximum\":" most "," SAYS(text) "}"
#define ADVISORY "\"type\":\"string\",\"pattern\":\"^[A-Za-z0-9._-]{1,32}$\""
#define STATUS(name) \
    "\"" name "\":{\"oneOf\":[{\"type\":\"string\",\"enum\":[\"pass\",\"warn\",\"fail\"]}," \
    "{" OBJECT("\"warn_until\":{\"type\":\"string\",\"format\":\"time\"," SAYS("Warn until then, fail after it.") "}") "}]}"

#ifdef DCAP_SGX
#define RELAUNCH
#define TCB_CHECKS ID("tcb.status") "," ID("platform.tcb") "," ID("qe_identity.tcb") "," ID("tcb.date") "," ID("tcb.advisories") "," \
    ID("tcb.evaluation_number")
#else
#define RELAUNCH "," STATUS("TDRelaunchAdvised") "," STATUS("TDRelaunchAdvisedConfigurationNeeded")
#define TCB_CHECKS ID("tcb.status") "," ID("platform.tcb") "," ID("module.tcb") "," ID("qe_identity.tcb") "," ID("tcb.date") "," \
    ID("tcb.advisories") "," ID("tcb.evaluation_number")
#endif

#define STATUSES STATUS("UpToDate") "," STATUS("SWHardeningNeeded") "," STATUS("ConfigurationNeeded") "," \
    STATUS("ConfigurationAndSWHardeningNeeded") "," STATUS("OutOfDate") "," STATUS("OutOfDateConfigurationNeeded") "," \
    STATUS("Revoked") "," STATUS("NotSupported") RELAUNCH

#define TCB GROUP("tcb", TCB_CHECKS, "Security level of the platform.", \
    "\"status\":{" SAYS("What each status of Intel counts for; only UpToDate passes when it is not given.") "," OBJECT(STATUSES) "}," \
    "\"date_at_least\":{\"type\":\"string\",\"format\":\"time\"," SAYS("Least TCB date.") "}," \
    NUMBER("evaluation_number_at_least", "0", "1000000", "Least evaluation number of TCB info and QE identity.") "," \
    "\"advisories\":{" SAYS("Advisories that may be open.") "," OBJECT( \
        ARRAY("allow", ADVISORY, "Only these may be open.") "," ARRAY("deny", ADVISORY, "These may not be open.")) "},")
#define COLLATERAL "\"collateral\":{" SAYS("Intel's lists.") "," OBJECT( \
    "\"stale_for\":{\"type\":\"string\",\"format\":\"duration\"," SAYS("How long after its nextUpdate a list still serves; 0 when it is not given.") "}") "}"
#define PLATFORMS \
    LISTED("fmspc", "12", "Families of platforms that are allowed, by FMSPC.") "," \
    LISTED("ppid", "32", "Processors that are allowed, by PPID.") "," \
    LISTED("piid", "32", "Platforms that are allowed, by platform instance id.")

#ifdef DCAP_SGX
const char dcap_policy_schema[] = "{" SAYS("What a quote of an SGX enclave must say.") "," OBJECT(
    LISTED("mrenclave", "64", "Enclaves that are allowed.") ","
    LISTED("mrsigner", "64", "Signers of enclaves that are allowed.") ","
    GROUP("isv_prod_id", ID("isv_prod_id"), "Products that are allowed.",
        ARRAY("allow", "\"type\":\"integer\",\"minimum\":0,\"maximum\":65535", "Values of ISVPRODID.") ",") ","
    GROUP("isv_svn", ID("isv_svn"), "Least security version of the enclave.", NUMBER("at_least", "0", "65535", "ISVSVN.") ",") ","
    FLAG("debug", "debug", "true: the enclave may be a debug one; false when it is not given.") ","
    PLATFORMS "," TCB "," COLLATERAL) "}";
#else
const char dcap_policy_schema[] = "{" SAYS("What a quote of an Intel TDX trust domain must say.") "," OBJECT(
    LISTED("mrtd", "96", "Initial contents of guests that are allowed.") ","
    LISTED("rtmr0", "96", "Values of RTMR0 that are allowed: firmware and its configuration.") ","
    LISTED("rtmr1", "96", "Values of RTMR1 that are allowed: boot loader and kernel.") ","
    LISTED("rtmr2", "96", "Values of RTMR2 that are allowed: command line and initial file system.") ","
    LISTED("rtmr3", "96", "Values of RTMR3 that are allowed: what the guest extends itself.") ","
    LISTED("mrseam", "96", "TDX modules that are allowed.") ","
    LISTED("mrconfigid", "96", "Values of MRCONFIGID that are allowed.") ","
    LISTED("mrowner", "96", "Values of MROWNER that are allowed.") ","
    LISTED("mrownerconfig", "96", "Values of MROWNERCONFIG that are allowed.") ","
    LISTED("mrservicetd", "96", "Values of MRSERVICETD that are allowed.") ","
    "\"attributes\":{" SAYS("Attributes of the guest.") "," OBJECT(
        FLAG("debug", "debug", "true: the host may debug the guest; false when it is not given.") ","
        FLAG("sept_ve_disable", "sept_ve_disable", "true: the guest must set it; not looked at when it is not given.") ","
        FLAG("migratable", "migratable", "true: the guest may be migrated; false when it is not given.") ","
        FLAG("service_td", "service_td", "true: a service TD may be bound to the guest; false when it is not given.") ","
        FLAG("perfmon", "perfmon", "false: the guest may not use performance counters; not looked at when it is not given.")) "},"
    GROUP("event_log", ID("event_log") "," ID("event_log.rtmr0") "," ID("event_log.rtmr1") "," ID("event_log.rtmr2") "," ID("event_log.rtmr3"),
        "Replay of the event log into the RTMRs.",
        "\"required\":{\"type\":\"boolean\"," SAYS("true: the log must be sent.") "},") ","
    PLATFORMS "," TCB "," COLLATERAL) "}";
#endif
