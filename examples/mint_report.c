/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests of your own verifier or policy: a Turin report with a debug policy, and its certificate, under a simulated vendor.
 *
 *   ./mint_report FOLDER        writes vendor keys (once), report.bin and vcek.der there
 */
#include "sdk/simulator/simulator.h"

#include <stdio.h>
#include <stdlib.h>

static int write_file(const char *folder, const char *name, struct sim_bytes bytes)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = bytes.data ? fopen(path, "wb") : NULL;
    int good = file && fwrite(bytes.data, 1, bytes.len, file) == bytes.len;
    good = file && fclose(file) == 0 && good;
    free(bytes.data);
    return good;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
        return 64;
    }
    struct sim_snp_vendor *vendor = sim_snp_vendor_open(argv[1], SIM_SNP_TURIN);
    if (!vendor) {
        fprintf(stderr, "cannot make or load the vendor's keys in %s\n", argv[1]);
        return EXIT_FAILURE;
    }
    struct sim_snp_guest guest;
    sim_snp_guest_default(&guest, SIM_SNP_TURIN);
    guest.policy |= UINT64_C(1) << 19; /* DEBUG: a verifier must refuse it */
    int good = write_file(argv[1], "report.bin", sim_snp_report(vendor, &guest)) &&
               write_file(argv[1], "vcek.der", sim_snp_vek(vendor, &guest)) && write_file(argv[1], "ark.der", sim_snp_ark(vendor)) &&
               write_file(argv[1], "ask.der", sim_snp_ask(vendor));
    sim_snp_vendor_free(vendor);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
