/* SPDX-License-Identifier: Apache-2.0 */
/* The only network code of the collector: one JSON POST, over verified TLS, with bounded time and size. */
#include "sdk/collector/collector.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ANSWER = 4 << 20, CONNECT_SECONDS = 5, TOTAL_SECONDS = 30 };

static void start_curl(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

static size_t keep(char *bytes, size_t size, size_t count, void *context)
{
    struct collector_answer *answer = context;
    size_t len = size * count;
    if (len > MOST_ANSWER - answer->len) {
        return 0;
    }
    char *body = realloc(answer->body, answer->len + len + 1);
    if (!body) {
        return 0;
    }
    memcpy(body + answer->len, bytes, len);
    answer->body = body;
    answer->len += len;
    body[answer->len] = '\0';
    return len;
}

/* Evidence is no secret, but the token is worth something: in the clear only within this machine. */
static bool url_is_safe(const char *url)
{
    static const char *const loopback[] = {"http://127.0.0.1", "http://localhost", "http://[::1]"};
    if (strncmp(url, "https://", 8) == 0) {
        return true;
    }
    for (size_t i = 0; i < sizeof loopback / sizeof *loopback; i++) {
        size_t len = strlen(loopback[i]);
        if (strncmp(url, loopback[i], len) == 0 && (url[len] == ':' || url[len] == '/' || url[len] == '\0')) {
            return true;
        }
    }
    return false;
}

static void set_options(CURL *curl, const struct attest *attest, const char *url, const char *json, struct curl_slist *headers,
                        struct collector_answer *answer, char *why)
{
    curl_easy_setopt(curl, CURLOPT_URL, url);
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https,http");
#else
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTPS | CURLPROTO_HTTP));
#endif
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (attest->ca_file) {
        curl_easy_setopt(curl, CURLOPT_CAINFO, attest->ca_file);
        curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
    }
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, json);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(json));
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)TOTAL_SECONDS);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "attest");
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why);
}

enum attest_status collector_post(struct attest *attest, const char *path, const char *json, struct collector_answer *answer)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, start_curl);
    *answer = (struct collector_answer){.retry_after = -1};
    if (!attest->url || !url_is_safe(attest->url)) {
        return collector_fail(attest, ATTEST_USAGE,
                              attest->url ? "the verifier's URL must be https (plain http on loopback only)"
                                          : "the verifier's URL is not set");
    }
    char url[2048], why[CURL_ERROR_SIZE] = "";
    size_t base = strlen(attest->url);
    while (base > 0 && attest->url[base - 1] == '/') {
        base--;
    }
    if ((size_t)snprintf(url, sizeof url, "%.*s%s", (int)base, attest->url, path) >= sizeof url) {
        return collector_fail(attest, ATTEST_USAGE, "the verifier's URL is too long");
    }
    CURL *curl = curl_easy_init();
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    headers = headers ? curl_slist_append(headers, "Accept: application/json") : NULL;
    CURLcode code = CURLE_OUT_OF_MEMORY;
    if (curl && headers) {
        set_options(curl, attest, url, json, headers, answer, why);
        code = curl_easy_perform(curl);
    }
    curl_off_t seconds = 0;
    if (code == CURLE_OK) {
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer->status);
        if (curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &seconds) == CURLE_OK && seconds > 0) {
            answer->retry_after = seconds < 86400 ? (long)seconds : 86400;
        }
    }
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    if (code != CURLE_OK) {
        free(answer->body);
        answer->body = NULL;
        return collector_fail(attest, ATTEST_NO_SERVICE, "%s: %s", url, *why ? why : curl_easy_strerror(code));
    }
    return ATTEST_OK;
}
