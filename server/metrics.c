/* SPDX-License-Identifier: Apache-2.0 */
#include "server/metrics.h"
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TYPES_MAX 17
#define ROUTES_MAX 32
#define WORDS_MAX 512 /* distinct codes; beyond, "other" */

static const double bounds[] = {0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};
#define BOUNDS (sizeof bounds / sizeof *bounds)
static const char *const stage_names[STAGE_COUNT] = {"queue", "verify", "policy", "fetch", "audit", "sign", "all"};
static const int statuses[] = {200, 304, 400, 401, 403, 404, 405, 406, 409, 410, 412, 413, 415, 422, 424, 428, 429, 500, 503};
#define STATUSES (sizeof statuses / sizeof *statuses)

struct histogram {
    atomic_ullong buckets[BOUNDS + 1], sum_ns;
};

/* Counters by a word of the catalogue, found by comparing; few, and bounded. */
struct word_counter {
    char word[64];
    atomic_ullong count;
};

struct words {
    struct word_counter items[WORDS_MAX];
    size_t used;
    atomic_ullong other;
};

struct metrics {
    const char *const *routes;
    size_t route_count;
    const char *types[TYPES_MAX];
    size_t type_count;
    atomic_ullong requests[ROUTES_MAX + 1][STATUSES + 1];
    struct histogram durations[ROUTES_MAX + 1];
    struct histogram stages[TYPES_MAX][STAGE_COUNT];
    pthread_mutex_t lock; /* of the words */
    struct words problems, verdicts, tokens;
    atomic_ullong challenges;
};

struct metrics *metrics_new(const char *const *route_paths, size_t route_count, const char *const *types, size_t type_count)
{
    struct metrics *m = calloc(1, sizeof *m);
    if (m == NULL || route_count > ROUTES_MAX || type_count >= TYPES_MAX)
        abort();
    m->routes = route_paths;
    m->route_count = route_count;
    memcpy(m->types, types, type_count * sizeof *types);
    m->types[type_count] = "several";
    m->type_count = type_count + 1;
    pthread_mutex_init(&m->lock, NULL);
    return m;
}

void metrics_free(struct metrics *m)
{
    if (m == NULL)
        return;
    pthread_mutex_destroy(&m->lock);
    free(m);
}

static void observe(struct histogram *h, uint64_t ns)
{
    double seconds = (double)ns * 1e-9;
    size_t at = 0;
    while (at < BOUNDS && seconds > bounds[at])
        at++;
    atomic_fetch_add(&h->buckets[at], 1);
    atomic_fetch_add(&h->sum_ns, ns);
}

void metrics_request(struct metrics *m, unsigned route, int status, uint64_t nanoseconds)
{
    size_t at = 0, r = route < m->route_count ? route : m->route_count;
    while (at < STATUSES && statuses[at] != status)
        at++;
    atomic_fetch_add(&m->requests[r][at], 1);
    observe(&m->durations[r], nanoseconds);
}

static void count_word(struct metrics *m, struct words *words, const char *word)
{
    pthread_mutex_lock(&m->lock);
    size_t at = 0;
    while (at < words->used && strcmp(words->items[at].word, word) != 0)
        at++;
    if (at == words->used && at < WORDS_MAX && strlen(word) < sizeof words->items[0].word)
        strcpy(words->items[words->used++].word, word);
    bool found = at < words->used;
    pthread_mutex_unlock(&m->lock);
    atomic_fetch_add(found ? &words->items[at].count : &words->other, 1);
}

void metrics_problem(struct metrics *m, const char *code)
{
    count_word(m, &m->problems, code);
}

void metrics_stage(struct metrics *m, const char *type, enum metrics_stage stage, uint64_t nanoseconds)
{
    size_t at = 0;
    while (at < m->type_count - 1 && (type == NULL || strcmp(m->types[at], type) != 0))
        at++;
    observe(&m->stages[at][stage], nanoseconds);
}

void metrics_verdict(struct metrics *m, const char *verdict, const char *code)
{
    char both[64];
    snprintf(both, sizeof both, "%s/%s", verdict, code);
    count_word(m, &m->verdicts, both);
}

void metrics_token(struct metrics *m, const char *kind)
{
    count_word(m, &m->tokens, kind);
}

void metrics_challenge_issued(struct metrics *m)
{
    atomic_fetch_add(&m->challenges, 1);
}

const char *metrics_label(char *out, size_t size, const char *text)
{
    size_t at = 0;
    for (; *text != '\0' && at + 3 < size; text++) {
        if (*text == '"' || *text == '\\' || *text == '\n')
            out[at++] = '\\';
        out[at++] = *text == '\n' ? 'n' : *text;
    }
    out[at] = '\0';
    return out;
}

void metrics_sample(struct attestd_text *out, const char *name, const char *type, const char *labels, double value)
{
    if (type != NULL)
        attestd_text_printf(out, "# TYPE %s %s\n", name, type);
    attestd_text_printf(out, "%s%s%s%s %.17g\n", name, *labels != '\0' ? "{" : "", labels, *labels != '\0' ? "}" : "", value);
}

static void write_histogram(struct attestd_text *out, const char *name, const char *labels, struct histogram *h)
{
    unsigned long long sum = 0;
    for (size_t i = 0; i <= BOUNDS; i++) {
        sum += atomic_load(&h->buckets[i]);
        if (i < BOUNDS)
            attestd_text_printf(out, "%s_bucket{%s,le=\"%g\"} %llu\n", name, labels, bounds[i], sum);
    }
    attestd_text_printf(out, "%s_bucket{%s,le=\"+Inf\"} %llu\n%s_count{%s} %llu\n%s_sum{%s} %.9g\n", name, labels, sum, name, labels, sum,
                        name, labels, (double)atomic_load(&h->sum_ns) * 1e-9);
}

static bool observed(struct histogram *h)
{
    for (size_t i = 0; i <= BOUNDS; i++)
        if (atomic_load(&h->buckets[i]) != 0)
            return true;
    return false;
}

static void write_requests(struct metrics *m, struct attestd_text *out)
{
    char labels[160];
    attestd_text_puts(out, "# TYPE attestd_http_requests_total counter\n");
    for (size_t r = 0; r <= m->route_count; r++)
        for (size_t i = 0; i <= STATUSES; i++) {
            unsigned long long count = atomic_load(&m->requests[r][i]);
            if (count == 0)
                continue;
            snprintf(labels, sizeof labels, "route=\"%s\",status=\"%d\"", r < m->route_count ? m->routes[r] : "none",
                     i < STATUSES ? statuses[i] : 0);
            metrics_sample(out, "attestd_http_requests_total", NULL, labels, (double)count);
        }
    attestd_text_puts(out, "# TYPE attestd_http_request_seconds histogram\n");
    for (size_t r = 0; r <= m->route_count; r++) {
        if (!observed(&m->durations[r]))
            continue;
        snprintf(labels, sizeof labels, "route=\"%s\"", r < m->route_count ? m->routes[r] : "none");
        write_histogram(out, "attestd_http_request_seconds", labels, &m->durations[r]);
    }
}

static void write_words(struct metrics *m, struct attestd_text *out, struct words *words, const char *name, const char *label)
{
    char labels[160];
    pthread_mutex_lock(&m->lock);
    size_t used = words->used;
    pthread_mutex_unlock(&m->lock);
    attestd_text_printf(out, "# TYPE %s counter\n", name);
    for (size_t i = 0; i < used; i++) {
        const char *slash = strchr(words->items[i].word, '/');
        if (slash != NULL)
            snprintf(labels, sizeof labels, "verdict=\"%.*s\",code=\"%s\"", (int)(slash - words->items[i].word), words->items[i].word,
                     slash + 1);
        else
            snprintf(labels, sizeof labels, "%s=\"%s\"", label, words->items[i].word);
        metrics_sample(out, name, NULL, labels, (double)atomic_load(&words->items[i].count));
    }
    if (atomic_load(&words->other) == 0)
        return;
    snprintf(labels, sizeof labels, "%s=\"other\"", label);
    metrics_sample(out, name, NULL, labels, (double)atomic_load(&words->other));
}

void metrics_write(struct metrics *m, struct attestd_text *out)
{
    write_requests(m, out);
    attestd_text_puts(out, "# TYPE attestd_verification_seconds histogram\n");
    for (size_t t = 0; t < m->type_count; t++)
        for (size_t i = 0; i < STAGE_COUNT; i++) {
            char labels[96];
            if (!observed(&m->stages[t][i]))
                continue;
            snprintf(labels, sizeof labels, "type=\"%s\",stage=\"%s\"", m->types[t], stage_names[i]);
            write_histogram(out, "attestd_verification_seconds", labels, &m->stages[t][i]);
        }
    write_words(m, out, &m->verdicts, "attestd_verdicts_total", "code");
    write_words(m, out, &m->problems, "attestd_problems_total", "code");
    write_words(m, out, &m->tokens, "attestd_tokens_total", "kind");
    metrics_sample(out, "attestd_challenges_issued_total", "counter", "", (double)atomic_load(&m->challenges));
}
