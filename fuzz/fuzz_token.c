/* SPDX-License-Identifier: Apache-2.0 */
/* libattest-rp under any text: as a token, as the payload of a good signature, as a set of keys, as one key. */
#include "fuzz/harness.h"

#include "sdk/relying-party/token.h"
#include <string.h>

/* The key of RFC 9449 section 6.1, whose private half nobody here has: no text can be a good token. */
#define POINT "\"x\":\"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs\",\"y\":\"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA\""
static const char keys[] = "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\"," POINT ",\"kid\":\"one\"}]}";

static void one_text_for_one_value(const char *text, size_t len)
{
    size_t made = 0;
    uint8_t *bytes = malloc(len + 1);
    char *again = malloc(len + 4);
    PROMISE(bytes && again);
    if (rp_base64url_decode(text, len, bytes, &made)) {
        rp_base64url_encode(bytes, made, again);
        PROMISE(strlen(again) == len && memcmp(again, text, len) == 0);
    }
    free(bytes);
    free(again);
}

static void as_token(const char *text, const struct attestd_rp_expect *expect)
{
    static struct attestd_rp *rp;
    char *claims = NULL;
    if (rp == NULL)
        rp = attestd_rp_from_jwks(keys);
    PROMISE(rp);
    PROMISE(attestd_rp_verify(rp, text, expect, &claims) != ATTESTD_RP_OK && claims == NULL);
}

/* What is accepted as claims says the words that were demanded. */
static void as_claims(const char *text, size_t len, const struct attestd_rp_expect *expect)
{
    for (int eat = 0; eat < 2; eat++) {
        if (rp_claims_check(text, len, eat, expect) != ATTESTD_RP_OK)
            continue;
        json_t *claims = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
        PROMISE(strcmp(json_string_value(json_object_get(claims, "iss")), expect->issuer) == 0);
        PROMISE(strcmp(json_string_value(json_object_get(claims, "aud")), expect->audience) == 0);
        PROMISE(strcmp(json_string_value(json_object_get(claims, "attestd_verdict")), "affirming") == 0);
        PROMISE(json_integer_value(json_object_get(claims, "exp")) > expect->now - 60);
        json_decref(claims);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    char thumbprint[44];
    struct attestd_rp_expect expect = {.issuer = "i", .audience = "a", .now = 1795222100, .nonce = NULL};
    struct attestd_rp_expect strict = expect;
    strict.nonce = "AAECAwQFBgcICQ";
    strict.key_thumbprint = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
    char *text = malloc(len + 1);
    PROMISE(text);
    if (len)
        memcpy(text, bytes, len);
    text[len] = '\0';
    one_text_for_one_value(text, len);
    as_token(text, &expect);
    as_claims(text, len, &expect);
    as_claims(text, len, &strict);
    rp_jwks_free(rp_jwks_read(text));
    attestd_rp_thumbprint(text, thumbprint);
    free(text);
    return 0;
}
