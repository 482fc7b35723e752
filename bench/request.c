/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes what the measurement over HTTP sends and what the server needs to believe it:
 *
 *   bench-request VENDOR-FOLDER OUT [POLICY [AUDIENCE]]
 *
 * OUT/ark.pem, OUT/endorsements/{ark,ask,vcek}.der and crl.der, OUT/request.json. With an audience the request asks for a token.
 */
#include "bench/simulated.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void write_file(const char *folder, const char *name, const void *bytes, size_t len)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    bench_must(file && fwrite(bytes, 1, len, file) == len && fclose(file) == 0, path);
}

int main(int argc, char **argv)
{
    if (argc < 3 || argc > 5) {
        fputs("usage: bench-request VENDOR-FOLDER OUT [POLICY [AUDIENCE]]\n", stderr);
        return 64;
    }
    struct bench_vendor vendor;
    struct bench_chip chip;
    char endorsements[4096];
    snprintf(endorsements, sizeof endorsements, "%s/endorsements", argv[2]);
    mkdir(argv[2], 0700);
    mkdir(endorsements, 0700);
    bench_vendor_open(&vendor, argv[1]);
    bench_chip_make(&chip, &vendor, 1, argc > 3 ? argv[3] : NULL, argc > 4 ? argv[4] : NULL, argc > 4 ? "ear" : "none");
    struct sim_bytes pem = sim_pem(vendor.ark.der, "CERTIFICATE");
    write_file(argv[2], "ark.pem", pem.data, pem.len);
    write_file(endorsements, "ark.der", vendor.ark.der.data, vendor.ark.der.len);
    write_file(endorsements, "ask.der", vendor.ask.der.data, vendor.ask.der.len);
    write_file(endorsements, "crl.der", vendor.crl.der.data, vendor.crl.der.len);
    write_file(endorsements, "vcek.der", chip.vek.der.data, chip.vek.der.len);
    write_file(argv[2], "request.json", chip.body, strlen(chip.body));
    free(pem.data);
    bench_chip_free(&chip);
    bench_vendor_close(&vendor);
    return 0;
}
