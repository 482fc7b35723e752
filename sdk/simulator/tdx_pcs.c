/* SPDX-License-Identifier: Apache-2.0 */
/* A folder that nginx can serve as Intel's provisioning certification service (PCS API version 4) and as a caching one (PCCS). */
#include "sdk/simulator/files.h"
#include "sdk/simulator/tdx_vendor.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SGX_TREE "/sgx/certification/v4"
#define TDX_TREE "/tdx/certification/v4"

/* The folder being written, and the locations that serve it. */
struct tree {
    const struct sim_tdx_vendor *vendor;
    const char *directory;
    struct sim_buffer conf;
    bool good;
};

static void put_file(struct tree *tree, const char *path, struct sim_bytes bytes)
{
    char whole[PATH_MAX];
    int len = snprintf(whole, sizeof whole, "%s%s", tree->directory, path);
    if (len < 0 || (size_t)len >= sizeof whole) {
        free(bytes.data);
        tree->good = false;
        return;
    }
    tree->good = sim_write_file(whole, bytes) && tree->good;
}

static struct sim_bytes hex_of(struct sim_bytes bytes)
{
    struct sim_buffer hex = {.failed = !bytes.data};
    for (size_t i = 0; i < bytes.len; i++) {
        sim_print(&hex, "%02x", bytes.data[i]);
    }
    free(bytes.data);
    return sim_buffer_take(&hex);
}

static struct sim_bytes pem_of(struct sim_bytes der, const char *name)
{
    struct sim_bytes pem = {NULL, 0};
    if (der.data) {
        pem = sim_pem(der, name);
    }
    free(der.data);
    return pem;
}

/* RFC 3986: all but unreserved characters are escaped, as PCS does. */
static void put_escaped(struct sim_buffer *b, struct sim_bytes text)
{
    b->failed |= !text.data;
    for (size_t i = 0; i < text.len; i++) {
        bool plain = isalnum(text.data[i]) || (text.data[i] && strchr("-._~", text.data[i]));
        sim_print(b, plain ? "%c" : "%%%02X", text.data[i]);
    }
    free(text.data);
}

static void put_chain(struct tree *tree, enum sim_tdx_authority authority)
{
    put_escaped(&tree->conf, sim_tdx_issuer_chain(tree->vendor, authority));
}

/* location = PATH { root; default_type; header: chain } without the closing brace. */
static void open_location(struct tree *tree, const char *path, const char *type)
{
    sim_print(&tree->conf, "location = %s {\n    default_type %s;\n    add_header Request-ID $request_id;\n", path, type);
    sim_print(&tree->conf, "    root \"%s\";\n", tree->directory);
}

static void add_chain(struct tree *tree, const char *header, enum sim_tdx_authority authority)
{
    sim_print(&tree->conf, "    add_header %s \"", header);
    put_chain(tree, authority);
    sim_print(&tree->conf, "\";\n");
}

static void serve(struct tree *tree, const char *path, const char *type, const char *header, enum sim_tdx_authority authority)
{
    open_location(tree, path, type);
    if (header) {
        add_chain(tree, header, authority);
    }
    sim_print(&tree->conf, "}\n");
}

/* nginx: `if` is safe with return and rewrite alone, so a choice by argument leads to an internal location. */
static void open_internal(struct tree *tree, const char *path, const char *type)
{
    open_location(tree, path, type);
    sim_print(&tree->conf, "    internal;\n");
}

/* One TCB info a platform; "update=early" may have another; any other evaluation number than the set's is unknown. */
static void write_tcb_info(struct tree *tree, const char *root, const struct sim_tdx_scene *scene, const struct sim_tdx_scene *early)
{
    char path[64], early_path[64];
    snprintf(path, sizeof path, "%s/tcb", root);
    snprintf(early_path, sizeof early_path, "%s/tcb.early", root);
    put_file(tree, path, sim_tdx_tcb_info(tree->vendor, scene));
    open_location(tree, path, "application/json");
    add_chain(tree, "TCB-Info-Issuer-Chain", SIM_TDX_TCB_SIGNING);
    sim_print(&tree->conf, "    if ($arg_fmspc !~* \"^");
    for (size_t i = 0; i < sizeof scene->tcb_info.fmspc; i++) {
        sim_print(&tree->conf, "%02x", scene->tcb_info.fmspc[i]);
    }
    sim_print(&tree->conf,
              "$\") {\n        return 404;\n    }\n    if ($arg_tcbEvaluationDataNumber !~ \"^(|%u)$\") {\n        return 404;\n    }\n",
              scene->tcb_info.evaluation_number);
    if (early) {
        sim_print(&tree->conf, "    if ($arg_update = early) {\n        rewrite ^ %s last;\n    }\n", early_path);
    }
    sim_print(&tree->conf, "}\n");
    if (early) {
        put_file(tree, early_path, sim_tdx_tcb_info(tree->vendor, early));
        open_internal(tree, early_path, "application/json");
        add_chain(tree, "TCB-Info-Issuer-Chain", SIM_TDX_TCB_SIGNING);
        sim_print(&tree->conf, "}\n");
    }
    snprintf(path, sizeof path, "%s/tcbevaluationdatanumbers", root);
    put_file(tree, path, sim_tdx_evaluation_numbers(tree->vendor, scene));
    serve(tree, path, "application/json", "TCB-Evaluation-Data-Numbers-Issuer-Chain", SIM_TDX_TCB_SIGNING);
}

static void write_identity(struct tree *tree, const char *path, const struct sim_tdx_scene *scene)
{
    put_file(tree, path, sim_tdx_identity(tree->vendor, scene));
    serve(tree, path, "application/json", "SGX-Enclave-Identity-Issuer-Chain", SIM_TDX_TCB_SIGNING);
}

static void write_pck_list(struct tree *tree, const struct sim_tdx_scene *scene, const char *form, struct sim_bytes list)
{
    bool pem = strcmp(form, "pem") == 0;
    char path[64];
    snprintf(path, sizeof path, SGX_TREE "/pckcrl.%s.%s", scene->pck.processor ? "processor" : "platform", form);
    struct sim_bytes copy = sim_bytes_copy(list.data, list.len);
    put_file(tree, path, pem ? pem_of(copy, "X509 CRL") : copy);
    open_internal(tree, path, pem ? "application/x-pem-file" : "application/pkix-crl");
    add_chain(tree, "SGX-PCK-CRL-Issuer-Chain", sim_tdx_pck_ca(scene));
    sim_print(&tree->conf, "}\n");
}

/* One list in its two encodings. */
static void write_pck_lists(struct tree *tree, const struct sim_tdx_scene *scene)
{
    struct sim_bytes list = sim_tdx_pck_crl(tree->vendor, scene);
    write_pck_list(tree, scene, "pem", list);
    write_pck_list(tree, scene, "der", list);
    free(list.data);
}

static void write_lists(struct tree *tree, const struct sim_tdx_scene *scene)
{
    static const char *const forms[] = {"pem", "der"};
    struct sim_tdx_scene other = *scene;
    other.pck.processor = !scene->pck.processor;
    other.revoke_pck = 0;
    sim_print(&tree->conf, "location = " SGX_TREE "/pckcrl {\n    set $simulated_list \"$arg_ca.$arg_encoding\";\n");
    for (size_t i = 0; i < 4; i++) {
        const char *ca = i < 2 ? "platform" : "processor", *form = forms[i % 2];
        sim_print(&tree->conf, "    if ($simulated_list ~ \"^%s\\.(%s)%s$\") {\n", ca, form, i % 2 == 0 ? "?" : "");
        sim_print(&tree->conf, "        rewrite ^ " SGX_TREE "/pckcrl.%s.%s last;\n    }\n", ca, form);
    }
    sim_print(&tree->conf, "    return 400;\n}\n");
    write_pck_lists(tree, scene);
    write_pck_lists(tree, &other);
    struct sim_bytes root = sim_tdx_root_crl(tree->vendor, scene);
    put_file(tree, SGX_TREE "/rootcacrl", hex_of(sim_bytes_copy(root.data, root.len))); /* as a PCCS answers */
    serve(tree, SGX_TREE "/rootcacrl", "text/plain", NULL, SIM_TDX_ROOT);
    put_file(tree, "/IntelSGXRootCA.der", root); /* the distribution point */
    serve(tree, "/IntelSGXRootCA.der", "application/pkix-crl", NULL, SIM_TDX_ROOT);
}

static void write_pck(struct tree *tree, const struct sim_tdx_scene *scene)
{
    const struct sim_tdx_pck *pck = &scene->pck;
    put_file(tree, SGX_TREE "/pckcert", pem_of(sim_tdx_pck_certificate(tree->vendor, scene), "CERTIFICATE"));
    open_location(tree, SGX_TREE "/pckcert", "application/x-pem-file");
    add_chain(tree, "SGX-PCK-Certificate-Issuer-Chain", sim_tdx_pck_ca(scene));
    sim_print(&tree->conf, "    add_header SGX-PCK-Certificate-CA-Type %s;\n    add_header SGX-FMSPC ",
              pck->processor ? "processor" : "platform");
    for (size_t i = 0; i < sizeof pck->fmspc; i++) {
        sim_print(&tree->conf, "%02X", pck->fmspc[i]);
    }
    sim_print(&tree->conf, ";\n    add_header SGX-TCBm ");
    for (size_t i = 0; i < sizeof pck->cpusvn; i++) {
        sim_print(&tree->conf, "%02X", pck->cpusvn[i]);
    }
    sim_print(&tree->conf, "%02X%02X;\n}\n", pck->pcesvn & 0xff, pck->pcesvn >> 8);
}

/* What the same platform's enclaves need: TCB info and identities of SGX, of the same dates and evaluation number. */
static struct sim_tdx_scene sgx_side(const struct sim_tdx_scene *scene)
{
    struct sim_tdx_scene sgx, side = *scene;
    sim_tdx_scene_default(&sgx, 3, true);
    strcpy(side.tcb_info.id, "SGX");
    side.identity.prod_id = sgx.identity.prod_id;
    side.identity.levels = sgx.identity.levels;
    memcpy(side.identity.mrsigner, sgx.identity.mrsigner, sizeof side.identity.mrsigner);
    strcpy(side.identity.id, "QE");
    return side;
}

/* The quote verification enclave: product 2, SVN 3, no PROVISIONKEY. */
static struct sim_tdx_scene qve_side(const struct sim_tdx_scene *sgx)
{
    struct sim_tdx_scene qve = *sgx;
    strcpy(qve.identity.id, "QVE");
    qve.identity.prod_id = 2;
    qve.identity.attributes[0] = 0x01;
    qve.identity.levels.items[0].isvsvn = 3;
    qve.identity.levels.count = 1;
    return qve;
}

bool sim_tdx_write_pcs(const struct sim_tdx_vendor *vendor, const struct sim_tdx_scene *scene, const struct sim_tdx_scene *early,
                       const char *directory)
{
    bool tdx = !scene->guest.sgx;
    char absolute[PATH_MAX];
    struct tree tree = {.vendor = vendor, .directory = directory, .good = true};
    put_file(&tree, "/root.der", sim_tdx_authority(vendor, SIM_TDX_ROOT));
    if (!tree.good || !realpath(directory, absolute)) {
        return false;
    }
    tree.directory = absolute;
    struct sim_tdx_scene sgx = tdx ? sgx_side(scene) : *scene, sgx_early = early && tdx ? sgx_side(early) : early ? *early : *scene;
    struct sim_tdx_scene qve = qve_side(&sgx);
    write_tcb_info(&tree, SGX_TREE, &sgx, early ? &sgx_early : NULL);
    write_identity(&tree, SGX_TREE "/qe/identity", &sgx);
    write_identity(&tree, SGX_TREE "/qve/identity", &qve);
    if (tdx) {
        write_tcb_info(&tree, TDX_TREE, scene, early);
        write_identity(&tree, TDX_TREE "/qe/identity", scene);
    }
    write_lists(&tree, scene);
    write_pck(&tree, scene);
    put_file(&tree, "/nginx.conf", sim_buffer_take(&tree.conf));
    return tree.good;
}
