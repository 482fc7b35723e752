/* SPDX-License-Identifier: Apache-2.0 */
/* The service's log: one JSON object a line on standard error. (What was decided about evidence is audit.h's.) */
#ifndef ATTESTD_SERVER_LOG_H
#define ATTESTD_SERVER_LOG_H

#include <stdbool.h>

enum log_level { LOG_AT_DEBUG, LOG_AT_INFO, LOG_AT_WARNING, LOG_AT_ERROR };

/* Lines below the level are dropped; simulated marks every line (--development). */
void log_open(enum log_level level, bool simulated);
/* event: a stable snake_case name; the text is for people. */
void log_line(enum log_level level, const char *event, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
