#include "net/connector.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "loop/loop_uv.h"
#include "loop/resolver.h"
#include "loop/timer.h"
#include "net/stream_private.h"

/*
 *              name                       refused, more addresses
 *   start ----------------> LOOKING_UP      .----------.
 *     |                         | found     v          |
 *     '------------------------> - - - > TRYING -------'
 *           literal, unix                   | connected / none left / time is up / cancelled
 *                                           v
 *                                        OVER: callback (not if cancelled), freed when closed
 */
struct connector {
    struct loop *loop;
    connector_callback *callback; /* NULL after connector_cancel */
    void *context;
    struct address address;
    struct timer *deadline;
    struct loop_task begin;
    struct resolver_query *query; /* while looking up */

    struct sockaddr_storage candidates[RESOLVER_ADDRESSES_MAX];
    socklen_t candidate_bytes;
    size_t candidate_count;
    size_t next_candidate;
    int descriptor;  /* of the attempt under way, or -1 */
    uv_poll_t *poll; /* tells when the attempt has ended; a new one for each */
    int last_error;  /* why the last attempt failed: an errno value */
};

static void poll_closed(uv_handle_t *handle) {
    free(handle);
}

static void drop_poll(struct connector *connector) {
    if (!connector->poll) return;
    uv_poll_stop(connector->poll);
    uv_close((uv_handle_t *)connector->poll, poll_closed);
    connector->poll = NULL;
}

static void drop_attempt(struct connector *connector) {
    drop_poll(connector);
    if (connector->descriptor >= 0) close(connector->descriptor);
    connector->descriptor = -1;
}

/* Ends everything and frees the connector; the timer and the poll free themselves. */
static void release(struct connector *connector) {
    drop_attempt(connector);
    if (connector->query) resolver_cancel(connector->query);
    timer_close(connector->deadline);
    loop_unschedule(&connector->begin);
    free(connector);
}

static void conclude(struct connector *connector, struct stream *stream,
                     const struct status *status) {
    connector_callback *callback = connector->callback;
    void *context = connector->context;
    release(connector);
    callback(context, stream, status);
}

static void fail(struct connector *connector) {
    struct status status = STATUS_INIT;
    char text[ADDRESS_TEXT_BYTES];
    address_format(&connector->address, text);
    int error = connector->last_error;
    bool may_come_back = error == ECONNREFUSED || error == EHOSTUNREACH || error == ENETUNREACH ||
                         error == ETIMEDOUT || error == EAGAIN || error == ECONNRESET;
    if (may_come_back)
        status_fail(&status, STATUS_UNAVAILABLE, "cannot connect to %s: %s", text, strerror(error));
    else
        status_fail_errno(&status, error, "cannot connect to %s", text);
    conclude(connector, NULL, &status);
}

static void succeed(struct connector *connector) {
    struct status status = STATUS_INIT;
    drop_poll(connector);
    int descriptor = connector->descriptor;
    connector->descriptor = -1;
    struct stream *stream =
        stream_adopt(connector->loop, descriptor, connector->address.kind, &status);
    conclude(connector, stream, &status);
}

static void try_next(struct connector *connector);

static void attempt_ended(uv_poll_t *handle, int poll_error, int events) {
    struct connector *connector = handle->data;
    (void)poll_error;
    (void)events;
    int error = 0;
    socklen_t length = sizeof error;
    if (getsockopt(connector->descriptor, SOL_SOCKET, SO_ERROR, &error, &length) != 0)
        error = errno;
    if (error == 0) {
        succeed(connector);
        return;
    }
    connector->last_error = error;
    drop_attempt(connector);
    try_next(connector);
}

/* Has the loop tell when the connection is made or refused. */
static bool wait_for_attempt(struct connector *connector) {
    uv_poll_t *poll = memory_new(sizeof *poll);
    int error = uv_poll_init(loop_uv(connector->loop), poll, connector->descriptor);
    if (error) {
        free(poll);
        connector->last_error = -error;
        return false;
    }
    poll->data = connector;
    connector->poll = poll;
    uv_poll_start(poll, UV_WRITABLE, attempt_ended);
    return true;
}

static bool begin_attempt(struct connector *connector, const struct sockaddr_storage *where) {
    connector->descriptor = socket(where->ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (connector->descriptor < 0 || (connect(connector->descriptor, (const struct sockaddr *)where,
                                              connector->candidate_bytes) != 0 &&
                                      errno != EINPROGRESS)) {
        connector->last_error = errno;
        return false;
    }
    return wait_for_attempt(connector);
}

static void try_next(struct connector *connector) {
    while (connector->next_candidate < connector->candidate_count) {
        if (begin_attempt(connector, &connector->candidates[connector->next_candidate++])) return;
        drop_attempt(connector);
    }
    fail(connector);
}

static void looked_up(void *context, const struct sockaddr_storage *addresses, size_t count,
                      const struct status *status) {
    struct connector *connector = context;
    connector->query = NULL;
    if (count == 0) {
        conclude(connector, NULL, status);
        return;
    }
    memcpy(connector->candidates, addresses, count * sizeof *addresses);
    connector->candidate_count = count;
    connector->candidate_bytes = sizeof *addresses;
    try_next(connector);
}

static void begin(struct loop_task *task) {
    struct connector *connector = LIST_ENTRY(task, struct connector, begin);
    if (address_to_socket(&connector->address, &connector->candidates[0],
                          &connector->candidate_bytes)) {
        connector->candidate_count = 1;
        try_next(connector);
    } else {
        connector->query = resolver_start(connector->loop, connector->address.host,
                                          connector->address.port, looked_up, connector);
    }
}

static void time_is_up(void *context) {
    struct connector *connector = context;
    struct status status = STATUS_INIT;
    char text[ADDRESS_TEXT_BYTES];
    address_format(&connector->address, text);
    status_fail(&status, STATUS_TIMEOUT, "cannot connect to %s: no answer in time", text);
    conclude(connector, NULL, &status);
}

struct connector *connector_start(struct loop *loop, const struct address *address,
                                  int64_t timeout_ms, connector_callback *callback, void *context) {
    struct connector *connector = memory_new(sizeof *connector);
    connector->loop = loop;
    connector->callback = callback;
    connector->context = context;
    connector->address = *address;
    connector->descriptor = -1;
    connector->deadline = timer_open(loop, time_is_up, connector);
    timer_start(connector->deadline, timeout_ms);
    loop_task_init(&connector->begin, begin);
    loop_schedule(loop, &connector->begin);
    return connector;
}

void connector_cancel(struct connector *connector) {
    if (connector) release(connector);
}
