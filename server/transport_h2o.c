/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The transport over libh2o: the only file that includes its headers.
 *
 * libh2o 2.2.5 buffers a request whole, has no limit on the number of HTTP/2 headers, none on a stalled reader, and none on streams that
 * are opened and reset (docs/operations.md, "Exposure"). The reaper here supplies them: behind its turns each loop looks at all open
 * requests and connections and ends the connections that hold too much or take too long. The rules are in reap_request() and
 * reap_connection().
 */
#define H2O_USE_EPOLL 1
#define H2O_USE_LIBUV 0
#include <h2o.h>
#include <h2o/http1.h>
#include <h2o/http2.h>

#include "core/encoding.h"
#include "server/addresses.h"
#include "server/received_bytes.h"
#include "server/transport.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <stdatomic.h>

#if H2O_VERSION_MAJOR > 2 || (H2O_VERSION_MAJOR == 2 && H2O_VERSION_MINOR >= 3)
#define H2O_MASTER 1
#else
#define H2O_MASTER 0
#endif

#define TURN_MS 20             /* a loop turns at least this often */
#define REAP_MS 2              /* between reapings, with many connections */
#define REAP_EACH_TURN 512     /* connections of a loop, up to which it reaps behind every turn */
#define MAX_HEADERS 64         /* names and values of one request */
#define MAX_HEADER_BYTES 32768 /* of one request, uncompressed */
#define MAX_ABORTED 100        /* requests a connection may reset before they are answered, beyond half of what it was answered */
#define LIBRARY_FACTOR 4       /* the library's own body limit answers HTTP/2 with a reset that clients retry: ours comes first */
#define CONNECTION_SHARE 4     /* one connection may hold this part of bodies_in_all */
#define MAX_LOOPS 64
#define MAX_LISTENERS 4
#define TEXT_MAX 8192 /* of a header we look at; the query too */
#define PATH_MAX_LEN 1024
#define REQUEST_OVERHEAD 62   /* bytes of TLS records, frames and compressed headers that a request costs at least */
#define UNEXPLAINED_MAX 65536 /* bytes that may come while no request is open: the largest header block, and frames without a stream */

struct loop {
    h2o_context_t context;
    struct transport *transport;
    h2o_accept_ctx_t with_tls, without_tls;
    h2o_socket_t *listeners[MAX_LISTENERS];
    h2o_multithread_receiver_t answers, wake;
    h2o_linklist_t connections;
    pthread_t thread;
    unsigned open_connections, unanswered; /* this thread's */
    uint64_t reaped_at;
    atomic_size_t parked; /* bytes of half-received requests, estimated by the last reaping */
    uint64_t id_seed, id_next;
};

struct transport {
    struct transport_options options;
    struct transport_listener listeners[MAX_LISTENERS];
    h2o_globalconf_t config;
    struct loop *loops;
    struct addresses *addresses;
    pthread_barrier_t ready;
    pthread_mutex_t tls_lock;
    SSL_CTX *tls;
    atomic_uint tls_generation;
    atomic_bool draining;
    unsigned drain_seconds;
    atomic_uint connections;
    atomic_size_t bodies;
    atomic_ullong accepted, refused, requests, aborted, reaped;
};

/* Bytes received and bytes that became requests, at one moment. */
struct mark {
    uint64_t received, taken;
};

/* Hangs on the library's socket from accept to close. */
struct connection {
    h2o_linklist_t link;
    struct loop *loop;
    h2o_socket_t *socket;
    struct peer peer;
    SSL_CTX *context;       /* the library's socket points to it without a reference, until the handshake begins: not to go on a reload */
    bool tls, doomed, idle; /* idle: the last reaping saw no request */
    unsigned served, aborted, open;
    struct mark now;            /* received: as of the last reaping; taken: bytes of requests that arrived whole */
    struct mark before, latest; /* what was received before `before` can no longer be parked */
    uint64_t marked_at;
#if H2O_MASTER
    struct sockaddr_storage address;
    socklen_t address_len;
#endif
};

/* An exchange with what the transport needs to find its request again. */
struct flight {
    struct exchange exchange;
    h2o_multithread_message_t message;
    struct loop *home;
    h2o_req_t *request; /* the home loop's; NULL once the request has died */
    struct guard *guard;
    atomic_bool gone;
    size_t counted; /* bytes in transport.bodies */
};

/* Lives in the request's pool; its dispose runs when the request dies. */
struct guard {
    struct flight *flight;
};

static _Thread_local struct loop *this_loop;

/* --- connections --- */

static struct connection *connection_of(h2o_conn_t *conn)
{
#if H2O_MASTER
    /* master has no way from a request to its socket: find it by the peer's address */
    struct loop *loop = H2O_STRUCT_FROM_MEMBER(struct loop, context, conn->ctx);
    struct sockaddr_storage address = {0};
    socklen_t len = conn->callbacks->get_peername(conn, (struct sockaddr *)&address);
    for (h2o_linklist_t *at = loop->connections.next; at != &loop->connections; at = at->next) {
        struct connection *c = H2O_STRUCT_FROM_MEMBER(struct connection, link, at);
        if (c->address_len == len && memcmp(&c->address, &address, len) == 0)
            return c;
    }
    return NULL;
#else
    h2o_socket_t *socket = conn->callbacks->get_socket(conn);
    return socket == NULL ? NULL : socket->on_close.data;
#endif
}

/*
 * Ends a connection now. What it has sent and the library has not yet read must not be read any more, so a mere shutdown() would not do:
 * connect() to AF_UNSPEC (tcp(7)) resets it and empties its queues. The library finds the socket dead on its next turn and frees it.
 */
static void doom(struct connection *c)
{
    const struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
    if (c == NULL || c->doomed)
        return;
    c->doomed = true;
    atomic_fetch_add(&c->loop->transport->reaped, 1);
    int fd = h2o_socket_get_fd(c->socket);
    if (c->peer.unix_socket || connect(fd, &nowhere, sizeof nowhere) != 0)
        shutdown(fd, SHUT_RDWR);
}

static void on_close(void *data)
{
    struct connection *c = data;
    struct transport *t = c->loop->transport;
    h2o_linklist_unlink(&c->link);
    c->loop->open_connections--;
    atomic_fetch_sub(&t->connections, 1);
    if (!c->peer.unix_socket)
        addresses_disconnect(t->addresses, c->peer.key);
    SSL_CTX_free(c->context);
    free(c);
}

static void peer_of(struct peer *peer, const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)address;
        peer->key[0] = 4;
        memcpy(peer->key + 1, &in->sin_addr, 4);
        inet_ntop(AF_INET, &in->sin_addr, peer->text, sizeof peer->text);
        return;
    }
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)address;
    bool mapped = IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr);
    peer->key[0] = mapped ? 4 : 6;
    memcpy(peer->key + 1, (const uint8_t *)&in6->sin6_addr + (mapped ? 12 : 0), mapped ? 4 : 8);
    inet_ntop(AF_INET6, &in6->sin6_addr, peer->text, sizeof peer->text);
}

static const struct transport_listener *listener_of(struct loop *loop, h2o_socket_t *socket)
{
    for (size_t i = 0; i < loop->transport->options.listener_count; i++)
        if (loop->listeners[i] == socket)
            return &loop->transport->listeners[i];
    return NULL;
}

static struct connection *admit(struct loop *loop, h2o_socket_t *socket, const struct transport_listener *listener)
{
    struct transport *t = loop->transport;
    struct connection *c = calloc(1, sizeof *c);
    if (c == NULL)
        return NULL;
    struct sockaddr_storage address = {0};
    socklen_t len = h2o_socket_getpeername(socket, (struct sockaddr *)&address);
    c->peer.unix_socket = listener->unix_socket;
    if (listener->unix_socket)
        strcpy(c->peer.text, "unix");
    else
        peer_of(&c->peer, &address);
#if H2O_MASTER
    c->address = address;
    c->address_len = len;
#else
    (void)len;
#endif
    if (!listener->unix_socket && !addresses_connect(t->addresses, c->peer.key, t->options.connections_per_address)) {
        free(c);
        return NULL;
    }
    c->loop = loop;
    c->socket = socket;
    c->tls = listener->tls;
    c->context = listener->tls ? loop->with_tls.ssl_ctx : NULL;
    if (c->context != NULL)
        SSL_CTX_up_ref(c->context);
    c->marked_at = h2o_now(loop->context.loop);
    h2o_linklist_insert(&loop->connections, &c->link);
    loop->open_connections++;
    atomic_fetch_add(&t->connections, 1);
    atomic_fetch_add(&t->accepted, 1);
    return c;
}

static void on_accept(h2o_socket_t *listening, const char *error)
{
    struct loop *loop = listening->data;
    struct transport *t = loop->transport;
    const struct transport_listener *listener = listener_of(loop, listening);
    if (error != NULL || listener == NULL)
        return;
    for (int i = 0; i < 16; i++) {
        h2o_socket_t *socket = h2o_evloop_socket_accept(listening);
        if (socket == NULL)
            return;
        struct connection *c = NULL;
        /* the operators' socket works when the network's places are taken */
        if (listener->unix_socket || atomic_load(&t->connections) < t->options.connections)
            c = admit(loop, socket, listener);
        if (c == NULL) {
            atomic_fetch_add(&t->refused, 1);
            h2o_socket_close(socket);
            continue;
        }
        socket->on_close.cb = on_close;
        socket->on_close.data = c;
        h2o_accept(listener->tls ? &loop->with_tls : &loop->without_tls, socket);
    }
}

/* --- the reaper --- */

struct reaping {
    struct loop *loop;
    struct timeval now;
};

static bool headers_too_large(const h2o_req_t *request)
{
    if (request->headers.size > MAX_HEADERS)
        return true;
    size_t bytes = 0;
    for (size_t i = 0; i < request->headers.size; i++)
        bytes += request->headers.entries[i].name->len + request->headers.entries[i].value.len;
    return bytes > MAX_HEADER_BYTES;
}

/* Called for every request of the loop, half-received ones included. */
static int reap_request(h2o_req_t *request, void *context)
{
    struct reaping *reaping = context;
    struct connection *c = connection_of(request->conn);
    if (c == NULL)
        return 0;
    if (request->timestamps.request_begin_at.tv_sec == 0)
        return 0;                              /* an idle HTTP/1 connection: the library's own timeout ends it */
    c->open += request->input.method.len != 0; /* else its header block has not ended */
    long age = reaping->now.tv_sec - request->timestamps.request_begin_at.tv_sec;
    if (age >= (long)reaping->loop->transport->options.request_seconds || headers_too_large(request))
        doom(c);
    return 0;
}

/* What a connection has received and not turned into requests, as far as it can still be in memory. */
static size_t parked_bytes(const struct connection *c)
{
    uint64_t received = c->now.received - c->before.received, taken = c->now.taken - c->before.taken;
    return received > taken ? (size_t)(received - taken) : 0;
}

/* The library notes how much the last read gave; that something was read is all we take from it. */
static void look_at(struct connection *c)
{
    if (c->socket->bytes_read == 0)
        return;
    c->socket->bytes_read = 0;
    c->now.received = received_bytes(h2o_socket_get_fd(c->socket));
    if (c->now.taken > c->now.received)
        c->now.taken = c->now.received;
}

static void reap_connection(struct connection *c, uint64_t now, unsigned window_ms, size_t share)
{
    look_at(c);
    c->idle = c->open == 0;
    c->open = 0;
    if (c->idle && c->now.taken == c->latest.taken && c->now.received - c->latest.received > UNEXPLAINED_MAX)
        doom(c); /* a header block without end, or frames that ask for nothing */
    if (now - c->marked_at >= window_ms || (c->idle && c->now.taken != c->latest.taken)) {
        c->before = c->idle ? c->now : c->latest;
        c->latest = c->now;
        c->marked_at = now;
    }
    if (parked_bytes(c) > share)
        doom(c);
}

static void reap_connections(struct loop *loop, uint64_t now)
{
    struct transport *t = loop->transport;
    size_t sum = 0, most = 0, share = t->options.bodies_in_all / CONNECTION_SHARE;
    for (h2o_linklist_t *at = loop->connections.next; at != &loop->connections; at = at->next) {
        struct connection *c = H2O_STRUCT_FROM_MEMBER(struct connection, link, at);
        reap_connection(c, now, 1000u * t->options.request_seconds, share);
        size_t parked = parked_bytes(c);
        sum += parked;
        most = parked > most ? parked : most;
    }
    atomic_store(&loop->parked, sum);
    size_t all = atomic_load(&t->bodies);
    for (unsigned i = 0; i < t->options.loops; i++)
        all += atomic_load(&t->loops[i].parked);
    if (all <= t->options.bodies_in_all || most == 0)
        return;
    /* over the limit in all: those that hold most go first */
    for (h2o_linklist_t *at = loop->connections.next; at != &loop->connections; at = at->next) {
        struct connection *c = H2O_STRUCT_FROM_MEMBER(struct connection, link, at);
        if (parked_bytes(c) >= most / 2 + 1)
            doom(c);
    }
}

static void foreach_request(struct loop *loop, int (*visit)(h2o_req_t *, void *), void *context)
{
#if H2O_MASTER
    H2O_CONN_LIST_FOREACH(h2o_conn_t * conn, ({&loop->context._conns.active, &loop->context._conns.idle, &loop->context._conns.shutdown}), {
        if (conn->callbacks->foreach_request != NULL)
            conn->callbacks->foreach_request(conn, visit, context);
    });
#else
    h2o_globalconf_t *config = &loop->transport->config;
    config->http1.callbacks.foreach_request(&loop->context, visit, context);
    config->http2.callbacks.foreach_request(&loop->context, visit, context);
#endif
}

static void reap(struct loop *loop)
{
    uint64_t now = h2o_now(loop->context.loop);
    if (loop->open_connections > REAP_EACH_TURN && now - loop->reaped_at < REAP_MS)
        return;
    loop->reaped_at = now;
    struct reaping reaping = {.loop = loop};
    gettimeofday(&reaping.now, NULL);
    foreach_request(loop, reap_request, &reaping);
    reap_connections(loop, now);
}

/* --- requests --- */

static void flight_free(struct flight *f)
{
    atomic_fetch_sub(&f->home->transport->bodies, f->counted);
    attestd_text_free(&f->exchange.answer);
    free(f);
}

/* The request died before its answer: reset, closed, timed out. */
static void guard_dispose(void *data)
{
    struct guard *guard = data;
    struct flight *f = guard->flight;
    if (f == NULL)
        return;
    struct connection *c = connection_of(f->request->conn);
    atomic_fetch_add(&f->home->transport->aborted, 1);
    if (c != NULL && ++c->aborted >= MAX_ABORTED + c->served / 2)
        doom(c);
    f->request = NULL;
    f->guard = NULL;
    atomic_store(&f->gone, true);
}

static const char *reason_of(int status)
{
    static const struct {
        int status;
        const char *reason;
    } reasons[] = {
        {200, "OK"},
        {304, "Not Modified"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {406, "Not Acceptable"},
        {409, "Conflict"},
        {410, "Gone"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {415, "Unsupported Media Type"},
        {422, "Unprocessable Content"},
        {424, "Failed Dependency"},
        {428, "Precondition Required"},
        {429, "Too Many Requests"},
        {500, "Internal Server Error"},
        {503, "Service Unavailable"},
        {505, "HTTP Version Not Supported"},
    };
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "Status";
}

static void free_answer(void *data)
{
    free(*(char **)data);
}

static void add_header(h2o_req_t *request, const char *name, const char *value)
{
    h2o_iovec_t copy = h2o_strdup(&request->pool, value, strlen(value));
    h2o_add_header_by_str(&request->pool, &request->res.headers, name, strlen(name), 1, NULL, copy.base, copy.len);
}

static void write_answer(h2o_req_t *request, struct exchange *e)
{
    static h2o_generator_t generator = {NULL, NULL};
    request->res.status = e->status;
    request->res.reason = reason_of(e->status);
    request->res.content_length = e->answer.len;
    if (e->answer_type != NULL)
        add_header(request, "content-type", e->answer_type);
    for (size_t i = 0; i < e->header_count; i++)
        add_header(request, e->headers[i].name, e->headers[i].value);
    h2o_iovec_t body = h2o_iovec_init(e->answer.data, e->answer.len);
    if (e->answer.data != NULL) { /* the pool owns the text from here on: it is sent without a copy */
        char **owned = h2o_mem_alloc_shared(&request->pool, sizeof *owned, free_answer);
        *owned = e->answer.data;
        e->answer = (struct attestd_text){0};
    }
    h2o_start_response(request, &generator);
    h2o_send(request, &body, e->head || body.len == 0 ? 0 : 1, H2O_SEND_STATE_FINAL);
}

/* On the home loop. */
static void deliver(struct flight *f)
{
    f->home->unanswered--;
    h2o_req_t *request = f->request;
    if (request != NULL) {
        struct connection *c = connection_of(request->conn);
        if (c != NULL)
            c->served++;
        f->guard->flight = NULL;
        write_answer(request, &f->exchange);
    }
    flight_free(f);
}

static void on_answers(h2o_multithread_receiver_t *receiver, h2o_linklist_t *messages)
{
    (void)receiver;
    while (!h2o_linklist_is_empty(messages)) {
        struct flight *f = H2O_STRUCT_FROM_MEMBER(struct flight, message.link, messages->next);
        h2o_linklist_unlink(&f->message.link);
        deliver(f);
    }
}

void exchange_header(struct exchange *e, const char *name, const char *value)
{
    if (e->header_count == EXCHANGE_HEADERS)
        return;
    e->headers[e->header_count].name = name;
    snprintf(e->headers[e->header_count].value, sizeof e->headers[0].value, "%s", value);
    e->header_count++;
}

void exchange_send(struct exchange *e)
{
    struct flight *f = e->transport;
    if (this_loop == f->home)
        deliver(f);
    else
        h2o_multithread_send_message(&f->home->answers, &f->message);
}

bool exchange_abandoned(const struct exchange *e)
{
    const struct flight *f = e->transport;
    return atomic_load(&f->gone);
}

/* One block of memory for an exchange, filled from front to back. */
struct copying {
    char *at;
};

static struct attestd_bytes copy_in(struct copying *to, const char *from, size_t len)
{
    struct attestd_bytes copy = {(const uint8_t *)to->at, len};
    if (len != 0)
        memcpy(to->at, from, len);
    to->at[len] = '\0';
    to->at += len + 1;
    return copy;
}

/* A text of the request: "" when it is too long or has a NUL, which no route expects. */
static const char *copy_text(struct copying *to, h2o_iovec_t text, size_t max)
{
    bool good = text.len <= max && (text.len == 0 || memchr(text.base, '\0', text.len) == NULL);
    return (const char *)copy_in(to, text.base, good ? text.len : 0).data;
}

/* The value of a header; of a repeated one, all values joined as RFC 9110 5.2 joins them. */
static h2o_iovec_t header_value(h2o_req_t *request, const char *name)
{
    h2o_iovec_t value = {NULL, 0};
    ssize_t at = -1;
    while ((at = h2o_find_header_by_str(&request->headers, name, strlen(name), at)) != -1) {
        h2o_iovec_t next = request->headers.entries[at].value;
        value = value.base == NULL ? next : h2o_concat(&request->pool, value, h2o_iovec_init(H2O_STRLIT(", ")), next);
    }
    return value;
}

static void make_id(struct loop *loop, char id[20])
{
    uint64_t number = (loop->id_seed ^ loop->id_next++) * 0x9e3779b97f4a7c15u;
    uint8_t bytes[8];
    memcpy(bytes, &number, sizeof bytes);
    memcpy(id, "rq_", 3);
    attestd_hex_encode(bytes, sizeof bytes, id + 3);
}

static struct flight *flight_new(struct loop *loop, h2o_req_t *request, const struct connection *c, bool with_body)
{
    static const char *const names[] = {"content-type", "accept", "authorization", "if-match", "if-none-match"};
    h2o_iovec_t values[5];
    size_t size = sizeof(struct flight) + request->input.method.len + request->input.path.len + 16;
    for (size_t i = 0; i < 5; i++) {
        values[i] = header_value(request, names[i]);
        size += values[i].len + 1;
    }
    size_t body = with_body ? request->entity.len : 0;
    struct flight *f = malloc(size + body);
    if (f == NULL)
        h2o_fatal("no memory");
    memset(f, 0, sizeof *f);
    f->home = loop;
    f->request = request;
    f->counted = body;
    struct copying to = {(char *)(f + 1)};
    struct exchange *e = &f->exchange;
    size_t query_at = request->input.query_at == SIZE_MAX ? request->input.path.len : request->input.query_at;
    size_t query_len = request->input.path.len - query_at;
    e->method = copy_text(&to, request->input.method, 16);
    e->path = copy_text(&to, h2o_iovec_init(request->input.path.base, query_at), query_len > TEXT_MAX ? 0 : PATH_MAX_LEN);
    e->query = copy_text(&to, h2o_iovec_init(request->input.path.base + query_at + (query_len > 0), query_len - (query_len > 0)), TEXT_MAX);
    e->content_type = copy_text(&to, values[0], TEXT_MAX);
    e->accept = copy_text(&to, values[1], TEXT_MAX);
    e->authorization = copy_text(&to, values[2], TEXT_MAX);
    e->if_match = copy_text(&to, values[3], TEXT_MAX);
    e->if_none_match = copy_text(&to, values[4], TEXT_MAX);
    e->body = copy_in(&to, request->entity.base, body);
    e->peer = c->peer;
    e->head = strcmp(e->method, "HEAD") == 0;
    e->transport = f;
    make_id(loop, e->id);
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    e->arrived_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    return f;
}

/* An HTTP/1 request where only HTTP/2 is served: its framing may be read otherwise by a proxy in front, so nothing of it is looked at. */
static int refuse_version(h2o_req_t *request)
{
    static h2o_generator_t generator = {NULL, NULL};
    request->http1_is_persistent = 0;
    request->res.status = 505;
    request->res.reason = reason_of(505);
    request->res.content_length = 0;
    h2o_start_response(request, &generator);
    h2o_send(request, NULL, 0, H2O_SEND_STATE_FINAL);
    return 0;
}

static int on_request(h2o_handler_t *self, h2o_req_t *request)
{
    (void)self;
    struct loop *loop = H2O_STRUCT_FROM_MEMBER(struct loop, context, request->conn->ctx);
    struct transport *t = loop->transport;
    struct connection *c = connection_of(request->conn);
    if (c == NULL)
        return -1;
    atomic_fetch_add(&t->requests, 1);
    c->now.taken += request->entity.len + REQUEST_OVERHEAD;
    if (request->version < 0x200) { /* HTTP/1 has one request at a time: nothing else is parked */
        c->now.received = received_bytes(h2o_socket_get_fd(c->socket));
        c->now.taken = c->now.received;
    }
    if (t->options.http2_only && c->tls && request->version < 0x200)
        return refuse_version(request);
    if (headers_too_large(request))
        doom(c);

    bool large = request->entity.len > t->options.body_limit;
    size_t held = atomic_fetch_add(&t->bodies, large ? 0 : request->entity.len);
    bool full = !large && held + request->entity.len > t->options.bodies_in_all;
    if (full)
        atomic_fetch_sub(&t->bodies, request->entity.len);
    struct flight *f = flight_new(loop, request, c, !large && !full);
    struct guard *guard = h2o_mem_alloc_shared(&request->pool, sizeof *guard, guard_dispose);
    guard->flight = f;
    f->guard = guard;
    loop->unanswered++;
    if (large || full)
        t->options.too_large(t->options.context, &f->exchange, full);
    else
        t->options.handle(t->options.context, &f->exchange);
    return 0;
}

/* --- loops --- */

static void on_wake(h2o_multithread_receiver_t *receiver, h2o_linklist_t *messages)
{
    (void)receiver;
    while (!h2o_linklist_is_empty(messages))
        h2o_linklist_unlink(messages->next);
}

static void take_tls(struct loop *loop)
{
    struct transport *t = loop->transport;
    pthread_mutex_lock(&t->tls_lock);
    SSL_CTX *before = loop->with_tls.ssl_ctx;
    loop->with_tls.ssl_ctx = t->tls;
    if (t->tls != NULL)
        SSL_CTX_up_ref(t->tls);
    pthread_mutex_unlock(&t->tls_lock);
    SSL_CTX_free(before);
}

static void loop_open(struct loop *loop)
{
    struct transport *t = loop->transport;
    h2o_context_init(&loop->context, h2o_evloop_create(), &t->config);
    h2o_multithread_register_receiver(loop->context.queue, &loop->answers, on_answers);
    h2o_multithread_register_receiver(loop->context.queue, &loop->wake, on_wake);
    h2o_linklist_init_anchor(&loop->connections);
    loop->without_tls = (h2o_accept_ctx_t){.ctx = &loop->context, .hosts = t->config.hosts};
    loop->with_tls = loop->without_tls;
    take_tls(loop);
    for (size_t i = 0; i < t->options.listener_count; i++) {
        /* one queue of connections for all loops: each has its own descriptor of the same socket */
        int fd = fcntl(t->listeners[i].fd, F_DUPFD_CLOEXEC, 0);
        if (fd == -1)
            h2o_fatal("no descriptor for a listener");
        loop->listeners[i] = h2o_evloop_socket_create(loop->context.loop, fd, H2O_SOCKET_FLAG_DONT_READ);
        loop->listeners[i]->data = loop;
    }
}

static void loop_drain(struct loop *loop)
{
    struct transport *t = loop->transport;
    for (size_t i = 0; i < t->options.listener_count; i++) {
        h2o_socket_read_stop(loop->listeners[i]);
        h2o_socket_close(loop->listeners[i]);
    }
    h2o_context_request_shutdown(&loop->context); /* GOAWAY; HTTP/1 closes behind the current answer */
    uint64_t end = h2o_now(loop->context.loop) + 1000u * t->drain_seconds;
    while ((loop->open_connections != 0 || loop->unanswered != 0) && h2o_now(loop->context.loop) < end) {
        h2o_evloop_run(loop->context.loop, 20);
        reap(loop);
        if (loop->unanswered != 0)
            continue;
        /* nothing is owed any more: idle keep-alive connections need not be waited for */
        for (h2o_linklist_t *at = loop->connections.next; at != &loop->connections; at = at->next) {
            struct connection *c = H2O_STRUCT_FROM_MEMBER(struct connection, link, at);
            if (c->idle && h2o_now(loop->context.loop) + 1000u * t->drain_seconds > end + 1500)
                shutdown(h2o_socket_get_fd(c->socket), SHUT_RDWR);
        }
    }
}

static void *loop_main(void *data)
{
    struct loop *loop = data;
    struct transport *t = loop->transport;
    this_loop = loop;
    loop_open(loop);
    pthread_barrier_wait(&t->ready); /* transport_start() returns */
    pthread_barrier_wait(&t->ready); /* transport_serve() was called */
    for (size_t i = 0; i < t->options.listener_count; i++)
        h2o_socket_read_start(loop->listeners[i], on_accept);
    unsigned generation = 0;
    while (!atomic_load(&t->draining)) {
        h2o_evloop_run(loop->context.loop, TURN_MS);
        reap(loop);
        unsigned latest = atomic_load(&t->tls_generation);
        if (latest != generation) {
            take_tls(loop);
            generation = latest;
        }
    }
    loop_drain(loop);
    return NULL;
}

static void configure(struct transport *t)
{
    h2o_globalconf_t *config = &t->config;
    h2o_config_init(config);
    config->server_name = h2o_iovec_init(H2O_STRLIT("attestd"));
    config->max_request_entity_size = t->options.body_limit * LIBRARY_FACTOR;
    config->handshake_timeout = 5000;
    config->http1.req_timeout = 1000u * t->options.request_seconds;
    config->http1.upgrade_to_http2 = 0;
    config->http2.idle_timeout = 1000u * t->options.request_seconds;
    config->http2.graceful_shutdown_timeout = 3000;
    config->http2.max_concurrent_requests_per_connection = 100;
    config->http2.max_streams_for_priority = 4;
    h2o_hostconf_t *host = h2o_config_register_host(config, h2o_iovec_init(H2O_STRLIT("default")), 65535);
    h2o_create_handler(h2o_config_register_path(host, "/", 0), sizeof(h2o_handler_t))->on_req = on_request;
    h2o_create_handler(&host->fallback_path, sizeof(h2o_handler_t))->on_req = on_request;
}

struct transport *transport_start(const struct transport_options *options, char *error, size_t error_size)
{
    if (options->loops == 0 || options->loops > MAX_LOOPS || options->listener_count > MAX_LISTENERS) {
        snprintf(error, error_size, "1 to %d event loops and at most %d listeners", MAX_LOOPS, MAX_LISTENERS);
        return NULL;
    }
    struct transport *t = calloc(1, sizeof *t);
    struct loop *loops = calloc(options->loops, sizeof *loops);
    if (t == NULL || loops == NULL)
        h2o_fatal("no memory");
    t->options = *options;
    memcpy(t->listeners, options->listeners, options->listener_count * sizeof *t->listeners);
    t->loops = loops;
    t->addresses = addresses_new((size_t)options->connections + 1024);
    t->tls = options->tls;
    if (t->tls != NULL)
        SSL_CTX_up_ref(t->tls);
    pthread_mutex_init(&t->tls_lock, NULL);
    pthread_barrier_init(&t->ready, NULL, options->loops + 1);
    configure(t);
    for (unsigned i = 0; i < options->loops; i++) {
        loops[i].transport = t;
        if (RAND_bytes((unsigned char *)&loops[i].id_seed, sizeof loops[i].id_seed) != 1 ||
            pthread_create(&loops[i].thread, NULL, loop_main, &loops[i]) != 0) {
            snprintf(error, error_size, "cannot start event loop %u", i);
            return NULL; /* the start fails as a whole: the process ends */
        }
    }
    /* nobody sends to a loop before its receivers are there */
    pthread_barrier_wait(&t->ready);
    return t;
}

void transport_serve(struct transport *t)
{
    pthread_barrier_wait(&t->ready);
}

void transport_set_tls(struct transport *t, SSL_CTX *tls)
{
    pthread_mutex_lock(&t->tls_lock);
    SSL_CTX *before = t->tls;
    SSL_CTX_up_ref(tls);
    t->tls = tls;
    pthread_mutex_unlock(&t->tls_lock);
    SSL_CTX_free(before);
    atomic_fetch_add(&t->tls_generation, 1);
}

struct transport_counts transport_counts(const struct transport *t)
{
    struct transport_counts counts = {
        .accepted = atomic_load(&t->accepted),
        .refused = atomic_load(&t->refused),
        .requests = atomic_load(&t->requests),
        .aborted = atomic_load(&t->aborted),
        .reaped = atomic_load(&t->reaped),
        .connections = atomic_load(&t->connections),
        .body_bytes = atomic_load(&t->bodies),
    };
    for (unsigned i = 0; i < t->options.loops; i++)
        counts.body_bytes += atomic_load(&t->loops[i].parked);
    return counts;
}

void transport_drain(struct transport *t, unsigned seconds)
{
    t->drain_seconds = seconds;
    atomic_store(&t->draining, true);
    for (unsigned i = 0; i < t->options.loops; i++)
        h2o_multithread_send_message(&t->loops[i].wake, NULL);
    for (unsigned i = 0; i < t->options.loops; i++)
        pthread_join(t->loops[i].thread, NULL);
    for (size_t i = 0; i < t->options.listener_count; i++)
        close(t->listeners[i].fd);
}

void transport_free(struct transport *t)
{
    if (t == NULL)
        return;
    for (unsigned i = 0; i < t->options.loops; i++)
        SSL_CTX_free(t->loops[i].with_tls.ssl_ctx);
    SSL_CTX_free(t->tls);
    pthread_mutex_destroy(&t->tls_lock);
    pthread_barrier_destroy(&t->ready);
    /* The library's contexts cannot be disposed of while connections that missed the deadline hang on them; the process ends now. */
    static struct transport *last;
    last = t;
    (void)last;
}
