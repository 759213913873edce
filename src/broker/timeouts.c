#include "broker/timeouts.h"

#include "broker/limits.h"
#include "broker/logins.h"
#include "net/stream_tls.h"

static void await(struct client *client, struct list *list, int64_t wait_ms) {
    client->timeout_due_ms = broker_now_ms(client->broker) + wait_ms;
    list_remove(&client->timeout_link);
    list_append(list, &client->timeout_link);
}

void timeouts_await_authentication(struct client *client) {
    struct broker *broker = client->broker;
    await(client, &broker->authenticating, broker->options.authentication_timeout_ms);
}

void timeouts_keep_alive(struct client *client) {
    await(client, &client->broker->first_ping, LIMIT_FIRST_PING_INTERVAL_MS);
}

void timeouts_pong(struct client *client) {
    client->pings_outstanding = 0;
    if (client->ping_sent_ms == 0) return;
    client->round_trip_ms = broker_now_ms(client->broker) - client->ping_sent_ms;
    client->ping_sent_ms = 0;
}

void timeouts_forget(struct client *client) {
    list_remove(&client->timeout_link);
}

static void send_ping(struct client *client) {
    client->pings_outstanding++;
    if (client->ping_sent_ms == 0) client->ping_sent_ms = broker_now_ms(client->broker);
    stream_write(client->stream, "PING\r\n", 6);
}

/* Where there are no users, only TLS had to be agreed on, and CONNECT may come later. */
static void authentication_due(struct client *client) {
    if (!broker_wants_login(client->broker) && stream_tls_is_open(client->stream)) {
        logins_end(client);
        timeouts_keep_alive(client);
        return;
    }
    client->broker->counters.authentication_failures++;
    client_refuse(client, "Authentication Timeout", "authentication timeout");
}

static void ping_due(struct client *client) {
    struct broker *broker = client->broker;
    int64_t interval_ms = broker->options.ping_interval_ms;
    bool active = broker_now_ms(broker) - client->last_read_ms < interval_ms;
    if (client->pings_outstanding >= broker->options.pings_outstanding_max && !active) {
        broker->counters.stale_connections++;
        client_refuse(client, "Stale Connection", "stale connection: no PONG");
        return;
    }
    await(client, &broker->ping, interval_ms);
    if (active)
        client->pings_outstanding = 0;
    else
        send_ping(client);
}

/* The first PING only measures the round trip: a client that is busy is asked all the same. */
static void first_ping_due(struct client *client) {
    await(client, &client->broker->ping, client->broker->options.ping_interval_ms);
    send_ping(client);
}

/* Each call takes the client off the head of the list, so this ends. */
static void run_due(struct list *list, int64_t now_ms, void (*due)(struct client *client)) {
    while (!list_is_empty(list)) {
        struct client *client = LIST_ENTRY(list->next, struct client, timeout_link);
        if (client->timeout_due_ms > now_ms) return;
        due(client);
    }
}

void timeouts_tick(struct broker *broker) {
    int64_t now_ms = broker_now_ms(broker);
    run_due(&broker->authenticating, now_ms, authentication_due);
    run_due(&broker->first_ping, now_ms, first_ping_due);
    run_due(&broker->ping, now_ms, ping_due);
}
