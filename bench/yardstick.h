/* SPDX-License-Identifier: Apache-2.0 */
/* What libcrypto alone does on this machine, in this moment: the measure for everything else. */
#ifndef BENCH_YARDSTICK_H
#define BENCH_YARDSTICK_H

#include <stdint.h>

/* Nanoseconds of CPU time of this thread: what other processes take does not count. Or, once asked for, of the clock on the wall. */
int64_t bench_clock(void);
void bench_use_wall_clock(void);
const char *bench_clock_name(void);

/* Calls once() again and again for so many milliseconds of bench_clock(); calls per second. */
double bench_rate(void once(void *context, unsigned turn), void *context, unsigned milliseconds);

/* Signature checks per second: one key, one prepared context, the digest at hand, as `openssl speed` does it. curve: "P-256", "P-384". */
double bench_libcrypto_rate(const char *curve, unsigned milliseconds);

#endif
