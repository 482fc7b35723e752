/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/source.h"

#include <string.h>

static const struct {
    const char *vendor, *base;
} bases[] = {
    {"amd-kds", "https://kdsintf.amd.com"},
    {"intel-pcs", "https://api.trustedservices.intel.com"},
    {"intel-certificates", "https://certificates.trustedservices.intel.com"},
};

static const char *const vendor_names[] = {"amd-kds", "intel-pcs", "intel-certificates"};

/* All rows of a kind stand in one table. */
static const struct {
    const struct endorsement_source *rows;
    const size_t *count;
} tables[] = {
    {attestd_kds_sources, &attestd_kds_source_count},
    {attestd_pcs_sources, &attestd_pcs_source_count},
};

static const struct endorsement_source *find_from(size_t table, size_t row, const char *kind)
{
    for (size_t i = row; i < *tables[table].count; i++)
        if (strcmp(tables[table].rows[i].kind, kind) == 0)
            return &tables[table].rows[i];
    return NULL;
}

const struct endorsement_source *endorsement_source_find(const char *kind)
{
    const struct endorsement_source *source = NULL;
    for (size_t i = 0; source == NULL && i < sizeof tables / sizeof *tables; i++)
        source = find_from(i, 0, kind);
    return source;
}

const struct endorsement_source *endorsement_source_next(const struct endorsement_source *source)
{
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        for (size_t row = 0; row < *tables[i].count; row++)
            if (&tables[i].rows[row] == source)
                return find_from(i, row + 1, source->kind);
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
