/* SPDX-License-Identifier: Apache-2.0 */
/* Where vendors publish endorsements: from kind and key to a URL under a configured base. A kind may have several rows: the first whose
 * vendor is configured counts. */
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
    /* What of the answer is offered: NULL: the body; else the value of this header, percent-decoded (RFC 3986 section 2.1). */
    const char *header;
    bool may_be_hex; /* a body of hex digits alone stands for the bytes they spell */
};

/* The kind's first row. NULL: nobody is known to publish the kind. */
const struct endorsement_source *endorsement_source_find(const char *kind);
/* The same kind's next row, or NULL. */
const struct endorsement_source *endorsement_source_next(const struct endorsement_source *);
/* The vendor's own base ("https://..."), or NULL. */
const char *endorsement_source_default_base(const char *vendor);
size_t endorsement_source_vendors(const char *const **names);

extern const struct endorsement_source attestd_kds_sources[];
extern const size_t attestd_kds_source_count;
extern const struct endorsement_source attestd_pcs_sources[];
extern const size_t attestd_pcs_source_count;

#endif
