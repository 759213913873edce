/*
 * Reading the claims of a token (RFC 7519, section 4.1) one by one, each with a limit and an error
 * that names it. Every failure is STATUS_BAD_CLAIM. Claims that we do not know are not looked at.
 */
#ifndef LSYS_VERIFIER_CLAIMS_H
#define LSYS_VERIFIER_CLAIMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/status.h"
#include "codec/json.h"
#include "codec/json_writer.h"

/* Longest text claim (names, identifiers), so that a status message can repeat it and a page show
 * it. */
#define CLAIM_TEXT_BYTES_MAX 256

/* Last NumericDate that RFC 3339 can write: 9999-12-31T23:59:59Z. */
#define CLAIM_TIME_MAX_S INT64_C(253402300799)

/* Largest integer that survives a reader whose numbers are doubles (RFC 8259, section 6). */
#define CLAIM_INTEGER_MAX INT64_C(9007199254740991)

/* Copies a text claim into `out`, which has room for `capacity` bytes with the NUL. A missing one
 * fails when it is `required`, else gives "". Control characters and an empty required text are
 * refused. */
bool claims_text(const struct json_value *claims, const char *name, bool required, char *out,
                 size_t capacity, struct status *status) MUST_CHECK;

/* Reads an integer claim within lowest .. highest; a missing one leaves `*out`. */
bool claims_integer(const struct json_value *claims, const char *name, int64_t lowest,
                    int64_t highest, int64_t *out, struct status *status) MUST_CHECK;

/* Reads a NumericDate (seconds since 1970, fractions allowed) as milliseconds. A missing one fails
 * when it is `required`, else leaves `*out_ms`. */
bool claims_time(const struct json_value *claims, const char *name, bool required, int64_t *out_ms,
                 struct status *status) MUST_CHECK;

/* Writes a NumericDate: a whole number when there are no milliseconds. */
void claims_write_time(struct json_writer *writer, const char *name, int64_t unix_ms);

/* True when the text is not empty, not longer than `max_bytes`, valid UTF-8, and has no control
 * characters. */
bool claims_text_is_fit(const char *text, size_t max_bytes);

#endif
