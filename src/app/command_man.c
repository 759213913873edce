/* The man page. */
#include "app/command_help.h"
#include "app/command_text.h"

/* Appends text for troff: backslashes and dashes escaped, no line begins with a control
 * character. */
static void append_troff(const char *text, struct buffer *out) {
    bool at_start = true;
    for (; *text; text++) {
        if (at_start && (*text == '.' || *text == '\'')) buffer_append_text(out, "\\&");
        at_start = *text == '\n';
        if (*text == '\\')
            buffer_append_text(out, "\\e");
        else if (*text == '-')
            buffer_append_text(out, "\\-");
        else
            buffer_append(out, text, 1);
    }
}

static void append_man_option(const struct option *row, struct buffer *out) {
    char flag[COMMAND_TEXT_FLAG_BYTES];
    struct buffer meaning;
    command_text_flag(row, flag);
    buffer_init(&meaning, COMMAND_TEXT_MEANING_BYTES);
    command_text_meaning(row, &meaning);
    buffer_append_text(out, ".TP\n.B ");
    append_troff(flag, out);
    buffer_append_text(out, "\n");
    append_troff(buffer_text(&meaning), out);
    buffer_append_text(out, "\n");
    buffer_free(&meaning);
}

static void append_man_literal(const char *heading, const char *text, struct buffer *out) {
    if (!text) return;
    buffer_append_format(out, ".SH %s\n.nf\n", heading);
    append_troff(text, out);
    buffer_append_text(out, ".fi\n");
}

static void append_man_command(const struct command *command, struct buffer *out) {
    const struct option *row;
    buffer_append_format(out, ".TH LSYS-%s 1\n.SH NAME\nlsys-%s \\- ", command->name,
                         command->name);
    append_troff(command->summary, out);
    buffer_append_text(out, "\n.SH SYNOPSIS\n");
    command_text_usage(command, out);
    buffer_append_text(out, "\n.SH DESCRIPTION\n");
    append_troff(command->description ? command->description : command->summary, out);
    buffer_append_text(out, "\n.SH OPTIONS\n");
    for (size_t i = 0; (row = option_row(command, i)); i++)
        append_man_option(row, out);
    append_man_literal("EXAMPLES", command->examples, out);
    buffer_append_text(out, ".SH EXIT STATUS\n.nf\n");
    struct buffer codes;
    buffer_init(&codes, out->limit);
    command_text_exit_codes(command, &codes);
    append_troff(buffer_text(&codes), out);
    buffer_free(&codes);
    buffer_append_text(out, ".fi\n");
}

void command_help_man(const struct command_table *commands, const struct command *command,
                      struct buffer *out) {
    if (command) {
        append_man_command(command, out);
        return;
    }
    struct buffer list;
    buffer_init(&list, out->limit);
    command_help_list(commands, &list);
    buffer_append_text(out,
                       ".TH LSYS 1\n.SH NAME\nlsys \\- software licenses: one file, many roles\n"
                       ".SH SYNOPSIS\nlsys COMMAND [flags]\n");
    append_man_literal("DESCRIPTION", buffer_text(&list), out);
    buffer_free(&list);
}
