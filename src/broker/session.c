#include "broker/session.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "broker/connect.h"
#include "broker/flow.h"
#include "broker/limits.h"
#include "broker/router.h"
#include "broker/subscriptions.h"
#include "broker/timeouts.h"
#include "net/stream_tls.h"

/* What the client hears, and the log, when the parser refuses what it sent. */
struct refusal {
    const char *error; /* NULL: nats-server just closes */
    const char *reason;
};

static const struct refusal REFUSALS[] = {
    [PARSER_UNKNOWN_OPERATION] = {"Unknown Protocol Operation", "unknown protocol operation"},
    [PARSER_LINE_TOO_LONG] = {"maximum control line exceeded", "control line too long"},
    [PARSER_PAYLOAD_TOO_LARGE] = {"Maximum Payload Violation", "payload too large"},
    [PARSER_NOT_CONNECT] = {"Authorization Violation", "no CONNECT although users are configured"},
    [PARSER_BAD_ARGUMENTS] = {NULL, "bad arguments of an operation"},
    [PARSER_NO_MEMORY] = {NULL, "no memory for what it sent"},
};

static void dispatch(struct client *client, const struct frame *frame) {
    switch (frame->operation) {
    case OPERATION_PUB: router_publish(client, frame); break;
    case OPERATION_SUB: subscriptions_add(client, frame); break;
    case OPERATION_UNSUB: subscriptions_remove(client, frame); break;
    case OPERATION_PING: stream_write(client->stream, "PONG\r\n", 6); break;
    case OPERATION_PONG: timeouts_pong(client); break;
    case OPERATION_CONNECT: connect_client(client, frame->arguments); break;
    case OPERATION_INFO:
    case OPERATION_OK: break;
    case OPERATION_ERR: client_refuse(client, NULL, "the client reported an error"); break;
    }
}

/* Counts what the parser holds of a frame that has not come whole. Many clients that each send all
 * but the end of a large message must not use up the memory. */
static void note_held(struct client *client) {
    struct broker *broker = client->broker;
    broker->held_bytes = broker->held_bytes - client->held_noted + client->parser.held_length;
    client->held_noted = client->parser.held_length;
    if (broker->held_bytes > broker->options.max_pending_total_bytes)
        client_refuse(client, NULL, "too much is held of messages that have not come whole");
}

/* Handles frames until the input is used up, the client must wait, or it has had its turn. Returns
 * what is left of the input. */
static struct bytes process(struct client *client, struct bytes input) {
    struct broker *broker = client->broker;
    broker->turn_bytes = 0;
    for (;;) {
        struct frame frame;
        enum parser_result result = parser_next(&client->parser, &input, &frame);
        if (result == PARSER_NEED_MORE) {
            note_held(client);
            return bytes_of(NULL, 0);
        }
        if (result != PARSER_FRAME) {
            const struct refusal *refusal = &REFUSALS[result];
            if (result == PARSER_NOT_CONNECT) broker->counters.authentication_failures++;
            client_refuse(client, refusal->error, refusal->reason);
            return bytes_of(NULL, 0);
        }
        dispatch(client, &frame);
        if (broker->dead != NULL) broker_bury(broker);
        if (client->is_closing) return bytes_of(NULL, 0);
        if (flow_is_stalled(client) || broker->turn_bytes > LIMIT_TURN_BYTES) return input;
    }
}

static void drop_waiting_input(struct client *client) {
    free(client->waiting_input);
    client->waiting_input = NULL;
    client->waiting_length = client->waiting_start = 0;
}

static void read_came(void *context, struct bytes bytes) {
    struct client *client = context;
    if (client->is_closing) return;
    client->last_read_ms = broker_now_ms(client->broker);
    struct bytes rest = process(client, bytes);
    if (rest.length == 0) return;
    client->waiting_input = memory_try(rest.length);
    if (client->waiting_input == NULL) {
        client_refuse(client, NULL, "no memory for what it sent");
        return;
    }
    memcpy(client->waiting_input, rest.data, rest.length);
    client->waiting_length = rest.length;
    stream_pause_reading(client->stream);
    if (!flow_is_stalled(client)) session_resume_soon(client);
}

static void resume(struct loop_task *task) {
    struct client *client = LIST_ENTRY(task, struct client, resume_task);
    if (client->is_closing || flow_is_stalled(client)) return;
    if (client->waiting_input != NULL) {
        struct bytes rest =
            process(client, bytes_of(client->waiting_input + client->waiting_start,
                                     client->waiting_length - client->waiting_start));
        client->waiting_start = client->waiting_length - rest.length;
        if (rest.length > 0) {
            if (!flow_is_stalled(client)) session_resume_soon(client);
            return;
        }
        drop_waiting_input(client);
    }
    if (!client->is_closing && !flow_is_stalled(client)) stream_resume_reading(client->stream);
}

void session_init(struct client *client) {
    loop_task_init(&client->resume_task, resume);
}

void session_resume_soon(struct client *client) {
    if (!client->is_closing) loop_schedule(client->broker->loop, &client->resume_task);
}

static void peer_ended(void *context) {
    client_close(context);
}

static void drained(void *context) {
    struct client *client = context;
    if (!client->is_closing) flow_drained(client);
}

static void closed(void *context, const struct status *status) {
    struct client *client = context;
    /* Later on, a connection that breaks is an ordinary end. */
    bool in_handshake = stream_is_tls(client->stream) && !stream_tls_is_open(client->stream);
    if (in_handshake && !client->is_connected && !client->is_closing && !status_is_ok(status))
        client_tls_failed(client, status->text);
    drop_waiting_input(client);
    client_free(client);
}

const struct stream_handlers session_handlers = {
    .on_read = read_came,
    .on_end = peer_ended,
    .on_drain = drained,
    .on_closed = closed,
};
