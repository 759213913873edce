/*
 * What a broker is made of. Private to src/broker.
 */
#ifndef LSYS_BROKER_BROKER_STATE_H
#define LSYS_BROKER_BROKER_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/log.h"
#include "broker/account.h"
#include "broker/broker.h"
#include "broker/name_table.h"
#include "broker/subject_index.h"
#include "loop/loop.h"
#include "loop/timer.h"
#include "net/listener.h"

/* Addresses that one broker may listen on. */
#define BROKER_LISTENERS_MAX 8

struct subscription;
struct websocket_listener;

/* Where it is in its life. */
enum broker_phase { BROKER_OPEN, BROKER_DRAINING, BROKER_STOPPING };

struct broker {
    struct loop *loop;
    struct broker_options options; /* every limit filled in; `name` and `role` are owned copies */
    struct broker_users *users;    /* NULL: everybody may connect, or there is a `trust` */
    struct broker_trust *trust;    /* NULL: not in operator mode */
    char server_id[NKEY_PUBLIC_TEXT_BYTES];
    enum broker_phase phase;

    struct listener *listeners[BROKER_LISTENERS_MAX];
    size_t listener_count;
    struct websocket_listener *websocket; /* NULL: none */

    struct list clients; /* struct client, in the order of their ids */
    size_t client_count; /* in `clients`, without those that are being refused */
    size_t unauthenticated_count, unauthenticated_max;
    struct name_table login_sources; /* struct login_source, see logins.c */
    uint64_t login_hash_key;
    struct log_limiter refusals_logged;
    uint64_t last_client_id;
    struct account common;     /* of everybody, unless in operator mode */
    struct subscription *dead; /* closed while a match may still point to them */
    uint64_t random_state;     /* for picking members of queues */
    uint64_t published;        /* messages so far, for their numbers */

    /* Clients by what they wait for; each list is in the order of the deadlines (timeouts.h). */
    struct list authenticating;
    struct list first_ping;
    struct list ping;
    struct list stalled;
    struct list backlogged; /* with output that is waiting, by when it began */
    struct timer *tick;

    size_t pending_bytes; /* waiting for all backlogged clients */
    size_t held_bytes;    /* of frames that have not come whole, of all clients */
    size_t turn_bytes;    /* delivered since the present read or resumption began */

    int64_t start_wall_ms;
    int64_t start_monotonic_ms;
    int64_t drain_started_ms;
    struct broker_counters counters; /* sizes are filled in when asked for */

    struct loop_task stop_task;
    void (*on_drained)(void *context);
    void *drained_context;
    void (*on_closed)(void *context);
    void *closed_context;
};

/* Takes over a stream from a listener; closes it unless the broker is open. */
void broker_accept(struct broker *broker, struct stream *stream, bool is_websocket);

/* Closes all listeners. */
void broker_stop_listening(struct broker *broker);

/* Called when a client or the WebSocket listener has left: the end of a drain or a stop may have
 * come. */
void broker_client_left(struct broker *broker);

/* True when clients must prove who they are. */
static inline bool broker_wants_login(const struct broker *broker) {
    return broker->users != NULL || broker->trust != NULL;
}

/* The time of the present turn, monotonic. */
static inline int64_t broker_now_ms(const struct broker *broker) {
    return loop_now_ms(broker->loop);
}

#endif
