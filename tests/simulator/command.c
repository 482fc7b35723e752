/* SPDX-License-Identifier: Apache-2.0 */
/* attestctl simulate snp, without attestctl. */
#include "sdk/simulator/simulate_snp.h"
#include "sdk/simulator/snp_fields.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

static char folder[] = "/tmp/attestd-simulate-XXXXXX";
static char vendor[4096];

static int set_up(void **state)
{
    (void)state;
    snprintf(vendor, sizeof vendor, "%s/simulated-vendor", getenv("ATTESTD_BUILD"));
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

/* simulate snp --out folder --vendor kept, and up to six more arguments. */
static int simulate(const char *a, const char *b, const char *c, const char *d, const char *e, const char *f)
{
    const char *words[] = {"snp", "--out", folder, "--vendor", vendor, a, b, c, d, e, f, NULL};
    char *argv[12];
    int argc = 0;
    while (words[argc]) {
        argv[argc] = (char *)words[argc];
        argc++;
    }
    argv[argc] = NULL;
    return sim_snp_main(argc, argv);
}

static size_t read_back(const char *name, uint8_t *out, size_t room)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (!file) {
        return 0;
    }
    size_t len = fread(out, 1, room, file);
    fclose(file);
    return len;
}

static void files_carry_what_was_asked_for(void **state)
{
    (void)state;
    uint8_t report[2048], other[8192], again[8192];
    assert_int_equal(simulate("--product", "turin", "--set", "reported_tcb.fmc=7", "--set", "vmpl=0x3"), 0);
    assert_int_equal(read_back("report.bin", report, sizeof report), 1184);
    assert_int_equal(report[0x180], 7);
    assert_int_equal(report[0x030], 3);
    static const char *const names[] = {"vek.der", "ask.pem", "asvk.pem", "ark.pem", "crl.der"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char copy[64];
        snprintf(copy, sizeof copy, "endorsements/%s", names[i]);
        size_t len = read_back(names[i], other, sizeof other);
        assert_true(len > 100);
        assert_int_equal(read_back(copy, again, sizeof again), len);
        assert_memory_equal(other, again, len);
    }
    assert_true(read_back("certs.bin", other, sizeof other) > 3000);
    assert_memory_equal(other, "\x63\xda\x75\x8d", 4);
}

static void version_debug_and_vlek_show_in_the_report(void **state)
{
    (void)state;
    uint8_t report[2048], table[8192];
    assert_int_equal(simulate("--product", "milan", "--version=2", "--debug", "--vlek", "--table=mixed-pem"), 0);
    assert_int_equal(read_back("report.bin", report, sizeof report), 1184);
    assert_int_equal(report[0], 2);
    assert_int_equal(report[0x00a], 0x0b); /* bit 17, one by definition; SMT; DEBUG */
    assert_int_equal(report[0x048], 1 << 2);
    assert_int_equal(report[0x1a0], 0);
    assert_true(read_back("certs.bin", table, sizeof table) > 3000);
    assert_memory_equal(table, "\xc2\x4b\x07\xa8", 4);
}

static void wrong_values_are_usage_errors(void **state)
{
    (void)state;
    assert_int_equal(simulate("--product", "rome", NULL, NULL, NULL, NULL), 64);
    assert_int_equal(simulate("--fault", "none-such", NULL, NULL, NULL, NULL), 64);
    assert_int_equal(simulate("--set", "vmpl", NULL, NULL, NULL, NULL), 64);
    assert_int_equal(simulate("--set", "family=256", NULL, NULL, NULL, NULL), 64);
    assert_int_equal(simulate("--set", "measurement=00", NULL, NULL, NULL, NULL), 64);
    assert_int_equal(simulate("--report-data", "00", NULL, NULL, NULL, NULL), 64);
    assert_int_equal(simulate("--version", "6", NULL, NULL, NULL, NULL), 64);
    assert_int_equal(simulate("--table=round", NULL, NULL, NULL, NULL, NULL), 64);
    assert_int_equal(simulate("extra", NULL, NULL, NULL, NULL, NULL), 64);
    char *none[] = {"snp", NULL};
    assert_int_equal(sim_snp_main(1, none), 64);
}

static void each_fault_in_the_list_changes_the_scene(void **state)
{
    (void)state;
    char *list = NULL;
    size_t len = 0;
    FILE *memory = open_memstream(&list, &len);
    sim_snp_list_faults(memory);
    fclose(memory);
    size_t count = 0;
    for (char *line = strtok(list, "\n"); line; line = strtok(NULL, "\n"), count++) {
        char name[32];
        assert_int_equal(sscanf(line, " %31s", name), 1);
        struct sim_snp_scene good, bad;
        memset(&good, 0, sizeof good);
        sim_snp_scene_default(&good, SIM_SNP_GENOA, false);
        bad = good;
        assert_true(sim_snp_apply_fault(&bad, name));
        if (memcmp(&good, &bad, sizeof good) == 0) {
            fail_msg("%s changes nothing", name);
        }
    }
    assert_true(count >= 25);
    free(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_carry_what_was_asked_for),
        cmocka_unit_test(version_debug_and_vlek_show_in_the_report),
        cmocka_unit_test(wrong_values_are_usage_errors),
        cmocka_unit_test(each_fault_in_the_list_changes_the_scene),
    };
    return cmocka_run_group_tests_name("simulator.command", tests, set_up, tear_down);
}
