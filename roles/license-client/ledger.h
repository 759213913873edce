/*
 * What a license client must not forget, kept in memory and in the store under the namespace
 * "license-client":
 *
 *     | key           | value                                        | why                               |
 *     |---------------|----------------------------------------------|-----------------------------------|
 *     | serial/<line> | highest verified serial, its token's digest  | an older license never returns    |
 *     | keyring       | the key ring in force: serial, digest, token | retired keys stay retired         |
 *     | revocations   | the same of the revocation list              | revoked licenses stay revoked     |
 *     | license       | the same of the license followed last        | whom it names; how it degrades    |
 *     | pins          | license servers' keys, and since when        | trust on first proof              |
 *     | clock         | the clock guard                              | a clock turned back gains nothing |
 *
 * A disk that is full or read-only must not take a license away: a record that cannot be written counts
 * in memory, is written again by ledger_flush, and the log says so once. All values are checked when
 * they are read; a damaged one counts as absent.
 */
#ifndef LSYS_LICENSE_CLIENT_LEDGER_H
#define LSYS_LICENSE_CLIENT_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "rules/clock_guard.h"
#include "rules/serial_guard.h"
#include "rules/server_pinning.h"
#include "verifier/sha256.h"

struct store;

/* The role's name in commands, logs and metrics, and the namespace of its records. */
#define LICENSE_CLIENT_NAME "license-client"

/* The record of the pinned keys, which lsys client keys changes while no client runs. */
#define LEDGER_PINS_KEY "pins"

/* Lines of serials. A site has one, or one a product; each new one needs a license that the vendor
 * signed, so this is reached by accident only. The line used longest ago is dropped from memory. */
#define LEDGER_LINES_MAX 32

/* The documents that are kept as they came. */
enum ledger_document { LEDGER_KEYRING, LEDGER_REVOCATIONS, LEDGER_LICENSE };
#define LEDGER_DOCUMENTS 3

struct ledger;

/* Reads what is there. `store` is borrowed; NULL keeps everything in memory only. Never NULL. */
struct ledger *ledger_open(struct store *store);

/* Tries once more to write what could not be written, and frees. NULL is harmless. */
void ledger_close(struct ledger *ledger);

/* The mark of a line of licenses (license_serial_line), zeroed when nothing was seen; valid until the
 * next call. */
const struct serial_mark *ledger_mark(struct ledger *ledger, const char *line);

/* Advances it; nothing happens when the serial is not newer. */
void ledger_advance(struct ledger *ledger, const char *line, int64_t serial, const char *digest);

/* The mark and the token of a document; zeroed and empty when there is none. */
const struct serial_mark *ledger_document_mark(const struct ledger *ledger,
                                               enum ledger_document document);
struct bytes ledger_document_token(const struct ledger *ledger, enum ledger_document document);

/* Replaces a document. Key rings and lists are replaced by newer ones only, which the caller has
 * checked against the mark; the license followed last may be of another line, and have a lower serial. */
void ledger_keep_document(struct ledger *ledger, enum ledger_document document, int64_t serial,
                          struct bytes token);

/* The pinned keys, and replacing them. */
const struct server_pins *ledger_pins(const struct ledger *ledger);
void ledger_keep_pins(struct ledger *ledger, const struct server_pins *pins);

/* The clock guard of an earlier run, or NULL; and keeping the present one. */
const struct clock_guard *ledger_clock(const struct ledger *ledger);
void ledger_keep_clock(struct ledger *ledger, const struct clock_guard *guard);

/* Writes again what could not be written before. False while something is still not on the disk. */
bool ledger_flush(struct ledger *ledger);

#endif
