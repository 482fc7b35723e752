/* SPDX-License-Identifier: Apache-2.0 */
#include "server/audit.h"
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
/* cmocka's header wants the above */
#include <cmocka.h>

static atomic_int written, refused;

static void on_done(struct audit_entry *entry, bool good)
{
    atomic_fetch_add(good ? &written : &refused, 1);
    attestd_text_free(&entry->line);
    free(entry);
}

static void submit(struct audit *audit, const char *text)
{
    struct audit_entry *entry = calloc(1, sizeof *entry);
    entry->done = on_done;
    attestd_text_puts(&entry->line, text);
    audit_submit(audit, entry);
}

static void wait_for(int count)
{
    for (int i = 0; i < 2000 && atomic_load(&written) + atomic_load(&refused) < count; i++)
        usleep(1000);
    assert_int_equal(atomic_load(&written) + atomic_load(&refused), count);
}

static size_t lines_of(const char *path, size_t *bytes)
{
    FILE *file = fopen(path, "r");
    size_t lines = 0;
    *bytes = 0;
    for (int c; (c = fgetc(file)) != EOF; ++*bytes)
        lines += c == '\n';
    fclose(file);
    return lines;
}

static struct audit *start(char *path)
{
    char error[256];
    strcpy(path, "/tmp/attestd-audit-XXXXXX");
    close(mkstemp(path));
    atomic_store(&written, 0);
    atomic_store(&refused, 0);
    struct audit *audit = audit_open(path, error, sizeof error);
    assert_non_null(audit);
    return audit;
}

static void every_line_is_written_before_its_submitter_is_told(void **state)
{
    (void)state;
    char path[64];
    size_t bytes;
    struct audit *audit = start(path);
    for (int i = 0; i < 1000; i++)
        submit(audit, "{\"id\":\"ap_1\"}\n");
    wait_for(1000);
    assert_int_equal(atomic_load(&written), 1000);
    assert_int_equal(lines_of(path, &bytes), 1000);
    audit_close(audit);
    unlink(path);
}

/* A limit on the size of files stands for the full disk. */
static void full_disk_refuses_lines_leaves_no_half_line_and_heals(void **state)
{
    (void)state;
    char path[64];
    size_t bytes;
    struct rlimit before, small;
    bool failing;
    signal(SIGXFSZ, SIG_IGN);
    struct audit *audit = start(path);
    getrlimit(RLIMIT_FSIZE, &before);
    small = before;
    small.rlim_cur = 100;
    setrlimit(RLIMIT_FSIZE, &small);
    for (int i = 0; i < 20; i++)
        submit(audit, "0123456789abcdef0123456789abcde\n"); /* 32 bytes: three fit */
    wait_for(20);
    assert_int_equal(atomic_load(&written), 3);
    assert_int_equal(audit_failures(audit, &failing), 17);
    assert_true(failing);
    assert_int_equal(lines_of(path, &bytes), 3);
    assert_int_equal(bytes, 96);
    setrlimit(RLIMIT_FSIZE, &before);
    submit(audit, "after\n");
    wait_for(21);
    assert_int_equal(atomic_load(&written), 4);
    audit_failures(audit, &failing);
    assert_false(failing);
    assert_int_equal(lines_of(path, &bytes), 4);
    assert_int_equal(bytes, 102);
    audit_close(audit);
    unlink(path);
}

static void reopened_log_goes_on_in_the_new_file(void **state)
{
    (void)state;
    char path[64], rotated[80];
    size_t bytes;
    struct audit *audit = start(path);
    submit(audit, "one\n");
    wait_for(1);
    snprintf(rotated, sizeof rotated, "%s.1", path);
    assert_int_equal(rename(path, rotated), 0);
    audit_reopen(audit);
    submit(audit, "two\n");
    wait_for(2);
    assert_int_equal(lines_of(rotated, &bytes), 1);
    assert_int_equal(lines_of(path, &bytes), 1);
    audit_close(audit);
    unlink(path);
    unlink(rotated);
}

static void log_that_cannot_be_opened_is_an_error_at_start(void **state)
{
    (void)state;
    char error[256];
    assert_null(audit_open("/nonexistent/audit.jsonl", error, sizeof error));
    assert_non_null(strstr(error, "/nonexistent/audit.jsonl"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_line_is_written_before_its_submitter_is_told),
        cmocka_unit_test(full_disk_refuses_lines_leaves_no_half_line_and_heals),
        cmocka_unit_test(reopened_log_goes_on_in_the_new_file),
        cmocka_unit_test(log_that_cannot_be_opened_is_an_error_at_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
