/* SPDX-License-Identifier: Apache-2.0 */
/* The list of routes; each is defined in its own file below routes/. */
#include "server/routes.h"

const struct route *const routes[] = {
    &route_challenge,
    &route_verify,
    &route_jwks,
    &route_openid_configuration,
    &route_attestd_discovery,
    &route_livez,
    &route_readyz,
    &route_metrics,
    &route_openapi,
    &route_checks,
    &route_policies,
    &route_policy,
    &route_policy_test,
    &route_appraisals,
    &route_appraisal,
    &route_appraisal_bundle,
    &route_endorsements,
    &route_endorsements_refresh,
    &route_anchors,
    NULL,
};

size_t route_count(void)
{
    return sizeof routes / sizeof *routes - 1;
}
