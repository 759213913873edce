/*
 * Serials only grow. Licenses, revocation lists, key rings and subscriptions carry a `serial`; the
 * highest one that was verified is persisted before its document is used, and nothing older
 * replaces it, neither live nor after a restart. This is the whole rule; who calls it keeps one
 * mark per line of serials (DESIGN section 5) in the store.
 *
 *     mark \ candidate | lower | equal, same document | equal, other document | higher
 *     -----------------|-------|----------------------|-----------------------|--------
 *     none yet         | TAKE  | TAKE                 | TAKE                  | TAKE
 *     seen             | OLDER | SAME                 | CONFLICT              | TAKE
 *
 *                 candidate verified, serial > mark
 *              +----------------------------------------+
 *              v                                        |
 *     [ mark = n, document in force ] -- persist mark, then use the new document
 *              |        ^
 *              +--------+  serial <= mark: refused, counted, said
 *
 * CONFLICT is a mistake of the signer (two documents with one serial); the caller decides and says
 * so.
 */
#ifndef LSYS_RULES_SERIAL_GUARD_H
#define LSYS_RULES_SERIAL_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#include "verifier/sha256.h"

/* The highest verified serial of one line. Zeroed: nothing was seen yet. */
struct serial_mark {
    bool seen;
    int64_t serial;
    char digest
        [SHA256_TEXT_BYTES]; /* of the document that carried it: tells two of one serial apart */
};

enum serial_verdict {
    SERIAL_TAKE,     /* newer than all before, or the first */
    SERIAL_SAME,     /* the very document of the mark */
    SERIAL_CONFLICT, /* another document with the mark's serial */
    SERIAL_OLDER,    /* refuse it with STATUS_OLD_SERIAL */
};

/* Compares a verified candidate, whose token has the SHA-256 `digest` (base64url, shorter than
 * SHA256_TEXT_BYTES), with the mark. Changes nothing. */
enum serial_verdict serial_guard_check(const struct serial_mark *mark, int64_t serial,
                                       const char *digest);

/* Moves the mark to the candidate unless that is older: the mark never goes back. Returns true when
 * the mark changed and must be persisted before the document is used. */
bool serial_guard_advance(struct serial_mark *mark, int64_t serial, const char *digest);

/* "take", "same", "conflict", "older". */
const char *serial_verdict_name(enum serial_verdict verdict);

#endif
