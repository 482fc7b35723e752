/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/core/cmocka_includes.h"

#include "core/bytes.h"
#include "core/certificate.h"
#include "core/digest.h"
#include "core/encoding.h"
#include "tests/core/mint.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Keys are costly: one of each for the whole program. */
static EVP_PKEY *root_key, *ca_key, *leaf_key, *rsa_key;

static int make_keys(void **state)
{
    (void)state;
    root_key = mint_key("P-384", 0);
    ca_key = mint_key("P-384", 0);
    leaf_key = mint_key("P-256", 0);
    rsa_key = mint_key("RSA", 2048);
    return 0;
}

static int free_keys(void **state)
{
    (void)state;
    EVP_PKEY_free(root_key);
    EVP_PKEY_free(ca_key);
    EVP_PKEY_free(leaf_key);
    EVP_PKEY_free(rsa_key);
    return 0;
}

static struct mint_certificate plain_leaf(void)
{
    return (struct mint_certificate){.subject = "leaf", .issuer = "root", .key = leaf_key, .signer = root_key, .serial = 5};
}

/* Parsing */

static void a_certificate_tells_what_it_holds(void **state)
{
    (void)state;
    struct mint_certificate m = plain_leaf();
    m.serial = 0x80ff;
    m.from = 1700000000;
    m.to = 1800000000;
    m.other_oid = "1.3.6.1.4.1.3704.1.4";
    size_t len;
    uint8_t *der = mint_der(&m, &len), digest[32];
    struct attestd_certificate *c = attestd_certificate_parse(der, len);
    assert_non_null(c);
    assert_string_equal(attestd_certificate_subject_cn(c), "leaf");
    assert_string_equal(attestd_certificate_issuer_cn(c), "root");
    assert_int_equal(attestd_certificate_not_before(c), 1700000000);
    assert_int_equal(attestd_certificate_not_after(c), 1800000000);
    assert_true(attestd_bytes_are(attestd_certificate_serial(c), "\x80\xff", 2));
    assert_true(attestd_bytes_are(attestd_certificate_extension(c, "1.3.6.1.4.1.3704.1.4"), "\x05\x00", 2));
    assert_null(attestd_certificate_extension(c, "1.3.6.1.4.1.3704.1.5").data);
    assert_null(attestd_certificate_extension(c, "not an oid").data);
    assert_false(attestd_certificate_is_ca(c));
    attestd_sha256(der, len, digest);
    assert_memory_equal(attestd_certificate_digest(c), digest, 32);
    assert_true(attestd_bytes_are(attestd_certificate_der(c), der, len));
    struct attestd_key *key = mint_public(leaf_key);
    assert_memory_equal(attestd_key_digest(attestd_certificate_key(c)), attestd_key_digest(key), 32);
    attestd_key_free(key);
    struct attestd_certificate *again = attestd_certificate_retain(c);
    attestd_certificate_free(c);
    assert_string_equal(attestd_certificate_subject_cn(again), "leaf");
    attestd_certificate_free(again);
    attestd_certificate_free(NULL);
    OPENSSL_free(der);
}

static void serial_zero_is_one_zero_byte(void **state)
{
    (void)state;
    struct mint_certificate m = plain_leaf();
    m.serial = 0;
    struct attestd_certificate *c = mint_parsed(&m);
    assert_true(attestd_bytes_are(attestd_certificate_serial(c), "", 1));
    attestd_certificate_free(c);
}

static void bytes_that_are_not_exactly_one_certificate_are_refused(void **state)
{
    (void)state;
    struct mint_certificate m = plain_leaf();
    size_t len;
    uint8_t *der = mint_der(&m, &len), *more = malloc(len + 1);
    memcpy(more, der, len);
    more[len] = 0;
    assert_null(attestd_certificate_parse(more, len + 1));
    for (size_t cut = 0; cut < len; cut += 3)
        assert_null(attestd_certificate_parse(der, cut));
    assert_null(attestd_certificate_parse(NULL, 0));
    free(more);
    OPENSSL_free(der);
}

static void ber_that_is_not_der_is_refused(void **state)
{
    (void)state;
    struct mint_certificate m = plain_leaf();
    size_t len;
    uint8_t *der = mint_der(&m, &len), *ber = malloc(len + 4);
    assert_int_equal(der[1], 0x82);
    /* the length in three bytes where two do */
    memcpy(ber, (const uint8_t[]){0x30, 0x83, 0x00, der[2], der[3]}, 5);
    memcpy(ber + 5, der + 4, len - 4);
    assert_null(attestd_certificate_parse(ber, len + 1));
    /* indefinite length: OpenSSL reads it */
    memcpy(ber, (const uint8_t[]){0x30, 0x80}, 2);
    memcpy(ber + 2, der + 4, len - 4);
    memset(ber + len - 2, 0, 2);
    const uint8_t *at = ber;
    X509 *lenient = d2i_X509(NULL, &at, (long)len);
    assert_non_null(lenient);
    X509_free(lenient);
    assert_null(attestd_certificate_parse(ber, len));
    free(ber);
    OPENSSL_free(der);
}

static void an_oversized_certificate_is_refused(void **state)
{
    (void)state;
    struct mint_certificate m = plain_leaf();
    char usage[] = "1.2.3.4";
    m.other_oid = usage;
    m.repeat_other = 0;
    struct attestd_certificate *c = mint_parsed(&m);
    assert_non_null(c);
    attestd_certificate_free(c);
    uint8_t *large = calloc(1, 20000);
    memcpy(large, (const uint8_t[]){0x30, 0x82, 0x4e, 0x1c}, 4);
    assert_null(attestd_certificate_parse(large, 20000));
    free(large);
}

static void an_extension_given_twice_is_refused(void **state)
{
    (void)state;
    struct mint_certificate m = plain_leaf();
    m.other_oid = "1.3.6.1.4.1.3704.1.4";
    m.repeat_other = 1;
    assert_null(mint_parsed(&m));
    m.repeat_other = 100;
    assert_null(mint_parsed(&m));
}

static void a_name_with_a_control_character_is_empty(void **state)
{
    (void)state;
    struct mint_certificate m = plain_leaf();
    m.subject = "le\x1b[31maf";
    struct attestd_certificate *c = mint_parsed(&m);
    assert_string_equal(attestd_certificate_subject_cn(c), "");
    attestd_certificate_free(c);
}

static void flipping_any_byte_never_joins_the_chain(void **state)
{
    (void)state;
    struct mint_certificate m = plain_leaf();
    struct mint_certificate r = {.subject = "root", .issuer = "root", .key = root_key, .signer = root_key, .serial = 1};
    struct attestd_certificate *root = mint_parsed(&r), *c;
    size_t len;
    uint8_t *der = mint_der(&m, &len);
    for (size_t i = 0; i < len; i++) {
        der[i] ^= 1;
        c = attestd_certificate_parse(der, len);
        if (c)
            assert_false(attestd_certificate_issued_by(c, root, ATTESTD_CERT_ANY_SOUND));
        attestd_certificate_free(c);
        der[i] ^= 1;
    }
    c = attestd_certificate_parse(der, len);
    assert_true(attestd_certificate_issued_by(c, root, ATTESTD_CERT_ANY_SOUND));
    attestd_certificate_free(c);
    attestd_certificate_free(root);
    OPENSSL_free(der);
}

/* Signatures */

static void the_demanded_algorithm_and_no_other_is_accepted(void **state)
{
    (void)state;
    struct {
        struct mint_certificate root, leaf;
        bool good[4]; /* by enum attestd_certificate_signature */
    } cases[] = {
        {{.key = rsa_key}, {.md = "SHA384", .pss_salt = 48}, {true, false, false, true}},
        {{.key = rsa_key}, {.md = "SHA384", .pss_salt = 47}, {false, false, false, false}},
        {{.key = rsa_key}, {.md = "SHA384", .pss_salt = 20}, {false, false, false, false}},
        {{.key = rsa_key}, {.md = "SHA256", .pss_salt = 48}, {false, false, false, false}},
        {{.key = rsa_key}, {.md = "SHA256", .pss_salt = 32}, {false, false, false, false}},
        {{.key = rsa_key}, {.md = "SHA384", .pss_salt = 48, .mgf1 = "SHA256"}, {false, false, false, false}},
        {{.key = rsa_key}, {.md = "SHA384", .pss_salt = 48, .mgf1 = "SHA1"}, {false, false, false, false}},
        {{.key = rsa_key}, {.md = "SHA256"}, {false, false, false, true}},
        {{.key = rsa_key}, {.md = "SHA384"}, {false, false, false, true}},
        {{.key = rsa_key}, {.md = "SHA512"}, {false, false, false, true}},
        {{.key = rsa_key}, {.md = "SHA1"}, {false, false, false, false}},
        {{.key = root_key}, {.md = "SHA384"}, {false, false, true, true}},
        {{.key = root_key}, {.md = "SHA256"}, {false, true, false, true}},
        {{.key = root_key}, {.md = "SHA512"}, {false, false, false, false}},
        {{.key = root_key}, {.md = "SHA1"}, {false, false, false, false}},
        {{.key = leaf_key}, {.md = "SHA256"}, {false, true, false, true}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mint_certificate r = cases[i].root, l = cases[i].leaf;
        r.subject = r.issuer = l.issuer = "root";
        l.subject = "leaf";
        r.signer = l.signer = r.key;
        l.key = leaf_key;
        struct attestd_certificate *root = mint_parsed(&r), *leaf = mint_parsed(&l);
        assert_non_null(root);
        assert_non_null(leaf);
        for (int how = 0; how < 4; how++)
            if (attestd_certificate_issued_by(leaf, root, (enum attestd_certificate_signature)how) != cases[i].good[how])
                fail_msg("case %zu, demand %d", i, how);
        attestd_certificate_free(root);
        attestd_certificate_free(leaf);
    }
}

static void a_name_or_key_of_another_issuer_is_refused(void **state)
{
    (void)state;
    struct mint_certificate leaf = plain_leaf(), other_name = {.subject = "toor", .issuer = "toor", .key = root_key, .signer = root_key},
                            other_key = {.subject = "root", .issuer = "root", .key = ca_key, .signer = ca_key};
    struct attestd_certificate *l = mint_parsed(&leaf), *n = mint_parsed(&other_name), *k = mint_parsed(&other_key);
    assert_false(attestd_certificate_issued_by(l, n, ATTESTD_CERT_ANY_SOUND));
    assert_false(attestd_certificate_issued_by(l, k, ATTESTD_CERT_ANY_SOUND));
    attestd_certificate_free(l);
    attestd_certificate_free(n);
    attestd_certificate_free(k);
}

static void an_issuer_with_a_refused_kind_of_key_signs_nothing(void **state)
{
    (void)state;
    EVP_PKEY *weak = mint_key("RSA", 1024);
    struct mint_certificate r = {.subject = "root", .issuer = "root", .key = weak, .signer = weak, .md = "SHA256"}, l = plain_leaf();
    l.signer = weak;
    l.md = "SHA256";
    struct attestd_certificate *root = mint_parsed(&r), *leaf = mint_parsed(&l);
    assert_non_null(root);
    assert_null(attestd_certificate_key(root));
    assert_false(attestd_certificate_issued_by(leaf, root, ATTESTD_CERT_ANY_SOUND));
    attestd_certificate_free(root);
    attestd_certificate_free(leaf);
    EVP_PKEY_free(weak);
}

/* Chains: root -> ca -> leaf, each case a change to one of the three */

struct chain_case {
    const char *root_basic, *root_usage, *ca_basic, *ca_usage;
    const char *leaf_other, *ca_other;
    int64_t ca_from, ca_to, time;
    bool demand_ca;
    enum attestd_chain_fault fault;
    size_t where;
};

static void chain_faults_are_told_apart(void **state)
{
    (void)state;
    enum { NOW = 1700000000 };
    static const char *const ca = "critical,CA:TRUE", *const ca0 = "critical,CA:TRUE,pathlen:0";
    const struct chain_case cases[] = {
        {ca, "keyCertSign", ca0, "keyCertSign,cRLSign", NULL, NULL, 0, 0, NOW, true, ATTESTD_CHAIN_GOOD, 2},
        {NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, NOW, false, ATTESTD_CHAIN_GOOD, 2},
        {NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, NOW, true, ATTESTD_CHAIN_NOT_CA, 1},
        {NULL, NULL, ca, NULL, NULL, NULL, 0, 0, NOW, true, ATTESTD_CHAIN_NOT_CA, 2},
        {ca, NULL, "CA:FALSE", NULL, NULL, NULL, 0, 0, NOW, false, ATTESTD_CHAIN_NOT_CA, 1},
        {ca, NULL, ca, "digitalSignature", NULL, NULL, 0, 0, NOW, false, ATTESTD_CHAIN_NOT_CA, 1},
        {ca, "cRLSign", ca, NULL, NULL, NULL, 0, 0, NOW, false, ATTESTD_CHAIN_NOT_CA, 2},
        {ca0, NULL, ca, NULL, NULL, NULL, 0, 0, NOW, true, ATTESTD_CHAIN_PATH_LENGTH, 2},
        {ca, NULL, ca, NULL, "1.2.3.4", NULL, 0, 0, NOW, true, ATTESTD_CHAIN_CRITICAL_EXTENSION, 0},
        {ca, NULL, ca, NULL, NULL, "2.5.29.30", 0, 0, NOW, true, ATTESTD_CHAIN_CRITICAL_EXTENSION, 1}, /* name constraints */
        {ca, NULL, ca, NULL, NULL, NULL, NOW + 1, 0, NOW, true, ATTESTD_CHAIN_NOT_YET_VALID, 1},
        {ca, NULL, ca, NULL, NULL, NULL, NOW, 0, NOW, true, ATTESTD_CHAIN_GOOD, 2},
        {ca, NULL, ca, NULL, NULL, NULL, 0, NOW - 1, NOW, true, ATTESTD_CHAIN_EXPIRED, 1},
        {ca, NULL, ca, NULL, NULL, NULL, 0, NOW, NOW, true, ATTESTD_CHAIN_GOOD, 2},
        {ca, NULL, ca, NULL, NULL, NULL, 0, NOW - 1, ATTESTD_CHAIN_ANY_TIME, true, ATTESTD_CHAIN_GOOD, 2},
        {ca, NULL, ca, NULL, NULL, NULL, 0, 0, 999, true, ATTESTD_CHAIN_NOT_YET_VALID, 0},
        {ca, NULL, ca, NULL, NULL, NULL, 0, 0, 2000000001, true, ATTESTD_CHAIN_EXPIRED, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct chain_case *k = &cases[i];
        struct mint_certificate root = {
            .subject = "root", .issuer = "root", .key = root_key, .signer = root_key, .basic = k->root_basic, .usage = k->root_usage};
        struct mint_certificate middle = {.subject = "ca",
                                          .issuer = "root",
                                          .key = ca_key,
                                          .signer = root_key,
                                          .basic = k->ca_basic,
                                          .usage = k->ca_usage,
                                          .other_oid = k->ca_other,
                                          .from = k->ca_from,
                                          .to = k->ca_to};
        struct mint_certificate leaf = {.subject = "leaf", .issuer = "ca", .key = leaf_key, .signer = ca_key, .other_oid = k->leaf_other};
        struct attestd_certificate *chain[] = {mint_parsed(&leaf), mint_parsed(&middle), mint_parsed(&root)};
        size_t where = 99;
        enum attestd_chain_fault fault = attestd_chain_verify(chain, 3, ATTESTD_CERT_ECDSA_SHA384, k->time, k->demand_ca, &where);
        if (fault != k->fault || where != k->where)
            fail_msg("case %zu: fault %d at %zu", i, fault, where);
        for (size_t c = 0; c < 3; c++)
            attestd_certificate_free(chain[c]);
    }
}

static void a_chain_that_does_not_join_is_broken(void **state)
{
    (void)state;
    struct mint_certificate root = {.subject = "root", .issuer = "root", .key = root_key, .signer = root_key};
    struct mint_certificate middle = {.subject = "ca", .issuer = "root", .key = ca_key, .signer = ca_key}; /* signed by itself */
    struct mint_certificate leaf = {.subject = "leaf", .issuer = "ca", .key = leaf_key, .signer = ca_key};
    struct attestd_certificate *chain[] = {mint_parsed(&leaf), mint_parsed(&middle), mint_parsed(&root)};
    size_t where = 99;
    assert_int_equal(attestd_chain_verify(chain, 3, ATTESTD_CERT_ECDSA_SHA384, ATTESTD_CHAIN_ANY_TIME, false, &where),
                     ATTESTD_CHAIN_BROKEN);
    assert_int_equal(where, 1);
    assert_int_equal(attestd_chain_verify(chain, 3, ATTESTD_CERT_RSA_PSS_SHA384, ATTESTD_CHAIN_ANY_TIME, false, &where),
                     ATTESTD_CHAIN_BROKEN);
    assert_int_equal(where, 0);
    assert_int_equal(attestd_chain_verify(chain, 0, ATTESTD_CERT_ECDSA_SHA384, ATTESTD_CHAIN_ANY_TIME, false, NULL), ATTESTD_CHAIN_BROKEN);
    for (size_t i = 0; i < 3; i++)
        attestd_certificate_free(chain[i]);
}

static void a_broken_basic_constraint_does_not_parse(void **state)
{
    (void)state;
    struct mint_certificate m = plain_leaf();
    m.other_oid = "2.5.29.19"; /* basicConstraints that hold a NULL */
    assert_null(mint_parsed(&m));
    m.other_oid = "2.5.29.15";
    assert_null(mint_parsed(&m));
}

/* CRLs */

static struct attestd_crl *parsed_crl(const struct mint_crl *m)
{
    size_t len;
    uint8_t *der = mint_crl_der(m, &len);
    struct attestd_crl *crl = attestd_crl_parse(der, len);
    OPENSSL_free(der);
    return crl;
}

static void a_crl_names_what_it_revokes(void **state)
{
    (void)state;
    static const long serials[] = {7, 5, 0x20001};
    struct mint_crl m = {
        .issuer = "root", .signer = root_key, .from = 1000, .to = 2000, .serials = serials, .serial_count = 3, .number = 42};
    struct attestd_crl *crl = parsed_crl(&m);
    assert_non_null(crl);
    assert_int_equal(attestd_crl_this_update(crl), 1000);
    assert_int_equal(attestd_crl_next_update(crl), 2000);
    assert_int_equal(attestd_crl_number(crl), 42);
    assert_string_equal(attestd_crl_issuer_cn(crl), "root");
    struct mint_certificate c = plain_leaf();
    static const struct {
        long serial;
        const char *issuer;
        bool revoked;
    } cases[] = {{5, "root", true},  {7, "root", true},  {0x20001, "root", true},
                 {6, "root", false}, {0, "root", false}, {5, "other", false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        c.serial = cases[i].serial;
        c.issuer = cases[i].issuer;
        struct attestd_certificate *certificate = mint_parsed(&c);
        assert_int_equal(attestd_crl_revokes(crl, certificate), cases[i].revoked);
        attestd_certificate_free(certificate);
    }
    attestd_crl_free(crl);
    attestd_crl_free(NULL);
}

static void a_crl_without_revoked_certificates_is_an_empty_list(void **state)
{
    (void)state;
    struct mint_crl m = {.issuer = "root", .signer = root_key, .from = 1000};
    struct attestd_crl *crl = parsed_crl(&m);
    assert_non_null(crl);
    assert_int_equal(attestd_crl_next_update(crl), 0);
    assert_int_equal(attestd_crl_number(crl), 0);
    struct mint_certificate c = plain_leaf();
    struct attestd_certificate *certificate = mint_parsed(&c);
    assert_false(attestd_crl_revokes(crl, certificate));
    attestd_certificate_free(certificate);
    attestd_crl_free(crl);
}

static void a_crl_joins_its_issuer_alone(void **state)
{
    (void)state;
    struct mint_crl m = {.issuer = "root", .signer = root_key, .from = 1000};
    struct mint_certificate r = {.subject = "root", .issuer = "root", .key = root_key, .signer = root_key}, other_key = r, other_name = r,
                            no_crls = r;
    other_key.key = other_key.signer = ca_key;
    other_name.subject = "other";
    no_crls.usage = "keyCertSign";
    struct attestd_crl *crl = parsed_crl(&m);
    const struct {
        struct mint_certificate issuer;
        bool good;
    } cases[] = {{r, true}, {other_key, false}, {other_name, false}, {no_crls, false}};
    for (size_t i = 0; i < 4; i++) {
        struct attestd_certificate *issuer = mint_parsed(&cases[i].issuer);
        assert_int_equal(attestd_crl_issued_by(crl, issuer, ATTESTD_CERT_ECDSA_SHA384), cases[i].good);
        assert_false(attestd_crl_issued_by(crl, issuer, ATTESTD_CERT_RSA_PSS_SHA384));
        attestd_certificate_free(issuer);
    }
    attestd_crl_free(crl);
}

static void a_partial_crl_is_refused(void **state)
{
    (void)state;
    static const char *const partial[] = {"critical,onlyuser:TRUE", "critical,onlyCA:TRUE", "critical,indirectCRL:TRUE",
                                          "critical,onlysomereasons:keyCompromise"};
    struct mint_crl m = {.issuer = "root", .signer = root_key, .from = 1000, .number = 3};
    for (size_t i = 0; i < 4; i++) {
        m.idp = partial[i];
        assert_null(parsed_crl(&m));
    }
    m.idp = "critical,fullname:URI:http://crl.example/root";
    struct attestd_crl *whole = parsed_crl(&m);
    assert_non_null(whole);
    attestd_crl_free(whole);
    m.idp = NULL;
    m.delta = 1;
    assert_null(parsed_crl(&m));
}

static void bytes_that_are_not_exactly_one_crl_are_refused(void **state)
{
    (void)state;
    static const long serials[] = {1, 2};
    struct mint_crl m = {.issuer = "root", .signer = root_key, .from = 1000, .to = 2000, .serials = serials, .serial_count = 2};
    size_t len;
    uint8_t *der = mint_crl_der(&m, &len), *more = malloc(len + 1);
    memcpy(more, der, len);
    more[len] = 0;
    assert_null(attestd_crl_parse(more, len + 1));
    for (size_t cut = 0; cut < len; cut += 3)
        assert_null(attestd_crl_parse(der, cut));
    assert_null(attestd_certificate_parse(der, len));
    free(more);
    OPENSSL_free(der);
}

/* Splitting */

struct split {
    size_t count, bytes;
};

static void count_object(void *context, const uint8_t *der, size_t len)
{
    struct split *split = context;
    assert_int_equal(der[0], 0x30);
    split->count++;
    split->bytes += len;
}

static int split_text(const char *text, struct split *split)
{
    *split = (struct split){0};
    return attestd_pem_or_der_split((const uint8_t *)text, strlen(text), count_object, split);
}

#define BLOCK(label, body) "-----BEGIN " label "-----\n" body "\n-----END " label "-----\n"
#define CERT BLOCK("CERTIFICATE", "MAMCAQE=")

static void pem_blocks_are_cut_out_of_their_text(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int count;
    } cases[] = {
        {"", 0},
        {"no block at all\n", 0},
        {"00 starts like DER, but is text", 0},
        {CERT, 1},
        {CERT CERT, 2},
        {"subject=x\n" CERT "between\r\n\r\n" BLOCK("X509 CRL", "MAMCAQE=") "behind", 2},
        {"-----BEGIN CERTIFICATE-----\r\nMAMC\r\nAQE=\r\n-----END CERTIFICATE-----\r\n", 1},
        {"-----BEGIN CERTIFICATE-----MAMCAQE=-----END CERTIFICATE-----", 1},
        {"-----BEGIN CERTIFICATE-----\n M A\tMC\n\n\nAQE=\n-----END CERTIFICATE-----", 1},
        {BLOCK("PUBLIC KEY", "anything, it is passed over") CERT, 1},
        {CERT "-----BEGIN CERTIFICATE-----\nMAMCAQE=\n", -1},
        {BLOCK("CERTIFICATE", ""), -1},
        {BLOCK("CERTIFICATE", "MAMCAQE"), -1},  /* no padding */
        {BLOCK("CERTIFICATE", "MAMCAQF="), -1}, /* trailing bits */
        {BLOCK("CERTIFICATE", "MAMC*QE="), -1},
        {BLOCK("CERTIFICATE", "MAMCAQEA"), -1}, /* a byte behind the object */
        {BLOCK("CERTIFICATE", "MAMCAQ=="), -1}, /* a byte too few */
        {BLOCK("CERTIFICATE", "Proc-Type: 4\n\nMAMCAQE="), -1},
        {"-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END X509 CRL-----\n", -1},
        {"-----BEGIN CERTIFICATE\nMAMCAQE=\n-----END CERTIFICATE-----\n", -1},
        {"-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END CERTIFICATE---\n", -1},
        {"-----BEGIN CERTIFICATE-----\n" CERT, -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct split split;
        int count = split_text(cases[i].text, &split);
        if (count != cases[i].count)
            fail_msg("case %zu: %d", i, count);
        if (count >= 0)
            assert_int_equal(split.count, (size_t)count);
    }
}

static void der_objects_are_taken_whole_or_not_at_all(void **state)
{
    (void)state;
    struct mint_certificate m = plain_leaf();
    size_t len;
    uint8_t *der = mint_der(&m, &len), *more = malloc(len + 1);
    struct split split = {0};
    memcpy(more, der, len);
    more[len] = '\n';
    assert_int_equal(attestd_pem_or_der_split(der, len, count_object, &split), 1);
    assert_int_equal(split.bytes, len);
    assert_int_equal(attestd_pem_or_der_split(more, len + 1, count_object, &split), -1);
    assert_int_equal(attestd_pem_or_der_split(der, len - 1, count_object, &split), -1);
    assert_int_equal(split.count, 1);
    free(more);
    OPENSSL_free(der);
}

static void at_most_sixty_four_objects_are_cut(void **state)
{
    (void)state;
    char *text = malloc(65 * (sizeof CERT - 1) + 1);
    struct split split;
    text[0] = 0;
    for (int i = 0; i < 64; i++)
        strcat(text, CERT);
    assert_int_equal(split_text(text, &split), 64);
    strcat(text, CERT);
    assert_int_equal(split_text(text, &split), -1);
    assert_int_equal(split.count, 64);
    free(text);
}

/* Real certificates */

struct collected {
    struct attestd_certificate *certificates[4];
    struct attestd_crl *crl;
    size_t count;
};

static void collect(void *context, const uint8_t *der, size_t len)
{
    struct collected *c = context;
    struct attestd_certificate *certificate = attestd_certificate_parse(der, len);
    if (certificate && c->count < 4)
        c->certificates[c->count++] = certificate;
    else if (!certificate)
        c->crl = attestd_crl_parse(der, len);
}

static bool load(const char *name, struct collected *c)
{
    char path[512];
    static uint8_t bytes[65536];
    snprintf(path, sizeof path, "%s/snp/%s", getenv("ATTESTD_VECTORS") ? getenv("ATTESTD_VECTORS") : "", name);
    FILE *file = fopen(path, "rb");
    *c = (struct collected){0};
    if (!file) {
        print_message("NOT RUN: no vector at %s\n", path);
        return false;
    }
    size_t len = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    assert_int_equal(attestd_pem_or_der_split(bytes, len, collect, c), 1);
    return true;
}

static struct attestd_certificate *load_certificate(const char *name)
{
    struct collected c;
    if (!load(name, &c))
        return NULL;
    assert_int_equal(c.count, 1);
    return c.certificates[0];
}

static void real_amd_chains_join(void **state)
{
    (void)state;
    static const char *const chains[][4] = {{"genoa-v3-aci.vcek.pem", "ask-genoa.pem", "ark-genoa.pem", "SEV-VCEK"},
                                            {"milan-v3-aci.vcek.pem", "ask-milan.pem", "ark-milan.pem", "SEV-VCEK"},
                                            {"turin-v5-aci.vcek.pem", "ask-turin.pem", "ark-turin.pem", "SEV-VCEK"},
                                            {"milan-v3-vlek-vmpl1.vlek.der", "asvk-milan.pem", "ark-milan.pem", "SEV-VLEK"}};
    for (size_t i = 0; i < sizeof chains / sizeof *chains; i++) {
        struct attestd_certificate *chain[3];
        size_t where;
        for (size_t c = 0; c < 3; c++)
            if (!(chain[c] = load_certificate(chains[i][c])))
                skip();
        assert_string_equal(attestd_certificate_subject_cn(chain[0]), chains[i][3]);
        assert_true(attestd_bytes_are(attestd_certificate_serial(chain[0]), "", 1));
        assert_int_equal(attestd_chain_verify(chain, 3, ATTESTD_CERT_RSA_PSS_SHA384, ATTESTD_CHAIN_ANY_TIME, false, &where),
                         ATTESTD_CHAIN_GOOD);
        assert_int_equal(attestd_chain_verify(chain, 3, ATTESTD_CERT_ECDSA_SHA384, ATTESTD_CHAIN_ANY_TIME, false, &where),
                         ATTESTD_CHAIN_BROKEN);
        assert_true(attestd_certificate_is_ca(chain[1]));
        assert_true(attestd_certificate_extension(chain[0], "1.3.6.1.4.1.3704.1.3.1").len > 0);
        for (size_t c = 0; c < 3; c++)
            attestd_certificate_free(chain[c]);
    }
}

static void real_amd_revocation_lists_are_read(void **state)
{
    (void)state;
    struct collected crl;
    struct attestd_certificate *ark = load_certificate("ark-genoa.pem"), *ask = load_certificate("ask-genoa.pem"),
                               *revoked = load_certificate("ask-genoa-revoked.der"), *milan = load_certificate("ark-milan.pem");
    if (!ark || !ask || !revoked || !milan || !load("crl-genoa-2024.der", &crl))
        skip();
    assert_non_null(crl.crl);
    assert_int_equal(attestd_crl_number(crl.crl), 4);
    assert_int_equal(attestd_crl_this_update(crl.crl), 1729658184);
    assert_true(attestd_crl_issued_by(crl.crl, ark, ATTESTD_CERT_RSA_PSS_SHA384));
    assert_false(attestd_crl_issued_by(crl.crl, milan, ATTESTD_CERT_RSA_PSS_SHA384));
    assert_false(attestd_crl_issued_by(crl.crl, ark, ATTESTD_CERT_ECDSA_SHA384));
    assert_true(attestd_crl_revokes(crl.crl, revoked));
    assert_false(attestd_crl_revokes(crl.crl, ask));
    attestd_crl_free(crl.crl);
    assert_true(load("crl-milan-2025.der", &crl));
    assert_true(attestd_crl_issued_by(crl.crl, milan, ATTESTD_CERT_RSA_PSS_SHA384));
    attestd_crl_free(crl.crl);
    attestd_certificate_free(ark);
    attestd_certificate_free(ask);
    attestd_certificate_free(revoked);
    attestd_certificate_free(milan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_certificate_tells_what_it_holds),
        cmocka_unit_test(serial_zero_is_one_zero_byte),
        cmocka_unit_test(bytes_that_are_not_exactly_one_certificate_are_refused),
        cmocka_unit_test(ber_that_is_not_der_is_refused),
        cmocka_unit_test(an_oversized_certificate_is_refused),
        cmocka_unit_test(an_extension_given_twice_is_refused),
        cmocka_unit_test(a_name_with_a_control_character_is_empty),
        cmocka_unit_test(flipping_any_byte_never_joins_the_chain),
        cmocka_unit_test(the_demanded_algorithm_and_no_other_is_accepted),
        cmocka_unit_test(a_name_or_key_of_another_issuer_is_refused),
        cmocka_unit_test(an_issuer_with_a_refused_kind_of_key_signs_nothing),
        cmocka_unit_test(chain_faults_are_told_apart),
        cmocka_unit_test(a_chain_that_does_not_join_is_broken),
        cmocka_unit_test(a_broken_basic_constraint_does_not_parse),
        cmocka_unit_test(a_crl_names_what_it_revokes),
        cmocka_unit_test(a_crl_without_revoked_certificates_is_an_empty_list),
        cmocka_unit_test(a_crl_joins_its_issuer_alone),
        cmocka_unit_test(a_partial_crl_is_refused),
        cmocka_unit_test(bytes_that_are_not_exactly_one_crl_are_refused),
        cmocka_unit_test(pem_blocks_are_cut_out_of_their_text),
        cmocka_unit_test(der_objects_are_taken_whole_or_not_at_all),
        cmocka_unit_test(at_most_sixty_four_objects_are_cut),
        cmocka_unit_test(real_amd_chains_join),
        cmocka_unit_test(real_amd_revocation_lists_are_read),
    };
    return cmocka_run_group_tests(tests, make_keys, free_keys);
}
