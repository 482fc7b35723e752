/* SPDX-License-Identifier: Apache-2.0 */
/* attestctl: a file a subcommand. Each has one entry point here and its own options, help and exit codes. */
#ifndef ATTESTD_CLI_ATTESTCTL_H
#define ATTESTD_CLI_ATTESTCTL_H

/* Exit codes (docs/attestctl.md). appraise and replay use all; the others OK, FAILED, USAGE and INTERNAL. */
enum {
    EXIT_OK = 0,
    EXIT_FAILED = 1,
    EXIT_WARNING = 10,
    EXIT_CONTRAINDICATED = 20,
    EXIT_MALFORMED = 30,
    EXIT_UNOBTAINABLE = 40,
    EXIT_USAGE_ERROR = 64,
    EXIT_INTERNAL = 70
};

struct attestctl_command {
    const char *name;
    const char *summary;
    const char *options; /* long options and subcommands, space separated, for completion */
    int (*run)(int argc, char **argv);
};
/* Ended by a NULL name. */
extern const struct attestctl_command attestctl_commands[];

int attestctl_appraise(int argc, char **argv);
int attestctl_inspect(int argc, char **argv);
int attestctl_replay(int argc, char **argv);
int attestctl_policy(int argc, char **argv);
int attestctl_endorsements(int argc, char **argv);
int attestctl_anchors(int argc, char **argv);
int attestctl_token(int argc, char **argv);
int attestctl_checks(int argc, char **argv);
int attestctl_simulate(int argc, char **argv);
int attestctl_health(int argc, char **argv);
int attestctl_completion(int argc, char **argv);

/* Subcommands of policy (cli/policy.c dispatches) and token (cli/token.c). argv[0] is the subcommand's name. */
int attestctl_policy_init(int argc, char **argv);
int attestctl_policy_lint(int argc, char **argv);
int attestctl_policy_test(int argc, char **argv);
int attestctl_policy_diff(int argc, char **argv);
int attestctl_policy_explain(int argc, char **argv);
int attestctl_policy_expiring(int argc, char **argv);
int attestctl_policy_schema(int argc, char **argv);
int attestctl_token_inspect(int argc, char **argv);
int attestctl_token_verify(int argc, char **argv);
int attestctl_token_rotate(int argc, char **argv);

/* Runs the entry of the table that argv[1] names; prints the table's help for --help. */
struct attestctl_subcommand {
    const char *name, *summary;
    int (*run)(int argc, char **argv);
};
int attestctl_dispatch(const char *command, const struct attestctl_subcommand *table, int argc, char **argv);

#endif
