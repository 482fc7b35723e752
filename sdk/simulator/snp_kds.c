/* SPDX-License-Identifier: Apache-2.0 */
/* A folder that any static web server can serve as AMD's key distribution service (AMD 57230). */
#include "sdk/simulator/der.h"
#include "sdk/simulator/files.h"
#include "sdk/simulator/snp_vendor.h"

#include <stdio.h>
#include <string.h>

static bool write_service(const struct sim_snp_vendor *vendor, const struct sim_snp_crl *crl, const char *directory, bool vlek)
{
    char path[4096];
    const char *service = vlek ? "vlek" : "vcek";
    snprintf(path, sizeof path, "%s/%s/v1/%s/cert_chain", directory, service, vendor->line->name);
    if (!sim_write_file(path, sim_pem_chain((struct sim_bytes[]){vlek ? vendor->asvk : vendor->ask, vendor->ark}, 2))) {
        return false;
    }
    if (!crl) {
        return true;
    }
    snprintf(path, sizeof path, "%s/%s/v1/%s/crl", directory, service, vendor->line->name);
    return sim_write_file(path, sim_snp_crl(vendor, crl));
}

static bool write_vcek(const struct sim_snp_vendor *vendor, const struct sim_snp_guest *guest, const char *directory)
{
    char path[4096], hwid[2 * sizeof guest->cert_hwid + 1];
    for (size_t i = 0; i < vendor->line->hwid_len; i++) {
        snprintf(hwid + 2 * i, 3, "%02x", guest->cert_hwid[i]);
    }
    snprintf(path, sizeof path, "%s/vcek/v1/%s/%s", directory, vendor->line->name, hwid);
    return sim_write_file(path, sim_snp_vek(vendor, guest));
}

bool sim_snp_write_kds(const struct sim_snp_vendor *vendor, const struct sim_snp_guest *guests, size_t count, const struct sim_snp_crl *crl,
                       const char *directory)
{
    if (strlen(directory) > 3800 || !write_service(vendor, crl, directory, false) || !write_service(vendor, crl, directory, true)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        /* VLEKs are the cloud provider's alone: KDS does not give them to anybody else. */
        if (!guests[i].vlek && !write_vcek(vendor, &guests[i], directory)) {
            return false;
        }
    }
    return true;
}
