/* SPDX-License-Identifier: Apache-2.0 */
/* Completion scripts, made from the table of commands so that they cannot lag behind it. */
#include "cli/attestctl.h"
#include "cli/session.h"
#include <stdio.h>
#include <string.h>

static void print_names(void)
{
    for (const struct attestctl_command *command = attestctl_commands; command->name; command++)
        printf("%s%s", command == attestctl_commands ? "" : " ", command->name);
}

static void print_bash(void)
{
    puts("_attestctl() {\n    local current=${COMP_WORDS[COMP_CWORD]} words=\n    if [ \"$COMP_CWORD\" -eq 1 ]; then");
    fputs("        words=\"", stdout);
    print_names();
    puts("\"\n    else\n        case ${COMP_WORDS[1]} in");
    for (const struct attestctl_command *command = attestctl_commands; command->name; command++)
        printf("        %s) words=\"%s\" ;;\n", command->name, command->options);
    puts("        esac\n    fi\n    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
         "    [ ${#COMPREPLY[@]} -gt 0 ] || mapfile -t COMPREPLY < <(compgen -f -- \"$current\")\n}\n"
         "complete -o filenames -F _attestctl attestctl");
}

static void print_zsh(void)
{
    puts("#compdef attestctl\nautoload -U +X bashcompinit && bashcompinit");
    print_bash();
}

static void print_fish(void)
{
    for (const struct attestctl_command *command = attestctl_commands; command->name; command++) {
        printf("complete -c attestctl -n __fish_use_subcommand -a %s -d '%s'\n", command->name, command->summary);
        printf("complete -c attestctl -n '__fish_seen_subcommand_from %s' -a '%s'\n", command->name, command->options);
    }
}

int attestctl_completion(int argc, char **argv)
{
    static const struct {
        const char *shell;
        void (*print)(void);
    } shells[] = {{"bash", print_bash}, {"zsh", print_zsh}, {"fish", print_fish}};
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        puts("usage: attestctl completion bash|zsh|fish\n\n  source <(attestctl completion bash)");
        return EXIT_OK;
    }
    for (size_t i = 0; argc == 2 && i < sizeof shells / sizeof *shells; i++) {
        if (strcmp(argv[1], shells[i].shell) == 0) {
            shells[i].print();
            return EXIT_OK;
        }
    }
    return cli_usage_error("completion", "wants bash, zsh or fish");
}
