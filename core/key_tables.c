/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ECDSA over P-384 with two precomputed tables: one for G, one for each public key Q. A copy of the curve's group whose generator is Q
 * takes libcrypto's own way of precomputing multiples of a generator, so no arithmetic is made here. All inputs are public: constant
 * time is not needed. The signer may be the adversary: where a formula has an exceptional case, the plain check decides.
 */
#define OPENSSL_SUPPRESS_DEPRECATED /* the precomputation has no successor in the EVP interface */
#include "core/key_tables.h"

#include "core/signature.h"
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/obj_mac.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { WAYS = 8, WIDTH = 48 };

struct key_table {
    atomic_uint references;
    EC_GROUP *group; /* its generator is Q */
};

struct slot {
    uint8_t digest[32];
    struct key_table *table;
    uint64_t used;
};

/* Sets of at most WAYS slots, chosen by the key's digest; the least recently used of a set gives way. */
static struct {
    pthread_mutex_t lock;
    struct slot *slots;
    size_t sets, ways;
    uint64_t clock;
    EC_GROUP *base; /* the curve, with its table for G; kept once made */
    BIGNUM *field;
} tables = {.lock = PTHREAD_MUTEX_INITIALIZER};
static atomic_bool switched_on, paused;

static pthread_once_t scratch_once = PTHREAD_ONCE_INIT;
static pthread_key_t scratch_key;

static void scratch_free(void *context)
{
    BN_CTX_free(context);
}

static void scratch_prepare(void)
{
    if (pthread_key_create(&scratch_key, scratch_free) != 0)
        abort();
}

/* One BN_CTX a thread: groups are shared and read only, scratch numbers are not. */
static BN_CTX *scratch(void)
{
    pthread_once(&scratch_once, scratch_prepare);
    BN_CTX *context = pthread_getspecific(scratch_key);
    if (context)
        return context;
    context = BN_CTX_new();
    if (context && pthread_setspecific(scratch_key, context) == 0)
        return context;
    BN_CTX_free(context);
    return NULL;
}

bool key_tables_on(void)
{
    return atomic_load_explicit(&switched_on, memory_order_acquire) && !atomic_load_explicit(&paused, memory_order_relaxed);
}

void key_tables_pause(bool pause)
{
    atomic_store(&paused, pause);
}

static void table_release(struct key_table *table)
{
    if (!table || atomic_fetch_sub_explicit(&table->references, 1, memory_order_acq_rel) != 1)
        return;
    EC_GROUP_free(table->group);
    free(table);
}

/* Checking */

/* u1 = e/s, u2 = r/s modulo the order (FIPS 186-5 section 6.4.2). */
static bool scalars(BIGNUM *u1, BIGNUM *u2, const BIGNUM *e, const BIGNUM *r, const BIGNUM *s, BN_CTX *context)
{
    const BIGNUM *order = EC_GROUP_get0_order(tables.base);
    BN_CTX_start(context);
    BIGNUM *w = BN_CTX_get(context);
    bool good = w && BN_mod_inverse(w, s, order, context) && BN_mod_mul(u1, e, w, order, context) && BN_mod_mul(u2, r, w, order, context);
    BN_CTX_end(context);
    return good;
}

/* R = u1 G + u2 Q. A single multiplication of the generator would take libcrypto's ladder, which uses no table; one with a second
 * point takes the table: so u1 G is made as (u1-1) G + 1 G, and then u2 Q + 1 T. */
static int add_up(EC_POINT *result, EC_POINT *first, const EC_GROUP *key_group, BIGNUM *u1, const BIGNUM *u2, BN_CTX *context)
{
    const EC_POINT *generator = EC_GROUP_get0_generator(tables.base);
    if (BN_is_zero(u1) || !BN_sub_word(u1, 1) || !EC_POINT_mul(tables.base, first, u1, generator, BN_value_one(), context) ||
        EC_POINT_is_at_infinity(tables.base, first) || !EC_POINT_mul(key_group, result, u2, first, BN_value_one(), context) ||
        EC_POINT_is_at_infinity(tables.base, result))
        return -1;
    return 1;
}

/* Whether the point's x is candidate, without the division: X = candidate Z^2 in Jacobian coordinates. */
static int x_is(const BIGNUM *x, const BIGNUM *z_squared, const BIGNUM *candidate, BIGNUM *product, BN_CTX *context)
{
    if (!BN_mod_mul(product, candidate, z_squared, tables.field, context))
        return -1;
    return BN_cmp(product, x) == 0;
}

/* Whether x modulo the order is r: x is r, or r + n when that is below p. */
static int x_gives(const EC_POINT *point, const BIGNUM *r, BN_CTX *context)
{
    BN_CTX_start(context);
    BIGNUM *x = BN_CTX_get(context), *y = BN_CTX_get(context), *z = BN_CTX_get(context), *product = BN_CTX_get(context);
    int answer = -1;
    if (product && EC_POINT_get_Jprojective_coordinates_GFp(tables.base, point, x, y, z, context) &&
        BN_mod_sqr(z, z, tables.field, context)) {
        answer = x_is(x, z, r, product, context);
        if (answer == 0 && BN_add(y, r, EC_GROUP_get0_order(tables.base)) && BN_cmp(y, tables.field) < 0)
            answer = x_is(x, z, y, product, context);
    }
    BN_CTX_end(context);
    return answer;
}

static int verify(const EC_GROUP *key_group, const uint8_t digest[48], const uint8_t signature[96])
{
    BN_CTX *context = scratch();
    if (!context)
        return -1;
    BN_CTX_start(context);
    BIGNUM *e = BN_CTX_get(context), *r = BN_CTX_get(context), *s = BN_CTX_get(context), *u1 = BN_CTX_get(context),
           *u2 = BN_CTX_get(context);
    EC_POINT *first = EC_POINT_new(tables.base), *result = EC_POINT_new(tables.base);
    int answer = -1;
    if (u2 && first && result && BN_bin2bn(digest, WIDTH, e) && BN_bin2bn(signature, WIDTH, r) && BN_bin2bn(signature + WIDTH, WIDTH, s) &&
        scalars(u1, u2, e, r, s, context) && add_up(result, first, key_group, u1, u2, context) == 1)
        answer = x_gives(result, r, context);
    EC_POINT_free(first);
    EC_POINT_free(result);
    BN_CTX_end(context);
    if (answer < 0)
        ERR_clear_error();
    return answer;
}

static struct slot *set_of(const uint8_t digest[32])
{
    size_t number = (size_t)digest[2] << 16 | (size_t)digest[3] << 8 | digest[4];
    return tables.slots + number % tables.sets * tables.ways;
}

static struct slot *slot_of(const uint8_t digest[32])
{
    struct slot *set = tables.sets ? set_of(digest) : NULL;
    for (size_t i = 0; set && i < tables.ways; i++)
        if (set[i].table && memcmp(set[i].digest, digest, 32) == 0)
            return &set[i];
    return NULL;
}

static struct key_table *table_take(const uint8_t key_digest[32])
{
    struct key_table *table = NULL;
    pthread_mutex_lock(&tables.lock);
    struct slot *slot = slot_of(key_digest);
    if (slot) {
        slot->used = ++tables.clock;
        table = slot->table;
        atomic_fetch_add_explicit(&table->references, 1, memory_order_relaxed);
    }
    pthread_mutex_unlock(&tables.lock);
    return table;
}

int key_table_verify(const uint8_t key_digest[32], const uint8_t digest[48], const uint8_t signature[96])
{
    struct key_table *table = table_take(key_digest);
    if (!table)
        return -1;
    int answer = verify(table->group, digest, signature);
    table_release(table);
    return answer;
}

/* Making tables */

static EC_GROUP *group_for(const EC_GROUP *base, const uint8_t point[96], BN_CTX *context)
{
    uint8_t octets[1 + 2 * WIDTH] = {POINT_CONVERSION_UNCOMPRESSED};
    memcpy(octets + 1, point, 2 * WIDTH);
    EC_GROUP *group = EC_GROUP_dup(base);
    EC_POINT *generator = EC_POINT_new(base);
    bool good = group && generator && EC_POINT_oct2point(base, generator, octets, sizeof octets, context) &&
                EC_GROUP_set_generator(group, generator, EC_GROUP_get0_order(base), EC_GROUP_get0_cofactor(base)) &&
                EC_GROUP_precompute_mult(group, context) && EC_GROUP_have_precompute_mult(group);
    EC_POINT_free(generator);
    if (good)
        return group;
    EC_GROUP_free(group);
    ERR_clear_error();
    return NULL;
}

static bool has_table(const uint8_t key_digest[32])
{
    pthread_mutex_lock(&tables.lock);
    bool has = slot_of(key_digest) != NULL;
    pthread_mutex_unlock(&tables.lock);
    return has;
}

void key_table_make(const uint8_t key_digest[32], const uint8_t point[96])
{
    BN_CTX *context = has_table(key_digest) ? NULL : scratch();
    struct key_table *table = context ? calloc(1, sizeof *table) : NULL;
    if (!table)
        return;
    atomic_init(&table->references, 1);
    table->group = group_for(tables.base, point, context);
    struct key_table *gone = table;
    pthread_mutex_lock(&tables.lock);
    if (table->group && tables.sets && !slot_of(key_digest)) {
        struct slot *set = set_of(key_digest), *oldest = set;
        for (size_t i = 1; i < tables.ways; i++)
            if (set[i].used < oldest->used)
                oldest = &set[i];
        gone = oldest->table;
        memcpy(oldest->digest, key_digest, 32);
        oldest->table = table;
        oldest->used = ++tables.clock;
    }
    pthread_mutex_unlock(&tables.lock);
    table_release(gone);
}

/* Switching on */

static bool base_prepare(void)
{
    if (tables.base)
        return true;
    BN_CTX *context = scratch();
    EC_GROUP *base = EC_GROUP_new_by_curve_name(NID_secp384r1);
    BIGNUM *field = BN_new();
    if (context && base && field && EC_GROUP_get_curve(base, field, NULL, NULL, context) && EC_GROUP_precompute_mult(base, context) &&
        EC_GROUP_have_precompute_mult(base)) {
        tables.field = field;
        tables.base = base;
        return true;
    }
    EC_GROUP_free(base);
    BN_free(field);
    ERR_clear_error();
    return false;
}

void attestd_key_tables_enable(bool on, size_t max_keys)
{
    pthread_mutex_lock(&tables.lock);
    struct slot *old = tables.slots;
    size_t old_count = tables.sets * tables.ways;
    tables.slots = NULL;
    tables.sets = tables.ways = 0;
    bool possible = on && max_keys > 0 && base_prepare();
    if (possible) {
        tables.ways = max_keys < WAYS ? max_keys : WAYS;
        tables.sets = max_keys / tables.ways;
        tables.slots = calloc(tables.sets * tables.ways, sizeof *tables.slots);
        if (!tables.slots)
            abort();
    }
    atomic_store(&switched_on, possible);
    pthread_mutex_unlock(&tables.lock);
    for (size_t i = 0; i < old_count; i++)
        table_release(old[i].table);
    free(old);
}
