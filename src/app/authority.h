/*
 * What the vendor signed and a role believes: the configured vendor keys, the key ring and the
 * revocation list in force. Key rings and lists come from files or in messages of license servers
 * and are judged by the vendor's signature alone, whoever passed them on; their serials only grow.
 * They outlive a restart, so that a revoked license does not come back with a list that was
 * mislaid.
 *
 *     configured --keys ----+                       +--> licenses
 *                           +--> ring in force -----+
 *     --root --> key ring --+    (key ring replaces +--> revocation list
 *                                 the --keys)
 */
#ifndef LSYS_APP_AUTHORITY_H
#define LSYS_APP_AUTHORITY_H

#include <stdbool.h>
#include <stdint.h>

#include "app/ledger.h"
#include "base/attributes.h"
#include "base/bytes.h"
#include "base/status.h"
#include "rules/license_status.h"
#include "verifier/jws_memo.h"
#include "verifier/key_ring.h"
#include "verifier/keyring_token.h"
#include "verifier/license.h"
#include "verifier/revocations.h"

/* Verdicts remembered: the tokens of eight servers, key ring, list, and some that were refused. */
#define AUTHORITY_MEMO_CAPACITY 32

struct authority {
    struct key_ring *configured;     /* --keys and --root as read last; empty at first */
    struct key_ring *ring;           /* configured, with the key ring in force */
    struct keyring_token *keyring;   /* NULL while there is none */
    struct revocations *revocations; /* NULL while there is none */
    struct jws_memo *memo;
    struct ledger *ledger; /* borrowed; keeps both tokens and their serials */
};

/* Begins without keys: nothing verifies until authority_load. Never NULL. */
struct authority *authority_open(struct ledger *ledger);

/* NULL is harmless. */
void authority_close(struct authority *authority);

/* Reads the key files, either of which may be NULL, and takes up the key ring and the list of an
 * earlier run that the ledger holds. On failure (STATUS_NOT_FOUND, STATUS_MALFORMED and the like,
 * naming the file) nothing has changed. What the ledger holds and the keys do not verify is left
 * out, and the log says so. A revocation list already in force stays in any case. */
bool authority_load(struct authority *authority, const char *keys_path, const char *root_path,
                    struct status *status) MUST_CHECK;

/* Puts in force what the ledger has now, after it merged (ledger_catch_up): its documents are never
 * older than those before. */
void authority_follow_merge(struct authority *authority);

/* How a list that somebody passed on was received. */
enum adoption {
    ADOPTION_SAME,    /* the one in force */
    ADOPTION_TAKEN,   /* newer: it is in force and in the ledger */
    ADOPTION_REFUSED, /* not verified, or older: nothing changed */
};

/* True when the token is the one in force, which is told without a signature. */
bool authority_has_keyring(const struct authority *authority, struct bytes token);
bool authority_has_revocations(const struct authority *authority, struct bytes token);

/* The token in force, empty when there is none; for passing on. */
struct bytes authority_keyring_token(const struct authority *authority);
struct bytes authority_revocations_token(const struct authority *authority);

/* Judges a key ring or a revocation list and puts it in force if it is newer. With ADOPTION_REFUSED
 * the status says why: a code of verifier/jws.h, or STATUS_OLD_SERIAL. */
enum adoption authority_adopt_keyring(struct authority *authority, struct bytes token,
                                      struct status *status);
enum adoption authority_adopt_revocations(struct authority *authority, struct bytes token,
                                          struct status *status);

/* Verifies a license by the ring in force. NULL with the reason. Owned by the caller. */
struct license *authority_verify_license(struct authority *authority, struct bytes token,
                                         struct status *status) MUST_CHECK;

/* The facts about a license verified before (NULL: there is none): its key's window and revocation
 * are looked at again, because both lists may have changed since. `place` says where and when; its
 * ring and revocations are not used. `status` (may be NULL) gets what license_check says. */
struct license_facts authority_license_facts(const struct authority *authority,
                                             const struct license *license,
                                             const struct license_circumstances *place,
                                             struct status *status);

#endif
