/*
 * Who may do what: every request under /api shows an API key or a session made with one, keys have
 * scopes, and keys and addresses have a rate. Over it the answer is 429 with Retry-After, without a
 * look at the key.
 */
#ifndef LSYS_ROLES_CACHE_MASTER_ACCESS_H
#define LSYS_ROLES_CACHE_MASTER_ACCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/api_keys.h"
#include "app/license_bell.h"
#include "app/metrics.h"
#include "net/http_request.h"
#include "roles/cache-master/sessions.h"
#include "roles/cache-master/slave_keys.h"
#include "rules/rate_limit.h"

/* Addresses whose rate is remembered; the one seen longest ago makes room. A thousand sites behind
 * one NAT are one address. */
#define ACCESS_ADDRESSES 256

/* A burst is this many seconds' worth: a slave that starts pulls many pages in a row. */
#define ACCESS_BURST_SECONDS 5

/* Room for who it was, in the audit log: "shared key from 192.0.2.1". */
#define ACCESS_ACTOR_BYTES 160

/* Sent by slaves: the digests of their machine's fingerprint, separated by commas. */
#define ACCESS_FINGERPRINT_HEADER "X-Slave-Fingerprint"

struct access_address {
    char host[ADDRESS_HOST_BYTES]; /* "" while unused */
    struct rate_limit limit;
    int64_t used_ms;
};

struct access {
    struct api_keys shared;        /* all scopes, bound to no machine */
    struct slave_keys *slave_keys; /* each its own scopes, bound to a machine */
    struct sessions *sessions;     /* each no more than the key it was made with */
    int64_t per_second;
    struct access_address addresses[ACCESS_ADDRESSES];
    struct rate_limit shared_limit; /* of the shared keys together, at ten times the rate */
    struct metric *denied;
    struct metric *throttled;
};

/* Who asks. */
struct access_caller {
    char actor[ACCESS_ACTOR_BYTES]; /* for the audit log */
    struct session_owner owner;     /* the key: shown, or behind the session that was shown */
    unsigned scopes;                /* SLAVE_KEY_... bits */
    const struct session *session;  /* NULL: the key itself was shown */
};

/* What is remembered of a caller that listens for changes, to end that with its key or session; a
 * session that ended at its time has done what it was for, and its listener goes on. */
struct access_badge {
    struct session_owner owner;
    char session_id[SESSION_ID_BYTES]; /* "" when the key itself was shown */
};
_Static_assert(sizeof(struct access_badge) <= LICENSE_BELL_BADGE_BYTES, "a listener has room");

struct access_badge access_badge_of(const struct access_caller *caller);

/* Begins without keys. `per_second` requests are allowed for an address and for a slave's key.
 * Keys and sessions are borrowed. */
void access_init(struct access *access, struct slave_keys *slave_keys, struct sessions *sessions,
                 int64_t per_second, struct metrics *metrics);

/* Decides about a request that needs one of `scopes`. True when it may go on. False when it was
 * answered: 429, 401, 403 or 409. */
bool access_allow(struct access *access, struct http_request *request, unsigned scopes,
                  struct access_caller *caller);

/* Answers 403 and counts it, for a call that wants more than a scope. False. */
bool access_forbid(struct access *access, struct http_request *request, const char *code,
                   const char *title, const char *detail);

#endif
