/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TDX_VERIFY_H
#define TDX_VERIFY_H

#include "endorsements.h"

/* What Intel's lists say of a platform. */
struct dcap_verdict {
    bool known;                                                        /* TCB info and identity hold */
    enum dcap_status status;                                           /* all in one */
    enum dcap_status platform, module, qe;                             /* of the launch, where launch and present differ */
    enum dcap_status current;                                          /* of the present SVNs (TD report 1.5); else that of the launch */
    const struct dcap_level *platform_level, *module_level, *qe_level; /* NULL: none */
    bool has_module;                                                   /* the module has levels of its own */
    int64_t date;                                                      /* the oldest of the levels; 0: none */
    struct dcap_advisories advisories;                                 /* of all levels */
};

int32_t dcap_verify(const struct attestd_host *, const struct attestd_evidence *, struct attestd_appraisal *);
int32_t dcap_inspect(const struct attestd_host *, const struct attestd_evidence *, struct attestd_appraisal *);

#endif
