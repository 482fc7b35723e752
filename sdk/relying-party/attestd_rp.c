/* SPDX-License-Identifier: Apache-2.0 */
/* One issuer and its keys: which set is in use, when it is asked for again. */
#include "token.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define REFRESH_AFTER 3600
#define DROP_AFTER 86400

struct attestd_rp {
    attestd_rp_fetch *fetch;
    void *context;
    int64_t cool_down, refresh, drop;

    pthread_mutex_t fetching; /* held while fetch() runs: one flight, and nobody who needs no new keys waits for it */
    pthread_mutex_t lock;     /* guards what follows, for moments */
    struct rp_jwks *jwks;     /* NULL: none yet, or none any more */
    uint64_t generation;      /* counts fetches that succeeded */
    bool asked;
    int64_t asked_at, fetched_at; /* monotonic seconds */
};

static const char *const status_texts[] = {
    [ATTESTD_RP_OK] = "the token is good",
    [ATTESTD_RP_MALFORMED] = "not a compact JWS with a strict JSON payload",
    [ATTESTD_RP_ALGORITHM] = "the signature algorithm is not ES256",
    [ATTESTD_RP_TYPE] = "the type is neither an EAR (eat+jwt) nor JWT",
    [ATTESTD_RP_CRITICAL] = "the header demands extensions (crit)",
    [ATTESTD_RP_KEY_UNKNOWN] = "the issuer publishes no such key",
    [ATTESTD_RP_SIGNATURE] = "the signature does not hold",
    [ATTESTD_RP_ISSUER] = "another issuer",
    [ATTESTD_RP_AUDIENCE] = "made for another audience",
    [ATTESTD_RP_EXPIRED] = "expired",
    [ATTESTD_RP_NOT_YET] = "not valid yet",
    [ATTESTD_RP_NONCE] = "another nonce, or none",
    [ATTESTD_RP_POLICY] = "appraised under another policy",
    [ATTESTD_RP_NOT_AFFIRMING] = "the verdict is not affirming",
    [ATTESTD_RP_SIMULATED] = "the evidence was simulated",
    [ATTESTD_RP_KEY_BINDING] = "another key is bound, or none",
    [ATTESTD_RP_UNAVAILABLE] = "the issuer's keys cannot be had",
};

const char *attestd_rp_status_text(enum attestd_rp_status status)
{
    size_t index = (size_t)status;
    return index < sizeof(status_texts) / sizeof(status_texts[0]) ? status_texts[index] : "unknown status";
}

static int64_t monotonic_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now); /* a guest that slept must not trust what it fetched before */
    return (int64_t)now.tv_sec;
}

static struct attestd_rp *rp_new(void)
{
    struct attestd_rp *rp = calloc(1, sizeof(*rp));
    if (rp == NULL)
        return NULL;
    rp->refresh = REFRESH_AFTER;
    rp->drop = DROP_AFTER;
    pthread_mutex_init(&rp->fetching, NULL);
    pthread_mutex_init(&rp->lock, NULL);
    return rp;
}

struct attestd_rp *attestd_rp_new(attestd_rp_fetch *fetch, void *context, int64_t cool_down_seconds)
{
    struct attestd_rp *rp = fetch == NULL ? NULL : rp_new();
    if (rp == NULL)
        return NULL;
    rp->fetch = fetch;
    rp->context = context;
    rp->cool_down = cool_down_seconds < 1 ? 1 : cool_down_seconds;
    return rp;
}

struct attestd_rp *attestd_rp_from_jwks(const char *jwks)
{
    struct rp_jwks *read = jwks == NULL ? NULL : rp_jwks_read(jwks);
    struct attestd_rp *rp = read == NULL ? NULL : rp_new();
    if (rp == NULL)
        rp_jwks_free(read);
    else
        rp->jwks = read;
    return rp;
}

void attestd_rp_set_ages(struct attestd_rp *rp, int64_t refresh, int64_t drop)
{
    rp->refresh = refresh;
    rp->drop = drop;
}

void attestd_rp_free(struct attestd_rp *rp)
{
    if (rp == NULL)
        return;
    rp_jwks_free(rp->jwks);
    pthread_mutex_destroy(&rp->fetching);
    pthread_mutex_destroy(&rp->lock);
    free(rp);
}

/* --- the set in use --- */

static void let_go(struct attestd_rp *rp, struct rp_jwks *jwks)
{
    if (jwks == NULL)
        return;
    pthread_mutex_lock(&rp->lock);
    bool last = --jwks->references == 0;
    pthread_mutex_unlock(&rp->lock);
    if (last)
        rp_jwks_free(jwks);
}

struct view {
    struct rp_jwks *jwks; /* held; or NULL */
    uint64_t generation;
    bool old; /* to be asked for again */
};

static struct view look(struct attestd_rp *rp)
{
    struct view view = {0};
    int64_t now = monotonic_seconds();
    pthread_mutex_lock(&rp->lock);
    bool dropped = rp->fetch != NULL && rp->jwks != NULL && now - rp->fetched_at >= rp->drop;
    if (rp->jwks != NULL && !dropped) {
        view.jwks = rp->jwks;
        view.jwks->references++;
    }
    view.generation = rp->generation;
    view.old = rp->fetch != NULL && (view.jwks == NULL || now - rp->fetched_at >= rp->refresh);
    pthread_mutex_unlock(&rp->lock);
    return view;
}

/* True when this thread is to fetch: nobody has since `generation`, and the cool-down is over. */
static bool claim_fetch(struct attestd_rp *rp, uint64_t generation)
{
    int64_t now = monotonic_seconds();
    pthread_mutex_lock(&rp->lock);
    bool mine = rp->generation == generation && (!rp->asked || now - rp->asked_at >= rp->cool_down);
    if (mine) {
        rp->asked = true;
        rp->asked_at = now;
    }
    pthread_mutex_unlock(&rp->lock);
    return mine;
}

static void install(struct attestd_rp *rp, struct rp_jwks *jwks)
{
    pthread_mutex_lock(&rp->lock);
    struct rp_jwks *before = rp->jwks;
    rp->jwks = jwks;
    rp->generation++;
    rp->fetched_at = monotonic_seconds();
    pthread_mutex_unlock(&rp->lock);
    let_go(rp, before);
}

/* Asks for the set once more, if that may be; a set that cannot be read changes nothing. `wait`: for another thread that is asking. */
static void refetch(struct attestd_rp *rp, uint64_t generation, bool wait)
{
    if (rp->fetch == NULL)
        return;
    if (wait)
        pthread_mutex_lock(&rp->fetching);
    else if (pthread_mutex_trylock(&rp->fetching) != 0)
        return;
    if (claim_fetch(rp, generation)) {
        char *text = rp->fetch(rp->context);
        struct rp_jwks *jwks = text == NULL ? NULL : rp_jwks_read(text);
        free(text);
        if (jwks != NULL)
            install(rp, jwks);
    }
    pthread_mutex_unlock(&rp->fetching);
}

/* A view that has the key, after one refetch if need be. *key NULL: it has not. */
static struct view view_with_key(struct attestd_rp *rp, const char *kid, EVP_PKEY **key)
{
    struct view view = look(rp);
    *key = view.jwks == NULL ? NULL : rp_jwks_find(view.jwks, kid);
    if (*key != NULL && !view.old)
        return view;
    bool found = *key != NULL;
    let_go(rp, view.jwks);
    refetch(rp, view.generation, !found);
    view = look(rp);
    *key = view.jwks == NULL ? NULL : rp_jwks_find(view.jwks, kid);
    return view;
}

static enum attestd_rp_status check_signature(struct attestd_rp *rp, const struct rp_compact *compact)
{
    EVP_PKEY *key;
    enum attestd_rp_status status = ATTESTD_RP_OK;
    struct view view = view_with_key(rp, compact->kid, &key);
    if (view.jwks == NULL)
        status = ATTESTD_RP_UNAVAILABLE;
    else if (key == NULL)
        status = ATTESTD_RP_KEY_UNKNOWN;
    else if (!rp_verify_es256(key, compact->signed_at, compact->signed_len, compact->signature))
        status = ATTESTD_RP_SIGNATURE;
    let_go(rp, view.jwks);
    return status;
}

enum attestd_rp_status attestd_rp_verify(struct attestd_rp *rp, const char *token, const struct attestd_rp_expect *expect, char **claims)
{
    struct rp_compact compact;
    enum attestd_rp_status status = rp_compact_read(token, true, &compact);
    if (status != ATTESTD_RP_OK)
        return status;
    status = check_signature(rp, &compact);
    if (status == ATTESTD_RP_OK)
        status = rp_claims_check(compact.payload, compact.payload_len, compact.eat, expect);
    if (status == ATTESTD_RP_OK && claims != NULL) {
        *claims = compact.payload;
        compact.payload = NULL;
    }
    rp_compact_clear(&compact);
    return status;
}
