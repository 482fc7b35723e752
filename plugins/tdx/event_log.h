/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Event logs of a trust domain, replayed: the CCEL (TCG crypto-agile log whose register numbers are RTMR + 1), and the JSON log that
 * guest agents keep of what they extended. A log proves nothing by itself; its replay must give the registers of the quote.
 */
#ifndef TDX_EVENT_LOG_H
#define TDX_EVENT_LOG_H

#include "layout.h"

#define DCAP_LOG_MAX 4194304u /* bytes */

struct dcap_replay {
    uint8_t rtmr[4][48];
    uint32_t events[4]; /* that extended the register */
};

/* Adds a log to a replay (which begins all zero). False when it does not read; *at: where. */
bool dcap_ccel_replay(const uint8_t *log, size_t len, struct dcap_replay *replay, size_t *at);
bool dcap_json_log_replay(const uint8_t *log, size_t len, struct dcap_replay *replay, size_t *at);
/* The ACPI table of a CCEL: signature, TDX, and a log at least as long as the one given. */
bool dcap_ccel_table_fits(const uint8_t *table, size_t len, size_t log_len);

/* Claims below `event_log`, from events whose digest covers what they say, of registers that match (bit i: RTMR i). */
void dcap_ccel_claim(const struct attestd_host *, struct attestd_appraisal *, const uint8_t *log, size_t len, unsigned matching);
void dcap_json_log_claim(const struct attestd_host *, struct attestd_appraisal *, const uint8_t *log, size_t len, unsigned matching);

#endif
