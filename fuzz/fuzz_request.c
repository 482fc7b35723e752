/* SPDX-License-Identifier: Apache-2.0 */
/* Requests in every form, and bundles: whatever is read is sound enough to be checked, digested and bound. */
#include "fuzz/harness.h"

#include "core/binding.h"
#include "core/bundle.h"
#include "tests/core/script.h"

#include <string.h>

static struct attestd_engine *engine_once(void)
{
    static struct attestd_engine *engine;

    if (engine == NULL) {
        engine = attestd_engine_new();
        PROMISE(attestd_engine_add(engine, &script_plugin, NULL, 0));
        PROMISE(attestd_engine_add(engine, &gadget_plugin, NULL, 0));
    }
    return engine;
}

static void use(const struct attestd_request *request)
{
    struct attestd_request_fault fault;
    uint8_t digest[32], field[64];
    const char *why;

    PROMISE(request->piece_count > 0 && request->piece_count <= ATTESTD_MAX_PIECES);
    for (size_t i = 0; i < request->piece_count; i++)
        PROMISE(attestd_label_valid(request->pieces[i].label, strlen(request->pieces[i].label)) && request->pieces[i].part_count > 0);
    attestd_request_evidence_digest(request, digest);
    if (attestd_request_check(request, false, &fault) && !request->no_binding && request->expected_field.len == 0)
        PROMISE(attestd_binding_expected(request, NULL, 0, field, &why));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct attestd_engine *engine = engine_once();
    struct attestd_arena *arena = attestd_arena_new();
    struct attestd_request request;
    struct attestd_request_fault fault;
    struct attestd_bundle bundle;
    char error[256];

    if (attestd_request_read_json(arena, engine, (const char *)bytes, len, &request, &fault))
        use(&request);
    if (attestd_request_read_cmw(arena, engine, (const char *)bytes, len, &request, &fault))
        use(&request);
    if (attestd_request_read_raw(arena, engine, NULL, bytes, len, &request, &fault))
        use(&request);
    attestd_bundle_is((const char *)bytes, len);
    if (attestd_bundle_read(arena, engine, (const char *)bytes, len, &bundle, error, sizeof error))
        attestd_job_free(attestd_bundle_run(engine, &bundle, NULL, bundle.time));
    attestd_arena_free(arena);
    return 0;
}
