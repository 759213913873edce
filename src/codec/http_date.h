/*
 * Dates of HTTP fields (RFC 9110, section 5.6.7): the one form that is written today and the two
 * obsolete ones that a recipient still has to read.
 */
#ifndef LSYS_CODEC_HTTP_DATE_H
#define LSYS_CODEC_HTTP_DATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

/* Reads "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT" or
 * "Sun Nov  6 08:49:37 1994" as milliseconds since 1970. A year of two digits is the one that is at
 * most 50 years after `now_ms`, as the RFC has it. The day of the week is not compared with the
 * date. False, leaving `*out_ms`, for anything else. */
bool http_date_parse(struct bytes text, int64_t now_ms, int64_t *out_ms);

#endif
