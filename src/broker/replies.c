#include "broker/replies.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "broker/hash.h"
#include "broker/limits.h"

struct reply {
    struct name_link link;
    struct list order;  /* oldest first */
    int64_t expires_ms; /* monotonic; negative: never */
    int64_t left;       /* messages; negative: any number */
    uint8_t subject[];
};

struct replies {
    struct name_table by_subject;
    struct list order;
    uint64_t hash_key;
};

static struct replies *replies_of(struct client *client) {
    if (client->replies != NULL) return client->replies;
    struct replies *replies = memory_new(sizeof *replies);
    list_init(&replies->order);
    random_bytes(&replies->hash_key, sizeof replies->hash_key);
    replies->hash_key |= 1;
    client->replies = replies;
    return replies;
}

static struct reply *find(const struct replies *replies, struct bytes subject, uint64_t hash) {
    struct name_link *link = name_table_find(&replies->by_subject, hash, subject);
    return link != NULL ? LIST_ENTRY(link, struct reply, link) : NULL;
}

static void forget(struct replies *replies, struct reply *reply) {
    name_table_remove(&replies->by_subject, &reply->link);
    list_remove(&reply->order);
    free(reply);
}

static struct reply *add(struct replies *replies, struct bytes subject, uint64_t hash) {
    if (replies->by_subject.count >= LIMIT_REPLIES_REMEMBERED)
        forget(replies, LIST_ENTRY(replies->order.next, struct reply, order));
    struct reply *reply = memory_new(sizeof *reply + subject.length);
    memcpy(reply->subject, subject.data, subject.length);
    reply->link.hash = hash;
    reply->link.name = bytes_of(reply->subject, subject.length);
    list_init(&reply->order);
    name_table_add(&replies->by_subject, &reply->link);
    return reply;
}

void replies_remember(struct client *client, struct bytes subject) {
    const struct permissions *permissions = client_permissions(client);
    struct replies *replies = replies_of(client);
    uint64_t hash = hash_name(subject, replies->hash_key);
    struct reply *reply = find(replies, subject, hash);
    if (reply == NULL) reply = add(replies, subject, hash);
    reply->left = permissions->responses_max;
    reply->expires_ms = permissions->response_expires_ms < 0
                            ? -1
                            : broker_now_ms(client->broker) + permissions->response_expires_ms;
    list_remove(&reply->order);
    list_append(&replies->order, &reply->order);
}

bool replies_use(struct client *client, struct bytes subject) {
    struct replies *replies = client->replies;
    if (replies == NULL) return false;
    struct reply *reply = find(replies, subject, hash_name(subject, replies->hash_key));
    if (reply == NULL) return false;
    bool expired = reply->expires_ms >= 0 && reply->expires_ms <= broker_now_ms(client->broker);
    bool allowed = !expired && reply->left != 0;
    if (allowed && reply->left > 0) reply->left--;
    if (expired || reply->left == 0) forget(replies, reply);
    return allowed;
}

void replies_free(struct client *client) {
    struct replies *replies = client->replies;
    if (replies == NULL) return;
    while (!list_is_empty(&replies->order))
        forget(replies, LIST_ENTRY(replies->order.next, struct reply, order));
    free(replies);
    client->replies = NULL;
}
