/* SPDX-License-Identifier: Apache-2.0 */
/* What the simulator mints, read by the openssl command line and by plain offsets. */
#include "sdk/simulator/simulator.h"

#include <openssl/ecdsa.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

static const enum sim_snp_product products[] = {SIM_SNP_MILAN, SIM_SNP_GENOA, SIM_SNP_ZEN4C, SIM_SNP_TURIN};
static const char *const line_names[] = {"Milan", "Genoa", "Genoa", "Turin"};
enum { PRODUCTS = 4 };

static struct sim_snp_vendor *vendors[PRODUCTS];
static char folder[] = "/tmp/attestd-simulator-XXXXXX";

static int set_up(void **state)
{
    (void)state;
    const char *build = getenv("ATTESTD_BUILD");
    char kept[4096];
    snprintf(kept, sizeof kept, "%s/simulated-vendor", build ? build : folder);
    if (!mkdtemp(folder)) {
        return -1;
    }
    for (size_t i = 0; i < PRODUCTS; i++) {
        vendors[i] = sim_snp_vendor_open(kept, products[i]);
        if (!vendors[i]) {
            return -1;
        }
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < PRODUCTS; i++) {
        sim_snp_vendor_free(vendors[i]);
    }
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static void save(const char *name, struct sim_bytes bytes)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_non_null(bytes.data);
    assert_int_equal(fwrite(bytes.data, 1, bytes.len, file), bytes.len);
    assert_int_equal(fclose(file), 0);
    free(bytes.data);
}

static void save_pem(const char *name, struct sim_bytes der, const char *kind)
{
    struct sim_bytes pem = sim_pem(der, kind);
    free(der.data);
    save(name, pem);
}

/* Runs the command in the folder; what it printed stands in output. */
static char output[65536];
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

static void save_authorities(size_t product)
{
    save_pem("ark.pem", sim_snp_ark(vendors[product]), "CERTIFICATE");
    save_pem("ask.pem", sim_snp_ask(vendors[product]), "CERTIFICATE");
    save_pem("asvk.pem", sim_snp_asvk(vendors[product]), "CERTIFICATE");
}

/* The signature as openssl wants it: SEQUENCE of two big-endian INTEGERs, from two little-endian numbers of 72 bytes. */
static struct sim_bytes signature_der(const uint8_t *report)
{
    ECDSA_SIG *pair = ECDSA_SIG_new();
    assert_non_null(pair);
    assert_int_equal(ECDSA_SIG_set0(pair, BN_lebin2bn(report + 0x2a0, 72, NULL), BN_lebin2bn(report + 0x2e8, 72, NULL)), 1);
    struct sim_bytes der = {NULL, 0};
    unsigned char *bytes = NULL;
    int len = i2d_ECDSA_SIG(pair, &bytes);
    assert_true(len > 0);
    der.data = malloc((size_t)len);
    assert_non_null(der.data);
    memcpy(der.data, bytes, (size_t)len);
    der.len = (size_t)len;
    OPENSSL_free(bytes);
    ECDSA_SIG_free(pair);
    return der;
}

static void save_guest(size_t product, const struct sim_snp_guest *guest)
{
    struct sim_bytes report = sim_snp_report(vendors[product], guest);
    assert_int_equal(report.len, 1184);
    save("signature.der", signature_der(report.data));
    struct sim_bytes body = {report.data, 0x2a0};
    save("body.bin", body);
    save_pem("vek.pem", sim_snp_vek(vendors[product], guest), "CERTIFICATE");
}

static void assert_openssl_accepts(const struct sim_snp_guest *guest)
{
    const char *intermediate = guest->vlek ? "asvk.pem" : "ask.pem";
    int status = run("openssl verify -attime %lld -CAfile ark.pem -untrusted %s vek.pem", (long long)guest->not_before + 60, intermediate);
    if (status != 0) {
        fail_msg("%s", output);
    }
    status =
        run("openssl x509 -in vek.pem -pubkey -noout > vek.pub && openssl dgst -sha384 -verify vek.pub -signature signature.der body.bin");
    if (status != 0) {
        fail_msg("%s", output);
    }
}

static void every_product_verifies_with_the_openssl_command(void **state)
{
    (void)state;
    for (size_t i = 0; i < PRODUCTS; i++) {
        struct sim_snp_guest guest;
        sim_snp_guest_default(&guest, products[i]);
        save_authorities(i);
        save_guest(i, &guest);
        assert_openssl_accepts(&guest);
        assert_int_equal(run("openssl x509 -in vek.pem -noout -subject -issuer -serial"), 0);
        char issuer[32];
        snprintf(issuer, sizeof issuer, "CN = SEV-%s", line_names[i]);
        assert_non_null(strstr(output, issuer));
        assert_non_null(strstr(output, "CN = SEV-VCEK"));
        assert_non_null(strstr(output, "serial=00"));
    }
}

static void a_vlek_stands_under_the_asvk(void **state)
{
    (void)state;
    struct sim_snp_guest guest;
    sim_snp_guest_default(&guest, SIM_SNP_MILAN);
    sim_snp_guest_vlek(&guest);
    save_authorities(0);
    save_guest(0, &guest);
    assert_openssl_accepts(&guest);
    assert_int_not_equal(run("openssl verify -attime %lld -CAfile ark.pem -untrusted ask.pem vek.pem", (long long)guest.not_before + 60),
                         0);
    assert_int_equal(run("openssl asn1parse -in vek.pem"), 0);
    assert_non_null(strstr(output, "1.3.6.1.4.1.3704.1.5\n"));
    assert_null(strstr(output, "1.3.6.1.4.1.3704.1.4\n"));
}

static void a_changed_report_no_longer_verifies_until_signed_again(void **state)
{
    (void)state;
    struct sim_snp_guest guest;
    sim_snp_guest_default(&guest, SIM_SNP_GENOA);
    save_authorities(1);
    save_guest(1, &guest);
    assert_openssl_accepts(&guest);
    struct sim_bytes report = sim_snp_report(vendors[1], &guest);
    report.data[0x90] ^= 1;
    save("body.bin", (struct sim_bytes){memcpy(malloc(0x2a0), report.data, 0x2a0), 0x2a0});
    assert_int_not_equal(run("openssl dgst -sha384 -verify vek.pub -signature signature.der body.bin"), 0);
    sim_snp_resign(vendors[1], &guest, report.data);
    save("signature.der", signature_der(report.data));
    assert_int_equal(run("openssl dgst -sha384 -verify vek.pub -signature signature.der body.bin"), 0);
    free(report.data);
}

static void authorities_look_like_the_vendors(void **state)
{
    (void)state;
    save_authorities(1);
    assert_int_equal(run("openssl x509 -in ark.pem -noout -text"), 0);
    assert_non_null(strstr(output, "Serial Number: 131072 (0x20000)"));
    assert_non_null(strstr(output, "OU = Engineering, C = US, L = Santa Clara, ST = CA, O = Advanced Micro Devices, CN = ARK-Genoa"));
    assert_non_null(strstr(output, "Signature Algorithm: rsassaPss"));
    assert_non_null(strstr(output, "mgf1 with sha384"));
    assert_non_null(strstr(output, "Salt Length: 0x30"));
    assert_non_null(strstr(output, "Certificate Sign, CRL Sign"));
    assert_non_null(strstr(output, "Public-Key: (4096 bit)"));
    assert_int_equal(run("openssl x509 -in ask.pem -noout -text"), 0);
    assert_non_null(strstr(output, "CA:TRUE, pathlen:0"));
    assert_non_null(strstr(output, "CN = SEV-Genoa"));
}

static void extensions_are_encoded_as_kds_does(void **state)
{
    (void)state;
    struct sim_snp_guest guest;
    sim_snp_guest_default(&guest, SIM_SNP_TURIN);
    guest.cert_tcb.microcode = 219;
    memset(guest.cert_hwid, 0xab, 8);
    save_pem("vek.pem", sim_snp_vek(vendors[3], &guest), "CERTIFICATE");
    assert_int_equal(run("openssl asn1parse -in vek.pem | grep -A1 -E '3704.1' | tr -d '\\n'"), 0);
    assert_non_null(strstr(output, "[HEX DUMP]:16055475"));         /* productName, IA5String */
    assert_non_null(strstr(output, "[HEX DUMP]:020200DB"));         /* a number above 127 stays positive */
    assert_non_null(strstr(output, "[HEX DUMP]:ABABABABABABABAB")); /* hwID has no tag of its own */
    assert_non_null(strstr(output, "3704.1.3.9"));
    assert_null(strstr(output, "3704.1.3.4"));
    guest.cert_hwid_octet_string = true;
    guest.cert_missing_spl = 1U << 9;
    save_pem("vek.pem", sim_snp_vek(vendors[3], &guest), "CERTIFICATE");
    assert_int_equal(run("openssl asn1parse -in vek.pem | grep -A1 -E '3704.1' | tr -d '\\n'"), 0);
    assert_non_null(strstr(output, "[HEX DUMP]:0408ABABABABABABABAB"));
    assert_null(strstr(output, "3704.1.3.9"));
}

static void lists_verify_and_name_what_is_revoked(void **state)
{
    (void)state;
    struct sim_snp_crl crl = {.this_update = 1790000000, .next_update = 1800000000, .number = 7};
    save_authorities(0);
    save("empty.crl", sim_snp_crl(vendors[0], &crl));
    assert_int_equal(run("openssl crl -inform der -in empty.crl -CAfile ark.pem -noout -text"), 0);
    assert_non_null(strstr(output, "verify OK"));
    assert_non_null(strstr(output, "No Revoked Certificates"));
    assert_non_null(strstr(output, "X509v3 CRL Number: \n                7"));
    crl.revoke_ask = true;
    save("revoked.crl", sim_snp_crl(vendors[0], &crl));
    assert_int_equal(run("openssl crl -inform der -in revoked.crl -CAfile ark.pem -noout -text"), 0);
    assert_non_null(strstr(output, "Serial Number: 010002"));
    assert_null(strstr(output, "010101"));
    assert_int_equal(
        run("openssl crl -inform der -in revoked.crl -out revoked.pem && openssl verify -attime 1795000000 -crl_check -CRLfile "
            "revoked.pem -CAfile ark.pem ask.pem || true"),
        0);
    assert_non_null(strstr(output, "certificate revoked"));
}

static void fields_stand_at_their_offsets_by_version(void **state)
{
    (void)state;
    struct sim_snp_guest guest;
    sim_snp_guest_default(&guest, SIM_SNP_TURIN);
    guest.current_version[2] = 9;
    for (uint32_t version = 2; version <= 5; version++) {
        guest.version = version;
        struct sim_bytes report = sim_snp_report(vendors[3], &guest);
        assert_int_equal(report.data[0], version);
        assert_int_equal(report.data[0x188], version >= 3 ? 0x1a : 0);
        assert_int_equal(report.data[0x1f8], version >= 5 ? 0x3f : 0);
        assert_memory_equal(report.data + 0x180, ((const uint8_t[]){1, 1, 1, 4, 0, 0, 0, 81}), 8);
        assert_memory_equal(report.data + 0x1e8, ((const uint8_t[]){9, 58, 1}), 3);
        free(report.data);
    }
}

static void masked_key_leaves_the_signature_zero(void **state)
{
    (void)state;
    static const uint8_t zeros[512];
    struct sim_snp_guest guest;
    sim_snp_guest_default(&guest, SIM_SNP_MILAN);
    guest.key_info = 1 << 1;
    struct sim_bytes report = sim_snp_report(vendors[0], &guest);
    assert_memory_equal(report.data + 0x2a0, zeros, 512);
    free(report.data);
}

static void another_chip_seed_or_tcb_is_another_key(void **state)
{
    (void)state;
    struct sim_snp_guest guest;
    sim_snp_guest_default(&guest, SIM_SNP_MILAN);
    save_guest(0, &guest);
    assert_int_equal(run("openssl x509 -in vek.pem -pubkey -noout > first.pub"), 0);
    guest.report_data[0] = 1;
    save_guest(0, &guest);
    assert_int_equal(run("openssl x509 -in vek.pem -pubkey -noout | cmp - first.pub"), 0);
    for (int change = 0; change < 3; change++) {
        struct sim_snp_guest other = guest;
        other.cert_key_seed += change == 0;
        other.cert_hwid[0] = (uint8_t)(other.cert_hwid[0] ^ (change == 1));
        other.cert_tcb.snp = (uint8_t)(other.cert_tcb.snp - (change == 2));
        save_guest(0, &other);
        assert_int_not_equal(run("openssl x509 -in vek.pem -pubkey -noout | cmp - first.pub"), 0);
    }
}

static void table_entries_point_at_their_blobs(void **state)
{
    (void)state;
    struct sim_snp_guest guest;
    sim_snp_guest_default(&guest, SIM_SNP_MILAN);
    struct sim_bytes vek = sim_snp_vek(vendors[0], &guest), ark = sim_snp_ark(vendors[0]), none = {NULL, 0};
    struct sim_bytes table = sim_snp_table(vek, false, none, ark, none, true, false);
    assert_memory_equal(table.data, "\x63\xda\x75\x8d\xe6\x64", 6);
    assert_int_equal(table.data[16], 72);
    assert_memory_equal(table.data + 72, vek.data, vek.len);
    assert_int_equal(table.len, 72 + vek.len + ark.len);
    assert_memory_equal(table.data + 72 + vek.len, ark.data, ark.len);
    free(table.data);
    table = sim_snp_table(vek, true, none, none, none, false, true);
    assert_memory_equal(table.data, "\xc2\x4b\x07\xa8\x5a\xa2\x3e\x48\xaa\xe6", 10);
    assert_memory_equal(table.data + 48, "-----BEGIN CERTIFICATE-----", 27);
    free(table.data);
    free(vek.data);
    free(ark.data);
}

static void kds_tree_has_the_paths_of_the_service(void **state)
{
    (void)state;
    struct sim_snp_guest guest;
    sim_snp_guest_default(&guest, SIM_SNP_TURIN);
    struct sim_snp_crl crl = {.this_update = 1790000000, .next_update = 1800000000, .number = 7};
    char path[128];
    snprintf(path, sizeof path, "%s/kds", folder);
    assert_true(sim_snp_write_kds(vendors[3], &guest, 1, &crl, path));
    assert_int_equal(run("cd kds && find . -type f | sort"), 0);
    char hwid[17];
    for (size_t i = 0; i < 8; i++) {
        snprintf(hwid + 2 * i, 3, "%02x", guest.cert_hwid[i]);
    }
    char expected[256];
    snprintf(expected, sizeof expected,
             "./vcek/v1/Turin/%s\n./vcek/v1/Turin/cert_chain\n./vcek/v1/Turin/crl\n./vlek/v1/Turin/cert_chain\n./vlek/v1/Turin/crl\n",
             hwid);
    assert_string_equal(output, expected);
    assert_int_equal(run("openssl verify -CAfile kds/vcek/v1/Turin/cert_chain kds/vcek/v1/Turin/cert_chain"), 0);
    assert_int_equal(run("grep -c BEGIN kds/vlek/v1/Turin/cert_chain"), 0);
    assert_string_equal(output, "2\n");
}

static void vendor_is_the_same_when_opened_again_and_its_keys_are_private(void **state)
{
    (void)state;
    char kept[4096];
    snprintf(kept, sizeof kept, "%s/simulated-vendor", getenv("ATTESTD_BUILD"));
    struct sim_snp_vendor *again = sim_snp_vendor_open(kept, SIM_SNP_ZEN4C);
    struct sim_bytes first = sim_snp_ark(vendors[1]), second = sim_snp_ark(again);
    assert_int_equal(first.len, second.len);
    assert_memory_equal(first.data, second.data, first.len);
    free(first.data);
    free(second.data);
    sim_snp_vendor_free(again);
    assert_int_equal(run("stat -c %%a '%s/snp-Genoa.pem'", kept), 0);
    assert_string_equal(output, "600\n");
}

/* The DER's tags, algorithms, names and OIDs in their order, without lengths, dates, numbers and keys. */
static int structure_differs(const char *real, const char *real_form, const char *ours)
{
    const char *parse = "openssl asn1parse -inform %s -in '%s' | sed -E 's/^ *[0-9]+:d=/d=/; s/hl=.*(prim|cons)/\\1/; s/HEX DUMP.*//; "
                        "s/:[0-9]{12}Z//; s/INTEGER.*/INTEGER/' > %s";
    char first[8192], second[8192];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(first, sizeof first, parse, real_form, real, "real.txt");
    snprintf(second, sizeof second, parse, strstr(ours, ".pem") ? "pem" : "der", ours, "ours.txt");
#pragma GCC diagnostic pop
    return run("%s && %s && test -s real.txt && diff real.txt ours.txt", first, second);
}

static void structure_is_that_of_the_real_certificates(void **state)
{
    (void)state;
    static const struct {
        const char *real, *form, *ours;
        size_t product;
        bool vlek;
    } pairs[] = {
        {"ark-genoa.pem", "pem", "ark.pem", 1, false},         {"ask-genoa.pem", "pem", "ask.pem", 1, false},
        {"asvk-genoa.pem", "pem", "asvk.pem", 1, false},       {"genoa-v5-zen4c.vcek.der", "der", "vek.pem", 2, false},
        {"turin-v5-aci.vcek.pem", "pem", "vek.pem", 3, false}, {"milan-v5-vlek-vmpl1.vlek.pem", "pem", "vek.pem", 0, true},
        {"crl-milan-2025.der", "der", "list.der", 0, false},   {"crl-genoa-2022.der", "der", "list.der", 1, false},
    };
    const char *vectors = getenv("ATTESTD_VECTORS");
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/snp/%s", vectors ? vectors : "", pairs[i].real);
        if (access(path, R_OK) != 0) {
            print_message("NOT TESTED: no real certificates at %s\n", path);
            skip();
        }
        struct sim_snp_guest guest;
        struct sim_snp_crl crl = {1790000000, 1800000000, 2, strstr(pairs[i].real, "2022") != NULL, false};
        sim_snp_guest_default(&guest, products[pairs[i].product]);
        if (pairs[i].vlek) {
            sim_snp_guest_vlek(&guest);
        }
        guest.cert_tcb.microcode = pairs[i].vlek ? 200 : guest.cert_tcb.microcode;
        save_authorities(pairs[i].product);
        save_guest(pairs[i].product, &guest);
        save("list.der", sim_snp_crl(vendors[pairs[i].product], &crl));
        if (structure_differs(path, pairs[i].form, pairs[i].ours) != 0) {
            fail_msg("%s: %s", pairs[i].real, output);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_product_verifies_with_the_openssl_command),
        cmocka_unit_test(a_vlek_stands_under_the_asvk),
        cmocka_unit_test(a_changed_report_no_longer_verifies_until_signed_again),
        cmocka_unit_test(authorities_look_like_the_vendors),
        cmocka_unit_test(extensions_are_encoded_as_kds_does),
        cmocka_unit_test(structure_is_that_of_the_real_certificates),
        cmocka_unit_test(lists_verify_and_name_what_is_revoked),
        cmocka_unit_test(fields_stand_at_their_offsets_by_version),
        cmocka_unit_test(masked_key_leaves_the_signature_zero),
        cmocka_unit_test(another_chip_seed_or_tcb_is_another_key),
        cmocka_unit_test(table_entries_point_at_their_blobs),
        cmocka_unit_test(kds_tree_has_the_paths_of_the_service),
        cmocka_unit_test(vendor_is_the_same_when_opened_again_and_its_keys_are_private),
    };
    return cmocka_run_group_tests_name("simulator.snp", tests, set_up, tear_down);
}
