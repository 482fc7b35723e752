/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /dev/tdx_guest (Documentation/virt/coco/tdx-guest.rst), for kernels before configfs-tsm: the TDREPORT, which the quote generation service
 * of the host makes into a quote. The service has no part in what the quote proves: whatever it answers, the verifier checks.
 */
#include "sdk/collector/collector.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>
/* wants <sys/socket.h> before it on older kernels' headers */
#include <linux/vm_sockets.h>

#define DEVICE "/dev/tdx_guest"
#define LOCAL_SERVICE "/run/tdx-qgs/qgs.socket"
#define SERVICE_NAME "the quote generation service"

enum {
    TDREPORT_SIZE = 1024,
    SERVICE_PORT = 4050,
    SERVICE_PATIENCE = 30, /* seconds for each read and write */
    FRAME_SIZE = 4,        /* the length of a message, big-endian, before it */
    HEADER_SIZE = 16,      /* u16 major, u16 minor, u32 type, u32 size, u32 error, little-endian as all that follows */
    BODY_AT = HEADER_SIZE + 8,
    REQUEST_SIZE = BODY_AT + TDREPORT_SIZE,
    GET_QUOTE_REQUEST = 0,
    GET_QUOTE_ANSWER = 1,
    QUOTE_MOST = 65536
};

/* The kernel's interface; written out, because the header is younger than the systems this is built on. */
struct report_request {
    uint8_t report_data[COLLECTOR_FIELD_SIZE];
    uint8_t report[TDREPORT_SIZE];
};
#define TDX_GET_REPORT _IOWR('T', 1, struct report_request)

static uint32_t get_u32(const uint8_t *at)
{
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static void put_u32(uint8_t *at, uint32_t value)
{
    for (size_t i = 0; i < 4; i++) {
        at[i] = (uint8_t)(value >> (8 * i));
    }
}

/* --- The service --- */

static int connect_to(int family, const void *address, socklen_t len)
{
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval patience = {.tv_sec = SERVICE_PATIENCE};
    if (fd < 0) {
        return -1;
    }
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0 &&
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) == 0 && connect(fd, address, len) == 0) {
        return fd;
    }
    int why = errno;
    close(fd);
    errno = why;
    return -1;
}

/* A socket in the file system where there is one, else port 4050 of the host; -1 with errno set. */
static int connect_to_service(const struct attest *attest)
{
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    if ((size_t)snprintf(local.sun_path, sizeof local.sun_path, "%s" LOCAL_SERVICE, attest->root) < sizeof local.sun_path &&
        access(local.sun_path, F_OK) == 0) {
        return connect_to(AF_UNIX, &local, sizeof local);
    }
    struct sockaddr_vm host = {.svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_HOST, .svm_port = SERVICE_PORT};
    return connect_to(AF_VSOCK, &host, sizeof host);
}

static bool send_all(int fd, const uint8_t *bytes, size_t len)
{
    while (len > 0) {
        ssize_t sent = send(fd, bytes, len, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) {
            continue;
        }
        if (sent <= 0) {
            return false;
        }
        bytes += sent;
        len -= (size_t)sent;
    }
    return true;
}

static bool receive_all(int fd, uint8_t *bytes, size_t len)
{
    while (len > 0) {
        ssize_t got = recv(fd, bytes, len, 0);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            errno = got == 0 ? ECONNRESET : errno;
            return false;
        }
        bytes += got;
        len -= (size_t)got;
    }
    return true;
}

static bool send_request(int fd, const uint8_t report[TDREPORT_SIZE])
{
    uint8_t message[FRAME_SIZE + REQUEST_SIZE] = {0, 0, (uint8_t)(REQUEST_SIZE >> 8), (uint8_t)(REQUEST_SIZE & 0xff), 1};
    uint8_t *header = message + FRAME_SIZE;
    put_u32(header + 4, GET_QUOTE_REQUEST);
    put_u32(header + 8, REQUEST_SIZE);
    put_u32(header + HEADER_SIZE, TDREPORT_SIZE); /* after it the length of a list of key ids: none, so any */
    memcpy(header + BODY_AT, report, TDREPORT_SIZE);
    return send_all(fd, message, sizeof message);
}

/* The quote inside an answer: behind the id of the key that was chosen. NULL when the message is not as long as it says. */
static const uint8_t *find_quote(const uint8_t *message, size_t len, size_t *quote_len)
{
    if (len < BODY_AT || get_u32(message + 4) != GET_QUOTE_ANSWER || get_u32(message + 8) != len) {
        return NULL;
    }
    size_t id_len = get_u32(message + HEADER_SIZE);
    *quote_len = get_u32(message + HEADER_SIZE + 4);
    if (id_len > len - BODY_AT || *quote_len != len - BODY_AT - id_len || *quote_len == 0) {
        return NULL;
    }
    return message + BODY_AT + id_len;
}

static enum attest_status read_answer(struct attest *attest, int fd, struct collector_evidence *evidence)
{
    uint8_t frame[FRAME_SIZE];
    if (!receive_all(fd, frame, sizeof frame)) {
        return collector_fail(attest, ATTEST_TEE_FAILED, SERVICE_NAME " gives no answer: %s", strerror(errno));
    }
    size_t len = (size_t)frame[0] << 24 | (size_t)frame[1] << 16 | (size_t)frame[2] << 8 | frame[3];
    uint8_t *message = len >= HEADER_SIZE && len <= QUOTE_MOST ? malloc(len) : NULL;
    if (!message || !receive_all(fd, message, len)) {
        free(message);
        return collector_fail(attest, ATTEST_TEE_FAILED, SERVICE_NAME " gives an answer that is cut short or too long (%zu bytes)", len);
    }
    size_t quote_len = 0;
    const uint8_t *quote = find_quote(message, len, &quote_len);
    uint32_t error = get_u32(message + 12);
    evidence->report = quote && error == 0 ? malloc(quote_len) : NULL;
    if (evidence->report) {
        memcpy(evidence->report, quote, quote_len);
        evidence->report_len = quote_len;
        evidence->type = "tdx";
    }
    free(message);
    if (error) {
        return collector_fail(attest, ATTEST_TEE_FAILED, SERVICE_NAME " refuses: error 0x%x", error);
    }
    return evidence->report ? ATTEST_OK : collector_fail(attest, ATTEST_TEE_FAILED, SERVICE_NAME " gives no quote");
}

static enum attest_status quote_of(struct attest *attest, const uint8_t report[TDREPORT_SIZE], struct collector_evidence *evidence)
{
    int fd = connect_to_service(attest);
    if (fd < 0) {
        return collector_fail(attest, ATTEST_TEE_FAILED,
                              DEVICE " gives a report, but " SERVICE_NAME " (%s" LOCAL_SERVICE ", or port %d of the host over vsock) "
                                     "cannot be reached: %s",
                              attest->root, SERVICE_PORT, strerror(errno));
    }
    enum attest_status status = send_request(fd, report)
                                    ? read_answer(attest, fd, evidence)
                                    : collector_fail(attest, ATTEST_TEE_FAILED, SERVICE_NAME " takes no request: %s", strerror(errno));
    close(fd);
    return status;
}

/* --- The device --- */

static int get_report(int device, struct report_request *request)
{
    int why = 0;
    for (unsigned attempt = 0; attempt < COLLECTOR_ATTEMPTS; attempt++) {
        if (attempt) {
            collector_pause(attempt);
        }
        why = ioctl(device, TDX_GET_REPORT, request) == 0 ? 0 : errno;
        if (why != EAGAIN && why != EBUSY && why != EINTR) {
            break;
        }
    }
    return why;
}

enum attest_status collector_tdx_guest(struct attest *attest, const uint8_t field[COLLECTOR_FIELD_SIZE],
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
    struct report_request request = {0};
    memcpy(request.report_data, field, COLLECTOR_FIELD_SIZE);
    int why = get_report(device, &request);
    close(device);
    if (why) {
        return collector_fail(attest, ATTEST_TEE_FAILED, DEVICE " gives no report: %s", strerror(why));
    }
    return quote_of(attest, request.report, evidence);
}

/* --- The firmware's event log --- */

#define TABLE "/sys/firmware/acpi/tables/CCEL"
#define LOG "/sys/firmware/acpi/tables/data/CCEL"

/*
 * The area is as long as the firmware made it, and filled up with ones or zeros behind the last event. Most of that is left out; some is
 * kept, for the last event's own bytes may be the same.
 */
static size_t used_part(const uint8_t *log, size_t len)
{
    size_t used = len;
    while (used > 0 && log[used - 1] == log[len - 1] && (log[len - 1] == 0 || log[len - 1] == 0xff)) {
        used--;
    }
    return len - used > 4096 ? used + 4096 : len;
}

void collector_add_event_log(const struct attest *attest, struct collector_evidence *evidence)
{
    char table[PATH_MAX], log[PATH_MAX];
    if (strcmp(evidence->type, "tdx") != 0 || (size_t)snprintf(table, sizeof table, "%s" TABLE, attest->root) >= sizeof table ||
        (size_t)snprintf(log, sizeof log, "%s" LOG, attest->root) >= sizeof log) {
        return;
    }
    /* Without it the quote stands on its own: a policy that wants the log says so. */
    size_t len = 0;
    evidence->ccel = collector_read_file(log, COLLECTOR_MAX_LOG, &len);
    if (!evidence->ccel) {
        return;
    }
    evidence->ccel_len = used_part(evidence->ccel, len);
    evidence->ccel_table = collector_read_file(table, COLLECTOR_MAX_BLOB, &evidence->ccel_table_len);
}
