/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two plugins for tests whose evidence is a script: what the plugin shall do, a line a step. "script" is of class CPU, "gadget" a device;
 * their checks are <name>.signature (fixed, 99), <name>.parse (fixed), <name>.soft (executables 3, 33, 33), <name>.list (strict by
 * default).
 *
 *   check ID OUTCOME [CODE]     ID without the plugin's name
 *   foreign                     records a check of nobody's catalogue
 *   bind FORM HEX | sign HEX | claim PATH TEXT
 *   need KIND KEY               KIND without the name; accepts bytes, or rejects those that begin with "bad"; absent: list unavailable
 *   offer KIND KEY TEXT         accepts what the evidence encloses
 *   pend | answer N | malformed CODE
 *   delegate TYPE STEP;STEP...  and binds the field that comes back, form 0
 *   memo KEY NOT_AFTER          claims memo=hit or miss
 *   anchor PURPOSE              asks about the part "certificate"; claims anchor=N
 *   recall KEY | propose KEY VALUE
 *   signature                   checks the part "signature" over "message" by the key "spki" (P-256, raw); claims good=N
 */
#ifndef TESTS_CORE_SCRIPT_H
#define TESTS_CORE_SCRIPT_H

#include "core/engine.h"

extern const struct attestd_plugin script_plugin, gadget_plugin;

/* Runs of verify() so far. */
extern unsigned script_runs;

#endif
