/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plugin interface of attestd.
 *
 * A plugin turns one kind of evidence into checks and claims. This header is all it needs: a plugin built with it has
 * no undefined symbol but libc's. The host gives everything else through `struct attestd_host`.
 *
 * The rules of the house, for whoever writes a plugin:
 *   - verify() is a pure function of evidence, endorsements, anchors, policy settings and time. It does no I/O, reads no
 *     clock and writes no global. It may run on many threads at once.
 *   - It runs again from the start after each PENDING; whatever it recorded in the run before is forgotten by the host.
 *   - Claims and checks recorded by a run that answers MALFORMED are dropped.
 *   - Pointers handed to the host are copied unless a function says "borrowed". Memory from alloc(), and everything
 *     the host returns, lives until the appraisal ends.
 *   - Unless it says otherwise, a host function never fails: out of memory ends the run in the host.
 *
 * Compatibility: fields and functions are only ever added at the end; `struct_size` says what is there.
 */
#ifndef ATTESTD_PLUGIN_H
#define ATTESTD_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ATTESTD_PLUGIN_ABI 1u

/* Bytes that somebody else owns. Length zero: data may be NULL. */
struct attestd_bytes {
    const uint8_t *data;
    size_t len;
};

/* What verify() answers. */
enum {
    ATTESTD_DONE = 0,     /* every check that could be made is recorded */
    ATTESTD_PENDING = 1,  /* endorsements are missing: call again when they are there */
    ATTESTD_MALFORMED = 2 /* the bytes are not this kind of evidence; malformed() said where */
};

/* Who may be the binder (the piece whose signed field binds all others). */
enum attestd_evidence_class { ATTESTD_CLASS_CPU = 1, ATTESTD_CLASS_DEVICE = 2, ATTESTD_CLASS_TPM = 3 };

enum attestd_outcome {
    ATTESTD_PASS = 0,
    ATTESTD_FAIL = 1,
    ATTESTD_SKIPPED = 2,    /* an earlier failure took this check's input away; never a pass */
    ATTESTD_UNAVAILABLE = 3 /* an endorsement could not be had */
};

enum attestd_mode { ATTESTD_STRICT = 0, ATTESTD_WARN = 1, ATTESTD_DISABLED = 2 };

/* The trustworthiness vector of AR4SI (draft-ietf-rats-ar4si, section 2.3). The numbers are the CBOR keys of EAR. */
enum attestd_trust_claim {
    ATTESTD_NO_CLAIM = -1,
    ATTESTD_INSTANCE_IDENTITY = 0,
    ATTESTD_CONFIGURATION = 1,
    ATTESTD_EXECUTABLES = 2,
    ATTESTD_FILE_SYSTEM = 3,
    ATTESTD_HARDWARE = 4,
    ATTESTD_RUNTIME_OPAQUE = 5,
    ATTESTD_STORAGE_OPAQUE = 6,
    ATTESTD_SOURCED_DATA = 7
};
#define ATTESTD_TRUST_CLAIMS 8

/* One way in which a check can fail. Codes are UPPER_SNAKE, unique over all plugins, and never reused. */
struct attestd_reason {
    const char *code;   /* NULL ends the list */
    const char *remedy; /* one sentence for the operator: what would have made it pass */
};

/*
 * One entry of the catalogue: a decision a plugin takes. Static data.
 */
struct attestd_check {
    const char *id;                             /* dotted, stable: "snp.signature" */
    const char *title;                          /* a phrase that is true when the check passes: "report is signed by the VCEK" */
    int32_t fixed;                              /* 1: always strict, no policy may name it in a mode or weight */
    int32_t default_mode;                       /* enum attestd_mode, when the policy says nothing; STRICT for fixed checks */
    int32_t claim;                              /* enum attestd_trust_claim this check speaks for */
    int8_t affirming, warning, contraindicated; /* AR4SI values: passed, failed in warn mode, failed in strict mode */
    const char *reference;                      /* the paragraph of the specification: "AMD 56860 1.58 table 23" */
    const struct attestd_reason *reasons;
};

/* A parsed value: policy settings, and claims. Read-only for plugins. */
enum attestd_value_kind {
    ATTESTD_VALUE_NULL = 0,
    ATTESTD_VALUE_FLAG,   /* .number is 0 or 1 */
    ATTESTD_VALUE_NUMBER, /* .number */
    ATTESTD_VALUE_TEXT,   /* .text: UTF-8, NUL-terminated at text.data[text.len] */
    ATTESTD_VALUE_BYTES,  /* .text: raw bytes; written as lower-case hex */
    ATTESTD_VALUE_LIST,   /* .items */
    ATTESTD_VALUE_MAP     /* .items, with names */
};

struct attestd_value {
    const char *name; /* in a map; else NULL */
    int32_t kind;     /* enum attestd_value_kind */
    int64_t number;
    struct attestd_bytes text;
    const struct attestd_value *items; /* count of them, in order */
    size_t count;
};

/* One named part of a piece of evidence: "report", "certs". A raw body is the part named by the plugin's raw_part. */
struct attestd_part {
    const char *name;
    struct attestd_bytes bytes;
};

/* What is to be verified. Everything in it is borrowed until the appraisal ends. */
struct attestd_evidence {
    uint32_t struct_size;
    const char *label;                /* "cpu0" */
    const struct attestd_part *parts; /* part_count of them; names are unique */
    size_t part_count;
    int64_t time; /* verification time, seconds since 1970-01-01T00:00:00Z */
};

/* An endorsement in the hands of a running appraisal. */
struct attestd_endorsement {
    struct attestd_bytes bytes;
    uint8_t sha256[32];    /* of bytes */
    uint32_t handle;       /* for accept() and reject() */
    int32_t from_evidence; /* 1: the attester enclosed it */
};

/* What need() answers. */
enum {
    ATTESTD_NEED_READY = 0,   /* a candidate is in *out */
    ATTESTD_NEED_WAITING = 1, /* asked for; go on naming other needs, then answer PENDING */
    ATTESTD_NEED_ABSENT = 2   /* it cannot be had (any more); record an unavailable check */
};

/* How an endorsement kind may be kept. */
enum attestd_endorsement_life {
    ATTESTD_IMMUTABLE = 0, /* certificates of one chip: evidence, cache, directories, vendor */
    ATTESTD_AGEING = 1,    /* lists with a nextUpdate: cache while fresh, vendor, directories, evidence */
    ATTESTD_ANCHOR = 2     /* the bytes of a pinned root: kept in state, accepted only through anchor() */
};

struct attestd_endorsement_kind {
    const char *kind;  /* "snp.vcek"; NULL ends the list */
    const char *title; /* "VCEK certificate of one chip and TCB" */
    int32_t life;      /* enum attestd_endorsement_life */
    uint32_t max_size; /* bytes; larger answers are refused before they are read whole */
};

/* What anchor() answers. */
enum {
    ATTESTD_ANCHOR_UNKNOWN = 0, /* not listed, or listed for another purpose */
    ATTESTD_ANCHOR_PINNED = 1,  /* certificate digest listed for this purpose */
    ATTESTD_ANCHOR_REISSUED = 2 /* another certificate over a listed public key: report ANCHOR_REISSUED, do not accept */
};

/* What a binding field must equal, for binding layout attestd-v1 (docs/binding.md). */
enum attestd_binding_form {
    ATTESTD_BINDS_D = 0,        /* the 64 bytes of D (other layouts: zero padded to the field) */
    ATTESTD_BINDS_SHA256_D = 1, /* SHA-256(D), 32 bytes */
    ATTESTD_BINDS_NONCE = 2,    /* empty, or the nonce itself */
    ATTESTD_BINDS_KEY = 3       /* empty, or the DER SubjectPublicKeyInfo of cnf */
};

/* Signature algorithms of signature(). The key is a DER SubjectPublicKeyInfo. */
enum attestd_algorithm {
    ATTESTD_ECDSA_P256_SHA256 = 1, /* signature: r then s, 32 bytes each, big-endian */
    ATTESTD_ECDSA_P384_SHA384 = 2, /* signature: r then s, 48 bytes each, big-endian */
    ATTESTD_RSA_PKCS1_SHA256 = 3,
    ATTESTD_RSA_PSS_SHA256 = 4, /* salt 32, MGF1 with the same digest */
    ATTESTD_RSA_PSS_SHA384 = 5, /* salt 48 */
    ATTESTD_ED25519 = 6,
    ATTESTD_ECDSA_P384_SHA384_DER = 7,
    ATTESTD_ECDSA_P256_SHA256_DER = 8
};

struct attestd_appraisal; /* the host's; one per piece of evidence and run */

/*
 * What a plugin can do. One static table, the same for all plugins.
 */
struct attestd_host {
    uint32_t struct_size;

    /* Zeroed memory that lives until the appraisal ends. */
    void *(*alloc)(struct attestd_appraisal *, size_t size);

    /* The evidence does not parse. Code from the plugin's catalogue; `offset` is where in which part; detail is one
     * printable phrase. verify() then returns ATTESTD_MALFORMED. */
    void (*malformed)(struct attestd_appraisal *, const char *code, const char *part, size_t offset, const char *detail);

    /* Record a check. `code` is NULL when the outcome is PASS, and may be NULL when it is SKIPPED. observed and expected are short UTF-8
     * texts or NULL. The same check may be recorded once a run; a second record is a defect the host reports. */
    void (*check)(struct attestd_appraisal *, const struct attestd_check *, int32_t outcome, const char *code, const char *observed,
                  const char *expected);

    /* Mode that the policy gives this check at the time of verification (enum attestd_mode). */
    int32_t (*mode)(struct attestd_appraisal *, const struct attestd_check *);

    /* A setting of this plugin's policy section by dotted path ("tcb.floor"), or NULL when the policy has none. */
    const struct attestd_value *(*setting)(struct attestd_appraisal *, const char *path);

    /* Claims, by dotted path below the plugin's name; a path ending in "[]" appends to a list. bytes are written as
     * lower-case hex. They count only if the fixed checks pass; the host moves them to `unverified` otherwise. */
    void (*claim_text)(struct attestd_appraisal *, const char *path, const char *text);
    void (*claim_bytes)(struct attestd_appraisal *, const char *path, const uint8_t *bytes, size_t len);
    void (*claim_number)(struct attestd_appraisal *, const char *path, int64_t number);
    void (*claim_flag)(struct attestd_appraisal *, const char *path, int32_t flag);

    /* The field the attester bound, and what it must equal. More than one form: each must hold. */
    void (*binding_field)(struct attestd_appraisal *, int32_t form, const uint8_t *bytes, size_t len);
    /* The bytes a digest of this piece covers; further calls append. */
    void (*signed_bytes)(struct attestd_appraisal *, const uint8_t *bytes, size_t len);

    /* Ask for an endorsement by kind and key, never by URL. Keys are [A-Za-z0-9._=&/-]{1,512}. Repeating a question is
     * free. After reject() of the candidate, the next call gives the next candidate or asks the next source. */
    int32_t (*need)(struct attestd_appraisal *, const char *kind, const char *key, struct attestd_endorsement *out);
    /* An endorsement the attester enclosed; borrowed. Once accepted it is listed and cached like any other. */
    void (*offer)(struct attestd_appraisal *, const char *kind, const char *key, const uint8_t *bytes, size_t len,
                  struct attestd_endorsement *out);
    /* The plugin authenticated it. next_update: seconds since 1970, 0 if it does not age. number: CRL or evaluation
     * number, by which newer replaces older; 0 if it has none. Undecided ones are not stored. */
    void (*accept)(struct attestd_appraisal *, uint32_t handle, int64_t next_update, uint64_t number);
    void (*reject)(struct attestd_appraisal *, uint32_t handle, const char *code);

    /* Is this certificate a pinned root for this purpose ("snp/Genoa")? By SHA-256, never by name. */
    int32_t (*anchor)(struct attestd_appraisal *, const char *purpose, const uint8_t *der, size_t len);

    /* Immutable pre-parsed objects. The key is a digest of ALL the object was made from; the host adds plugin, version
     * and anchor set. get() returns NULL after not_after, or when it was dropped; what it returns stays valid until the
     * appraisal ends. put() takes ownership of object and calls release when nobody uses it. Only successes are kept. */
    const void *(*memo_get)(struct attestd_appraisal *, const uint8_t key[32]);
    void (*memo_put)(struct attestd_appraisal *, const uint8_t key[32], void *object, size_t size, int64_t not_after,
                     void (*release)(void *object));

    /* Device state, by key (bytes): recall what is remembered, propose its successor (applied by compare-and-swap, only
     * when the verdict is not contraindicated). recall returns length 0 for nothing. */
    struct attestd_bytes (*recall)(struct attestd_appraisal *, const uint8_t *key, size_t key_len);
    void (*propose)(struct attestd_appraisal *, const uint8_t *key, size_t key_len, const uint8_t *state, size_t len);

    /* Hand parts to another plugin under this label; depth 2 at most. Returns what that verify() returned. Its checks
     * and claims stand under this label; its first binding field comes back in *field. */
    int32_t (*delegate)(struct attestd_appraisal *, const char *type, const struct attestd_part *parts, size_t part_count,
                        struct attestd_bytes *field);

    /* Cryptography for plugins that have no library of their own. signature: 1 good, 0 not. */
    int32_t (*signature)(struct attestd_appraisal *, int32_t algorithm, const uint8_t *spki, size_t spki_len, const uint8_t *message,
                         size_t message_len, const uint8_t *signature, size_t signature_len);
    void (*sha256)(const uint8_t *bytes, size_t len, uint8_t digest[32]);
    void (*sha384)(const uint8_t *bytes, size_t len, uint8_t digest[48]);
};

/* For identify(): called once for each endorsement the bytes may serve as. */
typedef void attestd_identified(void *context, const char *kind, const char *key);

struct attestd_plugin {
    uint32_t abi_version; /* ATTESTD_PLUGIN_ABI */
    uint32_t struct_size;
    const char *name;                          /* "snp": evidence type, section of policies, prefix of check ids */
    const char *version;                       /* of the plugin; part of every memo key and of `engine` */
    const char *const *media_types;            /* NULL-terminated */
    int32_t evidence_class;                    /* enum attestd_evidence_class */
    const struct attestd_check *const *checks; /* NULL-terminated */

    int32_t (*init)(void); /* once, before threads; 0 or the start fails */
    void (*fini)(void);    /* once, after threads */

    /* 0..100: are these raw bytes mine? Reads no more than it must. */
    int32_t (*recognise)(const uint8_t *bytes, size_t len);
    int32_t (*verify)(const struct attestd_host *, const struct attestd_evidence *, struct attestd_appraisal *);

    /* Codes of malformed(), each with a remedy; ended by a NULL code. */
    const struct attestd_reason *malformed;
    /* Name of the part that a raw body is ("report"). */
    const char *raw_part;
    /* What it asks for; ended by a NULL kind; may be NULL. */
    const struct attestd_endorsement_kind *endorsements;
    /* Which endorsement of its kinds these bytes (one DER object, or a JSON or XML document) can serve as: pure, and no
     * judgement of authenticity. May be NULL. Any number of answers. */
    void (*identify)(const uint8_t *bytes, size_t len, attestd_identified *found, void *context);
    /* JSON Schema (2020-12, the subset of docs/policy.md) of this plugin's policy section, as JSON text; NULL: none. */
    const char *policy_schema;
    /* What the bytes say, for a person, with no judgement: claims only, through the claim functions. 0, or
     * ATTESTD_MALFORMED. May be NULL. */
    int32_t (*inspect)(const struct attestd_host *, const struct attestd_evidence *, struct attestd_appraisal *);
};

/* The one symbol a plugin exports. */
const struct attestd_plugin *attestd_plugin(void);

#ifdef __cplusplus
}
#endif
#endif
