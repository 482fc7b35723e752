/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ATTESTD_SERVER_ROUTES_H
#define ATTESTD_SERVER_ROUTES_H

#include "server/router.h"

extern const struct route route_challenge, route_verify, route_jwks, route_openid_configuration, route_attestd_discovery, route_livez,
    route_readyz, route_metrics, route_openapi, route_checks, route_policies, route_policy, route_policy_test, route_appraisals,
    route_appraisal, route_appraisal_bundle, route_endorsements, route_endorsements_refresh, route_anchors;

#endif
