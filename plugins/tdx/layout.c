/* SPDX-License-Identifier: Apache-2.0 */
#include "layout.h"

#include "core/bytes.h"
#include <string.h>

#define HEADER_SIZE 48u

static const uint8_t *take(struct attestd_reader *reader, size_t len)
{
    return attestd_read_bytes(reader, len).data;
}

static void read_enclave(struct attestd_reader *reader, struct dcap_enclave *enclave)
{
    bool zero = true;
    enclave->cpusvn = take(reader, 16);
    enclave->miscselect = attestd_read_u32le(reader);
    zero &= attestd_read_zeros(reader, 12);
    enclave->ext_prod_id = take(reader, 16);
    enclave->attributes = take(reader, 16);
    enclave->mrenclave = take(reader, 32);
    zero &= attestd_read_zeros(reader, 32);
    enclave->mrsigner = take(reader, 32);
    zero &= attestd_read_zeros(reader, 32);
    enclave->config_id = take(reader, 64);
    enclave->prod_id = attestd_read_u16le(reader);
    enclave->svn = attestd_read_u16le(reader);
    enclave->config_svn = attestd_read_u16le(reader);
    zero &= attestd_read_zeros(reader, 42);
    enclave->family_id = take(reader, 16);
    enclave->report_data = take(reader, 64);
    enclave->reserved_zero = zero;
}

static void read_td(struct attestd_reader *reader, struct dcap_td *td, bool is_15)
{
    td->tee_tcb_svn = take(reader, 16);
    td->mrseam = take(reader, 48);
    td->mrsignerseam = take(reader, 48);
    td->seam_attributes = take(reader, 8);
    td->td_attributes = take(reader, 8);
    td->xfam = take(reader, 8);
    td->mrtd = take(reader, 48);
    td->mrconfigid = take(reader, 48);
    td->mrowner = take(reader, 48);
    td->mrownerconfig = take(reader, 48);
    for (size_t i = 0; i < 4; i++)
        td->rtmr[i] = take(reader, 48);
    td->report_data = take(reader, 64);
    if (!is_15)
        return;
    td->tee_tcb_svn2 = take(reader, 16);
    td->mrservicetd = take(reader, 48);
}

static void read_header(struct attestd_reader *reader, struct dcap_quote *quote)
{
    quote->version = attestd_read_u16le(reader);
    quote->key_type = attestd_read_u16le(reader);
    quote->tee = attestd_read_u32le(reader);
    quote->header_word = attestd_read_u32le(reader);
    quote->qe_vendor_id = take(reader, 16);
    quote->user_data = take(reader, 20);
}

static const char *header_fault(const struct dcap_quote *quote)
{
    if (quote->version < 3 || quote->version > 5)
        return CODE("QUOTE_VERSION");
    if (quote->tee != DCAP_TEE)
        return CODE("TEE_TYPE");
    if (quote->version == 3 && quote->tee != DCAP_TEE_SGX)
        return CODE("TEE_TYPE");
    return quote->key_type == 2 ? NULL : CODE("ATTESTATION_KEY_TYPE");
}

/* Version 5 names its body: 1 enclave report, 2 TD report 1.0, 3 TD report 1.5 (sgx_quote_5.h). */
static const char *body_fault(uint16_t type, uint32_t size)
{
    static const uint32_t sizes[] = {0, DCAP_ENCLAVE_SIZE, DCAP_TD_10_SIZE, DCAP_TD_15_SIZE};
    bool of_tee = DCAP_TEE == DCAP_TEE_SGX ? type == 1 : type == 2 || type == 3;
    if (!of_tee)
        return CODE("BODY_TYPE");
    if (size == sizes[type])
        return NULL;
    return size < sizes[type] ? CODE("BODY_TOO_SHORT") : CODE("BODY_TOO_LONG");
}

static const char *read_body(struct attestd_reader *reader, struct dcap_quote *quote)
{
    bool is_15 = false;
    if (quote->version == 5) {
        uint16_t type = attestd_read_u16le(reader);
        uint32_t size = attestd_read_u32le(reader);
        const char *code = reader->failed ? CODE("QUOTE_TRUNCATED") : body_fault(type, size);
        if (code)
            return code;
        is_15 = type == 3;
    }
    if (quote->tee == DCAP_TEE_SGX)
        read_enclave(reader, &quote->enclave);
    else
        read_td(reader, &quote->td, is_15);
    quote->signed_bytes = (struct attestd_bytes){reader->base, reader->at};
    return reader->failed ? CODE("QUOTE_TRUNCATED") : NULL;
}

static const char *read_certification(struct attestd_reader *reader, struct dcap_quote *quote)
{
    struct dcap_ppid ppid;
    quote->certification_type = attestd_read_u16le(reader);
    uint32_t len = attestd_read_u32le(reader);
    quote->certification = attestd_read_bytes(reader, len);
    if (reader->failed)
        return CODE("QUOTE_TRUNCATED");
    if (quote->certification_type < DCAP_PPID_PLAIN || quote->certification_type > DCAP_PCK_CHAIN)
        return CODE("CERTIFICATION_TYPE");
    if (quote->certification_type <= DCAP_PPID_RSA_3072 && !dcap_ppid_read(quote, &ppid))
        return CODE("CERTIFICATION_SIZE");
    return NULL;
}

static const char *read_qe(struct attestd_reader *reader, struct dcap_quote *quote)
{
    struct attestd_bytes report = attestd_read_bytes(reader, DCAP_ENCLAVE_SIZE);
    struct attestd_reader inner = attestd_reader_of(report.data, report.len);
    quote->qe_report = report.data;
    read_enclave(&inner, &quote->qe);
    quote->qe_signature = take(reader, 64);
    uint16_t auth = attestd_read_u16le(reader);
    quote->qe_auth = attestd_read_bytes(reader, auth);
    return reader->failed ? CODE("QUOTE_TRUNCATED") : read_certification(reader, quote);
}

/* Versions 4 and 5 wrap all of the QE's part into certification data of type 6; version 3 does not. */
static const char *read_signature(struct attestd_reader *reader, struct dcap_quote *quote)
{
    quote->signature = take(reader, 64);
    quote->attestation_key = take(reader, 64);
    if (quote->version == 3)
        return read_qe(reader, quote);
    uint16_t type = attestd_read_u16le(reader);
    uint32_t len = attestd_read_u32le(reader);
    size_t begin = reader->at;
    if (reader->failed)
        return CODE("QUOTE_TRUNCATED");
    if (type != DCAP_QE_CERTIFICATION)
        return CODE("CERTIFICATION_OUTER_TYPE");
    const char *code = read_qe(reader, quote);
    if (code)
        return code;
    return reader->at - begin == len ? NULL : CODE("CERTIFICATION_LENGTH");
}

static const char *read_all(struct attestd_reader *reader, struct dcap_quote *quote)
{
    read_header(reader, quote);
    if (reader->failed)
        return CODE("QUOTE_TRUNCATED");
    const char *code = header_fault(quote);
    if (!code)
        code = read_body(reader, quote);
    if (code)
        return code;
    uint32_t len = attestd_read_u32le(reader);
    size_t begin = reader->at;
    code = read_signature(reader, quote);
    if (code)
        return code;
    if (reader->at - begin != len)
        return CODE("SIGNATURE_LENGTH");
    quote->len = reader->at;
    quote->padding = attestd_reader_left(reader);
    return attestd_read_zeros(reader, quote->padding) ? NULL : CODE("TRAILING_BYTES");
}

const char *dcap_quote_read(const uint8_t *bytes, size_t len, struct dcap_quote *quote, size_t *at)
{
    struct attestd_reader reader = attestd_reader_of(bytes, len);
    memset(quote, 0, sizeof *quote);
    *at = 0;
    if (len > DCAP_QUOTE_MAX)
        return CODE("QUOTE_TOO_LARGE");
    const char *code = read_all(&reader, quote);
    *at = reader.at;
    return code;
}

bool dcap_quote_begins(const uint8_t *bytes, size_t len, uint32_t *tee, bool *of_intel)
{
    static const uint8_t intel[16] = {0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9, 0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07};
    struct attestd_reader reader = attestd_reader_of(bytes, len);
    struct dcap_quote quote;
    read_header(&reader, &quote);
    if (reader.failed || quote.version < 3 || quote.version > 5 || (quote.key_type != 2 && quote.key_type != 3))
        return false;
    *tee = quote.tee;
    *of_intel = memcmp(quote.qe_vendor_id, intel, sizeof intel) == 0;
    return true;
}

bool dcap_ppid_read(const struct dcap_quote *quote, struct dcap_ppid *ppid)
{
    static const size_t sizes[] = {0, 16, 256, 384};
    struct attestd_reader reader = attestd_reader_of(quote->certification.data, quote->certification.len);
    if (quote->certification_type < DCAP_PPID_PLAIN || quote->certification_type > DCAP_PPID_RSA_3072)
        return false;
    ppid->ppid = attestd_read_bytes(&reader, sizes[quote->certification_type]);
    ppid->cpusvn = take(&reader, 16);
    ppid->pcesvn = attestd_read_u16le(&reader);
    /* Quotes of type 1 are in circulation that end here. */
    ppid->pceid = quote->certification_type == DCAP_PPID_PLAIN && attestd_reader_left(&reader) == 0 ? 0 : attestd_read_u16le(&reader);
    return attestd_reader_done(&reader);
}
