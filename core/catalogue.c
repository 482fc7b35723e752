/* SPDX-License-Identifier: Apache-2.0 */
/* The catalogue as one JSON document: what attestctl checks, GET /v1/checks and docs/checks.md are made from. */
#include "core/engine.h"
#include "core/problem.h"
#include "core/result.h"

#include <string.h>

static void write_reasons(struct attestd_json_writer *writer, const struct attestd_reason *reasons)
{
    attestd_json_open_list(writer, "reasons");
    for (; reasons->code != NULL; reasons++) {
        attestd_json_open_map(writer, NULL);
        attestd_json_text(writer, "code", reasons->code);
        attestd_json_text(writer, "remedy", reasons->remedy);
        attestd_json_close_map(writer);
    }
    attestd_json_close_list(writer);
}

/* The plugin a check belongs to is the first word of its id; all others are core's. */
static const char *owner(const struct attestd_engine *engine, const struct attestd_check *check)
{
    for (size_t i = 0; i < attestd_engine_plugin_count(engine); i++) {
        const char *name = attestd_engine_plugin_at(engine, i)->name;
        if (strncmp(check->id, name, strlen(name)) == 0 && check->id[strlen(name)] == '.')
            return name;
    }
    return "core";
}

static void write_check(struct attestd_json_writer *writer, const struct attestd_engine *engine, const struct attestd_check *check)
{
    attestd_json_open_map(writer, NULL);
    attestd_json_text(writer, "id", check->id);
    attestd_json_text(writer, "title", check->title);
    attestd_json_text(writer, "plugin", owner(engine, check));
    attestd_json_flag(writer, "fixed", check->fixed != 0);
    attestd_json_text(writer, "default_mode", attestd_mode_name(check->default_mode));
    if (check->claim != ATTESTD_NO_CLAIM) {
        attestd_json_text(writer, "claim", attestd_trust_claim_name(check->claim));
        attestd_json_open_map(writer, "values");
        attestd_json_number(writer, "affirming", check->affirming);
        attestd_json_number(writer, "warning", check->warning);
        attestd_json_number(writer, "contraindicated", check->contraindicated);
        attestd_json_close_map(writer);
    }
    attestd_json_text(writer, "reference", check->reference);
    write_reasons(writer, check->reasons);
    attestd_json_close_map(writer);
}

static void write_malformed(struct attestd_json_writer *writer, const struct attestd_plugin *plugin)
{
    for (const struct attestd_reason *reason = plugin->malformed; reason != NULL && reason->code != NULL; reason++) {
        attestd_json_open_map(writer, NULL);
        attestd_json_text(writer, "code", reason->code);
        attestd_json_text(writer, "plugin", plugin->name);
        attestd_json_text(writer, "remedy", reason->remedy);
        attestd_json_close_map(writer);
    }
}

static void write_problem(struct attestd_json_writer *writer, const struct attestd_problem *problem)
{
    attestd_json_open_map(writer, NULL);
    attestd_json_text(writer, "code", problem->code);
    attestd_json_number(writer, "status", problem->status);
    attestd_json_text(writer, "title", problem->title);
    attestd_json_text(writer, "remedy", problem->remedy);
    attestd_json_flag(writer, "retryable", problem->retryable);
    attestd_json_close_map(writer);
}

void attestd_engine_catalogue_json(const struct attestd_engine *engine, struct attestd_text *out)
{
    struct attestd_json_writer writer = attestd_json_writer_to(out);

    attestd_json_open_map(&writer, NULL);
    attestd_json_open_list(&writer, "checks");
    for (size_t i = 0; i < attestd_engine_check_count(engine); i++)
        write_check(&writer, engine, attestd_engine_check_at(engine, i));
    attestd_json_close_list(&writer);
    attestd_json_open_list(&writer, "malformed");
    for (size_t i = 0; i < attestd_engine_plugin_count(engine); i++)
        write_malformed(&writer, attestd_engine_plugin_at(engine, i));
    attestd_json_close_list(&writer);
    attestd_json_open_list(&writer, "problems");
    for (size_t i = 0; i < attestd_problem_count(); i++)
        write_problem(&writer, attestd_problem_at(i));
    attestd_json_close_list(&writer);
    attestd_json_close_map(&writer);
}
