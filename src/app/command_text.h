/*
 * Pieces of text that help, man page and completion have in common.
 */
#ifndef LSYS_APP_COMMAND_TEXT_H
#define LSYS_APP_COMMAND_TEXT_H

#include "app/command.h"
#include "base/buffer.h"

/* Room for "--name VALUE". */
#define COMMAND_TEXT_FLAG_BYTES 160

/* Longest explanation of one flag. */
#define COMMAND_TEXT_MEANING_BYTES 1024

/* Writes a flag with the name of its value: "--listen HOST:PORT". */
void command_text_flag(const struct option *row, char out[COMMAND_TEXT_FLAG_BYTES]);

/* Appends what a flag is for, with its bounds and its default: "Time between ... (1s to 1h; default
 * 30s)". */
void command_text_meaning(const struct option *row, struct buffer *out);

/* Appends the exit codes that the command may give, a line each, in its own words where it has
 * some. */
void command_text_exit_codes(const struct command *command, struct buffer *out);

/* Appends "lsys verify FILE [flags]". */
void command_text_usage(const struct command *command, struct buffer *out);

#endif
