/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/harness.h"

#include "core/certificate.h"
#include <string.h>

static void use_certificate(struct attestd_certificate *c)
{
    struct attestd_bytes serial = attestd_certificate_serial(c);
    PROMISE(serial.len == 1 || (serial.len > 1 && serial.data[0] != 0));
    for (const char *at = attestd_certificate_subject_cn(c); *at; at++)
        PROMISE((unsigned char)*at >= 0x20 && *at != 0x7f);
    PROMISE(attestd_certificate_issuer_cn(c));
    (void)attestd_certificate_extension(c, "1.3.6.1.4.1.3704.1.4");
    (void)attestd_certificate_not_before(c);
    struct attestd_certificate *chain[] = {c, c};
    size_t where = 0;
    attestd_chain_verify(chain, 2, ATTESTD_CERT_ANY_SOUND, ATTESTD_CHAIN_ANY_TIME, false, &where);
    PROMISE(where < 2);
}

static void take(void *context, const uint8_t *der, size_t len)
{
    (void)context;
    struct attestd_certificate *c = attestd_certificate_parse(der, len);
    struct attestd_crl *crl = attestd_crl_parse(der, len);
    PROMISE(!c || !crl);
    if (c)
        use_certificate(c);
    if (crl)
        PROMISE(attestd_crl_issuer_cn(crl));
    attestd_crl_free(crl);
    attestd_certificate_free(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    take(NULL, bytes, len);
    int count = attestd_pem_or_der_split(bytes, len, take, NULL);
    PROMISE(count >= -1 && count <= 64);
    attestd_key_free(attestd_key_from_spki(bytes, len));
    return 0;
}
