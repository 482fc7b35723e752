/* SPDX-License-Identifier: Apache-2.0 */
/* libattest-rp: one good token, and each way in which a token can fail to be it. */
#include "attestd_rp.h"
#include "issuer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOW 1795222100
#define ISSUER "https://attestd.example"
#define AUDIENCE "https://kms.example"
#define NONCE "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
#define DIGEST "sha256:9f0000000000000000000000000000000000000000000000000000000000000001"

/* The key and thumbprint that RFC 9449 section 6.1 prints. */
#define JWK                                                                                                                                \
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs\","                                             \
    "\"y\":\"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA\"}"
#define JKT "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"

#define REGISTERED                                                                                                                         \
    "\"iss\":\"" ISSUER "\",\"sub\":\"attestd:prod\",\"aud\":\"" AUDIENCE "\",\"iat\":1795222025,\"nbf\":1795222025,\"exp\":1795222325"
#define SUBMODS "\"submods\":{\"cpu0\":{\"ear.status\":\"affirming\"},\"gpu0\":{\"ear.status\":\"affirming\"}}"
#define REST                                                                                                                               \
    "\"eat_profile\":\"tag:github.com,2023:veraison/ear\",\"eat_nonce\":\"" NONCE "\",\"cnf\":{\"jwk\":" JWK "},"                          \
    "\"attestd_verdict\":\"affirming\",\"attestd_policy\":{\"name\":\"prod\",\"version\":3,\"digest\":\"" DIGEST "\"}," SUBMODS
#define GOOD "{" REGISTERED "," REST "}"
#define FLAT                                                                                                                               \
    "{" REGISTERED ",\"eat_nonce\":\"" NONCE "\",\"cnf\":{\"jkt\":\"" JKT "\"},\"attestd_verdict\":\"affirming\","                         \
    "\"attestd_policy_name\":\"prod\",\"attestd_policy_digest\":\"" DIGEST "\"}"

static struct issuer *issuer;
static struct attestd_rp *rp;
static const char *const digests[] = {"sha256:00", DIGEST, NULL};

static int set_up(void **state)
{
    (void)state;
    issuer = issuer_new("one");
    char *jwks = issuer_jwks(&issuer, 1, NULL);
    rp = attestd_rp_from_jwks(jwks);
    free(jwks);
    return rp == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    attestd_rp_free(rp);
    issuer_free(issuer);
    return 0;
}

static struct attestd_rp_expect all(void)
{
    return (struct attestd_rp_expect){
        .issuer = ISSUER, .audience = AUDIENCE, .nonce = NONCE, .policy_digests = digests, .key_thumbprint = JKT, .now = NOW};
}

static enum attestd_rp_status verify_as(const char *typ, const char *payload, const struct attestd_rp_expect *expect)
{
    char *header = issuer_header(issuer, typ), *token = issuer_sign(issuer, header, payload), *claims = NULL;
    enum attestd_rp_status status = attestd_rp_verify(rp, token, expect, &claims);
    if (status == ATTESTD_RP_OK)
        assert_string_equal(claims, payload);
    else
        assert_null(claims);
    free(claims);
    free(token);
    free(header);
    return status;
}

static enum attestd_rp_status verify(const char *payload, const struct attestd_rp_expect *expect)
{
    return verify_as("eat+jwt", payload, expect);
}

/* The good payload with one piece of text in it put in another's place. */
static enum attestd_rp_status verify_changed(const char *good, const char *before, const char *after)
{
    struct attestd_rp_expect expect = all();
    const char *at = strstr(good, before);
    assert_non_null(at);
    char *payload = NULL;
    size_t size;
    FILE *stream = open_memstream(&payload, &size);
    fprintf(stream, "%.*s%s%s", (int)(at - good), good, after, at + strlen(before));
    fclose(stream);
    assert_int_equal(verify(good, &expect), ATTESTD_RP_OK);
    enum attestd_rp_status status = verify(payload, &expect);
    free(payload);
    return status;
}

static enum attestd_rp_status verify_header(const char *header)
{
    struct attestd_rp_expect expect = all();
    char *token = issuer_sign(issuer, header, GOOD);
    enum attestd_rp_status status = attestd_rp_verify(rp, token, &expect, NULL);
    free(token);
    return status;
}

static void the_good_token_is_accepted_and_its_claims_come_back(void **state)
{
    struct attestd_rp_expect expect = all();
    (void)state;
    assert_int_equal(verify(GOOD, &expect), ATTESTD_RP_OK);
}

static void the_flat_token_is_accepted(void **state)
{
    struct attestd_rp_expect expect = all();
    (void)state;
    assert_int_equal(verify_as("JWT", FLAT, &expect), ATTESTD_RP_OK);
}

static void what_is_not_expected_is_not_looked_at(void **state)
{
    struct attestd_rp_expect expect = {.issuer = ISSUER, .audience = AUDIENCE, .now = NOW};
    (void)state;
    assert_int_equal(verify(GOOD, &expect), ATTESTD_RP_OK);
}

static void an_expectation_without_issuer_or_audience_accepts_nothing(void **state)
{
    struct attestd_rp_expect expect = all();
    (void)state;
    expect.issuer = NULL;
    assert_int_equal(verify(GOOD, &expect), ATTESTD_RP_ISSUER);
    expect = all();
    expect.audience = NULL;
    assert_int_equal(verify(GOOD, &expect), ATTESTD_RP_AUDIENCE);
}

static void another_issuer_is_refused(void **state)
{
    (void)state;
    assert_int_equal(verify_changed(GOOD, ISSUER, ISSUER "/"), ATTESTD_RP_ISSUER);
    assert_int_equal(verify_changed(GOOD, "\"iss\":\"" ISSUER "\",", ""), ATTESTD_RP_ISSUER);
}

static void another_audience_or_a_list_of_audiences_is_refused(void **state)
{
    (void)state;
    assert_int_equal(verify_changed(GOOD, "\"" AUDIENCE "\"", "\"https://other.example\""), ATTESTD_RP_AUDIENCE);
    assert_int_equal(verify_changed(GOOD, "\"" AUDIENCE "\"", "[\"" AUDIENCE "\"]"), ATTESTD_RP_AUDIENCE);
    assert_int_equal(verify_changed(GOOD, "\"aud\":\"" AUDIENCE "\",", ""), ATTESTD_RP_AUDIENCE);
}

static void time_ends_a_token_and_begins_it(void **state)
{
    struct attestd_rp_expect expect = all();
    (void)state;
    expect.now = 1795222325 + 60 - 1;
    assert_int_equal(verify(GOOD, &expect), ATTESTD_RP_OK);
    expect.now++;
    assert_int_equal(verify(GOOD, &expect), ATTESTD_RP_EXPIRED);
    expect.now = 1795222025 - 60;
    assert_int_equal(verify(GOOD, &expect), ATTESTD_RP_OK);
    expect.now--;
    assert_int_equal(verify(GOOD, &expect), ATTESTD_RP_NOT_YET);
}

static void skew_is_sixty_seconds_unless_said_and_never_more_than_ten_minutes(void **state)
{
    struct attestd_rp_expect expect = all();
    (void)state;
    expect.skew = -1;
    expect.now = 1795222325;
    assert_int_equal(verify(GOOD, &expect), ATTESTD_RP_EXPIRED);
    expect.now--;
    assert_int_equal(verify(GOOD, &expect), ATTESTD_RP_OK);
    expect.skew = INT64_MAX;
    expect.now = 1795222325 + 600;
    assert_int_equal(verify(GOOD, &expect), ATTESTD_RP_EXPIRED);
}

static void times_that_are_no_integers_are_malformed(void **state)
{
    (void)state;
    assert_int_equal(verify_changed(GOOD, "\"exp\":1795222325", "\"exp\":1795222325.0"), ATTESTD_RP_MALFORMED);
    assert_int_equal(verify_changed(GOOD, "\"exp\":1795222325", "\"exp\":1.8e9"), ATTESTD_RP_MALFORMED);
    assert_int_equal(verify_changed(GOOD, "\"exp\":1795222325", "\"exp\":\"1795222325\""), ATTESTD_RP_MALFORMED);
    assert_int_equal(verify_changed(GOOD, "\"exp\":1795222325", "\"exp\":99999999999999999999"), ATTESTD_RP_MALFORMED);
    assert_int_equal(verify_changed(GOOD, "\"exp\":1795222325", "\"exp\":-1"), ATTESTD_RP_MALFORMED);
    assert_int_equal(verify_changed(GOOD, ",\"exp\":1795222325", ""), ATTESTD_RP_MALFORMED);
    assert_int_equal(verify_changed(GOOD, "\"iat\":1795222025", "\"iat\":1.795222025e9"), ATTESTD_RP_MALFORMED);
    assert_int_equal(verify_changed(GOOD, "\"nbf\":1795222025", "\"nbf\":null"), ATTESTD_RP_MALFORMED);
}

static void another_nonce_or_a_list_of_nonces_is_refused(void **state)
{
    (void)state;
    assert_int_equal(verify_changed(GOOD, NONCE, "BAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"), ATTESTD_RP_NONCE);
    assert_int_equal(verify_changed(GOOD, "\"" NONCE "\"", "[\"" NONCE "\",\"" NONCE "\"]"), ATTESTD_RP_NONCE);
    assert_int_equal(verify_changed(GOOD, "\"eat_nonce\"", "\"nonce\""), ATTESTD_RP_NONCE);
}

static void another_policy_is_refused_in_both_kinds_of_token(void **state)
{
    struct attestd_rp_expect expect = all();
    static const char *const others[] = {"sha256:00", NULL};
    static const char *const none[] = {NULL};
    (void)state;
    expect.policy_digests = others;
    assert_int_equal(verify(GOOD, &expect), ATTESTD_RP_POLICY);
    assert_int_equal(verify_as("JWT", FLAT, &expect), ATTESTD_RP_POLICY);
    expect.policy_digests = none;
    assert_int_equal(verify(GOOD, &expect), ATTESTD_RP_POLICY);
    assert_int_equal(verify_changed(GOOD, "\"digest\"", "\"digests\""), ATTESTD_RP_POLICY);
}

static void only_affirming_is_affirming(void **state)
{
    static const char *const words[] = {"\"warning\"", "\"contraindicated\"", "\"none\"", "\"Affirming\"", "2", "null"};
    (void)state;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        char changed[64];
        snprintf(changed, sizeof(changed), "\"attestd_verdict\":%s", words[i]);
        assert_int_equal(verify_changed(GOOD, "\"attestd_verdict\":\"affirming\"", changed), ATTESTD_RP_NOT_AFFIRMING);
    }
    assert_int_equal(verify_changed(GOOD, "\"attestd_verdict\":\"affirming\",", ""), ATTESTD_RP_NOT_AFFIRMING);
}

static void every_submodule_must_affirm(void **state)
{
    (void)state;
    assert_int_equal(verify_changed(GOOD, "\"gpu0\":{\"ear.status\":\"affirming\"}", "\"gpu0\":{\"ear.status\":\"warning\"}"),
                     ATTESTD_RP_NOT_AFFIRMING);
    assert_int_equal(verify_changed(GOOD, "\"gpu0\":{\"ear.status\":\"affirming\"}", "\"gpu0\":{}"), ATTESTD_RP_NOT_AFFIRMING);
    assert_int_equal(verify_changed(GOOD, "\"gpu0\":{\"ear.status\":\"affirming\"}", "\"gpu0\":[\"JWT\",\"eyJ\"]"),
                     ATTESTD_RP_NOT_AFFIRMING);
    assert_int_equal(verify_changed(GOOD, SUBMODS, "\"submods\":{}"), ATTESTD_RP_MALFORMED);
    assert_int_equal(verify_changed(GOOD, SUBMODS, "\"submods\":[]"), ATTESTD_RP_MALFORMED);
    assert_int_equal(verify_changed(GOOD, "," SUBMODS, ""), ATTESTD_RP_MALFORMED);
}

static void a_warning_is_accepted_only_when_allowed_and_contraindicated_never(void **state)
{
    static const char payload[] = "{" REGISTERED ",\"eat_profile\":\"tag:github.com,2023:veraison/ear\",\"attestd_verdict\":\"warning\","
                                  "\"submods\":{\"cpu0\":{\"ear.status\":\"warning\"}}}";
    static const char worse[] = "{" REGISTERED ",\"eat_profile\":\"tag:github.com,2023:veraison/ear\",\"attestd_verdict\":\"warning\","
                                "\"submods\":{\"cpu0\":{\"ear.status\":\"contraindicated\"}}}";
    struct attestd_rp_expect expect = {.issuer = ISSUER, .audience = AUDIENCE, .now = NOW};
    (void)state;
    assert_int_equal(verify(payload, &expect), ATTESTD_RP_NOT_AFFIRMING);
    expect.allow_warning = true;
    assert_int_equal(verify(payload, &expect), ATTESTD_RP_OK);
    assert_int_equal(verify(worse, &expect), ATTESTD_RP_NOT_AFFIRMING);
}

static void simulated_evidence_is_refused_unless_allowed(void **state)
{
    static const char payload[] = "{" REGISTERED "," REST ",\"simulated\":true}";
    static const char odd[] = "{" REGISTERED "," REST ",\"simulated\":\"no\"}";
    static const char no[] = "{" REGISTERED "," REST ",\"simulated\":false}";
    struct attestd_rp_expect expect = all();
    (void)state;
    assert_int_equal(verify(payload, &expect), ATTESTD_RP_SIMULATED);
    assert_int_equal(verify(odd, &expect), ATTESTD_RP_SIMULATED);
    assert_int_equal(verify(no, &expect), ATTESTD_RP_OK);
    expect.allow_simulated = true;
    assert_int_equal(verify(payload, &expect), ATTESTD_RP_OK);
}

static void another_bound_key_or_none_is_refused(void **state)
{
    (void)state;
    assert_int_equal(verify_changed(GOOD, "l8tFrhx", "l9tFrhx"), ATTESTD_RP_KEY_BINDING);
    assert_int_equal(verify_changed(GOOD, "\"cnf\":{\"jwk\":" JWK "},", ""), ATTESTD_RP_KEY_BINDING);
    assert_int_equal(verify_changed(GOOD, "{\"jwk\":" JWK "}", "{}"), ATTESTD_RP_KEY_BINDING);
    assert_int_equal(verify_changed(GOOD, "{\"jwk\":" JWK "}", "{\"jkt\":\"" JKT "x\"}"), ATTESTD_RP_KEY_BINDING);
    assert_int_equal(verify_changed(GOOD, "{\"jwk\":" JWK "}", "{\"jwk\":" JWK ",\"jkt\":\"x\"}"), ATTESTD_RP_KEY_BINDING);
    assert_int_equal(verify_changed(GOOD, "\"kty\":\"EC\"", "\"kty\":\"oct\""), ATTESTD_RP_KEY_BINDING);
    assert_int_equal(verify_changed(GOOD, "{\"jwk\":" JWK "}", "{\"jkt\":\"" JKT "\"}"), ATTESTD_RP_OK);
}

static void thumbprints_are_those_the_standards_print(void **state)
{
    char found[44];
    (void)state;
    assert_true(attestd_rp_thumbprint(JWK, found));
    assert_string_equal(found, JKT);
    /* RFC 8037 appendix A.3 */
    assert_true(
        attestd_rp_thumbprint("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}", found));
    assert_string_equal(found, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    assert_false(attestd_rp_thumbprint("{\"kty\":\"oct\",\"k\":\"AAAA\"}", found));
    assert_false(attestd_rp_thumbprint("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"a\\\"b\"}", found));
    assert_false(attestd_rp_thumbprint("not json", found));
}

static void algorithms_off_the_list_are_refused(void **state)
{
    static const char *const headers[] = {
        "{\"alg\":\"none\",\"typ\":\"JWT\",\"kid\":\"one\"}",    "{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":\"one\"}",
        "{\"alg\":\"ES384\",\"typ\":\"JWT\",\"kid\":\"one\"}",   "{\"alg\":\"es256\",\"typ\":\"JWT\",\"kid\":\"one\"}",
        "{\"alg\":[\"ES256\"],\"typ\":\"JWT\",\"kid\":\"one\"}", "{\"typ\":\"JWT\",\"kid\":\"one\"}",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
        assert_int_equal(verify_header(headers[i]), ATTESTD_RP_ALGORITHM);
}

static void other_types_and_other_profiles_are_refused(void **state)
{
    (void)state;
    assert_int_equal(verify_header("{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"one\"}"), ATTESTD_RP_TYPE);
    assert_int_equal(verify_header("{\"alg\":\"ES256\",\"typ\":7,\"kid\":\"one\"}"), ATTESTD_RP_TYPE);
    assert_int_equal(verify_header("{\"alg\":\"ES256\",\"kid\":\"one\"}"), ATTESTD_RP_TYPE);
    assert_int_equal(verify_header("{\"alg\":\"ES256\",\"typ\":\"JWT\",\"kid\":\"one\"}"), ATTESTD_RP_OK);
    assert_int_equal(verify_changed(GOOD, "2023:veraison", "2024:veraison"), ATTESTD_RP_TYPE);
}

static void critical_extensions_are_refused(void **state)
{
    (void)state;
    assert_int_equal(verify_header("{\"alg\":\"ES256\",\"typ\":\"eat+jwt\",\"kid\":\"one\",\"crit\":[\"b64\"],\"b64\":false}"),
                     ATTESTD_RP_CRITICAL);
    assert_int_equal(verify_header("{\"alg\":\"ES256\",\"typ\":\"eat+jwt\",\"kid\":\"one\",\"crit\":[]}"), ATTESTD_RP_CRITICAL);
}

static void keys_and_compression_in_the_header_are_refused(void **state)
{
    static const char *const members[] = {"jwk", "jku", "x5c", "x5u", "zip", "b64"};
    (void)state;
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        char header[128];
        snprintf(header, sizeof(header), "{\"alg\":\"ES256\",\"typ\":\"eat+jwt\",\"kid\":\"one\",\"%s\":true}", members[i]);
        assert_int_equal(verify_header(header), ATTESTD_RP_MALFORMED);
    }
}

static void an_unknown_or_missing_kid_is_refused(void **state)
{
    (void)state;
    assert_int_equal(verify_header("{\"alg\":\"ES256\",\"typ\":\"eat+jwt\",\"kid\":\"two\"}"), ATTESTD_RP_KEY_UNKNOWN);
    assert_int_equal(verify_header("{\"alg\":\"ES256\",\"typ\":\"eat+jwt\",\"kid\":1}"), ATTESTD_RP_KEY_UNKNOWN);
    assert_int_equal(verify_header("{\"alg\":\"ES256\",\"typ\":\"eat+jwt\"}"), ATTESTD_RP_KEY_UNKNOWN);
}

static void duplicate_members_are_malformed(void **state)
{
    (void)state;
    assert_int_equal(verify_header("{\"alg\":\"ES256\",\"alg\":\"ES256\",\"typ\":\"eat+jwt\",\"kid\":\"one\"}"), ATTESTD_RP_MALFORMED);
    assert_int_equal(verify_changed(GOOD, "\"sub\":\"attestd:prod\"", "\"aud\":\"" AUDIENCE "\""), ATTESTD_RP_MALFORMED);
    assert_int_equal(verify_changed(GOOD, "\"gpu0\"", "\"cpu0\""), ATTESTD_RP_MALFORMED);
}

static void payloads_that_are_no_object_are_malformed(void **state)
{
    static const char *const payloads[] = {"[]", "\"affirming\"", "{", "{}x", "{\"a\":\"\\u0000\"}", "nul", "{\"a\":\"\xff\"}"};
    struct attestd_rp_expect expect = all();
    (void)state;
    for (size_t i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++)
        assert_int_equal(verify(payloads[i], &expect), ATTESTD_RP_MALFORMED);
}

static enum attestd_rp_status verify_text(const char *token)
{
    struct attestd_rp_expect expect = all();
    return attestd_rp_verify(rp, token, &expect, NULL);
}

static void other_forms_than_the_compact_one_are_malformed(void **state)
{
    char *header = issuer_header(issuer, "eat+jwt"), *token = issuer_sign(issuer, header, GOOD);
    assert_int_equal(verify_text(NULL), ATTESTD_RP_MALFORMED);
    static const char *const wholes[] = {"", ".", "..", "...", "a.b", "eyJhbGciOiJFUzI1NiJ9", "{\"payload\":\"e30\",\"signatures\":[]}"};
    (void)state;
    for (size_t i = 0; i < sizeof(wholes) / sizeof(wholes[0]); i++)
        assert_int_equal(verify_text(wholes[i]), ATTESTD_RP_MALFORMED);
    static const char *const around[][2] = {{"", ".e30"}, {" ", ""}, {"\n", ""}, {".", ""}};
    for (size_t i = 0; i < sizeof(around) / sizeof(around[0]); i++) {
        char *changed = malloc(strlen(token) + 8);
        snprintf(changed, strlen(token) + 8, "%s%s%s", around[i][0], token, around[i][1]);
        assert_int_equal(verify_text(changed), ATTESTD_RP_MALFORMED);
        free(changed);
    }
    assert_int_equal(verify_text(token), ATTESTD_RP_OK);
    free(token);
    free(header);
}

static void a_token_over_the_cap_is_malformed_before_anything_is_decoded(void **state)
{
    char *payload = malloc(20000);
    struct attestd_rp_expect expect = all();
    (void)state;
    int len = snprintf(payload, 20000, "{" REGISTERED "," REST ",\"padding\":\"");
    memset(payload + len, 'a', 12000 - (size_t)len);
    strcpy(payload + 12000, "\"}");
    assert_int_equal(verify(payload, &expect), ATTESTD_RP_OK);
    memset(payload + 12000, 'a', 300);
    strcpy(payload + 12300, "\"}");
    assert_int_equal(verify(payload, &expect), ATTESTD_RP_MALFORMED);
    free(payload);
}

/* Every character of the token in its turn: most break the signature, those of the header may say something else. None may pass. */
static void no_single_changed_character_passes(void **state)
{
    char *header = issuer_header(issuer, "eat+jwt"), *token = issuer_sign(issuer, header, GOOD);
    (void)state;
    for (size_t i = 0; i < strlen(token); i++) {
        char kept = token[i];
        token[i] = kept == 'A' ? 'B' : 'A';
        assert_int_not_equal(verify_text(token), ATTESTD_RP_OK);
        token[i] = '=';
        assert_int_not_equal(verify_text(token), ATTESTD_RP_OK);
        token[i] = kept;
    }
    assert_int_equal(verify_text(token), ATTESTD_RP_OK);
    free(token);
    free(header);
}

static void a_signature_by_another_key_is_refused(void **state)
{
    struct attestd_rp_expect expect = all();
    struct issuer *other = issuer_new("one");
    char *header = issuer_header(other, "eat+jwt"), *token = issuer_sign(other, header, GOOD);
    (void)state;
    assert_int_equal(attestd_rp_verify(rp, token, &expect, NULL), ATTESTD_RP_SIGNATURE);
    free(token);
    free(header);
    issuer_free(other);
}

static void every_status_has_its_phrase(void **state)
{
    (void)state;
    for (int a = ATTESTD_RP_OK; a <= ATTESTD_RP_UNAVAILABLE; a++) {
        assert_non_null(attestd_rp_status_text((enum attestd_rp_status)a));
        for (int b = ATTESTD_RP_OK; b < a; b++)
            assert_string_not_equal(attestd_rp_status_text((enum attestd_rp_status)a), attestd_rp_status_text((enum attestd_rp_status)b));
    }
    assert_string_equal(attestd_rp_status_text((enum attestd_rp_status)999), "unknown status");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_good_token_is_accepted_and_its_claims_come_back),
        cmocka_unit_test(the_flat_token_is_accepted),
        cmocka_unit_test(what_is_not_expected_is_not_looked_at),
        cmocka_unit_test(an_expectation_without_issuer_or_audience_accepts_nothing),
        cmocka_unit_test(another_issuer_is_refused),
        cmocka_unit_test(another_audience_or_a_list_of_audiences_is_refused),
        cmocka_unit_test(time_ends_a_token_and_begins_it),
        cmocka_unit_test(skew_is_sixty_seconds_unless_said_and_never_more_than_ten_minutes),
        cmocka_unit_test(times_that_are_no_integers_are_malformed),
        cmocka_unit_test(another_nonce_or_a_list_of_nonces_is_refused),
        cmocka_unit_test(another_policy_is_refused_in_both_kinds_of_token),
        cmocka_unit_test(only_affirming_is_affirming),
        cmocka_unit_test(every_submodule_must_affirm),
        cmocka_unit_test(a_warning_is_accepted_only_when_allowed_and_contraindicated_never),
        cmocka_unit_test(simulated_evidence_is_refused_unless_allowed),
        cmocka_unit_test(another_bound_key_or_none_is_refused),
        cmocka_unit_test(thumbprints_are_those_the_standards_print),
        cmocka_unit_test(algorithms_off_the_list_are_refused),
        cmocka_unit_test(other_types_and_other_profiles_are_refused),
        cmocka_unit_test(critical_extensions_are_refused),
        cmocka_unit_test(keys_and_compression_in_the_header_are_refused),
        cmocka_unit_test(an_unknown_or_missing_kid_is_refused),
        cmocka_unit_test(duplicate_members_are_malformed),
        cmocka_unit_test(payloads_that_are_no_object_are_malformed),
        cmocka_unit_test(other_forms_than_the_compact_one_are_malformed),
        cmocka_unit_test(a_token_over_the_cap_is_malformed_before_anything_is_decoded),
        cmocka_unit_test(no_single_changed_character_passes),
        cmocka_unit_test(a_signature_by_another_key_is_refused),
        cmocka_unit_test(every_status_has_its_phrase),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
