/*
 * A load generator for brokers that speak the NATS protocol: one thread, raw sockets, every
 * delivery checked for loss and order. It measures what a message costs the server in processor
 * time, which on a shared machine says more than the rate. tests/bench/broker.mjs runs it.
 */
#ifndef LSYS_TESTS_BENCH_NATS_LOAD_H
#define LSYS_TESTS_BENCH_NATS_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What is measured, from the command line. */
struct load_options {
    int port;
    pid_t server;       /* whose processor time is read */
    size_t size;        /* payload bytes, at least 8 */
    unsigned receivers; /* pubsub */
    double rate;        /* pubsub: messages a second; 0: as fast as they are delivered */
    unsigned in_flight; /* request */
    unsigned count;     /* connections */
    double seconds;
};

/* One measurement. */
struct load_result {
    uint64_t operations; /* deliveries, round trips, connections */
    uint64_t wrong;      /* lost, out of order, of another size */
    double seconds;
    double server_cpu_seconds;
    long resident_before_kb;
    long resident_after_kb;
    double first_pong_ms;
};

/* The measurements: each fills in the part of the result that it is about. */
void load_pubsub(const struct load_options *options, struct load_result *result);
void load_request(const struct load_options *options, struct load_result *result);
void load_connections(const struct load_options *options, struct load_result *result);
void load_start(const struct load_options *options, char **command, struct load_result *result);

/* ---- shared by them ---- */

/* Ends the program with a message. */
_Noreturn void load_die(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Seconds on the monotonic clock, of processor time of a process; its resident memory. */
double load_now(void);
double load_cpu_seconds(pid_t process);
long load_resident_kb(pid_t process);

/* Connects to the port on loopback; -1 when nobody listens. */
int load_dial(int port);

/* Waits for INFO, sends CONNECT, then `more` (operations, may be ""), and waits until the server
 * has handled them. The socket is non-blocking afterwards. */
void load_handshake(int descriptor, const char *more);

/* Sends all bytes, waiting while the socket is full. */
void load_send_all(int descriptor, const void *bytes, size_t length);

#endif
