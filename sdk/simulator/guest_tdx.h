/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated guest as a trust domain: its device and the quote generation service of its host. */
#ifndef ATTESTD_SIMULATOR_GUEST_TDX_H
#define ATTESTD_SIMULATOR_GUEST_TDX_H

#include "sdk/simulator/tdx.h"

enum { SIM_TDREPORT_SIZE = 1024 };

/* One process is one guest. */
struct sim_guest_tdx {
    struct sim_tdx_vendor *vendor;
    struct sim_tdx_scene scene;
    bool service_refuses, service_cut; /* what the service does instead of answering well */
};

/* The quote of the guest over 64 bytes. */
struct sim_bytes sim_guest_tdx_quote(const struct sim_guest_tdx *, const uint8_t report_data[64]);
/* TDREPORT_STRUCT over 64 bytes (Intel TDX module ABI specification): as far as the service needs it; its MAC is zero. */
void sim_guest_tdx_report(const struct sim_guest_tdx *, const uint8_t report_data[64], uint8_t report[SIM_TDREPORT_SIZE]);
/* Serves TDREPORTs at a socket of this path by a thread that lives as long as the process. False: it cannot be made. */
bool sim_guest_tdx_serve(const struct sim_guest_tdx *, const char *path);

#endif
