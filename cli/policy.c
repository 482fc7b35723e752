/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/attestctl.h"
#include <stddef.h>

int attestctl_policy(int argc, char **argv)
{
    static const struct attestctl_subcommand table[] = {
        {"init", "write a starter policy from real evidence", attestctl_policy_init},
        {"lint", "check policy files, with line and column", attestctl_policy_lint},
        {"test", "run the tests embedded in policies", attestctl_policy_test},
        {"diff", "show what differs between two policies", attestctl_policy_diff},
        {"explain", "say what a policy demands, in words", attestctl_policy_explain},
        {"expiring", "list exceptions and sets that end soon", attestctl_policy_expiring},
        {"schema", "print the JSON Schema of policies for editors", attestctl_policy_schema},
        {NULL, NULL, NULL},
    };
    return attestctl_dispatch("policy", table, argc, argv);
}
