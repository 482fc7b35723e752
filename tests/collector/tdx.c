/* SPDX-License-Identifier: Apache-2.0 */
/* The command in a simulated trust domain: configfs-tsm, the older device with the quote generation service, the firmware's log. */
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
#define TD "ATTEST_SIMULATED_TEE=tdx "

static json_t *request;
static uint8_t quote[65536], part[2097152];
static size_t quote_len;

static size_t read_part(const char *name, uint8_t *out, size_t room)
{
    const json_t *piece = json_object_get(json_object_get(request, "evidence"), "cpu0");
    const char *text = json_string_value(json_object_get(piece, name));
    size_t len = 0;
    if (text) {
        assert_true(attestd_base64_decode(text, strlen(text), out, room, &len));
    }
    return len;
}

/* In a root of its own, and the quote is over what the request says about itself, by core's code. */
static void collect(const char *settings, size_t report_data_at)
{
    json_decref(request);
    int code = guest_run(settings, "collect --nonce " NONCE " --audience https://kms.example");
    if (code != 0) {
        fail_msg("attest collect: %d: %s", code, guest_err);
    }
    request = json_loads(guest_out, 0, NULL);
    assert_non_null(request);
    const json_t *piece = json_object_get(json_object_get(request, "evidence"), "cpu0");
    assert_string_equal(json_string_value(json_object_get(piece, "type")), "tdx");
    quote_len = read_part("quote", quote, sizeof quote);
    assert_true(quote_len > 4500);

    struct attestd_arena *arena = attestd_arena_new();
    const char *error = NULL;
    const json_t *cnf = json_object_get(json_object_get(request, "binding"), "cnf");
    const struct attestd_jwk *key = attestd_jwk_read(arena, json_object_get(cnf, "jwk"), &error);
    assert_non_null(key);
    uint8_t nonce[32], d[64];
    for (size_t i = 0; i < sizeof nonce; i++) {
        nonce[i] = (uint8_t)(17 * (i % 16));
    }
    attestd_binding_d((struct attestd_bytes){nonce, sizeof nonce}, "https://kms.example", key, NULL, 0, NULL, 0, d);
    assert_memory_equal(quote + report_data_at, d, sizeof d);
    attestd_arena_free(arena);
}

static void in_root(const char *command)
{
    char text[512];
    snprintf(text, sizeof text, "cd '%s' && %s", guest_folder, command);
    assert_int_equal(system(text), 0);
}

static void configfs_gives_a_quote_of_either_version(void **state)
{
    (void)state;
    collect(TD "ATTEST_SIMULATED_DEVICES=tsm", 48 + 520);
    assert_int_equal(quote[0], 4);
    collect(TD "ATTEST_SIMULATED_DEVICES=tsm ATTEST_SIMULATED_VERSION=5", 54 + 520);
    assert_int_equal(quote[0], 5);
    in_root("test -z \"$(ls root/sys/kernel/config/tsm/report)\"");
}

static void older_device_asks_the_quote_generation_service(void **state)
{
    (void)state;
    in_root("rm -rf root");
    collect(TD "ATTEST_SIMULATED_DEVICES=tdx-guest", 48 + 520);
    collect(TD "ATTEST_SIMULATED_DEVICES=tdx-guest ATTEST_SIMULATED_VERSION=5 ATTEST_SIMULATED_BUSY=3", 54 + 520);
}

static void a_service_that_fails_is_named(void **state)
{
    (void)state;
    in_root("rm -rf root");
    static const char *const cases[][2] = {{"refuses", "the quote generation service refuses: error 0x12001"},
                                           {"cut", "the quote generation service gives an answer that is cut short"},
                                           {"none", "the quote generation service ("}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char settings[128];
        snprintf(settings, sizeof settings, TD "ATTEST_SIMULATED_DEVICES=tdx-guest ATTEST_SIMULATED_SERVICE=%s", cases[i][0]);
        assert_int_equal(guest_run(settings, "collect --nonce " NONCE), 1);
        if (!strstr(guest_err, cases[i][1])) {
            fail_msg("%s: %s", cases[i][0], guest_err);
        }
    }
    assert_non_null(strstr(guest_err, "port 4050 of the host over vsock"));
}

static void a_quote_over_other_bytes_is_refused(void **state)
{
    (void)state;
    assert_int_equal(guest_run(TD "ATTEST_SIMULATED_DEVICES=tsm ATTEST_SIMULATED_FAULT=unknown-version", "collect --nonce " NONCE), 1);
    assert_non_null(strstr(guest_err, "not over the bytes that were asked for"));
}

static void another_writer_and_a_busy_driver_are_waited_for(void **state)
{
    (void)state;
    collect(TD "ATTEST_SIMULATED_DEVICES=tsm ATTEST_SIMULATED_RACES=3", 48 + 520);
    collect(TD "ATTEST_SIMULATED_DEVICES=tsm ATTEST_SIMULATED_BUSY=3", 48 + 520);
    assert_int_equal(guest_run(TD "ATTEST_SIMULATED_DEVICES=tsm ATTEST_SIMULATED_RACES=1000", "collect --nonce " NONCE), 1);
    assert_non_null(strstr(guest_err, "keeps writing"));
}

/* 64 KiB of which 5000 bytes are used; the rest is ones, as firmware leaves it. */
static void event_log_goes_along_without_its_unused_end(void **state)
{
    (void)state;
    collect(TD "ATTEST_SIMULATED_DEVICES=tsm", 48 + 520);
    assert_int_equal(read_part("ccel", part, sizeof part), 0);
    in_root(
        "mkdir -p root/sys/firmware/acpi/tables/data && printf CCEL > root/sys/firmware/acpi/tables/CCEL && "
        "{ head -c 5000 /dev/zero | tr '\\0' 'e'; head -c 60536 /dev/zero | tr '\\0' '\\377'; } > root/sys/firmware/acpi/tables/data/CCEL");
    collect(TD "ATTEST_SIMULATED_DEVICES=tsm", 48 + 520);
    assert_int_equal(read_part("ccel", part, sizeof part), 5000 + 4096);
    assert_int_equal(part[4999], 'e');
    assert_int_equal(part[5000], 0xff);
    assert_int_equal(read_part("ccel_table", part, sizeof part), 4);
    assert_memory_equal(part, "CCEL", 4);
    /* A log that is nothing but itself is sent whole. */
    in_root("head -c 70000 /dev/zero | tr '\\0' 'e' > root/sys/firmware/acpi/tables/data/CCEL");
    collect(TD "ATTEST_SIMULATED_DEVICES=tsm", 48 + 520);
    assert_int_equal(read_part("ccel", part, sizeof part), 70000);
    /* Of a length that no firmware has: the quote goes without it. */
    in_root("head -c 2000000 /dev/zero | tr '\\0' 'e' > root/sys/firmware/acpi/tables/data/CCEL");
    collect(TD "ATTEST_SIMULATED_DEVICES=tsm", 48 + 520);
    assert_int_equal(read_part("ccel", part, sizeof part), 0);
    in_root("rm -r root/sys/firmware");
}

/* The outcome of a check in attestctl's answer to the request that collect printed; "" when there is none. */
static const char *outcome_of(const json_t *checks, const char *id)
{
    size_t i;
    const json_t *check;
    json_array_foreach(checks, i, check)
    {
        if (strcmp(json_string_value(json_object_get(check, "id")), id) == 0) {
            return json_string_value(json_object_get(check, "outcome"));
        }
    }
    return "";
}

static void what_is_collected_is_what_the_plugin_verifies(void **state)
{
    (void)state;
    in_root("rm -rf root && \"$ATTESTD_BUILD/bin/attestctl\" simulate tdx --out good --vendor \"$ATTESTD_BUILD/simulated-vendor\"");
    static const char *const devices[] = {"tsm", "tdx-guest"};
    for (size_t i = 0; i < 2; i++) {
        char settings[96], path[128];
        snprintf(settings, sizeof settings, TD "ATTEST_SIMULATED_DEVICES=%s", devices[i]);
        in_root("rm -rf root");
        collect(settings, 48 + 520);
        in_root("mv out request.json; \"$ATTESTD_BUILD/bin/attestctl\" appraise --development --anchor tdx=good/root.pem --endorsements "
                "good/endorsements --offline --json request.json > answer.json; test $? -eq 10"); /* warning: nothing was compared */
        snprintf(path, sizeof path, "%s/answer.json", guest_folder);
        json_t *answer = json_load_file(path, 0, NULL);
        const json_t *piece = json_object_get(json_object_get(answer, "evidence"), "cpu0");
        assert_string_equal(outcome_of(json_object_get(piece, "checks"), "tdx.signature"), "pass");
        assert_string_equal(outcome_of(json_object_get(piece, "checks"), "tdx.tcb.status"), "pass");
        assert_string_equal(outcome_of(json_object_get(answer, "checks"), "binding.nonce"), "pass");
        json_decref(answer);
    }
}

static void doctor_says_what_works(void **state)
{
    (void)state;
    in_root("rm -rf root");
    assert_int_equal(guest_run(TD "ATTEST_SIMULATED_DEBUG=1", "doctor"), 0);
    assert_non_null(strstr(guest_out, "configfs-tsm: works\n    quote: TDX, version 4, 49"));
    assert_non_null(strstr(guest_out, "DEBUG IS ALLOWED"));
    assert_non_null(strstr(guest_out, "tdx_guest: works"));
    assert_non_null(strstr(guest_out, "no event log of the firmware"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(configfs_gives_a_quote_of_either_version),
        cmocka_unit_test(older_device_asks_the_quote_generation_service),
        cmocka_unit_test(a_service_that_fails_is_named),
        cmocka_unit_test(a_quote_over_other_bytes_is_refused),
        cmocka_unit_test(another_writer_and_a_busy_driver_are_waited_for),
        cmocka_unit_test(event_log_goes_along_without_its_unused_end),
        cmocka_unit_test(what_is_collected_is_what_the_plugin_verifies),
        cmocka_unit_test(doctor_says_what_works),
    };
    int failed = cmocka_run_group_tests_name("collector.tdx", tests, guest_set_up, guest_tear_down);
    json_decref(request);
    return failed;
}
