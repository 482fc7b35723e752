/* SPDX-License-Identifier: Apache-2.0 */
/* Struct to claims, by the names of DESIGN 12. */
#ifndef TDX_CLAIMS_H
#define TDX_CLAIMS_H

#include "verify.h"

void dcap_claim_quote(const struct attestd_host *, struct attestd_appraisal *, const struct dcap_quote *);
void dcap_claim_platform(const struct dcap_run *, const struct dcap_verdict *);

#endif
