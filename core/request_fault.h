/* SPDX-License-Identifier: Apache-2.0 */
/* Inside core: what the readers of requests share. */
#ifndef ATTESTD_CORE_REQUEST_FAULT_H
#define ATTESTD_CORE_REQUEST_FAULT_H

#include "core/engine.h"
#include "core/request.h"

struct request_reader {
    struct attestd_arena *arena;
    const struct attestd_engine *engine;
    struct attestd_request *request;
    struct attestd_request_fault *fault;
};

/* Fills the fault from the table of problems; always false, so that readers can return it. pointer may be NULL. */
bool request_refuse(struct attestd_request_fault *fault, const char *code, const char *pointer, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Defaults of a request that says nothing. */
void request_begin(struct attestd_request *request);
/* The plugin by name, or by looking at the bytes when type is NULL; refuses with 422. */
const struct attestd_plugin *request_plugin(struct request_reader *, const char *type, struct attestd_bytes bytes, const char *pointer);
/* Sorts pieces, parts and data bytewise. */
void request_sort_pieces(struct attestd_piece_request *pieces, size_t count);
void request_sort_parts(struct attestd_part *parts, size_t count);
void request_sort_data(struct attestd_datum *data, size_t count);

#endif
