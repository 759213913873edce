/* Streams, listeners and connectors over real sockets: order, back-pressure, every way to end. */
#include "tests/lib/unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "loop/shared_memory.h"
#include "loop/timer.h"
#include "net/connector.h"
#include "net/listener.h"
#include "net/stream.h"
#include "tests/lib/loop_wait.h"
#include "tests/lib/stream_side.h"

struct fixture {
    struct loop *loop;
    struct listener *listener;
    struct stream_side server; /* the last accepted connection */
    struct stream_side client;
    int accepted;
    int exhausted;
    int concluded;
    struct status connect_status;
    bool leaves_alone; /* accepted streams are kept unstarted in `kept` */
    struct stream *kept[200];
};

static void note_accept(void *context, struct stream *stream) {
    struct fixture *fixture = context;
    if (fixture->leaves_alone) {
        fixture->kept[fixture->accepted++] = stream;
        return;
    }
    fixture->accepted++;
    fixture->server.stream = stream;
    stream_start(stream, &stream_side_handlers, &fixture->server);
}

static void note_exhausted(void *context, const struct status *status) {
    struct fixture *fixture = context;
    fixture->exhausted++;
    assert_int_equal(status->code, STATUS_IO);
}

static const struct listener_handlers listener_handlers = {.on_accept = note_accept,
                                                           .on_exhausted = note_exhausted};

static void note_connected(void *context, struct stream *stream, const struct status *status) {
    struct fixture *fixture = context;
    fixture->concluded++;
    fixture->connect_status = *status;
    fixture->client.stream = stream;
    assert_int_equal(stream != NULL, status_is_ok(status));
    if (stream) stream_start(stream, &stream_side_handlers, &fixture->client);
}

static int set_up(void **state) {
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct status status = STATUS_INIT;
    fixture->loop = loop_create(&status);
    stream_side_init(&fixture->server);
    stream_side_init(&fixture->client);
    *state = fixture;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *fixture = *state;
    listener_close(fixture->listener);
    listener_close(fixture->listener);
    stream_close(fixture->server.stream);
    stream_close(fixture->client.stream);
    loop_wait_end(fixture->loop);
    buffer_free(&fixture->server.received);
    buffer_free(&fixture->client.received);
    free(fixture);
    return 0;
}

static struct address address_of(const char *text) {
    struct address address;
    struct status status = STATUS_INIT;
    assert_true(address_parse(bytes_of_text(text), ADDRESS_PORT_REQUIRED, &address, &status));
    return address;
}

static void listen_at(struct fixture *fixture, const char *text) {
    struct address address = address_of(text);
    struct status status = STATUS_INIT;
    fixture->listener =
        listener_open(fixture->loop, &address, 0600, &listener_handlers, fixture, &status);
    if (!fixture->listener) print_error("%s\n", status.text);
    assert_non_null(fixture->listener);
}

static void connect_both(struct fixture *fixture) {
    connector_start(fixture->loop, listener_address(fixture->listener), 5000, note_connected,
                    fixture);
    assert_true(loop_wait_count(fixture->loop, &fixture->accepted, 1));
    assert_true(loop_wait_count(fixture->loop, &fixture->concluded, 1));
    assert_int_equal(fixture->connect_status.code, STATUS_OK);
}

struct expectation {
    const struct stream_side *side;
    size_t bytes;
};

static bool has_received(void *context) {
    const struct expectation *expectation = context;
    return expectation->side->received.length >= expectation->bytes;
}

static void wait_received(struct fixture *fixture, const struct stream_side *side, size_t bytes) {
    struct expectation expectation = {side, bytes};
    assert_true(loop_wait(fixture->loop, has_received, &expectation));
    assert_int_equal(side->received.length, bytes);
}

/* ---- bytes ---- */

static void round_trip(struct fixture *fixture) {
    connect_both(fixture);
    fixture->server.echoes = true;
    stream_write(fixture->client.stream, "hello ", 6);
    stream_write(fixture->client.stream, "world", 5);
    wait_received(fixture, &fixture->client, 11);
    assert_string_equal(buffer_text(&fixture->client.received), "hello world");
    assert_int_equal(fixture->server.reads, 1); /* gathered into one write */
    assert_int_equal(stream_bytes_written(fixture->client.stream), 11);
    assert_int_equal(stream_bytes_read(fixture->client.stream), 11);
    assert_true(stream_peer_is_loopback(fixture->client.stream));
}

static void bytes_travel_over_tcp(void **state) {
    struct fixture *fixture = *state;
    listen_at(fixture, "127.0.0.1:0");
    assert_int_not_equal(listener_address(fixture->listener)->port, 0);
    round_trip(fixture);
    struct address peer;
    stream_peer(fixture->client.stream, &peer);
    assert_string_equal(peer.host, "127.0.0.1");
    assert_int_equal(peer.port, listener_address(fixture->listener)->port);
}

static void bytes_travel_over_ipv6(void **state) {
    struct fixture *fixture = *state;
    listen_at(fixture, "[::1]:0");
    round_trip(fixture);
}

static void bytes_travel_to_a_name(void **state) {
    struct fixture *fixture = *state;
    listen_at(fixture, "localhost:0");
    struct address address = *listener_address(fixture->listener);
    strcpy(address.host, "localhost");
    connector_start(fixture->loop, &address, 5000, note_connected, fixture);
    assert_true(loop_wait_count(fixture->loop, &fixture->concluded, 1));
    assert_int_equal(fixture->connect_status.code, STATUS_OK);
}

static void output_larger_than_the_socket_arrives_whole_and_in_order(void **state) {
    struct fixture *fixture = *state;
    listen_at(fixture, "127.0.0.1:0");
    connect_both(fixture);
    stream_pause_reading(fixture->server.stream);
    const size_t count = 4 << 20;
    for (uint32_t i = 0; i < count; i++)
        stream_write(fixture->client.stream, &i, sizeof i);
    assert_true(stream_pending_bytes(fixture->client.stream) > 0);
    loop_wait_ms(fixture->loop, 20);
    assert_int_equal(fixture->server.received.length, 0);
    assert_int_equal(fixture->client.drained, 0);
    stream_resume_reading(fixture->server.stream);
    wait_received(fixture, &fixture->server, count * sizeof(uint32_t));
    assert_true(loop_wait_count(fixture->loop, &fixture->client.drained, 1));
    assert_int_equal(stream_pending_bytes(fixture->client.stream), 0);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t received;
        memcpy(&received, fixture->server.received.data + i * sizeof i, sizeof i);
        assert_int_equal(received, i);
    }
}

static void messages_can_be_made_in_place(void **state) {
    struct fixture *fixture = *state;
    listen_at(fixture, "127.0.0.1:0");
    connect_both(fixture);
    struct stream *stream = fixture->client.stream;
    size_t total = 0;
    for (size_t length = 0; length <= LOOP_CHUNK_BYTES; length += 1111) {
        uint8_t *place = stream_reserve(stream, length);
        assert_non_null(place);
        memset(place, 'm', length);
        stream_commit(stream, length);
        total += length;
    }
    uint8_t *place = stream_reserve(stream, 100);
    assert_non_null(place);
    stream_commit(stream, 0); /* changed our mind */
    stream_flush(stream);
    wait_received(fixture, &fixture->server, total);
}

/* ---- ends ---- */

static void a_half_close_lets_the_answer_through(void **state) {
    struct fixture *fixture = *state;
    listen_at(fixture, "127.0.0.1:0");
    connect_both(fixture);
    stream_write(fixture->client.stream, "question", 8);
    stream_shutdown(fixture->client.stream);
    stream_write(fixture->client.stream, "ignored", 7);
    assert_null(stream_reserve(fixture->client.stream, 1));
    assert_true(loop_wait_count(fixture->loop, &fixture->server.ended, 1));
    assert_string_equal(buffer_text(&fixture->server.received), "question");
    stream_write(fixture->server.stream, "answer", 6);
    stream_finish(fixture->server.stream, 5000);
    wait_received(fixture, &fixture->client, 6);
    assert_true(loop_wait_count(fixture->loop, &fixture->client.ended, 1));
    assert_true(loop_wait_count(fixture->loop, &fixture->server.closed, 1));
    assert_int_equal(fixture->server.why.code, STATUS_OK);
}

static void last_words_survive_unread_input(void **state) {
    struct fixture *fixture = *state;
    listen_at(fixture, "127.0.0.1:0");
    connect_both(fixture);
    stream_pause_reading(fixture->server.stream);
    char *flood = memory_new(2000000);
    stream_write(fixture->client.stream, flood, 2000000);
    free(flood);
    loop_wait_ms(fixture->loop, 5);
    stream_write(fixture->server.stream, "last words", 10);
    stream_finish(fixture->server.stream, 5000);
    wait_received(fixture, &fixture->client, 10);
    stream_finish(fixture->client.stream, 5000);
    assert_true(loop_wait_count(fixture->loop, &fixture->server.closed, 1));
    assert_true(loop_wait_count(fixture->loop, &fixture->client.closed, 1));
    assert_int_equal(fixture->server.received.length, 0);
}

static void finishing_does_not_wait_for_ever(void **state) {
    struct fixture *fixture = *state;
    listen_at(fixture, "127.0.0.1:0");
    connect_both(fixture);
    stream_pause_reading(fixture->server.stream);
    for (int i = 0; i < 1000; i++)
        stream_write(fixture->client.stream, fixture, sizeof *fixture);
    stream_finish(fixture->client.stream, 30);
    stream_finish(fixture->client.stream, 30);
    assert_true(loop_wait_count(fixture->loop, &fixture->client.closed, 1));
}

static void finishing_after_both_sides_ended_closes_at_once(void **state) {
    struct fixture *fixture = *state;
    listen_at(fixture, "127.0.0.1:0");
    connect_both(fixture);
    stream_shutdown(fixture->client.stream);
    assert_true(loop_wait_count(fixture->loop, &fixture->server.ended, 1));
    stream_shutdown(fixture->server.stream);
    assert_true(loop_wait_count(fixture->loop, &fixture->client.ended, 1));
    stream_finish(fixture->client.stream, 10 * LOOP_WAIT_LIMIT_MS);
    assert_true(loop_wait_count(fixture->loop, &fixture->client.closed, 1));
}

/* Reads a little now and then: a slow line, but alive. */
static void read_a_little(void *context) {
    struct fixture *fixture = context;
    if (!fixture->server.stream) return;
    stream_resume_reading(fixture->server.stream);
    if (fixture->server.reads % 4 == 3) stream_pause_reading(fixture->server.stream);
    fixture->server.reads++;
}

static void finishing_lets_a_slow_reader_have_everything(void **state) {
    struct fixture *fixture = *state;
    listen_at(fixture, "127.0.0.1:0");
    connect_both(fixture);
    const size_t length = 20 << 20;
    char *large = memory_new(length);
    stream_write(fixture->client.stream, large, length);
    free(large);
    stream_finish(fixture->client.stream, 300);
    struct timer *timer = timer_open(fixture->loop, read_a_little, fixture);
    timer_start_repeating(timer, 20);
    wait_received(fixture, &fixture->server, length);
    timer_close(timer);
    stream_resume_reading(fixture->server.stream);
    assert_true(loop_wait_count(fixture->loop, &fixture->server.ended, 1));
}

static void closing_sends_what_fits(void **state) {
    struct fixture *fixture = *state;
    listen_at(fixture, "127.0.0.1:0");
    connect_both(fixture);
    stream_write(fixture->client.stream, "bye", 3);
    stream_close(fixture->client.stream);
    assert_true(stream_is_closing(fixture->client.stream));
    stream_close(fixture->client.stream);
    assert_int_equal(fixture->client.closed, 0); /* never from inside a call */
    wait_received(fixture, &fixture->server, 3);
    assert_true(loop_wait_count(fixture->loop, &fixture->client.closed, 1));
    assert_int_equal(fixture->client.why.code, STATUS_OK);
    assert_int_equal(fixture->client.closed, 1);
}

static void an_abort_resets_the_connection(void **state) {
    struct fixture *fixture = *state;
    listen_at(fixture, "127.0.0.1:0");
    connect_both(fixture);
    stream_write(fixture->client.stream, "never sent", 10);
    stream_abort(fixture->client.stream);
    stream_abort(fixture->client.stream);
    assert_true(loop_wait_count(fixture->loop, &fixture->server.closed, 1));
    assert_int_equal(fixture->server.why.code, STATUS_IO);
    assert_non_null(strstr(fixture->server.why.text, "reset"));
    assert_int_equal(fixture->server.received.length, 0);
    assert_true(loop_wait_count(fixture->loop, &fixture->client.closed, 1));
}

static void aborting_with_a_full_socket_frees_everything(void **state) {
    struct fixture *fixture = *state;
    listen_at(fixture, "127.0.0.1:0");
    connect_both(fixture);
    stream_pause_reading(fixture->server.stream);
    for (int i = 0; i < 5000; i++)
        stream_write(fixture->client.stream, fixture, sizeof *fixture);
    assert_true(stream_pending_bytes(fixture->client.stream) > 0);
    stream_abort(fixture->client.stream);
    assert_true(loop_wait_count(fixture->loop, &fixture->client.closed, 1));
}

static void writing_to_one_who_left_breaks_the_stream(void **state) {
    struct fixture *fixture = *state;
    listen_at(fixture, "127.0.0.1:0");
    connect_both(fixture);
    stream_pause_reading(fixture->server.stream); /* sees nothing but failing writes */
    stream_abort(fixture->client.stream);
    assert_true(loop_wait_count(fixture->loop, &fixture->client.closed, 1));
    for (int i = 0; i < 10 && !fixture->server.closed; i++) {
        stream_write(fixture->server.stream, "x", 1);
        stream_flush(fixture->server.stream);
        loop_wait_ms(fixture->loop, 1);
    }
    assert_int_equal(fixture->server.closed, 1);
    assert_int_equal(fixture->server.why.code, STATUS_IO);
}

static void without_an_on_end_the_stream_ends_itself(void **state) {
    struct fixture *fixture = *state;
    listen_at(fixture, "127.0.0.1:0");
    fixture->leaves_alone = true;
    connect_both(fixture);
    fixture->server.stream = fixture->kept[0];
    static struct stream_handlers without_end;
    without_end = stream_side_handlers;
    without_end.on_end = NULL;
    stream_start(fixture->server.stream, &without_end, &fixture->server);
    stream_shutdown(fixture->client.stream);
    assert_true(loop_wait_count(fixture->loop, &fixture->server.closed, 1));
    assert_int_equal(fixture->server.why.code, STATUS_OK);
    assert_true(loop_wait_count(fixture->loop, &fixture->client.ended, 1));
}

static void an_unstarted_stream_can_be_closed(void **state) {
    struct fixture *fixture = *state;
    listen_at(fixture, "127.0.0.1:0");
    fixture->leaves_alone = true;
    connect_both(fixture);
    stream_close(fixture->kept[0]);
    assert_true(loop_wait_count(fixture->loop, &fixture->client.ended, 1));
}

/* ---- listening ---- */

static void a_taken_port_is_named(void **state) {
    struct fixture *fixture = *state;
    struct status status = STATUS_INIT;
    listen_at(fixture, "127.0.0.1:0");
    assert_null(listener_open(fixture->loop, listener_address(fixture->listener), 0600,
                              &listener_handlers, fixture, &status));
    assert_int_equal(status.code, STATUS_BUSY);
    assert_non_null(strstr(status.text, "already listens"));
}

static void impossible_addresses_are_explained(void **state) {
    struct fixture *fixture = *state;
    const struct {
        const char *address;
        enum status_code code;
    } rows[] = {
        {"192.0.2.1:0", STATUS_NOT_FOUND}, /* TEST-NET-1: nobody's */
        {"example.com:80", STATUS_USAGE},
        {"unix:/no/such/folder/socket", STATUS_NOT_FOUND},
        {"unix:/etc/passwd", STATUS_BUSY},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct address address = address_of(rows[i].address);
        struct status status = STATUS_INIT;
        assert_null(
            listener_open(fixture->loop, &address, 0600, &listener_handlers, fixture, &status));
        assert_int_equal(status.code, rows[i].code);
    }
    assert_int_equal(access("/etc/passwd", F_OK), 0);
}

static void unix_sockets_have_their_mode_and_clean_up(void **state) {
    struct fixture *fixture = *state;
    char folder[] = "/tmp/lsys-stream-XXXXXX";
    char path[64];
    char text[80];
    struct stat info;
    struct status status = STATUS_INIT;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/socket", folder);
    snprintf(text, sizeof text, "unix:%s", path);

    listen_at(fixture, text);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    round_trip(fixture);

    struct address address = address_of(text);
    assert_null(listener_open(fixture->loop, &address, 0600, &listener_handlers, fixture, &status));
    assert_int_equal(status.code, STATUS_BUSY);
    assert_int_equal(access(path, F_OK), 0);

    listener_close(fixture->listener);
    assert_int_equal(access(path, F_OK), -1);
    fixture->listener = NULL;
    assert_int_equal(rmdir(folder), 0);
}

static void a_stale_unix_socket_is_replaced(void **state) {
    struct fixture *fixture = *state;
    char folder[] = "/tmp/lsys-stream-XXXXXX";
    char text[80];
    assert_non_null(mkdtemp(folder));
    snprintf(text, sizeof text, "unix:%s/socket", folder);
    struct address address = address_of(text);
    struct sockaddr_storage where;
    socklen_t length;
    assert_true(address_to_socket(&address, &where, &length));
    int crashed = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(crashed, (struct sockaddr *)&where, length), 0);
    close(crashed);

    listen_at(fixture, text);
    round_trip(fixture);
    listener_close(fixture->listener);
    fixture->listener = NULL;
    assert_int_equal(rmdir(folder), 0);
}

/* With few descriptors: connections beyond are not served, files can still be opened, and accepting
 * goes on when connections have closed. */
static void accepting_survives_the_end_of_descriptors(void **state) {
    struct fixture *fixture = *state;
    struct rlimit old;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    int clients[40];
    for (size_t i = 0; i < COUNT_OF(clients); i++)
        clients[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct rlimit few = {.rlim_cur = 80, .rlim_max = old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);

    listen_at(fixture, "127.0.0.1:0");
    fixture->leaves_alone = true;
    struct sockaddr_storage where;
    socklen_t length;
    assert_true(address_to_socket(listener_address(fixture->listener), &where, &length));
    for (size_t i = 0; i < COUNT_OF(clients); i++)
        connect(clients[i], (struct sockaddr *)&where, length);
    assert_true(loop_wait_count(fixture->loop, &fixture->exhausted, 1));
    int served = fixture->accepted;
    assert_in_range(served, 1, 39);
    int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_true(file >= 0);
    close(file);

    for (int i = 0; i < served; i++)
        stream_close(fixture->kept[i]);
    assert_true(loop_wait_count(fixture->loop, &fixture->accepted, served + 1));
    for (int i = served; i < fixture->accepted; i++)
        stream_close(fixture->kept[i]);
    listener_close(fixture->listener);
    for (size_t i = 0; i < COUNT_OF(clients); i++)
        close(clients[i]);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    fixture->listener = NULL;
}

static void a_listener_can_be_closed_while_accepting(void **state) {
    struct fixture *fixture = *state;
    listen_at(fixture, "127.0.0.1:0");
    connector_start(fixture->loop, listener_address(fixture->listener), 1000, note_connected,
                    fixture);
    assert_true(loop_wait_count(fixture->loop, &fixture->accepted, 1));
    listener_close(fixture->listener);
    fixture->listener = NULL;
    assert_true(loop_wait_count(fixture->loop, &fixture->concluded, 1));
}

/* ---- connecting ---- */

static void a_refused_connection_is_unavailable(void **state) {
    struct fixture *fixture = *state;
    listen_at(fixture, "127.0.0.1:0");
    struct address address = *listener_address(fixture->listener);
    listener_close(fixture->listener);
    fixture->listener = NULL;
    connector_start(fixture->loop, &address, 5000, note_connected, fixture);
    assert_int_equal(fixture->concluded, 0);
    assert_true(loop_wait_count(fixture->loop, &fixture->concluded, 1));
    assert_int_equal(fixture->connect_status.code, STATUS_UNAVAILABLE);
    assert_non_null(strstr(fixture->connect_status.text, "refused"));
}

static void a_missing_unix_socket_is_not_found(void **state) {
    struct fixture *fixture = *state;
    struct address address = address_of("unix:/no/such/socket");
    connector_start(fixture->loop, &address, 5000, note_connected, fixture);
    assert_true(loop_wait_count(fixture->loop, &fixture->concluded, 1));
    assert_int_equal(fixture->connect_status.code, STATUS_NOT_FOUND);
}

/* A listening socket whose queue is full leaves further connects without an answer. */
static void a_silent_host_times_out(void **state) {
    struct fixture *fixture = *state;
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof where;
    int full = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(full, (struct sockaddr *)&where, sizeof where), 0);
    assert_int_equal(listen(full, 0), 0);
    assert_int_equal(getsockname(full, (struct sockaddr *)&where, &length), 0);
    int fillers[4];
    for (size_t i = 0; i < COUNT_OF(fillers); i++) {
        fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        connect(fillers[i], (struct sockaddr *)&where, sizeof where);
    }
    struct address address = {.kind = ADDRESS_TCP, .port = ntohs(where.sin_port)};
    strcpy(address.host, "127.0.0.1");
    connector_start(fixture->loop, &address, 50, note_connected, fixture);
    assert_true(loop_wait_count(fixture->loop, &fixture->concluded, 1));
    assert_int_equal(fixture->connect_status.code, STATUS_TIMEOUT);
    for (size_t i = 0; i < COUNT_OF(fillers); i++)
        close(fillers[i]);
    close(full);
}

static void a_cancelled_connector_is_silent(void **state) {
    struct fixture *fixture = *state;
    listen_at(fixture, "127.0.0.1:0");
    struct address by_name = address_of("localhost:1");
    const struct address *at = listener_address(fixture->listener);
    connector_cancel(connector_start(fixture->loop, at, 100, note_connected, fixture));
    connector_cancel(connector_start(fixture->loop, &by_name, 100, note_connected, fixture));
    struct connector *later =
        connector_start(fixture->loop, &by_name, 100, note_connected, fixture);
    loop_wait_ms(fixture->loop, 0);
    if (!fixture->concluded) connector_cancel(later);
    loop_wait_ms(fixture->loop, 50);
    assert_in_range(fixture->concluded, 0, 1);
}

int main(void) {
#define STREAM_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        STREAM_TEST(bytes_travel_over_tcp),
        STREAM_TEST(bytes_travel_over_ipv6),
        STREAM_TEST(bytes_travel_to_a_name),
        STREAM_TEST(output_larger_than_the_socket_arrives_whole_and_in_order),
        STREAM_TEST(messages_can_be_made_in_place),
        STREAM_TEST(a_half_close_lets_the_answer_through),
        STREAM_TEST(last_words_survive_unread_input),
        STREAM_TEST(finishing_does_not_wait_for_ever),
        STREAM_TEST(finishing_after_both_sides_ended_closes_at_once),
        STREAM_TEST(finishing_lets_a_slow_reader_have_everything),
        STREAM_TEST(closing_sends_what_fits),
        STREAM_TEST(an_abort_resets_the_connection),
        STREAM_TEST(aborting_with_a_full_socket_frees_everything),
        STREAM_TEST(writing_to_one_who_left_breaks_the_stream),
        STREAM_TEST(without_an_on_end_the_stream_ends_itself),
        STREAM_TEST(an_unstarted_stream_can_be_closed),
        STREAM_TEST(a_taken_port_is_named),
        STREAM_TEST(impossible_addresses_are_explained),
        STREAM_TEST(unix_sockets_have_their_mode_and_clean_up),
        STREAM_TEST(a_stale_unix_socket_is_replaced),
        STREAM_TEST(accepting_survives_the_end_of_descriptors),
        STREAM_TEST(a_listener_can_be_closed_while_accepting),
        STREAM_TEST(a_refused_connection_is_unavailable),
        STREAM_TEST(a_missing_unix_socket_is_not_found),
        STREAM_TEST(a_silent_host_times_out),
        STREAM_TEST(a_cancelled_connector_is_silent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
