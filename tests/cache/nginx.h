/* SPDX-License-Identifier: Apache-2.0 */
/* A real nginx on a loopback port that serves a folder as KDS serves its tree (the query is no part of a file's name). */
#ifndef ATTESTD_TESTS_NGINX_H
#define ATTESTD_TESTS_NGINX_H

#include <stdbool.h>

struct nginx;

/* Files come from <folder>/kds; everything nginx writes goes below folder. NULL: nginx is not installed. */
struct nginx *nginx_new(const char *folder, bool tls);
/* Ends it first when it runs. */
void nginx_free(struct nginx *);
/* On the same port each time. http: lines for the http block, server: for the server block; both may be "". */
void nginx_start(struct nginx *, const char *http, const char *server);
void nginx_stop(struct nginx *);
/* "http://127.0.0.1:<port>" */
const char *nginx_base(const struct nginx *);
/* Self-signed certificate, with tls. */
const char *nginx_certificate(const struct nginx *);
/* Requests so far whose path contains the text. */
unsigned nginx_requests(const struct nginx *, const char *text);

#endif
