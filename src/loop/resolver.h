/*
 * Name resolution that never blocks the loop: getaddrinfo on a worker thread.
 */
#ifndef LSYS_LOOP_RESOLVER_H
#define LSYS_LOOP_RESOLVER_H

#include <stddef.h>
#include <sys/socket.h>

#include "loop/loop.h"

/* More addresses than this are not worth trying one after the other within a deadline. */
#define RESOLVER_ADDRESSES_MAX 8

struct resolver_query;

/* Called once on the loop thread. On success `count` is 1 to RESOLVER_ADDRESSES_MAX stream
 * addresses with the port filled in, valid during the call, in the order in which they should be
 * tried; otherwise 0, and `status` is STATUS_NOT_FOUND (no such name) or STATUS_UNAVAILABLE (the
 * resolver did not answer), naming the host. */
typedef void resolver_callback(void *context, const struct sockaddr_storage *addresses,
                               size_t count, const struct status *status);

/* Looks up a host name or numeric address. The query is freed after the callback. */
struct resolver_query *resolver_start(struct loop *loop, const char *host, uint16_t port,
                                      resolver_callback *callback, void *context);

/* The callback will not come. The thread may take as long as the system's resolver does, and the
 * loop stays alive meanwhile. */
void resolver_cancel(struct resolver_query *query);

#endif
