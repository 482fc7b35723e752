/* SPDX-License-Identifier: Apache-2.0 */
#include "vendor_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MOST_CONNECTIONS 512u

struct vendor_server {
    vendor_handler *handler;
    void *context;
    int listener;
    char base[64];
    pthread_t acceptor;
    pthread_mutex_t lock;
    bool stopping;
    int sockets[MOST_CONNECTIONS]; /* -1: closed */
    pthread_t threads[MOST_CONNECTIONS];
    unsigned connections, requests, busy, most_at_once;
};

struct connection {
    struct vendor_server *server;
    unsigned index;
    int socket;
};

static void pause_ms(unsigned ms)
{
    const struct timespec time = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
    nanosleep(&time, NULL);
}

static bool send_all(int socket, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t sent = send(socket, bytes, len, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        bytes += sent;
        len -= (size_t)sent;
    }
    return true;
}

static bool send_body(int socket, const struct vendor_reply *reply, size_t len)
{
    char filling[4096];
    memset(filling, 'x', sizeof filling);
    size_t end = reply->cut != 0 && reply->cut < len ? reply->cut : len;
    size_t step = reply->drip_ms > 0 ? 1 : sizeof filling;
    for (size_t at = 0; at < end; at += step) {
        size_t part = end - at < step ? end - at : step;
        if (!send_all(socket, reply->body != NULL ? reply->body + at : filling, part))
            return false;
        if (reply->drip_ms > 0)
            pause_ms(reply->drip_ms);
    }
    return end == len;
}

static bool answer(int socket, const struct vendor_reply *reply)
{
    size_t len = reply->body != NULL ? strlen(reply->body) : reply->fill;
    char head[1024], line[1025];
    pause_ms(reply->delay_ms);
    int head_len = snprintf(head, sizeof head, "HTTP/1.1 %d Said\r\nContent-Length: %zu\r\n%s", reply->status, len,
                            reply->headers != NULL ? reply->headers : "");
    if (!send_all(socket, head, (size_t)head_len))
        return false;
    memset(line, 'h', sizeof line - 1);
    memcpy(line, "X-Pad: ", 7);
    memcpy(line + sizeof line - 3, "\r\n", 2);
    for (unsigned i = 0; i < reply->endless_lines; i++)
        if (!send_all(socket, line, sizeof line - 1))
            return false;
    return send_all(socket, "\r\n", 2) && send_body(socket, reply, len);
}

static bool read_request(int socket, char *text, size_t size)
{
    size_t len = 0;
    text[0] = 0;
    while (strstr(text, "\r\n\r\n") == NULL) {
        ssize_t got = len + 1 < size ? recv(socket, text + len, size - 1 - len, 0) : 0;
        if (got <= 0)
            return false;
        len += (size_t)got;
        text[len] = 0;
    }
    return true;
}

static struct vendor_reply decide(struct vendor_server *server, const char *request)
{
    char path[2048] = "";
    sscanf(request, "GET %2047s", path);
    pthread_mutex_lock(&server->lock);
    unsigned number = ++server->requests;
    if (++server->busy > server->most_at_once)
        server->most_at_once = server->busy;
    pthread_mutex_unlock(&server->lock);
    return server->handler(server->context, path, request, number);
}

static void *serve(void *context)
{
    struct connection connection = *(struct connection *)context;
    struct vendor_server *server = connection.server;
    free(context);
    char request[8192];
    bool open = true;
    while (open && read_request(connection.socket, request, sizeof request)) {
        const struct vendor_reply reply = decide(server, request);
        open = answer(connection.socket, &reply);
        pthread_mutex_lock(&server->lock);
        server->busy--;
        pthread_mutex_unlock(&server->lock);
    }
    pthread_mutex_lock(&server->lock);
    close(connection.socket);
    server->sockets[connection.index] = -1;
    pthread_mutex_unlock(&server->lock);
    return NULL;
}

static void *accept_all(void *context)
{
    struct vendor_server *server = context;
    for (;;) {
        int socket = accept(server->listener, NULL, NULL);
        pthread_mutex_lock(&server->lock);
        bool stop = socket < 0 || server->stopping || server->connections == MOST_CONNECTIONS;
        struct connection *connection = stop ? NULL : malloc(sizeof *connection);
        if (connection != NULL) {
            unsigned index = server->connections++;
            *connection = (struct connection){server, index, socket};
            server->sockets[index] = socket;
            pthread_create(&server->threads[index], NULL, serve, connection);
        }
        pthread_mutex_unlock(&server->lock);
        if (connection == NULL) {
            if (socket >= 0)
                close(socket);
            return NULL;
        }
    }
}

struct vendor_server *vendor_server_new(vendor_handler *handler, void *context)
{
    struct vendor_server *server = calloc(1, sizeof *server);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    server->handler = handler;
    server->context = context;
    pthread_mutex_init(&server->lock, NULL);
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(server->listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(server->listener, 128) != 0 ||
        getsockname(server->listener, (struct sockaddr *)&address, &len) != 0)
        abort();
    snprintf(server->base, sizeof server->base, "http://127.0.0.1:%u", ntohs(address.sin_port));
    if (pthread_create(&server->acceptor, NULL, accept_all, server) != 0)
        abort();
    return server;
}

void vendor_server_free(struct vendor_server *server)
{
    pthread_mutex_lock(&server->lock);
    server->stopping = true;
    for (unsigned i = 0; i < server->connections; i++)
        if (server->sockets[i] >= 0)
            shutdown(server->sockets[i], SHUT_RDWR);
    pthread_mutex_unlock(&server->lock);
    shutdown(server->listener, SHUT_RDWR);
    pthread_join(server->acceptor, NULL);
    for (unsigned i = 0; i < server->connections; i++)
        pthread_join(server->threads[i], NULL);
    close(server->listener);
    pthread_mutex_destroy(&server->lock);
    free(server);
}

const char *vendor_server_base(const struct vendor_server *server)
{
    return server->base;
}

static unsigned read_locked(const struct vendor_server *server, const unsigned *number)
{
    pthread_mutex_t *lock = (pthread_mutex_t *)(void *)&server->lock;
    pthread_mutex_lock(lock);
    unsigned value = *number;
    pthread_mutex_unlock(lock);
    return value;
}

unsigned vendor_server_requests(const struct vendor_server *server)
{
    return read_locked(server, &server->requests);
}

unsigned vendor_server_connections(const struct vendor_server *server)
{
    return read_locked(server, &server->connections);
}

unsigned vendor_server_most_at_once(const struct vendor_server *server)
{
    return read_locked(server, &server->most_at_once);
}
