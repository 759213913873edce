/*
 * One connection to one NATS server, made by nats.c. Used by the thread of a bus only; every call
 * may block up to the named limits. nats.c's own reconnect is off: it hides why an attempt failed,
 * sends what was published long ago, gives up for good after two refused logins, and holds the
 * connection's lock all the while. The thread makes a new connection instead.
 */
#ifndef LSYS_BUS_CONNECTION_H
#define LSYS_BUS_CONNECTION_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "bus/link.h"
#include "bus/server_list.h"

/* TCP connect, INFO and PONG together, and the TLS handshake once more
 * (OPENSSL_HANDSHAKE_LIMIT_MS): a site's far end on a slow line needs one or two seconds. */
#define BUS_CONNECT_LIMIT_MS 5000

/* A write that the server does not take for this long counts as a lost connection. */
#define BUS_WRITE_LIMIT_MS 2000

/* A silent server is noticed after three of these: well before a client's 60 s without a
 * heartbeat. */
#define BUS_PING_INTERVAL_MS 10000

struct bus_connection;

/* A subscription on one connection. */
struct bus_connection_subscription;

/* Who we are. Texts may be NULL. */
struct bus_identity {
    char *name;
    char *user;
    char *password;
    char *token;
    char *credentials;
    char *nkey_seed;
    char *tls_ca_file;
    char *tls_certificate_file;
    char *tls_key_file;
};

/* Connects. `link` gets the messages, and bus_link_lost with `session` when the connection closes
 * by itself. Errors: STATUS_UNAUTHORIZED, STATUS_TLS, STATUS_TIMEOUT, STATUS_UNAVAILABLE,
 * STATUS_PROTOCOL; the text does not repeat the server's name. */
struct bus_connection *bus_connection_open(const struct bus_server *server,
                                           const struct bus_identity *identity,
                                           struct bus_link *link, uint64_t session,
                                           struct status *status) MUST_CHECK;

/* Why the connection was lost, as a failed status. */
void bus_connection_reason(struct bus_connection *connection, struct status *status);

/* Closes the connection, which closes its subscriptions without telling the server of each; then
 * the subscriptions are freed with bus_connection_unsubscribe, and last the connection itself. */
void bus_connection_shut(struct bus_connection *connection);

/* Frees a connection that was shut. */
void bus_connection_free(struct bus_connection *connection);

/* Publishes at once. False when nats.c refused the message; `*lost` tells that the connection
 * cannot be used any more. */
bool bus_connection_publish(struct bus_connection *connection, const char *subject,
                            const char *reply, struct bytes data, bool *lost);

/* Subscribes; messages go to bus_link_deliver under `number`. NULL when nats.c refuses, which is
 * when the connection is lost. */
struct bus_connection_subscription *bus_connection_subscribe(struct bus_connection *connection,
                                                             uint64_t number, const char *subject,
                                                             const char *queue);

/* Unsubscribes, unless the connection is shut, and frees. NULL is allowed. */
void bus_connection_unsubscribe(struct bus_connection_subscription *subscription);

/* The calling thread makes all connections from here on: what can be used again of TLS, it
 * remembers between them. */
void bus_connection_enter_thread(void);

/* Frees what is kept for the calling thread, which makes no further call. */
void bus_connection_leave_thread(void);

#endif
