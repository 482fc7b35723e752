/* SPDX-License-Identifier: Apache-2.0 */
#include "server/challenge.h"
#include "core/encoding.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
/* cmocka's header wants the above */
#include <cmocka.h>

static int64_t now_ms;

static int64_t test_clock(void)
{
    return now_ms;
}

static struct challenges *fresh(void)
{
    struct challenges *c = challenges_new(120);
    assert_non_null(c);
    now_ms = 1000000;
    challenges_set_clock(c, test_clock);
    return c;
}

static void issued_challenge_is_good_and_gives_its_nonce(void **state)
{
    (void)state;
    struct challenges *c = fresh();
    char text[CHALLENGE_TEXT_SIZE];
    uint8_t nonce[32], read[32];
    int64_t age = -1;
    assert_true(challenge_issue(c, text, nonce));
    assert_int_equal(strlen(text), CHALLENGE_TEXT_SIZE - 1);
    now_ms += 7500;
    assert_int_equal(challenge_read(c, text, read, &age), CHALLENGE_GOOD);
    assert_memory_equal(nonce, read, 32);
    assert_int_equal(age, 7);
    challenges_free(c);
}

static void challenge_expires_at_its_ttl_and_not_before(void **state)
{
    (void)state;
    struct challenges *c = fresh();
    char text[CHALLENGE_TEXT_SIZE];
    uint8_t nonce[32];
    int64_t age;
    assert_true(challenge_issue(c, text, nonce));
    now_ms += 119999;
    assert_int_equal(challenge_read(c, text, nonce, &age), CHALLENGE_GOOD);
    now_ms += 1;
    assert_int_equal(challenge_read(c, text, nonce, &age), CHALLENGE_EXPIRED);
    challenges_free(c);
}

static void challenge_of_another_key_is_foreign(void **state)
{
    (void)state;
    struct challenges *c = fresh(), *other = fresh();
    char text[CHALLENGE_TEXT_SIZE];
    uint8_t nonce[32];
    int64_t age;
    assert_true(challenge_issue(other, text, nonce));
    assert_int_equal(challenge_read(c, text, nonce, &age), CHALLENGE_FOREIGN);
    challenges_free(c);
    challenges_free(other);
}

static void challenge_from_the_future_is_foreign(void **state)
{
    (void)state;
    struct challenges *c = fresh();
    char text[CHALLENGE_TEXT_SIZE];
    uint8_t nonce[32];
    int64_t age;
    assert_true(challenge_issue(c, text, nonce));
    now_ms -= 1;
    assert_int_equal(challenge_read(c, text, nonce, &age), CHALLENGE_FOREIGN);
    challenges_free(c);
}

/* Each bit of the 76 bytes, nonce and time and key id and MAC, is covered. */
static void every_altered_bit_makes_a_challenge_foreign(void **state)
{
    (void)state;
    struct challenges *c = fresh();
    char text[CHALLENGE_TEXT_SIZE], altered[CHALLENGE_TEXT_SIZE];
    uint8_t nonce[32], whole[80];
    size_t len;
    int64_t age;
    assert_true(challenge_issue(c, text, nonce));
    assert_true(attestd_base64_decode(text + 3, strlen(text + 3), whole, sizeof whole, &len));
    assert_int_equal(len, 76);
    for (size_t bit = 0; bit < 76 * 8; bit++) {
        whole[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        memcpy(altered, "c1.", 3);
        attestd_base64url_encode(whole, 76, altered + 3);
        assert_int_equal(challenge_read(c, altered, nonce, &age), CHALLENGE_FOREIGN);
        whole[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    }
    challenges_free(c);
}

/* Other texts of the same bytes are the same challenge (its bytes are what is spent), whatever alphabet or padding. */
static void re_encoded_challenge_reads_as_the_same_nonce(void **state)
{
    (void)state;
    struct challenges *c = fresh();
    char text[CHALLENGE_TEXT_SIZE], other[128];
    uint8_t nonce[32], read[32], whole[80];
    size_t len;
    int64_t age;
    assert_true(challenge_issue(c, text, nonce));
    assert_true(attestd_base64_decode(text + 3, strlen(text + 3), whole, sizeof whole, &len));
    memcpy(other, "c1.", 3);
    attestd_base64_encode(whole, len, other + 3);
    assert_string_not_equal(other, text); /* padding at least */
    assert_int_equal(challenge_read(c, other, read, &age), CHALLENGE_GOOD);
    assert_memory_equal(nonce, read, 32);
    challenges_free(c);
}

static void malformed_texts_are_malformed(void **state)
{
    (void)state;
    struct challenges *c = fresh();
    char text[CHALLENGE_TEXT_SIZE + 16];
    uint8_t nonce[32];
    int64_t age;
    static const char *const bad[] = {"", "c1", "c1.", "c2.AAAA", "c1.AAAA", "c1.####", "C1.AAAA", "c1.AAAA\n"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(challenge_read(c, bad[i], nonce, &age), CHALLENGE_MALFORMED);
    assert_true(challenge_issue(c, text, nonce));
    strcat(text, "A");
    assert_int_equal(challenge_read(c, text, nonce, &age), CHALLENGE_MALFORMED);
    text[CHALLENGE_TEXT_SIZE - 2] = '\0';
    assert_int_equal(challenge_read(c, text, nonce, &age), CHALLENGE_MALFORMED);
    assert_true(challenge_issue(c, text, nonce));
    text[10] = ' ';
    assert_int_equal(challenge_read(c, text, nonce, &age), CHALLENGE_MALFORMED);
    challenges_free(c);
}

static void write_key(const char *path, const char *bytes, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_int_equal(write(fd, bytes, strlen(bytes)), strlen(bytes));
    fchmod(fd, mode);
    close(fd);
}

static void replicas_with_shared_keys_recognise_each_other_through_a_rotation(void **state)
{
    (void)state;
    char folder[] = "/tmp/attestd-challenge-XXXXXX", a[64], b[64], error[256];
    assert_non_null(mkdtemp(folder));
    snprintf(a, sizeof a, "%s/a", folder);
    snprintf(b, sizeof b, "%s/b", folder);
    write_key(a, "0123456789abcdef0123456789abcdef", 0600);
    write_key(b, "another key of thirty-two bytes..", 0600);
    const char *old_only[] = {a}, *new_first[] = {b, a};
    struct challenges *before = challenges_shared(120, old_only, 1, error, sizeof error);
    struct challenges *after = challenges_shared(120, new_first, 2, error, sizeof error);
    assert_non_null(before);
    assert_non_null(after);
    char text[CHALLENGE_TEXT_SIZE];
    uint8_t nonce[32];
    int64_t age;
    assert_true(challenge_issue(before, text, nonce));
    assert_int_equal(challenge_read(after, text, nonce, &age), CHALLENGE_GOOD);
    assert_true(challenge_issue(after, text, nonce));
    assert_int_equal(challenge_read(before, text, nonce, &age), CHALLENGE_FOREIGN);
    challenges_free(before);
    challenges_free(after);

    assert_int_equal(fchmodat(AT_FDCWD, a, 0644, 0), 0);
    assert_null(challenges_shared(120, old_only, 1, error, sizeof error));
    assert_non_null(strstr(error, "others can read"));
    write_key(a, "short", 0600);
    assert_null(challenges_shared(120, old_only, 1, error, sizeof error));
    assert_non_null(strstr(error, "32 to 128"));
    unlink(a);
    unlink(b);
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(issued_challenge_is_good_and_gives_its_nonce),
        cmocka_unit_test(challenge_expires_at_its_ttl_and_not_before),
        cmocka_unit_test(challenge_of_another_key_is_foreign),
        cmocka_unit_test(challenge_from_the_future_is_foreign),
        cmocka_unit_test(every_altered_bit_makes_a_challenge_foreign),
        cmocka_unit_test(re_encoded_challenge_reads_as_the_same_nonce),
        cmocka_unit_test(malformed_texts_are_malformed),
        cmocka_unit_test(replicas_with_shared_keys_recognise_each_other_through_a_rotation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
