/* SPDX-License-Identifier: Apache-2.0 */
#include "sdk/simulator/vendor_folder.h"

#include "sdk/simulator/der.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static struct sim_bytes read_certificate(FILE *file)
{
    X509 *certificate = PEM_read_X509(file, NULL, NULL, NULL);
    unsigned char *der = NULL;
    int len = certificate ? i2d_X509(certificate, &der) : -1;
    struct sim_bytes copy = {NULL, 0};
    if (len > 0) {
        copy = sim_bytes_copy(der, (size_t)len);
    }
    OPENSSL_free(der);
    X509_free(certificate);
    return copy;
}

/* Nothing is left behind of a file that is not whole. */
static bool load(const char *path, const struct sim_vendor_part *parts, size_t count)
{
    FILE *file = fopen(path, "re");
    if (!file) {
        return false;
    }
    bool whole = true;
    for (size_t i = 0; i < count; i++) {
        *parts[i].key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
        whole &= *parts[i].key != NULL;
    }
    for (size_t i = 0; i < count; i++) {
        *parts[i].certificate = read_certificate(file);
        whole &= parts[i].certificate->data != NULL;
    }
    fclose(file);
    for (size_t i = 0; !whole && i < count; i++) {
        EVP_PKEY_free(*parts[i].key);
        free(parts[i].certificate->data);
        *parts[i].key = NULL;
        *parts[i].certificate = (struct sim_bytes){NULL, 0};
    }
    ERR_clear_error();
    return whole;
}

static bool save(const char *path, const struct sim_vendor_part *parts, size_t count)
{
    char unfinished[4200];
    snprintf(unfinished, sizeof unfinished, "%s.new", path);
    int fd = open(unfinished, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    if (!file) {
        if (fd >= 0) {
            close(fd);
        }
        return false;
    }
    bool good = true;
    for (size_t i = 0; i < count; i++) {
        good = good && PEM_write_PrivateKey(file, *parts[i].key, NULL, NULL, 0, NULL, NULL) == 1;
    }
    for (size_t i = 0; i < count; i++) {
        good = good && PEM_write(file, "CERTIFICATE", "", parts[i].certificate->data, (long)parts[i].certificate->len) > 0;
    }
    good = fclose(file) == 0 && good;
    return good && rename(unfinished, path) == 0;
}

bool sim_vendor_folder(const char *directory, const char *name, const struct sim_vendor_part *parts, size_t count, bool (*make)(void *),
                       void *context)
{
    char path[4096], lock_path[4096];
    if ((size_t)snprintf(path, sizeof path, "%s/%s.pem", directory, name) >= sizeof path ||
        (size_t)snprintf(lock_path, sizeof lock_path, "%s/%s.lock", directory, name) >= sizeof lock_path) {
        return false;
    }
    if (mkdir(directory, 0700) != 0 && errno != EEXIST) {
        return false;
    }
    if (load(path, parts, count)) {
        return true;
    }
    int lock = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    bool good = lock >= 0 && flock(lock, LOCK_EX) == 0 && (load(path, parts, count) || (make(context) && save(path, parts, count)));
    if (lock >= 0) {
        close(lock);
    }
    return good;
}
