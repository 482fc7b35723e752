/* SPDX-License-Identifier: Apache-2.0 */
#include "core/signature.h"

#include "core/digest.h"
#include "core/key_tables.h"
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum kind { P256, P384, RSA_KEY, ED25519_KEY, X25519_KEY };

/* Verification contexts kept ready, by key and use; making one costs several lookups by name. */
enum { USES = 3, SPARES = 4 };

struct attestd_key {
    atomic_uint references;
    enum kind kind;
    uint8_t digest[32];
    EVP_PKEY *pkey;
    uint8_t *spki;
    size_t spki_len;
    _Atomic(EVP_PKEY_CTX *) spare[USES][SPARES];
    atomic_uint good; /* signatures that passed the plain check while key tables were on */
};

/* The four kinds of SubjectPublicKeyInfo whose DER is one constant prefix and then the key: RFC 5480 section 2 with a named curve and
 * an uncompressed point, RFC 8410 section 4. */
struct form {
    enum kind kind;
    const char *group;
    size_t prefix_len, key_len;
    uint8_t prefix[27];
};
static const struct form FORMS[] = {
    {P256, "P-256", 27, 64, {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
                             0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04}},
    {P384, "P-384", 24, 96, {0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02,
                             0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22, 0x03, 0x62, 0x00, 0x04}},
    {ED25519_KEY, NULL, 12, 32, {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00}},
    {X25519_KEY, NULL, 12, 32, {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x6e, 0x03, 0x21, 0x00}},
};

/* Making keys */

static EVP_PKEY *ec_key(const struct form *form, const uint8_t *point, size_t len)
{
    char group[8];
    memcpy(group, form->group, strlen(form->group) + 1);
    uint8_t copy[97];
    memcpy(copy, point, len);
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
                           OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, copy, len), OSSL_PARAM_construct_end()};
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    /* Decoding the point checks that it is on the curve; both curves have cofactor 1. */
    if (!context || EVP_PKEY_fromdata_init(context) != 1 || EVP_PKEY_fromdata(context, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
        pkey = NULL;
    EVP_PKEY_CTX_free(context);
    return pkey;
}

static EVP_PKEY *fixed_form_key(const struct form *form, const uint8_t *der, size_t len)
{
    if (form->group)
        return ec_key(form, der + form->prefix_len - 1, len - form->prefix_len + 1);
    return EVP_PKEY_new_raw_public_key(form->kind == ED25519_KEY ? EVP_PKEY_ED25519 : EVP_PKEY_X25519, NULL, der + form->prefix_len,
                                       form->key_len);
}

/* An exponent beyond 64 bits buys nothing and costs time; libcrypto refuses it for long moduli only. */
static bool rsa_sound(EVP_PKEY *pkey)
{
    BIGNUM *n = NULL, *e = NULL;
    bool sound = EVP_PKEY_get_base_id(pkey) == EVP_PKEY_RSA && EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &n) == 1 &&
                 EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e) == 1 && BN_num_bits(n) >= 2048 && BN_num_bits(n) <= 8192 &&
                 BN_is_odd(n) && BN_is_odd(e) && BN_num_bits(e) >= 17 && BN_num_bits(e) <= 64;
    BN_free(n);
    BN_free(e);
    return sound;
}

static EVP_PKEY *rsa_key(const uint8_t *der, size_t len)
{
    const size_t longest = 1200; /* 8192 bits of modulus, 64 of exponent, and the frame */
    if (len > longest)
        return NULL;
    const uint8_t *at = der;
    EVP_PKEY *pkey = d2i_PUBKEY(NULL, &at, (long)len);
    uint8_t *again = NULL;
    int again_len = pkey ? i2d_PUBKEY(pkey, &again) : -1;
    bool same = again_len > 0 && (size_t)again_len == len && memcmp(again, der, len) == 0;
    OPENSSL_free(again);
    if (same && rsa_sound(pkey))
        return pkey;
    EVP_PKEY_free(pkey);
    return NULL;
}

static EVP_PKEY *decode(const uint8_t *der, size_t len, enum kind *kind)
{
    for (size_t i = 0; i < sizeof FORMS / sizeof *FORMS; i++) {
        const struct form *form = &FORMS[i];
        if (len == form->prefix_len + form->key_len && memcmp(der, form->prefix, form->prefix_len) == 0) {
            *kind = form->kind;
            return fixed_form_key(form, der, len);
        }
    }
    *kind = RSA_KEY;
    return rsa_key(der, len);
}

static struct attestd_key *key_new(const uint8_t *der, size_t len, const uint8_t digest[32])
{
    enum kind kind;
    EVP_PKEY *pkey = decode(der, len, &kind);
    if (!pkey) {
        ERR_clear_error();
        return NULL;
    }
    struct attestd_key *key = calloc(1, sizeof *key);
    uint8_t *spki = malloc(len);
    if (!key || !spki)
        abort();
    memcpy(spki, der, len);
    memcpy(key->digest, digest, 32);
    atomic_init(&key->references, 1);
    key->kind = kind;
    key->pkey = pkey;
    key->spki = spki;
    key->spki_len = len;
    return key;
}

struct attestd_key *attestd_key_retain(struct attestd_key *key)
{
    atomic_fetch_add_explicit(&key->references, 1, memory_order_relaxed);
    return key;
}

void attestd_key_free(struct attestd_key *key)
{
    if (!key || atomic_fetch_sub_explicit(&key->references, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t use = 0; use < USES; use++)
        for (size_t i = 0; i < SPARES; i++)
            EVP_PKEY_CTX_free(atomic_load(&key->spare[use][i]));
    EVP_PKEY_free(key->pkey);
    free(key->spki);
    free(key);
}

const uint8_t *attestd_key_digest(const struct attestd_key *key)
{
    return key->digest;
}

struct attestd_bytes attestd_key_spki(const struct attestd_key *key)
{
    return (struct attestd_bytes){key->spki, key->spki_len};
}

/* The cache: sets of a few keys chosen by digest, the least recently used of a set gives way. */

enum { SHARDS = 16, SETS = 16, WAYS = 8 }; /* 2,048 keys, some 4 KiB each */

struct shard {
    pthread_mutex_t lock;
    uint64_t clock;
    struct {
        struct attestd_key *key;
        uint64_t used;
    } sets[SETS][WAYS];
};
static struct shard shards[SHARDS];
static pthread_once_t shards_made = PTHREAD_ONCE_INIT;

static void make_shards(void)
{
    for (size_t i = 0; i < SHARDS; i++)
        pthread_mutex_init(&shards[i].lock, NULL);
}

static struct shard *shard_of(const uint8_t digest[32])
{
    pthread_once(&shards_made, make_shards);
    return &shards[digest[0] % SHARDS];
}

static struct attestd_key *cached(const uint8_t digest[32])
{
    struct shard *shard = shard_of(digest);
    struct attestd_key *found = NULL;
    pthread_mutex_lock(&shard->lock);
    for (size_t i = 0; i < WAYS && !found; i++) {
        struct attestd_key *key = shard->sets[digest[1] % SETS][i].key;
        if (!key || memcmp(key->digest, digest, 32) != 0)
            continue;
        shard->sets[digest[1] % SETS][i].used = ++shard->clock;
        found = attestd_key_retain(key);
    }
    pthread_mutex_unlock(&shard->lock);
    return found;
}

static void remember(struct attestd_key *key)
{
    struct shard *shard = shard_of(key->digest);
    pthread_mutex_lock(&shard->lock);
    size_t set = key->digest[1] % SETS, oldest = 0;
    for (size_t i = 1; i < WAYS; i++)
        if (shard->sets[set][i].used < shard->sets[set][oldest].used)
            oldest = i;
    struct attestd_key *gone = shard->sets[set][oldest].key;
    shard->sets[set][oldest].key = attestd_key_retain(key);
    shard->sets[set][oldest].used = ++shard->clock;
    pthread_mutex_unlock(&shard->lock);
    attestd_key_free(gone);
}

struct attestd_key *attestd_key_from_spki(const uint8_t *der, size_t len)
{
    if (!der || len == 0)
        return NULL;
    uint8_t digest[32];
    attestd_sha256(der, len, digest);
    struct attestd_key *key = cached(digest);
    if (key)
        return key;
    key = key_new(der, len, digest);
    if (key)
        remember(key);
    return key;
}

struct attestd_key *attestd_key_from_point(const uint8_t *x, const uint8_t *y, size_t coordinate_len)
{
    if (coordinate_len != 32 && coordinate_len != 48)
        return NULL;
    const struct form *form = &FORMS[coordinate_len == 32 ? P256 : P384];
    uint8_t der[128];
    memcpy(der, form->prefix, form->prefix_len);
    memcpy(der + form->prefix_len, x, coordinate_len);
    memcpy(der + form->prefix_len + coordinate_len, y, coordinate_len);
    return attestd_key_from_spki(der, form->prefix_len + form->key_len);
}

/* Checking signatures */

struct scheme {
    bool known;
    enum kind kind;
    size_t digest_len;
    bool der;       /* ECDSA-Sig-Value instead of r then s */
    size_t use;     /* which of the key's contexts */
    int padding;    /* RSA */
    int salt_len;   /* PSS */
    const char *md; /* RSA */
};
static const struct scheme SCHEMES[] = {
    [ATTESTD_ECDSA_P256_SHA256] = {true, P256, 32, false, 0, 0, 0, NULL},
    [ATTESTD_ECDSA_P384_SHA384] = {true, P384, 48, false, 0, 0, 0, NULL},
    [ATTESTD_RSA_PKCS1_SHA256] = {true, RSA_KEY, 32, false, 0, RSA_PKCS1_PADDING, 0, "SHA256"},
    [ATTESTD_RSA_PSS_SHA256] = {true, RSA_KEY, 32, false, 1, RSA_PKCS1_PSS_PADDING, 32, "SHA256"},
    [ATTESTD_RSA_PSS_SHA384] = {true, RSA_KEY, 48, false, 2, RSA_PKCS1_PSS_PADDING, 48, "SHA384"},
    [ATTESTD_ED25519] = {true, ED25519_KEY, 0, false, 0, 0, 0, NULL},
    [ATTESTD_ECDSA_P384_SHA384_DER] = {true, P384, 48, true, 0, 0, 0, NULL},
    [ATTESTD_ECDSA_P256_SHA256_DER] = {true, P256, 32, true, 0, 0, 0, NULL},
};

/* The curves' orders (SP 800-186 section 3.2.1), big-endian. */
static const uint8_t ORDER_P256[32] = {0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                       0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};
static const uint8_t ORDER_P384[48] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                       0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xc7, 0x63, 0x4d, 0x81, 0xf4, 0x37, 0x2d, 0xdf,
                                       0x58, 0x1a, 0x0d, 0xb2, 0x48, 0xb0, 0xa7, 0x7a, 0xec, 0xec, 0x19, 0x6a, 0xcc, 0xc5, 0x29, 0x73};

static const struct scheme *scheme_of(const struct attestd_key *key, int algorithm)
{
    if (!key || algorithm < 0 || (size_t)algorithm >= sizeof SCHEMES / sizeof *SCHEMES || !SCHEMES[algorithm].known)
        return NULL;
    return SCHEMES[algorithm].kind == key->kind ? &SCHEMES[algorithm] : NULL;
}

static EVP_PKEY_CTX *context_new(const struct attestd_key *key, const struct scheme *scheme)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
    bool good = context && EVP_PKEY_verify_init(context) == 1;
    if (good && scheme->kind == RSA_KEY) {
        EVP_MD *md = EVP_MD_fetch(NULL, scheme->md, NULL);
        good = md && EVP_PKEY_CTX_set_rsa_padding(context, scheme->padding) == 1 && EVP_PKEY_CTX_set_signature_md(context, md) == 1;
        if (good && scheme->padding == RSA_PKCS1_PSS_PADDING)
            good = EVP_PKEY_CTX_set_rsa_mgf1_md(context, md) == 1 && EVP_PKEY_CTX_set_rsa_pss_saltlen(context, scheme->salt_len) == 1;
        EVP_MD_free(md);
    }
    if (good)
        return context;
    EVP_PKEY_CTX_free(context);
    return NULL;
}

static EVP_PKEY_CTX *context_take(struct attestd_key *key, const struct scheme *scheme)
{
    for (size_t i = 0; i < SPARES; i++) {
        EVP_PKEY_CTX *context = atomic_exchange(&key->spare[scheme->use][i], NULL);
        if (context)
            return context;
    }
    return context_new(key, scheme);
}

static void context_give(struct attestd_key *key, const struct scheme *scheme, EVP_PKEY_CTX *context)
{
    for (size_t i = 0; i < SPARES && context; i++) {
        EVP_PKEY_CTX *nothing = NULL;
        if (atomic_compare_exchange_strong(&key->spare[scheme->use][i], &nothing, context))
            return;
    }
    EVP_PKEY_CTX_free(context);
}

static bool plain_verify(const struct attestd_key *key, const struct scheme *scheme, const uint8_t *digest, size_t digest_len,
                         const uint8_t *signature, size_t len)
{
    struct attestd_key *owner = (struct attestd_key *)(uintptr_t)key; /* only its spare contexts change, atomically */
    EVP_PKEY_CTX *context = context_take(owner, scheme);
    bool good = context && EVP_PKEY_verify(context, signature, len, digest, digest_len) == 1;
    context_give(owner, scheme, context);
    if (!good)
        ERR_clear_error();
    return good;
}

static bool in_range(const uint8_t *number, const uint8_t *order, size_t len)
{
    uint8_t any = 0;
    for (size_t i = 0; i < len; i++)
        any |= number[i];
    return any != 0 && memcmp(number, order, len) < 0;
}

/* INTEGER of a fixed-width number: no leading zero byte but the one that keeps it positive (X.690 section 8.3.2). */
static size_t put_integer(uint8_t *out, const uint8_t *number, size_t len)
{
    size_t skip = 0;
    while (skip < len - 1 && number[skip] == 0)
        skip++;
    size_t sign = number[skip] >> 7, size = len - skip;
    out[0] = 0x02;
    out[1] = (uint8_t)(size + sign);
    out[2] = 0;
    memcpy(out + 2 + sign, number + skip, size);
    return 2 + sign + size;
}

/* Longest: two INTEGERs of 49 bytes. Both lengths stay below 128, so each is one byte. */
static size_t put_signature(uint8_t out[104], const uint8_t *signature, size_t width)
{
    size_t len = put_integer(out + 2, signature, width);
    len += put_integer(out + 2 + len, signature + width, width);
    out[0] = 0x30;
    out[1] = (uint8_t)len;
    return len + 2;
}

/* One INTEGER in DER to a fixed width; false when it is negative, not minimal or too long. */
static bool take_integer(const uint8_t **at, const uint8_t *end, uint8_t *out, size_t width)
{
    if (end - *at < 3 || (*at)[0] != 0x02 || (*at)[1] == 0 || (*at)[1] > 127 || (*at)[1] > end - *at - 2)
        return false;
    const uint8_t *number = *at + 2;
    size_t len = (*at)[1];
    if (number[0] & 0x80 || (number[0] == 0 && len > 1 && !(number[1] & 0x80)))
        return false;
    *at = number + len;
    if (number[0] == 0) {
        number++;
        len--;
    }
    if (len > width)
        return false;
    memset(out, 0, width - len);
    if (len)
        memcpy(out + width - len, number, len);
    return true;
}

static bool take_signature(const uint8_t *der, size_t len, uint8_t *out, size_t width)
{
    if (len < 8 || len > 104 || der[0] != 0x30 || der[1] != len - 2)
        return false;
    const uint8_t *at = der + 2, *end = der + len;
    return take_integer(&at, end, out, width) && take_integer(&at, end, out + width, width) && at == end;
}

/* A table costs about two plain checks: none for a key seen once, and one in sixteen checks at most when the tables are too few for the
 * keys in use. Only good signatures count, so that a key nobody vouches for earns no table. */
static void notice_good(const struct attestd_key *key)
{
    struct attestd_key *counted = (struct attestd_key *)(uintptr_t)key;
    if (atomic_fetch_add_explicit(&counted->good, 1, memory_order_relaxed) % 16 == 2)
        key_table_make(key->digest, key->spki + key->spki_len - 96);
}

static bool ecdsa_verify(const struct attestd_key *key, const struct scheme *scheme, const uint8_t *digest, const uint8_t *signature,
                         size_t len)
{
    size_t width = scheme->digest_len; /* P-256 with SHA-256, P-384 with SHA-384: all three numbers are as wide */
    const uint8_t *order = scheme->kind == P256 ? ORDER_P256 : ORDER_P384;
    uint8_t raw[96], der[104];
    if (scheme->der ? !take_signature(signature, len, raw, width) : len != 2 * width)
        return false;
    if (!scheme->der)
        memcpy(raw, signature, len);
    if (!in_range(raw, order, width) || !in_range(raw + width, order, width))
        return false;
    bool tables = scheme->kind == P384 && key_tables_on();
    int answer = tables ? key_table_verify(key->digest, digest, raw) : -1;
    if (answer >= 0)
        return answer == 1;
    bool good = plain_verify(key, scheme, digest, width, der, put_signature(der, raw, width));
    if (good && tables)
        notice_good(key);
    return good;
}

bool attestd_key_verify_digest(const struct attestd_key *key, int algorithm, const uint8_t *digest, size_t digest_len,
                               const uint8_t *signature, size_t signature_len)
{
    const struct scheme *scheme = scheme_of(key, algorithm);
    if (!scheme || scheme->digest_len == 0 || digest_len != scheme->digest_len || !signature || signature_len == 0)
        return false;
    if (scheme->kind == RSA_KEY)
        return plain_verify(key, scheme, digest, digest_len, signature, signature_len);
    return ecdsa_verify(key, scheme, digest, signature, signature_len);
}

static bool ed25519_verify(const struct attestd_key *key, const void *message, size_t len, const uint8_t *signature, size_t signature_len)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good = signature_len == 64 && context && EVP_DigestVerifyInit(context, NULL, NULL, NULL, key->pkey) == 1 &&
                EVP_DigestVerify(context, signature, signature_len, len ? message : "", len) == 1;
    EVP_MD_CTX_free(context);
    if (!good)
        ERR_clear_error();
    return good;
}

bool attestd_key_verify(const struct attestd_key *key, int algorithm, const void *message, size_t message_len, const uint8_t *signature,
                        size_t signature_len)
{
    const struct scheme *scheme = scheme_of(key, algorithm);
    if (!scheme)
        return false;
    if (scheme->kind == ED25519_KEY)
        return ed25519_verify(key, message, message_len, signature, signature_len);
    uint8_t digest[48];
    if (scheme->digest_len == 32)
        attestd_sha256(message, message_len, digest);
    else
        attestd_sha384(message, message_len, digest);
    return attestd_key_verify_digest(key, algorithm, digest, scheme->digest_len, signature, signature_len);
}
