/* One requester with many requests in flight, one responder; and connections that only exist. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nats_load.h"

#define READ_BYTES   262144
#define WARM_SECONDS 0.4

/* Idle connections are looked at after this: what the server keeps for them has settled. */
#define SETTLE_SECONDS 2.5

/* One end of the requests, with what it has not handled yet. */
struct side {
    int descriptor;
    char *input;
    size_t length;
    char *output;
    size_t output_length;
    bool is_responder;
    uint64_t handled;
};

static void answer(struct side *side, const char *reply, size_t reply_length, const char *payload,
                   size_t size) {
    char *out = side->output + side->output_length;
    int head = side->is_responder
                   ? snprintf(out, 256, "PUB %.*s %zu\r\n", (int)reply_length, reply, size)
                   : snprintf(out, 256, "PUB svc _INBOX.x.%llu %zu\r\n",
                              (unsigned long long)side->handled, size);
    memcpy(out + head, payload, size + 2);
    side->output_length += (size_t)head + size + 2;
    side->handled++;
}

/* Handles one operation at the front; returns its length, 0 when it is not complete. */
static size_t handle(struct side *side, const char *at, size_t length, size_t size) {
    const char *line_end = memchr(at, '\n', length);
    if (line_end == NULL) return 0;
    size_t line = (size_t)(line_end - at) + 1;
    if (strncmp(at, "MSG ", 4) != 0) {
        if (strncmp(at, "-ERR", 4) == 0) load_die("the server says %.*s", (int)line, at);
        if (strncmp(at, "PING", 4) == 0) {
            memcpy(side->output + side->output_length, "PONG\r\n", 6);
            side->output_length += 6;
        }
        return line;
    }
    if (length < line + size + 2) return 0;
    const char *reply = at + 4; /* subject, sid, reply */
    for (int blanks = 0; blanks < 2 && reply < line_end; reply++)
        blanks += *reply == ' ';
    const char *reply_end = memchr(reply, ' ', (size_t)(line_end - reply));
    answer(side, reply, reply_end != NULL ? (size_t)(reply_end - reply) : 0, at + line, size);
    return line + size + 2;
}

static void serve(struct side *side, size_t size) {
    ssize_t got = recv(side->descriptor, side->input + side->length, READ_BYTES - side->length, 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) load_die("the server ended a connection");
    size_t end = side->length + (size_t)got, at = 0, used;
    side->output_length = 0;
    while (at < end && (used = handle(side, side->input + at, end - at, size)) > 0)
        at += used;
    memmove(side->input, side->input + at, end - at);
    side->length = end - at;
    load_send_all(side->descriptor, side->output, side->output_length);
}

static struct side open_side(const struct load_options *options, bool is_responder, int epoll) {
    struct side side = {.is_responder = is_responder};
    side.descriptor = load_dial(options->port);
    if (side.descriptor < 0) load_die("nobody listens");
    load_handshake(side.descriptor, is_responder ? "SUB svc 1\r\n" : "SUB _INBOX.x.* 1\r\n");
    side.input = malloc(READ_BYTES);
    side.output = malloc(READ_BYTES * 2);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = side.descriptor};
    epoll_ctl(epoll, EPOLL_CTL_ADD, side.descriptor, &event);
    return side;
}

void load_request(const struct load_options *options, struct load_result *result) {
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct side responder = open_side(options, true, epoll);
    struct side requester = open_side(options, false, epoll);
    char *payload = calloc(1, options->size + 2);
    memcpy(payload + options->size, "\r\n", 2);
    for (unsigned i = 0; i < options->in_flight; i++)
        answer(&requester, NULL, 0, payload, options->size);
    load_send_all(requester.descriptor, requester.output, requester.output_length);
    double started = load_now(), begin = 0, cpu = 0, now;
    uint64_t before = 0;
    while ((now = load_now()) - started < WARM_SECONDS + options->seconds) {
        if (begin <= 0 && now - started >= WARM_SECONDS) {
            begin = now;
            cpu = load_cpu_seconds(options->server);
            before = requester.handled;
        }
        struct epoll_event events[2];
        int count = epoll_wait(epoll, events, 2, 0);
        for (int i = 0; i < count; i++)
            serve(events[i].data.fd == responder.descriptor ? &responder : &requester,
                  options->size);
    }
    result->server_cpu_seconds = load_cpu_seconds(options->server) - cpu;
    result->seconds = load_now() - begin;
    result->operations = requester.handled - before;
}

void load_connections(const struct load_options *options, struct load_result *result) {
    result->resident_before_kb = load_resident_kb(options->server);
    double begin = load_now(), cpu = load_cpu_seconds(options->server);
    for (unsigned i = 0; i < options->count; i++) {
        char subscribe[64];
        int descriptor = load_dial(options->port);
        if (descriptor < 0) load_die("connection %u was refused", i);
        snprintf(subscribe, sizeof subscribe, "SUB idle.%u 1\r\n", i);
        load_handshake(descriptor, subscribe);
    }
    result->operations = options->count;
    result->seconds = load_now() - begin;
    result->server_cpu_seconds = load_cpu_seconds(options->server) - cpu;
    usleep((useconds_t)(SETTLE_SECONDS * 1e6));
    result->resident_after_kb = load_resident_kb(options->server);
}

void load_start(const struct load_options *options, char **command, struct load_result *result) {
    double begin = load_now();
    pid_t child = fork();
    if (child == 0) {
        if (freopen("/dev/null", "w", stdout) == NULL || freopen("/dev/null", "w", stderr) == NULL)
            _exit(70);
        execvp(command[0], command);
        _exit(70);
    }
    int descriptor;
    while ((descriptor = load_dial(options->port)) < 0) {
        if (load_now() - begin > 10) load_die("%s does not listen", command[0]);
    }
    load_handshake(descriptor, "");
    result->first_pong_ms = (load_now() - begin) * 1e3;
    result->resident_after_kb = load_resident_kb(child);
    kill(child, SIGTERM);
    waitpid(child, NULL, 0);
}
