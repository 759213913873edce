/*
 * One entry of a license shelf as the bytes of a record: a line of JSON, a line break, the token.
 *
 *     {"change":12,"serial":3,"deployment_id":"site-7","deleted":false,"revoked_at_ms":0}
 *     eyJhbGciOi...
 */
#ifndef LSYS_APP_LICENSE_SHELF_RECORD_H
#define LSYS_APP_LICENSE_SHELF_RECORD_H

#include <stdbool.h>

#include "app/license_shelf.h"
#include "base/buffer.h"
#include "base/bytes.h"

/* The line before the token: two texts of 255 bytes, escaped six-fold, and numbers. */
#define LICENSE_SHELF_LINE_BYTES_MAX   ((size_t)4096)
#define LICENSE_SHELF_RECORD_BYTES_MAX (LICENSE_SHELF_LINE_BYTES_MAX + JWS_TOKEN_BYTES_MAX)

/* Appends the record of an entry and its token to `out`. */
void license_shelf_record_write(const struct shelf_entry *entry, struct bytes token,
                                struct buffer *out);

/* Reads a record into a new entry without id, owned by the caller; NULL when it is none. `token`
 * (may be NULL) is the rest of `record`, borrowed. */
struct shelf_entry *license_shelf_record_read(struct bytes record, struct bytes *token);

/* The token in a record; empty when it is none. */
struct bytes license_shelf_record_token(struct bytes record);

/* A copy of an entry without token, unlinked; and freeing one. */
struct shelf_entry *license_shelf_entry_copy(const struct shelf_entry *entry);
void license_shelf_entry_free(struct shelf_entry *entry);

#endif
