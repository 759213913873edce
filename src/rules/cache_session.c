#include "rules/cache_session.h"

#include <string.h>

void cache_session_init(struct cache_session *session, int64_t now_ms) {
    memset(session, 0, sizeof *session);
    session->key_until_ms = now_ms;
}

enum cache_credential cache_session_next(const struct cache_session *session, int64_t now_ms) {
    if (session->in_force && now_ms < session->renew_at_ms) return CACHE_SHOW_SESSION;
    return now_ms < session->key_until_ms ? CACHE_SHOW_KEY : CACHE_MAKE_SESSION;
}

void cache_session_made(struct cache_session *session, int64_t lifetime_ms, int64_t now_ms) {
    if (lifetime_ms <= 0) {
        cache_session_denied(session, false, now_ms);
        return;
    }
    if (lifetime_ms > CACHE_SESSION_LIFETIME_MAX_MS) lifetime_ms = CACHE_SESSION_LIFETIME_MAX_MS;
    int64_t margin_ms = lifetime_ms / CACHE_SESSION_MARGIN_DIVISOR;
    if (margin_ms > CACHE_SESSION_MARGIN_MAX_MS) margin_ms = CACHE_SESSION_MARGIN_MAX_MS;
    session->in_force = true;
    session->renew_at_ms = now_ms + lifetime_ms - margin_ms;
}

void cache_session_denied(struct cache_session *session, bool full, int64_t now_ms) {
    session->in_force = false;
    session->key_until_ms = now_ms + (full ? CACHE_SESSION_FULL_MS : CACHE_SESSION_ABSENT_MS);
}

bool cache_session_refused(struct cache_session *session) {
    bool is_first = !session->refused;
    session->in_force = false;
    session->refused = is_first;
    return is_first;
}

void cache_session_forget(struct cache_session *session) {
    session->in_force = false;
}

void cache_session_worked(struct cache_session *session) {
    session->refused = false;
}
