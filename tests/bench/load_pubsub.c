/* One publisher and some receivers of one subject, as fast as deliveries come back or at a rate. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "nats_load.h"

/* Bytes on the way to all receivers together. More mostly measures how cold the caches are. */
#define WINDOW_BYTES (1024.0 * 1024)

/* And at least so many to each, or a thousand receivers would get a message at a time. */
#define WINDOW_EACH_BYTES (128.0 * 1024)

/* One write of the publisher, and one read. */
#define BLOCK_BYTES 65536
#define READ_BYTES  262144

/* Before the clock starts: connections and caches have settled. */
#define WARM_SECONDS 0.4

struct receiver {
    int descriptor;
    uint64_t next;    /* number expected */
    uint8_t *rest;    /* the beginning of a frame */
    size_t rest_size; /* less than one frame */
};

struct run {
    const struct load_options *options;
    struct receiver *receivers;
    int publisher;
    int epoll;
    char head[64]; /* "MSG b 1 128\r\n" */
    size_t head_size, frame_size;
    uint8_t *input;
    uint8_t *block; /* whole frames; what is left of them to send: */
    size_t block_start, block_end;
    char publish_head[64];
    size_t publish_head_size, publish_size;
    uint64_t published;
    uint64_t delivered;
    uint64_t wrong;
    bool writable;
};

static void check_frame(struct run *run, struct receiver *receiver, const uint8_t *frame) {
    uint64_t number;
    memcpy(&number, frame + run->head_size, sizeof number);
    if (memcmp(frame, run->head, run->head_size) != 0 || number != receiver->next) run->wrong++;
    receiver->next = number + 1;
    run->delivered++;
}

static void receive(struct run *run, struct receiver *receiver) {
    memcpy(run->input, receiver->rest, receiver->rest_size);
    ssize_t got = recv(receiver->descriptor, run->input + receiver->rest_size, READ_BYTES, 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) load_die("the server ended a receiver");
    const uint8_t *at = run->input;
    const uint8_t *end = run->input + receiver->rest_size + got;
    while ((size_t)(end - at) >= run->frame_size) {
        bool is_ping = memcmp(at, "PING\r\n", 6) == 0;
        if (is_ping)
            load_send_all(receiver->descriptor, "PONG\r\n", 6);
        else
            check_frame(run, receiver, at);
        at += is_ping ? 6 : run->frame_size;
    }
    receiver->rest_size = (size_t)(end - at);
    memmove(receiver->rest, at, receiver->rest_size);
}

static uint64_t slowest(const struct run *run) {
    uint64_t least = UINT64_MAX;
    for (unsigned i = 0; i < run->options->receivers; i++) {
        if (run->receivers[i].next < least) least = run->receivers[i].next;
    }
    return least;
}

/* How many messages may be published now. */
static uint64_t allowance(const struct run *run, double started) {
    const struct load_options *options = run->options;
    double each = WINDOW_BYTES / options->receivers;
    uint64_t window =
        (uint64_t)((each > WINDOW_EACH_BYTES ? each : WINDOW_EACH_BYTES) / (double)run->frame_size);
    uint64_t room = slowest(run) + window;
    room = room > run->published ? room - run->published : 0;
    if (options->rate <= 0) return room;
    uint64_t due = (uint64_t)((load_now() - started) * options->rate);
    due = due > run->published ? due - run->published : 0;
    return due < room ? due : room;
}

static void fill_block(struct run *run, uint64_t messages) {
    size_t fit = BLOCK_BYTES / run->publish_size;
    if (fit == 0) fit = 1;
    if (messages > fit) messages = fit;
    run->block_start = 0;
    run->block_end = messages * run->publish_size;
    for (uint64_t i = 0; i < messages; i++) {
        uint64_t number = run->published++;
        memcpy(run->block + i * run->publish_size + run->publish_head_size, &number, sizeof number);
    }
}

static void publish(struct run *run, double started) {
    while (run->writable) {
        if (run->block_start == run->block_end) {
            uint64_t messages = allowance(run, started);
            /* Saturated, it pays to wait for a good part of the window. */
            if (messages == 0 || (run->options->rate <= 0 && messages * run->frame_size < 16384 &&
                                  run->published > slowest(run)))
                return;
            fill_block(run, messages);
        }
        ssize_t sent = send(run->publisher, run->block + run->block_start,
                            run->block_end - run->block_start, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN) load_die("the server ended the publisher");
        run->writable = sent >= 0;
        if (sent > 0) run->block_start += (size_t)sent;
    }
}

static void discard_input(int descriptor) {
    char input[4096];
    ssize_t got = recv(descriptor, input, sizeof input, 0);
    if (got == 0) load_die("the server ended the publisher");
    if (got > 0 && memmem(input, (size_t)got, "PING", 4) != NULL)
        load_send_all(descriptor, "PONG\r\n", 6);
}

/* It never sleeps: a generator that must be woken measures the waking. */
static void turn(struct run *run, double started) {
    struct epoll_event events[128];
    int count = epoll_wait(run->epoll, events, 128, 0);
    for (int i = 0; i < count; i++) {
        struct receiver *receiver = events[i].data.ptr;
        if (receiver != NULL) {
            receive(run, receiver);
            continue;
        }
        if (events[i].events & EPOLLOUT) run->writable = true;
        if (events[i].events & EPOLLIN) discard_input(run->publisher);
    }
    publish(run, started);
}

static void watch(struct run *run, int descriptor, uint32_t events, void *owner) {
    struct epoll_event event = {.events = events, .data.ptr = owner};
    if (epoll_ctl(run->epoll, EPOLL_CTL_ADD, descriptor, &event) != 0)
        load_die("epoll: %s", strerror(errno));
}

static void prepare(struct run *run) {
    const struct load_options *options = run->options;
    size_t size = options->size;
    run->head_size = (size_t)snprintf(run->head, sizeof run->head, "MSG b 1 %zu\r\n", size);
    run->publish_head_size =
        (size_t)snprintf(run->publish_head, sizeof run->publish_head, "PUB b %zu\r\n", size);
    run->frame_size = run->head_size + size + 2;
    run->publish_size = run->publish_head_size + size + 2;
    run->input = malloc(READ_BYTES + run->frame_size);
    run->block = malloc(BLOCK_BYTES + run->publish_size);
    for (size_t at = 0; at <= BLOCK_BYTES; at += run->publish_size) {
        memcpy(run->block + at, run->publish_head, run->publish_head_size);
        memset(run->block + at + run->publish_head_size, 'x', size);
        memcpy(run->block + at + run->publish_size - 2, "\r\n", 2);
    }
    run->epoll = epoll_create1(EPOLL_CLOEXEC);
    run->receivers = calloc(options->receivers, sizeof *run->receivers);
    for (unsigned i = 0; i < options->receivers; i++) {
        struct receiver *receiver = &run->receivers[i];
        receiver->rest = malloc(run->frame_size);
        if ((receiver->descriptor = load_dial(options->port)) < 0) load_die("nobody listens");
        load_handshake(receiver->descriptor, "SUB b 1\r\n");
        watch(run, receiver->descriptor, EPOLLIN, receiver);
    }
    if ((run->publisher = load_dial(options->port)) < 0) load_die("nobody listens");
    load_handshake(run->publisher, "");
    watch(run, run->publisher, EPOLLIN | EPOLLOUT | EPOLLET, NULL);
    run->writable = true;
}

void load_pubsub(const struct load_options *options, struct load_result *result) {
    struct run run = {.options = options};
    prepare(&run);
    double started = load_now();
    while (load_now() - started < WARM_SECONDS)
        turn(&run, started);
    double cpu = load_cpu_seconds(options->server), begin = load_now();
    uint64_t before = run.delivered;
    while (load_now() - begin < options->seconds)
        turn(&run, started);
    result->server_cpu_seconds = load_cpu_seconds(options->server) - cpu;
    result->seconds = load_now() - begin;
    result->operations = run.delivered - before;
    result->wrong = run.wrong;
}
