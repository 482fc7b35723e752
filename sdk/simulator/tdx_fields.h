/* SPDX-License-Identifier: Apache-2.0 */
/* Fields and faults of a simulated TDX or SGX scene by name, for command lines and environment variables. */
#ifndef ATTESTD_SIMULATOR_TDX_FIELDS_H
#define ATTESTD_SIMULATOR_TDX_FIELDS_H

#include "sdk/simulator/tdx.h"

#include <stdio.h>

/*
 * "field=value"; "status=WORD", "module.status=WORD" and "qe.status=WORD" do what sim_tdx_set_status() does. False: no such field, or not a
 * value for it.
 */
bool sim_tdx_set(struct sim_tdx_scene *, const char *assignment);
/* False: no fault of that name. */
bool sim_tdx_apply_fault(struct sim_tdx_scene *, const char *name);

void sim_tdx_list_fields(FILE *);
void sim_tdx_list_faults(FILE *);

#endif
