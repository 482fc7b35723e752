/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The policies in force. A snapshot is immutable and counted; the directory is watched, compiled whole, and takes
 * the old snapshot's place only when all of it is good. Every accepted version stays in state.mdb; when the directory is broken at
 * start, what was last in force is taken from there.
 */
#ifndef ATTESTD_SERVER_POLICIES_H
#define ATTESTD_SERVER_POLICIES_H

#include "cache/store.h"
#include "policy/policy.h"

#define POLICIES_FAULTS 8

struct policies;
struct policy_snapshot;

/* directory NULL: the built-in hardware-only alone. Starts with the directory's policies, else with those last in force, else NULL fills
 * error. state may be NULL. */
struct policies *policies_open(struct attestd_engine *engine, struct attestd_anchor_set *anchors, const char *directory,
                               struct attestd_store *state, char *error, size_t error_size);
void policies_close(struct policies *);
/* Compile the directory now, changed or not; false when it is refused (the faults say why). From any thread. */
bool policies_reload(struct policies *);

struct policy_snapshot *policies_take(struct policies *);
void policy_snapshot_release(struct policy_snapshot *);
/* Borrowed from the snapshot; NULL: no such policy. */
struct attestd_policy *policy_snapshot_find(const struct policy_snapshot *, const char *name);
/* The single one that lists the audience, else NULL. */
struct attestd_policy *policy_snapshot_for_audience(const struct policy_snapshot *, const char *audience);
size_t policy_snapshot_count(const struct policy_snapshot *);
struct attestd_policy *policy_snapshot_at(const struct policy_snapshot *, size_t index);
/* No directory is configured: hardware-only serves who names no policy. */
bool policy_snapshot_built_in_only(const struct policy_snapshot *);

/* What is wrong with the directory now; 0 when it is what is in force. */
size_t policies_faults(struct policies *, struct attestd_policy_fault faults[POLICIES_FAULTS]);
/* What is in force comes from state.mdb, because the directory was broken at start. */
bool policies_recovered(struct policies *);
const char *policies_directory(const struct policies *);

#endif
