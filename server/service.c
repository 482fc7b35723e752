/* SPDX-License-Identifier: Apache-2.0 */
#include "server/service.h"
#include "core/problem.h"
#include "core/signature.h"
#include "policy/document.h"
#include "policy/trust_anchors.h"
#include "server/audit.h"
#include "server/job_queue.h"
#include "server/log.h"
#include "server/records.h"
#include "server/router.h"
#include "server/signer.h"
#include "server/tls.h"
#include "server/verification.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define DEVELOPMENT_ISSUER "https://development.invalid"
#define SPENT_MARGIN 60       /* seconds a spent challenge is remembered beyond its life */
#define RECEIVE_BUFFER 32768  /* bytes (the kernel doubles it): bounds what one turn of a loop reads of one connection */
#define SPARE_DESCRIPTORS 128 /* stores, listeners, logs, vendors */
#define PRUNE_EVERY 10        /* seconds */

static bool fail(char *error, size_t error_size, const char *what, const char *path)
{
    snprintf(error, error_size, "%s %s: %s", what, path, strerror(errno));
    return false;
}

/* --- engine and anchors --- */

/* <folder of this program>/../<name>, where a build tree keeps it; else the installed place. */
static const char *place_of(const char *name, const char *installed, char path[PATH_MAX])
{
    char self[PATH_MAX];
    struct stat status;
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    if (len <= 0)
        return installed;
    self[len] = '\0';
    char *slash = strrchr(self, '/');
    if (slash == NULL)
        return installed;
    *slash = '\0';
    if (snprintf(path, PATH_MAX, "%s/../%s", self, name) >= PATH_MAX || stat(path, &status) != 0)
        return installed;
    return path;
}

static bool load_plugins(struct service *s, char *error, size_t error_size)
{
    char built[PATH_MAX];
    const char *directory = s->config->plugin_directory;
    if (directory == NULL)
        directory = place_of("plugins", ATTESTD_PLUGIN_DIR, built);
    s->engine = attestd_engine_new();
    attestd_engine_memo_limit(s->engine, s->config->memo_limit);
    for (size_t i = 0; i < s->config->plugin_count; i++)
        if (!attestd_engine_load(s->engine, directory, s->config->plugins[i], error, error_size))
            return false;
    return true;
}

static bool add_anchors(struct service *s, const struct config_anchor *anchors, size_t count, bool simulated, char *error,
                        size_t error_size)
{
    struct attestd_arena *arena = attestd_arena_new();
    bool good = true;
    for (size_t i = 0; good && i < count; i++) {
        struct attestd_bytes bytes;
        good = attestd_file_read(arena, anchors[i].file, 65536, &bytes, error, error_size);
        if (good && !attestd_anchor_set_add_certificate(s->anchors, anchors[i].purpose, bytes.data, bytes.len, simulated)) {
            snprintf(error, error_size, "%s: not one certificate in PEM or DER", anchors[i].file);
            good = false;
        }
    }
    attestd_arena_free(arena);
    return good;
}

static bool load_anchors(struct service *s, char *error, size_t error_size)
{
    char built[PATH_MAX];
    const struct config *c = s->config;
    const char *directory = c->anchor_directory;
    struct attestd_policy_fault fault = {0};
    if (directory == NULL)
        directory = place_of("trust-anchors", ATTESTD_TRUST_ANCHOR_DIR, built);
    s->anchors = attestd_anchor_set_new();
    if (!attestd_trust_anchors_load(s->anchors, directory, &fault)) {
        snprintf(error, error_size, "%s:%u:%u: %s", fault.file, fault.line, fault.column, fault.message);
        return false;
    }
    if (!add_anchors(s, c->own_anchors, c->own_anchor_count, false, error, error_size))
        return false;
    if (s->simulated && !add_anchors(s, c->development_anchors, c->development_anchor_count, true, error, error_size))
        return false;
    if (!s->simulated && c->has_development)
        log_line(LOG_AT_WARNING, "development_ignored", "the section `development` counts with --development only");
    attestd_anchor_set_seal(s->anchors);
    return true;
}

/* --- stores --- */

static bool open_store(struct service *s, const char *name, size_t max_size, struct attestd_store **store, char *error, size_t error_size)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", s->config->state_directory, name);
    const struct attestd_store_options options = {.path = path, .max_size = max_size};
    *store = attestd_store_open(&options, error, error_size);
    return *store != NULL;
}

static bool open_stores(struct service *s, char *error, size_t error_size)
{
    const struct config *c = s->config;
    if (mkdir(c->state_directory, 0700) != 0 && errno != EEXIST)
        return fail(error, error_size, "state directory", c->state_directory);
    return open_store(s, "cache.mdb", c->cache_limit, &s->cache, error, error_size) &&
           open_store(s, "state.mdb", c->state_limit, &s->state, error, error_size) &&
           /* room beside the kept records for what is being dropped */
           open_store(s, "records.mdb", c->records.max * 2, &s->record_store, error, error_size);
}

static bool open_endorsements(struct service *s, char *error, size_t error_size)
{
    struct attestd_endorsements_options options = s->config->endorsements;
    options.engine = s->engine;
    options.anchors = s->anchors;
    options.cache = s->cache;
    options.state = s->state;
    s->endorsements = attestd_endorsements_new(&options, error, error_size);
    return s->endorsements != NULL;
}

/* --- challenges --- */

static bool open_spent(struct service *s, char *error, size_t error_size)
{
    const struct config *c = s->config;
    unsigned seconds = c->challenge.ttl + SPENT_MARGIN;
#ifdef ATTESTD_WITH_HIREDIS
    if (c->challenge.redis) {
        const struct spent_redis_options options = {.host = c->challenge.redis_host,
                                                    .socket = c->challenge.redis_socket,
                                                    .password_file = c->challenge.redis_password_file,
                                                    .prefix = c->challenge.redis_prefix,
                                                    .port = c->challenge.redis_port,
                                                    .seconds = seconds};
        s->spent = spent_redis(&options, error, error_size);
        return s->spent != NULL;
    }
#endif
    (void)error;
    (void)error_size;
    s->spent = spent_local(c->challenge.capacity, seconds);
    return true;
}

static bool open_challenges(struct service *s, char *error, size_t error_size)
{
    const struct config *c = s->config;
    if (c->challenge.key_file_count != 0)
        s->challenges = challenges_shared(c->challenge.ttl, c->challenge.key_files, c->challenge.key_file_count, error, error_size);
    else if ((s->challenges = challenges_new(c->challenge.ttl)) == NULL)
        snprintf(error, error_size, "no randomness for the challenge key");
    return s->challenges != NULL && open_spent(s, error, error_size);
}

/* --- open --- */

static void open_metrics(struct service *s)
{
    static const char *paths[32];
    const char *types[16];
    size_t count = attestd_engine_plugin_count(s->engine);
    for (size_t i = 0; i < route_count(); i++)
        paths[i] = routes[i]->path;
    for (size_t i = 0; i < count && i < 16; i++)
        types[i] = attestd_engine_plugin_at(s->engine, i)->name;
    s->metrics = metrics_new(paths, route_count(), types, count < 16 ? count : 16);
}

static bool default_policy_exists(struct service *s, char *error, size_t error_size)
{
    struct policy_snapshot *snapshot = policies_take(s->policies);
    const char *name = s->config->default_policy;
    bool exists = name == NULL || policy_snapshot_find(snapshot, name) != NULL;
    policy_snapshot_release(snapshot);
    if (!exists)
        snprintf(error, error_size, "policy.default: there is no policy %s", name);
    return exists;
}

bool service_open(struct service *s, const struct config *c, bool development, char *error, size_t error_size)
{
    *s = (struct service){.config = c, .simulated = development};
    s->issuer = development ? DEVELOPMENT_ISSUER : c->issuer;
    s->base_url = development && c->base_url == c->issuer ? DEVELOPMENT_ISSUER : c->base_url;
    if (!load_plugins(s, error, error_size) || !load_anchors(s, error, error_size) || !open_stores(s, error, error_size) ||
        !open_endorsements(s, error, error_size) || !open_challenges(s, error, error_size))
        return false;
    if (c->key_tables)
        attestd_key_tables_enable(true, 256);
    s->operators = operators_new(c->operators, c->operator_count);
    s->callers = addresses_new(65536);
    open_metrics(s);
    s->records = records_new(s->record_store, c->records.keep, c->records.seconds, c->records.max);
    s->policies = policies_open(s->engine, s->anchors, c->policy_directory, s->state, error, error_size);
    if (s->policies == NULL || !default_policy_exists(s, error, error_size) ||
        (s->audit = audit_open(c->audit_file, error, error_size)) == NULL)
        return false;
    s->signer = signer_open(development ? NULL : c->key_file, development ? NULL : c->key_directory, error, error_size);
    if (s->signer == NULL)
        return false;
    s->queue = job_queue_start(c->workers, c->queue_length, verification_work);
    return true;
}

/* --- listeners --- */

static int bind_and_listen(const struct sockaddr *address, socklen_t len, bool v6)
{
    int on = 1, size = RECEIVE_BUFFER;
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd == -1)
        return -1;
    if (address->sa_family != AF_UNIX) {
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    }
    if (v6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (bind(fd, address, len) == 0 && listen(fd, 1024) == 0)
        return fd;
    int reason = errno;
    close(fd);
    errno = reason;
    return -1;
}

static int listen_on(const struct config_listen *l)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)l->port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)l->port)};
    if (inet_pton(AF_INET, l->address, &v4.sin_addr) == 1)
        return bind_and_listen((struct sockaddr *)&v4, sizeof v4, false);
    inet_pton(AF_INET6, l->address, &v6.sin6_addr);
    return bind_and_listen((struct sockaddr *)&v6, sizeof v6, true);
}

static int port_of(int fd)
{
    struct sockaddr_storage address = {0};
    socklen_t len = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &len) != 0)
        return 0;
    return ntohs(address.ss_family == AF_INET ? ((struct sockaddr_in *)(void *)&address)->sin_port
                                              : ((struct sockaddr_in6 *)(void *)&address)->sin6_port);
}

/* The operators' socket: whoever may open it is an operator, so it is the owner's alone from its first moment. */
static int listen_unix(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stat status;
    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(address.sun_path, path);
    if (lstat(path, &status) == 0 && S_ISSOCK(status.st_mode)) {
        int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        bool alive = probe != -1 && connect(probe, (struct sockaddr *)&address, sizeof address) == 0;
        if (probe != -1)
            close(probe);
        if (alive) {
            errno = EADDRINUSE; /* another attestd */
            return -1;
        }
        unlink(path); /* of a process that is gone */
    }
    mode_t mask = umask(0177);
    int fd = bind_and_listen((struct sockaddr *)&address, sizeof address, false);
    umask(mask);
    return fd;
}

static bool open_listeners(struct service *s, struct transport_listener *listeners, size_t *count, char *error, size_t error_size)
{
    const struct config *c = s->config;
    for (size_t i = 0; i < c->listen_count; i++) {
        int fd = listen_on(&c->listen[i]);
        if (fd == -1) {
            snprintf(error, error_size, "cannot listen on %s port %d: %s", c->listen[i].address, c->listen[i].port, strerror(errno));
            return false;
        }
        listeners[(*count)++] = (struct transport_listener){fd, c->listen[i].tls, false};
        log_line(LOG_AT_INFO, "listening", "%s://%s:%d", c->listen[i].tls ? "https" : "http", c->listen[i].address, port_of(fd));
    }
    if (*c->operator_socket == '\0')
        return true;
    int fd = listen_unix(c->operator_socket);
    if (fd == -1)
        return fail(error, error_size, "operators' socket", c->operator_socket);
    listeners[(*count)++] = (struct transport_listener){fd, false, true};
    return true;
}

/* A descriptor a connection, and some for files and vendors: as many as the system grants. Returns the connections there is room for. */
static unsigned room_for_connections(unsigned wanted)
{
    struct rlimit limit;
    rlim_t need = (rlim_t)wanted + SPARE_DESCRIPTORS;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return wanted;
    if (limit.rlim_cur < need && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max == RLIM_INFINITY || limit.rlim_max > need ? need : limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
        getrlimit(RLIMIT_NOFILE, &limit);
    }
    if (limit.rlim_cur >= need)
        return wanted;
    unsigned room = limit.rlim_cur > 2 * SPARE_DESCRIPTORS ? (unsigned)limit.rlim_cur - SPARE_DESCRIPTORS : SPARE_DESCRIPTORS;
    log_line(LOG_AT_WARNING, "descriptors", "the limit of open files (%llu) leaves room for %u connections, not %u",
             (unsigned long long)limit.rlim_cur, room, wanted);
    return room;
}

bool service_listen(struct service *s, char *error, size_t error_size)
{
    const struct config *c = s->config;
    struct transport_listener listeners[4];
    size_t count = 0;
    bool wants_tls = false;
    SSL_CTX *tls = NULL;
    for (size_t i = 0; i < c->listen_count; i++)
        wants_tls = wants_tls || c->listen[i].tls;
    if (wants_tls && (tls = tls_open(c, error, error_size)) == NULL)
        return false;
    if (!open_listeners(s, listeners, &count, error, error_size))
        return false;
    const struct transport_options options = {.listeners = listeners,
                                              .listener_count = count,
                                              .tls = tls,
                                              .loops = c->loops,
                                              .body_limit = c->http.body_limit,
                                              .bodies_in_all = c->http.bodies_in_all,
                                              .connections = room_for_connections(c->http.connections),
                                              .connections_per_address = c->http.connections_per_address,
                                              .request_seconds = c->http.request_timeout,
                                              .http2_only = c->http.http2_only,
                                              .handle = router_handle,
                                              .too_large = router_too_large,
                                              .context = s};
    s->transport = transport_start(&options, error, error_size);
    SSL_CTX_free(tls);
    if (s->transport == NULL)
        return false;
    transport_serve(s->transport);
    return true;
}

/* --- life --- */

void service_reload(struct service *s)
{
    char error[512];
    log_line(LOG_AT_INFO, "reload", "certificate, audit log and policies are read again");
    audit_reopen(s->audit);
    policies_reload(s->policies);
    bool wants_tls = false;
    for (size_t i = 0; i < s->config->listen_count; i++)
        wants_tls = wants_tls || s->config->listen[i].tls;
    SSL_CTX *tls = wants_tls ? tls_open(s->config, error, sizeof error) : NULL;
    if (tls != NULL)
        transport_set_tls(s->transport, tls);
    else if (wants_tls)
        log_line(LOG_AT_ERROR, "tls", "%s; the certificate in use stays", error);
    SSL_CTX_free(tls);
}

void service_tick(struct service *s)
{
    static time_t pruned;
    static bool measured;
    time_t now = time(NULL);
    if (s->config->key_tables && !measured) { /* behind the start, which it would delay */
        measured = true;
        log_line(LOG_AT_INFO, "key_tables", "with tables, signature checks run at %u %% of the plain rate (0: switched off)",
                 attestd_key_tables_measure());
    }
    if (now - pruned < PRUNE_EVERY)
        return;
    pruned = now;
    records_prune(s->records, (int64_t)now);
}

void service_close(struct service *s)
{
    atomic_store(&s->stopping, true);
    log_line(LOG_AT_INFO, "draining", "no new requests; open ones have %u s", s->config->http.drain);
    transport_drain(s->transport, s->config->http.drain);
    while (atomic_load(&s->changes) != 0)
        usleep(10000);
    job_queue_stop(s->queue);
    audit_close(s->audit);
    signer_close(s->signer);
    attestd_endorsements_free(s->endorsements);
    policies_close(s->policies);
    records_free(s->records);
    attestd_store_close(s->record_store);
    attestd_store_close(s->cache);
    attestd_store_close(s->state);
    transport_free(s->transport);
    addresses_free(s->callers);
    operators_free(s->operators);
    metrics_free(s->metrics);
    challenges_free(s->challenges);
    spent_free(s->spent);
    attestd_anchor_set_free(s->anchors);
    attestd_engine_free(s->engine);
    if (*s->config->operator_socket != '\0')
        unlink(s->config->operator_socket);
    log_line(LOG_AT_INFO, "stopped", "everything is written");
}
