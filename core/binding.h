/* SPDX-License-Identifier: Apache-2.0 */
/* Binding layouts: what a guest must have put into its signed field (docs/binding.md). */
#ifndef ATTESTD_CORE_BINDING_H
#define ATTESTD_CORE_BINDING_H

#include "core/request.h"

struct attestd_device_digest {
    const char *label;
    uint8_t sha256[32]; /* of the device's signed bytes */
};

/* Known layout names: attestd-v1, raw, sha512, trustee, ita. */
bool attestd_binding_layout_known(const char *layout);

/*
 * D of layout attestd-v1, 64 bytes. devices are in bytewise order of labels. audience may be NULL (empty), key NULL (empty).
 */
void attestd_binding_d(struct attestd_bytes nonce, const char *audience, const struct attestd_jwk *key, const struct attestd_datum *data,
                       size_t data_count, const struct attestd_device_digest *devices, size_t device_count, uint8_t d[64]);

/* SHA-256("attestd-device-v1\n" | L(nonce) | L(label)). */
void attestd_binding_device_nonce(struct attestd_bytes nonce, const char *label, uint8_t out[32]);

/*
 * The 64 bytes the named layout demands for this request. False when the request carries what the layout cannot bind (then
 * *why is a phrase). ita and trustee: docs/binding.md.
 */
bool attestd_binding_expected(const struct attestd_request *request, const struct attestd_device_digest *devices, size_t device_count,
                              uint8_t out[64], const char **why);

#endif
