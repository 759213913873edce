/*
 * What an answer about a license rests on, apart from the moment: a few values of the judgement and
 * the license itself. Everything that is written here is a function of the subject alone, so that
 * two answers with equal subjects hold the same text, however much time lies between them; what
 * moves with time (the age, the reason) is written elsewhere.
 */
#ifndef LSYS_ROLES_CACHE_SLAVE_ANSWER_SUBJECT_H
#define LSYS_ROLES_CACHE_SLAVE_ANSWER_SUBJECT_H

#include "codec/json_writer.h"
#include "roles/cache-slave/slave.h"

struct answer_subject {
    const struct license *license; /* that grants, else that was asked for; NULL: none */
    bool licensed;
    enum cache_state state;
    enum cache_basis basis;
    enum license_status status;         /* of the license that was asked for */
    enum license_status license_status; /* of `license` */
    int64_t confirmed_at_ms;            /* by the master; 0: never */
};

/* The subject of a judgement. It borrows the license of `view`. */
struct answer_subject answer_subject_of(const struct cache_slave *slave,
                                        const struct slave_view *view);

/* Writes the members that every answer begins with: licensed, edition, status, sync_status,
 * rests_on, last_sync. */
void answer_subject_write(const struct answer_subject *subject, struct json_writer *json);

/* Writes last_sync: when the master confirmed the cache, null when it never did (0). */
void answer_write_last_sync(int64_t confirmed_at_ms, struct json_writer *json);

/* Writes the members about the license: features, expires_at, grace_ends_at, license. */
void answer_subject_write_license(const struct answer_subject *subject, struct json_writer *json);

#endif
