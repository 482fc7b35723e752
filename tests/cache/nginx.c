/* SPDX-License-Identifier: Apache-2.0 */
#include "nginx.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct nginx {
    char folder[160], base[64], certificate[192];
    unsigned port;
    bool tls;
    pid_t process; /* 0: does not run */
};

static void pause_ms(unsigned ms)
{
    const struct timespec time = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
    nanosleep(&time, NULL);
}

static unsigned free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || getsockname(fd, (struct sockaddr *)&address, &len) != 0)
        abort();
    close(fd);
    return ntohs(address.sin_port);
}

static const char *program(void)
{
    static const char *const places[] = {"/usr/sbin/nginx", "/usr/bin/nginx", "/usr/local/sbin/nginx"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (access(places[i], X_OK) == 0)
            return places[i];
    return NULL;
}

static pid_t spawn(const char *file, char *const arguments[])
{
    pid_t process = fork();
    if (process != 0)
        return process;
    prctl(PR_SET_PDEATHSIG, SIGTERM); /* a test that ends early leaves nothing running */
    int nowhere = open("/dev/null", O_RDWR);
    dup2(nowhere, 0);
    dup2(nowhere, 1);
    dup2(nowhere, 2);
    execv(file, arguments);
    _exit(127);
}

static void make_certificate(struct nginx *nginx)
{
    char key[192];
    snprintf(key, sizeof key, "%s/tls.key", nginx->folder);
    snprintf(nginx->certificate, sizeof nginx->certificate, "%s/tls.pem", nginx->folder);
    char *const arguments[] = {"openssl",
                               "req",
                               "-x509",
                               "-newkey",
                               "ec",
                               "-pkeyopt",
                               "ec_paramgen_curve:P-256",
                               "-nodes",
                               "-days",
                               "2",
                               "-subj",
                               "/CN=kds",
                               "-addext",
                               "subjectAltName=IP:127.0.0.1",
                               "-keyout",
                               key,
                               "-out",
                               nginx->certificate,
                               NULL};
    int status = -1;
    pid_t process = spawn("/usr/bin/openssl", arguments);
    if (waitpid(process, &status, 0) != process || status != 0)
        abort();
}

struct nginx *nginx_new(const char *folder, bool tls)
{
    if (program() == NULL)
        return NULL;
    struct nginx *nginx = calloc(1, sizeof *nginx);
    snprintf(nginx->folder, sizeof nginx->folder, "%s", folder);
    nginx->port = free_port();
    nginx->tls = tls;
    snprintf(nginx->base, sizeof nginx->base, "http%s://127.0.0.1:%u", tls ? "s" : "", nginx->port);
    if (tls)
        make_certificate(nginx);
    return nginx;
}

static void write_configuration(const struct nginx *nginx, const char *http, const char *server)
{
    char path[192];
    const char *f = nginx->folder;
    snprintf(path, sizeof path, "%s/nginx.conf", f);
    FILE *file = fopen(path, "w");
    if (file == NULL)
        abort();
    fprintf(file, "%sworker_processes 1;\ndaemon off;\nmaster_process off;\npid %s/nginx.pid;\nerror_log %s/error.log;\n",
            geteuid() == 0 ? "user root;\n" : "", f, f);
    fprintf(file,
            "events { worker_connections 256; }\nhttp {\n"
            "client_body_temp_path %s/t1; proxy_temp_path %s/t2; fastcgi_temp_path %s/t3; uwsgi_temp_path %s/t4; scgi_temp_path %s/t5;\n"
            "log_format path '$status $request_uri';\naccess_log %s/access.log path;\ndefault_type application/octet-stream;\n%s\n",
            f, f, f, f, f, f, http);
    fprintf(file, "server {\nlisten 127.0.0.1:%u%s;\nroot %s/kds;\n", nginx->port, nginx->tls ? " ssl" : "", f);
    if (nginx->tls)
        fprintf(file, "ssl_certificate %s/tls.pem;\nssl_certificate_key %s/tls.key;\n", f, f);
    fprintf(file, "%s\n}\n}\n", server);
    fclose(file);
}

static bool answers(const struct nginx *nginx)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)nginx->port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool connected = connect(fd, (const struct sockaddr *)&address, sizeof address) == 0;
    close(fd);
    return connected;
}

void nginx_start(struct nginx *nginx, const char *http, const char *server)
{
    char path[192];
    write_configuration(nginx, http, server);
    snprintf(path, sizeof path, "%s/nginx.conf", nginx->folder);
    char *const arguments[] = {"nginx", "-p", nginx->folder, "-c", path, NULL};
    nginx->process = spawn(program(), arguments);
    for (unsigned i = 0; i < 250; i++) {
        int status;
        if (waitpid(nginx->process, &status, WNOHANG) == nginx->process) {
            fprintf(stderr, "nginx ended with %d: see %s/error.log\n", status, nginx->folder);
            abort();
        }
        if (answers(nginx))
            return;
        pause_ms(20);
    }
    abort();
}

void nginx_stop(struct nginx *nginx)
{
    if (nginx->process == 0)
        return;
    kill(nginx->process, SIGTERM);
    waitpid(nginx->process, NULL, 0);
    nginx->process = 0;
}

void nginx_free(struct nginx *nginx)
{
    if (nginx == NULL)
        return;
    nginx_stop(nginx);
    free(nginx);
}

const char *nginx_base(const struct nginx *nginx)
{
    return nginx->base;
}

const char *nginx_certificate(const struct nginx *nginx)
{
    return nginx->certificate;
}

unsigned nginx_requests(const struct nginx *nginx, const char *text)
{
    char path[192], line[4096];
    unsigned count = 0;
    pause_ms(200); /* a line is written after its answer was sent */
    snprintf(path, sizeof path, "%s/access.log", nginx->folder);
    FILE *file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        count += strstr(line, text) != NULL;
    if (file != NULL)
        fclose(file);
    return count;
}
