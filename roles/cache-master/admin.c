/*
 * The routes of the master:
 *
 *   GET    /api/licenses                        the feed for slaves               sync
 *   GET    /api/licenses/stream                 the bell (WebSocket)              sync
 *   GET    /api/licenses/{id}                   one license                       read
 *   GET    /api/admin/licenses?after=ID         a page of the list                read
 *   POST   /api/admin/licenses                  add or replace: a token, or armour  admin
 *   POST   /api/admin/licenses/{id}/revoke      {"reason":"..."}                  admin
 *   DELETE /api/admin/licenses/{id}                                               admin
 *   GET, POST /api/admin/keys, DELETE /api/admin/keys/{name}: slaves' own keys    admin
 */
#include <stdio.h>
#include <string.h>

#include "app/license_feed.h"
#include "app/token_file.h"
#include "base/clock.h"
#include "codec/json.h"
#include "codec/json_writer.h"
#include "roles/cache-master/intake.h"
#include "roles/cache-master/master.h"

/* Licenses on one page of the list: each is verified for it. */
#define LIST_PAGE 100

/* Bodies other than a license: {"name":"...","scopes":[...]}. */
#define SMALL_BODY_BYTES 4096

/* ---- answers ---- */

/* The HTTP status for a refusal. */
static int http_status_of(enum status_code code) {
    switch (code) {
    case STATUS_NOT_FOUND: return 404;
    case STATUS_OLD_SERIAL:
    case STATUS_BUSY: return 409;
    case STATUS_TOO_LARGE: return 413;
    case STATUS_IO:
    case STATUS_PERMISSION: return 503;
    default: return 422;
    }
}

static void refuse(struct http_request *request, const struct status *status) {
    http_respond_problem(request, http_status_of(status->code), status_code_name(status->code),
                         "The change was refused", "%s", status->text);
}

/* An answer under construction. */
struct reply {
    struct buffer body;
    struct json_writer json;
};

static void reply_begin(struct reply *reply) {
    buffer_init(&reply->body, ROLE_HTTP_ANSWER_BYTES);
    json_writer_init(&reply->json, &reply->body);
    json_writer_begin_object(&reply->json);
}

static void reply_send(struct reply *reply, struct http_request *request, int http_status) {
    struct status ignored = STATUS_INIT;
    json_writer_end_object(&reply->json);
    if (!json_writer_finish(&reply->json, "the answer", &ignored)) reply->body.failed = true;
    role_http_respond_json(request, http_status, &reply->body);
    buffer_wipe(&reply->body);
}

/* ---- reading ---- */

static void answer_feed(void *context, struct http_request *request) {
    struct cache_master *master = context;
    char actor[ACCESS_ACTOR_BYTES];
    if (!access_allow(&master->access, request, SLAVE_KEY_SYNC, actor)) return;
    metric_increment(master->meters.pulls);
    license_feed_answer(master->shelf, master->authority, 0, request);
    cache_master_tell_losses(master);
}

static void answer_stream(void *context, struct http_request *request) {
    struct cache_master *master = context;
    char actor[ACCESS_ACTOR_BYTES];
    if (access_allow(&master->access, request, SLAVE_KEY_SYNC, actor))
        stream_bell_add(master->bell, request);
}

static void answer_one(void *context, struct http_request *request) {
    struct cache_master *master = context;
    char actor[ACCESS_ACTOR_BYTES];
    if (!access_allow(&master->access, request, SLAVE_KEY_READ, actor)) return;
    const char *license_id = http_request_path_value(request, "id");
    struct shelf_entry *entry = license_shelf_find(master->shelf, license_id);
    if (!entry || entry->deleted) {
        http_respond_problem(request, 404, "not_found", "There is no such license",
                             "no license with this id is on the shelf");
        return;
    }
    struct reply reply;
    reply_begin(&reply);
    json_writer_name(&reply.json, "license");
    intake_write_summary(master->shelf, master->authority, entry, true, &reply.json);
    reply_send(&reply, request, 200);
}

/* The first index whose id is after `after`. */
static size_t index_after(struct license_shelf *shelf, const char *after) {
    size_t index = 0;
    const struct shelf_entry *entry;
    while (after && (entry = license_shelf_at(shelf, index)) &&
           strcmp(entry->license_id, after) <= 0)
        index++;
    return index;
}

static void answer_list(void *context, struct http_request *request) {
    struct cache_master *master = context;
    char actor[ACCESS_ACTOR_BYTES];
    struct shelf_entry *entry;
    struct reply reply;
    const char *last = NULL;
    if (!access_allow(&master->access, request, SLAVE_KEY_READ, actor)) return;
    size_t index = index_after(master->shelf, http_request_parameter(request, "after"));
    size_t listed = 0;
    reply_begin(&reply);
    json_writer_name(&reply.json, "licenses");
    json_writer_begin_array(&reply.json);
    while (listed < LIST_PAGE && (entry = license_shelf_at(master->shelf, index++))) {
        if (entry->deleted) continue;
        intake_write_summary(master->shelf, master->authority, entry, false, &reply.json);
        last = entry->license_id;
        listed++;
    }
    json_writer_end_array(&reply.json);
    json_writer_member_text(&reply.json, "after", listed == LIST_PAGE ? last : NULL);
    json_writer_member_integer(&reply.json, "count", (int64_t)license_shelf_count(master->shelf));
    reply_send(&reply, request, 200);
}

/* ---- changing licenses ---- */

static void answer_add(void *context, struct http_request *request) {
    struct cache_master *master = context;
    char actor[ACCESS_ACTOR_BYTES];
    struct status status = STATUS_INIT;
    struct shelf_entry *entry;
    if (!access_allow(&master->access, request, SLAVE_KEY_ADMIN, actor)) return;
    enum intake_result result = intake_offer(master->shelf, master->authority,
                                             http_request_body(request), actor, &entry, &status);
    if (result == INTAKE_REFUSED) {
        metric_increment(master->meters.refused_tokens);
        refuse(request, &status);
        return;
    }
    cache_master_changed(master);
    struct reply reply;
    reply_begin(&reply);
    json_writer_member_text(&reply.json, "result", intake_result_name(result));
    json_writer_name(&reply.json, "license");
    intake_write_summary(master->shelf, master->authority, entry, false, &reply.json);
    reply_send(&reply, request, result == INTAKE_ADDED ? 201 : 200);
}

static void change(struct cache_master *master, struct http_request *request,
                   const struct shelf_change *wanted, const char *actor) {
    struct status status = STATUS_INIT;
    if (!license_shelf_apply(master->shelf, wanted, 1, SHELF_DURABLE, actor, &status)) {
        refuse(request, &status);
        return;
    }
    cache_master_changed(master);
    struct reply reply;
    reply_begin(&reply);
    json_writer_member_text(&reply.json, "result",
                            wanted->act == SHELF_DELETE ? "deleted" : "revoked");
    json_writer_member_text(&reply.json, "license_id", wanted->license_id);
    reply_send(&reply, request, 200);
}

static void answer_delete(void *context, struct http_request *request) {
    struct cache_master *master = context;
    char actor[ACCESS_ACTOR_BYTES];
    if (!access_allow(&master->access, request, SLAVE_KEY_ADMIN, actor)) return;
    const struct shelf_change wanted = {.act = SHELF_DELETE,
                                        .license_id = http_request_path_value(request, "id")};
    change(master, request, &wanted, actor);
}

static void answer_revoke(void *context, struct http_request *request) {
    struct cache_master *master = context;
    char actor[ACCESS_ACTOR_BYTES];
    struct status status = STATUS_INIT;
    if (!access_allow(&master->access, request, SLAVE_KEY_ADMIN, actor)) return;
    struct bytes body = http_request_body(request);
    struct json_document *document =
        body.length ? json_document_parse(body, SMALL_BODY_BYTES, &status) : NULL;
    const struct json_value *root = document ? json_document_root(document) : NULL;
    const struct shelf_change wanted = {
        .act = SHELF_REVOKE,
        .license_id = http_request_path_value(request, "id"),
        .revoked_at_ms = clock_wall_ms(),
        .reason = json_member_text(root, "reason"),
    };
    if (status_is_ok(&status))
        change(master, request, &wanted, actor);
    else
        refuse(request, &status);
    json_document_free(document);
}

/* ---- slaves' keys ---- */

static void answer_keys(void *context, struct http_request *request) {
    struct cache_master *master = context;
    char actor[ACCESS_ACTOR_BYTES];
    if (!access_allow(&master->access, request, SLAVE_KEY_ADMIN, actor)) return;
    struct reply reply;
    reply_begin(&reply);
    json_writer_name(&reply.json, "keys");
    slave_keys_write(master->access.slave_keys, &reply.json);
    reply_send(&reply, request, 200);
}

/* The scopes that a request names; read and sync when it names none; 0 when one is unknown. */
static unsigned read_scopes(const struct json_value *scopes) {
    unsigned all = 0;
    if (!scopes) return SLAVE_KEY_READ | SLAVE_KEY_SYNC;
    for (size_t i = 0; i < json_value_count(scopes); i++) {
        unsigned scope = slave_key_scope_find(json_value_text(json_value_item(scopes, i)));
        if (scope == 0) return 0;
        all |= scope;
    }
    return all;
}

static bool add_key(struct cache_master *master, const struct json_value *root, const char *actor,
                    struct buffer *secret, struct status *status) {
    const char *name = json_member_text(root, "name");
    unsigned scopes = read_scopes(json_value_member(root, "scopes"));
    if (!name || scopes == 0)
        return status_fail(status, STATUS_USAGE,
                           "a key needs a name, and scopes of read, sync and admin");
    return slave_keys_add(master->access.slave_keys, name, scopes, actor, secret, status);
}

static void answer_add_key(void *context, struct http_request *request) {
    struct cache_master *master = context;
    char actor[ACCESS_ACTOR_BYTES];
    struct status status = STATUS_INIT;
    struct buffer secret;
    if (!access_allow(&master->access, request, SLAVE_KEY_ADMIN, actor)) return;
    buffer_init(&secret, API_KEY_BYTES_MAX);
    struct json_document *document =
        json_document_parse(http_request_body(request), SMALL_BODY_BYTES, &status);
    const struct json_value *root = document ? json_document_root(document) : NULL;
    if (root && add_key(master, root, actor, &secret, &status)) {
        struct reply reply;
        reply_begin(&reply);
        json_writer_member_text(&reply.json, "name", json_member_text(root, "name"));
        json_writer_member_text(&reply.json, "key", buffer_text(&secret));
        reply_send(&reply, request, 201);
    } else {
        refuse(request, &status);
    }
    buffer_wipe(&secret);
    json_document_free(document);
}

static void answer_remove_key(void *context, struct http_request *request) {
    struct cache_master *master = context;
    char actor[ACCESS_ACTOR_BYTES];
    struct status status = STATUS_INIT;
    if (!access_allow(&master->access, request, SLAVE_KEY_ADMIN, actor)) return;
    const char *name = http_request_path_value(request, "name");
    if (!slave_keys_remove(master->access.slave_keys, name, actor, &status)) {
        refuse(request, &status);
        return;
    }
    struct reply reply;
    reply_begin(&reply);
    json_writer_member_text(&reply.json, "result", "removed");
    reply_send(&reply, request, 200);
}

static const struct http_route routes[] = {
    {.method = "GET", .pattern = "/api/licenses", .handle = answer_feed},
    {.method = "GET",
     .pattern = "/api/licenses/stream",
     .handle = answer_stream,
     .judges_origin = true},
    {.method = "GET", .pattern = "/api/licenses/{id}", .handle = answer_one},
    {.method = "GET", .pattern = "/api/admin/licenses", .handle = answer_list},
    {.method = "POST",
     .pattern = "/api/admin/licenses",
     .handle = answer_add,
     .body_limit_bytes = TOKEN_FILE_BYTES},
    {.method = "DELETE", .pattern = "/api/admin/licenses/{id}", .handle = answer_delete},
    {.method = "POST", .pattern = "/api/admin/licenses/{id}/revoke", .handle = answer_revoke},
    {.method = "GET", .pattern = "/api/admin/keys", .handle = answer_keys},
    {.method = "POST", .pattern = "/api/admin/keys", .handle = answer_add_key},
    {.method = "DELETE", .pattern = "/api/admin/keys/{name}", .handle = answer_remove_key},
};

void cache_master_add_routes(struct cache_master *master) {
    http_server_add_routes(role_http_server(master->http), routes, sizeof routes / sizeof routes[0],
                           master);
}
