/*
 * When to tell people that a license runs out: 30, 7 and 1 day before it expires, when it expires
 * and when its grace ends; each once for a license, also across restarts, because what was
 * announced is persisted. A license first seen late is announced once, by the nearest alert, not by
 * all that were missed.
 *
 *     | time                       | alert that is due        |
 *     |----------------------------|--------------------------|
 *     | before exp - 30 d          | none                     |
 *     | [exp - 30 d, exp - 7 d)    | EXPIRY_ALERT_30_DAYS     |
 *     | [exp - 7 d,  exp - 1 d)    | EXPIRY_ALERT_7_DAYS      |
 *     | [exp - 1 d,  exp)          | EXPIRY_ALERT_1_DAY       |
 *     | [exp, exp + grace)         | EXPIRY_ALERT_EXPIRED     |
 *     | from exp + grace on        | EXPIRY_ALERT_GRACE_OVER, or _EXPIRED when there is no grace |
 *
 *    [none] -> [30 days] -> [7 days] -> [1 day] -> [expired] -> [grace over]
 *       \___________\___________\__________\___________\____________^   jumps say only the last one
 *
 * An alert later in the line makes the earlier ones stale; time going back repeats none.
 */
#ifndef LSYS_RULES_EXPIRY_ALERTS_H
#define LSYS_RULES_EXPIRY_ALERTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

enum expiry_alert {
    EXPIRY_ALERT_NONE,
    EXPIRY_ALERT_30_DAYS,
    EXPIRY_ALERT_7_DAYS,
    EXPIRY_ALERT_1_DAY,
    EXPIRY_ALERT_EXPIRED,
    EXPIRY_ALERT_GRACE_OVER,
};

struct expiry_alert_due {
    enum expiry_alert alert; /* EXPIRY_ALERT_NONE: nothing to announce now */
    int64_t next_at_ms;      /* when to ask again; LICENSE_NEVER when nothing follows */
};

/* What to announce at `now_ms` (wall) for a license that expires at `expires_at_ms` (LICENSE_NEVER:
 * never) with `grace_ms` after it, when `announced` was the last alert given for this very license
 * (EXPIRY_ALERT_NONE for a new one). The caller persists a due alert together with the license's
 * id. */
struct expiry_alert_due expiry_alerts_check(enum expiry_alert announced, int64_t expires_at_ms,
                                            int64_t grace_ms, int64_t now_ms);

/* The stable name: "none", "30_days", "7_days", "1_day", "expired", "grace_over". */
const char *expiry_alert_name(enum expiry_alert alert);

/* Reads such a name; false, leaving `*out`, when it is none. */
bool expiry_alert_read(struct bytes name, enum expiry_alert *out);

/* A sentence without a period for the log and the bus: "the license expires in less than 7
 * days". */
const char *expiry_alert_text(enum expiry_alert alert);

#endif
