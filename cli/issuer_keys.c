/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/issuer_keys.h"
#include "core/json.h"
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#define MAX_DOCUMENT ((size_t)256 << 10)

static size_t take(char *bytes, size_t size, size_t count, void *context)
{
    struct attestd_text *text = context;
    if (text->len + size * count > MAX_DOCUMENT)
        return 0;
    attestd_text_add(text, bytes, size * count);
    return size * count;
}

/* GET over TLS, and over plain HTTP from this machine only: who can change the keys can forge every token. */
static const char *get(struct cli_session *session, const char *url, const char *ca)
{
    struct attestd_text text = {0};
    long status = 0;
    bool local = strncmp(url, "http://127.0.0.1:", 17) == 0 || strncmp(url, "http://localhost:", 17) == 0;
    CURL *curl = NULL;
    if (!local && strncmp(url, "https://", 8) != 0)
        fprintf(stderr, "attestctl: %s: keys are fetched by https alone\n", url);
    else
        curl = curl_easy_init();
    if (!curl)
        return NULL;
    curl_easy_setopt(curl, CURLOPT_URL, url); /* redirects are not followed */
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 8000L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &text);
    if (ca)
        curl_easy_setopt(curl, CURLOPT_CAINFO, ca);
    CURLcode result = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    const char *answer = NULL;
    if (result != CURLE_OK)
        fprintf(stderr, "attestctl: %s: %s\n", url, curl_easy_strerror(result));
    else if (status != 200)
        fprintf(stderr, "attestctl: %s: HTTP %ld\n", url, status);
    else
        answer = attestd_arena_text(session->arena, text.data ? text.data : "");
    curl_easy_cleanup(curl);
    attestd_text_free(&text);
    return answer;
}

static const char *discover(struct cli_session *session, const char *issuer, const char *ca)
{
    char error[160];
    size_t len = strlen(issuer);
    while (len > 0 && issuer[len - 1] == '/')
        len--;
    const char *url = attestd_arena_format(session->arena, "%.*s/.well-known/openid-configuration", (int)len, issuer);
    const char *text = get(session, url, ca);
    json_t *document = text ? attestd_json_read(text, strlen(text), 16, error, sizeof error) : NULL;
    if (text && !document)
        fprintf(stderr, "attestctl: %s: %s\n", url, error);
    const char *named = json_string_value(json_object_get(document, "issuer"));
    const char *keys = json_string_value(json_object_get(document, "jwks_uri"));
    const char *place = NULL;
    if (document && (!named || strcmp(named, issuer) != 0))
        fprintf(stderr, "attestctl: %s: it is the document of another issuer (%s)\n", url, named ? named : "none");
    else if (document && !keys)
        fprintf(stderr, "attestctl: %s: it names no jwks_uri\n", url);
    else if (document)
        place = attestd_arena_text(session->arena, keys);
    json_decref(document);
    return place;
}

const char *cli_issuer_keys(struct cli_session *session, const char *issuer, const char *place, const char *ca)
{
    struct attestd_bytes bytes;
    if (!place)
        place = discover(session, issuer, ca);
    if (!place)
        return NULL;
    if (strncmp(place, "https://", 8) == 0 || strncmp(place, "http://", 7) == 0)
        return get(session, place, ca);
    return cli_read_file(session, place, MAX_DOCUMENT, &bytes) ? (const char *)bytes.data : NULL;
}
