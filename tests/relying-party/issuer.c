/* SPDX-License-Identifier: Apache-2.0 */
#include "issuer.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct issuer {
    EVP_PKEY *key;
    char kid[64];
};

static void check(bool ok)
{
    if (ok)
        return;
    fprintf(stderr, "issuer: libcrypto failed\n");
    abort();
}

struct issuer *issuer_new(const char *kid)
{
    struct issuer *issuer = calloc(1, sizeof(*issuer));
    check(issuer != NULL);
    issuer->key = EVP_EC_gen("P-256");
    check(issuer->key != NULL);
    snprintf(issuer->kid, sizeof(issuer->kid), "%s", kid);
    return issuer;
}

void issuer_free(struct issuer *issuer)
{
    if (issuer == NULL)
        return;
    EVP_PKEY_free(issuer->key);
    free(issuer);
}

char *issuer_base64url(const void *bytes, size_t len)
{
    char *text = malloc((len + 2) / 3 * 4 + 1);
    check(text != NULL);
    EVP_EncodeBlock((unsigned char *)text, bytes, (int)len);
    for (char *at = text; *at != '\0'; at++)
        *at = *at == '+' ? '-' : *at == '/' ? '_' : *at == '=' ? '\0' : *at;
    return text;
}

static char *format(const char *pattern, const char *a, const char *b, const char *c)
{
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    check(stream != NULL);
    for (const char *at = pattern; *at != '\0'; at++) {
        if (*at == '1' || *at == '2' || *at == '3')
            fputs(*at == '1' ? a : *at == '2' ? b : c, stream);
        else
            fputc(*at, stream);
    }
    fclose(stream);
    return text;
}

char *issuer_jwks(struct issuer *const *issuers, size_t count, const char *extra)
{
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    check(stream != NULL);
    fprintf(stream, "{\"keys\":[%s", extra == NULL ? "" : extra);
    for (size_t i = 0; i < count; i++) {
        unsigned char point[65];
        size_t len = 0;
        check(EVP_PKEY_get_octet_string_param(issuers[i]->key, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, point, sizeof(point), &len) == 1 &&
              len == 65);
        char *x = issuer_base64url(point + 1, 32), *y = issuer_base64url(point + 33, 32);
        fprintf(stream, "%s{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"%s\",\"y\":\"%s\",\"kid\":\"%s\"}", i > 0 || extra != NULL ? "," : "",
                x, y, issuers[i]->kid);
        free(x);
        free(y);
    }
    fputs("]}", stream);
    fclose(stream);
    return text;
}

char *issuer_header(const struct issuer *issuer, const char *typ)
{
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    check(stream != NULL);
    fprintf(stream, "{\"alg\":\"ES256\",\"typ\":\"%s\",\"kid\":\"%s\"}", typ, issuer->kid);
    fclose(stream);
    return text;
}

static void sign(const struct issuer *issuer, const char *input, unsigned char raw[64])
{
    unsigned char der[100];
    const unsigned char *at = der;
    size_t len = sizeof(der);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    check(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, issuer->key) == 1);
    check(EVP_DigestSign(ctx, der, &len, (const unsigned char *)input, strlen(input)) == 1);
    ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &at, (long)len);
    check(signature != NULL);
    BN_bn2binpad(ECDSA_SIG_get0_r(signature), raw, 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(signature), raw + 32, 32);
    ECDSA_SIG_free(signature);
    EVP_MD_CTX_free(ctx);
}

char *issuer_sign(const struct issuer *issuer, const char *header, const char *payload)
{
    unsigned char raw[64];
    char *first = issuer_base64url(header, strlen(header)), *second = issuer_base64url(payload, strlen(payload));
    char *input = format("1.2", first, second, "");
    sign(issuer, input, raw);
    char *third = issuer_base64url(raw, sizeof(raw));
    char *token = format("1.3", input, "", third);
    free(first);
    free(second);
    free(third);
    free(input);
    return token;
}
