/* SPDX-License-Identifier: Apache-2.0 */
/* What the simulated services write. */
#ifndef ATTESTD_SIMULATOR_FILES_H
#define ATTESTD_SIMULATOR_FILES_H

#include "sdk/simulator/simulator.h"

/* Makes the folders of the path, then the file. Consumes the bytes; {NULL, 0} is a failure. */
bool sim_write_file(const char *path, struct sim_bytes bytes);
/* DER certificates as PEM, one after the other. */
struct sim_bytes sim_pem_chain(const struct sim_bytes *certificates, size_t count);

#endif
