/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/fair_queue.h"

#include <stdlib.h>
#include <string.h>

void fair_queue_init(struct fair_queue *queue)
{
    *queue = (struct fair_queue){0};
    TAILQ_INIT(&queue->rings[0]);
    TAILQ_INIT(&queue->rings[1]);
}

static struct caller_line *find_line(const struct fair_queue *queue, const uint8_t caller[RECENT_DIGEST], bool stranger)
{
    struct caller_line *line;
    TAILQ_FOREACH(line, &queue->rings[stranger], in_ring)
    if (memcmp(line->caller, caller, RECENT_DIGEST) == 0)
        return line;
    return NULL;
}

size_t fair_queue_line_length(const struct fair_queue *queue, const uint8_t caller[RECENT_DIGEST], bool stranger)
{
    const struct caller_line *line = find_line(queue, caller, stranger);
    return line != NULL ? line->count : 0;
}

static struct caller_line *open_line(struct fair_queue *queue, const uint8_t caller[RECENT_DIGEST], bool stranger)
{
    struct caller_line *line = find_line(queue, caller, stranger);
    if (line != NULL)
        return line;
    line = calloc(1, sizeof *line);
    if (line == NULL)
        return NULL;
    memcpy(line->caller, caller, RECENT_DIGEST);
    TAILQ_INIT(&line->flights);
    TAILQ_INSERT_TAIL(&queue->rings[stranger], line, in_ring);
    return line;
}

bool fair_queue_push(struct fair_queue *queue, struct flight *flight, bool first)
{
    struct caller_line *line = open_line(queue, flight->caller, flight->stranger);
    if (line == NULL)
        return false;
    if (first)
        TAILQ_INSERT_HEAD(&line->flights, flight, in_line);
    else
        TAILQ_INSERT_TAIL(&line->flights, flight, in_line);
    line->count++;
    queue->counts[flight->stranger]++;
    flight->line = line;
    flight->state = FLIGHT_QUEUED;
    return true;
}

void fair_queue_remove(struct fair_queue *queue, struct flight *flight)
{
    struct caller_line *line = flight->line;
    TAILQ_REMOVE(&line->flights, flight, in_line);
    queue->counts[flight->stranger]--;
    flight->line = NULL;
    if (--line->count > 0)
        return;
    TAILQ_REMOVE(&queue->rings[flight->stranger], line, in_ring);
    free(line);
}

struct flight *fair_queue_pop(struct fair_queue *queue)
{
    if (queue->counts[queue->turn] == 0)
        queue->turn ^= 1;
    struct caller_line *line = TAILQ_FIRST(&queue->rings[queue->turn]);
    if (line == NULL)
        return NULL;
    struct flight *flight = TAILQ_FIRST(&line->flights);
    TAILQ_REMOVE(&queue->rings[queue->turn], line, in_ring);
    TAILQ_INSERT_TAIL(&queue->rings[queue->turn], line, in_ring);
    queue->turn ^= 1;
    fair_queue_remove(queue, flight);
    return flight;
}
