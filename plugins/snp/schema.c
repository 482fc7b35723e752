/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON Schema of the `snp:` section. Hyphenated members are for the policy compiler: `x-attestd-checks`, the checks that a group
 * configures; `x-attestd-claim` and `x-attestd-check`, the claim that is compared with a list or set, and the check that says so. */
#include "settings.h"

/* clang-format off */
#define SAYS(text) "\"description\":\"" text "\""
#define BOOLEAN "{\"type\":\"boolean\"},{\"type\":\"string\",\"enum\":[\"any\"]}"

/* Members that every group may have: how its checks count, and of an exception until when, why and whose. */
#define MODE \
    "\"mode\":{\"type\":\"string\",\"enum\":[\"strict\",\"warn\",\"disabled\"]," SAYS("How a failure counts.") "}," \
    "\"until\":{\"type\":\"string\",\"format\":\"time\"," SAYS("End of the exception: after it the mode is strict again.") "}," \
    "\"reason\":{\"type\":\"string\"," SAYS("Why the exception exists.") "}," \
    "\"owner\":{\"type\":\"string\"," SAYS("Who answers for the exception.") "}"
#define OBJECT(members) "\"type\":\"object\",\"additionalProperties\":false,\"properties\":{" members "}"
#define GROUP(name, checks, text, members) \
    "\"" name "\":{\"x-attestd-checks\":[" checks "]," SAYS(text) "," OBJECT(members MODE) "}"

/* true, false, any; or the same with a mode of its own. */
#define FLAG(name, check, text) \
    "\"" name "\":{\"x-attestd-checks\":[\"snp." check "\"]," SAYS(text) ",\"oneOf\":[" BOOLEAN "," \
    "{" OBJECT("\"value\":{" SAYS(text) ",\"oneOf\":[" BOOLEAN "]}," MODE) "}]}"

/* A claim that must be one of a list of hex values, or of a reference set. */
#define LISTED(name, digits, text) LISTED_WITH(name, digits, text, "")
/* The same for what the host chooses at launch: a match is demanded, but says nothing of the software. */
#define LISTED_ASIDE(name, digits, text) LISTED_WITH(name, digits, text, "\"x-attestd-reference\":false,")
#define LISTED_WITH(name, digits, text, more) \
    "\"" name "\":{" more "\"x-attestd-claim\":\"" name "\",\"x-attestd-check\":\"snp." name "\"," SAYS(text) ",\"oneOf\":[" \
    "{\"type\":\"array\",\"minItems\":1,\"items\":{\"type\":\"string\",\"format\":\"hex\",\"pattern\":\"^[0-9A-Fa-f]{" digits "}$\"}}," \
    "{" OBJECT("\"in\":{\"type\":\"string\"," SAYS("Name of the reference set.") "}," MODE) "}]}"

#define ARRAY(name, items, text) "\"" name "\":{\"type\":\"array\"," SAYS(text) ",\"items\":{" items "}}"
#define NUMBER(name, least, most, text) "\"" name "\":{\"type\":\"integer\",\"minimum\":" least ",\"maximum\":" most "," SAYS(text) "}"
#define VERSION(name, text) \
    "\"" name "\":{\"type\":\"string\",\"format\":\"version\",\"pattern\":\"^[0-9]{1,3}(\\\\.[0-9]{1,3}){0,2}$\"," SAYS(text) "}"
#define WORDS(words) "\"type\":\"string\",\"enum\":[" words "]"
#define BIT "\"type\":\"integer\",\"minimum\":0,\"maximum\":63"

#define COMPONENTS "{" OBJECT( \
    NUMBER("fmc", "0", "255", "FMC; Turin only.") "," NUMBER("bootloader", "0", "255", "PSP boot loader.") "," \
    NUMBER("tee", "0", "255", "PSP operating system.") "," NUMBER("snp", "0", "255", "SEV-SNP firmware.") "," \
    NUMBER("microcode", "0", "255", "Lowest microcode of all cores; its numbers are per stepping.")) "}"
#define FLOOR(name, text) \
    "\"" name "\":{" SAYS(text) "," OBJECT("\"Milan\":" COMPONENTS ",\"Genoa\":" COMPONENTS ",\"Turin\":" COMPONENTS) "," \
    "\"patternProperties\":{\"^[0-9a-f]{2}-[0-9a-f]{2}-[0-9a-f]{2}$\":" COMPONENTS "}}"
#define PRODUCTS WORDS("\"Milan\",\"Genoa\",\"Turin\"")

const char snp_policy_schema[] = "{" SAYS("What an AMD SEV-SNP report must say.") "," OBJECT(
    GROUP("report_version", "\"snp.report_version\"", "Least version of the report.",
        NUMBER("at_least", "2", "5", "2 to 5; 3 when it is not given.") ",") ","
    "\"products\":{\"x-attestd-checks\":[\"snp.products\"]," SAYS("Products that are allowed; all of them when it is not given.")
        ",\"oneOf\":[{\"type\":\"array\",\"items\":{" PRODUCTS "}},"
        "{" OBJECT(ARRAY("allow", PRODUCTS, "Products that are allowed.") "," MODE) "}]},"

    LISTED("measurement", "96", "Launch measurements that are allowed.") ","
    LISTED_ASIDE("host_data", "64", "Values of HOST_DATA that are allowed.") ","
    LISTED("id_key_digest", "96", "Digests of ID keys that are allowed.") ","
    LISTED("author_key_digest", "96", "Digests of author keys that are allowed.") ","
    LISTED("report_id", "64", "Guests that are allowed, by REPORT_ID.") ","
    LISTED_ASIDE("family_id", "32", "FAMILY_ID of the ID blocks that are allowed.") ","
    LISTED_ASIDE("image_id", "32", "IMAGE_ID of the ID blocks that are allowed.") ","
    LISTED("chip_id", "128", "Chips that are allowed. A masked report names none, nor does one signed by a VLEK: they never match.") ","
    FLAG("allow_masked_chip_id", "masked_chip_id", "true: accept a VCEK report whose CHIP_ID the host masked.") ","

    GROUP("tcb", "\"snp.tcb_floor\",\"snp.committed_tcb_floor\",\"snp.launch_tcb_floor\",\"snp.current_tcb_floor\",\"snp.tcb_order\","
        "\"snp.provisional_firmware\"", "Least security versions of the platform.",
        FLOOR("floor", "Floors by product, or by CPUID as family-model-stepping in hex (19-a0-02), which stands before the product's.") ","
        FLOOR("committed_floor", "Floors for COMMITTED_TCB, where they differ from floor.") ","
        FLOOR("launch_floor", "Floors for LAUNCH_TCB, where they differ from floor.") ","
        ARRAY("of", WORDS("\"reported\",\"committed\",\"launch\",\"current\""), "TCBs that floor is for; [reported] when it is not given.") ","
        FLAG("provisional", "provisional_firmware", "true: accept firmware that is not committed.") ",") ","
    GROUP("firmware", "\"snp.firmware\",\"snp.committed_firmware\"", "Least versions of the SEV firmware.",
        VERSION("at_least", "Running version, major.minor.build.") ","
        VERSION("committed_at_least", "Committed version, major.minor.build.") ",") ","
    GROUP("mitigations", "\"snp.launch_mitigations\",\"snp.current_mitigations\"",
        "Bits of the mitigation vectors that must be set (version 5 reports).",
        ARRAY("launch", BIT, "Bits of LAUNCH_MIT_VECTOR, from 0.") ","
        ARRAY("current", BIT, "Bits of CURRENT_MIT_VECTOR, from 0.") ",") ","

    GROUP("guest_policy", "\"snp.debug\",\"snp.migration_agent\",\"snp.smt\",\"snp.cxl\",\"snp.single_socket\","
        "\"snp.memory_aes_256_xts\",\"snp.rapl\",\"snp.ciphertext_hiding\",\"snp.page_swap\",\"snp.abi\"",
        "What the guest's own launch policy may allow, and must demand.",
        FLAG("debug", "debug", "true: the host may debug the guest; false when it is not given.") ","
        FLAG("migration_agent", "migration_agent", "true: a migration agent may hold the guest's keys; false when it is not given.") ","
        FLAG("smt", "smt", "false: the guest may not run beside a sibling thread.") ","
        FLAG("cxl", "cxl", "false: the guest may not use CXL.") ","
        FLAG("single_socket", "single_socket", "true: the guest must be bound to one socket.") ","
        FLAG("memory_aes_256_xts", "memory_aes_256_xts", "true: the guest must demand AES-256-XTS.") ","
        FLAG("rapl_disabled", "rapl", "true: the guest must demand that RAPL is off.") ","
        FLAG("ciphertext_hiding", "ciphertext_hiding", "true: the guest must demand ciphertext hiding.") ","
        FLAG("page_swap_disabled", "page_swap", "true: the guest must forbid moving and swapping of its pages.") ","
        VERSION("abi", "Least major.minor that the guest must demand of the firmware's ABI.") ",") ","
    GROUP("vmpl", "\"snp.vmpl\"", "Privilege levels that may ask for the report.",
        ARRAY("allow", "\"type\":\"integer\",\"minimum\":0,\"maximum\":3", "[0] when it is not given.") ",") ","
    GROUP("platform", "\"snp.platform_smt\",\"snp.platform_tsme\",\"snp.platform_ecc\",\"snp.platform_rapl\","
        "\"snp.platform_ciphertext_hiding\",\"snp.platform_alias_check\",\"snp.platform_iommu_write_safe\",\"snp.platform_tio\"",
        "State of the platform: true and false demand it, any does not.",
        FLAG("smt", "platform_smt", "SMT is on.") ","
        FLAG("tsme", "platform_tsme", "Transparent memory encryption is on.") ","
        FLAG("ecc", "platform_ecc", "ECC memory is in use.") ","
        FLAG("rapl_disabled", "platform_rapl", "RAPL is off.") ","
        FLAG("ciphertext_hiding", "platform_ciphertext_hiding", "Ciphertext in DRAM is hidden from the host.") ","
        FLAG("alias_check", "platform_alias_check", "Memory was checked for aliases since the last reset (AMD-SB-3015).") ","
        FLAG("iommu_write_safe", "platform_iommu_write_safe", "The IOMMU is safe from stray writes (Turin; AMD-SB-3016).") ","
        FLAG("tio", "platform_tio", "SEV-TIO is on.") ",") ","

    FLAG("require_id_block", "id_block", "true: the guest must be launched with an ID block.") ","
    FLAG("require_author_key", "author_key", "true: the ID key must be certified by an author key.") ","
    GROUP("guest_svn", "\"snp.guest_svn\"", "Security version of the guest, from its ID block.",
        NUMBER("at_least", "0", "4294967295", "Least GUEST_SVN.") ",") ","
    GROUP("revocation", "\"snp.revocation\"", "The list of revoked certificates.",
        "\"stale_for\":{\"type\":\"string\",\"format\":\"duration\"," SAYS("How long after its nextUpdate a list still counts.") "},")
    ) "}";
