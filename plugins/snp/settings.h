/* SPDX-License-Identifier: Apache-2.0 */
/* The `snp:` section of a policy: its JSON Schema, and how its values are read. */
#ifndef SNP_SETTINGS_H
#define SNP_SETTINGS_H

#include "layout.h"

extern const char snp_policy_schema[];

/* A member of a map; NULL when map is NULL, no map, or has none of this name. */
const struct attestd_value *snp_member(const struct attestd_value *map, const char *name);

/* A flag may be written true, false, any, or {value: true, mode: warn, ...}. */
enum snp_wish { SNP_ANY, SNP_NO, SNP_YES };
enum snp_wish snp_wish(const struct attestd_value *value);
/* A whole number, or `otherwise` when there is none. */
int64_t snp_number(const struct attestd_value *value, int64_t otherwise);
/* A list itself, or the member `allow` of a map; NULL for neither. */
const struct attestd_value *snp_allowed(const struct attestd_value *value);
bool snp_list_has_text(const struct attestd_value *list, const char *text);
bool snp_list_has_number(const struct attestd_value *list, int64_t number);
/* Numbers of bits (0 to 63) to a mask. */
uint64_t snp_bits(const struct attestd_value *list);
/* "1.55.40" or "1.55"; false when it is not a version of at most three numbers below 256. */
bool snp_version_of(const struct attestd_value *value, struct snp_version *version);
/* The floor of a product: by CPUID if there is one, else by product name; NULL: none. */
const struct attestd_value *snp_floor_of(const struct attestd_value *floors, const struct snp_report *report, enum snp_product product);

#endif
