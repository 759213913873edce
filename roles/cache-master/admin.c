/*
 * The routes of the master that are about licenses:
 *
 *   GET    /api/licenses                        the feed for slaves               sync
 *   GET    /api/licenses/stream                 the bell (WebSocket)              sync
 *   GET    /api/licenses/{id}                   one license                       read
 *   GET    /api/admin/licenses?after=ID         a page of the list                read
 *   POST   /api/admin/licenses                  add or replace: a token, or armour  admin
 *   POST   /api/admin/licenses/{id}/revoke      {"reason":"..."}                  admin
 *   DELETE /api/admin/licenses/{id}                                               admin
 */
#include <string.h>

#include "app/license_feed.h"
#include "app/token_file.h"
#include "base/clock.h"
#include "codec/json.h"
#include "roles/cache-master/intake.h"
#include "roles/cache-master/master.h"
#include "roles/cache-master/reply.h"

/* Licenses on one page of the list: each is verified for it. */
#define LIST_PAGE 100

/* ---- reading ---- */

static void answer_feed(void *context, struct http_request *request) {
    struct cache_master *master = context;
    struct access_caller caller;
    if (!access_allow(&master->access, request, SLAVE_KEY_SYNC, &caller)) return;
    metric_increment(master->meters.pulls);
    license_feed_answer(master->shelf, master->authority, 0, request);
    cache_master_tell_losses(master);
}

static void answer_stream(void *context, struct http_request *request) {
    struct cache_master *master = context;
    struct access_caller caller;
    if (!access_allow(&master->access, request, SLAVE_KEY_SYNC, &caller)) return;
    struct access_badge badge = access_badge_of(&caller);
    license_bell_add(master->bell, request, bytes_of(&badge, sizeof badge));
}

static void answer_one(void *context, struct http_request *request) {
    struct cache_master *master = context;
    struct access_caller caller;
    if (!access_allow(&master->access, request, SLAVE_KEY_READ, &caller)) return;
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
    struct access_caller caller;
    struct shelf_entry *entry;
    struct reply reply;
    const char *last = NULL;
    if (!access_allow(&master->access, request, SLAVE_KEY_READ, &caller)) return;
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
    struct access_caller caller;
    struct status status = STATUS_INIT;
    struct shelf_entry *entry;
    if (!access_allow(&master->access, request, SLAVE_KEY_ADMIN, &caller)) return;
    enum intake_result result =
        intake_offer(master->shelf, master->authority, http_request_body(request), caller.actor,
                     &entry, &status);
    if (result == INTAKE_REFUSED) {
        metric_increment(master->meters.refused_tokens);
        reply_refuse(request, &status);
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
        reply_refuse(request, &status);
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
    struct access_caller caller;
    if (!access_allow(&master->access, request, SLAVE_KEY_ADMIN, &caller)) return;
    const struct shelf_change wanted = {.act = SHELF_DELETE,
                                        .license_id = http_request_path_value(request, "id")};
    change(master, request, &wanted, caller.actor);
}

static void answer_revoke(void *context, struct http_request *request) {
    struct cache_master *master = context;
    struct access_caller caller;
    struct status status = STATUS_INIT;
    if (!access_allow(&master->access, request, SLAVE_KEY_ADMIN, &caller)) return;
    struct bytes body = http_request_body(request);
    struct json_document *document =
        body.length ? json_document_parse(body, REPLY_SMALL_BODY_BYTES, &status) : NULL;
    const struct json_value *root = document ? json_document_root(document) : NULL;
    const struct shelf_change wanted = {
        .act = SHELF_REVOKE,
        .license_id = http_request_path_value(request, "id"),
        .revoked_at_ms = clock_wall_ms(),
        .reason = json_member_text(root, "reason"),
    };
    if (status_is_ok(&status))
        change(master, request, &wanted, caller.actor);
    else
        reply_refuse(request, &status);
    json_document_free(document);
}

static const struct http_route routes[] = {
    {.method = "GET", .pattern = "/api/licenses", .handle = answer_feed},
    {.method = "GET",
     .pattern = "/api/licenses/stream",
     .handle = answer_stream,
     .judges_origin = true},
    {.method = "GET",
     .pattern = "/api/licenses/{id}",
     .handle = answer_one,
     .values_hold_slashes = true},
    {.method = "GET", .pattern = "/api/admin/licenses", .handle = answer_list},
    {.method = "POST",
     .pattern = "/api/admin/licenses",
     .handle = answer_add,
     .body_limit_bytes = TOKEN_FILE_BYTES},
    {.method = "DELETE",
     .pattern = "/api/admin/licenses/{id}",
     .handle = answer_delete,
     .values_hold_slashes = true},
    {.method = "POST",
     .pattern = "/api/admin/licenses/{id}/revoke",
     .handle = answer_revoke,
     .values_hold_slashes = true},
};

void cache_master_add_routes(struct cache_master *master) {
    http_server_add_routes(role_http_server(master->http), routes, sizeof routes / sizeof routes[0],
                           master);
}
