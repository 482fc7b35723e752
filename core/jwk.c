/* SPDX-License-Identifier: Apache-2.0 */
#include "core/jwk.h"

#include "core/digest.h"
#include "core/encoding.h"
#include <string.h>

enum { LARGEST_RSA = 1024 }; /* bytes of modulus: 8192 bits */

static const struct attestd_jwk *refuse(const char **error, const char *phrase)
{
    if (error)
        *error = phrase;
    return NULL;
}

/* Decodes a member: base64url without padding (RFC 7515 section 2), one text for one value. */
static bool member(const json_t *jwk, const char *name, uint8_t *out, size_t size, size_t *len)
{
    const json_t *value = json_object_get(jwk, name);
    const char *text = json_string_value(value);
    size_t text_len = json_string_length(value);
    if (!text || text_len == 0 || strcspn(text, "+/=") != text_len)
        return false;
    return attestd_base64_decode(text, text_len, out, size, len);
}

static bool member_of(const json_t *jwk, const char *name, uint8_t *out, size_t exactly)
{
    size_t len;
    return member(jwk, name, out, exactly, &len) && len == exactly;
}

static const char *text_of(const json_t *jwk, const char *name)
{
    const char *text = json_string_value(json_object_get(jwk, name));
    return text ? text : "";
}

static void release_key(void *key)
{
    attestd_key_free(key);
}

static const struct attestd_jwk *finish(struct attestd_arena *arena, const char *json, struct attestd_key *key)
{
    struct attestd_jwk *made = attestd_arena_alloc(arena, sizeof *made);
    made->json = json;
    made->key = key;
    attestd_arena_defer(arena, release_key, key);
    attestd_sha256(json, strlen(json), made->thumbprint);
    return made;
}

static const struct attestd_jwk *read_ec(struct attestd_arena *arena, const json_t *jwk, const char **error)
{
    const char *curve = text_of(jwk, "crv");
    size_t width = strcmp(curve, "P-256") == 0 ? 32 : strcmp(curve, "P-384") == 0 ? 48 : 0;
    if (width == 0)
        return refuse(error, "crv is neither P-256 nor P-384");
    uint8_t x[48], y[48];
    if (!member_of(jwk, "x", x, width) || !member_of(jwk, "y", y, width))
        return refuse(error, "x and y must be base64url of exactly the curve's coordinate length");
    struct attestd_key *key = attestd_key_from_point(x, y, width);
    if (!key)
        return refuse(error, "the point is not on the curve");
    return finish(arena,
                  attestd_arena_format(arena, "{\"crv\":\"%s\",\"kty\":\"EC\",\"x\":\"%s\",\"y\":\"%s\"}", curve, text_of(jwk, "x"),
                                       text_of(jwk, "y")),
                  key);
}

static const struct attestd_jwk *read_okp(struct attestd_arena *arena, const json_t *jwk, const char **error)
{
    /* SubjectPublicKeyInfo of RFC 8410; the last byte of the OID tells the two apart. */
    uint8_t spki[44] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
    const char *curve = text_of(jwk, "crv");
    if (strcmp(curve, "X25519") == 0)
        spki[8] = 0x6e;
    else if (strcmp(curve, "Ed25519") != 0)
        return refuse(error, "crv is neither Ed25519 nor X25519");
    if (!member_of(jwk, "x", spki + 12, 32))
        return refuse(error, "x must be base64url of exactly 32 bytes");
    struct attestd_key *key = attestd_key_from_spki(spki, sizeof spki);
    if (!key)
        return refuse(error, "not a key of its curve");
    return finish(arena, attestd_arena_format(arena, "{\"crv\":\"%s\",\"kty\":\"OKP\",\"x\":\"%s\"}", curve, text_of(jwk, "x")), key);
}

/* Writing DER from its end to its beginning, so that every length is known when its turn comes. */
struct der_writer {
    uint8_t *at;
};

static void put_back(struct der_writer *w, const void *bytes, size_t len)
{
    w->at -= len;
    memcpy(w->at, bytes, len);
}

static void put_head(struct der_writer *w, uint8_t tag, size_t len)
{
    uint8_t head[4] = {tag, 0x82, (uint8_t)(len >> 8), (uint8_t)len};
    if (len < 128)
        put_back(w, (const uint8_t[]){tag, (uint8_t)len}, 2);
    else if (len < 256)
        put_back(w, (const uint8_t[]){tag, 0x81, (uint8_t)len}, 3);
    else
        put_back(w, head, 4);
}

static void put_number(struct der_writer *w, const uint8_t *number, size_t len)
{
    put_back(w, number, len);
    if (number[0] & 0x80)
        put_back(w, "", 1);
    put_head(w, 0x02, len + (number[0] >> 7));
}

static struct attestd_key *rsa_from(const uint8_t *n, size_t n_len, const uint8_t *e, size_t e_len)
{
    static const uint8_t algorithm[] = {0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00};
    uint8_t spki[LARGEST_RSA + 64];
    const uint8_t *end = spki + sizeof spki;
    struct der_writer w = {spki + sizeof spki};
    put_number(&w, e, e_len);
    put_number(&w, n, n_len);
    put_head(&w, 0x30, (size_t)(end - w.at));
    put_back(&w, "", 1); /* no unused bits */
    put_head(&w, 0x03, (size_t)(end - w.at));
    put_back(&w, algorithm, sizeof algorithm);
    put_head(&w, 0x30, (size_t)(end - w.at));
    return attestd_key_from_spki(w.at, (size_t)(end - w.at));
}

static const struct attestd_jwk *read_rsa(struct attestd_arena *arena, const json_t *jwk, const char **error)
{
    uint8_t n[LARGEST_RSA], e[8];
    size_t n_len, e_len;
    if (!member(jwk, "n", n, sizeof n, &n_len) || !member(jwk, "e", e, sizeof e, &e_len))
        return refuse(error, "n and e must be base64url, n of at most 8192 bits, e of at most 64");
    /* RFC 7518 section 6.3.1: no leading zero bytes. */
    if (n[0] == 0 || e[0] == 0)
        return refuse(error, "n and e must have no leading zeros");
    struct attestd_key *key = rsa_from(n, n_len, e, e_len);
    if (!key)
        return refuse(error, "an RSA key must have 2048 to 8192 bits and an odd exponent of at least 65537");
    return finish(arena, attestd_arena_format(arena, "{\"e\":\"%s\",\"kty\":\"RSA\",\"n\":\"%s\"}", text_of(jwk, "e"), text_of(jwk, "n")),
                  key);
}

const struct attestd_jwk *attestd_jwk_read(struct attestd_arena *arena, const json_t *jwk, const char **error)
{
    static const char *const secrets[] = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"};
    if (!json_is_object(jwk))
        return refuse(error, "a JWK is an object");
    for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++)
        if (json_object_get(jwk, secrets[i]))
            return refuse(error, "the JWK holds a private or symmetric key; send the public key only");
    const char *type = text_of(jwk, "kty");
    if (strcmp(type, "EC") == 0)
        return read_ec(arena, jwk, error);
    if (strcmp(type, "OKP") == 0)
        return read_okp(arena, jwk, error);
    if (strcmp(type, "RSA") == 0)
        return read_rsa(arena, jwk, error);
    return refuse(error, "kty is none of EC, OKP and RSA");
}
