/* SPDX-License-Identifier: Apache-2.0 */
#include "sdk/simulator/fields.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool sim_read_hex(uint8_t *out, size_t len, const char *hex)
{
    if (strlen(hex) != 2 * len) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        int high = hex_digit(hex[2 * i]), low = hex_digit(hex[2 * i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static bool set_unsigned(uint8_t *at, const struct sim_field *field, const char *value)
{
    char *end = NULL;
    errno = 0;
    unsigned long long number = strtoull(value, &end, 0);
    bool too_big = field->size < sizeof number && number >> (8 * field->size);
    if (errno || end == value || *end || *value == '-' || too_big || (field->kind == SIM_FIELD_FLAG && number > 1)) {
        return false;
    }
    switch (field->size) {
    case 1:
        *at = (uint8_t)number;
        return true;
    case 2:
        memcpy(at, &(uint16_t){(uint16_t)number}, 2);
        return true;
    case 4:
        memcpy(at, &(uint32_t){(uint32_t)number}, 4);
        return true;
    default:
        memcpy(at, &(uint64_t){number}, 8);
        return true;
    }
}

static bool set_signed(uint8_t *at, const struct sim_field *field, const char *value)
{
    char *end = NULL;
    errno = 0;
    long long number = strtoll(value, &end, 0);
    long long most = field->size == 1 ? INT8_MAX : field->size == 4 ? INT32_MAX : INT64_MAX;
    if (errno || end == value || *end || number > most || number < -most - 1) {
        return false;
    }
    switch (field->size) {
    case 1:
        memcpy(at, &(int8_t){(int8_t)number}, 1);
        return true;
    case 4:
        memcpy(at, &(int32_t){(int32_t)number}, 4);
        return true;
    default:
        memcpy(at, &(int64_t){number}, 8);
        return true;
    }
}

static bool set_text(uint8_t *at, const struct sim_field *field, const char *value)
{
    size_t len = strlen(value);
    if (len >= field->size) {
        return false;
    }
    memset(at, 0, field->size);
    memcpy(at, value, len);
    return true;
}

static bool set_one(const struct sim_field *field, uint8_t *at, const char *value)
{
    switch (field->kind) {
    case SIM_FIELD_BYTES:
        return sim_read_hex(at, field->size, value);
    case SIM_FIELD_SIGNED:
        return set_signed(at, field, value);
    case SIM_FIELD_TEXT:
        return set_text(at, field, value);
    default:
        return set_unsigned(at, field, value);
    }
}

bool sim_field_set(const struct sim_field *fields, size_t count, void *base, const char *assignment)
{
    const char *equals = strchr(assignment, '=');
    bool known = false;
    for (size_t i = 0; equals && i < count; i++) {
        const struct sim_field *field = &fields[i];
        if (strlen(field->name) != (size_t)(equals - assignment) || strncmp(field->name, assignment, strlen(field->name)) != 0) {
            continue;
        }
        if (!set_one(field, (uint8_t *)base + field->offset, equals + 1)) {
            return false;
        }
        known = true;
    }
    return known;
}

void sim_field_list(const struct sim_field *fields, size_t count, FILE *file)
{
    for (size_t i = 0; i < count; i++) {
        switch (fields[i].kind) {
        case SIM_FIELD_BYTES:
            fprintf(file, "  %-32s %zu bytes, hex\n", fields[i].name, fields[i].size);
            break;
        case SIM_FIELD_TEXT:
            fprintf(file, "  %-32s text\n", fields[i].name);
            break;
        default:
            fprintf(file, "  %-32s %s\n", fields[i].name, fields[i].kind == SIM_FIELD_FLAG ? "0 or 1" : "number");
        }
    }
}
