/* SPDX-License-Identifier: Apache-2.0 */
#include "sdk/simulator/guest_tdx.h"

#include "sdk/simulator/der.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    REPORT_TYPE_TDX = 0x81,
    REPORT_DATA_AT = 128, /* in REPORTMACSTRUCT: type 4, reserved 12, CPUSVN 16, two hashes of 48 */
    CPUSVN_AT = 16,
    TD_INFO_AT = 512, /* attributes 8, XFAM 8, MRTD 48 ... */
    HEADER_SIZE = 16,
    REQUEST_SIZE = HEADER_SIZE + 8 + SIM_TDREPORT_SIZE,
    ANSWER = 1,
    REFUSED = 0x12001
};

struct sim_bytes sim_guest_tdx_quote(const struct sim_guest_tdx *guest, const uint8_t report_data[64])
{
    struct sim_tdx_scene scene = guest->scene;
    memcpy(scene.guest.report_data, report_data, sizeof scene.guest.report_data);
    return sim_tdx_quote(guest->vendor, &scene);
}

void sim_guest_tdx_report(const struct sim_guest_tdx *guest, const uint8_t report_data[64], uint8_t report[SIM_TDREPORT_SIZE])
{
    const struct sim_tdx_guest *td = &guest->scene.guest;
    memset(report, 0, SIM_TDREPORT_SIZE);
    report[0] = REPORT_TYPE_TDX;
    memcpy(report + CPUSVN_AT, guest->scene.pck.cpusvn, sizeof guest->scene.pck.cpusvn);
    memcpy(report + REPORT_DATA_AT, report_data, 64);
    memcpy(report + TD_INFO_AT, td->td_attributes, sizeof td->td_attributes);
    memcpy(report + TD_INFO_AT + 8, td->xfam, sizeof td->xfam);
    memcpy(report + TD_INFO_AT + 16, td->mrtd, sizeof td->mrtd);
}

/* --- The service: one request a connection, in the messages of Intel's QGS, each after its length --- */

static void put_u32(struct sim_buffer *b, size_t value)
{
    sim_put(b, (const uint8_t[]){(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16), (uint8_t)(value >> 24)}, 4);
}

static struct sim_bytes answer_to(const struct sim_guest_tdx *guest, const uint8_t request[REQUEST_SIZE])
{
    bool refused = guest->service_refuses || request[8] != (REQUEST_SIZE & 0xff) || request[HEADER_SIZE + 1] != SIM_TDREPORT_SIZE >> 8;
    struct sim_bytes quote = {NULL, 0};
    if (!refused) {
        quote = sim_guest_tdx_quote(guest, request + HEADER_SIZE + 8 + REPORT_DATA_AT);
    }
    size_t len = HEADER_SIZE + 8 + quote.len;
    struct sim_buffer answer = {0};
    sim_put(&answer, (const uint8_t[]){(uint8_t)(len >> 24), (uint8_t)(len >> 16), (uint8_t)(len >> 8), (uint8_t)len, 1, 0, 0, 0}, 8);
    put_u32(&answer, ANSWER);
    put_u32(&answer, len);
    put_u32(&answer, refused ? REFUSED : 0);
    put_u32(&answer, 0); /* no id of the key that was chosen */
    put_u32(&answer, quote.len);
    sim_put(&answer, quote.data, quote.len);
    free(quote.data);
    return sim_buffer_take(&answer);
}

struct service {
    const struct sim_guest_tdx *guest;
    int listener;
};

static void serve_one(const struct service *service, int fd)
{
    uint8_t request[4 + REQUEST_SIZE];
    if (recv(fd, request, sizeof request, MSG_WAITALL) != (ssize_t)sizeof request) {
        return;
    }
    struct sim_bytes answer = answer_to(service->guest, request + 4);
    if (answer.data) {
        send(fd, answer.data, service->guest->service_cut ? answer.len / 2 : answer.len, MSG_NOSIGNAL);
    }
    free(answer.data);
}

static void *serve(void *context)
{
    const struct service *service = context;
    for (int fd; (fd = accept4(service->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0;) {
        serve_one(service, fd);
        close(fd);
    }
    return NULL;
}

bool sim_guest_tdx_serve(const struct sim_guest_tdx *guest, const char *path)
{
    static struct service service;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    pthread_t thread;
    if ((size_t)snprintf(address.sun_path, sizeof address.sun_path, "%s", path) >= sizeof address.sun_path) {
        return false;
    }
    unlink(path);
    service = (struct service){guest, socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    return service.listener >= 0 && bind(service.listener, (struct sockaddr *)&address, sizeof address) == 0 &&
           listen(service.listener, 8) == 0 && pthread_create(&thread, NULL, serve, &service) == 0 && pthread_detach(thread) == 0;
}
