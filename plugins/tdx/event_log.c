/* SPDX-License-Identifier: Apache-2.0 */
#include "event_log.h"

#include "core/bytes.h"
#include "core/digest.h"
#include "core/encoding.h"
#include "core/json.h"
#include <string.h>

/* TCG PC Client Platform Firmware Profile 1.06, section 10.4.1 */
enum { EV_NO_ACTION = 0x03, EV_EVENT_TAG = 0x06, EV_IPL = 0x0d };
#define EV_DRIVER_CONFIG 0x80000001u
#define EV_BOOT_APPLICATION 0x80000003u
#define ALG_SHA384 0x0cu
#define ALGORITHMS_MAX 8u
#define EVENTS_MAX 65536u
#define RUNTIME_EVENT 0x08000001u
#define LOADED_IMAGE_OPTIONS 0x8f3b22edu /* tag under which the kernel's EFI stub measures its command line */

struct ccel_event {
    uint32_t mr, type;
    const uint8_t *sha384; /* NULL: it has none */
    struct attestd_bytes data;
};

struct ccel {
    struct attestd_reader reader;
    struct {
        uint16_t id, size;
    } algorithms[ALGORITHMS_MAX];
    uint32_t algorithm_count;
    bool broken;
};

/* The first event is of the old form and says which digests follow (TCG_EfiSpecIdEvent). */
static bool ccel_begin(struct ccel *ccel, const uint8_t *log, size_t len)
{
    struct attestd_reader *reader = &ccel->reader;
    memset(ccel, 0, sizeof *ccel);
    *reader = attestd_reader_of(log, len);
    attestd_read_skip(reader, 4);
    uint32_t type = attestd_read_u32le(reader);
    attestd_read_skip(reader, 20);
    uint32_t size = attestd_read_u32le(reader);
    struct attestd_bytes data = attestd_read_bytes(reader, size);
    struct attestd_reader spec = attestd_reader_of(data.data, data.len);
    struct attestd_bytes signature = attestd_read_bytes(&spec, 16);
    attestd_read_skip(&spec, 8);
    ccel->algorithm_count = attestd_read_u32le(&spec);
    if (reader->failed || spec.failed || type != EV_NO_ACTION || memcmp(signature.data, "Spec ID Event03", 16) != 0 ||
        ccel->algorithm_count == 0 || ccel->algorithm_count > ALGORITHMS_MAX)
        return false;
    for (uint32_t i = 0; i < ccel->algorithm_count; i++) {
        ccel->algorithms[i].id = attestd_read_u16le(&spec);
        ccel->algorithms[i].size = attestd_read_u16le(&spec);
        if (ccel->algorithms[i].id == ALG_SHA384 && ccel->algorithms[i].size != 48)
            return false;
    }
    return !spec.failed;
}

static size_t digest_size(const struct ccel *ccel, uint16_t id)
{
    for (uint32_t i = 0; i < ccel->algorithm_count; i++) {
        if (ccel->algorithms[i].id == id)
            return ccel->algorithms[i].size;
    }
    return 0;
}

/* False at the end, which is padding of 0xff or zeros, or that of the buffer; and when the log is broken. */
static bool ccel_next(struct ccel *ccel, struct ccel_event *event)
{
    struct attestd_reader *reader = &ccel->reader;
    if (attestd_reader_left(reader) < 12)
        return false;
    memset(event, 0, sizeof *event);
    event->mr = attestd_read_u32le(reader);
    event->type = attestd_read_u32le(reader);
    uint32_t count = attestd_read_u32le(reader);
    if ((event->mr == UINT32_MAX && event->type == UINT32_MAX) || (event->mr == 0 && event->type == 0 && count == 0))
        return false;
    ccel->broken = count > ALGORITHMS_MAX;
    for (uint32_t i = 0; i < count && !ccel->broken; i++) {
        uint16_t id = attestd_read_u16le(reader);
        size_t size = digest_size(ccel, id);
        struct attestd_bytes digest = attestd_read_bytes(reader, size);
        ccel->broken |= size == 0;
        if (id == ALG_SHA384)
            event->sha384 = digest.data;
    }
    uint32_t size = attestd_read_u32le(reader);
    event->data = attestd_read_bytes(reader, size);
    ccel->broken |= reader->failed;
    return !ccel->broken;
}

static void extend(struct dcap_replay *replay, size_t index, const uint8_t digest[48])
{
    uint8_t both[96];
    memcpy(both, replay->rtmr[index], 48);
    memcpy(both + 48, digest, 48);
    attestd_sha384(both, sizeof both, replay->rtmr[index]);
    replay->events[index]++;
}

/* 1 to 4 are RTMR0 to 3; 0 is MRTD, and others extend nothing. */
static bool extends(const struct ccel_event *event)
{
    return event->mr >= 1 && event->mr <= 4 && event->type != EV_NO_ACTION;
}

bool dcap_ccel_replay(const uint8_t *log, size_t len, struct dcap_replay *replay, size_t *at)
{
    struct ccel ccel;
    struct ccel_event event;
    size_t events = 0;
    *at = 0;
    if (len > DCAP_LOG_MAX || !ccel_begin(&ccel, log, len))
        return false;
    while (events++ < EVENTS_MAX && ccel_next(&ccel, &event)) {
        if (!extends(&event))
            continue;
        if (!event.sha384) {
            ccel.broken = true;
            break;
        }
        extend(replay, event.mr - 1, event.sha384);
    }
    *at = ccel.reader.at;
    return !ccel.broken && events <= EVENTS_MAX;
}

/* ACPI 6.5, section 5.2.34: header, type (2: TDX), subtype, 2 reserved, length of the log area, its address. */
bool dcap_ccel_table_fits(const uint8_t *table, size_t len, size_t log_len)
{
    struct attestd_reader reader = attestd_reader_of(table, len);
    struct attestd_bytes signature = attestd_read_bytes(&reader, 4);
    uint32_t size = attestd_read_u32le(&reader);
    attestd_read_skip(&reader, 28);
    uint8_t type = attestd_read_u8(&reader);
    attestd_read_skip(&reader, 3);
    uint64_t area = attestd_read_u64le(&reader);
    return !reader.failed && memcmp(signature.data, "CCEL", 4) == 0 && size == len && type == 2 && area >= log_len;
}

/* --- what events say --- */

static bool covers(const struct ccel_event *event, struct attestd_bytes bytes)
{
    uint8_t digest[48];
    attestd_sha384(bytes.data, bytes.len, digest);
    return event->sha384 && memcmp(digest, event->sha384, 48) == 0;
}

/* Printable ASCII, NUL at the end dropped; NULL when it is something else. */
static const char *printable(const struct attestd_host *host, struct attestd_appraisal *appraisal, struct attestd_bytes text, size_t step)
{
    char *out = host->alloc(appraisal, text.len / step + 1);
    size_t len = 0;
    for (size_t i = 0; i + step <= text.len; i += step) {
        uint8_t c = text.data[i];
        if (c == 0 && (step == 1 || text.data[i + 1] == 0))
            break;
        if (c < 0x20 || c > 0x7e || (step == 2 && text.data[i + 1] != 0))
            return NULL;
        out[len++] = (char)c;
    }
    return out;
}

static void claim_secure_boot(const struct attestd_host *host, struct attestd_appraisal *appraisal, const struct ccel_event *event)
{
    static const uint8_t name[20] = {'S', 0, 'e', 0, 'c', 0, 'u', 0, 'r', 0, 'e', 0, 'B', 0, 'o', 0, 'o', 0, 't', 0};
    struct attestd_reader reader = attestd_reader_of(event->data.data, event->data.len);
    attestd_read_skip(&reader, 16);
    uint64_t name_len = attestd_read_u64le(&reader), data_len = attestd_read_u64le(&reader);
    if (reader.failed || name_len != 10 || data_len > 1)
        return;
    struct attestd_bytes is = attestd_read_bytes(&reader, sizeof name);
    uint8_t value = data_len ? attestd_read_u8(&reader) : 0;
    if (!reader.failed && memcmp(is.data, name, sizeof name) == 0 && covers(event, event->data))
        host->claim_flag(appraisal, "event_log.secure_boot", value == 1);
}

/* GRUB: "kernel_cmdline: ..." with the digest of what stands behind the prefix. EFI stub: a tagged event with the digest of its text. */
static void claim_command_line(const struct attestd_host *host, struct attestd_appraisal *appraisal, const struct ccel_event *event)
{
    static const char prefix[] = "kernel_cmdline: ";
    struct attestd_bytes data = event->data;
    const char *text = NULL;
    if (event->type == EV_IPL && data.len > sizeof prefix && memcmp(data.data, prefix, sizeof prefix - 1) == 0) {
        struct attestd_bytes line = {data.data + sizeof prefix - 1, data.len - (sizeof prefix - 1)};
        if (line.data[line.len - 1] == 0 && !covers(event, line))
            line.len--;
        text = covers(event, line) ? printable(host, appraisal, line, 1) : NULL;
    } else if (event->type == EV_EVENT_TAG) {
        struct attestd_reader reader = attestd_reader_of(data.data, data.len);
        uint32_t tag = attestd_read_u32le(&reader), size = attestd_read_u32le(&reader);
        struct attestd_bytes line = attestd_read_bytes(&reader, size);
        if (!reader.failed && tag == LOADED_IMAGE_OPTIONS && covers(event, line))
            text = printable(host, appraisal, line, 2);
    }
    if (text)
        host->claim_text(appraisal, "event_log.kernel_command_line[]", text);
}

void dcap_ccel_claim(const struct attestd_host *host, struct attestd_appraisal *appraisal, const uint8_t *log, size_t len,
                     unsigned matching)
{
    struct ccel ccel;
    struct ccel_event event;
    size_t events = 0;
    if (!ccel_begin(&ccel, log, len))
        return;
    while (events++ < EVENTS_MAX && ccel_next(&ccel, &event)) {
        if (!extends(&event) || !(matching >> (event.mr - 1) & 1u))
            continue;
        if (event.type == EV_DRIVER_CONFIG)
            claim_secure_boot(host, appraisal, &event);
        else if (event.type == EV_BOOT_APPLICATION)
            host->claim_bytes(appraisal, "event_log.boot_applications[]", event.sha384, 48);
        else
            claim_command_line(host, appraisal, &event);
    }
}

/* --- the JSON log: [{imr, event_type, digest, event, event_payload}] --- */

struct json_event {
    size_t imr;
    uint8_t digest[48];
    const char *name;
    struct attestd_bytes payload; /* hex text */
    bool runtime;
};

static bool runtime_digest(const json_t *object, int64_t type, uint8_t digest[48])
{
    const char *name = json_string_value(json_object_get(object, "event"));
    const json_t *payload = json_object_get(object, "event_payload");
    size_t hex = json_string_length(payload), len = 0;
    uint8_t head[4] = {(uint8_t)type, (uint8_t)(type >> 8), (uint8_t)(type >> 16), (uint8_t)(type >> 24)}, bytes[4096];
    if (!name || !json_is_string(payload) || hex > 2 * sizeof bytes ||
        !attestd_hex_decode(json_string_value(payload), hex, bytes, sizeof bytes, &len))
        return false;
    struct attestd_digest *running = attestd_digest_new(384);
    attestd_digest_add(running, head, 4);
    attestd_digest_add(running, ":", 1);
    attestd_digest_add(running, name, strlen(name));
    attestd_digest_add(running, ":", 1);
    attestd_digest_add(running, bytes, len);
    attestd_digest_finish(running, digest);
    return true;
}

static bool json_event_read(const json_t *object, struct json_event *event)
{
    const json_t *imr = json_object_get(object, "imr"), *type = json_object_get(object, "event_type"),
                 *digest = json_object_get(object, "digest");
    uint8_t own[48];
    size_t len = 0;
    if (!json_is_integer(imr) || json_integer_value(imr) < 0 || json_integer_value(imr) > 3 || !json_is_integer(type) ||
        !json_is_string(digest) || json_string_length(digest) != 96 ||
        !attestd_hex_decode(json_string_value(digest), 96, event->digest, 48, &len))
        return false;
    event->imr = (size_t)json_integer_value(imr);
    event->runtime = json_integer_value(type) == RUNTIME_EVENT;
    if (!event->runtime)
        return true;
    event->name = json_string_value(json_object_get(object, "event"));
    const json_t *payload = json_object_get(object, "event_payload");
    event->payload = (struct attestd_bytes){(const uint8_t *)json_string_value(payload), json_string_length(payload)};
    return runtime_digest(object, RUNTIME_EVENT, own) && memcmp(own, event->digest, 48) == 0;
}

bool dcap_json_log_replay(const uint8_t *log, size_t len, struct dcap_replay *replay, size_t *at)
{
    json_t *list = len <= DCAP_LOG_MAX ? attestd_json_read((const char *)log, len, 4, NULL, 0) : NULL;
    bool good = json_is_array(list);
    for (size_t i = 0; good && i < json_array_size(list); i++) {
        struct json_event event = {0};
        *at = i;
        good = json_event_read(json_array_get(list, i), &event);
        if (good)
            extend(replay, event.imr, event.digest);
    }
    json_decref(list);
    return good;
}

void dcap_json_log_claim(const struct attestd_host *host, struct attestd_appraisal *appraisal, const uint8_t *log, size_t len,
                         unsigned matching)
{
    json_t *list = attestd_json_read((const char *)log, len, 4, NULL, 0);
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct json_event event = {0};
        if (!json_event_read(json_array_get(list, i), &event) || !event.runtime || !(matching >> event.imr & 1u))
            continue;
        size_t name_len = strlen(event.name);
        char *text = host->alloc(appraisal, name_len + event.payload.len + 2);
        memcpy(text, event.name, name_len);
        text[name_len] = '=';
        memcpy(text + name_len + 1, event.payload.data, event.payload.len);
        host->claim_text(appraisal, "event_log.runtime[]", text);
    }
    json_decref(list);
}
