/* SPDX-License-Identifier: Apache-2.0 */
/* The report as claims (docs/evidence/snp.md). */
#ifndef SNP_CLAIMS_H
#define SNP_CLAIMS_H

#include "endorsements.h"

/* What the bytes say. product: as far as it is known; with SNP_NO_PRODUCT no TCB is told, as its layout is not known. */
void snp_claim_report(const struct attestd_host *host, struct attestd_appraisal *appraisal, const struct snp_report *report,
                      enum snp_product product);
/* What the certificate and the list of revoked ones say. */
void snp_claim_endorsements(const struct attestd_host *host, struct attestd_appraisal *appraisal,
                            const struct snp_authenticity *authenticity);

#endif
