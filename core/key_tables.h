/* SPDX-License-Identifier: Apache-2.0 */
/* Per-key tables for P-384 (docs/performance.md); not exported. */
#ifndef ATTESTD_CORE_KEY_TABLES_H
#define ATTESTD_CORE_KEY_TABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Switched on and not paused. */
bool key_tables_on(void);
/* While paused every check is the plain one: for measuring. */
void key_tables_pause(bool paused);
/* 1 good, 0 not; -1: there is no table for this key, or the values are exceptional, and the plain check must decide. signature: r and s,
 * both in range. */
int key_table_verify(const uint8_t key_digest[32], const uint8_t digest[48], const uint8_t signature[96]);
/* Makes the table (about as costly as two plain checks) unless it is there. point: x and y. */
void key_table_make(const uint8_t key_digest[32], const uint8_t point[96]);

#endif
