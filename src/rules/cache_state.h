/*
 * What a license cache may answer: how far its last confirmation by the master lies back, what the
 * license itself says, and what the two grant together. All ages and times are milliseconds, passed
 * in; nothing here reads a clock.
 *
 *          confirmed                TTL              TTL + grace
 *     ---------+---------------------+---------------------+-------------------> age
 *              |       synced        |        stale        |       failed
 *
 * The first row that applies decides:
 *
 *     | fact                                                  | state   | changes by time at  |
 *     |-------------------------------------------------------|---------|---------------------|
 *     | the license is past exp + its grace, however old      | expired | never               |
 *     | the master has never confirmed                        | failed  | never               |
 *     | age <= TTL                                            | synced  | TTL + 1             |
 *     | age <= TTL + STALE_GRACE_PERIOD                       | stale   | TTL + grace + 1     |
 *     | otherwise                                             | failed  | never               |
 *
 * Every transition, and what brings it about:
 *
 *     | from \ to | synced       | stale       | failed           | expired           |
 *     |-----------|--------------|-------------|------------------|-------------------|
 *     | synced    | confirmation | age > TTL   | a clock's jump   | exp + grace       |
 *     | stale     | confirmation | -           | age > TTL+grace  | exp + grace       |
 *     | failed    | confirmation | -           | -                | exp + grace       |
 *     | expired   | a new license, or the clock put right: whatever the age then says    |
 *
 *                    +--------- confirmation ----------+---------------------+
 *                    v                                 |                     |
 *     start ---> [ synced ] -- age > TTL --> [ stale ] -- age > TTL+grace --> [ failed ] <-- start
 *                    |                          |                               |
 *                    +------- exp + grace ------+----------> [ expired ] <------+
 *
 * What an answer rests on. A license that is revoked or refused grants nothing in any state, and
 * the fallback stands in for a missing confirmation only, never for a license that has ended:
 * cutting the network must not grant what the vendor did not sign.
 *
 *     | state          | license            | development license | rests on    | licensed |
 *     |----------------|--------------------|---------------------|-------------|----------|
 *     | synced         | grants             | -                   | MASTER      | true     |
 *     | stale          | grants             | -                   | CACHE       | true     |
 *     | failed         | grants, or missing | grants              | DEVELOPMENT | true     |
 *     | failed         | grants, or missing | none, or ended      | COMMUNITY   | false    |
 *     | any            | grants nothing     | -                   | COMMUNITY   | false    |
 */
#ifndef LSYS_RULES_CACHE_STATE_H
#define LSYS_RULES_CACHE_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "rules/license_status.h"

enum cache_state { CACHE_FAILED, CACHE_STALE, CACHE_SYNCED, CACHE_EXPIRED };
#define CACHE_STATE_COUNT 4

/* The age of a cache that no master has ever confirmed. */
#define CACHE_NEVER_CONFIRMED INT64_MAX

struct cache_ages {
    int64_t ttl_ms;   /* LICENSE_CACHE_TTL; at least 0 */
    int64_t grace_ms; /* STALE_GRACE_PERIOD; at least 0 */
};

/* The state of a license whose cache was confirmed `age_ms` ago and that has the status `license`.
 * Negative ages count as 0. */
enum cache_state cache_state_judge(const struct cache_ages *ages, int64_t age_ms,
                                   enum license_status license);

/* How long until the age alone changes the state; LICENSE_NEVER when it will not. */
int64_t cache_state_wait_ms(const struct cache_ages *ages, int64_t age_ms);

/* "failed", "stale", "synced", "expired". */
const char *cache_state_name(enum cache_state state);

/* What an answer rests on. */
enum cache_basis {
    CACHE_ON_COMMUNITY, /* first: zeroed memory grants nothing */
    CACHE_ON_DEVELOPMENT,
    CACHE_ON_CACHE,
    CACHE_ON_MASTER,
};
#define CACHE_BASIS_COUNT 4

/* Decides by the table above. `development` is the status of the vendor's development license at
 * this moment, LICENSE_MISSING when the vendor supplied none. */
enum cache_basis cache_basis_choose(enum cache_state state, enum license_status license,
                                    enum license_status development);

/* "community", "development", "cache", "master". */
const char *cache_basis_name(enum cache_basis basis);

/* An entry that may be cleaned up. */
struct cache_leftover {
    bool failed;           /* it did not verify when it was looked at last */
    int64_t failed_for_ms; /* since when it does not */
    bool last_good;        /* it is the last one of its deployment that ever verified */
};

/* True when the cleanup removes the entry: it has failed for longer than FAILED_CACHE_MAX_AGE, and
 * it is not the last good one, which may verify again when a key comes back. */
bool cache_cleanup_removes(const struct cache_leftover *entry, int64_t failed_max_age_ms);

#endif
