#include "roles/cache-slave/slave.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/alerts.h"
#include "app/health.h"
#include "app/machine.h"
#include "app/token_file.h"
#include "app/watched_files.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "roles/cache-slave/cache_slave.h"
#include "roles/cache-slave/kept_answer.h"
#include "roles/cache-slave/syncing.h"
#include "store/store.h"

/* Applications of one machine ask from one address, each thread with a connection of its own; 12 MB
 * at most. */
#define CONNECTIONS_MAX 2048

/* ---- the disk ---- */

/* The disk gave back what could not be read at the start. What the master told since is newer; that
 * it is complete, the master confirms anew. */
static void follow_merge(struct cache_slave *slave) {
    authority_follow_merge(slave->authority);
    clock_guard_merge(&slave->clock, ledger_clock(slave->ledger), clock_wall_ms(),
                      slave->monotonic_ms);
    ledger_keep_clock(slave->ledger, &slave->clock);
    if (slave->progress.confirmed_at_ms == 0) slave_progress_load(slave);
    slave->progress.since = 0;
    slave->progress.etag[0] = '\0';
    slave_progress_save(slave);
    slave_choose_current(slave);
    slave_sync(slave, CACHE_BY_PUSH);
}

/* Writes what the disk refused before. */
static void save(struct cache_slave *slave) {
    bool merged = ledger_catch_up(slave->ledger);
    if (store_persistence(slave->context->store, NULL) == PERSISTENCE_DURABLE)
        license_shelf_flush(slave->shelf);
    if (merged) follow_merge(slave);
}

/* ---- settling ---- */

static void set_meters(struct cache_slave *slave, const struct slave_view *view) {
    struct slave_meters *meters = &slave->meters;
    bool never = view->age_ms == CACHE_NEVER_CONFIRMED;
    for (int i = 0; i < CACHE_STATE_COUNT; i++)
        metric_set(meters->states[i], i == (int)view->state);
    metric_set(meters->age_seconds, never ? -1 : (double)view->age_ms / 1000);
    metric_set(meters->expires_in_seconds,
               view->license ? (double)(view->license->expires_at_ms - slave->reading.now_ms) / 1000
                             : 0);
    metric_set(meters->licenses, (double)license_shelf_count(slave->shelf));
    metric_set(meters->lost, (double)license_shelf_lost(slave->shelf));
}

static void tell_state(struct cache_slave *slave, const struct slave_view *view) {
    char reason[SLAVE_REASON_BYTES];
    bool worse = view->state == CACHE_FAILED || view->state == CACHE_EXPIRED;
    if (slave->told_anything && view->state == slave->told_state) return;
    slave_explain(slave, view, reason);
    log_event(worse && slave->told_anything ? LOG_WARNING : LOG_INFO, CACHE_SLAVE_NAME,
              "cache state", "state", cache_state_name(view->state), "before",
              slave->told_anything ? cache_state_name(slave->told_state) : NULL, "why", reason,
              NULL);
    if (worse && slave->told_anything)
        alerts_raise(slave->context->alerts, ALERT_CRITICAL, CACHE_SLAVE_NAME,
                     view->state == CACHE_FAILED ? "cache_failed" : "cache_license_expired",
                     reason);
    slave->told_state = view->state;
    slave->told_anything = true;
}

/* Ready as soon as it can answer: from the shelf, or by the master's word that there is nothing. */
static void set_health(struct cache_slave *slave, const struct slave_view *view) {
    char reason[SLAVE_REASON_BYTES];
    bool knows_of_none = slave->progress.confirmed_at_ms != 0 && !view->may_be_lost;
    bool ready = view->license || view->granting || knows_of_none;
    slave_explain(slave, view, reason);
    health_set(slave->context->health, "cache", ready, reason);
}

static int64_t earlier(int64_t one_ms, int64_t other_ms) {
    return one_ms < other_ms ? one_ms : other_ms;
}

static void set_tick(struct cache_slave *slave, const struct slave_view *view) {
    int64_t wait_ms = SLAVE_LOOK_INTERVAL_MS;
    wait_ms = earlier(wait_ms, cache_sync_wait_ms(&slave->sync, slave->monotonic_ms));
    wait_ms = earlier(wait_ms, cache_state_wait_ms(&slave->settings.ages, view->age_ms));
    wait_ms = earlier(wait_ms, slave_waiters_wait_ms(slave));
    if (view->judgement.next_change_at_ms != LICENSE_NEVER)
        wait_ms = earlier(wait_ms,
                          clock_guard_wait_ms(&slave->reading, view->judgement.next_change_at_ms));
    timer_start(slave->tick, wait_ms);
}

void slave_settle(struct cache_slave *slave) {
    struct slave_view view;
    if (slave->stopping) return;
    save(slave);
    slave_look(slave, &view);
    if (cache_sync_resume(&slave->sync, slave->monotonic_ms))
        slave_begin_try(slave);
    else
        slave_sync(slave, CACHE_BY_TIMER);
    slave_answer_waiters(slave);
    tell_state(slave, &view);
    set_meters(slave, &view);
    set_health(slave, &view);
    set_tick(slave, &view);
}

static void on_tick(void *context) {
    slave_settle(context);
}

/* ---- starting ---- */

static bool read_development(struct cache_slave *slave, const struct options *options,
                             struct license **out, struct status *status) {
    const char *path = options_text(options, "fallback_license");
    struct token_file file;
    *out = NULL;
    if (!path) return true;
    if (!token_file_read(path, NULL, &file, status)) return false;
    struct license *license =
        authority_verify_license(slave->authority, token_file_token(&file), status);
    token_file_free(&file);
    if (license && strcmp(license->edition, "development") != 0) {
        status_fail(status, STATUS_BAD_CLAIM,
                    "its edition is \"%.60s\"; what stands in without a master is a license with "
                    "edition \"development\"",
                    license->edition);
        license_free(license);
        license = NULL;
    }
    *out = license;
    return license || status_context(status, "--fallback-license %s", path);
}

static bool load_authority(struct cache_slave *slave, const struct options *options,
                           struct status *status) {
    const char *keys = options_text(options, "keys"), *root = options_text(options, "root");
    if (!keys && !root)
        return status_fail(
            status, STATUS_CONFIG,
            "--keys is missing: the file with the vendor's public keys, vendor.jwks");
    return authority_load(slave->authority, keys, root, status);
}

static bool read_fingerprint(struct cache_slave *slave, struct status *status) {
    const char *path = options_text(slave->context->options, "fingerprint_file");
    if (path) return machine_read_file(path, &slave->fingerprint, status);
    machine_read(&slave->fingerprint);
    return true;
}

static void start_clock(struct cache_slave *slave) {
    char boot_id[CLOCK_BOOT_ID_BYTES];
    clock_boot_id(boot_id);
    slave->monotonic_ms = clock_monotonic_ms();
    slave->clock_kept_ms = slave->monotonic_ms;
    clock_guard_start(&slave->clock, ledger_clock(slave->ledger), boot_id, clock_wall_ms(),
                      slave->monotonic_ms);
}

static bool open_state(struct cache_slave *slave, struct status *status) {
    struct role_context *context = slave->context;
    const struct options *options = context->options;
    slave->settings = slave_settings_read(options);
    slave->deployment_id = memory_copy_text(options_text(options, "deployment_id"));
    slave->ledger = ledger_open(context->store, CACHE_SLAVE_NAME);
    slave->authority = authority_open(slave->ledger);
    start_clock(slave);
    if (!read_fingerprint(slave, status) || !api_keys_load(&slave->keys, options, status) ||
        !load_authority(slave, options, status) ||
        !read_development(slave, options, &slave->development, status))
        return false;
    slave->shelf = license_shelf_open(context->store, CACHE_SLAVE_NAME, status);
    if (!slave->shelf) return false;
    slave->bell = license_bell_open(slave->shelf, context->metrics, CACHE_SLAVE_NAME);
    slave_observe(slave);
    slave_progress_load(slave);
    cache_sync_init(&slave->sync, &slave->settings.sync, slave->monotonic_ms);
    slave_choose_current(slave);
    /* At once: within one boot a saved guard tells all, however old, and kill -9 may come soon. */
    ledger_keep_clock(slave->ledger, &slave->clock);
    return true;
}

static struct role_http *open_http(struct cache_slave *slave, struct status *status) {
    struct http_limits limits = http_limits_default;
    limits.connections = CONNECTIONS_MAX;
    limits.address_connections = CONNECTIONS_MAX;
    const struct role_http_service service = {.api_keys = slave->keys.count > 0, .limits = &limits};
    return role_http_open_service(slave->context, "http", &service, status);
}

static const char *choose_master(const struct cache_slave *slave) {
    const char *master = options_text(slave->context->options, "master");
    bool embedded = master && strcmp(master, "embedded") == 0;
    return embedded ? slave->context->embedded_master_url : master;
}

static bool open_network(struct cache_slave *slave, struct status *status) {
    const struct puller_options puller = {
        .context = slave->context,
        .master_url = choose_master(slave),
        .fingerprint = &slave->fingerprint,
        .on_pulled = slave_on_pulled,
        .owner = slave,
    };
    if (!puller.master_url)
        return status_fail(status, STATUS_CONFIG,
                           "--master is missing: the URL of the cache-master, http://HOST:8003 "
                           "(\"embedded\" needs one that starts before, in the same process)");
    slave->puller = puller_open(&puller, status);
    if (slave->puller && slave_hints_open(slave, status)) slave->http = open_http(slave, status);
    if (!slave->http) return false;
    const struct push_options push = {
        .context = slave->context,
        .master_url = puller.master_url,
        .tls = puller_tls(slave->puller),
        .credential = puller_credential(slave->puller),
        .on_bell = slave_on_bell,
        .owner = slave,
    };
    if (options_boolean(slave->context->options, "enable_push")) slave->push = push_open(&push);
    return true;
}

static void on_files_changed(void *context);

static const char *const watched_paths[] = {"keys", "root", "fallback_license", NULL};
static const struct watched_rows watched = {.paths = watched_paths};

bool slave_start(struct role_context *context, struct status *status) {
    struct cache_slave *slave = memory_new(sizeof *slave);
    slave->context = context;
    context->state = slave;
    list_init(&slave->waiters);
    slave_meters_register(&slave->meters, context->metrics);
    slave->answer = kept_answer_open();
    slave->watched =
        watched_files_open(context->loop, context->options, &watched, on_files_changed, slave);
    if (!open_state(slave, status) || !open_network(slave, status)) {
        slave_stop(context);
        return false;
    }
    slave_add_routes(slave);
    slave->tick = timer_open(context->loop, on_tick, slave);
    slave_upkeep_begin(slave);
    slave_sync(slave, CACHE_BY_HAND); /* also without background sync: once at the start */
    slave_settle(slave);
    slave->started = true;
    return true;
}

/* ---- reloading ---- */

/* Keys, lists or the fallback license may be others now. */
static void take_over_authority(struct cache_slave *slave) {
    slave_choose_current(slave);
    slave_upkeep_begin(slave);
    slave_settle(slave);
}

/* A fallback license that is not good leaves the old one, as a bad file does everywhere. */
static void reload_development(struct cache_slave *slave, const struct options *fresh) {
    struct status status = STATUS_INIT;
    struct license *development;
    if (!read_development(slave, fresh, &development, &status)) {
        log_event(LOG_WARNING, CACHE_SLAVE_NAME,
                  "the fallback license was refused; the old one stays", "code",
                  status_code_name(status.code), "why", status.text, NULL);
        return;
    }
    license_free(slave->development);
    slave->development = development;
}

/* A file was changed: as at SIGHUP, but that keys which are not good are only said. */
static void on_files_changed(void *context) {
    struct cache_slave *slave = context;
    const struct options *options = slave->context->options;
    struct status status = STATUS_INIT;
    slave_observe(slave);
    if (!load_authority(slave, options, &status)) {
        log_event(LOG_WARNING, CACHE_SLAVE_NAME,
                  "the vendor's keys were refused; those in force stay", "code",
                  status_code_name(status.code), "why", status.text, NULL);
        alerts_raise(slave->context->alerts, ALERT_WARNING, CACHE_SLAVE_NAME, "cache_keys_refused",
                     status.text);
    }
    reload_development(slave, options);
    take_over_authority(slave);
}

static bool has_lost_key(const void *keys, const void *badge) {
    return !api_keys_hold(keys, badge);
}

/* Who listens with a key that is gone listens no more. */
static void take_keys(struct cache_slave *slave, const struct api_keys *keys) {
    slave->keys = *keys;
    license_bell_end(slave->bell, has_lost_key, keys);
}

bool slave_reload(struct role_context *context, const struct options *fresh,
                  struct status *status) {
    struct cache_slave *slave = context->state;
    struct api_keys keys = {.count = 0};
    if (!api_keys_load(&keys, fresh, status) || !load_authority(slave, fresh, status) ||
        !puller_reload(slave->puller, fresh, status))
        return false;
    push_trust(slave->push, puller_tls(slave->puller));
    reload_development(slave, fresh);
    take_keys(slave, &keys);
    slave->settings = slave_settings_read(fresh);
    cache_sync_set(&slave->sync, &slave->settings.sync);
    watched_files_follow(slave->watched, fresh);
    take_over_authority(slave);
    slave_sync(slave, CACHE_BY_HAND);
    slave_settle(slave);
    return true;
}

/* ---- stopping ---- */

static void finish(struct cache_slave *slave) {
    struct role_context *role = slave->context;
    bool started = slave->started;
    if (slave->shelf) ledger_keep_clock(slave->ledger, &slave->clock);
    license_free(slave->current);
    license_free(slave->development);
    free(slave->current_id);
    kept_answer_close(slave->answer);
    free(slave->deployment_id);
    license_shelf_close(slave->shelf);
    authority_close(slave->authority);
    ledger_close(slave->ledger);
    free(slave);
    role->state = NULL;
    if (started) role->stopped(role);
}

static void part_closed(void *context) {
    struct cache_slave *slave = context;
    if (--slave->open_parts == 0) finish(slave);
}

void slave_stop(struct role_context *context) {
    struct cache_slave *slave = context->state;
    if (!slave || slave->stopping) return;
    slave->stopping = true;
    push_close(slave->push);
    slave->push = NULL;
    license_bell_close(slave->bell);
    slave->bell = NULL;
    puller_close(slave->puller);
    slave->puller = NULL;
    watched_files_close(slave->watched);
    slave->watched = NULL;
    if (slave->tick) timer_close(slave->tick);
    if (slave->proving) timer_close(slave->proving);
    if (slave->cleanup) timer_close(slave->cleanup);
    struct role_http *http = slave->http;
    struct slave_hints *hints = slave->hints;
    slave->http = NULL;
    slave->hints = NULL;
    if (!slave->started) { /* nothing was promised to the context, which may go at once */
        slave_hints_close(hints, NULL, NULL);
        finish(slave);
        return;
    }
    slave->open_parts = 2;
    slave_hints_close(hints, part_closed, slave);
    role_http_close(http, part_closed, slave);
}

void slave_describe(const struct role_context *context, struct role_view *view) {
    struct cache_slave *slave = context->state;
    struct slave_view seen;
    char reason[SLAVE_REASON_BYTES];
    slave_look(slave, &seen);
    slave_explain(slave, &seen, reason);
    view->condition = slave->stopping                               ? ROLE_STOPPED
                      : seen.state == CACHE_SYNCED && seen.granting ? ROLE_SERVING
                      : seen.age_ms == CACHE_NEVER_CONFIRMED        ? ROLE_WAITING
                                                                    : ROLE_DEGRADED;
    snprintf(view->state, sizeof view->state, "%s", cache_state_name(seen.state));
    snprintf(view->detail, sizeof view->detail, "%s", reason);
    snprintf(view->listens, sizeof view->listens, "%s",
             slave->http ? role_http_url(slave->http) : "");
}
