/*
 * A NATS broker inside the process: the client protocol as stock NATS clients speak it with
 * nats-server 2.x, without clustering and JetStream. Everything runs on the loop it is given;
 * a turn's work is bounded, so it shares the loop with other roles.
 *
 *     broker_create -> broker_listen (one or more) -> ... -> broker_stop -> on_closed, memory freed
 *                                             \-> broker_drain (lame duck) -> broker_stop
 *
 * Where it differs from nats-server on purpose is listed in roles/broker/README.md.
 */
#ifndef LSYS_BROKER_BROKER_H
#define LSYS_BROKER_BROKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/status.h"
#include "broker/users.h"
#include "loop/loop.h"
#include "net/address.h"
#include "net/http_request.h"
#include "net/http_server.h"
#include "net/tls_context.h"

/* What INFO says to clients. nats.js wants three numbers, nats.c at least 2.7.2 for some calls: it
 * is the version of nats-server whose behaviour ours follows. */
#define BROKER_PROTOCOL_VERSION "2.10.27"

struct broker;
struct broker_trust;

/* Limits and names. Zero means the default of broker/limits.h. */
struct broker_options {
    const char *name; /* server_name in INFO; NULL: the server id */
    const char *role; /* for the log; NULL: "broker" */

    /* Who may connect. NULL or empty: everybody. Belongs to the broker after a successful
     * broker_create; see broker/users.h. */
    struct broker_users *users;

    /* Operator mode: who may connect is what an operator has signed; then `users` is NULL. NULL:
     * not in operator mode. Belongs to the broker after a successful broker_create. */
    struct broker_trust *trust;

    /* TLS for every connection but WebSockets; NULL: none. Held as long as the broker lives;
     * reloading it changes what new connections are shown and nothing else. */
    struct tls_server_context *tls;
    bool tls_first;  /* TLS begins before INFO, not after it: nats-server's handshake_first */
    bool tls_verify; /* INFO says that clients need a certificate; the context sees to it */

    size_t max_payload_bytes;
    size_t max_control_line_bytes;
    size_t max_subscriptions; /* of one connection */
    size_t max_connections;
    size_t max_pending_bytes;       /* of one connection */
    size_t max_pending_total_bytes; /* of all */
    int64_t write_deadline_ms;
    int64_t authentication_timeout_ms;
    int64_t ping_interval_ms;
    int pings_outstanding_max;
    int64_t lame_duck_grace_ms;  /* before the first connection is closed */
    int64_t lame_duck_spread_ms; /* over which the connections are closed */
};

/* What happened so far, for metrics and views. */
struct broker_counters {
    uint64_t in_messages, in_bytes;   /* published by clients; bytes of payload and headers */
    uint64_t out_messages, out_bytes; /* delivered to clients */
    uint64_t connections_total;
    uint64_t slow_consumers;
    uint64_t authentication_failures;
    uint64_t tls_failures; /* connections that ended before TLS was agreed on */
    uint64_t stale_connections;
    uint64_t stalls; /* times that a publisher was held back for a consumer */
    size_t connections;
    size_t subscriptions;
    size_t pending_bytes;
    bool lame_duck;
};

/* Makes a broker that does not listen yet. Options are copied, users are taken over. STATUS_CONFIG
 * when a limit is out of bounds. */
struct broker *broker_create(struct loop *loop, const struct broker_options *options,
                             struct status *status) MUST_CHECK;

/* Listens at one more address; port 0 takes a free one. `*bound` (may be NULL) gets the address
 * with the real port. Errors as listener_open. Off loopback is for the caller to permit. */
bool broker_listen(struct broker *broker, const struct address *address, struct address *bound,
                   struct status *status) MUST_CHECK;

struct broker_websocket_options {
    /* Pages that may connect, as browsers name them ("https://app.example"), beside those that come
     * from the listener's own host and port. NULL-terminated; may be NULL; "*" allows any.
     * Copied. */
    const char *const *allowed_origins;

    /* Names that the Host field may have beside localhost and IP literals; as above. */
    const char *const *allowed_hosts;

    struct tls_server_context *tls; /* for wss; held while it listens. NULL: ws */
};

/* Listens for browsers' NATS clients, which speak the protocol in WebSocket frames; errors as
 * broker_listen. Called again it listens at one more address, with the first options but for
 * `tls`. */
bool broker_listen_websocket(struct broker *broker, const struct address *address,
                             const struct broker_websocket_options *options, struct address *bound,
                             struct status *status) MUST_CHECK;

/* Takes over another user table (owned by the broker from now on). Connections whose user is gone
 * or whose credential has changed are closed with Authorization Violation; the others keep their
 * subscriptions and get the new permissions for what they do from now on. */
void broker_set_users(struct broker *broker, struct broker_users *users);

/* Reads the operator's token in a file, and the accounts in a folder (made when missing), which is
 * watched from broker_create on. Errors name the file. Freed by broker_trust_free (NULL is fine)
 * while it does not belong to a broker. */
struct broker_trust *broker_trust_open(const char *operator_path, const char *resolver_folder,
                                       struct status *status) MUST_CHECK;
void broker_trust_free(struct broker_trust *trust);

/* True when clients must prove who they are. */
bool broker_has_users(const struct broker *broker);

/* Lame duck mode: stops accepting, tells the clients (INFO with "ldm":true) so that they move on,
 * waits the grace and then closes the connections one by one over the spread. `on_drained` (may be
 * NULL) is called once, with `context`, when no client is left. Idempotent: the first call
 * counts. */
void broker_drain(struct broker *broker, void (*on_drained)(void *context), void *context);

/* Closes listeners and connections, gives what was written to the kernel, then calls `on_closed`
 * (may be NULL) and frees everything. Idempotent: the first call counts. NULL is accepted. */
void broker_stop(struct broker *broker, void (*on_closed)(void *context), void *context);

void broker_read_counters(const struct broker *broker, struct broker_counters *out);

/* Adds /varz and /connz to a server, in the form of nats-server's monitoring port. The server must
 * be closed before the broker stops. */
void broker_add_monitor(struct broker *broker, struct http_server *server);

#endif
