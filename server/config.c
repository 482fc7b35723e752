/* SPDX-License-Identifier: Apache-2.0 */
#include "server/config.h"
#include "core/value.h"
#include "policy/document.h"
#include "server/embedded.h"
#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONFIG_MAX ((size_t)256 << 10)

struct reading {
    struct attestd_arena *arena;
    char *const *environment;
    const json_t *schema;
    struct attestd_policy_fault *fault;
};

static bool invalid(struct reading *r, const struct attestd_node *where, const char *file, const char *message)
{
    snprintf(r->fault->file, sizeof r->fault->file, "%s", file != NULL ? file : "defaults");
    return attestd_policy_fault_set(r->fault, where != NULL ? where->line : 0, where != NULL ? where->column : 0, "CONFIG", "%s", message);
}

/* --- the environment over the file --- */

/* "challenge.redis.host" becomes ATTESTD_CHALLENGE_REDIS_HOST. */
static const char *from_environment(struct reading *r, const char *path, const char **name)
{
    char *variable = attestd_arena_format(r->arena, "ATTESTD_%s", path);
    for (char *c = variable; *c != '\0'; c++)
        *c = *c == '.' ? '_' : (char)toupper((unsigned char)*c);
    *name = variable;
    size_t len = strlen(variable);
    for (char *const *at = r->environment; *at != NULL; at++)
        if (strncmp(*at, variable, len) == 0 && (*at)[len] == '=')
            return *at + len + 1;
    return NULL;
}

/* The variable's text as a node: as it stands for a single value, as YAML ("[a, b]") for lists. */
static bool variable_node(struct reading *r, const char *variable, const char *text, bool is_list, struct attestd_node *node)
{
    const struct attestd_node *documents;
    size_t count;
    if (!is_list) {
        *node = (struct attestd_node){.kind = ATTESTD_NODE_TEXT, .text = attestd_arena_text(r->arena, text), .line = 1, .column = 1};
        return true;
    }
    if (!attestd_document_read(r->arena, text, strlen(text), CONFIG_MAX, &documents, &count, r->fault) || count != 1) {
        snprintf(r->fault->file, sizeof r->fault->file, "environment variable %s", variable);
        if (r->fault->message[0] == '\0')
            snprintf(r->fault->message, sizeof r->fault->message, "expected one list, such as [a, b]");
        return false;
    }
    *node = documents[0];
    return true;
}

static bool overlay(struct reading *r, const struct attestd_node *map, const json_t *schema, const char *path, struct attestd_node *out,
                    bool *any);

/* One property: its variable, or its section overlaid, or what the file says. */
static bool overlay_property(struct reading *r, const struct attestd_node *given, const json_t *schema, const char *path,
                             struct attestd_node *out, bool *set)
{
    const json_t *resolved = attestd_schema_resolve(schema, r->schema);
    const char *type = json_string_value(json_object_get(resolved, "type")), *variable;
    if (type != NULL && strcmp(type, "object") == 0) {
        bool any = false;
        if (!overlay(r, given, resolved, path, out, &any))
            return false;
        *set = given != NULL || any;
        return true;
    }
    const char *text = from_environment(r, path, &variable);
    if (text != NULL) {
        if (!variable_node(r, variable, text, type != NULL && strcmp(type, "array") == 0, out))
            return false;
        *set = true;
        return true;
    }
    *set = given != NULL;
    if (given != NULL)
        *out = *given;
    return true;
}

/* A copy of the map with what the environment says in place of, or beside, what the file says. */
static bool overlay(struct reading *r, const struct attestd_node *map, const json_t *schema, const char *path, struct attestd_node *out,
                    bool *any)
{
    json_t *properties = json_object_get(schema, "properties"), *property;
    const char *name;
    if (map != NULL && map->kind == ATTESTD_NODE_TEXT && !map->quoted && *map->text == '\0')
        map = NULL; /* a section whose every line is commented out */
    *out = map != NULL ? *map : (struct attestd_node){.kind = ATTESTD_NODE_MAP, .line = 1, .column = 1};
    if (out->kind != ATTESTD_NODE_MAP)
        return true; /* the typing says what is wrong with it */
    size_t given = out->count;
    out->items = attestd_arena_array(r->arena, given + json_object_size(properties), sizeof *out->items);
    if (given != 0)
        memcpy(out->items, map->items, given * sizeof *out->items);
    json_object_foreach(properties, name, property)
    {
        size_t at = 0;
        while (at < given && strcmp(out->items[at].name, name) != 0)
            at++;
        struct attestd_node item = {0};
        bool set = false;
        const char *below = *path == '\0' ? name : attestd_arena_format(r->arena, "%s.%s", path, name);
        if (!overlay_property(r, at < given ? &map->items[at] : NULL, property, below, &item, &set))
            return false;
        if (!set)
            continue;
        item.name = attestd_arena_text(r->arena, name);
        if (at == given)
            at = out->count++;
        else {
            item.key_line = map->items[at].key_line;
            item.key_column = map->items[at].key_column;
        }
        out->items[at] = item;
        *any = true;
    }
    return true;
}

/* --- typed values to the struct --- */

static const char *text_at(const struct attestd_value *root, const char *path)
{
    const struct attestd_value *value = attestd_value_find(root, path);
    return value != NULL && value->kind == ATTESTD_VALUE_TEXT ? (const char *)value->text.data : NULL;
}

static int64_t number_at(const struct attestd_value *root, const char *path)
{
    const struct attestd_value *value = attestd_value_find(root, path);
    return value != NULL ? value->number : 0;
}

static bool flag_at(const struct attestd_value *root, const char *path)
{
    return number_at(root, path) != 0;
}

static const char *const *texts_at(struct attestd_arena *arena, const struct attestd_value *root, const char *path, size_t *count)
{
    const struct attestd_value *list = attestd_value_find(root, path);
    *count = list != NULL ? list->count : 0;
    const char **texts = attestd_arena_array(arena, *count + 1, sizeof *texts); /* NULL behind the last */
    for (size_t i = 0; i < *count; i++)
        texts[i] = (const char *)list->items[i].text.data;
    return texts;
}

static struct config_anchor *anchors_at(struct attestd_arena *arena, const struct attestd_value *root, const char *path, size_t *count)
{
    const struct attestd_value *list = attestd_value_find(root, path);
    *count = list != NULL ? list->count : 0;
    struct config_anchor *anchors = attestd_arena_array(arena, *count, sizeof *anchors);
    for (size_t i = 0; i < *count; i++)
        anchors[i] = (struct config_anchor){text_at(&list->items[i], "purpose"), text_at(&list->items[i], "file")};
    return anchors;
}

static bool is_loopback(const char *address, bool *known)
{
    struct in_addr v4;
    struct in6_addr v6;
    *known = true;
    if (inet_pton(AF_INET, address, &v4) == 1)
        return (ntohl(v4.s_addr) >> 24) == 127;
    if (inet_pton(AF_INET6, address, &v6) == 1)
        return IN6_IS_ADDR_LOOPBACK(&v6);
    *known = false;
    return false;
}

static bool fill_listen(struct reading *r, const struct attestd_value *root, const struct attestd_node *node, struct config *c)
{
    const struct attestd_value *list = attestd_value_find(root, "listen");
    const struct attestd_node *nodes = attestd_node_find(node, "listen");
    c->listen_count = list->count;
    c->listen = attestd_arena_array(r->arena, list->count, sizeof *c->listen);
    for (size_t i = 0; i < list->count; i++) {
        const struct attestd_node *where = nodes != NULL ? &nodes->items[i] : NULL;
        bool known;
        c->listen[i] = (struct config_listen){text_at(&list->items[i], "address"), (int)number_at(&list->items[i], "port"),
                                              flag_at(&list->items[i], "tls"), false};
        c->listen[i].loopback = is_loopback(c->listen[i].address, &known);
        if (!known)
            return invalid(r, where, c->file, "`address` is an IPv4 or IPv6 address, not a name");
        if (!c->listen[i].tls && !c->listen[i].loopback && !c->http.plain_outside_loopback)
            return invalid(r, where, c->file,
                           "`tls: false` is for loopback; for a network behind a proxy set `http.plain_outside_loopback: true` as well");
        if (c->listen[i].tls && !c->listen[i].loopback && c->tls.certificate == NULL)
            return invalid(r, where, c->file, "`tls.certificate` and `tls.key` are needed for an address that is not loopback");
    }
    return true;
}

static bool fill_operators(struct reading *r, const struct attestd_value *root, const struct attestd_node *node, struct config *c)
{
    const struct attestd_value *keys = attestd_value_find(root, "operators.keys");
    const struct attestd_node *nodes = attestd_node_find(attestd_node_find(node, "operators"), "keys");
    c->operator_count = keys->count;
    c->operators = attestd_arena_array(r->arena, keys->count, sizeof *c->operators);
    for (size_t i = 0; i < keys->count; i++) {
        const struct attestd_value *digest = attestd_value_find(&keys->items[i], "sha256");
        if (digest->text.len != 32)
            return invalid(r, nodes != NULL ? &nodes->items[i] : NULL, c->file,
                           "`sha256` is the SHA-256 of the key: 64 hexadecimal digits (printf %s KEY | sha256sum)");
        c->operators[i].name = text_at(&keys->items[i], "name");
        memcpy(c->operators[i].sha256, digest->text.data, 32);
        c->operators[i].role = strcmp(text_at(&keys->items[i], "role"), "write") == 0 ? ROLE_WRITE : ROLE_READ;
    }
    const char *socket = text_at(root, "operators.socket");
    c->operator_socket = socket != NULL ? socket : attestd_arena_format(r->arena, "%s/operator.sock", c->state_directory);
    return true;
}

static void fill_endorsements(struct reading *r, const struct attestd_value *root, struct config *c)
{
    size_t count;
    const struct attestd_value *vendors = attestd_value_find(root, "endorsements.vendors");
    struct attestd_vendor_base *bases = attestd_arena_array(r->arena, vendors->count, sizeof *bases);
    for (size_t i = 0; i < vendors->count; i++) {
        const struct attestd_value *v = &vendors->items[i];
        bases[i] = (struct attestd_vendor_base){text_at(v, "vendor"), text_at(v, "url"), text_at(v, "ca_file")};
    }
    c->endorsements = (struct attestd_endorsements_options){
        .directories = texts_at(r->arena, root, "endorsements.directories", &count),
        .vendors = bases,
        .vendor_count = vendors->count,
        .offline = flag_at(root, "endorsements.offline"),
        .connect_ms = (unsigned)number_at(root, "endorsements.connect_timeout") * 1000,
        .total_ms = (unsigned)number_at(root, "endorsements.total_timeout") * 1000,
        .vendor_rate = (double)number_at(root, "endorsements.requests_per_second"),
        .max_age = (unsigned)number_at(root, "endorsements.max_age"),
        .unseen_per_minute = (unsigned)number_at(root, "endorsements.unseen_per_minute"),
    };
}

static bool fill_challenge(struct reading *r, const struct attestd_value *root, const struct attestd_node *node, struct config *c)
{
    c->challenge.ttl = (unsigned)number_at(root, "challenge.ttl");
    c->challenge.capacity = (size_t)number_at(root, "challenge.capacity");
    c->challenge.key_files = texts_at(r->arena, root, "challenge.key_files", &c->challenge.key_file_count);
    c->challenge.redis = attestd_value_find(root, "challenge.redis") != NULL;
    c->challenge.redis_host = text_at(root, "challenge.redis.host");
    c->challenge.redis_port = (int)number_at(root, "challenge.redis.port");
    c->challenge.redis_socket = text_at(root, "challenge.redis.socket");
    c->challenge.redis_password_file = text_at(root, "challenge.redis.password_file");
    c->challenge.redis_prefix = text_at(root, "challenge.redis.prefix");
    const struct attestd_node *where = attestd_node_find(node, "challenge");
    if (c->challenge.key_file_count != 0 && !c->challenge.redis)
        return invalid(r, where, c->file,
                       "a challenge key shared by replicas needs a shared set of spent challenges: set `challenge.redis`, or remove "
                       "`challenge.key_files`");
    if (c->challenge.key_file_count == 0 && c->challenge.redis)
        return invalid(r, where, c->file, "`challenge.redis` is of use only with `challenge.key_files`, which replicas share");
#ifndef ATTESTD_WITH_HIREDIS
    if (c->challenge.redis)
        return invalid(r, where, c->file, "this attestd was built without libhiredis: `challenge.redis` cannot be used");
#endif
    return true;
}

static void fill_http(const struct attestd_value *root, struct config *c)
{
    c->tls.certificate = text_at(root, "tls.certificate");
    c->tls.key = text_at(root, "tls.key");
    c->tls.allow_1_2 = strcmp(text_at(root, "tls.minimum"), "1.2") == 0;
    c->http.http2_only = flag_at(root, "http.http2_only");
    c->http.plain_outside_loopback = flag_at(root, "http.plain_outside_loopback");
    c->http.body_limit = (size_t)number_at(root, "http.body_limit");
    c->http.bodies_in_all = (size_t)number_at(root, "http.bodies_in_all");
    c->http.connections = (unsigned)number_at(root, "http.connections");
    c->http.connections_per_address = (unsigned)number_at(root, "http.connections_per_address");
    c->http.request_timeout = (unsigned)number_at(root, "http.request_timeout");
    c->http.requests_per_second = (unsigned)number_at(root, "http.requests_per_second");
    c->http.requests_burst = (unsigned)number_at(root, "http.requests_burst");
    c->http.drain = (unsigned)number_at(root, "http.drain");
}

static void fill_threads(const struct attestd_value *root, struct config *c)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned usual = processors < 1 ? 1 : processors > 32 ? 32 : (unsigned)processors;
    c->loops = (unsigned)number_at(root, "threads.loops");
    c->workers = (unsigned)number_at(root, "threads.workers");
    c->loops = c->loops != 0 ? c->loops : usual;
    c->workers = c->workers != 0 ? c->workers : usual;
    c->queue_length = (unsigned)number_at(root, "queue.length");
    c->deadline = (unsigned)number_at(root, "queue.deadline");
}

static void fill_stores(struct reading *r, const struct attestd_value *root, struct config *c)
{
    static const char *const keeps[] = {"denied", "all", "none"};
    static const char *const levels[] = {"debug", "info", "warning", "error"};
    c->state_directory = text_at(root, "state.directory");
    c->cache_limit = (size_t)number_at(root, "state.cache_limit");
    c->state_limit = (size_t)number_at(root, "state.state_limit");
    c->plugin_directory = text_at(root, "plugins.directory");
    c->plugins = texts_at(r->arena, root, "plugins.load", &c->plugin_count);
    c->memo_limit = (size_t)number_at(root, "plugins.memo_limit");
    c->anchor_directory = text_at(root, "trust_anchors.directory");
    c->own_anchors = anchors_at(r->arena, root, "trust_anchors.own", &c->own_anchor_count);
    c->development_anchors = anchors_at(r->arena, root, "development.anchors", &c->development_anchor_count);
    c->has_development = attestd_value_find(root, "development") != NULL;
    c->policy_directory = text_at(root, "policy.directory");
    c->default_policy = text_at(root, "policy.default");
    c->audit_file = text_at(root, "audit.file");
    if (c->audit_file == NULL)
        c->audit_file = attestd_arena_format(r->arena, "%s/audit.jsonl", c->state_directory);
    c->records.seconds = number_at(root, "records.for");
    c->records.max = (size_t)number_at(root, "records.max");
    for (int i = 0; i < 3; i++)
        if (strcmp(text_at(root, "records.keep"), keeps[i]) == 0)
            c->records.keep = (enum config_keep)i;
    for (int i = 0; i < 4; i++)
        if (strcmp(text_at(root, "log.level"), levels[i]) == 0)
            c->log_level = (enum log_level)i;
    c->key_tables = flag_at(root, "crypto.key_tables");
}

static bool fill_token(struct reading *r, const struct attestd_value *root, const struct attestd_node *node, struct config *c)
{
    c->issuer = text_at(root, "token.issuer");
    c->base_url = text_at(root, "token.base_url");
    if (c->base_url == NULL)
        c->base_url = c->issuer;
    c->key_file = text_at(root, "token.key_file");
    c->key_directory = text_at(root, "token.key_directory");
    if (c->key_file != NULL && c->key_directory != NULL)
        return invalid(r, attestd_node_find(node, "token"), c->file, "either `key_file` or `key_directory`, not both");
    if (c->key_directory == NULL)
        c->key_directory = attestd_arena_format(r->arena, "%s/token-keys", c->state_directory);
    return true;
}

static bool fill(struct reading *r, const struct attestd_value *root, const struct attestd_node *node, struct config *c)
{
    fill_http(root, c);
    fill_threads(root, c);
    fill_stores(r, root, c);
    fill_endorsements(r, root, c);
    if ((c->tls.certificate == NULL) != (c->tls.key == NULL))
        return invalid(r, attestd_node_find(node, "tls"), c->file, "`certificate` and `key` come together");
    return fill_listen(r, root, node, c) && fill_token(r, root, node, c) && fill_operators(r, root, node, c) &&
           fill_challenge(r, root, node, c);
}

static bool read_documents(struct reading *r, const char *file, const struct attestd_node **root)
{
    struct attestd_bytes bytes = {0};
    char error[256];
    size_t count = 0;
    *root = NULL;
    if (file == NULL)
        return true;
    if (!attestd_file_read(r->arena, file, CONFIG_MAX, &bytes, error, sizeof error))
        return attestd_policy_fault_set(r->fault, 0, 0, "CONFIG", "%s", error);
    if (!attestd_document_read(r->arena, (const char *)bytes.data, bytes.len, CONFIG_MAX, root, &count, r->fault))
        return false;
    if (count > 1)
        return attestd_policy_fault_set(r->fault, (*root)[1].line, (*root)[1].column, "CONFIG", "one document, not several");
    if (count == 0)
        *root = NULL;
    return true;
}

bool config_read(struct attestd_arena *arena, const char *file, char *const *environment, struct config *config,
                 struct attestd_policy_fault *fault)
{
    *config = (struct config){.file = file};
    *fault = (struct attestd_policy_fault){0};
    snprintf(fault->file, sizeof fault->file, "%s", file != NULL ? file : "defaults");
    json_t *schema = json_loadb((const char *)embedded_config_schema, embedded_config_schema_len, 0, NULL);
    if (schema == NULL)
        abort(); /* it is part of the program */
    struct reading r = {arena, environment, schema, fault};
    const struct attestd_node *given;
    struct attestd_node merged;
    const struct attestd_value *root = NULL;
    bool any = false;
    bool read = read_documents(&r, file, &given) && overlay(&r, given, schema, "", &merged, &any);
    if (read)
        root = attestd_node_typed(arena, &merged, schema, fault);
    bool good = root != NULL && fill(&r, root, &merged, config);
    json_decref(schema);
    return good;
}
