/* SPDX-License-Identifier: Apache-2.0 */
/* What the simulated Intel mints, read by the openssl command line and by plain offsets. */
#include "sdk/simulator/tdx.h"
#include "sdk/simulator/simulate_tdx.h"
#include "sdk/simulator/tdx_fields.h"

#include <jansson.h>
#include <openssl/ecdsa.h>
#include <openssl/sha.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

static struct sim_tdx_vendor *vendor;
static char folder[] = "/tmp/attestd-simulator-XXXXXX";

static int set_up(void **state)
{
    (void)state;
    vendor = mkdtemp(folder) ? sim_tdx_vendor_new() : NULL;
    return vendor ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    sim_tdx_vendor_free(vendor);
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static void save_copy(const char *name, const uint8_t *bytes, size_t len)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_non_null(bytes);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static void save(const char *name, struct sim_bytes bytes)
{
    save_copy(name, bytes.data, bytes.len);
    free(bytes.data);
}

/* Runs the command in the folder; what it printed stands in output. */
static char output[131072];
static int run(const char *format, ...)
{
    char command[20480];
    int at = snprintf(command, sizeof command, "cd '%s' && { ", folder);
    va_list arguments;
    va_start(arguments, format);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    at += vsnprintf(command + at, sizeof command - (size_t)at, format, arguments);
#pragma GCC diagnostic pop
    va_end(arguments);
    snprintf(command + at, sizeof command - (size_t)at, " ; } 2>&1");
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    size_t len = fread(output, 1, sizeof output - 1, pipe);
    output[len] = '\0';
    return pclose(pipe);
}

static void assert_runs(const char *command)
{
    if (run("%s", command) != 0) {
        fail_msg("%s: %s", command, output);
    }
}

static size_t number_at(const uint8_t *bytes, size_t at, size_t len)
{
    size_t value = 0;
    for (size_t i = 0; i < len; i++) {
        value |= (size_t)bytes[at + i] << (8 * i);
    }
    return value;
}

/* r and s, 32 bytes each, as openssl wants them. */
static void save_signature(const char *name, const uint8_t pair[64])
{
    ECDSA_SIG *signature = ECDSA_SIG_new();
    assert_non_null(signature);
    assert_int_equal(ECDSA_SIG_set0(signature, BN_bin2bn(pair, 32, NULL), BN_bin2bn(pair + 32, 32, NULL)), 1);
    unsigned char *der = NULL;
    int len = i2d_ECDSA_SIG(signature, &der);
    assert_true(len > 0);
    save_copy(name, der, (size_t)len);
    OPENSSL_free(der);
    ECDSA_SIG_free(signature);
}

/* A SubjectPublicKeyInfo of P-256 is a fixed head and the point (RFC 5480). */
static void save_point(const char *name, const uint8_t point[64])
{
    static const uint8_t head[27] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
                                     0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04};
    uint8_t key[sizeof head + 64];
    memcpy(key, head, sizeof head);
    memcpy(key + sizeof head, point, 64);
    save_copy(name, key, sizeof key);
}

static void save_pem(const char *name, struct sim_bytes der, const char *kind)
{
    struct sim_bytes pem = sim_pem(der, kind);
    free(der.data);
    save(name, pem);
}

static void save_root(void)
{
    save_pem("root.pem", sim_tdx_authority(vendor, SIM_TDX_ROOT), "CERTIFICATE");
}

/* Everything of a quote checked from bytes cut out at the offsets of the documents. */
static void assert_quote_verifies(const struct sim_tdx_scene *scene, size_t body_end)
{
    struct sim_bytes quote = sim_tdx_quote(vendor, scene);
    const uint8_t *q = quote.data;
    assert_non_null(q);
    assert_int_equal(number_at(q, 0, 2), scene->guest.version);
    assert_int_equal(number_at(q, body_end, 4), quote.len - body_end - 4);
    save_copy("signed.bin", q, body_end);
    save_signature("quote.sig", q + body_end + 4);
    const uint8_t *point = q + body_end + 4 + 64;
    save_point("attestation.der", point);
    assert_runs("openssl dgst -sha256 -keyform DER -verify attestation.der -signature quote.sig signed.bin");

    size_t report = body_end + 4 + 128;
    if (scene->guest.version >= 4) {
        assert_int_equal(number_at(q, report, 2), 6);
        assert_int_equal(number_at(q, report + 2, 4), quote.len - report - 6);
        report += 6;
    }
    save_copy("qe.bin", q + report, 384);
    save_signature("qe.sig", q + report + 384);
    size_t auth = report + 448, auth_len = number_at(q, auth, 2), data = auth + 2 + auth_len;
    uint8_t bound[64 + 64], digest[64] = {0};
    assert_int_equal(auth_len, 32);
    memcpy(bound, point, 64);
    memcpy(bound + 64, q + auth + 2, auth_len);
    SHA256(bound, 64 + auth_len, digest);
    assert_memory_equal(q + report + 320, digest, 64);

    assert_int_equal(number_at(q, data, 2), 5);
    size_t chain_len = number_at(q, data + 2, 4);
    assert_int_equal(data + 6 + chain_len, quote.len);
    assert_int_equal(q[quote.len - 1], 0);
    save_copy("chain.pem", q + data + 6, chain_len - 1);
    save_root();
    assert_runs("openssl verify -CAfile root.pem -untrusted chain.pem chain.pem && openssl x509 -in chain.pem -pubkey -noout > pck.pub && "
                "openssl dgst -sha256 -verify pck.pub -signature qe.sig qe.bin");
    free(quote.data);
}

static void every_version_verifies_with_the_openssl_command(void **state)
{
    (void)state;
    static const struct {
        unsigned version;
        bool sgx;
        uint16_t body_type;
        size_t body_end;
    } forms[] = {{3, true, 0, 432}, {4, false, 0, 632}, {4, true, 0, 432}, {5, false, 2, 638}, {5, false, 3, 702}, {5, true, 1, 438}};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct sim_tdx_scene scene;
        sim_tdx_scene_default(&scene, forms[i].version, forms[i].sgx);
        if (forms[i].body_type) {
            scene.guest.body_type = forms[i].body_type;
        }
        scene.guest.report_data[0] = 0xd1;
        assert_quote_verifies(&scene, forms[i].body_end);
        struct sim_bytes quote = sim_tdx_quote(vendor, &scene);
        size_t report_data_at = forms[i].body_end - (forms[i].body_type == 3 ? 128 : 64);
        assert_int_equal(quote.data[report_data_at], 0xd1);
        assert_int_equal(number_at(quote.data, 4, 4), forms[i].sgx ? 0 : 0x81);
        free(quote.data);
    }
}

static void td_fields_stand_at_their_offsets(void **state)
{
    (void)state;
    struct sim_tdx_scene scene;
    sim_tdx_scene_default(&scene, 5, false);
    struct sim_tdx_guest *guest = &scene.guest;
    const struct {
        uint8_t *field;
        size_t len, offset; /* in the body of a TD 1.5 */
    } places[] = {{guest->tee_tcb_svn, 16, 0},      {guest->mrseam, 48, 16},        {guest->mrsignerseam, 48, 64},
                  {guest->seam_attributes, 8, 112}, {guest->td_attributes, 8, 120}, {guest->xfam, 8, 128},
                  {guest->mrtd, 48, 136},           {guest->mrconfigid, 48, 184},   {guest->mrowner, 48, 232},
                  {guest->mrownerconfig, 48, 280},  {guest->rtmr[0], 48, 328},      {guest->rtmr[3], 48, 472},
                  {guest->report_data, 64, 520},    {guest->tee_tcb_svn2, 16, 584}, {guest->mrservicetd, 48, 600}};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        memset(places[i].field, (int)(0x40 + i), places[i].len);
    }
    struct sim_bytes quote = sim_tdx_quote(vendor, &scene);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        assert_memory_equal(quote.data + 54 + places[i].offset, places[i].field, places[i].len);
    }
    assert_int_equal(number_at(quote.data, 50, 4), 648);
    free(quote.data);
}

static void enclave_fields_stand_at_their_offsets(void **state)
{
    (void)state;
    struct sim_tdx_scene scene;
    sim_tdx_scene_default(&scene, 3, true);
    struct sim_tdx_enclave *enclave = &scene.guest.enclave;
    enclave->miscselect = 0x01020304;
    enclave->prod_id = 0x0506;
    enclave->svn = 0x0708;
    enclave->config_svn = 0x090a;
    memset(enclave->family_id, 0x3f, 16);
    memset(enclave->ext_prod_id, 0x3e, 16);
    memset(enclave->config_id, 0x3d, 64);
    struct sim_bytes quote = sim_tdx_quote(vendor, &scene);
    const uint8_t *body = quote.data + 48;
    assert_int_equal(number_at(body, 16, 4), 0x01020304);
    assert_memory_equal(body + 32, enclave->ext_prod_id, 16);
    assert_memory_equal(body + 48, enclave->attributes, 16);
    assert_memory_equal(body + 64, enclave->mrenclave, 32);
    assert_memory_equal(body + 128, enclave->mrsigner, 32);
    assert_memory_equal(body + 192, enclave->config_id, 64);
    assert_int_equal(number_at(body, 256, 2), 0x0506);
    assert_int_equal(number_at(body, 258, 2), 0x0708);
    assert_int_equal(number_at(body, 260, 2), 0x090a);
    assert_memory_equal(body + 304, enclave->family_id, 16);
    free(quote.data);
}

static void a_changed_byte_no_longer_verifies(void **state)
{
    (void)state;
    struct sim_tdx_scene scene;
    sim_tdx_scene_default(&scene, 4, false);
    assert_quote_verifies(&scene, 632);
    struct sim_bytes quote = sim_tdx_quote(vendor, &scene);
    quote.data[48 + 328] ^= 1;
    save_copy("signed.bin", quote.data, 632);
    free(quote.data);
    assert_int_not_equal(run("openssl dgst -sha256 -keyform DER -verify attestation.der -signature quote.sig signed.bin"), 0);
    scene.flip_qe = 1;
    quote = sim_tdx_quote(vendor, &scene);
    save_signature("qe.sig", quote.data + 636 + 128 + 6 + 384);
    free(quote.data);
    assert_int_not_equal(run("openssl dgst -sha256 -verify pck.pub -signature qe.sig qe.bin"), 0);
}

static void certification_data_of_types_1_to_4_have_their_lengths(void **state)
{
    (void)state;
    static const size_t lengths[] = {[1] = 36, [2] = 276, [3] = 404};
    for (uint16_t type = 1; type <= 4; type++) {
        struct sim_tdx_scene scene;
        sim_tdx_scene_default(&scene, 3, true);
        scene.guest.certification_type = type;
        struct sim_bytes quote = sim_tdx_quote(vendor, &scene);
        size_t at = 436 + 128 + 448 + 2 + 32;
        assert_int_equal(number_at(quote.data, at, 2), type);
        assert_int_equal(at + 6 + number_at(quote.data, at + 2, 4), quote.len);
        if (type < 4) {
            assert_int_equal(number_at(quote.data, at + 2, 4), lengths[type]);
            assert_int_equal(number_at(quote.data, quote.len - 4, 2), scene.pck.pcesvn);
            assert_memory_equal(quote.data + quote.len - 20, scene.pck.cpusvn, 16);
        }
        free(quote.data);
    }
}

/* Verifies {"name":BODY,"signature":"HEX"} over BODY as it stands. */
static json_t *signed_body(struct sim_bytes answer, const char *name)
{
    char head[48];
    int head_len = snprintf(head, sizeof head, "{\"%s\":", name);
    assert_non_null(answer.data);
    assert_memory_equal(answer.data, head, (size_t)head_len);
    const size_t tail = 14 + 128 + 2; /* ,"signature":" and digits and "} */
    size_t body_len = answer.len - (size_t)head_len - tail;
    const uint8_t *body = answer.data + head_len;
    assert_memory_equal(body + body_len, ",\"signature\":\"", 14);
    uint8_t pair[64];
    for (size_t i = 0; i < 64; i++) {
        char digits[3] = {(char)body[body_len + 14 + 2 * i], (char)body[body_len + 15 + 2 * i], 0};
        char *end = NULL;
        pair[i] = (uint8_t)strtoul(digits, &end, 16);
        assert_int_equal(*end, 0);
    }
    save_copy("body.json", body, body_len);
    save_signature("body.sig", pair);
    save("signing.pem", sim_tdx_issuer_chain(vendor, SIM_TDX_TCB_SIGNING));
    save_root();
    assert_runs("openssl verify -CAfile root.pem signing.pem && openssl x509 -in signing.pem -pubkey -noout > signing.pub && "
                "openssl dgst -sha256 -verify signing.pub -signature body.sig body.json");
    json_t *parsed = json_loadb((const char *)body, body_len, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(parsed);
    free(answer.data);
    return parsed;
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    assert_non_null(text);
    return text;
}

static void tcb_info_is_signed_as_it_stands(void **state)
{
    (void)state;
    struct sim_tdx_scene scene;
    sim_tdx_scene_default(&scene, 4, false);
    json_t *info = signed_body(sim_tdx_tcb_info(vendor, &scene), "tcbInfo");
    assert_string_equal(text_of(info, "id"), "TDX");
    assert_string_equal(text_of(info, "fmspc"), "B0C06F000000");
    json_t *identity = json_array_get(json_object_get(info, "tdxModuleIdentities"), 0);
    assert_string_equal(text_of(identity, "id"), "TDX_01");
    json_t *tcb = json_object_get(json_array_get(json_object_get(info, "tcbLevels"), 0), "tcb");
    assert_int_equal(json_array_size(json_object_get(tcb, "sgxtcbcomponents")), 16);
    assert_int_equal(json_array_size(json_object_get(tcb, "tdxtcbcomponents")), 16);
    assert_string_equal(text_of(json_array_get(json_object_get(tcb, "tdxtcbcomponents"), 2), "type"), "TDX Late Microcode Update");
    json_decref(info);
    sim_tdx_scene_default(&scene, 3, true);
    info = signed_body(sim_tdx_tcb_info(vendor, &scene), "tcbInfo");
    assert_string_equal(text_of(info, "id"), "SGX");
    assert_null(json_object_get(info, "tdxModule"));
    json_decref(info);
}

static void identities_and_evaluation_numbers_are_signed_as_they_stand(void **state)
{
    (void)state;
    struct sim_tdx_scene scene;
    sim_tdx_scene_default(&scene, 4, false);
    json_t *identity = signed_body(sim_tdx_identity(vendor, &scene), "enclaveIdentity");
    assert_string_equal(text_of(identity, "id"), "TD_QE");
    assert_int_equal(json_integer_value(json_object_get(identity, "isvprodid")), 2);
    json_decref(identity);
    json_t *numbers = signed_body(sim_tdx_evaluation_numbers(vendor, &scene), "tcbEvaluationDataNumbers");
    assert_int_equal(json_array_size(json_object_get(numbers, "tcbEvalNumbers")), 2);
    json_decref(numbers);
}

/* The status of the first level at or below the platform, by a plain reading of the JSON. */
static char *level_of(const struct sim_tdx_scene *scene, const uint8_t tee_tcb_svn[16])
{
    json_t *info = signed_body(sim_tdx_tcb_info(vendor, scene), "tcbInfo"), *level;
    size_t n;
    char *found = NULL;
    json_array_foreach(json_object_get(info, "tcbLevels"), n, level)
    {
        json_t *tcb = json_object_get(level, "tcb");
        bool below = scene->pck.pcesvn >= json_integer_value(json_object_get(tcb, "pcesvn"));
        for (size_t i = 0; i < 16; i++) {
            json_t *sgx = json_array_get(json_object_get(tcb, "sgxtcbcomponents"), i);
            json_t *tdx = json_array_get(json_object_get(tcb, "tdxtcbcomponents"), i);
            below &= scene->pck.components[i] >= json_integer_value(json_object_get(sgx, "svn"));
            below &= !tdx || tee_tcb_svn[i] >= json_integer_value(json_object_get(tdx, "svn"));
        }
        if (below && !found) {
            found = strdup(text_of(level, "tcbStatus"));
        }
    }
    json_decref(info);
    return found;
}

static void every_status_is_that_of_the_guests_level(void **state)
{
    (void)state;
    static const char *const statuses[] = {"UpToDate",
                                           "SWHardeningNeeded",
                                           "ConfigurationNeeded",
                                           "ConfigurationAndSWHardeningNeeded",
                                           "OutOfDate",
                                           "OutOfDateConfigurationNeeded",
                                           "Revoked"};
    struct sim_tdx_scene scene;
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        sim_tdx_scene_default(&scene, 4, false);
        assert_true(sim_tdx_set_status(&scene, statuses[i], statuses[i], statuses[i]));
        char *found = level_of(&scene, scene.guest.tee_tcb_svn);
        assert_string_equal(found, statuses[i]);
        free(found);
    }
    sim_tdx_scene_default(&scene, 4, false);
    assert_true(sim_tdx_set_status(&scene, "NotSupported", NULL, NULL));
    assert_null(level_of(&scene, scene.guest.tee_tcb_svn));
    assert_false(sim_tdx_set_status(&scene, "Splendid", NULL, NULL));
    assert_false(sim_tdx_set_status(&scene, "TDRelaunchAdvised", NULL, NULL)); /* a TD 1.0 */
    sim_tdx_scene_default(&scene, 5, false);
    assert_true(sim_tdx_set_status(&scene, "TDRelaunchAdvisedConfigurationNeeded", NULL, NULL));
    char *launched = level_of(&scene, scene.guest.tee_tcb_svn), *now = level_of(&scene, scene.guest.tee_tcb_svn2);
    assert_string_equal(launched, "OutOfDate");
    assert_string_equal(now, "ConfigurationNeeded");
    free(launched);
    free(now);
}

static void lists_verify_and_name_what_is_revoked(void **state)
{
    (void)state;
    struct sim_tdx_scene scene;
    sim_tdx_scene_default(&scene, 4, false);
    save_root();
    save("chain.pem", sim_tdx_pck_chain(vendor, &scene));
    save_pem("ca.pem", sim_tdx_authority(vendor, SIM_TDX_PLATFORM_CA), "CERTIFICATE");
    for (int revoked = 0; revoked < 2; revoked++) {
        scene.revoke_pck = (uint8_t)revoked;
        save_pem("pck.crl", sim_tdx_pck_crl(vendor, &scene), "X509 CRL");
        save_pem("root.crl", sim_tdx_root_crl(vendor, &scene), "X509 CRL");
        int status = run("cat ca.pem root.pem > cas.pem; openssl verify -crl_check_all -CRLfile pck.crl -CRLfile root.crl -CAfile root.pem "
                         "-untrusted chain.pem chain.pem");
        assert_int_equal(status == 0, revoked == 0);
        assert_int_equal(strstr(output, "certificate revoked") != NULL, revoked);
    }
    scene.revoke_pck = 0;
    scene.revoke_ca = 1;
    save_pem("pck.crl", sim_tdx_pck_crl(vendor, &scene), "X509 CRL");
    save_pem("root.crl", sim_tdx_root_crl(vendor, &scene), "X509 CRL");
    assert_int_not_equal(
        run("openssl verify -crl_check_all -CRLfile pck.crl -CRLfile root.crl -CAfile root.pem -untrusted chain.pem chain.pem"), 0);
    assert_non_null(strstr(output, "certificate revoked"));
    scene.crl_of_other_ca = 1;
    save_pem("pck.crl", sim_tdx_pck_crl(vendor, &scene), "X509 CRL");
    assert_runs("openssl crl -in pck.crl -noout -issuer");
    assert_non_null(strstr(output, "Intel SGX PCK Processor CA"));
}

/* The DER's tags, algorithms, names and OIDs in their order, without lengths, dates, numbers and keys. */
static void assert_same_structure(const char *real, const char *real_form, const char *ours, const char *more)
{
    const char *const names[2][3] = {{real, real_form, "real.txt"}, {ours, "pem", "ours.txt"}};
    for (size_t i = 0; i < 2; i++) {
        int status = run("openssl asn1parse -inform %s %s -in '%s' | sed -E 's/^ *[0-9]+:d=/d=/; s/hl=.*(prim|cons)/\\1/; s/HEX DUMP.*//; "
                         "s/:[0-9]{12}Z//; s/INTEGER.*/INTEGER/; s/(BOOLEAN|ENUMERATED).*/\\1/' > %s",
                         names[i][1], more, names[i][0], names[i][2]);
        assert_int_equal(status, 0);
    }
    if (run("test -s real.txt && diff real.txt ours.txt") != 0) {
        fail_msg("%s: %s", real, output);
    }
}

/* The first certificate of the chain that ends a real quote. */
static bool cut_real_chain(const char *vectors, const char *name)
{
    static uint8_t bytes[16384];
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", vectors ? vectors : "", name);
    FILE *file = fopen(path, "rb");
    if (!file) {
        print_message("NOT TESTED: no real quote at %s\n", path);
        return false;
    }
    size_t len = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    const uint8_t *begin = memmem(bytes, len, "-----BEGIN", 10);
    assert_non_null(begin);
    save_copy("real.pem", begin, len - (size_t)(begin - bytes));
    return true;
}

static void structure_is_that_of_the_real_certificates(void **state)
{
    (void)state;
    static const struct {
        const char *real;
        enum sim_tdx_authority authority;
    } pairs[] = {{"intel-sgx-root-ca.der", SIM_TDX_ROOT},
                 {"intel-sgx-pck-platform-ca.der", SIM_TDX_PLATFORM_CA},
                 {"intel-sgx-pck-processor-ca.der", SIM_TDX_PROCESSOR_CA},
                 {"intel-sgx-tcb-signing-2025.der", SIM_TDX_TCB_SIGNING}};
    const char *vectors = getenv("ATTESTD_VECTORS");
    char path[4096];
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        snprintf(path, sizeof path, "%s/tdx/%s", vectors ? vectors : "", pairs[i].real);
        if (access(path, R_OK) != 0) {
            print_message("NOT TESTED: no real certificates at %s\n", path);
            skip();
        }
        save_pem("ours.pem", sim_tdx_authority(vendor, pairs[i].authority), "CERTIFICATE");
        assert_same_structure(path, "der", "ours.pem", "");
    }
    struct sim_tdx_scene scene;
    sim_tdx_scene_default(&scene, 4, false);
    snprintf(path, sizeof path, "%s/tdx/intel-sgx-root-ca-2026-02.crl.der", vectors);
    save_pem("ours.pem", sim_tdx_root_crl(vendor, &scene), "X509 CRL");
    assert_same_structure(path, "der", "ours.pem", "");
}

/* The certificate, and what stands in its SGX extension. */
static void structure_is_that_of_real_pck_certificates(void **state)
{
    (void)state;
    static const struct {
        const char *real;
        uint8_t processor;
    } pairs[] = {{"tdx/tdx-v4-phala-a.quote.bin", 0}, {"sgx/sgx-v3-processor-a.quote.bin", 1}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        if (!cut_real_chain(getenv("ATTESTD_VECTORS"), pairs[i].real)) {
            skip();
        }
        struct sim_tdx_scene scene;
        sim_tdx_scene_default(&scene, 4, false);
        scene.pck.processor = pairs[i].processor;
        save_pem("ours.pem", sim_tdx_pck_certificate(vendor, &scene), "CERTIFICATE");
        assert_same_structure("real.pem", "pem", "ours.pem", "");
        const char *const files[] = {"real.pem", "ours.pem"};
        const char *const parts[] = {"real-part.txt", "ours-part.txt"};
        for (size_t k = 0; k < 2; k++) {
            /* The last OCTET STRING but the signature's head is the extension's value. */
            assert_int_equal(run("at=$(openssl asn1parse -in %s | grep -A1 113741.1.13.1 | tail -1 | cut -d: -f1) && "
                                 "openssl asn1parse -in %s -strparse $at | sed -E 's/^ *[0-9]+:d=/d=/; s/hl=.*(prim|cons)/\\1/; "
                                 "s/HEX DUMP.*//; s/(INTEGER|BOOLEAN|ENUMERATED).*/\\1/' > %s",
                                 files[k], files[k], parts[k]),
                             0);
        }
        if (run("test $(wc -l < real-part.txt) -gt 60 && diff real-part.txt ours-part.txt") != 0) {
            fail_msg("%s: %s", pairs[i].real, output);
        }
    }
}

static void numbers_above_127_stay_positive_in_the_certificate(void **state)
{
    (void)state;
    struct sim_tdx_scene scene;
    sim_tdx_scene_default(&scene, 4, false);
    scene.pck.components[5] = 255;
    save_pem("pck.pem", sim_tdx_pck_certificate(vendor, &scene), "CERTIFICATE");
    assert_runs("at=$(openssl asn1parse -in pck.pem | grep -A1 113741.1.13.1 | tail -1 | cut -d: -f1); openssl asn1parse -in pck.pem "
                "-strparse $at | grep -A1 '13.1.2.6$'");
    assert_non_null(strstr(output, "INTEGER           :FF"));
}

static void each_fault_in_the_list_changes_the_scene(void **state)
{
    (void)state;
    char *list = NULL;
    size_t len = 0, count = 0;
    FILE *memory = open_memstream(&list, &len);
    sim_tdx_list_faults(memory);
    fclose(memory);
    struct sim_tdx_scene good;
    sim_tdx_scene_default(&good, 5, false);
    for (char *line = strtok(list, "\n"); line; line = strtok(NULL, "\n"), count++) {
        char name[32];
        assert_int_equal(sscanf(line, " %31s", name), 1);
        struct sim_tdx_scene bad = good;
        assert_true(sim_tdx_apply_fault(&bad, name));
        if (memcmp(&good, &bad, sizeof good) == 0) {
            fail_msg("%s changes nothing", name);
        }
    }
    assert_true(count >= 40);
    free(list);
}

static int simulate(const char *const *more)
{
    char vendor_folder[128];
    snprintf(vendor_folder, sizeof vendor_folder, "%s/vendor", folder);
    const char *words[24] = {"tdx", "--out", folder, "--vendor", vendor_folder};
    int argc = 5;
    for (; *more; more++) {
        words[argc++] = *more;
    }
    return sim_tdx_main(argc, (char **)words);
}

static void the_command_writes_what_was_asked_for(void **state)
{
    (void)state;
    char pcs[128];
    snprintf(pcs, sizeof pcs, "%s/pcs", folder);
    assert_int_equal(
        simulate((const char *[]){"--version", "5", "--set",
                                  "rtmr3=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
                                  "--fault", "debug", "--status", "OutOfDate", "--set", "fmspc=00806f050000", "--pcs", pcs, NULL}),
        0);
    assert_runs("od -An -tx1 -j526 -N8 quote.bin; od -An -tx1 -j174 -N1 quote.bin; grep -c '\"fmspc\":\"00806F050000\"' "
                "endorsements/tcb_info.json");
    assert_string_equal(output, " 01 23 45 67 89 ab cd ef\n 01\n1\n");
    /* Each answer is signed anew: the same up to its signature. */
    static const char *const twins[][2] = {{"endorsements/tcb_info.json", "pcs/tdx/certification/v4/tcb"},
                                           {"endorsements/qe_identity.json", "pcs/tdx/certification/v4/qe/identity"}};
    for (size_t i = 0; i < sizeof twins / sizeof *twins; i++) {
        int status = run("sed 's/.signature.:.*//' %s > first.json && sed 's/.signature.:.*//' %s > second.json && test -s first.json && "
                         "cmp first.json second.json",
                         twins[i][0], twins[i][1]);
        assert_int_equal(status, 0);
    }
    assert_runs("openssl crl -inform der -in endorsements/pck_crl.der -noout -issuer -lastupdate -nextupdate > first.txt && openssl crl "
                "-inform der -in pcs/sgx/certification/v4/pckcrl.platform.der -noout -issuer -lastupdate -nextupdate > second.txt && "
                "cmp first.txt second.txt && ls pcs/nginx.conf");
    assert_int_equal(simulate((const char *[]){"--fault", "none-such", NULL}), 64);
    assert_int_equal(simulate((const char *[]){"--status", "Splendid", NULL}), 64);
    assert_int_equal(simulate((const char *[]){"--version", "6", NULL}), 64);
    assert_int_equal(simulate((const char *[]){"--set", "mrtd=00", NULL}), 64);
    assert_int_equal(simulate((const char *[]){"--early-status", "OutOfDate", NULL}), 64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_version_verifies_with_the_openssl_command),
        cmocka_unit_test(td_fields_stand_at_their_offsets),
        cmocka_unit_test(enclave_fields_stand_at_their_offsets),
        cmocka_unit_test(a_changed_byte_no_longer_verifies),
        cmocka_unit_test(certification_data_of_types_1_to_4_have_their_lengths),
        cmocka_unit_test(tcb_info_is_signed_as_it_stands),
        cmocka_unit_test(identities_and_evaluation_numbers_are_signed_as_they_stand),
        cmocka_unit_test(every_status_is_that_of_the_guests_level),
        cmocka_unit_test(lists_verify_and_name_what_is_revoked),
        cmocka_unit_test(structure_is_that_of_the_real_certificates),
        cmocka_unit_test(structure_is_that_of_real_pck_certificates),
        cmocka_unit_test(numbers_above_127_stay_positive_in_the_certificate),
        cmocka_unit_test(each_fault_in_the_list_changes_the_scene),
        cmocka_unit_test(the_command_writes_what_was_asked_for),
    };
    return cmocka_run_group_tests_name("simulator.tdx", tests, set_up, tear_down);
}
