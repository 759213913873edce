#include "broker/flow.h"

#include "broker/limits.h"
#include "broker/session.h"

static struct client *stalled_of(struct list *link) {
    return LIST_ENTRY(link, struct client, stall_link);
}

static struct client *backlogged_of(struct list *link) {
    return LIST_ENTRY(link, struct client, backlog_link);
}

/* ---- the count of what is waiting ---- */

/* What is waiting now must have been sent by the deadline; what comes later has its own time. */
static void set_write_deadline(struct client *client) {
    struct broker *broker = client->broker;
    client->write_due_ms = broker_now_ms(broker) + broker->options.write_deadline_ms;
    client->written_by_due =
        stream_bytes_written(client->stream) + stream_pending_bytes(client->stream);
    list_remove(&client->backlog_link);
    list_append(&broker->backlogged, &client->backlog_link);
}

static void note(struct client *client, size_t pending) {
    struct broker *broker = client->broker;
    broker->pending_bytes = broker->pending_bytes - client->pending_noted + pending;
    bool begins = client->pending_noted == 0 && pending > 0;
    client->pending_noted = pending;
    if (begins) set_write_deadline(client);
    if (pending == 0) list_remove(&client->backlog_link);
}

static void cut_off_slow(struct client *client, const char *why) {
    client->broker->counters.slow_consumers++;
    client_cut_off(client, why);
}

/* All together have too much waiting: the one with the most goes. */
static void cut_off_slowest(struct broker *broker) {
    struct client *slowest = NULL;
    for (struct list *link = broker->backlogged.next; link != &broker->backlogged;
         link = link->next) {
        struct client *client = backlogged_of(link);
        if (slowest == NULL || client->pending_noted > slowest->pending_noted) slowest = client;
    }
    if (slowest != NULL)
        cut_off_slow(slowest, "slow consumer: it had the most waiting when memory became scarce");
}

/* ---- stalls ---- */

static void stall(struct client *publisher, struct client *consumer) {
    struct broker *broker = publisher->broker;
    publisher->stalled_by = consumer;
    publisher->stall_due_ms = broker_now_ms(broker) + LIMIT_STALL_MS;
    list_append(&broker->stalled, &publisher->stall_link);
    stream_pause_reading(publisher->stream);
    broker->counters.stalls++;
}

static void unstall(struct client *publisher) {
    publisher->stalled_by = NULL;
    list_remove(&publisher->stall_link);
    session_resume_soon(publisher);
}

static void unstall_all_of(struct client *consumer) {
    struct list *link = consumer->broker->stalled.next;
    while (link != &consumer->broker->stalled) {
        struct client *publisher = stalled_of(link);
        link = link->next;
        if (publisher->stalled_by == consumer) unstall(publisher);
    }
}

static size_t high_mark(const struct broker *broker) {
    bool crowded = broker->pending_bytes > broker->options.max_pending_total_bytes / 2;
    return crowded ? LIMIT_STALL_CROWDED_BYTES : LIMIT_STALL_HIGH_BYTES;
}

void flow_note_pending(struct client *consumer, struct client *publisher) {
    struct broker *broker = consumer->broker;
    size_t pending = stream_pending_bytes(consumer->stream);
    note(consumer, pending);
    if (pending > broker->options.max_pending_bytes) {
        cut_off_slow(consumer, "slow consumer: too much was waiting for it");
        return;
    }
    if (broker->pending_bytes > broker->options.max_pending_total_bytes) cut_off_slowest(broker);
    if (consumer->is_closing || consumer->is_lagging || publisher == NULL ||
        publisher->is_closing || flow_is_stalled(publisher))
        return;
    if (pending > high_mark(broker)) stall(publisher, consumer);
}

void flow_drained(struct client *consumer) {
    note(consumer, 0);
    if (broker_now_ms(consumer->broker) >= consumer->lagging_until_ms) consumer->is_lagging = false;
    unstall_all_of(consumer);
}

void flow_forget(struct client *client) {
    note(client, 0);
    unstall_all_of(client);
    client->stalled_by = NULL;
    list_remove(&client->stall_link);
}

/* ---- time ---- */

/* Whoever is behind now has had its chance: it holds nobody back for a while. All of them at once,
 * or many that stopped reading would each cost a pause of its own. */
static void give_up_on_laggards(struct broker *broker, int64_t now_ms) {
    for (struct list *link = broker->backlogged.next; link != &broker->backlogged;
         link = link->next) {
        struct client *consumer = backlogged_of(link);
        if (consumer->pending_noted <= high_mark(broker) / 2) continue;
        consumer->is_lagging = true;
        consumer->lagging_until_ms = now_ms + LIMIT_LAG_MS;
    }
}

static void end_long_stalls(struct broker *broker, int64_t now_ms) {
    if (list_is_empty(&broker->stalled)) return;
    if (stalled_of(broker->stalled.next)->stall_due_ms > now_ms) return;
    give_up_on_laggards(broker, now_ms);
    struct list *link = broker->stalled.next;
    while (link != &broker->stalled) {
        struct client *publisher = stalled_of(link);
        link = link->next;
        if (publisher->stalled_by->is_lagging || publisher->stall_due_ms <= now_ms)
            unstall(publisher);
    }
}

static void cut_off_unmoving(struct broker *broker, int64_t now_ms) {
    while (!list_is_empty(&broker->backlogged)) {
        struct client *client = backlogged_of(broker->backlogged.next);
        if (client->write_due_ms > now_ms) return;
        if (stream_bytes_written(client->stream) >= client->written_by_due)
            set_write_deadline(client);
        else
            cut_off_slow(client, "slow consumer: it did not take what was waiting in time");
    }
}

void flow_tick(struct broker *broker) {
    int64_t now_ms = broker_now_ms(broker);
    end_long_stalls(broker, now_ms);
    cut_off_unmoving(broker, now_ms);
}
