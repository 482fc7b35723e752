/* SPDX-License-Identifier: Apache-2.0 */
/* What every harness gives to libFuzzer, or to replay.c. It aborts on a broken promise; the sanitizers see the rest. */
#ifndef FUZZ_HARNESS_H
#define FUZZ_HARNESS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

#define PROMISE(condition)                                                                                                                 \
    do {                                                                                                                                   \
        if (!(condition)) {                                                                                                                \
            fprintf(stderr, "%s:%d: broken promise: %s\n", __FILE__, __LINE__, #condition);                                                \
            abort();                                                                                                                       \
        }                                                                                                                                  \
    } while (0)

#endif
