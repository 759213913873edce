#include "base/buffer.h"
#include "broker/client.h"
#include "codec/json_writer.h"

/* nats.c reads an INFO of at most 32 KiB; ours is far below. */
#define INFO_BYTES 4096

static void write_members(struct json_writer *json, const struct client *client, bool lame_duck) {
    const struct broker *broker = client->broker;
    const struct address *own =
        broker->listener_count > 0 ? listener_address(broker->listeners[0]) : NULL;
    struct address peer;
    stream_peer(client->stream, &peer);
    json_writer_member_text(json, "server_id", broker->server_id);
    json_writer_member_text(json, "server_name", broker->options.name);
    json_writer_member_text(json, "version", BROKER_PROTOCOL_VERSION);
    json_writer_member_integer(json, "proto", 1);
    json_writer_member_text(json, "go", "none");
    json_writer_member_text(json, "host", own != NULL ? own->host : "");
    json_writer_member_integer(json, "port", own != NULL ? own->port : 0);
    json_writer_member_boolean(json, "headers", true);
    json_writer_member_integer(json, "max_payload", (int64_t)client->parser.max_payload_bytes);
    json_writer_member_integer(json, "client_id", (int64_t)client->id);
    json_writer_member_text(json, "client_ip", peer.host);
    if (broker_wants_login(broker)) json_writer_member_boolean(json, "auth_required", true);
    if (client->with_tls) json_writer_member_boolean(json, "tls_required", true);
    if (client->with_tls && broker->options.tls_verify)
        json_writer_member_boolean(json, "tls_verify", true);
    if (client->nonce[0] != '\0') json_writer_member_text(json, "nonce", client->nonce);
    if (lame_duck) json_writer_member_boolean(json, "ldm", true);
}

void client_send_info(struct client *client, bool lame_duck) {
    struct buffer info;
    struct json_writer json;
    buffer_init(&info, INFO_BYTES);
    buffer_append_text(&info, "INFO ");
    json_writer_init(&json, &info);
    json_writer_begin_object(&json);
    write_members(&json, client, lame_duck);
    json_writer_end_object(&json);
    buffer_append_text(&info, " \r\n");
    if (json_writer_finish(&json, "INFO", NULL))
        stream_write(client->stream, info.data, info.length);
    buffer_free(&info);
}
