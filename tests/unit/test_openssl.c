/* The OpenSSL interface that nats.c calls, against a server that the test moves step by step:
 * record boundaries, stalls in the middle of a record, peers that do not read, and every kind of
 * end. */
#include "tests/lib/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "bus/openssl_private.h"
#include "net/tls_engine.h"
#include "tests/lib/tls_files.h"

static struct tls_peers peers;
static struct tls_files files;

static int make_files(void **state) {
    (void)state;
    tls_peers_make(&peers);
    tls_files_make(&files, &peers);
    return 0;
}

static int remove_files(void **state) {
    (void)state;
    tls_files_remove(&files);
    tls_peers_free(&peers);
    return 0;
}

/* A client's connection and the server's engine, on both ends of a socket pair. */
struct both {
    struct tls_server_context *server_context;
    struct tls_engine *server;
    int server_file;
    int client_file;
    struct openssl_context *context;
    struct openssl_connection *client;
};

/* ---- the server ---- */

/* Sends what the engine has, waiting for room. */
static void server_flush(struct both *both) {
    for (struct bytes out = tls_engine_output(both->server); out.length > 0;
         out = tls_engine_output(both->server)) {
        ssize_t sent = send(both->server_file, out.data, out.length, MSG_NOSIGNAL);
        if (sent <= 0) {
            return;
        }
        tls_engine_output_sent(both->server, (size_t)sent);
    }
}

/* Receives once and feeds the engine. False at the end. */
static bool server_receive(struct both *both) {
    uint8_t bytes[4096];
    ssize_t length = recv(both->server_file, bytes, sizeof(bytes), 0);
    if (length <= 0) {
        return false;
    }
    for (size_t used = 0; used < (size_t)length;) {
        size_t taken = tls_engine_take(both->server, bytes + used, (size_t)length - used);
        used += taken;
        server_flush(both);
        if (taken == 0) {
            break;
        }
    }
    return true;
}

static void *serve_handshake(void *context) {
    struct both *both = context;
    while (tls_engine_state(both->server) == TLS_HANDSHAKING && server_receive(both)) {
    }
    server_flush(both);
    return NULL;
}

static void server_write(struct both *both, const void *bytes, size_t length) {
    const uint8_t *from = bytes;
    while (length > 0) {
        size_t taken = tls_engine_write(both->server, from, length);
        from += taken;
        length -= taken;
        tls_engine_flush(both->server);
        server_flush(both);
    }
}

/* ---- setting up ---- */

static void make_pair(struct both *both, enum tls_role role) {
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    *both = (struct both){.server_file = ends[0], .client_file = ends[1]};
    both->server_context = tls_peers_server(&peers, role, TLS_CLIENTS_UNASKED);
    both->server = tls_engine_create_server(both->server_context);
    both->context = SSL_CTX_new(TLS_client_method());
    assert_int_equal(SSL_CTX_load_verify_locations(both->context, files.ca, NULL), 1);
    both->client = SSL_new(both->context);
    assert_non_null(both->client);
    SSL_set_connect_state(both->client);
    assert_int_equal(SSL_set_fd(both->client, both->client_file), 1);
}

static int shake_hands(struct both *both, const char *host) {
    pthread_t thread;
    assert_int_equal(SSL_set1_host(both->client, host), 1);
    assert_int_equal(pthread_create(&thread, NULL, serve_handshake, both), 0);
    int result = SSL_do_handshake(both->client);
    if (result != 1) {
        shutdown(both->client_file, SHUT_RDWR);
    }
    pthread_join(thread, NULL);
    return result;
}

static void connect_pair(struct both *both) {
    make_pair(both, TLS_SERVER);
    if (shake_hands(both, "edge-7") != 1) {
        fail_msg("%s", ERR_reason_error_string(ERR_get_error()));
    }
}

static void free_pair(struct both *both) {
    SSL_free(both->client);
    SSL_CTX_free(both->context);
    tls_engine_free(both->server);
    tls_server_context_release(both->server_context);
    close(both->server_file);
    close(both->client_file);
}

static void assert_again(const struct both *both, int result) {
    assert_int_equal(result, -1);
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(SSL_get_error(both->client, result), OPENSSL_RESULT_SYSCALL);
}

static void assert_fatal(const struct both *both, int result, const char *text) {
    assert_int_equal(result, -1);
    assert_int_not_equal(errno, EAGAIN);
    assert_int_equal(SSL_get_error(both->client, result), OPENSSL_RESULT_SYSCALL);
    assert_int_not_equal(ERR_get_error(), 0);
    if (strstr(ERR_reason_error_string(ERR_get_error()), text) == NULL) {
        fail_msg("\"%s\" is not in \"%s\"", text, ERR_reason_error_string(ERR_get_error()));
    }
}

/* ---- reading ---- */

static void reading_never_waits(void **state) {
    struct both both;
    char out[20000];
    (void)state;
    connect_pair(&both);
    assert_again(&both, SSL_read(both.client, out, sizeof(out)));
    server_write(&both, "hello", 5);
    assert_int_equal(SSL_read(both.client, out, sizeof(out)), 5);
    assert_memory_equal(out, "hello", 5);
    assert_again(&both, SSL_read(both.client, out, sizeof(out)));
    free_pair(&both);
}

static void half_a_record_is_no_data_yet(void **state) {
    struct both both;
    char out[20000];
    (void)state;
    connect_pair(&both);
    assert_int_equal(tls_engine_write(both.server, "first half", 10), 10);
    tls_engine_flush(both.server);
    for (size_t sent = 0; tls_engine_output(both.server).length > 0; sent++) {
        assert_again(&both, SSL_read(both.client, out, sizeof(out)));
        struct bytes rest = tls_engine_output(both.server);
        assert_int_equal(send(both.server_file, rest.data, 1, 0), 1);
        tls_engine_output_sent(both.server, 1);
    }
    assert_int_equal(SSL_read(both.client, out, sizeof(out)), 10);
    free_pair(&both);
}

static void a_small_buffer_gets_the_rest_later(void **state) {
    struct both both;
    char out[4];
    (void)state;
    connect_pair(&both);
    server_write(&both, "0123456789", 10);
    assert_int_equal(SSL_read(both.client, out, 4), 4);
    assert_int_equal(SSL_read(both.client, out, 4), 4);
    assert_memory_equal(out, "4567", 4);
    assert_int_equal(SSL_read(both.client, out, 4), 2);
    assert_again(&both, SSL_read(both.client, out, 4));
    free_pair(&both);
}

/* Many small records in one call; and with a buffer as nats.c has it, nothing ever stays where
 * polling the socket does not show it. */
static void what_is_left_shows_on_the_socket(void **state) {
    struct both both;
    size_t total = 0;
    char out[32768];
    (void)state;
    connect_pair(&both);
    for (int i = 0; i < 100; i++) {
        server_write(&both, "0123456789", 10);
    }
    char *large = memory_new(50000);
    server_write(&both, large, 50000);
    free(large);
    for (;;) {
        struct pollfd file = {.fd = both.client_file, .events = POLLIN};
        if (poll(&file, 1, 0) == 0) {
            break;
        }
        int length = SSL_read(both.client, out, sizeof(out));
        assert_true(length > 0);
        total += (size_t)length;
    }
    assert_int_equal(total, 51000);
    assert_again(&both, SSL_read(both.client, out, sizeof(out)));
    free_pair(&both);
}

/* ---- writing ---- */

/* Reads everything that is on the server's socket, without waiting. */
static void server_collect(struct both *both, struct buffer *received) {
    struct pollfd file = {.fd = both->server_file, .events = POLLIN};
    while (poll(&file, 1, 0) > 0) {
        uint8_t bytes[4096];
        ssize_t length = recv(both->server_file, bytes, sizeof(bytes), MSG_DONTWAIT);
        if (length <= 0) {
            break;
        }
        for (size_t used = 0; used < (size_t)length;) {
            used += tls_engine_take(both->server, bytes + used, (size_t)length - used);
            struct bytes plain = tls_engine_plaintext(both->server);
            assert_true(buffer_append(received, plain.data, plain.length));
            tls_engine_plaintext_used(both->server, plain.length);
        }
    }
}

#define STREAM_BYTES ((size_t)20 << 20)

/* A peer that reads now and then; each retry comes from another place and with another length, as
 * long as the bytes are the same. What is counted as written arrives, in order, once. */
static void writing_to_a_slow_peer(void **state) {
    struct both both;
    struct buffer received;
    (void)state;
    connect_pair(&both);
    buffer_init(&received, STREAM_BYTES);
    uint8_t *stream = memory_new(STREAM_BYTES);
    for (size_t i = 0; i < STREAM_BYTES; i++) {
        stream[i] = (uint8_t)(i * 13 + i / 256 + i / 65536);
    }
    size_t written = 0;
    int blocked = 0;
    for (int attempt = 0; written < STREAM_BYTES; attempt++) {
        size_t left = STREAM_BYTES - written;
        size_t length = left < 100000 ? left : 50000 + (size_t)(attempt % 7) * 7001;
        uint8_t *elsewhere = (uint8_t *)memory_copy_bytes(stream + written, length);
        int result = SSL_write(both.client, elsewhere, (int)length);
        free(elsewhere);
        if (result > 0) {
            written += (size_t)result;
            continue;
        }
        assert_again(&both, result);
        blocked++;
        server_collect(&both, &received);
    }
    server_collect(&both, &received);
    assert_true(blocked > 10);
    assert_int_equal(received.length, STREAM_BYTES);
    assert_memory_equal(received.data, stream, STREAM_BYTES);
    assert_again(&both, SSL_write(both.client, "", 0));
    free(stream);
    buffer_free(&received);
    free_pair(&both);
}

/* ---- ends ---- */

static void ends_in_order_are_zero(void **state) {
    struct both both;
    char out[20000];
    (void)state;
    connect_pair(&both);
    server_write(&both, "bye", 3);
    tls_engine_close(both.server);
    server_flush(&both);
    assert_int_equal(SSL_read(both.client, out, sizeof(out)), 3);
    assert_int_equal(SSL_read(both.client, out, sizeof(out)), 0);
    assert_int_equal(SSL_get_error(both.client, 0), OPENSSL_RESULT_CLOSED);
    assert_fatal(&both, SSL_write(both.client, "x", 1), "closed");
    free_pair(&both);

    connect_pair(&both);
    shutdown(both.server_file, SHUT_WR);
    assert_int_equal(SSL_read(both.client, out, sizeof(out)), 0);
    free_pair(&both);
}

static void breaks_are_fatal_and_never_again(void **state) {
    static const char nonsense[] = "\x17\x03\x03\x00\x14"
                                   "forged forged forged";
    struct both both;
    char out[20000];
    (void)state;
    connect_pair(&both);
    assert_int_equal(send(both.server_file, nonsense, sizeof(nonsense) - 1, 0),
                     sizeof(nonsense) - 1);
    assert_fatal(&both, SSL_read(both.client, out, sizeof(out)), "a record");
    assert_fatal(&both, SSL_read(both.client, out, sizeof(out)), "a record");
    free_pair(&both);

    connect_pair(&both);
    close(both.server_file);
    assert_fatal(&both, SSL_write(both.client, "x", 1), "sending");
    both.server_file = open("/dev/null", O_RDONLY);
    free_pair(&both);
}

/* nats.c closes the descriptor first, and another may have its number by then. */
static void freeing_does_not_touch_the_descriptor(void **state) {
    struct both both;
    int file;
    char none;
    (void)state;
    connect_pair(&both);
    SSL_CTX_free(both.context); /* connections outlive options */
    server_write(&both, "hi", 2);
    char out[20000];
    assert_int_equal(SSL_read(both.client, out, sizeof(out)), 2);
    close(both.client_file);
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    file = both.client_file;
    if (ends[0] != file && ends[1] != file) {
        assert_int_equal(dup2(ends[1], file), file);
    }
    SSL_free(both.client);
    assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(read(ends[0], &none, 1), -1);
    assert_int_equal(errno, EAGAIN); /* open, and nothing was written */
    close(ends[0]);
    close(ends[1]);
    tls_engine_free(both.server);
    tls_server_context_release(both.server_context);
    close(both.server_file);
}

/* ---- handshakes ---- */

static struct {
    int calls;
    int error;
    char text[200];
    char subject[100];
    char issuer[100];
    void *owner;
} verdict;

static int note_verdict(int verified, struct openssl_verification *verification) {
    const struct openssl_certificate *leaf = X509_STORE_CTX_get_current_cert(verification);
    struct openssl_connection *connection =
        X509_STORE_CTX_get_ex_data(verification, SSL_get_ex_data_X509_STORE_CTX_idx());
    verdict.calls++;
    assert_false(verified);
    verdict.error = X509_STORE_CTX_get_error(verification);
    assert_int_equal(X509_STORE_CTX_get_error_depth(verification), 0);
    snprintf(verdict.text, sizeof(verdict.text), "%s",
             X509_verify_cert_error_string(verdict.error));
    X509_NAME_oneline(X509_get_subject_name(leaf), verdict.subject, sizeof(verdict.subject));
    X509_NAME_oneline(X509_get_issuer_name(leaf), verdict.issuer, sizeof(verdict.issuer));
    verdict.owner = SSL_get_ex_data(connection, 0);
    return 1; /* "accept it": has no effect */
}

static void a_refused_certificate_is_told_to_the_callback(void **state) {
    static const struct {
        enum tls_role role;
        int error;
        const char *text;
    } rows[] = {
        {TLS_SERVER_EXPIRED, 10, "certificate expired on"},
        {TLS_SERVER_FUTURE, 9, "not valid before"},
        {TLS_SERVER_STRANGER, 20, "unknown issuer"},
        {TLS_SERVER_OTHER_NAME, 62, "name edge-7 not in [edge-8]"},
        {TLS_CLIENT, 26, "serverAuth"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct both both;
        memset(&verdict, 0, sizeof(verdict));
        make_pair(&both, rows[i].role);
        SSL_set_ex_data(both.client, 0, &both);
        SSL_set_verify(both.client, 0, note_verdict);
        assert_fatal(&both, shake_hands(&both, "edge-7"), rows[i].text);
        assert_int_equal(verdict.calls, 1);
        assert_int_equal(verdict.error, rows[i].error);
        assert_non_null(strstr(verdict.text, rows[i].text));
        assert_non_null(strstr(verdict.subject, "CN=edge-"));
        assert_non_null(strstr(verdict.issuer, " CA"));
        assert_ptr_equal(verdict.owner, &both);
        assert_int_equal(SSL_do_handshake(both.client), -1); /* not once more */
        free_pair(&both);
    }
}

static void without_a_name_nobody_is_believed(void **state) {
    struct both both;
    (void)state;
    make_pair(&both, TLS_SERVER);
    SSL_set_verify(both.client, 0, NULL);
    assert_fatal(&both, SSL_do_handshake(both.client), "no host name");
    char out[1];
    assert_fatal(&both, SSL_read(both.client, out, 1), "no TLS connection");
    assert_fatal(&both, SSL_write(both.client, out, 1), "no TLS connection");
    free_pair(&both);
}

static void the_names_to_ask_for_and_to_verify_may_differ(void **state) {
    struct both both;
    (void)state;
    make_pair(&both, TLS_SERVER);
    char asked[] = "somebody.else";
    assert_int_equal(SSL_ctrl(both.client, OPENSSL_COMMAND_SERVER_NAME, 0, asked), 1);
    assert_int_equal(shake_hands(&both, "[::1]"), 1);
    free_pair(&both);
}

/* What a peer that hangs up says before is heard, although we could not send any more. */
static void the_alert_of_a_peer_that_hung_up_is_heard(void **state) {
    static const char alert[] = "\x15\x03\x03\x00\x02\x02\x46";
    struct both both;
    (void)state;
    make_pair(&both, TLS_SERVER);
    SSL_set1_host(both.client, "edge-7");
    assert_int_equal(send(both.server_file, alert, 7, 0), 7);
    shutdown(both.server_file, SHUT_RD);
    assert_fatal(&both, SSL_do_handshake(both.client), "protocol_version (alert 70)");
    free_pair(&both);
}

static void a_peer_that_leaves_in_the_handshake(void **state) {
    struct both both;
    (void)state;
    make_pair(&both, TLS_SERVER);
    SSL_set1_host(both.client, "edge-7");
    shutdown(both.server_file, SHUT_WR);
    assert_fatal(&both, SSL_do_handshake(both.client), "during the TLS handshake");
    free_pair(&both);
}

static void a_silent_peer_costs_only_the_limit(void **state) {
    struct both both;
    (void)state;
    make_pair(&both, TLS_SERVER);
    SSL_set1_host(both.client, "edge-7");
    int64_t began_ms = clock_monotonic_ms();
    assert_fatal(&both, SSL_do_handshake(both.client), "in time");
    assert_in_range(clock_monotonic_ms() - began_ms, OPENSSL_HANDSHAKE_LIMIT_MS - 100,
                    OPENSSL_HANDSHAKE_LIMIT_MS + 2000);
    assert_int_equal(errno, ETIMEDOUT);
    free_pair(&both);
}

/* ---- two threads, as nats.c has them ---- */

#define ROUNDS 3000

static void *echo_server(void *context) {
    struct both *both = context;
    for (;;) {
        struct bytes plain = tls_engine_plaintext(both->server);
        if (plain.length > 0) {
            uint8_t copy[TLS_RECORD_BYTES_MAX];
            size_t length = plain.length;
            memcpy(copy, plain.data, length);
            tls_engine_plaintext_used(both->server, length);
            server_write(both, copy, length);
        } else {
            uint8_t bytes[4096];
            size_t wanted = tls_engine_wanted(both->server);
            ssize_t length =
                recv(both->server_file, bytes, wanted < sizeof(bytes) ? wanted : sizeof(bytes), 0);
            if (length <= 0) {
                return NULL;
            }
            tls_engine_take(both->server, bytes, (size_t)length);
        }
    }
}

static void *write_rounds(void *context) {
    struct both *both = context;
    char message[1000];
    for (int round = 0; round < ROUNDS; round++) {
        memset(message, 'a' + round % 26, sizeof(message));
        for (size_t done = 0; done < sizeof(message);) {
            int result = SSL_write(both->client, message + done, (int)(sizeof(message) - done));
            struct pollfd file = {.fd = both->client_file, .events = POLLOUT};
            if (result > 0) {
                done += (size_t)result;
            } else {
                poll(&file, 1, 1000);
            }
        }
    }
    return NULL;
}

static void one_thread_reads_while_another_writes(void **state) {
    struct both both;
    pthread_t server, writer;
    char out[32768];
    size_t total = 0;
    (void)state;
    connect_pair(&both);
    pthread_create(&server, NULL, echo_server, &both);
    pthread_create(&writer, NULL, write_rounds, &both);
    while (total < ROUNDS * 1000) {
        struct pollfd file = {.fd = both.client_file, .events = POLLIN};
        int length = SSL_read(both.client, out, sizeof(out));
        if (length > 0) {
            for (int i = 0; i < length; i++) {
                char wanted = (char)('a' + (total + (size_t)i) / 1000 % 26);
                if (out[i] != wanted) {
                    fail_msg("byte %zu is wrong", total + (size_t)i);
                }
            }
            total += (size_t)length;
        } else {
            assert_again(&both, length);
            assert_int_equal(poll(&file, 1, 10000), 1);
        }
    }
    pthread_join(writer, NULL);
    shutdown(both.client_file, SHUT_RDWR);
    pthread_join(server, NULL);
    free_pair(&both);
}

/* ---- contexts and texts ---- */

static void contexts_take_pem_texts_as_nats_c_gives_them(void **state) {
    (void)state;
    const struct tls_pem *own = &peers.pems[TLS_CLIENT];
    struct openssl_context *context = SSL_CTX_new(TLS_client_method());
    assert_int_equal(SSL_CTX_ctrl(context, OPENSSL_COMMAND_MODE, 4, NULL), 4);
    assert_int_equal(SSL_CTX_ctrl(context, OPENSSL_COMMAND_MIN_VERSION, 0x0303, NULL), 1);
    assert_int_equal(SSL_CTX_ctrl(context, OPENSSL_COMMAND_MIN_VERSION, 0x0304, NULL), 0);
    assert_int_equal(SSL_CTX_set_default_verify_paths(context), 1);

    struct openssl_bio *bio = BIO_new_mem_buf(buffer_text(&peers.ca), -1);
    struct openssl_stack *stack = PEM_X509_INFO_read_bio(bio, NULL, NULL, NULL);
    assert_int_equal(OPENSSL_sk_num(stack), 1);
    assert_null(OPENSSL_sk_value(stack, 1));
    const struct openssl_info *info = OPENSSL_sk_value(stack, 0);
    assert_null(info->revocation_list);
    assert_int_equal(X509_STORE_add_cert(SSL_CTX_get_cert_store(context), info->certificate), 1);
    OPENSSL_sk_pop_free(stack, (void (*)(void *))X509_INFO_free);
    BIO_free(bio);

    bio = BIO_new_mem_buf(buffer_text(&own->certificate), (int)own->certificate.length);
    struct openssl_certificate *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    assert_int_equal(SSL_CTX_use_certificate(context, certificate), 1);
    assert_null(PEM_read_bio_X509(bio, NULL, NULL, NULL)); /* there is one only */
    X509_free(certificate);
    BIO_free(bio);

    bio = BIO_new_mem_buf(buffer_text(&own->key), -1);
    struct openssl_key *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    assert_int_equal(SSL_CTX_use_PrivateKey(context, key), 1);
    EVP_PKEY_free(key);
    BIO_free(bio);

    struct openssl_connection *connection = SSL_new(context);
    assert_non_null(connection);
    SSL_free(connection);
    SSL_CTX_free(context);
}

static void what_contexts_refuse(void **state) {
    static const char broken[] = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    struct openssl_context *context = SSL_CTX_new(TLS_client_method());
    (void)state;
    assert_int_equal(SSL_CTX_load_verify_locations(context, "/no/such/file", NULL), 0);
    assert_int_equal(SSL_CTX_load_verify_locations(context, NULL, "/etc"), 0);
    assert_int_equal(SSL_CTX_use_certificate_chain_file(context, "/no/such/file"), 0);
    assert_int_equal(SSL_CTX_use_PrivateKey_file(context, "/no/such/file", 1), 0);
    assert_int_equal(SSL_CTX_use_PrivateKey_file(context, files.keys[TLS_CLIENT], 2), 0);
    assert_int_equal(SSL_CTX_set_cipher_list(context, "ALL"), 0);
    assert_int_equal(SSL_CTX_set_ciphersuites(context, "ALL"), 0);
    assert_int_equal(X509_STORE_add_crl(SSL_CTX_get_cert_store(context), NULL), 0);
    assert_non_null(strstr(ERR_reason_error_string(ERR_get_error()), "revocation"));

    struct openssl_bio *bio = BIO_new_mem_buf(broken, -1);
    assert_null(PEM_X509_INFO_read_bio(bio, NULL, NULL, NULL));
    BIO_free(bio);
    bio = BIO_new_mem_buf(broken, -1);
    assert_null(PEM_read_bio_X509(bio, NULL, NULL, NULL));
    assert_null(PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL));
    BIO_free(bio);

    /* A certificate without its key. */
    assert_int_equal(SSL_CTX_use_certificate_chain_file(context, files.certificates[TLS_CLIENT]),
                     1);
    assert_null(SSL_new(context));
    SSL_CTX_free(context);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reading_never_waits),
        cmocka_unit_test(half_a_record_is_no_data_yet),
        cmocka_unit_test(a_small_buffer_gets_the_rest_later),
        cmocka_unit_test(what_is_left_shows_on_the_socket),
        cmocka_unit_test(writing_to_a_slow_peer),
        cmocka_unit_test(ends_in_order_are_zero),
        cmocka_unit_test(breaks_are_fatal_and_never_again),
        cmocka_unit_test(freeing_does_not_touch_the_descriptor),
        cmocka_unit_test(a_refused_certificate_is_told_to_the_callback),
        cmocka_unit_test(without_a_name_nobody_is_believed),
        cmocka_unit_test(the_names_to_ask_for_and_to_verify_may_differ),
        cmocka_unit_test(the_alert_of_a_peer_that_hung_up_is_heard),
        cmocka_unit_test(a_peer_that_leaves_in_the_handshake),
        cmocka_unit_test(a_silent_peer_costs_only_the_limit),
        cmocka_unit_test(one_thread_reads_while_another_writes),
        cmocka_unit_test(contexts_take_pem_texts_as_nats_c_gives_them),
        cmocka_unit_test(what_contexts_refuse),
    };
    return cmocka_run_group_tests(tests, make_files, remove_files);
}
