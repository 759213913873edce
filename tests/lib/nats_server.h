/*
 * A real nats-server as a child of the test: Debian's of this machine, and the one among the peers
 * in third_party.
 */
#ifndef LSYS_TESTS_LIB_NATS_SERVER_H
#define LSYS_TESTS_LIB_NATS_SERVER_H

#include <stdbool.h>
#include <sys/types.h>

struct nats_server {
    const char *program;
    pid_t pid; /* 0 while it does not run */
    int port;
    char url[64];
    char port_text[8];
};

/* Calls `run` once for each nats-server there is, which nats_server_init then takes. Returns the
 * sum of its results; prints the reason when there is none. */
int nats_server_run_with_each(int (*run)(void));

/* Picks a free port for a server to come; nothing is started. */
void nats_server_init(struct nats_server *server);

/* Starts it with further arguments (NULL-terminated, may be NULL) and waits until it accepts
 * connections. Ends the test when it does not. */
void nats_server_start(struct nats_server *server, const char *const *arguments);

/* Kills it and waits until it is gone. Harmless when it does not run. */
void nats_server_kill(struct nats_server *server);

/* Stops it in its tracks, as a machine that hangs, and lets it go on. */
void nats_server_freeze(struct nats_server *server);
void nats_server_thaw(struct nats_server *server);

#endif
