/* The NATS client over TLS against nats-server and our broker: who is believed, who is not and why,
 * much data, outages. */
#include "tests/lib/unit.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "bus/bus.h"
#include "loop/timer.h"
#include "tests/lib/bus_peer.h"
#include "tests/lib/loop_wait.h"
#include "tests/lib/nats_server.h"
#include "tests/lib/tls_files.h"

static struct tls_peers peers;
static struct tls_files files;

/* A server with this certificate; `verifies`: clients need one. */
static void start_server(struct nats_server *server, enum tls_role role, bool verifies) {
    const struct nats_server_options options = {.certificate = files.certificates[role],
                                                .key = files.keys[role],
                                                .client_ca = verifies ? files.ca : NULL};
    nats_server_start(server, &options);
}

static void write_url(const struct nats_server *server, const char *scheme, const char *host,
                      char out[64]) {
    snprintf(out, 64, "%s://%s:%d", scheme, host, server->port);
}

/* ---- who is believed ---- */

static void assert_connects(struct bus_options options) {
    struct peer peer;
    struct loop *loop = peer_loop();
    peer_start_with(&peer, loop, &options);
    if (!loop_wait(loop, peer_is_connected, &peer)) {
        fail_msg("%s: %s", options.urls, peer.reason.text);
    }
    bus_subscribe(peer.bus, "echo", NULL, peer_on_message, &peer, NULL);
    assert_true(peer_publish(&peer, "echo", "over TLS"));
    assert_true(loop_wait_count(loop, &peer.messages, 1));
    assert_string_equal(peer.last_data, "over TLS");
    peer_stop(&peer);
    loop_wait_end(loop);
}

static void assert_refused(struct bus_options options, const char *text) {
    struct peer peer;
    struct loop *loop = peer_loop();
    peer_start_with(&peer, loop, &options);
    assert_true(loop_wait(loop, peer_has_reason, &peer));
    if (strstr(peer.reason.text, text) == NULL) {
        fail_msg("\"%s\" is not in \"%s\"", text, peer.reason.text);
    }
    assert_int_equal(peer.reason.code, STATUS_TLS);
    assert_int_equal(peer.connects, 0);
    peer_stop(&peer);
    loop_wait_end(loop);
}

static void a_server_of_our_ca_is_believed(void **state) {
    static const char *const hosts[] = {"127.0.0.1", "localhost"};
    static const char *const schemes[] = {"tls", "nats"};
    struct nats_server server;
    char url[64];
    (void)state;
    nats_server_init(&server);
    start_server(&server, TLS_SERVER, false);
    for (size_t i = 0; i < 4; i++) {
        write_url(&server, schemes[i / 2], hosts[i % 2], url);
        assert_connects((struct bus_options){.urls = url, .tls_ca_file = files.ca});
    }
    nats_server_kill(&server);
}

static void others_are_not_believed_and_why(void **state) {
    static const struct {
        enum tls_role role;
        const char *text;
    } rows[] = {
        {TLS_SERVER_STRANGER, "unknown issuer CN=Other CA of certificate CN=edge-7"},
        {TLS_SERVER_EXPIRED, "certificate expired on 20"},
        {TLS_SERVER_FUTURE, "certificate is not valid before 20"},
        {TLS_SERVER_OTHER_NAME, "name 127.0.0.1 not in [edge-8]"},
        {TLS_CLIENT, "serverAuth"},
    };
    struct nats_server server;
    char url[64];
    (void)state;
    nats_server_init(&server);
    write_url(&server, "tls", "127.0.0.1", url);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        start_server(&server, rows[i].role, false);
        assert_refused((struct bus_options){.urls = url, .tls_ca_file = files.ca}, rows[i].text);
        nats_server_kill(&server);
    }
}

/* Without a CA of our own the system's count, which do not know the server. */
static void a_server_that_asks_for_tls_gets_it_and_is_judged(void **state) {
    struct nats_server server;
    (void)state;
    nats_server_init(&server);
    start_server(&server, TLS_SERVER, false);
    assert_refused((struct bus_options){.urls = server.url}, "TLS with the NATS server failed: ");
    nats_server_kill(&server);
}

static void nothing_is_sent_in_clear_when_tls_is_wanted(void **state) {
    struct nats_server server;
    char url[64];
    (void)state;
    nats_server_init(&server);
    nats_server_start(&server, NULL);
    write_url(&server, "tls", "127.0.0.1", url);
    assert_refused((struct bus_options){.urls = url}, "offers no TLS");
    assert_refused((struct bus_options){.urls = server.url, .tls_ca_file = files.ca},
                   "offers no TLS");
    nats_server_kill(&server);
}

static void servers_may_want_our_certificate(void **state) {
    struct nats_server server;
    struct bus_options options = {.tls_ca_file = files.ca};
    char url[64];
    (void)state;
    nats_server_init(&server);
    start_server(&server, TLS_SERVER, true);
    write_url(&server, "tls", "localhost", url);
    options.urls = url;
    /* bad_certificate from Go, handshake_failure from us: RFC 5246 7.4.6 has the latter. */
    assert_refused(options, "the peer refused the TLS handshake: ");
    options.tls_certificate_file = files.certificates[TLS_CLIENT];
    options.tls_key_file = files.keys[TLS_CLIENT];
    assert_connects(options);
    options.tls_certificate_file = files.certificates[TLS_CLIENT_STRANGER];
    options.tls_key_file = files.keys[TLS_CLIENT_STRANGER];
    assert_refused(options, "the peer refused the TLS handshake: ");
    nats_server_kill(&server);
}

static void files_that_cannot_be_are_named_at_once(void **state) {
    struct loop *loop = peer_loop();
    (void)state;
    const struct {
        struct bus_options options;
        enum status_code code;
    } rows[] = {
        {{.tls_ca_file = "/no/such/file"}, STATUS_NOT_FOUND},
        {{.tls_ca_file = files.certificates[TLS_SERVER]}, STATUS_WRONG_TYPE},
        {{.tls_certificate_file = files.certificates[TLS_CLIENT]}, STATUS_CONFIG},
        {{.tls_key_file = files.keys[TLS_CLIENT]}, STATUS_CONFIG},
        {{.tls_certificate_file = files.certificates[TLS_CLIENT],
          .tls_key_file = files.keys[TLS_SERVER]},
         STATUS_MALFORMED},
        {{.tls_certificate_file = files.certificates[TLS_CLIENT], .tls_key_file = files.ca},
         STATUS_NOT_FOUND},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct bus_options options = rows[i].options;
        struct status status = STATUS_INIT;
        options.urls = "tls://127.0.0.1:1";
        assert_null(bus_create(loop, &options, &peer_callbacks, NULL, &status));
        if (status.code != rows[i].code) {
            fail_msg("%zu: %s", i, status.text);
        }
    }
    loop_wait_end(loop);
}

/* ---- much data ---- */

#define MESSAGES      10000
#define MESSAGE_BYTES 1024

/* One direction of the exchange. */
struct flow {
    struct peer *sender;
    const char *subject;
    int sent;
    int received;
    bool is_wrong;
};

static void fill(uint8_t out[MESSAGE_BYTES], int number) {
    for (int i = 0; i < MESSAGE_BYTES; i++) {
        out[i] = (uint8_t)(number * 31 + i * 7 + i / 256);
    }
}

static void check(void *context, const struct bus_message *message) {
    struct flow *flow = context;
    uint8_t wanted[MESSAGE_BYTES];
    fill(wanted, flow->received);
    flow->is_wrong |= !bytes_equal(message->data, bytes_of(wanted, sizeof(wanted)));
    flow->received++;
}

/* Sends as much as the queue takes. */
static bool flow_is_over(void *context) {
    struct flow *flow = context;
    uint8_t data[MESSAGE_BYTES];
    while (flow->sent < MESSAGES && flow->sent - flow->received < BUS_QUEUE_MESSAGES_MAX / 2) {
        fill(data, flow->sent);
        if (!bus_publish(flow->sender->bus, flow->subject, NULL, bytes_of(data, sizeof(data)),
                         NULL)) {
            break;
        }
        flow->sent++;
    }
    return flow->received >= MESSAGES;
}

static bool both_are_over(void *context) {
    struct flow *flows = context;
    bool first = flow_is_over(&flows[0]);
    bool second = flow_is_over(&flows[1]);
    return first && second;
}

static void every_byte_arrives_both_ways_at_once(void **state) {
    struct nats_server server;
    struct peer one;
    struct peer two;
    struct loop *loop = peer_loop();
    char url[64];
    (void)state;
    nats_server_init(&server);
    start_server(&server, TLS_SERVER, false);
    write_url(&server, "tls", "127.0.0.1", url);
    const struct bus_options options = {.urls = url, .tls_ca_file = files.ca};
    peer_start_with(&one, loop, &options);
    peer_start_with(&two, loop, &options);
    assert_true(loop_wait(loop, peer_is_connected, &one));
    assert_true(loop_wait(loop, peer_is_connected, &two));
    struct flow flows[] = {{.sender = &one, .subject = "there"},
                           {.sender = &two, .subject = "back"}};
    bus_subscribe(two.bus, "there", NULL, check, &flows[0], NULL);
    bus_subscribe(one.bus, "back", NULL, check, &flows[1], NULL);
    peer_settle(&one);
    peer_settle(&two);
    assert_true(loop_wait(loop, both_are_over, flows));
    assert_int_equal(flows[0].received, MESSAGES);
    assert_int_equal(flows[1].received, MESSAGES);
    assert_false(flows[0].is_wrong || flows[1].is_wrong);

    uint8_t *large = memory_new(BUS_MESSAGE_BYTES_MAX);
    bus_subscribe(one.bus, "large", NULL, peer_on_message, &one, NULL);
    peer_settle(&one);
    assert_true(bus_publish(two.bus, "large", NULL, bytes_of(large, BUS_MESSAGE_BYTES_MAX), NULL));
    assert_true(loop_wait_count(loop, &one.messages, 1));
    assert_int_equal(one.last_length, BUS_MESSAGE_BYTES_MAX);
    free(large);
    peer_stop(&one);
    peer_stop(&two);
    nats_server_kill(&server);
    loop_wait_end(loop);
}

/* ---- outages ---- */

static bool has_reconnected(void *context) {
    const struct peer *peer = context;
    return peer->state == BUS_CONNECTED && peer->connects >= 2;
}

static void a_restarted_server_is_found_again(void **state) {
    struct nats_server server;
    struct peer peer;
    struct loop *loop = peer_loop();
    char url[64];
    (void)state;
    nats_server_init(&server);
    start_server(&server, TLS_SERVER, false);
    write_url(&server, "tls", "127.0.0.1", url);
    const struct bus_options options = {.urls = url, .tls_ca_file = files.ca};
    peer_start_with(&peer, loop, &options);
    assert_true(loop_wait(loop, peer_is_connected, &peer));
    bus_subscribe(peer.bus, "echo", NULL, peer_on_message, &peer, NULL);
    nats_server_kill(&server);
    assert_true(loop_wait(loop, peer_is_connecting, &peer));
    start_server(&server, TLS_SERVER, false);
    assert_true(loop_wait(loop, has_reconnected, &peer));
    assert_true(peer_publish(&peer, "echo", "again"));
    assert_true(loop_wait_count(loop, &peer.messages, 1));
    peer_stop(&peer);
    nats_server_kill(&server);
    loop_wait_end(loop);
}

/* Measures the longest time between two turns of the loop. */
struct watch {
    struct timer *timer;
    int64_t last_ms;
    int64_t longest_ms;
};

static void look(void *context) {
    struct watch *watch = context;
    int64_t now_ms = clock_monotonic_ms();
    if (now_ms - watch->last_ms > watch->longest_ms) {
        watch->longest_ms = now_ms - watch->last_ms;
    }
    watch->last_ms = now_ms;
}

static void begin_watch(struct watch *watch, struct loop *loop) {
    *watch =
        (struct watch){.timer = timer_open(loop, look, watch), .last_ms = clock_monotonic_ms()};
    timer_start_repeating(watch->timer, 1);
}

/* Far below what a blocking call would take (2 s and 5 s), far above what a busy machine does. */
#define LONGEST_TURN_MS 500

static void end_watch(struct watch *watch, const char *what) {
    print_message("longest turn of the loop, %s: %d ms\n", what, (int)watch->longest_ms);
    assert_true(watch->longest_ms < LONGEST_TURN_MS);
    timer_close(watch->timer);
}

static void publish_much(struct peer *peer) {
    uint8_t *data = memory_new(100000);
    for (int i = 0; i < 300; i++) {
        bus_publish(peer->bus, "flood", NULL, bytes_of(data, 100000), NULL);
    }
    free(data);
}

/* More waits to be written than sockets hold, so a writer is in the middle of a record. */
static void a_frozen_server_never_holds_up_the_loop(void **state) {
    struct nats_server server;
    struct peer peer;
    struct watch watch;
    struct loop *loop = peer_loop();
    char url[64];
    (void)state;
    nats_server_init(&server);
    start_server(&server, TLS_SERVER, false);
    write_url(&server, "tls", "127.0.0.1", url);
    const struct bus_options options = {.urls = url, .tls_ca_file = files.ca};
    peer_start_with(&peer, loop, &options);
    assert_true(loop_wait(loop, peer_is_connected, &peer));
    begin_watch(&watch, loop);
    nats_server_freeze(&server);
    publish_much(&peer);
    assert_true(loop_wait(loop, peer_is_connecting, &peer));
    nats_server_thaw(&server);
    assert_true(loop_wait(loop, has_reconnected, &peer));
    end_watch(&watch, "server frozen");
    assert_true(peer_stop(&peer) < 1000);
    nats_server_kill(&server);
    loop_wait_end(loop);
}

/* A server that asks for TLS and then says nothing, or nonsense. */
struct impostor {
    pthread_t thread;
    int listener;
    int port;
    const char *hello; /* sent after INFO */
    size_t hello_length;
};

static void *pretend(void *context) {
    static const char info[] = "INFO {\"server_id\":\"x\",\"tls_required\":true}\r\n";
    struct impostor *impostor = context;
    int kept[16];
    int count = 0;
    for (; count < 16; count++) {
        kept[count] = accept(impostor->listener, NULL, NULL);
        if (kept[count] < 0) {
            break;
        }
        assert_true(write(kept[count], info, sizeof(info) - 1) > 0);
        if (impostor->hello_length > 0) {
            assert_true(write(kept[count], impostor->hello, impostor->hello_length) > 0);
        }
    }
    while (count > 0) {
        close(kept[--count]);
    }
    return NULL;
}

static void start_impostor(struct impostor *impostor, const char *hello, size_t length) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof(address);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    *impostor = (struct impostor){.hello = hello, .hello_length = length};
    impostor->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(impostor->listener, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(impostor->listener, 16), 0);
    assert_int_equal(getsockname(impostor->listener, (struct sockaddr *)&address, &size), 0);
    impostor->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&impostor->thread, NULL, pretend, impostor), 0);
}

static void stop_impostor(struct impostor *impostor) {
    shutdown(impostor->listener, SHUT_RDWR);
    pthread_join(impostor->thread, NULL);
    close(impostor->listener);
}

static void a_handshake_that_stalls_ends_in_time(void **state) {
    struct impostor impostor;
    struct peer peer;
    struct watch watch;
    struct loop *loop = peer_loop();
    char url[64];
    (void)state;
    start_impostor(&impostor, NULL, 0);
    snprintf(url, sizeof(url), "tls://127.0.0.1:%d", impostor.port);
    const struct bus_options options = {.urls = url, .tls_ca_file = files.ca};
    begin_watch(&watch, loop);
    peer_start_with(&peer, loop, &options);
    int64_t began_ms = clock_monotonic_ms();
    assert_true(loop_wait(loop, peer_has_reason, &peer));
    assert_in_range(clock_monotonic_ms() - began_ms, 4000, 9000);
    assert_int_equal(peer.reason.code, STATUS_TIMEOUT);
    assert_non_null(strstr(peer.reason.text, "did not complete the TLS handshake in time"));
    /* Also while the thread is in the next handshake. */
    loop_wait_ms(loop, 300);
    assert_true(peer_stop(&peer) < 1000);
    end_watch(&watch, "handshake stalled");
    stop_impostor(&impostor);
    loop_wait_end(loop);
}

static void nonsense_in_place_of_tls_is_named(void **state) {
    static const char nonsense[] = "+OK\r\nMSG license.status 1 2\r\nhi\r\n";
    struct impostor impostor;
    char url[64];
    (void)state;
    start_impostor(&impostor, nonsense, sizeof(nonsense) - 1);
    snprintf(url, sizeof(url), "tls://127.0.0.1:%d", impostor.port);
    struct peer peer;
    struct loop *loop = peer_loop();
    const struct bus_options options = {.urls = url, .tls_ca_file = files.ca};
    peer_start_with(&peer, loop, &options);
    assert_true(loop_wait(loop, peer_has_reason, &peer));
    assert_int_equal(peer.connects, 0);
    assert_int_equal(peer.messages, 0);
    peer_stop(&peer);
    loop_wait_end(loop);
    stop_impostor(&impostor);
}

static int run(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_of_our_ca_is_believed),
        cmocka_unit_test(others_are_not_believed_and_why),
        cmocka_unit_test(a_server_that_asks_for_tls_gets_it_and_is_judged),
        cmocka_unit_test(nothing_is_sent_in_clear_when_tls_is_wanted),
        cmocka_unit_test(servers_may_want_our_certificate),
        cmocka_unit_test(files_that_cannot_be_are_named_at_once),
        cmocka_unit_test(every_byte_arrives_both_ways_at_once),
        cmocka_unit_test(a_restarted_server_is_found_again),
        cmocka_unit_test(a_frozen_server_never_holds_up_the_loop),
        cmocka_unit_test(a_handshake_that_stalls_ends_in_time),
        cmocka_unit_test(nonsense_in_place_of_tls_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void) {
    tls_peers_make(&peers);
    tls_files_make(&files, &peers);
    int result = nats_server_run_with_each(run);
    tls_files_remove(&files);
    tls_peers_free(&peers);
    return result;
}
