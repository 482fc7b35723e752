/* SPDX-License-Identifier: Apache-2.0 */
#include "sdk/simulator/files.h"

#include "sdk/simulator/der.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

bool sim_write_file(const char *path, struct sim_bytes bytes)
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

struct sim_bytes sim_pem_chain(const struct sim_bytes *certificates, size_t count)
{
    struct sim_buffer chain = {0};
    for (size_t i = 0; i < count; i++) {
        struct sim_bytes pem = sim_pem(certificates[i], "CERTIFICATE");
        chain.failed |= !pem.data;
        sim_put(&chain, pem.data, pem.len);
        free(pem.data);
    }
    return sim_buffer_take(&chain);
}
