#include "broker/logins.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "broker/hash.h"
#include "broker/limits.h"

/* An address with connections that are not authenticated. */
struct login_source {
    struct name_link link;
    size_t count;
    char host[];
};

static struct login_source *source_of(struct broker *broker, const char *host) {
    struct bytes name = bytes_of_text(host);
    uint64_t hash = hash_name(name, broker->login_hash_key);
    struct name_link *link = name_table_find(&broker->login_sources, hash, name);
    if (link != NULL) return LIST_ENTRY(link, struct login_source, link);
    struct login_source *source = memory_new(sizeof *source + name.length + 1);
    memcpy(source->host, host, name.length + 1);
    source->link.hash = hash;
    source->link.name = bytes_of_text(source->host);
    name_table_add(&broker->login_sources, &source->link);
    return source;
}

/* Turns away the first of those that have to authenticate, of this source or of any when it is
 * NULL: the list is in the order of their deadlines. */
static void turn_away_oldest(struct broker *broker, const struct login_source *source) {
    for (struct list *link = broker->authenticating.next; link != &broker->authenticating;
         link = link->next) {
        struct client *client = LIST_ENTRY(link, struct client, timeout_link);
        if (!client->counts_as_unauthenticated) continue;
        if (source != NULL && client->login_source != source) continue;
        client_turn_away(client, source != NULL ? "too many of its address are not authenticated"
                                                : "too many connections are not authenticated");
        return;
    }
}

void logins_begin(struct client *client) {
    struct broker *broker = client->broker;
    struct address peer;
    if (broker->unauthenticated_count >= broker->unauthenticated_max)
        turn_away_oldest(broker, NULL);
    stream_peer(client->stream, &peer);
    if (!address_is_loopback(&peer)) {
        struct login_source *source = source_of(broker, peer.host);
        if (source->count >= LIMIT_UNAUTHENTICATED_OF_ADDRESS) turn_away_oldest(broker, source);
        source->count++;
        client->login_source = source;
    }
    client->counts_as_unauthenticated = true;
    broker->unauthenticated_count++;
}

void logins_end(struct client *client) {
    struct broker *broker = client->broker;
    struct login_source *source = client->login_source;
    if (!client->counts_as_unauthenticated) return;
    client->counts_as_unauthenticated = false;
    broker->unauthenticated_count--;
    client->login_source = NULL;
    if (source == NULL || --source->count > 0) return;
    name_table_remove(&broker->login_sources, &source->link);
    free(source);
}
