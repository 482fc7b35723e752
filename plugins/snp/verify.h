/* SPDX-License-Identifier: Apache-2.0 */
/* The checks, in their order (docs/evidence/snp.md). */
#ifndef SNP_VERIFY_H
#define SNP_VERIFY_H

#include <attestd/plugin.h>

/* The plugin's verify() and inspect(). */
int32_t snp_verify(const struct attestd_host *host, const struct attestd_evidence *evidence, struct attestd_appraisal *appraisal);
int32_t snp_inspect(const struct attestd_host *host, const struct attestd_evidence *evidence, struct attestd_appraisal *appraisal);

#endif
