/*
 * The JSON that a slave answers with. An answer shows as granted what is granted at this moment and
 * nothing else: features of a license that does not count are not in it.
 */
#ifndef LSYS_ROLES_CACHE_SLAVE_ANSWERS_H
#define LSYS_ROLES_CACHE_SLAVE_ANSWERS_H

#include "base/buffer.h"
#include "codec/json.h"
#include "codec/json_writer.h"
#include "roles/cache-slave/slave.h"

/* Features in one call of /api/licenses/check: a product asks for all of its own at once. */
#define ANSWER_CHECKS_MAX 256

/* GET /api/licenses/{id}; of /api/licenses/current kept_answer.h writes the same:
 *
 *     {"licensed":true,"edition":"enterprise","status":"valid","sync_status":"synced",
 *      "rests_on":"master","last_sync":"...","features":{...},"expires_at":"...",
 *      "grace_ends_at":"...","license":{"id","customer","product","deployment_id","serial",
 *                                       "features","expires_at","grace_ends_at","status",
 *                                       "sync_status","last_sync"},
 *      "age_ms":840,"reason":"..."} */
void slave_answer_license(const struct cache_slave *slave, const struct slave_view *view,
                          struct buffer *out);

/* The end of every answer, which moves with time: age_ms, reason, and the closing brace. */
void slave_answer_end(const struct cache_slave *slave, const struct slave_view *view,
                      struct json_writer *json);

/* POST /api/licenses/check. `question` is {"feature","amount"}, or {"checks":[those]}. Writes
 * {"licensed",...,"results":[{"feature","allowed","code","limit"}],"allowed":all,"age_ms","reason"}.
 * False with STATUS_BAD_CLAIM when the question is none. */
bool slave_answer_check(const struct cache_slave *slave, const struct slave_view *view,
                        const struct json_value *question, struct buffer *out,
                        struct status *status) MUST_CHECK;

/* GET /api/licenses/sync-status: when the master was reached, what the last try met, what comes
 * next. */
void slave_answer_sync_status(const struct cache_slave *slave, const struct slave_view *view,
                              struct buffer *out);

#endif
