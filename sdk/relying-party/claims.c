/* SPDX-License-Identifier: Apache-2.0 */
/* The payload: who issued it, for whom, when, about what, and with which verdict. */
#include "token.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define EAR_PROFILE "tag:github.com,2023:veraison/ear"
#define SKEW_DEFAULT 60
#define SKEW_MAX 600

static const char *text_of(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static bool text_is(const json_t *object, const char *name, const char *text)
{
    const char *value = text_of(object, name);
    return value != NULL && text != NULL && strcmp(value, text) == 0;
}

/* --- time --- */

/* RFC 9711 section 4.3.1: no floating point. Absent leaves the value. */
static bool read_time(const json_t *claims, const char *name, bool required, int64_t *value)
{
    const json_t *claim = json_object_get(claims, name);
    if (claim == NULL)
        return !required;
    if (!json_is_integer(claim) || json_integer_value(claim) < 0)
        return false;
    *value = json_integer_value(claim);
    return true;
}

static enum attestd_rp_status check_times(const json_t *claims, const struct attestd_rp_expect *expect)
{
    int64_t issued = 0, from = 0, expires = 0;
    int64_t now = expect->now != 0 ? expect->now : (int64_t)time(NULL);
    int64_t skew = expect->skew == 0 ? SKEW_DEFAULT : expect->skew;
    skew = skew < 0 ? 0 : skew > SKEW_MAX ? SKEW_MAX : skew;
    if (!read_time(claims, "iat", true, &issued) || !read_time(claims, "nbf", false, &from) || !read_time(claims, "exp", true, &expires))
        return ATTESTD_RP_MALFORMED;
    if (now - skew >= expires)
        return ATTESTD_RP_EXPIRED;
    if (now + skew < from || now + skew < issued)
        return ATTESTD_RP_NOT_YET;
    return ATTESTD_RP_OK;
}

/* --- verdict --- */

static bool verdict_suffices(const char *verdict, const struct attestd_rp_expect *expect)
{
    if (verdict == NULL)
        return false;
    return strcmp(verdict, "affirming") == 0 || (expect->allow_warning && strcmp(verdict, "warning") == 0);
}

/* "Not contraindicated" is not asked: a verdict that is absent or unknown affirms nothing. */
static enum attestd_rp_status check_verdict(const json_t *claims, bool eat, const struct attestd_rp_expect *expect)
{
    json_t *submods = json_object_get(claims, "submods");
    const char *label;
    json_t *submod;
    if (eat && json_object_size(submods) == 0)
        return ATTESTD_RP_MALFORMED;
    if (submods != NULL && !json_is_object(submods))
        return ATTESTD_RP_MALFORMED;
    if (!verdict_suffices(text_of(claims, "attestd_verdict"), expect))
        return ATTESTD_RP_NOT_AFFIRMING;
    json_object_foreach(submods, label, submod)
    {
        if (!verdict_suffices(text_of(submod, "ear.status"), expect))
            return ATTESTD_RP_NOT_AFFIRMING;
    }
    const json_t *simulated = json_object_get(claims, "simulated");
    if (simulated != NULL && !json_is_false(simulated) && !expect->allow_simulated)
        return ATTESTD_RP_SIMULATED;
    return ATTESTD_RP_OK;
}

/* In an EAR attestd_policy.digest, in the flat token attestd_policy_digest. */
static enum attestd_rp_status check_policy(const json_t *claims, const struct attestd_rp_expect *expect)
{
    if (expect->policy_digests == NULL)
        return ATTESTD_RP_OK;
    const char *digest = text_of(json_object_get(claims, "attestd_policy"), "digest");
    if (digest == NULL)
        digest = text_of(claims, "attestd_policy_digest");
    for (const char *const *wanted = expect->policy_digests; digest != NULL && *wanted != NULL; wanted++) {
        if (strcmp(*wanted, digest) == 0)
            return ATTESTD_RP_OK;
    }
    return ATTESTD_RP_POLICY;
}

/* --- the bound key --- */

/* Members of the thumbprint in RFC 7638's order; for EC and RSA RFC 7638 section 3.2, for OKP RFC 8037 section 2. */
static const struct {
    const char *kty;
    const char *members[5];
} thumbprint_members[] = {
    {"EC", {"crv", "kty", "x", "y", NULL}},
    {"OKP", {"crv", "kty", "x", NULL}},
    {"RSA", {"e", "kty", "n", NULL}},
};

/* base64url and curve names: what needs no escape in JSON. */
static bool is_plain(const char *text)
{
    return text != NULL && text[0] != '\0' &&
           text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")] == '\0';
}

static bool thumbprint_of(const json_t *jwk, const char *const *members, char out[44])
{
    char text[RP_TOKEN_MAX];
    uint8_t digest[32];
    size_t len = 0;
    for (; *members != NULL; members++) {
        const char *value = text_of(jwk, *members);
        if (!is_plain(value) || len + strlen(value) + 16 > sizeof(text))
            return false;
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%c\"%s\":\"%s\"", len == 0 ? '{' : ',', *members, value);
    }
    text[len++] = '}';
    SHA256((const unsigned char *)text, len, digest);
    rp_base64url_encode(digest, sizeof(digest), out);
    return true;
}

static bool thumbprint(const json_t *jwk, char out[44])
{
    for (size_t i = 0; i < sizeof(thumbprint_members) / sizeof(thumbprint_members[0]); i++) {
        if (text_is(jwk, "kty", thumbprint_members[i].kty))
            return thumbprint_of(jwk, thumbprint_members[i].members, out);
    }
    return false;
}

bool attestd_rp_thumbprint(const char *jwk, char out[44])
{
    json_t *json = json_loads(jwk, JSON_REJECT_DUPLICATES, NULL);
    bool ok = thumbprint(json, out);
    json_decref(json);
    return ok;
}

/* cnf (RFC 7800): one key, as jwk or by its thumbprint. Both: they must agree. */
static enum attestd_rp_status check_key(const json_t *claims, const struct attestd_rp_expect *expect)
{
    char found[44];
    if (expect->key_thumbprint == NULL)
        return ATTESTD_RP_OK;
    const json_t *cnf = json_object_get(claims, "cnf");
    const json_t *jwk = json_object_get(cnf, "jwk"), *jkt = json_object_get(cnf, "jkt");
    if (jwk == NULL && jkt == NULL)
        return ATTESTD_RP_KEY_BINDING;
    if (jwk != NULL && (!thumbprint(jwk, found) || strcmp(found, expect->key_thumbprint) != 0))
        return ATTESTD_RP_KEY_BINDING;
    if (jkt != NULL && !text_is(cnf, "jkt", expect->key_thumbprint))
        return ATTESTD_RP_KEY_BINDING;
    return ATTESTD_RP_OK;
}

/* --- all of it --- */

static enum attestd_rp_status check(const json_t *claims, bool eat, const struct attestd_rp_expect *expect)
{
    if (!json_is_object(claims))
        return ATTESTD_RP_MALFORMED;
    if (eat && !text_is(claims, "eat_profile", EAR_PROFILE))
        return ATTESTD_RP_TYPE;
    if (!text_is(claims, "iss", expect->issuer))
        return ATTESTD_RP_ISSUER;
    if (!text_is(claims, "aud", expect->audience))
        return ATTESTD_RP_AUDIENCE;
    enum attestd_rp_status status = check_times(claims, expect);
    if (status != ATTESTD_RP_OK)
        return status;
    if (expect->nonce != NULL && !text_is(claims, "eat_nonce", expect->nonce))
        return ATTESTD_RP_NONCE;
    status = check_policy(claims, expect);
    if (status == ATTESTD_RP_OK)
        status = check_verdict(claims, eat, expect);
    if (status == ATTESTD_RP_OK)
        status = check_key(claims, expect);
    return status;
}

enum attestd_rp_status rp_claims_check(const char *payload, size_t len, bool eat, const struct attestd_rp_expect *expect)
{
    json_t *claims = json_loadb(payload, len, JSON_REJECT_DUPLICATES, NULL);
    enum attestd_rp_status status = check(claims, eat, expect);
    json_decref(claims);
    return status;
}
