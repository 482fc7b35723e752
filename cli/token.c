/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/attestctl.h"
#include <stddef.h>

int attestctl_token(int argc, char **argv)
{
    static const struct attestctl_subcommand table[] = {
        {"inspect", "print a token's header and claims, unverified", attestctl_token_inspect},
        {"verify", "verify a token as a relying party must", attestctl_token_verify},
        {"rotate", "make the next signing key", attestctl_token_rotate},
        {NULL, NULL, NULL},
    };
    return attestctl_dispatch("token", table, argc, argv);
}
