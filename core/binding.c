/* SPDX-License-Identifier: Apache-2.0 */
/* docs/binding.md is the definition; docs/binding-vectors.json holds its test vectors. */
#include "core/binding.h"

#include "core/bytes.h"
#include "core/digest.h"

#include <string.h>

/* What a layout can carry beside the nonce. Devices, and an audience, only attestd-v1 can. */
struct layout {
    const char *name;
    bool audience, key, devices;
    bool (*make)(const struct attestd_request *request, const struct attestd_device_digest *devices, size_t device_count, uint8_t out[64],
                 const char **why);
    const char *const *data; /* names of data it carries; NULL: any */
};

void attestd_binding_d(struct attestd_bytes nonce, const char *audience, const struct attestd_jwk *key, const struct attestd_datum *data,
                       size_t data_count, const struct attestd_device_digest *devices, size_t device_count, uint8_t d[64])
{
    static const char prefix[] = "attestd-binding-v1\n";
    struct attestd_digest *digest = attestd_digest_new(512);

    attestd_digest_add(digest, prefix, sizeof prefix - 1);
    attestd_digest_add_framed(digest, nonce.data, nonce.len);
    attestd_digest_add_framed(digest, audience, audience != NULL ? strlen(audience) : 0);
    attestd_digest_add_framed(digest, key != NULL ? key->thumbprint : NULL, key != NULL ? sizeof key->thumbprint : 0);
    attestd_digest_add_u32be(digest, (uint32_t)data_count);
    for (size_t i = 0; i < data_count; i++) {
        attestd_digest_add_framed(digest, data[i].name, strlen(data[i].name));
        attestd_digest_add_framed(digest, data[i].value.data, data[i].value.len);
    }
    attestd_digest_add_u32be(digest, (uint32_t)device_count);
    for (size_t i = 0; i < device_count; i++) {
        attestd_digest_add_framed(digest, devices[i].label, strlen(devices[i].label));
        attestd_digest_add_framed(digest, devices[i].sha256, sizeof devices[i].sha256);
    }
    attestd_digest_finish(digest, d);
}

void attestd_binding_device_nonce(struct attestd_bytes nonce, const char *label, uint8_t out[32])
{
    static const char prefix[] = "attestd-device-v1\n";
    struct attestd_digest *digest = attestd_digest_new(256);

    attestd_digest_add(digest, prefix, sizeof prefix - 1);
    attestd_digest_add_framed(digest, nonce.data, nonce.len);
    attestd_digest_add_framed(digest, label, strlen(label));
    attestd_digest_finish(digest, out);
}

static bool make_v1(const struct attestd_request *request, const struct attestd_device_digest *devices, size_t device_count,
                    uint8_t out[64], const char **why)
{
    (void)why;
    attestd_binding_d(request->nonce, request->audience, request->key, request->data, request->data_count, devices, device_count, out);
    return true;
}

static bool make_raw(const struct attestd_request *request, const struct attestd_device_digest *devices, size_t device_count,
                     uint8_t out[64], const char **why)
{
    (void)devices;
    (void)device_count;
    memset(out, 0, 64);
    if (request->nonce.len > 64) {
        *why = "the nonce is longer than the field";
        return false;
    }
    if (request->nonce.len > 0)
        memcpy(out, request->nonce.data, request->nonce.len);
    return true;
}

/* SHA-512(nonce | data): without lengths in between, so only a nonce of one length keeps the parts apart. */
static bool make_sha512(const struct attestd_request *request, const struct attestd_device_digest *devices, size_t device_count,
                        uint8_t out[64], const char **why)
{
    (void)devices;
    (void)device_count;
    if (request->nonce.len != 32) {
        *why = "layout sha512 takes a nonce of exactly 32 bytes";
        return false;
    }
    if (request->data_count > 1) {
        *why = "layout sha512 carries one datum";
        return false;
    }
    struct attestd_digest *digest = attestd_digest_new(512);
    attestd_digest_add(digest, request->nonce.data, request->nonce.len);
    if (request->data_count == 1)
        attestd_digest_add(digest, request->data[0].value.data, request->data[0].value.len);
    attestd_digest_finish(digest, out);
    return true;
}

/* SHA-384 of {"nonce":...,"tee-pubkey":{...}}, compact, names sorted, then 16 zeros. Base64 text needs no JSON escape. */
static bool make_trustee(const struct attestd_request *request, const struct attestd_device_digest *devices, size_t device_count,
                         uint8_t out[64], const char **why)
{
    (void)devices;
    (void)device_count;
    if (request->key_json == NULL || request->nonce_text == NULL) {
        *why = "layout trustee binds a nonce text and the key of cnf";
        return false;
    }
    struct attestd_digest *digest = attestd_digest_new(384);
    attestd_digest_add(digest, "{\"nonce\":\"", 10);
    attestd_digest_add(digest, request->nonce_text, strlen(request->nonce_text));
    attestd_digest_add(digest, "\",\"tee-pubkey\":", 15);
    attestd_digest_add(digest, request->key_json, strlen(request->key_json));
    attestd_digest_add(digest, "}", 1);
    memset(out, 0, 64);
    attestd_digest_finish(digest, out);
    return true;
}

static const struct attestd_datum *datum(const struct attestd_request *request, const char *name)
{
    for (size_t i = 0; i < request->data_count; i++)
        if (strcmp(request->data[i].name, name) == 0)
            return &request->data[i];
    return NULL;
}

/* SHA-512(val | iat | user_data): val is the nonce. */
static bool make_ita(const struct attestd_request *request, const struct attestd_device_digest *devices, size_t device_count,
                     uint8_t out[64], const char **why)
{
    const struct attestd_datum *iat = datum(request, "iat"), *user_data = datum(request, "user_data");

    (void)devices;
    (void)device_count;
    if (iat == NULL || request->nonce.len < 32) {
        *why = "layout ita takes a nonce (val) of at least 32 bytes and the datum iat";
        return false;
    }
    struct attestd_digest *digest = attestd_digest_new(512);
    attestd_digest_add(digest, request->nonce.data, request->nonce.len);
    attestd_digest_add(digest, iat->value.data, iat->value.len);
    if (user_data != NULL)
        attestd_digest_add(digest, user_data->value.data, user_data->value.len);
    attestd_digest_finish(digest, out);
    return true;
}

static const char *const no_data[] = {NULL};
static const char *const ita_data[] = {"iat", "user_data", NULL};

static const struct layout layouts[] = {
    {"attestd-v1", true, true, true, make_v1, NULL},    {"raw", false, false, false, make_raw, no_data},
    {"sha512", false, false, false, make_sha512, NULL}, {"trustee", false, true, false, make_trustee, no_data},
    {"ita", false, false, false, make_ita, ita_data},
};

static const struct layout *layout_of(const char *name)
{
    for (size_t i = 0; i < sizeof layouts / sizeof layouts[0]; i++)
        if (strcmp(layouts[i].name, name) == 0)
            return &layouts[i];
    return NULL;
}

bool attestd_binding_layout_known(const char *layout)
{
    return layout_of(layout) != NULL;
}

static bool carries_data(const struct layout *layout, const struct attestd_request *request)
{
    for (size_t i = 0; layout->data != NULL && i < request->data_count; i++) {
        const char *const *name = layout->data;
        while (*name != NULL && strcmp(*name, request->data[i].name) != 0)
            name++;
        if (*name == NULL)
            return false;
    }
    return true;
}

bool attestd_binding_expected(const struct attestd_request *request, const struct attestd_device_digest *devices, size_t device_count,
                              uint8_t out[64], const char **why)
{
    const char *name = request->layout != NULL ? request->layout : "attestd-v1";
    const struct layout *layout = layout_of(name);
    const char *unused;
    const char **reason = why != NULL ? why : &unused;

    memset(out, 0, 64);
    *reason = NULL;
    if (layout == NULL)
        *reason = "the layout is not known";
    else if (request->audience != NULL && !layout->audience)
        *reason = "the layout cannot bind an audience";
    else if (request->key != NULL && !layout->key)
        *reason = "the layout cannot bind a key";
    else if (!carries_data(layout, request))
        *reason = "the layout cannot bind this data";
    else if ((device_count > 0 || request->piece_count > 1) && !layout->devices)
        *reason = "the layout cannot bind devices";
    return *reason == NULL && layout->make(request, devices, device_count, out, reason);
}
