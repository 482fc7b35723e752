/* SPDX-License-Identifier: Apache-2.0 */
#include "server/router.h"
#include "server/replies.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static bool segment_char(char c)
{
    return isalnum((unsigned char)c) || c == '.' || c == '_' || c == '-';
}

/* Does path fit the pattern? What stands for {} goes to param. */
static bool path_fits(const char *pattern, const char *path, char param[129])
{
    for (; *pattern != '\0'; pattern++) {
        if (*pattern != '{') {
            if (*path++ != *pattern)
                return false;
            continue;
        }
        size_t len = 0;
        while (len < 128 && segment_char(path[len]))
            len++;
        if (len == 0)
            return false;
        memcpy(param, path, len);
        param[len] = '\0';
        path += len;
        pattern++; /* the closing brace */
    }
    return *path == '\0';
}

static const struct route *find_route(struct exchange *e)
{
    const char *below_v1 = strncmp(e->path, "/v1/", 4) == 0 ? e->path + 3 : NULL;
    for (unsigned i = 0; routes[i] != NULL; i++) {
        bool fits = path_fits(routes[i]->path, e->path, e->param) ||
                    (below_v1 != NULL && routes[i]->also_v1 && path_fits(routes[i]->path, below_v1, e->param));
        if (!fits)
            continue;
        e->route = i;
        return routes[i];
    }
    e->route = (unsigned)route_count();
    e->param[0] = '\0';
    return NULL;
}

static const struct route_method *find_method(const struct route *route, const struct exchange *e)
{
    const char *wanted = e->head ? "GET" : e->method;
    for (const struct route_method *m = route->methods; m->method != NULL; m++)
        if (strcmp(m->method, wanted) == 0)
            return m;
    return NULL;
}

static void reply_method_not_allowed(struct service *s, struct exchange *e, const struct route *route)
{
    char allow[64] = "";
    size_t len = 0;
    for (const struct route_method *m = route->methods; m->method != NULL && len < sizeof allow; m++)
        len += (size_t)snprintf(allow + len, sizeof allow - len, "%s%s%s", len != 0 ? ", " : "", m->method,
                                strcmp(m->method, "GET") == 0 ? ", HEAD" : "");
    exchange_header(e, "allow", allow);
    reply_problem(s, e, "METHOD_NOT_ALLOWED", NULL);
}

static bool within_rate(struct service *s, struct exchange *e)
{
    unsigned retry_after;
    if (e->peer.unix_socket || s->config->http.requests_per_second == 0)
        return true;
    if (addresses_take(s->callers, e->peer.key, s->config->http.requests_per_second, s->config->http.requests_burst, e->arrived_ns,
                       &retry_after))
        return true;
    reply_problem_later(s, e, "RATE_LIMITED", NULL, retry_after);
    return false;
}

/* May this caller use the method? Answers when not. */
static bool admitted(struct service *s, struct exchange *e, enum route_access access)
{
    if (access == ACCESS_PUBLIC)
        return true;
    if (access == ACCESS_LIMITED)
        return operators_role(s->operators, e, NULL) != ROLE_NONE || within_rate(s, e);
    const char *refusal;
    enum config_role role = operators_role(s->operators, e, &refusal);
    if (role == ROLE_NONE) {
        if (!within_rate(s, e))
            return false;
        if (strcmp(refusal, "OPERATOR_ONLY") != 0)
            exchange_header(e, "www-authenticate", "Bearer realm=\"attestd\"");
        reply_problem(s, e, refusal, NULL);
        return false;
    }
    if (access == ACCESS_WRITE && role != ROLE_WRITE) {
        reply_problem(s, e, "OPERATOR_ROLE", NULL);
        return false;
    }
    return true;
}

void router_handle(void *context, struct exchange *e)
{
    struct service *s = context;
    const struct route *route = find_route(e);
    if (route == NULL) {
        reply_problem(s, e, "NOT_FOUND", NULL);
        return;
    }
    const struct route_method *method = find_method(route, e);
    if (method == NULL) {
        reply_method_not_allowed(s, e, route);
        return;
    }
    if (admitted(s, e, method->access))
        method->handle(s, e);
}

void router_too_large(void *context, struct exchange *e, bool in_all)
{
    struct service *s = context;
    char detail[96];
    find_route(e);
    if (in_all) {
        reply_problem_later(s, e, "OVERLOADED", "the bodies of requests being received fill the space set aside for them", 1);
        return;
    }
    snprintf(detail, sizeof detail, "the body may have %zu bytes", s->config->http.body_limit);
    reply_problem(s, e, "BODY_TOO_LARGE", detail);
}
