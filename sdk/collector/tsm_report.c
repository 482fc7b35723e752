/* SPDX-License-Identifier: Apache-2.0 */
/* configfs-tsm: Linux 6.7's one interface to all TEEs (Documentation/ABI/testing/configfs-tsm-report). */
#include "sdk/collector/collector.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define REPORTS "/sys/kernel/config/tsm/report"

void collector_pause(unsigned attempt)
{
    long milliseconds = 10L << (attempt < 6 ? attempt - 1 : 5);
    nanosleep(&(struct timespec){.tv_nsec = milliseconds * 1000000}, NULL);
}

/* A report entry of our own: nobody else has a reason to write to it, but nothing stops another root process either. */
struct entry {
    char path[PATH_MAX / 2];
};

static bool attribute_path(const struct entry *entry, const char *attribute, char path[PATH_MAX])
{
    return (size_t)snprintf(path, PATH_MAX, "%s/%s", entry->path, attribute) < PATH_MAX;
}

uint8_t *collector_read_file(const char *path, size_t most, size_t *len)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return NULL;
    }
    size_t room = 4096, at = 0;
    uint8_t *bytes = malloc(room + 1);
    ssize_t got = -1;
    while (bytes && (got = read(fd, bytes + at, room - at)) > 0) {
        at += (size_t)got;
        if (at < room) {
            continue;
        }
        uint8_t *more = room <= most ? realloc(bytes, 2 * room + 1) : NULL;
        if (!more) {
            errno = EFBIG;
            got = -1;
            break;
        }
        bytes = more;
        room *= 2;
    }
    int why = errno;
    close(fd);
    if (got < 0 || at > most) {
        free(bytes);
        errno = got < 0 ? why : EFBIG;
        return NULL;
    }
    bytes[at] = 0;
    *len = at;
    return bytes;
}

/* As collector_read_file(). */
static uint8_t *read_attribute(const struct entry *entry, const char *attribute, size_t *len)
{
    char path[PATH_MAX];
    return attribute_path(entry, attribute, path) ? collector_read_file(path, COLLECTOR_MAX_BLOB, len) : NULL;
}

static bool write_attribute(const struct entry *entry, const char *attribute, const void *bytes, size_t len)
{
    char path[PATH_MAX];
    int fd = attribute_path(entry, attribute, path) ? open(path, O_WRONLY | O_CLOEXEC) : -1;
    if (fd < 0) {
        return false;
    }
    /* configfs takes a binary attribute's write at close(), which reports its failure. */
    bool good = write(fd, bytes, len) == (ssize_t)len;
    int why = errno;
    if (close(fd) != 0 && good) {
        return false;
    }
    errno = why;
    return good;
}

/* A small decimal number; otherwise when the attribute is absent or not a number. */
static unsigned long read_number(const struct entry *entry, const char *attribute, unsigned long otherwise)
{
    size_t len = 0;
    char *text = (char *)read_attribute(entry, attribute, &len), *end = NULL;
    if (!text) {
        return otherwise;
    }
    unsigned long number = strtoul(text, &end, 10);
    bool good = end != text && (*end == '\0' || *end == '\n');
    free(text);
    return good ? number : otherwise;
}

/* The type of evidence that the entry's driver gives; NULL: none that is known. */
static const char *type_of_provider(const struct entry *entry, char found[64])
{
    static const char *const providers[][2] = {{"sev_guest", "snp"}, {"tdx_guest", "tdx"}};
    size_t len = 0;
    char *text = (char *)read_attribute(entry, "provider", &len);
    snprintf(found, 64, "%.*s", text ? (int)strcspn(text, "\n") : 0, text ? text : "");
    free(text);
    for (size_t i = 0; i < sizeof providers / sizeof *providers; i++) {
        if (strcmp(found, providers[i][0]) == 0) {
            return providers[i][1];
        }
    }
    return NULL;
}

/* 0, or why it is worth trying again or not (an errno). EAGAIN: somebody else wrote in between. */
static int take_once(const struct entry *entry, const uint8_t *field, struct collector_evidence *evidence)
{
    unsigned long before = read_number(entry, "generation", ULONG_MAX);
    if (!write_attribute(entry, "inblob", field, COLLECTOR_FIELD_SIZE)) {
        return errno;
    }
    evidence->report = read_attribute(entry, "outblob", &evidence->report_len);
    if (!evidence->report) {
        return errno;
    }
    evidence->certificates = read_attribute(entry, "auxblob", &evidence->certificates_len);
    if (!evidence->certificates && (errno == EBUSY || errno == EAGAIN || errno == EINTR)) {
        return errno;
    }
    if (evidence->certificates && evidence->certificates_len == 0) { /* the host has none */
        free(evidence->certificates);
        evidence->certificates = NULL;
    }
    /* One write of ours: one generation. Any more and the report may be over somebody else's bytes. */
    return before != ULONG_MAX && read_number(entry, "generation", ULONG_MAX) != before + 1 ? EAGAIN : 0;
}

static int take(const struct entry *entry, const uint8_t *field, struct collector_evidence *evidence)
{
    int why = 0;
    for (unsigned attempt = 0; attempt < COLLECTOR_ATTEMPTS; attempt++) {
        if (attempt) {
            collector_pause(attempt);
        }
        why = take_once(entry, field, evidence);
        if (why != EBUSY && why != EAGAIN && why != EINTR) {
            break;
        }
        const char *type = evidence->type;
        collector_evidence_free(evidence);
        evidence->type = type;
    }
    return why;
}

static enum attest_status collect_from(struct attest *attest, const struct entry *entry, const uint8_t *field,
                                       struct collector_evidence *evidence, char missing[256])
{
    char provider[64];
    evidence->type = type_of_provider(entry, provider);
    if (!evidence->type) {
        snprintf(missing, 256, "%s%s (its provider is %s, neither sev_guest nor tdx_guest)", attest->root, REPORTS,
                 *provider ? provider : "absent");
        return ATTEST_NO_TEE;
    }
    /* Under an SVSM the guest runs at a lower privilege level, and must ask for no higher one. */
    unsigned long floor = read_number(entry, "privlevel_floor", 0);
    char level[24];
    int len = snprintf(level, sizeof level, "%lu", floor);
    if (floor > 0 && !write_attribute(entry, "privlevel", level, (size_t)len)) {
        return collector_fail(attest, ATTEST_TEE_FAILED, "configfs-tsm refuses privilege level %lu: %s", floor, strerror(errno));
    }
    int why = take(entry, field, evidence);
    if (why == EAGAIN) {
        return collector_fail(attest, ATTEST_TEE_FAILED, "configfs-tsm: another process keeps writing to %s", entry->path);
    }
    if (why) {
        return collector_fail(attest, ATTEST_TEE_FAILED, "configfs-tsm gives no report: %s", strerror(why));
    }
    return ATTEST_OK;
}

enum attest_status collector_tsm_report(struct attest *attest, const uint8_t field[COLLECTOR_FIELD_SIZE],
                                        struct collector_evidence *evidence, char missing[256])
{
    uint8_t random[8];
    char *suffix = RAND_bytes(random, sizeof random) == 1 ? collector_hex(random, sizeof random) : NULL;
    struct entry entry;
    if (!suffix) {
        return collector_fail(attest, ATTEST_INTERNAL, "no random bytes");
    }
    size_t len = (size_t)snprintf(entry.path, sizeof entry.path, "%s" REPORTS "/attest-%s", attest->root, suffix);
    free(suffix);
    if (len >= sizeof entry.path) {
        return collector_fail(attest, ATTEST_USAGE, "the root's path is too long");
    }
    if (mkdir(entry.path, 0700) != 0) {
        if (errno == EACCES || errno == EPERM) {
            return collector_fail(attest, ATTEST_TEE_FAILED, "%s" REPORTS " is there but not for this user: run as root", attest->root);
        }
        snprintf(missing, 256, "%s%s (%s)", attest->root, REPORTS, strerror(errno));
        return ATTEST_NO_TEE;
    }
    enum attest_status status = collect_from(attest, &entry, field, evidence, missing);
    rmdir(entry.path);
    if (status != ATTEST_OK) {
        collector_evidence_free(evidence);
    }
    return status;
}
