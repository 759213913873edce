/*
 * Whole numbers and durations as text. Reading what people and environments give us is strict: the
 * whole text must be the value, without blanks or signs that are not asked for.
 */
#ifndef LSYS_BASE_TEXT_H
#define LSYS_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

/* Room for the longest number and its NUL. */
#define TEXT_INTEGER_BYTES 21

/* Room for the longest result of text_format_duration and its NUL. */
#define TEXT_DURATION_BYTES 48

/* Reads a decimal number, with '-' when negative. False, leaving `*out`, when it is anything else
 * or does not fit. */
bool text_read_integer(struct bytes text, int64_t *out);

/* Writes a number in decimal, with a NUL behind it; returns the number of characters. Where every
 * answer holds numbers: snprintf takes ten times as long. */
size_t text_write_integer(int64_t number, char out[TEXT_INTEGER_BYTES]);

/* Reads a duration: a number directly followed by ms, s, m, h, d, w or y (365 days); a bare number
 * counts in `bare_unit_ms` milliseconds, or is refused when that is 0. Result in milliseconds. */
bool text_read_duration(struct bytes text, int64_t bare_unit_ms, int64_t *out_ms);

/* Writes a duration as people say it, in at most two units: "250ms", "45s", "2m 5s", "3d 4h". */
void text_format_duration(int64_t duration_ms, char out[TEXT_DURATION_BYTES]);

#endif
