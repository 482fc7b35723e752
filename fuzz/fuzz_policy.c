/* SPDX-License-Identifier: Apache-2.0 */
/* Policies, reference sets and canonical forms: whatever compiles says the same again from its canonical form; whatever does not says why.
 */
#include "fuzz/harness.h"

#include "tests/policy/toy.h"

#include <string.h>

static struct attestd_engine *engine_once(void)
{
    static struct attestd_engine *engine;
    if (engine == NULL)
        engine = toy_engine();
    return engine;
}

static void loads_again(const struct attestd_policy *policy)
{
    struct attestd_policy_fault fault = {0};
    struct attestd_bytes canonical = attestd_policy_canonical(policy);
    struct attestd_policy *again = attestd_policy_from_canonical(engine_once(), (const char *)canonical.data, canonical.len, &fault);
    PROMISE(again != NULL);
    PROMISE(memcmp(attestd_policy_digest(again), attestd_policy_digest(policy), 32) == 0);
    attestd_policy_free(again);
}

static void compile(const char *name, const char *text, size_t len)
{
    const struct attestd_policy_file file = {name, text, len};
    struct attestd_policy_fault faults[2];
    size_t count = 0;
    struct attestd_policy_set *set = attestd_policy_compile(engine_once(), NULL, &file, 1, false, NULL, NULL, faults, 2, &count);
    PROMISE((set == NULL) == (count > 0));
    if (set == NULL) {
        PROMISE(strncmp(faults[0].code, "POLICY_", 7) == 0 && faults[0].message[0] != '\0' && strcmp(faults[0].file, name) == 0);
        return;
    }
    for (size_t i = 0; i < attestd_policy_set_count(set); i++)
        loads_again(attestd_policy_set_at(set, i));
    attestd_policy_set_free(set);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    const char *text = (const char *)bytes;
    struct attestd_policy_fault fault = {0};
    struct attestd_policy *policy;
    if (len > 0 && bytes[0] == '{') {
        compile("fuzz.jsonl", text, len);
        policy = attestd_policy_from_canonical(engine_once(), text, len, &fault);
        PROMISE(policy != NULL || strncmp(fault.code, "POLICY_", 7) == 0);
        attestd_policy_free(policy);
    }
    compile("fuzz.yaml", text, len);
    return 0;
}
