/* SPDX-License-Identifier: Apache-2.0 */
/* One GET over libcurl: one URL, no redirect, no proxy, verified TLS, bounded in bytes and time. For the fetcher's thread alone. */
#ifndef ATTESTD_CACHE_TRANSFER_H
#define ATTESTD_CACHE_TRANSFER_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct transfer {
    CURL *easy;
    uint8_t *body;
    size_t len, allocated, max;
    size_t header_bytes; /* of all responses, informational ones too */
    char *headers;       /* lines of the last response; no NUL at the end */
    size_t headers_len, headers_allocated;
    bool oversized;
};

struct transfer_request {
    const char *url;
    bool plain;          /* http; else https */
    const char *ca_file; /* besides the system's; may be NULL */
    unsigned connect_ms, total_ms;
    size_t max; /* bytes of the answer */
};

enum transfer_answer_kind {
    ANSWER_BODY,      /* 200 */
    ANSWER_NOT_FOUND, /* 404, 410 */
    ANSWER_THROTTLED, /* 429; 503 with Retry-After */
    ANSWER_REFUSED,   /* any other answer that asking again would not better */
    ANSWER_OVERSIZED,
    ANSWER_FAILED /* out of reach, late, cut off, 5xx: worth another try */
};

struct transfer_answer {
    enum transfer_answer_kind kind;
    unsigned retry_after; /* seconds, 0: none named */
    const char *detail;   /* static */
};

/* Starts it; the end comes as a message of the multi handle with `owner` as CURLINFO_PRIVATE. False when memory is out. */
bool transfer_begin(struct transfer *, CURLM *, const struct transfer_request *, void *owner);
/* After its message: what came; body and headers stay until transfer_clear. */
struct transfer_answer transfer_end(struct transfer *, CURLM *, CURLcode);
/* The value of a header (case of the name aside), without the blanks around it. NULL when there is none, or more than one. Not
 * NUL-terminated; stays until transfer_clear. */
const char *transfer_header(const struct transfer *, const char *name, size_t *len);
/* Also breaks off one that is under way. */
void transfer_clear(struct transfer *, CURLM *);

#endif
