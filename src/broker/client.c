#include "broker/client.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/random.h"
#include "broker/flow.h"
#include "broker/limits.h"
#include "broker/logins.h"
#include "broker/replies.h"
#include "broker/session.h"
#include "broker/timeouts.h"
#include "broker/trust.h"
#include "codec/base64url.h"
#include "net/stream_tls.h"

/* For the last words to reach a client that we refuse. */
#define FINISH_MS 1000

/* ---- talking to it ---- */

void client_error(struct client *client, const char *format, ...) {
    struct buffer line;
    char text[LIMIT_CONTROL_LINE_MAX_BYTES * 2];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    buffer_init(&line, sizeof text + 16);
    if (buffer_append_format(&line, "-ERR '%s'\r\n", text))
        stream_write(client->stream, line.data, line.length);
    buffer_free(&line);
}

void client_ok(struct client *client) {
    if (client->options.verbose) stream_write(client->stream, "+OK\r\n", 5);
}

/* ---- its end ---- */

static void log_leaving(const struct client *client, const char *reason, unsigned long suppressed) {
    char id[24], withheld[24];
    struct address peer;
    char peer_text[ADDRESS_TEXT_BYTES];
    snprintf(id, sizeof id, "%llu", (unsigned long long)client->id);
    snprintf(withheld, sizeof withheld, "%lu", suppressed);
    stream_peer(client->stream, &peer);
    address_format(&peer, peer_text);
    const char *peer_shown = client->peer != NULL ? client->peer : peer_text;
    log_event(LOG_WARNING, client->broker->options.role, "client disconnected", "why", reason,
              "client", id, "name", client->name, "peer", peer_shown, "more_not_logged",
              suppressed > 0 ? withheld : NULL, NULL);
}

/* As log_leaving, for what anybody outside can cause as often as they like. */
static void log_refusal(const struct client *client, const char *reason) {
    struct broker *broker = client->broker;
    unsigned long suppressed;
    broker->refusals_logged.interval_ms = LIMIT_REFUSAL_LOG_MS;
    if (log_limiter_pass(&broker->refusals_logged, broker_now_ms(broker), &suppressed))
        log_leaving(client, reason, suppressed);
}

/* From now on nothing reaches the client and nothing comes from it. */
static void leave(struct client *client) {
    struct broker *broker = client->broker;
    client->is_closing = true;
    struct name_link *link = name_table_next(&client->subscriptions, NULL);
    while (link != NULL) {
        struct subscription *subscription = LIST_ENTRY(link, struct subscription, sid_link);
        link = name_table_next(&client->subscriptions, link);
        subscription_close(subscription);
    }
    timeouts_forget(client);
    flow_forget(client);
    loop_unschedule(&client->resume_task);
    logins_end(client);
    trust_forget(client);
    /* What the parser holds is freed with the client: its message may just be on its way to
     * others. */
    broker->held_bytes -= client->held_noted;
    client->held_noted = 0;
    broker->client_count--;
}

void client_refuse(struct client *client, const char *error, const char *reason) {
    if (client->is_closing) return;
    if (error != NULL) client_error(client, "%s", error);
    log_refusal(client, reason);
    leave(client);
    stream_finish(client->stream, FINISH_MS);
}

void client_turn_away(struct client *client, const char *reason) {
    client->broker->counters.authentication_failures++;
    log_refusal(client, reason);
    leave(client);
    stream_abort(client->stream);
}

void client_cut_off(struct client *client, const char *reason) {
    if (client->is_closing) return;
    log_leaving(client, reason, 0);
    leave(client);
    stream_abort(client->stream);
}

void client_close(struct client *client) {
    if (client->is_closing) return;
    leave(client);
    stream_close(client->stream);
}

void client_tls_failed(struct client *client, const char *reason) {
    client->broker->counters.tls_failures++;
    log_refusal(client, reason);
}

void client_free(struct client *client) {
    struct broker *broker = client->broker;
    if (!client->is_closing) leave(client);
    broker_bury(broker);
    list_remove(&client->link);
    replies_free(client);
    parser_free(&client->parser);
    identity_free(client->identity);
    free(client->name);
    free(client->language);
    free(client->version);
    free(client->peer);
    free(client);
    broker_client_left(broker);
}

/* ---- its beginning ---- */

static void make_nonce(struct client *client) {
    uint8_t random[11];
    random_bytes(random, sizeof random);
    base64url_encode(bytes_of(random, sizeof random), client->nonce);
}

static struct client *client_new(struct broker *broker, struct stream *stream) {
    struct client *client = memory_new(sizeof *client);
    client->broker = broker;
    client->stream = stream;
    client->id = ++broker->last_client_id;
    client->options = connect_options_default;
    client->parser.max_line_bytes = broker->options.max_control_line_bytes;
    client->parser.max_payload_bytes = broker->options.max_payload_bytes;
    client->parser.connect_only = broker_wants_login(broker);
    client->max_subscriptions = broker->options.max_subscriptions;
    client->account = broker->trust == NULL ? &broker->common : NULL;
    client->start_wall_ms = clock_wall_ms();
    client->start_monotonic_ms = client->last_read_ms = broker_now_ms(broker);
    list_init(&client->timeout_link);
    list_init(&client->stall_link);
    list_init(&client->backlog_link);
    session_init(client);
    list_init(&client->link);
    list_append(&broker->clients, &client->link);
    broker->client_count++;
    broker->counters.connections_total++;
    return client;
}

/* What was written before is sent in plain text, everything else is encrypted. */
static void begin_tls(struct client *client) {
    struct address peer;
    char text[ADDRESS_TEXT_BYTES];
    stream_peer(client->stream, &peer);
    address_format(&peer, text);
    client->peer = memory_copy_text(text);
    stream_tls_accept(client->stream, client->broker->options.tls);
}

/* Says hello. False when the client is refused. */
static bool greet(struct client *client) {
    struct broker *broker = client->broker;
    client_send_info(client, false);
    if (broker->client_count <= broker->options.max_connections) return true;
    client_refuse(client, "maximum connections exceeded", "too many connections");
    return false;
}

void client_accept(struct broker *broker, struct stream *stream, bool is_websocket) {
    struct client *client = client_new(broker, stream);
    client->is_websocket = is_websocket;
    client->with_tls = broker->options.tls != NULL && !is_websocket;
    bool has_to_prove = broker_wants_login(broker) || client->with_tls;
    bool tls_first = client->with_tls && broker->options.tls_first;
    if (broker->trust != NULL || broker_users_need_nonce(broker->users)) make_nonce(client);
    if (tls_first) begin_tls(client);
    stream_start(stream, &session_handlers, client);
    if (has_to_prove) logins_begin(client);
    if (!greet(client)) return;
    if (client->with_tls && !tls_first) begin_tls(client);
    if (has_to_prove)
        timeouts_await_authentication(client);
    else
        timeouts_keep_alive(client);
}
