/* SPDX-License-Identifier: Apache-2.0 */
/* The keyring: who may read a key, what survives a restart, and what is published when. */
#include "token/token.h"

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define DAY 86400

struct place {
    char root[64], keys[96];
    char error[512];
};

static int make_place(void **state)
{
    struct place *place = calloc(1, sizeof(*place));
    if (place == NULL)
        return -1;
    snprintf(place->root, sizeof(place->root), "/tmp/attestd-keyring-XXXXXX");
    if (mkdtemp(place->root) == NULL)
        return -1;
    snprintf(place->keys, sizeof(place->keys), "%s/keys", place->root);
    *state = place;
    return 0;
}

static int remove_place(void **state)
{
    struct place *place = *state;
    char command[256];
    snprintf(command, sizeof(command), "rm -rf -- '%s'", place->root);
    int rc = system(command);
    free(place);
    return rc;
}

static size_t key_files(const struct place *place, char last[256])
{
    size_t count = 0;
    DIR *dir = opendir(place->keys);
    assert_non_null(dir);
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        count++;
        if (last != NULL)
            snprintf(last, 256, "%s", entry->d_name);
    }
    closedir(dir);
    return count;
}

static json_t *jwks_of(const struct attestd_keyring *ring)
{
    struct attestd_text text = {0};
    attestd_keyring_jwks(ring, &text);
    json_t *jwks = json_loads(text.data, JSON_REJECT_DUPLICATES, NULL);
    attestd_text_free(&text);
    assert_non_null(jwks);
    return jwks;
}

static size_t published(const struct attestd_keyring *ring)
{
    json_t *jwks = jwks_of(ring);
    size_t count = json_array_size(json_object_get(jwks, "keys"));
    json_decref(jwks);
    return count;
}

static void write_key(const char *path, const char *curve, mode_t mode)
{
    EVP_PKEY *key = EVP_EC_gen(curve);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0);
    FILE *file = fdopen(fd, "w");
    assert_int_equal(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
    fclose(file);
    EVP_PKEY_free(key);
    assert_int_equal(chmod(path, mode), 0);
}

static struct attestd_keyring *open_or_fail(struct place *place)
{
    struct attestd_keyring *ring = attestd_keyring_open(place->keys, place->error, sizeof(place->error));
    if (ring == NULL)
        fail_msg("%s", place->error);
    return ring;
}

static void assert_refused(struct place *place, const char *why)
{
    struct attestd_keyring *ring = attestd_keyring_open(place->keys, place->error, sizeof(place->error));
    assert_null(ring);
    if (strstr(place->error, why) == NULL)
        fail_msg("expected \"%s\" in: %s", why, place->error);
}

static void first_start_makes_one_key_that_only_the_owner_reads(void **state)
{
    struct place *place = *state;
    char name[256], path[512];
    struct stat st;
    struct attestd_keyring *ring = open_or_fail(place);
    assert_int_equal(stat(place->keys, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_int_equal(key_files(place, name), 1);
    snprintf(path, sizeof(path), "%s/%s", place->keys, name);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(published(ring), 1);
    attestd_keyring_free(ring);
}

static void a_restart_keeps_the_key(void **state)
{
    struct place *place = *state;
    char kid[64];
    struct attestd_keyring *ring = open_or_fail(place);
    snprintf(kid, sizeof(kid), "%s", attestd_keyring_kid(ring));
    attestd_keyring_free(ring);
    ring = open_or_fail(place);
    assert_string_equal(attestd_keyring_kid(ring), kid);
    attestd_keyring_free(ring);
}

static void a_start_that_was_killed_while_writing_leaves_no_half_key(void **state)
{
    struct place *place = *state;
    char path[512];
    assert_int_equal(mkdir(place->keys, 0700), 0);
    snprintf(path, sizeof(path), "%s/.new.pem", place->keys);
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_int_equal(write(fd, "-----BEGIN", 10), 10);
    close(fd);
    struct attestd_keyring *ring = open_or_fail(place);
    assert_int_equal(published(ring), 1);
    assert_int_equal(key_files(place, NULL), 1);
    attestd_keyring_free(ring);
}

static void *open_at_once(void *argument)
{
    char error[256];
    return attestd_keyring_open(argument, error, sizeof(error));
}

static void two_first_starts_at_once_end_with_one_key(void **state)
{
    struct place *place = *state;
    pthread_t threads[4];
    struct attestd_keyring *rings[4];
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, open_at_once, place->keys), 0);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], (void **)&rings[i]), 0);
        assert_non_null(rings[i]);
        assert_string_equal(attestd_keyring_kid(rings[i]), attestd_keyring_kid(rings[0]));
    }
    assert_int_equal(key_files(place, NULL), 1);
    for (size_t i = 0; i < 4; i++)
        attestd_keyring_free(rings[i]);
}

static void a_key_others_can_read_is_refused(void **state)
{
    struct place *place = *state;
    char path[512];
    static const mode_t modes[] = {0640, 0604, 0660, 0644};
    assert_int_equal(mkdir(place->keys, 0700), 0);
    snprintf(path, sizeof(path), "%s/20260101T000000Z.pem", place->keys);
    write_key(path, "P-256", 0600);
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        assert_int_equal(chmod(path, modes[i]), 0);
        assert_refused(place, "can be read or written by others");
        assert_null(attestd_keyring_from_file(path, place->error, sizeof(place->error)));
        assert_non_null(strstr(place->error, "can be read or written by others"));
    }
    assert_int_equal(chmod(path, 0600), 0);
    attestd_keyring_free(open_or_fail(place));
    struct attestd_keyring *ring = attestd_keyring_from_file(path, place->error, sizeof(place->error));
    assert_non_null(ring);
    attestd_keyring_free(ring);
}

/* 0: opened by a user who is not root but of the file's group; 1: refused. */
static int open_as_member(const char *path)
{
    char error[256];
    pid_t child = fork();
    if (child == 0) {
        bool dropped = setgroups(0, NULL) == 0 && setgid(65534) == 0 && setuid(65534) == 0;
        struct attestd_keyring *ring = dropped ? attestd_keyring_from_file(path, error, sizeof(error)) : NULL;
        _exit(!dropped ? 2 : ring != NULL ? 0 : strstr(error, "by others") != NULL ? 1 : 3);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void a_mounted_secret_of_roots_may_be_readable_for_its_group_alone(void **state)
{
    struct place *place = *state;
    char path[512];
    if (geteuid() != 0) {
        print_message("SKIPPED: only root can give a file away\n");
        skip();
    }
    assert_int_equal(chmod(place->root, 0755), 0);
    snprintf(path, sizeof(path), "%s/given.pem", place->root);
    write_key(path, "P-256", 0440);
    assert_int_equal(chown(path, 0, 65534), 0);
    assert_int_equal(open_as_member(path), 0);
    assert_int_equal(chmod(path, 0444), 0);
    assert_int_equal(open_as_member(path), 1);
    assert_int_equal(chmod(path, 0460), 0);
    assert_int_equal(open_as_member(path), 1);
}

static void a_directory_others_can_read_is_refused(void **state)
{
    struct place *place = *state;
    assert_int_equal(mkdir(place->keys, 0700), 0);
    assert_int_equal(chmod(place->keys, 0750), 0);
    assert_refused(place, "mode 0700");
    assert_int_equal(chmod(place->keys, 0700), 0);
    attestd_keyring_free(open_or_fail(place));
}

static void a_directory_below_one_of_another_is_refused(void **state)
{
    struct place *place = *state;
    if (geteuid() != 0) {
        print_message("SKIPPED: only root can give a directory away\n");
        skip();
    }
    assert_int_equal(chown(place->root, 65534, 65534), 0);
    assert_refused(place, "belongs to uid 65534");
    assert_int_equal(chown(place->root, 0, 0), 0);
    attestd_keyring_free(open_or_fail(place));
}

/* Volumes are mounted so: what counts is that the key directory itself is ours alone. */
static void a_directory_below_one_that_a_group_may_write_is_used(void **state)
{
    struct place *place = *state;
    assert_int_equal(chmod(place->root, 02770), 0);
    attestd_keyring_free(open_or_fail(place));
}

static void a_key_directory_of_another_is_refused(void **state)
{
    struct place *place = *state;
    assert_int_equal(mkdir(place->keys, 0700), 0);
    if (geteuid() != 0) {
        print_message("SKIPPED: only root can give a directory away\n");
        skip();
    }
    assert_int_equal(chown(place->keys, 65534, 65534), 0);
    assert_refused(place, "must belong to the user of the service");
}

static void a_link_of_our_own_is_followed_and_one_of_another_is_not(void **state)
{
    struct place *place = *state;
    char real[128];
    snprintf(real, sizeof(real), "%s/real", place->root);
    assert_int_equal(mkdir(real, 0700), 0);
    assert_int_equal(symlink("real", place->keys), 0);
    attestd_keyring_free(open_or_fail(place));
    if (geteuid() != 0) {
        print_message("SKIPPED in part: only root can make another's link\n");
        return;
    }
    assert_int_equal(lchown(place->keys, 65534, 65534), 0);
    assert_refused(place, "is a link owned by uid 65534");
}

static void a_key_file_that_is_a_link_is_refused(void **state)
{
    struct place *place = *state;
    char path[512], elsewhere[128];
    assert_int_equal(mkdir(place->keys, 0700), 0);
    snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere.pem", place->root);
    write_key(elsewhere, "P-256", 0600);
    snprintf(path, sizeof(path), "%s/20260101T000000Z.pem", place->keys);
    assert_int_equal(symlink(elsewhere, path), 0);
    assert_refused(place, "20260101T000000Z.pem");
}

static void a_key_that_is_not_p256_is_refused(void **state)
{
    struct place *place = *state;
    char path[512];
    assert_int_equal(mkdir(place->keys, 0700), 0);
    snprintf(path, sizeof(path), "%s/20260101T000000Z.pem", place->keys);
    write_key(path, "P-384", 0600);
    assert_refused(place, "not a P-256 private key");
}

static void a_file_whose_name_says_no_time_is_refused(void **state)
{
    struct place *place = *state;
    char path[512];
    assert_int_equal(mkdir(place->keys, 0700), 0);
    snprintf(path, sizeof(path), "%s/mine.pem", place->keys);
    write_key(path, "P-256", 0600);
    assert_refused(place, "from when it signs");
}

static void rotation_publishes_first_signs_later_and_withdraws_last(void **state)
{
    struct place *place = *state;
    int64_t now = (int64_t)time(NULL), overlap = DAY;
    char old[64];
    struct attestd_keyring *ring = open_or_fail(place);
    snprintf(old, sizeof(old), "%s", attestd_keyring_kid(ring));
    assert_true(attestd_keyring_rotate(ring, now, overlap, place->error, sizeof(place->error)));
    assert_int_equal(published(ring), 2);
    assert_string_equal(attestd_keyring_kid(ring), old);
    assert_int_equal(attestd_keyring_next(ring), now + overlap);
    assert_false(attestd_keyring_rotate(ring, now, overlap, place->error, sizeof(place->error)));
    assert_non_null(strstr(place->error, "already published"));

    assert_false(attestd_keyring_tick(ring, now + overlap - 1));
    assert_string_equal(attestd_keyring_kid(ring), old);
    assert_true(attestd_keyring_tick(ring, now + overlap));
    assert_string_not_equal(attestd_keyring_kid(ring), old);
    assert_int_equal(attestd_keyring_since(ring), now + overlap);
    assert_int_equal(published(ring), 2);

    int64_t withdrawn = now + overlap + ATTESTD_TOKEN_LIFE_MAX + ATTESTD_TOKEN_SKEW;
    assert_false(attestd_keyring_tick(ring, withdrawn - 1));
    assert_int_equal(key_files(place, NULL), 2);
    assert_true(attestd_keyring_tick(ring, withdrawn));
    assert_int_equal(published(ring), 1);
    assert_int_equal(key_files(place, NULL), 1);
    attestd_keyring_free(ring);
}

static void a_rotation_under_way_survives_a_restart(void **state)
{
    struct place *place = *state;
    int64_t now = (int64_t)time(NULL);
    char old[64];
    struct attestd_keyring *ring = open_or_fail(place);
    snprintf(old, sizeof(old), "%s", attestd_keyring_kid(ring));
    assert_true(attestd_keyring_rotate(ring, now, DAY, place->error, sizeof(place->error)));
    attestd_keyring_free(ring);

    ring = open_or_fail(place);
    assert_string_equal(attestd_keyring_kid(ring), old);
    assert_int_equal(published(ring), 2);
    assert_int_equal(attestd_keyring_next(ring), now + DAY);
    assert_true(attestd_keyring_tick(ring, now + DAY));
    assert_string_not_equal(attestd_keyring_kid(ring), old);
    attestd_keyring_free(ring);
}

static void a_key_whose_tokens_have_all_ended_is_gone_after_a_restart(void **state)
{
    struct place *place = *state;
    char path[512];
    assert_int_equal(mkdir(place->keys, 0700), 0);
    snprintf(path, sizeof(path), "%s/20250101T000000Z.pem", place->keys);
    write_key(path, "P-256", 0600);
    snprintf(path, sizeof(path), "%s/20250201T000000Z.pem", place->keys);
    write_key(path, "P-256", 0600);
    struct attestd_keyring *ring = open_or_fail(place);
    assert_int_equal(published(ring), 1);
    assert_int_equal(key_files(place, NULL), 1);
    attestd_keyring_free(ring);
}

/* Sets the directory's time back, as if the last change were of yesterday: the keyring need not look twice at what is long settled. */
static void settle(const struct place *place, time_t seconds)
{
    struct timespec times[2] = {{.tv_sec = seconds}, {.tv_sec = seconds}};
    assert_int_equal(utimensat(AT_FDCWD, place->keys, times, 0), 0);
}

static void a_key_put_into_the_directory_is_published_without_a_restart(void **state)
{
    struct place *place = *state;
    int64_t now = (int64_t)time(NULL);
    struct attestd_keyring *service = open_or_fail(place), *other = open_or_fail(place);
    assert_true(attestd_keyring_rotate(other, now, DAY, place->error, sizeof(place->error)));
    attestd_keyring_free(other);
    assert_true(attestd_keyring_tick(service, now + 1));
    assert_int_equal(published(service), 2);
    assert_int_equal(attestd_keyring_next(service), now + DAY);
    assert_false(attestd_keyring_tick(service, now + 2));
    attestd_keyring_free(service);
}

static void a_key_taken_away_is_withdrawn_without_a_restart(void **state)
{
    struct place *place = *state;
    int64_t now = (int64_t)time(NULL);
    char name[256], path[512], old[64];
    struct attestd_keyring *ring = open_or_fail(place);
    snprintf(old, sizeof(old), "%s", attestd_keyring_kid(ring));
    key_files(place, name);
    snprintf(path, sizeof(path), "%s/%s", place->keys, name);
    settle(place, 1000);
    assert_true(attestd_keyring_rotate(ring, now, 1, place->error, sizeof(place->error)));
    assert_int_equal(unlink(path), 0);
    settle(place, 2000);
    assert_true(attestd_keyring_tick(ring, now + 1));
    assert_int_equal(published(ring), 1);
    assert_string_not_equal(attestd_keyring_kid(ring), old);
    attestd_keyring_free(ring);
}

static void a_bad_file_in_the_directory_changes_nothing_and_is_reported(void **state)
{
    struct place *place = *state;
    int64_t now = (int64_t)time(NULL);
    char path[512], old[64];
    struct attestd_keyring *ring = open_or_fail(place);
    snprintf(old, sizeof(old), "%s", attestd_keyring_kid(ring));
    assert_null(attestd_keyring_fault(ring));
    snprintf(path, sizeof(path), "%s/20300101T000000Z.pem", place->keys);
    write_key(path, "P-256", 0644);
    assert_false(attestd_keyring_tick(ring, now + 1));
    assert_string_equal(attestd_keyring_kid(ring), old);
    assert_non_null(strstr(attestd_keyring_fault(ring), "can be read or written by others"));
    assert_int_equal(chmod(path, 0600), 0);
    assert_true(attestd_keyring_tick(ring, now + 2));
    assert_null(attestd_keyring_fault(ring));
    attestd_keyring_free(ring);
}

static void a_given_file_cannot_be_rotated(void **state)
{
    struct place *place = *state;
    char path[512];
    snprintf(path, sizeof(path), "%s/given.pem", place->root);
    write_key(path, "P-256", 0600);
    struct attestd_keyring *ring = attestd_keyring_from_file(path, place->error, sizeof(place->error));
    assert_non_null(ring);
    assert_false(attestd_keyring_rotate(ring, 1000, 10, place->error, sizeof(place->error)));
    assert_non_null(strstr(place->error, "one given file"));
    attestd_keyring_free(ring);
}

static void a_key_in_memory_touches_no_disk_and_can_be_rotated(void **state)
{
    struct place *place = *state;
    int64_t now = (int64_t)time(NULL);
    struct attestd_keyring *ring = attestd_keyring_open(NULL, place->error, sizeof(place->error));
    assert_non_null(ring);
    assert_true(attestd_keyring_rotate(ring, now, 60, place->error, sizeof(place->error)));
    assert_int_equal(published(ring), 2);
    attestd_keyring_free(ring);
}

static void published_keys_have_exactly_the_public_members(void **state)
{
    struct place *place = *state;
    static const char *const members[] = {"kty", "crv", "x", "y", "alg", "use", "kid"};
    struct attestd_keyring *ring = open_or_fail(place);
    json_t *jwks = jwks_of(ring);
    json_t *key = json_array_get(json_object_get(jwks, "keys"), 0);
    assert_int_equal(json_object_size(key), sizeof(members) / sizeof(members[0]));
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
        assert_non_null(json_object_get(key, members[i]));
    assert_int_equal(json_string_length(json_object_get(key, "x")), 43);
    assert_int_equal(json_string_length(json_object_get(key, "y")), 43);
    assert_string_equal(json_string_value(json_object_get(key, "kid")), attestd_keyring_kid(ring));
    json_decref(jwks);
    attestd_keyring_free(ring);
}

/* RFC 9449 section 6.1 prints a P-256 key and its thumbprint; the private half is not known, so the rule is recomputed here with
 * libcrypto alone over the published members. */
static void kid_is_the_rfc_7638_thumbprint(void **state)
{
    struct place *place = *state;
    char text[256], kid[64];
    uint8_t digest[32];
    struct attestd_keyring *ring = open_or_fail(place);
    json_t *jwks = jwks_of(ring);
    json_t *key = json_array_get(json_object_get(jwks, "keys"), 0);
    snprintf(text, sizeof(text), "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"%s\",\"y\":\"%s\"}",
             json_string_value(json_object_get(key, "x")), json_string_value(json_object_get(key, "y")));
    assert_int_equal(EVP_Digest(text, strlen(text), digest, NULL, EVP_sha256(), NULL), 1);
    EVP_EncodeBlock((unsigned char *)kid, digest, sizeof(digest));
    for (char *at = kid; *at != '\0'; at++)
        *at = *at == '+' ? '-' : *at == '/' ? '_' : *at == '=' ? '\0' : *at;
    assert_string_equal(attestd_keyring_kid(ring), kid);
    json_decref(jwks);
    attestd_keyring_free(ring);
}

int main(void)
{
#define ONE(name) cmocka_unit_test_setup_teardown(name, make_place, remove_place)
    const struct CMUnitTest tests[] = {
        ONE(first_start_makes_one_key_that_only_the_owner_reads),
        ONE(a_restart_keeps_the_key),
        ONE(a_start_that_was_killed_while_writing_leaves_no_half_key),
        ONE(two_first_starts_at_once_end_with_one_key),
        ONE(a_key_others_can_read_is_refused),
        ONE(a_mounted_secret_of_roots_may_be_readable_for_its_group_alone),
        ONE(a_directory_others_can_read_is_refused),
        ONE(a_directory_below_one_of_another_is_refused),
        ONE(a_directory_below_one_that_a_group_may_write_is_used),
        ONE(a_key_directory_of_another_is_refused),
        ONE(a_link_of_our_own_is_followed_and_one_of_another_is_not),
        ONE(a_key_file_that_is_a_link_is_refused),
        ONE(a_key_that_is_not_p256_is_refused),
        ONE(a_file_whose_name_says_no_time_is_refused),
        ONE(rotation_publishes_first_signs_later_and_withdraws_last),
        ONE(a_rotation_under_way_survives_a_restart),
        ONE(a_key_whose_tokens_have_all_ended_is_gone_after_a_restart),
        ONE(a_key_put_into_the_directory_is_published_without_a_restart),
        ONE(a_key_taken_away_is_withdrawn_without_a_restart),
        ONE(a_bad_file_in_the_directory_changes_nothing_and_is_reported),
        ONE(a_given_file_cannot_be_rotated),
        ONE(a_key_in_memory_touches_no_disk_and_can_be_rotated),
        ONE(published_keys_have_exactly_the_public_members),
        ONE(kid_is_the_rfc_7638_thumbprint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
