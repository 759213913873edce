/* /varz and /connz, with the member names of nats-server's monitoring port
 * (server/monitor.go), as far as there is something to say. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "broker/client.h"
#include "broker/limits.h"
#include "codec/json_writer.h"
#include "net/stream_framing.h"

/* Connections listed in one answer unless asked otherwise, and at most. */
#define CONNZ_LIMIT_DEFAULT 1024
#define CONNZ_LIMIT_MAX     10000

/* An answer with the most connections that have many subscriptions. */
#define MONITOR_BYTES (16L * 1024 * 1024)

/* Subscriptions listed for one connection. */
#define CONNZ_SUBSCRIPTIONS_MAX 1000

static void respond(struct http_request *request, struct json_writer *json, struct buffer *body) {
    if (json_writer_finish(json, "the answer", NULL))
        http_respond(request, 200, "application/json", buffer_bytes(body));
    else
        http_respond_problem(request, 500, "too_large", "The answer is too large",
                             "ask for fewer connections with ?limit=");
    buffer_free(body);
}

static void begin(struct json_writer *json, struct buffer *body) {
    buffer_init(body, MONITOR_BYTES);
    json_writer_init(json, body);
    json_writer_begin_object(json);
}

static void write_uptime(struct json_writer *json, const char *name, int64_t since_ms,
                         const struct broker *broker) {
    char text[TEXT_DURATION_BYTES];
    int64_t seconds = (broker_now_ms(broker) - since_ms) / 1000;
    text_format_duration(seconds * 1000, text);
    json_writer_member_text(json, name, seconds > 0 ? text : "0s"); /* not "0ms", as nats-server */
}

/* The resident memory of the process in bytes: the second number, in pages, of /proc/self/statm. 0
 * when it cannot be read. */
static int64_t resident_bytes(void) {
    struct buffer text;
    int64_t pages = 0;
    buffer_init(&text, 256);
    if (file_read("/proc/self/statm", &text, NULL)) {
        char *rest = NULL;
        strtoll(buffer_text(&text), &rest, 10);
        pages = strtoll(rest, NULL, 10);
    }
    buffer_free(&text);
    return pages * sysconf(_SC_PAGESIZE);
}

static void write_limits(struct json_writer *json, const struct broker_options *options) {
    json_writer_member_integer(json, "max_connections", (int64_t)options->max_connections);
    json_writer_member_integer(json, "max_subscriptions", (int64_t)options->max_subscriptions);
    json_writer_member_integer(json, "max_payload", (int64_t)options->max_payload_bytes);
    json_writer_member_integer(json, "max_control_line", (int64_t)options->max_control_line_bytes);
    json_writer_member_integer(json, "max_pending", (int64_t)options->max_pending_bytes);
    json_writer_member_integer(json, "max_pending_total",
                               (int64_t)options->max_pending_total_bytes);
    json_writer_member_integer(json, "ping_interval", options->ping_interval_ms * 1000000);
    json_writer_member_integer(json, "ping_max", options->pings_outstanding_max);
    json_writer_member_integer(json, "write_deadline", options->write_deadline_ms * 1000000);
    json_writer_member_double(json, "auth_timeout",
                              (double)options->authentication_timeout_ms / 1000);
}

static void write_counters(struct json_writer *json, const struct broker_counters *counters) {
    json_writer_member_integer(json, "connections", (int64_t)counters->connections);
    json_writer_member_integer(json, "total_connections", (int64_t)counters->connections_total);
    json_writer_member_integer(json, "subscriptions", (int64_t)counters->subscriptions);
    json_writer_member_integer(json, "slow_consumers", (int64_t)counters->slow_consumers);
    json_writer_member_integer(json, "stale_connections", (int64_t)counters->stale_connections);
    json_writer_member_integer(json, "authentication_failures",
                               (int64_t)counters->authentication_failures);
    json_writer_member_integer(json, "tls_failures", (int64_t)counters->tls_failures);
    json_writer_member_integer(json, "stalled_publishers", (int64_t)counters->stalls);
    json_writer_member_integer(json, "pending_bytes", (int64_t)counters->pending_bytes);
    json_writer_member_integer(json, "in_msgs", (int64_t)counters->in_messages);
    json_writer_member_integer(json, "in_bytes", (int64_t)counters->in_bytes);
    json_writer_member_integer(json, "out_msgs", (int64_t)counters->out_messages);
    json_writer_member_integer(json, "out_bytes", (int64_t)counters->out_bytes);
}

static void answer_varz(void *context, struct http_request *request) {
    const struct broker *broker = context;
    struct buffer body;
    struct json_writer json;
    struct broker_counters counters;
    broker_read_counters(broker, &counters);
    begin(&json, &body);
    json_writer_member_text(&json, "server_id", broker->server_id);
    json_writer_member_text(&json, "server_name", broker->options.name);
    json_writer_member_text(&json, "version", BROKER_PROTOCOL_VERSION);
    json_writer_member_integer(&json, "proto", 1);
    if (broker->listener_count > 0) {
        const struct address *own = listener_address(broker->listeners[0]);
        json_writer_member_text(&json, "host", own->host);
        json_writer_member_integer(&json, "port", own->port);
    }
    json_writer_member_boolean(&json, "auth_required", broker_wants_login(broker));
    json_writer_member_boolean(&json, "tls_required", broker->options.tls != NULL);
    json_writer_member_boolean(&json, "tls_verify", broker->options.tls_verify);
    json_writer_member_boolean(&json, "lame_duck_mode", counters.lame_duck);
    json_writer_member_time(&json, "start", broker->start_wall_ms);
    json_writer_member_time(&json, "now", clock_wall_ms());
    write_uptime(&json, "uptime", broker->start_monotonic_ms, broker);
    json_writer_member_integer(&json, "mem", resident_bytes());
    write_limits(&json, &broker->options);
    write_counters(&json, &counters);
    json_writer_end_object(&json);
    respond(request, &json, &body);
}

/* ---- /connz ---- */

static void write_subscriptions(struct json_writer *json, const struct client *client) {
    json_writer_name(json, "subscriptions_list");
    json_writer_begin_array(json);
    size_t count = 0;
    for (struct name_link *link = name_table_next(&client->subscriptions, NULL);
         link != NULL && count < CONNZ_SUBSCRIPTIONS_MAX;
         link = name_table_next(&client->subscriptions, link), count++) {
        const struct subscription *subscription = LIST_ENTRY(link, struct subscription, sid_link);
        char subject[LIMIT_CONTROL_LINE_MAX_BYTES];
        size_t length = subject_index_subject(&subscription->entry, subject, sizeof subject);
        json_writer_text_bytes(json, bytes_of(subject, length));
    }
    json_writer_end_array(json);
}

static const char *user_name(const struct client *client) {
    if (client->user == NULL) return NULL;
    return client->user->name != NULL ? client->user->name : "(token)";
}

static void write_connection(struct json_writer *json, const struct client *client,
                             bool with_subscriptions) {
    struct address peer;
    stream_peer(client->stream, &peer);
    json_writer_begin_object(json);
    json_writer_member_integer(json, "cid", (int64_t)client->id);
    json_writer_member_text(json, "kind", "Client");
    json_writer_member_text(json, "type", stream_is_framed(client->stream) ? "websocket" : "nats");
    json_writer_member_text(json, "ip", peer.host);
    json_writer_member_integer(json, "port", peer.port);
    json_writer_member_time(json, "start", client->start_wall_ms);
    write_uptime(json, "uptime", client->start_monotonic_ms, client->broker);
    write_uptime(json, "idle", client->last_read_ms, client->broker);
    json_writer_member_integer(json, "rtt_ms", client->round_trip_ms);
    json_writer_member_integer(json, "pending_bytes",
                               (int64_t)stream_pending_bytes(client->stream));
    json_writer_member_boolean(json, "stalled", client->stalled_by != NULL);
    json_writer_member_integer(json, "in_msgs", (int64_t)client->in_messages);
    json_writer_member_integer(json, "out_msgs", (int64_t)client->out_messages);
    json_writer_member_integer(json, "in_bytes", (int64_t)client->in_bytes);
    json_writer_member_integer(json, "out_bytes", (int64_t)client->out_bytes);
    json_writer_member_integer(json, "subscriptions", client->subscriptions.count);
    if (client->name != NULL) json_writer_member_text(json, "name", client->name);
    if (client->language != NULL) json_writer_member_text(json, "lang", client->language);
    if (client->version != NULL) json_writer_member_text(json, "version", client->version);
    if (user_name(client) != NULL)
        json_writer_member_text(json, "authorized_user", user_name(client));
    if (client->identity != NULL) json_writer_member_text(json, "account", client->account->key);
    if (with_subscriptions) write_subscriptions(json, client);
    json_writer_end_object(json);
}

/* A whole number from the query, or the fallback; false when it is there and is not one. */
static bool read_parameter(const struct http_request *request, const char *name, int64_t fallback,
                           int64_t *out) {
    const char *text = http_request_parameter(request, name);
    *out = fallback;
    if (text == NULL) return true;
    return text_read_integer(bytes_of_text(text), out) && *out >= 0;
}

static size_t write_connections(struct json_writer *json, const struct broker *broker,
                                int64_t offset, int64_t limit, bool with_subscriptions) {
    int64_t position = 0;
    size_t written = 0;
    json_writer_name(json, "connections");
    json_writer_begin_array(json);
    for (const struct list *link = broker->clients.next; link != &broker->clients;
         link = link->next) {
        const struct client *client = LIST_ENTRY(link, struct client, link);
        if (client->is_closing) continue;
        if (position >= offset + limit) break;
        if (position++ < offset) continue;
        write_connection(json, client, with_subscriptions);
        written++;
    }
    json_writer_end_array(json);
    return written;
}

static void answer_connz(void *context, struct http_request *request) {
    const struct broker *broker = context;
    int64_t limit, offset;
    if (!read_parameter(request, "limit", CONNZ_LIMIT_DEFAULT, &limit) ||
        !read_parameter(request, "offset", 0, &offset) || offset > INT32_MAX) {
        http_respond_problem(request, 400, "bad_parameter", "A parameter is not a number",
                             "limit and offset are whole numbers from 0");
        return;
    }
    if (limit == 0) limit = CONNZ_LIMIT_DEFAULT;
    if (limit > CONNZ_LIMIT_MAX) limit = CONNZ_LIMIT_MAX;
    const char *subs = http_request_parameter(request, "subs");
    struct buffer body;
    struct json_writer json;
    begin(&json, &body);
    json_writer_member_text(&json, "server_id", broker->server_id);
    json_writer_member_time(&json, "now", clock_wall_ms());
    json_writer_member_integer(&json, "total", (int64_t)broker->client_count);
    json_writer_member_integer(&json, "offset", offset);
    json_writer_member_integer(&json, "limit", limit);
    size_t count =
        write_connections(&json, broker, offset, limit,
                          subs != NULL && (strcmp(subs, "1") == 0 || strcmp(subs, "true") == 0));
    json_writer_member_integer(&json, "num_connections", (int64_t)count);
    json_writer_end_object(&json);
    respond(request, &json, &body);
}

static const struct http_route ROUTES[] = {
    {.method = "GET", .pattern = "/varz", .handle = answer_varz},
    {.method = "GET", .pattern = "/connz", .handle = answer_connz},
};

void broker_add_monitor(struct broker *broker, struct http_server *server) {
    http_server_add_routes(server, ROUTES, sizeof ROUTES / sizeof ROUTES[0], broker);
}
