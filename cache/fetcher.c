/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/fetcher.h"

#include "cache/answer_part.h"
#include "cache/budget.h"
#include "cache/fair_queue.h"
#include "cache/hold_back.h"
#include "core/digest.h"
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define QUEUE_PER_CALLER 16u
#define QUEUE_TRUSTED 256u   /* of the callers without a name, and of background refresh */
#define QUEUE_STRANGERS 768u /* of all strangers together: the rest is for known callers */
#define QUEUE_ALL 1024u
#define FLIGHT_ATTEMPTS 3u
#define FLIGHT_LIFE_MS (300u * 1000u) /* a queued one that nobody waits for any more */
#define LANDED_MS 2000u               /* who looked into the cache just before the answer came finds it here, and asks nobody again */
#define MARGIN_MS 500u                /* of a deadline, for the answer itself */
#define TICK_MS 1000u
#define TABLE_BUCKETS 256u

static const char caller_refresh[] = "\nrefresh"; /* no caller is named so */

struct fetcher {
    struct fetcher_options options;
    uint8_t key[32]; /* of all digests: nobody outside can choose where they fall */
    CURLM *multi;
    pthread_t thread;

    pthread_mutex_t lock; /* of all below; never held while a callback runs */
    pthread_cond_t told;
    bool stopping;
    struct fetcher_wait *telling; /* its done() runs */
    struct vendor *vendors;
    struct fair_queue *queues; /* one a vendor */
    size_t vendor_count;
    struct flight_list table[TABLE_BUCKETS];
    struct flight_list landed;
    struct wait_list by_deadline, decided;
    struct hold_back *hold_back;
    struct budget *budget;
    struct fetcher_counts counts;
    uint64_t next_tick; /* the thread's own */
};

uint64_t fetcher_clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static unsigned seconds_until(uint64_t at, uint64_t now)
{
    return at > now ? (unsigned)((at - now + 999) / 1000) : 0;
}

/* What is asked for, worked out before the lock is taken. */

struct question {
    const char *kind, *key, *caller_name;
    const struct endorsement_source *source;
    struct vendor *vendor; /* NULL: see detail */
    const char *detail;
    bool stranger;
    uint8_t url_digest[RECENT_DIGEST], want_digest[RECENT_DIGEST], caller[RECENT_DIGEST];
    char url[SOURCE_URL_MAX + 512 + 1];
};

static void keyed_digest(const struct fetcher *fetcher, const char *first, const char *second, uint8_t out[RECENT_DIGEST])
{
    char text[ENDORSEMENT_KIND_MAX + sizeof((struct question *)0)->url + 2];
    uint8_t mac[32];
    int len = snprintf(text, sizeof text, "%s\n%s", first, second);
    attestd_hmac_sha256(fetcher->key, sizeof fetcher->key, text, (size_t)len < sizeof text ? (size_t)len : sizeof text - 1, mac);
    memcpy(out, mac, RECENT_DIGEST);
}

static struct vendor *find_vendor(const struct fetcher *fetcher, const char *name)
{
    for (size_t i = 0; i < fetcher->vendor_count; i++)
        if (strcmp(fetcher->vendors[i].name, name) == 0)
            return &fetcher->vendors[i];
    return NULL;
}

/* Static phrase why nobody can be asked, or NULL. */
static const char *find_source(const struct fetcher *fetcher, struct question *question)
{
    if (strnlen(question->kind, ENDORSEMENT_KIND_MAX + 1) > ENDORSEMENT_KIND_MAX ||
        strnlen(question->key, ENDORSEMENT_KEY_MAX + 1) > ENDORSEMENT_KEY_MAX)
        return "there is no such kind or key";
    const struct endorsement_source *source = endorsement_source_find(question->kind);
    if (source == NULL)
        return "nobody is known to publish this kind";
    struct vendor *vendor = NULL;
    for (; source != NULL; source = endorsement_source_next(source)) {
        if (source->vendor == NULL)
            return source->absent;
        if ((vendor = find_vendor(fetcher, source->vendor)) != NULL)
            break;
    }
    if (vendor == NULL)
        return "the configuration names no address of this kind's vendor";
    char path[SOURCE_URL_MAX];
    const char *why = source->path(question->key, path, sizeof path);
    if (why != NULL)
        return why;
    int len = snprintf(question->url, sizeof question->url, "%s%s", vendor->base, path);
    if (len < 0 || (size_t)len >= sizeof question->url)
        return "the address would be too long";
    question->source = source;
    question->vendor = vendor;
    return NULL;
}

static void pose(const struct fetcher *fetcher, struct question *question, const char *kind, const char *key, const char *caller,
                 bool stranger)
{
    *question = (struct question){.kind = kind, .key = key, .caller_name = caller, .stranger = stranger};
    question->detail = find_source(fetcher, question);
    if (question->detail != NULL)
        return;
    keyed_digest(fetcher, "url", question->url, question->url_digest);
    keyed_digest(fetcher, kind, question->url, question->want_digest);
    uint8_t mac[32]; /* names of callers may be of any length */
    attestd_hmac_sha256(fetcher->key, sizeof fetcher->key, caller, strlen(caller), mac);
    memcpy(question->caller, mac, RECENT_DIGEST);
}

/* Waits (under the lock) */

static void decide(struct fetcher *fetcher, struct fetcher_wait *wait, enum fetch_outcome outcome, unsigned retry_after, const char *detail)
{
    if (wait->flight != NULL) {
        TAILQ_REMOVE(&wait->flight->waits, wait, in_flight);
        TAILQ_REMOVE(&fetcher->by_deadline, wait, in_time);
        wait->flight = NULL;
    }
    wait->state = WAIT_DECIDED;
    wait->outcome = outcome;
    wait->retry_after = retry_after;
    wait->detail = detail;
    TAILQ_INSERT_TAIL(&fetcher->decided, wait, in_time);
}

/* Deadlines mostly come in order: the search is short. */
static void insert_by_deadline(struct wait_list *list, struct fetcher_wait *wait)
{
    struct fetcher_wait *before = TAILQ_LAST(list, wait_list);
    while (before != NULL && before->deadline > wait->deadline)
        before = TAILQ_PREV(before, wait_list, in_time);
    if (before != NULL)
        TAILQ_INSERT_AFTER(list, before, wait, in_time);
    else
        TAILQ_INSERT_HEAD(list, wait, in_time);
}

static void join(struct fetcher *fetcher, struct fetcher_wait *wait, struct flight *flight, struct want *want)
{
    wait->flight = flight;
    wait->want = want;
    TAILQ_INSERT_TAIL(&flight->waits, wait, in_flight);
    insert_by_deadline(&fetcher->by_deadline, wait);
}

/* Flights (under the lock) */

static struct fair_queue *queue_of(struct fetcher *fetcher, const struct vendor *vendor)
{
    return &fetcher->queues[vendor - fetcher->vendors];
}

static struct flight_list *bucket_of(struct fetcher *fetcher, const uint8_t digest[RECENT_DIGEST])
{
    return &fetcher->table[digest[0] % TABLE_BUCKETS];
}

static struct flight *find_flight(struct fetcher *fetcher, const uint8_t digest[RECENT_DIGEST])
{
    struct flight *flight;
    TAILQ_FOREACH(flight, bucket_of(fetcher, digest), in_table)
    if (memcmp(flight->digest, digest, RECENT_DIGEST) == 0)
        return flight;
    return NULL;
}

static void answer_all(struct fetcher *fetcher, struct flight *flight, enum fetch_outcome outcome, unsigned retry_after, const char *detail)
{
    struct fetcher_wait *wait;
    while ((wait = TAILQ_FIRST(&flight->waits)) != NULL)
        decide(fetcher, wait, outcome, retry_after, detail);
}

/* Nobody waits on it any more. */
static void drop_flight(struct fetcher *fetcher, struct flight *flight)
{
    TAILQ_REMOVE(bucket_of(fetcher, flight->digest), flight, in_table);
    if (flight->state == FLIGHT_QUEUED && flight->line != NULL)
        fair_queue_remove(queue_of(fetcher, flight->vendor), flight);
    if (flight->state == FLIGHT_LANDED)
        TAILQ_REMOVE(&fetcher->landed, flight, in_landed);
    flight_free(flight, fetcher->multi);
}

static void queued_in_all(const struct fetcher *fetcher, size_t counts[2])
{
    counts[0] = counts[1] = 0;
    for (size_t i = 0; i < fetcher->vendor_count; i++) {
        counts[0] += fetcher->queues[i].counts[0];
        counts[1] += fetcher->queues[i].counts[1];
    }
}

static bool has_room(struct fetcher *fetcher, const struct question *question)
{
    size_t counts[2];
    queued_in_all(fetcher, counts);
    if (counts[0] + counts[1] >= QUEUE_ALL || (question->stranger && counts[1] >= QUEUE_STRANGERS))
        return false;
    bool trusted = question->caller_name[0] == 0 || question->caller_name == caller_refresh;
    return fair_queue_line_length(queue_of(fetcher, question->vendor), question->caller, question->stranger) <
           (trusted ? QUEUE_TRUSTED : QUEUE_PER_CALLER);
}

static struct flight *open_flight(struct fetcher *fetcher, const struct question *question, uint64_t now)
{
    struct flight *flight = flight_new(question->vendor, question->url, question->url_digest, now);
    if (flight == NULL)
        return NULL;
    flight->stranger = question->stranger;
    memcpy(flight->caller, question->caller, RECENT_DIGEST);
    if (!fair_queue_push(queue_of(fetcher, question->vendor), flight, false)) {
        flight_free(flight, fetcher->multi);
        return NULL;
    }
    TAILQ_INSERT_TAIL(bucket_of(fetcher, flight->digest), flight, in_table);
    return flight;
}

/* A known caller asks for what only a stranger asked for: it no longer stands in the strangers' ring. */
static void promote(struct fetcher *fetcher, struct flight *flight, const struct question *question)
{
    if (flight->state != FLIGHT_QUEUED || !flight->stranger || question->stranger)
        return;
    struct fair_queue *queue = queue_of(fetcher, flight->vendor);
    fair_queue_remove(queue, flight);
    flight->stranger = false;
    memcpy(flight->caller, question->caller, RECENT_DIGEST);
    if (!fair_queue_push(queue, flight, false))
        abort(); /* memory is out with a lock held and waits to be answered */
}

/* Asking */

struct refusal {
    enum fetch_outcome outcome;
    unsigned retry_after;
    const char *detail;
};

static bool is_held(struct fetcher *fetcher, const struct question *question, uint64_t now, struct refusal *refusal)
{
    struct held held;
    if (!hold_back_find(fetcher->hold_back, question->url_digest, now, &held) &&
        !hold_back_find(fetcher->hold_back, question->want_digest, now, &held))
        return false;
    fetcher->counts.held_back++;
    *refusal = (struct refusal){held.outcome, held.seconds, held.detail};
    return true;
}

/* A flight for the question: one that exists, or a new one. NULL: refused. */
static struct flight *admit(struct fetcher *fetcher, const struct question *question, uint64_t now, struct refusal *refusal)
{
    if (question->vendor == NULL) {
        *refusal = (struct refusal){FETCH_NO_SOURCE, 0, question->detail};
        return NULL;
    }
    if (fetcher->stopping) {
        *refusal = (struct refusal){FETCH_FAILED, 1, "the service is stopping"};
        return NULL;
    }
    if (is_held(fetcher, question, now, refusal))
        return NULL;
    struct flight *flight = find_flight(fetcher, question->url_digest);
    if (flight != NULL && (flight->state != FLIGHT_QUEUED || !vendor_open(question->vendor, now))) {
        promote(fetcher, flight, question);
        return flight;
    }
    if (vendor_open(question->vendor, now)) {
        *refusal = (struct refusal){FETCH_FAILED, seconds_until(question->vendor->open_until, now),
                                    "the vendor failed several times in a row: it is left alone for a while"};
        return NULL;
    }
    if (!has_room(fetcher, question)) {
        *refusal = (struct refusal){FETCH_QUEUE_FULL, 1 + seconds_until(vendor_ready_at(question->vendor, now), now),
                                    "too many requests wait for the vendor"};
        return NULL;
    }
    unsigned wait = question->stranger ? budget_take(fetcher->budget, question->caller, now) : 0;
    if (wait > 0) {
        fetcher->counts.over_budget++;
        *refusal = (struct refusal){FETCH_OVER_BUDGET, wait, "this caller asked for too many keys that nobody asked for before"};
        return NULL;
    }
    flight = open_flight(fetcher, question, now);
    if (flight == NULL)
        *refusal = (struct refusal){FETCH_FAILED, 1, "memory is out"};
    return flight;
}

static void place(struct fetcher *fetcher, struct fetcher_wait *wait, const struct question *question, uint64_t now)
{
    struct refusal refusal = {FETCH_FAILED, 1, "memory is out"};
    struct flight *flight = admit(fetcher, question, now, &refusal);
    struct want *want = flight != NULL ? flight_want(flight, question->source, question->key, question->want_digest) : NULL;
    if (want == NULL) {
        decide(fetcher, wait, refusal.outcome, refusal.retry_after, refusal.detail);
        return;
    }
    uint64_t throttled = question->vendor->throttled_until;
    if (want->state == WANT_ARRIVED)
        decide(fetcher, wait, FETCH_ARRIVED, 0, NULL);
    else if (want->state == WANT_REJECTED)
        decide(fetcher, wait, FETCH_REJECTED, 1, "the vendor's answer is not what was asked for");
    else if (flight->state == FLIGHT_QUEUED && throttled > now && throttled + MARGIN_MS > wait->deadline)
        decide(fetcher, wait, FETCH_THROTTLED, seconds_until(throttled, now), "the vendor asked for patience (429 or 503)");
    else
        join(fetcher, wait, flight, want);
}

struct fetcher_wait *fetcher_ask(struct fetcher *fetcher, const char *kind, const char *key, const char *caller, bool budgeted,
                                 uint64_t deadline_ms, fetcher_done *done, void *context)
{
    struct fetcher_wait *wait = calloc(1, sizeof *wait);
    if (wait == NULL)
        abort();
    wait->deadline = deadline_ms;
    wait->done = done;
    wait->context = context;
    struct question question;
    pose(fetcher, &question, kind, key, caller, budgeted && caller[0] != 0);
    pthread_mutex_lock(&fetcher->lock);
    place(fetcher, wait, &question, fetcher_clock_ms());
    pthread_mutex_unlock(&fetcher->lock);
    curl_multi_wakeup(fetcher->multi);
    return wait;
}

void fetcher_forget(struct fetcher *fetcher, struct fetcher_wait *wait)
{
    if (wait == NULL)
        return;
    pthread_mutex_lock(&fetcher->lock);
    if (wait->state == WAIT_OPEN) {
        TAILQ_REMOVE(&wait->flight->waits, wait, in_flight);
        TAILQ_REMOVE(&fetcher->by_deadline, wait, in_time);
    } else if (wait->state == WAIT_DECIDED) {
        TAILQ_REMOVE(&fetcher->decided, wait, in_time);
    }
    while (fetcher->telling == wait && !pthread_equal(pthread_self(), fetcher->thread))
        pthread_cond_wait(&fetcher->told, &fetcher->lock);
    pthread_mutex_unlock(&fetcher->lock);
    free(wait);
}

void fetcher_hold_back(struct fetcher *fetcher, const char *kind, const char *key)
{
    struct question question;
    pose(fetcher, &question, kind, key, "", false);
    if (question.vendor == NULL)
        return;
    pthread_mutex_lock(&fetcher->lock);
    hold_back_add(fetcher->hold_back, question.want_digest, FETCH_REJECTED, "what the vendor gave for this key did not verify",
                  fetcher_clock_ms());
    pthread_mutex_unlock(&fetcher->lock);
}

void fetcher_refresh(struct fetcher *fetcher, const char *kind, const char *key)
{
    struct question question;
    struct refusal refusal;
    pose(fetcher, &question, kind, key, caller_refresh, false);
    pthread_mutex_lock(&fetcher->lock);
    struct flight *flight = admit(fetcher, &question, fetcher_clock_ms(), &refusal);
    if (flight != NULL)
        (void)flight_want(flight, question.source, key, question.want_digest);
    pthread_mutex_unlock(&fetcher->lock);
    curl_multi_wakeup(fetcher->multi);
}

/* The thread */

static void expire(struct fetcher *fetcher, uint64_t now)
{
    struct fetcher_wait *wait;
    while ((wait = TAILQ_FIRST(&fetcher->by_deadline)) != NULL && wait->deadline <= now) {
        unsigned wait_more = seconds_until(vendor_ready_at(wait->flight->vendor, now), now);
        decide(fetcher, wait, FETCH_DEADLINE, wait_more > 0 ? wait_more : 1, "the vendor's answer did not come before the deadline");
    }
}

static void tell(struct fetcher *fetcher)
{
    struct fetcher_wait *wait;
    while ((wait = TAILQ_FIRST(&fetcher->decided)) != NULL) {
        TAILQ_REMOVE(&fetcher->decided, wait, in_time);
        wait->state = WAIT_DONE;
        fetcher->telling = wait;
        pthread_mutex_unlock(&fetcher->lock);
        wait->done(wait->context, wait->outcome, wait->retry_after, wait->detail); /* may free the wait */
        pthread_mutex_lock(&fetcher->lock);
        fetcher->telling = NULL;
        pthread_cond_broadcast(&fetcher->told);
    }
}

static size_t largest_want(const struct fetcher *fetcher, const struct flight *flight)
{
    size_t largest = 0;
    const struct want *want;
    TAILQ_FOREACH(want, &flight->wants, in_flight)
    {
        /* The kind's bound is that of the header: its body is another kind's. */
        bool in_header = want->source->header != NULL;
        size_t max = in_header ? ENDORSEMENT_ANSWER_MAX : endorsement_max_size(fetcher->options.engine, want->kind);
        largest = max > largest ? max : largest;
    }
    return largest;
}

static void start(struct fetcher *fetcher, struct flight *flight, uint64_t now)
{
    const struct vendor *vendor = flight->vendor;
    const struct transfer_request request = {.url = flight->url,
                                             .plain = vendor->plain,
                                             .ca_file = vendor->ca_file,
                                             .connect_ms = fetcher->options.connect_ms,
                                             .total_ms = fetcher->options.total_ms,
                                             .max = largest_want(fetcher, flight)};
    if (!transfer_begin(&flight->transfer, fetcher->multi, &request, flight)) {
        answer_all(fetcher, flight, FETCH_FAILED, 1, "memory is out");
        drop_flight(fetcher, flight);
        return;
    }
    flight->state = FLIGHT_FLYING;
    flight->attempts++;
    fetcher->counts.vendor_calls++;
    vendor_start(flight->vendor, now);
}

static void launch(struct fetcher *fetcher, uint64_t now)
{
    for (size_t i = 0; i < fetcher->vendor_count; i++) {
        struct flight *flight;
        while (vendor_may_start(&fetcher->vendors[i], now) && (flight = fair_queue_pop(&fetcher->queues[i])) != NULL)
            start(fetcher, flight, now);
    }
}

static bool offer_one(struct fetcher *fetcher, const struct flight *flight, const struct want *want, int64_t now)
{
    struct answer_part part;
    bool taken = answer_part(want->source, &flight->transfer, &part) &&
                 part.len <= endorsement_max_size(fetcher->options.engine, want->kind) &&
                 fetcher->options.arrived(fetcher->options.context, want->kind, want->key, part.bytes, part.len, now);
    free(part.made);
    return taken;
}

/* Offer the answer to each that wants it; others may join meanwhile. */
static void offer(struct fetcher *fetcher, struct flight *flight)
{
    struct want *want = TAILQ_FIRST(&flight->wants);
    while (want != NULL) {
        if (want->state != WANT_OPEN) {
            want = TAILQ_NEXT(want, in_flight);
            continue;
        }
        int64_t now = (int64_t)time(NULL);
        pthread_mutex_unlock(&fetcher->lock);
        bool taken = offer_one(fetcher, flight, want, now);
        pthread_mutex_lock(&fetcher->lock);
        static const char rejected[] = "the vendor's answer is not what was asked for";
        want->state = taken ? WANT_ARRIVED : WANT_REJECTED;
        unsigned seconds = taken ? 0 : hold_back_add(fetcher->hold_back, want->digest, FETCH_REJECTED, rejected, fetcher_clock_ms());
        struct vendor *vendor = flight->vendor;
        if (!flight->counted) {
            flight->counted = true;
            *(taken ? &vendor->ok : &vendor->failed) += 1;
            *(taken ? &vendor->last_success : &vendor->last_failure) = now;
        }
        struct fetcher_wait *wait, *next;
        for (wait = TAILQ_FIRST(&flight->waits); wait != NULL; wait = next) {
            next = TAILQ_NEXT(wait, in_flight);
            if (wait->want == want)
                decide(fetcher, wait, taken ? FETCH_ARRIVED : FETCH_REJECTED, seconds, taken ? NULL : rejected);
        }
    }
}

static void offer_landed(struct fetcher *fetcher, uint64_t now)
{
    struct flight *flight, *next;
    for (flight = TAILQ_FIRST(&fetcher->landed); flight != NULL; flight = next) {
        offer(fetcher, flight);
        next = TAILQ_NEXT(flight, in_landed);
        if (now >= flight->landed + LANDED_MS && TAILQ_EMPTY(&flight->waits))
            drop_flight(fetcher, flight);
    }
}

/* The vendor will not be asked before `ready`: whoever cannot wait so long is told now. */
static void answer_impatient(struct fetcher *fetcher, struct flight *flight, const struct refusal *refusal, uint64_t ready)
{
    struct fetcher_wait *wait, *next;
    for (wait = TAILQ_FIRST(&flight->waits); wait != NULL; wait = next) {
        next = TAILQ_NEXT(wait, in_flight);
        if (ready + MARGIN_MS > wait->deadline)
            decide(fetcher, wait, refusal->outcome, refusal->retry_after, refusal->detail);
    }
}

/* The vendor failed or asks for patience: the flight goes back into the queue. */
static void try_again(struct fetcher *fetcher, struct flight *flight, enum fetch_outcome outcome, const char *detail, uint64_t now)
{
    const struct vendor *vendor = flight->vendor;
    struct fair_queue *queue = queue_of(fetcher, vendor);
    uint64_t ready = vendor_ready_at(vendor, now);
    unsigned seconds = seconds_until(ready, now);
    const struct refusal refusal = {outcome, seconds > 0 ? seconds : 1, detail};
    transfer_clear(&flight->transfer, fetcher->multi);
    flight->state = FLIGHT_QUEUED;
    bool again = flight->attempts < FLIGHT_ATTEMPTS && now - flight->born < FLIGHT_LIFE_MS && fair_queue_push(queue, flight, true);
    if (!again) {
        answer_all(fetcher, flight, outcome, refusal.retry_after, detail);
        drop_flight(fetcher, flight);
    }
    /* While the breaker is open nobody waits; what is queued goes when it closes. */
    uint64_t patience = vendor_open(vendor, now) ? UINT64_MAX - MARGIN_MS : ready;
    for (size_t ring = 0; ring < 2; ring++) {
        struct caller_line *line;
        TAILQ_FOREACH(line, &queue->rings[ring], in_ring)
        TAILQ_FOREACH(flight, &line->flights, in_line)
        answer_impatient(fetcher, flight, &refusal, patience);
    }
}

static void throttled(struct fetcher *fetcher, struct flight *flight, const struct transfer_answer *answer, uint64_t now)
{
    flight->vendor->throttled++;
    vendor_end(flight->vendor, VENDOR_THROTTLED, answer->retry_after, now);
    try_again(fetcher, flight, FETCH_THROTTLED, answer->detail, now);
}

static void failed(struct fetcher *fetcher, struct flight *flight, const struct transfer_answer *answer, uint64_t now)
{
    struct vendor *vendor = flight->vendor;
    vendor->failed++;
    vendor->last_failure = (int64_t)time(NULL);
    vendor_end(vendor, VENDOR_FAILED, 0, now);
    try_again(fetcher, flight, FETCH_FAILED, answer->detail, now);
}

/* An answer, but none that helps: this URL is left alone. */
static void useless(struct fetcher *fetcher, struct flight *flight, const struct transfer_answer *answer, uint64_t now)
{
    static const enum fetch_outcome outcomes[] = {
        [ANSWER_NOT_FOUND] = FETCH_NOT_FOUND, [ANSWER_REFUSED] = FETCH_REJECTED, [ANSWER_OVERSIZED] = FETCH_FAILED};
    struct vendor *vendor = flight->vendor;
    if (answer->kind == ANSWER_NOT_FOUND) {
        vendor->not_found++;
    } else {
        vendor->failed++;
        vendor->last_failure = (int64_t)time(NULL);
    }
    vendor_end(vendor, VENDOR_ANSWERED, 0, now);
    enum fetch_outcome outcome = outcomes[answer->kind];
    unsigned seconds = hold_back_add(fetcher->hold_back, flight->digest, outcome, answer->detail, now);
    answer_all(fetcher, flight, outcome, seconds, answer->detail);
    drop_flight(fetcher, flight);
}

static void land(struct fetcher *fetcher, struct flight *flight, CURLcode code)
{
    uint64_t now = fetcher_clock_ms();
    struct transfer_answer answer = transfer_end(&flight->transfer, fetcher->multi, code);
    switch (answer.kind) {
    case ANSWER_BODY:
        vendor_end(flight->vendor, VENDOR_ANSWERED, 0, now);
        flight->state = FLIGHT_LANDED;
        flight->landed = now;
        TAILQ_INSERT_TAIL(&fetcher->landed, flight, in_landed);
        break;
    case ANSWER_THROTTLED:
        throttled(fetcher, flight, &answer, now);
        break;
    case ANSWER_FAILED:
        failed(fetcher, flight, &answer, now);
        break;
    case ANSWER_NOT_FOUND:
    case ANSWER_REFUSED:
    case ANSWER_OVERSIZED:
        useless(fetcher, flight, &answer, now);
        break;
    }
}

static void collect(struct fetcher *fetcher)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(fetcher->multi, &left)) != NULL) {
        if (message->msg != CURLMSG_DONE)
            continue;
        char *owner = NULL;
        CURLcode code = message->data.result; /* the message dies with its handle */
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &owner);
        pthread_mutex_lock(&fetcher->lock);
        land(fetcher, (struct flight *)(void *)owner, code);
        pthread_mutex_unlock(&fetcher->lock);
    }
}

static void drop_stale(struct fetcher *fetcher, uint64_t now)
{
    for (size_t i = 0; i < TABLE_BUCKETS; i++) {
        struct flight *flight, *next;
        for (flight = TAILQ_FIRST(&fetcher->table[i]); flight != NULL; flight = next) {
            next = TAILQ_NEXT(flight, in_table);
            if (flight->state == FLIGHT_QUEUED && TAILQ_EMPTY(&flight->waits) && now - flight->born >= FLIGHT_LIFE_MS)
                drop_flight(fetcher, flight);
        }
    }
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t next_wake(struct fetcher *fetcher, uint64_t now)
{
    if (!TAILQ_EMPTY(&fetcher->decided))
        return now;
    uint64_t at = earlier(fetcher->next_tick, now + TICK_MS);
    const struct fetcher_wait *wait = TAILQ_FIRST(&fetcher->by_deadline);
    if (wait != NULL)
        at = earlier(at, wait->deadline);
    for (size_t i = 0; i < fetcher->vendor_count; i++)
        if (fetcher->queues[i].counts[0] + fetcher->queues[i].counts[1] > 0 && vendor_has_slot(&fetcher->vendors[i]))
            at = earlier(at, vendor_ready_at(&fetcher->vendors[i], now));
    return at;
}

static void tick(struct fetcher *fetcher, uint64_t now)
{
    if (now < fetcher->next_tick)
        return;
    fetcher->next_tick = now + TICK_MS;
    pthread_mutex_lock(&fetcher->lock);
    drop_stale(fetcher, now);
    pthread_mutex_unlock(&fetcher->lock);
    if (fetcher->options.tick != NULL)
        fetcher->options.tick(fetcher->options.context, (int64_t)time(NULL));
}

/* One turn under the lock; returns how long the network may be waited for. */
static int turn(struct fetcher *fetcher)
{
    uint64_t now = fetcher_clock_ms();
    offer_landed(fetcher, now);
    expire(fetcher, now);
    launch(fetcher, now);
    tell(fetcher);
    now = fetcher_clock_ms();
    uint64_t wake = next_wake(fetcher, now);
    return wake > now ? (int)(wake - now) : 0;
}

static void end_all(struct fetcher *fetcher)
{
    for (size_t i = 0; i < TABLE_BUCKETS; i++) {
        struct flight *flight;
        while ((flight = TAILQ_FIRST(&fetcher->table[i])) != NULL) {
            answer_all(fetcher, flight, FETCH_FAILED, 1, "the service is stopping");
            drop_flight(fetcher, flight);
        }
    }
    tell(fetcher);
}

static void *run(void *context)
{
    struct fetcher *fetcher = context;
    pthread_mutex_lock(&fetcher->lock);
    while (!fetcher->stopping) {
        int timeout = turn(fetcher);
        pthread_mutex_unlock(&fetcher->lock);
        int running;
        curl_multi_poll(fetcher->multi, NULL, 0, timeout, NULL);
        curl_multi_perform(fetcher->multi, &running);
        collect(fetcher);
        tick(fetcher, fetcher_clock_ms());
        pthread_mutex_lock(&fetcher->lock);
    }
    end_all(fetcher);
    pthread_mutex_unlock(&fetcher->lock);
    return NULL;
}

/* Making and ending */

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;
static bool curl_ready;

static void init_curl(void)
{
    curl_ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

static bool add_vendor(struct fetcher *fetcher, const struct attestd_vendor_base *base, char *error, size_t error_size)
{
    struct vendor *vendor = &fetcher->vendors[fetcher->vendor_count];
    if (!vendor_init(vendor, base, fetcher->options.rate, fetcher->options.burst, fetcher_clock_ms(), error, error_size))
        return false;
    if (find_vendor(fetcher, vendor->name) != NULL) {
        snprintf(error, error_size, "vendor %s is configured twice", vendor->name);
        vendor_clear(vendor);
        return false;
    }
    fair_queue_init(&fetcher->queues[fetcher->vendor_count++]);
    return true;
}

static bool add_vendors(struct fetcher *fetcher, char *error, size_t error_size)
{
    const char *const *names;
    bool given = fetcher->options.vendor_count > 0;
    size_t count = given ? fetcher->options.vendor_count : endorsement_source_vendors(&names);
    fetcher->vendors = calloc(count, sizeof *fetcher->vendors);
    fetcher->queues = calloc(count, sizeof *fetcher->queues);
    if (fetcher->vendors == NULL || fetcher->queues == NULL) {
        snprintf(error, error_size, "memory is out");
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        struct attestd_vendor_base own = {.vendor = given ? NULL : names[i]};
        if (!add_vendor(fetcher, given ? &fetcher->options.vendors[i] : &own, error, error_size))
            return false;
    }
    fetcher->options.vendors = NULL; /* the caller's; what counts was copied */
    return true;
}

static void set_defaults(struct fetcher_options *options)
{
    options->connect_ms = options->connect_ms ? options->connect_ms : 2000;
    options->total_ms = options->total_ms ? options->total_ms : 8000;
    options->rate = options->rate > 0 ? options->rate : 5;
    options->burst = options->burst ? options->burst : 10;
    options->unseen_per_minute = options->unseen_per_minute ? options->unseen_per_minute : 4;
}

static bool make_parts(struct fetcher *fetcher)
{
    fetcher->hold_back = hold_back_new();
    fetcher->budget = budget_new(fetcher->options.unseen_per_minute);
    fetcher->multi = curl_ready ? curl_multi_init() : NULL;
    if (fetcher->hold_back == NULL || fetcher->budget == NULL || fetcher->multi == NULL)
        return false;
    return curl_multi_setopt(fetcher->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)VENDOR_FLIGHTS) == CURLM_OK &&
           getrandom(fetcher->key, sizeof fetcher->key, 0) == (ssize_t)sizeof fetcher->key;
}

/* Signals are for the process's own threads; SIGPIPE of a lost connection is not for anybody. */
static bool start_thread(struct fetcher *fetcher)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_mutex_lock(&fetcher->lock); /* until the thread's own name stands in the struct */
    int failure = pthread_create(&fetcher->thread, NULL, run, fetcher);
    pthread_mutex_unlock(&fetcher->lock);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failure == 0;
}

static void release(struct fetcher *fetcher)
{
    for (size_t i = 0; i < fetcher->vendor_count; i++)
        vendor_clear(&fetcher->vendors[i]);
    free(fetcher->vendors);
    free(fetcher->queues);
    hold_back_free(fetcher->hold_back);
    budget_free(fetcher->budget);
    if (fetcher->multi != NULL)
        curl_multi_cleanup(fetcher->multi);
    pthread_cond_destroy(&fetcher->told);
    pthread_mutex_destroy(&fetcher->lock);
    free(fetcher);
}

struct fetcher *fetcher_new(const struct fetcher_options *options, char *error, size_t error_size)
{
    pthread_once(&curl_once, init_curl);
    struct fetcher *fetcher = calloc(1, sizeof *fetcher);
    if (fetcher == NULL) {
        snprintf(error, error_size, "memory is out");
        return NULL;
    }
    fetcher->options = *options;
    set_defaults(&fetcher->options);
    pthread_mutex_init(&fetcher->lock, NULL);
    pthread_cond_init(&fetcher->told, NULL);
    for (size_t i = 0; i < TABLE_BUCKETS; i++)
        TAILQ_INIT(&fetcher->table[i]);
    TAILQ_INIT(&fetcher->landed);
    TAILQ_INIT(&fetcher->by_deadline);
    TAILQ_INIT(&fetcher->decided);
    if (add_vendors(fetcher, error, error_size)) {
        if (make_parts(fetcher) && start_thread(fetcher))
            return fetcher;
        snprintf(error, error_size, "the fetcher cannot be started: memory, threads or libcurl");
    }
    release(fetcher);
    return NULL;
}

void fetcher_free(struct fetcher *fetcher)
{
    if (fetcher == NULL)
        return;
    pthread_mutex_lock(&fetcher->lock);
    fetcher->stopping = true;
    pthread_mutex_unlock(&fetcher->lock);
    curl_multi_wakeup(fetcher->multi);
    pthread_join(fetcher->thread, NULL);
    release(fetcher);
}

/* For operators */

size_t fetcher_vendors(struct fetcher *fetcher, struct attestd_vendor_state *out, size_t max)
{
    pthread_mutex_lock(&fetcher->lock);
    size_t count = fetcher->vendor_count < max ? fetcher->vendor_count : max;
    for (size_t i = 0; i < count; i++) {
        const struct vendor *vendor = &fetcher->vendors[i];
        const struct fair_queue *queue = &fetcher->queues[i];
        out[i] = (struct attestd_vendor_state){.vendor = vendor->name,
                                               .host = vendor->host,
                                               .breaker_open = vendor->open_until != 0,
                                               .queued = (unsigned)(queue->counts[0] + queue->counts[1]),
                                               .requests = vendor->requests,
                                               .ok = vendor->ok,
                                               .failed = vendor->failed,
                                               .throttled = vendor->throttled,
                                               .not_found = vendor->not_found,
                                               .last_success = vendor->last_success,
                                               .last_failure = vendor->last_failure};
    }
    pthread_mutex_unlock(&fetcher->lock);
    return count;
}

struct fetcher_counts fetcher_counts(struct fetcher *fetcher)
{
    pthread_mutex_lock(&fetcher->lock);
    struct fetcher_counts counts = fetcher->counts;
    pthread_mutex_unlock(&fetcher->lock);
    return counts;
}
