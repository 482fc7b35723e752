/* SPDX-License-Identifier: Apache-2.0 */
/* attestctl simulate tdx: a quote and its collateral in a folder. */
#ifndef ATTESTD_SIMULATOR_SIMULATE_TDX_H
#define ATTESTD_SIMULATOR_SIMULATE_TDX_H

/* argv[0] is the type ("tdx"). Returns the exit code: 0, 1 when something could not be made or written, 64 for usage. */
int sim_tdx_main(int argc, char **argv);

#endif
