/* SPDX-License-Identifier: Apache-2.0 */
/* TLS settings of the listeners. */
#ifndef ATTESTD_SERVER_TLS_H
#define ATTESTD_SERVER_TLS_H

#include "server/config.h"
#include <openssl/ssl.h>

/*
 * TLS 1.3 (1.2 where configured) with the configured certificate, else with a self-signed P-256 one for loopback, kept in
 * <state>/tls/certificate.pem and key.pem (0600) and made anew when it is missing or ends within 30 days. NULL fills error.
 */
SSL_CTX *tls_open(const struct config *config, char *error, size_t error_size);

#endif
