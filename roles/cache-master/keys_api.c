/*
 * The routes of the master that are about who may ask:
 *
 *   POST   /api/sessions              {"scopes":[...],"lifetime_ms":n}: a session    any key
 *   DELETE /api/sessions/current      ends the session that is shown                 any session
 *   GET    /api/admin/sessions                                                       admin
 *   DELETE /api/admin/sessions/{id}                                                  admin
 *   GET, POST /api/admin/keys, DELETE /api/admin/keys/{name}: slaves' own keys       admin
 */
#include <string.h>

#include "base/clock.h"
#include "codec/json.h"
#include "roles/cache-master/master.h"
#include "roles/cache-master/reply.h"
#include "store/audit.h"

/* The scopes that a request names; 0 when it names none, or one that is unknown. */
static unsigned read_scopes(const struct json_value *scopes) {
    unsigned all = 0;
    for (size_t i = 0; i < json_value_count(scopes); i++) {
        unsigned scope = slave_key_scope_find(json_value_text(json_value_item(scopes, i)));
        if (scope == 0) return 0;
        all |= scope;
    }
    return all;
}

/* ---- sessions ---- */

/* What is asked for: by default everything that the key may do, for as long as is allowed. */
struct session_wish {
    unsigned scopes;
    int64_t lifetime_ms;
};

static bool read_wish(const struct json_value *root, struct session_wish *wish,
                      struct status *status) {
    const struct json_value *scopes = json_value_member(root, "scopes");
    const struct json_value *lifetime = json_value_member(root, "lifetime_ms");
    int64_t lifetime_ms = wish->lifetime_ms;
    if (scopes && (wish->scopes = read_scopes(scopes)) == 0)
        return status_fail(status, STATUS_USAGE,
                           "\"scopes\" is an array of \"read\", \"sync\" and \"admin\"");
    if (lifetime && (!json_value_integer(lifetime, &lifetime_ms) || lifetime_ms < 1))
        return status_fail(status, STATUS_USAGE,
                           "\"lifetime_ms\" is a number of milliseconds above 0");
    if (lifetime_ms < wish->lifetime_ms) wish->lifetime_ms = lifetime_ms;
    return true;
}

static bool read_session_body(struct http_request *request, struct session_wish *wish,
                              struct status *status) {
    struct bytes body = http_request_body(request);
    if (body.length == 0) return true;
    struct json_document *document = json_document_parse(body, REPLY_SMALL_BODY_BYTES, status);
    bool read = document && read_wish(json_document_root(document), wish, status);
    json_document_free(document);
    return read;
}

/* With a session that may change things the log says where it came from; those that only read and
 * pull are made by every slave several times an hour, and are counted. */
static bool audit_session(struct cache_master *master, const struct access_caller *caller,
                          unsigned scopes, struct status *status) {
    return !(scopes & SLAVE_KEY_ADMIN) || audit_append(master->context->store, clock_wall_ms(),
                                                       caller->actor, "session_add", "{}", status);
}

static void make_session(struct cache_master *master, struct http_request *request,
                         const struct access_caller *caller, const struct session_wish *wish) {
    struct status status = STATUS_INIT;
    struct buffer secret;
    const struct session *session = NULL;
    buffer_init(&secret, API_KEY_BYTES_MAX);
    if (audit_session(master, caller, wish->scopes, &status))
        session = sessions_add(master->sessions, &caller->owner, wish->scopes, wish->lifetime_ms,
                               &secret, &status);
    if (session) {
        struct reply reply;
        reply_begin(&reply);
        json_writer_member_text(&reply.json, "session", buffer_text(&secret));
        json_writer_member_text(&reply.json, "id", session->id);
        slave_key_write_scopes(session->scopes, &reply.json);
        json_writer_member_integer(&reply.json, "expires_in_ms", wish->lifetime_ms);
        json_writer_member_time(&reply.json, "expires_at", session->expires_at_ms);
        reply_send(&reply, request, 201);
    } else if (status.code == STATUS_BUSY) {
        http_respond_problem(request, 503, "too_many_sessions", "There are too many sessions", "%s",
                             status.text);
    } else {
        reply_refuse(request, &status);
    }
    buffer_wipe(&secret);
}

static void answer_add_session(void *context, struct http_request *request) {
    struct cache_master *master = context;
    struct access_caller caller;
    struct status status = STATUS_INIT;
    if (!access_allow(&master->access, request, SLAVE_KEY_ALL, &caller)) return;
    struct session_wish wish = {
        .scopes = caller.scopes,
        .lifetime_ms = options_duration_ms(master->context->options, "session_lifetime"),
    };
    if (caller.session)
        access_forbid(&master->access, request, "key_needed", "A session makes no sessions",
                      "show the key itself, so that no session outlives what its key allows");
    else if (!read_session_body(request, &wish, &status))
        reply_refuse(request, &status);
    else if (wish.scopes & ~caller.scopes)
        access_forbid(&master->access, request, "scope_missing", "The key may not do this",
                      "a session has no scope that its key does not have");
    else
        make_session(master, request, &caller, &wish);
}

static void send_ended(struct http_request *request) {
    struct reply reply;
    reply_begin(&reply);
    json_writer_member_text(&reply.json, "result", "ended");
    reply_send(&reply, request, 200);
}

static bool is_of_session(const void *id, const void *badge) {
    return strcmp(((const struct access_badge *)badge)->session_id, id) == 0;
}

static void answer_end_own_session(void *context, struct http_request *request) {
    struct cache_master *master = context;
    struct access_caller caller;
    if (!access_allow(&master->access, request, SLAVE_KEY_ALL, &caller)) return;
    if (!caller.session) {
        http_respond_problem(request, 409, "no_session", "No session was shown",
                             "this call ends the session in Authorization: Bearer; a key is "
                             "removed with DELETE /api/admin/keys/{name}");
        return;
    }
    license_bell_end(master->bell, is_of_session, caller.session->id);
    sessions_end(master->sessions, caller.session->id);
    send_ended(request);
}

static void answer_sessions(void *context, struct http_request *request) {
    struct cache_master *master = context;
    struct access_caller caller;
    if (!access_allow(&master->access, request, SLAVE_KEY_ADMIN, &caller)) return;
    struct reply reply;
    reply_begin(&reply);
    json_writer_name(&reply.json, "sessions");
    sessions_write(master->sessions, &reply.json);
    reply_send(&reply, request, 200);
}

static bool end_session(struct cache_master *master, const char *id, const char *actor,
                        struct status *status) {
    if (!sessions_end(master->sessions, id))
        return status_fail(status, STATUS_NOT_FOUND, "there is no session with this id");
    license_bell_end(master->bell, is_of_session, id);
    return audit_append(master->context->store, clock_wall_ms(), actor, "session_end", "{}",
                        status);
}

static void answer_end_session(void *context, struct http_request *request) {
    struct cache_master *master = context;
    struct access_caller caller;
    struct status status = STATUS_INIT;
    if (!access_allow(&master->access, request, SLAVE_KEY_ADMIN, &caller)) return;
    if (end_session(master, http_request_path_value(request, "id"), caller.actor, &status))
        send_ended(request);
    else
        reply_refuse(request, &status);
}

/* ---- slaves' keys ---- */

static void answer_keys(void *context, struct http_request *request) {
    struct cache_master *master = context;
    struct access_caller caller;
    if (!access_allow(&master->access, request, SLAVE_KEY_ADMIN, &caller)) return;
    struct reply reply;
    reply_begin(&reply);
    json_writer_name(&reply.json, "keys");
    slave_keys_write(master->access.slave_keys, &reply.json);
    reply_send(&reply, request, 200);
}

static bool add_key(struct cache_master *master, const struct json_value *root, const char *actor,
                    struct buffer *secret, struct status *status) {
    const char *name = json_member_text(root, "name");
    const struct json_value *named = json_value_member(root, "scopes");
    unsigned scopes = named ? read_scopes(named) : SLAVE_KEY_READ | SLAVE_KEY_SYNC;
    if (!name || scopes == 0)
        return status_fail(status, STATUS_USAGE,
                           "a key needs a name, and scopes of read, sync and admin");
    return slave_keys_add(master->access.slave_keys, name, scopes, actor, secret, status);
}

static void answer_add_key(void *context, struct http_request *request) {
    struct cache_master *master = context;
    struct access_caller caller;
    struct status status = STATUS_INIT;
    struct buffer secret;
    if (!access_allow(&master->access, request, SLAVE_KEY_ADMIN, &caller)) return;
    buffer_init(&secret, API_KEY_BYTES_MAX);
    struct json_document *document =
        json_document_parse(http_request_body(request), REPLY_SMALL_BODY_BYTES, &status);
    const struct json_value *root = document ? json_document_root(document) : NULL;
    if (root && add_key(master, root, caller.actor, &secret, &status)) {
        struct reply reply;
        reply_begin(&reply);
        json_writer_member_text(&reply.json, "name", json_member_text(root, "name"));
        json_writer_member_text(&reply.json, "key", buffer_text(&secret));
        reply_send(&reply, request, 201);
    } else {
        reply_refuse(request, &status);
    }
    buffer_wipe(&secret);
    json_document_free(document);
}

static bool is_of_key(const void *name, const void *badge) {
    return strcmp(((const struct access_badge *)badge)->owner.key_name, name) == 0;
}

static void answer_remove_key(void *context, struct http_request *request) {
    struct cache_master *master = context;
    struct access_caller caller;
    struct status status = STATUS_INIT;
    if (!access_allow(&master->access, request, SLAVE_KEY_ADMIN, &caller)) return;
    const char *name = http_request_path_value(request, "name");
    if (!slave_keys_remove(master->access.slave_keys, name, caller.actor, &status)) {
        reply_refuse(request, &status);
        return;
    }
    sessions_end_of_key(master->sessions, name);
    license_bell_end(master->bell, is_of_key, name);
    struct reply reply;
    reply_begin(&reply);
    json_writer_member_text(&reply.json, "result", "removed");
    reply_send(&reply, request, 200);
}

static const struct http_route routes[] = {
    {.method = "POST", .pattern = "/api/sessions", .handle = answer_add_session},
    {.method = "DELETE", .pattern = "/api/sessions/current", .handle = answer_end_own_session},
    {.method = "GET", .pattern = "/api/admin/sessions", .handle = answer_sessions},
    {.method = "DELETE", .pattern = "/api/admin/sessions/{id}", .handle = answer_end_session},
    {.method = "GET", .pattern = "/api/admin/keys", .handle = answer_keys},
    {.method = "POST", .pattern = "/api/admin/keys", .handle = answer_add_key},
    {.method = "DELETE", .pattern = "/api/admin/keys/{name}", .handle = answer_remove_key},
};

void cache_master_add_key_routes(struct cache_master *master) {
    http_server_add_routes(role_http_server(master->http), routes, sizeof routes / sizeof routes[0],
                           master);
}
