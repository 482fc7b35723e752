/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starts a server and prints the milliseconds until its first answer over TLS:
 *
 *   bench-first-answer PORT PROGRAM [ARGUMENT]...
 *
 * The answer to GET /livez on 127.0.0.1:PORT is what counts. The server is ended with SIGTERM afterwards.
 */
#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int connected(uint16_t port)
{
    const struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (s >= 0 && connect(s, (const struct sockaddr *)&address, sizeof address) == 0)
        return s;
    if (s >= 0)
        close(s);
    return -1;
}

static bool answered(SSL_CTX *context, int s)
{
    static const char request[] = "GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
    char answer[64] = "";
    SSL *ssl = SSL_new(context);
    bool good = ssl && SSL_set_fd(ssl, s) == 1 && SSL_connect(ssl) == 1 && SSL_write(ssl, request, sizeof request - 1) > 0 &&
                SSL_read(ssl, answer, sizeof answer - 1) > 0 && strncmp(answer, "HTTP/1.1 200", 12) == 0;
    SSL_free(ssl);
    close(s);
    return good;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fputs("usage: bench-first-answer PORT PROGRAM [ARGUMENT]...\n", stderr);
        return 64;
    }
    uint16_t port = (uint16_t)strtoul(argv[1], NULL, 10);
    SSL_CTX *context = SSL_CTX_new(TLS_client_method()); /* nothing is trusted or sent: only the time counts */
    const struct timespec pause = {0, 200000};
    int64_t start = now(), end = start + INT64_C(10000000000);
    pid_t server = fork();
    if (server == 0) {
        execvp(argv[2], argv + 2);
        perror(argv[2]);
        _exit(70);
    }
    bool good = false;
    int s;
    while (!good && now() < end && waitpid(server, NULL, WNOHANG) == 0)
        if ((s = connected(port)) < 0 || !(good = answered(context, s)))
            nanosleep(&pause, NULL);
    double milliseconds = (double)(now() - start) / 1e6;
    kill(server, SIGTERM);
    waitpid(server, NULL, 0);
    SSL_CTX_free(context);
    if (!good) {
        fputs("bench: the server gave no answer\n", stderr);
        return 70;
    }
    printf("%.1f\n", milliseconds);
    return 0;
}
