/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/transfer.h"

#include "core/engine.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HEADERS_MAX ((size_t)64 << 10)
#define HEADERS_FIRST ((size_t)2 << 10)
#define BODY_FIRST ((size_t)4 << 10)

static bool keep_header(struct transfer *transfer, const char *line, size_t len)
{
    /* A status line begins a response: what an informational one (1xx) said before does not count (RFC 9110 section 15.2). */
    if (len >= 5 && memcmp(line, "HTTP/", 5) == 0)
        transfer->headers_len = 0;
    size_t want = transfer->headers_allocated > 0 ? transfer->headers_allocated : HEADERS_FIRST;
    while (want - transfer->headers_len < len)
        want *= 2; /* bounded: all headers are */
    if (want != transfer->headers_allocated) {
        char *headers = realloc(transfer->headers, want);
        if (headers == NULL)
            return false;
        transfer->headers = headers;
        transfer->headers_allocated = want;
    }
    memcpy(transfer->headers + transfer->headers_len, line, len);
    transfer->headers_len += len;
    return true;
}

/* libcurl hands over whole lines. */
static size_t take_header(char *bytes, size_t size, size_t count, void *context)
{
    struct transfer *transfer = context;
    size_t len = size * count;
    if (len > HEADERS_MAX - transfer->header_bytes) {
        transfer->oversized = true;
        return 0;
    }
    transfer->header_bytes += len;
    return keep_header(transfer, bytes, len) ? len : 0;
}

static bool make_room(struct transfer *transfer, size_t more)
{
    size_t want = transfer->allocated > 0 ? transfer->allocated : BODY_FIRST;
    while (want - transfer->len < more)
        want *= 2; /* bounded: len + more <= max, a few MiB */
    if (want == transfer->allocated)
        return true;
    uint8_t *body = realloc(transfer->body, want);
    if (body == NULL)
        return false;
    transfer->body = body;
    transfer->allocated = want;
    return true;
}

static size_t take_body(char *bytes, size_t size, size_t count, void *context)
{
    struct transfer *transfer = context;
    size_t len = size * count;
    if (len > transfer->max - transfer->len) {
        transfer->oversized = true;
        return 0;
    }
    if (!make_room(transfer, len))
        return 0;
    memcpy(transfer->body + transfer->len, bytes, len);
    transfer->len += len;
    return len;
}

static bool allow_only(CURL *easy, bool plain)
{
#if LIBCURL_VERSION_NUM >= 0x075500
    return curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, plain ? "http" : "https") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, plain ? "http" : "https") == CURLE_OK;
#else
    long protocols = plain ? CURLPROTO_HTTP : CURLPROTO_HTTPS;
    return curl_easy_setopt(easy, CURLOPT_PROTOCOLS, protocols) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS, protocols) == CURLE_OK;
#endif
}

/* Whatever the environment or libcurl's defaults would add is switched off by name. */
static bool restrain(CURL *easy, const struct transfer_request *request)
{
    const struct {
        CURLoption option;
        long value;
    } numbers[] = {
        {CURLOPT_FOLLOWLOCATION, 0},
        {CURLOPT_SSL_VERIFYPEER, 1},
        {CURLOPT_SSL_VERIFYHOST, 2},
        {CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2},
        {CURLOPT_NETRC, CURL_NETRC_IGNORED},
        {CURLOPT_HTTP09_ALLOWED, 0},
        {CURLOPT_NOSIGNAL, 1},
        {CURLOPT_CONNECTTIMEOUT_MS, (long)request->connect_ms},
        {CURLOPT_TIMEOUT_MS, (long)request->total_ms},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (curl_easy_setopt(easy, numbers[i].option, numbers[i].value) != CURLE_OK)
            return false;
    return allow_only(easy, request->plain) && curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_NOPROXY, "*") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_USERAGENT, "attestd/" ATTESTD_VERSION_TEXT) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)request->max) == CURLE_OK &&
           (request->ca_file == NULL || curl_easy_setopt(easy, CURLOPT_CAINFO, request->ca_file) == CURLE_OK);
}

bool transfer_begin(struct transfer *transfer, CURLM *multi, const struct transfer_request *request, void *owner)
{
    *transfer = (struct transfer){.max = request->max};
    CURL *easy = curl_easy_init();
    if (easy == NULL)
        return false;
    bool set = restrain(easy, request) && curl_easy_setopt(easy, CURLOPT_URL, request->url) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_PRIVATE, owner) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer) == CURLE_OK && curl_multi_add_handle(multi, easy) == CURLM_OK;
    if (!set) {
        curl_easy_cleanup(easy);
        return false;
    }
    transfer->easy = easy;
    return true;
}

static struct transfer_answer broken(const struct transfer *transfer, CURLcode code)
{
    static const struct {
        CURLcode code;
        const char *detail;
    } reasons[] = {
        {CURLE_COULDNT_RESOLVE_HOST, "the name of the vendor's host does not resolve"},
        {CURLE_COULDNT_CONNECT, "the vendor's host cannot be reached"},
        {CURLE_OPERATION_TIMEDOUT, "the vendor did not answer in time"},
        {CURLE_PEER_FAILED_VERIFICATION, "the vendor's TLS certificate is not trusted"},
        {CURLE_SSL_CONNECT_ERROR, "no TLS connection to the vendor comes about"},
        {CURLE_SSL_CACERT_BADFILE, "the configured ca_file cannot be used"},
    };
    if (transfer->oversized || code == CURLE_FILESIZE_EXCEEDED)
        return (struct transfer_answer){ANSWER_OVERSIZED, 0, "the vendor's answer is larger than its kind may be"};
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i].code == code)
            return (struct transfer_answer){ANSWER_FAILED, 0, reasons[i].detail};
    return (struct transfer_answer){ANSWER_FAILED, 0, "the vendor's answer broke off"};
}

static struct transfer_answer by_status(long status, unsigned retry_after)
{
    if (status == 200)
        return (struct transfer_answer){ANSWER_BODY, 0, NULL};
    if (status == 404 || status == 410)
        return (struct transfer_answer){ANSWER_NOT_FOUND, 0, "the vendor says that it does not exist"};
    if (status == 429 || (status == 503 && retry_after > 0))
        return (struct transfer_answer){ANSWER_THROTTLED, retry_after, "the vendor asks for patience (429 or 503)"};
    if (status >= 500)
        return (struct transfer_answer){ANSWER_FAILED, 0, "the vendor answered with a server error (5xx)"};
    if (status >= 300 && status < 400)
        return (struct transfer_answer){ANSWER_REFUSED, 0, "the vendor answered with a redirect, which is not followed"};
    if (status == 408)
        return (struct transfer_answer){ANSWER_FAILED, 0, "the vendor did not answer in time"};
    return (struct transfer_answer){ANSWER_REFUSED, 0, "the vendor refused the request"};
}

struct transfer_answer transfer_end(struct transfer *transfer, CURLM *multi, CURLcode code)
{
    long status = 0;
    curl_off_t wait = 0;
    (void)curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(transfer->easy, CURLINFO_RETRY_AFTER, &wait); /* both forms: seconds and date (RFC 9110 section 10.2.3) */
    curl_multi_remove_handle(multi, transfer->easy);
    curl_easy_cleanup(transfer->easy);
    transfer->easy = NULL;
    if (code != CURLE_OK)
        return broken(transfer, code);
    return by_status(status, wait <= 0 ? 0 : wait > INT_MAX ? INT_MAX : (unsigned)wait);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

const char *transfer_header(const struct transfer *transfer, const char *name, size_t *len)
{
    const char *found = NULL, *line = transfer->headers;
    size_t left = transfer->headers_len, name_len = strlen(name);
    while (left > 0) {
        const char *end = memchr(line, '\n', left);
        size_t line_len = end != NULL ? (size_t)(end - line) + 1 : left;
        if (line_len > name_len && line[name_len] == ':' && strncasecmp(line, name, name_len) == 0) {
            if (found != NULL)
                return NULL; /* which of them is meant cannot be said */
            found = line + name_len + 1;
            *len = line_len - name_len - 1;
        }
        line += line_len;
        left -= line_len;
    }
    for (; found != NULL && *len > 0 && is_blank(found[0]); found++)
        --*len;
    while (found != NULL && *len > 0 && is_blank(found[*len - 1]))
        --*len;
    return found;
}

void transfer_clear(struct transfer *transfer, CURLM *multi)
{
    if (transfer->easy != NULL) {
        curl_multi_remove_handle(multi, transfer->easy);
        curl_easy_cleanup(transfer->easy);
    }
    free(transfer->body);
    free(transfer->headers);
    *transfer = (struct transfer){0};
}
