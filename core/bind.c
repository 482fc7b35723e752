/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Binding (docs/binding.md): does the one signed field of the binder carry nonce, audience, key, data and devices of the request?
 *
 * When it does not, the field is compared with what it would be without one or the other of them, so that the answer can say what the
 * guest left out. Only the full comparison passes.
 */
#include "core/binding.h"
#include "core/bytes.h"
#include "core/checks.h"
#include "core/digest.h"
#include "core/job.h"

#include <stdio.h>
#include <string.h>

enum { WITHOUT_AUDIENCE = 1, WITHOUT_KEY = 2, WITHOUT_DATA = 4, WITHOUT_NONCE = 8, ALL_MASKS = 16 };

struct binding {
    struct attestd_job *job;
    const struct attestd_request *request;
    struct attestd_piece *binder;
    bool audience_optional;
    bool carries[ATTESTD_MAX_PIECES]; /* piece carries its device nonce */
    struct attestd_device_digest devices[ATTESTD_MAX_PIECES];
};

static void record(struct binding *b, const struct attestd_check *check, int outcome, const char *code, const char *observed,
                   const char *expected)
{
    job_append_check(b->job->arena, &b->job->result.checks, check, outcome, code, observed, expected);
}

static const char *policy_text(const struct attestd_job *job, const char *path)
{
    const struct attestd_policy_view *view = job->view;
    const struct attestd_value *value = view != NULL && view->setting != NULL ? view->setting(view->policy, "binding", path) : NULL;

    return value != NULL && value->kind == ATTESTD_VALUE_TEXT ? (const char *)value->text.data : NULL;
}

/* Who is the binder: the only piece of class cpu, else the only piece, else the one the policy names. */

static struct attestd_piece *only_cpu(struct attestd_result *result, size_t *count)
{
    struct attestd_piece *found = NULL;

    *count = 0;
    for (size_t i = 0; i < result->piece_count; i++)
        if (result->pieces[i].plugin->evidence_class == ATTESTD_CLASS_CPU) {
            found = &result->pieces[i];
            ++*count;
        }
    return *count == 1 ? found : NULL;
}

static struct attestd_piece *by_label(struct attestd_result *result, const char *label)
{
    for (size_t i = 0; label != NULL && i < result->piece_count; i++)
        if (strcmp(result->pieces[i].label, label) == 0)
            return &result->pieces[i];
    return NULL;
}

static bool find_binder(struct binding *b)
{
    struct attestd_result *result = &b->job->result;
    const char *by = policy_text(b->job, "by");
    size_t cpus;

    b->binder = only_cpu(result, &cpus);
    if (b->binder == NULL && result->piece_count == 1)
        b->binder = &result->pieces[0];
    if (b->binder == NULL)
        b->binder = by_label(result, by);
    if (b->binder == NULL) {
        const char *observed = attestd_arena_format(b->job->arena, "%zu pieces of class cpu, %zu in all%s%s", cpus, result->piece_count,
                                                    by != NULL ? ", binding.by names " : "", by != NULL ? by : "");
        record(b, &attestd_check_binding_binder, ATTESTD_FAIL, cpus > 1 ? "BINDER_AMBIGUOUS" : "BINDER_MISSING", observed,
               "one piece that binds the others");
        return false;
    }
    result->binder = b->binder->label;
    record(b, &attestd_check_binding_binder, ATTESTD_PASS, NULL, b->binder->label, NULL);
    return true;
}

/* Comparing one slot. */

static struct attestd_bytes sized(const void *data, size_t len)
{
    return (struct attestd_bytes){data, len};
}

/* The field begins with value and is zero from there on. */
static bool padded_equal(struct attestd_bytes field, const uint8_t *value, size_t len)
{
    return field.len >= len && memcmp(field.data, value, len) == 0 && attestd_bytes_zero(field.data + len, field.len - len);
}

static size_t meaningful(const struct attestd_request *request)
{
    if (strcmp(request->layout, "raw") == 0)
        return request->nonce.len;
    return strcmp(request->layout, "trustee") == 0 ? 48 : 64;
}

static bool is_v1(const struct attestd_request *request)
{
    return strcmp(request->layout, "attestd-v1") == 0;
}

static bool d_slot_holds(const struct attestd_binding_slot *slot, const struct attestd_request *request, const uint8_t expected[64])
{
    uint8_t digest[32];

    if (!is_v1(request)) {
        /* Of the other layouts only raw has a meaning for fields shorter than 64 bytes. */
        if (slot->form == ATTESTD_BINDS_SHA256_D && strcmp(request->layout, "raw") != 0)
            return false;
        return padded_equal(slot->bytes, expected, meaningful(request));
    }
    if (slot->form == ATTESTD_BINDS_D)
        return attestd_bytes_are(slot->bytes, expected, 64);
    attestd_sha256(expected, 64, digest);
    return attestd_bytes_are(slot->bytes, digest, sizeof digest);
}

static bool side_slot_holds(const struct attestd_binding_slot *slot, const struct attestd_request *request)
{
    if (slot->bytes.len == 0)
        return true;
    if (slot->form == ATTESTD_BINDS_NONCE)
        return attestd_bytes_equal(slot->bytes, request->nonce);
    return request->key != NULL && attestd_bytes_equal(slot->bytes, attestd_key_spki(request->key->key));
}

static bool is_d_slot(const struct attestd_binding_slot *slot)
{
    return slot->form == ATTESTD_BINDS_D || slot->form == ATTESTD_BINDS_SHA256_D;
}

static const struct attestd_binding_slot *main_slot(const struct attestd_piece *piece)
{
    for (size_t i = 0; i < piece->slot_count; i++)
        if (is_d_slot(&piece->slots[i]))
            return &piece->slots[i];
    return NULL;
}

/* Every slot must hold; at least one must carry the nonce: a D slot, or for raw (where fields of free length may be empty) a nonce slot. */
static bool slots_hold(const struct attestd_piece *piece, const struct attestd_request *request, const uint8_t expected[64])
{
    bool carried = false;

    for (size_t i = 0; i < piece->slot_count; i++) {
        const struct attestd_binding_slot *slot = &piece->slots[i];
        bool raw = strcmp(request->layout, "raw") == 0;
        if (!is_d_slot(slot)) {
            if (!side_slot_holds(slot, request))
                return false;
            carried |= raw && slot->form == ATTESTD_BINDS_NONCE && slot->bytes.len > 0;
            continue;
        }
        if (raw && slot->bytes.len == 0)
            continue;
        if (!d_slot_holds(slot, request, expected))
            return false;
        carried = true;
    }
    return carried;
}

/* Does the binder's field hold this request with these devices? */
static bool holds(const struct binding *b, const struct attestd_request *request, size_t device_count)
{
    uint8_t expected[64];

    return attestd_binding_expected(request, b->devices, device_count, expected, NULL) && slots_hold(b->binder, request, expected);
}

/* Devices. */

static bool carries_device_nonce(const struct attestd_piece *piece, struct attestd_bytes nonce)
{
    uint8_t expected[32];
    bool carried = false;

    attestd_binding_device_nonce(nonce, piece->label, expected);
    for (size_t i = 0; i < piece->slot_count; i++) {
        const struct attestd_binding_slot *slot = &piece->slots[i];
        bool equal = padded_equal(slot->bytes, expected, sizeof expected);
        if (is_d_slot(slot) && !equal)
            return false;
        if (!is_d_slot(slot) && slot->bytes.len > 0 && !equal)
            return false;
        carried |= is_d_slot(slot) && equal;
    }
    return carried;
}

/* Fills b->devices with the pieces that chosen() takes, in order of labels; skip: one to leave out. */
static size_t choose_devices(struct binding *b, bool carrying_only, const struct attestd_piece *skip)
{
    struct attestd_result *result = &b->job->result;
    size_t count = 0;

    for (size_t i = 0; i < result->piece_count; i++) {
        const struct attestd_piece *piece = &result->pieces[i];
        if (piece == b->binder || piece == skip || !piece->has_signed_bytes || (carrying_only && !b->carries[i]))
            continue;
        b->devices[count].label = piece->label;
        memcpy(b->devices[count++].sha256, piece->signed_digest, 32);
    }
    return count;
}

static bool chosen(const struct binding *b, size_t count, const struct attestd_piece *piece)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(b->devices[i].label, piece->label) == 0)
            return true;
    return false;
}

/* What the binder holds: the devices that b->devices then lists, their count in *count. The nonce carriers; else all; else all carriers but
 * one; else none. */
static bool match_devices(struct binding *b, const struct attestd_request *request, size_t *count)
{
    struct attestd_result *result = &b->job->result;

    *count = choose_devices(b, true, NULL);
    if (holds(b, request, *count))
        return true;
    if (result->piece_count == 1)
        return false;
    *count = choose_devices(b, false, NULL);
    if (holds(b, request, *count))
        return true;
    for (size_t i = 0; i < result->piece_count; i++) {
        if (!b->carries[i])
            continue;
        *count = choose_devices(b, true, &result->pieces[i]);
        if (holds(b, request, *count))
            return true;
    }
    *count = 0;
    return holds(b, request, 0);
}

static void record_device(struct binding *b, size_t index, bool matched, size_t bound)
{
    struct attestd_piece *piece = &b->job->result.pieces[index];
    struct attestd_arena *arena = b->job->arena;
    const struct attestd_binding_slot *slot = main_slot(piece);
    const char *field = slot != NULL ? attestd_arena_hex(arena, slot->bytes.data, slot->bytes.len) : "no field for a nonce";
    uint8_t nonce[32];

    attestd_binding_device_nonce(b->request->nonce, piece->label, nonce);
    const char *expected = attestd_arena_hex(arena, nonce, sizeof nonce);
    bool in_d = matched && chosen(b, bound, piece);
    if (b->carries[index])
        job_append_check(arena, &piece->checks, &attestd_check_binding_device_nonce, ATTESTD_PASS, NULL, NULL, NULL);
    else if (in_d)
        job_append_check(arena, &piece->checks, &attestd_check_binding_device_nonce, ATTESTD_FAIL, "DEVICE_NONCE_MISMATCH", field,
                         expected);

    if (in_d)
        job_append_check(arena, &piece->checks, &attestd_check_binding_unbound, ATTESTD_PASS, NULL, NULL, NULL);
    else if (!matched && b->carries[index])
        job_append_check(arena, &piece->checks, &attestd_check_binding_unbound, ATTESTD_SKIPPED, NULL,
                         "the binder's field holds something else", NULL);
    else
        job_append_check(
            arena, &piece->checks, &attestd_check_binding_unbound, ATTESTD_FAIL, "EVIDENCE_UNBOUND",
            b->carries[index] ? "the binder's field does not cover this piece" : attestd_arena_format(arena, "field %s", field),
            b->carries[index] ? attestd_arena_format(arena, "%s in the binder's field",
                                                     attestd_arena_hex(arena, piece->signed_digest, sizeof piece->signed_digest))
                              : attestd_arena_format(arena, "device nonce %s", expected));
}

static void record_devices(struct binding *b, bool matched, size_t bound)
{
    for (size_t i = 0; i < b->job->result.piece_count; i++)
        if (&b->job->result.pieces[i] != b->binder)
            record_device(b, i, matched, bound);
}

/* Finding out what was left out. */

static struct attestd_request without(const struct attestd_request *request, unsigned mask)
{
    struct attestd_request less = *request;

    if (mask & WITHOUT_AUDIENCE)
        less.audience = NULL;
    if (mask & WITHOUT_KEY) {
        less.key = NULL;
        less.key_json = NULL;
    }
    if (mask & WITHOUT_DATA)
        less.data_count = 0;
    if (mask & WITHOUT_NONCE)
        less.nonce = sized(NULL, 0);
    return less;
}

static unsigned present(const struct attestd_request *request)
{
    return (request->audience != NULL ? WITHOUT_AUDIENCE : 0u) | (request->key != NULL ? WITHOUT_KEY : 0u) |
           (request->data_count > 0 ? WITHOUT_DATA : 0u) | (request->nonce.len > 0 ? WITHOUT_NONCE : 0u);
}

static const char *code_of(unsigned mask)
{
    if (mask & WITHOUT_NONCE)
        return "NONCE_NOT_BOUND";
    if (mask & WITHOUT_AUDIENCE)
        return "BINDING_AUDIENCE_NOT_BOUND";
    return mask & WITHOUT_KEY ? "BINDING_KEY_NOT_BOUND" : "BINDING_DATA_NOT_BOUND";
}

/* The least that must be left out of the request for the field to hold it; 0: nothing explains it. */
static unsigned left_out(struct binding *b)
{
    unsigned all = present(b->request);

    for (unsigned mask = 1; mask < ALL_MASKS; mask++) {
        size_t count;
        if ((mask & ~all) != 0 || (mask == all && b->job->result.piece_count == 1))
            continue; /* not there; or nothing would be bound at all */
        struct attestd_request less = without(b->request, mask);
        if (match_devices(b, &less, &count))
            return mask;
    }
    return 0;
}

static const char *other_layout(struct binding *b)
{
    static const char *const names[] = {"attestd-v1", "raw", "sha512", "trustee"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct attestd_request other = *b->request;
        other.layout = names[i];
        if (strcmp(names[i], b->request->layout) == 0)
            continue;
        if (strcmp(names[i], "attestd-v1") != 0)
            other = without(&other, WITHOUT_AUDIENCE | WITHOUT_DATA | (strcmp(names[i], "trustee") != 0 ? WITHOUT_KEY : 0u));
        if (b->job->result.piece_count == 1 && holds(b, &other, 0))
            return names[i];
    }
    return NULL;
}

static const char *list_mask(struct attestd_arena *arena, const char *field, unsigned mask)
{
    return attestd_arena_format(arena, "%s, which is the request without%s%s%s%s", field, mask & WITHOUT_NONCE ? " nonce" : "",
                                mask & WITHOUT_AUDIENCE ? " audience" : "", mask & WITHOUT_KEY ? " key" : "",
                                mask & WITHOUT_DATA ? " data" : "");
}

static void record_mismatch(struct binding *b)
{
    struct attestd_arena *arena = b->job->arena;
    const struct attestd_binding_slot *slot = main_slot(b->binder);
    uint8_t expected[64], digest[32];

    if (slot == NULL) {
        record(b, &attestd_check_binding_nonce, ATTESTD_FAIL, "BINDING_FIELD_MISSING", "no signed field", "a signed field");
        return;
    }
    size_t count = choose_devices(b, false, NULL);
    attestd_binding_expected(b->request, b->devices, count, expected, NULL);
    attestd_sha256(expected, sizeof expected, digest);
    bool hashed = is_v1(b->request) && slot->form == ATTESTD_BINDS_SHA256_D;
    const char *should = hashed ? attestd_arena_hex(arena, digest, sizeof digest) : attestd_arena_hex(arena, expected, sizeof expected);
    const char *field = attestd_arena_hex(arena, slot->bytes.data, slot->bytes.len);

    if (attestd_bytes_zero(slot->bytes.data, slot->bytes.len)) {
        record(b, &attestd_check_binding_nonce, ATTESTD_FAIL, "BINDING_FIELD_EMPTY", field, should);
        return;
    }
    unsigned mask = left_out(b);
    if (mask != 0) {
        record(b, &attestd_check_binding_nonce, ATTESTD_FAIL, code_of(mask), list_mask(arena, field, mask), should);
        return;
    }
    const char *layout = other_layout(b);
    if (layout != NULL) {
        record(b, &attestd_check_binding_nonce, ATTESTD_FAIL, "BINDING_LAYOUT_MISMATCH",
               attestd_arena_format(arena, "%s, which is layout %s", field, layout), should);
        return;
    }
    bool nonce_only = present(b->request) == WITHOUT_NONCE && b->job->result.piece_count == 1;
    record(b, &attestd_check_binding_nonce, ATTESTD_FAIL, nonce_only ? "NONCE_MISMATCH" : "BINDING_MISMATCH", field, should);
}

/* The whole of it. */

/* A nonce that matches in evidence that is not authentic proves nothing. */
static const char not_authentic[] = "the field matches, but its piece is not authentic";

static void skip_all(struct binding *b, const char *observed)
{
    record(b, &attestd_check_binding_nonce, ATTESTD_SKIPPED, NULL, observed, "a nonce that the evidence carries");
    for (size_t i = 0; i < b->job->result.piece_count; i++)
        if (&b->job->result.pieces[i] != b->binder && b->job->result.piece_count > 1)
            job_append_check(b->job->arena, &b->job->result.pieces[i].checks, &attestd_check_binding_unbound, ATTESTD_SKIPPED, NULL,
                             observed, NULL);
}

/* attestctl --binding-field: the field's bytes are given. */
static void compare_field(struct binding *b)
{
    const struct attestd_binding_slot *slot = main_slot(b->binder);
    struct attestd_arena *arena = b->job->arena;
    struct attestd_bytes given = b->request->expected_field;
    bool same = slot != NULL && padded_equal(slot->bytes, given.data, given.len);

    if (same && !b->binder->authentic)
        record(b, &attestd_check_binding_nonce, ATTESTD_SKIPPED, NULL, not_authentic, NULL);
    else
        record(b, &attestd_check_binding_nonce, same ? ATTESTD_PASS : ATTESTD_FAIL, same ? NULL : "BINDING_MISMATCH",
               slot != NULL ? attestd_arena_hex(arena, slot->bytes.data, slot->bytes.len) : "no signed field",
               attestd_arena_hex(arena, given.data, given.len));
    record_devices(b, false, 0);
}

static bool layout_binds(struct binding *b, const struct attestd_request *request)
{
    uint8_t expected[64];
    const char *why = NULL;

    if (attestd_binding_expected(request, NULL, 0, expected, &why)) {
        record(b, &attestd_check_binding_layout, ATTESTD_PASS, NULL, request->layout, NULL);
        return true;
    }
    const char *code = attestd_binding_layout_known(request->layout) ? "BINDING_LAYOUT_CANNOT_BIND" : "BINDING_LAYOUT_UNKNOWN";
    record(b, &attestd_check_binding_layout, ATTESTD_FAIL, code, attestd_arena_format(b->job->arena, "%s: %s", request->layout, why),
           "attestd-v1");
    return false;
}

static void record_match(struct binding *b, const struct attestd_request *request)
{
    struct attestd_result *result = &b->job->result;
    const struct attestd_binding_slot *slot = main_slot(b->binder);

    if (!b->binder->authentic) {
        record(b, &attestd_check_binding_nonce, ATTESTD_SKIPPED, NULL, not_authentic, NULL);
        return;
    }
    record(b, &attestd_check_binding_nonce, ATTESTD_PASS, NULL,
           slot != NULL ? attestd_arena_hex(b->job->arena, slot->bytes.data, slot->bytes.len) : NULL, NULL);
    result->nonce_matched = request->nonce.len > 0;
    result->audience_bound = request->audience != NULL;
    result->key_bound = request->key != NULL;
}

static void compare(struct binding *b, const struct attestd_request *request)
{
    size_t count = 0;
    bool matched = match_devices(b, request, &count);

    if (!matched && b->audience_optional && request->audience != NULL) {
        struct attestd_request less = without(request, WITHOUT_AUDIENCE);
        matched = match_devices(b, &less, &count);
        if (matched) {
            record_match(b, &less);
            record_devices(b, true, count);
            return;
        }
    }
    if (matched)
        record_match(b, request);
    record_devices(b, matched, count);
    if (!matched)
        record_mismatch(b);
}

void job_bind(struct attestd_job *job)
{
    const char *audience = policy_text(job, "audience");
    struct binding b = {.job = job, .request = job->request};
    struct attestd_request request = *job->request;

    if (request.layout == NULL)
        request.layout = "attestd-v1";
    b.audience_optional = audience != NULL && strcmp(audience, "optional") == 0;
    if (b.audience_optional && !is_v1(&request))
        request.audience = NULL;
    b.request = &request;
    if (request.no_binding) {
        skip_all(&b, "no nonce was given");
        record(&b, &attestd_check_freshness_source, ATTESTD_SKIPPED, NULL, "no nonce was given", NULL);
        return;
    }
    if (!find_binder(&b)) {
        skip_all(&b, "there is no binder");
        return;
    }
    const struct attestd_binding_slot *slot = main_slot(b.binder);
    job->result.bound_field = slot != NULL ? slot->bytes : sized(NULL, 0);
    for (size_t i = 0; i < job->result.piece_count; i++)
        b.carries[i] = &job->result.pieces[i] != b.binder && job->result.pieces[i].has_signed_bytes &&
                       carries_device_nonce(&job->result.pieces[i], request.nonce);
    if (request.expected_field.len > 0)
        compare_field(&b);
    else if (!layout_binds(&b, &request))
        skip_all(&b, "the layout cannot bind the request");
    else if (present(&request) == 0 && job->result.piece_count == 1)
        skip_all(&b, "the request binds nothing");
    else
        compare(&b, &request);
}
