/*
 * The servers that a bus may connect to, read from the comma-separated list of URLs that the
 * operator gave. Credentials are taken out of the URLs, so that what remains can be shown and
 * logged.
 */
#ifndef LSYS_BUS_SERVER_LIST_H
#define LSYS_BUS_SERVER_LIST_H

#include <stddef.h>

#include "base/status.h"
#include "bus/bus.h"

struct bus_server {
    char text[BUS_SERVER_TEXT_BYTES];     /* "host:port", for people */
    char url[BUS_SERVER_TEXT_BYTES + 16]; /* "nats://host:port", also for tls */
    bool tls;                             /* the scheme was tls://: without TLS it is not used */
    char *user;                           /* from the URL, or NULL */
    char *password;                       /* from the URL, or NULL */
    char *token;                          /* from the URL, or NULL */
};

struct bus_server_list {
    struct bus_server *servers;
    size_t count; /* 1 .. BUS_SERVERS_MAX */
};

/* Reads "nats://[user:password@|token@]host[:port]" and the same with tls://, comma-separated; the
 * scheme may be left out. STATUS_CONFIG for what cannot be used; its text names the server without
 * its credentials. */
bool bus_server_list_read(struct bus_server_list *list, const char *urls,
                          struct status *status) MUST_CHECK;

/* Frees the list, overwriting the credentials. */
void bus_server_list_free(struct bus_server_list *list);

#endif
