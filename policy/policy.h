/* SPDX-License-Identifier: Apache-2.0 */
/* Policies: YAML text to a compiled policy to a decision (docs/policy.md). A compiled policy is immutable and shared by count. */
#ifndef ATTESTD_POLICY_POLICY_H
#define ATTESTD_POLICY_POLICY_H

#include "core/appraise.h"
#include "core/engine.h"

/* One thing wrong with a text: place, what was expected, suggestion. */
struct attestd_policy_fault {
    char file[256];
    unsigned line, column; /* from 1; 0: the whole file */
    char code[48];         /* POLICY_... */
    char message[384];
};

struct attestd_policy;
struct attestd_policy_store;

struct attestd_policy *attestd_policy_retain(struct attestd_policy *);
void attestd_policy_free(struct attestd_policy *);
/* For the job; lives as long as the policy. */
const struct attestd_policy_view *attestd_policy_view(const struct attestd_policy *);
const char *attestd_policy_name(const struct attestd_policy *);
int64_t attestd_policy_version(const struct attestd_policy *);
const uint8_t *attestd_policy_digest(const struct attestd_policy *); /* SHA-256 of the canonical form */
/* The canonical compiled form, sets included: JSON text; borrowed. Loading it again gives the same digest. */
struct attestd_bytes attestd_policy_canonical(const struct attestd_policy *);
/* From the canonical form (bundles, state.mdb). */
struct attestd_policy *attestd_policy_from_canonical(const struct attestd_engine *, const char *text, size_t len,
                                                     struct attestd_policy_fault *fault);
/* The built-in "hardware-only"; the caller frees. NULL only when a plugin's schema contradicts it. */
struct attestd_policy *attestd_policy_hardware_only(const struct attestd_engine *);

/* What the token part needs to know. */
bool attestd_policy_allows_audience(const struct attestd_policy *, const char *audience);
size_t attestd_policy_audiences(const struct attestd_policy *, const char *const **audiences);
bool attestd_policy_issues_on(const struct attestd_policy *, enum attestd_verdict verdict);
int64_t attestd_policy_token_ttl(const struct attestd_policy *); /* seconds; 300 by default */
bool attestd_policy_audience_optional(const struct attestd_policy *);
enum attestd_freshness_demand { ATTESTD_DEMAND_CHALLENGE, ATTESTD_DEMAND_EXTERNAL, ATTESTD_DEMAND_NONE };
enum attestd_freshness_demand attestd_policy_freshness(const struct attestd_policy *);
const char *attestd_policy_subject(const struct attestd_policy *); /* `sub`: "attestd:policy/<name>" unless token.subject says otherwise */

/* Texts in memory: files are compiled together, so that policies find their reference sets. */
struct attestd_policy_file {
    const char *name;
    const char *text;
    size_t len;
};
/*
 * Compile a whole set of files: each holds any number of YAML documents, policies and reference sets (.jsonl: a reference set). All or
 * nothing. Embedded tests are run unless run_tests is false; `read_fixture` gives the bytes of a test's evidence file by its relative name.
 * anchors: for the tests.
 */
typedef bool attestd_read_fixture(void *context, const char *name, struct attestd_arena *arena, struct attestd_bytes *bytes);
struct attestd_policy_set;
struct attestd_policy_set *attestd_policy_compile(struct attestd_engine *, struct attestd_anchor_set *anchors,
                                                  const struct attestd_policy_file *files, size_t count, bool run_tests,
                                                  attestd_read_fixture *read_fixture, void *context, struct attestd_policy_fault *faults,
                                                  size_t fault_size, size_t *fault_count);
void attestd_policy_set_free(struct attestd_policy_set *);
struct attestd_policy_set *attestd_policy_set_retain(struct attestd_policy_set *);
size_t attestd_policy_set_count(const struct attestd_policy_set *);
struct attestd_policy *attestd_policy_set_at(const struct attestd_policy_set *, size_t index); /* borrowed */
struct attestd_policy *attestd_policy_set_find(const struct attestd_policy_set *,
                                               const char *name); /* borrowed; "hardware-only" always found */
/* The single policy that lists the audience; NULL when none or more than one. */
struct attestd_policy *attestd_policy_set_for_audience(const struct attestd_policy_set *, const char *audience);

/* A directory of *.yaml, *.yml, *.jsonl files, not below hidden folders (but through a ConfigMap's ..data link). */
struct attestd_policy_set *attestd_policy_compile_directory(struct attestd_engine *, struct attestd_anchor_set *anchors,
                                                            const char *directory, bool run_tests, struct attestd_policy_fault *faults,
                                                            size_t fault_size, size_t *fault_count);

/* Exceptions (mode with until), reference sets and the policy itself: those that end within `within` seconds of `time`. Calls found for
 * each. */
void attestd_policy_expiring(const struct attestd_policy *, int64_t time, int64_t within,
                             void (*found)(void *context, const char *policy, const char *what, int64_t until, const char *owner,
                                           const char *reason),
                             void *context);

/* What the policy demands at this time, in words. */
void attestd_policy_explain(const struct attestd_engine *, const struct attestd_policy *, int64_t time, struct attestd_text *out);
/* How many embedded tests the policy has. */
size_t attestd_policy_test_count(const struct attestd_policy *);
/* JSON Schema (2020-12) of policy files for editors, made from core's schema and the plugins'. */
void attestd_policy_schema(const struct attestd_engine *, struct attestd_text *out);
/* A starter policy for a piece that was appraised (attestctl policy init): commented YAML. */
void attestd_policy_starter(const struct attestd_engine *, const struct attestd_result *, const char *name, struct attestd_text *out);

#endif
