/* SPDX-License-Identifier: Apache-2.0 */
/* Files of this folder that are part of the program; the build turns them into texts. */
#ifndef ATTESTD_POLICY_EMBEDDED_H
#define ATTESTD_POLICY_EMBEDDED_H

extern const char attestd_policy_schema_json[]; /* policy.schema.json */
extern const char attestd_hardware_only_yaml[]; /* hardware-only.yaml */

#endif
