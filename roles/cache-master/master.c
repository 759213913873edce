#include "roles/cache-master/master.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/alerts.h"
#include "app/health.h"
#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "roles/cache-master/master_files.h"
#include "roles/cache-master/place.h"
#include "store/store.h"

/* How soon the vendor's lists are on a disk that takes something again. */
#define SAVING_INTERVAL_MS 1000

/* ---- what is told ---- */

static void register_meters(struct cache_master *master) {
    struct metrics *metrics = master->context->metrics;
    struct master_meters *meters = &master->meters;
    meters->licenses = metrics_gauge(metrics, "lsys_cache_licenses", "Licenses held.", "role",
                                     CACHE_MASTER_NAME, NULL);
    meters->sequence =
        metrics_gauge(metrics, "lsys_cache_sequence", "The number of the newest change.", "role",
                      CACHE_MASTER_NAME, NULL);
    meters->lost = metrics_gauge(metrics, "lsys_cache_damaged_licenses",
                                 "Licenses, or changes to them, lost with damage to the state.",
                                 "role", CACHE_MASTER_NAME, NULL);
    meters->pulls =
        metrics_counter(metrics, "lsys_cache_pulls_total", "Requests of slaves for what is new.",
                        "role", CACHE_MASTER_NAME, NULL);
    meters->refused_tokens =
        metrics_counter(metrics, "lsys_cache_refused_licenses_total",
                        "Licenses that were offered and refused.", "role", CACHE_MASTER_NAME, NULL);
}

void cache_master_tell_losses(struct cache_master *master) {
    size_t lost = license_shelf_lost(master->shelf);
    char text[HEALTH_REASON_BYTES];
    if (lost == master->told_lost) return;
    master->told_lost = lost;
    metric_set(master->meters.lost, (double)lost);
    snprintf(
        text, sizeof text,
        "%zu licenses, or changes to them, were lost with damage to the state: add them again, "
        "and revoke or remove again what was",
        lost);
    /* Ready all the same: a master that was taken out of service would cost slaves all licenses. */
    health_set(master->context->health, "shelf", true, text);
    alerts_raise(master->context->alerts, ALERT_CRITICAL, CACHE_MASTER_NAME, "licenses_lost", text);
}

/* Once for each state of shelf and lists. */
static void tell_slaves(struct cache_master *master) {
    char etag[LICENSE_FEED_ETAG_BYTES];
    license_feed_etag(master->shelf, master->authority, etag);
    if (strcmp(etag, master->told) == 0) return;
    memcpy(master->told, etag, sizeof etag);
    license_bell_ring(master->bell);
    change_hints_tell(master->hints, master->shelf, master->authority);
}

void cache_master_changed(struct cache_master *master) {
    metric_set(master->meters.licenses, (double)license_shelf_count(master->shelf));
    metric_set(master->meters.sequence, (double)license_shelf_sequence(master->shelf));
    cache_master_tell_losses(master);
    tell_slaves(master);
}

/* ---- the disk ---- */

/* Saves what the disk refused: a list that only memory knew would give way to an older one after a
 * crash. */
static void save(void *context) {
    struct cache_master *master = context;
    bool merged = ledger_catch_up(master->ledger);
    if (merged) authority_follow_merge(master->authority);
    if (master_files_catch_up(master->files) || merged) cache_master_changed(master);
}

/* ---- starting ---- */

static bool load_keys(struct cache_master *master, struct status *status) {
    const struct role_context *context = master->context;
    bool made;
    if (!api_keys_load_or_make(&master->access.shared, context->options,
                               store_folder(context->store), &made, status))
        return false;
    if (made)
        log_event(LOG_INFO, CACHE_MASTER_NAME, "made an API key, since none is configured",
                  "folder", store_folder(context->store), "file", API_KEY_FILE_NAME, NULL);
    return true;
}

static bool open_state(struct cache_master *master, struct status *status) {
    struct role_context *context = master->context;
    int64_t per_second = options_integer(context->options, "rate_limit");
    master->ledger = ledger_open(context->store, CACHE_MASTER_NAME);
    master->authority = authority_open(master->ledger);
    master->files = master_files_open(master);
    if (!master_files_load_authority(master->files, context->options, status)) return false;
    master->shelf = license_shelf_open(context->store, CACHE_MASTER_NAME, status);
    if (!master->shelf) return false;
    master->bell = license_bell_open(master->shelf, context->metrics, CACHE_MASTER_NAME);
    struct slave_keys *slave_keys = slave_keys_open(context->store, per_second, status);
    if (!slave_keys) return false;
    master->sessions = sessions_open(context->loop, context->metrics);
    access_init(&master->access, slave_keys, master->sessions, per_second, context->metrics);
    return load_keys(master, status);
}

/* For `lsys licenses --data-dir`: where to find the master that has the folder. */
static void leave_address(const struct cache_master *master) {
    struct status status = STATUS_INIT;
    char *path = file_join(store_folder(master->context->store), MASTER_URL_FILE_NAME);
    if (!file_replace(path, bytes_of_text(role_http_url(master->http)), 0644, &status))
        log_event(LOG_WARNING, CACHE_MASTER_NAME, "the address cannot be left in the data folder",
                  "why", status.text, NULL);
    free(path);
}

/* After a connection was lost, hints may have been, too. */
static void tell_again(void *owner) {
    struct cache_master *master = owner;
    change_hints_tell(master->hints, master->shelf, master->authority);
}

static const struct change_hints_callbacks hint_callbacks = {.on_connected = tell_again};

bool cache_master_start(struct role_context *context, struct status *status) {
    struct cache_master *master = memory_new(sizeof *master);
    master->context = context;
    context->state = master;
    register_meters(master);
    const struct role_http_service service = {.api_keys = true};
    if (open_state(master, status) &&
        change_hints_open(context, &hint_callbacks, master, &master->hints, status))
        master->http = role_http_open_service(context, "http", &service, status);
    if (!master->http) {
        cache_master_stop(context);
        return false;
    }
    master_files_import(master->files, context->options);
    cache_master_add_routes(master);
    cache_master_add_key_routes(master);
    leave_address(master);
    cache_master_changed(master);
    master->saving = timer_open(context->loop, save, master);
    timer_start_repeating(master->saving, SAVING_INTERVAL_MS);
    master->started = true;
    return true;
}

static bool has_lost_key(const void *keys, const void *badge) {
    const struct session_owner *owner = &((const struct access_badge *)badge)->owner;
    return !owner->key_name[0] && !api_keys_hold(keys, &owner->shared);
}

/* What was made with a key that is gone ends with it. */
static void take_shared_keys(struct cache_master *master, const struct api_keys *keys) {
    master->access.shared = *keys;
    sessions_keep_shared(master->sessions, keys);
    license_bell_end(master->bell, has_lost_key, keys);
}

bool cache_master_reload(struct role_context *context, const struct options *fresh,
                         struct status *status) {
    struct cache_master *master = context->state;
    struct api_keys keys = {.count = 0};
    if (!api_keys_load(&keys, fresh, status) ||
        !master_files_load_authority(master->files, fresh, status))
        return false;
    if (keys.count > 0) take_shared_keys(master, &keys);
    master_files_follow(master->files, fresh);
    cache_master_changed(master);
    return true;
}

/* ---- stopping ---- */

static void finish(struct cache_master *master) {
    struct role_context *role = master->context;
    bool started = master->started;
    slave_keys_close(master->access.slave_keys);
    license_shelf_close(master->shelf);
    authority_close(master->authority);
    ledger_close(master->ledger);
    free(master);
    role->state = NULL;
    if (started) role->stopped(role);
}

static void part_closed(void *context) {
    struct cache_master *master = context;
    if (--master->open_parts == 0) finish(master);
}

void cache_master_stop(struct role_context *context) {
    struct cache_master *master = context->state;
    if (!master || master->stopping) return;
    master->stopping = true;
    struct role_http *http = master->http;
    struct change_hints *hints = master->hints;
    master->http = NULL;
    master->hints = NULL;
    timer_close(master->saving);
    master->saving = NULL;
    license_bell_close(master->bell);
    master->bell = NULL;
    sessions_close(master->sessions);
    master->sessions = NULL;
    master_files_close(master->files);
    master->files = NULL;
    if (!master->started) { /* nothing was promised to the context, which may go at once */
        change_hints_close(hints, NULL, NULL);
        finish(master);
        return;
    }
    master->open_parts = 2;
    change_hints_close(hints, part_closed, master);
    role_http_close(http, part_closed, master);
}

void cache_master_describe(const struct role_context *context, struct role_view *view) {
    const struct cache_master *master = context->state;
    bool ready = health_is_ready(context->health);
    size_t count = license_shelf_count(master->shelf);
    size_t lost = license_shelf_lost(master->shelf);
    view->condition = ready && lost == 0 ? ROLE_SERVING : ROLE_DEGRADED;
    snprintf(view->state, sizeof view->state, "%zu license%s", count, count == 1 ? "" : "s");
    if (!ready)
        snprintf(view->detail, sizeof view->detail, "%s", health_first_reason(context->health));
    else if (lost > 0)
        snprintf(view->detail, sizeof view->detail, "%zu were lost with damage to the state", lost);
    else
        snprintf(view->detail, sizeof view->detail, "tells slaves what is new");
    snprintf(view->listens, sizeof view->listens, "%s",
             master->http ? role_http_url(master->http) : "");
}
