/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/core/cmocka_includes.h"

#include "core/digest.h"
#include "core/encoding.h"
#include <pthread.h>

static void assert_hex(const uint8_t *bytes, size_t len, const char *expected)
{
    char text[129];
    attestd_hex_encode(bytes, len, text);
    assert_string_equal(text, expected);
}

/* FIPS 180-4's example message "abc". */
static void one_block_digests_are_the_published_ones(void **state)
{
    (void)state;
    uint8_t digest[64];
    attestd_sha1("abc", 3, digest);
    assert_hex(digest, 20, "a9993e364706816aba3e25717850c26c9cd0d89d");
    attestd_sha256("abc", 3, digest);
    assert_hex(digest, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    attestd_sha384("abc", 3, digest);
    assert_hex(digest, 48, "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7");
    attestd_sha512("abc", 3, digest);
    assert_hex(
        digest, 64,
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
    attestd_sha256(NULL, 0, digest);
    assert_hex(digest, 32, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

/* RFC 4231 case 2, and an empty key. */
static void hmac_is_the_published_one_and_an_empty_key_is_empty(void **state)
{
    (void)state;
    uint8_t mac[32];
    attestd_hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, mac);
    assert_hex(mac, 32, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    attestd_hmac_sha256(NULL, 0, NULL, 0, mac);
    assert_hex(mac, 32, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

static void pieces_and_frames_add_up(void **state)
{
    (void)state;
    static const int sizes[] = {256, 384, 512};
    static const uint8_t whole[] = {'x', 0, 0, 0, 2, 'a', 'b', 1, 2, 3, 4, 0, 0, 0, 0};
    for (size_t i = 0; i < 3; i++) {
        uint8_t pieces[64], one[64];
        struct attestd_digest *d = attestd_digest_new(sizes[i]);
        attestd_digest_add(d, "x", 1);
        attestd_digest_add_framed(d, "ab", 2);
        attestd_digest_add_u32be(d, 0x01020304);
        attestd_digest_add_framed(d, NULL, 0);
        attestd_digest_finish(d, pieces);
        (i == 0 ? attestd_sha256 : i == 1 ? attestd_sha384 : attestd_sha512)(whole, sizeof whole, one);
        assert_memory_equal(pieces, one, (size_t)sizes[i] / 8);
    }
}

static void *digest_often(void *good)
{
    uint8_t first[48], again[48];
    attestd_sha384("thread", 6, first);
    for (int i = 0; i < 2000; i++) {
        attestd_sha384("thread", 6, again);
        if (attestd_sha256(again, sizeof again, again), attestd_sha384("thread", 6, again), __builtin_memcmp(first, again, 48) != 0)
            return NULL;
    }
    return good;
}

static void threads_do_not_disturb_each_other(void **state)
{
    (void)state;
    pthread_t threads[4];
    int good;
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, digest_often, &good), 0);
    for (size_t i = 0; i < 4; i++) {
        void *answer;
        pthread_join(threads[i], &answer);
        assert_ptr_equal(answer, &good);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_block_digests_are_the_published_ones),
        cmocka_unit_test(hmac_is_the_published_one_and_an_empty_key_is_empty),
        cmocka_unit_test(pieces_and_frames_add_up),
        cmocka_unit_test(threads_do_not_disturb_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
