/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/vendor.h"

#include "cache/source.h"
#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define BASE_MAX 512u
#define BACK_OFF_FIRST_MS 250u
#define BACK_OFF_LONGEST_MS (15u * 1000u)
/* A vendor that says 429 without Retry-After, as KDS does at about more than one VCEK in 10 s. */
#define THROTTLE_FIRST_MS (10u * 1000u)
#define THROTTLE_LONGEST_MS (300u * 1000u)

static bool refuse(char *error, size_t error_size, const struct attestd_vendor_base *base, const char *why)
{
    snprintf(error, error_size, "vendor %s: %.200s: %s", base->vendor, base->url != NULL ? base->url : "", why);
    return false;
}

static const char *known_name(const char *name)
{
    const char *const *names;
    size_t count = endorsement_source_vendors(&names);
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return names[i];
    return NULL;
}

/* host as in a URL: IPv6 addresses in brackets. */
static bool is_loopback(const char *host)
{
    struct in_addr v4;
    if (strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0)
        return true;
    return inet_pton(AF_INET, host, &v4) == 1 && ntohl(v4.s_addr) >> 24 == 127;
}

static bool has_part(CURLU *url, CURLUPart part)
{
    char *text = NULL;
    bool there = curl_url_get(url, part, &text, 0) == CURLUE_OK;
    curl_free(text);
    return there;
}

static char *host_and_port(CURLU *url, const char *host)
{
    char *port = NULL, *text = NULL;
    if (curl_url_get(url, CURLUPART_PORT, &port, 0) != CURLUE_OK)
        return strdup(host);
    if (asprintf(&text, "%s:%s", host, port) < 0)
        text = NULL;
    curl_free(port);
    return text;
}

/* NULL: accepted; else why not. */
static const char *read_parts(struct vendor *vendor, CURLU *url)
{
    static const CURLUPart unwanted[] = {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_OPTIONS, CURLUPART_QUERY, CURLUPART_FRAGMENT};
    for (size_t i = 0; i < sizeof unwanted / sizeof *unwanted; i++)
        if (has_part(url, unwanted[i]))
            return "a base has neither user, password, query nor fragment";
    char *scheme = NULL, *host = NULL;
    const char *why = "this is not a URL of a host";
    if (curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK && curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK) {
        vendor->plain = strcmp(scheme, "http") == 0;
        why = NULL;
        if (!vendor->plain && strcmp(scheme, "https") != 0)
            why = "a base is https://";
        else if (vendor->plain && !is_loopback(host))
            why = "http is for loopback only (127.0.0.0/8, ::1, localhost): use https";
        else if ((vendor->host = host_and_port(url, host)) == NULL)
            why = "memory is out";
    }
    curl_free(scheme);
    curl_free(host);
    return why;
}

static const char *read_base(struct vendor *vendor, const char *text)
{
    size_t len = strnlen(text, BASE_MAX + 1);
    if (len == 0 || len > BASE_MAX)
        return "a base has 1 to 512 characters";
    for (size_t i = 0; i < len; i++)
        if (text[i] <= ' ' || text[i] > '~')
            return "a base has no blanks and only ASCII";
    CURLU *url = curl_url();
    if (url == NULL)
        return "memory is out";
    const char *why = "this is not an https:// URL";
    if (curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK)
        why = read_parts(vendor, url);
    curl_url_cleanup(url);
    if (why != NULL)
        return why;
    while (len > 0 && text[len - 1] == '/')
        len--;
    vendor->base = strndup(text, len);
    return vendor->base != NULL ? NULL : "memory is out";
}

bool vendor_init(struct vendor *vendor, const struct attestd_vendor_base *base, double rate, unsigned burst, uint64_t now, char *error,
                 size_t error_size)
{
    *vendor = (struct vendor){.rate = rate, .burst = burst, .tokens = burst, .filled = now};
    vendor->name = base->vendor != NULL ? known_name(base->vendor) : NULL;
    if (vendor->name == NULL) {
        snprintf(error, error_size, "no vendor is known as \"%.64s\"", base->vendor != NULL ? base->vendor : "");
        return false;
    }
    const char *why = read_base(vendor, base->url != NULL ? base->url : endorsement_source_default_base(vendor->name));
    if (why != NULL) {
        vendor_clear(vendor);
        return refuse(error, error_size, base, why);
    }
    if (base->ca_file == NULL)
        return true;
    vendor->ca_file = strdup(base->ca_file);
    if (vendor->ca_file != NULL && access(base->ca_file, R_OK) == 0)
        return true;
    vendor_clear(vendor);
    snprintf(error, error_size, "vendor %s: ca_file %.200s cannot be read", base->vendor, base->ca_file);
    return false;
}

void vendor_clear(struct vendor *vendor)
{
    free(vendor->base);
    free(vendor->host);
    free(vendor->ca_file);
    vendor->base = vendor->host = vendor->ca_file = NULL;
}

bool vendor_open(const struct vendor *vendor, uint64_t now)
{
    return now < vendor->open_until;
}

static double tokens_at(const struct vendor *vendor, uint64_t now)
{
    double tokens = vendor->tokens + (double)(now - vendor->filled) * vendor->rate / 1000.0;
    return tokens < vendor->burst ? tokens : vendor->burst;
}

uint64_t vendor_ready_at(const struct vendor *vendor, uint64_t now)
{
    uint64_t at = now;
    const uint64_t bars[] = {vendor->open_until, vendor->throttled_until, vendor->back_off_until};
    for (size_t i = 0; i < sizeof bars / sizeof *bars; i++)
        at = bars[i] > at ? bars[i] : at;
    double tokens = tokens_at(vendor, at);
    /* One millisecond more than needed: rounding must not make the loop spin. */
    return tokens >= 1 ? at : at + 1 + (uint64_t)((1 - tokens) * 1000.0 / vendor->rate);
}

bool vendor_has_slot(const struct vendor *vendor)
{
    unsigned bound = vendor->open_until != 0 || vendor->throttles > 0 ? 1 : VENDOR_FLIGHTS;
    return vendor->flying < bound;
}

bool vendor_may_start(const struct vendor *vendor, uint64_t now)
{
    return vendor_has_slot(vendor) && vendor_ready_at(vendor, now) <= now;
}

void vendor_start(struct vendor *vendor, uint64_t now)
{
    vendor->tokens = tokens_at(vendor, now) - 1;
    vendor->filled = now;
    vendor->flying++;
    vendor->requests++;
}

/* Between half of it and all of it, so that many verifiers do not come back as one. */
static uint64_t jittered(uint64_t ms)
{
    uint32_t random = 0;
    if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
        random = UINT32_MAX;
    return ms / 2 + (ms / 2) * random / UINT32_MAX;
}

static uint64_t doubled(uint64_t first, unsigned times, uint64_t longest)
{
    uint64_t ms = first;
    for (unsigned i = 1; i < times && ms < longest; i++)
        ms *= 2;
    return ms < longest ? ms : longest;
}

static void throttled(struct vendor *vendor, unsigned retry_after, uint64_t now)
{
    vendor->throttles++;
    uint64_t ms = (uint64_t)(retry_after < VENDOR_RETRY_AFTER_MAX ? retry_after : VENDOR_RETRY_AFTER_MAX) * 1000;
    if (ms == 0) {
        uint64_t longest = doubled(THROTTLE_FIRST_MS, vendor->throttles, THROTTLE_LONGEST_MS);
        ms = longest + jittered(longest / 2);
    }
    if (now + ms > vendor->throttled_until)
        vendor->throttled_until = now + ms;
}

void vendor_end(struct vendor *vendor, enum vendor_answer answer, unsigned retry_after, uint64_t now)
{
    vendor->flying--;
    if (answer == VENDOR_FAILED) {
        vendor->failures++;
        vendor->back_off_until = now + jittered(doubled(BACK_OFF_FIRST_MS, vendor->failures, BACK_OFF_LONGEST_MS));
        if (vendor->open_until != 0 || vendor->failures >= VENDOR_BREAKER_FAILURES)
            vendor->open_until = now + VENDOR_BREAKER_MS;
        return;
    }
    vendor->failures = 0;
    vendor->open_until = 0;
    vendor->back_off_until = 0;
    if (answer == VENDOR_THROTTLED)
        throttled(vendor, retry_after, now);
    else
        vendor->throttles = 0;
}
