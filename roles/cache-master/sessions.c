#include "roles/cache-master/sessions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/random.h"
#include "codec/base64url.h"
#include "loop/timer.h"
#include "roles/cache-master/master.h"

#define TOKEN_RANDOM_BYTES 32
#define ID_RANDOM_BYTES    9

struct sessions {
    struct session *items[SESSIONS_MAX];
    size_t count;
    struct timer *cleanup; /* set to the end of the one that ends first */
    struct metric *in_force;
    struct metric *made;
};

/* ---- ending ---- */

static void set_cleanup(struct sessions *sessions) {
    metric_set(sessions->in_force, (double)sessions->count);
    if (sessions->count == 0)
        timer_stop(sessions->cleanup);
    else
        timer_start(sessions->cleanup, sessions_wait_ms(sessions));
}

static void remove_at(struct sessions *sessions, size_t index) {
    free(sessions->items[index]);
    sessions->items[index] = sessions->items[--sessions->count];
}

/* Ends every session for which `is_over(context, session)` holds. */
static void sweep(struct sessions *sessions, bool (*is_over)(void *, const struct session *),
                  void *context) {
    for (size_t i = 0; i < sessions->count;)
        if (is_over(context, sessions->items[i]))
            remove_at(sessions, i);
        else
            i++;
    set_cleanup(sessions);
}

static bool has_expired(void *context, const struct session *session) {
    const int64_t *now_ms = context;
    return session->ends_at_ms <= *now_ms;
}

static void end_expired(void *context) {
    int64_t now_ms = clock_monotonic_ms();
    sweep(context, has_expired, &now_ms);
}

static bool is_of_key(void *context, const struct session *session) {
    const char *key_name = context;
    return strcmp(session->owner.key_name, key_name) == 0;
}

void sessions_end_of_key(struct sessions *sessions, const char *key_name) {
    char name[SLAVE_KEY_NAME_BYTES];
    snprintf(name, sizeof name, "%s", key_name);
    sweep(sessions, is_of_key, name);
}

static bool has_lost_key(void *context, const struct session *session) {
    const struct api_keys *keys = context;
    return !session->owner.key_name[0] && !api_keys_hold(keys, &session->owner.shared);
}

void sessions_keep_shared(struct sessions *sessions, const struct api_keys *keys) {
    struct api_keys kept = *keys;
    sweep(sessions, has_lost_key, &kept);
}

bool sessions_end(struct sessions *sessions, const char *id) {
    for (size_t i = 0; i < sessions->count; i++) {
        if (strcmp(sessions->items[i]->id, id) != 0) continue;
        remove_at(sessions, i);
        set_cleanup(sessions);
        return true;
    }
    return false;
}

int64_t sessions_wait_ms(const struct sessions *sessions) {
    int64_t now_ms = clock_monotonic_ms(), wait_ms = INT64_MAX;
    for (size_t i = 0; i < sessions->count; i++)
        if (sessions->items[i]->ends_at_ms - now_ms < wait_ms)
            wait_ms = sessions->items[i]->ends_at_ms - now_ms;
    return sessions->count == 0 || wait_ms < 0 ? 0 : wait_ms;
}

/* ---- making ---- */

/* Makes room for one more session of a slave's key. */
static void end_oldest_of(struct sessions *sessions, const char *key_name) {
    const struct session *oldest = NULL;
    size_t count = 0;
    for (size_t i = 0; i < sessions->count; i++) {
        const struct session *session = sessions->items[i];
        if (strcmp(session->owner.key_name, key_name) != 0) continue;
        if (!oldest || session->ends_at_ms < oldest->ends_at_ms) oldest = session;
        count++;
    }
    if (count >= SESSIONS_OF_SLAVE_MAX) sessions_end(sessions, oldest->id);
}

static void make_token(struct session *session, struct buffer *secret) {
    uint8_t random[TOKEN_RANDOM_BYTES];
    random_bytes(random, sizeof random);
    base64url_append(secret, bytes_of(random, sizeof random));
    memory_wipe(random, sizeof random);
    session->digest = secret_digest_of(buffer_bytes(secret));
    uint8_t name[ID_RANDOM_BYTES];
    random_bytes(name, sizeof name);
    base64url_encode(bytes_of(name, sizeof name), session->id);
}

const struct session *sessions_add(struct sessions *sessions, const struct session_owner *owner,
                                   unsigned scopes, int64_t lifetime_ms, struct buffer *secret,
                                   struct status *status) {
    if (owner->key_name[0]) end_oldest_of(sessions, owner->key_name);
    if (sessions->count == SESSIONS_MAX) {
        status_fail(status, STATUS_BUSY, "there are %d sessions already; use the key itself",
                    SESSIONS_MAX);
        return NULL;
    }
    struct session *session = memory_new(sizeof *session);
    session->owner = *owner;
    session->scopes = scopes;
    session->created_at_ms = clock_wall_ms();
    session->expires_at_ms = session->created_at_ms + lifetime_ms;
    session->ends_at_ms = clock_monotonic_ms() + lifetime_ms;
    make_token(session, secret);
    sessions->items[sessions->count++] = session;
    metric_increment(sessions->made);
    set_cleanup(sessions);
    return session;
}

/* ---- using ---- */

const struct session *sessions_find(const struct sessions *sessions, struct bytes presented) {
    const struct secret_digest digest = secret_digest_of(presented);
    const struct session *found = NULL;
    for (size_t i = 0; i < sessions->count; i++)
        if (secret_digests_match(&sessions->items[i]->digest, &digest)) found = sessions->items[i];
    return found && found->ends_at_ms > clock_monotonic_ms() ? found : NULL;
}

void sessions_write(const struct sessions *sessions, struct json_writer *json) {
    json_writer_begin_array(json);
    for (size_t i = 0; i < sessions->count; i++) {
        const struct session *session = sessions->items[i];
        json_writer_begin_object(json);
        json_writer_member_text(json, "id", session->id);
        json_writer_member_text(json, "key",
                                session->owner.key_name[0] ? session->owner.key_name : NULL);
        slave_key_write_scopes(session->scopes, json);
        json_writer_member_time(json, "created_at", session->created_at_ms);
        json_writer_member_time(json, "expires_at", session->expires_at_ms);
        json_writer_end_object(json);
    }
    json_writer_end_array(json);
}

/* ---- life ---- */

struct sessions *sessions_open(struct loop *loop, struct metrics *metrics) {
    struct sessions *sessions = memory_new(sizeof *sessions);
    sessions->cleanup = timer_open(loop, end_expired, sessions);
    sessions->in_force = metrics_gauge(metrics, "lsys_cache_sessions", "Sessions in force.", "role",
                                       CACHE_MASTER_NAME, NULL);
    sessions->made = metrics_counter(metrics, "lsys_cache_sessions_made_total",
                                     "Sessions that were made.", "role", CACHE_MASTER_NAME, NULL);
    return sessions;
}

void sessions_close(struct sessions *sessions) {
    if (!sessions) return;
    timer_close(sessions->cleanup);
    for (size_t i = 0; i < sessions->count; i++)
        free(sessions->items[i]);
    free(sessions);
}
