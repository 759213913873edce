#include "bus/tls_socket.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/assertion.h"
#include "base/clock.h"
#include "base/memory.h"

/* A record with its header and tag. */
#define RECORD_BYTES_MAX (TLS_RECORD_BYTES_MAX + 325)

struct tls_socket {
    int descriptor;
    struct tls_engine *engine;
    pthread_mutex_t engine_lock; /* for the engine; never held during a system call */
    pthread_mutex_t read_lock;   /* for who reads, and `inbox` */
    pthread_mutex_t write_lock;  /* for who writes, and what follows */

    uint8_t outbox[RECORD_BYTES_MAX]; /* from the engine, not with the kernel yet */
    size_t outbox_start;
    size_t outbox_end;
    size_t accepted; /* plaintext of records that are not with the kernel yet */

    uint8_t inbox[RECORD_BYTES_MAX]; /* between the socket and the engine */
};

static void lock(pthread_mutex_t *mutex) {
    ASSERT(pthread_mutex_lock(mutex) == 0);
}

static void unlock(pthread_mutex_t *mutex) {
    ASSERT(pthread_mutex_unlock(mutex) == 0);
}

/* ---- life ---- */

struct tls_socket *tls_socket_create(struct tls_client_context *context, int descriptor,
                                     const struct tls_target *target, struct status *status) {
    if (!tls_client_context_load(context, status)) return NULL;
    struct tls_engine *engine = tls_engine_create_client(context, target, status);
    if (engine == NULL) return NULL;
    struct tls_socket *tls = memory_new(sizeof *tls);
    tls->descriptor = descriptor;
    tls->engine = engine;
    ASSERT(pthread_mutex_init(&tls->engine_lock, NULL) == 0);
    ASSERT(pthread_mutex_init(&tls->read_lock, NULL) == 0);
    ASSERT(pthread_mutex_init(&tls->write_lock, NULL) == 0);
    return tls;
}

void tls_socket_free(struct tls_socket *tls) {
    if (tls == NULL) return;
    tls_engine_free(tls->engine);
    pthread_mutex_destroy(&tls->engine_lock);
    pthread_mutex_destroy(&tls->read_lock);
    pthread_mutex_destroy(&tls->write_lock);
    memory_wipe(tls, sizeof *tls);
    free(tls);
}

struct bytes tls_socket_refused_certificate(const struct tls_socket *tls) {
    return tls_engine_refused_certificate(tls->engine);
}

/* ---- what both directions share ---- */

/* Records why the connection is over. */
static ssize_t fail(struct tls_socket *tls, struct status *status) {
    lock(&tls->engine_lock);
    struct status why = *tls_engine_failure(tls->engine);
    unlock(&tls->engine_lock);
    if (status_is_ok(&why)) status_fail(&why, STATUS_UNAVAILABLE, "the TLS connection is closed");
    status_fail(status, why.code, "%s", why.text);
    return TLS_SOCKET_FAILED;
}

static ssize_t fail_errno(const char *call, struct status *status) {
    int error = errno;
    status_fail(status, STATUS_UNAVAILABLE, "%s: %s", call, strerror(error));
    return TLS_SOCKET_FAILED;
}

static bool is_only_later(int error) {
    return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

/* ---- sending; the write lock is held ---- */

/* Refills the empty outbox from the engine. False when there is nothing to send. */
static bool fill_outbox(struct tls_socket *tls) {
    lock(&tls->engine_lock);
    struct bytes out = tls_engine_output(tls->engine);
    size_t length = out.length < sizeof tls->outbox ? out.length : sizeof tls->outbox;
    if (length > 0) {
        memcpy(tls->outbox, out.data, length);
        tls_engine_output_sent(tls->engine, length);
    }
    unlock(&tls->engine_lock);
    tls->outbox_start = 0;
    tls->outbox_end = length;
    return length > 0;
}

/* Gives the kernel what there is to send. 0 when all of it is gone, else as tls_socket_write. */
static ssize_t send_all(struct tls_socket *tls, struct status *status) {
    for (;;) {
        if (tls->outbox_start == tls->outbox_end && !fill_outbox(tls)) return 0;
        ssize_t sent = send(tls->descriptor, tls->outbox + tls->outbox_start,
                            tls->outbox_end - tls->outbox_start, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0)
            return is_only_later(errno) ? TLS_SOCKET_AGAIN : fail_errno("sending", status);
        tls->outbox_start += (size_t)sent;
    }
}

/* Encrypts one record at most; returns how much of the plaintext is in it. */
static size_t encrypt(struct tls_socket *tls, const uint8_t *bytes, size_t length) {
    lock(&tls->engine_lock);
    size_t taken = tls_engine_write(tls->engine, bytes, length);
    tls_engine_flush(tls->engine);
    unlock(&tls->engine_lock);
    return taken;
}

/* Counts plaintext whose records are with the kernel, as much of it as the caller has now shown. */
static size_t confirm(struct tls_socket *tls, size_t length) {
    size_t confirmed = tls->accepted < length ? tls->accepted : length;
    tls->accepted -= confirmed;
    return confirmed;
}

static ssize_t write_locked(struct tls_socket *tls, const uint8_t *bytes, size_t length,
                            struct status *status) {
    size_t done = 0;
    for (;;) {
        ssize_t result = send_all(tls, status);
        if (result < 0) return done > 0 ? (ssize_t)done : result;
        done += confirm(tls, length - done);
        if (done == length) return length > 0 ? (ssize_t)done : TLS_SOCKET_AGAIN;
        tls->accepted = encrypt(tls, bytes + done, length - done);
        if (tls->accepted == 0) return done > 0 ? (ssize_t)done : fail(tls, status);
    }
}

ssize_t tls_socket_write(struct tls_socket *tls, const void *bytes, size_t length,
                         struct status *status) {
    lock(&tls->write_lock);
    ssize_t result = write_locked(tls, bytes, length, status);
    unlock(&tls->write_lock);
    return result;
}

/* ---- receiving; the read lock is held ---- */

/* What a look at the engine finds. */
struct findings {
    enum tls_state state;
    size_t copied; /* plaintext */
    size_t wanted; /* bytes that complete a part of a record */
    bool has_output;
};

static struct findings look(struct tls_socket *tls, uint8_t *out, size_t room) {
    struct findings found = {0};
    lock(&tls->engine_lock);
    struct bytes plain = tls_engine_plaintext(tls->engine);
    found.copied = plain.length < room ? plain.length : room;
    if (found.copied > 0) {
        memcpy(out, plain.data, found.copied);
        tls_engine_plaintext_used(tls->engine, found.copied);
    }
    found.state = tls_engine_state(tls->engine);
    found.wanted = tls_engine_wanted(tls->engine);
    found.has_output = tls_engine_output(tls->engine).length > 0;
    unlock(&tls->engine_lock);
    return found;
}

/* Receives at most `wanted` bytes into the engine: 0 at the end of the connection, else as
 * tls_socket_read. */
static ssize_t receive(struct tls_socket *tls, size_t wanted, struct status *status) {
    size_t room = wanted < sizeof tls->inbox ? wanted : sizeof tls->inbox;
    if (room == 0) return TLS_SOCKET_AGAIN; /* the engine has to get rid of output first */
    ssize_t length = recv(tls->descriptor, tls->inbox, room, MSG_DONTWAIT);
    if (length < 0)
        return is_only_later(errno) ? TLS_SOCKET_AGAIN : fail_errno("receiving", status);
    lock(&tls->engine_lock);
    size_t taken = tls_engine_take(tls->engine, tls->inbox, (size_t)length);
    enum tls_state state = tls_engine_state(tls->engine);
    unlock(&tls->engine_lock);
    /* It takes what it has wanted, unless that made it fail. */
    ASSERT(taken == (size_t)length || state == TLS_FAILED);
    return length;
}

/* Alerts and close_notify that answer what came go out if they can; who writes next sends the
 * rest. */
static void answer(struct tls_socket *tls) {
    struct status ignored = STATUS_INIT;
    lock(&tls->write_lock);
    send_all(tls, &ignored);
    unlock(&tls->write_lock);
}

/* Reading goes on with the next record only if all of it fits: what would be left in the engine
 * nobody could see by polling the socket. */
static bool may_begin_record(size_t done, size_t room) {
    return done == 0 || room - done >= TLS_RECORD_BYTES_MAX;
}

static ssize_t read_locked(struct tls_socket *tls, uint8_t *out, size_t room,
                           struct status *status) {
    size_t done = 0;
    for (;;) {
        struct findings found = look(tls, out + done, room - done);
        done += found.copied;
        if (found.has_output) answer(tls);
        if (done == room || !may_begin_record(done, room)) return (ssize_t)done;
        if (found.state == TLS_CLOSED || found.state == TLS_FAILED) {
            bool is_failed = done == 0 && found.state == TLS_FAILED;
            return is_failed ? fail(tls, status) : (ssize_t)done;
        }
        if (found.copied > 0) continue; /* there may be more behind it in the engine */
        ssize_t result = receive(tls, found.wanted, status);
        if (result <= 0) return done > 0 ? (ssize_t)done : result;
    }
}

ssize_t tls_socket_read(struct tls_socket *tls, void *out, size_t room, struct status *status) {
    lock(&tls->read_lock);
    ssize_t result = read_locked(tls, out, room, status);
    unlock(&tls->read_lock);
    return result;
}

/* ---- the handshake ---- */

/* Waits until the socket is ready. False when the time is over. */
static bool wait_ready(const struct tls_socket *tls, bool to_send, int64_t deadline_ms) {
    struct pollfd file = {.fd = tls->descriptor,
                          .events = (short)(POLLIN | (to_send ? POLLOUT : 0))};
    int64_t left_ms = deadline_ms - clock_monotonic_ms();
    if (left_ms <= 0) return false;
    int ready = poll(&file, 1, (int)left_ms);
    return ready > 0 || (ready < 0 && errno == EINTR);
}

/* A socket that cannot be written to may still hold the alert that says why. */
struct handshake {
    int64_t deadline_ms;
    bool cannot_send;
    struct status send_failure;
};

/* Sends what there is. True when some of it has to wait for the socket. */
static bool send_flight(struct tls_socket *tls, struct handshake *handshake) {
    if (handshake->cannot_send) return false;
    ssize_t result = send_all(tls, &handshake->send_failure);
    handshake->cannot_send = result == TLS_SOCKET_FAILED;
    return result == TLS_SOCKET_AGAIN;
}

static bool fail_closed(const struct handshake *handshake, struct status *status) {
    if (handshake->cannot_send) {
        return status_fail(status, STATUS_UNAVAILABLE, "the TLS handshake broke off: %s",
                           handshake->send_failure.text);
    }
    return status_fail(status, STATUS_TLS,
                       "the peer closed the connection during the TLS handshake");
}

static bool shake_hands(struct tls_socket *tls, struct handshake *handshake,
                        struct status *status) {
    for (;;) {
        bool waits = send_flight(tls, handshake);
        enum tls_state state = tls_engine_state(tls->engine);
        if (state == TLS_OPEN) return true;
        if (state != TLS_HANDSHAKING) {
            fail(tls, status);
            return false;
        }
        ssize_t result = receive(tls, tls_engine_wanted(tls->engine), status);
        if (result == TLS_SOCKET_FAILED)
            return status_context(status, "the TLS handshake broke off");
        if (result == 0) return fail_closed(handshake, status);
        if (result == TLS_SOCKET_AGAIN && !wait_ready(tls, waits, handshake->deadline_ms)) {
            return status_fail(status, STATUS_TIMEOUT,
                               "the peer did not complete the TLS handshake in time");
        }
    }
}

bool tls_socket_handshake(struct tls_socket *tls, int64_t limit_ms, struct status *status) {
    struct handshake handshake = {.deadline_ms = clock_monotonic_ms() + limit_ms};
    lock(&tls->read_lock);
    lock(&tls->write_lock);
    bool is_open = shake_hands(tls, &handshake, status);
    unlock(&tls->write_lock);
    unlock(&tls->read_lock);
    return is_open;
}
