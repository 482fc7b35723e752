/* SPDX-License-Identifier: Apache-2.0 */
#include "settings.h"

#include "core/bytes.h"
#include <string.h>

const struct attestd_value *snp_member(const struct attestd_value *map, const char *name)
{
    if (!map || map->kind != ATTESTD_VALUE_MAP)
        return NULL;
    for (size_t i = 0; i < map->count; i++) {
        if (map->items[i].name && strcmp(map->items[i].name, name) == 0)
            return &map->items[i];
    }
    return NULL;
}

enum snp_wish snp_wish(const struct attestd_value *value)
{
    if (value && value->kind == ATTESTD_VALUE_MAP)
        value = snp_member(value, "value");
    if (!value || value->kind != ATTESTD_VALUE_FLAG)
        return SNP_ANY;
    return value->number ? SNP_YES : SNP_NO;
}

int64_t snp_number(const struct attestd_value *value, int64_t otherwise)
{
    return value && value->kind == ATTESTD_VALUE_NUMBER ? value->number : otherwise;
}

const struct attestd_value *snp_allowed(const struct attestd_value *value)
{
    if (value && value->kind == ATTESTD_VALUE_MAP)
        value = snp_member(value, "allow");
    return value && value->kind == ATTESTD_VALUE_LIST ? value : NULL;
}

bool snp_list_has_text(const struct attestd_value *list, const char *text)
{
    for (size_t i = 0; list && i < list->count; i++) {
        if (list->items[i].kind == ATTESTD_VALUE_TEXT && attestd_bytes_are(list->items[i].text, text, strlen(text)))
            return true;
    }
    return false;
}

bool snp_list_has_number(const struct attestd_value *list, int64_t number)
{
    for (size_t i = 0; list && i < list->count; i++) {
        if (list->items[i].kind == ATTESTD_VALUE_NUMBER && list->items[i].number == number)
            return true;
    }
    return false;
}

uint64_t snp_bits(const struct attestd_value *list)
{
    uint64_t mask = 0;
    for (size_t i = 0; list && list->kind == ATTESTD_VALUE_LIST && i < list->count; i++) {
        if (list->items[i].kind == ATTESTD_VALUE_NUMBER && list->items[i].number >= 0 && list->items[i].number < 64)
            mask |= UINT64_C(1) << list->items[i].number;
    }
    return mask;
}

bool snp_version_of(const struct attestd_value *value, struct snp_version *version)
{
    unsigned numbers[3] = {0, 0, 0};
    size_t at = 0;
    if (!value || value->kind != ATTESTD_VALUE_TEXT || value->text.len == 0)
        return false;
    for (size_t i = 0; i < value->text.len; i++) {
        uint8_t c = value->text.data[i];
        if (c == '.' && at < 2) {
            at++;
            continue;
        }
        if (c < '0' || c > '9')
            return false;
        numbers[at] = numbers[at] * 10 + (unsigned)(c - '0');
        if (numbers[at] > 255)
            return false;
    }
    *version = (struct snp_version){(uint8_t)numbers[0], (uint8_t)numbers[1], (uint8_t)numbers[2]};
    return true;
}

const struct attestd_value *snp_floor_of(const struct attestd_value *floors, const struct snp_report *report, enum snp_product product)
{
    char cpuid[9];
    if (report->has_cpuid) {
        snp_report_cpuid_text(report, cpuid);
        const struct attestd_value *exact = snp_member(floors, cpuid);
        if (exact)
            return exact;
    }
    return snp_member(floors, snp_product_name(product));
}
