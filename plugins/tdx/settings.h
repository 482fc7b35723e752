/* SPDX-License-Identifier: Apache-2.0 */
/* The `tdx:` and `sgx:` sections of a policy: their JSON Schema, and how values are read. */
#ifndef TDX_SETTINGS_H
#define TDX_SETTINGS_H

#include "tcb_info.h"

extern const char dcap_policy_schema[];

/* A member of a map; NULL when map is NULL, no map, or has none of this name. */
const struct attestd_value *dcap_member(const struct attestd_value *map, const char *name);
/* A whole number, or `otherwise`. */
int64_t dcap_number(const struct attestd_value *value, int64_t otherwise);
/* A flag may be written true, false, any, or {value: true, mode: warn, ...}. */
enum dcap_wish { DCAP_ANY, DCAP_NO, DCAP_YES };
enum dcap_wish dcap_wish(const struct attestd_value *value, enum dcap_wish otherwise);
bool dcap_list_has_text(const struct attestd_value *list, const char *text);
bool dcap_list_has_number(const struct attestd_value *list, int64_t number);

/* What policy makes of a status at a time: all but UpToDate fail unless tcb.status says otherwise. */
enum dcap_treatment { DCAP_ACCEPT, DCAP_TOLERATE, DCAP_REFUSE };
enum dcap_treatment dcap_treatment_of(const struct attestd_value *tcb, enum dcap_status status, int64_t time);

#endif
