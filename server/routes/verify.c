/* SPDX-License-Identifier: Apache-2.0 */
/* POST /verify: the work is verification.h's. */
#include "server/routes.h"
#include "server/verification.h"

const struct route route_verify = {"/verify", true, {{"POST", verification_begin, ACCESS_LIMITED}}};
