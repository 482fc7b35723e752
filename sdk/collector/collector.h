/* SPDX-License-Identifier: Apache-2.0 */
/* Inside libattest-collector: what its files share. */
#ifndef ATTEST_COLLECTOR_INTERNAL_H
#define ATTEST_COLLECTOR_INTERNAL_H

#include "sdk/collector/attest.h"

#include <openssl/evp.h>

#define COLLECTOR_NAME_MAX 32
#define COLLECTOR_MAX_DATA 32
#define COLLECTOR_FIELD_SIZE 64       /* REPORT_DATA */
#define COLLECTOR_MAX_BLOB (1u << 20) /* of a report or a certificate table */
#define COLLECTOR_MAX_LOG (3u << 19)  /* of an event log: in base64 half of attestd's default body limit */
#define COLLECTOR_ATTEMPTS 8          /* at a device that is busy, or raced for */

struct collector_datum {
    char name[COLLECTOR_NAME_MAX + 1];
    uint8_t *value;
    size_t len;
};

struct attest {
    char *root, *url, *ca_file, *policy, *audience, *token_kind;
    unsigned patience;                               /* seconds that attest_get_token() may spend waiting */
    struct collector_datum data[COLLECTOR_MAX_DATA]; /* bytewise order of names */
    size_t data_count;
    EVP_PKEY *key;
    char detail[768];
};

/* Sets detail and returns the status, so that a failure is one line. */
enum attest_status collector_fail(struct attest *, enum attest_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* --- What the hardware gave. --- */

struct collector_evidence {
    const char *type;               /* of attestd's plugins: "snp", "tdx" */
    uint8_t *report, *certificates; /* certificates NULL: the host gives none */
    size_t report_len, certificates_len;
    uint8_t *ccel, *ccel_table; /* the firmware's event log and its ACPI table; NULL: none */
    size_t ccel_len, ccel_table_len;
};
void collector_evidence_free(struct collector_evidence *);

/*
 * The evidence over the field's 64 bytes from one interface: OK; NO_TEE when this machine has not got the interface (*missing says
 * what was looked for: a phrase to be shown); TEE_FAILED when it has, and it refused.
 */
typedef enum attest_status collector_interface(struct attest *, const uint8_t field[COLLECTOR_FIELD_SIZE],
                                               struct collector_evidence *evidence, char missing[256]);
collector_interface collector_tsm_report; /* configfs-tsm */
collector_interface collector_sev_guest;  /* /dev/sev-guest */
collector_interface collector_tdx_guest;  /* /dev/tdx_guest and the host's quote generation service */

/* The field a report is over, borrowed; NULL when it is too short, or no report of the evidence's type. */
const uint8_t *collector_report_data(const struct collector_evidence *);
/* Adds the firmware's event log to the evidence of a trust domain, where this machine has one. */
void collector_add_event_log(const struct attest *, struct collector_evidence *);
/* The whole file, at most `most` bytes, to be freed; NULL with errno set. One byte more than *len is there and zero. */
uint8_t *collector_read_file(const char *path, size_t most, size_t *len);

/* Sleeps before attempt number `attempt` (1, 2, ..): 10 ms, doubling. */
void collector_pause(unsigned attempt);

/* --- The key. --- */

/* Makes one if there is none. */
bool collector_have_key(struct attest *);
/* Public JWK, members in RFC 7638's order and nothing else, so that its SHA-256 is the thumbprint; free(). */
char *collector_key_jwk(const struct attest *);

/* --- Binding (docs/binding.md, layout attestd-v1): D over what the caller set, for one piece of evidence and no devices. --- */
bool collector_binding(const struct attest *, const uint8_t *nonce, size_t nonce_len, uint8_t d[COLLECTOR_FIELD_SIZE]);

/* --- Encodings; the caller frees, NULL when memory ran out. --- */
char *collector_base64(const uint8_t *bytes, size_t len);
char *collector_base64url(const uint8_t *bytes, size_t len);
char *collector_hex(const uint8_t *bytes, size_t len);
/* base64 or base64url, padded or not. False when it is neither or longer than room. */
bool collector_base64_read(const char *text, uint8_t *out, size_t room, size_t *len);

/* --- The verifier. --- */

struct collector_answer {
    long status;      /* of HTTP */
    long retry_after; /* seconds; -1: not said */
    char *body;
    size_t len;
};
/* One POST of JSON to url + path. NO_SERVICE when there was no answer. The caller frees answer->body. */
enum attest_status collector_post(struct attest *, const char *path, const char *json, struct collector_answer *answer);

#endif
