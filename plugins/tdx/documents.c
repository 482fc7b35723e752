/* SPDX-License-Identifier: Apache-2.0 */
#include "documents.h"

#include "certificates.h"
#include "core/arena.h"
#include "core/encoding.h"
#include "core/json.h"
#include "tcb_info.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OUTER_DEPTH 8u /* of a document around signed objects; those are bounded by themselves */
#define NESTING_MAX 2u /* documents inside strings of documents */

static void add(struct dcap_documents *documents, enum dcap_item_type type, const void *bytes, size_t len, const uint8_t *signature)
{
    if (documents->count == DCAP_ITEMS_MAX)
        return;
    struct dcap_item *item = &documents->items[documents->count++];
    item->type = type;
    item->bytes = attestd_arena_bytes(documents->arena, bytes, len);
    if (signature)
        memcpy(item->signature, signature, 64);
}

static void add_der(void *context, const uint8_t *der, size_t len)
{
    struct dcap_documents *documents = context;
    struct attestd_crl *crl = documents->count < DCAP_ITEMS_MAX ? attestd_crl_parse(der, len) : NULL;
    add(documents, crl ? DCAP_ITEM_CRL : DCAP_ITEM_CERTIFICATE, der, len, NULL);
    attestd_crl_free(crl);
}

/* --- the exact text of a member --- */

/* The text was read as strict JSON before, so that walking over it needs no judgement. */
static size_t skip_space(const char *text, size_t len, size_t at)
{
    while (at < len && (text[at] == ' ' || text[at] == '\t' || text[at] == '\r' || text[at] == '\n'))
        at++;
    return at;
}

static size_t skip_string(const char *text, size_t len, size_t at)
{
    for (at++; at < len && text[at] != '"'; at++)
        at += text[at] == '\\';
    return at < len ? at + 1 : len;
}

static size_t skip_value(const char *text, size_t len, size_t at)
{
    unsigned depth = 0;
    while (at < len) {
        char c = text[at];
        if (c == '"') {
            at = skip_string(text, len, at);
        } else {
            if (depth == 0 && (c == ',' || c == '}' || c == ']'))
                return at;
            depth += c == '{' || c == '[';
            depth -= c == '}' || c == ']';
            at++;
        }
        if (depth == 0 && (c == '"' || c == '}' || c == ']'))
            return at;
    }
    return len;
}

/* The bytes of a member's value at the top of an object; length 0: it has none of this name. */
static struct attestd_bytes member_text(const char *text, size_t len, const char *name)
{
    size_t at = skip_space(text, len, 0) + 1, name_len = strlen(name);
    while (at < len) {
        size_t key = skip_space(text, len, at), key_end = skip_string(text, len, key);
        if (key >= len || text[key] != '"')
            break;
        size_t value = skip_space(text, len, skip_space(text, len, key_end) + 1), end = skip_value(text, len, value);
        if (key_end - key == name_len + 2 && memcmp(text + key + 1, name, name_len) == 0)
            return (struct attestd_bytes){(const uint8_t *)text + value, end - value};
        at = skip_space(text, len, end) + 1;
    }
    return (struct attestd_bytes){NULL, 0};
}

/* --- texts inside documents --- */

static bool signature_of(const json_t *value, uint8_t signature[64])
{
    size_t len = 0;
    return json_is_string(value) && json_string_length(value) == 128 &&
           attestd_hex_decode(json_string_value(value), 128, signature, 64, &len) && len == 64;
}

static void percent_decode(char *text, size_t *len)
{
    size_t out = 0;
    for (size_t i = 0; i < *len; i++) {
        uint8_t byte;
        size_t one = 0;
        if (text[i] == '%' && i + 2 < *len && attestd_hex_decode(text + i + 1, 2, &byte, 1, &one)) {
            text[out++] = (char)byte;
            i += 2;
        } else {
            text[out++] = text[i];
        }
    }
    *len = out;
}

static void read_text(struct dcap_documents *documents, const char *text, size_t len, unsigned nesting);

static void read_pem(struct dcap_documents *documents, const char *text, size_t len)
{
    char *copy = attestd_arena_alloc(documents->arena, len + 1);
    memcpy(copy, text, len);
    percent_decode(copy, &len);
    attestd_pem_or_der_split((const uint8_t *)copy, len, add_der, documents);
}

/* Lists are answered as hex by a PCCS, and as base64 by tools. */
static void read_encoded(struct dcap_documents *documents, const char *text, size_t len)
{
    while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
        len--;
    if (len < 64 || len > 1u << 21)
        return;
    uint8_t *der = attestd_arena_alloc(documents->arena, len + 8);
    size_t size = 0;
    bool decoded = text[0] == '3' && len % 2 == 0 && attestd_hex_decode(text, len, der, len, &size);
    if (!decoded)
        decoded = text[0] == 'M' && attestd_base64_decode(text, len, der, len + 8, &size);
    if (decoded)
        attestd_pem_or_der_split(der, size, add_der, documents);
}

struct signed_member {
    const char *name;      /* an object; its signature stands beside it under `signature` */
    const char *text_name; /* a string with the same text; with its signature under `signature_name` */
    const char *signature_name;
    enum dcap_item_type type;
};
static const struct signed_member signed_members[] = {
    {"tcbInfo", "tcb_info", "tcb_info_signature", DCAP_ITEM_TCB_INFO},
    {"enclaveIdentity", "qe_identity", "qe_identity_signature", DCAP_ITEM_IDENTITY},
};

static void read_signed(struct dcap_documents *documents, const json_t *object, const char *text, size_t len)
{
    for (size_t i = 0; i < sizeof signed_members / sizeof signed_members[0]; i++) {
        const struct signed_member *member = &signed_members[i];
        const json_t *inner = json_object_get(object, member->text_name);
        uint8_t signature[64];
        if (json_is_object(json_object_get(object, member->name)) && signature_of(json_object_get(object, "signature"), signature)) {
            struct attestd_bytes raw = member_text(text, len, member->name);
            add(documents, member->type, raw.data, raw.len, signature);
        }
        if (json_is_string(inner) && signature_of(json_object_get(object, member->signature_name), signature))
            add(documents, member->type, json_string_value(inner), json_string_length(inner), signature);
    }
}

static void read_members(struct dcap_documents *documents, const json_t *object, unsigned nesting)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)object, name, value)
    {
        size_t len = json_string_length(value);
        const char *text = json_string_value(value);
        if (!text)
            continue;
        if (strncmp(text, "-----BEGIN", 10) == 0)
            read_pem(documents, text, len);
        else if (text[0] == '{' && nesting < NESTING_MAX && strcmp(name, "tcb_info") != 0 && strcmp(name, "qe_identity") != 0)
            read_text(documents, text, len, nesting + 1);
        else
            read_encoded(documents, text, len);
    }
}

static void read_text(struct dcap_documents *documents, const char *text, size_t len, unsigned nesting)
{
    json_t *object = attestd_json_read(text, len, OUTER_DEPTH, NULL, 0);
    if (json_is_object(object)) {
        read_signed(documents, object, text, len);
        read_members(documents, object, nesting);
    }
    json_decref(object);
}

struct dcap_documents *dcap_documents_read(const uint8_t *bytes, size_t len)
{
    struct attestd_arena *arena = attestd_arena_new();
    struct dcap_documents *documents = attestd_arena_alloc(arena, sizeof *documents);
    const char *text = (const char *)bytes;
    documents->arena = arena;
    size_t first = skip_space(text, len, 0);
    if (first == len)
        return documents;
    if (text[first] == '{')
        read_text(documents, text, len, 0);
    else if (len - first > 10 && memcmp(text + first, "-----BEGIN", 10) == 0)
        read_pem(documents, text + first, len - first);
    else if (bytes[0] == 0x30 && len > 1 && bytes[1] >= 0x80)
        attestd_pem_or_der_split(bytes, len, add_der, documents);
    else
        read_encoded(documents, text + first, len - first);
    return documents;
}

void dcap_documents_free(struct dcap_documents *documents)
{
    if (documents)
        attestd_arena_free(documents->arena);
}

/* --- identify --- */

static void identify_certificate(const struct dcap_item *item, attestd_identified *found, void *context)
{
    struct attestd_certificate *certificate = attestd_certificate_parse(item->bytes.data, item->bytes.len);
    if (!certificate)
        return;
    const char *subject = attestd_certificate_subject_cn(certificate);
    const char *ca = dcap_ca_key(subject);
    if (ca)
        found(context, DCAP_KIND_PCK_CA, ca);
    else if (strcmp(subject, DCAP_CN_ROOT) == 0)
        found(context, DCAP_KIND_ROOT_CA, "root");
    else if (strcmp(subject, DCAP_CN_TCB_SIGNING) == 0)
        found(context, DCAP_KIND_TCB_SIGNING, "tcb_signing");
    attestd_certificate_free(certificate);
}

static void identify_list(const struct dcap_item *item, attestd_identified *found, void *context)
{
    struct attestd_crl *crl = attestd_crl_parse(item->bytes.data, item->bytes.len);
    if (!crl)
        return;
    const char *ca = dcap_ca_key(attestd_crl_issuer_cn(crl));
    if (ca)
        found(context, DCAP_KIND_PCK_CRL, ca);
    else if (strcmp(attestd_crl_issuer_cn(crl), DCAP_CN_ROOT) == 0)
        found(context, DCAP_KIND_ROOT_CRL, "root");
    attestd_crl_free(crl);
}

static void identify_signed(const struct dcap_item *item, attestd_identified *found, void *context)
{
    char key[DCAP_KEY_SIZE];
    struct dcap_tcb_info *info = item->type == DCAP_ITEM_TCB_INFO ? dcap_tcb_info_read(item->bytes) : NULL;
    struct dcap_identity *identity = item->type == DCAP_ITEM_IDENTITY ? dcap_identity_read(item->bytes) : NULL;
    if (info) {
        dcap_tcb_info_key(key, info->tee, info->fmspc);
        found(context, DCAP_KIND_TCB_INFO, key);
    }
    if (identity)
        found(context, DCAP_KIND_QE_IDENTITY, identity->id);
    dcap_tcb_info_free(info);
    dcap_identity_free(identity);
}

void dcap_identify(const uint8_t *bytes, size_t len, attestd_identified *found, void *context)
{
    struct dcap_documents *documents = dcap_documents_read(bytes, len);
    bool single = documents->count == 1;
    for (size_t i = 0; i < documents->count; i++) {
        const struct dcap_item *item = &documents->items[i];
        if (item->type == DCAP_ITEM_CERTIFICATE) {
            /* Certificates of a bundle serve where they are; on their own they can be asked for. */
            if (single)
                identify_certificate(item, found, context);
        } else if (item->type == DCAP_ITEM_CRL) {
            identify_list(item, found, context);
        } else {
            identify_signed(item, found, context);
        }
    }
    dcap_documents_free(documents);
}
