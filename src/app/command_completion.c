/* Completion for bash. */
#include "app/command_help.h"

/* Room for the name of a flag with its NUL. */
#define FLAG_NAME_BYTES 64

static void append_words(const char *choices, struct buffer *out) {
    for (; *choices; choices++)
        buffer_append(out, *choices == '|' ? " " : choices, 1);
}

static void append_bash_command(const struct command *command, struct buffer *out) {
    const struct option *row;
    buffer_append_format(out, "    %s)\n        case $before in\n", command->name);
    for (size_t i = 0; (row = option_row(command, i)); i++) {
        char name[FLAG_NAME_BYTES];
        option_flag_name(row, name, sizeof name);
        if (row->type != OPTION_ENUM) continue;
        buffer_append_format(out, "        --%s) words='", name);
        append_words(row->choices, out);
        buffer_append_text(out, "' ;;\n");
    }
    buffer_append_text(out, "        *) words='--help");
    for (size_t i = 0; (row = option_row(command, i)); i++) {
        char name[FLAG_NAME_BYTES];
        option_flag_name(row, name, sizeof name);
        buffer_append_format(out, " --%s", name);
    }
    if (command->actions) {
        buffer_append_text(out, " ");
        append_words(command->actions, out);
    }
    buffer_append_text(out, "' ;;\n        esac ;;\n");
}

void command_help_bash(const struct command_table *commands, struct buffer *out) {
    buffer_append_text(out,
                       "# bash completion for lsys: eval \"$(lsys completion bash)\"\n"
                       "_lsys() {\n"
                       "    local word=${COMP_WORDS[COMP_CWORD]} words=\n"
                       "    local before=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]}\n"
                       "    if [ \"$COMP_CWORD\" -eq 1 ]; then command=; fi\n"
                       "    case $command in\n    '') words='");
    for (size_t i = 0; i < commands->count; i++)
        buffer_append_format(out, "%s%s", i > 0 ? " " : "", commands->rows[i]->name);
    buffer_append_text(out, "' ;;\n");
    for (size_t i = 0; i < commands->count; i++)
        append_bash_command(commands->rows[i], out);
    buffer_append_text(out,
                       "    esac\n"
                       "    COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
                       "    if [ ${#COMPREPLY[@]} -eq 0 ] && [ \"${word#-}\" = \"$word\" ]; then\n"
                       "        COMPREPLY=($(compgen -f -- \"$word\"))\n"
                       "    fi\n"
                       "}\n"
                       "complete -o filenames -F _lsys lsys\n");
}
