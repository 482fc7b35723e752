/* SPDX-License-Identifier: Apache-2.0 */
#include "core/identifier.h"
#include <openssl/rand.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

void attestd_appraisal_id(char out[ATTESTD_ID_SIZE])
{
    uint8_t id[16];
    /* An id nobody can predict is part of the contract: without randomness there is no service. */
    if (RAND_bytes(id, sizeof id) != 1)
        abort();
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t milliseconds = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    for (int i = 0; i < 6; i++)
        id[i] = (uint8_t)(milliseconds >> (40 - 8 * i));
    id[6] = (uint8_t)((id[6] & 0x0f) | 0x70);
    id[8] = (uint8_t)((id[8] & 0x3f) | 0x80);
    snprintf(out, ATTESTD_ID_SIZE, "ap_%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", id[0], id[1], id[2], id[3],
             id[4], id[5], id[6], id[7], id[8], id[9], id[10], id[11], id[12], id[13], id[14], id[15]);
}
