/* SPDX-License-Identifier: Apache-2.0 */
/* attest: the guest's command (packaging/man/attest.1). */
#include "sdk/collector/collector.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_USAGE = 64, EXIT_INTERNAL = 70 };

struct options {
    const char *out, *answer, *key, *nonce, *challenge;
    bool has_url, has_audience;
};

static const char usage_text[] =
    "usage: attest COMMAND [OPTION]...\n\n"
    "Collects evidence of the confidential VM it runs in, binds a key to it, and gets a token from an attestd verifier.\n\n"
    "  attest token     challenge, collect, verify; prints the token\n"
    "  attest collect   prints the request for POST /verify over a given nonce\n"
    "  attest doctor    says what this machine offers, and what is missing\n\n"
    "  --url URL         of the verifier: https://verifier:8443\n"
    "  --ca FILE         PEM certificates to trust for the verifier's TLS instead of the system's\n"
    "  --policy NAME     the policy to be judged by\n"
    "  --audience URI    who the token is for\n"
    "  --token KIND      ear (default) or oidc\n"
    "  --data NAME=HEX   a value to bind; may be given 32 times\n"
    "  --key FILE        bind this P-256 private key (PEM); made and written there, mode 0600, when the file is not there\n"
    "  --nonce HEX       collect: the nonce, 8 to 64 bytes\n"
    "  --challenge TEXT  collect: the challenge the nonce belongs to; else the nonce is the relying party's\n"
    "  --patience N      token: wait at most N seconds for a verifier that says \"later\" (default 60)\n"
    "  --out FILE        write the token or the request there instead of printing it\n"
    "  --answer FILE     token: write the verifier's whole answer there\n"
    "  --root DIR        prefix of /sys and /dev\n"
    "  --help, --version\n\n"
    "Exit: 0 done; 1 no TEE, no verifier, or no token (the reason is printed); 64 usage; 70 internal.\n";

static int complain(const char *what, const char *value)
{
    fprintf(stderr, "attest: %s%s%s\nTry attest --help.\n", what, value ? ": " : "", value ? value : "");
    return EXIT_USAGE;
}

static int exit_code(const struct attest *attest, enum attest_status status)
{
    if (status == ATTEST_OK) {
        return EXIT_SUCCESS;
    }
    fprintf(stderr, "attest: %s\n", attest_detail(attest));
    return status == ATTEST_USAGE ? EXIT_USAGE : status == ATTEST_INTERNAL ? EXIT_INTERNAL : EXIT_FAILURE;
}

/* --- Files --- */

static bool write_text(const char *path, const char *text, int flags, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, mode);
    size_t len = strlen(text);
    bool good = fd >= 0 && write(fd, text, len) == (ssize_t)len;
    good = fd >= 0 && close(fd) == 0 && good;
    if (!good) {
        fprintf(stderr, "attest: cannot write %s: %s\n", path, strerror(errno));
    }
    return good;
}

/* To --out, or to standard output with a line end. */
static bool give(const struct options *options, const char *text)
{
    if (!options->out) {
        return puts(text) >= 0 && fflush(stdout) == 0;
    }
    return write_text(options->out, text, O_TRUNC, 0600);
}

/* 1: read and set; 0: there is no such file; -1: refused. */
static int use_key_file(struct attest *attest, const char *path)
{
    char pem[65536];
    FILE *file = fopen(path, "re");
    if (!file) {
        if (errno == ENOENT) {
            return 0;
        }
        fprintf(stderr, "attest: cannot read %s: %s\n", path, strerror(errno));
        return -1;
    }
    setvbuf(file, NULL, _IONBF, 0); /* no second copy of the key that nobody wipes */
    size_t len = fread(pem, 1, sizeof pem - 1, file);
    fclose(file);
    pem[len] = '\0';
    enum attest_status status = attest_set_key_pem(attest, pem);
    OPENSSL_cleanse(pem, sizeof pem);
    if (status != ATTEST_OK) {
        fprintf(stderr, "attest: %s: %s\n", path, attest_detail(attest));
        return -1;
    }
    return 1;
}

/* Before the key is bound: a token for a key that could not be kept would be of no use. */
static bool prepare_key(struct attest *attest, const char *path)
{
    int found = path ? use_key_file(attest, path) : 1;
    if (found != 0) {
        return found > 0;
    }
    char *pem = attest_key_pem(attest);
    bool good = pem && write_text(path, pem, O_EXCL, 0600);
    if (pem) {
        OPENSSL_cleanse(pem, strlen(pem));
    }
    free(pem);
    return good;
}

/* --- Options --- */

static bool read_hex(const char *hex, uint8_t *out, size_t room, size_t *len)
{
    *len = strlen(hex) / 2;
    if (strlen(hex) % 2 || *len > room) {
        return false;
    }
    for (size_t i = 0; i < *len; i++) {
        const char pair[3] = {hex[2 * i], hex[2 * i + 1], '\0'};
        if (!isxdigit((unsigned char)pair[0]) || !isxdigit((unsigned char)pair[1])) {
            return false;
        }
        out[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
    return true;
}

static int add_data(struct attest *attest, const char *word)
{
    char name[64];
    uint8_t value[4096];
    size_t len = 0;
    const char *equals = strchr(word, '=');
    if (!equals || (size_t)(equals - word) >= sizeof name || !read_hex(equals + 1, value, sizeof value, &len)) {
        return complain("--data wants NAME=HEX of at most 4096 bytes, not", word);
    }
    snprintf(name, sizeof name, "%.*s", (int)(equals - word), word);
    return exit_code(attest, attest_add_data(attest, name, value, len));
}

static const struct option long_options[] = {{"url", required_argument, NULL, 'u'},
                                             {"ca", required_argument, NULL, 'c'},
                                             {"policy", required_argument, NULL, 'p'},
                                             {"audience", required_argument, NULL, 'a'},
                                             {"token", required_argument, NULL, 't'},
                                             {"data", required_argument, NULL, 'd'},
                                             {"key", required_argument, NULL, 'k'},
                                             {"nonce", required_argument, NULL, 'n'},
                                             {"challenge", required_argument, NULL, 'C'},
                                             {"out", required_argument, NULL, 'o'},
                                             {"answer", required_argument, NULL, 'A'},
                                             {"root", required_argument, NULL, 'r'},
                                             {"help", no_argument, NULL, 'h'},
                                             {"patience", required_argument, NULL, 'w'},
                                             {"version", no_argument, NULL, 'v'},
                                             {NULL, 0, NULL, 0}};

static int set_patience(struct attest *attest, const char *text)
{
    char *end = NULL;
    unsigned long seconds = strtoul(text, &end, 10);
    if (!isdigit((unsigned char)*text) || *end || seconds > 86400) {
        return complain("--patience wants seconds, at most 86400, not", text);
    }
    attest_set_patience(attest, (unsigned)seconds);
    return 0;
}

/* 0 to go on; -1: done; else an exit code. */
static int take_option(struct attest *attest, struct options *options, int option)
{
    switch (option) {
    case 'u':
        options->has_url = true;
        attest_set_url(attest, optarg);
        return 0;
    case 'c':
        attest_set_ca_file(attest, optarg);
        return 0;
    case 'p':
        attest_set_policy(attest, optarg);
        return 0;
    case 'a':
        options->has_audience = true;
        attest_set_audience(attest, optarg);
        return 0;
    case 't':
        attest_set_token_kind(attest, optarg);
        return strcmp(optarg, "ear") == 0 || strcmp(optarg, "oidc") == 0 ? 0 : complain("--token wants ear or oidc, not", optarg);
    case 'd':
        return add_data(attest, optarg);
    case 'w':
        return set_patience(attest, optarg);
    case 'r':
        attest_set_root(attest, optarg);
        return 0;
    case 'k':
        options->key = optarg;
        return 0;
    case 'n':
        options->nonce = optarg;
        return 0;
    case 'C':
        options->challenge = optarg;
        return 0;
    case 'o':
        options->out = optarg;
        return 0;
    case 'A':
        options->answer = optarg;
        return 0;
    case 'h':
        fputs(usage_text, stdout);
        return -1;
    case 'v':
        puts("attest " ATTEST_VERSION);
        return -1;
    default:
        fputs("Try attest --help.\n", stderr);
        return EXIT_USAGE;
    }
}

/* --- Commands --- */

static int command_token(struct attest *attest, const struct options *options)
{
    if (!options->has_url || !options->has_audience) {
        return complain("token wants --url and --audience", NULL);
    }
    if (!prepare_key(attest, options->key)) {
        return EXIT_FAILURE;
    }
    char *token = NULL, *answer = NULL;
    int code = exit_code(attest, attest_get_token(attest, &token, &answer));
    if (code == EXIT_SUCCESS && !give(options, token)) {
        code = EXIT_FAILURE;
    }
    if (answer && options->answer && !write_text(options->answer, answer, O_TRUNC, 0600)) {
        code = EXIT_FAILURE;
    }
    free(token);
    free(answer);
    return code;
}

static int command_collect(struct attest *attest, const struct options *options)
{
    uint8_t nonce[64];
    size_t len = 0;
    if (!options->nonce || !read_hex(options->nonce, nonce, sizeof nonce, &len)) {
        return complain("collect wants --nonce with 16 to 128 hex digits", NULL);
    }
    if (!prepare_key(attest, options->key)) {
        return EXIT_FAILURE;
    }
    char *request = NULL;
    int code = exit_code(attest, attest_collect(attest, nonce, len, options->challenge, &request));
    if (code == EXIT_SUCCESS && !give(options, request)) {
        code = EXIT_FAILURE;
    }
    free(request);
    return code;
}

/* Intel TDX DCAP Quoting Library API, appendix A.3: TD attributes stand 120 bytes into the body, REPORT_DATA 520. */
static void describe_td(const struct attest *attest, struct collector_evidence *evidence)
{
    const uint8_t *field = collector_report_data(evidence);
    if (!field) {
        puts("    the quote is of no version that is known here");
        return;
    }
    printf("    quote: TDX, version %u, %zu bytes%s\n", evidence->report[0], evidence->report_len,
           (field - 400)[0] & 1 ? ", DEBUG IS ALLOWED: verifiers will refuse it" : "");
    collector_add_event_log(attest, evidence);
    if (evidence->ccel) {
        printf("    event log of the firmware: %zu bytes\n", evidence->ccel_len);
    } else {
        puts("    no event log of the firmware (CCEL): RTMRs can only be compared as they are");
    }
}

/* AMD 56860 table 23: what one wants to know at a glance. */
static void describe_snp(const struct collector_evidence *evidence)
{
    static const uint8_t zeros[64];
    const uint8_t *report = evidence->report;
    bool vlek = (report[0x48] >> 2 & 7) == 1;
    printf("    report: SEV-SNP version %u, VMPL %u, signed by a %s%s\n", report[0], report[0x30], vlek ? "VLEK" : "VCEK",
           report[0x0a] & 8 ? ", DEBUG IS ALLOWED: verifiers will refuse it" : "");
    if (evidence->certificates) {
        printf("    certificates from the host: %zu bytes\n", evidence->certificates_len);
    } else if (vlek) {
        puts("    no certificates from the host: a VLEK can be had from nobody else, the operator must give it to the verifier");
    } else if (memcmp(report + 0x1a0, zeros, sizeof zeros) == 0) {
        puts("    no certificates from the host, and the chip's id is masked: the verifier cannot ask the vendor for them");
    } else {
        puts("    no certificates from the host: the verifier asks the vendor for them");
    }
}

static bool try_interface(struct attest *attest, const char *name, collector_interface *interface)
{
    uint8_t field[COLLECTOR_FIELD_SIZE];
    char missing[256] = "";
    struct collector_evidence evidence = {0};
    if (RAND_bytes(field, sizeof field) != 1) {
        return false;
    }
    enum attest_status status = interface(attest, field, &evidence, missing);
    if (status != ATTEST_OK) {
        printf("%s: %s\n", name, status == ATTEST_NO_TEE ? missing : attest_detail(attest));
        return false;
    }
    printf("%s: works\n", name);
    if (strcmp(evidence.type, "tdx") == 0) {
        describe_td(attest, &evidence);
    } else if (evidence.report_len >= 0x1e0) {
        describe_snp(&evidence);
    }
    collector_evidence_free(&evidence);
    return true;
}

static bool try_verifier(struct attest *attest)
{
    struct collector_answer answer;
    enum attest_status status = collector_post(attest, "/challenge", "{}", &answer);
    if (status != ATTEST_OK) {
        printf("verifier: %s\n", attest_detail(attest));
        return false;
    }
    printf("verifier: %s%ld\n", answer.status == 200 ? "works, answers " : "answers ", answer.status);
    free(answer.body);
    return answer.status == 200;
}

static int command_doctor(struct attest *attest, const struct options *options)
{
    static const struct {
        const char *name;
        collector_interface *interface;
    } interfaces[] = {{"configfs-tsm", collector_tsm_report}, {"sev-guest", collector_sev_guest}, {"tdx_guest", collector_tdx_guest}};
    bool any = false;
    for (size_t i = 0; i < sizeof interfaces / sizeof *interfaces; i++) {
        any = try_interface(attest, interfaces[i].name, interfaces[i].interface) || any;
    }
    bool verifier = !options->has_url || try_verifier(attest);
    if (!any) {
        puts("no evidence can be collected here: this is no SEV-SNP or TDX guest, or its kernel has none of CONFIG_SEV_GUEST, "
             "CONFIG_TDX_GUEST_DRIVER\nand CONFIG_TSM_REPORTS, or the module is not loaded (modprobe sev-guest, modprobe tdx_guest), or "
             "configfs is not mounted on\n/sys/kernel/config");
    }
    return any && verifier ? EXIT_SUCCESS : EXIT_FAILURE;
}

static const struct {
    const char *name;
    int (*run)(struct attest *, const struct options *);
} commands[] = {{"token", command_token}, {"collect", command_collect}, {"doctor", command_doctor}};

static int run(struct attest *attest, int argc, char **argv)
{
    struct options options = {0};
    for (int option; (option = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
        int status = take_option(attest, &options, option);
        if (status) {
            return status < 0 ? EXIT_SUCCESS : status;
        }
    }
    if (argc - optind != 1) {
        return complain("one command is wanted: token, collect or doctor", NULL);
    }
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(commands[i].name, argv[optind]) == 0) {
            return commands[i].run(attest, &options);
        }
    }
    return complain("no such command", argv[optind]);
}

int main(int argc, char **argv)
{
    struct attest *attest = attest_new();
    int code = attest ? run(attest, argc, argv) : EXIT_INTERNAL;
    attest_free(attest);
    return code;
}
