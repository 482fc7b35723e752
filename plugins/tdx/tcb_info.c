/* SPDX-License-Identifier: Apache-2.0 */
#include "tcb_info.h"

#include "core/arena.h"
#include "core/encoding.h"
#include "core/json.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JSON_DEPTH 8u
#define JSON_MAX 1048576u
#define LEVELS_MAX 512u
#define MODULES_MAX 32u

static const char *const status_names[DCAP_STATUS_COUNT] = {
    [DCAP_UP_TO_DATE] = "UpToDate",
    [DCAP_SW_HARDENING_NEEDED] = "SWHardeningNeeded",
    [DCAP_CONFIGURATION_NEEDED] = "ConfigurationNeeded",
    [DCAP_CONFIGURATION_AND_SW_HARDENING_NEEDED] = "ConfigurationAndSWHardeningNeeded",
    [DCAP_RELAUNCH_ADVISED] = "TDRelaunchAdvised",
    [DCAP_RELAUNCH_ADVISED_CONFIGURATION_NEEDED] = "TDRelaunchAdvisedConfigurationNeeded",
    [DCAP_OUT_OF_DATE] = "OutOfDate",
    [DCAP_OUT_OF_DATE_CONFIGURATION_NEEDED] = "OutOfDateConfigurationNeeded",
    [DCAP_REVOKED] = "Revoked",
    [DCAP_NOT_SUPPORTED] = "NotSupported",
};

const char *dcap_status_name(enum dcap_status status)
{
    return status < DCAP_STATUS_COUNT ? status_names[status] : "NotSupported";
}

/* --- JSON to values --- */

static bool text_of(const json_t *object, const char *name, const char **text)
{
    *text = json_string_value(json_object_get(object, name));
    return *text != NULL;
}

static bool number_of(const json_t *object, const char *name, int64_t most, int64_t *number)
{
    const json_t *value = json_object_get(object, name);
    *number = json_integer_value(value);
    return json_is_integer(value) && *number >= 0 && *number <= most;
}

static bool hex_of(const json_t *object, const char *name, uint8_t *out, size_t size)
{
    const json_t *value = json_object_get(object, name);
    size_t len = 0;
    return json_is_string(value) && json_string_length(value) == 2 * size &&
           attestd_hex_decode(json_string_value(value), 2 * size, out, size, &len) && len == size;
}

static bool time_of(const json_t *object, const char *name, int64_t *time)
{
    const char *text;
    return text_of(object, name, &text) && attestd_time_parse(text, time);
}

static bool status_of(const json_t *object, enum dcap_status *status)
{
    const char *text;
    if (!text_of(object, "tcbStatus", &text))
        return false;
    for (int i = 0; i < DCAP_STATUS_COUNT; i++) {
        bool of_lists = i != DCAP_RELAUNCH_ADVISED && i != DCAP_RELAUNCH_ADVISED_CONFIGURATION_NEEDED && i != DCAP_NOT_SUPPORTED;
        if (of_lists && strcmp(text, status_names[i]) == 0) {
            *status = (enum dcap_status)i;
            return true;
        }
    }
    return false;
}

/* INTEL-SA-00123: names are printed and compared, so they are kept to what such names are made of. */
static bool advisory_sound(const char *name)
{
    size_t len = name ? strlen(name) : 0;
    return len > 0 && len <= 32 && strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.") == len;
}

static bool advisories_of(struct attestd_arena *arena, const json_t *object, struct dcap_advisories *advisories)
{
    const json_t *list = json_object_get(object, "advisoryIDs");
    size_t count = json_array_size(list);
    if (!list)
        return true;
    if (!json_is_array(list) || count > DCAP_ADVISORIES_MAX)
        return false;
    advisories->names = attestd_arena_array(arena, count, sizeof *advisories->names);
    for (size_t i = 0; i < count; i++) {
        const char *name = json_string_value(json_array_get(list, i));
        if (!advisory_sound(name))
            return false;
        advisories->names[advisories->count++] = attestd_arena_text(arena, name);
    }
    return true;
}

static bool components_of(const json_t *tcb, const char *name, uint16_t out[16])
{
    const json_t *list = json_object_get(tcb, name);
    if (!json_is_array(list) || json_array_size(list) != 16)
        return false;
    for (size_t i = 0; i < 16; i++) {
        int64_t svn;
        if (!number_of(json_array_get(list, i), "svn", 65535, &svn))
            return false;
        out[i] = (uint16_t)svn;
    }
    return true;
}

enum level_form { LEVEL_SGX, LEVEL_TDX, LEVEL_SVN };

static bool level_read(struct attestd_arena *arena, const json_t *object, enum level_form form, struct dcap_level *level)
{
    const json_t *tcb = json_object_get(object, "tcb");
    int64_t number = 0;
    if (!status_of(object, &level->status) || !time_of(object, "tcbDate", &level->date) ||
        !advisories_of(arena, object, &level->advisories))
        return false;
    if (form == LEVEL_SVN) {
        bool good = number_of(tcb, "isvsvn", 65535, &number);
        level->isvsvn = (uint32_t)number;
        return good;
    }
    bool good = number_of(tcb, "pcesvn", 65535, &number) && components_of(tcb, "sgxtcbcomponents", level->sgx);
    level->pcesvn = (uint16_t)number;
    return good && (form == LEVEL_SGX || components_of(tcb, "tdxtcbcomponents", level->tdx));
}

static int compare_components(const uint16_t a[16], const uint16_t b[16])
{
    for (size_t i = 0; i < 16; i++) {
        if (a[i] != b[i])
            return a[i] > b[i] ? -1 : 1;
    }
    return 0;
}

/* Highest first. */
static int level_compare(const void *left, const void *right)
{
    const struct dcap_level *a = left, *b = right;
    int order = compare_components(a->sgx, b->sgx);
    if (order == 0)
        order = compare_components(a->tdx, b->tdx);
    if (order == 0 && a->pcesvn != b->pcesvn)
        order = a->pcesvn > b->pcesvn ? -1 : 1;
    if (order == 0 && a->isvsvn != b->isvsvn)
        order = a->isvsvn > b->isvsvn ? -1 : 1;
    return order;
}

static bool levels_read(struct attestd_arena *arena, const json_t *object, enum level_form form, struct dcap_levels *levels)
{
    const json_t *list = json_object_get(object, "tcbLevels");
    size_t count = json_array_size(list);
    if (!json_is_array(list) || count == 0 || count > LEVELS_MAX)
        return false;
    levels->items = attestd_arena_array(arena, count, sizeof *levels->items);
    for (; levels->count < count; levels->count++) {
        if (!level_read(arena, json_array_get(list, levels->count), form, &levels->items[levels->count]))
            return false;
    }
    qsort(levels->items, count, sizeof *levels->items, level_compare);
    return true;
}

static bool module_signer_read(const json_t *object, struct dcap_module *module)
{
    return hex_of(object, "mrsigner", module->mrsigner, 48) && hex_of(object, "attributes", module->attributes, 8) &&
           hex_of(object, "attributesMask", module->attributes_mask, 8);
}

static bool module_read(struct attestd_arena *arena, const json_t *object, struct dcap_module *module)
{
    const char *id;
    uint8_t major;
    size_t len = 0;
    if (!text_of(object, "id", &id) || strlen(id) != 6 || strncmp(id, "TDX_", 4) != 0 || !attestd_hex_decode(id + 4, 2, &major, 1, &len))
        return false;
    module->major = major;
    return module_signer_read(object, module) && levels_read(arena, object, LEVEL_SVN, &module->levels);
}

static bool modules_read(struct dcap_tcb_info *info, const json_t *object)
{
    const json_t *list = json_object_get(object, "tdxModuleIdentities");
    size_t count = json_array_size(list);
    if (count > MODULES_MAX || (list && !json_is_array(list)))
        return false;
    info->modules = attestd_arena_array(info->arena, count + 1, sizeof *info->modules);
    if (!module_signer_read(json_object_get(object, "tdxModule"), &info->modules[info->module_count++]))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!module_read(info->arena, json_array_get(list, i), &info->modules[info->module_count++]))
            return false;
    }
    return true;
}

static bool dates_read(const json_t *object, int64_t *issue_date, int64_t *next_update, int64_t *number)
{
    return time_of(object, "issueDate", issue_date) && time_of(object, "nextUpdate", next_update) &&
           number_of(object, "tcbEvaluationDataNumber", INT32_MAX, number);
}

/* Version 2 (PCS API 3) has no id: it is of SGX, and its components are flat. Nobody serves it any more; only version 3 is read. */
static bool tcb_info_fill(struct dcap_tcb_info *info, const json_t *object)
{
    const char *id;
    int64_t type;
    if (!number_of(object, "version", 3, &info->version) || info->version != 3 || !text_of(object, "id", &id))
        return false;
    info->tee = strcmp(id, "TDX") == 0 ? DCAP_TEE_TDX : strcmp(id, "SGX") == 0 ? DCAP_TEE_SGX : UINT32_MAX;
    if (info->tee == UINT32_MAX || !number_of(object, "tcbType", 0, &type))
        return false;
    if (!dates_read(object, &info->issue_date, &info->next_update, &info->evaluation_number) || !hex_of(object, "fmspc", info->fmspc, 6) ||
        !hex_of(object, "pceId", info->pceid, 2))
        return false;
    if (info->tee == DCAP_TEE_TDX && !modules_read(info, object))
        return false;
    return levels_read(info->arena, object, info->tee == DCAP_TEE_TDX ? LEVEL_TDX : LEVEL_SGX, &info->levels);
}

static json_t *read_object(struct attestd_bytes json)
{
    return json.len <= JSON_MAX ? attestd_json_read((const char *)json.data, json.len, JSON_DEPTH, NULL, 0) : NULL;
}

struct dcap_tcb_info *dcap_tcb_info_read(struct attestd_bytes json)
{
    json_t *object = read_object(json);
    struct attestd_arena *arena = attestd_arena_new();
    struct dcap_tcb_info *info = attestd_arena_alloc(arena, sizeof *info);
    info->arena = arena;
    bool good = json_is_object(object) && tcb_info_fill(info, object);
    json_decref(object);
    if (good)
        return info;
    attestd_arena_free(arena);
    return NULL;
}

void dcap_tcb_info_free(struct dcap_tcb_info *info)
{
    if (info)
        attestd_arena_free(info->arena);
}

static uint32_t big_endian(const uint8_t bytes[4])
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static bool identity_fill(struct dcap_identity *identity, const json_t *object)
{
    static const char *const ids[][2] = {{"TD_QE", "td_qe"}, {"QE", "qe"}, {"QVE", "qve"}, {"QAE", "qae"}};
    const char *id;
    uint8_t miscselect[4], mask[4];
    if (!number_of(object, "version", 2, &identity->version) || identity->version != 2 || !text_of(object, "id", &id))
        return false;
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        if (strcmp(id, ids[i][0]) == 0)
            snprintf(identity->id, sizeof identity->id, "%s", ids[i][1]);
    }
    if (!identity->id[0] || !dates_read(object, &identity->issue_date, &identity->next_update, &identity->evaluation_number) ||
        !hex_of(object, "miscselect", miscselect, 4) || !hex_of(object, "miscselectMask", mask, 4) ||
        !hex_of(object, "attributes", identity->attributes, 16) || !hex_of(object, "attributesMask", identity->attributes_mask, 16) ||
        !hex_of(object, "mrsigner", identity->mrsigner, 32) || !number_of(object, "isvprodid", 65535, &identity->prod_id))
        return false;
    /* As text it is big-endian, in the report little-endian. */
    identity->miscselect = big_endian(miscselect);
    identity->miscselect_mask = big_endian(mask);
    return levels_read(identity->arena, object, LEVEL_SVN, &identity->levels);
}

struct dcap_identity *dcap_identity_read(struct attestd_bytes json)
{
    json_t *object = read_object(json);
    struct attestd_arena *arena = attestd_arena_new();
    struct dcap_identity *identity = attestd_arena_alloc(arena, sizeof *identity);
    identity->arena = arena;
    bool good = json_is_object(object) && identity_fill(identity, object);
    json_decref(object);
    if (good)
        return identity;
    attestd_arena_free(arena);
    return NULL;
}

void dcap_identity_free(struct dcap_identity *identity)
{
    if (identity)
        attestd_arena_free(identity->arena);
}

void dcap_tcb_info_key(char key[DCAP_KEY_SIZE], uint32_t tee, const uint8_t fmspc[6])
{
    memcpy(key, tee == DCAP_TEE_TDX ? "tdx/" : "sgx/", 4);
    attestd_hex_encode(fmspc, 6, key + 4);
}

/* --- Intel's algorithm (PCS API version 4, "Get TDX TCB Info"; Intel's quote verification library, EvaluateTcb) --- */

static bool level_holds(const struct dcap_level *level, const struct dcap_pck *pck, const uint8_t *tee_tcb_svn)
{
    for (size_t i = 0; i < 16; i++) {
        if (pck->components[i] < level->sgx[i])
            return false;
    }
    if (pck->pcesvn < level->pcesvn)
        return false;
    if (!tee_tcb_svn)
        return true;
    /* From module version 1 on, bytes 0 and 1 are the module's own and judged by its identity. */
    for (size_t i = tee_tcb_svn[1] > 0 ? 2 : 0; i < 16; i++) {
        if (tee_tcb_svn[i] < level->tdx[i])
            return false;
    }
    return true;
}

const struct dcap_level *dcap_platform_level(const struct dcap_tcb_info *info, const struct dcap_pck *pck, const uint8_t *tee_tcb_svn)
{
    for (size_t i = 0; i < info->levels.count; i++) {
        if (level_holds(&info->levels.items[i], pck, tee_tcb_svn))
            return &info->levels.items[i];
    }
    return NULL;
}

const struct dcap_level *dcap_svn_level(const struct dcap_levels *levels, uint32_t svn)
{
    for (size_t i = 0; i < levels->count; i++) {
        if (levels->items[i].isvsvn <= svn)
            return &levels->items[i];
    }
    return NULL;
}

const struct dcap_module *dcap_module_of(const struct dcap_tcb_info *info, const uint8_t *tee_tcb_svn)
{
    /* Entry 0 is tdxModule, which speaks for modules of version 0; an identity "TDX_00" would say the same with levels. */
    for (size_t i = tee_tcb_svn[1] > 0 ? 1 : 0; i < info->module_count; i++) {
        if (info->modules[i].major == tee_tcb_svn[1])
            return &info->modules[i];
    }
    return NULL;
}

enum dcap_status dcap_converge(enum dcap_status platform, enum dcap_status component)
{
    if (platform == DCAP_NOT_SUPPORTED || component == DCAP_NOT_SUPPORTED)
        return DCAP_NOT_SUPPORTED;
    if (platform == DCAP_REVOKED || component == DCAP_REVOKED)
        return DCAP_REVOKED;
    if (component != DCAP_OUT_OF_DATE && component != DCAP_OUT_OF_DATE_CONFIGURATION_NEEDED)
        return component == DCAP_UP_TO_DATE || component == platform ? platform : platform > component ? platform : component;
    if (platform == DCAP_UP_TO_DATE || platform == DCAP_SW_HARDENING_NEEDED)
        return component;
    if (platform == DCAP_CONFIGURATION_NEEDED || platform == DCAP_CONFIGURATION_AND_SW_HARDENING_NEEDED)
        return DCAP_OUT_OF_DATE_CONFIGURATION_NEEDED;
    return platform;
}

enum dcap_status dcap_relaunch(enum dcap_status launch, enum dcap_status current)
{
    bool stale = launch == DCAP_OUT_OF_DATE || launch == DCAP_OUT_OF_DATE_CONFIGURATION_NEEDED;
    if (launch == DCAP_NOT_SUPPORTED || current == DCAP_NOT_SUPPORTED)
        return DCAP_NOT_SUPPORTED;
    if (launch == DCAP_REVOKED || current == DCAP_REVOKED)
        return DCAP_REVOKED;
    if (!stale || current > DCAP_CONFIGURATION_AND_SW_HARDENING_NEEDED)
        return launch;
    bool configuration = launch == DCAP_OUT_OF_DATE_CONFIGURATION_NEEDED || current == DCAP_CONFIGURATION_NEEDED ||
                         current == DCAP_CONFIGURATION_AND_SW_HARDENING_NEEDED;
    return configuration ? DCAP_RELAUNCH_ADVISED_CONFIGURATION_NEEDED : DCAP_RELAUNCH_ADVISED;
}
