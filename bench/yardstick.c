/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/yardstick.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static clockid_t bench_clock_id = CLOCK_THREAD_CPUTIME_ID;

void bench_use_wall_clock(void)
{
    bench_clock_id = CLOCK_MONOTONIC;
}

const char *bench_clock_name(void)
{
    return bench_clock_id == CLOCK_MONOTONIC ? "wall" : "thread cpu time";
}

int64_t bench_clock(void)
{
    struct timespec t;
    clock_gettime(bench_clock_id, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

double bench_rate(void once(void *context, unsigned turn), void *context, unsigned milliseconds)
{
    int64_t start = bench_clock(), now = start, end = start + (int64_t)milliseconds * 1000000;
    unsigned turn = 0;
    for (; now < end; now = bench_clock())
        once(context, turn++);
    return turn * 1e9 / (double)(now - start);
}

struct verification {
    EVP_PKEY_CTX *context;
    uint8_t digest[48], signature[128];
    size_t digest_len, signature_len;
};

static void must(int good)
{
    if (good)
        return;
    fputs("bench: libcrypto failed\n", stderr);
    exit(70);
}

static void check_once(void *context, unsigned turn)
{
    (void)turn;
    const struct verification *v = context;
    must(EVP_PKEY_verify(v->context, v->signature, v->signature_len, v->digest, v->digest_len) == 1);
}

double bench_libcrypto_rate(const char *curve, unsigned milliseconds)
{
    struct verification v = {.digest_len = strcmp(curve, "P-256") == 0 ? 32 : 48, .signature_len = sizeof v.signature};
    memset(v.digest, 0xa5, sizeof v.digest);
    EVP_PKEY *pkey = EVP_EC_gen(curve);
    must(pkey != NULL);
    EVP_PKEY_CTX *signer = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    must(signer && EVP_PKEY_sign_init(signer) == 1 && EVP_PKEY_sign(signer, v.signature, &v.signature_len, v.digest, v.digest_len) == 1);
    v.context = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    must(v.context && EVP_PKEY_verify_init(v.context) == 1);
    double rate = bench_rate(check_once, &v, milliseconds);
    EVP_PKEY_CTX_free(v.context);
    EVP_PKEY_CTX_free(signer);
    EVP_PKEY_free(pkey);
    return rate;
}
