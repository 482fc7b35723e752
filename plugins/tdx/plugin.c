/* SPDX-License-Identifier: Apache-2.0 */
/* The descriptor: all that the host knows of this plugin. */
#include "certificates.h"
#include "documents.h"
#include "layout.h"
#include "settings.h"
#include "verify.h"

static const char *const media_types[] = {"application/vnd.attestd." DCAP_NAME "-quote", NULL};

static const struct attestd_endorsement_kind endorsements[] = {
    {DCAP_KIND_TCB_INFO, "TCB info of a family of platforms", ATTESTD_AGEING, 1048576},
    {DCAP_KIND_QE_IDENTITY, "identity of the quoting enclave", ATTESTD_AGEING, 1048576},
    {DCAP_KIND_PCK_CRL, "list of revoked PCK certificates", ATTESTD_AGEING, 1048576},
    {DCAP_KIND_ROOT_CRL, "list of the root's revoked certificates", ATTESTD_AGEING, 1048576},
    {DCAP_KIND_PCK, "PCK certificate of one platform and TCB", ATTESTD_IMMUTABLE, 65536},
    {DCAP_KIND_PCK_CA, "CA of PCK certificates", ATTESTD_IMMUTABLE, 16384},
    {DCAP_KIND_TCB_SIGNING, "certificate that signs TCB info and identities", ATTESTD_IMMUTABLE, 16384},
    {DCAP_KIND_ROOT_CA, "Intel SGX Root CA", ATTESTD_ANCHOR, 16384},
    {NULL, NULL, 0, 0},
};

static int32_t recognise(const uint8_t *bytes, size_t len)
{
    uint32_t tee;
    bool of_intel;
    if (!dcap_quote_begins(bytes, len, &tee, &of_intel) || tee != DCAP_TEE)
        return 0;
    return of_intel ? 95 : 50; /* another vendor's is named as such by the check */
}

static const struct attestd_plugin plugin = {
    .abi_version = ATTESTD_PLUGIN_ABI,
    .struct_size = sizeof plugin,
    .name = DCAP_NAME,
    .version = "1",
    .media_types = media_types,
    .evidence_class = ATTESTD_CLASS_CPU,
    .checks = dcap_check_list,
    .recognise = recognise,
    .verify = dcap_verify,
    .malformed = dcap_malformed,
    .raw_part = "quote",
    .endorsements = endorsements,
    .identify = dcap_identify,
    .policy_schema = dcap_policy_schema,
    .inspect = dcap_inspect,
};

const struct attestd_plugin *attestd_plugin(void)
{
    return &plugin;
}
