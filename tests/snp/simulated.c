/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/snp/simulated.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

struct world world;

const char *product_name(enum sim_snp_product product)
{
    static const char *const names[PRODUCTS] = {"Milan", "Genoa", "Genoa", "Turin"};
    return names[product];
}

static void pin(enum sim_snp_product product)
{
    struct sim_bytes ark = sim_snp_ark(world.vendors[product]);
    char purpose[16];
    snprintf(purpose, sizeof purpose, "snp/%s", product_name(product));
    assert_true(attestd_anchor_set_add_certificate(world.anchors, purpose, ark.data, ark.len, true));
    free(ark.data);
}

int world_begin(void **state)
{
    const char *build = getenv("ATTESTD_BUILD");
    char kept[4096], other[4096];
    (void)state;
    snprintf(kept, sizeof kept, "%s/simulated-vendor", build ? build : "/tmp");
    snprintf(other, sizeof other, "%s/simulated-stranger", build ? build : "/tmp");
    world.engine = appraisal_engine();
    world.anchors = attestd_anchor_set_new();
    for (int i = 0; i < PRODUCTS; i++) {
        world.vendors[i] = sim_snp_vendor_open(kept, (enum sim_snp_product)i);
        assert_non_null(world.vendors[i]);
        pin((enum sim_snp_product)i);
    }
    world.stranger = sim_snp_vendor_open(other, SIM_SNP_GENOA);
    assert_non_null(world.stranger);
    attestd_anchor_set_seal(world.anchors);
    return 0;
}

int world_end(void **state)
{
    (void)state;
    for (int i = 0; i < PRODUCTS; i++)
        sim_snp_vendor_free(world.vendors[i]);
    sim_snp_vendor_free(world.stranger);
    attestd_anchor_set_free(world.anchors);
    attestd_engine_free(world.engine);
    return 0;
}

struct attestd_bytes scene_take(struct scene *scene, struct sim_bytes bytes)
{
    assert_non_null(bytes.data);
    struct attestd_bytes kept = attestd_arena_bytes(scene->arena, bytes.data, bytes.len);
    free(bytes.data);
    return kept;
}

static void shelve(struct scene *scene, struct sim_bytes bytes)
{
    struct attestd_bytes der = scene_take(scene, bytes);
    shelf_put(&scene->shelf, der.data, der.len);
}

void scene_begin(struct scene *scene, enum sim_snp_product product)
{
    const struct sim_snp_vendor *vendor = world.vendors[product];
    memset(scene, 0, sizeof *scene);
    scene->arena = attestd_arena_new();
    scene->shelf = (struct shelf){.arena = scene->arena, .engine = world.engine};
    sim_snp_guest_default(&scene->guest, product);
    shelve(scene, sim_snp_ark(vendor));
    shelve(scene, sim_snp_ask(vendor));
    shelve(scene, sim_snp_asvk(vendor));
    scene->list = (struct sim_snp_crl){.this_update = NOW - DAY, .next_update = NOW + 30 * DAY, .number = 7};
    scene->appraisal =
        (struct appraisal){.engine = world.engine, .anchors = world.anchors, .shelf = &scene->shelf, .time = NOW, .arena = scene->arena};
}

void scene_mint(struct scene *scene)
{
    const struct sim_snp_vendor *vendor = world.vendors[scene->guest.product];
    struct attestd_bytes report = scene_take(scene, sim_snp_report(vendor, &scene->guest));
    assert_int_equal(report.len, sizeof scene->report);
    memcpy(scene->report, report.data, sizeof scene->report);
    scene->vek = scene_take(scene, sim_snp_vek(vendor, &scene->guest));
    if (scene->list.this_update)
        scene->list_der = scene_take(scene, sim_snp_crl(vendor, &scene->list));
}

static struct sim_bytes borrowed(struct attestd_bytes bytes)
{
    return (struct sim_bytes){(uint8_t *)(uintptr_t)bytes.data, bytes.len};
}

void scene_run(struct scene *scene)
{
    struct attestd_bytes list = scene->enclose_list ? scene->list_der : (struct attestd_bytes){NULL, 0};
    if (!scene->enclose_list && scene->list_der.data)
        shelf_put(&scene->shelf, scene->list_der.data, scene->list_der.len);
    scene->appraisal.report = (struct attestd_bytes){scene->report, sizeof scene->report};
    if (scene->no_table) {
        shelf_put(&scene->shelf, scene->vek.data, scene->vek.len);
    } else if (scene->vek.data) {
        scene->appraisal.certs =
            scene_take(scene, sim_snp_table(borrowed(scene->vek), scene->guest.vlek != scene->wrong_slot, borrowed(scene->intermediate),
                                            borrowed(scene->root), borrowed(list), true, false));
    }
    appraisal_run(&scene->appraisal);
}

void scene_end(struct scene *scene)
{
    appraisal_end(&scene->appraisal);
    attestd_arena_free(scene->arena);
}
