/* SPDX-License-Identifier: Apache-2.0 */
/* A growing byte buffer and the few DER encodings (X.690) that certificates and lists need. */
#ifndef ATTESTD_SIMULATOR_DER_H
#define ATTESTD_SIMULATOR_DER_H

#include "sdk/simulator/simulator.h"

/* After a failed allocation `failed` is set, further writes do nothing, and sim_buffer_take() gives {NULL, 0}. */
struct sim_buffer {
    uint8_t *data;
    size_t len, room;
    bool failed;
};

enum sim_der_tag {
    SIM_DER_BOOLEAN = 0x01,
    SIM_DER_INTEGER = 0x02,
    SIM_DER_BIT_STRING = 0x03,
    SIM_DER_OCTET_STRING = 0x04,
    SIM_DER_NULL = 0x05,
    SIM_DER_OID = 0x06,
    SIM_DER_UTF8_STRING = 0x0c,
    SIM_DER_PRINTABLE_STRING = 0x13,
    SIM_DER_IA5_STRING = 0x16,
    SIM_DER_UTC_TIME = 0x17,
    SIM_DER_GENERALIZED_TIME = 0x18,
    SIM_DER_SEQUENCE = 0x30,
    SIM_DER_SET = 0x31,
    SIM_DER_CONTEXT = 0xa0 /* constructed; add the number */
};

void sim_put(struct sim_buffer *, const void *bytes, size_t len);
/* Text as printf writes it, without the NUL; at most 1023 characters. */
void sim_print(struct sim_buffer *, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The bytes go to the caller, who frees them; the buffer is empty again. */
struct sim_bytes sim_buffer_take(struct sim_buffer *);
/* A copy the caller frees; {NULL, 0} when memory ran out or len is 0. */
struct sim_bytes sim_bytes_copy(const void *bytes, size_t len);

/* What is written between open and close becomes the contents; close() takes what open() returned. */
size_t sim_der_open(struct sim_buffer *, unsigned tag);
void sim_der_close(struct sim_buffer *, size_t mark);
void sim_der_put(struct sim_buffer *, unsigned tag, const void *contents, size_t len);
void sim_der_text(struct sim_buffer *, unsigned tag, const char *text);
/* The shortest non-negative INTEGER. */
void sim_der_unsigned(struct sim_buffer *, uint64_t value);
/* The shortest non-negative INTEGER of a big-endian number of any length. */
void sim_der_number(struct sim_buffer *, const uint8_t *bytes, size_t len);
/* Dotted decimal, first arc 0..2. */
void sim_der_oid(struct sim_buffer *, const char *dotted);
/* UTCTime until 2049, GeneralizedTime from 2050 (RFC 5280 4.1.2.5). */
void sim_der_time(struct sim_buffer *, int64_t seconds);
/* A bit string of whole bytes. */
void sim_der_bits(struct sim_buffer *, const void *bytes, size_t len);

#endif
