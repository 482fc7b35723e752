/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attest token against answers that a healthy verifier rarely gives: a responder on loopback plays them in order. The real verifier
 * is met in the end-to-end tests.
 */
#include "tests/collector/guest.h"

#include <arpa/inet.h>
#include <jansson.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

#define CHALLENGE "{\"challenge\":\"c1.x\",\"nonce\":\"ABEiM0RVZneImaq7zN3u_wARIjNEVWZ3iJmqu8zd7v8\",\"expires\":\"2030-01-01T00:00:00Z\"}"
#define AFFIRMING "{\"id\":\"ap_1\",\"verdict\":\"affirming\",\"token\":\"a.b.c\",\"checks\":[],\"evidence\":{}}"

struct step {
    const char *status, *headers, *body;
};
struct script {
    const struct step *steps;
    size_t count, served;
    char requests[8][65536]; /* heads and bodies as they came */
    int listener;
};
static struct script script;

static size_t body_length(const char *head)
{
    const char *at = strcasestr(head, "content-length:");
    return at ? strtoul(at + 15, NULL, 10) : 0;
}

static void serve_one(int connection, const struct step *step, char *request)
{
    size_t len = 0;
    const char *end = NULL;
    while (len < 65535) {
        ssize_t got = recv(connection, request + len, 65535 - len, 0);
        if (got <= 0) {
            break;
        }
        len += (size_t)got;
        request[len] = '\0';
        end = strstr(request, "\r\n\r\n");
        if (end && len - (size_t)(end + 4 - request) >= body_length(request)) {
            break;
        }
    }
    dprintf(connection, "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\nConnection: close\r\n%s\r\n%s",
            step->status, strlen(step->body), step->headers, step->body);
    close(connection);
}

static void *respond(void *unused)
{
    (void)unused;
    while (script.served < script.count) {
        int connection = accept(script.listener, NULL, NULL);
        if (connection < 0) {
            break;
        }
        serve_one(connection, &script.steps[script.served], script.requests[script.served]);
        script.served++;
    }
    return NULL;
}

static int listen_on_loopback(unsigned *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(listener >= 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listener, 8), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &len), 0);
    *port = ntohs(address.sin_port);
    return listener;
}

/* Plays the steps to one `attest token`; returns its exit code. */
static int play(const struct step *steps, size_t count, const char *more)
{
    unsigned port = 0;
    pthread_t responder;
    memset(&script, 0, sizeof script);
    script.steps = steps;
    script.count = count;
    script.listener = listen_on_loopback(&port);
    assert_int_equal(pthread_create(&responder, NULL, respond, NULL), 0);
    int code = guest_run("", "token --url http://127.0.0.1:%u --audience https://kms.example --answer answer.json %s", port, more);
    shutdown(script.listener, SHUT_RDWR);
    pthread_join(responder, NULL);
    close(script.listener);
    return code;
}
#define PLAY(steps, more) play(steps, sizeof(steps) / sizeof *(steps), more)

static const char *body_of(size_t i)
{
    const char *end = strstr(script.requests[i], "\r\n\r\n");
    return end ? end + 4 : "";
}

static void token_is_printed(void **state)
{
    (void)state;
    static const struct step steps[] = {{"200 OK", "", CHALLENGE}, {"200 OK", "", AFFIRMING}};
    assert_int_equal(PLAY(steps, "--policy demo --token oidc"), 0);
    assert_string_equal(guest_out, "a.b.c\n");
    assert_int_equal(strncmp(script.requests[0], "POST /challenge ", 16), 0);
    assert_int_equal(strncmp(script.requests[1], "POST /verify ", 13), 0);
    json_t *request = json_loads(body_of(1), 0, NULL);
    assert_string_equal(json_string_value(json_object_get(request, "challenge")), "c1.x");
    assert_string_equal(json_string_value(json_object_get(request, "policy")), "demo");
    assert_string_equal(json_string_value(json_object_get(request, "token")), "oidc");
    json_decref(request);
}

static void a_missing_endorsement_is_waited_for_with_the_same_request(void **state)
{
    (void)state;
    static const struct step steps[] = {{"200 OK", "", CHALLENGE},
                                        {"424 Failed Dependency", "Retry-After: 1\r\n", "{\"code\":\"ENDORSEMENT_UNOBTAINABLE\"}"},
                                        {"429 Too Many Requests", "Retry-After: 1\r\n", "{}"},
                                        {"503 Service Unavailable", "Retry-After: 1\r\n", "{}"},
                                        {"200 OK", "", AFFIRMING}};
    struct timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    assert_int_equal(PLAY(steps, ""), 0);
    clock_gettime(CLOCK_MONOTONIC, &after);
    assert_true(after.tv_sec - before.tv_sec >= 2);
    assert_int_equal(script.served, 5);
    for (size_t i = 2; i < 5; i++) {
        assert_string_equal(body_of(i), body_of(1));
    }
}

static void patience_ends(void **state)
{
    (void)state;
    static const struct step steps[] = {
        {"200 OK", "", CHALLENGE},
        {"424 Failed Dependency", "Retry-After: 30\r\n", "{\"code\":\"ENDORSEMENT_UNOBTAINABLE\",\"detail\":\"no VCEK\\nyet\"}"}};
    assert_int_equal(PLAY(steps, "--patience 3"), 1);
    assert_non_null(strstr(guest_err, "424 ENDORSEMENT_UNOBTAINABLE: no VCEK yet"));
}

static void a_late_or_foreign_challenge_is_replaced(void **state)
{
    (void)state;
    static const struct step steps[] = {{"200 OK", "", CHALLENGE}, {"410 Gone", "", "{\"code\":\"CHALLENGE_EXPIRED\"}"},
                                        {"200 OK", "", CHALLENGE}, {"400 Bad Request", "", "{\"code\":\"CHALLENGE_FOREIGN\"}"},
                                        {"200 OK", "", CHALLENGE}, {"200 OK", "", AFFIRMING}};
    assert_int_equal(PLAY(steps, ""), 0);
    assert_int_equal(script.served, 6);
}

static void a_spent_challenge_is_an_error_and_not_tried_again(void **state)
{
    (void)state;
    static const struct step steps[] = {{"200 OK", "", CHALLENGE}, {"409 Conflict", "", "{\"code\":\"CHALLENGE_SPENT\"}"}};
    assert_int_equal(PLAY(steps, ""), 1);
    assert_non_null(strstr(guest_err, "409 CHALLENGE_SPENT"));
}

static void a_denial_names_the_failed_checks_and_leaves_the_answer(void **state)
{
    (void)state;
    static const struct step steps[] = {
        {"200 OK", "", CHALLENGE},
        {"200 OK", "",
         "{\"verdict\":\"contraindicated\",\"token_withheld\":{\"code\":\"VERDICT\"},\"checks\":[{\"id\":\"binding.key\",\"outcome\":"
         "\"pass\",\"code\":"
         "\"OK\"}],\"evidence\":{\"cpu0\":{\"checks\":[{\"id\":\"snp.debug\",\"outcome\":\"fail\",\"code\":\"SNP_DEBUG_ALLOWED\"}]}}}"}};
    assert_int_equal(PLAY(steps, ""), 1);
    assert_non_null(strstr(guest_err, "verdict contraindicated, token withheld VERDICT: SNP_DEBUG_ALLOWED"));
    assert_null(strstr(guest_err, "OK"));
    assert_string_equal(guest_out, "");
    char path[96];
    snprintf(path, sizeof path, "%s/answer.json", guest_folder);
    json_t *answer = json_load_file(path, 0, NULL);
    assert_string_equal(json_string_value(json_object_get(answer, "verdict")), "contraindicated");
    json_decref(answer);
}

static void what_is_no_verifier_is_said_to_be_none(void **state)
{
    (void)state;
    static const struct step html[] = {{"200 OK", "", "<html>"}};
    assert_int_equal(PLAY(html, ""), 1);
    assert_non_null(strstr(guest_err, "is it attestd?"));
    static const struct step moved[] = {{"302 Found", "Location: http://127.0.0.1:1/\r\n", ""}};
    assert_int_equal(PLAY(moved, ""), 1);
    assert_non_null(strstr(guest_err, "302"));
    static const struct step empty[] = {{"200 OK", "", CHALLENGE}, {"200 OK", "", "{}"}};
    assert_int_equal(PLAY(empty, ""), 1);
    assert_string_equal(guest_out, "");
}

static void nobody_listening_is_said_with_the_address(void **state)
{
    (void)state;
    unsigned port = 0;
    close(listen_on_loopback(&port));
    assert_int_equal(guest_run("", "token --url http://127.0.0.1:%u --audience a", port), 1);
    assert_non_null(strstr(guest_err, "127.0.0.1"));
}

/* A TLS server with a certificate that this machine does not trust; it sends back each line reversed, which is no HTTP. */
static pid_t start_tls(unsigned *port)
{
    char command[512], accept_at[32], key[96], certificate[96];
    snprintf(key, sizeof key, "%s/tls.key", guest_folder);
    snprintf(certificate, sizeof certificate, "%s/tls.pem", guest_folder);
    snprintf(command, sizeof command,
             "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost -addext "
             "subjectAltName=DNS:localhost -keyout '%s' -out '%s' 2>/dev/null",
             key, certificate);
    assert_int_equal(system(command), 0);
    close(listen_on_loopback(port));
    snprintf(accept_at, sizeof accept_at, "127.0.0.1:%u", *port);
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGTERM); /* a test that ends early leaves nothing running */
        execlp("openssl", "openssl", "s_server", "-quiet", "-rev", "-accept", accept_at, "-key", key, "-cert", certificate, (char *)NULL);
        _exit(127);
    }
    for (int i = 0; i < 100; i++) {
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)*port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int up = connect(probe, (struct sockaddr *)&address, sizeof address);
        close(probe);
        if (up == 0) {
            break;
        }
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    }
    return pid;
}

static void tls_is_verified_by_the_given_ca_and_name(void **state)
{
    (void)state;
    unsigned port = 0;
    pid_t server = start_tls(&port);
    assert_true(server > 0);
    int unknown = guest_run("", "token --url https://localhost:%u --audience a", port);
    int unknown_said = strcasestr(guest_err, "certificate") != NULL;
    int wrong_name = guest_run("", "token --url https://127.0.0.1:%u --audience a --ca tls.pem", port);
    int wrong_name_said = strcasestr(guest_err, "subject name") != NULL;
    int known = guest_run("", "token --url https://localhost:%u --audience a --ca tls.pem", port);
    int known_said = strstr(guest_err, "HTTP/0.9") != NULL;
    kill(server, SIGTERM);
    waitpid(server, NULL, 0);
    assert_int_equal(unknown, 1);
    assert_true(unknown_said);
    assert_int_equal(wrong_name, 1);
    assert_true(wrong_name_said);
    assert_int_equal(known, 1); /* TLS is accepted; what answers is no verifier */
    assert_true(known_said);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(token_is_printed),
        cmocka_unit_test(a_missing_endorsement_is_waited_for_with_the_same_request),
        cmocka_unit_test(patience_ends),
        cmocka_unit_test(a_late_or_foreign_challenge_is_replaced),
        cmocka_unit_test(a_spent_challenge_is_an_error_and_not_tried_again),
        cmocka_unit_test(a_denial_names_the_failed_checks_and_leaves_the_answer),
        cmocka_unit_test(what_is_no_verifier_is_said_to_be_none),
        cmocka_unit_test(nobody_listening_is_said_with_the_address),
        cmocka_unit_test(tls_is_verified_by_the_given_ca_and_name),
    };
    return cmocka_run_group_tests_name("collector.verifier", tests, guest_set_up, guest_tear_down);
}
