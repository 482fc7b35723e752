/* SPDX-License-Identifier: Apache-2.0 */
/* The signing keys through their life: published, in use, published until the last token of theirs has ended, gone. */
#include "token/keyring.h"

#include "core/digest.h"
#include "core/encoding.h"
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static bool fail(char *error, size_t error_size, const char *phrase)
{
    snprintf(error, error_size, "%s", phrase);
    ERR_clear_error();
    return false;
}

void signing_key_clear(struct signing_key *key)
{
    EVP_PKEY_CTX_free(key->sign);
    EVP_PKEY_free(key->key);
    free(key->eat_header);
    free(key->jwt_header);
    *key = (struct signing_key){0};
}

char *signing_key_header(const struct signing_key *key, const char *typ)
{
    struct attestd_text text = {0};
    attestd_text_printf(&text, "{\"alg\":\"ES256\",\"typ\":\"%s\",\"kid\":\"%s\"}", typ, key->kid);
    char *encoded = malloc((text.len + 2) / 3 * 4 + 1);
    if (encoded != NULL)
        attestd_base64url_encode((const uint8_t *)text.data, text.len, encoded);
    attestd_text_free(&text);
    return encoded;
}

/* Coordinates at their full 32 bytes (leading zeros kept, RFC 7518 6.2.1.2) and the thumbprint over the members in RFC 7638's order. */
static bool name_key(struct signing_key *key)
{
    uint8_t point[65], digest[32];
    size_t len = 0;
    char text[160];
    if (EVP_PKEY_get_octet_string_param(key->key, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, point, sizeof(point), &len) != 1 || len != 65 ||
        point[0] != 4)
        return false;
    attestd_base64url_encode(point + 1, 32, key->x);
    attestd_base64url_encode(point + 33, 32, key->y);
    int text_len = snprintf(text, sizeof(text), "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"%s\",\"y\":\"%s\"}", key->x, key->y);
    attestd_sha256(text, (size_t)text_len, digest);
    attestd_base64url_encode(digest, sizeof(digest), key->kid);
    return true;
}

static bool is_sound_p256(EVP_PKEY *key)
{
    char curve[32] = "";
    size_t len = 0;
    if (!EVP_PKEY_is_a(key, "EC") || EVP_PKEY_get_group_name(key, curve, sizeof(curve), &len) != 1 || strcmp(curve, "prime256v1") != 0)
        return false;
    EVP_PKEY_CTX *check = EVP_PKEY_CTX_new(key, NULL);
    bool sound = check != NULL && EVP_PKEY_check(check) == 1;
    EVP_PKEY_CTX_free(check);
    return sound;
}

static bool prepare(struct signing_key *key, char *error, size_t error_size)
{
    if (!is_sound_p256(key->key))
        return fail(error, error_size, "not a P-256 private key");
    /* PEM may hold the point compressed; JWK wants both coordinates. (OpenSSL before 3.0.8 has "pub" compressed whatever is asked for.) */
    EVP_PKEY_set_utf8_string_param(key->key, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, "uncompressed");
    if (!name_key(key))
        return fail(error, error_size, "cannot read the public key");
    key->sign = EVP_PKEY_CTX_new(key->key, NULL);
    if (key->sign == NULL || EVP_PKEY_sign_init(key->sign) != 1 || EVP_PKEY_CTX_set_signature_md(key->sign, EVP_sha256()) != 1)
        return fail(error, error_size, "cannot sign with this key");
    key->eat_header = signing_key_header(key, "eat+jwt");
    key->jwt_header = signing_key_header(key, "JWT");
    return (key->eat_header != NULL && key->jwt_header != NULL) || fail(error, error_size, "out of memory");
}

bool signing_key_generate(struct signing_key *key, int64_t from, char *error, size_t error_size)
{
    *key = (struct signing_key){.key = EVP_EC_gen("P-256"), .from = from};
    if (key->key == NULL)
        return fail(error, error_size, "cannot make a key");
    if (prepare(key, error, error_size))
        return true;
    signing_key_clear(key);
    return false;
}

/* A key under a pass phrase is refused; without this libcrypto would ask the terminal. */
static int no_pass_phrase(char *buffer, int size, int writing, void *context)
{
    (void)buffer, (void)size, (void)writing, (void)context;
    return -1;
}

bool signing_key_from_pem(struct signing_key *key, const char *pem, size_t len, int64_t from, char *error, size_t error_size)
{
    BIO *bio = len > INT32_MAX ? NULL : BIO_new_mem_buf(pem, (int)len);
    *key = (struct signing_key){.from = from};
    if (bio != NULL)
        key->key = PEM_read_bio_PrivateKey(bio, NULL, no_pass_phrase, NULL);
    BIO_free(bio);
    if (key->key == NULL)
        return fail(error, error_size, "not a PEM private key without pass phrase");
    if (prepare(key, error, error_size))
        return true;
    signing_key_clear(key);
    return false;
}

/* The youngest key whose time has come; with a clock before all of them, the oldest. */
static void choose(struct attestd_keyring *ring, int64_t now)
{
    ring->in_use = 0;
    for (size_t i = 1; i < ring->count; i++) {
        if (ring->keys[i].from <= now)
            ring->in_use = i;
    }
}

static void drop_oldest(struct attestd_keyring *ring)
{
    if (ring->directory >= 0 && ring->keys[0].file[0] != '\0')
        key_store_remove(ring->directory, ring->keys[0].file);
    signing_key_clear(&ring->keys[0]);
    ring->count--;
    memmove(&ring->keys[0], &ring->keys[1], ring->count * sizeof(ring->keys[0]));
}

static struct attestd_keyring *ring_new(char *error, size_t error_size)
{
    struct attestd_keyring *ring = calloc(1, sizeof(*ring));
    if (ring == NULL)
        fail(error, error_size, "out of memory");
    else
        ring->directory = -1;
    return ring;
}

static bool take_file(void *context, const char *name, int64_t from, const char *pem, size_t len, char *error, size_t error_size)
{
    struct attestd_keyring *ring = context;
    char why[128];
    if (ring->count == KEYRING_MAX) {
        snprintf(error, error_size, "more than %d keys", KEYRING_MAX);
        return false;
    }
    struct signing_key *key = &ring->keys[ring->count];
    if (!signing_key_from_pem(key, pem, len, from, why, sizeof(why))) {
        snprintf(error, error_size, "key %s: %s", name, why);
        return false;
    }
    snprintf(key->file, sizeof(key->file), "%s", name);
    ring->count++;
    return true;
}

static void forget_keys(struct attestd_keyring *ring)
{
    for (size_t i = 0; i < ring->count; i++)
        signing_key_clear(&ring->keys[i]);
    ring->count = 0;
}

/* Reads the directory again when it has changed: a key that was added is published, one that was removed is not any more. What cannot be
 * read changes nothing. */
static void follow_directory(struct attestd_keyring *ring, int64_t now)
{
    struct attestd_keyring fresh = {.directory = -1};
    struct timespec state = key_store_state(ring->directory);
    bool same = state.tv_sec != 0 && state.tv_sec == ring->state.tv_sec && state.tv_nsec == ring->state.tv_nsec;
    if (same || now == ring->read_at)
        return;
    ring->read_at = now;
    ring->state = state;
    bool ok = key_store_lock(ring->directory, ring->fault, sizeof(ring->fault));
    ok = ok && key_store_each(ring->directory, take_file, &fresh, ring->fault, sizeof(ring->fault));
    key_store_unlock(ring->directory);
    if (ok && fresh.count == 0)
        ok = fail(ring->fault, sizeof(ring->fault), "the key directory has become empty");
    if (!ok) {
        forget_keys(&fresh);
        return;
    }
    ring->fault[0] = '\0';
    forget_keys(ring);
    memcpy(ring->keys, fresh.keys, sizeof(ring->keys));
    ring->count = fresh.count;
}

/* The published keys in their order, the one in use first: what a JWKS is made of. */
struct outline {
    char kids[KEYRING_MAX + 1][sizeof(((struct signing_key *)NULL)->kid)];
};

static struct outline outline_of(const struct attestd_keyring *ring)
{
    struct outline outline = {0};
    memcpy(outline.kids[0], attestd_keyring_kid(ring), sizeof(outline.kids[0]));
    for (size_t i = 0; i < ring->count; i++)
        memcpy(outline.kids[1 + i], ring->keys[i].kid, sizeof(outline.kids[0]));
    return outline;
}

bool attestd_keyring_tick(struct attestd_keyring *ring, int64_t now)
{
    struct outline before = outline_of(ring);
    if (ring->directory >= 0)
        follow_directory(ring, now);
    /* The last token of a key is signed the second before its successor begins. */
    while (ring->count > 1 && now - ring->keys[1].from >= ATTESTD_TOKEN_LIFE_MAX + ATTESTD_TOKEN_SKEW)
        drop_oldest(ring);
    choose(ring, now);
    struct outline after = outline_of(ring);
    return memcmp(&before, &after, sizeof(before)) != 0;
}

const char *attestd_keyring_fault(const struct attestd_keyring *ring)
{
    return ring->fault[0] == '\0' ? NULL : ring->fault;
}

static bool make_first(struct attestd_keyring *ring, int64_t now, char *error, size_t error_size)
{
    if (!signing_key_generate(&ring->keys[0], now, error, error_size))
        return false;
    ring->count = 1;
    return ring->directory < 0 || key_store_write(ring->directory, &ring->keys[0], error, error_size);
}

static bool load(struct attestd_keyring *ring, int64_t now, char *error, size_t error_size)
{
    /* Two processes that start at once on one directory must end with one first key. */
    if (!key_store_lock(ring->directory, error, error_size))
        return false;
    bool ok = key_store_each(ring->directory, take_file, ring, error, error_size);
    if (ok && ring->count == 0)
        ok = make_first(ring, now, error, error_size);
    key_store_unlock(ring->directory);
    return ok;
}

struct attestd_keyring *attestd_keyring_open(const char *directory, char *error, size_t error_size)
{
    int64_t now = (int64_t)time(NULL);
    struct attestd_keyring *ring = ring_new(error, error_size);
    if (ring == NULL)
        return NULL;
    bool ok;
    if (directory == NULL) {
        ok = make_first(ring, now, error, error_size);
    } else {
        ring->directory = key_store_open(directory, error, error_size);
        ok = ring->directory >= 0 && load(ring, now, error, error_size);
    }
    if (!ok) {
        attestd_keyring_free(ring);
        return NULL;
    }
    attestd_keyring_tick(ring, now);
    return ring;
}

struct attestd_keyring *attestd_keyring_from_file(const char *file, char *error, size_t error_size)
{
    size_t len = 0;
    char why[128];
    struct attestd_keyring *ring = ring_new(error, error_size);
    if (ring == NULL)
        return NULL;
    char *pem = key_store_read_file(file, &len, error, error_size);
    bool ok = pem != NULL && signing_key_from_pem(&ring->keys[0], pem, len, 0, why, sizeof(why));
    if (pem != NULL && !ok)
        snprintf(error, error_size, "key file %s: %s", file, why);
    if (pem != NULL)
        OPENSSL_cleanse(pem, len);
    free(pem);
    if (!ok) {
        attestd_keyring_free(ring);
        return NULL;
    }
    ring->count = 1;
    ring->fixed = true;
    return ring;
}

void attestd_keyring_free(struct attestd_keyring *ring)
{
    if (ring == NULL)
        return;
    forget_keys(ring);
    if (ring->directory >= 0)
        close(ring->directory);
    free(ring);
}

static bool store_next(struct attestd_keyring *ring, struct signing_key *next, char *error, size_t error_size)
{
    if (ring->directory < 0)
        return true;
    if (!key_store_lock(ring->directory, error, error_size))
        return false;
    bool ok = key_store_write(ring->directory, next, error, error_size);
    key_store_unlock(ring->directory);
    return ok;
}

bool attestd_keyring_rotate(struct attestd_keyring *ring, int64_t now, int64_t overlap, char *error, size_t error_size)
{
    struct signing_key next;
    if (ring->fixed)
        return fail(error, error_size, "the key is one given file; keys in a directory can be rotated");
    if (overlap < 0 || overlap > 366 * 86400)
        return fail(error, error_size, "the overlap must be 0 to 366 days");
    attestd_keyring_tick(ring, now);
    if (attestd_keyring_next(ring) != 0)
        return fail(error, error_size, "a next key is already published");
    if (ring->count == KEYRING_MAX)
        return fail(error, error_size, "too many keys are still published");
    if (now + overlap <= ring->keys[ring->count - 1].from)
        return fail(error, error_size, "the next key must sign from later on than the present one");
    if (!signing_key_generate(&next, now + overlap, error, error_size))
        return false;
    if (!store_next(ring, &next, error, error_size)) {
        signing_key_clear(&next);
        return false;
    }
    ring->keys[ring->count++] = next;
    choose(ring, now);
    return true;
}

int64_t attestd_keyring_since(const struct attestd_keyring *ring)
{
    return ring->keys[ring->in_use].from;
}

int64_t attestd_keyring_next(const struct attestd_keyring *ring)
{
    return ring->in_use + 1 < ring->count ? ring->keys[ring->in_use + 1].from : 0;
}

const char *attestd_keyring_kid(const struct attestd_keyring *ring)
{
    return ring->keys[ring->in_use].kid;
}

static void publish(struct attestd_json_writer *json, const struct signing_key *key)
{
    attestd_json_open_map(json, NULL);
    attestd_json_text(json, "kty", "EC");
    attestd_json_text(json, "crv", "P-256");
    attestd_json_text(json, "x", key->x);
    attestd_json_text(json, "y", key->y);
    attestd_json_text(json, "alg", "ES256");
    attestd_json_text(json, "use", "sig");
    attestd_json_text(json, "kid", key->kid);
    attestd_json_close_map(json);
}

void attestd_keyring_jwks(const struct attestd_keyring *ring, struct attestd_text *out)
{
    struct attestd_json_writer json = attestd_json_writer_to(out);
    attestd_json_open_map(&json, NULL);
    attestd_json_open_list(&json, "keys");
    publish(&json, &ring->keys[ring->in_use]); /* first, for readers that take the first */
    for (size_t i = ring->count; i-- > 0;) {
        if (i != ring->in_use)
            publish(&json, &ring->keys[i]);
    }
    attestd_json_close_list(&json);
    attestd_json_close_map(&json);
}
