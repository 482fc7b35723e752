/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Core's own checks: what is decided across pieces of evidence, and about plugins. docs/checks.md explains each.
 *
 * Core records binding.nonce, binding.layout, binding.binder, binding.device_nonce, binding.unbound, endorsements.source and plugin.*;
 * the policy view records the others through attestd_job_check().
 */
#ifndef ATTESTD_CORE_CHECKS_H
#define ATTESTD_CORE_CHECKS_H

#include <attestd/plugin.h>

/* NULL-terminated, in the order of the catalogue. */
extern const struct attestd_check *const attestd_core_checks[];

extern const struct attestd_check attestd_check_binding_binder, attestd_check_binding_layout, attestd_check_binding_nonce,
    attestd_check_binding_device_nonce, attestd_check_binding_unbound, attestd_check_binding_key, attestd_check_binding_data,
    attestd_check_freshness_source, attestd_check_freshness_age, attestd_check_endorsements_source, attestd_check_plugin_progress,
    attestd_check_plugin_record;

#endif
