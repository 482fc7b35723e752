/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a harness without libFuzzer: over each file given, then over so many mutations of them. The same arguments make the same
 * inputs, so what fails once fails again:
 *
 *   fuzz-cbor [--mutations COUNT] [--seed NUMBER] FILE...
 */
#include "fuzz/harness.h"

#include <stdbool.h>
#include <string.h>

enum { LARGEST = 1024 * 1024, MOST_FILES = 256 };

struct input {
    uint8_t *bytes;
    size_t len;
};

static struct input files[MOST_FILES];
static size_t file_count;
static uint64_t state = 1;

/* xorshift64* */
static size_t below(size_t limit)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return limit ? (size_t)((state * UINT64_C(2685821657736338717)) >> 16) % limit : 0;
}

static bool load(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file || file_count == MOST_FILES) {
        fprintf(stderr, "cannot read %s\n", path);
        return false;
    }
    uint8_t *bytes = malloc(LARGEST);
    if (!bytes)
        abort();
    files[file_count++] = (struct input){bytes, fread(bytes, 1, LARGEST, file)};
    fclose(file);
    return true;
}

/* Exactly as long as it is, so that a sanitizer sees a read of one byte more. */
static void run(const uint8_t *bytes, size_t len)
{
    uint8_t *copy = malloc(len ? len : 1);
    if (!copy)
        abort();
    if (len)
        memcpy(copy, bytes, len);
    LLVMFuzzerTestOneInput(copy, len);
    free(copy);
}

static void change_byte(struct input *in)
{
    static const uint8_t telling[] = {0, 1, 0x7f, 0x80, 0xff, 0x30, '"', '\\', '[', '{', ']', '}', '-', '=', '\n', 0x1f, 0x5f, 0x9f, 0xbf};
    if (in->len == 0)
        return;
    uint8_t *byte = &in->bytes[below(in->len)];
    if (below(2))
        *byte ^= (uint8_t)(1 << below(8));
    else
        *byte = telling[below(sizeof telling)];
}

static void remove_range(struct input *in)
{
    size_t at = below(in->len), len = below(in->len - at < 16 ? in->len - at + 1 : 16);
    memmove(in->bytes + at, in->bytes + at + len, in->len - at - len);
    in->len -= len;
}

static void insert_range(struct input *in)
{
    const struct input *from = &files[below(file_count)];
    size_t start = below(from->len), len = below(from->len - start < 64 ? from->len - start + 1 : 64), at = below(in->len + 1);
    if (in->len + len > LARGEST)
        return;
    memmove(in->bytes + at + len, in->bytes + at, in->len - at);
    memcpy(in->bytes + at, from->bytes + start, len);
    in->len += len;
}

static void mutate(struct input *in)
{
    for (size_t changes = 1 + below(4); changes > 0; changes--) {
        size_t kind = below(8);
        if (kind == 0)
            remove_range(in);
        else if (kind == 1)
            insert_range(in);
        else if (kind == 2)
            in->len = below(in->len + 1);
        else
            change_byte(in);
    }
}

static bool read_arguments(int argc, char **argv, unsigned long *mutations)
{
    for (int i = 1; i < argc; i++) {
        bool number = i + 1 < argc && (strcmp(argv[i], "--mutations") == 0 || strcmp(argv[i], "--seed") == 0);
        if (number && argv[i][2] == 'm')
            *mutations = strtoul(argv[++i], NULL, 10);
        else if (number)
            state = strtoull(argv[++i], NULL, 10) | 1;
        else if (!load(argv[i]))
            return false;
    }
    return file_count > 0;
}

int main(int argc, char **argv)
{
    unsigned long mutations = 0;
    if (!read_arguments(argc, argv, &mutations)) {
        fprintf(stderr, "usage: %s [--mutations COUNT] [--seed NUMBER] FILE...\n", argv[0]);
        return 64;
    }
    run(NULL, 0);
    for (size_t i = 0; i < file_count; i++)
        run(files[i].bytes, files[i].len);
    struct input in = {malloc(LARGEST), 0};
    if (!in.bytes)
        abort();
    for (unsigned long i = 0; i < mutations; i++) {
        const struct input *from = &files[below(file_count)];
        memcpy(in.bytes, from->bytes, from->len);
        in.len = from->len;
        mutate(&in);
        run(in.bytes, in.len);
    }
    printf("%zu files, %lu mutations\n", file_count, mutations);
    free(in.bytes);
    for (size_t i = 0; i < file_count; i++)
        free(files[i].bytes);
    return 0;
}
