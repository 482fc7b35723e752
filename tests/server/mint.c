/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The simulated guest of the end-to-end tests: reports on request.
 *
 *   mint VENDOR OUT    makes or loads the vendor's keys in VENDOR, writes to OUT ark.pem, endorsements/ (the default guest's certificates)
 *                      and kds/ (what KDS serves, for chips 0 to 31), prints "ready"; then answers each line
 *                        <report_data: 128 hex digits> [debug] [chip=N] [certs]
 *                      with "<report, base64> [<certificate table, base64>]"
 */
#include "core/encoding.h"
#include "sdk/simulator/simulator.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define KDS_CHIPS 32
#define DEBUG_POLICY (UINT64_C(1) << 19) /* AMD 56860, guest policy: DEBUG */

static void fail(const char *what)
{
    fprintf(stderr, "mint: %s\n", what);
    exit(EXIT_FAILURE);
}

static void write_file(const char *folder, const char *name, struct sim_bytes bytes)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(bytes.data, 1, bytes.len, file) != bytes.len || fclose(file) != 0)
        fail(path);
    free(bytes.data);
}

static void print_base64(struct sim_bytes bytes)
{
    char *text = malloc(ATTESTD_BASE64_SIZE(bytes.len));
    if (text == NULL || bytes.data == NULL)
        fail("cannot make a report");
    attestd_base64_encode(bytes.data, bytes.len, text);
    fputs(text, stdout);
    free(text);
    free(bytes.data);
}

static struct sim_bytes crl_of(const struct sim_snp_vendor *vendor)
{
    const struct sim_snp_crl crl = {.this_update = time(NULL) - 3600, .next_update = time(NULL) + 30 * 86400, .number = 1};
    return sim_snp_crl(vendor, &crl);
}

static void write_endorsements(const struct sim_snp_vendor *vendor, const char *out)
{
    char folder[4096];
    struct sim_snp_guest guest;
    sim_snp_guest_default(&guest, SIM_SNP_GENOA);
    snprintf(folder, sizeof folder, "%s/endorsements", out);
    mkdir(folder, 0755);
    write_file(folder, "vcek.der", sim_snp_vek(vendor, &guest));
    write_file(folder, "ask.der", sim_snp_ask(vendor));
    write_file(folder, "ark.der", sim_snp_ark(vendor));
    write_file(folder, "crl.der", crl_of(vendor));
    struct sim_bytes ark = sim_snp_ark(vendor);
    write_file(out, "ark.pem", sim_pem(ark, "CERTIFICATE"));
    free(ark.data);
}

static void set_chip(struct sim_snp_guest *guest, uint8_t chip)
{
    if (chip != 0)
        guest->chip_id[63] = guest->cert_hwid[63] = chip;
}

static void write_kds(const struct sim_snp_vendor *vendor, const char *out)
{
    struct sim_snp_guest guests[KDS_CHIPS];
    const struct sim_snp_crl crl = {.this_update = time(NULL) - 3600, .next_update = time(NULL) + 30 * 86400, .number = 1};
    char folder[4096];
    for (size_t i = 0; i < KDS_CHIPS; i++) {
        sim_snp_guest_default(&guests[i], SIM_SNP_GENOA);
        set_chip(&guests[i], (uint8_t)i);
    }
    snprintf(folder, sizeof folder, "%s/kds", out);
    mkdir(folder, 0755);
    if (!sim_snp_write_kds(vendor, guests, KDS_CHIPS, &crl, folder))
        fail(folder);
}

static void answer(const struct sim_snp_vendor *vendor, char *line)
{
    struct sim_snp_guest guest;
    size_t len = 0;
    bool certs = false;
    sim_snp_guest_default(&guest, SIM_SNP_GENOA);
    char *rest = NULL, *word = strtok_r(line, " \n", &rest);
    if (word == NULL || !attestd_hex_decode(word, strlen(word), guest.report_data, sizeof guest.report_data, &len) || len != 64)
        fail("wants 128 hex digits");
    while ((word = strtok_r(NULL, " \n", &rest)) != NULL) {
        if (strcmp(word, "debug") == 0)
            guest.policy |= DEBUG_POLICY;
        else if (strcmp(word, "certs") == 0)
            certs = true;
        else if (strncmp(word, "chip=", 5) == 0)
            set_chip(&guest, (uint8_t)atoi(word + 5));
        else
            fail(word);
    }
    print_base64(sim_snp_report(vendor, &guest));
    if (certs) {
        struct sim_bytes vek = sim_snp_vek(vendor, &guest), ask = sim_snp_ask(vendor), ark = sim_snp_ark(vendor), none = {0};
        putchar(' ');
        print_base64(sim_snp_table(vek, false, ask, ark, none, false, false));
        free(vek.data);
        free(ask.data);
        free(ark.data);
    }
    putchar('\n');
    fflush(stdout);
}

int main(int argc, char **argv)
{
    char line[512];
    if (argc != 3)
        fail("usage: mint VENDOR OUT");
    struct sim_snp_vendor *vendor = sim_snp_vendor_open(argv[1], SIM_SNP_GENOA);
    if (vendor == NULL)
        fail("cannot make or load the vendor's keys");
    write_endorsements(vendor, argv[2]);
    write_kds(vendor, argv[2]);
    puts("ready");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin) != NULL)
        answer(vendor, line);
    sim_snp_vendor_free(vendor);
    return EXIT_SUCCESS;
}
