/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated provisioning certification service, behind a real nginx that includes what was written for it. */
#include "sdk/simulator/tdx.h"
#include "tests/cache/nginx.h"

#include <curl/curl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

static char folder[] = "/tmp/attestd-pcs-XXXXXX";
static struct sim_tdx_vendor *vendor;
static struct sim_tdx_scene scene, early;
static struct nginx *nginx;
static CURL *client;

static struct {
    long status;
    char body[65536], chain[16384], type[128]; /* chain: of the header asked for, percent-decoded */
    size_t len;
} answer;
static const char *chain_header;

static size_t take_body(char *bytes, size_t one, size_t count, void *context)
{
    (void)context;
    size_t len = one * count;
    if (len >= sizeof answer.body - answer.len) {
        return 0;
    }
    memcpy(answer.body + answer.len, bytes, len);
    answer.len += len;
    answer.body[answer.len] = '\0';
    return len;
}

static size_t take_header(char *line, size_t one, size_t count, void *context)
{
    (void)context;
    size_t len = one * count, name_len = strlen(chain_header);
    if (len > name_len + 4 && strncmp(line, chain_header, name_len) == 0 && line[name_len] == ':') {
        int plain_len = 0;
        char *plain = curl_easy_unescape(client, line + name_len + 2, (int)(len - name_len - 4), &plain_len);
        snprintf(answer.chain, sizeof answer.chain, "%.*s", plain_len, plain);
        curl_free(plain);
    }
    return len;
}

static void get(const char *path, const char *header)
{
    char url[512];
    const char *type = NULL;
    memset(&answer, 0, sizeof answer);
    chain_header = header;
    snprintf(url, sizeof url, "%s%s", nginx_base(nginx), path);
    curl_easy_setopt(client, CURLOPT_URL, url);
    curl_easy_setopt(client, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(client, CURLOPT_HEADERFUNCTION, take_header);
    assert_int_equal(curl_easy_perform(client), CURLE_OK);
    curl_easy_getinfo(client, CURLINFO_RESPONSE_CODE, &answer.status);
    curl_easy_getinfo(client, CURLINFO_CONTENT_TYPE, &type);
    snprintf(answer.type, sizeof answer.type, "%s", type ? type : "");
}

static int set_up(void **state)
{
    (void)state;
    char directory[64], include[96];
    vendor = mkdtemp(folder) ? sim_tdx_vendor_new() : NULL;
    client = curl_easy_init();
    sim_tdx_scene_default(&scene, 4, false);
    early = scene;
    early.tcb_info.evaluation_number++;
    snprintf(directory, sizeof directory, "%s/pcs", folder);
    if (!vendor || !client || !sim_tdx_set_status(&early, "OutOfDate", NULL, NULL) ||
        !sim_tdx_write_pcs(vendor, &scene, &early, directory)) {
        return -1;
    }
    nginx = nginx_new(folder, false);
    if (nginx) {
        snprintf(include, sizeof include, "include %s/nginx.conf;", directory);
        nginx_start(nginx, "", include);
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    nginx_free(nginx);
    sim_tdx_vendor_free(vendor);
    curl_easy_cleanup(client);
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static void want_nginx(void)
{
    if (!nginx) {
        print_message("NOT TESTED: nginx is not installed\n");
        skip();
    }
}

static void assert_chain(enum sim_tdx_authority authority)
{
    struct sim_bytes chain = sim_tdx_issuer_chain(vendor, authority);
    assert_int_equal(strlen(answer.chain), chain.len);
    assert_memory_equal(answer.chain, chain.data, chain.len);
    free(chain.data);
}

static void tcb_info_is_found_by_fmspc_in_any_case(void **state)
{
    (void)state;
    want_nginx();
    static const char *const paths[] = {"/tdx/certification/v4/tcb?fmspc=B0C06F000000", "/tdx/certification/v4/tcb?fmspc=b0c06f000000",
                                        "/tdx/certification/v4/tcb?fmspc=b0c06f000000&update=standard",
                                        "/tdx/certification/v4/tcb?fmspc=b0c06f000000&tcbEvaluationDataNumber=19"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        get(paths[i], "TCB-Info-Issuer-Chain");
        assert_int_equal(answer.status, 200);
        assert_string_equal(answer.type, "application/json");
        assert_non_null(strstr(answer.body, "\"id\":\"TDX\""));
        assert_non_null(strstr(answer.body, "\"tcbEvaluationDataNumber\":19,"));
        assert_chain(SIM_TDX_TCB_SIGNING);
    }
    get("/sgx/certification/v4/tcb?fmspc=B0C06F000000", "TCB-Info-Issuer-Chain");
    assert_non_null(strstr(answer.body, "\"id\":\"SGX\""));
    get("/tdx/certification/v4/tcb?fmspc=00906ED50000", "");
    assert_int_equal(answer.status, 404);
    get("/tdx/certification/v4/tcb?fmspc=B0C06F000000&tcbEvaluationDataNumber=12", "");
    assert_int_equal(answer.status, 404);
}

static void early_list_is_another_and_only_when_asked_for(void **state)
{
    (void)state;
    want_nginx();
    get("/tdx/certification/v4/tcb?fmspc=B0C06F000000&update=early", "TCB-Info-Issuer-Chain");
    assert_int_equal(answer.status, 200);
    assert_non_null(strstr(answer.body, "\"tcbEvaluationDataNumber\":20,"));
    assert_chain(SIM_TDX_TCB_SIGNING);
    get("/tdx/certification/v4/tcb.early", "");
    assert_int_equal(answer.status, 404);
}

static void identities_carry_the_signing_chain(void **state)
{
    (void)state;
    want_nginx();
    static const struct {
        const char *path, *id;
    } identities[] = {{"/tdx/certification/v4/qe/identity", "\"id\":\"TD_QE\""},
                      {"/sgx/certification/v4/qe/identity", "\"id\":\"QE\""},
                      {"/sgx/certification/v4/qve/identity", "\"id\":\"QVE\""}};
    for (size_t i = 0; i < sizeof identities / sizeof *identities; i++) {
        get(identities[i].path, "SGX-Enclave-Identity-Issuer-Chain");
        assert_int_equal(answer.status, 200);
        assert_non_null(strstr(answer.body, identities[i].id));
        assert_chain(SIM_TDX_TCB_SIGNING);
    }
    get("/tdx/certification/v4/tcbevaluationdatanumbers", "TCB-Evaluation-Data-Numbers-Issuer-Chain");
    assert_int_equal(answer.status, 200);
    assert_chain(SIM_TDX_TCB_SIGNING);
}

static void lists_are_chosen_by_ca_and_encoding(void **state)
{
    (void)state;
    want_nginx();
    get("/sgx/certification/v4/pckcrl?ca=platform&encoding=der", "SGX-PCK-CRL-Issuer-Chain");
    struct sim_bytes list = sim_tdx_pck_crl(vendor, &scene);
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer.type, "application/pkix-crl");
    assert_memory_equal(answer.body, list.data, 2);
    assert_non_null(memmem(answer.body, answer.len, "Intel SGX PCK Platform CA", 25));
    assert_chain(SIM_TDX_PLATFORM_CA);
    free(list.data);
    get("/sgx/certification/v4/pckcrl?ca=processor", "SGX-PCK-CRL-Issuer-Chain");
    assert_memory_equal(answer.body, "-----BEGIN X509 CRL-----", 24);
    assert_chain(SIM_TDX_PROCESSOR_CA);
    get("/sgx/certification/v4/pckcrl?ca=other", "");
    assert_int_equal(answer.status, 400);
}

static void root_list_is_hex_from_a_pccs_and_der_from_its_distribution_point(void **state)
{
    (void)state;
    want_nginx();
    get("/IntelSGXRootCA.der", "");
    assert_int_equal(answer.status, 200);
    assert_int_equal((uint8_t)answer.body[0], 0x30);
    size_t len = answer.len;
    get("/sgx/certification/v4/rootcacrl", "");
    assert_int_equal(answer.len, 2 * len);
    assert_memory_equal(answer.body, "3082", 4);
    assert_int_equal(strspn(answer.body, "0123456789abcdef"), answer.len);
}

static void pck_certificate_comes_with_its_chain(void **state)
{
    (void)state;
    want_nginx();
    get("/sgx/certification/v4/pckcert?encrypted_ppid=00&cpusvn=00&pcesvn=00&pceid=0000", "SGX-PCK-Certificate-Issuer-Chain");
    assert_int_equal(answer.status, 200);
    assert_memory_equal(answer.body, "-----BEGIN CERTIFICATE-----", 27);
    assert_chain(SIM_TDX_PLATFORM_CA);
    get("/sgx/certification/v4/pckcert", "SGX-TCBm");
    assert_string_equal(answer.chain, "030302020401000500000000000000000D00");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tcb_info_is_found_by_fmspc_in_any_case),
        cmocka_unit_test(early_list_is_another_and_only_when_asked_for),
        cmocka_unit_test(identities_carry_the_signing_chain),
        cmocka_unit_test(lists_are_chosen_by_ca_and_encoding),
        cmocka_unit_test(root_list_is_hex_from_a_pccs_and_der_from_its_distribution_point),
        cmocka_unit_test(pck_certificate_comes_with_its_chain),
    };
    return cmocka_run_group_tests_name("simulator.pcs", tests, set_up, tear_down);
}
