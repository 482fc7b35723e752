/* SPDX-License-Identifier: Apache-2.0 */
#include "server/log.h"
#include "core/encoding.h"
#include "core/json.h"
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static enum log_level least = LOG_AT_INFO;
static bool marked;

void log_open(enum log_level level, bool simulated)
{
    least = level;
    marked = simulated;
}

void log_line(enum log_level level, const char *event, const char *format, ...)
{
    static const char *const names[] = {"debug", "info", "warning", "error"};
    if (level < least)
        return;
    char message[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);

    struct attestd_text line = {0};
    struct attestd_json_writer w = attestd_json_writer_to(&line);
    attestd_json_open_map(&w, NULL);
    attestd_json_time(&w, "time", (int64_t)time(NULL));
    attestd_json_text(&w, "level", names[level]);
    attestd_json_text(&w, "event", event);
    attestd_json_text(&w, "message", message);
    if (marked)
        attestd_json_flag(&w, "simulated", true);
    attestd_json_close_map(&w);
    attestd_text_puts(&line, "\n");
    /* One write a line, so that lines of several threads do not mix. A full or closed standard error is not worth an end. */
    ssize_t written = write(STDERR_FILENO, line.data, line.len);
    (void)written;
    attestd_text_free(&line);
}
