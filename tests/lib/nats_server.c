#include "tests/lib/nats_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/assertion.h"
#include "base/clock.h"
#include "base/file.h"
#include "tests/lib/unit.h"

#define START_LIMIT_MS 10000
#define ARGUMENTS_MAX  16
#define PATH_BYTES_MAX (TEST_FOLDER_BYTES + 32)

/* The command line of one start, and the paths in it. */
struct command {
    const char *arguments[ARGUMENTS_MAX];
    size_t count;
    char listen[32];
    char credentials[PATH_BYTES_MAX];
};

/* A program that speaks NATS, and how it is told what options say. */
struct program {
    const char *path;
    const char *how_to_get_it;
    void (*write_command)(const struct nats_server *server,
                          const struct nats_server_options *options, struct command *command);
};

/* ---- command lines ---- */

static void add(struct command *command, const char *argument) {
    ASSERT(command->count + 1 < ARGUMENTS_MAX);
    command->arguments[command->count++] = argument;
}

/* Nothing is added without a value. */
static void add_pair(struct command *command, const char *flag, const char *value) {
    if (value != NULL) {
        add(command, flag);
        add(command, value);
    }
}

/* Writes a file into the server's folder, for `flag`; nothing without a text. */
static void add_file(const struct nats_server *server, struct command *command, const char *flag,
                     const char *text) {
    if (text != NULL) {
        snprintf(command->credentials, PATH_BYTES_MAX, "%s/credentials", server->folder);
        ASSERT(file_replace(command->credentials, bytes_of_text(text), 0600, NULL));
        add_pair(command, flag, command->credentials);
    }
}

static void write_nats_server_command(const struct nats_server *server,
                                      const struct nats_server_options *options,
                                      struct command *command) {
    char config[200];
    add_pair(command, "-a", "127.0.0.1");
    add_pair(command, "-p", server->port_text);
    add_pair(command, "--user", options->user);
    add_pair(command, "--pass", options->password);
    add_pair(command, "--auth", options->token);
    snprintf(config, sizeof(config), "authorization { users: [ { nkey: %s } ] }\n", options->nkey);
    add_file(server, command, "-c", options->nkey == NULL ? NULL : config);
    if (options->certificate != NULL) {
        add(command, "--tls");
    }
    add_pair(command, "--tlscert", options->certificate);
    add_pair(command, "--tlskey", options->key);
    if (options->client_ca != NULL) {
        add(command, "--tlsverify");
    }
    add_pair(command, "--tlscacert", options->client_ca);
}

static void write_lsys_command(const struct nats_server *server,
                               const struct nats_server_options *options, struct command *command) {
    char users[200];
    add(command, "broker");
    snprintf(command->listen, sizeof(command->listen), "127.0.0.1:%s", server->port_text);
    add_pair(command, "--listen", command->listen);
    add_pair(command, "--user", options->user);
    add_file(server, command, "--password-file", options->password);
    add_file(server, command, "--token-file", options->token);
    snprintf(users, sizeof(users), "{\"users\":[{\"nkey\":\"%s\"}]}", options->nkey);
    add_file(server, command, "--users-file", options->nkey == NULL ? NULL : users);
    add_pair(command, "--tls-cert", options->certificate);
    add_pair(command, "--tls-key", options->key);
    add_pair(command, "--tls-client-ca", options->client_ca);
}

/* ---- which program ---- */

static const struct program programs[] = {
    {"third_party/peers-bookworm/usr/sbin/nats-server", "third_party/fetch peers-bookworm",
     write_nats_server_command},
    {"third_party/peers/usr/sbin/nats-server", "third_party/fetch peers",
     write_nats_server_command},
    {"build/asan/lsys", "make asan", write_lsys_command},
};

/* The one that the present round of tests runs against. */
static const struct program *present;

int nats_server_run_with_each(int (*run)(void)) {
    int result = 0;
    for (size_t i = 0; i < COUNT_OF(programs); i++) {
        present = &programs[i];
        if (access(present->path, X_OK) == 0) {
            printf("with %s\n", present->path);
            result += run();
        } else {
            printf("not tested with %s: it is not here (%s)\n", present->path,
                   present->how_to_get_it);
        }
    }
    return result;
}

/* ---- running it ---- */

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
    *server = (struct nats_server){.port = ntohs(address.sin_port)};
    snprintf(server->url, sizeof(server->url), "nats://127.0.0.1:%d", server->port);
    snprintf(server->port_text, sizeof(server->port_text), "%d", server->port);
}

static void run_program(const struct command *command) {
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves no server behind */
    int quiet = open("/dev/null", O_WRONLY);
    dup2(quiet, STDOUT_FILENO);
    dup2(quiet, STDERR_FILENO);
    execv(command->arguments[0], (char *const *)command->arguments);
    _exit(127);
}

void nats_server_start(struct nats_server *server, const struct nats_server_options *options) {
    static const struct nats_server_options none;
    struct command command = {.arguments = {present->path}, .count = 1};
    test_folder_make(server->folder);
    present->write_command(server, options == NULL ? &none : options, &command);
    server->pid = fork();
    ASSERT(server->pid >= 0);
    if (server->pid == 0) {
        run_program(&command);
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
        test_folder_remove(server->folder);
        server->pid = 0;
    }
}

void nats_server_freeze(struct nats_server *server) {
    kill(server->pid, SIGSTOP);
}

void nats_server_thaw(struct nats_server *server) {
    kill(server->pid, SIGCONT);
}
