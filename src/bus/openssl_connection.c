/*
 * One TLS connection as nats.c sees it: bus/tls_socket.h with OpenSSL's manners.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/memory.h"
#include "bus/openssl_private.h"
#include "bus/tls_socket.h"

struct openssl_connection {
    struct openssl_context *context; /* held */
    int descriptor;
    char *host;        /* to be verified; NULL: none was named */
    char *server_name; /* to be asked for; NULL: the same */
    openssl_verify_callback *callback;
    void *owner;            /* ex_data, index 0 */
    struct tls_socket *tls; /* NULL before the handshake */
};

/* ---- life and settings ---- */

struct openssl_connection *SSL_new(struct openssl_context *context) {
    if (openssl_context_client(context) == NULL) return NULL;
    struct openssl_connection *connection = memory_new(sizeof *connection);
    connection->context = openssl_context_retain(context);
    connection->descriptor = -1;
    return connection;
}

void SSL_free(struct openssl_connection *connection) {
    if (connection == NULL) return;
    tls_socket_free(connection->tls);
    SSL_CTX_free(connection->context);
    free(connection->host);
    free(connection->server_name);
    free(connection);
}

static int replace_text(char **place, const char *text) {
    free(*place);
    *place = memory_copy_text(text);
    return 1;
}

long SSL_ctrl(struct openssl_connection *connection, int command, long number, void *pointer) {
    (void)number;
    return command == OPENSSL_COMMAND_SERVER_NAME ? replace_text(&connection->server_name, pointer)
                                                  : 0;
}

int SSL_set1_host(struct openssl_connection *connection, const char *host) {
    return replace_text(&connection->host, host);
}

int SSL_set_fd(struct openssl_connection *connection, int descriptor) {
    connection->descriptor = descriptor;
    return 1;
}

void SSL_set_connect_state(struct openssl_connection *connection) {
    (void)connection; /* there is no other */
}

/* Partial wildcards never match here. */
void SSL_set_hostflags(struct openssl_connection *connection, unsigned int flags) {
    (void)connection;
    (void)flags;
}

void SSL_set_verify(struct openssl_connection *connection, int mode,
                    openssl_verify_callback *callback) {
    (void)mode; /* certificates are always verified */
    connection->callback = callback;
}

int SSL_set_ex_data(struct openssl_connection *connection, int index, void *data) {
    if (index != 0) return 0;
    connection->owner = data;
    return 1;
}

void *SSL_get_ex_data(const struct openssl_connection *connection, int index) {
    return index == 0 ? connection->owner : NULL;
}

/* ---- handshake ---- */

/* Tells the callback of a refused certificate, so that it can make its own text; whatever it
 * answers. */
static void tell_callback(struct openssl_connection *connection, const struct status *why) {
    struct bytes der = tls_socket_refused_certificate(connection->tls);
    if (connection->callback == NULL || der.length == 0) return;
    struct openssl_verification verification = {
        .connection = connection,
        .certificate = openssl_certificate_copy(der),
        .why = why,
    };
    connection->callback(0, &verification);
    X509_free(verification.certificate);
}

/* The port that the socket is connected to; 0 when it cannot be told. */
static uint16_t peer_port(int descriptor) {
    struct sockaddr_storage peer;
    socklen_t length = sizeof peer;
    if (getpeername(descriptor, (struct sockaddr *)&peer, &length) != 0) return 0;
    switch (peer.ss_family) {
    case AF_INET: return ntohs(((const struct sockaddr_in *)&peer)->sin_port);
    case AF_INET6: return ntohs(((const struct sockaddr_in6 *)&peer)->sin6_port);
    default: return 0;
    }
}

static bool begin(struct openssl_connection *connection, struct status *status) {
    if (connection->host == NULL)
        return status_fail(status, STATUS_TLS, "no host name was given to verify");
    struct tls_client_context *client = openssl_context_client(connection->context);
    if (client == NULL) {
        *status = *openssl_last_error();
        return false;
    }
    const struct tls_target target = {
        .host = connection->host,
        .server_name = connection->server_name,
        .port = peer_port(connection->descriptor),
    };
    connection->tls = tls_socket_create(client, connection->descriptor, &target, status);
    return connection->tls != NULL;
}

int SSL_do_handshake(struct openssl_connection *connection) {
    struct status status = STATUS_INIT;
    if (connection->tls == NULL && begin(connection, &status) &&
        tls_socket_handshake(connection->tls, OPENSSL_HANDSHAKE_LIMIT_MS, &status))
        return 1;
    status_fail(&status, STATUS_TLS, "a TLS handshake cannot be repeated");
    openssl_set_error(&status);
    if (connection->tls != NULL) tell_callback(connection, &status);
    return -1;
}

/* ---- reading and writing ---- */

/* OpenSSL's answer for a result of tls_socket. */
static int answer(ssize_t result, const struct status *status) {
    if (result == TLS_SOCKET_AGAIN) {
        errno = EAGAIN;
        return -1;
    }
    if (result == TLS_SOCKET_FAILED) {
        openssl_set_error(status);
        return -1;
    }
    return (int)result;
}

static int refuse_unconnected(struct status *status) {
    status_fail(status, STATUS_TLS, "there is no TLS connection");
    return answer(TLS_SOCKET_FAILED, status);
}

int SSL_read(struct openssl_connection *connection, void *out, int length) {
    struct status status = STATUS_INIT;
    if (connection->tls == NULL || length < 0) return refuse_unconnected(&status);
    return answer(tls_socket_read(connection->tls, out, (size_t)length, &status), &status);
}

int SSL_write(struct openssl_connection *connection, const void *bytes, int length) {
    struct status status = STATUS_INIT;
    if (connection->tls == NULL || length < 0) return refuse_unconnected(&status);
    return answer(tls_socket_write(connection->tls, bytes, (size_t)length, &status), &status);
}

int SSL_get_error(const struct openssl_connection *connection, int result) {
    (void)connection;
    return result == 0 ? OPENSSL_RESULT_CLOSED : OPENSSL_RESULT_SYSCALL;
}
