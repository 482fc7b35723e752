/* SPDX-License-Identifier: Apache-2.0 */
#include "core/digest.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { SHA_1, SHA_256, SHA_384, SHA_512, ALGORITHMS };

/* Fetched once: a lookup by name costs more than a short digest. They live as long as the process. */
static EVP_MD *algorithms[ALGORITHMS];
static EVP_MAC_CTX *hmac_template;
static pthread_once_t fetched = PTHREAD_ONCE_INIT;
static pthread_key_t context_key;

struct attestd_digest {
    EVP_MD_CTX *context;
};

/* Digests do not fail but for want of memory or a broken libcrypto; a verifier must not go on with either. */
static void must(int ok)
{
    if (ok == 1)
        return;
    fputs("attestd: libcrypto cannot make a digest\n", stderr);
    abort();
}

static void context_free(void *context)
{
    EVP_MD_CTX_free(context);
}

static void fetch(void)
{
    static const char *const names[ALGORITHMS] = {"SHA1", "SHA256", "SHA384", "SHA512"};
    for (int i = 0; i < ALGORITHMS; i++) {
        algorithms[i] = EVP_MD_fetch(NULL, names[i], NULL);
        must(algorithms[i] != NULL);
    }
    EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    hmac_template = EVP_MAC_CTX_new(hmac);
    must(hmac_template != NULL);
    char name[] = "SHA256";
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0), OSSL_PARAM_construct_end()};
    must(EVP_MAC_CTX_set_params(hmac_template, params));
    EVP_MAC_free(hmac);
    must(pthread_key_create(&context_key, context_free) == 0);
}

static EVP_MD *algorithm(int which)
{
    pthread_once(&fetched, fetch);
    return algorithms[which];
}

/* One context a thread, so that a digest allocates nothing. */
static void digest(int which, const void *bytes, size_t len, uint8_t *out)
{
    static _Thread_local EVP_MD_CTX *context;
    EVP_MD *md = algorithm(which);
    if (!context) {
        context = EVP_MD_CTX_new();
        must(context != NULL && pthread_setspecific(context_key, context) == 0);
    }
    must(EVP_DigestInit_ex(context, md, NULL));
    must(EVP_DigestUpdate(context, bytes, len));
    must(EVP_DigestFinal_ex(context, out, NULL));
}

void attestd_sha256(const void *bytes, size_t len, uint8_t out[32])
{
    digest(SHA_256, bytes, len, out);
}

void attestd_sha384(const void *bytes, size_t len, uint8_t out[48])
{
    digest(SHA_384, bytes, len, out);
}

void attestd_sha512(const void *bytes, size_t len, uint8_t out[64])
{
    digest(SHA_512, bytes, len, out);
}

void attestd_sha1(const void *bytes, size_t len, uint8_t out[20])
{
    digest(SHA_1, bytes, len, out);
}

void attestd_hmac_sha256(const void *key, size_t key_len, const void *bytes, size_t len, uint8_t mac[32])
{
    (void)algorithm(SHA_256);
    EVP_MAC_CTX *context = EVP_MAC_CTX_dup(hmac_template);
    must(context != NULL);
    must(EVP_MAC_init(context, key ? key : (const void *)"", key_len, NULL)); /* a NULL key would mean "the last one" */
    must(EVP_MAC_update(context, bytes, len));
    size_t written = 0;
    must(EVP_MAC_final(context, mac, &written, 32));
    EVP_MAC_CTX_free(context);
}

struct attestd_digest *attestd_digest_new(int bits)
{
    struct attestd_digest *d = malloc(sizeof *d);
    must(d != NULL && (bits == 256 || bits == 384 || bits == 512));
    d->context = EVP_MD_CTX_new();
    must(d->context != NULL);
    must(EVP_DigestInit_ex(d->context, algorithm(bits == 256 ? SHA_256 : bits == 384 ? SHA_384 : SHA_512), NULL));
    return d;
}

void attestd_digest_add(struct attestd_digest *d, const void *bytes, size_t len)
{
    must(EVP_DigestUpdate(d->context, bytes, len));
}

void attestd_digest_add_framed(struct attestd_digest *d, const void *bytes, size_t len)
{
    must(len <= UINT32_MAX);
    attestd_digest_add_u32be(d, (uint32_t)len);
    attestd_digest_add(d, bytes, len);
}

void attestd_digest_add_u32be(struct attestd_digest *d, uint32_t number)
{
    const uint8_t bytes[4] = {(uint8_t)(number >> 24), (uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number};
    attestd_digest_add(d, bytes, sizeof bytes);
}

void attestd_digest_finish(struct attestd_digest *d, uint8_t *out)
{
    must(EVP_DigestFinal_ex(d->context, out, NULL));
    EVP_MD_CTX_free(d->context);
    free(d);
}
