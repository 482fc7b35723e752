/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the command `attest` inside the simulated guest. */
#ifndef ATTESTD_TESTS_COLLECTOR_GUEST_H
#define ATTESTD_TESTS_COLLECTOR_GUEST_H

#include <stddef.h>
#include <stdint.h>

extern char guest_folder[64]; /* made by guest_set_up(), removed by guest_tear_down() */
extern char guest_out[262144], guest_err[65536];

int guest_set_up(void **state);
int guest_tear_down(void **state);
/* Shell words: settings ("ATTEST_SIMULATED_VLEK=1") before, arguments after; returns the exit code, fills guest_out and guest_err. */
int guest_run(const char *settings, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
