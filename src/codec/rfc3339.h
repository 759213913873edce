/*
 * Points in time as text (RFC 3339) and as milliseconds since 1970-01-01T00:00:00Z. Proleptic
 * Gregorian calendar, years 0000 to 9999, no time zones but fixed offsets, no leap seconds (a
 * second of 60 is refused).
 */
#ifndef LSYS_CODEC_RFC3339_H
#define LSYS_CODEC_RFC3339_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

/* "2027-01-31T12:00:00.000Z" and its NUL. */
#define RFC3339_BYTES 25

/* The first and the last millisecond that can be written. */
#define RFC3339_MIN_MS INT64_C(-62167219200000)
#define RFC3339_MAX_MS INT64_C(253402300799999)

/* Writes the time in UTC with milliseconds; times outside the range are written as its nearer
 * end. */
void rfc3339_format(int64_t unix_ms, char out[RFC3339_BYTES]);

/* Reads a date and time with 'Z' or an offset and up to 9 digits of fraction (cut to milliseconds).
 * 'T' and 'Z' may be small, as the RFC allows. False, leaving `*out_ms`, for anything else. */
bool rfc3339_parse(struct bytes text, int64_t *out_ms);

/* As rfc3339_parse, and also reads a bare date, "2027-01-31", as its first moment in UTC. For
 * flags. */
bool rfc3339_parse_date_or_time(struct bytes text, int64_t *out_ms);

#endif
