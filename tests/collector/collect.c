/* SPDX-License-Identifier: Apache-2.0 */
/* The command in a simulated guest: where it looks, what it takes, and what it says when there is nothing. */
#include "core/binding.h"
#include "core/encoding.h"
#include "tests/collector/guest.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

#define NONCE "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static uint8_t nonce[32];

/* The request that collect printed. */
static json_t *request;
static uint8_t report[4096], certificates[32768];
static size_t report_len, certificates_len;

static void read_part(const char *name, uint8_t *out, size_t room, size_t *len)
{
    const json_t *piece = json_object_get(json_object_get(request, "evidence"), "cpu0");
    const char *text = json_string_value(json_object_get(piece, name));
    *len = 0;
    if (text) {
        assert_true(attestd_base64_decode(text, strlen(text), out, room, len));
    }
}

static void collect(const char *settings, const char *more)
{
    json_decref(request);
    int code = guest_run(settings, "collect --nonce " NONCE " --audience https://kms.example %s", more);
    if (code != 0) {
        fail_msg("attest collect: %d: %s", code, guest_err);
    }
    request = json_loads(guest_out, 0, NULL);
    assert_non_null(request);
    read_part("report", report, sizeof report, &report_len);
    read_part("certs", certificates, sizeof certificates, &certificates_len);
    assert_int_equal(report_len, 1184);
}

/* D over what the request says about itself, by core's code. */
static void assert_bound(const struct attestd_datum *data, size_t count)
{
    struct attestd_arena *arena = attestd_arena_new();
    const json_t *binding = json_object_get(request, "binding");
    const char *error = NULL;
    const struct attestd_jwk *key = attestd_jwk_read(arena, json_object_get(json_object_get(binding, "cnf"), "jwk"), &error);
    assert_non_null(key);
    uint8_t d[64];
    attestd_binding_d((struct attestd_bytes){nonce, sizeof nonce}, "https://kms.example", key, data, count, NULL, 0, d);
    assert_memory_equal(report + 0x50, d, sizeof d);
    attestd_arena_free(arena);
}

static void configfs_report_binds_key_audience_and_data(void **state)
{
    (void)state;
    collect("ATTEST_SIMULATED_DEVICES=tsm", "--data image=00ff --data app.config=");
    const struct attestd_datum data[] = {{"app.config", {NULL, 0}}, {"image", {(const uint8_t *)"\x00\xff", 2}}};
    assert_bound(data, 2);
    assert_true(certificates_len > 3000);
    assert_memory_equal(certificates, "\x63\xda\x75\x8d", 4);
    assert_string_equal(json_string_value(json_object_get(request, "nonce")), "ABEiM0RVZneImaq7zN3u_wARIjNEVWZ3iJmqu8zd7v8");
    assert_null(json_object_get(request, "challenge"));
}

static void older_device_is_used_when_there_is_no_configfs(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s/root'", guest_folder);
    assert_int_equal(system(command), 0);
    collect("ATTEST_SIMULATED_DEVICES=sev-guest ATTEST_SIMULATED_PRODUCT=milan", "--challenge c1.text");
    assert_bound(NULL, 0);
    assert_int_equal(certificates_len % 4096, 0);
    assert_memory_equal(certificates, "\x63\xda\x75\x8d", 4);
    assert_string_equal(json_string_value(json_object_get(request, "challenge")), "c1.text");
    assert_null(json_object_get(request, "nonce"));
}

static void a_host_without_certificates_yields_a_bare_report(void **state)
{
    (void)state;
    collect("ATTEST_SIMULATED_DEVICES=sev-guest ATTEST_SIMULATED_CERTS=0", "");
    assert_bound(NULL, 0);
    assert_int_equal(certificates_len, 0);
    collect("ATTEST_SIMULATED_DEVICES=tsm ATTEST_SIMULATED_CERTS=0", "");
    assert_bound(NULL, 0);
    assert_int_equal(certificates_len, 0);
}

static void doctor_says_what_works(void **state)
{
    (void)state;
    assert_int_equal(guest_run("ATTEST_SIMULATED_CERTS=0 ATTEST_SIMULATED_DEBUG=1 ATTEST_SIMULATED_VLEK=1", "doctor"), 0);
    assert_non_null(strstr(guest_out, "configfs-tsm: works\n    report: SEV-SNP version 5, VMPL 0, signed by a VLEK, DEBUG IS ALLOWED"));
    assert_non_null(strstr(guest_out, "sev-guest: works"));
    assert_non_null(strstr(guest_out, "no certificates from the host: a VLEK"));
    assert_int_equal(guest_run("ATTEST_SIMULATED_FAULT=masked-chip ATTEST_SIMULATED_CERTS=0", "doctor"), 0);
    assert_non_null(strstr(guest_out, "the chip's id is masked"));
    assert_int_equal(guest_run("", "doctor"), 0);
    assert_non_null(strstr(guest_out, "    certificates from the host: "));
}

static void another_writer_between_write_and_read_is_noticed(void **state)
{
    (void)state;
    collect("ATTEST_SIMULATED_DEVICES=tsm ATTEST_SIMULATED_RACES=3", "");
    assert_bound(NULL, 0);
    assert_int_equal(guest_run("ATTEST_SIMULATED_DEVICES=tsm ATTEST_SIMULATED_RACES=1000", "collect --nonce " NONCE), 1);
    assert_non_null(strstr(guest_err, "keeps writing"));
}

static void a_busy_device_is_asked_again_and_not_for_ever(void **state)
{
    (void)state;
    collect("ATTEST_SIMULATED_DEVICES=tsm ATTEST_SIMULATED_BUSY=3", "");
    collect("ATTEST_SIMULATED_DEVICES=sev-guest ATTEST_SIMULATED_BUSY=3", "");
    assert_int_equal(guest_run("ATTEST_SIMULATED_DEVICES=tsm ATTEST_SIMULATED_BUSY=1000", "collect --nonce " NONCE), 1);
    assert_non_null(strstr(guest_err, "configfs-tsm gives no report"));
    assert_int_equal(guest_run("ATTEST_SIMULATED_DEVICES=sev-guest ATTEST_SIMULATED_BUSY=1000", "collect --nonce " NONCE), 1);
    assert_non_null(strstr(guest_err, "/dev/sev-guest gives no report"));
}

static void under_an_svsm_the_floor_is_asked_for(void **state)
{
    (void)state;
    collect("ATTEST_SIMULATED_DEVICES=tsm ATTEST_SIMULATED_FLOOR=2", "");
    assert_bound(NULL, 0);
    assert_int_equal(report[0x30], 2);
}

static void report_entry_is_removed_again(void **state)
{
    (void)state;
    char command[160];
    collect("ATTEST_SIMULATED_DEVICES=tsm", "");
    snprintf(command, sizeof command, "test -z \"$(ls '%s/root/sys/kernel/config/tsm/report')\"", guest_folder);
    assert_int_equal(system(command), 0);
}

static void no_tee_is_said_with_what_was_looked_for(void **state)
{
    (void)state;
    char root[96];
    snprintf(root, sizeof root, "%s/nothing", guest_folder);
    assert_int_equal(guest_run("ATTEST_SIMULATED_DEVICES=none", "collect --nonce " NONCE " --root '%s'", root), 1);
    assert_non_null(strstr(guest_err, "no TEE"));
    assert_non_null(strstr(guest_err, "/sys/kernel/config/tsm/report"));
    assert_non_null(strstr(guest_err, "/dev/sev-guest"));
    assert_int_equal(guest_run("ATTEST_SIMULATED_DEVICES=none", "doctor --root '%s'", root), 1);
    assert_non_null(strstr(guest_out, "modprobe sev-guest"));
}

static void key_file_is_made_once_and_bound_again(void **state)
{
    (void)state;
    collect("", "--key key.pem");
    char *first = json_dumps(json_object_get(request, "binding"), 0);
    char command[160];
    snprintf(command, sizeof command, "test \"$(stat -c %%a '%s/key.pem')\" = 600", guest_folder);
    assert_int_equal(system(command), 0);
    collect("", "--key key.pem");
    char *second = json_dumps(json_object_get(request, "binding"), 0);
    assert_string_equal(first, second);
    collect("", "");
    char *third = json_dumps(json_object_get(request, "binding"), 0);
    assert_string_not_equal(first, third);
    free(first);
    free(second);
    free(third);
}

static void wrong_usage_exits_64(void **state)
{
    (void)state;
    assert_int_equal(guest_run("", "collect"), 64);
    assert_int_equal(guest_run("", "collect --nonce 00"), 64);
    assert_int_equal(guest_run("", "collect --nonce xx112233445566778899"), 64);
    assert_int_equal(guest_run("", "collect --nonce " NONCE " --data Image=00"), 64);
    assert_int_equal(guest_run("", "token --url https://localhost"), 64);
    assert_int_equal(guest_run("", "token --url http://example.org --audience a"), 64);
    assert_int_equal(guest_run("", "tokens"), 64);
    assert_int_equal(guest_run("", "--no-such-option"), 64);
    assert_int_equal(guest_run("", "--help"), 0);
    assert_non_null(strstr(guest_out, "attest doctor"));
}

int main(void)
{
    for (size_t i = 0; i < sizeof nonce; i++) {
        nonce[i] = (uint8_t)(17 * (i % 16));
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(configfs_report_binds_key_audience_and_data),
        cmocka_unit_test(older_device_is_used_when_there_is_no_configfs),
        cmocka_unit_test(a_host_without_certificates_yields_a_bare_report),
        cmocka_unit_test(doctor_says_what_works),
        cmocka_unit_test(another_writer_between_write_and_read_is_noticed),
        cmocka_unit_test(a_busy_device_is_asked_again_and_not_for_ever),
        cmocka_unit_test(under_an_svsm_the_floor_is_asked_for),
        cmocka_unit_test(report_entry_is_removed_again),
        cmocka_unit_test(no_tee_is_said_with_what_was_looked_for),
        cmocka_unit_test(key_file_is_made_once_and_bound_again),
        cmocka_unit_test(wrong_usage_exits_64),
    };
    int failed = cmocka_run_group_tests_name("collector.collect", tests, guest_set_up, guest_tear_down);
    json_decref(request);
    return failed;
}
