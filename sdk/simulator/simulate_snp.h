/* SPDX-License-Identifier: Apache-2.0 */
/* attestctl simulate snp: a report and its certificates in a folder. */
#ifndef ATTESTD_SIMULATOR_SIMULATE_SNP_H
#define ATTESTD_SIMULATOR_SIMULATE_SNP_H

/* argv[0] is the type ("snp"). Returns the exit code: 0, 1 when something could not be made or written, 64 for usage. */
int sim_snp_main(int argc, char **argv);

#endif
