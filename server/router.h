/* SPDX-License-Identifier: Apache-2.0 */
/* From a request's path and method to the route's handler. Paths match exactly; a {} stands for one segment of [A-Za-z0-9._-]{1,128}. */
#ifndef ATTESTD_SERVER_ROUTER_H
#define ATTESTD_SERVER_ROUTER_H

#include "server/service.h"

enum route_access {
    ACCESS_PUBLIC,  /* anyone */
    ACCESS_LIMITED, /* anyone, at the rate of http.requests_per_second */
    ACCESS_READ,    /* operators */
    ACCESS_WRITE    /* operators with role write */
};

struct route_method {
    const char *method; /* GET also answers HEAD; NULL ends the list */
    void (*handle)(struct service *, struct exchange *);
    enum route_access access;
};

struct route {
    const char *path; /* "/challenge" */
    bool also_v1;     /* stands under /v1 too */
    struct route_method methods[4];
};

/* All routes; NULL-terminated (server/routes.c). */
extern const struct route *const routes[];
size_t route_count(void);

/* The transport's handlers; context is the service. */
void router_handle(void *context, struct exchange *);
void router_too_large(void *context, struct exchange *, bool in_all);

#endif
