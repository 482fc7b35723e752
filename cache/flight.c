/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/flight.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct flight *flight_new(struct vendor *vendor, const char *url, const uint8_t digest[RECENT_DIGEST], uint64_t now)
{
    size_t len = strlen(url);
    struct flight *flight = calloc(1, sizeof *flight + len + 1);
    if (flight == NULL)
        return NULL;
    flight->vendor = vendor;
    flight->born = now;
    TAILQ_INIT(&flight->wants);
    TAILQ_INIT(&flight->waits);
    memcpy(flight->digest, digest, RECENT_DIGEST);
    memcpy(flight->url, url, len + 1);
    return flight;
}

void flight_free(struct flight *flight, CURLM *multi)
{
    transfer_clear(&flight->transfer, multi);
    struct want *want;
    while ((want = TAILQ_FIRST(&flight->wants)) != NULL) {
        TAILQ_REMOVE(&flight->wants, want, in_flight);
        free(want);
    }
    free(flight);
}

struct want *flight_want(struct flight *flight, const struct endorsement_source *source, const char *key,
                         const uint8_t digest[RECENT_DIGEST])
{
    struct want *want;
    TAILQ_FOREACH(want, &flight->wants, in_flight)
    if (memcmp(want->digest, digest, RECENT_DIGEST) == 0)
        return want;
    want = calloc(1, sizeof *want);
    if (want == NULL)
        return NULL;
    memcpy(want->digest, digest, RECENT_DIGEST);
    want->source = source;
    snprintf(want->kind, sizeof want->kind, "%s", source->kind);
    snprintf(want->key, sizeof want->key, "%s", key);
    TAILQ_INSERT_TAIL(&flight->wants, want, in_flight);
    return want;
}
