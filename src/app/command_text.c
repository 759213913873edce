#include "app/command_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "app/option_check.h"
#include "base/text.h"

/* A maximum from here on is only what a number can hold (2^53 - 1), and tells a person nothing. */
#define NO_BOUND INT64_C(9007199254740991)

/* The verdicts of a verification are in verify's own record. */
/* What every command may exit with; roles give no verdicts. */
static const char common_exit_codes[] =
    "  0    done\n"
    "  10   to 29: a license or token is refused; \"lsys verify --help\" lists why\n"
    "  64   wrong flags or arguments\n"
    "  65   the input cannot be used\n"
    "  66   a file is not there\n"
    "  69   a peer cannot be reached\n"
    "  70   a fault of lsys\n"
    "  74   reading or writing failed\n"
    "  75   locked, taken or too slow: try again\n"
    "  76   the peer broke the protocol\n"
    "  77   not permitted\n"
    "  78   the configuration is wrong\n";

static size_t line_length(const char *line) {
    return strcspn(line, "\n") + 1;
}

/* The line that begins with this code; NULL when there is none. */
static const char *line_of_code(const char *lines, int code) {
    for (; *lines; lines += line_length(lines))
        if (strtol(lines, NULL, 10) == code) return lines;
    return NULL;
}

void command_text_exit_codes(const struct command *command, struct buffer *out) {
    for (int code = 0; code <= EX__MAX; code++) {
        const char *line = line_of_code(command->exit_codes ? command->exit_codes : "", code);
        bool is_common = code == EX_OK || code >= EX__BASE || !command->role;
        if (!line && is_common) line = line_of_code(common_exit_codes, code);
        if (line) buffer_append(out, line, line_length(line));
    }
}

void command_text_flag(const struct option *row, char out[COMMAND_TEXT_FLAG_BYTES]) {
    char name[64];
    option_flag_name(row, name, sizeof name);
    if (row->type == OPTION_BOOLEAN)
        snprintf(out, COMMAND_TEXT_FLAG_BYTES, "--%s", name);
    else
        snprintf(out, COMMAND_TEXT_FLAG_BYTES, "--%s %s", name, option_value_name(row));
}

static void append_bound(const struct option *row, int64_t bound, struct buffer *out) {
    char text[TEXT_DURATION_BYTES];
    if (row->type == OPTION_DURATION) {
        text_format_duration(bound, text);
        buffer_append_text(out, text);
    } else {
        buffer_append_format(out, "%" PRId64, bound);
    }
}

void command_text_meaning(const struct option *row, struct buffer *out) {
    const char *separator = " (";
    buffer_append_text(out, row->help);
    if (row->minimum != 0 || row->maximum != 0) {
        bool bounded = row->maximum < NO_BOUND;
        buffer_append_format(out, "%s%s", separator, bounded ? "" : "at least ");
        append_bound(row, row->minimum, out);
        if (bounded) buffer_append_text(out, " to ");
        if (bounded) append_bound(row, row->maximum, out);
        separator = "; ";
    }
    if (row->fallback) {
        buffer_append_format(out, "%sdefault %s", separator, row->fallback);
        separator = "; ";
    }
    if (row->environment) {
        const char *what = row->type == OPTION_SECRET_FILE ? "or the secret itself in" : "also";
        buffer_append_format(out, "%s%s $%s", separator, what, row->environment);
        separator = "; ";
    }
    if (*separator == ';') buffer_append_text(out, ")");
}

void command_text_usage(const struct command *command, struct buffer *out) {
    buffer_append_format(out, "lsys %s", command->name);
    if (command->arguments) buffer_append_format(out, " %s", command->arguments);
    if (option_row(command, 0)) buffer_append_text(out, " [flags]");
}
