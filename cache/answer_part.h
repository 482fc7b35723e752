/* SPDX-License-Identifier: Apache-2.0 */
/* Which bytes of a vendor's answer are the endorsement: its body, what the body spells in hex, or what a header holds. */
#ifndef ATTESTD_CACHE_ANSWER_PART_H
#define ATTESTD_CACHE_ANSWER_PART_H

#include "cache/source.h"
#include "cache/transfer.h"

#define ANSWER_HEADER_MAX ((size_t)32 << 10) /* characters of a header's value: an issuer chain has about 2,000 */

struct answer_part {
    const uint8_t *bytes; /* of the transfer, or made */
    size_t len;           /* > 0 */
    uint8_t *made;        /* to be freed by the caller; NULL: nothing was made */
};

/* False: the answer holds none: an empty body, no such header or several, one that is not strictly percent-encoded text; or memory is
 * out. `made` is set either way. */
bool answer_part(const struct endorsement_source *, const struct transfer *, struct answer_part *out);

#endif
