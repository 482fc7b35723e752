/* SPDX-License-Identifier: Apache-2.0 */
/* The smallest plugin in a file, for the loader. */
#include <attestd/plugin.h>

static const struct attestd_reason reasons[] = {{"SCRIPTED_BAD", "Do better."}, {0, 0}};
static const struct attestd_check check = {"scripted.check", "it is so", 1, ATTESTD_STRICT, ATTESTD_NO_CLAIM, 0, 0, 0, "here", reasons};
static const struct attestd_check *const checks[] = {&check, 0};

static int32_t verify(const struct attestd_host *host, const struct attestd_evidence *evidence, struct attestd_appraisal *a)
{
    (void)evidence;
    host->check(a, &check, ATTESTD_PASS, 0, 0, 0);
    return ATTESTD_DONE;
}

const struct attestd_plugin *attestd_plugin(void)
{
    static const struct attestd_plugin plugin = {
        .abi_version = ATTESTD_PLUGIN_ABI,
        .struct_size = sizeof plugin,
        .name = "scripted",
        .version = "1",
        .evidence_class = ATTESTD_CLASS_CPU,
        .checks = checks,
        .verify = verify,
    };

    return &plugin;
}
