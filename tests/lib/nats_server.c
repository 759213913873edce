#include "tests/lib/nats_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/assertion.h"
#include "base/clock.h"

#define START_LIMIT_MS 10000
#define ARGUMENTS_MAX  24

/* The server that the present round of tests runs against. */
static const char *present_program;

int nats_server_run_with_each(int (*run)(void)) {
    static const char *const candidates[] = {"/usr/sbin/nats-server", "/usr/bin/nats-server",
                                             "third_party/peers/usr/sbin/nats-server"};
    int result = 0;
    for (size_t i = 0; i < sizeof(candidates) / sizeof(candidates[0]); i++) {
        if (access(candidates[i], X_OK) == 0) {
            present_program = candidates[i];
            printf("with %s\n", present_program);
            result += run();
        }
    }
    if (present_program == NULL) {
        printf("not tested: no nats-server is installed (apt-get install nats-server)\n");
    }
    return result;
}

static int connect_to(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int file = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int error = connect(file, (struct sockaddr *)&address, sizeof(address));
    close(file);
    return error;
}

void nats_server_init(struct nats_server *server) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof(address);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int file = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ASSERT(bind(file, (struct sockaddr *)&address, sizeof(address)) == 0);
    ASSERT(getsockname(file, (struct sockaddr *)&address, &length) == 0);
    close(file);
    *server = (struct nats_server){.program = present_program, .port = ntohs(address.sin_port)};
    snprintf(server->url, sizeof(server->url), "nats://127.0.0.1:%d", server->port);
    snprintf(server->port_text, sizeof(server->port_text), "%d", server->port);
}

static void run_program(const struct nats_server *server, const char *const *arguments) {
    const char *all[ARGUMENTS_MAX] = {server->program, "-a", "127.0.0.1", "-p", server->port_text};
    size_t count = 5;
    for (size_t i = 0; arguments != NULL && arguments[i] != NULL; i++) {
        ASSERT(count + 1 < ARGUMENTS_MAX);
        all[count++] = arguments[i];
    }
    int quiet = open("/dev/null", O_WRONLY);
    dup2(quiet, STDOUT_FILENO);
    dup2(quiet, STDERR_FILENO);
    execv(server->program, (char *const *)all);
    _exit(127);
}

void nats_server_start(struct nats_server *server, const char *const *arguments) {
    server->pid = fork();
    ASSERT(server->pid >= 0);
    if (server->pid == 0) {
        run_program(server, arguments);
    }
    int64_t deadline = clock_monotonic_ms() + START_LIMIT_MS;
    while (connect_to(server->port) != 0) {
        ASSERT(clock_monotonic_ms() < deadline);
        ASSERT(waitpid(server->pid, NULL, WNOHANG) == 0);
        poll(NULL, 0, 2);
    }
}

void nats_server_kill(struct nats_server *server) {
    if (server->pid > 0) {
        kill(server->pid, SIGKILL);
        waitpid(server->pid, NULL, 0);
        server->pid = 0;
    }
}

void nats_server_freeze(struct nats_server *server) {
    kill(server->pid, SIGSTOP);
}

void nats_server_thaw(struct nats_server *server) {
    kill(server->pid, SIGCONT);
}
