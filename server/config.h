/* SPDX-License-Identifier: Apache-2.0 */
/* The service's configuration: one YAML file typed by config.schema.json, each value also by an environment variable
 * ATTESTD_<PATH_WITH_UNDERSCORES> (docs/operations.md). */
#ifndef ATTESTD_SERVER_CONFIG_H
#define ATTESTD_SERVER_CONFIG_H

#include "cache/endorsements.h"
#include "core/arena.h"
#include "policy/policy.h"
#include "server/log.h"
#include <stdbool.h>
#include <stdint.h>

struct config_listen {
    const char *address;
    int port;
    bool tls, loopback;
};

struct config_anchor {
    const char *purpose, *file;
};

enum config_role { ROLE_NONE, ROLE_READ, ROLE_WRITE };

struct config_operator {
    const char *name;
    uint8_t sha256[32]; /* of the key's text */
    enum config_role role;
};

enum config_keep { KEEP_DENIED, KEEP_ALL, KEEP_NONE };

/* All texts are the arena's; absent ones NULL. Durations in seconds, sizes in bytes. */
struct config {
    const char *file; /* where it came from; NULL: no file, defaults and environment */
    struct config_listen *listen;
    size_t listen_count;
    struct {
        const char *certificate, *key;
        bool allow_1_2;
    } tls;
    struct {
        bool http2_only, plain_outside_loopback;
        size_t body_limit, bodies_in_all;
        unsigned connections, connections_per_address, request_timeout, requests_per_second, requests_burst, drain;
    } http;
    unsigned loops, workers; /* 0 became the number of processors */
    unsigned queue_length, deadline;
    const char *state_directory;
    size_t cache_limit, state_limit;
    const char *plugin_directory;
    const char *const *plugins;
    size_t plugin_count, memo_limit;
    const char *anchor_directory;
    struct config_anchor *own_anchors, *development_anchors;
    size_t own_anchor_count, development_anchor_count;
    bool has_development;
    struct attestd_endorsements_options endorsements; /* without engine, anchors and stores */
    const char *policy_directory, *default_policy;
    struct {
        unsigned ttl;
        size_t capacity;
        const char *const *key_files;
        size_t key_file_count;
        bool redis;
        const char *redis_host, *redis_socket, *redis_password_file, *redis_prefix;
        int redis_port;
    } challenge;
    const char *issuer, *base_url, *key_directory, *key_file;
    const char *operator_socket; /* "" for none */
    struct config_operator *operators;
    size_t operator_count;
    const char *audit_file;
    struct {
        enum config_keep keep;
        int64_t seconds;
        size_t max;
    } records;
    enum log_level log_level;
    bool key_tables;
};

/* file may be NULL. environment: as `environ`. False fills fault (file, line, column, message). */
bool config_read(struct attestd_arena *arena, const char *file, char *const *environment, struct config *config,
                 struct attestd_policy_fault *fault);

#endif
