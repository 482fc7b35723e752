/* SPDX-License-Identifier: Apache-2.0 */
/* attestd: the verifier service. */
#include "core/engine.h"
#include "server/service.h"
#include <errno.h>
#include <getopt.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define EXIT_USAGE 64
#define EXIT_CONFIG 78

static const char help[] = "attestd - verify evidence of confidential computing\n"
                           "\n"
                           "usage: attestd [--config FILE] [--check] [--development]\n"
                           "  --config FILE   the configuration (docs/operations.md); without it: defaults and environment\n"
                           "  --check         read configuration, plugins, anchors and policies, say what is wrong, end\n"
                           "  --development   accept the simulated roots of `development.anchors`; everything says so\n"
                           "  --version       print the version\n"
                           "Every value of the configuration is also read from ATTESTD_<PATH_WITH_UNDERSCORES>.\n";

struct arguments {
    const char *config;
    bool check, development;
};

/* -1: go on; else the exit code. */
static int read_arguments(int argc, char **argv, struct arguments *arguments)
{
    static const struct option names[] = {{"config", required_argument, NULL, 'c'}, {"check", no_argument, NULL, 'n'},
                                          {"development", no_argument, NULL, 'd'},  {"version", no_argument, NULL, 'v'},
                                          {"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0}};
    for (int option; (option = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        switch (option) {
        case 'c':
            arguments->config = optarg;
            break;
        case 'n':
            arguments->check = true;
            break;
        case 'd':
            arguments->development = true;
            break;
        case 'v':
            puts("attestd " ATTESTD_VERSION_TEXT);
            return EXIT_SUCCESS;
        case 'h':
            fputs(help, stdout);
            return EXIT_SUCCESS;
        default:
            return EXIT_USAGE;
        }
    }
    if (optind == argc)
        return -1;
    fprintf(stderr, "attestd: unexpected argument %s\n", argv[optind]);
    return EXIT_USAGE;
}

/* Until SIGTERM or SIGINT. */
static void serve(struct service *service, const sigset_t *signals)
{
    const struct timespec second = {1, 0};
    for (;;) {
        int signal = sigtimedwait(signals, NULL, &second);
        if (signal == SIGHUP)
            service_reload(service);
        else if (signal == SIGTERM || signal == SIGINT)
            return;
        else if (signal == -1 && errno == EAGAIN)
            service_tick(service);
    }
}

int main(int argc, char **argv)
{
    struct arguments arguments = {0};
    int code = read_arguments(argc, argv, &arguments);
    if (code != -1)
        return code;

    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &signals, NULL); /* before any thread: they inherit it */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a limit on file sizes is a full disk */
    umask(0077);

    /* Fixed thresholds: large bodies go back to the system when they are freed, instead of raising the threshold for those to come. */
    mallopt(M_MMAP_THRESHOLD, 256 * 1024);
    mallopt(M_TRIM_THRESHOLD, 1024 * 1024);

    static struct attestd_arena *arena; /* static: where the start fails, it ends with the process */
    arena = attestd_arena_new();
    static struct config config;
    static struct service service;
    struct attestd_policy_fault fault;
    char error[1024];
    if (!config_read(arena, arguments.config, environ, &config, &fault)) {
        fprintf(stderr, "attestd: %s:%u:%u: %s\n", fault.file, fault.line, fault.column, fault.message);
        attestd_arena_free(arena);
        return EXIT_CONFIG;
    }
    log_open(config.log_level, arguments.development);
    if (arguments.development)
        log_line(LOG_AT_WARNING, "development", "simulated roots are accepted: nothing this process says is to be relied on");
    if (!service_open(&service, &config, arguments.development, error, sizeof error)) {
        fprintf(stderr, "attestd: %s\n", error);
        return EXIT_CONFIG;
    }
    if (arguments.check) {
        puts("attestd: configuration, plugins, anchors and policies are good");
        return EXIT_SUCCESS;
    }
    if (!service_listen(&service, error, sizeof error)) {
        fprintf(stderr, "attestd: %s\n", error);
        return EXIT_CONFIG;
    }
    serve(&service, &signals);
    service_close(&service);
    attestd_arena_free(arena);
    return EXIT_SUCCESS;
}
