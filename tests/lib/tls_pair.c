#include "tests/lib/unit.h"

#include <string.h>

#include "tests/lib/tls_pair.h"

void tls_pair_begin(struct tls_pair *pair, struct tls_server_context *server,
                    struct tls_client_context *client, const char *host) {
    struct status status = STATUS_INIT;
    *pair = (struct tls_pair){.server_context = server,
                              .client_context = client,
                              .piece_bytes = SIZE_MAX,
                              .tampered_at = SIZE_MAX};
    pair->server = tls_engine_create_server(server);
    pair->client =
        tls_engine_create_client(client, &(struct tls_target){.host = host, .port = 443}, &status);
    assert_non_null(pair->server);
    assert_non_null(pair->client);
    buffer_init(&pair->to_server, TLS_PAIR_BYTES_MAX);
    buffer_init(&pair->to_client, TLS_PAIR_BYTES_MAX);
}

void tls_pair_end(struct tls_pair *pair) {
    tls_engine_free(pair->server);
    tls_engine_free(pair->client);
    tls_server_context_release(pair->server_context);
    tls_client_context_release(pair->client_context);
    buffer_free(&pair->to_server);
    buffer_free(&pair->to_client);
}

static size_t drain(struct tls_engine *engine, struct buffer *received) {
    struct bytes plain = tls_engine_plaintext(engine);
    assert_true(buffer_append(received, plain.data, plain.length));
    tls_engine_plaintext_used(engine, plain.length);
    return plain.length;
}

/* Carries one piece; returns how many bytes moved. */
size_t tls_pair_carry(struct tls_pair *pair, struct tls_engine *from, struct tls_engine *to) {
    uint8_t copy[2 * TLS_RECORD_BYTES_MAX];
    struct bytes out = tls_engine_output(from);
    size_t length = out.length < pair->piece_bytes ? out.length : pair->piece_bytes;
    if (length > sizeof copy) length = sizeof copy;
    if (length == 0) return 0;
    memcpy(copy, out.data, length);
    if (to == pair->server && pair->tampered_at != SIZE_MAX) {
        if (pair->tampered_at < length) copy[pair->tampered_at] ^= pair->tampered;
        pair->tampered_at = pair->tampered_at < length ? SIZE_MAX : pair->tampered_at - length;
    }
    size_t taken = tls_engine_take(to, copy, length);
    tls_engine_output_sent(from, taken);
    return taken;
}

/* Moves bytes until nothing moves any more. */
void tls_pair_pump(struct tls_pair *pair) {
    size_t moved;
    do {
        moved = tls_pair_carry(pair, pair->client, pair->server) +
                tls_pair_carry(pair, pair->server, pair->client);
        moved += drain(pair->server, &pair->to_server) + drain(pair->client, &pair->to_client);
    } while (moved > 0);
}

void tls_pair_send(struct tls_pair *pair, struct tls_engine *from, const uint8_t *message,
                   size_t length) {
    while (length > 0) {
        size_t taken = tls_engine_write(from, message, length);
        message += taken;
        length -= taken;
        if (length == 0) tls_engine_flush(from);
        tls_pair_pump(pair);
    }
}

void tls_pair_assert_open(const struct tls_pair *pair) {
    assert_string_equal(tls_engine_failure(pair->client)->text, "");
    assert_string_equal(tls_engine_failure(pair->server)->text, "");
    assert_int_equal(tls_engine_state(pair->client), TLS_OPEN);
    assert_int_equal(tls_engine_state(pair->server), TLS_OPEN);
}

void tls_engine_assert_failed(const struct tls_engine *engine, enum status_code code,
                              const char *part) {
    const struct status *why = tls_engine_failure(engine);
    assert_int_equal(tls_engine_state(engine), TLS_FAILED);
    if (why->code != code || !strstr(why->text, part)) print_error("\"%s\"\n", why->text);
    assert_int_equal(why->code, code);
    assert_non_null(strstr(why->text, part));
}
