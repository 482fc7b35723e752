/* SPDX-License-Identifier: Apache-2.0 */
/* What Intel's provisioning certification service answers (PCS API version 4), byte by byte as it writes it: no spaces, hex in capitals. */
#include "sdk/simulator/files.h"
#include "sdk/simulator/tdx_vendor.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void put_hex(struct sim_buffer *b, const uint8_t *bytes, size_t len, bool capitals)
{
    for (size_t i = 0; i < len; i++) {
        sim_print(b, capitals ? "%02X" : "%02x", bytes[i]);
    }
}

static void put_hex_member(struct sim_buffer *b, const char *name, const uint8_t *bytes, size_t len)
{
    sim_print(b, "\"%s\":\"", name);
    put_hex(b, bytes, len, true);
    sim_print(b, "\"");
}

static void put_time_member(struct sim_buffer *b, const char *name, int64_t seconds)
{
    time_t when = (time_t)seconds;
    struct tm tm;
    char text[32] = "";
    b->failed |= !gmtime_r(&when, &tm) || strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm) != 20;
    sim_print(b, "\"%s\":\"%s\"", name, text);
}

/* What PCS says of a component beside its SVN; NULL: nothing. */
struct component {
    const char *category, *type;
};
static const struct component sgx_components[16] = {{"BIOS", "Early Microcode Update"},
                                                    {"OS/VMM", "SGX Late Microcode Update"},
                                                    {"OS/VMM", "TXT SINIT"},
                                                    {"BIOS", NULL},
                                                    {"BIOS", NULL},
                                                    {"BIOS", NULL},
                                                    {NULL, NULL},
                                                    {"OS/VMM", "SEAMLDR ACM"}};
static const struct component tdx_components[16] = {
    {"OS/VMM", "TDX Module"}, {"OS/VMM", "TDX Module"}, {"OS/VMM", "TDX Late Microcode Update"}};

static void put_components(struct sim_buffer *b, const char *name, const uint8_t svns[16], const struct component components[16])
{
    sim_print(b, "\"%s\":[", name);
    for (size_t i = 0; i < 16; i++) {
        sim_print(b, "%s{\"svn\":%u", i ? "," : "", svns[i]);
        if (components[i].category) {
            sim_print(b, ",\"category\":\"%s\"", components[i].category);
        }
        if (components[i].type) {
            sim_print(b, ",\"type\":\"%s\"", components[i].type);
        }
        sim_print(b, "}");
    }
    sim_print(b, "]");
}

static void put_advisories(struct sim_buffer *b, const char *advisories)
{
    if (!*advisories) {
        return;
    }
    sim_print(b, ",\"advisoryIDs\":[");
    for (const char *at = advisories; *at;) {
        size_t len = strcspn(at, ",");
        sim_print(b, "%s\"%.*s\"", at == advisories ? "" : ",", (int)len, at);
        at += len + (at[len] == ',');
    }
    sim_print(b, "]");
}

enum level_kind { ISV_LEVEL, SGX_LEVEL, TDX_LEVEL };

static void put_level(struct sim_buffer *b, const struct sim_tdx_level *level, enum level_kind kind)
{
    sim_print(b, "{\"tcb\":{");
    if (kind == ISV_LEVEL) {
        sim_print(b, "\"isvsvn\":%u", level->isvsvn);
    } else {
        put_components(b, "sgxtcbcomponents", level->sgx, sgx_components);
        sim_print(b, ",\"pcesvn\":%u", level->pcesvn);
    }
    if (kind == TDX_LEVEL) {
        sim_print(b, ",");
        put_components(b, "tdxtcbcomponents", level->tdx, tdx_components);
    }
    sim_print(b, "},");
    put_time_member(b, "tcbDate", level->date);
    sim_print(b, ",\"tcbStatus\":\"%s\"", level->status);
    put_advisories(b, level->advisories);
    sim_print(b, "}");
}

static void put_levels(struct sim_buffer *b, const struct sim_tdx_levels *levels, enum level_kind kind)
{
    sim_print(b, "\"tcbLevels\":[");
    for (size_t i = 0; i < levels->count && i < SIM_TDX_LEVELS; i++) {
        sim_print(b, "%s", i ? "," : "");
        put_level(b, &levels->items[i], kind);
    }
    sim_print(b, "]");
}

static void put_module(struct sim_buffer *b, const struct sim_tdx_tcb_info *info)
{
    put_hex_member(b, "mrsigner", info->module_mrsigner, sizeof info->module_mrsigner);
    sim_print(b, ",");
    put_hex_member(b, "attributes", info->module_attributes, sizeof info->module_attributes);
    sim_print(b, ",");
    put_hex_member(b, "attributesMask", info->module_mask, sizeof info->module_mask);
}

/* {"name":body,"signature":"..."}; consumes body. */
static struct sim_bytes seal(const struct sim_tdx_vendor *vendor, const char *name, struct sim_buffer *body, uint8_t flip)
{
    uint8_t signature[64] = {0};
    struct sim_buffer answer = {.failed = body->failed};
    if (!body->failed) {
        answer.failed = !sim_tdx_sign(vendor->keys[SIM_TDX_TCB_SIGNING], body->data, body->len, signature);
    }
    signature[0] ^= flip;
    sim_print(&answer, "{\"%s\":", name);
    sim_put(&answer, body->data, body->len);
    sim_print(&answer, ",\"signature\":\"");
    put_hex(&answer, signature, sizeof signature, false);
    sim_print(&answer, "\"}");
    free(body->data);
    return sim_buffer_take(&answer);
}

struct sim_bytes sim_tdx_tcb_info(const struct sim_tdx_vendor *vendor, const struct sim_tdx_scene *scene)
{
    const struct sim_tdx_tcb_info *info = &scene->tcb_info;
    bool tdx = strcmp(info->id, "TDX") == 0;
    struct sim_buffer b = {0};
    sim_print(&b, "{\"id\":\"%s\",\"version\":%u,", info->id, info->version);
    put_time_member(&b, "issueDate", info->issue_date);
    sim_print(&b, ",");
    put_time_member(&b, "nextUpdate", info->next_update);
    sim_print(&b, ",");
    put_hex_member(&b, "fmspc", info->fmspc, sizeof info->fmspc);
    sim_print(&b, ",");
    put_hex_member(&b, "pceId", info->pceid, sizeof info->pceid);
    sim_print(&b, ",\"tcbType\":%u,\"tcbEvaluationDataNumber\":%u,", info->tcb_type, info->evaluation_number);
    if (tdx) {
        sim_print(&b, "\"tdxModule\":{");
        put_module(&b, info);
        sim_print(&b, "},");
    }
    if (tdx && info->module_major) {
        sim_print(&b, "\"tdxModuleIdentities\":[{\"id\":\"TDX_%02X\",", info->module_major);
        put_module(&b, info);
        sim_print(&b, ",");
        put_levels(&b, &info->module_levels, ISV_LEVEL);
        sim_print(&b, "}],");
    }
    put_levels(&b, &info->levels, tdx ? TDX_LEVEL : SGX_LEVEL);
    sim_print(&b, "}");
    return seal(vendor, "tcbInfo", &b, scene->flip_tcb_info);
}

static void put_word_member(struct sim_buffer *b, const char *name, uint32_t big_endian)
{
    sim_print(b, "\"%s\":\"%08X\",", name, big_endian);
}

struct sim_bytes sim_tdx_identity(const struct sim_tdx_vendor *vendor, const struct sim_tdx_scene *scene)
{
    const struct sim_tdx_identity *identity = &scene->identity;
    struct sim_buffer b = {0};
    sim_print(&b, "{\"id\":\"%s\",\"version\":%u,", identity->id, identity->version);
    put_time_member(&b, "issueDate", identity->issue_date);
    sim_print(&b, ",");
    put_time_member(&b, "nextUpdate", identity->next_update);
    sim_print(&b, ",\"tcbEvaluationDataNumber\":%u,", identity->evaluation_number);
    put_word_member(&b, "miscselect", identity->miscselect);
    put_word_member(&b, "miscselectMask", identity->miscselect_mask);
    put_hex_member(&b, "attributes", identity->attributes, sizeof identity->attributes);
    sim_print(&b, ",");
    put_hex_member(&b, "attributesMask", identity->attributes_mask, sizeof identity->attributes_mask);
    sim_print(&b, ",");
    put_hex_member(&b, "mrsigner", identity->mrsigner, sizeof identity->mrsigner);
    sim_print(&b, ",\"isvprodid\":%u,", identity->prod_id);
    put_levels(&b, &identity->levels, ISV_LEVEL);
    sim_print(&b, "}");
    return seal(vendor, "enclaveIdentity", &b, scene->flip_identity);
}

/* The number in force and the one before it. */
struct sim_bytes sim_tdx_evaluation_numbers(const struct sim_tdx_vendor *vendor, const struct sim_tdx_scene *scene)
{
    const struct sim_tdx_tcb_info *info = &scene->tcb_info;
    struct sim_buffer b = {0};
    sim_print(&b, "{\"id\":\"%s\",\"version\":1,", info->id);
    put_time_member(&b, "issueDate", info->issue_date);
    sim_print(&b, ",");
    put_time_member(&b, "nextUpdate", info->next_update);
    sim_print(&b, ",\"tcbEvalNumbers\":[");
    for (uint32_t back = 0; back < 2 && back < info->evaluation_number; back++) {
        int64_t day = info->levels.items[0].date - (int64_t)back * 180 * 86400;
        sim_print(&b, "%s{\"tcbEvaluationDataNumber\":%u,", back ? "," : "", info->evaluation_number - back);
        put_time_member(&b, "tcbRecoveryEventDate", day - 86400);
        sim_print(&b, ",");
        put_time_member(&b, "tcbDate", day);
        sim_print(&b, "}");
    }
    sim_print(&b, "]}");
    return seal(vendor, "tcbEvaluationDataNumbers", &b, 0);
}

/* --- The bundle --- */

static bool add_text(json_t *bundle, const char *name, struct sim_bytes text)
{
    bool good = text.data && json_object_set_new(bundle, name, json_stringn((const char *)text.data, text.len)) == 0;
    free(text.data);
    return good;
}

static bool add_hex(json_t *bundle, const char *name, struct sim_bytes bytes)
{
    struct sim_buffer hex = {.failed = !bytes.data};
    put_hex(&hex, bytes.data, bytes.len, false);
    free(bytes.data);
    return add_text(bundle, name, sim_buffer_take(&hex));
}

/* An answer taken apart again into the signed text and its signature: {"word":TEXT,"signature":"128 digits"}. */
static bool add_signed(json_t *bundle, const char *name, const char *word, struct sim_bytes answer)
{
    size_t head = strlen(word) + 4, tail = strlen(",\"signature\":\"") + 128 + 2;
    char signature_name[40];
    snprintf(signature_name, sizeof signature_name, "%s_signature", name);
    bool good = answer.data && answer.len > head + tail;
    good = good && add_text(bundle, name, sim_bytes_copy(answer.data + head, answer.len - head - tail)) &&
           add_text(bundle, signature_name, sim_bytes_copy(answer.data + answer.len - 130, 128));
    free(answer.data);
    return good;
}

struct sim_bytes sim_tdx_bundle(const struct sim_tdx_vendor *vendor, const struct sim_tdx_scene *scene)
{
    json_t *bundle = json_object();
    bool good = bundle && add_text(bundle, "pck_crl_issuer_chain", sim_tdx_issuer_chain(vendor, sim_tdx_pck_ca(scene))) &&
                add_hex(bundle, "root_ca_crl", sim_tdx_root_crl(vendor, scene)) &&
                add_hex(bundle, "pck_crl", sim_tdx_pck_crl(vendor, scene)) &&
                add_text(bundle, "tcb_info_issuer_chain", sim_tdx_issuer_chain(vendor, SIM_TDX_TCB_SIGNING)) &&
                add_signed(bundle, "tcb_info", "tcbInfo", sim_tdx_tcb_info(vendor, scene)) &&
                add_text(bundle, "qe_identity_issuer_chain", sim_tdx_issuer_chain(vendor, SIM_TDX_TCB_SIGNING)) &&
                add_signed(bundle, "qe_identity", "enclaveIdentity", sim_tdx_identity(vendor, scene));
    char *text = good ? json_dumps(bundle, JSON_COMPACT) : NULL;
    struct sim_bytes copy = {NULL, 0};
    if (text) {
        copy = sim_bytes_copy(text, strlen(text));
    }
    free(text);
    json_decref(bundle);
    return copy;
}
