/* SPDX-License-Identifier: Apache-2.0 */
#include "core/problem.h"

#include <stdio.h>
#include <string.h>

static const struct attestd_problem problems[] = {
    /* The request cannot be read. */
    {"JSON_MALFORMED", 400, "the body is not one strict JSON value", "Send one UTF-8 JSON object without duplicate names.", false},
    {"MEMBER_UNKNOWN", 400, "a member of the request is not known", "Take the member out, or mend its spelling.", false},
    {"MEMBER_MISSING", 400, "a member of the request is missing", "Add the member that detail names.", false},
    {"MEMBER_INVALID", 400, "a member of the request has a wrong type or value", "Mend the member that detail names.", false},
    {"PARAMETER_UNKNOWN", 400, "a query parameter is not known", "Take the parameter out, or mend its spelling.", false},
    {"PARAMETER_INVALID", 400, "a query parameter has a wrong value", "Mend the parameter that detail names.", false},
    {"BASE64_MALFORMED", 400, "a member is not base64 or base64url", "Encode the bytes as base64 or base64url, without white space.",
     false},
    {"LABEL_INVALID", 400, "a label or name does not fit the grammar", "Use [a-z][a-z0-9._-]{0,31}, not beginning with attestd.", false},
    {"NONCE_MALFORMED", 400, "the nonce is not 8 to 64 bytes in base64 or base64url", "Send 8 to 64 random bytes in base64url.", false},
    {"FRESHNESS_AMBIGUOUS", 400, "challenge and nonce are both given", "Send one of challenge and nonce.", false},
    {"FRESHNESS_MISSING", 400, "neither challenge nor nonce is given and the policy demands one", "Take a challenge from POST /challenge.",
     false},
    {"KEY_REFUSED", 400, "the key of cnf is not an acceptable public key",
     "Send a public EC P-256 or P-384, Ed25519, X25519 or RSA (2048 to 8192) JWK without private members.", false},
    {"DATA_MALFORMED", 400, "a datum to be bound is not hex", "Send each datum as hex text of 1 to 4096 bytes.", false},
    {"LAYOUT_UNKNOWN", 400, "the binding layout is not known", "Use attestd-v1, raw, sha512, trustee or ita.", false},
    {"LAYOUT_CANNOT_BIND", 400, "the binding layout cannot bind what the request carries",
     "Use attestd-v1, or leave out what the layout cannot bind.", false},
    {"CMW_MALFORMED", 400, "the body is not a conceptual message wrapper", "Send a CMW record or collection (RFC 9999).", false},
    {"EVIDENCE_MISSING", 400, "the request has no evidence", "Send at least one piece of evidence.", false},
    {"EVIDENCE_MALFORMED", 400, "a piece of evidence does not parse", "Send the bytes as the platform produced them.", false},
    {"EVIDENCE_TOO_MANY", 413, "the request has too many pieces or parts of evidence", "Send at most 32 pieces with at most 16 parts.",
     false},
    {"EVIDENCE_TYPE_UNKNOWN", 422, "no loaded plugin reads this type of evidence", "Name a type of /.well-known/attestd.", false},
    {"EVIDENCE_UNIDENTIFIED", 422, "no loaded plugin recognises the evidence", "Name the type of the evidence.", false},
    /* Challenges. */
    {"CHALLENGE_MALFORMED", 400, "the challenge is not one", "Send the challenge as POST /challenge gave it.", false},
    {"CHALLENGE_FOREIGN", 400, "the challenge was not issued by this verifier since its last start", "Ask for a new challenge.", false},
    {"CHALLENGE_SPENT", 409, "the challenge has bought its verdict", "Ask for a new challenge.", false},
    {"CHALLENGE_EXPIRED", 410, "the challenge is too old", "Ask for a new challenge.", false},
    /* Who may ask for what. */
    {"POLICY_NOT_NAMED", 400, "no policy is named and none follows from the audience",
     "Name a policy, or an audience that one policy lists.", false},
    {"POLICY_UNKNOWN", 404, "there is no such policy", "Name an existing policy.", false},
    {"AUDIENCE_NOT_OF_POLICY", 403, "the policy does not list the audience", "Name a policy that lists the audience.", false},
    {"OPERATOR_ONLY", 403, "the route is for operators and no operator key is configured",
     "Configure an operator key, or use the unix socket.", false},
    {"OPERATOR_KEY_MISSING", 401, "the route is for operators", "Send the operator key as a bearer token.", false},
    {"OPERATOR_KEY_UNKNOWN", 401, "the operator key is not known", "Send a key whose SHA-256 is configured.", false},
    {"OPERATOR_ROLE", 403, "the operator key may not do this", "Use a key with the role write.", false},
    {"TOKEN_WITHHELD", 403, "only a token was asked for and there is none", "Ask with Accept: application/json for the reasons.", false},
    /* HTTP. */
    {"NOT_FOUND", 404, "there is nothing at this path", "See /openapi.yaml for the routes.", false},
    {"APPRAISAL_UNKNOWN", 404, "there is no record of this appraisal", "Ask within the retention time, for appraisals that records keeps.",
     false},
    {"METHOD_NOT_ALLOWED", 405, "the route does not know this method", "Use a method of the Allow header.", false},
    {"NOT_ACCEPTABLE", 406, "none of the accepted media types can be produced", "Accept application/json or application/eat+jwt.", false},
    {"POLICY_CHANGED", 412, "the policy is not the one that If-Match names", "Read the policy again, then write.", false},
    {"PRECONDITION_REQUIRED", 428, "writing a policy needs If-Match", "Send If-Match with the policy's ETag, or * for a new one.", false},
    {"BODY_TOO_LARGE", 413, "the body is larger than the limit", "Send less than limits.body bytes.", false},
    {"MEDIA_TYPE_UNKNOWN", 415, "the content type is not one of those read", "See docs/api.md for the media types.", false},
    {"POLICY_REFUSED", 422, "the policy does not compile or its tests fail", "Mend what faults lists.", false},
    /* Somebody else is not there. */
    {"ENDORSEMENT_UNOBTAINABLE", 424, "an endorsement could not be had, so there is no verdict",
     "Retry after Retry-After with the same request, or import the endorsement.", true},
    {"RATE_LIMITED", 429, "this caller sends too much", "Retry after Retry-After.", true},
    {"OVERLOADED", 503, "the queue is full", "Retry after Retry-After.", true},
    {"DEADLINE", 503, "the verdict was not ready in time", "Retry with the same request.", true},
    {"SPENT_SET_FULL", 503, "no more challenges can be spent now", "Retry after Retry-After; raise challenge.capacity.", true},
    {"SPENT_SET_UNREACHABLE", 503, "the shared set of spent challenges does not answer", "Retry; mend the configured Redis.", true},
    {"AUDIT_UNAVAILABLE", 503, "the audit record could not be written", "Retry; free the disk that holds the audit log.", true},
    {"SIGNER_UNAVAILABLE", 503, "the token could not be signed", "Retry; see the server's log.", true},
    {"STATE_UNAVAILABLE", 503, "the state could not be written", "Retry; free the disk that holds the state directory.", true},
    {"STATE_CHANGED", 409, "the device's state was changed by another request", "Retry with new evidence.", false},
    {"SHUTTING_DOWN", 503, "the server is stopping", "Retry with another replica.", true},
    {"INTERNAL", 500, "the server made a mistake", "Report the request_id with the server's log.", true},
    /* A verdict, but no token: token_withheld.code. */
    {"TOKEN_NOT_ASKED", 200, "the request asks for no token", "Leave token out, or set it to ear.", false},
    {"TOKEN_NO_AUDIENCE", 200, "the request names no audience", "Name an audience the policy lists.", false},
    {"TOKEN_AUDIENCE_NOT_BOUND", 200, "the audience is not bound by the evidence",
     "Collect with the audience and layout attestd-v1, or set binding: {audience: optional}.", false},
    {"TOKEN_VERDICT", 200, "the policy issues no token on this verdict", "See the failed checks and their remedies.", false},
    {"TOKEN_OIDC_NEEDS_AFFIRMING", 200, "a federation token is issued on affirming only", "See the failed checks and their remedies.",
     false},
    {"TOKEN_SIMULATED", 200, "the federation token is not issued on simulated evidence", "Use real evidence.", false},
};

#define COUNT (sizeof problems / sizeof problems[0])

const struct attestd_problem *attestd_problem(const char *code)
{
    for (size_t i = 0; i < COUNT; i++)
        if (strcmp(problems[i].code, code) == 0)
            return &problems[i];
    return NULL;
}

size_t attestd_problem_count(void)
{
    return COUNT;
}

const struct attestd_problem *attestd_problem_at(size_t index)
{
    return index < COUNT ? &problems[index] : NULL;
}

void attestd_problem_type(const char *code, char out[96])
{
    snprintf(out, 96, "urn:attestd:problem:%s", code);
    for (char *c = out + sizeof "urn:attestd:problem:" - 1; *c != '\0'; c++) {
        if (*c == '_')
            *c = '-';
        else if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c + ('a' - 'A'));
    }
}
