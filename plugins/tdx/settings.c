/* SPDX-License-Identifier: Apache-2.0 */
#include "settings.h"

#include "core/bytes.h"
#include <string.h>

const struct attestd_value *dcap_member(const struct attestd_value *map, const char *name)
{
    for (size_t i = 0; map && map->kind == ATTESTD_VALUE_MAP && i < map->count; i++) {
        if (strcmp(map->items[i].name, name) == 0)
            return &map->items[i];
    }
    return NULL;
}

int64_t dcap_number(const struct attestd_value *value, int64_t otherwise)
{
    return value && value->kind == ATTESTD_VALUE_NUMBER ? value->number : otherwise;
}

enum dcap_wish dcap_wish(const struct attestd_value *value, enum dcap_wish otherwise)
{
    if (value && value->kind == ATTESTD_VALUE_MAP)
        value = dcap_member(value, "value");
    if (!value)
        return otherwise;
    if (value->kind == ATTESTD_VALUE_FLAG)
        return value->number ? DCAP_YES : DCAP_NO;
    return DCAP_ANY;
}

bool dcap_list_has_text(const struct attestd_value *list, const char *text)
{
    for (size_t i = 0; list && list->kind == ATTESTD_VALUE_LIST && i < list->count; i++) {
        if (list->items[i].kind == ATTESTD_VALUE_TEXT && attestd_bytes_are(list->items[i].text, text, strlen(text)))
            return true;
    }
    return false;
}

bool dcap_list_has_number(const struct attestd_value *list, int64_t number)
{
    for (size_t i = 0; list && list->kind == ATTESTD_VALUE_LIST && i < list->count; i++) {
        if (list->items[i].kind == ATTESTD_VALUE_NUMBER && list->items[i].number == number)
            return true;
    }
    return false;
}

enum dcap_treatment dcap_treatment_of(const struct attestd_value *tcb, enum dcap_status status, int64_t time)
{
    const struct attestd_value *word = dcap_member(dcap_member(tcb, "status"), dcap_status_name(status));
    if (!word)
        return status == DCAP_UP_TO_DATE ? DCAP_ACCEPT : DCAP_REFUSE;
    if (word->kind == ATTESTD_VALUE_MAP)
        return time <= dcap_number(dcap_member(word, "warn_until"), INT64_MIN) ? DCAP_TOLERATE : DCAP_REFUSE;
    if (word->kind == ATTESTD_VALUE_TEXT && attestd_bytes_are(word->text, "pass", 4))
        return DCAP_ACCEPT;
    return word->kind == ATTESTD_VALUE_TEXT && attestd_bytes_are(word->text, "warn", 4) ? DCAP_TOLERATE : DCAP_REFUSE;
}
