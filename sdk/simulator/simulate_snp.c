/* SPDX-License-Identifier: Apache-2.0 */
#include "sdk/simulator/simulate_snp.h"

#include "sdk/simulator/snp_fields.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { EXIT_USAGE = 64, MOST_CHANGES = 128 };

struct options {
    const char *out, *vendor, *kds, *report_data, *measurement, *table;
    enum sim_snp_product product;
    bool vlek, no_crl;
    long version;
    const char *changes[MOST_CHANGES]; /* --set and --fault in their order */
    bool is_fault[MOST_CHANGES];
    size_t change_count;
};

static const char usage_text[] =
    "usage: attestctl simulate snp --out DIR [OPTION]...\n\n"
    "Makes an SEV-SNP report and its certificates under a simulated vendor. Verifiers believe it only in development\n"
    "mode, with DIR/ark.pem given as an anchor.\n\n"
    "  --out DIR            where the files go: report.bin, certs.bin, vek.der, ask.pem, asvk.pem, ark.pem, crl.der,\n"
    "                       and the certificates and the list again in endorsements/\n"
    "  --vendor DIR         keep the vendor's keys here (default: DIR/vendor); made when absent\n"
    "  --product NAME       milan, genoa (default), zen4c or turin\n"
    "  --version N          of the report, 2 to 5\n"
    "  --vlek               signed by a VLEK instead of a VCEK\n"
    "  --report-data HEX    64 bytes, what the guest binds\n"
    "  --measurement HEX    48 bytes\n"
    "  --debug              the guest may be debugged\n"
    "  --set FIELD=VALUE    any field, see below\n"
    "  --fault NAME         one thing wrong, see below\n"
    "  --table[=FORM]       form of certs.bin: text (default), mixed, text-pem, mixed-pem\n"
    "  --crl none|good      none: write no revocation list\n"
    "  --kds DIR            also write a tree to serve as the vendor's key distribution service\n"
    "  --help\n\n"
    "--set and --fault may be given several times and work in their order.\n";

static void help(void)
{
    fputs(usage_text, stdout);
    puts("\nFields:");
    sim_snp_list_fields(stdout);
    puts("\nFaults:");
    sim_snp_list_faults(stdout);
}

static int usage_error(const char *what, const char *value)
{
    fprintf(stderr, "attestctl simulate snp: %s%s%s\nTry --help.\n", what, value ? ": " : "", value ? value : "");
    return EXIT_USAGE;
}

static bool add_change(struct options *options, const char *change, bool fault)
{
    if (options->change_count == MOST_CHANGES) {
        return false;
    }
    options->is_fault[options->change_count] = fault;
    options->changes[options->change_count++] = change;
    return true;
}

static const struct option long_options[] = {{"out", required_argument, NULL, 'o'},
                                             {"vendor", required_argument, NULL, 'v'},
                                             {"product", required_argument, NULL, 'p'},
                                             {"version", required_argument, NULL, 'n'},
                                             {"vlek", no_argument, NULL, 'l'},
                                             {"report-data", required_argument, NULL, 'r'},
                                             {"debug", no_argument, NULL, 'd'},
                                             {"measurement", required_argument, NULL, 'm'},
                                             {"set", required_argument, NULL, 's'},
                                             {"fault", required_argument, NULL, 'f'},
                                             {"table", optional_argument, NULL, 't'},
                                             {"crl", required_argument, NULL, 'c'},
                                             {"kds", required_argument, NULL, 'k'},
                                             {"help", no_argument, NULL, 'h'},
                                             {NULL, 0, NULL, 0}};

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
    case 'p':
        return sim_snp_product_named(optarg, &options->product) ? 0 : usage_error("no such product", optarg);
    case 'n':
        options->version = strtol(optarg, NULL, 10);
        return options->version >= 2 && options->version <= 5 ? 0 : usage_error("--version wants 2 to 5, not", optarg);
    case 'l':
        options->vlek = true;
        return 0;
    case 'r':
        options->report_data = optarg;
        return 0;
    case 'm':
        options->measurement = optarg;
        return 0;
    case 'd':
        return add_change(options, "debug", true) ? 0 : usage_error("too many changes", NULL);
    case 's':
    case 'f':
        return add_change(options, optarg, option == 'f') ? 0 : usage_error("too many changes", NULL);
    case 't':
        options->table = optarg ? optarg : "text";
        return 0;
    case 'c':
        options->no_crl = strcmp(optarg, "none") == 0;
        return options->no_crl || strcmp(optarg, "good") == 0 ? 0 : usage_error("--crl wants none or good, not", optarg);
    case 'k':
        options->kds = optarg;
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
    *options = (struct options){.product = SIM_SNP_GENOA, .table = "text"};
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
    static const char *const forms[] = {"text", "mixed", "text-pem", "mixed-pem"};
    bool known = false;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        known |= strcmp(forms[i], options->table) == 0;
    }
    if (!known) {
        return usage_error("no such form of table", options->table);
    }
    return options->out ? 0 : usage_error("--out is required", NULL);
}

static int set_scene(struct sim_snp_scene *scene, const struct options *options)
{
    sim_snp_scene_default(scene, options->product, options->vlek);
    if (options->version) {
        scene->guest.version = (uint32_t)options->version;
    }
    if (options->report_data && !sim_snp_set_hex(scene->guest.report_data, 64, options->report_data)) {
        return usage_error("--report-data wants 128 hex digits", NULL);
    }
    if (options->measurement && !sim_snp_set_hex(scene->guest.measurement, 48, options->measurement)) {
        return usage_error("--measurement wants 96 hex digits", NULL);
    }
    for (size_t i = 0; i < options->change_count; i++) {
        if (options->is_fault[i] && !sim_snp_apply_fault(scene, options->changes[i])) {
            return usage_error("no such fault", options->changes[i]);
        }
        if (!options->is_fault[i] && !sim_snp_set(&scene->guest, options->changes[i])) {
            return usage_error("no such field, or not a value for it", options->changes[i]);
        }
    }
    return 0;
}

static bool write_file(const char *directory, const char *name, struct sim_bytes bytes)
{
    char path[4096];
    FILE *file = NULL;
    if (bytes.data && (size_t)snprintf(path, sizeof path, "%s/%s", directory, name) < sizeof path) {
        file = fopen(path, "we");
    }
    bool good = file && fwrite(bytes.data, 1, bytes.len, file) == bytes.len;
    good = file && fclose(file) == 0 && good;
    if (!good) {
        fprintf(stderr, "attestctl simulate snp: cannot write %s/%s: %s\n", directory, name, strerror(errno));
    }
    return good;
}

static bool make_folder(const char *path)
{
    if (mkdir(path, 0755) == 0 || errno == EEXIST) {
        return true;
    }
    fprintf(stderr, "attestctl simulate snp: cannot make %s: %s\n", path, strerror(errno));
    return false;
}

/* What is minted, before it is written. */
struct products {
    struct sim_bytes report, vek, ask, asvk, ark, crl, table;
};

static void mint(struct products *p, const struct sim_snp_vendor *vendor, const struct sim_snp_vendor *issuer,
                 const struct sim_snp_scene *scene, const struct options *options)
{
    p->report = sim_snp_scene_report(vendor, scene);
    p->vek = sim_snp_scene_vek(issuer, scene);
    p->ask = sim_snp_ask(issuer);
    p->asvk = sim_snp_asvk(issuer);
    p->ark = sim_snp_ark(vendor);
    if (!options->no_crl) {
        p->crl = sim_snp_crl(issuer, &scene->crl);
    }
    bool mixed = strncmp(options->table, "mixed", 5) == 0, pem = strstr(options->table, "pem") != NULL;
    struct sim_bytes foreign_ark = sim_snp_ark(issuer);
    p->table = sim_snp_table(p->vek, scene->guest.vlek, scene->guest.vlek ? p->asvk : p->ask, foreign_ark, p->crl, !mixed, pem);
    free(foreign_ark.data);
}

static void free_products(struct products *p)
{
    free(p->report.data);
    free(p->vek.data);
    free(p->ask.data);
    free(p->asvk.data);
    free(p->ark.data);
    free(p->crl.data);
    free(p->table.data);
}

static bool write_pem(const char *directory, const char *name, struct sim_bytes der)
{
    struct sim_bytes pem = sim_pem(der, "CERTIFICATE");
    bool good = write_file(directory, name, pem);
    free(pem.data);
    return good;
}

/* All but the report: what an operator would have in a folder. */
static bool write_endorsements(const char *directory, const struct products *p)
{
    return write_file(directory, "vek.der", p->vek) && write_pem(directory, "ask.pem", p->ask) &&
           write_pem(directory, "asvk.pem", p->asvk) && write_pem(directory, "ark.pem", p->ark) &&
           (!p->crl.data || write_file(directory, "crl.der", p->crl));
}

static bool write_all(const struct options *options, const struct sim_snp_vendor *issuer, const struct sim_snp_scene *scene,
                      const struct products *p)
{
    char endorsements[4096];
    snprintf(endorsements, sizeof endorsements, "%s/endorsements", options->out);
    if (!write_file(options->out, "report.bin", p->report) || !write_file(options->out, "certs.bin", p->table) ||
        !write_endorsements(options->out, p) || !make_folder(endorsements) || !write_endorsements(endorsements, p)) {
        return false;
    }
    if (options->kds && !sim_snp_write_kds(issuer, &scene->guest, 1, options->no_crl ? NULL : &scene->crl, options->kds)) {
        fprintf(stderr, "attestctl simulate snp: cannot write below %s\n", options->kds);
        return false;
    }
    return true;
}

int sim_snp_main(int argc, char **argv)
{
    struct options options;
    struct sim_snp_scene scene;
    int status = read_options(&options, argc, argv);
    if (status == 0) {
        status = set_scene(&scene, &options);
    }
    if (status) {
        return status < 0 ? EXIT_SUCCESS : status;
    }
    if (!make_folder(options.out)) {
        return EXIT_FAILURE;
    }
    char own[4096];
    snprintf(own, sizeof own, "%s/vendor", options.out);
    struct sim_snp_vendor *vendor = sim_snp_vendor_open(options.vendor ? options.vendor : own, options.product);
    struct sim_snp_vendor *foreign = vendor && scene.foreign_vendor ? sim_snp_vendor_new(options.product) : NULL;
    const struct sim_snp_vendor *issuer = scene.foreign_vendor ? foreign : vendor;
    bool good = false;
    if (issuer) {
        struct products products = {0};
        mint(&products, vendor, issuer, &scene, &options);
        good = write_all(&options, issuer, &scene, &products);
        free_products(&products);
    } else {
        fputs("attestctl simulate snp: cannot make or load the vendor's keys\n", stderr);
    }
    sim_snp_vendor_free(foreign);
    sim_snp_vendor_free(vendor);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
