#include "broker/broker.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/assertion.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/random.h"
#include "broker/client.h"
#include "broker/drain.h"
#include "broker/flow.h"
#include "broker/limits.h"
#include "broker/subscriptions.h"
#include "broker/timeouts.h"
#include "broker/trust.h"
#include "broker/websocket.h"

static struct client *client_of(struct list *link) {
    return LIST_ENTRY(link, struct client, link);
}

/* ---- making it ---- */

static void default_size(size_t *value, size_t fallback) {
    if (*value == 0) *value = fallback;
}

static void default_time(int64_t *value, int64_t fallback) {
    if (*value == 0) *value = fallback;
}

static void fill_in(struct broker_options *options) {
    default_size(&options->max_payload_bytes, LIMIT_PAYLOAD_BYTES);
    default_size(&options->max_control_line_bytes, LIMIT_CONTROL_LINE_BYTES);
    default_size(&options->max_subscriptions, LIMIT_SUBSCRIPTIONS);
    default_size(&options->max_connections, LIMIT_CONNECTIONS);
    default_size(&options->max_pending_bytes, LIMIT_PENDING_BYTES);
    default_size(&options->max_pending_total_bytes, LIMIT_PENDING_TOTAL_BYTES);
    default_time(&options->write_deadline_ms, LIMIT_WRITE_DEADLINE_MS);
    default_time(&options->authentication_timeout_ms, LIMIT_AUTHENTICATION_MS);
    default_time(&options->ping_interval_ms, LIMIT_PING_INTERVAL_MS);
    default_time(&options->lame_duck_grace_ms, LIMIT_LAME_DUCK_GRACE_MS);
    default_time(&options->lame_duck_spread_ms, LIMIT_LAME_DUCK_SPREAD_MS);
    if (options->pings_outstanding_max == 0)
        options->pings_outstanding_max = LIMIT_PINGS_OUTSTANDING;
}

static bool check(const struct broker_options *options, struct status *status) {
    if (options->max_payload_bytes > LIMIT_PAYLOAD_MAX_BYTES)
        return status_fail(status, STATUS_CONFIG, "the largest payload may be %d bytes at most",
                           LIMIT_PAYLOAD_MAX_BYTES);
    if (options->max_control_line_bytes > LIMIT_CONTROL_LINE_MAX_BYTES)
        return status_fail(status, STATUS_CONFIG, "the control line may be %d bytes at most",
                           LIMIT_CONTROL_LINE_MAX_BYTES);
    if (options->max_pending_bytes < options->max_payload_bytes)
        return status_fail(status, STATUS_CONFIG,
                           "max_pending must hold at least one message of max_payload bytes");
    return true;
}

static void tick(void *context) {
    struct broker *broker = context;
    timeouts_tick(broker);
    flow_tick(broker);
    /* Last: the owner may stop the broker when it hears that the drain is over. */
    if (broker->phase == BROKER_DRAINING)
        drain_tick(broker);
    else if (list_is_empty(&broker->clients))
        timer_stop(broker->tick);
}

static void make_identity(struct broker *broker, const struct broker_options *options) {
    char seed[NKEY_SEED_TEXT_BYTES];
    nkey_generate(NKEY_SERVER, seed, broker->server_id);
    memory_wipe(seed, sizeof seed);
    broker->options.name =
        memory_copy_text(options->name != NULL ? options->name : broker->server_id);
    broker->options.role = memory_copy_text(options->role != NULL ? options->role : "broker");
    random_bytes(&broker->random_state, sizeof broker->random_state);
    random_bytes(&broker->login_hash_key, sizeof broker->login_hash_key);
    broker->login_hash_key |= 1;
    broker->random_state |= 1; /* xorshift stays at 0 once it is there */
}

struct broker *broker_create(struct loop *loop, const struct broker_options *options,
                             struct status *status) {
    struct broker_options filled = *options;
    fill_in(&filled);
    if (!check(&filled, status)) return NULL;
    struct broker *broker = memory_new(sizeof *broker);
    broker->loop = loop;
    broker->options = filled;
    broker->users = options->users;
    broker->trust = options->trust;
    if (options->tls != NULL) tls_server_context_retain(options->tls);
    make_identity(broker, options);
    list_init(&broker->clients);
    list_init(&broker->authenticating);
    list_init(&broker->first_ping);
    list_init(&broker->ping);
    list_init(&broker->stalled);
    list_init(&broker->backlogged);
    account_open(&broker->common);
    broker->unauthenticated_max = listener_limit_connections(LIMIT_UNAUTHENTICATED);
    if (broker->trust != NULL) trust_attach(broker->trust, broker);
    broker->tick = timer_open(loop, tick, broker);
    broker->start_wall_ms = clock_wall_ms();
    broker->start_monotonic_ms = loop_now_ms(loop);
    return broker;
}

/* ---- listening ---- */

void broker_accept(struct broker *broker, struct stream *stream, bool is_websocket) {
    if (broker->phase != BROKER_OPEN) {
        stream_close(stream);
        return;
    }
    client_accept(broker, stream, is_websocket);
    if (!timer_is_running(broker->tick)) timer_start_repeating(broker->tick, LIMIT_TICK_MS);
}

static void accepted(void *context, struct stream *stream) {
    broker_accept(context, stream, false);
}

static void exhausted(void *context, const struct status *status) {
    const struct broker *broker = context;
    log_event(LOG_WARNING, broker->options.role, "connections have to wait", "why", status->text,
              NULL);
}

static const struct listener_handlers LISTENER_HANDLERS = {
    .on_accept = accepted,
    .on_exhausted = exhausted,
};

bool broker_listen(struct broker *broker, const struct address *address, struct address *bound,
                   struct status *status) {
    if (broker->listener_count == BROKER_LISTENERS_MAX)
        return status_fail(status, STATUS_CONFIG, "a broker listens on %d addresses at most",
                           BROKER_LISTENERS_MAX);
    struct listener *listener =
        listener_open(broker->loop, address, 0660, &LISTENER_HANDLERS, broker, status);
    if (listener == NULL) return false;
    broker->listeners[broker->listener_count++] = listener;
    if (bound != NULL) *bound = *listener_address(listener);
    return true;
}

void broker_stop_listening(struct broker *broker) {
    while (broker->listener_count > 0)
        listener_close(broker->listeners[--broker->listener_count]);
    websocket_stop_listening(broker);
}

/* ---- changing users ---- */

static void check_user(struct client *client, const struct broker_user *user) {
    client->user = user;
    if (user == NULL && client->broker->users != NULL) {
        client_refuse(client, "Authorization Violation", "its user is gone or has changed");
        return;
    }
    subscriptions_check(client);
}

void broker_set_users(struct broker *broker, struct broker_users *users) {
    struct broker_users *old = broker->users;
    broker->users = users;
    struct list *link = broker->clients.next;
    while (link != &broker->clients) {
        struct client *client = client_of(link);
        link = link->next;
        if (client->is_closing) {
            client->user = NULL;
            continue;
        }
        const struct broker_user *same = client->user != NULL && users != NULL
                                             ? broker_users_find_same(users, client->user)
                                             : NULL;
        if (client->user != NULL || (client->is_connected && users != NULL))
            check_user(client, same);
        else
            client->parser.connect_only = users != NULL;
    }
    broker_bury(broker);
    broker_users_free(old);
}

bool broker_has_users(const struct broker *broker) {
    return broker_wants_login(broker);
}

/* ---- ending it ---- */

static void free_broker(struct broker *broker) {
    void (*on_closed)(void *context) = broker->on_closed;
    void *context = broker->closed_context;
    broker_bury(broker);
    subject_index_free(broker->common.index);
    broker_trust_free(broker->trust);
    broker_users_free(broker->users);
    tls_server_context_release(broker->options.tls);
    free((char *)broker->options.name);
    free((char *)broker->options.role);
    free(broker);
    if (on_closed != NULL) on_closed(context);
}

static void finish_stop(struct loop_task *task) {
    struct broker *broker = LIST_ENTRY(task, struct broker, stop_task);
    bool is_over = list_is_empty(&broker->clients) && broker->websocket == NULL;
    if (broker->phase == BROKER_STOPPING && is_over) free_broker(broker);
}

void broker_client_left(struct broker *broker) {
    if (!list_is_empty(&broker->clients)) return;
    if (broker->phase == BROKER_DRAINING) drain_finished(broker);
    if (broker->phase == BROKER_STOPPING) loop_schedule(broker->loop, &broker->stop_task);
}

void broker_stop(struct broker *broker, void (*on_closed)(void *context), void *context) {
    if (broker == NULL || broker->phase == BROKER_STOPPING) return;
    broker->phase = BROKER_STOPPING;
    broker->on_closed = on_closed;
    broker->closed_context = context;
    broker_stop_listening(broker);
    trust_detach(broker->trust);
    websocket_close_listener(broker);
    timer_close(broker->tick);
    broker->tick = NULL;
    struct list *link = broker->clients.next;
    while (link != &broker->clients) {
        struct client *client = client_of(link);
        link = link->next;
        client_close(client);
        stream_close(client->stream);
    }
    loop_task_init(&broker->stop_task, finish_stop);
    loop_schedule(broker->loop, &broker->stop_task);
}

static size_t subscription_count(const struct broker *broker) {
    size_t count = subject_index_count(broker->common.index);
    if (broker->trust == NULL) return count;
    for (const struct account *account = trust_next(broker->trust, NULL); account != NULL;
         account = trust_next(broker->trust, account))
        if (account->index != NULL) count += subject_index_count(account->index);
    return count;
}

void broker_read_counters(const struct broker *broker, struct broker_counters *out) {
    *out = broker->counters;
    out->connections = broker->client_count;
    out->subscriptions = subscription_count(broker);
    out->pending_bytes = broker->pending_bytes;
    out->lame_duck = broker->phase == BROKER_DRAINING;
}
