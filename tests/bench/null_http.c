/*
 * The least that an HTTP server can do on this machine: one thread, one receive and one send a
 * request, the same bytes for everybody. It does not even look for the end of a request: what it
 * costs is the kernel's part, and the ceiling for everything that answers on purpose.
 *
 *     null_http PORT FILE     answers with the file's bytes, head included
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_BYTES_MAX  65536
#define REQUEST_BYTES_MAX 8192
#define EVENTS_AT_ONCE    128

struct answer {
    char bytes[ANSWER_BYTES_MAX];
    size_t length;
};

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void read_answer(const char *path, struct answer *answer) {
    FILE *file = fopen(path, "rb");
    if (!file) fail(path);
    answer->length = fread(answer->bytes, 1, sizeof answer->bytes, file);
    fclose(file);
}

static int listen_at(long port) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((unsigned short)port),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0) fail("bind");
    if (listen(listener, SOMAXCONN) != 0) fail("listen");
    return listener;
}

static void watch(int poll, int socket) {
    struct epoll_event event = {.events = EPOLLIN, .data = {.fd = socket}};
    if (epoll_ctl(poll, EPOLL_CTL_ADD, socket, &event) != 0) fail("epoll_ctl");
}

static void accept_all(int poll, int listener) {
    int on = 1, socket;
    while ((socket = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        watch(poll, socket);
    }
}

static void serve(int socket, const struct answer *answer) {
    char request[REQUEST_BYTES_MAX];
    ssize_t received = recv(socket, request, sizeof request, 0);
    if (received <= 0 || send(socket, answer->bytes, answer->length, MSG_NOSIGNAL) < 0)
        close(socket);
}

int main(int argc, char **argv) {
    static struct answer answer;
    if (argc != 3) {
        fprintf(stderr, "usage: null_http PORT FILE\n");
        return 64;
    }
    read_answer(argv[2], &answer);
    int listener = listen_at(strtol(argv[1], NULL, 10)), poll = epoll_create1(0);
    watch(poll, listener);
    for (;;) {
        struct epoll_event events[EVENTS_AT_ONCE];
        int count = epoll_wait(poll, events, EVENTS_AT_ONCE, -1);
        for (int i = 0; i < count; i++) {
            if (events[i].data.fd == listener)
                accept_all(poll, listener);
            else
                serve(events[i].data.fd, &answer);
        }
    }
}
