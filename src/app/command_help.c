#include "app/command_help.h"

#include <stdio.h>
#include <string.h>

#include "app/command_text.h"

/* Column at which the explanation of a flag begins. */
#define HELP_COLUMN 34

/* Columns of a line of help. */
#define HELP_WIDTH 100

static const char *const group_titles[] = {
    [COMMAND_ROLES] = "Roles (they run until stopped)",
    [COMMAND_VENDOR_TOOLS] = "Tools of the vendor",
    [COMMAND_TOOLS] = "Tools of the operator",
};

/* Appends text at HELP_COLUMN, broken between words so that it ends before HELP_WIDTH. */
static void append_wrapped(const char *text, struct buffer *out) {
    size_t room = HELP_WIDTH - HELP_COLUMN;
    while (strlen(text) > room) {
        size_t length = room;
        while (length > 0 && text[length] != ' ')
            length--;
        if (length == 0) break;
        buffer_append(out, text, length);
        buffer_append_format(out, "\n%*s", HELP_COLUMN, "");
        text += length + 1;
    }
    buffer_append_format(out, "%s\n", text);
}

static void append_option(const struct option *row, struct buffer *out) {
    char flag[COMMAND_TEXT_FLAG_BYTES];
    command_text_flag(row, flag);
    buffer_append_format(out, "  %-*s", HELP_COLUMN - 2, flag);
    if (strlen(flag) > HELP_COLUMN - 3) buffer_append_format(out, "\n%*s", HELP_COLUMN, "");
    struct buffer meaning;
    buffer_init(&meaning, COMMAND_TEXT_MEANING_BYTES);
    command_text_meaning(row, &meaning);
    append_wrapped(buffer_text(&meaning), out);
    buffer_free(&meaning);
}

static void append_configuration(const struct command *command, struct buffer *out) {
    /* A section of its own that no role has is of no use to people. */
    if (!command->section || (!command->role && strcmp(command->section, command->name) == 0))
        return;
    buffer_append_format(
        out,
        "\nConfiguration:\n"
        "  Flags override LSYS_<SECTION>_<KEY>, which overrides *.conf, section [%s].\n"
        "  \"lsys config show %s\" prints every value and where it came from.\n",
        command->section, command->section);
}

static bool ends_line(const char *text) {
    size_t length = strlen(text);
    return length > 0 && text[length - 1] == '\n';
}

void command_help_write(const struct command *command, struct buffer *out) {
    const struct option *row;
    buffer_append_format(out, "%s: %s\n\nUsage: ", command->name, command->summary);
    command_text_usage(command, out);
    if (command->description) buffer_append_format(out, "\n\n%s", command->description);
    buffer_append_text(out, "\n\nFlags:\n");
    for (size_t i = 0; (row = option_row(command, i)); i++)
        append_option(row, out);
    buffer_append_format(out, "  %-*s%s\n", HELP_COLUMN - 2, "--help", "This text");
    append_configuration(command, out);
    if (command->examples)
        buffer_append_format(out, "\nExamples:\n%s%s", command->examples,
                             ends_line(command->examples) ? "" : "\n");
    buffer_append_text(out, "\nExit codes:\n");
    command_text_exit_codes(command, out);
}

static void append_group(const struct command_table *commands, enum command_group group,
                         struct buffer *out) {
    bool first = true;
    for (size_t i = 0; i < commands->count; i++) {
        const struct command *command = commands->rows[i];
        if (command->group != group) continue;
        if (first) buffer_append_format(out, "\n%s:\n", group_titles[group]);
        first = false;
        buffer_append_format(out, "  %-16s %s\n", command->name, command->summary);
    }
}

void command_help_list(const struct command_table *commands, struct buffer *out) {
    buffer_append_text(out,
                       "lsys issues, verifies and broadcasts software licenses: one file, many "
                       "roles.\n\nUsage: lsys COMMAND [flags]\n");
    append_group(commands, COMMAND_ROLES, out);
    append_group(commands, COMMAND_VENDOR_TOOLS, out);
    append_group(commands, COMMAND_TOOLS, out);
    buffer_append_text(out,
                       "\nBegin with \"lsys up\". \"lsys COMMAND --help\" explains one command; "
                       "\"lsys --install DIR\"\nmakes a link for each command, so that it can be "
                       "called by its own name.\n");
}
