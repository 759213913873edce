/*
 * Which license is in force when another one turns up, in the configured file or from another
 * license server. The highest verified serial of a line wins; a bad one never displaces a good one;
 * the operator's file may begin another line (another product or customer), a peer may not.
 *
 * A line of serials is (iss, product, sub, deployment_id or empty), see license_serial_line. Its
 * mark, the highest serial ever verified, is persisted per line, so that going to another product
 * and back cannot resurrect an older license either.
 *
 * The first row that applies decides. "Grants" means valid, expiring or in grace.
 *
 *     | candidate                                        | from | decision                        |
 *     |--------------------------------------------------|------|---------------------------------|
 *     | verification refused it                          | any  | REFUSE with that code           |
 *     | the very token in force                          | any  | KEEP                            |
 *     | of another line than the one in force            | peer | REFUSE, STATUS_WRONG_DEPLOYMENT |
 *     | serial below its line's mark                     | any  | REFUSE, STATUS_OLD_SERIAL       |
 *     | serial of the one in force, but another token    | peer | KEEP: each server its own       |
 *     | revoked or expired, and the one in force grants  | any  | REFUSE, _REVOKED or _EXPIRED    |
 *     | not yet valid, and there is one in force         | any  | WAIT until it begins            |
 *     | otherwise                                        | any  | TAKE (perhaps another line)     |
 *
 *                        TAKE                                TAKE: higher serial, other line (file)
 *     [ none ] --------------------------> [ in force ] <---------------------------+
 *        |  ^                                |   |  |                                |
 *        +--+ REFUSE: status missing         |   |  +-- REFUSE, KEEP: it stays       |
 *             or invalid, and why            |   +----- WAIT: it stays, the other ---+
 *                                            |          begins at its nbf - 60 s
 *                                            +--> its own status changes by time (license_status)
 */
#ifndef LSYS_RULES_LICENSE_CHOICE_H
#define LSYS_RULES_LICENSE_CHOICE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "rules/license_status.h"
#include "rules/serial_guard.h"

enum license_origin {
    LICENSE_FROM_FILE, /* the operator's configured file */
    LICENSE_FROM_PEER, /* heard on the bus from another license server */
};

enum license_decision {
    LICENSE_TAKE,   /* the candidate is in force from now on; persist its mark first */
    LICENSE_KEEP,   /* nothing changes and nothing is wrong */
    LICENSE_WAIT,   /* good, but not yet: ask again at `again_at_ms` */
    LICENSE_REFUSE, /* the present one stays; `code` and `text` say why */
};

/* One license as the choice sees it. The texts belong to the caller; line, serial and digest are
 * ignored when the verdict is not STATUS_OK. */
struct license_candidate {
    struct license_facts facts; /* with the verdict of verification */
    const char *line;           /* of license_serial_line */
    int64_t serial;
    const char *digest; /* SHA-256 of the token, base64url (struct license token_sha256) */
};

struct license_choice {
    enum license_decision decision;
    enum status_code code; /* of a refusal; STATUS_OK otherwise */
    bool changes_line;     /* with TAKE: another product or customer than before */
    int64_t again_at_ms;   /* with WAIT; LICENSE_NEVER otherwise */
    const char *text;      /* one constant sentence without a period: why */
};

/* Decides about `candidate`. `present` is the license in force, or NULL; `mark` is the persisted
 * mark of the candidate's line, zeroed when there is none; `now_ms` is wall time from the clock
 * guard. */
struct license_choice license_choice_decide(const struct license_candidate *candidate,
                                            enum license_origin origin,
                                            const struct license_candidate *present,
                                            const struct serial_mark *mark, int64_t now_ms);

/* "take", "keep", "wait", "refuse". */
const char *license_decision_name(enum license_decision decision);

#endif
