/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/attestctl.h"
#include "cli/session.h"
#include "core/json.h"
#include <curl/curl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "usage: attestctl health [--url URL] [--ca FILE] [--unix SOCKET] [--json]\n\n"
    "Asks a running attestd for /readyz. URL is https://127.0.0.1:8443 unless given; --ca is the PEM of its certificate or CA.\n"
    "Exit: 0 ready (also when degraded: the reasons are printed), 1 not ready or out of reach.\n";

#define MAX_ANSWER ((size_t)64 << 10)

static size_t take(char *bytes, size_t size, size_t count, void *context)
{
    struct attestd_text *text = context;
    if (text->len + size * count > MAX_ANSWER)
        return 0;
    attestd_text_add(text, bytes, size * count);
    return size * count;
}

static void print_plain(const struct attestd_text *text, long status)
{
    json_t *answer = attestd_json_read(text->data ? text->data : "", text->len, 16, NULL, 0);
    const json_t *ready = json_object_get(answer, "ready");
    const char *word = !json_is_boolean(ready)                             ? "no status"
                       : !json_is_true(ready)                              ? "not ready"
                       : json_is_true(json_object_get(answer, "degraded")) ? "ready, degraded"
                                                                           : "ready";
    printf("%s (HTTP %ld)\n", word, status);
    size_t index;
    json_t *reason;
    json_array_foreach(json_object_get(answer, "reasons"), index, reason)
    {
        const char *what = json_string_value(json_object_get(reason, "what"));
        const char *detail = json_string_value(json_object_get(reason, "detail"));
        printf("  %s: %s\n", what ? what : "?", detail ? detail : "");
    }
    json_decref(answer);
}

static int ask(const char *url, const char *ca, const char *socket_path, bool json)
{
    char address[1024];
    struct attestd_text text = {0};
    long status = 0;
    CURL *curl = curl_easy_init();
    if (!curl)
        return EXIT_INTERNAL;
    snprintf(address, sizeof address, "%s/readyz", url);
    curl_easy_setopt(curl, CURLOPT_URL, address);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 5000L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &text);
    if (ca)
        curl_easy_setopt(curl, CURLOPT_CAINFO, ca);
    if (socket_path)
        curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, socket_path);
    CURLcode result = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (result != CURLE_OK)
        fprintf(stderr, "attestctl: %s: %s\n", address, curl_easy_strerror(result));
    else if (json)
        puts(text.data ? text.data : "");
    else
        print_plain(&text, status);
    curl_easy_cleanup(curl);
    attestd_text_free(&text);
    return result == CURLE_OK && status == 200 ? EXIT_OK : EXIT_FAILED;
}

int attestctl_health(int argc, char **argv)
{
    static const struct option options[] = {{"url", required_argument, NULL, 'u'},  {"ca", required_argument, NULL, 'c'},
                                            {"unix", required_argument, NULL, 'x'}, {"json", no_argument, NULL, 'j'},
                                            {"help", no_argument, NULL, 'h'},       {NULL, 0, NULL, 0}};
    const char *url = NULL, *ca = NULL, *socket_path = NULL;
    bool json = false;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (option) {
        case 'u':
            url = optarg;
            break;
        case 'c':
            ca = optarg;
            break;
        case 'x':
            socket_path = optarg;
            break;
        case 'j':
            json = true;
            break;
        case 'h':
            fputs(help, stdout);
            return EXIT_OK;
        default:
            return EXIT_USAGE_ERROR;
        }
    }
    if (optind != argc)
        return cli_usage_error("health", "takes no FILE");
    if (!url)
        url = socket_path ? "http://localhost" : "https://127.0.0.1:8443";
    return ask(url, ca, socket_path, json);
}
