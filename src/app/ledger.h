/*
 * What a role that judges licenses must not forget, kept in memory and in the store under the
 * role's own namespace. License server and license client both have one.
 *
 *   | key           | value                                    | why                           |
 *   |---------------|------------------------------------------|-------------------------------|
 *   | serial/<line> | highest verified serial, token's digest  | an older license never wins   |
 *   | keyring       | the key ring: serial, digest, token      | retired keys stay retired     |
 *   | revocations   | the same of the revocation list          | what is revoked stays revoked |
 *   | license       | the same of the license in force         | it survives file and server   |
 *   | announced     | a license's digest, its last alert       | each alert is given once      |
 *   | pins          | license servers' keys, and since when    | trust on first proof (client) |
 *   | clock         | the clock guard                          | turning back gains nothing    |
 *
 * A disk that is full or read-only must not take a license away: a record that cannot be written
 * counts in memory, is written again by ledger_flush, and the log says so once. All values are
 * checked when they are read; a damaged one counts as absent.
 */
#ifndef LSYS_APP_LEDGER_H
#define LSYS_APP_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "rules/clock_guard.h"
#include "rules/expiry_alerts.h"
#include "rules/serial_guard.h"
#include "rules/server_pinning.h"
#include "verifier/sha256.h"

struct store;

/* Lines of serials. A site has one, or one a product; each new one needs a license that the vendor
 * signed, so this is reached by accident only. The line used longest ago is dropped from memory. */
#define LEDGER_LINES_MAX 32

/* The documents that are kept as they came. */
enum ledger_document { LEDGER_KEYRING, LEDGER_REVOCATIONS, LEDGER_LICENSE };
#define LEDGER_DOCUMENTS 3

struct ledger;

/* Reads what is there. `store` is borrowed; NULL keeps everything in memory only. `role` is the
 * namespace and the name in the log: a constant of ours. Never NULL. */
struct ledger *ledger_open(struct store *store, const char *role);

/* Tries once more to write what could not be written, and frees. NULL is harmless. */
void ledger_close(struct ledger *ledger);

/* The name given to ledger_open. */
const char *ledger_role(const struct ledger *ledger);

/* The mark of a line of licenses (license_serial_line), zeroed when nothing was seen; valid until
 * the next call. */
const struct serial_mark *ledger_mark(struct ledger *ledger, const char *line);

/* Advances it; nothing happens when the serial is not newer. */
void ledger_advance(struct ledger *ledger, const char *line, int64_t serial, const char *digest);

/* The mark and the token of a document; zeroed and empty when there is none. */
const struct serial_mark *ledger_document_mark(const struct ledger *ledger,
                                               enum ledger_document document);
struct bytes ledger_document_token(const struct ledger *ledger, enum ledger_document document);

/* Replaces a document. Key rings and lists are replaced by newer ones only, which the caller has
 * checked against the mark; a license may be of another line, and have a lower serial. */
void ledger_keep_document(struct ledger *ledger, enum ledger_document document, int64_t serial,
                          struct bytes token);

/* The last expiry alert given for the license with this digest; EXPIRY_ALERT_NONE for any other
 * than the one announced last. And keeping it. */
enum expiry_alert ledger_announced(const struct ledger *ledger, const char *license_digest);
void ledger_keep_announced(struct ledger *ledger, const char *license_digest,
                           enum expiry_alert alert);

/* The pinned keys, and replacing them. */
const struct server_pins *ledger_pins(const struct ledger *ledger);
void ledger_keep_pins(struct ledger *ledger, const struct server_pins *pins);

/* The clock guard of an earlier run, or NULL; and keeping the present one. */
const struct clock_guard *ledger_clock(const struct ledger *ledger);
void ledger_keep_clock(struct ledger *ledger, const struct clock_guard *guard);

/* False while something is in memory only, because the disk refused it. */
bool ledger_is_saved(const struct ledger *ledger);

/* Writes again what could not be written before. When the store reads from another file than before
 * (store_generation), what that has is merged first: the highest serials win, pinned keys are all
 * kept, and nothing higher is ever overwritten. False while something is still not on the disk. */
bool ledger_flush(struct ledger *ledger);

/* For every turn of a role: ledger_flush as soon as the disk works again; costs nothing while all
 * is saved, or while the disk is known to refuse. True when it merged: who made something of
 * documents, marks or the clock looks again. */
bool ledger_catch_up(struct ledger *ledger);

#endif
