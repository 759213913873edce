/*
 * Splits a command as an operator writes it in one option (`--signer CMD`, `--on-change CMD`) into
 * the words of an argv, so that it is run without a shell: nothing that comes from outside is ever
 * parsed as shell text.
 */
#ifndef LSYS_APP_COMMAND_LINE_H
#define LSYS_APP_COMMAND_LINE_H

#include "base/attributes.h"
#include "base/status.h"

/* Words in one command; more is taken for a mistake. */
#define COMMAND_LINE_WORDS 64

/* Returns a NULL-terminated array of words, the caller's, to be given to command_line_free. Words
 * are separated by blanks; '...' keeps everything, "..." keeps everything but \" and \\, and a
 * backslash keeps the next character. NULL and STATUS_CONFIG when a quote is open, the line has no
 * word or too many. */
char **command_line_split(const char *line, struct status *status) MUST_CHECK;

void command_line_free(char **words);

#endif
