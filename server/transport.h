/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP as the rest of the server sees it: an exchange is one request and its answer, plain data, with no type of the HTTP library in it.
 *
 * A handler is called on an event loop and must not block. It either answers at once with exchange_send(), or keeps the exchange and
 * has any other thread answer it later. An exchange whose client has gone is still answered (the answer is dropped).
 */
#ifndef ATTESTD_SERVER_TRANSPORT_H
#define ATTESTD_SERVER_TRANSPORT_H

#include "core/json.h"
#include <attestd/plugin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Who is calling: an IPv4 address, or the first 64 bits of an IPv6 address (what one host can vary is not counted apart). */
struct peer {
    uint8_t key[9];   /* 4 or 6, then the bytes; all zero for the unix socket */
    bool unix_socket; /* came through the operators' socket */
    char text[46];    /* the whole address for logs; "unix" for the socket */
};

#define EXCHANGE_HEADERS 4

/* Borrowed texts live as long as the exchange. */
struct exchange {
    /* The request. Texts are NUL-terminated; "" when absent. */
    const char *method;
    const char *path;  /* up to the '?', as sent */
    const char *query; /* behind the '?' */
    const char *content_type, *accept, *authorization, *if_match, *if_none_match;
    struct attestd_bytes body;
    struct peer peer;
    uint64_t arrived_ns; /* CLOCK_MONOTONIC */
    char id[20];         /* "rq_" and 16 hex digits: request_id */
    bool head;           /* HEAD: the answer is sent without its body */
    char param[129];     /* what stood for {} in the route's path; "" without one */
    unsigned route;      /* index of the route, for metrics */

    /* The answer, filled by whoever answers. */
    int status;
    const char *answer_type; /* static; media type */
    struct attestd_text answer;
    struct {
        const char *name; /* static, lower case */
        char value[160];
    } headers[EXCHANGE_HEADERS];
    size_t header_count;
    void *transport; /* the transport's */
};

/* Adds a header to the answer; at most EXCHANGE_HEADERS, values are cut at 159 characters. */
void exchange_header(struct exchange *, const char *name, const char *value);
/* Hands the answer to the exchange's event loop and gives the exchange up. From any thread, once. */
void exchange_send(struct exchange *);
/* True when the client is known to have gone: work for it may stop. A hint. */
bool exchange_abandoned(const struct exchange *);

struct transport_listener {
    int fd; /* listening, non-blocking; the transport owns it */
    bool tls, unix_socket;
};

struct transport_options {
    const struct transport_listener *listeners;
    size_t listener_count;
    struct ssl_ctx_st *tls; /* NULL when no listener has TLS; the transport takes a reference */
    unsigned loops;
    size_t body_limit;    /* what a handler gets; larger bodies reach `too_large` */
    size_t bodies_in_all; /* bytes of bodies held at a time, half-received ones included */
    unsigned connections, connections_per_address;
    unsigned request_seconds; /* a request not complete, or an answer not taken, after this many seconds ends its connection */
    bool http2_only;          /* over TLS, HTTP/1 is answered 505 and closed without a look at the request */

    void (*handle)(void *context, struct exchange *);
    /* The body was over a limit: in_all false: body_limit; true: the server holds too many. The body is not given. */
    void (*too_large)(void *context, struct exchange *, bool in_all);
    void *context;
};

struct transport_counts {
    uint64_t accepted, refused, requests, aborted, reaped;
    unsigned connections;
    size_t body_bytes;
};

struct transport;

/* Starts the loops' threads. NULL fills error. */
struct transport *transport_start(const struct transport_options *options, char *error, size_t error_size);
/* Lets them accept; once. What handlers use must be in place. */
void transport_serve(struct transport *);
/* New TLS settings for connections to come. */
void transport_set_tls(struct transport *, struct ssl_ctx_st *tls);
struct transport_counts transport_counts(const struct transport *);
/* Stops to accept, lets open requests end for at most `seconds`, closes. The exchanges that others still hold stay valid. */
void transport_drain(struct transport *, unsigned seconds);
/* After transport_drain(), when nobody holds an exchange any more. */
void transport_free(struct transport *);

#endif
