/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An operator's folders of endorsements. Files are recognised by content, whatever their names: certificates and CRLs in DER or PEM, JSON
 * and XML documents, and the documents `attestctl endorsements export` writes. Folders are read whole at first use, and again after a
 * change (also when a ConfigMap is swapped).
 */
#ifndef ATTESTD_CACHE_DIRECTORY_H
#define ATTESTD_CACHE_DIRECTORY_H

#include "cache/endorsement.h"

struct directory;

/* paths: NULL-terminated; NULL: none. False answers go to error: a path that is no directory. */
struct directory *directory_new(const struct attestd_engine *, const char *const *paths, char *error, size_t error_size);
void directory_free(struct directory *);
/* Adds what the folders hold for this kind and key. */
void directory_find(struct directory *, const char *kind, const char *key, struct candidates *);

#endif
