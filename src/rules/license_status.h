/*
 * The status of a license at a moment: one of seven words that the server broadcasts and everybody
 * shows. It follows from facts that were verified before (the verdict, the validity times, whether
 * it is revoked) and from the time; nothing else. The judgement also says which rule decided and
 * when it will decide differently, so that one timer suffices and a person can be told why.
 *
 *                                 nbf-60s        exp-30d         exp         exp+grace
 *     license present, verified ----+--------------+--------------+--------------+---------> time
 *                          invalid  |    valid     |   expiring   |    grace     | expired
 *
 * The first row that applies decides:
 *
 *     | rule                         | status   | changes at                    | to       |
 *     |------------------------------|----------|-------------------------------|----------|
 *     | there is no license          | missing  | -                             |          |
 *     | verification refused it      | invalid  | -                             |          |
 *     | it is on the revocation list | revoked  | -                             |          |
 *     | now < nbf - 60 s             | invalid  | nbf - 60 s                    | by time  |
 *     | it never expires             | valid    | -                             |          |
 *     | now < exp - 30 d             | valid    | exp - 30 d                    | expiring |
 *     | now < exp                    | expiring | exp                           | by time  |
 *     | now < exp + grace            | grace    | exp + grace                   | expired  |
 *     | otherwise                    | expired  | -                             |          |
 */
#ifndef LSYS_RULES_LICENSE_STATUS_H
#define LSYS_RULES_LICENSE_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "verifier/license.h"

/* A license is `expiring` in its last 30 days: time for a purchase order. */
#define LICENSE_EXPIRING_WINDOW_MS (30LL * 86400000)

/* `expires_at_ms` of a license without `exp`, and any moment that never comes. */
#define LICENSE_NEVER INT64_MAX

/* Room for the sentence of license_status_explain and its NUL. */
#define LICENSE_STATUS_TEXT_BYTES 256

enum license_status {
    LICENSE_MISSING, /* first: zeroed memory grants nothing */
    LICENSE_INVALID,
    LICENSE_REVOKED,
    LICENSE_EXPIRED,
    LICENSE_GRACE,
    LICENSE_EXPIRING,
    LICENSE_VALID,
};
#define LICENSE_STATUS_COUNT 7

/* Which row of the table decided. */
enum license_rule {
    LICENSE_RULE_MISSING,
    LICENSE_RULE_REFUSED,
    LICENSE_RULE_REVOKED,
    LICENSE_RULE_NOT_YET_VALID,
    LICENSE_RULE_PERPETUAL,
    LICENSE_RULE_IN_TERM,
    LICENSE_RULE_LAST_DAYS,
    LICENSE_RULE_GRACE,
    LICENSE_RULE_EXPIRED,
};

/* What is known about a license. Times are wall milliseconds since 1970. */
struct license_facts {
    bool present; /* there is a license to judge */
    enum status_code
        verdict;           /* of all checks but time and revocation; STATUS_OK when they passed */
    bool revoked;          /* its jti is on the list in force */
    int64_t not_before_ms; /* nbf; 0 when the claim is absent */
    int64_t expires_at_ms; /* exp; LICENSE_NEVER when the claim is absent */
    int64_t grace_ms;      /* grace_days as milliseconds; negative counts as 0 */
};

/* The facts of a license that license_check gave `checked` for, whatever the time was then: its
 * codes about time are left to the judgement here, its STATUS_REVOKED is a fact, any other code is
 * the verdict. `license` NULL: there is none, and `checked` says why (STATUS_OK or
 * STATUS_NOT_FOUND: no file; else what is wrong with it). */
struct license_facts license_status_facts(const struct license *license, enum status_code checked);

struct license_judgement {
    enum license_status status;
    enum license_rule rule;
    int64_t next_change_at_ms;       /* LICENSE_NEVER: time alone changes nothing */
    enum license_status next_status; /* what it becomes then; `status` when it never changes */
};

/* Judges the facts at `now_ms` (wall time from the clock guard). Total: every input has a
 * result. */
struct license_judgement license_status_judge(const struct license_facts *facts, int64_t now_ms);

/* The word on the wire: "valid", "expiring", "grace", "expired", "invalid", "revoked",
 * "missing". */
const char *license_status_word(enum license_status status);

/* Reads a word; false, leaving `*out`, when it is none of the seven. */
bool license_status_read(struct bytes word, enum license_status *out);

/* True for valid, expiring and grace: the license's edition and features are granted. */
bool license_status_grants(enum license_status status);

/* The stable name of a rule in snake_case, for `--explain` and JSON. */
const char *license_rule_name(enum license_rule rule);

/* The status code that says why a license does not grant: STATUS_EXPIRED, STATUS_REVOKED, ...;
 * STATUS_GRACE in grace and STATUS_OK for valid and expiring, as `lsys verify` reports it. */
enum status_code license_status_code(const struct license_facts *facts,
                                     const struct license_judgement *judgement);

/* Writes one sentence, without a period, that says which rule gave the status. */
void license_status_explain(const struct license_facts *facts,
                            const struct license_judgement *judgement, int64_t now_ms,
                            char out[LICENSE_STATUS_TEXT_BYTES]);

#endif
