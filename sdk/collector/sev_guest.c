/* SPDX-License-Identifier: Apache-2.0 */
/* /dev/sev-guest, for kernels before configfs-tsm (Documentation/virt/coco/sev-guest.rst). */
#include "sdk/collector/collector.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define DEVICE "/dev/sev-guest"

enum {
    REPORT_SIZE = 1184,
    CERTIFICATES_SIZE = 0x4000, /* the most the kernel's driver takes; whole pages */
    VMM_INVALID_LEN = 1,
    VMM_BUSY = 2,
    FIRMWARE_INVALID_PARAMETERS = 0x16, /* AMD 56860 table 24: among others, a VMPL above our own */
    LOWEST_PRIVILEGE = 3
};

/* The kernel's interface; written out, because the header is younger than the systems this is built on. */
struct guest_request {
    uint8_t message_version;
    uint64_t request, response; /* addresses */
    uint32_t firmware_error, vmm_error;
};
struct report_request {
    uint8_t report_data[COLLECTOR_FIELD_SIZE];
    uint32_t vmpl;
    uint8_t reserved[28];
};
struct extended_report_request {
    struct report_request report;
    uint64_t certificates; /* address */
    uint32_t certificates_len;
};
struct report_response {
    uint32_t status, report_size;
    uint8_t reserved[24];
    uint8_t report[REPORT_SIZE];
    uint8_t rest[4000 - 32 - REPORT_SIZE];
};
#define SNP_GET_REPORT _IOWR('S', 0x0, struct guest_request)
#define SNP_GET_EXT_REPORT _IOWR('S', 0x2, struct guest_request)

/* 0 or an errno; waits and tries again while the host is busy. */
static int request(int device, unsigned long number, void *body, struct report_response *response, uint32_t *vmm_error)
{
    int why = 0;
    for (unsigned attempt = 0; attempt < COLLECTOR_ATTEMPTS; attempt++) {
        if (attempt) {
            collector_pause(attempt);
        }
        memset(response, 0, sizeof *response);
        struct guest_request message = {.message_version = 1, .request = (uintptr_t)body, .response = (uintptr_t)response};
        why = ioctl(device, number, &message) == 0 ? 0 : errno;
        *vmm_error = why ? message.vmm_error : 0;
        if (why != EAGAIN && why != EBUSY && why != EINTR && *vmm_error != VMM_BUSY) {
            break;
        }
    }
    return why;
}

static int get_extended(int device, const struct report_request *report, struct report_response *response, uint8_t *certificates)
{
    struct extended_report_request body = {
        .report = *report, .certificates = (uintptr_t)certificates, .certificates_len = CERTIFICATES_SIZE};
    uint32_t vmm_error = 0;
    return request(device, SNP_GET_EXT_REPORT, &body, response, &vmm_error);
}

static int get_plain(int device, const struct report_request *report, struct report_response *response)
{
    struct report_request body = *report;
    uint32_t vmm_error = 0;
    return request(device, SNP_GET_REPORT, &body, response, &vmm_error);
}

/* The table is in whole pages; one that begins with an empty entry is no table. */
static void keep_certificates(struct collector_evidence *evidence, uint8_t *certificates)
{
    static const uint8_t end[24];
    if (memcmp(certificates, end, sizeof end) == 0) {
        free(certificates);
        return;
    }
    size_t len = CERTIFICATES_SIZE;
    while (len > 0 && certificates[len - 1] == 0) {
        len--;
    }
    /* The last blob may end in zeros of its own (a DER signature can): give back up to the next page's end. */
    evidence->certificates = certificates;
    evidence->certificates_len = (len + 4095) / 4096 * 4096;
}

static enum attest_status collect_from(struct attest *attest, int device, const uint8_t *field, struct collector_evidence *evidence)
{
    struct report_request body = {0};
    struct report_response response;
    uint8_t *certificates = calloc(1, CERTIFICATES_SIZE);
    if (!certificates) {
        return collector_fail(attest, ATTEST_INTERNAL, "out of memory");
    }
    memcpy(body.report_data, field, COLLECTOR_FIELD_SIZE);
    int why = 0;
    for (body.vmpl = 0; body.vmpl <= LOWEST_PRIVILEGE; body.vmpl++) {
        why = get_extended(device, &body, &response, certificates);
        if (why) {
            memset(certificates, 0, CERTIFICATES_SIZE);
            why = get_plain(device, &body, &response);
        }
        if (why || response.status != FIRMWARE_INVALID_PARAMETERS) {
            break;
        }
    }
    if (why || response.status != 0 || response.report_size != REPORT_SIZE) {
        free(certificates);
        return why ? collector_fail(attest, ATTEST_TEE_FAILED, DEVICE " gives no report: %s", strerror(why))
                   : collector_fail(attest, ATTEST_TEE_FAILED, "the firmware gives no report: status 0x%x, %u bytes", response.status,
                                    response.report_size);
    }
    evidence->report = malloc(REPORT_SIZE);
    if (!evidence->report) {
        free(certificates);
        return collector_fail(attest, ATTEST_INTERNAL, "out of memory");
    }
    memcpy(evidence->report, response.report, REPORT_SIZE);
    evidence->report_len = REPORT_SIZE;
    evidence->type = "snp";
    keep_certificates(evidence, certificates);
    return ATTEST_OK;
}

enum attest_status collector_sev_guest(struct attest *attest, const uint8_t field[COLLECTOR_FIELD_SIZE],
                                       struct collector_evidence *evidence, char missing[256])
{
    char path[PATH_MAX];
    if ((size_t)snprintf(path, sizeof path, "%s" DEVICE, attest->root) >= sizeof path) {
        return collector_fail(attest, ATTEST_USAGE, "the root's path is too long");
    }
    int device = open(path, O_RDWR | O_CLOEXEC);
    if (device < 0 && (errno == EACCES || errno == EPERM)) {
        return collector_fail(attest, ATTEST_TEE_FAILED, "%s is there but not for this user: run as root", path);
    }
    if (device < 0) {
        snprintf(missing, 256, "%.200s (%s)", path, strerror(errno));
        return ATTEST_NO_TEE;
    }
    enum attest_status status = collect_from(attest, device, field, evidence);
    close(device);
    return status;
}
