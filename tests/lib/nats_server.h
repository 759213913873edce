/*
 * A NATS server as a child of the test. The same tests run against each there is: both
 * nats-servers among the peers in third_party, and our own broker.
 */
#ifndef LSYS_TESTS_LIB_NATS_SERVER_H
#define LSYS_TESTS_LIB_NATS_SERVER_H

#include <stdbool.h>
#include <sys/types.h>

#include "tests/lib/folder.h"

struct nats_server {
    pid_t pid; /* 0 while it does not run */
    int port;
    char url[64];
    char port_text[8];
    char folder[TEST_FOLDER_BYTES]; /* of its files; exists while it runs */
};

/* What a server wants of its clients; NULL is what it does not want. */
struct nats_server_options {
    const char *user, *password;
    const char *token;
    const char *nkey;              /* a user's public key */
    const char *certificate, *key; /* files: TLS */
    const char *client_ca;         /* file: TLS with certificates of clients */
};

/* Calls `run` once for each server there is, which nats_server_start then starts. Returns the sum
 * of its results; prints which are missing. */
int nats_server_run_with_each(int (*run)(void));

/* Picks a free port for a server to come; nothing is started. */
void nats_server_init(struct nats_server *server);

/* Starts it (NULL: with no options) and waits until it accepts connections. Ends the test when it
 * does not. */
void nats_server_start(struct nats_server *server, const struct nats_server_options *options);

/* Kills it and waits until it is gone. Harmless when it does not run. */
void nats_server_kill(struct nats_server *server);

/* Stops it in its tracks, as a machine that hangs, and lets it go on. */
void nats_server_freeze(struct nats_server *server);
void nats_server_thaw(struct nats_server *server);

#endif
