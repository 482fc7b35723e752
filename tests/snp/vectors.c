/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/snp/vectors.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

#define HCL_REPORT_AT 0x20u
#define REPORT_SIZE 1184u

static void path_of(char path[4096], const char *file)
{
    const char *folder = getenv("ATTESTD_VECTORS");
    snprintf(path, 4096, "%s/snp/%s", folder ? folder : ".", file);
}

struct attestd_bytes vectors_read(struct attestd_arena *arena, const char *file)
{
    char path[4096], error[256] = "";
    struct attestd_bytes bytes = {NULL, 0};
    path_of(path, file);
    if (!attestd_file_read(arena, path, 1 << 20, &bytes, error, sizeof error))
        fail_msg("%s", error);
    return bytes;
}

const struct attestd_node *vectors_open(struct attestd_arena *arena)
{
    char path[4096];
    const struct attestd_node *documents;
    struct attestd_policy_fault fault;
    size_t count;
    path_of(path, "MANIFEST.yaml");
    if (access(path, R_OK) != 0) {
        fprintf(stderr, "\n*** NOT TESTED: the vectors are not at %s; set ATTESTD_VECTORS ***\n\n", path);
        return NULL;
    }
    struct attestd_bytes text = vectors_read(arena, "MANIFEST.yaml");
    if (!attestd_document_read(arena, (const char *)text.data, text.len, 1 << 20, &documents, &count, &fault))
        fail_msg("MANIFEST.yaml:%u:%u: %s", fault.line, fault.column, fault.message);
    const struct attestd_node *files = attestd_node_find(&documents[0], "files");
    assert_non_null(files);
    return files;
}

const char *vectors_text(const struct attestd_node *node, const char *path)
{
    char name[64];
    while (node) {
        const char *dot = strchr(path, '.');
        size_t len = dot ? (size_t)(dot - path) : strlen(path);
        assert_true(len < sizeof name);
        memcpy(name, path, len);
        name[len] = '\0';
        node = node->kind == ATTESTD_NODE_MAP ? attestd_node_find(node, name) : NULL;
        if (!dot)
            break;
        path = dot + 1;
    }
    return node && node->kind == ATTESTD_NODE_TEXT ? node->text : NULL;
}

const struct attestd_node *vectors_entry(const struct attestd_node *files, const char *file)
{
    for (size_t i = 0; i < files->count; i++) {
        const char *name = vectors_text(&files->items[i], "file");
        if (name && strcmp(name, file) == 0)
            return &files->items[i];
    }
    return NULL;
}

struct attestd_bytes vectors_report(struct attestd_arena *arena, const struct attestd_node *entry)
{
    const char *file = vectors_text(entry, "file");
    const char *end = strstr(file, ".report.bin") ? "report" : strstr(file, ".hcl.bin") ? "hcl" : NULL;
    struct attestd_bytes bytes = {NULL, 0};
    if (!end || !vectors_text(entry, "expect.version"))
        return bytes;
    bytes = vectors_read(arena, file);
    if (strcmp(end, "hcl") != 0)
        return bytes;
    assert_true(bytes.len > HCL_REPORT_AT + REPORT_SIZE);
    return (struct attestd_bytes){bytes.data + HCL_REPORT_AT, REPORT_SIZE};
}
