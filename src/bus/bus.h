/*
 * The NATS client of the loop. Nothing here ever blocks: one thread makes every call of nats.c, and
 * two bounded queues lead to it and back (bus/link.h says why). All functions are called on the
 * loop thread, all callbacks run on the loop thread, and every text and byte given is copied.
 *
 * A bus keeps trying for ever: it begins to connect when it is created, goes round its servers with
 * capped, jittered waits, and restores every subscription after each connect. What was published is
 * not kept: while there is no connection a publish is refused, because a status broadcast that
 * arrives after a reconnect would be a stale one. NATS itself promises at most one delivery, never
 * a certain one; who must know uses bus_request.
 *
 *     created --> connecting <--> connected
 *                     |               |
 *                     +---> bus_stop <+ ---> on_closed (within BUS_STOP_LIMIT_MS, in any state)
 */
#ifndef LSYS_BUS_BUS_H
#define LSYS_BUS_BUS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"

struct bus;
struct bus_request;
struct bus_subscription;
struct loop;

/* A stock server's max_payload; larger messages are refused before they cost anything. A server
 * that allows less refuses by itself, which counts as `dropped_out`. */
#define BUS_MESSAGE_BYTES_MAX (1024 * 1024)

/* Longest subject: a server's max_control_line is 4 KiB and holds subject, reply and sizes. */
#define BUS_SUBJECT_BYTES_MAX 1024

/* Messages and bytes that may wait in either direction. Enough for a burst of 1,000 clients asking
 * at once; small enough that a stalled loop or a stalled server costs a known amount of memory: at
 * most twice this, since one queue is worked off while the next fills. */
#define BUS_QUEUE_MESSAGES_MAX 8192
#define BUS_QUEUE_BYTES_MAX    (16 * 1024 * 1024)

/* Subscriptions and open requests of one bus: a role has a handful, a bug could have many. */
#define BUS_SUBSCRIPTIONS_MAX 4096
#define BUS_REQUESTS_MAX      4096

/* Servers in `urls`. */
#define BUS_SERVERS_MAX 16

/* Longest address of a server as shown to people, with its NUL. */
#define BUS_SERVER_TEXT_BYTES 300

/* bus_stop leads to on_closed within this time, also while nats.c hangs on a stopped server: then
 * its thread is left to end by itself and nothing of it is used any more. */
#define BUS_STOP_LIMIT_MS 800

/* A message. Everything points into memory that is gone when the callback returns. */
struct bus_message {
    const char *subject;
    const char *reply; /* where an answer goes, or NULL */
    struct bytes data;
};

enum bus_state {
    BUS_CONNECTING, /* no connection yet, or lost; trying */
    BUS_CONNECTED,
};

/* What is known about the connection. */
struct bus_condition {
    enum bus_state state;
    const char *server; /* host:port now used or last tried, without credentials; may be "" */
    struct status
        reason;        /* why there is no connection; STATUS_OK when connected or not yet tried */
    uint64_t connects; /* successful connects since bus_create: grows at each reconnect */
    int64_t next_try_in_ms; /* while connecting: the wait that begins now */
};

struct bus_callbacks {
    /* The state changed, or a further attempt failed for another reason. A short interruption may
     * be seen as one call with BUS_CONNECTED and a grown `connects`. May be NULL. */
    void (*on_state)(void *context, const struct bus_condition *condition);
    /* The bus has ended after bus_stop; it is freed when this returns. May be NULL. */
    void (*on_closed)(void *context);
};

/* How to connect. At most one way to authenticate: user and password, token, credentials, NKey. */
struct bus_options {
    const char *urls; /* "nats://host:4222,tls://other"; the port defaults to 4222. Only these are
                              * used, never addresses that a server tells: they would be given our
                              * credentials. Credentials in a URL (user:password@, token@) win over those
                              * below for that server and are never shown. */
    const char *name; /* shown in the server's connection list */
    const char *user; /* with `password`, or NULL */
    const char *password;
    const char *token;       /* or NULL */
    const char *credentials; /* content of a .creds file (JWT and seed), or NULL */
    const char *nkey_seed;   /* "SU...": the seed of a user NKey, or NULL */

    /* TLS. It is used where the URL says tls://, where a server asks for it, and, so that nobody
     * can talk us out of it, everywhere as soon as one of these files is named. The files are read
     * at each connect, so that they can be renewed. */
    const char *tls_ca_file;          /* PEM: whom to trust; NULL: the system's CAs */
    const char *tls_certificate_file; /* PEM: for servers that ask; NULL: none */
    const char *tls_key_file;         /* PEM, mode 0600: its key */
};

/* Counters since bus_create, for metrics. */
struct bus_counters {
    uint64_t published;   /* handed to nats.c */
    uint64_t received;    /* delivered to callbacks */
    uint64_t refused_out; /* bus_publish said no: not connected, queue full, too large */
    uint64_t dropped_out; /* accepted, then lost with the connection or refused by nats.c */
    uint64_t dropped_in;  /* newest messages dropped because the loop did not keep up */
    uint64_t connects;
    uint64_t failed_connects;
    uint64_t queued_in;  /* waiting now */
    uint64_t queued_out; /* waiting now */
};

/* Checks the options and starts connecting; `callbacks` and `options` are copied, `context` is
 * passed to the callbacks. No callback runs before this returns. The result belongs to the bus
 * itself until on_closed. Returns NULL with STATUS_CONFIG (a bad URL, several credentials),
 * STATUS_IO (no thread), or what is wrong with a file of TLS. */
struct bus *bus_create(struct loop *loop, const struct bus_options *options,
                       const struct bus_callbacks *callbacks, void *context,
                       struct status *status) MUST_CHECK;

/* Ends the bus: no callback but on_closed and the on_end of open requests (STATUS_CANCELLED) runs
 * any more, and bus_publish refuses. Idempotent until on_closed. NULL is allowed. */
void bus_stop(struct bus *bus);

/* The connection as last reported to on_state; valid until the loop turns. */
const struct bus_condition *bus_condition(const struct bus *bus);

/* Reads the counters. */
void bus_counters(const struct bus *bus, struct bus_counters *counters);

/* Queues a message; `reply` may be NULL. True means queued, not delivered. Refused with
 * STATUS_UNAVAILABLE (not connected, or the queue is full), STATUS_TOO_LARGE, or STATUS_MALFORMED
 * (a subject that is empty, has blanks, wildcards or empty tokens). A message still queued when the
 * connection is lost is dropped and counted, never sent later. */
bool bus_publish(struct bus *bus, const char *subject, const char *reply, struct bytes data,
                 struct status *status);

/* Called for each message of a subscription. */
typedef void bus_message_callback(void *context, const struct bus_message *message);

/* Subscribes to a subject, which may have wildcards, as a member of `queue` or, with NULL, alone.
 * Works in any state and holds across reconnects. When the loop does not keep up, the newest
 * messages are dropped and counted. Returns NULL with STATUS_MALFORMED or STATUS_TOO_LARGE (too
 * many). The result ends with bus_unsubscribe, or with the bus. */
struct bus_subscription *bus_subscribe(struct bus *bus, const char *subject, const char *queue,
                                       bus_message_callback *callback, void *context,
                                       struct status *status);

/* Ends a subscription; its callback never runs again, also not for messages already queued. May be
 * called from inside the callback. NULL is allowed. */
void bus_unsubscribe(struct bus_subscription *subscription);

/* How many answers a request wants. */
enum bus_replies {
    BUS_FIRST_REPLY, /* ends with the first one */
    BUS_ALL_REPLIES, /* collects until the time is over: several servers may answer */
};

struct bus_request_callbacks {
    /* One answer. */
    void (*on_reply)(void *context, const struct bus_message *reply);
    /* The request has ended; called exactly once unless bus_request_cancel came first. STATUS_OK
     * when there was an answer; STATUS_TIMEOUT; STATUS_UNAVAILABLE when nobody listens on the
     * subject (the server said so) or the connection was lost; STATUS_CANCELLED at bus_stop. */
    void (*on_end)(void *context, const struct status *status);
};

/* Publishes `data` with a reply subject of its own and waits for answers for `timeout_ms`. Returns
 * NULL when the publish is refused, for the same reasons as bus_publish, and then calls nothing.
 * The result is valid until on_end returns. */
struct bus_request *bus_request(struct bus *bus, const char *subject, struct bytes data,
                                int64_t timeout_ms, enum bus_replies replies,
                                const struct bus_request_callbacks *callbacks, void *context,
                                struct status *status);

/* Forgets a request; neither of its callbacks runs again. NULL is allowed. */
void bus_request_cancel(struct bus_request *request);

#endif
