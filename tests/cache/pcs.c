/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Simulated collateral from a real nginx that serves it as Intel's PCS and as a PCCS do, through the real cache. What is asked of it here
 * is that the right bytes arrive; a plugin of the test's own names documents by their shape and compares them with what was minted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cache/answer_part.h"
#include "cache/endorsements.h"
#include "core/certificate.h"
#include "core/encoding.h"
#include "core/json.h"
#include "nginx.h"
#include "sdk/simulator/tdx.h"
#include <ctype.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define IDENTITY_FILE "/tdx/certification/v4/qe/identity"
#define TCB_FILE "/tdx/certification/v4/tcb"
#define LIST_FILE "/sgx/certification/v4/pckcrl.platform.der"

/* What one appraisal asks for, and what became of it. */

struct need {
    const char *kind;
    char key[32];
    struct sim_bytes minted; /* what it must be */
    bool ready;              /* it came, and is that */
};
enum { TCB_INFO, IDENTITY, SIGNER, PCK_LIST, PCK_CA, ROOT_LIST, ROOT, NEEDS };
static struct need needs[NEEDS] = {
    [TCB_INFO] = {"tdx.tcb_info", "", {NULL, 0}, false},
    [IDENTITY] = {"tdx.qe_identity", "td_qe", {NULL, 0}, false},
    [SIGNER] = {"tdx.tcb_signing", "tcb_signing", {NULL, 0}, false},
    [PCK_LIST] = {"tdx.pck_crl", "platform", {NULL, 0}, false},
    [PCK_CA] = {"tdx.pck_ca", "platform", {NULL, 0}, false},
    [ROOT_LIST] = {"tdx.root_crl", "root", {NULL, 0}, false},
    [ROOT] = {"tdx.root_ca", "root", {NULL, 0}, false},
};

/* The test's plugin */

static const struct attestd_reason reasons[] = {{"TDX_COLLATERAL_UNAVAILABLE", "Let the vendor be reached."}, {NULL, NULL}};
static const struct attestd_reason malformed[] = {{"TDX_TEST_EMPTY", "Send more."}, {NULL, NULL}};
static const struct attestd_check collateral = {
    "tdx.collateral", "collateral is there", 1, ATTESTD_STRICT, ATTESTD_HARDWARE, 2, 32, 99, "test", reasons};
static const struct attestd_check *const checks[] = {&collateral, NULL};
static const char *const media_types[] = {"application/vnd.example.collateral", NULL};
static const struct attestd_endorsement_kind kinds[] = {
    {"tdx.tcb_info", "TCB info", ATTESTD_AGEING, 1 << 20},      {"tdx.qe_identity", "identity", ATTESTD_AGEING, 1 << 20},
    {"tdx.tcb_signing", "signer", ATTESTD_IMMUTABLE, 16 << 10}, {"tdx.pck_crl", "list of the PCK CA", ATTESTD_AGEING, 1 << 20},
    {"tdx.pck_ca", "PCK CA", ATTESTD_IMMUTABLE, 16 << 10},      {"tdx.root_crl", "list of the root", ATTESTD_AGEING, 1 << 20},
    {"tdx.root_ca", "root", ATTESTD_ANCHOR, 16 << 10},          {NULL, NULL, 0, 0},
};

static void identify_document(const uint8_t *bytes, size_t len, attestd_identified *found, void *context)
{
    char key[32] = "tdx/";
    json_t *document = attestd_json_read((const char *)bytes, len, 32, NULL, 0);
    const char *fmspc = json_string_value(json_object_get(json_object_get(document, "tcbInfo"), "fmspc"));
    const char *id = json_string_value(json_object_get(json_object_get(document, "enclaveIdentity"), "id"));
    if (fmspc != NULL) {
        for (size_t i = 0; i < 12 && fmspc[i] != 0; i++)
            key[4 + i] = (char)tolower((unsigned char)fmspc[i]);
        found(context, "tdx.tcb_info", key);
    }
    if (id != NULL && strcmp(id, "TD_QE") == 0)
        found(context, "tdx.qe_identity", "td_qe");
    json_decref(document);
}

static const struct {
    const char *name, *kind, *key;
    bool list;
} named[] = {
    {"Intel SGX TCB Signing", "tdx.tcb_signing", "tcb_signing", false},
    {"Intel SGX PCK Platform CA", "tdx.pck_ca", "platform", false},
    {"Intel SGX Root CA", "tdx.root_ca", "root", false},
    {"Intel SGX PCK Platform CA", "tdx.pck_crl", "platform", true},
    {"Intel SGX Root CA", "tdx.root_crl", "root", true},
};

static void identify(const uint8_t *bytes, size_t len, attestd_identified *found, void *context)
{
    struct attestd_certificate *certificate = attestd_certificate_parse(bytes, len);
    struct attestd_crl *list = certificate == NULL ? attestd_crl_parse(bytes, len) : NULL;
    const char *name = certificate != NULL ? attestd_certificate_subject_cn(certificate) : list != NULL ? attestd_crl_issuer_cn(list) : "";
    for (size_t i = 0; i < sizeof named / sizeof *named; i++)
        if (named[i].list == (list != NULL) && strcmp(named[i].name, name) == 0)
            found(context, named[i].kind, named[i].key);
    if (certificate == NULL && list == NULL)
        identify_document(bytes, len, found, context);
    attestd_certificate_free(certificate);
    attestd_crl_free(list);
}

static int32_t recognise(const uint8_t *bytes, size_t len)
{
    (void)bytes, (void)len;
    return 0;
}

static void judge(const struct attestd_host *host, struct attestd_appraisal *appraisal, struct need *need,
                  const struct attestd_endorsement *endorsement)
{
    need->ready = endorsement->bytes.len == need->minted.len && memcmp(endorsement->bytes.data, need->minted.data, need->minted.len) == 0;
    if (!need->ready)
        host->reject(appraisal, endorsement->handle, "TDX_COLLATERAL_UNAVAILABLE");
    else if (strcmp(need->kind, "tdx.root_ca") != 0)
        host->accept(appraisal, endorsement->handle, (int64_t)time(NULL) + 86400, 1);
}

static int32_t verify(const struct attestd_host *host, const struct attestd_evidence *evidence, struct attestd_appraisal *appraisal)
{
    struct attestd_endorsement endorsements[NEEDS];
    bool there[NEEDS], pending = false, good = true;
    (void)evidence;
    for (size_t i = 0; i < NEEDS; i++) {
        int32_t state = host->need(appraisal, needs[i].kind, needs[i].key, &endorsements[i]);
        there[i] = state == ATTESTD_NEED_READY;
        pending |= state == ATTESTD_NEED_WAITING;
    }
    if (pending)
        return ATTESTD_PENDING;
    for (size_t i = 0; i < NEEDS; i++) {
        if (there[i])
            judge(host, appraisal, &needs[i], &endorsements[i]);
        good &= needs[i].ready;
    }
    host->check(appraisal, &collateral, good ? ATTESTD_PASS : ATTESTD_UNAVAILABLE, good ? NULL : "TDX_COLLATERAL_UNAVAILABLE", NULL, NULL);
    return ATTESTD_DONE;
}

static const struct attestd_plugin plugin = {.abi_version = ATTESTD_PLUGIN_ABI,
                                             .struct_size = sizeof(struct attestd_plugin),
                                             .name = "tdx",
                                             .version = "1",
                                             .media_types = media_types,
                                             .evidence_class = ATTESTD_CLASS_CPU,
                                             .checks = checks,
                                             .recognise = recognise,
                                             .verify = verify,
                                             .malformed = malformed,
                                             .raw_part = "quote",
                                             .endorsements = kinds,
                                             .identify = identify};

/* One test's service */

static struct site {
    char folder[64], pcs[96], cache[96], state_path[96];
    struct sim_tdx_vendor *vendor;
    struct sim_tdx_scene scene;
    struct attestd_engine *engine;
    struct attestd_anchor_set *anchors;
    struct nginx *nginx;
    struct attestd_store *store, *state;
    struct attestd_endorsements *front;
} site;

static struct sim_bytes read_file(const char *name)
{
    char path[256];
    struct sim_bytes bytes = {malloc(1 << 20), 0};
    snprintf(path, sizeof path, "%s%s", site.pcs, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    bytes.len = fread(bytes.data, 1, (1 << 20) - 1, file);
    bytes.data[bytes.len] = 0;
    fclose(file);
    return bytes;
}

static void write_file(const char *name, const void *bytes, size_t len)
{
    char path[256];
    snprintf(path, sizeof path, "%s%s", site.pcs, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    fclose(file);
}

/* The first such text in nginx's configuration becomes another. */
static void reconfigure(const char *after, const char *from, const char *to)
{
    struct sim_bytes conf = read_file("/nginx.conf");
    char *text = (char *)conf.data, *at = strstr(text, after);
    at = at != NULL ? strstr(at, from) : NULL;
    assert_non_null(at);
    size_t size = conf.len + strlen(to) + 1;
    char *changed = malloc(size);
    int len = snprintf(changed, size, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    write_file("/nginx.conf", changed, (size_t)len);
    free(changed);
    free(text);
}

static void mint(void)
{
    struct sim_bytes fmspc = {site.scene.tcb_info.fmspc, 6};
    strcpy(needs[TCB_INFO].key, "tdx/");
    attestd_hex_encode(fmspc.data, fmspc.len, needs[TCB_INFO].key + 4);
    needs[TCB_INFO].minted = read_file(TCB_FILE);
    needs[IDENTITY].minted = read_file(IDENTITY_FILE);
    needs[SIGNER].minted = sim_tdx_authority(site.vendor, SIM_TDX_TCB_SIGNING);
    needs[PCK_LIST].minted = read_file(LIST_FILE);
    needs[PCK_CA].minted = sim_tdx_authority(site.vendor, SIM_TDX_PLATFORM_CA);
    needs[ROOT_LIST].minted = read_file("/IntelSGXRootCA.der");
    needs[ROOT].minted = sim_tdx_authority(site.vendor, SIM_TDX_ROOT);
    write_file("/Intel_SGX_Provisioning_Certification_RootCA.cer", needs[ROOT].minted.data, needs[ROOT].minted.len);
}

static int begin(void **state)
{
    char error[256] = "";
    (void)state;
    site = (struct site){.folder = "/tmp/attestd-pcs-XXXXXX"};
    assert_non_null(mkdtemp(site.folder));
    snprintf(site.pcs, sizeof site.pcs, "%s/kds", site.folder);
    snprintf(site.cache, sizeof site.cache, "%s/cache/cache.mdb", site.folder);
    snprintf(site.state_path, sizeof site.state_path, "%s/state/state.mdb", site.folder);
    assert_int_equal(mkdir(site.pcs, 0755), 0);
    site.vendor = sim_tdx_vendor_new();
    sim_tdx_scene_default(&site.scene, 4, false);
    assert_true(sim_tdx_write_pcs(site.vendor, &site.scene, NULL, site.pcs));
    mint();
    site.engine = attestd_engine_new();
    if (!attestd_engine_add(site.engine, &plugin, error, sizeof error))
        fail_msg("%s", error);
    site.anchors = attestd_anchor_set_new();
    assert_true(attestd_anchor_set_add_certificate(site.anchors, "tdx", needs[ROOT].minted.data, needs[ROOT].minted.len, true));
    attestd_anchor_set_seal(site.anchors);
    site.nginx = nginx_new(site.folder, false);
    if (site.nginx == NULL)
        fail_msg("nginx is not installed");
    return 0;
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *where)
{
    (void)info, (void)type, (void)where;
    return remove(path);
}

static int end(void **state)
{
    (void)state;
    attestd_endorsements_free(site.front);
    attestd_store_close(site.store);
    attestd_store_close(site.state);
    nginx_free(site.nginx);
    attestd_anchor_set_free(site.anchors);
    attestd_engine_free(site.engine);
    sim_tdx_vendor_free(site.vendor);
    for (size_t i = 0; i < NEEDS; i++)
        free(needs[i].minted.data);
    nftw(site.folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    return 0;
}

/* With the host of the root's certificate and list, as with Intel; or a PCCS alone. */
static void open_service(bool pccs)
{
    char error[256] = "", include[160];
    snprintf(include, sizeof include, "include %s/nginx.conf;", site.pcs);
    nginx_start(site.nginx, "", include);
    const struct attestd_store_options store = {.path = site.cache, .max_size = 16 << 20};
    const struct attestd_store_options state = {.path = site.state_path, .max_size = 16 << 20};
    site.store = attestd_store_open(&store, error, sizeof error);
    site.state = attestd_store_open(&state, error, sizeof error);
    const struct attestd_vendor_base bases[] = {{.vendor = "intel-pcs", .url = nginx_base(site.nginx)},
                                                {.vendor = "intel-certificates", .url = nginx_base(site.nginx)}};
    const struct attestd_endorsements_options options = {.engine = site.engine,
                                                         .anchors = site.anchors,
                                                         .cache = site.store,
                                                         .state = site.state,
                                                         .vendors = bases,
                                                         .vendor_count = pccs ? 1 : 2,
                                                         .vendor_rate = 1000};
    site.front = attestd_endorsements_new(&options, error, sizeof error);
    if (site.front == NULL)
        fail_msg("%s", error);
}

static const struct attestd_value *no_setting(const void *policy, const char *type, const char *path)
{
    (void)policy, (void)type, (void)path;
    return NULL;
}

static int32_t own_mode(const void *policy, const struct attestd_check *check, int64_t time_of, const char **line)
{
    (void)policy, (void)time_of;
    if (line != NULL)
        *line = NULL;
    return check->default_mode;
}

static void decide_nothing(const void *policy, struct attestd_job *job, const struct attestd_request *request,
                           struct attestd_result *result, int64_t time_of)
{
    (void)policy, (void)job, (void)request, (void)time_of;
    result->verdict = ATTESTD_AFFIRMING;
}

static const uint8_t no_digest[32];
static const struct attestd_policy_view view = {NULL, "test", 1, no_digest, no_setting, own_mode, decide_nothing};

/* The one check's outcome and code are asserted against the needs that are expected to fail (a bit each). */
static void appraise(unsigned missing)
{
    struct attestd_part part = {"quote", {(const uint8_t *)"x", 1}};
    struct attestd_piece_request piece = {"cpu0", "tdx", &part, 1};
    struct attestd_request request = {.nonce_age = -1, .layout = "attestd-v1", .no_binding = true, .pieces = &piece, .piece_count = 1};
    for (size_t i = 0; i < NEEDS; i++)
        needs[i].ready = false;
    struct attestd_job *job = attestd_job_new(site.engine, &request, &view, site.anchors, NULL);
    assert_int_equal(attestd_endorsements_run(site.front, job, 0, false), ATTESTD_DONE);
    const struct attestd_check_result *check = NULL;
    const struct attestd_piece *result = &attestd_job_result(job)->pieces[0];
    for (size_t i = 0; i < result->checks.count; i++)
        if (strcmp(result->checks.items[i].check->id, "tdx.collateral") == 0)
            check = &result->checks.items[i];
    for (size_t i = 0; i < NEEDS; i++)
        if (needs[i].ready == (missing >> i & 1))
            fail_msg("%s %s %s", needs[i].kind, needs[i].key, needs[i].ready ? "came" : "did not come");
    assert_non_null(check);
    assert_int_equal(check->outcome, missing == 0 ? ATTESTD_PASS : ATTESTD_UNAVAILABLE);
    if (missing != 0)
        assert_string_equal(check->code, "TDX_COLLATERAL_UNAVAILABLE");
    attestd_job_free(job);
}

struct search {
    const char *kind;
    unsigned found;
};

static bool search_one(void *context, const struct attestd_endorsement_entry *entry)
{
    struct search *search = context;
    search->found += strcmp(entry->kind, search->kind) == 0;
    return true;
}

static unsigned stored(const char *kind)
{
    struct search search = {kind, 0};
    attestd_endorsements_list(site.front, search_one, &search);
    return search.found;
}

/* What is missing is neither stored nor asked for again, and the rest is there. */
static void assert_refused_once(unsigned missing, const char *path)
{
    open_service(false);
    appraise(missing);
    assert_int_equal(nginx_requests(site.nginx, path), 1);
    appraise(missing);
    assert_int_equal(nginx_requests(site.nginx, path), 1);
    for (size_t i = 0; i < NEEDS; i++)
        if (missing >> i & 1)
            assert_int_equal(stored(needs[i].kind), 0);
}

/* What is shown */

static void one_flight_brings_a_document_and_the_chain_in_its_header(void **state)
{
    (void)state;
    open_service(false);
    appraise(0);
    assert_int_equal(nginx_requests(site.nginx, IDENTITY_FILE), 1);
    assert_int_equal(nginx_requests(site.nginx, "200 /sgx/certification/v4/pckcrl?ca=platform&encoding=der"), 1);
    assert_int_equal(nginx_requests(site.nginx, "200 " TCB_FILE "?fmspc="), 1);
    assert_int_equal(nginx_requests(site.nginx, "200 /IntelSGXRootCA.der"), 1);
    assert_int_equal(nginx_requests(site.nginx, "200 /Intel_SGX_Provisioning_Certification_RootCA.cer"), 1);
    assert_int_equal(nginx_requests(site.nginx, ""), 5);
    nginx_stop(site.nginx);
    appraise(0); /* from the cache */
}

static void a_pccs_alone_gives_everything_with_its_lists_in_hex(void **state)
{
    (void)state;
    struct sim_bytes list = needs[PCK_LIST].minted;
    char *hex = malloc(2 * list.len + 2);
    attestd_hex_encode(list.data, list.len, hex);
    strcat(hex, "\n");
    write_file(LIST_FILE, hex, strlen(hex));
    free(hex);
    open_service(true);
    appraise(0);
    assert_int_equal(nginx_requests(site.nginx, "200 /sgx/certification/v4/rootcacrl"), 1);
    assert_int_equal(nginx_requests(site.nginx, IDENTITY_FILE), 1);
    assert_int_equal(nginx_requests(site.nginx, ""), 4);
}

static void a_list_in_broken_hex_is_refused_and_its_ca_still_comes(void **state)
{
    (void)state;
    struct sim_bytes list = needs[PCK_LIST].minted;
    char *hex = malloc(2 * list.len + 1);
    attestd_hex_encode(list.data, list.len, hex);
    write_file(LIST_FILE, hex, 2 * list.len - 1);
    free(hex);
    assert_refused_once(1u << PCK_LIST, "/pckcrl");
}

static void an_unknown_platform_is_held_back(void **state)
{
    (void)state;
    strcpy(needs[TCB_INFO].key, "tdx/ffffffffffff");
    assert_refused_once(1u << TCB_INFO, "404 " TCB_FILE);
}

static void html_is_refused(void **state)
{
    (void)state;
    static const char html[] = "<html>Sign in, please</html>";
    write_file(TCB_FILE, html, sizeof html - 1);
    assert_refused_once(1u << TCB_INFO, TCB_FILE);
}

static void a_truncated_document_is_refused_and_its_signer_still_comes(void **state)
{
    (void)state;
    write_file(IDENTITY_FILE, needs[IDENTITY].minted.data, needs[IDENTITY].minted.len - 2);
    assert_refused_once(1u << IDENTITY, IDENTITY_FILE);
}

static void a_truncated_list_is_refused(void **state)
{
    (void)state;
    write_file(LIST_FILE, needs[PCK_LIST].minted.data, needs[PCK_LIST].minted.len - 1);
    assert_refused_once(1u << PCK_LIST, "/pckcrl");
}

static void a_chain_in_broken_percent_encoding_is_refused_and_the_document_still_comes(void **state)
{
    (void)state;
    reconfigure("location = " IDENTITY_FILE, "%0A", "%0G");
    assert_refused_once(1u << SIGNER, IDENTITY_FILE);
}

static void a_missing_header_is_refused_and_the_document_still_comes(void **state)
{
    (void)state;
    reconfigure("location = " IDENTITY_FILE, "add_header SGX-Enclave-Identity-Issuer-Chain", "add_header X-Other");
    assert_refused_once(1u << SIGNER, IDENTITY_FILE);
}

static void two_headers_of_the_name_are_refused(void **state)
{
    (void)state;
    reconfigure("location = " IDENTITY_FILE, "add_header SGX-Enclave",
                "add_header sgx-enclave-identity-issuer-chain x; add_header SGX-Enclave");
    assert_refused_once(1u << SIGNER, IDENTITY_FILE);
}

static void an_outage_stores_nothing_and_ends(void **state)
{
    (void)state;
    open_service(false);
    nginx_stop(site.nginx);
    appraise((1u << NEEDS) - 1);
    for (size_t i = 0; i < NEEDS; i++)
        assert_int_equal(stored(needs[i].kind), 0);
}

static void a_chain_can_be_fetched_ahead_of_need(void **state)
{
    (void)state;
    char error[256] = "";
    open_service(true);
    static const unsigned ahead[] = {SIGNER, PCK_CA, ROOT, IDENTITY};
    for (size_t i = 0; i < sizeof ahead / sizeof *ahead; i++)
        if (!attestd_endorsements_prefetch(site.front, needs[ahead[i]].kind, needs[ahead[i]].key, error, sizeof error))
            fail_msg("%s: %s", needs[ahead[i]].kind, error);
    assert_false(attestd_endorsements_prefetch(site.front, "tdx.pck", "x", error, sizeof error));
    assert_non_null(strstr(error, "comes with the quote"));
}

/* Tables alone */

static void each_kind_has_its_url(void **state)
{
    (void)state;
    static const struct {
        const char *kind, *key, *vendor, *path, *header; /* path NULL: refused */
    } rows[] = {
        {"tdx.tcb_info", "tdx/00806f050000", "intel-pcs", "/tdx/certification/v4/tcb?fmspc=00806f050000", NULL},
        {"sgx.tcb_info", "sgx/00806f050000", "intel-pcs", "/sgx/certification/v4/tcb?fmspc=00806f050000", NULL},
        {"tdx.tcb_info", "tdx/00806F050000", "intel-pcs", NULL, NULL},
        {"tdx.tcb_info", "tdx/00806f05000&", "intel-pcs", NULL, NULL},
        {"tdx.tcb_info", "tdx/00806f0500000", "intel-pcs", NULL, NULL},
        {"tdx.tcb_info", "00806f050000", "intel-pcs", NULL, NULL},
        {"tdx.qe_identity", "td_qe", "intel-pcs", "/tdx/certification/v4/qe/identity", NULL},
        {"sgx.qe_identity", "qe", "intel-pcs", "/sgx/certification/v4/qe/identity", NULL},
        {"sgx.qe_identity", "qve", "intel-pcs", "/sgx/certification/v4/qve/identity", NULL},
        {"sgx.qe_identity", "../qe", "intel-pcs", NULL, NULL},
        {"tdx.pck_crl", "processor", "intel-pcs", "/sgx/certification/v4/pckcrl?ca=processor&encoding=der", NULL},
        {"sgx.pck_crl", "other", "intel-pcs", NULL, NULL},
        {"sgx.pck_ca", "platform", "intel-pcs", "/sgx/certification/v4/pckcrl?ca=platform&encoding=der", "SGX-PCK-CRL-Issuer-Chain"},
        {"sgx.tcb_signing", "tcb_signing", "intel-pcs", "/sgx/certification/v4/qe/identity", "SGX-Enclave-Identity-Issuer-Chain"},
        {"tdx.tcb_signing", "x", "intel-pcs", NULL, "SGX-Enclave-Identity-Issuer-Chain"},
        {"sgx.root_crl", "root", "intel-certificates", "/IntelSGXRootCA.der", NULL},
        {"sgx.root_ca", "root", "intel-certificates", "/Intel_SGX_Provisioning_Certification_RootCA.cer", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char path[SOURCE_URL_MAX] = "";
        const struct endorsement_source *source = endorsement_source_find(rows[i].kind);
        assert_non_null(source);
        assert_string_equal(source->vendor, rows[i].vendor);
        const char *why = source->path(rows[i].key, path, sizeof path);
        assert_true((why == NULL) == (rows[i].path != NULL));
        if (rows[i].path != NULL)
            assert_string_equal(path, rows[i].path);
        assert_true((source->header == NULL) == (rows[i].header == NULL));
        if (rows[i].header != NULL)
            assert_string_equal(source->header, rows[i].header);
    }
    assert_string_equal(endorsement_source_default_base("intel-pcs"), "https://api.trustedservices.intel.com");
    assert_string_equal(endorsement_source_default_base("intel-certificates"), "https://certificates.trustedservices.intel.com");
    assert_string_equal(endorsement_source_next(endorsement_source_find("tdx.root_crl"))->vendor, "intel-pcs");
    assert_null(endorsement_source_next(endorsement_source_find("snp.crl")));
}

/* expected NULL: refused. */
static void assert_part(const struct endorsement_source *source, const char *headers, const char *body, const char *expected)
{
    struct answer_part part;
    struct transfer transfer = {.len = strlen(body), .headers_len = strlen(headers)};
    transfer.body = (uint8_t *)strdup(body);
    transfer.headers = strdup(headers);
    bool there = answer_part(source, &transfer, &part);
    if (there != (expected != NULL))
        fail_msg("%s | %s", headers, body);
    if (there) {
        assert_int_equal(part.len, strlen(expected));
        assert_memory_equal(part.bytes, expected, part.len);
    }
    free(part.made);
    free(transfer.body);
    free(transfer.headers);
}

static void headers_are_decoded_strictly_and_hex_only_when_all_of_it_is(void **state)
{
    (void)state;
    static const struct endorsement_source header = {.header = "Chain"}, hex = {.may_be_hex = true}, body = {.kind = "x"};
    static const struct {
        const char *headers, *expected;
    } values[] = {
        {"HTTP/1.1 200 OK\r\nchain:  -a%20b%0A+/=\t\r\n\r\n", "-a b\n+/="},
        {"Chain: a%0ab\r\n", "a\nb"},
        {"Chain: a", "a"},
        {"Chains: a\r\nXChain: b\r\n", NULL},
        {"Chain: a\r\nCHAIN: a\r\n", NULL},
        {"Chain:\r\n", NULL},
        {"Chain: a%\r\n", NULL},
        {"Chain: a%0\r\n", NULL},
        {"Chain: a%0x\r\n", NULL},
        {"Chain: a%%41\r\n", NULL},
        {"Chain: a b\r\n", NULL},
        {"Chain: a%00b\r\n", NULL},
        {"Chain: a%80b\r\n", NULL},
        {"Chain: a\x80"
         "b\r\n",
         NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        assert_part(&header, values[i].headers, "body", values[i].expected);
    char *longest = calloc(1, ANSWER_HEADER_MAX + 16);
    strcpy(longest, "Chain: ");
    memset(longest + 7, 'a', ANSWER_HEADER_MAX);
    assert_part(&header, longest, "", longest + 7);
    strcat(longest, "a");
    assert_part(&header, longest, "", NULL);
    free(longest);
    assert_part(&hex, "", "4142", "AB");
    assert_part(&hex, "", "4a4B\r\n", "JK");
    assert_part(&hex, "", "414", "414");
    assert_part(&hex, "", "41 42", "41 42");
    assert_part(&hex, "", "4142g0", "4142g0");
    assert_part(&hex, "", "\n", "\n");
    assert_part(&hex, "", "", NULL);
    assert_part(&body, "", "4142", "4142");
}

#define WITH_SITE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_has_its_url),
        cmocka_unit_test(headers_are_decoded_strictly_and_hex_only_when_all_of_it_is),
        WITH_SITE(one_flight_brings_a_document_and_the_chain_in_its_header),
        WITH_SITE(a_pccs_alone_gives_everything_with_its_lists_in_hex),
        WITH_SITE(a_list_in_broken_hex_is_refused_and_its_ca_still_comes),
        WITH_SITE(an_unknown_platform_is_held_back),
        WITH_SITE(html_is_refused),
        WITH_SITE(a_truncated_document_is_refused_and_its_signer_still_comes),
        WITH_SITE(a_truncated_list_is_refused),
        WITH_SITE(a_chain_in_broken_percent_encoding_is_refused_and_the_document_still_comes),
        WITH_SITE(a_missing_header_is_refused_and_the_document_still_comes),
        WITH_SITE(two_headers_of_the_name_are_refused),
        WITH_SITE(an_outage_stores_nothing_and_ends),
        WITH_SITE(a_chain_can_be_fetched_ahead_of_need),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
