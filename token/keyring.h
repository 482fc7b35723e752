/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of the room: how a signing key is held, and how keys lie on disk. Users of the room include token/token.h alone. */
#ifndef ATTESTD_TOKEN_KEYRING_H
#define ATTESTD_TOKEN_KEYRING_H

#include "token/token.h"
#include <openssl/evp.h>
#include <time.h>

#define KEY_FILE_NAME_SIZE sizeof("20261121T033745Z.pem")

/* One P-256 key. `sign` is prepared once: fetching algorithms for every token would cost more than the signature's bookkeeping. */
struct signing_key {
    EVP_PKEY *key;
    EVP_PKEY_CTX *sign;
    int64_t from; /* signs from then on; seconds since 1970 */
    char kid[44]; /* RFC 7638 thumbprint, base64url */
    char x[44], y[44];
    char *eat_header, *jwt_header; /* base64url of the JOSE header for typ eat+jwt and JWT */
    char file[KEY_FILE_NAME_SIZE]; /* in the store's directory, or "" */
};

/* At most: the one in use, the next, and those still published because tokens of theirs live. */
#define KEYRING_MAX 16

struct attestd_keyring {
    struct signing_key keys[KEYRING_MAX]; /* by `from`, ascending */
    size_t count, in_use;
    int directory;         /* descriptor, or -1 */
    bool fixed;            /* one given file: no rotation */
    struct timespec state; /* of the directory when it was last read; zero: it may have changed since */
    int64_t read_at;
    char fault[256]; /* why the directory's present contents are not in use, or "" */
};

/* A new key, or one made of PEM text; false and a phrase when it is no P-256 private key. */
bool signing_key_generate(struct signing_key *key, int64_t from, char *error, size_t error_size);
bool signing_key_from_pem(struct signing_key *key, const char *pem, size_t len, int64_t from, char *error, size_t error_size);
void signing_key_clear(struct signing_key *key);
/* base64url of {"alg":"ES256","typ":...,"kid":...}; malloc. */
char *signing_key_header(const struct signing_key *key, const char *typ);

/* --- key_store.c: keys as files --- */

/* The directory, made with mode 0700 if it is not there. Refused: one that is not this user's alone, and a path through a link or a
 * directory that belongs to somebody other than root or this user. -1 and one line on failure. A directory on the way may be writable for
 * others, as mounted volumes are: whoever replaces the last one cannot give it to this user, so it would be refused. */
int key_store_open(const char *path, char *error, size_t error_size);
/* Taken while the directory's contents are looked at or changed. Released by key_store_unlock. */
bool key_store_lock(int directory, char *error, size_t error_size);
void key_store_unlock(int directory);
/* Calls add for each key file, oldest first; false when one is refused. */
typedef bool key_store_add(void *context, const char *name, int64_t from, const char *pem, size_t len, char *error, size_t error_size);
bool key_store_each(int directory, key_store_add *add, void *context, char *error, size_t error_size);
/* When an entry was last added, removed or renamed; zero when that is so recent that a further change might not show. */
struct timespec key_store_state(int directory);
/* Writes the key whole or not at all (O_EXCL, fsync, rename, fsync of the directory) and sets key->file. */
bool key_store_write(int directory, struct signing_key *key, char *error, size_t error_size);
void key_store_remove(int directory, const char *name);
/* Reads one file with the same care about who may read it; malloc, wiped by the caller with *len. NULL on failure. */
char *key_store_read_file(const char *path, size_t *len, char *error, size_t error_size);

#endif
