/* SPDX-License-Identifier: Apache-2.0 */
#include "core/checks.h"

#include <stdbool.h>

#define REASONS(...)                                                                                                                       \
    (const struct attestd_reason[])                                                                                                        \
    {                                                                                                                                      \
        __VA_ARGS__,                                                                                                                       \
        {                                                                                                                                  \
            NULL, NULL                                                                                                                     \
        }                                                                                                                                  \
    }

const struct attestd_check attestd_check_binding_binder = {
    .id = "binding.binder",
    .title = "exactly one piece of evidence binds all others",
    .fixed = 1,
    .claim = ATTESTD_NO_CLAIM,
    .reference = "docs/binding.md, who is the binder",
    .reasons = REASONS({"BINDER_AMBIGUOUS", "Name the binding piece's label in the policy's binding.by, or send one CPU piece only."},
                       {"BINDER_MISSING", "Send CPU evidence beside the devices, or name the binding piece's label in binding.by."}),
};

const struct attestd_check attestd_check_binding_layout = {
    .id = "binding.layout",
    .title = "the binding layout is allowed and can bind everything the request carries",
    .fixed = 1,
    .claim = ATTESTD_NO_CLAIM,
    .reference = "docs/binding.md, layouts",
    .reasons =
        REASONS({"BINDING_LAYOUT_UNKNOWN", "Use one of attestd-v1, raw, sha512, trustee, ita."},
                {"BINDING_LAYOUT_CANNOT_BIND",
                 "Use layout attestd-v1, or leave the audience, key, data or devices that this layout cannot bind out of the request."},
                {"BINDING_LAYOUT_NOT_ALLOWED", "Collect with a layout the policy lists, or add this one to binding.layouts."}),
};

const struct attestd_check attestd_check_binding_nonce = {
    .id = "binding.nonce",
    .title = "the binder's signed field carries what the layout demands",
    .fixed = 1,
    .claim = ATTESTD_NO_CLAIM,
    .reference = "docs/binding.md, attestd-v1",
    .reasons = REASONS(
        {"NONCE_MISMATCH", "Collect new evidence with the nonce of this request; old evidence does not answer a new nonce."},
        {"NONCE_NOT_BOUND", "Bind the nonce: the evidence binds everything else of the request with an empty nonce."},
        {"BINDING_MISMATCH",
         "Send exactly the nonce, audience, key, data and devices that the guest bound, and collect with the same layout as the request."},
        {"BINDING_LAYOUT_MISMATCH", "Name in binding.layout the layout that the guest used, or collect with the layout of the request."},
        {"BINDING_AUDIENCE_NOT_BOUND", "Collect with the audience of the request, so that the guest binds it."},
        {"BINDING_KEY_NOT_BOUND", "Collect with the key of the request's cnf, so that the guest binds it."},
        {"BINDING_DATA_NOT_BOUND", "Collect with the data of the request, so that the guest binds it."},
        {"BINDING_FIELD_EMPTY", "Collect again: the guest left the signed field empty, so nothing ties the evidence to this request."},
        {"BINDING_FIELD_MISSING", "Use evidence that has a signed field for a nonce."}),
};

const struct attestd_check attestd_check_binding_device_nonce = {
    .id = "binding.device_nonce",
    .title = "the device's evidence carries the device nonce of this request and label",
    .fixed = 1,
    .claim = ATTESTD_NO_CLAIM,
    .reference = "docs/binding.md, devices",
    .reasons =
        REASONS({"DEVICE_NONCE_MISMATCH",
                 "Collect the device's evidence with SHA-256 of the device prefix, this request's nonce and this label as its nonce."}),
};

const struct attestd_check attestd_check_binding_unbound = {
    .id = "binding.unbound",
    .title = "the binder's signed field covers this device's signed bytes",
    .fixed = 0,
    .default_mode = ATTESTD_STRICT,
    .claim = ATTESTD_NO_CLAIM,
    .reference = "docs/binding.md, devices",
    .reasons = REASONS({"EVIDENCE_UNBOUND", "Collect device and binder together under one nonce, so that the binder's field covers the "
                                            "device; or allow it with bound_to: none."}),
};

const struct attestd_check attestd_check_binding_key = {
    .id = "binding.key",
    .title = "a key is bound, as the policy demands",
    .fixed = 1,
    .claim = ATTESTD_NO_CLAIM,
    .reference = "docs/binding.md, key",
    .reasons = REASONS({"BINDING_KEY_MISSING", "Send the public key the guest bound as binding.cnf.jwk, or set binding: {key: optional}."}),
};

const struct attestd_check attestd_check_binding_data = {
    .id = "binding.data",
    .title = "the bound data is what the policy's reference set lists",
    .fixed = 0,
    .default_mode = ATTESTD_STRICT,
    .claim = ATTESTD_EXECUTABLES,
    .affirming = 0,
    .warning = 33,
    .contraindicated = 33,
    .reference = "docs/policy.md, binding.data",
    .reasons = REASONS({"BINDING_DATA_NOT_IN_SET", "Add the value to the reference set, or run what the set lists."},
                       {"BINDING_DATA_MISSING", "Bind this datum in the guest and send it in binding.data."}),
};

const struct attestd_check attestd_check_freshness_source = {
    .id = "freshness.source",
    .title = "the nonce comes from where the policy demands",
    .fixed = 1,
    .claim = ATTESTD_NO_CLAIM,
    .reference = "docs/policy.md, freshness",
    .reasons = REASONS({"FRESHNESS_CHALLENGE_REQUIRED", "Take a challenge from POST /challenge and collect with its nonce."},
                       {"FRESHNESS_NONCE_REQUIRED", "Send the nonce the evidence was collected with, or take a challenge."}),
};

const struct attestd_check attestd_check_freshness_age = {
    .id = "freshness.age",
    .title = "the nonce is not older than the policy allows",
    .fixed = 0,
    .default_mode = ATTESTD_STRICT,
    .claim = ATTESTD_NO_CLAIM,
    .reference = "docs/policy.md, freshness",
    .reasons = REASONS({"NONCE_TOO_OLD", "Submit the evidence sooner after the challenge, or raise freshness.max_age."},
                       {"NONCE_AGE_UNKNOWN", "Use a challenge of this verifier: only its age is known; or leave max_age out."}),
};

static const struct attestd_check require_missing = {
    .id = "require.missing",
    .title = "every kind of evidence the policy requires is there",
    .fixed = 0,
    .default_mode = ATTESTD_STRICT,
    .claim = ATTESTD_NO_CLAIM,
    .reference = "docs/policy.md, require",
    .reasons = REASONS({"REQUIRED_EVIDENCE_MISSING", "Send the evidence the policy's require section names."}),
};

static const struct attestd_check require_count = {
    .id = "require.count",
    .title = "there are as many pieces of each kind as the policy requires",
    .fixed = 0,
    .default_mode = ATTESTD_STRICT,
    .claim = ATTESTD_NO_CLAIM,
    .reference = "docs/policy.md, require",
    .reasons = REASONS({"REQUIRED_COUNT_MISMATCH", "Send one piece of evidence for each device the policy counts."}),
};

static const struct attestd_check require_unexpected = {
    .id = "require.unexpected",
    .title = "no evidence is there that the policy does not ask for",
    .fixed = 0,
    .default_mode = ATTESTD_STRICT,
    .claim = ATTESTD_NO_CLAIM,
    .reference = "docs/policy.md, require",
    .reasons = REASONS({"EVIDENCE_NOT_ASKED_FOR", "Leave this piece out, or add its kind to the policy's require section."}),
};

static const struct attestd_check policy_valid = {
    .id = "policy.valid",
    .title = "the policy is within its dates",
    .fixed = 1,
    .claim = ATTESTD_NO_CLAIM,
    .reference = "docs/policy.md, valid",
    .reasons = REASONS({"POLICY_NOT_YET_VALID", "Wait for the policy's valid.from, or name another policy."},
                       {"POLICY_EXPIRED", "Renew the policy: set a later valid.until and a new version."}),
};

static const struct attestd_check policy_audience = {
    .id = "policy.audience",
    .title = "the policy may speak to the audience",
    .fixed = 1,
    .claim = ATTESTD_NO_CLAIM,
    .reference = "docs/policy.md, token.audiences",
    .reasons = REASONS({"POLICY_AUDIENCE_NOT_LISTED", "Name a policy that lists this audience in token.audiences."}),
};

static const struct attestd_check policy_reference_values = {
    .id = "policy.reference_values",
    .title = "the software was compared with reference values",
    .fixed = 0,
    .default_mode = ATTESTD_WARN,
    .claim = ATTESTD_EXECUTABLES,
    .affirming = 0, /* the comparing check itself says what was found */
    .warning = 0,
    .contraindicated = 33,
    .reference = "docs/policy.md, reference sets",
    .reasons = REASONS({"NOTHING_COMPARED", "Give the policy a reference set for the measurement: attestctl policy init writes a start."}),
};

static const struct attestd_check policy_reference_entry = {
    .id = "policy.reference_entry",
    .title = "one entry of the reference set matches all compared values",
    .fixed = 0,
    .default_mode = ATTESTD_STRICT,
    .claim = ATTESTD_EXECUTABLES,
    .affirming = 3,
    .warning = 33,
    .contraindicated = 33,
    .reference = "docs/policy.md, reference sets",
    .reasons = REASONS({"REFERENCE_ENTRY_MISMATCH", "Add one entry that holds these values together; they match entries only one by one."},
                       {"REFERENCE_SET_EXPIRED", "Renew the reference set: its expires date has passed."}),
};

static const struct attestd_check policy_score = {
    .id = "policy.score",
    .title = "the costs of failed warn-mode checks leave the score above the policy's bound",
    .fixed = 1,
    .claim = ATTESTD_NO_CLAIM,
    .reference = "docs/policy.md, score",
    .reasons = REASONS({"SCORE_TOO_LOW", "Mend the failed warn-mode checks that cost most, or lower score.contraindicated_below."}),
};

const struct attestd_check attestd_check_endorsements_source = {
    .id = "endorsements.source",
    .title = "endorsements that age come from the vendor, not from the attester",
    .fixed = 0,
    .default_mode = ATTESTD_WARN,
    .claim = ATTESTD_NO_CLAIM,
    .reference = "docs/endorsements.md, sources",
    .reasons = REASONS(
        {"ENDORSEMENT_FROM_EVIDENCE", "Let the verifier fetch or import this list; the attester's own copy may be an outdated one."}),
};

const struct attestd_check attestd_check_plugin_progress = {
    .id = "plugin.progress",
    .title = "the plugin came to an end",
    .fixed = 1,
    .claim = ATTESTD_NO_CLAIM,
    .reference = "docs/architecture.md, needs",
    .reasons = REASONS({"PLUGIN_NO_PROGRESS", "Report the evidence to the plugin's maintainer: it waits without asking for anything new."}),
};

const struct attestd_check attestd_check_plugin_record = {
    .id = "plugin.record",
    .title = "the plugin kept to its catalogue",
    .fixed = 1,
    .claim = ATTESTD_NO_CLAIM,
    .reference = "docs/architecture.md, the plugin ABI",
    .reasons = REASONS({"PLUGIN_DEFECT", "Report the observed text and the evidence to the plugin's maintainer."},
                       {"PLUGIN_NOTHING_CHECKED", "Report the evidence to the plugin's maintainer: it recorded no fixed check."}),
};

const struct attestd_check *const attestd_core_checks[] = {
    &attestd_check_binding_binder,
    &attestd_check_binding_layout,
    &attestd_check_binding_nonce,
    &attestd_check_binding_device_nonce,
    &attestd_check_binding_unbound,
    &attestd_check_binding_key,
    &attestd_check_binding_data,
    &attestd_check_freshness_source,
    &attestd_check_freshness_age,
    &require_missing,
    &require_count,
    &require_unexpected,
    &policy_valid,
    &policy_audience,
    &policy_reference_values,
    &policy_reference_entry,
    &policy_score,
    &attestd_check_endorsements_source,
    &attestd_check_plugin_progress,
    &attestd_check_plugin_record,
    NULL,
};
