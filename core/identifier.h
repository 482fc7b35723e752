/* SPDX-License-Identifier: Apache-2.0 */
/* Identifiers of appraisals: "ap_" and a UUID version 7 (RFC 9562 section 5.7). Not part of the pure appraisal: it reads clock and
 * randomness. */
#ifndef ATTESTD_CORE_IDENTIFIER_H
#define ATTESTD_CORE_IDENTIFIER_H

#define ATTESTD_ID_SIZE 40 /* "ap_", 36 characters, NUL */

void attestd_appraisal_id(char out[ATTESTD_ID_SIZE]);

#endif
