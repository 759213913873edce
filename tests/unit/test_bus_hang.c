/* The end of a bus while its server hangs: stopped, with connections open and half-open. */
#include "tests/lib/unit.h"

#include "bus/bus.h"
#include "tests/lib/bus_peer.h"
#include "tests/lib/loop_wait.h"
#include "tests/lib/nats_server.h"

/* A thread that hangs in nats.c is left to end by itself, with what it holds: whether it has ended
 * when the program does is not for this test to say, so leaks are looked for in test_bus_outage
 * instead. */
int __lsan_is_turned_off(void);

int __lsan_is_turned_off(void) {
    return 1;
}

static void a_hanging_server_does_not_hold_up_the_end(void **state) {
    (void)state;
    struct nats_server server;
    struct peer connected;
    struct peer connecting;
    struct peer writing;
    struct loop *loop = peer_loop();
    static uint8_t block[512 * 1024];
    nats_server_init(&server);
    nats_server_start(&server, NULL);
    peer_connect_both(&connected, &writing, loop, server.url);
    nats_server_freeze(&server);
    peer_start(&connecting, loop, server.url);
    while (bus_publish(writing.bus, "x", NULL, bytes_of(block, sizeof(block)), NULL)) {
        loop_wait_ms(loop, 1);
    }
    assert_true(peer_stop(&connected) < 1000);
    assert_true(peer_stop(&writing) < 1000);
    assert_true(peer_stop(&connecting) < 1000);
    nats_server_thaw(&server);
    nats_server_kill(&server);
    loop_wait_end(loop);
}

static int run(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hanging_server_does_not_hold_up_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void) {
    return nats_server_run_with_each(run) == 0 ? 0 : 1;
}
