/*
 * The license servers whose keys are accepted and that were heard: for each whether its messages
 * are fresh, and what it said last.
 */
#ifndef LSYS_ROLES_LICENSE_CLIENT_SERVERS_H
#define LSYS_ROLES_LICENSE_CLIENT_SERVERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/client_state.h"
#include "rules/license_status.h"
#include "rules/server_freshness.h"
#include "verifier/claims.h"
#include "verifier/sha256.h"

struct known_server {
    char key_id[SHA256_TEXT_BYTES]; /* "" while the place is free */
    char server_id[CLAIM_TEXT_BYTES_MAX + 1];
    struct server_freshness freshness;
    enum license_status word;     /* the status it said last */
    char line[SHA256_TEXT_BYTES]; /* of the license it has; "" when it has none */
    int64_t heard_wall_ms;        /* its last good message, by our clock */
    int64_t heard_monotonic_ms;
};

struct known_servers {
    struct known_server items[CLIENT_SERVERS_MAX];
};

/* The server with this key, or NULL. */
struct known_server *known_servers_find(struct known_servers *servers, const char *key_id);

/* As known_servers_find; a new one takes the place of the one heard longest ago. */
struct known_server *known_servers_take(struct known_servers *servers, const char *key_id);

/* Forgets a server; harmless when it is not known. */
void known_servers_forget(struct known_servers *servers, const char *key_id);

/* Notes that a nonce went out to all of them. */
void known_servers_asked(struct known_servers *servers, int64_t now_ms);

#endif
