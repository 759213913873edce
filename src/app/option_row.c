/* Names of options, as the different levels spell them. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "app/command.h"
#include "app/options.h"

const struct option *option_row(const struct command *command, size_t index) {
    for (const struct option *row = command->options; row && row->key; row++)
        if (index-- == 0) return row;
    for (size_t table = 0; command->shared && command->shared[table]; table++)
        for (const struct option *row = command->shared[table]; row->key; row++)
            if (index-- == 0) return row;
    return NULL;
}

const char *option_section(const struct command *command, const struct option *row) {
    if (row->flag_only) return NULL;
    return row->section ? row->section : command->section;
}

void option_flag_name(const struct option *row, char *out, size_t out_bytes) {
    snprintf(out, out_bytes, "%s", row->flag ? row->flag : row->key);
    if (row->flag) return;
    for (char *character = out; *character; character++)
        if (*character == '_' || *character == '.') *character = '-';
}

void option_variable_name(const struct command *command, const struct option *row, char *out,
                          size_t out_bytes) {
    const char *section = option_section(command, row);
    *out = '\0';
    if (!section) return;
    snprintf(out, out_bytes, "LSYS_%s_%s", section, row->key);
    for (char *character = out; *character; character++)
        *character =
            isalnum((unsigned char)*character) ? (char)toupper((unsigned char)*character) : '_';
}
