/* SPDX-License-Identifier: Apache-2.0 */
/* A first policy from evidence that was appraised: what it showed becomes what is demanded, with a comment on each choice. */
#include "core/encoding.h"
#include "core/value.h"
#include "policy/reference_set.h"

#include <string.h>

struct starter {
    const struct attestd_settings *settings;
    const struct attestd_result *result;
    struct attestd_arena *arena;
    struct attestd_text *out;
};

static bool all_zero(const char *text)
{
    return text[strspn(text, "0")] == '\0';
}

/* A claim of the piece's own plugin. */
static const struct attestd_value *claim_at(const struct starter *starter, const struct attestd_piece *piece, const char *path)
{
    return attestd_value_find(piece->claims, attestd_arena_format(starter->arena, "%s.%s", piece->type, path));
}

static const char *claim_text(const struct starter *starter, const struct attestd_piece *piece, const char *path)
{
    return attestd_reference_claim(starter->arena, claim_at(starter, piece, path));
}

static bool first_of_type(const struct starter *starter, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (strcmp(starter->result->pieces[i].type, starter->result->pieces[index].type) == 0)
            return false;
    }
    return true;
}

static size_t count_of_type(const struct starter *starter, const char *type)
{
    size_t count = 0;
    for (size_t i = 0; i < starter->result->piece_count; i++)
        count += strcmp(starter->result->pieces[i].type, type) == 0;
    return count;
}

static void write_head(struct starter *starter, const char *name)
{
    char now[ATTESTD_TIME_SIZE];
    attestd_time_format(starter->result->time, now);
    attestd_text_printf(starter->out,
                        "# A starter policy, made from evidence that was appraised at %s.\n"
                        "# Read it before you use it: it takes what this one machine showed for what you want of all.\n"
                        "policy: %s\n"
                        "version: 1\n"
                        "description: starter policy\n\n",
                        now, name);
}

static void write_require(struct starter *starter)
{
    attestd_text_puts(starter->out, "# Kinds of evidence that must be there; others are refused.\nrequire:\n");
    for (size_t i = 0; i < starter->result->piece_count; i++) {
        const struct attestd_piece *piece = &starter->result->pieces[i];
        if (!first_of_type(starter, i))
            continue;
        attestd_text_printf(starter->out, "  %s: {type: %s, count: %zu}\n", piece->type, piece->type, count_of_type(starter, piece->type));
    }
    attestd_text_puts(starter->out,
                      "\n# A challenge of this verifier, or a nonce of the relying party (external); required: a challenge only.\n"
                      "freshness: {challenge: external}\n\n"
                      "binding: {layouts: [attestd-v1], key: optional}\n\n"
                      "# Tokens are made only for audiences that stand here, and then a bound key is required by default.\n"
                      "# token: {audiences: [\"https://service.example\"], issue_on: [affirming], ttl: 5m}\n\n");
}

/* The claims that are compared: as they are, but those that name this one machine or guest, as comments. A path of two parts is written in
 * the map of its first. */
static void write_comparable(struct starter *starter, const struct attestd_engine *engine, const struct attestd_piece *piece,
                             const struct attestd_comparable *comparable)
{
    const struct attestd_check *check = attestd_engine_check(engine, comparable->check);
    const char *value = claim_text(starter, piece, comparable->claim), *dot = strchr(comparable->path, '.');
    bool active = check != NULL && check->claim != ATTESTD_INSTANCE_IDENTITY;
    if (value == NULL || all_zero(value))
        return;
    attestd_text_printf(starter->out, "  # %s\n  %s", check != NULL ? check->title : comparable->check, active ? "" : "# ");
    if (dot == NULL)
        attestd_text_printf(starter->out, "%s: [\"%s\"]\n", comparable->path, value);
    else
        attestd_text_printf(starter->out, "%.*s: {%s: [\"%s\"]}\n", (int)(dot - comparable->path), comparable->path, dot + 1, value);
}

/* --- SEV-SNP: floors and launch settings stand in no comparable claim --- */

static void write_snp_floor(struct starter *starter, const struct attestd_piece *piece, const char *product)
{
    static const char *const components[] = {"fmc", "bootloader", "tee", "snp", "microcode"};
    bool first = true;
    attestd_text_printf(starter->out, "  # security versions that this machine reported: nothing older\n  tcb: {floor: {%s: {", product);
    for (size_t i = 0; i < sizeof components / sizeof components[0]; i++) {
        const char *value = claim_text(starter, piece, attestd_arena_format(starter->arena, "reported_tcb.%s", components[i]));
        if (value == NULL || (i == 0 && strcmp(product, "Turin") != 0))
            continue;
        attestd_text_printf(starter->out, "%s%s: %s", first ? "" : ", ", components[i], value);
        first = false;
    }
    attestd_text_puts(starter->out, "}}, of: [reported, committed]}\n");
}

static void write_snp_flag(struct starter *starter, const struct attestd_piece *piece, const char *claim, const char *setting)
{
    const struct attestd_value *value = claim_at(starter, piece, claim);
    bool allowed = value != NULL && value->kind == ATTESTD_VALUE_FLAG && value->number != 0;
    attestd_text_printf(starter->out, "%s: %s", setting, allowed ? "any" : "false");
}

static void write_snp(struct starter *starter, const struct attestd_piece *piece)
{
    const char *product = claim_text(starter, piece, "product"), *vmpl = claim_text(starter, piece, "vmpl"),
               *version = claim_text(starter, piece, "report_version");
    if (version != NULL)
        attestd_text_printf(starter->out, "  report_version: {at_least: %s}\n", strcmp(version, "2") == 0 ? "2" : "3");
    if (product != NULL) {
        attestd_text_printf(starter->out, "  products: [%s]\n", product);
        write_snp_floor(starter, piece, product);
    }
    attestd_text_puts(starter->out,
                      "  # what the guest was launched with; `any` where this guest allows it\n  guest_policy: {debug: false, ");
    write_snp_flag(starter, piece, "policy.migration_agent_allowed", "migration_agent");
    attestd_text_puts(starter->out, ", ");
    write_snp_flag(starter, piece, "policy.smt_allowed", "smt");
    attestd_text_puts(starter->out, "}\n");
    if (vmpl != NULL)
        attestd_text_printf(starter->out, "  # the privilege level that asked for the report\n  vmpl: {allow: [%s]}\n", vmpl);
    attestd_text_puts(starter->out, "  # strict: without a fresh list of revoked certificates there is no verdict\n  revocation: strict\n");
}

static void write_section(struct starter *starter, const struct attestd_engine *engine, const struct attestd_piece *piece)
{
    const struct attestd_comparable *comparables;
    size_t count = attestd_settings_comparables(starter->settings, &comparables);
    const json_t *properties = json_object_get(attestd_settings_definition(starter->settings, "policy"), "properties");
    if (json_object_get(properties, piece->type) == NULL)
        return;
    attestd_text_printf(starter->out, "%s:\n", piece->type);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(comparables[i].type, piece->type) == 0)
            write_comparable(starter, engine, piece, &comparables[i]);
    }
    if (strcmp(piece->type, "snp") == 0)
        write_snp(starter, piece);
    attestd_text_puts(starter->out, "\n");
}

void attestd_policy_starter(const struct attestd_engine *engine, const struct attestd_result *result, const char *name,
                            struct attestd_text *out)
{
    struct attestd_policy_fault fault = {0};
    struct attestd_settings *settings = attestd_settings_new(engine, &fault);
    struct starter starter = {.settings = settings, .result = result, .arena = attestd_arena_new(), .out = out};
    if (settings != NULL) {
        write_head(&starter, name);
        write_require(&starter);
        for (size_t i = 0; i < result->piece_count; i++) {
            if (first_of_type(&starter, i))
                write_section(&starter, engine, &result->pieces[i]);
        }
    }
    attestd_settings_free(settings);
    attestd_arena_free(starter.arena);
}
