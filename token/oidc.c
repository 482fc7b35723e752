/* SPDX-License-Identifier: Apache-2.0 */
/* The flat token for cloud federation: what AWS, GCP, Kubernetes and Vault can match without a JSON pointer. */
#include "token/claims.h"

#include "core/encoding.h"
#include <string.h>

#define OIDC_TOKEN_MAX 2048
#define KINDS_MAX 96

/* "snp+nvgpu": the kinds of evidence, each once, in the order of labels. */
static void kinds_of(const struct attestd_result *result, char text[KINDS_MAX])
{
    size_t len = 0;
    text[0] = '\0';
    for (size_t i = 0; i < result->piece_count; i++) {
        const char *type = result->pieces[i].type;
        bool seen = false;
        for (size_t k = 0; k < i; k++)
            seen = seen || strcmp(result->pieces[k].type, type) == 0;
        size_t type_len = strlen(type);
        if (seen || len + type_len + 2 > KINDS_MAX)
            continue;
        if (len > 0)
            text[len++] = '+';
        memcpy(text + len, type, type_len + 1);
        len += type_len;
    }
}

/* Session tags: the only way in which AWS lets a policy see more than iss, aud and sub. */
static void aws_tags(struct attestd_json_writer *json, const struct attestd_result *result, const char *kinds)
{
    attestd_json_open_map(json, "https://aws.amazon.com/tags");
    attestd_json_open_map(json, "principal_tags");
    attestd_json_open_list(json, "attestd_policy");
    attestd_json_text(json, NULL, result->policy_name);
    attestd_json_close_list(json);
    attestd_json_open_list(json, "attestd_evidence");
    attestd_json_text(json, NULL, kinds);
    attestd_json_close_list(json);
    attestd_json_close_map(json);
    attestd_json_close_map(json);
}

static void write_payload(struct attestd_text *out, const struct attestd_token_claims *claims, const struct attestd_result *result,
                          bool tags)
{
    char digest[DIGEST_TEXT_SIZE], kinds[KINDS_MAX];
    struct attestd_json_writer json = attestd_json_writer_to(out);
    kinds_of(result, kinds);
    attestd_json_open_map(&json, NULL);
    token_registered_claims(&json, claims, result);
    if (claims->nonce != NULL)
        attestd_json_text(&json, "eat_nonce", claims->nonce);
    if (claims->key != NULL) {
        /* By thumbprint (RFC 9449 section 6.1): an RSA key would take more room than all the rest. */
        char thumbprint[44];
        attestd_base64url_encode(claims->key->thumbprint, 32, thumbprint);
        attestd_json_open_map(&json, "cnf");
        attestd_json_text(&json, "jkt", thumbprint);
        attestd_json_close_map(&json);
    }
    attestd_json_text(&json, "attestd_verdict", attestd_verdict_name(token_verdict(result)));
    attestd_json_text(&json, "attestd_policy_name", result->policy_name);
    attestd_json_number(&json, "attestd_policy_version", result->policy_version);
    token_digest_text(result->policy_digest, digest);
    attestd_json_text(&json, "attestd_policy_digest", digest);
    attestd_json_text(&json, "attestd_evidence", kinds);
    attestd_json_text(&json, "attestd_freshness", token_freshness_name(result->freshness));
    token_digest_text(result->evidence_digest, digest);
    attestd_json_text(&json, "attestd_evidence_digest", digest);
    if (result->simulated)
        attestd_json_flag(&json, "simulated", true);
    if (tags)
        aws_tags(&json, result, kinds);
    attestd_json_close_map(&json);
}

void attestd_oidc_payload(struct attestd_text *out, const struct attestd_token_claims *claims, const struct attestd_result *result)
{
    size_t start = out->len;
    if (token_verdict(result) != ATTESTD_AFFIRMING)
        return;
    write_payload(out, claims, result, true);
    if (token_size(out->len - start) < OIDC_TOKEN_MAX)
        return;
    out->len = start; /* a long audience: the tags repeat what stands beside them */
    write_payload(out, claims, result, false);
}
