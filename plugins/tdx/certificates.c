/* SPDX-License-Identifier: Apache-2.0 */
#include "certificates.h"

#include "core/bytes.h"
#include <string.h>

#define OID_SGX "1.2.840.113741.1.13.1"

enum { DER_BOOLEAN = 0x01, DER_INTEGER = 0x02, DER_OCTETS = 0x04, DER_OID = 0x06, DER_ENUMERATED = 0x0a, DER_SEQUENCE = 0x30 };

/* 1.2.840.113741.1.13.1 as DER; what follows numbers the field. */
static const uint8_t sgx_oid[9] = {0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01};

/* One element with a length of at most 65535, in its shortest form. {NULL, 0} and a failed reader when it is none of this tag. */
static struct attestd_bytes element(struct attestd_reader *reader, uint8_t tag)
{
    bool right = attestd_read_u8(reader) == tag;
    size_t len = attestd_read_u8(reader), least = 0;
    if (len == 0x81) {
        len = attestd_read_u8(reader);
        least = 0x80;
    } else if (len == 0x82) {
        len = attestd_read_u16be(reader);
        least = 0x100;
    } else if (len > 0x82 || len == 0x80) {
        right = false;
    }
    if (!right || len < least)
        reader->failed = true;
    return attestd_read_bytes(reader, len);
}

static bool small(struct attestd_reader *reader, uint8_t tag, uint16_t *out)
{
    struct attestd_bytes value = element(reader, tag);
    if (reader->failed || value.len < 1 || value.len > 3 || value.data[0] > 0x7f || (value.len == 3 && value.data[0] != 0))
        return false;
    unsigned number = 0;
    for (size_t i = 0; i < value.len; i++)
        number = number << 8 | value.data[i];
    *out = (uint16_t)number;
    return true;
}

static bool octets(struct attestd_reader *reader, uint8_t *out, size_t size)
{
    struct attestd_bytes value = element(reader, DER_OCTETS);
    if (reader->failed || value.len != size)
        return false;
    memcpy(out, value.data, size);
    return true;
}

static bool boolean(struct attestd_reader *reader, bool *out)
{
    struct attestd_bytes value = element(reader, DER_BOOLEAN);
    if (reader->failed || value.len != 1)
        return false;
    *out = value.data[0] != 0;
    return true;
}

/* The next SEQUENCE of OID and value below a prefix: the number behind the prefix, and a reader at the value. */
static bool next_field(struct attestd_reader *fields, const uint8_t *prefix, size_t prefix_len, uint8_t *number,
                       struct attestd_reader *value)
{
    struct attestd_bytes field = element(fields, DER_SEQUENCE);
    *value = attestd_reader_of(field.data, field.len);
    struct attestd_bytes oid = element(value, DER_OID);
    if (fields->failed || value->failed || oid.len != prefix_len + 1 || memcmp(oid.data, prefix, prefix_len) != 0)
        return false;
    *number = oid.data[prefix_len];
    return true;
}

static bool read_tcb(struct attestd_reader *reader, struct dcap_pck *pck)
{
    struct attestd_bytes sequence = element(reader, DER_SEQUENCE);
    struct attestd_reader fields = attestd_reader_of(sequence.data, sequence.len), value;
    uint8_t prefix[sizeof sgx_oid + 1], number;
    uint32_t seen = 0;
    memcpy(prefix, sgx_oid, sizeof sgx_oid);
    prefix[sizeof sgx_oid] = 2;
    if (reader->failed)
        return false;
    while (attestd_reader_left(&fields) > 0) {
        if (!next_field(&fields, prefix, sizeof prefix, &number, &value) || number < 1 || number > 18 || (seen >> number & 1))
            return false;
        seen |= UINT32_C(1) << number;
        bool good = number <= 16   ? small(&value, DER_INTEGER, &pck->components[number - 1])
                    : number == 17 ? small(&value, DER_INTEGER, &pck->pcesvn)
                                   : octets(&value, pck->cpusvn, 16);
        if (!good || !attestd_reader_done(&value))
            return false;
    }
    return seen == UINT32_C(0x7fffe);
}

static bool read_configuration(struct attestd_reader *reader, struct dcap_pck *pck)
{
    struct attestd_bytes sequence = element(reader, DER_SEQUENCE);
    struct attestd_reader fields = attestd_reader_of(sequence.data, sequence.len), value;
    bool *const flags[] = {NULL, &pck->dynamic_platform, &pck->cached_keys, &pck->smt_enabled};
    uint8_t prefix[sizeof sgx_oid + 1], number;
    memcpy(prefix, sgx_oid, sizeof sgx_oid);
    prefix[sizeof sgx_oid] = 7;
    if (reader->failed)
        return false;
    while (attestd_reader_left(&fields) > 0) {
        if (!next_field(&fields, prefix, sizeof prefix, &number, &value))
            return false;
        if (number >= 1 && number <= 3 && !boolean(&value, flags[number]))
            return false;
    }
    pck->has_configuration = true;
    return true;
}

static bool read_field(struct attestd_reader *value, uint8_t number, struct dcap_pck *pck)
{
    uint16_t type;
    switch (number) {
    case 1:
        return octets(value, pck->ppid, 16);
    case 2:
        return read_tcb(value, pck);
    case 3:
        return octets(value, pck->pceid, 2);
    case 4:
        return octets(value, pck->fmspc, 6);
    case 5:
        if (!small(value, DER_ENUMERATED, &type) || type > 255)
            return false;
        pck->sgx_type = (uint8_t)type;
        return true;
    case 6:
        pck->has_piid = true;
        return octets(value, pck->piid, 16);
    case 7:
        return read_configuration(value, pck);
    default:
        return true; /* fields to come */
    }
}

bool dcap_pck_read(const struct attestd_certificate *certificate, struct dcap_pck *pck)
{
    struct attestd_bytes extension = attestd_certificate_extension(certificate, OID_SGX);
    struct attestd_reader reader = attestd_reader_of(extension.data, extension.len), value;
    const char *ca = dcap_ca_key(attestd_certificate_issuer_cn(certificate));
    uint32_t seen = 0;
    memset(pck, 0, sizeof *pck);
    if (!ca || strcmp(attestd_certificate_subject_cn(certificate), DCAP_CN_PCK) != 0)
        return false;
    pck->of_platform_ca = strcmp(ca, "platform") == 0;
    struct attestd_bytes sequence = element(&reader, DER_SEQUENCE);
    struct attestd_reader fields = attestd_reader_of(sequence.data, sequence.len);
    if (!attestd_reader_done(&reader))
        return false;
    while (attestd_reader_left(&fields) > 0) {
        uint8_t number;
        if (!next_field(&fields, sgx_oid, sizeof sgx_oid, &number, &value) || number > 31 || (seen >> number & 1))
            return false;
        seen |= UINT32_C(1) << number;
        if (!read_field(&value, number, pck))
            return false;
    }
    return (seen & 0x3e) == 0x3e;
}

const char *dcap_ca_key(const char *common_name)
{
    if (strcmp(common_name, "Intel SGX PCK Platform CA") == 0)
        return "platform";
    return strcmp(common_name, "Intel SGX PCK Processor CA") == 0 ? "processor" : NULL;
}
