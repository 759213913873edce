#include "bus/connection.h"

#include <stdlib.h>
#include <string.h>

#include <nats/nats.h>

#include "base/memory.h"
#include "bus/openssl_private.h"
#include "verifier/nkey.h"

/* What nats.c's callbacks about a connection get. nats.c reports the end of an established
 * connection exactly once, as the last callback about it. */
struct session {
    struct bus_link *link; /* a reference */
    uint64_t number;
};

struct bus_connection {
    natsConnection *nats;
    struct bus_link *link; /* no reference: the thread has one */
};

/* What nats.c's callbacks about a subscription get; freed when nats.c has made the last one. */
struct receiver {
    struct bus_link *link; /* a reference */
    uint64_t number;
};

struct bus_connection_subscription {
    natsSubscription *nats;
};

/* ---- Callbacks: they only copy into the link ---- */

static void on_closed(natsConnection *nats, void *closure) {
    (void)nats;
    struct session *session = closure;
    bus_link_lost(session->link, session->number);
    bus_link_release(session->link);
    free(session);
}

static void on_error(natsConnection *nats, natsSubscription *subscription, natsStatus error,
                     void *closure) {
    (void)subscription;
    const struct session *session = closure;
    char text[200] = "";
    natsConnection_ReadLastError(nats, text, sizeof text);
    bus_link_complain(session->link, text[0] == '\0' ? natsStatus_GetText(error) : text);
}

static void on_message(natsConnection *nats, natsSubscription *subscription, natsMsg *message,
                       void *closure) {
    (void)nats;
    (void)subscription;
    const struct receiver *receiver = closure;
    const struct bus_message copy = {
        .subject = natsMsg_GetSubject(message),
        .reply = natsMsg_GetReply(message),
        .data = bytes_of(natsMsg_GetData(message), (size_t)natsMsg_GetDataLength(message)),
    };
    bus_link_deliver(receiver->link, receiver->number, &copy, natsMsg_IsNoResponders(message));
    natsMsg_Destroy(message);
}

static void on_receiver_done(void *closure) {
    struct receiver *receiver = closure;
    bus_link_release(receiver->link);
    free(receiver);
}

static natsStatus sign_with_seed(char **custom_error, unsigned char **signature,
                                 int *signature_length, const char *nonce, void *closure) {
    (void)custom_error;
    return nats_Sign(closure, nonce, signature, signature_length);
}

/* ---- Errors ---- */

/* nats.c connects on this thread, so what TLS has recorded last is the reason. */
static void record_tls(struct status *status, const char *detail) {
    const struct status *why = openssl_last_error();
    enum status_code code = why->code == STATUS_TIMEOUT ? STATUS_TIMEOUT : STATUS_TLS;
    if (status_is_ok(why)) {
        status_fail(status, STATUS_TLS, "TLS with the NATS server failed: %s", detail);
    } else {
        status_fail(status, code, "TLS with the NATS server failed: %s%s", why->text,
                    why->code == STATUS_UNKNOWN_ISSUER ? "; --nats-ca names the CA to trust" : "");
    }
}

/* Records a failure of nats.c in our words. `detail` is nats.c's text or the server's, or "". */
static void record(struct status *status, natsStatus error, const char *detail) {
    switch (error) {
    case NATS_CONNECTION_AUTH_FAILED:
    case NATS_NOT_PERMITTED:
        status_fail(status, STATUS_UNAUTHORIZED,
                    "the NATS server refused the credentials (%s); check user, password, token or "
                    "credentials file",
                    detail);
        return;
    case NATS_SSL_ERROR: record_tls(status, detail); return;
    case NATS_SECURE_CONNECTION_WANTED:
        status_fail(status, STATUS_TLS,
                    "the NATS server offers no TLS, and without it nothing is sent");
        return;
    case NATS_TIMEOUT:
        status_fail(status, STATUS_TIMEOUT, "the NATS server did not answer in time");
        return;
    case NATS_STALE_CONNECTION:
        status_fail(status, STATUS_TIMEOUT, "the NATS server stopped answering");
        return;
    case NATS_NO_SERVER:
        status_fail(status, STATUS_UNAVAILABLE, "no NATS server answers there");
        return;
    case NATS_OK:
    case NATS_IO_ERROR:
    case NATS_CONNECTION_CLOSED:
    case NATS_CONNECTION_DISCONNECTED:
        status_fail(status, STATUS_UNAVAILABLE, "the NATS server closed the connection");
        return;
    case NATS_PROTOCOL_ERROR:
        status_fail(status, STATUS_PROTOCOL, "what answers there is not a NATS server (%s)",
                    detail);
        return;
    default:
        status_fail(status, STATUS_UNAVAILABLE, "%s",
                    detail[0] == '\0' ? natsStatus_GetText(error) : detail);
        return;
    }
}

static void record_last(struct status *status, natsStatus error) {
    natsStatus same = NATS_OK;
    const char *detail = nats_GetLastError(&same);
    record(status, error, detail == NULL ? "" : detail);
}

/* ---- Connecting ---- */

static natsStatus set_nkey(natsOptions *options, char *seed) {
    char public_key[NKEY_PUBLIC_TEXT_BYTES];
    if (!nkey_public_of_seed(bytes_of_text(seed), public_key, NULL)) return NATS_INVALID_ARG;
    return natsOptions_SetNKey(options, public_key, sign_with_seed, seed);
}

static natsStatus set_login(natsOptions *options, const struct bus_server *server,
                            const struct bus_identity *identity) {
    if (server->user != NULL)
        return natsOptions_SetUserInfo(options, server->user, server->password);
    if (server->token != NULL) return natsOptions_SetToken(options, server->token);
    if (identity->user != NULL)
        return natsOptions_SetUserInfo(options, identity->user, identity->password);
    if (identity->token != NULL) return natsOptions_SetToken(options, identity->token);
    if (identity->credentials != NULL)
        return natsOptions_SetUserCredentialsFromMemory(options, identity->credentials);
    return identity->nkey_seed == NULL ? NATS_OK : set_nkey(options, identity->nkey_seed);
}

static natsStatus set_tls(natsOptions *options, const struct bus_server *server,
                          const struct bus_identity *identity) {
    natsStatus error = NATS_OK;
    if (server->tls || identity->tls_ca_file != NULL || identity->tls_certificate_file != NULL)
        error = natsOptions_SetSecure(options, true);
    if (error == NATS_OK && identity->tls_ca_file != NULL)
        error = natsOptions_LoadCATrustedCertificates(options, identity->tls_ca_file);
    if (error == NATS_OK && identity->tls_certificate_file != NULL) {
        error = natsOptions_LoadCertificatesChain(options, identity->tls_certificate_file,
                                                  identity->tls_key_file);
    }
    return error;
}

/* Runs the setters up to the first that fails. */
static natsStatus set_options(natsOptions *options, const struct bus_server *server,
                              const struct bus_identity *identity, struct session *session) {
    natsStatus error = natsOptions_SetURL(options, server->url);
    if (error == NATS_OK && identity->name != NULL)
        error = natsOptions_SetName(options, identity->name);
    if (error == NATS_OK) error = set_login(options, server, identity);
    if (error == NATS_OK) error = set_tls(options, server, identity);
    if (error == NATS_OK) error = natsOptions_SetAllowReconnect(options, false);
    if (error == NATS_OK) error = natsOptions_SetIgnoreDiscoveredServers(options, true);
    if (error == NATS_OK) error = natsOptions_SetTimeout(options, BUS_CONNECT_LIMIT_MS);
    if (error == NATS_OK) error = natsOptions_SetWriteDeadline(options, BUS_WRITE_LIMIT_MS);
    if (error == NATS_OK) error = natsOptions_SetPingInterval(options, BUS_PING_INTERVAL_MS);
    if (error == NATS_OK) error = natsOptions_SetMaxPingsOut(options, 2);
    if (error == NATS_OK) error = natsOptions_SetSendAsap(options, true);
    if (error == NATS_OK) error = natsOptions_UseGlobalMessageDelivery(options, true);
    if (error == NATS_OK) error = natsOptions_SetErrorHandler(options, on_error, session);
    if (error == NATS_OK) error = natsOptions_SetClosedCB(options, on_closed, session);
    return error;
}

struct bus_connection *bus_connection_open(const struct bus_server *server,
                                           const struct bus_identity *identity,
                                           struct bus_link *link, uint64_t session_number,
                                           struct status *status) {
    struct session *session = memory_new(sizeof *session);
    *session = (struct session){.link = link, .number = session_number};
    bus_link_retain(link);

    natsOptions *options = NULL;
    natsConnection *nats = NULL;
    openssl_clear_error();
    natsStatus error = natsOptions_Create(&options);
    if (error == NATS_OK) error = set_options(options, server, identity, session);
    if (error == NATS_OK) error = natsConnection_Connect(&nats, options);
    if (error != NATS_OK) record_last(status, error);
    natsOptions_Destroy(options);
    if (error != NATS_OK) {
        bus_link_release(link);
        free(session);
        return NULL;
    }
    struct bus_connection *connection = memory_new(sizeof *connection);
    *connection = (struct bus_connection){.nats = nats, .link = link};
    return connection;
}

void bus_connection_reason(struct bus_connection *connection, struct status *status) {
    char detail[200] = "";
    natsStatus error = natsConnection_ReadLastError(connection->nats, detail, sizeof detail);
    record(status, error, detail);
}

void bus_connection_shut(struct bus_connection *connection) {
    natsConnection_Close(connection->nats);
}

void bus_connection_free(struct bus_connection *connection) {
    natsConnection_Destroy(connection->nats);
    free(connection);
}

void bus_connection_enter_thread(void) {
    openssl_memory_begin();
}

void bus_connection_leave_thread(void) {
    openssl_memory_end();
    nats_ReleaseThreadMemory();
}

/* ---- Messages ---- */

bool bus_connection_publish(struct bus_connection *connection, const char *subject,
                            const char *reply, struct bytes data, bool *lost) {
    const char *payload = (const char *)data.data;
    natsStatus error =
        reply == NULL ? natsConnection_Publish(connection->nats, subject, payload, (int)data.length)
                      : natsConnection_PublishRequest(connection->nats, subject, reply, payload,
                                                      (int)data.length);
    *lost = error != NATS_OK && error != NATS_MAX_PAYLOAD && error != NATS_INVALID_SUBJECT;
    return error == NATS_OK;
}

struct bus_connection_subscription *bus_connection_subscribe(struct bus_connection *connection,
                                                             uint64_t number, const char *subject,
                                                             const char *queue) {
    struct receiver *receiver = memory_new(sizeof *receiver);
    *receiver = (struct receiver){.link = connection->link, .number = number};
    bus_link_retain(connection->link);

    natsSubscription *nats = NULL;
    natsStatus error =
        queue == NULL
            ? natsConnection_Subscribe(&nats, connection->nats, subject, on_message, receiver)
            : natsConnection_QueueSubscribe(&nats, connection->nats, subject, queue, on_message,
                                            receiver);
    if (error != NATS_OK) {
        on_receiver_done(receiver);
        return NULL;
    }
    if (natsSubscription_SetOnCompleteCB(nats, on_receiver_done, receiver) != NATS_OK) {
        /* The connection closed within these few lines. A message may be on its way to the receiver
         * and nobody will tell when it has arrived: the receiver, some bytes, is given up. */
        natsSubscription_Destroy(nats);
        return NULL;
    }
    struct bus_connection_subscription *subscription = memory_new(sizeof *subscription);
    subscription->nats = nats;
    return subscription;
}

void bus_connection_unsubscribe(struct bus_connection_subscription *subscription) {
    if (subscription != NULL) {
        natsSubscription_Destroy(subscription->nats);
        free(subscription);
    }
}
