#include "roles/cache-master/access.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "roles/cache-master/master.h"

/* The shared key belongs to a whole site: its slaves together get this many times an address's
 * rate. */
#define SHARED_RATE_FACTOR 10

void access_init(struct access *access, struct slave_keys *slave_keys, struct sessions *sessions,
                 int64_t per_second, struct metrics *metrics) {
    int64_t shared = SHARED_RATE_FACTOR * per_second;
    memset(access, 0, sizeof *access);
    access->slave_keys = slave_keys;
    access->sessions = sessions;
    access->per_second = per_second;
    rate_limit_init(&access->shared_limit, shared, ACCESS_BURST_SECONDS * shared,
                    clock_monotonic_ms());
    access->denied = metrics_counter(metrics, "lsys_cache_access_denied_total",
                                     "Requests without a good key, scope or machine.", "role",
                                     CACHE_MASTER_NAME, NULL);
    access->throttled = metrics_counter(metrics, "lsys_cache_throttled_total",
                                        "Requests over the rate of their key or address.", "role",
                                        CACHE_MASTER_NAME, NULL);
}

/* ---- rates ---- */

static struct access_address *find_address(struct access *access, const char *host,
                                           int64_t now_ms) {
    struct access_address *oldest = &access->addresses[0];
    for (size_t i = 0; i < ACCESS_ADDRESSES; i++) {
        struct access_address *address = &access->addresses[i];
        if (strcmp(address->host, host) == 0) return address;
        if (address->used_ms < oldest->used_ms) oldest = address;
    }
    snprintf(oldest->host, sizeof oldest->host, "%s", host);
    rate_limit_init(&oldest->limit, access->per_second, ACCESS_BURST_SECONDS * access->per_second,
                    now_ms);
    return oldest;
}

/* Answers 429 when the bucket is empty. */
static bool take(struct access *access, struct rate_limit *limit, struct http_request *request,
                 const char *whose, int64_t now_ms) {
    char seconds[24];
    if (rate_limit_take(limit, now_ms)) return true;
    int64_t wait_ms = rate_limit_wait_ms(limit, now_ms);
    snprintf(seconds, sizeof seconds, "%lld", (long long)((wait_ms + 999) / 1000));
    http_response_header(request, "Retry-After", seconds);
    metric_increment(access->throttled);
    http_respond_problem(request, 429, "too_many_requests", "Too many requests",
                         "the rate of this %s is used up; try again in %s s", whose, seconds);
    return false;
}

/* A caller that was gone before it was asked for its address has none: all of these share a rate. */
static const char *name_peer(const struct address *peer) {
    if (peer->kind != ADDRESS_TCP) return "unix";
    return peer->host[0] ? peer->host : "gone";
}

static bool take_address(struct access *access, struct http_request *request, int64_t now_ms) {
    struct access_address *address =
        find_address(access, name_peer(http_request_peer(request)), now_ms);
    address->used_ms = now_ms;
    return take(access, &address->limit, request, "address", now_ms);
}

/* ---- keys ---- */

static bool deny(struct access *access, struct http_request *request, int status, const char *code,
                 const char *title, const char *detail) {
    metric_increment(access->denied);
    if (status == 401) http_response_header(request, "WWW-Authenticate", "Bearer");
    http_respond_problem(request, status, code, title, "%s", detail);
    return false;
}

bool access_forbid(struct access *access, struct http_request *request, const char *code,
                   const char *title, const char *detail) {
    return deny(access, request, 403, code, title, detail);
}

/* The machine that a slave's own key belongs to; sessions made with it cannot leave it either. */
static bool check_machine(struct access *access, struct http_request *request,
                          struct slave_key *key) {
    struct bytes fingerprint = http_request_header(request, ACCESS_FINGERPRINT_HEADER);
    switch (slave_keys_check_machine(access->slave_keys, key, fingerprint)) {
    case SLAVE_KEY_MACHINE_FITS: return true;
    case SLAVE_KEY_MACHINE_UNKNOWN:
        return deny(access, request, 400, "fingerprint_missing", "The machine is not named",
                    "a key of one slave is used with the header " ACCESS_FINGERPRINT_HEADER
                    ", which lsys cache-slave sends");
    case SLAVE_KEY_MACHINE_DIFFERS: break;
    }
    return deny(
        access, request, 409, "key_of_another_machine", "The key belongs to another machine",
        "this key is bound to the machine that used it first; make a key for this one "
        "(`lsys licenses key add NAME`), or remove and make it anew if the machine changed");
}

/* ---- who asks ---- */

/* A session is shown as a bearer token only: X-API-Key is for keys. */
static bool is_session(const struct access *access, const struct http_request *request,
                       struct access_caller *caller) {
    if (http_request_header(request, "X-API-Key").data) return false;
    struct bytes token = http_request_bearer_token(request);
    const struct session *session = token.data ? sessions_find(access->sessions, token) : NULL;
    if (!session) return false;
    caller->session = session;
    caller->owner = session->owner;
    caller->scopes = session->scopes;
    return true;
}

static bool is_shared_key(const struct access *access, struct bytes presented,
                          struct access_caller *caller) {
    const struct secret_digest *digest = api_keys_find(&access->shared, presented);
    if (!digest) return false;
    caller->owner.shared = *digest;
    caller->scopes = SLAVE_KEY_ALL;
    return true;
}

static bool is_slave_key(const struct access *access, struct bytes presented,
                         struct access_caller *caller) {
    const struct slave_key *key = slave_keys_find(access->slave_keys, presented);
    if (!key) return false;
    snprintf(caller->owner.key_name, sizeof caller->owner.key_name, "%s", key->name);
    caller->scopes = key->scopes;
    return true;
}

/* Answers 401 when nobody known asks. */
static bool identify(struct access *access, struct http_request *request,
                     struct access_caller *caller) {
    struct bytes presented = api_key_of_request(request);
    memset(caller, 0, sizeof *caller);
    if (!presented.data)
        return deny(access, request, 401, "key_missing", "An API key is needed",
                    "send it as X-API-Key or Authorization: Bearer");
    if (!is_session(access, request, caller) && !is_shared_key(access, presented, caller) &&
        !is_slave_key(access, presented, caller))
        return deny(access, request, 401, "key_unknown", "The API key is not known here",
                    "it is neither one of SECRET_INTERNAL_API_KEY (--api-key-file) nor a slave's, "
                    "nor a session in force");
    const char *name = caller->owner.key_name;
    snprintf(caller->actor, sizeof caller->actor, "%s%s%.64s from %.64s",
             caller->session ? "session of " : "", name[0] ? "key " : "shared key", name,
             http_request_peer(request)->host);
    return true;
}

struct access_badge access_badge_of(const struct access_caller *caller) {
    struct access_badge badge = {.owner = caller->owner};
    if (caller->session)
        snprintf(badge.session_id, sizeof badge.session_id, "%s", caller->session->id);
    return badge;
}

bool access_allow(struct access *access, struct http_request *request, unsigned scopes,
                  struct access_caller *caller) {
    int64_t now_ms = clock_monotonic_ms();
    if (!take_address(access, request, now_ms) || !identify(access, request, caller)) return false;
    struct slave_key *key = caller->owner.key_name[0]
                                ? slave_keys_named(access->slave_keys, caller->owner.key_name)
                                : NULL;
    if (!take(access, key ? &key->limit : &access->shared_limit, request, "key", now_ms))
        return false;
    if (!(caller->scopes & scopes))
        return access_forbid(access, request, "scope_missing", "The key may not do this",
                             "the key's scopes do not include what this call needs");
    return !key || check_machine(access, request, key);
}
