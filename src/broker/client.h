/*
 * One connection: what the protocol remembers of it, and its life.
 *
 *     accepted --CONNECT--> connected --+--> closing --> gone
 *         \------- refused ------------/
 *
 * Until CONNECT a client of a broker without users may already do everything, as with nats-server.
 * Private to src/broker.
 */
#ifndef LSYS_BROKER_CLIENT_H
#define LSYS_BROKER_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/list.h"
#include "broker/broker_state.h"
#include "broker/connect_options.h"
#include "broker/name_table.h"
#include "broker/parser.h"
#include "broker/subject_index.h"
#include "net/stream.h"

struct identity;
struct login_source;
struct replies;

struct client {
    struct broker *broker;
    struct stream *stream;
    struct list link; /* in broker->clients */
    uint64_t id;

    struct parser parser;
    struct connect_options options;
    const struct broker_user *user; /* NULL: no users, or not authenticated yet */
    struct account *account;        /* NULL: in operator mode, not authenticated yet */
    struct identity *identity;      /* in operator mode, once authenticated; owned */
    bool has_left_account;
    bool is_websocket;
    size_t max_subscriptions;
    char nonce[BROKER_NONCE_BYTES]; /* "" unless users sign */
    char *name;                     /* from CONNECT; NULL when not given */
    char *language;
    char *version;
    char *peer; /* with TLS: whose handshake failed is told when the socket is gone */
    struct name_table subscriptions;   /* by sid */
    struct replies *replies;           /* subjects open under allow_responses; NULL: none */
    struct login_source *login_source; /* NULL: of this machine, or not counted */
    bool counts_as_unauthenticated;
    bool with_tls;     /* begun, or to be begun by its next bytes */
    bool is_connected; /* CONNECT was accepted */
    bool is_closing;

    /* Timeouts. */
    struct list timeout_link;
    int64_t timeout_due_ms;
    int64_t last_read_ms;
    int64_t ping_sent_ms; /* 0: none is unanswered */
    int64_t round_trip_ms;
    int pings_outstanding;

    /* Input that is not processed yet because the client is stalled or has had its turn. */
    uint8_t *waiting_input;
    size_t waiting_length, waiting_start;
    struct loop_task resume_task;
    struct list stall_link; /* in broker->stalled while it is held back */
    struct client *stalled_by;
    int64_t stall_due_ms;

    size_t held_noted; /* of a frame that has not come whole, counted in broker->held_bytes */

    /* Output. */
    struct list backlog_link; /* in broker->backlogged while much is waiting */
    size_t pending_noted;
    int64_t write_due_ms;
    uint64_t written_by_due; /* bytes that must have left by then */
    int64_t lagging_until_ms;
    bool is_lagging; /* holds nobody back any more, until it catches up */

    uint64_t in_messages, in_bytes, out_messages, out_bytes;
    int64_t start_wall_ms;
    int64_t start_monotonic_ms;
};

/* A subscription of a client. */
struct subscription {
    struct subject_entry entry; /* first: the index hands these out */
    struct name_link sid_link;  /* in client->subscriptions; its name is the sid */
    struct client *client;
    struct subscription *next_dead;
    uint64_t delivered;
    uint64_t maximum;  /* closes after so many; 0: never */
    bool needs_filter; /* part of what it matches is denied */
    bool is_closed;
    uint16_t sid_length;
    uint8_t sid[]; /* followed by a blank, as MSG wants it */
};

/* Takes over an accepted stream: sends INFO and begins to read, with the TLS of the broker's
 * options before or after it. A WebSocket has none: it runs inside the HTTP listener's. */
void client_accept(struct broker *broker, struct stream *stream, bool is_websocket);

/* Sends "-ERR 'text'". */
void client_error(struct client *client, const char *format, ...) PRINTF_LIKE(2, 3);

/* Sends "+OK" to a client that wants it. */
void client_ok(struct client *client);

/* Ends the connection because of what the client did: its subscriptions are gone at once, the error
 * (NULL: none) reaches it, and then the connection is closed. `reason` is for the log and connz. */
void client_refuse(struct client *client, const char *error, const char *reason);

/* Ends at once the connection of a client that has not authenticated, for want of room. */
void client_turn_away(struct client *client, const char *reason);

/* Ends the connection at once; what was not sent is dropped. */
void client_cut_off(struct client *client, const char *reason);

/* Ends the connection in order: what was written is given to the kernel. */
void client_close(struct client *client);

/* The connection broke before it was agreed on TLS: counts that and logs `reason`. */
void client_tls_failed(struct client *client, const char *reason);

/* Frees the client; called by its stream when it is closed. */
void client_free(struct client *client);

/* Looks the sid up among the client's subscriptions; NULL when it is not there. */
struct subscription *client_find_subscription(const struct client *client, struct bytes sid);

/* Ends a subscription. Its memory stays until broker_bury, because a match may point to it. */
void subscription_close(struct subscription *subscription);

/* Frees the subscriptions that were closed. No match is in use when this is called. */
void broker_bury(struct broker *broker);

/* Sends INFO. `lame_duck` adds "ldm". */
void client_send_info(struct client *client, bool lame_duck);

static inline const struct permissions *client_permissions(const struct client *client) {
    return client->user != NULL ? client->user->permissions : NULL;
}

#endif
