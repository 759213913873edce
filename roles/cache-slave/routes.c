/*
 * The routes of the slave:
 *
 *   GET  /api/licenses/current        what this place may use, now
 *   GET  /api/licenses/{id}           the same for one license
 *   POST /api/licenses/check          {"feature":"nodes","amount":12}, or {"checks":[...]}
 *   GET  /api/licenses/sync-status
 *   POST /api/licenses/manual-sync    from this machine without a key, but not from a web page
 *   GET  /api/licenses                the feed, for slaves of this one; needs the shared key
 *   GET  /api/licenses/stream         the bell for them (WebSocket); needs the shared key
 *
 * Reads from this machine need no key and have no rate limit; from elsewhere they need the key.
 */
#include "app/license_feed.h"
#include "codec/json.h"
#include "roles/cache-slave/answers.h"
#include "roles/cache-slave/kept_answer.h"
#include "roles/cache-slave/slave.h"

/* A question with all its checks: 256 names of 64 bytes and their JSON. */
#define CHECK_BODY_BYTES ((size_t)64 * 1024)

/* ---- who may ask ---- */

static bool has_key(const struct cache_slave *slave, const struct http_request *request) {
    struct bytes key = api_key_of_request(request);
    return key.data && api_keys_match(&slave->keys, key);
}

static bool deny(struct http_request *request, const char *detail) {
    http_response_header(request, "WWW-Authenticate", "Bearer");
    http_respond_problem(request, 401, "key_missing", "An API key is needed", "%s", detail);
    return false;
}

static bool may_read(const struct cache_slave *slave, struct http_request *request) {
    return http_request_is_local(request) || has_key(slave, request) ||
           deny(request, "from another machine, send it as X-API-Key or Authorization: Bearer");
}

static bool may_sync(const struct cache_slave *slave, struct http_request *request) {
    bool by_hand = http_request_is_local(request) && !http_request_is_from_page(request);
    return by_hand || has_key(slave, request) ||
           deny(request, "only programs on this machine may do this without one");
}

/* ---- answering from memory, or after a sync ---- */

/* True when the answer has to wait for the master: past the grace, while the master may still have
 * a word to say. A stale answer has a sync begun behind it. */
static bool must_wait(struct cache_slave *slave, const struct slave_view *view) {
    if (view->state == CACHE_STALE) slave_sync(slave, CACHE_BY_HIT);
    return view->state == CACHE_FAILED && slave_sync(slave, CACHE_BY_DEMAND);
}

static void answer(struct cache_slave *slave, struct http_request *request,
                   slave_handler *respond) {
    struct slave_view view;
    if (!may_read(slave, request)) return;
    slave_look(slave, &view);
    if (must_wait(slave, &view))
        slave_wait(slave, request, respond);
    else
        respond(slave, request, &view, false);
}

static void send_json(struct http_request *request, struct buffer *body) {
    role_http_respond_json(request, 200, body);
    buffer_free(body);
}

/* ---- current ---- */

static void respond_current(struct cache_slave *slave, struct http_request *request,
                            const struct slave_view *view, bool waited) {
    slave_meters_answer(&slave->meters, view->state, view->basis, waited);
    role_http_respond_json(request, 200, kept_answer_write(slave->answer, slave, view));
}

static void answer_current(void *context, struct http_request *request) {
    answer(context, request, respond_current);
}

/* ---- one license ---- */

/* Takes a license off the shelf and judges it; NULL when there is none, or none that is good. */
static struct license *take(struct cache_slave *slave, const char *license_id,
                            struct slave_view *view, struct status *status) {
    struct shelf_entry *entry = license_shelf_find(slave->shelf, license_id);
    slave_observe(slave);
    if (!entry || entry->deleted) {
        status_fail(status, STATUS_NOT_FOUND, "no license with this id is here");
        return NULL;
    }
    struct license *license =
        license_shelf_take(slave->shelf, entry, slave->authority->ring, NULL, status);
    /* Once: what the master did not send again it does not have either, however often it is asked. */
    bool fetch_again = !license && license_shelf_lost(slave->shelf) > 0;
    if (fetch_again) slave_sync(slave, CACHE_BY_DEMAND);
    if (license) slave_judge(slave, license, entry, view);
    return license;
}

/* `current` is about another license. */
static void respond_one(struct cache_slave *slave, struct http_request *request,
                        const struct slave_view *current, bool waited) {
    (void)current;
    struct slave_view view;
    struct status status = STATUS_INIT;
    struct license *license = take(slave, http_request_path_value(request, "id"), &view, &status);
    if (!license) {
        bool absent = status.code == STATUS_NOT_FOUND;
        http_respond_problem(request, absent ? 404 : 503, status_code_name(status.code),
                             absent ? "There is no such license" : "The license is not good", "%s",
                             status.text);
        return;
    }
    struct buffer body;
    slave_meters_answer(&slave->meters, view.state, view.basis, waited);
    buffer_init(&body, ROLE_HTTP_ANSWER_BYTES);
    slave_answer_license(slave, &view, &body);
    send_json(request, &body);
    license_free(license);
}

static void answer_one(void *context, struct http_request *request) {
    answer(context, request, respond_one);
}

/* ---- checks ---- */

static void respond_check(struct cache_slave *slave, struct http_request *request,
                          const struct slave_view *view, bool waited) {
    struct status status = STATUS_INIT;
    struct buffer body;
    struct json_document *document =
        json_document_parse(http_request_body(request), CHECK_BODY_BYTES, &status);
    buffer_init(&body, ROLE_HTTP_ANSWER_BYTES);
    if (document && slave_answer_check(slave, view, json_document_root(document), &body, &status)) {
        slave_meters_answer(&slave->meters, view->state, view->basis, waited);
        role_http_respond_json(request, 200, &body);
    } else {
        http_respond_problem(request, 400, status_code_name(status.code),
                             "This is not a check of features", "%s", status.text);
    }
    buffer_free(&body);
    json_document_free(document);
}

static void answer_check(void *context, struct http_request *request) {
    answer(context, request, respond_check);
}

/* ---- the sync ---- */

static void answer_sync_status(void *context, struct http_request *request) {
    struct cache_slave *slave = context;
    struct slave_view view;
    struct buffer body;
    if (!may_read(slave, request)) return;
    slave_look(slave, &view);
    buffer_init(&body, ROLE_HTTP_ANSWER_BYTES);
    slave_answer_sync_status(slave, &view, &body);
    send_json(request, &body);
}

static void respond_manual_sync(struct cache_slave *slave, struct http_request *request,
                                const struct slave_view *view, bool waited) {
    (void)waited;
    if (!status_is_ok(&slave->sync_problem)) {
        http_respond_problem(request, 503, "sync_failed", "The master did not confirm", "%s",
                             slave->sync_problem.text);
        return;
    }
    if (slave->sync.phase == CACHE_SYNC_RUNNING && !slave->answering_fresh) {
        http_respond_problem(request, 503, "sync_runs", "The sync takes longer",
                             "it goes on; GET /api/licenses/sync-status tells how far it is");
        return;
    }
    struct buffer body;
    buffer_init(&body, ROLE_HTTP_ANSWER_BYTES);
    slave_answer_sync_status(slave, view, &body);
    send_json(request, &body);
}

static void answer_manual_sync(void *context, struct http_request *request) {
    struct cache_slave *slave = context;
    if (!may_sync(slave, request)) return;
    slave_observe(slave);
    slave_sync_by_hand(slave, request, respond_manual_sync);
    slave_settle(slave);
}

/* ---- for slaves of this one ---- */

static void answer_feed(void *context, struct http_request *request) {
    struct cache_slave *slave = context;
    if (!has_key(slave, request)) {
        deny(request, "what one cache tells another needs the shared key");
        return;
    }
    struct slave_view view;
    slave_look(slave, &view);
    if (view.age_ms == CACHE_NEVER_CONFIRMED) {
        http_response_header(request, "Retry-After", "1");
        http_respond_problem(request, 503, "not_confirmed", "This cache knows nothing yet",
                             "its own master has not confirmed it");
        return;
    }
    license_feed_answer(slave->shelf, slave->authority, view.age_ms, request);
}

static void answer_stream(void *context, struct http_request *request) {
    struct cache_slave *slave = context;
    const struct secret_digest *key = api_keys_find(&slave->keys, api_key_of_request(request));
    if (key)
        license_bell_add(slave->bell, request, bytes_of(key, sizeof *key));
    else
        deny(request, "what one cache tells another needs the shared key");
}

static const struct http_route routes[] = {
    {.method = "GET", .pattern = "/api/licenses", .handle = answer_feed},
    {.method = "GET",
     .pattern = "/api/licenses/stream",
     .handle = answer_stream,
     .judges_origin = true},
    {.method = "GET", .pattern = "/api/licenses/current", .handle = answer_current},
    {.method = "GET", .pattern = "/api/licenses/sync-status", .handle = answer_sync_status},
    {.method = "GET",
     .pattern = "/api/licenses/{id}",
     .handle = answer_one,
     .values_hold_slashes = true},
    {.method = "POST",
     .pattern = "/api/licenses/check",
     .handle = answer_check,
     .body_limit_bytes = CHECK_BODY_BYTES},
    {.method = "POST", .pattern = "/api/licenses/manual-sync", .handle = answer_manual_sync},
};

void slave_add_routes(struct cache_slave *slave) {
    http_server_add_routes(role_http_server(slave->http), routes, sizeof routes / sizeof routes[0],
                           slave);
}
