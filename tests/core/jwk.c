/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/core/cmocka_includes.h"

#include "core/encoding.h"
#include "core/json.h"
#include "core/jwk.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EC_X "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs"
#define EC_Y "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA"
#define RSA_N                                                                                                                              \
    "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-"        \
    "5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-"  \
    "bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"

static const struct attestd_jwk *read_text(struct attestd_arena *arena, const char *text, const char **error)
{
    json_t *json = attestd_json_read(text, strlen(text), 16, NULL, 0);
    assert_non_null(json);
    const struct attestd_jwk *jwk = attestd_jwk_read(arena, json, error);
    json_decref(json);
    return jwk;
}

/* RFC 7638 section 3.1, RFC 8037 appendix A.3, RFC 9449 section 6.1. */
static void the_rfc_s_thumbprints_come_out(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"{\"kty\":\"RSA\",\"n\":\"" RSA_N "\",\"e\":\"AQAB\",\"alg\":\"RS256\",\"kid\":\"2011-04-29\"}",
         "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"},
        {"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",
         "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"},
        {"{\"x\":\"" EC_X "\",\"kty\":\"EC\",\"y\":\"" EC_Y "\",\"crv\":\"P-256\",\"use\":\"sig\"}",
         "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"},
    };
    struct attestd_arena *arena = attestd_arena_new();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *error = NULL;
        char text[48];
        const struct attestd_jwk *jwk = read_text(arena, cases[i][0], &error);
        if (!jwk)
            fail_msg("%s", error);
        attestd_base64url_encode(jwk->thumbprint, 32, text);
        assert_string_equal(text, cases[i][1]);
        assert_non_null(jwk->key);
    }
    attestd_arena_free(arena);
}

static void the_copy_holds_the_members_of_the_thumbprint_only(void **state)
{
    (void)state;
    struct attestd_arena *arena = attestd_arena_new();
    const struct attestd_jwk *jwk =
        read_text(arena, "{\"y\":\"" EC_Y "\",\"x5c\":[\"evil\"],\"crv\":\"P-256\",\"x\":\"" EC_X "\",\"kty\":\"EC\",\"kid\":\"x\"}", NULL);
    assert_non_null(jwk);
    assert_string_equal(jwk->json, "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\"}");
    attestd_arena_free(arena);
}

static void every_other_jwk_is_refused_with_a_phrase(void **state)
{
    (void)state;
    static const char *const refused[][2] = {
        {"[]", "object"},
        {"{}", "kty"},
        {"{\"kty\":\"oct\",\"k\":\"AAAA\"}", "private"},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\",\"d\":\"AAAA\"}", "private"},
        {"{\"kty\":\"RSA\",\"n\":\"" RSA_N "\",\"e\":\"AQAB\",\"p\":null}", "private"},
        {"{\"kty\":\"EC\",\"crv\":\"secp256k1\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\"}", "crv"},
        {"{\"kty\":\"EC\",\"crv\":\"P-521\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\"}", "crv"},
        {"{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\"}", "length"},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\"}", "x and y"},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\",\"y\":7}", "x and y"},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "=\",\"y\":\"" EC_Y "\"}", "base64url"},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\",\"y\":\"9VE4jf/Ok/o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA\"}", "base64url"},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\",\"y\":\"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDB\"}",
         "base64url"}, /* trailing bits */
        {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_Y "\",\"y\":\"" EC_X "\"}", "not on the curve"},
        {"{\"kty\":\"OKP\",\"crv\":\"Ed448\",\"x\":\"" EC_X "\"}", "crv"},
        {"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\"}", "32 bytes"},
        {"{\"kty\":\"RSA\",\"n\":\"" RSA_N "\",\"e\":\"Aw\"}", "65537"},
        {"{\"kty\":\"RSA\",\"n\":\"" RSA_N "\",\"e\":\"AAEAAQ\"}", "leading zeros"},
        {"{\"kty\":\"RSA\",\"n\":\"AA" RSA_N "\",\"e\":\"AQAB\"}", "leading zeros"},
        {"{\"kty\":\"RSA\",\"n\":\"" EC_X "\",\"e\":\"AQAB\"}", "2048"},
        {"{\"kty\":\"RSA\",\"n\":\"\",\"e\":\"AQAB\"}", "base64url"},
        {"{\"kty\":\"RSA\",\"e\":\"AQAB\"}", "base64url"},
    };
    struct attestd_arena *arena = attestd_arena_new();
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        const char *error = "";
        if (read_text(arena, refused[i][0], &error))
            fail_msg("accepted %s", refused[i][0]);
        if (!strstr(error, refused[i][1]))
            fail_msg("%s: said \"%s\"", refused[i][0], error);
    }
    attestd_arena_free(arena);
}

static void x25519_keys_are_read(void **state)
{
    (void)state;
    struct attestd_arena *arena = attestd_arena_new();
    const struct attestd_jwk *jwk =
        read_text(arena, "{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08\"}", NULL);
    assert_non_null(jwk);
    assert_int_equal(attestd_key_spki(jwk->key).data[8], 0x6e);
    attestd_arena_free(arena);
}

static void published_thumbprints_are_recomputed(void **state)
{
    (void)state;
    char path[512];
    snprintf(path, sizeof path, "%s/tokens/jose/thumbprints.json", getenv("ATTESTD_VECTORS") ? getenv("ATTESTD_VECTORS") : "");
    json_t *file = json_load_file(path, 0, NULL);
    if (!file) {
        print_message("NOT RUN: no vectors at %s\n", path);
        skip();
    }
    struct attestd_arena *arena = attestd_arena_new();
    size_t index, read = 0;
    json_t *one;
    json_array_foreach(json_object_get(file, "cases"), index, one)
    {
        char text[48];
        const struct attestd_jwk *jwk = attestd_jwk_read(arena, json_object_get(one, "jwk"), NULL);
        if (!jwk) /* kinds of key that are not read, such as ML-DSA */
            continue;
        attestd_base64url_encode(jwk->thumbprint, 32, text);
        assert_string_equal(text, json_string_value(json_object_get(one, "sha256_thumbprint")));
        read++;
    }
    assert_true(read >= 3);
    attestd_arena_free(arena);
    json_decref(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rfc_s_thumbprints_come_out),           cmocka_unit_test(the_copy_holds_the_members_of_the_thumbprint_only),
        cmocka_unit_test(every_other_jwk_is_refused_with_a_phrase), cmocka_unit_test(x25519_keys_are_read),
        cmocka_unit_test(published_thumbprints_are_recomputed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
