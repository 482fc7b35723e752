/* SPDX-License-Identifier: Apache-2.0 */
/* Where vendors publish endorsements: from kind and key to a URL under a configured base. One row a kind. */
#ifndef ATTESTD_CACHE_SOURCE_H
#define ATTESTD_CACHE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#define SOURCE_URL_MAX 1024u

struct endorsement_source {
    const char *kind;
    const char *vendor; /* name in the table of bases; NULL: no vendor publishes it */
    /* Writes the path below the base ("/vcek/v1/..."), at most SOURCE_URL_MAX bytes. Returns NULL, or a static phrase why nothing can be
     * asked for this key. */
    const char *(*path)(const char *key, char *out, size_t size);
    const char *absent; /* the phrase when no vendor publishes it */
};

/* NULL: nobody is known to publish the kind. */
const struct endorsement_source *endorsement_source_find(const char *kind);
/* The vendor's own base ("https://..."), or NULL. */
const char *endorsement_source_default_base(const char *vendor);
size_t endorsement_source_vendors(const char *const **names);

extern const struct endorsement_source attestd_kds_sources[];
extern const size_t attestd_kds_source_count;

#endif
