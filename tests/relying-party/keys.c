/* SPDX-License-Identifier: Apache-2.0 */
/* How libattest-rp gets keys, and when it asks again. */
#include "attestd_rp.h"
#include "issuer.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define NOW 1795222100
#define PAYLOAD "{\"iss\":\"i\",\"aud\":\"a\",\"iat\":1795222025,\"exp\":1795222325,\"attestd_verdict\":\"affirming\"}"

static const struct attestd_rp_expect expect = {.issuer = "i", .audience = "a", .now = NOW};

/* Where keys are fetched from: `published` of the issuers, or `text`, or nothing. */
struct place {
    struct issuer *issuers[3];
    atomic_size_t published;
    const char *text;
    bool down;
    useconds_t delay;
    atomic_uint fetches, at_once, most_at_once;
};

static char *fetch(void *context)
{
    struct place *place = context;
    atomic_fetch_add(&place->fetches, 1);
    unsigned now = atomic_fetch_add(&place->at_once, 1) + 1;
    if (now > atomic_load(&place->most_at_once))
        atomic_store(&place->most_at_once, now);
    usleep(place->delay);
    atomic_fetch_sub(&place->at_once, 1);
    if (place->down)
        return NULL;
    return place->text != NULL ? strdup(place->text) : issuer_jwks(place->issuers, atomic_load(&place->published), NULL);
}

static int set_up(void **state)
{
    struct place *place = calloc(1, sizeof(*place));
    static const char *const kids[] = {"one", "two", "three"};
    if (place == NULL)
        return -1;
    for (size_t i = 0; i < 3; i++)
        place->issuers[i] = issuer_new(kids[i]);
    place->published = 1;
    *state = place;
    return 0;
}

static int tear_down(void **state)
{
    struct place *place = *state;
    for (size_t i = 0; i < 3; i++)
        issuer_free(place->issuers[i]);
    free(place);
    return 0;
}

static enum attestd_rp_status verify(struct attestd_rp *rp, const struct issuer *issuer)
{
    char *header = issuer_header(issuer, "JWT"), *token = issuer_sign(issuer, header, PAYLOAD);
    enum attestd_rp_status status = attestd_rp_verify(rp, token, &expect, NULL);
    free(header);
    free(token);
    return status;
}

static void keys_are_fetched_at_first_use_and_kept(void **state)
{
    struct place *place = *state;
    struct attestd_rp *rp = attestd_rp_new(fetch, place, 60);
    assert_int_equal(place->fetches, 0);
    for (int i = 0; i < 5; i++)
        assert_int_equal(verify(rp, place->issuers[0]), ATTESTD_RP_OK);
    assert_int_equal(place->fetches, 1);
    attestd_rp_free(rp);
}

static void an_unknown_kid_asks_once_per_cool_down(void **state)
{
    struct place *place = *state;
    struct attestd_rp *rp = attestd_rp_new(fetch, place, 2);
    assert_int_equal(verify(rp, place->issuers[0]), ATTESTD_RP_OK);
    for (int i = 0; i < 5; i++)
        assert_int_equal(verify(rp, place->issuers[1]), ATTESTD_RP_KEY_UNKNOWN);
    assert_int_equal(place->fetches, 1);
    sleep(3);
    for (int i = 0; i < 5; i++)
        assert_int_equal(verify(rp, place->issuers[1]), ATTESTD_RP_KEY_UNKNOWN);
    assert_int_equal(place->fetches, 2);
    attestd_rp_free(rp);
}

static void a_rotated_key_is_found_by_one_refetch(void **state)
{
    struct place *place = *state;
    struct attestd_rp *rp = attestd_rp_new(fetch, place, 1);
    assert_int_equal(verify(rp, place->issuers[0]), ATTESTD_RP_OK);
    place->published = 2;
    sleep(2);
    assert_int_equal(verify(rp, place->issuers[1]), ATTESTD_RP_OK);
    assert_int_equal(verify(rp, place->issuers[0]), ATTESTD_RP_OK);
    assert_int_equal(place->fetches, 2);
    attestd_rp_free(rp);
}

static void without_any_keys_the_answer_is_unavailable(void **state)
{
    struct place *place = *state;
    static const char *const texts[] = {"", "<html>", "{}", "{\"keys\":{}}", "{\"keys\":[1]}", "{\"keys\":[],\"keys\":[]}"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct attestd_rp *rp = attestd_rp_new(fetch, place, 60);
        place->text = texts[i];
        assert_int_equal(verify(rp, place->issuers[0]), ATTESTD_RP_UNAVAILABLE);
        attestd_rp_free(rp);
    }
    struct attestd_rp *rp = attestd_rp_new(fetch, place, 60);
    place->down = true;
    place->fetches = 0;
    for (int i = 0; i < 3; i++)
        assert_int_equal(verify(rp, place->issuers[0]), ATTESTD_RP_UNAVAILABLE);
    assert_int_equal(place->fetches, 1);
    attestd_rp_free(rp);
}

static void an_outage_does_not_take_known_keys_away(void **state)
{
    struct place *place = *state;
    struct attestd_rp *rp = attestd_rp_new(fetch, place, 1);
    attestd_rp_set_ages(rp, 0, 3600); /* asked for again at every use */
    assert_int_equal(verify(rp, place->issuers[0]), ATTESTD_RP_OK);
    place->down = true;
    sleep(2);
    assert_int_equal(verify(rp, place->issuers[0]), ATTESTD_RP_OK);
    assert_int_equal(place->fetches, 2);
    attestd_rp_free(rp);
}

static void a_withdrawn_key_ends_when_the_set_has_grown_old(void **state)
{
    struct place *place = *state;
    struct attestd_rp *rp = attestd_rp_new(fetch, place, 1);
    place->published = 2;
    attestd_rp_set_ages(rp, 1, 3600);
    assert_int_equal(verify(rp, place->issuers[1]), ATTESTD_RP_OK);
    place->published = 1;
    sleep(2);
    assert_int_equal(verify(rp, place->issuers[1]), ATTESTD_RP_KEY_UNKNOWN);
    attestd_rp_free(rp);
}

static void keys_that_could_not_be_renewed_for_long_are_dropped(void **state)
{
    struct place *place = *state;
    struct attestd_rp *rp = attestd_rp_new(fetch, place, 1);
    attestd_rp_set_ages(rp, 1, 2);
    assert_int_equal(verify(rp, place->issuers[0]), ATTESTD_RP_OK);
    place->down = true;
    sleep(3);
    assert_int_equal(verify(rp, place->issuers[0]), ATTESTD_RP_UNAVAILABLE);
    attestd_rp_free(rp);
}

static enum attestd_rp_status verify_with(const char *extra, const struct place *place)
{
    char *jwks = issuer_jwks(place->issuers, 1, extra);
    struct attestd_rp *rp = attestd_rp_from_jwks(jwks);
    free(jwks);
    if (rp == NULL)
        return ATTESTD_RP_UNAVAILABLE;
    enum attestd_rp_status status = verify(rp, place->issuers[0]);
    attestd_rp_free(rp);
    return status;
}

static void keys_of_other_kinds_are_passed_over(void **state)
{
    assert_int_equal(
        verify_with("{\"kty\":\"AKP\",\"alg\":\"ML-DSA-44\",\"pub\":\"AA\",\"kid\":\"pq\"},"
                    "{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\",\"kid\":\"rsa\"},{\"kty\":\"EC\",\"crv\":\"P-384\",\"kid\":\"big\"},"
                    "{\"kty\":\"oct\",\"k\":\"AAAA\",\"kid\":\"one\"}",
                    *state),
        ATTESTD_RP_OK);
}

static void two_keys_of_one_kid_make_no_set(void **state)
{
    struct place *place = *state;
    struct issuer *same[] = {place->issuers[0], place->issuers[0]};
    char *jwks = issuer_jwks(same, 2, NULL);
    assert_null(attestd_rp_from_jwks(jwks));
    free(jwks);
    assert_null(attestd_rp_from_jwks(NULL));
    assert_int_equal(verify_with(NULL, place), ATTESTD_RP_OK);
}

/* A published key with one thing wrong about it: it is no key to verify with. */
static void keys_with_something_wrong_are_not_used(void **state)
{
    struct place *place = *state;
    static const char *const changes[][2] = {
        {"\"kid\"", "\"use\":\"enc\",\"kid\""},
        {"\"kid\"", "\"key_ops\":[\"sign\"],\"kid\""},
        {"\"kid\"", "\"alg\":\"ES384\",\"kid\""},
        {"\"kid\"", "\"d\":\"AAAA\",\"kid\""},
        {"\"x\":\"", "\"x\":\"A"},
        {"\"y\":\"", "\"z\":\""},
        {"P-256", "P-384"},
    };
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        char *jwks = issuer_jwks(place->issuers, 1, NULL), changed[1024];
        const char *at = strstr(jwks, changes[i][0]);
        assert_non_null(at);
        snprintf(changed, sizeof(changed), "%.*s%s%s", (int)(at - jwks), jwks, changes[i][1], at + strlen(changes[i][0]));
        struct attestd_rp *rp = attestd_rp_from_jwks(changed);
        assert_non_null(rp);
        assert_int_equal(verify(rp, place->issuers[0]), ATTESTD_RP_KEY_UNKNOWN);
        attestd_rp_free(rp);
        free(jwks);
    }
    char *swapped = issuer_jwks(place->issuers, 1, NULL);
    char *x = strstr(swapped, "\"x\""), *y = strstr(swapped, "\"y\"");
    x[1] = 'y';
    y[1] = 'x'; /* the coordinates exchanged: no point of the curve */
    struct attestd_rp *rp = attestd_rp_from_jwks(swapped);
    assert_int_equal(verify(rp, place->issuers[0]), ATTESTD_RP_KEY_UNKNOWN);
    attestd_rp_free(rp);
    free(swapped);
}

struct crowd {
    struct attestd_rp *rp;
    const char *token;
    atomic_uint good;
};

static void *verify_many(void *argument)
{
    struct crowd *crowd = argument;
    for (int i = 0; i < 200; i++) {
        char *claims = NULL;
        if (attestd_rp_verify(crowd->rp, crowd->token, &expect, &claims) == ATTESTD_RP_OK)
            atomic_fetch_add(&crowd->good, 1);
        free(claims);
    }
    return NULL;
}

static void many_threads_share_one_object_and_one_flight(void **state)
{
    struct place *place = *state;
    pthread_t threads[8];
    char *header = issuer_header(place->issuers[0], "JWT"), *token = issuer_sign(place->issuers[0], header, PAYLOAD);
    struct crowd crowd = {.rp = attestd_rp_new(fetch, place, 1), .token = token};
    attestd_rp_set_ages(crowd.rp, 0, 3600);
    place->delay = 50000;
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, verify_many, &crowd), 0);
    for (size_t i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(crowd.good, 8 * 200);
    assert_int_equal(place->most_at_once, 1);
    attestd_rp_free(crowd.rp);
    free(token);
    free(header);
}

int main(void)
{
#define ONE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        ONE(keys_are_fetched_at_first_use_and_kept),
        ONE(an_unknown_kid_asks_once_per_cool_down),
        ONE(a_rotated_key_is_found_by_one_refetch),
        ONE(without_any_keys_the_answer_is_unavailable),
        ONE(an_outage_does_not_take_known_keys_away),
        ONE(a_withdrawn_key_ends_when_the_set_has_grown_old),
        ONE(keys_that_could_not_be_renewed_for_long_are_dropped),
        ONE(keys_of_other_kinds_are_passed_over),
        ONE(two_keys_of_one_kid_make_no_set),
        ONE(keys_with_something_wrong_are_not_used),
        ONE(many_threads_share_one_object_and_one_flight),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
