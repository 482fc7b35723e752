/* SPDX-License-Identifier: Apache-2.0 */
#include "server/challenge.h"
#include "core/bytes.h"
#include "core/digest.h"
#include "core/encoding.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SIGNED_LEN 44
#define MAC_LEN 32
#define WHOLE_LEN (SIGNED_LEN + MAC_LEN)
#define KEY_MIN 32
#define KEY_MAX 128
#define SKEW_MS 5000 /* clocks of replicas */

static const char prefix[] = "c1.", domain[] = "attestd-challenge-v1\n";

struct challenge_key {
    uint8_t bytes[KEY_MAX];
    size_t len;
    uint32_t id;
};

struct challenges {
    struct challenge_key keys[CHALLENGE_KEYS];
    size_t key_count;
    int64_t ttl_ms, skew_ms;
    int64_t (*clock)(void);
};

static int64_t milliseconds(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t since_boot(void)
{
    return milliseconds(CLOCK_BOOTTIME);
}

static int64_t of_day(void)
{
    return milliseconds(CLOCK_REALTIME);
}

static void set_key_id(struct challenge_key *key)
{
    uint8_t digest[32];
    attestd_sha256(key->bytes, key->len, digest);
    struct attestd_reader reader = attestd_reader_of(digest, sizeof digest);
    key->id = attestd_read_u32be(&reader);
}

static struct challenges *make(unsigned ttl, int64_t (*clock)(void), int64_t skew_ms)
{
    struct challenges *c = calloc(1, sizeof *c);
    if (c == NULL)
        abort();
    c->ttl_ms = (int64_t)ttl * 1000;
    c->skew_ms = skew_ms;
    c->clock = clock;
    return c;
}

struct challenges *challenges_new(unsigned ttl)
{
    struct challenges *c = make(ttl, since_boot, 0);
    c->key_count = 1;
    c->keys[0].len = 32;
    if (RAND_priv_bytes(c->keys[0].bytes, 32) != 1) {
        challenges_free(c);
        return NULL;
    }
    set_key_id(&c->keys[0]);
    return c;
}

static bool read_key(struct challenge_key *key, const char *file, char *error, size_t error_size)
{
    struct stat status;
    uint8_t bytes[KEY_MAX + 1];
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd == -1 ? -1 : read(fd, bytes, sizeof bytes);
    bool private = len != -1 && fstat(fd, &status) == 0 && (status.st_mode & 077) == 0;
    if (len == -1)
        snprintf(error, error_size, "%s: %s", file, strerror(errno));
    else if (!private)
        snprintf(error, error_size, "%s: others can read this key (chmod 600)", file);
    else if (len < KEY_MIN || len > KEY_MAX)
        snprintf(error, error_size, "%s: a challenge key is %d to %d random bytes", file, KEY_MIN, KEY_MAX);
    bool good = private && len >= KEY_MIN && len <= KEY_MAX;
    if (good) {
        memcpy(key->bytes, bytes, (size_t)len);
        key->len = (size_t)len;
        set_key_id(key);
    }
    OPENSSL_cleanse(bytes, sizeof bytes);
    if (fd != -1)
        close(fd);
    return good;
}

struct challenges *challenges_shared(unsigned ttl, const char *const *key_files, size_t count, char *error, size_t error_size)
{
    if (count == 0 || count > CHALLENGE_KEYS) {
        snprintf(error, error_size, "1 to %d challenge keys", CHALLENGE_KEYS);
        return NULL;
    }
    struct challenges *c = make(ttl, of_day, SKEW_MS);
    for (; c->key_count < count; c->key_count++) {
        if (read_key(&c->keys[c->key_count], key_files[c->key_count], error, error_size))
            continue;
        challenges_free(c);
        return NULL;
    }
    return c;
}

void challenges_free(struct challenges *c)
{
    if (c == NULL)
        return;
    OPENSSL_cleanse(c->keys, sizeof c->keys);
    free(c);
}

void challenges_set_clock(struct challenges *c, int64_t (*clock)(void))
{
    c->clock = clock != NULL ? clock : c->skew_ms == 0 ? since_boot : of_day;
}

unsigned challenges_ttl(const struct challenges *c)
{
    return (unsigned)(c->ttl_ms / 1000);
}

static void put_be(uint8_t *out, uint64_t number, int bytes)
{
    for (int i = bytes - 1; i >= 0; i--, number >>= 8)
        out[i] = (uint8_t)number;
}

static void mac_of(const struct challenge_key *key, const uint8_t body[SIGNED_LEN], uint8_t mac[MAC_LEN])
{
    uint8_t message[sizeof domain - 1 + SIGNED_LEN];
    memcpy(message, domain, sizeof domain - 1);
    memcpy(message + sizeof domain - 1, body, SIGNED_LEN);
    attestd_hmac_sha256(key->bytes, key->len, message, sizeof message, mac);
}

bool challenge_issue(const struct challenges *c, char text[CHALLENGE_TEXT_SIZE], uint8_t nonce[CHALLENGE_NONCE])
{
    uint8_t whole[WHOLE_LEN];
    if (RAND_bytes(nonce, CHALLENGE_NONCE) != 1)
        return false;
    memcpy(whole, nonce, CHALLENGE_NONCE);
    put_be(whole + CHALLENGE_NONCE, (uint64_t)c->clock(), 8);
    put_be(whole + CHALLENGE_NONCE + 8, c->keys[0].id, 4);
    mac_of(&c->keys[0], whole, whole + SIGNED_LEN);
    memcpy(text, prefix, sizeof prefix - 1);
    attestd_base64url_encode(whole, sizeof whole, text + sizeof prefix - 1);
    return true;
}

static bool authentic(const struct challenges *c, const uint8_t whole[WHOLE_LEN], uint32_t id)
{
    for (size_t i = 0; i < c->key_count; i++) {
        uint8_t mac[MAC_LEN];
        if (c->keys[i].id != id)
            continue;
        mac_of(&c->keys[i], whole, mac);
        if (attestd_bytes_equal_secret(mac, whole + SIGNED_LEN, MAC_LEN))
            return true;
    }
    return false;
}

enum challenge_state challenge_read(const struct challenges *c, const char *text, uint8_t nonce[CHALLENGE_NONCE], int64_t *age)
{
    uint8_t whole[WHOLE_LEN + 8];
    size_t len = strlen(text), bytes = 0;
    if (len < sizeof prefix || len > CHALLENGE_TEXT_SIZE + 2 || memcmp(text, prefix, sizeof prefix - 1) != 0 ||
        !attestd_base64_decode(text + sizeof prefix - 1, len - (sizeof prefix - 1), whole, sizeof whole, &bytes) || bytes != WHOLE_LEN)
        return CHALLENGE_MALFORMED;
    struct attestd_reader reader = attestd_reader_of(whole, WHOLE_LEN);
    attestd_read_copy(&reader, nonce, CHALLENGE_NONCE);
    uint64_t issued = attestd_read_u64be(&reader);
    if (!authentic(c, whole, attestd_read_u32be(&reader)))
        return CHALLENGE_FOREIGN;
    int64_t age_ms = c->clock() - (int64_t)issued;
    if (age_ms < -c->skew_ms) /* from the future: a clock was set back, and the set may have forgotten it */
        return CHALLENGE_FOREIGN;
    if (age_ms >= c->ttl_ms)
        return CHALLENGE_EXPIRED;
    *age = age_ms < 0 ? 0 : age_ms / 1000;
    return CHALLENGE_GOOD;
}
