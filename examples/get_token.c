/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In the guest: prove to a key server what runs here, and that this process holds the key the proof is bound to.
 *
 *   cc get_token.c -lattest-collector -o get_token
 *   ./get_token https://verifier:8443 https://kms.example [ca.pem]
 */
#include <attest.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: %s VERIFIER AUDIENCE [CA-FILE]\n", argv[0]);
        return 64;
    }
    struct attest *attest = attest_new();
    if (!attest) {
        return 70;
    }
    attest_set_url(attest, argv[1]);
    attest_set_audience(attest, argv[2]);
    attest_set_ca_file(attest, argc > 3 ? argv[3] : NULL);
    const char *root = getenv("ATTEST_SIMULATED_ROOT"); /* only to try this out in the simulated guest */
    attest_set_root(attest, root);

    /* What this guest was given and the operator's policy compares: the digest of its configuration, say. */
    static const uint8_t configuration_digest[32] = {0};
    attest_add_data(attest, "configuration", configuration_digest, sizeof configuration_digest);

    char *token = NULL, *answer = NULL;
    enum attest_status status = attest_get_token(attest, &token, &answer);
    if (status == ATTEST_OK) {
        /* Send it to the audience, and sign that request with attest_key_pem()'s key: the token names its thumbprint in cnf. */
        printf("%s\n", token);
    } else {
        fprintf(stderr, "no token: %s\n", attest_detail(attest));
        if (status == ATTEST_DENIED && answer) {
            fprintf(stderr, "%s\n", answer); /* every check, with what would have made it pass */
        }
    }
    free(token);
    free(answer);
    attest_free(attest);
    return status == ATTEST_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
