/* SPDX-License-Identifier: Apache-2.0 */
#include "server/tls.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SELF_SIGNED_DAYS 397
#define RENEW_SECONDS (30 * 86400)

/* RFC 7301: the server chooses; HTTP/2 first. */
static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *in, unsigned in_len, void *arg)
{
    static const unsigned char both[] = "\x02h2\x08http/1.1", h2[] = "\x02h2";
    bool h2_only = arg != NULL;
    unsigned char *chosen = NULL;
    (void)ssl;
    if (SSL_select_next_proto(&chosen, out_len, h2_only ? h2 : both, h2_only ? sizeof h2 - 1 : sizeof both - 1, in, in_len) !=
        OPENSSL_NPN_NEGOTIATED)
        return h2_only ? SSL_TLSEXT_ERR_ALERT_FATAL : SSL_TLSEXT_ERR_NOACK;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static bool add_extension(X509 *certificate, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    bool added = extension != NULL && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return added;
}

static bool fill_certificate(X509 *certificate, EVP_PKEY *key)
{
    unsigned char serial[16];
    BIGNUM *number = NULL;
    X509_NAME *name = X509_get_subject_name(certificate);
    bool filled = RAND_bytes(serial, sizeof serial) == 1 && (number = BN_bin2bn(serial, sizeof serial, NULL)) != NULL &&
                  X509_set_version(certificate, 2) == 1 && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL &&
                  X509_gmtime_adj(X509_getm_notBefore(certificate), -3600) != NULL &&
                  X509_gmtime_adj(X509_getm_notAfter(certificate), (long)SELF_SIGNED_DAYS * 86400) != NULL &&
                  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"attestd on this machine", -1, -1, 0) == 1 &&
                  X509_set_issuer_name(certificate, name) == 1 && X509_set_pubkey(certificate, key) == 1 &&
                  add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE") &&
                  add_extension(certificate, NID_key_usage, "critical,digitalSignature") &&
                  add_extension(certificate, NID_ext_key_usage, "serverAuth") &&
                  add_extension(certificate, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1,IP:::1") &&
                  X509_sign(certificate, key, EVP_sha256()) != 0;
    BN_free(number);
    return filled;
}

static FILE *create(const char *path, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
    return fd == -1 ? NULL : fdopen(fd, "w");
}

static bool write_pair(const char *certificate_path, const char *key_path, X509 *certificate, EVP_PKEY *key)
{
    FILE *file = create(key_path, 0600);
    bool written = file != NULL && PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) == 1;
    written = (file != NULL && fclose(file) == 0) && written;
    file = written ? create(certificate_path, 0644) : NULL;
    written = file != NULL && PEM_write_X509(file, certificate) == 1;
    return (file != NULL && fclose(file) == 0) && written;
}

static bool make_self_signed(const char *certificate_path, const char *key_path)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    bool made = key != NULL && certificate != NULL && fill_certificate(certificate, key) &&
                write_pair(certificate_path, key_path, certificate, key);
    X509_free(certificate);
    EVP_PKEY_free(key);
    return made;
}

static bool lasts(const char *path)
{
    FILE *file = fopen(path, "re");
    X509 *certificate = file != NULL ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
    time_t renew = time(NULL) + RENEW_SECONDS;
    bool good = certificate != NULL && X509_cmp_time(X509_get0_notAfter(certificate), &renew) > 0;
    X509_free(certificate);
    if (file != NULL)
        fclose(file);
    return good;
}

static const char *openssl_reason(void)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    return reason != NULL ? reason : "unknown reason";
}

/* The pair in the state directory; false fills error. */
static bool self_signed(const struct config *config, char certificate[512], char key[512], char *error, size_t error_size)
{
    char directory[480];
    snprintf(directory, sizeof directory, "%s/tls", config->state_directory);
    if (mkdir(directory, 0700) != 0 && errno != EEXIST) {
        snprintf(error, error_size, "%s: %s", directory, strerror(errno));
        return false;
    }
    snprintf(certificate, 512, "%s/certificate.pem", directory);
    snprintf(key, 512, "%s/key.pem", directory);
    if (lasts(certificate) && access(key, R_OK) == 0)
        return true;
    if (make_self_signed(certificate, key))
        return true;
    snprintf(error, error_size, "cannot make the self-signed certificate %s: %s", certificate, openssl_reason());
    ERR_clear_error();
    return false;
}

SSL_CTX *tls_open(const struct config *config, char *error, size_t error_size)
{
    char made_certificate[512], made_key[512];
    const char *certificate = config->tls.certificate, *key = config->tls.key;
    if (certificate == NULL) {
        if (!self_signed(config, made_certificate, made_key, error, error_size))
            return NULL;
        certificate = made_certificate;
        key = made_key;
    }
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
    if (tls == NULL) {
        snprintf(error, error_size, "TLS: %s", openssl_reason());
        return NULL;
    }
    SSL_CTX_set_min_proto_version(tls, config->tls.allow_1_2 ? TLS1_2_VERSION : TLS1_3_VERSION);
    SSL_CTX_set_options(tls, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_alpn_select_cb(tls, choose_protocol, config->http.http2_only ? tls : NULL);
    if (SSL_CTX_use_certificate_chain_file(tls, certificate) == 1 && SSL_CTX_use_PrivateKey_file(tls, key, SSL_FILETYPE_PEM) == 1 &&
        SSL_CTX_check_private_key(tls) == 1)
        return tls;
    snprintf(error, error_size, "%s, %s: %s", certificate, key, openssl_reason());
    ERR_clear_error();
    SSL_CTX_free(tls);
    return NULL;
}
