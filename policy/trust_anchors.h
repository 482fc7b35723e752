/* SPDX-License-Identifier: Apache-2.0 */
/* trust-anchors/<vendor>.yaml to an anchor set. */
#ifndef ATTESTD_POLICY_TRUST_ANCHORS_H
#define ATTESTD_POLICY_TRUST_ANCHORS_H

#include "core/anchors.h"
#include "policy/document.h"

/* Adds the pins of every *.yaml in the directory. */
bool attestd_trust_anchors_load(struct attestd_anchor_set *set, const char *directory, struct attestd_policy_fault *fault);
/* Adds the pins of one text. */
bool attestd_trust_anchors_add(struct attestd_anchor_set *set, const char *file, const char *text, size_t len,
                               struct attestd_policy_fault *fault);

#endif
