/* SPDX-License-Identifier: Apache-2.0 */
/* Real reports and certificates beside the project ($ATTESTD_VECTORS/snp), read in place with the facts of their MANIFEST. */
#ifndef TESTS_SNP_VECTORS_H
#define TESTS_SNP_VECTORS_H

#include "policy/document.h"

/* The list `files` of the MANIFEST; NULL, with a loud line, when the vectors are not there. */
const struct attestd_node *vectors_open(struct attestd_arena *arena);
/* A file's bytes; the test fails when it cannot be read. PEM files are given as they are. */
struct attestd_bytes vectors_read(struct attestd_arena *arena, const char *file);
/* The report of an entry: the file itself, or cut out of an Azure HCL container. Length 0: the entry has none. */
struct attestd_bytes vectors_report(struct attestd_arena *arena, const struct attestd_node *entry);
/* Text at a dotted path below a node, or NULL. */
const char *vectors_text(const struct attestd_node *node, const char *path);
/* The entry of this file, or NULL. */
const struct attestd_node *vectors_entry(const struct attestd_node *files, const char *file);

#endif
