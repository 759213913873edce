/*
 * The values of the ledger's records as JSON texts. Reading is strict: whatever is not exactly as
 * it is written here counts as absent.
 */
#ifndef LSYS_APP_LEDGER_RECORDS_H
#define LSYS_APP_LEDGER_RECORDS_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/bytes.h"
#include "rules/clock_guard.h"
#include "rules/expiry_alerts.h"
#include "rules/serial_guard.h"
#include "rules/server_pinning.h"

/* A token of the largest size, escaped nowhere because base64url needs none, and its mark. */
#define LEDGER_RECORD_BYTES_MAX ((size_t)300 * 1024)

/* The license announced last, and how far. */
struct ledger_announcement {
    char license_digest[SHA256_TEXT_BYTES];
    enum expiry_alert alert;
};

/* {"serial":3,"digest":"...","token":"..."}; without `token` for a line's mark. Each write
 * appends to `out`, which is empty; each read returns false, and leaves zeroed values, for
 * anything else. */
void ledger_record_write_mark(const struct serial_mark *mark, struct bytes token,
                              struct buffer *out);
bool ledger_record_read_mark(struct bytes text, struct serial_mark *mark, struct buffer *token);

/* {"license_digest":"...","alert":"7_days"} */
void ledger_record_write_announced(const struct ledger_announcement *announced, struct buffer *out);
bool ledger_record_read_announced(struct bytes text, struct ledger_announcement *announced);

/* {"pins":[{"key_id":"...","pinned_at_ms":0}]} */
void ledger_record_write_pins(const struct server_pins *pins, struct buffer *out);
bool ledger_record_read_pins(struct bytes text, struct server_pins *pins);

/* {"boot_id":"...","mark_offset_ms":0,...}: the members of struct clock_guard by name. */
void ledger_record_write_clock(const struct clock_guard *guard, struct buffer *out);
bool ledger_record_read_clock(struct bytes text, struct clock_guard *guard);

#endif
