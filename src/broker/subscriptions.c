#include "broker/subscriptions.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "broker/hash.h"
#include "broker/limits.h"
#include "broker/subject.h"

/* The sids of one client need no secret key: a client that makes its own collide harms itself, and
 * the subject index has a key of its own. */
#define SID_HASH_KEY 0x9e3779b97f4a7c15U

struct subscription *client_find_subscription(const struct client *client, struct bytes sid) {
    struct name_link *link =
        name_table_find(&client->subscriptions, hash_name(sid, SID_HASH_KEY), sid);
    return link != NULL ? LIST_ENTRY(link, struct subscription, sid_link) : NULL;
}

void subscription_close(struct subscription *subscription) {
    if (subscription->is_closed) return;
    struct client *client = subscription->client;
    struct broker *broker = client->broker;
    subscription->is_closed = true;
    subject_index_remove(client->account->index, &subscription->entry);
    name_table_remove(&client->subscriptions, &subscription->sid_link);
    subscription->next_dead = broker->dead;
    broker->dead = subscription;
}

void broker_bury(struct broker *broker) {
    while (broker->dead != NULL) {
        struct subscription *subscription = broker->dead;
        broker->dead = subscription->next_dead;
        free(subscription);
    }
}

static struct subscription *subscription_new(struct client *client, const struct frame *frame) {
    struct bytes sid = frame->sid;
    struct subscription *subscription = memory_new(sizeof *subscription + sid.length + 1);
    memcpy(subscription->sid, sid.data, sid.length);
    subscription->sid[sid.length] = ' ';
    subscription->sid_length = (uint16_t)sid.length;
    subscription->sid_link.hash = hash_name(sid, SID_HASH_KEY);
    subscription->sid_link.name = bytes_of(subscription->sid, sid.length);
    subscription->client = client;
    const struct permissions *permissions = client_permissions(client);
    subscription->needs_filter =
        permissions != NULL && permissions_filter_needed(permissions, frame->subject);
    return subscription;
}

static void refuse(struct client *client, struct bytes subject, struct bytes queue) {
    if (queue.length > 0)
        client_error(client,
                     "Permissions Violation for Subscription to \"%.*s\" using queue \"%.*s\"",
                     (int)subject.length, (const char *)subject.data, (int)queue.length,
                     (const char *)queue.data);
    else
        client_error(client, "Permissions Violation for Subscription to \"%.*s\"",
                     (int)subject.length, (const char *)subject.data);
}

void subscriptions_add(struct client *client, const struct frame *frame) {
    const struct permissions *permissions = client_permissions(client);
    if (!subject_is_valid(frame->subject)) {
        client_error(client, "Invalid Subject");
        return;
    }
    if (permissions != NULL &&
        !permissions_may_subscribe(permissions, frame->subject, frame->queue)) {
        refuse(client, frame->subject, frame->queue);
        return;
    }
    if (client->subscriptions.count >= client->max_subscriptions ||
        !account_has_room(client->account)) {
        client_error(client, "maximum subscriptions exceeded");
        return;
    }
    /* A sid that is in use keeps its first subscription, as nats-server has it. */
    if (client_find_subscription(client, frame->sid) == NULL) {
        struct subscription *subscription = subscription_new(client, frame);
        name_table_add(&client->subscriptions, &subscription->sid_link);
        subject_index_insert(client->account->index, frame->subject, frame->queue,
                             &subscription->entry);
    }
    client_ok(client);
}

void subscriptions_remove(struct client *client, const struct frame *frame) {
    struct subscription *subscription = client_find_subscription(client, frame->sid);
    if (subscription != NULL) {
        subscription->maximum = (uint64_t)frame->maximum;
        if (subscription->delivered >= subscription->maximum) subscription_close(subscription);
    }
    client_ok(client);
}

static void check_one(struct client *client, struct subscription *subscription) {
    const struct permissions *permissions = client_permissions(client);
    uint8_t text[LIMIT_CONTROL_LINE_MAX_BYTES];
    size_t length = subject_index_subject(&subscription->entry, (char *)text, sizeof text);
    struct bytes subject = bytes_of(text, length);
    struct bytes queue = subject_index_queue(&subscription->entry);
    if (permissions == NULL || permissions_may_subscribe(permissions, subject, queue)) {
        subscription->needs_filter =
            permissions != NULL && permissions_filter_needed(permissions, subject);
        return;
    }
    refuse(client, subject, queue);
    subscription_close(subscription);
}

void subscriptions_check(struct client *client) {
    struct name_link *link = name_table_next(&client->subscriptions, NULL);
    while (link != NULL) {
        struct subscription *subscription = LIST_ENTRY(link, struct subscription, sid_link);
        link = name_table_next(&client->subscriptions, link);
        check_one(client, subscription);
    }
}
