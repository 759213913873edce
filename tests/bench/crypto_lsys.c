/*
 * What lsys' own verifier and TLS cost: signatures, whole tokens, handshakes in memory. Prints lines
 * "NAME MICROSECONDS"; crypto_peers.c prints the same of others.
 *
 *     crypto_lsys SECONDS ES256-TOKEN EDDSA-TOKEN JWKS CERTIFICATE KEY CA
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "net/tls_engine.h"
#include "tests/bench/crypto_cost.h"
#include "verifier/jws.h"

#define FILE_BYTES_MAX 65536
#define MEMO_TOKENS    16

static void die(const struct status *status) {
    fprintf(stderr, "crypto_lsys: %s\n", status->text);
    exit(1);
}

static struct bytes read_file(const char *path) {
    static struct buffer files[8];
    static size_t count;
    struct buffer *file = &files[count++];
    struct status status = STATUS_INIT;
    buffer_init(file, FILE_BYTES_MAX);
    if (!file_read(path, file, &status)) die(&status);
    return buffer_bytes(file);
}

/* ---- signatures and tokens ---- */

struct token {
    struct bytes text;
    const struct key_ring *ring;
    struct jws_memo *memo;
    struct jws parsed;
    const struct jwk *key;
};

static bool verify_signature(void *context) {
    const struct token *token = context;
    return jwk_verify(token->key, token->parsed.signing_input, token->parsed.signature);
}

/* As a role does with a token that comes: form, header, key, signature, claims. */
static bool verify_token(void *context) {
    const struct token *token = context;
    struct status status = STATUS_INIT;
    struct jws jws;
    if (!jws_parse(token->text, &jws, &status)) return false;
    bool is_good = jws_verify(&jws, TOKEN_LICENSE, token->ring, token->memo, NULL, &status) &&
                   jws_claims(&jws, &status) != NULL;
    jws_free(&jws);
    return is_good;
}

static void measure_token(const char *algorithm, const char *path, const struct key_ring *ring,
                          double seconds) {
    struct token token = {.text = read_file(path), .ring = ring};
    struct status status = STATUS_INIT;
    char name[40];
    if (!jws_parse(token.text, &token.parsed, &status)) die(&status);
    const struct key_ring_entry *entry = key_ring_find(ring, TOKEN_LICENSE, token.parsed.kid);
    if (!entry) exit(1);
    token.key = &entry->key;
    snprintf(name, sizeof name, "%s-signature", algorithm);
    cost_measure(name, verify_signature, &token, seconds);
    snprintf(name, sizeof name, "%s-token", algorithm);
    cost_measure(name, verify_token, &token, seconds);
    token.memo = jws_memo_new(MEMO_TOKENS);
    snprintf(name, sizeof name, "%s-token-again", algorithm);
    cost_measure(name, verify_token, &token, seconds);
    jws_memo_free(token.memo);
    jws_free(&token.parsed);
}

/* ---- handshakes ---- */

struct site {
    struct tls_server_context *server;
    struct tls_client_context *client;
    double server_seconds;
    double client_seconds;
};

/* Moves what one has to say to the other, whose time it is to understand it. */
static bool carry(struct tls_engine *from, struct tls_engine *to, double *seconds) {
    struct bytes out = tls_engine_output(from);
    double begun = cost_now();
    size_t taken = tls_engine_take(to, out.data, out.length);
    *seconds += cost_now() - begun;
    tls_engine_output_sent(from, taken);
    return taken > 0;
}

static bool shake_hands(struct site *site, bool *is_resumed) {
    static const struct tls_target target = {.host = "localhost", .port = 443};
    struct status status = STATUS_INIT;
    double begun = cost_now();
    struct tls_engine *server = tls_engine_create_server(site->server);
    double between = cost_now();
    struct tls_engine *client = tls_engine_create_client(site->client, &target, &status);
    site->server_seconds += between - begun;
    site->client_seconds += cost_now() - between;
    while (carry(client, server, &site->server_seconds) |
           carry(server, client, &site->client_seconds))
        continue;
    bool is_open = tls_engine_state(client) == TLS_OPEN && tls_engine_state(server) == TLS_OPEN;
    *is_resumed = tls_engine_is_resumed(client);
    tls_engine_free(client);
    tls_engine_free(server);
    return is_open;
}

static struct tls_client_context *make_client(struct bytes ca) {
    struct tls_client_options options = {.ca = ca};
    struct status status = STATUS_INIT;
    struct tls_client_context *client = tls_client_context_create(&options, &status);
    if (!client) die(&status);
    return client;
}

/* A client that knows nobody yet has a full handshake; one that is kept resumes. */
static void measure_handshakes(struct site *site, struct bytes ca, bool resumes, double seconds) {
    bool is_resumed;
    long count = 0;
    struct tls_client_context *kept = make_client(ca);
    site->client = kept;
    if (resumes && !shake_hands(site, &is_resumed)) exit(1);
    site->server_seconds = site->client_seconds = 0;
    while (site->server_seconds + site->client_seconds < seconds) {
        if (!resumes) site->client = make_client(ca);
        if (!shake_hands(site, &is_resumed) || is_resumed != resumes) exit(1);
        if (!resumes) tls_client_context_release(site->client);
        count++;
    }
    tls_client_context_release(kept);
    cost_print(resumes ? "resumed-client" : "full-client",
               1e6 * site->client_seconds / (double)count);
    cost_print(resumes ? "resumed-server" : "full-server",
               1e6 * site->server_seconds / (double)count);
}

int main(int count, char **arguments) {
    if (count != 8) return 64;
    double seconds = strtod(arguments[1], NULL);
    struct status status = STATUS_INIT;
    struct key_ring *ring = key_ring_new();
    if (!key_ring_add_jwks(ring, read_file(arguments[4]), TOKEN_USES_VENDOR, &status)) die(&status);
    measure_token("ES256", arguments[2], ring, seconds);
    measure_token("EdDSA", arguments[3], ring, seconds);
    struct tls_identity identity = {.certificates = read_file(arguments[5]),
                                    .key = read_file(arguments[6])};
    struct tls_server_options options = {.identities = &identity, .identity_count = 1};
    struct site site = {.server = tls_server_context_create(&options, &status)};
    if (!site.server) die(&status);
    struct bytes ca = read_file(arguments[7]);
    measure_handshakes(&site, ca, false, seconds);
    measure_handshakes(&site, ca, true, seconds);
    tls_server_context_release(site.server);
    key_ring_free(ring);
    return 0;
}
