/* SPDX-License-Identifier: Apache-2.0 */
/* Whether tables pay on this libcrypto: newer ones have arithmetic of their own for P-384 that outruns them. */
#include "core/key_tables.h"
#include "core/signature.h"
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <time.h>

enum { ROUNDS = 4, SLICE = 6 * 1000 * 1000 }; /* of each way, in turn, so that a busy machine slows both; nanoseconds */

static int64_t clock_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

struct sample {
    struct attestd_key *key;
    uint8_t message[16];
    uint8_t signature[104];
    size_t len;
};

static bool sample_make(struct sample *sample)
{
    *sample = (struct sample){.len = sizeof sample->signature};
    EVP_PKEY *pkey = EVP_EC_gen("P-384");
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    uint8_t *spki = NULL;
    int spki_len = pkey ? i2d_PUBKEY(pkey, &spki) : -1;
    if (spki_len > 0 && context && EVP_DigestSignInit_ex(context, NULL, "SHA384", NULL, NULL, pkey, NULL) == 1 &&
        EVP_DigestSign(context, sample->signature, &sample->len, sample->message, sizeof sample->message) == 1)
        sample->key = attestd_key_from_spki(spki, (size_t)spki_len);
    OPENSSL_free(spki);
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(pkey);
    return sample->key != NULL;
}

/* Checks in a slice of time, per second; 0 if one fails. */
static double rate(const struct sample *sample)
{
    int64_t start = clock_now(), now = start;
    unsigned done = 0;
    for (; now - start < SLICE; now = clock_now(), done++)
        if (!attestd_key_verify(sample->key, ATTESTD_ECDSA_P384_SHA384_DER, sample->message, sizeof sample->message, sample->signature,
                                sample->len))
            return 0;
    return done * 1e9 / (double)(now - start);
}

unsigned attestd_key_tables_measure(void)
{
    struct sample sample;
    if (!key_tables_on() || !sample_make(&sample))
        return 0;
    struct attestd_bytes spki = attestd_key_spki(sample.key);
    double plain = 0, with = 0;
    for (int round = 0; round < ROUNDS; round++) {
        key_tables_pause(true);
        plain += rate(&sample);
        key_tables_pause(false);
        key_table_make(attestd_key_digest(sample.key), spki.data + spki.len - 96);
        with += rate(&sample);
    }
    attestd_key_free(sample.key);
    if (with <= plain)
        attestd_key_tables_enable(false, 0);
    return plain > 0 ? (unsigned)(100 * with / plain) : 0;
}
