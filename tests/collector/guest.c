/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/collector/guest.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

char guest_folder[64];
char guest_out[262144], guest_err[65536];

int guest_set_up(void **state)
{
    (void)state;
    strcpy(guest_folder, "/tmp/attest-guest-XXXXXX");
    return mkdtemp(guest_folder) && getenv("ATTESTD_BUILD") ? 0 : -1;
}

int guest_tear_down(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", guest_folder);
    return system(command);
}

static void read_file(const char *name, char *out, size_t room)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", guest_folder, name);
    FILE *file = fopen(path, "rb");
    size_t len = file ? fread(out, 1, room - 1, file) : 0;
    out[len] = '\0';
    if (file) {
        fclose(file);
    }
}

int guest_run(const char *settings, const char *format, ...)
{
    char arguments_text[2048], command[8192];
    const char *build = getenv("ATTESTD_BUILD"), *sanitizer = getenv("ASAN_OPTIONS");
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(arguments_text, sizeof arguments_text, format, arguments);
    va_end(arguments);
    /* A sanitized build may find its run-time library after the preloaded one: harmless here. */
    snprintf(
        command, sizeof command,
        "cd '%s' && ASAN_OPTIONS='%s:verify_asan_link_order=0' LD_PRELOAD='%s/lib/libattest-simulated-guest.so' "
        "ATTEST_SIMULATED_ROOT='%s/root' ATTEST_SIMULATED_VENDOR='%s/simulated-vendor' %s '%s/bin/attest' --root '%s/root' %s >out 2>err",
        guest_folder, sanitizer ? sanitizer : "", build, guest_folder, build, settings, build, guest_folder, arguments_text);
    int status = system(command);
    read_file("out", guest_out, sizeof guest_out);
    read_file("err", guest_err, sizeof guest_err);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
