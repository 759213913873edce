/*
 * What a license cache shows its master: a short-lived session that it made with its key, so that
 * the key itself travels rarely, or the key, where the master knows no sessions. Times are
 * monotonic milliseconds.
 *
 *     | known                             | shown for the page                      |
 *     |-----------------------------------|-----------------------------------------|
 *     | a session before its renewal      | SHOW_SESSION                            |
 *     | no session, or one near its end   | MAKE_SESSION first, with the key        |
 *     | the master knows none, or is full | SHOW_KEY                                |
 *
 *     | event                             | what follows                            |
 *     |-----------------------------------|-----------------------------------------|
 *     | a session was made                | shown until CACHE_SESSION_MARGIN before |
 *     |                                   | its end, then another is made           |
 *     | the master knows no sessions      | the key, for CACHE_SESSION_ABSENT_MS    |
 *     | the master has too many sessions  | the key, for CACHE_SESSION_FULL_MS      |
 *     | 401 to a session, the first time  | forgotten; MAKE_SESSION in the same try |
 *     | 401 to a session, once more       | forgotten; the try has failed           |
 *     | a page came                       | the next 401 is a first one             |
 *     | 401 to another connection         | forgotten; does not count as a 401      |
 *
 *                        made                       page, page ...
 *     [ none ] -- MAKE_SESSION --> [ in force ] --------+
 *        ^  ^                        |   |    ^         |
 *        |  +------- 401 ------------+   |    +---------+
 *        +----------- margin ------------+
 */
#ifndef LSYS_RULES_CACHE_SESSION_H
#define LSYS_RULES_CACHE_SESSION_H

#include <stdbool.h>
#include <stdint.h>

/* A session is not shown in this part of its life, nor in its last seconds: what is under way when
 * it ends would be refused. */
#define CACHE_SESSION_MARGIN_DIVISOR 10
#define CACHE_SESSION_MARGIN_MAX_MS  30000

/* A master that was upgraded is asked again after this; one that had no room, sooner. */
#define CACHE_SESSION_ABSENT_MS 3600000
#define CACHE_SESSION_FULL_MS   60000

/* No session is believed to last longer, so that nothing overflows. */
#define CACHE_SESSION_LIFETIME_MAX_MS 86400000

struct cache_session {
    bool in_force;
    int64_t renew_at_ms;
    int64_t key_until_ms; /* no session is asked for before this */
    bool refused;         /* a session was refused, and no page has come since */
};

enum cache_credential { CACHE_SHOW_SESSION, CACHE_MAKE_SESSION, CACHE_SHOW_KEY };

/* Begins with none. */
void cache_session_init(struct cache_session *session, int64_t now_ms);

/* What to show for the next page. */
enum cache_credential cache_session_next(const struct cache_session *session, int64_t now_ms);

/* A session was made that lasts `lifetime_ms`; one that does not last is taken as none. */
void cache_session_made(struct cache_session *session, int64_t lifetime_ms, int64_t now_ms);

/* None was made: the master knows no sessions, or has too many (`full`). */
void cache_session_denied(struct cache_session *session, bool full, int64_t now_ms);

/* The session was refused with 401. True when another is to be made in this try. */
bool cache_session_refused(struct cache_session *session);

/* The session was refused to another connection, such as one for push. */
void cache_session_forget(struct cache_session *session);

/* A page came, or the word that nothing has changed. */
void cache_session_worked(struct cache_session *session);

#endif
