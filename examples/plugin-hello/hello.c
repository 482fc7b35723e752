/* SPDX-License-Identifier: Apache-2.0 */
/* A complete plugin for toy evidence; README.md has the format. */
#include <attestd/plugin.h>
#include <string.h>

enum { EVIDENCE_SIZE = 200, SIGNED_SIZE = 136, SPKI_SIZE = 91, SIGNATURE_SIZE = 64, ENDORSEMENT_SIZE = 2 * SPKI_SIZE + SIGNATURE_SIZE };

/* The catalogue: every decision, its AR4SI claim and values, and for each way to fail what to do about it. */

static const struct attestd_reason malformed_reasons[] = {
    {"HELLO_SIZE", "Send the 200 bytes of the evidence."},
    {"HELLO_MAGIC", "Send toy evidence; it begins with HELO and version 1."},
    {NULL, NULL},
};
static const struct attestd_reason reserved_reasons[] = {{"HELLO_RESERVED_SET", "Use a plugin that knows this flag."}, {NULL, NULL}};
static const struct attestd_reason root_reasons[] = {{"HELLO_ROOT_UNKNOWN", "Pin the root's key for the purpose hello/root."},
                                                     {"HELLO_ROOT_UNAVAILABLE", "Make the key's endorsement available."},
                                                     {NULL, NULL}};
static const struct attestd_reason key_reasons[] = {{"HELLO_KEY_NOT_ENDORSED", "Fetch the endorsement that belongs to this device's key."},
                                                    {NULL, NULL}};
static const struct attestd_reason signature_reasons[] = {
    {"HELLO_SIGNATURE_INVALID", "Collect the evidence again; a byte of it was changed."}, {NULL, NULL}};
static const struct attestd_reason debug_reasons[] = {{"HELLO_DEBUG_ENABLED", "Start the guest without debugging."}, {NULL, NULL}};
static const struct attestd_reason measurement_reasons[] = {
    {"HELLO_MEASUREMENT_UNEXPECTED", "Run the software that the policy's hello.measurement names."}, {NULL, NULL}};

static const struct attestd_check check_reserved = {
    "hello.reserved", "reserved bits are zero", 1, ATTESTD_STRICT, ATTESTD_NO_CLAIM, 0, 0, 0, "README.md, byte 5", reserved_reasons};
static const struct attestd_check check_root = {
    "hello.root", "the endorsement's root is pinned", 1,           ATTESTD_STRICT, ATTESTD_HARDWARE, 0, 0,
    99,           "README.md, endorsement",           root_reasons};
static const struct attestd_check check_key = {
    "hello.key", "the root endorses this device's key", 1, ATTESTD_STRICT, ATTESTD_HARDWARE, 0, 0, 99, "README.md, endorsement",
    key_reasons};
static const struct attestd_check check_signature = {"hello.signature",
                                                     "the evidence is signed by the device's key",
                                                     1,
                                                     ATTESTD_STRICT,
                                                     ATTESTD_HARDWARE,
                                                     2,
                                                     0,
                                                     99,
                                                     "README.md, bytes 136 to 199",
                                                     signature_reasons};
static const struct attestd_check check_debug = {
    "hello.debug", "debugging is off", 0, ATTESTD_STRICT, ATTESTD_CONFIGURATION, 2, 32, 96, "README.md, byte 5", debug_reasons};
static const struct attestd_check check_measurement = {"hello.measurement",
                                                       "the measurement is the one the policy names",
                                                       0,
                                                       ATTESTD_STRICT,
                                                       ATTESTD_EXECUTABLES,
                                                       3,
                                                       33,
                                                       33,
                                                       "README.md, bytes 72 to 103",
                                                       measurement_reasons};

static const struct attestd_check *const checks[] = {&check_reserved, &check_root,        &check_key, &check_signature,
                                                     &check_debug,    &check_measurement, NULL};

static const struct attestd_endorsement_kind endorsements[] = {
    {"hello.key", "a root's signature on a device key", ATTESTD_IMMUTABLE, ENDORSEMENT_SIZE},
    {NULL, NULL, 0, 0},
};

/* Layout: bytes to struct. All lengths are checked here, once. */

struct evidence {
    const uint8_t *bytes;
    uint8_t flags;
    const uint8_t *report_data, *measurement, *key_id, *signature;
};

static int parse(const struct attestd_host *host, struct attestd_appraisal *a, const struct attestd_evidence *evidence,
                 struct evidence *out)
{
    struct attestd_bytes report = {NULL, 0};

    for (size_t i = 0; i < evidence->part_count; i++)
        if (strcmp(evidence->parts[i].name, "report") == 0)
            report = evidence->parts[i].bytes;
    if (report.len != EVIDENCE_SIZE) {
        host->malformed(a, "HELLO_SIZE", "report", report.len, "toy evidence is 200 bytes");
        return 0;
    }
    if (memcmp(report.data, "HELO\1", 5) != 0) {
        host->malformed(a, "HELLO_MAGIC", "report", 0, "does not begin with HELO and version 1");
        return 0;
    }
    *out = (struct evidence){report.data, report.data[5], report.data + 8, report.data + 72, report.data + 104, report.data + 136};
    return 1;
}

/* Endorsements: ask, judge, accept or reject. Answers the device's SPKI, or NULL with *answer set. */

static const uint8_t *endorsed_key(const struct attestd_host *host, struct attestd_appraisal *a, const struct evidence *evidence,
                                   int32_t *answer)
{
    static const char digits[] = "0123456789abcdef";
    struct attestd_endorsement got;
    char key[65] = {0};
    uint8_t digest[32];

    *answer = ATTESTD_DONE;
    for (int i = 0; i < 32; i++) {
        key[2 * i] = digits[evidence->key_id[i] >> 4];
        key[2 * i + 1] = digits[evidence->key_id[i] & 15];
    }
    const char *code = "HELLO_ROOT_UNAVAILABLE";
    const struct attestd_check *failed = &check_root;
    for (;;) {
        int32_t ready = host->need(a, "hello.key", key, &got);
        if (ready == ATTESTD_NEED_WAITING)
            *answer = ATTESTD_PENDING;
        if (ready != ATTESTD_NEED_READY)
            break;
        const uint8_t *root = got.bytes.data, *device = root + SPKI_SIZE, *signature = device + SPKI_SIZE;
        failed = &check_root;
        code = "HELLO_ROOT_UNKNOWN";
        if (got.bytes.len == ENDORSEMENT_SIZE && host->anchor(a, "hello/root", root, SPKI_SIZE) == ATTESTD_ANCHOR_PINNED) {
            failed = &check_key;
            code = "HELLO_KEY_NOT_ENDORSED";
            host->sha256(device, SPKI_SIZE, digest);
            if (memcmp(digest, evidence->key_id, sizeof digest) == 0 &&
                host->signature(a, ATTESTD_ECDSA_P256_SHA256, root, SPKI_SIZE, device, SPKI_SIZE, signature, SIGNATURE_SIZE)) {
                host->accept(a, got.handle, 0, 0);
                host->check(a, &check_root, ATTESTD_PASS, NULL, NULL, NULL);
                host->check(a, &check_key, ATTESTD_PASS, NULL, NULL, NULL);
                return device;
            }
        }
        host->reject(a, got.handle, code);
    }
    if (*answer == ATTESTD_PENDING)
        return NULL;
    if (failed == &check_key)
        host->check(a, &check_root, ATTESTD_PASS, NULL, NULL, NULL);
    host->check(a, failed, strcmp(code, "HELLO_ROOT_UNAVAILABLE") == 0 ? ATTESTD_UNAVAILABLE : ATTESTD_FAIL, code, NULL, NULL);
    if (failed == &check_root)
        host->check(a, &check_key, ATTESTD_SKIPPED, NULL, NULL, NULL);
    host->check(a, &check_signature, ATTESTD_SKIPPED, NULL, NULL, NULL);
    return NULL;
}

/* What policy says: hello: {measurement: <hex>} */

static int is_hex_of(const struct attestd_value *text, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; text->text.len == 2 * len && i < 2 * len; i++) {
        int c = text->text.data[i], digit = c >= 'a' ? c - 'a' + 10 : c - '0';
        if (digit != (i % 2 == 0 ? bytes[i / 2] >> 4 : (bytes[i / 2] & 15)))
            return 0;
    }
    return text->text.len == 2 * len;
}

static void check_policy(const struct attestd_host *host, struct attestd_appraisal *a, const struct evidence *evidence)
{
    const struct attestd_value *wanted = host->setting(a, "measurement");
    int debug = evidence->flags & 1;

    host->check(a, &check_debug, debug ? ATTESTD_FAIL : ATTESTD_PASS, debug ? "HELLO_DEBUG_ENABLED" : NULL, debug ? "on" : "off", "off");
    if (wanted == NULL || wanted->kind != ATTESTD_VALUE_TEXT)
        return; /* not asked for: a check that does not apply is not recorded */
    int same = is_hex_of(wanted, evidence->measurement, 32);
    host->check(a, &check_measurement, same ? ATTESTD_PASS : ATTESTD_FAIL, same ? NULL : "HELLO_MEASUREMENT_UNEXPECTED", NULL,
                (const char *)wanted->text.data);
}

static void claim(const struct attestd_host *host, struct attestd_appraisal *a, const struct evidence *evidence)
{
    host->claim_bytes(a, "measurement", evidence->measurement, 32);
    host->claim_bytes(a, "report_data", evidence->report_data, 64);
    host->claim_bytes(a, "key_id", evidence->key_id, 32);
    host->claim_flag(a, "debug", evidence->flags & 1);
}

static int32_t verify(const struct attestd_host *host, const struct attestd_evidence *bytes, struct attestd_appraisal *a)
{
    struct evidence evidence;
    int32_t answer;

    if (!parse(host, a, bytes, &evidence))
        return ATTESTD_MALFORMED;
    int reserved = (evidence.flags & ~1) | evidence.bytes[6] | evidence.bytes[7];
    host->check(a, &check_reserved, reserved ? ATTESTD_FAIL : ATTESTD_PASS, reserved ? "HELLO_RESERVED_SET" : NULL, NULL, NULL);
    host->binding_field(a, ATTESTD_BINDS_D, evidence.report_data, 64);
    host->signed_bytes(a, evidence.bytes, EVIDENCE_SIZE);
    claim(host, a, &evidence);

    const uint8_t *key = endorsed_key(host, a, &evidence, &answer);
    if (answer == ATTESTD_PENDING)
        return ATTESTD_PENDING;
    if (key != NULL) {
        int good =
            host->signature(a, ATTESTD_ECDSA_P256_SHA256, key, SPKI_SIZE, evidence.bytes, SIGNED_SIZE, evidence.signature, SIGNATURE_SIZE);
        host->check(a, &check_signature, good ? ATTESTD_PASS : ATTESTD_FAIL, good ? NULL : "HELLO_SIGNATURE_INVALID", NULL, NULL);
    }
    check_policy(host, a, &evidence);
    return ATTESTD_DONE;
}

static int32_t inspect(const struct attestd_host *host, const struct attestd_evidence *bytes, struct attestd_appraisal *a)
{
    struct evidence evidence;

    if (!parse(host, a, bytes, &evidence))
        return ATTESTD_MALFORMED;
    claim(host, a, &evidence);
    return 0;
}

static int32_t recognise(const uint8_t *bytes, size_t len)
{
    return len == EVIDENCE_SIZE && memcmp(bytes, "HELO", 4) == 0 ? 90 : 0;
}

__attribute__((visibility("default"))) const struct attestd_plugin *attestd_plugin(void)
{
    static const char *const media_types[] = {"application/vnd.example.hello", NULL};
    static const struct attestd_plugin plugin = {
        .abi_version = ATTESTD_PLUGIN_ABI,
        .struct_size = sizeof plugin,
        .name = "hello",
        .version = "1.0.0",
        .media_types = media_types,
        .evidence_class = ATTESTD_CLASS_CPU,
        .checks = checks,
        .recognise = recognise,
        .verify = verify,
        .malformed = malformed_reasons,
        .raw_part = "report",
        .endorsements = endorsements,
        .policy_schema = "{\"type\":\"object\",\"properties\":{\"measurement\":{\"type\":\"string\",\"format\":\"hex\"}},"
                         "\"additionalProperties\":false}",
        .inspect = inspect,
    };

    return &plugin;
}
