/*
 * Text made from the records of commands: --help, the list of `lsys help`, the man page and the
 * shell completion.
 */
#ifndef LSYS_APP_COMMAND_HELP_H
#define LSYS_APP_COMMAND_HELP_H

#include "app/command.h"
#include "base/buffer.h"

/* Appends what `lsys NAME --help` prints. */
void command_help_write(const struct command *command, struct buffer *out);

/* Appends the list of all commands by group, as `lsys help` prints it. */
void command_help_list(const struct command_table *commands, struct buffer *out);

/* Appends a man page in troff -man: of one command, or of lsys as a whole when `command` is
 * NULL. */
void command_help_man(const struct command_table *commands, const struct command *command,
                      struct buffer *out);

/* Appends a completion script for bash that knows every command, flag and choice. */
void command_help_bash(const struct command_table *commands, struct buffer *out);

#endif
