#include "nats_load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HANDSHAKE_MS 10000

_Noreturn void load_die(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("nats_load: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(1);
}

static double seconds_of(clockid_t clock) {
    struct timespec time;
    if (clock_gettime(clock, &time) != 0) return 0;
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

double load_now(void) {
    return seconds_of(CLOCK_MONOTONIC);
}

double load_cpu_seconds(pid_t process) {
    clockid_t clock;
    return clock_getcpuclockid(process, &clock) == 0 ? seconds_of(clock) : 0;
}

long load_resident_kb(pid_t process) {
    char path[64], line[256];
    long resident = 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)process);
    FILE *file = fopen(path, "re");
    if (file == NULL) return 0;
    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "VmRSS:", 6) == 0) resident = strtol(line + 6, NULL, 10);
    }
    fclose(file);
    return resident;
}

int load_dial(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int one = 1;
    if (descriptor < 0) load_die("no socket: %s", strerror(errno));
    if (connect(descriptor, (struct sockaddr *)&address, sizeof address) != 0) {
        close(descriptor);
        return -1;
    }
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return descriptor;
}

void load_send_all(int descriptor, const void *bytes, size_t length) {
    const char *from = bytes;
    while (length > 0) {
        ssize_t sent = send(descriptor, from, length, MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN) {
            struct pollfd wait = {.fd = descriptor, .events = POLLOUT};
            poll(&wait, 1, -1);
            continue;
        }
        if (sent < 0) load_die("the server ended a connection: %s", strerror(errno));
        from += sent;
        length -= (size_t)sent;
    }
}

/* Reads until `text` has come. */
static void expect(int descriptor, const char *text) {
    char input[65536];
    size_t length = 0;
    while (length < sizeof input - 1) {
        struct pollfd wait = {.fd = descriptor, .events = POLLIN};
        if (poll(&wait, 1, HANDSHAKE_MS) <= 0) load_die("no %s", text);
        ssize_t got = recv(descriptor, input + length, sizeof input - 1 - length, 0);
        if (got <= 0) load_die("the server ended a connection before %s", text);
        length += (size_t)got;
        input[length] = '\0';
        if (strstr(input, "-ERR") != NULL) load_die("the server says %s", input);
        if (strstr(input, text) != NULL) return;
    }
    load_die("no %s in %zu bytes", text, length);
}

void load_handshake(int descriptor, const char *more) {
    static const char hello[] =
        "CONNECT {\"verbose\":false,\"pedantic\":false,\"headers\":true,\"no_responders\":true,"
        "\"protocol\":1,\"lang\":\"c\",\"version\":\"1\",\"name\":\"load\"}\r\n";
    expect(descriptor, "\r\n");
    load_send_all(descriptor, hello, sizeof hello - 1);
    load_send_all(descriptor, more, strlen(more));
    load_send_all(descriptor, "PING\r\n", 6);
    expect(descriptor, "PONG\r\n");
    fcntl(descriptor, F_SETFL, O_NONBLOCK);
}

/* ---- the command line ---- */

static void read_options(int count, char **arguments, struct load_options *options) {
    static const struct option flags[] = {
        {"port", required_argument, NULL, 'p'},
        {"pid", required_argument, NULL, 's'},
        {"size", required_argument, NULL, 'z'},
        {"receivers", required_argument, NULL, 'r'},
        {"rate", required_argument, NULL, 'R'},
        {"in-flight", required_argument, NULL, 'f'},
        {"count", required_argument, NULL, 'c'},
        {"seconds", required_argument, NULL, 't'},
        {NULL, 0, NULL, 0},
    };
    int flag;
    while ((flag = getopt_long(count, arguments, "+", flags, NULL)) != -1) {
        switch (flag) {
        case 'p': options->port = (int)strtol(optarg, NULL, 10); break;
        case 's': options->server = (pid_t)strtol(optarg, NULL, 10); break;
        case 'z': options->size = strtoul(optarg, NULL, 10); break;
        case 'r': options->receivers = (unsigned)strtoul(optarg, NULL, 10); break;
        case 'R': options->rate = strtod(optarg, NULL); break;
        case 'f': options->in_flight = (unsigned)strtoul(optarg, NULL, 10); break;
        case 'c': options->count = (unsigned)strtoul(optarg, NULL, 10); break;
        case 't': options->seconds = strtod(optarg, NULL); break;
        default: exit(64);
        }
    }
    if (options->size < 8) load_die("--size is at least 8");
}

static void allow_many_descriptors(void) {
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int count, char **arguments) {
    struct load_options options = {
        .port = 4222, .size = 128, .receivers = 1, .in_flight = 64, .count = 1000, .seconds = 2};
    struct load_result result = {0};
    if (count < 2)
        load_die("usage: nats_load pubsub|request|connections|start [flags] [-- COMMAND]");
    const char *mode = arguments[1];
    read_options(count - 1, arguments + 1, &options);
    allow_many_descriptors();
    if (strcmp(mode, "pubsub") == 0)
        load_pubsub(&options, &result);
    else if (strcmp(mode, "request") == 0)
        load_request(&options, &result);
    else if (strcmp(mode, "connections") == 0)
        load_connections(&options, &result);
    else if (strcmp(mode, "start") == 0)
        load_start(&options, arguments + 1 + optind, &result);
    else
        load_die("there is no measurement \"%s\"", mode);
    double operations = result.operations > 0 ? (double)result.operations : 1;
    printf("{\"rate\":%.0f,\"server_us\":%.5f,\"wrong\":%llu,\"resident_before_kb\":%ld,"
           "\"resident_after_kb\":%ld,\"first_pong_ms\":%.3f}\n",
           result.seconds > 0 ? operations / result.seconds : 0,
           result.server_cpu_seconds * 1e6 / operations, (unsigned long long)result.wrong,
           result.resident_before_kb, result.resident_after_kb, result.first_pong_ms);
    return result.wrong == 0 ? 0 : 1;
}
