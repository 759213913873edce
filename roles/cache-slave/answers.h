/*
 * The JSON that a slave answers with. An answer shows as granted what is granted at this moment and
 * nothing else: features of a license that does not count are not in it.
 */
#ifndef LSYS_CACHE_SLAVE_ANSWERS_H
#define LSYS_CACHE_SLAVE_ANSWERS_H

#include "base/buffer.h"
#include "codec/json.h"
#include "roles/cache-slave/slave.h"

/* Features in one call of /api/licenses/check: a product asks for all of its own at once. */
#define ANSWER_CHECKS_MAX 256

/* GET /api/licenses/current and /api/licenses/{id}:
 *
 *     {"licensed":true,"edition":"enterprise","features":{...},"expires_at":"...",
 *      "status":"valid","sync_status":"synced","rests_on":"master","last_sync":"...","age_ms":840,
 *      "reason":"...","license":{"id","customer","product","serial","deployment_id","features",
 *                                "expires_at","status","sync_status","last_sync"}} */
void slave_answer_license(const struct cache_slave *slave, const struct slave_view *view,
                          struct buffer *out);

/* POST /api/licenses/check. `question` is {"feature","amount"}, or {"checks":[those]}. Writes
 * {"allowed":all,"results":[{"feature","allowed","code","limit","reason"}],"licensed",...}. False
 * with STATUS_BAD_CLAIM when the question is none. */
bool slave_answer_check(const struct cache_slave *slave, const struct slave_view *view,
                        const struct json_value *question, struct buffer *out,
                        struct status *status) MUST_CHECK;

/* GET /api/licenses/sync-status: when the master was reached, what the last try met, what comes
 * next. */
void slave_answer_sync_status(const struct cache_slave *slave, const struct slave_view *view,
                              struct buffer *out);

#endif
