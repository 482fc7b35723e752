/* SPDX-License-Identifier: Apache-2.0 */
/* The ES256 groups of Project Wycheproof's JWS vectors, read where they lie, through the signature layer of libattest-rp. */
#include "sdk/relying-party/token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static json_t *vectors;

static int load(void **state)
{
    char path[1024];
    const char *root = getenv("ATTESTD_VECTORS");
    (void)state;
    snprintf(path, sizeof(path), "%s/tokens/jose/json_web_signature_test.json", root == NULL ? "." : root);
    vectors = json_load_file(path, 0, NULL);
    if (vectors == NULL)
        print_message("VECTORS absent: %s; the JWS vectors were NOT run\n", path);
    return 0;
}

static int unload(void **state)
{
    (void)state;
    json_decref(vectors);
    return 0;
}

static bool accepted(const struct rp_jwks *jwks, const char *jws)
{
    struct rp_compact compact;
    if (rp_compact_read(jws, false, &compact) != ATTESTD_RP_OK)
        return false;
    EVP_PKEY *key = rp_jwks_find(jwks, compact.kid);
    bool good = key != NULL && rp_verify_es256(key, compact.signed_at, compact.signed_len, compact.signature);
    rp_compact_clear(&compact);
    return good;
}

static struct rp_jwks *set_of(json_t *jwk)
{
    json_t *set = json_pack("{s:[O]}", "keys", jwk);
    char *text = json_dumps(set, JSON_COMPACT);
    struct rp_jwks *jwks = rp_jwks_read(text);
    free(text);
    json_decref(set);
    assert_non_null(jwks);
    return jwks;
}

static size_t run_group(const json_t *group, size_t *valid)
{
    size_t index, count = 0;
    json_t *test;
    struct rp_jwks *jwks = set_of(json_object_get(group, "public"));
    json_array_foreach(json_object_get(group, "tests"), index, test)
    {
        bool should = strcmp(json_string_value(json_object_get(test, "result")), "valid") == 0;
        const char *jws = json_string_value(json_object_get(test, "jws"));
        if (accepted(jwks, jws) != should)
            fail_msg("tcId %d: %s", (int)json_integer_value(json_object_get(test, "tcId")),
                     json_string_value(json_object_get(test, "comment")));
        count++;
        *valid += should;
    }
    rp_jwks_free(jwks);
    return count;
}

static void p256_groups_give_their_published_results(void **state)
{
    size_t index, count = 0, valid = 0;
    json_t *group;
    (void)state;
    if (vectors == NULL)
        skip();
    json_array_foreach(json_object_get(vectors, "testGroups"), index, group)
    {
        const char *curve = json_string_value(json_object_get(json_object_get(group, "public"), "crv"));
        if (curve != NULL && strcmp(curve, "P-256") == 0)
            count += run_group(group, &valid);
    }
    print_message("%zu JWS vectors, %zu of them valid\n", count, valid);
    assert_int_equal(valid, 2);
    assert_true(count >= 40);
}

/* Whatever the key and algorithm: nothing but ES256 is ever accepted, not even what is valid under its own algorithm. */
static void groups_of_other_algorithms_are_never_accepted(void **state)
{
    size_t index, at, count = 0;
    json_t *group, *test;
    (void)state;
    if (vectors == NULL)
        skip();
    json_array_foreach(json_object_get(vectors, "testGroups"), index, group)
    {
        json_t *jwk = json_object_get(group, "public") != NULL ? json_object_get(group, "public") : json_object_get(group, "private");
        const char *curve = json_string_value(json_object_get(jwk, "crv"));
        if (curve != NULL && strcmp(curve, "P-256") == 0)
            continue;
        struct rp_jwks *jwks = set_of(jwk);
        json_array_foreach(json_object_get(group, "tests"), at, test)
        {
            assert_false(accepted(jwks, json_string_value(json_object_get(test, "jws"))));
            count++;
        }
        rp_jwks_free(jwks);
    }
    assert_true(count > 300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(p256_groups_give_their_published_results),
        cmocka_unit_test(groups_of_other_algorithms_are_never_accepted),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
