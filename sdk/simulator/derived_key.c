/* SPDX-License-Identifier: Apache-2.0 */
#include "sdk/simulator/derived_key.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/obj_mac.h>
#include <openssl/param_build.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

EVP_PKEY *sim_key_from_scalar(const EC_GROUP *group, const char *name, const BIGNUM *scalar)
{
    EVP_PKEY *key = NULL;
    uint8_t point_bytes[1 + 2 * 48];
    size_t point_len = 1 + 2 * (((size_t)EC_GROUP_get_degree(group) + 7) / 8);
    EC_POINT *point = EC_POINT_new(group);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    OSSL_PARAM *parameters = NULL;
    if (point && builder && context && point_len <= sizeof point_bytes && EC_POINT_mul(group, point, scalar, NULL, NULL, NULL) == 1 &&
        EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, point_bytes, sizeof point_bytes, NULL) == point_len &&
        OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, name, 0) == 1 &&
        OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point_bytes, point_len) == 1 &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_PRIV_KEY, scalar) == 1 && (parameters = OSSL_PARAM_BLD_to_param(builder)) != NULL &&
        EVP_PKEY_fromdata_init(context) == 1 && EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, parameters) != 1) {
        key = NULL;
    }
    OSSL_PARAM_free(parameters);
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_BLD_free(builder);
    EC_POINT_free(point);
    return key;
}

/* Twice as wide as the order, reduced to 1 .. order - 1. */
static bool scalar_of(const uint8_t wide[64], const BIGNUM *order, BIGNUM *scalar)
{
    BN_CTX *numbers = BN_CTX_new();
    BIGNUM *bound = BN_dup(order);
    bool good = numbers && bound && BN_bin2bn(wide, 64, scalar) && BN_sub_word(bound, 1) == 1 &&
                BN_mod(scalar, scalar, bound, numbers) == 1 && BN_add_word(scalar, 1) == 1;
    BN_free(bound);
    BN_CTX_free(numbers);
    return good;
}

EVP_PKEY *sim_key_p256(const char *purpose, const void *seed, size_t len)
{
    uint8_t wide[64];
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    BIGNUM *scalar = BN_new();
    EVP_PKEY *key = NULL;
    if (digest && group && scalar && EVP_DigestInit_ex(digest, EVP_sha512(), NULL) == 1 &&
        EVP_DigestUpdate(digest, purpose, strlen(purpose) + 1) == 1 && EVP_DigestUpdate(digest, seed, len) == 1 &&
        EVP_DigestFinal_ex(digest, wide, NULL) == 1 && scalar_of(wide, EC_GROUP_get0_order(group), scalar)) {
        key = sim_key_from_scalar(group, SN_X9_62_prime256v1, scalar);
    }
    BN_clear_free(scalar);
    EC_GROUP_free(group);
    EVP_MD_CTX_free(digest);
    if (!key) {
        ERR_clear_error();
    }
    return key;
}
