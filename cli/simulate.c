/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/attestctl.h"
#include "cli/session.h"
#include "sdk/simulator/simulate_snp.h"
#include "sdk/simulator/simulate_tdx.h"
#include <stdio.h>
#include <string.h>

static const struct {
    const char *type;
    int (*run)(int argc, char **argv);
} simulators[] = {{"snp", sim_snp_main}, {"tdx", sim_tdx_main}};

int attestctl_simulate(int argc, char **argv)
{
    if (argc >= 2 && strcmp(argv[1], "--help") == 0) {
        puts("usage: attestctl simulate TYPE [OPTION]...\n\n"
             "Mints evidence in the vendor's real format, with real signatures, under roots made on this machine. attestd and attestctl "
             "accept\n"
             "it only with --development and the root given. TYPE: snp or tdx. attestctl simulate TYPE --help lists its options.");
        return EXIT_OK;
    }
    for (size_t i = 0; argc >= 2 && i < sizeof simulators / sizeof *simulators; i++)
        if (strcmp(argv[1], simulators[i].type) == 0)
            return simulators[i].run(argc - 1, argv + 1);
    return cli_usage_error("simulate", "wants a type of evidence: snp or tdx");
}
