/* SPDX-License-Identifier: Apache-2.0 */
/* A vendor's service that misbehaves as a test wants it to: HTTP/1.1 on a loopback port, one thread a connection. What a well-behaved
 * server does is tested with nginx. */
#ifndef ATTESTD_TESTS_VENDOR_SERVER_H
#define ATTESTD_TESTS_VENDOR_SERVER_H

#include <stddef.h>

struct vendor_reply {
    int status;
    const char *headers; /* lines that end in \r\n, or NULL */
    const char *body;    /* static; NULL: `fill` bytes of x */
    size_t fill;
    unsigned delay_ms;      /* before the first byte */
    unsigned drip_ms;       /* between bytes of the body */
    size_t cut;             /* bytes of the body after which the connection closes; 0: all are sent */
    unsigned endless_lines; /* so many header lines of 1 KiB */
};

struct vendor_server;
/* Called on a thread of the connection, for each request; path with its query. number: 1 for the first request. */
typedef struct vendor_reply vendor_handler(void *context, const char *path, const char *request, unsigned number);

struct vendor_server *vendor_server_new(vendor_handler *, void *context);
void vendor_server_free(struct vendor_server *);
/* "http://127.0.0.1:<port>" */
const char *vendor_server_base(const struct vendor_server *);
unsigned vendor_server_requests(const struct vendor_server *);
unsigned vendor_server_connections(const struct vendor_server *);
unsigned vendor_server_most_at_once(const struct vendor_server *);

#endif
