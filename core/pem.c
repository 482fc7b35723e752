/* SPDX-License-Identifier: Apache-2.0 */
/* Textual encodings (RFC 7468), in one pass over the text. */
#include "core/certificate_parts.h"

#include "core/encoding.h"
#include <stdlib.h>
#include <string.h>

enum { MOST_OBJECTS = 64 };

struct pem_text {
    const char *at, *end;
};

static bool take_text(struct pem_text *t, const char *expected, size_t len)
{
    if ((size_t)(t->end - t->at) < len || memcmp(t->at, expected, len) != 0)
        return false;
    t->at += len;
    return true;
}

/* To the label behind the next "-----BEGIN "; false when there is none. */
static bool find_block(struct pem_text *t, struct pem_text *label, bool *broken)
{
    static const char begin[] = "-----BEGIN ", dashes[] = "-----";
    const char *found = memmem(t->at, (size_t)(t->end - t->at), begin, sizeof begin - 1);
    *broken = false;
    if (!found)
        return false;
    t->at = label->at = found + sizeof begin - 1;
    while (t->at < t->end && *t->at != '-' && *t->at != '\n' && *t->at != '\r')
        t->at++;
    label->end = t->at;
    *broken = !take_text(t, dashes, sizeof dashes - 1);
    return !*broken;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Base64 without its white space into out, up to the dash of the END line; its length, or SIZE_MAX for a foreign character. */
static size_t take_body(struct pem_text *t, char *out)
{
    size_t len = 0;
    for (; t->at < t->end && *t->at != '-'; t->at++) {
        char c = *t->at;
        if (is_space(c))
            continue;
        if (c == '_' || (c != '+' && c != '/' && c != '=' && !(c >= '0' && c <= '9') && !(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z')))
            return SIZE_MAX;
        out[len++] = c;
    }
    return len;
}

static bool take_end(struct pem_text *t, const struct pem_text *label)
{
    return take_text(t, "-----END ", 9) && take_text(t, label->at, (size_t)(label->end - label->at)) && take_text(t, "-----", 5);
}

static bool label_is(const struct pem_text *label, const char *name)
{
    size_t len = (size_t)(label->end - label->at);
    return len == strlen(name) && memcmp(label->at, name, len) == 0;
}

/* One block: 1 found, 0 passed over, -1 broken. scratch and der hold as much as the text is long. */
static int take_block(struct pem_text *t, const struct pem_text *label, char *scratch, uint8_t *der, size_t size,
                      void (*found)(void *, const uint8_t *, size_t), void *context)
{
    bool wanted = label_is(label, "CERTIFICATE") || label_is(label, "X509 CRL");
    if (!wanted)
        return 0; /* its contents and END line are text between blocks */
    size_t chars = take_body(t, scratch), len;
    if (chars == SIZE_MAX || chars == 0 || chars % 4 || !take_end(t, label))
        return -1;
    if (!attestd_base64_decode(scratch, chars, der, size, &len) || !der_is_one_sequence(der, len))
        return -1;
    found(context, der, len);
    return 1;
}

static int split_pem(struct pem_text t, void (*found)(void *, const uint8_t *, size_t), void *context)
{
    size_t size = (size_t)(t.end - t.at);
    char *scratch = malloc(size + 1);
    uint8_t *der = malloc(size + 1);
    if (!scratch || !der)
        abort();
    int count = 0;
    struct pem_text label;
    bool broken = false;
    while (find_block(&t, &label, &broken)) {
        int taken = count < MOST_OBJECTS ? take_block(&t, &label, scratch, der, size, found, context) : -1;
        broken = taken < 0;
        if (broken)
            break;
        count += taken;
    }
    free(scratch);
    free(der);
    return broken ? -1 : count;
}

int attestd_pem_or_der_split(const uint8_t *bytes, size_t len, void (*found)(void *context, const uint8_t *der, size_t len), void *context)
{
    if (!bytes || len == 0)
        return 0;
    if (der_is_one_sequence(bytes, len)) {
        found(context, bytes, len);
        return 1;
    }
    /* No text begins so: a DER object that is cut short, or has something behind it. */
    if (bytes[0] == 0x30 && len > 1 && bytes[1] & 0x80)
        return -1;
    return split_pem((struct pem_text){(const char *)bytes, (const char *)bytes + len}, found, context);
}
