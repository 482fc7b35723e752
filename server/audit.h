/* SPDX-License-Identifier: Apache-2.0 */
/* The audit log: one JSON line a decision. A writer thread writes what has gathered with one write(2); who submitted a line is told
 * whether all of it was written. */
#ifndef ATTESTD_SERVER_AUDIT_H
#define ATTESTD_SERVER_AUDIT_H

#include "core/json.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct audit;

/* Embedded in what waits for the line. */
struct audit_entry {
    struct attestd_text line;                         /* ends with a line feed; the submitter's, until done() */
    void (*done)(struct audit_entry *, bool written); /* on the writer's thread */
    struct audit_entry *next;
};

/* file: appended to, made with mode 0600; "-" is standard output. NULL fills error. */
struct audit *audit_open(const char *file, char *error, size_t error_size);
/* Writes what was submitted, closes. */
void audit_close(struct audit *);
void audit_submit(struct audit *, struct audit_entry *);
/* False while lines cannot be written: nothing that needs one should be begun. Once a second it is true all the same, so that somebody
 * finds out when it can be written again. */
bool audit_ready(struct audit *);
/* Opens the file anew before the next line (after a rotation). */
void audit_reopen(struct audit *);
/* Lines that could not be written, and whether the last try failed. */
uint64_t audit_failures(struct audit *, bool *failing);

#endif
