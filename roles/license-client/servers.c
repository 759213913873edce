#include "roles/license-client/servers.h"

#include <stdio.h>
#include <string.h>

struct known_server *known_servers_find(struct known_servers *servers, const char *key_id) {
    for (size_t i = 0; i < CLIENT_SERVERS_MAX; i++)
        if (strcmp(servers->items[i].key_id, key_id) == 0) return &servers->items[i];
    return NULL;
}

struct known_server *known_servers_take(struct known_servers *servers, const char *key_id) {
    struct known_server *server = known_servers_find(servers, key_id);
    if (server) return server;
    server = &servers->items[0];
    for (size_t i = 1; i < CLIENT_SERVERS_MAX; i++)
        if (servers->items[i].heard_monotonic_ms < server->heard_monotonic_ms)
            server = &servers->items[i];
    memset(server, 0, sizeof *server);
    snprintf(server->key_id, sizeof server->key_id, "%s", key_id);
    return server;
}

void known_servers_forget(struct known_servers *servers, const char *key_id) {
    struct known_server *server = known_servers_find(servers, key_id);
    if (server) memset(server, 0, sizeof *server);
}

void known_servers_asked(struct known_servers *servers, int64_t now_ms) {
    for (size_t i = 0; i < CLIENT_SERVERS_MAX; i++)
        if (servers->items[i].key_id[0])
            server_freshness_asked(&servers->items[i].freshness, now_ms);
}
