/* SPDX-License-Identifier: Apache-2.0 */
#include "layout.h"

#include "core/bytes.h"
#include <stdio.h>
#include <string.h>

/* AMD 57230 (certificate extensions, KDS parameters) and 56860 (TCB_VERSION of each family). */
const struct snp_component_place snp_components[SNP_SPL_COUNT] = {
    [SNP_SPL_FMC] = {"fmc", "fmcSPL", "1.3.6.1.4.1.3704.1.3.9", -1, 0},
    [SNP_SPL_BOOTLOADER] = {"bootloader", "blSPL", "1.3.6.1.4.1.3704.1.3.1", 0, 1},
    [SNP_SPL_TEE] = {"tee", "teeSPL", "1.3.6.1.4.1.3704.1.3.2", 1, 2},
    [SNP_SPL_SNP] = {"snp", "snpSPL", "1.3.6.1.4.1.3704.1.3.3", 6, 3},
    [SNP_SPL_MICROCODE] = {"microcode", "ucodeSPL", "1.3.6.1.4.1.3704.1.3.8", 7, 7},
    [SNP_SPL_4] = {"spl4", NULL, "1.3.6.1.4.1.3704.1.3.4", 2, -1},
    [SNP_SPL_5] = {"spl5", NULL, "1.3.6.1.4.1.3704.1.3.5", 3, 4},
    [SNP_SPL_6] = {"spl6", NULL, "1.3.6.1.4.1.3704.1.3.6", 4, 5},
    [SNP_SPL_7] = {"spl7", NULL, "1.3.6.1.4.1.3704.1.3.7", 5, 6},
};

static const char *const product_names[] = {
    [SNP_NO_PRODUCT] = "", [SNP_MILAN] = "Milan", [SNP_GENOA] = "Genoa", [SNP_TURIN] = "Turin", [SNP_VENICE] = "Venice",
};

const char *snp_product_name(enum snp_product product)
{
    return product_names[product];
}

enum snp_product snp_product_named(const char *name, size_t len)
{
    for (int i = SNP_MILAN; i <= SNP_VENICE; i++) {
        if (strlen(product_names[i]) == len && memcmp(product_names[i], name, len) == 0)
            return (enum snp_product)i;
    }
    return SNP_NO_PRODUCT;
}

enum snp_product snp_product_of_cpuid(unsigned family, unsigned model)
{
    static const struct {
        uint8_t family, first, last;
        enum snp_product product;
    } lines[] = {
        {0x19, 0x00, 0x0f, SNP_MILAN},  {0x19, 0x10, 0x1f, SNP_GENOA},  {0x19, 0xa0, 0xaf, SNP_GENOA},  {0x1a, 0x00, 0x11, SNP_TURIN},
        {0x1a, 0x50, 0x57, SNP_VENICE}, {0x1a, 0x90, 0x9f, SNP_VENICE}, {0x1a, 0xa0, 0xaf, SNP_VENICE}, {0x1a, 0xc0, 0xc7, SNP_VENICE},
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        if (family == lines[i].family && model >= lines[i].first && model <= lines[i].last)
            return lines[i].product;
    }
    return SNP_NO_PRODUCT;
}

bool snp_product_supported(enum snp_product product)
{
    return product == SNP_MILAN || product == SNP_GENOA || product == SNP_TURIN;
}

int snp_component_at(enum snp_product product, enum snp_component component)
{
    return product == SNP_TURIN ? snp_components[component].turin : snp_components[component].classic;
}

uint8_t snp_tcb_component(const struct snp_tcb *tcb, enum snp_product product, enum snp_component component)
{
    int at = snp_component_at(product, component);
    return at < 0 ? 0 : tcb->raw[at];
}

enum snp_component snp_tcb_above(const struct snp_tcb *a, const struct snp_tcb *b, enum snp_product product)
{
    for (int i = 0; i < SNP_SPL_COUNT; i++) {
        if (snp_tcb_component(a, product, (enum snp_component)i) > snp_tcb_component(b, product, (enum snp_component)i))
            return (enum snp_component)i;
    }
    return SNP_SPL_COUNT;
}

int snp_version_compare(struct snp_version a, struct snp_version b)
{
    if (a.major != b.major)
        return a.major < b.major ? -1 : 1;
    if (a.minor != b.minor)
        return a.minor < b.minor ? -1 : 1;
    return (a.build > b.build) - (a.build < b.build);
}

unsigned snp_report_signing_key(const struct snp_report *report)
{
    return (report->key_info >> 2) & 7u;
}

bool snp_report_chip_id_masked(const struct snp_report *report)
{
    return attestd_bytes_zero(report->chip_id, SNP_CHIP_ID_SIZE);
}

void snp_report_cpuid_text(const struct snp_report *report, char out[9])
{
    snprintf(out, 9, "%02x-%02x-%02x", report->family, report->model, report->stepping);
}

static const uint8_t *field(struct attestd_reader *reader, size_t len)
{
    return attestd_read_bytes(reader, len).data;
}

static struct snp_tcb tcb(struct attestd_reader *reader)
{
    struct snp_tcb value;
    attestd_read_copy(reader, value.raw, sizeof value.raw);
    return value;
}

/* Build, minor, major: in this order in the report. */
static struct snp_version version(struct attestd_reader *reader)
{
    struct snp_version value;
    value.build = attestd_read_u8(reader);
    value.minor = attestd_read_u8(reader);
    value.major = attestd_read_u8(reader);
    return value;
}

/* Passes over bytes that must be zero, and notes the first that is not. */
static void zeros(struct attestd_reader *reader, size_t len, bool *all_zero, size_t *first)
{
    size_t at = reader->at;
    struct attestd_bytes bytes = attestd_read_bytes(reader, len);
    if (!*all_zero || attestd_bytes_zero(bytes.data, bytes.len))
        return;
    *all_zero = false;
    *first = at;
    while (bytes.data[*first - at] == 0)
        (*first)++;
}

static void reversed(struct attestd_reader *reader, uint8_t *out)
{
    const uint8_t *from = field(reader, SNP_COMPONENT_SIZE);
    for (size_t i = 0; from && i < SNP_COMPONENT_SIZE; i++)
        out[i] = from[SNP_COMPONENT_SIZE - 1 - i];
}

static void read_cpuid(struct attestd_reader *reader, struct snp_report *report)
{
    report->has_cpuid = report->version >= 3;
    if (!report->has_cpuid) {
        zeros(reader, 24, &report->reserved_zero, &report->reserved_at);
        return;
    }
    report->family = attestd_read_u8(reader);
    report->model = attestd_read_u8(reader);
    report->stepping = attestd_read_u8(reader);
    zeros(reader, 21, &report->reserved_zero, &report->reserved_at);
}

static void read_mitigations(struct attestd_reader *reader, struct snp_report *report)
{
    report->has_mitigations = report->version >= 5;
    if (!report->has_mitigations) {
        zeros(reader, 16, &report->reserved_zero, &report->reserved_at);
        return;
    }
    report->launch_mit_vector = attestd_read_u64le(reader);
    report->current_mit_vector = attestd_read_u64le(reader);
}

static void read_signature(struct attestd_reader *reader, struct snp_report *report)
{
    reversed(reader, report->signature);
    zeros(reader, 24, &report->padding_zero, &report->padding_at);
    reversed(reader, report->signature + SNP_COMPONENT_SIZE);
    zeros(reader, 24, &report->padding_zero, &report->padding_at);
    zeros(reader, SNP_REPORT_SIZE - SNP_SIGNATURE_END, &report->padding_zero, &report->padding_at);
}

/* The fields in their order: AMD 56860, ATTESTATION_REPORT. */
static void read_fields(struct attestd_reader *r, struct snp_report *report)
{
    bool *zero = &report->reserved_zero;
    size_t *at = &report->reserved_at;
    report->guest_svn = attestd_read_u32le(r);
    report->policy = attestd_read_u64le(r);
    report->family_id = field(r, 16);
    report->image_id = field(r, 16);
    report->vmpl = attestd_read_u32le(r);
    report->signature_algo = attestd_read_u32le(r);
    report->current_tcb = tcb(r);
    report->platform_info = attestd_read_u64le(r);
    report->key_info = attestd_read_u32le(r);
    zeros(r, 4, zero, at);
    report->report_data = field(r, 64);
    report->measurement = field(r, 48);
    report->host_data = field(r, 32);
    report->id_key_digest = field(r, 48);
    report->author_key_digest = field(r, 48);
    report->report_id = field(r, 32);
    report->report_id_ma = field(r, 32);
    report->reported_tcb = tcb(r);
    read_cpuid(r, report);
    report->chip_id = field(r, SNP_CHIP_ID_SIZE);
    report->committed_tcb = tcb(r);
    report->current_version = version(r);
    zeros(r, 1, zero, at);
    report->committed_version = version(r);
    zeros(r, 1, zero, at);
    report->launch_tcb = tcb(r);
    read_mitigations(r, report);
    zeros(r, 152, zero, at);
    read_signature(r, report);
}

const char *snp_report_read(const uint8_t *bytes, size_t len, struct snp_report *report)
{
    struct attestd_reader reader = attestd_reader_of(bytes, len);
    memset(report, 0, sizeof *report);
    if (len != SNP_REPORT_SIZE)
        return "SNP_REPORT_LENGTH";
    report->raw = (struct attestd_bytes){bytes, len};
    report->reserved_zero = report->padding_zero = true;
    report->version = attestd_read_u32le(&reader);
    /* A version this build has not read about may mean other bytes by the same offsets: 2 to 5 and no other. */
    if (report->version < 2 || report->version > 5)
        return "SNP_REPORT_VERSION";
    read_fields(&reader, report);
    return attestd_reader_done(&reader) ? NULL : "SNP_REPORT_LENGTH";
}

/* AMD 56421, MSG_REPORT_REQ, and the CRL as hosts add it. In text order; mixed order has the first three fields reversed. */
static const struct {
    uint8_t guid[16];
    enum snp_slot slot;
} guids[] = {
    {{0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64, 0x45, 0x64, 0xad, 0xc5, 0xf4, 0xb9, 0x3b, 0xe8, 0xac, 0xcd}, SNP_SLOT_VCEK},
    {{0xa8, 0x07, 0x4b, 0xc2, 0xa2, 0x5a, 0x48, 0x3e, 0xaa, 0xe6, 0x39, 0xc0, 0x45, 0xa0, 0xb8, 0xa1}, SNP_SLOT_VLEK},
    {{0x4a, 0xb7, 0xb3, 0x79, 0xbb, 0xac, 0x4f, 0xe4, 0xa0, 0x2f, 0x05, 0xae, 0xf3, 0x27, 0xc7, 0x82}, SNP_SLOT_INTERMEDIATE},
    {{0xc0, 0xb4, 0x06, 0xa4, 0xa8, 0x03, 0x49, 0x52, 0x97, 0x43, 0x3f, 0xb6, 0x01, 0x4c, 0xd0, 0xae}, SNP_SLOT_ROOT},
    {{0x92, 0xf8, 0x1b, 0xc3, 0x58, 0x11, 0x4d, 0x3d, 0x97, 0xff, 0xd1, 0x9f, 0x88, 0xdc, 0x67, 0xea}, SNP_SLOT_CRL},
};

static bool same_guid(const uint8_t *found, const uint8_t *text)
{
    static const uint8_t mixed[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
    if (memcmp(found, text, 16) == 0)
        return true;
    for (size_t i = 0; i < 16; i++) {
        if (found[i] != text[mixed[i]])
            return false;
    }
    return true;
}

static enum snp_slot slot_of(const uint8_t *guid)
{
    for (size_t i = 0; i < sizeof guids / sizeof guids[0]; i++) {
        if (same_guid(guid, guids[i].guid))
            return guids[i].slot;
    }
    return SNP_SLOT_ANY;
}

bool snp_table_begins(const uint8_t *bytes, size_t len)
{
    if (len < 24)
        return false;
    return slot_of(bytes) != SNP_SLOT_ANY || attestd_bytes_zero(bytes, 24);
}

struct extent {
    size_t from, to;
};

static bool overlaps(const struct extent *taken, size_t count, struct extent next)
{
    for (size_t i = 0; i < count; i++) {
        if (next.from < taken[i].to && taken[i].from < next.to)
            return true;
    }
    return false;
}

static bool slot_taken(const struct snp_table *table, enum snp_slot slot)
{
    for (size_t i = 0; i < table->count; i++) {
        if (table->entries[i].slot == slot)
            return true;
    }
    return false;
}

const char *snp_table_read(const uint8_t *bytes, size_t len, struct snp_table *table, size_t *at)
{
    struct attestd_reader reader = attestd_reader_of(bytes, len);
    struct extent taken[SNP_TABLE_MAX + 1];
    size_t count = 0;

    memset(table, 0, sizeof *table);
    for (;;) {
        *at = reader.at;
        struct attestd_bytes guid = attestd_read_bytes(&reader, 16);
        size_t offset = attestd_read_u32le(&reader);
        size_t size = attestd_read_u32le(&reader);
        if (reader.failed)
            return "SNP_CERT_TABLE_UNTERMINATED";
        if (attestd_bytes_zero(guid.data, guid.len))
            break;
        if (count == SNP_TABLE_MAX)
            return "SNP_CERT_TABLE_TOO_LONG";
        struct attestd_reader blob = attestd_reader_window(&reader, offset, size);
        if (blob.failed || size == 0)
            return "SNP_CERT_TABLE_BOUNDS";
        struct extent extent = {offset, offset + size};
        if (overlaps(taken, count, extent))
            return "SNP_CERT_TABLE_OVERLAP";
        taken[count++] = extent;
        enum snp_slot slot = slot_of(guid.data);
        if (slot == SNP_SLOT_ANY)
            continue;
        if (slot_taken(table, slot))
            return "SNP_CERT_TABLE_DUPLICATE";
        table->entries[table->count++] = (struct snp_table_entry){slot, {bytes + offset, size}};
    }
    /* No blob may lie under the entries, the one that ends them included. */
    if (overlaps(taken, count, (struct extent){0, reader.at})) {
        *at = 0;
        return "SNP_CERT_TABLE_OVERLAP";
    }
    return NULL;
}
