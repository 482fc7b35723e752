/* SPDX-License-Identifier: Apache-2.0 */
/* A simulated vendor's keys and certificates in a folder: made once, read ever after. */
#ifndef ATTESTD_SIMULATOR_VENDOR_FOLDER_H
#define ATTESTD_SIMULATOR_VENDOR_FOLDER_H

#include "sdk/simulator/simulator.h"

#include <openssl/evp.h>

/* One authority: where its key and its certificate (DER) go. */
struct sim_vendor_part {
    EVP_PKEY **key;
    struct sim_bytes *certificate;
};

/*
 * Fills the parts from directory/name.pem (mode 0600: the keys, then the certificates); where there is no such file, make() fills them and
 * they are saved. Programs that start together make the vendor once and share it. On false the parts that are set are the caller's to free.
 */
bool sim_vendor_folder(const char *directory, const char *name, const struct sim_vendor_part *parts, size_t count, bool (*make)(void *),
                       void *context);

#endif
