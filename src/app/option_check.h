/*
 * Judges one text against one row of options, whatever level it came from.
 */
#ifndef LSYS_APP_OPTION_CHECK_H
#define LSYS_APP_OPTION_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "app/options.h"
#include "base/attributes.h"
#include "base/status.h"

/* Longest value of one option: a PEM or a token belongs into a file. Checked before anything
 * else. */
#define OPTION_VALUE_BYTES 4096

/* True when `text` is a value for the row; one item of it, for a LIST. `*number` gets the integer,
 * the milliseconds, the port, or 0 and 1. False with STATUS_CONFIG, and a text that begins with the
 * value ("\"12x\" is not a duration ...") and does not say where it came from. Values of
 * SECRET_FILE rows are not repeated in the text. */
bool option_check(const struct option *row, const char *text, int64_t *number,
                  struct status *status) MUST_CHECK;

/* Writes what kind of value the row takes, for usage lines: "DURATION", "DIR", "strict|open". */
const char *option_value_name(const struct option *row);

/* True when `word` is one of the words of `choices`, which '|' separates. */
bool option_is_choice(const char *choices, const char *word);

/* For a command with actions: false with STATUS_USAGE when one of `rows` (ended by a row without
 * key) was given whose key is not among `keys` ("out|name"). A flag that the action would silently
 * ignore is a mistake. */
bool option_check_flags(const struct options *values, const struct option *rows, const char *keys,
                        const char *action, struct status *status) MUST_CHECK;

#endif
