/* SPDX-License-Identifier: Apache-2.0 */
/* A folder that any static web server can serve as AMD's key distribution service (AMD 57230). */
#include "sdk/simulator/der.h"
#include "sdk/simulator/snp_vendor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* mkdir -p of the path's folder, then the file; consumes the bytes. */
static bool write_file(const char *path, struct sim_bytes bytes)
{
    char folder[4096];
    bool good = bytes.data && strlen(path) < sizeof folder;
    if (good) {
        strcpy(folder, path);
        for (char *slash = strchr(folder + 1, '/'); slash && good; slash = strchr(slash + 1, '/')) {
            *slash = '\0';
            good = mkdir(folder, 0755) == 0 || errno == EEXIST;
            *slash = '/';
        }
    }
    FILE *file = good ? fopen(path, "we") : NULL;
    good = file && fwrite(bytes.data, 1, bytes.len, file) == bytes.len;
    good = file && fclose(file) == 0 && good;
    free(bytes.data);
    return good;
}

static struct sim_bytes chain(struct sim_bytes intermediate, struct sim_bytes root)
{
    struct sim_bytes first = sim_pem(intermediate, "CERTIFICATE"), second = sim_pem(root, "CERTIFICATE");
    struct sim_buffer both = {.failed = !first.data || !second.data};
    sim_put(&both, first.data, first.len);
    sim_put(&both, second.data, second.len);
    free(first.data);
    free(second.data);
    return sim_buffer_take(&both);
}

static bool write_service(const struct sim_snp_vendor *vendor, const struct sim_snp_crl *crl, const char *directory, bool vlek)
{
    char path[4096];
    const char *service = vlek ? "vlek" : "vcek";
    snprintf(path, sizeof path, "%s/%s/v1/%s/cert_chain", directory, service, vendor->line->name);
    if (!write_file(path, chain(vlek ? vendor->asvk : vendor->ask, vendor->ark))) {
        return false;
    }
    if (!crl) {
        return true;
    }
    snprintf(path, sizeof path, "%s/%s/v1/%s/crl", directory, service, vendor->line->name);
    return write_file(path, sim_snp_crl(vendor, crl));
}

static bool write_vcek(const struct sim_snp_vendor *vendor, const struct sim_snp_guest *guest, const char *directory)
{
    char path[4096], hwid[2 * sizeof guest->cert_hwid + 1];
    for (size_t i = 0; i < vendor->line->hwid_len; i++) {
        snprintf(hwid + 2 * i, 3, "%02x", guest->cert_hwid[i]);
    }
    snprintf(path, sizeof path, "%s/vcek/v1/%s/%s", directory, vendor->line->name, hwid);
    return write_file(path, sim_snp_vek(vendor, guest));
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
