/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/source.h"

#include <string.h>

static const struct {
    const char *vendor, *base;
} bases[] = {
    {"amd-kds", "https://kdsintf.amd.com"},
};

static const char *const vendor_names[] = {"amd-kds"};

const struct endorsement_source *endorsement_source_find(const char *kind)
{
    for (size_t i = 0; i < attestd_kds_source_count; i++)
        if (strcmp(attestd_kds_sources[i].kind, kind) == 0)
            return &attestd_kds_sources[i];
    return NULL;
}

const char *endorsement_source_default_base(const char *vendor)
{
    for (size_t i = 0; i < sizeof bases / sizeof *bases; i++)
        if (strcmp(bases[i].vendor, vendor) == 0)
            return bases[i].base;
    return NULL;
}

size_t endorsement_source_vendors(const char *const **names)
{
    *names = vendor_names;
    return sizeof vendor_names / sizeof *vendor_names;
}
