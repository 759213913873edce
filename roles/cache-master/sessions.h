/*
 * Short-lived tokens that stand for an API key, so that the key itself travels rarely. A session is
 * made with a key, may do no more than it, and ends at its time, with its key, or when somebody
 * ends it. Only digests are kept, in memory alone: a restart of the master ends all sessions, and
 * their owners make new ones.
 *
 *     key --- POST /api/sessions ---> [ in force ] ---- its time, DELETE,
 *                                          |            its key removed ----> gone: 401
 *                                          '--> every use is judged by its key, too: the machine it
 *                                               is bound to (409), its rate (429), its scopes
 */
#ifndef LSYS_ROLES_CACHE_MASTER_SESSIONS_H
#define LSYS_ROLES_CACHE_MASTER_SESSIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "app/api_keys.h"
#include "app/metrics.h"
#include "base/attributes.h"
#include "base/buffer.h"
#include "base/bytes.h"
#include "base/status.h"
#include "codec/json_writer.h"
#include "loop/loop.h"
#include "roles/cache-master/slave_keys.h"
#include "verifier/secret.h"

/* Sessions of all keys: two for each slave that may listen (app/license_bell.h). Each
 * request that shows one compares with them all, in constant time: 64 KiB of digests. */
#define SESSIONS_MAX 2048

/* Sessions of one slave's key: a slave has one, and another while it changes them. One more ends
 * the oldest, so that a slave that lost its sessions in a crash loop always gets a new one. */
#define SESSIONS_OF_SLAVE_MAX 8

/* The public name of a session, for lists and for ending it: 72 random bits as base64url, NUL. */
#define SESSION_ID_BYTES 13

/* The key that a session was made with. */
struct session_owner {
    char key_name[SLAVE_KEY_NAME_BYTES]; /* "": one of the shared keys */
    struct secret_digest shared;         /* which one, then */
};

struct session {
    char id[SESSION_ID_BYTES];
    struct secret_digest digest;
    struct session_owner owner;
    unsigned scopes; /* SLAVE_KEY_... bits */
    int64_t created_at_ms;
    int64_t expires_at_ms; /* wall clock, to be shown */
    int64_t ends_at_ms;    /* monotonic, which counts */
};

struct sessions;

/* Begins without any. */
struct sessions *sessions_open(struct loop *loop, struct metrics *metrics);
void sessions_close(struct sessions *sessions);

/* Makes a session for `lifetime_ms`; `secret` (initialised) gets its token, 256 random bits as
 * base64url, to be shown once and wiped. Valid until the next change. NULL with STATUS_BUSY when
 * there are SESSIONS_MAX. */
const struct session *sessions_add(struct sessions *sessions, const struct session_owner *owner,
                                   unsigned scopes, int64_t lifetime_ms, struct buffer *secret,
                                   struct status *status) MUST_CHECK;

/* The session in force whose token this is, or NULL. Valid until the next change. */
const struct session *sessions_find(const struct sessions *sessions, struct bytes presented);

/* How long until the next session ends by itself; 0 when there is none. */
int64_t sessions_wait_ms(const struct sessions *sessions);

/* Ends the session with this id; false when there is none. */
bool sessions_end(struct sessions *sessions, const char *id);

/* Ends those of a slave's key, and those of shared keys that are not among `keys`. */
void sessions_end_of_key(struct sessions *sessions, const char *key_name);
void sessions_keep_shared(struct sessions *sessions, const struct api_keys *keys);

/* Writes an array of all sessions in force, without their tokens. */
void sessions_write(const struct sessions *sessions, struct json_writer *json);

#endif
