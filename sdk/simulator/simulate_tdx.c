/* SPDX-License-Identifier: Apache-2.0 */
#include "sdk/simulator/simulate_tdx.h"

#include "sdk/simulator/fields.h"
#include "sdk/simulator/files.h"
#include "sdk/simulator/tdx_fields.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { EXIT_USAGE = 64, MOST_CHANGES = 128 };

struct options {
    const char *out, *vendor, *pcs, *report_data, *early_status;
    unsigned version;
    bool sgx;
    const char *changes[MOST_CHANGES]; /* --set and --fault in their order */
    bool is_fault[MOST_CHANGES];
    size_t change_count;
};

static const char usage_text[] =
    "usage: attestctl simulate tdx --out DIR [OPTION]...\n\n"
    "Makes a quote of TDX or SGX and Intel's collateral for it under a simulated Intel. Verifiers believe it only in\n"
    "development mode, with DIR/root.pem given as an anchor.\n\n"
    "  --out DIR            where the files go: quote.bin, root.pem, pck_chain.pem, and the collateral in endorsements/\n"
    "  --vendor DIR         keep the vendor's keys here (default: DIR/vendor); made when absent\n"
    "  --version N          of the quote: 3 (SGX), 4 (default) or 5 (TD 1.5)\n"
    "  --sgx                an enclave's quote instead of a TD's\n"
    "  --report-data HEX    64 bytes, what the guest binds\n"
    "  --debug              the guest may be debugged\n"
    "  --status WORD        Intel's word for the platform: UpToDate, OutOfDate, TDRelaunchAdvised, NotSupported, ...\n"
    "  --module-status WORD the same for the TDX module\n"
    "  --qe-status WORD     the same for the quoting enclave\n"
    "  --set FIELD=VALUE    any field, see below\n"
    "  --fault NAME         one thing wrong, see below\n"
    "  --pcs DIR            also write a tree to serve as Intel's provisioning certification service, with nginx.conf\n"
    "  --early-status WORD  what that service says of the platform when asked for the early list\n"
    "  --help\n\n"
    "--set, --fault and the statuses may be given several times and work in their order.\n";

static void help(void)
{
    fputs(usage_text, stdout);
    puts("\nFields:");
    sim_tdx_list_fields(stdout);
    puts("\nFaults:");
    sim_tdx_list_faults(stdout);
}

static int usage_error(const char *what, const char *value)
{
    fprintf(stderr, "attestctl simulate tdx: %s%s%s\nTry --help.\n", what, value ? ": " : "", value ? value : "");
    return EXIT_USAGE;
}

static int add_change(struct options *options, const char *change, bool fault)
{
    if (options->change_count == MOST_CHANGES) {
        return usage_error("too many changes", NULL);
    }
    options->is_fault[options->change_count] = fault;
    options->changes[options->change_count++] = change;
    return 0;
}

static const struct option long_options[] = {{"out", required_argument, NULL, 'o'},
                                             {"vendor", required_argument, NULL, 'v'},
                                             {"version", required_argument, NULL, 'n'},
                                             {"sgx", no_argument, NULL, 'x'},
                                             {"report-data", required_argument, NULL, 'r'},
                                             {"debug", no_argument, NULL, 'd'},
                                             {"status", required_argument, NULL, 'S'},
                                             {"module-status", required_argument, NULL, 'M'},
                                             {"qe-status", required_argument, NULL, 'Q'},
                                             {"set", required_argument, NULL, 's'},
                                             {"fault", required_argument, NULL, 'f'},
                                             {"pcs", required_argument, NULL, 'p'},
                                             {"early-status", required_argument, NULL, 'e'},
                                             {"help", no_argument, NULL, 'h'},
                                             {NULL, 0, NULL, 0}};

/* A status option becomes the assignment it stands for; the text lives as long as the program runs. */
static int add_status(struct options *options, const char *name, const char *word)
{
    static char texts[MOST_CHANGES][96];
    char *text = texts[options->change_count < MOST_CHANGES ? options->change_count : 0];
    if ((size_t)snprintf(text, sizeof texts[0], "%s=%s", name, word) >= sizeof texts[0]) {
        return usage_error("no such status", word);
    }
    return add_change(options, text, false);
}

/* 0 to go on, or an exit code; -1: help was printed. */
static int take_option(struct options *options, int option)
{
    switch (option) {
    case 'o':
        options->out = optarg;
        return 0;
    case 'v':
        options->vendor = optarg;
        return 0;
    case 'n':
        options->version = (unsigned)strtoul(optarg, NULL, 10);
        return options->version >= 3 && options->version <= 5 ? 0 : usage_error("--version wants 3, 4 or 5, not", optarg);
    case 'x':
        options->sgx = true;
        return 0;
    case 'r':
        options->report_data = optarg;
        return 0;
    case 'd':
        return add_change(options, "debug", true);
    case 'S':
        return add_status(options, "status", optarg);
    case 'M':
        return add_status(options, "module.status", optarg);
    case 'Q':
        return add_status(options, "qe.status", optarg);
    case 's':
    case 'f':
        return add_change(options, optarg, option == 'f');
    case 'p':
        options->pcs = optarg;
        return 0;
    case 'e':
        options->early_status = optarg;
        return 0;
    case 'h':
        help();
        return -1;
    default:
        fputs("Try --help.\n", stderr);
        return EXIT_USAGE;
    }
}

static int read_options(struct options *options, int argc, char **argv)
{
    *options = (struct options){.version = 4};
    optind = 0; /* glibc: start afresh, the caller may have parsed its own */
    for (int option; (option = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
        int status = take_option(options, option);
        if (status) {
            return status;
        }
    }
    if (optind != argc) {
        return usage_error("unexpected argument", argv[optind]);
    }
    if (options->early_status && !options->pcs) {
        return usage_error("--early-status needs --pcs", NULL);
    }
    return options->out ? 0 : usage_error("--out is required", NULL);
}

static int set_scene(struct sim_tdx_scene *scene, const struct options *options)
{
    sim_tdx_scene_default(scene, options->version, options->sgx);
    if (options->report_data && !sim_read_hex(scene->guest.report_data, 64, options->report_data)) {
        return usage_error("--report-data wants 128 hex digits", NULL);
    }
    for (size_t i = 0; i < options->change_count; i++) {
        if (options->is_fault[i] && !sim_tdx_apply_fault(scene, options->changes[i])) {
            return usage_error("no such fault", options->changes[i]);
        }
        if (!options->is_fault[i] && !sim_tdx_set(scene, options->changes[i])) {
            return usage_error("no such field, or not a value for it", options->changes[i]);
        }
    }
    return 0;
}

static bool put(const char *directory, const char *name, struct sim_bytes bytes)
{
    char path[4096];
    bool fits = (size_t)snprintf(path, sizeof path, "%s/%s", directory, name) < sizeof path;
    if (!fits) {
        free(bytes.data);
    }
    if (fits && sim_write_file(path, bytes)) {
        return true;
    }
    fprintf(stderr, "attestctl simulate tdx: cannot write %s/%s: %s\n", directory, name, strerror(errno));
    return false;
}

static struct sim_bytes root_pem(const struct sim_tdx_vendor *vendor)
{
    struct sim_bytes der = sim_tdx_authority(vendor, SIM_TDX_ROOT), pem = {NULL, 0};
    if (der.data) {
        pem = sim_pem(der, "CERTIFICATE");
    }
    free(der.data);
    return pem;
}

/* Anchors are the vendor's own, the rest is the issuer's: a look-alike's where the scene says so. */
static bool write_all(const struct options *options, const struct sim_tdx_vendor *vendor, const struct sim_tdx_vendor *issuer,
                      const struct sim_tdx_scene *scene)
{
    const char *out = options->out;
    if (!put(out, "quote.bin", sim_tdx_quote(issuer, scene)) || !put(out, "root.pem", root_pem(vendor)) ||
        !put(out, "pck_chain.pem", sim_tdx_pck_chain(issuer, scene)) ||
        !put(out, "endorsements/collateral.json", sim_tdx_bundle(issuer, scene)) ||
        !put(out, "endorsements/tcb_info.json", sim_tdx_tcb_info(issuer, scene)) ||
        !put(out, "endorsements/qe_identity.json", sim_tdx_identity(issuer, scene)) ||
        !put(out, "endorsements/pck_crl.der", sim_tdx_pck_crl(issuer, scene)) ||
        !put(out, "endorsements/root_crl.der", sim_tdx_root_crl(issuer, scene)) ||
        !put(out, "endorsements/tcb_signing_chain.pem", sim_tdx_issuer_chain(issuer, SIM_TDX_TCB_SIGNING)) ||
        !put(out, "endorsements/pck_chain.pem", sim_tdx_pck_chain(issuer, scene))) {
        return false;
    }
    struct sim_tdx_scene early = *scene;
    if (options->early_status) {
        early.tcb_info.evaluation_number++;
        sim_tdx_set_status(&early, options->early_status, NULL, NULL);
    }
    if (options->pcs && !sim_tdx_write_pcs(issuer, scene, options->early_status ? &early : NULL, options->pcs)) {
        fprintf(stderr, "attestctl simulate tdx: cannot write below %s\n", options->pcs);
        return false;
    }
    return true;
}

int sim_tdx_main(int argc, char **argv)
{
    struct options options;
    struct sim_tdx_scene scene, trial;
    int status = read_options(&options, argc, argv);
    if (status == 0) {
        status = set_scene(&scene, &options);
        trial = scene;
    }
    if (status) {
        return status < 0 ? EXIT_SUCCESS : status;
    }
    if (options.early_status && !sim_tdx_set_status(&trial, options.early_status, NULL, NULL)) {
        return usage_error("no such status", options.early_status);
    }
    char own[4096];
    snprintf(own, sizeof own, "%s/vendor", options.out);
    if (mkdir(options.out, 0755) != 0 && errno != EEXIST) {
        fprintf(stderr, "attestctl simulate tdx: cannot make %s: %s\n", options.out, strerror(errno));
        return EXIT_FAILURE;
    }
    struct sim_tdx_vendor *vendor = sim_tdx_vendor_open(options.vendor ? options.vendor : own);
    struct sim_tdx_vendor *foreign = vendor && scene.foreign_root ? sim_tdx_vendor_new() : NULL;
    const struct sim_tdx_vendor *issuer = scene.foreign_root ? foreign : vendor;
    bool good = issuer && write_all(&options, vendor, issuer, &scene);
    if (!issuer) {
        fputs("attestctl simulate tdx: cannot make or load the vendor's keys\n", stderr);
    }
    sim_tdx_vendor_free(foreign);
    sim_tdx_vendor_free(vendor);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
