/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/session.h"
#include "cli/attestctl.h"
#include "policy/document.h"
#include "policy/trust_anchors.h"
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_PLUGINS 32
#define MAX_EVIDENCE_FILE ((size_t)4 << 20)

static bool is_directory(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* <folder of this program>/../<name>: where a build tree keeps it. NULL when there is none. */
static const char *beside_program(struct attestd_arena *arena, const char *name)
{
    char self[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    if (len <= 0)
        return NULL;
    self[len] = 0;
    for (int up = 0; up < 2; up++) {
        char *slash = strrchr(self, '/');
        if (!slash)
            return NULL;
        *slash = 0;
    }
    const char *path = attestd_arena_format(arena, "%s/%s", self, name);
    return is_directory(path) ? path : NULL;
}

static const char *plugin_directory(struct attestd_arena *arena)
{
    const char *given = getenv("ATTESTD_PLUGIN_DIR");
    if (given && *given)
        return given;
    const char *built = beside_program(arena, "plugins");
    return built ? built : ATTESTD_PLUGIN_DIR;
}

static const char *trust_anchor_directory(struct attestd_arena *arena)
{
    const char *given = getenv("ATTESTD_TRUST_ANCHORS");
    if (given && *given)
        return given;
    const char *built = beside_program(arena, "trust-anchors");
    return built ? built : ATTESTD_TRUST_ANCHOR_DIR;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The names of the plugins in a directory, sorted. */
static size_t plugin_names(struct attestd_arena *arena, const char *directory, const char **names)
{
    size_t count = 0;
    DIR *dir = opendir(directory);
    if (!dir)
        return 0;
    for (struct dirent *entry; count < MAX_PLUGINS && (entry = readdir(dir));) {
        size_t len = strlen(entry->d_name);
        if (len <= 3 || strcmp(entry->d_name + len - 3, ".so") != 0)
            continue;
        names[count++] = attestd_arena_format(arena, "%.*s", (int)(len - 3), entry->d_name);
    }
    closedir(dir);
    qsort(names, count, sizeof *names, by_name);
    return count;
}

bool cli_session_open(struct cli_session *session)
{
    *session = (struct cli_session){.arena = attestd_arena_new(), .engine = attestd_engine_new()};
    const char *directory = plugin_directory(session->arena);
    const char *names[MAX_PLUGINS];
    size_t count = plugin_names(session->arena, directory, names);
    if (count == 0) {
        fprintf(stderr, "attestctl: no plugins in %s (ATTESTD_PLUGIN_DIR names another folder)\n", directory);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        char error[512];
        if (!attestd_engine_load(session->engine, directory, names[i], error, sizeof error)) {
            fprintf(stderr, "attestctl: %s\n", error);
            return false;
        }
    }
    return true;
}

void cli_session_close(struct cli_session *session)
{
    attestd_anchor_set_free(session->anchors);
    attestd_engine_free(session->engine);
    attestd_arena_free(session->arena);
}

static bool add_own_anchor(struct cli_session *session, const char *own, bool simulated)
{
    const char *equals = strchr(own, '=');
    if (!equals || equals == own || !equals[1]) {
        fprintf(stderr, "attestctl: --anchor wants PURPOSE=FILE (snp/Genoa=ark.pem), not \"%s\"\n", own);
        return false;
    }
    struct attestd_bytes bytes;
    if (!cli_read_file(session, equals + 1, 64 << 10, &bytes))
        return false;
    const char *purpose = attestd_arena_format(session->arena, "%.*s", (int)(equals - own), own);
    if (attestd_anchor_set_add_certificate(session->anchors, purpose, bytes.data, bytes.len, simulated))
        return true;
    fprintf(stderr, "attestctl: %s: not one certificate in PEM or DER\n", equals + 1);
    return false;
}

bool cli_session_anchors(struct cli_session *session, const char *const *own, size_t own_count, bool simulated)
{
    session->anchors = attestd_anchor_set_new();
    struct attestd_policy_fault fault = {0};
    if (!attestd_trust_anchors_load(session->anchors, trust_anchor_directory(session->arena), &fault)) {
        cli_print_faults(&fault, 1);
        return false;
    }
    for (size_t i = 0; i < own_count; i++)
        if (!add_own_anchor(session, own[i], simulated))
            return false;
    attestd_anchor_set_seal(session->anchors);
    return true;
}

/* A pipe has no size beforehand. */
static bool read_standard_input(struct cli_session *session, size_t max, struct attestd_bytes *bytes)
{
    struct attestd_text text = {0};
    char chunk[4096];
    for (size_t got; text.len <= max && (got = fread(chunk, 1, sizeof chunk, stdin)) > 0;)
        attestd_text_add(&text, chunk, got);
    bool ok = !ferror(stdin) && text.len <= max;
    if (ok)
        *bytes = attestd_arena_bytes(session->arena, text.data ? text.data : "", text.len);
    else
        fprintf(stderr, "attestctl: standard input: %s\n", text.len > max ? "too large" : "cannot be read");
    attestd_text_free(&text);
    return ok;
}

bool cli_read_file(struct cli_session *session, const char *path, size_t max, struct attestd_bytes *bytes)
{
    char error[512];
    if (strcmp(path, "-") == 0)
        return read_standard_input(session, max ? max : MAX_EVIDENCE_FILE, bytes);
    if (attestd_file_read(session->arena, path, max ? max : MAX_EVIDENCE_FILE, bytes, error, sizeof error))
        return true;
    fprintf(stderr, "attestctl: %s\n", error);
    return false;
}

void cli_print_faults(const struct attestd_policy_fault *faults, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (faults[i].line)
            fprintf(stderr, "%s:%u:%u: %s: %s\n", faults[i].file, faults[i].line, faults[i].column, faults[i].code, faults[i].message);
        else
            fprintf(stderr, "%s: %s: %s\n", faults[i].file, faults[i].code, faults[i].message);
    }
}

/* Fixtures of embedded tests are not needed to use a policy once: its own life (lint, test, activation) runs them. */
struct attestd_policy *cli_read_policy(struct cli_session *session, const char *file, const char *const *references, size_t reference_count)
{
    if (!file)
        return attestd_policy_hardware_only(session->engine);
    struct attestd_policy_file files[1 + CLI_MAX_LIST] = {{0}};
    size_t count = 0;
    for (size_t i = 0; i <= reference_count; i++) {
        const char *path = i == 0 ? file : references[i - 1];
        struct attestd_bytes text;
        if (!cli_read_file(session, path, (size_t)32 << 20, &text))
            return NULL;
        files[count++] = (struct attestd_policy_file){.name = path, .text = (const char *)text.data, .len = text.len};
    }
    struct attestd_policy_fault faults[16];
    size_t fault_count = 0;
    struct attestd_policy_set *set =
        attestd_policy_compile(session->engine, session->anchors, files, count, false, NULL, NULL, faults, 16, &fault_count);
    if (!set) {
        cli_print_faults(faults, fault_count < 16 ? fault_count : 16);
        return NULL;
    }
    struct attestd_policy *policy = NULL;
    if (attestd_policy_set_count(set) == 1)
        policy = attestd_policy_retain(attestd_policy_set_at(set, 0));
    else
        fprintf(stderr, "attestctl: %s holds %zu policies; --policy wants a file with one\n", file, attestd_policy_set_count(set));
    attestd_policy_set_free(set);
    return policy;
}

bool cli_colour(void)
{
    const char *term = getenv("TERM"), *no_colour = getenv("NO_COLOR");
    return isatty(STDOUT_FILENO) && !(no_colour && *no_colour) && term && strcmp(term, "dumb") != 0;
}

int cli_usage_error(const char *command, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "attestctl %s: ", command);
    vfprintf(stderr, format, args);
    fprintf(stderr, "\nattestctl %s --help says more\n", command);
    va_end(args);
    return EXIT_USAGE_ERROR;
}

int cli_write_file(const char *path, const void *bytes, size_t len)
{
    FILE *file = strcmp(path, "-") == 0 ? stdout : fopen(path, "wb");
    bool good = file && fwrite(bytes, 1, len, file) == len && fflush(file) == 0;
    if (file && file != stdout && fclose(file) != 0)
        good = false;
    if (good)
        return EXIT_OK;
    fprintf(stderr, "attestctl: %s: %s\n", path, strerror(errno));
    return EXIT_FAILED;
}
