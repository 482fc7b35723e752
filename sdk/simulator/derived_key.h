/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that are a function of what a chip or enclave is: the same machine has the same key, with nothing stored. */
#ifndef ATTESTD_SIMULATOR_DERIVED_KEY_H
#define ATTESTD_SIMULATOR_DERIVED_KEY_H

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <stddef.h>

/* The key pair of a private scalar on a curve; name is the curve's in libcrypto. The caller frees it; NULL on failure. */
EVP_PKEY *sim_key_from_scalar(const EC_GROUP *group, const char *name, const BIGNUM *scalar);
/* The P-256 key that SHA-512(purpose | 0 | seed) gives. The caller frees it; NULL on failure. */
EVP_PKEY *sim_key_p256(const char *purpose, const void *seed, size_t len);

#endif
