#include "broker/drain.h"

#include "base/log.h"
#include "broker/client.h"
#include "broker/limits.h"

static struct client *client_of(struct list *link) {
    return LIST_ENTRY(link, struct client, link);
}

void broker_drain(struct broker *broker, void (*on_drained)(void *context), void *context) {
    if (broker->phase != BROKER_OPEN) return;
    broker->phase = BROKER_DRAINING;
    broker->on_drained = on_drained;
    broker->drained_context = context;
    broker->drain_started_ms = broker_now_ms(broker);
    log_event(LOG_INFO, broker->options.role, "lame duck: clients are told to move on", NULL);
    for (struct list *link = broker->clients.next; link != &broker->clients; link = link->next) {
        struct client *client = client_of(link);
        if (!client->is_closing) client_send_info(client, true);
    }
    broker_stop_listening(broker);
    /* With nobody there, the next tick ends it: callers are not called back from their own call. */
    timer_start_repeating(broker->tick, LIMIT_TICK_MS);
}

/* How many may still be connected now: all during the grace, then in proportion to the time
 * left. */
static size_t clients_allowed(const struct broker *broker, int64_t now_ms) {
    int64_t closing_ms = now_ms - broker->drain_started_ms - broker->options.lame_duck_grace_ms;
    int64_t left_ms = broker->options.lame_duck_spread_ms - closing_ms;
    if (closing_ms < 0) return broker->client_count;
    if (left_ms <= LIMIT_TICK_MS) return 0;
    return broker->client_count -
           (broker->client_count * LIMIT_TICK_MS + (size_t)left_ms - 1) / (size_t)left_ms;
}

void drain_tick(struct broker *broker) {
    size_t allowed = clients_allowed(broker, broker_now_ms(broker));
    struct list *link = broker->clients.next;
    while (link != &broker->clients && broker->client_count > allowed) {
        struct client *client = client_of(link);
        link = link->next;
        client_close(client);
    }
    if (list_is_empty(&broker->clients)) drain_finished(broker);
}

void drain_finished(struct broker *broker) {
    void (*on_drained)(void *context) = broker->on_drained;
    if (broker->tick != NULL) timer_stop(broker->tick);
    broker->on_drained = NULL;
    if (on_drained != NULL) on_drained(broker->drained_context);
}
